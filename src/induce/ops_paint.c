/* Operations of the family object that paint every connected area of a grid by what it is: layers for rules. */
#include "induce/ops_pieces.h"

/* 1 for the largest size, 2 for the next, 8 at most; 9 for the smallest, unless all are equal. */
bool ttt_op_space_ranks(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ZERO, .corners = false};
    const ttt_piece *grid = &arguments[0]->pieces[0];
    ttt_components areas;
    if (!ttt_components_find(scratch, grid, &contact, &areas) || areas.count == 0 ||
        !ttt_value_new_like(scratch, grid, result)) {
        return false;
    }
    uint8_t ranks[TTT_GRID_CELLS + 1] = {0}; /* of sizes that occur */
    int rank = 0, smallest = TTT_GRID_CELLS;
    for (int k = 0; k < areas.count; k++) {
        ranks[areas.of[k].size] = 1;
        if (areas.of[k].size < smallest) smallest = areas.of[k].size;
    }
    for (int size = TTT_GRID_CELLS; size >= smallest; size--) {
        if (ranks[size] == 0) continue;
        if (rank < TTT_COLOURS - 2) rank++;
        ranks[size] = (uint8_t)rank;
    }
    if (rank > 1) ranks[smallest] = TTT_COLOURS - 1;
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        if (areas.labels[at] != 0) result->pieces[0].cells[at] = ranks[areas.of[areas.labels[at] - 1].size];
    }
    return true;
}

/* Every cell of an area by where it lies in the area's box. */
typedef uint8_t paint_place(const ttt_component *box, int r, int c);

static bool paint_places(ttt_scratch *scratch, const ttt_piece *grid, const ttt_contact *contact, paint_place *paint,
                         ttt_value *result) {
    ttt_components areas;
    if (!ttt_components_find(scratch, grid, contact, &areas) || areas.count == 0 ||
        !ttt_value_new_like(scratch, grid, result)) {
        return false;
    }
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        if (areas.labels[at] == 0) continue;
        result->pieces[0].cells[at] = paint(&areas.of[areas.labels[at] - 1], at / grid->width, at % grid->width);
    }
    return true;
}

static uint8_t paint_sector(const ttt_component *box, int r, int c) {
    return ttt_sector(r - box->top, box->bottom - box->top + 1, c - box->left, box->right - box->left + 1);
}

/* 1 to 4: even rows, odd rows, each even columns, odd columns, counted in the box. */
static uint8_t paint_weave(const ttt_component *box, int r, int c) {
    return (uint8_t)(1 + 2 * ((r - box->top) % 2) + (c - box->left) % 2);
}

bool ttt_op_object_sectors(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ONE_COLOUR, .corners = true};
    return paint_places(scratch, &arguments[0]->pieces[0], &contact, paint_sector, result);
}

bool ttt_op_object_weave(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ONE_COLOUR, .corners = true};
    return paint_places(scratch, &arguments[0]->pieces[0], &contact, paint_weave, result);
}

/* Cells of an area on the border of its box, and on the diagonals from its upper corners. */
typedef struct area_cells {
    int16_t border, falling, rising;
} area_cells;

static uint8_t shape_of(const ttt_component *box, const area_cells *cells) {
    enum { SQUARE = 1, WIDE, TALL, FALLING, RISING, OUTLINE, OTHER };
    const int height = box->bottom - box->top + 1, width = box->right - box->left + 1;
    if (box->size == height * width) return height == width ? SQUARE : height < width ? WIDE : TALL;
    if (cells->falling == box->size) return FALLING;
    if (cells->rising == box->size) return RISING;
    return box->size == 2 * (height + width) - 4 && cells->border == box->size ? OUTLINE : OTHER;
}

static bool paint_shapes(ttt_scratch *scratch, const ttt_piece *grid, const ttt_contact *contact, ttt_value *result) {
    ttt_components areas;
    if (!ttt_components_find(scratch, grid, contact, &areas) || areas.count == 0) return false;
    area_cells *cells = ttt_scratch_allocate(scratch, (size_t)areas.count * sizeof *cells);
    if (cells == NULL || !ttt_value_new_like(scratch, grid, result)) return false;
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        if (areas.labels[at] == 0) continue;
        const int k = areas.labels[at] - 1, r = at / grid->width, c = at % grid->width;
        const ttt_component *of = &areas.of[k];
        cells[k].border += r == of->top || r == of->bottom || c == of->left || c == of->right;
        cells[k].falling += r - of->top == c - of->left;
        cells[k].rising += r - of->top == of->right - c;
    }
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        const int k = areas.labels[at] - 1;
        if (k >= 0) result->pieces[0].cells[at] = shape_of(&areas.of[k], &cells[k]);
    }
    return true;
}

bool ttt_op_object_shapes(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ONE_COLOUR, .corners = true};
    return paint_shapes(scratch, &arguments[0]->pieces[0], &contact, result);
}

bool ttt_op_space_shapes(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ZERO, .corners = false};
    return paint_shapes(scratch, &arguments[0]->pieces[0], &contact, result);
}
