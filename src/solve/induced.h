/* What programs answer to an ARC task: those that the search finds and those that a model proposes, ranked together. */
#ifndef TTT_SOLVE_INDUCED_H
#define TTT_SOLVE_INDUCED_H

#include "base/progress.h"
#include "induce/search.h"
#include "solve/proposer.h"

typedef struct ttt_induced_answer {
    ttt_grid *outputs; /* [test_count] */
    char *program;     /* text of the simplest that gives it, or the first */
    bool python;       /* that is Python; else the language of induce/program.h */
    double cost;       /* bits; 0: not known */
    size_t programs;   /* that give it */
    size_t fitted;     /* demonstrations that it explains */
    double seconds;    /* into the search when it was found; 0 for Python */
} ttt_induced_answer;

/* Zero-initialise; release with ttt_induced_release. */
typedef struct ttt_induced {
    ttt_induced_answer *items; /* best first, those that fit every demonstration before the others */
    size_t count, capacity;
    size_t fitting; /* how many fit */
    /* There is a program that fits, and all that do, of the search and of the proposer, give one single answer. */
    bool certain;
    ttt_search_facts facts;         /* of the search */
    char problem[TTT_ERROR_LENGTH]; /* of the proposer, or "" */
} ttt_induced;
void ttt_induced_release(ttt_induced *induced); /* leaves {0} */

/* The answers of a search so far; *induced is empty before. */
ttt_status ttt_induced_take_search(ttt_induced *induced, const ttt_task *task, const ttt_search *search,
                                   ttt_error *err);
/* Takes *answer (then {0}) behind those that are there. */
ttt_status ttt_induced_push(ttt_induced *induced, ttt_induced_answer *answer, ttt_error *err);
/* Python programs join: an answer that both give comes first, the others in turn, those that fit not every
 * demonstration last. All answers of a proposal fit. */
ttt_status ttt_induced_join(ttt_induced *induced, const ttt_task *task, const ttt_proposal *proposal, ttt_error *err);

/* Whom to ask, and how. All borrowed. */
typedef struct ttt_inducer {
    const ttt_solve_settings *settings; /* induce.* */
    int threads;                        /* of the search; 0: one a core */
    ttt_proposer *proposer;             /* NULL: the search alone */
    ttt_cage *cage;                     /* where there is a proposer */
    /* At these moments, in seconds from the start and ascending, the search is shown; an end of the search shows it at
     * all that are left. NULL and 0: never. */
    const double *moments;
    size_t moment_count;
    void (*look)(void *context, size_t moment, const ttt_search *search);
    void *context;
} ttt_inducer;

/* A task's programs under way: zero-initialise; release with ttt_inducing_release. */
typedef struct ttt_inducing {
    ttt_search *search; /* NULL: not begun */
    bool proposed;
    ttt_proposal proposal;
} ttt_inducing;
void ttt_inducing_release(ttt_inducing *inducing); /* leaves {0} */

/* Searches, then asks the proposer, within `seconds` (0: as long as the search finds it worth). Called again with the
 * same *inducing, inducer and task it goes on with the search; stop flag and progress are those of the first call.
 * *induced, a zero one, gets all there is so far and is released in any case. A proposer that fails is a problem, no
 * error. TTT_ERROR_CANCELLED: the stop flag was raised. */
ttt_status ttt_induce_task(const ttt_inducer *inducer, const ttt_task *task, ttt_inducing *inducing, double seconds,
                           const ttt_stop_flag *stop, const ttt_progress *progress, ttt_induced *induced,
                           ttt_error *err);

#endif
