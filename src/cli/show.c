/* `ttt show`: tasks, and what was answered, as pictures. */
#include "base/memory.h"
#include "cli/command.h"
#include "cli/pictures.h"
#include "cli/tasks.h"
#include "solve/run.h"

#include <stddef.h>
#include <stdio.h>

typedef struct show_options {
    const char *answers, *solutions, *run, *ids, *style, *png;
    int64_t cell;
    bool tests_only;
} show_options;

#define AT(member) offsetof(show_options, member)
static const ttt_option show_table[] = {
    {.name = "answers",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(answers),
     .argument = "SUBMISSION",
     .help = "a submission, whose attempts are drawn beside the test inputs"},
    TTT_OPTION_ROW_SOLUTIONS(AT(solutions), "the test outputs of a challenge file"),
    {.name = "run",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(run),
     .argument = "FOLDER",
     .help = "the tasks and answers of a run store, in place of TASKS"},
    TTT_OPTION_ROW_IDS(AT(ids)),
    {.name = "tests-only", .kind = TTT_OPTION_FLAG, .offset = AT(tests_only), .help = "without the demonstrations"},
    TTT_OPTION_ROW_STYLE(AT(style)),
    {.name = "png",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(png),
     .argument = "FILE",
     .help = "draw into a PNG file in place of the terminal"},
    {.name = "cell",
     .kind = TTT_OPTION_INTEGER,
     .offset = AT(cell),
     .argument = "PIXELS",
     .fallback = "16",
     .minimum = 2,
     .maximum = 64,
     .help = "side of a cell in the PNG"},
};

static const ttt_usage show_usage = {
    .command = "show",
    .summary = "Draws tasks and what was answered.",
    .arguments = "[TASKS...]",
    .minimum = 0,
    .maximum = SIZE_MAX,
    .options = show_table,
    .option_count = sizeof show_table / sizeof *show_table,
    .examples = "  ttt show examples/arc\n"
                "  ttt show challenges.json --solutions solutions.json --answers submission.json --ids 00d62c1b\n"
                "  ttt show --run runs/first\n"
                "  ttt show examples/arc --png puzzles.png\n",
};

static ttt_status draw_task(const show_options *options, const ttt_task *task, const ttt_submission *submission,
                            ttt_gallery *gallery, ttt_error *err) {
    if (!options->tests_only) TTT_TRY(ttt_gallery_add_demonstrations(gallery, task, err));
    return ttt_gallery_add_tests(gallery, task, ttt_submission_find(submission, task->id), err);
}

static ttt_status print_tasks(const show_options *options, const ttt_task_set *set, const ttt_submission *submission,
                              ttt_error *err) {
    ttt_picture_style style = ttt_picture_style_choose(options->style);
    for (size_t i = 0; i < set->count; i++) {
        ttt_gallery gallery = {0};
        ttt_status status = draw_task(options, &set->items[i], submission, &gallery, err);
        if (status == TTT_OK) {
            printf("%s\n", set->items[i].id);
            status = ttt_gallery_print(&gallery, style, err);
        }
        ttt_gallery_release(&gallery);
        TTT_TRY(status);
    }
    return TTT_OK;
}

static ttt_status write_png(const show_options *options, const ttt_task_set *set, const ttt_submission *submission,
                            ttt_error *err) {
    ttt_gallery gallery = {0};
    ttt_status status = TTT_OK;
    for (size_t i = 0; i < set->count; i++) {
        TTT_TRY_OUT(draw_task(options, &set->items[i], submission, &gallery, err));
    }
    status = ttt_picture_png(options->png, gallery.panels.items, gallery.panels.count, gallery.rows.items,
                             gallery.rows.count, (int)options->cell, err);
out:
    ttt_gallery_release(&gallery);
    return status;
}

int ttt_command_show(int argc, char **argv) {
    show_options options = {0};
    ttt_parsed parsed;
    ttt_error err = {0};
    ttt_task_set set = {0};
    ttt_submission submission = {0};
    size_t problems = 0;
    int exit_status = TTT_EXIT_OK;
    ttt_status status = ttt_options_parse(&show_usage, argc, argv, &options, &parsed, &err);
    if (status != TTT_OK) {
        exit_status = ttt_command_misused("show", &err);
        goto out;
    }
    if (parsed.help) {
        ttt_options_help(&show_usage, stdout);
        goto out;
    }
    if ((options.run == NULL) == (parsed.arguments.count == 0)) {
        ttt_fail(&err, TTT_ERROR_ARGUMENT, "expected: ttt show TASKS..., or --run FOLDER");
        exit_status = ttt_command_misused("show", &err);
        goto out;
    }
    ttt_task_source source = {.command = "show", .solutions = options.solutions, .ids = options.ids};
    if (options.run != NULL) TTT_TRY_OUT(ttt_run_load(options.run, -1, &set, &submission, &err));
    TTT_TRY_OUT(ttt_tasks_read(&source, &parsed.arguments, &set, &problems, &err));
    if (options.answers != NULL) {
        ttt_submission_release(&submission);
        TTT_TRY_OUT(ttt_submission_read(&submission, options.answers, &err));
    }
    status = options.png != NULL ? write_png(&options, &set, &submission, &err)
                                 : print_tasks(&options, &set, &submission, &err);
out:
    if (status != TTT_OK && exit_status == TTT_EXIT_OK) exit_status = ttt_command_failed("show", &err);
    if (problems > 0 && exit_status == TTT_EXIT_OK) exit_status = TTT_EXIT_FAILED;
    ttt_submission_release(&submission);
    ttt_task_set_release(&set);
    ttt_parsed_release(&parsed);
    return exit_status;
}
