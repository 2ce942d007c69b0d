/* From Oniguruma's syntax to PCRE2's, by letting through what is known to mean the same in both and nothing else. */
#include "model/tokenizer_pattern.h"

#include "model/unicode.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

struct ttt_pattern {
    pcre2_code *code;
};

struct ttt_matcher {
    pcre2_match_data *data;
    pcre2_match_context *limits;
};

/* White space as Unicode defines it, for use inside a set. */
#define SPACES "\\p{Z}\\x09-\\x0D\\x{85}"

/* ---------------------------------------------------------------------------------------------- syntax */

typedef struct translation {
    const char *pattern, *at;
    ttt_bytes out;
    ttt_error *err;
} translation;

static ttt_status refuse(const translation *t, const char *what) {
    return ttt_fail(t->err, TTT_ERROR_UNSUPPORTED, "the split pattern \"%.200s\" has %s at byte %zu", t->pattern, what,
                    (size_t)(t->at - t->pattern));
}

static ttt_status put(translation *t, const char *text, size_t bytes) {
    return ttt_bytes_append(&t->out, text, bytes, t->err);
}

static ttt_status put_text(translation *t, const char *text) {
    return put(t, text, strlen(text));
}

/* \p{Lu}, \P{N}, \p{^L}, \pL; t->at is at the backslash. */
static ttt_status translate_property(translation *t) {
    const char *name = t->at + 2;
    const bool braces = *name == '{';
    if (braces) name++;
    if (braces && *name == '^') name++;
    size_t length = braces ? strcspn(name, "}") : 1;
    if (*name == '\0' || strchr("LMNPSZC", *name) == NULL || length < 1 || length > 2 ||
        (length == 2 && strchr("ultmocenkdfspi", name[1]) == NULL) || (braces && name[length] != '}')) {
        return refuse(t, "a property that is no general category");
    }
    const char *end = name + length + (braces ? 1 : 0);
    TTT_TRY(put(t, t->at, (size_t)(end - t->at)));
    t->at = end;
    return TTT_OK;
}

/* \u3040 */
static ttt_status translate_code(translation *t) {
    const char *digits = t->at + 2;
    if (strspn(digits, "0123456789abcdefABCDEF") < 4) return refuse(t, "\\u without four digits");
    TTT_TRY(put_text(t, "\\x{"));
    TTT_TRY(put(t, digits, 4));
    t->at += 6;
    return put_text(t, "}");
}

static ttt_status translate_escape(translation *t, bool in_set) {
    const char kind = t->at[1];
    if (kind == 'p' || kind == 'P') return translate_property(t);
    if (kind == 'u') return translate_code(t);
    if (kind == 's' || (kind == 'S' && !in_set)) {
        t->at += 2;
        return put_text(t, in_set ? SPACES : kind == 's' ? "[" SPACES "]" : "[^" SPACES "]");
    }
    const bool letter = (kind >= 'a' && kind <= 'z') || (kind >= 'A' && kind <= 'Z') || (kind >= '0' && kind <= '9');
    const bool braced = kind == 'x' && t->at[2] == '{';
    if (kind == '\0' || (unsigned char)kind >= 0x80 || (letter && !braced && strchr("rntfdD", kind) == NULL)) {
        return refuse(t, "an escape that is not supported");
    }
    TTT_TRY(put(t, t->at, 2));
    t->at += 2;
    return TTT_OK;
}

/* [...]; t->at is at the bracket. */
static ttt_status translate_set(translation *t) {
    TTT_TRY(put(t, t->at++, 1));
    if (*t->at == '^') TTT_TRY(put(t, t->at++, 1));
    if (*t->at == ']') return refuse(t, "an empty set");
    while (*t->at != ']') {
        if (*t->at == '\0') return refuse(t, "a set without an end");
        if (*t->at == '[' || (t->at[0] == '&' && t->at[1] == '&')) return refuse(t, "a set inside a set");
        if (*t->at == '\\')
            TTT_TRY(translate_escape(t, true));
        else
            TTT_TRY(put(t, t->at++, 1));
    }
    return put(t, t->at++, 1);
}

/* (, (?:, (?i:, (?=, (?!, (?<=, (?<!, (?> */
static ttt_status translate_group(translation *t) {
    static const char *const OPENINGS[] = {"(?:", "(?i:", "(?=", "(?!", "(?<=", "(?<!", "(?>"};
    if (t->at[1] != '?' && t->at[1] != '*') return put(t, t->at++, 1);
    for (size_t i = 0; i < sizeof OPENINGS / sizeof *OPENINGS; i++) {
        const size_t length = strlen(OPENINGS[i]);
        if (strncmp(t->at, OPENINGS[i], length) != 0) continue;
        t->at += length;
        return put_text(t, OPENINGS[i]);
    }
    return refuse(t, "a group of a kind that is not supported");
}

/* {1,3}: what follows must not make it possessive or lazy, which the two syntaxes read in different ways. */
static ttt_status translate_range(translation *t) {
    const size_t digits = strspn(t->at + 1, "0123456789,");
    const char end = t->at[1 + digits];
    const char after = end == '\0' ? '\0' : t->at[2 + digits];
    if (digits == 0 || t->at[1] == ',' || end != '}' || after == '+' || after == '?') {
        return refuse(t, "a range that is not supported");
    }
    TTT_TRY(put(t, t->at, digits + 2));
    t->at += digits + 2;
    return TTT_OK;
}

static ttt_status translate(translation *t) {
    for (t->at = t->pattern; *t->at != '\0';) {
        switch (*t->at) {
        case '\\': TTT_TRY(translate_escape(t, false)); break;
        case '[': TTT_TRY(translate_set(t)); break;
        case '(': TTT_TRY(translate_group(t)); break;
        case '{': TTT_TRY(translate_range(t)); break;
        case '^':
        case '$': return refuse(t, "an anchor");
        default: TTT_TRY(put(t, t->at++, 1));
        }
    }
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- PCRE2 */

/* PCRE2's memory comes from ours, so that tests reach every failure. */
static void *allocate(PCRE2_SIZE bytes, void *unused) {
    (void)unused;
    return ttt_allocate(bytes, 1);
}

static void release(void *memory, void *unused) {
    (void)unused;
    ttt_free(memory);
}

static ttt_status compile(const translation *t, pcre2_general_context *memory, pcre2_compile_context *context,
                          pcre2_code **code) {
    if (memory == NULL || context == NULL) {
        return ttt_fail(t->err, TTT_ERROR_MEMORY, "out of memory for a split pattern");
    }
    int reason;
    PCRE2_SIZE place;
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    *code = pcre2_compile((PCRE2_SPTR)t->out.items, t->out.count, PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C,
                          &reason, &place, context);
    if (*code != NULL) return TTT_OK;
    if (reason == PCRE2_ERROR_HEAP_FAILED) {
        return ttt_fail(t->err, TTT_ERROR_MEMORY, "out of memory for a split pattern");
    }
    PCRE2_UCHAR message[128] = "";
    pcre2_get_error_message(reason, message, sizeof message);
    return ttt_fail(t->err, TTT_ERROR_FORMAT, "the split pattern \"%.200s\" is not valid: %s", t->pattern,
                    (const char *)message);
}

ttt_status ttt_pattern_compile(const char *text, ttt_pattern **pattern, ttt_error *err) {
    *pattern = ttt_allocate(1, sizeof **pattern);
    if (*pattern == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a split pattern");
    translation t = {.pattern = text, .at = text, .err = err};
    pcre2_general_context *memory = NULL;
    pcre2_compile_context *context = NULL;
    ttt_status status;
    TTT_TRY_OUT(translate(&t));
    memory = pcre2_general_context_create(allocate, release, NULL);
    context = memory == NULL ? NULL : pcre2_compile_context_create(memory);
    status = compile(&t, memory, context, &(*pattern)->code);
out:
    pcre2_compile_context_free(context);
    pcre2_general_context_free(memory);
    ttt_free(t.out.items);
    if (status != TTT_OK) {
        ttt_free(*pattern);
        *pattern = NULL;
    }
    return status;
}

void ttt_pattern_free(ttt_pattern *pattern) {
    if (pattern == NULL) return;
    pcre2_code_free(pattern->code);
    ttt_free(pattern);
}

ttt_status ttt_matcher_new(ttt_matcher **matcher, ttt_error *err) {
    *matcher = ttt_allocate(1, sizeof **matcher);
    pcre2_general_context *memory = pcre2_general_context_create(allocate, release, NULL);
    if (*matcher != NULL && memory != NULL) {
        (*matcher)->data = pcre2_match_data_create(1, memory);
        (*matcher)->limits = pcre2_match_context_create(memory);
    }
    pcre2_general_context_free(memory);
    if (*matcher != NULL && (*matcher)->data != NULL && (*matcher)->limits != NULL) return TTT_OK;
    ttt_matcher_free(*matcher);
    *matcher = NULL;
    return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for matching a split pattern");
}

void ttt_matcher_free(ttt_matcher *matcher) {
    if (matcher == NULL) return;
    pcre2_match_data_free(matcher->data);
    pcre2_match_context_free(matcher->limits);
    ttt_free(matcher);
}

/* What a pattern that goes through a text a few times needs, with room to spare; a pattern that backtracks
 * exponentially is stopped by it. */
static uint32_t match_limit(size_t bytes) {
    const size_t limit = 1000000 + 64 * (bytes < UINT32_MAX / 128 ? bytes : UINT32_MAX / 128);
    return (uint32_t)limit;
}

ttt_status ttt_pattern_next(const ttt_pattern *pattern, ttt_matcher *matcher, const char *text, size_t bytes,
                            size_t from, bool *found, size_t *begin, size_t *end, ttt_error *err) {
    pcre2_set_match_limit(matcher->limits, match_limit(bytes));
    const int count = pcre2_match(pattern->code, (PCRE2_SPTR)text, bytes, from, PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY,
                                  matcher->data, matcher->limits);
    *found = count >= 0;
    if (*found) {
        const PCRE2_SIZE *place = pcre2_get_ovector_pointer(matcher->data);
        *begin = place[0];
        *end = place[1];
        return TTT_OK;
    }
    if (count == PCRE2_ERROR_NOMATCH) return TTT_OK;
    if (count == PCRE2_ERROR_NOMEMORY) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for matching a split pattern");
    }
    return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "the tokenizer's split pattern takes too many steps on this text");
}
