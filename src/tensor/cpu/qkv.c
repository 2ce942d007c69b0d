/* Around attention: the norm with the projections to queries, keys and values, and the projection back. */
#include "tensor/cpu/kv.h"
#include "tensor/cpu/linear.h"
#include "tensor/cpu/operations.h"

#include <assert.h>
#include <stddef.h>

typedef struct qkv_call {
    const ttt_qkv_block *qkv;
    const ttt_buffer *x;
    ttt_buffer *q;                 /* forward */
    ttt_buffer *dq, *dk, *dv, *dx; /* backward */
} qkv_call;

static const float *angles(const ttt_block *block, const float *table) {
    return table + (size_t)block->first * (size_t)block->workspace->shape.head_dim / 2;
}

static void qkv_block(const ttt_block *block, const void *context) {
    const qkv_call *call = context;
    ttt_workspace *w = block->workspace;
    const ttt_cpu_kernels *kernels = block->kernels;
    const int width = w->shape.width, dim = w->shape.head_dim;
    const size_t lda = ttt_cpu_lda((size_t)width), first = (size_t)block->first;
    const size_t kv_width = (size_t)w->shape.kv_heads * (size_t)dim;
    void *a = block->scratch->left[0];
    float *sum = block->scratch->sum[0];
    kernels->normalize(ttt_bf16_row(call->x, first), block->rows, width, call->qkv->norm->vector, w->shape.norm_epsilon,
                       a, lda, NULL, block->scratch->inverse_rms);
    const struct {
        const ttt_linear *linear;
        int heads;
        ttt_bf16 *to;
    } parts[] = {{&call->qkv->q, w->shape.heads, ttt_bf16_row(call->q, first)},
                 {&call->qkv->k, w->shape.kv_heads, w->k + first * kv_width},
                 {&call->qkv->v, w->shape.kv_heads, w->v + first * kv_width}};
    for (int i = 0; i < 3; i++) {
        const size_t columns = (size_t)parts[i].heads * (size_t)dim, ldc = ttt_cpu_lda(columns);
        ttt_cpu_low(block, parts[i].linear, false, 0, a, lda, NULL);
        ttt_cpu_linear(block, parts[i].linear, false, 0, a, lda, 0, ttt_cpu_panels(columns), sum, ldc, false);
        if (i < 2) {
            kernels->rotate(sum, ldc, block->rows, parts[i].heads, dim, angles(block, w->cosine),
                            angles(block, w->sine), parts[i].to, columns);
        } else {
            kernels->store(sum, ldc, block->rows, (int)columns, 1.0f, parts[i].to, columns);
        }
    }
}

ttt_status ttt_cpu_qkv(ttt_workspace *workspace, const ttt_qkv_block *qkv, const ttt_buffer *x, ttt_buffer *q,
                       ttt_kv *kv, int32_t layer, ttt_error *err) {
    (void)err;
    const qkv_call call = {.qkv = qkv, .x = x, .q = q};
    ttt_cpu_for_blocks(workspace, workspace->blocks, workspace->block_count, qkv_block, &call);
    ttt_cpu_kv_store(kv, layer, &workspace->batch, workspace->k, workspace->v,
                     (size_t)workspace->shape.kv_heads * (size_t)workspace->shape.head_dim,
                     ttt_cpu(workspace->backend)->threads);
    return TTT_OK;
}

static void qkv_backward_block(const ttt_block *block, const void *context) {
    const qkv_call *call = context;
    ttt_workspace *w = block->workspace;
    const ttt_cpu_kernels *kernels = block->kernels;
    const int width = w->shape.width, dim = w->shape.head_dim;
    const size_t lda = ttt_cpu_lda((size_t)width), first = (size_t)block->first;
    const float *gain = call->qkv->norm->vector;
    float *sum = block->scratch->sum[0];
    /* The norm's output again: for the adapters' narrow products and, in bf16, for the gradients. */
    void *normed = block->scratch->left[0], *a = block->scratch->left[1];
    kernels->normalize(ttt_bf16_row(call->x, first), block->rows, width, gain, w->shape.norm_epsilon, normed, lda,
                       w->backward.normed + first * (size_t)width, block->scratch->inverse_rms);
    const struct {
        const ttt_linear *linear;
        int heads;
        ttt_buffer *d;
    } parts[] = {{&call->qkv->q, w->shape.heads, call->dq},
                 {&call->qkv->k, w->shape.kv_heads, call->dk},
                 {&call->qkv->v, w->shape.kv_heads, call->dv}};
    for (int i = 0; i < 3; i++) {
        const size_t columns = (size_t)parts[i].heads * (size_t)dim, ld = ttt_cpu_lda(columns);
        ttt_bf16 *d = ttt_bf16_row(parts[i].d, first);
        if (i < 2) {
            kernels->rotate_back(d, columns, block->rows, parts[i].heads, dim, angles(block, w->cosine),
                                 angles(block, w->sine));
        }
        kernels->load(d, columns, block->rows, (int)columns, a, ld);
        ttt_cpu_low(block, parts[i].linear, false, 0, normed, lda, w->backward.low[i]);
        ttt_cpu_low(block, parts[i].linear, true, 0, a, ld, w->backward.d_low[i]);
        ttt_cpu_linear(block, parts[i].linear, true, 0, a, ld, 0, ttt_cpu_panels((size_t)width), sum, lda, i > 0);
    }
    kernels->normalize_backward(sum, lda, ttt_bf16_row(call->x, first), block->rows, width, gain,
                                block->scratch->inverse_rms, ttt_bf16_row(call->dx, first),
                                ttt_cpu_gain_sum(block, call->qkv->norm));
}

ttt_status ttt_cpu_qkv_backward(ttt_workspace *workspace, const ttt_qkv_block *qkv, const ttt_buffer *x, ttt_buffer *dq,
                                ttt_buffer *dk, ttt_buffer *dv, ttt_buffer *dx, ttt_error *err) {
    (void)err;
    assert(workspace->training);
    const qkv_call call = {.qkv = qkv, .x = x, .dq = dq, .dk = dk, .dv = dv, .dx = dx};
    const ttt_row_block *blocks = workspace->blocks;
    const int32_t count = workspace->block_count;
    ttt_cpu_gain_begin(workspace, qkv->norm, count);
    ttt_cpu_for_blocks(workspace, blocks, count, qkv_backward_block, &call);
    ttt_cpu_gain_end(workspace, qkv->norm, count);
    ttt_cpu_linear_gradients(workspace, &qkv->q, dq->data, workspace->backward.normed, 0, blocks, count);
    ttt_cpu_linear_gradients(workspace, &qkv->k, dk->data, workspace->backward.normed, 1, blocks, count);
    ttt_cpu_linear_gradients(workspace, &qkv->v, dv->data, workspace->backward.normed, 2, blocks, count);
    return TTT_OK;
}

/* ---- y = x + o·Woᵀ ---- */

typedef struct project_call {
    const ttt_linear *linear;
    const ttt_buffer *o, *x, *dy;
    ttt_buffer *y, *d_o;
} project_call;

static void project_block(const ttt_block *block, const void *context) {
    const project_call *call = context;
    const size_t in = call->linear->weight->columns, out = call->linear->weight->rows, first = (size_t)block->first;
    const size_t lda = ttt_cpu_lda(in), ldc = ttt_cpu_lda(out);
    void *a = block->scratch->left[0];
    float *sum = block->scratch->sum[0];
    block->kernels->load(ttt_bf16_row(call->o, first), in, block->rows, (int)in, a, lda);
    ttt_cpu_low(block, call->linear, false, 0, a, lda, NULL);
    ttt_cpu_linear(block, call->linear, false, 0, a, lda, 0, ttt_cpu_panels(out), sum, ldc, false);
    block->kernels->store_sum(sum, ldc, ttt_bf16_row(call->x, first), ttt_bf16_row(call->y, first), out, block->rows,
                              (int)out);
}

ttt_status ttt_cpu_project(ttt_workspace *workspace, const ttt_linear *linear, const ttt_buffer *o, const ttt_buffer *x,
                           ttt_buffer *y, ttt_error *err) {
    (void)err;
    const project_call call = {.linear = linear, .o = o, .x = x, .y = y};
    ttt_cpu_for_blocks(workspace, workspace->blocks, workspace->block_count, project_block, &call);
    return TTT_OK;
}

static void project_backward_block(const ttt_block *block, const void *context) {
    const project_call *call = context;
    ttt_workspace *w = block->workspace;
    const size_t in = call->linear->weight->columns, out = call->linear->weight->rows, first = (size_t)block->first;
    const size_t ldi = ttt_cpu_lda(in), ldo = ttt_cpu_lda(out);
    void *o = block->scratch->left[0], *dy = block->scratch->left[1];
    float *sum = block->scratch->sum[0];
    if (ttt_cpu_adapter(call->linear, block->adapter) != NULL) {
        block->kernels->load(ttt_bf16_row(call->o, first), in, block->rows, (int)in, o, ldi);
        ttt_cpu_low(block, call->linear, false, 0, o, ldi, w->backward.low[0]);
    }
    block->kernels->load(ttt_bf16_row(call->dy, first), out, block->rows, (int)out, dy, ldo);
    ttt_cpu_low(block, call->linear, true, 0, dy, ldo, w->backward.d_low[0]);
    ttt_cpu_linear(block, call->linear, true, 0, dy, ldo, 0, ttt_cpu_panels(in), sum, ldi, false);
    block->kernels->store(sum, ldi, block->rows, (int)in, 1.0f, ttt_bf16_row(call->d_o, first), in);
}

ttt_status ttt_cpu_project_backward(ttt_workspace *workspace, const ttt_linear *linear, const ttt_buffer *o,
                                    const ttt_buffer *dy, ttt_buffer *d_o, ttt_error *err) {
    (void)err;
    assert(workspace->training);
    const project_call call = {.linear = linear, .o = o, .dy = dy, .d_o = d_o};
    ttt_cpu_for_blocks(workspace, workspace->blocks, workspace->block_count, project_backward_block, &call);
    ttt_cpu_linear_gradients(workspace, linear, dy->data, o->data, 0, workspace->blocks, workspace->block_count);
    return TTT_OK;
}
