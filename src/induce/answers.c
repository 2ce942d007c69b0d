/* The table of answers: few, so that walking over them is quick enough. */
#include "induce/answers.h"

#include <math.h>
#include <string.h>

enum { ANSWERS_MAX = 256 };

static ttt_answer *find(ttt_answers *answers, uint64_t hash) {
    for (size_t i = 0; i < answers->count; i++) {
        if (answers->items[i].hash == hash) return &answers->items[i];
    }
    return NULL;
}

static bool better(const ttt_answer *a, const ttt_answer *b) {
    if (a->fitted != b->fitted) return a->fitted > b->fitted;
    if (a->weight != b->weight) return a->weight > b->weight;
    return a->hash < b->hash;
}

/* The place for a new answer: at the end, or the worst one's. */
static ttt_status make_place(ttt_answers *answers, ttt_answer **place, ttt_error *err) {
    if (answers->count == ANSWERS_MAX) {
        *place = &answers->items[0];
        for (size_t i = 1; i < answers->count; i++) {
            if (better(*place, &answers->items[i])) *place = &answers->items[i];
        }
        return TTT_OK;
    }
    if (answers->count == answers->made) {
        ttt_grid *outputs = ttt_allocate(answers->test_count, sizeof *outputs);
        if (outputs == NULL || TTT_RESERVE(answers, answers->made + 1, NULL) != TTT_OK) {
            ttt_free(outputs);
            return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the answers of a search");
        }
        answers->items[answers->made++] = (ttt_answer){.outputs = outputs};
    }
    *place = &answers->items[answers->count++];
    return TTT_OK;
}

/* Adds the programs of `more` to those of its answer, which is made if it is new. */
static ttt_status add(ttt_answers *answers, const ttt_answer *more, ttt_error *err) {
    ttt_answer *answer = find(answers, more->hash);
    if (answer == NULL) {
        TTT_TRY(make_place(answers, &answer, err));
        ttt_grid *kept = answer->outputs;
        memcpy(kept, more->outputs, answers->test_count * sizeof *kept);
        *answer = *more;
        answer->outputs = kept;
        return TTT_OK;
    }
    answer->weight += more->weight;
    answer->programs += more->programs;
    if (more->seconds < answer->seconds) answer->seconds = more->seconds;
    if (more->cost < answer->cost) {
        answer->cost = more->cost;
        answer->lane = more->lane;
        answer->finding = more->finding;
    }
    return TTT_OK;
}

ttt_status ttt_answers_add(ttt_answers *answers, const ttt_grid *outputs, size_t lane, const ttt_finding *finding,
                           size_t fitted, double seconds, ttt_error *err) {
    ttt_answer answer = {.hash = ttt_hash(TTT_HASH_START, &fitted, sizeof fitted),
                         .outputs = (ttt_grid *)outputs,
                         .weight = exp2(-(double)finding->cost / TTT_COST_BIT),
                         .cost = finding->cost,
                         .programs = 1,
                         .fitted = fitted,
                         .seconds = seconds,
                         .lane = lane,
                         .finding = *finding};
    for (size_t i = 0; i < answers->test_count; i++) answer.hash = ttt_grid_hash(answer.hash, &outputs[i]);
    return add(answers, &answer, err);
}

ttt_status ttt_answers_join(ttt_answers *answers, const ttt_answers *more, ttt_error *err) {
    for (size_t i = 0; i < more->count; i++) TTT_TRY(add(answers, &more->items[i], err));
    return TTT_OK;
}

void ttt_answers_clear(ttt_answers *answers) {
    answers->count = 0;
}

void ttt_answers_release(ttt_answers *answers) {
    for (size_t i = 0; i < answers->made; i++) ttt_free(answers->items[i].outputs);
    ttt_free(answers->items);
    *answers = (ttt_answers){0};
}

void ttt_answers_order(const ttt_answers *answers, size_t *order) {
    for (size_t i = 0; i < answers->count; i++) {
        size_t at = i;
        for (; at > 0 && better(&answers->items[i], &answers->items[order[at - 1]]); at--) order[at] = order[at - 1];
        order[at] = i;
    }
}
