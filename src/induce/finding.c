/* Telling of findings. */
#include "induce/finding.h"

#include <string.h>

void ttt_reporter_release(ttt_reporter *reporter) {
    ttt_free(reporter->test_cells);
    *reporter = (ttt_reporter){0};
}

ttt_status ttt_reporter_report(ttt_reporter *reporter, const ttt_layer_group *group, const ttt_finding *finding,
                               ttt_error *err) {
    const ttt_piece *pieces[TTT_LAYERS_MAX];
    ttt_piece flat[TTT_LAYERS_MAX];
    if (reporter->capacity < group->test_cells) {
        ttt_free(reporter->test_cells);
        reporter->capacity = 0;
        reporter->test_cells = ttt_allocate(group->test_cells, 1);
        if (reporter->test_cells == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the answer of a rule");
        reporter->capacity = group->test_cells;
    }
    for (int i = 0; i < finding->layer_count; i++) {
        const ttt_layer *layer = &group->layers.items[finding->layers[i]];
        flat[i] = (ttt_piece){.cells = (uint8_t *)layer->cells + group->target->cell_count};
        pieces[i] = &flat[i];
    }
    if (finding->case_count == 0) {
        memcpy(reporter->test_cells, flat[0].cells, group->test_cells);
    } else if (!ttt_cases_paint(finding->cases, finding->case_count, pieces, reporter->test_cells,
                                (int)group->test_cells)) {
        return TTT_OK;
    }
    return reporter->found(reporter->context, group, finding, reporter->test_cells, err);
}
