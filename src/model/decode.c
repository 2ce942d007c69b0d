/* Decoding, many requests side by side.
 *
 * A request waits, is admitted (gets a sequence of the cache; its worst case in pages is set aside, so that no answer
 * ever gets stuck half-way), has its prompt read, then takes part in every step with one row until its grammar or a
 * limit ends it; the next one takes its place. Prompts are read as soon as places are free, before the next step.
 *
 * Requests in a row with one and the same prompt are a group: all of it but its last token is read once, into a
 * sequence of its own, and each request begins as a fork of that. */
#include "model/decode.h"

#include "base/memory.h"
#include "model/cached_batch.h"
#include "model/sample.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* A request under way. */
typedef struct active {
    size_t request;
    ttt_kv_sequence handle;
    int32_t pages;       /* set aside for it */
    bool forked;         /* of a group */
    int32_t read;        /* tokens of its prompt in the cache */
    uint32_t *allowed;   /* [words] what may come next */
    int32_t id, kv_high; /* the token to feed next */
    int32_t *position;   /* [axes] */
} active;

/* What the requests of a group share. */
typedef struct group {
    const ttt_sequence *prompt; /* NULL: there is no group */
    ttt_kv_sequence handle;     /* has all of the prompt but its last token */
    int32_t pages;              /* set aside for that */
    int32_t users;              /* actives that hold some of them */
} group;

typedef struct decoder {
    ttt_session *session;
    ttt_kv_cache *cache;
    const ttt_decode_request *requests;
    size_t count, next; /* the next one to be admitted */
    const ttt_decode_options *options;
    ttt_decode_answer *answers;
    int32_t context, vocabulary, words, axes;
    int32_t free_pages; /* not set aside */
    group group;
    active *active;
    int32_t active_count, max_active;
    ttt_cached_batch batch;
    int32_t *rows, *who;      /* [max_active] rows of the batch that predict, and for which active */
    uint32_t *allowed;        /* [max_active, words] of those rows, side by side */
    float *log_probabilities; /* [max_active, V] */
    uint32_t *all_allowed;    /* [max_active, words] memory of active.allowed */
    int32_t *all_positions;   /* [max_active, axes] memory of active.position */
} decoder;

bool ttt_decode_out_of_time(const ttt_decode_options *options) {
    return ttt_stop_requested(options->stop) || (options->deadline > 0 && ttt_clock_seconds() >= options->deadline);
}

void ttt_decode_answer_release(ttt_decode_answer *answer) {
    ttt_free(answer->ids);
    *answer = (ttt_decode_answer){0};
}

/* ---------------------------------------------------------------------------------------------- start */

/* Pages that a request can come to need. */
static int32_t worst_case(const decoder *d, const ttt_decode_request *request) {
    const int64_t length = (int64_t)request->prompt->length + request->max_tokens;
    return ttt_kv_pages((int32_t)(length < d->context ? length : d->context));
}

static ttt_status check_request(const decoder *d, size_t index, ttt_error *err) {
    const ttt_decode_request *request = &d->requests[index];
    if (request->prompt->length < 1 || request->max_tokens < 1) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "request %zu has %d tokens of prompt and %d of answer, expected some",
                        index, request->prompt->length, request->max_tokens);
    }
    ttt_status status = ttt_check_tokens(d->session, request->prompt, "the prompt", err);
    if (status != TTT_OK) return ttt_fail_within(err, status, "request %zu", index);
    if (request->prompt->length < d->context && worst_case(d, request) > d->free_pages) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "request %zu can need %d pages of the key/value cache, it has %d",
                        index, worst_case(d, request), d->free_pages);
    }
    return TTT_OK;
}

static int32_t smaller(int32_t a, int32_t b) {
    return a < b ? a : b;
}

static ttt_status decoder_start(decoder *d, ttt_error *err) {
    for (size_t i = 0; i < d->count; i++) TTT_TRY(check_request(d, i, err));
    const size_t places = (size_t)d->max_active, words = (size_t)d->words, axes = (size_t)d->axes;
    size_t probabilities;
    d->active = ttt_allocate(places, sizeof *d->active);
    d->rows = ttt_allocate(places, sizeof *d->rows);
    d->who = ttt_allocate(places, sizeof *d->who);
    d->allowed = ttt_allocate(places * words, sizeof *d->allowed);
    d->all_allowed = ttt_allocate(places * words, sizeof *d->all_allowed);
    d->all_positions = ttt_allocate(places * axes, sizeof *d->all_positions);
    if (ttt_size_multiply(places, (size_t)d->vocabulary, &probabilities)) {
        d->log_probabilities = ttt_allocate(probabilities, sizeof *d->log_probabilities);
    }
    if (d->active == NULL || d->rows == NULL || d->who == NULL || d->allowed == NULL || d->all_allowed == NULL ||
        d->all_positions == NULL || d->log_probabilities == NULL) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for decoding %d answers at once", d->max_active);
    }
    for (size_t i = 0; i < places; i++) {
        d->active[i].allowed = d->all_allowed + i * words;
        d->active[i].position = d->all_positions + i * axes;
    }
    for (size_t i = 0; i < d->count; i++) {
        const int32_t longest = smaller(d->requests[i].max_tokens, d->context);
        d->answers[i].ids = ttt_allocate((size_t)longest, sizeof *d->answers[i].ids);
        if (d->answers[i].ids == NULL) {
            return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for an answer of %d tokens", longest);
        }
    }
    return ttt_cached_batch_init(&d->batch, d->session, d->cache, err);
}

static void decoder_release(decoder *d) {
    for (int32_t i = 0; i < d->active_count; i++) ttt_kv_cache_end(d->cache, d->active[i].handle);
    if (d->group.prompt != NULL) ttt_kv_cache_end(d->cache, d->group.handle);
    ttt_cached_batch_release(&d->batch);
    ttt_free(d->active);
    ttt_free(d->rows);
    ttt_free(d->who);
    ttt_free(d->allowed);
    ttt_free(d->all_allowed);
    ttt_free(d->all_positions);
    ttt_free(d->log_probabilities);
}

/* ---------------------------------------------------------------------------------------------- coming and going */

static void report(decoder *d, size_t request, ttt_decode_end end) {
    d->answers[request].end = end;
    if (d->options->finished != NULL) d->options->finished(d->options->context, request, &d->answers[request]);
}

/* The last active takes the place of the one that leaves; the memory that their pointers name changes places, too. */
static void leave(decoder *d, int32_t place, ttt_decode_end end) {
    const active gone = d->active[place];
    ttt_kv_cache_end(d->cache, gone.handle);
    d->free_pages += gone.pages;
    d->group.users -= gone.forked;
    d->active[place] = d->active[--d->active_count];
    d->active[d->active_count] = gone;
    report(d, gone.request, end);
}

static ttt_status look_ahead(const decoder *d, size_t request, int32_t token, ttt_error *err) {
    return ttt_fail(err, TTT_ERROR_ARGUMENT,
                    "request %zu: tokens from %d on see ahead over more than the %d tokens of a batch", request, token,
                    ttt_cached_batch_room(&d->batch));
}

/* A group whose last request has left gives its pages back. */
static void end_group(decoder *d) {
    const ttt_sequence *next = d->next < d->count ? d->requests[d->next].prompt : NULL;
    if (d->group.prompt == NULL || d->group.prompt == next || d->group.users > 0) return;
    ttt_kv_cache_end(d->cache, d->group.handle);
    d->free_pages += d->group.pages;
    d->group = (group){0};
}

/* Can the next requests be a group? There must be two; nothing before the last token may see it; and there must be room
 * for a request beside what is shared. */
static bool groups(const decoder *d) {
    if (d->group.prompt != NULL || d->next + 1 >= d->count) return false;
    const ttt_decode_request *request = &d->requests[d->next];
    const ttt_sequence *prompt = request->prompt;
    const int32_t shared = prompt->length - 1;
    if (request[1].prompt != prompt || shared == 0 || prompt->length >= d->context) return false;
    for (int32_t i = 0; i < shared; i++) {
        if (prompt->kv_high[i] > shared) return false;
    }
    return worst_case(d, request) + 1 <= d->free_pages;
}

/* Reads what the requests of a group share, in pieces; *over: the time was up before its end. */
static ttt_status begin_group(decoder *d, bool *over, ttt_error *err) {
    const ttt_sequence *prompt = d->requests[d->next].prompt;
    const int32_t shared = prompt->length - 1;
    const ttt_kv_sequence handle = ttt_kv_cache_begin(d->cache), other = ttt_kv_cache_begin(d->cache);
    if (other >= 0) ttt_kv_cache_end(d->cache, other);
    if (handle >= 0 && other < 0) ttt_kv_cache_end(d->cache, handle);
    if (handle < 0 || other < 0) return TTT_OK; /* no sequence would be left for a request */
    d->group = (group){.prompt = prompt, .handle = handle, .pages = ttt_kv_pages(shared)};
    d->free_pages -= d->group.pages;
    for (int32_t read = 0; read < shared;) {
        ttt_buffer *final;
        *over = ttt_decode_out_of_time(d->options);
        if (*over) return TTT_OK;
        ttt_cached_batch_clear(&d->batch);
        const int32_t end = smaller(ttt_piece_end(prompt, read, ttt_cached_batch_room(&d->batch)), shared);
        if (end == read) return look_ahead(d, d->next, read, err);
        TTT_TRY(ttt_cached_batch_add(&d->batch, handle, prompt, read, end, 0, err));
        TTT_TRY(ttt_cached_batch_run(&d->batch, &final, err));
        read = end;
    }
    return TTT_OK;
}

/* Lets waiting requests in, in order, while there are places and pages. */
static void admit(decoder *d) {
    for (; d->next < d->count; d->next++) {
        const ttt_decode_request *request = &d->requests[d->next];
        if (request->prompt->length >= d->context) {
            report(d, d->next, TTT_DECODE_TOO_LONG);
            continue;
        }
        const bool forked = request->prompt == d->group.prompt;
        const int32_t shared = forked ? request->prompt->length - 1 : 0;
        const int32_t pages = worst_case(d, request) - shared / TTT_PAGE; /* full pages are not copied */
        if (d->active_count == d->max_active || pages > d->free_pages) return;
        ttt_kv_sequence handle = -1;
        if (!forked)
            handle = ttt_kv_cache_begin(d->cache);
        else if (ttt_kv_cache_fork(d->cache, d->group.handle, &handle, NULL) != TTT_OK)
            return;
        if (handle < 0) return;
        active *a = &d->active[d->active_count++];
        a->request = d->next;
        a->handle = handle;
        a->pages = pages;
        a->forked = forked;
        a->read = shared;
        d->group.users += forked;
        d->free_pages -= pages;
        memset(a->allowed, 0, (size_t)d->words * sizeof *a->allowed);
        request->grammar.begin(request->grammar.state, a->allowed);
    }
}

static void end_all(decoder *d) {
    while (d->active_count > 0) leave(d, d->active_count - 1, TTT_DECODE_OUT_OF_TIME);
    for (; d->next < d->count; d->next++) report(d, d->next, TTT_DECODE_OUT_OF_TIME);
}

/* ---------------------------------------------------------------------------------------------- steps */

/* Fills the batch with prompts that are not read yet: whole ones as long as they fit, or one piece of one that never
 * will. Returns the number of rows that predict a first token. */
static ttt_status gather_prompts(decoder *d, int32_t *predicting, ttt_error *err) {
    *predicting = 0;
    for (int32_t i = 0; i < d->active_count; i++) {
        active *a = &d->active[i];
        const ttt_sequence *prompt = d->requests[a->request].prompt;
        const int32_t left = prompt->length - a->read, room = ttt_cached_batch_room(&d->batch);
        if (left == 0 || (left > room && d->batch.batch.tokens > 0)) continue;
        const int32_t end = ttt_piece_end(prompt, a->read, room);
        if (end == a->read) return look_ahead(d, a->request, a->read, err);
        TTT_TRY(ttt_cached_batch_add(&d->batch, a->handle, prompt, a->read, end, 0, err));
        a->read = end;
        if (end < prompt->length) continue;
        d->rows[*predicting] = d->batch.batch.tokens - 1;
        d->who[(*predicting)++] = i;
    }
    return TTT_OK;
}

/* One row for every answer under way. */
static ttt_status gather_tokens(decoder *d, int32_t *predicting, ttt_error *err) {
    for (int32_t i = 0; i < d->active_count; i++) {
        active *a = &d->active[i];
        const int32_t length = ttt_kv_cache_length(d->cache, a->handle);
        a->kv_high = 1;
        const ttt_sequence token = {
            .length = 1, .axes = d->axes, .ids = &a->id, .positions = a->position, .kv_high = &a->kv_high};
        TTT_TRY(ttt_cached_batch_add(&d->batch, a->handle, &token, 0, 1, length, err));
        d->rows[i] = i;
        d->who[i] = i;
    }
    *predicting = d->active_count;
    return TTT_OK;
}

/* Appends a token to an answer. Returns whether it goes on; if not, *end says why. */
static bool append(decoder *d, active *a, int32_t id, float log_probability, ttt_decode_end *end) {
    const ttt_decode_request *request = &d->requests[a->request];
    ttt_decode_answer *answer = &d->answers[a->request];
    answer->ids[answer->count++] = id;
    answer->log_probability += (double)log_probability;
    a->id = id;
    memset(a->allowed, 0, (size_t)d->words * sizeof *a->allowed);
    *end = TTT_DECODE_COMPLETE;
    if (!request->grammar.advance(request->grammar.state, id, a->position, a->allowed)) return false;
    *end = TTT_DECODE_TOO_LONG;
    return answer->count < request->max_tokens && request->prompt->length + answer->count < d->context;
}

/* Runs the batch; every row that predicts gives its answer a token, and answers that end leave. */
static ttt_status run(decoder *d, int32_t predicting, ttt_error *err) {
    ttt_buffer *final;
    TTT_TRY(ttt_cached_batch_run(&d->batch, &final, err));
    if (predicting == 0) return TTT_OK;
    const size_t words = (size_t)d->words;
    for (int32_t i = 0; i < predicting; i++) {
        memcpy(d->allowed + (size_t)i * words, d->active[d->who[i]].allowed, words * sizeof *d->allowed);
    }
    TTT_TRY(d->session->ops->next_log_probabilities(d->session->activations->workspace, &d->session->network.output,
                                                    final, predicting, d->rows, d->allowed, d->log_probabilities, err));
    /* From the last to the first: what moves into a place that becomes free has been seen to already. */
    for (int32_t i = predicting - 1; i >= 0; i--) {
        const float *row = d->log_probabilities + (size_t)i * (size_t)d->vocabulary;
        const ttt_decode_grammar *grammar = &d->requests[d->active[d->who[i]].request].grammar;
        const int32_t next = grammar->choose == NULL ? ttt_most_probable(row, d->vocabulary)
                                                     : grammar->choose(grammar->state, row, d->vocabulary);
        if (!isfinite(row[next])) {
            return ttt_fail(err, TTT_ERROR_ARGUMENT, "request %zu: the model's probabilities are not finite numbers",
                            d->active[d->who[i]].request);
        }
        ttt_decode_end end;
        if (!append(d, &d->active[d->who[i]], next, row[next], &end)) leave(d, d->who[i], end);
    }
    return TTT_OK;
}

static ttt_status decode_all(decoder *d, ttt_error *err) {
    for (;;) {
        bool over = ttt_decode_out_of_time(d->options);
        end_group(d);
        if (!over && groups(d)) TTT_TRY(begin_group(d, &over, err));
        if (over) {
            end_all(d);
            return TTT_OK;
        }
        admit(d);
        if (d->active_count == 0) {
            if (d->next == d->count) return TTT_OK;
            return ttt_fail(err, TTT_ERROR_ARGUMENT, "the key/value cache has no free sequence to decode with");
        }
        int32_t predicting;
        ttt_cached_batch_clear(&d->batch);
        TTT_TRY(gather_prompts(d, &predicting, err));
        if (d->batch.batch.tokens == 0) TTT_TRY(gather_tokens(d, &predicting, err));
        TTT_TRY(run(d, predicting, err));
    }
}

ttt_status ttt_decode(ttt_session *session, ttt_kv_cache *cache, const ttt_decode_request *requests, size_t count,
                      const ttt_decode_options *options, ttt_decode_answer *answers, ttt_error *err) {
    const ttt_model_config *config = ttt_model_get_config(session->model);
    memset(answers, 0, count * sizeof *answers);
    if (options->max_batch < 1) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "decoding %d answers at once: expected at least 1",
                        options->max_batch);
    }
    decoder d = {.session = session,
                 .cache = cache,
                 .requests = requests,
                 .count = count,
                 .options = options,
                 .answers = answers,
                 .context = config->context,
                 .vocabulary = config->vocabulary,
                 .words = (config->vocabulary + 31) / 32,
                 .axes = config->axes,
                 .free_pages = ttt_kv_cache_free_pages(cache)};
    d.max_active = smaller(options->max_batch, smaller(session->options.max_sequences, session->options.max_tokens));
    if ((size_t)d.max_active > count) d.max_active = count == 0 ? 1 : (int32_t)count;
    ttt_status status = decoder_start(&d, err);
    if (status == TTT_OK) status = decode_all(&d, err);
    decoder_release(&d);
    for (size_t i = 0; i < count && status != TTT_OK; i++) ttt_decode_answer_release(&answers[i]);
    return status;
}
