/* A row's bits do not depend on its batch: the probabilities after every token of a sequence, alone, packed with
 * others, in pieces over the cache, token by token, and on a fork. */
#include "support.h"

#include "model/fixture.h"

#include "base/memory.h"
#include "model/cached_batch.h"

enum { ROOM = 256, LENGTH = 150, V = FIXTURE_VOCABULARY };

typedef struct setup {
    ttt_backend *backend;
    ttt_model *model;
    ttt_session *session;
    ttt_kv_cache *cache;
    ttt_cached_batch batch;
    ttt_sequence causal, looking; /* without and with a block of look-ahead */
    ttt_sequence other[2];
} setup;

static void setup_start(setup *s, int32_t window) {
    ttt_error err;
    s->backend = fixture_backend();
    ttt_model_config config = fixture_config(true);
    if (window > 0) config.architecture = TTT_ARCHITECTURE_MISTRAL;
    config.window = window;
    s->model = fixture_model(s->backend, &config);
    const ttt_session_options options = fixture_inference(ROOM);
    s->session = fixture_session(s->model, &options);
    ASSERT_OK(ttt_kv_cache_new(s->model, 32, 8, &s->cache, &err));
    ASSERT_OK(ttt_cached_batch_init(&s->batch, s->session, s->cache, &err));
    s->causal = fixture_sequence(1, LENGTH, 0, 0);
    s->looking = fixture_sequence(2, LENGTH, 20, 85);
    s->other[0] = fixture_sequence(3, 37, 0, 9);
    s->other[1] = fixture_sequence(4, 66, 5, 6);
}

static void setup_end(setup *s) {
    ttt_sequence *const sequences[] = {&s->causal, &s->looking, &s->other[0], &s->other[1]};
    for (size_t i = 0; i < 4; i++) ttt_sequence_release(sequences[i]);
    ttt_cached_batch_release(&s->batch);
    ttt_kv_cache_free(s->cache);
    ttt_session_free(s->session);
    ttt_model_free(s->model);
    ttt_backend_free(s->backend);
}

/* Log-probabilities after the rows [first, first + count) of what was run last, into `to` [count, V]. */
static void predict(const setup *s, const ttt_buffer *final, int32_t first, int32_t count, float *to) {
    ttt_error err;
    int32_t rows[ROOM];
    for (int32_t i = 0; i < count; i++) rows[i] = first + i;
    ASSERT_OK(s->session->ops->next_log_probabilities(s->session->activations->workspace, &s->session->network.output,
                                                      final, count, rows, NULL, to, &err));
}

/* The sequence behind `before` others in a packed batch (0: alone). */
static void packed(const setup *s, const ttt_sequence *sequence, size_t before, float *to) {
    ttt_error err;
    ttt_packing *packing;
    ttt_buffer *final;
    int32_t first = 0;
    const int32_t window = ttt_model_get_config(s->model)->window;
    ASSERT_OK(ttt_packing_new(ROOM, 8, FIXTURE_AXES, window, &packing, &err));
    for (size_t i = 0; i < before; i++) {
        ttt_packing_add(packing, &s->other[i], 0, 1);
        first += s->other[i].length;
    }
    ttt_packing_add(packing, sequence, 0, 1);
    ASSERT_OK(
        ttt_forward(&s->session->network, s->session->activations, ttt_packing_batch(packing), NULL, &final, &err));
    predict(s, final, first, sequence->length, to);
    ttt_packing_free(packing);
}

/* Rows [first, end) of the sequence, in pieces of at most `most` tokens, onto a cached sequence. */
static void cached(setup *s, ttt_kv_sequence handle, const ttt_sequence *sequence, int32_t first, int32_t end,
                   int32_t most, float *to) {
    ttt_error err;
    ttt_buffer *final;
    for (int32_t stop; first < end; first = stop) {
        stop = ttt_piece_end(sequence, first, end - first < most ? end - first : most);
        assert_true(stop > first);
        ttt_cached_batch_clear(&s->batch);
        ASSERT_OK(ttt_cached_batch_add(&s->batch, handle, sequence, first, stop, 0, &err));
        ASSERT_OK(ttt_cached_batch_run(&s->batch, &final, &err));
        predict(s, final, 0, stop - first, to + first * V);
    }
}

static float *rows_new(void) {
    return ttt_allocate((size_t)LENGTH * V, sizeof(float));
}

static void assert_same_rows(const float *a, const float *b) {
    for (int32_t t = 0; t < LENGTH; t++) {
        if (memcmp(a + t * V, b + t * V, V * sizeof *a) != 0) fail_msg("row %d differs", t);
    }
}

static void packed__gives_the_bits_of_alone(void **state) {
    setup s;
    setup_start(&s, *(int32_t *)*state);
    float *alone = rows_new(), *together = rows_new();
    const ttt_sequence *sequences[] = {&s.causal, &s.looking};
    for (size_t i = 0; i < 2; i++) {
        packed(&s, sequences[i], 0, alone);
        for (size_t before = 1; before <= 2; before++) {
            packed(&s, sequences[i], before, together);
            assert_same_rows(together, alone);
        }
    }
    ttt_free(alone);
    ttt_free(together);
    setup_end(&s);
}

static void pieces_over_the_cache__give_the_bits_of_alone(void **state) {
    setup s;
    setup_start(&s, *(int32_t *)*state);
    float *alone = rows_new(), *found = rows_new();
    const int32_t sizes[] = {66, 100, LENGTH}; /* the smallest first: later ones find old keys in the pages */
    packed(&s, &s.looking, 0, alone);
    for (size_t i = 0; i < 3; i++) {
        const ttt_kv_sequence handle = ttt_kv_cache_begin(s.cache);
        cached(&s, handle, &s.looking, 0, LENGTH, sizes[i], found);
        assert_same_rows(found, alone);
        ttt_kv_cache_end(s.cache, handle);
    }
    ttt_free(alone);
    ttt_free(found);
    setup_end(&s);
}

static void token_by_token__gives_the_bits_of_alone(void **state) {
    setup s;
    setup_start(&s, *(int32_t *)*state);
    float *alone = rows_new(), *found = rows_new();
    packed(&s, &s.causal, 0, alone);
    const ttt_kv_sequence handle = ttt_kv_cache_begin(s.cache);
    cached(&s, handle, &s.causal, 0, LENGTH, 1, found);
    assert_same_rows(found, alone);
    ttt_free(alone);
    ttt_free(found);
    setup_end(&s);
}

/* A fork in the middle of a page; the old sequence goes on with other tokens; a truncation goes back into a page that
 * both share. Each must see its own keys only. */
static void forks_and_truncations__give_the_bits_of_alone(void **state) {
    setup s;
    setup_start(&s, *(int32_t *)*state);
    ttt_error err;
    float *alone = rows_new(), *found = rows_new(), *ignored = rows_new();
    packed(&s, &s.causal, 0, alone);
    ttt_sequence changed = fixture_sequence(1, LENGTH, 0, 0);
    for (int32_t t = 40; t < LENGTH; t++) changed.ids[t] = (changed.ids[t] + 1) % V;
    const ttt_kv_sequence old = ttt_kv_cache_begin(s.cache);
    ttt_kv_sequence fork, back;
    cached(&s, old, &s.causal, 0, 90, 64, found);
    ASSERT_OK(ttt_kv_cache_fork(s.cache, old, &fork, &err)); /* page 0 shared, page 1 copied */
    cached(&s, old, &changed, 90, LENGTH, 7, ignored);
    cached(&s, fork, &s.causal, 90, LENGTH, 11, found);
    assert_same_rows(found, alone);
    ASSERT_OK(ttt_kv_cache_fork(s.cache, fork, &back, &err));
    ttt_kv_cache_truncate(s.cache, fork, 40); /* into page 0, which all three share */
    cached(&s, fork, &changed, 40, LENGTH, 33, ignored);
    ttt_kv_cache_truncate(s.cache, back, 50);
    cached(&s, back, &s.causal, 50, LENGTH, 64, found);
    assert_same_rows(found, alone);
    packed(&s, &changed, 0, alone);
    memcpy(ignored, alone, 40 * V * sizeof *alone);
    assert_same_rows(ignored, alone);
    ttt_sequence_release(&changed);
    ttt_free(alone);
    ttt_free(found);
    ttt_free(ignored);
    setup_end(&s);
}

int main(void) {
    static int32_t none = 0, window = 29; /* keys of a sliding window */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(packed__gives_the_bits_of_alone, &none),
        cmocka_unit_test_prestate(packed__gives_the_bits_of_alone, &window),
        cmocka_unit_test_prestate(pieces_over_the_cache__give_the_bits_of_alone, &none),
        cmocka_unit_test_prestate(pieces_over_the_cache__give_the_bits_of_alone, &window),
        cmocka_unit_test_prestate(token_by_token__gives_the_bits_of_alone, &none),
        cmocka_unit_test_prestate(token_by_token__gives_the_bits_of_alone, &window),
        cmocka_unit_test_prestate(forks_and_truncations__give_the_bits_of_alone, &none),
        cmocka_unit_test_prestate(forks_and_truncations__give_the_bits_of_alone, &window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
