/* Products want a weight packed in bf16: for y = x·Wᵀ (depth = in), or for dx = dy·W (depth = out). What is kept:
 *
 *   trainable            the float32 master and both packed forms, renewed after every step
 *   frozen and small     both packed forms
 *   frozen and large     the forward form alone; panels of the other are transposed from it when they are needed
 *   frozen, in blocks    the blocks as they came (Q8_0, Q4_0, ...); panels of both forms are unpacked from them
 *
 * A panel that is made on the way serves the rows of a row block, so with whole row blocks of TTT_CPU_BLOCK rows making
 * it costs a few operations a number beside the two times TTT_CPU_BLOCK of the product. It holds the same bf16 numbers
 * as a packed form would, so that results do not depend on what is kept. */
#include "tensor/cpu/weight.h"

#include "base/memory.h"
#include "tensor/dtype.h"

#include <assert.h>
#include <omp.h>
#include <string.h>

/* Up to so many numbers a frozen weight is small: both forms take 4 MB then, and a model of such weights little beside
 * the activations of its training. */
enum { SMALL = 1 << 20 };

static bool is_small(const ttt_weight *weight) {
    return weight->rows <= SMALL / weight->columns;
}

static bool packed_init(ttt_packed *packed, bool kept, size_t depth, size_t width) {
    size_t size;
    packed->depth = ttt_cpu_pad(depth);
    packed->width = ttt_cpu_pad(width);
    if (!kept) return true;
    if (!ttt_size_multiply(packed->depth, packed->width, &size)) return false;
    packed->data = ttt_allocate(size, sizeof *packed->data);
    return packed->data != NULL;
}

/* ---------------------------------------------------------------------------------------------- packing */

void ttt_cpu_weight_pack(ttt_weight *weight, const float *value) {
    const ttt_cpu_backend *cpu = ttt_cpu(weight->backend);
    const ttt_packed *forward = &weight->forward, *backward = &weight->backward;
    assert(weight->blocks == NULL);
    const size_t first = forward->width / TTT_CPU_PAD;
    const size_t all = first + (backward->data == NULL ? 0 : backward->width / TTT_CPU_PAD);
#pragma omp parallel for schedule(static) num_threads(cpu->threads) if (all > 4)
    for (size_t i = 0; i < all; i++) {
        if (i < first) {
            cpu->kernels->pack_transposed(value, weight->rows, weight->columns, i,
                                          forward->data + i * forward->depth * TTT_CPU_PAD);
        } else {
            cpu->kernels->pack_rows(value, weight->rows, weight->columns, i - first,
                                    backward->data + (i - first) * backward->depth * TTT_CPU_PAD);
        }
    }
    if (weight->vector != NULL) memcpy(weight->vector, value, weight->columns * sizeof *value);
}

/* The forward form alone, from host data, a panel's rows in float32 at a time: a whole matrix in float32 would take
 * more memory than the model. */
static bool pack_in_pieces(ttt_weight *weight, ttt_dtype dtype, const uint8_t *data) {
    const ttt_cpu_backend *cpu = ttt_cpu(weight->backend);
    const ttt_packed *forward = &weight->forward;
    const size_t columns = weight->columns, row_bytes = columns * ttt_dtype_size(dtype);
    const size_t panels = forward->width / TTT_CPU_PAD;
    size_t size;
    if (!ttt_size_multiply((size_t)cpu->threads * TTT_CPU_PAD, columns, &size)) return false;
    float *rows = ttt_allocate(size, sizeof *rows);
    if (rows == NULL) return false;
#pragma omp parallel for schedule(static) num_threads(cpu->threads)
    for (size_t panel = 0; panel < panels; panel++) {
        const size_t first = panel * TTT_CPU_PAD, left = weight->rows - first;
        const size_t count = left < TTT_CPU_PAD ? left : TTT_CPU_PAD;
        float *own = rows + (size_t)omp_get_thread_num() * TTT_CPU_PAD * columns;
        ttt_dtype_to_float(dtype, data + first * row_bytes, count * columns, own);
        cpu->kernels->pack_transposed(own, count, columns, 0, forward->data + panel * forward->depth * TTT_CPU_PAD);
    }
    ttt_free(rows);
    return true;
}

/* ---------------------------------------------------------------------------------------------- unpacking */

void ttt_cpu_weight_panel(const ttt_weight *weight, const ttt_cpu_kernels *kernels, bool backward, size_t panel,
                          size_t first, size_t depth, float *slices, ttt_bf16 *to) {
    if (weight->blocks == NULL) {
        assert(backward);
        kernels->transpose_panel(&weight->forward, panel, first, depth, to);
    } else if (backward) {
        for (size_t row = first; row < first + depth; row++) {
            float *slice = slices + (row - first) * TTT_CPU_PAD;
            if (row < weight->rows) {
                kernels->read_slices(weight->dtype, weight->blocks + row * weight->row_bytes, panel * TTT_CPU_PAD,
                                     TTT_CPU_PAD, slice);
            } else {
                memset(slice, 0, TTT_CPU_PAD * sizeof *slice);
            }
        }
        kernels->pack_rows(slices, depth, TTT_CPU_PAD, 0, to);
    } else {
        const size_t left = weight->rows - panel * TTT_CPU_PAD, count = left < TTT_CPU_PAD ? left : TTT_CPU_PAD;
        const uint8_t *row = weight->blocks + panel * TTT_CPU_PAD * weight->row_bytes;
        for (size_t n = 0; n < count; n++, row += weight->row_bytes) {
            kernels->read_slices(weight->dtype, row, first, depth, slices + n * depth);
        }
        kernels->pack_transposed(slices, count, depth, 0, to);
    }
}

void ttt_cpu_weight_row(const ttt_weight *weight, const ttt_cpu_kernels *kernels, size_t row, float *to) {
    if (weight->blocks != NULL) {
        kernels->read_slices(weight->dtype, weight->blocks + row * weight->row_bytes, 0, weight->columns, to);
        for (size_t k = 0; k < weight->columns; k++) to[k] = ttt_bf16_to_float(ttt_float_to_bf16(to[k]));
    } else {
        for (size_t k = 0; k < weight->columns; k++) {
            to[k] = ttt_bf16_to_float(ttt_packed_at(&weight->forward, k, row));
        }
    }
}

/* ---------------------------------------------------------------------------------------------- life */

void ttt_cpu_weight_free(ttt_weight *weight) {
    if (weight == NULL) return;
    for (int part = 0; part < TTT_WEIGHT_PART_COUNT; part++) ttt_free(weight->part[part]);
    ttt_free(weight->forward.data);
    ttt_free(weight->backward.data);
    ttt_free(weight->blocks);
    ttt_free(weight->vector);
    ttt_free(weight);
}

/* Memory for what the weight keeps; false: there is not enough. */
static bool take_memory(ttt_weight *weight, ttt_dtype dtype) {
    const size_t rows = weight->rows, columns = weight->columns;
    size_t size;
    if (!ttt_size_multiply(rows, columns, &size)) return false;
    for (int part = 0; weight->trainable && part < TTT_WEIGHT_PART_COUNT; part++) {
        weight->part[part] = ttt_allocate(size, sizeof(float));
        if (weight->part[part] == NULL) return false;
    }
    if (rows == 1) {
        weight->vector = ttt_allocate(ttt_cpu_pad(columns), sizeof *weight->vector);
        if (weight->vector == NULL) return false;
    }
    const bool in_blocks = !weight->trainable && rows > 1 && !ttt_dtype_is_plain(dtype);
    if (in_blocks) {
        weight->dtype = dtype;
        if (!ttt_dtype_bytes(dtype, columns, &weight->row_bytes)) return false;
        weight->blocks = ttt_allocate(rows, weight->row_bytes);
        if (weight->blocks == NULL) return false;
    }
    const bool both = weight->trainable || is_small(weight);
    return packed_init(&weight->forward, !in_blocks, columns, rows) &&
           packed_init(&weight->backward, !in_blocks && both, rows, columns);
}

static bool fill(ttt_weight *weight, ttt_dtype dtype, const void *data) {
    const size_t size = weight->rows * weight->columns;
    if (weight->blocks != NULL) {
        memcpy(weight->blocks, data, weight->rows * weight->row_bytes);
        return true;
    }
    if (weight->backward.data == NULL) return pack_in_pieces(weight, dtype, data);
    float *value = weight->trainable ? weight->part[TTT_VALUE] : ttt_allocate(size, sizeof *value);
    if (value == NULL) return false;
    ttt_dtype_to_float(dtype, data, size, value);
    ttt_cpu_weight_pack(weight, value);
    if (!weight->trainable) ttt_free(value);
    return true;
}

ttt_status ttt_cpu_weight_new(ttt_backend *backend, size_t rows, size_t columns, ttt_dtype dtype, const void *data,
                              bool trainable, ttt_weight **weight, ttt_error *err) {
    ttt_weight *fresh = ttt_allocate(1, sizeof *fresh);
    *weight = fresh;
    if (fresh != NULL) {
        *fresh = (ttt_weight){.backend = backend, .rows = rows, .columns = columns, .trainable = trainable};
        if (take_memory(fresh, dtype) && fill(fresh, dtype, data)) return TTT_OK;
    }
    ttt_cpu_weight_free(fresh);
    *weight = NULL;
    return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a weight of %zu x %zu numbers", rows, columns);
}

ttt_status ttt_cpu_weight_read(const ttt_weight *weight, ttt_weight_part part, float *to, ttt_error *err) {
    (void)err;
    assert(part == TTT_VALUE || weight->trainable);
    if (weight->trainable) {
        memcpy(to, weight->part[part], weight->rows * weight->columns * sizeof *to);
    } else if (weight->vector != NULL) {
        memcpy(to, weight->vector, weight->columns * sizeof *to);
    } else if (weight->blocks != NULL) {
        ttt_dtype_to_float(weight->dtype, weight->blocks, weight->rows * weight->columns, to);
    } else {
        const ttt_cpu_kernels *kernels = ttt_cpu(weight->backend)->kernels;
        for (size_t row = 0; row < weight->rows; row++) {
            ttt_cpu_weight_row(weight, kernels, row, to + row * weight->columns);
        }
    }
    return TTT_OK;
}

ttt_status ttt_cpu_weight_write(ttt_weight *weight, ttt_weight_part part, const float *from, ttt_error *err) {
    (void)err;
    assert(part == TTT_VALUE || weight->trainable);
    if (weight->trainable) memcpy(weight->part[part], from, weight->rows * weight->columns * sizeof *from);
    if (part == TTT_VALUE) ttt_cpu_weight_pack(weight, from);
    return TTT_OK;
}
