/* `ttt model convert`: between a folder of safetensors and a GGUF file. */
#include "cli/command.h"
#include "cli/model.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "model/convert.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef struct convert_options {
    const char *type;
} convert_options;

static const ttt_option convert_table[] = {
    {.name = "type",
     .kind = TTT_OPTION_CHOICE,
     .offset = offsetof(convert_options, type),
     .argument = "TYPE",
     .choices = "f32|f16|bf16|q8_0|q4_0",
     .help = "of the matrices: f32, f16, bf16, in a GGUF file also q8_0 and q4_0 (as they are)"},
};

static const ttt_usage convert_usage = {
    .command = "model convert",
    .summary =
        "Converts a model, tokenizer included, from a folder in Hugging Face's layout to a GGUF file (a name that\n"
        "ends in .gguf), or back. Norms and biases become f32, rows of no whole blocks f16.",
    .arguments = "FROM TO",
    .minimum = 2,
    .maximum = 2,
    .options = convert_table,
    .option_count = sizeof convert_table / sizeof *convert_table,
    .examples = "  ttt model convert Llama-3.2-1B llama.gguf --type q8_0\n"
                "  ttt model convert llama.gguf llama --type bf16\n",
};

static ttt_dtype dtype_of(const char *name) {
    static const struct {
        const char *name;
        ttt_dtype dtype;
    } types[] = {{"f32", TTT_F32}, {"f16", TTT_F16}, {"bf16", TTT_BF16}, {"q8_0", TTT_Q8_0}, {"q4_0", TTT_Q4_0}};
    for (size_t i = 0; name != NULL && i < sizeof types / sizeof *types; i++) {
        if (strcmp(name, types[i].name) == 0) return types[i].dtype;
    }
    return TTT_DTYPE_COUNT;
}

int ttt_command_model_convert(int argc, char **argv) {
    convert_options options = {0};
    ttt_parsed parsed;
    ttt_error err = {0};
    int exit_status = TTT_EXIT_OK;
    const ttt_status status = ttt_options_parse(&convert_usage, argc, argv, &options, &parsed, &err);
    if (status != TTT_OK) {
        exit_status = ttt_command_misused("model convert", &err);
    } else if (parsed.help) {
        ttt_options_help(&convert_usage, stdout);
    } else {
        ttt_terminal terminal;
        ttt_terminal_init(&terminal);
        const ttt_convert_options wanted = {.dtype = dtype_of(options.type),
                                            .progress = ttt_terminal_progress(&terminal),
                                            .stop = ttt_terminal_stop_flag()};
        const ttt_status converted =
            ttt_model_convert(parsed.arguments.items[0], parsed.arguments.items[1], &wanted, &err);
        ttt_terminal_clear(&terminal);
        if (converted != TTT_OK) exit_status = ttt_command_misused("model convert", &err);
    }
    ttt_parsed_release(&parsed);
    return exit_status;
}
