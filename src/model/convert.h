/* Conversion of models between folders in Hugging Face's layout and GGUF files, tokenizer included. */
#ifndef TTT_MODEL_CONVERT_H
#define TTT_MODEL_CONVERT_H

#include "base/clock.h"
#include "base/progress.h"
#include "tensor/backend.h"

typedef struct ttt_convert_options {
    /* Of the matrices: TTT_F32, TTT_F16, TTT_BF16; in a GGUF file also TTT_Q8_0 and TTT_Q4_0. TTT_DTYPE_COUNT: each
     * as it is, blocks in a folder as F16. Gains and biases are F32 always, and rows of no whole blocks F16. */
    ttt_dtype dtype;
    ttt_progress progress;     /* in tensors */
    const ttt_stop_flag *stop; /* NULL is fine */
} ttt_convert_options;

/* From a folder to a file, or from a file to a folder (which is made where there is none). Weights stream: memory holds
 * a few rows. What the other format cannot say (the split pattern of an unknown tokenizer, several axes of positions)
 * is TTT_ERROR_UNSUPPORTED, and nothing is written. A folder gets its config.json last, so that half of one is no
 * model. */
ttt_status ttt_model_convert(const char *from, const char *to, const ttt_convert_options *options, ttt_error *err);

#endif
