/* `ttt model merge`: folds an adapter into its base. */
#include "cli/command.h"
#include "cli/model.h"
#include "cli/options.h"
#include "model/adapter.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef struct merge_options {
    const char *model, *adapter, *out, *type;
} merge_options;

#define AT(member) offsetof(merge_options, member)
static const ttt_option merge_table[] = {
    {.name = "model",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(model),
     .argument = "FOLDER",
     .help = "the base: config.json and model.safetensors, whole or in shards"},
    {.name = "adapter",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(adapter),
     .argument = "FOLDER",
     .help = "adapter_config.json and adapter_model.safetensors, of PEFT or of 'ttt solve --save-adapters'"},
    {.name = "out", .kind = TTT_OPTION_TEXT, .offset = AT(out), .argument = "FOLDER", .help = "the merged model"},
    {.name = "type",
     .kind = TTT_OPTION_CHOICE,
     .offset = AT(type),
     .argument = "TYPE",
     .fallback = "bf16",
     .choices = "bf16|f32",
     .help = "of the merged weights"},
};

static const ttt_usage merge_usage = {
    .command = "model merge",
    .summary = "Folds an adapter into its base, in float32, and writes the sum as a model folder.",
    .arguments = "--model FOLDER --adapter FOLDER --out FOLDER",
    .minimum = 0,
    .maximum = 0,
    .options = merge_table,
    .option_count = sizeof merge_table / sizeof *merge_table,
    .examples = "  ttt model merge --model base --adapter adapters/00d62c1b --out merged\n",
};

static ttt_status check_given(const merge_options *options, ttt_error *err) {
    const char *missing = options->model == NULL     ? "model"
                          : options->adapter == NULL ? "adapter"
                          : options->out == NULL     ? "out"
                                                     : NULL;
    return missing == NULL ? TTT_OK : ttt_fail(err, TTT_ERROR_ARGUMENT, "--%s is needed", missing);
}

int ttt_command_model_merge(int argc, char **argv) {
    merge_options options = {0};
    ttt_parsed parsed;
    ttt_error err = {0};
    int exit_status = TTT_EXIT_OK;
    ttt_status status = ttt_options_parse(&merge_usage, argc, argv, &options, &parsed, &err);
    if (status == TTT_OK && parsed.help) {
        ttt_options_help(&merge_usage, stdout);
        goto out;
    }
    if (status == TTT_OK) status = check_given(&options, &err);
    if (status != TTT_OK) {
        exit_status = ttt_command_misused("model merge", &err);
        goto out;
    }
    const ttt_dtype dtype = strcmp(options.type, "f32") == 0 ? TTT_F32 : TTT_BF16;
    if (ttt_adapter_merge(options.model, options.adapter, options.out, dtype, &err) != TTT_OK) {
        exit_status = ttt_command_failed("model merge", &err);
    }
out:
    ttt_parsed_release(&parsed);
    return exit_status;
}
