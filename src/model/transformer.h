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

#endif
