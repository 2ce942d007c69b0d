/* Adapters as folders in PEFT's format, so that what is trained here serves elsewhere, and the other way round:
 *
 *   adapter_config.json        rank, alpha, and which modules carry an adapter
 *   adapter_model.safetensors  "base_model.model." + module + ".lora_A.weight" [R, in] and ".lora_B.weight" [out, R],
 *                              of the embedding ".lora_embedding_A" [R, V] and ".lora_embedding_B" [C, R]; a module is
 *                              "model.layers.0.self_attn.q_proj", ..., "lm_head", "model.embed_tokens"
 *
 * Read are LoRA adapters of one rank and alpha on whole kinds of linear maps, in F32, F16 or BF16. What would change
 * the result and is not done here (other ranks for some modules, DoRA, trained biases, ...) is refused by name, as are
 * tensors that the configuration does not imply. PEFT also writes a copy of the base's embedding and output when these
 * carry adapters: it must be the base's own, to the precision of bf16. */
#ifndef TTT_MODEL_ADAPTER_H
#define TTT_MODEL_ADAPTER_H

#include "model/session.h"

/* What a session must be to take this adapter: fills adaptation, rank, alpha, rank_stabilized and targets and leaves
 * the rest of *options alone. Reads the configuration only. */
ttt_status ttt_adapter_options_read(const char *folder, const ttt_model_config *config, ttt_session_options *options,
                                    ttt_error *err);

/* The session's adapter (values, in float32) into a folder, made if need be; each file replaced atomically, the
 * configuration last. `base` is the name or path of the model it belongs to, or NULL. */
ttt_status ttt_session_save_adapter(const ttt_session *session, const char *folder, const char *base, ttt_error *err);
/* The session's adapter becomes the folder's, with optimizer state zero, as after a reset. Rank, scale and targets must
 * be the session's. Everything is checked before anything is changed. */
ttt_status ttt_session_load_adapter(ttt_session *session, const char *folder, ttt_error *err);

/* Folds an adapter into the weights of a model folder, in float32, and writes the sum as a model folder of TTT_F32 or
 * TTT_BF16, with the other small files that people keep beside the weights (tokenizer and the like). Takes memory for
 * one tensor in float32. Nothing is written unless base and adapter fit. A tied model with an adapter on embedding or
 * output becomes untied. */
ttt_status ttt_adapter_merge(const char *base, const char *adapter, const char *out, ttt_dtype dtype, ttt_error *err);

#endif
