/* AdamW, Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, algorithm 2, as PyTorch writes it. */
#include "tensor/ref/ref.h"

#include <assert.h>
#include <math.h>

ttt_status ttt_ref_gradient_square_sum(ttt_backend *backend, ttt_weight *const *weights, size_t count, double *sum,
                                       ttt_error *err) {
    (void)backend, (void)err;
    *sum = 0;
    for (size_t w = 0; w < count; w++) {
        assert(weights[w]->trainable);
        const float *gradient = weights[w]->part[TTT_GRADIENT];
        const size_t size = weights[w]->rows * weights[w]->columns;
        for (size_t i = 0; i < size; i++) *sum += (double)gradient[i] * (double)gradient[i];
    }
    return TTT_OK;
}

static void step(ttt_weight *weight, const ttt_adamw *options) {
    const float decay = weight->rows > 1 ? 1.0f - options->learning_rate * options->weight_decay : 1.0f;
    const float rate = options->learning_rate / (float)(1.0 - pow(options->beta1, (double)options->step));
    const float root = (float)sqrt(1.0 - pow(options->beta2, (double)options->step));
    const size_t size = weight->rows * weight->columns;
    float *value = weight->part[TTT_VALUE], *gradient = weight->part[TTT_GRADIENT];
    float *first = weight->part[TTT_MOMENT1], *second = weight->part[TTT_MOMENT2];
    for (size_t i = 0; i < size; i++) {
        float g = gradient[i] * options->gradient_scale;
        first[i] = options->beta1 * first[i] + (1.0f - options->beta1) * g;
        second[i] = options->beta2 * second[i] + (1.0f - options->beta2) * g * g;
        value[i] = value[i] * decay - rate * first[i] / (sqrtf(second[i]) / root + options->epsilon);
        gradient[i] = 0;
    }
}

ttt_status ttt_ref_adamw(ttt_backend *backend, ttt_weight *const *weights, size_t count, const ttt_adamw *options,
                         ttt_error *err) {
    (void)backend, (void)err;
    assert(options->step >= 1);
    for (size_t w = 0; w < count; w++) {
        assert(weights[w]->trainable);
        step(weights[w], options);
    }
    return TTT_OK;
}
