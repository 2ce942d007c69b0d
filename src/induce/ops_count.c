/* Operations: numbers, and grids made of numbers. */
#include "induce/ops_grid.h"

bool ttt_op_height(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    (void)scratch;
    return ttt_value_new_number(TTT_VALUE_NUMBER, piece_of(arguments, 0)->height, result);
}

bool ttt_op_width(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    (void)scratch;
    return ttt_value_new_number(TTT_VALUE_NUMBER, piece_of(arguments, 0)->width, result);
}

bool ttt_op_count_colours(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    int counts[TTT_COLOURS], colours = 0;
    (void)scratch;
    count_colours(piece_of(arguments, 0), counts);
    for (int c = 1; c < TTT_COLOURS; c++) colours += counts[c] > 0;
    return ttt_value_new_number(TTT_VALUE_NUMBER, colours, result);
}

bool ttt_op_count_cells(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    int counts[TTT_COLOURS];
    (void)scratch;
    count_colours(from, counts);
    return ttt_value_new_number(TTT_VALUE_NUMBER, ttt_piece_area(from) - counts[0], result);
}

bool ttt_op_count_colour(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    int counts[TTT_COLOURS];
    (void)scratch;
    count_colours(piece_of(arguments, 0), counts);
    return ttt_value_new_number(TTT_VALUE_NUMBER, counts[arguments[1]->number], result);
}

bool ttt_op_count_pieces(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    (void)scratch;
    return ttt_value_new_number(TTT_VALUE_NUMBER, arguments[0]->count, result);
}

/* ------------------------------------------------------------------------------------------- grids of numbers */

bool ttt_op_rectangle(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    if (!ttt_value_new_grid(scratch, 0, 0, arguments[1]->number, arguments[2]->number, result)) return false;
    memset(result->pieces[0].cells, arguments[0]->number, (size_t)ttt_piece_area(&result->pieces[0]));
    return true;
}

bool ttt_op_tally(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const int cells = arguments[0]->number;
    if (!ttt_value_new_mask(scratch, 0, 0, arguments[1]->number, arguments[2]->number, result)) return false;
    if (cells < 1 || cells > ttt_piece_area(&result->pieces[0])) return false;
    memset(result->pieces[0].cells, 1, (size_t)cells);
    return true;
}

bool ttt_op_colour_column(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    int counts[TTT_COLOURS], order[TTT_COLOURS];
    const int colours = ttt_piece_rank_colours(piece_of(arguments, 0), counts, order);
    if (!ttt_value_new_grid(scratch, 0, 0, colours, 1, result)) return false;
    for (int i = 0; i < colours; i++) result->pieces[0].cells[i] = (uint8_t)order[i];
    return true;
}

bool ttt_op_histogram(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    int counts[TTT_COLOURS], order[TTT_COLOURS];
    const int colours = ttt_piece_rank_colours(piece_of(arguments, 0), counts, order);
    if (colours == 0 || !ttt_value_new_grid(scratch, 0, 0, colours, counts[order[0]], result)) return false;
    ttt_piece *to = &result->pieces[0];
    for (int i = 0; i < colours; i++) memset(to->cells + i * to->width, order[i], (size_t)counts[order[i]]);
    return true;
}
