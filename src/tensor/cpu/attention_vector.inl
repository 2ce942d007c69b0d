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
enum { KEY_GRAIN = PRODUCT_ROWS }; /* products take keys in multiples of this */

/* A left operand: number (row, k) lies at data[row · row_step + k · inner_step], and piece by piece piece_step further.
 */
typedef struct left_operand {
    const float *data;
    int row_step, inner_step;
    size_t piece_step;
} left_operand;

/* c [PRODUCT_ROWS][vectors] = start [vectors] of every row (NULL: what c holds) + a·b, where b [inner][...] has
 * b_stride numbers a row. `pieces` such products are summed up, b moving on by b_step. */
ALWAYS_INLINE void multiply(left_operand a, int row, const float *b, int b_stride, size_t b_step, int inner, int pieces,
                            float *c, int c_stride, const float *start, int vectors) {
    const float *left = a.data + row * a.row_step;
    vf sum[PRODUCT_ROWS][PRODUCT_VECTORS];
    c += row * c_stride;
    for (int r = 0; r < PRODUCT_ROWS; r++) {
        const float *from = start != NULL ? start : c + r * c_stride;
        for (int v = 0; v < vectors; v++) sum[r][v] = vf_load(from + v * VLEN);
    }
    for (int piece = 0; piece < pieces; piece++, left += a.piece_step, b += b_step) {
        for (int k = 0; k < inner; k++) {
            vf right[PRODUCT_VECTORS];
            for (int v = 0; v < vectors; v++) right[v] = vf_load(b + k * b_stride + v * VLEN);
            for (int r = 0; r < PRODUCT_ROWS; r++) {
                const vf number = vf_set(left[r * a.row_step + k * a.inner_step]);
                for (int v = 0; v < vectors; v++) sum[r][v] = vf_fma(number, right[v], sum[r][v]);
            }
        }
    }
    for (int r = 0; r < PRODUCT_ROWS; r++) {
        for (int v = 0; v < vectors; v++) vf_store(c + r * c_stride + v * VLEN, sum[r][v]);
    }
}

/* c [rows][32] = or += a·b [inner][32], for the first `vectors`. */
ALWAYS_INLINE void multiply_strip(left_operand a, int rows, const float *b, int inner, float *c, const float *start,
                                  int vectors) {
    const int step = vectors < PRODUCT_VECTORS ? vectors : PRODUCT_VECTORS;
    for (int r = 0; r < rows; r += PRODUCT_ROWS) {
        for (int v = 0; v < vectors; v += step) {
            multiply(a, r, b + v * VLEN, ATTENTION_STRIP, 0, inner, 1, c + v * VLEN, ATTENTION_STRIP,
                     start == NULL ? NULL : start + v * VLEN, step);
        }
    }
}

static const _Alignas(64) float zeros[ATTENTION_STRIP];

/* out [64][32] = K·columns [dim][32] + start [32] (NULL: 0) of every row, for the first `vectors` and
 * `keys` rows; keys_page: [dim][64]. */
ALWAYS_INLINE void product_scores(const form *keys_page, const form *columns, const float *start, float *out,
                                  int32_t dim, int keys, int vectors) {
    const left_operand a = {.data = keys_page, .row_step = 1, .inner_step = TTT_PAGE};
    multiply_strip(a, keys, columns, dim, out, start == NULL ? zeros : start, vectors);
}

/* The same of V: [64][dim]. */
ALWAYS_INLINE void product_dscores(const form *values, const form *columns, const float *start, float *out, int32_t dim,
                                   int keys, int vectors) {
    const left_operand a = {.data = values, .row_step = dim, .inner_step = 1};
    multiply_strip(a, keys, columns, dim, out, start, vectors);
}

/* sum [dim][32] += Vᵀ·weights [64][32], for the first `vectors`, over the first `keys`; values: [64][dim]. */
ALWAYS_INLINE void product_sums(const form *values, const form *weights, float *sum, int32_t dim, int keys,
                                int vectors) {
    const left_operand a = {.data = values, .row_step = 1, .inner_step = dim};
    multiply_strip(a, dim, weights, keys, sum, NULL, vectors);
}

/* The same of Kᵀ: [dim][64]. */
ALWAYS_INLINE void product_dqueries(const form *keys_page, const form *weights, float *sum, int32_t dim, int keys,
                                    int vectors) {
    const left_operand a = {.data = keys_page, .row_step = TTT_PAGE, .inner_step = 1};
    multiply_strip(a, dim, weights, keys, sum, NULL, vectors);
}

/* sum [64][dim] += the sum over strips of weights [64][32]·rows [32][dim], for the first `keys` rows. */
static void product_rows(const form *weights, const form *rows, int strips, float *sum, int32_t dim, int keys) {
    const left_operand a = {weights, ATTENTION_STRIP, 1, TTT_PAGE * ATTENTION_STRIP};
    for (int r = 0; r < keys; r += PRODUCT_ROWS) {
        for (int32_t d = 0; d < dim; d += PRODUCT_VECTORS * VLEN) {
            multiply(a, r, rows + d, dim, (size_t)ATTENTION_STRIP * (size_t)dim, ATTENTION_STRIP, strips, sum + d, dim,
                     NULL, PRODUCT_VECTORS);
        }
    }
}

/* `count` bf16 numbers as a vector, zeros after them; and back. */
static inline vf load_part(const uint16_t *from, int32_t count) {
    if (count >= VLEN) return vf_load_bf16(from);
    uint16_t part[VLEN] = {0};
    for (int32_t i = 0; i < count; i++) part[i] = from[i];
    return vf_load_bf16(part);
}

static inline void store_part(uint16_t *to, vf numbers, int32_t count) {
    if (count >= VLEN) {
        vf_store_bf16(to, numbers);
        return;
    }
    uint16_t part[VLEN];
    vf_store_bf16(part, numbers);
    for (int32_t i = 0; i < count; i++) to[i] = part[i];
}

/* Numbers d, d + 1, ... of column c of a strip; zeros for padding. */
static inline vf load_column(const uint16_t *matrix, const attention_strip *strip, int c, int32_t d, int32_t dim) {
    return c < strip->columns ? load_part(matrix + strip->offset[c] + d, dim - d) : vf_zero();
}

/* Columns of a strip as [padded_dim][32]. */
static void pack_columns(form *to, const uint16_t *matrix, const attention_strip *strip, int32_t dim,
                         int32_t padded_dim) {
    for (int c = 0; c < ATTENTION_STRIP; c += VLEN) {
        for (int32_t d = 0; d < padded_dim; d += VLEN) {
            vf r[VLEN];
            for (int i = 0; i < VLEN; i++) r[i] = load_column(matrix, strip, c + i, d, dim);
            vf_transpose(r);
            for (int i = 0; i < VLEN; i++) vf_store(to + (d + i) * ATTENTION_STRIP + c, r[i]);
        }
    }
}

/* Columns of a strip as [32][padded_dim]. */
static void pack_rows(form *to, const uint16_t *matrix, const attention_strip *strip, int32_t dim, int32_t padded_dim) {
    for (int c = 0; c < ATTENTION_STRIP; c++) {
        for (int32_t d = 0; d < padded_dim; d += VLEN) {
            vf_store(to + c * padded_dim + d, load_column(matrix, strip, c, d, dim));
        }
    }
}

/* Keys `key` and key + 1 of Pᵀ. */
ALWAYS_INLINE void put_weights(form *to, int key, const vf *even, const vf *odd, int vectors) {
    for (int v = 0; v < vectors; v++) {
        vf_store(to + key * ATTENTION_STRIP + v * VLEN, even[v]);
        vf_store(to + (key + 1) * ATTENTION_STRIP + v * VLEN, odd[v]);
    }
}

/* Keys `key` and key + 1 of Pᵀ and dSᵀ. As rows of the left operand or of the right one they are the same. */
ALWAYS_INLINE void put_gradients(form *weights, form *dweights, form *right, int key, vf p[2][ATTENTION_STRIP / VLEN],
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

/* Pages become float32: Kᵀ [dim][64] as the store has it, and V [64][dim], cut to the keys low <= j < high. */
static inline const form *open_keys(form *room, const uint16_t *page, int32_t dim) {
    for (int32_t i = 0; i < TTT_PAGE * dim; i += VLEN) vf_store(room + i, vf_load_bf16(page + i));
    return room;
}

static inline const form *open_values(form *room, const uint16_t *page, int32_t dim, int32_t low, int32_t high) {
    for (int32_t j = 0; j < TTT_PAGE; j++) {
        const bool seen = low <= j && j < high;
        for (int32_t d = j * dim; d < (j + 1) * dim; d += VLEN) {
            vf_store(room + d, seen ? vf_load_bf16(page + d) : vf_zero());
        }
    }
    return room;
}

/* One form of a page serves all products, so there is nothing to prepare for backward. */
enum { PREPARED_PAGES = 0 };

static void prepare_page(uint16_t *prepared, const uint16_t *keys, const uint16_t *values, int32_t dim,
                         int32_t written) {
    (void)prepared, (void)keys, (void)values, (void)dim, (void)written;
}

static inline open_pages open_both(form *room, const uint16_t *keys, const uint16_t *values, const uint16_t *prepared,
                                   int32_t dim, int32_t written) {
    (void)prepared;
    const form *k = open_keys(room, keys, dim);
    for (int32_t d = 0; d < dim && written < TTT_PAGE; d++) {
        for (int32_t j = written; j < TTT_PAGE; j++) room[d * TTT_PAGE + j] = 0;
    }
    return (open_pages){k, k, open_values(room + TTT_PAGE * dim, values, dim, 0, written)};
}

/* Columns of `from` [.][32] times factor [32] into the strip's places of a bf16 matrix. */
static void write_columns(uint16_t *matrix, const attention_strip *strip, const float *from, const float *factor,
                          int32_t dim, bool unpacked) {
    (void)unpacked;
    for (int c = 0; c < strip->columns; c += VLEN) {
        for (int32_t d = 0; d < dim; d += VLEN) {
            vf r[VLEN];
            for (int i = 0; i < VLEN; i++) r[i] = vf_load(from + (d + i) * ATTENTION_STRIP + c) * vf_load(factor + c);
            vf_transpose(r);
            for (int i = 0; i < VLEN && c + i < strip->columns; i++) {
                store_part(matrix + strip->offset[c + i] + d, r[i], dim - d);
            }
        }
    }
}

static void write_row(uint16_t *to, const float *from, float factor, int32_t dim) {
    for (int32_t d = 0; d < dim; d += VLEN) store_part(to + d, vf_load(from + d) * vf_set(factor), dim - d);
}

static void thread_nothing(void) {}
