/* tokenizer.json to the metadata of GGUF; see gguf_tokenizer.h. */
#include "model/gguf_tokenizer.h"

#include "base/file.h"
#include "base/memory.h"
#include "model/tokenizer_inside.h"
#include "model/tokenizer_pre.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* GGUF's numbers of kinds of tokens. */
enum { TEMPLATE_LIMIT = 1 << 20 };

typedef struct token {
    const char *text; /* of the JSON; NULL: a hole */
    int32_t kind;
    float score;
} token;

typedef struct writing {
    const char *folder;
    char *path;                            /* of tokenizer.json */
    json_t *root, *settings, *description; /* tokenizer.json, tokenizer_config.json, config.json */
    const json_t *vocab;                   /* text to id */
    json_t *merges;
    bool byte_level;
    size_t count;
    token *tokens;
    ttt_gguf_writer *writer;
} writing;

static ttt_status fail_memory(const writing *w, ttt_error *err) {
    return ttt_fail(err, TTT_ERROR_MEMORY, "%s: out of memory", w->path);
}

/* A file of the folder; *root stays NULL where there is none. */
static ttt_status read_file(const char *folder, const char *name, json_t **root, char **path, ttt_error *err) {
    *path = ttt_path_join(folder, name);
    if (*path == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the tokenizer in '%s'", folder);
    return ttt_file_exists(*path) ? ttt_json_read(*path, root, err) : TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- steps */

/* Step number `index` of a part of the pipeline, which may be one step or a "Sequence" of them under `list`. */
static const json_t *step_at(const writing *w, const char *part, const char *list, size_t index) {
    const json_t *whole = json_object_get(w->root, part);
    const json_t *steps = json_object_get(whole, list);
    return steps != NULL ? json_array_get(steps, index) : index == 0 && json_is_object(whole) ? whole : NULL;
}

static bool step_is(const json_t *step, const char *type) {
    const char *found = json_string_value(json_object_get(step, "type"));
    return found != NULL && strcmp(found, type) == 0;
}

static const json_t *find_step(const writing *w, const char *part, const char *list, const char *type) {
    const json_t *step;
    for (size_t i = 0; (step = step_at(w, part, list, i)) != NULL; i++) {
        if (step_is(step, type)) return step;
    }
    return NULL;
}

/* Adds a step of a byte-level tokenizer; false where GGUF has no words for it. Absent keys mean what they mean when a
 * tokenizer.json is read. */
static bool add_splitting(const json_t *step, ttt_pre_tokenizer *split) {
    if (step_is(step, "Digits")) {
        split->digits = json_is_true(json_object_get(step, "individual_digits"));
        return split->digits && split->pattern == NULL;
    }
    if (split->pattern != NULL && !json_is_false(json_object_get(step, "use_regex"))) return false; /* a second one */
    if (step_is(step, "Split")) {
        const char *behaviour = json_string_value(json_object_get(step, "behavior"));
        split->pattern = json_string_value(json_object_get(json_object_get(step, "pattern"), "Regex"));
        return split->pattern != NULL && behaviour != NULL && strcmp(behaviour, "Isolated") == 0 &&
               !json_is_true(json_object_get(step, "invert"));
    }
    if (split->pattern == NULL) split->pattern = ttt_gpt2_pattern;
    return step_is(step, "ByteLevel") && json_is_false(json_object_get(step, "add_prefix_space"));
}

/* How a byte-level tokenizer splits: perhaps composed characters, perhaps single digits, one pattern, then bytes. False
 * where it does more or otherwise. */
static bool splitting_of(const writing *w, ttt_pre_tokenizer *split) {
    const json_t *normalizer = step_at(w, "normalizer", "normalizers", 0), *step;
    *split = (ttt_pre_tokenizer){
        .compose = normalizer != NULL,
        .ignore_merges = json_is_true(json_object_get(json_object_get(w->root, "model"), "ignore_merges")),
    };
    bool fits =
        normalizer == NULL || (step_is(normalizer, "NFC") && step_at(w, "normalizer", "normalizers", 1) == NULL);
    for (size_t i = 0; (step = step_at(w, "pre_tokenizer", "pretokenizers", i)) != NULL; i++) {
        fits = fits && add_splitting(step, split);
    }
    return fits;
}

/* ---------------------------------------------------------------------------------------------- tokens */

static ttt_status set_token(const writing *w, json_int_t id, const char *text, int32_t kind, ttt_error *err) {
    if (id < 0 || (uint64_t)id >= w->count) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: token \"%.60s\" has id %lld, but the model has %zu tokens", w->path,
                        text, (long long)id, w->count);
    }
    token *t = &w->tokens[id];
    if (t->text != NULL && strcmp(t->text, text) != 0) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: tokens \"%.60s\" and \"%.60s\" both have id %lld", w->path, t->text,
                        text, (long long)id);
    }
    t->text = text;
    t->kind = kind;
    return TTT_OK;
}

static bool is_byte(const char *text) {
    unsigned byte;
    int end = 0;
    return strlen(text) == 6 && sscanf(text, "<0x%2X>%n", &byte, &end) == 1 && end == 6;
}

static ttt_status read_vocab(const writing *w, ttt_error *err) {
    const char *text;
    json_t *id;
    json_object_foreach((json_t *)w->vocab, text, id) {
        if (!json_is_integer(id)) {
            return ttt_fail(err, TTT_ERROR_FORMAT, "%s: the id of token \"%.60s\" is %s, expected an integer", w->path,
                            text, ttt_json_type_name(id));
        }
        TTT_TRY(set_token(w, json_integer_value(id), text,
                          !w->byte_level && is_byte(text) ? TTT_GGUF_BYTE : TTT_GGUF_NORMAL, err));
    }
    return TTT_OK;
}

static ttt_status read_added(const writing *w, ttt_error *err) {
    const char *unknown = json_string_value(json_object_get(json_object_get(w->root, "model"), "unk_token"));
    const json_t *added = json_object_get(w->root, "added_tokens");
    for (size_t i = 0; i < json_array_size(added); i++) {
        const json_t *entry = json_array_get(added, i);
        const char *text;
        int64_t id;
        bool special = false;
        TTT_TRY(ttt_json_get_string(entry, w->path, "content", &text, err));
        TTT_TRY(ttt_json_get_int(entry, w->path, "id", 0, INT32_MAX, &id, err));
        TTT_TRY(ttt_json_optional_bool(entry, w->path, "special", &special, err));
        const bool is_unknown = !w->byte_level && unknown != NULL && strcmp(text, unknown) == 0;
        TTT_TRY(set_token(w, id, text,
                          is_unknown ? TTT_GGUF_UNKNOWN
                          : special  ? TTT_GGUF_CONTROL
                                     : TTT_GGUF_USER_DEFINED,
                          err));
    }
    return TTT_OK;
}

/* The merge's halves with `between` between them, and its length in bytes; fresh memory, NULL when that is out. */
static char *join_halves(const json_t *merge, const char *between, ttt_status *status, const writing *w, size_t index,
                         ttt_error *err) {
    const char *side[2];
    size_t bytes[2];
    if (!ttt_merge_sides(merge, side, bytes)) {
        *status = ttt_fail(err, TTT_ERROR_FORMAT, "%s: merge %zu is not two tokens", w->path, index);
        return NULL;
    }
    const size_t room = bytes[0] + strlen(between) + bytes[1] + 1;
    char *joined = ttt_allocate(room, 1);
    *status = joined == NULL ? fail_memory(w, err) : TTT_OK;
    if (joined != NULL) snprintf(joined, room, "%.*s%s%s", (int)bytes[0], side[0], between, side[1]);
    return joined;
}

/* Scores from which the merges follow again: a token's is minus the number of its first merge. All merges that make one
 * token must stand together, as they do in what came of SentencePiece. */
static ttt_status score_tokens(const writing *w, ttt_error *err) {
    const size_t count = json_array_size(w->merges);
    for (size_t i = 0; i < w->count; i++) w->tokens[i].score = w->tokens[i].kind == TTT_GGUF_NORMAL ? -(float)count : 0;
    json_int_t last = -1;
    for (size_t i = 0; i < count; i++) {
        ttt_status status;
        char *made = join_halves(json_array_get(w->merges, i), "", &status, w, i, err);
        if (made == NULL) return status;
        const json_t *found = json_object_get(w->vocab, made);
        ttt_free(made);
        const json_int_t id = json_is_integer(found) ? json_integer_value(found) : -1;
        if (id < 0) return ttt_fail(err, TTT_ERROR_FORMAT, "%s: merge %zu does not make a token", w->path, i);
        token *t = &w->tokens[id];
        if (id != last && t->score != -(float)count) {
            return ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                            "%s: the order of its merges does not follow from scores of tokens, which is all that GGUF "
                            "has for this kind",
                            w->path);
        }
        if (id != last) t->score = 0 - (float)i;
        last = id;
    }
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- writing */

static ttt_status put_text(const writing *w, const char *key, const char *text, ttt_error *err) {
    return ttt_gguf_writer_string(w->writer, key, text, strlen(text), err);
}

static ttt_status put_tokens(const writing *w, ttt_error *err) {
    char hole[32];
    TTT_TRY(ttt_gguf_writer_array(w->writer, "tokenizer.ggml.tokens", TTT_GGUF_STRING, w->count, err));
    for (size_t i = 0; i < w->count; i++) {
        const char *text = w->tokens[i].text;
        if (text == NULL) {
            snprintf(hole, sizeof hole, "[PAD%zu]", i);
            text = hole;
        }
        TTT_TRY(ttt_gguf_writer_add_string(w->writer, text, strlen(text), err));
    }
    TTT_TRY(ttt_gguf_writer_array(w->writer, "tokenizer.ggml.token_type", TTT_GGUF_I32, w->count, err));
    for (size_t i = 0; i < w->count; i++) {
        TTT_TRY(
            ttt_gguf_writer_add_i32(w->writer, w->tokens[i].text == NULL ? TTT_GGUF_UNUSED : w->tokens[i].kind, err));
    }
    if (w->byte_level) return TTT_OK;
    TTT_TRY(ttt_gguf_writer_array(w->writer, "tokenizer.ggml.scores", TTT_GGUF_F32, w->count, err));
    for (size_t i = 0; i < w->count; i++) TTT_TRY(ttt_gguf_writer_add_f32(w->writer, w->tokens[i].score, err));
    return TTT_OK;
}

static ttt_status put_merges(const writing *w, ttt_error *err) {
    const size_t count = json_array_size(w->merges);
    TTT_TRY(ttt_gguf_writer_array(w->writer, "tokenizer.ggml.merges", TTT_GGUF_STRING, count, err));
    for (size_t i = 0; i < count; i++) {
        ttt_status status;
        char *merge = join_halves(json_array_get(w->merges, i), " ", &status, w, i, err);
        if (merge == NULL) return status;
        status = ttt_gguf_writer_add_string(w->writer, merge, strlen(merge), err);
        ttt_free(merge);
        TTT_TRY(status);
    }
    return TTT_OK;
}

/* The id of a special token that tokenizer_config.json names, or else of config.json's; -1: none. */
static json_int_t special_id(const writing *w, const char *name, const char *id_key) {
    const json_t *entry = json_object_get(w->settings, name);
    const char *text = json_string_value(json_is_object(entry) ? json_object_get(entry, "content") : entry);
    for (size_t i = 0; text != NULL && i < w->count; i++) {
        if (w->tokens[i].text != NULL && strcmp(w->tokens[i].text, text) == 0) return (json_int_t)i;
    }
    const json_t *id = json_object_get(w->description, id_key);
    if (json_is_array(id)) id = json_array_get(id, 0);
    return json_is_integer(id) && json_integer_value(id) < (json_int_t)w->count ? json_integer_value(id) : -1;
}

/* Does the post-processor put this token at an end of the text? `last`: at its end. */
static bool template_adds(const writing *w, json_int_t id, bool last) {
    const json_t *step = find_step(w, "post_processor", "processors", "TemplateProcessing");
    const json_t *single = json_object_get(step, "single");
    const size_t count = json_array_size(single);
    if (count == 0 || id < 0 || w->tokens[id].text == NULL) return false;
    const json_t *end = json_object_get(json_array_get(single, last ? count - 1 : 0), "SpecialToken");
    const char *text = json_string_value(json_object_get(end, "id"));
    return text != NULL && strcmp(text, w->tokens[id].text) == 0;
}

/* A text, or the one named "default" of a list of objects with "name" and "template". */
static const char *chat_template_of(const json_t *settings) {
    const json_t *inside = json_object_get(settings, "chat_template"), *one;
    size_t i;
    json_array_foreach(inside, i, one) {
        const char *name = json_string_value(json_object_get(one, "name"));
        if (name != NULL && strcmp(name, "default") == 0) return json_string_value(json_object_get(one, "template"));
    }
    return json_string_value(inside);
}

/* In tokenizer_config.json, or in a file of its own. */
static ttt_status put_chat_template(const writing *w, ttt_error *err) {
    static const char KEY[] = "tokenizer.chat_template";
    const char *inside = chat_template_of(w->settings);
    if (inside != NULL) return put_text(w, KEY, inside, err);
    char *path = ttt_path_join(w->folder, "chat_template.jinja"), *text = NULL;
    size_t bytes;
    if (path == NULL) return fail_memory(w, err);
    ttt_status status = TTT_OK;
    if (ttt_file_exists(path)) {
        status = ttt_file_read(path, TEMPLATE_LIMIT, &text, &bytes, err);
        if (status == TTT_OK) status = ttt_gguf_writer_string(w->writer, KEY, text, bytes, err);
    }
    ttt_free(text);
    ttt_free(path);
    return status;
}

static ttt_status put_specials(const writing *w, ttt_error *err) {
    json_int_t ids[TTT_GGUF_SPECIALS];
    for (size_t i = 0; i < TTT_GGUF_SPECIALS; i++) {
        ids[i] = special_id(w, ttt_gguf_specials[i].name, ttt_gguf_specials[i].id_key);
        if (ids[i] >= 0) TTT_TRY(ttt_gguf_writer_u32(w->writer, ttt_gguf_specials[i].gguf_key, (uint32_t)ids[i], err));
    }
    bool start = template_adds(w, ids[TTT_GGUF_START], false), end = template_adds(w, ids[TTT_GGUF_END], true);
    TTT_TRY(ttt_json_optional_bool(w->settings, "tokenizer_config.json", "add_bos_token", &start, err));
    TTT_TRY(ttt_json_optional_bool(w->settings, "tokenizer_config.json", "add_eos_token", &end, err));
    TTT_TRY(ttt_gguf_writer_bool(w->writer, "tokenizer.ggml.add_bos_token", start, err));
    TTT_TRY(ttt_gguf_writer_bool(w->writer, "tokenizer.ggml.add_eos_token", end, err));
    return put_chat_template(w, err);
}

static ttt_status write_byte_level(const writing *w, ttt_error *err) {
    ttt_pre_tokenizer split;
    if (!splitting_of(w, &split)) {
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                        "%s: GGUF has no words for a step of its normalizer or pre_tokenizer", w->path);
    }
    const ttt_pre_tokenizer *named = ttt_pre_tokenizer_match(&split);
    if (named == NULL) {
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                        "%s: GGUF has no name for its way to split texts (pattern \"%.60s\"%s%s%s)", w->path,
                        split.pattern == NULL ? "" : split.pattern, split.digits ? ", digits alone" : "",
                        split.compose ? ", NFC" : "", split.ignore_merges ? ", \"ignore_merges\"" : "");
    }
    TTT_TRY(put_text(w, "tokenizer.ggml.model", "gpt2", err));
    TTT_TRY(put_text(w, "tokenizer.ggml.pre", named->name, err));
    TTT_TRY(put_tokens(w, err));
    return put_merges(w, err);
}

/* A part of the pipeline with steps of these two types alone, if any. */
static ttt_status expect_steps(const writing *w, const char *part, const char *list, const char *type,
                               const char *other, ttt_error *err) {
    const json_t *step;
    for (size_t i = 0; (step = step_at(w, part, list, i)) != NULL; i++) {
        if (step_is(step, type) || step_is(step, other)) continue;
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: GGUF has no words for a step of its %s", w->path, part);
    }
    return TTT_OK;
}

/* A blank is put before the text by a normalizer or by "Metaspace". (GGUF does not tell a mark before every piece of
 * text from one before the first alone.) */
static ttt_status write_characters(const writing *w, ttt_error *err) {
    TTT_TRY(expect_steps(w, "normalizer", "normalizers", "Prepend", "Replace", err));
    TTT_TRY(expect_steps(w, "pre_tokenizer", "pretokenizers", "Metaspace", "Metaspace", err));
    const json_t *metaspace = find_step(w, "pre_tokenizer", "pretokenizers", "Metaspace");
    const char *scheme = json_string_value(json_object_get(metaspace, "prepend_scheme"));
    const bool never = (scheme != NULL && strcmp(scheme, "never") == 0) ||
                       json_is_false(json_object_get(metaspace, "add_prefix_space"));
    const bool prefix = find_step(w, "normalizer", "normalizers", "Prepend") != NULL || (metaspace != NULL && !never);
    TTT_TRY(score_tokens(w, err));
    TTT_TRY(put_text(w, "tokenizer.ggml.model", "llama", err));
    TTT_TRY(put_text(w, "tokenizer.ggml.pre", "default", err));
    TTT_TRY(ttt_gguf_writer_bool(w->writer, "tokenizer.ggml.add_space_prefix", prefix, err));
    return put_tokens(w, err);
}

static ttt_status read_model(writing *w, ttt_error *err) {
    json_t *model, *vocab;
    const char *type = "BPE";
    bool fallback = false;
    TTT_TRY(ttt_json_get_object(w->root, w->path, "model", &model, err));
    if (json_object_get(model, "type") != NULL) TTT_TRY(ttt_json_get_string(model, w->path, "type", &type, err));
    TTT_TRY(ttt_json_optional_bool(model, w->path, "byte_fallback", &fallback, err));
    w->byte_level = find_step(w, "pre_tokenizer", "pretokenizers", "ByteLevel") != NULL;
    if (strcmp(type, "BPE") != 0 || (!w->byte_level && !fallback)) {
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                        "%s: its model is \"%.40s\", supported is BPE over bytes or with \"byte_fallback\"", w->path,
                        type);
    }
    TTT_TRY(ttt_json_get_object(model, w->path, "vocab", &vocab, err));
    TTT_TRY(ttt_json_get_array(model, w->path, "merges", &w->merges, err));
    w->vocab = vocab;
    w->tokens = ttt_allocate(w->count, sizeof *w->tokens);
    if (w->tokens == NULL) return fail_memory(w, err);
    TTT_TRY(read_vocab(w, err));
    return read_added(w, err);
}

ttt_status ttt_gguf_tokenizer_write(const char *folder, size_t vocabulary, ttt_gguf_writer *writer, ttt_error *err) {
    writing w = {.folder = folder, .count = vocabulary, .writer = writer};
    char *paths[2] = {NULL};
    ttt_status status;
    TTT_TRY_OUT(read_file(folder, "tokenizer.json", &w.root, &w.path, err));
    if (w.root == NULL) {
        status = put_text(&w, "tokenizer.ggml.model", "no_vocab", err); /* without it llama.cpp reads no file */
        goto out;
    }
    TTT_TRY_OUT(read_file(folder, "tokenizer_config.json", &w.settings, &paths[0], err));
    TTT_TRY_OUT(read_file(folder, "config.json", &w.description, &paths[1], err));
    TTT_TRY_OUT(read_model(&w, err));
    TTT_TRY_OUT(w.byte_level ? write_byte_level(&w, err) : write_characters(&w, err));
    status = put_specials(&w, err);
out:
    json_decref(w.root);
    json_decref(w.settings);
    json_decref(w.description);
    ttt_free(w.tokens);
    ttt_free(w.path);
    ttt_free(paths[0]);
    ttt_free(paths[1]);
    return status;
}
