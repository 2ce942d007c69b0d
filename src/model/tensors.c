/* The tensors of a Llama-like model: one table of those outside the layers, one of those of a layer. */
#include "model/tensors.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Sizes by name, so that the tables can say [rows, columns]. */
typedef enum dimension { ONE, WIDTH, QUERIES, KEYS, HEAD, HIDDEN, VOCABULARY } dimension;

static size_t size_of(const ttt_model_config *config, dimension which) {
    switch (which) {
    case ONE: return 1;
    case WIDTH: return (size_t)config->width;
    case QUERIES: return (size_t)config->heads * (size_t)config->head_dim;
    case KEYS: return (size_t)config->kv_heads * (size_t)config->head_dim;
    case HEAD: return (size_t)config->head_dim;
    case HIDDEN: return (size_t)config->hidden;
    case VOCABULARY: return (size_t)config->vocabulary;
    }
    return 0;
}

typedef enum option { ALWAYS, IF_BIAS, IF_NORM } option; /* only in models with qkv_bias, with qk_norm */

typedef struct entry {
    const char *name, *file_name;
    ttt_linear_kind kind;
    dimension rows, columns;
    size_t slot; /* of the ttt_weight pointer in ttt_layer or ttt_network */
    option when;
} entry;

static const entry LAYER[] = {
    {"attention_norm", "input_layernorm", TTT_LINEAR_COUNT, ONE, WIDTH, offsetof(ttt_layer, qkv.norm), ALWAYS},
    {"q", "self_attn.q_proj", TTT_LINEAR_Q, QUERIES, WIDTH, offsetof(ttt_layer, qkv.q.weight), ALWAYS},
    {"k", "self_attn.k_proj", TTT_LINEAR_K, KEYS, WIDTH, offsetof(ttt_layer, qkv.k.weight), ALWAYS},
    {"v", "self_attn.v_proj", TTT_LINEAR_V, KEYS, WIDTH, offsetof(ttt_layer, qkv.v.weight), ALWAYS},
    {"q_bias", "self_attn.q_proj", TTT_LINEAR_COUNT, ONE, QUERIES, offsetof(ttt_layer, qkv.q_bias), IF_BIAS},
    {"k_bias", "self_attn.k_proj", TTT_LINEAR_COUNT, ONE, KEYS, offsetof(ttt_layer, qkv.k_bias), IF_BIAS},
    {"v_bias", "self_attn.v_proj", TTT_LINEAR_COUNT, ONE, KEYS, offsetof(ttt_layer, qkv.v_bias), IF_BIAS},
    {"q_norm", "self_attn.q_norm", TTT_LINEAR_COUNT, ONE, HEAD, offsetof(ttt_layer, qkv.q_norm), IF_NORM},
    {"k_norm", "self_attn.k_norm", TTT_LINEAR_COUNT, ONE, HEAD, offsetof(ttt_layer, qkv.k_norm), IF_NORM},
    {"o", "self_attn.o_proj", TTT_LINEAR_O, WIDTH, QUERIES, offsetof(ttt_layer, o.weight), ALWAYS},
    {"mlp_norm", "post_attention_layernorm", TTT_LINEAR_COUNT, ONE, WIDTH, offsetof(ttt_layer, mlp.norm), ALWAYS},
    {"gate", "mlp.gate_proj", TTT_LINEAR_GATE, HIDDEN, WIDTH, offsetof(ttt_layer, mlp.gate.weight), ALWAYS},
    {"up", "mlp.up_proj", TTT_LINEAR_UP, HIDDEN, WIDTH, offsetof(ttt_layer, mlp.up.weight), ALWAYS},
    {"down", "mlp.down_proj", TTT_LINEAR_DOWN, WIDTH, HIDDEN, offsetof(ttt_layer, mlp.down.weight), ALWAYS},
};
static const entry BEFORE = {
    "embedding", "model.embed_tokens", TTT_LINEAR_EMBEDDING, VOCABULARY, WIDTH, offsetof(ttt_network, embedding.weight),
    ALWAYS};
static const entry AFTER[] = {
    {"norm", "model.norm", TTT_LINEAR_COUNT, ONE, WIDTH, offsetof(ttt_network, output.norm), ALWAYS},
    {"output", "lm_head", TTT_LINEAR_OUTPUT, VOCABULARY, WIDTH, offsetof(ttt_network, output.head.weight), ALWAYS},
};
enum { LAYER_ENTRIES = sizeof LAYER / sizeof *LAYER };

static bool is_there(const ttt_model_config *config, const entry *e) {
    return e->when == ALWAYS || (e->when == IF_BIAS ? config->qkv_bias : config->qk_norm);
}

static size_t per_layer(const ttt_model_config *config) {
    size_t count = 0;
    for (size_t i = 0; i < LAYER_ENTRIES; i++) count += is_there(config, &LAYER[i]);
    return count;
}

size_t ttt_tensor_count(const ttt_model_config *config) {
    return 1 + (size_t)config->layers * per_layer(config) + (config->tied ? 1 : 2);
}

/* Number `index` of those entries of a layer that are there. */
static const entry *layer_entry(const ttt_model_config *config, size_t index) {
    const entry *e = LAYER;
    for (;; e++) {
        if (!is_there(config, e)) continue;
        if (index-- == 0) return e;
    }
}

/* The table entry of tensor `index`, and its layer or -1. */
static const entry *entry_of(const ttt_model_config *config, size_t index, int32_t *layer) {
    const size_t each = per_layer(config), in_layers = (size_t)config->layers * each;
    *layer = -1;
    if (index == 0) return &BEFORE;
    if (index - 1 >= in_layers) return &AFTER[index - 1 - in_layers];
    *layer = (int32_t)((index - 1) / each);
    return layer_entry(config, (index - 1) % each);
}

ttt_tensor ttt_tensor_get(const ttt_model_config *config, size_t index) {
    assert(index < ttt_tensor_count(config));
    ttt_tensor tensor = {0};
    const entry *e = entry_of(config, index, &tensor.layer);
    tensor.kind = e->kind;
    tensor.bias = e->when == IF_BIAS;
    const char *const suffix = tensor.bias ? "bias" : "weight";
    tensor.slot = e->slot;
    tensor.rows = size_of(config, e->rows);
    tensor.columns = size_of(config, e->columns);
    if (tensor.layer < 0) {
        snprintf(tensor.name, sizeof tensor.name, "%s", e->name);
        snprintf(tensor.file_name, sizeof tensor.file_name, "%s.%s", e->file_name, suffix);
    } else {
        snprintf(tensor.name, sizeof tensor.name, "layers.%d.%s", tensor.layer, e->name);
        snprintf(tensor.file_name, sizeof tensor.file_name, "model.layers.%d.%s.%s", tensor.layer, e->file_name,
                 suffix);
    }
    return tensor;
}

ttt_weight **ttt_tensor_slot(ttt_network *network, const ttt_tensor *tensor) {
    char *const base = tensor->layer < 0 ? (char *)network : (char *)&network->layers[tensor->layer];
    return (ttt_weight **)(void *)(base + tensor->slot);
}

void ttt_network_tie(ttt_network *network, const ttt_model_config *config) {
    if (config->tied) network->output.head.weight = network->embedding.weight;
}

/* The names of GGUF, by ours. */
static const struct {
    const char *name, *gguf_name;
} GGUF_NAMES[] = {
    {"embedding", "token_embd.weight"},
    {"norm", "output_norm.weight"},
    {"output", "output.weight"},
    {"attention_norm", "attn_norm.weight"},
    {"q", "attn_q.weight"},
    {"k", "attn_k.weight"},
    {"v", "attn_v.weight"},
    {"q_bias", "attn_q.bias"},
    {"k_bias", "attn_k.bias"},
    {"v_bias", "attn_v.bias"},
    {"q_norm", "attn_q_norm.weight"},
    {"k_norm", "attn_k_norm.weight"},
    {"o", "attn_output.weight"},
    {"mlp_norm", "ffn_norm.weight"},
    {"gate", "ffn_gate.weight"},
    {"up", "ffn_up.weight"},
    {"down", "ffn_down.weight"},
};

void ttt_tensor_gguf_name(const ttt_tensor *tensor, char name[TTT_GGUF_NAME]) {
    const char *const dot = strrchr(tensor->name, '.'), *const last = dot == NULL ? tensor->name : dot + 1;
    size_t i = 0;
    while (strcmp(GGUF_NAMES[i].name, last) != 0) i++; /* every tensor has a line */
    if (tensor->layer < 0) {
        snprintf(name, TTT_GGUF_NAME, "%s", GGUF_NAMES[i].gguf_name);
    } else {
        snprintf(name, TTT_GGUF_NAME, "blk.%d.%s", tensor->layer, GGUF_NAMES[i].gguf_name);
    }
}

/* ---------------------------------------------------------------------------------------------- linear maps */

static const struct linear_entry {
    const char *name;
    dimension out, in;
    bool in_layer;
    size_t place; /* of the ttt_linear in ttt_layer or ttt_network */
} LINEARS[] = {
    [TTT_LINEAR_Q] = {"q", QUERIES, WIDTH, true, offsetof(ttt_layer, qkv.q)},
    [TTT_LINEAR_K] = {"k", KEYS, WIDTH, true, offsetof(ttt_layer, qkv.k)},
    [TTT_LINEAR_V] = {"v", KEYS, WIDTH, true, offsetof(ttt_layer, qkv.v)},
    [TTT_LINEAR_O] = {"o", WIDTH, QUERIES, true, offsetof(ttt_layer, o)},
    [TTT_LINEAR_GATE] = {"gate", HIDDEN, WIDTH, true, offsetof(ttt_layer, mlp.gate)},
    [TTT_LINEAR_UP] = {"up", HIDDEN, WIDTH, true, offsetof(ttt_layer, mlp.up)},
    [TTT_LINEAR_DOWN] = {"down", WIDTH, HIDDEN, true, offsetof(ttt_layer, mlp.down)},
    [TTT_LINEAR_OUTPUT] = {"output", VOCABULARY, WIDTH, false, offsetof(ttt_network, output.head)},
    [TTT_LINEAR_EMBEDDING] = {"embedding", WIDTH, VOCABULARY, false, offsetof(ttt_network, embedding)},
};
_Static_assert(sizeof LINEARS / sizeof *LINEARS == TTT_LINEAR_COUNT, "one entry per kind of linear map");

const char *ttt_linear_kind_name(ttt_linear_kind kind) {
    assert(kind < TTT_LINEAR_COUNT);
    return LINEARS[kind].name;
}

bool ttt_linear_kind_in_layer(ttt_linear_kind kind) {
    return LINEARS[kind].in_layer;
}

void ttt_linear_kind_shape(const ttt_model_config *config, ttt_linear_kind kind, size_t *out, size_t *in) {
    *out = size_of(config, LINEARS[kind].out);
    *in = size_of(config, LINEARS[kind].in);
}

ttt_linear *ttt_network_linear(ttt_network *network, int32_t layer, ttt_linear_kind kind) {
    char *const base = LINEARS[kind].in_layer ? (char *)&network->layers[layer] : (char *)network;
    return (ttt_linear *)(void *)(base + LINEARS[kind].place);
}
