/* The client of chat servers against servers of every kind: what is asked, what is got, and that the time is kept. */
#include "support.h"

#include "base/clock.h"
#include "base/json.h"
#include "fake_server.h"
#include "solve/chat_server.h"

#include <pthread.h>
#include <signal.h>

/* Seconds that a machine full of other work may need for what takes half of one; without the deadline (or the stop, or
 * the verdict) under test it would be minutes. */
enum { A_BUSY_MACHINE = 10 };

typedef struct asked {
    ttt_solve_settings settings;
    ttt_chat_server *server;
    size_t answers, enough; /* those that came; as many are enough, 0: all */
    char last[256];
    double seconds;
} asked;

static bool count_answers(void *context, const char *const *texts, const size_t *lengths, size_t count) {
    asked *a = context;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(strlen(texts[i]), lengths[i]);
        snprintf(a->last, sizeof a->last, "%s", texts[i]);
    }
    a->answers += count;
    return a->enough == 0 || a->answers < a->enough;
}

/* Two retries, two seconds for an answer; `assignments` ended by NULL. */
static void set(asked *a, const char *const *assignments) {
    static const char *const usual[] = {"proposer.model=tiny", "proposer.retries=2", "proposer.answer_seconds=2", NULL};
    ttt_error err;
    ASSERT_OK(ttt_settings_defaults(&ttt_solve_table, &a->settings, &err));
    for (const char *const *at = usual; *at != NULL; at++)
        ASSERT_OK(ttt_settings_assign(&ttt_solve_table, &a->settings, *at, &err));
    for (; assignments != NULL && *assignments != NULL; assignments++)
        ASSERT_OK(ttt_settings_assign(&ttt_solve_table, &a->settings, *assignments, &err));
}

static ttt_status ask_url(asked *a, const char *url, size_t samples, double seconds, const ttt_stop_flag *stop,
                          ttt_error *err) {
    const double start = ttt_clock_seconds();
    const ttt_chat_question question = {.system = "Be brief.",
                                        .user = "Say \"hello\", \xc3\xa4 bit.",
                                        .temperature = 0.8,
                                        .max_tokens = 77,
                                        .samples = samples,
                                        .in_flight = 4,
                                        .deadline = seconds > 0 ? start + seconds : 0,
                                        .stop = stop,
                                        .answered = count_answers,
                                        .context = a};
    if (a->settings.proposer_max_tokens == 0) set(a, NULL);
    ttt_status status = ttt_chat_server_new(url, &a->settings, 1, &a->server, err);
    if (status == TTT_OK) status = ttt_chat_server_ask(a->server, &question, err);
    ttt_chat_server_free(a->server);
    a->seconds = ttt_clock_seconds() - start;
    return status;
}

static ttt_status ask(asked *a, const fake_server *fake, size_t samples, double seconds, ttt_error *err) {
    return ask_url(a, fake->url, samples, seconds, NULL, err);
}

/* --- What is asked ------------------------------------------------------------------------------------------------ */

static void good__gets_all_samples_side_by_side(void **state) {
    (void)state;
    fake_server fake = {.mode = FAKE_GOOD};
    asked a = {0};
    ttt_error err;
    fake_server_start(&fake);
    ASSERT_OK(ask(&a, &fake, 10, 10, &err));
    assert_int_equal(a.answers, 10);
    assert_string_equal(a.last, "hello");
    assert_int_equal(fake.seen->requests, 10);
    assert_in_range(fake.seen->most_in_flight, 2, 4);
    fake_server_stop(&fake);
}

static void good__is_asked_as_the_interface_wants(void **state) {
    (void)state;
    fake_server fake = {.mode = FAKE_GOOD};
    asked a = {0};
    ttt_error err;
    json_t *root;
    fake_server_start(&fake);
    setenv("OPENAI_API_KEY", "sk-test-1234", 1);
    ASSERT_OK(ask(&a, &fake, 1, 10, &err));
    unsetenv("OPENAI_API_KEY");
    const char *request = fake.seen->last, *body = strstr(request, "\r\n\r\n") + 4;
    assert_ptr_equal(strstr(request, "POST /v1/chat/completions HTTP/1.1\r\n"), request);
    assert_non_null(strstr(request, "\r\nAuthorization: Bearer sk-test-1234\r\n"));
    assert_non_null(strstr(request, "\r\nContent-Type: application/json\r\n"));
    ASSERT_OK(ttt_json_parse("body", body, strlen(body), &root, &err));
    const json_t *messages = json_object_get(root, "messages"), *user = json_array_get(messages, 1);
    assert_string_equal(json_string_value(json_object_get(root, "model")), "tiny");
    assert_int_equal(json_integer_value(json_object_get(root, "max_tokens")), 77);
    assert_true(json_real_value(json_object_get(root, "temperature")) == 0.8);
    assert_int_equal(json_array_size(messages), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(messages, 0), "role")), "system");
    assert_string_equal(json_string_value(json_object_get(user, "role")), "user");
    assert_string_equal(json_string_value(json_object_get(user, "content")), "Say \"hello\", \xc3\xa4 bit.");
    json_decref(root);
    fake_server_stop(&fake);
}

static void model__is_asked_for_when_none_is_named(void **state) {
    (void)state;
    static const char *const no_model[] = {"proposer.model=", NULL};
    fake_server fake = {.mode = FAKE_GOOD};
    asked a = {0};
    ttt_error err;
    fake_server_start(&fake);
    set(&a, no_model);
    ASSERT_OK(ask(&a, &fake, 2, 10, &err));
    assert_int_equal(a.answers, 2);
    assert_non_null(strstr(fake.seen->last, "\"model\":\"tiny\""));
    assert_null(strstr(fake.seen->last, "Authorization"));
    fake_server_stop(&fake);
}

static void address__may_end_in_chat_completions(void **state) {
    (void)state;
    static const char *const ends[] = {"", "/", "/chat/completions", "/chat/completions/"};
    fake_server fake = {.mode = FAKE_GOOD};
    ttt_error err;
    char url[128];
    fake_server_start(&fake);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        asked a = {0};
        snprintf(url, sizeof url, "%s%s", fake.url, ends[i]);
        ASSERT_OK(ask_url(&a, url, 1, 10, NULL, &err));
        assert_non_null(strstr(fake.seen->last, "POST /v1/chat/completions HTTP"));
    }
    fake_server_stop(&fake);
}

static void address__is_http_and_legal(void **state) {
    (void)state;
    static const char *const bad[] = {"file:///etc/passwd", "ftp://localhost/v1", "http://", "http://a b/v1",
                                      "models/x"};
    ttt_error err;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        asked a = {0};
        ASSERT_FAILS(ask_url(&a, bad[i], 1, 1, NULL, &err), TTT_ERROR_ARGUMENT, "no http");
    }
}

static void key__with_a_line_end_is_refused(void **state) {
    (void)state;
    asked a = {0};
    ttt_error err;
    setenv("OPENAI_API_KEY", "sk-secret\r\nX-Evil: 1", 1);
    ASSERT_FAILS(ask_url(&a, "http://127.0.0.1:1/v1", 1, 1, NULL, &err), TTT_ERROR_ARGUMENT, "position 9");
    unsetenv("OPENAI_API_KEY");
    assert_null(strstr(err.message, "secret"));
}

/* --- Enough, too late, stopped ------------------------------------------------------------------------------------ */

static void enough__ends_the_rest(void **state) {
    (void)state;
    fake_server fake = {.mode = FAKE_GOOD};
    asked a = {.enough = 3};
    ttt_error err;
    fake_server_start(&fake);
    ASSERT_OK(ask(&a, &fake, 1000, 30, &err));
    assert_in_range(a.answers, 3, 6);
    assert_in_range(fake.seen->requests, 3, 12);
    fake_server_stop(&fake);
}

/* Ends at the deadline, whatever the server does; nothing came. */
static void check_deadline(fake_mode mode) {
    fake_server fake = {.mode = mode};
    asked a = {0};
    ttt_error err;
    fake_server_start(&fake);
    set(&a, (const char *const[]){"proposer.answer_seconds=60", NULL});
    ASSERT_FAILS(ask(&a, &fake, 4, 0.6, &err), TTT_ERROR_IO, "the server http://127.0.0.1");
    assert_int_equal(a.answers, 0);
    if (a.seconds < 0.5 || a.seconds > A_BUSY_MACHINE) fail_msg("mode %d took %.2f s", mode, a.seconds);
    fake_server_stop(&fake);
}

static void deadline__holds_when_the_server_is_slow(void **state) {
    (void)state;
    check_deadline(FAKE_SLOW);
    check_deadline(FAKE_DRIPS);
}

static void *raise_flag(void *flag) {
    usleep(300000);
    *(ttt_stop_flag *)flag = 1;
    return NULL;
}

static void stop__is_seen_at_once(void **state) {
    (void)state;
    static ttt_stop_flag flag = 0;
    fake_server fake = {.mode = FAKE_SLOW};
    asked a = {0};
    ttt_error err;
    pthread_t thread;
    fake_server_start(&fake);
    set(&a, (const char *const[]){"proposer.answer_seconds=60", NULL});
    assert_int_equal(pthread_create(&thread, NULL, raise_flag, (void *)&flag), 0);
    ASSERT_FAILS(ask_url(&a, fake.url, 4, 0, &flag, &err), TTT_ERROR_CANCELLED, "stopped");
    pthread_join(thread, NULL);
    assert_true(a.seconds < A_BUSY_MACHINE);
    fake_server_stop(&fake);
}

/* --- What goes wrong ---------------------------------------------------------------------------------------------- */

static void passing_errors__are_tried_again(void **state) {
    (void)state;
    fake_server fake = {.mode = FAKE_ERRORS_FIRST};
    asked a = {0};
    ttt_error err;
    fake_server_start(&fake);
    ASSERT_OK(ask(&a, &fake, 4, 20, &err));
    assert_int_equal(a.answers, 4);
    assert_int_equal(fake.seen->requests, 6);
    fake_server_stop(&fake);
}

static void retry_after__is_waited_for(void **state) {
    (void)state;
    fake_server fake = {.mode = FAKE_BUSY_FIRST};
    asked a = {0};
    ttt_error err;
    fake_server_start(&fake);
    ASSERT_OK(ask(&a, &fake, 1, 20, &err));
    assert_int_equal(a.answers, 1);
    assert_true(a.seconds >= 1);
    fake_server_stop(&fake);
}

/* An hour is not waited for: there is no use in it, so the end comes at once. */
static void retry_after__beyond_the_deadline_is_the_end(void **state) {
    (void)state;
    fake_server fake = {.mode = FAKE_BUSY};
    asked a = {0};
    ttt_error err;
    fake_server_start(&fake);
    ASSERT_FAILS(ask(&a, &fake, 4, 20, &err), TTT_ERROR_IO, "status 429");
    assert_true(a.seconds < A_BUSY_MACHINE);
    fake_server_stop(&fake);
}

/* A server that always fails in a way that might pass is given up after the retries, before the deadline: the waits
 * are at least 0.25 and 0.5 seconds. */
static void check_given_up(fake_mode mode, const char *sentence) {
    fake_server fake = {.mode = mode};
    asked a = {0};
    ttt_error err;
    fake_server_start(&fake);
    ASSERT_FAILS(ask(&a, &fake, 2, 30, &err), TTT_ERROR_IO, sentence);
    assert_int_equal(a.answers, 0);
    if (a.seconds < 0.7 || a.seconds > 25) fail_msg("mode %d took %.2f s", mode, a.seconds);
    if (mode != FAKE_CLOSES) assert_in_range(fake.seen->requests, 3, 6);
    for (const char *c = err.message; *c != '\0'; c++) assert_in_range((unsigned char)*c, ' ', '~');
    fake_server_stop(&fake);
}

static void errors_for_ever__are_given_up(void **state) {
    (void)state;
    check_given_up(FAKE_ERRORS, "status 500");
}

static void answers_that_end_in_the_middle__are_given_up(void **state) {
    (void)state;
    check_given_up(FAKE_DIES, "the server http://127.0.0.1");
    check_given_up(FAKE_CLOSES, "the server http://127.0.0.1");
}

static void answers_of_no_meaning__are_given_up(void **state) {
    (void)state;
    check_given_up(FAKE_GARBAGE, "not valid JSON");
    check_given_up(FAKE_OTHER_JSON, "no choices[0].message");
    check_given_up(FAKE_JSON_BOMB, "not valid JSON");
}

static void floods__are_cut_off(void **state) {
    (void)state;
    check_given_up(FAKE_FLOODS, "more than an answer can have");
    check_given_up(FAKE_HEADERS, "the server http://127.0.0.1");
}

static void nobody_there__is_given_up(void **state) {
    (void)state;
    asked a = {0};
    ttt_error err;
    ASSERT_FAILS(ask_url(&a, "http://user:pass@127.0.0.1:1/v1?token=x", 2, 30, NULL, &err), TTT_ERROR_IO,
                 "the server http://127.0.0.1:1/v1: ");
    assert_null(strstr(err.message, "pass"));
    assert_null(strstr(err.message, "token"));
    assert_true(a.seconds < 25);
}

static void refusal__is_the_end_and_keeps_the_key(void **state) {
    (void)state;
    fake_server fake = {.mode = FAKE_REFUSES};
    asked a = {0}, b = {0};
    ttt_error err;
    fake_server_start(&fake);
    ASSERT_FAILS(ask(&a, &fake, 8, 20, &err), TTT_ERROR_IO, "status 401: no ?[31m such key");
    assert_true(a.seconds < A_BUSY_MACHINE);
    assert_in_range(fake.seen->requests, 1, 4);
    setenv("OPENAI_API_KEY", "sk-secret", 1);
    ASSERT_FAILS(ask(&b, &fake, 8, 20, &err), TTT_ERROR_IO, "status 401");
    unsetenv("OPENAI_API_KEY");
    assert_null(strstr(err.message, "secret"));
    fake_server_stop(&fake);
}

static void redirection__is_not_followed(void **state) {
    (void)state;
    fake_server other = {.mode = FAKE_GOOD};
    fake_server_start(&other);
    fake_server fake = {.mode = FAKE_REDIRECTS, .elsewhere = other.url};
    asked a = {0};
    ttt_error err;
    fake_server_start(&fake);
    setenv("OPENAI_API_KEY", "sk-secret", 1);
    ASSERT_FAILS(ask(&a, &fake, 1, 20, &err), TTT_ERROR_IO, "status 307, a redirection");
    unsetenv("OPENAI_API_KEY");
    assert_int_equal(other.seen->requests, 0);
    fake_server_stop(&fake);
    fake_server_stop(&other);
}

/* What came is kept; the error says what happened then. */
static void silence__after_some_answers_keeps_them(void **state) {
    (void)state;
    fake_server fake = {.mode = FAKE_FALLS_SILENT};
    asked a = {0};
    ttt_error err;
    fake_server_start(&fake);
    ASSERT_FAILS(ask(&a, &fake, 20, 20, &err), TTT_ERROR_IO, "the server http://127.0.0.1");
    assert_int_equal(a.answers, 2);
    assert_true(a.seconds < 15);
    fake_server_stop(&fake);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good__gets_all_samples_side_by_side),
        cmocka_unit_test(good__is_asked_as_the_interface_wants),
        cmocka_unit_test(model__is_asked_for_when_none_is_named),
        cmocka_unit_test(address__may_end_in_chat_completions),
        cmocka_unit_test(address__is_http_and_legal),
        cmocka_unit_test(key__with_a_line_end_is_refused),
        cmocka_unit_test(enough__ends_the_rest),
        cmocka_unit_test(deadline__holds_when_the_server_is_slow),
        cmocka_unit_test(stop__is_seen_at_once),
        cmocka_unit_test(passing_errors__are_tried_again),
        cmocka_unit_test(retry_after__is_waited_for),
        cmocka_unit_test(retry_after__beyond_the_deadline_is_the_end),
        cmocka_unit_test(errors_for_ever__are_given_up),
        cmocka_unit_test(answers_that_end_in_the_middle__are_given_up),
        cmocka_unit_test(answers_of_no_meaning__are_given_up),
        cmocka_unit_test(floods__are_cut_off),
        cmocka_unit_test(nobody_there__is_given_up),
        cmocka_unit_test(refusal__is_the_end_and_keeps_the_key),
        cmocka_unit_test(redirection__is_not_followed),
        cmocka_unit_test(silence__after_some_answers_keeps_them),
    };
    unsetenv("OPENAI_API_KEY");
    unsetenv("http_proxy");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
