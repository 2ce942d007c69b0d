/* The gated MLP. A thread takes a row block through the whole of it; the hidden row block stays in its cache. The
 * hidden columns come some at a time, as many as the scratch for sums holds at least: HIDDEN_PANELS panels of the rows
 * of a full block, more of fewer rows, so that products of few rows are large enough to be divided among threads. */
#include "tensor/cpu/linear.h"
#include "tensor/cpu/operations.h"

#include <assert.h>
#include <string.h>

enum { HIDDEN_PANELS = TTT_CPU_VOCABULARY / TTT_CPU_PAD / 2 };

typedef struct mlp_call {
    const ttt_mlp_block *mlp;
    const ttt_buffer *x;
    ttt_buffer *gate, *up;
    ttt_buffer *y; /* dx in backward */
} mlp_call;

static size_t panels_at_a_time(const ttt_block *block) {
    return HIDDEN_PANELS * (TTT_CPU_BLOCK / (((size_t)block->rows + 11) / 12 * 12));
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Column `column` of row `first` of a left operand. */
static void *left_at(const ttt_cpu_kernels *kernels, void *left, size_t column) {
    return (char *)left + column * kernels->left_size;
}

static void mlp_block(const ttt_block *block, const void *context) {
    const mlp_call *call = context;
    const ttt_mlp_block *mlp = call->mlp;
    ttt_workspace *w = block->workspace;
    const ttt_cpu_kernels *kernels = block->kernels;
    const size_t width = (size_t)w->shape.width, hidden = (size_t)w->shape.hidden, first = (size_t)block->first;
    const size_t panels = ttt_cpu_panels(hidden), step = panels_at_a_time(block), columns = step * TTT_CPU_PAD;
    const size_t lda = ttt_cpu_lda(width), ldh = ttt_cpu_lda(hidden), lds = ttt_cpu_lda(columns);
    void *a = block->scratch->left[0], *h = block->scratch->left[1];
    float *gate = block->scratch->sum[0], *up = block->scratch->sum[1];
    kernels->normalize(ttt_bf16_row(call->x, first), block->rows, (int)width, mlp->norm->vector, w->shape.norm_epsilon,
                       a, lda, NULL, block->scratch->inverse_rms);
    ttt_cpu_low(block, &mlp->gate, false, 0, a, lda, NULL);
    ttt_cpu_low(block, &mlp->up, false, 1, a, lda, NULL);
    for (size_t panel = 0; panel < panels; panel += step) {
        const size_t count = smaller(panels - panel, step), column = panel * TTT_CPU_PAD;
        ttt_cpu_linear(block, &mlp->gate, false, 0, a, lda, panel, count, gate, lds, false);
        ttt_cpu_linear(block, &mlp->up, false, 1, a, lda, panel, count, up, lds, false);
        kernels->gate(gate, up, lds, block->rows, (int)smaller(hidden - column, columns), left_at(kernels, h, column),
                      ldh, call->gate == NULL ? NULL : ttt_bf16_row(call->gate, first) + column,
                      call->up == NULL ? NULL : ttt_bf16_row(call->up, first) + column, hidden);
    }
    float *sum = block->scratch->sum[0];
    ttt_cpu_low(block, &mlp->down, false, 2, h, ldh, NULL);
    ttt_cpu_linear(block, &mlp->down, false, 2, h, ldh, 0, ttt_cpu_panels(width), sum, lda, false);
    kernels->store_sum(sum, lda, ttt_bf16_row(call->x, first), ttt_bf16_row(call->y, first), width, block->rows,
                       (int)width);
}

ttt_status ttt_cpu_mlp(ttt_workspace *workspace, const ttt_mlp_block *mlp, const ttt_buffer *x, ttt_buffer *gate,
                       ttt_buffer *up, ttt_buffer *y, ttt_error *err) {
    (void)err;
    const mlp_call call = {.mlp = mlp, .x = x, .gate = gate, .up = up, .y = y};
    ttt_cpu_for_blocks(workspace, workspace->blocks, workspace->block_count, mlp_block, &call);
    return TTT_OK;
}

/* gate and up become their own gradients, in the buffers and as left operands 1 and 2; the hidden rows go to
 * backward.hidden. */
static void gate_backward(const ttt_block *block, const mlp_call *call) {
    const ttt_mlp_block *mlp = call->mlp;
    ttt_workspace *w = block->workspace;
    const ttt_cpu_kernels *kernels = block->kernels;
    const size_t width = (size_t)w->shape.width, hidden = (size_t)w->shape.hidden, first = (size_t)block->first;
    const size_t panels = ttt_cpu_panels(hidden), step = panels_at_a_time(block), columns = step * TTT_CPU_PAD;
    const size_t lda = ttt_cpu_lda(width), ldh = ttt_cpu_lda(hidden), lds = ttt_cpu_lda(columns);
    void *dy = block->scratch->left[0];
    kernels->load(ttt_bf16_row(call->y, first), width, block->rows, (int)width, dy, lda);
    if (ttt_cpu_wants_gradient(&mlp->down)) {
        memcpy(w->backward.upstream + first * width, ttt_bf16_row(call->y, first),
               (size_t)block->rows * width * sizeof(ttt_bf16));
    }
    ttt_cpu_low(block, &mlp->down, true, 2, dy, lda, w->backward.d_low[2]);
    for (size_t panel = 0; panel < panels; panel += step) {
        const size_t column = panel * TTT_CPU_PAD;
        float *dh = block->scratch->sum[0];
        ttt_cpu_linear(block, &mlp->down, true, 2, dy, lda, panel, smaller(panels - panel, step), dh, lds, false);
        kernels->gate_backward(
            dh, lds, block->rows, (int)smaller(hidden - column, columns), ttt_bf16_row(call->gate, first) + column,
            ttt_bf16_row(call->up, first) + column, w->backward.hidden + first * hidden + column, hidden,
            left_at(kernels, block->scratch->left[1], column), left_at(kernels, block->scratch->left[2], column), ldh);
    }
}

static void mlp_backward_block(const ttt_block *block, const void *context) {
    const mlp_call *call = context;
    const ttt_mlp_block *mlp = call->mlp;
    ttt_workspace *w = block->workspace;
    const ttt_cpu_kernels *kernels = block->kernels;
    const size_t width = (size_t)w->shape.width, hidden = (size_t)w->shape.hidden, first = (size_t)block->first;
    const size_t lda = ttt_cpu_lda(width), ldh = ttt_cpu_lda(hidden), panels = ttt_cpu_panels(width);
    void **left = block->scratch->left;
    float *sum = block->scratch->sum[0];
    gate_backward(block, call);
    ttt_cpu_low(block, &mlp->gate, true, 0, left[1], ldh, w->backward.d_low[0]);
    ttt_cpu_low(block, &mlp->up, true, 1, left[2], ldh, w->backward.d_low[1]);
    ttt_cpu_linear(block, &mlp->gate, true, 0, left[1], ldh, 0, panels, sum, lda, false);
    ttt_cpu_linear(block, &mlp->up, true, 1, left[2], ldh, 0, panels, sum, lda, true);
    kernels->normalize(ttt_bf16_row(call->x, first), block->rows, (int)width, mlp->norm->vector, w->shape.norm_epsilon,
                       left[0], lda, w->backward.normed + first * width, block->scratch->inverse_rms);
    ttt_cpu_low(block, &mlp->gate, false, 0, left[0], lda, w->backward.low[0]);
    ttt_cpu_low(block, &mlp->up, false, 1, left[0], lda, w->backward.low[1]);
    if (ttt_cpu_adapter(&mlp->down, block->adapter) != NULL) {
        kernels->load(w->backward.hidden + first * hidden, hidden, block->rows, (int)hidden, left[1], ldh);
        ttt_cpu_low(block, &mlp->down, false, 2, left[1], ldh, w->backward.low[2]);
    }
    kernels->normalize_backward(sum, lda, ttt_bf16_row(call->x, first), block->rows, (int)width, mlp->norm->vector,
                                block->scratch->inverse_rms, ttt_bf16_row(call->y, first),
                                ttt_cpu_gain_sum(block, mlp->norm, 0));
}

ttt_status ttt_cpu_mlp_backward(ttt_workspace *workspace, const ttt_mlp_block *mlp, const ttt_buffer *x,
                                ttt_buffer *gate, ttt_buffer *up, ttt_buffer *dx, ttt_error *err) {
    (void)err;
    assert(workspace->training);
    const mlp_call call = {.mlp = mlp, .x = x, .gate = gate, .up = up, .y = dx};
    const ttt_training_scratch *backward = &workspace->backward;
    const ttt_row_block *blocks = workspace->blocks;
    const int32_t count = workspace->block_count;
    ttt_cpu_gain_begin(workspace, mlp->norm, 0, count);
    ttt_cpu_for_blocks(workspace, blocks, count, mlp_backward_block, &call);
    ttt_cpu_gain_end(workspace, mlp->norm, 0, count);
    ttt_cpu_linear_gradients(workspace, &mlp->gate, gate->data, backward->normed, 0, blocks, count);
    ttt_cpu_linear_gradients(workspace, &mlp->up, up->data, backward->normed, 1, blocks, count);
    ttt_cpu_linear_gradients(workspace, &mlp->down, backward->upstream, backward->hidden, 2, blocks, count);
    return TTT_OK;
}
