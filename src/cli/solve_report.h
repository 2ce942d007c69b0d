/* What `ttt solve` says on stdout: a line per task as it is solved, pictures, the accuracy at the end. */
#ifndef TTT_CLI_SOLVE_REPORT_H
#define TTT_CLI_SOLVE_REPORT_H

#include "cli/pictures.h"
#include "cli/terminal.h"
#include "solve/run.h"

typedef struct ttt_solve_report {
    ttt_terminal *terminal; /* whose bar makes room */
    bool json, show;
    ttt_picture_style style;
    ttt_method method;
    size_t done; /* tasks reported */
    /* Of the tasks with known outputs: what each system's own two answers solve; where programs were certain, and right
     * there. */
    size_t by_programs, by_model, certain, certain_right;
} ttt_solve_report;

/* For ttt_run_options.solved; `context` is the report. */
void ttt_solve_report_task(void *context, const ttt_run_report *task);
/* The last lines: tasks and outputs solved, by whom, where solutions are known. */
ttt_status ttt_solve_report_end(ttt_solve_report *report, const ttt_task_set *tasks, const ttt_submission *submission,
                                const char *out, ttt_error *err);

#endif
