/* The settings of solving: struct and table, from solve_settings.def. */
#ifndef TTT_SOLVE_SOLVE_SETTINGS_H
#define TTT_SOLVE_SOLVE_SETTINGS_H

#include "base/settings.h"
#include "model/session.h"

typedef struct ttt_solve_settings {
#define SETTING(...) TTT_SETTING_MEMBER(__VA_ARGS__)
#include "solve/solve_settings.def"
#undef SETTING
} ttt_solve_settings;

extern const ttt_settings_table ttt_solve_table;

/* Values of the ENUM settings, in the order of their choices. */
enum { TTT_ADAPTATION_AUTO, TTT_ADAPTATION_LORA, TTT_ADAPTATION_FULL };
enum { TTT_VIEWS_OURS, TTT_VIEWS_PAPER };
typedef enum ttt_vote_method { TTT_VOTE_POOL, TTT_VOTE_RESCORE, TTT_VOTE_PAPER } ttt_vote_method;

typedef enum ttt_program_format { TTT_PROGRAM_GENERAL, TTT_PROGRAM_BARC } ttt_program_format;

/* lora.targets as bits of ttt_linear_kind. */
ttt_status ttt_solve_lora_targets(const ttt_solve_settings *settings, uint32_t *targets, ttt_error *err);

#endif
