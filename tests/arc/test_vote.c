/* Votes. */
#include "grids.h"

#include "arc/vote.h"
#include "base/memory.h"

static void top3__orders_by_votes_identity_first_seen(void **state) {
    (void)state;
    const char *answers[] = {"1", "2", "3", "2", "3", "4"};
    const bool identity[] = {true, false, false, false, true, false};
    ttt_grid grids[6], top[3];
    ttt_error err;
    for (int i = 0; i < 6; i++) grids[i] = grid_of(answers[i]);
    ASSERT_OK(ttt_vote_top3(grids, identity, 6, top, &err));
    ASSERT_GRID(&top[0], "3"); /* two votes, one of them identity */
    ASSERT_GRID(&top[1], "2");
    ASSERT_GRID(&top[2], "1"); /* identity */
    ASSERT_OK(ttt_vote_top3(grids, NULL, 6, top, &err));
    ASSERT_GRID(&top[0], "2"); /* first seen */
    ASSERT_GRID(&top[1], "3");
    ASSERT_GRID(&top[2], "1");
}

static void majorities__take_lines_of_the_common_shape(void **state) {
    (void)state;
    const ttt_grid grids[] = {grid_of("12/34"), grid_of("12/30"), grid_of("52/34"), grid_of("12/34/56"), grid_of("9")};
    ttt_grid rows, columns;
    ttt_vote_row_majority(grids, 5, &rows);
    ASSERT_GRID(&rows, "12/34");
    ttt_vote_column_majority(grids, 5, &columns);
    ASSERT_GRID(&columns, "12/34");
}

static void top3__fills_from_majorities(void **state) {
    (void)state;
    const ttt_grid one[] = {grid_of("12/34")};
    const ttt_grid three[] = {grid_of("11/22"), grid_of("11/23"), grid_of("12/22")};
    ttt_grid top[3];
    ttt_error err;
    ASSERT_OK(ttt_vote_top3(one, NULL, 1, top, &err));
    for (int i = 0; i < 3; i++) ASSERT_GRID(&top[i], "12/34");
    ASSERT_OK(ttt_vote_top3(three, NULL, 3, top, &err));
    ASSERT_GRID(&top[0], "11/22"); /* first seen */
    ASSERT_GRID(&top[2], "12/22");
    const bool identity[] = {false, false, true};
    ASSERT_OK(ttt_vote_top3(three, identity, 3, top, &err));
    ASSERT_GRID(&top[0], "12/22");
}

static void two_stage__a_group_of_its_own_outvotes_scattered_answers(void **state) {
    (void)state;
    /* Three different answers among all, one of them first in two groups. */
    const ttt_vote_answer answers[] = {{grid_of("1"), TTT_GROUP_IDENTITY},
                                       {grid_of("2"), TTT_GROUP_FLIP_0},
                                       {grid_of("2"), TTT_GROUP_FLIP_1},
                                       {grid_of("3"), TTT_GROUP_OTHER}};
    ttt_grid attempts[2];
    bool found;
    ttt_error err;
    ASSERT_OK(ttt_vote_two_stage(answers, 4, attempts, &found, &err));
    assert_true(found);
    ASSERT_GRID(&attempts[0], "2");
    ASSERT_GRID(&attempts[1], "1");
    ASSERT_OK(ttt_vote_two_stage(answers, 0, attempts, &found, &err));
    assert_false(found);
    ASSERT_OK(ttt_vote_two_stage(answers, 1, attempts, &found, &err));
    ASSERT_GRID(&attempts[1], "1");
}

static void two_stage__every_failing_allocation_is_reported(void **state) {
    (void)state;
    const ttt_vote_answer answers[] = {{grid_of("1"), TTT_GROUP_IDENTITY}, {grid_of("2"), TTT_GROUP_TRANSPOSE}};
    ttt_status status;
    size_t n = 0;
    do {
        ttt_grid attempts[2];
        bool found;
        ttt_error err = {0};
        ttt_memory_fail_at(++n);
        status = ttt_vote_two_stage(answers, 2, attempts, &found, &err);
        ttt_memory_fail_at(0);
        if (status != TTT_OK) assert_int_equal(status, TTT_ERROR_MEMORY);
    } while (status != TTT_OK);
    assert_true(n > 3);
}

static void groups__are_named_by_the_inverse(void **state) {
    (void)state;
    assert_int_equal(ttt_vote_group_of(0), TTT_GROUP_IDENTITY);
    assert_int_equal(ttt_vote_group_of(1), TTT_GROUP_ROTATE_270); /* a view rotated by 90 */
    assert_int_equal(ttt_vote_group_of(2), TTT_GROUP_ROTATE_180);
    assert_int_equal(ttt_vote_group_of(3), TTT_GROUP_OTHER);
    assert_int_equal(ttt_vote_group_of(4), TTT_GROUP_TRANSPOSE);
    assert_int_equal(ttt_vote_group_of(5), TTT_GROUP_FLIP_0);
    assert_int_equal(ttt_vote_group_of(6), TTT_GROUP_OTHER);
    assert_int_equal(ttt_vote_group_of(7), TTT_GROUP_FLIP_1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(top3__orders_by_votes_identity_first_seen),
        cmocka_unit_test(majorities__take_lines_of_the_common_shape),
        cmocka_unit_test(top3__fills_from_majorities),
        cmocka_unit_test(two_stage__a_group_of_its_own_outvotes_scattered_answers),
        cmocka_unit_test(two_stage__every_failing_allocation_is_reported),
        cmocka_unit_test(groups__are_named_by_the_inverse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
