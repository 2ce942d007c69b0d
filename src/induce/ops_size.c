/* Operations: scaling, tiling, cropping, borders. */
#include "induce/ops_grid.h"

/* Cells of the result are read from the argument's through two tables, one for rows, one for columns: scaling, tiling
 * and leaving lines out are all of this kind. */
typedef struct line_table {
    int rows, columns;
    uint8_t row[TTT_PIECE_SIDE], column[TTT_PIECE_SIDE];
} line_table;

static bool read_lines(ttt_scratch *scratch, const ttt_piece *from, const line_table *lines, ttt_value *result) {
    if (!ttt_value_new_grid(scratch, from->row, from->column, lines->rows, lines->columns, result)) return false;
    uint8_t *to = result->pieces[0].cells;
    for (int r = 0; r < lines->rows; r++) {
        const uint8_t *cells = from->cells + lines->row[r] * from->width;
        for (int c = 0; c < lines->columns; c++) *to++ = cells[lines->column[c]];
    }
    return true;
}

/* Each of `count` lines `times` times; false when that is too many. */
static bool stretch(int count, int times, uint8_t *table, int *total) {
    if (times < 1 || count * times > TTT_PIECE_SIDE) return false;
    *total = count * times;
    for (int i = 0; i < *total; i++) table[i] = (uint8_t)(i / times);
    return true;
}

static bool repeat(int count, int times, uint8_t *table, int *total) {
    if (times < 1 || count * times > TTT_PIECE_SIDE) return false;
    *total = count * times;
    for (int i = 0; i < *total; i++) table[i] = (uint8_t)(i % count);
    return true;
}

bool ttt_op_scale(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    const int times = arguments[1]->number;
    line_table lines;
    return stretch(from->height, times, lines.row, &lines.rows) &&
           stretch(from->width, times, lines.column, &lines.columns) && read_lines(scratch, from, &lines, result);
}

bool ttt_op_scale_to(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0), *size = piece_of(arguments, 1);
    line_table lines;
    if (size->height % from->height != 0 || size->width % from->width != 0) return false;
    return stretch(from->height, size->height / from->height, lines.row, &lines.rows) &&
           stretch(from->width, size->width / from->width, lines.column, &lines.columns) &&
           read_lines(scratch, from, &lines, result);
}

bool ttt_op_repeat_down(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    line_table lines;
    return repeat(from->height, arguments[1]->number, lines.row, &lines.rows) &&
           repeat(from->width, 1, lines.column, &lines.columns) && read_lines(scratch, from, &lines, result);
}

bool ttt_op_repeat_right(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    line_table lines;
    return repeat(from->height, 1, lines.row, &lines.rows) &&
           repeat(from->width, arguments[1]->number, lines.column, &lines.columns) &&
           read_lines(scratch, from, &lines, result);
}

bool ttt_op_repeat_both(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    line_table lines;
    return repeat(from->height, arguments[1]->number, lines.row, &lines.rows) &&
           repeat(from->width, arguments[1]->number, lines.column, &lines.columns) &&
           read_lines(scratch, from, &lines, result);
}

bool ttt_op_tile_to(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0), *size = piece_of(arguments, 1);
    line_table lines = {.rows = size->height, .columns = size->width};
    if (from->height > size->height || from->width > size->width) return false;
    for (int r = 0; r < lines.rows; r++) lines.row[r] = (uint8_t)(r % from->height);
    for (int c = 0; c < lines.columns; c++) lines.column[c] = (uint8_t)(c % from->width);
    return read_lines(scratch, from, &lines, result);
}

static bool rows_equal(const ttt_piece *piece, int a, int b) {
    return memcmp(piece->cells + a * piece->width, piece->cells + b * piece->width, piece->width) == 0;
}

static bool columns_equal(const ttt_piece *piece, int a, int b) {
    for (int r = 0; r < piece->height; r++) {
        if (ttt_piece_at(piece, r, a) != ttt_piece_at(piece, r, b)) return false;
    }
    return true;
}

bool ttt_op_compress(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    line_table lines = {0};
    for (int r = 0; r < from->height; r++) {
        if (r == 0 || !rows_equal(from, r - 1, r)) lines.row[lines.rows++] = (uint8_t)r;
    }
    for (int c = 0; c < from->width; c++) {
        if (c == 0 || !columns_equal(from, c - 1, c)) lines.column[lines.columns++] = (uint8_t)c;
    }
    return read_lines(scratch, from, &lines, result);
}

/* The largest factor by which equal lines come in groups. `same[i]`: line i equals the one before it. */
static int group_size(const bool *same, int count) {
    for (int size = count; size > 1; size--) {
        bool whole = count % size == 0;
        for (int i = 1; i < count && whole; i++) whole = i % size == 0 || same[i];
        if (whole) return size;
    }
    return 1;
}

bool ttt_op_shrink(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    bool same_rows[TTT_PIECE_SIDE] = {0}, same_columns[TTT_PIECE_SIDE] = {0};
    for (int r = 1; r < from->height; r++) same_rows[r] = rows_equal(from, r - 1, r);
    for (int c = 1; c < from->width; c++) same_columns[c] = columns_equal(from, c - 1, c);
    const int rows = group_size(same_rows, from->height), columns = group_size(same_columns, from->width);
    line_table lines = {.rows = from->height / rows, .columns = from->width / columns};
    for (int r = 0; r < lines.rows; r++) lines.row[r] = (uint8_t)(r * rows);
    for (int c = 0; c < lines.columns; c++) lines.column[c] = (uint8_t)(c * columns);
    return read_lines(scratch, from, &lines, result);
}

bool ttt_op_drop_empty(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    bool row_used[TTT_PIECE_SIDE] = {0}, column_used[TTT_PIECE_SIDE] = {0};
    for (int r = 0; r < from->height; r++) {
        for (int c = 0; c < from->width; c++) {
            if (ttt_piece_at(from, r, c) != 0) row_used[r] = column_used[c] = true;
        }
    }
    line_table lines = {0};
    for (int r = 0; r < from->height; r++) {
        if (row_used[r]) lines.row[lines.rows++] = (uint8_t)r;
    }
    for (int c = 0; c < from->width; c++) {
        if (column_used[c]) lines.column[lines.columns++] = (uint8_t)c;
    }
    return lines.rows > 0 && read_lines(scratch, from, &lines, result);
}

bool ttt_op_join_panels(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    ttt_layout layout;
    line_table lines = {0};
    if (!ttt_panels_find(from, &layout)) return false;
    for (int i = 0; i < layout.down; i++) {
        for (int r = layout.row_start[i]; r < layout.row_end[i]; r++) lines.row[lines.rows++] = (uint8_t)r;
    }
    for (int i = 0; i < layout.across; i++) {
        for (int c = layout.column_start[i]; c < layout.column_end[i]; c++) lines.column[lines.columns++] = (uint8_t)c;
    }
    return read_lines(scratch, from, &lines, result);
}

bool ttt_op_crop(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    ttt_box box;
    return ttt_piece_content(from, &box) && ttt_piece_cut_grid(scratch, from, box, result);
}

bool ttt_op_crop_to(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0), *mask = piece_of(arguments, 1);
    ttt_box box;
    return same_size(from, mask) && ttt_piece_content(mask, &box) && ttt_piece_cut_grid(scratch, from, box, result);
}

bool ttt_op_trim(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    if (from->height < 3 || from->width < 3) return false;
    return ttt_piece_cut_grid(scratch, from, (ttt_box){1, 1, from->height - 2, from->width - 2}, result);
}

bool ttt_op_add_border(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    if (!ttt_value_new_grid(scratch, from->row - 1, from->column - 1, from->height + 2, from->width + 2, result)) {
        return false;
    }
    ttt_piece *to = &result->pieces[0];
    memset(to->cells, arguments[1]->number, (size_t)ttt_piece_area(to));
    for (int r = 0; r < from->height; r++) {
        memcpy(to->cells + (r + 1) * to->width + 1, from->cells + r * from->width, from->width);
    }
    return true;
}

/* The edges once more outside; the new corners are 0. */
bool ttt_op_double_edges(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    const int h = from->height, w = from->width;
    if (!ttt_value_new_grid(scratch, from->row - 1, from->column - 1, h + 2, w + 2, result)) return false;
    uint8_t *to = result->pieces[0].cells;
    for (int r = 0; r < h + 2; r++) {
        const int row = r == 0 ? 0 : r == h + 1 ? h - 1 : r - 1;
        for (int c = 0; c < w + 2; c++) {
            const bool corner = (r == 0 || r == h + 1) && (c == 0 || c == w + 1);
            const int column = c == 0 ? 0 : c == w + 1 ? w - 1 : c - 1;
            *to++ = corner ? 0 : ttt_piece_at(from, row, column);
        }
    }
    return true;
}

bool ttt_op_substitute(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0), *copy = piece_of(arguments, 1);
    if (!ttt_value_new_grid(scratch, from->row, from->column, from->height * copy->height, from->width * copy->width,
                            result)) {
        return false;
    }
    ttt_piece *to = &result->pieces[0];
    for (int r = 0; r < to->height; r++) {
        const uint8_t *cells = copy->cells + (r % copy->height) * copy->width;
        for (int c = 0; c < from->width; c++) {
            if (ttt_piece_at(from, r / copy->height, c) != 0) {
                memcpy(to->cells + r * to->width + c * copy->width, cells, copy->width);
            }
        }
    }
    return true;
}

bool ttt_op_fractal(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return ttt_op_substitute(scratch, (const ttt_value *[]){arguments[0], arguments[0]}, result);
}

/* Rows with equally many cells stay in their order. */
bool ttt_op_sort_rows(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    if (!grid_like(scratch, from, result)) return false;
    int counts[TTT_PIECE_SIDE] = {0}, row = 0;
    for (int i = 0; i < ttt_piece_area(from); i++) counts[i / from->width] += from->cells[i] != 0;
    for (int count = 0; count <= from->width; count++) {
        for (int r = 0; r < from->height; r++) {
            if (counts[r] != count) continue;
            memcpy(result->pieces[0].cells + row++ * from->width, from->cells + r * from->width, from->width);
        }
    }
    return true;
}

/* As high as before where the direction is to a side; the grid stays at the side it grows away from. */
bool ttt_op_widen(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    const int down = ttt_direction_rows(arguments[1]->number), right = ttt_direction_columns(arguments[1]->number);
    const int above = down < 0 ? from->height : 0, before = right < 0 ? from->width : 0;
    if (!ttt_value_new_grid(scratch, from->row - above, from->column - before, from->height * (down != 0 ? 2 : 1),
                            from->width * (right != 0 ? 2 : 1), result)) {
        return false;
    }
    ttt_piece *to = &result->pieces[0];
    for (int r = 0; r < from->height; r++) {
        memcpy(to->cells + (above + r) * to->width + before, from->cells + r * from->width, from->width);
    }
    return true;
}
