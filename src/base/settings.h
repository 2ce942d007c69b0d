/* Settings: one table of hyperparameters (name, default, range, unit, meaning, source) from which a struct, `--set`,
 * config files, what a run records and the documentation all come.
 *
 * A table is an X-macro file of lines
 *     SETTING(group, field, KIND, default, minimum, maximum, choices, unit, meaning, source)
 * for instance
 *     SETTING(ttt, steps, INT, "0", 0, 100000, "", "steps", "optimizer steps of a task; 0: planned", "ours")
 * which becomes the member `ttt_steps` and the name "ttt.steps". KIND is INT (int64_t), FLOAT (double), BOOL (bool),
 * ENUM (int32_t, an index into `choices`, "a|b|c") or STRING (char[]). Make the struct and the table with
 *     typedef struct my_settings {
 *     #define SETTING(...) TTT_SETTING_MEMBER(__VA_ARGS__)
 *     #include "my.def"
 *     #undef SETTING
 *     } my_settings;
 *     static const ttt_setting items[] = {
 *     #define SETTING(...) TTT_SETTING_ITEM(my_settings, __VA_ARGS__)
 *     ...
 * Such a struct is a plain value. */
#ifndef TTT_BASE_SETTINGS_H
#define TTT_BASE_SETTINGS_H

#include "base/json.h"

#include <stddef.h>

typedef enum ttt_setting_kind {
    TTT_SETTING_INT,
    TTT_SETTING_FLOAT,
    TTT_SETTING_BOOL,
    TTT_SETTING_ENUM,
    TTT_SETTING_STRING
} ttt_setting_kind;

enum { TTT_SETTING_TEXT = 128 }; /* bytes of a STRING, its NUL included */

typedef int64_t ttt_setting_c_INT;
typedef double ttt_setting_c_FLOAT;
typedef bool ttt_setting_c_BOOL;
typedef int32_t ttt_setting_c_ENUM;
typedef char ttt_setting_c_STRING[TTT_SETTING_TEXT];

#define TTT_SETTING_MEMBER(group, field, kind, ...) ttt_setting_c_##kind group##_##field;
#define TTT_SETTING_ITEM(type, group, field, kind, fallback, minimum, maximum, choices, unit, meaning, source)         \
    {#group "." #field,                                                                                                \
     TTT_SETTING_##kind,                                                                                               \
     offsetof(type, group##_##field),                                                                                  \
     fallback,                                                                                                         \
     minimum,                                                                                                          \
     maximum,                                                                                                          \
     choices,                                                                                                          \
     unit,                                                                                                             \
     meaning,                                                                                                          \
     source},

/* Index of `value` in "a|b|c", -1 when it is none of them. */
int32_t ttt_choice_index(const char *choices, const char *value);

typedef struct ttt_setting {
    const char *name;
    ttt_setting_kind kind;
    size_t offset;
    const char *fallback; /* the default, as a user would write it */
    double minimum, maximum;
    const char *choices, *unit, *meaning, *source;
} ttt_setting;

/* A named set of values: "name=value name=value", applied like so many --set. */
typedef struct ttt_preset {
    const char *name, *assignments, *meaning;
} ttt_preset;

typedef struct ttt_settings_table {
    const ttt_setting *items;
    size_t count;
    const ttt_preset *presets;
    size_t preset_count;
} ttt_settings_table;

/* The defaults of the table must be legal, which the tests of each table check with this. */
ttt_status ttt_settings_defaults(const ttt_settings_table *table, void *settings, ttt_error *err);
/* "name=value", or "preset=NAME". Errors are TTT_ERROR_ARGUMENT: an unknown name (with the nearest), a value of another
 * type or out of range. */
ttt_status ttt_settings_assign(const ttt_settings_table *table, void *settings, const char *assignment, ttt_error *err);
/* From JSON: {"preset": "paper", "ttt.steps": 20, "views": {"count": 8}}; names may be nested or dotted, a preset is
 * applied first. `where` begins error messages. */
ttt_status ttt_settings_from_json(const ttt_settings_table *table, void *settings, const json_t *object,
                                  const char *where, ttt_error *err);
ttt_status ttt_settings_read(const ttt_settings_table *table, void *settings, const char *path, ttt_error *err);
/* All of them, dotted, in the order of the table; new reference, NULL when memory is out. */
json_t *ttt_settings_to_json(const ttt_settings_table *table, const void *settings);
/* The documentation as text; *text is fresh memory (ttt_free). */
ttt_status ttt_settings_describe(const ttt_settings_table *table, char **text, ttt_error *err);

#endif
