/* Candidates and attempts from records alone. */
#include "support.h"

#include "solve/choose.h"
#include "solve/problem_arc.h"

typedef struct fixture {
    ttt_task_record record;
    ttt_test_record *test;
} fixture;

static fixture with_answers(const char *const *answers, size_t count) {
    fixture made;
    ttt_error err;
    ASSERT_OK(ttt_task_record_init(&made.record, "task", 1, &err));
    made.test = &made.record.tests[0];
    for (size_t i = 0; i < count; i++) {
        ttt_view_record view = {.answer = answers[i], .identity = i == 0, .group = i == 0 ? 0 : 1 + (int32_t)(i % 5)};
        ASSERT_OK(TTT_PUSH(&made.test->views, view, &err));
    }
    ASSERT_OK(ttt_choose_candidates(made.test, &err));
    return made;
}

static void choose(fixture *f, ttt_vote_method method) {
    ttt_error err;
    ASSERT_OK(ttt_choose_voted(method, f->test, ttt_arc_vote, f->record.arena, &err));
}

/* NULL: nothing there. */
static void expect(const fixture *f, const char *first, const char *second) {
    const char *expected[2] = {first, second};
    for (int i = 0; i < 2; i++) {
        if (expected[i] == NULL) {
            assert_null(f->test->voted[i]);
        } else {
            assert_non_null(f->test->voted[i]);
            assert_string_equal(f->test->voted[i], expected[i]);
        }
    }
}

static void candidates__most_votes_then_identity_then_first(void **state) {
    (void)state;
    const char *answers[] = {"[[1]]", "[[2]]", NULL, "[[3]]", "[[3]]", "[[2]]", "[[4]]"};
    fixture f = with_answers(answers, 7);
    assert_int_equal(f.test->candidates.count, 4);
    static const char *const order[] = {"[[2]]", "[[3]]", "[[1]]", "[[4]]"};
    for (int i = 0; i < 4; i++) assert_string_equal(f.test->candidates.items[i].answer, order[i]);
    assert_int_equal(f.test->candidates.items[0].votes, 2);
    assert_int_equal(f.test->candidates.items[0].first_seen, 1);
    assert_int_equal(f.test->candidates.items[2].identity_votes, 1);
    ttt_task_record_release(&f.record);
}

static void pool__the_two_with_most_votes(void **state) {
    (void)state;
    const char *answers[] = {"[[1]]", "[[2]]", "[[3]]", "[[3]]", "[[2]]", "[[3]]"};
    fixture f = with_answers(answers, 6);
    choose(&f, TTT_VOTE_POOL);
    expect(&f, "[[3]]", "[[2]]");
    ttt_task_record_release(&f.record);
}

static void one_answer__there_is_no_second(void **state) {
    (void)state;
    const char *answers[] = {"[[1]]", "[[1]]"};
    fixture f = with_answers(answers, 2);
    choose(&f, TTT_VOTE_POOL);
    expect(&f, "[[1]]", NULL);
    choose(&f, TTT_VOTE_RESCORE);
    expect(&f, "[[1]]", NULL);
    ttt_task_record_release(&f.record);
}

static void no_answer__nothing_is_voted(void **state) {
    (void)state;
    const char *answers[] = {NULL, NULL};
    for (ttt_vote_method method = TTT_VOTE_POOL; method <= TTT_VOTE_PAPER; method++) {
        fixture f = with_answers(answers, 2);
        choose(&f, method);
        expect(&f, NULL, NULL);
        ttt_task_record_release(&f.record);
    }
}

static void score(fixture *f, int64_t candidate, int64_t view, double log_probability) {
    ttt_error err;
    ttt_score_record one = {candidate, view, log_probability};
    ASSERT_OK(TTT_PUSH(&f->test->scores, one, &err));
}

static void rescore__the_highest_sum_over_views_then_most_votes(void **state) {
    (void)state;
    const char *answers[] = {"[[1]]", "[[1]]", "[[2]]", "[[3]]", "[[4]]"};
    fixture f = with_answers(answers, 5);
    for (int64_t view = 0; view < 2; view++) {
        score(&f, 0, view, -3);
        score(&f, 1, view, view == 0 ? -4 : -1); /* -5 in all */
        score(&f, 2, view, -1);
    }
    choose(&f, TTT_VOTE_RESCORE);
    expect(&f, "[[3]]", "[[1]]"); /* [[2]] has a better sum than [[1]], -5 to -6, but fewer votes */
    assert_true(f.test->candidates.items[1].score == -5);
    assert_true(f.test->candidates.items[3].score == 0); /* not scored */
    ttt_task_record_release(&f.record);
}

static void rescore__certainty_scores_zero_and_wins(void **state) {
    (void)state;
    const char *answers[] = {"[[1]]", "[[1]]", "[[2]]", "[[3]]"};
    fixture f = with_answers(answers, 4);
    score(&f, 0, 0, -3);
    score(&f, 1, 0, 0); /* every token with probability 1, as far as float32 can tell */
    choose(&f, TTT_VOTE_RESCORE);
    expect(&f, "[[2]]", "[[1]]");
    ttt_task_record_release(&f.record);
}

static void rescore__without_scores_is_the_vote(void **state) {
    (void)state;
    const char *answers[] = {"[[1]]", "[[2]]", "[[2]]"};
    fixture f = with_answers(answers, 3);
    choose(&f, TTT_VOTE_RESCORE);
    expect(&f, "[[2]]", "[[1]]");
    ttt_task_record_release(&f.record);
}

static void rescore__the_unscored_fill_the_second_place(void **state) {
    (void)state;
    const char *answers[] = {"[[1]]", "[[2]]"};
    fixture f = with_answers(answers, 2);
    score(&f, 1, 0, -2);
    choose(&f, TTT_VOTE_RESCORE);
    expect(&f, "[[2]]", "[[1]]");
    ttt_task_record_release(&f.record);
}

static void rescore__the_winner_of_both_leaves_the_next_by_votes(void **state) {
    (void)state;
    const char *answers[] = {"[[1]]", "[[1]]", "[[1]]", "[[2]]", "[[2]]", "[[3]]"};
    fixture f = with_answers(answers, 6);
    score(&f, 0, 0, -1);
    score(&f, 1, 0, -3);
    score(&f, 2, 0, -2);
    choose(&f, TTT_VOTE_RESCORE);
    expect(&f, "[[1]]", "[[2]]");
    ttt_task_record_release(&f.record);
}

static void paper__two_stages_over_the_same_answers(void **state) {
    (void)state;
    const char *answers[] = {"[[1,1]]", "[[2,2]]", "[[2,2]]", "[[1,1]]", "[[2,2]]"};
    fixture f = with_answers(answers, 5);
    choose(&f, TTT_VOTE_PAPER);
    expect(&f, "[[2,2]]", "[[1,1]]");
    ttt_error err;
    ASSERT_FAILS(ttt_choose_voted(TTT_VOTE_PAPER, f.test, NULL, f.record.arena, &err), TTT_ERROR_UNSUPPORTED,
                 "not defined");
    ttt_task_record_release(&f.record);
}

static void text__grids_there_and_back(void **state) {
    (void)state;
    ttt_arena *arena;
    ttt_error err;
    ttt_grid grid = ttt_grid_filled(TTT_GRID_MAX, TTT_GRID_MAX, 9), back;
    ASSERT_OK(ttt_arena_new(&arena, 1 << 16, &err));
    const char *text = ttt_grid_to_text(&grid, arena);
    ASSERT_OK(ttt_grid_from_text(text, &back, &err));
    assert_true(ttt_grid_equal(&grid, &back));
    grid = ttt_grid_filled(1, 2, 0);
    ttt_grid_set(&grid, 0, 1, 7);
    assert_string_equal(ttt_grid_to_text(&grid, arena), "[[0,7]]");
    assert_int_not_equal(ttt_grid_from_text("[[1],[1,2]]", &back, &err), TTT_OK);
    assert_int_not_equal(ttt_grid_from_text("hello", &back, &err), TTT_OK);
    ttt_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates__most_votes_then_identity_then_first),
        cmocka_unit_test(pool__the_two_with_most_votes),
        cmocka_unit_test(one_answer__there_is_no_second),
        cmocka_unit_test(no_answer__nothing_is_voted),
        cmocka_unit_test(rescore__the_highest_sum_over_views_then_most_votes),
        cmocka_unit_test(rescore__certainty_scores_zero_and_wins),
        cmocka_unit_test(rescore__without_scores_is_the_vote),
        cmocka_unit_test(rescore__the_unscored_fill_the_second_place),
        cmocka_unit_test(rescore__the_winner_of_both_leaves_the_next_by_votes),
        cmocka_unit_test(paper__two_stages_over_the_same_answers),
        cmocka_unit_test(text__grids_there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
