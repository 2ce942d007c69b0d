/* tokenizer.json of the tokenizers package, with what tokenizer_config.json adds: the start and end tokens. Only what
 * the families that this program runs use is understood; anything else is refused by name, since a text split in
 * another way than the model was trained on gives worse answers and no error. */
#include "model/tokenizer_inside.h"
#include "model/tokenizer_pre.h"

#include <string.h>

enum { MAX_STEPS = 16, MAX_REPLACEMENT = 64 };

static ttt_status unsupported(ttt_error *err, const char *part, const char *what) {
    return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "its %s has \"%.100s\", which is not supported", part, what);
}

static ttt_status expect_object(const json_t *value, const char *part, ttt_error *err) {
    if (json_is_object(value)) return TTT_OK;
    return ttt_fail(err, TTT_ERROR_FORMAT, "its %s is %s, expected an object", part, ttt_json_type_name(value));
}

/* Calls `each` for the steps of a part: the members of its sequence, or itself; null or missing has none. */
typedef ttt_status step_reader(ttt_tokenizer *tokenizer, const json_t *step, const char *type, ttt_error *err);
static ttt_status read_steps(ttt_tokenizer *tokenizer, const json_t *part, const char *name, const char *list,
                             step_reader *each, ttt_error *err) {
    if (part == NULL || json_is_null(part)) return TTT_OK;
    const char *type;
    TTT_TRY(expect_object(part, name, err));
    TTT_TRY(ttt_json_get_string(part, name, "type", &type, err));
    if (strcmp(type, "Sequence") != 0) return each(tokenizer, part, type, err);
    json_t *steps;
    TTT_TRY(ttt_json_get_array(part, name, list, &steps, err));
    if (json_array_size(steps) > MAX_STEPS) {
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "its %s has %zu steps, at most %d are supported", name,
                        json_array_size(steps), (int)MAX_STEPS);
    }
    for (size_t i = 0; i < json_array_size(steps); i++) {
        const json_t *step = json_array_get(steps, i);
        TTT_TRY(expect_object(step, name, err));
        TTT_TRY(ttt_json_get_string(step, name, "type", &type, err));
        TTT_TRY(each(tokenizer, step, type, err));
    }
    return TTT_OK;
}

/* {"String": "..."} or {"Regex": "..."} */
static ttt_status read_pattern(const json_t *step, const char *name, const char **text, bool *literal, ttt_error *err) {
    const json_t *pattern = json_object_get(step, "pattern");
    const char *string = json_string_value(json_object_get(pattern, "String"));
    const char *regex = json_string_value(json_object_get(pattern, "Regex"));
    *text = string != NULL ? string : regex;
    *literal = string != NULL;
    if (*text != NULL && (*text)[0] != '\0') return TTT_OK;
    return ttt_fail(err, TTT_ERROR_FORMAT, "its %s has a pattern that is neither a \"String\" nor a \"Regex\"", name);
}

/* ---------------------------------------------------------------------------------------------- normalizer */

static ttt_status read_normalizer(ttt_tokenizer *tokenizer, const json_t *step, const char *type, ttt_error *err) {
    static const char NAME[] = "normalizer";
    if (strcmp(type, "NFC") == 0) return ttt_steps_add_compose(&tokenizer->normalise, err);
    const char *text, *content;
    bool literal;
    if (strcmp(type, "Prepend") == 0) {
        TTT_TRY(ttt_json_get_string(step, NAME, "prepend", &content, err));
        if (strlen(content) > MAX_REPLACEMENT) return unsupported(err, NAME, content);
        return ttt_steps_add_prepend(&tokenizer->normalise, content, TTT_PREFIX_ALWAYS, false, err);
    }
    if (strcmp(type, "Replace") == 0) {
        TTT_TRY(read_pattern(step, NAME, &text, &literal, err));
        TTT_TRY(ttt_json_get_string(step, NAME, "content", &content, err));
        if (!literal || strlen(content) > MAX_REPLACEMENT) return unsupported(err, NAME, text);
        return ttt_steps_add_replace(&tokenizer->normalise, text, content, err);
    }
    return unsupported(err, NAME, type);
}

/* ---------------------------------------------------------------------------------------------- pre-tokenizer */

static const char PRE_TOKENIZER[] = "pre_tokenizer";

static ttt_status read_split(ttt_tokenizer *tokenizer, const json_t *step, ttt_error *err) {
    static const char *const BEHAVIOURS[] = {[TTT_SPLIT_ISOLATED] = "Isolated",
                                             [TTT_SPLIT_REMOVED] = "Removed",
                                             [TTT_SPLIT_MERGED_WITH_PREVIOUS] = "MergedWithPrevious",
                                             [TTT_SPLIT_MERGED_WITH_NEXT] = "MergedWithNext",
                                             [TTT_SPLIT_CONTIGUOUS] = "Contiguous"};
    const char *pattern, *behaviour;
    bool literal, invert = false;
    TTT_TRY(read_pattern(step, PRE_TOKENIZER, &pattern, &literal, err));
    TTT_TRY(ttt_json_get_string(step, PRE_TOKENIZER, "behavior", &behaviour, err));
    TTT_TRY(ttt_json_optional_bool(step, PRE_TOKENIZER, "invert", &invert, err));
    for (size_t i = 0; i < sizeof BEHAVIOURS / sizeof *BEHAVIOURS; i++) {
        if (strcmp(behaviour, BEHAVIOURS[i]) != 0) continue;
        return ttt_steps_add_split(&tokenizer->split, pattern, literal, (ttt_split_behaviour)i, invert, err);
    }
    return unsupported(err, PRE_TOKENIZER, behaviour);
}

static ttt_status read_byte_level(ttt_tokenizer *tokenizer, const json_t *step, ttt_error *err) {
    bool prefix = true, regex = true;
    TTT_TRY(ttt_json_optional_bool(step, PRE_TOKENIZER, "add_prefix_space", &prefix, err));
    TTT_TRY(ttt_json_optional_bool(step, PRE_TOKENIZER, "use_regex", &regex, err));
    tokenizer->vocabulary.byte_level = true;
    if (prefix) TTT_TRY(ttt_steps_add_prepend(&tokenizer->split, " ", TTT_PREFIX_ALWAYS, true, err));
    if (!regex) return TTT_OK;
    return ttt_steps_add_split(&tokenizer->split, ttt_gpt2_pattern, false, TTT_SPLIT_ISOLATED, false, err);
}

/* Metaspace, of a pre-tokenizer or a decoder: when the mark is put in front. Files before "prepend_scheme" have
 * "add_prefix_space". */
static ttt_status read_metaspace_prefix(const json_t *step, const char *name, ttt_prefix *prefix, ttt_error *err) {
    static const char *const SCHEMES[] = {
        [TTT_PREFIX_NEVER] = "never", [TTT_PREFIX_FIRST] = "first", [TTT_PREFIX_ALWAYS] = "always"};
    const char *mark;
    bool always = true;
    TTT_TRY(ttt_json_get_string(step, name, "replacement", &mark, err));
    if (strcmp(mark, TTT_BLANK_MARK) != 0) return unsupported(err, name, mark);
    TTT_TRY(ttt_json_optional_bool(step, name, "add_prefix_space", &always, err));
    *prefix = always ? TTT_PREFIX_ALWAYS : TTT_PREFIX_NEVER;
    const json_t *scheme = json_object_get(step, "prepend_scheme");
    if (scheme == NULL) return TTT_OK;
    for (size_t i = 0; i < sizeof SCHEMES / sizeof *SCHEMES; i++) {
        if (!json_is_string(scheme) || strcmp(json_string_value(scheme), SCHEMES[i]) != 0) continue;
        *prefix = (ttt_prefix)i;
        return TTT_OK;
    }
    return unsupported(err, name, json_is_string(scheme) ? json_string_value(scheme) : "prepend_scheme");
}

static ttt_status read_metaspace(ttt_tokenizer *tokenizer, const json_t *step, ttt_error *err) {
    ttt_prefix prefix;
    bool split = true;
    TTT_TRY(read_metaspace_prefix(step, PRE_TOKENIZER, &prefix, err));
    TTT_TRY(ttt_json_optional_bool(step, PRE_TOKENIZER, "split", &split, err));
    TTT_TRY(ttt_steps_add_replace(&tokenizer->split, " ", TTT_BLANK_MARK, err));
    if (prefix != TTT_PREFIX_NEVER) {
        TTT_TRY(ttt_steps_add_prepend(&tokenizer->split, TTT_BLANK_MARK, prefix, true, err));
    }
    if (!split) return TTT_OK;
    return ttt_steps_add_split(&tokenizer->split, TTT_BLANK_MARK, true, TTT_SPLIT_MERGED_WITH_NEXT, false, err);
}

static ttt_status read_pre_tokenizer(ttt_tokenizer *tokenizer, const json_t *step, const char *type, ttt_error *err) {
    if (tokenizer->vocabulary.byte_level) {
        return unsupported(err, PRE_TOKENIZER, "a step after ByteLevel");
    }
    if (strcmp(type, "Split") == 0) return read_split(tokenizer, step, err);
    if (strcmp(type, "ByteLevel") == 0) return read_byte_level(tokenizer, step, err);
    if (strcmp(type, "Metaspace") == 0) return read_metaspace(tokenizer, step, err);
    if (strcmp(type, "Digits") == 0) {
        bool individual = false;
        TTT_TRY(ttt_json_optional_bool(step, PRE_TOKENIZER, "individual_digits", &individual, err));
        return ttt_steps_add_split(&tokenizer->split, "\\p{N}", false,
                                   individual ? TTT_SPLIT_ISOLATED : TTT_SPLIT_CONTIGUOUS, false, err);
    }
    return unsupported(err, PRE_TOKENIZER, type);
}

/* ---------------------------------------------------------------------------------------------- decoder */

static ttt_status read_decoder(ttt_tokenizer *tokenizer, const json_t *step, const char *type, ttt_error *err) {
    static const char NAME[] = "decoder";
    if (strcmp(type, "ByteLevel") == 0) {
        return tokenizer->vocabulary.byte_level ? TTT_OK : unsupported(err, NAME, "ByteLevel without a ByteLevel step");
    }
    if (tokenizer->vocabulary.byte_level) return unsupported(err, NAME, type);
    if (strcmp(type, "ByteFallback") == 0 || strcmp(type, "Fuse") == 0) return TTT_OK;
    if (strcmp(type, "Metaspace") == 0) {
        ttt_prefix prefix;
        TTT_TRY(read_metaspace_prefix(step, NAME, &prefix, err));
        tokenizer->blank_mark = true;
        tokenizer->strip_blank = prefix != TTT_PREFIX_NEVER;
        return TTT_OK;
    }
    const char *text, *content;
    TTT_TRY(ttt_json_get_string(step, NAME, "content", &content, err));
    if (strcmp(content, " ") != 0) return unsupported(err, NAME, type);
    if (strcmp(type, "Replace") == 0) {
        bool literal;
        TTT_TRY(read_pattern(step, NAME, &text, &literal, err));
        if (!literal || strcmp(text, TTT_BLANK_MARK) != 0) return unsupported(err, NAME, text);
        tokenizer->blank_mark = true;
        return TTT_OK;
    }
    if (strcmp(type, "Strip") == 0) {
        int64_t start = 0, stop = 0;
        TTT_TRY(ttt_json_get_int(step, NAME, "start", 0, 1, &start, err));
        TTT_TRY(ttt_json_get_int(step, NAME, "stop", 0, 0, &stop, err));
        tokenizer->strip_blank = start == 1;
        return TTT_OK;
    }
    return unsupported(err, NAME, type);
}

/* ---------------------------------------------------------------------------------------------- tokens */

/* The id of a member of "vocab", or -1. */
static int32_t id_of(const json_t *vocab, const char *text, size_t bytes) {
    const json_t *id = json_object_getn(vocab, text, bytes);
    return id == NULL ? -1 : (int32_t)json_integer_value(id);
}

static ttt_status check_id(const json_t *id, const char *text, int32_t *size, ttt_error *err) {
    const json_int_t value = json_is_integer(id) ? json_integer_value(id) : -1;
    if (value < 0 || value >= TTT_TOKENIZER_MAX_SIZE) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "the id of token \"%.100s\" is not a number from 0 to %d", text,
                        TTT_TOKENIZER_MAX_SIZE - 1);
    }
    if (value >= *size) *size = (int32_t)value + 1;
    return TTT_OK;
}

/* Every id of both lists checked; *size is one more than the largest. */
static ttt_status measure(const json_t *vocab, const json_t *added, int32_t *size, ttt_error *err) {
    const char *text;
    json_t *id;
    *size = 0;
    json_object_foreach((json_t *)vocab, text, id) TTT_TRY(check_id(id, text, size, err));
    for (size_t i = 0; i < json_array_size(added); i++) {
        const json_t *token = json_array_get(added, i);
        TTT_TRY(expect_object(token, "added_tokens' member", err));
        TTT_TRY(ttt_json_get_string(token, "added_tokens", "content", &text, err));
        TTT_TRY(check_id(json_object_get(token, "id"), text, size, err));
    }
    if (*size == 0) return ttt_fail(err, TTT_ERROR_FORMAT, "it has no tokens");
    return TTT_OK;
}

static ttt_status read_added(ttt_tokenizer *tokenizer, const json_t *entry, const json_t *vocab, ttt_error *err) {
    ttt_added_token token = {.normalized = false};
    bool single_word = false;
    const char *text = json_string_value(json_object_get(entry, "content"));
    TTT_TRY(ttt_json_optional_bool(entry, text, "special", &token.special, err));
    TTT_TRY(ttt_json_optional_bool(entry, text, "lstrip", &token.left, err));
    TTT_TRY(ttt_json_optional_bool(entry, text, "rstrip", &token.right, err));
    TTT_TRY(ttt_json_optional_bool(entry, text, "single_word", &single_word, err));
    token.normalized = !token.special;
    TTT_TRY(ttt_json_optional_bool(entry, text, "normalized", &token.normalized, err));
    if (single_word) return unsupported(err, "list of added tokens", "single_word");
    token.id = (int32_t)json_integer_value(json_object_get(entry, "id"));
    token.text = (char *)text;
    token.bytes = strlen(text);
    const int32_t known = id_of(vocab, text, token.bytes);
    if (known >= 0 && known != token.id) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "the token \"%.100s\" has two ids, %d and %d", text, known, token.id);
    }
    TTT_TRY(ttt_vocabulary_add(&tokenizer->vocabulary, token.id, text, token.bytes,
                               token.special ? TTT_TOKEN_SPECIAL : TTT_TOKEN_ADDED, err));
    return ttt_tokenizer_add(tokenizer, token, err);
}

/* A member of "vocab". An added token may stand there, too: if it is not special, merges may make it. */
static ttt_status read_token(ttt_tokenizer *tokenizer, const char *text, int32_t id, bool byte_fallback,
                             ttt_bytes *decoded, ttt_error *err) {
    ttt_vocabulary *vocabulary = &tokenizer->vocabulary;
    ttt_token *token = &vocabulary->tokens[id];
    if (token->kind == TTT_TOKEN_ADDED || token->kind == TTT_TOKEN_SPECIAL) {
        size_t bytes;
        const char *added = ttt_vocabulary_text(vocabulary, id, &bytes);
        if (bytes == strlen(text) && memcmp(added, text, bytes) == 0) {
            if (token->kind == TTT_TOKEN_ADDED) token->kind = TTT_TOKEN_NORMAL;
            return TTT_OK;
        }
    }
    const int byte = byte_fallback ? ttt_byte_token(text, strlen(text)) : -1;
    if (byte >= 0) return ttt_vocabulary_add(vocabulary, id, &(char){(char)byte}, 1, TTT_TOKEN_BYTE, err);
    if (!vocabulary->byte_level) {
        return ttt_vocabulary_add(vocabulary, id, text, strlen(text), TTT_TOKEN_NORMAL, err);
    }
    decoded->count = 0;
    ttt_status status;
    if (ttt_byte_level_decode(text, strlen(text), decoded, &status, err)) {
        return ttt_vocabulary_add(vocabulary, id, decoded->items, decoded->count, TTT_TOKEN_NORMAL, err);
    }
    return status != TTT_OK ? status : ttt_vocabulary_add(vocabulary, id, text, strlen(text), TTT_TOKEN_UNUSED, err);
}

static ttt_status read_vocabulary(ttt_tokenizer *tokenizer, const json_t *vocab, const json_t *added,
                                  bool byte_fallback, ttt_error *err) {
    int32_t size;
    TTT_TRY(measure(vocab, added, &size, err));
    TTT_TRY(ttt_vocabulary_init(&tokenizer->vocabulary, size, err));
    for (size_t i = 0; i < json_array_size(added); i++) {
        TTT_TRY(read_added(tokenizer, json_array_get(added, i), vocab, err));
    }
    ttt_bytes decoded = {0};
    ttt_status status = TTT_OK;
    const char *text;
    json_t *id;
    json_object_foreach((json_t *)vocab, text, id) {
        TTT_TRY_OUT(read_token(tokenizer, text, (int32_t)json_integer_value(id), byte_fallback, &decoded, err));
    }
    status = ttt_vocabulary_index(&tokenizer->vocabulary, err);
out:
    ttt_free(decoded.items);
    return status;
}

/* ---------------------------------------------------------------------------------------------- model */

bool ttt_merge_sides(const json_t *merge, const char *side[2], size_t bytes[2]) {
    if (json_is_array(merge)) {
        for (size_t i = 0; i < 2; i++) {
            side[i] = json_string_value(json_array_get(merge, i));
            bytes[i] = side[i] == NULL ? 0 : strlen(side[i]);
        }
        return json_array_size(merge) == 2 && bytes[0] > 0 && bytes[1] > 0;
    }
    const char *text = json_string_value(merge), *blank = text == NULL ? NULL : strchr(text, ' ');
    if (blank == NULL) return false;
    side[0] = text;
    bytes[0] = (size_t)(blank - text);
    side[1] = blank + 1;
    bytes[1] = strlen(blank + 1);
    return bytes[0] > 0 && bytes[1] > 0 && strchr(blank + 1, ' ') == NULL;
}

static ttt_status read_merge(ttt_tokenizer *tokenizer, const json_t *vocab, const json_t *merge, size_t index,
                             ttt_bytes *joined, ttt_error *err) {
    const char *side[2];
    size_t bytes[2];
    if (!ttt_merge_sides(merge, side, bytes)) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "merge %zu is not two texts", index);
    }
    joined->count = 0;
    TTT_TRY(ttt_bytes_append(joined, side[0], bytes[0], err));
    TTT_TRY(ttt_bytes_append(joined, side[1], bytes[1], err));
    const ttt_merge found = {.left = id_of(vocab, side[0], bytes[0]),
                             .right = id_of(vocab, side[1], bytes[1]),
                             .id = id_of(vocab, joined->items, joined->count),
                             .rank = (uint32_t)index};
    if (found.left < 0 || found.right < 0 || found.id < 0) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "merge %zu: \"%.*s\" is not in the vocabulary", index,
                        (int)(joined->count > 100 ? 100 : joined->count), joined->items);
    }
    const ttt_token *tokens = tokenizer->vocabulary.tokens;
    const bool normal = tokens[found.left].kind == TTT_TOKEN_NORMAL && tokens[found.right].kind == TTT_TOKEN_NORMAL &&
                        tokens[found.id].kind == TTT_TOKEN_NORMAL;
    return normal ? ttt_vocabulary_add_merge(&tokenizer->vocabulary, found, err) : TTT_OK;
}

static ttt_status read_merges(ttt_tokenizer *tokenizer, const json_t *model, const json_t *vocab, ttt_error *err) {
    json_t *merges;
    TTT_TRY(ttt_json_get_array(model, "model", "merges", &merges, err));
    if (json_array_size(merges) >= UINT32_MAX) return ttt_fail(err, TTT_ERROR_FORMAT, "it has too many merges");
    ttt_bytes joined = {0};
    ttt_status status = TTT_OK;
    for (size_t i = 0; i < json_array_size(merges); i++) {
        TTT_TRY_OUT(read_merge(tokenizer, vocab, json_array_get(merges, i), i, &joined, err));
    }
out:
    ttt_free(joined.items);
    return status;
}

/* What would change texts and is not done here must be absent, null, or empty. */
static ttt_status refuse_extras(const json_t *model, ttt_error *err) {
    static const char *const EXTRAS[] = {"continuing_subword_prefix", "end_of_word_suffix", "dropout"};
    for (size_t i = 0; i < sizeof EXTRAS / sizeof *EXTRAS; i++) {
        const json_t *value = json_object_get(model, EXTRAS[i]);
        const bool empty = value == NULL || json_is_null(value) ||
                           (json_is_string(value) && json_string_length(value) == 0) ||
                           (json_is_number(value) && json_number_value(value) == 0);
        if (!empty) return unsupported(err, "model", EXTRAS[i]);
    }
    return TTT_OK;
}

static ttt_status read_model(ttt_tokenizer *tokenizer, const json_t *root, ttt_error *err) {
    json_t *model, *vocab, *added = NULL;
    bool byte_fallback = false;
    ttt_vocabulary *vocabulary = &tokenizer->vocabulary;
    TTT_TRY(ttt_json_get_object(root, "tokenizer", "model", &model, err));
    const char *type = json_string_value(json_object_get(model, "type"));
    if (type != NULL && strcmp(type, "BPE") != 0) return unsupported(err, "model", type);
    TTT_TRY(refuse_extras(model, err));
    TTT_TRY(ttt_json_get_object(model, "model", "vocab", &vocab, err));
    if (json_object_get(root, "added_tokens") != NULL) {
        TTT_TRY(ttt_json_get_array(root, "tokenizer", "added_tokens", &added, err));
    }
    TTT_TRY(ttt_json_optional_bool(model, "model", "byte_fallback", &byte_fallback, err));
    TTT_TRY(ttt_json_optional_bool(model, "model", "fuse_unk", &vocabulary->fuse_unknown, err));
    TTT_TRY(ttt_json_optional_bool(model, "model", "ignore_merges", &vocabulary->ignore_merges, err));
    TTT_TRY(read_vocabulary(tokenizer, vocab, added, byte_fallback, err));
    const json_t *unknown = json_object_get(model, "unk_token");
    if (json_is_string(unknown)) {
        vocabulary->unknown = id_of(vocab, json_string_value(unknown), json_string_length(unknown));
        if (vocabulary->unknown < 0) {
            return ttt_fail(err, TTT_ERROR_FORMAT, "its \"unk_token\", \"%.100s\", is not in the vocabulary",
                            json_string_value(unknown));
        }
    }
    return read_merges(tokenizer, model, vocab, err);
}

/* ---------------------------------------------------------------------------------------------- start and end */

/* The token that a template puts before a text. Other post-processors add nothing that matters here. */
static ttt_status read_post_processor(ttt_tokenizer *tokenizer, const json_t *step, const char *type, ttt_error *err) {
    static const char NAME[] = "post_processor";
    if (strcmp(type, "ByteLevel") == 0) return TTT_OK;
    if (strcmp(type, "TemplateProcessing") != 0) return unsupported(err, NAME, type);
    json_t *single;
    TTT_TRY(ttt_json_get_array(step, NAME, "single", &single, err));
    const json_t *special = json_object_get(json_array_get(single, 0), "SpecialToken");
    if (special == NULL) return TTT_OK;
    const char *name = json_string_value(json_object_get(special, "id"));
    if (name != NULL) tokenizer->start = ttt_tokenizer_special(tokenizer, name);
    if (tokenizer->start < 0) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "its %s begins with \"%.100s\", which is no special token", NAME,
                        name == NULL ? "" : name);
    }
    tokenizer->adds_start = true;
    return TTT_OK;
}

/* A token in tokenizer_config.json: a string or an object with "content"; null and absent are none. */
static ttt_status read_config_token(const ttt_tokenizer *tokenizer, const json_t *config, const char *key, int32_t *id,
                                    ttt_error *err) {
    const json_t *value = json_object_get(config, key);
    if (json_is_object(value)) value = json_object_get(value, "content");
    if (value == NULL || json_is_null(value)) return TTT_OK;
    const int32_t found = json_is_string(value) ? ttt_tokenizer_special(tokenizer, json_string_value(value)) : -1;
    if (found < 0) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "the \"%s\" of tokenizer_config.json, \"%.100s\", is no special token",
                        key, json_is_string(value) ? json_string_value(value) : "");
    }
    *id = found;
    return TTT_OK;
}

/* "chat_template" is a text, or a list of objects with a "template" each. */
static void read_templates(ttt_tokenizer *tokenizer, const json_t *templates) {
    if (json_is_string(templates)) {
        ttt_tokenizer_read_template(tokenizer, json_string_value(templates), json_string_length(templates));
    }
    for (size_t i = 0; i < json_array_size(templates); i++) {
        const json_t *text = json_object_get(json_array_get(templates, i), "template");
        if (json_is_string(text)) {
            ttt_tokenizer_read_template(tokenizer, json_string_value(text), json_string_length(text));
        }
    }
}

static ttt_status read_config(ttt_tokenizer *tokenizer, const json_t *config, ttt_error *err) {
    if (config == NULL) return TTT_OK;
    TTT_TRY(expect_object(config, "tokenizer_config.json", err));
    TTT_TRY(read_config_token(tokenizer, config, "bos_token", &tokenizer->start, err));
    TTT_TRY(read_config_token(tokenizer, config, "eos_token", &tokenizer->end, err));
    TTT_TRY(ttt_json_optional_bool(config, "tokenizer_config.json", "add_bos_token", &tokenizer->adds_start, err));
    if (tokenizer->start < 0) tokenizer->adds_start = false;
    read_templates(tokenizer, json_object_get(config, "chat_template"));
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- whole */

static ttt_status read_all(ttt_tokenizer *tokenizer, const json_t *root, const json_t *config,
                           const char *chat_template, ttt_error *err) {
    TTT_TRY(expect_object(root, "content", err));
    TTT_TRY(
        read_steps(tokenizer, json_object_get(root, "normalizer"), "normalizer", "normalizers", read_normalizer, err));
    TTT_TRY(read_steps(tokenizer, json_object_get(root, "pre_tokenizer"), PRE_TOKENIZER, "pretokenizers",
                       read_pre_tokenizer, err));
    TTT_TRY(read_steps(tokenizer, json_object_get(root, "decoder"), "decoder", "decoders", read_decoder, err));
    TTT_TRY(read_model(tokenizer, root, err));
    TTT_TRY(ttt_tokenizer_finish(tokenizer, err));
    TTT_TRY(read_steps(tokenizer, json_object_get(root, "post_processor"), "post_processor", "processors",
                       read_post_processor, err));
    if (chat_template != NULL) ttt_tokenizer_read_template(tokenizer, chat_template, strlen(chat_template));
    return read_config(tokenizer, config, err);
}

ttt_status ttt_tokenizer_from_json(const json_t *root, const json_t *config, const char *chat_template,
                                   ttt_tokenizer **tokenizer, ttt_error *err) {
    TTT_TRY(ttt_tokenizer_new(tokenizer, err));
    const ttt_status status = read_all(*tokenizer, root, config, chat_template, err);
    if (status != TTT_OK) {
        ttt_tokenizer_free(*tokenizer);
        *tokenizer = NULL;
    }
    return status;
}
