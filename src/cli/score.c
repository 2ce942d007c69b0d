/* `ttt score`: a submission against the solutions, by level, against another submission; or the votes of a run again.
 */
#include "arc/score.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/truth.h"
#include "solve/run.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct score_options {
    const char *against, *levels, *run, *vote;
    bool json;
} score_options;

#define AT(member) offsetof(score_options, member)
static const ttt_option score_table[] = {
    {.name = "against",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(against),
     .argument = "SUBMISSION",
     .help = "another submission: which tasks does the first win, which does it lose?"},
    {.name = "levels",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(levels),
     .argument = "CSV",
     .help = "a file id,level: the score of each level too"},
    {.name = "run",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(run),
     .argument = "FOLDER",
     .help = "score what a run store holds, in place of a submission"},
    {.name = "vote",
     .kind = TTT_OPTION_CHOICE,
     .offset = AT(vote),
     .argument = "METHOD",
     .choices = "pool|rescore|paper",
     .help = "with --run: choose the attempts again by this vote"},
    TTT_OPTION_ROW_JSON(AT(json), "one JSON object"),
};

static const ttt_usage score_usage = {
    .command = "score",
    .summary =
        "Scores a submission: a task is solved when one of its two attempts is right for every test output.\n"
        "SOLUTIONS is a solutions file, or tasks that hold their test outputs. With --run the submission is left "
        "out,\nand the solutions too where the run knew them.",
    .arguments = "[SUBMISSION] [SOLUTIONS]",
    .minimum = 0,
    .maximum = 2,
    .options = score_table,
    .option_count = sizeof score_table / sizeof *score_table,
    .examples = "  ttt score submission.json solutions.json --levels levels.csv\n"
                "  ttt score with.json solutions.json --against without.json\n"
                "  ttt score --run runs/first --vote paper --json\n",
};

/* What is scored, against what. */
typedef struct scored {
    ttt_task_set truth;
    ttt_submission submission, other;
    ttt_levels levels;
    bool compared;
} scored;

static void scored_release(scored *all) {
    ttt_task_set_release(&all->truth);
    ttt_submission_release(&all->submission);
    ttt_submission_release(&all->other);
    ttt_levels_release(&all->levels);
}

/* --- Counting ---------------------------------------------------------------------------------------------------- */

static bool is_solved(const ttt_task *task, const ttt_submission *submission) {
    ttt_task_score score = ttt_task_score_of(task, ttt_submission_find(submission, task->id));
    return score.outputs > 0 && score.outputs_solved[1] == score.outputs;
}

static bool is_known(const ttt_task *task) {
    return ttt_task_score_of(task, NULL).outputs > 0;
}

/* {"easy": {"tasks": 20, "solved": 8}, ...} in the order of the file; NULL when memory is out. */
static json_t *by_level(const scored *all) {
    json_t *levels = json_object();
    for (size_t i = 0; i < all->levels.count; i++) {
        const ttt_task *task = ttt_task_set_find(&all->truth, all->levels.items[i].id);
        json_t *level = json_object_get(levels, all->levels.items[i].level);
        if (level == NULL) {
            level = json_pack("{s:i, s:i}", "tasks", 0, "solved", 0);
            if (json_object_set_new(levels, all->levels.items[i].level, level) != 0) break;
        }
        if (task == NULL || !is_known(task)) continue;
        json_t *tasks = json_object_get(level, "tasks"), *solved = json_object_get(level, "solved");
        json_integer_set(tasks, json_integer_value(tasks) + 1);
        json_integer_set(solved, json_integer_value(solved) + is_solved(task, &all->submission));
    }
    return levels;
}

/* {"solved": n, "won": [ids], "lost": [ids]}: the other submission's score, and where they differ. */
static json_t *comparison(const scored *all) {
    json_t *won = json_array(), *lost = json_array();
    json_int_t solved = 0;
    for (size_t i = 0; i < all->truth.count; i++) {
        const ttt_task *task = &all->truth.items[i];
        bool first = is_solved(task, &all->submission), second = is_solved(task, &all->other);
        solved += second;
        if (first != second) json_array_append_new(first ? won : lost, json_string(task->id));
    }
    return json_pack("{s:I, s:o, s:o}", "solved", solved, "won", won, "lost", lost);
}

static ttt_status result_of(const scored *all, json_t **result, ttt_error *err) {
    ttt_score score;
    TTT_TRY(ttt_score_submission(&all->truth, &all->submission, &score, err));
    *result = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "tasks", (json_int_t)score.tasks, "submitted",
                        (json_int_t)score.tasks_submitted, "solved", (json_int_t)score.tasks_solved[1], "solved_first",
                        (json_int_t)score.tasks_solved[0], "outputs", (json_int_t)score.outputs, "outputs_submitted",
                        (json_int_t)score.outputs_submitted, "outputs_solved", (json_int_t)score.outputs_solved[1],
                        "outputs_solved_first", (json_int_t)score.outputs_solved[0]);
    if (all->levels.count > 0) json_object_set_new(*result, "levels", by_level(all));
    if (all->compared) json_object_set_new(*result, "against", comparison(all));
    return *result == NULL ? ttt_fail(err, TTT_ERROR_MEMORY, "no memory for a score") : TTT_OK;
}

/* --- Printing ---------------------------------------------------------------------------------------------------- */

static long long count_of(const json_t *object, const char *key) {
    return json_integer_value(json_object_get(object, key));
}

static void print_ids(const char *what, const json_t *ids) {
    size_t i;
    json_t *id;
    printf("%s %zu", what, json_array_size(ids));
    json_array_foreach((json_t *)ids, i, id) printf("%s %s", i == 0 ? ":" : "", json_string_value(id));
    printf("\n");
}

static void print_result(const json_t *result) {
    long long tasks = count_of(result, "tasks");
    const json_t *levels = json_object_get(result, "levels"), *against = json_object_get(result, "against");
    const char *name;
    json_t *level;
    printf("tasks solved    %lld of %lld (%.1f %%), with the first attempt alone %lld\n", count_of(result, "solved"),
           tasks, tasks == 0 ? 0.0 : 100.0 * (double)count_of(result, "solved") / (double)tasks,
           count_of(result, "solved_first"));
    printf("outputs solved  %lld of %lld, with the first attempt alone %lld\n", count_of(result, "outputs_solved"),
           count_of(result, "outputs"), count_of(result, "outputs_solved_first"));
    if (count_of(result, "submitted") < tasks) {
        printf("not submitted   %lld tasks\n", tasks - count_of(result, "submitted"));
    }
    json_object_foreach((json_t *)levels, name, level) {
        printf("level %-10s%lld of %lld\n", name, count_of(level, "solved"), count_of(level, "tasks"));
    }
    if (against == NULL) return;
    printf("the other one   %lld of %lld\n", count_of(against, "solved"), tasks);
    print_ids("won", json_object_get(against, "won"));
    print_ids("lost", json_object_get(against, "lost"));
}

/* --- The command ------------------------------------------------------------------------------------------------- */

static int vote_of(const char *name) {
    if (name == NULL) return -1;
    return strcmp(name, "pool") == 0 ? TTT_VOTE_POOL : strcmp(name, "rescore") == 0 ? TTT_VOTE_RESCORE : TTT_VOTE_PAPER;
}

static ttt_status check_usage(const score_options *options, size_t arguments, ttt_error *err) {
    if (options->run == NULL && arguments != 2) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "expected: ttt score SUBMISSION SOLUTIONS, or --run FOLDER");
    }
    if (options->run != NULL && arguments > 1) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT,
                        "--run takes the place of the submission: only SOLUTIONS may be given");
    }
    if (options->run == NULL && options->vote != NULL) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "--vote needs --run: a submission holds no votes");
    }
    return TTT_OK;
}

static ttt_status read_all(const score_options *options, const ttt_option_list *arguments, scored *all,
                           ttt_error *err) {
    const char *solutions = arguments->count > 0 ? arguments->items[arguments->count - 1] : NULL;
    if (options->run != NULL) {
        TTT_TRY(ttt_run_load(options->run, vote_of(options->vote), &all->truth, &all->submission, err));
    } else {
        TTT_TRY(ttt_submission_read(&all->submission, arguments->items[0], err));
    }
    if (solutions != NULL) {
        ttt_task_set_release(&all->truth);
        TTT_TRY(ttt_truth_read(solutions, &all->truth, err));
    }
    if (options->levels != NULL) TTT_TRY(ttt_levels_read(options->levels, &all->levels, err));
    all->compared = options->against != NULL;
    return all->compared ? ttt_submission_read(&all->other, options->against, err) : TTT_OK;
}

static ttt_status score(const score_options *options, const ttt_option_list *arguments, ttt_error *err) {
    ttt_status status;
    scored all = {0};
    json_t *result = NULL;
    TTT_TRY_OUT(read_all(options, arguments, &all, err));
    TTT_TRY_OUT(result_of(&all, &result, err));
    if (options->json) {
        char *text = json_dumps(result, JSON_COMPACT);
        printf("%s\n", text == NULL ? "null" : text);
        free(text);
    } else {
        print_result(result);
    }
out:
    json_decref(result);
    scored_release(&all);
    return status;
}

int ttt_command_score(int argc, char **argv) {
    score_options options = {0};
    ttt_parsed parsed;
    ttt_error err = {0};
    int exit_status = TTT_EXIT_OK;
    ttt_status status = ttt_options_parse(&score_usage, argc, argv, &options, &parsed, &err);
    if (status == TTT_OK && parsed.help) {
        ttt_options_help(&score_usage, stdout);
        goto out;
    }
    if (status == TTT_OK) status = check_usage(&options, parsed.arguments.count, &err);
    if (status != TTT_OK) {
        exit_status = ttt_command_misused("score", &err);
    } else if (score(&options, &parsed.arguments, &err) != TTT_OK) {
        exit_status = ttt_command_failed("score", &err);
    }
out:
    ttt_parsed_release(&parsed);
    return exit_status;
}
