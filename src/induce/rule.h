/* One rule: does the output follow from some selectors and a base, and if so, by which cases?
 *
 * It does when in all demonstrations, for every combination of the selectors' colours, the output is either one colour
 * or the base's. (Written down, it may turn out that the one colour is always that of a selector: then it is copied.)
 */
#ifndef TTT_INDUCE_RULE_H
#define TTT_INDUCE_RULE_H

#include "induce/finding.h"

enum { TTT_SELECTORS_MAX = 3, TTT_COMBINATIONS = 1000 };

/* What the rule is made of: layers of a group. */
typedef struct ttt_rule_parts {
    const ttt_layer_group *group;
    uint32_t selectors[TTT_SELECTORS_MAX];
    int selector_count;
    uint32_t base;
    const uint32_t
        *order; /* [cell_count]: the order in which cells are looked at; those first where the base is wrong */
} ttt_rule_parts;

/* table[TTT_COMBINATIONS] is working memory; *looked_at grows by the cells that it took to know. */
bool ttt_rule_holds(const ttt_rule_parts *parts, uint8_t *table, size_t *looked_at);
/* Writes the rule down, with the order of selectors that makes it simplest. False when it does not hold, is no simpler
 * than the outputs themselves, or looks at no layer (outputs of one colour). */
bool ttt_rule_write(const ttt_rule_parts *parts, ttt_finding *finding);

#endif
