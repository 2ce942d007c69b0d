/* What a weight is kept in changes no bit: products with blocks against products with the numbers that they stand for
 * (here such as bf16 can hold); with a large frozen weight against a trainable one. What is read back is what was put
 * in. */
#include "support.h"

#include "base/memory.h"
#include "tensor/choose.h"
#include "tensor/dtype.h"
#include "tensor/operations.h"

static ttt_error err;

/* What the first network wrote, the second one wrote too. (It may go on to write gradients, which come last.) */
static void compare(const op_case *c, operation op, network *blocks, network *numbers) {
    static records found, expected;
    operation_run(blocks, op, &found);
    operation_run(numbers, op, &expected);
    assert_true(found.count <= expected.count);
    for (size_t i = 0; i < found.count; i++) {
        const record *a = &found.items[i], *b = &expected.items[i];
        assert_string_equal(a->name, b->name);
        if (memcmp(a->values, b->values, a->rows * a->columns * sizeof *a->values) == 0) continue;
        fail_msg("%s of case %s: %s differs", operation_names[op], c->name, a->name);
    }
    records_release(&found);
    records_release(&expected);
}

static void blocks__give_the_bits_of_their_numbers(void **state) {
    (void)state;
    ttt_backend *backend = choose_backend(2);
    if (backend == NULL) skip();
    if (backend->ops->activation_dtype == TTT_F32) {
        ttt_backend_free(backend);
        SKIP("the oracle keeps every weight as float32");
    }
    int compared = 0;
    for (size_t i = 0; i < op_case_count; i++) {
        if (op_cases[i].dtype == TTT_F32) continue;
        op_case unpacked = op_cases[i];
        unpacked.unpacked = true;
        network *blocks = network_new(backend, &op_cases[i], 0, 0), *numbers = network_new(backend, &unpacked, 0, 0);
        for (operation op = 0; op < OP_COUNT; op++) compare(&op_cases[i], op, blocks, numbers);
        network_free(blocks);
        network_free(numbers);
        compared++;
    }
    assert_true(compared >= 4);
    ttt_backend_free(backend);
}

/* Two row blocks and one; matrices just above the size up to which both packed forms are kept. */
static void a_large_frozen_weight__gives_the_bits_of_a_trainable_one(void **state) {
    (void)state;
    ttt_backend *backend = choose_backend(2);
    if (backend == NULL) skip();
    static const int32_t lengths[] = {4, 101};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        const op_case frozen = {.name = "large",
                                .width = 1088,
                                .heads = 2,
                                .kv_heads = 1,
                                .head_dim = 16,
                                .hidden = 1100,
                                .vocabulary = 1001,
                                .axes = 1,
                                .lengths = {lengths[i]},
                                .count_every = 1};
        op_case full = frozen;
        full.full = true;
        network *a = network_new(backend, &frozen, 0, 0), *b = network_new(backend, &full, 0, 0);
        const bool is_oracle = backend->ops->activation_dtype == TTT_F32; /* it knows no forms: half a minute saved */
        for (operation op = 0; op < OP_ADAMW && !is_oracle; op++) compare(&frozen, op, a, b);
        network_free(a);
        network_free(b);
    }
    ttt_backend_free(backend);
}

/* A frozen weight of any dtype and form, as the backend says it keeps it; vectors and trainable ones keep every bit of
 * float32. */
static void values__are_read_from_every_form(void **state) {
    (void)state;
    ttt_backend *backend = choose_backend(2);
    if (backend == NULL) skip();
    static const ttt_dtype dtypes[] = {TTT_F32, TTT_BF16, TTT_F16, TTT_Q8_0, TTT_Q4_0, TTT_Q4_K, TTT_Q6_K};
    static const size_t rows[] = {1, 2, 70, 5000};
    enum { COLUMNS = 256 };
    for (size_t i = 0; i < 2 * sizeof dtypes / sizeof *dtypes; i++) {
        const ttt_dtype dtype = dtypes[i / 2];
        const bool trainable = i % 2 == 1;
        for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
            const size_t count = rows[r] * COLUMNS;
            const ttt_dtype kept =
                ttt_dtype_is_plain(dtype) ? backend->ops->activation_dtype : backend->ops->block_dtype;
            const bool rounded = kept == TTT_BF16 && !trainable && rows[r] > 1;
            size_t bytes;
            assert_true(ttt_dtype_bytes(dtype, count, &bytes));
            uint8_t *data = ttt_allocate(bytes, 1);
            float *expected = ttt_allocate(count, sizeof *expected), *found = ttt_allocate(count, sizeof *found);
            for (size_t k = 0; k < bytes; k++) data[k] = (uint8_t)(k * k >> 3) & 0x3F; /* no infinity, no NaN */
            ttt_dtype_to_float(dtype, data, count, expected);
            ttt_weight *weight;
            ASSERT_OK(backend->ops->weight_new(backend, rows[r], COLUMNS, dtype, data, trainable, &weight, &err));
            ASSERT_OK(backend->ops->weight_read(weight, TTT_VALUE, found, &err));
            for (size_t k = 0; k < count; k++) {
                if (rounded) expected[k] = ttt_bf16_to_float(ttt_float_to_bf16(expected[k]));
                if (found[k] == expected[k]) continue;
                fail_msg("%s, %zu rows, %s: number %zu is %.9g, not %.9g", ttt_dtype_name(dtype), rows[r],
                         trainable ? "trainable" : "frozen", k, found[k], expected[k]);
            }
            backend->ops->weight_free(weight);
            ttt_free(data);
            ttt_free(expected);
            ttt_free(found);
        }
    }
    ttt_backend_free(backend);
}

/* Every allocation of a weight of each kind made to fail. */
static void without_memory__there_is_no_weight(void **state) {
    (void)state;
    ttt_backend *backend = choose_backend(2);
    if (backend == NULL) skip();
    static const ttt_dtype dtypes[] = {TTT_F32, TTT_BF16, TTT_Q4_K};
    static uint8_t data[70 * 256 * 4];
    for (size_t d = 0; d < 2 * sizeof dtypes / sizeof *dtypes; d++) {
        ttt_status status = TTT_ERROR_MEMORY;
        for (size_t n = 1; status != TTT_OK; n++) {
            ttt_weight *weight;
            ttt_memory_fail_at(n);
            status = backend->ops->weight_new(backend, 70, 256, dtypes[d / 2], data, d % 2 == 1, &weight, &err);
            ttt_memory_fail_at(0);
            assert_int_equal(status, weight == NULL ? TTT_ERROR_MEMORY : TTT_OK);
            assert_true(n < 20 && (n > 1 || status != TTT_OK));
            backend->ops->weight_free(weight);
        }
    }
    ttt_backend_free(backend);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks__give_the_bits_of_their_numbers),
        cmocka_unit_test(a_large_frozen_weight__gives_the_bits_of_a_trainable_one),
        cmocka_unit_test(values__are_read_from_every_form),
        cmocka_unit_test(without_memory__there_is_no_weight),
    };
    return cmocka_run_group_tests_name("weight forms", tests, NULL, NULL);
}
