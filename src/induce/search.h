/* The search: programs that explain a task's demonstrations, and the answers they give. Anytime: it may be looked at,
 * stopped and gone on with at any moment. */
#ifndef TTT_INDUCE_SEARCH_H
#define TTT_INDUCE_SEARCH_H

#include "arc/task.h"
#include "base/clock.h"
#include "base/progress.h"
#include "induce/program.h"

typedef struct ttt_search_options {
    size_t
        memory_bytes; /* for values, all threads together; 0: 1 GiB. At the limit the search goes on in what it has */
    int threads;      /* 0: one a core */
    const ttt_stop_flag *stop;
    ttt_progress progress;
} ttt_search_options;

/* What programs say about the tests of a task: one answer for all tests together. */
typedef struct ttt_search_answer {
    const ttt_grid *outputs;    /* [test_count], owned by the search */
    const ttt_program *program; /* the simplest that gives it, owned by the search */
    double cost;                /* bits of that program: smaller is simpler and more likely */
    size_t programs;            /* how many programs were found to give it */
    size_t fitted;              /* demonstrations that the program explains; all for an answer that counts */
    double seconds;             /* into the search when it was first found */
} ttt_search_answer;

typedef struct ttt_search ttt_search;
/* Copies what it needs of the task (its demonstrations and test inputs; never test outputs). */
ttt_status ttt_search_new(const ttt_task *task, const ttt_search_options *options, ttt_search **search, ttt_error *err);
void ttt_search_free(ttt_search *search);

/* Searches on for `seconds` (0: until nothing is left, the stop flag, or more searching can hardly change the best
 * answers). *ended: an end other than the clock's. May be called again to go on. */
ttt_status ttt_search_run(ttt_search *search, double seconds, bool *ended, ttt_error *err);

/* Answers so far, best first: those that fit every demonstration by cost, then those that fit most. At most `most`
 * are written to answers; returns how many. Valid until the next call of run or free. */
size_t ttt_search_answers(const ttt_search *search, ttt_search_answer *answers, size_t most);
/* Is the best answer the only one that programs give that fit every demonstration (docs/induction.md says which
 * programs are asked)? What the ensemble trusts. */
bool ttt_search_certain(const ttt_search *search);

typedef struct ttt_search_facts {
    size_t values, applications; /* kept, and tried */
    size_t bytes;
    double seconds;
    bool memory_full;
} ttt_search_facts;
ttt_search_facts ttt_search_describe(const ttt_search *search);

#endif
