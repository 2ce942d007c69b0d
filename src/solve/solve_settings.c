#include "solve/solve_settings.h"

#include <stddef.h>
#include <string.h>

static const ttt_setting items[] = {
#define SETTING(...) TTT_SETTING_ITEM(ttt_solve_settings, __VA_ARGS__)
#include "solve/solve_settings.def"
#undef SETTING
};

static const ttt_preset presets[] = {
    {"paper",
     "ttt.adaptation=lora ttt.epochs=2 ttt.batch=2 ttt.learning_rate=1e-4 ttt.clip=0 ttt.zero_moves=0 "
     "ttt.reference_rules=true prompt.format=list prompt.reduced=false lora.rank=128 lora.alpha=16 "
     "lora.targets=q,v,gate,up,down views.set=paper "
     "vote.method=paper",
     "the published method: its training data, optimizer, views and two-stage vote"},
};

const ttt_settings_table ttt_solve_table = {
    .items = items,
    .count = sizeof items / sizeof *items,
    .presets = presets,
    .preset_count = sizeof presets / sizeof *presets,
};

ttt_status ttt_solve_lora_targets(const ttt_solve_settings *settings, uint32_t *targets, ttt_error *err) {
    *targets = 0;
    for (const char *at = settings->lora_targets; *at != '\0';) {
        size_t length = strcspn(at, ",");
        int kind = 0;
        while (kind < TTT_LINEAR_COUNT && (strlen(ttt_linear_kind_name((ttt_linear_kind)kind)) != length ||
                                           memcmp(ttt_linear_kind_name((ttt_linear_kind)kind), at, length) != 0)) {
            kind++;
        }
        if (kind == TTT_LINEAR_COUNT) {
            return ttt_fail(err, TTT_ERROR_ARGUMENT, "lora.targets: '%.*s' is no linear map of the model", (int)length,
                            at);
        }
        *targets |= 1u << kind;
        at += length + (at[length] == ',');
    }
    if (*targets == 0) return ttt_fail(err, TTT_ERROR_ARGUMENT, "lora.targets: no linear map is named");
    return TTT_OK;
}
