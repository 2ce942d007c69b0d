/* The shape of a model in the metadata of a GGUF file, read and written. Private to src/model.
 *
 * Scaled rotary positions (Llama 3.1, 3.2) have no metadata: the file holds a tensor "rope_freqs.weight" [head_dim / 2]
 * of what each frequency is divided by, and the numbers of ttt_rope_scaling are found from it. */
#ifndef TTT_MODEL_GGUF_CONFIG_H
#define TTT_MODEL_GGUF_CONFIG_H

#include "model/config.h"
#include "model/gguf.h"
#include "model/gguf_write.h"

#define TTT_GGUF_ROPE_FACTORS "rope_freqs.weight"

/* "general.architecture" and what belongs to it: llama (which is Mistral's, too), qwen2, qwen3; others are
 * TTT_ERROR_UNSUPPORTED. The vocabulary's size is that of the embedding, of the tokens where there is none. */
ttt_status ttt_gguf_config_read(const ttt_gguf *gguf, ttt_model_config *config, ttt_error *err);
/* Does this family's file hold the rows of q and k with the two halves of a head interleaved (row 2i is our row i, row
 * 2i + 1 our row i + head_dim / 2)? */
bool ttt_gguf_interleaves(const ttt_model_config *config);

/* The metadata of a config. What GGUF has no word for (axes, an encoding) is TTT_ERROR_UNSUPPORTED. */
ttt_status ttt_gguf_config_write(const ttt_model_config *config, const char *where, ttt_gguf_writer *writer,
                                 ttt_error *err);
/* The factors of "rope_freqs.weight" of a config with scaling, [head_dim / 2]. */
void ttt_gguf_rope_factors(const ttt_model_config *config, float *factors);

#endif
