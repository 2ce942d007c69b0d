/* Muon, as tensor/muon.h and backend.h say. Operands are bf16, sums and the iterate float32.
 *
 * All three products of a step are sums over rows, with an operand's rows read from it or from its transpose (P, a
 * polynomial of the symmetric G, is symmetric too); with W [rows, columns] the iterate:
 *
 *                          G = sum over rows of   W = a·W + sum over rows of
 *   wide, rows <= columns   Wᵀ and Wᵀ              P and W
 *   tall                    W and W                Wᵀ and P
 *
 * so gradient.c does them. The second moment's memory, which Muon has no other use for, holds W and Wᵀ; the gradient's
 * holds the iterate. */
#include "tensor/muon.h"

#include "tensor/cpu/kernels.h"
#include "tensor/cpu/linear.h"
#include "tensor/cpu/operations.h"
#include "tensor/cpu/weight.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { PIECE = 512, TILE = 32 };

typedef struct iterate {
    ttt_workspace *workspace;
    size_t rows, columns, side; /* side: the shorter */
    float *x;                   /* [rows, columns] */
    ttt_bf16 *rounded, *turned; /* [rows, columns], [columns, rows] */
} iterate;

static void scale_by(float *x, size_t count, float factor) {
    for (size_t i = 0; i < count; i++) x[i] *= factor;
}

/* to [columns, rows] = the transpose of from [rows, columns], in tiles that stay in the first cache. */
static void transpose(const ttt_bf16 *from, size_t rows, size_t columns, ttt_bf16 *to, int threads) {
#pragma omp parallel for schedule(static) num_threads(threads)
    for (size_t row = 0; row < rows; row += TILE) {
        const size_t row_end = row + TILE < rows ? row + TILE : rows;
        for (size_t column = 0; column < columns; column += TILE) {
            const size_t column_end = column + TILE < columns ? column + TILE : columns;
            for (size_t c = column; c < column_end; c++) {
                for (size_t r = row; r < row_end; r++) to[c * rows + r] = from[r * columns + c];
            }
        }
    }
}

static void round_into(const ttt_workspace *workspace, const float *x, size_t rows, size_t columns, float scale,
                       ttt_bf16 *to) {
    ttt_cpu(workspace->backend)->kernels->store(x, columns, (int)rows, (int)columns, scale, to, columns);
}

/* x = (a + b·G + c·G²)·x */
static void newton_schulz(const iterate *at) {
    ttt_workspace *workspace = at->workspace;
    const bool wide = at->rows <= at->columns;
    const size_t side = at->side, longer = wide ? at->columns : at->rows;
    float *gram = workspace->backward.gram;
    ttt_bf16 *rounded = workspace->backward.rounded;
    round_into(workspace, at->x, at->rows, at->columns, 1, at->rounded);
    transpose(at->rounded, at->rows, at->columns, at->turned, ttt_cpu(workspace->backend)->threads);

    const ttt_bf16 *long_rows = wide ? at->turned : at->rounded; /* [longer, side] */
    memset(gram, 0, side * side * sizeof *gram);
    ttt_cpu_gradient(workspace, gram, long_rows, side, side, long_rows, side, side, (int32_t)longer);
    round_into(workspace, gram, side, side, 1, rounded);
    scale_by(gram, side * side, TTT_MUON_B / TTT_MUON_C);
    ttt_cpu_gradient(workspace, gram, rounded, side, side, rounded, side, side, (int32_t)side);
    round_into(workspace, gram, side, side, TTT_MUON_C, rounded);

    scale_by(at->x, at->rows * at->columns, TTT_MUON_A);
    const ttt_bf16 *left = wide ? rounded : at->turned, *right = wide ? at->rounded : rounded;
    ttt_cpu_gradient(workspace, at->x, left, at->rows, at->rows, right, at->columns, at->columns, (int32_t)side);
}

/* The moment moves, and what is to be made orthogonal takes the gradient's place. */
static void look_ahead(ttt_weight *weight, const ttt_muon *options) {
    float *restrict gradient = weight->part[TTT_GRADIENT], *restrict moment = weight->part[TTT_MOMENT1];
    const float momentum = options->momentum, fresh = (1 - momentum) * options->gradient_scale;
    for (size_t i = 0; i < weight->rows * weight->columns; i++) {
        moment[i] = momentum * moment[i] + fresh * gradient[i];
        gradient[i] = momentum * moment[i] + fresh * gradient[i];
    }
}

static float norm_of(const ttt_cpu_kernels *kernels, const float *x, size_t size) {
    double sum = 0;
    for (size_t i = 0; i < size; i += PIECE) sum += kernels->square_sum(x + i, size - i < PIECE ? size - i : PIECE);
    return fmaxf((float)sqrt(sum), TTT_MUON_SMALLEST);
}

ttt_status ttt_cpu_muon(ttt_workspace *workspace, ttt_weight *weight, const ttt_muon *options, ttt_error *err) {
    (void)err;
    assert(weight->trainable && workspace->training);
    const size_t rows = weight->rows, columns = weight->columns, size = rows * columns;
    const size_t longer = rows > columns ? rows : columns;
    float *value = weight->part[TTT_VALUE];
    ttt_bf16 *memory = (ttt_bf16 *)weight->part[TTT_MOMENT2];
    const iterate at = {.workspace = workspace,
                        .rows = rows,
                        .columns = columns,
                        .side = rows < columns ? rows : columns,
                        .x = weight->part[TTT_GRADIENT],
                        .rounded = memory,
                        .turned = memory + size};
    assert(at.side <= (size_t)workspace->shape.width || at.side <= (size_t)workspace->max_rank);
    look_ahead(weight, options);
    scale_by(at.x, size, 1 / norm_of(ttt_cpu(workspace->backend)->kernels, at.x, size));
    for (int step = 0; step < TTT_MUON_STEPS; step++) newton_schulz(&at);
    const float decay = 1 - options->learning_rate * options->weight_decay;
    const float rate = options->learning_rate * TTT_MUON_SCALE * sqrtf((float)longer);
    for (size_t i = 0; i < size; i++) value[i] = value[i] * decay - rate * at.x[i];
    memset(at.x, 0, size * sizeof *at.x);
    memset(weight->part[TTT_MOMENT2], 0, size * sizeof(float));
    ttt_cpu_weight_pack(weight, value);
    return TTT_OK;
}
