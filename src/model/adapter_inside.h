/* Adapter folders as the files that implement them see them. Private to src/model. */
#ifndef TTT_MODEL_ADAPTER_INSIDE_H
#define TTT_MODEL_ADAPTER_INSIDE_H

#include "model/adapter.h"
#include "model/safetensors.h"
#include "model/tensors.h"

/* A linear map as PEFT names it. */
typedef struct ttt_adapter_module {
    char name[64]; /* "model.layers.0.self_attn.q_proj" */
    int32_t layer; /* -1: of no layer */
    ttt_linear_kind kind;
    size_t out, in;
} ttt_adapter_module;

/* The linear map whose weight a tensor is; false of any other tensor. */
bool ttt_adapter_module_of(const ttt_model_config *config, const ttt_tensor *tensor, ttt_adapter_module *module);
/* Walks over all linear maps of a model, embedding and output two even where they share a weight: from *index == 0 on,
 * until it returns false. */
bool ttt_adapter_next_module(const ttt_model_config *config, size_t *index, ttt_adapter_module *module);

ttt_status ttt_adapter_config_read(const char *path, const ttt_model_config *config, ttt_session_options *options,
                                   ttt_error *err);
ttt_status ttt_adapter_config_write(const char *path, const ttt_model_config *config,
                                    const ttt_session_options *options, const char *base, ttt_error *err);

/* The name of A's or B's tensor. */
enum { TTT_ADAPTER_NAME = 128 };
void ttt_adapter_tensor_name(const ttt_adapter_module *module, bool b, char name[TTT_ADAPTER_NAME]);

/* An adapter folder that has been checked: configuration, and every tensor there and of its shape. */
typedef struct ttt_adapter_folder {
    ttt_session_options options; /* as ttt_adapter_options_read gives them */
    ttt_safetensors *tensors;
} ttt_adapter_folder;
ttt_status ttt_adapter_folder_open(ttt_adapter_folder *adapter, const char *folder, const ttt_model_config *config,
                                   ttt_error *err);
void ttt_adapter_folder_close(ttt_adapter_folder *adapter);
/* A or B of a targeted module as float32. */
void ttt_adapter_folder_read(const ttt_adapter_folder *adapter, const ttt_adapter_module *module, bool b, float *to);
/* The folder's copy of the base's embedding or output, or NULL. */
const ttt_safetensor *ttt_adapter_folder_base(const ttt_adapter_folder *adapter, const ttt_adapter_module *module);
/* That such a copy is what the base has: value [rows, columns]. */
ttt_status ttt_adapter_check_base(const ttt_safetensor *copy, const float *value, ttt_error *err);

/* value [out, in] += scale·B·A; with `transposed` value is [in, out], as the embedding is kept. */
void ttt_adapter_fold(size_t out, size_t in, size_t rank, float scale, const float *a, const float *b, bool transposed,
                      float *value);

#endif
