/* An ARC task as a problem for the solver. */
#ifndef TTT_SOLVE_PROBLEM_ARC_H
#define TTT_SOLVE_PROBLEM_ARC_H

#include "arc/task_read.h"
#include "encode/codec.h"
#include "solve/induced.h"
#include "solve/problem.h"
#include "solve/solve_settings.h"

/* All that is given is borrowed. Without `codec` there are no examples and views, without `inducer` no programs (NULL).
 * `trained` says whether there will be training (the reference then leaves one
 * demonstration out of every view).
 *
 * Limits: when fewer demonstrations may be shown than there are, or they do not fit max_tokens, the largest go first.
 * A task with one demonstration has nothing to leave out: its pair is asked without demonstrations, transformed. A test
 * input that is too long alone has no views. */
ttt_status ttt_problem_arc_new(const ttt_task *task, const ttt_codec *codec, const ttt_solve_settings *settings,
                               bool trained, const ttt_inducer *inducer, ttt_problem **problem, ttt_error *err);

/* Canonical text of a grid, compact JSON, in `arena`; NULL when memory is out. And back. */
const char *ttt_grid_to_text(const ttt_grid *grid, ttt_arena *arena);
ttt_status ttt_grid_from_text(const char *text, ttt_grid *grid, ttt_error *err);

/* The two-stage vote over canonical texts: the `vote` of an ARC problem, which needs no task. */
ttt_status ttt_arc_vote(const char *const *answers, const int32_t *groups, size_t count, ttt_arena *arena,
                        const char *attempts[2], ttt_error *err);

/* {"train": ..., "test": ...}, as ttt_task_from_json reads it; new reference, NULL when memory is out. */
json_t *ttt_task_to_json(const ttt_task *task);

#endif
