/* The grammar of an answer in text: of all the ways to write, only the format's own, and only a legal grid.
 *
 * A grid is written in moves: the first cell (with what begins a grid), another cell of the row, the first cell of
 * the next row, the end. A move is a fixed sequence of tokens, so the tokens that may come next are those of the moves
 * that are legal and agree with what was written of the move so far. */
#ifndef TTT_ENCODE_TEXT_GRAMMAR_H
#define TTT_ENCODE_TEXT_GRAMMAR_H

#include "arc/grid.h"
#include "model/decode.h"
#include "model/tokenizer.h"

enum {
    TTT_MOVE_FIRST = 0,             /* + colour */
    TTT_MOVE_NEXT = TTT_COLOURS,    /* + colour */
    TTT_MOVE_ROW = 2 * TTT_COLOURS, /* + colour */
    TTT_MOVE_END = 3 * TTT_COLOURS,
    TTT_MOVE_COUNT
};

/* Move m is ids.items[end[m - 1] .. end[m]). */
typedef struct ttt_text_moves {
    ttt_ids ids; /* owned */
    size_t end[TTT_MOVE_COUNT];
} ttt_text_moves;
/* Of moves that may come at one place none may be empty, equal to another or begin another: else a token could not be
 * told to end a move. False: they cannot be told apart; *a and *b are the culprits. */
bool ttt_text_moves_distinct(const ttt_text_moves *moves, int *a, int *b);

/* The state of one answer under way; a plain value. One per request, alive while it is decoded. */
typedef struct ttt_text_grammar {
    const ttt_text_moves *moves; /* borrowed */
    int32_t start;               /* position of the answer's first token */
    int32_t tokens;              /* so far */
    int32_t row, column, width;  /* where the next cell goes; width is 0 until the first row has ended */
    uint32_t live;               /* bits of the moves that the tokens of the move under way allow */
    size_t matched;              /* tokens of that move so far */
} ttt_text_grammar;

void ttt_text_grammar_init(ttt_text_grammar *grammar, const ttt_text_moves *moves, int32_t start);
/* Callbacks over *grammar, which is borrowed; `begin` starts it anew. */
ttt_decode_grammar ttt_text_grammar_callbacks(ttt_text_grammar *grammar);

/* The grid that complete ids spell; false when they are not a legal answer. */
bool ttt_grid_from_moves(const ttt_text_moves *moves, const int32_t *ids, int32_t count, ttt_grid *grid);

#endif
