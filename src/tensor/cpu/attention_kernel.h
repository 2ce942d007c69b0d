/* What attention.c and its kernels (one file per instruction set) share; private to them.
 *
 * The work is laid out transposed: a score matrix is Sᵀ [keys × columns], where a column is one query of one head, so
 * that the statistics of a softmax lie along vector lanes and need no horizontal sum. The query heads of one key/value
 * head share its keys, so the columns of a (sequence, kv head) pair are all its rows times all heads of the group,
 * numbered row by row: column c is row c / group, head c % group. A strip is ATTENTION_STRIP such columns; it may
 * begin in the middle of a row, because columns know nothing of each other.
 *
 * Key blocks are the pages of the store, which begin at the start of the sequence whatever the batch; a lane masked
 * out of a page is left exactly as it was. Hence a column's bits do not depend on its strip. */
#ifndef TTT_TENSOR_CPU_ATTENTION_KERNEL_H
#define TTT_TENSOR_CPU_ATTENTION_KERNEL_H

#include "tensor/backend.h"

enum {
    ATTENTION_STRIP = 32,                                 /* columns whose scores are computed at once */
    ATTENTION_STRIPS = 6,                                 /* strips of a block in backward, which share dk and dv */
    ATTENTION_BLOCK = ATTENTION_STRIPS * ATTENTION_STRIP, /* divisible by the usual groups of 1, 2, 3, 4, 6, 8 */
    ATTENTION_FORM = ATTENTION_STRIP * TTT_MAX_HEAD_DIM,  /* numbers of a packed strip, at most */
};

/* One call of forward or backward: matrices of the batch are bf16, [T, H·D] or, for dk and dv, [T, G·D]. Strides are
 * numbers from row to row. */
typedef struct attention_call {
    const ttt_batch *batch;
    int32_t kv_heads, group; /* G, H / G */
    int32_t dim, padded_dim; /* D, and D rounded up to a multiple of 32 */
    float scale;             /* 1 / √D */
    /* The store at this layer: page p of kv head g begins at (p · G + g) · 64 · padded_dim. */
    const uint16_t *keys, *values;
    const uint16_t *q, *o, *d_o;
    uint16_t *out, *dq; /* out: o of forward */
    uint16_t *dk, *dv;
    float *lse;                           /* [T, H]; may be NULL in forward */
    size_t stride, kv_stride, lse_stride; /* of q, o, d_o, out, dq; of dk, dv; of lse */
} attention_call;

/* A page of keys and values as left operands of the products of backward: K, Kᵀ and V, in whatever number type. */
typedef struct open_pages {
    const void *keys, *keys_right, *values;
} open_pages;

/* A piece of work for one thread: forward takes a strip of columns, backward all columns of a (sequence, kv head). */
typedef struct attention_item {
    int32_t sequence, kv_head;
    int32_t first_row;    /* of the sequence, in the batch */
    int32_t first_column; /* of the strip, counted from the sequence's first row */
    int32_t columns;
} attention_item;

/* The columns of a strip. Those beyond `columns` are padding: an empty range, the offset of column 0. */
typedef struct attention_strip {
    int32_t columns;
    int32_t low, high;             /* of all keys that some column sees */
    int32_t inner_low, inner_high; /* of the keys that every column sees (padding sees none) */
    _Alignas(64) int32_t column_low[ATTENTION_STRIP];
    _Alignas(64) int32_t column_high[ATTENTION_STRIP];
    size_t offset[ATTENTION_STRIP]; /* of the column's vector in q and the like */
    size_t number[ATTENTION_STRIP]; /* of the column in lse */
} attention_strip;

void ttt_attention_strip_set(attention_strip *strip, const attention_call *call, const attention_item *item,
                             int32_t first_column, int32_t columns);

/* How an instruction set computes. Scratch is the calling thread's: `scratch_bytes` of it, 64-byte aligned. */
typedef struct attention_kernels {
    /* How pages lie in the store: keys [padded_dim][64] and values [64][padded_dim] (true), or the other way round. */
    bool transposes_keys;
    size_t (*forward_bytes)(int32_t padded_dim);
    size_t (*backward_bytes)(int32_t padded_dim, int32_t pages); /* for sequences of up to `pages` pages */
    void (*thread_begin)(void);                                  /* before the first and after the last item of a */
    void (*thread_end)(void);                                    /* parallel region, on every thread */
    void (*forward)(const attention_call *call, const attention_item *strip, void *scratch);
    void (*backward)(const attention_call *call, const attention_item *unit, void *scratch);
} attention_kernels;

extern const attention_kernels ttt_attention_amx, ttt_attention_avx512, ttt_attention_avx2;

#endif
