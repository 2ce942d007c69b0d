/* The rule of the ensemble on texts, and on records of several test inputs. */
#include "support.h"

#include "solve/ensemble.h"

/* Answers as letters, "ab": a is the first. '|' stands behind the sound ones; without it all are sound. */
typedef struct said {
    char letters[8][2];
    const char *answers[8];
    ttt_opinion opinion;
} said;

static void say(said *made, const char *text) {
    bool marked = false;
    memset(made, 0, sizeof *made);
    for (; *text != '\0'; text++) {
        if (*text == '|') {
            marked = true;
            made->opinion.sound = made->opinion.count;
            continue;
        }
        made->letters[made->opinion.count][0] = *text;
        made->answers[made->opinion.count] = made->letters[made->opinion.count];
        made->opinion.count++;
    }
    if (!marked) made->opinion.sound = made->opinion.count;
    made->opinion.answers = made->answers;
}

/* The attempts as two letters, '-' for none. */
static void choose(const char *induction, bool certain, const char *transduction, char attempts[3],
                   ttt_system systems[2]) {
    said programs, model;
    const char *texts[2];
    say(&programs, induction);
    say(&model, transduction);
    ttt_ensemble_choose(&programs.opinion, certain, &model.opinion, texts, systems);
    for (int i = 0; i < 2; i++) attempts[i] = texts[i] == NULL ? '-' : texts[i][0];
    attempts[2] = '\0';
}

static void rule__every_case(void **state) {
    (void)state;
    static const struct {
        const char *induction;
        bool certain;
        const char *transduction, *attempts;
        ttt_system first, second;
    } cases[] = {
        /* they agree */
        {"a", true, "ab", "ab", TTT_SYSTEM_BOTH, TTT_SYSTEM_TRANSDUCTION},
        {"a", false, "ab", "ab", TTT_SYSTEM_BOTH, TTT_SYSTEM_TRANSDUCTION},
        {"ac", false, "a", "ac", TTT_SYSTEM_BOTH, TTT_SYSTEM_INDUCTION},
        {"ac", false, "ab", "ab", TTT_SYSTEM_BOTH, TTT_SYSTEM_TRANSDUCTION},
        {"a", true, "a", "a-", TTT_SYSTEM_BOTH, TTT_SYSTEM_NONE},
        /* they differ: induction where it is certain, else transduction; the other is second */
        {"a", true, "bc", "ab", TTT_SYSTEM_INDUCTION, TTT_SYSTEM_TRANSDUCTION},
        {"ad", false, "bc", "ba", TTT_SYSTEM_TRANSDUCTION, TTT_SYSTEM_INDUCTION},
        {"ab", false, "ba", "ba", TTT_SYSTEM_BOTH, TTT_SYSTEM_BOTH},
        /* no programs */
        {"", false, "bc", "bc", TTT_SYSTEM_TRANSDUCTION, TTT_SYSTEM_TRANSDUCTION},
        {"", true, "b", "b-", TTT_SYSTEM_TRANSDUCTION, TTT_SYSTEM_NONE},
        /* programs that fit only some demonstrations fill what is left, certain or not */
        {"|a", false, "bc", "bc", TTT_SYSTEM_TRANSDUCTION, TTT_SYSTEM_TRANSDUCTION},
        {"|a", true, "b", "ba", TTT_SYSTEM_TRANSDUCTION, TTT_SYSTEM_INDUCTION},
        {"a|d", true, "", "ad", TTT_SYSTEM_INDUCTION, TTT_SYSTEM_INDUCTION},
        {"a|d", true, "b", "ab", TTT_SYSTEM_INDUCTION, TTT_SYSTEM_TRANSDUCTION},
        /* no answer of the model */
        {"a", true, "", "a-", TTT_SYSTEM_INDUCTION, TTT_SYSTEM_NONE},
        {"ac", false, "", "ac", TTT_SYSTEM_INDUCTION, TTT_SYSTEM_INDUCTION},
        {"|ac", false, "", "ac", TTT_SYSTEM_INDUCTION, TTT_SYSTEM_INDUCTION},
        /* nothing at all; the same twice */
        {"", false, "", "--", TTT_SYSTEM_NONE, TTT_SYSTEM_NONE},
        {"", false, "bb", "b-", TTT_SYSTEM_TRANSDUCTION, TTT_SYSTEM_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char attempts[3];
        ttt_system systems[2];
        choose(cases[i].induction, cases[i].certain, cases[i].transduction, attempts, systems);
        assert_string_equal(attempts, cases[i].attempts);
        assert_int_equal(systems[0], cases[i].first);
        assert_int_equal(systems[1], cases[i].second);
    }
}

/* All opinions of at most two answers out of three, in words of the rule. */
static void rule__holds_for_all_small_opinions(void **state) {
    (void)state;
    static const char *const models[] = {"", "a", "b", "c", "ab", "ac", "ba", "bc", "ca", "cb"};
    static const char *const programs[] = {"",   "a",  "b",   "c",   "ab",  "ba",  "ac",  "cb",
                                           "|a", "|b", "a|b", "b|a", "c|a", "|ab", "|cb", "b|c"};
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        for (size_t k = 0; k < sizeof models / sizeof *models; k++) {
            for (int certain = 0; certain < 2; certain++) {
                char attempts[3];
                ttt_system systems[2];
                const bool sound = programs[i][0] != '\0' && programs[i][0] != '|', asked = models[k][0] != '\0';
                choose(programs[i], certain, models[k], attempts, systems);
                /* The first attempt. */
                if (sound && (certain || !asked)) assert_int_equal(attempts[0], programs[i][0]);
                if (asked && !(sound && certain)) assert_int_equal(attempts[0], models[k][0]);
                /* The second is the other's first, where that is another answer. */
                if (sound && asked && programs[i][0] != models[k][0]) {
                    assert_int_equal(attempts[1], certain ? models[k][0] : programs[i][0]);
                }
                /* Never the same twice; nothing is left out while there is room. */
                assert_true(attempts[0] != attempts[1] || attempts[0] == '-');
                for (const char *c = "abc"; *c != '\0'; c++) {
                    const bool given = strchr(programs[i], *c) != NULL || strchr(models[k], *c) != NULL;
                    if (given && strchr(attempts, *c) == NULL) assert_null(strchr(attempts, '-'));
                }
                for (int n = 0; n < 2; n++) {
                    int expected = attempts[n] != '-' && strchr(programs[i], attempts[n]) != NULL ? 1 : 0;
                    expected |= attempts[n] != '-' && strchr(models[k], attempts[n]) != NULL ? 2 : 0;
                    assert_int_equal((int)systems[n], expected);
                }
            }
        }
    }
}

/* Certainty is of the task, agreement of each test input. */
static void record__several_tests(void **state) {
    (void)state;
    ttt_task_record record;
    ttt_error err;
    const char *answers[2][2] = {{"a", "b"}, {"x", "y"}};
    ASSERT_OK(ttt_task_record_init(&record, "task", 2, &err));
    for (int i = 0; i < 2; i++) {
        ttt_induced_record program = {.answers = answers[i], .program = "p", .language = "ttt", .fits = i == 0};
        ASSERT_OK(TTT_PUSH(&record.induction, program, &err));
    }
    record.tests[0].voted[0] = "a";
    record.tests[0].voted[1] = "c";
    record.tests[1].voted[0] = "d";
    for (int certain = 0; certain < 2; certain++) {
        record.induction.certain = certain;
        for (size_t i = 0; i < 2; i++) ASSERT_OK(ttt_ensemble_attempts(&record, i, &err));
        assert_string_equal(record.tests[0].attempts[0], "a");
        assert_string_equal(record.tests[0].attempts[1], "c");
        assert_int_equal(record.tests[0].systems[0], TTT_SYSTEM_BOTH);
        assert_string_equal(record.tests[1].attempts[0], certain ? "b" : "d");
        assert_string_equal(record.tests[1].attempts[1], certain ? "d" : "b");
    }
    ttt_task_record_release(&record);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule__every_case),
        cmocka_unit_test(rule__holds_for_all_small_opinions),
        cmocka_unit_test(record__several_tests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
