/* The end of the model: final norm and output projection, one row at a time, so that there is never more than one row
 * of logits. */
#include "tensor/ref/ref.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Logits [V] of a row of x, into `logits`; the normed row stays in workspace->normed. */
static void logits_of_row(ttt_workspace *workspace, const ttt_output_block *block, const ttt_buffer *x, int32_t row,
                          float *logits) {
    assert(row >= 0 && row < workspace->batch.tokens);
    ttt_ref_norm(workspace, block->norm, 1, x->data + (size_t)row * block->norm->columns, workspace->normed);
    memset(logits, 0, (size_t)workspace->shape.vocabulary * sizeof *logits);
    ttt_ref_linear(workspace, &block->head, row, 1, workspace->normed, logits);
}

/* log Σ exp(logits[i]) over the allowed i (all of them if `allowed` is NULL). */
static float log_sum_exp(const float *logits, int32_t count, const uint32_t *allowed) {
    float largest = -INFINITY, sum = 0;
    for (int32_t i = 0; i < count; i++) {
        if (allowed == NULL || (allowed[i / 32] >> (i % 32) & 1u) != 0) largest = fmaxf(largest, logits[i]);
    }
    for (int32_t i = 0; i < count; i++) {
        if (allowed == NULL || (allowed[i / 32] >> (i % 32) & 1u) != 0) sum += expf(logits[i] - largest);
    }
    return largest + logf(sum);
}

ttt_status ttt_ref_loss(ttt_workspace *workspace, const ttt_output_block *block, const ttt_buffer *x, int32_t count,
                        const int32_t *rows, const int32_t *targets, const float *scale, float *loss, ttt_buffer *dx,
                        ttt_error *err) {
    (void)err;
    const int32_t vocabulary = workspace->shape.vocabulary;
    const size_t width = (size_t)workspace->shape.width;
    float *logits = workspace->logits;
    if (dx != NULL) memset(dx->data, 0, (size_t)workspace->batch.tokens * width * sizeof(float));
    for (int32_t i = 0; i < count; i++) {
        assert(i == 0 || rows[i - 1] < rows[i]);
        logits_of_row(workspace, block, x, rows[i], logits);
        const float denominator = log_sum_exp(logits, vocabulary, NULL);
        loss[i] = denominator - logits[targets[i]];
        if (dx == NULL) continue;
        /* The gradient of the logits: scale·(p - 1[target]). */
        for (int32_t v = 0; v < vocabulary; v++) logits[v] = scale[i] * expf(logits[v] - denominator);
        logits[targets[i]] -= scale[i];
        memset(workspace->d_normed, 0, width * sizeof(float));
        ttt_ref_linear_backward(workspace, &block->head, rows[i], 1, workspace->normed, logits, workspace->d_normed);
        ttt_ref_norm_backward(workspace, block->norm, 1, x->data + (size_t)rows[i] * width, workspace->d_normed,
                              dx->data + (size_t)rows[i] * width);
    }
    return TTT_OK;
}

ttt_status ttt_ref_next_log_probabilities(ttt_workspace *workspace, const ttt_output_block *block, const ttt_buffer *x,
                                          int32_t count, const int32_t *rows, const uint32_t *allowed,
                                          float *log_probabilities, ttt_error *err) {
    (void)err;
    const int32_t vocabulary = workspace->shape.vocabulary, words = (vocabulary + 31) / 32;
    for (int32_t i = 0; i < count; i++) {
        const uint32_t *mask = allowed == NULL ? NULL : allowed + (size_t)i * (size_t)words;
        float *row = log_probabilities + (size_t)i * (size_t)vocabulary;
        logits_of_row(workspace, block, x, rows[i], row);
        const float denominator = log_sum_exp(row, vocabulary, mask);
        for (int32_t v = 0; v < vocabulary; v++) {
            bool legal = mask == NULL || (mask[v / 32] >> (v % 32) & 1u) != 0;
            row[v] = legal ? row[v] - denominator : -INFINITY;
        }
    }
    return TTT_OK;
}
