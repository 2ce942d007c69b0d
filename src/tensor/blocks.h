/* The block formats of dtype.h, a slice of 32 numbers at a time: all formats have whole slices, whatever their blocks.
 * Inline, so that every instruction set compiles them for itself. */
#ifndef TTT_TENSOR_BLOCKS_H
#define TTT_TENSOR_BLOCKS_H

#include "tensor/dtype.h"

enum { TTT_SLICE = 32 };

static inline float ttt_f16_at(const uint8_t *from) {
    return ttt_f16_to_float((uint16_t)(from[0] | from[1] << 8));
}

static inline void ttt_slice_q8_0(const uint8_t *block, float *to) {
    const float d = ttt_f16_at(block);
    const uint8_t *bytes = block + 2;
    for (int i = 0; i < TTT_SLICE; i++) to[i] = d * (float)(int8_t)bytes[i];
}

/* Byte i holds numbers i and i + 16. */
static inline void ttt_slice_q4_0(const uint8_t *block, float *to) {
    const float d = ttt_f16_at(block);
    for (int i = 0; i < TTT_SLICE / 2; i++) {
        to[i] = d * (float)((block[2 + i] & 15) - 8);
        to[TTT_SLICE / 2 + i] = d * (float)((block[2 + i] >> 4) - 8);
    }
}

/* Slice `slice` of the eight of a block. Six bits each of scale and minimum for every slice lie in twelve bytes: the
 * first four whole in bytes 0..3 and 4..7, whose upper two bits, with the nibbles of bytes 8..11, are the other four.
 * Two slices share 32 bytes of nibbles, lower and upper. */
static inline void ttt_slice_q4_k(const uint8_t *block, size_t slice, float *to) {
    const uint8_t *packed = block + 4, *nibbles = block + 16 + slice / 2 * 32;
    int scale, minimum;
    if (slice < 4) {
        scale = packed[slice] & 63;
        minimum = packed[slice + 4] & 63;
    } else {
        scale = (packed[slice + 4] & 15) | (packed[slice - 4] >> 6) << 4;
        minimum = (packed[slice + 4] >> 4) | (packed[slice] >> 6) << 4;
    }
    const float step = ttt_f16_at(block) * (float)scale, shift = ttt_f16_at(block + 2) * (float)minimum;
    const int down = slice % 2 == 0 ? 0 : 4;
    for (int i = 0; i < TTT_SLICE; i++) to[i] = step * (float)(nibbles[i] >> down & 15) - shift;
}

/* A block is two halves of four slices: 64 bytes of nibbles (slices 0 and 1 the lower ones, 2 and 3 the upper ones), 32
 * bytes with two upper bits for each slice, two scales for each slice. */
static inline void ttt_slice_q6_k(const uint8_t *block, size_t slice, float *to) {
    const size_t half = slice / 4, part = slice % 4;
    const uint8_t *low = block + 64 * half + 32 * (part % 2), *high = block + 128 + 32 * half;
    const uint8_t *scales = block + 192 + 8 * half + 2 * part;
    const float d = ttt_f16_at(block + 208);
    const int down = part < 2 ? 0 : 4, bits = 2 * (int)part;
    for (int j = 0; j < 2; j++) {
        const float step = d * (float)(int8_t)scales[j];
        for (int i = 16 * j; i < 16 * j + 16; i++) {
            to[i] = step * (float)(((low[i] >> down & 15) | (high[i] >> bits & 3) << 4) - 32);
        }
    }
}

/* Numbers [first, first + count) of a row of blocks; both multiples of TTT_SLICE. */
static inline void ttt_slices_read(ttt_dtype dtype, const uint8_t *row, size_t first, size_t count, float *to) {
    for (size_t at = first; at < first + count; at += TTT_SLICE, to += TTT_SLICE) {
        switch (dtype) {
        case TTT_Q8_0: ttt_slice_q8_0(row + at / 32 * 34, to); break;
        case TTT_Q4_0: ttt_slice_q4_0(row + at / 32 * 18, to); break;
        case TTT_Q4_K: ttt_slice_q4_k(row + at / 256 * 144, at % 256 / TTT_SLICE, to); break;
        case TTT_Q6_K: ttt_slice_q6_k(row + at / 256 * 210, at % 256 / TTT_SLICE, to); break;
        default: break; /* plain formats have no blocks */
        }
    }
}

#endif
