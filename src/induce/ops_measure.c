/* Operations of the family object that paint every object by what can be measured of it: layers of the grid's own
 * size, for rules like "objects of four cells become green". Objects are connected by sides and have one colour. */
#include "induce/ops_pieces.h"

#include <string.h>

enum { MEASURE_MAX = 9 };

static const ttt_contact one_colour = {TTT_CLASSES_ONE_COLOUR, .corners = false};
static const ttt_contact zero = {TTT_CLASSES_ZERO, .corners = false};

static uint8_t capped(int value) {
    return (uint8_t)(value > MEASURE_MAX ? MEASURE_MAX : value);
}

/* Component k in colours[k]. */
static bool paint_components(ttt_scratch *scratch, const ttt_piece *grid, const ttt_components *of,
                             const uint8_t *colours, ttt_value *result) {
    if (!ttt_value_new_like(scratch, grid, result)) return false;
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        if (of->labels[at] != 0) result->pieces[0].cells[at] = colours[of->labels[at] - 1];
    }
    return of->count > 0;
}

static bool paint_sizes(ttt_scratch *scratch, const ttt_piece *grid, const ttt_contact *contact, ttt_value *result) {
    ttt_components of;
    if (!ttt_components_find(scratch, grid, contact, &of)) return false;
    uint8_t *colours = ttt_scratch_allocate(scratch, (size_t)of.count);
    if (colours == NULL) return false;
    for (int k = 0; k < of.count; k++) colours[k] = capped(of.of[k].size);
    return paint_components(scratch, grid, &of, colours, result);
}

bool ttt_op_sizes(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return paint_sizes(scratch, &arguments[0]->pieces[0], &one_colour, result);
}

bool ttt_op_space_sizes(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return paint_sizes(scratch, &arguments[0]->pieces[0], &zero, result);
}

/* Equally large objects share a rank: 1 and how many different sizes are larger. */
bool ttt_op_size_ranks(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    ttt_components of;
    if (!ttt_components_find(scratch, grid, &one_colour, &of)) return false;
    uint8_t *colours = ttt_scratch_allocate(scratch, (size_t)of.count), ranks[TTT_GRID_CELLS + 1] = {0};
    if (colours == NULL) return false;
    for (int k = 0; k < of.count; k++) ranks[of.of[k].size] = 1;
    for (int size = TTT_GRID_CELLS, rank = 0; size > 0; size--) {
        if (ranks[size] != 0) ranks[size] = capped(++rank);
    }
    for (int k = 0; k < of.count; k++) colours[k] = ranks[of.of[k].size];
    return paint_components(scratch, grid, &of, colours, result);
}

bool ttt_op_smallest(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    ttt_components of;
    if (!ttt_components_find(scratch, grid, &one_colour, &of) || of.count < 2 ||
        !ttt_value_new_mask(scratch, grid->row, grid->column, grid->height, grid->width, result)) {
        return false;
    }
    int least = of.of[0].size;
    for (int k = 1; k < of.count; k++) least = of.of[k].size < least ? of.of[k].size : least;
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        result->pieces[0].cells[at] = of.labels[at] != 0 && of.of[of.labels[at] - 1].size == least;
    }
    return true;
}

bool ttt_op_heights(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    ttt_components of;
    if (!ttt_components_find(scratch, grid, &one_colour, &of)) return false;
    uint8_t *colours = ttt_scratch_allocate(scratch, (size_t)of.count);
    if (colours == NULL) return false;
    for (int k = 0; k < of.count; k++) colours[k] = capped(of.of[k].bottom - of.of[k].top + 1);
    return paint_components(scratch, grid, &of, colours, result);
}

/* An area of 0 that does not reach the edge is a hole of the object before its first cell in the row. */
bool ttt_op_hole_counts(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    ttt_components of, spaces;
    if (!ttt_components_find(scratch, grid, &one_colour, &of) || !ttt_components_find(scratch, grid, &zero, &spaces)) {
        return false;
    }
    uint8_t *colours = ttt_scratch_allocate(scratch, (size_t)of.count);
    if (colours == NULL) return false;
    memset(colours, 1, (size_t)of.count);
    for (int k = 0; k < spaces.count; k++) {
        if (spaces.of[k].edge) continue;
        uint8_t *colour = &colours[of.labels[spaces.of[k].first - 1] - 1];
        *colour = capped(*colour + 1);
    }
    return paint_components(scratch, grid, &of, colours, result);
}

/* Do two components have the same cells, but for where they lie? */
static bool same_shape(const ttt_piece *grid, const ttt_components *of, int a, int b) {
    const ttt_component *x = &of->of[a], *y = &of->of[b];
    if (x->size != y->size || x->bottom - x->top != y->bottom - y->top || x->right - x->left != y->right - y->left) {
        return false;
    }
    for (int r = 0; r <= x->bottom - x->top; r++) {
        for (int c = 0; c <= x->right - x->left; c++) {
            if ((of->labels[(x->top + r) * grid->width + x->left + c] == a + 1) !=
                (of->labels[(y->top + r) * grid->width + y->left + c] == b + 1)) {
                return false;
            }
        }
    }
    return true;
}

bool ttt_op_shape_counts(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    ttt_components of;
    if (!ttt_components_find(scratch, grid, &one_colour, &of) || of.count < 2 || of.count > TTT_LIST_MAX) return false;
    uint8_t colours[TTT_LIST_MAX];
    memset(colours, 1, sizeof colours);
    for (int k = 0; k < of.count; k++) {
        for (int other = 0; other < k; other++) {
            if (!same_shape(grid, &of, k, other)) continue;
            colours[k] = capped(colours[k] + 1);
            colours[other] = capped(colours[other] + 1);
        }
    }
    return paint_components(scratch, grid, &of, colours, result);
}
