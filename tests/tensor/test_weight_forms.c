/* What a weight is kept in changes no bit: products with blocks against products with the numbers that they stand for,
 * in bf16. */
#include "support.h"

#include "tensor/choose.h"
#include "tensor/operations.h"

static void compare(const op_case *c, operation op, network *blocks, network *numbers) {
    static records found, expected;
    operation_run(blocks, op, &found);
    operation_run(numbers, op, &expected);
    assert_int_equal(found.count, expected.count);
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

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(blocks__give_the_bits_of_their_numbers)};
    return cmocka_run_group_tests_name("weight forms", tests, NULL, NULL);
}
