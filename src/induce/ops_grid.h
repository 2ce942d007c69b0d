/* What the operations on whole grids share: results shaped like an argument, boxes, counting colours, panels.
 *
 * These operations may return their argument, or a mask of no cell or of all: what changes nothing in one example of a
 * task, or one piece of a list, may be needed in the next. The search drops values that say nothing anywhere. */
#ifndef TTT_INDUCE_OPS_GRID_H
#define TTT_INDUCE_OPS_GRID_H

#include "induce/operations.h"

#include <string.h>

static inline const ttt_piece *piece_of(const ttt_value *const *arguments, int index) {
    return &arguments[index]->pieces[0];
}

/* A result of zeros that lies where `from` lies. */
static inline bool grid_like(ttt_scratch *scratch, const ttt_piece *from, ttt_value *result) {
    return ttt_value_new_grid(scratch, from->row, from->column, from->height, from->width, result);
}
static inline bool mask_like(ttt_scratch *scratch, const ttt_piece *from, ttt_value *result) {
    return ttt_value_new_mask(scratch, from->row, from->column, from->height, from->width, result);
}
/* A result to be changed here and there. */
static inline bool grid_copy(ttt_scratch *scratch, const ttt_piece *from, ttt_value *result) {
    if (!grid_like(scratch, from, result)) return false;
    memcpy(result->pieces[0].cells, from->cells, (size_t)ttt_piece_area(from));
    return true;
}

static inline bool same_size(const ttt_piece *a, const ttt_piece *b) {
    return a->height == b->height && a->width == b->width;
}

typedef struct ttt_box {
    int top, left, height, width;
} ttt_box;
/* The part of a piece that `box` holds, where it lies. */
bool ttt_piece_cut(ttt_scratch *scratch, const ttt_piece *from, ttt_box box, ttt_piece *piece);
bool ttt_piece_cut_grid(ttt_scratch *scratch, const ttt_piece *from, ttt_box box, ttt_value *result);
/* Of the cells that are not 0; false when there is none. */
bool ttt_piece_content(const ttt_piece *piece, ttt_box *box);

/* counts[c] = cells of colour c. */
static inline void count_colours(const ttt_piece *piece, int counts[TTT_COLOURS]) {
    memset(counts, 0, TTT_COLOURS * sizeof *counts);
    for (int i = 0; i < ttt_piece_area(piece); i++) counts[piece->cells[i]]++;
}
/* Colours 1..9 that occur, most frequent first; equally frequent ones in the order of their first cells. Returns how
 * many. */
int ttt_piece_rank_colours(const ttt_piece *piece, int counts[TTT_COLOURS], int order[TTT_COLOURS]);

/* Lines that separate panels: whole rows and columns of one colour that is not 0, the one with most such lines. */
typedef struct ttt_layout {
    uint8_t colour;
    int down, across; /* panels */
    uint8_t row_start[TTT_PIECE_SIDE], row_end[TTT_PIECE_SIDE];
    uint8_t column_start[TTT_PIECE_SIDE], column_end[TTT_PIECE_SIDE];
} ttt_layout;
/* False where no line separates two panels. */
bool ttt_panels_find(const ttt_piece *piece, ttt_layout *layout);

#endif
