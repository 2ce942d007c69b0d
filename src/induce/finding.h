/* Findings: programs that explain a task's outputs, in terms of the layers of a group, and telling who asked. */
#ifndef TTT_INDUCE_FINDING_H
#define TTT_INDUCE_FINDING_H

#include "induce/layers.h"
#include "induce/program.h"

enum { TTT_LONE_COST = 4 * TTT_COST_BIT }; /* of a case that only one demonstration shows, beside its own */

/* Without cases the output is layers[0]. */
typedef struct ttt_finding {
    uint32_t layers[TTT_LAYERS_MAX]; /* layers of the group */
    uint8_t layer_count, case_count;
    ttt_case cases[TTT_CASES_MAX];
    int cost; /* of all layers and cases */
} ttt_finding;

/* Called for each; test_cells [group->test_cells] is what it says about the tests, in the frame of the search. */
typedef ttt_status ttt_finding_function(void *context, const ttt_layer_group *group, const ttt_finding *finding,
                                        const uint8_t *test_cells, ttt_error *err);

/* Whom to tell. Release with ttt_reporter_release. */
typedef struct ttt_reporter {
    ttt_finding_function *found;
    void *context;
    uint8_t *test_cells;
    size_t capacity;
} ttt_reporter;
void ttt_reporter_release(ttt_reporter *reporter);
/* Paints the finding's answer and calls `found`, unless it leaves a cell of a test undefined. */
ttt_status ttt_reporter_report(ttt_reporter *reporter, const ttt_layer_group *group, const ttt_finding *finding,
                               ttt_error *err);

#endif
