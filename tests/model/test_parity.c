/* The oracle against PyTorch's numbers (scripts/parity/make_model_golden.py made tests/model/golden), and against a
 * real Llama checkpoint's from an independent program (TTT_TEST_DATA/models). */
#include "support.h"

#include "model/fixture.h"

#include "base/json.h"
#include "base/memory.h"
#include "model/safetensors.h"
#include "model/session_inside.h"

#include <math.h>

enum { ROOM = 128 };

/* Float32 against float32, summed in other orders: a value goes through a few hundred additions of terms of its size,
 * each off by up to 2^-24, so 1e-5 of it. Ten steps of AdamW, whose small gradients count as much as large ones, may
 * multiply that by some more. */
static const double TOLERANCE = 2e-5, STEP_TOLERANCE = 2e-4;

typedef struct parity {
    ttt_backend *backend;
    ttt_model *model;
    json_t *golden;
    ttt_safetensors *tensors;
    ttt_packing *packing;
    ttt_sequence sequences[2];
} parity;

static double number(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

static int32_t integer_at(const json_t *array, size_t i) {
    assert_true(json_is_integer(json_array_get(array, i)));
    return (int32_t)json_integer_value(json_array_get(array, i));
}

static ttt_sequence read_sequence(const json_t *from, int32_t axes) {
    ttt_error err;
    ttt_sequence sequence = {0};
    const json_t *ids = json_object_get(from, "ids"), *positions = json_object_get(from, "positions");
    ASSERT_OK(ttt_sequence_reserve(&sequence, (int32_t)json_array_size(ids), axes, &err));
    for (size_t t = 0; t < json_array_size(ids); t++) {
        int32_t position[TTT_MAX_AXES];
        for (int32_t a = 0; a < axes; a++) position[a] = integer_at(json_array_get(positions, t), (size_t)a);
        ttt_sequence_append(&sequence, integer_at(ids, t), position);
        sequence.kv_high[t] = integer_at(json_object_get(from, "kv_high"), t);
        sequence.targets[t] = integer_at(json_object_get(from, "targets"), t);
    }
    return sequence;
}

static parity parity_new(const char *name) {
    parity p;
    ttt_error err;
    char text[64];
    snprintf(text, sizeof text, "tests/model/golden/%s", name);
    support_path folder = support_source(text), json = support_join(folder.text, "golden.json"),
                 tensors = support_join(folder.text, "golden.safetensors");
    p.backend = fixture_ref();
    ASSERT_OK(ttt_model_load(folder.text, p.backend, &p.model, &err));
    ASSERT_OK(ttt_json_read(json.text, &p.golden, &err));
    ASSERT_OK(ttt_safetensors_open(tensors.text, &p.tensors, &err));
    const int32_t axes = ttt_model_get_config(p.model)->axes;
    const json_t *sequences = json_object_get(p.golden, "sequences");
    assert_int_equal(json_array_size(sequences), 2);
    ASSERT_OK(ttt_packing_new(ROOM, 2, axes, 0, &p.packing, &err));
    for (size_t i = 0; i < 2; i++) {
        p.sequences[i] = read_sequence(json_array_get(sequences, i), axes);
        ttt_packing_add(p.packing, &p.sequences[i], 0, 1);
    }
    const int32_t *rows, *targets;
    float *scales;
    const int32_t counted = ttt_packing_counted(p.packing, &rows, &targets, &scales);
    for (int32_t i = 0; i < counted; i++) scales[i] = 1.0f / (float)counted;
    return p;
}

static void parity_free(parity *p) {
    for (size_t i = 0; i < 2; i++) ttt_sequence_release(&p->sequences[i]);
    ttt_packing_free(p->packing);
    ttt_safetensors_close(p->tensors);
    json_decref(p->golden);
    ttt_model_free(p->model);
    ttt_backend_free(p->backend);
}

static void assert_near(double found, double expected, double tolerance, const char *what) {
    if (!(fabs(found - expected) <= tolerance * (1 + fabs(expected)))) {
        fail_msg("%s: %.9g, PyTorch has %.9g", what, found, expected);
    }
}

static ttt_session *session_of(const parity *p, bool lora) {
    ttt_session_options options = fixture_full(ROOM);
    if (lora) {
        options = fixture_lora(ROOM, 0);
        options.rank = (int32_t)number(p->golden, "rank");
        options.alpha = (float)number(p->golden, "alpha");
        const json_t *targets = json_object_get(p->golden, "targets");
        for (ttt_linear_kind kind = 0; kind < TTT_LINEAR_COUNT; kind++) {
            for (size_t i = 0; i < json_array_size(targets); i++) {
                const char *name = json_string_value(json_array_get(targets, i));
                if (strcmp(name, ttt_linear_kind_name(kind)) == 0) options.targets |= 1u << kind;
            }
        }
    }
    return fixture_session(p->model, &options);
}

/* Gives the adapter PyTorch's initial values. */
static void load_adapter(const parity *p, ttt_session *session) {
    ttt_error err;
    for (size_t i = 0; i < session->parameter_count; i++) {
        const ttt_parameter *parameter = &session->parameters[i];
        char name[80];
        snprintf(name, sizeof name, "lora.%s", parameter->name);
        const ttt_safetensor *tensor;
        ASSERT_OK(
            ttt_safetensors_matrix(p->tensors, "golden", name, parameter->rows, parameter->columns, &tensor, &err));
        float *values = ttt_allocate(parameter->rows * parameter->columns, sizeof *values);
        ttt_safetensor_read(tensor, values);
        ASSERT_OK(session->ops->weight_write(parameter->weight, TTT_VALUE, values, &err));
        ttt_free(values);
    }
}

static void assert_gradients(const parity *p, const ttt_session *session, const char *mode) {
    ttt_error err;
    for (size_t i = 0; i < session->parameter_count; i++) {
        const ttt_parameter *parameter = &session->parameters[i];
        const size_t count = parameter->rows * parameter->columns;
        char name[96];
        snprintf(name, sizeof name, "%s.%s.gradient", mode, parameter->name);
        const ttt_safetensor *tensor;
        ASSERT_OK(
            ttt_safetensors_matrix(p->tensors, "golden", name, parameter->rows, parameter->columns, &tensor, &err));
        float *found = ttt_allocate(count, sizeof *found), *expected = ttt_allocate(count, sizeof *expected);
        ttt_safetensor_read(tensor, expected);
        ASSERT_OK(session->ops->weight_read(parameter->weight, TTT_GRADIENT, found, &err));
        double largest = 0;
        for (size_t j = 0; j < count; j++) largest = fmax(largest, fabs((double)expected[j]));
        assert_true(largest > 0);
        for (size_t j = 0; j < count; j++) {
            if (!(fabs((double)found[j] - (double)expected[j]) <= TOLERANCE * largest)) {
                fail_msg("%s [%zu]: %.9g, PyTorch has %.9g (largest %.3g)", name, j, (double)found[j],
                         (double)expected[j], largest);
            }
        }
        ttt_free(found);
        ttt_free(expected);
    }
}

static void assert_training(const parity *p, ttt_session *session, const char *mode) {
    ttt_error err;
    const json_t *expected = json_object_get(p->golden, mode), *losses = json_object_get(expected, "losses"),
                 *step_losses = json_object_get(expected, "step_losses"),
                 *norms = json_object_get(expected, "step_norms"), *adamw = json_object_get(p->golden, "adamw");
    const ttt_adamw settings = {.learning_rate = (float)number(adamw, "learning_rate"),
                                .beta1 = (float)number(adamw, "beta1"),
                                .beta2 = (float)number(adamw, "beta2"),
                                .epsilon = (float)number(adamw, "epsilon"),
                                .weight_decay = (float)number(adamw, "weight_decay")};
    const size_t counted = json_array_size(losses);
    assert_int_equal(json_array_size(step_losses), 10);
    for (size_t step = 0; step < json_array_size(step_losses); step++) {
        float loss[ROOM];
        double mean = 0, norm;
        ASSERT_OK(ttt_session_train(session, p->packing, loss, &err));
        for (size_t i = 0; i < counted; i++) {
            if (step == 0) {
                assert_near((double)loss[i], json_number_value(json_array_get(losses, i)), TOLERANCE, "a loss");
            }
            mean += (double)loss[i] / (double)counted;
        }
        if (step == 0) assert_gradients(p, session, mode);
        ASSERT_OK(ttt_session_step(session, settings, number(adamw, "clip"), &norm, &err));
        assert_near(mean, json_number_value(json_array_get(step_losses, step)), STEP_TOLERANCE, "the loss of a step");
        assert_near(norm, json_number_value(json_array_get(norms, step)), STEP_TOLERANCE, "the norm of a step");
    }
}

static void check_case(const char *name) {
    parity p = parity_new(name);
    for (int lora = 0; lora < 2; lora++) {
        ttt_session *session = session_of(&p, lora != 0);
        if (lora != 0) load_adapter(&p, session);
        assert_training(&p, session, lora != 0 ? "lora" : "full");
        ttt_session_free(session);
    }
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
    parity p = parity_new(name);
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
        ASSERT_OK(session->ops->next_log_probabilities(session->activations->workspace, &session->network.output, final,
                                                       1, &t, NULL, found, &err));
        for (size_t v = 0; v < vocabulary; v++) {
            assert_near((double)found[v], json_number_value(json_array_get(json_array_get(expected, (size_t)t), v)),
                        TOLERANCE, "a log-probability");
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
        ttt_sequence_append(&sequence, integer_at(ids, (size_t)t), &t);
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
        assert_near((double)loss[i], json_number_value(json_array_get(each, i)), 1e-4, "a loss");
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
    ASSERT_OK(session->ops->next_log_probabilities(session->activations->workspace, &session->network.output, final, 1,
                                                   &row, NULL, p, &err));
    const int32_t best = (int32_t)number(expected, "argmax");
    const json_t *first = json_object_get(expected, "first32");
    for (int32_t v = 0; v < vocabulary; v++) assert_true(p[v] <= p[best]);
    for (int32_t v = 0; v < (int32_t)json_array_size(first); v++) {
        const double difference =
            number(expected, "argmax_logit") - json_number_value(json_array_get(first, (size_t)v));
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
