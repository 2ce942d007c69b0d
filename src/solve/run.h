/* A set of ARC tasks from beginning to end: solver, submission and run store together. The submission is valid from the
 * first second and replaced whole after every task; what the store holds is not solved again. */
#ifndef TTT_SOLVE_RUN_H
#define TTT_SOLVE_RUN_H

#include "arc/submission.h"
#include "base/progress.h"
#include "encode/codec.h"
#include "solve/induced.h"
#include "solve/solver.h"
#include "solve/store.h"

/* What became of one task; all borrowed, valid during the call. */
typedef struct ttt_run_report {
    const ttt_task *task;
    const ttt_task_record *record;
    const ttt_submission_entry *entry;
    size_t done, total; /* tasks, this one included */
    bool resumed;       /* it was in the store */
} ttt_run_report;

typedef struct ttt_run_options {
    const ttt_solve_settings *settings;
    ttt_method method;
    const ttt_inducer *inducer; /* of methods with programs, borrowed */
    const char *proposer;       /* where its proposer came from, or NULL: a fact of the run */
    double budget;              /* seconds a task, 0: no limit */
    double deadline;            /* ttt_clock_seconds at which all must be done, 0: none; tasks share what is left */
    uint64_t seed;
    const char *model_path; /* where the model came from, or NULL: a fact of the run */
    const char *store;      /* folder of the run store, or NULL */
    const char *out;        /* file of the submission, or NULL */
    const char *adapters;   /* folder for the adapter of every task that was trained, or NULL */
    const ttt_stop_flag *stop;
    ttt_progress progress;
    /* After every task, in the order of the set. */
    void (*solved)(void *context, const ttt_run_report *report);
    void *context;
} ttt_run_options;

/* `codec` is the model's; without a model (a method that asks none) both are NULL. *submission (zero-initialised; the
 * caller releases it) holds all tasks when this returns, failed ones with fallback answers; *failures counts those.
 * TTT_ERROR_CANCELLED: stopped by the flag, what was solved is stored and written. */
ttt_status ttt_run_arc(ttt_model *model, const ttt_codec *codec, const ttt_task_set *tasks,
                       const ttt_run_options *options, ttt_submission *submission, size_t *failures, ttt_error *err);

/* The attempts of a record into a submission. */
ttt_status ttt_run_submit(ttt_submission *submission, const ttt_task_record *record, ttt_error *err);

/* Reads a run store: every task with its solutions where they were known, and what was submitted. `method` < 0: as it
 * was; else the votes are re-done (ttt_vote_method), and the ensemble with them, on copies, the store is not changed.
 * Sets are zero-initialised. */
ttt_status ttt_run_load(const char *folder, int method, ttt_task_set *tasks, ttt_submission *submission,
                        ttt_error *err);

#endif
