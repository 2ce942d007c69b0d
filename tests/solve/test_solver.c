/* The solver against a toy problem and a tiny random model on the reference backend. */
#include "support.h"

#include "solve/toy.h"

#include "model/adapter.h"
#include "solve/solver.h"

#include <math.h>

typedef struct fixture {
    ttt_backend *backend;
    ttt_model *model;
    ttt_solve_settings settings;
    ttt_solver_options options;
    ttt_solver *solver;
} fixture;

/* Fixed work unless `assignments` say otherwise. */
static void set_up(fixture *f, bool train, bool timed, const char *const *assignments) {
    static const char *const usual[] = {
        "ttt.steps=60",  "ttt.batch=8",   "ttt.learning_rate=1e-2", "ttt.batch_tokens=64", "ttt.max_tokens=32",
        "views.count=6", "views.batch=4", "views.max_tokens=32",    "ttt.adaptation=full", NULL};
    ttt_error err;
    memset(f, 0, sizeof *f);
    ASSERT_OK(ttt_backend_ref_new(&f->backend, &err));
    ASSERT_OK(toy_model(f->backend, 8, 1, &f->model, &err));
    ASSERT_OK(ttt_settings_defaults(&ttt_solve_table, &f->settings, &err));
    for (int i = 0; usual[i] != NULL; i++)
        ASSERT_OK(ttt_settings_assign(&ttt_solve_table, &f->settings, usual[i], &err));
    for (int i = 0; assignments != NULL && assignments[i] != NULL; i++) {
        ASSERT_OK(ttt_settings_assign(&ttt_solve_table, &f->settings, assignments[i], &err));
    }
    f->options = (ttt_solver_options){
        .settings = &f->settings, .method = train ? TTT_METHOD_TTT : TTT_METHOD_NONE, .timed = timed, .seed = 7};
    ASSERT_OK(ttt_solver_new(f->model, &f->options, &f->solver, &err));
}

static void tear_down(fixture *f) {
    ttt_solver_free(f->solver);
    ttt_model_free(f->model);
    ttt_backend_free(f->backend);
}

static void training__teaches_the_task(void **state) {
    (void)state;
    for (int full = 0; full < 2; full++) {
        fixture f;
        ttt_error err;
        ttt_task_record record;
        toy problem = toy_make("a", 2);
        set_up(&f, true, false,
               (const char *const[]){full ? "ttt.adaptation=full" : "ttt.adaptation=lora", "lora.rank=8",
                                     "lora.targets=q,k,v,o,gate,up,down,output", NULL});
        ASSERT_OK(ttt_solver_solve(f.solver, &problem.base, 0, &record, &err));
        assert_int_equal(record.steps.count, 60);
        assert_true(record.steps.items[59].loss < 0.5 * record.steps.items[0].loss);
        for (int test = 0; test < 2; test++) {
            assert_int_equal(record.tests[test].views.count, 6);
            assert_string_equal(record.tests[test].attempts[0], "45");
            assert_int_equal(record.tests[test].candidates.items[0].votes, 6);
            assert_string_equal(record.tests[test].attempts[1], "none");
        }
        ttt_task_record_release(&record);
        tear_down(&f);
    }
}

static void without_training__the_same_views_and_no_steps(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    ttt_task_record record;
    toy problem = toy_make("a", 1);
    set_up(&f, false, false, NULL);
    ASSERT_OK(ttt_solver_solve(f.solver, &problem.base, 0, &record, &err));
    assert_int_equal(record.steps.count, 0);
    assert_int_equal(record.tests[0].views.count, 6);
    assert_int_equal(record.plan.rung, TTT_RUNG_FULL);
    for (size_t i = 0; i < 6; i++) assert_int_equal(record.tests[0].views.items[i].end, TTT_DECODE_COMPLETE);
    ttt_task_record_release(&record);
    tear_down(&f);
}

static void assert_same_record(const ttt_task_record *a, const ttt_task_record *b) {
    assert_int_equal(a->steps.count, b->steps.count);
    for (size_t i = 0; i < a->steps.count; i++) assert_true(a->steps.items[i].loss == b->steps.items[i].loss);
    assert_int_equal(a->test_count, b->test_count);
    for (size_t t = 0; t < a->test_count; t++) {
        const ttt_test_record *left = &a->tests[t], *right = &b->tests[t];
        assert_int_equal(left->views.count, right->views.count);
        for (size_t i = 0; i < left->views.count; i++) {
            assert_true(left->views.items[i].log_probability == right->views.items[i].log_probability);
            assert_string_equal(left->views.items[i].answer, right->views.items[i].answer);
        }
        for (int i = 0; i < 2; i++) assert_string_equal(left->attempts[i], right->attempts[i]);
    }
}

/* A session used for another task before is as new. */
static void tasks__do_not_depend_on_each_other(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    ttt_task_record alone, first, after;
    toy a = toy_make("a", 1), b = toy_make("b", 2);
    set_up(&f, true, false, (const char *const[]){"ttt.steps=5", NULL});
    ASSERT_OK(ttt_solver_solve(f.solver, &b.base, 0, &alone, &err));
    tear_down(&f);
    set_up(&f, true, false, (const char *const[]){"ttt.steps=5", NULL});
    ASSERT_OK(ttt_solver_solve(f.solver, &a.base, 0, &first, &err));
    ASSERT_OK(ttt_solver_solve(f.solver, &b.base, 0, &after, &err));
    assert_same_record(&alone, &after);
    ttt_task_record_release(&alone);
    ttt_task_record_release(&first);
    ttt_task_record_release(&after);
    tear_down(&f);
}

/* ttt.adaptation=auto: a model with an encoding trains its weights, one without (a language model) an adapter. */
static void adaptation__is_chosen_by_the_model(void **state) {
    (void)state;
    static const int32_t vocabularies[] = {16, 8}, axes[] = {3, 1};
    for (int language = 0; language < 2; language++) {
        ttt_solve_settings settings;
        ttt_backend *backend;
        ttt_model *model;
        ttt_engine engine;
        ttt_error err;
        bool lora = false;
        ASSERT_OK(ttt_backend_ref_new(&backend, &err));
        ASSERT_OK(toy_model(backend, vocabularies[language], axes[language], &model, &err));
        ASSERT_OK(ttt_settings_defaults(&ttt_solve_table, &settings, &err));
        ASSERT_OK(ttt_settings_assign(&ttt_solve_table, &settings, "ttt.batch_tokens=64", &err));
        ASSERT_OK(ttt_settings_assign(&ttt_solve_table, &settings, "views.max_tokens=64", &err));
        ASSERT_OK(ttt_engine_init(&engine, model, &settings, true, &err));
        for (size_t i = 0; i < ttt_session_parameter_count(engine.session); i++) {
            ttt_weight *weight;
            size_t rows, columns;
            lora = lora || strstr(ttt_session_parameter(engine.session, i, &weight, &rows, &columns), "lora") != NULL;
        }
        assert_int_equal(lora, language == 1);
        ttt_engine_release(&engine);
        ttt_model_free(model);
        ttt_backend_free(backend);
    }
}

static void rescoring__every_candidate_under_every_view(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    ttt_task_record record;
    toy problem = toy_make("a", 1);
    set_up(&f, true, false, (const char *const[]){"ttt.steps=1", "vote.views=3", "views.count=12", NULL});
    ASSERT_OK(ttt_solver_solve(f.solver, &problem.base, 0, &record, &err));
    const ttt_test_record *test = &record.tests[0];
    if (test->candidates.count < 2) fail_msg("the toy model agrees with itself: nothing to re-score");
    assert_int_equal(test->scores.count, 3 * test->candidates.count);
    double best = -INFINITY;
    for (size_t i = 0; i < test->candidates.count; i++) best = fmax(best, test->candidates.items[i].score);
    for (size_t i = 0; i < test->candidates.count; i++) {
        bool chosen = strcmp(test->candidates.items[i].answer, test->attempts[0]) == 0;
        if (chosen) assert_true(test->candidates.items[i].score == best);
    }
    ttt_task_record_release(&record);
    tear_down(&f);
}

/* What is in a task's folder is what the task was answered with, and belongs to the model by name; a folder that cannot
 * be made costs no answer. */
static void adapters__stay_behind_as_folders(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    ttt_task_record record, usual;
    toy problem = toy_make("a", 1), without = toy_make("b", 1), climbing = toy_make("../a", 1);
    without.examples = 0;
    support_path folder = support_temporary_folder(), path = support_join(folder.text, "adapters/a");
    set_up(&f, true, false, (const char *const[]){"ttt.adaptation=lora", "lora.rslora=true", "ttt.steps=5", NULL});
    ASSERT_OK(ttt_solver_solve(f.solver, &problem.base, 0, &usual, &err));
    ttt_solver_free(f.solver);
    support_path adapters = support_join(folder.text, "adapters");
    f.options.adapters = adapters.text;
    f.options.model_name = "the model";
    ASSERT_OK(ttt_solver_new(f.model, &f.options, &f.solver, &err));
    ASSERT_OK(ttt_solver_solve(f.solver, &problem.base, 0, &record, &err));
    assert_same_record(&record, &usual);
    ttt_task_record_release(&record);

    ttt_session_options options = {.max_tokens = 64, .max_sequences = 8};
    ttt_session *session;
    ASSERT_OK(ttt_adapter_options_read(path.text, ttt_model_get_config(f.model), &options, &err));
    assert_true(options.rank == 64 && options.alpha == 16 && options.rank_stabilized);
    ASSERT_OK(ttt_session_new(f.model, &options, 0, &session, &err));
    ASSERT_OK(ttt_session_load_adapter(session, path.text, &err));
    ttt_session_free(session);

    ASSERT_OK(ttt_solver_solve(f.solver, &without.base, 0, &record, &err)); /* was not trained */
    ttt_task_record_release(&record);
    path = support_join(folder.text, "adapters/b");
    assert_int_not_equal(access(path.text, F_OK), 0);
    ASSERT_FAILS(ttt_solver_solve(f.solver, &climbing.base, 0, &record, &err), TTT_ERROR_ARGUMENT,
                 "task '../a': its adapter: its id is no name for a folder");
    assert_int_equal(record.tests[0].views.count, 6);
    assert_string_not_equal(record.tests[0].attempts[0], "none");
    ttt_task_record_release(&record);
    path = support_join(folder.text, "a");
    assert_int_not_equal(access(path.text, F_OK), 0);
    ttt_task_record_release(&usual);
    tear_down(&f);
    support_remove_folder(folder.text);
}

static void nothing_to_train_on__is_answered_without(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    ttt_task_record record;
    toy problem = toy_make("a", 1);
    problem.examples = 0;
    set_up(&f, true, false, NULL);
    ASSERT_OK(ttt_solver_solve(f.solver, &problem.base, 0, &record, &err));
    assert_int_equal(record.plan.rung, TTT_RUNG_NO_TRAINING);
    assert_int_equal(record.tests[0].views.count, 6);
    ttt_task_record_release(&record);
    tear_down(&f);
}

static void no_view_fits__is_the_fallback(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    ttt_task_record record;
    toy problem = toy_make("a", 2);
    problem.views = 0;
    set_up(&f, true, false, NULL);
    ASSERT_OK(ttt_solver_solve(f.solver, &problem.base, 0, &record, &err));
    assert_int_equal(record.plan.rung, TTT_RUNG_FALLBACK);
    for (int i = 0; i < 4; i++) assert_string_equal(record.tests[i / 2].attempts[i % 2], "none");
    ttt_task_record_release(&record);
    tear_down(&f);
}

static void no_time__is_the_fallback(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    ttt_task_record record;
    toy problem = toy_make("a", 1);
    set_up(&f, true, true, NULL);
    ASSERT_OK(ttt_solver_solve(f.solver, &problem.base, 1e-9, &record, &err));
    assert_int_equal(record.plan.rung, TTT_RUNG_FALLBACK);
    assert_true(record.plan.speed.training > 0 && record.plan.speed.reading > 0 && record.plan.speed.writing > 0);
    assert_string_equal(record.tests[0].attempts[0], "none");
    ttt_task_record_release(&record);
    tear_down(&f);
}

/* However much time there is, the examples and views.max end the work. */
static void much_time__ends_when_all_is_done(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    ttt_task_record record;
    toy problem = toy_make("a", 1);
    set_up(&f, true, true, (const char *const[]){"ttt.steps=0", "ttt.epochs=2", "views.count=0", "views.max=10", NULL});
    ASSERT_OK(ttt_solver_solve(f.solver, &problem.base, 3600, &record, &err));
    assert_int_equal(record.steps.count, 8); /* 32 examples twice, 8 a step */
    assert_int_equal(record.tests[0].views.count, 10);
    ttt_task_record_release(&record);
    tear_down(&f);
}

static void failure__leaves_fallback_answers_and_a_sentence(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    ttt_task_record record;
    toy broken = toy_make("bad one", 1), good = toy_make("good one", 1);
    broken.broken = true;
    set_up(&f, true, false, (const char *const[]){"ttt.steps=2", NULL});
    ASSERT_FAILS(ttt_solver_solve(f.solver, &broken.base, 0, &record, &err), TTT_ERROR_FORMAT,
                 "task 'bad one': example 0 is broken");
    assert_int_equal(record.status, TTT_ERROR_FORMAT);
    assert_string_equal(record.problem, err.message);
    assert_string_equal(record.tests[0].attempts[0], "none");
    ttt_task_record_release(&record);
    ASSERT_OK(ttt_solver_solve(f.solver, &good.base, 0, &record, &err));
    assert_int_equal(record.tests[0].views.count, 6);
    ttt_task_record_release(&record);
    tear_down(&f);
}

static void divergence__is_undone_and_noted(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    ttt_task_record trained, untrained;
    toy problem = toy_make("a", 1);
    set_up(&f, true, false,
           (const char *const[]){"ttt.learning_rate=1", "ttt.clip=0", "ttt.weight_decay=10", "ttt.beta1=0",
                                 "ttt.beta2=0", "ttt.steps=400", NULL});
    ASSERT_OK(ttt_solver_solve(f.solver, &problem.base, 0, &trained, &err));
    tear_down(&f);
    if (trained.problem == NULL) {
        ttt_task_record_release(&trained);
        SKIP("this model would not diverge");
    }
    assert_non_null(strstr(trained.problem, "answered without training"));
    set_up(&f, false, false, NULL);
    ASSERT_OK(ttt_solver_solve(f.solver, &problem.base, 0, &untrained, &err));
    for (size_t i = 0; i < 6; i++) {
        assert_true(trained.tests[0].views.items[i].log_probability ==
                    untrained.tests[0].views.items[i].log_probability);
    }
    ttt_task_record_release(&trained);
    ttt_task_record_release(&untrained);
    tear_down(&f);
}

static void stop__ends_with_cancelled(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    ttt_task_record record;
    toy problem = toy_make("a", 1);
    ttt_stop_flag stop = 1;
    set_up(&f, true, false, NULL);
    ttt_solver_free(f.solver);
    f.options.stop = &stop;
    ASSERT_OK(ttt_solver_new(f.model, &f.options, &f.solver, &err));
    ASSERT_FAILS(ttt_solver_solve(f.solver, &problem.base, 0, &record, &err), TTT_ERROR_CANCELLED, "stopped");
    ttt_task_record_release(&record);
    tear_down(&f);
}

static void memory__every_failure_is_an_error_not_a_crash(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    size_t failed = 0;
    set_up(&f, true, false, (const char *const[]){"ttt.steps=2", NULL});
    f.options.method = TTT_METHOD_ENSEMBLE;
    ttt_solver_free(f.solver);
    f.solver = NULL;
    for (size_t number = 1;; number++) {
        toy problem = toy_make("a", 1);
        problem.programs_say = "12";
        ttt_task_record record = {0};
        ttt_solver *solver = NULL;
        ttt_memory_fail_at(number);
        ttt_status status = ttt_solver_new(f.model, &f.options, &solver, &err);
        if (status == TTT_OK) status = ttt_solver_solve(solver, &problem.base, 0, &record, &err);
        ttt_memory_fail_at(0);
        ttt_task_record_release(&record);
        ttt_solver_free(solver);
        if (status == TTT_OK) break;
        assert_int_equal(status, TTT_ERROR_MEMORY);
        failed++;
    }
    assert_true(failed > 50);
    tear_down(&f);
}

/* The solver of f with another method. */
static void use_method(fixture *f, ttt_method method) {
    ttt_error err;
    ttt_solver_free(f->solver);
    f->options.method = method;
    ASSERT_OK(ttt_solver_new(ttt_method_asks(method) ? f->model : NULL, &f->options, &f->solver, &err));
}

static void expect_attempts(const ttt_task_record *record, const char *first, ttt_system by, const char *second,
                            ttt_system then) {
    for (size_t i = 0; i < record->test_count; i++) {
        assert_string_equal(record->tests[i].attempts[0], first);
        assert_string_equal(record->tests[i].attempts[1], second);
        assert_int_equal(record->tests[i].systems[0], by);
        assert_int_equal(record->tests[i].systems[1], then);
    }
}

static void programs__alone_need_no_model(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    ttt_task_record record;
    toy problem = toy_make("a", 2), silent = toy_make("b", 1), failing = toy_make("c", 1);
    problem.programs_say = "12";
    failing.programs_fail = TTT_ERROR_IO;
    set_up(&f, true, false, NULL);
    use_method(&f, TTT_METHOD_INDUCE);
    ASSERT_OK(ttt_solver_solve(f.solver, &problem.base, 100, &record, &err));
    assert_true(problem.programs_seconds > 95 && problem.programs_seconds <= 100);
    expect_attempts(&record, "12", TTT_SYSTEM_INDUCTION, "none", TTT_SYSTEM_NONE);
    ttt_task_record_release(&record);
    ASSERT_OK(ttt_solver_solve(f.solver, &silent.base, 0, &record, &err));
    expect_attempts(&record, "none", TTT_SYSTEM_NONE, "none", TTT_SYSTEM_NONE);
    ttt_task_record_release(&record);
    ASSERT_FAILS(ttt_solver_solve(f.solver, &failing.base, 0, &record, &err), TTT_ERROR_IO,
                 "task 'c': no programs today");
    expect_attempts(&record, "none", TTT_SYSTEM_NONE, "none", TTT_SYSTEM_NONE);
    ttt_task_record_release(&record);
    tear_down(&f);
}

static void ensemble__trusts_programs_where_they_are_certain(void **state) {
    (void)state;
    for (int certain = 0; certain < 2; certain++) {
        fixture f;
        ttt_error err;
        ttt_task_record record;
        toy problem = toy_make("a", 2);
        problem.programs_say = "12";
        problem.certain = certain;
        set_up(&f, true, false, (const char *const[]){"induce.seconds=3", NULL});
        use_method(&f, TTT_METHOD_ENSEMBLE);
        ASSERT_OK(ttt_solver_solve(f.solver, &problem.base, 0, &record, &err));
        assert_true(problem.programs_seconds == 3); /* without a budget */
        assert_int_equal(record.steps.count, 60);
        if (certain) {
            expect_attempts(&record, "12", TTT_SYSTEM_INDUCTION, "45", TTT_SYSTEM_TRANSDUCTION);
        } else {
            expect_attempts(&record, "45", TTT_SYSTEM_TRANSDUCTION, "12", TTT_SYSTEM_INDUCTION);
        }
        assert_string_equal(record.tests[0].voted[0], "45");
        ttt_task_record_release(&record);
        tear_down(&f);
    }
}

static void ensemble__shares_the_budget(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    ttt_task_record record;
    set_up(&f, true, true,
           (const char *const[]){"ttt.steps=1", "induce.share=0.1", "induce.seconds=50", "induce.certain=0.25", NULL});
    use_method(&f, TTT_METHOD_ENSEMBLE);
    for (int certain = 0; certain < 2; certain++) {
        toy problem = toy_make("a", 1), longer = toy_make("b", 1);
        problem.programs_say = longer.programs_say = "12";
        problem.certain = longer.certain = certain;
        ASSERT_OK(ttt_solver_solve(f.solver, &problem.base, 400, &record, &err));
        assert_true(problem.programs_seconds == 40);
        /* The toy took no time: what is left is all, or its share. */
        assert_true(record.plan.budget > (certain ? 95 : 390) && record.plan.budget <= (certain ? 100 : 400));
        /* And when the model is done in no time, either, programs that are not certain get the rest. */
        assert_int_equal(problem.programs_asked, certain ? 1 : 2);
        if (!certain) assert_true(problem.programs_more > 380 && problem.programs_more <= 392);
        assert_int_equal(record.induction.count, 1);
        ttt_task_record_release(&record);
        ASSERT_OK(ttt_solver_solve(f.solver, &longer.base, 1000, &record, &err));
        assert_true(longer.programs_seconds == 50);
        ttt_task_record_release(&record);
    }
    toy problem = toy_make("a", 1), untimed = toy_make("b", 1);
    ASSERT_OK(ttt_solver_solve(f.solver, &untimed.base, 0, &record, &err));
    assert_int_equal(untimed.programs_asked, 1);
    ttt_task_record_release(&record);
    use_method(&f, TTT_METHOD_TTT);
    ASSERT_OK(ttt_solver_solve(f.solver, &problem.base, 400, &record, &err));
    assert_int_equal(problem.programs_asked, 0);
    ttt_task_record_release(&record);
    tear_down(&f);
}

static void ensemble__without_programs_the_model_answers(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    ttt_task_record record;
    toy problem = toy_make("a", 1);
    problem.programs_fail = TTT_ERROR_IO;
    set_up(&f, true, false, NULL);
    use_method(&f, TTT_METHOD_ENSEMBLE);
    ASSERT_OK(ttt_solver_solve(f.solver, &problem.base, 0, &record, &err));
    expect_attempts(&record, "45", TTT_SYSTEM_TRANSDUCTION, "none", TTT_SYSTEM_NONE);
    assert_string_equal(record.problem, "no programs today");
    assert_int_equal(record.status, TTT_OK);
    ttt_task_record_release(&record);
    problem.programs_fail = TTT_ERROR_CANCELLED;
    ASSERT_FAILS(ttt_solver_solve(f.solver, &problem.base, 0, &record, &err), TTT_ERROR_CANCELLED, "no programs");
    ttt_task_record_release(&record);
    tear_down(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training__teaches_the_task),
        cmocka_unit_test(without_training__the_same_views_and_no_steps),
        cmocka_unit_test(tasks__do_not_depend_on_each_other),
        cmocka_unit_test(adaptation__is_chosen_by_the_model),
        cmocka_unit_test(rescoring__every_candidate_under_every_view),
        cmocka_unit_test(adapters__stay_behind_as_folders),
        cmocka_unit_test(nothing_to_train_on__is_answered_without),
        cmocka_unit_test(no_view_fits__is_the_fallback),
        cmocka_unit_test(no_time__is_the_fallback),
        cmocka_unit_test(much_time__ends_when_all_is_done),
        cmocka_unit_test(failure__leaves_fallback_answers_and_a_sentence),
        cmocka_unit_test(divergence__is_undone_and_noted),
        cmocka_unit_test(stop__ends_with_cancelled),
        cmocka_unit_test(programs__alone_need_no_model),
        cmocka_unit_test(ensemble__trusts_programs_where_they_are_certain),
        cmocka_unit_test(ensemble__shares_the_budget),
        cmocka_unit_test(ensemble__without_programs_the_model_answers),
        cmocka_unit_test(memory__every_failure_is_an_error_not_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
