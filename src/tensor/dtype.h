/* The number formats of host data, and conversions to and from float32.
 *
 * Plain formats store every number by itself. Block formats are those of GGUF: blocks of numbers along a row share
 * scales, so a row's length must be a multiple of the block.
 *
 *            numbers  bytes   value
 *   Q8_0          32     34   d·q                       d: F16; q: int8
 *   Q4_0          32     18   d·(q - 8)                 d: F16; q: 4 bits
 *   Q4_K         256    144   d·s·q - dmin·m            d, dmin: F16; for each 32 numbers s, m: 6 bits; q: 4 bits
 *   Q6_K         256    210   d·s·(q - 32)              d: F16; for each 16 numbers s: int8; q: 6 bits */
#ifndef TTT_TENSOR_DTYPE_H
#define TTT_TENSOR_DTYPE_H

#include "tensor/backend.h"

#include <string.h>

enum { TTT_DTYPE_BLOCK_MAX = 256, TTT_DTYPE_GROUP = 16 };

const char *ttt_dtype_name(ttt_dtype dtype); /* "F32", "Q4_K", ... */
/* Numbers of a block (1 of a plain format) and its bytes. */
size_t ttt_dtype_block(ttt_dtype dtype);
size_t ttt_dtype_block_bytes(ttt_dtype dtype);
static inline bool ttt_dtype_is_plain(ttt_dtype dtype) {
    return dtype == TTT_F32 || dtype == TTT_BF16 || dtype == TTT_F16;
}
/* Bytes of a number of a plain format. */
static inline size_t ttt_dtype_size(ttt_dtype dtype) {
    return dtype == TTT_F32 ? 4 : 2;
}
/* Bytes of `count` numbers; false when count is no multiple of the block or the product does not fit a size_t. */
bool ttt_dtype_bytes(ttt_dtype dtype, size_t count, size_t *bytes);

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

/* Exponent and mantissa put where a float32 has them are the value divided by 2^112, subnormal or not. */
static inline float ttt_f16_to_float(uint16_t bits) {
    const uint32_t sign = (uint32_t)(bits & 0x8000u) << 16, magnitude = (uint32_t)(bits & 0x7FFFu) << 13;
    float value;
    memcpy(&value, &magnitude, sizeof value);
    value *= 0x1p112f;
    uint32_t wide;
    memcpy(&wide, &value, sizeof wide);
    wide |= sign;
    if (magnitude >= 0x7C00u << 13) wide = sign | 0x7F800000u | (magnitude & 0x007FFFFFu); /* infinity, NaN */
    memcpy(&value, &wide, sizeof value);
    return value;
}
uint16_t ttt_float_to_f16(float value); /* round to nearest, ties to even; too large: infinity */

/* A block taken apart. With g = i / TTT_DTYPE_GROUP, number i is (d·scale[g])·q[i] - d_minimum·minimum[g] in float32.
 */
typedef struct ttt_dtype_parts {
    uint16_t d, d_minimum; /* F16 */
    int8_t scale[TTT_DTYPE_BLOCK_MAX / TTT_DTYPE_GROUP];
    uint8_t minimum[TTT_DTYPE_BLOCK_MAX / TTT_DTYPE_GROUP];
    int8_t q[TTT_DTYPE_BLOCK_MAX];
} ttt_dtype_parts;
void ttt_dtype_take_apart(ttt_dtype dtype, const void *block, ttt_dtype_parts *parts);

/* `count` numbers of `dtype` into float32; whole blocks. `from` of any alignment. */
void ttt_dtype_to_float(ttt_dtype dtype, const void *from, size_t count, float *to);
/* The other way: plain formats, Q8_0 and Q4_0 (the others are only read). */
bool ttt_dtype_can_write(ttt_dtype dtype);
void ttt_dtype_from_float(ttt_dtype dtype, const float *from, size_t count, void *to);

#endif
