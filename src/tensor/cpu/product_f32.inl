/* Products by float32 multiply-add, for instruction sets without a product of bf16: left operands are float32, panels
 * of weights are widened from bf16 on the way. The includer defines TILE_ROWS, so that TILE_ROWS × 2 vectors of sums,
 * two of b and one of a fit the registers. Each sum is one chain of multiply-adds in the order of k. */

enum {
    STEP = 2 * VLEN,                       /* columns of a tile */
    VECTORS = TTT_CPU_PAD / VLEN,          /* of a row of a panel */
    PACKED_ROWS = 2 * TILE_ROWS / VECTORS, /* so many rows of a panel are as many sums as a tile has */
    Q8_0_ROWS = PACKED_ROWS,
    AHEAD = 4096 /* bytes of a panel that are fetched before they are needed */
};

#define ALWAYS static inline __attribute__((always_inline))

/* c[rows, STEP] = or += a·b, a(r, k) at a[r · row + k · step], b(k, n) at b[k · 32 + n]. */
ALWAYS void tile_f32(const int rows, const float *a, size_t row, size_t step, const float *b, size_t depth, float *c,
                     size_t ldc, bool add) {
    vf sum[TILE_ROWS][2];
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
        sum[r][0] = add ? vf_load(c + (size_t)r * ldc) : vf_zero();
        sum[r][1] = add ? vf_load(c + (size_t)r * ldc + VLEN) : vf_zero();
    }
    for (size_t k = 0; k < depth; k++, b += TTT_CPU_PAD, a += step) {
        const vf b0 = vf_load(b), b1 = vf_load(b + VLEN);
#pragma GCC unroll 16
        for (int r = 0; r < rows; r++) {
            const vf x = vf_set(a[(size_t)r * row]);
            sum[r][0] = vf_fma(x, b0, sum[r][0]);
            sum[r][1] = vf_fma(x, b1, sum[r][1]);
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
        vf_store(c + (size_t)r * ldc, sum[r][0]);
        vf_store(c + (size_t)r * ldc + VLEN, sum[r][1]);
    }
}

/* Sums of whole rows of a panel. */
ALWAYS void load_sums(const int rows, const float *c, size_t ldc, bool add, vf sum[][VECTORS]) {
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; v++) sum[r][v] = add ? vf_load(c + (size_t)r * ldc + v * VLEN) : vf_zero();
    }
}

ALWAYS void store_sums(const int rows, vf sum[][VECTORS], float *c, size_t ldc) {
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; v++) vf_store(c + (size_t)r * ldc + v * VLEN, sum[r][v]);
    }
}

/* c[rows, 32] with b packed: pairs of k widened in registers, which pays while few rows share a panel. All 32 columns
 * go together, so that memory is read from end to end. */
ALWAYS void rows_packed(const int rows, const float *a, size_t row, const ttt_bf16 *b, size_t depth, float *c,
                        size_t ldc, bool add) {
    vf sum[TILE_ROWS][VECTORS];
    load_sums(rows, c, ldc, add, sum);
    for (size_t k = 0; k < depth; k += 2, b += 2 * TTT_CPU_PAD, a += 2) {
        __builtin_prefetch(b + AHEAD / sizeof *b);
        __builtin_prefetch(b + AHEAD / sizeof *b + TTT_CPU_PAD);
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; v++) {
            vf even, odd;
            vf_load_pairs(b + v * 2 * VLEN, &even, &odd);
#pragma GCC unroll 16
            for (int r = 0; r < rows; r++) {
                sum[r][v] = vf_fma(vf_set(a[(size_t)r * row]), even, sum[r][v]);
                sum[r][v] = vf_fma(vf_set(a[(size_t)r * row + 1]), odd, sum[r][v]);
            }
        }
    }
    store_sums(rows, sum, c, ldc);
}

/* The same with b in tiles of Q8_0 (blocks.h), which are unpacked in registers. */
ALWAYS void rows_q8_0(const int rows, const float *a, size_t row, const uint8_t *b, size_t depth, float *c, size_t ldc,
                      bool add) {
    vf sum[TILE_ROWS][VECTORS];
    load_sums(rows, c, ldc, add, sum);
    for (size_t k = 0; k < depth; k += TTT_CPU_PAD) {
        vf d[VECTORS];
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; v++) d[v] = vf_load_f16(b + 2 * v * VLEN);
        b += 2 * TTT_CPU_PAD;
        for (size_t i = 0; i < TTT_CPU_PAD; i++, b += TTT_CPU_PAD) {
            if (i % 2 == 0) __builtin_prefetch(b + AHEAD);
#pragma GCC unroll 4
            for (int v = 0; v < VECTORS; v++) {
                const vf w = d[v] * vi_to_float(vi_load_i8(b + v * VLEN));
#pragma GCC unroll 16
                for (int r = 0; r < rows; r++) sum[r][v] = vf_fma(vf_set(a[(size_t)r * row + k + i]), w, sum[r][v]);
            }
        }
    }
    store_sums(rows, sum, c, ldc);
}

static double multiply_registers(int rounds) {
    enum { SUMS = 2 * TILE_ROWS };
    static _Thread_local volatile float value = 1; /* nobody may know what it is, or whether the sums are read */
    const vf x = vf_set(value), y = vf_set(value);
    vf sum[SUMS], all = vf_zero();
    for (int i = 0; i < SUMS; i++) sum[i] = vf_zero();
    for (int round = 0; round < rounds; round++) {
#pragma GCC unroll 32
        for (int i = 0; i < SUMS; i++) sum[i] = vf_fma(x, y, sum[i]);
    }
    for (int i = 0; i < SUMS; i++) all = vf_max(all, sum[i]);
    value = vf_sum(all) > 0 ? 1.0f : 0.5f;
    return 2.0 * VLEN * SUMS * rounds;
}

#include "tensor/cpu/with_rows.inl"

static void tiles_f32(const float *a, size_t lda, int rows, const float *b, size_t depth, float *c, size_t ldc,
                      bool add) {
    for (int n = 0; n < TTT_CPU_PAD; n += STEP) {
        for (int r = 0; r < rows; r += TILE_ROWS) {
            const int count = rows - r < TILE_ROWS ? rows - r : TILE_ROWS;
            WITH_ROWS(count, tile_f32, a + (size_t)r * lda, lda, 1, b + n, depth, c + (size_t)r * ldc + n, ldc, add)
        }
    }
}

static void widen_panel(const ttt_bf16 *b, size_t depth, float *to) {
    for (size_t k = 0; k < depth; k += 2, b += 2 * TTT_CPU_PAD, to += 2 * TTT_CPU_PAD) {
        for (int n = 0; n < TTT_CPU_PAD; n += VLEN) {
            vf even, odd;
            vf_load_pairs(b + 2 * n, &even, &odd);
            vf_store(to + n, even);
            vf_store(to + TTT_CPU_PAD + n, odd);
        }
    }
}

/* Wide blocks of rows take a panel TTT_CPU_DEPTH deep at a time: what is widened stays in the cache, and the sums go on
 * in the same order. */
static void product(const ttt_product *p) {
    const float *a = p->a;
    if (p->unpacked) {
        assert(p->panels == 1);
        tiles_f32(a, p->lda, p->rows, p->b, p->depth, p->c, p->ldc, p->add);
        return;
    }
    for (int panel = 0; panel < p->panels; panel++) {
        const ttt_bf16 *b = (const ttt_bf16 *)p->b + (size_t)panel * p->panel_stride;
        float *c = p->c + (size_t)panel * TTT_CPU_PAD;
        if (p->rows <= TILE_ROWS) {
            for (int r = 0; r < p->rows; r += PACKED_ROWS) {
                const int count = p->rows - r < PACKED_ROWS ? p->rows - r : PACKED_ROWS;
                WITH_ROWS(count, rows_packed, a + (size_t)r * p->lda, p->lda, b, p->depth, c + (size_t)r * p->ldc,
                          p->ldc, p->add)
            }
            continue;
        }
        for (size_t k = 0; k < p->depth; k += TTT_CPU_DEPTH) {
            const size_t depth = p->depth - k < TTT_CPU_DEPTH ? p->depth - k : TTT_CPU_DEPTH;
            widen_panel(b + k * TTT_CPU_PAD, depth, p->scratch);
            tiles_f32(a + k, p->lda, p->rows, p->scratch, depth, c, p->ldc, p->add || k > 0);
        }
    }
}

static void multiply_q8_0(const ttt_product *p) {
    assert(p->panels == 1 && p->rows <= PACKED_ROWS);
    const float *a = p->a;
    WITH_ROWS(p->rows, rows_q8_0, a, p->lda, p->b, p->depth, p->c, p->ldc, p->add)
}

/* Sums over rows: tiles lie as [t][TILE_ROWS], panels as [t][32]. A tile's rows are written in whole vectors, each over
 * the tail of the one before, hence the spare vector at the end. */
static size_t gradient_left_bytes(size_t columns) {
    return (columns / TILE_ROWS + 1) * TTT_CPU_GRADIENT_ROWS * TILE_ROWS * sizeof(float) + 64;
}

static size_t gradient_right_bytes(size_t columns) {
    return ttt_cpu_pad(columns) * TTT_CPU_GRADIENT_ROWS * sizeof(float);
}

static void gradient_pack_left(const ttt_bf16 *x, size_t ldx, int rows, int padded, int columns, int first, int count,
                               void *packed) {
    for (int tile = first; tile < first + count; tile++) {
        float *to = (float *)packed + (size_t)tile * (size_t)padded * TILE_ROWS;
        const int column = tile * TILE_ROWS;
        for (int t = 0; t < padded; t++, to += TILE_ROWS) {
            vf value = t < rows ? load_part(x + (size_t)t * ldx + column, columns - column) : vf_zero();
            if (t + 1 < padded) {
                vf_store(to, value); /* the next row overwrites what is too much */
            } else {
                store_part_f32(to, value, TILE_ROWS < VLEN ? TILE_ROWS : VLEN);
            }
        }
    }
}

static void gradient_pack_right(const ttt_bf16 *x, size_t ldx, int rows, int padded, int columns, int first, int count,
                                void *packed) {
    for (int panel = first; panel < first + count; panel++) {
        float *to = (float *)packed + (size_t)panel * (size_t)padded * TTT_CPU_PAD;
        for (int t = 0; t < padded; t++, to += TTT_CPU_PAD) {
            for (int n = 0; n < TTT_CPU_PAD; n += VLEN) {
                const int c = panel * TTT_CPU_PAD + n;
                vf_store(to + n, t < rows && c < columns ? load_part(x + (size_t)t * ldx + c, columns - c) : vf_zero());
            }
        }
    }
}

static void gradient_tile(const void *left_packed, const void *right_packed, int padded, int tile, int count, int panel,
                          float *c, size_t ldc) {
    const float *a = (const float *)left_packed + (size_t)tile * (size_t)padded * TILE_ROWS;
    const float *b = (const float *)right_packed + (size_t)panel * (size_t)padded * TTT_CPU_PAD;
    for (int n = 0; n < TTT_CPU_PAD; n += STEP) {
        WITH_ROWS(count, tile_f32, a, 1, TILE_ROWS, b + n, (size_t)padded, c + n, ldc, true)
    }
}
