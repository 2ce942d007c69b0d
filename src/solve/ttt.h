/* Test-time training of one task: a fresh adapter (or fresh weights) learns its examples. Akyurek et al., "The
 * Surprising Effectiveness of Test-Time Training", arXiv 2411.07279, sections 2 and 3. */
#ifndef TTT_SOLVE_TTT_H
#define TTT_SOLVE_TTT_H

#include "solve/engine.h"
#include "solve/problem.h"
#include "solve/record.h"

/* Resets the engine's session and trains plan->steps steps, ending before `deadline` (ttt_clock_seconds; 0: none) where
 * that comes first. The problem's examples are prepared. Steps go into the record, the speed into the engine. Training
 * that is impossible (a gradient that is not finite) is undone, and noted in record->problem: the task is then answered
 * without it. */
ttt_status ttt_train_task(ttt_engine *engine, const ttt_problem *problem, const ttt_plan *plan,
                          const ttt_random *random, double deadline, ttt_task_record *record, ttt_error *err);

#endif
