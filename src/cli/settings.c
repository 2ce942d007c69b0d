#include "cli/settings.h"

#include "base/memory.h"
#include "cli/command.h"

ttt_status ttt_settings_gather(const ttt_settings_table *table, const char *config, const ttt_option_list *assignments,
                               void *settings, ttt_error *err) {
    TTT_TRY(ttt_settings_defaults(table, settings, err));
    if (config != NULL) TTT_TRY(ttt_settings_read(table, settings, config, err));
    for (size_t i = 0; i < assignments->count; i++) {
        TTT_TRY(ttt_settings_assign(table, settings, assignments->items[i], err));
    }
    return TTT_OK;
}

int ttt_settings_print(const ttt_settings_table *table, const char *command) {
    char *text = NULL;
    ttt_error err;
    if (ttt_settings_describe(table, &text, &err) != TTT_OK) return ttt_command_failed(command, &err);
    printf("settings of 'ttt %s', for --set name=value and --config:\n%s", command, text);
    ttt_free(text);
    return TTT_EXIT_OK;
}
