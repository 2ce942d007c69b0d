/* JSON: what is refused and with which words, members by type, writing. */
#include "support.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

#include <math.h>

static json_t *parse(const char *text) {
    ttt_error err = {0};
    json_t *root = NULL;
    ASSERT_OK(ttt_json_parse("test", text, strlen(text), &root, &err));
    return root;
}

static void parse__refuses_malformed_text_with_its_place(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t bytes; /* 0: strlen */
        const char *place, *why;
    } cases[] = {
        {"{\"train\": [", 0, "x.json: line 1, column 11", "end of"},
        {"{\n\"a\": 1,\n}", 0, "line 3, column 1", "'}'"},
        {"{\"a\": 1, \"a\": 2}", 0, "line 1", "duplicate object key"},
        {"{} x", 0, "line 1, column 4", "end of file expected"},
        {"{}\0", 3, "line 1", "end of file expected"},
        {"[\"a\\u0000b\"]", 0, "line 1", "\\u0000"},
        {"[\"\xff\"]", 0, "line 1", "decode byte 0xff"},
        {"[1e999]", 0, "line 1", "overflow"},
        {"[99999999999999999999]", 0, "line 1", "too big"},
        {"[01]", 0, "line 1", "'0'"},
        {"[NaN]", 0, "line 1", "invalid token"},
        {"'a'", 0, "line 1", "expected"},
        {"", 0, "line 1, column 0", "expected"},
        {"3", 0, "line 1", "'[' or '{' expected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ttt_error err = {0};
        json_t *root = (json_t *)1;
        size_t bytes = cases[i].bytes ? cases[i].bytes : strlen(cases[i].text);
        ASSERT_FAILS(ttt_json_parse("x.json", cases[i].text, bytes, &root, &err), TTT_ERROR_FORMAT, cases[i].place);
        if (strstr(err.message, cases[i].why) == NULL) fail_msg("no \"%s\" in \"%s\"", cases[i].why, err.message);
        assert_null(root);
    }
}

static void parse__refuses_depth_that_would_overflow_the_stack(void **state) {
    (void)state;
    ttt_error err = {0};
    enum { DEPTH = 200000 };
    char *text = ttt_allocate(DEPTH, 1);
    memset(text, '[', DEPTH);
    json_t *root;
    ASSERT_FAILS(ttt_json_parse("x.json", text, DEPTH, &root, &err), TTT_ERROR_FORMAT, "depth");
    ttt_free(text);
}

static void read__names_the_file(void **state) {
    (void)state;
    ttt_error err = {0};
    support_path folder = support_temporary_folder(), path = support_join(folder.text, "a.json");
    json_t *root;
    ASSERT_FAILS(ttt_json_read(path.text, &root, &err), TTT_ERROR_IO, "a.json': No such file");
    ASSERT_FAILS(ttt_json_read(folder.text, &root, &err), TTT_ERROR_IO, "it is a folder");
    support_write(path.text, "");
    ASSERT_FAILS(ttt_json_read(path.text, &root, &err), TTT_ERROR_FORMAT, "a.json: the file is empty");
    support_write(path.text, "{\n \"a\": [1, 2");
    ASSERT_FAILS(ttt_json_read(path.text, &root, &err), TTT_ERROR_FORMAT, "a.json: line 2, column 11");
    assert_null(root);
    support_write(path.text, "{\"a\": 1}");
    ttt_memory_fail_at(1);
    ASSERT_FAILS(ttt_json_read(path.text, &root, &err), TTT_ERROR_MEMORY, "out of memory");
    ASSERT_OK(ttt_json_read(path.text, &root, &err));
    assert_int_equal(json_object_size(root), 1);
    json_decref(root);
    support_remove_folder(folder.text);
}

static void write__reads_back_and_ends_in_a_newline(void **state) {
    (void)state;
    ttt_error err = {0};
    support_path folder = support_temporary_folder(), path = support_join(folder.text, "a.json");
    json_t *root = parse("{\"b\": [1, 2.5, null, true], \"a\": \"\\\"\\u00e9\\n\"}");
    ASSERT_OK(ttt_json_write(path.text, root, JSON_COMPACT, &err));
    char *text;
    size_t bytes;
    ASSERT_OK(ttt_file_read(path.text, 1000, &text, &bytes, &err));
    assert_string_equal(text, "{\"b\":[1,2.5,null,true],\"a\":\"\\\"\xc3\xa9\\n\"}\n");
    assert_int_equal(bytes, strlen(text));
    ttt_free(text);
    json_t *again;
    ASSERT_OK(ttt_json_read(path.text, &again, &err));
    assert_true(json_equal(root, again));
    json_decref(again);
    ASSERT_FAILS(ttt_json_write("/dev/full", root, JSON_COMPACT, &err), TTT_ERROR_IO, "No space left");
    json_decref(root);
    support_remove_folder(folder.text);
}

static void get__takes_the_right_type_only(void **state) {
    (void)state;
    ttt_error err = {0};
    json_t *root = parse("{\"int\": 5, \"real\": 2.5, \"text\": \"x\", \"list\": [1], \"object\": {}, \"no\": null}");
    int64_t integer = 0;
    double number = 0;
    const char *text = NULL;
    json_t *value = NULL;
    ASSERT_OK(ttt_json_get_int(root, "config", "int", 5, 5, &integer, &err));
    assert_int_equal(integer, 5);
    ASSERT_OK(ttt_json_get_number(root, "config", "real", &number, &err));
    assert_true(number == 2.5);
    ASSERT_OK(ttt_json_get_number(root, "config", "int", &number, &err));
    assert_true(number == 5);
    ASSERT_OK(ttt_json_get_string(root, "config", "text", &text, &err));
    assert_string_equal(text, "x");
    ASSERT_OK(ttt_json_get_array(root, "config", "list", &value, &err));
    assert_int_equal(json_array_size(value), 1);
    ASSERT_OK(ttt_json_get_object(root, "config", "object", &value, &err));

    ASSERT_FAILS(ttt_json_get_int(root, "config", "real", 0, 9, &integer, &err), TTT_ERROR_FORMAT,
                 "config: 'real' must be an integer, found a real number");
    ASSERT_FAILS(ttt_json_get_int(root, "config", "int", 6, 9, &integer, &err), TTT_ERROR_FORMAT,
                 "config: 'int' must be between 6 and 9, found 5");
    ASSERT_FAILS(ttt_json_get_int(root, "config", "int", 0, 4, &integer, &err), TTT_ERROR_FORMAT, "found 5");
    ASSERT_FAILS(ttt_json_get_number(root, "config", "text", &number, &err), TTT_ERROR_FORMAT, "found a string");
    ASSERT_FAILS(ttt_json_get_string(root, "config", "list", &text, &err), TTT_ERROR_FORMAT, "found an array");
    ASSERT_FAILS(ttt_json_get_array(root, "config", "object", &value, &err), TTT_ERROR_FORMAT, "found an object");
    ASSERT_FAILS(ttt_json_get_object(root, "config", "no", &value, &err), TTT_ERROR_FORMAT, "found null");
    ASSERT_FAILS(ttt_json_get_object(root, "config", "gone", &value, &err), TTT_ERROR_FORMAT, "found nothing");
    ASSERT_FAILS(ttt_json_get_int(NULL, "config", "gone", 0, 1, &integer, &err), TTT_ERROR_FORMAT, "found nothing");
    json_decref(root);
}

static void optional__leaves_the_default_when_not_said(void **state) {
    (void)state;
    ttt_error err = {0};
    json_t *root = parse("{\"int\": 5, \"real\": 2.5, \"yes\": true, \"none\": null, \"text\": \"x\"}");
    int64_t integer = 7;
    double number = 7;
    bool flag = true;
    ASSERT_OK(ttt_json_optional_int(root, "config", "none", 0, 9, &integer, &err));
    ASSERT_OK(ttt_json_optional_int(root, "config", "gone", 0, 9, &integer, &err));
    assert_int_equal(integer, 7);
    ASSERT_OK(ttt_json_optional_number(root, "config", "gone", &number, &err));
    assert_true(number == 7);
    ASSERT_OK(ttt_json_optional_bool(root, "config", "none", &flag, &err));
    assert_true(flag);
    flag = false;
    ASSERT_OK(ttt_json_optional_bool(root, "config", "yes", &flag, &err));
    assert_true(flag);
    ASSERT_OK(ttt_json_optional_int(root, "config", "int", 0, 9, &integer, &err));
    assert_int_equal(integer, 5);
    ASSERT_OK(ttt_json_optional_number(root, "config", "real", &number, &err));
    assert_true(number == 2.5);
    ASSERT_FAILS(ttt_json_optional_int(root, "config", "text", 0, 9, &integer, &err), TTT_ERROR_FORMAT, "an integer");
    ASSERT_FAILS(ttt_json_optional_int(root, "config", "int", 6, 9, &integer, &err), TTT_ERROR_FORMAT, "between");
    ASSERT_FAILS(ttt_json_optional_number(root, "config", "yes", &number, &err), TTT_ERROR_FORMAT, "found true");
    ASSERT_FAILS(ttt_json_optional_bool(root, "config", "int", &flag, &err), TTT_ERROR_FORMAT, "true or false");
    assert_int_equal(integer, 5); /* a failure writes nothing */
    json_decref(root);
}

static void check_same__names_the_innermost_member_that_differs(void **state) {
    (void)state;
    ttt_error err = {0};
    json_t *before = json_pack("{s:i, s:{s:i, s:s}}", "seed", 1, "settings", "steps", 2, "vote", "pool");
    json_t *same = json_pack("{s:{s:s, s:i}, s:i}", "settings", "vote", "pool", "steps", 2, "seed", 1);
    json_t *other = json_pack("{s:i, s:{s:i, s:s}}", "seed", 1, "settings", "steps", 3, "vote", "pool");
    json_t *more = json_pack("{s:i, s:{s:i, s:s}, s:b}", "seed", 1, "settings", "steps", 2, "vote", "pool", "new", 1);
    ASSERT_OK(ttt_json_check_same("a run", "facts", before, same, &err));
    ASSERT_FAILS(ttt_json_check_same("a run", "facts", before, other, &err), TTT_ERROR_ARGUMENT,
                 "a run: the run began with steps 2, now it is 3");
    ASSERT_FAILS(ttt_json_check_same("a run", "facts", before, more, &err), TTT_ERROR_ARGUMENT,
                 "the run began with new none, now it is true");
    ASSERT_FAILS(ttt_json_check_same("a run", "facts", before, NULL, &err), TTT_ERROR_ARGUMENT, "now it is none");
    json_decref(before);
    json_decref(same);
    json_decref(other);
    json_decref(more);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__refuses_malformed_text_with_its_place),
        cmocka_unit_test(parse__refuses_depth_that_would_overflow_the_stack),
        cmocka_unit_test(read__names_the_file),
        cmocka_unit_test(write__reads_back_and_ends_in_a_newline),
        cmocka_unit_test(get__takes_the_right_type_only),
        cmocka_unit_test(optional__leaves_the_default_when_not_said),
        cmocka_unit_test(check_same__names_the_innermost_member_that_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
