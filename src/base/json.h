/* JSON through jansson, with errors that name file and place, and values checked for type. */
#ifndef TTT_BASE_JSON_H
#define TTT_BASE_JSON_H

#include "base/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Reads a file (at most 1 GiB; duplicate keys, trailing text and NUL refused). Release with json_decref. */
ttt_status ttt_json_read(const char *path, json_t **root, ttt_error *err);
/* The same from memory; `name` stands for the path in errors. */
ttt_status ttt_json_parse(const char *name, const char *text, size_t bytes, json_t **root, ttt_error *err);
/* Writes atomically; `flags` are jansson's (JSON_COMPACT, JSON_INDENT(2), ...); a newline is added at the end. */
ttt_status ttt_json_write(const char *path, const json_t *root, size_t flags, ttt_error *err);

/* Members of an object, checked: `where` names the object in errors ("config.json", "task 00d62c1b"). The required
 * getters fail when the member is missing or of another type; the optional ones leave *value alone when it is missing
 * (or null) and fail on another type. Strings are borrowed from the object. */
ttt_status ttt_json_get_int(const json_t *object, const char *where, const char *key, int64_t minimum, int64_t maximum,
                            int64_t *value, ttt_error *err);
ttt_status ttt_json_get_number(const json_t *object, const char *where, const char *key, double *value, ttt_error *err);
ttt_status ttt_json_get_string(const json_t *object, const char *where, const char *key, const char **value,
                               ttt_error *err);
ttt_status ttt_json_get_array(const json_t *object, const char *where, const char *key, json_t **value, ttt_error *err);
ttt_status ttt_json_get_object(const json_t *object, const char *where, const char *key, json_t **value,
                               ttt_error *err);
ttt_status ttt_json_optional_int(const json_t *object, const char *where, const char *key, int64_t minimum,
                                 int64_t maximum, int64_t *value, ttt_error *err);
ttt_status ttt_json_optional_number(const json_t *object, const char *where, const char *key, double *value,
                                    ttt_error *err);
ttt_status ttt_json_optional_bool(const json_t *object, const char *where, const char *key, bool *value,
                                  ttt_error *err);
/* For what must be as it was when a run began: TTT_ERROR_ARGUMENT unless both are equal, "<where>: the run began with
 * <name> <before>, now it is <now>"; of objects, about the first member of `now` that differs. NULL: nothing was there.
 */
ttt_status ttt_json_check_same(const char *where, const char *name, const json_t *before, const json_t *now,
                               ttt_error *err);
const char *ttt_json_type_name(const json_t *value); /* "an object", "a string", "nothing" for NULL ... */

#endif
