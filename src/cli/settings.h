/* Settings as commands get them: --config, --set, and the table for --help settings. */
#ifndef TTT_CLI_SETTINGS_H
#define TTT_CLI_SETTINGS_H

#include "base/settings.h"
#include "cli/options.h"

/* Defaults, then the file `config` (NULL: none), then each of `assignments`. */
ttt_status ttt_settings_gather(const ttt_settings_table *table, const char *config, const ttt_option_list *assignments,
                               void *settings, ttt_error *err);
/* The table to stdout; returns an exit status. */
int ttt_settings_print(const ttt_settings_table *table, const char *command);

#endif
