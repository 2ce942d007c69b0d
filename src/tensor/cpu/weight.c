/* The forms of a weight. Products want panels of bf16: of Wᵀ forward (depth = in), of W on the way back, where
 * gradients go to activations (depth = out).
 *
 *                                    float32 parts   forward   backward   blocks
 *   trainable                        yes             yes       yes
 *   frozen, up to TWO_FORMS numbers                  yes       yes
 *   frozen, larger                                   yes       from forward, a piece of a panel at a time
 *   frozen, in a block format                        from blocks, likewise     yes
 *
 * What is made of blocks is a panel of float32, not rounded to bf16, on the sets whose products are in float32. Both
 * forms come as tiles of 32 × 32 numbers, the tile of one being the transpose of the other's; so a piece of a
 * panel is made tile by tile, for each row block again: of up to 96 multiply-adds a number, that is the price of
 * memory. */
#include "tensor/cpu/weight.h"

#include "base/memory.h"
#include "tensor/cpu/blocks.h"
#include "tensor/cpu/kernels.h"
#include "tensor/dtype.h"

#include <assert.h>
#include <omp.h>
#include <string.h>

enum {
    PAD = TTT_CPU_PAD,
    TILE = PAD * PAD,
    TWO_FORMS = 1 << 20,
};

/* ---- from float32 to packed, from forward to backward ---- */

static bool packed_init(ttt_packed *packed, size_t depth, size_t width) {
    size_t size;
    packed->depth = ttt_cpu_pad(depth);
    packed->width = ttt_cpu_pad(width);
    if (!ttt_size_multiply(packed->depth, packed->width, &size)) return false;
    packed->data = ttt_allocate(size, sizeof *packed->data);
    return packed->data != NULL;
}

static ttt_bf16 *panel_of(const ttt_packed *packed, size_t panel) {
    return packed->data + panel * packed->depth * PAD;
}

/* The backward form, if the weight has one, from the forward one. */
static void pack_backward(ttt_weight *weight) {
    const ttt_cpu_backend *cpu = ttt_cpu(weight->backend);
    const size_t panels = weight->backward.data == NULL ? 0 : weight->backward.width / PAD;
#pragma omp parallel for schedule(static) num_threads(cpu->threads) if (panels > 4)
    for (size_t panel = 0; panel < panels; panel++) {
        ttt_bf16 *to = panel_of(&weight->backward, panel);
        for (size_t tile = 0; tile < weight->forward.width / PAD; tile++) {
            cpu->kernels->transpose(panel_of(&weight->forward, tile) + panel * TILE, to + tile * TILE);
        }
    }
}

void ttt_cpu_weight_pack(ttt_weight *weight, const float *value) {
    const ttt_cpu_backend *cpu = ttt_cpu(weight->backend);
    const size_t panels = weight->forward.width / PAD;
#pragma omp parallel for schedule(static) num_threads(cpu->threads) if (panels > 4)
    for (size_t panel = 0; panel < panels; panel++) {
        cpu->kernels->pack(value, weight->rows, weight->columns, panel, panel_of(&weight->forward, panel));
    }
    pack_backward(weight);
    if (weight->vector != NULL) memcpy(weight->vector, value, weight->columns * sizeof *value);
}

/* ---- life ---- */

void ttt_cpu_weight_free(ttt_weight *weight) {
    if (weight == NULL) return;
    for (int part = 0; part < TTT_WEIGHT_PART_COUNT; part++) ttt_free(weight->part[part]);
    ttt_free(weight->forward.data);
    ttt_free(weight->backward.data);
    ttt_free(weight->blocks.data);
    ttt_free(weight->vector);
    ttt_free(weight);
}

static bool fill_blocks(ttt_weight *weight, ttt_dtype dtype, const void *data) {
    if (!ttt_cpu_blocks_init(&weight->blocks, dtype, weight->rows, weight->columns)) return false;
    const size_t tiles = ttt_cpu_pad(weight->rows) / PAD;
#pragma omp parallel for schedule(static) num_threads(ttt_cpu(weight->backend)->threads) if (tiles > 4)
    for (size_t tile = 0; tile < tiles; tile++) {
        ttt_cpu_blocks_pack(&weight->blocks, data, weight->rows, weight->columns, tile);
    }
    return true;
}

/* A frozen weight: every thread converts 32 rows at a time, so that the whole never exists in float32. */
static bool fill_frozen(ttt_weight *weight, ttt_dtype dtype, const void *data) {
    const ttt_cpu_backend *cpu = ttt_cpu(weight->backend);
    const size_t rows = weight->rows, columns = weight->columns, panels = ttt_cpu_pad(rows) / PAD;
    const size_t row_bytes = columns / ttt_dtype_block(dtype) * ttt_dtype_block_bytes(dtype);
    float *values = ttt_allocate((size_t)cpu->threads * PAD, columns * sizeof *values);
    if (values == NULL) return false;
#pragma omp parallel for schedule(static) num_threads(cpu->threads) if (panels > 4)
    for (size_t panel = 0; panel < panels; panel++) {
        const size_t first = panel * PAD, count = rows - first < PAD ? rows - first : PAD;
        float *own = values + (size_t)omp_get_thread_num() * PAD * columns;
        ttt_dtype_to_float(dtype, (const char *)data + first * row_bytes, count * columns, own);
        cpu->kernels->pack(own, count, columns, 0, panel_of(&weight->forward, panel));
    }
    pack_backward(weight);
    if (weight->vector != NULL) memcpy(weight->vector, values, columns * sizeof *values);
    ttt_free(values);
    return true;
}

/* Takes a weight's memory and fills it; false when there is not enough. */
static bool fill(ttt_weight *weight, size_t size, ttt_dtype dtype, const void *data) {
    const size_t rows = weight->rows, columns = weight->columns;
    if (!weight->trainable && rows > 1 && !ttt_dtype_is_plain(dtype)) return fill_blocks(weight, dtype, data);
    for (int part = 0; weight->trainable && part < TTT_WEIGHT_PART_COUNT; part++) {
        weight->part[part] = ttt_allocate(size, sizeof(float));
        if (weight->part[part] == NULL) return false;
    }
    if (!packed_init(&weight->forward, columns, rows)) return false;
    if ((weight->trainable || size <= TWO_FORMS) && !packed_init(&weight->backward, rows, columns)) return false;
    if (rows == 1) {
        weight->vector = ttt_allocate(ttt_cpu_pad(columns), sizeof *weight->vector);
        if (weight->vector == NULL) return false;
    }
    if (!weight->trainable) return fill_frozen(weight, dtype, data);
    ttt_dtype_to_float(dtype, data, size, weight->part[TTT_VALUE]);
    ttt_cpu_weight_pack(weight, weight->part[TTT_VALUE]);
    return true;
}

ttt_status ttt_cpu_weight_new(ttt_backend *backend, size_t rows, size_t columns, ttt_dtype dtype, const void *data,
                              bool trainable, ttt_weight **weight, ttt_error *err) {
    size_t size;
    assert(columns % ttt_dtype_block(dtype) == 0);
    *weight = ttt_allocate(1, sizeof **weight);
    if (*weight != NULL && ttt_size_multiply(rows, columns, &size)) {
        **weight = (ttt_weight){.backend = backend, .rows = rows, .columns = columns, .trainable = trainable};
        if (fill(*weight, size, dtype, data)) return TTT_OK;
    }
    ttt_cpu_weight_free(*weight);
    *weight = NULL;
    return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a weight of %zu x %zu numbers", rows, columns);
}

/* ---- tiles ---- */

static const ttt_cpu_kernels *kernels_of(const ttt_weight *weight) {
    return ttt_cpu(weight->backend)->kernels;
}

static void unpack_tile(const ttt_weight *weight, size_t row_tile, size_t column_tile, void *to) {
    const uint8_t *head, *tile = ttt_cpu_blocks_tile(&weight->blocks, row_tile, column_tile, &head);
    kernels_of(weight)->unpack[weight->blocks.dtype](head, tile, to);
}

void ttt_cpu_weight_unpack(const ttt_weight *weight, bool backward, size_t panel, size_t first, size_t depth,
                           void *to) {
    const ttt_cpu_kernels *kernels = kernels_of(weight);
    const bool blocks = weight->blocks.data != NULL;
    _Alignas(64) float room[TILE];
    assert(ttt_cpu_weight_packed(weight, backward) == NULL);
    char *tile = to;
    for (size_t number = first / PAD; number < (first + depth) / PAD; number++) {
        if (!blocks) {
            kernels->transpose(panel_of(&weight->forward, number) + panel * TILE, (ttt_bf16 *)(void *)tile);
        } else if (backward) {
            unpack_tile(weight, number, panel, room);
            kernels->transpose_unpacked(room, tile);
        } else {
            unpack_tile(weight, panel, number, tile);
        }
        tile += TILE * (blocks ? kernels->left_size : sizeof(ttt_bf16));
    }
}

/* A tile in the hands of a reader: either its packed or its float32 numbers, the other is NULL. */
typedef struct tile_view {
    const ttt_bf16 *packed;
    const float *wide;
    float room[TILE]; /* where blocks are unpacked */
} tile_view;

/* Rows from 32·row_tile and columns from 32·column_tile on. */
static void view_tile(const ttt_weight *weight, size_t row_tile, size_t column_tile, tile_view *tile) {
    tile->packed = NULL;
    tile->wide = NULL;
    if (weight->forward.data != NULL) {
        tile->packed = panel_of(&weight->forward, row_tile) + column_tile * TILE;
        return;
    }
    unpack_tile(weight, row_tile, column_tile, tile->room);
    if (weight->backend->ops->block_dtype == TTT_F32) {
        tile->wide = tile->room;
    } else {
        tile->packed = (const ttt_bf16 *)tile->room;
    }
}

static float number_of(const tile_view *tile, size_t n, size_t k) {
    return tile->wide != NULL ? tile->wide[k * PAD + n]
                              : ttt_bf16_to_float(tile->packed[(k / 2 * PAD + n) * 2 + k % 2]);
}

void ttt_cpu_weight_row(const ttt_weight *weight, size_t row, float *to) {
    tile_view tile;
    for (size_t first = 0; first < weight->columns; first += PAD) {
        view_tile(weight, row / PAD, first / PAD, &tile);
        for (size_t k = first; k < first + PAD && k < weight->columns; k++)
            to[k] = number_of(&tile, row % PAD, k % PAD);
    }
}

void ttt_cpu_weight_column(const ttt_weight *weight, size_t column, float *to) {
    tile_view tile;
    for (size_t first = 0; first < weight->rows; first += PAD) {
        view_tile(weight, first / PAD, column / PAD, &tile);
        for (size_t n = first; n < first + PAD && n < weight->rows; n++) {
            to[n] = number_of(&tile, n % PAD, column % PAD);
        }
    }
}

/* ---- copies for the host ---- */

ttt_status ttt_cpu_weight_read(const ttt_weight *weight, ttt_weight_part part, float *to, ttt_error *err) {
    (void)err;
    assert(part == TTT_VALUE || weight->trainable);
    if (weight->trainable) {
        memcpy(to, weight->part[part], weight->rows * weight->columns * sizeof *to);
    } else if (weight->vector != NULL) {
        memcpy(to, weight->vector, weight->columns * sizeof *to);
    } else {
        for (size_t n = 0; n < weight->rows; n++) ttt_cpu_weight_row(weight, n, to + n * weight->columns);
    }
    return TTT_OK;
}

ttt_status ttt_cpu_weight_write(ttt_weight *weight, ttt_weight_part part, const float *from, ttt_error *err) {
    (void)err;
    assert(part == TTT_VALUE || weight->trainable);
    assert(weight->blocks.data == NULL);
    if (weight->trainable) memcpy(weight->part[part], from, weight->rows * weight->columns * sizeof *from);
    if (part == TTT_VALUE) ttt_cpu_weight_pack(weight, from);
    return TTT_OK;
}
