/* The kernels of AVX-512 with its product of pairs of bf16, VDPBF16PS. A tile is 12 rows by 32 columns of sums. */
#include "tensor/cpu/kernels.h"
#include "tensor/cpu/vector.h"

#include <math.h>
#include <string.h>

#include "tensor/cpu/product_bf16.inl"

#define TILE_ROWS 12
#define KERNELS ttt_cpu_kernels_avx512bf16
#define ALWAYS static inline __attribute__((always_inline))

static void begin(void) {}
static void end(void) {}

/* c[rows, 32] = or += a·b over pairs of k; pair p of row r of a at a[r · row + p · step]. */
ALWAYS void tile_bf16(const int rows, const ttt_bf16 *a, size_t row, size_t step, const ttt_bf16 *b, size_t pairs,
                      float *c, size_t ldc, bool add) {
    __m512 sum[TILE_ROWS][2];
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
        sum[r][0] = add ? vf_load(c + (size_t)r * ldc) : vf_zero();
        sum[r][1] = add ? vf_load(c + (size_t)r * ldc + 16) : vf_zero();
    }
    for (size_t p = 0; p < pairs; p++, b += 2 * TTT_CPU_PAD, a += step) {
        const __m512bh b0 = (__m512bh)_mm512_loadu_si512(b), b1 = (__m512bh)_mm512_loadu_si512(b + 32);
#pragma GCC unroll 16
        for (int r = 0; r < rows; r++) {
            int32_t pair;
            memcpy(&pair, a + (size_t)r * row, sizeof pair);
            const __m512bh x = (__m512bh)_mm512_set1_epi32(pair);
            sum[r][0] = _mm512_dpbf16_ps(sum[r][0], x, b0);
            sum[r][1] = _mm512_dpbf16_ps(sum[r][1], x, b1);
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
        vf_store(c + (size_t)r * ldc, sum[r][0]);
        vf_store(c + (size_t)r * ldc + 16, sum[r][1]);
    }
}

static double multiply_registers(int rounds) {
    enum { SUMS = 2 * TILE_ROWS };
    static _Thread_local volatile float value = 1; /* nobody may know what it is, or whether the sums are read */
    const __m512bh x = (__m512bh)_mm512_castps_si512(vf_set(value));
    vf sum[SUMS], all = vf_zero();
    for (int i = 0; i < SUMS; i++) sum[i] = vf_zero();
    for (int round = 0; round < rounds; round++) {
#pragma GCC unroll 32
        for (int i = 0; i < SUMS; i++) sum[i] = _mm512_dpbf16_ps(sum[i], x, x);
    }
    for (int i = 0; i < SUMS; i++) all = vf_max(all, sum[i]);
    value = vf_sum(all) > 0 ? 1.0f : 0.5f;
    return 2.0 * 32 * SUMS * rounds;
}

#include "tensor/cpu/with_rows.inl"

static void product(const ttt_product *p) {
    const ttt_bf16 *a = p->a;
    for (int panel = 0; panel < p->panels; panel++) {
        const ttt_bf16 *b = (const ttt_bf16 *)p->b + (size_t)panel * p->panel_stride;
        float *c = p->c + (size_t)panel * TTT_CPU_PAD;
        for (int r = 0; r < p->rows; r += TILE_ROWS) {
            const int count = p->rows - r < TILE_ROWS ? p->rows - r : TILE_ROWS;
            WITH_ROWS(count, tile_bf16, a + (size_t)r * p->lda, p->lda, 2, b, p->depth / 2, c + (size_t)r * p->ldc,
                      p->ldc, p->add)
        }
    }
}

/* Tiles of the left operand lie as [t / 2][TILE_ROWS] pairs. */
static size_t gradient_left_bytes(size_t columns) {
    return (columns / TILE_ROWS + 1) * TTT_CPU_GRADIENT_ROWS * TILE_ROWS * sizeof(ttt_bf16);
}

static void gradient_pack_left(const ttt_bf16 *x, size_t ldx, int rows, int padded, int columns, int first, int count,
                               void *packed) {
    for (int tile = first; tile < first + count; tile++) {
        ttt_bf16 *to = (ttt_bf16 *)packed + (size_t)tile * (size_t)padded * TILE_ROWS;
        for (int t = 0; t < padded; t += 2, to += 2 * TILE_ROWS) {
            _mm512_mask_storeu_epi32(to, (1u << TILE_ROWS) - 1u, row_pairs(x, ldx, t, rows, tile * TILE_ROWS, columns));
        }
    }
}

static void gradient_tile(const void *left_packed, const void *right_packed, int padded, int tile, int count, int panel,
                          float *c, size_t ldc) {
    const ttt_bf16 *a = (const ttt_bf16 *)left_packed + (size_t)tile * (size_t)padded * TILE_ROWS;
    const ttt_bf16 *b = (const ttt_bf16 *)right_packed + (size_t)panel * (size_t)padded * TTT_CPU_PAD;
    WITH_ROWS(count, tile_bf16, a, 2, 2 * TILE_ROWS, b, (size_t)padded / 2, c, ldc, true)
}

#include "tensor/cpu/rows.inl"

#include "tensor/cpu/unpack.inl"

#include "tensor/cpu/kernels_table.inl"
