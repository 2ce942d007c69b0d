/* Adapter folders: those of PEFT (scripts/parity/make_adapter_golden.py made tests/model/golden/adapter), our own there
 * and back, and folding into the base. */
#include "support.h"

#include "model/adapters.h"

#include "base/file.h"
#include "base/memory.h"
#include "model/adapter.h"
#include "model/safetensors.h"
#include "model/session_inside.h"

#include <math.h>

/* ---------------------------------------------------------------------------------------------- PEFT's adapters */

static ttt_sequence plain_sequence(const json_t *ids) {
    ttt_error err;
    ttt_sequence sequence = {0};
    ASSERT_OK(ttt_sequence_reserve(&sequence, (int32_t)json_array_size(ids), 1, &err));
    for (int32_t t = 0; t < (int32_t)json_array_size(ids); t++) {
        ttt_sequence_append(&sequence, (int32_t)json_integer_value(json_array_get(ids, (size_t)t)), &t);
        if (t > 0) sequence.targets[t - 1] = sequence.ids[t];
    }
    return sequence;
}

/* Log-probabilities [length, V] of a sequence on one axis; ttt_free. */
static float *log_probabilities(ttt_session *session, const ttt_sequence *sequence) {
    ttt_error err;
    ttt_packing *packing;
    ttt_buffer *final;
    const size_t vocabulary = (size_t)ttt_model_get_config(ttt_session_get_model(session))->vocabulary;
    float *found = ttt_allocate((size_t)sequence->length * vocabulary, sizeof *found);
    ASSERT_OK(ttt_packing_new(ADAPTERS_ROOM, 1, 1, 0, &packing, &err));
    ttt_packing_add(packing, sequence, 0, 1);
    ASSERT_OK(ttt_forward(&session->network, session->activations, ttt_packing_batch(packing), NULL, &final, &err));
    for (int32_t t = 0; t < sequence->length; t++) {
        ASSERT_OK(session->ops->next_log_probabilities(session->activations->workspace, &session->network.output, final,
                                                       1, &t, NULL, found + (size_t)t * vocabulary, &err));
    }
    ttt_packing_free(packing);
    return found;
}

/* Float32 against float32 in another order of sums, and golden numbers of six decimals. */
static const double TOLERANCE = 2e-5;

static void assert_golden(ttt_session *session, const json_t *golden, const char *name) {
    ttt_sequence sequence = plain_sequence(json_object_get(golden, "ids"));
    float *found = log_probabilities(session, &sequence);
    size_t t, v, count = 0;
    const json_t *row, *value;
    json_array_foreach(json_object_get(golden, "log_probabilities"), t, row) {
        json_array_foreach(row, v, value) {
            const double expected = json_number_value(value), given = (double)found[count++];
            if (!(fabs(given - expected) <= TOLERANCE * (1 + fabs(expected)))) {
                fail_msg("%s: token %zu, id %zu: %.7f, PEFT has %.7f", name, t, v, given, expected);
            }
        }
    }
    assert_true(count == (size_t)sequence.length * ADAPTERS_VOCABULARY);
    ttt_free(found);
    ttt_sequence_release(&sequence);
}

static void peft_s_adapters__give_peft_s_log_probabilities(void **state) {
    (void)state;
    ttt_backend *backend = fixture_ref();
    support_path path = adapters_golden("golden.json"), merged = support_temporary_folder();
    json_t *golden = adapters_json(path.text), *one;
    const char *name;
    assert_int_equal(json_object_size(golden), 4);
    json_object_foreach(golden, name, one) {
        ttt_error err;
        support_path base = adapters_golden(json_string_value(json_object_get(one, "base"))),
                     folder = adapters_golden(name);
        ttt_model *model = adapters_model(base.text, backend);
        ttt_session *session = adapters_session(model, folder.text);
        ASSERT_OK(ttt_session_load_adapter(session, folder.text, &err));
        assert_golden(session, one, name);
        ttt_session_free(session);
        ttt_model_free(model);

        ASSERT_OK(ttt_adapter_merge(base.text, folder.text, merged.text, TTT_F32, &err));
        model = adapters_model(merged.text, backend);
        const ttt_session_options options = fixture_inference(ADAPTERS_ROOM);
        session = fixture_session(model, &options);
        assert_golden(session, one, name);
        ttt_session_free(session);
        ttt_model_free(model);
    }
    json_decref(golden);
    support_remove_folder(merged.text);
    ttt_backend_free(backend);
}

/* ---------------------------------------------------------------------------------------------- our own */

static const ttt_adamw ADAMW = {.learning_rate = 1e-2f, .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f};

static double mean_loss(ttt_session *session, const ttt_packing *packing) {
    ttt_error err;
    float loss[ADAPTERS_ROOM];
    const int32_t *rows, *targets;
    float *scales;
    const int32_t counted = ttt_packing_counted(packing, &rows, &targets, &scales);
    ASSERT_OK(ttt_session_loss(session, packing, loss, &err));
    double sum = 0;
    for (int32_t i = 0; i < counted; i++) sum += (double)loss[i];
    return sum / counted;
}

static void train(ttt_session *session, const ttt_packing *packing, int steps) {
    ttt_error err;
    float loss[ADAPTERS_ROOM];
    double norm;
    for (int i = 0; i < steps; i++) {
        ASSERT_OK(ttt_session_train(session, packing, loss, &err));
        ASSERT_OK(ttt_session_step(session, ADAMW, 1.0, &norm, &err));
    }
}

/* A tied model in a folder, with a session trained on a sequence. */
typedef struct trained {
    support_path folder, base, adapter;
    ttt_backend *backend;
    ttt_model *model;
    ttt_sequence sequence;
    ttt_packing *packing;
    ttt_session *session;
} trained;

static trained trained_new(const ttt_session_options *options) {
    trained s = {.backend = fixture_backend(), .folder = support_temporary_folder()};
    ttt_error err;
    s.base = support_join(s.folder.text, "base");
    s.adapter = support_join(s.folder.text, "deeper/adapter");
    const ttt_model_config config = fixture_config(true);
    s.model = fixture_model(s.backend, &config);
    const ttt_session_options inference = fixture_inference(1);
    ttt_session *bare = fixture_session(s.model, &inference);
    ASSERT_OK(ttt_session_save_model(bare, s.base.text, TTT_BF16, &err)); /* the fixture's numbers are of bf16 */
    ttt_session_free(bare);
    s.sequence = fixture_sequence(1, 70, 3, 20);
    s.packing = fixture_packing(&s.sequence, 1, ADAPTERS_ROOM);
    s.session = fixture_session(s.model, options);
    train(s.session, s.packing, 5);
    return s;
}

static void trained_free(trained *s) {
    ttt_session_free(s->session);
    ttt_packing_free(s->packing);
    ttt_sequence_release(&s->sequence);
    ttt_model_free(s->model);
    ttt_backend_free(s->backend);
    support_remove_folder(s->folder.text);
}

static const uint32_t ALL = (1u << TTT_LINEAR_COUNT) - 1;

static void adapter__comes_back_bit_for_bit_without_optimizer_state(void **state) {
    (void)state;
    const uint32_t some = 1u << TTT_LINEAR_K | 1u << TTT_LINEAR_DOWN | 1u << TTT_LINEAR_EMBEDDING;
    for (int which = 0; which < 2; which++) {
        ttt_session_options options = fixture_lora(ADAPTERS_ROOM, which == 0 ? ALL : some);
        options.rank_stabilized = which == 1;
        trained s = trained_new(&options);
        ttt_error err;
        ASSERT_OK(ttt_session_save_adapter(s.session, s.adapter.text, "some/model", &err));
        ttt_session *back = adapters_session(s.model, s.adapter.text);
        assert_true(back->options.rank == options.rank && back->options.targets == options.targets);
        assert_true(back->adapters[0].scale == s.session->adapters[0].scale);
        train(back, s.packing, 2); /* something to overwrite */
        ASSERT_OK(ttt_session_load_adapter(back, s.adapter.text, &err));
        adapters_assert_same(back, s.session);
        assert_true(mean_loss(back, s.packing) == mean_loss(s.session, s.packing));
        assert_int_equal(ttt_session_steps(back), 0);
        size_t count;
        float *moments = fixture_parameters(back, TTT_MOMENT2, &count);
        for (size_t i = 0; i < count; i++) assert_true(moments[i] == 0);
        ttt_free(moments);
        ttt_session_free(back);
        trained_free(&s);
    }
}

static void scale__is_alpha_over_rank_or_over_its_root(void **state) {
    (void)state;
    ttt_session_options options = fixture_lora(ADAPTERS_ROOM, ALL);
    options.rank = 16, options.alpha = 8;
    assert_true(ttt_session_options_scale(&options) == 0.5f);
    options.rank_stabilized = true;
    assert_true(ttt_session_options_scale(&options) == 2.0f);
}

/* The folder's configuration is what PEFT asks for, whatever order its members have. */
static void configuration__is_peft_s(void **state) {
    (void)state;
    const ttt_session_options options = fixture_lora(ADAPTERS_ROOM, 1u << TTT_LINEAR_Q | 1u << TTT_LINEAR_OUTPUT);
    trained s = trained_new(&options);
    ttt_error err;
    support_path path = support_join(s.adapter.text, "adapter_config.json");
    for (int named = 0; named < 2; named++) {
        ASSERT_OK(ttt_session_save_adapter(s.session, s.adapter.text, named ? "some/model" : NULL, &err));
        json_t *root = adapters_json(path.text);
        json_t *expected =
            json_pack("{s:s, s:s, s:s?, s:i, s:i, s:b, s:[ss], s:s, s:f, s:b, s:n, s:b}", "peft_type", "LORA",
                      "task_type", "CAUSAL_LM", "base_model_name_or_path", named ? "some/model" : NULL, "r", 3,
                      "lora_alpha", 6, "use_rslora", 0, "target_modules", "q_proj", "lm_head", "bias", "none",
                      "lora_dropout", 0.0, "fan_in_fan_out", 0, "modules_to_save", "inference_mode", 1);
        assert_true(expected != NULL && json_equal(root, expected));
        json_decref(expected);
        json_decref(root);
    }
    trained_free(&s);
}

/* PEFT saves the names that "all-linear" stands for, but accepts the word. */
static void targets__are_names_or_ends_of_names_or_all_linear(void **state) {
    (void)state;
    ttt_error err;
    support_path folder = support_temporary_folder(), path = support_join(folder.text, "adapter_config.json");
    const ttt_model_config config = fixture_config(false);
    for (int i = 0; i < 2; i++) {
        json_t *list = i == 0 ? json_string("all-linear") : json_pack("[s, s]", "self_attn.q_proj", "mlp.down_proj");
        json_t *root =
            json_pack("{s:s, s:i, s:f, s:o}", "peft_type", "LORA", "r", 8, "lora_alpha", 2.5, "target_modules", list);
        ASSERT_OK(ttt_json_write(path.text, root, 0, &err));
        json_decref(root);
        ttt_session_options options = {.max_tokens = 7};
        ASSERT_OK(ttt_adapter_options_read(folder.text, &config, &options, &err));
        assert_int_equal(options.targets, i == 0 ? 0x7F : 1u << TTT_LINEAR_Q | 1u << TTT_LINEAR_DOWN);
        assert_true(options.adaptation == TTT_ADAPT_LORA && options.rank == 8 && options.alpha == 2.5f);
        assert_true(!options.rank_stabilized && options.max_tokens == 7);
    }
    support_remove_folder(folder.text);
}

/* ---------------------------------------------------------------------------------------------- merging */

static void assert_same_files(const char *left, const char *right, const char *name) {
    ttt_error err;
    support_path paths[] = {support_join(left, name), support_join(right, name)};
    ttt_file_map maps[2];
    for (int i = 0; i < 2; i++) ASSERT_OK(ttt_file_map_open(&maps[i], paths[i].text, &err));
    assert_int_equal(maps[0].bytes, maps[1].bytes);
    assert_memory_equal(maps[0].data, maps[1].data, maps[0].bytes);
    for (int i = 0; i < 2; i++) ttt_file_map_close(&maps[i]);
}

static void merge__is_what_the_session_saves_as_a_model(void **state) {
    (void)state;
    const ttt_session_options options = fixture_lora(ADAPTERS_ROOM, ALL);
    trained s = trained_new(&options);
    ttt_error err;
    support_path merged = support_join(s.folder.text, "merged"), saved = support_join(s.folder.text, "saved");
    ASSERT_OK(ttt_session_save_adapter(s.session, s.adapter.text, NULL, &err));
    const ttt_dtype dtypes[] = {TTT_F32, TTT_BF16};
    for (int i = 0; i < 2; i++) {
        ASSERT_OK(ttt_adapter_merge(s.base.text, s.adapter.text, merged.text, dtypes[i], &err));
        ASSERT_OK(ttt_session_save_model(s.session, saved.text, dtypes[i], &err));
        assert_same_files(merged.text, saved.text, "model.safetensors");
    }
    trained_free(&s);
}

static void merge__computes_what_base_and_adapter_compute_together(void **state) {
    (void)state;
    for (int which = 0; which < 2; which++) {
        const ttt_session_options options = fixture_lora(ADAPTERS_ROOM, which == 0 ? ALL : 0x7F),
                                  bare = fixture_inference(ADAPTERS_ROOM);
        trained s = trained_new(&options);
        ttt_error err;
        support_path merged = support_join(s.folder.text, "merged");
        ASSERT_OK(ttt_session_save_adapter(s.session, s.adapter.text, NULL, &err));
        ASSERT_OK(ttt_adapter_merge(s.base.text, s.adapter.text, merged.text, TTT_F32, &err));
        ttt_model *model = adapters_model(merged.text, s.backend);
        assert_true(ttt_model_get_config(model)->tied == (which == 1));
        ttt_session *alone = fixture_session(model, &bare), *base = fixture_session(s.model, &bare);
        const double together = mean_loss(s.session, s.packing), found = mean_loss(alone, s.packing),
                     before = mean_loss(base, s.packing);
        /* Where weights are kept in bf16 the sum is rounded once more: 2^-9 of each weight, in a loss of about 3. */
        const double tolerance = s.backend->ops->activation_dtype == TTT_F32 ? 1e-5 : 2e-2;
        assert_true(fabs(before - together) > 10 * tolerance);
        if (!(fabs(found - together) <= tolerance)) fail_msg("%.6f merged, %.6f with adapter", found, together);
        ttt_session_free(alone);
        ttt_session_free(base);
        ttt_model_free(model);
        trained_free(&s);
    }
}

static void merge__carries_other_files_and_unknown_keys_along(void **state) {
    (void)state;
    ttt_error err;
    support_path folder = support_temporary_folder(), base = support_join(folder.text, "base"),
                 merged = support_join(folder.text, "merged"), adapter = adapters_golden("linear"),
                 weights = adapters_golden("untied/model.safetensors"), config = adapters_golden("untied/config.json");
    ASSERT_OK(ttt_folder_make(base.text, &err));
    ttt_file_map map;
    ASSERT_OK(ttt_file_map_open(&map, weights.text, &err));
    weights = support_join(base.text, "model.safetensors");
    ASSERT_OK(ttt_file_write_atomically(weights.text, map.data, map.bytes, &err));
    ttt_file_map_close(&map);
    json_t *root = adapters_json(config.text);
    json_object_set_new(root, "of_others", json_integer(7));
    config = support_join(base.text, "config.json");
    ASSERT_OK(ttt_json_write(config.text, root, 0, &err));
    json_decref(root);
    support_path tokenizer = support_join(base.text, "tokenizer.json"), secret = support_join(base.text, "notes.txt");
    support_write(tokenizer.text, "{\"any\": 1}\n");
    support_write(secret.text, "not ours\n");

    ASSERT_OK(ttt_adapter_merge(base.text, adapter.text, merged.text, TTT_BF16, &err));
    assert_same_files(base.text, merged.text, "tokenizer.json");
    secret = support_join(merged.text, "notes.txt");
    assert_false(ttt_file_exists(secret.text));
    config = support_join(merged.text, "config.json");
    root = adapters_json(config.text);
    assert_int_equal(json_integer_value(json_object_get(root, "of_others")), 7);
    assert_string_equal(json_string_value(json_object_get(root, "dtype")), "bfloat16");
    json_decref(root);
    support_remove_folder(folder.text);
}

/* ---------------------------------------------------------------------------------------------- memory */

static ttt_status save_load_merge(const trained *s, ttt_session *other, const char *peft, const char *merged,
                                  ttt_error *err) {
    ttt_session_options options = {.training = false};
    support_path tied = adapters_golden("tied");
    TTT_TRY(ttt_session_save_adapter(s->session, s->adapter.text, "base", err));
    TTT_TRY(ttt_adapter_options_read(s->adapter.text, ttt_model_get_config(s->model), &options, err));
    TTT_TRY(ttt_session_load_adapter(other, s->adapter.text, err));
    TTT_TRY(ttt_adapter_merge(s->base.text, s->adapter.text, merged, TTT_BF16, err));
    return ttt_adapter_merge(tied.text, peft, merged, TTT_F32, err);
}

static void every_allocation__may_fail(void **state) {
    (void)state;
    const ttt_session_options options = fixture_lora(ADAPTERS_ROOM, ALL);
    trained s = trained_new(&options);
    ttt_session *other = fixture_session(s.model, &options);
    support_path peft = adapters_golden("outer"), merged = support_join(s.folder.text, "merged");
    ttt_status status = TTT_ERROR_MEMORY;
    size_t failures = 0;
    while (failures < 100000) {
        ttt_error err = {0};
        ttt_memory_fail_at(failures + 1);
        status = save_load_merge(&s, other, peft.text, merged.text, &err);
        ttt_memory_fail_at(0);
        if (status == TTT_OK) break;
        if (status != TTT_ERROR_MEMORY || err.message[0] == '\0') {
            fail_msg("allocation %zu: status %s, \"%s\"", failures + 1, ttt_status_name(status), err.message);
        }
        failures++;
    }
    assert_in_range(failures, 100, 99999);
    ttt_session_free(other);
    trained_free(&s);
}

/* ---------------------------------------------------------------------------------------------- for PEFT */

/* Trains an adapter of each golden case's shape on its sequence and saves it, with the log-probabilities that come of
 * it and the merged model: scripts/parity/check_adapter.py sets the folder and compares with PEFT's. */
static void adapters__trained_here_for_peft_to_read(void **state) {
    (void)state;
    const char *wanted = getenv("TTT_ADAPTER_OUT");
    support_path out = support_temporary_folder(), path = adapters_golden("golden.json");
    if (wanted != NULL) snprintf(out.text, sizeof out.text, "%s", wanted);
    ttt_backend *backend = fixture_ref();
    json_t *golden = adapters_json(path.text), *one;
    const char *name;
    json_object_foreach(golden, name, one) {
        ttt_error err;
        support_path base = adapters_golden(json_string_value(json_object_get(one, "base"))),
                     like = adapters_golden(name), folder = support_join(out.text, name),
                     merged = support_join(folder.text, "merged"), numbers = support_join(folder.text, "ours.json");
        ttt_model *model = adapters_model(base.text, backend);
        ttt_session *session = adapters_session(model, like.text);
        ttt_sequence sequence = plain_sequence(json_object_get(one, "ids"));
        ttt_packing *packing;
        ASSERT_OK(ttt_packing_new(ADAPTERS_ROOM, 1, 1, 0, &packing, &err));
        ttt_packing_add(packing, &sequence, 0, 1);
        const double before = mean_loss(session, packing);
        train(session, packing, 20);
        assert_true(mean_loss(session, packing) < 0.8 * before);
        ASSERT_OK(ttt_session_save_adapter(session, folder.text, base.text, &err));
        ASSERT_OK(ttt_adapter_merge(base.text, folder.text, merged.text, TTT_F32, &err));
        float *found = log_probabilities(session, &sequence);
        json_t *list = json_array();
        for (int32_t i = 0; i < sequence.length * ADAPTERS_VOCABULARY; i++)
            json_array_append_new(list, json_real((double)found[i]));
        json_t *root = json_pack("{s:o, s:O}", "log_probabilities", list, "ids", json_object_get(one, "ids"));
        ASSERT_OK(ttt_json_write(numbers.text, root, 0, &err));
        json_decref(root);
        ttt_free(found);
        ttt_packing_free(packing);
        ttt_sequence_release(&sequence);
        ttt_session_free(session);
        ttt_model_free(model);
    }
    json_decref(golden);
    ttt_backend_free(backend);
    if (wanted == NULL) support_remove_folder(out.text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peft_s_adapters__give_peft_s_log_probabilities),
        cmocka_unit_test(adapter__comes_back_bit_for_bit_without_optimizer_state),
        cmocka_unit_test(scale__is_alpha_over_rank_or_over_its_root),
        cmocka_unit_test(configuration__is_peft_s),
        cmocka_unit_test(targets__are_names_or_ends_of_names_or_all_linear),
        cmocka_unit_test(merge__is_what_the_session_saves_as_a_model),
        cmocka_unit_test(merge__computes_what_base_and_adapter_compute_together),
        cmocka_unit_test(merge__carries_other_files_and_unknown_keys_along),
        cmocka_unit_test(every_allocation__may_fail),
        cmocka_unit_test(adapters__trained_here_for_peft_to_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
