/* The tally and the reading of values. */
#include "golden.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void golden_begin(golden *g, const char *label, ...) {
    va_list arguments;
    va_start(arguments, label);
    vsnprintf(g->label, sizeof g->label, label, arguments);
    va_end(arguments);
    g->case_failed = false;
}

bool golden_fail(golden *g, const char *reason, ...) {
    enum { PRINTED = 20 }; /* of one file; a broken transform would otherwise print hundreds */
    if (!g->case_failed && g->failed < PRINTED) {
        va_list arguments;
        va_start(arguments, reason);
        fprintf(stderr, "%s: %s: ", g->file, g->label);
        vfprintf(stderr, reason, arguments);
        fputc('\n', stderr);
        va_end(arguments);
    }
    g->case_failed = true;
    return false;
}

void golden_end(golden *g) {
    if (g->case_failed)
        g->failed++;
    else
        g->passed++;
    g->case_failed = false;
}

/* Whether `name`, of this length, is one of the blank-separated words. */
static bool is_word(const char *words, const char *name, size_t length) {
    for (const char *at = words; (at = strstr(at, name)) != NULL; at++) {
        const bool begins = at == words || at[-1] == ' ';
        if (begins && (at[length] == ' ' || at[length] == '\0')) return true;
    }
    return false;
}

bool golden_has_members(golden *g, const json_t *object, const char *names) {
    const char *key, *optional = strchr(names, '|');
    const json_t *value;
    if (!json_is_object(object)) return golden_fail(g, "%s in place of an object", ttt_json_type_name(object));
    json_object_foreach((json_t *)object, key, value) {
        if (!is_word(names, key, strlen(key))) return golden_fail(g, "unknown member \"%s\"", key);
    }
    for (const char *at = names; *at && *at != '|'; at += strspn(at, " ")) {
        const size_t length = strcspn(at, " |");
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        if (length > 0 && !json_object_get(object, name)) return golden_fail(g, "no member \"%s\"", name);
        at += length;
        if (at == optional) break;
    }
    return true;
}

const json_t *golden_list(golden *g, const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (json_is_array(value)) return value;
    golden_fail(g, "\"%s\" is %s, expected a list", key, ttt_json_type_name(value));
    return NULL;
}

const json_t *golden_object(golden *g, const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (json_is_object(value)) return value;
    golden_fail(g, "\"%s\" is %s, expected an object", key, ttt_json_type_name(value));
    return NULL;
}

const char *golden_string(golden *g, const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (json_is_string(value)) return json_string_value(value);
    golden_fail(g, "\"%s\" is %s, expected a string", key, ttt_json_type_name(value));
    return NULL;
}

int64_t golden_count(golden *g, const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (json_is_integer(value) && json_integer_value(value) >= 0) return json_integer_value(value);
    golden_fail(g, "\"%s\" is not a count", key);
    return -1;
}

bool golden_number(golden *g, const json_t *value, double *number) {
    if (!json_is_number(value)) return golden_fail(g, "%s in place of a number", ttt_json_type_name(value));
    *number = json_number_value(value);
    return true;
}

bool golden_grid(golden *g, const json_t *value, bool empty, ttt_grid *grid) {
    ttt_error err;
    const json_t *row = json_array_get(value, 0);
    if (empty && json_array_size(value) == 1 && json_is_array(row) && json_array_size(row) == 0) {
        *grid = ttt_grid_filled(1, 0, 0);
        return true;
    }
    return ttt_grid_from_json(value, grid, &err) == TTT_OK || golden_fail(g, "a grid: %s", err.message);
}

bool golden_pair(golden *g, const json_t *value, ttt_pair *pair) {
    return golden_has_members(g, value, "input output") &&
           golden_grid(g, json_object_get(value, "input"), false, &pair->input) &&
           golden_grid(g, json_object_get(value, "output"), false, &pair->output);
}

ttt_pair *golden_pairs(golden *g, const json_t *list, size_t *count) {
    *count = json_array_size(list);
    if (!json_is_array(list) || *count > TTT_DEMONSTRATIONS_MAX) {
        golden_fail(g, "%s with %zu items in place of a list of at most %d pairs", ttt_json_type_name(list), *count,
                    TTT_DEMONSTRATIONS_MAX);
        return NULL;
    }
    ttt_pair *pairs = ttt_allocate(*count, sizeof *pairs);
    for (size_t i = 0; pairs && i < *count; i++)
        if (!golden_pair(g, json_array_get(list, i), &pairs[i])) {
            ttt_free(pairs);
            return NULL;
        }
    return pairs;
}

int golden_numbers(golden *g, const json_t *list, int limit, uint8_t *numbers) {
    const size_t count = json_array_size(list);
    if (!json_is_array(list) || count > TTT_DEMONSTRATIONS_MAX) {
        golden_fail(g, "%s in place of a list of numbers", ttt_json_type_name(list));
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_array_get(list, i);
        if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) >= limit) {
            golden_fail(g, "number %zu of a list is not one of 0..%d", i, limit - 1);
            return -1;
        }
        numbers[i] = (uint8_t)json_integer_value(value);
    }
    return (int)count;
}

bool golden_colours(golden *g, const json_t *list, ttt_colours *colours) {
    uint8_t numbers[TTT_DEMONSTRATIONS_MAX];
    const int count = golden_numbers(g, list, TTT_COLOURS, numbers);
    if (count != TTT_COLOURS) return golden_fail(g, "a colour map of %d entries", count);
    memcpy(colours->map, numbers, TTT_COLOURS);
    return true;
}

bool golden_transform(golden *g, const json_t *name, ttt_transform *transform) {
    *transform = (ttt_transform){0};
    if (json_is_null(name)) return true;
    if (!json_is_string(name)) return golden_fail(g, "%s in place of a transform's name", ttt_json_type_name(name));
    return ttt_transform_from_name(json_string_value(name), transform) ||
           golden_fail(g, "unknown transform \"%s\"", json_string_value(name));
}
