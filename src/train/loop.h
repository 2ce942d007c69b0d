/* The training loop: pulls examples through a callback, packs them, accumulates gradients, steps, reports. It knows
 * sequences and sessions; what they stand for it does not know. */
#ifndef TTT_TRAIN_LOOP_H
#define TTT_TRAIN_LOOP_H

#include "base/clock.h"
#include "model/session.h"
#include "train/schedule.h"

/* Where a training is: plain data, kept in checkpoints. */
typedef struct ttt_train_state {
    int64_t steps;     /* optimizer steps taken */
    int64_t examples;  /* examples taken, which is the number of the next one */
    int64_t tokens;    /* tokens trained on */
    int64_t counted;   /* of them with loss */
    double operations; /* counted floating-point operations */
    double seconds;    /* since the start, evaluations and earlier runs included */
} ttt_train_state;

/* What one step did. */
typedef struct ttt_train_report {
    const ttt_train_state *state; /* after the step */
    double loss;                  /* mean over the counted tokens of the step, nats */
    double gradient_norm;         /* before clipping */
    double learning_rate;
    int64_t tokens, examples; /* of the step */
    double operations;        /* of the step */
    double seconds;           /* of the step, making the examples included */
} ttt_train_report;

typedef struct ttt_train_options {
    int32_t step_tokens;   /* a step takes examples until it has this many tokens (the last may overshoot) ... */
    int32_t step_examples; /* ... or this many examples, whichever is first; 0: no such limit, not both 0 */
    int64_t max_steps;     /* stop when the state has so many; 0: no limit */
    double max_seconds;    /* stop when the state has so many; 0: no limit */
    bool schedule_by_time; /* the schedule counts state.seconds, else steps */
    ttt_schedule schedule;
    ttt_adamw adamw; /* learning_rate is what the schedule multiplies */
    double clip;     /* of the gradient's norm; <= 0: none */
    double deadline; /* ttt_clock_seconds at which no further step begins; 0: none */
    const ttt_stop_flag *stop;

    /* Fills `sequence` (its old content is void, its memory may be reused) with example `number`; *more = false: there
     * are no further ones. */
    ttt_status (*next)(void *context, int64_t number, ttt_sequence *sequence, bool *more, ttt_error *err);
    /* After every step; may evaluate, save, and end the training with *go_on = false. May be NULL. */
    ttt_status (*after_step)(void *context, const ttt_train_report *report, bool *go_on, ttt_error *err);
    void *context;
} ttt_train_options;
/* AdamW (0.9, 0.999, 1e-8), weight decay 0.01, clipping at 1; the rest zero. */
ttt_train_options ttt_train_defaults(void);

/* Memory for steps of a session: packing, examples in waiting, losses. Reused from run to run. */
typedef struct ttt_trainer ttt_trainer;
/* `max_tokens` and `max_sequences` as in the session's options. */
ttt_status ttt_trainer_new(ttt_session *session, int32_t max_tokens, int32_t max_sequences, ttt_trainer **trainer,
                           ttt_error *err);
void ttt_trainer_free(ttt_trainer *trainer);

/* Trains from *state on until a limit, the last example, the deadline or the stop flag; none of these is an error.
 * *state is up to date after every step. An example longer than max_tokens is an error. */
ttt_status ttt_train_run(ttt_trainer *trainer, const ttt_train_options *options, ttt_train_state *state,
                         ttt_error *err);

/* Mean loss without training over examples 0, 1, ... of `next`, until it has no more. `each` (may be NULL) receives the
 * losses of every example, in order. */
typedef void ttt_evaluate_function(void *context, int64_t number, const float *losses, int32_t count);
ttt_status ttt_train_evaluate(ttt_trainer *trainer,
                              ttt_status (*next)(void *context, int64_t number, ttt_sequence *sequence, bool *more,
                                                 ttt_error *err),
                              ttt_evaluate_function *each, void *context, double *mean, ttt_error *err);

#endif
