/* One small model of every family against Hugging Face's transformers and PEFT (scripts/parity/make_family_golden.py
 * made tests/model/golden/families): Llama 3 with scaled positions, Llama 2, Mistral with a window shorter than the
 * sequences, Qwen 2.5 with biases, Qwen 3 with a norm of every head. The oracle works in float32, as they did; the
 * backend that TTT_ISA names in bf16, on the same weights, which are bf16 in the files. */
#include "support.h"

#include "model/fixture.h"
#include "model/parity.h"

#include "base/file.h"
#include "base/memory.h"

#include <math.h>

static const char *const FAMILIES[] = {"llama2", "llama3", "mistral", "qwen2", "qwen3"};
enum { FAMILY_COUNT = sizeof FAMILIES / sizeof *FAMILIES, VOCABULARY = 32 };

/* Float32 against float32, see test_parity.c. */
static const parity_bounds FLOAT32 = {.loss = 2e-5, .gradient = 2e-5, .step = 2e-4, .norm = 2e-4};
/* Of a logit, in parts of the sequence's largest. In bf16 every activation is rounded to 8 bits (up to 2^-9 of it),
 * some ten times on the way through a layer; such errors, of random signs, add up to 2^-9·√20 or 0.9 % of a row's own
 * size in two layers. transformers' own bf16 is off by up to 4 % here. */
static const double LOGIT_FLOAT32 = 1e-4, LOGIT_BF16 = 2e-2;
/* In bf16 the loss of a step, a mean over some 65 targets, is known better than one logit. Norms and single gradients
 * are compared with the oracle's, which says what rounding does to them (test_gradients.c). */
static const parity_bounds BF16 = {.loss = 4e-2, .step = 1e-2};

static parity family_new(size_t family, ttt_backend *backend) {
    char name[64];
    snprintf(name, sizeof name, "families/%s", FAMILIES[family]);
    return parity_new(name, backend);
}

/* The tokens [0, count) of a list of ids, at positions 0, 1, ... */
static ttt_sequence sequence_of(const json_t *first, const json_t *second) {
    ttt_error err;
    ttt_sequence sequence = {0};
    const size_t head = json_array_size(first), all = head + json_array_size(second);
    ASSERT_OK(ttt_sequence_reserve(&sequence, (int32_t)all, 1, &err));
    for (size_t i = 0; i < all; i++) {
        const int32_t position = (int32_t)i;
        ttt_sequence_append(&sequence, i < head ? parity_integer_at(first, i) : parity_integer_at(second, i - head),
                            &position);
    }
    return sequence;
}

/* ---------------------------------------------------------------------------------------------- logits */

/* Logits are known up to a constant of the row: log-probabilities are compared. */
static void assert_row(const float *found, const float *logits, double allowed, const char *family, int32_t row) {
    double sum = 0;
    for (int v = 0; v < VOCABULARY; v++) sum += exp((double)logits[v]);
    for (int v = 0; v < VOCABULARY; v++) {
        const double expected = (double)logits[v] - log(sum);
        if (!(fabs((double)found[v] - expected) <= allowed)) {
            fail_msg("%s: token %d after row %d has log-probability %.7g, transformers says %.7g (allowed %.3g)",
                     family, v, row, (double)found[v], expected, allowed);
        }
    }
}

static void check_logits(size_t family, ttt_backend *backend, double tolerance) {
    ttt_error err;
    parity p = family_new(family, backend);
    const ttt_session_options options = fixture_inference(PARITY_ROOM);
    ttt_session *session = fixture_session(p.model, &options);
    const int32_t length = p.sequences[0].length;
    const ttt_safetensor *tensor;
    ASSERT_OK(ttt_safetensors_matrix(p.tensors, "golden", "logits", (size_t)length, VOCABULARY, &tensor, &err));
    float *logits = ttt_allocate((size_t)length * VOCABULARY, sizeof *logits), found[VOCABULARY];
    ttt_safetensor_read(tensor, logits);
    double largest = 0;
    for (size_t i = 0; i < (size_t)length * VOCABULARY; i++) largest = fmax(largest, fabs((double)logits[i]));
    ttt_buffer *final;
    ASSERT_OK(ttt_forward(&session->network, session->activations, ttt_packing_batch(p.packing), NULL, &final, &err));
    for (int32_t t = 0; t < length; t++) {
        parity_row(session, final, t, found);
        assert_row(found, logits + (size_t)t * VOCABULARY, tolerance * largest, FAMILIES[family], t);
    }
    ttt_free(logits);
    ttt_session_free(session);
    parity_free(&p);
}

static void logits__are_those_of_transformers_in_float32(void **state) {
    (void)state;
    for (size_t i = 0; i < FAMILY_COUNT; i++) check_logits(i, fixture_ref(), LOGIT_FLOAT32);
}

static void logits__are_those_of_transformers_in_bf16(void **state) {
    (void)state;
    for (size_t i = 0; i < FAMILY_COUNT; i++) check_logits(i, fixture_backend(), LOGIT_BF16);
}

/* ---------------------------------------------------------------------------------------------- greedy tokens */

/* Any token may follow; positions count up. */
static void begin(void *state, uint32_t *allowed) {
    (void)state;
    *allowed = UINT32_MAX;
}

static bool advance(void *state, int32_t id, int32_t *position, uint32_t *allowed) {
    int32_t *next = state;
    (void)id;
    *position = (*next)++;
    *allowed = UINT32_MAX;
    return true;
}

/* Token by token through the cache. */
static void greedy_tokens__are_those_of_transformers(void **state) {
    (void)state;
    ttt_error err;
    for (size_t i = 0; i < FAMILY_COUNT; i++) {
        parity p = family_new(i, fixture_ref());
        const json_t *golden = json_object_get(p.golden, "greedy"), *answer = json_object_get(golden, "answer");
        ttt_sequence prompt = sequence_of(json_object_get(golden, "prompt"), NULL);
        const ttt_session_options options = fixture_inference(PARITY_ROOM);
        ttt_session *session = fixture_session(p.model, &options);
        ttt_kv_cache *cache;
        ASSERT_OK(ttt_kv_cache_new(p.model, 4, 2, &cache, &err));
        int32_t next = prompt.length;
        const ttt_decode_request request = {.prompt = &prompt,
                                            .grammar = {.state = &next, .begin = begin, .advance = advance},
                                            .max_tokens = (int32_t)json_array_size(answer)};
        const ttt_decode_options decoding = {.max_batch = 1};
        ttt_decode_answer found;
        ASSERT_OK(ttt_decode(session, cache, &request, 1, &decoding, &found, &err));
        assert_int_equal(found.count, json_array_size(answer));
        for (int32_t t = 0; t < found.count; t++) {
            if (found.ids[t] == parity_integer_at(answer, (size_t)t)) continue;
            fail_msg("%s: token %d of the answer is %d, transformers has %d", FAMILIES[i], t, found.ids[t],
                     parity_integer_at(answer, (size_t)t));
        }
        ttt_decode_answer_release(&found);
        ttt_kv_cache_free(cache);
        ttt_session_free(session);
        ttt_sequence_release(&prompt);
        parity_free(&p);
    }
}

/* In bf16 an answer may part ways where two tokens are nearly equal, so each token is asked for after transformers' own
 * tokens before it, and only where the best leads by more than two logits can be off. */
static void greedy_tokens__are_those_of_transformers_in_bf16_where_they_lead(void **state) {
    (void)state;
    ttt_error err;
    for (size_t i = 0; i < FAMILY_COUNT; i++) {
        parity p = family_new(i, fixture_backend());
        const json_t *golden = json_object_get(p.golden, "greedy"), *answer = json_object_get(golden, "answer"),
                     *prompt = json_object_get(golden, "prompt"), *leads = json_object_get(golden, "leads");
        ttt_sequence whole = sequence_of(prompt, answer);
        const ttt_session_options options = fixture_inference(PARITY_ROOM);
        ttt_session *session = fixture_session(p.model, &options);
        ttt_packing_clear(p.packing);
        ttt_packing_add(p.packing, &whole, 0, 1);
        ttt_buffer *final;
        ASSERT_OK(
            ttt_forward(&session->network, session->activations, ttt_packing_batch(p.packing), NULL, &final, &err));
        int32_t compared = 0, best;
        for (size_t t = 0; t < json_array_size(answer); t++) {
            float found[VOCABULARY];
            if (json_number_value(json_array_get(leads, t)) <= 2 * LOGIT_BF16) continue;
            parity_row(session, final, (int32_t)(json_array_size(prompt) + t) - 1, found);
            best = 0;
            for (int32_t v = 1; v < VOCABULARY; v++) best = found[v] > found[best] ? v : best;
            assert_int_equal(best, parity_integer_at(answer, t));
            compared++;
        }
        assert_true(compared >= 10); /* of 20 */
        ttt_session_free(session);
        ttt_sequence_release(&whole);
        parity_free(&p);
    }
}

/* ---------------------------------------------------------------------------------------------- training */

static void check_training(ttt_backend *(*backend)(void), parity_bounds bounds) {
    for (size_t i = 0; i < FAMILY_COUNT; i++) {
        parity p = family_new(i, backend());
        parity_check_training(&p, bounds);
        parity_free(&p);
    }
}

static void losses_gradients_and_ten_steps__are_those_of_peft_in_float32(void **state) {
    (void)state;
    check_training(fixture_ref, FLOAT32);
}

static void ten_steps__are_those_of_peft_in_bf16(void **state) {
    (void)state;
    check_training(fixture_backend, BF16);
}

/* ---------------------------------------------------------------------------------------------- folders */

/* What is saved is the same model: the same tensors under the same names, and a config.json that says the same. */
static void model__comes_back_as_it_was_saved(void **state) {
    (void)state;
    ttt_error err;
    for (size_t i = 0; i < FAMILY_COUNT; i++) {
        parity p = family_new(i, fixture_ref());
        const ttt_session_options options = fixture_full(PARITY_ROOM);
        ttt_session *session = fixture_session(p.model, &options), *again;
        support_path folder = support_temporary_folder();
        ttt_model *back;
        ASSERT_OK(ttt_session_save_model(session, folder.text, TTT_F32, &err));
        ASSERT_OK(ttt_model_load(folder.text, p.backend, &back, &err));
        again = fixture_session(back, &options);
        size_t count, count_again;
        float *values = fixture_parameters(session, TTT_VALUE, &count),
              *values_again = fixture_parameters(again, TTT_VALUE, &count_again);
        assert_int_equal(count, count_again);
        assert_memory_equal(values, values_again, count * sizeof *values);
        assert_int_equal(count, ttt_model_config_parameters(ttt_model_get_config(back)));
        json_t *before = ttt_model_config_to_json(ttt_model_get_config(p.model)),
               *after = ttt_model_config_to_json(ttt_model_get_config(back));
        assert_true(json_equal(before, after));
        json_decref(before);
        json_decref(after);
        ttt_free(values);
        ttt_free(values_again);
        ttt_session_free(again);
        ttt_session_free(session);
        ttt_model_free(back);
        support_remove_folder(folder.text);
        parity_free(&p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits__are_those_of_transformers_in_float32),
        cmocka_unit_test(logits__are_those_of_transformers_in_bf16),
        cmocka_unit_test(greedy_tokens__are_those_of_transformers),
        cmocka_unit_test(greedy_tokens__are_those_of_transformers_in_bf16_where_they_lead),
        cmocka_unit_test(losses_gradients_and_ten_steps__are_those_of_peft_in_float32),
        cmocka_unit_test(ten_steps__are_those_of_peft_in_bf16),
        cmocka_unit_test(model__comes_back_as_it_was_saved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
