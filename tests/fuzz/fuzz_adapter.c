/* Fuzzing of the reader of adapter folders (scripts/fuzz). Input that begins with { is the configuration beside the
 * golden case's tensors, any other the tensors beside its configuration. What is accepted must be the same after it was
 * saved and loaded again. Run from the root of the repository. */
#include "base/file.h"
#include "base/memory.h"
#include "model/adapter.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#define GOLDEN "tests/model/golden/adapter/"

static void require(bool condition) {
    if (!condition) abort();
}

static void put(const char *folder, const char *name, const void *data, size_t bytes) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    require(file != NULL && fwrite(data, 1, bytes, file) == bytes && fclose(file) == 0);
}

static void put_golden(const char *folder, const char *name) {
    char path[256];
    ttt_file_map map;
    snprintf(path, sizeof path, GOLDEN "outer/%s", name);
    require(ttt_file_map_open(&map, path, NULL) == TTT_OK);
    put(folder, name, map.data, map.bytes);
    ttt_file_map_close(&map);
}

/* All values of the session's parameters have these bits. */
static void require_same(const ttt_session *a, const ttt_session *b) {
    const ttt_backend_ops *ops = ttt_model_get_backend(ttt_session_get_model(a))->ops;
    require(ttt_session_parameter_count(a) == ttt_session_parameter_count(b));
    for (size_t i = 0; i < ttt_session_parameter_count(a); i++) {
        ttt_weight *left, *right;
        size_t rows, columns, other_rows, other_columns;
        ttt_session_parameter(a, i, &left, &rows, &columns);
        ttt_session_parameter(b, i, &right, &other_rows, &other_columns);
        require(rows == other_rows && columns == other_columns);
        float *values = ttt_allocate(2 * rows * columns, sizeof *values);
        require(values != NULL);
        require(ops->weight_read(left, TTT_VALUE, values, NULL) == TTT_OK);
        require(ops->weight_read(right, TTT_VALUE, values + rows * columns, NULL) == TTT_OK);
        require(memcmp(values, values + rows * columns, rows * columns * sizeof *values) == 0);
        ttt_free(values);
    }
}

static ttt_session *load(ttt_model *model, const char *folder) {
    ttt_session_options options = {.max_tokens = 1, .max_sequences = 1, .training = true};
    ttt_session *session;
    ttt_error err;
    if (ttt_adapter_options_read(folder, ttt_model_get_config(model), &options, &err) != TTT_OK) return NULL;
    if (options.rank > 64) return NULL; /* the session would be made before the tensors are looked at */
    require(ttt_session_new(model, &options, 0, &session, &err) == TTT_OK);
    if (ttt_session_load_adapter(session, folder, &err) == TTT_OK) return session;
    require(err.message[0] != '\0');
    ttt_session_free(session);
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    static ttt_model *model; /* made once; the process ends with it */
    static char folder[] = "/dev/shm/fuzz-adapter-XXXXXX", again[64];
    if (model == NULL) {
        ttt_backend *backend = NULL;
        require(mkdtemp(folder) != NULL);
        require(ttt_backend_ref_new(&backend, NULL) == TTT_OK);
        require(ttt_model_load(GOLDEN "tied", backend, &model, NULL) == TTT_OK);
        snprintf(again, sizeof again, "%s/again", folder);
    }
    const bool configuration = bytes > 0 && data[0] == '{';
    put_golden(folder, configuration ? "adapter_model.safetensors" : "adapter_config.json");
    put(folder, configuration ? "adapter_config.json" : "adapter_model.safetensors", data, bytes);
    ttt_session *session = load(model, folder);
    if (session == NULL) return 0;
    require(ttt_session_save_adapter(session, again, NULL, NULL) == TTT_OK);
    ttt_session *other = load(model, again);
    require(other != NULL);
    require_same(session, other);
    ttt_session_free(session);
    ttt_session_free(other);
    return 0;
}
