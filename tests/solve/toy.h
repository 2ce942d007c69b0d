/* A problem of no grids for tests of the solver: a prompt is a mark (6 as it is, 7 turned round), two digits of 0..3
 * and a sign; the answer is always "45", which a turned view shows as "54". Training on its examples teaches just that.
 */
#ifndef TTT_TESTS_SOLVE_TOY_H
#define TTT_TESTS_SOLVE_TOY_H

#include "solve/problem.h"

typedef struct toy {
    ttt_problem base; /* first */
    size_t examples;  /* 0: nothing to train on */
    size_t views;     /* there are */
    bool broken;      /* examples cannot be made */
    /* Programs: their answer to every test (NULL: there are none), whether they are certain, what they fail with, how
     * often they were asked, and the seconds that they were given first and last (-1: nobody asked). */
    const char *programs_say;
    bool certain;
    ttt_status programs_fail;
    int programs_asked;
    double programs_seconds, programs_more;
    size_t made[4]; /* views made of each test */
    int32_t counters[4][64];
} toy;

/* A plain value: nothing to free. At most 4 tests and 64 views. */
toy toy_make(const char *id, size_t tests);

/* A tiny random model for it (or, with vocabulary 16 and three axes, for grids). */
ttt_status toy_model(ttt_backend *backend, int32_t vocabulary, int32_t axes, ttt_model **model, ttt_error *err);

#endif
