/* Scoring given answers: the prompt is read once, every candidate continues on a fork of it. */
#include "model/decode.h"

#include "base/memory.h"
#include "model/cached_batch.h"

#include <assert.h>
#include <math.h>

/* Candidates of one batch lie side by side in it, in order. */
typedef struct scorer {
    ttt_session *session;
    ttt_kv_cache *cache;
    const ttt_sequence *candidates;
    ttt_cached_batch batch;
    ttt_kv_sequence prompt;
    int32_t prompt_length;
    ttt_kv_sequence *forks; /* [max_sequences] of the candidates in the batch */
    int32_t fork_count;
    float *log_probabilities; /* [V] after the prompt */
    /* Counted targets of the batch, [max_tokens]. */
    int32_t counted, *rows, *targets;
    size_t *whose; /* the candidate */
    float *scale, *loss;
} scorer;

static ttt_status scorer_start(scorer *s, ttt_error *err) {
    const size_t tokens = (size_t)s->session->options.max_tokens;
    s->prompt = -1;
    s->forks = ttt_allocate((size_t)s->session->options.max_sequences, sizeof *s->forks);
    s->log_probabilities =
        ttt_allocate((size_t)ttt_model_get_config(s->session->model)->vocabulary, sizeof *s->log_probabilities);
    s->rows = ttt_allocate(tokens, sizeof *s->rows);
    s->targets = ttt_allocate(tokens, sizeof *s->targets);
    s->whose = ttt_allocate(tokens, sizeof *s->whose);
    s->scale = ttt_allocate(tokens, sizeof *s->scale);
    s->loss = ttt_allocate(tokens, sizeof *s->loss);
    if (s->forks == NULL || s->log_probabilities == NULL || s->rows == NULL || s->targets == NULL || s->whose == NULL ||
        s->scale == NULL || s->loss == NULL) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for scoring candidates");
    }
    TTT_TRY(ttt_cached_batch_init(&s->batch, s->session, s->cache, err));
    s->prompt = ttt_kv_cache_begin(s->cache);
    return s->prompt >= 0 ? TTT_OK
                          : ttt_fail(err, TTT_ERROR_ARGUMENT, "the key/value cache has no free sequence to score with");
}

static void end_forks(scorer *s) {
    for (int32_t i = 0; i < s->fork_count; i++) ttt_kv_cache_end(s->cache, s->forks[i]);
    s->fork_count = 0;
}

static void scorer_release(scorer *s) {
    end_forks(s);
    if (s->prompt >= 0) ttt_kv_cache_end(s->cache, s->prompt);
    ttt_cached_batch_release(&s->batch);
    ttt_free(s->forks);
    ttt_free(s->log_probabilities);
    ttt_free(s->rows);
    ttt_free(s->targets);
    ttt_free(s->whose);
    ttt_free(s->scale);
    ttt_free(s->loss);
}

static void clear(scorer *s) {
    ttt_cached_batch_clear(&s->batch);
    s->counted = 0;
}

static ttt_status fail_look_ahead(const scorer *s, int32_t first, ttt_error *err) {
    return ttt_fail(err, TTT_ERROR_ARGUMENT, "tokens from %d on see ahead over more than the %d tokens of a batch",
                    first, s->session->options.max_tokens);
}

/* Reads the prompt piece by piece; *ended is set when time runs out before its end. */
static ttt_status read_prompt(scorer *s, const ttt_sequence *prompt, const ttt_decode_options *options, bool *ended,
                              ttt_error *err) {
    ttt_buffer *final = NULL;
    int32_t last_row = 0;
    *ended = false;
    for (int32_t first = 0, end; first < prompt->length; first = end) {
        *ended = ttt_decode_out_of_time(options);
        if (*ended) return TTT_OK;
        clear(s);
        end = ttt_piece_end(prompt, first, ttt_cached_batch_room(&s->batch));
        if (end == first) return fail_look_ahead(s, first, err);
        TTT_TRY(ttt_cached_batch_add(&s->batch, s->prompt, prompt, first, end, 0, err));
        TTT_TRY(ttt_cached_batch_run(&s->batch, &final, err));
        last_row = end - first - 1;
    }
    s->prompt_length = prompt->length;
    return s->session->ops->next_log_probabilities(s->session->activations->workspace, &s->session->network.output,
                                                   final, 1, &last_row, NULL, s->log_probabilities, err);
}

/* Puts the piece [first, end) of a candidate on its fork into the batch. */
static ttt_status add_piece(scorer *s, ttt_kv_sequence fork, size_t candidate, int32_t first, int32_t end,
                            ttt_error *err) {
    const ttt_sequence *tokens = &s->candidates[candidate];
    const int32_t row = s->batch.batch.tokens;
    TTT_TRY(ttt_cached_batch_add(&s->batch, fork, tokens, first, end, s->prompt_length, err));
    for (int32_t t = first; t < end; t++) {
        if (tokens->targets[t] < 0) continue;
        s->rows[s->counted] = row + t - first;
        s->targets[s->counted] = tokens->targets[t];
        s->whose[s->counted] = candidate;
        s->scale[s->counted++] = 1;
    }
    return TTT_OK;
}

/* Runs the batch and adds the log-probabilities of its targets to their candidates. */
static ttt_status run(scorer *s, double *log_probabilities, ttt_error *err) {
    ttt_buffer *final;
    TTT_TRY(ttt_cached_batch_run(&s->batch, &final, err));
    if (s->counted == 0) return TTT_OK;
    TTT_TRY(s->session->ops->loss(s->session->activations->workspace, &s->session->network.output, final, s->counted,
                                  s->rows, s->targets, s->scale, s->loss, NULL, err));
    for (int32_t i = 0; i < s->counted; i++) log_probabilities[s->whose[i]] -= (double)s->loss[i];
    return TTT_OK;
}

/* A candidate longer than a batch, in pieces, alone. */
static ttt_status score_in_pieces(scorer *s, size_t candidate, double *log_probabilities, ttt_error *err) {
    const ttt_sequence *tokens = &s->candidates[candidate];
    TTT_TRY(ttt_kv_cache_fork(s->cache, s->prompt, &s->forks[0], err));
    s->fork_count = 1;
    for (int32_t first = 0, end; first < tokens->length; first = end) {
        clear(s);
        end = ttt_piece_end(tokens, first, ttt_cached_batch_room(&s->batch));
        if (end == first) return fail_look_ahead(s, first, err);
        TTT_TRY(add_piece(s, s->forks[0], candidate, first, end, err));
        TTT_TRY(run(s, log_probabilities, err));
    }
    return TTT_OK;
}

/* As many whole candidates from `first` on as fit into one batch, and into the cache; *next is the one after. */
static ttt_status score_batch(scorer *s, size_t first, size_t count, double *log_probabilities, size_t *next,
                              ttt_error *err) {
    clear(s);
    for (*next = first; *next < count; ++*next) {
        const ttt_sequence *tokens = &s->candidates[*next];
        if (tokens->length == 0) continue;
        if (tokens->length > ttt_cached_batch_room(&s->batch)) break;
        ttt_kv_sequence fork;
        ttt_status status = ttt_kv_cache_fork(s->cache, s->prompt, &fork, err);
        if (status == TTT_OK) {
            status = add_piece(s, fork, *next, 0, tokens->length, err);
            if (status != TTT_OK) ttt_kv_cache_end(s->cache, fork);
        }
        /* A full cache ends the batch; it is an error only where not even one candidate fits. */
        if (status == TTT_ERROR_MEMORY && s->fork_count > 0) break;
        if (status != TTT_OK) return status;
        s->forks[s->fork_count++] = fork;
    }
    return s->batch.batch.tokens > 0 ? run(s, log_probabilities, err) : TTT_OK;
}

static ttt_status score_all(scorer *s, const int32_t *first_target, size_t count, const ttt_decode_options *options,
                            double *log_probabilities, size_t *done, ttt_error *err) {
    for (size_t c = 0; c < count; c++) log_probabilities[c] = (double)s->log_probabilities[first_target[c]];
    while (*done < count && !ttt_decode_out_of_time(options)) {
        size_t next = *done + 1;
        const ttt_status status = s->candidates[*done].length > s->session->options.max_tokens
                                      ? score_in_pieces(s, *done, log_probabilities, err)
                                      : score_batch(s, *done, count, log_probabilities, &next, err);
        end_forks(s);
        TTT_TRY(status);
        *done = next;
    }
    return TTT_OK;
}

static ttt_status check_candidates(const ttt_session *session, const ttt_sequence *prompt,
                                   const ttt_sequence *candidates, const int32_t *first_target, size_t count,
                                   ttt_error *err) {
    const ttt_model_config *config = ttt_model_get_config(session->model);
    if (prompt->length < 1) return ttt_fail(err, TTT_ERROR_ARGUMENT, "the prompt of candidates to be scored is empty");
    TTT_TRY(ttt_check_tokens(session, prompt, "the prompt", err));
    for (size_t c = 0; c < count; c++) {
        const ttt_status status = ttt_check_tokens(session, &candidates[c], "the candidate", err);
        if (status != TTT_OK) return ttt_fail_within(err, status, "candidate %zu", c);
        bool legal = first_target[c] >= 0 && first_target[c] < config->vocabulary;
        for (int32_t t = 0; t < candidates[c].length; t++)
            legal = legal && candidates[c].targets[t] < config->vocabulary;
        if (!legal) {
            return ttt_fail(err, TTT_ERROR_ARGUMENT, "candidate %zu has a target outside the vocabulary of %d", c,
                            config->vocabulary);
        }
        if (candidates[c].length > config->context - prompt->length) {
            return ttt_fail(err, TTT_ERROR_ARGUMENT,
                            "candidate %zu has %d tokens after %d of prompt, the context is %d", c,
                            candidates[c].length, prompt->length, config->context);
        }
    }
    return TTT_OK;
}

ttt_status ttt_decode_score(ttt_session *session, ttt_kv_cache *cache, const ttt_sequence *prompt,
                            const ttt_sequence *candidates, const int32_t *first_target, size_t count,
                            const ttt_decode_options *options, double *log_probabilities, size_t *done,
                            ttt_error *err) {
    *done = 0;
    TTT_TRY(check_candidates(session, prompt, candidates, first_target, count, err));
    scorer s = {.session = session, .cache = cache, .candidates = candidates};
    bool ended = false;
    ttt_status status;
    TTT_TRY_OUT(scorer_start(&s, err));
    TTT_TRY_OUT(read_prompt(&s, prompt, options, &ended, err));
    if (!ended) status = score_all(&s, first_target, count, options, log_probabilities, done, err);
out:
    scorer_release(&s);
    return status;
}
