/* Around attention: the norm with the projections to queries, keys and values, their biases and the norm of their
 * heads, and the projection back.
 *
 * Backward of the norm of heads needs q and k as they were before it. They are computed again from x: that costs one
 * product of q and one of k where backward has three for each, and the norm before is recomputed anyhow; keeping them
 * would take as much memory per layer and token as queries and keys themselves. */
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

/* One of q, k and v: what the block has for it. */
typedef struct part {
    const ttt_linear *linear;
    ttt_weight *bias, *norm; /* NULL: none */
    int heads;
    bool rotates;
} part;

enum { QUERIES, KEYS, VALUES, PARTS };

static part part_of(const ttt_workspace *workspace, const ttt_qkv_block *qkv, int which) {
    const int heads = workspace->shape.heads, kv_heads = workspace->shape.kv_heads;
    switch (which) {
    case QUERIES: return (part){&qkv->q, qkv->q_bias, qkv->q_norm, heads, true};
    case KEYS: return (part){&qkv->k, qkv->k_bias, qkv->k_norm, kv_heads, true};
    default: return (part){&qkv->v, qkv->v_bias, NULL, kv_heads, false};
    }
}

static const float *angles(const ttt_block *block, const float *table) {
    return table + (size_t)block->first * (size_t)block->workspace->shape.head_dim / 2;
}

/* sum [rows, ldc] = a·Wᵀ + bias, with the adapter, whose narrow product must be in scratch->low[0]. */
static void project_part(const ttt_block *block, const part *at, const void *a, size_t lda, float *sum, size_t ldc) {
    const int columns = at->heads * block->workspace->shape.head_dim;
    ttt_cpu_linear(block, at->linear, false, 0, a, lda, 0, ttt_cpu_panels((size_t)columns), sum, ldc, false);
    if (at->bias != NULL) block->kernels->add_bias(sum, ldc, block->rows, columns, at->bias->vector);
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
    ttt_bf16 *const to[PARTS] = {ttt_bf16_row(call->q, first), w->k + first * kv_width, w->v + first * kv_width};
    kernels->normalize(ttt_bf16_row(call->x, first), block->rows, width, call->qkv->norm->vector, w->shape.norm_epsilon,
                       a, lda, NULL, block->scratch->inverse_rms);
    for (int i = 0; i < PARTS; i++) {
        const part at = part_of(w, call->qkv, i);
        const size_t columns = (size_t)at.heads * (size_t)dim, ldc = ttt_cpu_lda(columns);
        ttt_cpu_low(block, at.linear, false, 0, a, lda, NULL);
        project_part(block, &at, a, lda, sum, ldc);
        if (at.norm != NULL) {
            kernels->normalize_heads(sum, ldc, block->rows, at.heads, dim, at.norm->vector, w->shape.norm_epsilon);
        }
        if (at.rotates) {
            kernels->rotate(sum, ldc, block->rows, at.heads, dim, angles(block, w->cosine), angles(block, w->sine),
                            to[i], columns);
        } else {
            kernels->store(sum, ldc, block->rows, (int)columns, 1.0f, to[i], columns);
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

/* d [rows, heads·D], the gradient of a part as attention sees it, becomes that of its product. `a`: the normed rows;
 * the narrow product of the adapter must be in scratch->low[0]. */
static void part_backward(const ttt_block *block, const part *at, int which, const void *a, size_t lda, ttt_bf16 *d) {
    const ttt_workspace *w = block->workspace;
    const int dim = w->shape.head_dim;
    const size_t columns = (size_t)at->heads * (size_t)dim, ldc = ttt_cpu_lda(columns);
    if (at->rotates) {
        block->kernels->rotate_back(d, columns, block->rows, at->heads, dim, angles(block, w->cosine),
                                    angles(block, w->sine));
    }
    if (at->norm == NULL) return;
    float *projected = block->scratch->sum[1];
    project_part(block, at, a, lda, projected, ldc);
    block->kernels->normalize_heads_backward(projected, ldc, block->rows, at->heads, dim, at->norm->vector,
                                             w->shape.norm_epsilon, d, columns,
                                             ttt_cpu_gain_sum(block, at->norm, 1 + which));
}

static void qkv_backward_block(const ttt_block *block, const void *context) {
    const qkv_call *call = context;
    ttt_workspace *w = block->workspace;
    const ttt_cpu_kernels *kernels = block->kernels;
    const int width = w->shape.width;
    const size_t lda = ttt_cpu_lda((size_t)width), first = (size_t)block->first;
    const float *gain = call->qkv->norm->vector;
    float *sum = block->scratch->sum[0];
    ttt_buffer *const gradients[PARTS] = {call->dq, call->dk, call->dv};
    /* The norm's output again: for the adapters' narrow products and, in bf16, for the gradients. */
    void *normed = block->scratch->left[0], *a = block->scratch->left[1];
    kernels->normalize(ttt_bf16_row(call->x, first), block->rows, width, gain, w->shape.norm_epsilon, normed, lda,
                       w->backward.normed + first * (size_t)width, block->scratch->inverse_rms);
    for (int i = 0; i < PARTS; i++) {
        const part at = part_of(w, call->qkv, i);
        const size_t columns = (size_t)at.heads * (size_t)w->shape.head_dim, ld = ttt_cpu_lda(columns);
        ttt_bf16 *d = ttt_bf16_row(gradients[i], first);
        ttt_cpu_low(block, at.linear, false, 0, normed, lda, w->backward.low[i]);
        part_backward(block, &at, i, normed, lda, d);
        kernels->load(d, columns, block->rows, (int)columns, a, ld);
        ttt_cpu_low(block, at.linear, true, 0, a, ld, w->backward.d_low[i]);
        ttt_cpu_linear(block, at.linear, true, 0, a, ld, 0, ttt_cpu_panels((size_t)width), sum, lda, i > 0);
    }
    kernels->normalize_backward(sum, lda, ttt_bf16_row(call->x, first), block->rows, width, gain,
                                block->scratch->inverse_rms, ttt_bf16_row(call->dx, first),
                                ttt_cpu_gain_sum(block, call->qkv->norm, 0));
}

ttt_status ttt_cpu_qkv_backward(ttt_workspace *workspace, const ttt_qkv_block *qkv, const ttt_buffer *x, ttt_buffer *dq,
                                ttt_buffer *dk, ttt_buffer *dv, ttt_buffer *dx, ttt_error *err) {
    (void)err;
    assert(workspace->training);
    const qkv_call call = {.qkv = qkv, .x = x, .dq = dq, .dk = dk, .dv = dv, .dx = dx};
    const ttt_row_block *blocks = workspace->blocks;
    const int32_t count = workspace->block_count;
    ttt_weight *const gains[] = {qkv->norm, qkv->q_norm, qkv->k_norm};
    for (int i = 0; i < 3; i++) ttt_cpu_gain_begin(workspace, gains[i], i, count);
    ttt_cpu_for_blocks(workspace, blocks, count, qkv_backward_block, &call);
    for (int i = 0; i < 3; i++) ttt_cpu_gain_end(workspace, gains[i], i, count);
    const ttt_buffer *const gradients[PARTS] = {dq, dk, dv};
    for (int i = 0; i < PARTS; i++) {
        const part at = part_of(workspace, qkv, i);
        ttt_cpu_bias_gradient(workspace, at.bias, gradients[i]);
        ttt_cpu_linear_gradients(workspace, at.linear, gradients[i]->data, workspace->backward.normed, i, blocks,
                                 count);
    }
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
