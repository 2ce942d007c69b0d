/* Products with one frozen matrix by the format it is kept in, and by rows: x·Wᵀ and dy·W, milliseconds.
 *
 *     frozen [--threads N]
 *
 * Eight matrices of 2048 × 2048 numbers take turns, so that none is found in a cache. The least of a few rounds. */
#include "base/clock.h"
#include "base/memory.h"
#include "tensor/dtype.h"
#include "tensor/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 2048, MATRICES = 8, MOST_ROWS = 192, ROUNDS = 4 };

static ttt_error err;

typedef struct bench {
    ttt_backend *backend;
    ttt_workspace *workspace;
    ttt_buffer *x, *y;
    ttt_weight *weights[MATRICES];
} bench;

static void make_weights(bench *b, ttt_dtype dtype) {
    size_t bytes;
    if (!ttt_dtype_bytes(dtype, (size_t)WIDTH * WIDTH, &bytes)) abort();
    uint8_t *data = ttt_allocate(bytes, 1);
    if (data == NULL) abort();
    for (size_t i = 0; i < bytes; i++) data[i] = (uint8_t)(i * 2654435761u >> 24) & 0x3F; /* no infinity, no NaN */
    for (int i = 0; i < MATRICES; i++) {
        network_check(b->backend->ops->weight_new(b->backend, WIDTH, WIDTH, dtype, data, false, &b->weights[i], &err),
                      &err);
    }
    ttt_free(data);
}

/* Seconds of one product. */
static double product(const bench *b, bool backward) {
    double least = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        const double start = ttt_clock_seconds();
        for (int i = 0; i < MATRICES; i++) {
            const ttt_linear linear = {.weight = b->weights[i]};
            network_check(backward ? b->backend->ops->project_backward(b->workspace, &linear, b->x, b->y, b->x, &err)
                                   : b->backend->ops->project(b->workspace, &linear, b->x, b->x, b->y, &err),
                          &err);
        }
        const double took = (ttt_clock_seconds() - start) / MATRICES;
        if (took < least) least = took;
    }
    return least;
}

static void begin(const bench *b, int32_t rows) {
    static int32_t zeros[MOST_ROWS], numbers[MOST_ROWS + 1], pages[MOST_ROWS / TTT_PAGE] = {0, 1, 2};
    static int32_t page_first[] = {0, MOST_ROWS / TTT_PAGE};
    for (int32_t i = 0; i <= MOST_ROWS; i++) numbers[i] = i;
    const ttt_batch batch = {.tokens = rows,
                             .sequences = 1,
                             .ids = zeros,
                             .positions = numbers,
                             .sequence = zeros,
                             .index = numbers,
                             .kv_low = zeros,
                             .kv_high = numbers + 1,
                             .page_first = page_first,
                             .pages = pages};
    network_check(b->backend->ops->batch_begin(b->workspace, &batch, &err), &err);
}

int main(int argc, char **argv) {
    static const ttt_dtype dtypes[] = {TTT_BF16, TTT_Q8_0, TTT_Q4_0, TTT_Q4_K, TTT_Q6_K};
    static const int32_t rows[] = {1, 6, 12, 96, MOST_ROWS};
    const ttt_shape shape = {.layers = 1,
                             .width = WIDTH,
                             .heads = WIDTH / 64,
                             .kv_heads = 8,
                             .head_dim = 64,
                             .hidden = WIDTH,
                             .vocabulary = 32,
                             .norm_epsilon = 1e-5f,
                             .axes = 1};
    bench b;
    network_check(ttt_backend_new("cpu", argc > 2 ? atoi(argv[2]) : 0, &b.backend, &err), &err);
    const ttt_backend_ops *ops = b.backend->ops;
    network_check(ops->workspace_new(b.backend, &shape, MOST_ROWS, 1, 1, true, &b.workspace, &err), &err);
    network_check(ops->buffer_new(b.backend, MOST_ROWS, WIDTH, ops->activation_dtype, &b.x, &err), &err);
    network_check(ops->buffer_new(b.backend, MOST_ROWS, WIDTH, ops->activation_dtype, &b.y, &err), &err);
    printf("%s, rows: x·Wᵀ / dy·W in ms\n", ops->name);
    for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++) {
        make_weights(&b, dtypes[d]);
        printf("%-5s", ttt_dtype_name(dtypes[d]));
        for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
            begin(&b, rows[r]);
            printf("  %d: %.2f / %.2f", rows[r], product(&b, false) * 1e3, product(&b, true) * 1e3);
        }
        printf("\n");
        for (int i = 0; i < MATRICES; i++) ops->weight_free(b.weights[i]);
    }
    ops->buffer_free(b.x);
    ops->buffer_free(b.y);
    ops->workspace_free(b.workspace);
    ttt_backend_free(b.backend);
    return 0;
}
