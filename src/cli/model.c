/* `ttt model COMMAND ...`: what is done with models as files. */
#include "cli/model.h"
#include "base/names.h"
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

static const ttt_command commands[] = {
    {"info", "what a model is made of", ttt_command_model_info},
    {"convert", "between a folder of safetensors and a GGUF file", ttt_command_model_convert},
    {"merge", "an adapter folded into its base", ttt_command_model_merge},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_help(FILE *out) {
    fprintf(out, "usage: ttt model COMMAND ...\nModels on disk: folders in Hugging Face's layout and GGUF files.\n"
                 "\ncommands:\n");
    for (int i = 0; i < COMMANDS; i++) fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fprintf(out, "\n'ttt model COMMAND --help' explains one.\n");
}

int ttt_command_model(int argc, char **argv) {
    if (argc < 2) {
        print_help(stderr);
        return TTT_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0) {
        print_help(stdout);
        return TTT_EXIT_OK;
    }
    char hint[TTT_NEAREST_TEXT];
    ttt_nearest nearest = {.name = argv[1]};
    for (int i = 0; i < COMMANDS; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) return commands[i].run(argc - 1, argv + 1);
        ttt_nearest_try(&nearest, commands[i].name);
    }
    fprintf(stderr, "ttt model: unknown command '%s'%s\n", argv[1], ttt_nearest_hint(&nearest, "", hint));
    fprintf(stderr, "'ttt model --help' lists the commands\n");
    return TTT_EXIT_USAGE;
}
