/* The key/value store of the cpu backend: bf16, in the forms in which attention reads them.
 *
 *     [layers][pages][G][64 keys][padded D]      one of keys and values lies as rows,
 *     [layers][pages][G][padded D][64 keys]      the other transposed
 *
 * AMX wants the inner dimension of a product along rows: K and Vᵀ. Vectors want their lanes there: Kᵀ and V.
 * D is padded with zeros to a multiple of 32, the inner dimension of an AMX product. */
#ifndef TTT_TENSOR_CPU_KV_H
#define TTT_TENSOR_CPU_KV_H

#include "tensor/backend.h"

struct ttt_kv {
    ttt_backend *backend;
    int32_t layers, pages, kv_heads, head_dim, padded_dim;
    bool transposes_keys;
    size_t layer_size; /* numbers of keys (or values) of a layer */
    uint16_t *keys, *values;
};

ttt_status ttt_cpu_kv_new(ttt_backend *backend, int32_t layers, int32_t pages, int32_t kv_heads, int32_t head_dim,
                          ttt_kv **kv, ttt_error *err);
void ttt_cpu_kv_free(ttt_kv *kv); /* NULL is fine */
ttt_status ttt_cpu_kv_copy_page(ttt_kv *kv, int32_t from, int32_t to, ttt_error *err);

/* Rows of the batch, rotated keys and values bf16 with `stride` numbers from row to row ([T, G·D] within), into their
 * places at `layer`. Uses up to `threads` threads. */
void ttt_cpu_kv_store(ttt_kv *kv, int32_t layer, const ttt_batch *batch, const uint16_t *keys, const uint16_t *values,
                      size_t stride, int threads);

#endif
