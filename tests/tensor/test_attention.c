/* What attention promises beyond its numbers: memory that was never written has no influence, and no score is too large
 * for a softmax. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "tensor/choose.h"
#include "tensor/network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static ttt_error err;

static float *read_all(network *net, const ttt_buffer *buffer, size_t *count) {
    const network_buffer *entry = network_buffer_of(net, buffer);
    const size_t tokens = (size_t)net->batch.batch.tokens;
    float *values = ttt_allocate(tokens * entry->columns, sizeof *values);
    if (values == NULL) abort();
    network_check(net->ops->buffer_read(buffer, 0, tokens, values, &err), &err);
    *count = tokens * entry->columns;
    return values;
}

/* Keys and values from x = network_fill(..., "x"), queries of the given size, attention and its backward. */
static void run(network *net, float query_size) {
    network_layer *at = &net->layers[0];
    network_fill(net, at->input, "x", 1.0f);
    network_check(net->ops->qkv(net->workspace, &at->qkv, at->input, at->q, net->kv, 0, &err), &err);
    network_fill(net, at->q, "queries", query_size);
    network_fill(net, net->d_o, "gradient", 1.0f);
    network_check(net->ops->attention(net->workspace, at->q, net->kv, 0, at->o, at->lse, &err), &err);
    network_check(net->ops->attention_backward(net->workspace, at->q, net->kv, 0, at->o, at->lse, net->d_o, net->dq,
                                               net->dk, net->dv, &err),
                  &err);
}

/* One token with an input of NaN, whose key and value go to this slot. */
static void poison_slot(network *net, int32_t page, int32_t slot, const float *nan_row) {
    network_layer *at = &net->layers[0];
    case_batch *b = &net->batch;
    case_batch_of(net->c, &(case_piece){0, 0, 1}, 1, b);
    b->index[0] = slot;
    b->pages[0] = page;
    network_check(net->ops->batch_begin(net->workspace, &b->batch, &err), &err);
    network_check(net->ops->buffer_write(at->input, 0, 1, nan_row, &err), &err);
    network_check(net->ops->qkv(net->workspace, &at->qkv, at->input, at->q, net->kv, 0, &err), &err);
}

/* NaN in every slot of every page that the case will use. */
static void poison_store(network *net) {
    const size_t columns = network_buffer_of(net, net->layers[0].input)->columns;
    float *row = ttt_allocate(columns, sizeof *row);
    if (row == NULL) abort();
    for (size_t i = 0; i < columns; i++) row[i] = NAN;
    for (int32_t s = 0; s < case_sequences(net->c); s++) {
        for (int32_t i = 0; i < (net->c->lengths[s] + TTT_PAGE - 1) / TTT_PAGE * TTT_PAGE; i++) {
            poison_slot(net, case_page(net->c, s, i / TTT_PAGE), i % TTT_PAGE, row);
        }
    }
    ttt_free(row);
    case_batch_whole(net->c, &net->batch);
    network_check(net->ops->batch_begin(net->workspace, &net->batch.batch, &err), &err);
}

static void stale_nans__do_not_pass_through_a_weight_of_zero(void **state) {
    (void)state;
    ttt_backend *backend = choose_backend(1);
    if (backend == NULL) skip();
    for (size_t i = 0; i < op_case_count; i++) {
        network *fresh = network_new(backend, &op_cases[i], 0, 0), *stale = network_new(backend, &op_cases[i], 0, 0);
        poison_store(stale);
        run(fresh, 1.0f);
        run(stale, 1.0f);
        ttt_buffer *const of_fresh[] = {fresh->layers[0].o, fresh->layers[0].lse, fresh->dq, fresh->dk, fresh->dv};
        ttt_buffer *const of_stale[] = {stale->layers[0].o, stale->layers[0].lse, stale->dq, stale->dk, stale->dv};
        static const char *const names[] = {"o", "lse", "dq", "dk", "dv"};
        for (size_t j = 0; j < sizeof names / sizeof *names; j++) {
            size_t count;
            float *a = read_all(fresh, of_fresh[j], &count), *b = read_all(stale, of_stale[j], &count);
            for (size_t n = 0; n < count; n++) {
                if (isfinite(a[n]) && memcmp(&a[n], &b[n], sizeof *a) == 0) continue;
                fail_msg("case %s: %s[%zu] is %g, from a fresh store %g", op_cases[i].name, names[j], n, b[n], a[n]);
            }
            ttt_free(a);
            ttt_free(b);
        }
        network_free(fresh);
        network_free(stale);
    }
    ttt_backend_free(backend);
}

/* Queries so large that a softmax puts all its weight on one key: differences of scores are in the thousands. */
static void huge_scores__give_finite_results(void **state) {
    (void)state;
    ttt_backend *backend = choose_backend(1);
    if (backend == NULL) skip();
    for (size_t i = 0; i < op_case_count; i++) {
        network *net = network_new(backend, &op_cases[i], 0, 0);
        run(net, 10000.0f);
        ttt_buffer *const buffers[] = {net->layers[0].o, net->layers[0].lse, net->dq, net->dk, net->dv};
        for (size_t j = 0; j < sizeof buffers / sizeof *buffers; j++) {
            size_t count;
            float *values = read_all(net, buffers[j], &count);
            for (size_t n = 0; n < count; n++) {
                if (!isfinite(values[n])) fail_msg("case %s: result %zu, number %zu", op_cases[i].name, j, n);
            }
            ttt_free(values);
        }
        network_free(net);
    }
    ttt_backend_free(backend);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stale_nans__do_not_pass_through_a_weight_of_zero),
        cmocka_unit_test(huge_scores__give_finite_results),
    };
    return cmocka_run_group_tests_name("attention", tests, NULL, NULL);
}
