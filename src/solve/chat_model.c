#include "solve/chat_model.h"

#include "base/memory.h"
#include "model/decode.h"
#include "model/sample.h"
#include "model/tokenizer.h"

#include <string.h>

enum { PIECE_TOKENS = 512 }; /* of a prompt, read at once */

struct ttt_chat_model {
    const ttt_solve_settings *settings;
    ttt_tokenizer *tokenizer;
    ttt_backend *backend;
    ttt_model *model;
    ttt_session *session;
    uint64_t seed;
};

ttt_status ttt_chat_model_new(const char *path, const char *device, int threads, const ttt_solve_settings *settings,
                              uint64_t seed, ttt_chat_model **model, ttt_error *err) {
    ttt_status status;
    *model = NULL;
    ttt_chat_model *m = ttt_allocate(1, sizeof *m);
    if (m == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a chat model");
    const int32_t width = (int32_t)settings->proposer_in_flight;
    const ttt_session_options options = {.max_tokens = width > PIECE_TOKENS ? width : PIECE_TOKENS,
                                         .max_sequences = width};
    m->settings = settings;
    m->seed = seed;
    TTT_TRY_OUT(ttt_tokenizer_load(path, &m->tokenizer, err));
    if (ttt_tokenizer_chat(m->tokenizer) == TTT_CHAT_NONE) {
        status = ttt_fail(err, TTT_ERROR_ARGUMENT, "%s: this is no chat model, or of a kind that is not known", path);
        goto out;
    }
    TTT_TRY_OUT(ttt_backend_new(device == NULL ? "cpu" : device, threads, &m->backend, err));
    TTT_TRY_OUT(ttt_model_load(path, m->backend, &m->model, err));
    TTT_TRY_OUT(ttt_session_new(m->model, &options, 0, &m->session, err));
out:
    if (status == TTT_OK)
        *model = m;
    else
        ttt_chat_model_free(m);
    return status;
}

void ttt_chat_model_free(ttt_chat_model *model) {
    if (model == NULL) return;
    ttt_session_free(model->session);
    ttt_model_free(model->model);
    ttt_backend_free(model->backend);
    ttt_tokenizer_free(model->tokenizer);
    ttt_free(model);
}

/* --- Answers under way -------------------------------------------------------------------------------------------- */

struct answers;

/* One answer's part of the grammar of plain text: every token may come, one drawn at random does. */
typedef struct writer {
    struct answers *all;
    ttt_random random;
    int32_t position; /* of the last token */
} writer;

typedef struct answers {
    const ttt_chat_model *model;
    const ttt_chat_question *question;
    ttt_decode_options options;
    ttt_sampler sampler; /* each writer lends it its random numbers */
    uint32_t *allowed;   /* [words] the ids of the tokenizer */
    int32_t words;
    writer *writers; /* [samples] */
    ttt_decode_request *requests;
    ttt_decode_answer *answers;
    bool any; /* has come */
    ttt_status status;
    ttt_error *err;
} answers;

static void text_begin(void *state, uint32_t *allowed) {
    const writer *w = state;
    memcpy(allowed, w->all->allowed, (size_t)w->all->words * sizeof *allowed);
}

static bool text_advance(void *state, int32_t id, int32_t *position, uint32_t *allowed) {
    writer *w = state;
    position[0] = ++w->position;
    text_begin(state, allowed);
    return !ttt_tokenizer_stops(w->all->model->tokenizer, id);
}

static int32_t text_choose(void *state, const float *log_probabilities, int32_t vocabulary) {
    writer *w = state;
    (void)vocabulary;
    w->all->sampler.random = w->random;
    const int32_t id = ttt_sampler_choose(&w->all->sampler, log_probabilities);
    w->random = w->all->sampler.random;
    return id;
}

/* Passes an answer on. When enough have come, or something has failed, the deadline has come. */
static void finished(void *context, size_t request, const ttt_decode_answer *answer) {
    answers *a = context;
    ttt_bytes text = {0};
    (void)request;
    if (a->status != TTT_OK || answer->end == TTT_DECODE_OUT_OF_TIME) return;
    a->status = ttt_tokenizer_decode(a->model->tokenizer, answer->ids, (size_t)answer->count, false, &text, a->err);
    if (a->status == TTT_OK) a->status = TTT_PUSH(&text, '\0', a->err);
    bool more = false;
    if (a->status == TTT_OK) {
        const size_t length = text.count - 1;
        a->any = true;
        more = a->question->answered(a->question->context, (const char *const[]){text.items}, &length, 1);
    }
    if (!more) a->options.deadline = ttt_clock_seconds();
    ttt_free(text.items);
}

static ttt_status answers_start(answers *a, const ttt_sequence *prompt, ttt_error *err) {
    const ttt_chat_question *q = a->question;
    const ttt_model_config *config = ttt_model_get_config(a->model->model);
    const int32_t size = ttt_tokenizer_size(a->model->tokenizer);
    const ttt_sampling sampling = {.temperature = q->temperature, .top_p = 1};
    const ttt_random random = ttt_random_stream(a->model->seed, "", "proposer");
    TTT_TRY(ttt_sampler_init(&a->sampler, &sampling, 0, config->vocabulary, err));
    a->words = (config->vocabulary + 31) / 32;
    a->allowed = ttt_allocate((size_t)a->words, sizeof *a->allowed);
    a->writers = ttt_allocate(q->samples, sizeof *a->writers);
    a->requests = ttt_allocate(q->samples, sizeof *a->requests);
    a->answers = ttt_allocate(q->samples, sizeof *a->answers);
    if (a->allowed == NULL || a->writers == NULL || a->requests == NULL || a->answers == NULL) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for %zu answers", q->samples);
    }
    /* Matrices may have more rows than there are tokens. */
    for (int32_t id = 0; id < size && id < config->vocabulary; id++) a->allowed[id / 32] |= 1u << id % 32;
    for (size_t i = 0; i < q->samples; i++) {
        writer *w = &a->writers[i];
        *w = (writer){.all = a, .random = ttt_random_fork(&random, i), .position = prompt->length - 1};
        a->requests[i] = (ttt_decode_request){
            .prompt = prompt,
            .grammar = {.state = w, .begin = text_begin, .advance = text_advance, .choose = text_choose},
            .max_tokens = q->max_tokens};
    }
    return TTT_OK;
}

static void answers_release(answers *a) {
    for (size_t i = 0; a->answers != NULL && i < a->question->samples; i++) ttt_decode_answer_release(&a->answers[i]);
    ttt_sampler_release(&a->sampler);
    ttt_free(a->allowed);
    ttt_free(a->writers);
    ttt_free(a->requests);
    ttt_free(a->answers);
}

/* --- Asking ------------------------------------------------------------------------------------------------------- */

static ttt_status encode(const ttt_chat_model *m, const ttt_chat_question *q, ttt_sequence *prompt, ttt_error *err) {
    const ttt_model_config *config = ttt_model_get_config(m->model);
    ttt_ids ids = {0};
    ttt_status status;
    TTT_TRY_OUT(ttt_tokenizer_chat_question(m->tokenizer, q->system, q->user, strlen(q->user), &ids, err));
    if (ids.count >= (size_t)config->context) {
        status = ttt_fail(err, TTT_ERROR_ARGUMENT, "the question has %zu tokens, the model's context is %d", ids.count,
                          config->context);
        goto out;
    }
    TTT_TRY_OUT(ttt_sequence_reserve(prompt, (int32_t)ids.count, 1, err));
    for (int32_t i = 0; i < (int32_t)ids.count; i++) ttt_sequence_append(prompt, ids.items[i], &i);
out:
    ttt_free(ids.items);
    return status;
}

/* Pages for the question once and for as many answers side by side as views.cache_mb allows, at least for one. */
static ttt_status make_cache(const ttt_chat_model *m, const ttt_chat_question *q, const ttt_sequence *prompt,
                             ttt_kv_cache **cache, ttt_error *err) {
    const ttt_model_config *config = ttt_model_get_config(m->model);
    const double page_bytes = 8.0 * TTT_PAGE * config->layers * config->kv_heads * config->head_dim;
    const int64_t room = config->context - prompt->length, answer = q->max_tokens < room ? q->max_tokens : room;
    const int32_t shared = ttt_kv_pages(prompt->length) + 1, own = ttt_kv_pages((int32_t)answer) + 1;
    const double most = ((double)m->settings->views_cache_mb * 1e6 / page_bytes - shared) / own;
    int32_t width = (int32_t)q->in_flight;
    if (width > most) width = most < 1 ? 1 : (int32_t)most;
    return ttt_kv_cache_new(m->model, shared + width * own, width + 1, cache, err);
}

ttt_status ttt_chat_model_ask(ttt_chat_model *model, const ttt_chat_question *question, ttt_error *err) {
    ttt_status status;
    ttt_sequence prompt = {0};
    ttt_kv_cache *cache = NULL;
    answers a = {.model = model, .question = question, .err = err};
    a.options = (ttt_decode_options){.max_batch = (int32_t)question->in_flight,
                                     .deadline = question->deadline,
                                     .stop = question->stop,
                                     .finished = finished,
                                     .context = &a};
    TTT_TRY_OUT(encode(model, question, &prompt, err));
    TTT_TRY_OUT(make_cache(model, question, &prompt, &cache, err));
    TTT_TRY_OUT(answers_start(&a, &prompt, err));
    TTT_TRY_OUT(ttt_decode(model->session, cache, a.requests, question->samples, &a.options, a.answers, err));
    TTT_TRY_OUT(a.status);
    if (ttt_stop_requested(question->stop)) {
        status = ttt_fail(err, TTT_ERROR_CANCELLED, "stopped while a model was asked");
    } else if (!a.any) {
        status = ttt_fail(err, TTT_ERROR_IO, "the model finished no answer in time");
    }
out:
    answers_release(&a);
    ttt_kv_cache_free(cache);
    ttt_sequence_release(&prompt);
    return status;
}
