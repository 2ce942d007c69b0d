/* Errors: the sentence, its prefix, its limits. */
#include "support.h"

#include "base/status.h"

static void fail__writes_sentence_and_returns_status(void **state) {
    (void)state;
    ttt_error err = {0};
    assert_int_equal(ttt_fail(&err, TTT_ERROR_FORMAT, "row %d of '%s'", 3, "a.json"), TTT_ERROR_FORMAT);
    assert_int_equal(err.status, TTT_ERROR_FORMAT);
    assert_string_equal(err.message, "row 3 of 'a.json'");
}

static void fail__accepts_no_error_to_fill(void **state) {
    (void)state;
    assert_int_equal(ttt_fail(NULL, TTT_ERROR_IO, "x"), TTT_ERROR_IO);
    assert_int_equal(ttt_fail_within(NULL, TTT_ERROR_MEMORY, "x"), TTT_ERROR_MEMORY);
}

static void fail__cuts_a_long_sentence(void **state) {
    (void)state;
    char longest[2 * TTT_ERROR_LENGTH];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    ttt_error err = {0};
    ttt_fail(&err, TTT_ERROR_IO, "%s", longest);
    assert_int_equal(strlen(err.message), TTT_ERROR_LENGTH - 1);
    ttt_fail_within(&err, TTT_ERROR_IO, "%s", longest);
    assert_int_equal(strlen(err.message), TTT_ERROR_LENGTH - 1);
    ttt_fail(&err, TTT_ERROR_IO, "%s", longest);
    ttt_fail_within(&err, TTT_ERROR_IO, "task 7");
    assert_int_equal(strlen(err.message), TTT_ERROR_LENGTH - 1);
    assert_memory_equal(err.message, "task 7: xxx", 11);
}

static void fail__keeps_to_one_line(void **state) {
    (void)state;
    ttt_error err = {0};
    ttt_fail(&err, TTT_ERROR_IO, "cannot open '%s'", "a\nb\033[2J\x7f");
    assert_string_equal(err.message, "cannot open 'a?b?[2J?'");
    ttt_fail_within(&err, TTT_ERROR_IO, "x\ty");
    assert_string_equal(err.message, "x?y: cannot open 'a?b?[2J?'");
}

static void fail_within__puts_the_place_first_and_keeps_the_status(void **state) {
    (void)state;
    ttt_error err = {0};
    ttt_fail(&err, TTT_ERROR_FORMAT, "row 3 is ragged");
    assert_int_equal(ttt_fail_within(&err, TTT_ERROR_IO, "task %s", "00d62c1b"), TTT_ERROR_FORMAT);
    assert_string_equal(err.message, "task 00d62c1b: row 3 is ragged");
}

static void status_name__names_every_status_and_survives_others(void **state) {
    (void)state;
    assert_string_equal(ttt_status_name(TTT_OK), "ok");
    assert_string_equal(ttt_status_name(TTT_ERROR_CANCELLED), "cancelled");
    for (int i = 0; i < TTT_STATUS_COUNT; i++) {
        for (int j = 0; j < i; j++) assert_string_not_equal(ttt_status_name(i), ttt_status_name(j));
    }
    assert_string_equal(ttt_status_name(TTT_STATUS_COUNT), "unknown");
    assert_string_equal(ttt_status_name((ttt_status)-1), "unknown");
}

static ttt_status fails_when(int n, int *reached, ttt_error *err) {
    for (int i = 0; i < 3; i++) {
        TTT_TRY(i == n ? ttt_fail(err, TTT_ERROR_IO, "step %d", i) : TTT_OK);
        *reached = i + 1;
    }
    return TTT_OK;
}

static ttt_status cleans_up_when(int n, int *cleaned, ttt_error *err) {
    ttt_status status = TTT_OK;
    int reached = 0;
    TTT_TRY_OUT(fails_when(n, &reached, err));
out:
    *cleaned = 1;
    return status;
}

static void try__stops_at_the_first_failure(void **state) {
    (void)state;
    ttt_error err = {0};
    int reached = 0, cleaned = 0;
    assert_int_equal(fails_when(1, &reached, &err), TTT_ERROR_IO);
    assert_int_equal(reached, 1);
    assert_string_equal(err.message, "step 1");
    assert_int_equal(fails_when(3, &reached, &err), TTT_OK);
    assert_int_equal(reached, 3);
    assert_int_equal(cleans_up_when(2, &cleaned, &err), TTT_ERROR_IO);
    assert_int_equal(cleaned, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fail__writes_sentence_and_returns_status),
        cmocka_unit_test(fail__accepts_no_error_to_fill),
        cmocka_unit_test(fail__cuts_a_long_sentence),
        cmocka_unit_test(fail__keeps_to_one_line),
        cmocka_unit_test(fail_within__puts_the_place_first_and_keeps_the_status),
        cmocka_unit_test(status_name__names_every_status_and_survives_others),
        cmocka_unit_test(try__stops_at_the_first_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
