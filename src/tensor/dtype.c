/* Conversions between number formats; see dtype.h. Plain loops: they run once, when weights are loaded or saved. */
#include "tensor/dtype.h"

#include "base/memory.h"

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

static uint16_t bits_at(const uint8_t *from) {
    return (uint16_t)(from[0] | from[1] << 8);
}

static void half_put(float value, uint8_t *to) {
    const uint16_t bits = ttt_float_to_f16(value);
    to[0] = (uint8_t)bits;
    to[1] = (uint8_t)(bits >> 8);
}

/* ---------------------------------------------------------------------------------------------- blocks */

static void take_q8_0(const uint8_t *from, ttt_dtype_parts *to) {
    to->d = bits_at(from);
    memcpy(to->q, from + 2, 32);
}

static void write_q8_0(const float *from, uint8_t *to) {
    float largest = 0;
    for (int i = 0; i < 32; i++) largest = fmaxf(largest, fabsf(from[i]));
    const float d = largest / 127;
    half_put(d, to);
    for (int i = 0; i < 32; i++) to[2 + i] = (uint8_t)(int8_t)(d > 0 ? lrintf(from[i] / d) : 0);
}

/* Byte i holds numbers i and i + 16. */
static void take_q4_0(const uint8_t *from, ttt_dtype_parts *to) {
    to->d = bits_at(from);
    for (int i = 0; i < 16; i++) {
        to->q[i] = (int8_t)((from[2 + i] & 15) - 8);
        to->q[16 + i] = (int8_t)((from[2 + i] >> 4) - 8);
    }
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

/* Six bits each of scale and minimum for eight groups of 32, in twelve bytes: the first four whole in bytes 0..3 and
 * 4..7, whose upper two bits, with the nibbles of bytes 8..11, are the other four. */
static void take_q4_k(const uint8_t *from, ttt_dtype_parts *to) {
    const uint8_t *packed = from + 4;
    to->d = bits_at(from);
    to->d_minimum = bits_at(from + 2);
    for (int group = 0; group < 8; group++) {
        int scale = packed[group] & 63, minimum = packed[group + 4] & 63;
        if (group >= 4) {
            scale = (packed[group + 4] & 15) | (packed[group - 4] >> 6) << 4;
            minimum = (packed[group + 4] >> 4) | (packed[group] >> 6) << 4;
        }
        to->scale[2 * group] = to->scale[2 * group + 1] = (int8_t)scale;
        to->minimum[2 * group] = to->minimum[2 * group + 1] = (uint8_t)minimum;
        const uint8_t *nibbles = from + 16 + 32 * (group / 2);
        for (int i = 0; i < 32; i++)
            to->q[32 * group + i] = (int8_t)(group % 2 == 0 ? nibbles[i] & 15 : nibbles[i] >> 4);
    }
}

/* Two halves of 128 numbers: 64 bytes of lower nibbles, 32 bytes of upper pairs of bits, 8 scales each. */
static void take_q6_k(const uint8_t *from, ttt_dtype_parts *to) {
    to->d = bits_at(from + 208);
    memcpy(to->scale, from + 192, 16);
    for (int half = 0; half < 2; half++) {
        const uint8_t *low = from + 64 * half, *high = from + 128 + 32 * half;
        for (int i = 0; i < 128; i++) {
            const int part = i / 32, at = i % 32; /* parts 0, 1: lower nibbles of 64 bytes; 2, 3: upper ones */
            const int nibble = part < 2 ? low[at + 32 * part] & 15 : low[at + 32 * (part - 2)] >> 4;
            to->q[128 * half + i] = (int8_t)((nibble | (high[at] >> 2 * part & 3) << 4) - 32);
        }
    }
}

void ttt_dtype_take_apart(ttt_dtype dtype, const void *block, ttt_dtype_parts *parts) {
    parts->d_minimum = 0;
    memset(parts->scale, 1, sizeof parts->scale);
    memset(parts->minimum, 0, sizeof parts->minimum);
    switch (dtype) {
    case TTT_Q8_0: take_q8_0(block, parts); break;
    case TTT_Q4_0: take_q4_0(block, parts); break;
    case TTT_Q4_K: take_q4_k(block, parts); break;
    case TTT_Q6_K: take_q6_k(block, parts); break;
    default: assert(false);
    }
}

static void read_block(ttt_dtype dtype, const uint8_t *from, float *to) {
    ttt_dtype_parts parts;
    ttt_dtype_take_apart(dtype, from, &parts);
    const float d = ttt_f16_to_float(parts.d), d_minimum = ttt_f16_to_float(parts.d_minimum);
    for (size_t group = 0; group < FORMATS[dtype].numbers / TTT_DTYPE_GROUP; group++) {
        const float step = d * (float)parts.scale[group], shift = d_minimum * (float)parts.minimum[group];
        for (size_t i = group * TTT_DTYPE_GROUP; i < (group + 1) * TTT_DTYPE_GROUP; i++) {
            to[i] = step * (float)parts.q[i] - shift;
        }
    }
}

/* ---------------------------------------------------------------------------------------------- all */

void ttt_dtype_to_float(ttt_dtype dtype, const void *from, size_t count, float *to) {
    const uint8_t *bytes = from;
    const size_t numbers = FORMATS[dtype].numbers, step = FORMATS[dtype].bytes;
    assert(count % numbers == 0);
    if (dtype == TTT_F32) {
        memcpy(to, from, count * sizeof *to);
    } else if (dtype == TTT_BF16) {
        for (size_t i = 0; i < count; i++) to[i] = ttt_bf16_to_float(bits_at(bytes + 2 * i));
    } else if (dtype == TTT_F16) {
        for (size_t i = 0; i < count; i++) to[i] = ttt_f16_to_float(bits_at(bytes + 2 * i));
    } else {
        for (size_t i = 0; i < count; i += numbers, bytes += step) read_block(dtype, bytes, to + i);
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
