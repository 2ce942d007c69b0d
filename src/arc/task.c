/* Tasks and sets of them: memory, equality, search. */
#include "arc/task.h"

#include "base/memory.h"
#include "base/random.h"

#include <string.h>

ttt_status ttt_task_init(ttt_task *task, const char *id, size_t demonstrations, size_t tests, ttt_error *err) {
    *task = (ttt_task){
        .id = ttt_string_copy(id),
        .demonstrations = ttt_allocate(demonstrations, sizeof(ttt_pair)),
        .demonstration_count = demonstrations,
        .tests = ttt_allocate(tests, sizeof(ttt_test)),
        .test_count = tests,
    };
    if (task->id && task->demonstrations && task->tests) return TTT_OK;
    ttt_task_release(task);
    return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for task %s with %zu pairs and %zu tests", id, demonstrations,
                    tests);
}

ttt_status ttt_task_copy(ttt_task *copy, const ttt_task *task, ttt_error *err) {
    TTT_TRY(ttt_task_init(copy, task->id, task->demonstration_count, task->test_count, err));
    memcpy(copy->demonstrations, task->demonstrations, task->demonstration_count * sizeof(ttt_pair));
    memcpy(copy->tests, task->tests, task->test_count * sizeof(ttt_test));
    return TTT_OK;
}

void ttt_task_release(ttt_task *task) {
    ttt_free(task->id);
    ttt_free(task->demonstrations);
    ttt_free(task->tests);
    *task = (ttt_task){0};
}

bool ttt_pair_equal(const ttt_pair *a, const ttt_pair *b) {
    return ttt_grid_equal(&a->input, &b->input) && ttt_grid_equal(&a->output, &b->output);
}

uint64_t ttt_pair_hash(uint64_t hash, const ttt_pair *pair) {
    return ttt_grid_hash(ttt_grid_hash(hash, &pair->input), &pair->output);
}

ttt_status ttt_task_set_add(ttt_task_set *set, ttt_task *task, ttt_error *err) {
    if (ttt_task_set_find(set, task->id))
        return ttt_fail(err, TTT_ERROR_FORMAT, "task %s: a task with this id was read before", task->id);
    TTT_TRY(TTT_PUSH(set, *task, err));
    *task = (ttt_task){0};
    return TTT_OK;
}

/* Linear: sets have hundreds of tasks, and a string comparison costs nanoseconds where a task costs seconds. */
const ttt_task *ttt_task_set_find(const ttt_task_set *set, const char *id) {
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->items[i].id, id) == 0) return &set->items[i];
    return NULL;
}

void ttt_task_set_release(ttt_task_set *set) {
    for (size_t i = 0; i < set->count; i++) ttt_task_release(&set->items[i]);
    ttt_free(set->items);
    *set = (ttt_task_set){0};
}
