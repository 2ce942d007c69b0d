/* Attention on AMX tiles (bf16 products, float32 sums) with AVX-512 for everything between the products.
 *
 * TDPBF16PS computes C [16 × 16] += A [16 × 32]·B [32 × 16], with B stored as 16 rows of pairs: row i holds, for every
 * column, the numbers 2i and 2i+1. Operands here are whole tiles of 1 KB, one after the other, except the pages of the
 * store, whose rows are read with their stride. All products go in blocks of 2 × 2 tiles: 4 loads feed 4 products.
 *
 *     product             A (rows)                B (packed)                          C
 *     Sᵀ, dPᵀ             K, V [64][D]            pack_columns: [D/32][strip/16]      [64][32]
 *     Oᵀ, dQᵀ             Vᵀ, Kᵀ [D][64]          put_...: Pᵀ, dSᵀ [64/32][strip/16]  [D][32]
 *     dV, dK              Pᵀ, dSᵀ [64][32]        pack_rows: [D/16]                   [64][D] */
#include "tensor/cpu/attention_kernel.h"
#include "tensor/cpu/attention_lanes.h"
#include "tensor/cpu/tiles.h"
#include "tensor/dtype.h"

#include <math.h>
#include <string.h>

typedef uint16_t form;
enum { KEY_GRAIN = 32 }; /* products take keys in multiples of this: their blocks are two tiles high */
enum { TILE = 512 };     /* bf16 numbers of a tile, 16 × 32; a float32 tile has half as many */

/* One step of 32 numbers of the inner dimension; `wide` is 2 or 1 columns of tiles. */
ALWAYS_INLINE void multiply(const uint16_t *a0, const uint16_t *a1, int a_stride, const uint16_t *b0,
                            const uint16_t *b1, int wide) {
    _tile_loadd(4, a0, a_stride);
    _tile_loadd(6, b0, 64);
    _tile_loadd(5, a1, a_stride);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(2, 5, 6);
    if (wide == 1) return;
    _tile_loadd(7, b1, 64);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(3, 5, 7);
}

/* C of 32 × 32 (or 32 × 16) floats; the stride is in bytes, and 0 repeats one row. */
ALWAYS_INLINE void load_sums(const float *c, int stride, int wide) {
    const float *below = (const float *)((const char *)c + 16 * stride);
    _tile_loadd(0, c, stride);
    _tile_loadd(2, below, stride);
    if (wide == 1) return;
    _tile_loadd(1, c + 16, stride);
    _tile_loadd(3, below + 16, stride);
}

ALWAYS_INLINE void store_sums(float *c, int stride, int wide) {
    float *below = (float *)((char *)c + 16 * stride);
    _tile_stored(0, c, stride);
    _tile_stored(2, below, stride);
    if (wide == 1) return;
    _tile_stored(1, c + 16, stride);
    _tile_stored(3, below + 16, stride);
}

/* out [64][32] = rows [64][dim] · columns [dim][32] + start [32] (NULL: 0) of every row, for the first `wide` · 16
 * columns and `keys` rows. */
ALWAYS_INLINE void product_scores(const uint16_t *rows, const form *columns, const float *start, float *out,
                                  int32_t dim, int keys, int wide) {
    for (int r = 0; r < keys; r += 32) {
        if (start != NULL) {
            load_sums(start, 0, wide);
        } else {
            _tile_zero(0);
            _tile_zero(1);
            _tile_zero(2);
            _tile_zero(3);
        }
        for (int32_t d = 0; d < dim; d += 32) {
            const uint16_t *a = rows + r * dim + d;
            const form *b = columns + d / 32 * 2 * TILE;
            multiply(a, a + 16 * dim, 2 * dim, b, b + TILE, wide);
        }
        store_sums(out + r * ATTENTION_STRIP, 4 * ATTENTION_STRIP, wide);
    }
}

/* sum [dim][32] += rows [dim][64] · weights [64][32], for the first `wide` · 16 columns, over the first `keys`. */
ALWAYS_INLINE void product_transposed(const uint16_t *rows, const form *weights, float *sum, int32_t dim, int keys,
                                      int wide) {
    for (int32_t d = 0; d < dim; d += 32) {
        load_sums(sum + d * ATTENTION_STRIP, 4 * ATTENTION_STRIP, wide);
        for (int j = 0; j < keys; j += 32) {
            const uint16_t *a = rows + d * TTT_PAGE + j;
            const form *b = weights + j / 32 * 2 * TILE;
            multiply(a, a + 16 * TTT_PAGE, 2 * TTT_PAGE, b, b + TILE, wide);
        }
        store_sums(sum + d * ATTENTION_STRIP, 4 * ATTENTION_STRIP, wide);
    }
}

/* sum [64][dim] += the sum over strips of weights [64][32] · rows [32][dim], for the first `keys` rows. */
static void product_rows(const form *weights, const form *rows, int strips, float *sum, int32_t dim, int keys) {
    for (int r = 0; r < keys; r += 32) {
        for (int32_t d = 0; d < dim; d += 32) {
            float *c = sum + r * dim + d;
            load_sums(c, 4 * dim, 2);
            for (int i = 0; i < strips; i++) {
                const form *a = weights + (i * TTT_PAGE + r) * ATTENTION_STRIP;
                const form *b = rows + i * ATTENTION_STRIP * dim + d / 16 * TILE;
                multiply(a, a + 16 * ATTENTION_STRIP, 2 * ATTENTION_STRIP, b, b + TILE, 2);
            }
            store_sums(c, 4 * dim, 2);
        }
    }
}

/* Numbers d to d + 31 of column c of a strip, zeros beyond the head's end and for padding. */
static inline __m512i column_load(const uint16_t *matrix, const attention_strip *strip, int c, int32_t d, int32_t dim) {
    if (c >= strip->columns || d >= dim) return _mm512_setzero_si512();
    const __mmask32 inside = dim - d >= 32 ? 0xFFFFFFFFu : (1u << (dim - d)) - 1u;
    return _mm512_maskz_loadu_epi16(inside, matrix + strip->offset[c] + d);
}

/* Columns of a strip as B of the scores: the pairs of a bf16 vector are 32-bit numbers, so packing is transposing. */
static void pack_columns(form *to, const uint16_t *matrix, const attention_strip *strip, int32_t dim,
                         int32_t padded_dim) {
    for (int32_t d = 0; d < padded_dim; d += 32) {
        for (int c = 0; c < ATTENTION_STRIP; c += 16, to += TILE) {
            __m512i r[16];
            for (int i = 0; i < 16; i++) r[i] = column_load(matrix, strip, c + i, d, dim);
            transpose_16x16(r);
            for (int i = 0; i < 16; i++) _mm512_storeu_si512(to + i * 32, r[i]);
        }
    }
}

/* Puts the pairs (even[i], odd[i]) side by side: the first 16 of them into *low, the others into *high. */
static inline void interleave(__m512i even, __m512i odd, __m512i *low, __m512i *high) {
    const __m512i lo = _mm512_unpacklo_epi16(even, odd), hi = _mm512_unpackhi_epi16(even, odd);
    const __m512i first = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0);
    const __m512i last = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
    *low = _mm512_permutex2var_epi64(lo, first, hi);
    *high = _mm512_permutex2var_epi64(lo, last, hi);
}

/* Columns of a strip as B of dV and dK: [padded_dim / 16] tiles over pairs of columns. */
static void pack_rows(form *to, const uint16_t *matrix, const attention_strip *strip, int32_t dim, int32_t padded_dim) {
    for (int32_t d = 0; d < padded_dim; d += 32) {
        for (int c = 0; c < ATTENTION_STRIP; c += 2) {
            __m512i low, high;
            interleave(column_load(matrix, strip, c, d, dim), column_load(matrix, strip, c + 1, d, dim), &low, &high);
            _mm512_storeu_si512(to + d / 16 * TILE + c * 16, low);
            _mm512_storeu_si512(to + (d / 16 + 1) * TILE + c * 16, high);
        }
    }
}

/* Keys `key` (even) and key + 1 of Pᵀ as B of the product with Vᵀ. */
ALWAYS_INLINE void put_weights(form *to, int key, const vf *even, const vf *odd, int wide) {
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                                           21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    for (int v = 0; v < wide; v++) {
        __m512i pair = (__m512i)_mm512_cvtne2ps_pbh(odd[v], even[v]);
        form *at = to + (key / 32 * 2 + v) * TILE + key % 32 / 2 * 32;
        _mm512_storeu_si512(at, _mm512_permutexvar_epi16(order, pair));
    }
}

/* Keys `key` (even) and key + 1 of Pᵀ and dSᵀ as rows of A, and of dSᵀ as B of the product with Kᵀ. There the columns
 * come in the order of the unpack instructions, four by four of the low and of the high half; write_columns knows. */
ALWAYS_INLINE void put_gradients(form *weights, form *dweights, form *right, int key, vf p[2][2], vf ds[2][2]) {
    __m512i row[2];
    for (int i = 0; i < 2; i++) {
        row[i] = (__m512i)_mm512_cvtne2ps_pbh(ds[i][1], ds[i][0]);
        _mm512_storeu_si512(weights + (key + i) * 32, (__m512i)_mm512_cvtne2ps_pbh(p[i][1], p[i][0]));
        _mm512_storeu_si512(dweights + (key + i) * 32, row[i]);
    }
    form *at = right + key / 32 * 2 * TILE + key % 32 / 2 * 32;
    _mm512_storeu_si512(at, _mm512_unpacklo_epi16(row[0], row[1]));
    _mm512_storeu_si512(at + TILE, _mm512_unpackhi_epi16(row[0], row[1]));
}

/* dSᵀ as the operand of dQᵀ: put_gradients has written it on the way. */
static inline const form *right_operand(const form *right, const form *dweights) {
    (void)dweights;
    return right;
}

/* Columns of `from` [.][32] times factor [32] into the strip's places of a bf16 matrix. `unpacked`: the columns are in
 * the order of put_gradients. */
static void write_columns(uint16_t *matrix, const attention_strip *strip, const float *from, const float *factor,
                          int32_t dim, bool unpacked) {
    for (int c = 0; c < ATTENTION_STRIP; c += 16) {
        if (!unpacked && c >= strip->columns) break;
        int column[16];
        for (int i = 0; i < 16; i++) column[i] = unpacked ? i / 4 * 8 + c / 4 + i % 4 : c + i;
        for (int32_t d = 0; d < dim; d += 16) {
            const __mmask16 wanted = dim - d >= 16 ? 0xFFFF : (__mmask16)((1u << (dim - d)) - 1u);
            __m512i r[16];
            for (int i = 0; i < 16; i++) r[i] = _mm512_loadu_si512(from + (d + i) * ATTENTION_STRIP + c);
            transpose_16x16(r);
            for (int i = 0; i < 16; i++) {
                if (column[i] >= strip->columns) continue;
                __m512 scaled = _mm512_mul_ps(_mm512_castsi512_ps(r[i]), _mm512_set1_ps(factor[column[i]]));
                _mm256_mask_storeu_epi16(matrix + strip->offset[column[i]] + d, wanted,
                                         (__m256i)_mm512_cvtneps_pbh(scaled));
            }
        }
    }
}

static void write_row(uint16_t *to, const float *from, float factor, int32_t dim) {
    for (int32_t d = 0; d < dim; d += 16) {
        const __mmask16 wanted = dim - d >= 16 ? 0xFFFF : (__mmask16)((1u << (dim - d)) - 1u);
        __m512 scaled = _mm512_mul_ps(_mm512_maskz_loadu_ps(wanted, from + d), _mm512_set1_ps(factor));
        _mm256_mask_storeu_epi16(to + d, wanted, (__m256i)_mm512_cvtneps_pbh(scaled));
    }
}

/* to [columns][rows] = from [rows][columns]; both are multiples of 32. */
static void transpose_page(uint16_t *to, const uint16_t *from, int32_t rows, int32_t columns) {
    for (int32_t r = 0; r < rows; r += 32) {
        for (int32_t c = 0; c < columns; c += 32) {
            __m512i low[16], high[16];
            for (int i = 0; i < 16; i++) {
                const uint16_t *at = from + (r + 2 * i) * columns + c;
                interleave(_mm512_loadu_si512(at), _mm512_loadu_si512(at + columns), &low[i], &high[i]);
            }
            transpose_16x16(low);
            transpose_16x16(high);
            for (int i = 0; i < 16; i++) {
                _mm512_storeu_si512(to + (c + i) * rows + r, low[i]);
                _mm512_storeu_si512(to + (c + 16 + i) * rows + r, high[i]);
            }
        }
    }
}

/* The keys low <= j < high of a page [dim][64], zeros for the others. */
static void cut_page(uint16_t *to, const uint16_t *from, int32_t dim, int32_t low, int32_t high) {
    uint64_t keep = 0;
    for (int j = 0; j < TTT_PAGE; j++) keep |= (uint64_t)(low <= j && j < high) << j;
    for (int32_t d = 0; d < dim; d++, from += TTT_PAGE, to += TTT_PAGE) {
        _mm512_storeu_si512(to, _mm512_maskz_loadu_epi16((__mmask32)keep, from));
        _mm512_storeu_si512(to + 32, _mm512_maskz_loadu_epi16((__mmask32)(keep >> 32), from + 32));
    }
}

/* Pages are read where they lie in the store: K as rows, Vᵀ as rows. */
static inline const form *open_keys(form *room, const uint16_t *page, int32_t dim) {
    (void)room;
    (void)dim;
    return page;
}

static inline const form *open_values(form *room, const uint16_t *page, int32_t dim, int32_t low, int32_t high) {
    if (low <= 0 && high >= TTT_PAGE) return page;
    cut_page(room, page, dim, low, high);
    return room;
}

/* Kᵀ and V, which backward wants as rows too, are made once a call; of keys from `written` on they hold zeros. */
enum { PREPARED_PAGES = 2 };

static void prepare_page(uint16_t *prepared, const uint16_t *keys, const uint16_t *values, int32_t dim,
                         int32_t written) {
    uint16_t *v = prepared + TTT_PAGE * dim;
    transpose_page(prepared, keys, TTT_PAGE, dim);
    transpose_page(v, values, dim, TTT_PAGE);
    if (written >= TTT_PAGE) return;
    cut_page(prepared, prepared, dim, 0, written);
    memset(v + written * dim, 0, (size_t)(TTT_PAGE - written) * (size_t)dim * sizeof *v);
}

static inline open_pages open_both(form *room, const uint16_t *keys, const uint16_t *values, const uint16_t *prepared,
                                   int32_t dim, int32_t written) {
    (void)room;
    (void)values;
    (void)written;
    return (open_pages){.keys = keys, .keys_right = prepared, .values = prepared + TTT_PAGE * dim};
}

/* All left operands lie as rows, so the products of K and V are the same. */
#define product_dscores product_scores
#define product_sums product_transposed
#define product_dqueries product_transposed

#include "tensor/cpu/attention_body.inl"

const attention_kernels ttt_attention_amx = {
    .transposes_keys = false,
    .forward_bytes = forward_bytes,
    .backward_bytes = backward_bytes,
    .thread_begin = tiles_begin,
    .thread_end = tiles_end,
    .forward = forward,
    .backward = backward,
};
