/* The embedding is a product with a one-hot row: x = E[id], and with an adapter + scale·A[:, id]·Bᵀ. */
#include "tensor/ref/ref.h"

#include <assert.h>
#include <string.h>

ttt_status ttt_ref_embed(ttt_workspace *workspace, const ttt_linear *embedding, ttt_buffer *x, ttt_error *err) {
    (void)err;
    const ttt_batch *batch = &workspace->batch;
    const size_t width = embedding->weight->columns;
    for (int32_t t = 0; t < batch->tokens; t++) {
        const size_t id = (size_t)batch->ids[t];
        float *row = x->data + (size_t)t * width;
        assert(id < embedding->weight->rows);
        memcpy(row, embedding->weight->part[TTT_VALUE] + id * width, width * sizeof *row);

        const ttt_adapter *adapter = ttt_ref_adapter_of_row(workspace, embedding, t);
        if (adapter == NULL) continue;
        const size_t rank = adapter->a->rows;
        for (size_t r = 0; r < rank; r++) {
            workspace->low[r] = adapter->a->part[TTT_VALUE][r * adapter->a->columns + id];
        }
        for (size_t i = 0; i < width; i++) {
            row[i] += adapter->scale * ttt_ref_dot(workspace->low, adapter->b->part[TTT_VALUE] + i * rank, rank);
        }
    }
    return TTT_OK;
}

ttt_status ttt_ref_embed_backward(ttt_workspace *workspace, const ttt_linear *embedding, const ttt_buffer *dx,
                                  ttt_error *err) {
    (void)err;
    const ttt_batch *batch = &workspace->batch;
    ttt_weight *weight = embedding->weight;
    const size_t width = weight->columns;
    for (int32_t t = 0; t < batch->tokens; t++) {
        const size_t id = (size_t)batch->ids[t];
        const float *row = dx->data + (size_t)t * width;
        if (weight->trainable) ttt_ref_add_scaled(weight->part[TTT_GRADIENT] + id * width, 1, row, width);

        const ttt_adapter *adapter = ttt_ref_adapter_of_row(workspace, embedding, t);
        if (adapter == NULL) continue;
        ttt_weight *a = adapter->a, *b = adapter->b;
        for (size_t r = 0; r < a->rows; r++) {
            const float low = a->part[TTT_VALUE][r * a->columns + id];
            float d_low = 0;
            for (size_t i = 0; i < width; i++) {
                const float d = adapter->scale * row[i];
                d_low += d * b->part[TTT_VALUE][i * a->rows + r];
                if (b->trainable) b->part[TTT_GRADIENT][i * a->rows + r] += d * low;
            }
            if (a->trainable) a->part[TTT_GRADIENT][r * a->columns + id] += d_low;
        }
    }
    return TTT_OK;
}
