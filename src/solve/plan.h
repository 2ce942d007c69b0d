/* The plan of a task: how many optimizer steps and views fit its time, from measured speeds. Pure arithmetic; it reads
 * no clock. */
#ifndef TTT_SOLVE_PLAN_H
#define TTT_SOLVE_PLAN_H

#include "solve/solve_settings.h"

/* Speeds of a model on a machine. 0 means not measured: then as fast as need be, and the clock alone limits. */
typedef struct ttt_speed {
    double training; /* counted operations a second, forward and backward with the optimizer's step */
    double reading;  /* counted operations a second of prompts (forward) */
    double writing;  /* answer tokens a second of a full batch of views, all of its views together */
} ttt_speed;

/* What a task asks for when at most `demonstrations` are shown at once. */
typedef struct ttt_work {
    size_t demonstrations;
    double step_operations;   /* of a mean optimizer step */
    int64_t steps;            /* that its examples and epochs make; 0: nothing to train on */
    size_t tests;             /* test inputs that can be asked at all */
    double prompt_operations; /* of a mean prompt */
    double answer_tokens;     /* of a mean answer */
} ttt_work;

/* From everything down to nothing. */
typedef enum ttt_rung {
    TTT_RUNG_FULL,                 /* training and views as planned */
    TTT_RUNG_FEWER_DEMONSTRATIONS, /* the same on shorter examples and prompts */
    TTT_RUNG_NO_TRAINING,          /* views only */
    TTT_RUNG_ONE_VIEW,             /* of each test input, with as few demonstrations as may be */
    TTT_RUNG_FALLBACK,             /* no model at all */
    TTT_RUNG_COUNT
} ttt_rung;
const char *ttt_rung_name(ttt_rung rung); /* "full", "fewer demonstrations", ... */

typedef struct ttt_plan {
    ttt_rung rung;
    double budget; /* seconds that were planned for; 0: none, fixed work */
    size_t demonstrations;
    int64_t steps;
    int64_t most_steps; /* with time for them: what the examples and epochs make, or ttt.steps */
    size_t views;       /* of each test input */
    /* Seconds expected: of training, of all views, of re-scoring (a limit rather than an expectation). */
    double train_seconds, view_seconds, score_seconds;
    ttt_speed speed; /* that it was made from */
} ttt_plan;

/* Fills *work for a number of demonstrations, 0 < demonstrations <= what the task has. */
typedef ttt_status ttt_work_function(void *context, size_t demonstrations, ttt_work *work, ttt_error *err);

/* A plan for `seconds` (<= 0: no limit) in all, for a task with so many demonstrations; `training` false plans none. */
ttt_status ttt_plan_make(const ttt_solve_settings *settings, const ttt_speed *speed, double seconds, bool training,
                         size_t demonstrations, ttt_work_function *work, void *context, ttt_plan *plan, ttt_error *err);

/* Seconds that `views` views of each test input take. */
double ttt_plan_view_seconds(const ttt_work *work, const ttt_speed *speed, double views);
/* A new measurement enters a speed: an average that forgets. */
void ttt_speed_learn(double *speed, double amount, double seconds);

#endif
