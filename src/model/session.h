/* A session: everything that training on one task changes, beside the frozen model. It owns an adapter (LoRA), or full
 * weights of its own, or neither (pure inference); gradients and optimizer state; the activations of a step. All
 * memory is planned and taken when the session is made; steps allocate nothing. */
#ifndef TTT_MODEL_SESSION_H
#define TTT_MODEL_SESSION_H

#include "model/model.h"
#include "model/sequence.h"

typedef enum ttt_adaptation { TTT_ADAPT_NONE, TTT_ADAPT_LORA, TTT_ADAPT_FULL } ttt_adaptation;

/* The linear maps an adapter may sit on; bit i of `targets` is map i. */
typedef enum ttt_linear_kind {
    TTT_LINEAR_Q,
    TTT_LINEAR_K,
    TTT_LINEAR_V,
    TTT_LINEAR_O,
    TTT_LINEAR_GATE,
    TTT_LINEAR_UP,
    TTT_LINEAR_DOWN,
    TTT_LINEAR_OUTPUT,
    TTT_LINEAR_EMBEDDING,
    TTT_LINEAR_COUNT
} ttt_linear_kind;
const char *ttt_linear_kind_name(ttt_linear_kind kind); /* "q", ..., "output", "embedding" */

typedef struct ttt_session_options {
    ttt_adaptation adaptation;
    int32_t rank;          /* LoRA */
    float alpha;           /* LoRA: scale = alpha / rank */
    bool rank_stabilized;  /* LoRA: scale = alpha / sqrt(rank) instead (Kalajdzievski, "rsLoRA", 2023) */
    uint32_t targets;      /* LoRA: bits of ttt_linear_kind */
    int32_t max_tokens;    /* of a training batch, a piece of a prompt, or a step of decoding */
    int32_t max_sequences; /* of the same */
    bool recompute;        /* keep only each layer's input and redo its forward pass in backward: less memory */
    bool training;         /* false: no activations for backward are kept */
    float muon;            /* momentum of Muon, which moves the matrices inside layers; 0: AdamW moves everything */
} ttt_session_options;

/* What an adapter's product is multiplied by. */
float ttt_session_options_scale(const ttt_session_options *options);

typedef struct ttt_session ttt_session;
ttt_status ttt_session_new(ttt_model *model, const ttt_session_options *options, uint64_t seed, ttt_session **session,
                           ttt_error *err);
void ttt_session_free(ttt_session *session);
/* As new, without allocating but for copies on the way: the initial adapter (A uniform in ±1/sqrt(fan-in), B zero) or
 * the model's weights; optimizer state zero. */
ttt_status ttt_session_reset(ttt_session *session, uint64_t seed, ttt_error *err);
/* Bytes the session takes on a backend with bf16 activations, computed without making it: to refuse before the first
 * step what will not fit. An estimate: the backend's padding and scratch are its own business. */
size_t ttt_session_options_bytes(const ttt_model_config *config, const ttt_session_options *options);

/* Forward and backward of a packed batch; adds the gradient of sum_i scale[i]·loss[i] over its counted targets.
 * loss[i] (nats, one per counted target, in order) receives the loss of each. Rows packed with adapter 0 use the
 * session's adapter, those with -1 the bare model; without LoRA the number means nothing. A batch larger than the
 * session, or an id outside the vocabulary, is TTT_ERROR_ARGUMENT. The session must be one for training. */
ttt_status ttt_session_train(ttt_session *session, const ttt_packing *packing, float *loss, ttt_error *err);
/* Forward only: the losses. */
ttt_status ttt_session_loss(ttt_session *session, const ttt_packing *packing, float *loss, ttt_error *err);

/* Clips the gradient's norm to `clip` (<= 0: no clipping), takes one step of AdamW, or of Muon with AdamW's rate and
 * decay where options.muon says so, zeroes the gradient. `adamw`'s step and gradient_scale are filled in here (the
 * session counts its steps). *norm is the norm before clipping; when it is
 * not finite there is no step but TTT_ERROR_ARGUMENT. */
ttt_status ttt_session_step(ttt_session *session, ttt_adamw adamw, double clip, double *norm, ttt_error *err);
int64_t ttt_session_steps(const ttt_session *session);

/* Writes the model as the session has it (base with the adapter folded in, or own weights) as a model folder in bf16 or
 * float32, atomically file by file. A tied model with an adapter on embedding or output becomes untied. */
ttt_status ttt_session_save_model(const ttt_session *session, const char *folder, ttt_dtype dtype, ttt_error *err);
/* The whole trainable state (values, moments, step count) as one safetensors file; `metadata` (string to string, may
 * be NULL) travels along. Loading checks names and shapes before it changes anything, clears the gradient, and gives
 * the metadata back (json_decref; may be NULL). Save between steps: gradients are not saved. */
ttt_status ttt_session_save_state(const ttt_session *session, const char *path, json_t *metadata, ttt_error *err);
ttt_status ttt_session_load_state(ttt_session *session, const char *path, json_t **metadata, ttt_error *err);

/* For tests and tools: the trainable parameters, by name ("layers.0.q.lora_a", "layers.0.q", "embedding", ...). */
size_t ttt_session_parameter_count(const ttt_session *session);
const char *ttt_session_parameter(const ttt_session *session, size_t index, ttt_weight **weight, size_t *rows,
                                  size_t *columns);
ttt_model *ttt_session_get_model(const ttt_session *session);

#endif
