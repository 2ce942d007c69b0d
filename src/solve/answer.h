/* Answering: every test input of a task in many views, answers mapped back, candidates, re-scoring. */
#ifndef TTT_SOLVE_ANSWER_H
#define TTT_SOLVE_ANSWER_H

#include "solve/engine.h"
#include "solve/problem.h"
#include "solve/record.h"

/* Moments of ttt_clock_seconds, or all 0: no clock is read, the plan alone counts. */
typedef struct ttt_answer_deadlines {
    double views; /* decoding ends */
    double all;   /* re-scoring ends */
} ttt_answer_deadlines;

/* Asks the session as it is. Per test input: plan->views views (and more while time is left, unless views.count fixes
 * their number), candidates, scores (with TTT_VOTE_RESCORE), vote. Time is shared among the test inputs; what one
 * leaves goes to the next. `limits` and `random` are for problem->ops->views. Time running out is no error: a test
 * input without an answer has no vote. */
ttt_status ttt_answer_task(ttt_engine *engine, ttt_problem *problem, const ttt_plan *plan,
                           const ttt_problem_limits *limits, const ttt_random *random,
                           const ttt_answer_deadlines *deadlines, ttt_task_record *record, ttt_error *err);

/* The random stream for the views of a test input. */
ttt_random ttt_answer_random(const ttt_random *random, size_t test);

#endif
