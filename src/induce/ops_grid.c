/* What the operations on whole grids share. */
#include "induce/ops_grid.h"

static void copy_rows(const ttt_piece *from, ttt_box box, uint8_t *to) {
    for (int r = 0; r < box.height; r++) {
        memcpy(to + r * box.width, from->cells + (box.top + r) * from->width + box.left, (size_t)box.width);
    }
}

bool ttt_piece_cut(ttt_scratch *scratch, const ttt_piece *from, ttt_box box, ttt_piece *piece) {
    if (!ttt_piece_new(scratch, from->row + box.top, from->column + box.left, box.height, box.width, piece)) {
        return false;
    }
    copy_rows(from, box, piece->cells);
    return true;
}

bool ttt_piece_cut_grid(ttt_scratch *scratch, const ttt_piece *from, ttt_box box, ttt_value *result) {
    if (!ttt_value_new_grid(scratch, from->row + box.top, from->column + box.left, box.height, box.width, result)) {
        return false;
    }
    copy_rows(from, box, result->pieces[0].cells);
    return true;
}

bool ttt_piece_content(const ttt_piece *piece, ttt_box *box) {
    int top = piece->height, bottom = -1, left = piece->width, right = -1;
    for (int r = 0; r < piece->height; r++) {
        for (int c = 0; c < piece->width; c++) {
            if (ttt_piece_at(piece, r, c) == 0) continue;
            if (r < top) top = r;
            bottom = r;
            if (c < left) left = c;
            if (c > right) right = c;
        }
    }
    box->top = top;
    box->left = left;
    box->height = bottom - top + 1;
    box->width = right - left + 1;
    return bottom >= 0;
}

int ttt_piece_rank_colours(const ttt_piece *piece, int counts[TTT_COLOURS], int order[TTT_COLOURS]) {
    int colours = 0;
    memset(counts, 0, TTT_COLOURS * sizeof *counts);
    for (int i = 0; i < ttt_piece_area(piece); i++) {
        const int colour = piece->cells[i];
        if (counts[colour]++ == 0 && colour != 0) order[colours++] = colour;
    }
    /* Insertion keeps equally frequent colours in their order. */
    for (int i = 1; i < colours; i++) {
        const int colour = order[i];
        int at = i;
        for (; at > 0 && counts[order[at - 1]] < counts[colour]; at--) order[at] = order[at - 1];
        order[at] = colour;
    }
    return colours;
}

/* ------------------------------------------------------------------------------------------- panels */

/* The colour of a row or column that has only one, else 0; `step` cells from one cell to the next. */
static uint8_t line_colour(const uint8_t *cells, int count, int step) {
    for (int i = 1; i < count; i++) {
        if (cells[i * step] != cells[0]) return 0;
    }
    return cells[0];
}

/* The runs between lines of the colour; returns how many. */
static int runs_between(const uint8_t *lines, int count, uint8_t colour, uint8_t *start, uint8_t *end) {
    int runs = 0;
    for (int i = 0; i < count; i++) {
        if (lines[i] == colour) continue;
        start[runs] = (uint8_t)i;
        while (i < count && lines[i] != colour) i++;
        end[runs++] = (uint8_t)i;
    }
    return runs;
}

bool ttt_panels_find(const ttt_piece *piece, ttt_layout *layout) {
    uint8_t rows[TTT_PIECE_SIDE], columns[TTT_PIECE_SIDE];
    int lines[TTT_COLOURS] = {0}, best = 0;
    for (int r = 0; r < piece->height; r++) {
        lines[rows[r] = line_colour(piece->cells + r * piece->width, piece->width, 1)]++;
    }
    for (int c = 0; c < piece->width; c++) {
        lines[columns[c] = line_colour(piece->cells + c, piece->height, piece->width)]++;
    }
    lines[0] = 0;
    for (int colour = 1; colour < TTT_COLOURS; colour++) {
        if (lines[colour] > lines[best]) best = colour;
    }
    if (lines[best] == 0) return false;
    layout->colour = (uint8_t)best;
    layout->down = runs_between(rows, piece->height, (uint8_t)best, layout->row_start, layout->row_end);
    layout->across = runs_between(columns, piece->width, (uint8_t)best, layout->column_start, layout->column_end);
    return layout->down * layout->across >= 2;
}
