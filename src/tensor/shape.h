/* What every backend asks of a shape. */
#ifndef TTT_TENSOR_SHAPE_H
#define TTT_TENSOR_SHAPE_H

#include "tensor/backend.h"

/* Sizes positive, query heads a multiple of key heads, an even head dimension, rotary pairs on existing axes: else
 * TTT_ERROR_UNSUPPORTED with the size that is wrong. */
ttt_status ttt_shape_check(const ttt_shape *shape, ttt_error *err);

#endif
