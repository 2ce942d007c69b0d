/* What a session leaves on disk: its trainable state, to go on from; and a whole model, to be loaded. */
#include "model/session_inside.h"

#include "base/memory.h"
#include "model/adapter_inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------------- state */

/* The parts of a parameter in a state file, and their names behind the parameter's. Gradients are zero between steps.
 */
static const struct state_part {
    ttt_weight_part part;
    const char *suffix;
} PARTS[] = {{TTT_VALUE, ""}, {TTT_MOMENT1, ".moment1"}, {TTT_MOMENT2, ".moment2"}};
enum { PART_COUNT = sizeof PARTS / sizeof *PARTS, NAME_LENGTH = 64 };

/* Our own key among the metadata. */
static const char STEPS_KEY[] = "ttt.session.steps";

static const char *part_name(const ttt_parameter *parameter, size_t part, char name[NAME_LENGTH]) {
    snprintf(name, NAME_LENGTH, "%s%s", parameter->name, PARTS[part].suffix);
    return name;
}

static ttt_status declare_state(const ttt_session *session, ttt_safetensors_writer *writer, ttt_error *err) {
    char name[NAME_LENGTH];
    for (size_t i = 0; i < session->parameter_count; i++) {
        const ttt_parameter *p = &session->parameters[i];
        for (size_t part = 0; part < PART_COUNT; part++) {
            TTT_TRY(ttt_safetensors_writer_declare(writer, part_name(p, part, name), TTT_F32, p->rows, p->columns,
                                                   false, err));
        }
    }
    return TTT_OK;
}

static ttt_status append_state(const ttt_session *session, ttt_safetensors_writer *writer, ttt_error *err) {
    float *values = ttt_allocate(ttt_session_largest_parameter(session), sizeof *values);
    if (values == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a copy of a parameter");
    ttt_status status = TTT_OK;
    for (size_t i = 0; i < session->parameter_count * PART_COUNT; i++) {
        const ttt_parameter *p = &session->parameters[i / PART_COUNT];
        TTT_TRY_OUT(session->ops->weight_read(p->weight, PARTS[i % PART_COUNT].part, values, err));
        TTT_TRY_OUT(ttt_safetensors_writer_append_numbers(writer, TTT_F32, values, p->rows * p->columns, err));
    }
out:
    ttt_free(values);
    return status;
}

ttt_status ttt_session_save_state(const ttt_session *session, const char *path, json_t *metadata, ttt_error *err) {
    assert(metadata == NULL || json_object_get(metadata, STEPS_KEY) == NULL);
    ttt_safetensors_writer *writer = NULL;
    json_t *all = metadata == NULL ? json_object() : json_copy(metadata);
    ttt_status status;
    if (all == NULL || json_object_set_new(all, STEPS_KEY, json_sprintf("%lld", (long long)session->steps)) != 0) {
        status = ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for '%s'", path);
        goto out;
    }
    TTT_TRY_OUT(ttt_safetensors_writer_new(&writer, err));
    TTT_TRY_OUT(declare_state(session, writer, err));
    TTT_TRY_OUT(ttt_safetensors_writer_begin(writer, path, all, err));
    TTT_TRY_OUT(append_state(session, writer, err));
    status = ttt_safetensors_writer_finish(writer, err);
out:
    ttt_safetensors_writer_free(writer);
    json_decref(all);
    return status;
}

/* All tensors of the state must be there, and no others, before any is used. */
static ttt_status check_state(const ttt_session *session, const char *path, const ttt_safetensors *files,
                              ttt_error *err) {
    char name[NAME_LENGTH];
    const ttt_safetensor *tensor;
    for (size_t i = 0; i < session->parameter_count * PART_COUNT; i++) {
        const ttt_parameter *p = &session->parameters[i / PART_COUNT];
        TTT_TRY(
            ttt_safetensors_matrix(files, path, part_name(p, i % PART_COUNT, name), p->rows, p->columns, &tensor, err));
        if (tensor->dtype != TTT_F32) {
            return ttt_fail(err, TTT_ERROR_FORMAT, "%s: tensor \"%s\" is not of type F32", path, name);
        }
    }
    if (ttt_safetensors_count(files) != session->parameter_count * PART_COUNT) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: it has %zu tensors, this session's state has %zu", path,
                        ttt_safetensors_count(files), session->parameter_count * PART_COUNT);
    }
    return TTT_OK;
}

static ttt_status read_steps(const char *path, const json_t *metadata, int64_t *steps, ttt_error *err) {
    const char *text = json_string_value(json_object_get(metadata, STEPS_KEY));
    char *end = NULL;
    const long long value = text == NULL ? -1 : strtoll(text, &end, 10);
    if (value < 0 || end == text || *end != '\0') {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: \"%s\" in its metadata is not a count of steps", path, STEPS_KEY);
    }
    *steps = value;
    return TTT_OK;
}

/* Writes every part of every parameter; also clears the gradients. */
static ttt_status restore_state(ttt_session *session, const ttt_safetensors *files, ttt_error *err) {
    const size_t largest = ttt_session_largest_parameter(session);
    float *values = ttt_allocate(largest, sizeof *values);
    if (values == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a copy of a parameter");
    ttt_status status = TTT_OK;
    char name[NAME_LENGTH];
    for (size_t i = 0; i < session->parameter_count; i++) {
        const ttt_parameter *p = &session->parameters[i];
        memset(values, 0, p->rows * p->columns * sizeof *values);
        TTT_TRY_OUT(session->ops->weight_write(p->weight, TTT_GRADIENT, values, err));
        for (size_t part = 0; part < PART_COUNT; part++) {
            ttt_safetensor_read(ttt_safetensors_find(files, part_name(p, part, name)), values);
            TTT_TRY_OUT(session->ops->weight_write(p->weight, PARTS[part].part, values, err));
        }
    }
out:
    ttt_free(values);
    return status;
}

ttt_status ttt_session_load_state(ttt_session *session, const char *path, json_t **metadata, ttt_error *err) {
    if (metadata != NULL) *metadata = NULL;
    ttt_safetensors *files = NULL;
    json_t *others = NULL;
    int64_t steps = 0;
    ttt_status status;
    TTT_TRY_OUT(ttt_safetensors_open(path, &files, err));
    TTT_TRY_OUT(check_state(session, path, files, err));
    TTT_TRY_OUT(read_steps(path, ttt_safetensors_metadata(files), &steps, err));
    others = json_deep_copy(ttt_safetensors_metadata(files));
    if (others == NULL || json_object_del(others, STEPS_KEY) != 0) {
        status = ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the metadata of '%s'", path);
        goto out;
    }
    TTT_TRY_OUT(restore_state(session, files, err));
    session->steps = steps;
    if (metadata != NULL) *metadata = json_incref(others);
out:
    ttt_safetensors_close(files);
    json_decref(others);
    return status;
}

/* ---------------------------------------------------------------------------------------------- model */

/* value [rows, columns] += scale·B·A of one adapter; for the embedding, which is kept as [V, C], its transpose. */
static ttt_status fold(const ttt_session *session, const ttt_adapter *adapter, bool transposed, size_t rows,
                       size_t columns, float *value, ttt_error *err) {
    const size_t rank = (size_t)session->options.rank, in = transposed ? rows : columns,
                 out = transposed ? columns : rows;
    float *a = ttt_allocate(rank * in, sizeof *a), *b = ttt_allocate(out * rank, sizeof *b);
    ttt_status status = TTT_OK;
    if (a == NULL || b == NULL) {
        status = ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a copy of an adapter");
        goto out;
    }
    TTT_TRY_OUT(session->ops->weight_read(adapter->a, TTT_VALUE, a, err));
    TTT_TRY_OUT(session->ops->weight_read(adapter->b, TTT_VALUE, b, err));
    ttt_adapter_fold(out, in, rank, adapter->scale, a, b, transposed, value);
out:
    ttt_free(a);
    ttt_free(b);
    return status;
}

/* A tensor of the model that the session makes of its model, adapter folded in. */
static ttt_status write_tensor(const ttt_session *session, ttt_safetensors_writer *writer, const ttt_tensor *tensor,
                               ttt_dtype dtype, ttt_error *err) {
    float *value = ttt_allocate(tensor->rows * tensor->columns, sizeof *value);
    if (value == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a copy of \"%s\"", tensor->name);
    ttt_network network = session->network; /* slots are found in a network that may be changed; this is not */
    ttt_status status;
    TTT_TRY_OUT(session->ops->weight_read(*ttt_tensor_slot(&network, tensor), TTT_VALUE, value, err));
    if (tensor->kind != TTT_LINEAR_COUNT) {
        const ttt_adapter *adapter = ttt_network_linear(&network, tensor->layer, tensor->kind)->adapters;
        if (adapter != NULL) {
            TTT_TRY_OUT(fold(session, adapter, tensor->kind == TTT_LINEAR_EMBEDDING, tensor->rows, tensor->columns,
                             value, err));
        }
    }
    status = ttt_safetensors_writer_append_numbers(writer, dtype, value, tensor->rows * tensor->columns, err);
out:
    ttt_free(value);
    return status;
}

static ttt_status write_weights(const ttt_session *session, const ttt_model_config *config, const char *path,
                                ttt_dtype dtype, ttt_error *err) {
    ttt_safetensors_writer *writer = NULL;
    json_t *metadata = json_pack("{s:s}", "format", "pt"); /* Hugging Face's loaders ask for it */
    ttt_status status;
    if (metadata == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for '%s'", path);
    TTT_TRY_OUT(ttt_safetensors_writer_new(&writer, err));
    for (size_t i = 0; i < ttt_tensor_count(config); i++) {
        const ttt_tensor tensor = ttt_tensor_get(config, i);
        TTT_TRY_OUT(ttt_safetensors_writer_declare(writer, tensor.file_name, dtype, tensor.rows, tensor.columns,
                                                   tensor.kind == TTT_LINEAR_COUNT, err));
    }
    TTT_TRY_OUT(ttt_safetensors_writer_begin(writer, path, metadata, err));
    for (size_t i = 0; i < ttt_tensor_count(config); i++) {
        const ttt_tensor tensor = ttt_tensor_get(config, i);
        TTT_TRY_OUT(write_tensor(session, writer, &tensor, dtype, err));
    }
    status = ttt_safetensors_writer_finish(writer, err);
out:
    ttt_safetensors_writer_free(writer);
    json_decref(metadata);
    return status;
}

ttt_status ttt_session_save_model(const ttt_session *session, const char *folder, ttt_dtype dtype, ttt_error *err) {
    assert(dtype == TTT_F32 || dtype == TTT_BF16);
    TTT_TRY(ttt_folder_make(folder, err));
    /* An adapter on one of the two uses of a tied weight unties them. */
    ttt_model_config config = *ttt_model_get_config(session->model);
    if (session->network.embedding.adapters != NULL || session->network.output.head.adapters != NULL) {
        config.tied = false;
    }
    char *weights = ttt_path_join(folder, "model.safetensors"), *description = ttt_path_join(folder, "config.json");
    ttt_status status;
    if (weights == NULL || description == NULL) {
        status = ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the model in '%s'", folder);
        goto out;
    }
    TTT_TRY_OUT(write_weights(session, &config, weights, dtype, err));
    status = ttt_model_config_write(description, &config, err);
out:
    ttt_free(weights);
    ttt_free(description);
    return status;
}
