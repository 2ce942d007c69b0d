/* Drafts: which known answer the guess is taken from. */
#include "support.h"

#include "solve/draft.h"

#include <string.h>

/* Answers are digits, a token each; odd views see them backwards. Anything else cannot be encoded. */
static ttt_status digits(const ttt_problem *problem, size_t test, size_t view, const char *text, ttt_sequence *sequence,
                         int32_t *first_target, ttt_error *err) {
    const int32_t length = (int32_t)strlen(text);
    (void)problem;
    assert_int_equal(test, 1);
    sequence->length = 0;
    TTT_TRY(ttt_sequence_reserve(sequence, length, 1, err));
    for (int32_t i = 0; i < length; i++) {
        const char digit = text[view % 2 == 1 ? length - 1 - i : i];
        if (digit < '0' || digit > '9') return ttt_fail(err, TTT_ERROR_FORMAT, "no digit");
        ttt_sequence_append(sequence, digit - '0', &i);
    }
    *first_target = sequence->ids[0];
    return TTT_OK;
}

static const ttt_problem_ops ops = {.encode = digits};
static ttt_problem problem = {.ops = &ops, .tests = 2};

static ttt_drafts *drafts_of(const char *const *answers, size_t count) {
    ttt_drafts *drafts;
    ttt_error err;
    ASSERT_OK(ttt_drafts_new(&problem, 1, 4, 2, &drafts, &err));
    for (size_t i = 0; i < count; i++) ttt_drafts_add(drafts, answers[i]);
    return drafts;
}

/* What is guessed behind `begun`, as digits. */
static void assert_guess(ttt_drafts *drafts, size_t view, const char *begun, int32_t room, const char *expected) {
    int32_t ids[32], guess[32];
    const int32_t count = (int32_t)strlen(begun);
    char found[33] = "";
    for (int32_t i = 0; i < count; i++) ids[i] = begun[i] - '0';
    const int32_t guessed = ttt_drafts_guess(drafts, view, ids, count, guess, room);
    assert_in_range(guessed, 0, room);
    for (int32_t i = 0; i < guessed; i++) found[i] = (char)('0' + guess[i]);
    assert_string_equal(found, expected);
}

#define DRAFTS(...)                                                                                                    \
    drafts_of((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void guess__is_the_rest_of_a_known_answer_as_the_view_has_it(void **state) {
    (void)state;
    ttt_drafts *drafts = DRAFTS("12345");
    assert_guess(drafts, 0, "1", 10, "2345");
    assert_guess(drafts, 0, "12", 2, "34");
    assert_guess(drafts, 1, "54", 10, "321");
    assert_guess(drafts, 0, "12345", 10, ""); /* there is no more of it */
    assert_guess(drafts, 0, "", 10, "");
    ttt_drafts_free(drafts);
}

static void guess__pauses_after_a_token_that_nobody_has(void **state) {
    (void)state;
    ttt_drafts *drafts = DRAFTS("12345");
    assert_guess(drafts, 0, "19", 10, "");
    assert_guess(drafts, 0, "193", 10, "45");
    ttt_drafts_free(drafts);
}

static void guess__is_of_the_answer_that_agrees_best_then_of_the_last(void **state) {
    (void)state;
    ttt_drafts *drafts = DRAFTS("11111", "12222", "12344");
    assert_guess(drafts, 0, "11", 10, "111");
    assert_guess(drafts, 0, "12", 10, "344");
    assert_guess(drafts, 0, "122", 10, "22");
    ttt_drafts_add(drafts, "12222"); /* again: now it is the last */
    assert_guess(drafts, 0, "12", 10, "222");
    assert_guess(drafts, 0, "123", 10, "44");
    ttt_drafts_free(drafts);
}

static void drafts__keep_the_last_eight(void **state) {
    (void)state;
    ttt_drafts *drafts = DRAFTS("01", "11", "21", "31", "41", "51", "61", "71");
    assert_guess(drafts, 0, "0", 10, "1");
    ttt_drafts_add(drafts, "81");
    assert_guess(drafts, 0, "0", 10, "");
    assert_guess(drafts, 0, "1", 10, "1");
    assert_guess(drafts, 0, "8", 10, "1");
    assert_guess(drafts, 1, "1", 10, "8");
    ttt_drafts_free(drafts);
}

static void guess__does_without_what_cannot_be_encoded(void **state) {
    (void)state;
    ttt_drafts *drafts = DRAFTS("123", "12x");
    assert_guess(drafts, 0, "12", 10, "3");
    ttt_drafts_free(drafts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guess__is_the_rest_of_a_known_answer_as_the_view_has_it),
        cmocka_unit_test(guess__pauses_after_a_token_that_nobody_has),
        cmocka_unit_test(guess__is_of_the_answer_that_agrees_best_then_of_the_last),
        cmocka_unit_test(drafts__keep_the_last_eight),
        cmocka_unit_test(guess__does_without_what_cannot_be_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
