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
    if (answers->count < ANSWERS_MAX) {
        TTT_TRY(TTT_PUSH(answers, (ttt_answer){0}, err));
        *place = &answers->items[answers->count - 1];
        (*place)->outputs = ttt_allocate(answers->test_count, sizeof *(*place)->outputs);
        if ((*place)->outputs != NULL) return TTT_OK;
        answers->count--;
        return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the answers of a search");
    }
    *place = &answers->items[0];
    for (size_t i = 1; i < answers->count; i++) {
        if (better(*place, &answers->items[i])) *place = &answers->items[i];
    }
    return TTT_OK;
}

ttt_status ttt_answers_add(ttt_answers *answers, const ttt_grid *outputs, size_t lane, const ttt_finding *finding,
                           size_t fitted, double seconds, ttt_error *err) {
    const double weight = exp2(-(double)finding->cost / TTT_COST_BIT);
    uint64_t hash = ttt_hash(TTT_HASH_START, &fitted, sizeof fitted);
    for (size_t i = 0; i < answers->test_count; i++) hash = ttt_grid_hash(hash, &outputs[i]);
    ttt_answer *answer = find(answers, hash);
    if (answer == NULL) {
        TTT_TRY(make_place(answers, &answer, err));
        ttt_grid *kept = answer->outputs;
        memcpy(kept, outputs, answers->test_count * sizeof *kept);
        *answer = (ttt_answer){.hash = hash, .outputs = kept, .fitted = fitted, .seconds = seconds, .cost = INT32_MAX};
    }
    answer->weight += weight;
    answer->programs++;
    if (finding->cost < answer->cost) {
        answer->cost = finding->cost;
        answer->lane = lane;
        answer->finding = *finding;
    }
    return TTT_OK;
}

void ttt_answers_release(ttt_answers *answers) {
    for (size_t i = 0; i < answers->count; i++) ttt_free(answers->items[i].outputs);
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
