/* Whole runs of a tiny random grid model on the reference backend: the store, resuming after a kill, bad places. */
#include "support.h"

#include "solve/toy.h"

#include "base/file.h"
#include "solve/run.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

enum { TASKS = 4 };

typedef struct fixture {
    support_path folder, store, out;
    ttt_backend *backend;
    ttt_model *model;
    ttt_codec *codec;
    ttt_solve_settings settings;
    ttt_task_set tasks;
    ttt_run_options options;
    size_t solved, resumed;
    double budget;  /* seconds planned for the first task solved */
    int kill_after; /* tasks, 0: never */
} fixture;

static void count(void *context, const ttt_run_report *report) {
    fixture *f = context;
    if (!report->resumed && f->solved == f->resumed) f->budget = report->record->plan.budget;
    f->solved++;
    f->resumed += report->resumed;
    assert_int_equal(report->total, f->tasks.count);
    /* A report comes before the file is replaced: what is killed here is stored and not yet submitted. */
    if (f->kill_after > 0 && f->solved == (size_t)f->kill_after) kill(getpid(), SIGKILL);
}

static void add_task(ttt_task_set *set, int number) {
    ttt_error err;
    ttt_task task;
    char id[16];
    snprintf(id, sizeof id, "task%d", number);
    ASSERT_OK(ttt_task_init(&task, id, 2, number == 1 ? 2 : 1, &err));
    for (int i = 0; i < 2; i++) {
        task.demonstrations[i].input = ttt_grid_filled(2, 2, (uint8_t)(number + i));
        task.demonstrations[i].output = ttt_grid_filled(1, 2, (uint8_t)(number + i));
    }
    for (size_t i = 0; i < task.test_count; i++) {
        task.tests[i] =
            (ttt_test){.input = ttt_grid_filled(2, 2, 9), .output = ttt_grid_filled(1, 2, 9), .known = true};
    }
    ASSERT_OK(ttt_task_set_add(set, &task, &err));
}

static void set_up(fixture *f) {
    static const char *const assignments[] = {"ttt.steps=2",         "ttt.batch=2",   "ttt.batch_tokens=256",
                                              "ttt.max_tokens=128",  "views.count=3", "views.batch=2",
                                              "views.max_tokens=256"};
    ttt_error err;
    memset(f, 0, sizeof *f);
    f->folder = support_temporary_folder();
    f->store = support_join(f->folder.text, "run");
    f->out = support_join(f->folder.text, "submission.json");
    ASSERT_OK(ttt_backend_ref_new(&f->backend, &err));
    ASSERT_OK(toy_model(f->backend, 16, 3, &f->model, &err));
    const ttt_encoding encoding = ttt_encoding_default();
    ASSERT_OK(ttt_grid_codec_new(&encoding, &f->codec, &err));
    ASSERT_OK(ttt_settings_defaults(&ttt_solve_table, &f->settings, &err));
    for (size_t i = 0; i < sizeof assignments / sizeof *assignments; i++) {
        ASSERT_OK(ttt_settings_assign(&ttt_solve_table, &f->settings, assignments[i], &err));
    }
    for (int i = 0; i < TASKS; i++) add_task(&f->tasks, i);
    f->options = (ttt_run_options){.settings = &f->settings,
                                   .method = TTT_METHOD_TTT,
                                   .seed = 3,
                                   .model_path = "a tiny model",
                                   .store = f->store.text,
                                   .out = f->out.text,
                                   .solved = count,
                                   .context = f};
}

static void tear_down(fixture *f) {
    ttt_task_set_release(&f->tasks);
    ttt_codec_free(f->codec);
    ttt_model_free(f->model);
    ttt_backend_free(f->backend);
    support_remove_folder(f->folder.text);
}

static ttt_status run(fixture *f, size_t *failures, ttt_error *err) {
    ttt_submission submission = {0};
    f->solved = f->resumed = 0;
    ttt_status status = ttt_run_arc(f->model, f->codec, &f->tasks, &f->options, &submission, failures, err);
    ttt_submission_release(&submission);
    return status;
}

static char *contents(const char *path) {
    ttt_error err;
    char *text;
    size_t bytes;
    ASSERT_OK(ttt_file_read(path, 1 << 20, &text, &bytes, &err));
    return text;
}

static void run__all_tasks_in_order_and_the_store_knows_them(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    size_t failures;
    ttt_task_set tasks = {0};
    ttt_submission submission = {0};
    set_up(&f);
    ASSERT_OK(run(&f, &failures, &err));
    assert_int_equal(f.solved, TASKS);
    assert_int_equal(f.resumed, 0);
    assert_int_equal(failures, 0);
    ASSERT_OK(ttt_run_load(f.store.text, -1, &tasks, &submission, &err));
    assert_int_equal(tasks.count, TASKS);
    assert_int_equal(tasks.items[1].test_count, 2);
    assert_true(tasks.items[1].tests[1].known);
    support_path again = support_join(f.folder.text, "again.json");
    ASSERT_OK(ttt_submission_write(&submission, again.text, &err));
    char *first = contents(f.out.text), *second = contents(again.text);
    assert_string_equal(first, second);
    ttt_free(first);
    ttt_free(second);
    ttt_submission_release(&submission);
    ttt_task_set_release(&tasks);
    tear_down(&f);
}

static void run__votes_are_redone_offline(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    size_t failures;
    set_up(&f);
    ASSERT_OK(run(&f, &failures, &err));
    for (int method = TTT_VOTE_POOL; method <= TTT_VOTE_PAPER; method++) {
        ttt_task_set tasks = {0};
        ttt_submission submission = {0}, live = {0};
        support_path other = support_join(f.folder.text, "other");
        ASSERT_OK(ttt_run_load(f.store.text, method, &tasks, &submission, &err));
        /* The same as a run that votes so from the beginning. */
        f.settings.vote_method = method;
        f.options.store = other.text;
        ASSERT_OK(ttt_run_arc(f.model, f.codec, &f.tasks, &f.options, &live, &failures, &err));
        json_t *left = ttt_submission_to_json(&submission), *right = ttt_submission_to_json(&live);
        assert_true(json_equal(left, right));
        json_decref(left);
        json_decref(right);
        ttt_submission_release(&submission);
        ttt_submission_release(&live);
        ttt_task_set_release(&tasks);
        support_remove_folder(other.text);
    }
    tear_down(&f);
}

/* A run in a child process that is killed after so many reports. */
static void run_until_killed(const fixture *f, int reports) {
    pid_t child = fork();
    if (child == 0) {
        fixture own = *f;
        ttt_error err;
        size_t failures;
        own.kill_after = reports;
        own.options.context = &own;
        run(&own, &failures, &err);
        _exit(0);
    }
    int how;
    waitpid(child, &how, 0);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
}

static void killed__at_most_the_task_in_flight_is_lost(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    size_t failures;
    set_up(&f);
    ASSERT_OK(run(&f, &failures, &err));
    char *whole = contents(f.out.text);
    support_remove_folder(f.store.text);
    remove(f.out.text);

    run_until_killed(&f, 3);

    ttt_submission submission = {0}; /* valid, with every task */
    ASSERT_OK(ttt_submission_read(&submission, f.out.text, &err));
    assert_int_equal(submission.count, TASKS);
    ttt_submission_release(&submission);

    ASSERT_OK(run(&f, &failures, &err));
    assert_int_equal(f.solved, TASKS);
    assert_int_equal(f.resumed, 3);
    char *resumed = contents(f.out.text);
    assert_string_equal(whole, resumed);
    ttt_free(whole);
    ttt_free(resumed);
    tear_down(&f);
}

static void resume__the_submission_loses_no_answer_for_a_moment(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    size_t failures;
    set_up(&f);
    ASSERT_OK(run(&f, &failures, &err));
    char *whole = contents(f.out.text);
    run_until_killed(&f, 1); /* the first task, which is resumed */
    char *killed = contents(f.out.text);
    assert_string_equal(whole, killed);
    ttt_free(whole);
    ttt_free(killed);
    tear_down(&f);
}

static void resume__other_settings_are_refused_by_name(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    size_t failures;
    set_up(&f);
    ASSERT_OK(run(&f, &failures, &err));
    f.settings.ttt_steps = 3;
    ASSERT_FAILS(run(&f, &failures, &err), TTT_ERROR_ARGUMENT, "ttt.steps 2, now it is 3");
    f.settings.ttt_steps = 2;
    f.options.seed = 4;
    ASSERT_FAILS(run(&f, &failures, &err), TTT_ERROR_ARGUMENT, "seed 3, now it is 4");
    f.options.seed = 3;
    f.options.method = TTT_METHOD_NONE;
    ASSERT_FAILS(run(&f, &failures, &err), TTT_ERROR_ARGUMENT, "method \"ttt\", now it is \"none\"");
    f.options.method = TTT_METHOD_TTT;
    const uint8_t old = f.tasks.items[2].demonstrations[0].output.cells[0];
    f.tasks.items[2].demonstrations[0].output.cells[0] = 8;
    ASSERT_FAILS(run(&f, &failures, &err), TTT_ERROR_ARGUMENT, "holds another task 'task2'");
    f.tasks.items[2].demonstrations[0].output.cells[0] = old;
    f.tasks.items[2].tests[0].input.cells[0] = 8;
    ASSERT_FAILS(run(&f, &failures, &err), TTT_ERROR_ARGUMENT, "holds another task 'task2'");
    tear_down(&f);
}

static void resume__another_shard_of_weights_is_another_model(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    size_t failures;
    set_up(&f);
    support_path model = support_join(f.folder.text, "model");
    support_path second = support_join(model.text, "model-00002-of-00002.safetensors");
    ASSERT_OK(ttt_folder_make(model.text, &err));
    support_write(support_join(model.text, "config.json").text, "{}");
    support_write(support_join(model.text, "model-00001-of-00002.safetensors").text, "first");
    support_write(second.text, "second");
    f.options.model_path = model.text;
    ASSERT_OK(run(&f, &failures, &err));
    support_write(second.text, "secord"); /* as long as before */
    ASSERT_FAILS(run(&f, &failures, &err), TTT_ERROR_ARGUMENT, "model_fingerprint");
    support_write(second.text, "second");
    ASSERT_OK(run(&f, &failures, &err));
    assert_int_equal(f.resumed, TASKS);
    tear_down(&f);
}

/* Programs of every task: the store keeps them and whose each attempt is, and the votes re-done join them again. */
static void ensemble__programs_are_kept(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    size_t failures;
    set_up(&f);
    const ttt_inducer inducer = {.settings = &f.settings, .threads = 1};
    f.options.method = TTT_METHOD_ENSEMBLE;
    f.options.inducer = &inducer;
    f.settings.induce_seconds = 0.2;
    ASSERT_OK(run(&f, &failures, &err));
    assert_int_equal(failures, 0);
    ttt_store *store;
    ttt_task_record record;
    bool found;
    size_t programs = 0;
    ASSERT_OK(ttt_store_open_to_read(f.store.text, &store, &err));
    for (int i = 0; i < TASKS; i++) {
        ASSERT_OK(ttt_store_load(store, f.tasks.items[i].id, &record, NULL, &found, &err));
        assert_true(found && record.timings.induce > 0);
        for (size_t k = 0; k < record.induction.count; k++) {
            ttt_program program = {0};
            ASSERT_OK(ttt_program_parse(record.induction.items[k].program, "store", &program, &err));
            ttt_program_release(&program);
            assert_string_equal(record.induction.items[k].language, "ttt");
        }
        programs += record.induction.count;
        ttt_task_record_release(&record);
    }
    ttt_store_close(store);
    assert_true(programs > 0);
    for (int method = -1; method < 2; method += 2) { /* as it was; re-scored, as it was too */
        ttt_task_set tasks = {0};
        ttt_submission submission = {0}, live = {0};
        ASSERT_OK(ttt_run_load(f.store.text, method, &tasks, &submission, &err));
        ASSERT_OK(ttt_submission_read(&live, f.out.text, &err));
        json_t *left = ttt_submission_to_json(&submission), *right = ttt_submission_to_json(&live);
        assert_true(json_equal(left, right));
        json_decref(left);
        json_decref(right);
        ttt_submission_release(&submission);
        ttt_submission_release(&live);
        ttt_task_set_release(&tasks);
    }
    ASSERT_OK(run(&f, &failures, &err));
    assert_int_equal(f.resumed, TASKS);
    f.options.proposer = "http://somewhere/v1";
    ASSERT_FAILS(run(&f, &failures, &err), TTT_ERROR_ARGUMENT, "proposer");
    tear_down(&f);
}

static void induce__runs_without_a_model(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    size_t failures;
    ttt_submission submission = {0};
    set_up(&f);
    const ttt_inducer inducer = {.settings = &f.settings, .threads = 1};
    f.options.method = TTT_METHOD_INDUCE;
    f.options.inducer = &inducer;
    f.options.model_path = NULL;
    f.options.budget = 0.2;
    ASSERT_OK(ttt_run_arc(NULL, NULL, &f.tasks, &f.options, &submission, &failures, &err));
    assert_int_equal(failures, 0);
    assert_int_equal(f.solved, TASKS);
    ttt_submission_release(&submission);
    tear_down(&f);
}

static void store__what_a_task_was_answered_with_comes_back(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    ttt_store *store;
    ttt_task_record record, back;
    bool found;
    const char *answers[2][2] = {{"[[1]]", "[[2]]"}, {"[[3]]", "[[4]]"}};
    set_up(&f);
    ASSERT_OK(ttt_store_open(f.store.text, &store, &err));
    ASSERT_OK(ttt_task_record_init(&record, "a", 2, &err));
    record.induction.certain = true;
    record.timings.induce = 1.5;
    for (int i = 0; i < 2; i++) {
        ttt_induced_record program = {.answers = answers[i],
                                      .program = i == 0 ? "output = input\n" : "def transform(x): return x",
                                      .language = i == 0 ? "ttt" : "python",
                                      .fits = i == 0,
                                      .programs = 7 - i,
                                      .cost = 12.5,
                                      .seconds = 0.25};
        ASSERT_OK(TTT_PUSH(&record.induction, program, &err));
        record.tests[i].attempts[0] = record.tests[i].voted[0] = "[[5]]";
        record.tests[i].attempts[1] = "[[0]]";
        record.tests[i].systems[0] = TTT_SYSTEM_BOTH;
    }
    json_t *task = json_object();
    for (int twice = 0; twice < 2; twice++) ASSERT_OK(ttt_store_save(store, "toy", task, &record, &err));
    ASSERT_OK(ttt_store_load(store, "a", &back, NULL, &found, &err));
    assert_true(found && back.induction.certain && back.timings.induce == 1.5);
    assert_int_equal(back.induction.count, 2);
    for (int i = 0; i < 2; i++) {
        const ttt_induced_record *one = &record.induction.items[i], *other = &back.induction.items[i];
        for (int k = 0; k < 2; k++) assert_string_equal(one->answers[k], other->answers[k]);
        assert_string_equal(one->program, other->program);
        assert_string_equal(one->language, other->language);
        assert_true(one->fits == other->fits && one->programs == other->programs);
        assert_true(one->cost == other->cost && one->seconds == other->seconds);
        assert_string_equal(back.tests[i].voted[0], "[[5]]");
        assert_null(back.tests[i].voted[1]);
        assert_int_equal(back.tests[i].systems[0], TTT_SYSTEM_BOTH);
        assert_int_equal(back.tests[i].systems[1], TTT_SYSTEM_NONE);
    }
    json_decref(task);
    ttt_task_record_release(&record);
    ttt_task_record_release(&back);
    ttt_store_close(store);
    tear_down(&f);
}

/* Before there were versions a store said 0. */
static void store__another_version_is_refused(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    ttt_store *store;
    sqlite3 *database;
    set_up(&f);
    ASSERT_OK(ttt_store_open(f.store.text, &store, &err));
    ttt_store_close(store);
    support_path file = support_join(f.store.text, "run.sqlite");
    assert_int_equal(sqlite3_open(file.text, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, "PRAGMA user_version = 0", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
    ASSERT_FAILS(ttt_store_open(f.store.text, &store, &err), TTT_ERROR_UNSUPPORTED, "version 0");
    ASSERT_FAILS(ttt_store_open_to_read(f.store.text, &store, &err), TTT_ERROR_UNSUPPORTED, "version 0");
    tear_down(&f);
}

static void store__one_writer_at_a_time(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    ttt_store *first, *second;
    set_up(&f);
    ASSERT_OK(ttt_store_open(f.store.text, &first, &err));
    ASSERT_FAILS(ttt_store_open(f.store.text, &second, &err), TTT_ERROR_IO, "another process");
    ttt_store_close(first);
    ASSERT_OK(ttt_store_open(f.store.text, &first, &err));
    ttt_store_close(first);
    tear_down(&f);
}

static void store__bad_places_are_errors(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    ttt_store *store;
    size_t failures;
    set_up(&f);
    ASSERT_FAILS(ttt_store_open_to_read(f.folder.text, &store, &err), TTT_ERROR_IO, "run.sqlite: cannot open");
    support_path broken = support_join(f.folder.text, "broken"), file = support_join(broken.text, "run.sqlite");
    ASSERT_OK(ttt_folder_make(broken.text, &err));
    support_write(file.text,
                  "this is no database, however long one looks at it; it is a text file, as anybody can see");
    ASSERT_FAILS(ttt_store_open(broken.text, &store, &err), TTT_ERROR_IO, "not a database");
    f.options.store = f.out.text; /* a file in place of a folder */
    support_write(f.out.text, "x");
    assert_int_not_equal(run(&f, &failures, &err), TTT_OK);
    f.options.store = NULL;
    f.options.out = "/nonexistent/folder/out.json";
    ASSERT_FAILS(run(&f, &failures, &err), TTT_ERROR_IO, "/nonexistent/folder");
    if (access("/dev/full", W_OK) == 0) {
        f.options.out = "/dev/full";
        ASSERT_FAILS(run(&f, &failures, &err), TTT_ERROR_IO, "No space left");
    }
    tear_down(&f);
}

static void deadline__is_shared_and_every_task_answered(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    size_t failures;
    set_up(&f);
    f.options.deadline = ttt_clock_seconds();
    ASSERT_OK(run(&f, &failures, &err));
    assert_int_equal(f.solved, TASKS);
    assert_int_equal(failures, 0);
    ttt_submission submission = {0};
    ASSERT_OK(ttt_submission_read(&submission, f.out.text, &err));
    ttt_grid fallback = ttt_grid_filled(1, 1, 0);
    assert_true(ttt_grid_equal(&submission.items[0].outputs[0].grids[0], &fallback));
    ttt_submission_release(&submission);
    tear_down(&f);
}

static void deadline__is_shared_by_what_the_store_does_not_hold(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    size_t failures;
    set_up(&f);
    const ttt_task_set all = f.tasks;
    f.tasks.items++; /* all but the first */
    f.tasks.count--;
    ASSERT_OK(run(&f, &failures, &err));
    f.tasks = all;
    f.options.deadline = ttt_clock_seconds() + 1000;
    ASSERT_OK(run(&f, &failures, &err));
    assert_int_equal(f.resumed, TASKS - 1);
    assert_true(f.budget > 900); /* nearly all of it; shared by four it would be 250 */
    tear_down(&f);
}

static void stopped__what_was_solved_is_kept(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    size_t failures;
    ttt_stop_flag stop = 1;
    set_up(&f);
    f.options.stop = &stop;
    ASSERT_FAILS(run(&f, &failures, &err), TTT_ERROR_CANCELLED, "stopped");
    ttt_submission submission = {0};
    ASSERT_OK(ttt_submission_read(&submission, f.out.text, &err));
    assert_int_equal(submission.count, TASKS);
    ttt_submission_release(&submission);
    stop = 0;
    ASSERT_OK(run(&f, &failures, &err));
    tear_down(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run__all_tasks_in_order_and_the_store_knows_them),
        cmocka_unit_test(run__votes_are_redone_offline),
        cmocka_unit_test(killed__at_most_the_task_in_flight_is_lost),
        cmocka_unit_test(resume__the_submission_loses_no_answer_for_a_moment),
        cmocka_unit_test(resume__other_settings_are_refused_by_name),
        cmocka_unit_test(resume__another_shard_of_weights_is_another_model),
        cmocka_unit_test(ensemble__programs_are_kept),
        cmocka_unit_test(induce__runs_without_a_model),
        cmocka_unit_test(store__what_a_task_was_answered_with_comes_back),
        cmocka_unit_test(store__another_version_is_refused),
        cmocka_unit_test(store__one_writer_at_a_time),
        cmocka_unit_test(store__bad_places_are_errors),
        cmocka_unit_test(deadline__is_shared_and_every_task_answered),
        cmocka_unit_test(deadline__is_shared_by_what_the_store_does_not_hold),
        cmocka_unit_test(stopped__what_was_solved_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
