/* Packing: whole sequences one after the other in one batch, each on pages of its own. */
#include "model/sequence.h"

#include "model/kv_cache.h"

#include <assert.h>
#include <string.h>

struct ttt_packing {
    int32_t max_tokens, max_sequences, axes, window;
    ttt_batch batch; /* its pointers are those below */
    int32_t *ids, *positions, *sequence, *index, *kv_low, *kv_high;
    int32_t *page_first, *pages;
    int32_t *segment_end, *segment_adapter;
    int32_t counted;
    int32_t *rows, *targets; /* [counted] */
    float *scales;           /* [counted] */
};

int32_t ttt_packing_pages(int32_t max_tokens, int32_t max_sequences) {
    /* Each sequence leaves less than one page unused; and none takes more pages than it has tokens. */
    const int64_t pages = (int64_t)max_tokens / TTT_PAGE + max_sequences;
    return (int32_t)(pages < max_tokens ? pages : max_tokens);
}

static bool take(ttt_packing *p) {
    const size_t tokens = (size_t)p->max_tokens, sequences = (size_t)p->max_sequences;
    const struct {
        int32_t **array;
        size_t count;
    } arrays[] = {{&p->ids, tokens},
                  {&p->positions, tokens * (size_t)p->axes},
                  {&p->sequence, tokens},
                  {&p->index, tokens},
                  {&p->kv_low, tokens},
                  {&p->kv_high, tokens},
                  {&p->page_first, sequences + 1},
                  {&p->pages, (size_t)ttt_packing_pages(p->max_tokens, p->max_sequences)},
                  {&p->segment_end, sequences},
                  {&p->segment_adapter, sequences},
                  {&p->rows, tokens},
                  {&p->targets, tokens}};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        *arrays[i].array = ttt_allocate(arrays[i].count, sizeof(int32_t));
        if (*arrays[i].array == NULL) return false;
    }
    p->scales = ttt_allocate(tokens, sizeof *p->scales);
    return p->scales != NULL;
}

ttt_status ttt_packing_new(int32_t max_tokens, int32_t max_sequences, int32_t axes, int32_t window,
                           ttt_packing **packing, ttt_error *err) {
    assert(max_tokens >= 1 && max_sequences >= 1 && axes >= 1 && axes <= TTT_MAX_AXES && window >= 0);
    ttt_packing *p = *packing = ttt_allocate(1, sizeof *p);
    if (p != NULL) {
        *p = (ttt_packing){.max_tokens = max_tokens, .max_sequences = max_sequences, .axes = axes, .window = window};
        if (take(p)) {
            p->batch = (ttt_batch){.ids = p->ids,
                                   .positions = p->positions,
                                   .sequence = p->sequence,
                                   .index = p->index,
                                   .kv_low = p->kv_low,
                                   .kv_high = p->kv_high,
                                   .page_first = p->page_first,
                                   .pages = p->pages,
                                   .segment_end = p->segment_end,
                                   .segment_adapter = p->segment_adapter};
            return TTT_OK;
        }
    }
    ttt_packing_free(p);
    *packing = NULL;
    return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for packing %d tokens", max_tokens);
}

void ttt_packing_free(ttt_packing *p) {
    if (p == NULL) return;
    int32_t *const arrays[] = {p->ids,        p->positions, p->sequence,    p->index,           p->kv_low, p->kv_high,
                               p->page_first, p->pages,     p->segment_end, p->segment_adapter, p->rows,   p->targets};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ttt_free(arrays[i]);
    ttt_free(p->scales);
    ttt_free(p);
}

void ttt_packing_clear(ttt_packing *packing) {
    packing->batch.tokens = packing->batch.sequences = packing->batch.segments = packing->counted = 0;
}

bool ttt_packing_fits(const ttt_packing *packing, const ttt_sequence *sequence) {
    return packing->batch.sequences < packing->max_sequences &&
           sequence->length <= packing->max_tokens - packing->batch.tokens;
}

/* The rows from `first` on use `adapter`; neighbouring sequences of one adapter share a segment. */
static void extend_segment(ttt_packing *p, int32_t adapter) {
    ttt_batch *batch = &p->batch;
    if (batch->segments == 0 || p->segment_adapter[batch->segments - 1] != adapter) {
        p->segment_adapter[batch->segments++] = adapter;
    }
    p->segment_end[batch->segments - 1] = batch->tokens;
}

void ttt_packing_add(ttt_packing *p, const ttt_sequence *sequence, int32_t adapter, float scale) {
    assert(ttt_packing_fits(p, sequence) && sequence->axes == p->axes && sequence->length > 0);
    ttt_batch *batch = &p->batch;
    const int32_t first = batch->tokens, s = batch->sequences, length = sequence->length;
    memcpy(p->ids + first, sequence->ids, (size_t)length * sizeof *p->ids);
    memcpy(p->positions + (size_t)first * (size_t)p->axes, sequence->positions,
           (size_t)length * (size_t)p->axes * sizeof *p->positions);
    memcpy(p->kv_high + first, sequence->kv_high, (size_t)length * sizeof *p->kv_high);
    for (int32_t t = 0; t < length; t++) {
        assert(sequence->kv_high[t] > t && sequence->kv_high[t] <= length);
        p->sequence[first + t] = s;
        p->index[first + t] = t;
        p->kv_low[first + t] = ttt_window_low(p->window, t);
        if (sequence->targets[t] < 0) continue;
        p->rows[p->counted] = first + t;
        p->targets[p->counted] = sequence->targets[t];
        p->scales[p->counted++] = scale;
    }
    const int32_t page = p->page_first[s];
    for (int32_t i = 0; i < ttt_kv_pages(length); i++) p->pages[page + i] = page + i;
    p->page_first[s + 1] = page + ttt_kv_pages(length);
    batch->sequences++;
    batch->tokens += length;
    extend_segment(p, adapter);
}

const ttt_batch *ttt_packing_batch(const ttt_packing *packing) {
    return &packing->batch;
}

int32_t ttt_packing_counted(const ttt_packing *packing, const int32_t **rows, const int32_t **targets, float **scales) {
    *rows = packing->rows;
    *targets = packing->targets;
    *scales = packing->scales;
    return packing->counted;
}
