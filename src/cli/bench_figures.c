/* Each figure is the median of repetitions, the first of which, a warm-up, does not count. */
#include "cli/bench_figures.h"

#include "base/memory.h"
#include "model/decode.h"

#include <stdlib.h>

enum {
    REPETITIONS_LEAST = 3,
    REPETITIONS_MOST = 1001,
};
static const double full_parameters_most = 2e8; /* of these four float32 numbers each are held */

typedef struct bench {
    ttt_model *model;
    const ttt_model_config *config;
    const ttt_bench_work *work;
    const ttt_stop_flag *stop;
} bench;

static bool wants(const bench *self, ttt_figure_kind figure) {
    return (self->work->wanted >> figure & 1) != 0;
}

/* --- Repeating --------------------------------------------------------------------------------------------------- */

/* Does the work once and says how long the part took that counts. */
typedef ttt_status timed_work(void *context, double *seconds, ttt_error *err);

static int compare(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static ttt_status median_of(const bench *self, timed_work *once, void *context, double *median, ttt_error *err) {
    double took[REPETITIONS_MOST];
    int count = 0;
    TTT_TRY(once(context, median, err));
    const double start = ttt_clock_seconds();
    while (count < REPETITIONS_LEAST ||
           (count < REPETITIONS_MOST && ttt_clock_seconds() - start < self->work->seconds)) {
        if (ttt_stop_requested(self->stop)) return ttt_fail(err, TTT_ERROR_CANCELLED, "stopped while measuring");
        TTT_TRY(once(context, &took[count++], err));
    }
    qsort(took, (size_t)count, sizeof *took, compare);
    *median = took[count / 2];
    return TTT_OK;
}

/* Tokens of no meaning, the second half with loss. */
static ttt_status made_up(const bench *self, ttt_sequence *sequence, ttt_error *err) {
    const int32_t tokens = self->work->tokens;
    TTT_TRY(ttt_sequence_reserve(sequence, tokens, self->config->axes, err));
    for (int32_t i = 0; i < tokens; i++) {
        int32_t position[TTT_MAX_AXES];
        for (int32_t axis = 0; axis < self->config->axes; axis++) {
            position[axis] = self->config->axes == 1 ? i : i % 32;
        }
        ttt_sequence_append(sequence, i * 7 % self->config->vocabulary, position);
        if (i >= tokens / 2) sequence->targets[i] = (i + 1) * 7 % self->config->vocabulary;
    }
    return TTT_OK;
}

/* --- Training ---------------------------------------------------------------------------------------------------- */

typedef struct training {
    ttt_session *session;
    ttt_packing *packing;
    float *loss;
} training;

static ttt_status train_once(void *context, double *seconds, ttt_error *err) {
    const training *t = context;
    const ttt_adamw adamw = {.learning_rate = 1e-6f, .beta1 = 0.9f, .beta2 = 0.99f, .epsilon = 1e-8f};
    double norm;
    const double start = ttt_clock_seconds();
    TTT_TRY(ttt_session_train(t->session, t->packing, t->loss, err));
    TTT_TRY(ttt_session_step(t->session, adamw, 1, &norm, err));
    *seconds = ttt_clock_seconds() - start;
    return TTT_OK;
}

static ttt_status measure_training(const bench *self, ttt_adaptation adaptation, ttt_figure *figure, ttt_error *err) {
    const ttt_bench_work *work = self->work;
    const double tokens = work->tokens, keys = tokens * (tokens + 1) / 2, outputs = tokens - (double)(work->tokens / 2);
    const uint32_t maps = (1u << (TTT_LINEAR_DOWN + 1)) - 1; /* q to down */
    const ttt_session_options options = {.adaptation = adaptation,
                                         .rank = work->rank,
                                         .alpha = 16,
                                         .targets = maps,
                                         .max_tokens = work->tokens,
                                         .max_sequences = 1,
                                         .training = true};
    ttt_status status;
    ttt_sequence sequence = {0};
    training t = {.loss = ttt_allocate((size_t)work->tokens, sizeof *t.loss)};
    double seconds;
    if (t.loss == NULL) TTT_TRY_OUT(ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for measuring training"));
    TTT_TRY_OUT(made_up(self, &sequence, err));
    TTT_TRY_OUT(ttt_session_new(self->model, &options, 0, &t.session, err));
    TTT_TRY_OUT(ttt_packing_new(work->tokens, 1, self->config->axes, self->config->window, &t.packing, err));
    ttt_packing_add(t.packing, &sequence, 0, 1);
    TTT_TRY_OUT(median_of(self, train_once, &t, &seconds, err));
    const double operations =
        adaptation == TTT_ADAPT_FULL
            ? ttt_model_config_training_operations(self->config, tokens, keys, outputs)
            : ttt_model_config_adapter_operations(self->config, tokens, keys, outputs, work->rank);
    *figure = (ttt_figure){
        .measured = true, .tokens_per_second = tokens / seconds, .operations_per_second = operations / seconds};
out:
    ttt_packing_free(t.packing);
    ttt_session_free(t.session);
    ttt_sequence_release(&sequence);
    ttt_free(t.loss);
    return status;
}

/* --- Reading and writing ----------------------------------------------------------------------------------------- */

typedef struct decoding decoding;

/* The state of an answer's grammar, by which any two tokens may come. */
typedef struct written {
    const decoding *of;
    int32_t length;
} written;

struct decoding {
    ttt_session *session;
    ttt_kv_cache *cache;
    ttt_sequence prompt;
    ttt_decode_request *requests;
    ttt_decode_answer *answers;
    written *states;
    int32_t axes, count;
};

static void any_token(void *state, uint32_t *allowed) {
    written *answer = state;
    answer->length = 0;
    allowed[0] = 3;
}

static bool any_next(void *state, int32_t id, int32_t *position, uint32_t *allowed) {
    written *answer = state;
    const decoding *d = answer->of;
    (void)id;
    for (int32_t axis = 0; axis < d->axes; axis++) {
        position[axis] = d->axes == 1 ? d->prompt.length + answer->length : answer->length % 32;
    }
    answer->length++;
    allowed[0] = 3;
    return true;
}

/* Reads the prompt and writes `count` answers of so many tokens each. */
static ttt_status decode(decoding *d, int32_t tokens, double *seconds, ttt_error *err) {
    const ttt_decode_options options = {.max_batch = d->count};
    for (int32_t i = 0; i < d->count; i++) {
        d->states[i].of = d;
        d->requests[i] =
            (ttt_decode_request){.prompt = &d->prompt,
                                 .grammar = {.state = &d->states[i], .begin = any_token, .advance = any_next},
                                 .max_tokens = tokens};
    }
    const double start = ttt_clock_seconds();
    TTT_TRY(ttt_decode(d->session, d->cache, d->requests, (size_t)d->count, &options, d->answers, err));
    *seconds = ttt_clock_seconds() - start;
    for (int32_t i = 0; i < d->count; i++) ttt_decode_answer_release(&d->answers[i]);
    return TTT_OK;
}

static ttt_status read_once(void *context, double *seconds, ttt_error *err) {
    return decode(context, 1, seconds, err);
}

/* What the tokens after the first take. */
static ttt_status write_once(void *context, double *seconds, ttt_error *err) {
    double first;
    TTT_TRY(decode(context, 1, &first, err));
    TTT_TRY(decode(context, 1 + TTT_BENCH_ANSWER, seconds, err));
    *seconds = *seconds > first ? *seconds - first : 1e-9;
    return TTT_OK;
}

static void decoding_release(decoding *d) {
    ttt_free(d->states);
    ttt_free(d->answers);
    ttt_free(d->requests);
    ttt_sequence_release(&d->prompt);
    ttt_kv_cache_free(d->cache);
    ttt_session_free(d->session);
}

static ttt_status decoding_init(const bench *self, decoding *d, ttt_error *err) {
    const ttt_bench_work *work = self->work;
    const size_t count = (size_t)work->answers;
    const ttt_session_options options = {.max_tokens = work->tokens > work->answers ? work->tokens : work->answers,
                                         .max_sequences = work->answers};
    const int32_t pages = ttt_kv_pages(work->tokens) + work->answers * (ttt_kv_pages(TTT_BENCH_ANSWER + 1) + 1);
    *d = (decoding){.axes = self->config->axes,
                    .requests = ttt_allocate(count, sizeof *d->requests),
                    .answers = ttt_allocate(count, sizeof *d->answers),
                    .states = ttt_allocate(count, sizeof *d->states)};
    if (d->requests == NULL || d->answers == NULL || d->states == NULL) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for measuring %d answers", work->answers);
    }
    TTT_TRY(made_up(self, &d->prompt, err));
    TTT_TRY(ttt_session_new(self->model, &options, 0, &d->session, err));
    return ttt_kv_cache_new(self->model, pages + work->answers, work->answers + 1, &d->cache, err);
}

static ttt_status measure_writing(const bench *self, decoding *d, int32_t answers, ttt_figure *figure, ttt_error *err) {
    const double steps = TTT_BENCH_ANSWER, keys = self->work->tokens + steps / 2; /* in the middle of it */
    const double numbers = 2.0 * self->config->layers * self->config->kv_heads * self->config->head_dim; /* of a key */
    double seconds;
    d->count = answers;
    TTT_TRY(median_of(self, write_once, d, &seconds, err));
    const double operations = ttt_model_config_forward_operations(self->config, 1, keys, 1);
    *figure =
        (ttt_figure){.measured = true,
                     .tokens_per_second = answers * steps / seconds,
                     .operations_per_second = answers * steps * operations / seconds,
                     .bytes_per_second = steps * (self->work->weight_bytes + answers * keys * numbers * 2) / seconds};
    return TTT_OK;
}

static ttt_status measure_decoding(const bench *self, ttt_figure figures[TTT_FIGURE_COUNT], ttt_error *err) {
    const double tokens = self->work->tokens, keys = tokens * (tokens + 1) / 2;
    ttt_status status;
    decoding d;
    double seconds;
    TTT_TRY_OUT(decoding_init(self, &d, err));
    if (wants(self, TTT_FIGURE_READ)) {
        d.count = 1;
        TTT_TRY_OUT(median_of(self, read_once, &d, &seconds, err));
        figures[TTT_FIGURE_READ] = (ttt_figure){
            .measured = true,
            .tokens_per_second = tokens / seconds,
            .operations_per_second = ttt_model_config_forward_operations(self->config, tokens, keys, 1) / seconds};
    }
    if (wants(self, TTT_FIGURE_WRITE_ONE)) {
        TTT_TRY_OUT(measure_writing(self, &d, 1, &figures[TTT_FIGURE_WRITE_ONE], err));
    }
    if (wants(self, TTT_FIGURE_WRITE_MANY)) {
        TTT_TRY_OUT(measure_writing(self, &d, self->work->answers, &figures[TTT_FIGURE_WRITE_MANY], err));
    }
out:
    decoding_release(&d);
    return status;
}

/* --- All --------------------------------------------------------------------------------------------------------- */

ttt_status ttt_bench_measure(ttt_model *model, const ttt_bench_work *work, const ttt_stop_flag *stop,
                             const ttt_progress *progress, ttt_figure figures[TTT_FIGURE_COUNT], ttt_error *err) {
    const bench self = {.model = model, .config = ttt_model_get_config(model), .work = work, .stop = stop};
    const bool full = (double)ttt_model_config_parameters(self.config) <= full_parameters_most;
    for (int i = 0; i < TTT_FIGURE_COUNT; i++) figures[i] = (ttt_figure){0};
    ttt_progress_step(progress, "adapter", 0, 3);
    if (wants(&self, TTT_FIGURE_TRAIN_ADAPTER)) {
        TTT_TRY(measure_training(&self, TTT_ADAPT_LORA, &figures[TTT_FIGURE_TRAIN_ADAPTER], err));
    }
    ttt_progress_step(progress, "all weights", 1, 3);
    if (wants(&self, TTT_FIGURE_TRAIN_FULL) && full) {
        TTT_TRY(measure_training(&self, TTT_ADAPT_FULL, &figures[TTT_FIGURE_TRAIN_FULL], err));
    }
    ttt_progress_step(progress, "decoding", 2, 3);
    return wants(&self, TTT_FIGURE_READ) || wants(&self, TTT_FIGURE_WRITE_ONE) || wants(&self, TTT_FIGURE_WRITE_MANY)
               ? measure_decoding(&self, figures, err)
               : TTT_OK;
}
