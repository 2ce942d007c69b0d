/* config.json to ttt_model_config and back. What a model of the known families may say that this transformer does not
 * do (a bias of the output projection, other ways to scale rotary positions, other activations, windows in some layers
 * only) is refused by name: computing something else silently is worse. Where a key is missing, its value is the one
 * that transformers would take. */
#include "model/config.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
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

/* ---------------------------------------------------------------------------------------------- families */

static const struct family {
    const char *name;       /* "model_type" */
    const char *class_name; /* in "architectures" */
    bool qkv_bias, qk_norm;
} FAMILIES[] = {
    [TTT_ARCHITECTURE_LLAMA] = {"llama", "LlamaForCausalLM", .qkv_bias = false, .qk_norm = false},
    [TTT_ARCHITECTURE_MISTRAL] = {"mistral", "MistralForCausalLM", .qkv_bias = false, .qk_norm = false},
    [TTT_ARCHITECTURE_QWEN2] = {"qwen2", "Qwen2ForCausalLM", .qkv_bias = true, .qk_norm = false},
    [TTT_ARCHITECTURE_QWEN3] = {"qwen3", "Qwen3ForCausalLM", .qkv_bias = false, .qk_norm = true},
};
_Static_assert(sizeof FAMILIES / sizeof *FAMILIES == TTT_ARCHITECTURE_COUNT, "one entry per architecture");

static bool is_qwen(const ttt_model_config *config) {
    return config->architecture == TTT_ARCHITECTURE_QWEN2 || config->architecture == TTT_ARCHITECTURE_QWEN3;
}

const char *ttt_architecture_name(ttt_architecture architecture) {
    return FAMILIES[architecture].name;
}

static void set_family(ttt_model_config *config, ttt_architecture architecture) {
    config->architecture = architecture;
    config->qkv_bias = FAMILIES[architecture].qkv_bias;
    config->qk_norm = FAMILIES[architecture].qk_norm;
}

ttt_status ttt_model_config_set_architecture(ttt_model_config *config, const char *where, const char *key,
                                             const char *name, ttt_error *err) {
    char names[128] = "";
    size_t used = 0;
    for (int i = 0; i < TTT_ARCHITECTURE_COUNT; i++) {
        if (strcmp(name, FAMILIES[i].name) == 0) {
            set_family(config, (ttt_architecture)i);
            return TTT_OK;
        }
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i == 0 ? "" : ", ", FAMILIES[i].name);
    }
    return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: \"%s\" is \"%.100s\", supported are %s", where, key, name, names);
}

/* ---------------------------------------------------------------------------------------------- checks */

/* The options that a family has not got cannot be written in its config.json. */
static ttt_status check_options(const ttt_model_config *config, const char *where, ttt_error *err) {
    if ((unsigned)config->architecture >= TTT_ARCHITECTURE_COUNT) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: its architecture is number %d of %d", where,
                        (int)config->architecture, (int)TTT_ARCHITECTURE_COUNT);
    }
    const struct family *family = &FAMILIES[config->architecture];
    if (config->qkv_bias != family->qkv_bias || config->qk_norm != family->qk_norm) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: a model of the family \"%s\" has %s bias and %s norm of q and k",
                        where, family->name, family->qkv_bias ? "a" : "no", family->qk_norm ? "a" : "no");
    }
    if (config->window < 0 || (config->window > 0 && config->architecture == TTT_ARCHITECTURE_LLAMA)) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: \"sliding_window\" is %d in a model of the family \"%s\"", where,
                        config->window, family->name);
    }
    const ttt_rope_scaling *s = &config->scaling;
    if (s->factor == 0) return TTT_OK;
    if (!(s->factor >= 1 && isfinite(s->factor)) || !(s->low_frequency_factor > 0) ||
        !(s->high_frequency_factor > s->low_frequency_factor && isfinite(s->high_frequency_factor)) ||
        s->original_context < 1) {
        return ttt_fail(err, TTT_ERROR_FORMAT,
                        "%s: \"rope_scaling\" has factor %g, low_freq_factor %g, high_freq_factor %g and "
                        "original_max_position_embeddings %d, expected at least 1, 0 < low < high, and at least 1",
                        where, s->factor, s->low_frequency_factor, s->high_frequency_factor, s->original_context);
    }
    return config->axes == 1
               ? TTT_OK
               : ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: \"rope_scaling\" does not go with \"rope_axes\"", where);
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
        if (axis->pairs < 1 || !(axis->theta >= 1 && isfinite(axis->theta))) {
            return ttt_fail(err, TTT_ERROR_FORMAT,
                            "%s: axis %d of \"rope_axes\" has %d pairs and theta %g, expected at least 1 of each",
                            where, a, axis->pairs, axis->theta);
        }
        pairs += axis->pairs;
    }
    if (pairs != config->head_dim / 2) {
        return ttt_fail(err, TTT_ERROR_FORMAT,
                        "%s: the pairs of \"rope_axes\" add up to %lld, expected half of \"head_dim\", %d", where,
                        (long long)pairs, config->head_dim / 2);
    }
    return check_options(config, where, err);
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

static const json_t *present(const json_t *object, const char *key) {
    const json_t *member = json_object_get(object, key);
    return json_is_null(member) ? NULL : member;
}

static ttt_status refuse_present(const json_t *root, const char *path, const char *key, ttt_error *err) {
    const json_t *member = present(root, key);
    if (member == NULL) return TTT_OK;
    return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: \"%s\" is %s, which is not supported", path, key,
                    ttt_json_type_name(member));
}

/* Qwen 2 has its bias whatever the key says; elsewhere the key means one of the output projection, too. */
static ttt_status refuse_unsupported(const json_t *root, const char *path, const ttt_model_config *config,
                                     ttt_error *err) {
    if (config->architecture != TTT_ARCHITECTURE_QWEN2) TTT_TRY(refuse_true(root, path, "attention_bias", err));
    TTT_TRY(refuse_true(root, path, "mlp_bias", err));
    TTT_TRY(refuse_other_text(root, path, "hidden_act", "silu", "swish", err));
    return refuse_present(root, path, "quantization_config", err);
}

/* "model_type", and that "architectures" does not say something else: a classifier has no output to generate from. A
 * file with neither is a Llama's. */
static ttt_status read_family(const json_t *root, const char *path, ttt_model_config *config, ttt_error *err) {
    const char *class_name = NULL;
    if (present(root, "model_type") != NULL) {
        const char *name;
        TTT_TRY(ttt_json_get_string(root, path, "model_type", &name, err));
        TTT_TRY(ttt_model_config_set_architecture(config, path, "model_type", name, err));
    }
    if (present(root, "architectures") == NULL) return TTT_OK;
    json_t *classes;
    TTT_TRY(ttt_json_get_array(root, path, "architectures", &classes, err));
    class_name = json_string_value(json_array_get(classes, 0));
    if (present(root, "model_type") == NULL) {
        for (int i = 0; i < TTT_ARCHITECTURE_COUNT && class_name != NULL; i++) {
            if (strcmp(class_name, FAMILIES[i].class_name) == 0) set_family(config, (ttt_architecture)i);
        }
    }
    const char *expected = FAMILIES[config->architecture].class_name;
    if (json_array_size(classes) == 1 && class_name != NULL && strcmp(class_name, expected) == 0) return TTT_OK;
    return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: \"architectures\" begins with \"%.100s\", expected \"%s\" alone",
                    path, class_name == NULL ? "" : class_name, expected);
}

/* Qwen's "layer_types", one name per layer: all must be the same. *windowed is left alone if there are none. */
static ttt_status read_layer_types(const json_t *root, const char *path, int32_t layers, bool *windowed,
                                   ttt_error *err) {
    if (present(root, "layer_types") == NULL) return TTT_OK;
    json_t *types;
    TTT_TRY(ttt_json_get_array(root, path, "layer_types", &types, err));
    const char *first = json_string_value(json_array_get(types, 0));
    if (json_array_size(types) != (size_t)layers || first == NULL) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: \"layer_types\" is not a list of %d names", path, layers);
    }
    *windowed = strcmp(first, "sliding_attention") == 0;
    if (!*windowed && strcmp(first, "full_attention") != 0) {
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                        "%s: \"layer_types\" has \"%.100s\", expected \"full_attention\" or \"sliding_attention\"",
                        path, first);
    }
    for (size_t i = 1; i < (size_t)layers; i++) {
        const char *type = json_string_value(json_array_get(types, i));
        if (type != NULL && strcmp(type, first) == 0) continue;
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                        "%s: \"layer_types\" differ between layers 0 and %zu, which is not supported", path, i);
    }
    return TTT_OK;
}

/* Whether Qwen's layers have the window: those from "max_window_layers" on, unless "layer_types" says it one by one. */
static ttt_status read_windowed(const json_t *root, const char *path, int32_t layers, bool *windowed, ttt_error *err) {
    int64_t full = 28;
    *windowed = false;
    TTT_TRY(ttt_json_optional_bool(root, path, "use_sliding_window", windowed, err));
    if (!*windowed) return TTT_OK;
    if (present(root, "layer_types") != NULL) return read_layer_types(root, path, layers, windowed, err);
    TTT_TRY(ttt_json_optional_int(root, path, "max_window_layers", 0, INT32_MAX, &full, err));
    *windowed = full == 0;
    if (full == 0 || full >= layers) return TTT_OK;
    return ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                    "%s: \"max_window_layers\" is %lld of %d layers: a sliding window in some layers only is not "
                    "supported",
                    path, (long long)full, layers);
}

static ttt_status read_window(const json_t *root, const char *path, ttt_model_config *config, ttt_error *err) {
    if (config->architecture == TTT_ARCHITECTURE_LLAMA) return refuse_present(root, path, "sliding_window", err);
    bool windowed = true;
    if (is_qwen(config)) TTT_TRY(read_windowed(root, path, config->layers, &windowed, err));
    int64_t window = 4096; /* null means none, a missing key this */
    if (!windowed || json_is_null(json_object_get(root, "sliding_window"))) return TTT_OK;
    TTT_TRY(ttt_json_optional_int(root, path, "sliding_window", 1, INT32_MAX, &window, err));
    config->window = (int32_t)window;
    return TTT_OK;
}

/* ---- rotary positions ----
 * transformers 4 has "rope_theta" and, for scaled ones, "rope_scaling"; 5 has all in "rope_parameters". What lies
 * inside goes before "rope_theta" outside. */

static ttt_status read_llama3_scaling(const json_t *rope, const char *key, ttt_rope_scaling *scaling, ttt_error *err) {
    int64_t original;
    TTT_TRY(ttt_json_get_number(rope, key, "factor", &scaling->factor, err));
    TTT_TRY(ttt_json_get_number(rope, key, "low_freq_factor", &scaling->low_frequency_factor, err));
    TTT_TRY(ttt_json_get_number(rope, key, "high_freq_factor", &scaling->high_frequency_factor, err));
    TTT_TRY(ttt_json_get_int(rope, key, "original_max_position_embeddings", 1, 16777216, &original, err));
    scaling->original_context = (int32_t)original;
    if (scaling->factor == 0) { /* which would be none */
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: \"factor\" is 0, expected at least 1", key);
    }
    return TTT_OK;
}

static ttt_status refuse_partial_rotation(const json_t *object, const char *where, ttt_error *err) {
    double factor = 1;
    TTT_TRY(ttt_json_optional_number(object, where, "partial_rotary_factor", &factor, err));
    if (factor == 1) return TTT_OK;
    return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: \"partial_rotary_factor\" is %g, expected 1", where, factor);
}

static ttt_status read_scaling(const json_t *rope, const char *key, ttt_model_config *config, ttt_error *err) {
    const char *name, *type = "default";
    json_t *member;
    json_object_foreach((json_t *)rope, name, member) {
        if (!json_is_object(member)) continue;
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                        "%s: \"%.100s\" is an object: positions by kind of layer are not "
                        "supported",
                        key, name);
    }
    const char *const type_key = present(rope, "rope_type") != NULL ? "rope_type" : "type";
    if (present(rope, type_key) != NULL) TTT_TRY(ttt_json_get_string(rope, key, type_key, &type, err));
    TTT_TRY(ttt_json_optional_number(rope, key, "rope_theta", &config->rope[0].theta, err));
    TTT_TRY(refuse_partial_rotation(rope, key, err));
    if (strcmp(type, "default") == 0) return TTT_OK;
    if (strcmp(type, "llama3") == 0) return read_llama3_scaling(rope, key, &config->scaling, err);
    return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: \"%s\" is \"%.100s\", supported are default and llama3", key,
                    type_key, type);
}

static ttt_status read_rope(const json_t *root, const char *path, ttt_model_config *config, ttt_error *err) {
    config->axes = 1;
    config->rope[0] = (ttt_rope_axis){.pairs = config->head_dim / 2, .theta = 10000};
    TTT_TRY(ttt_json_optional_number(root, path, "rope_theta", &config->rope[0].theta, err));
    TTT_TRY(refuse_partial_rotation(root, path, err));
    const char *const key = present(root, "rope_scaling") != NULL ? "rope_scaling" : "rope_parameters";
    if (present(root, key) == NULL) return TTT_OK;
    json_t *rope;
    TTT_TRY(ttt_json_get_object(root, path, key, &rope, err));
    const ttt_status status = read_scaling(rope, key, config, err);
    return status == TTT_OK ? TTT_OK : ttt_fail_within(err, status, "%s", path);
}

static ttt_status read_axes(const json_t *root, const char *path, ttt_model_config *config, ttt_error *err) {
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

static ttt_status read_all(const json_t *root, const char *where, ttt_model_config *config, ttt_error *err) {
    if (!json_is_object(root)) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: it holds %s, expected an object", where, ttt_json_type_name(root));
    }
    TTT_TRY(read_family(root, where, config, err));
    TTT_TRY(refuse_unsupported(root, where, config, err));
    TTT_TRY(read_integers(root, where, config, err));
    TTT_TRY(ttt_json_optional_number(root, where, "rms_norm_eps", &config->norm_epsilon, err));
    TTT_TRY(ttt_json_optional_bool(root, where, "tie_word_embeddings", &config->tied, err));
    TTT_TRY(read_window(root, where, config, err));
    TTT_TRY(read_rope(root, where, config, err));
    if (present(root, "rope_axes") != NULL) TTT_TRY(read_axes(root, where, config, err));
    if (json_object_get(root, "encoding") != NULL) {
        json_t *encoding;
        TTT_TRY(ttt_json_get_object(root, where, "encoding", &encoding, err));
        config->encoding = json_incref(encoding);
    }
    return ttt_model_config_check(config, where, err);
}

ttt_status ttt_model_config_from_json(const json_t *root, const char *where, ttt_model_config *config, ttt_error *err) {
    *config = (ttt_model_config){.norm_epsilon = 1e-6};
    const ttt_status status = read_all(root, where, config, err);
    if (status != TTT_OK) ttt_model_config_release(config);
    return status;
}

ttt_status ttt_model_config_read(const char *path, ttt_model_config *config, ttt_error *err) {
    json_t *root;
    *config = (ttt_model_config){0};
    TTT_TRY(ttt_json_read(path, &root, err));
    const ttt_status status = ttt_model_config_from_json(root, path, config, err);
    json_decref(root);
    return status;
}

/* ---------------------------------------------------------------------------------------------- writing */

/* These return 0, or something else when memory is out, as jansson does. */

static int write_rope(json_t *root, const ttt_model_config *config) {
    const ttt_rope_scaling *s = &config->scaling;
    if (json_object_set_new(root, "rope_theta", json_real(config->rope[0].theta)) != 0) return -1;
    if (s->factor == 0) return 0;
    return json_object_set_new(root, "rope_scaling",
                               json_pack("{s:s, s:f, s:f, s:f, s:i}", "rope_type", "llama3", "factor", s->factor,
                                         "low_freq_factor", s->low_frequency_factor, "high_freq_factor",
                                         s->high_frequency_factor, "original_max_position_embeddings",
                                         s->original_context));
}

static int write_axes(json_t *root, const ttt_model_config *config) {
    json_t *axes = json_array();
    int failed = axes == NULL;
    for (int32_t a = 0; a < config->axes && !failed; a++) {
        failed = json_array_append_new(
            axes, json_pack("{s:i, s:f}", "pairs", config->rope[a].pairs, "theta", config->rope[a].theta));
    }
    return json_object_set_new(root, "rope_axes", axes) != 0 || failed;
}

static int write_window(json_t *root, const ttt_model_config *config) {
    if (config->architecture == TTT_ARCHITECTURE_LLAMA) return 0;
    const bool windowed = config->window > 0;
    int failed = json_object_set_new(root, "sliding_window", windowed ? json_integer(config->window) : json_null());
    if (failed || !is_qwen(config)) return failed;
    failed = json_object_set_new(root, "use_sliding_window", json_boolean(windowed));
    return failed ? failed
                  : json_object_set_new(root, "max_window_layers", json_integer(windowed ? 0 : config->layers));
}

json_t *ttt_model_config_to_json(const ttt_model_config *config) {
    const struct family *family = &FAMILIES[config->architecture];
    json_t *root =
        json_pack("{s:[s], s:s, s:s, s:f, s:b}", "architectures", family->class_name, "model_type", family->name,
                  "hidden_act", "silu", "rms_norm_eps", config->norm_epsilon, "tie_word_embeddings", (int)config->tied);
    int failed = root == NULL;
    for (size_t i = 0; i < INTEGER_COUNT && !failed; i++) {
        const int32_t value = *(const int32_t *)((const char *)config + INTEGERS[i].member);
        failed = json_object_set_new(root, INTEGERS[i].key, json_integer(value));
    }
    if (!failed) failed = config->axes == 1 ? write_rope(root, config) : write_axes(root, config);
    if (!failed) failed = write_window(root, config);
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

/* Frequencies of a context stretched `factor` times, as in Llama 3.1: what turns fewer than low_frequency_factor times
 * within the original context turns `factor` times slower, what turns more than high_frequency_factor times stays, and
 * between the two the frequencies are blended. */
static double scaled_frequency(const ttt_rope_scaling *scaling, double frequency) {
    if (scaling->factor == 0) return frequency;
    const double turns = scaling->original_context * frequency / (2 * M_PI);
    const double low = scaling->low_frequency_factor, high = scaling->high_frequency_factor;
    const double kept = fmin(fmax((turns - low) / (high - low), 0), 1);
    return kept * frequency + (1 - kept) * frequency / scaling->factor;
}

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
            const double frequency = pow(config->rope[a].theta, -(double)j / config->rope[a].pairs);
            shape.frequency[pair] = (float)scaled_frequency(&config->scaling, frequency);
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

/* Numbers in the gains and biases of a layer. */
static int64_t layer_vectors(const ttt_model_config *config) {
    const int64_t biases = (int64_t)(config->heads + 2 * config->kv_heads) * config->head_dim;
    return 2 * (int64_t)config->width + (config->qkv_bias ? biases : 0) + (config->qk_norm ? 2 * config->head_dim : 0);
}

int64_t ttt_model_config_parameters(const ttt_model_config *config) {
    const int64_t width = config->width, embedding = width * config->vocabulary;
    const int64_t layer = (int64_t)layer_matrices(config) + layer_vectors(config);
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

double ttt_model_config_adapter_operations(const ttt_model_config *config, double length, double keys, double outputs,
                                           double rank) {
    const double width = config->width, hidden = config->hidden, q = config->heads * config->head_dim,
                 kv = config->kv_heads * config->head_dim;
    const double ends = 2 * (width + q) + 2 * (width + kv) + 3 * (width + hidden); /* inputs and outputs of the maps */
    const double attention = 4.0 * q * keys;
    /* A frozen product has one in backward: the gradient of its input. Attention and adapters have two. */
    return 2 * ttt_model_config_forward_operations(config, length, keys, outputs) +
           config->layers * (attention + 3 * 2 * length * rank * ends);
}
