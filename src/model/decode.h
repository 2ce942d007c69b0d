/* Decoding: many answers at once under a grammar, and scoring of given answers. Sequences enter the batch as others
 * leave it; a row's bits do not depend on its batch, so neither does an answer. */
#ifndef TTT_MODEL_DECODE_H
#define TTT_MODEL_DECODE_H

#include "base/clock.h"
#include "model/kv_cache.h"
#include "model/session.h"

/* The grammar of one answer, as callbacks over the caller's state. */
typedef struct ttt_decode_grammar {
    void *state;
    /* Sets the bits of the ids that may come first, [(V+31)/32] words, zeroed before the call; at least one. */
    void (*begin)(void *state, uint32_t *allowed);
    /* Token `id` was appended. Returns false when the answer is complete with it; otherwise fills the position of that
     * token [axes] and the ids that may come next (words zeroed before the call). */
    bool (*advance)(void *state, int32_t id, int32_t *position, uint32_t *allowed);
    size_t state_bytes; /* of a state that may be copied byte by byte; 0: it may not, and nothing is guessed */
    /* Which of the allowed ids comes next, given all log-probabilities [V] (-INFINITY: not allowed). NULL: the most
     * probable, of equals the one with the lowest id. */
    int32_t (*choose)(void *state, const float *log_probabilities, int32_t vocabulary);
} ttt_decode_grammar;

typedef struct ttt_decode_request {
    const ttt_sequence *prompt; /* borrowed, not empty; its last row predicts the answer's first token */
    ttt_decode_grammar grammar;
    int32_t max_tokens; /* of the answer, at least 1 */
} ttt_decode_request;

typedef enum ttt_decode_end {
    TTT_DECODE_COMPLETE,   /* the grammar said so */
    TTT_DECODE_TOO_LONG,   /* max_tokens or the context was reached (by the prompt alone: no tokens) */
    TTT_DECODE_OUT_OF_TIME /* deadline or stop flag */
} ttt_decode_end;

typedef struct ttt_decode_answer {
    ttt_decode_end end;
    int32_t count;          /* tokens of the answer, its last one included */
    int32_t *ids;           /* [count] owned; ttt_decode_answer_release. Unfinished answers keep what they have */
    double log_probability; /* sum over the answer's tokens, each under the grammar's mask */
} ttt_decode_answer;
void ttt_decode_answer_release(ttt_decode_answer *answer); /* zeroes it, too */

typedef struct ttt_decode_options {
    int32_t max_batch; /* sequences decoded side by side, at most; the session's and the cache's limits also hold */
    double deadline;   /* ttt_clock_seconds at which to stop, 0: none */
    const ttt_stop_flag *stop;
    /* Reports each answer once, as soon as it ends in whatever way; may be NULL. It may bring the deadline forward. */
    void (*finished)(void *context, size_t request, const ttt_decode_answer *answer);
    /* Guesses how an answer goes on behind the ids it has: fills ids[0 .. room), returns how many. What is guessed is
     * verified in one pass (speculative decoding: Leviathan et al., arXiv 2211.17192): answers are the same to the bit,
     * right guesses make them come sooner. NULL: nothing is guessed. */
    int32_t (*guess)(void *context, size_t request, const ttt_decode_answer *answer, int32_t *ids, int32_t room);
    void *context;
} ttt_decode_options;

/* Answers to all requests, in answers[i] for requests[i], token by token as their grammars choose. The cache must be of
 * the session's model; what it holds already stays, what is added is removed again. A request enters when the cache has
 * the pages for its prompt and its longest answer. Prompts are read in batches of up to the session's max_tokens; a
 * longer prompt in pieces that no look-ahead crosses; one that several requests in a row point to is read once, and
 * takes its pages once. Running out of time is no error: the answers say so. Errors: an empty prompt, ids outside the
 * vocabulary, a look-ahead block longer than max_tokens, a request that the whole cache cannot hold. Then no answer is
 * owned. */
ttt_status ttt_decode(ttt_session *session, ttt_kv_cache *cache, const ttt_decode_request *requests, size_t count,
                      const ttt_decode_options *options, ttt_decode_answer *answers, ttt_error *err);

/* Scores given answers: each candidate is a sequence of tokens that continues the prompt (its positions set; its
 * targets say which next tokens count, the prompt's last row counting for the candidate's first token by
 * `first_target` >= 0). The prompt's pass is shared by its candidates. log_probabilities[c] = sum over counted targets,
 * unmasked. Stops early at the deadline with *done candidates scored (in order). Of the options only deadline and stop
 * count. A candidate may be empty: then only its first target is scored. Errors as of
 * ttt_decode, and a candidate that leaves the context. */
ttt_status ttt_decode_score(ttt_session *session, ttt_kv_cache *cache, const ttt_sequence *prompt,
                            const ttt_sequence *candidates, const int32_t *first_target, size_t count,
                            const ttt_decode_options *options, double *log_probabilities, size_t *done, ttt_error *err);

#endif
