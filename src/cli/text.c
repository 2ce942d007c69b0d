#include "cli/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

ttt_status ttt_read_standard_input(ttt_bytes *text, ttt_error *err) {
    enum { STEP = 65536 };
    size_t got;
    do {
        TTT_TRY(TTT_RESERVE(text, text->count + STEP, err));
        got = fread(text->items + text->count, 1, STEP, stdin);
        text->count += got;
    } while (got > 0);
    return ferror(stdin) ? ttt_fail(err, TTT_ERROR_IO, "cannot read standard input: %s", strerror(errno)) : TTT_OK;
}

/* Bytes of the character that begins here; 0: none does. Over-long forms, surrogates and numbers above U+10FFFF are
 * no characters. */
static size_t character_bytes(const unsigned char *at, size_t left) {
    const size_t length = at[0] < 0x80   ? 1
                          : at[0] < 0xC2 ? 0
                          : at[0] < 0xE0 ? 2
                          : at[0] < 0xF0 ? 3
                          : at[0] < 0xF5 ? 4
                                         : 0;
    if (length == 0 || length > left) return 0;
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80) return 0;
    }
    if ((at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xED && at[1] > 0x9F)) return 0;
    if ((at[0] == 0xF0 && at[1] < 0x90) || (at[0] == 0xF4 && at[1] > 0x8F)) return 0;
    return length;
}

json_t *ttt_text_to_json(const char *text, size_t bytes) {
    static const char replacement[] = "\xEF\xBF\xBD";
    size_t most;
    char *legal = ttt_size_multiply(bytes, sizeof replacement - 1, &most) ? ttt_allocate(most, 1) : NULL;
    if (legal == NULL) return NULL;
    size_t count = 0;
    for (size_t i = 0, length; i < bytes; i += length) {
        length = character_bytes((const unsigned char *)text + i, bytes - i);
        const char *from = length > 0 ? text + i : replacement;
        const size_t size = length > 0 ? length : sizeof replacement - 1;
        memcpy(legal + count, from, size);
        count += size;
        if (length == 0) length = 1;
    }
    json_t *string = json_stringn(legal, count);
    ttt_free(legal);
    return string;
}
