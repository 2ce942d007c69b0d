/* JSON through jansson. Its own error texts are good; they are put into our sentence with name, line and column. */
#include "base/json.h"

#include "base/file.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT = 1 << 30 };

ttt_status ttt_json_parse(const char *name, const char *text, size_t bytes, json_t **root, ttt_error *err) {
    json_error_t reason;
    *root = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &reason);
    if (*root != NULL) return TTT_OK;
    if (json_error_code(&reason) == json_error_out_of_memory) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "%s: out of memory while parsing JSON", name);
    }
    return ttt_fail(err, TTT_ERROR_FORMAT, "%s: line %d, column %d: not valid JSON: %s", name, reason.line,
                    reason.column, reason.text);
}

ttt_status ttt_json_read(const char *path, json_t **root, ttt_error *err) {
    *root = NULL;
    char *text;
    size_t bytes;
    TTT_TRY(ttt_file_read(path, FILE_LIMIT, &text, &bytes, err));
    ttt_status status = bytes == 0 ? ttt_fail(err, TTT_ERROR_FORMAT, "%s: the file is empty, JSON was expected", path)
                                   : ttt_json_parse(path, text, bytes, root, err);
    ttt_free(text);
    return status;
}

ttt_status ttt_json_write(const char *path, const json_t *root, size_t flags, ttt_error *err) {
    char *text = json_dumps(root, flags | JSON_ENCODE_ANY);
    if (text == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "cannot write '%s': out of memory for its JSON", path);
    /* The NUL's place becomes the newline: what is written needs no NUL. */
    size_t length = strlen(text);
    text[length] = '\n';
    ttt_status status = ttt_file_write_atomically(path, text, length + 1, err);
    free(text); /* jansson's, not ours */
    return status;
}

const char *ttt_json_type_name(const json_t *value) {
    if (value == NULL) return "nothing";
    switch (json_typeof(value)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "an array";
    case JSON_STRING: return "a string";
    case JSON_INTEGER: return "an integer";
    case JSON_REAL: return "a real number";
    case JSON_TRUE: return "true";
    case JSON_FALSE: return "false";
    case JSON_NULL: return "null";
    }
    return "an unknown value";
}

/* ---------------------------------------------------------------------------------------------- members */

static ttt_status fail_type(ttt_error *err, const char *where, const char *key, const char *wanted,
                            const json_t *found) {
    return ttt_fail(err, TTT_ERROR_FORMAT, "%s: '%s' must be %s, found %s", where, key, wanted,
                    ttt_json_type_name(found));
}

static ttt_status check_int(const json_t *member, const char *where, const char *key, int64_t minimum, int64_t maximum,
                            int64_t *value, ttt_error *err) {
    if (!json_is_integer(member)) return fail_type(err, where, key, "an integer", member);
    int64_t found = json_integer_value(member);
    if (found < minimum || found > maximum) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: '%s' must be between %" PRId64 " and %" PRId64 ", found %" PRId64,
                        where, key, minimum, maximum, found);
    }
    *value = found;
    return TTT_OK;
}

static ttt_status check_number(const json_t *member, const char *where, const char *key, double *value,
                               ttt_error *err) {
    if (!json_is_number(member)) return fail_type(err, where, key, "a number", member);
    *value = json_number_value(member);
    return TTT_OK;
}

ttt_status ttt_json_get_int(const json_t *object, const char *where, const char *key, int64_t minimum, int64_t maximum,
                            int64_t *value, ttt_error *err) {
    return check_int(json_object_get(object, key), where, key, minimum, maximum, value, err);
}

ttt_status ttt_json_get_number(const json_t *object, const char *where, const char *key, double *value,
                               ttt_error *err) {
    return check_number(json_object_get(object, key), where, key, value, err);
}

ttt_status ttt_json_get_string(const json_t *object, const char *where, const char *key, const char **value,
                               ttt_error *err) {
    const json_t *member = json_object_get(object, key);
    if (!json_is_string(member)) return fail_type(err, where, key, "a string", member);
    *value = json_string_value(member);
    return TTT_OK;
}

ttt_status ttt_json_get_array(const json_t *object, const char *where, const char *key, json_t **value,
                              ttt_error *err) {
    json_t *member = json_object_get(object, key);
    if (!json_is_array(member)) return fail_type(err, where, key, "an array", member);
    *value = member;
    return TTT_OK;
}

ttt_status ttt_json_get_object(const json_t *object, const char *where, const char *key, json_t **value,
                               ttt_error *err) {
    json_t *member = json_object_get(object, key);
    if (!json_is_object(member)) return fail_type(err, where, key, "an object", member);
    *value = member;
    return TTT_OK;
}

/* NULL when the member is missing or null: both mean "not said". */
static const json_t *optional_member(const json_t *object, const char *key) {
    const json_t *member = json_object_get(object, key);
    return json_is_null(member) ? NULL : member;
}

ttt_status ttt_json_optional_int(const json_t *object, const char *where, const char *key, int64_t minimum,
                                 int64_t maximum, int64_t *value, ttt_error *err) {
    const json_t *member = optional_member(object, key);
    return member == NULL ? TTT_OK : check_int(member, where, key, minimum, maximum, value, err);
}

ttt_status ttt_json_optional_number(const json_t *object, const char *where, const char *key, double *value,
                                    ttt_error *err) {
    const json_t *member = optional_member(object, key);
    return member == NULL ? TTT_OK : check_number(member, where, key, value, err);
}

ttt_status ttt_json_optional_bool(const json_t *object, const char *where, const char *key, bool *value,
                                  ttt_error *err) {
    const json_t *member = optional_member(object, key);
    if (member == NULL) return TTT_OK;
    if (!json_is_boolean(member)) return fail_type(err, where, key, "true or false", member);
    *value = json_is_true(member);
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- comparison */

ttt_status ttt_json_check_same(const char *where, const char *name, const json_t *before, const json_t *now,
                               ttt_error *err) {
    if (json_equal(before, now)) return TTT_OK;
    const char *member;
    json_t *value;
    json_object_foreach((json_t *)now, member, value) {
        TTT_TRY(ttt_json_check_same(where, member, json_object_get(before, member), value, err));
    }
    char *old = json_dumps(before, JSON_COMPACT | JSON_ENCODE_ANY),
         *new = json_dumps(now, JSON_COMPACT | JSON_ENCODE_ANY);
    ttt_fail(err, TTT_ERROR_ARGUMENT, "%s: the run began with %s %.100s, now it is %.100s", where, name,
             old == NULL ? "none" : old, new == NULL ? "none" : new);
    free(old); /* jansson's, not ours */
    free(new);
    return TTT_ERROR_ARGUMENT;
}
