/* Parameters and the forms they are kept in. */
#ifndef TTT_TENSOR_CPU_WEIGHT_H
#define TTT_TENSOR_CPU_WEIGHT_H

#include "tensor/cpu/kernels.h"

ttt_status ttt_cpu_weight_new(ttt_backend *, size_t rows, size_t columns, ttt_dtype dtype, const void *data,
                              bool trainable, ttt_weight **, ttt_error *);
void ttt_cpu_weight_free(ttt_weight *);
ttt_status ttt_cpu_weight_read(const ttt_weight *, ttt_weight_part, float *to, ttt_error *);
ttt_status ttt_cpu_weight_write(ttt_weight *, ttt_weight_part, const float *from, ttt_error *);

/* Renews the packed forms from float32 values [rows, columns], on all threads. Not of a weight kept in blocks. */
void ttt_cpu_weight_pack(ttt_weight *weight, const float *value);
/* Makes a panel of the packed form that is not kept: rows [first, first + depth) of its depth, multiples of 32, into
 * to [depth, 32]. `slices` [32, depth] is scratch. */
void ttt_cpu_weight_panel(const ttt_weight *weight, const ttt_cpu_kernels *kernels, bool backward, size_t panel,
                          size_t first, size_t depth, float *slices, ttt_bf16 *to);
/* Row `row` of W as the products see it, [columns]. */
void ttt_cpu_weight_row(const ttt_weight *weight, const ttt_cpu_kernels *kernels, size_t row, float *to);
/* Element (k, n) of a packed matrix. */
static inline ttt_bf16 ttt_packed_at(const ttt_packed *packed, size_t k, size_t n) {
    return ttt_packed_panel(packed, n / TTT_CPU_PAD)[(k / 2 * TTT_CPU_PAD + n % TTT_CPU_PAD) * 2 + k % 2];
}

#endif
