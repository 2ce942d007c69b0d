/* What the tokenizers need of Unicode beside split patterns: UTF-8 checked character by character, white space, and
 * canonical composition (NFC). */
#ifndef TTT_MODEL_UNICODE_H
#define TTT_MODEL_UNICODE_H

#include "base/memory.h"
#include "model/tokenizer.h"

/* The length in bytes of the character that `text` begins with, 0 if it begins with none: a stray or missing
 * continuation byte, an overlong form, a surrogate, over U+10FFFF. `code` may be NULL. */
size_t ttt_utf8_decode(const char *text, size_t bytes, uint32_t *code);
/* How many bytes from the start are whole characters; with `valid` false: how many from the start are none. */
size_t ttt_utf8_run(const char *text, size_t bytes, bool valid);
/* Appends `text` with U+FFFD for every byte that belongs to no character: for JSON, which holds only valid UTF-8. */
ttt_status ttt_utf8_repair(const char *text, size_t bytes, ttt_bytes *to, ttt_error *err);
/* Writes 1 to 4 bytes, returns how many. `code` is a character. */
size_t ttt_utf8_encode(uint32_t code, char *to);

bool ttt_unicode_is_space(uint32_t code); /* the property White_Space */
/* Appends the composed form of `text`; bytes that are no characters are kept as they are. */
ttt_status ttt_unicode_compose(const char *text, size_t bytes, ttt_bytes *to, ttt_error *err);

ttt_status ttt_bytes_append(ttt_bytes *to, const char *text, size_t bytes, ttt_error *err);

#endif
