/* Tokenizers: what the tokenizers package made of the same texts (golden/tokenizers, written by
 * scripts/parity/make_tokenizer_golden.py), a real model's recorded tokenizations, and what must hold for any text. */
#include "support.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/random.h"
#include "model/unicode.h"

static const char *const FIXTURES[] = {"llama3", "qwen", "mistral1", "mistral3"};
enum { FIXTURE_COUNT = sizeof FIXTURES / sizeof *FIXTURES };

static support_path fixture_path(const char *name) {
    const support_path folder = support_source("tests/model/golden/tokenizers");
    return support_join(folder.text, name);
}

static ttt_tokenizer *load(const char *path) {
    ttt_error err = {0};
    ttt_tokenizer *tokenizer;
    ASSERT_OK(ttt_tokenizer_load(path, &tokenizer, &err));
    return tokenizer;
}

static ttt_tokenizer *load_fixture(const char *name) {
    return load(fixture_path(name).text);
}

static json_t *read_golden(const char *folder) {
    ttt_error err = {0};
    json_t *golden;
    ASSERT_OK(ttt_json_read(support_join(folder, "golden.json").text, &golden, &err));
    return golden;
}

static ttt_ids encode(const ttt_tokenizer *tokenizer, const char *text, size_t bytes, unsigned flags) {
    ttt_error err = {0};
    ttt_ids ids = {0};
    ASSERT_OK(ttt_tokenizer_encode(tokenizer, text, bytes, flags, &ids, &err));
    return ids;
}

static void assert_ids(const json_t *wanted, const ttt_ids *found, const char *text) {
    bool same = json_array_size(wanted) == found->count;
    for (size_t i = 0; same && i < found->count; i++) {
        same = json_integer_value(json_array_get(wanted, i)) == found->items[i];
    }
    if (same) return;
    char *dumped = json_dumps(wanted, JSON_COMPACT);
    print_message("found [");
    for (size_t i = 0; i < found->count; i++) print_message("%d, ", found->items[i]);
    print_message("] for \"%s\"\n", text);
    fail_msg("expected %s", dumped);
}

static void assert_encodes(const ttt_tokenizer *tokenizer, const json_t *entry, const char *key, unsigned flags) {
    const json_t *text = json_object_get(entry, "text");
    ttt_ids ids = encode(tokenizer, json_string_value(text), json_string_length(text), flags | TTT_TOKENIZE_START);
    assert_ids(json_object_get(entry, key), &ids, json_string_value(text));
    ttt_free(ids.items);
}

/* The text of the ids at `key`, without special tokens. */
static void assert_decodes(const ttt_tokenizer *tokenizer, const json_t *ids, const char *wanted) {
    ttt_error err = {0};
    ttt_ids list = {0};
    ttt_bytes text = {0};
    for (size_t i = 0; i < json_array_size(ids); i++) {
        ASSERT_OK(TTT_PUSH(&list, (int32_t)json_integer_value(json_array_get(ids, i)), &err));
    }
    ASSERT_OK(ttt_tokenizer_decode(tokenizer, list.items, list.count, false, &text, &err));
    assert_int_equal(text.count, strlen(wanted));
    if (text.count > 0) assert_memory_equal(text.items, wanted, text.count);
    ttt_free(list.items);
    ttt_free(text.items);
}

/* ---------------------------------------------------------------------------------------------- recorded */

static void encode__is_what_the_package_makes(void **state) {
    (void)state;
    for (size_t f = 0; f < FIXTURE_COUNT; f++) {
        ttt_tokenizer *tokenizer = load_fixture(FIXTURES[f]);
        json_t *golden = read_golden(fixture_path(FIXTURES[f]).text), *entry;
        size_t i;
        json_array_foreach(json_object_get(golden, "cases"), i, entry) {
            assert_encodes(tokenizer, entry, "ids", 0);
            assert_encodes(tokenizer, entry, "specials", TTT_TOKENIZE_SPECIALS);
            assert_decodes(tokenizer, json_object_get(entry, "specials"),
                           json_string_value(json_object_get(entry, "back")));
        }
        assert_true(i > 20);
        json_decref(golden);
        ttt_tokenizer_free(tokenizer);
    }
}

static void encode__of_a_real_model_is_as_recorded(void **state) {
    (void)state;
    const support_path folder = support_data("models/stories260k");
    ttt_tokenizer *tokenizer = load(folder.text);
    json_t *golden = read_golden(folder.text), *entry;
    size_t i;
    json_array_foreach(json_object_get(golden, "tokenizer_cases"), i, entry) {
        assert_encodes(tokenizer, entry, "ids", 0);
        assert_decodes(tokenizer, json_object_get(entry, "ids"), json_string_value(json_object_get(entry, "text")));
    }
    assert_true(i > 50);
    json_array_foreach(json_object_get(golden, "prompts"), i, entry) {
        assert_encodes(tokenizer, entry, "ids", 0);
        json_t *all = json_copy(json_object_get(entry, "ids"));
        json_array_extend(all, json_object_get(entry, "greedy_ids"));
        assert_decodes(tokenizer, all, json_string_value(json_object_get(entry, "greedy_text")));
        json_decref(all);
    }
    assert_int_equal(ttt_tokenizer_size(tokenizer), 512);
    assert_int_equal(ttt_tokenizer_start(tokenizer), 1);
    assert_int_equal(ttt_tokenizer_end(tokenizer), 2);
    json_decref(golden);
    ttt_tokenizer_free(tokenizer);
}

/* ---------------------------------------------------------------------------------------------- any text */

/* Random bytes, some of them parts of characters. */
static size_t random_bytes(ttt_random *random, char *text, size_t limit) {
    static const char *const PARTS[] = {"the rule", " ",    "\xC3\xA9", "\xE4\xBD\xA0", "\xE4\xBD", "\xF0\x9F\x90\xB6",
                                        "\xF0\x9F", "\xFF", "\xC0\x80", "\xED\xA0\x80", "\n",       "e\xCC\x81"};
    size_t bytes = 0;
    const size_t wanted = ttt_random_below(random, (uint32_t)limit - 8);
    while (bytes < wanted) {
        const char *part = PARTS[ttt_random_below(random, sizeof PARTS / sizeof *PARTS)];
        memcpy(text + bytes, part, strlen(part));
        bytes += strlen(part);
        if (ttt_random_below(random, 3) == 0) text[bytes++] = (char)ttt_random_below(random, 256);
    }
    return bytes;
}

static void decode__gives_any_bytes_back(void **state) {
    (void)state;
    static const char *const LOSSLESS[] = {"llama3", "mistral1"}; /* without NFC, and every text with a prefix */
    for (size_t f = 0; f < 2; f++) {
        ttt_error err = {0};
        ttt_tokenizer *tokenizer = load_fixture(LOSSLESS[f]);
        ttt_random random = ttt_random_stream(1, "tokenizer", "bytes");
        ttt_bytes back = {0};
        for (int n = 0; n < 2000; n++) {
            char text[64];
            const size_t bytes = random_bytes(&random, text, sizeof text - 8);
            ttt_ids ids = encode(tokenizer, text, bytes, 0);
            back.count = 0;
            ASSERT_OK(ttt_tokenizer_decode(tokenizer, ids.items, ids.count, true, &back, &err));
            assert_int_equal(back.count, bytes);
            if (bytes > 0) assert_memory_equal(back.items, text, bytes);
            ttt_free(ids.items);
        }
        ttt_free(back.items);
        ttt_tokenizer_free(tokenizer);
    }
}

static void encode__never_makes_special_tokens_of_text(void **state) {
    (void)state;
    for (size_t f = 0; f < FIXTURE_COUNT; f++) {
        ttt_error err = {0};
        ttt_tokenizer *tokenizer = load_fixture(FIXTURES[f]);
        int specials = 0;
        for (int32_t id = 0; id < ttt_tokenizer_size(tokenizer); id++) {
            if (!ttt_tokenizer_is_special(tokenizer, id)) continue;
            specials++;
            ttt_bytes text = {0};
            ASSERT_OK(ttt_tokenizer_piece(tokenizer, id, &text, &err));
            ttt_ids ids = encode(tokenizer, text.items, text.count, 0);
            for (size_t i = 0; i < ids.count; i++) assert_false(ttt_tokenizer_is_special(tokenizer, ids.items[i]));
            assert_true(ids.count > 1);
            ids.count = 0;
            ASSERT_OK(ttt_tokenizer_encode(tokenizer, text.items, text.count, TTT_TOKENIZE_SPECIALS, &ids, &err));
            assert_int_equal(ids.count, 1);
            assert_int_equal(ids.items[0], id);
            ttt_free(ids.items);
            ttt_free(text.items);
        }
        assert_true(specials >= 3);
        ttt_tokenizer_free(tokenizer);
    }
}

static void encode__of_pieces_inside_puts_no_blank_before_them(void **state) {
    (void)state;
    ttt_tokenizer *tokenizer = load_fixture("mistral1");
    ttt_ids whole = encode(tokenizer, "the.", 4, 0), first = encode(tokenizer, "the", 3, 0),
            inside = encode(tokenizer, ".", 1, TTT_TOKENIZE_INSIDE);
    assert_int_equal(first.count, 1);
    assert_int_equal(inside.count, 1);
    assert_int_equal(whole.count, 2);
    assert_int_equal(whole.items[0], first.items[0]);
    assert_int_equal(whole.items[1], inside.items[0]);
    ttt_free(whole.items);
    ttt_free(first.items);
    ttt_free(inside.items);
    ttt_tokenizer_free(tokenizer);
}

/* With work that grows like the square of the length this would take the better part of an hour. */
static void encode__of_a_million_letters_without_a_blank_ends(void **state) {
    (void)state;
    enum { LENGTH = 1 << 20 };
    char *text = ttt_allocate(LENGTH, 1);
    assert_non_null(text);
    for (size_t f = 0; f < FIXTURE_COUNT; f++) {
        ttt_tokenizer *tokenizer = load_fixture(FIXTURES[f]);
        for (size_t i = 0; i < LENGTH; i++) text[i] = "ruleles"[i % 7];
        ttt_ids ids = encode(tokenizer, text, LENGTH, 0);
        assert_true(ids.count > LENGTH / 16 && ids.count < LENGTH);
        ttt_free(ids.items);
        for (size_t i = 0; i < LENGTH; i += 2) memcpy(text + i, i % 4 == 0 ? "\xCC\x81" : "\xCC\xA3", 2);
        ids = encode(tokenizer, text, LENGTH, 0);
        assert_true(ids.count >= LENGTH / 2);
        ttt_free(ids.items);
        ttt_tokenizer_free(tokenizer);
    }
    ttt_free(text);
}

static void decode__refuses_ids_that_are_not_the_tokenizers(void **state) {
    (void)state;
    ttt_tokenizer *tokenizer = load_fixture("qwen");
    const int32_t size = ttt_tokenizer_size(tokenizer);
    const int32_t bad[] = {-1, size, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ttt_error err = {0};
        ttt_bytes text = {0};
        const int32_t ids[] = {0, 1, bad[i]};
        ASSERT_FAILS(ttt_tokenizer_decode(tokenizer, ids, 3, true, &text, &err), TTT_ERROR_ARGUMENT, "is no id");
        assert_int_equal(text.count, 0);
        assert_false(ttt_tokenizer_is_special(tokenizer, bad[i]));
        assert_false(ttt_tokenizer_stops(tokenizer, bad[i]));
        ttt_free(text.items);
    }
    ttt_tokenizer_free(tokenizer);
}

/* ---------------------------------------------------------------------------------------------- chat */

static ttt_role role_of(const char *name) {
    return strcmp(name, "system") == 0 ? TTT_ROLE_SYSTEM
           : strcmp(name, "user") == 0 ? TTT_ROLE_USER
                                       : TTT_ROLE_ASSISTANT;
}

static void chat__is_what_the_families_templates_write(void **state) {
    (void)state;
    static const ttt_chat_kind KINDS[] = {TTT_CHAT_LLAMA3, TTT_CHAT_CHATML, TTT_CHAT_MISTRAL, TTT_CHAT_MISTRAL};
    for (size_t f = 0; f < FIXTURE_COUNT; f++) {
        ttt_error err = {0};
        ttt_tokenizer *tokenizer = load_fixture(FIXTURES[f]);
        assert_int_equal(ttt_tokenizer_chat(tokenizer), KINDS[f]);
        json_t *golden = read_golden(fixture_path(FIXTURES[f]).text), *message;
        const json_t *chat = json_object_get(golden, "chat");
        ttt_ids ids = encode(tokenizer, "", 0, TTT_TOKENIZE_START);
        ttt_role before = TTT_ROLE_NONE;
        unsigned flags;
        size_t i;
        json_array_foreach(json_object_get(chat, "messages"), i, message) {
            const ttt_role role = role_of(json_string_value(json_array_get(message, 0)));
            const char *text = json_string_value(json_array_get(message, 1));
            ASSERT_OK(ttt_tokenizer_chat_open(tokenizer, role, before, &ids, &flags, &err));
            ASSERT_OK(ttt_tokenizer_encode(tokenizer, text, strlen(text), flags, &ids, &err));
            ASSERT_OK(ttt_tokenizer_chat_close(tokenizer, role, &ids, &err));
            before = role;
        }
        ASSERT_OK(ttt_tokenizer_chat_open(tokenizer, TTT_ROLE_ASSISTANT, before, &ids, &flags, &err));
        assert_ids(json_object_get(chat, "ids"), &ids, FIXTURES[f]);
        assert_true(ttt_tokenizer_stops(tokenizer, ttt_tokenizer_end(tokenizer)));
        ttt_free(ids.items);
        json_decref(golden);
        ttt_tokenizer_free(tokenizer);
    }
}

/* ---------------------------------------------------------------------------------------------- memory */

static ttt_status load_and_use(const char *path, ttt_error *err) {
    static const char TEXT[] = "the rule's e\xCC\x81\xCC\xA3 \xFF 12 [left] b";
    ttt_tokenizer *tokenizer = NULL;
    ttt_ids ids = {0};
    ttt_bytes text = {0};
    ttt_status status;
    TTT_TRY_OUT(ttt_tokenizer_load(path, &tokenizer, err));
    TTT_TRY_OUT(ttt_tokenizer_encode(tokenizer, TEXT, sizeof TEXT - 1, TTT_TOKENIZE_SPECIALS, &ids, err));
    status = ttt_tokenizer_decode(tokenizer, ids.items, ids.count, true, &text, err);
out:
    if (status != TTT_OK) assert_int_equal(text.count, 0);
    ttt_free(text.items);
    ttt_free(ids.items);
    ttt_tokenizer_free(tokenizer);
    return status;
}

static void load__and_use_survive_every_failed_allocation(void **state) {
    (void)state;
    for (size_t f = 0; f < FIXTURE_COUNT; f++) {
        const support_path path = fixture_path(FIXTURES[f]);
        size_t failures = 0;
        for (ttt_status status = TTT_ERROR_MEMORY; status != TTT_OK; failures++) {
            ttt_error err = {0};
            ttt_memory_fail_at(failures + 1);
            status = load_and_use(path.text, &err);
            ttt_memory_fail_at(0);
            if (status == TTT_OK) break;
            if (status != TTT_ERROR_MEMORY) fail_msg("allocation %zu: %s", failures + 1, err.message);
            assert_true(err.message[0] != '\0');
        }
        assert_true(failures > 20);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encode__is_what_the_package_makes),
        cmocka_unit_test(encode__of_a_real_model_is_as_recorded),
        cmocka_unit_test(decode__gives_any_bytes_back),
        cmocka_unit_test(encode__never_makes_special_tokens_of_text),
        cmocka_unit_test(encode__of_pieces_inside_puts_no_blank_before_them),
        cmocka_unit_test(encode__of_a_million_letters_without_a_blank_ends),
        cmocka_unit_test(decode__refuses_ids_that_are_not_the_tokenizers),
        cmocka_unit_test(chat__is_what_the_families_templates_write),
        cmocka_unit_test(load__and_use_survive_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
