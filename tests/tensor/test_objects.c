/* What a backend says it can do, its objects, and when it allocates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "tensor/choose.h"
#include "tensor/dtype.h"
#include "tensor/network.h"

#include <math.h>
#include <string.h>

static ttt_error err;

static void every_case__is_supported(void **state) {
    (void)state;
    ttt_backend *backend = choose_backend(1);
    if (backend == NULL) skip();
    for (size_t i = 0; i < op_case_count; i++) {
        const ttt_shape shape = case_shape(&op_cases[i], NETWORK_LAYERS);
        if (backend->ops->supports(backend, &shape, &err) != TTT_OK) {
            fail_msg("case %s on %s: %s", op_cases[i].name, backend->ops->name, err.message);
        }
    }
    ttt_backend_free(backend);
}

static void impossible_shapes__are_refused_with_a_sentence(void **state) {
    (void)state;
    ttt_backend *backend = choose_backend(1);
    if (backend == NULL) skip();
    const ttt_shape good = case_shape(&op_cases[3], 1);
    ttt_shape bad[6] = {good, good, good, good, good, good};
    bad[0].kv_heads = 4; /* of 6 heads */
    bad[1].head_dim = 7;
    bad[2].head_dim = TTT_MAX_HEAD_DIM + 2;
    bad[3].width = 0;
    bad[4].axes = TTT_MAX_AXES + 1;
    bad[5].axis[1] = 3; /* of axes 0 to 2 */
    assert_int_equal(backend->ops->supports(backend, &good, &err), TTT_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ttt_workspace *workspace;
        err.message[0] = '\0';
        assert_int_equal(backend->ops->supports(backend, &bad[i], &err), TTT_ERROR_UNSUPPORTED);
        assert_true(strlen(err.message) > 10);
        assert_int_equal(backend->ops->workspace_new(backend, &bad[i], 4, 1, 0, false, &workspace, &err),
                         TTT_ERROR_UNSUPPORTED);
        assert_null(workspace);
    }
    ttt_backend_free(backend);
}

static void an_unknown_device__is_refused(void **state) {
    (void)state;
    ttt_backend *backend;
    assert_int_equal(ttt_backend_new("gpu9", 1, &backend, &err), TTT_ERROR_ARGUMENT);
    assert_null(backend);
    assert_non_null(strstr(err.message, "gpu9"));
    ttt_backend_free(NULL);
}

static void buffers__hold_rows_in_their_dtype(void **state) {
    (void)state;
    ttt_backend *backend = choose_backend(1);
    if (backend == NULL) skip();
    const ttt_backend_ops *ops = backend->ops;
    const ttt_dtype dtypes[] = {TTT_F32, ops->activation_dtype};
    for (int d = 0; d < 2; d++) {
        enum { ROWS = 37, COLUMNS = 13 };
        float values[ROWS * COLUMNS], back[ROWS * COLUMNS];
        ttt_buffer *buffer;
        network_check(ops->buffer_new(backend, ROWS, COLUMNS, dtypes[d], &buffer, &err), &err);
        assert_true(ops->buffer_bytes(buffer) >= ROWS * COLUMNS * ttt_dtype_size(dtypes[d]));
        network_check(ops->buffer_read(buffer, 0, ROWS, back, &err), &err);
        for (int i = 0; i < ROWS * COLUMNS; i++) assert_float_equal(back[i], 0, 0);
        for (int i = 0; i < ROWS * COLUMNS; i++) values[i] = sinf((float)i) * expf((float)(i % 40) - 20);
        network_check(ops->buffer_write(buffer, 0, ROWS, values, &err), &err);
        network_check(ops->buffer_write(buffer, 5, 2, values, &err), &err);
        memcpy(values + (size_t)5 * COLUMNS, values, sizeof(float) * 2 * COLUMNS);
        network_check(ops->buffer_read(buffer, 3, ROWS - 3, back, &err), &err);
        for (int i = 0; i < (ROWS - 3) * COLUMNS; i++) {
            const float value = values[3 * COLUMNS + i];
            const float held = dtypes[d] == TTT_F32 ? value : ttt_bf16_to_float(ttt_float_to_bf16(value));
            assert_memory_equal(&back[i], &held, sizeof held);
        }
        ops->buffer_free(buffer);
    }
    ops->buffer_free(NULL);
    ttt_backend_free(backend);
}

static void weights__keep_float32_masters_from_any_dtype(void **state) {
    (void)state;
    ttt_backend *backend = choose_backend(1);
    if (backend == NULL) skip();
    const ttt_backend_ops *ops = backend->ops;
    enum { ROWS = 5, COLUMNS = 7, SIZE = ROWS * COLUMNS };
    float f32[SIZE], back[SIZE];
    uint16_t bf16[SIZE], f16[SIZE];
    for (int i = 0; i < SIZE; i++) {
        f32[i] = (float)(i - 17) / 8; /* exact in all three */
        bf16[i] = ttt_float_to_bf16(f32[i]);
    }
    /* 1.0, -2.0, 0.5, the least subnormal, the largest: as IEEE 754 binary16 has them. */
    const uint16_t half_bits[] = {0x3C00, 0xC000, 0x3800, 0x0001, 0x7BFF};
    const float half_values[] = {1.0f, -2.0f, 0.5f, 0x1p-24f, 65504.0f};
    for (int i = 0; i < SIZE; i++) f16[i] = half_bits[i % 5];
    const struct {
        ttt_dtype dtype;
        const void *data;
    } forms[] = {{TTT_F32, f32}, {TTT_BF16, bf16}, {TTT_F16, f16}};
    for (size_t form = 0; form < 3; form++) {
        ttt_weight *weight;
        network_check(ops->weight_new(backend, ROWS, COLUMNS, forms[form].dtype, forms[form].data, true, &weight, &err),
                      &err);
        network_check(ops->weight_read(weight, TTT_VALUE, back, &err), &err);
        for (int i = 0; i < SIZE; i++) {
            assert_float_equal(back[i], forms[form].dtype == TTT_F16 ? half_values[i % 5] : f32[i], 0);
        }
        for (ttt_weight_part part = TTT_GRADIENT; part < TTT_WEIGHT_PART_COUNT; part++) {
            network_check(ops->weight_read(weight, part, back, &err), &err);
            for (int i = 0; i < SIZE; i++) assert_float_equal(back[i], 0, 0);
        }
        for (ttt_weight_part part = TTT_VALUE; part < TTT_WEIGHT_PART_COUNT; part++) {
            for (int i = 0; i < SIZE; i++) back[i] = (float)(i + 1) / 3 + (float)part; /* not exact in bf16 */
            network_check(ops->weight_write(weight, part, back, &err), &err);
        }
        for (ttt_weight_part part = TTT_VALUE; part < TTT_WEIGHT_PART_COUNT; part++) {
            network_check(ops->weight_read(weight, part, back, &err), &err);
            for (int i = 0; i < SIZE; i++) assert_float_equal(back[i], (float)(i + 1) / 3 + (float)part, 0);
        }
        ops->weight_free(weight);
    }
    ops->weight_free(NULL);
    ops->kv_free(NULL);
    ops->workspace_free(NULL);
    ttt_backend_free(backend);
}

/* A batch none of whose rows count (all of it context): no loss, a gradient of zero, and no weight's gradient moved. */
static void a_loss_of_no_rows__is_a_gradient_of_zero(void **state) {
    (void)state;
    ttt_backend *backend = choose_backend(2);
    if (backend == NULL) skip();
    network *net = network_new(backend, &op_cases[3], 0, 0);
    const size_t tokens = (size_t)net->batch.batch.tokens, width = (size_t)net->shape.width;
    const size_t head = (size_t)net->shape.vocabulary * width;
    float *values = ttt_allocate(tokens * width + 2 * head, sizeof *values), *d_head = values + tokens * width;
    network_fill_gradients(net);
    network_fill(net, net->final, "final", 1);
    network_fill(net, net->dx, "dx", 1);
    network_check(backend->ops->weight_read(net->output.head.weight, TTT_GRADIENT, d_head, &err), &err);
    network_check(
        backend->ops->loss(net->workspace, &net->output, net->final, 0, NULL, NULL, NULL, NULL, net->dx, &err), &err);
    network_check(backend->ops->buffer_read(net->dx, 0, tokens, values, &err), &err);
    for (size_t i = 0; i < tokens * width; i++) assert_float_equal(values[i], 0, 0);
    network_check(backend->ops->weight_read(net->output.head.weight, TTT_GRADIENT, d_head + head, &err), &err);
    assert_memory_equal(d_head, d_head + head, head * sizeof *d_head);
    ttt_free(values);
    network_free(net);
    ttt_backend_free(backend);
}

static void step(network *net) {
    ttt_weight *weights[NETWORK_WEIGHTS];
    size_t count = 0;
    double sum;
    float log_probabilities[64];
    for (size_t i = 0; i < net->weight_count; i++) {
        if (net->weights[i].trainable) weights[count++] = net->weights[i].weight;
    }
    network_check(net->ops->batch_begin(net->workspace, &net->batch.batch, &err), &err);
    network_loss(net, true);
    network_check(net->ops->gradient_square_sum(net->backend, weights, count, &sum, &err), &err);
    const ttt_adamw options = {
        .learning_rate = 1e-3f, .beta1 = 0.9f, .beta2 = 0.99f, .epsilon = 1e-8f, .gradient_scale = 1, .step = 1};
    network_check(net->ops->adamw(net->backend, weights, count, &options, &err), &err);
    const ttt_muon muon = {.learning_rate = 1e-3f, .momentum = 0.9f, .gradient_scale = 1};
    ttt_weight *q = net->layers[0].qkv.q.weight;
    if (net->c->full) network_check(net->ops->muon(net->workspace, q, &muon, &err), &err);
    network_forward(net, false);
    network_check(net->ops->next_log_probabilities(net->workspace, &net->output, net->final, 1, net->rows, NULL,
                                                   log_probabilities, &err),
                  &err);
    network_check(net->ops->kv_copy_page(net->kv, 0, 1, &err), &err);
}

static void operations__never_allocate(void **state) {
    (void)state;
    for (int threads = 1; threads <= 2; threads++) {
        ttt_backend *backend = choose_backend(threads);
        if (backend == NULL) skip();
        for (size_t i = 0; i < op_case_count; i++) {
            if (op_cases[i].vocabulary > 64) continue;
            network *net = network_new(backend, &op_cases[i], 0, 0);
            const size_t before = ttt_memory_allocation_count();
            step(net);
            assert_int_equal(ttt_memory_allocation_count() - before, 0);
            network_free(net);
        }
        ttt_backend_free(backend);
    }
}

/* Makes one object of each kind with the Nth allocation failing, until none fails. */
static void a_failed_allocation__is_an_error_and_leaks_nothing(void **state) {
    (void)state;
    const ttt_shape shape = case_shape(&op_cases[3], 2);
    const float values[6] = {1, 2, 3, 4, 5, 6};
    ttt_backend *probe = choose_backend(2);
    if (probe == NULL) skip();
    ttt_backend_free(probe);
    for (size_t n = 1; n < 200; n++) {
        ttt_backend *backend = NULL;
        ttt_buffer *buffer = NULL;
        ttt_weight *weight = NULL;
        ttt_kv *kv = NULL;
        ttt_workspace *workspace = NULL;
        ttt_memory_fail_at(n);
        ttt_status status = ttt_backend_new("cpu", 2, &backend, &err);
        if (status == TTT_OK) {
            const ttt_backend_ops *ops = backend->ops;
            status = ops->buffer_new(backend, 3, 4, ops->activation_dtype, &buffer, &err);
            if (status == TTT_OK) status = ops->weight_new(backend, 2, 3, TTT_F32, values, true, &weight, &err);
            if (status == TTT_OK) status = ops->kv_new(backend, 2, 3, 2, 8, &kv, &err);
            if (status == TTT_OK) status = ops->workspace_new(backend, &shape, 70, 3, 4, true, &workspace, &err);
            ops->workspace_free(workspace);
            ops->kv_free(kv);
            ops->weight_free(weight);
            ops->buffer_free(buffer);
        }
        ttt_memory_fail_at(0);
        ttt_backend_free(backend);
        if (status == TTT_OK) {
            assert_true(n > 5);
            return;
        }
        assert_int_equal(status, TTT_ERROR_MEMORY);
    }
    fail_msg("objects still fail with the 200th allocation");
}

/* That they are right is for people to judge; here they are numbers, also with more threads than cores. */
static void ceilings__are_measured(void **state) {
    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        ttt_backend *backend = choose_backend(threads);
        if (backend == NULL) skip();
        for (int what = 0; what < TTT_CEILING_COUNT; what++) {
            double per_second = -1;
            network_check(backend->ops->ceiling(backend, (ttt_ceiling)what, 0.001, &per_second, &err), &err);
            if (strcmp(backend->ops->name, "ref") == 0) {
                assert_true(per_second == 0);
            } else {
                assert_true(per_second > 1e6 && per_second < 1e16);
            }
        }
        ttt_backend_free(backend);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case__is_supported),
        cmocka_unit_test(impossible_shapes__are_refused_with_a_sentence),
        cmocka_unit_test(an_unknown_device__is_refused),
        cmocka_unit_test(buffers__hold_rows_in_their_dtype),
        cmocka_unit_test(weights__keep_float32_masters_from_any_dtype),
        cmocka_unit_test(a_loss_of_no_rows__is_a_gradient_of_zero),
        cmocka_unit_test(operations__never_allocate),
        cmocka_unit_test(ceilings__are_measured),
        cmocka_unit_test(a_failed_allocation__is_an_error_and_leaks_nothing),
    };
    return cmocka_run_group_tests_name("objects", tests, NULL, NULL);
}
