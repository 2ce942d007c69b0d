/* The loop of training steps.
 *
 * The mean over a step's counted tokens needs their number before the first backward pass, so a step first takes all
 * its examples, then packs them into as few batches as first-fit in order allows, each passed through the session with
 * the same scale 1 / counted. Examples in waiting keep their memory from step to step. */
#include "train/loop.h"

#include "base/memory.h"

#include <string.h>

struct ttt_trainer {
    ttt_session *session;
    int32_t max_tokens;
    ttt_packing *packing;
    float *losses;          /* [max_tokens] of one batch */
    ttt_sequence *examples; /* [capacity] of the step; memory is kept */
    size_t count, capacity;
};

ttt_train_options ttt_train_defaults(void) {
    return (ttt_train_options){
        .adamw = {.learning_rate = 1e-3f, .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f, .weight_decay = 0.01f},
        .clip = 1,
    };
}

ttt_status ttt_trainer_new(ttt_session *session, int32_t max_tokens, int32_t max_sequences, ttt_trainer **trainer,
                           ttt_error *err) {
    const ttt_model_config *config = ttt_model_get_config(ttt_session_get_model(session));
    ttt_trainer *made = ttt_allocate(1, sizeof *made);
    if (!made) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a trainer");
    ttt_status status = ttt_packing_new(max_tokens, max_sequences, config->axes, config->window, &made->packing, err);
    made->session = session;
    made->max_tokens = max_tokens;
    made->losses = ttt_allocate((size_t)max_tokens, sizeof *made->losses);
    if (status == TTT_OK && !made->losses)
        status = ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the losses of %d tokens", (int)max_tokens);
    if (status != TTT_OK) {
        ttt_trainer_free(made);
        made = NULL;
    }
    *trainer = made;
    return status;
}

void ttt_trainer_free(ttt_trainer *trainer) {
    if (!trainer) return;
    for (size_t i = 0; i < trainer->capacity; i++) ttt_sequence_release(&trainer->examples[i]);
    ttt_free(trainer->examples);
    ttt_free(trainer->losses);
    ttt_packing_free(trainer->packing);
    ttt_free(trainer);
}

/* --- Taking examples --------------------------------------------------------------------------------------------- */

typedef ttt_status next_function(void *context, int64_t number, ttt_sequence *sequence, bool *more, ttt_error *err);

/* One more example into examples[count]; *more = false: there is none. */
static ttt_status take_one(ttt_trainer *trainer, next_function *next, void *context, int64_t number, bool *more,
                           ttt_error *err) {
    if (trainer->count == trainer->capacity) {
        const size_t capacity = trainer->capacity ? 2 * trainer->capacity : 16;
        ttt_sequence *grown = ttt_reallocate(trainer->examples, trainer->capacity, capacity, sizeof *trainer->examples);
        if (!grown) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for %zu examples in waiting", capacity);
        trainer->examples = grown;
        trainer->capacity = capacity;
    }
    ttt_sequence *sequence = &trainer->examples[trainer->count];
    TTT_TRY(next(context, number, sequence, more, err));
    if (!*more) return TTT_OK;
    if (sequence->length > trainer->max_tokens)
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "example %lld has %d tokens, more than a batch holds (%d)",
                        (long long)number, (int)sequence->length, (int)trainer->max_tokens);
    trainer->count++;
    return TTT_OK;
}

static ttt_status take_step(ttt_trainer *trainer, const ttt_train_options *options, int64_t first, int64_t *tokens,
                            ttt_error *err) {
    bool more = true;
    trainer->count = 0;
    *tokens = 0;
    while (more && (options->step_tokens == 0 || *tokens < options->step_tokens) &&
           (options->step_examples == 0 || trainer->count < (size_t)options->step_examples)) {
        const size_t before = trainer->count;
        TTT_TRY(take_one(trainer, options->next, options->context, first + (int64_t)before, &more, err));
        if (trainer->count > before) *tokens += trainer->examples[before].length;
    }
    return TTT_OK;
}

/* --- One step ---------------------------------------------------------------------------------------------------- */

/* Packs examples from *from on until the batch is full; moves *from behind the last packed. */
static void pack(ttt_trainer *trainer, size_t *from, float scale) {
    ttt_packing_clear(trainer->packing);
    while (*from < trainer->count && ttt_packing_fits(trainer->packing, &trainer->examples[*from]))
        ttt_packing_add(trainer->packing, &trainer->examples[(*from)++], 0, scale);
}

static int32_t packed_counted(const ttt_trainer *trainer) {
    const int32_t *rows, *targets;
    float *scales;
    return ttt_packing_counted(trainer->packing, &rows, &targets, &scales);
}

static ttt_status pass_all(ttt_trainer *trainer, int64_t counted, double *loss, ttt_error *err) {
    double sum = 0;
    for (size_t from = 0; from < trainer->count;) {
        pack(trainer, &from, (float)(1.0 / (double)counted));
        TTT_TRY(ttt_session_train(trainer->session, trainer->packing, trainer->losses, err));
        const int32_t count = packed_counted(trainer);
        for (int32_t i = 0; i < count; i++) sum += trainer->losses[i];
    }
    *loss = sum / (double)counted;
    return TTT_OK;
}

static double operations_of(const ttt_trainer *trainer) {
    const ttt_model_config *config = ttt_model_get_config(ttt_session_get_model(trainer->session));
    double sum = 0;
    for (size_t i = 0; i < trainer->count; i++) {
        const ttt_sequence *sequence = &trainer->examples[i];
        sum += ttt_model_config_training_operations(
            config, sequence->length, ttt_sequence_keys(sequence, config->window), ttt_sequence_counted(sequence));
    }
    return sum;
}

static int64_t counted_of(const ttt_trainer *trainer) {
    int64_t counted = 0;
    for (size_t i = 0; i < trainer->count; i++) counted += ttt_sequence_counted(&trainer->examples[i]);
    return counted;
}

static bool finished(const ttt_train_options *options, const ttt_train_state *state) {
    return ttt_stop_requested(options->stop) || (options->max_steps > 0 && state->steps >= options->max_steps) ||
           (options->max_seconds > 0 && state->seconds >= options->max_seconds) ||
           (options->deadline > 0 && ttt_clock_seconds() >= options->deadline);
}

ttt_status ttt_train_run(ttt_trainer *trainer, const ttt_train_options *options, ttt_train_state *state,
                         ttt_error *err) {
    const double origin = ttt_clock_seconds() - state->seconds;
    bool go_on = true;
    if (options->step_tokens <= 0 && options->step_examples <= 0)
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "a training step needs a number of tokens or of examples");
    while (go_on && !finished(options, state)) {
        ttt_train_report report = {.state = state};
        const double began = ttt_clock_seconds();
        TTT_TRY(take_step(trainer, options, state->examples, &report.tokens, err));
        const int64_t counted = counted_of(trainer);
        if (trainer->count == 0) break;
        if (counted == 0) return ttt_fail(err, TTT_ERROR_ARGUMENT, "no token of a whole training step carries loss");
        TTT_TRY(pass_all(trainer, counted, &report.loss, err));

        ttt_adamw adamw = options->adamw;
        const double done = options->schedule_by_time ? began - origin : (double)state->steps;
        adamw.learning_rate *= (float)ttt_schedule_multiplier(&options->schedule, done);
        TTT_TRY(ttt_session_step(trainer->session, adamw, options->clip, &report.gradient_norm, err));

        report.examples = (int64_t)trainer->count;
        report.learning_rate = adamw.learning_rate;
        report.operations = operations_of(trainer);
        report.seconds = ttt_clock_seconds() - began;
        state->steps++;
        state->examples += report.examples;
        state->tokens += report.tokens;
        state->counted += counted;
        state->operations += report.operations;
        state->seconds = ttt_clock_seconds() - origin;
        if (options->after_step) TTT_TRY(options->after_step(options->context, &report, &go_on, err));
        state->seconds = ttt_clock_seconds() - origin;
    }
    return TTT_OK;
}

/* --- Evaluation -------------------------------------------------------------------------------------------------- */

/* The losses of the batch just passed, handed out example by example. */
static double hand_out(const ttt_trainer *trainer, size_t from, size_t to, int64_t first, ttt_evaluate_function *each,
                       void *context) {
    const float *losses = trainer->losses;
    double sum = 0;
    for (size_t i = from; i < to; i++) {
        const int32_t count = ttt_sequence_counted(&trainer->examples[i]);
        if (each) each(context, first + (int64_t)i, losses, count);
        for (int32_t k = 0; k < count; k++) sum += losses[k];
        losses += count;
    }
    return sum;
}

ttt_status ttt_train_evaluate(ttt_trainer *trainer, next_function *next, ttt_evaluate_function *each, void *context,
                              double *mean, ttt_error *err) {
    enum { ROUND = 64 }; /* examples in memory at a time */
    double sum = 0;
    int64_t counted = 0, number = 0;
    bool more = true;
    while (more) {
        trainer->count = 0;
        while (more && trainer->count < ROUND)
            TTT_TRY(take_one(trainer, next, context, number + (int64_t)trainer->count, &more, err));
        for (size_t from = 0; from < trainer->count;) {
            const size_t first = from;
            pack(trainer, &from, 0);
            TTT_TRY(ttt_session_loss(trainer->session, trainer->packing, trainer->losses, err));
            sum += hand_out(trainer, first, from, number, each, context);
            counted += packed_counted(trainer);
        }
        number += (int64_t)trainer->count;
    }
    *mean = counted > 0 ? sum / (double)counted : 0;
    return TTT_OK;
}
