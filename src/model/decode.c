/* Decoding, many requests side by side.
 *
 * A request waits, is admitted (gets a sequence of the cache; its worst case in pages is set aside, so that no answer
 * ever gets stuck half-way), has its prompt read, then takes part in every step with one row until its grammar or a
 * limit ends it; the next one takes its place. Prompts are read as soon as places are free, before the next step.
 *
 * Requests in a row with one and the same prompt are a group: all of it but its last token is read once, into a
 * sequence of its own, and each request begins as a fork of that.
 *
 * Where the caller guesses how an answer goes on, the answer takes part in a step with the guessed tokens behind its
 * own row: each row says what comes next had the guess been right up to there. What the rows say is taken up to the
 * first that contradicts the guess; keys behind that are forgotten. */
#include "model/decode.h"

#include "base/memory.h"
#include "model/cached_batch.h"
#include "model/sample.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    GUESS_FIRST = 8,       /* guessed tokens that are verified at once; twice as many after each that was all right */
    GUESS_BYTES = 64 << 20 /* most for the log-probabilities of guessed tokens */
};

/* A request under way. */
typedef struct active {
    size_t request;
    ttt_kv_sequence handle;
    int32_t pages;                /* set aside for it */
    bool forked;                  /* of a group */
    int32_t read;                 /* tokens of its prompt in the cache */
    uint32_t *allowed;            /* [words] what may come next */
    int32_t id;                   /* the token to feed next */
    int32_t *position;            /* [axes] of that */
    int32_t reach;                /* most tokens to guess */
    int32_t first_row, row_count; /* its part of the rows that predict in this step */
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
    /* What predicts in this step, [max_rows]: rows of the batch, what may come next there [words], what the model says
     * [V]; and while answers are written, the tokens that stand in these rows, with positions [axes]. */
    int32_t row_count, max_rows;
    int32_t *rows;
    uint32_t *allowed;
    float *log_probabilities;
    int32_t *ids, *positions;
    int32_t *kv_high;       /* [max_rows] 1, 2, 3...: of tokens of an answer that lie side by side */
    int32_t *guess;         /* [max_rows] */
    unsigned char *state;   /* of a grammar, kept while it walks over a guess */
    uint32_t *all_allowed;  /* [max_active, words] memory of active.allowed */
    int32_t *all_positions; /* [max_active, axes] memory of active.position */
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

/* Rows that may predict in one step: one of each answer, and guessed ones as far as memory is allowed. */
static int32_t most_rows(const decoder *d) {
    if (d->options->guess == NULL) return d->max_active;
    const int32_t affordable = (int32_t)(GUESS_BYTES / sizeof(float)) / d->vocabulary;
    const int32_t most = smaller(d->session->options.max_tokens, affordable);
    return most > d->max_active ? most : d->max_active;
}

static ttt_status decoder_start(decoder *d, ttt_error *err) {
    size_t state_bytes = 1, probabilities;
    for (size_t i = 0; i < d->count; i++) {
        TTT_TRY(check_request(d, i, err));
        if (d->requests[i].grammar.state_bytes > state_bytes) state_bytes = d->requests[i].grammar.state_bytes;
    }
    d->max_rows = most_rows(d);
    const size_t places = (size_t)d->max_active, rows = (size_t)d->max_rows, words = (size_t)d->words,
                 axes = (size_t)d->axes;
    d->active = ttt_allocate(places, sizeof *d->active);
    d->all_allowed = ttt_allocate(places * words, sizeof *d->all_allowed);
    d->all_positions = ttt_allocate(places * axes, sizeof *d->all_positions);
    d->rows = ttt_allocate(rows, sizeof *d->rows);
    d->allowed = ttt_allocate(rows * words, sizeof *d->allowed);
    d->ids = ttt_allocate(rows, sizeof *d->ids);
    d->positions = ttt_allocate(rows * axes, sizeof *d->positions);
    d->kv_high = ttt_allocate(rows, sizeof *d->kv_high);
    d->guess = ttt_allocate(rows, sizeof *d->guess);
    d->state = ttt_allocate(state_bytes, sizeof *d->state);
    if (ttt_size_multiply(rows, (size_t)d->vocabulary, &probabilities)) {
        d->log_probabilities = ttt_allocate(probabilities, sizeof *d->log_probabilities);
    }
    if (d->active == NULL || d->all_allowed == NULL || d->all_positions == NULL || d->rows == NULL ||
        d->allowed == NULL || d->ids == NULL || d->positions == NULL || d->kv_high == NULL || d->guess == NULL ||
        d->state == NULL || d->log_probabilities == NULL) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for decoding %d answers at once", d->max_active);
    }
    for (size_t i = 0; i < places; i++) {
        d->active[i].allowed = d->all_allowed + i * words;
        d->active[i].position = d->all_positions + i * axes;
    }
    for (int32_t i = 0; i < d->max_rows; i++) d->kv_high[i] = i + 1;
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
    void *const arrays[] = {d->active, d->all_allowed, d->all_positions, d->rows,  d->allowed, d->log_probabilities,
                            d->ids,    d->positions,   d->kv_high,       d->guess, d->state};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ttt_free(arrays[i]);
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
    int32_t most = 0; /* of all that will share it: each must find room beside what is shared */
    for (size_t i = d->next; i < d->count && d->requests[i].prompt == prompt; i++) {
        const int32_t pages = worst_case(d, &d->requests[i]);
        if (pages > most) most = pages;
    }
    return most + 1 <= d->free_pages;
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
        a->reach = GUESS_FIRST;
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

/* The rows of an active begin here. */
static void begin_rows(decoder *d, active *a) {
    a->first_row = d->row_count;
    a->row_count = 0;
}

/* Row `row` of the batch predicts, too. What may come next there is d->allowed's to hold. */
static void add_row(decoder *d, active *a, int32_t row) {
    d->rows[d->row_count++] = row;
    a->row_count++;
}

static uint32_t *allowed_in(const decoder *d, int32_t row) {
    return d->allowed + (size_t)row * (size_t)d->words;
}

/* Fills the batch with prompts that are not read yet: whole ones as long as they fit, or one piece of one that never
 * will. */
static ttt_status gather_prompts(decoder *d, ttt_error *err) {
    for (int32_t i = 0; i < d->active_count; i++) {
        active *a = &d->active[i];
        const ttt_sequence *prompt = d->requests[a->request].prompt;
        const int32_t left = prompt->length - a->read, room = ttt_cached_batch_room(&d->batch);
        begin_rows(d, a);
        if (left == 0 || (left > room && d->batch.batch.tokens > 0)) continue;
        const int32_t end = ttt_piece_end(prompt, a->read, room);
        if (end == a->read) return look_ahead(d, a->request, a->read, err);
        TTT_TRY(ttt_cached_batch_add(&d->batch, a->handle, prompt, a->read, end, 0, err));
        a->read = end;
        if (end < prompt->length) continue;
        memcpy(allowed_in(d, d->row_count), a->allowed, (size_t)d->words * sizeof *d->allowed);
        add_row(d, a, d->batch.batch.tokens - 1);
    }
    return TTT_OK;
}

/* Tokens that the answer could get beyond the next one. */
static int32_t room_to_guess(const decoder *d, const active *a) {
    const ttt_decode_request *request = &d->requests[a->request];
    const int32_t count = d->answers[a->request].count, share = d->max_rows / d->active_count - 1;
    const int32_t room = smaller(request->max_tokens - count, d->context - request->prompt->length - count) - 1;
    return smaller(a->reach, smaller(room, share));
}

/* Asks for a guess and puts it behind the active's first row, as far as the grammar goes along. */
static void add_guess(decoder *d, active *a, int32_t row) {
    const ttt_decode_grammar *grammar = &d->requests[a->request].grammar;
    const int32_t room = room_to_guess(d, a);
    const size_t words = (size_t)d->words;
    if (d->options->guess == NULL || grammar->state_bytes == 0 || room < 1) return;
    const int32_t count = d->options->guess(d->options->context, a->request, &d->answers[a->request], d->guess, room);
    memcpy(d->state, grammar->state, grammar->state_bytes);
    for (int32_t i = 0; i < count; i++) {
        const int32_t id = d->guess[i], next = d->row_count;
        if (id < 0 || id >= d->vocabulary || !(allowed_in(d, next - 1)[id / 32] >> id % 32 & 1)) break;
        memset(allowed_in(d, next), 0, words * sizeof *d->allowed);
        /* A token that ends the answer needs no row: nothing comes after it. */
        if (!grammar->advance(grammar->state, id, d->positions + (size_t)next * (size_t)d->axes, allowed_in(d, next)))
            break;
        d->ids[next] = id;
        add_row(d, a, row + a->row_count);
    }
    memcpy(grammar->state, d->state, grammar->state_bytes);
}

/* One row for every answer under way, and behind it what is guessed to follow. */
static ttt_status gather_tokens(decoder *d, ttt_error *err) {
    const size_t words = (size_t)d->words, axes = (size_t)d->axes;
    for (int32_t i = 0; i < d->active_count; i++) {
        active *a = &d->active[i];
        const int32_t length = ttt_kv_cache_length(d->cache, a->handle), row = d->batch.batch.tokens;
        begin_rows(d, a);
        d->ids[d->row_count] = a->id;
        memcpy(d->positions + (size_t)d->row_count * axes, a->position, axes * sizeof *d->positions);
        memcpy(allowed_in(d, d->row_count), a->allowed, words * sizeof *d->allowed);
        add_row(d, a, row);
        add_guess(d, a, row);
        const ttt_sequence tokens = {.length = a->row_count,
                                     .axes = d->axes,
                                     .ids = d->ids + a->first_row,
                                     .positions = d->positions + (size_t)a->first_row * axes,
                                     .kv_high = d->kv_high};
        TTT_TRY(ttt_cached_batch_add(&d->batch, a->handle, &tokens, 0, a->row_count, length, err));
    }
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

/* Takes what the rows of an active say, up to the first that contradicts the guess; an answer that ends leaves. */
static ttt_status take(decoder *d, int32_t place, ttt_error *err) {
    active *a = &d->active[place];
    const size_t request = a->request;
    const ttt_decode_grammar *grammar = &d->requests[request].grammar;
    const int32_t end_row = a->first_row + a->row_count;
    bool right = true;
    for (int32_t row = a->first_row; right && row < end_row; row++) {
        const float *says = d->log_probabilities + (size_t)row * (size_t)d->vocabulary;
        const int32_t next = grammar->choose == NULL ? ttt_most_probable(says, d->vocabulary)
                                                     : grammar->choose(grammar->state, says, d->vocabulary);
        if (!isfinite(says[next])) {
            return ttt_fail(err, TTT_ERROR_ARGUMENT, "request %zu: the model's probabilities are not finite numbers",
                            request);
        }
        ttt_decode_end end;
        if (!append(d, a, next, says[next], &end)) {
            leave(d, place, end);
            return TTT_OK;
        }
        right = row + 1 == end_row || next == d->ids[row + 1];
    }
    if (a->row_count > 1) a->reach = right ? smaller(2 * a->reach, d->max_rows) : GUESS_FIRST;
    ttt_kv_cache_truncate(d->cache, a->handle, d->requests[request].prompt->length + d->answers[request].count - 1);
    return TTT_OK;
}

/* Runs the batch; answers get the tokens that its rows predict. */
static ttt_status run(decoder *d, ttt_error *err) {
    ttt_buffer *final;
    TTT_TRY(ttt_cached_batch_run(&d->batch, &final, err));
    if (d->row_count == 0) return TTT_OK;
    TTT_TRY(d->session->ops->next_log_probabilities(d->session->activations->workspace, &d->session->network.output,
                                                    final, d->row_count, d->rows, d->allowed, d->log_probabilities,
                                                    err));
    /* From the last to the first: what moves into a place that becomes free has been seen to already. */
    for (int32_t i = d->active_count - 1; i >= 0; i--) {
        if (d->active[i].row_count > 0) TTT_TRY(take(d, i, err));
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
        ttt_cached_batch_clear(&d->batch);
        d->row_count = 0;
        TTT_TRY(gather_prompts(d, err));
        if (d->batch.batch.tokens == 0) TTT_TRY(gather_tokens(d, err));
        TTT_TRY(run(d, err));
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
