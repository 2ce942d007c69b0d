/* Private header of the cpu backend: what its files share. Nobody outside src/tensor/cpu includes it.
 *
 * Who lives where:
 *   backend.c     start, choice of instruction set, buffers          weight.c      parameters and their packed forms
 *   workspace.c   scratch memory, the tables of a batch              linear.c      products of row blocks, adapters
 *   blocks*.c     the operations of backend.h, forward and backward  gradient.c    sums over rows: gradients of weights
 *   loss.c        output projection with cross-entropy               optimizer.c   AdamW and repacking
 *   attention*.c, kv.c   keys, values, attention
 *   vector.h, rows.inl, product.inl   loop bodies written once and compiled per instruction set (*_avx2.c, ...)
 *
 * Activations are bf16, sums float32. Loops go over blocks of rows (row blocks); a thread takes a block through a whole
 * operation, so that what lies between two products stays in its cache. */
#ifndef TTT_TENSOR_CPU_CPU_H
#define TTT_TENSOR_CPU_CPU_H

#include "tensor/backend.h"

#include <stdint.h>

typedef uint16_t ttt_bf16;

enum {
    TTT_CPU_PAD = 32,   /* strides of buffers, depths and widths of packed weights are multiples of this */
    TTT_CPU_BLOCK = 96, /* most rows of a row block */
    TTT_CPU_MAX_THREADS = 256
};

typedef enum ttt_isa { TTT_ISA_AVX2, TTT_ISA_AVX512, TTT_ISA_AVX512BF16, TTT_ISA_AMX, TTT_ISA_COUNT } ttt_isa;

/* An activation buffer, row-major. The stride is a multiple of TTT_CPU_PAD elements and the rows are padded to a
 * multiple of TTT_CPU_PAD, so that kernels may read (and, beyond the columns, write zeros) in whole vectors and tiles.
 * Padding columns hold zeros always; rows beyond the batch hold anything finite. */
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

struct ttt_weight {
    ttt_backend *backend;
    size_t rows, columns; /* out, in */
    bool trainable;
    float *part[TTT_WEIGHT_PART_COUNT]; /* float32 [rows, columns]; NULL unless trainable */
    ttt_packed forward;                 /* depth = in,  width = out: y = x·Wᵀ */
    ttt_packed backward;                /* depth = out, width = in:  dx = dy·W */
    float *vector;                      /* rows == 1: the value, float32, padded with zeros; then nothing is packed */
};

/* ---- per instruction set ------------------------------------------------------------------------------------ */

/* The left operand of a product is a block of rows in the form that the instruction set multiplies: float32, or bf16
 * where there is a bf16 product. `lda`, `ldc`: elements between rows. Columns are padded to multiples of 32 with zeros.
 * Every function treats each row alone and in one fixed order, so a row's bits do not depend on its neighbours. */
typedef struct ttt_cpu_kernels ttt_cpu_kernels;

typedef struct ttt_cpu_backend {
    ttt_backend base;
    ttt_backend_ops ops; /* base.ops points here: the name is that of the instruction set */
    ttt_isa isa;
    int threads;
    const ttt_cpu_kernels *kernels;
} ttt_cpu_backend;

static inline const ttt_cpu_backend *ttt_cpu(const ttt_backend *backend) {
    return (const ttt_cpu_backend *)backend;
}

/* Call first in every parallel region that uses AMX tiles (a no-op elsewhere), with the tile shapes of the products:
 * eight tiles of 16 rows of 64 bytes. */
void ttt_cpu_tiles_configure(ttt_isa isa);

/* ---- workspace ---------------------------------------------------------------------------------------------- */

typedef struct ttt_row_block {
    int32_t first, rows, adapter;
} ttt_row_block; /* adapter: -1 for none */

struct ttt_workspace {
    ttt_backend *backend;
    ttt_shape shape;
    int32_t max_tokens, max_sequences, max_rank;
    bool training;
    const ttt_batch *batch; /* the one announced last; a copy of the struct, the arrays are the caller's */
    ttt_batch batch_copy;
    float *cosine, *sine;    /* [T, D/2] of this batch's rotary angles */
    int32_t *sequence_first; /* [sequences + 1] first row of each sequence of the batch */
    ttt_row_block *blocks;   /* row blocks of this batch; none crosses a border between adapters */
    int32_t block_count;
    unsigned char *attention; /* ttt_cpu_attention_scratch_bytes(...) bytes, 64-byte aligned, zeroed at the start */
    unsigned char *scratch;   /* [threads][scratch_bytes], of the blocks (linear.c) */
    size_t scratch_bytes;
    struct ttt_cpu_training *backward; /* what only backward needs; NULL without `training` */
    size_t bytes;
};

/* ---- what kv.c and attention*.c give ------------------------------------------------------------------------ */

ttt_status ttt_cpu_kv_new(ttt_backend *, int32_t layers, int32_t pages, int32_t kv_heads, int32_t head_dim, ttt_kv **,
                          ttt_error *);
void ttt_cpu_kv_free(ttt_kv *);
ttt_status ttt_cpu_kv_copy_page(ttt_kv *, int32_t from, int32_t to, ttt_error *);
/* Writes the keys (already rotated) and values of rows [first, first + rows) of the batch where batch.pages says. k and
 * v are bf16 [rows, stride] for just these rows. Called inside a parallel region, by several threads on different rows
 * (which may be neighbours in one page): it must not start threads. */
void ttt_cpu_kv_store(const ttt_workspace *, ttt_kv *, int32_t layer, int32_t first, int32_t rows, const ttt_bf16 *k,
                      const ttt_bf16 *v, size_t stride);

size_t ttt_cpu_attention_scratch_bytes(const ttt_shape *, int32_t max_tokens, int32_t max_sequences, int threads,
                                       bool training);
ttt_status ttt_cpu_attention(ttt_workspace *, const ttt_buffer *q, const ttt_kv *, int32_t layer, ttt_buffer *o,
                             ttt_buffer *lse, ttt_error *);
ttt_status ttt_cpu_attention_backward(ttt_workspace *, const ttt_buffer *q, const ttt_kv *, int32_t layer,
                                      const ttt_buffer *o, const ttt_buffer *lse, const ttt_buffer *d_o, ttt_buffer *dq,
                                      ttt_buffer *dk, ttt_buffer *dv, ttt_error *);

#endif
