/* `ttt model info`: what a model is made of. */
#include "base/memory.h"
#include "cli/command.h"
#include "cli/model.h"
#include "cli/models.h"
#include "cli/options.h"
#include "model/facts.h"
#include "tensor/dtype.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct info_options {
    bool json;
} info_options;

static const ttt_option info_table[] = {
    TTT_OPTION_ROW_JSON(offsetof(info_options, json), "one JSON object"),
};

static const ttt_usage info_usage = {
    .command = "model info",
    .summary = "Says what a model is made of, from its configuration and list of tensors, which it checks. MODEL is a\n"
               "folder in Hugging Face's layout or a GGUF file; without it, the bundled one.",
    .arguments = "[MODEL]",
    .maximum = 1,
    .options = info_table,
    .option_count = sizeof info_table / sizeof *info_table,
    .examples = "  ttt model info models/arc-grid\n"
                "  ttt model info Llama-3.2-1B-Instruct-Q4_K_M.gguf --json\n",
};

static json_t *describe_axes(const ttt_model_config *config) {
    json_t *axes = json_array();
    for (int32_t i = 0; i < config->axes; i++) {
        json_array_append_new(
            axes, json_pack("{s:i, s:f}", "pairs", (int)config->rope[i].pairs, "theta", config->rope[i].theta));
    }
    return axes;
}

static json_t *describe_bytes(const ttt_model_facts *facts) {
    json_t *bytes = json_object();
    for (int dtype = 0; dtype < TTT_DTYPE_COUNT; dtype++) {
        if (facts->bytes[dtype] == 0) continue;
        json_object_set_new(bytes, ttt_dtype_name((ttt_dtype)dtype), json_integer(facts->bytes[dtype]));
    }
    return bytes;
}

/* NULL, which leaves the member out, where nothing is scaled. */
static json_t *describe_scaling(const ttt_rope_scaling *scaling) {
    if (scaling->factor == 0) return NULL;
    return json_pack("{s:f, s:f, s:f, s:i}", "factor", scaling->factor, "low_frequency_factor",
                     scaling->low_frequency_factor, "high_frequency_factor", scaling->high_frequency_factor,
                     "original_context", (int)scaling->original_context);
}

static json_t *describe(const char *path, const ttt_model_facts *facts) {
    const ttt_model_config *config = &facts->config;
    json_t *window = config->window > 0 ? json_integer(config->window) : NULL;
    return json_pack("{s:s, s:I, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:b, s:o, s:O*, s:s, s:s, s:I, s:o, s:s*, "
                     "s:o*, s:o*}",
                     "path", path, "parameters", (json_int_t)ttt_model_config_parameters(config), "layers",
                     (int)config->layers, "width", (int)config->width, "heads", (int)config->heads, "kv_heads",
                     (int)config->kv_heads, "head_dim", (int)config->head_dim, "hidden", (int)config->hidden,
                     "vocabulary", (int)config->vocabulary, "context", (int)config->context, "tied", (int)config->tied,
                     "rope_axes", describe_axes(config), "encoding", config->encoding, "family", facts->family,
                     "format", facts->format, "tensors", (json_int_t)facts->tensors, "bytes", describe_bytes(facts),
                     "tokenizer", facts->tokenizer[0] == '\0' ? NULL : facts->tokenizer, "window", window,
                     "rope_scaling", describe_scaling(&config->scaling));
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

static ttt_status info(const info_options *options, const char *path, ttt_error *err) {
    ttt_model_facts facts;
    TTT_TRY(ttt_model_facts_read(path, &facts, err));
    json_t *description = describe(path, &facts);
    if (options->json) {
        char *text = json_dumps(description, JSON_COMPACT);
        printf("%s\n", text == NULL ? "null" : text);
        free(text);
    } else {
        print_facts(description);
    }
    json_decref(description);
    ttt_model_facts_release(&facts);
    return TTT_OK;
}

int ttt_command_model_info(int argc, char **argv) {
    info_options options = {0};
    ttt_parsed parsed;
    ttt_error err = {0};
    char *path = NULL;
    int exit_status = TTT_EXIT_OK;
    ttt_status status = ttt_options_parse(&info_usage, argc, argv, &options, &parsed, &err);
    if (status != TTT_OK) {
        exit_status = ttt_command_misused("model info", &err);
    } else if (parsed.help) {
        ttt_options_help(&info_usage, stdout);
    } else {
        path = parsed.arguments.count > 0 ? ttt_string_copy(parsed.arguments.items[0]) : ttt_bundled_model();
        status = path == NULL ? ttt_fail(&err, TTT_ERROR_MEMORY, "no memory for the path of a model")
                              : info(&options, path, &err);
        if (status != TTT_OK) exit_status = ttt_command_failed("model info", &err);
    }
    ttt_free(path);
    ttt_parsed_release(&parsed);
    return exit_status;
}
