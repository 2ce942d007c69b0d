/* Products with a weight [out, in] and the low-rank adapters of a batch's segments. The loops run over the weight's
 * rows outside and the batch's rows inside: sums over the batch's rows are then always in the batch's order. */
#include "tensor/ref/ref.h"

#include <assert.h>

const ttt_adapter *ttt_ref_adapter_of_row(const ttt_workspace *workspace, const ttt_linear *linear, int32_t row) {
    const ttt_batch *batch = &workspace->batch;
    if (batch->segments == 0 || linear->adapters == NULL) return NULL;
    int32_t segment = 0;
    while (batch->segment_end[segment] <= row) segment++;
    assert(segment < batch->segments);
    if (batch->segment_adapter[segment] < 0) return NULL;
    const ttt_adapter *adapter = &linear->adapters[batch->segment_adapter[segment]];
    return adapter->a == NULL ? NULL : adapter;
}

/* y [rows, out] += x·Wᵀ */
static void multiply(const ttt_weight *weight, int32_t rows, const float *x, float *y) {
    const size_t in = weight->columns, out = weight->rows;
    for (size_t o = 0; o < out; o++) {
        const float *w = weight->part[TTT_VALUE] + o * in;
        for (size_t t = 0; t < (size_t)rows; t++) y[t * out + o] += ttt_ref_dot(x + t * in, w, in);
    }
}

/* dx [rows, in] += dy·W */
static void multiply_backward(const ttt_weight *weight, int32_t rows, const float *dy, float *dx) {
    const size_t in = weight->columns, out = weight->rows;
    for (size_t t = 0; t < (size_t)rows; t++) {
        for (size_t o = 0; o < out; o++) {
            ttt_ref_add_scaled(dx + t * in, dy[t * out + o], weight->part[TTT_VALUE] + o * in, in);
        }
    }
}

/* dW [out, in] += scale·dyᵀ·x, if the weight is trainable */
static void add_weight_gradient(ttt_weight *weight, float scale, int32_t rows, const float *x, const float *dy) {
    if (!weight->trainable) return;
    const size_t in = weight->columns, out = weight->rows;
    for (size_t o = 0; o < out; o++) {
        float *dw = weight->part[TTT_GRADIENT] + o * in;
        for (size_t t = 0; t < (size_t)rows; t++) ttt_ref_add_scaled(dw, scale * dy[t * out + o], x + t * in, in);
    }
}

/* y [out] += scale·B·(A·x) for one row; leaves A·x in workspace->low. */
static void adapter_row(ttt_workspace *workspace, const ttt_adapter *adapter, const float *x, float *y) {
    const size_t in = adapter->a->columns, rank = adapter->a->rows, out = adapter->b->rows;
    assert(rank <= (size_t)workspace->max_rank && adapter->b->columns == rank);
    float *low = workspace->low;
    for (size_t r = 0; r < rank; r++) low[r] = ttt_ref_dot(x, adapter->a->part[TTT_VALUE] + r * in, in);
    for (size_t o = 0; o < out; o++) {
        y[o] += adapter->scale * ttt_ref_dot(low, adapter->b->part[TTT_VALUE] + o * rank, rank);
    }
}

/* One row of the adapter's backward: dx += scale·(dy·B)·A, dA and dB += . */
static void adapter_row_backward(ttt_workspace *workspace, const ttt_adapter *adapter, const float *x, const float *dy,
                                 float *dx) {
    const size_t in = adapter->a->columns, rank = adapter->a->rows, out = adapter->b->rows;
    float *low = workspace->low, *d_low = workspace->d_low;
    for (size_t r = 0; r < rank; r++) {
        low[r] = ttt_ref_dot(x, adapter->a->part[TTT_VALUE] + r * in, in);
        d_low[r] = 0;
    }
    for (size_t o = 0; o < out; o++) {
        ttt_ref_add_scaled(d_low, adapter->scale * dy[o], adapter->b->part[TTT_VALUE] + o * rank, rank);
    }
    for (size_t r = 0; r < rank; r++) ttt_ref_add_scaled(dx, d_low[r], adapter->a->part[TTT_VALUE] + r * in, in);
    add_weight_gradient(adapter->b, adapter->scale, 1, low, dy);
    add_weight_gradient(adapter->a, 1, 1, x, d_low);
}

void ttt_ref_linear(ttt_workspace *workspace, const ttt_linear *linear, int32_t first, int32_t rows, const float *x,
                    float *y) {
    const size_t in = linear->weight->columns, out = linear->weight->rows;
    multiply(linear->weight, rows, x, y);
    for (int32_t t = 0; t < rows; t++, x += in, y += out) {
        const ttt_adapter *adapter = ttt_ref_adapter_of_row(workspace, linear, first + t);
        if (adapter != NULL) adapter_row(workspace, adapter, x, y);
    }
}

void ttt_ref_linear_backward(ttt_workspace *workspace, const ttt_linear *linear, int32_t first, int32_t rows,
                             const float *x, const float *dy, float *dx) {
    const size_t in = linear->weight->columns, out = linear->weight->rows;
    multiply_backward(linear->weight, rows, dy, dx);
    add_weight_gradient(linear->weight, 1, rows, x, dy);
    for (int32_t t = 0; t < rows; t++, x += in, dy += out, dx += in) {
        const ttt_adapter *adapter = ttt_ref_adapter_of_row(workspace, linear, first + t);
        if (adapter != NULL) adapter_row_backward(workspace, adapter, x, dy, dx);
    }
}
