/* Progress and time: who listens hears everything, who does not costs nothing; time goes forward. */
#include "support.h"

#include "base/clock.h"
#include "base/progress.h"

#include <time.h>

typedef struct heard {
    int events;
    char stage[16];
    int64_t done, total;
} heard;

static void listen(void *context, const ttt_progress_event *event) {
    heard *h = context;
    h->events++;
    h->done = event->done;
    h->total = event->total;
    snprintf(h->stage, sizeof h->stage, "%s", event->stage);
}

static void progress__reaches_the_listener(void **state) {
    (void)state;
    heard h = {0};
    const ttt_progress progress = {.report = listen, .context = &h};
    ttt_progress_step(&progress, "train", 3, 20);
    assert_int_equal(h.events, 1);
    assert_string_equal(h.stage, "train");
    assert_int_equal(h.done, 3);
    assert_int_equal(h.total, 20);
}

static void progress__without_a_listener_is_silent(void **state) {
    (void)state;
    const ttt_progress nobody = {0};
    ttt_progress_step(&nobody, "train", 1, 2);
    ttt_progress_step(NULL, "train", 1, 2);
}

static void clock__goes_forward_in_seconds(void **state) {
    (void)state;
    double before = ttt_clock_seconds();
    const struct timespec pause = {.tv_nsec = 20000000};
    assert_int_equal(nanosleep(&pause, NULL), 0);
    assert_true(ttt_clock_seconds() - before >= 0.02);
}

static void stop_flag__is_seen_once_raised(void **state) {
    (void)state;
    ttt_stop_flag flag = 0;
    assert_false(ttt_stop_requested(NULL));
    assert_false(ttt_stop_requested(&flag));
    flag = 1;
    assert_true(ttt_stop_requested(&flag));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress__reaches_the_listener),
        cmocka_unit_test(progress__without_a_listener_is_silent),
        cmocka_unit_test(clock__goes_forward_in_seconds),
        cmocka_unit_test(stop_flag__is_seen_once_raised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
