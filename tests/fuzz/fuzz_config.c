/* Fuzzing of what reads config.json (scripts/fuzz). Whatever is accepted must keep the rules, have a shape, and come
 * back from what is written as it was. */
#include "model/config.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void require(bool condition) {
    if (!condition) abort();
}

static void require_legal(const ttt_model_config *config) {
    ttt_error err;
    require(ttt_model_config_check(config, "fuzz", &err) == TTT_OK);
    const ttt_shape shape = ttt_model_config_shape(config);
    for (int32_t i = 0; i < shape.head_dim / 2; i++) {
        require(shape.axis[i] < shape.axes && shape.frequency[i] >= 0 && isfinite(shape.frequency[i]));
    }
    require(ttt_model_config_parameters(config) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    json_t *root;
    ttt_error err;
    ttt_model_config config, back;
    if (ttt_json_parse("fuzz", (const char *)data, bytes, &root, &err) != TTT_OK) return 0;
    if (ttt_model_config_from_json(root, "fuzz", &config, &err) == TTT_OK) {
        require_legal(&config);
        json_t *written = ttt_model_config_to_json(&config);
        require(written != NULL && ttt_model_config_from_json(written, "fuzz", &back, &err) == TTT_OK);
        json_t *again = ttt_model_config_to_json(&back);
        require(again != NULL && json_equal(written, again));
        json_decref(written);
        json_decref(again);
        ttt_model_config_release(&config);
        ttt_model_config_release(&back);
    }
    json_decref(root);
    return 0;
}
