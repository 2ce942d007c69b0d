/* Frozen models: loading, random starts. */
#include "model/model.h"

#include "base/memory.h"
#include "base/random.h"
#include "model/safetensors.h"
#include "model/tensors.h"
#include "tensor/dtype.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct ttt_model {
    ttt_backend *backend;
    ttt_model_config config;
    ttt_network network; /* owns its layers and weights */
};

const ttt_model_config *ttt_model_get_config(const ttt_model *model) {
    return &model->config;
}

ttt_backend *ttt_model_get_backend(const ttt_model *model) {
    return model->backend;
}

const ttt_network *ttt_model_get_network(const ttt_model *model) {
    return &model->network;
}

void ttt_model_free(ttt_model *model) {
    if (model == NULL) return;
    const size_t count = model->network.layers == NULL ? 0 : ttt_tensor_count(&model->config);
    for (size_t i = 0; i < count; i++) {
        const ttt_tensor tensor = ttt_tensor_get(&model->config, i);
        model->backend->ops->weight_free(*ttt_tensor_slot(&model->network, &tensor));
    }
    ttt_free(model->network.layers);
    ttt_model_config_release(&model->config);
    ttt_free(model);
}

/* A model without weights; takes over *config. */
static ttt_status model_new(ttt_model_config *config, ttt_backend *backend, ttt_model **model, ttt_error *err) {
    const ttt_shape shape = ttt_model_config_shape(config);
    ttt_status status = backend->ops->supports(backend, &shape, err);
    ttt_model *fresh = status == TTT_OK ? ttt_allocate(1, sizeof *fresh) : NULL;
    *model = fresh;
    if (fresh == NULL) {
        ttt_model_config_release(config);
        return status != TTT_OK ? status : ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a model");
    }
    fresh->backend = backend;
    fresh->config = *config;
    fresh->network.layer_count = config->layers;
    fresh->network.layers = ttt_allocate((size_t)config->layers, sizeof *fresh->network.layers);
    if (fresh->network.layers != NULL) return TTT_OK;
    ttt_model_free(fresh);
    *model = NULL;
    return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the layers of a model");
}

/* ---------------------------------------------------------------------------------------------- loading */

/* A folder may hold a copy of a tied output, and constants of rotary positions (old converters wrote them); any other
 * tensor that the config does not imply means that the model is not what its config says. */
static bool may_be_ignored(const char *name) {
    const char *const end = "rotary_emb.inv_freq";
    const size_t length = strlen(name), tail = strlen(end);
    return strcmp(name, "lm_head.weight") == 0 || (length >= tail && strcmp(name + length - tail, end) == 0);
}

static int compare_tensor_names(const void *a, const void *b) {
    return strcmp(((const ttt_tensor *)a)->file_name, ((const ttt_tensor *)b)->file_name);
}

static ttt_status refuse_unknown(const ttt_model_config *config, const ttt_safetensors *files, ttt_error *err) {
    const size_t count = ttt_tensor_count(config);
    ttt_tensor *known = ttt_allocate(count, sizeof *known);
    if (known == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a list of tensors");
    for (size_t i = 0; i < count; i++) known[i] = ttt_tensor_get(config, i);
    qsort(known, count, sizeof *known, compare_tensor_names);
    ttt_status status = TTT_OK;
    for (size_t i = 0; i < ttt_safetensors_count(files) && status == TTT_OK; i++) {
        const ttt_safetensor *found = ttt_safetensors_at(files, i);
        ttt_tensor wanted = {.layer = 0};
        const size_t length = strlen(found->name);
        if (length < sizeof wanted.file_name) memcpy(wanted.file_name, found->name, length + 1);
        if (bsearch(&wanted, known, count, sizeof *known, compare_tensor_names) != NULL) continue;
        if (may_be_ignored(found->name)) continue;
        status =
            ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: tensor \"%.100s\" is none of a Llama model with this config.json",
                     found->path, found->name);
    }
    ttt_free(known);
    return status;
}

static ttt_status load_tensor(ttt_model *model, const char *folder, const ttt_safetensors *files,
                              const ttt_tensor *tensor, ttt_error *err) {
    const ttt_safetensor *found;
    TTT_TRY(ttt_safetensors_matrix(files, folder, tensor->file_name, tensor->rows, tensor->columns, &found, err));
    const void *data = found->data;
    void *copy = NULL;
    if ((uintptr_t)data % ttt_dtype_size(found->dtype) != 0) { /* the format promises no alignment */
        copy = ttt_allocate(found->bytes, 1);
        if (copy == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for tensor \"%s\"", tensor->file_name);
        data = memcpy(copy, data, found->bytes);
    }
    ttt_status status = model->backend->ops->weight_new(model->backend, tensor->rows, tensor->columns, found->dtype,
                                                        data, false, ttt_tensor_slot(&model->network, tensor), err);
    ttt_free(copy);
    return status;
}

static ttt_status load_weights(ttt_model *model, const char *folder, ttt_error *err) {
    ttt_safetensors *files;
    TTT_TRY(ttt_safetensors_open_folder(folder, &files, err));
    ttt_status status = TTT_OK;
    for (size_t i = 0; i < ttt_tensor_count(&model->config); i++) {
        const ttt_tensor tensor = ttt_tensor_get(&model->config, i);
        TTT_TRY_OUT(load_tensor(model, folder, files, &tensor, err));
    }
    status = refuse_unknown(&model->config, files, err);
    ttt_network_tie(&model->network, &model->config);
out:
    ttt_safetensors_close(files);
    return status;
}

ttt_status ttt_model_load(const char *folder, ttt_backend *backend, ttt_model **model, ttt_error *err) {
    *model = NULL;
    if (!ttt_file_is_folder(folder)) {
        return ttt_fail(err, TTT_ERROR_IO, "cannot load a model from '%s': it is not a folder", folder);
    }
    char *path = ttt_path_join(folder, "config.json");
    if (path == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the model in '%s'", folder);
    ttt_model_config config;
    ttt_status status = ttt_model_config_read(path, &config, err);
    ttt_free(path);
    if (status != TTT_OK) return status;
    status = model_new(&config, backend, model, err);
    if (status != TTT_OK) return ttt_fail_within(err, status, "%s", folder);
    status = load_weights(*model, folder, err);
    if (status != TTT_OK) {
        ttt_model_free(*model);
        *model = NULL;
    }
    return status;
}

/* ---------------------------------------------------------------------------------------------- random start */

static void fill_random(const ttt_model_config *config, const ttt_tensor *tensor, uint64_t seed, float *to) {
    const size_t count = tensor->rows * tensor->columns;
    const bool into_residual = tensor->kind == TTT_LINEAR_O || tensor->kind == TTT_LINEAR_DOWN;
    const double deviation = into_residual ? 0.02 / sqrt(2.0 * config->layers) : 0.02;
    ttt_random random = ttt_random_stream(seed, "", tensor->name);
    for (size_t i = 0; i < count; i++) {
        to[i] = tensor->kind != TTT_LINEAR_COUNT ? (float)(deviation * ttt_random_normal(&random))
                : tensor->bias                   ? 0.0f
                                                 : 1.0f;
    }
}

static ttt_status fill_weights(ttt_model *model, uint64_t seed, ttt_error *err) {
    ttt_status status = TTT_OK;
    for (size_t i = 0; i < ttt_tensor_count(&model->config) && status == TTT_OK; i++) {
        const ttt_tensor tensor = ttt_tensor_get(&model->config, i);
        float *values = ttt_allocate(tensor.rows * tensor.columns, sizeof *values);
        if (values == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for weight \"%s\"", tensor.name);
        fill_random(&model->config, &tensor, seed, values);
        status = model->backend->ops->weight_new(model->backend, tensor.rows, tensor.columns, TTT_F32, values, false,
                                                 ttt_tensor_slot(&model->network, &tensor), err);
        ttt_free(values);
    }
    ttt_network_tie(&model->network, &model->config);
    return status;
}

ttt_status ttt_model_new_random(const ttt_model_config *config, uint64_t seed, ttt_backend *backend, ttt_model **model,
                                ttt_error *err) {
    *model = NULL;
    TTT_TRY(ttt_model_config_check(config, "a new model", err));
    ttt_model_config copy;
    TTT_TRY(ttt_model_config_copy(&copy, config, err));
    TTT_TRY(model_new(&copy, backend, model, err));
    const ttt_status status = fill_weights(*model, seed, err);
    if (status != TTT_OK) {
        ttt_model_free(*model);
        *model = NULL;
    }
    return status;
}
