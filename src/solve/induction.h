/* What programs answer, as the solver and the run store know it: texts in the problem's canonical form. */
#ifndef TTT_SOLVE_INDUCTION_H
#define TTT_SOLVE_INDUCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One answer, to all test inputs together. Strings and array belong to the arena of the record. */
typedef struct ttt_induced_record {
    const char **answers; /* [tests] */
    const char *program;  /* the simplest that gives it, as text */
    const char *language; /* what that is written in: "ttt", "python" */
    bool fits;            /* it is right on every demonstration */
    int64_t programs;     /* that give this answer */
    double cost;          /* bits of the program; 0: not known */
    double seconds;       /* into the search when it was found */
} ttt_induced_record;

/* Best first, those that fit before those that do not. */
typedef struct ttt_induction {
    ttt_induced_record *items;
    size_t count, capacity;
    bool certain; /* there is a program that fits, and all that do give one single answer */
} ttt_induction;

/* Bits: which system has an answer. */
typedef enum ttt_system {
    TTT_SYSTEM_NONE = 0, /* a fallback */
    TTT_SYSTEM_INDUCTION = 1,
    TTT_SYSTEM_TRANSDUCTION = 2,
    TTT_SYSTEM_BOTH = 3
} ttt_system;
const char *ttt_system_name(ttt_system system); /* "nobody", "programs", "model", "both" */

#endif
