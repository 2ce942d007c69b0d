#include "solve/ttt.h"

#include <math.h>
#include <stdio.h>

typedef struct training {
    const ttt_problem *problem;
    const ttt_engine *engine;
    const ttt_plan *plan;
    ttt_task_record *record;
    double deadline; /* 0: none */
    ttt_train_options options;
} training;

static ttt_status next_example(void *context, int64_t number, ttt_sequence *sequence, bool *more, ttt_error *err) {
    const training *self = context;
    *more = true;
    return self->problem->ops->example(self->problem, (size_t)number, sequence, err);
}

/* For so many steps in all. */
static void schedule(training *self, int64_t steps) {
    const ttt_solve_settings *settings = self->engine->settings;
    int64_t warmup = (int64_t)(settings->ttt_warmup * (double)steps);
    self->options.max_steps = steps;
    self->options.schedule =
        settings->ttt_reference_rules ? ttt_schedule_reference(warmup, steps) : ttt_schedule_ours(warmup, steps);
}

/* The speed that was planned with is a guess; after 2, 4, 8, ... steps these tell what fits, so that the learning rate
 * comes down when the time is up, not before or after. Fixed work has no deadline and is never touched. */
static void correct_plan(training *self, const ttt_train_state *state) {
    int64_t done = state->steps;
    if (self->deadline <= 0 || done < 2 || (done & (done - 1)) != 0) return;
    double left = self->deadline - ttt_clock_seconds(), each = state->seconds / (double)done;
    double steps = (double)done + (left > 0 ? floor(left / each) : 0);
    schedule(self, steps < (double)self->plan->most_steps ? (int64_t)steps : self->plan->most_steps);
}

static ttt_status after_step(void *context, const ttt_train_report *report, bool *go_on, ttt_error *err) {
    training *self = context;
    ttt_step_record step = {.loss = report->loss,
                            .learning_rate = report->learning_rate,
                            .gradient_norm = report->gradient_norm,
                            .tokens = report->tokens,
                            .examples = report->examples,
                            .seconds = report->seconds};
    (void)go_on;
    correct_plan(self, report->state);
    ttt_progress_step(&self->engine->progress, "train", report->state->steps, self->options.max_steps);
    return TTT_PUSH(&self->record->steps, step, err);
}

/* A small model wants a higher rate than the paper's, which was found for language models. */
static double learning_rate_of(const ttt_engine *engine) {
    if (engine->settings->ttt_learning_rate > 0) return engine->settings->ttt_learning_rate;
    return ttt_is_grid_model(engine->model) ? 1e-3 : 1e-4;
}

static void set_options(training *self) {
    const ttt_solve_settings *settings = self->engine->settings;
    ttt_train_options *options = &self->options;
    *options = ttt_train_defaults();
    options->step_examples = self->engine->step_examples;
    options->adamw = (ttt_adamw){.learning_rate = (float)learning_rate_of(self->engine),
                                 .beta1 = (float)settings->ttt_beta1,
                                 .beta2 = (float)settings->ttt_beta2,
                                 .epsilon = (float)settings->ttt_epsilon,
                                 .weight_decay = (float)settings->ttt_weight_decay};
    options->clip = settings->ttt_clip;
    options->deadline = self->deadline;
    options->stop = self->engine->stop;
    options->next = next_example;
    options->after_step = after_step;
    options->context = self;
    schedule(self, self->plan->steps);
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
    training self = {.problem = problem, .engine = engine, .plan = plan, .record = record, .deadline = deadline};
    ttt_train_state state = {0};
    TTT_TRY(ttt_session_reset(engine->session, seed, err));
    if (plan->steps == 0) return TTT_OK;
    set_options(&self);
    ttt_error divergence = {0};
    ttt_status status = ttt_train_run(engine->trainer, &self.options, &state, &divergence);
    if (status == TTT_ERROR_ARGUMENT) return answer_without(engine, seed, divergence.message, record, err);
    if (status != TTT_OK) return ttt_fail(err, status, "%s", divergence.message);
    if (ttt_stop_requested(engine->stop)) return ttt_fail(err, TTT_ERROR_CANCELLED, "stopped while training");
    ttt_speed_learn(&engine->speed.training, state.operations, state.seconds);
    return TTT_OK;
}
