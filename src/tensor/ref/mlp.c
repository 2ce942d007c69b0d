/* The gated MLP: y = x + (silu(gate)·up)·Wdᵀ with gate = n·Wgᵀ, up = n·Wuᵀ, n = RMSNorm(x). Backward keeps gate and up
 * and writes their gradients over them. silu(z) = z·s(z), silu'(z) = s·(1 + z·(1 - s)), s the logistic function. */
#include "tensor/ref/ref.h"

#include <math.h>
#include <string.h>

static float logistic(float z) {
    return 1.0f / (1.0f + expf(-z));
}

ttt_status ttt_ref_mlp(ttt_workspace *workspace, const ttt_mlp_block *block, const ttt_buffer *x, ttt_buffer *gate,
                       ttt_buffer *up, ttt_buffer *y, ttt_error *err) {
    (void)err;
    const int32_t tokens = workspace->batch.tokens;
    const size_t inner = (size_t)tokens * (size_t)workspace->shape.hidden;
    const size_t outer = (size_t)tokens * (size_t)workspace->shape.width;
    float *g = gate == NULL ? workspace->gate : gate->data, *u = up == NULL ? workspace->up : up->data;

    ttt_ref_norm(workspace, block->norm, tokens, x->data, workspace->normed);
    memset(g, 0, inner * sizeof *g);
    memset(u, 0, inner * sizeof *u);
    ttt_ref_linear(workspace, &block->gate, 0, tokens, workspace->normed, g);
    ttt_ref_linear(workspace, &block->up, 0, tokens, workspace->normed, u);
    for (size_t i = 0; i < inner; i++) workspace->hidden[i] = g[i] * logistic(g[i]) * u[i];
    if (y != x) memcpy(y->data, x->data, outer * sizeof(float));
    ttt_ref_linear(workspace, &block->down, 0, tokens, workspace->hidden, y->data);
    return TTT_OK;
}

ttt_status ttt_ref_mlp_backward(ttt_workspace *workspace, const ttt_mlp_block *block, const ttt_buffer *x,
                                ttt_buffer *gate, ttt_buffer *up, ttt_buffer *dx, ttt_error *err) {
    (void)err;
    const int32_t tokens = workspace->batch.tokens;
    const size_t inner = (size_t)tokens * (size_t)workspace->shape.hidden;
    const size_t outer = (size_t)tokens * (size_t)workspace->shape.width;
    float *g = gate->data, *u = up->data, *hidden = workspace->hidden, *d_hidden = workspace->d_hidden;

    for (size_t i = 0; i < inner; i++) hidden[i] = g[i] * logistic(g[i]) * u[i];
    memset(d_hidden, 0, inner * sizeof *d_hidden);
    ttt_ref_linear_backward(workspace, &block->down, 0, tokens, hidden, dx->data, d_hidden);
    for (size_t i = 0; i < inner; i++) {
        float s = logistic(g[i]), dg = d_hidden[i] * u[i] * s * (1.0f + g[i] * (1.0f - s));
        u[i] = d_hidden[i] * g[i] * s;
        g[i] = dg;
    }
    ttt_ref_norm(workspace, block->norm, tokens, x->data, workspace->normed);
    memset(workspace->d_normed, 0, outer * sizeof(float));
    ttt_ref_linear_backward(workspace, &block->gate, 0, tokens, workspace->normed, g, workspace->d_normed);
    ttt_ref_linear_backward(workspace, &block->up, 0, tokens, workspace->normed, u, workspace->d_normed);
    ttt_ref_norm_backward(workspace, block->norm, tokens, x->data, workspace->d_normed, dx->data);
    return TTT_OK;
}
