/* What `ttt induce` says: a line per task, programs with their pictures, and at the end the score, how sure it was, the
 * curve over time, and what each family of operations is good for. */
#ifndef TTT_CLI_INDUCE_REPORT_H
#define TTT_CLI_INDUCE_REPORT_H

#include "cli/outcome.h"
#include "cli/terminal.h"
#include "solve/induced.h"

/* Seconds at which the curve is taken. */
#define TTT_INDUCE_MOMENTS                                                                                             \
    { 0.5, 1, 2, 5, 10, 20, 60 }
enum { TTT_INDUCE_MOMENTS_MAX = 7 };

typedef struct ttt_induce_report {
    ttt_terminal *terminal; /* whose bar makes room */
    bool json, explain, families;
    bool replay; /* one program, that nothing is certain about */
    ttt_picture_style style;
    size_t total, done; /* tasks */
    /* Of the tasks with known outputs: certain ones, and right ones of these; solved ones by family of operations that
     * the right program uses. */
    size_t certain, certain_right, by_family[TTT_FAMILY_END], by_rule;
    /* The curve of the tasks with known outputs: solved by the first answer, and by the first two. */
    double moments[TTT_INDUCE_MOMENTS_MAX];
    size_t moment_count, at_first[TTT_INDUCE_MOMENTS_MAX], at_two[TTT_INDUCE_MOMENTS_MAX];
    const ttt_task *task; /* the one being searched: for ttt_induce_report_look */
} ttt_induce_report;

/* Moments of the curve up to `seconds`. */
void ttt_induce_report_moments(ttt_induce_report *report, double seconds);
/* For ttt_inducer.look; `context` is the report. */
void ttt_induce_report_look(void *context, size_t moment, const ttt_search *search);

/* A task is done: `found` in `seconds`; `failure`: why it was not, or NULL. */
ttt_status ttt_induce_report_task(ttt_induce_report *report, const ttt_task *task, const ttt_submission_entry *entry,
                                  const ttt_induced *found, double seconds, const char *failure, ttt_error *err);
ttt_status ttt_induce_report_end(const ttt_induce_report *report, const ttt_task_set *tasks,
                                 const ttt_submission *submission, const char *out, ttt_error *err);

/* The language to stdout: operations by family, properties. */
void ttt_induce_print_operations(void);

#endif
