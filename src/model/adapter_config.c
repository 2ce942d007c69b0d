/* adapter_config.json of PEFT. Its members are of three kinds: those read here; those that say nothing about what the
 * adapter computes; and all others, known and to come, which must be absent, null, false or empty, because a value
 * there switches on what is not done here. */
#include "model/adapter_inside.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const READ[] = {"peft_type", "task_type",  "bias",       "init_lora_weights",
                                   "r",         "lora_alpha", "use_rslora", "target_modules"};
/* Where the adapter came from, how it was trained, and sizes of what is switched off. */
static const char *const WITHOUT_EFFECT[] = {
    "auto_mapping", "base_model_name_or_path", "eva_config", "inference_mode", "lora_dropout", "megatron_core",
    "peft_version", "qalora_group_size",       "revision",   "runtime_config"};

/* ---------------------------------------------------------------------------------------------- modules */

bool ttt_adapter_module_of(const ttt_model_config *config, const ttt_tensor *tensor, ttt_adapter_module *module) {
    static const char end[] = ".weight";
    const size_t length = strlen(tensor->file_name), tail = sizeof end - 1;
    if (tensor->kind == TTT_LINEAR_COUNT || length < tail || strcmp(tensor->file_name + length - tail, end) != 0) {
        return false;
    }
    *module = (ttt_adapter_module){.layer = tensor->layer, .kind = tensor->kind};
    memcpy(module->name, tensor->file_name, length - tail);
    ttt_linear_kind_shape(config, tensor->kind, &module->out, &module->in);
    return true;
}

bool ttt_adapter_next_module(const ttt_model_config *config, size_t *index, ttt_adapter_module *module) {
    ttt_model_config untied = *config; /* so that the output is in the list */
    untied.tied = false;
    while (*index < ttt_tensor_count(&untied)) {
        const ttt_tensor tensor = ttt_tensor_get(&untied, (*index)++);
        if (ttt_adapter_module_of(config, &tensor, module)) return true;
    }
    return false;
}

/* PEFT's rule: a target is a module's whole name, or its end after a dot. */
static bool is_target(const char *target, const char *module) {
    const size_t length = strlen(module), tail = strlen(target);
    if (tail > length || strcmp(module + length - tail, target) != 0) return false;
    return tail == length || module[length - tail - 1] == '.';
}

/* Marks the modules that a list names. */
static ttt_status mark_targets(const json_t *list, const char *path, const ttt_model_config *config, bool *marks,
                               ttt_error *err) {
    size_t i;
    const json_t *entry;
    json_array_foreach(list, i, entry) {
        const char *target = json_string_value(entry);
        if (target == NULL) {
            return ttt_fail(err, TTT_ERROR_FORMAT, "%s: entry %zu of \"target_modules\" is %s, expected a string", path,
                            i, ttt_json_type_name(entry));
        }
        bool found = false;
        ttt_adapter_module module;
        for (size_t index = 0; ttt_adapter_next_module(config, &index, &module);) {
            if (!is_target(target, module.name)) continue;
            marks[index - 1] = found = true;
        }
        if (!found) {
            return ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                            "%s: \"target_modules\" names \"%.100s\", which is no linear map of this model", path,
                            target);
        }
    }
    return TTT_OK;
}

/* From marked modules to kinds of linear maps: one that has an adapter has it in every layer. */
static ttt_status targets_of_marks(const bool *marks, const char *path, const ttt_model_config *config,
                                   uint32_t *targets, ttt_error *err) {
    ttt_adapter_module module;
    *targets = 0;
    for (size_t index = 0; ttt_adapter_next_module(config, &index, &module);) {
        if (marks[index - 1]) *targets |= 1u << module.kind;
    }
    for (size_t index = 0; ttt_adapter_next_module(config, &index, &module);) {
        if (marks[index - 1] || (*targets >> module.kind & 1u) == 0) continue;
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                        "%s: \"target_modules\" leaves out \"%s\", which it names in another layer: adapters on some "
                        "layers only are not supported",
                        path, module.name);
    }
    if (*targets != 0) return TTT_OK;
    return ttt_fail(err, TTT_ERROR_FORMAT, "%s: \"target_modules\" names no module", path);
}

static ttt_status read_targets(const json_t *root, const char *path, const ttt_model_config *config, uint32_t *targets,
                               ttt_error *err) {
    const json_t *member = json_object_get(root, "target_modules");
    if (json_is_string(member)) {
        if (strcmp(json_string_value(member), "all-linear") != 0) {
            return ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                            "%s: \"target_modules\" is the pattern \"%.100s\", expected a list of names or "
                            "\"all-linear\"",
                            path, json_string_value(member));
        }
        *targets = 0; /* PEFT leaves out the output */
        for (ttt_linear_kind kind = 0; kind < TTT_LINEAR_COUNT; kind++) {
            if (ttt_linear_kind_in_layer(kind)) *targets |= 1u << kind;
        }
        return TTT_OK;
    }
    json_t *list;
    TTT_TRY(ttt_json_get_array(root, path, "target_modules", &list, err));
    size_t count = 0;
    ttt_adapter_module module;
    while (ttt_adapter_next_module(config, &count, &module)) {
    }
    bool *marks = ttt_allocate(count, sizeof *marks);
    if (marks == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the modules of '%s'", path);
    ttt_status status = mark_targets(list, path, config, marks, err);
    if (status == TTT_OK) status = targets_of_marks(marks, path, config, targets, err);
    ttt_free(marks);
    return status;
}

/* ---------------------------------------------------------------------------------------------- reading */

static bool is_one_of(const char *text, const char *const *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, list[i]) == 0) return true;
    }
    return false;
}

static bool is_off(const json_t *value) {
    if (json_is_array(value)) return json_array_size(value) == 0;
    if (json_is_object(value)) return json_object_size(value) == 0;
    return json_is_null(value) || json_is_false(value);
}

static ttt_status refuse_others(const json_t *root, const char *path, ttt_error *err) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)root, key, value) {
        if (is_one_of(key, READ, sizeof READ / sizeof *READ) || is_off(value) ||
            is_one_of(key, WITHOUT_EFFECT, sizeof WITHOUT_EFFECT / sizeof *WITHOUT_EFFECT)) {
            continue;
        }
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: \"%.100s\" is %s, which is not supported", path, key,
                        json_is_true(value) ? "true" : ttt_json_type_name(value));
    }
    return TTT_OK;
}

/* A text that may be missing, but if it is there must be `allowed`. */
static ttt_status refuse_other_text(const json_t *root, const char *path, const char *key, const char *allowed,
                                    ttt_error *err) {
    const json_t *member = json_object_get(root, key);
    if (member == NULL || json_is_null(member)) return TTT_OK;
    const char *text;
    TTT_TRY(ttt_json_get_string(root, path, key, &text, err));
    if (strcmp(text, allowed) == 0) return TTT_OK;
    return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: \"%s\" is \"%.100s\", expected \"%s\"", path, key, text, allowed);
}

/* Some ways to start an adapter take something away from the base; the adapter is then one of another base. */
static ttt_status check_start(const json_t *root, const char *path, ttt_error *err) {
    static const char *const leave_base_alone[] = {"gaussian", "orthogonal", "eva"};
    const json_t *member = json_object_get(root, "init_lora_weights");
    if (member == NULL || json_is_null(member) || json_is_boolean(member)) return TTT_OK;
    const char *text = json_string_value(member);
    if (text != NULL && is_one_of(text, leave_base_alone, sizeof leave_base_alone / sizeof *leave_base_alone)) {
        return TTT_OK;
    }
    return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: \"init_lora_weights\" is \"%.100s\", which is not supported", path,
                    text == NULL ? ttt_json_type_name(member) : text);
}

static ttt_status read_root(const json_t *root, const char *path, const ttt_model_config *config,
                            ttt_session_options *options, ttt_error *err) {
    if (!json_is_object(root)) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: it holds %s, expected an object", path, ttt_json_type_name(root));
    }
    const char *type;
    TTT_TRY(ttt_json_get_string(root, path, "peft_type", &type, err));
    TTT_TRY(refuse_other_text(root, path, "peft_type", "LORA", err));
    TTT_TRY(refuse_other_text(root, path, "task_type", "CAUSAL_LM", err));
    TTT_TRY(refuse_other_text(root, path, "bias", "none", err));
    TTT_TRY(check_start(root, path, err));
    TTT_TRY(refuse_others(root, path, err));
    int64_t rank;
    double alpha;
    options->rank_stabilized = false;
    TTT_TRY(ttt_json_get_int(root, path, "r", 1, 65536, &rank, err));
    TTT_TRY(ttt_json_get_number(root, path, "lora_alpha", &alpha, err));
    TTT_TRY(ttt_json_optional_bool(root, path, "use_rslora", &options->rank_stabilized, err));
    options->adaptation = TTT_ADAPT_LORA;
    options->rank = (int32_t)rank;
    options->alpha = (float)alpha;
    if (!isfinite(options->alpha)) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: \"lora_alpha\" is %g, which is too large", path, alpha);
    }
    return read_targets(root, path, config, &options->targets, err);
}

ttt_status ttt_adapter_config_read(const char *path, const ttt_model_config *config, ttt_session_options *options,
                                   ttt_error *err) {
    json_t *root;
    TTT_TRY(ttt_json_read(path, &root, err));
    ttt_session_options read = *options;
    const ttt_status status = read_root(root, path, config, &read, err);
    json_decref(root);
    if (status == TTT_OK) *options = read;
    return status;
}

/* ---------------------------------------------------------------------------------------------- writing */

/* Each targeted kind once, by the last part of its name: "q_proj". */
static json_t *target_modules(const ttt_model_config *config, uint32_t targets) {
    json_t *list = json_array();
    ttt_adapter_module module;
    bool failed = list == NULL;
    for (size_t index = 0; !failed && ttt_adapter_next_module(config, &index, &module);) {
        if (module.layer > 0 || (targets >> module.kind & 1u) == 0) continue;
        const char *dot = strrchr(module.name, '.');
        failed = json_array_append_new(list, json_string(dot == NULL ? module.name : dot + 1)) != 0;
    }
    if (!failed) return list;
    json_decref(list);
    return NULL;
}

ttt_status ttt_adapter_config_write(const char *path, const ttt_model_config *config,
                                    const ttt_session_options *options, const char *base, ttt_error *err) {
    /* Whole where it can be: some readers expect an integer. */
    const double alpha = (double)options->alpha;
    json_t *number = alpha == floor(alpha) && fabs(alpha) < 1e15 ? json_integer((json_int_t)alpha) : json_real(alpha);
    json_t *root = json_pack("{s:s, s:s, s:s?, s:i, s:o, s:b, s:o, s:s, s:f, s:b, s:n, s:b}", "peft_type", "LORA",
                             "task_type", "CAUSAL_LM", "base_model_name_or_path", base, "r", (int)options->rank,
                             "lora_alpha", number, "use_rslora", (int)options->rank_stabilized, "target_modules",
                             target_modules(config, options->targets), "bias", "none", "lora_dropout", 0.0,
                             "fan_in_fan_out", 0, "modules_to_save", "inference_mode", 1);
    ttt_status status = root == NULL ? ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for '%s'", path)
                                     : ttt_json_write(path, root, JSON_INDENT(2), err);
    json_decref(root);
    return status;
}
