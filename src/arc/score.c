/* Counting what is solved. */
#include "arc/score.h"

/* How many attempts it takes: 0 the first is right, 1 the second, ...; `count` none is. */
static int first_right(const ttt_attempts *attempts, const ttt_grid *truth) {
    int a = 0;
    while (a < attempts->count && !ttt_grid_equal(&attempts->grids[a], truth)) a++;
    return a;
}

double ttt_grid_hamming(const ttt_grid *truth, const ttt_grid *attempt) {
    int wrong = 0;
    for (int r = 0; r < truth->height; r++)
        for (int c = 0; c < truth->width; c++)
            wrong +=
                r >= attempt->height || c >= attempt->width || ttt_grid_at(truth, r, c) != ttt_grid_at(attempt, r, c);
    return (double)wrong / ttt_grid_area(truth);
}

ttt_task_score ttt_task_score_of(const ttt_task *task, const ttt_submission_entry *entry) {
    ttt_task_score score = {0};
    for (size_t i = 0; i < task->test_count; i++) {
        const ttt_grid *truth = &task->tests[i].output;
        if (!task->tests[i].known) continue;
        score.outputs++;
        if (!entry || i >= entry->count) continue;
        const ttt_attempts *attempts = &entry->outputs[i];
        const int right = first_right(attempts, truth);
        score.outputs_submitted++;
        for (int k = 0; k < TTT_ATTEMPTS_MAX; k++) score.outputs_solved[k] += right < attempts->count && right <= k;
        score.hamming_sum +=
            (ttt_grid_hamming(truth, &attempts->grids[0]) + ttt_grid_hamming(truth, &attempts->grids[1])) / 2;
    }
    return score;
}

static ttt_status check_belongs(const ttt_task_set *tasks, const ttt_submission *submission, ttt_error *err) {
    for (size_t i = 0; i < submission->count; i++) {
        const ttt_submission_entry *entry = &submission->items[i];
        const ttt_task *task = ttt_task_set_find(tasks, entry->id);
        if (!task)
            return ttt_fail(err, TTT_ERROR_FORMAT, "task %s is submitted, but is not among the %zu tasks scored",
                            entry->id, tasks->count);
        if (entry->count > task->test_count)
            return ttt_fail(err, TTT_ERROR_FORMAT, "task %s: %zu outputs are submitted, but it has %zu test inputs",
                            entry->id, entry->count, task->test_count);
    }
    return TTT_OK;
}

ttt_status ttt_score_submission(const ttt_task_set *tasks, const ttt_submission *submission, ttt_score *score,
                                ttt_error *err) {
    *score = (ttt_score){0};
    TTT_TRY(check_belongs(tasks, submission, err));
    for (size_t i = 0; i < tasks->count; i++) {
        const ttt_submission_entry *entry = ttt_submission_find(submission, tasks->items[i].id);
        const ttt_task_score one = ttt_task_score_of(&tasks->items[i], entry);
        if (one.outputs == 0) continue;
        score->tasks++;
        score->tasks_submitted += entry != NULL;
        score->outputs += one.outputs;
        score->outputs_submitted += one.outputs_submitted;
        score->hamming_sum += one.hamming_sum;
        for (int k = 0; k < TTT_ATTEMPTS_MAX; k++) {
            score->outputs_solved[k] += one.outputs_solved[k];
            score->tasks_solved[k] += one.outputs_solved[k] == one.outputs;
            score->partial[k] += (double)one.outputs_solved[k] / (double)one.outputs;
        }
    }
    return TTT_OK;
}

static bool output_right(const ttt_task *task, const ttt_submission *submission, size_t test) {
    const ttt_submission_entry *entry = ttt_submission_find(submission, task->id);
    if (!entry || test >= entry->count) return false;
    return first_right(&entry->outputs[test], &task->tests[test].output) < entry->outputs[test].count;
}

ttt_status ttt_score_compare(const ttt_task_set *tasks, const ttt_submission *first, const ttt_submission *second,
                             size_t *first_only, size_t *second_only, ttt_error *err) {
    *first_only = *second_only = 0;
    TTT_TRY(check_belongs(tasks, first, err));
    TTT_TRY(check_belongs(tasks, second, err));
    for (size_t i = 0; i < tasks->count; i++)
        for (size_t t = 0; t < tasks->items[i].test_count; t++) {
            if (!tasks->items[i].tests[t].known) continue;
            const bool in_first = output_right(&tasks->items[i], first, t);
            const bool in_second = output_right(&tasks->items[i], second, t);
            *first_only += in_first && !in_second;
            *second_only += in_second && !in_first;
        }
    return TTT_OK;
}
