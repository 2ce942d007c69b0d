/* The record of a task: everything that solving it brought to light. The store keeps it, votes are re-done from it. */
#ifndef TTT_SOLVE_RECORD_H
#define TTT_SOLVE_RECORD_H

#include "base/memory.h"
#include "model/decode.h"
#include "solve/induction.h"
#include "solve/plan.h"

typedef struct ttt_step_record {
    double loss, learning_rate, gradient_norm; /* as in ttt_train_report */
    int64_t tokens, examples;
    double seconds;
} ttt_step_record;

/* One view asked. */
typedef struct ttt_view_record {
    const char *name;
    int32_t group;
    bool identity;
    int32_t demonstrations, prompt_tokens, answer_tokens;
    ttt_decode_end end;
    double log_probability; /* of the answer under this view, as it was decoded */
    const char *answer;     /* canonical text in the task's own frame; NULL: none came, or no legal one */
} ttt_view_record;

/* One distinct answer. */
typedef struct ttt_candidate_record {
    const char *answer;
    int64_t votes, identity_votes, first_seen; /* first_seen: the first view that gave it */
    double score;                              /* sum of its re-scored log-probabilities; 0 when there are none */
    bool scored;                               /* there are some; worked out with the sum, not kept by the store */
} ttt_candidate_record;

/* log_probability of candidate `candidate` under view `view`, both indices of the test's own lists. */
typedef struct ttt_score_record {
    int64_t candidate, view;
    double log_probability;
} ttt_score_record;

typedef struct ttt_test_record {
    struct {
        ttt_view_record *items;
        size_t count, capacity;
    } views;
    struct {
        ttt_candidate_record *items;
        size_t count, capacity;
    } candidates;
    struct {
        ttt_score_record *items;
        size_t count, capacity;
    } scores;
    const char *voted[2];    /* by the vote over views alone; NULL: there was none, or no second */
    const char *attempts[2]; /* never NULL once the task was solved */
    ttt_system systems[2];   /* whose answer each attempt is */
} ttt_test_record;

typedef struct ttt_timings {
    double induce, prepare, train, decode, score, total; /* seconds */
} ttt_timings;

typedef struct ttt_task_record {
    const char *id;
    ttt_arena *arena; /* owns every string below */
    ttt_induction induction;
    ttt_plan plan;
    struct {
        ttt_step_record *items;
        size_t count, capacity;
    } steps;
    size_t examples; /* training examples that there were */
    ttt_test_record *tests;
    size_t test_count;
    ttt_timings timings;
    ttt_status status; /* TTT_OK, or why the task has only fallback answers, with its sentence: */
    const char *problem;
} ttt_task_record;

/* `id` is copied. On failure *record is as released. */
ttt_status ttt_task_record_init(ttt_task_record *record, const char *id, size_t tests, ttt_error *err);
void ttt_task_record_release(ttt_task_record *record); /* zero-initialised or released before: fine */
/* A copy of `text` in the record's arena. */
ttt_status ttt_task_record_string(ttt_task_record *record, const char *text, const char **copy, ttt_error *err);

#endif
