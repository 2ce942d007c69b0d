/* `ttt COMMAND ...`: finds the command in the table and runs it. */
#include "base/names.h"
#include "cli/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const ttt_command commands[] = {
#define COMMAND(name, summary) {#name, summary, ttt_command_##name},
#include "cli/commands.def"
#undef COMMAND
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static int report(const char *command, const ttt_error *err) {
    fprintf(stderr, "ttt %s: %s\n", command, err->message);
    return TTT_EXIT_FAILED;
}

int ttt_command_failed(const char *command, const ttt_error *err) {
    return report(command, err);
}

int ttt_command_misused(const char *command, const ttt_error *err) {
    report(command, err);
    if (err->status != TTT_ERROR_ARGUMENT) return TTT_EXIT_FAILED;
    fprintf(stderr, "'ttt %s --help' says how it is used\n", command);
    return TTT_EXIT_USAGE;
}

static void print_help(FILE *out) {
    fprintf(out,
            "usage: ttt COMMAND ...\n"
            "Test-time training: a language model is trained on the very puzzle in front of it before it answers.\n"
            "\ncommands:\n");
    for (int i = 0; i < COMMANDS; i++) fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fprintf(out, "\n'ttt COMMAND --help' explains one; 'ttt --version' prints the version.\n");
}

static const ttt_command *find_command(const char *name) {
    for (int i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    }
    return NULL;
}

static int unknown_command(const char *name) {
    char hint[TTT_NEAREST_TEXT];
    ttt_nearest nearest = {.name = name};
    for (int i = 0; i < COMMANDS; i++) ttt_nearest_try(&nearest, commands[i].name);
    fprintf(stderr, "ttt: unknown command '%s'%s\n", name, ttt_nearest_hint(&nearest, "", hint));
    fprintf(stderr, "'ttt --help' lists the commands\n");
    return TTT_EXIT_USAGE;
}

/* `ttt help solve` is `ttt solve --help`. */
static int help_command(int argc, char **argv) {
    if (argc < 3) {
        print_help(stdout);
        return TTT_EXIT_OK;
    }
    const ttt_command *command = find_command(argv[2]);
    char help[] = "--help";
    char *arguments[] = {argv[2], help, NULL};
    return command == NULL ? unknown_command(argv[2]) : command->run(2, arguments);
}

static int dispatch(int argc, char **argv) {
    if (argc < 2) {
        print_help(stderr);
        return TTT_EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0) {
        printf("ttt %s\n", TTT_VERSION);
        return TTT_EXIT_OK;
    }
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        return help_command(argc, argv);
    }
    const ttt_command *command = find_command(name);
    return command == NULL ? unknown_command(name) : command->run(argc - 1, argv + 1);
}

int main(int argc, char **argv) {
    int status = dispatch(argc, argv);
    errno = 0;
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "ttt: cannot write to standard output: %s\n", errno == 0 ? "write error" : strerror(errno));
        if (status == TTT_EXIT_OK) status = TTT_EXIT_FAILED;
    }
    return status;
}
