#include "cli/solve_report.h"

#include "arc/score.h"
#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>

/* "right", "wrong", "1 of 2 right", "answered" (solutions not known), "failed". */
static void outcome_of(const ttt_run_report *task, char *text, size_t bytes) {
    ttt_task_score score = ttt_task_score_of(task->task, task->entry);
    if (task->record->status != TTT_OK) {
        snprintf(text, bytes, "failed");
    } else if (score.outputs == 0) {
        snprintf(text, bytes, "answered");
    } else if (score.outputs_solved[1] == score.outputs) {
        snprintf(text, bytes, "right");
    } else if (score.outputs_solved[1] == 0) {
        snprintf(text, bytes, "wrong");
    } else {
        snprintf(text, bytes, "%zu of %zu right", score.outputs_solved[1], score.outputs);
    }
}

static size_t views_of(const ttt_task_record *record) {
    size_t views = 0;
    for (size_t i = 0; i < record->test_count; i++) views += record->tests[i].views.count;
    return views;
}

static void print_line(const ttt_run_report *task) {
    const ttt_task_record *record = task->record;
    char outcome[48], time[TTT_DURATION_TEXT];
    outcome_of(task, outcome, sizeof outcome);
    ttt_duration_format(record->timings.total, time);
    printf("%4zu/%zu  %-10s  %-12s  %zu steps, %zu views, %s%s%s%s\n", task->done, task->total, task->task->id, outcome,
           record->steps.count, views_of(record), time, record->plan.rung == TTT_RUNG_FULL ? "" : ", ",
           record->plan.rung == TTT_RUNG_FULL ? "" : ttt_rung_name(record->plan.rung),
           task->resumed ? ", from the run store" : "");
}

static void print_json(const ttt_run_report *task) {
    const ttt_task_record *record = task->record;
    ttt_task_score score = ttt_task_score_of(task->task, task->entry);
    bool known = score.outputs > 0, solved = known && score.outputs_solved[1] == score.outputs;
    json_t *line = json_pack("{s:s, s:o, s:s?, s:s, s:I, s:I, s:f, s:f, s:f, s:f, s:b}", "task", task->task->id,
                             "solved", known ? json_boolean(solved) : json_null(), "problem", record->problem, "rung",
                             ttt_rung_name(record->plan.rung), "steps", (json_int_t)record->steps.count, "views",
                             (json_int_t)views_of(record), "seconds", record->timings.total, "train_seconds",
                             record->timings.train, "decode_seconds", record->timings.decode, "score_seconds",
                             record->timings.score, "resumed", task->resumed);
    char *text = json_dumps(line, JSON_COMPACT);
    printf("%s\n", text == NULL ? "null" : text);
    free(text);
    json_decref(line);
}

static void draw(const ttt_solve_report *report, const ttt_run_report *task) {
    ttt_gallery gallery = {0};
    ttt_error err;
    ttt_status status = ttt_gallery_add_tests(&gallery, task->task, task->entry, &err);
    if (status == TTT_OK) status = ttt_gallery_print(&gallery, report->style, &err);
    if (status != TTT_OK) fprintf(stderr, "ttt solve: %s\n", err.message);
    ttt_gallery_release(&gallery);
}

void ttt_solve_report_task(void *context, const ttt_run_report *task) {
    ttt_solve_report *report = context;
    ttt_terminal_clear(report->terminal);
    if (task->record->problem != NULL) fprintf(stderr, "ttt solve: %s\n", task->record->problem);
    if (report->json) {
        print_json(task);
    } else {
        print_line(task);
        if (report->show) draw(report, task);
    }
    fflush(stdout); /* people and pipes follow along; a full disk shows at the end */
    report->done++;
}

ttt_status ttt_solve_report_end(ttt_solve_report *report, const ttt_task_set *tasks, const ttt_submission *submission,
                                const char *out, ttt_error *err) {
    ttt_score score;
    ttt_terminal_clear(report->terminal);
    TTT_TRY(ttt_score_submission(tasks, submission, &score, err));
    if (report->json) {
        printf("{\"tasks\":%zu,\"done\":%zu,\"known\":%zu,\"solved\":%zu,\"solved_first\":%zu,\"outputs\":%zu,"
               "\"outputs_solved\":%zu}\n",
               tasks->count, report->done, score.tasks, score.tasks_solved[1], score.tasks_solved[0], score.outputs,
               score.outputs_solved[1]);
        return TTT_OK;
    }
    if (score.tasks > 0) {
        printf("solved %zu of %zu tasks (%.1f %%), %zu of %zu outputs\n", score.tasks_solved[1], score.tasks,
               100.0 * (double)score.tasks_solved[1] / (double)score.tasks, score.outputs_solved[1], score.outputs);
    }
    printf("answers are in %s\n", out);
    return TTT_OK;
}
