/* Small tokenizers of the kinds that language models have, made to be awkward: their merges join neighbouring digits,
 * line ends and brackets. */
#ifndef TTT_TESTS_ENCODE_TOKENIZERS_H
#define TTT_TESTS_ENCODE_TOKENIZERS_H

#include "model/tokenizer.h"

typedef enum tokenizer_kind {
    TOKENIZER_BASE,    /* byte-level, no roles */
    TOKENIZER_LLAMA3,  /* byte-level, with Llama 3's messages, and a start token */
    TOKENIZER_CHATML,  /* byte-level, with Qwen's messages */
    TOKENIZER_MISTRAL, /* characters with byte fallback, a blank before every text; Mistral's messages */
    TOKENIZER_KINDS
} tokenizer_kind;

ttt_tokenizer *tokenizer_make(tokenizer_kind kind);

#endif
