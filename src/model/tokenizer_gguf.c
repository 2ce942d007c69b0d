/* The tokenizer in a GGUF file's metadata. Two kinds: "gpt2", byte-level with merges, where the file names its split
 * pattern; and "llama", SentencePiece's characters with scores. */
#include "model/tokenizer_inside.h"
#include "model/tokenizer_pre.h"

#include <string.h>

/* ---------------------------------------------------------------------------------------------- tokens */

/* The file's arrays, one entry a token; `types` and `scores` may be NULL. */
typedef struct token_arrays {
    const ttt_gguf_array *texts, *types, *scores;
    size_t count;
} token_arrays;

static ttt_status get_numbers(const ttt_gguf *gguf, const char *key, size_t count, const ttt_gguf_array **array,
                              ttt_error *err) {
    size_t found;
    TTT_TRY(ttt_gguf_get_numbers(gguf, key, array, &found, err));
    if (found == count) return TTT_OK;
    return ttt_fail(err, TTT_ERROR_FORMAT, "\"%s\" has %zu entries for %zu tokens", key, found, count);
}

static ttt_status get_arrays(const ttt_gguf *gguf, token_arrays *arrays, ttt_error *err) {
    static const char TYPES[] = "tokenizer.ggml.token_type", SCORES[] = "tokenizer.ggml.scores";
    TTT_TRY(ttt_gguf_get_strings(gguf, "tokenizer.ggml.tokens", &arrays->texts, &arrays->count, err));
    if (arrays->count == 0 || arrays->count > TTT_TOKENIZER_MAX_SIZE) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "it has %zu tokens, expected 1 to %d", arrays->count,
                        TTT_TOKENIZER_MAX_SIZE);
    }
    if (ttt_gguf_has(gguf, TYPES)) TTT_TRY(get_numbers(gguf, TYPES, arrays->count, &arrays->types, err));
    if (ttt_gguf_has(gguf, SCORES)) TTT_TRY(get_numbers(gguf, SCORES, arrays->count, &arrays->scores, err));
    return TTT_OK;
}

/* GGUF's numbers of kinds: 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte. */
static bool kind_of(double number, ttt_token_kind *kind) {
    static const ttt_token_kind KINDS[] = {TTT_TOKEN_NORMAL, TTT_TOKEN_SPECIAL, TTT_TOKEN_SPECIAL,
                                           TTT_TOKEN_ADDED,  TTT_TOKEN_UNUSED,  TTT_TOKEN_BYTE};
    const int index = number >= 1 && number <= 6 ? (int)number - 1 : -1;
    if (index < 0 || number != index + 1) return false;
    *kind = KINDS[index];
    return true;
}

static ttt_status read_token(ttt_tokenizer *tokenizer, const token_arrays *arrays, int32_t id, ttt_bytes *decoded,
                             ttt_error *err) {
    ttt_vocabulary *vocabulary = &tokenizer->vocabulary;
    ttt_token_kind kind = TTT_TOKEN_NORMAL;
    size_t bytes;
    const char *text = ttt_gguf_array_string(arrays->texts, (size_t)id, &bytes);
    if (arrays->types != NULL && !kind_of(ttt_gguf_array_number(arrays->types, (size_t)id), &kind)) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "token %d has type %g, expected 1 to 6", id,
                        ttt_gguf_array_number(arrays->types, (size_t)id));
    }
    if (kind == TTT_TOKEN_BYTE) {
        const int byte = ttt_byte_token(text, bytes);
        if (byte < 0) return ttt_fail(err, TTT_ERROR_FORMAT, "token %d is for a byte, but is not spelt so", id);
        return ttt_vocabulary_add(vocabulary, id, &(char){(char)byte}, 1, kind, err);
    }
    if (kind == TTT_TOKEN_NORMAL && vocabulary->byte_level) {
        decoded->count = 0;
        ttt_status status;
        if (ttt_byte_level_decode(text, bytes, decoded, &status, err)) {
            text = decoded->items;
            bytes = decoded->count;
        } else if (status != TTT_OK) {
            return status;
        } else {
            kind = TTT_TOKEN_UNUSED; /* spelt in other characters than texts are made of */
        }
    }
    TTT_TRY(ttt_vocabulary_add(vocabulary, id, text, bytes, kind, err));
    if (kind != TTT_TOKEN_SPECIAL && kind != TTT_TOKEN_ADDED) return TTT_OK;
    const ttt_added_token token = {
        .id = id, .special = kind == TTT_TOKEN_SPECIAL, .text = (char *)text, .bytes = bytes};
    return ttt_tokenizer_add(tokenizer, token, err);
}

static ttt_status read_tokens(ttt_tokenizer *tokenizer, const token_arrays *arrays, ttt_error *err) {
    TTT_TRY(ttt_vocabulary_init(&tokenizer->vocabulary, (int32_t)arrays->count, err));
    ttt_bytes decoded = {0};
    ttt_status status = TTT_OK;
    for (int32_t id = 0; id < (int32_t)arrays->count; id++) {
        TTT_TRY_OUT(read_token(tokenizer, arrays, id, &decoded, err));
    }
    status = ttt_vocabulary_index(&tokenizer->vocabulary, err);
out:
    ttt_free(decoded.items);
    return status;
}

/* An optional id in the metadata. */
static ttt_status read_id(const ttt_gguf *gguf, const char *key, const ttt_tokenizer *tokenizer, int32_t *id,
                          ttt_error *err) {
    int64_t value = *id;
    TTT_TRY(ttt_gguf_optional_int(gguf, key, 0, ttt_tokenizer_size(tokenizer) - 1, &value, err));
    *id = (int32_t)value;
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- byte level */

static ttt_status read_pre_tokenizer(ttt_tokenizer *tokenizer, const ttt_gguf *gguf, ttt_error *err) {
    const char *name;
    size_t bytes;
    TTT_TRY(ttt_gguf_get_string(gguf, "tokenizer.ggml.pre", &name, &bytes, err));
    const ttt_pre_tokenizer *pre = ttt_pre_tokenizer_find(name, bytes);
    if (pre == NULL) {
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                        "its split pattern is named \"%.*s\" (tokenizer.ggml.pre), which is not known here",
                        (int)(bytes > 60 ? 60 : bytes), name);
    }
    tokenizer->vocabulary.ignore_merges = pre->ignore_merges;
    tokenizer->adds_start = pre->adds_start;
    if (pre->compose) TTT_TRY(ttt_steps_add_compose(&tokenizer->normalise, err));
    if (pre->digits) {
        TTT_TRY(ttt_steps_add_split(&tokenizer->split, "\\p{N}", false, TTT_SPLIT_ISOLATED, false, err));
    }
    return ttt_steps_add_split(&tokenizer->split, pre->pattern, false, TTT_SPLIT_ISOLATED, false, err);
}

/* "a b", in the alphabet of bytes. *merge: the ids. */
static ttt_status read_merge(const ttt_vocabulary *vocabulary, const char *text, size_t bytes, size_t index,
                             ttt_bytes *decoded, ttt_merge *merge, ttt_error *err) {
    const char *blank = bytes == 0 ? NULL : memchr(text, ' ', bytes);
    const size_t left = blank == NULL ? 0 : (size_t)(blank - text);
    ttt_status status = TTT_OK;
    decoded->count = 0;
    bool fits = blank != NULL && ttt_byte_level_decode(text, left, decoded, &status, err);
    const size_t middle = decoded->count;
    fits = fits && ttt_byte_level_decode(blank + 1, bytes - left - 1, decoded, &status, err);
    if (status != TTT_OK) return status;
    *merge = (ttt_merge){.left = -1, .rank = (uint32_t)index};
    if (fits && middle > 0 && decoded->count > middle) {
        merge->left = ttt_vocabulary_find(vocabulary, decoded->items, middle);
        merge->right = ttt_vocabulary_find(vocabulary, decoded->items + middle, decoded->count - middle);
        merge->id = ttt_vocabulary_find(vocabulary, decoded->items, decoded->count);
        if (merge->left >= 0 && merge->right >= 0 && merge->id >= 0) return TTT_OK;
    }
    return ttt_fail(err, TTT_ERROR_FORMAT, "merge %zu, \"%.*s\", is not two tokens that make a third", index,
                    (int)(bytes > 60 ? 60 : bytes), text);
}

static ttt_status read_merges(ttt_tokenizer *tokenizer, const ttt_gguf *gguf, ttt_error *err) {
    const ttt_gguf_array *merges;
    size_t count;
    TTT_TRY(ttt_gguf_get_strings(gguf, "tokenizer.ggml.merges", &merges, &count, err));
    if (count >= UINT32_MAX) return ttt_fail(err, TTT_ERROR_FORMAT, "it has %zu merges", count);
    ttt_bytes decoded = {0};
    ttt_status status = TTT_OK;
    for (size_t i = 0; i < count; i++) {
        size_t bytes;
        const char *text = ttt_gguf_array_string(merges, i, &bytes);
        ttt_merge merge;
        TTT_TRY_OUT(read_merge(&tokenizer->vocabulary, text, bytes, i, &decoded, &merge, err));
        TTT_TRY_OUT(ttt_vocabulary_add_merge(&tokenizer->vocabulary, merge, err));
    }
out:
    ttt_free(decoded.items);
    return status;
}

static ttt_status read_byte_level(ttt_tokenizer *tokenizer, const ttt_gguf *gguf, const token_arrays *arrays,
                                  ttt_error *err) {
    tokenizer->vocabulary.byte_level = true;
    TTT_TRY(read_pre_tokenizer(tokenizer, gguf, err));
    TTT_TRY(read_tokens(tokenizer, arrays, err));
    return read_merges(tokenizer, gguf, err);
}

/* ---------------------------------------------------------------------------------------------- characters */

static ttt_status read_characters(ttt_tokenizer *tokenizer, const ttt_gguf *gguf, const token_arrays *arrays,
                                  ttt_error *err) {
    if (arrays->scores == NULL) return ttt_fail(err, TTT_ERROR_FORMAT, "its tokens have no scores");
    bool prefix = true;
    TTT_TRY(ttt_gguf_optional_bool(gguf, "tokenizer.ggml.add_space_prefix", &prefix, err));
    if (prefix) TTT_TRY(ttt_steps_add_prepend(&tokenizer->split, " ", TTT_PREFIX_ALWAYS, false, err));
    TTT_TRY(ttt_steps_add_replace(&tokenizer->split, " ", TTT_BLANK_MARK, err));
    tokenizer->blank_mark = true;
    tokenizer->strip_blank = prefix;
    tokenizer->adds_start = true;
    tokenizer->vocabulary.fuse_unknown = true;
    TTT_TRY(read_tokens(tokenizer, arrays, err));
    TTT_TRY(read_id(gguf, "tokenizer.ggml.unknown_token_id", tokenizer, &tokenizer->vocabulary.unknown, err));
    double *scores = ttt_allocate(arrays->count, sizeof *scores);
    if (scores == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for %zu scores", arrays->count);
    for (size_t i = 0; i < arrays->count; i++) scores[i] = ttt_gguf_array_number(arrays->scores, i);
    const ttt_status status = ttt_vocabulary_merge_by_scores(&tokenizer->vocabulary, scores, err);
    ttt_free(scores);
    return status;
}

/* ---------------------------------------------------------------------------------------------- whole */

static ttt_status read_all(ttt_tokenizer *tokenizer, const ttt_gguf *gguf, ttt_error *err) {
    const char *model, *chat_template;
    size_t bytes;
    token_arrays arrays = {0};
    TTT_TRY(ttt_gguf_get_string(gguf, "tokenizer.ggml.model", &model, &bytes, err));
    TTT_TRY(get_arrays(gguf, &arrays, err));
    if (bytes == 4 && memcmp(model, "gpt2", 4) == 0) {
        TTT_TRY(read_byte_level(tokenizer, gguf, &arrays, err));
    } else if (bytes == 5 && memcmp(model, "llama", 5) == 0) {
        TTT_TRY(read_characters(tokenizer, gguf, &arrays, err));
    } else {
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                        "its tokenizer is of kind \"%.*s\" (tokenizer.ggml.model), supported are gpt2 and llama",
                        (int)(bytes > 60 ? 60 : bytes), model);
    }
    TTT_TRY(read_id(gguf, "tokenizer.ggml.bos_token_id", tokenizer, &tokenizer->start, err));
    TTT_TRY(read_id(gguf, "tokenizer.ggml.eos_token_id", tokenizer, &tokenizer->end, err));
    TTT_TRY(ttt_gguf_optional_bool(gguf, "tokenizer.ggml.add_bos_token", &tokenizer->adds_start, err));
    if (tokenizer->start < 0) tokenizer->adds_start = false;
    if (ttt_gguf_has(gguf, "tokenizer.chat_template")) {
        TTT_TRY(ttt_gguf_get_string(gguf, "tokenizer.chat_template", &chat_template, &bytes, err));
        ttt_tokenizer_read_template(tokenizer, chat_template, bytes);
    }
    return ttt_tokenizer_finish(tokenizer, err);
}

ttt_status ttt_tokenizer_from_gguf(const ttt_gguf *gguf, ttt_tokenizer **tokenizer, ttt_error *err) {
    TTT_TRY(ttt_tokenizer_new(tokenizer, err));
    const ttt_status status = read_all(*tokenizer, gguf, err);
    if (status == TTT_OK) return TTT_OK;
    ttt_tokenizer_free(*tokenizer);
    *tokenizer = NULL;
    const char *path = ttt_gguf_path(gguf);
    const bool named = err != NULL && strncmp(err->message, path, strlen(path)) == 0; /* by the file's reader */
    return named ? status : ttt_fail_within(err, status, "%s", path);
}
