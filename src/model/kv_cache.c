/* The cache's bookkeeping: which pages belong to whom. The numbers themselves lie in the backend's store.
 *
 *     sequence 0   pages  3  7  2          references  page 3: 2   (shared: full, read-only)
 *     sequence 1   pages  3  5                         page 7, 2, 5: 1
 *     free stack   0 1 4 6 ...                         the others: 0
 *
 * Only a sequence's last, partly filled page is written to, so only that one must be its own. A fork copies it; a
 * truncation may leave a shared page as the last one, which the next extension then copies. */
#include "model/kv_cache.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>

typedef struct cached_sequence {
    bool used;
    int32_t length; /* in keys */
    int32_t *pages; /* [ttt_kv_pages(length)], room for all pages */
} cached_sequence;

struct ttt_kv_cache {
    ttt_model *model;
    const ttt_backend_ops *ops;
    ttt_kv *store;
    int32_t page_count, max_sequences;
    int32_t *references; /* [page_count] */
    int32_t *free_pages; /* a stack, [free_count] */
    int32_t free_count;
    cached_sequence *sequences; /* [max_sequences] */
    int32_t *page_lists;        /* [max_sequences, page_count], cut up among the sequences */
};

int32_t ttt_kv_pages(int32_t length) {
    return length / TTT_PAGE + (length % TTT_PAGE != 0);
}

ttt_status ttt_kv_cache_new(ttt_model *model, int32_t pages, int32_t max_sequences, ttt_kv_cache **cache,
                            ttt_error *err) {
    *cache = NULL;
    if (pages < 1 || max_sequences < 1) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "a key/value cache of %d pages for %d sequences: expected at least 1",
                        pages, max_sequences);
    }
    const ttt_model_config *config = ttt_model_get_config(model);
    ttt_backend *backend = ttt_model_get_backend(model);
    ttt_kv_cache *fresh = ttt_allocate(1, sizeof *fresh);
    if (fresh == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a key/value cache");
    *fresh = (ttt_kv_cache){
        .model = model, .ops = backend->ops, .page_count = pages, .max_sequences = max_sequences, .free_count = pages};
    size_t list_entries;
    ttt_status status;
    fresh->references = ttt_allocate((size_t)pages, sizeof *fresh->references);
    fresh->free_pages = ttt_allocate((size_t)pages, sizeof *fresh->free_pages);
    fresh->sequences = ttt_allocate((size_t)max_sequences, sizeof *fresh->sequences);
    if (ttt_size_multiply((size_t)pages, (size_t)max_sequences, &list_entries)) {
        fresh->page_lists = ttt_allocate(list_entries, sizeof *fresh->page_lists);
    }
    if (fresh->references == NULL || fresh->free_pages == NULL || fresh->sequences == NULL ||
        fresh->page_lists == NULL) {
        status =
            ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the tables of a key/value cache of %d pages", pages);
        goto out;
    }
    for (int32_t i = 0; i < pages; i++) fresh->free_pages[i] = pages - 1 - i; /* page 0 is taken first */
    for (int32_t s = 0; s < max_sequences; s++)
        fresh->sequences[s].pages = fresh->page_lists + (size_t)s * (size_t)pages;
    status =
        backend->ops->kv_new(backend, config->layers, pages, config->kv_heads, config->head_dim, &fresh->store, err);
out:
    if (status != TTT_OK) {
        ttt_kv_cache_free(fresh);
        return status;
    }
    *cache = fresh;
    return TTT_OK;
}

void ttt_kv_cache_free(ttt_kv_cache *cache) {
    if (cache == NULL) return;
    cache->ops->kv_free(cache->store);
    ttt_free(cache->references);
    ttt_free(cache->free_pages);
    ttt_free(cache->sequences);
    ttt_free(cache->page_lists);
    ttt_free(cache);
}

static cached_sequence *sequence_of(const ttt_kv_cache *cache, ttt_kv_sequence sequence) {
    assert(sequence >= 0 && sequence < cache->max_sequences && cache->sequences[sequence].used);
    return &cache->sequences[sequence];
}

static int32_t take_page(ttt_kv_cache *cache) {
    assert(cache->free_count > 0);
    const int32_t page = cache->free_pages[--cache->free_count];
    assert(cache->references[page] == 0);
    cache->references[page] = 1;
    return page;
}

static void release_page(ttt_kv_cache *cache, int32_t page) {
    assert(cache->references[page] > 0);
    if (--cache->references[page] == 0) cache->free_pages[cache->free_count++] = page;
}

ttt_kv_sequence ttt_kv_cache_begin(ttt_kv_cache *cache) {
    for (int32_t s = 0; s < cache->max_sequences; s++) {
        if (cache->sequences[s].used) continue;
        cache->sequences[s].used = true;
        cache->sequences[s].length = 0;
        return s;
    }
    return -1;
}

ttt_status ttt_kv_cache_fork(ttt_kv_cache *cache, ttt_kv_sequence from, ttt_kv_sequence *to, ttt_error *err) {
    const cached_sequence *old = sequence_of(cache, from);
    const int32_t full = old->length / TTT_PAGE;
    const bool partial = old->length % TTT_PAGE != 0;
    *to = -1;
    if (partial && cache->free_count == 0) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "the key/value cache has none of its %d pages left for a fork",
                        cache->page_count);
    }
    const ttt_kv_sequence forked = ttt_kv_cache_begin(cache);
    if (forked < 0) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "the key/value cache holds %d sequences already", cache->max_sequences);
    }
    cached_sequence *fresh = &cache->sequences[forked];
    for (int32_t i = 0; i < full; i++) {
        fresh->pages[i] = old->pages[i];
        cache->references[old->pages[i]]++;
    }
    fresh->length = full * TTT_PAGE;
    if (partial) {
        fresh->pages[full] = take_page(cache);
        fresh->length = old->length;
        const ttt_status status = cache->ops->kv_copy_page(cache->store, old->pages[full], fresh->pages[full], err);
        if (status != TTT_OK) {
            ttt_kv_cache_end(cache, forked);
            return status;
        }
    }
    *to = forked;
    return TTT_OK;
}

void ttt_kv_cache_truncate(ttt_kv_cache *cache, ttt_kv_sequence sequence, int32_t length) {
    cached_sequence *s = sequence_of(cache, sequence);
    assert(length >= 0 && length <= s->length);
    for (int32_t i = ttt_kv_pages(length); i < ttt_kv_pages(s->length); i++) release_page(cache, s->pages[i]);
    s->length = length;
}

void ttt_kv_cache_end(ttt_kv_cache *cache, ttt_kv_sequence sequence) {
    ttt_kv_cache_truncate(cache, sequence, 0);
    cache->sequences[sequence].used = false;
}

ttt_status ttt_kv_cache_extend(ttt_kv_cache *cache, ttt_kv_sequence sequence, int32_t count, ttt_error *err) {
    cached_sequence *s = sequence_of(cache, sequence);
    assert(count >= 0 && count <= INT32_MAX - TTT_PAGE - s->length);
    const int32_t old_pages = ttt_kv_pages(s->length), new_pages = ttt_kv_pages(s->length + count);
    const int32_t last = old_pages - 1;
    const bool copy = count > 0 && s->length % TTT_PAGE != 0 && cache->references[s->pages[last]] > 1;
    const int32_t needed = new_pages - old_pages + (copy ? 1 : 0);
    if (needed > cache->free_count) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "the key/value cache has %d of its %d pages left, %d are needed",
                        cache->free_count, cache->page_count, needed);
    }
    if (copy) {
        const int32_t own = take_page(cache);
        const ttt_status status = cache->ops->kv_copy_page(cache->store, s->pages[last], own, err);
        if (status != TTT_OK) {
            release_page(cache, own);
            return status;
        }
        release_page(cache, s->pages[last]);
        s->pages[last] = own;
    }
    for (int32_t i = old_pages; i < new_pages; i++) s->pages[i] = take_page(cache);
    s->length += count;
    return TTT_OK;
}

int32_t ttt_kv_cache_length(const ttt_kv_cache *cache, ttt_kv_sequence sequence) {
    return sequence_of(cache, sequence)->length;
}

const int32_t *ttt_kv_cache_pages(const ttt_kv_cache *cache, ttt_kv_sequence sequence, int32_t *count) {
    const cached_sequence *s = sequence_of(cache, sequence);
    *count = ttt_kv_pages(s->length);
    return s->pages;
}

int32_t ttt_kv_cache_free_pages(const ttt_kv_cache *cache) {
    return cache->free_count;
}

int32_t ttt_kv_cache_total_pages(const ttt_kv_cache *cache) {
    return cache->page_count;
}

ttt_kv *ttt_kv_cache_store(const ttt_kv_cache *cache) {
    return cache->store;
}

ttt_model *ttt_kv_cache_get_model(const ttt_kv_cache *cache) {
    return cache->model;
}
