/* See fixture.h. */
#include "support.h"

#include "model/fixture.h"

#include "base/memory.h"

ttt_model_config fixture_config(bool tied) {
    return (ttt_model_config){.layers = 2,
                              .width = 24,
                              .heads = 4,
                              .kv_heads = 2,
                              .head_dim = 8,
                              .hidden = 40,
                              .vocabulary = FIXTURE_VOCABULARY,
                              .context = 512,
                              .norm_epsilon = 1e-5,
                              .tied = tied,
                              .axes = FIXTURE_AXES,
                              .rope = {{2, 100}, {1, 50}, {1, 10}}};
}

ttt_backend *fixture_backend(void) {
    return fixture_backend_with_threads(2);
}

ttt_backend *fixture_backend_with_threads(int threads) {
    ttt_error err;
    ttt_backend *backend = NULL;
    const ttt_status status = ttt_backend_new("cpu", threads, &backend, &err);
    if (status == TTT_ERROR_UNSUPPORTED) SKIP("%s", err.message);
    ASSERT_OK(status);
    return backend;
}

ttt_backend *fixture_ref(void) {
    ttt_error err;
    ttt_backend *backend = NULL;
    ASSERT_OK(ttt_backend_ref_new(&backend, &err));
    return backend;
}

/* A fresh model's matrices are so small that its attention is all but uniform and mistakes in it hide: this one's come
 * from a full session that scales them, through a model folder. */
ttt_model *fixture_model(ttt_backend *backend, const ttt_model_config *config) {
    ttt_error err;
    ttt_model *fresh, *model;
    ASSERT_OK(ttt_model_new_random(config, 11, backend, &fresh, &err));
    ttt_session_options options = fixture_full(1);
    ttt_session *session = fixture_session(fresh, &options);
    for (size_t i = 0; i < ttt_session_parameter_count(session); i++) {
        ttt_weight *weight;
        size_t rows, columns;
        ttt_session_parameter(session, i, &weight, &rows, &columns);
        float *values = ttt_allocate(rows * columns, sizeof *values);
        ASSERT_OK(backend->ops->weight_read(weight, TTT_VALUE, values, &err));
        for (size_t j = 0; j < rows * columns; j++) {
            values[j] = rows > 1 ? 10 * values[j] : 1 + 0.01f * (float)(j % 7); /* gains differ from 1, too */
        }
        ASSERT_OK(backend->ops->weight_write(weight, TTT_VALUE, values, &err));
        ttt_free(values);
    }
    support_path folder = support_temporary_folder();
    ASSERT_OK(ttt_session_save_model(session, folder.text, TTT_BF16, &err));
    ASSERT_OK(ttt_model_load(folder.text, backend, &model, &err));
    support_remove_folder(folder.text);
    ttt_session_free(session);
    ttt_model_free(fresh);
    return model;
}

ttt_sequence fixture_sequence(uint64_t seed, int32_t length, int32_t block_first, int32_t block_end) {
    ttt_error err;
    ttt_sequence sequence = {0};
    ttt_random random = ttt_random_stream(seed, "", "sequence");
    ASSERT_OK(ttt_sequence_reserve(&sequence, length, FIXTURE_AXES, &err));
    for (int32_t t = 0; t < length; t++) {
        const int32_t position[FIXTURE_AXES] = {t / 5, t % 5 - 1, (int32_t)ttt_random_below(&random, 4)};
        ttt_sequence_append(&sequence, (int32_t)ttt_random_below(&random, FIXTURE_VOCABULARY), position);
        if (t >= block_first && t < block_end) sequence.kv_high[t] = block_end;
        if (ttt_random_below(&random, 3) > 0) {
            sequence.targets[t] = (int32_t)ttt_random_below(&random, FIXTURE_VOCABULARY);
        }
    }
    return sequence;
}

ttt_packing *fixture_packing(const ttt_sequence *sequences, size_t count, int32_t max_tokens) {
    ttt_error err;
    ttt_packing *packing;
    ASSERT_OK(ttt_packing_new(max_tokens, 8, FIXTURE_AXES, 0, &packing, &err));
    for (size_t i = 0; i < count; i++) {
        assert_true(ttt_packing_fits(packing, &sequences[i]));
        ttt_packing_add(packing, &sequences[i], 0, 1);
    }
    return packing;
}

ttt_session_options fixture_full(int32_t max_tokens) {
    return (ttt_session_options){
        .adaptation = TTT_ADAPT_FULL, .max_tokens = max_tokens, .max_sequences = 8, .training = true};
}

ttt_session_options fixture_lora(int32_t max_tokens, uint32_t targets) {
    return (ttt_session_options){.adaptation = TTT_ADAPT_LORA,
                                 .rank = 3,
                                 .alpha = 6,
                                 .targets = targets,
                                 .max_tokens = max_tokens,
                                 .max_sequences = 8,
                                 .training = true};
}

ttt_session_options fixture_inference(int32_t max_tokens) {
    return (ttt_session_options){.adaptation = TTT_ADAPT_NONE, .max_tokens = max_tokens, .max_sequences = 8};
}

ttt_session *fixture_session(ttt_model *model, const ttt_session_options *options) {
    ttt_error err;
    ttt_session *session;
    ASSERT_OK(ttt_session_new(model, options, 5, &session, &err));
    return session;
}

float *fixture_parameters(const ttt_session *session, ttt_weight_part part, size_t *count) {
    ttt_error err;
    const ttt_backend_ops *ops = ttt_model_get_backend(ttt_session_get_model(session))->ops;
    ttt_weight *weight;
    size_t rows, columns, total = 0;
    for (size_t i = 0; i < ttt_session_parameter_count(session); i++) {
        ttt_session_parameter(session, i, &weight, &rows, &columns);
        total += rows * columns;
    }
    float *values = ttt_allocate(total, sizeof *values), *next = values;
    for (size_t i = 0; i < ttt_session_parameter_count(session); i++, next += rows * columns) {
        ttt_session_parameter(session, i, &weight, &rows, &columns);
        ASSERT_OK(ops->weight_read(weight, part, next, &err));
    }
    *count = total;
    return values;
}
