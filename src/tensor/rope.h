/* The rotary angles of a batch, computed alike for every backend so that all of them turn by the same numbers.
 * Su et al., "RoFormer", 2021; the half-split layout and the axes are those of ttt_shape. */
#ifndef TTT_TENSOR_ROPE_H
#define TTT_TENSOR_ROPE_H

#include "tensor/backend.h"

/* cosine and sine [tokens, D/2] =, of position[axis[i]] * frequency[i]; positions [tokens, axes]. */
void ttt_rope_angles(const ttt_shape *shape, int32_t tokens, const int32_t *positions, float *cosine, float *sine);

#endif
