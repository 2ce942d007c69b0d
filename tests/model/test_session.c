/* Training sessions on the backend that TTT_ISA names: learning, resuming, recomputing, allocating nothing. */
#include "support.h"

#include "model/fixture.h"

#include "base/memory.h"

#include <math.h>

enum { ROOM = 128, OPTIONS = 4 };

typedef struct setup {
    ttt_backend *backend;
    ttt_model *model;
    ttt_sequence sequences[3];
    ttt_packing *packing;
} setup;

static setup setup_new(bool tied) {
    setup s;
    s.backend = fixture_backend();
    const ttt_model_config config = fixture_config(tied);
    s.model = fixture_model(s.backend, &config);
    s.sequences[0] = fixture_sequence(1, 70, 3, 20); /* more than a page */
    s.sequences[1] = fixture_sequence(2, 1, 0, 0);
    s.sequences[2] = fixture_sequence(3, 31, 30, 31);
    s.packing = fixture_packing(s.sequences, 3, ROOM);
    return s;
}

static void setup_free(setup *s) {
    ttt_packing_free(s->packing);
    for (size_t i = 0; i < 3; i++) ttt_sequence_release(&s->sequences[i]);
    ttt_model_free(s->model);
    ttt_backend_free(s->backend);
}

static const ttt_adamw ADAMW = {
    .learning_rate = 3e-3f, .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f, .weight_decay = 0.01f};

/* Mean loss of the packing before the step. */
static double train_step(ttt_session *session, const ttt_packing *packing) {
    ttt_error err;
    float loss[ROOM];
    const int32_t *rows, *targets;
    float *scales;
    const int32_t counted = ttt_packing_counted(packing, &rows, &targets, &scales);
    for (int32_t i = 0; i < counted; i++) scales[i] = 1.0f / (float)counted;
    ASSERT_OK(ttt_session_train(session, packing, loss, &err));
    double norm, sum = 0;
    ASSERT_OK(ttt_session_step(session, ADAMW, 1.0, &norm, &err));
    assert_true(norm > 0);
    for (int32_t i = 0; i < counted; i++) sum += loss[i];
    return sum / counted;
}

static void assert_same_parameters(const ttt_session *a, const ttt_session *b) {
    for (ttt_weight_part part = 0; part < TTT_WEIGHT_PART_COUNT; part++) {
        size_t count, other_count;
        float *left = fixture_parameters(a, part, &count), *right = fixture_parameters(b, part, &other_count);
        assert_int_equal(count, other_count);
        assert_memory_equal(left, right, count * sizeof *left);
        ttt_free(left);
        ttt_free(right);
    }
}

/* 0: all weights, 1: adapters; 2 and 3: the same with Muon. */
static ttt_session_options options_of(int which) {
    const uint32_t all = (1u << TTT_LINEAR_COUNT) - 1;
    ttt_session_options options = which % 2 == 0 ? fixture_full(ROOM) : fixture_lora(ROOM, all);
    options.muon = which < 2 ? 0 : 0.9f;
    return options;
}

static void training__lowers_the_loss(void **state) {
    (void)state;
    for (int which = 0; which < OPTIONS; which++) {
        setup s = setup_new(true);
        const ttt_session_options options = options_of(which);
        ttt_session *session = fixture_session(s.model, &options);
        const double first = train_step(session, s.packing);
        double last = first;
        for (int i = 0; i < 40; i++) last = train_step(session, s.packing);
        assert_true(isfinite(first) && last < 0.7 * first);
        assert_int_equal(ttt_session_steps(session), 41);
        ttt_session_free(session);
        setup_free(&s);
    }
}

static void training__allocates_nothing_after_the_session_is_made(void **state) {
    (void)state;
    setup s = setup_new(false);
    for (int which = 0; which < OPTIONS; which++) {
        const ttt_session_options options = options_of(which);
        ttt_session *session = fixture_session(s.model, &options);
        const size_t before = ttt_memory_allocation_count();
        for (int i = 0; i < 3; i++) train_step(session, s.packing);
        float loss[ROOM];
        ttt_error err;
        ASSERT_OK(ttt_session_loss(session, s.packing, loss, &err));
        assert_int_equal(ttt_memory_allocation_count(), before);
        ttt_session_free(session);
    }
    setup_free(&s);
}

static void loss__is_the_same_with_and_without_backward(void **state) {
    (void)state;
    setup s = setup_new(true);
    const ttt_session_options options = options_of(1);
    ttt_session *session = fixture_session(s.model, &options);
    train_step(session, s.packing);
    ttt_error err;
    float forward[ROOM] = {0}, both[ROOM] = {0};
    ASSERT_OK(ttt_session_loss(session, s.packing, forward, &err));
    ASSERT_OK(ttt_session_train(session, s.packing, both, &err));
    assert_memory_equal(forward, both, sizeof both);
    ttt_session_free(session);
    setup_free(&s);
}

static void recompute__gives_the_same_bits(void **state) {
    (void)state;
    for (int which = 0; which < OPTIONS; which++) {
        setup s = setup_new(false);
        ttt_session_options options = options_of(which);
        ttt_session *kept = fixture_session(s.model, &options);
        options.recompute = true;
        ttt_session *recomputed = fixture_session(s.model, &options);
        for (int i = 0; i < 3; i++) assert_true(train_step(kept, s.packing) == train_step(recomputed, s.packing));
        assert_same_parameters(kept, recomputed);
        ttt_session_free(kept);
        ttt_session_free(recomputed);
        setup_free(&s);
    }
}

static void reset__makes_a_session_as_new(void **state) {
    (void)state;
    for (int which = 0; which < OPTIONS; which++) {
        setup s = setup_new(true);
        const ttt_session_options options = options_of(which);
        ttt_session *used = fixture_session(s.model, &options), *fresh = fixture_session(s.model, &options);
        ttt_error err;
        float loss[ROOM];
        train_step(used, s.packing);
        ASSERT_OK(ttt_session_train(used, s.packing, loss, &err)); /* leaves gradients behind */
        ASSERT_OK(ttt_session_reset(used, 5, &err));
        assert_same_parameters(used, fresh);
        assert_int_equal(ttt_session_steps(used), 0);
        assert_true(train_step(used, s.packing) == train_step(fresh, s.packing));
        assert_same_parameters(used, fresh);
        ttt_session_free(used);
        ttt_session_free(fresh);
        setup_free(&s);
    }
}

static void state__resumes_bit_for_bit(void **state) {
    (void)state;
    for (int which = 0; which < OPTIONS; which++) {
        setup s = setup_new(true);
        const ttt_session_options options = options_of(which);
        ttt_session *one = fixture_session(s.model, &options), *two = fixture_session(s.model, &options);
        ttt_error err;
        support_path folder = support_temporary_folder(), path = support_join(folder.text, "state.safetensors");
        for (int i = 0; i < 4; i++) train_step(one, s.packing);
        json_t *metadata = json_pack("{s:s}", "examples", "1234"), *back;
        ASSERT_OK(ttt_session_save_state(one, path.text, metadata, &err));
        train_step(two, s.packing); /* something to overwrite */
        ASSERT_OK(ttt_session_load_state(two, path.text, &back, &err));
        assert_true(json_equal(metadata, back));
        assert_int_equal(ttt_session_steps(two), 4);
        for (int i = 0; i < 3; i++) assert_true(train_step(one, s.packing) == train_step(two, s.packing));
        assert_same_parameters(one, two);
        json_decref(metadata);
        json_decref(back);
        support_remove_folder(folder.text);
        ttt_session_free(one);
        ttt_session_free(two);
        setup_free(&s);
    }
}

static void state__of_another_session_is_refused_and_changes_nothing(void **state) {
    (void)state;
    setup s = setup_new(true);
    const ttt_session_options full = options_of(0), lora = options_of(1);
    ttt_session *one = fixture_session(s.model, &full), *two = fixture_session(s.model, &lora),
                *untouched = fixture_session(s.model, &lora);
    ttt_error err;
    support_path folder = support_temporary_folder(), path = support_join(folder.text, "state.safetensors");
    ASSERT_OK(ttt_session_save_state(one, path.text, NULL, &err));
    ASSERT_FAILS(ttt_session_load_state(two, path.text, NULL, &err), TTT_ERROR_FORMAT, "lora_a\" is missing");
    assert_same_parameters(two, untouched);
    support_remove_folder(folder.text);
    ttt_session_free(one);
    ttt_session_free(two);
    ttt_session_free(untouched);
    setup_free(&s);
}

static void training__gives_the_same_bits_with_any_number_of_threads(void **state) {
    (void)state;
    setup s = setup_new(true);
    ttt_backend *single = fixture_backend_with_threads(1);
    const ttt_model_config config = fixture_config(true);
    ttt_model *same = fixture_model(single, &config);
    for (int which = 0; which < OPTIONS; which++) {
        const ttt_session_options options = options_of(which);
        ttt_session *one = fixture_session(same, &options), *two = fixture_session(s.model, &options);
        for (int i = 0; i < 3; i++) assert_true(train_step(one, s.packing) == train_step(two, s.packing));
        assert_same_parameters(one, two);
        ttt_session_free(one);
        ttt_session_free(two);
    }
    ttt_model_free(same);
    ttt_backend_free(single);
    setup_free(&s);
}

static void adapter__is_left_out_for_rows_packed_without(void **state) {
    (void)state;
    setup s = setup_new(true);
    ttt_error err;
    const ttt_session_options lora = options_of(1), none = fixture_inference(ROOM);
    ttt_session *session = fixture_session(s.model, &lora), *bare = fixture_session(s.model, &none);
    for (int i = 0; i < 3; i++) train_step(session, s.packing);
    float adapted[ROOM] = {0}, mixed[ROOM] = {0}, plain[ROOM] = {0};
    ASSERT_OK(ttt_session_loss(session, s.packing, adapted, &err));
    ASSERT_OK(ttt_session_loss(bare, s.packing, plain, &err));
    ttt_packing_clear(s.packing);
    for (int i = 0; i < 3; i++) ttt_packing_add(s.packing, &s.sequences[i], i == 0 ? 0 : -1, 1);
    ASSERT_OK(ttt_session_loss(session, s.packing, mixed, &err));
    const int32_t first = ttt_sequence_counted(&s.sequences[0]);
    assert_memory_equal(mixed, adapted, (size_t)first * sizeof *mixed);
    assert_memory_equal(mixed + first, plain + first, (size_t)(ROOM - first) * sizeof *mixed);
    assert_memory_not_equal(adapted, plain, sizeof adapted);
    ttt_session_free(session);
    ttt_session_free(bare);
    setup_free(&s);
}

static void step__refuses_a_gradient_that_is_not_finite(void **state) {
    (void)state;
    setup s = setup_new(true);
    ttt_error err;
    const ttt_session_options options = options_of(0);
    ttt_session *session = fixture_session(s.model, &options);
    ttt_weight *weight;
    size_t rows, columns;
    ttt_session_parameter(session, 0, &weight, &rows, &columns);
    float *bad = ttt_allocate(rows * columns, sizeof *bad), loss[ROOM];
    double norm;
    for (size_t i = 0; i < rows * columns; i++) bad[i] = NAN;
    ASSERT_OK(ttt_model_get_backend(s.model)->ops->weight_write(weight, TTT_VALUE, bad, &err));
    ASSERT_OK(ttt_session_train(session, s.packing, loss, &err));
    ASSERT_FAILS(ttt_session_step(session, ADAMW, 1, &norm, &err), TTT_ERROR_ARGUMENT, "step 1 is not finite");
    assert_int_equal(ttt_session_steps(session), 0);
    ttt_free(bad);
    ttt_session_free(session);
    setup_free(&s);
}

static void options__that_make_no_sense_are_refused(void **state) {
    (void)state;
    setup s = setup_new(true);
    ttt_error err;
    ttt_session *session;
    ttt_session_options none = fixture_inference(ROOM), lora = fixture_lora(ROOM, 0), rank = fixture_lora(ROOM, 1),
                        tokens = fixture_full(0), muon = fixture_full(ROOM);
    none.training = true;
    rank.rank = 0;
    muon.muon = 1;
    ASSERT_FAILS(ttt_session_new(s.model, &none, 0, &session, &err), TTT_ERROR_ARGUMENT, "something to train");
    ASSERT_FAILS(ttt_session_new(s.model, &lora, 0, &session, &err), TTT_ERROR_ARGUMENT, "linear maps 0x0");
    ASSERT_FAILS(ttt_session_new(s.model, &rank, 0, &session, &err), TTT_ERROR_ARGUMENT, "rank 0");
    ASSERT_FAILS(ttt_session_new(s.model, &tokens, 0, &session, &err), TTT_ERROR_ARGUMENT, "0 tokens");
    ASSERT_FAILS(ttt_session_new(s.model, &muon, 0, &session, &err), TTT_ERROR_ARGUMENT, "momentum of 1 for Muon");
    assert_null(session);
    setup_free(&s);
}

static void batch__that_does_not_fit_or_has_foreign_ids_is_refused(void **state) {
    (void)state;
    setup s = setup_new(true);
    ttt_error err;
    float loss[ROOM];
    ttt_session_options small = fixture_full(64);
    ttt_session *session = fixture_session(s.model, &small);
    ASSERT_FAILS(ttt_session_train(session, s.packing, loss, &err), TTT_ERROR_ARGUMENT, "room for 64");
    s.sequences[2].ids[4] = FIXTURE_VOCABULARY;
    ttt_packing_clear(s.packing);
    ttt_packing_add(s.packing, &s.sequences[2], 0, 1);
    ASSERT_FAILS(ttt_session_train(session, s.packing, loss, &err), TTT_ERROR_ARGUMENT, "has id 19");
    ttt_session_free(session);
    setup_free(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training__lowers_the_loss),
        cmocka_unit_test(training__allocates_nothing_after_the_session_is_made),
        cmocka_unit_test(loss__is_the_same_with_and_without_backward),
        cmocka_unit_test(recompute__gives_the_same_bits),
        cmocka_unit_test(reset__makes_a_session_as_new),
        cmocka_unit_test(state__resumes_bit_for_bit),
        cmocka_unit_test(state__of_another_session_is_refused_and_changes_nothing),
        cmocka_unit_test(training__gives_the_same_bits_with_any_number_of_threads),
        cmocka_unit_test(adapter__is_left_out_for_rows_packed_without),
        cmocka_unit_test(step__refuses_a_gradient_that_is_not_finite),
        cmocka_unit_test(options__that_make_no_sense_are_refused),
        cmocka_unit_test(batch__that_does_not_fit_or_has_foreign_ids_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
