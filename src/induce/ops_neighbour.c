/* Operations of the family mask that look at neighbours: counting them, growing, what encloses what, distances. */
#include "induce/ops_grid.h"

/* Every cell becomes how many of its neighbours count; `step` 1 looks at eight, 2 at the four sides. */
static bool count_neighbours(ttt_scratch *scratch, const ttt_piece *from, int step, bool of_own_colour,
                             ttt_value *result) {
    if (!grid_like(scratch, from, result)) return false;
    uint8_t *to = result->pieces[0].cells;
    for (int r = 0; r < from->height; r++) {
        for (int c = 0; c < from->width; c++, to++) {
            const uint8_t own = ttt_piece_at(from, r, c);
            if (of_own_colour && own == 0) continue;
            for (int d = 0; d < TTT_DIRECTION_COUNT; d += step) {
                const uint8_t next = ttt_piece_look(from, r + ttt_direction_rows(d), c + ttt_direction_columns(d));
                *to += of_own_colour ? next == own : next != 0;
            }
        }
    }
    return true;
}

bool ttt_op_count_sides(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return count_neighbours(scratch, piece_of(arguments, 0), 2, false, result);
}

bool ttt_op_count_around(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return count_neighbours(scratch, piece_of(arguments, 0), 1, false, result);
}

bool ttt_op_count_own_sides(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return count_neighbours(scratch, piece_of(arguments, 0), 2, true, result);
}

bool ttt_op_count_own_around(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return count_neighbours(scratch, piece_of(arguments, 0), 1, true, result);
}

static bool grow(ttt_scratch *scratch, const ttt_piece *from, int step, ttt_value *result) {
    if (!mask_like(scratch, from, result)) return false;
    uint8_t *to = result->pieces[0].cells;
    for (int r = 0; r < from->height; r++) {
        for (int c = 0; c < from->width; c++, to++) {
            *to = ttt_piece_at(from, r, c);
            for (int d = 0; d < TTT_DIRECTION_COUNT && *to == 0; d += step) {
                *to = ttt_piece_look(from, r + ttt_direction_rows(d), c + ttt_direction_columns(d));
            }
        }
    }
    return true;
}

bool ttt_op_grow_mask(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return grow(scratch, piece_of(arguments, 0), 1, result);
}

bool ttt_op_grow_mask_sides(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return grow(scratch, piece_of(arguments, 0), 2, result);
}

/* ------------------------------------------------------------------------------------------- flooding */

/* Spreads over sides from the `depth` cells of `stack`, which are marked, through cells that are `open` and not
 * marked yet. The stack has room for every cell: each is pushed once. */
static void spread(const uint8_t *open, int height, int width, uint8_t *marked, int16_t *stack, int depth) {
    while (depth > 0) {
        const int at = stack[--depth], r = at / width, c = at % width;
        const int next[4] = {r > 0 ? at - width : -1, r < height - 1 ? at + width : -1, c > 0 ? at - 1 : -1,
                             c < width - 1 ? at + 1 : -1};
        for (int i = 0; i < 4; i++) {
            if (next[i] < 0 || !open[next[i]] || marked[next[i]]) continue;
            marked[next[i]] = 1;
            stack[depth++] = (int16_t)next[i];
        }
    }
}

/* The open cells from which no way over open cells leads to the border of the grid. */
static bool cut_off(ttt_scratch *scratch, const ttt_piece *from, const uint8_t *open, ttt_value *result) {
    const int area = ttt_piece_area(from);
    int depth = 0;
    uint8_t *free_cells = ttt_scratch_allocate(scratch, (size_t)area);
    int16_t *stack = ttt_scratch_allocate(scratch, (size_t)area * sizeof *stack);
    if (free_cells == NULL || stack == NULL || !mask_like(scratch, from, result)) return false;
    for (int i = 0; i < area; i++) {
        const int r = i / from->width, c = i % from->width;
        const bool at_border = r == 0 || c == 0 || r == from->height - 1 || c == from->width - 1;
        if (!at_border || !open[i]) continue;
        free_cells[i] = 1;
        stack[depth++] = (int16_t)i;
    }
    spread(open, from->height, from->width, free_cells, stack, depth);
    for (int i = 0; i < area; i++) result->pieces[0].cells[i] = open[i] && !free_cells[i];
    return true;
}

/* open[i]: cell i is 0. */
static uint8_t *zeros_of(ttt_scratch *scratch, const ttt_piece *from) {
    uint8_t *open = ttt_scratch_allocate(scratch, (size_t)ttt_piece_area(from));
    for (int i = 0; open != NULL && i < ttt_piece_area(from); i++) open[i] = from->cells[i] == 0;
    return open;
}

bool ttt_op_enclosed(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const uint8_t *open = zeros_of(scratch, piece_of(arguments, 0));
    return open != NULL && cut_off(scratch, piece_of(arguments, 0), open, result);
}

bool ttt_op_surrounded(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const uint8_t *open = zeros_of(scratch, piece_of(arguments, 0));
    return open != NULL && cut_off(scratch, piece_of(arguments, 0), open, result);
}

bool ttt_op_reached(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *through = piece_of(arguments, 0), *seeds = piece_of(arguments, 1);
    const int area = ttt_piece_area(through);
    int depth = 0;
    uint8_t *marked = ttt_scratch_allocate(scratch, (size_t)area);
    int16_t *stack = ttt_scratch_allocate(scratch, (size_t)area * sizeof *stack);
    if (marked == NULL || stack == NULL || !same_size(through, seeds) || !mask_like(scratch, through, result)) {
        return false;
    }
    for (int i = 0; i < area; i++) {
        if (!seeds->cells[i]) continue;
        marked[i] = 1;
        stack[depth++] = (int16_t)i;
    }
    spread(through->cells, through->height, through->width, marked, stack, depth);
    for (int i = 0; i < area; i++) result->pieces[0].cells[i] = marked[i] & through->cells[i];
    return true;
}

/* ------------------------------------------------------------------------------------------- distances */

enum { FAR = 9 };

static int least(int a, int b) {
    return a < b ? a : b;
}

/* Every cell becomes its distance, 9 at most, to the nearest cell that is 0 in `steps`, which holds 9 elsewhere:
 * a sweep from the first cell and one from the last are enough, since a shortest way never
 * turns back. Diagonal steps count when `diagonal`;
 * cells outside the grid hold `outside`. */
static void measure(ttt_piece *steps, bool diagonal, int outside) {
    const int h = steps->height, w = steps->width;
    for (int sweep = 0; sweep < 2; sweep++) {
        const int back = sweep == 0 ? -1 : 1;
        for (int i = 0; i < h * w; i++) {
            const int at = sweep == 0 ? i : h * w - 1 - i, r = at / w, c = at % w;
            int nearest = FAR;
            for (int k = 0; k < 4; k++) {
                static const int rows[4] = {1, 0, 1, 1}, columns[4] = {0, 1, 1, -1};
                if (k >= 2 && !diagonal) break;
                const int nr = r + back * rows[k], nc = c + back * columns[k];
                const bool inside = nr >= 0 && nc >= 0 && nr < h && nc < w;
                nearest = least(nearest, inside ? steps->cells[nr * w + nc] : outside);
            }
            steps->cells[at] = (uint8_t)least(steps->cells[at], least(nearest + 1, FAR));
        }
    }
}

bool ttt_op_depth(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    if (!grid_like(scratch, from, result)) return false;
    ttt_piece *to = &result->pieces[0];
    for (int i = 0; i < ttt_piece_area(from); i++) to->cells[i] = from->cells[i] == 0 ? 0 : FAR;
    measure(to, false, 0);
    return true;
}

bool ttt_op_distance(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *mask = piece_of(arguments, 0);
    if (!grid_like(scratch, mask, result)) return false;
    ttt_piece *to = &result->pieces[0];
    for (int i = 0; i < ttt_piece_area(mask); i++) to->cells[i] = mask->cells[i] ? 0 : FAR;
    measure(to, true, FAR);
    return true;
}

/* ------------------------------------------------------------------------------------------- runs */

/* Every cell that is not 0 becomes the length of the run of its colour along one axis, 9 at most. */
static bool runs(ttt_scratch *scratch, const ttt_piece *from, int lines, int line_step, int count, int step,
                 ttt_value *result) {
    if (!grid_like(scratch, from, result)) return false;
    for (int line = 0; line < lines; line++) {
        const uint8_t *cells = from->cells + line * line_step;
        uint8_t *to = result->pieces[0].cells + line * line_step;
        for (int i = 0, end; i < count; i = end) {
            for (end = i + 1; end < count && cells[end * step] == cells[i * step];) end++;
            for (int k = i; k < end && cells[i * step] != 0; k++) to[k * step] = (uint8_t)least(end - i, FAR);
        }
    }
    return true;
}

bool ttt_op_row_runs(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    return runs(scratch, from, from->height, from->width, from->width, 1, result);
}

bool ttt_op_column_runs(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    return runs(scratch, from, from->width, 1, from->height, from->width, result);
}

/* Every cell becomes the number of cells of its line that are not 0, 9 at most. */
bool ttt_op_row_counts(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    if (!grid_like(scratch, from, result)) return false;
    for (int r = 0; r < from->height; r++) {
        int count = 0;
        for (int c = 0; c < from->width; c++) count += ttt_piece_at(from, r, c) != 0;
        memset(result->pieces[0].cells + r * from->width, least(count, FAR), from->width);
    }
    return true;
}

bool ttt_op_column_counts(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    if (!grid_like(scratch, from, result)) return false;
    uint8_t *to = result->pieces[0].cells;
    for (int i = 0; i < ttt_piece_area(from); i++) {
        if (from->cells[i] != 0 && to[i % from->width] < FAR) to[i % from->width]++;
    }
    for (int r = 1; r < from->height; r++) memcpy(to + r * from->width, to, from->width);
    return true;
}

/* Where 0 lies beside what is not 0: the first direction, sides before corners, in which there is something. */
bool ttt_op_neighbour_side(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    if (!grid_like(scratch, from, result)) return false;
    uint8_t *to = result->pieces[0].cells;
    for (int r = 0; r < from->height; r++) {
        for (int c = 0; c < from->width; c++, to++) {
            if (ttt_piece_at(from, r, c) != 0) continue;
            for (int i = 0; i < TTT_DIRECTION_COUNT && *to == 0; i++) {
                const int d = i < 4 ? 2 * i : 2 * i - 7;
                if (ttt_piece_look(from, r + ttt_direction_rows(d), c + ttt_direction_columns(d)) != 0) {
                    *to = (uint8_t)(d + 1);
                }
            }
        }
    }
    return true;
}
