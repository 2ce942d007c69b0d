/* The kernels of AMX: products of bf16 in tiles, everything else in AVX-512.
 *
 * TDPBF16PS computes C [16, 16] += A [16, 32]·B [32, 16], B stored as 16 rows of pairs: a panel of a packed weight is
 * two such columns of tiles side by side. C goes in blocks of 2 × 2 tiles, so that four loads feed four products. */
#include "tensor/cpu/kernels.h"
#include "tensor/cpu/tiles.h"
#include "tensor/cpu/vector.h"

#include <math.h>
#include <string.h>

#include "tensor/cpu/product_bf16.inl"

#define TILE_ROWS 32
#define KERNELS ttt_cpu_kernels_amx
enum { PANEL_ROW = 2 * TTT_CPU_PAD * (int)sizeof(ttt_bf16) }; /* bytes between rows of pairs in a panel */

static void begin(void) {
    tiles_begin();
}

static void end(void) {
    tiles_end();
}

static double multiply_registers(int rounds) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
    _tile_zero(6);
    _tile_zero(7);
    for (int round = 0; round < rounds; round++) {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    return 4.0 * 2 * 16 * 16 * 32 * rounds;
}

/* c[32, 32] = or += a·b, or only the upper 16 rows of it. Strides of a and c are in elements. */
static void tiles_amx(bool both, const ttt_bf16 *a, size_t lda, const ttt_bf16 *b, size_t depth, float *c, size_t ldc,
                      bool add) {
    const int a_stride = (int)(lda * sizeof *a), c_stride = (int)(ldc * sizeof *c);
    const ttt_bf16 *a_below = a + 16 * lda;
    float *c_below = c + 16 * ldc;
    if (add) {
        _tile_loadd(0, c, c_stride);
        _tile_loadd(1, c + 16, c_stride);
    } else {
        _tile_zero(0);
        _tile_zero(1);
    }
    if (add && both) {
        _tile_loadd(2, c_below, c_stride);
        _tile_loadd(3, c_below + 16, c_stride);
    } else {
        _tile_zero(2);
        _tile_zero(3);
    }
    for (size_t k = 0; k < depth; k += 32, b += 32 * TTT_CPU_PAD) {
        _tile_loadd(4, a + k, a_stride);
        _tile_loadd(6, b, PANEL_ROW);
        _tile_loadd(7, b + 32, PANEL_ROW);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        if (!both) continue;
        _tile_loadd(5, a_below + k, a_stride);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, c, c_stride);
    _tile_stored(1, c + 16, c_stride);
    if (!both) return;
    _tile_stored(2, c_below, c_stride);
    _tile_stored(3, c_below + 16, c_stride);
}

/* The same for `rows` rows of c; fewer than 32 go through memory of their own, so that no other row is written. */
static void rows_amx(int rows, const ttt_bf16 *a, size_t lda, const ttt_bf16 *b, size_t depth, float *c, size_t ldc,
                     bool add) {
    if (rows == TILE_ROWS) {
        tiles_amx(true, a, lda, b, depth, c, ldc, add);
        return;
    }
    _Alignas(64) float part[TILE_ROWS * TTT_CPU_PAD];
    for (int r = 0; add && r < TILE_ROWS; r++) {
        float *row = part + r * TTT_CPU_PAD;
        vf_store(row, r < rows ? vf_load(c + (size_t)r * ldc) : vf_zero());
        vf_store(row + 16, r < rows ? vf_load(c + (size_t)r * ldc + 16) : vf_zero());
    }
    tiles_amx(rows > 16, a, lda, b, depth, part, TTT_CPU_PAD, add);
    for (int r = 0; r < rows; r++) {
        vf_store(c + (size_t)r * ldc, vf_load(part + r * TTT_CPU_PAD));
        vf_store(c + (size_t)r * ldc + 16, vf_load(part + r * TTT_CPU_PAD + 16));
    }
}

static void product(const ttt_product *p) {
    const ttt_bf16 *a = p->a;
    for (int panel = 0; panel < p->panels; panel++) {
        const ttt_bf16 *b = (const ttt_bf16 *)p->b + (size_t)panel * p->panel_stride;
        float *c = p->c + (size_t)panel * TTT_CPU_PAD;
        for (int r = 0; r < p->rows; r += TILE_ROWS) {
            const int rows = p->rows - r < TILE_ROWS ? p->rows - r : TILE_ROWS;
            rows_amx(rows, a + (size_t)r * p->lda, p->lda, b, p->depth, c + (size_t)r * p->ldc, p->ldc, p->add);
        }
    }
}

/* Tiles of the left operand lie as [32 columns of dy][rows]: a transpose, 16 columns by 16 pairs of rows at a time. */
static size_t gradient_left_bytes(size_t columns) {
    return ttt_cpu_pad(columns) * TTT_CPU_GRADIENT_ROWS * sizeof(ttt_bf16);
}

static void gradient_pack_left(const ttt_bf16 *x, size_t ldx, int rows, int padded, int columns, int first, int count,
                               void *packed) {
    for (int half = 2 * first; half < 2 * (first + count); half++) {
        ttt_bf16 *to = (ttt_bf16 *)packed + (size_t)half * 16 * (size_t)padded;
        for (int t = 0; t < padded; t += 32) {
            __m512i pairs[16];
            for (int i = 0; i < 16; i++) pairs[i] = row_pairs(x, ldx, t + 2 * i, rows, half * 16, columns);
            transpose_16x16(pairs);
            for (int i = 0; i < 16; i++) _mm512_storeu_si512(to + (size_t)i * (size_t)padded + t, pairs[i]);
        }
    }
}

static void gradient_tile(const void *left_packed, const void *right_packed, int padded, int tile, int count, int panel,
                          float *c, size_t ldc) {
    const ttt_bf16 *a = (const ttt_bf16 *)left_packed + (size_t)tile * TILE_ROWS * (size_t)padded;
    const ttt_bf16 *b = (const ttt_bf16 *)right_packed + (size_t)panel * (size_t)padded * TTT_CPU_PAD;
    rows_amx(count, a, (size_t)padded, b, (size_t)padded, c, ldc, true);
}

#include "tensor/cpu/rows.inl"

#include "tensor/cpu/unpack.inl"

#include "tensor/cpu/kernels_table.inl"
