/* Operations: rotations, reflections, mirrored copies. */
#include "induce/operations.h"

#include <string.h>

bool ttt_op_flip_rows(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = &arguments[0]->pieces[0];
    if (!ttt_value_new_grid(scratch, from->row, from->column, from->height, from->width, result)) return false;
    for (int r = 0; r < from->height; r++) {
        memcpy(result->pieces[0].cells + r * from->width, from->cells + (from->height - 1 - r) * from->width,
               from->width);
    }
    return true;
}
