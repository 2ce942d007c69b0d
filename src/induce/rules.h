/* Rules: how layers together explain the output, cell by cell.
 *
 * A rule looks at one, two or three layers (the selectors) and at a base, a layer that is right in most places: for
 * each combination of selector colours that occurs, the output is one colour, or it is the base. That this holds in all
 * demonstrations is cheap to check, so that it is tried for all combinations of layers in the order of their cost.
 * Where no few selectors will do, a stack may (stacks.h). */
#ifndef TTT_INDUCE_RULES_H
#define TTT_INDUCE_RULES_H

#include "induce/layers.h"
#include "induce/program.h"

/* A program in terms of a group: without cases the output is layers[0]. */
typedef struct ttt_finding {
    uint32_t layers[TTT_LAYERS_MAX]; /* layers of the group */
    uint8_t layer_count, case_count;
    ttt_case cases[TTT_CASES_MAX];
    int cost; /* of all layers and cases */
} ttt_finding;

/* Called for each; test_cells [group->test_cells] is what it says about the tests, in the frame of the search. */
typedef ttt_status ttt_finding_function(void *context, const ttt_layer_group *group, const ttt_finding *finding,
                                        const uint8_t *test_cells, ttt_error *err);

/* Receivers of findings; what both kinds of search for them share. */
typedef struct ttt_reporter {
    ttt_finding_function *found;
    void *context;
    uint8_t *test_cells;
    size_t capacity;
} ttt_reporter;
/* Paints the finding's answer and calls `found`, unless it leaves a cell of a test undefined. */
ttt_status ttt_reporter_report(ttt_reporter *reporter, const ttt_layer_group *group, const ttt_finding *finding,
                               ttt_error *err);

typedef struct ttt_rules ttt_rules;
/* Borrows layers and pool; `found` is called from the thread that calls the functions below. */
ttt_status ttt_rules_new(const ttt_layers *layers, int threads, ttt_finding_function *found, void *context,
                         ttt_rules **rules, ttt_error *err);
void ttt_rules_free(ttt_rules *rules);

/* The group's newest layer alone: equal to the output, or with colours exchanged, or the base where it says so. */
ttt_status ttt_rules_add_layer(ttt_rules *rules, const ttt_layer_group *group, ttt_error *err);
/* All sets of `selectors` (2 or 3) layers whose costs sum to `cost` and of which the dearest costs `from` to `to`;
 * *checks is how many there were. */
ttt_status ttt_rules_combine(ttt_rules *rules, int selectors, int cost, int from, int to, size_t *checks,
                             ttt_error *err);

#endif
