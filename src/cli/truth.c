#include "cli/truth.h"

#include "base/file.h"
#include "base/memory.h"

#include <string.h>

/* A solutions file is an object of lists of grids; a challenge file one of objects. */
static bool is_solutions(const json_t *root) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)root, key, value) return json_is_array(value);
    return false;
}

static ttt_status add_solution(ttt_task_set *set, const char *id, const json_t *grids, ttt_error *err) {
    ttt_task task = {0};
    ttt_status status;
    if (!json_is_array(grids) || json_array_size(grids) == 0 || json_array_size(grids) > TTT_TESTS_MAX) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s in place of a list of grids", ttt_json_type_name(grids));
    }
    TTT_TRY_OUT(ttt_task_init(&task, id, 0, json_array_size(grids), err));
    for (size_t i = 0; i < task.test_count; i++) {
        task.tests[i] = (ttt_test){.input = ttt_grid_filled(1, 1, 0), .known = true};
        status = ttt_grid_from_json(json_array_get(grids, i), &task.tests[i].output, err);
        if (status != TTT_OK) TTT_TRY_OUT(ttt_fail_within(err, status, "test %zu", i));
    }
    status = ttt_task_set_add(set, &task, err);
out:
    ttt_task_release(&task);
    return status;
}

static ttt_status read_solutions(const char *path, const json_t *root, ttt_task_set *set, ttt_error *err) {
    const char *id;
    json_t *grids;
    json_object_foreach((json_t *)root, id, grids) {
        ttt_status status = add_solution(set, id, grids, err);
        if (status != TTT_OK) return ttt_fail_within(err, status, "%s: task '%s'", path, id);
    }
    return TTT_OK;
}

ttt_status ttt_truth_read(const char *path, ttt_task_set *set, ttt_error *err) {
    json_t *root = NULL;
    if (!ttt_file_is_folder(path) && ttt_json_read(path, &root, NULL) == TTT_OK && is_solutions(root)) {
        ttt_status status = read_solutions(path, root, set, err);
        json_decref(root);
        return status;
    }
    json_decref(root);
    return ttt_task_set_read(set, path, NULL, (ttt_problem_sink){0}, err);
}

/* --- Levels ------------------------------------------------------------------------------------------------------ */

static ttt_status read_line(const char *line, size_t length, ttt_levels *levels, ttt_error *err) {
    const char *comma = memchr(line, ',', length);
    struct ttt_level level;
    if (comma == NULL || comma == line || comma == line + length - 1) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "'%.*s' is not of the form id,level", (int)length, line);
    }
    level.id = ttt_string_copy(line);
    level.level = ttt_string_copy(comma + 1);
    ttt_status status = level.id == NULL || level.level == NULL
                            ? ttt_fail(err, TTT_ERROR_MEMORY, "no memory for a list of levels")
                            : TTT_PUSH(levels, level, err);
    if (status != TTT_OK) {
        ttt_free(level.id);
        ttt_free(level.level);
        return status;
    }
    level.id[comma - line] = '\0';
    level.level[length - (size_t)(comma - line) - 1] = '\0';
    return TTT_OK;
}

ttt_status ttt_levels_read(const char *path, ttt_levels *levels, ttt_error *err) {
    enum { LARGEST = 16 << 20 };
    char *text = NULL;
    size_t bytes;
    TTT_TRY(ttt_file_read(path, LARGEST, &text, &bytes, err));
    ttt_status status = TTT_OK;
    size_t number = 1;
    for (const char *at = text; *at != '\0' && status == TTT_OK; number++) {
        size_t line = strcspn(at, "\n"), length = line > 0 && at[line - 1] == '\r' ? line - 1 : line;
        if (number == 1 && (length != 8 || memcmp(at, "id,level", 8) != 0)) {
            status = ttt_fail(err, TTT_ERROR_FORMAT, "the header is not id,level");
        } else if (number > 1 && length > 0) {
            status = read_line(at, length, levels, err);
        }
        if (status != TTT_OK) ttt_fail_within(err, status, "%s: line %zu", path, number);
        at += line + (at[line] == '\n');
    }
    ttt_free(text);
    return status;
}

void ttt_levels_release(ttt_levels *levels) {
    for (size_t i = 0; i < levels->count; i++) {
        ttt_free(levels->items[i].id);
        ttt_free(levels->items[i].level);
    }
    ttt_free(levels->items);
    *levels = (ttt_levels){0};
}
