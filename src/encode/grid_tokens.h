/* Grid tokens: a puzzle as sixteen kinds of tokens with coordinates, in place of text.
 *
 *   task start | begin input, rows, grid end | begin output, rows, grid end | begin input ... | begin output, answer
 *
 * A grid of h x w cells is h·w colour tokens, a row end after each row but the last, and a grid end in place of the
 * last row end: h·(w+1) tokens, one more with its begin mark. Coordinates lie on the axes row, column, grid, where
 * grid = 2·slot + role (role 0 input, 1 output; the slot is the pair's number, or one drawn at random, see below):
 *   cell (r, c)        (r, c)         begin mark   (0, -1)
 *   end of row r       (r+1, -1)      grid end     (h, -1)      task start   (0, -1, 0)
 * so that "the next cell" always lies one column on, "the cell above" one row up. How a model wants it is in the
 * "encoding" object of its config.json:
 *   "vocabulary": "grid-1"
 *   "axes": ["row", "column", "grid"] or ["row", "column", "pair", "role"] (slot and role on axes of their own)
 *   "mask": "input": the tokens of an input grid, begin mark to grid end, see all of their own grid; "causal": not */
#ifndef TTT_ENCODE_GRID_TOKENS_H
#define TTT_ENCODE_GRID_TOKENS_H

#include "arc/task.h"
#include "base/random.h"
#include "model/config.h"
#include "model/sequence.h"

enum {
    TTT_TOKEN_ROW_END = 10, /* 0..9 are the colours */
    TTT_TOKEN_BEGIN_INPUT,
    TTT_TOKEN_BEGIN_OUTPUT,
    TTT_TOKEN_GRID_END,
    TTT_TOKEN_TASK_START,
    TTT_TOKEN_SPARE,
    TTT_GRID_VOCABULARY,
    /* Numbers that pairs can have. A model sees all of them in training (drawn at random), so that a task with many
     * demonstrations has no unseen positions. One example holds at most this many pairs, question included. */
    TTT_PAIR_SLOTS = 16,
    TTT_EXAMPLE_DEMONSTRATIONS = TTT_PAIR_SLOTS - 1,
    TTT_ANSWER_TOKENS = TTT_GRID_MAX * (TTT_GRID_MAX + 1) /* the longest answer, its grid end included */
};

typedef struct ttt_encoding {
    int32_t axes;      /* 3, or 4 with a role of its own */
    bool inputs_whole; /* mask "input" */
} ttt_encoding;

/* Ours for a new model: three axes, mask "input". */
ttt_encoding ttt_encoding_default(void);
/* From config->encoding; a model without one, of another vocabulary, or whose number of axes differs is an error that
 * begins with `where` (the model's path). */
ttt_status ttt_encoding_read(const ttt_model_config *config, const char *where, ttt_encoding *encoding, ttt_error *err);
/* The "encoding" object; new reference, NULL when memory is out. */
json_t *ttt_encoding_to_json(const ttt_encoding *encoding);

/* Which outputs carry loss. The question's output always does. */
typedef struct ttt_encode_loss {
    int32_t first_output; /* demonstrations from this one on: 1 is the method's (the second), 0 counts all */
    bool inputs;          /* and the cells of input grids (only where the mask is causal: else they see themselves) */
} ttt_encode_loss;

/* Slots of the pairs of an example, increasing. */
typedef struct ttt_slots {
    uint8_t of[TTT_PAIR_SLOTS]; /* demonstrations in order, then the question */
} ttt_slots;
ttt_slots ttt_slots_plain(void); /* 0, 1, 2, ... */
/* `count` of the slots drawn at random, count <= TTT_PAIR_SLOTS. */
ttt_slots ttt_slots_random(ttt_random *random, size_t count);

/* Tokens of a grid with its begin mark; of a pair; of a prompt (no answer); of a whole example. */
int32_t ttt_grid_tokens(const ttt_grid *grid);
int32_t ttt_pair_tokens(const ttt_pair *pair);
int32_t ttt_prompt_tokens(const ttt_pair *demonstrations, size_t count, const ttt_grid *input);
int32_t ttt_example_tokens(const ttt_pair *demonstrations, size_t count, const ttt_pair *question);
/* How many of the demonstrations, first ones first, an example of at most `limit` tokens can show (and at most
 * TTT_EXAMPLE_DEMONSTRATIONS); -1: not even the question alone fits. */
int ttt_example_fitting(int32_t limit, const ttt_pair *demonstrations, size_t count, const ttt_pair *question);

/* A whole example for training: *sequence is cleared, grown where needed and filled, with targets. `slots` NULL: plain.
 * More than TTT_EXAMPLE_DEMONSTRATIONS demonstrations, or loss on inputs without the causal mask, is an error. */
ttt_status ttt_encode_example(const ttt_encoding *encoding, const ttt_pair *demonstrations, size_t count,
                              const ttt_pair *question, const ttt_slots *slots, const ttt_encode_loss *loss,
                              ttt_sequence *sequence, ttt_error *err);
/* A prompt for decoding: ends with the question's begin-output mark, whose row predicts the answer's first token. */
ttt_status ttt_encode_prompt(const ttt_encoding *encoding, const ttt_pair *demonstrations, size_t count,
                             const ttt_grid *input, const ttt_slots *slots, ttt_sequence *sequence, ttt_error *err);
/* An answer that continues a prompt with `count` demonstrations, for ttt_decode_score: its tokens with positions, each
 * but the last with the next one as target; the answer's first token is *first_target, the prompt's to predict. */
ttt_status ttt_encode_answer(const ttt_encoding *encoding, const ttt_grid *answer, size_t count, const ttt_slots *slots,
                             ttt_sequence *sequence, int32_t *first_target, ttt_error *err);

/* The position of a token within a grid: fills [encoding->axes]. */
void ttt_encode_position(const ttt_encoding *encoding, int32_t row, int32_t column, int32_t slot, int32_t role,
                         int32_t *position);

#endif
