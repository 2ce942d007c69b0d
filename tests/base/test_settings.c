/* Settings and names: one table from which values, errors, JSON and documentation come. */
#include "support.h"

#include "base/memory.h"
#include "base/names.h"
#include "base/settings.h"

typedef struct sample {
    int64_t train_steps;
    double train_rate;
    bool train_fresh;
    int32_t vote_method;
    char vote_name[TTT_SETTING_TEXT];
} sample;

static const ttt_setting items[] = {
    {"train.steps", TTT_SETTING_INT, offsetof(sample, train_steps), "20", 0, 1000, "", "steps", "how long", "ours"},
    {"train.rate", TTT_SETTING_FLOAT, offsetof(sample, train_rate), "1e-3", 0, 1, "", "", "how fast", "paper"},
    {"train.fresh", TTT_SETTING_BOOL, offsetof(sample, train_fresh), "true", 0, 0, "", "", "from new", "ours"},
    {"vote.method", TTT_SETTING_ENUM, offsetof(sample, vote_method), "pool", 0, 0, "pool|paper", "", "which", "ours"},
    {"vote.name", TTT_SETTING_STRING, offsetof(sample, vote_name), "x", 0, 0, "", "", "who", "ours"},
};
static const ttt_preset presets[] = {{"paper", "vote.method=paper train.steps=7", "as published"}};
static const ttt_settings_table table = {items, 5, presets, 1};

static sample defaults(void) {
    sample values;
    ttt_error err;
    memset(&values, 0, sizeof values);
    ASSERT_OK(ttt_settings_defaults(&table, &values, &err));
    return values;
}

static void defaults__come_from_the_table(void **state) {
    (void)state;
    sample values = defaults();
    assert_int_equal(values.train_steps, 20);
    assert_true(values.train_rate == 1e-3);
    assert_true(values.train_fresh);
    assert_int_equal(values.vote_method, 0);
    assert_string_equal(values.vote_name, "x");
}

static void assign__sets_every_kind(void **state) {
    (void)state;
    ttt_error err;
    sample values = defaults();
    ASSERT_OK(ttt_settings_assign(&table, &values, "train.steps=1000", &err));
    ASSERT_OK(ttt_settings_assign(&table, &values, "train.rate=0.25", &err));
    ASSERT_OK(ttt_settings_assign(&table, &values, "train.fresh=off", &err));
    ASSERT_OK(ttt_settings_assign(&table, &values, "vote.method=paper", &err));
    ASSERT_OK(ttt_settings_assign(&table, &values, "vote.name=a=b", &err));
    assert_int_equal(values.train_steps, 1000);
    assert_true(values.train_rate == 0.25);
    assert_false(values.train_fresh);
    assert_int_equal(values.vote_method, 1);
    assert_string_equal(values.vote_name, "a=b");
}

static void assign__refuses_with_the_name_and_the_reason(void **state) {
    (void)state;
    ttt_error err;
    sample values = defaults();
    const ttt_status wrong = TTT_ERROR_ARGUMENT;
    ASSERT_FAILS(ttt_settings_assign(&table, &values, "train.step=1", &err), wrong, "did you mean 'train.steps'?");
    ASSERT_FAILS(ttt_settings_assign(&table, &values, "nonsense=1", &err), wrong, "unknown setting 'nonsense'");
    ASSERT_FAILS(ttt_settings_assign(&table, &values, "train.steps", &err), wrong, "name=value");
    ASSERT_FAILS(ttt_settings_assign(&table, &values, "train.steps=1.5", &err), wrong, "not a whole number");
    ASSERT_FAILS(ttt_settings_assign(&table, &values, "train.steps=", &err), wrong, "not a whole number");
    ASSERT_FAILS(ttt_settings_assign(&table, &values, "train.steps=1001", &err), wrong, "within 0 and 1000");
    ASSERT_FAILS(ttt_settings_assign(&table, &values, "train.steps=99999999999999999999", &err), wrong, "whole");
    ASSERT_FAILS(ttt_settings_assign(&table, &values, "train.rate=nan", &err), wrong, "not a number");
    ASSERT_FAILS(ttt_settings_assign(&table, &values, "train.fresh=maybe", &err), wrong, "true or false");
    ASSERT_FAILS(ttt_settings_assign(&table, &values, "vote.method=pap", &err), wrong, "none of pool|paper");
    ASSERT_FAILS(ttt_settings_assign(&table, &values, "vote.method=", &err), wrong, "none of");
    ASSERT_FAILS(ttt_settings_assign(&table, &values, "preset=papr", &err), wrong, "did you mean 'paper'?");
    char long_name[400] = "vote.name=";
    memset(long_name + 10, 'y', 130);
    ASSERT_FAILS(ttt_settings_assign(&table, &values, long_name, &err), wrong, "short enough");
    memset(long_name + 10, 'y', 300);
    ASSERT_FAILS(ttt_settings_assign(&table, &values, long_name, &err), wrong, "too long");
    sample untouched = defaults();
    assert_memory_equal(&values, &untouched, sizeof values);
}

static void json__nested_and_dotted_after_the_preset(void **state) {
    (void)state;
    ttt_error err;
    json_t *object;
    const char text[] = "{\"train\": {\"steps\": 3, \"fresh\": false}, \"train.rate\": 1, \"preset\": \"paper\"}";
    sample values = defaults();
    ASSERT_OK(ttt_json_parse("text", text, strlen(text), &object, &err));
    ASSERT_OK(ttt_settings_from_json(&table, &values, object, "my.json", &err));
    assert_int_equal(values.train_steps, 3);
    assert_int_equal(values.vote_method, 1);
    assert_false(values.train_fresh);
    assert_true(values.train_rate == 1);
    json_decref(object);
}

static void json__errors_name_the_place(void **state) {
    (void)state;
    ttt_error err;
    sample values = defaults();
    static const char *const texts[][2] = {{"[1]", "my.json: a list"},
                                           {"{\"train\": {\"stesp\": 3}}", "my.json: unknown setting 'train.stesp'"},
                                           {"{\"train.steps\": [3]}", "my.json: train.steps"},
                                           {"{\"preset\": 3}", "'preset' is not a string"},
                                           {"{\"preset\": \"x\"}", "my.json: unknown preset 'x'"},
                                           {"{\"train.steps\": \"many\"}", "not a whole number"}};
    for (size_t i = 1; i < sizeof texts / sizeof *texts; i++) {
        json_t *object;
        ASSERT_OK(ttt_json_parse("text", texts[i][0], strlen(texts[i][0]), &object, &err));
        ttt_status status = ttt_settings_from_json(&table, &values, object, "my.json", &err);
        assert_int_not_equal(status, TTT_OK);
        if (strstr(err.message, texts[i][1]) == NULL) fail_msg("no \"%s\" in \"%s\"", texts[i][1], err.message);
        json_decref(object);
    }
    json_t *list = json_array();
    ASSERT_FAILS(ttt_settings_from_json(&table, &values, list, "my.json", &err), TTT_ERROR_FORMAT, "my.json");
    json_decref(list);
}

static void json__what_is_written_reads_back(void **state) {
    (void)state;
    ttt_error err;
    sample values = defaults(), back = defaults();
    ASSERT_OK(ttt_settings_assign(&table, &values, "preset=paper", &err));
    ASSERT_OK(ttt_settings_assign(&table, &values, "train.rate=0.1", &err));
    json_t *object = ttt_settings_to_json(&table, &values);
    assert_string_equal(json_string_value(json_object_get(object, "vote.method")), "paper");
    ASSERT_OK(ttt_settings_from_json(&table, &back, object, "back", &err));
    assert_int_equal(back.train_steps, 7);
    assert_true(back.train_rate == values.train_rate);
    assert_int_equal(back.vote_method, 1);
    json_decref(object);
}

static void describe__names_everything(void **state) {
    (void)state;
    ttt_error err;
    char *text;
    ASSERT_OK(ttt_settings_describe(&table, &text, &err));
    assert_non_null(strstr(text, "train.steps=20\n    how long\n    0 to 1000 steps; source: ours\n"));
    assert_non_null(strstr(text, "vote.method=pool\n    which\n    pool|paper; source: ours\n"));
    assert_non_null(strstr(text, "preset=paper\n    as published\n    vote.method=paper train.steps=7\n"));
    ttt_free(text);
}

static void distance__counts_edits_and_swaps(void **state) {
    (void)state;
    assert_int_equal(ttt_name_distance("solve", "solve"), 0);
    assert_int_equal(ttt_name_distance("", "abc"), 3);
    assert_int_equal(ttt_name_distance("slove", "solve"), 1);
    assert_int_equal(ttt_name_distance("sove", "solve"), 1);
    assert_int_equal(ttt_name_distance("kitten", "sitting"), 3);
    char long_name[100];
    memset(long_name, 'a', 99);
    long_name[99] = '\0';
    assert_true(ttt_name_distance(long_name, "a") > 60);
}

static void hint__nearest_or_nothing(void **state) {
    (void)state;
    char text[TTT_NEAREST_TEXT];
    ttt_nearest nearest = {.name = "budgte"}, none = {.name = "xyz"};
    ttt_nearest_try(&nearest, "bucket");
    ttt_nearest_try(&nearest, "budget");
    ttt_nearest_try(&none, "deadline");
    assert_string_equal(ttt_nearest_hint(&nearest, "--", text), "; did you mean '--budget'?");
    assert_string_equal(ttt_nearest_hint(&none, "--", text), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults__come_from_the_table),
        cmocka_unit_test(assign__sets_every_kind),
        cmocka_unit_test(assign__refuses_with_the_name_and_the_reason),
        cmocka_unit_test(json__nested_and_dotted_after_the_preset),
        cmocka_unit_test(json__errors_name_the_place),
        cmocka_unit_test(json__what_is_written_reads_back),
        cmocka_unit_test(describe__names_everything),
        cmocka_unit_test(distance__counts_edits_and_swaps),
        cmocka_unit_test(hint__nearest_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
