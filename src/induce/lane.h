/* A lane of the search: what one frame shows of a task, and all that is made of it. Lanes share nothing, so that they
 * may run side by side. */
#ifndef TTT_INDUCE_LANE_H
#define TTT_INDUCE_LANE_H

#include "arc/task.h"
#include "base/clock.h"
#include "induce/answers.h"
#include "induce/pool.h"

typedef struct ttt_lane ttt_lane;

/* The task's grids, copied, as the frame shows them; lanes are numbered for ttt_answer. Nothing is searched before it
 * is opened. Free with ttt_lane_free. */
ttt_status ttt_lane_new(const ttt_task *task, ttt_frame frame, size_t number, ttt_lane **lane, ttt_error *err);
void ttt_lane_free(ttt_lane *lane);
/* Do both show the same grids? Then one of them is not needed. */
bool ttt_lane_equal(const ttt_lane *a, const ttt_lane *b);
ttt_status ttt_lane_open(ttt_lane *lane, size_t memory_bytes, int threads, ttt_error *err);

typedef struct ttt_lane_limits {
    const ttt_stop_flag *stop;
    double deadline;  /* of ttt_clock_seconds; 0: none */
    double beginning; /* of the search, by that clock: answers tell when they were found */
    int cost;         /* rules of more are not looked for */
} ttt_lane_limits;
bool ttt_lane_time_is_up(const ttt_lane_limits *limits);

/* One turn: a batch of applications is enumerated, new layers are taken, sets of layers and stacks get their share of
 * the work. *applications grows by those that were tried. */
ttt_status ttt_lane_turn(ttt_lane *lane, const ttt_lane_limits *limits, double *applications, ttt_error *err);
/* Is there nothing left to try, or no memory to go on with? */
bool ttt_lane_ended(const ttt_lane *lane);
int ttt_lane_level(const ttt_lane *lane); /* what the next batch costs */

const ttt_answers *ttt_lane_answers(const ttt_lane *lane);
/* The program of an answer of this lane. */
ttt_status ttt_lane_program(const ttt_lane *lane, const ttt_answer *answer, ttt_program *program, ttt_error *err);
const ttt_pool *ttt_lane_pool(const ttt_lane *lane);
size_t ttt_lane_bytes(const ttt_lane *lane);
size_t ttt_lane_applications(const ttt_lane *lane);

#endif
