/* Grids and tasks from JSON values, every rule checked. Each level adds the place it knows to the sentence of the
 * level below: cell, row | pair, side | task | file. */
#include "arc/task_read.h"

#include <string.h>

static ttt_status cell_from_json(const json_t *value, size_t row, size_t column, uint8_t *cell, ttt_error *err) {
    if (!json_is_integer(value))
        return ttt_fail(err, TTT_ERROR_FORMAT, "row %zu, column %zu is %s, expected a colour 0..9", row, column,
                        ttt_json_type_name(value));
    const json_int_t colour = json_integer_value(value);
    if (colour < 0 || colour >= TTT_COLOURS)
        return ttt_fail(err, TTT_ERROR_FORMAT,
                        "row %zu, column %zu is %" JSON_INTEGER_FORMAT ", expected a colour 0..9", row, column, colour);
    *cell = (uint8_t)colour;
    return TTT_OK;
}

ttt_status ttt_grid_from_json(const json_t *rows, ttt_grid *grid, ttt_error *err) {
    if (!json_is_array(rows))
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s in place of a grid, which is a list of rows",
                        ttt_json_type_name(rows));
    const size_t height = json_array_size(rows), width = json_array_size(json_array_get(rows, 0));
    if (height < 1 || height > TTT_GRID_MAX)
        return ttt_fail(err, TTT_ERROR_FORMAT, "the grid has %zu rows, expected 1 to %d", height, TTT_GRID_MAX);
    for (size_t r = 0; r < height; r++) {
        const json_t *row = json_array_get(rows, r);
        if (!json_is_array(row))
            return ttt_fail(err, TTT_ERROR_FORMAT, "row %zu is %s, expected a list of colours", r,
                            ttt_json_type_name(row));
        if (json_array_size(row) != width)
            return ttt_fail(err, TTT_ERROR_FORMAT, "row %zu has %zu cells, row 0 has %zu", r, json_array_size(row),
                            width);
        if (width < 1 || width > TTT_GRID_MAX)
            return ttt_fail(err, TTT_ERROR_FORMAT, "row %zu has %zu cells, expected 1 to %d", r, width, TTT_GRID_MAX);
        for (size_t c = 0; c < width; c++)
            TTT_TRY(cell_from_json(json_array_get(row, c), r, c, &grid->cells[r * width + c], err));
    }
    grid->height = (uint8_t)height;
    grid->width = (uint8_t)width;
    return TTT_OK;
}

json_t *ttt_grid_to_json(const ttt_grid *grid) {
    json_t *rows = json_array();
    for (int r = 0; rows && r < grid->height; r++) {
        json_t *row = json_array();
        for (int c = 0; row && c < grid->width; c++)
            if (json_array_append_new(row, json_integer(ttt_grid_at(grid, r, c))) != 0) {
                json_decref(row);
                row = NULL;
            }
        if (json_array_append_new(rows, row) != 0) { /* fails for a NULL row too */
            json_decref(rows);
            rows = NULL;
        }
    }
    return rows;
}

/* One member of a pair; `role` and `number` name the pair in errors ("train pair 2 input: ..."). */
static ttt_status side_from_json(const json_t *pair, const char *role, size_t number, const char *side, ttt_grid *grid,
                                 ttt_error *err) {
    if (!json_is_object(pair))
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s pair %zu is %s, expected an object with input and output", role,
                        number, ttt_json_type_name(pair));
    const json_t *rows = json_object_get(pair, side);
    if (!rows) return ttt_fail(err, TTT_ERROR_FORMAT, "%s pair %zu has no %s", role, number, side);
    const ttt_status status = ttt_grid_from_json(rows, grid, err);
    return status == TTT_OK ? TTT_OK : ttt_fail_within(err, status, "%s pair %zu %s", role, number, side);
}

ttt_status ttt_pair_from_json(const json_t *object, const char *role, size_t number, ttt_pair *pair, ttt_error *err) {
    TTT_TRY(side_from_json(object, role, number, "input", &pair->input, err));
    return side_from_json(object, role, number, "output", &pair->output, err);
}

/* The output of a test pair may be missing or null: then it is not known. */
static ttt_status test_from_json(const json_t *object, size_t number, ttt_test *test, ttt_error *err) {
    TTT_TRY(side_from_json(object, "test", number, "input", &test->input, err));
    const json_t *output = json_object_get(object, "output");
    test->known = output && !json_is_null(output);
    return test->known ? side_from_json(object, "test", number, "output", &test->output, err) : TTT_OK;
}

/* The list under `key`, with 1..maximum items. */
static ttt_status pairs_member(const json_t *object, const char *key, size_t maximum, const json_t **pairs,
                               ttt_error *err) {
    *pairs = json_object_get(object, key);
    if (!*pairs) return ttt_fail(err, TTT_ERROR_FORMAT, "there is no \"%s\"", key);
    if (!json_is_array(*pairs))
        return ttt_fail(err, TTT_ERROR_FORMAT, "\"%s\" is %s, expected a list of pairs", key,
                        ttt_json_type_name(*pairs));
    const size_t count = json_array_size(*pairs);
    if (count == 0) return ttt_fail(err, TTT_ERROR_FORMAT, "\"%s\" is empty, expected at least one pair", key);
    if (count > maximum)
        return ttt_fail(err, TTT_ERROR_FORMAT, "\"%s\" has %zu pairs, expected at most %zu", key, count, maximum);
    return TTT_OK;
}

/* Ids are printed: they must not move a terminal's cursor. */
static ttt_status check_id(const char *id, ttt_error *err) {
    for (const char *at = id; *at != '\0'; at++) {
        if (ttt_is_control(*at))
            return ttt_fail(err, TTT_ERROR_FORMAT, "its id has a control character (byte %d)", (unsigned char)*at);
    }
    return TTT_OK;
}

static ttt_status task_parts_from_json(const json_t *object, const char *id, ttt_task *task, ttt_error *err) {
    if (!json_is_object(object))
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s in place of an object with \"train\" and \"test\"",
                        ttt_json_type_name(object));
    const json_t *train, *test;
    TTT_TRY(check_id(id, err));
    TTT_TRY(pairs_member(object, "train", TTT_DEMONSTRATIONS_MAX, &train, err));
    TTT_TRY(pairs_member(object, "test", TTT_TESTS_MAX, &test, err));
    TTT_TRY(ttt_task_init(task, id, json_array_size(train), json_array_size(test), err));
    for (size_t i = 0; i < task->demonstration_count; i++)
        TTT_TRY(ttt_pair_from_json(json_array_get(train, i), "train", i, &task->demonstrations[i], err));
    for (size_t i = 0; i < task->test_count; i++)
        TTT_TRY(test_from_json(json_array_get(test, i), i, &task->tests[i], err));
    return TTT_OK;
}

ttt_status ttt_task_from_json(const json_t *object, const char *id, ttt_task *task, ttt_error *err) {
    *task = (ttt_task){0};
    const ttt_status status = task_parts_from_json(object, id, task, err);
    if (status == TTT_OK) return TTT_OK;
    ttt_task_release(task);
    return ttt_fail_within(err, status, "task %s", id);
}
