/* The training loop on the oracle. */
#include "tiny.h"

#include "base/memory.h"

#include <math.h>

enum { EXAMPLE = 2 * TINY_WORD + 1 };

typedef struct watcher {
    tiny_model tiny; /* first, so that it is the context of tiny_next too */
    ttt_train_report last;
    int64_t stop_after;
    int calls;
    double first_loss;
    size_t allocations; /* since the second step */
} watcher;

static ttt_status watch(void *context, const ttt_train_report *report, bool *go_on, ttt_error *err) {
    watcher *watching = context;
    (void)err;
    if (watching->calls++ == 0) watching->first_loss = report->loss;
    watching->last = *report;
    if (watching->calls == 2) watching->allocations = ttt_memory_allocation_count();
    *go_on = watching->stop_after == 0 || report->state->steps < watching->stop_after;
    return TTT_OK;
}

static void tiny_model__learns_to_copy(void **state) {
    watcher watching = {0};
    ttt_train_state at = {0};
    ttt_error err = {0};
    (void)state;
    tiny_init(&watching.tiny);
    ttt_train_options options = tiny_options(&watching.tiny, 150);
    options.after_step = watch;
    ASSERT_OK(ttt_train_run(watching.tiny.trainer, &options, &at, &err));
    assert_int_equal(at.steps, 150);
    assert_int_equal(at.examples, 150 * 8);
    assert_int_equal(at.tokens, 150 * 8 * EXAMPLE);
    assert_int_equal(at.counted, 150 * 8 * TINY_WORD);
    assert_true(at.operations > 0 && at.seconds > 0);
    /* Guessing costs log 7 = 1.95 nats a token; who copies knows. */
    assert_true(fabs(watching.first_loss - 2) < 0.3);
    if (!(watching.last.loss < 0.1)) fail_msg("loss %g after 150 steps", watching.last.loss);
    assert_true(ttt_memory_allocation_count() == watching.allocations);
    tiny_release(&watching.tiny);
}

/* The mean of the losses over a step must not depend on how its examples are packed into batches. */
static void packing__does_not_change_the_step(void **state) {
    double loss[2], norm[2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        watcher watching = {0};
        ttt_train_state at = {0};
        ttt_error err = {0};
        tiny_init(&watching.tiny);
        ttt_train_options options = tiny_options(&watching.tiny, 1);
        options.step_examples = 7; /* 63 tokens: one batch; or seven */
        options.after_step = watch;
        if (i == 1) {
            ttt_trainer_free(watching.tiny.trainer);
            ASSERT_OK(ttt_trainer_new(watching.tiny.session, EXAMPLE, 1, &watching.tiny.trainer, &err));
        }
        ASSERT_OK(ttt_train_run(watching.tiny.trainer, &options, &at, &err));
        loss[i] = watching.last.loss;
        norm[i] = watching.last.gradient_norm;
        assert_int_equal(watching.last.examples, 7);
        tiny_release(&watching.tiny);
    }
    assert_true(norm[0] > 0);
    assert_true(loss[0] == loss[1]); /* a row's bits do not depend on its batch */
    /* Gradients are summed in another order: float32 rounding, some 1e-7 relative a sum, generously. */
    assert_true(fabs(norm[0] - norm[1]) < 1e-5 * norm[0]);
}

static void step__takes_examples_until_its_tokens_are_reached(void **state) {
    watcher watching = {0};
    ttt_train_state at = {0};
    ttt_error err = {0};
    (void)state;
    tiny_init(&watching.tiny);
    ttt_train_options options = tiny_options(&watching.tiny, 2);
    options.step_examples = 0;
    options.step_tokens = 100; /* 11 examples are 99 tokens, so 12, in two batches of 64 */
    options.after_step = watch;
    ASSERT_OK(ttt_train_run(watching.tiny.trainer, &options, &at, &err));
    assert_int_equal(watching.last.examples, 12);
    assert_int_equal(watching.last.tokens, 108);
    options.step_examples = 3;
    options.max_steps = 3;
    ASSERT_OK(ttt_train_run(watching.tiny.trainer, &options, &at, &err));
    assert_int_equal(watching.last.examples, 3);
    tiny_release(&watching.tiny);
}

static void last_examples__make_a_partial_step_and_end_the_training(void **state) {
    watcher watching = {0};
    ttt_train_state at = {0};
    ttt_error err = {0};
    (void)state;
    tiny_init(&watching.tiny);
    watching.tiny.last = 19;
    ttt_train_options options = tiny_options(&watching.tiny, 100);
    options.after_step = watch;
    ASSERT_OK(ttt_train_run(watching.tiny.trainer, &options, &at, &err));
    assert_int_equal(at.steps, 3);
    assert_int_equal(at.examples, 19);
    assert_int_equal(watching.last.examples, 3);
    tiny_release(&watching.tiny);
}

static void stop_flag_deadline_time_and_callback__end_the_training(void **state) {
    watcher watching = {0};
    ttt_train_state at = {0};
    ttt_error err = {0};
    ttt_stop_flag stop = 1;
    (void)state;
    tiny_init(&watching.tiny);
    ttt_train_options options = tiny_options(&watching.tiny, 100);
    options.after_step = watch;
    options.stop = &stop;
    ASSERT_OK(ttt_train_run(watching.tiny.trainer, &options, &at, &err));
    assert_int_equal(at.steps, 0);
    options.stop = NULL;
    options.deadline = ttt_clock_seconds();
    ASSERT_OK(ttt_train_run(watching.tiny.trainer, &options, &at, &err));
    assert_int_equal(at.steps, 0);
    options.deadline = 0;
    options.max_seconds = 10;
    at.seconds = 10; /* of earlier runs */
    ASSERT_OK(ttt_train_run(watching.tiny.trainer, &options, &at, &err));
    assert_int_equal(at.steps, 0);
    options.max_seconds = 0;
    watching.stop_after = 2;
    ASSERT_OK(ttt_train_run(watching.tiny.trainer, &options, &at, &err));
    assert_int_equal(at.steps, 2);
    assert_true(at.seconds > 10);
    tiny_release(&watching.tiny);
}

static void time_schedule__follows_the_seconds_of_earlier_runs_too(void **state) {
    watcher watching = {0};
    ttt_train_state at = {.seconds = 500};
    ttt_error err = {0};
    (void)state;
    tiny_init(&watching.tiny);
    ttt_train_options options = tiny_options(&watching.tiny, 1);
    options.schedule_by_time = true;
    options.schedule = (ttt_schedule){.warmup = 1000, .total = 2000, .start = 0};
    options.after_step = watch;
    ASSERT_OK(ttt_train_run(watching.tiny.trainer, &options, &at, &err));
    /* Half of the warm-up, and as much more as the machine took: seconds at most. */
    assert_true(watching.last.learning_rate > 0.00499 && watching.last.learning_rate < 0.0055);
    tiny_release(&watching.tiny);
}

static ttt_status next_without_loss(void *context, int64_t number, ttt_sequence *sequence, bool *more, ttt_error *err) {
    TTT_TRY(tiny_next(context, number, sequence, more, err));
    for (int32_t t = 0; t < sequence->length; t++) sequence->targets[t] = -1;
    return TTT_OK;
}

static void impossible_steps__are_refused(void **state) {
    tiny_model tiny;
    ttt_train_state at = {0};
    ttt_error err = {0};
    (void)state;
    tiny_init(&tiny);
    ttt_train_options options = tiny_options(&tiny, 1);
    options.step_examples = 0;
    ASSERT_FAILS(ttt_train_run(tiny.trainer, &options, &at, &err), TTT_ERROR_ARGUMENT, "number of tokens");
    options.step_examples = 2;
    options.next = next_without_loss;
    ASSERT_FAILS(ttt_train_run(tiny.trainer, &options, &at, &err), TTT_ERROR_ARGUMENT, "loss");
    ttt_trainer_free(tiny.trainer);
    ASSERT_OK(ttt_trainer_new(tiny.session, EXAMPLE - 1, 1, &tiny.trainer, &err));
    options.next = tiny_next;
    ASSERT_FAILS(ttt_train_run(tiny.trainer, &options, &at, &err), TTT_ERROR_ARGUMENT, "9 tokens");
    assert_int_equal(at.steps, 0);
    tiny_release(&tiny);
}

static void every_failing_allocation__is_an_error_and_leaks_nothing(void **state) {
    tiny_model tiny;
    ttt_error err = {0};
    bool failed = true;
    (void)state;
    tiny_init(&tiny);
    const ttt_train_options options = tiny_options(&tiny, 1);
    for (size_t n = 1; failed; n++) {
        ttt_trainer *trainer = NULL;
        ttt_train_state at = {0};
        ttt_memory_fail_at(n);
        ttt_status status = ttt_trainer_new(tiny.session, TINY_TOKENS, 16, &trainer, &err);
        if (status == TTT_OK) status = ttt_train_run(trainer, &options, &at, &err);
        ttt_memory_fail_at(0);
        failed = status != TTT_OK;
        assert_true(!failed || status == TTT_ERROR_MEMORY);
        assert_true(failed || n > 5);
        ttt_trainer_free(trainer);
    }
    tiny_release(&tiny);
}

typedef struct judge_state {
    tiny_model tiny;
    int64_t next, tokens;
    double sum;
} judge_state;

static void judge(void *context, int64_t number, const float *losses, int32_t count) {
    judge_state *judging = context;
    assert_int_equal(number, judging->next++);
    for (int32_t i = 0; i < count; i++) judging->sum += losses[i];
    judging->tokens += count;
}

static void evaluation__hands_out_every_example_once_and_trains_nothing(void **state) {
    judge_state judging = {0};
    tiny_model untouched;
    ttt_error err = {0};
    double mean;
    (void)state;
    tiny_init(&judging.tiny);
    tiny_init(&untouched);
    judging.tiny.last = 150; /* more than are held in memory at a time */
    ASSERT_OK(ttt_train_evaluate(judging.tiny.trainer, tiny_next, judge, &judging, &mean, &err));
    assert_int_equal(judging.next, 150);
    assert_int_equal(judging.tokens, 150 * TINY_WORD);
    assert_true(fabs(mean - judging.sum / (double)judging.tokens) < 1e-9);
    assert_true(fabs(mean - 2) < 0.3);
    assert_true(tiny_equal(&judging.tiny, &untouched));
    tiny_release(&judging.tiny);
    tiny_release(&untouched);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiny_model__learns_to_copy),
        cmocka_unit_test(packing__does_not_change_the_step),
        cmocka_unit_test(step__takes_examples_until_its_tokens_are_reached),
        cmocka_unit_test(last_examples__make_a_partial_step_and_end_the_training),
        cmocka_unit_test(stop_flag_deadline_time_and_callback__end_the_training),
        cmocka_unit_test(time_schedule__follows_the_seconds_of_earlier_runs_too),
        cmocka_unit_test(impossible_steps__are_refused),
        cmocka_unit_test(every_failing_allocation__is_an_error_and_leaks_nothing),
        cmocka_unit_test(evaluation__hands_out_every_example_once_and_trains_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
