#include "support.h"

#include "train/schedule.h"

#include <math.h>

static void assert_near(double value, double expected) {
    if (fabs(value - expected) > 1e-12) fail_msg("%.17g, expected %.17g", value, expected);
}

static void reference__starts_at_zero_and_peaks_after_the_warmup(void **state) {
    const ttt_schedule schedule = ttt_schedule_reference(25, 250);
    (void)state;
    assert_near(ttt_schedule_multiplier(&schedule, 0), 0);
    assert_near(ttt_schedule_multiplier(&schedule, 1), 0.04);
    assert_near(ttt_schedule_multiplier(&schedule, 25), 1);
    assert_near(ttt_schedule_multiplier(&schedule, 100), 0.75);
    assert_near(ttt_schedule_multiplier(&schedule, 250), 0);
}

static void ours__wastes_no_step(void **state) {
    const ttt_schedule schedule = ttt_schedule_ours(4, 10);
    (void)state;
    assert_near(ttt_schedule_multiplier(&schedule, 0), 0.2);
    assert_near(ttt_schedule_multiplier(&schedule, 2), 0.6);
    assert_near(ttt_schedule_multiplier(&schedule, 4), 1);
    for (int step = 0; step < 10; step++) assert_true(ttt_schedule_multiplier(&schedule, step) > 0);
    assert_near(ttt_schedule_multiplier(&schedule, 10), 0);
}

static void multiplier__rises_then_falls_to_the_end_and_stays(void **state) {
    const ttt_schedule schedule = {.warmup = 60, .total = 3600, .start = 0.01, .end = 0.1};
    double before = 0;
    (void)state;
    assert_near(ttt_schedule_multiplier(&schedule, 0), 0.01);
    for (int second = 0; second <= 60; second++) {
        const double now = ttt_schedule_multiplier(&schedule, second);
        assert_true(now > before);
        before = now;
    }
    for (int second = 61; second <= 3600; second++) {
        const double now = ttt_schedule_multiplier(&schedule, second);
        assert_true(now < before);
        before = now;
    }
    assert_near(ttt_schedule_multiplier(&schedule, 3600), 0.1);
    assert_near(ttt_schedule_multiplier(&schedule, 1e9), 0.1);
}

static void no_warmup__starts_at_the_top(void **state) {
    const ttt_schedule schedule = ttt_schedule_ours(0, 5), nothing = ttt_schedule_ours(0, 0);
    (void)state;
    assert_near(ttt_schedule_multiplier(&schedule, 0), 1);
    assert_near(ttt_schedule_multiplier(&nothing, 0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference__starts_at_zero_and_peaks_after_the_warmup),
        cmocka_unit_test(ours__wastes_no_step),
        cmocka_unit_test(multiplier__rises_then_falls_to_the_end_and_stays),
        cmocka_unit_test(no_warmup__starts_at_the_top),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
