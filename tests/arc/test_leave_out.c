/* Derived training tasks. */
#include "grids.h"

#include "arc/leave_out.h"
#include "base/memory.h"

/* Four pairs without any symmetry, input and output of one shape, so that nothing is equal by accident. */
static const ttt_pair *four_pairs(void) {
    static ttt_pair pairs[4];
    const char *texts[4][2] = {{"1200/0034/5600", "2100/0043/6500"},
                               {"1020/3400/0056", "2010/4300/0065"},
                               {"1002/0304/5060", "2001/0403/6050"},
                               {"0123/4500/0600", "0213/5400/0600"}};
    for (int i = 0; i < 4; i++) pairs[i] = pair_of(texts[i][0], texts[i][1]);
    return pairs;
}

static void leave_one_out__keeps_pair_order(void **state) {
    (void)state;
    const ttt_source source = {four_pairs(), 4, NULL};
    ttt_derivation_list list = {0};
    ttt_error err;
    ASSERT_OK(ttt_derive_initial(&source, 1, false, &list, &err));
    assert_int_equal(list.count, 4);
    const uint8_t expected[4][3] = {{1, 2, 3}, {0, 2, 3}, {0, 1, 3}, {0, 1, 2}};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(list.items[i].held_out, i);
        assert_int_equal(list.items[i].count, 3);
        assert_memory_equal(list.items[i].order, expected[i], 3);
    }
    ttt_free(list.items);
}

static void leave_two_out__removes_each_other_pair_in_turn(void **state) {
    (void)state;
    const ttt_source four = {four_pairs(), 4, NULL}, two = {four_pairs(), 2, NULL};
    ttt_derivation_list list = {0};
    ttt_error err;
    ASSERT_OK(ttt_derive_initial(&four, 2, false, &list, &err));
    assert_int_equal(list.count, 12);
    const uint8_t first[2] = {2, 3}, last[2] = {0, 1};
    assert_memory_equal(list.items[0].order, first, 2);
    assert_memory_equal(list.items[11].order, last, 2);
    list.count = 0;
    ASSERT_OK(ttt_derive_initial(&two, 2, false, &list, &err));
    assert_int_equal(list.count, 0);
    ASSERT_OK(ttt_derive_initial(&two, 2, true, &list, &err));
    assert_int_equal(list.count, 2);
    assert_int_equal(list.items[1].count, 0);
    ttt_free(list.items);
}

static void shift__is_the_same_for_all_grids_of_a_task_and_never_nothing(void **state) {
    (void)state;
    const ttt_source source = {four_pairs(), 4, NULL};
    ttt_random random = ttt_random_stream(3, "", "test");
    ttt_derivation_list list = {0};
    ttt_error err;
    int method = 0;
    while (!ttt_transform_has_shift(ttt_method_transform(method))) method++;
    ASSERT_OK(ttt_derive_initial(&source, 1, false, &list, &err));
    for (int round = 0; round < 50; round++)
        ASSERT_OK(ttt_derive_transformed(&source, 4, method, &random, &list, &err));
    assert_int_equal(list.count, 4 + 200);
    for (size_t i = 4; i < list.count; i++) {
        const ttt_step *step = &list.items[i].transform.steps[0];
        ttt_pair demonstrations[4], question;
        ttt_grid expected;
        assert_true(step->a + step->b > 0 && step->a < 3 && step->b < 4);
        assert_true(ttt_derive(&source, &list.items[i], demonstrations, &question));
        ttt_grid_shift(&source.pairs[list.items[i].held_out].output, step->a, step->b, &expected);
        assert_true(ttt_grid_equal(&question.output, &expected));
    }
    ttt_free(list.items);
}

static void shift__is_left_out_where_input_and_output_differ_in_shape(void **state) {
    (void)state;
    ttt_pair pairs[2] = {pair_of("12/34", "12/34"), pair_of("12/34", "123")};
    const ttt_source source = {pairs, 2, NULL};
    ttt_random random = ttt_random_stream(3, "", "test");
    ttt_derivation_list list = {0};
    ttt_error err;
    ASSERT_OK(ttt_derive_initial(&source, 1, false, &list, &err));
    ASSERT_OK(ttt_derive_transformed(&source, 2, 9, &random, &list, &err));
    assert_true(ttt_transform_has_shift(ttt_method_transform(9)));
    assert_int_equal(list.count, 2);
    ttt_free(list.items);
}

static void unique__compares_grids_in_order_and_keeps_the_first(void **state) {
    (void)state;
    /* Symmetric grids: turning them changes nothing. */
    ttt_pair pairs[3] = {pair_of("1", "2"), pair_of("3", "4"), pair_of("1", "2")};
    const ttt_source source = {pairs, 3, NULL};
    ttt_random random = ttt_random_stream(3, "", "test");
    ttt_derivation_list list = {0};
    ttt_error err;
    ASSERT_OK(ttt_derive_initial(&source, 1, false, &list, &err));
    ASSERT_OK(ttt_derive_transformed(&source, 3, 0, &random, &list, &err));
    assert_int_equal(list.count, 6);
    ASSERT_OK(ttt_derive_unique(&source, &list, &err));
    /* Asking pair 0 shows (1, 2) and asking pair 2 shows (0, 1): the same grids in another order, so both stay. */
    assert_int_equal(list.count, 3);
    for (size_t i = 0; i < 3; i++) assert_int_equal(list.items[i].method, -1);
    ttt_free(list.items);
}

static void select__takes_leave_one_out_first_and_never_more_than_the_cap(void **state) {
    (void)state;
    ttt_random random = ttt_random_stream(4, "", "test");
    size_t *chosen, count;
    ttt_error err;
    ASSERT_OK(ttt_derive_select(100, 400, 250, false, &random, &chosen, &count, &err));
    assert_int_equal(count, 250);
    for (size_t i = 0; i < count; i++) assert_int_equal(chosen[i], i);
    ttt_free(chosen);
    ASSERT_OK(ttt_derive_select(0, 400, 250, false, &random, &chosen, &count, &err));
    assert_int_equal(count, 250);
    ttt_free(chosen);
    ASSERT_OK(ttt_derive_select(0, 400, 250, true, &random, &chosen, &count, &err)); /* the reference's accident */
    assert_int_equal(count, 400);
    ttt_free(chosen);
    ASSERT_OK(ttt_derive_select(300, 400, 250, false, &random, &chosen, &count, &err));
    assert_int_equal(count, 250);
    bool seen[300] = {false}, ascending = true;
    for (size_t i = 0; i < count; i++) {
        assert_true(chosen[i] < 300 && !seen[chosen[i]]);
        seen[chosen[i]] = true;
        ascending = ascending && chosen[i] == i;
    }
    assert_false(ascending); /* a random choice */
    ttt_free(chosen);
    ASSERT_OK(ttt_derive_select(0, 0, 250, false, &random, &chosen, &count, &err));
    assert_int_equal(count, 0);
    ttt_free(chosen);
}

static bool few_demonstrations(void *context, const ttt_pair *demonstrations, size_t count, const ttt_pair *question) {
    (void)demonstrations, (void)question;
    return count <= *(size_t *)context;
}

static void derive_all__fills_up_to_the_cap_with_distinct_tasks_that_fit(void **state) {
    (void)state;
    const ttt_source source = {four_pairs(), 4, NULL};
    ttt_derive_options options = ttt_derive_defaults();
    ttt_random random = ttt_random_stream(5, "", "test");
    ttt_derivation_list list = {0};
    ttt_error err;
    ASSERT_OK(ttt_derive_all(&source, &options, &random, &list, &err));
    assert_int_equal(list.count, 250); /* 4 pairs, 24 forms, 2 copies: 192 leave-one-out, the rest leave-two-out */
    assert_int_equal(list.items[191].left_out, 1);
    assert_int_equal(list.items[192].left_out, 2);
    ASSERT_OK(ttt_derive_unique(&source, &list, &err));
    assert_int_equal(list.count, 250);
    size_t limit = 2;
    options.fits = few_demonstrations;
    options.context = &limit;
    list.count = 0;
    ASSERT_OK(ttt_derive_all(&source, &options, &random, &list, &err));
    assert_int_equal(list.count, 250); /* only leave-two-out fits, and the cap holds */
    for (size_t i = 0; i < list.count; i++) assert_int_equal(list.items[i].left_out, 2);
    ttt_free(list.items);
}

static void derive_all__uses_empty_questions_only_when_nothing_else_is_left(void **state) {
    (void)state;
    const ttt_source two = {four_pairs(), 2, NULL}, one = {four_pairs(), 1, NULL};
    ttt_derive_options options = ttt_derive_defaults();
    ttt_random random = ttt_random_stream(6, "", "test");
    ttt_derivation_list list = {0};
    ttt_error err;
    ASSERT_OK(ttt_derive_all(&two, &options, &random, &list, &err));
    assert_true(list.count > 0);
    for (size_t i = 0; i < list.count; i++) assert_int_equal(list.items[i].count, 1);
    list.count = 0;
    ASSERT_OK(ttt_derive_all(&one, &options, &random, &list, &err));
    assert_true(list.count > 0);
    for (size_t i = 0; i < list.count; i++) assert_int_equal(list.items[i].count, 0);
    size_t none = 0;
    options.fits = few_demonstrations;
    options.context = &none;
    list.count = 0;
    ASSERT_OK(ttt_derive_all(&two, &options, &random, &list, &err));
    assert_true(list.count > 0);
    ttt_free(list.items);
}

static void derive_all__same_stream_same_tasks(void **state) {
    (void)state;
    const ttt_source source = {four_pairs(), 4, NULL};
    const ttt_derive_options options = ttt_derive_defaults();
    ttt_random a = ttt_random_stream(7, "task", "train"), b = a;
    ttt_derivation_list first = {0}, second = {0};
    ttt_error err;
    ASSERT_OK(ttt_derive_all(&source, &options, &a, &first, &err));
    ASSERT_OK(ttt_derive_all(&source, &options, &b, &second, &err));
    assert_int_equal(first.count, second.count);
    for (size_t i = 0; i < first.count; i++) {
        assert_memory_equal(&first.items[i].colours, &second.items[i].colours, sizeof first.items[i].colours);
        assert_memory_equal(first.items[i].order, second.items[i].order, first.items[i].count);
        assert_true(ttt_transform_equal(&first.items[i].transform, &second.items[i].transform));
    }
    ttt_free(first.items);
    ttt_free(second.items);
}

static void derive_all__bounds_its_work_for_many_demonstrations(void **state) {
    (void)state;
    static ttt_pair pairs[TTT_DEMONSTRATIONS_MAX];
    for (int i = 0; i < TTT_DEMONSTRATIONS_MAX; i++) {
        pairs[i] = pair_of("00/00", "1");
        pairs[i].input.cells[0] = (uint8_t)(i % 10);
        pairs[i].input.cells[1] = (uint8_t)(i / 10);
    }
    const ttt_source source = {pairs, TTT_DEMONSTRATIONS_MAX, NULL};
    ttt_derive_options options = ttt_derive_defaults();
    size_t limit = TTT_DEMONSTRATIONS_MAX - 2; /* leave-one-out is too long */
    options.fits = few_demonstrations;
    options.context = &limit;
    ttt_random random = ttt_random_stream(8, "", "test");
    ttt_derivation_list list = {0};
    ttt_error err;
    ASSERT_OK(ttt_derive_all(&source, &options, &random, &list, &err));
    assert_int_equal(list.count, 250);
    ttt_free(list.items);
}

static void plan__asks_every_pair_first_and_enlarges_last(void **state) {
    (void)state;
    const ttt_source source = {four_pairs(), 4, NULL};
    const ttt_derive_options options = ttt_derive_defaults();
    ttt_random random = ttt_random_stream(9, "", "test");
    ttt_derivation_list list = {0};
    ttt_error err;
    ASSERT_OK(ttt_derive_all(&source, &options, &random, &list, &err));
    const size_t before = list.count;
    ASSERT_OK(ttt_derivations_plan(&list, &random, &err));
    assert_int_equal(list.count, before);
    unsigned asked = 0;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(list.items[i].method, -1);
        assert_false(list.items[i].copy);
        asked |= 1u << list.items[i].held_out;
    }
    assert_int_equal(asked, 0xf);
    asked = 0;
    for (size_t i = 4; i < 8; i++) asked |= 1u << list.items[i].held_out;
    assert_int_equal(asked, 0xf);
    bool enlarging = false;
    for (size_t i = 0; i < list.count; i++) {
        assert_true(ttt_transform_enlarges(&list.items[i].transform) || !enlarging);
        enlarging = ttt_transform_enlarges(&list.items[i].transform);
    }
    assert_true(enlarging);
    ttt_free(list.items);
    ttt_derivation_list none = {0};
    ASSERT_OK(ttt_derivations_plan(&none, &random, &err));
}

static void every_failing_allocation__is_reported_and_nothing_leaks(void **state) {
    (void)state;
    const ttt_source source = {four_pairs(), 4, NULL};
    ttt_derive_options options = ttt_derive_defaults();
    size_t limit = 3;
    options.fits = few_demonstrations;
    options.context = &limit;
    options.cap = 8;
    for (size_t n = 1;; n++) {
        ttt_random random = ttt_random_stream(10, "", "test");
        ttt_derivation_list list = {0};
        ttt_error err = {0};
        ttt_memory_fail_at(n);
        ttt_status status = ttt_derive_all(&source, &options, &random, &list, &err);
        if (status == TTT_OK) status = ttt_derivations_plan(&list, &random, &err);
        ttt_memory_fail_at(0);
        ttt_free(list.items);
        if (status == TTT_OK) {
            assert_true(n > 5);
            break;
        }
        assert_int_equal(status, TTT_ERROR_MEMORY);
        assert_true(strlen(err.message) > 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leave_one_out__keeps_pair_order),
        cmocka_unit_test(leave_two_out__removes_each_other_pair_in_turn),
        cmocka_unit_test(shift__is_the_same_for_all_grids_of_a_task_and_never_nothing),
        cmocka_unit_test(shift__is_left_out_where_input_and_output_differ_in_shape),
        cmocka_unit_test(unique__compares_grids_in_order_and_keeps_the_first),
        cmocka_unit_test(select__takes_leave_one_out_first_and_never_more_than_the_cap),
        cmocka_unit_test(derive_all__fills_up_to_the_cap_with_distinct_tasks_that_fit),
        cmocka_unit_test(derive_all__uses_empty_questions_only_when_nothing_else_is_left),
        cmocka_unit_test(derive_all__same_stream_same_tasks),
        cmocka_unit_test(derive_all__bounds_its_work_for_many_demonstrations),
        cmocka_unit_test(plan__asks_every_pair_first_and_enlarges_last),
        cmocka_unit_test(every_failing_allocation__is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
