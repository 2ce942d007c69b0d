/* The operations of backend.h (see there), file by file; workspace and batch. */
#ifndef TTT_TENSOR_CPU_OPERATIONS_H
#define TTT_TENSOR_CPU_OPERATIONS_H

#include "tensor/cpu/cpu.h"

/* ---- workspace.c ---- */
ttt_status ttt_cpu_workspace_new(ttt_backend *, const ttt_shape *, int32_t max_tokens, int32_t max_sequences,
                                 int32_t max_rank, bool training, ttt_workspace **, ttt_error *);
void ttt_cpu_workspace_free(ttt_workspace *);
size_t ttt_cpu_workspace_bytes(const ttt_workspace *);
ttt_status ttt_cpu_batch_begin(ttt_workspace *, const ttt_batch *, ttt_error *);
/* Divides `count` rows of the batch (rows[i], or i if `rows` is NULL) into blocks of one adapter each, in a way that
 * depends on the batch alone; first and rows count places in the list. Returns how many. */
int32_t ttt_cpu_blocks_make(const ttt_workspace *, int32_t count, const int32_t *rows, ttt_row_block *blocks);

/* ---- embed.c ---- */
ttt_status ttt_cpu_embed(ttt_workspace *, const ttt_linear *embedding, ttt_buffer *x, ttt_error *);
ttt_status ttt_cpu_embed_backward(ttt_workspace *, const ttt_linear *embedding, const ttt_buffer *dx, ttt_error *);

/* ---- qkv.c ---- */
ttt_status ttt_cpu_qkv(ttt_workspace *, const ttt_qkv_block *, const ttt_buffer *x, ttt_buffer *q, ttt_kv *,
                       int32_t layer, ttt_error *);
ttt_status ttt_cpu_qkv_backward(ttt_workspace *, const ttt_qkv_block *, const ttt_buffer *x, ttt_buffer *dq,
                                ttt_buffer *dk, ttt_buffer *dv, ttt_buffer *dx, ttt_error *);
ttt_status ttt_cpu_project(ttt_workspace *, const ttt_linear *, const ttt_buffer *o, const ttt_buffer *x, ttt_buffer *y,
                           ttt_error *);
ttt_status ttt_cpu_project_backward(ttt_workspace *, const ttt_linear *, const ttt_buffer *o, const ttt_buffer *dy,
                                    ttt_buffer *d_o, ttt_error *);

/* ---- mlp.c ---- */
ttt_status ttt_cpu_mlp(ttt_workspace *, const ttt_mlp_block *, const ttt_buffer *x, ttt_buffer *gate, ttt_buffer *up,
                       ttt_buffer *y, ttt_error *);
ttt_status ttt_cpu_mlp_backward(ttt_workspace *, const ttt_mlp_block *, const ttt_buffer *x, ttt_buffer *gate,
                                ttt_buffer *up, ttt_buffer *dx, ttt_error *);

/* ---- loss.c ---- */
ttt_status ttt_cpu_loss(ttt_workspace *, const ttt_output_block *, const ttt_buffer *x, int32_t count,
                        const int32_t *rows, const int32_t *targets, const float *scale, float *loss, ttt_buffer *dx,
                        ttt_error *);
ttt_status ttt_cpu_next_log_probabilities(ttt_workspace *, const ttt_output_block *, const ttt_buffer *x, int32_t count,
                                          const int32_t *rows, const uint32_t *allowed, float *log_probabilities,
                                          ttt_error *);

/* ---- optimizer.c ---- */
ttt_status ttt_cpu_gradient_square_sum(ttt_backend *, ttt_weight *const *, size_t count, double *sum, ttt_error *);
ttt_status ttt_cpu_adamw(ttt_backend *, ttt_weight *const *, size_t count, const ttt_adamw *, ttt_error *);

/* ---- muon.c ---- */
ttt_status ttt_cpu_muon(ttt_workspace *, ttt_weight *, const ttt_muon *, ttt_error *);

/* ---- ceiling.c ---- */
ttt_status ttt_cpu_ceiling(ttt_backend *, ttt_ceiling, double seconds, double *per_second, ttt_error *);

#endif
