/* The key/value store: see kv.h for the layout. */
#include "tensor/cpu/kv.h"

#include "base/memory.h"
#include "tensor/cpu/attention_kernel.h"
#include "tensor/cpu/cpu.h"

#include <assert.h>
#include <string.h>

enum { ROWS_AT_ONCE = 16 }; /* of a parallel piece: neighbouring keys share the cache lines of the transposed values */

ttt_status ttt_cpu_kv_new(ttt_backend *backend, int32_t layers, int32_t pages, int32_t kv_heads, int32_t head_dim,
                          ttt_kv **kv, ttt_error *err) {
    assert(layers > 0 && pages > 0 && kv_heads > 0 && head_dim > 0 && head_dim <= TTT_MAX_HEAD_DIM);
    *kv = NULL;
    const int32_t padded = (int32_t)ttt_cpu_pad((size_t)head_dim);
    size_t layer_size = (size_t)kv_heads * (size_t)padded * TTT_PAGE, total;
    bool fits = ttt_size_multiply(layer_size, (size_t)pages, &layer_size);
    fits = fits && ttt_size_multiply(layer_size, (size_t)layers, &total);
    ttt_kv *made = fits ? ttt_allocate(1, sizeof *made) : NULL;
    if (made != NULL) {
        *made = (ttt_kv){.backend = backend,
                         .layers = layers,
                         .pages = pages,
                         .kv_heads = kv_heads,
                         .head_dim = head_dim,
                         .padded_dim = padded,
                         .transposes_keys = ttt_cpu(backend)->attention->transposes_keys,
                         .layer_size = layer_size,
                         .keys = ttt_allocate(total, sizeof *made->keys),
                         .values = ttt_allocate(total, sizeof *made->values)};
    }
    if (made == NULL || made->keys == NULL || made->values == NULL) {
        ttt_cpu_kv_free(made);
        return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for a key/value store of %d layers and %d pages", layers,
                        pages);
    }
    *kv = made;
    return TTT_OK;
}

void ttt_cpu_kv_free(ttt_kv *kv) {
    if (kv == NULL) return;
    ttt_free(kv->keys);
    ttt_free(kv->values);
    ttt_free(kv);
}

ttt_status ttt_cpu_kv_copy_page(ttt_kv *kv, int32_t from, int32_t to, ttt_error *err) {
    (void)err;
    assert(from >= 0 && from < kv->pages && to >= 0 && to < kv->pages);
    if (from == to) return TTT_OK;
    const size_t page = (size_t)kv->kv_heads * (size_t)kv->padded_dim * TTT_PAGE;
    for (int32_t layer = 0; layer < kv->layers; layer++) {
        const size_t base = (size_t)layer * kv->layer_size;
        const size_t source = base + (size_t)from * page, target = base + (size_t)to * page;
        memcpy(kv->keys + target, kv->keys + source, page * sizeof *kv->keys);
        memcpy(kv->values + target, kv->values + source, page * sizeof *kv->values);
    }
    return TTT_OK;
}

/* Vector number `slot` of a page: as a row of [64][padded], or as a column of [padded][64]. */
static void put_row(ttt_bf16 *page, size_t padded, size_t slot, const ttt_bf16 *from, size_t dim) {
    memcpy(page + slot * padded, from, dim * sizeof *from);
}

static void put_column(ttt_bf16 *page, size_t slot, const ttt_bf16 *from, size_t dim) {
    for (size_t d = 0; d < dim; d++) page[d * TTT_PAGE + slot] = from[d];
}

static void store_row(ttt_kv *kv, int32_t layer, const ttt_batch *batch, int32_t t, const ttt_bf16 *k,
                      const ttt_bf16 *v) {
    const int32_t page = batch->pages[batch->page_first[batch->sequence[t]] + batch->index[t] / TTT_PAGE];
    const size_t padded = (size_t)kv->padded_dim, dim = (size_t)kv->head_dim, slot = (size_t)batch->index[t] % TTT_PAGE;
    assert(page >= 0 && page < kv->pages);
    size_t at = (size_t)layer * kv->layer_size + (size_t)page * (size_t)kv->kv_heads * padded * TTT_PAGE;
    for (int32_t g = 0; g < kv->kv_heads; g++, at += padded * TTT_PAGE, k += dim, v += dim) {
        if (kv->transposes_keys) {
            put_column(kv->keys + at, slot, k, dim);
            put_row(kv->values + at, padded, slot, v, dim);
        } else {
            put_row(kv->keys + at, padded, slot, k, dim);
            put_column(kv->values + at, slot, v, dim);
        }
    }
}

void ttt_cpu_kv_store(ttt_kv *kv, int32_t layer, const ttt_batch *batch, const uint16_t *keys, const uint16_t *values,
                      size_t stride, int threads) {
    const int32_t tokens = batch->tokens;
#pragma omp parallel for schedule(dynamic, ROWS_AT_ONCE) num_threads(threads) if (tokens > ROWS_AT_ONCE)
    for (int32_t t = 0; t < tokens; t++) {
        store_row(kv, layer, batch, t, keys + (size_t)t * stride, values + (size_t)t * stride);
    }
}
