#include "cli/induce_report.h"

#include "cli/options.h"
#include "cli/text.h"

#include <stdio.h>
#include <string.h>

/* --- Counting ---------------------------------------------------------------------------------------------------- */

static bool is_known(const ttt_task *task) {
    return ttt_task_score_of(task, NULL).outputs > 0;
}

/* Are all known outputs among those of `answers`, of each test by itself? */
static bool solves(const ttt_task *task, const ttt_grid *const *answers, size_t count) {
    for (size_t i = 0; i < task->test_count; i++) {
        bool right = !task->tests[i].known;
        for (size_t k = 0; k < count && !right; k++) right = ttt_grid_equal(&answers[k][i], &task->tests[i].output);
        if (!right) return false;
    }
    return is_known(task);
}

void ttt_induce_report_moments(ttt_induce_report *report, double seconds) {
    static const double moments[] = TTT_INDUCE_MOMENTS;
    for (size_t i = 0; i < TTT_INDUCE_MOMENTS_MAX && moments[i] <= seconds; i++) {
        report->moments[report->moment_count++] = moments[i];
    }
}

void ttt_induce_report_look(void *context, size_t moment, const ttt_search *search) {
    ttt_induce_report *report = context;
    ttt_search_answer answers[2];
    const ttt_grid *outputs[2];
    const size_t count = ttt_search_answers(search, answers, 2);
    for (size_t i = 0; i < count; i++) outputs[i] = answers[i].outputs;
    report->at_first[moment] += count > 0 && solves(report->task, outputs, 1);
    report->at_two[moment] += solves(report->task, outputs, count);
}

/* The families that the program of a right answer uses, each once. */
static ttt_status count_families(ttt_induce_report *report, const ttt_task *task, const ttt_induced *found,
                                 ttt_error *err) {
    ttt_program program = {0};
    bool used[TTT_FAMILY_END] = {false};
    for (size_t i = 0; i < found->count && i < 2; i++) {
        const ttt_induced_answer *answer = &found->items[i];
        if (answer->python || !solves(task, (const ttt_grid *const[]){answer->outputs}, 1)) continue;
        TTT_TRY(ttt_program_parse(answer->program, "a program that was found", &program, err));
        for (size_t k = 0; k < program.node_count; k++) {
            const ttt_node *node = &program.nodes[k];
            if (node->kind == TTT_NODE_APPLY) used[ttt_operations[node->operation].family] = true;
        }
        for (int family = 0; family < TTT_FAMILY_END; family++) report->by_family[family] += used[family];
        report->by_rule += program.case_count > 0;
        ttt_program_release(&program);
        break;
    }
    return TTT_OK;
}

static ttt_status count(ttt_induce_report *report, const ttt_task *task, const ttt_induced *found, ttt_error *err) {
    report->done++;
    if (found->certain && is_known(task)) {
        report->certain++;
        report->certain_right += solves(task, (const ttt_grid *const[]){found->items[0].outputs}, 1);
    }
    return report->families ? count_families(report, task, found, err) : TTT_OK;
}

/* --- A task ------------------------------------------------------------------------------------------------------ */

/* "3 operations", "1 operation and a rule", "Python". `text` holds 48 bytes. */
static ttt_status describe_size(const ttt_induced_answer *answer, char text[48], ttt_error *err) {
    ttt_program program = {0};
    size_t size = 0;
    snprintf(text, 48, "Python");
    if (answer->python) return TTT_OK;
    TTT_TRY(ttt_program_parse(answer->program, "a program that was found", &program, err));
    for (size_t i = 0; i < program.node_count; i++) size += program.nodes[i].kind == TTT_NODE_APPLY;
    snprintf(text, 48, "%zu operation%s%s", size, size == 1 ? "" : "s", program.case_count > 0 ? " and a rule" : "");
    ttt_program_release(&program);
    return TTT_OK;
}

/* "certain, 3 operations", "not certain, 5 operations", "fits 2 of 3 demonstrations, 4 operations", "no program". */
static ttt_status describe(const ttt_induce_report *report, const ttt_task *task, const ttt_induced *found, char *text,
                           size_t bytes, ttt_error *err) {
    char size[48];
    if (found->count == 0) {
        snprintf(text, bytes, "no program");
        return TTT_OK;
    }
    TTT_TRY(describe_size(&found->items[0], size, err));
    if (found->fitting > 0 && !report->replay) {
        snprintf(text, bytes, "%s, %s", found->certain ? "certain" : "not certain", size);
    } else {
        snprintf(text, bytes, "fits %zu of %zu demonstrations, %s", found->items[0].fitted, task->demonstration_count,
                 size);
    }
    return TTT_OK;
}

static ttt_status print_line(const ttt_induce_report *report, const ttt_task *task, const ttt_submission_entry *entry,
                             const ttt_induced *found, double seconds, bool failed, ttt_error *err) {
    char outcome[TTT_OUTCOME_TEXT], time[TTT_DURATION_TEXT], text[128];
    ttt_outcome_words(task, entry, failed, outcome);
    ttt_duration_format(seconds, time);
    TTT_TRY(describe(report, task, found, text, sizeof text, err));
    printf("%4zu/%zu  %-10s  %-12s  %s, %s\n", report->done, report->total, task->id, outcome, text, time);
    return TTT_OK;
}

static ttt_status print_json(const ttt_task *task, const ttt_submission_entry *entry, const ttt_induced *found,
                             double seconds, const char *failure, ttt_error *err) {
    const ttt_induced_answer *first = found->count > 0 ? &found->items[0] : NULL;
    const char *problem = failure != NULL ? failure : found->problem[0] != '\0' ? found->problem : NULL;
    json_t *by_first = !is_known(task)
                           ? json_null()
                           : json_boolean(first != NULL && solves(task, (const ttt_grid *const[]){first->outputs}, 1));
    return ttt_print_json_line(
        json_pack("{s:s, s:o, s:o, s:s?, s:b, s:I, s:I, s:I, s:f, s:s?, s:s?, s:f, s:I, s:I, s:b}", "task", task->id,
                  "solved", ttt_outcome_json(task, entry), "solved_by_first", by_first, "problem", problem, "certain",
                  found->certain, "answers", (json_int_t)found->fitting, "programs",
                  (json_int_t)(first == NULL ? 0 : first->programs), "fitted",
                  (json_int_t)(first == NULL ? 0 : first->fitted), "cost", first == NULL ? 0 : first->cost, "language",
                  first == NULL   ? NULL
                  : first->python ? "python"
                                  : "ttt",
                  "program", first == NULL ? NULL : first->program, "seconds", seconds, "values",
                  (json_int_t)found->facts.values, "applications", (json_int_t)found->facts.applications, "memory_full",
                  found->facts.memory_full),
        err);
}

/* --- Programs, explained ----------------------------------------------------------------------------------------- */

/* What a model wrote may hold what moves a terminal's cursor. */
static void print_indented(const char *text) {
    while (*text != '\0') {
        fputs("    ", stdout);
        for (; *text != '\0' && *text != '\n'; text++) {
            putchar(ttt_is_control(*text) && *text != '\t' ? '?' : *text);
        }
        putchar('\n');
        text += *text == '\n';
    }
}

/* What the program makes of each demonstration, beside what is wanted. `made` has room for them. */
static ttt_status add_demonstrations(ttt_gallery *gallery, const ttt_task *task, const ttt_program *program,
                                     ttt_grid *made, ttt_error *err) {
    for (size_t i = 0; i < task->demonstration_count; i++) {
        const ttt_pair *pair = &task->demonstrations[i];
        bool defined;
        TTT_TRY(ttt_program_run(program, &pair->input, &made[i], &defined, err));
        const bool right = defined && ttt_grid_equal(&made[i], &pair->output);
        const ttt_panel row[] = {
            {.grid = &pair->input, .title = "input"},
            {.grid = &pair->output, .title = "output", .arrow = true},
            {.grid = defined ? &made[i] : NULL, .title = right ? "program (right)" : "program (wrong)"}};
        TTT_TRY(ttt_gallery_add_row(gallery, row, sizeof row / sizeof *row, err));
    }
    return TTT_OK;
}

static ttt_status draw_answer(const ttt_induce_report *report, const ttt_task *task, const ttt_induced_answer *answer,
                              ttt_error *err) {
    ttt_program program = {0};
    ttt_gallery gallery = {0};
    ttt_status status = TTT_OK;
    ttt_grid *made = ttt_allocate(task->demonstration_count, sizeof *made);
    if (made == NULL) TTT_TRY_OUT(ttt_fail(err, TTT_ERROR_MEMORY, "no memory for pictures"));
    if (!answer->python) {
        TTT_TRY_OUT(ttt_program_parse(answer->program, "a program that was found", &program, err));
        TTT_TRY_OUT(add_demonstrations(&gallery, task, &program, made, err));
    }
    for (size_t i = 0; i < task->test_count; i++) {
        const ttt_test *test = &task->tests[i];
        const ttt_panel row[] = {{.grid = &test->input, .title = "test input"},
                                 {.grid = &answer->outputs[i], .title = "program", .arrow = true},
                                 {.grid = &test->output, .title = "solution"}};
        TTT_TRY_OUT(ttt_gallery_add_row(&gallery, row, test->known ? 3 : 2, err));
    }
    status = ttt_gallery_print(&gallery, report->style, err);
out:
    ttt_gallery_release(&gallery);
    ttt_program_release(&program);
    ttt_free(made);
    return status;
}

/* The programs of both attempts. */
static ttt_status explain(const ttt_induce_report *report, const ttt_task *task, const ttt_induced *found,
                          ttt_error *err) {
    for (size_t i = 0; i < found->count && i < 2; i++) {
        const ttt_induced_answer *answer = &found->items[i];
        printf("\nattempt %zu: fits %zu of %zu demonstrations; %zu program%s say%s so", i + 1, answer->fitted,
               task->demonstration_count, answer->programs, answer->programs == 1 ? "" : "s",
               answer->programs == 1 ? "s" : "");
        if (answer->cost > 0) printf(", the simplest of %.1f bits", answer->cost);
        printf("\n");
        print_indented(answer->program);
        printf("\n");
        TTT_TRY(draw_answer(report, task, answer, err));
    }
    return TTT_OK;
}

ttt_status ttt_induce_report_task(ttt_induce_report *report, const ttt_task *task, const ttt_submission_entry *entry,
                                  const ttt_induced *found, double seconds, const char *failure, ttt_error *err) {
    const char *problem = failure != NULL ? failure : found->problem;
    ttt_terminal_clear(report->terminal);
    TTT_TRY(count(report, task, found, err));
    if (problem[0] != '\0') fprintf(stderr, "ttt induce: task '%s': %s\n", task->id, problem);
    if (report->json) {
        TTT_TRY(print_json(task, entry, found, seconds, failure, err));
    } else {
        TTT_TRY(print_line(report, task, entry, found, seconds, failure != NULL, err));
        if (report->explain) TTT_TRY(explain(report, task, found, err));
    }
    fflush(stdout); /* people and pipes follow along; a full disk shows at the end */
    return TTT_OK;
}

/* --- The end ----------------------------------------------------------------------------------------------------- */

/* Adds certainty, curve and families to the score; false when memory is out. */
static bool add_details(const ttt_induce_report *report, json_t *line) {
    json_t *curve = json_array(), *families = json_object();
    int failed = json_object_set_new(line, "certain", json_integer((json_int_t)report->certain));
    failed |= json_object_set_new(line, "certain_right", json_integer((json_int_t)report->certain_right));
    for (size_t i = 0; i < report->moment_count; i++) {
        failed |= json_array_append_new(curve, json_pack("{s:f, s:I, s:I}", "at", report->moments[i], "first",
                                                         (json_int_t)report->at_first[i], "two",
                                                         (json_int_t)report->at_two[i]));
    }
    for (int i = 0; i < TTT_FAMILY_END; i++) {
        failed |= json_object_set_new(families, ttt_family_name((ttt_family)i),
                                      json_integer((json_int_t)report->by_family[i]));
    }
    failed |= json_object_set_new(families, "rules", json_integer((json_int_t)report->by_rule));
    if (report->moment_count > 0) failed |= json_object_set(line, "curve", curve);
    if (report->families) failed |= json_object_set(line, "families", families);
    json_decref(curve);
    json_decref(families);
    return failed == 0;
}

static void print_details(const ttt_induce_report *report) {
    if (report->replay) return;
    printf("certain of %zu, %zu of these right", report->certain, report->certain_right);
    if (report->certain > 0) printf(" (%.1f %%)", 100.0 * (double)report->certain_right / (double)report->certain);
    printf("\n");
    if (report->moment_count > 0) printf("\nsolved after    first answer    two answers\n");
    for (size_t i = 0; i < report->moment_count; i++) {
        printf("%8.1f s %18zu %14zu\n", report->moments[i], report->at_first[i], report->at_two[i]);
    }
    if (!report->families) return;
    printf("\nsolved with     tasks\n");
    for (int i = 0; i < TTT_FAMILY_END; i++) {
        printf("%-12s %8zu\n", ttt_family_name((ttt_family)i), report->by_family[i]);
    }
    printf("%-12s %8zu\n\n", "rules", report->by_rule);
}

ttt_status ttt_induce_report_end(const ttt_induce_report *report, const ttt_task_set *tasks,
                                 const ttt_submission *submission, const char *out, ttt_error *err) {
    ttt_score score;
    ttt_terminal_clear(report->terminal);
    TTT_TRY(ttt_score_submission(tasks, submission, &score, err));
    if (report->json) {
        json_t *line = ttt_outcome_score_json(&score, tasks->count, report->done);
        if (line != NULL && add_details(report, line)) return ttt_print_json_line(line, err);
        json_decref(line);
        return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the output");
    }
    ttt_outcome_print_score(&score);
    if (score.tasks > 0) print_details(report);
    printf("answers are in %s\n", out);
    return TTT_OK;
}

/* --- The language ------------------------------------------------------------------------------------------------ */

static void print_operation(const ttt_operation *operation) {
    char text[160];
    int length = snprintf(text, sizeof text, "%s(", operation->name);
    for (int i = 0; i < operation->arity; i++) {
        length += snprintf(text + length, sizeof text - (size_t)length, "%s%s", i > 0 ? ", " : "",
                           ttt_value_type_name((ttt_value_type)operation->arguments[i]));
    }
    snprintf(text + length, sizeof text - (size_t)length, ") -> %s",
             ttt_value_type_name((ttt_value_type)operation->result));
    printf("  %-48s  %s\n", text, operation->meaning);
}

void ttt_induce_print_operations(void) {
    static const struct {
        const char *name, *meaning;
    } families[] = {
#define FAMILY(NAME, word, what) {word, what},
        TTT_FAMILIES(FAMILY)
#undef FAMILY
    };
    printf("operations of the program language\n");
    for (int family = 0; family < TTT_FAMILY_END; family++) {
        printf("\n%s: %s\n", families[family].name, families[family].meaning);
        for (int i = 0; i < TTT_OPERATION_COUNT; i++) {
            if (ttt_operations[i].family == family) print_operation(&ttt_operations[i]);
        }
    }
    printf("\nscopes of operations from a grid to a grid: the word before its name\n");
    for (int scope = TTT_SCOPE_WHOLE + 1; scope < TTT_SCOPE_END; scope++) {
        printf("  %-48s  %s\n", ttt_scope_word(scope), ttt_scope_meaning(scope));
    }
    printf("\nproperties of pieces\n");
#define PROPERTY(NAME, word, what) printf("  %-48s  %s\n", word, what);
#include "induce/properties.def"
#undef PROPERTY
}
