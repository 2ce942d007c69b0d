/* The number formats of host data, and exact conversions to float32. */
#ifndef TTT_TENSOR_DTYPE_H
#define TTT_TENSOR_DTYPE_H

#include "tensor/backend.h"

#include <string.h>

static inline size_t ttt_dtype_size(ttt_dtype dtype) {
    return dtype == TTT_F32 ? 4 : 2;
}

static inline float ttt_bf16_to_float(uint16_t bits) {
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

/* Round to nearest, ties to even; a NaN stays a NaN. */
static inline uint16_t ttt_float_to_bf16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return (uint16_t)((bits >> 16) | 0x40u);
    return (uint16_t)((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

float ttt_f16_to_float(uint16_t bits);

/* `count` numbers of `dtype` into float32. */
void ttt_dtype_to_float(ttt_dtype dtype, const void *from, size_t count, float *to);

#endif
