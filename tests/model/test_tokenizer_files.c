/* Tokenizer files: what is refused and with which words, and GGUF's metadata, whose files are made here. */
#include "support.h"

#include "base/json.h"
#include "base/memory.h"
#include "model/tokenizer_inside.h"

/* ---------------------------------------------------------------------------------------------- tokenizer.json */

#define VOCAB "\"vocab\": {\"a\": 0, \"b\": 1, \"ab\": 2, \"<u>\": 3}"
#define MODEL "\"model\": {\"type\": \"BPE\", " VOCAB ", \"merges\": [\"a b\"]}"

static ttt_status read_json(const char *text, const char *config_text, ttt_tokenizer **tokenizer, ttt_error *err) {
    json_t *root, *config = NULL;
    *tokenizer = NULL;
    ttt_status status = ttt_json_parse("test", text, strlen(text), &root, err);
    if (status != TTT_OK) return status;
    if (config_text != NULL) assert_int_equal(ttt_json_parse("c", config_text, strlen(config_text), &config, err), 0);
    status = ttt_tokenizer_from_json(root, config, NULL, tokenizer, err);
    json_decref(root);
    json_decref(config);
    return status;
}

static ttt_tokenizer *accept(const char *text) {
    ttt_error err = {0};
    ttt_tokenizer *tokenizer;
    ASSERT_OK(read_json(text, NULL, &tokenizer, &err));
    return tokenizer;
}

static void assert_text_ids(const ttt_tokenizer *tokenizer, const char *text, const int32_t *wanted, size_t count) {
    ttt_error err = {0};
    ttt_ids ids = {0};
    ASSERT_OK(ttt_tokenizer_encode(tokenizer, text, strlen(text), TTT_TOKENIZE_START, &ids, &err));
    assert_int_equal(ids.count, count);
    for (size_t i = 0; i < count; i++) assert_int_equal(ids.items[i], wanted[i]);
    ttt_free(ids.items);
}

static const struct bad_json {
    const char *text, *part; /* of the sentence */
} BAD[] = {
    {"[]", "expected an object"},
    {"{}", "'model'"},
    {"{\"model\": []}", "'model' must be an object"},
    {"{\"model\": {\"type\": \"WordPiece\"}}", "its model has \"WordPiece\""},
    {"{\"model\": {\"type\": \"BPE\"}}", "'vocab'"},
    {"{\"model\": {\"vocab\": {}, \"merges\": []}}", "it has no tokens"},
    {"{\"model\": {\"vocab\": {\"a\": 0}}}", "'merges'"},
    {"{\"model\": {\"vocab\": {\"a\": -1}, \"merges\": []}}", "the id of token \"a\""},
    {"{\"model\": {\"vocab\": {\"a\": 0.5}, \"merges\": []}}", "the id of token \"a\""},
    {"{\"model\": {\"vocab\": {\"a\": 2147483647}, \"merges\": []}}", "the id of token \"a\""},
    {"{\"model\": {\"vocab\": {\"a\": 0, \"b\": 0}, \"merges\": []}}", "id 0 is given to two tokens"},
    {"{\"model\": {" VOCAB ", \"merges\": [\"ab\"]}}", "merge 0 is not two texts"},
    {"{\"model\": {" VOCAB ", \"merges\": [\"a  b\"]}}", "merge 0 is not two texts"},
    {"{\"model\": {" VOCAB ", \"merges\": [[\"a\"]]}}", "merge 0 is not two texts"},
    {"{\"model\": {" VOCAB ", \"merges\": [[\"a\", \"\"]]}}", "merge 0 is not two texts"},
    {"{\"model\": {" VOCAB ", \"merges\": [[\"a\", 1]]}}", "merge 0 is not two texts"},
    {"{\"model\": {" VOCAB ", \"merges\": [7]}}", "merge 0 is not two texts"},
    {"{\"model\": {" VOCAB ", \"merges\": [\"a b\", \"ab a\"]}}", "merge 1: \"aba\" is not in the vocabulary"},
    {"{\"model\": {" VOCAB ", \"merges\": [], \"unk_token\": \"?\"}}", "\"unk_token\", \"?\", is not"},
    {"{\"model\": {" VOCAB ", \"merges\": [], \"dropout\": 0.1}}", "\"dropout\""},
    {"{\"model\": {" VOCAB ", \"merges\": [], \"end_of_word_suffix\": \"</w>\"}}", "\"end_of_word_suffix\""},
    {"{\"model\": {" VOCAB ", \"merges\": [], \"byte_fallback\": 1}}", "'byte_fallback'"},
    {"{\"added_tokens\": {}, " MODEL "}", "'added_tokens' must be an array"},
    {"{\"added_tokens\": [1], " MODEL "}", "expected an object"},
    {"{\"added_tokens\": [{\"id\": 4}], " MODEL "}", "'content'"},
    {"{\"added_tokens\": [{\"id\": 4, \"content\": \"a\"}], " MODEL "}", "\"a\" has two ids, 0 and 4"},
    {"{\"added_tokens\": [{\"id\": 0, \"content\": \"x\"}], " MODEL "}", "id 0 is given to two tokens"},
    {"{\"added_tokens\": [{\"id\": 9999999, \"content\": \"x\"}], " MODEL "}", "the id of token \"x\""},
    {"{\"added_tokens\": [{\"id\": 4, \"content\": \"x\", \"single_word\": true}], " MODEL "}", "single_word"},
    {"{\"normalizer\": 3, " MODEL "}", "its normalizer is an integer"},
    {"{\"normalizer\": {\"type\": \"NFKC\"}, " MODEL "}", "its normalizer has \"NFKC\""},
    {"{\"normalizer\": {\"type\": \"Replace\", \"pattern\": {\"Regex\": \"a\"}, \"content\": \"\"}, " MODEL "}",
     "its normalizer has \"a\""},
    {"{\"normalizer\": {\"type\": \"Replace\", \"pattern\": {\"String\": \"\"}, \"content\": \"\"}, " MODEL "}",
     "neither a \"String\" nor"},
    {"{\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"Sequence\"}]}, " MODEL "}",
     "its normalizer has \"Sequence\""},
    {"{\"pre_tokenizer\": {\"type\": \"Whitespace\"}, " MODEL "}", "its pre_tokenizer has \"Whitespace\""},
    {"{\"pre_tokenizer\": {\"type\": \"Metaspace\", \"replacement\": \"_\"}, " MODEL "}",
     "its pre_tokenizer has \"_\""},
    {"{\"pre_tokenizer\": {\"type\": \"Split\", \"pattern\": {\"String\": \"a\"}, \"behavior\": \"Odd\"}, " MODEL "}",
     "its pre_tokenizer has \"Odd\""},
    {"{\"decoder\": {\"type\": \"WordPiece\", \"content\": \" \"}, " MODEL "}", "its decoder has \"WordPiece\""},
    {"{\"decoder\": {\"type\": \"ByteLevel\"}, " MODEL "}", "ByteLevel without"},
    {"{\"post_processor\": {\"type\": \"BertProcessing\"}, " MODEL "}", "its post_processor has \"BertProcessing\""},
    {"{\"post_processor\": {\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": {\"id\": "
     "\"?\"}}]}, " MODEL "}",
     "begins with \"?\", which is no special token"},
};

static void json__is_refused_with_a_sentence(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        ttt_error err = {0};
        ttt_tokenizer *tokenizer;
        const ttt_status status = read_json(BAD[i].text, NULL, &tokenizer, &err);
        if (status == TTT_OK) fail_msg("accepted: %s", BAD[i].text);
        assert_null(tokenizer);
        if (strstr(err.message, BAD[i].part) == NULL) fail_msg("no \"%s\" in \"%s\"", BAD[i].part, err.message);
    }
}

/* Patterns that PCRE2 would read in another way than the tokenizers package, and patterns that are none. */
static void pattern__of_another_meaning_is_refused(void **state) {
    (void)state;
    static const char *const PATTERNS[] = {
        "\\w+",     "\\bx",   "\\h",     "^a",        "a$",      "\\p{Han}",     "\\p{Letter}", "[a[b]]", "[a&&b]",
        "[[:^a:]]", "(?m)a",  "(?<n>a)", "(*ACCEPT)", "(?R)",    "\\p{N}{1,3}+", "a{,3}",       "a{2}?",  "a{",
        "[a",       "(a",     "a)",      "\\",        "[\\S]",   "\\x41",        "\\K",         "*a",     "(?#a)",
        "[]a]",     "\\1(a)", "\\p{L",   "(?(1)a|b)", "\\Q*\\E", "\\C",          "\\R",         "\\u12",  "(?i)a"};
    for (size_t i = 0; i < sizeof PATTERNS / sizeof *PATTERNS; i++) {
        ttt_error err = {0};
        ttt_pattern *pattern;
        const ttt_status status = ttt_pattern_compile(PATTERNS[i], &pattern, &err);
        if (status == TTT_OK) fail_msg("accepted: %s", PATTERNS[i]);
        assert_null(pattern);
        if (strstr(err.message, "the split pattern") == NULL) fail_msg("%s", err.message);
    }
}

/* A pattern that backtracks without end, and replacements that double a text again and again, end in an error. */
static void encode__of_runaway_files_ends_in_an_error(void **state) {
    (void)state;
    ttt_error err = {0};
    ttt_ids ids = {0};
    char text[64];
    memset(text, 'a', sizeof text);
    ttt_tokenizer *tokenizer =
        accept("{\"pre_tokenizer\": {\"type\": \"Split\", \"pattern\": {\"Regex\": \"(a|a)*[bc]\"}, "
               "\"behavior\": \"Isolated\"}, " MODEL "}");
    ASSERT_FAILS(ttt_tokenizer_encode(tokenizer, text, sizeof text, 0, &ids, &err), TTT_ERROR_UNSUPPORTED, "too many");
    ttt_tokenizer_free(tokenizer);

    char json[4096] = "{\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [";
    for (int i = 0; i < 16; i++) {
        strcat(json, i == 0 ? "" : ", ");
        strcat(json, "{\"type\": \"Replace\", \"pattern\": {\"String\": \"a\"}, \"content\": \"aaaaaaaa\"}");
    }
    strcat(json, "]}, " MODEL "}");
    tokenizer = accept(json);
    ASSERT_FAILS(ttt_tokenizer_encode(tokenizer, text, sizeof text, 0, &ids, &err), TTT_ERROR_UNSUPPORTED,
                 "steps make");
    assert_int_equal(ids.count, 0);
    ttt_free(ids.items);
    ttt_tokenizer_free(tokenizer);
}

static void encode__refuses_what_a_small_vocabulary_cannot_write(void **state) {
    (void)state;
    ttt_error err = {0};
    ttt_ids ids = {0};
    ttt_tokenizer *tokenizer = accept("{" MODEL "}");
    assert_text_ids(tokenizer, "aab", (const int32_t[]){0, 2}, 2);
    ASSERT_FAILS(ttt_tokenizer_encode(tokenizer, "abx", 3, 0, &ids, &err), TTT_ERROR_ARGUMENT, "\"x\"");
    assert_int_equal(ids.count, 0);
    ttt_free(ids.items);
    ttt_tokenizer_free(tokenizer);
    tokenizer = accept("{\"model\": {" VOCAB ", \"merges\": [], \"unk_token\": \"<u>\", \"fuse_unk\": true}}");
    assert_text_ids(tokenizer, "axyb?", (const int32_t[]){0, 3, 1, 3}, 4);
    ttt_tokenizer_free(tokenizer);
}

/* A merge, or a whole piece, that would make a special token does not. */
static void json__cannot_make_special_tokens_by_merges(void **state) {
    (void)state;
    ttt_tokenizer *tokenizer = accept("{\"added_tokens\": [{\"id\": 2, \"content\": \"ab\", \"special\": true}], "
                                      "\"model\": {" VOCAB ", \"merges\": [\"a b\"], \"ignore_merges\": true}}");
    assert_text_ids(tokenizer, "ab", (const int32_t[]){0, 1}, 2);
    assert_true(ttt_tokenizer_is_special(tokenizer, 2));
    ttt_tokenizer_free(tokenizer);
}

static void json__may_have_holes_and_merges_twice(void **state) {
    (void)state;
    ttt_error err = {0};
    ttt_bytes text = {0};
    ttt_tokenizer *tokenizer = accept("{\"model\": {\"vocab\": {\"a\": 0, \"b\": 5, \"ab\": 9, \"ba\": 7}, "
                                      "\"merges\": [\"a b\", \"b a\", [\"a\", \"b\"]]}}");
    assert_int_equal(ttt_tokenizer_size(tokenizer), 10);
    assert_text_ids(tokenizer, "aba", (const int32_t[]){0, 7}, 2); /* the last "a b" counts, and comes after "b a" */
    ASSERT_FAILS(ttt_tokenizer_decode(tokenizer, &(int32_t){3}, 1, true, &text, &err), TTT_ERROR_ARGUMENT,
                 "3 is no id");
    ttt_free(text.items);
    ttt_tokenizer_free(tokenizer);
}

static void config__says_where_texts_start_and_end(void **state) {
    (void)state;
    static const char TEXT[] = "{\"added_tokens\": [{\"id\": 4, \"content\": \"<s>\", \"special\": true}, {\"id\": 5, "
                               "\"content\": \"</s>\", \"special\": true}], " MODEL "}";
    ttt_error err = {0};
    ttt_tokenizer *tokenizer;
    ASSERT_OK(read_json(TEXT,
                        "{\"bos_token\": {\"content\": \"<s>\"}, \"eos_token\": \"</s>\", \"add_bos_token\": true}",
                        &tokenizer, &err));
    assert_int_equal(ttt_tokenizer_start(tokenizer), 4);
    assert_int_equal(ttt_tokenizer_end(tokenizer), 5);
    assert_true(ttt_tokenizer_adds_start(tokenizer));
    assert_int_equal(ttt_tokenizer_chat(tokenizer), TTT_CHAT_NONE);
    assert_text_ids(tokenizer, "ab", (const int32_t[]){4, 2}, 2);
    ttt_tokenizer_free(tokenizer);
    ASSERT_FAILS(read_json(TEXT, "{\"bos_token\": \"<x>\"}", &tokenizer, &err), TTT_ERROR_FORMAT, "\"bos_token\"");
    ASSERT_FAILS(read_json(TEXT, "{\"eos_token\": 7}", &tokenizer, &err), TTT_ERROR_FORMAT, "\"eos_token\"");
    ASSERT_FAILS(read_json(TEXT, "[]", &tokenizer, &err), TTT_ERROR_FORMAT, "tokenizer_config.json is an array");
    /* Llama 2's system marks are not Mistral's format. */
    ASSERT_OK(read_json(TEXT, "{\"eos_token\": \"</s>\", \"chat_template\": [{\"template\": \"[INST] <<SYS>>\"}]}",
                        &tokenizer, &err));
    assert_int_equal(ttt_tokenizer_chat(tokenizer), TTT_CHAT_NONE);
    ttt_tokenizer_free(tokenizer);
}

static void load__names_the_file(void **state) {
    (void)state;
    ttt_error err = {0};
    ttt_tokenizer *tokenizer;
    const support_path folder = support_temporary_folder();
    ASSERT_FAILS(ttt_tokenizer_load(folder.text, &tokenizer, &err), TTT_ERROR_IO, "there is no tokenizer.json in it");
    support_write(support_join(folder.text, "tokenizer.json").text, "{\"model\": 1}");
    ASSERT_FAILS(ttt_tokenizer_load(folder.text, &tokenizer, &err), TTT_ERROR_FORMAT,
                 "tokenizer.json: tokenizer: 'model'");
    assert_null(tokenizer);
    support_remove_folder(folder.text);
}

/* ---------------------------------------------------------------------------------------------- GGUF */

/* A file in the making: version 3, no tensors. Types: 4 uint32, 5 int32, 6 float32, 7 bool, 8 string, 9 array. */
typedef struct gguf_bytes {
    uint8_t items[8192];
    size_t count;
    uint64_t entries;
} gguf_bytes;

static void put(gguf_bytes *file, const void *data, size_t bytes) {
    assert_true(file->count + bytes <= sizeof file->items);
    memcpy(file->items + file->count, data, bytes);
    file->count += bytes;
}

static void put_number(gguf_bytes *file, uint64_t value, size_t bytes) {
    put(file, &value, bytes); /* little-endian, as the machine is */
}

static void put_string(gguf_bytes *file, const char *text) {
    put_number(file, strlen(text), 8);
    put(file, text, strlen(text));
}

static void put_key(gguf_bytes *file, const char *key, uint32_t type) {
    file->entries++;
    put_string(file, key);
    put_number(file, type, 4);
}

static void put_strings(gguf_bytes *file, const char *key, const char *const *texts, size_t count) {
    put_key(file, key, 9);
    put_number(file, 8, 4);
    put_number(file, count, 8);
    for (size_t i = 0; i < count; i++) put_string(file, texts[i]);
}

static void put_text(gguf_bytes *file, const char *key, const char *text) {
    put_key(file, key, 8);
    put_string(file, text);
}

static void put_id(gguf_bytes *file, const char *key, uint32_t id) {
    put_key(file, key, 4);
    put_number(file, id, 4);
}

/* `file` holds the metadata; reads it as a whole file. */
static ttt_status read_gguf(const gguf_bytes *file, ttt_tokenizer **tokenizer, ttt_error *err) {
    static gguf_bytes whole;
    whole.count = 0;
    put(&whole, "GGUF", 4);
    put_number(&whole, 3, 4);
    put_number(&whole, 0, 8);
    put_number(&whole, file->entries, 8);
    put(&whole, file->items, file->count);
    const support_path folder = support_temporary_folder();
    const support_path path = support_join(folder.text, "x.gguf");
    FILE *out = fopen(path.text, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(whole.items, 1, whole.count, out), whole.count);
    assert_int_equal(fclose(out), 0);
    const ttt_status status = ttt_tokenizer_load(path.text, tokenizer, err);
    support_remove_folder(folder.text);
    return status;
}

enum { CHARACTER_TOKENS = 12 };
static const char *const CHARACTERS[CHARACTER_TOKENS] = {"<unk>",
                                                         "<s>",
                                                         "</s>",
                                                         "<0x0A>",
                                                         "\xE2\x96\x81",
                                                         "a",
                                                         "b",
                                                         "c",
                                                         "ab",
                                                         "bc",
                                                         ("\xE2\x96\x81"
                                                          "a"),
                                                         "[X]"};
static const uint8_t TYPES[CHARACTER_TOKENS] = {2, 3, 3, 6, 1, 1, 1, 1, 1, 1, 1, 4};

static void put_characters(gguf_bytes *file, const float scores[CHARACTER_TOKENS]) {
    put_text(file, "tokenizer.ggml.model", "llama");
    put_strings(file, "tokenizer.ggml.tokens", CHARACTERS, CHARACTER_TOKENS);
    put_key(file, "tokenizer.ggml.token_type", 9);
    put_number(file, 5, 4);
    put_number(file, CHARACTER_TOKENS, 8);
    for (size_t i = 0; i < CHARACTER_TOKENS; i++) put_number(file, TYPES[i], 4);
    put_key(file, "tokenizer.ggml.scores", 9);
    put_number(file, 6, 4);
    put_number(file, CHARACTER_TOKENS, 8);
    put(file, scores, CHARACTER_TOKENS * sizeof *scores);
    put_id(file, "tokenizer.ggml.bos_token_id", 1);
    put_id(file, "tokenizer.ggml.eos_token_id", 2);
    put_id(file, "tokenizer.ggml.unknown_token_id", 0);
}

static void gguf__of_characters_merges_by_score(void **state) {
    (void)state;
    ttt_error err = {0};
    ttt_tokenizer *tokenizer;
    gguf_bytes file = {.count = 0};
    put_characters(&file, (const float[]){0, 0, 0, 0, -9, -9, -9, -9, -2, -1, -3, 0});
    ASSERT_OK(read_gguf(&file, &tokenizer, &err));
    assert_text_ids(tokenizer, "abc", (const int32_t[]){1, 10, 9}, 3); /* bc first, then _a */
    assert_text_ids(tokenizer, "ab", (const int32_t[]){1, 4, 8}, 3);   /* ab before _a */
    assert_text_ids(tokenizer, "\n?x",
                    (const int32_t[]){
                        1,
                        4,
                        3,
                        0,
                    },
                    4);                                                             /* a byte, one unknown for two */
    assert_text_ids(tokenizer, "a[X]a<s>", (const int32_t[]){1, 10, 11, 10, 0}, 5); /* control tokens are no text */
    ttt_tokenizer_free(tokenizer);

    file = (gguf_bytes){.count = 0};
    put_characters(&file, (const float[]){0, 0, 0, 0, -9, -9, -9, -9, -1, -1, -1, 0});
    put_key(&file, "tokenizer.ggml.add_space_prefix", 7);
    put_number(&file, 0, 1);
    put_key(&file, "tokenizer.ggml.add_bos_token", 7);
    put_number(&file, 0, 1);
    ASSERT_OK(read_gguf(&file, &tokenizer, &err));
    assert_text_ids(tokenizer, "abc", (const int32_t[]){8, 7}, 2); /* of equals the leftmost */
    ttt_tokenizer_free(tokenizer);
}

/* The 256 bytes in their alphabet, then some merges. */
static void put_byte_level(gguf_bytes *file, const char *pre, const char *const *merges, size_t count) {
    static char spelt[256][3];
    const char *tokens[260];
    for (uint32_t i = 0; i < 256; i++) {
        const uint32_t code = i < 94 ? 0x21 + i : i < 106 ? 0xA1 + i - 94 : i < 188 ? 0xAE + i - 106 : 0x100 + i - 188;
        spelt[i][ttt_utf8_encode(code, spelt[i])] = '\0';
        tokens[i] = spelt[i];
    }
    tokens[256] = "ab";
    tokens[257] = "12";
    tokens[258] = "123";
    tokens[259] = "<|eot_id|>";
    put_text(file, "tokenizer.ggml.model", "gpt2");
    if (pre != NULL) put_text(file, "tokenizer.ggml.pre", pre);
    put_strings(file, "tokenizer.ggml.tokens", tokens, 260);
    put_key(file, "tokenizer.ggml.token_type", 9);
    put_number(file, 5, 4);
    put_number(file, 260, 8);
    for (int i = 0; i < 260; i++) put_number(file, i == 259 ? 3 : 1, 4);
    put_strings(file, "tokenizer.ggml.merges", merges, count);
    put_id(file, "tokenizer.ggml.bos_token_id", 259);
}

static void gguf__of_bytes_splits_by_the_named_pattern(void **state) {
    (void)state;
    static const char *const MERGES[] = {"a b", "1 2", "12 3"};
    ttt_error err = {0};
    ttt_tokenizer *tokenizer;
    gguf_bytes file = {.count = 0};
    put_byte_level(&file, "llama-bpe", MERGES, 3);
    ASSERT_OK(read_gguf(&file, &tokenizer, &err));
    assert_text_ids(tokenizer, "ab1231", (const int32_t[]){259, 256, 258, '1' - 0x21}, 4);
    assert_true(ttt_tokenizer_stops(tokenizer, 259));
    ttt_tokenizer_free(tokenizer);
    file = (gguf_bytes){.count = 0};
    put_byte_level(&file, "qwen2", MERGES, 3);
    ASSERT_OK(read_gguf(&file, &tokenizer, &err));
    assert_text_ids(tokenizer, "ab12", (const int32_t[]){256, '1' - 0x21, '2' - 0x21}, 3);
    ttt_tokenizer_free(tokenizer);
}

static void gguf__is_refused_with_a_sentence(void **state) {
    (void)state;
    static const char *const GOOD[] = {"a b"}, *const BAD_MERGES[] = {"a b", "b a"}, *const NO_PAIR[] = {"ab"};
    ttt_error err = {0};
    ttt_tokenizer *tokenizer;
    gguf_bytes file = {.count = 0};
    ASSERT_FAILS(read_gguf(&file, &tokenizer, &err), TTT_ERROR_FORMAT, "x.gguf");
    put_byte_level(&file, NULL, GOOD, 1);
    ASSERT_FAILS(read_gguf(&file, &tokenizer, &err), TTT_ERROR_FORMAT, "tokenizer.ggml.pre");
    file = (gguf_bytes){.count = 0};
    put_byte_level(&file, "bloom", GOOD, 1);
    ASSERT_FAILS(read_gguf(&file, &tokenizer, &err), TTT_ERROR_UNSUPPORTED, "is named \"bloom\"");
    file = (gguf_bytes){.count = 0};
    put_byte_level(&file, "gpt-2", BAD_MERGES, 2);
    ASSERT_FAILS(read_gguf(&file, &tokenizer, &err), TTT_ERROR_FORMAT, "merge 1, \"b a\"");
    file = (gguf_bytes){.count = 0};
    put_byte_level(&file, "gpt-2", NO_PAIR, 1);
    ASSERT_FAILS(read_gguf(&file, &tokenizer, &err), TTT_ERROR_FORMAT, "merge 0, \"ab\"");
    file = (gguf_bytes){.count = 0};
    put_byte_level(&file, "gpt-2", GOOD, 1);
    put_id(&file, "tokenizer.ggml.eos_token_id", 260);
    ASSERT_FAILS(read_gguf(&file, &tokenizer, &err), TTT_ERROR_FORMAT, "eos_token_id");
    file = (gguf_bytes){.count = 0};
    put_text(&file, "tokenizer.ggml.model", "bert");
    put_strings(&file, "tokenizer.ggml.tokens", GOOD, 1);
    ASSERT_FAILS(read_gguf(&file, &tokenizer, &err), TTT_ERROR_UNSUPPORTED, "of kind \"bert\"");
    file = (gguf_bytes){.count = 0};
    put_text(&file, "tokenizer.ggml.model", "llama");
    put_strings(&file, "tokenizer.ggml.tokens", BAD_MERGES, 2);
    ASSERT_FAILS(read_gguf(&file, &tokenizer, &err), TTT_ERROR_FORMAT, "no scores");
    put_key(&file, "tokenizer.ggml.scores", 9);
    put_number(&file, 6, 4);
    put_number(&file, 1, 8);
    put_number(&file, 0, 4);
    ASSERT_FAILS(read_gguf(&file, &tokenizer, &err), TTT_ERROR_FORMAT, "1 entries for 2 tokens");
    assert_null(tokenizer);
}

/* ---------------------------------------------------------------------------------------------- Unicode */

static void utf8__takes_whole_characters_only(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t bytes, length;
    } CASES[] = {{"a", 1, 1},
                 {"\xC3\xA9", 2, 2},
                 {"\xE2\x96\x81", 3, 3},
                 {"\xF4\x8F\xBF\xBF", 4, 4},
                 {"", 0, 0},
                 {"\x80", 1, 0},
                 {"\xC3", 1, 0},
                 {"\xC3(", 2, 0},
                 {"\xC0\x80", 2, 0},
                 {"\xE0\x80\x80", 3, 0},
                 {"\xF0\x80\x80\x80", 4, 0},
                 {"\xED\xA0\x80", 3, 0},
                 {"\xF4\x90\x80\x80", 4, 0},
                 {"\xF8\x88\x80\x80", 4, 0},
                 {"\xE2\x96\x81", 2, 0},
                 {"\xFF", 1, 0}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        assert_int_equal(ttt_utf8_decode(CASES[i].text, CASES[i].bytes, NULL), CASES[i].length);
    }
}

static void compose__orders_marks_and_keeps_what_is_no_text(void **state) {
    (void)state;
    static const struct {
        const char *text, *composed;
    } CASES[] = {
        {"e\xCC\x81", "\xC3\xA9"},                                /* e, acute */
        {"q\xCC\x87\xCC\xA3", "q\xCC\xA3\xCC\x87"},               /* dot above, dot below: below goes first */
        {"\xE2\x84\xAB", "\xC3\x85"},                             /* the sign of the angstrom */
        {"\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", "\xED\x95\x9C"}, /* Hangul */
        {"\xE0\xA5\x98", "\xE0\xA4\x95\xE0\xA4\xBC"},             /* excluded from composition */
        {"e\xFF\xCC\x81", "e\xFF\xCC\x81"},                       /* nothing composes across a stray byte */
        {"", ""},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        ttt_error err = {0};
        ttt_bytes to = {0};
        ASSERT_OK(ttt_unicode_compose(CASES[i].text, strlen(CASES[i].text), &to, &err));
        assert_int_equal(to.count, strlen(CASES[i].composed));
        if (to.count > 0) assert_memory_equal(to.items, CASES[i].composed, to.count);
        ttt_free(to.items);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json__is_refused_with_a_sentence),
        cmocka_unit_test(pattern__of_another_meaning_is_refused),
        cmocka_unit_test(encode__of_runaway_files_ends_in_an_error),
        cmocka_unit_test(encode__refuses_what_a_small_vocabulary_cannot_write),
        cmocka_unit_test(json__cannot_make_special_tokens_by_merges),
        cmocka_unit_test(json__may_have_holes_and_merges_twice),
        cmocka_unit_test(config__says_where_texts_start_and_end),
        cmocka_unit_test(load__names_the_file),
        cmocka_unit_test(gguf__of_characters_merges_by_score),
        cmocka_unit_test(gguf__of_bytes_splits_by_the_named_pattern),
        cmocka_unit_test(gguf__is_refused_with_a_sentence),
        cmocka_unit_test(utf8__takes_whole_characters_only),
        cmocka_unit_test(compose__orders_marks_and_keeps_what_is_no_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
