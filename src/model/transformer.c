/* The pass over the layers. Every arithmetic operation is the backend's; here is only their order and what is kept.
 *
 * With recomputation a layer's forward pass is done again right before its backward pass. It starts from the same x[l]
 * and runs the same operations, so it gives the same bits, and the whole training does too. */
#include "model/transformer.h"

#include "base/memory.h"
#include "model/sequence.h"

#include <assert.h>

/* ---------------------------------------------------------------------------------------------- memory */

static ttt_status new_layer_buffers(ttt_backend *backend, const ttt_shape *s, const ttt_activations *a,
                                    ttt_layer_activations *layer, ttt_error *err) {
    const ttt_backend_ops *ops = a->ops;
    const ttt_dtype dtype = ops->activation_dtype;
    const size_t rows = (size_t)a->max_tokens, queries = (size_t)s->heads * (size_t)s->head_dim;
    TTT_TRY(ops->buffer_new(backend, rows, queries, dtype, &layer->q, err));
    TTT_TRY(ops->buffer_new(backend, rows, queries, dtype, &layer->o, err));
    if (!a->training) return TTT_OK;
    TTT_TRY(ops->buffer_new(backend, rows, (size_t)s->heads, TTT_F32, &layer->lse, err));
    TTT_TRY(ops->buffer_new(backend, rows, (size_t)s->width, dtype, &layer->middle, err));
    TTT_TRY(ops->buffer_new(backend, rows, (size_t)s->hidden, dtype, &layer->gate, err));
    return ops->buffer_new(backend, rows, (size_t)s->hidden, dtype, &layer->up, err);
}

static ttt_status new_gradient_buffers(ttt_backend *backend, const ttt_shape *s, ttt_activations *a, ttt_error *err) {
    const ttt_backend_ops *ops = a->ops;
    const ttt_dtype dtype = ops->activation_dtype;
    const size_t rows = (size_t)a->max_tokens, queries = (size_t)s->heads * (size_t)s->head_dim,
                 keys = (size_t)s->kv_heads * (size_t)s->head_dim;
    TTT_TRY(ops->buffer_new(backend, rows, (size_t)s->width, dtype, &a->dx, err));
    TTT_TRY(ops->buffer_new(backend, rows, queries, dtype, &a->d_o, err));
    TTT_TRY(ops->buffer_new(backend, rows, queries, dtype, &a->dq, err));
    TTT_TRY(ops->buffer_new(backend, rows, keys, dtype, &a->dk, err));
    return ops->buffer_new(backend, rows, keys, dtype, &a->dv, err);
}

static int32_t kept_inputs(const ttt_activations *a) {
    return a->training ? a->layers + 1 : 1;
}

static int32_t kept_layers(const ttt_activations *a) {
    return a->training && !a->recompute ? a->layers : 1;
}

static ttt_status fill(ttt_activations *a, ttt_backend *backend, const ttt_shape *shape, int32_t max_rank,
                       ttt_error *err) {
    a->x = ttt_allocate((size_t)kept_inputs(a), sizeof *a->x);
    a->layer = ttt_allocate((size_t)kept_layers(a), sizeof *a->layer);
    if (a->x == NULL || a->layer == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for activations");
    for (int32_t l = 0; l < kept_inputs(a); l++) {
        TTT_TRY(a->ops->buffer_new(backend, (size_t)a->max_tokens, (size_t)shape->width, a->ops->activation_dtype,
                                   &a->x[l], err));
    }
    for (int32_t l = 0; l < kept_layers(a); l++) TTT_TRY(new_layer_buffers(backend, shape, a, &a->layer[l], err));
    if (a->training) TTT_TRY(new_gradient_buffers(backend, shape, a, err));
    const int32_t pages = ttt_packing_pages(a->max_tokens, a->max_sequences);
    TTT_TRY(a->ops->kv_new(backend, kept_layers(a), pages, shape->kv_heads, shape->head_dim, &a->kv, err));
    return a->ops->workspace_new(backend, shape, a->max_tokens, a->max_sequences, max_rank, a->training, &a->workspace,
                                 err);
}

ttt_status ttt_activations_new(const ttt_model *model, const ttt_activations_options *options,
                               ttt_activations **activations, ttt_error *err) {
    ttt_backend *backend = ttt_model_get_backend(model);
    const ttt_shape shape = ttt_model_config_shape(ttt_model_get_config(model));
    ttt_activations *a = *activations = ttt_allocate(1, sizeof *a);
    if (a == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for activations");
    *a = (ttt_activations){.ops = backend->ops,
                           .layers = shape.layers,
                           .max_tokens = options->max_tokens,
                           .max_sequences = options->max_sequences,
                           .training = options->training,
                           .recompute = options->training && options->recompute};
    const ttt_status status = fill(a, backend, &shape, options->max_rank, err);
    if (status != TTT_OK) {
        ttt_activations_free(a);
        *activations = NULL;
    }
    return status;
}

void ttt_activations_free(ttt_activations *a) {
    if (a == NULL) return;
    const ttt_backend_ops *ops = a->ops;
    for (int32_t l = 0; a->x != NULL && l < kept_inputs(a); l++) ops->buffer_free(a->x[l]);
    for (int32_t l = 0; a->layer != NULL && l < kept_layers(a); l++) {
        const ttt_layer_activations *layer = &a->layer[l];
        ttt_buffer *const buffers[] = {layer->q, layer->o, layer->lse, layer->middle, layer->gate, layer->up};
        for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) ops->buffer_free(buffers[i]);
    }
    ttt_buffer *const gradients[] = {a->dx, a->d_o, a->dq, a->dk, a->dv};
    for (size_t i = 0; i < sizeof gradients / sizeof *gradients; i++) ops->buffer_free(gradients[i]);
    ops->kv_free(a->kv);
    ops->workspace_free(a->workspace);
    ttt_free(a->x);
    ttt_free(a->layer);
    ttt_free(a);
}

/* ---------------------------------------------------------------------------------------------- passes */

/* Layer l from x[l] to x[l + 1], keeping everything between. */
static ttt_status layer_forward(const ttt_network *network, ttt_activations *a, int32_t l, ttt_error *err) {
    const ttt_layer *layer = &network->layers[l];
    const int32_t kept = a->recompute ? 0 : l;
    const ttt_layer_activations *k = &a->layer[kept];
    TTT_TRY(a->ops->qkv(a->workspace, &layer->qkv, a->x[l], k->q, a->kv, kept, err));
    TTT_TRY(a->ops->attention(a->workspace, k->q, a->kv, kept, k->o, k->lse, err));
    TTT_TRY(a->ops->project(a->workspace, &layer->o, k->o, a->x[l], k->middle, err));
    return a->ops->mlp(a->workspace, &layer->mlp, k->middle, k->gate, k->up, a->x[l + 1], err);
}

ttt_status ttt_forward_training(const ttt_network *network, ttt_activations *a, const ttt_batch *batch,
                                ttt_buffer **final, ttt_error *err) {
    assert(a->training && batch->tokens <= a->max_tokens && batch->sequences <= a->max_sequences);
    TTT_TRY(a->ops->batch_begin(a->workspace, batch, err));
    TTT_TRY(a->ops->embed(a->workspace, &network->embedding, a->x[0], err));
    for (int32_t l = 0; l < a->layers; l++) TTT_TRY(layer_forward(network, a, l, err));
    *final = a->x[a->layers];
    return TTT_OK;
}

/* a->dx: from the gradient of x[l + 1] to that of x[l]. */
static ttt_status layer_backward(const ttt_network *network, ttt_activations *a, int32_t l, ttt_error *err) {
    const ttt_layer *layer = &network->layers[l];
    const int32_t kept = a->recompute ? 0 : l;
    const ttt_layer_activations *k = &a->layer[kept];
    /* After forward the shared activations are still those of the last layer. */
    if (a->recompute && l != a->layers - 1) TTT_TRY(layer_forward(network, a, l, err));
    TTT_TRY(a->ops->mlp_backward(a->workspace, &layer->mlp, k->middle, k->gate, k->up, a->dx, err));
    TTT_TRY(a->ops->project_backward(a->workspace, &layer->o, k->o, a->dx, a->d_o, err));
    TTT_TRY(
        a->ops->attention_backward(a->workspace, k->q, a->kv, kept, k->o, k->lse, a->d_o, a->dq, a->dk, a->dv, err));
    return a->ops->qkv_backward(a->workspace, &layer->qkv, a->x[l], a->dq, a->dk, a->dv, a->dx, err);
}

ttt_status ttt_backward(const ttt_network *network, ttt_activations *a, ttt_error *err) {
    for (int32_t l = a->layers - 1; l >= 0; l--) TTT_TRY(layer_backward(network, a, l, err));
    return a->ops->embed_backward(a->workspace, &network->embedding, a->dx, err);
}

ttt_status ttt_forward(const ttt_network *network, ttt_activations *a, const ttt_batch *batch, ttt_kv *cache,
                       ttt_buffer **final, ttt_error *err) {
    assert(batch->tokens <= a->max_tokens && batch->sequences <= a->max_sequences);
    ttt_buffer *x = a->x[0], *q = a->layer[0].q, *o = a->layer[0].o;
    TTT_TRY(a->ops->batch_begin(a->workspace, batch, err));
    TTT_TRY(a->ops->embed(a->workspace, &network->embedding, x, err));
    for (int32_t l = 0; l < a->layers; l++) {
        const ttt_layer *layer = &network->layers[l];
        ttt_kv *kv = cache == NULL ? a->kv : cache;
        const int32_t place = cache == NULL ? 0 : l; /* without a cache a layer's keys die with the layer */
        TTT_TRY(a->ops->qkv(a->workspace, &layer->qkv, x, q, kv, place, err));
        TTT_TRY(a->ops->attention(a->workspace, q, kv, place, o, NULL, err));
        TTT_TRY(a->ops->project(a->workspace, &layer->o, o, x, x, err));
        TTT_TRY(a->ops->mlp(a->workspace, &layer->mlp, x, NULL, NULL, x, err));
    }
    *final = x;
    return TTT_OK;
}
