/* Products of row blocks with weights and their adapters; how operations spread over threads. */
#ifndef TTT_TENSOR_CPU_LINEAR_H
#define TTT_TENSOR_CPU_LINEAR_H

#include "tensor/cpu/kernels.h"

/* A row block in the hands of a thread. */
typedef struct ttt_block {
    ttt_workspace *workspace;
    const ttt_cpu_kernels *kernels;
    ttt_block_scratch *scratch; /* the thread's */
    bool alone;                 /* the only block of its list: the other threads have nothing to do */
    int index;                  /* of the block in its list */
    int first, rows, adapter;
} ttt_block;

/* body(block, context) for every block of a list, on all threads, in any order. */
void ttt_cpu_for_blocks(ttt_workspace *workspace, const ttt_row_block *blocks, int32_t count,
                        void (*body)(const ttt_block *block, const void *context), const void *context);

/* NULL if the rows have none. */
const ttt_adapter *ttt_cpu_adapter(const ttt_linear *linear, int32_t adapter);

/* c[rows, 32·panels] = or += a · Wᵀ, or a · W (backward): its panels from `first_panel` on. */
void ttt_cpu_multiply(const ttt_block *block, const ttt_weight *w, bool backward, const void *a, size_t lda,
                      size_t first_panel, size_t panels, float *c, size_t ldc, bool add);

/* c = or += a · all panels of W, but only rows [first, first + depth) of W, multiples of 32. */
void ttt_cpu_multiply_rows(const ttt_block *block, const ttt_weight *w, const void *a, size_t lda, size_t first,
                           size_t depth, float *c, size_t ldc, bool add);

/* The narrow product of an adapter, which ttt_cpu_linear wants ready: scratch->low[slot] = scale · a · Aᵀ (backward:
 * scale · a · B), and, unless `out` is NULL, the block's rows of out [T, max_rank]. Does nothing for rows without an
 * adapter. */
void ttt_cpu_low(const ttt_block *block, const ttt_linear *linear, bool backward, int slot, const void *a, size_t lda,
                 ttt_bf16 *out);

/* Panels [first_panel, first_panel + panels) of x·Wᵀ + (low)·Bᵀ; backward: of dy·W + (low)·A. */
void ttt_cpu_linear(const ttt_block *block, const ttt_linear *linear, bool backward, int slot, const void *a,
                    size_t lda, size_t first_panel, size_t panels, float *c, size_t ldc, bool add);

static inline size_t ttt_cpu_panels(size_t columns) {
    return (columns + TTT_CPU_PAD - 1) / TTT_CPU_PAD;
}

/* ---- gradient.c ---- */

/* gradient [out, in] += dyᵀ·x, over rows of dy [rows, out] and x [rows, in] that lie ldd and ldx apart. */
void ttt_cpu_gradient(ttt_workspace *workspace, float *gradient, const ttt_bf16 *dy, size_t ldd, size_t out,
                      const ttt_bf16 *x, size_t ldx, size_t in, int32_t rows);
/* Gradients of a linear map and its adapters from dy [rows, out], x [rows, in] and the narrow products in
 * backward.low[slot] and d_low[slot] (rows max_rank apart). `blocks` divides the rows among adapters. */
void ttt_cpu_linear_gradients(ttt_workspace *workspace, const ttt_linear *linear, const ttt_bf16 *dy, const ttt_bf16 *x,
                              int slot, const ttt_row_block *blocks, int32_t block_count);
/* Neighbouring blocks with one adapter: rows [first, first + rows) are one sum in its gradients. Starts as {0}. */
typedef struct ttt_cpu_run {
    const ttt_adapter *adapter;
    size_t first;
    int32_t rows, next; /* next: block after the run */
} ttt_cpu_run;

/* Goes on to the next run of rows that have an adapter; false when there is none. */
bool ttt_cpu_run_next(ttt_cpu_run *run, const ttt_linear *linear, const ttt_row_block *blocks, int32_t block_count);

/* Whether ttt_cpu_linear_gradients has anything to do. */
bool ttt_cpu_wants_gradient(const ttt_linear *linear);

/* The gradient of a norm's gain: the sums of the blocks, in their order. Slot 0 has room for a gain of C numbers, 1 and
 * 2 for D. Nothing is done for a gain that is not there (NULL) or not trainable. */
void ttt_cpu_gain_begin(ttt_workspace *workspace, const ttt_weight *gain, int slot, int32_t block_count);
float *ttt_cpu_gain_sum(const ttt_block *block, const ttt_weight *gain, int slot); /* NULL unless trainable */
void ttt_cpu_gain_end(ttt_workspace *workspace, ttt_weight *gain, int slot, int32_t block_count);
/* The gradient of a bias: the sum of the batch's rows of d [T, columns]. Nothing if there is none or it is frozen. */
void ttt_cpu_bias_gradient(ttt_workspace *workspace, ttt_weight *bias, const ttt_buffer *d);

#endif
