/* Views and the way back. */
#include "grids.h"

#include "arc/views.h"
#include "base/memory.h"

static ttt_task three_pairs(void) {
    ttt_task task;
    ttt_error err;
    ASSERT_OK(ttt_task_init(&task, "three", 3, 1, &err));
    task.demonstrations[0] = pair_of("12/30", "1");
    task.demonstrations[1] = pair_of("45/60", "4");
    task.demonstrations[2] = pair_of("78/90", "7");
    task.tests[0].input = grid_of("102/340");
    return task;
}

static void stream__begins_with_the_eight_symmetries_in_the_order_given(void **state) {
    (void)state;
    const ttt_random random = ttt_random_stream(1, "three", "views");
    ttt_view_stream stream;
    ttt_view view;
    ttt_view_stream_init(&stream, 3, 10, &random);
    for (int i = 0; i < 8; i++) {
        assert_true(ttt_view_stream_next(&stream, &view));
        assert_int_equal(view.symmetry, i);
        assert_int_equal(view.count, 3);
        const uint8_t ascending[3] = {0, 1, 2};
        assert_memory_equal(view.order, ascending, 3);
        assert_int_equal(ttt_view_is_identity(&view), i == 0);
    }
}

static void stream__is_distinct_and_invertible(void **state) {
    (void)state;
    ttt_task task = three_pairs();
    const ttt_random random = ttt_random_stream(1, "three", "views");
    enum { VIEWS = 300 };
    ttt_view *views = ttt_allocate(VIEWS, sizeof *views);
    ttt_view_stream stream;
    int symmetries[TTT_SYMMETRIES] = {0};
    ttt_view_stream_init(&stream, 3, 10, &random);
    for (int i = 0; i < VIEWS; i++) {
        ttt_pair shown[3];
        ttt_grid asked, back;
        assert_true(ttt_view_stream_next(&stream, &views[i]));
        for (int k = 0; k < i; k++) assert_false(ttt_views_equal(&views[i], &views[k]));
        ttt_view_build(&task, 0, &views[i], shown, &asked);
        ttt_view_invert(&views[i], &asked, &back);
        assert_true(ttt_grid_equal(&back, &task.tests[0].input));
        ttt_view_invert(&views[i], &shown[2].input, &back);
        assert_true(ttt_grid_equal(&back, &task.demonstrations[views[i].order[2]].input));
        symmetries[views[i].symmetry]++;
    }
    for (int s = 0; s < TTT_SYMMETRIES; s++) assert_in_range(symmetries[s], VIEWS / 8, VIEWS / 8 + 1);
    ttt_free(views);
    ttt_task_release(&task);
}

static void stream__view_number_n_does_not_depend_on_how_it_is_reached(void **state) {
    (void)state;
    const ttt_random random = ttt_random_stream(1, "three", "views");
    ttt_view_stream whole, halted;
    ttt_view a, b;
    ttt_view_stream_init(&whole, 3, 10, &random);
    ttt_view_stream_init(&halted, 3, 10, &random);
    for (int i = 0; i < 20; i++) assert_true(ttt_view_stream_next(&halted, &b));
    ttt_view_stream resumed = halted; /* a plain value */
    for (int i = 0; i < 40; i++) {
        assert_true(ttt_view_stream_next(&whole, &a));
        if (i < 20) continue;
        assert_true(ttt_view_stream_next(&resumed, &b));
        assert_true(ttt_views_equal(&a, &b));
    }
}

static void stream__ends_when_nothing_distinct_is_left(void **state) {
    (void)state;
    const ttt_random random = ttt_random_stream(1, "", "views");
    ttt_view_stream stream;
    ttt_view view;
    ttt_view_stream_init(&stream, 2, 10, &random);
    stream.colours = false;
    int count = 0;
    while (ttt_view_stream_next(&stream, &view) && count < 100) count++;
    assert_int_equal(count, 16); /* eight symmetries, two orders */
    assert_false(ttt_view_stream_next(&stream, &view));
    ttt_view_stream_init(&stream, 2, 10, &random);
    stream.colours = stream.orders = false;
    for (count = 0; ttt_view_stream_next(&stream, &view) && count < 100;) count++;
    assert_int_equal(count, 8);
}

static void stream__shows_at_most_the_limit(void **state) {
    (void)state;
    const ttt_random random = ttt_random_stream(1, "", "views");
    ttt_view_stream stream;
    ttt_view view;
    unsigned seen = 0;
    ttt_view_stream_init(&stream, 6, 2, &random);
    for (int i = 0; i < 60; i++) {
        assert_true(ttt_view_stream_next(&stream, &view));
        assert_int_equal(view.count, 2);
        assert_int_not_equal(view.order[0], view.order[1]);
        seen |= 1u << view.order[0] | 1u << view.order[1];
    }
    assert_int_equal(seen, 0x3f); /* every demonstration is shown in some view */
    ttt_view_stream_init(&stream, 6, 0, &random);
    assert_true(ttt_view_stream_next(&stream, &view));
    assert_int_equal(view.count, 0);
}

static void reference__asks_each_context_and_five_transforms(void **state) {
    (void)state;
    ttt_task task = three_pairs();
    ttt_random random = ttt_random_stream(1, "three", "views");
    ttt_view_list list = {0};
    ttt_error err;
    ASSERT_OK(ttt_views_reference(&task, 0, 1, 0, &random, &list, &err));
    assert_int_equal(list.count, 3 + 5);
    assert_int_equal(list.items[0].order[0], 1);
    assert_int_equal(list.items[0].count, 2);
    for (int t = 0; t < 5; t++) assert_int_equal(list.items[3 + t].symmetry, ttt_reference_symmetries[t]);
    list.count = 0;
    ASSERT_OK(ttt_views_reference(&task, 0, 0, 2, &random, &list, &err));
    assert_in_range(list.count, 1 + 5, 3 + 5);
    ttt_free(list.items);
    ttt_task_release(&task);
}

static void reference__drops_views_whose_grids_are_equal(void **state) {
    (void)state;
    ttt_task task;
    ttt_random random = ttt_random_stream(1, "", "views");
    ttt_view_list list = {0};
    ttt_error err;
    ASSERT_OK(ttt_task_init(&task, "dots", 1, 1, &err)); /* single cells: no transform changes anything */
    task.demonstrations[0] = pair_of("1", "2");
    task.tests[0].input = grid_of("3");
    ASSERT_OK(ttt_views_reference(&task, 0, 0, 2, &random, &list, &err));
    assert_int_equal(list.count, 1);
    ttt_free(list.items);
    ttt_task_release(&task);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream__begins_with_the_eight_symmetries_in_the_order_given),
        cmocka_unit_test(stream__is_distinct_and_invertible),
        cmocka_unit_test(stream__view_number_n_does_not_depend_on_how_it_is_reached),
        cmocka_unit_test(stream__ends_when_nothing_distinct_is_left),
        cmocka_unit_test(stream__shows_at_most_the_limit),
        cmocka_unit_test(reference__asks_each_context_and_five_transforms),
        cmocka_unit_test(reference__drops_views_whose_grids_are_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
