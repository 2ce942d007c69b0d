/* Answers of a search and of Python programs, put in one order. */
#include "support.h"

#include "solve/induced.h"

typedef struct fixture {
    ttt_task task;
    ttt_induced induced;
} fixture;

static void set_up(fixture *f) {
    ttt_error err;
    memset(f, 0, sizeof *f);
    ASSERT_OK(ttt_task_init(&f->task, "task", 3, 1, &err));
}

static void tear_down(fixture *f) {
    ttt_induced_release(&f->induced);
    ttt_task_release(&f->task);
}

static ttt_grid *outputs(uint8_t colour) {
    ttt_grid *made = ttt_allocate(1, sizeof *made);
    *made = ttt_grid_filled(1, 1, colour);
    return made;
}

/* The search has an answer of this colour, that explains so many of the three demonstrations. */
static void found(fixture *f, uint8_t colour, size_t fitted) {
    ttt_error err;
    ttt_induced_answer answer = {
        .outputs = outputs(colour), .program = ttt_string_copy("a program"), .programs = 2, .fitted = fitted};
    ASSERT_OK(ttt_induced_push(&f->induced, &answer, &err));
    f->induced.fitting += fitted == 3;
}

static void join(fixture *f, const char *colours) {
    ttt_error err;
    ttt_proposal proposal = {0};
    for (; *colours != '\0'; colours++) {
        ttt_proposed_answer answer = {
            .outputs = outputs((uint8_t)(*colours - '0')), .votes = 1, .program = ttt_string_copy("python")};
        ASSERT_OK(TTT_PUSH(&proposal, answer, &err));
    }
    snprintf(proposal.problem, sizeof proposal.problem, "slow today");
    ASSERT_OK(ttt_induced_join(&f->induced, &f->task, &proposal, &err));
    ttt_proposal_release(&proposal);
    assert_string_equal(f->induced.problem, "slow today");
}

static void expect(const fixture *f, const char *colours, size_t fitting, bool certain) {
    assert_int_equal(f->induced.count, strlen(colours));
    for (size_t i = 0; i < f->induced.count; i++) {
        assert_int_equal(f->induced.items[i].outputs[0].cells[0], colours[i] - '0');
        assert_int_equal(f->induced.items[i].fitted == 3, i < fitting);
    }
    assert_int_equal(f->induced.fitting, fitting);
    assert_int_equal(f->induced.certain, certain);
}

static void join__both_first_then_in_turn_then_what_fits_less(void **state) {
    (void)state;
    fixture f;
    set_up(&f);
    for (uint8_t colour = 1; colour <= 3; colour++) found(&f, colour, 3);
    found(&f, 4, 2);
    join(&f, "736");
    expect(&f,
           "3172"
           "64",
           5, false);
    assert_int_equal(f.induced.items[0].programs, 3);
    assert_false(f.induced.items[0].python);
    assert_true(f.induced.items[2].python);
    tear_down(&f);
}

static void certain__only_if_all_agree(void **state) {
    (void)state;
    static const struct {
        const char *search, *python, *all;
        bool before, after;
    } cases[] = {
        {"1", "1", "1", true, true},   {"1", "", "1", true, true}, {"1", "2", "12", true, false},
        {"", "2", "2", false, true},   {"", "", "", false, false}, {"", "23", "23", false, false},
        {"1", "1", "1", false, false}, /* the search itself knows of others */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture f;
        set_up(&f);
        for (const char *c = cases[i].search; *c != '\0'; c++) found(&f, (uint8_t)(*c - '0'), 3);
        f.induced.certain = cases[i].before;
        join(&f, cases[i].python);
        expect(&f, cases[i].all, strlen(cases[i].all), cases[i].after);
        tear_down(&f);
    }
}

/* The search is shown at every moment, also at those behind its end, and ends in time. */
typedef struct looks {
    size_t count;
    size_t answers[3];
} looks;

static void look(void *context, size_t moment, const ttt_search *search) {
    looks *seen = context;
    ttt_search_answer answer;
    assert_int_equal(moment, seen->count);
    seen->answers[seen->count++] = ttt_search_answers(search, &answer, 1);
}

static void induce__finds_and_shows(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    ttt_solve_settings settings;
    ttt_stop_flag stop = 0;
    looks seen = {0};
    const double moments[] = {0.1, 0.3, 1};
    const ttt_progress nobody = {0};
    set_up(&f);
    for (int i = 0; i < 3; i++) {
        ttt_pair *pair = &f.task.demonstrations[i];
        pair->input = ttt_grid_filled(2, 3, (uint8_t)(i + 1));
        ttt_grid_set(&pair->input, 0, 0, (uint8_t)(i + 4));
        ttt_grid_flip(&pair->input, 1, &pair->output);
    }
    f.task.tests[0].input = f.task.demonstrations[0].input;
    ttt_grid_set(&f.task.tests[0].input, 1, 2, 8);
    ASSERT_OK(ttt_settings_defaults(&ttt_solve_table, &settings, &err));
    const ttt_inducer inducer = {
        .settings = &settings, .threads = 1, .moments = moments, .moment_count = 3, .look = look, .context = &seen};
    ttt_inducing inducing = {0};
    ASSERT_OK(ttt_induce_task(&inducer, &f.task, &inducing, 1, &stop, &nobody, &f.induced, &err));
    assert_int_equal(seen.count, 3);
    assert_true(seen.answers[2] > 0 && f.induced.fitting > 0);
    ttt_grid wanted;
    ttt_grid_flip(&f.task.tests[0].input, 1, &wanted);
    assert_true(ttt_grid_equal(&f.induced.items[0].outputs[0], &wanted));
    ttt_induced_release(&f.induced);
    stop = 1;
    ASSERT_FAILS(ttt_induce_task(&inducer, &f.task, &inducing, 1, &stop, &nobody, &f.induced, &err),
                 TTT_ERROR_CANCELLED, "stopped");
    ttt_inducing_release(&inducing);
    tear_down(&f);
}

/* Two calls are one search: it goes on with what it has, and everything is there again. */
static void induce__goes_on(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    ttt_solve_settings settings;
    ttt_inducing inducing = {0};
    const ttt_stop_flag stop = 0;
    const ttt_progress nobody = {0};
    set_up(&f);
    ASSERT_OK(ttt_settings_defaults(&ttt_solve_table, &settings, &err));
    const ttt_inducer inducer = {.settings = &settings, .threads = 1};
    for (int i = 0; i < 3; i++) { /* what no program explains */
        f.task.demonstrations[i].input = ttt_grid_filled(3, 3, (uint8_t)i);
        f.task.demonstrations[i].output = ttt_grid_filled(3 + i % 2, 3, 0);
        for (int c = 0; c < 9; c++) {
            ttt_grid_set(&f.task.demonstrations[i].input, c / 3, c % 3, (uint8_t)((c * 7 + i * 5) % 10));
            ttt_grid_set(&f.task.demonstrations[i].output, c / 3, c % 3, (uint8_t)((c * c * 3 + i * 11) % 10));
        }
    }
    f.task.tests[0].input = f.task.demonstrations[0].input;
    ASSERT_OK(ttt_induce_task(&inducer, &f.task, &inducing, 0.1, &stop, &nobody, &f.induced, &err));
    const ttt_search_facts first = f.induced.facts;
    ttt_induced_release(&f.induced);
    ASSERT_OK(ttt_induce_task(&inducer, &f.task, &inducing, 0.2, &stop, &nobody, &f.induced, &err));
    assert_true(f.induced.facts.applications > first.applications);
    assert_true(f.induced.facts.seconds >= first.seconds + 0.15);
    ttt_inducing_release(&inducing);
    tear_down(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(join__both_first_then_in_turn_then_what_fits_less),
        cmocka_unit_test(certain__only_if_all_agree),
        cmocka_unit_test(induce__finds_and_shows),
        cmocka_unit_test(induce__goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
