/* Sums over rows: gradients of weights.
 *
 * Rows are taken TTT_CPU_GRADIENT_ROWS at a time: all threads pack both operands, then divide the tiles of dW among
 * themselves. One thread owns a tile through the whole sum, so the order of the sum does not depend on the threads and
 * nothing has to be added up between them. */
#include "tensor/cpu/linear.h"
#include "tensor/dtype.h"

#include <assert.h>
#include <string.h>

typedef struct gradient_sum {
    const ttt_cpu_kernels *kernels;
    float *gradient;
    const void *left, *right;
    int out, in;
} gradient_sum;

/* One tile of the gradient; a tile that hangs over the right edge goes through memory of its own. */
static void add_tile(const gradient_sum *sum, int padded, int tile, int panel) {
    const int height = sum->kernels->tile_rows, row = tile * height, column = panel * TTT_CPU_PAD;
    const int rows = sum->out - row < height ? sum->out - row : height;
    float *c = sum->gradient + (size_t)row * (size_t)sum->in + (size_t)column;
    if (column + TTT_CPU_PAD <= sum->in) {
        sum->kernels->gradient_tile(sum->left, sum->right, padded, tile, rows, panel, c, (size_t)sum->in);
        return;
    }
    const size_t width = (size_t)(sum->in - column);
    float edge[TTT_CPU_PAD * TTT_CPU_PAD] = {0};
    for (int r = 0; r < rows; r++) {
        memcpy(edge + r * TTT_CPU_PAD, c + (size_t)r * (size_t)sum->in, width * sizeof *c);
    }
    sum->kernels->gradient_tile(sum->left, sum->right, padded, tile, rows, panel, edge, TTT_CPU_PAD);
    for (int r = 0; r < rows; r++) {
        memcpy(c + (size_t)r * (size_t)sum->in, edge + r * TTT_CPU_PAD, width * sizeof *c);
    }
}

void ttt_cpu_gradient(ttt_workspace *workspace, float *gradient, const ttt_bf16 *dy, size_t ldd, size_t out,
                      const ttt_bf16 *x, size_t ldx, size_t in, int32_t rows) {
    const ttt_cpu_backend *cpu = ttt_cpu(workspace->backend);
    const ttt_cpu_kernels *kernels = cpu->kernels;
    void *left = workspace->backward.gradient_left, *right = workspace->backward.gradient_right;
    const gradient_sum sum = {kernels, gradient, left, right, (int)out, (int)in};
    const int tiles = ((int)out + kernels->tile_rows - 1) / kernels->tile_rows, panels = (int)ttt_cpu_panels(in);
#pragma omp parallel num_threads(cpu->threads)
    {
        kernels->begin();
        for (int32_t t = 0; t < rows; t += TTT_CPU_GRADIENT_ROWS) {
            const int count = rows - t < TTT_CPU_GRADIENT_ROWS ? rows - t : TTT_CPU_GRADIENT_ROWS;
            const int padded = (int)ttt_cpu_pad((size_t)count);
#pragma omp for schedule(static) nowait
            for (int i = 0; i < tiles; i++) {
                kernels->gradient_pack_left(dy + (size_t)t * ldd, ldd, count, padded, (int)out, i, 1, left);
            }
#pragma omp for schedule(static)
            for (int i = 0; i < panels; i++) {
                kernels->gradient_pack_right(x + (size_t)t * ldx, ldx, count, padded, (int)in, i, 1, right);
            }
#pragma omp for schedule(static)
            for (int i = 0; i < tiles * panels; i++) add_tile(&sum, padded, i % tiles, i / tiles);
        }
        kernels->end();
    }
}

bool ttt_cpu_run_next(ttt_cpu_run *run, const ttt_linear *linear, const ttt_row_block *blocks, int32_t block_count) {
    while (run->next < block_count) {
        const ttt_row_block *first = &blocks[run->next];
        run->first = (size_t)first->first;
        run->rows = 0;
        for (; run->next < block_count && blocks[run->next].adapter == first->adapter; run->next++) {
            run->rows += blocks[run->next].rows;
        }
        run->adapter = ttt_cpu_adapter(linear, first->adapter);
        if (run->adapter != NULL) return true;
    }
    return false;
}

bool ttt_cpu_wants_gradient(const ttt_linear *linear) {
    return linear->weight->trainable || linear->adapters != NULL;
}

void ttt_cpu_linear_gradients(ttt_workspace *workspace, const ttt_linear *linear, const ttt_bf16 *dy, const ttt_bf16 *x,
                              int slot, const ttt_row_block *blocks, int32_t block_count) {
    const ttt_weight *w = linear->weight;
    const size_t out = w->rows, in = w->columns;
    const ttt_row_block *last = &blocks[block_count - 1];
    if (w->trainable) {
        ttt_cpu_gradient(workspace, w->part[TTT_GRADIENT], dy, out, out, x, in, in, last->first + last->rows);
    }
    const size_t ld = (size_t)workspace->max_rank;
    ttt_cpu_run run = {0};
    while (ttt_cpu_run_next(&run, linear, blocks, block_count)) {
        ttt_weight *a_weight = run.adapter->a, *b_weight = run.adapter->b;
        if (b_weight->trainable) {
            ttt_cpu_gradient(workspace, b_weight->part[TTT_GRADIENT], dy + run.first * out, out, out,
                             workspace->backward.low[slot] + run.first * ld, ld, b_weight->columns, run.rows);
        }
        if (a_weight->trainable) {
            ttt_cpu_gradient(workspace, a_weight->part[TTT_GRADIENT], workspace->backward.d_low[slot] + run.first * ld,
                             ld, a_weight->rows, x + run.first * in, in, in, run.rows);
        }
    }
}

static bool is_trained(const ttt_weight *weight) {
    return weight != NULL && weight->trainable;
}

void ttt_cpu_gain_begin(ttt_workspace *workspace, const ttt_weight *gain, int slot, int32_t block_count) {
    if (!is_trained(gain)) return;
    memset(workspace->backward.gain_sums[slot], 0, (size_t)block_count * gain->columns * sizeof(float));
}

float *ttt_cpu_gain_sum(const ttt_block *block, const ttt_weight *gain, int slot) {
    if (!is_trained(gain)) return NULL;
    return block->workspace->backward.gain_sums[slot] + (size_t)block->index * gain->columns;
}

void ttt_cpu_gain_end(ttt_workspace *workspace, ttt_weight *gain, int slot, int32_t block_count) {
    if (!is_trained(gain)) return;
    for (int32_t i = 0; i < block_count; i++) {
        const float *sum = workspace->backward.gain_sums[slot] + (size_t)i * gain->columns;
        for (size_t c = 0; c < gain->columns; c++) gain->part[TTT_GRADIENT][c] += sum[c];
    }
}

/* A thread takes some columns of all rows, so that every sum runs in the order of the rows. */
void ttt_cpu_bias_gradient(ttt_workspace *workspace, ttt_weight *bias, const ttt_buffer *d) {
    if (!is_trained(bias)) return;
    const size_t columns = bias->columns, panels = ttt_cpu_panels(columns);
#pragma omp parallel for schedule(static) num_threads(ttt_cpu(workspace->backend)->threads)
    for (size_t panel = 0; panel < panels; panel++) {
        const size_t first = panel * TTT_CPU_PAD, end = first + TTT_CPU_PAD < columns ? first + TTT_CPU_PAD : columns;
        for (int32_t t = 0; t < workspace->batch.tokens; t++) {
            const ttt_bf16 *row = ttt_bf16_row(d, (size_t)t);
            for (size_t c = first; c < end; c++) bias->part[TTT_GRADIENT][c] += ttt_bf16_to_float(row[c]);
        }
    }
}
