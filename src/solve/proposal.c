#include "solve/proposal.h"

#include "base/memory.h"

#include <string.h>

void ttt_proposal_release(ttt_proposal *proposal) {
    for (size_t i = 0; i < proposal->count; i++) {
        ttt_free(proposal->items[i].outputs);
        ttt_free(proposal->items[i].program);
    }
    ttt_free(proposal->items);
    *proposal = (ttt_proposal){0};
}

ttt_status ttt_proposal_inputs(const ttt_task *task, ttt_grid **inputs, size_t *count, ttt_error *err) {
    *count = task->demonstration_count + task->test_count;
    *inputs = ttt_allocate(*count, sizeof **inputs);
    if (*inputs == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for %zu grids", *count);
    for (size_t i = 0; i < *count; i++) {
        (*inputs)[i] = i < task->demonstration_count ? task->demonstrations[i].input
                                                     : task->tests[i - task->demonstration_count].input;
    }
    return TTT_OK;
}

static bool fits(const ttt_task *task, const ttt_grid *outputs) {
    for (size_t i = 0; i < task->demonstration_count; i++) {
        if (!ttt_grid_equal(&outputs[i], &task->demonstrations[i].output)) return false;
    }
    return true;
}

static bool same(const ttt_grid *a, const ttt_grid *b, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!ttt_grid_equal(&a[i], &b[i])) return false;
    }
    return true;
}

static ttt_status append(ttt_proposal *proposal, const ttt_grid *outputs, size_t count, const char *program,
                         ttt_error *err) {
    ttt_proposed_answer answer = {.outputs = ttt_allocate(count, sizeof *outputs), .program = ttt_string_copy(program)};
    ttt_status status = TTT_ERROR_MEMORY;
    if (answer.outputs != NULL && answer.program != NULL) {
        memcpy(answer.outputs, outputs, count * sizeof *outputs);
        status = TTT_PUSH(proposal, answer, err);
    }
    if (status == TTT_OK) return TTT_OK;
    ttt_free(answer.outputs);
    ttt_free(answer.program);
    return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a proposed answer");
}

/* Answers stay in order: one with a vote more passes those with fewer. */
static ttt_status vote(ttt_proposal *proposal, const ttt_grid *outputs, size_t count, const char *program,
                       ttt_error *err) {
    size_t i = 0;
    while (i < proposal->count && !same(proposal->items[i].outputs, outputs, count)) i++;
    if (i == proposal->count) TTT_TRY(append(proposal, outputs, count, program, err));
    ttt_proposed_answer *items = proposal->items;
    items[i].votes++;
    for (; i > 0 && items[i - 1].votes < items[i].votes; i--) {
        const ttt_proposed_answer passed = items[i - 1];
        items[i - 1] = items[i];
        items[i] = passed;
    }
    return TTT_OK;
}

ttt_status ttt_proposal_add(ttt_proposal *proposal, const ttt_task *task, const char *const *programs,
                            const ttt_cage_result *results, size_t count, ttt_error *err) {
    for (size_t i = 0; i < count; i++) {
        if (results[i].outcome != TTT_CAGE_RAN) continue;
        proposal->ran++;
        if (!fits(task, results[i].outputs)) continue;
        TTT_TRY(vote(proposal, results[i].outputs + task->demonstration_count, task->test_count, programs[i], err));
        proposal->fit++;
    }
    return TTT_OK;
}
