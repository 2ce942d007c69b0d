/* A row's bits do not depend on its batch: alone or packed, in any order, in one go, in chunks or token by token, from
 * shared pages or its own, on one thread or two. Gradients' bits do not depend on the threads. All on the chosen
 * backend, and to the bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "tensor/choose.h"
#include "tensor/network.h"

#include <stdlib.h>
#include <string.h>

static ttt_error err;

/* What every token of a case became: its row of the residual stream and its log-probabilities. */
typedef struct results {
    const op_case *c;
    size_t width; /* C + V */
    float *rows;  /* [tokens of the case, C + V] */
} results;

static float *result_row(const results *r, int32_t sequence, int32_t index) {
    size_t row = (size_t)index;
    for (int32_t s = 0; s < sequence; s++) row += (size_t)r->c->lengths[s];
    return r->rows + row * r->width;
}

static results results_new(const op_case *c) {
    results r = {c, (size_t)c->width + (size_t)c->vocabulary, NULL};
    r.rows = ttt_allocate((size_t)case_tokens(c) * r.width, sizeof(float));
    if (r.rows == NULL) abort();
    return r;
}

/* Runs the batch announced last through the network; the caller sees its rows in `to`, [T, C + V]. */
static void run_rows(network *net, bool keep, float *to) {
    const int32_t tokens = net->batch.batch.tokens, width = net->shape.width, vocabulary = net->shape.vocabulary;
    int32_t rows[CASE_TOKENS];
    for (int32_t t = 0; t < tokens; t++) rows[t] = tokens - 1 - t; /* any order is legal */
    float *log_probabilities = ttt_allocate((size_t)tokens * (size_t)vocabulary, sizeof(float));
    network_forward(net, keep);
    network_check(net->ops->next_log_probabilities(net->workspace, &net->output, net->final, tokens, rows, NULL,
                                                   log_probabilities, &err),
                  &err);
    for (int32_t t = 0; t < tokens; t++, to += width + vocabulary) {
        network_check(net->ops->buffer_read(net->final, (size_t)t, 1, to, &err), &err);
        memcpy(to + width, log_probabilities + (size_t)(tokens - 1 - t) * (size_t)vocabulary,
               (size_t)vocabulary * sizeof(float));
    }
    ttt_free(log_probabilities);
}

/* Announces and runs these pieces, and puts their rows where they belong. */
static void run_pieces(network *net, const case_piece *pieces, int32_t count, results *out) {
    network_begin(net, pieces, count);
    float *rows = ttt_allocate((size_t)net->batch.batch.tokens * out->width, sizeof *rows), *row = rows;
    run_rows(net, false, rows);
    for (int32_t p = 0; p < count; p++) {
        for (int32_t i = pieces[p].first; i < pieces[p].end; i++, row += out->width) {
            memcpy(result_row(out, pieces[p].sequence, i), row, out->width * sizeof *row);
        }
    }
    ttt_free(rows);
}

static void run_whole(network *net, results *out) {
    case_piece pieces[CASE_SEQUENCES];
    for (int32_t s = 0; s < case_sequences(net->c); s++) pieces[s] = (case_piece){s, 0, net->c->lengths[s]};
    run_pieces(net, pieces, case_sequences(net->c), out);
}

static void assert_same(const results *expected, const results *found, const char *how) {
    const op_case *c = expected->c;
    for (int32_t s = 0; s < case_sequences(c); s++) {
        for (int32_t i = 0; i < c->lengths[s]; i++) {
            const float *a = result_row(expected, s, i), *b = result_row(found, s, i);
            for (size_t j = 0; j < expected->width; j++) {
                if (memcmp(&a[j], &b[j], sizeof *a) == 0) continue;
                fail_msg("case %s, %s: token %d of sequence %d, number %zu: %.9g, in the whole batch %.9g", c->name,
                         how, i, s, j, b[j], a[j]);
            }
        }
    }
}

/* Other numbers in all pages of the store: a key that must not be read shows up as a difference. */
static void spoil_store(network *net) {
    const case_piece piece = {0, 0, net->c->lengths[0]};
    case_batch_of(net->c, &piece, 1, &net->batch);
    const int32_t pages = net->batch.page_first[1];
    for (int32_t t = 0; t < net->batch.batch.tokens; t++) net->batch.ids[t] = (t * 5 + 3) % net->shape.vocabulary;
    for (int32_t page = 0; page < CASE_PAGES; page += pages) {
        for (int32_t i = 0; i < pages; i++) net->batch.pages[i] = (page + i) % CASE_PAGES;
        network_check(net->ops->batch_begin(net->workspace, &net->batch.batch, &err), &err);
        network_forward(net, false);
    }
}

/* Whether a row sees only what a chunk that ends behind it has written. */
static bool chunkable(const op_case *c) {
    return c->mask != MASK_RANDOM;
}

/* All sequences at once, `size` tokens of each at a time; masks with blocks are cut between blocks. */
static void run_chunks(network *net, int32_t size, results *out) {
    const op_case *c = net->c;
    int32_t done[CASE_SEQUENCES] = {0};
    for (;;) {
        case_piece pieces[CASE_SEQUENCES];
        int32_t count = 0;
        for (int32_t s = 0; s < case_sequences(c); s++) {
            int32_t end = done[s] + size > c->lengths[s] ? c->lengths[s] : done[s] + size;
            if (done[s] < end) pieces[count++] = (case_piece){s, done[s], end};
            done[s] = end;
        }
        if (count == 0) return;
        run_pieces(net, pieces, count, out);
    }
}

static void check_case(ttt_backend *backend, const op_case *c) {
    network *net = network_new(backend, c, 0, 0);
    results expected = results_new(c), found = results_new(c);
    run_whole(net, &expected);

    /* Gate and up kept or not. */
    run_rows(net, true, found.rows);
    assert_same(&expected, &found, "with gate and up kept");

    spoil_store(net);
    for (int32_t s = 0; s < case_sequences(c); s++) run_pieces(net, &(case_piece){s, 0, c->lengths[s]}, 1, &found);
    assert_same(&expected, &found, "each sequence alone");

    case_piece reversed[CASE_SEQUENCES];
    const int32_t count = case_sequences(c);
    for (int32_t s = 0; s < count; s++) reversed[s] = (case_piece){count - 1 - s, 0, c->lengths[count - 1 - s]};
    run_pieces(net, reversed, count, &found);
    assert_same(&expected, &found, "in reversed order");

    if (chunkable(c)) {
        spoil_store(net);
        run_chunks(net, 2 * MASK_BLOCK, &found);
        assert_same(&expected, &found, "in chunks of two blocks");
    }
    if (chunkable(c) && c->mask != MASK_BLOCKS) {
        static const int32_t sizes[] = {1, 3, 17, 64, 70};
        /* The wide cases add shapes, not paths. */
        const size_t used = c->width > 100 ? 1 : sizeof sizes / sizeof *sizes;
        for (size_t i = 0; i < used; i++) {
            char how[32];
            snprintf(how, sizeof how, "in chunks of %d", sizes[i]);
            spoil_store(net);
            run_chunks(net, sizes[i], &found);
            assert_same(&expected, &found, how);
        }
    }
    ttt_free(expected.rows);
    ttt_free(found.rows);
    network_free(net);
}

static void rows__are_the_same_in_any_batch(void **state) {
    (void)state;
    ttt_backend *backend = choose_backend(2);
    if (backend == NULL) skip();
    for (size_t i = 0; i < op_case_count; i++) check_case(backend, &op_cases[i]);
    ttt_backend_free(backend);
}

/* A fork shares the full pages of its parent and gets a copy of the page that is being filled. */
static void forks__share_pages_and_part_ways(void **state) {
    (void)state;
    ttt_backend *backend = choose_backend(2);
    if (backend == NULL) skip();
    static const op_case c = {.name = "fork",
                              .width = 64,
                              .heads = 6,
                              .kv_heads = 2,
                              .head_dim = 64,
                              .hidden = 96,
                              .vocabulary = 16,
                              .axes = 1,
                              .lengths = {150, 150},
                              .count_every = 1};
    enum { PREFIX = 90, FREE_PAGE = 1 };
    network *net = network_new(backend, &c, 0, 0);
    results expected = results_new(&c), found = results_new(&c);
    for (int32_t s = 0; s < 2; s++) {
        for (int32_t page = 0; page < 3; page++) assert_true(case_page(&c, s, page) > FREE_PAGE);
    }
    run_whole(net, &expected);
    spoil_store(net);
    run_pieces(net, &(case_piece){0, 0, PREFIX}, 1, &found);
    network_check(net->ops->kv_copy_page(net->kv, case_page(&c, 0, 1), FREE_PAGE, &err), &err);

    /* One batch: the parent goes on as in the whole run; so does the first fork, from the shared page and the copy. */
    const size_t width = found.width;
    float *rows = ttt_allocate((size_t)c.lengths[0] * 2 * width, sizeof *rows);
    for (int32_t i = PREFIX; i < c.lengths[0]; i++) {
        const case_piece both[] = {{0, i, i + 1}, {0, i, i + 1}};
        case_batch_of(&c, both, 2, &net->batch);
        net->batch.pages[net->batch.page_first[1] + 1] = FREE_PAGE;
        net->batch.pages[net->batch.page_first[1] + 2] = FREE_PAGE - 1;
        if (i == c.lengths[0] - 1) net->batch.ids[1] = (net->batch.ids[1] + 1) % c.vocabulary;
        network_check(net->ops->batch_begin(net->workspace, &net->batch.batch, &err), &err);
        run_rows(net, false, rows);
        memcpy(result_row(&found, 0, i), rows, width * sizeof *rows);
        const bool same = memcmp(rows, rows + width, width * sizeof *rows) == 0;
        assert_int_equal(same, i < c.lengths[0] - 1); /* the last token of the fork is another */
    }
    run_pieces(net, &(case_piece){1, 0, c.lengths[1]}, 1, &found);
    assert_same(&expected, &found, "from shared pages");
    ttt_free(rows);
    ttt_free(expected.rows);
    ttt_free(found.rows);
    network_free(net);
    ttt_backend_free(backend);
}

/* ---------------------------------------------------------------------------------------------- threads */

static void assert_same_buffer(network *a, const ttt_buffer *of_a, network *b, const ttt_buffer *of_b,
                               const char *name) {
    const network_buffer *entry = network_buffer_of(a, of_a);
    const size_t size = entry->rows * entry->columns;
    float *values = ttt_allocate(2 * size, sizeof *values);
    network_check(a->ops->buffer_read(of_a, 0, entry->rows, values, &err), &err);
    network_check(b->ops->buffer_read(of_b, 0, entry->rows, values + size, &err), &err);
    if (memcmp(values, values + size, size * sizeof *values) != 0) fail_msg("case %s: %s", a->c->name, name);
    ttt_free(values);
}

static void assert_same_weights(network *a, network *b, ttt_weight_part part) {
    for (size_t i = 0; i < a->weight_count; i++) {
        const network_weight *w = &a->weights[i];
        if (!w->trainable) continue;
        const size_t size = w->rows * w->columns;
        float *values = ttt_allocate(2 * size, sizeof *values);
        network_check(a->ops->weight_read(w->weight, part, values, &err), &err);
        network_check(b->ops->weight_read(b->weights[i].weight, part, values + size, &err), &err);
        if (memcmp(values, values + size, size * sizeof *values) != 0) {
            fail_msg("case %s: part %d of %s", a->c->name, (int)part, w->name);
        }
        ttt_free(values);
    }
}

/* Forward, backward, and an optimizer step. */
static double train(network *net, double *square_sum) {
    ttt_weight *weights[NETWORK_WEIGHTS];
    size_t count = 0;
    for (size_t i = 0; i < net->weight_count; i++) {
        if (net->weights[i].trainable) weights[count++] = net->weights[i].weight;
    }
    network_fill_gradients(net);
    const double loss = network_loss(net, true);
    network_check(net->ops->gradient_square_sum(net->backend, weights, count, square_sum, &err), &err);
    return loss;
}

static void gradients__are_the_same_on_any_number_of_threads(void **state) {
    (void)state;
    static const int counts[] = {1, 2, 3};
    ttt_backend *first = choose_backend(counts[0]);
    if (first == NULL) skip();
    for (size_t i = 0; i < op_case_count; i++) {
        network *expected = network_new(first, &op_cases[i], 0, 0);
        double expected_sum, sum;
        const double expected_loss = train(expected, &expected_sum);
        for (size_t n = 0; n < sizeof counts / sizeof *counts; n++) {
            ttt_backend *other = choose_backend(counts[n]); /* the first: twice the same is the same */
            network *found = network_new(other, &op_cases[i], 0, 0);
            const double loss = train(found, &sum);
            assert_memory_equal(&loss, &expected_loss, sizeof loss);
            assert_memory_equal(&sum, &expected_sum, sizeof sum);
            assert_same_buffer(expected, expected->final, found, found->final, "final");
            assert_same_buffer(expected, expected->dx, found, found->dx, "dx");
            assert_same_weights(expected, found, TTT_GRADIENT);
            network_free(found);
            ttt_backend_free(other);
        }
        network_free(expected);
    }
    ttt_backend_free(first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows__are_the_same_in_any_batch),
        cmocka_unit_test(forks__share_pages_and_part_ways),
        cmocka_unit_test(gradients__are_the_same_on_any_number_of_threads),
    };
    return cmocka_run_group_tests_name("batch_independence", tests, NULL, NULL);
}
