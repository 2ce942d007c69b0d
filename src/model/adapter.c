/* The tensors of adapter folders, in and out of a session. */
#include "model/adapter_inside.h"

#include "base/memory.h"
#include "model/session_inside.h"
#include "tensor/dtype.h"

#include <stdio.h>
#include <string.h>

static const char PREFIX[] = "base_model.model.", CONFIG_FILE[] = "adapter_config.json",
                  TENSORS_FILE[] = "adapter_model.safetensors";

void ttt_adapter_tensor_name(const ttt_adapter_module *module, bool b, char name[TTT_ADAPTER_NAME]) {
    const bool embedding = module->kind == TTT_LINEAR_EMBEDDING;
    snprintf(name, TTT_ADAPTER_NAME, "%s%s.lora_%s%s%s", PREFIX, module->name, embedding ? "embedding_" : "",
             b ? "B" : "A", embedding ? "" : ".weight");
}

static bool targeted(const ttt_session_options *options, const ttt_adapter_module *module) {
    return (options->targets >> module->kind & 1u) != 0;
}

/* Rows and columns of A or B. */
static void shape_of(const ttt_adapter_module *module, bool b, int32_t rank, size_t *rows, size_t *columns) {
    *rows = b ? module->out : (size_t)rank;
    *columns = b ? (size_t)rank : module->in;
}

static ttt_status join(const char *folder, const char *name, char **path, ttt_error *err) {
    *path = ttt_path_join(folder, name);
    return *path == NULL ? ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the adapter in '%s'", folder) : TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- a folder, checked */

const ttt_safetensor *ttt_adapter_folder_base(const ttt_adapter_folder *adapter, const ttt_adapter_module *module) {
    if (ttt_linear_kind_in_layer(module->kind)) return NULL;
    char name[TTT_ADAPTER_NAME];
    snprintf(name, sizeof name, "%s%s.%sweight", PREFIX, module->name,
             targeted(&adapter->options, module) ? "base_layer." : "");
    return ttt_safetensors_find(adapter->tensors, name);
}

/* Is it A or B of a targeted module, or a copy of the base's? */
static bool is_expected(const ttt_adapter_folder *adapter, const ttt_model_config *config,
                        const ttt_safetensor *tensor) {
    ttt_adapter_module module;
    char name[TTT_ADAPTER_NAME];
    for (size_t index = 0; ttt_adapter_next_module(config, &index, &module);) {
        if (tensor == ttt_adapter_folder_base(adapter, &module)) return true;
        for (int b = 0; b < 2 && targeted(&adapter->options, &module); b++) {
            ttt_adapter_tensor_name(&module, b != 0, name);
            if (strcmp(name, tensor->name) == 0) return true;
        }
    }
    return false;
}

/* The file has more tensors than the configuration implies: names one. (It is among the first, in the order of the
 * file, that are as many as were expected and one more; so a long list costs no more than a short one.) */
static ttt_status refuse_unknown(const ttt_adapter_folder *adapter, const ttt_model_config *config, ttt_error *err) {
    size_t i = 0;
    while (is_expected(adapter, config, ttt_safetensors_at(adapter->tensors, i))) i++;
    const ttt_safetensor *found = ttt_safetensors_at(adapter->tensors, i);
    return ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                    "%s: tensor \"%.100s\" is none of an adapter with this configuration on this model", found->path,
                    found->name);
}

static ttt_status check_tensors(const ttt_adapter_folder *adapter, const char *path, const ttt_model_config *config,
                                ttt_error *err) {
    ttt_adapter_module module;
    char name[TTT_ADAPTER_NAME];
    const ttt_safetensor *found;
    size_t expected = 0, rows, columns;
    for (size_t index = 0; ttt_adapter_next_module(config, &index, &module);) {
        for (int b = 0; b < 2 && targeted(&adapter->options, &module); b++) {
            ttt_adapter_tensor_name(&module, b != 0, name);
            shape_of(&module, b != 0, adapter->options.rank, &rows, &columns);
            TTT_TRY(ttt_safetensors_matrix(adapter->tensors, path, name, rows, columns, &found, err));
            expected++;
        }
        const ttt_safetensor *copy = ttt_adapter_folder_base(adapter, &module);
        if (copy == NULL) continue;
        rows = module.kind == TTT_LINEAR_EMBEDDING ? module.in : module.out;
        columns = module.kind == TTT_LINEAR_EMBEDDING ? module.out : module.in;
        TTT_TRY(ttt_safetensors_matrix(adapter->tensors, path, copy->name, rows, columns, &found, err));
        expected++;
    }
    if (ttt_safetensors_count(adapter->tensors) == expected) return TTT_OK;
    return refuse_unknown(adapter, config, err);
}

ttt_status ttt_adapter_options_read(const char *folder, const ttt_model_config *config, ttt_session_options *options,
                                    ttt_error *err) {
    char *path;
    TTT_TRY(join(folder, CONFIG_FILE, &path, err));
    const ttt_status status = ttt_adapter_config_read(path, config, options, err);
    ttt_free(path);
    return status;
}

ttt_status ttt_adapter_folder_open(ttt_adapter_folder *adapter, const char *folder, const ttt_model_config *config,
                                   ttt_error *err) {
    *adapter = (ttt_adapter_folder){.options = {.adaptation = TTT_ADAPT_LORA}};
    if (!ttt_file_is_folder(folder)) {
        return ttt_fail(err, TTT_ERROR_IO, "cannot load an adapter from '%s': it is not a folder", folder);
    }
    char *path = NULL;
    ttt_status status;
    TTT_TRY_OUT(ttt_adapter_options_read(folder, config, &adapter->options, err));
    TTT_TRY_OUT(join(folder, TENSORS_FILE, &path, err));
    TTT_TRY_OUT(ttt_safetensors_open(path, &adapter->tensors, err));
    TTT_TRY_OUT(check_tensors(adapter, path, config, err));
out:
    ttt_free(path);
    if (status != TTT_OK) ttt_adapter_folder_close(adapter);
    return status;
}

void ttt_adapter_folder_close(ttt_adapter_folder *adapter) {
    ttt_safetensors_close(adapter->tensors);
    adapter->tensors = NULL;
}

void ttt_adapter_folder_read(const ttt_adapter_folder *adapter, const ttt_adapter_module *module, bool b, float *to) {
    char name[TTT_ADAPTER_NAME];
    ttt_adapter_tensor_name(module, b, name);
    ttt_safetensor_read(ttt_safetensors_find(adapter->tensors, name), to);
}

ttt_status ttt_adapter_check_base(const ttt_safetensor *copy, const float *value, ttt_error *err) {
    const size_t size = ttt_dtype_size(copy->dtype), count = copy->bytes / size;
    for (size_t i = 0; i < count; i++) {
        float number;
        ttt_dtype_to_float(copy->dtype, copy->data + i * size, 1, &number);
        if (ttt_float_to_bf16(number) == ttt_float_to_bf16(value[i])) continue;
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                        "%s: number %zu of tensor \"%.100s\" is %g, the base has %g: an adapter that replaces weights "
                        "is not supported",
                        copy->path, i, copy->name, (double)number, (double)value[i]);
    }
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- saving */

static ttt_status declare(const ttt_session *session, ttt_safetensors_writer *writer, ttt_error *err) {
    ttt_adapter_module module;
    char name[TTT_ADAPTER_NAME];
    size_t rows, columns;
    for (size_t index = 0; ttt_adapter_next_module(ttt_model_get_config(session->model), &index, &module);) {
        for (int b = 0; b < 2 && targeted(&session->options, &module); b++) {
            ttt_adapter_tensor_name(&module, b != 0, name);
            shape_of(&module, b != 0, session->options.rank, &rows, &columns);
            TTT_TRY(ttt_safetensors_writer_declare(writer, name, TTT_F32, rows, columns, false, err));
        }
    }
    return TTT_OK;
}

/* The session's A or B of a targeted module. */
static ttt_weight *weight_of(const ttt_session *session, const ttt_adapter_module *module, bool b) {
    ttt_network network = session->network; /* maps are found in a network that may be changed; this is not */
    const ttt_adapter *adapter = ttt_network_linear(&network, module->layer, module->kind)->adapters;
    return b ? adapter->b : adapter->a;
}

static ttt_status append(const ttt_session *session, ttt_safetensors_writer *writer, ttt_error *err) {
    float *values = ttt_allocate(ttt_session_largest_parameter(session), sizeof *values);
    if (values == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a copy of an adapter");
    ttt_status status = TTT_OK;
    ttt_adapter_module module;
    size_t rows, columns;
    for (size_t index = 0; ttt_adapter_next_module(ttt_model_get_config(session->model), &index, &module);) {
        for (int b = 0; b < 2 && targeted(&session->options, &module); b++) {
            TTT_TRY_OUT(session->ops->weight_read(weight_of(session, &module, b != 0), TTT_VALUE, values, err));
            shape_of(&module, b != 0, session->options.rank, &rows, &columns);
            TTT_TRY_OUT(ttt_safetensors_writer_append_numbers(writer, TTT_F32, values, rows * columns, err));
        }
    }
out:
    ttt_free(values);
    return status;
}

static ttt_status save_tensors(const ttt_session *session, const char *path, ttt_error *err) {
    ttt_safetensors_writer *writer = NULL;
    json_t *metadata = json_pack("{s:s}", "format", "pt"); /* Hugging Face's loaders ask for it */
    ttt_status status;
    if (metadata == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for '%s'", path);
    TTT_TRY_OUT(ttt_safetensors_writer_new(&writer, err));
    TTT_TRY_OUT(declare(session, writer, err));
    TTT_TRY_OUT(ttt_safetensors_writer_begin(writer, path, metadata, err));
    TTT_TRY_OUT(append(session, writer, err));
    status = ttt_safetensors_writer_finish(writer, err);
out:
    ttt_safetensors_writer_free(writer);
    json_decref(metadata);
    return status;
}

ttt_status ttt_session_save_adapter(const ttt_session *session, const char *folder, const char *base, ttt_error *err) {
    if (session->options.adaptation != TTT_ADAPT_LORA) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "'%s': this session has no adapter to save", folder);
    }
    char *tensors = NULL, *config = NULL;
    ttt_status status;
    TTT_TRY_OUT(join(folder, TENSORS_FILE, &tensors, err));
    TTT_TRY_OUT(join(folder, CONFIG_FILE, &config, err));
    TTT_TRY_OUT(ttt_folder_make(folder, err));
    TTT_TRY_OUT(save_tensors(session, tensors, err));
    status = ttt_adapter_config_write(config, ttt_model_get_config(session->model), &session->options, base, err);
out:
    ttt_free(tensors);
    ttt_free(config);
    return status;
}

/* ---------------------------------------------------------------------------------------------- loading */

static ttt_status check_session(const ttt_session *session, const ttt_adapter_folder *adapter, const char *folder,
                                ttt_error *err) {
    const ttt_session_options *own = &session->options, *found = &adapter->options;
    if (own->adaptation != TTT_ADAPT_LORA) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "'%s': this session takes no adapter", folder);
    }
    const double scale = (double)ttt_session_options_scale(own), other = (double)ttt_session_options_scale(found);
    if (own->rank == found->rank && own->targets == found->targets && scale == other) return TTT_OK;
    return ttt_fail(err, TTT_ERROR_ARGUMENT,
                    "'%s': an adapter of rank %d and scale %g on the linear maps 0x%x, but the session's has rank %d "
                    "and scale %g on 0x%x",
                    folder, found->rank, other, found->targets, own->rank, scale, own->targets);
}

/* Copies of the base's weights in the folder are what the model has. */
static ttt_status check_bases(const ttt_session *session, const ttt_adapter_folder *adapter, ttt_error *err) {
    const ttt_model_config *config = ttt_model_get_config(session->model);
    ttt_network network = *ttt_model_get_network(session->model);
    ttt_adapter_module module;
    for (size_t index = 0; ttt_adapter_next_module(config, &index, &module);) {
        const ttt_safetensor *copy = ttt_adapter_folder_base(adapter, &module);
        if (copy == NULL) continue;
        float *value = ttt_allocate(module.out * module.in, sizeof *value);
        if (value == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a copy of \"%s\"", module.name);
        ttt_weight *weight = ttt_network_linear(&network, module.layer, module.kind)->weight;
        ttt_status status = session->ops->weight_read(weight, TTT_VALUE, value, err);
        if (status == TTT_OK) status = ttt_adapter_check_base(copy, value, err);
        ttt_free(value);
        TTT_TRY(status);
    }
    return TTT_OK;
}

static ttt_status take_values(ttt_session *session, const ttt_adapter_folder *adapter, ttt_error *err) {
    float *values = ttt_allocate(ttt_session_largest_parameter(session), sizeof *values);
    if (values == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a copy of an adapter");
    ttt_status status;
    ttt_adapter_module module;
    TTT_TRY_OUT(ttt_session_reset(session, 0, err)); /* optimizer state zero; the values come now */
    for (size_t index = 0; ttt_adapter_next_module(ttt_model_get_config(session->model), &index, &module);) {
        for (int b = 0; b < 2 && targeted(&session->options, &module); b++) {
            ttt_adapter_folder_read(adapter, &module, b != 0, values);
            TTT_TRY_OUT(session->ops->weight_write(weight_of(session, &module, b != 0), TTT_VALUE, values, err));
        }
    }
out:
    ttt_free(values);
    return status;
}

ttt_status ttt_session_load_adapter(ttt_session *session, const char *folder, ttt_error *err) {
    ttt_adapter_folder adapter;
    TTT_TRY(ttt_adapter_folder_open(&adapter, folder, ttt_model_get_config(session->model), err));
    ttt_status status;
    TTT_TRY_OUT(check_session(session, &adapter, folder, err));
    TTT_TRY_OUT(check_bases(session, &adapter, err));
    status = take_values(session, &adapter, err);
out:
    ttt_adapter_folder_close(&adapter);
    return status;
}
