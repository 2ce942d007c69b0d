/* Muon, as tensor/muon.h and backend.h say, in plain loops. */
#include "tensor/muon.h"

#include "tensor/ref/ref.h"

#include <assert.h>
#include <math.h>

/* out [rows, rows] = x·xᵀ, x [rows, columns] */
static void gram(const float *x, size_t rows, size_t columns, float *out) {
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < rows; j++) {
            out[i * rows + j] = ttt_ref_dot(x + i * columns, x + j * columns, columns);
        }
    }
}

/* x [rows, columns] = (a + b·G + c·G²)·x; g, p [rows, rows] and old [rows, columns] are scratch. */
static void newton_schulz(float *x, size_t rows, size_t columns, float *g, float *p, float *old) {
    gram(x, rows, columns, g);
    gram(g, rows, rows, p); /* g is symmetric: g·gᵀ = g² */
    for (size_t i = 0; i < rows * rows; i++) p[i] = TTT_MUON_B * g[i] + TTT_MUON_C * p[i];
    for (size_t i = 0; i < rows * columns; i++) {
        old[i] = x[i];
        x[i] *= TTT_MUON_A;
    }
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < rows; j++) {
            ttt_ref_add_scaled(x + i * columns, p[i * rows + j], old + j * columns, columns);
        }
    }
}

static void transpose(const float *from, size_t rows, size_t columns, float *to) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) to[c * rows + r] = from[r * columns + c];
    }
}

static float norm_of(const float *x, size_t size) {
    double sum = 0;
    for (size_t i = 0; i < size; i++) sum += (double)x[i] * (double)x[i];
    return fmaxf((float)sqrt(sum), TTT_MUON_SMALLEST);
}

/* x [rows, columns] made orthogonal, with its shorter side first on the way; `scratch` has room for as many numbers. */
static void make_orthogonal(ttt_workspace *workspace, float *x, size_t rows, size_t columns, float *scratch) {
    const bool tall = rows > columns;
    const size_t side = tall ? columns : rows, longer = tall ? rows : columns;
    const float norm = norm_of(x, rows * columns);
    for (size_t i = 0; i < rows * columns; i++) x[i] /= norm;
    if (tall) transpose(x, rows, columns, workspace->iterate);
    float *at = tall ? workspace->iterate : x;
    for (int step = 0; step < TTT_MUON_STEPS; step++) {
        newton_schulz(at, side, longer, workspace->gram, workspace->polynomial, scratch);
    }
    if (tall) transpose(at, side, longer, x);
}

/* The moment moves, and what is to be made orthogonal takes the gradient's place. */
static void look_ahead(ttt_weight *weight, const ttt_muon *options) {
    float *gradient = weight->part[TTT_GRADIENT], *moment = weight->part[TTT_MOMENT1];
    for (size_t i = 0; i < weight->rows * weight->columns; i++) {
        const float fresh = (1 - options->momentum) * options->gradient_scale * gradient[i];
        moment[i] = options->momentum * moment[i] + fresh;
        gradient[i] = fresh + options->momentum * moment[i];
    }
}

ttt_status ttt_ref_muon(ttt_workspace *workspace, ttt_weight *weight, const ttt_muon *options, ttt_error *err) {
    (void)err;
    assert(weight->trainable && workspace->training);
    const size_t rows = weight->rows, columns = weight->columns;
    float *value = weight->part[TTT_VALUE], *step = weight->part[TTT_GRADIENT], *scratch = weight->part[TTT_MOMENT2];
    look_ahead(weight, options);
    make_orthogonal(workspace, step, rows, columns, scratch);
    const float decay = 1 - options->learning_rate * options->weight_decay;
    const float rate = options->learning_rate * TTT_MUON_SCALE * sqrtf((float)(rows > columns ? rows : columns));
    for (size_t i = 0; i < rows * columns; i++) {
        value[i] = value[i] * decay - rate * step[i];
        step[i] = 0;
        scratch[i] = 0;
    }
    return TTT_OK;
}
