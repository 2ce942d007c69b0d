/* The oracle's objects and the naive functions its operations are composed of. Private to src/tensor/ref. */
#ifndef TTT_TENSOR_REF_H
#define TTT_TENSOR_REF_H

#include "tensor/backend.h"

struct ttt_buffer {
    ttt_backend *backend;
    size_t rows, columns;
    float *data; /* [rows, columns] */
};

struct ttt_weight {
    ttt_backend *backend;
    size_t rows, columns;
    bool trainable;
    float *part[TTT_WEIGHT_PART_COUNT]; /* each [rows, columns]; all but the value NULL unless trainable */
};

struct ttt_kv {
    ttt_backend *backend;
    int32_t layers, pages, kv_heads, head_dim;
    float *keys, *values; /* [layers, pages, TTT_PAGE, G·D], keys rotated */
};

struct ttt_workspace {
    ttt_backend *backend;
    ttt_shape shape;
    int32_t max_tokens, max_sequences, max_rank;
    bool training;
    ttt_batch batch; /* the one announced last; its arrays are the caller's */
    size_t bytes;
    float *memory; /* everything below lies in here */

    float *cosine, *sine; /* [T, D/2] */
    float *normed;        /* [T, C] a block's input after its norm */
    float *keys_values;   /* [T, G·D] of this batch, before they go to the store */
    float *hidden;        /* [T, F] silu(gate)·up */
    float *gate, *up;     /* [T, F] where the caller keeps none */
    float *low;           /* [R] one row of x·Aᵀ */
    float *logits;        /* [V] one row */
    float *d_normed;      /* [T, C] training only */
    float *projected;     /* [T, H·D] training only: q or k again, before the norm of its heads */
    float *d_projected;   /* [T, H·D] training only */
    float *d_hidden;      /* [T, F] training only */
    float *d_low;         /* [R] training only */
    float *gram;          /* [N, N] training only; N = max(C, R): the shorter side of a matrix at most */
    float *polynomial;    /* [N, N] training only */
    float *iterate;       /* a matrix, training only */
};

/* ---- linear.c: products with a weight and its adapters ----
 * They work on the rows [first, first + rows) of the batch, which say what adapter applies; x, y and the gradients
 * point at row `first` of their matrices. */

/* The adapter of a row of the batch, or NULL. */
const ttt_adapter *ttt_ref_adapter_of_row(const ttt_workspace *workspace, const ttt_linear *linear, int32_t row);
/* y [rows, out] += x·Wᵀ + scale·(x·Aᵀ)·Bᵀ, x [rows, in]. */
void ttt_ref_linear(ttt_workspace *workspace, const ttt_linear *linear, int32_t first, int32_t rows, const float *x,
                    float *y);
/* dx [rows, in] += dy·W + scale·(dy·B)·A; gradients of what is trainable += . */
void ttt_ref_linear_backward(ttt_workspace *workspace, const ttt_linear *linear, int32_t first, int32_t rows,
                             const float *x, const float *dy, float *dx);

/* ---- norm.c: RMSNorm, Zhang and Sennrich, 2019; C is the gain's length: the residual stream's width, or a head's ----
 */

/* y [rows, C] = x·gain / sqrt(mean(x²) + epsilon); y may be x. */
void ttt_ref_norm(const ttt_workspace *workspace, const ttt_weight *gain, int32_t rows, const float *x, float *y);
/* dx +=, gradient of the gain += (if trainable), from dy; all [rows, C]. */
void ttt_ref_norm_backward(const ttt_workspace *workspace, ttt_weight *gain, int32_t rows, const float *x,
                           const float *dy, float *dx);

/* ---- small vector functions ---- */

/* The sum of a[i]·b[i] in sixteen lanes: a fixed order that a compiler can keep in vectors. */
static inline float ttt_ref_dot(const float *restrict a, const float *restrict b, size_t count) {
    float lane[16] = {0};
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        for (size_t j = 0; j < 16; j++) lane[j] += a[i + j] * b[i + j];
    }
    for (size_t j = 0; i < count; i++, j++) lane[j] += a[i] * b[i];
    for (size_t half = 8; half > 0; half /= 2) {
        for (size_t j = 0; j < half; j++) lane[j] += lane[j + half];
    }
    return lane[0];
}

/* y += a·x */
static inline void ttt_ref_add_scaled(float *restrict y, float a, const float *restrict x, size_t count) {
    for (size_t i = 0; i < count; i++) y[i] += a * x[i];
}

/* Row of the store that holds key `key` of sequence `sequence`, counted in rows of G·D floats. */
static inline size_t ttt_ref_kv_row(const ttt_workspace *workspace, const ttt_kv *kv, int32_t layer, int32_t sequence,
                                    int32_t key) {
    const ttt_batch *batch = &workspace->batch;
    size_t page = (size_t)batch->pages[batch->page_first[sequence] + key / TTT_PAGE];
    return ((size_t)layer * (size_t)kv->pages + page) * TTT_PAGE + (size_t)(key % TTT_PAGE);
}

/* ---- the operations, in the order of ttt_backend_ops ---- */

ttt_status ttt_ref_embed(ttt_workspace *, const ttt_linear *embedding, ttt_buffer *x, ttt_error *);
ttt_status ttt_ref_embed_backward(ttt_workspace *, const ttt_linear *embedding, const ttt_buffer *dx, ttt_error *);
ttt_status ttt_ref_qkv(ttt_workspace *, const ttt_qkv_block *, const ttt_buffer *x, ttt_buffer *q, ttt_kv *,
                       int32_t layer, ttt_error *);
ttt_status ttt_ref_qkv_backward(ttt_workspace *, const ttt_qkv_block *, const ttt_buffer *x, ttt_buffer *dq,
                                ttt_buffer *dk, ttt_buffer *dv, ttt_buffer *dx, ttt_error *);
ttt_status ttt_ref_attention(ttt_workspace *, const ttt_buffer *q, const ttt_kv *, int32_t layer, ttt_buffer *o,
                             ttt_buffer *lse, ttt_error *);
ttt_status ttt_ref_attention_backward(ttt_workspace *, const ttt_buffer *q, const ttt_kv *, int32_t layer,
                                      const ttt_buffer *o, const ttt_buffer *lse, const ttt_buffer *d_o, ttt_buffer *dq,
                                      ttt_buffer *dk, ttt_buffer *dv, ttt_error *);
ttt_status ttt_ref_project(ttt_workspace *, const ttt_linear *, const ttt_buffer *o, const ttt_buffer *x, ttt_buffer *y,
                           ttt_error *);
ttt_status ttt_ref_project_backward(ttt_workspace *, const ttt_linear *, const ttt_buffer *o, const ttt_buffer *dy,
                                    ttt_buffer *d_o, ttt_error *);
ttt_status ttt_ref_mlp(ttt_workspace *, const ttt_mlp_block *, const ttt_buffer *x, ttt_buffer *gate, ttt_buffer *up,
                       ttt_buffer *y, ttt_error *);
ttt_status ttt_ref_mlp_backward(ttt_workspace *, const ttt_mlp_block *, const ttt_buffer *x, ttt_buffer *gate,
                                ttt_buffer *up, ttt_buffer *dx, ttt_error *);
ttt_status ttt_ref_loss(ttt_workspace *, const ttt_output_block *, const ttt_buffer *x, int32_t count,
                        const int32_t *rows, const int32_t *targets, const float *scale, float *loss, ttt_buffer *dx,
                        ttt_error *);
ttt_status ttt_ref_next_log_probabilities(ttt_workspace *, const ttt_output_block *, const ttt_buffer *x, int32_t count,
                                          const int32_t *rows, const uint32_t *allowed, float *log_probabilities,
                                          ttt_error *);
ttt_status ttt_ref_gradient_square_sum(ttt_backend *, ttt_weight *const *, size_t count, double *sum, ttt_error *);
ttt_status ttt_ref_adamw(ttt_backend *, ttt_weight *const *, size_t count, const ttt_adamw *, ttt_error *);
ttt_status ttt_ref_muon(ttt_workspace *, ttt_weight *, const ttt_muon *, ttt_error *);

#endif
