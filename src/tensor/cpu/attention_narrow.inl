/* Forward for a strip of a few columns, which is what decoding brings: one row a sequence. Where a strip of 32 columns
 * lies along vector lanes, a few columns would leave most lanes empty; here the keys of a page lie along the lanes for
 * the scores, the numbers of a value for the sums, and neither is copied. Included by attention_avx512.c and
 * attention_avx2.c after attention_body.inl.
 *
 * Every number goes through the same roundings in the same order as in attention_body.inl: each score and each sum is a
 * chain of multiply-adds upward from 0 over the inner dimension, the total adds up pairs of keys upward. So a row
 * decoded alone has the bits that it has in a large batch. */

enum { NARROW_COLUMNS = 8, NARROW_GROUP = 4, NARROW_VECTORS = 4 };

/* Memory of a group of columns. */
typedef struct narrow_scratch {
    _Alignas(64) float queries[NARROW_GROUP][TTT_MAX_HEAD_DIM];
    _Alignas(64) float sum[NARROW_GROUP][TTT_MAX_HEAD_DIM];
    _Alignas(64) float weights[NARROW_GROUP][TTT_PAGE]; /* scores, then what softmax makes of them */
    _Alignas(64) float largest[VLEN], total[VLEN], shrink[VLEN];
    attention_strip strip;
} narrow_scratch;

_Static_assert(sizeof(narrow_scratch) <= sizeof(forward_scratch), "a strip's scratch holds either");
_Static_assert((int)NARROW_GROUP <= (int)VLEN, "statistics of a group fit a vector");

/* to [columns][vectors] += from [columns][inner] · page [inner][vectors]; steps are numbers from row to row. The same
 * rows of `next`, the page that follows, are fetched meanwhile: decoding reads every key once, so it waits for memory.
 */
ALWAYS_INLINE void narrow_multiply(const float *from, int from_step, const uint16_t *page, const uint16_t *next,
                                   int page_step, int first, int end, float *to, int to_step, int columns,
                                   int vectors) {
    vf sum[NARROW_GROUP][NARROW_VECTORS];
    for (int c = 0; c < columns; c++) {
        for (int v = 0; v < vectors; v++) sum[c][v] = vf_load(to + c * to_step + v * VLEN);
    }
    for (int k = first; k < end; k++) {
        vf right[NARROW_VECTORS];
        for (int v = 0; v < vectors; v += 32 / VLEN) _mm_prefetch(next + k * page_step + v * VLEN, _MM_HINT_T1);
        for (int v = 0; v < vectors; v++) right[v] = vf_load_bf16(page + k * page_step + v * VLEN);
        for (int c = 0; c < columns; c++) {
            const vf left = vf_set(from[c * from_step + k]);
            for (int v = 0; v < vectors; v++) sum[c][v] = vf_fma(left, right[v], sum[c][v]);
        }
    }
    for (int c = 0; c < columns; c++) {
        for (int v = 0; v < vectors; v++) vf_store(to + c * to_step + v * VLEN, sum[c][v]);
    }
}

/* Scores of one page become weights; m, l and O are brought up to date. `at`: first column of the group. */
ALWAYS_INLINE void narrow_softmax(narrow_scratch *s, int at, float scale, int32_t key, int32_t dim, int columns) {
    const vf factor = vf_set(scale);
    _Alignas(64) float top[VLEN] = {0};
    for (int c = 0; c < columns; c++) {
        const int32_t low = s->strip.column_low[at + c] - key, high = s->strip.column_high[at + c] - key;
        for (int32_t j = 0; j < TTT_PAGE && j < low; j++) s->weights[c][j] = -INFINITY;
        for (int32_t j = high < 0 ? 0 : high; j < TTT_PAGE; j++) s->weights[c][j] = -INFINITY;
        vf largest = vf_set(-INFINITY);
        for (int j = 0; j < TTT_PAGE; j += VLEN) largest = vf_max(vf_load(s->weights[c] + j), largest);
        top[c] = vf_largest(largest);
    }
    const vf old = vf_load(s->largest), new = vf_load(top) * factor;
    const lanes renew = lanes_greater(new, old + vf_set(RENEW_ABOVE));
    const vf shrink = vf_select(renew, vf_exp2(lanes_all(), old - new), vf_set(1.0f));
    vf_store(s->largest, vf_select(renew, new, old));
    vf_store(s->total, vf_load(s->total) * shrink);
    vf_store(s->shrink, shrink);
    for (int c = 0; c < columns; c++) {
        const vf largest = vf_set(s->largest[c]);
        for (int32_t d = 0; d < dim && lanes_any(renew); d += VLEN) {
            vf_store(s->sum[c] + d, vf_load(s->sum[c] + d) * vf_set(s->shrink[c]));
        }
        for (int j = 0; j < TTT_PAGE; j += VLEN) {
            vf_store(s->weights[c] + j, vf_exp2(lanes_all(), vf_fms(vf_load(s->weights[c] + j), factor, largest)));
        }
        for (int j = 0; j < TTT_PAGE; j += 2) s->total[c] += s->weights[c][j] + s->weights[c][j + 1];
    }
}

/* All pages for columns at, at + 1, ... of the strip, `columns` of them. */
ALWAYS_INLINE void narrow_pages(const attention_call *call, const attention_item *item, narrow_scratch *s, int at,
                                int columns) {
    enum { STEP = NARROW_VECTORS * VLEN };
    const attention_strip *strip = &s->strip;
    const int32_t *pages = call->batch->pages + call->batch->page_first[item->sequence];
    const int32_t dim = call->padded_dim;
    for (int32_t page = strip->low / TTT_PAGE; page * TTT_PAGE < strip->high; page++) {
        const size_t number = (size_t)pages[page] * (size_t)call->kv_heads + (size_t)item->kv_head;
        const uint16_t *keys = call->keys + number * TTT_PAGE * (size_t)dim;
        const uint16_t *values = call->values + number * TTT_PAGE * (size_t)dim;
        const int32_t following = (page + 1) * TTT_PAGE < strip->high ? page + 1 : page;
        const size_t ahead =
            ((size_t)pages[following] * (size_t)call->kv_heads + (size_t)item->kv_head) * TTT_PAGE * (size_t)dim;
        const int32_t low = strip->low - page * TTT_PAGE, high = strip->high - page * TTT_PAGE;
        const int32_t first = low < 0 ? 0 : low, end = high > TTT_PAGE ? TTT_PAGE : high;
        memset(s->weights, 0, sizeof s->weights);
        for (int j = 0; j < TTT_PAGE; j += STEP) {
            narrow_multiply(s->queries[0], TTT_MAX_HEAD_DIM, keys + j, call->keys + ahead + j, TTT_PAGE, 0, dim,
                            s->weights[0] + j, TTT_PAGE, columns, NARROW_VECTORS);
        }
        narrow_softmax(s, at, call->scale * LOG2_E, page * TTT_PAGE, dim, columns);
        int32_t d = 0;
        for (; d + STEP <= dim; d += STEP) {
            narrow_multiply(s->weights[0], TTT_PAGE, values + d, call->values + ahead + d, dim, first, end,
                            s->sum[0] + d, TTT_MAX_HEAD_DIM, columns, NARROW_VECTORS);
        }
        for (; d < dim; d += 2 * VLEN) {
            narrow_multiply(s->weights[0], TTT_PAGE, values + d, call->values + ahead + d, dim, first, end,
                            s->sum[0] + d, TTT_MAX_HEAD_DIM, columns, 2);
        }
    }
}

static void narrow_group(const attention_call *call, const attention_item *item, narrow_scratch *s, int at,
                         int columns) {
    memset(s->queries, 0, sizeof s->queries);
    memset(s->sum, 0, sizeof s->sum);
    for (int c = 0; c < VLEN; c++) {
        s->largest[c] = -INFINITY;
        s->total[c] = 0;
    }
    for (int c = 0; c < columns; c++) {
        const uint16_t *query = call->q + s->strip.offset[at + c];
        for (int32_t d = 0; d < call->dim; d++) s->queries[c][d] = ttt_bf16_to_float(query[d]);
    }
    switch (columns) {
    case 1: narrow_pages(call, item, s, at, 1); break;
    case 2: narrow_pages(call, item, s, at, 2); break;
    case 3: narrow_pages(call, item, s, at, 3); break;
    default: narrow_pages(call, item, s, at, NARROW_GROUP); break;
    }
    for (int c = 0; c < columns; c++) {
        write_row(call->out + s->strip.offset[at + c], s->sum[c],
                  finish_column(call, &s->strip, at + c, s->largest[c], s->total[c]), call->dim);
    }
}

static void forward_any(const attention_call *call, const attention_item *item, void *scratch) {
    if (item->columns > NARROW_COLUMNS) {
        forward(call, item, scratch);
        return;
    }
    narrow_scratch *s = scratch;
    ttt_attention_strip_set(&s->strip, call, item, item->first_column, item->columns);
    for (int at = 0; at < item->columns; at += NARROW_GROUP) {
        const int left = item->columns - at;
        narrow_group(call, item, s, at, left < NARROW_GROUP ? left : NARROW_GROUP);
    }
}
