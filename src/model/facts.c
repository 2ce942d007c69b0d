#include "model/facts.h"

#include "base/file.h"
#include "base/memory.h"
#include "model/gguf_tokenizer.h"
#include "model/weight_source.h"

#include <stdio.h>
#include <string.h>

/* "model/pre" of a GGUF file. */
static ttt_status name_gguf_tokenizer(const ttt_gguf *gguf, ttt_model_facts *facts, ttt_error *err) {
    static const char *const keys[] = {"tokenizer.ggml.model", "tokenizer.ggml.pre"};
    size_t used = 0;
    if (!ttt_gguf_has_tokenizer(gguf)) return TTT_OK;
    for (size_t i = 0; i < 2 && ttt_gguf_has(gguf, keys[i]); i++) {
        const char *text;
        size_t bytes;
        TTT_TRY(ttt_gguf_get_string(gguf, keys[i], &text, &bytes, err));
        if (i > 0 && used + 1 < sizeof facts->tokenizer) facts->tokenizer[used++] = '/';
        for (size_t j = 0; j < bytes && used + 1 < sizeof facts->tokenizer; j++) {
            facts->tokenizer[used++] = (char)(text[j] > ' ' && text[j] <= '~' ? text[j] : '?');
        }
    }
    return TTT_OK;
}

/* The class that tokenizer_config.json names; tokenizer.json itself may be large and is not read. */
static ttt_status name_folder_tokenizer(const char *folder, ttt_model_facts *facts, ttt_error *err) {
    char *path = ttt_path_join(folder, "tokenizer.json"),
         *settings_path = ttt_path_join(folder, "tokenizer_config.json");
    json_t *settings = NULL;
    ttt_status status = TTT_OK;
    if (path == NULL || settings_path == NULL) {
        status = ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the model in '%s'", folder);
        goto out;
    }
    if (!ttt_file_exists(path)) goto out;
    const char *name = "tokenizer.json";
    if (ttt_file_exists(settings_path)) {
        TTT_TRY_OUT(ttt_json_read(settings_path, &settings, err));
        const json_t *named = json_object_get(settings, "tokenizer_class");
        if (json_is_string(named)) name = json_string_value(named);
    }
    snprintf(facts->tokenizer, sizeof facts->tokenizer, "%s", name);
out:
    json_decref(settings);
    ttt_free(path);
    ttt_free(settings_path);
    return status;
}

static ttt_status count_tensors(const ttt_weight_source *source, ttt_model_facts *facts, ttt_error *err) {
    facts->tensors = ttt_tensor_count(&facts->config);
    for (size_t i = 0; i < facts->tensors; i++) {
        const ttt_tensor tensor = ttt_tensor_get(&facts->config, i);
        ttt_stored stored;
        TTT_TRY(ttt_weight_source_get(source, &tensor, &stored, err));
        facts->bytes[stored.dtype] += (int64_t)(stored.rows * stored.row_bytes);
    }
    return TTT_OK;
}

ttt_status ttt_model_facts_read(const char *path, ttt_model_facts *facts, ttt_error *err) {
    *facts = (ttt_model_facts){0};
    ttt_weight_source *source;
    TTT_TRY(ttt_weight_source_open(path, &source, err));
    const ttt_gguf *gguf = ttt_weight_source_gguf(source);
    ttt_status status;
    TTT_TRY_OUT(ttt_model_config_copy(&facts->config, ttt_weight_source_config(source), err));
    facts->family = ttt_architecture_name(facts->config.architecture);
    facts->format = gguf != NULL ? "gguf" : "safetensors";
    TTT_TRY_OUT(count_tensors(source, facts, err));
    status = gguf != NULL ? name_gguf_tokenizer(gguf, facts, err) : name_folder_tokenizer(path, facts, err);
out:
    ttt_weight_source_close(source);
    if (status != TTT_OK) ttt_model_facts_release(facts);
    return status;
}

void ttt_model_facts_release(ttt_model_facts *facts) {
    ttt_model_config_release(&facts->config);
}
