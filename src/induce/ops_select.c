/* Operations: picking and ordering pieces by their properties, and painting pieces by them. */
#include "induce/ops_pieces.h"

#include <string.h>

/* The property of each piece, and how many pieces of the list have the same value. */
typedef struct measures {
    int count, low, high;
    int values[TTT_LIST_MAX];
    int shared[TTT_LIST_MAX];
} measures;

static void measure(const ttt_value *list, const ttt_value *property, measures *of) {
    of->count = list->count;
    for (int i = 0; i < list->count; i++) {
        of->values[i] = ttt_property_of((ttt_property)property->number, list, i);
        of->shared[i] = 1;
        if (i == 0 || of->values[i] < of->low) of->low = of->values[i];
        if (i == 0 || of->values[i] > of->high) of->high = of->values[i];
        for (int j = 0; j < i; j++) {
            if (of->values[i] != of->values[j]) continue;
            of->shared[i]++;
            of->shared[j]++;
        }
    }
}

/* ------------------------------------------------------------------------------------------------- one piece */

/* The one piece with this value; false when there are several. */
static bool pick(ttt_scratch *scratch, const ttt_value *list, const measures *of, int value, ttt_value *result) {
    for (int i = 0; i < of->count; i++) {
        if (of->values[i] == value) {
            return of->shared[i] == 1 && ttt_value_copy_piece(scratch, &list->pieces[i], result);
        }
    }
    return false;
}

bool ttt_op_most(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    measures of;
    measure(arguments[0], arguments[1], &of);
    return pick(scratch, arguments[0], &of, of.high, result);
}

bool ttt_op_least(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    measures of;
    measure(arguments[0], arguments[1], &of);
    return of.low < of.high && pick(scratch, arguments[0], &of, of.low, result);
}

bool ttt_op_odd(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    measures of;
    measure(arguments[0], arguments[1], &of);
    int found = -1;
    for (int i = 0; i < of.count; i++) {
        if (of.shared[i] != 1) continue;
        if (found >= 0) return false;
        found = i;
    }
    return found >= 0 && of.count >= 3 && ttt_value_copy_piece(scratch, &arguments[0]->pieces[found], result);
}

bool ttt_op_typical(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_value property = {.type = TTT_VALUE_PROPERTY, .number = TTT_PROPERTY_COPIES};
    measures of;
    measure(arguments[0], &property, &of);
    if (of.high == 0) return false;
    for (int i = 0; i < of.count; i++) {
        if (of.values[i] == of.high) return ttt_value_copy_piece(scratch, &arguments[0]->pieces[i], result);
    }
    return false;
}

static bool pick_place(ttt_scratch *scratch, const ttt_value *list, int place, ttt_value *result) {
    return place >= 0 && place < list->count && ttt_value_copy_piece(scratch, &list->pieces[place], result);
}

bool ttt_op_first(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return pick_place(scratch, arguments[0], 0, result);
}

bool ttt_op_last(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return pick_place(scratch, arguments[0], arguments[0]->count - 1, result);
}

bool ttt_op_nth(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return pick_place(scratch, arguments[0], arguments[1]->number - 1, result);
}

/* ----------------------------------------------------------------------------------------------- some pieces */

/* The pieces marked in `kept`; false when those are none. All may be: in one example nothing is left out. */
static bool keep(ttt_scratch *scratch, const ttt_value *list, const bool *kept, ttt_value *result) {
    if (!ttt_value_new_list(scratch, result)) return false;
    for (int i = 0; i < list->count; i++) {
        if (kept[i]) ttt_list_push(result, list->pieces[i]);
    }
    return result->count > 0;
}

/* Pieces with this value, or all others. */
static bool keep_value(ttt_scratch *scratch, const ttt_value *list, const measures *of, int value, bool others,
                       ttt_value *result) {
    bool kept[TTT_LIST_MAX];
    for (int i = 0; i < of->count; i++) kept[i] = (of->values[i] == value) != others;
    return keep(scratch, list, kept, result);
}

bool ttt_op_keep_most(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    measures of;
    measure(arguments[0], arguments[1], &of);
    return keep_value(scratch, arguments[0], &of, of.high, false, result);
}

bool ttt_op_keep_least(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    measures of;
    measure(arguments[0], arguments[1], &of);
    return keep_value(scratch, arguments[0], &of, of.low, false, result);
}

bool ttt_op_drop_most(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    measures of;
    measure(arguments[0], arguments[1], &of);
    return keep_value(scratch, arguments[0], &of, of.high, true, result);
}

bool ttt_op_drop_least(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    measures of;
    measure(arguments[0], arguments[1], &of);
    return keep_value(scratch, arguments[0], &of, of.low, true, result);
}

static bool keep_shared(ttt_scratch *scratch, const ttt_value *const *arguments, bool alone, ttt_value *result) {
    measures of;
    measure(arguments[0], arguments[1], &of);
    bool kept[TTT_LIST_MAX];
    for (int i = 0; i < of.count; i++) kept[i] = (of.shared[i] == 1) == alone;
    return keep(scratch, arguments[0], kept, result);
}

bool ttt_op_keep_odd(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return keep_shared(scratch, arguments, true, result);
}

bool ttt_op_keep_shared(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return keep_shared(scratch, arguments, false, result);
}

static bool has_colour(const ttt_piece *piece, uint8_t colour) {
    return memchr(piece->cells, colour, (size_t)ttt_piece_area(piece)) != NULL;
}

static bool keep_colour(ttt_scratch *scratch, const ttt_value *const *arguments, bool with, ttt_value *result) {
    bool kept[TTT_LIST_MAX];
    for (int i = 0; i < arguments[0]->count; i++) {
        kept[i] = has_colour(&arguments[0]->pieces[i], (uint8_t)arguments[1]->number) == with;
    }
    return keep(scratch, arguments[0], kept, result);
}

bool ttt_op_with_colour(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return keep_colour(scratch, arguments, true, result);
}

bool ttt_op_without_colour(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return keep_colour(scratch, arguments, false, result);
}

/* Does a box reach the edge of the grid? */
static bool at_edge(const ttt_piece *piece, const ttt_piece *grid) {
    return piece->row <= grid->row || piece->column <= grid->column ||
           piece->row + piece->height >= grid->row + grid->height ||
           piece->column + piece->width >= grid->column + grid->width;
}

static bool keep_edge(ttt_scratch *scratch, const ttt_value *const *arguments, bool edge, ttt_value *result) {
    bool kept[TTT_LIST_MAX];
    for (int i = 0; i < arguments[0]->count; i++) {
        kept[i] = at_edge(&arguments[0]->pieces[i], &arguments[1]->pieces[0]) == edge;
    }
    return keep(scratch, arguments[0], kept, result);
}

bool ttt_op_at_edge(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return keep_edge(scratch, arguments, true, result);
}

bool ttt_op_off_edge(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return keep_edge(scratch, arguments, false, result);
}

static bool keep_touching(ttt_scratch *scratch, const ttt_value *const *arguments, bool touching, ttt_value *result) {
    bool kept[TTT_LIST_MAX];
    for (int i = 0; i < arguments[0]->count; i++) {
        kept[i] = ttt_piece_touches(&arguments[0]->pieces[i], &arguments[1]->pieces[0]) == touching;
    }
    return keep(scratch, arguments[0], kept, result);
}

bool ttt_op_touching(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return keep_touching(scratch, arguments, true, result);
}

bool ttt_op_apart(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return keep_touching(scratch, arguments, false, result);
}

static bool keep_like(ttt_scratch *scratch, const ttt_value *const *arguments, bool like, ttt_value *result) {
    bool kept[TTT_LIST_MAX];
    for (int i = 0; i < arguments[0]->count; i++) {
        kept[i] = ttt_piece_same_form(&arguments[0]->pieces[i], &arguments[1]->pieces[0]) == like;
    }
    return keep(scratch, arguments[0], kept, result);
}

bool ttt_op_like(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return keep_like(scratch, arguments, true, result);
}

bool ttt_op_unlike(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return keep_like(scratch, arguments, false, result);
}

/* -------------------------------------------------------------------------------------------------- ordering */

bool ttt_op_order_by(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_value *list = arguments[0];
    measures of;
    measure(list, arguments[1], &of);
    if (!ttt_value_new_list(scratch, result)) return false;
    for (int i = 0; i < list->count; i++) {
        int place = i;
        for (; place > 0 && of.values[place - 1] > of.values[place]; place--) {
            const int value = of.values[place];
            of.values[place] = of.values[place - 1];
            of.values[place - 1] = value;
            result->pieces[place] = result->pieces[place - 1];
        }
        result->pieces[place] = list->pieces[i];
        result->count++;
    }
    return true;
}

/* -------------------------------------------------------------------------------------- painting by a property */

/* Every piece in one colour, on a blank grid with the sides and place of `canvas`. */
static bool paint_layer(ttt_scratch *scratch, const ttt_value *list, const uint8_t *colours, const ttt_piece *canvas,
                        ttt_value *result) {
    if (!ttt_value_new_like(scratch, canvas, result)) return false;
    for (int i = 0; i < list->count; i++) {
        ttt_piece piece;
        if (!ttt_piece_copy(scratch, &list->pieces[i], &piece)) return false;
        ttt_piece_paint(&piece, colours[i]);
        ttt_piece_draw(&result->pieces[0], &piece);
    }
    return true;
}

/* Rank 1 has the most, or the least; equal values have one rank; ranks beyond 9 are 9. From both ends: the most has
 * rank 1, the next 2, 8 at most, and the least 9. */
typedef enum rank_order { FROM_MOST, FROM_LEAST, FROM_BOTH_ENDS } rank_order;

static bool rank_layer(ttt_scratch *scratch, const ttt_value *const *arguments, rank_order order, ttt_value *result) {
    measures of;
    measure(arguments[0], arguments[1], &of);
    uint8_t colours[TTT_LIST_MAX];
    for (int i = 0; i < of.count; i++) {
        int rank = 1;
        for (int j = 0; j < of.count && rank < TTT_COLOURS - 1; j++) {
            if (order == FROM_LEAST ? of.values[j] >= of.values[i] : of.values[j] <= of.values[i]) continue;
            bool first = true;
            for (int k = 0; k < j && first; k++) first = of.values[k] != of.values[j];
            rank += first;
        }
        if (order == FROM_BOTH_ENDS && rank > 1) rank = of.values[i] == of.low ? 9 : rank < 8 ? rank : 8;
        colours[i] = (uint8_t)rank;
    }
    return paint_layer(scratch, arguments[0], colours, &arguments[2]->pieces[0], result);
}

bool ttt_op_most_layer(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return rank_layer(scratch, arguments, FROM_MOST, result);
}

bool ttt_op_least_layer(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return rank_layer(scratch, arguments, FROM_LEAST, result);
}

bool ttt_op_value_layer(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    measures of;
    measure(arguments[0], arguments[1], &of);
    uint8_t colours[TTT_LIST_MAX];
    for (int i = 0; i < of.count; i++) {
        const int value = of.values[i];
        colours[i] = (uint8_t)(value <= 0 ? 9 : value > 8 ? 8 : value);
    }
    return paint_layer(scratch, arguments[0], colours, &arguments[2]->pieces[0], result);
}

bool ttt_op_odd_layer(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    measures of;
    measure(arguments[0], arguments[1], &of);
    uint8_t colours[TTT_LIST_MAX];
    for (int i = 0; i < of.count; i++) colours[i] = of.shared[i] == 1 ? 1 : 2;
    return paint_layer(scratch, arguments[0], colours, &arguments[2]->pieces[0], result);
}

/* The same of all objects of a grid, on that grid: what a rule asks for most. */
bool ttt_op_object_values(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    ttt_value objects;
    return ttt_op_objects(scratch, arguments, &objects) &&
           ttt_op_value_layer(scratch, (const ttt_value *const[]){&objects, arguments[1], arguments[0]}, result);
}

bool ttt_op_object_ranks(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    ttt_value objects;
    return ttt_op_objects(scratch, arguments, &objects) &&
           rank_layer(scratch, (const ttt_value *const[]){&objects, arguments[1], arguments[0]}, FROM_BOTH_ENDS,
                      result);
}

bool ttt_op_most_of(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_value *list = arguments[0];
    int most = 0, best = -1;
    for (int i = 0; i < list->count; i++) {
        int count = 0;
        for (int at = 0; at < ttt_piece_area(&list->pieces[i]); at++) {
            count += list->pieces[i].cells[at] == arguments[1]->number;
        }
        if (count < most) continue;
        best = count > most ? i : -1;
        most = count;
    }
    return best >= 0 && ttt_value_copy_piece(scratch, &list->pieces[best], result);
}
