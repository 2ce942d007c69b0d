/* The elementary operations on grids. Everything else about transforms is made of these. */
#include "arc/grid.h"

#include "base/random.h"

#include <assert.h>
#include <string.h>

/* A grid of the given shape whose cells the caller is about to write. */
static void grid_shape(ttt_grid *grid, int height, int width) {
    grid->height = (uint8_t)height;
    grid->width = (uint8_t)width;
}

ttt_grid ttt_grid_filled(int height, int width, uint8_t colour) {
    assert(height >= 0 && height <= TTT_GRID_MAX && width >= 0 && width <= TTT_GRID_MAX);
    ttt_grid grid = {0};
    grid_shape(&grid, height, width);
    memset(grid.cells, colour, (size_t)height * (size_t)width);
    return grid;
}

bool ttt_grid_equal(const ttt_grid *a, const ttt_grid *b) {
    return a->height == b->height && a->width == b->width && memcmp(a->cells, b->cells, (size_t)ttt_grid_area(a)) == 0;
}

uint64_t ttt_grid_hash(uint64_t hash, const ttt_grid *grid) {
    const uint8_t shape[2] = {grid->height, grid->width};
    return ttt_hash(ttt_hash(hash, shape, sizeof shape), grid->cells, (size_t)ttt_grid_area(grid));
}

uint16_t ttt_grid_colours(const ttt_grid *grid) {
    unsigned used = 0;
    for (int i = 0; i < ttt_grid_area(grid); i++) used |= 1u << grid->cells[i];
    return (uint16_t)used;
}

void ttt_grid_transpose(const ttt_grid *grid, ttt_grid *out) {
    grid_shape(out, grid->width, grid->height);
    for (int r = 0; r < out->height; r++)
        for (int c = 0; c < out->width; c++) ttt_grid_set(out, r, c, ttt_grid_at(grid, c, r));
}

void ttt_grid_flip(const ttt_grid *grid, int axis, ttt_grid *out) {
    grid_shape(out, grid->height, grid->width);
    for (int r = 0; r < out->height; r++)
        for (int c = 0; c < out->width; c++) {
            const int from_row = axis == 0 ? grid->height - 1 - r : r;
            const int from_column = axis == 1 ? grid->width - 1 - c : c;
            ttt_grid_set(out, r, c, ttt_grid_at(grid, from_row, from_column));
        }
}

void ttt_grid_rotate(const ttt_grid *grid, int quarter_turns, ttt_grid *out) {
    const int h = grid->height, w = grid->width;
    assert(quarter_turns >= 0 && quarter_turns < 4);
    grid_shape(out, quarter_turns % 2 ? w : h, quarter_turns % 2 ? h : w);
    for (int r = 0; r < out->height; r++)
        for (int c = 0; c < out->width; c++) {
            uint8_t cell = 0;
            switch (quarter_turns) {
            case 0: cell = ttt_grid_at(grid, r, c); break;
            case 1: cell = ttt_grid_at(grid, c, w - 1 - r); break;
            case 2: cell = ttt_grid_at(grid, h - 1 - r, w - 1 - c); break;
            case 3: cell = ttt_grid_at(grid, h - 1 - c, r); break;
            }
            ttt_grid_set(out, r, c, cell);
        }
}

void ttt_grid_shift(const ttt_grid *grid, int rows, int columns, ttt_grid *out) {
    assert(rows >= 0 && columns >= 0);
    grid_shape(out, grid->height, grid->width);
    for (int r = 0; r < grid->height; r++)
        for (int c = 0; c < grid->width; c++)
            ttt_grid_set(out, (r + rows) % grid->height, (c + columns) % grid->width, ttt_grid_at(grid, r, c));
}

/* Whether a grid `rows` times as tall and `columns` times as wide is still a grid. */
static bool fits_when_multiplied(const ttt_grid *grid, int rows, int columns) {
    return rows >= 1 && columns >= 1 && grid->height * rows <= TTT_GRID_MAX && grid->width * columns <= TTT_GRID_MAX;
}

bool ttt_grid_scale(const ttt_grid *grid, int rows, int columns, ttt_grid *out) {
    if (!fits_when_multiplied(grid, rows, columns)) return false;
    grid_shape(out, grid->height * rows, grid->width * columns);
    for (int r = 0; r < out->height; r++)
        for (int c = 0; c < out->width; c++) ttt_grid_set(out, r, c, ttt_grid_at(grid, r / rows, c / columns));
    return true;
}

bool ttt_grid_tile(const ttt_grid *grid, int rows, int columns, ttt_grid *out) {
    if (!fits_when_multiplied(grid, rows, columns)) return false;
    grid_shape(out, grid->height * rows, grid->width * columns);
    for (int r = 0; r < out->height; r++)
        for (int c = 0; c < out->width; c++)
            ttt_grid_set(out, r, c, ttt_grid_at(grid, r % grid->height, c % grid->width));
    return true;
}

bool ttt_grid_join(const ttt_grid *a, const ttt_grid *b, int axis, ttt_grid *out) {
    const int height = axis == 0 ? a->height + b->height : a->height;
    const int width = axis == 1 ? a->width + b->width : a->width;
    if (height > TTT_GRID_MAX || width > TTT_GRID_MAX) return false;
    if (axis == 0 ? a->width != b->width : a->height != b->height) return false;
    grid_shape(out, height, width);
    for (int r = 0; r < height; r++)
        for (int c = 0; c < width; c++) {
            const bool in_a = r < a->height && c < a->width;
            const int row = axis == 0 && !in_a ? r - a->height : r;
            const int column = axis == 1 && !in_a ? c - a->width : c;
            ttt_grid_set(out, r, c, ttt_grid_at(in_a ? a : b, row, column));
        }
    return true;
}
