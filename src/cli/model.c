/* `ttt model info`: what a model folder holds. */
#include "base/memory.h"
#include "cli/command.h"
#include "cli/model_merge.h"
#include "cli/models.h"
#include "cli/options.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct model_options {
    bool json;
} model_options;

static const ttt_option model_table[] = {
    {.name = "json", .kind = TTT_OPTION_FLAG, .offset = offsetof(model_options, json), .help = "one JSON object"},
};

static const ttt_usage model_usage = {
    .command = "model",
    .summary = "'ttt model info' loads a model, which checks it, and says what it is made of.",
    .arguments = "info [FOLDER]",
    .minimum = 1,
    .maximum = 2,
    .options = model_table,
    .option_count = sizeof model_table / sizeof *model_table,
    .examples = "  ttt model info models/arc-grid\n",
};

static json_t *describe(const ttt_loaded_model *loaded) {
    const ttt_model_config *config = ttt_model_get_config(loaded->model);
    json_t *axes = json_array();
    for (int32_t i = 0; i < config->axes; i++) {
        json_array_append_new(
            axes, json_pack("{s:i, s:f}", "pairs", (int)config->rope[i].pairs, "theta", config->rope[i].theta));
    }
    return json_pack("{s:s, s:I, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:b, s:o, s:O?}", "path", loaded->path,
                     "parameters", (json_int_t)ttt_model_config_parameters(config), "layers", (int)config->layers,
                     "width", (int)config->width, "heads", (int)config->heads, "kv_heads", (int)config->kv_heads,
                     "head_dim", (int)config->head_dim, "hidden", (int)config->hidden, "vocabulary",
                     (int)config->vocabulary, "context", (int)config->context, "tied", (int)config->tied, "rope_axes",
                     axes, "encoding", config->encoding);
}

static void print_facts(const json_t *facts) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)facts, key, value) {
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
        bool is_text = json_is_string(value);
        printf("%-12s %s\n", key, is_text ? json_string_value(value) : text == NULL ? "" : text);
        free(text);
    }
}

static ttt_status info(const model_options *options, const char *path, ttt_error *err) {
    ttt_loaded_model loaded = {0};
    TTT_TRY(ttt_loaded_model_open(&loaded, path, "cpu", 1, err));
    json_t *facts = describe(&loaded);
    if (options->json) {
        char *text = json_dumps(facts, JSON_COMPACT);
        printf("%s\n", text == NULL ? "null" : text);
        free(text);
    } else {
        print_facts(facts);
    }
    json_decref(facts);
    ttt_loaded_model_release(&loaded);
    return TTT_OK;
}

int ttt_command_model(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "merge") == 0) return ttt_model_merge(argc - 1, argv + 1);
    model_options options = {0};
    ttt_parsed parsed;
    ttt_error err = {0};
    int exit_status = TTT_EXIT_OK;
    ttt_status status = ttt_options_parse(&model_usage, argc, argv, &options, &parsed, &err);
    if (status == TTT_OK && parsed.help) {
        ttt_options_help(&model_usage, stdout);
        goto out;
    }
    if (status == TTT_OK && strcmp(parsed.arguments.items[0], "info") != 0) {
        status = ttt_fail(&err, TTT_ERROR_ARGUMENT, "'%s' is not built yet; there is info", parsed.arguments.items[0]);
    }
    if (status != TTT_OK) {
        exit_status = ttt_command_misused("model", &err);
    } else if (info(&options, parsed.arguments.count > 1 ? parsed.arguments.items[1] : NULL, &err) != TTT_OK) {
        exit_status = ttt_command_failed("model", &err);
    }
out:
    ttt_parsed_release(&parsed);
    return exit_status;
}
