/* config.json to ttt_model_config and back. What a Llama-like model may say that this transformer does not do (biases,
 * scaled rotary positions, other activations) is refused by name: computing something else silently is worse. */
#include "model/config.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* The whole numbers of a config: JSON key, member, largest value. Limits keep every product of two in 63 bits. */
static const struct integer_key {
    const char *key;
    size_t member;
    int64_t maximum;
    bool required;
} INTEGERS[] = {
    {"num_hidden_layers", offsetof(ttt_model_config, layers), 1024, true},
    {"hidden_size", offsetof(ttt_model_config, width), 65536, true},
    {"num_attention_heads", offsetof(ttt_model_config, heads), 1024, true},
    {"num_key_value_heads", offsetof(ttt_model_config, kv_heads), 1024, false},
    {"head_dim", offsetof(ttt_model_config, head_dim), TTT_MAX_HEAD_DIM, false},
    {"intermediate_size", offsetof(ttt_model_config, hidden), 262144, true},
    {"vocab_size", offsetof(ttt_model_config, vocabulary), 4194304, true},
    {"max_position_embeddings", offsetof(ttt_model_config, context), 16777216, true},
};
enum { INTEGER_COUNT = sizeof INTEGERS / sizeof *INTEGERS };

static int32_t *integer_of(ttt_model_config *config, size_t i) {
    return (int32_t *)((char *)config + INTEGERS[i].member);
}

ttt_status ttt_model_config_check(const ttt_model_config *config, const char *where, ttt_error *err) {
    for (size_t i = 0; i < INTEGER_COUNT; i++) {
        const int32_t value = *(const int32_t *)((const char *)config + INTEGERS[i].member);
        if (value < 1 || value > INTEGERS[i].maximum) {
            return ttt_fail(err, TTT_ERROR_FORMAT, "%s: \"%s\" is %d, expected 1 to %lld", where, INTEGERS[i].key,
                            value, (long long)INTEGERS[i].maximum);
        }
    }
    if (config->heads % config->kv_heads != 0) {
        return ttt_fail(err, TTT_ERROR_FORMAT,
                        "%s: \"num_attention_heads\" is %d, not a multiple of \"num_key_value_heads\", %d", where,
                        config->heads, config->kv_heads);
    }
    if (config->head_dim % 2 != 0) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: \"head_dim\" is %d, expected an even number", where,
                        config->head_dim);
    }
    if (!(config->norm_epsilon > 0 && config->norm_epsilon < 1)) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: \"rms_norm_eps\" is %g, expected more than 0 and less than 1",
                        where, config->norm_epsilon);
    }
    if (config->axes < 1 || config->axes > TTT_MAX_AXES) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: \"rope_axes\" has %d axes, expected 1 to %d", where, config->axes,
                        (int)TTT_MAX_AXES);
    }
    int64_t pairs = 0;
    for (int32_t a = 0; a < config->axes; a++) {
        const ttt_rope_axis *axis = &config->rope[a];
        if (axis->pairs < 1 || !(axis->theta > 0) || !isfinite(axis->theta)) {
            return ttt_fail(
                err, TTT_ERROR_FORMAT,
                "%s: axis %d of \"rope_axes\" has %d pairs and theta %g, expected at least 1 and more than 0", where, a,
                axis->pairs, axis->theta);
        }
        pairs += axis->pairs;
    }
    if (pairs != config->head_dim / 2) {
        return ttt_fail(err, TTT_ERROR_FORMAT,
                        "%s: the pairs of \"rope_axes\" add up to %lld, expected half of \"head_dim\", %d", where,
                        (long long)pairs, config->head_dim / 2);
    }
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- reading */

/* A member that must be absent, null, or the one value that this transformer does. */
static ttt_status refuse_true(const json_t *root, const char *path, const char *key, ttt_error *err) {
    bool value = false;
    TTT_TRY(ttt_json_optional_bool(root, path, key, &value, err));
    return value ? ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: \"%s\" is true, which is not supported", path, key)
                 : TTT_OK;
}

static ttt_status refuse_other_text(const json_t *root, const char *path, const char *key, const char *allowed,
                                    const char *also_allowed, ttt_error *err) {
    const json_t *member = json_object_get(root, key);
    if (member == NULL || json_is_null(member)) return TTT_OK;
    const char *text;
    TTT_TRY(ttt_json_get_string(root, path, key, &text, err));
    if (strcmp(text, allowed) == 0 || strcmp(text, also_allowed) == 0) return TTT_OK;
    return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: \"%s\" is \"%.100s\", expected \"%s\" or \"%s\"", path, key, text,
                    allowed, also_allowed);
}

static ttt_status refuse_unsupported(const json_t *root, const char *path, ttt_error *err) {
    TTT_TRY(refuse_true(root, path, "attention_bias", err));
    TTT_TRY(refuse_true(root, path, "mlp_bias", err));
    TTT_TRY(refuse_other_text(root, path, "model_type", "llama", "mistral", err));
    TTT_TRY(refuse_other_text(root, path, "hidden_act", "silu", "swish", err));
    const char *const absent[] = {"rope_scaling", "sliding_window", "quantization_config"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        const json_t *member = json_object_get(root, absent[i]);
        if (member != NULL && !json_is_null(member)) {
            return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: \"%s\" is %s, which is not supported", path, absent[i],
                            ttt_json_type_name(member));
        }
    }
    return TTT_OK;
}

static ttt_status read_axes(const json_t *root, const char *path, ttt_model_config *config, ttt_error *err) {
    const json_t *member = json_object_get(root, "rope_axes");
    if (member == NULL || json_is_null(member)) {
        config->axes = 1;
        config->rope[0] = (ttt_rope_axis){.pairs = config->head_dim / 2, .theta = 10000};
        return ttt_json_optional_number(root, path, "rope_theta", &config->rope[0].theta, err);
    }
    json_t *axes;
    TTT_TRY(ttt_json_get_array(root, path, "rope_axes", &axes, err));
    const size_t count = json_array_size(axes);
    if (count < 1 || count > TTT_MAX_AXES) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: \"rope_axes\" has %zu axes, expected 1 to %d", path, count,
                        (int)TTT_MAX_AXES);
    }
    config->axes = (int32_t)count;
    for (size_t a = 0; a < count; a++) {
        const json_t *axis = json_array_get(axes, a);
        if (!json_is_object(axis)) {
            return ttt_fail(err, TTT_ERROR_FORMAT, "%s: axis %zu of \"rope_axes\" is %s, expected an object", path, a,
                            ttt_json_type_name(axis));
        }
        int64_t pairs;
        TTT_TRY(ttt_json_get_int(axis, path, "pairs", 1, TTT_MAX_HEAD_DIM / 2, &pairs, err));
        TTT_TRY(ttt_json_get_number(axis, path, "theta", &config->rope[a].theta, err));
        config->rope[a].pairs = (int32_t)pairs;
    }
    return TTT_OK;
}

static ttt_status read_integers(const json_t *root, const char *path, ttt_model_config *config, ttt_error *err) {
    for (size_t i = 0; i < INTEGER_COUNT; i++) {
        int64_t value = 0;
        if (INTEGERS[i].required) {
            TTT_TRY(ttt_json_get_int(root, path, INTEGERS[i].key, 1, INTEGERS[i].maximum, &value, err));
        } else {
            TTT_TRY(ttt_json_optional_int(root, path, INTEGERS[i].key, 1, INTEGERS[i].maximum, &value, err));
        }
        *integer_of(config, i) = (int32_t)value;
    }
    if (config->kv_heads == 0) config->kv_heads = config->heads;
    if (config->head_dim != 0) return TTT_OK;
    if (config->width % config->heads != 0) {
        return ttt_fail(
            err, TTT_ERROR_FORMAT,
            "%s: \"hidden_size\" is %d, not a multiple of \"num_attention_heads\", %d (and no \"head_dim\")", path,
            config->width, config->heads);
    }
    config->head_dim = config->width / config->heads;
    return TTT_OK;
}

ttt_status ttt_model_config_read(const char *path, ttt_model_config *config, ttt_error *err) {
    *config = (ttt_model_config){.norm_epsilon = 1e-6}; /* Llama's default */
    json_t *root = NULL, *encoding = NULL;
    ttt_status status;
    TTT_TRY_OUT(ttt_json_read(path, &root, err));
    if (!json_is_object(root)) {
        status = ttt_fail(err, TTT_ERROR_FORMAT, "%s: it holds %s, expected an object", path, ttt_json_type_name(root));
        goto out;
    }
    TTT_TRY_OUT(refuse_unsupported(root, path, err));
    TTT_TRY_OUT(read_integers(root, path, config, err));
    TTT_TRY_OUT(ttt_json_optional_number(root, path, "rms_norm_eps", &config->norm_epsilon, err));
    TTT_TRY_OUT(ttt_json_optional_bool(root, path, "tie_word_embeddings", &config->tied, err));
    TTT_TRY_OUT(read_axes(root, path, config, err));
    if (json_object_get(root, "encoding") != NULL) {
        TTT_TRY_OUT(ttt_json_get_object(root, path, "encoding", &encoding, err));
        config->encoding = json_incref(encoding);
    }
    status = ttt_model_config_check(config, path, err);
out:
    json_decref(root);
    if (status != TTT_OK) ttt_model_config_release(config);
    return status;
}

/* ---------------------------------------------------------------------------------------------- writing */

static bool plain_positions(const ttt_model_config *config) {
    return config->axes == 1;
}

static int write_axes(json_t *root, const ttt_model_config *config) {
    if (plain_positions(config)) return json_object_set_new(root, "rope_theta", json_real(config->rope[0].theta));
    json_t *axes = json_array();
    int failed = axes == NULL;
    for (int32_t a = 0; a < config->axes && !failed; a++) {
        failed = json_array_append_new(
            axes, json_pack("{s:i, s:f}", "pairs", config->rope[a].pairs, "theta", config->rope[a].theta));
    }
    return json_object_set_new(root, "rope_axes", axes) != 0 || failed;
}

json_t *ttt_model_config_to_json(const ttt_model_config *config) {
    json_t *root =
        json_pack("{s:[s], s:s, s:s, s:f, s:b}", "architectures", "LlamaForCausalLM", "model_type", "llama",
                  "hidden_act", "silu", "rms_norm_eps", config->norm_epsilon, "tie_word_embeddings", (int)config->tied);
    int failed = root == NULL;
    for (size_t i = 0; i < INTEGER_COUNT && !failed; i++) {
        const int32_t value = *(const int32_t *)((const char *)config + INTEGERS[i].member);
        failed = json_object_set_new(root, INTEGERS[i].key, json_integer(value));
    }
    if (!failed) failed = write_axes(root, config);
    if (!failed && config->encoding != NULL) failed = json_object_set(root, "encoding", config->encoding);
    if (!failed) return root;
    json_decref(root);
    return NULL;
}

ttt_status ttt_model_config_write(const char *path, const ttt_model_config *config, ttt_error *err) {
    TTT_TRY(ttt_model_config_check(config, path, err));
    json_t *root = ttt_model_config_to_json(config);
    ttt_status status = root == NULL ? ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for '%s'", path)
                                     : ttt_json_write(path, root, JSON_INDENT(2), err);
    json_decref(root);
    return status;
}

void ttt_model_config_release(ttt_model_config *config) {
    json_decref(config->encoding);
    config->encoding = NULL;
}

ttt_status ttt_model_config_copy(ttt_model_config *to, const ttt_model_config *from, ttt_error *err) {
    *to = *from;
    if (from->encoding == NULL) return TTT_OK;
    to->encoding = json_deep_copy(from->encoding);
    return to->encoding == NULL ? ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a model's configuration") : TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- numbers */

ttt_shape ttt_model_config_shape(const ttt_model_config *config) {
    ttt_shape shape = {.layers = config->layers,
                       .width = config->width,
                       .heads = config->heads,
                       .kv_heads = config->kv_heads,
                       .head_dim = config->head_dim,
                       .hidden = config->hidden,
                       .vocabulary = config->vocabulary,
                       .norm_epsilon = (float)config->norm_epsilon,
                       .axes = config->axes};
    int32_t pair = 0;
    for (int32_t a = 0; a < config->axes; a++) {
        for (int32_t j = 0; j < config->rope[a].pairs; j++, pair++) {
            shape.axis[pair] = (uint8_t)a;
            shape.frequency[pair] = (float)pow(config->rope[a].theta, -(double)j / config->rope[a].pairs);
        }
    }
    return shape;
}

/* Numbers in the seven matrices of a layer. */
static double layer_matrices(const ttt_model_config *config) {
    const double width = config->width, queries = (double)config->heads * config->head_dim,
                 keys = (double)config->kv_heads * config->head_dim;
    return 2 * width * queries + 2 * width * keys + 3 * width * config->hidden;
}

int64_t ttt_model_config_parameters(const ttt_model_config *config) {
    const int64_t width = config->width, embedding = width * config->vocabulary;
    const int64_t layer = (int64_t)layer_matrices(config) + 2 * width;
    return embedding * (config->tied ? 1 : 2) + layer * config->layers + width;
}

double ttt_model_config_forward_operations(const ttt_model_config *config, double length, double keys, double outputs) {
    const double attention = 4.0 * config->heads * config->head_dim * keys; /* q·kᵀ and p·v */
    return config->layers * (2 * length * layer_matrices(config) + attention) +
           2 * outputs * config->width * config->vocabulary;
}

double ttt_model_config_training_operations(const ttt_model_config *config, double length, double keys,
                                            double outputs) {
    /* Every product has two in backward: the gradient of each of its factors. */
    return 3 * ttt_model_config_forward_operations(config, length, keys, outputs);
}
