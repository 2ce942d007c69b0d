/* `ttt induce`: programs alone. They are searched for, or come from a file, or a language model writes them. */
#include "base/file.h"
#include "cli/command.h"
#include "cli/induce_replay.h"
#include "cli/induce_report.h"
#include "cli/proposers.h"
#include "cli/settings.h"
#include "cli/tasks.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef struct induce_options {
    const char *out, *solutions, *ids, *save, *program, *prelude, *proposer, *device, *config, *style;
    double budget;
    int64_t threads, seed, memory;
    ttt_option_list python, set;
    bool explain, operations, curve, families, json;
} induce_options;

#define AT(member) offsetof(induce_options, member)
static const ttt_option induce_table[] = {
    {.name = "budget",
     .kind = TTT_OPTION_DURATION,
     .offset = AT(budget),
     .argument = "TIME",
     .fallback = "10s",
     .minimum = 0.001,
     .maximum = 1e9,
     .help = "time for each task"},
    TTT_OPTION_ROW_SOLUTIONS(AT(solutions),
                             "the test outputs of a challenge file: for the score alone, never shown to the search"),
    {.name = "out",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(out),
     .argument = "FILE",
     .fallback = "submission.json",
     .help = "the submission: the two best answers"},
    {.name = "save",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(save),
     .argument = "FOLDER",
     .help = "the best program of each task that explains all of its demonstrations, as FOLDER/ID.ttt (or .py)"},
    {.name = "program",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(program),
     .argument = "FILE",
     .help = "run a saved program in place of the search, and explain it"},
    {.name = "python",
     .kind = TTT_OPTION_LIST,
     .offset = AT(python),
     .argument = "FILE",
     .help = "run a Python program, in a sandbox, in place of the search; with several, those that explain all "
             "demonstrations vote; may be repeated"},
    {.name = "proposer",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(proposer),
     .argument = "MODEL|URL",
     .help = "a language model that writes Python programs, which join those of the search: a folder, a .gguf file, or "
             "a server http://HOST/v1"},
    {.name = "prelude",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(prelude),
     .argument = "FILE",
     .help = "a Python module that Python programs may import as common"},
    {.name = "explain",
     .kind = TTT_OPTION_FLAG,
     .offset = AT(explain),
     .help = "print the program behind each answer, and draw what it makes of demonstrations and test inputs"},
    {.name = "curve",
     .kind = TTT_OPTION_FLAG,
     .offset = AT(curve),
     .help = "how many tasks the search has solved at each moment, by its first answer and by two"},
    {.name = "families",
     .kind = TTT_OPTION_FLAG,
     .offset = AT(families),
     .help = "how many tasks are solved with operations of each family"},
    {.name = "operations", .kind = TTT_OPTION_FLAG, .offset = AT(operations), .help = "print the program language"},
    TTT_OPTION_ROW_IDS(AT(ids)),
    {.name = "memory",
     .kind = TTT_OPTION_INTEGER,
     .offset = AT(memory),
     .argument = "MB",
     .minimum = 16,
     .maximum = 1048576,
     .help = "most for the values of the search (default: induce.memory_mb)"},
    TTT_OPTION_ROW_DEVICE(AT(device), "of a model that proposes"),
    TTT_OPTION_ROW_THREADS(AT(threads)),
    TTT_OPTION_ROW_SEED(AT(seed), "of what a model proposes"),
    TTT_OPTION_ROW_CONFIG(AT(config)),
    {.name = "set",
     .kind = TTT_OPTION_LIST,
     .offset = AT(set),
     .argument = "NAME=VALUE",
     .help = "a setting of induce.* or proposer.*; may be repeated; 'ttt solve --help settings' lists them"},
    TTT_OPTION_ROW_STYLE(AT(style)),
    TTT_OPTION_ROW_JSON(AT(json), "a JSON object per line: tasks, then the score"),
};

static const ttt_usage induce_usage = {
    .command = "induce",
    .summary = "Searches for programs that explain the demonstrations of each task, and answers with the simplest.",
    .arguments = "TASKS...",
    .minimum = 0,
    .maximum = SIZE_MAX,
    .options = induce_table,
    .option_count = sizeof induce_table / sizeof *induce_table,
    .examples = "  ttt induce examples/arc --explain\n"
                "  ttt induce challenges.json --solutions solutions.json --budget 10s --curve --families\n"
                "  ttt induce task.json --save programs && ttt induce task.json --program programs/task.ttt\n"
                "  ttt induce task.json --python mine.py --prelude common.py\n"
                "  ttt induce --operations\n",
};

/* One run of the command. */
typedef struct induce {
    induce_options options;
    ttt_solve_settings settings;
    ttt_task_set tasks;
    ttt_submission submission;
    ttt_opened_proposer opened;
    ttt_program program;
    ttt_python_files python;
    ttt_terminal terminal;
    ttt_progress progress;
    const ttt_stop_flag *stop;
    ttt_induce_report report;
    size_t failures;
} induce;

static void induce_release(induce *run) {
    ttt_python_files_release(&run->python);
    ttt_opened_proposer_release(&run->opened);
    ttt_program_release(&run->program);
    ttt_submission_release(&run->submission);
    ttt_task_set_release(&run->tasks);
    ttt_option_list_release(&run->options.python);
    ttt_option_list_release(&run->options.set);
}

/* --- What was asked ---------------------------------------------------------------------------------------------- */

static ttt_status check_options(induce *run, size_t paths, ttt_error *err) {
    const induce_options *options = &run->options;
    const bool replays = options->program != NULL || options->python.count > 0;
    TTT_TRY(ttt_settings_gather(&ttt_solve_table, options->config, &options->set, &run->settings, err));
    if (options->memory > 0) run->settings.induce_memory_mb = options->memory;
    if (paths == 0 && !options->operations) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "an argument is expected: ttt induce TASKS...");
    }
    if (options->program != NULL && options->python.count > 0) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "--program and --python: one kind of program at a time");
    }
    if (replays && (options->proposer != NULL || options->curve)) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "%s: programs from files leave nothing to search",
                        options->curve ? "--curve" : "--proposer");
    }
    if (options->prelude != NULL && options->proposer == NULL && options->python.count == 0) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT,
                        "--prelude: there are no Python programs without --python or --proposer");
    }
    return TTT_OK;
}

static ttt_status read_program(const char *path, ttt_program *program, ttt_error *err) {
    enum { LARGEST = 1 << 20 };
    char *text = NULL;
    size_t bytes;
    TTT_TRY(ttt_file_read(path, LARGEST, &text, &bytes, err));
    ttt_status status = ttt_program_parse(text, path, program, err);
    ttt_free(text);
    return status;
}

/* Tasks, programs and whoever writes programs. */
static ttt_status open_all(induce *run, const ttt_option_list *paths, ttt_error *err) {
    const induce_options *options = &run->options;
    const ttt_task_source source = {.command = "induce", .solutions = options->solutions, .ids = options->ids};
    TTT_TRY(ttt_tasks_read(&source, paths, &run->tasks, &run->failures, err));
    TTT_TRY(ttt_submission_init(&run->submission, &run->tasks, err));
    if (options->program != NULL) TTT_TRY(read_program(options->program, &run->program, err));
    if (options->python.count > 0) TTT_TRY(ttt_python_files_read(&run->python, &options->python, err));
    if (options->save != NULL) TTT_TRY(ttt_folder_make(options->save, err));
    if (options->python.count == 0 && options->proposer == NULL) return TTT_OK;
    const ttt_proposer_options proposer = {.source = options->proposer,
                                           .settings = &run->settings,
                                           .device = options->device,
                                           .threads = (int)options->threads,
                                           .seed = (uint64_t)options->seed};
    return ttt_opened_proposer_open(&run->opened, &proposer, options->prelude, err);
}

/* --- Tasks ------------------------------------------------------------------------------------------------------- */

static ttt_status answer_task(induce *run, const ttt_task *task, ttt_induced *found, ttt_error *err) {
    const induce_options *options = &run->options;
    if (options->program != NULL) return ttt_replay_program(&run->program, task, found, err);
    if (options->python.count > 0) {
        return ttt_replay_python(&run->python, run->opened.cage, task, options->budget, run->stop, found, err);
    }
    const ttt_inducer inducer = {.settings = &run->settings,
                                 .threads = (int)options->threads,
                                 .proposer = run->opened.proposer,
                                 .cage = run->opened.cage,
                                 .moments = run->report.moments,
                                 .moment_count = run->report.moment_count,
                                 .look = ttt_induce_report_look,
                                 .context = &run->report};
    run->report.task = task;
    ttt_inducing inducing = {0};
    const ttt_status status =
        ttt_induce_task(&inducer, task, &inducing, options->budget, run->stop, &run->progress, found, err);
    ttt_inducing_release(&inducing);
    return status;
}

static ttt_status save_program(const char *folder, const char *id, const ttt_induced *found, ttt_error *err) {
    const ttt_induced_answer *best = &found->items[0];
    char name[256];
    if (found->fitting == 0) return TTT_OK;
    const int length = snprintf(name, sizeof name, "%s.%s", id, best->python ? "py" : "ttt");
    if (id[0] == '\0' || id[0] == '.' || strchr(id, '/') != NULL || length >= (int)sizeof name) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "its id is no name for a file in '%s'", folder);
    }
    char *path = ttt_path_join(folder, name);
    if (path == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the path of a program");
    ttt_status status = ttt_file_write_atomically(path, best->program, strlen(best->program), err);
    ttt_free(path);
    return status;
}

static ttt_status keep_answers(induce *run, const ttt_task *task, const ttt_induced *found, ttt_error *err) {
    if (found->count == 0) return TTT_OK;
    for (size_t i = 0; i < task->test_count; i++) {
        const ttt_grid *second = found->count > 1 ? &found->items[1].outputs[i] : NULL;
        TTT_TRY(ttt_submission_set(&run->submission, task->id, i, &found->items[0].outputs[i], second, err));
    }
    return ttt_submission_write(&run->submission, run->options.out, err);
}

/* A task that fails has fallback answers, and the others go on; only a stop, or no place for answers, ends the run. */
static ttt_status next_task(induce *run, const ttt_task *task, ttt_error *err) {
    const double start = ttt_clock_seconds();
    ttt_induced found = {0};
    ttt_error failure = {0};
    ttt_status status = answer_task(run, task, &found, &failure);
    if (status == TTT_ERROR_CANCELLED) TTT_TRY_OUT(ttt_fail(err, status, "%s", failure.message));
    bool failed = status != TTT_OK;
    TTT_TRY_OUT(keep_answers(run, task, &found, err));
    if (!failed && run->options.save != NULL && found.count > 0) {
        failed = save_program(run->options.save, task->id, &found, &failure) != TTT_OK;
    }
    run->failures += failed;
    TTT_TRY_OUT(ttt_induce_report_task(&run->report, task, ttt_submission_find(&run->submission, task->id), &found,
                                       ttt_clock_seconds() - start, failure.message[0] == '\0' ? NULL : failure.message,
                                       err));
    if (run->options.python.count > 0 && !run->options.json) ttt_replay_python_print(&run->python, task);
out:
    ttt_induced_release(&found);
    return status;
}

static ttt_status answer_all(induce *run, ttt_error *err) {
    const induce_options *options = &run->options;
    TTT_TRY(ttt_submission_write(&run->submission, options->out, err));
    for (size_t i = 0; i < run->tasks.count; i++) {
        ttt_status status = ttt_stop_requested(run->stop) ? TTT_ERROR_CANCELLED : TTT_OK;
        if (status == TTT_OK) status = next_task(run, &run->tasks.items[i], err);
        if (status == TTT_ERROR_CANCELLED) {
            ttt_terminal_clear(&run->terminal);
            return ttt_fail(err, status, "stopped; %zu of %zu tasks are done", run->report.done, run->tasks.count);
        }
        TTT_TRY(status);
        ttt_progress_step(&run->progress, "tasks", (int64_t)i + 1, (int64_t)run->tasks.count);
    }
    return ttt_induce_report_end(&run->report, &run->tasks, &run->submission, options->out, err);
}

static ttt_status induce_run(induce *run, const ttt_option_list *paths, ttt_error *err) {
    const induce_options *options = &run->options;
    ttt_terminal_init(&run->terminal);
    run->progress = ttt_terminal_progress(&run->terminal);
    run->stop = ttt_terminal_stop_flag();
    TTT_TRY(open_all(run, paths, err));
    run->report = (ttt_induce_report){.terminal = &run->terminal,
                                      .json = options->json,
                                      .explain = options->explain || options->program != NULL,
                                      .families = options->families,
                                      .replay = options->program != NULL,
                                      .style = ttt_picture_style_choose(options->style),
                                      .total = run->tasks.count};
    /* A search that ends sooner, for a proposer's sake, is not looked at later. */
    const double share = options->proposer != NULL ? 1 - run->settings.induce_proposer : 1;
    if (options->curve) ttt_induce_report_moments(&run->report, share * options->budget);
    return answer_all(run, err);
}

int ttt_command_induce(int argc, char **argv) {
    induce run = {0};
    ttt_parsed parsed;
    ttt_error err = {0};
    int exit_status = TTT_EXIT_OK;
    ttt_status status = ttt_options_parse(&induce_usage, argc, argv, &run.options, &parsed, &err);
    if (status == TTT_OK && parsed.help) {
        ttt_options_help(&induce_usage, stdout);
        goto out;
    }
    if (status == TTT_OK) status = check_options(&run, parsed.arguments.count, &err);
    if (status != TTT_OK) {
        exit_status = ttt_command_misused("induce", &err);
    } else if (run.options.operations) {
        ttt_induce_print_operations();
    } else if (induce_run(&run, &parsed.arguments, &err) != TTT_OK) {
        exit_status = ttt_command_failed("induce", &err);
    } else if (run.failures > 0) {
        exit_status = TTT_EXIT_FAILED;
    }
out:
    induce_release(&run);
    ttt_parsed_release(&parsed);
    return exit_status;
}
