/* Scoring: a task is solved when every test output equals one of its two attempts. */
#ifndef TTT_ARC_SCORE_H
#define TTT_ARC_SCORE_H

#include "arc/submission.h"

/* Counts over the tasks whose outputs are known; [0] counts with the first attempt alone, [1] with both. */
typedef struct ttt_score {
    size_t tasks;             /* tasks in the set with known outputs */
    size_t tasks_submitted;   /* of them in the submission */
    size_t tasks_solved[2];   /* all outputs right */
    size_t outputs;           /* test outputs of these tasks */
    size_t outputs_submitted; /* of them in the submission */
    size_t outputs_solved[2];
    double partial[2];  /* sum over tasks of (outputs right / outputs): Kaggle's per-output credit */
    double hamming_sum; /* over the submitted outputs, the better attempt's distance */
} ttt_score;

typedef struct ttt_task_score {
    size_t outputs, outputs_solved[2];
    bool solved[2];
} ttt_task_score;

/* One task; `entry` may be NULL (nothing submitted) or too short (the rest counts as wrong). Outputs that are not
 * known do not count. */
ttt_task_score ttt_task_score_of(const ttt_task *task, const ttt_submission_entry *entry);
/* All of them. An entry for a task that is not in the set, or with more outputs than the task has test inputs, is an
 * error: the submission belongs to another set. */
ttt_status ttt_score_submission(const ttt_task_set *tasks, const ttt_submission *submission, ttt_score *score,
                                ttt_error *err);

/* Wrong cells in the overlap plus cells of `truth` outside it, over the cells of `truth`; cells of the attempt beyond
 * the truth are free (the reference's measure). */
double ttt_grid_hamming(const ttt_grid *truth, const ttt_grid *attempt);

#endif
