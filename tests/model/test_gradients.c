/* Every gradient of a whole model against finite differences of its loss, on the oracle; and the backend that TTT_ISA
 * names against the oracle. */
#include "support.h"

#include "model/fixture.h"

#include "base/memory.h"
#include "model/session_inside.h"

#include <math.h>

enum { ROOM = 128 };

typedef struct setup {
    ttt_sequence sequences[2];
    ttt_packing *packing;
} setup;

static void setup_start(setup *s) {
    s->sequences[0] = fixture_sequence(1, 75, 3, 20);
    s->sequences[1] = fixture_sequence(3, 11, 0, 11);
    s->packing = fixture_packing(s->sequences, 2, ROOM);
}

static void setup_end(setup *s) {
    ttt_packing_free(s->packing);
    for (size_t i = 0; i < 2; i++) ttt_sequence_release(&s->sequences[i]);
}

/* Counted losses of the packing, [ROOM]. */
static int32_t losses(ttt_session *session, const ttt_packing *packing, float *loss) {
    ttt_error err;
    const int32_t *rows, *targets;
    float *scales;
    ASSERT_OK(ttt_session_loss(session, packing, loss, &err));
    return ttt_packing_counted(packing, &rows, &targets, &scales);
}

/* ---------------------------------------------------------------------------------------------- differences */

/* The loss where `parameter` is `value` + step·direction. */
static double loss_beside(ttt_session *session, const ttt_packing *packing, const ttt_parameter *parameter,
                          const float *value, double step, const float *direction) {
    ttt_error err;
    const size_t count = parameter->rows * parameter->columns;
    float *moved = ttt_allocate(count, sizeof *moved), loss[ROOM];
    for (size_t i = 0; i < count; i++) moved[i] = (float)((double)value[i] + step * (double)direction[i]);
    ASSERT_OK(session->ops->weight_write(parameter->weight, TTT_VALUE, moved, &err));
    double sum = 0;
    const int32_t counted = losses(session, packing, loss);
    for (int32_t i = 0; i < counted; i++) sum += (double)loss[i];
    ttt_free(moved);
    return sum;
}

static double dot(const float *a, const float *b, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

/* The derivative along a direction of unit length, by differences at ±step and ±2·step (error of fourth order), against
 * gradient·direction. A loss of about 150 in float32 terms is known to some 1e-5, so the difference to about 1e-3. */
static void check_direction(ttt_session *session, const ttt_packing *packing, const ttt_parameter *parameter,
                            const float *value, const float *gradient, float *direction) {
    const size_t count = parameter->rows * parameter->columns;
    const double length = sqrt(dot(direction, direction, count)), step = 0.01;
    for (size_t i = 0; i < count; i++) direction[i] = (float)((double)direction[i] / length);
    const double near = loss_beside(session, packing, parameter, value, step, direction) -
                        loss_beside(session, packing, parameter, value, -step, direction);
    const double far = loss_beside(session, packing, parameter, value, 2 * step, direction) -
                       loss_beside(session, packing, parameter, value, -2 * step, direction);
    const double measured = (8 * near - far) / (12 * step), expected = dot(gradient, direction, count);
    if (!(fabs(measured - expected) <= 5e-3 + 1e-3 * sqrt(dot(gradient, gradient, count)))) {
        fail_msg("%s: %.6f by differences, %.6f by the backward pass", parameter->name, measured, expected);
    }
}

/* Along the gradient (nothing may be missing from it) and along a random direction (nothing may be too much). */
static void check_parameters(ttt_session *session, const ttt_packing *packing) {
    ttt_error err;
    float loss[ROOM];
    ASSERT_OK(ttt_session_train(session, packing, loss, &err));
    ttt_random random = ttt_random_stream(9, "", "directions");
    for (size_t p = 0; p < session->parameter_count; p++) {
        const ttt_parameter *parameter = &session->parameters[p];
        const size_t count = parameter->rows * parameter->columns;
        float *value = ttt_allocate(count, sizeof *value), *gradient = ttt_allocate(count, sizeof *gradient),
              *direction = ttt_allocate(count, sizeof *direction);
        ASSERT_OK(session->ops->weight_read(parameter->weight, TTT_VALUE, value, &err));
        ASSERT_OK(session->ops->weight_read(parameter->weight, TTT_GRADIENT, gradient, &err));
        assert_true(dot(gradient, gradient, count) > 0);
        memcpy(direction, gradient, count * sizeof *direction);
        check_direction(session, packing, parameter, value, gradient, direction);
        for (size_t i = 0; i < count; i++) direction[i] = (float)ttt_random_normal(&random);
        check_direction(session, packing, parameter, value, gradient, direction);
        ASSERT_OK(session->ops->weight_write(parameter->weight, TTT_VALUE, value, &err));
        ttt_free(value);
        ttt_free(gradient);
        ttt_free(direction);
    }
}

/* B starts at zero, and then A has no gradient: gives every parameter of an adapter something. */
static void stir(ttt_session *session) {
    ttt_error err;
    ttt_random random = ttt_random_stream(4, "", "stir");
    for (size_t p = 0; p < session->parameter_count; p++) {
        const size_t count = session->parameters[p].rows * session->parameters[p].columns;
        float *value = ttt_allocate(count, sizeof *value);
        for (size_t i = 0; i < count; i++) value[i] = (float)(0.1 * ttt_random_normal(&random));
        ASSERT_OK(session->ops->weight_write(session->parameters[p].weight, TTT_VALUE, value, &err));
        ttt_free(value);
    }
}

static void check_session(bool tied, const ttt_session_options *options) {
    setup s;
    setup_start(&s);
    ttt_backend *backend = fixture_ref();
    const ttt_model_config config = fixture_config(tied);
    ttt_model *model = fixture_model(backend, &config);
    ttt_session *session = fixture_session(model, options);
    if (options->adaptation == TTT_ADAPT_LORA) stir(session);
    check_parameters(session, s.packing);
    ttt_session_free(session);
    ttt_model_free(model);
    ttt_backend_free(backend);
    setup_end(&s);
}

static void full__gradients_are_the_derivatives_of_the_loss(void **state) {
    (void)state;
    const ttt_session_options options = fixture_full(ROOM);
    check_session(false, &options);
}

static void full__tied_weight_gets_the_gradient_of_both_its_uses(void **state) {
    (void)state;
    const ttt_session_options options = fixture_full(ROOM);
    check_session(true, &options);
}

static void lora__gradients_are_the_derivatives_of_the_loss(void **state) {
    (void)state;
    const ttt_session_options options = fixture_lora(ROOM, (1u << TTT_LINEAR_COUNT) - 1);
    check_session(true, &options);
}

static void lora__each_linear_map_alone(void **state) {
    (void)state;
    for (ttt_linear_kind kind = 0; kind < TTT_LINEAR_COUNT; kind++) {
        const ttt_session_options options = fixture_lora(ROOM, 1u << kind);
        check_session(false, &options);
    }
}

/* ---------------------------------------------------------------------------------------------- against the oracle */

typedef struct outcome {
    int32_t counted;
    float loss[ROOM];
    float *gradient;
    size_t gradient_count;
} outcome;

/* Losses and gradients of one pass, every value of every weight disturbed by relative noise. */
static outcome outcome_of(ttt_backend *backend, ttt_architecture family, const ttt_packing *packing, double noise,
                          uint64_t seed) {
    ttt_error err;
    outcome result;
    ttt_model_config config = fixture_config(true);
    ASSERT_OK(ttt_model_config_set_architecture(&config, "test", "family", ttt_architecture_name(family), &err));
    ttt_model *model = fixture_model(backend, &config);
    const ttt_session_options options = fixture_full(ROOM);
    ttt_session *session = fixture_session(model, &options);
    ttt_random random = ttt_random_stream(seed, "", "noise");
    for (size_t p = 0; p < session->parameter_count && noise > 0; p++) {
        const size_t count = session->parameters[p].rows * session->parameters[p].columns;
        float *value = ttt_allocate(count, sizeof *value);
        ASSERT_OK(session->ops->weight_read(session->parameters[p].weight, TTT_VALUE, value, &err));
        for (size_t i = 0; i < count; i++) value[i] *= (float)(1 + noise * ttt_random_normal(&random));
        ASSERT_OK(session->ops->weight_write(session->parameters[p].weight, TTT_VALUE, value, &err));
        ttt_free(value);
    }
    result.counted = losses(session, packing, result.loss);
    ASSERT_OK(ttt_session_train(session, packing, result.loss, &err));
    result.gradient = fixture_parameters(session, TTT_GRADIENT, &result.gradient_count);
    ttt_session_free(session);
    ttt_model_free(model);
    return result;
}

/* Length of the difference over length of the expected. */
static double relative_distance(const float *found, const float *expected, size_t count) {
    double difference = 0;
    for (size_t i = 0; i < count; i++) {
        const double d = (double)found[i] - (double)expected[i];
        difference += d * d;
    }
    return sqrt(difference / dot(expected, expected, count));
}

/* A backend with bf16 activations rounds each of them once or twice, relative 2^-9 at most. What that may do to losses
 * and gradients the oracle says itself: noise of 2^-8 on all its weights disturbs every sum of products like noise of
 * that size on every activation would. */
static void check_against_oracle(ttt_architecture family) {
    setup s;
    ttt_backend *backend = fixture_backend(), *ref = fixture_ref(); /* first: may skip */
    setup_start(&s);
    outcome found = outcome_of(backend, family, s.packing, 0, 0), expected = outcome_of(ref, family, s.packing, 0, 0);
    double loss_noise = 0, gradient_noise = 0;
    enum { SEEDS = 4 };
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        outcome noisy = outcome_of(ref, family, s.packing, 1.0 / 256, seed);
        loss_noise += relative_distance(noisy.loss, expected.loss, (size_t)expected.counted) / SEEDS;
        gradient_noise += relative_distance(noisy.gradient, expected.gradient, expected.gradient_count) / SEEDS;
        ttt_free(noisy.gradient);
    }
    const double loss_error = relative_distance(found.loss, expected.loss, (size_t)expected.counted),
                 gradient_error = relative_distance(found.gradient, expected.gradient, expected.gradient_count);
    print_message("%s, %s: losses off by %.2g (noise: %.2g), gradients by %.2g (noise: %.2g)\n", backend->ops->name,
                  ttt_architecture_name(family), loss_error, loss_noise, gradient_error, gradient_noise);
    assert_true(loss_noise > 0 && loss_error <= loss_noise);
    assert_true(gradient_noise > 0 && gradient_error <= gradient_noise);
    ttt_free(found.gradient);
    ttt_free(expected.gradient);
    ttt_backend_free(backend);
    ttt_backend_free(ref);
    setup_end(&s);
}

static void losses_and_gradients__of_the_backend_are_the_oracle_s_but_for_rounding(void **state) {
    (void)state;
    check_against_oracle(TTT_ARCHITECTURE_LLAMA);
    check_against_oracle(TTT_ARCHITECTURE_QWEN2);
    check_against_oracle(TTT_ARCHITECTURE_QWEN3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full__gradients_are_the_derivatives_of_the_loss),
        cmocka_unit_test(full__tied_weight_gets_the_gradient_of_both_its_uses),
        cmocka_unit_test(lora__gradients_are_the_derivatives_of_the_loss),
        cmocka_unit_test(lora__each_linear_map_alone),
        cmocka_unit_test(losses_and_gradients__of_the_backend_are_the_oracle_s_but_for_rounding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
