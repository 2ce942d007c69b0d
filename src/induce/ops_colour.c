/* Operations: choosing colours, recolouring. */
#include "induce/operations.h"

bool ttt_op_recolour(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = &arguments[0]->pieces[0];
    if (!ttt_value_new_grid(scratch, from->row, from->column, from->height, from->width, result)) return false;
    for (int i = 0; i < ttt_piece_area(from); i++) {
        result->pieces[0].cells[i] = from->cells[i] != 0 ? (uint8_t)arguments[1]->number : 0;
    }
    return true;
}
