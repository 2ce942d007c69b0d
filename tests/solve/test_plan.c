/* Plans from made-up speeds and work: no clock, no model. */
#include "support.h"

#include "solve/plan.h"

/* A task of four demonstrations whose cost grows with how many are shown: a step or a prompt of d demonstrations is
 * d + 1 million operations. */
typedef struct made_up_task {
    int64_t steps;
    size_t tests;
} made_up_task;

static ttt_status work_of(void *context, size_t demonstrations, ttt_work *work, ttt_error *err) {
    const made_up_task *task = context;
    (void)err;
    *work = (ttt_work){.demonstrations = demonstrations,
                       .step_operations = 1e6 * (double)(demonstrations + 1),
                       .steps = task->steps,
                       .tests = task->tests,
                       .prompt_operations = 1e6 * (double)(demonstrations + 1),
                       .answer_tokens = 10};
    return TTT_OK;
}

static ttt_solve_settings settings_with(const char *const *assignments) {
    ttt_solve_settings settings;
    ttt_error err;
    ASSERT_OK(ttt_settings_defaults(&ttt_solve_table, &settings, &err));
    for (; *assignments != NULL; assignments++) {
        ASSERT_OK(ttt_settings_assign(&ttt_solve_table, &settings, *assignments, &err));
    }
    return settings;
}

/* train 0.5, score 0, so that the arithmetic can be done in the head. */
#define HALVES "time.train=0.5", "vote.method=pool", "ttt.min_steps=4", "views.max=100"

static ttt_plan plan(const ttt_solve_settings *settings, double operations_a_second, double seconds, bool training,
                     made_up_task task) {
    ttt_plan made;
    ttt_error err;
    ttt_speed speed = {operations_a_second, operations_a_second, 1e9};
    ASSERT_OK(ttt_plan_make(settings, &speed, seconds, training, 4, work_of, &task, &made, &err));
    return made;
}

static const made_up_task usual = {1000, 1};

static void defaults__are_legal(void **state) {
    (void)state;
    ttt_solve_settings settings = settings_with((const char *const[]){"preset=paper", NULL});
    uint32_t targets;
    ttt_error err;
    ASSERT_OK(ttt_solve_lora_targets(&settings, &targets, &err));
    assert_int_equal(targets, 1u << TTT_LINEAR_Q | 1u << TTT_LINEAR_V | 1u << TTT_LINEAR_GATE | 1u << TTT_LINEAR_UP |
                                  1u << TTT_LINEAR_DOWN);
    assert_int_equal(settings.vote_method, TTT_VOTE_PAPER);
    assert_int_equal(settings.views_set, TTT_VIEWS_PAPER);
    assert_int_equal(settings.ttt_adaptation, TTT_ADAPTATION_LORA);
}

static void lora_targets__refuse_what_is_no_map(void **state) {
    (void)state;
    uint32_t targets;
    ttt_error err;
    ttt_solve_settings settings = settings_with((const char *const[]){"lora.targets=q,w", NULL});
    ASSERT_FAILS(ttt_solve_lora_targets(&settings, &targets, &err), TTT_ERROR_ARGUMENT, "'w' is no linear map");
    settings = settings_with((const char *const[]){"lora.targets=", NULL});
    ASSERT_FAILS(ttt_solve_lora_targets(&settings, &targets, &err), TTT_ERROR_ARGUMENT, "no linear map is named");
}

static void full__steps_fill_their_share_and_views_the_rest(void **state) {
    (void)state;
    ttt_solve_settings settings = settings_with((const char *const[]){HALVES, NULL});
    /* 5e6 a step and a view at 5e7 a second: 10 a second. */
    ttt_plan made = plan(&settings, 5e7, 10, true, usual);
    assert_int_equal(made.rung, TTT_RUNG_FULL);
    assert_int_equal(made.demonstrations, 4);
    assert_int_equal(made.steps, 50);
    assert_in_range(made.views, 49, 50);
    assert_float_equal(made.train_seconds, 5, 1e-9);
    assert_true(made.train_seconds + made.view_seconds <= 10);
}

static void full__no_more_steps_than_the_epochs_make(void **state) {
    (void)state;
    ttt_solve_settings settings = settings_with((const char *const[]){HALVES, NULL});
    ttt_plan made = plan(&settings, 5e7, 10, true, (made_up_task){20, 1});
    assert_int_equal(made.steps, 20);
    assert_in_range(made.views, 79, 80); /* what training leaves */
}

static void full__test_inputs_share_the_time(void **state) {
    (void)state;
    ttt_solve_settings settings = settings_with((const char *const[]){HALVES, NULL});
    assert_in_range(plan(&settings, 5e7, 10, true, (made_up_task){1000, 5}).views, 9, 10);
}

static void full__re_scoring_has_its_share(void **state) {
    (void)state;
    ttt_solve_settings settings =
        settings_with((const char *const[]){HALVES, "vote.method=rescore", "time.score=0.4", NULL});
    ttt_plan made = plan(&settings, 5e7, 10, true, usual);
    assert_in_range(made.views, 29, 30);
    assert_float_equal(made.score_seconds, 2, 0.11);
}

static void fixed__numbers_are_taken_as_they_are(void **state) {
    (void)state;
    ttt_solve_settings settings = settings_with((const char *const[]){"ttt.steps=20", "views.count=8", NULL});
    ttt_plan made = plan(&settings, 0, 0, true, usual);
    assert_int_equal(made.rung, TTT_RUNG_FULL);
    assert_int_equal(made.steps, 20);
    assert_int_equal(made.views, 8);
    made = plan(&settings, 1, 0, true, usual); /* however slow: without a budget nothing is cut */
    assert_int_equal(made.steps, 20);
    assert_int_equal(made.views, 8);
}

static void unmeasured__everything_is_planned(void **state) {
    (void)state;
    ttt_solve_settings settings = settings_with((const char *const[]){HALVES, NULL});
    ttt_plan made;
    ttt_error err;
    made_up_task task = usual;
    ttt_speed speed = {0};
    ASSERT_OK(ttt_plan_make(&settings, &speed, 10, true, 4, work_of, &task, &made, &err));
    assert_int_equal(made.steps, 1000);
    assert_int_equal(made.views, 100);
}

static void without_training__all_time_is_for_views(void **state) {
    (void)state;
    ttt_solve_settings settings = settings_with((const char *const[]){HALVES, NULL});
    ttt_plan made = plan(&settings, 5e7, 5, false, usual);
    assert_int_equal(made.rung, TTT_RUNG_FULL);
    assert_int_equal(made.steps, 0);
    assert_in_range(made.views, 49, 50);
}

static void nothing_to_train_on__is_no_training(void **state) {
    (void)state;
    ttt_solve_settings settings = settings_with((const char *const[]){HALVES, NULL});
    ttt_plan made = plan(&settings, 5e7, 5, true, (made_up_task){0, 1});
    assert_int_equal(made.rung, TTT_RUNG_NO_TRAINING);
    assert_int_equal(made.steps, 0);
    assert_in_range(made.views, 49, 50);
}

/* At less and less speed the same task goes down rung after rung. */
static void ladder__one_rung_after_the_other(void **state) {
    (void)state;
    ttt_solve_settings settings = settings_with((const char *const[]){HALVES, NULL});
    /* 10 seconds, 5 of them for training: 4 steps of 5e6 need 4e6 a second. */
    assert_int_equal(plan(&settings, 4.1e6, 10, true, usual).rung, TTT_RUNG_FULL);
    ttt_plan two = plan(&settings, 3e6, 10, true, usual), one = plan(&settings, 2e6, 10, true, usual);
    assert_int_equal(two.rung, TTT_RUNG_FEWER_DEMONSTRATIONS);
    assert_int_equal(two.demonstrations, 2);
    assert_in_range(two.steps, 4, 5);
    assert_int_equal(one.rung, TTT_RUNG_FEWER_DEMONSTRATIONS);
    assert_int_equal(one.demonstrations, 1);
    ttt_plan none = plan(&settings, 1.3e6, 10, true, usual);
    assert_int_equal(none.rung, TTT_RUNG_NO_TRAINING);
    assert_int_equal(none.demonstrations, 4);
    assert_int_equal(none.steps, 0);
    assert_int_equal(none.views, 2);
    ttt_plan view = plan(&settings, 0.4e6, 10, true, usual);
    assert_int_equal(view.rung, TTT_RUNG_ONE_VIEW);
    assert_int_equal(view.views, 1);
    assert_int_equal(view.demonstrations, 2);
    ttt_plan fallback = plan(&settings, 0.1e6, 10, true, usual);
    assert_int_equal(fallback.rung, TTT_RUNG_FALLBACK);
    assert_int_equal(fallback.views, 0);
    assert_int_equal(fallback.steps, 0);
}

static void ladder__fixed_steps_that_do_not_fit_go_down_too(void **state) {
    (void)state;
    ttt_solve_settings settings = settings_with((const char *const[]){HALVES, "ttt.steps=2", NULL});
    assert_int_equal(plan(&settings, 4e6, 10, true, usual).steps, 2);
    assert_int_equal(plan(&settings, 1.3e6, 10, true, usual).demonstrations, 2);
}

static void no_view_possible__is_the_fallback(void **state) {
    (void)state;
    ttt_solve_settings settings = settings_with((const char *const[]){HALVES, NULL});
    assert_int_equal(plan(&settings, 5e7, 10, true, (made_up_task){1000, 0}).rung, TTT_RUNG_FALLBACK);
    assert_int_equal(plan(&settings, 0, 0, true, (made_up_task){1000, 0}).rung, TTT_RUNG_FALLBACK);
}

static void speed__forgets(void **state) {
    (void)state;
    double speed = 0;
    ttt_speed_learn(&speed, 100, 10);
    assert_true(speed == 10);
    ttt_speed_learn(&speed, 100, 5);
    assert_true(speed == 15);
    ttt_speed_learn(&speed, 0, 5);
    ttt_speed_learn(&speed, 5, 0);
    assert_true(speed == 15);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults__are_legal),
        cmocka_unit_test(lora_targets__refuse_what_is_no_map),
        cmocka_unit_test(full__steps_fill_their_share_and_views_the_rest),
        cmocka_unit_test(full__no_more_steps_than_the_epochs_make),
        cmocka_unit_test(full__test_inputs_share_the_time),
        cmocka_unit_test(full__re_scoring_has_its_share),
        cmocka_unit_test(fixed__numbers_are_taken_as_they_are),
        cmocka_unit_test(unmeasured__everything_is_planned),
        cmocka_unit_test(without_training__all_time_is_for_views),
        cmocka_unit_test(nothing_to_train_on__is_no_training),
        cmocka_unit_test(ladder__one_rung_after_the_other),
        cmocka_unit_test(ladder__fixed_steps_that_do_not_fit_go_down_too),
        cmocka_unit_test(no_view_possible__is_the_fallback),
        cmocka_unit_test(speed__forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
