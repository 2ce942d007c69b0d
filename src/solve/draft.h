/* Drafts for speculative decoding across views: what programs and other views have answered, as it looks in the view at
 * hand, is the guess of how its answer goes on. */
#ifndef TTT_SOLVE_DRAFT_H
#define TTT_SOLVE_DRAFT_H

#include "solve/problem.h"

typedef struct ttt_drafts ttt_drafts;

/* For views first .. first + count - 1 of a test input, which must have been made. */
ttt_status ttt_drafts_new(ttt_problem *problem, size_t test, size_t first, size_t count, ttt_drafts **drafts,
                          ttt_error *err);
void ttt_drafts_free(ttt_drafts *drafts); /* NULL is fine */

/* A canonical answer, borrowed. Few are kept: those that were added last. */
void ttt_drafts_add(ttt_drafts *drafts, const char *answer);

/* How the answer of view first + `view` may go on behind ids[0 .. count): fills guess[0 .. room) and returns how many
 * there are, 0 when no answer known agrees with the last id. Of those that do, the one counts that agrees with the most
 * ids so far, of equals the one added last. */
int32_t ttt_drafts_guess(ttt_drafts *drafts, size_t view, const int32_t *ids, int32_t count, int32_t *guess,
                         int32_t room);

#endif
