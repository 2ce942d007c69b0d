/* What a model on disk is made of, without loading it: configuration, tensors by type, tokenizer. Reads the
 * configuration and the list of tensors, and checks that all are there; no weight is touched. */
#ifndef TTT_MODEL_FACTS_H
#define TTT_MODEL_FACTS_H

#include "model/config.h"

typedef struct ttt_model_facts {
    ttt_model_config config;
    const char *family; /* "llama", "mistral", "qwen2", "qwen3" */
    const char *format; /* "safetensors" or "gguf" */
    size_t tensors;
    int64_t bytes[TTT_DTYPE_COUNT]; /* of the tensors of each type */
    char tokenizer[64]; /* as the files call its kind: "LlamaTokenizer", "gpt2/llama-bpe"; "": there is none */
} ttt_model_facts;

/* Release with ttt_model_facts_release. */
ttt_status ttt_model_facts_read(const char *path, ttt_model_facts *facts, ttt_error *err);
void ttt_model_facts_release(ttt_model_facts *facts);

#endif
