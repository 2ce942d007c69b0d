/* Operations: putting the pieces of a list together again. */
#include "induce/ops_pieces.h"

#include <string.h>

/* ------------------------------------------------------------------------------------- where the pieces lie */

bool ttt_op_layer(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_value *list = arguments[0];
    if (!ttt_value_new_like(scratch, &arguments[1]->pieces[0], result)) return false;
    for (int i = 0; i < list->count; i++) ttt_piece_draw(&result->pieces[0], &list->pieces[i]);
    return true;
}

bool ttt_op_together(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_value *list = arguments[0];
    const ttt_box box = ttt_list_box(list);
    if (!ttt_value_new_grid(scratch, box.top, box.left, box.bottom - box.top + 1, box.right - box.left + 1, result)) {
        return false;
    }
    for (int i = 0; i < list->count; i++) ttt_piece_draw(&result->pieces[0], &list->pieces[i]);
    return true;
}

/* Rows (or columns) that pieces share: pieces whose extents overlap are in one band; bands[i] is the band of piece i,
 * from 0. A band begins where a piece begins and none goes on. Returns how many bands there are. */
static int find_bands(const ttt_value *list, bool columns, int *bands) {
    enum { SPAN = 2 * TTT_PIECE_OFFSET + TTT_PIECE_SIDE + 2 };
    int begin[SPAN] = {0}, going[SPAN] = {0}, band_at[SPAN];
    for (int i = 0; i < list->count; i++) {
        const ttt_piece *piece = &list->pieces[i];
        const int start = (columns ? piece->column : piece->row) + TTT_PIECE_OFFSET;
        begin[start]++;
        going[start + 1]++;
        going[start + (columns ? piece->width : piece->height)]--;
    }
    int count = 0;
    for (int at = 0, open = 0; at < SPAN; at++) {
        open += going[at];
        if (begin[at] > 0 && open == 0) count++;
        band_at[at] = count - 1;
    }
    for (int i = 0; i < list->count; i++) {
        bands[i] = band_at[(columns ? list->pieces[i].column : list->pieces[i].row) + TTT_PIECE_OFFSET];
    }
    return count;
}

/* One cell for each piece, arranged as they lie; no two pieces share a row and a column of the arrangement. */
static bool summary(ttt_scratch *scratch, const ttt_value *list, const uint8_t *colours, ttt_value *result) {
    int rows[TTT_LIST_MAX], columns[TTT_LIST_MAX];
    bool taken[TTT_GRID_CELLS] = {false};
    const int height = find_bands(list, false, rows), width = find_bands(list, true, columns);
    if (height * width == 1 || !ttt_value_new_grid(scratch, 0, 0, height, width, result)) return false;
    for (int i = 0; i < list->count; i++) {
        const int at = rows[i] * width + columns[i];
        if (taken[at]) return false;
        taken[at] = true;
        result->pieces[0].cells[at] = colours[i];
    }
    return true;
}

bool ttt_op_summary(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    uint8_t colours[TTT_LIST_MAX];
    for (int i = 0; i < arguments[0]->count; i++) colours[i] = ttt_piece_colour(&arguments[0]->pieces[i]);
    return summary(scratch, arguments[0], colours, result);
}

bool ttt_op_value_summary(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    uint8_t colours[TTT_LIST_MAX];
    for (int i = 0; i < arguments[0]->count; i++) {
        const int value = ttt_property_of((ttt_property)arguments[1]->number, arguments[0], i);
        colours[i] = (uint8_t)(value < 0 ? 0 : value > 9 ? 9 : value);
    }
    return summary(scratch, arguments[0], colours, result);
}

/* ----------------------------------------------------------------------------------------- pieces of one size */

static bool one_size(const ttt_value *list) {
    for (int i = 1; i < list->count; i++) {
        if (list->pieces[i].height != list->pieces[0].height || list->pieces[i].width != list->pieces[0].width) {
            return false;
        }
    }
    return list->count > 1;
}

bool ttt_op_arrange(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_value *list = arguments[0];
    if (!one_size(list)) return false;
    int rows[TTT_LIST_MAX], columns[TTT_LIST_MAX];
    const int height = list->pieces[0].height, width = list->pieces[0].width;
    const int down = find_bands(list, false, rows), across = find_bands(list, true, columns);
    if (!ttt_value_new_grid(scratch, 0, 0, height * down, width * across, result)) return false;
    for (int i = 0; i < list->count; i++) {
        ttt_piece piece = list->pieces[i];
        piece.row = (int8_t)(rows[i] * height);
        piece.column = (int8_t)(columns[i] * width);
        ttt_piece_draw(&result->pieces[0], &piece);
    }
    return true;
}

/* One on the other, all middles at the same place; the first piece is on top. */
bool ttt_op_overlay(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_value *list = arguments[0];
    int height = 0, width = 0;
    for (int i = 0; i < list->count; i++) {
        if (list->pieces[i].height > height) height = list->pieces[i].height;
        if (list->pieces[i].width > width) width = list->pieces[i].width;
    }
    if (list->count < 2 ||
        !ttt_value_new_grid(scratch, list->pieces[0].row, list->pieces[0].column, height, width, result)) {
        return false;
    }
    for (int i = list->count - 1; i >= 0; i--) {
        ttt_piece piece = list->pieces[i];
        if ((height - piece.height) % 2 != 0 || (width - piece.width) % 2 != 0) return false;
        piece.row = (int8_t)(list->pieces[0].row + (height - piece.height) / 2);
        piece.column = (int8_t)(list->pieces[0].column + (width - piece.width) / 2);
        ttt_piece_draw(&result->pieces[0], &piece);
    }
    return true;
}

/* Every piece with what the first of the others has where it has 0. */
bool ttt_op_share(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_value *list = arguments[0];
    if (!one_size(list) || !ttt_value_new_list(scratch, result)) return false;
    const int area = ttt_piece_area(&list->pieces[0]);
    uint8_t all[TTT_GRID_CELLS] = {0};
    for (int i = 0; i < list->count; i++) {
        for (int at = 0; at < area; at++) {
            if (all[at] == 0) all[at] = list->pieces[i].cells[at];
        }
    }
    for (int i = 0; i < list->count; i++) {
        ttt_piece piece;
        if (!ttt_piece_copy(scratch, &list->pieces[i], &piece)) return false;
        for (int at = 0; at < area; at++) {
            if (piece.cells[at] == 0) piece.cells[at] = all[at];
        }
        ttt_list_push(result, piece);
    }
    return true;
}

/* How often each colour lies at a place of the pieces. */
static void count_place(const ttt_value *list, int at, int *counts) {
    memset(counts, 0, TTT_COLOURS * sizeof *counts);
    for (int i = 0; i < list->count; i++) counts[list->pieces[i].cells[at]]++;
}

bool ttt_op_agree(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_value *list = arguments[0];
    if (!one_size(list) || !ttt_value_new_like(scratch, &list->pieces[0], result)) return false;
    for (int at = 0; at < ttt_piece_area(&list->pieces[0]); at++) {
        int counts[TTT_COLOURS];
        count_place(list, at, counts);
        const uint8_t cell = list->pieces[0].cells[at];
        result->pieces[0].cells[at] = counts[cell] == list->count ? cell : 0;
    }
    return true;
}

bool ttt_op_vote(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_value *list = arguments[0];
    if (!one_size(list) || list->count < 3 || !ttt_value_new_like(scratch, &list->pieces[0], result)) return false;
    for (int at = 0; at < ttt_piece_area(&list->pieces[0]); at++) {
        int counts[TTT_COLOURS];
        count_place(list, at, counts);
        uint8_t most = 0;
        for (uint8_t colour = 1; colour < TTT_COLOURS; colour++) {
            if (counts[colour] > counts[most]) most = colour;
        }
        result->pieces[0].cells[at] = most;
    }
    return true;
}

bool ttt_op_alone(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_value *list = arguments[0];
    if (!one_size(list) || !ttt_value_new_like(scratch, &list->pieces[0], result)) return false;
    for (int at = 0; at < ttt_piece_area(&list->pieces[0]); at++) {
        int filled = 0;
        for (int i = 0; i < list->count; i++) {
            const uint8_t cell = list->pieces[i].cells[at];
            if (cell == 0) continue;
            filled++;
            result->pieces[0].cells[at] = filled == 1 ? cell : 0;
        }
    }
    return true;
}

/* --------------------------------------------------------------------------------------------- one after another */

/* Beside one another, or below. Sides that must agree do. */
static bool join(ttt_scratch *scratch, const ttt_value *list, bool below, ttt_value *result) {
    int height = 0, width = 0;
    for (int i = 0; i < list->count; i++) {
        const ttt_piece *piece = &list->pieces[i];
        if (i > 0 && (below ? piece->width != width : piece->height != height)) return false;
        height = below ? height + piece->height : piece->height;
        width = below ? piece->width : width + piece->width;
    }
    if (list->count < 2 || !ttt_value_new_grid(scratch, 0, 0, height, width, result)) return false;
    int place = 0;
    for (int i = 0; i < list->count; i++) {
        ttt_piece piece = list->pieces[i];
        piece.row = (int8_t)(below ? place : 0);
        piece.column = (int8_t)(below ? 0 : place);
        ttt_piece_draw(&result->pieces[0], &piece);
        place += below ? piece.height : piece.width;
    }
    return true;
}

bool ttt_op_join_across(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return join(scratch, arguments[0], false, result);
}

bool ttt_op_join_down(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return join(scratch, arguments[0], true, result);
}

/* The main colours of the pieces in order, as one row or column. */
static bool palette(ttt_scratch *scratch, const ttt_value *list, bool down, ttt_value *result) {
    if (!ttt_value_new_grid(scratch, 0, 0, down ? list->count : 1, down ? 1 : list->count, result)) return false;
    for (int i = 0; i < list->count; i++) result->pieces[0].cells[i] = ttt_piece_colour(&list->pieces[i]);
    return true;
}

bool ttt_op_palette_across(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return palette(scratch, arguments[0], false, result);
}

bool ttt_op_palette_down(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return palette(scratch, arguments[0], true, result);
}

bool ttt_op_reverse(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_value *list = arguments[0];
    if (list->count < 2 || !ttt_value_new_list(scratch, result)) return false;
    for (int i = list->count - 1; i >= 0; i--) ttt_list_push(result, list->pieces[i]);
    return true;
}

bool ttt_op_pair(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    if (!ttt_value_new_list(scratch, result)) return false;
    return ttt_list_push(result, arguments[0]->pieces[0]) && ttt_list_push(result, arguments[1]->pieces[0]);
}

bool ttt_op_both(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    if (!ttt_value_new_list(scratch, result)) return false;
    for (int which = 0; which < 2; which++) {
        for (int i = 0; i < arguments[which]->count; i++) {
            if (!ttt_list_push(result, arguments[which]->pieces[i])) return false;
        }
    }
    return true;
}
