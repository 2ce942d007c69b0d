/* The transformer's forward and backward pass, written once for all backends (private to src/model). */
#ifndef TTT_MODEL_TRANSFORMER_H
#define TTT_MODEL_TRANSFORMER_H

#include "model/model.h"

/* One set of weights as the pass uses it: the frozen model's, a session's own, or the model's with adapters. */
typedef struct ttt_layer {
    ttt_qkv_block qkv;
    ttt_linear o;
    ttt_mlp_block mlp;
} ttt_layer;

typedef struct ttt_network {
    int32_t layer_count;
    ttt_layer *layers; /* owned by whoever made the network */
    ttt_linear embedding;
    ttt_output_block output;
} ttt_network;

/* The frozen weights of a model; borrowed. */
const ttt_network *ttt_model_get_network(const ttt_model *model);

/* What a pass needs beside weights: activations, gradients of activations, a key/value store of its own for batches
 * that need no cache, and the backend's workspace. All taken when made.
 *
 *   training               x[0] .. x[layers], and per layer q, o, lse, middle, gate, up; keys and values per layer
 *   training, recompute    x[0] .. x[layers], and one of each of the others, filled again for each layer in backward
 *   otherwise              x[0], q, o; keys and values of one layer
 *
 * x[l] is the input of layer l, [T, C]; `middle` the residual stream between attention and MLP. */
typedef struct ttt_layer_activations {
    ttt_buffer *q, *o;     /* [T, H·D] */
    ttt_buffer *lse;       /* [T, H] float32 */
    ttt_buffer *middle;    /* [T, C] */
    ttt_buffer *gate, *up; /* [T, F] */
} ttt_layer_activations;

typedef struct ttt_activations {
    const ttt_backend_ops *ops;
    int32_t layers, max_tokens, max_sequences;
    bool training, recompute;
    ttt_workspace *workspace;
    ttt_kv *kv;
    ttt_buffer **x;                 /* [layers + 1], or [1] */
    ttt_layer_activations *layer;   /* [layers], or [1] */
    ttt_buffer *dx;                 /* [T, C] */
    ttt_buffer *d_o, *dq, *dk, *dv; /* [T, H·D], [T, H·D], [T, G·D], [T, G·D] */
} ttt_activations;

typedef struct ttt_activations_options {
    int32_t max_tokens, max_sequences, max_rank;
    bool training, recompute;
} ttt_activations_options;
ttt_status ttt_activations_new(const ttt_model *model, const ttt_activations_options *options,
                               ttt_activations **activations, ttt_error *err);
void ttt_activations_free(ttt_activations *activations); /* NULL is fine */

/* Forward keeping what backward needs; the result is in *final (borrowed). The batch's pages are those of a packing:
 * fresh ones, numbered from 0. */
ttt_status ttt_forward_training(const ttt_network *network, ttt_activations *activations, const ttt_batch *batch,
                                ttt_buffer **final, ttt_error *err);
/* The gradients of a forward pass just done; activations->dx holds the gradient of its result. Every trainable weight's
 * gradient +=. */
ttt_status ttt_backward(const ttt_network *network, ttt_activations *activations, ttt_error *err);
/* Forward without keeping anything but keys and values, in the layers of `cache`, or nowhere when it is NULL (then the
 * pages are those of a packing). */
ttt_status ttt_forward(const ttt_network *network, ttt_activations *activations, const ttt_batch *batch, ttt_kv *cache,
                       ttt_buffer **final, ttt_error *err);

#endif
