#include "base/settings.h"

#include "base/memory.h"
#include "base/names.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Values ------------------------------------------------------------------------------------------------------ */

static void *member(const ttt_setting *setting, void *settings) {
    return (char *)settings + setting->offset;
}

int32_t ttt_choice_index(const char *choices, const char *value) {
    size_t length = strlen(value);
    int32_t index = 0;
    for (const char *at = choices; *at != '\0'; index++) {
        size_t here = strcspn(at, "|");
        if (here == length && memcmp(at, value, length) == 0) return index;
        at += here + (at[here] == '|');
    }
    return -1;
}

static ttt_status refuse(const ttt_setting *setting, const char *value, const char *expected, ttt_error *err) {
    return ttt_fail(err, TTT_ERROR_ARGUMENT, "%s: '%s' is not %s", setting->name, value, expected);
}

static ttt_status check_range(const ttt_setting *setting, double number, const char *value, ttt_error *err) {
    if (number >= setting->minimum && number <= setting->maximum) return TTT_OK;
    return ttt_fail(err, TTT_ERROR_ARGUMENT, "%s: %s is not within %.15g and %.15g", setting->name, value,
                    setting->minimum, setting->maximum);
}

static ttt_status set_number(const ttt_setting *setting, void *to, const char *value, ttt_error *err) {
    char *end;
    errno = 0;
    if (setting->kind == TTT_SETTING_INT) {
        long long number = strtoll(value, &end, 10);
        if (end == value || *end != '\0' || errno != 0) return refuse(setting, value, "a whole number", err);
        TTT_TRY(check_range(setting, (double)number, value, err));
        *(int64_t *)to = number;
        return TTT_OK;
    }
    double number = strtod(value, &end);
    if (end == value || *end != '\0' || !isfinite(number)) return refuse(setting, value, "a number", err);
    TTT_TRY(check_range(setting, number, value, err));
    *(double *)to = number;
    return TTT_OK;
}

static ttt_status set_value(const ttt_setting *setting, void *settings, const char *value, ttt_error *err) {
    void *to = member(setting, settings);
    switch (setting->kind) {
    case TTT_SETTING_BOOL: {
        bool on = strcmp(value, "true") == 0 || strcmp(value, "on") == 0 || strcmp(value, "1") == 0;
        bool off = strcmp(value, "false") == 0 || strcmp(value, "off") == 0 || strcmp(value, "0") == 0;
        if (!on && !off) return refuse(setting, value, "true or false", err);
        *(bool *)to = on;
        return TTT_OK;
    }
    case TTT_SETTING_ENUM: {
        int32_t index = ttt_choice_index(setting->choices, value);
        if (index < 0)
            return ttt_fail(err, TTT_ERROR_ARGUMENT, "%s: '%s' is none of %s", setting->name, value, setting->choices);
        *(int32_t *)to = index;
        return TTT_OK;
    }
    case TTT_SETTING_STRING:
        if (strlen(value) >= TTT_SETTING_TEXT) return refuse(setting, value, "short enough (127 bytes)", err);
        memcpy(to, value, strlen(value) + 1);
        return TTT_OK;
    case TTT_SETTING_INT:
    case TTT_SETTING_FLOAT: break;
    }
    return set_number(setting, to, value, err);
}

/* --- Names ------------------------------------------------------------------------------------------------------- */

static ttt_status find_setting(const ttt_settings_table *table, const char *name, const ttt_setting **found,
                               ttt_error *err) {
    char hint[TTT_NEAREST_TEXT];
    ttt_nearest nearest = {.name = name};
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->items[i].name, name) == 0) {
            *found = &table->items[i];
            return TTT_OK;
        }
        ttt_nearest_try(&nearest, table->items[i].name);
    }
    return ttt_fail(err, TTT_ERROR_ARGUMENT, "unknown setting '%s'%s", name, ttt_nearest_hint(&nearest, "", hint));
}

static ttt_status assign(const ttt_settings_table *table, void *settings, const char *name, const char *value,
                         ttt_error *err) {
    const ttt_setting *setting = NULL;
    TTT_TRY(find_setting(table, name, &setting, err));
    return set_value(setting, settings, value, err);
}

/* "name=value", `length` bytes of it. */
static ttt_status assign_text(const ttt_settings_table *table, void *settings, const char *text, size_t length,
                              ttt_error *err) {
    char line[2 * TTT_SETTING_TEXT];
    if (length >= sizeof line) return ttt_fail(err, TTT_ERROR_ARGUMENT, "'%.60s...' is too long", text);
    memcpy(line, text, length);
    line[length] = '\0';
    char *equals = strchr(line, '=');
    if (equals == NULL) return ttt_fail(err, TTT_ERROR_ARGUMENT, "'%s' is not of the form name=value", line);
    *equals = '\0';
    return assign(table, settings, line, equals + 1, err);
}

static ttt_status apply_preset(const ttt_settings_table *table, void *settings, const char *name, ttt_error *err) {
    char hint[TTT_NEAREST_TEXT];
    ttt_nearest nearest = {.name = name};
    for (size_t i = 0; i < table->preset_count; i++) {
        ttt_nearest_try(&nearest, table->presets[i].name);
        if (strcmp(table->presets[i].name, name) != 0) continue;
        for (const char *at = table->presets[i].assignments; *at != '\0';) {
            size_t length = strcspn(at, " ");
            TTT_TRY(assign_text(table, settings, at, length, err));
            at += length + strspn(at + length, " ");
        }
        return TTT_OK;
    }
    return ttt_fail(err, TTT_ERROR_ARGUMENT, "unknown preset '%s'%s", name, ttt_nearest_hint(&nearest, "", hint));
}

ttt_status ttt_settings_defaults(const ttt_settings_table *table, void *settings, ttt_error *err) {
    for (size_t i = 0; i < table->count; i++) {
        TTT_TRY(set_value(&table->items[i], settings, table->items[i].fallback, err));
    }
    return TTT_OK;
}

ttt_status ttt_settings_assign(const ttt_settings_table *table, void *settings, const char *assignment,
                               ttt_error *err) {
    if (strncmp(assignment, "preset=", 7) == 0) return apply_preset(table, settings, assignment + 7, err);
    return assign_text(table, settings, assignment, strlen(assignment), err);
}

/* --- JSON -------------------------------------------------------------------------------------------------------- */

static ttt_status assign_json(const ttt_settings_table *table, void *settings, const char *name, const json_t *value,
                              ttt_error *err) {
    char text[64];
    if (json_is_string(value)) return assign(table, settings, name, json_string_value(value), err);
    if (json_is_boolean(value)) return assign(table, settings, name, json_is_true(value) ? "true" : "false", err);
    if (json_is_integer(value)) {
        snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else if (json_is_real(value)) {
        snprintf(text, sizeof text, "%.17g", json_real_value(value));
    } else {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "%s: %s is not a value", name, ttt_json_type_name(value));
    }
    return assign(table, settings, name, text, err);
}

static ttt_status assign_members(const ttt_settings_table *table, void *settings, const json_t *object,
                                 const char *group, ttt_error *err) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        char name[TTT_SETTING_TEXT];
        if (group == NULL && strcmp(key, "preset") == 0) continue;
        snprintf(name, sizeof name, "%s%s%s", group == NULL ? "" : group, group == NULL ? "" : ".", key);
        if (group == NULL && json_is_object(value)) {
            TTT_TRY(assign_members(table, settings, value, key, err));
        } else {
            TTT_TRY(assign_json(table, settings, name, value, err));
        }
    }
    return TTT_OK;
}

ttt_status ttt_settings_from_json(const ttt_settings_table *table, void *settings, const json_t *object,
                                  const char *where, ttt_error *err) {
    ttt_status status = TTT_OK;
    const json_t *preset = json_object_get(object, "preset");
    if (!json_is_object(object)) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: %s in place of an object of settings", where,
                        ttt_json_type_name(object));
    }
    if (preset != NULL && !json_is_string(preset)) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: 'preset' is not a string", where);
    }
    if (preset != NULL) TTT_TRY_OUT(apply_preset(table, settings, json_string_value(preset), err));
    status = assign_members(table, settings, object, NULL, err);
out:
    return status == TTT_OK ? TTT_OK : ttt_fail_within(err, status, "%s", where);
}

ttt_status ttt_settings_read(const ttt_settings_table *table, void *settings, const char *path, ttt_error *err) {
    json_t *root;
    TTT_TRY(ttt_json_read(path, &root, err));
    ttt_status status = ttt_settings_from_json(table, settings, root, path, err);
    json_decref(root);
    return status;
}

static json_t *value_to_json(const ttt_setting *setting, const void *settings) {
    const void *from = (const char *)settings + setting->offset;
    switch (setting->kind) {
    case TTT_SETTING_INT: return json_integer(*(const int64_t *)from);
    case TTT_SETTING_FLOAT: return json_real(*(const double *)from);
    case TTT_SETTING_BOOL: return json_boolean(*(const bool *)from);
    case TTT_SETTING_STRING: return json_string(from);
    case TTT_SETTING_ENUM: break;
    }
    const char *at = setting->choices;
    for (int32_t i = 0; i < *(const int32_t *)from; i++) at += strcspn(at, "|") + 1;
    return json_stringn(at, strcspn(at, "|"));
}

json_t *ttt_settings_to_json(const ttt_settings_table *table, const void *settings) {
    json_t *object = json_object();
    for (size_t i = 0; object != NULL && i < table->count; i++) {
        if (json_object_set_new(object, table->items[i].name, value_to_json(&table->items[i], settings)) != 0) {
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}

/* --- Documentation ----------------------------------------------------------------------------------------------- */

static void describe_range(const ttt_setting *setting, char *text, size_t bytes) {
    if (setting->kind == TTT_SETTING_ENUM) {
        snprintf(text, bytes, "%s", setting->choices);
    } else if (setting->kind == TTT_SETTING_BOOL) {
        snprintf(text, bytes, "true|false");
    } else if (setting->kind == TTT_SETTING_STRING) {
        snprintf(text, bytes, "text");
    } else {
        snprintf(text, bytes, "%.15g to %.15g%s%s", setting->minimum, setting->maximum,
                 *setting->unit == '\0' ? "" : " ", setting->unit);
    }
}

ttt_status ttt_settings_describe(const ttt_settings_table *table, char **text, ttt_error *err) {
    char *data = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&data, &bytes);
    if (out == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the list of settings");
    for (size_t i = 0; i < table->count; i++) {
        const ttt_setting *setting = &table->items[i];
        char range[256];
        describe_range(setting, range, sizeof range);
        fprintf(out, "%s=%s\n    %s\n    %s; source: %s\n", setting->name, setting->fallback, setting->meaning, range,
                setting->source);
    }
    for (size_t i = 0; i < table->preset_count; i++) {
        fprintf(out, "preset=%s\n    %s\n    %s\n", table->presets[i].name, table->presets[i].meaning,
                table->presets[i].assignments);
    }
    bool failed = ferror(out) != 0;
    failed = fclose(out) != 0 || failed;
    *text = failed ? NULL : ttt_string_copy(data);
    free(data);
    return *text == NULL ? ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the list of settings") : TTT_OK;
}
