/* Speed of attention alone, by length of the sequence, with the heads of the bundled model (H = 6, G = 2, D = 64).
 *
 *     attention [--threads N] [--seconds S]        TTT_ISA=avx2|avx512|amx|ref forces an instruction set
 *
 * Forward and backward of one causal sequence, in TFLOP/s of counted operations (the causal half of the four and eight
 * products; the scores that backward computes again are not counted); then decoding, one row for each of 64 sequences,
 * as the rate at which keys and values are read. */
#include "base/clock.h"
#include "base/random.h"
#include "tensor/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADS = 6, KV_HEADS = 2, DIM = 64, WIDTH = 64, DECODED = 64, LONGEST = 4096, MOST = DECODED * 1536 };

static ttt_error err;

static void check(ttt_status status) {
    if (status == TTT_OK) return;
    fprintf(stderr, "attention: %s\n", err.message);
    exit(1);
}

static void *take(size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (memory == NULL) exit(1);
    return memory;
}

/* `count` sequences of `length` tokens; the arrays stay for the life of the process. */
static ttt_batch batch_new(int32_t count, int32_t length) {
    const int32_t tokens = count * length, pages = (length + TTT_PAGE - 1) / TTT_PAGE;
    int32_t *numbers = take((size_t)tokens * 5 + (size_t)count * (size_t)(pages + 1) + 1, sizeof *numbers);
    int32_t *sequence = numbers + tokens, *index = sequence + tokens, *high = index + tokens, *zero = high + tokens;
    int32_t *first = zero + tokens, *page = first + count + 1;
    for (int32_t t = 0; t < tokens; t++) {
        numbers[t] = index[t] = t % length;
        sequence[t] = t / length;
        high[t] = t % length + 1;
    }
    for (int32_t s = 0; s <= count; s++) first[s] = s * pages;
    for (int32_t p = 0; p < count * pages; p++) page[p] = p;
    return (ttt_batch){.tokens = tokens,
                       .sequences = count,
                       .ids = zero,
                       .positions = numbers,
                       .sequence = sequence,
                       .index = index,
                       .kv_low = zero,
                       .kv_high = high,
                       .page_first = first,
                       .pages = page};
}

/* The last row of every sequence of `all`. */
static ttt_batch last_rows(const ttt_batch *all) {
    const int32_t count = all->sequences, length = all->tokens / count;
    ttt_batch last = batch_new(count, 1);
    int32_t *index = take((size_t)count * 2, sizeof *index), *high = index + count;
    for (int32_t s = 0; s < count; s++) {
        index[s] = length - 1;
        high[s] = length;
    }
    last.index = last.positions = index;
    last.kv_high = high;
    last.page_first = all->page_first;
    last.pages = all->pages;
    return last;
}

typedef struct objects {
    ttt_backend *backend;
    const ttt_backend_ops *ops;
    ttt_qkv_block block;
    ttt_buffer *x, *q, *o, *lse, *d_o, *dq, *dk, *dv;
} objects;

static ttt_buffer *buffer_new(const objects *b, size_t rows, size_t columns, ttt_dtype dtype, const char *fill) {
    ttt_buffer *buffer;
    check(b->ops->buffer_new(b->backend, rows, columns, dtype, &buffer, &err));
    if (fill == NULL) return buffer;
    ttt_random random = ttt_random_stream(1, "", fill);
    float *row = take(columns, sizeof *row);
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) row[c] = (float)ttt_random_normal(&random);
        check(b->ops->buffer_write(buffer, r, 1, row, &err));
    }
    free(row);
    return buffer;
}

static ttt_weight *weight_new(const objects *b, size_t rows) {
    ttt_random random = ttt_random_stream(1, "", "weight");
    float *values = take(rows * WIDTH, sizeof *values);
    for (size_t i = 0; i < rows * WIDTH; i++) values[i] = (float)ttt_random_normal(&random) / 8;
    ttt_weight *weight;
    check(b->ops->weight_new(b->backend, rows, WIDTH, TTT_F32, values, false, &weight, &err));
    free(values);
    return weight;
}

/* Keys and values of the batch into a store of its own. */
static ttt_kv *fill_store(const objects *b, ttt_workspace *workspace, const ttt_batch *batch) {
    ttt_kv *kv;
    check(b->ops->kv_new(b->backend, 1, batch->page_first[batch->sequences], KV_HEADS, DIM, &kv, &err));
    check(b->ops->batch_begin(workspace, batch, &err));
    check(b->ops->qkv(workspace, &b->block, b->x, b->q, kv, 0, &err));
    return kv;
}

static double time_forward(const objects *b, ttt_workspace *workspace, ttt_kv *kv, double seconds) {
    double best = 1e9;
    for (double spent = 0; spent < seconds;) {
        const double start = ttt_clock_seconds();
        check(b->ops->attention(workspace, b->q, kv, 0, b->o, b->lse, &err));
        const double took = ttt_clock_seconds() - start;
        best = took < best ? took : best;
        spent += took;
    }
    return best;
}

static double time_backward(const objects *b, ttt_workspace *workspace, ttt_kv *kv, double seconds) {
    double best = 1e9;
    for (double spent = 0; spent < seconds;) {
        const double start = ttt_clock_seconds();
        check(b->ops->attention_backward(workspace, b->q, kv, 0, b->o, b->lse, b->d_o, b->dq, b->dk, b->dv, &err));
        const double took = ttt_clock_seconds() - start;
        best = took < best ? took : best;
        spent += took;
    }
    return best;
}

static void bench_length(const objects *b, const ttt_shape *shape, int32_t length, double seconds) {
    ttt_batch batch = batch_new(1, length);
    ttt_workspace *workspace;
    check(b->ops->workspace_new(b->backend, shape, length, 1, 0, true, &workspace, &err));
    ttt_kv *kv = fill_store(b, workspace, &batch);
    const double forward = time_forward(b, workspace, kv, seconds), backward = time_backward(b, workspace, kv, seconds);
    const double counted = 4.0 * HEADS * DIM * length * (length + 1) / 2;
    printf("%6d tokens   forward %9.3f ms %6.3f TFLOP/s   backward %9.3f ms %6.3f TFLOP/s\n", length, forward * 1e3,
           counted / forward * 1e-12, backward * 1e3, 2 * counted / backward * 1e-12);
    b->ops->kv_free(kv);
    b->ops->workspace_free(workspace);
}

static void bench_decoding(const objects *b, const ttt_shape *shape, int32_t length, double seconds) {
    const ttt_batch all = batch_new(DECODED, length), last = last_rows(&all);
    ttt_workspace *workspace;
    check(b->ops->workspace_new(b->backend, shape, all.tokens, DECODED, 0, false, &workspace, &err));
    ttt_kv *kv = fill_store(b, workspace, &all);
    check(b->ops->batch_begin(workspace, &last, &err));
    const double took = time_forward(b, workspace, kv, seconds);
    const double bytes = 2.0 * 2.0 * KV_HEADS * DIM * (double)all.tokens;
    printf("%6d keys     decoding %d rows %9.3f ms %6.1f GB/s\n", length, DECODED, took * 1e3, bytes / took * 1e-9);
    b->ops->kv_free(kv);
    b->ops->workspace_free(workspace);
}

int main(int argc, char **argv) {
    int threads = 0;
    double seconds = 0.5;
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 < argc && strcmp(argv[i], "--threads") == 0) {
            threads = atoi(argv[i + 1]);
        } else if (i + 1 < argc && strcmp(argv[i], "--seconds") == 0) {
            seconds = atof(argv[i + 1]);
        } else {
            fprintf(stderr, "usage: attention [--threads N] [--seconds S]\n");
            return 2;
        }
    }
    static const int32_t lengths[] = {128, 256, 512, 1024, 1500, LONGEST};
    const ttt_shape shape = {.layers = 1,
                             .width = WIDTH,
                             .heads = HEADS,
                             .kv_heads = KV_HEADS,
                             .head_dim = DIM,
                             .hidden = WIDTH,
                             .vocabulary = 16,
                             .norm_epsilon = 1e-5f,
                             .axes = 1};
    objects b = {0};
    check(ttt_backend_new("cpu", threads, &b.backend, &err));
    b.ops = b.backend->ops;
    const ttt_dtype dtype = b.ops->activation_dtype;
    b.block = (ttt_qkv_block){.norm = weight_new(&b, 1),
                              .q = {.weight = weight_new(&b, HEADS * DIM)},
                              .k = {.weight = weight_new(&b, KV_HEADS * DIM)},
                              .v = {.weight = weight_new(&b, KV_HEADS * DIM)}};
    b.x = buffer_new(&b, MOST, WIDTH, dtype, "x");
    b.q = buffer_new(&b, MOST, HEADS * DIM, dtype, NULL);
    b.o = buffer_new(&b, LONGEST, HEADS * DIM, dtype, NULL);
    b.lse = buffer_new(&b, LONGEST, HEADS, TTT_F32, NULL);
    b.d_o = buffer_new(&b, LONGEST, HEADS * DIM, dtype, "d_o");
    b.dq = buffer_new(&b, LONGEST, HEADS * DIM, dtype, NULL);
    b.dk = buffer_new(&b, LONGEST, KV_HEADS * DIM, dtype, NULL);
    b.dv = buffer_new(&b, LONGEST, KV_HEADS * DIM, dtype, NULL);
    printf("attention on %s, %d query heads and %d key/value heads of %d\n", b.ops->name, HEADS, KV_HEADS, DIM);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) bench_length(&b, &shape, lengths[i], seconds);
    bench_decoding(&b, &shape, 300, seconds);
    bench_decoding(&b, &shape, 1500, seconds);
    ttt_buffer *const buffers[] = {b.x, b.q, b.o, b.lse, b.d_o, b.dq, b.dk, b.dv};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) b.ops->buffer_free(buffers[i]);
    ttt_weight *const weights[] = {b.block.norm, b.block.q.weight, b.block.k.weight, b.block.v.weight};
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++) b.ops->weight_free(weights[i]);
    ttt_backend_free(b.backend);
    return 0;
}
