/* Conversions between number formats; see dtype.h. */
#include "tensor/dtype.h"

#include <math.h>

float ttt_f16_to_float(uint16_t bits) {
    const int exponent = (bits >> 10) & 31;
    const int mantissa = bits & 1023;
    float magnitude;
    if (exponent == 31) {
        magnitude = mantissa == 0 ? INFINITY : NAN;
    } else if (exponent == 0) {
        magnitude = ldexpf((float)mantissa, -24); /* subnormal */
    } else {
        magnitude = ldexpf((float)(mantissa + 1024), exponent - 25);
    }
    return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

void ttt_dtype_to_float(ttt_dtype dtype, const void *from, size_t count, float *to) {
    const uint16_t *half = from;
    switch (dtype) {
    case TTT_F32: memcpy(to, from, count * sizeof *to); break;
    case TTT_BF16:
        for (size_t i = 0; i < count; i++) to[i] = ttt_bf16_to_float(half[i]);
        break;
    case TTT_F16:
        for (size_t i = 0; i < count; i++) to[i] = ttt_f16_to_float(half[i]);
        break;
    case TTT_DTYPE_COUNT: break;
    }
}
