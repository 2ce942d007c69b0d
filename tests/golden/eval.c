/* eval.json: scores of submissions, distances, the making of submissions, comparisons; and lr_schedule.json. */
#include "golden.h"

#include "arc/score.h"
#include "train/schedule.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sums and ratios of a few dozen doubles, which the reference may add in another order; cosines of another library. */
static const double TOLERANCE = 1e-12;

static void check_number(golden *g, const json_t *reported, const char *key, double ours) {
    double expected;
    if (golden_number(g, json_object_get(reported, key), &expected))
        GOLDEN_CHECK(g, fabs(ours - expected) <= TOLERANCE * (1 + fabs(expected)), "%s is %.17g, expected %.17g", key,
                     ours, expected);
}

/* --- eval.json --------------------------------------------------------------------------------------------------- */

static bool read_solution(golden *g, ttt_task *task, const json_t *grids) {
    if (!GOLDEN_CHECK(g, json_array_size(grids) == task->test_count, "task %s: %zu solutions", task->id,
                      json_array_size(grids)))
        return false;
    for (size_t i = 0; i < task->test_count; i++) {
        task->tests[i].known = golden_grid(g, json_array_get(grids, i), false, &task->tests[i].output);
        if (!task->tests[i].known) return false;
    }
    return true;
}

static bool read_tasks(golden *g, const json_t *root, ttt_task_set *set) {
    const json_t *challenges = golden_object(g, root, "challenges"), *solutions = golden_object(g, root, "solutions"),
                 *object;
    const char *id;
    ttt_error err;
    if (!challenges || !solutions) return false;
    json_object_foreach((json_t *)challenges, id, object) {
        ttt_task task;
        if (!GOLDEN_CHECK(g, ttt_task_from_json(object, id, &task, &err) == TTT_OK, "%s", err.message)) return false;
        const bool good = read_solution(g, &task, json_object_get(solutions, id)) &&
                          GOLDEN_CHECK(g, ttt_task_set_add(set, &task, &err) == TTT_OK, "%s", err.message);
        ttt_task_release(&task);
        if (!good) return false;
    }
    return true;
}

/* The reference raises where we return an error, except that it divides by the number of submitted outputs: for an
 * empty submission ours is a score of nothing solved, and that number is zero. */
static void check_error(golden *g, const json_t *reported, ttt_status status, const ttt_score *score) {
    const char *error = golden_string(g, reported, "error");
    if (!error || !golden_has_members(g, reported, "error")) return;
    if (strcmp(error, "ZeroDivisionError") == 0)
        GOLDEN_CHECK(g, status == TTT_OK && score->outputs_submitted == 0 && score->tasks_solved[1] == 0,
                     "outputs are submitted");
    else
        GOLDEN_CHECK(g, status == TTT_ERROR_FORMAT, "the reference fails with %s", error);
}

/* The reference counts every attempt there is, so the last entry of the arrays is its score. */
static void check_reported(golden *g, const json_t *reported, bool subpoints, const ttt_score *score) {
    const int all = TTT_ATTEMPTS_MAX - 1;
    const double solved = subpoints ? score->partial[all] : (double)score->tasks_solved[all];
    if (!golden_has_members(g, reported,
                            "attempted correct predictions per_prediction_accuracy hamming_sum hamming_mean "
                            "competition_correct competition_total competition_accuracy"))
        return;
    check_number(g, reported, "attempted", (double)score->tasks_submitted);
    check_number(g, reported, "correct", (double)score->outputs_solved[all]);
    check_number(g, reported, "predictions", (double)score->outputs_submitted);
    check_number(g, reported, "per_prediction_accuracy",
                 (double)score->outputs_solved[all] / (double)score->outputs_submitted);
    check_number(g, reported, "hamming_sum", score->hamming_sum);
    check_number(g, reported, "hamming_mean", score->hamming_sum / (double)score->outputs_submitted);
    check_number(g, reported, "competition_correct", solved);
    check_number(g, reported, "competition_total", (double)score->tasks);
    check_number(g, reported, "competition_accuracy", solved / (double)score->tasks);
}

static void check_case(golden *g, const ttt_task_set *set, const json_t *object) {
    ttt_submission submission = {0};
    ttt_score score = {0};
    ttt_error err = {0};
    const json_t *reported = golden_object(g, object, "reported");
    if (!golden_has_members(g, object, "name submission subpoints reported") || !reported) return;
    ttt_status status = ttt_submission_from_json(&submission, json_object_get(object, "submission"), &err);
    if (status == TTT_OK) status = ttt_score_submission(set, &submission, &score, &err);
    if (json_object_get(reported, "error"))
        check_error(g, reported, status, &score);
    else if (GOLDEN_CHECK(g, status == TTT_OK, "%s", err.message))
        check_reported(g, reported, json_is_true(json_object_get(object, "subpoints")), &score);
    ttt_submission_release(&submission);
}

static void check_hamming(golden *g, const json_t *object) {
    ttt_grid truth, attempt;
    if (golden_has_members(g, object, "truth attempt distance") &&
        golden_grid(g, json_object_get(object, "truth"), false, &truth) &&
        golden_grid(g, json_object_get(object, "attempt"), false, &attempt))
        check_number(g, object, "distance", ttt_grid_hamming(&truth, &attempt));
}

/* "id-index" and two predictions, into the submission. */
static bool add_prediction(golden *g, ttt_submission *submission, const json_t *name, const json_t *prediction) {
    char id[64];
    ttt_grid grids[2];
    ttt_error err;
    const char *text = json_string_value(name), *dash = text ? strrchr(text, '-') : NULL;
    char *end = NULL;
    const unsigned long test = dash ? strtoul(dash + 1, &end, 10) : 0;
    if (!GOLDEN_CHECK(g, dash && dash[1] && !*end, "a task is not called id-index") ||
        !GOLDEN_CHECK(g, json_array_size(prediction) == 2, "%zu predictions", json_array_size(prediction)))
        return false;
    snprintf(id, sizeof id, "%.*s", (int)(dash - text), text);
    for (size_t a = 0; a < 2; a++)
        if (!golden_grid(g, json_array_get(prediction, a), false, &grids[a])) return false;
    return GOLDEN_CHECK(g, ttt_submission_set(submission, id, test, &grids[0], &grids[1], &err) == TTT_OK, "%s",
                        err.message);
}

static void check_making(golden *g, const json_t *object) {
    const json_t *tasks = golden_list(g, object, "tasks"), *predictions = golden_list(g, object, "predictions"), *name;
    ttt_submission submission = {0};
    bool good = golden_has_members(g, object, "tasks predictions submission") && tasks && predictions &&
                GOLDEN_CHECK(g, json_array_size(tasks) == json_array_size(predictions), "not one prediction per task");
    size_t i;
    json_array_foreach(tasks, i, name) {
        good = good && add_prediction(g, &submission, name, json_array_get(predictions, i));
    }
    if (good) {
        json_t *ours = ttt_submission_to_json(&submission);
        GOLDEN_CHECK(g, json_equal(ours, json_object_get(object, "submission")), "another submission");
        json_decref(ours);
    }
    ttt_submission_release(&submission);
}

static void check_comparison(golden *g, const ttt_task_set *set, const json_t *object) {
    ttt_submission first = {0}, second = {0};
    ttt_error err;
    size_t first_only, second_only;
    if (golden_has_members(g, object, "submission_1 submission_2 right_1_wrong_2 right_2_wrong_1") &&
        GOLDEN_CHECK(g, ttt_submission_from_json(&first, json_object_get(object, "submission_1"), &err) == TTT_OK, "%s",
                     err.message) &&
        GOLDEN_CHECK(g, ttt_submission_from_json(&second, json_object_get(object, "submission_2"), &err) == TTT_OK,
                     "%s", err.message) &&
        GOLDEN_CHECK(g, ttt_score_compare(set, &first, &second, &first_only, &second_only, &err) == TTT_OK, "%s",
                     err.message)) {
        check_number(g, object, "right_1_wrong_2", (double)first_only);
        check_number(g, object, "right_2_wrong_1", (double)second_only);
    }
    ttt_submission_release(&first);
    ttt_submission_release(&second);
}

void golden_eval(golden *g, const json_t *root) {
    static const char *const parts[] = {"cases", "hamming", "make_submission", "compare"};
    ttt_task_set set = {0};
    golden_begin(g, "the file");
    const bool good = golden_has_members(g, root, "challenges solutions cases hamming make_submission compare") &&
                      read_tasks(g, root, &set);
    golden_end(g);
    for (int part = 0; good && part < 4; part++) {
        size_t index;
        const json_t *object;
        json_array_foreach(json_object_get(root, parts[part]), index, object) {
            const char *name = json_string_value(json_object_get(object, "name"));
            golden_begin(g, "%s %zu%s%s", parts[part], index, name ? ": " : "", name ? name : "");
            switch (part) {
            case 0: check_case(g, &set, object); break;
            case 1: check_hamming(g, object); break;
            case 2: check_making(g, object); break;
            case 3: check_comparison(g, &set, object); break;
            }
            golden_end(g);
        }
    }
    ttt_task_set_release(&set);
}

/* --- lr_schedule.json -------------------------------------------------------------------------------------------- */

static void check_schedule(golden *g, const json_t *object) {
    const json_t *multipliers = golden_list(g, object, "lr_multiplier"), *value;
    size_t step;
    if (!golden_has_members(g, object,
                            "n epochs batch_size grad_accum warmup_steps steps_per_epoch total_steps lr_multiplier") ||
        !multipliers)
        return;
    const int64_t warmup = golden_count(g, object, "warmup_steps"), total = golden_count(g, object, "total_steps");
    const int64_t per_epoch = golden_count(g, object, "steps_per_epoch"), epochs = golden_count(g, object, "epochs");
    if (!GOLDEN_CHECK(g, json_array_size(multipliers) == (size_t)total && per_epoch * epochs == total,
                      "not one multiplier per step"))
        return;
    const ttt_schedule schedule = ttt_schedule_reference(warmup, total);
    json_array_foreach(multipliers, step, value) {
        double expected;
        if (!golden_number(g, value, &expected)) return;
        const double ours = ttt_schedule_multiplier(&schedule, (double)step);
        GOLDEN_CHECK(g, fabs(ours - expected) <= TOLERANCE, "step %zu: %.17g, expected %.17g", step, ours, expected);
    }
}

void golden_lr_schedule(golden *g, const json_t *root) {
    size_t index;
    const json_t *object;
    json_array_foreach(root, index, object) {
        golden_begin(g, "schedule %zu", index);
        check_schedule(g, object);
        golden_end(g);
    }
}
