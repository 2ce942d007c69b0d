/* Sessions: what one task owns. The frozen model's network is copied (pointers only); then each linear map gets its
 * adapter, or each weight is replaced by a trainable one of the session's own. */
#include "model/session_inside.h"

#include "base/memory.h"
#include "base/random.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------------- parameters */

float ttt_session_options_scale(const ttt_session_options *options) {
    const float rank = (float)options->rank;
    return options->alpha / (options->rank_stabilized ? sqrtf(rank) : rank);
}

static bool adapted(const ttt_session_options *options, ttt_linear_kind kind) {
    return options->adaptation == TTT_ADAPT_LORA && (options->targets >> kind & 1u) != 0;
}

/* Linear maps of a kind in a model. */
static size_t count_of_kind(const ttt_model_config *config, ttt_linear_kind kind) {
    return ttt_linear_kind_in_layer(kind) ? (size_t)config->layers : 1;
}

static size_t count_adapters(const ttt_model_config *config, const ttt_session_options *options) {
    size_t count = 0;
    for (ttt_linear_kind kind = 0; kind < TTT_LINEAR_COUNT; kind++) {
        if (adapted(options, kind)) count += count_of_kind(config, kind);
    }
    return count;
}

/* A trainable weight of zeros as the session's next parameter. */
static ttt_status add_parameter(ttt_session *session, const ttt_parameter *parameter, ttt_error *err) {
    ttt_backend *backend = ttt_model_get_backend(session->model);
    float *zeros = ttt_allocate(parameter->rows * parameter->columns, sizeof *zeros);
    if (zeros == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for parameter \"%s\"", parameter->name);
    ttt_parameter *own = &session->parameters[session->parameter_count];
    *own = *parameter;
    const ttt_status status =
        session->ops->weight_new(backend, parameter->rows, parameter->columns, TTT_F32, zeros, true, &own->weight, err);
    ttt_free(zeros);
    if (status != TTT_OK) return ttt_fail_within(err, status, "parameter \"%s\"", parameter->name);
    session->weights[session->parameter_count++] = own->weight;
    return TTT_OK;
}

/* A and B of one linear map. */
static ttt_status add_adapter(ttt_session *session, int32_t layer, ttt_linear_kind kind, ttt_error *err) {
    size_t out, in;
    ttt_linear_kind_shape(ttt_model_get_config(session->model), kind, &out, &in);
    const size_t rank = (size_t)session->options.rank;
    const bool in_layer = ttt_linear_kind_in_layer(kind);
    ttt_parameter a = {.rows = rank, .columns = in, .role = TTT_PARAMETER_A, .in_layer = in_layer};
    ttt_parameter b = {.rows = out, .columns = rank, .role = TTT_PARAMETER_B, .in_layer = in_layer};
    char map[32];
    if (in_layer) {
        snprintf(map, sizeof map, "layers.%d.%s", layer, ttt_linear_kind_name(kind));
    } else {
        snprintf(map, sizeof map, "%s", ttt_linear_kind_name(kind));
    }
    snprintf(a.name, sizeof a.name, "%s.lora_a", map);
    snprintf(b.name, sizeof b.name, "%s.lora_b", map);
    const size_t first = session->parameter_count;
    TTT_TRY(add_parameter(session, &a, err));
    TTT_TRY(add_parameter(session, &b, err));
    ttt_adapter *adapter = &session->adapters[session->adapter_count++];
    *adapter = (ttt_adapter){.a = session->parameters[first].weight,
                             .b = session->parameters[first + 1].weight,
                             .scale = ttt_session_options_scale(&session->options)};
    ttt_network_linear(&session->network, layer, kind)->adapters = adapter;
    return TTT_OK;
}

static ttt_status add_adapters(ttt_session *session, ttt_error *err) {
    const ttt_model_config *config = ttt_model_get_config(session->model);
    const size_t count = count_adapters(config, &session->options);
    session->adapters = ttt_allocate(count, sizeof *session->adapters);
    session->parameters = ttt_allocate(2 * count, sizeof *session->parameters);
    session->weights = ttt_allocate(2 * count, sizeof *session->weights);
    if (session->adapters == NULL || session->parameters == NULL || session->weights == NULL) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for %zu adapters", count);
    }
    for (ttt_linear_kind kind = 0; kind < TTT_LINEAR_COUNT; kind++) {
        if (!adapted(&session->options, kind)) continue;
        for (size_t layer = 0; layer < count_of_kind(config, kind); layer++) {
            TTT_TRY(add_adapter(session, (int32_t)layer, kind, err));
        }
    }
    return TTT_OK;
}

static ttt_status add_own_weights(ttt_session *session, ttt_error *err) {
    const ttt_model_config *config = ttt_model_get_config(session->model);
    const size_t count = ttt_tensor_count(config);
    session->parameters = ttt_allocate(count, sizeof *session->parameters);
    session->weights = ttt_allocate(count, sizeof *session->weights);
    if (session->parameters == NULL || session->weights == NULL) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for %zu parameters", count);
    }
    for (size_t i = 0; i < count; i++) {
        const ttt_tensor tensor = ttt_tensor_get(config, i);
        ttt_weight **slot = ttt_tensor_slot(&session->network, &tensor);
        ttt_parameter own = {.rows = tensor.rows,
                             .columns = tensor.columns,
                             .frozen = *slot,
                             .in_layer = tensor.kind < TTT_LINEAR_COUNT && ttt_linear_kind_in_layer(tensor.kind)};
        snprintf(own.name, sizeof own.name, "%s", tensor.name);
        TTT_TRY(add_parameter(session, &own, err));
        *slot = session->parameters[i].weight;
    }
    ttt_network_tie(&session->network, config);
    return TTT_OK;
}

size_t ttt_session_largest_parameter(const ttt_session *session) {
    size_t largest = 0;
    for (size_t i = 0; i < session->parameter_count; i++) {
        const size_t size = session->parameters[i].rows * session->parameters[i].columns;
        if (size > largest) largest = size;
    }
    return largest;
}

/* ---------------------------------------------------------------------------------------------- life */

static ttt_status check_options(const ttt_session_options *o, ttt_error *err) {
    if (o->max_tokens < 1 || o->max_sequences < 1 || o->max_tokens > INT32_MAX - o->max_sequences) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "a session for %d tokens in %d sequences: expected at least 1 of each",
                        o->max_tokens, o->max_sequences);
    }
    if (o->training && o->adaptation == TTT_ADAPT_NONE) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "a session for training needs something to train");
    }
    if (!(o->muon >= 0 && o->muon < 1)) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "a momentum of %g for Muon: expected 0 or more, less than 1",
                        (double)o->muon);
    }
    if (o->adaptation != TTT_ADAPT_LORA) return TTT_OK;
    if (o->rank < 1 || o->rank > 65536 || !isfinite(o->alpha)) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "an adapter of rank %d and alpha %g: expected a rank of 1 to 65536",
                        o->rank, (double)o->alpha);
    }
    if (o->targets == 0 || o->targets >> TTT_LINEAR_COUNT != 0) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "an adapter on the linear maps 0x%x: expected some of 0x%x",
                        o->targets, (1u << TTT_LINEAR_COUNT) - 1);
    }
    return TTT_OK;
}

static ttt_status fill(ttt_session *session, uint64_t seed, ttt_error *err) {
    const ttt_session_options *options = &session->options;
    const ttt_network *frozen = ttt_model_get_network(session->model);
    session->network = *frozen;
    session->network.layers = ttt_allocate((size_t)frozen->layer_count, sizeof *session->network.layers);
    if (session->network.layers == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a session");
    memcpy(session->network.layers, frozen->layers, (size_t)frozen->layer_count * sizeof *frozen->layers);
    if (options->adaptation == TTT_ADAPT_LORA) TTT_TRY(add_adapters(session, err));
    if (options->adaptation == TTT_ADAPT_FULL) TTT_TRY(add_own_weights(session, err));
    const ttt_activations_options sizes = {.max_tokens = options->max_tokens,
                                           .max_sequences = options->max_sequences,
                                           .max_rank = options->adaptation == TTT_ADAPT_LORA ? options->rank : 0,
                                           .training = options->training,
                                           .recompute = options->recompute};
    TTT_TRY(ttt_activations_new(session->model, &sizes, &session->activations, err));
    return ttt_session_reset(session, seed, err);
}

ttt_status ttt_session_new(ttt_model *model, const ttt_session_options *options, uint64_t seed, ttt_session **session,
                           ttt_error *err) {
    *session = NULL;
    TTT_TRY(check_options(options, err));
    ttt_session *fresh = ttt_allocate(1, sizeof *fresh);
    if (fresh == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a session");
    *fresh = (ttt_session){.model = model, .ops = ttt_model_get_backend(model)->ops, .options = *options};
    const ttt_status status = fill(fresh, seed, err);
    if (status != TTT_OK) {
        ttt_session_free(fresh);
        return status;
    }
    *session = fresh;
    return TTT_OK;
}

void ttt_session_free(ttt_session *session) {
    if (session == NULL) return;
    for (size_t i = 0; i < session->parameter_count; i++) session->ops->weight_free(session->parameters[i].weight);
    ttt_activations_free(session->activations);
    ttt_free(session->parameters);
    ttt_free(session->weights);
    ttt_free(session->adapters);
    ttt_free(session->network.layers);
    ttt_free(session);
}

/* The initial value of a parameter. */
static ttt_status initial_value(const ttt_session *session, const ttt_parameter *parameter, uint64_t seed, float *to,
                                ttt_error *err) {
    const size_t count = parameter->rows * parameter->columns;
    if (parameter->role == TTT_PARAMETER_OWN) {
        return session->ops->weight_read(parameter->frozen, TTT_VALUE, to, err);
    }
    memset(to, 0, count * sizeof *to);
    if (parameter->role == TTT_PARAMETER_B) return TTT_OK;
    const double bound = 1 / sqrt((double)parameter->columns);
    ttt_random random = ttt_random_stream(seed, "", parameter->name);
    for (size_t i = 0; i < count; i++) to[i] = (float)(bound * (2 * ttt_random_unit(&random) - 1));
    return TTT_OK;
}

ttt_status ttt_session_reset(ttt_session *session, uint64_t seed, ttt_error *err) {
    const size_t largest = ttt_session_largest_parameter(session);
    float *value = ttt_allocate(largest, sizeof *value), *zeros = ttt_allocate(largest, sizeof *zeros);
    ttt_status status = TTT_OK;
    if (value == NULL || zeros == NULL) {
        status = ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the start of a session");
        goto out;
    }
    for (size_t i = 0; i < session->parameter_count; i++) {
        const ttt_parameter *parameter = &session->parameters[i];
        TTT_TRY_OUT(initial_value(session, parameter, seed, value, err));
        TTT_TRY_OUT(session->ops->weight_write(parameter->weight, TTT_VALUE, value, err));
        TTT_TRY_OUT(session->ops->weight_write(parameter->weight, TTT_GRADIENT, zeros, err));
        TTT_TRY_OUT(session->ops->weight_write(parameter->weight, TTT_MOMENT1, zeros, err));
        TTT_TRY_OUT(session->ops->weight_write(parameter->weight, TTT_MOMENT2, zeros, err));
    }
    session->steps = 0;
out:
    ttt_free(value);
    ttt_free(zeros);
    return status;
}

/* ---------------------------------------------------------------------------------------------- training */

static ttt_status check_batch(const ttt_session *session, const ttt_packing *packing, ttt_error *err) {
    const ttt_batch *batch = ttt_packing_batch(packing);
    const ttt_session_options *o = &session->options;
    if (batch->tokens > o->max_tokens || batch->sequences > o->max_sequences) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT,
                        "a batch of %d tokens in %d sequences, but the session has room for %d in %d", batch->tokens,
                        batch->sequences, o->max_tokens, o->max_sequences);
    }
    const int32_t vocabulary = ttt_model_get_config(session->model)->vocabulary;
    const int32_t *rows, *targets;
    float *scales;
    const int32_t counted = ttt_packing_counted(packing, &rows, &targets, &scales);
    for (int32_t t = 0; t < batch->tokens; t++) {
        const int32_t id = t < counted && targets[t] >= vocabulary ? targets[t] : batch->ids[t];
        if (id < 0 || id >= vocabulary) {
            return ttt_fail(err, TTT_ERROR_ARGUMENT, "token %d of a batch has id %d, but the vocabulary has %d", t, id,
                            vocabulary);
        }
    }
    return TTT_OK;
}

ttt_status ttt_session_train(ttt_session *session, const ttt_packing *packing, float *loss, ttt_error *err) {
    assert(session->options.training);
    TTT_TRY(check_batch(session, packing, err));
    const int32_t *rows, *targets;
    float *scales;
    const int32_t counted = ttt_packing_counted(packing, &rows, &targets, &scales);
    if (counted == 0) return TTT_OK;
    ttt_activations *a = session->activations;
    ttt_buffer *final;
    TTT_TRY(ttt_forward_training(&session->network, a, ttt_packing_batch(packing), &final, err));
    TTT_TRY(session->ops->loss(a->workspace, &session->network.output, final, counted, rows, targets, scales, loss,
                               a->dx, err));
    return ttt_backward(&session->network, a, err);
}

ttt_status ttt_session_loss(ttt_session *session, const ttt_packing *packing, float *loss, ttt_error *err) {
    TTT_TRY(check_batch(session, packing, err));
    const int32_t *rows, *targets;
    float *scales;
    const int32_t counted = ttt_packing_counted(packing, &rows, &targets, &scales);
    if (counted == 0) return TTT_OK;
    ttt_activations *a = session->activations;
    ttt_buffer *final;
    TTT_TRY(ttt_forward(&session->network, a, ttt_packing_batch(packing), NULL, &final, err));
    return session->ops->loss(a->workspace, &session->network.output, final, counted, rows, targets, scales, loss, NULL,
                              err);
}

static ttt_status move(ttt_session *session, const ttt_adamw *adamw, ttt_error *err) {
    const float momentum = session->options.muon;
    ttt_backend *backend = ttt_model_get_backend(session->model);
    const ttt_muon muon = {.learning_rate = adamw->learning_rate,
                           .momentum = momentum,
                           .weight_decay = adamw->weight_decay,
                           .gradient_scale = adamw->gradient_scale};
    if (momentum == 0) return session->ops->adamw(backend, session->weights, session->parameter_count, adamw, err);
    for (size_t i = 0; i < session->parameter_count; i++) {
        if (session->parameters[i].in_layer) {
            TTT_TRY(session->ops->muon(session->activations->workspace, session->weights[i], &muon, err));
        } else {
            TTT_TRY(session->ops->adamw(backend, &session->weights[i], 1, adamw, err));
        }
    }
    return TTT_OK;
}

ttt_status ttt_session_step(ttt_session *session, ttt_adamw adamw, double clip, double *norm, ttt_error *err) {
    assert(session->options.training);
    double squares;
    ttt_backend *backend = ttt_model_get_backend(session->model);
    TTT_TRY(session->ops->gradient_square_sum(backend, session->weights, session->parameter_count, &squares, err));
    *norm = sqrt(squares);
    if (!isfinite(*norm)) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT,
                        "the gradient of step %lld is not finite: a lower learning rate is needed",
                        (long long)session->steps + 1);
    }
    /* PyTorch's clip_grad_norm_, its 1e-6 included, so that runs compare. */
    const double factor = clip > 0 ? clip / (*norm + 1e-6) : 1;
    adamw.gradient_scale = factor < 1 ? (float)factor : 1.0f;
    adamw.step = session->steps + 1;
    TTT_TRY(move(session, &adamw, err));
    session->steps++;
    return TTT_OK;
}

int64_t ttt_session_steps(const ttt_session *session) {
    return session->steps;
}

/* ---------------------------------------------------------------------------------------------- looking in */

size_t ttt_session_parameter_count(const ttt_session *session) {
    return session->parameter_count;
}

const char *ttt_session_parameter(const ttt_session *session, size_t index, ttt_weight **weight, size_t *rows,
                                  size_t *columns) {
    assert(index < session->parameter_count);
    const ttt_parameter *parameter = &session->parameters[index];
    *weight = parameter->weight;
    *rows = parameter->rows;
    *columns = parameter->columns;
    return parameter->name;
}

ttt_model *ttt_session_get_model(const ttt_session *session) {
    return session->model;
}
