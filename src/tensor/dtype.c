/* Conversions between number formats; see dtype.h. Plain loops: they run once, when weights are loaded or saved. */
#include "tensor/dtype.h"

#include "base/memory.h"
#include "tensor/blocks.h"

#include <assert.h>
#include <math.h>

static const struct {
    const char *name;
    size_t numbers, bytes; /* of a block */
} FORMATS[TTT_DTYPE_COUNT] = {
    [TTT_F32] = {"F32", 1, 4},       [TTT_BF16] = {"BF16", 1, 2},   [TTT_F16] = {"F16", 1, 2},
    [TTT_Q8_0] = {"Q8_0", 32, 34},   [TTT_Q4_0] = {"Q4_0", 32, 18}, [TTT_Q4_K] = {"Q4_K", 256, 144},
    [TTT_Q6_K] = {"Q6_K", 256, 210},
};

const char *ttt_dtype_name(ttt_dtype dtype) {
    return FORMATS[dtype].name;
}

size_t ttt_dtype_block(ttt_dtype dtype) {
    return FORMATS[dtype].numbers;
}

size_t ttt_dtype_block_bytes(ttt_dtype dtype) {
    return FORMATS[dtype].bytes;
}

bool ttt_dtype_bytes(ttt_dtype dtype, size_t count, size_t *bytes) {
    const size_t numbers = FORMATS[dtype].numbers;
    return count % numbers == 0 && ttt_size_multiply(count / numbers, FORMATS[dtype].bytes, bytes);
}

/* ---------------------------------------------------------------------------------------------- halves */

uint16_t ttt_float_to_f16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000u);
    if (isnan(value)) return (uint16_t)(sign | 0x7E00u);
    const float magnitude = fabsf(value);
    if (magnitude >= 65520.0f) return (uint16_t)(sign | 0x7C00u);
    /* Below 2^-14 the step is that of subnormals, 2^-24; above, 2^-10 of the leading power of two. */
    int exponent;
    (void)frexpf(magnitude, &exponent);
    const int step = magnitude < 0x1p-14f ? -24 : exponent - 11;
    const uint32_t steps = (uint32_t)lrintf(ldexpf(magnitude, -step));
    if (step == -24) return (uint16_t)(sign | steps); /* 1024 steps are the smallest normal number, as bits too */
    return (uint16_t)(sign | (((uint32_t)(step + 25) << 10) + (steps - 1024)));
}

static void half_put(float value, uint8_t *to) {
    const uint16_t bits = ttt_float_to_f16(value);
    to[0] = (uint8_t)bits;
    to[1] = (uint8_t)(bits >> 8);
}

/* ---------------------------------------------------------------------------------------------- blocks */

static void write_q8_0(const float *from, uint8_t *to) {
    float largest = 0;
    for (int i = 0; i < 32; i++) largest = fmaxf(largest, fabsf(from[i]));
    const float d = largest / 127;
    half_put(d, to);
    for (int i = 0; i < 32; i++) to[2 + i] = (uint8_t)(int8_t)(d > 0 ? lrintf(from[i] / d) : 0);
}

/* The number of largest magnitude becomes -8 exactly: the range is -8 to 7. */
static void write_q4_0(const float *from, uint8_t *to) {
    float largest = 0;
    for (int i = 0; i < 32; i++) {
        if (fabsf(from[i]) > fabsf(largest)) largest = from[i];
    }
    const float d = largest / -8;
    half_put(d, to);
    for (int i = 0; i < 16; i++) {
        int pair[2];
        for (int j = 0; j < 2; j++) {
            const long q = d != 0 ? lrintf(from[i + 16 * j] / d) + 8 : 8;
            pair[j] = (int)(q < 0 ? 0 : q > 15 ? 15 : q);
        }
        to[2 + i] = (uint8_t)(pair[0] | pair[1] << 4);
    }
}

/* ---------------------------------------------------------------------------------------------- all */

void ttt_dtype_to_float(ttt_dtype dtype, const void *from, size_t count, float *to) {
    const uint8_t *bytes = from;
    assert(count % FORMATS[dtype].numbers == 0);
    switch (dtype) {
    case TTT_F32: memcpy(to, from, count * sizeof *to); break;
    case TTT_BF16:
        for (size_t i = 0; i < count; i++) to[i] = ttt_bf16_to_float((uint16_t)(bytes[2 * i] | bytes[2 * i + 1] << 8));
        break;
    case TTT_F16:
        for (size_t i = 0; i < count; i++) to[i] = ttt_f16_at(bytes + 2 * i);
        break;
    default: ttt_slices_read(dtype, bytes, 0, count, to); break;
    }
}

bool ttt_dtype_can_write(ttt_dtype dtype) {
    return ttt_dtype_is_plain(dtype) || dtype == TTT_Q8_0 || dtype == TTT_Q4_0;
}

void ttt_dtype_from_float(ttt_dtype dtype, const float *from, size_t count, void *to) {
    uint8_t *bytes = to;
    const size_t numbers = FORMATS[dtype].numbers, step = FORMATS[dtype].bytes;
    assert(ttt_dtype_can_write(dtype) && count % numbers == 0);
    if (dtype == TTT_F32) {
        memcpy(to, from, count * sizeof *from);
        return;
    }
    for (size_t i = 0; i < count; i += numbers, bytes += step) {
        if (dtype == TTT_Q8_0) {
            write_q8_0(from + i, bytes);
        } else if (dtype == TTT_Q4_0) {
            write_q4_0(from + i, bytes);
        } else if (dtype == TTT_F16) {
            half_put(from[i], bytes);
        } else {
            const uint16_t bits = ttt_float_to_bf16(from[i]);
            bytes[0] = (uint8_t)bits;
            bytes[1] = (uint8_t)(bits >> 8);
        }
    }
}
