/* Answers: what programs say about the tests of a task, each answer once, with the weight of all its programs. */
#ifndef TTT_INDUCE_ANSWERS_H
#define TTT_INDUCE_ANSWERS_H

#include "induce/finding.h"
#include "induce/pool.h"

typedef struct ttt_answer {
    uint64_t hash;
    ttt_grid *outputs; /* [test_count], of the task as given */
    double weight;     /* sum over its programs of 2^-bits */
    int cost;          /* of the cheapest program, below */
    size_t programs, fitted;
    double seconds;
    /* The cheapest program: the lane of the search that found it, and the finding with its layers as pool entries. */
    size_t lane;
    ttt_finding finding;
} ttt_answer;

typedef struct ttt_answers {
    size_t test_count;
    ttt_answer *items; /* in no order; those from count on keep memory for outputs */
    size_t count, made, capacity;
} ttt_answers;

/* {.test_count} is empty. An answer is copied; `fitted` demonstrations fit. When there are more answers than anyone
 * could want, the lightest goes. */
ttt_status ttt_answers_add(ttt_answers *answers, const ttt_grid *outputs, size_t lane, const ttt_finding *finding,
                           size_t fitted, double seconds, ttt_error *err);
/* Adds all of `more`, weights and counts of equal answers summed. */
ttt_status ttt_answers_join(ttt_answers *answers, const ttt_answers *more, ttt_error *err);
void ttt_answers_clear(ttt_answers *answers); /* empty, memory kept */
void ttt_answers_release(ttt_answers *answers);
/* Indices of the answers, best first: more fitted demonstrations, then more weight. order[answers->count]. */
void ttt_answers_order(const ttt_answers *answers, size_t *order);

#endif
