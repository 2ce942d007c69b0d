/* The end of the model: final norm, output projection, cross-entropy. The vocabulary goes by in tiles of
 * TTT_CPU_VOCABULARY logits: a first pass finds each row's log-sum-exp, a second one computes the logits again and
 * their gradient, tile by tile, so that no more than a tile is ever held. */
#include "tensor/cpu/linear.h"
#include "tensor/cpu/operations.h"

#include <assert.h>
#include <math.h>
#include <string.h>

typedef struct loss_call {
    const ttt_output_block *output;
    const ttt_buffer *x;
    const int32_t *rows, *targets;
    const float *scale;
    const uint32_t *allowed;
    float *loss; /* log-probabilities [count, V] when there are no targets */
    ttt_buffer *dx;
    size_t tile; /* first column of the tile of the vocabulary in the second pass */
} loss_call;

static size_t vocabulary_of(const loss_call *call) {
    return call->output->head.weight->rows;
}

/* Gathers the block's rows, and their norm as left operand 0. */
static void normed_rows(const ttt_block *block, const loss_call *call, ttt_bf16 *normed) {
    const ttt_workspace *w = block->workspace;
    const size_t width = (size_t)w->shape.width;
    ttt_bf16 *rows = block->scratch->rows_in;
    for (int r = 0; r < block->rows; r++) {
        const size_t row = (size_t)call->rows[block->first + r];
        assert(row < (size_t)w->batch.tokens);
        memcpy(rows + (size_t)r * width, ttt_bf16_row(call->x, row), width * sizeof *rows);
    }
    block->kernels->normalize(rows, block->rows, (int)width, call->output->norm->vector, w->shape.norm_epsilon,
                              block->scratch->left[0], ttt_cpu_lda(width), normed, block->scratch->inverse_rms);
}

/* The logits of a tile into sum[0], rows ttt_cpu_lda(TTT_CPU_VOCABULARY) apart; returns how many columns they are. */
static size_t tile_logits(const ttt_block *block, const loss_call *call, size_t tile) {
    const size_t left = vocabulary_of(call) - tile, count = left < TTT_CPU_VOCABULARY ? left : TTT_CPU_VOCABULARY;
    ttt_cpu_linear(block, &call->output->head, false, 0, block->scratch->left[0],
                   ttt_cpu_lda((size_t)block->workspace->shape.width), tile / TTT_CPU_PAD, ttt_cpu_panels(count),
                   block->scratch->sum[0], ttt_cpu_lda(TTT_CPU_VOCABULARY), false);
    return count;
}

/* First pass: loss, and in training each row's log-sum-exp and norm. */
static void loss_block(const ttt_block *block, const void *context) {
    const loss_call *call = context;
    const ttt_training_scratch *backward = &block->workspace->backward;
    const bool training = call->dx != NULL;
    const size_t lda = ttt_cpu_lda((size_t)block->workspace->shape.width), ld = ttt_cpu_lda(TTT_CPU_VOCABULARY);
    const size_t first = (size_t)block->first;
    float *maximum = block->scratch->row_value, *sum = maximum + TTT_CPU_BLOCK;
    memset(maximum, 0, 2 * TTT_CPU_BLOCK * sizeof *maximum);
    normed_rows(block, call, training ? backward->normed + first * (size_t)block->workspace->shape.width : NULL);
    ttt_cpu_low(block, &call->output->head, false, 0, block->scratch->left[0], lda, training ? backward->low[0] : NULL);
    for (size_t tile = 0; tile < vocabulary_of(call); tile += TTT_CPU_VOCABULARY) {
        const size_t count = tile_logits(block, call, tile);
        for (int r = 0; r < block->rows; r++) {
            const float *logits = block->scratch->sum[0] + (size_t)r * ld;
            const size_t target = (size_t)call->targets[first + (size_t)r];
            block->kernels->log_sum_exp(logits, (int)count, &maximum[r], &sum[r]);
            if (target >= tile && target < tile + count) call->loss[first + (size_t)r] = -logits[target - tile];
        }
    }
    for (int r = 0; r < block->rows; r++) {
        const float lse = maximum[r] + logf(sum[r]);
        call->loss[first + (size_t)r] += lse;
        if (training) backward->lse[first + (size_t)r] = lse;
    }
}

/* Second pass, one tile: the gradients of its logits, and what they add to those of the normed rows and of the
 * adapter's narrow product. */
static void d_logits_block(const ttt_block *block, const void *context) {
    const loss_call *call = context;
    const ttt_linear *head = &call->output->head;
    const ttt_workspace *w = block->workspace;
    const ttt_training_scratch *backward = &w->backward;
    const size_t width = (size_t)w->shape.width, lda = ttt_cpu_lda(width), ld = ttt_cpu_lda(TTT_CPU_VOCABULARY);
    const size_t first = (size_t)block->first;
    void *left = block->scratch->left[1];
    normed_rows(block, call, NULL);
    ttt_cpu_low(block, head, false, 0, block->scratch->left[0], lda, NULL);
    const size_t count = tile_logits(block, call, call->tile), padded = ttt_cpu_pad(count);
    for (int r = 0; r < block->rows; r++) {
        const size_t i = first + (size_t)r;
        block->kernels->d_logits(block->scratch->sum[0] + (size_t)r * ld, (int)count, (int)padded, backward->lse[i],
                                 call->targets[i] - (int)call->tile, call->scale[i],
                                 (char *)left + (size_t)r * ld * block->kernels->left_size,
                                 backward->d_logits + i * count);
    }
    const bool add = call->tile > 0;
    ttt_cpu_multiply_depth(block, &head->weight->backward, left, ld, call->tile, padded,
                           backward->d_normed + first * lda, lda, add);
    const ttt_adapter *adapter = ttt_cpu_adapter(head, block->adapter);
    if (adapter == NULL) return;
    const size_t ldr = ttt_cpu_lda((size_t)w->max_rank);
    ttt_cpu_multiply_depth(block, &adapter->b->backward, left, ld, call->tile, padded,
                           backward->d_low_sum + first * ldr, ldr, add);
}

/* Third pass: through the adapter's A and the norm into dx. */
static void d_rows_block(const ttt_block *block, const void *context) {
    const loss_call *call = context;
    const ttt_workspace *w = block->workspace;
    const ttt_training_scratch *backward = &w->backward;
    const size_t width = (size_t)w->shape.width, lda = ttt_cpu_lda(width), first = (size_t)block->first;
    const ttt_adapter *adapter = ttt_cpu_adapter(&call->output->head, block->adapter);
    float *d_normed = backward->d_normed + first * lda;
    if (adapter != NULL) {
        const size_t rank = adapter->a->rows, ldr = ttt_cpu_lda((size_t)w->max_rank), ldl = (size_t)w->max_rank;
        const float *d_low = backward->d_low_sum + first * ldr;
        block->kernels->load_f32(d_low, ldr, block->rows, (int)rank, adapter->scale, block->scratch->low[0],
                                 ttt_cpu_lda(rank));
        block->kernels->store(d_low, ldr, block->rows, (int)rank, adapter->scale, backward->d_low[0] + first * ldl,
                              ldl);
        ttt_cpu_multiply(block, &adapter->a->backward, block->scratch->low[0], ttt_cpu_lda(rank), 0,
                         ttt_cpu_panels(width), d_normed, lda, true);
    }
    normed_rows(block, call, NULL);
    ttt_bf16 *out = block->scratch->rows_out;
    memset(out, 0, (size_t)block->rows * width * sizeof *out);
    block->kernels->normalize_backward(d_normed, lda, block->scratch->rows_in, block->rows, (int)width,
                                       call->output->norm->vector, block->scratch->inverse_rms, out,
                                       ttt_cpu_gain_sum(block, call->output->norm, 0));
    for (int r = 0; r < block->rows; r++) {
        const size_t row = (size_t)call->rows[block->first + r];
        memcpy(ttt_bf16_row(call->dx, row), out + (size_t)r * width, width * sizeof *out);
    }
}

/* Gradients of the head's rows of one tile of the vocabulary: of W, and of the adapters' B. */
static void tile_gradients(ttt_workspace *w, const loss_call *call, int32_t count, int32_t block_count) {
    const ttt_linear *head = &call->output->head;
    const size_t rest = vocabulary_of(call) - call->tile, tile = rest < TTT_CPU_VOCABULARY ? rest : TTT_CPU_VOCABULARY;
    const size_t width = (size_t)w->shape.width, ldl = (size_t)w->max_rank;
    if (head->weight->trainable) {
        ttt_cpu_gradient(w, head->weight->part[TTT_GRADIENT] + call->tile * width, w->backward.d_logits, tile, tile,
                         w->backward.normed, width, width, count);
    }
    ttt_cpu_run run = {0};
    while (ttt_cpu_run_next(&run, head, w->chosen_blocks, block_count)) {
        ttt_weight *b = run.adapter->b;
        if (!b->trainable) continue;
        ttt_cpu_gradient(w, b->part[TTT_GRADIENT] + call->tile * b->columns, w->backward.d_logits + run.first * tile,
                         tile, tile, w->backward.low[0] + run.first * ldl, ldl, b->columns, run.rows);
    }
}

static void loss_backward(ttt_workspace *w, loss_call *call, int32_t count, int32_t block_count) {
    const size_t width = (size_t)w->shape.width, ldl = (size_t)w->max_rank;
    for (call->tile = 0; call->tile < vocabulary_of(call); call->tile += TTT_CPU_VOCABULARY) {
        ttt_cpu_for_blocks(w, w->chosen_blocks, block_count, d_logits_block, call);
        tile_gradients(w, call, count, block_count);
    }
    ttt_cpu_gain_begin(w, call->output->norm, 0, block_count);
    ttt_cpu_for_blocks(w, w->chosen_blocks, block_count, d_rows_block, call);
    ttt_cpu_gain_end(w, call->output->norm, 0, block_count);
    ttt_cpu_run run = {0};
    while (ttt_cpu_run_next(&run, &call->output->head, w->chosen_blocks, block_count)) {
        ttt_weight *a = run.adapter->a;
        if (!a->trainable) continue;
        ttt_cpu_gradient(w, a->part[TTT_GRADIENT], w->backward.d_low[0] + run.first * ldl, ldl, a->rows,
                         w->backward.normed + run.first * width, width, width, run.rows);
    }
}

ttt_status ttt_cpu_loss(ttt_workspace *workspace, const ttt_output_block *output, const ttt_buffer *x, int32_t count,
                        const int32_t *rows, const int32_t *targets, const float *scale, float *loss, ttt_buffer *dx,
                        ttt_error *err) {
    (void)err;
    assert(count <= workspace->batch.tokens && (dx == NULL || workspace->training));
    loss_call call = {
        .output = output, .x = x, .rows = rows, .targets = targets, .scale = scale, .loss = loss, .dx = dx};
    if (dx != NULL) memset(dx->data, 0, (size_t)workspace->batch.tokens * dx->columns * sizeof(ttt_bf16));
    if (count == 0) return TTT_OK;
    const int32_t blocks = ttt_cpu_blocks_make(workspace, count, rows, workspace->chosen_blocks);
    ttt_cpu_for_blocks(workspace, workspace->chosen_blocks, blocks, loss_block, &call);
    if (dx != NULL) loss_backward(workspace, &call, count, blocks);
    return TTT_OK;
}

/* ---- log-probabilities ---- */

static bool is_allowed(const uint32_t *allowed, size_t token) {
    return allowed == NULL || (allowed[token / 32] >> (token % 32) & 1u) != 0;
}

static void log_probabilities_block(const ttt_block *block, const void *context) {
    const loss_call *call = context;
    const size_t vocabulary = vocabulary_of(call), words = (vocabulary + 31) / 32;
    const size_t ld = ttt_cpu_lda(TTT_CPU_VOCABULARY);
    normed_rows(block, call, NULL);
    ttt_cpu_low(block, &call->output->head, false, 0, block->scratch->left[0],
                ttt_cpu_lda((size_t)block->workspace->shape.width), NULL);
    for (size_t tile = 0; tile < vocabulary; tile += TTT_CPU_VOCABULARY) {
        const size_t count = tile_logits(block, call, tile);
        for (int r = 0; r < block->rows; r++) {
            memcpy(call->loss + (size_t)(block->first + r) * vocabulary + tile, block->scratch->sum[0] + (size_t)r * ld,
                   count * sizeof(float));
        }
    }
    for (int r = 0; r < block->rows; r++) {
        const size_t i = (size_t)(block->first + r);
        const uint32_t *allowed = call->allowed == NULL ? NULL : call->allowed + i * words;
        float *row = call->loss + i * vocabulary, maximum = 0.0f, sum = 0.0f;
        for (size_t v = 0; v < vocabulary; v++) row[v] = is_allowed(allowed, v) ? row[v] : -INFINITY;
        block->kernels->log_sum_exp(row, (int)vocabulary, &maximum, &sum);
        const float lse = maximum + logf(sum);
        for (size_t v = 0; v < vocabulary; v++) row[v] -= lse;
    }
}

ttt_status ttt_cpu_next_log_probabilities(ttt_workspace *workspace, const ttt_output_block *output, const ttt_buffer *x,
                                          int32_t count, const int32_t *rows, const uint32_t *allowed,
                                          float *log_probabilities, ttt_error *err) {
    (void)err;
    assert(count <= workspace->max_tokens);
    const loss_call call = {.output = output, .x = x, .rows = rows, .allowed = allowed, .loss = log_probabilities};
    const int32_t blocks = ttt_cpu_blocks_make(workspace, count, rows, workspace->chosen_blocks);
    ttt_cpu_for_blocks(workspace, workspace->chosen_blocks, blocks, log_probabilities_block, &call);
    return TTT_OK;
}
