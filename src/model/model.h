/* A frozen model: configuration and weights on a backend. Read-only after loading, shared by any number of sessions.
 *
 * On disk: a folder in Hugging Face's layout, `config.json` and `model.safetensors` (or shards with
 * `model.safetensors.index.json`), tensors named as in Llama; or a GGUF file. */
#ifndef TTT_MODEL_MODEL_H
#define TTT_MODEL_MODEL_H

#include "model/config.h"

typedef struct ttt_model ttt_model;

/* Loads a folder or a GGUF file. Missing or misshapen tensors, missing shards, overlapping or truncated data are errors
 * that name file and tensor. The backend must outlive the model. */
ttt_status ttt_model_load(const char *path, ttt_backend *backend, ttt_model **model, ttt_error *err);
/* The same with a vocabulary of the tokens `ids` alone, in that order: token i of the model is token ids[i] of the
 * file, and its logit the same. The whole matrices are never prepared. An id that the file has not: TTT_ERROR_ARGUMENT.
 */
ttt_status ttt_model_load_reduced(const char *path, const int32_t *ids, size_t count, ttt_backend *backend,
                                  ttt_model **model, ttt_error *err);
/* A random start: normal(0, 0.02) for matrices, scaled by 1/sqrt(2·layers) for the two projections into the residual
 * stream, ones for gains, zeros for biases (Radford et al., GPT-2). `config` is copied. */
ttt_status ttt_model_new_random(const ttt_model_config *config, uint64_t seed, ttt_backend *backend, ttt_model **model,
                                ttt_error *err);
void ttt_model_free(ttt_model *model);

const ttt_model_config *ttt_model_get_config(const ttt_model *model);
ttt_backend *ttt_model_get_backend(const ttt_model *model);

#endif
