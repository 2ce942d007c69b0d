/* The key/value cache: many sequences over a pool of pages of TTT_PAGE keys. Forking shares full pages and copies the
 * last, partly filled one; truncating gives pages back; pages are counted references. */
#ifndef TTT_MODEL_KV_CACHE_H
#define TTT_MODEL_KV_CACHE_H

#include "model/model.h"

typedef struct ttt_kv_cache ttt_kv_cache;
typedef int32_t ttt_kv_sequence; /* handle; >= 0 */

ttt_status ttt_kv_cache_new(ttt_model *model, int32_t pages, int32_t max_sequences, ttt_kv_cache **cache,
                            ttt_error *err);
void ttt_kv_cache_free(ttt_kv_cache *cache); /* NULL is fine */

/* An empty sequence; -1 when all max_sequences are taken. */
ttt_kv_sequence ttt_kv_cache_begin(ttt_kv_cache *cache);
/* A new sequence with the same content; TTT_ERROR_MEMORY when no page or handle is left. */
ttt_status ttt_kv_cache_fork(ttt_kv_cache *cache, ttt_kv_sequence from, ttt_kv_sequence *to, ttt_error *err);
/* Forgets the keys from `length` on; 0 <= length <= the sequence's. */
void ttt_kv_cache_truncate(ttt_kv_cache *cache, ttt_kv_sequence sequence, int32_t length);
void ttt_kv_cache_end(ttt_kv_cache *cache, ttt_kv_sequence sequence);
/* Makes the next `count` keys writable and counts them to the length; TTT_ERROR_MEMORY and no change when there are not
 * enough free pages. (After a truncation into a shared page this copies that page: one page more.) */
ttt_status ttt_kv_cache_extend(ttt_kv_cache *cache, ttt_kv_sequence sequence, int32_t count, ttt_error *err);

int32_t ttt_kv_cache_length(const ttt_kv_cache *cache, ttt_kv_sequence sequence);
/* Borrowed until the sequence changes; as ttt_batch.pages wants them. */
const int32_t *ttt_kv_cache_pages(const ttt_kv_cache *cache, ttt_kv_sequence sequence, int32_t *count);
int32_t ttt_kv_cache_free_pages(const ttt_kv_cache *cache);
int32_t ttt_kv_cache_total_pages(const ttt_kv_cache *cache);
ttt_kv *ttt_kv_cache_store(const ttt_kv_cache *cache);
/* The model the cache was made for. */
ttt_model *ttt_kv_cache_get_model(const ttt_kv_cache *cache);
/* Pages that `length` tokens need. */
int32_t ttt_kv_pages(int32_t length);

#endif
