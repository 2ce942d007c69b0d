/* Tokenizers: text to ids and back. Byte-level BPE with a split pattern (Llama 3, Qwen) and BPE over characters with
 * byte fallback (Llama 2, Mistral), from Hugging Face's tokenizer.json or from the metadata of a GGUF file.
 *
 * Frozen after loading, shared by any number of threads. Text is bytes with a length; it may hold NUL and invalid
 * UTF-8. Which characters are letters, numbers or white space is PCRE2's to say: what is newer than its Unicode (14 in
 * Debian 12) counts as none of them. */
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
int32_t ttt_tokenizer_start(const ttt_tokenizer *tokenizer);   /* begin of text */
int32_t ttt_tokenizer_end(const ttt_tokenizer *tokenizer);     /* end of text */
bool ttt_tokenizer_adds_start(const ttt_tokenizer *tokenizer); /* does its model want the start before every text? */
/* Does this id end an answer: end of text, end of turn? */
bool ttt_tokenizer_stops(const ttt_tokenizer *tokenizer, int32_t id);
bool ttt_tokenizer_is_special(const ttt_tokenizer *tokenizer, int32_t id);
/* The special token spelt so ("<|eot_id|>"), or -1. */
int32_t ttt_tokenizer_special(const ttt_tokenizer *tokenizer, const char *text);

enum {
    TTT_TOKENIZE_START = 1,    /* begin with the start token, if the tokenizer's model wants it */
    TTT_TOKENIZE_SPECIALS = 2, /* text spelt like a special token becomes it; without this, never: user input cannot
                                  smuggle one in, not even where the file has merges that would make it */
    TTT_TOKENIZE_INSIDE = 4    /* a piece that continues a text: no blank is put before it (Llama 2's dummy prefix) */
};
/* Appends the ids of `text`, in time O(n log n). Bytes that are not valid UTF-8 never join a match of the split pattern
 * with their neighbours; they become byte tokens (or merges of them), so that decoding gives them back. The tokenizers
 * package cannot be given such a text: a caller of it would have replaced them by U+FFFD.
 *
 * Fails when memory is out; when the vocabulary cannot write a character (cut-down vocabularies without all bytes;
 * TTT_ERROR_ARGUMENT); when the file's split pattern or its replacements run away on this text, which no sensible
 * tokenizer's do (TTT_ERROR_UNSUPPORTED). `ids` is then as it was. */
ttt_status ttt_tokenizer_encode(const ttt_tokenizer *tokenizer, const char *text, size_t bytes, unsigned flags,
                                ttt_ids *ids, ttt_error *err);
/* Appends the text of ids; `specials`: special tokens are spelt out, else left out. A prefix blank that encoding puts
 * before a text is taken away again. Byte tokens that are no UTF-8 together are written as they are (the tokenizers
 * package writes U+FFFD). An id that is not the tokenizer's: TTT_ERROR_ARGUMENT, and `text` as it was. */
ttt_status ttt_tokenizer_decode(const ttt_tokenizer *tokenizer, const int32_t *ids, size_t count, bool specials,
                                ttt_bytes *text, ttt_error *err);
/* The bytes of one token as it stands inside a text (no prefix blank taken away), special or not; may be part of a
 * character: for streaming. */
ttt_status ttt_tokenizer_piece(const ttt_tokenizer *tokenizer, int32_t id, ttt_bytes *text, ttt_error *err);

/* Chat: how a conversation is written for the model. The kind is recognised from the special tokens; Mistral's first
 * models, whose marks are plain text, from the chat template. A conversation is
 *
 *     [start token]  then for each message:  open, content, close  and at last an open for the assistant
 */
typedef enum ttt_chat_kind {
    TTT_CHAT_NONE,   /* no format that is known: a base model without roles */
    TTT_CHAT_LLAMA3, /* <|start_header_id|>user<|end_header_id|>\n\n ... <|eot_id|> */
    TTT_CHAT_CHATML, /* <|im_start|>user\n ... <|im_end|>\n */
    TTT_CHAT_MISTRAL /* [INST] ... [/INST] ... </s> */
} ttt_chat_kind;
typedef enum ttt_role {
    TTT_ROLE_SYSTEM,
    TTT_ROLE_USER,
    TTT_ROLE_ASSISTANT,
    TTT_ROLE_NONE /* only as the role before the first message */
} ttt_role;
ttt_chat_kind ttt_tokenizer_chat(const ttt_tokenizer *tokenizer);
/* Appends what comes before the content of a message, or after it. The content itself is the caller's to encode: it may
 * be made of pieces. Its first piece is encoded with *flags (TTT_TOKENIZE_INSIDE or, where the model was trained on a
 * blank there, 0), every further one with TTT_TOKENIZE_INSIDE. The families' own templates take white space off both
 * ends of a content. `before` is the role of the message before: Mistral has no system messages, their text begins the
 * user's message that follows. TTT_ERROR_ARGUMENT for TTT_CHAT_NONE. */
ttt_status ttt_tokenizer_chat_open(const ttt_tokenizer *tokenizer, ttt_role role, ttt_role before, ttt_ids *ids,
                                   unsigned *flags, ttt_error *err);
ttt_status ttt_tokenizer_chat_close(const ttt_tokenizer *tokenizer, ttt_role role, ttt_ids *ids, ttt_error *err);
/* Appends a whole question: the start token, the system's message (NULL: none), the user's, and what comes before the
 * answer. */
ttt_status ttt_tokenizer_chat_question(const ttt_tokenizer *tokenizer, const char *system, const char *user,
                                       size_t user_bytes, ttt_ids *ids, ttt_error *err);

#endif
