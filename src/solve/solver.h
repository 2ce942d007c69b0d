/* The solver: one task after the other through programs, plan, training, views and vote. Knows problems, not what they
 * are about.
 *
 * Where time counts, a task's seconds bound everything from here on, all of its test inputs together; with no limit of
 * time no clock is read for any decision but when the search for programs ends (induce.seconds), and without programs
 * the same seed gives the same answers. */
#ifndef TTT_SOLVE_SOLVER_H
#define TTT_SOLVE_SOLVER_H

#include "solve/engine.h"
#include "solve/problem.h"
#include "solve/record.h"

/* Who answers: programs that explain the demonstrations (induction), the trained model (transduction), both (then by
 * the rule of ensemble.h), or the model as it is. */
typedef enum ttt_method { TTT_METHOD_ENSEMBLE, TTT_METHOD_TTT, TTT_METHOD_INDUCE, TTT_METHOD_NONE } ttt_method;
#define TTT_METHODS "ensemble|ttt|induce|none"
const char *ttt_method_name(ttt_method method);
static inline bool ttt_method_trains(ttt_method method) {
    return method == TTT_METHOD_ENSEMBLE || method == TTT_METHOD_TTT;
}
static inline bool ttt_method_induces(ttt_method method) {
    return method == TTT_METHOD_ENSEMBLE || method == TTT_METHOD_INDUCE;
}
/* Does it need a model at all? */
static inline bool ttt_method_asks(ttt_method method) {
    return method != TTT_METHOD_INDUCE;
}

typedef struct ttt_solver_options {
    const ttt_solve_settings *settings; /* borrowed */
    ttt_method method;
    bool timed; /* tasks will have limits of time: speeds are measured at the start */
    uint64_t seed;
    /* Where each task's trained adapter goes, as the folder <adapters>/<task id>, and the name of the model that these
     * belong to; borrowed. NULL: nowhere. The settings must train adapters. */
    const char *adapters, *model_name;
    const ttt_stop_flag *stop;
    ttt_progress progress;
} ttt_solver_options;

typedef struct ttt_solver ttt_solver;
/* The model must outlive it; a method that asks none takes NULL. Takes its memory, and measures, here: this counts as
 * loading. */
ttt_status ttt_solver_new(ttt_model *model, const ttt_solver_options *options, ttt_solver **solver, ttt_error *err);
void ttt_solver_free(ttt_solver *solver);

/* Solves one task in `seconds` (0: no limit). *record is filled also when this fails (release it in any case): then its
 * attempts are fallback answers, and status and problem say why. TTT_ERROR_CANCELLED: the stop flag was raised. */
ttt_status ttt_solver_solve(ttt_solver *solver, ttt_problem *problem, double seconds, ttt_task_record *record,
                            ttt_error *err);

#endif
