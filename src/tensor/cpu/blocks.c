/* Block formats into tiles; see blocks.h. It runs once, when a weight is made. */
#include "tensor/cpu/blocks.h"

#include "base/memory.h"
#include "tensor/dtype.h"

#include <assert.h>
#include <string.h>

enum { PAD = TTT_CPU_PAD, NIBBLES = PAD * PAD / 2 };

static const struct {
    size_t tiles, head, tile; /* tiles that share a head; bytes of a head and of a tile */
} FORMS[TTT_DTYPE_COUNT] = {
    [TTT_Q8_0] = {1, 2 * PAD, PAD *PAD},
    [TTT_Q4_0] = {1, 2 * PAD, NIBBLES},
    [TTT_Q4_K] = {8, 4 * PAD, 2 * PAD + NIBBLES},
    [TTT_Q6_K] = {8, 2 * PAD, 2 * PAD + NIBBLES + NIBBLES / 2},
};

/* A head with its tiles. */
static size_t group_bytes(ttt_dtype dtype) {
    return FORMS[dtype].head + FORMS[dtype].tiles * FORMS[dtype].tile;
}

bool ttt_cpu_blocks_init(ttt_blocks *blocks, ttt_dtype dtype, size_t rows, size_t columns) {
    assert(columns % ttt_dtype_block(dtype) == 0);
    blocks->dtype = dtype;
    blocks->row_tile_bytes = columns / PAD / FORMS[dtype].tiles * group_bytes(dtype);
    blocks->data = ttt_allocate(ttt_cpu_pad(rows) / PAD, blocks->row_tile_bytes);
    return blocks->data != NULL;
}

const uint8_t *ttt_cpu_blocks_tile(const ttt_blocks *blocks, size_t row_tile, size_t column_tile,
                                   const uint8_t **head) {
    const ttt_dtype dtype = blocks->dtype;
    *head = blocks->data + row_tile * blocks->row_tile_bytes + column_tile / FORMS[dtype].tiles * group_bytes(dtype);
    return *head + FORMS[dtype].head + column_tile % FORMS[dtype].tiles * FORMS[dtype].tile;
}

static void put_bytes(uint8_t *to, size_t n, const int8_t *q) {
    for (size_t k = 0; k < PAD; k++) to[k * PAD + n] = (uint8_t)q[k];
}

/* The lower four bits of q + offset. */
static void put_nibbles(uint8_t *to, size_t n, const int8_t *q, int offset) {
    for (size_t k = 0; k < PAD; k += 2) {
        to[k / 2 * PAD + n] = (uint8_t)(((q[k] + offset) & 15) | ((q[k + 1] + offset) & 15) << 4);
    }
}

/* The upper two of six bits. */
static void put_pairs(uint8_t *to, size_t n, const int8_t *q, int offset) {
    for (size_t k = 0; k < PAD; k += 4) {
        int byte = 0;
        for (int i = 0; i < 4; i++) byte |= ((q[k + (size_t)i] + offset) >> 4 & 3) << 2 * i;
        to[k / 4 * PAD + n] = (uint8_t)byte;
    }
}

/* 32 numbers of row n of a row tile, from number `first` of a block on. */
static void put(ttt_dtype dtype, const ttt_dtype_parts *parts, size_t first, size_t n, uint8_t *tile) {
    const int8_t *q = parts->q + first;
    const size_t group = first / TTT_DTYPE_GROUP;
    switch (dtype) {
    case TTT_Q8_0: put_bytes(tile, n, q); break;
    case TTT_Q4_0: put_nibbles(tile, n, q, 8); break;
    case TTT_Q4_K:
        tile[n] = (uint8_t)parts->scale[group];
        tile[PAD + n] = parts->minimum[group];
        put_nibbles(tile + 2 * PAD, n, q, 0);
        break;
    case TTT_Q6_K:
        tile[n] = (uint8_t)parts->scale[group];
        tile[PAD + n] = (uint8_t)parts->scale[group + 1];
        put_nibbles(tile + 2 * PAD, n, q, 32);
        put_pairs(tile + 2 * PAD + NIBBLES, n, q, 32);
        break;
    default: assert(false);
    }
}

void ttt_cpu_blocks_pack(ttt_blocks *blocks, const void *data, size_t rows, size_t columns, size_t tile) {
    const ttt_dtype dtype = blocks->dtype;
    const size_t numbers = ttt_dtype_block(dtype), row_bytes = columns / numbers * ttt_dtype_block_bytes(dtype);
    const size_t count = rows - tile * PAD < PAD ? rows - tile * PAD : PAD;
    for (size_t n = 0; n < count; n++) {
        const uint8_t *from = (const uint8_t *)data + (tile * PAD + n) * row_bytes;
        for (size_t column = 0; column < columns; column += numbers, from += ttt_dtype_block_bytes(dtype)) {
            ttt_dtype_parts parts;
            ttt_dtype_take_apart(dtype, from, &parts);
            for (size_t k = 0; k < numbers; k += PAD) {
                const uint8_t *head, *to = ttt_cpu_blocks_tile(blocks, tile, (column + k) / PAD, &head);
                memcpy((uint8_t *)head + 2 * n, &parts.d, sizeof parts.d);
                if (dtype == TTT_Q4_K) memcpy((uint8_t *)head + 2 * (PAD + n), &parts.d_minimum, sizeof parts.d);
                put(dtype, &parts, k, n, (uint8_t *)to);
            }
        }
    }
}
