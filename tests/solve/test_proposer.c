/* From answers to votes: with a cage that knows its programs by name in place of the real one, so that nothing here
 * depends on Python. */
#include "support.h"

#include "base/clock.h"
#include "base/memory.h"
#include "fake_server.h"
#include "solve/proposer.h"

/* --- A cage ------------------------------------------------------------------------------------------------------- */

static size_t cage_runs;

/* "# flip": reversed rows, "# turn": reversed columns, and so on; see run_one. */
static bool run_one(const char *program, const ttt_grid *input, ttt_grid *output) {
    *output = *input;
    if (strstr(program, "# rows") != NULL)
        ttt_grid_flip(input, 0, output);
    else if (strstr(program, "# columns") != NULL)
        ttt_grid_flip(input, 1, output);
    else if (strstr(program, "# both") != NULL)
        ttt_grid_rotate(input, 2, output);
    else if (strstr(program, "# same") == NULL)
        return false;
    return true;
}

ttt_status ttt_cage_run(ttt_cage *cage, const char *const *programs, size_t count, const ttt_grid *inputs,
                        size_t input_count, double seconds, const ttt_stop_flag *stop, ttt_cage_result *results,
                        ttt_error *err) {
    (void)cage, (void)seconds, (void)stop;
    for (size_t i = 0; i < count; i++, cage_runs++) {
        results[i] = (ttt_cage_result){.outcome = TTT_CAGE_RAN, .outputs = malloc(input_count * sizeof *inputs)};
        for (size_t k = 0; k < input_count; k++) {
            if (!run_one(programs[i], &inputs[k], &results[i].outputs[k])) results[i].outcome = TTT_CAGE_RAISED;
        }
        if (results[i].outcome != TTT_CAGE_RAN) ttt_cage_result_release(&results[i]);
        if (results[i].outputs == NULL) results[i].outcome = TTT_CAGE_RAISED;
        if (strstr(programs[i], "# cage breaks") != NULL) return ttt_fail(err, TTT_ERROR_IO, "the cage is broken");
    }
    return TTT_OK;
}

void ttt_cage_result_release(ttt_cage_result *result) {
    free(result->outputs);
    *result = (ttt_cage_result){0};
}

/* --- A task ------------------------------------------------------------------------------------------------------- */

/* Two demonstrations of reversed rows, in which the columns are palindromes: "# both" fits as well, but answers the
 * test otherwise; "# columns" and "# same" do not fit. */
static ttt_task make_task(void) {
    ttt_task task;
    ttt_error err;
    ASSERT_OK(ttt_task_init(&task, "rows", 2, 2, &err));
    for (int i = 0; i < 4; i++) {
        ttt_grid input = ttt_grid_filled(2, 3, (uint8_t)i);
        for (int column = 0; column < 3; column++) ttt_grid_set(&input, 1, column, 7);
        if (i >= 2) ttt_grid_set(&input, 1, 0, 8);
        if (i < 2) {
            task.demonstrations[i].input = input;
            ttt_grid_flip(&input, 0, &task.demonstrations[i].output);
        } else {
            task.tests[i - 2].input = input;
        }
    }
    return task;
}

#define PROGRAM(name) "I see.\n```python\n# " name "\ndef transform(grid):\n    ...\n```\n"

/* Small waits, six samples, one after the other. */
static void set(ttt_solve_settings *settings, const char *assignment) {
    static const char *const usual[] = {"proposer.model=tiny", "proposer.retries=1", "proposer.answer_seconds=60",
                                        "proposer.samples=6", "proposer.in_flight=1"};
    ttt_error err;
    ASSERT_OK(ttt_settings_defaults(&ttt_solve_table, settings, &err));
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        ASSERT_OK(ttt_settings_assign(&ttt_solve_table, settings, usual[i], &err));
    if (assignment != NULL) ASSERT_OK(ttt_settings_assign(&ttt_solve_table, settings, assignment, &err));
}

static ttt_status propose(fake_server *fake, const char *assignment, double seconds, ttt_proposal *proposal,
                          ttt_error *err) {
    ttt_task task = make_task();
    ttt_solve_settings settings;
    ttt_proposer *proposer;
    set(&settings, assignment);
    fake_server_start(fake);
    const ttt_proposer_options options = {.source = fake->url, .settings = &settings};
    assert_int_equal(ttt_proposer_new(&options, &proposer, err), TTT_OK);
    const ttt_status status = ttt_proposer_run(proposer, &task, NULL, seconds, NULL, proposal, err);
    ttt_proposer_free(proposer);
    fake_server_stop(fake);
    ttt_task_release(&task);
    return status;
}

/* --- Tests -------------------------------------------------------------------------------------------------------- */

static void programs__that_fit_vote_by_their_answer(void **state) {
    (void)state;
    static const char *const texts[] = {PROGRAM("both"),   PROGRAM("rows"),    "no program", PROGRAM("wrong"),
                                        PROGRAM("rows 2"), PROGRAM("columns"), NULL};
    fake_server fake = {.mode = FAKE_GOOD, .texts = texts};
    ttt_proposal proposal = {0};
    ttt_task task = make_task();
    ttt_grid expected;
    ttt_error err;
    ASSERT_OK(propose(&fake, NULL, 20, &proposal, &err));
    assert_int_equal(proposal.asked, 6);
    assert_int_equal(proposal.answered, 6);
    assert_int_equal(proposal.written, 5);
    assert_int_equal(proposal.ran, 4);
    assert_int_equal(proposal.fit, 3);
    assert_string_equal(proposal.problem, "");
    assert_int_equal(proposal.count, 2);
    assert_int_equal(proposal.items[0].votes, 2);
    assert_string_equal(proposal.items[0].program, "# rows\ndef transform(grid):\n    ...\n");
    for (size_t i = 0; i < 2; i++) {
        ttt_grid_flip(&task.tests[i].input, 0, &expected);
        assert_true(ttt_grid_equal(&proposal.items[0].outputs[i], &expected));
        ttt_grid_rotate(&task.tests[i].input, 2, &expected);
        assert_true(ttt_grid_equal(&proposal.items[1].outputs[i], &expected));
    }
    assert_int_equal(proposal.items[1].votes, 1);
    ttt_proposal_release(&proposal);
    ttt_task_release(&task);
}

static void equal_votes__stay_in_order(void **state) {
    (void)state;
    static const char *const texts[] = {PROGRAM("both"), PROGRAM("rows"), NULL};
    fake_server fake = {.mode = FAKE_GOOD, .texts = texts};
    ttt_proposal proposal = {0};
    ttt_error err;
    ASSERT_OK(propose(&fake, "proposer.samples=4", 20, &proposal, &err));
    assert_int_equal(proposal.count, 2);
    assert_int_equal(proposal.items[0].votes, 2);
    assert_int_equal(proposal.items[1].votes, 2);
    assert_non_null(strstr(proposal.items[0].program, "# both"));
    ttt_proposal_release(&proposal);
}

static void agreement__ends_the_asking(void **state) {
    (void)state;
    static const char *const texts[] = {PROGRAM("rows"), PROGRAM("both"), NULL};
    fake_server fake = {.mode = FAKE_GOOD, .texts = texts};
    ttt_proposal proposal = {0};
    ttt_error err;
    ASSERT_OK(propose(&fake, "proposer.samples=1000", 20, &proposal, &err));
    assert_int_equal(proposal.answered, 5);
    assert_int_equal(proposal.items[0].votes, 3);
    ttt_proposal_release(&proposal);
}

static void server__that_falls_silent_leaves_what_came(void **state) {
    (void)state;
    static const char *const texts[] = {PROGRAM("rows"), NULL};
    fake_server fake = {.mode = FAKE_FALLS_SILENT, .texts = texts};
    ttt_proposal proposal = {0};
    ttt_error err;
    ASSERT_OK(propose(&fake, NULL, 20, &proposal, &err));
    assert_int_equal(proposal.answered, 2);
    assert_int_equal(proposal.items[0].votes, 2);
    assert_non_null(strstr(proposal.problem, "the server http://127.0.0.1"));
    ttt_proposal_release(&proposal);
}

/* Whatever a server does, the run ends in time: with so many retries, and such patience, it would go on for minutes. A
 * machine full of other work may need seconds for half of one. */
static void bad_servers__end_in_time(void **state) {
    (void)state;
    static const fake_mode modes[] = {FAKE_SLOW,   FAKE_DRIPS,  FAKE_DIES,    FAKE_GARBAGE,
                                      FAKE_ERRORS, FAKE_FLOODS, FAKE_HEADERS, FAKE_CLOSES};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        fake_server fake = {.mode = modes[i]};
        ttt_proposal proposal = {0};
        ttt_error err;
        const double start = ttt_clock_seconds();
        ASSERT_FAILS(propose(&fake, "proposer.retries=1000", 0.5, &proposal, &err), TTT_ERROR_IO, "the server http");
        if (ttt_clock_seconds() - start > 10) fail_msg("mode %d took too long", modes[i]);
        assert_int_equal(proposal.asked, 6);
        assert_int_equal(proposal.answered, 0);
        ttt_proposal_release(&proposal);
    }
}

static void broken_cage__is_an_error(void **state) {
    (void)state;
    static const char *const texts[] = {PROGRAM("rows"), PROGRAM("cage breaks"), NULL};
    fake_server fake = {.mode = FAKE_GOOD, .texts = texts};
    ttt_proposal proposal = {0};
    ttt_error err;
    ASSERT_FAILS(propose(&fake, NULL, 20, &proposal, &err), TTT_ERROR_IO, "the cage is broken");
    assert_int_equal(proposal.count, 1);
    ttt_proposal_release(&proposal);
}

static void stop__is_cancelled(void **state) {
    (void)state;
    static ttt_stop_flag flag = 1;
    ttt_task task = make_task();
    ttt_solve_settings settings;
    ttt_proposer *proposer;
    ttt_proposal proposal = {0};
    ttt_error err;
    set(&settings, NULL);
    const ttt_proposer_options options = {.source = "http://127.0.0.1:1/v1", .settings = &settings};
    ASSERT_OK(ttt_proposer_new(&options, &proposer, &err));
    ASSERT_FAILS(ttt_proposer_run(proposer, &task, NULL, 0, &flag, &proposal, &err), TTT_ERROR_CANCELLED, "stopped");
    ttt_proposal_release(&proposal);
    ttt_proposer_free(proposer);
    ttt_task_release(&task);
}

static void source__must_be_there(void **state) {
    (void)state;
    ttt_solve_settings settings;
    ttt_proposer *proposer;
    ttt_error err;
    set(&settings, NULL);
    const ttt_proposer_options options = {.source = "/no/such/model", .settings = &settings};
    ASSERT_FAILS(ttt_proposer_new(&options, &proposer, &err), TTT_ERROR_IO, "/no/such/model");
    assert_null(proposer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs__that_fit_vote_by_their_answer),
        cmocka_unit_test(equal_votes__stay_in_order),
        cmocka_unit_test(agreement__ends_the_asking),
        cmocka_unit_test(server__that_falls_silent_leaves_what_came),
        cmocka_unit_test(bad_servers__end_in_time),
        cmocka_unit_test(broken_cage__is_an_error),
        cmocka_unit_test(stop__is_cancelled),
        cmocka_unit_test(source__must_be_there),
    };
    unsetenv("OPENAI_API_KEY");
    unsetenv("http_proxy");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
