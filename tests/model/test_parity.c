/* The oracle against PyTorch's numbers (scripts/parity/make_model_golden.py made tests/model/golden), and against a
 * real Llama checkpoint's from an independent program (TTT_TEST_DATA/models). */
#include "support.h"

#include "model/fixture.h"
#include "model/parity.h"

#include "base/memory.h"

#include <math.h>

enum { ROOM = PARITY_ROOM };

/* Float32 against float32, summed in other orders: a value goes through a few hundred additions of terms of its size,
 * each off by up to 2^-24, so 1e-5 of it. Ten steps of AdamW, whose small gradients count as much as large ones, may
 * multiply that by some more. */
static const parity_bounds FLOAT32 = {.loss = 2e-5, .gradient = 2e-5, .step = 2e-4, .norm = 2e-4};

static void check_case(const char *name) {
    parity p = parity_new(name, fixture_ref());
    parity_check_training(&p, FLOAT32);
    parity_free(&p);
}

static void losses_gradients_and_ten_steps__are_pytorch_s_for_a_tied_model_on_three_axes(void **state) {
    (void)state;
    check_case("tied");
}

static void losses_gradients_and_ten_steps__are_pytorch_s_for_an_untied_model_on_one_axis(void **state) {
    (void)state;
    check_case("untied");
}

/* All rows of the first sequence. */
static void check_log_probabilities(const char *name) {
    parity p = parity_new(name, fixture_ref());
    ttt_error err;
    const ttt_session_options options = fixture_inference(ROOM);
    ttt_session *session = fixture_session(p.model, &options);
    const size_t vocabulary = (size_t)ttt_model_get_config(p.model)->vocabulary;
    ttt_buffer *final;
    ASSERT_OK(ttt_forward(&session->network, session->activations, ttt_packing_batch(p.packing), NULL, &final, &err));
    const json_t *expected = json_object_get(p.golden, "log_probabilities");
    assert_int_equal(json_array_size(expected), p.sequences[0].length);
    float *found = ttt_allocate(vocabulary, sizeof *found);
    for (int32_t t = 0; t < p.sequences[0].length; t++) {
        parity_row(session, final, t, found);
        for (size_t v = 0; v < vocabulary; v++) {
            parity_assert_near((double)found[v],
                               json_number_value(json_array_get(json_array_get(expected, (size_t)t), v)), FLOAT32.loss,
                               "a log-probability");
        }
    }
    ttt_free(found);
    ttt_session_free(session);
    parity_free(&p);
}

static void log_probabilities__are_pytorch_s(void **state) {
    (void)state;
    check_log_probabilities("tied");
    check_log_probabilities("untied");
}

/* ---------------------------------------------------------------------------------------------- a real checkpoint */

static ttt_sequence plain_sequence(const json_t *ids) {
    ttt_error err;
    ttt_sequence sequence = {0};
    ASSERT_OK(ttt_sequence_reserve(&sequence, (int32_t)json_array_size(ids), 1, &err));
    for (int32_t t = 0; t < (int32_t)json_array_size(ids); t++) {
        ttt_sequence_append(&sequence, parity_integer_at(ids, (size_t)t), &t);
        if (t > 0) sequence.targets[t - 1] = sequence.ids[t];
    }
    return sequence;
}

static void check_losses(ttt_session *session, const json_t *expected) {
    ttt_error err;
    ttt_sequence sequence = plain_sequence(json_object_get(expected, "ids"));
    ttt_packing *packing;
    ASSERT_OK(ttt_packing_new(ROOM, 1, 1, 0, &packing, &err));
    ttt_packing_add(packing, &sequence, 0, 1);
    float loss[ROOM];
    ASSERT_OK(ttt_session_loss(session, packing, loss, &err));
    const json_t *each = json_object_get(expected, "per_token");
    assert_int_equal(json_array_size(each), ttt_sequence_counted(&sequence));
    for (size_t i = 0; i < json_array_size(each); i++) {
        parity_assert_near((double)loss[i], json_number_value(json_array_get(each, i)), 1e-4, "a loss");
    }
    ttt_packing_free(packing);
    ttt_sequence_release(&sequence);
}

/* Differences of logits are differences of log-probabilities. */
static void check_logits(ttt_session *session, const json_t *expected) {
    ttt_error err;
    ttt_sequence sequence = plain_sequence(json_object_get(expected, "ids"));
    ttt_packing *packing;
    ASSERT_OK(ttt_packing_new(ROOM, 1, 1, 0, &packing, &err));
    ttt_packing_add(packing, &sequence, 0, 1);
    ttt_buffer *final;
    ASSERT_OK(ttt_forward(&session->network, session->activations, ttt_packing_batch(packing), NULL, &final, &err));
    const int32_t row = sequence.length - 1, vocabulary = ttt_model_get_config(session->model)->vocabulary;
    float *p = ttt_allocate((size_t)vocabulary, sizeof *p);
    parity_row(session, final, row, p);
    const int32_t best = (int32_t)parity_number(expected, "argmax");
    const json_t *first = json_object_get(expected, "first32");
    for (int32_t v = 0; v < vocabulary; v++) assert_true(p[v] <= p[best]);
    for (int32_t v = 0; v < (int32_t)json_array_size(first); v++) {
        const double difference =
            parity_number(expected, "argmax_logit") - json_number_value(json_array_get(first, (size_t)v));
        if (fabs((double)(p[best] - p[v]) - difference) > 1e-3) { /* the tolerance that goes with these numbers */
            fail_msg("logit %d lies %.6f below the largest, expected %.6f", v, (double)(p[best] - p[v]), difference);
        }
    }
    ttt_free(p);
    ttt_packing_free(packing);
    ttt_sequence_release(&sequence);
}

static void check_checkpoint(const char *name) {
    support_path folder = support_data(name), path = support_join(folder.text, "golden.json");
    ttt_error err;
    ttt_backend *backend = fixture_ref();
    ttt_model *model;
    json_t *golden;
    ASSERT_OK(ttt_model_load(folder.text, backend, &model, &err));
    ASSERT_OK(ttt_json_read(path.text, &golden, &err));
    const ttt_session_options options = fixture_inference(ROOM);
    ttt_session *session = fixture_session(model, &options);
    const json_t *losses = json_object_get(golden, "losses"), *logits = json_object_get(golden, "logits");
    assert_true(json_array_size(losses) > 0 && json_array_size(logits) > 0);
    for (size_t i = 0; i < json_array_size(losses); i++) check_losses(session, json_array_get(losses, i));
    for (size_t i = 0; i < json_array_size(logits); i++) check_logits(session, json_array_get(logits, i));
    ttt_session_free(session);
    json_decref(golden);
    ttt_model_free(model);
    ttt_backend_free(backend);
}

static void real_checkpoint__in_one_file_of_float32(void **state) {
    (void)state;
    check_checkpoint("models/stories260k");
}

static void real_checkpoint__in_shards_of_bf16(void **state) {
    (void)state;
    check_checkpoint("models/stories260k-bf16");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_gradients_and_ten_steps__are_pytorch_s_for_a_tied_model_on_three_axes),
        cmocka_unit_test(losses_gradients_and_ten_steps__are_pytorch_s_for_an_untied_model_on_one_axis),
        cmocka_unit_test(log_probabilities__are_pytorch_s),
        cmocka_unit_test(real_checkpoint__in_one_file_of_float32),
        cmocka_unit_test(real_checkpoint__in_shards_of_bf16),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
