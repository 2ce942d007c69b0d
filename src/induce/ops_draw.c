/* Operations: laying one grid on another, stamping, products of grids. */
#include "induce/ops_pieces.h"

#include <string.h>

bool ttt_op_draw(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *below = &arguments[1]->pieces[0];
    if (!ttt_value_copy_piece(scratch, below, result)) return false;
    ttt_piece_draw(&result->pieces[0], &arguments[0]->pieces[0]);
    return true;
}

bool ttt_op_draw_all(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *below = &arguments[1]->pieces[0];
    if (!ttt_value_copy_piece(scratch, below, result)) return false;
    for (int i = 0; i < arguments[0]->count; i++) ttt_piece_draw(&result->pieces[0], &arguments[0]->pieces[i]);
    return true;
}

bool ttt_op_draw_below(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *above = &arguments[1]->pieces[0];
    if (!ttt_value_new_like(scratch, above, result)) return false;
    ttt_piece_draw(&result->pieces[0], &arguments[0]->pieces[0]);
    ttt_piece_draw(&result->pieces[0], above);
    return true;
}

bool ttt_op_erase(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[1]->pieces[0], *rubber = &arguments[0]->pieces[0];
    if (!ttt_value_copy_piece(scratch, grid, result)) return false;
    const int down = grid->row - rubber->row, right = grid->column - rubber->column;
    for (int r = 0; r < grid->height; r++) {
        for (int c = 0; c < grid->width; c++) {
            if (ttt_piece_look(rubber, r + down, c + right) != 0) result->pieces[0].cells[r * grid->width + c] = 0;
        }
    }
    return true;
}

/* The pattern's middle on every cell of the grid that is not 0; `recoloured`: in the colour of that cell. A pattern is
 * small: at most half the grid. */
static bool stamp(ttt_scratch *scratch, const ttt_value *const *arguments, bool recoloured, ttt_value *result) {
    const ttt_piece *pattern = &arguments[0]->pieces[0], *grid = &arguments[1]->pieces[0];
    ttt_piece piece;
    if (ttt_piece_area(pattern) == 1 || 2 * ttt_piece_area(pattern) > ttt_piece_area(grid) ||
        !ttt_value_new_like(scratch, grid, result) || !ttt_piece_copy(scratch, pattern, &piece)) {
        return false;
    }
    bool any = false;
    for (int r = 0; r < grid->height; r++) {
        for (int c = 0; c < grid->width; c++) {
            const uint8_t cell = ttt_piece_at(grid, r, c);
            if (cell == 0) continue;
            if (recoloured) ttt_piece_paint(&piece, cell);
            piece.row = (int8_t)(grid->row + r - (pattern->height - 1) / 2);
            piece.column = (int8_t)(grid->column + c - (pattern->width - 1) / 2);
            ttt_piece_draw(&result->pieces[0], &piece);
            any = true;
        }
    }
    return any;
}

bool ttt_op_stamp(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return stamp(scratch, arguments, false, result);
}

bool ttt_op_stamp_coloured(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return stamp(scratch, arguments, true, result);
}

/* Each cell of the first that is not 0 becomes the shape of the second in its colour. */
bool ttt_op_product(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *a = &arguments[0]->pieces[0], *b = &arguments[1]->pieces[0];
    if (ttt_piece_area(a) == 1 || ttt_piece_area(b) == 1 ||
        !ttt_value_new_grid(scratch, 0, 0, a->height * b->height, a->width * b->width, result)) {
        return false;
    }
    const int width = a->width * b->width;
    for (int at = 0; at < ttt_piece_area(a); at++) {
        if (a->cells[at] == 0) continue;
        uint8_t *out = result->pieces[0].cells + at / a->width * b->height * width + at % a->width * b->width;
        for (int r = 0; r < b->height; r++) {
            for (int c = 0; c < b->width; c++) {
                if (ttt_piece_at(b, r, c) != 0) out[r * width + c] = a->cells[at];
            }
        }
    }
    return true;
}

/* Each cell that is not 0 becomes the cells of its colour of the whole grid. */
bool ttt_op_own_product(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    const int height = grid->height, width = grid->width;
    if (ttt_piece_area(grid) == 1 || !ttt_value_new_grid(scratch, 0, 0, height * height, width * width, result)) {
        return false;
    }
    for (int r = 0; r < height * height; r++) {
        for (int c = 0; c < width * width; c++) {
            const uint8_t colour = ttt_piece_at(grid, r / height, c / width);
            const bool own = colour == ttt_piece_at(grid, r % height, c % width);
            result->pieces[0].cells[r * width * width + c] = own ? colour : 0;
        }
    }
    return true;
}

/* The one group of several colours in place of every group of one colour, middle on middle. */
bool ttt_op_replace_plain(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ANY_COLOUR, .corners = true};
    const ttt_piece *grid = &arguments[0]->pieces[0];
    ttt_components groups;
    if (!ttt_components_find(scratch, grid, &contact, &groups)) return false;
    bool *several = ttt_scratch_allocate(scratch, (size_t)groups.count * sizeof *several);
    if (several == NULL) return false;
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        const int k = groups.labels[at] - 1;
        if (k >= 0) several[k] |= grid->cells[at] != grid->cells[groups.of[k].first];
    }
    int template = -1;
    for (int k = 0; k < groups.count; k++) {
        if (!several[k]) continue;
        if (template >= 0) return false;
        template = k;
    }
    ttt_piece piece;
    if (template <0 || !ttt_components_cut(scratch, grid, &groups, template, &piece) ||
                  !ttt_value_new_like(scratch, grid, result)) {
        return false;
    }
    for (int k = 0; k < groups.count; k++) {
        const ttt_component *of = &groups.of[k];
        piece.row = (int8_t)(grid->row + (of->top + of->bottom + 1 - piece.height) / 2);
        piece.column = (int8_t)(grid->column + (of->left + of->right + 1 - piece.width) / 2);
        ttt_piece_draw(&result->pieces[0], &piece);
    }
    return true;
}

/* -------------------------------------------------------------------------------------------------- repeating */

/* Copies of the piece side by side from where it lies in a direction, `gap` cells between them, as far as the canvas
 * reaches; nothing else of the canvas. */
static bool repeat(ttt_scratch *scratch, const ttt_value *const *arguments, int gap, ttt_value *result) {
    const ttt_piece *canvas = &arguments[2]->pieces[0];
    const int dr = ttt_direction_rows(arguments[1]->number), dc = ttt_direction_columns(arguments[1]->number);
    ttt_piece piece = arguments[0]->pieces[0];
    if (!ttt_value_new_like(scratch, canvas, result)) return false;
    const int down = dr * (piece.height + gap), right = dc * (piece.width + gap);
    int row = piece.row, column = piece.column, copies = 0;
    while (row < canvas->row + canvas->height && column < canvas->column + canvas->width &&
           row + piece.height > canvas->row && column + piece.width > canvas->column) {
        piece.row = (int8_t)row;
        piece.column = (int8_t)column;
        ttt_piece_draw(&result->pieces[0], &piece);
        row += down;
        column += right;
        copies++;
    }
    return copies > 1;
}

bool ttt_op_repeat(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return repeat(scratch, arguments, 0, result);
}

bool ttt_op_repeat_spaced(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return repeat(scratch, arguments, 1, result);
}

/* The first grid with its middle where that of the second is. */
bool ttt_op_place(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *piece = &arguments[0]->pieces[0], *at = &arguments[1]->pieces[0];
    const int row = at->row + (at->height - piece->height) / 2, column = at->column + (at->width - piece->width) / 2;
    if ((row == piece->row && column == piece->column) ||
        !ttt_value_new_grid(scratch, row, column, piece->height, piece->width, result)) {
        return false;
    }
    memcpy(result->pieces[0].cells, piece->cells, (size_t)ttt_piece_area(piece));
    return true;
}

/* The grid in place of every piece of a list, middle on middle; `recoloured`: in the piece's main colour. */
static bool replace_each(ttt_scratch *scratch, const ttt_value *const *arguments, bool recoloured, ttt_value *result) {
    const ttt_value *list = arguments[0];
    const ttt_piece *grid = &arguments[1]->pieces[0];
    if (!ttt_value_new_list(scratch, result)) return false;
    for (int i = 0; i < list->count; i++) {
        const ttt_piece *at = &list->pieces[i];
        ttt_piece piece;
        if (!ttt_piece_new(scratch, at->row + (at->height - grid->height) / 2,
                           at->column + (at->width - grid->width) / 2, grid->height, grid->width, &piece)) {
            return false;
        }
        memcpy(piece.cells, grid->cells, (size_t)ttt_piece_area(grid));
        if (recoloured) ttt_piece_paint(&piece, ttt_piece_colour(at));
        ttt_list_push(result, piece);
    }
    return true;
}

bool ttt_op_replace_each(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return replace_each(scratch, arguments, false, result);
}

bool ttt_op_replace_each_coloured(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return replace_each(scratch, arguments, true, result);
}

/* What is not 0 in the grid also on the other sides of the middle of a piece: above and below, left and right. */
bool ttt_op_mirror_about(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0], *middle = &arguments[1]->pieces[0];
    if (!ttt_value_copy_piece(scratch, grid, result)) return false;
    int top = middle->height, bottom = -1, left = middle->width, right = -1;
    for (int at = 0; at < ttt_piece_area(middle); at++) {
        const int r = at / middle->width, c = at % middle->width;
        if (middle->cells[at] == 0) continue;
        if (r < top) top = r;
        if (c < left) left = c;
        if (c > right) right = c;
        bottom = r;
    }
    if (bottom < 0) return false;
    /* row + mirrored row, both counted in the grid */
    const int rows = 2 * (middle->row - grid->row) + top + bottom;
    const int columns = 2 * (middle->column - grid->column) + left + right;
    for (int r = 0, at = 0; r < grid->height; r++) {
        for (int c = 0; c < grid->width; c++, at++) {
            if (grid->cells[at] != 0) continue;
            uint8_t cell = ttt_piece_look(grid, rows - r, c);
            if (cell == 0) cell = ttt_piece_look(grid, r, columns - c);
            if (cell == 0) cell = ttt_piece_look(grid, rows - r, columns - c);
            result->pieces[0].cells[at] = cell;
        }
    }
    return true;
}

bool ttt_op_mirror_around(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    ttt_value middle;
    return arguments[1]->number != 0 && ttt_op_keep_colour(scratch, arguments, &middle) &&
           ttt_op_mirror_about(scratch, (const ttt_value *[]){arguments[0], &middle}, result);
}
