/* Task sets and example pairs from whatever is at a path. */
#include "arc/task_read.h"

#include "arc/json_files.h"
#include "arc/pairs_scan.h"
#include "base/memory.h"

#include <string.h>

/* --- Task sets --------------------------------------------------------------------------------------------------- */

typedef struct set_reading {
    ttt_task_set *set;
    ttt_problem_sink problems;
} set_reading;

static ttt_status add_task(set_reading *reading, const char *name, const char *id, const json_t *object,
                           ttt_error *err) {
    ttt_task task = {0};
    ttt_status status = ttt_task_from_json(object, id, &task, err);
    if (status == TTT_OK) status = ttt_task_set_add(reading->set, &task, err);
    ttt_task_release(&task);
    return status == TTT_OK ? TTT_OK : ttt_fail_within(err, status, "%s", name);
}

/* Every member of a challenge file is a task; a bad one is a problem and the rest is kept. */
static ttt_status add_challenges(set_reading *reading, const char *name, const json_t *root, ttt_error *err) {
    const char *id;
    const json_t *object;
    if (json_object_size(root) == 0) return ttt_fail(err, TTT_ERROR_FORMAT, "%s: the file holds no task", name);
    json_object_foreach((json_t *)root, id, object) { /* jansson's macro wants no const, and changes nothing */
        const ttt_status status = add_task(reading, name, id, object, err);
        TTT_TRY(ttt_problem_report(reading->problems, status, err));
    }
    return TTT_OK;
}

/* Nothing but lists: one list of grids per task. */
static bool looks_like_solutions(const json_t *root) {
    const char *id;
    const json_t *value;
    json_object_foreach((json_t *)root, id, value) {
        if (!json_is_array(value)) return false;
    }
    return json_object_size(root) > 0;
}

static ttt_status add_root(set_reading *reading, const char *name, const char *id, const json_t *root, ttt_error *err) {
    if (json_object_get(root, "train") || json_object_get(root, "test")) return add_task(reading, name, id, root, err);
    if (json_is_array(root))
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: a list in place of a task; lists of example pairs are for training",
                        name);
    if (looks_like_solutions(root))
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: this is a solutions file, expected tasks", name);
    return add_challenges(reading, name, root, err);
}

static ttt_status add_file(void *context, const char *name, const char *id, const char *text, size_t bytes,
                           ttt_error *err) {
    json_t *root;
    TTT_TRY(ttt_json_parse(name, text, bytes, &root, err));
    const ttt_status status = add_root(context, name, id, root, err);
    json_decref(root);
    return status;
}

ttt_status ttt_task_set_read(ttt_task_set *set, const char *path, const char *solutions, ttt_problem_sink problems,
                             ttt_error *err) {
    set_reading reading = {set, problems};
    const size_t before = set->count;
    TTT_TRY(ttt_json_files_read(path, add_file, &reading, problems, err));
    if (set->count == before) return ttt_fail(err, TTT_ERROR_FORMAT, "%s: not a single good task", path);
    return solutions ? ttt_solutions_read(set, solutions, problems, err) : TTT_OK;
}

/* --- Solutions --------------------------------------------------------------------------------------------------- */

static ttt_status solution_from_json(ttt_task *task, const json_t *grids, ttt_error *err) {
    if (!json_is_array(grids))
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s, expected a list of grids", ttt_json_type_name(grids));
    if (json_array_size(grids) != task->test_count)
        return ttt_fail(err, TTT_ERROR_FORMAT, "%zu grids, but the task has %zu test inputs", json_array_size(grids),
                        task->test_count);
    for (int pass = 0; pass < 2; pass++) /* first check all, then write: a bad solution changes nothing */
        for (size_t i = 0; i < task->test_count; i++) {
            ttt_grid grid;
            const ttt_status status = ttt_grid_from_json(json_array_get(grids, i), &grid, err);
            if (status != TTT_OK) return ttt_fail_within(err, status, "test %zu", i);
            if (pass == 0) continue;
            task->tests[i].output = grid;
            task->tests[i].known = true;
        }
    return TTT_OK;
}

ttt_status ttt_solutions_read(ttt_task_set *set, const char *path, ttt_problem_sink problems, ttt_error *err) {
    json_t *root;
    ttt_status status;
    TTT_TRY(ttt_json_read(path, &root, err));
    if (!json_is_object(root)) {
        status = ttt_fail(err, TTT_ERROR_FORMAT, "%s: %s in place of an object of solutions", path,
                          ttt_json_type_name(root));
        goto out;
    }
    for (size_t i = 0; i < set->count; i++) {
        const json_t *grids = json_object_get(root, set->items[i].id);
        if (!grids) continue;
        status = solution_from_json(&set->items[i], grids, err);
        if (status != TTT_OK) ttt_fail_within(err, status, "%s: solution of task %s", path, set->items[i].id);
        TTT_TRY_OUT(ttt_problem_report(problems, status, err));
    }
    status = TTT_OK;
out:
    json_decref(root);
    return status;
}

/* --- Example pairs ----------------------------------------------------------------------------------------------- */

typedef struct pairs_reading {
    ttt_pairs_visitor *each;
    void *context;
    ttt_pair_list pairs; /* kept from file to file, so that 400 files cost a handful of allocations */
    ttt_status stopped;  /* what the visitor failed with, which is no problem of the data; `reason` is its sentence */
    ttt_error reason;
} pairs_reading;

/* Through jansson: slow (RE-ARC's archive takes half a minute), but it knows what is wrong and where. */
static ttt_status parse_pairs(pairs_reading *reading, const char *name, const char *text, size_t bytes,
                              ttt_error *err) {
    json_t *root;
    TTT_TRY(ttt_json_parse(name, text, bytes, &root, err));
    ttt_status status = TTT_OK;
    const size_t count = json_array_size(root);
    if (!json_is_array(root))
        status = ttt_fail(err, TTT_ERROR_FORMAT, "%s: %s in place of a list of pairs", name, ttt_json_type_name(root));
    else if (count == 0)
        status = ttt_fail(err, TTT_ERROR_FORMAT, "%s: the list of pairs is empty", name);
    reading->pairs.count = 0;
    for (size_t i = 0; i < count && status == TTT_OK; i++) {
        ttt_pair pair;
        status = ttt_pair_from_json(json_array_get(root, i), "example", i, &pair, err);
        if (status == TTT_OK)
            status = TTT_PUSH(&reading->pairs, pair, err);
        else
            ttt_fail_within(err, status, "%s", name);
    }
    json_decref(root);
    return status;
}

static ttt_status read_pairs(void *context, const char *name, const char *id, const char *text, size_t bytes,
                             ttt_error *err) {
    pairs_reading *reading = context;
    bool understood;
    TTT_TRY(ttt_pairs_scan(text, bytes, &reading->pairs, &understood, err));
    if (!understood) TTT_TRY(parse_pairs(reading, name, text, bytes, err));
    reading->stopped =
        reading->each(reading->context, id, reading->pairs.items, reading->pairs.count, &reading->reason);
    return reading->stopped == TTT_OK ? TTT_OK : ttt_fail(err, TTT_ERROR_CANCELLED, "%s: the reading was ended", name);
}

ttt_status ttt_pairs_read(const char *path, ttt_pairs_visitor *each, void *context, ttt_problem_sink problems,
                          ttt_error *err) {
    pairs_reading reading = {.each = each, .context = context};
    const ttt_status status = ttt_json_files_read(path, read_pairs, &reading, problems, err);
    ttt_free(reading.pairs.items);
    if (reading.stopped == TTT_OK) return status;
    if (err) *err = reading.reason;
    return reading.stopped;
}
