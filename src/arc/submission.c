/* submission.json in memory, read and written. */
#include "arc/submission.h"

#include "arc/task_read.h"
#include "base/memory.h"

#include <string.h>

static ttt_attempts fallback(void) {
    const ttt_grid dot = ttt_grid_filled(1, 1, 0);
    return (ttt_attempts){.count = 2, .grids = {dot, dot}};
}

void ttt_submission_release(ttt_submission *submission) {
    for (size_t i = 0; i < submission->count; i++) {
        ttt_free(submission->items[i].id);
        ttt_free(submission->items[i].outputs);
    }
    ttt_free(submission->items);
    *submission = (ttt_submission){0};
}

ttt_submission_entry *ttt_submission_find(const ttt_submission *submission, const char *id) {
    for (size_t i = 0; i < submission->count; i++)
        if (strcmp(submission->items[i].id, id) == 0) return &submission->items[i];
    return NULL;
}

/* The entry of this id, made where missing, with at least `outputs` outputs. */
static ttt_status entry_with(ttt_submission *submission, const char *id, size_t outputs, ttt_submission_entry **entry,
                             ttt_error *err) {
    *entry = ttt_submission_find(submission, id);
    if (!*entry) {
        const ttt_submission_entry fresh = {.id = ttt_string_copy(id)};
        if (!fresh.id) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the answers of task %s", id);
        const ttt_status status = TTT_PUSH(submission, fresh, err);
        if (status != TTT_OK) {
            ttt_free(fresh.id);
            return status;
        }
        *entry = &submission->items[submission->count - 1];
    }
    if ((*entry)->count >= outputs) return TTT_OK;
    ttt_attempts *grown = ttt_reallocate((*entry)->outputs, (*entry)->count, outputs, sizeof *grown);
    if (!grown) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the answers of task %s", id);
    for (size_t i = (*entry)->count; i < outputs; i++) grown[i] = fallback();
    (*entry)->outputs = grown;
    (*entry)->count = outputs;
    return TTT_OK;
}

ttt_status ttt_submission_init(ttt_submission *submission, const ttt_task_set *tasks, ttt_error *err) {
    *submission = (ttt_submission){0};
    for (size_t i = 0; i < tasks->count; i++) {
        ttt_submission_entry *entry;
        const ttt_status status = entry_with(submission, tasks->items[i].id, tasks->items[i].test_count, &entry, err);
        if (status == TTT_OK) continue;
        ttt_submission_release(submission);
        return status;
    }
    return TTT_OK;
}

ttt_status ttt_submission_set(ttt_submission *submission, const char *id, size_t test, const ttt_grid *first,
                              const ttt_grid *second, ttt_error *err) {
    ttt_submission_entry *entry;
    TTT_TRY(entry_with(submission, id, test + 1, &entry, err));
    entry->outputs[test] = fallback();
    entry->outputs[test].grids[0] = *first;
    if (second) entry->outputs[test].grids[1] = *second;
    return TTT_OK;
}

/* --- Reading ----------------------------------------------------------------------------------------------------- */

static const char *const attempt_keys[TTT_ATTEMPTS_MAX] = {"attempt_1", "attempt_2", "attempt_3"};

static ttt_status attempts_from_json(const json_t *object, ttt_attempts *attempts, ttt_error *err) {
    if (!json_is_object(object))
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s, expected an object with attempt_1 and attempt_2",
                        ttt_json_type_name(object));
    *attempts = fallback();
    for (int a = 0; a < TTT_ATTEMPTS_MAX; a++) {
        const json_t *rows = json_object_get(object, attempt_keys[a]);
        if (!rows && a == 2) break;
        if (!rows) return ttt_fail(err, TTT_ERROR_FORMAT, "there is no %s", attempt_keys[a]);
        const ttt_status status = ttt_grid_from_json(rows, &attempts->grids[a], err);
        if (status != TTT_OK) return ttt_fail_within(err, status, "%s", attempt_keys[a]);
        attempts->count = a < 2 ? 2 : 3;
    }
    if (json_object_size(object) != attempts->count)
        return ttt_fail(err, TTT_ERROR_FORMAT, "%zu members, expected attempt_1 and attempt_2 only",
                        json_object_size(object));
    return TTT_OK;
}

static ttt_status entry_from_json(ttt_submission *submission, const char *id, const json_t *list, ttt_error *err) {
    if (!json_is_array(list))
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s, expected a list with one object per test input",
                        ttt_json_type_name(list));
    const size_t count = json_array_size(list);
    if (count < 1 || count > TTT_TESTS_MAX)
        return ttt_fail(err, TTT_ERROR_FORMAT, "%zu test outputs, expected 1 to %d", count, TTT_TESTS_MAX);
    ttt_submission_entry *entry;
    TTT_TRY(entry_with(submission, id, count, &entry, err));
    for (size_t i = 0; i < count; i++) {
        const ttt_status status = attempts_from_json(json_array_get(list, i), &entry->outputs[i], err);
        if (status != TTT_OK) return ttt_fail_within(err, status, "test %zu", i);
    }
    return TTT_OK;
}

ttt_status ttt_submission_from_json(ttt_submission *submission, const json_t *root, ttt_error *err) {
    const char *id;
    const json_t *list;
    *submission = (ttt_submission){0};
    if (!json_is_object(root))
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s in place of an object {task: answers}", ttt_json_type_name(root));
    json_object_foreach((json_t *)root, id, list) { /* jansson's macro wants no const, and changes nothing */
        const ttt_status status = entry_from_json(submission, id, list, err);
        if (status == TTT_OK) continue;
        ttt_submission_release(submission);
        return ttt_fail_within(err, status, "task %s", id);
    }
    return TTT_OK;
}

ttt_status ttt_submission_read(ttt_submission *submission, const char *path, ttt_error *err) {
    json_t *root;
    *submission = (ttt_submission){0};
    TTT_TRY(ttt_json_read(path, &root, err));
    const ttt_status status = ttt_submission_from_json(submission, root, err);
    json_decref(root);
    return status == TTT_OK ? TTT_OK : ttt_fail_within(err, status, "%s", path);
}

/* --- Writing ----------------------------------------------------------------------------------------------------- */

static json_t *attempts_to_json(const ttt_attempts *attempts) {
    json_t *object = json_object();
    for (int a = 0; object && a < attempts->count; a++)
        if (json_object_set_new(object, attempt_keys[a], ttt_grid_to_json(&attempts->grids[a])) != 0) {
            json_decref(object);
            object = NULL;
        }
    return object;
}

static json_t *entry_to_json(const ttt_submission_entry *entry) {
    json_t *list = json_array();
    for (size_t i = 0; list && i < entry->count; i++)
        if (json_array_append_new(list, attempts_to_json(&entry->outputs[i])) != 0) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

json_t *ttt_submission_to_json(const ttt_submission *submission) {
    json_t *root = json_object();
    for (size_t i = 0; root && i < submission->count; i++)
        if (json_object_set_new(root, submission->items[i].id, entry_to_json(&submission->items[i])) != 0) {
            json_decref(root);
            root = NULL;
        }
    return root;
}

ttt_status ttt_submission_write(const ttt_submission *submission, const char *path, ttt_error *err) {
    json_t *root = ttt_submission_to_json(submission);
    if (!root) return ttt_fail(err, TTT_ERROR_MEMORY, "%s: out of memory, or a task id that is not UTF-8", path);
    const ttt_status status = ttt_json_write(path, root, JSON_COMPACT | JSON_SORT_KEYS, err);
    json_decref(root);
    return status;
}
