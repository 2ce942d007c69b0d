/* Batches over the key/value cache. */
#include "model/cached_batch.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>

ttt_status ttt_cached_batch_init(ttt_cached_batch *b, ttt_session *session, ttt_kv_cache *cache, ttt_error *err) {
    const ttt_model_config *config = ttt_model_get_config(session->model);
    assert(ttt_kv_cache_get_model(cache) == session->model);
    *b = (ttt_cached_batch){.session = session,
                            .cache = cache,
                            .vocabulary = config->vocabulary,
                            .axes = config->axes,
                            .window = config->window};
    const size_t tokens = (size_t)session->options.max_tokens, sequences = (size_t)session->options.max_sequences;
    size_t pages;
    const bool countable = ttt_size_multiply(sequences, (size_t)ttt_kv_cache_total_pages(cache), &pages);
    const struct {
        int32_t **array;
        size_t count;
    } arrays[] = {{&b->ids, tokens},
                  {&b->positions, tokens * (size_t)b->axes},
                  {&b->sequence, tokens},
                  {&b->index, tokens},
                  {&b->kv_low, tokens},
                  {&b->kv_high, tokens},
                  {&b->page_first, sequences + 1},
                  {&b->pages, countable ? pages : SIZE_MAX}};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        *arrays[i].array = ttt_allocate(arrays[i].count, sizeof(int32_t));
        if (*arrays[i].array == NULL) {
            ttt_cached_batch_release(b);
            return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for batches of %zu tokens", tokens);
        }
    }
    b->batch = (ttt_batch){.ids = b->ids,
                           .positions = b->positions,
                           .sequence = b->sequence,
                           .index = b->index,
                           .kv_low = b->kv_low,
                           .kv_high = b->kv_high,
                           .page_first = b->page_first,
                           .pages = b->pages,
                           .segment_end = &b->segment_end,
                           .segment_adapter = &b->segment_adapter};
    return TTT_OK;
}

void ttt_cached_batch_release(ttt_cached_batch *b) {
    int32_t *const arrays[] = {b->ids,    b->positions, b->sequence,   b->index,
                               b->kv_low, b->kv_high,   b->page_first, b->pages};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ttt_free(arrays[i]);
    *b = (ttt_cached_batch){0};
}

void ttt_cached_batch_clear(ttt_cached_batch *b) {
    b->batch.tokens = b->batch.sequences = 0;
}

int32_t ttt_cached_batch_room(const ttt_cached_batch *b) {
    if (b->batch.sequences == b->session->options.max_sequences) return 0;
    return b->session->options.max_tokens - b->batch.tokens;
}

ttt_status ttt_cached_batch_add(ttt_cached_batch *b, ttt_kv_sequence handle, const ttt_sequence *tokens, int32_t first,
                                int32_t end, int32_t base, ttt_error *err) {
    const int32_t count = end - first, row = b->batch.tokens, s = b->batch.sequences;
    assert(count > 0 && count <= ttt_cached_batch_room(b) && tokens->axes == b->axes);
    assert(ttt_kv_cache_length(b->cache, handle) == base + first);
    TTT_TRY(ttt_kv_cache_extend(b->cache, handle, count, err));
    memcpy(b->ids + row, tokens->ids + first, (size_t)count * sizeof *b->ids);
    memcpy(b->positions + (size_t)row * (size_t)b->axes, tokens->positions + (size_t)first * (size_t)b->axes,
           (size_t)count * (size_t)b->axes * sizeof *b->positions);
    for (int32_t i = 0; i < count; i++) {
        b->sequence[row + i] = s;
        b->index[row + i] = base + first + i;
        b->kv_low[row + i] = ttt_window_low(b->window, b->index[row + i]);
        b->kv_high[row + i] = base + tokens->kv_high[first + i];
        assert(b->kv_high[row + i] <= base + end);
    }
    int32_t page_count;
    const int32_t *pages = ttt_kv_cache_pages(b->cache, handle, &page_count);
    memcpy(b->pages + b->page_first[s], pages, (size_t)page_count * sizeof *pages);
    b->page_first[s + 1] = b->page_first[s] + page_count;
    b->batch.tokens += count;
    b->batch.sequences++;
    return TTT_OK;
}

ttt_status ttt_cached_batch_run(ttt_cached_batch *b, ttt_buffer **final, ttt_error *err) {
    b->batch.segments = b->session->adapter_count > 0 ? 1 : 0;
    b->segment_end = b->batch.tokens;
    b->segment_adapter = 0;
    return ttt_forward(&b->session->network, b->session->activations, &b->batch, ttt_kv_cache_store(b->cache), final,
                       err);
}

int32_t ttt_piece_end(const ttt_sequence *tokens, int32_t first, int32_t room) {
    int32_t highest = first, end = first;
    const int32_t limit = room < tokens->length - first ? first + room : tokens->length;
    for (int32_t t = first; t < limit; t++) {
        if (tokens->kv_high[t] > highest) highest = tokens->kv_high[t];
        if (highest <= t + 1) end = t + 1;
    }
    return end;
}

ttt_status ttt_check_tokens(const ttt_session *session, const ttt_sequence *tokens, const char *what, ttt_error *err) {
    const ttt_model_config *config = ttt_model_get_config(session->model);
    if (tokens->length > 0 && tokens->axes != config->axes) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "%s has positions on %d axes, the model has %d", what, tokens->axes,
                        config->axes);
    }
    for (int32_t t = 0; t < tokens->length; t++) {
        if (tokens->ids[t] < 0 || tokens->ids[t] >= config->vocabulary) {
            return ttt_fail(err, TTT_ERROR_ARGUMENT, "token %d of %s has id %d, but the vocabulary has %d", t, what,
                            tokens->ids[t], config->vocabulary);
        }
    }
    return TTT_OK;
}
