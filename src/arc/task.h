/* Tasks: demonstration pairs and test inputs, and sets of them. */
#ifndef TTT_ARC_TASK_H
#define TTT_ARC_TASK_H

#include "arc/grid.h"
#include "base/status.h"

/* More demonstrations or tests than this are refused when a task is read (ARC's own have at most 10 and 4). */
enum { TTT_DEMONSTRATIONS_MAX = 64, TTT_TESTS_MAX = 1000 };

typedef struct ttt_pair {
    ttt_grid input, output;
} ttt_pair;

typedef struct ttt_test {
    ttt_grid input;
    ttt_grid output; /* meaningful only when known */
    bool known;
} ttt_test;

/* A task owns its memory: release with ttt_task_release; {0} is an empty task. */
typedef struct ttt_task {
    char *id;
    ttt_pair *demonstrations; /* [demonstration_count], 1..TTT_DEMONSTRATIONS_MAX once read */
    size_t demonstration_count;
    ttt_test *tests; /* [test_count], 1..TTT_TESTS_MAX once read */
    size_t test_count;
} ttt_task;

/* Room for the given counts, grids zero; `id` is copied. On failure *task is {0}. */
ttt_status ttt_task_init(ttt_task *task, const char *id, size_t demonstrations, size_t tests, ttt_error *err);
ttt_status ttt_task_copy(ttt_task *copy, const ttt_task *task, ttt_error *err);
void ttt_task_release(ttt_task *task); /* leaves {0} */

bool ttt_pair_equal(const ttt_pair *a, const ttt_pair *b);
uint64_t ttt_pair_hash(uint64_t hash, const ttt_pair *pair); /* chains like ttt_hash */

/* A growing set of tasks, in the order of reading; {0} is an empty set. */
typedef struct ttt_task_set {
    ttt_task *items;
    size_t count, capacity;
} ttt_task_set;

/* Moves *task into the set (*task becomes {0}). A task with the same id already there is an error and leaves *task
 * with the caller. */
ttt_status ttt_task_set_add(ttt_task_set *set, ttt_task *task, ttt_error *err);
const ttt_task *ttt_task_set_find(const ttt_task_set *set, const char *id); /* NULL when absent */
void ttt_task_set_release(ttt_task_set *set);                               /* leaves {0} */

#endif
