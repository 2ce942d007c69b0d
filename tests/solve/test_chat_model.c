/* Questions to a model decoded here: a real one, tiny as it is, that is taken for a chat model by its template. */
#include "support.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "model/tokenizer.h"
#include "solve/chat_model.h"

enum { SAMPLES = 6 };

typedef struct asked {
    support_path folder;
    ttt_solve_settings settings;
    ttt_chat_model *model;
    size_t answers, enough; /* those that came; as many are enough, 0: all */
    char texts[SAMPLES][512];
} asked;

/* The stories model with a template that has Mistral's mark. */
static void set_up(asked *a, const char *assignment) {
    static const char *const files[] = {"config.json", "model.safetensors", "tokenizer.json"};
    static const char template[] = "{\"bos_token\": \"<s>\", \"eos_token\": \"</s>\", \"chat_template\": \"[INST]\"}";
    const support_path model = support_data("models/stories260k");
    ttt_error err;
    *a = (asked){.folder = support_temporary_folder()};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const support_path from = support_join(model.text, files[i]), to = support_join(a->folder.text, files[i]);
        assert_int_equal(symlink(realpath(from.text, (char[4096]){0}), to.text), 0);
    }
    const support_path to = support_join(a->folder.text, "tokenizer_config.json");
    ASSERT_OK(ttt_file_write_atomically(to.text, template, sizeof template - 1, &err));
    ASSERT_OK(ttt_settings_defaults(&ttt_solve_table, &a->settings, &err));
    if (assignment != NULL) ASSERT_OK(ttt_settings_assign(&ttt_solve_table, &a->settings, assignment, &err));
    ASSERT_OK(ttt_chat_model_new(a->folder.text, NULL, 1, &a->settings, 7, &a->model, &err));
}

static void tear_down(asked *a) {
    ttt_chat_model_free(a->model);
    support_remove_folder(a->folder.text);
}

static bool keep(void *context, const char *const *texts, const size_t *lengths, size_t count) {
    asked *a = context;
    for (size_t i = 0; i < count; i++, a->answers++) {
        assert_int_equal(texts[i][lengths[i]], '\0');
        assert_true(a->answers < SAMPLES);
        snprintf(a->texts[a->answers], sizeof a->texts[0], "%s", texts[i]);
    }
    return a->enough == 0 || a->answers < a->enough;
}

static ttt_chat_question question(asked *a, size_t in_flight) {
    a->answers = 0;
    return (ttt_chat_question){.system = "You tell stories.",
                               .user = "Once upon a time, there was a little",
                               .temperature = 0.8,
                               .max_tokens = 20,
                               .samples = SAMPLES,
                               .in_flight = in_flight,
                               .answered = keep,
                               .context = a};
}

static int by_text(const void *a, const void *b) {
    return strcmp(a, b);
}

static void samples__differ_and_do_not_depend_on_how_many_are_decoded_at_once(void **state) {
    (void)state;
    asked a;
    ttt_error err;
    char first[SAMPLES][512];
    set_up(&a, NULL);
    for (size_t in_flight = 1; in_flight <= 4; in_flight += 3) {
        const ttt_chat_question q = question(&a, in_flight);
        ASSERT_OK(ttt_chat_model_ask(a.model, &q, &err));
        assert_int_equal(a.answers, SAMPLES);
        qsort(a.texts, SAMPLES, sizeof a.texts[0], by_text);
        if (in_flight == 1) memcpy(first, a.texts, sizeof first);
        for (int i = 0; i < SAMPLES; i++) assert_string_equal(a.texts[i], first[i]);
    }
    for (int i = 1; i < SAMPLES; i++) assert_string_not_equal(first[i - 1], first[i]);
    tear_down(&a);
}

/* Without chance, the answer is what the model says after the question's tokens. */
static void question__is_what_the_chat_format_makes_of_it(void **state) {
    (void)state;
    asked a;
    ttt_error err;
    ttt_tokenizer *tokenizer;
    ttt_ids ids = {0};
    ttt_bytes text = {0};
    set_up(&a, NULL);
    ASSERT_OK(ttt_tokenizer_load(a.folder.text, &tokenizer, &err));
    ASSERT_OK(ttt_tokenizer_chat_question(tokenizer, "You tell.", "Once", 4, &ids, &err));
    ASSERT_OK(ttt_tokenizer_decode(tokenizer, ids.items, ids.count, true, &text, &err));
    ASSERT_OK(TTT_PUSH(&text, '\0', &err));
    assert_string_equal(text.items, "<s> [INST] You tell.\n\nOnce [/INST]");
    ttt_chat_question q = question(&a, 4);
    q.temperature = 0;
    ASSERT_OK(ttt_chat_model_ask(a.model, &q, &err));
    for (int i = 1; i < SAMPLES; i++) assert_string_equal(a.texts[i], a.texts[0]);
    assert_true(strlen(a.texts[0]) > 10);
    ttt_free(text.items);
    ttt_free(ids.items);
    ttt_tokenizer_free(tokenizer);
    tear_down(&a);
}

static void enough__ends_the_rest(void **state) {
    (void)state;
    asked a;
    ttt_error err;
    set_up(&a, NULL);
    ttt_chat_question q = question(&a, 1);
    a.enough = 2;
    ASSERT_OK(ttt_chat_model_ask(a.model, &q, &err));
    assert_int_equal(a.answers, 2);
    tear_down(&a);
}

static void time_and_stop__are_kept(void **state) {
    (void)state;
    static ttt_stop_flag flag = 1;
    asked a;
    ttt_error err;
    set_up(&a, NULL);
    ttt_chat_question q = question(&a, 4);
    q.deadline = ttt_clock_seconds() - 1;
    ASSERT_FAILS(ttt_chat_model_ask(a.model, &q, &err), TTT_ERROR_IO, "no answer in time");
    q.deadline = 0;
    q.stop = &flag;
    ASSERT_FAILS(ttt_chat_model_ask(a.model, &q, &err), TTT_ERROR_CANCELLED, "stopped");
    assert_int_equal(a.answers, 0);
    tear_down(&a);
}

static void question__must_fit_the_context(void **state) {
    (void)state;
    asked a;
    ttt_error err;
    char text[4096];
    set_up(&a, NULL);
    ttt_chat_question q = question(&a, 4);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    q.user = text;
    ASSERT_FAILS(ttt_chat_model_ask(a.model, &q, &err), TTT_ERROR_ARGUMENT, "the model's context is 512");
    tear_down(&a);
}

/* With keys and values for one answer only, they come one after the other; it is the same answers. */
static void small_cache__is_enough_for_one(void **state) {
    (void)state;
    asked a;
    ttt_error err;
    set_up(&a, "views.cache_mb=1");
    ttt_chat_question q = question(&a, 4);
    q.max_tokens = 400;
    q.temperature = 0;
    q.samples = 2;
    ASSERT_OK(ttt_chat_model_ask(a.model, &q, &err));
    assert_int_equal(a.answers, 2);
    tear_down(&a);
}

static void base_model__is_refused(void **state) {
    (void)state;
    const support_path path = support_data("models/stories260k");
    ttt_solve_settings settings;
    ttt_chat_model *model;
    ttt_error err;
    ASSERT_OK(ttt_settings_defaults(&ttt_solve_table, &settings, &err));
    ASSERT_FAILS(ttt_chat_model_new(path.text, NULL, 1, &settings, 7, &model, &err), TTT_ERROR_ARGUMENT,
                 "no chat model");
    assert_null(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples__differ_and_do_not_depend_on_how_many_are_decoded_at_once),
        cmocka_unit_test(question__is_what_the_chat_format_makes_of_it),
        cmocka_unit_test(enough__ends_the_rest),
        cmocka_unit_test(time_and_stop__are_kept),
        cmocka_unit_test(question__must_fit_the_context),
        cmocka_unit_test(small_cache__is_enough_for_one),
        cmocka_unit_test(base_model__is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
