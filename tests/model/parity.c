/* See parity.h. */
#include "support.h"

#include "model/fixture.h"
#include "model/parity.h"

#include "base/memory.h"

#include <math.h>

double parity_number(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

int32_t parity_integer_at(const json_t *array, size_t i) {
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
        for (int32_t a = 0; a < axes; a++) position[a] = parity_integer_at(json_array_get(positions, t), (size_t)a);
        ttt_sequence_append(&sequence, parity_integer_at(ids, t), position);
        sequence.kv_high[t] = parity_integer_at(json_object_get(from, "kv_high"), t);
        sequence.targets[t] = parity_integer_at(json_object_get(from, "targets"), t);
    }
    return sequence;
}

parity parity_new(const char *name, ttt_backend *backend) {
    parity p;
    ttt_error err;
    char text[64];
    snprintf(text, sizeof text, "tests/model/golden/%s", name);
    support_path folder = support_source(text), json = support_join(folder.text, "golden.json"),
                 tensors = support_join(folder.text, "golden.safetensors");
    p.backend = backend;
    ASSERT_OK(ttt_model_load(folder.text, p.backend, &p.model, &err));
    ASSERT_OK(ttt_json_read(json.text, &p.golden, &err));
    ASSERT_OK(ttt_safetensors_open(tensors.text, &p.tensors, &err));
    const int32_t axes = ttt_model_get_config(p.model)->axes, window = ttt_model_get_config(p.model)->window;
    const json_t *sequences = json_object_get(p.golden, "sequences");
    assert_int_equal(json_array_size(sequences), 2);
    ASSERT_OK(ttt_packing_new(PARITY_ROOM, 2, axes, window, &p.packing, &err));
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

void parity_free(parity *p) {
    for (size_t i = 0; i < 2; i++) ttt_sequence_release(&p->sequences[i]);
    ttt_packing_free(p->packing);
    ttt_safetensors_close(p->tensors);
    json_decref(p->golden);
    ttt_model_free(p->model);
    ttt_backend_free(p->backend);
}

void parity_assert_near(double found, double expected, double tolerance, const char *what) {
    if (!(fabs(found - expected) <= tolerance * (1 + fabs(expected)))) {
        fail_msg("%s: %.9g, PyTorch has %.9g", what, found, expected);
    }
}

/* `mode`: "full", "muon" (full too), or "lora". */
static ttt_session *session_of(const parity *p, const char *mode) {
    ttt_session_options options = fixture_full(PARITY_ROOM);
    if (strcmp(mode, "muon") == 0) options.muon = (float)parity_number(p->golden, "muon_momentum");
    if (strcmp(mode, "lora") == 0) {
        options = fixture_lora(PARITY_ROOM, 0);
        options.rank = (int32_t)parity_number(p->golden, "rank");
        options.alpha = (float)parity_number(p->golden, "alpha");
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

static void assert_gradients(const parity *p, const ttt_session *session, const char *mode, double tolerance) {
    ttt_error err;
    for (size_t i = 0; i < session->parameter_count; i++) {
        const ttt_parameter *parameter = &session->parameters[i];
        const size_t count = parameter->rows * parameter->columns;
        char name[96];
        snprintf(name, sizeof name, "%s.%s.gradient", mode, parameter->name);
        const ttt_safetensor *tensor;
        if (parameter->role == TTT_PARAMETER_OWN && parameter->rows > 1 &&
            ttt_safetensors_find(p->tensors, name) == NULL) {
            continue; /* a matrix's, left out to save room; the norm of all gradients has it */
        }
        ASSERT_OK(
            ttt_safetensors_matrix(p->tensors, "golden", name, parameter->rows, parameter->columns, &tensor, &err));
        float *found = ttt_allocate(count, sizeof *found), *expected = ttt_allocate(count, sizeof *expected);
        ttt_safetensor_read(tensor, expected);
        ASSERT_OK(session->ops->weight_read(parameter->weight, TTT_GRADIENT, found, &err));
        double largest = 0;
        for (size_t j = 0; j < count; j++) largest = fmax(largest, fabs((double)expected[j]));
        assert_true(largest > 0);
        for (size_t j = 0; j < count; j++) {
            if (!(fabs((double)found[j] - (double)expected[j]) <= tolerance * largest)) {
                fail_msg("%s [%zu]: %.9g, PyTorch has %.9g (largest %.3g)", name, j, (double)found[j],
                         (double)expected[j], largest);
            }
        }
        ttt_free(found);
        ttt_free(expected);
    }
}

static void assert_training(const parity *p, ttt_session *session, const char *mode, parity_bounds bounds) {
    ttt_error err;
    const json_t *expected = json_object_get(p->golden, mode), *losses = json_object_get(expected, "losses"),
                 *step_losses = json_object_get(expected, "step_losses"),
                 *norms = json_object_get(expected, "step_norms"), *adamw = json_object_get(p->golden, "adamw");
    const ttt_adamw settings = {.learning_rate = (float)parity_number(adamw, "learning_rate"),
                                .beta1 = (float)parity_number(adamw, "beta1"),
                                .beta2 = (float)parity_number(adamw, "beta2"),
                                .epsilon = (float)parity_number(adamw, "epsilon"),
                                .weight_decay = (float)parity_number(adamw, "weight_decay")};
    const size_t counted = json_array_size(losses);
    assert_int_equal(json_array_size(step_losses), 10);
    for (size_t step = 0; step < json_array_size(step_losses); step++) {
        float loss[PARITY_ROOM];
        double mean = 0, norm;
        ASSERT_OK(ttt_session_train(session, p->packing, loss, &err));
        for (size_t i = 0; i < counted; i++) {
            if (step == 0) {
                parity_assert_near((double)loss[i], json_number_value(json_array_get(losses, i)), bounds.loss,
                                   "a loss");
            }
            mean += (double)loss[i] / (double)counted;
        }
        if (step == 0 && bounds.gradient > 0) {
            assert_gradients(p, session, strcmp(mode, "muon") == 0 ? "full" : mode, bounds.gradient);
        }
        ASSERT_OK(ttt_session_step(session, settings, parity_number(adamw, "clip"), &norm, &err));
        parity_assert_near(mean, json_number_value(json_array_get(step_losses, step)), bounds.step,
                           "the loss of a step");
        if (bounds.norm == 0) continue;
        parity_assert_near(norm, json_number_value(json_array_get(norms, step)), bounds.norm, "the norm of a step");
    }
}

void parity_check_training(const parity *p, parity_bounds bounds) {
    static const char *const MODES[] = {"full", "muon", "lora"};
    for (size_t i = 0; i < sizeof MODES / sizeof *MODES; i++) {
        if (strcmp(MODES[i], "muon") == 0 && json_object_get(p->golden, "muon_momentum") == NULL) continue;
        ttt_session *session = session_of(p, MODES[i]);
        if (strcmp(MODES[i], "lora") == 0) load_adapter(p, session);
        assert_training(p, session, MODES[i], bounds);
        ttt_session_free(session);
    }
}

void parity_row(const ttt_session *session, const ttt_buffer *final, int32_t row, float *log_probabilities) {
    ttt_error err;
    ASSERT_OK(session->ops->next_log_probabilities(session->activations->workspace, &session->network.output, final, 1,
                                                   &row, NULL, log_probabilities, &err));
}
