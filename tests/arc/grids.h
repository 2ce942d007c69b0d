/* Grids written as text, for the tests of this folder: "12/34" is two rows of two cells. */
#ifndef TTT_TESTS_ARC_GRIDS_H
#define TTT_TESTS_ARC_GRIDS_H

#include "support.h"

#include "arc/task.h"

#define ASSERT_GRID(grid, text)                                                                                        \
    do {                                                                                                               \
        char shown_[TTT_GRID_CELLS + TTT_GRID_MAX + 1];                                                                \
        assert_string_equal(grid_text((grid), shown_), (text));                                                        \
    } while (0)

static inline ttt_grid grid_of(const char *text) {
    ttt_grid grid = {0};
    int cells = 0;
    for (; *text; text++) {
        if (*text == '/') {
            grid.height++;
            continue;
        }
        grid.cells[cells++] = (uint8_t)(*text - '0');
    }
    grid.height++;
    grid.width = (uint8_t)(cells / grid.height);
    return grid;
}

static inline const char *grid_text(const ttt_grid *grid, char *text) {
    char *at = text;
    for (int r = 0; r < grid->height; r++) {
        if (r > 0) *at++ = '/';
        for (int c = 0; c < grid->width; c++) *at++ = (char)('0' + ttt_grid_at(grid, r, c));
    }
    *at = '\0';
    return text;
}

static inline ttt_pair pair_of(const char *input, const char *output) {
    return (ttt_pair){grid_of(input), grid_of(output)};
}

#endif
