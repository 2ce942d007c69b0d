/* Tokenizers: text to ids and back. Byte-level BPE with a split pattern (Llama 3, Qwen) and BPE over characters with
 * byte fallback (Llama 2, Mistral), from Hugging Face's tokenizer.json or from the metadata of a GGUF file.
 *
 * Frozen after loading, shared by any number of threads. Text is bytes with a length; it may hold NUL and invalid
 * UTF-8. */
#ifndef TTT_MODEL_TOKENIZER_H
#define TTT_MODEL_TOKENIZER_H

#include "base/memory.h"
#include "model/gguf.h"

typedef struct ttt_tokenizer ttt_tokenizer;

/* Ids and bytes that grow; zero-initialise, release with ttt_free(x.items). */
typedef struct ttt_ids {
    int32_t *items;
    size_t count, capacity;
} ttt_ids;
typedef struct ttt_bytes {
    char *items; /* not NUL-terminated */
    size_t count, capacity;
} ttt_bytes;

/* From a model folder (tokenizer.json, and tokenizer_config.json where there is one) or a .gguf file. Errors name the
 * file and what in it is not supported. */
ttt_status ttt_tokenizer_load(const char *path, ttt_tokenizer **tokenizer, ttt_error *err);
ttt_status ttt_tokenizer_from_gguf(const ttt_gguf *gguf, ttt_tokenizer **tokenizer, ttt_error *err);
void ttt_tokenizer_free(ttt_tokenizer *tokenizer); /* NULL is fine */

int32_t ttt_tokenizer_size(const ttt_tokenizer *tokenizer); /* ids are below it */
/* -1: the tokenizer has none. */
int32_t ttt_tokenizer_start(const ttt_tokenizer *tokenizer); /* begin of text */
int32_t ttt_tokenizer_end(const ttt_tokenizer *tokenizer);   /* end of text */
bool ttt_tokenizer_adds_start(const ttt_tokenizer *tokenizer); /* does its model want the start before every text? */
/* Does this id end an answer: end of text, end of turn? */
bool ttt_tokenizer_stops(const ttt_tokenizer *tokenizer, int32_t id);
bool ttt_tokenizer_is_special(const ttt_tokenizer *tokenizer, int32_t id);
/* The special token spelt so ("<|eot_id|>"), or -1. */
int32_t ttt_tokenizer_special(const ttt_tokenizer *tokenizer, const char *text);

enum {
    TTT_TOKENIZE_START = 1,    /* begin with the start token, if the tokenizer's model wants it */
    TTT_TOKENIZE_SPECIALS = 2, /* text spelt like a special token becomes it; without this, never: user input cannot
                                  smuggle one in */
    TTT_TOKENIZE_INSIDE = 4    /* a piece that continues a text: no blank is put before it (Llama 2's dummy prefix) */
};
/* Appends the ids of `text`. The only failure is memory. */
ttt_status ttt_tokenizer_encode(const ttt_tokenizer *tokenizer, const char *text, size_t bytes, unsigned flags,
                                ttt_ids *ids, ttt_error *err);
/* Appends the text of ids; `specials`: special tokens are spelt out, else left out. `text` of a token alone may be part
 * of a character. An id that is not the tokenizer's: TTT_ERROR_ARGUMENT. */
ttt_status ttt_tokenizer_decode(const ttt_tokenizer *tokenizer, const int32_t *ids, size_t count, bool specials,
                                ttt_bytes *text, ttt_error *err);
/* The bytes of one token as it stands inside a text (no prefix blank taken away): for streaming. */
ttt_status ttt_tokenizer_piece(const ttt_tokenizer *tokenizer, int32_t id, ttt_bytes *text, ttt_error *err);

/* Chat: how a conversation is written for the model. The kind is recognised from the special tokens and the family. */
typedef enum ttt_chat_kind {
    TTT_CHAT_NONE,   /* a base model without roles */
    TTT_CHAT_LLAMA3, /* <|start_header_id|>user<|end_header_id|>\n\n ... <|eot_id|> */
    TTT_CHAT_CHATML, /* <|im_start|>user\n ... <|im_end|>\n */
    TTT_CHAT_MISTRAL /* [INST] ... [/INST] ... </s> */
} ttt_chat_kind;
typedef enum ttt_role { TTT_ROLE_SYSTEM, TTT_ROLE_USER, TTT_ROLE_ASSISTANT } ttt_role;
ttt_chat_kind ttt_tokenizer_chat(const ttt_tokenizer *tokenizer);
/* Appends what comes before the content of a message, or after it. The content itself is the caller's to encode
 * (TTT_TOKENIZE_INSIDE): it may be made of pieces. `first`: nothing but the start token came before. */
ttt_status ttt_tokenizer_chat_open(const ttt_tokenizer *tokenizer, ttt_role role, bool first, ttt_ids *ids,
                                   ttt_error *err);
ttt_status ttt_tokenizer_chat_close(const ttt_tokenizer *tokenizer, ttt_role role, ttt_ids *ids, ttt_error *err);

#endif
