/* AdamW on float32 masters, and the packed forms renewed. */
#include "tensor/cpu/kernels.h"
#include "tensor/cpu/operations.h"
#include "tensor/cpu/weight.h"

#include <assert.h>
#include <math.h>

enum { PIECES = 256, PIECE = 512, CHUNK = 4096 };

/* Each weight's sum in pieces that depend on its size alone; the pieces are added up in order. */
ttt_status ttt_cpu_gradient_square_sum(ttt_backend *backend, ttt_weight *const *weights, size_t count, double *sum,
                                       ttt_error *err) {
    (void)err;
    const ttt_cpu_backend *cpu = ttt_cpu(backend);
    *sum = 0;
    for (size_t w = 0; w < count; w++) {
        assert(weights[w]->trainable);
        const float *gradient = weights[w]->part[TTT_GRADIENT];
        const size_t size = weights[w]->rows * weights[w]->columns, length = (size + PIECES - 1) / PIECES;
        double sums[PIECES] = {0};
#pragma omp parallel for schedule(static) num_threads(cpu->threads) if (size > 8 * CHUNK)
        for (size_t i = 0; i < PIECES; i++) {
            const size_t end = (i + 1) * length < size ? (i + 1) * length : size;
            for (size_t k = i * length; k < end; k += PIECE) {
                sums[i] += cpu->kernels->square_sum(gradient + k, end - k < PIECE ? end - k : PIECE);
            }
        }
        for (size_t i = 0; i < PIECES; i++) *sum += sums[i];
    }
    return TTT_OK;
}

ttt_status ttt_cpu_adamw(ttt_backend *backend, ttt_weight *const *weights, size_t count, const ttt_adamw *options,
                         ttt_error *err) {
    (void)err;
    assert(options->step >= 1);
    const ttt_cpu_backend *cpu = ttt_cpu(backend);
    ttt_adamw_factors factors = {
        .gradient_scale = options->gradient_scale,
        .beta1 = options->beta1,
        .beta2 = options->beta2,
        .epsilon = options->epsilon,
        .step_size = options->learning_rate / (float)(1.0 - pow(options->beta1, (double)options->step)),
        .root_correction = (float)(1.0 / sqrt(1.0 - pow(options->beta2, (double)options->step)))};
    for (size_t i = 0; i < count; i++) {
        ttt_weight *w = weights[i];
        assert(w->trainable);
        const size_t size = w->rows * w->columns, chunks = (size + CHUNK - 1) / CHUNK;
        factors.decay = w->rows > 1 ? 1.0f - options->learning_rate * options->weight_decay : 1.0f;
#pragma omp parallel for schedule(static) num_threads(cpu->threads) if (chunks > 4)
        for (size_t c = 0; c < chunks; c++) {
            const size_t at = c * CHUNK, length = size - at < CHUNK ? size - at : CHUNK;
            cpu->kernels->adamw(w->part[TTT_VALUE] + at, w->part[TTT_GRADIENT] + at, w->part[TTT_MOMENT1] + at,
                                w->part[TTT_MOMENT2] + at, length, &factors);
        }
        ttt_cpu_weight_pack(w, w->part[TTT_VALUE]);
    }
    return TTT_OK;
}
