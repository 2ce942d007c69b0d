#include "solve/engine.h"

#include <math.h>
#include <unistd.h>

static int32_t least_of(int64_t a, int64_t b) {
    return (int32_t)(a < b ? a : b);
}
static int32_t most_of(int64_t a, int64_t b) {
    return (int32_t)(a > b ? a : b);
}

/* Refuses before the first step what the machine cannot hold at all. */
static ttt_status check_memory(const ttt_model_config *config, const ttt_session_options *options, ttt_error *err) {
    double wanted = (double)ttt_session_options_bytes(config, options);
    double there = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    if (wanted <= there) return TTT_OK;
    return ttt_fail(err, TTT_ERROR_MEMORY,
                    "batches of %d tokens take %.0f MB, this machine has %.0f MB: lower ttt.batch_tokens and "
                    "views.max_tokens, or set ttt.recompute",
                    (int)options->max_tokens, wanted / 1e6, there / 1e6);
}

/* A grid model is small: its own weights cost as little as an adapter, and learn more. Those of a language model, with
 * their gradients and moments in float32, fit few machines. */
static ttt_adaptation adaptation_of(const ttt_solve_settings *settings, const ttt_model *model) {
    if (settings->ttt_adaptation == TTT_ADAPTATION_LORA) return TTT_ADAPT_LORA;
    if (settings->ttt_adaptation == TTT_ADAPTATION_FULL) return TTT_ADAPT_FULL;
    return ttt_is_grid_model(model) ? TTT_ADAPT_FULL : TTT_ADAPT_LORA;
}

/* A small model does better with twice as many steps of one example than with steps of the paper's two (as
 * models/arc-grid/README.md tells). */
static int32_t step_examples_of(const ttt_solve_settings *settings, const ttt_model *model) {
    if (settings->ttt_batch > 0) return (int32_t)settings->ttt_batch;
    return ttt_is_grid_model(model) ? 1 : 2;
}

ttt_status ttt_engine_init(ttt_engine *engine, ttt_model *model, const ttt_solve_settings *settings, bool training,
                           ttt_error *err) {
    ttt_status status;
    const ttt_model_config *config = ttt_model_get_config(model);
    *engine = (ttt_engine){.model = model, .settings = settings, .training = training};
    engine->step_examples = step_examples_of(settings, model);
    engine->prompt_tokens = least_of(config->context, settings->views_max_tokens);
    engine->example_tokens = least_of(least_of(config->context, settings->ttt_max_tokens), settings->ttt_batch_tokens);
    ttt_session_options options = {
        .adaptation = training ? adaptation_of(settings, model) : TTT_ADAPT_NONE,
        .rank = (int32_t)settings->lora_rank,
        .alpha = (float)settings->lora_alpha,
        .rank_stabilized = settings->lora_rslora,
        .max_tokens = most_of(settings->ttt_batch_tokens, engine->prompt_tokens),
        .max_sequences = most_of(engine->step_examples, settings->views_batch),
        .recompute = settings->ttt_recompute,
        .training = training,
    };
    TTT_TRY_OUT(ttt_solve_lora_targets(settings, &options.targets, err));
    TTT_TRY_OUT(check_memory(config, &options, err));
    TTT_TRY_OUT(ttt_session_new(model, &options, 0, &engine->session, err));
    TTT_TRY_OUT(ttt_trainer_new(engine->session, options.max_tokens, options.max_sequences, &engine->trainer, err));
out:
    if (status != TTT_OK) ttt_engine_release(engine);
    return status;
}

void ttt_engine_release(ttt_engine *engine) {
    ttt_kv_cache_free(engine->cache);
    ttt_trainer_free(engine->trainer);
    ttt_session_free(engine->session);
    *engine = (ttt_engine){0};
}

ttt_status ttt_engine_cache(ttt_engine *engine, int32_t pages, int32_t least, int32_t sequences, ttt_error *err) {
    const ttt_model_config *config = ttt_model_get_config(engine->model);
    /* Two numbers of four bytes at most for every key element. */
    double page_bytes = 8.0 * TTT_PAGE * config->layers * config->kv_heads * config->head_dim;
    double most = (double)engine->settings->views_cache_mb * 1e6 / page_bytes;
    if ((double)pages > most) pages = (int32_t)most;
    if (pages < least) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "keys and values of a prompt take %.0f MB, views.cache_mb allows %lld",
                        (double)least * page_bytes / 1e6, (long long)engine->settings->views_cache_mb);
    }
    if (engine->cache != NULL && engine->cache_pages >= pages && engine->cache_sequences >= sequences) return TTT_OK;
    ttt_kv_cache_free(engine->cache);
    engine->cache = NULL;
    engine->cache_pages = most_of(pages, engine->cache_pages);
    engine->cache_sequences = most_of(sequences, engine->cache_sequences);
    return ttt_kv_cache_new(engine->model, engine->cache_pages, engine->cache_sequences, &engine->cache, err);
}

double ttt_engine_example_operations(const ttt_engine *engine, int32_t tokens) {
    double length = tokens;
    return ttt_model_config_training_operations(ttt_model_get_config(engine->model), length, length * length / 2,
                                                length / 2);
}

double ttt_engine_prompt_operations(const ttt_engine *engine, int32_t tokens) {
    double length = tokens;
    return ttt_model_config_forward_operations(ttt_model_get_config(engine->model), length, length * length / 2, 1);
}

/* --- Measuring --------------------------------------------------------------------------------------------------- */

/* `tokens` tokens of no meaning, every one with loss. */
static ttt_status made_up(const ttt_engine *engine, int32_t tokens, ttt_sequence *sequence, ttt_error *err) {
    const ttt_model_config *config = ttt_model_get_config(engine->model);
    sequence->length = 0;
    TTT_TRY(ttt_sequence_reserve(sequence, tokens, config->axes, err));
    for (int32_t i = 0; i < tokens; i++) {
        int32_t position[TTT_MAX_AXES];
        for (int32_t axis = 0; axis < config->axes; axis++) position[axis] = i % 32;
        ttt_sequence_append(sequence, i % config->vocabulary, position);
        sequence->targets[i] = (i + 1) % config->vocabulary;
    }
    return TTT_OK;
}

/* One example after the other until the caller's number of tokens is large enough to time. */
typedef struct made_up_source {
    const ttt_engine *engine;
    int32_t tokens;
} made_up_source;

static ttt_status next_made_up(void *context, int64_t number, ttt_sequence *sequence, bool *more, ttt_error *err) {
    const made_up_source *source = context;
    *more = number < 1;
    return *more ? made_up(source->engine, source->tokens, sequence, err) : TTT_OK;
}

enum { FIRST_TOKENS = 64, MOST_TOKENS = 2048 };
static const double long_enough = 0.03; /* seconds: three times what a busy machine disturbs */

/* Longer and longer until it takes long enough; the first time also warms up threads and memory. */
static ttt_status measure_passes(ttt_engine *engine, ttt_error *err) {
    const ttt_model_config *config = ttt_model_get_config(engine->model);
    int32_t most = least_of(MOST_TOKENS, engine->training ? engine->example_tokens : engine->prompt_tokens);
    for (int32_t tokens = least_of(FIRST_TOKENS, most);; tokens = least_of(4 * tokens, most)) {
        made_up_source source = {engine, tokens};
        double keys = (double)tokens * (tokens + 1) / 2, mean, training_seconds = 0;
        double start = ttt_clock_seconds();
        if (engine->training) {
            ttt_train_options options = ttt_train_defaults();
            ttt_train_state state = {0};
            options.step_examples = 1;
            options.max_steps = 1;
            options.next = next_made_up;
            options.context = &source;
            TTT_TRY(ttt_train_run(engine->trainer, &options, &state, err));
            training_seconds = ttt_clock_seconds() - start;
            engine->speed.training =
                ttt_model_config_training_operations(config, tokens, keys, tokens) / training_seconds;
        }
        start = ttt_clock_seconds();
        TTT_TRY(ttt_train_evaluate(engine->trainer, next_made_up, NULL, &source, &mean, err));
        double reading_seconds = ttt_clock_seconds() - start;
        engine->speed.reading = ttt_model_config_forward_operations(config, tokens, keys, tokens) / reading_seconds;
        if (tokens == most || fmax(training_seconds, reading_seconds) >= long_enough) return TTT_OK;
    }
}

static void any_token(void *state, uint32_t *allowed) {
    (void)state;
    allowed[0] = 3;
}

static bool any_next(void *state, int32_t id, int32_t *position, uint32_t *allowed) {
    int32_t *count = state;
    (void)id;
    position[0] = ++*count; /* the other axes stay where they are: only the time matters */
    allowed[0] = 3;
    return true;
}

static ttt_status measure_writing(ttt_engine *engine, ttt_error *err) {
    enum { PROMPT = 16, ANSWER = 8 };
    ttt_status status = TTT_OK;
    ttt_sequence prompt = {0};
    size_t count = (size_t)engine->settings->views_batch;
    ttt_decode_request *requests = ttt_allocate(count, sizeof *requests);
    ttt_decode_answer *answers = ttt_allocate(count, sizeof *answers);
    int32_t *counters = ttt_allocate(count, sizeof *counters);
    if (requests == NULL || answers == NULL || counters == NULL) {
        TTT_TRY_OUT(ttt_fail(err, TTT_ERROR_MEMORY, "no memory to measure decoding"));
    }
    int32_t length = least_of(PROMPT, engine->prompt_tokens / 2), each = ttt_kv_pages(length + ANSWER);
    TTT_TRY_OUT(made_up(engine, length, &prompt, err));
    TTT_TRY_OUT(ttt_engine_cache(engine, each * (int32_t)count, each, (int32_t)count + 1, err));
    for (size_t i = 0; i < count; i++) {
        requests[i] = (ttt_decode_request){.prompt = &prompt,
                                           .grammar = {.state = &counters[i], .begin = any_token, .advance = any_next},
                                           .max_tokens = ANSWER};
    }
    ttt_decode_options options = {.max_batch = (int32_t)count, .stop = engine->stop};
    double start = ttt_clock_seconds();
    TTT_TRY_OUT(ttt_decode(engine->session, engine->cache, requests, count, &options, answers, err));
    engine->speed.writing = (double)(ANSWER * count) / (ttt_clock_seconds() - start);
out:
    for (size_t i = 0; answers != NULL && i < count; i++) ttt_decode_answer_release(&answers[i]);
    ttt_free(counters);
    ttt_free(answers);
    ttt_free(requests);
    ttt_sequence_release(&prompt);
    return status;
}

ttt_status ttt_engine_measure(ttt_engine *engine, ttt_error *err) {
    TTT_TRY(measure_passes(engine, err));
    return measure_writing(engine, err);
}
