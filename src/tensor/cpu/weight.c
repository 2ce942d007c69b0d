/* A weight is kept in two packed forms: for products with it (depth = in) and for those with its transpose, which carry
 * gradients to activations (depth = out). Both are bf16; the float32 master exists only where it is trained. */
#include "tensor/cpu/weight.h"

#include "base/memory.h"
#include "tensor/cpu/kernels.h"
#include "tensor/dtype.h"

#include <assert.h>
#include <string.h>

static bool packed_init(ttt_packed *packed, size_t depth, size_t width) {
    size_t size;
    packed->depth = ttt_cpu_pad(depth);
    packed->width = ttt_cpu_pad(width);
    if (!ttt_size_multiply(packed->depth, packed->width, &size)) return false;
    packed->data = ttt_allocate(size, sizeof *packed->data);
    return packed->data != NULL;
}

void ttt_cpu_weight_pack(ttt_weight *weight, const float *value) {
    const ttt_cpu_backend *cpu = ttt_cpu(weight->backend);
    const ttt_packed *forward = &weight->forward, *backward = &weight->backward;
    const size_t first = forward->width / TTT_CPU_PAD, all = first + backward->width / TTT_CPU_PAD;
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

void ttt_cpu_weight_free(ttt_weight *weight) {
    if (weight == NULL) return;
    for (int part = 0; part < TTT_WEIGHT_PART_COUNT; part++) ttt_free(weight->part[part]);
    ttt_free(weight->forward.data);
    ttt_free(weight->backward.data);
    ttt_free(weight->vector);
    ttt_free(weight);
}

ttt_status ttt_cpu_weight_new(ttt_backend *backend, size_t rows, size_t columns, ttt_dtype dtype, const void *data,
                              bool trainable, ttt_weight **weight, ttt_error *err) {
    *weight = NULL;
    size_t size;
    float *value = NULL; /* of a weight that keeps no master */
    ttt_weight *fresh = ttt_allocate(1, sizeof *fresh);
    if (fresh == NULL || !ttt_size_multiply(rows, columns, &size)) goto no_memory;
    *fresh = (ttt_weight){.backend = backend, .rows = rows, .columns = columns, .trainable = trainable};
    for (int part = 0; trainable && part < TTT_WEIGHT_PART_COUNT; part++) {
        fresh->part[part] = ttt_allocate(size, sizeof(float));
        if (fresh->part[part] == NULL) goto no_memory;
    }
    if (!trainable) value = ttt_allocate(size, sizeof *value);
    if (!trainable && value == NULL) goto no_memory;
    if (!packed_init(&fresh->forward, columns, rows) || !packed_init(&fresh->backward, rows, columns)) goto no_memory;
    if (rows == 1) {
        fresh->vector = ttt_allocate(ttt_cpu_pad(columns), sizeof *fresh->vector);
        if (fresh->vector == NULL) goto no_memory;
    }
    float *source = trainable ? fresh->part[TTT_VALUE] : value;
    ttt_dtype_to_float(dtype, data, size, source);
    ttt_cpu_weight_pack(fresh, source);
    ttt_free(value);
    *weight = fresh;
    return TTT_OK;

no_memory:
    ttt_free(value);
    ttt_cpu_weight_free(fresh);
    return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a weight of %zu x %zu numbers", rows, columns);
}

ttt_status ttt_cpu_weight_read(const ttt_weight *weight, ttt_weight_part part, float *to, ttt_error *err) {
    (void)err;
    assert(part == TTT_VALUE || weight->trainable);
    if (weight->trainable) {
        memcpy(to, weight->part[part], weight->rows * weight->columns * sizeof *to);
    } else if (weight->vector != NULL) {
        memcpy(to, weight->vector, weight->columns * sizeof *to);
    } else {
        for (size_t n = 0; n < weight->rows; n++) {
            for (size_t k = 0; k < weight->columns; k++) {
                to[n * weight->columns + k] = ttt_bf16_to_float(ttt_packed_at(&weight->forward, k, n));
            }
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
