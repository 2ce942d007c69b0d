/* The cage: runs Python programs that somebody else wrote (a language model, a file), one grid in, one grid out.
 *
 * A program is text that defines a function, transform or main, from a numpy array to a numpy array (the form in which
 * BARC's models answer; Li et al., arXiv 2411.02272). It is hostile until it has returned a grid: it runs in a worker
 * process of its own, forked from a server that has CPython and numpy loaded already, with limits on time, memory and
 * output, without network, files, new processes, or any descriptor but its own pipe. Needs no special rights. */
#ifndef TTT_INDUCE_CAGE_H
#define TTT_INDUCE_CAGE_H

#include "arc/grid.h"
#include "base/clock.h"
#include "base/status.h"

typedef struct ttt_cage_options {
    const char *python;  /* the interpreter; NULL: /usr/bin/python3, or the first in PATH when that has no numpy */
    const char *prelude; /* source of the module `common` that programs may import: trusted, it runs outside the
                            limits, once. NULL: a small one of ours (cage_common.py) */
    double seconds;      /* of processor and wall time for one program, all its inputs together; 0: 2 */
    size_t memory_bytes; /* that one program may have beside the interpreter; 0: 512 MiB */
    int workers;         /* programs that run side by side; 0: one a core */
} ttt_cage_options;

/* What came of a program. Anything but TTT_CAGE_RAN has no outputs. */
typedef enum ttt_cage_outcome {
    TTT_CAGE_RAN,      /* a legal grid for every input */
    TTT_CAGE_RAISED,   /* an exception, or no function to call (the message says which) */
    TTT_CAGE_NO_GRID,  /* it returned something else: wrong shape, values, size */
    TTT_CAGE_TIME,     /* out of time */
    TTT_CAGE_MEMORY,   /* out of memory */
    TTT_CAGE_OUTPUT,   /* wrote more than it may */
    TTT_CAGE_FORBIDDEN /* tried what the cage refuses, or died */
} ttt_cage_outcome;

typedef struct ttt_cage_result {
    ttt_cage_outcome outcome;
    char message[160]; /* one line for people; "" where it ran */
    double seconds;    /* of wall time */
    ttt_grid *outputs; /* [input count], owned by the result; NULL unless TTT_CAGE_RAN */
} ttt_cage_result;

typedef struct ttt_cage ttt_cage; /* one thread at a time */
/* Starts the server and tries it out. Fails with one sentence that says what is missing (python3, numpy, seccomp, what
 * the prelude imports). */
ttt_status ttt_cage_new(const ttt_cage_options *options, ttt_cage **cage, ttt_error *err);
void ttt_cage_free(ttt_cage *cage); /* nothing of it is left running */

/* Runs `count` programs on the same inputs, several side by side; results[count], each released by the caller (after an
 * error all are {0}). A program that misbehaves is a result, not an error; errors are the cage's own. A raised `stop`
 * or `seconds` gone by (0: no limit) ends it early: what did not run, or not to its end, has outcome TTT_CAGE_TIME. The
 * same program gives the same outputs: chance is seeded. An output may be an array or rows of integers, truth values or
 * floats without a fraction. */
ttt_status ttt_cage_run(ttt_cage *cage, const char *const *programs, size_t count, const ttt_grid *inputs,
                        size_t input_count, double seconds, const ttt_stop_flag *stop, ttt_cage_result *results,
                        ttt_error *err);
void ttt_cage_result_release(ttt_cage_result *result); /* leaves {0} */
const char *ttt_cage_outcome_name(ttt_cage_outcome outcome);

#endif
