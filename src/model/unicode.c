/* UTF-8 and normalisation. The data of NFC (decompositions, combining classes, composites) comes from utf8proc; the
 * order of combining marks is made here, by a sort, since the library's own is quadratic in the length of a run of
 * marks and a text may be nothing else. */
#include "model/unicode.h"

#include <string.h>
#include <utf8proc.h>

/* The least character of each length: what could be written shorter is no character. */
static const uint32_t LEAST[5] = {0, 0, 0x80, 0x800, 0x10000};

size_t ttt_utf8_decode(const char *text, size_t bytes, uint32_t *code) {
    if (bytes == 0) return 0;
    const unsigned char first = (unsigned char)text[0];
    const size_t length = first < 0x80   ? 1
                          : first < 0xC0 ? 0
                          : first < 0xE0 ? 2
                          : first < 0xF0 ? 3
                          : first < 0xF8 ? 4
                                         : 0;
    if (length == 0 || length > bytes) return 0;
    uint32_t value = length == 1 ? first : first & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (((unsigned char)text[i] & 0xC0) != 0x80) return 0;
        value = value << 6 | ((unsigned char)text[i] & 0x3F);
    }
    if (value < LEAST[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return 0;
    if (code != NULL) *code = value;
    return length;
}

size_t ttt_utf8_run(const char *text, size_t bytes, bool valid) {
    size_t at = 0;
    while (at < bytes) {
        const size_t length = ttt_utf8_decode(text + at, bytes - at, NULL);
        if ((length > 0) != valid) break;
        at += valid ? length : 1;
    }
    return at;
}

size_t ttt_utf8_encode(uint32_t code, char *to) {
    return (size_t)utf8proc_encode_char((utf8proc_int32_t)code, (utf8proc_uint8_t *)to);
}

bool ttt_unicode_is_space(uint32_t code) {
    return (code >= 0x09 && code <= 0x0D) || code == 0x20 || code == 0x85 || code == 0xA0 || code == 0x1680 ||
           (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F ||
           code == 0x3000;
}

ttt_status ttt_bytes_append(ttt_bytes *to, const char *text, size_t bytes, ttt_error *err) {
    TTT_TRY(TTT_RESERVE(to, to->count + bytes, err));
    if (bytes > 0) memcpy(to->items + to->count, text, bytes);
    to->count += bytes;
    return TTT_OK;
}

ttt_status ttt_utf8_repair(const char *text, size_t bytes, ttt_bytes *to, ttt_error *err) {
    static const char REPLACEMENT[] = "\xEF\xBF\xBD";
    for (size_t at = 0; at < bytes;) {
        const size_t valid = ttt_utf8_run(text + at, bytes - at, true);
        TTT_TRY(ttt_bytes_append(to, text + at, valid, err));
        at += valid;
        if (at++ < bytes) TTT_TRY(ttt_bytes_append(to, REPLACEMENT, sizeof REPLACEMENT - 1, err));
    }
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- composition */

typedef struct code_list {
    utf8proc_int32_t *items;
    size_t count, capacity;
} code_list;

static utf8proc_propval_t combining_class(utf8proc_int32_t code) {
    return utf8proc_get_property(code)->combining_class;
}

/* Nothing below U+0300 composes with what comes before it: such a text is composed already. */
static bool is_plain(const char *text, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        if ((unsigned char)text[i] >= 0xCC) return false; /* U+0300 is CC 80 */
    }
    return true;
}

static ttt_status decompose(const char *text, size_t bytes, code_list *codes, ttt_error *err) {
    enum { LONGEST = 8 }; /* the longest canonical decomposition of a character has 4 */
    for (size_t at = 0; at < bytes;) {
        uint32_t code = 0;
        at += ttt_utf8_decode(text + at, bytes - at, &code);
        TTT_TRY(TTT_RESERVE(codes, codes->count + LONGEST, err));
        int boundary = 0;
        codes->count += (size_t)utf8proc_decompose_char((utf8proc_int32_t)code, codes->items + codes->count, LONGEST,
                                                        UTF8PROC_DECOMPOSE, &boundary);
    }
    return TTT_OK;
}

/* Sorts a run of combining marks by class, keeping the order of equals: counting sort. */
static void sort_marks(const utf8proc_int32_t *from, size_t count, utf8proc_int32_t *to) {
    size_t place[256] = {0};
    for (size_t i = 0; i < count; i++) place[combining_class(from[i])]++;
    for (size_t class = 0, next = 0; class < 256; class ++) {
        const size_t some = place[class];
        place[class] = next;
        next += some;
    }
    for (size_t i = 0; i < count; i++) to[place[combining_class(from[i])]++] = from[i];
}

static ttt_status order_marks(code_list *codes, ttt_error *err) {
    code_list sorted = {0};
    ttt_status status = TTT_OK;
    for (size_t i = 0; i < codes->count;) {
        size_t end = i;
        while (end < codes->count && combining_class(codes->items[end]) != 0) end++;
        if (end - i > 1) {
            TTT_TRY_OUT(TTT_RESERVE(&sorted, end - i, err));
            sort_marks(codes->items + i, end - i, sorted.items);
            memcpy(codes->items + i, sorted.items, (end - i) * sizeof *codes->items);
        }
        i = end == i ? i + 1 : end;
    }
out:
    ttt_free(sorted.items);
    return status;
}

/* `text` is valid UTF-8. */
static ttt_status compose_valid(const char *text, size_t bytes, ttt_bytes *to, ttt_error *err) {
    code_list codes = {0};
    ttt_status status;
    TTT_TRY_OUT(decompose(text, bytes, &codes, err));
    TTT_TRY_OUT(order_marks(&codes, err));
    const utf8proc_ssize_t count =
        utf8proc_normalize_utf32(codes.items, (utf8proc_ssize_t)codes.count, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    for (utf8proc_ssize_t i = 0; i < count; i++) {
        char character[4];
        TTT_TRY_OUT(ttt_bytes_append(to, character, ttt_utf8_encode((uint32_t)codes.items[i], character), err));
    }
out:
    ttt_free(codes.items);
    return status;
}

ttt_status ttt_unicode_compose(const char *text, size_t bytes, ttt_bytes *to, ttt_error *err) {
    if (is_plain(text, bytes)) return ttt_bytes_append(to, text, bytes, err);
    for (size_t at = 0; at < bytes;) {
        const size_t valid = ttt_utf8_run(text + at, bytes - at, true);
        if (valid > 0) TTT_TRY(compose_valid(text + at, valid, to, err));
        const size_t invalid = ttt_utf8_run(text + at + valid, bytes - at - valid, false);
        TTT_TRY(ttt_bytes_append(to, text + at + valid, invalid, err));
        at += valid + invalid;
    }
    return TTT_OK;
}
