/* Tokenizers between tokenizer.json and the metadata of GGUF. GGUF knows two kinds: "gpt2", byte-level with merges,
 * whose split pattern it names; and "llama", characters whose merges follow from scores. Private to src/model. */
#ifndef TTT_MODEL_GGUF_TOKENIZER_H
#define TTT_MODEL_GGUF_TOKENIZER_H

#include "base/json.h"
#include "model/gguf.h"
#include "model/gguf_write.h"

/* Kinds of tokens, by their numbers in files. */
enum { TTT_GGUF_NORMAL = 1, TTT_GGUF_UNKNOWN, TTT_GGUF_CONTROL, TTT_GGUF_USER_DEFINED, TTT_GGUF_UNUSED, TTT_GGUF_BYTE };

/* Special tokens under their keys in tokenizer_config.json (the text), config.json and GGUF (the id). */
enum { TTT_GGUF_START, TTT_GGUF_END, TTT_GGUF_UNKNOWN_ID, TTT_GGUF_PADDING_ID, TTT_GGUF_SPECIALS };
typedef struct ttt_gguf_special {
    const char *name, *id_key, *gguf_key;
} ttt_gguf_special;
extern const ttt_gguf_special ttt_gguf_specials[TTT_GGUF_SPECIALS];

/* Whether the file describes a tokenizer: it names a model of one, and not "no_vocab". */
bool ttt_gguf_has_tokenizer(const ttt_gguf *gguf);

/* The metadata of the tokenizer in a model folder (tokenizer.json, tokenizer_config.json), one token for each of
 * `vocabulary` rows; "no_vocab" where the folder has no tokenizer. What GGUF cannot say is TTT_ERROR_UNSUPPORTED. */
ttt_status ttt_gguf_tokenizer_write(const char *folder, size_t vocabulary, ttt_gguf_writer *writer, ttt_error *err);

/* The other way, in memory: tokenizer.json and tokenizer_config.json, new references; both NULL where the file has no
 * tokenizer. The ids of start and end are added to `config`, the model's config.json. */
ttt_status ttt_gguf_tokenizer_to_json(const ttt_gguf *gguf, json_t *config, json_t **tokenizer, json_t **settings,
                                      ttt_error *err);

#endif
