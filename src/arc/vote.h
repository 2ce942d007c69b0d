/* Choosing two attempts from many answers as the reference does: its three vote functions and its two-stage vote.
 * Ties that it leaves to chance are broken by: count, then identity count, then first seen. */
#ifndef TTT_ARC_VOTE_H
#define TTT_ARC_VOTE_H

#include "arc/grid.h"
#include "arc/transform.h"

/* The three most common of grids[0..count), count >= 1; missing ones filled: a second by the row majority (or the
 * column majority where that equals the first), a third by the row majority unless it equals the first or second,
 * else the column majority (which may repeat one). `identity` (NULL: none) flags answers for the tie rule. */
ttt_status ttt_vote_top3(const ttt_grid *grids, const bool *identity, size_t count, ttt_grid top[3], ttt_error *err);
/* The most common shape; each row the most common among all grids that have that row in that width. count >= 1. */
void ttt_vote_row_majority(const ttt_grid *grids, size_t count, ttt_grid *out);
/* The same on the transposed grids. */
void ttt_vote_column_majority(const ttt_grid *grids, size_t count, ttt_grid *out);

/* The groups of the two-stage vote, named by the inverse that mapped the answer back. */
typedef enum ttt_vote_group {
    TTT_GROUP_IDENTITY,
    TTT_GROUP_TRANSPOSE,
    TTT_GROUP_FLIP_0,
    TTT_GROUP_FLIP_1,
    TTT_GROUP_ROTATE_180,
    TTT_GROUP_ROTATE_270,
    TTT_GROUP_OTHER, /* counts among all answers only */
    TTT_GROUP_COUNT
} ttt_vote_group;
/* The group of answers given under a symmetry: that of its inverse. */
ttt_vote_group ttt_vote_group_of(ttt_symmetry symmetry);

typedef struct ttt_vote_answer {
    ttt_grid grid; /* mapped back */
    ttt_vote_group group;
} ttt_vote_answer;

/* Two-stage vote: the top three of all answers and of each group that has any, then the top three of those; the first
 * two are the attempts; where second and third tie, the one seen more often among identity answers is second. No
 * answers: *found is false and attempts are untouched. */
ttt_status ttt_vote_two_stage(const ttt_vote_answer *answers, size_t count, ttt_grid attempts[2], bool *found,
                              ttt_error *err);

#endif
