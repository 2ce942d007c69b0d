/* Parameters and their forms. */
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

/* The packed form that products want, Wᵀ or (backward) W; NULL if the weight has it not. */
static inline const ttt_packed *ttt_cpu_weight_packed(const ttt_weight *weight, bool backward) {
    const ttt_packed *packed = backward ? &weight->backward : &weight->forward;
    return packed->data == NULL ? NULL : packed;
}
/* What that form would have as rows [first, first + depth) of its panel `panel`, into to[depth, 32]: unpacked if the
 * weight is kept in blocks, else packed. first and depth are multiples of 32. */
void ttt_cpu_weight_unpack(const ttt_weight *weight, bool backward, size_t panel, size_t first, size_t depth, void *to);
/* A row [columns] or a column [rows] of W as products see it. */
void ttt_cpu_weight_row(const ttt_weight *weight, size_t row, float *to);
void ttt_cpu_weight_column(const ttt_weight *weight, size_t column, float *to);

#endif
