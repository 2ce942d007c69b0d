/* Operations: choosing colours, recolouring. */
#include "induce/ops_grid.h"

/* Cell v of `from` becomes map[v]. */
static bool map_colours(ttt_scratch *scratch, const ttt_piece *from, const uint8_t map[TTT_COLOURS],
                        ttt_value *result) {
    if (!grid_like(scratch, from, result)) return false;
    for (int i = 0; i < ttt_piece_area(from); i++) result->pieces[0].cells[i] = map[from->cells[i]];
    return true;
}

bool ttt_op_recolour(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    uint8_t map[TTT_COLOURS];
    memset(map, arguments[1]->number, sizeof map);
    map[0] = 0;
    return map_colours(scratch, piece_of(arguments, 0), map, result);
}

bool ttt_op_replace(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    uint8_t map[TTT_COLOURS];
    for (int c = 0; c < TTT_COLOURS; c++) map[c] = (uint8_t)c;
    map[arguments[1]->number] = (uint8_t)arguments[2]->number;
    return map_colours(scratch, piece_of(arguments, 0), map, result);
}

bool ttt_op_keep_colour(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const int colour = arguments[1]->number;
    uint8_t map[TTT_COLOURS] = {0};
    if (colour == 0) return false;
    map[colour] = (uint8_t)colour;
    return map_colours(scratch, piece_of(arguments, 0), map, result);
}

bool ttt_op_drop_colour(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    uint8_t map[TTT_COLOURS];
    for (int c = 0; c < TTT_COLOURS; c++) map[c] = (uint8_t)c;
    map[arguments[1]->number] = 0;
    return map_colours(scratch, piece_of(arguments, 0), map, result);
}

/* The two colours change places, of more the first with the last: 0 stands aside unless it is one of only two. */
bool ttt_op_exchange(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    uint8_t map[TTT_COLOURS] = {0}, order[TTT_COLOURS];
    bool seen[TTT_COLOURS] = {false};
    int colours = 0;
    for (int i = 0; i < ttt_piece_area(from); i++) {
        const uint8_t colour = from->cells[i];
        if (colour != 0 && !seen[colour]) order[colours++] = colour;
        seen[colour] = true;
    }
    if (colours == 1 && seen[0]) order[colours++] = 0;
    if (colours < 2) return false;
    for (int i = 0; i < colours; i++) map[order[i]] = order[colours - 1 - i];
    return map_colours(scratch, from, map, result);
}

bool ttt_op_colour_ranks(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    int counts[TTT_COLOURS], order[TTT_COLOURS];
    uint8_t map[TTT_COLOURS] = {0};
    const int colours = ttt_piece_rank_colours(from, counts, order);
    if (colours == 0) return false;
    for (int i = 0; i < colours; i++) map[order[i]] = (uint8_t)(i + 1);
    return map_colours(scratch, from, map, result);
}

bool ttt_op_colour_order(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    uint8_t map[TTT_COLOURS] = {0}, next = 1;
    for (int i = 0; i < ttt_piece_area(from); i++) {
        if (from->cells[i] != 0 && map[from->cells[i]] == 0) map[from->cells[i]] = next++;
    }
    return next > 1 && map_colours(scratch, from, map, result);
}

/* Where each colour was seen first, so that equally frequent ones have an order. */
bool ttt_op_sorted_cells(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    int counts[TTT_COLOURS] = {0}, order[TTT_COLOURS], colours = 0;
    if (!grid_like(scratch, from, result)) return false;
    for (int i = 0; i < ttt_piece_area(from); i++) {
        if (counts[from->cells[i]]++ == 0) order[colours++] = from->cells[i];
    }
    uint8_t *to = result->pieces[0].cells;
    for (int done = 0; done < colours; done++) {
        int best = -1;
        for (int i = 0; i < colours; i++) {
            if (counts[order[i]] > 0 && (best < 0 || counts[order[i]] > counts[best])) best = order[i];
        }
        memset(to, best, (size_t)counts[best]);
        to += counts[best];
        counts[best] = 0;
    }
    return true;
}

/* ------------------------------------------------------------------------------------------- choosing one */

/* The colour number `rank` by frequency, from the end for negative ones; undefined where another is as frequent. */
static bool ranked(const ttt_piece *from, int rank, ttt_value *result) {
    int counts[TTT_COLOURS], order[TTT_COLOURS];
    const int colours = ttt_piece_rank_colours(from, counts, order), at = rank < 0 ? colours + rank : rank;
    if (at < 0 || at >= colours) return false;
    if (at > 0 && counts[order[at - 1]] == counts[order[at]]) return false;
    if (at + 1 < colours && counts[order[at + 1]] == counts[order[at]]) return false;
    return ttt_value_new_number(TTT_VALUE_COLOUR, order[at], result);
}

bool ttt_op_commonest(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    (void)scratch;
    return ranked(piece_of(arguments, 0), 0, result);
}

bool ttt_op_second_commonest(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    (void)scratch;
    return ranked(piece_of(arguments, 0), 1, result);
}

bool ttt_op_rarest(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    (void)scratch;
    return ranked(piece_of(arguments, 0), -1, result);
}

/* Of two cells in the middle of a side the left or upper one. */
bool ttt_op_colour_at(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    const int down = ttt_direction_rows(arguments[1]->number), right = ttt_direction_columns(arguments[1]->number);
    (void)scratch;
    const int r = (from->height - 1) * (down + 1) / 2, c = (from->width - 1) * (right + 1) / 2;
    return ttt_value_new_number(TTT_VALUE_COLOUR, ttt_piece_at(from, r, c), result);
}

bool ttt_op_centre_colour(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    (void)scratch;
    return from->height % 2 == 1 && from->width % 2 == 1 &&
           ttt_value_new_number(TTT_VALUE_COLOUR, ttt_piece_at(from, from->height / 2, from->width / 2), result);
}

/* ------------------------------------------------------------------------------------------- along lines */

/* Fills each of `lines` lines with its most frequent colour that is not 0 (the first to reach that number). */
static bool spread_commonest(ttt_scratch *scratch, const ttt_piece *from, int lines, int line_step, int count, int step,
                             ttt_value *result) {
    if (!grid_like(scratch, from, result)) return false;
    for (int line = 0; line < lines; line++) {
        int counts[TTT_COLOURS] = {0}, best = 0;
        for (int i = 0; i < count; i++) {
            const int colour = from->cells[line * line_step + i * step];
            if (colour != 0 && ++counts[colour] > counts[best]) best = colour;
        }
        for (int i = 0; i < count; i++) result->pieces[0].cells[line * line_step + i * step] = (uint8_t)best;
    }
    return true;
}

bool ttt_op_row_colours(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    return spread_commonest(scratch, from, from->height, from->width, from->width, 1, result);
}

bool ttt_op_column_colours(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    return spread_commonest(scratch, from, from->width, 1, from->height, from->width, result);
}

static int differences(const ttt_piece *a, const ttt_piece *b) {
    int count = 0;
    for (int i = 0; i < ttt_piece_area(a); i++) count += a->cells[i] != b->cells[i];
    return count;
}

/* Along the axis on which fewer cells change. */
bool ttt_op_straighten(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    ttt_value columns;
    if (!ttt_op_row_colours(scratch, arguments, result) || !ttt_op_column_colours(scratch, arguments, &columns)) {
        return false;
    }
    const int by_rows = differences(from, &result->pieces[0]), by_columns = differences(from, &columns.pieces[0]);
    if (by_columns < by_rows) *result = columns;
    return by_columns != by_rows;
}

/* Each cell from the one beyond it in the direction, which is done before: its result, or at the edge the cell itself;
 * `seen`: the cell beyond, or where that is 0 its result, and at the edge 0. */
static bool look_along(ttt_scratch *scratch, const ttt_value *const *arguments, bool seen, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    const int direction = arguments[1]->number;
    if (!grid_like(scratch, from, result)) return false;
    ttt_piece *to = &result->pieces[0];
    const int down = ttt_direction_rows(direction), right = ttt_direction_columns(direction);
    for (int i = 0; i < from->height; i++) {
        const int r = down > 0 ? from->height - 1 - i : i, next_r = r + down;
        for (int j = 0; j < from->width; j++) {
            const int c = right > 0 ? from->width - 1 - j : j, next_c = c + right;
            const bool inside = next_r >= 0 && next_c >= 0 && next_r < from->height && next_c < from->width;
            uint8_t colour = inside ? ttt_piece_at(to, next_r, next_c) : seen ? 0 : ttt_piece_at(from, r, c);
            if (seen && ttt_piece_look(from, next_r, next_c) != 0) colour = ttt_piece_at(from, next_r, next_c);
            to->cells[r * to->width + c] = colour;
        }
    }
    return true;
}

/* The cell where one leaves the grid in the direction. */
bool ttt_op_edge_colours(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return look_along(scratch, arguments, false, result);
}

/* The first colour one meets from the cell on in the direction; 0 where none is. */
bool ttt_op_seen_colours(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return look_along(scratch, arguments, true, result);
}
