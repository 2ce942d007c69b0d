/* The backend interface: everything a transformer asks of a device, in operations the size of blocks, so that each
 * backend may fuse what lies inside one. src/model is written once on this interface.
 *
 * Dimensions, here and in every comment of src/tensor and src/model:
 *   T tokens (rows) of a batch, all sequences packed     C width of the residual stream
 *   H query heads, G key/value heads, H % G == 0          D head dimension, even
 *   F hidden width of the gated MLP                       V vocabulary
 *   R rank of an adapter
 * Matrices are row-major. A linear weight is stored [out, in] as in PyTorch: y = x·Wᵀ.
 *
 * A row's bits do not depend on its batch: what a row becomes is the same alone, in a batch, in any order, on any
 * number of threads; sums over rows (gradients of weights) run in an order fixed by the batch alone.
 *
 * Objects (buffers, weights, key/value stores, workspaces) belong to the backend that made them and are used from one
 * thread at a time; the backend spreads an operation over its own threads. After an object is made, no operation
 * allocates. Operations return TTT_OK or a device failure; broken preconditions of ours assert. */
#ifndef TTT_TENSOR_BACKEND_H
#define TTT_TENSOR_BACKEND_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Number formats of host data. The last four are blocks of numbers that share scales, as in GGUF; see dtype.h. */
typedef enum ttt_dtype {
    TTT_F32,
    TTT_BF16,
    TTT_F16,
    TTT_Q8_0,
    TTT_Q4_0,
    TTT_Q4_K,
    TTT_Q6_K,
    TTT_DTYPE_COUNT
} ttt_dtype;

enum {
    TTT_PAGE = 64,    /* keys in a page of a key/value store */
    TTT_MAX_AXES = 4, /* rotary position axes */
    TTT_MAX_HEAD_DIM = 256
};

/* What a backend must know of a model before it makes a workspace. */
typedef struct ttt_shape {
    int32_t layers, width, heads, kv_heads, head_dim, hidden, vocabulary; /* L C H G D F V */
    float norm_epsilon;                                                   /* of RMSNorm */
    /* Rotary positions: pair i (0 <= i < D/2) joins elements i and i + D/2 of a head (the half-split layout of Hugging
     * Face) and turns by position[axis[i]] * frequency[i] radians. */
    int32_t axes;
    uint8_t axis[TTT_MAX_HEAD_DIM / 2];
    float frequency[TTT_MAX_HEAD_DIM / 2];
} ttt_shape;

typedef struct ttt_backend ttt_backend; /* a device: owns threads, kernel choice */
typedef struct ttt_buffer ttt_buffer;   /* activations [rows, columns] in the backend's activation dtype, or float32 */
typedef struct ttt_weight ttt_weight;   /* a parameter [rows, columns], prepared for the device; maybe trainable */
typedef struct ttt_kv ttt_kv;           /* keys and values: [layers] × [pages] × TTT_PAGE rows of G·D */
typedef struct ttt_workspace ttt_workspace; /* scratch memory and per-batch tables, sized once */

/* One batch of tokens. All arrays are the caller's, on the host, and stay untouched until the next batch_begin.
 *
 * Keys live in a ttt_kv in pages. Key j of sequence s (j counts from the sequence's start) is row j % TTT_PAGE of page
 * pages[page_first[s] + j / TTT_PAGE]. A page in which this batch writes belongs to one sequence of the batch; full
 * pages may be shared (forked sequences). Row t attends to the keys [kv_low[t], kv_high[t]) of its sequence, at least
 * one; every such key has been written by this batch or an earlier one. Causal attention is kv_high = index + 1. */
typedef struct ttt_batch {
    int32_t tokens, sequences;
    const int32_t *ids;              /* [T] 0 <= id < V */
    const int32_t *positions;        /* [T, axes] */
    const int32_t *sequence;         /* [T] non-decreasing: rows of one sequence lie together */
    const int32_t *index;            /* [T] the token's place in its sequence: where its own key goes */
    const int32_t *kv_low, *kv_high; /* [T] */
    const int32_t *page_first;       /* [sequences + 1] */
    const int32_t *pages;            /* [page_first[sequences]] */
    /* Adapters: row t uses adapter s where segment_end[s-1] <= t < segment_end[s]; segments == 0: no adapters. */
    int32_t segments;
    const int32_t *segment_end;     /* [segments], last one == tokens */
    const int32_t *segment_adapter; /* [segments] index into ttt_linear.adapters, or -1: none for these rows */
} ttt_batch;

/* A low-rank addition to a linear map: y += scale · (x·Aᵀ)·Bᵀ. Hu et al., "LoRA", 2021. Both NULL: no addition. */
typedef struct ttt_adapter {
    ttt_weight *a; /* [R, in] */
    ttt_weight *b; /* [out, R] */
    float scale;
} ttt_adapter;

typedef struct ttt_linear {
    ttt_weight *weight;          /* [out, in] */
    const ttt_adapter *adapters; /* a table that batch.segment_adapter indexes, or NULL */
} ttt_linear;

typedef struct ttt_qkv_block {
    ttt_weight *norm; /* [1, C] gain of the RMSNorm before */
    ttt_linear q, k, v;
    ttt_weight *q_bias, *k_bias, *v_bias; /* [1, H·D], [1, G·D], [1, G·D], each added to its product; NULL: none */
    ttt_weight *q_norm, *k_norm; /* [1, D] gains of an RMSNorm of every head of q, of k, before rotation; NULL: none */
} ttt_qkv_block;

typedef struct ttt_mlp_block {
    ttt_weight *norm; /* [1, C] */
    ttt_linear gate, up, down;
} ttt_mlp_block;

typedef struct ttt_output_block {
    ttt_weight *norm; /* [1, C] final RMSNorm */
    ttt_linear head;  /* [V, C]; may be the embedding's weight (tied) */
} ttt_output_block;

typedef struct ttt_adamw {
    float learning_rate, beta1, beta2, epsilon, weight_decay;
    float gradient_scale; /* multiplies every gradient first: clipping, averaging */
    int64_t step;         /* 1 for the first step: bias correction */
} ttt_adamw;

/* Muon, for matrices between hidden states; see tensor/muon.h. The rate and the decay are AdamW's. */
typedef struct ttt_muon {
    float learning_rate, momentum, weight_decay;
    float gradient_scale; /* as in ttt_adamw */
} ttt_muon;

/* Limits of a device: products whose operands are in registers, or both come from a cache of the first or second
 * level; and reading memory. */
typedef enum ttt_ceiling {
    TTT_CEILING_REGISTERS,
    TTT_CEILING_L1,
    TTT_CEILING_L2,
    TTT_CEILING_MEMORY,
    TTT_CEILING_COUNT
} ttt_ceiling;

/* What of a weight a host copy is of. All are float32 [rows, columns]; all but the value exist only if trainable. */
typedef enum ttt_weight_part {
    TTT_VALUE,
    TTT_GRADIENT,
    TTT_MOMENT1,
    TTT_MOMENT2,
    TTT_WEIGHT_PART_COUNT
} ttt_weight_part;

/* The table of functions. "+=" adds to what the destination holds, "=" overwrites. Activations passed as ttt_buffer are
 * in activation_dtype with at least T rows unless said otherwise; rows beyond T stay as they are. Source and
 * destination may be one buffer only where said. */
typedef struct ttt_backend_ops {
    const char *name; /* "ref", "cpu-avx2", "cpu-avx512", "cpu-amx", ... */
    ttt_dtype activation_dtype;
    ttt_dtype block_dtype; /* what products see of a weight in a block format: its numbers in this */
    void (*free)(ttt_backend *backend);
    /* Says (with a sentence) whether a model of this shape can run here. */
    ttt_status (*supports)(const ttt_backend *backend, const ttt_shape *shape, ttt_error *err);

    /* Zeroed memory; `dtype` is TTT_F32 or the activation dtype. */
    ttt_status (*buffer_new)(ttt_backend *, size_t rows, size_t columns, ttt_dtype dtype, ttt_buffer **, ttt_error *);
    void (*buffer_free)(ttt_buffer *);
    ttt_status (*buffer_read)(const ttt_buffer *, size_t first_row, size_t rows, float *to, ttt_error *);
    ttt_status (*buffer_write)(ttt_buffer *, size_t first_row, size_t rows, const float *from, ttt_error *);
    size_t (*buffer_bytes)(const ttt_buffer *);

    /* A parameter from host data in `dtype` (row-major; not kept). A trainable one owns a float32 master, a gradient
     * and two moments, all zero but the master. A non-trainable one keeps only what the device's products need, and
     * reads as they see it: rounded to the activation dtype; one in a block format (columns a multiple of the block)
     * stays as compact as that, is rounded to block_dtype, and cannot be written. */
    ttt_status (*weight_new)(ttt_backend *, size_t rows, size_t columns, ttt_dtype dtype, const void *data,
                             bool trainable, ttt_weight **, ttt_error *);
    void (*weight_free)(ttt_weight *);
    ttt_status (*weight_read)(const ttt_weight *, ttt_weight_part, float *to, ttt_error *);
    ttt_status (*weight_write)(ttt_weight *, ttt_weight_part, const float *from, ttt_error *);

    ttt_status (*kv_new)(ttt_backend *, int32_t layers, int32_t pages, int32_t kv_heads, int32_t head_dim, ttt_kv **,
                         ttt_error *);
    void (*kv_free)(ttt_kv *);
    ttt_status (*kv_copy_page)(ttt_kv *, int32_t from, int32_t to, ttt_error *); /* in all layers */

    /* Scratch for batches of up to max_tokens rows and max_sequences sequences; `training` adds what backward needs. */
    ttt_status (*workspace_new)(ttt_backend *, const ttt_shape *, int32_t max_tokens, int32_t max_sequences,
                                int32_t max_rank, bool training, ttt_workspace **, ttt_error *);
    void (*workspace_free)(ttt_workspace *);
    size_t (*workspace_bytes)(const ttt_workspace *);

    /* Every operation below works on the batch announced last (it computes the rotary angles and the like once). */
    ttt_status (*batch_begin)(ttt_workspace *, const ttt_batch *, ttt_error *);

    /* x = E[ids] (+ scale · A[:, id]·Bᵀ with adapters: for the embedding A is [R, V], B is [C, R], as in PEFT).
     * `embedding.weight` is [V, C]. Backward: dE += rows of dx (if E is trainable), dA, dB +=. */
    ttt_status (*embed)(ttt_workspace *, const ttt_linear *embedding, ttt_buffer *x, ttt_error *);
    ttt_status (*embed_backward)(ttt_workspace *, const ttt_linear *embedding, const ttt_buffer *dx, ttt_error *);

    /* n = RMSNorm(x); q = rotate(RMSNorm(n·Wqᵀ + bias)) into q [T, H·D], bias and the norm of heads where the block has
     * them; rotated keys, likewise, and values into the store at `layer`. */
    ttt_status (*qkv)(ttt_workspace *, const ttt_qkv_block *, const ttt_buffer *x, ttt_buffer *q, ttt_kv *,
                      int32_t layer, ttt_error *);
    /* From dq [T, H·D], dk, dv [T, G·D] (of the normalised, rotated q and k, as attention_backward gives them): dx +=,
     * gradients of the trainable weights +=. May destroy dq, dk, dv. */
    ttt_status (*qkv_backward)(ttt_workspace *, const ttt_qkv_block *, const ttt_buffer *x, ttt_buffer *dq,
                               ttt_buffer *dk, ttt_buffer *dv, ttt_buffer *dx, ttt_error *);

    /* o = softmax(q·kᵀ / √D over the row's range)·v, [T, H·D]; lse [T, H] float32 = log of the softmax's denominator
     * (NULL: not wanted). Query head h reads key/value head h / (H/G). Never T×T memory (Dao et al.,
     * "FlashAttention", 2022). */
    ttt_status (*attention)(ttt_workspace *, const ttt_buffer *q, const ttt_kv *, int32_t layer, ttt_buffer *o,
                            ttt_buffer *lse, ttt_error *);
    /* dq =, dk =, dv = from dO. All keys of every sequence must have been written by this very batch. */
    ttt_status (*attention_backward)(ttt_workspace *, const ttt_buffer *q, const ttt_kv *, int32_t layer,
                                     const ttt_buffer *o, const ttt_buffer *lse, const ttt_buffer *d_o, ttt_buffer *dq,
                                     ttt_buffer *dk, ttt_buffer *dv, ttt_error *);

    /* y = x + o·Woᵀ (y may be x).   Backward: d_o = dy·Wo, gradients +=. (dx = dy is the caller's.) */
    ttt_status (*project)(ttt_workspace *, const ttt_linear *, const ttt_buffer *o, const ttt_buffer *x, ttt_buffer *y,
                          ttt_error *);
    ttt_status (*project_backward)(ttt_workspace *, const ttt_linear *, const ttt_buffer *o, const ttt_buffer *dy,
                                   ttt_buffer *d_o, ttt_error *);

    /* n = RMSNorm(x); gate = n·Wgᵀ, up = n·Wuᵀ (both [T, F], kept for backward; NULL at inference);
     * y = x + (silu(gate)·up)·Wdᵀ (y may be x). Shazeer, "GLU variants", 2020. */
    ttt_status (*mlp)(ttt_workspace *, const ttt_mlp_block *, const ttt_buffer *x, ttt_buffer *gate, ttt_buffer *up,
                      ttt_buffer *y, ttt_error *);
    /* dx holds dy on entry and dy + (gradient through the block) on return; gradients +=. May destroy gate and up. */
    ttt_status (*mlp_backward)(ttt_workspace *, const ttt_mlp_block *, const ttt_buffer *x, ttt_buffer *gate,
                               ttt_buffer *up, ttt_buffer *dx, ttt_error *);

    /* Cross-entropy of `count` chosen rows: loss[i] = -log p(targets[i] | row rows[i]). `rows` is strictly increasing.
     * Without dx: forward only. With dx: dx = gradient of sum_i scale[i]·loss[i] (rows not chosen: 0), gradients +=.
     * All arrays on the host. Never T×V memory. */
    ttt_status (*loss)(ttt_workspace *, const ttt_output_block *, const ttt_buffer *x, int32_t count,
                       const int32_t *rows, const int32_t *targets, const float *scale, float *loss, ttt_buffer *dx,
                       ttt_error *);
    /* Log-probabilities [count, V] (host) of the next token after the chosen rows (in any order), normalised over the
     * tokens whose bit (token % 32 of word token / 32) is set in allowed ([count, (V+31)/32], NULL: all; at least one
     * set): they sum to one over those; -INFINITY elsewhere. */
    ttt_status (*next_log_probabilities)(ttt_workspace *, const ttt_output_block *, const ttt_buffer *x, int32_t count,
                                         const int32_t *rows, const uint32_t *allowed, float *log_probabilities,
                                         ttt_error *);

    /* Sum of squares of all gradients of the weights, in a fixed order. */
    ttt_status (*gradient_square_sum)(ttt_backend *, ttt_weight *const *, size_t count, double *sum, ttt_error *);
    /* One step of AdamW (Loshchilov and Hutter, 2019) on trainable weights; gradients are zeroed and the prepared form
     * renewed. Decay acts on matrices only (rows > 1). */
    ttt_status (*adamw)(ttt_backend *, ttt_weight *const *, size_t count, const ttt_adamw *, ttt_error *);

    /* One step of Muon with Nesterov's momentum (Jordan et al., 2024) on a trainable matrix of the workspace's model:
     * m = momentum·m + (1 - momentum)·g, u = (1 - momentum)·g + momentum·m, and u, made orthogonal, is the step. m is
     * TTT_MOMENT1; TTT_MOMENT2 is scratch and left zero. The gradient is zeroed, the prepared form renewed. The shorter
     * side of the matrix is at most the larger of C and the workspace's rank. */
    ttt_status (*muon)(ttt_workspace *, ttt_weight *, const ttt_muon *, ttt_error *);

    /* What all threads together reach at best, measured for about `seconds`: operations a second, or bytes. 0: this
     * backend has no such limit to speak of. Unlike operations it allocates. */
    ttt_status (*ceiling)(ttt_backend *, ttt_ceiling, double seconds, double *per_second, ttt_error *);
} ttt_backend_ops;

/* Every backend's struct begins with its table; likewise buffers, weights, stores and workspaces begin with a pointer
 * to their backend, so that model code needs only the object. */
struct ttt_backend {
    const ttt_backend_ops *ops;
};

/* The plain C oracle: float32, one thread, slow, readable. */
ttt_status ttt_backend_ref_new(ttt_backend **backend, ttt_error *err);
/* x86-64: the widest of amx, avx512 and avx2 that the processor has, unless the environment's TTT_ISA forces one
 * (an error if the processor lacks it). threads <= 0: one per core this process may use. */
ttt_status ttt_backend_cpu_new(int threads, ttt_backend **backend, ttt_error *err);
/* By name: "ref" or "cpu". (The environment's TTT_ISA=ref turns "cpu" into the oracle: for tests.) */
ttt_status ttt_backend_new(const char *device, int threads, ttt_backend **backend, ttt_error *err);
void ttt_backend_free(ttt_backend *backend); /* NULL is fine */

#endif
