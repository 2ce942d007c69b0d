/* RMSNorm: y = x·g·r with r = 1/sqrt(mean(x²) + ε). With u = g·dy its gradient is dx = r·u - x·r³·mean(x·u) and
 * dg = dy·x·r. r is computed again in backward: it costs less than it would to keep. */
#include "tensor/ref/ref.h"

#include <math.h>

static float inverse_root_mean_square(const ttt_workspace *workspace, const float *x, size_t width) {
    return 1.0f / sqrtf(ttt_ref_dot(x, x, width) / (float)width + workspace->shape.norm_epsilon);
}

void ttt_ref_norm(const ttt_workspace *workspace, const ttt_weight *gain, int32_t rows, const float *x, float *y) {
    const size_t width = gain->columns;
    const float *g = gain->part[TTT_VALUE];
    for (int32_t t = 0; t < rows; t++, x += width, y += width) {
        float r = inverse_root_mean_square(workspace, x, width);
        for (size_t i = 0; i < width; i++) y[i] = x[i] * r * g[i];
    }
}

void ttt_ref_norm_backward(const ttt_workspace *workspace, ttt_weight *gain, int32_t rows, const float *x,
                           const float *dy, float *dx) {
    const size_t width = gain->columns;
    const float *g = gain->part[TTT_VALUE];
    float *dg = gain->part[TTT_GRADIENT];
    for (int32_t t = 0; t < rows; t++, x += width, dy += width, dx += width) {
        float r = inverse_root_mean_square(workspace, x, width);
        float mean = 0; /* of x·u */
        for (size_t i = 0; i < width; i++) mean += x[i] * g[i] * dy[i];
        mean /= (float)width;
        for (size_t i = 0; i < width; i++) dx[i] += r * (g[i] * dy[i] - x[i] * r * r * mean);
        if (gain->trainable) {
            for (size_t i = 0; i < width; i++) dg[i] += dy[i] * x[i] * r;
        }
    }
}
