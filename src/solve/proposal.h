/* A proposal: what programs that fit every demonstration say about the tests of a task. Each program votes once for its
 * answer, which is the outputs for all test inputs together. */
#ifndef TTT_SOLVE_PROPOSAL_H
#define TTT_SOLVE_PROPOSAL_H

#include "arc/task.h"
#include "induce/cage.h"

typedef struct ttt_proposed_answer {
    ttt_grid *outputs; /* [test_count] */
    size_t votes;      /* programs that gave it */
    char *program;     /* the first of them */
} ttt_proposed_answer;

/* Zero-initialise; release with ttt_proposal_release. */
typedef struct ttt_proposal {
    /* Most votes first; of equals the one that had them first. One answer alone: all fitting programs agree. */
    ttt_proposed_answer *items;
    size_t count, capacity;
    size_t asked;    /* samples that were wanted of the source */
    size_t answered; /* those that came, whatever they said */
    size_t written;  /* with a program in them */
    size_t ran;      /* whose program returned a grid for every input */
    size_t fit;      /* and was right on every demonstration; the sum of all votes */
    /* The first thing that went wrong with the source when it gave some answers but not all; one sentence, or "". */
    char problem[TTT_ERROR_LENGTH];
} ttt_proposal;
void ttt_proposal_release(ttt_proposal *proposal); /* leaves {0} */

/* The inputs that programs are run on: those of the demonstrations, then those of the tests, in fresh memory
 * (ttt_free). */
ttt_status ttt_proposal_inputs(const ttt_task *task, ttt_grid **inputs, size_t *count, ttt_error *err);
/* Counts the results of `count` programs on these inputs; those that fit vote. */
ttt_status ttt_proposal_add(ttt_proposal *proposal, const ttt_task *task, const char *const *programs,
                            const ttt_cage_result *results, size_t count, ttt_error *err);

#endif
