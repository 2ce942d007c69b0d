/* Rules: how layers together explain the output, cell by cell.
 *
 * A rule looks at one, two or three layers (the selectors) and at a base, a layer that is right in most places: for
 * each combination of selector colours that occurs, the output is one colour, or it is the base. That this holds in all
 * demonstrations is cheap to check, so that it is tried for all combinations of layers in the order of their cost.
 * Where no few selectors will do, a stack may (stacks.h). */
#ifndef TTT_INDUCE_RULES_H
#define TTT_INDUCE_RULES_H

#include "induce/rule.h"

typedef struct ttt_rules ttt_rules;
/* Borrows layers and pool; `found` is called from the thread that calls the functions below. */
ttt_status ttt_rules_new(const ttt_layers *layers, int threads, ttt_finding_function *found, void *context,
                         ttt_rules **rules, ttt_error *err);
void ttt_rules_free(ttt_rules *rules);

/* The group's newest layer alone: equal to the output, or with colours exchanged, or the base where it says so. */
ttt_status ttt_rules_add_layer(ttt_rules *rules, const ttt_layer_group *group, ttt_error *err);
/* All sets of `selectors` (2 or 3) layers whose costs sum to `cost` and of which the dearest costs `from` to `to`;
 * *work is how many cells were looked at. */
ttt_status ttt_rules_combine(ttt_rules *rules, int selectors, int cost, int from, int to, size_t *work, ttt_error *err);

#endif
