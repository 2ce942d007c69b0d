/* The algorithm of attention, forward and backward, written once and compiled per instruction set: included at the
 * end of attention_amx.c, attention_avx512.c and attention_avx2.c, which define before
 *   - the vectors of attention_lanes.h,
 *   - `form`: the number type of the operands of products (bf16 for AMX, float32 for vectors), and the functions that
 *     this file calls as pack_..., product_..., put_..., write_..., open_... and prepare_page (described where they are
 *     defined: attention_amx.c, attention_vector.inl), PREPARED_PAGES and KEY_GRAIN.
 *
 * Forward, one strip of 32 columns at a time (Dao et al., "FlashAttention", 2022, transposed):
 *     for every page:  Sᵀ = K·Qᵀ;  m = running maximum;  Pᵀ = 2^(Sᵀ·scale - m);  l += column sums;  Oᵀ += Vᵀ·Pᵀ
 * Everything is in powers of two: scale = log2(e)/√D. The maximum is only renewed when it grows by more than
 * RENEW_ABOVE (a weight may then reach 2^RENEW_ABOVE, which costs no precision), because renewing rescales Oᵀ; the
 * decision is made lane by lane, so it does not depend on the strip either.
 *
 * Backward, all columns of one (sequence, kv head), so that nobody else touches its dk and dv:
 *     for every block of columns, for every page:
 *         Pᵀ = 2^(Sᵀ·scale - lse);  dPᵀ = V·dOᵀ - delta;  dSᵀ = Pᵀ∘dPᵀ
 *         dQᵀ += Kᵀ·dSᵀ;  dV += Pᵀ·dO;  dK += dSᵀ·Q
 * with delta = sum of dO∘O over a row. The 1/√D of dS is applied when dQ and dK are written. */

#define LOG2_E 1.44269504088896341f
#define RENEW_ABOVE 8.0f

/* Memory of one strip in forward. */
typedef struct forward_scratch {
    _Alignas(64) float scores[TTT_PAGE * ATTENTION_STRIP]; /* Sᵀ [64][32] */
    _Alignas(64) form weights[TTT_PAGE * ATTENTION_STRIP]; /* Pᵀ as an operand */
    _Alignas(64) float largest[ATTENTION_STRIP];           /* m, in powers of two */
    _Alignas(64) float total[ATTENTION_STRIP];             /* l */
    _Alignas(64) float factor[ATTENTION_STRIP];
    attention_strip strip;
    _Alignas(64) float sum[ATTENTION_FORM];              /* Oᵀ [padded_dim][32] */
    _Alignas(64) form queries[ATTENTION_FORM];           /* Qᵀ as an operand */
    _Alignas(64) form page[TTT_PAGE * TTT_MAX_HEAD_DIM]; /* room for a page as an operand */
} forward_scratch;

/* How many keys of a page that begins at `key` a product must take so that those below `high` are in. */
static inline int keys_below(int32_t high, int32_t key) {
    const int32_t keys = (high - key + KEY_GRAIN - 1) / KEY_GRAIN * KEY_GRAIN;
    return keys < TTT_PAGE ? keys : TTT_PAGE;
}

/* Pᵀ of one page, with m, l and Oᵀ brought up to date. `key` is the page's first; the first
 * `keys` are looked at. */
ALWAYS_INLINE void softmax_page(forward_scratch *s, int32_t dim, float scale, int32_t key, int keys, int vectors,
                                bool masked) {
    vf top[ATTENTION_STRIP / VLEN], sum[ATTENTION_STRIP / VLEN];
    const int32_t *low = s->strip.column_low, *high = s->strip.column_high;
    for (int v = 0; v < vectors; v++) top[v] = vf_set(-INFINITY);
    for (int r = 0; r < keys; r++) {
        for (int v = 0; v < vectors; v++) {
            vf score = vf_load(s->scores + r * ATTENTION_STRIP + v * VLEN);
            if (masked) {
                lanes seen = lanes_in_range(low + v * VLEN, high + v * VLEN, key + r);
                score = vf_select(seen, score, vf_set(-INFINITY));
            }
            top[v] = vf_max(score, top[v]);
        }
    }
    const vf factor = vf_set(scale);
    bool renewed = false;
    for (int v = 0; v < vectors; v++) {
        vf old = vf_load(s->largest + v * VLEN), new = top[v] * factor;
        lanes renew = lanes_greater(new, old + vf_set(RENEW_ABOVE));
        vf shrink = vf_select(renew, vf_exp2(lanes_all(), old - new), vf_set(1.0f));
        top[v] = vf_select(renew, new, old);
        sum[v] = vf_load(s->total + v * VLEN) * shrink;
        vf_store(s->largest + v * VLEN, top[v]);
        vf_store(s->factor + v * VLEN, shrink);
        renewed |= lanes_any(renew);
    }
    if (renewed) {
        for (int32_t d = 0; d < dim; d++) {
            for (int v = 0; v < vectors; v++) {
                float *at = s->sum + d * ATTENTION_STRIP + v * VLEN;
                vf_store(at, vf_load(at) * vf_load(s->factor + v * VLEN));
            }
        }
    }
    for (int r = 0; r < keys; r += 2) {
        vf even[ATTENTION_STRIP / VLEN], odd[ATTENTION_STRIP / VLEN];
        for (int v = 0; v < vectors; v++) {
            const float *at = s->scores + r * ATTENTION_STRIP + v * VLEN;
            lanes first = lanes_all(), second = lanes_all();
            if (masked) {
                first = lanes_in_range(low + v * VLEN, high + v * VLEN, key + r);
                second = lanes_in_range(low + v * VLEN, high + v * VLEN, key + r + 1);
            }
            even[v] = vf_exp2(first, vf_fms(vf_load(at), factor, top[v]));
            odd[v] = vf_exp2(second, vf_fms(vf_load(at + ATTENTION_STRIP), factor, top[v]));
            sum[v] += even[v] + odd[v];
        }
        put_weights(s->weights, r, even, odd, vectors);
    }
    for (int v = 0; v < vectors; v++) vf_store(s->total + v * VLEN, sum[v]);
}

/* One page against one strip. `at`: where the page lies in the store's layer. */
ALWAYS_INLINE void forward_page(const attention_call *call, forward_scratch *s, size_t at, int32_t key, int keys,
                                int vectors, bool masked) {
    const int32_t dim = call->padded_dim, low = s->strip.low - key, high = s->strip.high - key;
    product_scores(open_keys(s->page, call->keys + at, dim), s->queries, NULL, s->scores, dim, keys, vectors);
    softmax_page(s, dim, call->scale * LOG2_E, key, keys, vectors, masked);
    /* Keys that no column sees may never have been written, and whatever lies there (a NaN of earlier use) must not
     * pass through a weight of zero. */
    product_sums(open_values(s->page, call->values + at, dim, low, high), s->weights, s->sum, dim, keys, vectors);
}

ALWAYS_INLINE void forward_pages(const attention_call *call, const attention_item *item, forward_scratch *s,
                                 int vectors) {
    const attention_strip *strip = &s->strip;
    const int32_t *pages = call->batch->pages + call->batch->page_first[item->sequence];
    const size_t page_size = (size_t)TTT_PAGE * (size_t)call->padded_dim;
    for (int32_t page = strip->low / TTT_PAGE; page * TTT_PAGE < strip->high; page++) {
        const size_t at = ((size_t)pages[page] * (size_t)call->kv_heads + (size_t)item->kv_head) * page_size;
        const int32_t key = page * TTT_PAGE;
        if (strip->inner_low <= key && key + TTT_PAGE <= strip->inner_high) {
            forward_page(call, s, at, key, TTT_PAGE, vectors, false);
        } else {
            forward_page(call, s, at, key, keys_below(strip->high, key), vectors, true);
        }
    }
}

/* Writes lse of column c, if wanted; returns what its sum is to be multiplied with. */
static float finish_column(const attention_call *call, const attention_strip *strip, int c, float largest,
                           float total) {
    if (call->lse != NULL) call->lse[strip->number[c]] = (largest + log2f(total)) / LOG2_E;
    return 1.0f / total;
}

static void forward(const attention_call *call, const attention_item *item, void *scratch) {
    forward_scratch *s = scratch;
    ttt_attention_strip_set(&s->strip, call, item, item->first_column, item->columns);
    pack_columns(s->queries, call->q, &s->strip, call->dim, call->padded_dim);
    memset(s->sum, 0, sizeof(float) * ATTENTION_STRIP * (size_t)call->padded_dim);
    for (int c = 0; c < ATTENTION_STRIP; c++) {
        s->largest[c] = -INFINITY;
        s->total[c] = 0;
    }
    if (item->columns <= ATTENTION_STRIP / 2) {
        forward_pages(call, item, s, ATTENTION_STRIP / 2 / VLEN);
    } else {
        forward_pages(call, item, s, ATTENTION_STRIP / VLEN);
    }
    for (int c = 0; c < item->columns; c++) {
        s->factor[c] = finish_column(call, &s->strip, c, s->largest[c], s->total[c]);
    }
    write_columns(call->out, &s->strip, s->sum, s->factor, call->dim, false);
}

static size_t forward_bytes(int32_t padded_dim) {
    (void)padded_dim;
    return sizeof(forward_scratch);
}

/* ---------------------------------------------------------------------------------------------------- backward */

/* What backward keeps of a strip while its block of columns walks over the pages. */
typedef struct gradient_strip {
    attention_strip strip;
    _Alignas(64) float lse[ATTENTION_STRIP];   /* in powers of two */
    _Alignas(64) float delta[ATTENTION_STRIP]; /* negative: what dPᵀ starts from */
    bool active;                               /* sees something of the present page */
} gradient_strip;

/* Pointers into the thread's scratch. */
typedef struct backward_scratch {
    gradient_strip *strips;           /* [ATTENTION_STRIPS] */
    float *scores, *dscores;          /* Sᵀ and dPᵀ of one strip and page [64][32] */
    form *queries, *gradients;        /* [strips] Qᵀ and dOᵀ, operands of the scores */
    form *query_rows, *gradient_rows; /* [strips] Q and dO, operands of dK and dV */
    form *weights, *dweights;         /* [strips] Pᵀ and dSᵀ, operands of dV and dK */
    form *dweights_right;             /* dSᵀ of one strip, the operand of dQᵀ */
    float *dq;                        /* [strips] dQᵀ [padded_dim][32] */
    form *room;                       /* of two pages as operands */
    uint16_t *prepared;               /* [pages][PREPARED_PAGES] what prepare_page makes of a page */
    float *dk, *dv;                   /* [pages] [64][padded_dim] */
} backward_scratch;

/* The next `bytes` of `base`, or nothing where only the size is asked for (base NULL). */
static void *carve(char *base, size_t *used, size_t bytes) {
    void *at = base == NULL ? NULL : base + *used;
    *used += (bytes + 63) / 64 * 64;
    return at;
}

/* Lays the scratch out from `base` on and returns its size; with base NULL only that. */
static size_t backward_layout(backward_scratch *s, char *base, int32_t padded_dim, int32_t pages) {
    const size_t strip = ATTENTION_STRIP, tile = TTT_PAGE * strip, operand = strip * (size_t)padded_dim;
    const size_t store = (size_t)pages * TTT_PAGE * (size_t)padded_dim;
    size_t at = 0;
    s->strips = carve(base, &at, ATTENTION_STRIPS * sizeof *s->strips);
    s->scores = carve(base, &at, tile * sizeof(float));
    s->dscores = carve(base, &at, tile * sizeof(float));
    s->dweights_right = carve(base, &at, tile * sizeof(form));
    s->weights = carve(base, &at, ATTENTION_STRIPS * tile * sizeof(form));
    s->dweights = carve(base, &at, ATTENTION_STRIPS * tile * sizeof(form));
    s->queries = carve(base, &at, ATTENTION_STRIPS * operand * sizeof(form));
    s->gradients = carve(base, &at, ATTENTION_STRIPS * operand * sizeof(form));
    s->query_rows = carve(base, &at, ATTENTION_STRIPS * operand * sizeof(form));
    s->gradient_rows = carve(base, &at, ATTENTION_STRIPS * operand * sizeof(form));
    s->dq = carve(base, &at, ATTENTION_STRIPS * operand * sizeof(float));
    s->dk = carve(base, &at, store * sizeof(float));
    s->dv = carve(base, &at, store * sizeof(float));
    s->room = carve(base, &at, 2 * TTT_PAGE * (size_t)padded_dim * sizeof(form));
    s->prepared = carve(base, &at, PREPARED_PAGES * store * sizeof(uint16_t));
    return at;
}

static size_t backward_bytes(int32_t padded_dim, int32_t pages) {
    backward_scratch unused;
    return backward_layout(&unused, NULL, padded_dim, pages);
}

/* -delta of one column. */
static float negative_delta(const uint16_t *o, const uint16_t *d_o, int32_t dim) {
    vf lane_sums = vf_zero();
    int32_t d = 0;
    for (; d + VLEN <= dim; d += VLEN) lane_sums = vf_fma(vf_load_bf16(o + d), vf_load_bf16(d_o + d), lane_sums);
    float sum = vf_sum(lane_sums);
    for (; d < dim; d++) sum += ttt_bf16_to_float(o[d]) * ttt_bf16_to_float(d_o[d]);
    return -sum;
}

static void gradient_strip_begin(const attention_call *call, const attention_item *item, const backward_scratch *s,
                                 int number, int32_t first_column) {
    const int32_t left = item->columns - first_column, dim = call->dim;
    gradient_strip *g = s->strips + number;
    const size_t at = (size_t)number * ATTENTION_STRIP * (size_t)call->padded_dim;
    ttt_attention_strip_set(&g->strip, call, item, first_column, left < ATTENTION_STRIP ? left : ATTENTION_STRIP);
    pack_columns(s->queries + at, call->q, &g->strip, dim, call->padded_dim);
    pack_columns(s->gradients + at, call->d_o, &g->strip, dim, call->padded_dim);
    pack_rows(s->query_rows + at, call->q, &g->strip, dim, call->padded_dim);
    pack_rows(s->gradient_rows + at, call->d_o, &g->strip, dim, call->padded_dim);
    memset(s->dq + at, 0, ATTENTION_STRIP * (size_t)call->padded_dim * sizeof(float));
    for (int c = 0; c < ATTENTION_STRIP; c++) {
        const bool real = c < g->strip.columns;
        g->lse[c] = real ? call->lse[g->strip.number[c]] * LOG2_E : 0;
        g->delta[c] = real ? negative_delta(call->o + g->strip.offset[c], call->d_o + g->strip.offset[c], dim) : 0;
    }
}

/* Pᵀ and dSᵀ of one page and strip, from Sᵀ and dPᵀ; of its first `keys`. */
ALWAYS_INLINE void gradient_page(const gradient_strip *g, const backward_scratch *s, form *weights, form *dweights,
                                 float scale, int32_t key, int keys, bool masked) {
    enum { VECTORS = ATTENTION_STRIP / VLEN };
    const vf factor = vf_set(scale);
    const int32_t *low = g->strip.column_low, *high = g->strip.column_high;
    for (int r = 0; r < keys; r += 2) {
        vf p[2][VECTORS], ds[2][VECTORS];
        for (int i = 0; i < 2; i++) {
            for (int v = 0; v < VECTORS; v++) {
                const int at = (r + i) * ATTENTION_STRIP + v * VLEN;
                lanes seen = lanes_all();
                if (masked) seen = lanes_in_range(low + v * VLEN, high + v * VLEN, key + r + i);
                p[i][v] = vf_exp2(seen, vf_fms(vf_load(s->scores + at), factor, vf_load(g->lse + v * VLEN)));
                ds[i][v] = p[i][v] * vf_load(s->dscores + at);
            }
        }
        put_gradients(weights, dweights, s->dweights_right, r, p, ds);
    }
}

/* One page against one strip: its Pᵀ and dSᵀ, and dQᵀ. */
ALWAYS_INLINE void backward_page(const attention_call *call, const backward_scratch *s, int number, int32_t key,
                                 int keys, const open_pages *page, bool masked) {
    enum { VECTORS = ATTENTION_STRIP / VLEN };
    const gradient_strip *g = s->strips + number;
    const int32_t dim = call->padded_dim;
    const size_t at = (size_t)number * ATTENTION_STRIP * (size_t)dim;
    form *weights = s->weights + number * TTT_PAGE * ATTENTION_STRIP;
    form *dweights = s->dweights + number * TTT_PAGE * ATTENTION_STRIP;
    product_scores(page->keys, s->queries + at, NULL, s->scores, dim, keys, VECTORS);
    product_dscores(page->values, s->gradients + at, g->delta, s->dscores, dim, keys, VECTORS);
    gradient_page(g, s, weights, dweights, call->scale * LOG2_E, key, keys, masked);
    product_dqueries(page->keys_right, right_operand(s->dweights_right, dweights), s->dq + at, dim, keys, VECTORS);
}

/* The same where the strip sees all of the page, part of it, or nothing. Weights of keys beyond those it sees, up to
 * `keys`, become zeros. */
static void backward_strip(const attention_call *call, const backward_scratch *s, int number, int32_t key, int keys,
                           const open_pages *page) {
    const attention_strip *strip = &s->strips[number].strip;
    int done = 0;
    if (strip->inner_low <= key && key + TTT_PAGE <= strip->inner_high) {
        done = TTT_PAGE;
        backward_page(call, s, number, key, TTT_PAGE, page, false);
    } else if (s->strips[number].active) {
        done = keys_below(strip->high, key);
        backward_page(call, s, number, key, done, page, true);
    }
    if (done >= keys) return;
    const size_t at = ((size_t)number * TTT_PAGE + (size_t)done) * ATTENTION_STRIP;
    memset(s->weights + at, 0, (size_t)(keys - done) * ATTENTION_STRIP * sizeof(form));
    memset(s->dweights + at, 0, (size_t)(keys - done) * ATTENTION_STRIP * sizeof(form));
}

/* All pages against one block of columns. */
static void backward_block(const attention_call *call, const attention_item *unit, const backward_scratch *s,
                           int32_t first_column) {
    const int32_t *pages = call->batch->pages + call->batch->page_first[unit->sequence];
    const size_t dim = (size_t)call->padded_dim, tile = TTT_PAGE * ATTENTION_STRIP, operand = ATTENTION_STRIP * dim;
    const int32_t rows = unit->columns / call->group; /* all keys that have been written */
    int strips = 0;
    int32_t low = INT32_MAX, high = 0;
    for (int32_t c = first_column; strips < ATTENTION_STRIPS && c < unit->columns; c += ATTENTION_STRIP, strips++) {
        gradient_strip_begin(call, unit, s, strips, c);
        if (s->strips[strips].strip.low < low) low = s->strips[strips].strip.low;
        if (s->strips[strips].strip.high > high) high = s->strips[strips].strip.high;
    }
    for (int32_t page = low / TTT_PAGE; page * TTT_PAGE < high; page++) {
        const size_t page_at = (size_t)page * TTT_PAGE * dim;
        const size_t keys_at = ((size_t)pages[page] * (size_t)call->kv_heads + (size_t)unit->kv_head) * TTT_PAGE * dim;
        const int32_t key = page * TTT_PAGE;
        int first = strips, end = 0, keys = 0;
        for (int i = 0; i < strips; i++) {
            const attention_strip *strip = &s->strips[i].strip;
            s->strips[i].active = strip->low < key + TTT_PAGE && key < strip->high;
            if (!s->strips[i].active) continue;
            first = first < i ? first : i;
            end = i + 1;
            keys = keys > keys_below(strip->high, key) ? keys : keys_below(strip->high, key);
        }
        if (first >= end) continue;
        const open_pages open = open_both(s->room, call->keys + keys_at, call->values + keys_at,
                                          s->prepared + PREPARED_PAGES * page_at, call->padded_dim, rows - key);
        for (int i = first; i < end; i++) backward_strip(call, s, i, key, keys, &open);
        product_rows(s->weights + first * tile, s->gradient_rows + first * operand, end - first, s->dv + page_at,
                     call->padded_dim, keys);
        product_rows(s->dweights + first * tile, s->query_rows + first * operand, end - first, s->dk + page_at,
                     call->padded_dim, keys);
    }
    float factor[ATTENTION_STRIP];
    for (int c = 0; c < ATTENTION_STRIP; c++) factor[c] = call->scale;
    for (int i = 0; i < strips; i++) {
        write_columns(call->dq, &s->strips[i].strip, s->dq + (size_t)i * operand, factor, call->dim, true);
    }
}

static void backward(const attention_call *call, const attention_item *unit, void *scratch) {
    const int32_t rows = unit->columns / call->group, dim = call->padded_dim;
    const int32_t *pages = call->batch->pages + call->batch->page_first[unit->sequence];
    const int32_t page_count = (rows + TTT_PAGE - 1) / TTT_PAGE;
    const size_t page_size = (size_t)TTT_PAGE * (size_t)dim;
    backward_scratch s;
    backward_layout(&s, scratch, dim, page_count);
    memset(s.dk, 0, (size_t)page_count * page_size * sizeof(float));
    memset(s.dv, 0, (size_t)page_count * page_size * sizeof(float));
    for (int32_t p = 0; p < page_count; p++) {
        const size_t at = ((size_t)pages[p] * (size_t)call->kv_heads + (size_t)unit->kv_head) * page_size;
        prepare_page(s.prepared + PREPARED_PAGES * (size_t)p * page_size, call->keys + at, call->values + at, dim,
                     rows - p * TTT_PAGE);
    }
    for (int32_t c = 0; c < unit->columns; c += ATTENTION_BLOCK) backward_block(call, unit, &s, c);
    for (int32_t row = unit->first_row; row < unit->first_row + rows; row++) {
        const size_t from = (size_t)call->batch->index[row] * (size_t)dim;
        const size_t to = (size_t)row * call->kv_stride + (size_t)unit->kv_head * (size_t)call->dim;
        write_row(call->dk + to, s.dk + from, call->scale, call->dim);
        write_row(call->dv + to, s.dv + from, 1.0f, call->dim);
    }
}
