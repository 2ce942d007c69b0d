/* The cache's bookkeeping of pages. What the pages hold is the matter of test_rows.c. */
#include "support.h"

#include "model/fixture.h"

enum { PAGES = 6, SEQUENCES = 3 };

typedef struct setup {
    ttt_backend *backend;
    ttt_model *model;
    ttt_kv_cache *cache;
} setup;

static void setup_start(setup *s) {
    ttt_error err;
    s->backend = fixture_backend();
    const ttt_model_config config = fixture_config(true);
    s->model = fixture_model(s->backend, &config);
    ASSERT_OK(ttt_kv_cache_new(s->model, PAGES, SEQUENCES, &s->cache, &err));
}

static void setup_end(setup *s) {
    ttt_kv_cache_free(s->cache);
    ttt_model_free(s->model);
    ttt_backend_free(s->backend);
}

static void pages__of_a_length(void **state) {
    (void)state;
    assert_int_equal(ttt_kv_pages(0), 0);
    assert_int_equal(ttt_kv_pages(1), 1);
    assert_int_equal(ttt_kv_pages(TTT_PAGE), 1);
    assert_int_equal(ttt_kv_pages(TTT_PAGE + 1), 2);
}

static void extend__takes_pages_and_gives_none_when_there_are_too_few(void **state) {
    (void)state;
    setup s;
    setup_start(&s);
    ttt_error err;
    const ttt_kv_sequence a = ttt_kv_cache_begin(s.cache);
    ASSERT_OK(ttt_kv_cache_extend(s.cache, a, TTT_PAGE + 1, &err));
    assert_int_equal(ttt_kv_cache_free_pages(s.cache), PAGES - 2);
    ASSERT_OK(ttt_kv_cache_extend(s.cache, a, TTT_PAGE - 1, &err)); /* room in the page */
    assert_int_equal(ttt_kv_cache_free_pages(s.cache), PAGES - 2);
    ASSERT_FAILS(ttt_kv_cache_extend(s.cache, a, 4 * TTT_PAGE + 1, &err), TTT_ERROR_MEMORY, "4 of its 6 pages left");
    assert_int_equal(ttt_kv_cache_length(s.cache, a), 2 * TTT_PAGE);
    ASSERT_OK(ttt_kv_cache_extend(s.cache, a, 4 * TTT_PAGE, &err));
    int32_t count;
    const int32_t *pages = ttt_kv_cache_pages(s.cache, a, &count);
    assert_int_equal(count, PAGES);
    int seen[PAGES] = {0};
    for (int32_t i = 0; i < count; i++) seen[pages[i]]++;
    for (int32_t i = 0; i < PAGES; i++) assert_int_equal(seen[i], 1);
    ttt_kv_cache_end(s.cache, a);
    assert_int_equal(ttt_kv_cache_free_pages(s.cache), PAGES);
    setup_end(&s);
}

static void fork__shares_full_pages_and_copies_the_last(void **state) {
    (void)state;
    setup s;
    setup_start(&s);
    ttt_error err;
    const ttt_kv_sequence a = ttt_kv_cache_begin(s.cache);
    ttt_kv_sequence b, c, d;
    ASSERT_OK(ttt_kv_cache_extend(s.cache, a, 2 * TTT_PAGE + 5, &err));
    ASSERT_OK(ttt_kv_cache_fork(s.cache, a, &b, &err));
    assert_int_equal(ttt_kv_cache_length(s.cache, b), 2 * TTT_PAGE + 5);
    assert_int_equal(ttt_kv_cache_free_pages(s.cache), PAGES - 4);
    int32_t count;
    const int32_t *of_a = ttt_kv_cache_pages(s.cache, a, &count), *of_b = ttt_kv_cache_pages(s.cache, b, &count);
    assert_int_equal(count, 3);
    assert_true(of_a[0] == of_b[0] && of_a[1] == of_b[1] && of_a[2] != of_b[2]);
    ttt_kv_cache_truncate(s.cache, b, 2 * TTT_PAGE);
    ASSERT_OK(ttt_kv_cache_fork(s.cache, b, &c, &err)); /* nothing to copy */
    assert_int_equal(ttt_kv_cache_free_pages(s.cache), PAGES - 3);
    ASSERT_FAILS(ttt_kv_cache_fork(s.cache, b, &d, &err), TTT_ERROR_MEMORY, "holds 3 sequences already");
    assert_int_equal(d, -1);
    ttt_kv_cache_end(s.cache, a);
    ttt_kv_cache_end(s.cache, b);
    assert_int_equal(ttt_kv_cache_free_pages(s.cache), PAGES - 2); /* c still holds them */
    ttt_kv_cache_end(s.cache, c);
    assert_int_equal(ttt_kv_cache_free_pages(s.cache), PAGES);
    setup_end(&s);
}

static void extend__copies_a_shared_page_before_it_writes(void **state) {
    (void)state;
    setup s;
    setup_start(&s);
    ttt_error err;
    const ttt_kv_sequence a = ttt_kv_cache_begin(s.cache);
    ttt_kv_sequence b;
    ASSERT_OK(ttt_kv_cache_extend(s.cache, a, TTT_PAGE, &err));
    ASSERT_OK(ttt_kv_cache_fork(s.cache, a, &b, &err));
    ttt_kv_cache_truncate(s.cache, b, 10);
    assert_int_equal(ttt_kv_cache_free_pages(s.cache), PAGES - 1);
    ASSERT_OK(ttt_kv_cache_extend(s.cache, b, 1, &err));
    assert_int_equal(ttt_kv_cache_free_pages(s.cache), PAGES - 2);
    int32_t count;
    assert_true(*ttt_kv_cache_pages(s.cache, a, &count) != *ttt_kv_cache_pages(s.cache, b, &count));
    ttt_kv_cache_truncate(s.cache, b, 0);
    assert_int_equal(ttt_kv_cache_free_pages(s.cache), PAGES - 1);
    ASSERT_OK(ttt_kv_cache_extend(s.cache, b, 5 * TTT_PAGE, &err));
    ttt_kv_cache_end(s.cache, b);
    ASSERT_OK(ttt_kv_cache_fork(s.cache, a, &b, &err));
    ASSERT_OK(ttt_kv_cache_extend(s.cache, a, 5 * TTT_PAGE, &err));
    ttt_kv_cache_truncate(s.cache, b, 10);
    ASSERT_FAILS(ttt_kv_cache_extend(s.cache, b, 1, &err), TTT_ERROR_MEMORY, "0 of its 6 pages left, 1 are needed");
    assert_int_equal(ttt_kv_cache_length(s.cache, b), 10);
    setup_end(&s);
}

static void begin__gives_each_handle_once(void **state) {
    (void)state;
    setup s;
    setup_start(&s);
    for (int32_t i = 0; i < SEQUENCES; i++) assert_int_equal(ttt_kv_cache_begin(s.cache), i);
    assert_int_equal(ttt_kv_cache_begin(s.cache), -1);
    ttt_kv_cache_end(s.cache, 1);
    assert_int_equal(ttt_kv_cache_begin(s.cache), 1);
    ttt_error err;
    ttt_kv_cache *none;
    ASSERT_FAILS(ttt_kv_cache_new(s.model, 0, 1, &none, &err), TTT_ERROR_ARGUMENT, "0 pages");
    setup_end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages__of_a_length),
        cmocka_unit_test(extend__takes_pages_and_gives_none_when_there_are_too_few),
        cmocka_unit_test(fork__shares_full_pages_and_copies_the_last),
        cmocka_unit_test(extend__copies_a_shared_page_before_it_writes),
        cmocka_unit_test(begin__gives_each_handle_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
