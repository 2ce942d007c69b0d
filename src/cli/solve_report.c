#include "cli/solve_report.h"

#include "cli/options.h"
#include "cli/outcome.h"
#include "cli/text.h"
#include "solve/problem_arc.h"

#include <stdio.h>

static size_t views_of(const ttt_task_record *record) {
    size_t views = 0;
    for (size_t i = 0; i < record->test_count; i++) views += record->tests[i].views.count;
    return views;
}

/* --- Who answers what -------------------------------------------------------------------------------------------- */

static bool is_right(const ttt_test *test, const char *answer) {
    ttt_grid grid;
    return answer != NULL && ttt_grid_from_text(answer, &grid, NULL) == TTT_OK && ttt_grid_equal(&grid, &test->output);
}

static const char *answer_of_programs(const ttt_task_record *record, size_t test, size_t number) {
    return number < record->induction.count ? record->induction.items[number].answers[test] : NULL;
}

/* Are all known outputs right, by the first `attempts` answers of programs, or of the model? */
static bool solves(const ttt_run_report *task, bool programs, size_t attempts) {
    const ttt_task_record *record = task->record;
    size_t known = 0, right = 0;
    for (size_t i = 0; i < task->task->test_count; i++) {
        const ttt_test *test = &task->task->tests[i];
        bool found = false;
        for (size_t k = 0; test->known && k < attempts; k++) {
            found = found || is_right(test, programs ? answer_of_programs(record, i, k) : record->tests[i].voted[k]);
        }
        known += test->known;
        right += found;
    }
    return known > 0 && right == known;
}

static void count(ttt_solve_report *report, const ttt_run_report *task) {
    report->by_programs += solves(task, true, 2);
    report->by_model += solves(task, false, 2);
    if (!task->record->induction.certain || ttt_task_score_of(task->task, NULL).outputs == 0) return;
    report->certain++;
    report->certain_right += solves(task, true, 1);
}

/* Whose the first attempts are, of all test inputs alike. */
static const char *author_of(const ttt_task_record *record) {
    unsigned common = TTT_SYSTEM_BOTH, any = TTT_SYSTEM_NONE;
    for (size_t i = 0; i < record->test_count; i++) {
        common &= (unsigned)record->tests[i].systems[0];
        any |= (unsigned)record->tests[i].systems[0];
    }
    return common == TTT_SYSTEM_NONE && any != TTT_SYSTEM_NONE ? "some each" : ttt_system_name((ttt_system)common);
}

/* --- Lines ------------------------------------------------------------------------------------------------------- */

static void print_line(const ttt_solve_report *report, const ttt_run_report *task) {
    const ttt_task_record *record = task->record;
    char outcome[TTT_OUTCOME_TEXT], time[TTT_DURATION_TEXT];
    ttt_outcome_words(task->task, task->entry, record->status != TTT_OK, outcome);
    ttt_duration_format(record->timings.total, time);
    printf("%4zu/%zu  %-10s  %-12s  ", task->done, task->total, task->task->id, outcome);
    if (ttt_method_induces(report->method)) {
        printf("by %s%s, ", author_of(record), record->induction.certain ? " (programs certain)" : "");
    }
    if (ttt_method_asks(report->method)) printf("%zu steps, %zu views, ", record->steps.count, views_of(record));
    printf("%s%s%s%s\n", time, record->plan.rung == TTT_RUNG_FULL ? "" : ", ",
           record->plan.rung == TTT_RUNG_FULL ? "" : ttt_rung_name(record->plan.rung),
           task->resumed ? ", from the run store" : "");
}

/* [["both", "model"], ...]: of each test input's attempts. */
static json_t *systems_json(const ttt_task_record *record) {
    json_t *list = json_array();
    for (size_t i = 0; i < record->test_count; i++) {
        const ttt_system *systems = record->tests[i].systems;
        json_array_append_new(list, json_pack("[s, s]", ttt_system_name(systems[0]), ttt_system_name(systems[1])));
    }
    return list;
}

static ttt_status print_json(const ttt_run_report *task, ttt_error *err) {
    const ttt_task_record *record = task->record;
    return ttt_print_json_line(
        json_pack("{s:s, s:o, s:s?, s:s, s:I, s:I, s:o, s:b, s:I, s:f, s:f, s:f, s:f, s:f, s:b}", "task",
                  task->task->id, "solved", ttt_outcome_json(task->task, task->entry), "problem", record->problem,
                  "rung", ttt_rung_name(record->plan.rung), "steps", (json_int_t)record->steps.count, "views",
                  (json_int_t)views_of(record), "systems", systems_json(record), "certain", record->induction.certain,
                  "programs", (json_int_t)record->induction.count, "seconds", record->timings.total, "induce_seconds",
                  record->timings.induce, "train_seconds", record->timings.train, "decode_seconds",
                  record->timings.decode, "score_seconds", record->timings.score, "resumed", task->resumed),
        err);
}

void ttt_solve_report_task(void *context, const ttt_run_report *task) {
    ttt_solve_report *report = context;
    ttt_error err;
    ttt_terminal_clear(report->terminal);
    if (task->record->problem != NULL) fprintf(stderr, "ttt solve: %s\n", task->record->problem);
    if (report->json) {
        if (print_json(task, &err) != TTT_OK) fprintf(stderr, "ttt solve: %s\n", err.message);
    } else {
        print_line(report, task);
        if (report->show) ttt_outcome_draw("solve", task->task, task->entry, report->style);
    }
    fflush(stdout); /* people and pipes follow along; a full disk shows at the end */
    count(report, task);
    report->done++;
}

static ttt_status print_score_json(const ttt_solve_report *report, const ttt_score *score, size_t tasks,
                                   ttt_error *err) {
    json_t *line = ttt_outcome_score_json(score, tasks, report->done);
    json_t *by = json_pack("{s:I, s:I, s:I, s:I}", "by_programs", (json_int_t)report->by_programs, "by_model",
                           (json_int_t)report->by_model, "certain", (json_int_t)report->certain, "certain_right",
                           (json_int_t)report->certain_right);
    const bool whole = json_object_update(line, by) == 0;
    json_decref(by);
    if (whole) return ttt_print_json_line(line, err);
    json_decref(line);
    return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for a line of JSON");
}

ttt_status ttt_solve_report_end(ttt_solve_report *report, const ttt_task_set *tasks, const ttt_submission *submission,
                                const char *out, ttt_error *err) {
    ttt_score score;
    ttt_terminal_clear(report->terminal);
    TTT_TRY(ttt_score_submission(tasks, submission, &score, err));
    if (report->json) return print_score_json(report, &score, tasks->count, err);
    ttt_outcome_print_score(&score);
    if (score.tasks > 0 && report->method == TTT_METHOD_ENSEMBLE) {
        printf("by programs alone it would be %zu, by the model alone %zu\n", report->by_programs, report->by_model);
    }
    if (score.tasks > 0 && ttt_method_induces(report->method)) {
        printf("where programs were certain, %zu of %zu are right\n", report->certain_right, report->certain);
    }
    printf("answers are in %s\n", out);
    return TTT_OK;
}
