/* Parameters and their packed forms. */
#ifndef TTT_TENSOR_CPU_WEIGHT_H
#define TTT_TENSOR_CPU_WEIGHT_H

#include "tensor/cpu/cpu.h"

ttt_status ttt_cpu_weight_new(ttt_backend *, size_t rows, size_t columns, ttt_dtype dtype, const void *data,
                              bool trainable, ttt_weight **, ttt_error *);
void ttt_cpu_weight_free(ttt_weight *);
ttt_status ttt_cpu_weight_read(const ttt_weight *, ttt_weight_part, float *to, ttt_error *);
ttt_status ttt_cpu_weight_write(ttt_weight *, ttt_weight_part, const float *from, ttt_error *);

/* Renews the packed forms from float32 values [rows, columns], on all threads. */
void ttt_cpu_weight_pack(ttt_weight *weight, const float *value);
/* Element (k, n) of a packed matrix. */
static inline ttt_bf16 ttt_packed_at(const ttt_packed *packed, size_t k, size_t n) {
    return ttt_packed_panel(packed, n / TTT_CPU_PAD)[(k / 2 * TTT_CPU_PAD + n % TTT_CPU_PAD) * 2 + k % 2];
}

#endif
