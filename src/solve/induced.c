#include "solve/induced.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ANSWERS_MAX = 8 }; /* of the search: two attempts, and a look at what else there is */

static void answer_release(ttt_induced_answer *answer) {
    ttt_free(answer->outputs);
    ttt_free(answer->program);
    *answer = (ttt_induced_answer){0};
}

void ttt_induced_release(ttt_induced *induced) {
    for (size_t i = 0; i < induced->count; i++) answer_release(&induced->items[i]);
    ttt_free(induced->items);
    *induced = (ttt_induced){0};
}

ttt_status ttt_induced_push(ttt_induced *induced, ttt_induced_answer *answer, ttt_error *err) {
    TTT_TRY(TTT_PUSH(induced, *answer, err));
    *answer = (ttt_induced_answer){0};
    return TTT_OK;
}

/* Copies the outputs of all tests. */
static ttt_status copy_outputs(const ttt_task *task, const ttt_grid *outputs, ttt_grid **copy, ttt_error *err) {
    *copy = ttt_allocate(task->test_count, sizeof **copy);
    if (*copy == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the answers of programs");
    memcpy(*copy, outputs, task->test_count * sizeof **copy);
    return TTT_OK;
}

static bool same_outputs(const ttt_task *task, const ttt_grid *a, const ttt_grid *b) {
    for (size_t i = 0; i < task->test_count; i++) {
        if (!ttt_grid_equal(&a[i], &b[i])) return false;
    }
    return true;
}

/* --- The search -------------------------------------------------------------------------------------------------- */

static ttt_status take_answer(ttt_induced *induced, const ttt_task *task, const ttt_search_answer *found,
                              ttt_error *err) {
    ttt_status status;
    ttt_induced_answer answer = {
        .cost = found->cost, .programs = found->programs, .fitted = found->fitted, .seconds = found->seconds};
    TTT_TRY_OUT(copy_outputs(task, found->outputs, &answer.outputs, err));
    TTT_TRY_OUT(ttt_program_print(found->program, &answer.program, err));
    status = ttt_induced_push(induced, &answer, err);
out:
    answer_release(&answer);
    return status;
}

ttt_status ttt_induced_take_search(ttt_induced *induced, const ttt_task *task, const ttt_search *search,
                                   ttt_error *err) {
    ttt_search_answer answers[ANSWERS_MAX];
    const size_t count = ttt_search_answers(search, answers, ANSWERS_MAX);
    for (size_t i = 0; i < count; i++) {
        TTT_TRY(take_answer(induced, task, &answers[i], err));
        induced->fitting += answers[i].fitted == task->demonstration_count;
    }
    induced->certain = induced->fitting > 0 && ttt_search_certain(search);
    induced->facts = ttt_search_describe(search);
    return TTT_OK;
}

/* --- Python programs --------------------------------------------------------------------------------------------- */

static ttt_status take_proposed(ttt_induced *list, const ttt_task *task, const ttt_proposed_answer *proposed,
                                ttt_error *err) {
    ttt_status status;
    ttt_induced_answer answer = {.python = true, .programs = proposed->votes, .fitted = task->demonstration_count};
    TTT_TRY_OUT(copy_outputs(task, proposed->outputs, &answer.outputs, err));
    answer.program = ttt_string_copy(proposed->program);
    if (answer.program == NULL) TTT_TRY_OUT(ttt_fail(err, TTT_ERROR_MEMORY, "no memory for a program"));
    status = ttt_induced_push(list, &answer, err);
out:
    answer_release(&answer);
    return status;
}

/* The one of the first `fitting` that gives these outputs; NULL: none does. */
static ttt_induced_answer *find(ttt_induced *induced, const ttt_task *task, const ttt_grid *outputs) {
    for (size_t i = 0; i < induced->fitting; i++) {
        if (same_outputs(task, induced->items[i].outputs, outputs)) return &induced->items[i];
    }
    return NULL;
}

/* Moves an answer, if there is one left at `from`, to the end of the list, which has room. */
static void move(ttt_induced *list, ttt_induced_answer *from) {
    if (from->outputs == NULL) return;
    list->items[list->count++] = *from;
    *from = (ttt_induced_answer){0};
}

/* `both` marks answers of the search that the proposal gives too; `rest` has the proposal's others. */
static void merge(ttt_induced *induced, const bool *both, ttt_induced *rest, ttt_induced *merged) {
    for (size_t i = 0; i < induced->fitting; i++) {
        if (both[i]) move(merged, &induced->items[i]);
    }
    for (size_t i = 0; i < induced->fitting || i < rest->count; i++) {
        if (i < induced->fitting) move(merged, &induced->items[i]);
        if (i < rest->count) move(merged, &rest->items[i]);
    }
    merged->fitting = merged->count;
    for (size_t i = induced->fitting; i < induced->count; i++) move(merged, &induced->items[i]);
}

ttt_status ttt_induced_join(ttt_induced *induced, const ttt_task *task, const ttt_proposal *proposal, ttt_error *err) {
    ttt_induced rest = {0}, merged = {0};
    ttt_status status = TTT_OK;
    bool *both = ttt_allocate(induced->fitting, sizeof *both);
    if (both == NULL) TTT_TRY_OUT(ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the answers of programs"));
    TTT_TRY_OUT(TTT_RESERVE(&merged, induced->count + proposal->count, err));
    bool certain = induced->certain || (induced->fitting == 0 && proposal->count == 1);
    for (size_t i = 0; i < proposal->count; i++) {
        ttt_induced_answer *same = find(induced, task, proposal->items[i].outputs);
        if (same == NULL) {
            TTT_TRY_OUT(take_proposed(&rest, task, &proposal->items[i], err));
        } else {
            both[same - induced->items] = true;
            same->programs += proposal->items[i].votes;
        }
        certain = certain && (induced->fitting == 0 || same == &induced->items[0]);
    }
    merge(induced, both, &rest, &merged);
    merged.certain = certain;
    merged.facts = induced->facts;
    snprintf(merged.problem, sizeof merged.problem, "%s", proposal->problem);
    ttt_induced_release(induced);
    *induced = merged;
    merged = (ttt_induced){0};
out:
    ttt_free(both);
    ttt_induced_release(&rest);
    ttt_induced_release(&merged);
    return status;
}

/* --- Both -------------------------------------------------------------------------------------------------------- */

/* On until the end or, where that comes first, each moment that is to be shown. */
static ttt_status search_and_show(const ttt_inducer *inducer, ttt_search *search, double seconds,
                                  const ttt_stop_flag *stop, ttt_error *err) {
    const double start = ttt_clock_seconds();
    size_t shown = 0;
    bool ended = false;
    while (!ended) {
        const double gone = ttt_clock_seconds() - start;
        double until = seconds > 0 ? seconds : INFINITY;
        if (shown < inducer->moment_count) until = fmin(until, inducer->moments[shown]);
        if (isinf(until)) {
            TTT_TRY(ttt_search_run(search, 0, &ended, err));
        } else if (until > gone) {
            TTT_TRY(ttt_search_run(search, until - gone, &ended, err));
        }
        if (ttt_stop_requested(stop)) return ttt_fail(err, TTT_ERROR_CANCELLED, "stopped while searching for programs");
        while (shown < inducer->moment_count && (ended || inducer->moments[shown] <= until)) {
            inducer->look(inducer->context, shown++, search);
        }
        ended = ended || until == seconds;
    }
    return TTT_OK;
}

static ttt_status search_task(const ttt_inducer *inducer, const ttt_task *task, ttt_search **search, double seconds,
                              const ttt_stop_flag *stop, const ttt_progress *progress, ttt_induced *induced,
                              ttt_error *err) {
    ttt_search_options options = {.memory_bytes = (size_t)inducer->settings->induce_memory_mb << 20,
                                  .threads = inducer->threads,
                                  .stop = stop,
                                  .progress = *progress};
    if (*search == NULL) TTT_TRY(ttt_search_new(task, &options, search, err));
    TTT_TRY(search_and_show(inducer, *search, seconds, stop, err));
    return ttt_induced_take_search(induced, task, *search, err);
}

static ttt_status propose(const ttt_inducer *inducer, const ttt_task *task, double seconds, const ttt_stop_flag *stop,
                          ttt_proposal *proposal, ttt_error *err) {
    ttt_error problem = {0};
    ttt_status status = ttt_proposer_run(inducer->proposer, task, inducer->cage, seconds, stop, proposal, &problem);
    if (status == TTT_ERROR_CANCELLED) return ttt_fail(err, status, "%s", problem.message);
    if (status != TTT_OK) snprintf(proposal->problem, sizeof proposal->problem, "%s", problem.message);
    return TTT_OK;
}

void ttt_inducing_release(ttt_inducing *inducing) {
    ttt_search_free(inducing->search);
    ttt_proposal_release(&inducing->proposal);
    *inducing = (ttt_inducing){0};
}

ttt_status ttt_induce_task(const ttt_inducer *inducer, const ttt_task *task, ttt_inducing *inducing, double seconds,
                           const ttt_stop_flag *stop, const ttt_progress *progress, ttt_induced *induced,
                           ttt_error *err) {
    const double start = ttt_clock_seconds();
    const bool ask = inducer->proposer != NULL && !inducing->proposed;
    const double share = ask ? 1 - inducer->settings->induce_proposer : 1;
    const double searching = ttt_limit_left(seconds > 0, share * seconds);
    TTT_TRY(search_task(inducer, task, &inducing->search, searching, stop, progress, induced, err));
    if (ask) {
        const double left = ttt_limit_left(seconds > 0, seconds - (ttt_clock_seconds() - start));
        TTT_TRY(propose(inducer, task, left, stop, &inducing->proposal, err));
        inducing->proposed = true;
    }
    return inducing->proposed ? ttt_induced_join(induced, task, &inducing->proposal, err) : TTT_OK;
}
