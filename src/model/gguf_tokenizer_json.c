/* The metadata of GGUF to tokenizer.json; see gguf_tokenizer.h. The steps around the vocabulary are those that each
 * kind of tokenizer has in Hugging Face's files. */
#include "model/gguf_tokenizer.h"

#include "base/memory.h"
#include "model/tokenizer_inside.h"
#include "model/tokenizer_pre.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK "\xE2\x96\x81" /* U+2581, a blank in SentencePiece's pieces */

typedef struct reading {
    const ttt_gguf *gguf;
    const char *path;
    bool byte_level;
    const ttt_pre_tokenizer *pre; /* of a byte-level one */
    bool prefix;                  /* a blank is put before texts */
    size_t count;
    const ttt_gguf_array *texts, *types, *scores; /* types and scores may be NULL */
    json_t *vocab, *merges, *added;               /* owned until they are part of the whole */
} reading;

static ttt_status fail_memory(const reading *r, ttt_error *err) {
    return ttt_fail(err, TTT_ERROR_MEMORY, "%s: out of memory for its tokenizer", r->path);
}

static int type_of(const reading *r, size_t id) {
    if (r->types == NULL) return TTT_GGUF_NORMAL;
    const double type = ttt_gguf_array_number(r->types, id);
    return type >= TTT_GGUF_NORMAL && type <= TTT_GGUF_BYTE ? (int)type : TTT_GGUF_UNUSED;
}

/* ---------------------------------------------------------------------------------------------- tokens */

static ttt_status get_numbers(const reading *r, const char *key, const ttt_gguf_array **array, ttt_error *err) {
    size_t count;
    *array = NULL;
    if (!ttt_gguf_has(r->gguf, key)) return TTT_OK;
    TTT_TRY(ttt_gguf_get_numbers(r->gguf, key, array, &count, err));
    if (count == r->count) return TTT_OK;
    return ttt_fail(err, TTT_ERROR_FORMAT, "%s: \"%s\" has %zu elements for %zu tokens", r->path, key, count, r->count);
}

static ttt_status read_tokens(reading *r, ttt_error *err) {
    for (size_t id = 0; id < r->count; id++) {
        size_t bytes;
        const char *text = ttt_gguf_array_string(r->texts, id, &bytes);
        json_t *string = json_stringn(text, bytes);
        if (string == NULL) {
            return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: token %zu is not UTF-8, as tokenizer.json wants it",
                            r->path, id);
        }
        const int type = type_of(r, id);
        int failed = 0;
        if (type == TTT_GGUF_CONTROL || type == TTT_GGUF_UNKNOWN || type == TTT_GGUF_USER_DEFINED) {
            failed =
                json_array_append_new(r->added, json_pack("{s:I, s:O, s:b, s:b, s:b, s:b, s:b}", "id", (json_int_t)id,
                                                          "content", string, "single_word", 0, "lstrip", 0, "rstrip", 0,
                                                          "normalized", 0, "special", type != TTT_GGUF_USER_DEFINED));
        }
        json_decref(string);
        if (json_object_getn(r->vocab, text, bytes) != NULL) {
            return ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                            "%s: token %zu is spelt like token %lld, which tokenizer.json cannot say", r->path, id,
                            (long long)json_integer_value(json_object_getn(r->vocab, text, bytes)));
        }
        if (failed || json_object_setn_new(r->vocab, text, bytes, json_integer((json_int_t)id)) != 0) {
            return fail_memory(r, err);
        }
    }
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- merges */

static ttt_status read_merges(reading *r, ttt_error *err) {
    const ttt_gguf_array *merges;
    size_t count, bytes;
    TTT_TRY(ttt_gguf_get_strings(r->gguf, "tokenizer.ggml.merges", &merges, &count, err));
    for (size_t i = 0; i < count; i++) {
        const char *text = ttt_gguf_array_string(merges, i, &bytes);
        if (json_array_append_new(r->merges, json_stringn(text, bytes)) != 0) {
            return ttt_fail(err, TTT_ERROR_FORMAT, "%s: merge %zu is not UTF-8", r->path, i);
        }
    }
    return TTT_OK;
}

/* A way to make token `id` of two others. */
typedef struct pair {
    double score; /* of the token */
    int32_t id, left, right;
} pair;

typedef struct pairs {
    pair *items;
    size_t count, capacity;
} pairs;

/* Best score first; the merges of one token stay together. */
static int compare_pairs(const void *a, const void *b) {
    const pair *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    if (x->id != y->id) return x->id < y->id ? -1 : 1;
    if (x->left != y->left) return x->left < y->left ? -1 : 1;
    return (x->right > y->right) - (x->right < y->right);
}

/* The id of a normal token, or -1. */
static int32_t normal_id(const reading *r, const char *text, size_t bytes) {
    const json_t *found = json_object_getn(r->vocab, text, bytes);
    const int32_t id = found == NULL ? -1 : (int32_t)json_integer_value(found);
    return id >= 0 && type_of(r, (size_t)id) == TTT_GGUF_NORMAL ? id : -1;
}

static ttt_status find_pairs(const reading *r, pairs *all, ttt_error *err) {
    for (size_t id = 0; id < r->count; id++) {
        if (type_of(r, id) != TTT_GGUF_NORMAL) continue;
        size_t bytes;
        const char *text = ttt_gguf_array_string(r->texts, id, &bytes);
        const double score = ttt_gguf_array_number(r->scores, id);
        const ttt_status checked = ttt_check_scored_token(id, bytes, score, err);
        if (checked != TTT_OK) return ttt_fail_within(err, checked, "%s", r->path);
        for (size_t at = 1; at < bytes; at++) {
            if (((unsigned char)text[at] & 0xC0) == 0x80) continue; /* inside a character */
            const pair p = {.score = score,
                            .id = (int32_t)id,
                            .left = normal_id(r, text, at),
                            .right = normal_id(r, text + at, bytes - at)};
            if (p.left >= 0 && p.right >= 0) TTT_TRY(TTT_PUSH(all, p, err));
        }
    }
    if (all->count > 0) qsort(all->items, all->count, sizeof *all->items, compare_pairs);
    return TTT_OK;
}

/* All ways to make a token of two others, in the order in which scores would choose. */
static ttt_status merge_by_scores(reading *r, ttt_error *err) {
    if (r->scores == NULL) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: \"tokenizer.ggml.scores\" is missing", r->path);
    }
    pairs all = {0};
    ttt_status status = find_pairs(r, &all, err);
    for (size_t i = 0; i < all.count && status == TTT_OK; i++) {
        size_t left_bytes, right_bytes;
        const char *left = ttt_gguf_array_string(r->texts, (size_t)all.items[i].left, &left_bytes);
        const char *right = ttt_gguf_array_string(r->texts, (size_t)all.items[i].right, &right_bytes);
        char merge[2 * TTT_TOKEN_LONGEST + 1]; /* by length: a token may hold NUL */
        memcpy(merge, left, left_bytes);
        merge[left_bytes] = ' ';
        memcpy(merge + left_bytes + 1, right, right_bytes);
        json_t *text = json_stringn(merge, left_bytes + 1 + right_bytes);
        if (json_array_append_new(r->merges, text) != 0) status = fail_memory(r, err);
    }
    ttt_free(all.items);
    return status;
}

/* ---------------------------------------------------------------------------------------------- steps */

/* jansson's json_pack: "o" takes a new reference over, NULL of it makes the whole NULL; "o?" lets NULL pass. */

static json_t *normalizer_of(const reading *r) {
    if (r->byte_level) return r->pre->compose ? json_pack("{s:s}", "type", "NFC") : json_null();
    json_t *replace = json_pack("{s:s, s:{s:s}, s:s}", "type", "Replace", "pattern", "String", " ", "content", MARK);
    if (!r->prefix) return replace;
    return json_pack("{s:s, s:[{s:s, s:s}, o]}", "type", "Sequence", "normalizers", "type", "Prepend", "prepend", MARK,
                     replace);
}

static json_t *byte_level_step(void) {
    return json_pack("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space", 0, "trim_offsets", 1, "use_regex",
                     0);
}

static json_t *pre_tokenizer_of(const reading *r) {
    if (!r->byte_level) return json_null();
    json_t *steps = json_array();
    int failed = steps == NULL;
    if (r->pre->digits) {
        failed |= json_array_append_new(steps, json_pack("{s:s, s:b}", "type", "Digits", "individual_digits", 1));
    }
    failed |= json_array_append_new(steps, json_pack("{s:s, s:{s:s}, s:s, s:b}", "type", "Split", "pattern", "Regex",
                                                     r->pre->pattern, "behavior", "Isolated", "invert", 0));
    failed |= json_array_append_new(steps, byte_level_step());
    json_t *sequence = json_pack("{s:s, s:o}", "type", "Sequence", "pretokenizers", steps);
    if (!failed) return sequence;
    json_decref(sequence);
    return NULL;
}

static json_t *decoder_of(const reading *r) {
    if (r->byte_level) return byte_level_step();
    json_t *steps = json_pack("[{s:s, s:{s:s}, s:s}, {s:s}, {s:s}]", "type", "Replace", "pattern", "String", MARK,
                              "content", " ", "type", "ByteFallback", "type", "Fuse");
    json_t *strip = json_pack("{s:s, s:s, s:i, s:i}", "type", "Strip", "content", " ", "start", 1, "stop", 0);
    const int failed = r->prefix ? json_array_append(steps, strip) : 0;
    json_decref(strip);
    json_t *sequence = json_pack("{s:s, s:o}", "type", "Sequence", "decoders", steps);
    if (!failed) return sequence;
    json_decref(sequence);
    return NULL;
}

/* ---------------------------------------------------------------------------------------------- special tokens */

typedef struct specials {
    int64_t ids[TTT_GGUF_SPECIALS]; /* -1: none */
    bool add_start, add_end;
} specials;

const ttt_gguf_special ttt_gguf_specials[TTT_GGUF_SPECIALS] = {
    [TTT_GGUF_START] = {"bos_token", "bos_token_id", "tokenizer.ggml.bos_token_id"},
    [TTT_GGUF_END] = {"eos_token", "eos_token_id", "tokenizer.ggml.eos_token_id"},
    [TTT_GGUF_UNKNOWN_ID] = {"unk_token", "unk_token_id", "tokenizer.ggml.unknown_token_id"},
    [TTT_GGUF_PADDING_ID] = {"pad_token", "pad_token_id", "tokenizer.ggml.padding_token_id"},
};

static ttt_status read_specials(const reading *r, specials *s, ttt_error *err) {
    *s = (specials){.ids = {-1, -1, -1, -1}, .add_start = r->byte_level ? r->pre->adds_start : true};
    for (size_t i = 0; i < TTT_GGUF_SPECIALS; i++) {
        TTT_TRY(
            ttt_gguf_optional_int(r->gguf, ttt_gguf_specials[i].gguf_key, 0, (int64_t)r->count - 1, &s->ids[i], err));
    }
    TTT_TRY(ttt_gguf_optional_bool(r->gguf, "tokenizer.ggml.add_bos_token", &s->add_start, err));
    TTT_TRY(ttt_gguf_optional_bool(r->gguf, "tokenizer.ggml.add_eos_token", &s->add_end, err));
    s->add_start = s->add_start && s->ids[TTT_GGUF_START] >= 0;
    s->add_end = s->add_end && s->ids[TTT_GGUF_END] >= 0;
    return TTT_OK;
}

/* A token's text; it is UTF-8, since the vocabulary has been read. */
static json_t *text_of(const reading *r, int64_t id) {
    size_t bytes;
    const char *text = ttt_gguf_array_string(r->texts, (size_t)id, &bytes);
    return json_stringn(text, bytes);
}

/* A text, or two ("B"), between the start and the end that the tokenizer adds. */
static json_t *template_of(const reading *r, const specials *s, bool two) {
    json_t *list = json_array();
    for (int sequence = 0; sequence <= (two ? 1 : 0); sequence++) {
        json_t *parts[3] = {NULL};
        if (s->add_start) {
            parts[0] = json_pack("{s:{s:o, s:i}}", "SpecialToken", "id", text_of(r, s->ids[TTT_GGUF_START]), "type_id",
                                 sequence);
        }
        parts[1] = json_pack("{s:{s:s, s:i}}", "Sequence", "id", sequence == 0 ? "A" : "B", "type_id", sequence);
        if (s->add_end) {
            parts[2] = json_pack("{s:{s:o, s:i}}", "SpecialToken", "id", text_of(r, s->ids[TTT_GGUF_END]), "type_id",
                                 sequence);
        }
        for (int i = 0; i < 3; i++) {
            if (parts[i] != NULL) json_array_append_new(list, parts[i]);
        }
    }
    return list;
}

static int add_special(const reading *r, json_t *to, int64_t id) {
    size_t bytes;
    const char *text = ttt_gguf_array_string(r->texts, (size_t)id, &bytes);
    return json_object_setn_new(
        to, text, bytes,
        json_pack("{s:o, s:[I], s:[o]}", "id", text_of(r, id), "ids", (json_int_t)id, "tokens", text_of(r, id)));
}

static json_t *post_processor_of(const reading *r, const specials *s) {
    if (!s->add_start && !s->add_end) return json_null();
    json_t *tokens = json_object();
    int failed = tokens == NULL;
    if (s->add_start) failed |= add_special(r, tokens, s->ids[TTT_GGUF_START]);
    if (s->add_end) failed |= add_special(r, tokens, s->ids[TTT_GGUF_END]);
    json_t *whole = json_pack("{s:s, s:o, s:o, s:o}", "type", "TemplateProcessing", "single", template_of(r, s, false),
                              "pair", template_of(r, s, true), "special_tokens", tokens);
    if (!failed) return whole;
    json_decref(whole);
    return NULL;
}

/* tokenizer_config.json, and the ids of start and end for config.json. */
static ttt_status make_settings(const reading *r, const specials *s, json_t *config, json_t **settings,
                                ttt_error *err) {
    json_t *root = *settings = json_pack(
        "{s:s, s:b, s:b, s:b}", "tokenizer_class", r->byte_level ? "PreTrainedTokenizerFast" : "LlamaTokenizerFast",
        "clean_up_tokenization_spaces", 0, "add_bos_token", (int)s->add_start, "add_eos_token", (int)s->add_end);
    int failed = root == NULL;
    for (size_t i = 0; i < TTT_GGUF_SPECIALS; i++) {
        if (s->ids[i] < 0) continue;
        failed |= json_object_set_new(root, ttt_gguf_specials[i].name, text_of(r, s->ids[i]));
        if (i <= TTT_GGUF_END)
            failed |= json_object_set_new(config, ttt_gguf_specials[i].id_key, json_integer((json_int_t)s->ids[i]));
    }
    if (!failed && ttt_gguf_has(r->gguf, "tokenizer.chat_template")) {
        const char *text;
        size_t bytes;
        TTT_TRY(ttt_gguf_get_string(r->gguf, "tokenizer.chat_template", &text, &bytes, err));
        json_t *chat = json_stringn(text, bytes);
        if (chat == NULL) {
            return ttt_fail(err, TTT_ERROR_FORMAT, "%s: \"tokenizer.chat_template\" is not UTF-8", r->path);
        }
        failed = json_object_set_new(root, "chat_template", chat);
    }
    return failed ? fail_memory(r, err) : TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- whole */

static ttt_status read_kind(reading *r, ttt_error *err) {
    const char *kind, *pre;
    size_t bytes, pre_bytes;
    TTT_TRY(ttt_gguf_get_string(r->gguf, "tokenizer.ggml.model", &kind, &bytes, err));
    r->byte_level = bytes == 4 && memcmp(kind, "gpt2", 4) == 0;
    if (!r->byte_level && (bytes != 5 || memcmp(kind, "llama", 5) != 0)) {
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                        "%s: \"tokenizer.ggml.model\" is neither \"gpt2\" nor \"llama\", the kinds that are supported",
                        r->path);
    }
    r->prefix = true;
    if (!r->byte_level) return ttt_gguf_optional_bool(r->gguf, "tokenizer.ggml.add_space_prefix", &r->prefix, err);
    TTT_TRY(ttt_gguf_get_string(r->gguf, "tokenizer.ggml.pre", &pre, &pre_bytes, err));
    r->pre = ttt_pre_tokenizer_find(pre, pre_bytes);
    if (r->pre != NULL) return TTT_OK;
    return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: the split pattern that \"tokenizer.ggml.pre\" names is not known",
                    r->path);
}

static ttt_status read_all(reading *r, ttt_error *err) {
    TTT_TRY(read_kind(r, err));
    TTT_TRY(ttt_gguf_get_strings(r->gguf, "tokenizer.ggml.tokens", &r->texts, &r->count, err));
    TTT_TRY(get_numbers(r, "tokenizer.ggml.token_type", &r->types, err));
    TTT_TRY(get_numbers(r, "tokenizer.ggml.scores", &r->scores, err));
    r->vocab = json_object();
    r->merges = json_array();
    r->added = json_array();
    if (r->vocab == NULL || r->merges == NULL || r->added == NULL) return fail_memory(r, err);
    TTT_TRY(read_tokens(r, err));
    return r->byte_level ? read_merges(r, err) : merge_by_scores(r, err);
}

static json_t *make_whole(const reading *r, const specials *s) {
    json_t *unknown =
        r->byte_level || s->ids[TTT_GGUF_UNKNOWN_ID] < 0 ? json_null() : text_of(r, s->ids[TTT_GGUF_UNKNOWN_ID]);
    json_t *model = json_pack("{s:s, s:n, s:o, s:n, s:n, s:b, s:b, s:b, s:O, s:O}", "type", "BPE", "dropout",
                              "unk_token", unknown, "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
                              !r->byte_level, "byte_fallback", !r->byte_level, "ignore_merges",
                              r->byte_level && r->pre->ignore_merges, "vocab", r->vocab, "merges", r->merges);
    return json_pack("{s:s, s:n, s:n, s:O, s:o, s:o, s:o, s:o, s:o}", "version", "1.0", "truncation", "padding",
                     "added_tokens", r->added, "normalizer", normalizer_of(r), "pre_tokenizer", pre_tokenizer_of(r),
                     "post_processor", post_processor_of(r, s), "decoder", decoder_of(r), "model", model);
}

bool ttt_gguf_has_tokenizer(const ttt_gguf *gguf) {
    static const char none[] = "no_vocab", key[] = "tokenizer.ggml.model";
    const char *kind;
    size_t bytes;
    ttt_error err;
    if (!ttt_gguf_has(gguf, key)) return false;
    if (ttt_gguf_get_string(gguf, key, &kind, &bytes, &err) != TTT_OK) return true; /* for its reader to refuse */
    return bytes != sizeof none - 1 || memcmp(kind, none, bytes) != 0;
}

ttt_status ttt_gguf_tokenizer_to_json(const ttt_gguf *gguf, json_t *config, json_t **tokenizer, json_t **settings,
                                      ttt_error *err) {
    *tokenizer = *settings = NULL;
    if (!ttt_gguf_has_tokenizer(gguf)) return TTT_OK;
    reading r = {.gguf = gguf, .path = ttt_gguf_path(gguf)};
    specials s;
    ttt_status status;
    TTT_TRY_OUT(read_all(&r, err));
    TTT_TRY_OUT(read_specials(&r, &s, err));
    TTT_TRY_OUT(make_settings(&r, &s, config, settings, err));
    *tokenizer = make_whole(&r, &s);
    if (*tokenizer == NULL) status = fail_memory(&r, err);
out:
    json_decref(r.vocab);
    json_decref(r.merges);
    json_decref(r.added);
    return status;
}
