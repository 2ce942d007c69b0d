/* Frozen models: loading, random starts. */
#include "model/model.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "model/tensors.h"
#include "model/weight_source.h"
#include "tensor/dtype.h"

#include <assert.h>
#include <math.h>
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

/* Rows `ids` of a vocabulary are all that is kept of the embedding and the output; NULL: all rows. */
typedef struct subset {
    const int32_t *ids;
    size_t count;
} subset;

/* Copies the rows that are wanted, in our order. */
static void gather(const ttt_stored *stored, const subset *rows, uint8_t *to) {
    const size_t count = rows == NULL ? stored->rows : rows->count;
    for (size_t i = 0; i < count; i++) {
        const size_t row = rows == NULL ? i : (size_t)rows->ids[i];
        memcpy(to + i * stored->row_bytes, ttt_stored_row(stored, row), stored->row_bytes);
    }
}

/* What lies in the file as it is wanted is handed on from there, the rest from a copy. */
static ttt_status load_tensor(ttt_model *model, const ttt_weight_source *source, const ttt_tensor *tensor,
                              const subset *rows, ttt_error *err) {
    ttt_stored stored;
    TTT_TRY(ttt_weight_source_get(source, tensor, &stored, err));
    const size_t count = rows == NULL ? stored.rows : rows->count;
    /* The backends want numbers aligned, which safetensors does not promise; blocks they take anywhere. */
    const bool misaligned =
        ttt_dtype_is_plain(stored.dtype) && (uintptr_t)stored.data % ttt_dtype_size(stored.dtype) != 0;
    const void *data = stored.data;
    uint8_t *copy = NULL;
    if (misaligned || stored.interleaved != 0 || rows != NULL) {
        copy = ttt_allocate(count, stored.row_bytes);
        if (copy == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for tensor \"%s\"", tensor->name);
        gather(&stored, rows, copy);
        data = copy;
    }
    ttt_status status = model->backend->ops->weight_new(model->backend, count, stored.columns, stored.dtype, data,
                                                        false, ttt_tensor_slot(&model->network, tensor), err);
    ttt_free(copy);
    /* Else a model in memory is there twice while it is loaded: as packed, and as pages of its file. */
    ttt_file_map_forget(stored.data, stored.rows * stored.row_bytes);
    return status;
}

static ttt_status load_weights(ttt_model *model, const ttt_weight_source *source, const subset *rows, ttt_error *err) {
    const ttt_model_config *config = ttt_weight_source_config(source); /* of the whole vocabulary */
    for (size_t i = 0; i < ttt_tensor_count(config); i++) {
        const ttt_tensor tensor = ttt_tensor_get(config, i);
        const bool of_tokens = tensor.kind == TTT_LINEAR_EMBEDDING || tensor.kind == TTT_LINEAR_OUTPUT;
        TTT_TRY(load_tensor(model, source, &tensor, of_tokens ? rows : NULL, err));
    }
    ttt_network_tie(&model->network, &model->config);
    return TTT_OK;
}

static ttt_status load(const char *path, const subset *rows, ttt_backend *backend, ttt_model **model, ttt_error *err) {
    *model = NULL;
    ttt_weight_source *source = NULL;
    ttt_model_config config;
    ttt_status status;
    TTT_TRY_OUT(ttt_weight_source_open(path, &source, err));
    const int32_t vocabulary = ttt_weight_source_config(source)->vocabulary;
    for (size_t i = 0; rows != NULL && i < rows->count; i++) {
        if (rows->ids[i] >= 0 && rows->ids[i] < vocabulary) continue;
        status = ttt_fail(err, TTT_ERROR_ARGUMENT, "%s: token %d is not one of its %d", path, rows->ids[i], vocabulary);
        goto out;
    }
    TTT_TRY_OUT(ttt_model_config_copy(&config, ttt_weight_source_config(source), err));
    if (rows != NULL) config.vocabulary = (int32_t)rows->count;
    status = model_new(&config, backend, model, err);
    if (status != TTT_OK) {
        ttt_fail_within(err, status, "%s", path);
        goto out;
    }
    status = load_weights(*model, source, rows, err);
    if (status != TTT_OK) {
        ttt_model_free(*model);
        *model = NULL;
    }
out:
    ttt_weight_source_close(source);
    return status;
}

ttt_status ttt_model_load(const char *path, ttt_backend *backend, ttt_model **model, ttt_error *err) {
    return load(path, NULL, backend, model, err);
}

ttt_status ttt_model_load_reduced(const char *path, const int32_t *ids, size_t count, ttt_backend *backend,
                                  ttt_model **model, ttt_error *err) {
    assert(count > 0);
    const subset rows = {.ids = ids, .count = count};
    return load(path, &rows, backend, model, err);
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
