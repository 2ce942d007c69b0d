#include "tokenizers.h"

#include "support.h"

#include "base/json.h"

static void add_token(json_t *vocabulary, const char *text) {
    json_object_set_new(vocabulary, text, json_integer((json_int_t)json_object_size(vocabulary)));
}

static void add_merge(json_t *vocabulary, json_t *merges, const char *left, const char *right) {
    char text[32];
    snprintf(text, sizeof text, "%s%s", left, right);
    add_token(vocabulary, text);
    json_array_append_new(merges, json_pack("[s, s]", left, right));
}

/* As byte-level vocabularies spell a byte. */
static void spell_byte(int byte, char *text) {
    int hidden = 0, code = byte;
    for (int b = 0; b <= byte; b++) {
        const bool printed = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
        if (!printed && b == byte) code = 256 + hidden;
        hidden += !printed;
    }
    if (code < 128) {
        snprintf(text, 8, "%c", code);
    } else {
        snprintf(text, 8, "%c%c", 0xc0 | code >> 6, 0x80 | (code & 0x3f));
    }
}

/* Two digits, two line ends, brackets with what stands beside them. */
static void add_merges(json_t *vocabulary, json_t *merges, const char *newline, const char *blank) {
    static const char *const digits[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    for (int a = 0; a < 10; a++)
        for (int b = 0; b < 10; b++) add_merge(vocabulary, merges, digits[a], digits[b]);
    add_merge(vocabulary, merges, "]", newline);
    add_merge(vocabulary, merges, "]", "]");
    add_merge(vocabulary, merges, "[", "[");
    add_merge(vocabulary, merges, newline, newline);
    add_merge(vocabulary, merges, blank, "[");
    add_merge(vocabulary, merges, blank, "3"); /* this digit is one token with the blank before it, others are two */
    add_merge(vocabulary, merges, "#", newline);
}

static void add_special(json_t *added, const json_t *vocabulary, const char *text) {
    const json_t *known = json_object_get(vocabulary, text);
    const json_int_t id =
        known ? json_integer_value(known) : (json_int_t)(json_object_size(vocabulary) + json_array_size(added));
    json_array_append_new(added, json_pack("{s:I, s:s, s:b, s:b, s:b, s:b, s:b}", "id", id, "content", text,
                                           "single_word", 0, "lstrip", 0, "rstrip", 0, "normalized", 0, "special", 1));
}

static json_t *byte_level(tokenizer_kind kind) {
    json_t *vocabulary = json_object(), *merges = json_array(), *added = json_array();
    char newline[8], blank[8];
    spell_byte('\n', newline);
    spell_byte(' ', blank);
    for (int byte = 0; byte < 256; byte++) {
        char text[8];
        spell_byte(byte, text);
        add_token(vocabulary, text);
    }
    add_merges(vocabulary, merges, newline, blank);
    static const char *const llama[] = {"<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>",
                                        NULL};
    static const char *const chatml[] = {"<|im_start|>", "<|im_end|>", NULL};
    static const char *const none[] = {NULL};
    for (const char *const *at = kind == TOKENIZER_LLAMA3   ? llama
                                 : kind == TOKENIZER_CHATML ? chatml
                                                            : none;
         *at != NULL; at++)
        add_special(added, vocabulary, *at);
    return json_pack("{s:s, s:o, s:n, s:{s:s, s:b, s:b, s:b}, s:{s:s}, s:{s:s, s:o, s:o}}", "version", "1.0",
                     "added_tokens", added, "normalizer", "pre_tokenizer", "type", "ByteLevel", "add_prefix_space", 0,
                     "trim_offsets", 1, "use_regex", 0, "decoder", "type", "ByteLevel", "model", "type", "BPE", "vocab",
                     vocabulary, "merges", merges);
}

static json_t *characters(void) {
    json_t *vocabulary = json_object(), *merges = json_array(), *added = json_array();
    static const char *const first[] = {"<unk>", "<s>", "</s>", "[INST]", "[/INST]"};
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        add_token(vocabulary, first[i]);
        add_special(added, vocabulary, first[i]);
    }
    for (int byte = 0; byte < 256; byte++) {
        char text[8];
        snprintf(text, sizeof text, "<0x%02X>", byte);
        add_token(vocabulary, text);
    }
    for (const char *at = "\n0123456789[]#>-IO"; *at; at++) add_token(vocabulary, (char[]){*at, '\0'});
    add_token(vocabulary, "\u2581");
    add_merges(vocabulary, merges, "\n", "\u2581");
    return json_pack("{s:s, s:o, s:{s:s, s:[{s:s, s:s}, {s:s, s:{s:s}, s:s}]}, s:n, s:{s:s, s:[{s:s, s:{s:s}, s:s}, "
                     "{s:s}, {s:s}]}, s:{s:s, s:b, s:s, s:o, s:o}}",
                     "version", "1.0", "added_tokens", added, "normalizer", "type", "Sequence", "normalizers", "type",
                     "Prepend", "prepend", "\u2581", "type", "Replace", "pattern", "String", " ", "content", "\u2581",
                     "pre_tokenizer", "decoder", "type", "Sequence", "decoders", "type", "Replace", "pattern", "String",
                     "\u2581", "content", " ", "type", "ByteFallback", "type", "Fuse", "model", "type", "BPE",
                     "byte_fallback", 1, "unk_token", "<unk>", "vocab", vocabulary, "merges", merges);
}

ttt_tokenizer *tokenizer_make(tokenizer_kind kind) {
    support_path folder = support_temporary_folder(), file = support_join(folder.text, "tokenizer.json"),
                 settings = support_join(folder.text, "tokenizer_config.json");
    ttt_tokenizer *tokenizer;
    ttt_error err;
    json_t *root = kind == TOKENIZER_MISTRAL ? characters() : byte_level(kind);
    assert_non_null(root);
    assert_int_equal(json_dump_file(root, file.text, 0), 0);
    json_decref(root);
    if (kind == TOKENIZER_LLAMA3)
        support_write(settings.text, "{\"bos_token\": \"<|begin_of_text|>\", \"add_bos_token\": true, "
                                     "\"eos_token\": \"<|eot_id|>\"}");
    if (kind == TOKENIZER_MISTRAL)
        support_write(settings.text, "{\"bos_token\": \"<s>\", \"eos_token\": \"</s>\", \"unk_token\": \"<unk>\", "
                                     "\"add_bos_token\": true, \"tokenizer_class\": \"LlamaTokenizer\"}");
    ASSERT_OK(ttt_tokenizer_load(folder.text, &tokenizer, &err));
    support_remove_folder(folder.text);
    return tokenizer;
}
