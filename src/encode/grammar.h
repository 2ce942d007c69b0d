/* The grammar of an answer: only a legal grid can come out, 1..30 rows of equal width 1..30 and a grid end. */
#ifndef TTT_ENCODE_GRAMMAR_H
#define TTT_ENCODE_GRAMMAR_H

#include "encode/grid_tokens.h"
#include "model/decode.h"

/* The state of one answer under way; a plain value. One per request, alive while it is decoded. */
typedef struct ttt_grid_grammar {
    ttt_encoding encoding;
    int32_t slot;        /* of the question */
    int32_t row, column; /* where the next cell goes */
    int32_t width;       /* 0 until the first row has ended */
} ttt_grid_grammar;

/* For an answer to a prompt of `count` demonstrations encoded with `slots` (NULL: plain). */
void ttt_grid_grammar_init(ttt_grid_grammar *grammar, const ttt_encoding *encoding, size_t count,
                           const ttt_slots *slots);
/* Callbacks over *grammar, which is borrowed; `begin` starts it anew. */
ttt_decode_grammar ttt_grid_grammar_callbacks(ttt_grid_grammar *grammar);

/* The grid that complete ids (grid end included) spell; false when they are not a legal answer. */
bool ttt_grid_from_tokens(const int32_t *ids, int32_t count, ttt_grid *grid);
/* The other way: fills ids [TTT_ANSWER_TOKENS], returns their number. */
int32_t ttt_grid_to_tokens(const ttt_grid *grid, int32_t *ids);

#endif
