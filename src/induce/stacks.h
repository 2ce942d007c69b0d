/* Stacks: outputs explained by a base with pieces laid on it. A piece is a part of a layer that is right in all
 * demonstrations wherever it speaks: the cells of one colour, which all are of one colour in the output, or its cells
 * that are not 0, copied. Pieces are chosen greedily: most wrong cells of the base put right for the cost. */
#ifndef TTT_INDUCE_STACKS_H
#define TTT_INDUCE_STACKS_H

#include "induce/finding.h"

typedef struct ttt_stacks ttt_stacks;
ttt_status ttt_stacks_new(const ttt_layers *layers, ttt_finding_function *found, void *context, ttt_stacks **stacks,
                          ttt_error *err);
void ttt_stacks_free(ttt_stacks *stacks);
/* Takes the pieces of the group's newest layer. */
ttt_status ttt_stacks_add_layer(ttt_stacks *stacks, const ttt_layer_group *group, ttt_error *err);
/* Tries to cover each base of each group that has new pieces. */
ttt_status ttt_stacks_try(ttt_stacks *stacks, ttt_error *err);

#endif
