/* Angles in double: at position 100 000 a float32 product is off by up to 0.004 radians, which would tie a long
 * context to one implementation's rounding. */
#include "tensor/rope.h"

#include <math.h>

void ttt_rope_angles(const ttt_shape *shape, int32_t tokens, const int32_t *positions, float *cosine, float *sine) {
    const int32_t pairs = shape->head_dim / 2;
    for (int32_t t = 0; t < tokens; t++) {
        const int32_t *position = positions + (size_t)t * (size_t)shape->axes;
        for (int32_t i = 0; i < pairs; i++) {
            double angle = (double)position[shape->axis[i]] * (double)shape->frequency[i];
            cosine[(size_t)t * (size_t)pairs + (size_t)i] = (float)cos(angle);
            sine[(size_t)t * (size_t)pairs + (size_t)i] = (float)sin(angle);
        }
    }
}
