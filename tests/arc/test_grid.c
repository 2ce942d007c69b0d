/* The elementary operations on grids, and tasks and sets in memory. */
#include "grids.h"

#include "base/memory.h"
#include "base/random.h"

static void rotate__is_counter_clockwise(void **state) {
    (void)state;
    const ttt_grid grid = grid_of("123/456");
    ttt_grid out;
    ttt_grid_rotate(&grid, 1, &out);
    ASSERT_GRID(&out, "36/25/14");
    ttt_grid_rotate(&grid, 2, &out);
    ASSERT_GRID(&out, "654/321");
    ttt_grid_rotate(&grid, 3, &out);
    ASSERT_GRID(&out, "41/52/63");
    ttt_grid_rotate(&grid, 0, &out);
    ASSERT_GRID(&out, "123/456");
}

static void flip_and_transpose__move_cells_as_named(void **state) {
    (void)state;
    const ttt_grid grid = grid_of("123/456");
    ttt_grid out;
    ttt_grid_flip(&grid, 0, &out);
    ASSERT_GRID(&out, "456/123");
    ttt_grid_flip(&grid, 1, &out);
    ASSERT_GRID(&out, "321/654");
    ttt_grid_transpose(&grid, &out);
    ASSERT_GRID(&out, "14/25/36");
}

static void shift__is_cyclic_downwards_and_to_the_right(void **state) {
    (void)state;
    const ttt_grid grid = grid_of("123/456");
    ttt_grid out;
    ttt_grid_shift(&grid, 1, 2, &out);
    ASSERT_GRID(&out, "564/231");
    ttt_grid_shift(&grid, 4, 6, &out); /* whole turns */
    ASSERT_GRID(&out, "123/456");
}

static void scale_tile_join__enlarge_up_to_thirty(void **state) {
    (void)state;
    const ttt_grid grid = grid_of("12"), tall = ttt_grid_filled(16, 1, 3), other = grid_of("3/4");
    ttt_grid out;
    assert_true(ttt_grid_scale(&grid, 2, 1, &out));
    ASSERT_GRID(&out, "12/12");
    assert_true(ttt_grid_scale(&grid, 1, 2, &out));
    ASSERT_GRID(&out, "1122");
    assert_true(ttt_grid_tile(&grid, 2, 2, &out));
    ASSERT_GRID(&out, "1212/1212");
    assert_true(ttt_grid_scale(&grid, 30, 15, &out));
    assert_int_equal(ttt_grid_area(&out), 900);
    out = grid_of("7");
    assert_false(ttt_grid_scale(&grid, 1, 16, &out));
    assert_false(ttt_grid_scale(&tall, 2, 1, &out));
    assert_false(ttt_grid_tile(&tall, 2, 1, &out));
    assert_false(ttt_grid_join(&tall, &tall, 0, &out));
    assert_false(ttt_grid_join(&grid, &other, 0, &out)); /* widths differ */
    ASSERT_GRID(&out, "7");                              /* a refusal writes nothing */
    assert_true(ttt_grid_join(&other, &other, 1, &out));
    ASSERT_GRID(&out, "33/44");
    assert_true(ttt_grid_join(&grid, &grid, 0, &out));
    ASSERT_GRID(&out, "12/12");
}

static void equality_and_hash__depend_on_shape_and_used_cells_only(void **state) {
    (void)state;
    ttt_grid a = grid_of("1234"), b = grid_of("12/34"), c = grid_of("1234");
    c.cells[4] = 9; /* beyond the grid */
    assert_false(ttt_grid_equal(&a, &b));
    assert_true(ttt_grid_equal(&a, &c));
    assert_true(ttt_grid_hash(TTT_HASH_START, &a) == ttt_grid_hash(TTT_HASH_START, &c));
    assert_false(ttt_grid_hash(TTT_HASH_START, &a) == ttt_grid_hash(TTT_HASH_START, &b));
    assert_int_equal(ttt_grid_colours(&c), 0x1e);
}

static void task_set__refuses_a_second_task_of_the_same_id(void **state) {
    (void)state;
    ttt_task_set set = {0};
    ttt_task first, second, copy;
    ttt_error err = {0};
    ASSERT_OK(ttt_task_init(&first, "one", 2, 1, &err));
    ASSERT_OK(ttt_task_init(&second, "one", 1, 1, &err));
    ASSERT_OK(ttt_task_set_add(&set, &first, &err));
    assert_null(first.id);
    ASSERT_FAILS(ttt_task_set_add(&set, &second, &err), TTT_ERROR_FORMAT, "task one");
    assert_non_null(second.id); /* still the caller's */
    assert_int_equal(ttt_task_set_find(&set, "one")->demonstration_count, 2);
    assert_null(ttt_task_set_find(&set, "two"));
    ASSERT_OK(ttt_task_copy(&copy, &set.items[0], &err));
    assert_ptr_not_equal(copy.demonstrations, set.items[0].demonstrations);
    ttt_task_release(&copy);
    ttt_task_release(&second);
    ttt_task_set_release(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rotate__is_counter_clockwise),
        cmocka_unit_test(flip_and_transpose__move_cells_as_named),
        cmocka_unit_test(shift__is_cyclic_downwards_and_to_the_right),
        cmocka_unit_test(scale_tile_join__enlarge_up_to_thirty),
        cmocka_unit_test(equality_and_hash__depend_on_shape_and_used_cells_only),
        cmocka_unit_test(task_set__refuses_a_second_task_of_the_same_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
