/* Private header of the cpu backend: what its files share. Nobody outside src/tensor/cpu includes it.
 *
 * Who lives where:
 *   cpu.c         start, choice of instruction set, buffers       weight.c, blocks.c   parameters, their forms
 *   workspace.c   scratch memory, the tables of a batch           linear.c     products of row blocks, adapters
 *   embed.c, qkv.c, mlp.c, loss.c   operations of backend.h       gradient.c   sums over rows: gradients of weights
 *   optimizer.c, muon.c   AdamW, Muon                             attention*.c, kv.c   keys, values, attention
 *   ceiling.c     the machine's limits
 *   kernels_*.c, vector.h, *.inl   loop bodies written once and compiled per instruction set
 *
 * Activations are bf16, sums float32. Loops go over blocks of rows (row blocks); a thread takes a block through a whole
 * operation, so that what lies between two products stays in its cache. */
#ifndef TTT_TENSOR_CPU_CPU_H
#define TTT_TENSOR_CPU_CPU_H

#include "tensor/backend.h"

#include <stdint.h>

typedef uint16_t ttt_bf16;

enum {
    TTT_CPU_PAD = 32,         /* strides of buffers, depths and widths of packed weights are multiples of this */
    TTT_CPU_BLOCK = 96,       /* most rows of a row block */
    TTT_CPU_VOCABULARY = 512, /* logits that the loss holds at a time */
    TTT_CPU_DEPTH = 512,      /* of a panel, so much is unpacked at a time; a multiple of TTT_CPU_PAD */
    TTT_CPU_MAX_THREADS = 256
};

typedef enum ttt_isa { TTT_ISA_AVX2, TTT_ISA_AVX512, TTT_ISA_AVX512BF16, TTT_ISA_AMX, TTT_ISA_COUNT } ttt_isa;

/* An activation buffer, row-major, rows without gaps (stride == columns). Rows beyond a batch are left alone. */
struct ttt_buffer {
    ttt_backend *backend;
    size_t rows, columns, stride;
    ttt_dtype dtype; /* TTT_BF16 or TTT_F32 */
    void *data;
};

static inline ttt_bf16 *ttt_bf16_row(const ttt_buffer *buffer, size_t row) {
    return (ttt_bf16 *)buffer->data + row * buffer->stride;
}
static inline float *ttt_f32_row(const ttt_buffer *buffer, size_t row) {
    return (float *)buffer->data + row * buffer->stride;
}
static inline size_t ttt_cpu_pad(size_t n) {
    return (n + TTT_CPU_PAD - 1) / TTT_CPU_PAD * TTT_CPU_PAD;
}

/* A matrix ready to be the right operand of a product: y[rows, width] = a[rows, depth] · this.
 * Panels of 32 columns; in a panel, pairs of depth lie together, as AMX and the bf16 dot product want them:
 *   element (k, n) at panel n / 32, offset ((k / 2) * 32 + n % 32) * 2 + k % 2.
 * Depth and width are padded with zeros to multiples of 32. */
typedef struct ttt_packed {
    size_t depth, width; /* padded */
    ttt_bf16 *data;
} ttt_packed;

static inline const ttt_bf16 *ttt_packed_panel(const ttt_packed *packed, size_t panel) {
    return packed->data + panel * packed->depth * TTT_CPU_PAD;
}

/* A matrix in a block format, in tiles: blocks.h. */
typedef struct ttt_blocks {
    ttt_dtype dtype;
    size_t row_tile_bytes; /* of 32 rows */
    uint8_t *data;
} ttt_blocks;

/* Which forms a weight is kept in, see weight.c. One without data is made of another, piece by piece, by the products
 * that need it. */
struct ttt_weight {
    ttt_backend *backend;
    size_t rows, columns; /* out, in */
    bool trainable;
    float *part[TTT_WEIGHT_PART_COUNT]; /* float32 [rows, columns]; NULL unless trainable */
    ttt_packed forward;                 /* depth = in,  width = out: y = x·Wᵀ */
    ttt_packed backward;                /* depth = out, width = in:  dx = dy·W */
    ttt_blocks blocks;                  /* in place of both */
    float *vector;                      /* rows == 1 (a norm's gain): the value also as float32, padded with zeros */
};

/* ---- backend ------------------------------------------------------------------------------------------------ */

typedef struct ttt_cpu_kernels ttt_cpu_kernels;     /* kernels.h */
typedef struct attention_kernels attention_kernels; /* attention_kernel.h */

typedef struct ttt_cpu_backend {
    ttt_backend base;    /* base.ops points to ops below */
    ttt_backend_ops ops; /* with the name of the instruction set */
    ttt_isa isa;
    int threads;
    const ttt_cpu_kernels *kernels;
    const attention_kernels *attention;
} ttt_cpu_backend;

static inline const ttt_cpu_backend *ttt_cpu(const ttt_backend *backend) {
    return (const ttt_cpu_backend *)backend;
}

/* ---- workspace ---------------------------------------------------------------------------------------------- */

/* Rows [first, first + rows) of a list of rows; `adapter` as in ttt_batch.segment_adapter. */
typedef struct ttt_row_block {
    int32_t first, rows, adapter;
} ttt_row_block;

/* Memory of one thread for a row block. Left operands have TTT_CPU_BLOCK rows of `width` + 32 elements (room for
 * float32), sums as many of float32. */
typedef struct ttt_block_scratch {
    void *left[3];
    float *sum[2];
    void *low[3];   /* left operands of R columns: scale·x·Aᵀ (or scale·dy·B) of up to three linear maps */
    float *low_sum; /* [TTT_CPU_BLOCK, R] */
    void *unpacked; /* [TTT_CPU_DEPTH, 32] part of a panel of a weight that is kept in another form */
    float *panel;   /* [TTT_CPU_DEPTH, 32] part of a panel in float32, where products want that */
    float *inverse_rms, *row_value; /* [TTT_CPU_BLOCK] */
    ttt_bf16 *rows_in, *rows_out;   /* [TTT_CPU_BLOCK, C] gathered rows */
} ttt_block_scratch;

/* What backward needs beyond; bf16 unless said otherwise. */
typedef struct ttt_training_scratch {
    ttt_bf16 *normed;            /* [T, C] outputs of the norm */
    ttt_bf16 *upstream;          /* [T, C] dy, where dx takes its place */
    ttt_bf16 *hidden;            /* [T, F] silu(gate)·up */
    ttt_bf16 *low[3], *d_low[3]; /* [T, R] scale·x·Aᵀ and scale·dy·B of up to three linear maps */
    ttt_bf16 *d_logits;          /* [T, TTT_CPU_VOCABULARY] */
    float *lse;                  /* [T] of the loss */
    float *d_normed;     /* [T, C + padding] gradient of the final norm's output, summed over tiles of the vocabulary */
    float *d_low_sum;    /* [T, R + padding] the same of an adapter's narrow product */
    float *gain_sums[3]; /* [row blocks, C], [row blocks, D] twice: gradients of the gains of an operation by block */
    void *gradient_left, *gradient_right; /* operands of sums over rows (gradient.c) */
    float *gram;       /* [N, N] of Muon; N: the larger of C and R, the shorter side of any matrix at most */
    ttt_bf16 *rounded; /* [N, N] the same rounded, as an operand */
} ttt_training_scratch;

struct ttt_workspace {
    ttt_backend *backend;
    ttt_shape shape;
    int32_t max_tokens, max_sequences, max_rank;
    bool training;
    ttt_batch batch;       /* the one announced last; the arrays are the caller's */
    float *cosine, *sine;  /* [T, D/2] of this batch's rotary angles */
    ttt_row_block *blocks; /* of this batch; none crosses a border between adapters */
    int32_t block_count;
    ttt_row_block *chosen_blocks;  /* of the rows that the loss chose */
    ttt_bf16 *k, *v;               /* [T, G·D] on the way into the store */
    ttt_block_scratch *scratch;    /* [threads] */
    ttt_training_scratch backward; /* all NULL without `training` */
    struct ttt_cpu_attention *attention;
    struct ttt_arena *arena; /* owns all arrays above */
    size_t bytes;
};

#endif
