/* A puzzle grid: a plain value, copied by assignment. Rows count downwards, columns to the right. */
#ifndef TTT_ARC_GRID_H
#define TTT_ARC_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TTT_GRID_MAX = 30, TTT_GRID_CELLS = TTT_GRID_MAX * TTT_GRID_MAX, TTT_COLOURS = 10 };

/* cells[row * width + column], each 0..9; cells beyond height * width are unspecified and never read. A grid from a
 * file is 1..30 by 1..30. A width or height of 0 occurs only where the reference's vote counts empty answers. */
typedef struct ttt_grid {
    uint8_t height, width;
    uint8_t cells[TTT_GRID_CELLS];
} ttt_grid;

/* height x width cells of one colour; sides must be 0..30 (asserted). */
ttt_grid ttt_grid_filled(int height, int width, uint8_t colour);

static inline uint8_t ttt_grid_at(const ttt_grid *grid, int row, int column) {
    return grid->cells[row * grid->width + column];
}
static inline void ttt_grid_set(ttt_grid *grid, int row, int column, uint8_t colour) {
    grid->cells[row * grid->width + column] = colour;
}
static inline int ttt_grid_area(const ttt_grid *grid) {
    return grid->height * grid->width;
}

bool ttt_grid_equal(const ttt_grid *a, const ttt_grid *b);
/* Chains like ttt_hash (start with TTT_HASH_START); equal grids have equal hashes. */
uint64_t ttt_grid_hash(uint64_t hash, const ttt_grid *grid);
/* Bit c is set when colour c occurs. */
uint16_t ttt_grid_colours(const ttt_grid *grid);

/* Elementary operations. `out` must not be `grid`. Those that return bool are false, with nothing written, when a
 * side of the result would exceed 30. */
void ttt_grid_transpose(const ttt_grid *grid, ttt_grid *out);
void ttt_grid_rotate(const ttt_grid *grid, int quarter_turns, ttt_grid *out); /* counter-clockwise, 0..3 */
void ttt_grid_flip(const ttt_grid *grid, int axis, ttt_grid *out);            /* 0: rows reversed, 1: columns */
/* Cell (r, c) goes to ((r + rows) mod height, (c + columns) mod width); rows, columns >= 0. */
void ttt_grid_shift(const ttt_grid *grid, int rows, int columns, ttt_grid *out);
/* Every cell becomes a block of `rows` x `columns` cells. */
bool ttt_grid_scale(const ttt_grid *grid, int rows, int columns, ttt_grid *out);
/* `rows` x `columns` copies of the grid. */
bool ttt_grid_tile(const ttt_grid *grid, int rows, int columns, ttt_grid *out);
/* `b` below `a` (axis 0; equal widths) or to the right of it (axis 1; equal heights); false when sides differ. */
bool ttt_grid_join(const ttt_grid *a, const ttt_grid *b, int axis, ttt_grid *out);

#endif
