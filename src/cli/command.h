/* The commands of `ttt`, and what every one of them gets. */
#ifndef TTT_CLI_COMMAND_H
#define TTT_CLI_COMMAND_H

#include "base/status.h"

/* Exit statuses: how a command ended, for scripts. */
typedef enum ttt_exit {
    TTT_EXIT_OK = 0,
    TTT_EXIT_FAILED = 1, /* the sentence why is on stderr */
    TTT_EXIT_USAGE = 2   /* a wrong command line */
} ttt_exit;

/* One line of commands.def. `run` gets its own arguments (argv[0] is the command's name) and returns a ttt_exit; it
 * writes results to stdout, whose errors main checks at the end, and everything else to stderr. */
typedef struct ttt_command {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
} ttt_command;

#define COMMAND(name, summary) int ttt_command_##name(int argc, char **argv);
#include "cli/commands.def"
#undef COMMAND

/* "ttt solve: sentence" on stderr; returns the exit status that fits: TTT_EXIT_USAGE for TTT_ERROR_ARGUMENT when
 * `usage` is set, else TTT_EXIT_FAILED. */
int ttt_command_failed(const char *command, const ttt_error *err);
int ttt_command_misused(const char *command, const ttt_error *err);

#endif
