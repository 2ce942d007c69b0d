/* Attention and the key/value store of the cpu backend. */
#ifndef TTT_TENSOR_CPU_ATTENTION_H
#define TTT_TENSOR_CPU_ATTENTION_H

#include "tensor/backend.h"

struct attention_kernels;

/* Scratch and the list of work of attention: a part of a workspace. */
typedef struct ttt_cpu_attention ttt_cpu_attention;

/* For batches of up to max_tokens rows and max_sequences sequences; `training` adds what backward needs. The kernels
 * are those of the backend's instruction set (attention_kernel.h). */
ttt_status ttt_cpu_attention_new(const struct attention_kernels *kernels, int threads, const ttt_shape *shape,
                                 int32_t max_tokens, int32_t max_sequences, bool training,
                                 ttt_cpu_attention **attention, ttt_error *err);
void ttt_cpu_attention_free(ttt_cpu_attention *attention); /* NULL is fine */
size_t ttt_cpu_attention_bytes(const ttt_cpu_attention *attention);
/* Called by batch_begin: lists the work of the batch, whose arrays stay borrowed until the next batch. */
void ttt_cpu_attention_begin(ttt_cpu_attention *attention, const ttt_batch *batch);

/* The operations of backend.h. */
ttt_status ttt_cpu_attention_forward(ttt_workspace *workspace, const ttt_buffer *q, const ttt_kv *kv, int32_t layer,
                                     ttt_buffer *o, ttt_buffer *lse, ttt_error *err);
ttt_status ttt_cpu_attention_backward(ttt_workspace *workspace, const ttt_buffer *q, const ttt_kv *kv, int32_t layer,
                                      const ttt_buffer *o, const ttt_buffer *lse, const ttt_buffer *d_o, ttt_buffer *dq,
                                      ttt_buffer *dk, ttt_buffer *dv, ttt_error *err);

#endif
