/* The way from the residual stream to queries, keys and values: norm, three products with their biases, the norm of
 * heads, rotation, and the store. */
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

/* One of q, k and v on its way: what the block has for it. */
typedef struct part {
    const ttt_linear *linear;
    ttt_weight *bias, *norm; /* NULL: none */
    int32_t heads;
    bool rotates;
} part;

enum { QUERIES, KEYS, VALUES, PARTS };

static void parts_of(const ttt_workspace *workspace, const ttt_qkv_block *block, part parts[PARTS]) {
    const int32_t heads = workspace->shape.heads, kv_heads = workspace->shape.kv_heads;
    parts[QUERIES] = (part){&block->q, block->q_bias, block->q_norm, heads, true};
    parts[KEYS] = (part){&block->k, block->k_bias, block->k_norm, kv_heads, true};
    parts[VALUES] = (part){&block->v, block->v_bias, NULL, kv_heads, false};
}

/* y [T, heads·D] = normed·Wᵀ + bias */
static void project(ttt_workspace *workspace, const part *at, const float *normed, float *y) {
    const size_t tokens = (size_t)workspace->batch.tokens, width = at->linear->weight->rows;
    clear(y, tokens, width);
    ttt_ref_linear(workspace, at->linear, 0, (int32_t)tokens, normed, y);
    if (at->bias == NULL) return;
    for (size_t t = 0; t < tokens; t++) ttt_ref_add_scaled(y + t * width, 1, at->bias->part[TTT_VALUE], width);
}

/* y [T, heads·D]: the whole way from the normed residual stream. */
static void forward(ttt_workspace *workspace, const part *at, const float *normed, float *y) {
    project(workspace, at, normed, y);
    if (at->norm != NULL) ttt_ref_norm(workspace, at->norm, workspace->batch.tokens * at->heads, y, y);
    if (at->rotates) rotate(workspace, at->heads, 1, y);
}

ttt_status ttt_ref_qkv(ttt_workspace *workspace, const ttt_qkv_block *block, const ttt_buffer *x, ttt_buffer *q,
                       ttt_kv *kv, int32_t layer, ttt_error *err) {
    (void)err;
    const ttt_batch *batch = &workspace->batch;
    const size_t kv_width = (size_t)workspace->shape.kv_heads * (size_t)workspace->shape.head_dim;
    float *rows = workspace->keys_values;
    part parts[PARTS];
    parts_of(workspace, block, parts);
    ttt_ref_norm(workspace, block->norm, batch->tokens, x->data, workspace->normed);
    forward(workspace, &parts[QUERIES], workspace->normed, q->data);
    for (int which = KEYS; which <= VALUES; which++) {
        forward(workspace, &parts[which], workspace->normed, rows);
        float *store = which == KEYS ? kv->keys : kv->values;
        for (int32_t t = 0; t < batch->tokens; t++) {
            size_t row = ttt_ref_kv_row(workspace, kv, layer, batch->sequence[t], batch->index[t]);
            memcpy(store + row * kv_width, rows + (size_t)t * kv_width, kv_width * sizeof *rows);
        }
    }
    return TTT_OK;
}

/* From dy, the gradient of what `forward` gave: d_normed +=, gradients of what is trainable += . The projections are
 * computed again for the norm of heads, as its input is in every norm's backward. */
static void backward(ttt_workspace *workspace, const part *at, const float *normed, float *dy, float *d_normed) {
    const size_t tokens = (size_t)workspace->batch.tokens, width = at->linear->weight->rows;
    if (at->rotates) rotate(workspace, at->heads, -1, dy);
    if (at->norm != NULL) {
        project(workspace, at, normed, workspace->projected);
        clear(workspace->d_projected, tokens, width);
        ttt_ref_norm_backward(workspace, at->norm, (int32_t)tokens * at->heads, workspace->projected, dy,
                              workspace->d_projected);
        dy = workspace->d_projected;
    }
    if (at->bias != NULL && at->bias->trainable) {
        for (size_t t = 0; t < tokens; t++) ttt_ref_add_scaled(at->bias->part[TTT_GRADIENT], 1, dy + t * width, width);
    }
    ttt_ref_linear_backward(workspace, at->linear, 0, (int32_t)tokens, normed, dy, d_normed);
}

ttt_status ttt_ref_qkv_backward(ttt_workspace *workspace, const ttt_qkv_block *block, const ttt_buffer *x,
                                ttt_buffer *dq, ttt_buffer *dk, ttt_buffer *dv, ttt_buffer *dx, ttt_error *err) {
    (void)err;
    const int32_t tokens = workspace->batch.tokens;
    float *normed = workspace->normed, *d_normed = workspace->d_normed;
    float *const gradients[PARTS] = {dq->data, dk->data, dv->data};
    part parts[PARTS];
    parts_of(workspace, block, parts);
    ttt_ref_norm(workspace, block->norm, tokens, x->data, normed);
    clear(d_normed, (size_t)tokens, (size_t)workspace->shape.width);
    for (int i = 0; i < PARTS; i++) backward(workspace, &parts[i], normed, gradients[i], d_normed);
    ttt_ref_norm_backward(workspace, block->norm, tokens, x->data, d_normed, dx->data);
    return TTT_OK;
}
