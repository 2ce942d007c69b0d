/* The embedding: rows of E, which lie scattered in all its forms, and its adapter, whose A acts as a second table. */
#include "tensor/cpu/linear.h"
#include "tensor/cpu/operations.h"
#include "tensor/cpu/weight.h"
#include "tensor/dtype.h"

#include <assert.h>

typedef struct embed_call {
    const ttt_linear *embedding;
    const ttt_buffer *x;
} embed_call;

/* scratch->low[0] = scale · A[:, id] of the block's rows. */
static void embed_low(const ttt_block *block, const ttt_adapter *adapter, ttt_bf16 *out) {
    const size_t rank = adapter->a->rows, ld = ttt_cpu_lda(rank), ldo = (size_t)block->workspace->max_rank;
    float *sum = block->scratch->low_sum;
    for (int r = 0; r < block->rows; r++) {
        const size_t id = (size_t)block->workspace->batch.ids[block->first + r];
        ttt_cpu_weight_column(adapter->a, id, sum + (size_t)r * ld);
    }
    block->kernels->load_f32(sum, ld, block->rows, (int)rank, adapter->scale, block->scratch->low[0], ld);
    if (out == NULL) return;
    block->kernels->store(sum, ld, block->rows, (int)rank, adapter->scale, out + (size_t)block->first * ldo, ldo);
}

static void embed_block(const ttt_block *block, const void *context) {
    const embed_call *call = context;
    const ttt_weight *table = call->embedding->weight;
    const size_t width = table->columns, ld = ttt_cpu_lda(width);
    float *sum = block->scratch->sum[0];
    for (int r = 0; r < block->rows; r++) {
        const size_t id = (size_t)block->workspace->batch.ids[block->first + r];
        assert(id < table->rows);
        ttt_cpu_weight_row(table, id, sum + (size_t)r * ld);
    }
    const ttt_adapter *adapter = ttt_cpu_adapter(call->embedding, block->adapter);
    if (adapter != NULL) {
        embed_low(block, adapter, NULL);
        ttt_cpu_multiply(block, adapter->b, false, block->scratch->low[0], ttt_cpu_lda(adapter->a->rows), 0,
                         ttt_cpu_panels(width), sum, ld, true);
    }
    block->kernels->store(sum, ld, block->rows, (int)width, 1.0f, ttt_bf16_row(call->x, (size_t)block->first), width);
}

ttt_status ttt_cpu_embed(ttt_workspace *workspace, const ttt_linear *embedding, ttt_buffer *x, ttt_error *err) {
    (void)err;
    const embed_call call = {embedding, x};
    ttt_cpu_for_blocks(workspace, workspace->blocks, workspace->block_count, embed_block, &call);
    return TTT_OK;
}

static void embed_backward_block(const ttt_block *block, const void *context) {
    const embed_call *call = context;
    const ttt_adapter *adapter = ttt_cpu_adapter(call->embedding, block->adapter);
    if (adapter == NULL) return;
    const size_t width = call->embedding->weight->columns, lda = ttt_cpu_lda(width);
    block->kernels->load(ttt_bf16_row(call->x, (size_t)block->first), width, block->rows, (int)width,
                         block->scratch->left[0], lda);
    ttt_cpu_low(block, call->embedding, true, 0, block->scratch->left[0], lda, block->workspace->backward.d_low[0]);
    embed_low(block, adapter, block->workspace->backward.low[0]);
}

/* dE += rows of dx: a thread takes some columns of all rows, so that every sum runs in the order of the rows. */
static void add_rows(ttt_workspace *workspace, const ttt_weight *table, const ttt_buffer *dx) {
    const size_t panels = ttt_cpu_panels(table->columns), width = table->columns;
#pragma omp parallel for schedule(static) num_threads(ttt_cpu(workspace->backend)->threads)
    for (size_t panel = 0; panel < panels; panel++) {
        const size_t first = panel * TTT_CPU_PAD, end = first + TTT_CPU_PAD < width ? first + TTT_CPU_PAD : width;
        for (int32_t t = 0; t < workspace->batch.tokens; t++) {
            float *gradient = table->part[TTT_GRADIENT] + (size_t)workspace->batch.ids[t] * width;
            const ttt_bf16 *row = ttt_bf16_row(dx, (size_t)t);
            for (size_t c = first; c < end; c++) gradient[c] += ttt_bf16_to_float(row[c]);
        }
    }
}

/* The adapter's A has a column per token: what a row of the batch adds to it is one column. */
static void add_columns(const ttt_workspace *workspace, ttt_weight *a, int32_t first, int32_t rows) {
    for (int32_t t = first; t < first + rows; t++) {
        const ttt_bf16 *d_low = workspace->backward.d_low[0] + (size_t)t * (size_t)workspace->max_rank;
        float *column = a->part[TTT_GRADIENT] + workspace->batch.ids[t];
        for (size_t r = 0; r < a->rows; r++) column[r * a->columns] += ttt_bf16_to_float(d_low[r]);
    }
}

ttt_status ttt_cpu_embed_backward(ttt_workspace *workspace, const ttt_linear *embedding, const ttt_buffer *dx,
                                  ttt_error *err) {
    (void)err;
    const embed_call call = {embedding, dx};
    const size_t width = embedding->weight->columns, ld = (size_t)workspace->max_rank;
    if (embedding->weight->trainable) add_rows(workspace, embedding->weight, dx);
    if (embedding->adapters == NULL) return TTT_OK;
    ttt_cpu_for_blocks(workspace, workspace->blocks, workspace->block_count, embed_backward_block, &call);
    for (int32_t i = 0; i < workspace->block_count; i++) {
        const ttt_row_block *block = &workspace->blocks[i];
        const ttt_adapter *adapter = ttt_cpu_adapter(embedding, block->adapter);
        if (adapter == NULL) continue;
        if (adapter->a->trainable) add_columns(workspace, adapter->a, block->first, block->rows);
        if (!adapter->b->trainable) continue;
        ttt_cpu_gradient(workspace, adapter->b->part[TTT_GRADIENT], ttt_bf16_row(dx, (size_t)block->first), width,
                         width, workspace->backward.low[0] + (size_t)block->first * ld, ld, adapter->a->rows,
                         block->rows);
    }
    return TTT_OK;
}
