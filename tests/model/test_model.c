/* Models and their folders: configurations, random starts, saving, loading, what loading refuses. */
#include "support.h"

#include "model/fixture.h"

#include "base/file.h"
#include "base/memory.h"
#include "model/safetensors.h"
#include "model/session_inside.h"

#include <math.h>

enum { ROOM = 128 };

typedef struct setup {
    ttt_backend *backend;
    ttt_model *model;
    ttt_sequence sequence;
    ttt_packing *packing;
    support_path folder;
} setup;

static void setup_start(setup *s, bool tied) {
    s->backend = fixture_backend();
    const ttt_model_config config = fixture_config(tied);
    s->model = fixture_model(s->backend, &config);
    s->sequence = fixture_sequence(1, 75, 3, 20);
    s->packing = fixture_packing(&s->sequence, 1, ROOM);
    s->folder = support_temporary_folder();
}

static void setup_end(setup *s) {
    support_remove_folder(s->folder.text);
    ttt_packing_free(s->packing);
    ttt_sequence_release(&s->sequence);
    ttt_model_free(s->model);
    ttt_backend_free(s->backend);
}

/* ---------------------------------------------------------------------------------------------- configurations */

static void config__comes_back_as_it_was_written(void **state) {
    (void)state;
    ttt_error err;
    support_path folder = support_temporary_folder(), path = support_join(folder.text, "config.json");
    for (int axes = 1; axes <= 3; axes += 2) {
        ttt_model_config config = fixture_config(axes == 3), back, copy;
        config.axes = axes;
        if (axes == 1) config.rope[0] = (ttt_rope_axis){.pairs = 4, .theta = 12345.5};
        config.encoding = json_pack("{s:s}", "vocabulary", "grid-1");
        ASSERT_OK(ttt_model_config_write(path.text, &config, &err));
        ASSERT_OK(ttt_model_config_read(path.text, &back, &err));
        ASSERT_OK(ttt_model_config_copy(&copy, &back, &err));
        assert_true(json_equal(config.encoding, copy.encoding));
        assert_true(back.layers == config.layers && back.width == config.width && back.heads == config.heads);
        assert_true(back.kv_heads == config.kv_heads && back.head_dim == config.head_dim);
        assert_true(back.hidden == config.hidden && back.vocabulary == config.vocabulary);
        assert_true(back.context == config.context && back.tied == config.tied);
        assert_true(back.norm_epsilon == config.norm_epsilon && back.axes == config.axes);
        for (int a = 0; a < axes; a++) {
            assert_true(back.rope[a].pairs == config.rope[a].pairs && back.rope[a].theta == config.rope[a].theta);
        }
        ttt_model_config_release(&config);
        ttt_model_config_release(&back);
        ttt_model_config_release(&copy);
    }
    support_remove_folder(folder.text);
}

/* What a family adds, in all its forms, comes back. */
static void config__of_every_family_comes_back_as_it_was_written(void **state) {
    (void)state;
    ttt_error err;
    support_path folder = support_temporary_folder(), path = support_join(folder.text, "config.json");
    for (int i = 0; i < 2 * TTT_ARCHITECTURE_COUNT; i++) {
        const char *name = ttt_architecture_name((ttt_architecture)(i / 2));
        ttt_model_config config = fixture_config(true), back;
        config.axes = 1;
        config.rope[0] = (ttt_rope_axis){.pairs = 4, .theta = 5e5};
        ASSERT_OK(ttt_model_config_set_architecture(&config, "test", "family", name, &err));
        if (i % 2 == 1) {
            config.scaling = (ttt_rope_scaling){8, 1.5, 4, 8192};
            config.window = config.architecture == TTT_ARCHITECTURE_LLAMA ? 0 : 77;
        }
        ASSERT_OK(ttt_model_config_write(path.text, &config, &err));
        ASSERT_OK(ttt_model_config_read(path.text, &back, &err));
        assert_true(back.architecture == config.architecture && back.window == config.window);
        assert_true(back.qkv_bias == config.qkv_bias && back.qk_norm == config.qk_norm);
        assert_true(back.rope[0].theta == config.rope[0].theta);
        assert_memory_equal(&back.scaling, &config.scaling, sizeof config.scaling);
        ttt_model_config_release(&back);
    }
    support_remove_folder(folder.text);
}

/* What cannot be written is refused before it is. */
static void config__options_of_another_family_are_refused(void **state) {
    (void)state;
    ttt_error err;
    ttt_model_config config = fixture_config(true);
    config.qkv_bias = true;
    ASSERT_FAILS(ttt_model_config_check(&config, "test", &err), TTT_ERROR_FORMAT, "\"llama\" has no bias");
    config = fixture_config(true);
    config.architecture = TTT_ARCHITECTURE_QWEN3;
    ASSERT_FAILS(ttt_model_config_check(&config, "test", &err), TTT_ERROR_FORMAT, "a norm of q and k");
    config = fixture_config(true);
    config.window = 5;
    ASSERT_FAILS(ttt_model_config_check(&config, "test", &err), TTT_ERROR_FORMAT, "\"sliding_window\" is 5");
}

/* The keys of files as they lie on the hub, in both layouts of rotary positions. */
static void config__is_read_in_the_layouts_of_transformers_4_and_5(void **state) {
    (void)state;
#define SIZES                                                                                                          \
    "\"num_hidden_layers\": 2, \"hidden_size\": 32, \"num_attention_heads\": 4, \"vocab_size\": 9,"                    \
    "\"intermediate_size\": 40, \"max_position_embeddings\": 131072, \"num_key_value_heads\": 2"
#define SCALING                                                                                                        \
    "\"factor\": 32.0, \"high_freq_factor\": 4.0, \"low_freq_factor\": 1.0, \"original_max_position_embeddings\": "    \
    "8192"
    static const struct {
        const char *text;
        ttt_architecture architecture;
        double theta, factor;
        int32_t window;
    } files[] = {
        {"{\"architectures\": [\"LlamaForCausalLM\"], \"model_type\": \"llama\", \"attention_bias\": false, " SIZES
         ", \"rope_theta\": 500000.0, \"rope_scaling\": {\"rope_type\": \"llama3\", " SCALING "}}",
         TTT_ARCHITECTURE_LLAMA, 500000, 32, 0},
        {"{\"architectures\": [\"LlamaForCausalLM\"], " SIZES ", \"rope_parameters\": {\"rope_theta\": 500000.0,"
         "\"rope_type\": \"llama3\", " SCALING "}}",
         TTT_ARCHITECTURE_LLAMA, 500000, 32, 0},
        {"{\"model_type\": \"llama\", " SIZES ", \"rope_theta\": 7.0, \"rope_scaling\": {\"type\": \"default\","
         "\"rope_theta\": 9.0}}",
         TTT_ARCHITECTURE_LLAMA, 9, 0, 0},
        {"{\"architectures\": [\"MistralForCausalLM\"], \"sliding_window\": 512, " SIZES "}", TTT_ARCHITECTURE_MISTRAL,
         10000, 0, 512},
        {"{\"model_type\": \"mistral\", \"sliding_window\": null, " SIZES "}", TTT_ARCHITECTURE_MISTRAL, 10000, 0, 0},
        {"{\"model_type\": \"mistral\", " SIZES "}", TTT_ARCHITECTURE_MISTRAL, 10000, 0, 4096},
        {"{\"architectures\": [\"Qwen2ForCausalLM\"], \"model_type\": \"qwen2\", \"sliding_window\": 32768,"
         "\"use_sliding_window\": false, \"max_window_layers\": 1, \"rope_theta\": 1000000.0, " SIZES "}",
         TTT_ARCHITECTURE_QWEN2, 1e6, 0, 0},
        {"{\"model_type\": \"qwen2\", \"sliding_window\": 64, \"use_sliding_window\": true, \"max_window_layers\": 2,"
         "\"attention_bias\": true, " SIZES "}",
         TTT_ARCHITECTURE_QWEN2, 10000, 0, 0},
        {"{\"model_type\": \"qwen2\", \"sliding_window\": 64, \"use_sliding_window\": true, \"max_window_layers\": 0,"
         "" SIZES "}",
         TTT_ARCHITECTURE_QWEN2, 10000, 0, 64},
        {"{\"model_type\": \"qwen3\", \"sliding_window\": 64, \"use_sliding_window\": true, \"max_window_layers\": 1,"
         "\"layer_types\": [\"sliding_attention\", \"sliding_attention\"], " SIZES "}",
         TTT_ARCHITECTURE_QWEN3, 10000, 0, 64},
    };
#undef SIZES
#undef SCALING
    ttt_error err;
    support_path folder = support_temporary_folder(), path = support_join(folder.text, "config.json");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        ttt_model_config config;
        support_write(path.text, files[i].text);
        ASSERT_OK(ttt_model_config_read(path.text, &config, &err));
        assert_int_equal(config.architecture, files[i].architecture);
        assert_true(config.qkv_bias == (files[i].architecture == TTT_ARCHITECTURE_QWEN2));
        assert_true(config.qk_norm == (files[i].architecture == TTT_ARCHITECTURE_QWEN3));
        assert_true(config.rope[0].theta == files[i].theta && config.scaling.factor == files[i].factor);
        assert_int_equal(config.window, files[i].window);
        if (files[i].factor > 0) {
            assert_true(config.scaling.low_frequency_factor == 1 && config.scaling.high_frequency_factor == 4);
            assert_int_equal(config.scaling.original_context, 8192);
        }
        ttt_model_config_release(&config);
    }
    support_remove_folder(folder.text);
}

static void config__missing_keys_have_llama_s_defaults(void **state) {
    (void)state;
    ttt_error err;
    ttt_model_config config;
    support_path folder = support_temporary_folder(), path = support_join(folder.text, "config.json");
    support_write(path.text,
                  "{\"num_hidden_layers\": 3, \"hidden_size\": 32, \"num_attention_heads\": 4, \"vocab_size\": 9,"
                  "\"intermediate_size\": 40, \"max_position_embeddings\": 64, \"rope_scaling\": null}");
    ASSERT_OK(ttt_model_config_read(path.text, &config, &err));
    assert_true(config.kv_heads == 4 && config.head_dim == 8 && !config.tied && config.norm_epsilon == 1e-6);
    assert_true(config.axes == 1 && config.rope[0].pairs == 4 && config.rope[0].theta == 10000);
    ttt_model_config_release(&config);
    support_remove_folder(folder.text);
}

static void config__frequencies_of_each_axis_start_at_one(void **state) {
    (void)state;
    const ttt_model_config config = fixture_config(true);
    const ttt_shape shape = ttt_model_config_shape(&config);
    const uint8_t axis[] = {0, 0, 1, 2};
    const double frequency[] = {1, 0.1, 1, 1}; /* 100^(-1/2) */
    for (int i = 0; i < 4; i++) {
        assert_int_equal(shape.axis[i], axis[i]);
        assert_true(fabs((double)shape.frequency[i] - frequency[i]) < 1e-7);
    }
}

static void config__counts_parameters_and_operations(void **state) {
    (void)state;
    const ttt_model_config tied = fixture_config(true), untied = fixture_config(false);
    /* q and o 24x32, k and v 24x16, three of 24x40: 5184 numbers; gains 48. */
    assert_int_equal(ttt_model_config_parameters(&tied), 2 * (5184 + 48) + 24 + 19 * 24);
    assert_int_equal(ttt_model_config_parameters(&untied), 2 * (5184 + 48) + 24 + 2 * 19 * 24);
    /* Ten tokens that see 55 keys, three with loss: products, two of attention over four heads of 8, the output. */
    const double forward = 2 * (2 * 10 * 5184 + 2 * 2 * 4 * 8 * 55) + 2 * 3 * 24 * 19;
    assert_true(ttt_model_config_forward_operations(&tied, 10, 55, 3) == forward);
    assert_true(ttt_model_config_training_operations(&tied, 10, 55, 3) == 3 * forward);
}

/* ---------------------------------------------------------------------------------------------- sequences */

static void packing__lays_sequences_side_by_side(void **state) {
    (void)state;
    ttt_sequence sequences[3] = {fixture_sequence(1, 70, 2, 9), fixture_sequence(2, 64, 0, 0),
                                 fixture_sequence(3, 1, 0, 0)};
    ttt_error err;
    ttt_packing *packing;
    ASSERT_OK(ttt_packing_new(140, 3, FIXTURE_AXES, 0, &packing, &err));
    for (int round = 0; round < 2; round++) { /* the second time after a clear */
        ttt_packing_clear(packing);
        ttt_packing_add(packing, &sequences[0], 0, 0.5f);
        ttt_packing_add(packing, &sequences[1], 0, 2);
        assert_false(ttt_packing_fits(packing, &sequences[1]));
        ttt_packing_add(packing, &sequences[2], -1, 3);
        assert_false(ttt_packing_fits(packing, &sequences[2])); /* no fourth sequence */
        const ttt_batch *batch = ttt_packing_batch(packing);
        assert_int_equal(batch->tokens, 135);
        assert_int_equal(batch->sequences, 3);
        const int32_t page_first[] = {0, 2, 3, 4};
        assert_memory_equal(batch->page_first, page_first, sizeof page_first);
        for (int32_t i = 0; i < 4; i++) assert_int_equal(batch->pages[i], i);
        assert_int_equal(batch->segments, 2);
        assert_true(batch->segment_end[0] == 134 && batch->segment_adapter[0] == 0);
        assert_true(batch->segment_end[1] == 135 && batch->segment_adapter[1] == -1);
        const int32_t *rows, *targets;
        float *scales;
        const int32_t counted = ttt_packing_counted(packing, &rows, &targets, &scales);
        int32_t row = 0, seen = 0;
        for (int32_t s = 0; s < 3; s++) {
            for (int32_t t = 0; t < sequences[s].length; t++, row++) {
                assert_true(batch->sequence[row] == s && batch->index[row] == t && batch->kv_low[row] == 0);
                assert_int_equal(batch->ids[row], sequences[s].ids[t]);
                assert_int_equal(batch->kv_high[row], sequences[s].kv_high[t]);
                if (sequences[s].targets[t] < 0) continue;
                assert_true(rows[seen] == row && targets[seen] == sequences[s].targets[t]);
                assert_true(scales[seen] == (s == 0 ? 0.5f : s == 1 ? 2.0f : 3.0f));
                seen++;
            }
        }
        assert_int_equal(seen, counted);
    }
    assert_true(ttt_sequence_keys(&sequences[1], 0) == 64 * 65 / 2.0);
    ttt_packing_free(packing);
    for (int i = 0; i < 3; i++) ttt_sequence_release(&sequences[i]);
}

/* ---------------------------------------------------------------------------------------------- starts */

static void random_start__has_the_deviations_it_should_and_follows_its_seed(void **state) {
    (void)state;
    ttt_error err;
    ttt_backend *backend = fixture_ref();
    ttt_model_config config = fixture_config(true);
    config.layers = 8;
    ttt_model *models[3];
    const ttt_session_options options = fixture_full(1);
    float *values[3];
    size_t count = 0;
    for (uint64_t i = 0; i < 3; i++) {
        ASSERT_OK(ttt_model_new_random(&config, i / 2, backend, &models[i], &err));
        ttt_session *session = fixture_session(models[i], &options);
        values[i] = fixture_parameters(session, TTT_VALUE, &count);
        const float *value = values[i];
        for (size_t p = 0; p < session->parameter_count; p++) {
            const ttt_parameter *parameter = &session->parameters[p];
            const size_t size = parameter->rows * parameter->columns;
            double sum = 0, squares = 0;
            for (size_t j = 0; j < size; j++) sum += (double)value[j], squares += (double)value[j] * (double)value[j];
            const bool projection = strstr(parameter->name, ".o") != NULL || strstr(parameter->name, ".down") != NULL;
            const double expected = parameter->rows == 1 ? 1 : projection ? 0.02 / 4 : 0.02;
            assert_true(fabs(sqrt(squares / (double)size) / expected - 1) < 0.15);
            assert_true(fabs(sum / (double)size - (parameter->rows == 1)) < 0.2 * expected);
            value += size;
        }
        ttt_session_free(session);
    }
    assert_memory_equal(values[0], values[1], count * sizeof(float));
    assert_memory_not_equal(values[0], values[2], count * sizeof(float));
    for (int i = 0; i < 3; i++) {
        ttt_free(values[i]);
        ttt_model_free(models[i]);
    }
    ttt_backend_free(backend);
}

/* ---------------------------------------------------------------------------------------------- folders */

static void losses(ttt_session *session, const ttt_packing *packing, float loss[ROOM]) {
    ttt_error err;
    memset(loss, 0, ROOM * sizeof *loss);
    ASSERT_OK(ttt_session_loss(session, packing, loss, &err));
}

static void losses_of_folder(const setup *s, const char *folder, float loss[ROOM]) {
    ttt_error err;
    ttt_model *model;
    ASSERT_OK(ttt_model_load(folder, s->backend, &model, &err));
    const ttt_session_options options = fixture_inference(ROOM);
    ttt_session *session = fixture_session(model, &options);
    losses(session, s->packing, loss);
    ttt_session_free(session);
    ttt_model_free(model);
}

static void saved_model__loads_as_the_same(void **state) {
    (void)state;
    for (int tied = 0; tied < 2; tied++) {
        setup s;
        setup_start(&s, tied != 0);
        ttt_error err;
        float before[ROOM], after[ROOM];
        const ttt_session_options options = fixture_inference(ROOM), full = fixture_full(ROOM);
        ttt_session *frozen = fixture_session(s.model, &options), *own = fixture_session(s.model, &full);
        losses(frozen, s.packing, before);
        const ttt_session *const sessions[] = {frozen, own};
        for (int i = 0; i < 4; i++) {
            ASSERT_OK(ttt_session_save_model(sessions[i / 2], s.folder.text, i % 2 == 0 ? TTT_F32 : TTT_BF16, &err));
            losses_of_folder(&s, s.folder.text, after);
            assert_memory_equal(before, after, sizeof before); /* the fixture's weights are bf16 numbers */
        }
        ttt_session_free(frozen);
        ttt_session_free(own);
        setup_end(&s);
    }
}

/* On the oracle: folding is exact but for float32 rounding, where a bf16 backend would round the sum. */
static void saved_model__has_the_adapter_folded_in(void **state) {
    (void)state;
    ttt_backend *ref = fixture_ref();
    const ttt_model_config config = fixture_config(true);
    setup s = {.backend = ref, .model = fixture_model(ref, &config)};
    s.sequence = fixture_sequence(1, 75, 3, 20);
    s.packing = fixture_packing(&s.sequence, 1, ROOM);
    s.folder = support_temporary_folder();
    const uint32_t all = (1u << TTT_LINEAR_COUNT) - 1,
                   targets[] = {all, 1u << TTT_LINEAR_DOWN, 1u << TTT_LINEAR_OUTPUT, 1u << TTT_LINEAR_EMBEDDING};
    const ttt_adamw adamw = {.learning_rate = 0.05f, .beta1 = 0.9f, .beta2 = 0.99f, .epsilon = 1e-8f};
    for (size_t i = 0; i < 4; i++) {
        ttt_error err;
        float bare[ROOM], adapted[ROOM], folded[ROOM];
        double norm;
        const ttt_session_options options = fixture_lora(ROOM, targets[i]);
        ttt_session *session = fixture_session(s.model, &options);
        losses(session, s.packing, bare);
        for (int step = 0; step < 3; step++) {
            ASSERT_OK(ttt_session_train(session, s.packing, adapted, &err));
            ASSERT_OK(ttt_session_step(session, adamw, 1, &norm, &err));
        }
        losses(session, s.packing, adapted);
        ASSERT_OK(ttt_session_save_model(session, s.folder.text, TTT_F32, &err));
        losses_of_folder(&s, s.folder.text, folded);
        double change = 0, error = 0;
        for (int t = 0; t < ROOM; t++) {
            change = fmax(change, fabs((double)(adapted[t] - bare[t])));
            error = fmax(error, fabs((double)(adapted[t] - folded[t])));
        }
        assert_true(change > 0.1 && error < 1e-4);
        ttt_session_free(session);
    }
    setup_end(&s);
}

/* ---------------------------------------------------------------------------------------------- what is refused */

/* A model folder whose weights are `count` tensors of the model's, under names and shapes that `change` may alter. */
typedef void changing(ttt_tensor *tensor);

static void write_folder(const setup *s, const char *weights_name, size_t first, size_t end, changing *change) {
    ttt_error err;
    const ttt_model_config *config = ttt_model_get_config(s->model);
    support_path weights = support_join(s->folder.text, weights_name),
                 description = support_join(s->folder.text, "config.json");
    ttt_safetensors_writer *writer;
    size_t numbers = 0;
    ASSERT_OK(ttt_model_config_write(description.text, config, &err));
    ASSERT_OK(ttt_safetensors_writer_new(&writer, &err));
    for (size_t i = first; i < end && i < ttt_tensor_count(config); i++) {
        ttt_tensor tensor = ttt_tensor_get(config, i);
        if (change != NULL) change(&tensor);
        ASSERT_OK(ttt_safetensors_writer_declare(writer, tensor.file_name, TTT_BF16, tensor.rows, tensor.columns, false,
                                                 &err));
        numbers += tensor.rows * tensor.columns;
    }
    ASSERT_OK(ttt_safetensors_writer_begin(writer, weights.text, NULL, &err));
    for (const float zero = 0; numbers > 0; numbers--) {
        ASSERT_OK(ttt_safetensors_writer_append_numbers(writer, TTT_BF16, &zero, 1, &err));
    }
    ASSERT_OK(ttt_safetensors_writer_finish(writer, &err));
    ttt_safetensors_writer_free(writer);
}

static void rename_k(ttt_tensor *tensor) {
    if (strcmp(tensor->name, "layers.1.k") == 0) strcpy(tensor->file_name, "model.layers.1.self_attn.k_proj.bias");
}

static void grow_up(ttt_tensor *tensor) {
    if (strcmp(tensor->name, "layers.0.up") == 0) tensor->rows++;
}

static void add_nothing(ttt_tensor *tensor) {
    if (strcmp(tensor->name, "norm") == 0) strcpy(tensor->file_name, "model.layers.2.input_layernorm.weight");
}

static void load__refuses_missing_foreign_and_misshapen_tensors(void **state) {
    (void)state;
    setup s;
    setup_start(&s, true);
    ttt_error err;
    ttt_model *model;
    const char *const folder = s.folder.text;
    write_folder(&s, "model.safetensors", 0, SIZE_MAX, NULL);
    ASSERT_OK(ttt_model_load(folder, s.backend, &model, &err));
    ttt_model_free(model);
    write_folder(&s, "model.safetensors", 0, 5, NULL);
    ASSERT_FAILS(ttt_model_load(folder, s.backend, &model, &err), TTT_ERROR_FORMAT,
                 "layers.0.self_attn.o_proj.weight\" is missing");
    assert_null(model);
    write_folder(&s, "model.safetensors", 0, SIZE_MAX, rename_k);
    ASSERT_FAILS(ttt_model_load(folder, s.backend, &model, &err), TTT_ERROR_FORMAT, "k_proj.weight\" is missing");
    write_folder(&s, "model.safetensors", 0, SIZE_MAX, grow_up);
    ASSERT_FAILS(ttt_model_load(folder, s.backend, &model, &err), TTT_ERROR_FORMAT, "[41, 24], expected [40, 24]");
    write_folder(&s, "model.safetensors", 0, SIZE_MAX, add_nothing);
    ASSERT_FAILS(ttt_model_load(folder, s.backend, &model, &err), TTT_ERROR_FORMAT, "model.norm.weight\" is missing");
    setup_end(&s);
}

static void load__refuses_a_tensor_that_the_config_does_not_imply(void **state) {
    (void)state;
    setup s;
    setup_start(&s, false);
    ttt_error err;
    ttt_model *model;
    write_folder(&s, "model.safetensors", 0, SIZE_MAX, NULL);
    support_path description = support_join(s.folder.text, "config.json");
    ttt_model_config config = fixture_config(true); /* tied: the output is a copy, and ignored */
    ASSERT_OK(ttt_model_config_write(description.text, &config, &err));
    ASSERT_OK(ttt_model_load(s.folder.text, s.backend, &model, &err));
    ttt_model_free(model);
    config.layers = 1;
    ASSERT_OK(ttt_model_config_write(description.text, &config, &err));
    ASSERT_FAILS(ttt_model_load(s.folder.text, s.backend, &model, &err), TTT_ERROR_UNSUPPORTED,
                 "\"model.layers.1.input_layernorm.weight\" is none of");
    setup_end(&s);
}

static void load__refuses_what_is_no_model_folder(void **state) {
    (void)state;
    setup s;
    setup_start(&s, true);
    ttt_error err;
    ttt_model *model;
    support_path nothing = support_join(s.folder.text, "nothing"),
                 description = support_join(s.folder.text, "config.json");
    ASSERT_FAILS(ttt_model_load(nothing.text, s.backend, &model, &err), TTT_ERROR_IO, "no such folder or file");
    ASSERT_FAILS(ttt_model_load(s.folder.text, s.backend, &model, &err), TTT_ERROR_IO, "config.json");
    ASSERT_OK(ttt_model_config_write(description.text, ttt_model_get_config(s.model), &err));
    ASSERT_FAILS(ttt_model_load(s.folder.text, s.backend, &model, &err), TTT_ERROR_IO, "model.safetensors");
    setup_end(&s);
}

static void shards__are_found_through_their_index(void **state) {
    (void)state;
    setup s;
    setup_start(&s, true);
    ttt_error err;
    ttt_model *model;
    const ttt_model_config *config = ttt_model_get_config(s.model);
    support_path path = support_join(s.folder.text, "model.safetensors.index.json"),
                 second = support_join(s.folder.text, "b.safetensors");
    write_folder(&s, "a.safetensors", 0, 7, NULL);
    write_folder(&s, "b.safetensors", 7, SIZE_MAX, NULL);
    json_t *map = json_object(), *root = json_pack("{s:O}", "weight_map", map);
    for (size_t i = 0; i < ttt_tensor_count(config); i++) {
        const ttt_tensor tensor = ttt_tensor_get(config, i);
        json_object_set_new(map, tensor.file_name, json_string(i < 7 ? "a.safetensors" : "b.safetensors"));
    }
    ASSERT_OK(ttt_json_write(path.text, root, 0, &err));
    ASSERT_OK(ttt_model_load(s.folder.text, s.backend, &model, &err));
    ttt_model_free(model);

    json_object_set_new(map, "model.norm.weight", json_string("a.safetensors"));
    ASSERT_OK(ttt_json_write(path.text, root, 0, &err));
    ASSERT_FAILS(ttt_model_load(s.folder.text, s.backend, &model, &err), TTT_ERROR_FORMAT,
                 "\"model.norm.weight\" is not in 'a.safetensors'");
    json_object_set_new(map, "model.norm.weight", json_string("../b.safetensors"));
    ASSERT_OK(ttt_json_write(path.text, root, 0, &err));
    ASSERT_FAILS(ttt_model_load(s.folder.text, s.backend, &model, &err), TTT_ERROR_FORMAT,
                 "not a name in the same folder");
    json_object_set_new(map, "model.norm.weight", json_string("b.safetensors"));
    ASSERT_OK(ttt_json_write(path.text, root, 0, &err));
    write_folder(&s, "b.safetensors", 6, SIZE_MAX, NULL);
    ASSERT_FAILS(ttt_model_load(s.folder.text, s.backend, &model, &err), TTT_ERROR_FORMAT, "is also in");
    assert_int_equal(unlink(second.text), 0);
    ASSERT_FAILS(ttt_model_load(s.folder.text, s.backend, &model, &err), TTT_ERROR_IO, "b.safetensors");
    json_decref(map);
    json_decref(root);
    setup_end(&s);
}

static void folder_that_cannot_be_written__is_an_error(void **state) {
    (void)state;
    setup s;
    setup_start(&s, true);
    ttt_error err;
    const ttt_session_options options = fixture_inference(ROOM);
    ttt_session *session = fixture_session(s.model, &options);
    support_path file = support_join(s.folder.text, "file"), below = support_join(file.text, "model");
    support_write(file.text, "x");
    ASSERT_FAILS(ttt_session_save_model(session, below.text, TTT_BF16, &err), TTT_ERROR_IO, "file");
    ASSERT_FAILS(ttt_session_save_state(session, below.text, NULL, &err), TTT_ERROR_IO, "file");
    ttt_session_free(session);
    setup_end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config__comes_back_as_it_was_written),
        cmocka_unit_test(config__of_every_family_comes_back_as_it_was_written),
        cmocka_unit_test(config__options_of_another_family_are_refused),
        cmocka_unit_test(config__is_read_in_the_layouts_of_transformers_4_and_5),
        cmocka_unit_test(config__missing_keys_have_llama_s_defaults),
        cmocka_unit_test(config__frequencies_of_each_axis_start_at_one),
        cmocka_unit_test(config__counts_parameters_and_operations),
        cmocka_unit_test(packing__lays_sequences_side_by_side),
        cmocka_unit_test(random_start__has_the_deviations_it_should_and_follows_its_seed),
        cmocka_unit_test(saved_model__loads_as_the_same),
        cmocka_unit_test(saved_model__has_the_adapter_folded_in),
        cmocka_unit_test(load__refuses_missing_foreign_and_misshapen_tensors),
        cmocka_unit_test(load__refuses_a_tensor_that_the_config_does_not_imply),
        cmocka_unit_test(load__refuses_what_is_no_model_folder),
        cmocka_unit_test(shards__are_found_through_their_index),
        cmocka_unit_test(folder_that_cannot_be_written__is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
