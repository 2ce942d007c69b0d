/* Folding an adapter into its base, from folder to folder: one tensor at a time goes from the base's memory map through
 * float32 into the new file, so that no second model is in memory and no number is rounded twice. */
#include "model/adapter_inside.h"

#include "base/memory.h"
#include "model/weight_source.h"
#include "tensor/dtype.h"

#include <assert.h>
#include <string.h>

void ttt_adapter_fold(size_t out, size_t in, size_t rank, float scale, const float *a, const float *b, bool transposed,
                      float *value) {
    const size_t rows = transposed ? in : out, columns = transposed ? out : in;
    for (size_t row = 0; row < rows; row++) {
        for (size_t r = 0; r < rank; r++) {
            const float factor = scale * (transposed ? a[r * in + row] : b[row * rank + r]);
            const float *other = transposed ? b + r : a + r * in;
            const size_t step = transposed ? rank : 1;
            for (size_t column = 0; column < columns; column++) {
                value[row * columns + column] += factor * other[column * step];
            }
        }
    }
}

typedef struct merge {
    const char *base, *out;
    ttt_dtype dtype;
    json_t *description; /* the base's config.json */
    ttt_weight_source *source;
    const ttt_model_config *config; /* the source's */
    ttt_model_config merged;        /* perhaps untied; shares what it points to */
    ttt_adapter_folder adapter;
} merge;

static ttt_status join(const char *folder, const char *name, char **path, ttt_error *err) {
    *path = ttt_path_join(folder, name);
    return *path == NULL ? ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the model in '%s'", folder) : TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- what there is */

static ttt_status open_all(merge *self, const char *adapter, ttt_error *err) {
    if (!ttt_file_is_folder(self->base)) {
        return ttt_fail(err, TTT_ERROR_IO,
                        "'%s' is no folder, which a base must be ('ttt model convert' makes one of a GGUF file)",
                        self->base);
    }
    TTT_TRY(ttt_weight_source_open(self->base, &self->source, err));
    self->config = ttt_weight_source_config(self->source);
    char *path;
    TTT_TRY(join(self->base, "config.json", &path, err));
    const ttt_status status = ttt_json_read(path, &self->description, err);
    ttt_free(path);
    TTT_TRY(status);
    TTT_TRY(ttt_adapter_folder_open(&self->adapter, adapter, self->config, err));
    const uint32_t either = 1u << TTT_LINEAR_EMBEDDING | 1u << TTT_LINEAR_OUTPUT;
    self->merged = *self->config;
    if ((self->adapter.options.targets & either) != 0) self->merged.tied = false;
    return TTT_OK;
}

/* The numbers of the base's tensor that becomes tensor `wanted` of the merged model, in float32; fresh memory. */
static ttt_status read_tensor(const merge *self, const ttt_tensor *wanted, float **value, ttt_error *err) {
    const bool shared = self->config->tied && wanted->kind == TTT_LINEAR_OUTPUT;
    const ttt_tensor tensor = shared ? ttt_tensor_get(self->config, 0) : *wanted;
    ttt_stored stored;
    TTT_TRY(ttt_weight_source_get(self->source, &tensor, &stored, err));
    *value = ttt_allocate(wanted->rows * wanted->columns, sizeof **value);
    if (*value == NULL) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a copy of \"%s\"", wanted->file_name);
    }
    for (size_t row = 0; row < stored.rows; row++) {
        ttt_dtype_to_float(stored.dtype, ttt_stored_row(&stored, row), stored.columns, *value + row * stored.columns);
    }
    return TTT_OK;
}

/* Before anything is written: PEFT's copy of the tensor, if there is one, is the base's. */
static ttt_status check_copy(const merge *self, const ttt_tensor *tensor, ttt_error *err) {
    ttt_adapter_module module;
    if (!ttt_adapter_module_of(&self->merged, tensor, &module)) return TTT_OK;
    const ttt_safetensor *copy = ttt_adapter_folder_base(&self->adapter, &module);
    if (copy == NULL) return TTT_OK;
    float *value;
    TTT_TRY(read_tensor(self, tensor, &value, err));
    const ttt_status status = ttt_adapter_check_base(copy, value, err);
    ttt_free(value);
    return status;
}

/* ---------------------------------------------------------------------------------------------- weights */

/* value += the adapter of one linear map. */
static ttt_status fold(const merge *self, const ttt_adapter_module *module, float *value, ttt_error *err) {
    const ttt_session_options *options = &self->adapter.options;
    const size_t rank = (size_t)options->rank;
    ttt_status status = TTT_OK;
    float *a = ttt_allocate(rank * module->in, sizeof *a), *b = ttt_allocate(module->out * rank, sizeof *b);
    if (a == NULL || b == NULL) {
        status = ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the adapter of \"%s\"", module->name);
        goto out;
    }
    ttt_adapter_folder_read(&self->adapter, module, false, a);
    ttt_adapter_folder_read(&self->adapter, module, true, b);
    ttt_adapter_fold(module->out, module->in, rank, ttt_session_options_scale(options), a, b,
                     module->kind == TTT_LINEAR_EMBEDDING, value);
out:
    ttt_free(a);
    ttt_free(b);
    return status;
}

static ttt_status write_tensor(const merge *self, ttt_safetensors_writer *writer, size_t index, ttt_error *err) {
    const ttt_tensor tensor = ttt_tensor_get(&self->merged, index);
    ttt_adapter_module module;
    float *value;
    TTT_TRY(read_tensor(self, &tensor, &value, err));
    ttt_status status = TTT_OK;
    if (ttt_adapter_module_of(&self->merged, &tensor, &module) &&
        (self->adapter.options.targets >> module.kind & 1u) != 0) {
        TTT_TRY_OUT(fold(self, &module, value, err));
    }
    status = ttt_safetensors_writer_append_numbers(writer, self->dtype, value, tensor.rows * tensor.columns, err);
out:
    ttt_free(value);
    return status;
}

static ttt_status write_weights(const merge *self, ttt_error *err) {
    ttt_safetensors_writer *writer = NULL;
    char *path = NULL;
    json_t *metadata = json_pack("{s:s}", "format", "pt"); /* Hugging Face's loaders ask for it */
    ttt_status status;
    TTT_TRY_OUT(join(self->out, "model.safetensors", &path, err));
    if (metadata == NULL) TTT_TRY_OUT(ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for '%s'", path));
    TTT_TRY_OUT(ttt_safetensors_writer_new(&writer, err));
    const size_t count = ttt_tensor_count(&self->merged);
    for (size_t i = 0; i < count; i++) {
        const ttt_tensor tensor = ttt_tensor_get(&self->merged, i);
        TTT_TRY_OUT(check_copy(self, &tensor, err));
        TTT_TRY_OUT(ttt_safetensors_writer_declare(writer, tensor.file_name, self->dtype, tensor.rows, tensor.columns,
                                                   tensor.kind == TTT_LINEAR_COUNT, err));
    }
    TTT_TRY_OUT(ttt_folder_make(self->out, err));
    TTT_TRY_OUT(ttt_safetensors_writer_begin(writer, path, metadata, err));
    for (size_t i = 0; i < count; i++) TTT_TRY_OUT(write_tensor(self, writer, i, err));
    status = ttt_safetensors_writer_finish(writer, err);
out:
    ttt_safetensors_writer_free(writer);
    json_decref(metadata);
    ttt_free(path);
    return status;
}

/* ---------------------------------------------------------------------------------------------- other files */

/* The base's config.json, everything in it that we do not read included. */
static ttt_status write_description(const merge *self, ttt_error *err) {
    char *path;
    TTT_TRY(join(self->out, "config.json", &path, err));
    /* Newer files of Hugging Face say "dtype", older ones "torch_dtype". */
    const char *key = json_object_get(self->description, "dtype") != NULL ? "dtype" : "torch_dtype";
    ttt_status status;
    if (json_object_set_new(self->description, key, json_string(self->dtype == TTT_F32 ? "float32" : "bfloat16")) ||
        json_object_set_new(self->description, "tie_word_embeddings", json_boolean(self->merged.tied))) {
        status = ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for '%s'", path);
    } else {
        status = ttt_json_write(path, self->description, JSON_INDENT(2), err);
    }
    ttt_free(path);
    return status;
}

static ttt_status copy_file(const merge *self, const char *name, ttt_error *err) {
    char *from = NULL, *to = NULL;
    ttt_file_map map = {0};
    ttt_status status;
    TTT_TRY_OUT(join(self->base, name, &from, err));
    TTT_TRY_OUT(join(self->out, name, &to, err));
    if (!ttt_file_exists(from)) goto out;
    TTT_TRY_OUT(ttt_file_map_open(&map, from, err));
    status = ttt_file_write_atomically(to, map.data, map.bytes, err);
out:
    ttt_file_map_close(&map);
    ttt_free(from);
    ttt_free(to);
    return status;
}

static ttt_status copy_others(const merge *self, ttt_error *err) {
    static const char *const names[] = {"tokenizer.json",    "tokenizer_config.json", "special_tokens_map.json",
                                        "added_tokens.json", "tokenizer.model",       "vocab.json",
                                        "merges.txt",        "chat_template.jinja",   "generation_config.json"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) TTT_TRY(copy_file(self, names[i], err));
    return TTT_OK;
}

ttt_status ttt_adapter_merge(const char *base, const char *adapter, const char *out, ttt_dtype dtype, ttt_error *err) {
    assert(dtype == TTT_F32 || dtype == TTT_BF16);
    merge self = {.base = base, .out = out, .dtype = dtype};
    ttt_status status;
    TTT_TRY_OUT(open_all(&self, adapter, err));
    TTT_TRY_OUT(write_weights(&self, err));
    TTT_TRY_OUT(copy_others(&self, err));
    status = write_description(&self, err);
out:
    ttt_adapter_folder_close(&self.adapter);
    ttt_weight_source_close(self.source);
    json_decref(self.description);
    return status;
}
