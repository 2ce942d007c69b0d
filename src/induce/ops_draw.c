/* Operations: laying one grid on another, stamping, products of grids. */
#include "induce/ops_pieces.h"

bool ttt_op_draw(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *below = &arguments[1]->pieces[0];
    if (!ttt_value_copy_piece(scratch, below, result)) return false;
    ttt_piece_draw(&result->pieces[0], &arguments[0]->pieces[0]);
    return !ttt_piece_same_cells(below, &result->pieces[0]);
}

bool ttt_op_draw_all(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *below = &arguments[1]->pieces[0];
    if (!ttt_value_copy_piece(scratch, below, result)) return false;
    for (int i = 0; i < arguments[0]->count; i++) ttt_piece_draw(&result->pieces[0], &arguments[0]->pieces[i]);
    return !ttt_piece_same_cells(below, &result->pieces[0]);
}

bool ttt_op_draw_below(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *above = &arguments[1]->pieces[0];
    if (!ttt_value_new_like(scratch, above, result)) return false;
    ttt_piece_draw(&result->pieces[0], &arguments[0]->pieces[0]);
    ttt_piece_draw(&result->pieces[0], above);
    return !ttt_piece_same_cells(above, &result->pieces[0]);
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
    return !ttt_piece_same_cells(grid, &result->pieces[0]);
}

/* The pattern's middle on every cell of the grid that is not 0; `recoloured`: in the colour of that cell. */
static bool stamp(ttt_scratch *scratch, const ttt_value *const *arguments, bool recoloured, ttt_value *result) {
    const ttt_piece *pattern = &arguments[0]->pieces[0], *grid = &arguments[1]->pieces[0];
    ttt_piece piece;
    if (ttt_piece_area(pattern) == 1 || !ttt_value_new_like(scratch, grid, result) ||
        !ttt_piece_copy(scratch, pattern, &piece)) {
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

/* Each cell of the first that is not 0 becomes a copy of the second; `recoloured`: in the colour of that cell. */
static bool product(ttt_scratch *scratch, const ttt_value *const *arguments, bool recoloured, ttt_value *result) {
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
                const uint8_t cell = ttt_piece_at(b, r, c);
                if (cell != 0) out[r * width + c] = recoloured ? a->cells[at] : cell;
            }
        }
    }
    return true;
}

bool ttt_op_product(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return product(scratch, arguments, false, result);
}

bool ttt_op_product_coloured(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return product(scratch, arguments, true, result);
}
