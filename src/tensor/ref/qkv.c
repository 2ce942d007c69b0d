/* The way from the residual stream to queries, keys and values: norm, three products, rotation, and the store. */
#include "tensor/ref/ref.h"

#include <string.h>

/* Turns every head of every row by the row's angles, or back by them (direction -1). A rotation's gradient is the
 * rotation back. */
static void rotate(const ttt_workspace *workspace, int32_t heads, float direction, float *rows) {
    const size_t dim = (size_t)workspace->shape.head_dim, pairs = dim / 2;
    for (size_t t = 0; t < (size_t)workspace->batch.tokens; t++) {
        const float *cosine = workspace->cosine + t * pairs, *sine = workspace->sine + t * pairs;
        for (int32_t h = 0; h < heads; h++, rows += dim) {
            for (size_t i = 0; i < pairs; i++) {
                float a = rows[i], b = rows[i + pairs];
                rows[i] = a * cosine[i] - direction * b * sine[i];
                rows[i + pairs] = b * cosine[i] + direction * a * sine[i];
            }
        }
    }
}

static void clear(float *memory, size_t rows, size_t columns) {
    memset(memory, 0, rows * columns * sizeof *memory);
}

ttt_status ttt_ref_qkv(ttt_workspace *workspace, const ttt_qkv_block *block, const ttt_buffer *x, ttt_buffer *q,
                       ttt_kv *kv, int32_t layer, ttt_error *err) {
    (void)err;
    const ttt_batch *batch = &workspace->batch;
    const ttt_shape *shape = &workspace->shape;
    const int32_t tokens = batch->tokens;
    const size_t kv_width = (size_t)shape->kv_heads * (size_t)shape->head_dim;
    float *normed = workspace->normed, *rows = workspace->keys_values;

    ttt_ref_norm(workspace, block->norm, tokens, x->data, normed);
    clear(q->data, (size_t)tokens, (size_t)shape->heads * (size_t)shape->head_dim);
    ttt_ref_linear(workspace, &block->q, 0, tokens, normed, q->data);
    rotate(workspace, shape->heads, 1, q->data);
    for (int value = 0; value < 2; value++) {
        clear(rows, (size_t)tokens, kv_width);
        ttt_ref_linear(workspace, value ? &block->v : &block->k, 0, tokens, normed, rows);
        if (!value) rotate(workspace, shape->kv_heads, 1, rows);
        float *store = value ? kv->values : kv->keys;
        for (int32_t t = 0; t < tokens; t++) {
            size_t row = ttt_ref_kv_row(workspace, kv, layer, batch->sequence[t], batch->index[t]);
            memcpy(store + row * kv_width, rows + (size_t)t * kv_width, kv_width * sizeof *rows);
        }
    }
    return TTT_OK;
}

ttt_status ttt_ref_qkv_backward(ttt_workspace *workspace, const ttt_qkv_block *block, const ttt_buffer *x,
                                ttt_buffer *dq, ttt_buffer *dk, ttt_buffer *dv, ttt_buffer *dx, ttt_error *err) {
    (void)err;
    const ttt_shape *shape = &workspace->shape;
    const int32_t tokens = workspace->batch.tokens;
    float *normed = workspace->normed, *d_normed = workspace->d_normed;

    rotate(workspace, shape->heads, -1, dq->data);
    rotate(workspace, shape->kv_heads, -1, dk->data);
    ttt_ref_norm(workspace, block->norm, tokens, x->data, normed);
    clear(d_normed, (size_t)tokens, (size_t)shape->width);
    ttt_ref_linear_backward(workspace, &block->q, 0, tokens, normed, dq->data, d_normed);
    ttt_ref_linear_backward(workspace, &block->k, 0, tokens, normed, dk->data, d_normed);
    ttt_ref_linear_backward(workspace, &block->v, 0, tokens, normed, dv->data, d_normed);
    ttt_ref_norm_backward(workspace, block->norm, tokens, x->data, d_normed, dx->data);
    return TTT_OK;
}
