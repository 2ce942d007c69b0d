#include "solve/solver.h"

#include "base/file.h"
#include "model/adapter.h"
#include "solve/answer.h"
#include "solve/ensemble.h"
#include "solve/ttt.h"

#include <math.h>
#include <string.h>

struct ttt_solver {
    ttt_solver_options options;
    ttt_engine engine;
};

const char *ttt_method_name(ttt_method method) {
    static const char *const names[] = {"ensemble", "ttt", "induce", "none"};
    return names[method];
}

ttt_status ttt_solver_new(ttt_model *model, const ttt_solver_options *options, ttt_solver **solver, ttt_error *err) {
    ttt_status status = TTT_OK;
    ttt_solver *made = ttt_allocate(1, sizeof *made);
    *solver = NULL;
    if (made == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the solver");
    made->options = *options;
    if (ttt_method_asks(options->method)) {
        TTT_TRY_OUT(ttt_engine_init(&made->engine, model, options->settings, ttt_method_trains(options->method), err));
        made->engine.stop = options->stop;
        made->engine.progress = options->progress;
        if (options->timed) TTT_TRY_OUT(ttt_engine_measure(&made->engine, err));
    }
    *solver = made;
    made = NULL;
out:
    ttt_solver_free(made);
    return status;
}

void ttt_solver_free(ttt_solver *solver) {
    if (solver == NULL) return;
    ttt_engine_release(&solver->engine);
    ttt_free(solver);
}

/* --- What a task asks for ---------------------------------------------------------------------------------------- */

typedef struct tasking {
    ttt_solver *solver;
    ttt_problem *problem;
    ttt_random random; /* of (seed, task) */
    size_t prepared;   /* demonstrations that examples and views were made for, 0: none */
    size_t examples;
} tasking;

/* Streams of a task by purpose. */
enum { STREAM_EXAMPLES, STREAM_TRAINING, STREAM_VIEWS };

static ttt_problem_limits limits_of(int32_t tokens, size_t demonstrations) {
    return (ttt_problem_limits){.max_tokens = tokens, .demonstrations = demonstrations};
}

/* Makes examples and forgets views for another number of demonstrations. */
static ttt_status prepare(tasking *self, size_t demonstrations, ttt_error *err) {
    ttt_problem *problem = self->problem;
    const ttt_engine *engine = &self->solver->engine;
    if (self->prepared == demonstrations) return TTT_OK;
    problem->ops->forget_views(problem);
    self->examples = 0;
    if (ttt_method_trains(self->solver->options.method)) {
        ttt_random random = ttt_random_fork(&self->random, STREAM_EXAMPLES);
        ttt_problem_limits limits = limits_of(engine->example_tokens, demonstrations);
        TTT_TRY(problem->ops->examples(problem, &limits, &random, &self->examples, err));
    }
    self->prepared = demonstrations;
    return TTT_OK;
}

static void training_work(const tasking *self, ttt_work *work) {
    const double step = self->solver->engine.step_examples, epochs = self->solver->options.settings->ttt_epochs;
    double operations = 0;
    if (self->examples == 0) return;
    for (size_t i = 0; i < self->examples; i++) {
        int32_t tokens = self->problem->ops->example_tokens(self->problem, i);
        operations += ttt_engine_example_operations(&self->solver->engine, tokens);
    }
    work->step_operations = operations / (double)self->examples * step;
    work->steps = (int64_t)ceil((double)self->examples * epochs / step);
}

/* From the first view of every test input: the others differ little in length. */
static ttt_status view_work(const tasking *self, size_t demonstrations, ttt_work *work, ttt_error *err) {
    ttt_problem *problem = self->problem;
    const ttt_engine *engine = &self->solver->engine;
    ttt_problem_limits limits = limits_of(engine->prompt_tokens, demonstrations);
    ttt_random random = ttt_random_fork(&self->random, STREAM_VIEWS);
    for (size_t i = 0; i < problem->tests; i++) {
        ttt_random stream = ttt_answer_random(&random, i);
        size_t count;
        ttt_view_facts facts;
        TTT_TRY(problem->ops->views(problem, i, &limits, &stream, 1, &count, err));
        if (count == 0) continue;
        problem->ops->view_facts(problem, i, 0, &facts);
        work->tests++;
        work->prompt_operations += ttt_engine_prompt_operations(engine, facts.prompt_tokens);
        work->answer_tokens += problem->ops->answer_guess(problem, i);
    }
    if (work->tests > 0) work->prompt_operations /= (double)work->tests;
    if (work->tests > 0) work->answer_tokens /= (double)work->tests;
    return TTT_OK;
}

static ttt_status work_of(void *context, size_t demonstrations, ttt_work *work, ttt_error *err) {
    tasking *self = context;
    *work = (ttt_work){.demonstrations = demonstrations};
    TTT_TRY(prepare(self, demonstrations, err));
    training_work(self, work);
    return view_work(self, demonstrations, work, err);
}

/* --- Programs ---------------------------------------------------------------------------------------------------- */

/* A fiftieth of the budget stays for what nobody measures: records, files, the last token. */
static double usable(double seconds) {
    return 0.98 * seconds;
}

/* Seconds for programs, before anything else, of a task's `seconds` (0: no limit): all when nobody else answers, else
 * briefly. */
static double induction_seconds(const ttt_solver_options *options, double seconds) {
    const ttt_solve_settings *settings = options->settings;
    if (!ttt_method_asks(options->method)) return usable(seconds);
    if (seconds <= 0) return settings->induce_seconds;
    return fmin(settings->induce_share * seconds, settings->induce_seconds);
}

/* For so many seconds (0: no limit), or so many more. Where a model answers as well, programs that cannot be had are a
 * problem and no failure. */
static ttt_status induce(const tasking *self, double seconds, ttt_task_record *record, ttt_error *err) {
    const ttt_solver_options *options = &self->solver->options;
    ttt_problem *problem = self->problem;
    const double start = ttt_clock_seconds();
    ttt_error failure = {0};
    const char *why = NULL;
    ttt_status status = problem->ops->induce(problem, seconds, options->stop, &options->progress, record->arena,
                                             &record->induction, &why, &failure);
    record->timings.induce += ttt_clock_seconds() - start;
    if (why != NULL) record->problem = why; /* none: what went wrong before stays said */
    if (status == TTT_OK) return TTT_OK;
    if (status == TTT_ERROR_CANCELLED || !ttt_method_asks(options->method)) {
        return ttt_fail(err, status, "%s", failure.message);
    }
    return ttt_task_record_string(record, failure.message, &record->problem, err);
}

/* --- One task ---------------------------------------------------------------------------------------------------- */

/* When training ends: its share, and a little of what is not its own, rather than to lose the last step of a schedule
 * to a slow moment; no step begins that would end later. */
static double training_deadline(const tasking *self, const ttt_plan *plan, double start, double seconds) {
    const double slack = 0.05;
    if (seconds <= 0) return 0;
    double each = plan->steps > 0 ? plan->train_seconds / (double)plan->steps : 0;
    return start + fmin(self->solver->options.settings->time_train + slack, 1) * seconds - each;
}

/* What was trained stays behind as a folder of its own. Nothing is written when there was no training, or when it was
 * undone. */
static ttt_status save_adapter(const tasking *self, ttt_error *err) {
    const ttt_solver_options *options = &self->solver->options;
    const char *id = self->problem->id;
    if (options->adapters == NULL || ttt_session_steps(self->solver->engine.session) == 0) return TTT_OK;
    if (id[0] == '\0' || id[0] == '.' || strchr(id, '/') != NULL) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "its id is no name for a folder in '%s'", options->adapters);
    }
    char *folder = ttt_path_join(options->adapters, id);
    if (folder == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the path of an adapter");
    ttt_status status = ttt_session_save_adapter(self->solver->engine.session, folder, options->model_name, err);
    ttt_free(folder);
    return status;
}

static ttt_answer_deadlines answer_deadlines(const tasking *self, double start, double seconds) {
    const ttt_solve_settings *settings = self->solver->options.settings;
    if (seconds <= 0) return (ttt_answer_deadlines){0, 0};
    double now = ttt_clock_seconds(), end = start + usable(seconds), rest = fmax(end - now, 0);
    double scoring = settings->vote_method == TTT_VOTE_RESCORE ? settings->time_score : 0;
    return (ttt_answer_deadlines){.views = now + (1 - scoring) * rest, .all = end};
}

/* In `seconds` from `start`. */
static ttt_status transduce(tasking *self, double seconds, double start, ttt_task_record *record, ttt_error *err) {
    ttt_engine *engine = &self->solver->engine;
    ttt_problem *problem = self->problem;
    bool train = ttt_method_trains(self->solver->options.method);
    ttt_plan *plan = &record->plan;
    ttt_random training = ttt_random_fork(&self->random, STREAM_TRAINING);
    ttt_random views = ttt_random_fork(&self->random, STREAM_VIEWS);
    TTT_TRY(ttt_plan_make(engine->settings, &engine->speed, seconds, train, problem->demonstrations, work_of, self,
                          plan, err));
    if (plan->rung == TTT_RUNG_FALLBACK) return TTT_OK;
    TTT_TRY(prepare(self, plan->demonstrations, err));
    record->examples = self->examples;
    record->timings.prepare = ttt_clock_seconds() - start;

    double began = ttt_clock_seconds();
    TTT_TRY(
        ttt_train_task(engine, problem, plan, &training, training_deadline(self, plan, start, seconds), record, err));
    record->timings.train = ttt_clock_seconds() - began;
    /* Now, so that it counts against the budget; but a full disk is no reason not to answer. */
    ttt_error unsaved = {0};
    const ttt_status saved = save_adapter(self, &unsaved);

    ttt_problem_limits limits = limits_of(engine->prompt_tokens, plan->demonstrations);
    /* The time of a training that cannot be is better spent on programs than on more views of an untrained model. */
    const bool spare = ttt_method_induces(self->solver->options.method) && plan->steps == 0;
    const double share = spare && !record->induction.certain ? 1 - self->solver->options.settings->time_train : 1;
    ttt_answer_deadlines deadlines = answer_deadlines(self, start, ttt_limit_left(seconds > 0, share * seconds));
    TTT_TRY(ttt_answer_task(engine, problem, plan, &limits, &views, &deadlines, record, err));
    return saved == TTT_OK ? TTT_OK : ttt_fail(err, saved, "its adapter: %s", unsaved.message);
}

/* Programs first and briefly; unless they are certain, they also get what the model leaves. */
static ttt_status solve(tasking *self, double seconds, double start, ttt_task_record *record, ttt_error *err) {
    const ttt_solver_options *options = &self->solver->options;
    const double briefly = induction_seconds(options, seconds);
    const bool induces =
        ttt_method_induces(options->method) && self->problem->ops->induce != NULL && (seconds <= 0 || briefly > 0);
    if (induces) TTT_TRY(induce(self, briefly, record, err));
    if (!ttt_method_asks(options->method)) return TTT_OK;
    const double now = ttt_clock_seconds();
    const double share = record->induction.certain ? options->settings->induce_certain : 1;
    const double rest = ttt_limit_left(seconds > 0, share * (seconds - (now - start)));
    const ttt_status transduced = transduce(self, rest, now, record, err);
    const double left = start + usable(seconds) - ttt_clock_seconds();
    if (!induces || record->induction.certain || seconds <= 0 || left <= 0 || transduced == TTT_ERROR_CANCELLED) {
        return transduced;
    }
    /* A model that failed leaves all its time. */
    const ttt_status induced = induce(self, left, record, transduced == TTT_OK ? err : NULL);
    return transduced != TTT_OK && induced != TTT_ERROR_CANCELLED ? transduced : induced;
}

/* Every test input gets attempts, whatever happened. */
static ttt_status fill_attempts(const ttt_problem *problem, ttt_task_record *record, ttt_error *err) {
    for (size_t i = 0; i < problem->tests; i++) {
        TTT_TRY(ttt_ensemble_attempts(record, i, err));
        for (int k = 0; k < 2; k++) {
            const char **attempt = &record->tests[i].attempts[k];
            if (*attempt != NULL) continue;
            TTT_TRY(ttt_task_record_string(record, problem->ops->fallback(problem, i), attempt, err));
        }
    }
    return TTT_OK;
}

ttt_status ttt_solver_solve(ttt_solver *solver, ttt_problem *problem, double seconds, ttt_task_record *record,
                            ttt_error *err) {
    double start = ttt_clock_seconds();
    tasking self = {
        .solver = solver, .problem = problem, .random = ttt_random_stream(solver->options.seed, problem->id, "solve")};
    TTT_TRY(ttt_task_record_init(record, problem->id, problem->tests, err));
    ttt_status status = solve(&self, seconds, start, record, err);
    record->timings.total = ttt_clock_seconds() - start;
    record->status = status;
    if (status == TTT_ERROR_CANCELLED) return status;
    if (status != TTT_OK) {
        status = ttt_fail_within(err, status, "task '%s'", problem->id);
        if (ttt_task_record_string(record, err == NULL ? "failed" : err->message, &record->problem, NULL) != TTT_OK) {
            return status;
        }
    }
    ttt_status filled = fill_attempts(problem, record, status == TTT_OK ? err : NULL);
    return status != TTT_OK ? status : filled;
}
