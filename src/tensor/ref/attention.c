/* Attention over a range of keys, row by row and head by head, in two passes over the range: the first finds the
 * largest score, the second sums exp(score - largest) and the values so weighted. Scores are computed in both, so that
 * no memory grows with the number of keys.
 *
 * Backward (Dao et al., "FlashAttention", 2022, section 3.1): with p = exp(score - lse) and delta = dO·O,
 *     dv_j += p·dO,   ds = p·(dO·v_j - delta) / √D,   dq += ds·k_j,   dk_j += ds·q. */
#include "tensor/ref/ref.h"

#include <assert.h>
#include <math.h>
#include <string.h>

typedef struct head_view {
    const float *keys, *values; /* of the whole store at this head: row r begins at r * stride */
    size_t stride, dim;
    float scale;
} head_view;

static head_view view(const ttt_workspace *workspace, const ttt_kv *kv, int32_t head) {
    const ttt_shape *shape = &workspace->shape;
    const size_t dim = (size_t)shape->head_dim;
    const size_t group = (size_t)(head / (shape->heads / shape->kv_heads));
    return (head_view){.keys = kv->keys + group * dim,
                       .values = kv->values + group * dim,
                       .stride = (size_t)shape->kv_heads * dim,
                       .dim = dim,
                       .scale = 1.0f / sqrtf((float)dim)};
}

/* One row and head; returns the logarithm of the softmax's denominator. */
static float attend(const ttt_workspace *workspace, const ttt_kv *kv, int32_t layer, int32_t t, int32_t head,
                    const float *q, float *o) {
    const ttt_batch *batch = &workspace->batch;
    const head_view at = view(workspace, kv, head);
    const int32_t low = batch->kv_low[t], high = batch->kv_high[t];
    assert(low >= 0 && low < high);
    float largest = -INFINITY, sum = 0;
    for (int32_t j = low; j < high; j++) {
        size_t row = ttt_ref_kv_row(workspace, kv, layer, batch->sequence[t], j);
        largest = fmaxf(largest, at.scale * ttt_ref_dot(q, at.keys + row * at.stride, at.dim));
    }
    memset(o, 0, at.dim * sizeof *o);
    for (int32_t j = low; j < high; j++) {
        size_t row = ttt_ref_kv_row(workspace, kv, layer, batch->sequence[t], j);
        float p = expf(at.scale * ttt_ref_dot(q, at.keys + row * at.stride, at.dim) - largest);
        sum += p;
        ttt_ref_add_scaled(o, p, at.values + row * at.stride, at.dim);
    }
    for (size_t i = 0; i < at.dim; i++) o[i] /= sum;
    return largest + logf(sum);
}

ttt_status ttt_ref_attention(ttt_workspace *workspace, const ttt_buffer *q, const ttt_kv *kv, int32_t layer,
                             ttt_buffer *o, ttt_buffer *lse, ttt_error *err) {
    (void)err;
    const size_t heads = (size_t)workspace->shape.heads, dim = (size_t)workspace->shape.head_dim;
    for (int32_t t = 0; t < workspace->batch.tokens; t++) {
        for (size_t h = 0; h < heads; h++) {
            size_t at = (size_t)t * heads + h;
            float l = attend(workspace, kv, layer, t, (int32_t)h, q->data + at * dim, o->data + at * dim);
            if (lse != NULL) lse->data[at] = l;
        }
    }
    return TTT_OK;
}

/* The batch's row in which each sequence begins is found on the way: rows of a sequence lie together, and its keys
 * were all written by this batch, so key j is row begin + j. */
static int32_t row_of_first_key(const ttt_batch *batch, int32_t t) {
    return t - batch->index[t];
}

ttt_status ttt_ref_attention_backward(ttt_workspace *workspace, const ttt_buffer *q, const ttt_kv *kv, int32_t layer,
                                      const ttt_buffer *o, const ttt_buffer *lse, const ttt_buffer *d_o, ttt_buffer *dq,
                                      ttt_buffer *dk, ttt_buffer *dv, ttt_error *err) {
    (void)err;
    const ttt_batch *batch = &workspace->batch;
    const ttt_shape *shape = &workspace->shape;
    const size_t heads = (size_t)shape->heads, dim = (size_t)shape->head_dim, tokens = (size_t)batch->tokens;
    const size_t kv_width = (size_t)shape->kv_heads * dim;
    memset(dq->data, 0, tokens * heads * dim * sizeof(float));
    memset(dk->data, 0, tokens * kv_width * sizeof(float));
    memset(dv->data, 0, tokens * kv_width * sizeof(float));
    for (int32_t t = 0; t < batch->tokens; t++) {
        for (size_t h = 0; h < heads; h++) {
            const size_t at = (size_t)t * heads + h, group = h / (heads / (size_t)shape->kv_heads);
            const head_view from = view(workspace, kv, (int32_t)h);
            const float *q_row = q->data + at * dim, *d_row = d_o->data + at * dim;
            const float delta = ttt_ref_dot(d_row, o->data + at * dim, dim);
            for (int32_t j = batch->kv_low[t]; j < batch->kv_high[t]; j++) {
                const size_t row = ttt_ref_kv_row(workspace, kv, layer, batch->sequence[t], j);
                const float *k_row = from.keys + row * from.stride, *v_row = from.values + row * from.stride;
                const size_t own = (size_t)(row_of_first_key(batch, t) + j) * kv_width + group * dim;
                float p = expf(from.scale * ttt_ref_dot(q_row, k_row, dim) - lse->data[at]);
                float ds = from.scale * p * (ttt_ref_dot(d_row, v_row, dim) - delta);
                ttt_ref_add_scaled(dv->data + own, p, d_row, dim);
                ttt_ref_add_scaled(dk->data + own, ds, q_row, dim);
                ttt_ref_add_scaled(dq->data + at * dim, ds, k_row, dim);
            }
        }
    }
    return TTT_OK;
}

ttt_status ttt_ref_project(ttt_workspace *workspace, const ttt_linear *linear, const ttt_buffer *o, const ttt_buffer *x,
                           ttt_buffer *y, ttt_error *err) {
    (void)err;
    const size_t tokens = (size_t)workspace->batch.tokens, width = linear->weight->rows;
    if (y != x) memcpy(y->data, x->data, tokens * width * sizeof(float));
    ttt_ref_linear(workspace, linear, 0, (int32_t)tokens, o->data, y->data);
    return TTT_OK;
}

ttt_status ttt_ref_project_backward(ttt_workspace *workspace, const ttt_linear *linear, const ttt_buffer *o,
                                    const ttt_buffer *dy, ttt_buffer *d_o, ttt_error *err) {
    (void)err;
    const size_t tokens = (size_t)workspace->batch.tokens, width = linear->weight->columns;
    memset(d_o->data, 0, tokens * width * sizeof(float));
    ttt_ref_linear_backward(workspace, linear, 0, (int32_t)tokens, o->data, dy->data, d_o->data);
    return TTT_OK;
}
