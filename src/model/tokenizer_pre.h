/* The pre-tokenizers that GGUF has names for ("tokenizer.ggml.pre"): split patterns, and what goes with them because
 * GGUF has no field for it. Private to src/model. */
#ifndef TTT_MODEL_TOKENIZER_PRE_H
#define TTT_MODEL_TOKENIZER_PRE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct ttt_pre_tokenizer {
    const char *name, *pattern; /* the pattern in the syntax of tokenizer.json */
    bool digits;                /* every digit is a piece of its own, before the pattern */
    bool compose;               /* the model saw composed text (NFC) */
    bool ignore_merges;         /* a piece that is a token is that token, whatever merges make of it */
    bool adds_start;            /* unless the file says otherwise */
} ttt_pre_tokenizer;

/* NULL: none of that name. */
const ttt_pre_tokenizer *ttt_pre_tokenizer_find(const char *name, size_t bytes);
/* The first that splits like `like` (its name is not looked at); NULL: none. */
const ttt_pre_tokenizer *ttt_pre_tokenizer_match(const ttt_pre_tokenizer *like);

/* The pattern of GPT-2, which the step "ByteLevel" of tokenizer.json means. */
extern const char ttt_gpt2_pattern[];

#endif
