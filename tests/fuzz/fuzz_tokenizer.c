/* Fuzzing of tokenizer.json, split patterns and encoding (scripts/fuzz). The input is a tokenizer.json and, after the
 * last line "=== ", the text to encode with it. Whatever is accepted must make ids that are the tokenizer's, none of
 * them special, and decode them. */
#include "base/json.h"
#include "model/tokenizer_inside.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void require(bool condition) {
    if (!condition) abort();
}

static void use(const ttt_tokenizer *tokenizer, const char *text, size_t bytes) {
    ttt_error err;
    ttt_ids ids = {0};
    ttt_bytes back = {0};
    if (ttt_tokenizer_encode(tokenizer, text, bytes, 0, &ids, &err) == TTT_OK) {
        for (size_t i = 0; i < ids.count; i++) {
            require(ids.items[i] >= 0 && ids.items[i] < ttt_tokenizer_size(tokenizer));
            require(!ttt_tokenizer_is_special(tokenizer, ids.items[i]) ||
                    ids.items[i] == tokenizer->vocabulary.unknown);
        }
        require(ttt_tokenizer_decode(tokenizer, ids.items, ids.count, true, &back, &err) == TTT_OK);
    } else {
        require(ids.count == 0);
    }
    const ttt_status status = ttt_tokenizer_encode(
        tokenizer, text, bytes, TTT_TOKENIZE_SPECIALS | TTT_TOKENIZE_START | TTT_TOKENIZE_INSIDE, &ids, &err);
    for (size_t i = 0; status == TTT_OK && i < ids.count; i++) {
        require(ids.items[i] >= 0 && ids.items[i] < ttt_tokenizer_size(tokenizer));
    }
    unsigned flags;
    if (ttt_tokenizer_chat(tokenizer) != TTT_CHAT_NONE) {
        (void)ttt_tokenizer_chat_open(tokenizer, TTT_ROLE_USER, TTT_ROLE_NONE, &ids, &flags, &err);
        (void)ttt_tokenizer_chat_close(tokenizer, TTT_ROLE_USER, &ids, &err);
    }
    ttt_free(ids.items);
    ttt_free(back.items);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    static const char MARK[] = "\n=== ", SAMPLE[] = "the rule's  12 e\xCC\x81\xFF\n<s>[INST]";
    const char *text = (const char *)data, *sample = SAMPLE;
    size_t sample_bytes = sizeof SAMPLE - 1;
    for (const char *found = text; (found = memmem(found, bytes - (size_t)(found - text), MARK, 5)) != NULL;) {
        found += 5;
        sample = found;
        sample_bytes = bytes - (size_t)(found - text);
    }
    const size_t json_bytes = sample == SAMPLE ? bytes : (size_t)(sample - text) - 5;
    json_t *root;
    ttt_error err;
    ttt_tokenizer *tokenizer;
    if (ttt_json_parse("fuzz", text, json_bytes, &root, &err) != TTT_OK) return 0;
    if (ttt_tokenizer_from_json(root, root, NULL, &tokenizer, &err) == TTT_OK) {
        use(tokenizer, sample, sample_bytes);
        ttt_tokenizer_free(tokenizer);
    } else {
        require(err.message[0] != '\0');
    }
    json_decref(root);
    return 0;
}
