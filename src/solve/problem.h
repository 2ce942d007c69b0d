/* A problem: one few-shot task (demonstrations, test inputs) as the solver sees it. The solver trains on its examples,
 * asks its test inputs in several views, and compares the answers; what a grid or a sentence is, it does not know.
 *
 * An answer, mapped back from its view, is a text in the problem's canonical form: two answers are the same when their
 * texts are equal. (ARC: compact JSON, "[[0,1],[2,3]]".) Texts are what the run store keeps. */
#ifndef TTT_SOLVE_PROBLEM_H
#define TTT_SOLVE_PROBLEM_H

#include "base/clock.h"
#include "base/memory.h"
#include "base/progress.h"
#include "base/random.h"
#include "model/decode.h"
#include "solve/induction.h"

typedef struct ttt_problem ttt_problem;

/* What is wanted of training examples and views; a task may have fewer. */
typedef struct ttt_problem_limits {
    int32_t max_tokens;    /* longest example, or prompt with its answer */
    size_t demonstrations; /* most shown at once */
} ttt_problem_limits;

/* What a view is, for the record and the vote. Strings live as long as the view. */
typedef struct ttt_view_facts {
    char name[64]; /* "Rotate(90) order 2,0,1 colours 0312...", cut if long */
    int32_t group; /* of the reference's vote: whatever `vote` understands */
    bool identity; /* nothing but the order of demonstrations differs from the task as given */
    int32_t demonstrations, prompt_tokens;
} ttt_view_facts;

typedef struct ttt_problem_ops {
    const char *kind; /* "arc", recorded */
    void (*free)(ttt_problem *);

    /* --- Programs: answers of those that explain the demonstrations, found within `seconds` (0: no limit but their
     * own). They take the place of what *induction holds, texts and arrays in `arena`, its items to be freed in any
     * case. Called again the search goes on. *problem is one sentence in `arena` when something went wrong that is no
     * error, else NULL. TTT_ERROR_CANCELLED: the stop flag was raised. The function may be NULL: there are no programs
     * for problems of this kind. */
    ttt_status (*induce)(ttt_problem *, double seconds, const ttt_stop_flag *, const ttt_progress *, ttt_arena *arena,
                         ttt_induction *induction, const char **problem, ttt_error *);

    /* --- Training: examples that a fresh adapter learns from, best first so that training may stop at any time.
     * Prepares them anew; *count may be 0. `demonstrations` of the limits counts those of an example. */
    ttt_status (*examples)(ttt_problem *, const ttt_problem_limits *, const ttt_random *, size_t *count, ttt_error *);
    /* Tokens of example `number`; fills *sequence with it (cleared, grown). Numbers from *count on go round again. */
    int32_t (*example_tokens)(const ttt_problem *, size_t number);
    ttt_status (*example)(const ttt_problem *, size_t number, ttt_sequence *, ttt_error *);

    /* --- Views of test input `test`. Makes the first `wanted` of them (fewer when there are no more, none when the
     * question does not fit the limits); what was made before stays as it is when `wanted` grows. Limits and random
     * numbers count when the first are made. */
    ttt_status (*views)(ttt_problem *, size_t test, const ttt_problem_limits *, const ttt_random *, size_t wanted,
                        size_t *count, ttt_error *);
    /* Views made are void; the next call of `views` may have other limits. */
    void (*forget_views)(ttt_problem *);
    void (*view_facts)(const ttt_problem *, size_t test, size_t view, ttt_view_facts *);
    ttt_status (*prompt)(const ttt_problem *, size_t test, size_t view, ttt_sequence *, ttt_error *);
    /* Its state belongs to the problem and lives until the next call of `views` for this test. */
    ttt_decode_grammar (*grammar)(ttt_problem *, size_t test, size_t view);
    int32_t (*answer_limit)(const ttt_problem *, size_t test); /* most tokens an answer may have */
    double (*answer_guess)(const ttt_problem *, size_t test);  /* tokens it probably has */
    /* The ids of a complete answer as canonical text of the task's own frame, in `arena`; *text is NULL when they are
     * no legal answer. */
    ttt_status (*parse)(const ttt_problem *, size_t test, size_t view, const int32_t *ids, int32_t count,
                        ttt_arena *arena, const char **text, ttt_error *);
    /* The other way: a canonical answer as the view would have it, ready for ttt_decode_score. */
    ttt_status (*encode)(const ttt_problem *, size_t test, size_t view, const char *text, ttt_sequence *,
                         int32_t *first_target, ttt_error *);

    /* --- The end */
    const char *(*fallback)(const ttt_problem *, size_t test); /* an answer when there is none */
    /* The reference's vote over the answers of all views: fills both attempts, in `arena`; count >= 1. */
    ttt_status (*vote)(const char *const *answers, const int32_t *groups, size_t count, ttt_arena *arena,
                       const char *attempts[2], ttt_error *);
    /* The task itself, to keep with its record; new reference. */
    json_t *(*to_json)(const ttt_problem *);
} ttt_problem_ops;

/* Implementations begin with this. */
struct ttt_problem {
    const ttt_problem_ops *ops;
    const char *id; /* borrowed from the implementation; unique within a run */
    size_t tests;
    size_t demonstrations;
};

static inline void ttt_problem_free(ttt_problem *problem) {
    if (problem != NULL) problem->ops->free(problem);
}

#endif
