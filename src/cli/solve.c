/* `ttt solve`: reads tasks, loads whoever answers, solves, reports. */
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/models.h"
#include "cli/proposers.h"
#include "cli/settings.h"
#include "cli/solve_report.h"
#include "cli/tasks.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct solve_options {
    const char *model, *method, *out, *solutions, *run, *adapters, *ids, *device, *config, *style, *proposer, *prelude;
    double budget, deadline;
    int64_t threads, seed;
    ttt_option_list set;
    bool json, show;
} solve_options;

#define AT(member) offsetof(solve_options, member)
static const ttt_option solve_table[] = {
    {.name = "model",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(model),
     .argument = "MODEL",
     .help = "a folder (config.json, model.safetensors, tokenizer.json) or a .gguf file (default: the bundled "
             "models/arc-grid)"},
    {.name = "method",
     .kind = TTT_OPTION_CHOICE,
     .offset = AT(method),
     .argument = "METHOD",
     .fallback = "ensemble",
     .choices = TTT_METHODS,
     .help =
         "ttt: train on each task, then answer; induce: search for programs that explain the demonstrations, without "
         "a model; ensemble: both, by who is sure; none: the views and votes of ttt without training"},
    {.name = "budget",
     .kind = TTT_OPTION_DURATION,
     .offset = AT(budget),
     .argument = "TIME",
     .minimum = 0.001,
     .maximum = 1e9,
     .help =
         "time for each task, all of its test inputs together (default: 60s; none when ttt.steps, or --method none, "
         "and views.count fix the work of the model)"},
    {.name = "deadline",
     .kind = TTT_OPTION_DURATION,
     .offset = AT(deadline),
     .argument = "TIME",
     .minimum = 0.001,
     .maximum = 1e9,
     .help = "time for the whole run; tasks share what is left of it"},
    TTT_OPTION_ROW_SOLUTIONS(AT(solutions),
                             "the test outputs of a challenge file: for the score alone, never shown to the model"),
    {.name = "proposer",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(proposer),
     .argument = "MODEL|URL",
     .help =
         "a language model that writes Python programs: a folder, a .gguf file, or a server http://HOST/v1; they are "
         "run in a sandbox and join those of the search"},
    {.name = "prelude",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(prelude),
     .argument = "FILE",
     .help = "a Python module that these programs may import as common"},
    {.name = "out",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(out),
     .argument = "FILE",
     .help = "the submission (default: submission.json, in the folder of --run if there is one)"},
    {.name = "run",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(run),
     .argument = "FOLDER",
     .help = "run store: keeps everything about each task; the same command goes on where it was stopped"},
    {.name = "save-adapters",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(adapters),
     .argument = "FOLDER",
     .help = "the trained adapter of each task as FOLDER/ID, for PEFT and 'ttt model merge'"},
    TTT_OPTION_ROW_IDS(AT(ids)),
    TTT_OPTION_ROW_DEVICE(AT(device), "cpu, or ref, the slow plain one"),
    TTT_OPTION_ROW_THREADS(AT(threads)),
    TTT_OPTION_ROW_SEED(AT(seed), "of every random draw"),
    TTT_OPTION_ROW_CONFIG(AT(config)),
    {.name = "set",
     .kind = TTT_OPTION_LIST,
     .offset = AT(set),
     .argument = "NAME=VALUE",
     .help = "a setting, or preset=NAME; may be repeated; 'ttt solve --help settings' lists them"},
    {.name = "show",
     .kind = TTT_OPTION_FLAG,
     .offset = AT(show),
     .help = "draw each grid beside its answer (on a terminal this is so anyway)"},
    TTT_OPTION_ROW_STYLE(AT(style)),
    TTT_OPTION_ROW_JSON(AT(json), "a JSON object per line: tasks, then the score"),
};

static const ttt_usage solve_usage = {
    .command = "solve",
    .summary = "Solves tasks: files, folders, archives or challenge files. Programs that explain a task and a model\n"
               "that is trained on it answer together.",
    .arguments = "TASKS...",
    .minimum = 1,
    .maximum = SIZE_MAX,
    .options = solve_table,
    .option_count = sizeof solve_table / sizeof *solve_table,
    .examples = "  ttt solve examples/arc --budget 10s\n"
                "  ttt solve challenges.json --solutions solutions.json --budget 30s --run runs/first\n"
                "  ttt solve challenges.json --deadline 9h --method ttt --set preset=paper\n"
                "  ttt solve examples/arc --method ttt --set ttt.steps=20 --set views.count=8\n",
    .topics = "settings",
};

/* --- What was asked ---------------------------------------------------------------------------------------------- */

static ttt_method method_of(const solve_options *options) {
    ttt_method method = TTT_METHOD_ENSEMBLE;
    while (strcmp(ttt_method_name(method), options->method) != 0) method++; /* the option is one of them */
    return method;
}

static ttt_status read_settings(const solve_options *options, ttt_solve_settings *settings, ttt_error *err) {
    TTT_TRY(ttt_settings_gather(&ttt_solve_table, options->config, &options->set, settings, err));
    if (options->adapters == NULL) return TTT_OK;
    if (settings->ttt_adaptation == TTT_ADAPTATION_FULL || !ttt_method_trains(method_of(options))) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT,
                        "--save-adapters: there are none without training, or with ttt.adaptation=full");
    }
    settings->ttt_adaptation = TTT_ADAPTATION_LORA; /* whatever `auto` would choose */
    return TTT_OK;
}

static ttt_status check_programs(const solve_options *options, ttt_error *err) {
    if (options->prelude != NULL && options->proposer == NULL) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "--prelude: there are no Python programs without --proposer");
    }
    if (options->proposer == NULL || ttt_method_induces(method_of(options))) return TTT_OK;
    return ttt_fail(err, TTT_ERROR_ARGUMENT, "--proposer: --method %s asks no programs", options->method);
}

static double budget_of(const solve_options *options, const ttt_solve_settings *settings, ttt_method method) {
    const double usual = 60;
    if (options->budget > 0) return options->budget;
    bool fixed =
        ttt_method_asks(method) && settings->views_count > 0 && (!ttt_method_trains(method) || settings->ttt_steps > 0);
    return fixed || options->deadline > 0 ? 0 : usual;
}

/* --- The run ----------------------------------------------------------------------------------------------------- */

/* The model, unless the method does without, and whoever proposes programs. The cage comes first: it forks. */
static ttt_status open_all(const solve_options *options, const ttt_solve_settings *settings,
                           ttt_opened_proposer *opened, ttt_loaded_model *loaded, ttt_error *err) {
    if (options->proposer != NULL) {
        const ttt_proposer_options proposer = {.source = options->proposer,
                                               .settings = settings,
                                               .device = options->device,
                                               .threads = (int)options->threads,
                                               .seed = (uint64_t)options->seed};
        TTT_TRY(ttt_opened_proposer_open(opened, &proposer, options->prelude, err));
    }
    if (!ttt_method_asks(method_of(options))) return TTT_OK;
    return ttt_puzzle_model_open(loaded, options->model, options->device, (int)options->threads,
                                 settings->prompt_format, settings->prompt_reduced, err);
}

static ttt_status solve_tasks(const solve_options *options, const ttt_solve_settings *settings,
                              const ttt_task_set *tasks, const char *out, double deadline, size_t *failures,
                              ttt_error *err) {
    ttt_status status;
    ttt_loaded_model loaded = {0};
    ttt_opened_proposer opened = {0};
    ttt_submission submission = {0};
    ttt_terminal terminal;
    ttt_terminal_init(&terminal);
    const ttt_method method = method_of(options);
    ttt_solve_report report = {.terminal = &terminal,
                               .json = options->json,
                               .show = options->show || isatty(STDOUT_FILENO),
                               .style = ttt_picture_style_choose(options->style),
                               .method = method};
    TTT_TRY_OUT(open_all(options, settings, &opened, &loaded, err));
    const ttt_inducer inducer = {
        .settings = settings, .threads = (int)options->threads, .proposer = opened.proposer, .cage = opened.cage};
    ttt_run_options run = {.settings = settings,
                           .method = method,
                           .inducer = &inducer,
                           .proposer = options->proposer,
                           .budget = budget_of(options, settings, method),
                           .deadline = deadline,
                           .seed = (uint64_t)options->seed,
                           .model_path = loaded.path,
                           .store = options->run,
                           .out = out,
                           .adapters = options->adapters,
                           .stop = ttt_terminal_stop_flag(),
                           .progress = ttt_terminal_progress(&terminal),
                           .solved = ttt_solve_report_task,
                           .context = &report};
    status = ttt_run_arc(loaded.model, loaded.codec, tasks, &run, &submission, failures, err);
    ttt_terminal_clear(&terminal);
    if (status == TTT_ERROR_CANCELLED) {
        ttt_fail(err, TTT_ERROR_CANCELLED, "stopped; %zu of %zu tasks are done", report.done, tasks->count);
    }
    if (status == TTT_OK) status = ttt_solve_report_end(&report, tasks, &submission, out, err);
out:
    ttt_submission_release(&submission);
    ttt_opened_proposer_release(&opened);
    ttt_loaded_model_release(&loaded);
    return status;
}

static ttt_status read_and_solve(const solve_options *options, const ttt_option_list *paths,
                                 const ttt_solve_settings *settings, size_t *failures, ttt_error *err) {
    ttt_status status;
    ttt_task_set tasks = {0};
    size_t problems = 0;
    char *out = NULL;
    /* Reading and loading count. */
    const double deadline = options->deadline > 0 ? ttt_clock_seconds() + options->deadline : 0;
    ttt_task_source source = {.command = "solve", .solutions = options->solutions, .ids = options->ids};
    TTT_TRY_OUT(ttt_tasks_read(&source, paths, &tasks, &problems, err));
    out = options->out != NULL   ? ttt_string_copy(options->out)
          : options->run != NULL ? ttt_path_join(options->run, "submission.json")
                                 : ttt_string_copy("submission.json");
    if (out == NULL) TTT_TRY_OUT(ttt_fail(err, TTT_ERROR_MEMORY, "no memory for a path"));
    status = solve_tasks(options, settings, &tasks, out, deadline, failures, err);
out:
    *failures += problems;
    ttt_free(out);
    ttt_task_set_release(&tasks);
    return status;
}

int ttt_command_solve(int argc, char **argv) {
    solve_options options = {0};
    ttt_solve_settings settings;
    ttt_parsed parsed;
    ttt_error err = {0};
    size_t failures = 0;
    int exit_status = TTT_EXIT_OK;
    ttt_status status = ttt_options_parse(&solve_usage, argc, argv, &options, &parsed, &err);
    if (status == TTT_OK && parsed.help) {
        if (parsed.topic != NULL) {
            exit_status = ttt_settings_print(&ttt_solve_table, "solve");
        } else {
            ttt_options_help(&solve_usage, stdout);
        }
        goto out;
    }
    if (status == TTT_OK) status = read_settings(&options, &settings, &err);
    if (status == TTT_OK) status = check_programs(&options, &err);
    if (status != TTT_OK) {
        exit_status = ttt_command_misused("solve", &err);
        goto out;
    }
    status = read_and_solve(&options, &parsed.arguments, &settings, &failures, &err);
    if (status != TTT_OK) exit_status = ttt_command_failed("solve", &err);
    if (status == TTT_OK && failures > 0) exit_status = TTT_EXIT_FAILED;
out:
    ttt_option_list_release(&options.set);
    ttt_parsed_release(&parsed);
    return exit_status;
}
