/* Scoring: a task is solved when every test output equals one of its two attempts. */
#ifndef TTT_ARC_SCORE_H
#define TTT_ARC_SCORE_H

#include "arc/submission.h"

/* Counts over the tasks whose outputs are known. Arrays: [k] counts with the first k + 1 attempts, so [1] is the score
 * by the rules. */
typedef struct ttt_score {
    size_t tasks;                          /* tasks in the set with a known output */
    size_t tasks_submitted;                /* of them in the submission */
    size_t tasks_solved[TTT_ATTEMPTS_MAX]; /* all outputs right */
    size_t outputs;                        /* known test outputs */
    size_t outputs_submitted;              /* of them in the submission */
    size_t outputs_solved[TTT_ATTEMPTS_MAX];
    double partial[TTT_ATTEMPTS_MAX]; /* sum over tasks of (outputs right / outputs) */
    double hamming_sum;               /* over the submitted outputs, the mean distance of the first two attempts */
} ttt_score;

typedef struct ttt_task_score {
    size_t outputs, outputs_submitted;
    size_t outputs_solved[TTT_ATTEMPTS_MAX];
    double hamming_sum;
} ttt_task_score;

/* One task; `entry` may be NULL (nothing submitted) or too short (the rest counts as wrong). Outputs that are not
 * known do not count. */
ttt_task_score ttt_task_score_of(const ttt_task *task, const ttt_submission_entry *entry);
/* All of them. An entry for a task that is not in the set, or with more outputs than the task has test inputs, is an
 * error: the submission belongs to another set. */
ttt_status ttt_score_submission(const ttt_task_set *tasks, const ttt_submission *submission, ttt_score *score,
                                ttt_error *err);

/* Test outputs that one submission has right (with any attempt) and the other has not, in both directions. Both must
 * belong to the set, as above. */
ttt_status ttt_score_compare(const ttt_task_set *tasks, const ttt_submission *first, const ttt_submission *second,
                             size_t *first_only, size_t *second_only, ttt_error *err);

/* Wrong cells in the overlap plus cells of `truth` outside it, over the cells of `truth`; cells of the attempt beyond
 * the truth are free (the reference's measure). */
double ttt_grid_hamming(const ttt_grid *truth, const ttt_grid *attempt);

#endif
