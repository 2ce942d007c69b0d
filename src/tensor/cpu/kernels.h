/* What is compiled once per instruction set: loops over a block of rows, and tiles of products.
 *
 * The left operand of a product is a row block in the form that the instruction set multiplies: float32, or bf16 where
 * there is a product of bf16. Rows of a left operand are lda elements apart, columns are padded with zeros to a
 * multiple of 32. Row blocks have at most TTT_CPU_BLOCK rows; left operands have memory for that many, whatever lies in
 * it, so that a product may read whole tiles. Of sums only the block's rows are touched.
 *
 * Every function treats each row alone and in one order, so a row's bits do not depend on its neighbours. */
#ifndef TTT_TENSOR_CPU_KERNELS_H
#define TTT_TENSOR_CPU_KERNELS_H

#include "tensor/cpu/cpu.h"

enum { TTT_CPU_GRADIENT_ROWS = 256 }; /* rows that a sum over rows takes at a time: operands of a tile fit L1 */

/* c[rows, 32·panels] = or += a[rows, depth] · b. */
typedef struct ttt_product {
    const void *a;
    size_t lda;
    int rows;
    size_t depth;  /* multiple of 32 */
    const void *b; /* packed; or one unpacked panel */
    bool unpacked;
    size_t panel_stride; /* elements between panels of b: 32 × the whole depth of the packed matrix */
    int panels;
    float *c;
    size_t ldc;
    bool add;
    float *scratch; /* [TTT_CPU_DEPTH, 32] float32 */
} ttt_product;

/* Moves a row by AdamW with these numbers, worked out once a step. */
typedef struct ttt_adamw_factors {
    float gradient_scale, beta1, beta2, step_size, epsilon, root_correction, decay; /* value *= decay first */
} ttt_adamw_factors;

struct ttt_cpu_kernels {
    int tile_rows;       /* row blocks should be multiples of this, which is at most 32 */
    size_t left_size;    /* bytes of an element of a left operand */
    void (*begin)(void); /* first and last thing in a parallel region with products, on every thread */
    void (*end)(void);

    void (*product)(const ttt_product *p);
    /* The same bits from unpacked panels of Q8_0 that need not be unpacked before: b is the first tile (blocks.h) of
     * one panel, rows at most q8_0_rows, 0 where there is no such product. */
    void (*product_q8_0)(const ttt_product *p);
    int q8_0_rows;

    /* a = x; a = scale · x. */
    void (*load)(const ttt_bf16 *x, size_t ldx, int rows, int columns, void *a, size_t lda);
    void (*load_f32)(const float *x, size_t ldx, int rows, int columns, float scale, void *a, size_t lda);
    /* y = x; y = x + residual. */
    void (*store)(const float *x, size_t ldx, int rows, int columns, float scale, ttt_bf16 *y, size_t ldy);
    void (*store_sum)(const float *x, size_t ldx, const ttt_bf16 *residual, ttt_bf16 *y, size_t ldy, int rows,
                      int columns);

    /* n = x · inverse_rms · gain, to a and (unless NULL) to n [rows, columns]. */
    void (*normalize)(const ttt_bf16 *x, int rows, int columns, const float *gain, float epsilon, void *a, size_t lda,
                      ttt_bf16 *n, float *inverse_rms);
    /* dx += gradient through the norm of dn; gain_sum [columns] += (unless NULL). */
    void (*normalize_backward)(const float *dn, size_t ldd, const ttt_bf16 *x, int rows, int columns, const float *gain,
                               const float *inverse_rms, ttt_bf16 *dx, float *gain_sum);

    /* x += bias, which is padded with zeros to a multiple of 32; x may be written up to there. */
    void (*add_bias)(float *x, size_t ldx, int rows, int columns, const float *bias);
    /* Every head of each row, in place: x = x · inverse_rms(head) · gain [dim]. */
    void (*normalize_heads)(float *x, size_t ldx, int rows, int heads, int dim, const float *gain, float epsilon);
    /* In place, from the gradient of what that gave for x to the gradient of x; gain_sum [dim] += (unless NULL). */
    void (*normalize_heads_backward)(const float *x, size_t ldx, int rows, int heads, int dim, const float *gain,
                                     float epsilon, ttt_bf16 *d, size_t ldd, float *gain_sum);

    /* Turns every head of each row by its angles (sign = 1) or back (sign = -1). cosine, sine: [rows, dim / 2]. */
    void (*rotate)(const float *x, size_t ldx, int rows, int heads, int dim, const float *cosine, const float *sine,
                   ttt_bf16 *y, size_t ldy);
    void (*rotate_back)(ttt_bf16 *x, size_t ldx, int rows, int heads, int dim, const float *cosine, const float *sine);

    /* a = silu(gate)·up; gate and up rounded into gate_out, up_out unless NULL. */
    void (*gate)(const float *gate, const float *up, size_t lds, int rows, int columns, void *a, size_t lda,
                 ttt_bf16 *gate_out, ttt_bf16 *up_out, size_t ldo);
    /* From dh: hidden = silu(gate)·up, and in place of gate and up their gradients, also as left operands. */
    void (*gate_backward)(const float *dh, size_t lds, int rows, int columns, ttt_bf16 *gate, ttt_bf16 *up,
                          ttt_bf16 *hidden, size_t ldo, void *d_gate, void *d_up, size_t lda);

    /* Takes `count` more logits of a row into its running maximum and sum of e^(x - maximum). */
    void (*log_sum_exp)(const float *x, int count, float *maximum, float *sum);
    /* d = scale · (e^(x - lse) - [i == target]), as a row of a left operand (padded to `padded`) and as bf16. */
    void (*d_logits)(const float *x, int count, int padded, float lse, int target, float scale, void *a, ttt_bf16 *d);

    /* Sums over rows, dW[n, k] += sum_t dy[t, n]·x[t, k]. Up to TTT_CPU_GRADIENT_ROWS rows at a time are packed: dy,
     * the left operand, in tiles of tile_rows columns, x, the right one, in panels of 32 columns. `padded`: rows
     * rounded up to a multiple of 32; rows and columns beyond the end are packed as zeros. A call packs the tiles (or
     * panels) [first, first + count). */
    size_t (*gradient_left_bytes)(size_t columns);
    size_t (*gradient_right_bytes)(size_t columns);
    void (*gradient_pack_left)(const ttt_bf16 *x, size_t ldx, int rows, int padded, int columns, int first, int count,
                               void *packed);
    void (*gradient_pack_right)(const ttt_bf16 *x, size_t ldx, int rows, int padded, int columns, int first, int count,
                                void *packed);
    /* c[tile_rows, 32] += of one tile and one panel; only the first `count` rows of c are touched. */
    void (*gradient_tile)(const void *left, const void *right, int padded, int tile, int count, int panel, float *c,
                          size_t ldc);

    /* Panel `panel` of the packed form of Wᵀ from W [rows, columns]. Padding columns of the panel and padding rows of
     * the depth are written as zeros or left alone. */
    void (*pack)(const float *value, size_t rows, size_t columns, size_t panel, ttt_bf16 *to);
    /* A tile of blocks (blocks.h), by format, as it lies in an unpacked panel of Wᵀ: in the numbers of a left operand,
     * bf16 as in a packed one, float32 as [depth][32]. */
    void (*unpack[TTT_DTYPE_COUNT])(const uint8_t *head, const uint8_t *tile, void *to);
    /* A tile of a panel of W from that of Wᵀ: 32 rows of the depth by the panel's 32 columns, which change roles;
     * packed, and unpacked. */
    void (*transpose)(const ttt_bf16 *from, ttt_bf16 *to);
    void (*transpose_unpacked)(const void *from, void *to);

    /* Multiplies in registers alone, as many sums side by side as a tile has; returns the operations. */
    double (*multiply_registers)(int rounds);

    double (*square_sum)(const float *x, size_t count); /* float32 sums: count in the hundreds */
    void (*adamw)(float *value, float *gradient, float *m, float *v, size_t count, const ttt_adamw_factors *factors);
};

extern const ttt_cpu_kernels ttt_cpu_kernels_avx2, ttt_cpu_kernels_avx512, ttt_cpu_kernels_avx512bf16,
    ttt_cpu_kernels_amx;

static inline size_t ttt_cpu_lda(size_t columns) {
    return ttt_cpu_pad(columns) + 32;
} /* off powers of two */

#endif
