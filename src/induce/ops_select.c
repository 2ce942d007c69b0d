/* Operations: picking and ordering pieces by their properties. */
#include "induce/operations.h"

#include <limits.h>

bool ttt_op_most(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_value *list = arguments[0];
    int best = -1, most = INT_MIN;
    bool tie = false;
    for (int i = 0; i < list->count; i++) {
        const int value = ttt_property_of(arguments[1]->number, list, i);
        tie = value == most || (tie && value < most);
        if (value > most) {
            most = value;
            best = i;
        }
    }
    if (best < 0 || tie) return false;
    const ttt_piece *piece = &list->pieces[best];
    if (!ttt_value_new_grid(scratch, 0, 0, 1, 1, result)) return false;
    return ttt_piece_copy(scratch, piece, &result->pieces[0]);
}
