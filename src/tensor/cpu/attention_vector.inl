/* The operands and products of attention in float32 vectors: what attention_avx512.c and attention_avx2.c share. They
 * include this file after the vectors of their instruction set. bf16 becomes float32 when an operand is made; every
 * product is one loop of broadcast, multiply, add over rows of the right operand, whose lanes are columns.
 *
 * A sum over the inner dimension runs upward from what the destination holds, one rounding a term: however many
 * columns a product has, the bits are the same. */
#include "tensor/cpu/attention_kernel.h"
#include "tensor/dtype.h"

#include <math.h>
#include <string.h>

typedef float form;

/* c [ROWS][vectors] += a [ROWS][inner]·b [inner][vectors], kept in registers over `pieces` such products: a and b move
 * on by a_step and b_step numbers from piece to piece. Strides in numbers. */
static inline __attribute__((always_inline)) void multiply(const float *a, int a_stride, size_t a_step, const float *b,
                                                           int b_stride, size_t b_step, int inner, int pieces, float *c,
                                                           int c_stride, int vectors, const float *start) {
    vf sum[PRODUCT_ROWS][PRODUCT_VECTORS];
    for (int r = 0; r < PRODUCT_ROWS; r++) {
        for (int v = 0; v < vectors; v++)
            sum[r][v] = vf_load(start != NULL ? start + v * VLEN : c + r * c_stride + v * VLEN);
    }
    for (int piece = 0; piece < pieces; piece++, a += a_step, b += b_step) {
        for (int k = 0; k < inner; k++) {
            vf right[PRODUCT_VECTORS];
            for (int v = 0; v < vectors; v++) right[v] = vf_load(b + k * b_stride + v * VLEN);
            for (int r = 0; r < PRODUCT_ROWS; r++) {
                const vf left = vf_set(a[r * a_stride + k]);
                for (int v = 0; v < vectors; v++) sum[r][v] = vf_fma(left, right[v], sum[r][v]);
            }
        }
    }
    for (int r = 0; r < PRODUCT_ROWS; r++) {
        for (int v = 0; v < vectors; v++) vf_store(c + r * c_stride + v * VLEN, sum[r][v]);
    }
}

static const _Alignas(64) float zeros[ATTENTION_STRIP];

/* out [64][32] = rows [64][dim]·columns [dim][32] + start [32] (NULL: 0) of every row, for the first `vectors`. */
static inline __attribute__((always_inline)) void
product_scores(const form *rows, const form *columns, const float *start, float *out, int32_t dim, int vectors) {
    const int step = vectors < PRODUCT_VECTORS ? vectors : PRODUCT_VECTORS;
    if (start == NULL) start = zeros;
    for (int r = 0; r < TTT_PAGE; r += PRODUCT_ROWS) {
        for (int v = 0; v < vectors; v += step) {
            multiply(rows + r * dim, dim, 0, columns + v * VLEN, ATTENTION_STRIP, 0, dim, 1,
                     out + r * ATTENTION_STRIP + v * VLEN, ATTENTION_STRIP, step, start + v * VLEN);
        }
    }
}

/* sum [dim][32] += rows [dim][64]·weights [64][32], for the first `vectors`. */
static inline __attribute__((always_inline)) void product_transposed(const form *rows, const form *weights, float *sum,
                                                                     int32_t dim, int vectors) {
    const int step = vectors < PRODUCT_VECTORS ? vectors : PRODUCT_VECTORS;
    for (int r = 0; r < dim; r += PRODUCT_ROWS) {
        for (int v = 0; v < vectors; v += step) {
            multiply(rows + r * TTT_PAGE, TTT_PAGE, 0, weights + v * VLEN, ATTENTION_STRIP, 0, TTT_PAGE, 1,
                     sum + r * ATTENTION_STRIP + v * VLEN, ATTENTION_STRIP, step, NULL);
        }
    }
}

/* sum [64][dim] += the sum over strips of weights [64][32]·rows [32][dim]. */
static void product_rows(const form *weights, const form *rows, int strips, float *sum, int32_t dim) {
    for (int r = 0; r < TTT_PAGE; r += PRODUCT_ROWS) {
        for (int32_t d = 0; d < dim; d += PRODUCT_VECTORS * VLEN) {
            multiply(weights + r * ATTENTION_STRIP, ATTENTION_STRIP, TTT_PAGE * ATTENTION_STRIP, rows + d, dim,
                     (size_t)ATTENTION_STRIP * (size_t)dim, ATTENTION_STRIP, strips, sum + r * dim + d, dim,
                     PRODUCT_VECTORS, NULL);
        }
    }
}

/* Columns of a strip as [padded_dim][32]. */
static void pack_columns(form *to, const uint16_t *matrix, const attention_strip *strip, int32_t dim,
                         int32_t padded_dim) {
    memset(to, 0, (size_t)padded_dim * ATTENTION_STRIP * sizeof *to);
    for (int c = 0; c < strip->columns; c++) {
        const uint16_t *from = matrix + strip->offset[c];
        for (int32_t d = 0; d < dim; d++) to[d * ATTENTION_STRIP + c] = ttt_bf16_to_float(from[d]);
    }
}

/* Columns of a strip as [32][padded_dim]. */
static void pack_rows(form *to, const uint16_t *matrix, const attention_strip *strip, int32_t dim, int32_t padded_dim) {
    memset(to, 0, (size_t)padded_dim * ATTENTION_STRIP * sizeof *to);
    for (int c = 0; c < strip->columns; c++) {
        const uint16_t *from = matrix + strip->offset[c];
        for (int32_t d = 0; d < dim; d++) to[c * padded_dim + d] = ttt_bf16_to_float(from[d]);
    }
}

/* Keys `key` and key + 1 of Pᵀ. */
static inline __attribute__((always_inline)) void put_weights(form *to, int key, const vf *even, const vf *odd,
                                                              int vectors) {
    for (int v = 0; v < vectors; v++) {
        vf_store(to + key * ATTENTION_STRIP + v * VLEN, even[v]);
        vf_store(to + (key + 1) * ATTENTION_STRIP + v * VLEN, odd[v]);
    }
}

/* Keys `key` and key + 1 of Pᵀ and dSᵀ. As rows of the left operand or of the right one they are the same. */
static inline __attribute__((always_inline)) void put_gradients(form *weights, form *dweights, form *right, int key,
                                                                vf p[2][ATTENTION_STRIP / VLEN],
                                                                vf ds[2][ATTENTION_STRIP / VLEN]) {
    (void)right;
    for (int i = 0; i < 2; i++) {
        for (int v = 0; v < ATTENTION_STRIP / VLEN; v++) {
            vf_store(weights + (key + i) * ATTENTION_STRIP + v * VLEN, p[i][v]);
            vf_store(dweights + (key + i) * ATTENTION_STRIP + v * VLEN, ds[i][v]);
        }
    }
}

static inline const form *right_operand(const form *right, const form *dweights) {
    (void)right;
    return dweights;
}

/* A page of the store as an operand. */
static inline const form *open_page(form *room, const uint16_t *page, int32_t numbers) {
    for (int32_t i = 0; i < numbers; i += VLEN) vf_store(room + i, vf_load_bf16(page + i));
    return room;
}

/* Columns of `from` [dim][32] times factor [32] into the strip's places of a bf16 matrix. */
static void write_columns(uint16_t *matrix, const attention_strip *strip, const float *from, const float *factor,
                          int32_t dim, bool unpacked) {
    (void)unpacked;
    for (int c = 0; c < strip->columns; c++) {
        uint16_t *to = matrix + strip->offset[c];
        for (int32_t d = 0; d < dim; d++) to[d] = ttt_float_to_bf16(from[d * ATTENTION_STRIP + c] * factor[c]);
    }
}

static void write_row(uint16_t *to, const float *from, float factor, int32_t dim) {
    for (int32_t d = 0; d < dim; d++) to[d] = ttt_float_to_bf16(from[d] * factor);
}

/* to [columns][rows] = from [rows][columns]. */
static void transpose_page(uint16_t *to, const uint16_t *from, int32_t rows, int32_t columns) {
    for (int32_t r = 0; r < rows; r++) {
        for (int32_t c = 0; c < columns; c++) to[c * rows + r] = from[r * columns + c];
    }
}

static void thread_nothing(void) {}
