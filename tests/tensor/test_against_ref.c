/* Every operation of every case on the chosen backend against the oracle.
 *
 * How far off may a backend be that rounds activations and products' inputs to bf16 and accumulates in float32? The
 * oracle itself says: it is run again with every input (activations, weights, and what a forward hands its backward)
 * disturbed by relative noise of up to 2^-8, the largest error of one rounding to bf16. That moves an output element by
 * some σ, which knows of reduction lengths, cancellations and how sharp a softmax is. Noise of ±2^-8 has 1.5 to 2 times
 * the deviation of a rounding error, and a fused operation rounds two or three times inside (the normed input, the
 * probabilities, the gated product), each about like one of its inputs: so the error's deviation is about σ, and of a
 * million numbers none lies beyond 5.5. σ is estimated over a few runs, per row but not below a quarter of the whole
 * array's (a row has few numbers), and 6 of it are allowed. Where one term outweighs the rest of its sum, the element
 * is far larger than its neighbours and off by that term's own error, at most one rounding of each of its two factors:
 * 2^-7 of the element's size more (the rounding of a result stored in bf16 is in that, too). Float32 accumulation adds
 * 2^-24·√n, under 2^-18 of the array's mean size for any n here.
 *
 * Where no noise moves anything (spare rows, rows not counted, gradients of what an operation must not touch) the bits
 * have to be equal. Dropping or adding one key of 200 changes a row of attention's output by a fourteenth: ten times
 * what is allowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "tensor/choose.h"
#include "tensor/operations.h"

#include <math.h>
#include <string.h>

enum { NOISE_RUNS = 3 };
#define NOISE 0x1p-8f

typedef struct check {
    const op_case *c;
    operation op;
    const ttt_backend_ops *ops;
} check;

/* Deviation of the disturbed runs from the clean one over elements [first, end). */
static double deviation(const record *clean, const records *noisy, size_t item, size_t first, size_t end) {
    double sum = 0;
    for (int run = 0; run < NOISE_RUNS; run++) {
        const float *values = noisy[run].items[item].values;
        for (size_t i = first; i < end; i++) {
            double d = isfinite(clean->values[i]) ? (double)values[i] - (double)clean->values[i] : 0;
            sum += d * d;
        }
    }
    return sqrt(sum / (double)((end - first) * NOISE_RUNS));
}

static double mean_size(const record *r, size_t rows) {
    double sum = 0;
    for (size_t i = 0; i < rows * r->columns; i++) {
        if (isfinite(r->values[i])) sum += (double)r->values[i] * (double)r->values[i];
    }
    return sqrt(sum / (double)(rows * r->columns));
}

static void compare(const check *at, const record *clean, const records *noisy, size_t item, const record *found) {
    const size_t rows = clean->rows - clean->spare, columns = clean->columns;
    assert_string_equal(clean->name, found->name);
    const double whole = deviation(clean, noisy, item, 0, rows * columns);
    const double floor = 0x1p-18 * mean_size(clean, rows);
    for (size_t row = 0; row < clean->rows; row++) {
        const size_t first = row * columns;
        const double own = deviation(clean, noisy, item, first, first + columns);
        const double bound = own == 0 ? 0 : 6 * fmax(own, whole / 4) + floor;
        for (size_t i = first; i < first + columns; i++) {
            const double expected = clean->values[i], got = found->values[i];
            const double allowed = bound > 0 ? bound + 0x1p-7 * fabs(expected) : 0;
            if (expected == got || fabs(expected - got) <= allowed) continue;
            fail_msg("%s of case %s on %s: %s [%zu, %zu] of [%zu, %zu] is %.7g, the oracle says %.7g, allowed %.2g",
                     operation_names[at->op], at->c->name, at->ops->name, clean->name, row, i - first, rows, columns,
                     got, expected, allowed);
        }
        if (row >= rows) {
            for (size_t i = first; i < first + columns; i++) assert_float_equal(found->values[i], NETWORK_SENTINEL, 0);
        }
    }
}

/* The optimizer works in float32 on every backend: no noise, but room for another order of the same few roundings. */
static void compare_float32(const check *at, const record *clean, const record *found) {
    assert_string_equal(clean->name, found->name);
    const double size = mean_size(clean, clean->rows);
    for (size_t i = 0; i < clean->rows * clean->columns; i++) {
        const double expected = clean->values[i], got = found->values[i];
        if (fabs(expected - got) <= 0x1p-20 * (fabs(expected) + size)) continue;
        fail_msg("%s of case %s on %s: %s element %zu is %.9g, the oracle says %.9g", operation_names[at->op],
                 at->c->name, at->ops->name, clean->name, i, got, expected);
    }
}

/* Muon's steps mix all numbers of a matrix, so an error is one of the matrix: it is judged by its mean size, against
 * what the noise does (small singular values come out enlarged, their noise too) and what is rounded inside. Each of
 * the five iterations rounds the polynomial b·G + c·G², which is near 2.7, by up to 2^-7, and the iterate that it
 * multiplies by up to 2^-9 of itself: 0.55 % of the iterate in the mean. Where singular values end up, between 0.7
 * and 1.2, the next iterations multiply that by their slope, 0.7 to 1.6 in size: 2.5 % after the fifth, with a mean
 * of 1.3. Recorded are sums of two steps. A matrix has few singular values to take the mean of: 4 deviations. Of its
 * elements, none may be off by more than 6, and as much again of its own size: in a matrix of low rank an element's
 * error goes with the element. (What the step is, test_muon.c asks of the oracle to float32's precision.) */
static void compare_muon_steps(const check *at, const record *clean, const records *noisy, size_t item,
                               const record *found) {
    assert_string_equal(clean->name, found->name);
    const size_t size = clean->rows * clean->columns;
    const double noise = deviation(clean, noisy, item, 0, size), rounding = 0.025 * OPERATION_MUON_STEP * sqrt(2);
    const double one = hypot(noise, rounding); /* deviation */
    double sum = 0;
    for (size_t i = 0; i < size; i++) {
        const double error = (double)found->values[i] - (double)clean->values[i];
        sum += error * error;
        const double expected = clean->values[i], most = 6 * (one + 0.025 * fabs(expected));
        if (fabs(error) <= most) continue;
        fail_msg("muon of case %s on %s: %s element %zu of [%zu, %zu] is %.7g, the oracle says %.7g, allowed %.2g",
                 at->c->name, at->ops->name, clean->name, i, clean->rows, clean->columns, expected + error, expected,
                 most);
    }
    const double error = sqrt(sum / (double)size), allowed = 4 * one;
    if (error <= allowed) return;
    fail_msg("muon of case %s on %s: %s [%zu, %zu] is off by %.2g in the mean, allowed %.2g", at->c->name,
             at->ops->name, clean->name, clean->rows, clean->columns, error, allowed);
}

static void check_operation(const check *at, network *clean, network *const *noisy, network *other) {
    static records expected, disturbed[NOISE_RUNS], found;
    operation_run(clean, at->op, &expected);
    operation_run(other, at->op, &found);
    assert_int_equal(expected.count, found.count);
    for (int run = 0; run < NOISE_RUNS; run++) operation_run(noisy[run], at->op, &disturbed[run]);
    for (size_t i = 0; i < expected.count; i++) {
        if (at->op == OP_ADAMW) {
            compare_float32(at, &expected.items[i], &found.items[i]);
        } else if (at->op == OP_MUON && strncmp(expected.items[i].name, "value", 5) == 0) {
            compare_muon_steps(at, &expected.items[i], disturbed, i, &found.items[i]);
        } else {
            compare(at, &expected.items[i], disturbed, i, &found.items[i]);
        }
    }
    records_release(&expected);
    records_release(&found);
    for (int run = 0; run < NOISE_RUNS; run++) records_release(&disturbed[run]);
}

static void every_operation__agrees_with_the_oracle(void **state) {
    const op_case *c = *state;
    ttt_error err;
    ttt_backend *other = choose_backend(2), *ref;
    if (other == NULL) skip();
    network_check(ttt_backend_ref_new(&ref, &err), &err);
    network *expected = network_new(ref, c, 0, 0), *found = network_new(other, c, 0, 0), *noisy[NOISE_RUNS];
    for (int run = 0; run < NOISE_RUNS; run++) noisy[run] = network_new(ref, c, NOISE, (uint64_t)run + 1);
    for (operation op = 0; op < OP_COUNT; op++) {
        const check at = {c, op, other->ops};
        check_operation(&at, expected, noisy, found);
    }
    /* AdamW was the last: the products must be of the weights it made. */
    const check again[] = {
        {c, OP_QKV, other->ops}, {c, OP_MLP_BACKWARD, other->ops}, {c, OP_LOSS_BACKWARD, other->ops}};
    for (size_t i = 0; i < sizeof again / sizeof *again; i++) check_operation(&again[i], expected, noisy, found);

    for (int run = 0; run < NOISE_RUNS; run++) network_free(noisy[run]);
    network_free(expected);
    network_free(found);
    ttt_backend_free(ref);
    ttt_backend_free(other);
}

int main(void) {
    struct CMUnitTest tests[64];
    for (size_t i = 0; i < op_case_count; i++) {
        tests[i] = (struct CMUnitTest){.name = op_cases[i].name,
                                       .test_func = every_operation__agrees_with_the_oracle,
                                       .initial_state = (void *)&op_cases[i]};
    }
    return _cmocka_run_group_tests("against_ref", tests, op_case_count, NULL, NULL);
}
