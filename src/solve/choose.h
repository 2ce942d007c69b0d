/* From the answers of many views to two attempts. Works on records alone, so that votes can be re-done offline. */
#ifndef TTT_SOLVE_CHOOSE_H
#define TTT_SOLVE_CHOOSE_H

#include "solve/problem.h"
#include "solve/record.h"

/* Fills test->candidates from the answers of its views: most votes first, then most identity votes, then first seen.
 * What was there (and its scores) is dropped. */
ttt_status ttt_choose_candidates(ttt_test_record *test, ttt_error *err);

/* Sets test->voted by `method`, from candidates, scores and views.
 * - TTT_VOTE_POOL: the two with most votes.
 * - TTT_VOTE_RESCORE: the one with the highest log-probability summed over the views that scored all candidates (a
 *   product of experts); then, of the rest, the one with most votes. No scores: as TTT_VOTE_POOL.
 * - TTT_VOTE_PAPER: `vote` over all answers (a ttt_problem_ops' own; NULL: an error), whose texts are made in `arena`.
 * What is missing is NULL. */
ttt_status ttt_choose_voted(ttt_vote_method method, ttt_test_record *test,
                            ttt_status (*vote)(const char *const *answers, const int32_t *groups, size_t count,
                                               ttt_arena *arena, const char *attempts[2], ttt_error *err),
                            ttt_arena *arena, ttt_error *err);

#endif
