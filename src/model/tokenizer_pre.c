#include "model/tokenizer_pre.h"

#include <string.h>

#define CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)|"
#define WORD "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
#define REST "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"

#define PATTERN_LLAMA3 CONTRACTIONS WORD "\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" REST
#define PATTERN_QWEN2 CONTRACTIONS WORD "\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" REST
#define PATTERN_GPT2 "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
#define PATTERN_TEKKEN                                                                                                 \
    "[^\\r\\n\\p{L}\\p{N}]?" UPPER "*" LOWER "+|[^\\r\\n\\p{L}\\p{N}]?" UPPER "+" LOWER                                \
    "*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" REST

const char ttt_gpt2_pattern[] = PATTERN_GPT2;

static const ttt_pre_tokenizer TABLE[] = {
    {.name = "llama-bpe", .pattern = PATTERN_LLAMA3, .ignore_merges = true, .adds_start = true},
    {.name = "llama3", .pattern = PATTERN_LLAMA3, .ignore_merges = true, .adds_start = true},
    {.name = "llama-v3", .pattern = PATTERN_LLAMA3, .ignore_merges = true, .adds_start = true},
    {.name = "qwen2", .pattern = PATTERN_QWEN2, .compose = true},
    {.name = "deepseek-r1-qwen", .pattern = PATTERN_QWEN2, .compose = true},
    {.name = "tekken", .pattern = PATTERN_TEKKEN, .ignore_merges = true},
    {.name = "smollm", .pattern = PATTERN_GPT2, .digits = true},
    {.name = "starcoder", .pattern = PATTERN_GPT2, .digits = true},
    {.name = "gpt-2", .pattern = PATTERN_GPT2},
    {.name = "default", .pattern = PATTERN_GPT2},
};
enum { COUNT = sizeof TABLE / sizeof *TABLE };

const ttt_pre_tokenizer *ttt_pre_tokenizer_find(const char *name, size_t bytes) {
    for (size_t i = 0; i < COUNT; i++) {
        if (strlen(TABLE[i].name) == bytes && memcmp(TABLE[i].name, name, bytes) == 0) return &TABLE[i];
    }
    return NULL;
}

const ttt_pre_tokenizer *ttt_pre_tokenizer_match(const ttt_pre_tokenizer *like) {
    for (size_t i = 0; i < COUNT; i++) {
        const ttt_pre_tokenizer *known = &TABLE[i];
        if (like->pattern != NULL && strcmp(known->pattern, like->pattern) == 0 && known->digits == like->digits &&
            known->compose == like->compose && known->ignore_merges == like->ignore_merges) {
            return known;
        }
    }
    return NULL;
}
