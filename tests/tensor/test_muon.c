/* Muon on matrices whose singular vectors are known: each singular value must have gone through the polynomial of
 * tensor/muon.h, in float64, on its own. */
#include "support.h"

#include "tensor/choose.h"
#include "tensor/muon.h"
#include "tensor/network.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

enum { RANK = 5, MOST = 128 };

static ttt_error err;
static const ttt_muon OPTIONS = {.learning_rate = 0.3f, .momentum = 0.9f, .weight_decay = 0.2f, .gradient_scale = 0.5f};
static const double FIRST[RANK] = {1, 0.7, 0.4, 0.2, 0.05}, SECOND[RANK] = {-0.3, 1, 0.1, 0.6, 0.2};

/* Element (i, k) of the reflection I - 2·v·vᵀ / ‖v‖², v_i = 1 + (i · 7 mod 5): an orthogonal matrix of that size. */
static double reflection(size_t size, size_t i, size_t k) {
    double norm = 0;
    for (size_t j = 0; j < size; j++) norm += pow(1 + (double)(j * 7 % 5), 2);
    return (i == k) - 2 * (1 + (double)(i * 7 % 5)) * (1 + (double)(k * 7 % 5)) / norm;
}

/* to [rows, columns] = Σ_k values[k] · u_k · v_kᵀ */
static void compose(size_t rows, size_t columns, const double values[RANK], float *to) {
    double u[MOST][RANK], v[MOST][RANK];
    for (size_t k = 0; k < RANK; k++) {
        for (size_t i = 0; i < rows; i++) u[i][k] = reflection(rows, i, k);
        for (size_t j = 0; j < columns; j++) v[j][k] = reflection(columns, j, k);
    }
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < columns; j++) {
            double sum = 0;
            for (size_t k = 0; k < RANK; k++) sum += values[k] * u[i][k] * v[j][k];
            to[i * columns + j] = (float)sum;
        }
    }
}

static void make_orthogonal(double values[RANK]) {
    double norm = 0;
    for (size_t k = 0; k < RANK; k++) norm += values[k] * values[k];
    for (size_t k = 0; k < RANK; k++) {
        double x = values[k] / sqrt(norm);
        for (int step = 0; step < TTT_MUON_STEPS; step++) {
            x = (double)TTT_MUON_A * x + (double)TTT_MUON_B * pow(x, 3) + (double)TTT_MUON_C * pow(x, 5);
        }
        values[k] = x;
    }
}

/* The value after both steps, from ones. */
static void expect(size_t rows, size_t columns, float *to) {
    const double momentum = (double)OPTIONS.momentum, rate = (double)OPTIONS.learning_rate,
                 decay = 1 - rate * (double)OPTIONS.weight_decay,
                 scale = rate * (double)TTT_MUON_SCALE * sqrt((double)(rows > columns ? rows : columns));
    double moment[RANK] = {0}, total[RANK] = {0};
    for (int step = 0; step < 2; step++) {
        double ahead[RANK];
        for (size_t k = 0; k < RANK; k++) {
            const double gradient = (step == 0 ? FIRST : SECOND)[k] * (double)OPTIONS.gradient_scale;
            moment[k] = momentum * moment[k] + (1 - momentum) * gradient;
            ahead[k] = momentum * moment[k] + (1 - momentum) * gradient;
        }
        make_orthogonal(ahead);
        for (size_t k = 0; k < RANK; k++) total[k] = total[k] * decay - scale * ahead[k];
    }
    compose(rows, columns, total, to);
    for (size_t i = 0; i < rows * columns; i++) to[i] += (float)(decay * decay);
}

static void check_matrix(ttt_backend *backend, ttt_workspace *workspace, size_t rows, size_t columns) {
    const ttt_backend_ops *ops = backend->ops;
    const size_t size = rows * columns;
    float *found = ttt_allocate(2 * size, sizeof *found), *expected = found + size;
    assert_non_null(found);
    ttt_weight *weight;
    for (size_t i = 0; i < size; i++) found[i] = 1;
    network_check(ops->weight_new(backend, rows, columns, TTT_F32, found, true, &weight, &err), &err);
    for (int step = 0; step < 2; step++) {
        compose(rows, columns, step == 0 ? FIRST : SECOND, found);
        network_check(ops->weight_write(weight, TTT_GRADIENT, found, &err), &err);
        network_check(ops->muon(workspace, weight, &OPTIONS, &err), &err);
    }
    expect(rows, columns, expected);
    network_check(ops->weight_read(weight, TTT_VALUE, found, &err), &err);
    double off = 0, moved = 0;
    const double start = pow(1 - (double)OPTIONS.learning_rate * (double)OPTIONS.weight_decay, 2);
    for (size_t i = 0; i < size; i++) {
        off += pow((double)found[i] - (double)expected[i], 2);
        moved += pow((double)expected[i] - start, 2);
    }
    /* In bf16 four times the deviation that test_against_ref.c works out. */
    const double allowed = ops->activation_dtype == TTT_F32 ? 3e-5 : 0.1;
    if (!(off <= allowed * allowed * moved)) {
        fail_msg("[%zu, %zu] on %s: off by %.3g of the step", rows, columns, ops->name, sqrt(off / moved));
    }
    ops->weight_free(weight);
    ttt_free(found);
}

static void singular_values__go_through_the_polynomial(void **state) {
    (void)state;
    ttt_backend *backend = choose_backend(2);
    if (backend == NULL) skip();
    const ttt_shape shape = case_shape(&op_cases[0], 1);
    ttt_workspace *workspace;
    network_check(backend->ops->workspace_new(backend, &shape, 1, 1, MOST, true, &workspace, &err), &err);
    const size_t sizes[][2] = {{RANK, RANK}, {7, 12}, {12, 7}, {33, 40}, {40, 33}, {64, 64}, {RANK, 100}, {128, 6}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        check_matrix(backend, workspace, sizes[i][0], sizes[i][1]);
    }
    backend->ops->workspace_free(workspace);
    ttt_backend_free(backend);
}

static void a_gradient_of_zeros__moves_nothing_but_the_decay(void **state) {
    (void)state;
    ttt_backend *backend = choose_backend(1);
    if (backend == NULL) skip();
    const ttt_shape shape = case_shape(&op_cases[0], 1);
    ttt_workspace *workspace;
    ttt_weight *weight;
    float values[12];
    for (size_t i = 0; i < 12; i++) values[i] = 2;
    network_check(backend->ops->workspace_new(backend, &shape, 1, 1, 1, true, &workspace, &err), &err);
    network_check(backend->ops->weight_new(backend, 3, 4, TTT_F32, values, true, &weight, &err), &err);
    network_check(backend->ops->muon(workspace, weight, &OPTIONS, &err), &err);
    network_check(backend->ops->weight_read(weight, TTT_VALUE, values, &err), &err);
    const float expected = 2 * (1 - OPTIONS.learning_rate * OPTIONS.weight_decay);
    for (size_t i = 0; i < 12; i++) assert_float_equal(values[i], expected, 1e-6f);
    backend->ops->weight_free(weight);
    backend->ops->workspace_free(workspace);
    ttt_backend_free(backend);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(singular_values__go_through_the_polynomial),
        cmocka_unit_test(a_gradient_of_zeros__moves_nothing_but_the_decay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
