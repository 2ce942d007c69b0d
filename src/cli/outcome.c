#include "cli/outcome.h"

#include <stdio.h>

void ttt_outcome_words(const ttt_task *task, const ttt_submission_entry *entry, bool failed, char *text) {
    ttt_task_score score = ttt_task_score_of(task, entry);
    if (failed) {
        snprintf(text, TTT_OUTCOME_TEXT, "failed");
    } else if (score.outputs == 0) {
        snprintf(text, TTT_OUTCOME_TEXT, "answered");
    } else if (score.outputs_solved[1] == score.outputs) {
        snprintf(text, TTT_OUTCOME_TEXT, "right");
    } else if (score.outputs_solved[1] == 0) {
        snprintf(text, TTT_OUTCOME_TEXT, "wrong");
    } else {
        snprintf(text, TTT_OUTCOME_TEXT, "%zu of %zu right", score.outputs_solved[1], score.outputs);
    }
}

bool ttt_outcome_solved(const ttt_task *task, const ttt_submission_entry *entry) {
    ttt_task_score score = ttt_task_score_of(task, entry);
    return score.outputs > 0 && score.outputs_solved[1] == score.outputs;
}

json_t *ttt_outcome_json(const ttt_task *task, const ttt_submission_entry *entry) {
    if (ttt_task_score_of(task, NULL).outputs == 0) return json_null();
    return json_boolean(ttt_outcome_solved(task, entry));
}

void ttt_outcome_draw(const char *command, const ttt_task *task, const ttt_submission_entry *entry,
                      ttt_picture_style style) {
    ttt_gallery gallery = {0};
    ttt_error err;
    ttt_status status = ttt_gallery_add_tests(&gallery, task, entry, &err);
    if (status == TTT_OK) status = ttt_gallery_print(&gallery, style, &err);
    if (status != TTT_OK) fprintf(stderr, "ttt %s: %s\n", command, err.message);
    ttt_gallery_release(&gallery);
}

void ttt_outcome_print_score(const ttt_score *score) {
    if (score->tasks == 0) return;
    printf("solved %zu of %zu tasks (%.1f %%), %zu of %zu outputs\n", score->tasks_solved[1], score->tasks,
           100.0 * (double)score->tasks_solved[1] / (double)score->tasks, score->outputs_solved[1], score->outputs);
}

json_t *ttt_outcome_score_json(const ttt_score *score, size_t tasks, size_t done) {
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "tasks", (json_int_t)tasks, "done", (json_int_t)done,
                     "known", (json_int_t)score->tasks, "solved", (json_int_t)score->tasks_solved[1], "solved_first",
                     (json_int_t)score->tasks_solved[0], "outputs", (json_int_t)score->outputs, "outputs_solved",
                     (json_int_t)score->outputs_solved[1]);
}
