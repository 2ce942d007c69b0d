/* The list of a model's tensors, once: from it come loading, saving, random starts, and the parameters of a session.
 * Private to src/model. */
#ifndef TTT_MODEL_TENSORS_H
#define TTT_MODEL_TENSORS_H

#include "model/session.h"
#include "model/transformer.h"

typedef struct ttt_tensor {
    char name[40];        /* ours: "layers.0.q" */
    char file_name[64];   /* Llama's: "model.layers.0.self_attn.q_proj.weight" */
    int32_t layer;        /* -1: of no layer */
    ttt_linear_kind kind; /* TTT_LINEAR_COUNT: a vector, [1, columns]: a gain of a norm or a bias */
    bool bias;            /* a random start has zeros here, ones in gains */
    size_t rows, columns;
    size_t slot; /* of its pointer in ttt_layer, or in ttt_network; see ttt_tensor_slot */
} ttt_tensor;

/* In the order embedding, layers, final norm, output (not if tied). What the config leaves out is not listed. */
size_t ttt_tensor_count(const ttt_model_config *config);
ttt_tensor ttt_tensor_get(const ttt_model_config *config, size_t index);
/* Its name in GGUF files: "blk.0.attn_q.weight". */
enum { TTT_GGUF_NAME = 64 };
void ttt_tensor_gguf_name(const ttt_tensor *tensor, char name[TTT_GGUF_NAME]);
/* Where a network keeps it. (The output of a tied network is no tensor of its own: ttt_network_tie.) */
ttt_weight **ttt_tensor_slot(ttt_network *network, const ttt_tensor *tensor);
/* Lets the output use the embedding's weight if the config says so: after the slots are filled. */
void ttt_network_tie(ttt_network *network, const ttt_model_config *config);

/* [out, in] of a kind of linear map; for the embedding, which picks a row of [V, C], out = C and in = V. */
void ttt_linear_kind_shape(const ttt_model_config *config, ttt_linear_kind kind, size_t *out, size_t *in);
/* The linear map of a kind; `layer` counts for the kinds inside a layer only. */
ttt_linear *ttt_network_linear(ttt_network *network, int32_t layer, ttt_linear_kind kind);
bool ttt_linear_kind_in_layer(ttt_linear_kind kind);

#endif
