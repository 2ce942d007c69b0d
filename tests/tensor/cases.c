/* The table of operation cases; see cases.h. */
#include "tensor/cases.h"

#include "base/random.h"

#include <assert.h>
#include <math.h>

#define SIZES(c, h, g, d, f, v) .width = c, .heads = h, .kv_heads = g, .head_dim = d, .hidden = f, .vocabulary = v

/* Widths, hidden widths, vocabularies and ranks that are no multiples of 16 or 32 meet lengths around the page of 64;
 * query heads per key head 1 to 4 and 40; head dimensions 8, 10, 14, 16, 24, 32, 64, 128, 256. */
const op_case op_cases[] = {
    {.name = "one_token", SIZES(16, 1, 1, 16, 32, 16), .axes = 1, .lengths = {1}, .full = true, .count_every = 1},
    {.name = "two_tokens", SIZES(24, 3, 1, 8, 40, 11), .axes = 1, .lengths = {2}, .full = true, .count_every = 1},
    {.name = "three_tokens", SIZES(40, 2, 2, 16, 24, 33), .axes = 2, .lengths = {3}, .full = true, .count_every = 2},
    {.name = "short_sequences",
     SIZES(96, 6, 2, 64, 136, 16),
     .axes = 3,
     .lengths = {1, 2, 3, 1, 7},
     .full = true,
     .count_every = 1},
    {.name = "below_page",
     SIZES(48, 2, 1, 32, 80, 16),
     .axes = 3,
     .lengths = {63},
     .full = true,
     .tied = true,
     .count_every = 1},
    {.name = "page", SIZES(48, 4, 4, 8, 72, 17), .axes = 1, .lengths = {64}, .full = true, .count_every = 3},
    {.name = "above_page",
     SIZES(56, 3, 1, 16, 88, 16),
     .axes = 1,
     .lengths = {65},
     .mask = MASK_BLOCKS,
     .full = true,
     .count_every = 1},
    {.name = "look_ahead",
     SIZES(64, 6, 2, 64, 96, 16),
     .axes = 3,
     .lengths = {130},
     .mask = MASK_BLOCKS,
     .full = true,
     .count_every = 2},
    {.name = "window",
     SIZES(32, 2, 1, 64, 64, 16),
     .axes = 1,
     .lengths = {200},
     .mask = MASK_WINDOW,
     .full = true,
     .count_every = 1},
    {.name = "any_range",
     SIZES(64, 3, 3, 64, 48, 16),
     .axes = 1,
     .lengths = {200},
     .mask = MASK_RANDOM,
     .full = true,
     .count_every = 1},
    {.name = "packed_any_range",
     SIZES(80, 6, 2, 16, 112, 29),
     .axes = 3,
     .lengths = {63, 64, 65, 1},
     .mask = MASK_RANDOM,
     .adapters = ADAPTERS_SEVERAL,
     .rank = 5,
     .full = true,
     .count_every = 5},
    {.name = "one_adapter",
     SIZES(64, 4, 2, 16, 128, 32),
     .axes = 1,
     .lengths = {40, 33},
     .adapters = ADAPTERS_ONE,
     .rank = 16,
     .count_every = 1},
    {.name = "several_adapters",
     SIZES(72, 3, 1, 8, 100, 37),
     .axes = 1,
     .lengths = {5, 64, 31},
     .mask = MASK_BLOCKS,
     .adapters = ADAPTERS_SEVERAL,
     .rank = 3,
     .count_every = 4},
    {.name = "rank_one",
     SIZES(32, 2, 2, 16, 48, 16),
     .axes = 1,
     .lengths = {19},
     .adapters = ADAPTERS_SEVERAL,
     .rank = 1,
     .count_every = 1},
    {.name = "tied_vocabulary",
     SIZES(72, 2, 1, 64, 52, 300),
     .axes = 1,
     .lengths = {17, 50},
     .mask = MASK_WINDOW,
     .adapters = ADAPTERS_ONE,
     .rank = 33,
     .full = true,
     .tied = true,
     .count_every = 3},
    {.name = "wide_head", SIZES(136, 2, 1, 128, 200, 1000), .axes = 1, .lengths = {70}, .full = true, .count_every = 7},
    {.name = "largest_head", SIZES(64, 2, 1, 256, 96, 16), .axes = 1, .lengths = {66}, .full = true, .count_every = 1},
    {.name = "uneven_head",
     SIZES(48, 2, 1, 10, 64, 16),
     .axes = 1,
     .lengths = {66, 5},
     .mask = MASK_BLOCKS,
     .full = true,
     .count_every = 1},
    {.name = "many_heads_to_a_key",
     SIZES(48, 40, 1, 8, 64, 16),
     .axes = 1,
     .lengths = {67},
     .mask = MASK_RANDOM,
     .full = true,
     .count_every = 1},
    {.name = "bias",
     SIZES(40, 3, 1, 10, 56, 19),
     .axes = 1,
     .lengths = {33, 66},
     .mask = MASK_WINDOW,
     .adapters = ADAPTERS_SEVERAL,
     .rank = 4,
     .bias = true,
     .full = true,
     .count_every = 2},
    {.name = "bias_adapter",
     SIZES(56, 4, 2, 32, 72, 21),
     .axes = 1,
     .lengths = {70},
     .adapters = ADAPTERS_ONE,
     .rank = 8,
     .bias = true,
     .count_every = 1},
    {.name = "head_norm",
     SIZES(48, 6, 2, 14, 64, 23),
     .axes = 1,
     .lengths = {5, 67, 26},
     .mask = MASK_BLOCKS,
     .qk_norm = true,
     .full = true,
     .count_every = 1},
    {.name = "head_norm_adapters",
     SIZES(72, 3, 3, 64, 40, 16),
     .axes = 3,
     .lengths = {31, 50},
     .adapters = ADAPTERS_SEVERAL,
     .rank = 7,
     .qk_norm = true,
     .count_every = 1},
    {.name = "bias_and_head_norm",
     SIZES(40, 2, 1, 24, 48, 16),
     .axes = 1,
     .lengths = {65},
     .adapters = ADAPTERS_SEVERAL,
     .rank = 5,
     .bias = true,
     .qk_norm = true,
     .full = true,
     .count_every = 1},
    {.name = "heads_of_128",
     SIZES(136, 32, 8, 128, 96, 16),
     .axes = 1,
     .lengths = {69},
     .bias = true,
     .qk_norm = true,
     .full = true,
     .count_every = 3},
    {.name = "heads_of_64",
     SIZES(136, 32, 8, 64, 96, 16),
     .axes = 1,
     .lengths = {66, 3},
     .mask = MASK_WINDOW,
     .adapters = ADAPTERS_ONE,
     .rank = 16,
     .count_every = 3},
    {.name = "grid_model",
     SIZES(384, 6, 2, 64, 1024, 16),
     .axes = 3,
     .lengths = {45, 30},
     .mask = MASK_BLOCKS,
     .full = true,
     .count_every = 1},
    {.name = "grid_model_adapter",
     SIZES(384, 6, 2, 64, 1024, 16),
     .axes = 3,
     .lengths = {70},
     .adapters = ADAPTERS_ONE,
     .rank = 64,
     .count_every = 1},
    {.name = "q8_0",
     SIZES(96, 4, 2, 32, 160, 45),
     .axes = 1,
     .lengths = {40, 33},
     .adapters = ADAPTERS_ONE,
     .rank = 8,
     .tied = true,
     .dtype = TTT_Q8_0,
     .count_every = 2},
    {.name = "q4_0",
     SIZES(96, 4, 2, 32, 160, 45),
     .axes = 1,
     .lengths = {40, 33},
     .adapters = ADAPTERS_ONE,
     .rank = 8,
     .tied = false,
     .dtype = TTT_Q4_0,
     .count_every = 2},
    {.name = "q4_k",
     SIZES(256, 4, 2, 64, 512, 45),
     .axes = 1,
     .lengths = {5},
     .adapters = ADAPTERS_ONE,
     .rank = 8,
     .dtype = TTT_Q4_K,
     .count_every = 2},
    {.name = "q6_k",
     SIZES(256, 4, 2, 64, 512, 45),
     .axes = 1,
     .lengths = {70},
     .adapters = ADAPTERS_ONE,
     .rank = 8,
     .dtype = TTT_Q6_K,
     .count_every = 2},
    /* Weights of more than a million numbers: one packed form. */
    {.name = "large_frozen", SIZES(96, 2, 1, 16, 11000, 10993), .axes = 1, .lengths = {5}, .count_every = 2},
    {.name = "large_vocabulary",
     SIZES(128, 2, 1, 64, 96, 128256),
     .axes = 1,
     .lengths = {3, 2},
     .tied = true,
     .dtype = TTT_Q8_0,
     .count_every = 1},
    /* Several tiles of the vocabulary, adapters among them. */
    {.name = "vocabulary_adapters",
     SIZES(64, 2, 1, 32, 96, 1100),
     .axes = 1,
     .lengths = {30, 43},
     .adapters = ADAPTERS_SEVERAL,
     .rank = 4,
     .dtype = TTT_Q4_0,
     .count_every = 1},
};
const size_t op_case_count = sizeof op_cases / sizeof *op_cases;

const op_case speed_cases[] = {
    {.name = "grid_model",
     SIZES(384, 6, 2, 64, 1024, 16),
     .axes = 3,
     .lengths = {1000},
     .full = true,
     .count_every = 2},
    {.name = "grid_model_packed",
     SIZES(384, 6, 2, 64, 1024, 16),
     .axes = 3,
     .lengths = {300, 200, 400, 100},
     .mask = MASK_BLOCKS,
     .full = true,
     .count_every = 2},
    {.name = "grid_model_adapter",
     SIZES(384, 6, 2, 64, 1024, 16),
     .axes = 3,
     .lengths = {1000},
     .adapters = ADAPTERS_ONE,
     .rank = 64,
     .count_every = 2},
};
const size_t speed_case_count = sizeof speed_cases / sizeof *speed_cases;

int32_t case_sequences(const op_case *c) {
    int32_t count = 0;
    while (count < CASE_SEQUENCES && c->lengths[count] > 0) count++;
    return count;
}

int32_t case_tokens(const op_case *c) {
    int32_t tokens = 0;
    for (int32_t s = 0; s < case_sequences(c); s++) tokens += c->lengths[s];
    return tokens;
}

ttt_shape case_shape(const op_case *c, int32_t layers) {
    ttt_shape shape = {.layers = layers,
                       .width = c->width,
                       .heads = c->heads,
                       .kv_heads = c->kv_heads,
                       .head_dim = c->head_dim,
                       .hidden = c->hidden,
                       .vocabulary = c->vocabulary,
                       .norm_epsilon = 1e-5f,
                       .axes = c->axes};
    for (int32_t i = 0; i < c->head_dim / 2; i++) {
        shape.axis[i] = (uint8_t)(i % c->axes);
        shape.frequency[i] = powf(1000.0f, -2.0f * (float)i / (float)c->head_dim);
    }
    return shape;
}

/* A random stream of its own for every token of the case. */
static ttt_random token_stream(const op_case *c, int32_t sequence, int32_t index) {
    ttt_random stream = ttt_random_stream(7, c->name, "token");
    return ttt_random_fork(&stream, (uint64_t)sequence * 100000 + (uint64_t)index);
}

static void token_range(const op_case *c, int32_t sequence, int32_t index, ttt_random *random, int32_t *low,
                        int32_t *high) {
    const int32_t length = c->lengths[sequence];
    *low = 0;
    *high = index + 1;
    switch (c->mask) {
    case MASK_CAUSAL: break;
    case MASK_BLOCKS:
        if (index / MASK_BLOCK % 2 == 0) *high = (index / MASK_BLOCK + 1) * MASK_BLOCK;
        if (*high > length) *high = length;
        break;
    case MASK_WINDOW: *low = index < 23 ? 0 : index - 23 + (int32_t)ttt_random_below(random, 10); break;
    case MASK_RANDOM:
        *low = (int32_t)ttt_random_below(random, (uint32_t)length);
        *high = *low + 1 + (int32_t)ttt_random_below(random, (uint32_t)(length - *low));
        break;
    }
}

/* The adapter of a token: runs of 13 rows, so that they cross sequences; the third entry of the table is empty. */
static int32_t token_adapter(const op_case *c, int32_t sequence, int32_t index) {
    static const int32_t order[] = {1, 0, -1, 1, 2, 0};
    if (c->adapters == ADAPTERS_ONE) return 0;
    return order[(sequence * 2 + (index + 6) / 13) % 6];
}

int32_t case_page(const op_case *c, int32_t sequence, int32_t page) {
    int32_t number = page;
    for (int32_t s = 0; s < sequence; s++) number += (c->lengths[s] + TTT_PAGE - 1) / TTT_PAGE;
    return (number * 7 + 3) % CASE_PAGES; /* 7 and CASE_PAGES have no common factor */
}

static void add_token(const op_case *c, int32_t sequence, int32_t index, case_batch *b) {
    const int32_t t = b->batch.tokens++;
    assert(t < CASE_TOKENS);
    ttt_random random = token_stream(c, sequence, index);
    b->ids[t] = (int32_t)ttt_random_below(&random, (uint32_t)c->vocabulary);
    const int32_t coordinates[TTT_MAX_AXES] = {index / 7, index % 7, sequence, 1};
    for (int32_t axis = 0; axis < c->axes; axis++) {
        b->positions[t * c->axes + axis] = c->axes == 1 ? index : coordinates[axis];
    }
    b->sequence[t] = b->batch.sequences;
    b->index[t] = index;
    token_range(c, sequence, index, &random, &b->kv_low[t], &b->kv_high[t]);
    if (c->adapters == ADAPTERS_NONE) return;
    const int32_t adapter = token_adapter(c, sequence, index);
    if (b->batch.segments == 0 || b->segment_adapter[b->batch.segments - 1] != adapter) b->batch.segments++;
    b->segment_adapter[b->batch.segments - 1] = adapter;
    b->segment_end[b->batch.segments - 1] = t + 1;
}

void case_batch_of(const op_case *c, const case_piece *pieces, int32_t count, case_batch *b) {
    b->batch = (ttt_batch){.ids = b->ids,
                           .positions = b->positions,
                           .sequence = b->sequence,
                           .index = b->index,
                           .kv_low = b->kv_low,
                           .kv_high = b->kv_high,
                           .page_first = b->page_first,
                           .pages = b->pages,
                           .segment_end = b->segment_end,
                           .segment_adapter = b->segment_adapter};
    b->page_first[0] = 0;
    for (int32_t p = 0; p < count; p++) {
        const int32_t sequence = pieces[p].sequence, used = b->page_first[p];
        const int32_t pages = (c->lengths[sequence] + TTT_PAGE - 1) / TTT_PAGE;
        for (int32_t page = 0; page < pages; page++) b->pages[used + page] = case_page(c, sequence, page);
        b->page_first[p + 1] = used + pages;
        for (int32_t i = pieces[p].first; i < pieces[p].end; i++) add_token(c, sequence, i, b);
        b->batch.sequences++;
    }
}

void case_batch_whole(const op_case *c, case_batch *batch) {
    case_piece pieces[CASE_SEQUENCES];
    for (int32_t s = 0; s < case_sequences(c); s++) pieces[s] = (case_piece){s, 0, c->lengths[s]};
    case_batch_of(c, pieces, case_sequences(c), batch);
}
