/* Views are decoded in rounds. The first is small: its answers are the guesses from which those of later rounds are
 * written sooner. Without a deadline the second round takes all the rest. With one further rounds are sized by what
 * those before took: answers that are under way when time runs out are lost, all of a round at once if need be. A
 * prompt's tokens are made for a round and dropped with it. */
#include "solve/answer.h"

#include "solve/choose.h"
#include "solve/draft.h"

#include <math.h>

enum { FIRST_ROUND = 4 };

typedef struct asking {
    ttt_engine *engine;
    ttt_problem *problem;
    size_t test;
    ttt_test_record *record;
    ttt_task_record *task;
    double deadline;      /* of what is being done, 0: none */
    double last_deadline; /* of the test input: nothing may take longer */
} asking;

ttt_random ttt_answer_random(const ttt_random *random, size_t test) {
    return ttt_random_fork(random, test);
}

/* --- One round --------------------------------------------------------------------------------------------------- */

typedef struct view_round {
    const asking *asking;
    size_t first, count; /* views first .. first + count - 1 */
    ttt_sequence *prompts;
    ttt_decode_request *requests;
    ttt_decode_answer *answers;
    const char **texts; /* the answers as canonical text, in the record's arena; NULL: none */
    ttt_drafts *drafts;
    ttt_status status; /* of making the texts, with its */
    ttt_error failure;
} view_round;

static void round_release(view_round *batch) {
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->prompts != NULL) ttt_sequence_release(&batch->prompts[i]);
        if (batch->answers != NULL) ttt_decode_answer_release(&batch->answers[i]);
    }
    ttt_free(batch->prompts);
    ttt_free(batch->requests);
    ttt_free(batch->answers);
    ttt_free(batch->texts);
    ttt_drafts_free(batch->drafts);
}

/* What programs and views of earlier rounds answered. */
static void add_drafts(const asking *self, ttt_drafts *drafts) {
    const ttt_induction *programs = &self->task->induction;
    for (size_t i = programs->count; i-- > 0;) ttt_drafts_add(drafts, programs->items[i].answers[self->test]);
    for (size_t i = 0; i < self->record->views.count; i++) {
        if (self->record->views.items[i].answer != NULL) ttt_drafts_add(drafts, self->record->views.items[i].answer);
    }
}

static ttt_status round_init(const asking *self, view_round *batch, ttt_error *err) {
    ttt_problem *problem = self->problem;
    batch->prompts = ttt_allocate(batch->count, sizeof *batch->prompts);
    batch->requests = ttt_allocate(batch->count, sizeof *batch->requests);
    batch->answers = ttt_allocate(batch->count, sizeof *batch->answers);
    batch->texts = ttt_allocate(batch->count, sizeof *batch->texts);
    if (batch->prompts == NULL || batch->requests == NULL || batch->answers == NULL || batch->texts == NULL) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for %zu views", batch->count);
    }
    TTT_TRY(ttt_drafts_new(problem, self->test, batch->first, batch->count, &batch->drafts, err));
    add_drafts(self, batch->drafts);
    for (size_t i = 0; i < batch->count; i++) {
        size_t view = batch->first + i;
        TTT_TRY(problem->ops->prompt(problem, self->test, view, &batch->prompts[i], err));
        int32_t room = self->engine->prompt_tokens - batch->prompts[i].length;
        int32_t limit = problem->ops->answer_limit(problem, self->test);
        batch->requests[i] = (ttt_decode_request){.prompt = &batch->prompts[i],
                                                  .grammar = problem->ops->grammar(problem, self->test, view),
                                                  .max_tokens = limit < room ? limit : room};
    }
    return TTT_OK;
}

/* Room for the longest of the round in each of the sequences side by side, as far as memory is allowed. */
static ttt_status round_cache(const asking *self, const view_round *batch, ttt_error *err) {
    int32_t longest = 0;
    size_t together = (size_t)self->engine->settings->views_batch;
    if (together > batch->count) together = batch->count;
    for (size_t i = 0; i < batch->count; i++) {
        int32_t pages = ttt_kv_pages(batch->requests[i].prompt->length + batch->requests[i].max_tokens) + 1;
        if (pages > longest) longest = pages;
    }
    return ttt_engine_cache(self->engine, longest * (int32_t)together, longest, (int32_t)together + 1, err);
}

static ttt_status record_view(const asking *self, const view_round *batch, size_t i, ttt_error *err) {
    const ttt_problem *problem = self->problem;
    const ttt_decode_answer *answer = &batch->answers[i];
    ttt_view_facts facts;
    problem->ops->view_facts(problem, self->test, batch->first + i, &facts);
    ttt_view_record view = {.group = facts.group,
                            .identity = facts.identity,
                            .demonstrations = facts.demonstrations,
                            .prompt_tokens = facts.prompt_tokens,
                            .answer_tokens = answer->count,
                            .end = answer->end,
                            .log_probability = answer->log_probability,
                            .answer = batch->texts[i]};
    TTT_TRY(ttt_task_record_string(self->task, facts.name, &view.name, err));
    return TTT_PUSH(&self->record->views, view, err);
}

/* How fast it was: prompts at the known speed of reading, the rest of the time was writing. */
static void learn_speed(ttt_engine *engine, const view_round *batch, double seconds) {
    double tokens = 0, operations = 0;
    for (size_t i = 0; i < batch->count; i++) {
        tokens += batch->answers[i].count;
        operations += ttt_engine_prompt_operations(engine, batch->prompts[i].length);
    }
    if (engine->speed.reading <= 0) return; /* never measured: nobody asks for speeds */
    double reading = operations / engine->speed.reading;
    if (reading > 0.8 * seconds) { /* then prompts were slower than thought */
        ttt_speed_learn(&engine->speed.reading, operations, 0.8 * seconds);
        reading = 0.8 * seconds;
    }
    ttt_speed_learn(&engine->speed.writing, tokens, seconds - reading);
}

/* An answer is a draft for all that are still under way. */
static void view_finished(void *context, size_t i, const ttt_decode_answer *answer) {
    view_round *batch = context;
    const asking *self = batch->asking;
    if (answer->end != TTT_DECODE_COMPLETE || batch->status != TTT_OK) return;
    batch->status = self->problem->ops->parse(self->problem, self->test, batch->first + i, answer->ids, answer->count,
                                              self->task->arena, &batch->texts[i], &batch->failure);
    if (batch->texts[i] != NULL) ttt_drafts_add(batch->drafts, batch->texts[i]);
}

static int32_t view_guess(void *context, size_t i, const ttt_decode_answer *answer, int32_t *ids, int32_t room) {
    const view_round *batch = context;
    return ttt_drafts_guess(batch->drafts, i, answer->ids, answer->count, ids, room);
}

static ttt_status ask_round(const asking *self, size_t first, size_t count, ttt_error *err) {
    ttt_status status;
    ttt_engine *engine = self->engine;
    view_round batch = {.asking = self, .first = first, .count = count};
    double start = ttt_clock_seconds();
    TTT_TRY_OUT(round_init(self, &batch, err));
    TTT_TRY_OUT(round_cache(self, &batch, err));
    ttt_decode_options options = {.max_batch = (int32_t)engine->settings->views_batch,
                                  .deadline = self->deadline,
                                  .stop = engine->stop,
                                  .finished = view_finished,
                                  .guess = view_guess,
                                  .context = &batch};
    TTT_TRY_OUT(ttt_decode(engine->session, engine->cache, batch.requests, count, &options, batch.answers, err));
    if (batch.status != TTT_OK) TTT_TRY_OUT(ttt_fail(err, batch.status, "%s", batch.failure.message));
    if (ttt_stop_requested(engine->stop)) TTT_TRY_OUT(ttt_fail(err, TTT_ERROR_CANCELLED, "stopped while answering"));
    for (size_t i = 0; i < count; i++) TTT_TRY_OUT(record_view(self, &batch, i, err));
    double seconds = ttt_clock_seconds() - start;
    self->task->timings.decode += seconds;
    learn_speed(engine, &batch, seconds);
out:
    round_release(&batch);
    return status;
}

/* --- All rounds of a test input ---------------------------------------------------------------------------------- */

/* Views that the time left allows after `done` of them took `seconds`. Without a deadline all that were planned. */
static size_t views_left(const asking *self, size_t done, size_t planned, double seconds) {
    const ttt_solve_settings *settings = self->engine->settings;
    double most = settings->views_count > 0 ? (double)planned : (double)settings->views_max;
    if (self->deadline <= 0) return planned > done ? planned - done : 0;
    double fitting = 0.9 * (self->deadline - ttt_clock_seconds()) / (seconds / (double)done);
    return fitting < 1 || most <= (double)done ? 0 : (size_t)fmin(fitting, most - (double)done);
}

/* Views number done .. wanted - 1, as far as there are any; *done moves on. */
static ttt_status ask_until(const asking *self, size_t wanted, const ttt_problem_limits *limits,
                            const ttt_random *random, size_t *done, ttt_error *err) {
    ttt_problem *problem = self->problem;
    ttt_random stream = ttt_answer_random(random, self->test);
    size_t made;
    TTT_TRY(problem->ops->views(problem, self->test, limits, &stream, wanted, &made, err));
    if (made > *done) TTT_TRY(ask_round(self, *done, made - *done, err));
    if (made > *done) *done = made;
    ttt_progress_step(&self->engine->progress, "views", (int64_t)*done, (int64_t)wanted);
    return TTT_OK;
}

static ttt_status ask(asking *self, size_t planned, const ttt_problem_limits *limits, const ttt_random *random,
                      ttt_error *err) {
    size_t done = 0, before, wanted = planned < FIRST_ROUND ? planned : FIRST_ROUND;
    double start = ttt_clock_seconds();
    do {
        before = done;
        TTT_TRY(ask_until(self, wanted, limits, random, &done, err));
        if (done > 0) wanted = done + views_left(self, done, planned, ttt_clock_seconds() - start);
    } while (done > before && wanted > done);
    TTT_TRY(ttt_choose_candidates(self->record, err));
    if (self->record->candidates.count > 0 || self->deadline <= 0) return TTT_OK;
    /* No answer in time: one more view, alone, may take what was kept for re-scoring. */
    self->deadline = self->last_deadline;
    if (ttt_clock_seconds() < self->deadline) TTT_TRY(ask_until(self, done + 1, limits, random, &done, err));
    return ttt_choose_candidates(self->record, err);
}

/* --- Re-scoring -------------------------------------------------------------------------------------------------- */

typedef struct scoring {
    size_t count;        /* candidates */
    ttt_sequence prompt; /* of the view at hand */
    ttt_sequence *sequences;
    int32_t *first_targets;
    double *log_probabilities;
} scoring;

/* The prompt and all candidates as the view shows them; *longest of these, in tokens. */
static ttt_status show_candidates(const asking *self, scoring *score, size_t view, int32_t *longest, ttt_error *err) {
    const ttt_problem *problem = self->problem;
    *longest = 0;
    TTT_TRY(problem->ops->prompt(problem, self->test, view, &score->prompt, err));
    for (size_t i = 0; i < score->count; i++) {
        TTT_TRY(problem->ops->encode(problem, self->test, view, self->record->candidates.items[i].answer,
                                     &score->sequences[i], &score->first_targets[i], err));
        if (score->sequences[i].length > *longest) *longest = score->sequences[i].length;
    }
    return TTT_OK;
}

/* Pages for the prompt and as many candidates beside it as memory allows, one at least. */
static ttt_status score_cache(const asking *self, const scoring *score, int32_t longest, ttt_error *err) {
    const int32_t prompt = ttt_kv_pages(score->prompt.length) + 1, each = ttt_kv_pages(longest) + 2;
    return ttt_engine_cache(self->engine, prompt + each * (int32_t)score->count, prompt + each,
                            (int32_t)score->count + 2, err);
}

/* All candidates under one view; *complete is false when time ran out, and nothing is recorded. Nor is anything where
 * a candidate, written by another view, is too long for this one. */
static ttt_status score_view(const asking *self, scoring *score, size_t view, bool *complete, ttt_error *err) {
    ttt_engine *engine = self->engine;
    size_t done = 0;
    int32_t longest;
    *complete = true;
    TTT_TRY(show_candidates(self, score, view, &longest, err));
    if (longest > ttt_model_get_config(engine->model)->context - score->prompt.length) return TTT_OK;
    TTT_TRY(score_cache(self, score, longest, err));
    ttt_decode_options options = {
        .max_batch = (int32_t)score->count + 1, .deadline = self->deadline, .stop = engine->stop};
    TTT_TRY(ttt_decode_score(engine->session, engine->cache, &score->prompt, score->sequences, score->first_targets,
                             score->count, &options, score->log_probabilities, &done, err));
    if (ttt_stop_requested(engine->stop)) return ttt_fail(err, TTT_ERROR_CANCELLED, "stopped while re-scoring");
    *complete = done == score->count;
    for (size_t i = 0; *complete && i < score->count; i++) {
        ttt_score_record one = {(int64_t)i, (int64_t)view, score->log_probabilities[i]};
        TTT_TRY(TTT_PUSH(&self->record->scores, one, err));
    }
    return TTT_OK;
}

/* Candidates by votes, views in order, until the time is up. A single candidate has nobody to be compared with. */
static ttt_status rescore(const asking *self, ttt_error *err) {
    ttt_status status = TTT_OK;
    const ttt_solve_settings *settings = self->engine->settings;
    scoring score = {.count = self->record->candidates.count};
    size_t views = self->record->views.count;
    bool complete = true;
    double start = ttt_clock_seconds();
    if (score.count < 2) return TTT_OK;
    if (score.count > (size_t)settings->vote_candidates) score.count = (size_t)settings->vote_candidates;
    if (views > (size_t)settings->vote_views) views = (size_t)settings->vote_views;
    score.sequences = ttt_allocate(score.count, sizeof *score.sequences);
    score.first_targets = ttt_allocate(score.count, sizeof *score.first_targets);
    score.log_probabilities = ttt_allocate(score.count, sizeof *score.log_probabilities);
    if (score.sequences == NULL || score.first_targets == NULL || score.log_probabilities == NULL) {
        TTT_TRY_OUT(ttt_fail(err, TTT_ERROR_MEMORY, "no memory to re-score %zu candidates", score.count));
    }
    for (size_t view = 0; view < views && complete; view++) {
        if (self->deadline > 0 && ttt_clock_seconds() >= self->deadline) break;
        TTT_TRY_OUT(score_view(self, &score, view, &complete, err));
        ttt_progress_step(&self->engine->progress, "score", (int64_t)view + 1, (int64_t)views);
    }
    self->task->timings.score += ttt_clock_seconds() - start;
out:
    for (size_t i = 0; score.sequences != NULL && i < score.count; i++) ttt_sequence_release(&score.sequences[i]);
    ttt_sequence_release(&score.prompt);
    ttt_free(score.sequences);
    ttt_free(score.first_targets);
    ttt_free(score.log_probabilities);
    return status;
}

/* --- All test inputs --------------------------------------------------------------------------------------------- */

/* An equal share of the time until `end` for each of `left` test inputs. */
static double share_of(double end, size_t left) {
    if (end <= 0) return 0;
    double now = ttt_clock_seconds();
    return now + (end - now) / (double)left;
}

ttt_status ttt_answer_task(ttt_engine *engine, ttt_problem *problem, const ttt_plan *plan,
                           const ttt_problem_limits *limits, const ttt_random *random,
                           const ttt_answer_deadlines *deadlines, ttt_task_record *record, ttt_error *err) {
    bool rescored = engine->settings->vote_method == TTT_VOTE_RESCORE;
    asking self = {.engine = engine, .problem = problem, .task = record};
    for (size_t i = 0; i < problem->tests; i++) {
        self.test = i;
        self.record = &record->tests[i];
        self.deadline = share_of(deadlines->views, problem->tests - i);
        self.last_deadline = share_of(deadlines->all, problem->tests - i);
        TTT_TRY(ask(&self, plan->views, limits, random, err));
    }
    for (size_t i = 0; i < problem->tests; i++) {
        self.test = i;
        self.record = &record->tests[i];
        self.deadline = share_of(deadlines->all, problem->tests - i);
        if (rescored) TTT_TRY(rescore(&self, err));
        TTT_TRY(ttt_choose_voted((ttt_vote_method)engine->settings->vote_method, self.record, problem->ops->vote,
                                 record->arena, err));
    }
    return TTT_OK;
}
