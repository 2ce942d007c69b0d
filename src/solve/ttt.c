#include "solve/ttt.h"

#include <stdio.h>

typedef struct training {
    const ttt_problem *problem;
    const ttt_engine *engine;
    const ttt_plan *plan;
    ttt_task_record *record;
} training;

static ttt_status next_example(void *context, int64_t number, ttt_sequence *sequence, bool *more, ttt_error *err) {
    const training *self = context;
    *more = true;
    return self->problem->ops->example(self->problem, (size_t)number, sequence, err);
}

static ttt_status after_step(void *context, const ttt_train_report *report, bool *go_on, ttt_error *err) {
    training *self = context;
    ttt_step_record step = {.loss = report->loss,
                            .learning_rate = report->learning_rate,
                            .gradient_norm = report->gradient_norm,
                            .tokens = report->tokens,
                            .examples = report->examples,
                            .seconds = report->seconds};
    ttt_progress_step(&self->engine->progress, "train", report->state->steps, self->plan->steps);
    (void)go_on;
    return TTT_PUSH(&self->record->steps, step, err);
}

static ttt_train_options options_of(const ttt_engine *engine, const ttt_plan *plan, double deadline, training *self) {
    const ttt_solve_settings *settings = engine->settings;
    ttt_train_options options = ttt_train_defaults();
    int64_t warmup = (int64_t)(settings->ttt_warmup * (double)plan->steps);
    options.step_examples = (int32_t)settings->ttt_batch;
    options.max_steps = plan->steps;
    options.schedule = settings->ttt_reference_rules ? ttt_schedule_reference(warmup, plan->steps)
                                                     : ttt_schedule_ours(warmup, plan->steps);
    options.adamw = (ttt_adamw){.learning_rate = (float)settings->ttt_learning_rate,
                                .beta1 = (float)settings->ttt_beta1,
                                .beta2 = (float)settings->ttt_beta2,
                                .epsilon = (float)settings->ttt_epsilon,
                                .weight_decay = (float)settings->ttt_weight_decay};
    options.clip = settings->ttt_clip;
    options.deadline = deadline;
    options.stop = engine->stop;
    options.next = next_example;
    options.after_step = after_step;
    options.context = self;
    return options;
}

/* The model as it was before training. */
static ttt_status answer_without(ttt_engine *engine, uint64_t seed, const char *why, ttt_task_record *record,
                                 ttt_error *err) {
    char note[TTT_ERROR_LENGTH];
    snprintf(note, sizeof note, "answered without training: %s", why);
    TTT_TRY(ttt_task_record_string(record, note, &record->problem, err));
    return ttt_session_reset(engine->session, seed, err);
}

ttt_status ttt_train_task(ttt_engine *engine, const ttt_problem *problem, const ttt_plan *plan,
                          const ttt_random *random, double deadline, ttt_task_record *record, ttt_error *err) {
    ttt_random seeds = *random;
    uint64_t seed = ttt_random_u64(&seeds);
    training self = {.problem = problem, .engine = engine, .plan = plan, .record = record};
    ttt_train_state state = {0};
    TTT_TRY(ttt_session_reset(engine->session, seed, err));
    if (plan->steps == 0) return TTT_OK;
    ttt_train_options options = options_of(engine, plan, deadline, &self);
    ttt_error divergence = {0};
    ttt_status status = ttt_train_run(engine->trainer, &options, &state, &divergence);
    if (status == TTT_ERROR_ARGUMENT) return answer_without(engine, seed, divergence.message, record, err);
    if (status != TTT_OK) return ttt_fail(err, status, "%s", divergence.message);
    if (ttt_stop_requested(engine->stop)) return ttt_fail(err, TTT_ERROR_CANCELLED, "stopped while training");
    ttt_speed_learn(&engine->speed.training, state.operations, state.seconds);
    return TTT_OK;
}
