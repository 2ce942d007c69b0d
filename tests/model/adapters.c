/* See adapters.h. */
#include "support.h"

#include "model/adapters.h"

#include "base/memory.h"
#include "model/adapter.h"

support_path adapters_golden(const char *name) {
    support_path folder = support_source("tests/model/golden/adapter");
    return support_join(folder.text, name);
}

json_t *adapters_json(const char *path) {
    ttt_error err;
    json_t *root;
    ASSERT_OK(ttt_json_read(path, &root, &err));
    return root;
}

ttt_model *adapters_model(const char *folder, ttt_backend *backend) {
    ttt_error err;
    ttt_model *model;
    ASSERT_OK(ttt_model_load(folder, backend, &model, &err));
    return model;
}

ttt_session *adapters_session(ttt_model *model, const char *folder) {
    ttt_error err;
    ttt_session_options options = {.max_tokens = ADAPTERS_ROOM, .max_sequences = 8, .training = true};
    ASSERT_OK(ttt_adapter_options_read(folder, ttt_model_get_config(model), &options, &err));
    return fixture_session(model, &options);
}

void adapters_assert_same(const ttt_session *a, const ttt_session *b) {
    size_t count, other;
    float *left = fixture_parameters(a, TTT_VALUE, &count), *right = fixture_parameters(b, TTT_VALUE, &other);
    assert_int_equal(count, other);
    assert_memory_equal(left, right, count * sizeof *left);
    ttt_free(left);
    ttt_free(right);
}
