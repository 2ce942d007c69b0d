/* Reading tasks from the files people have:
 *   - one-task JSON: {"train": [{"input", "output"}, ...], "test": [{"input", ("output")}, ...]}; id = file name
 *   - folders of those, and archives of those (.tar, .tar.zst, .tar.gz, .zip: whatever libarchive reads)
 *   - Kaggle challenge files {id: task, ...}, with an optional solutions file {id: [grid, ...], ...}
 *   - RE-ARC: `<id>.json` = [{"input", "output"}, ...], a folder or archive of those (ttt_pairs_read)
 *
 * Every rule is checked: grids rectangular, 1..30 by 1..30, whole numbers 0..9; at least one demonstration and one
 * test. An error names file, task, pair and row: "tasks.json: task 00d62c1b: train pair 2 input: row 3 has 5 cells,
 * row 0 has 4" (pairs and rows count from 0). */
#ifndef TTT_ARC_TASK_READ_H
#define TTT_ARC_TASK_READ_H

#include "arc/task.h"
#include "base/json.h"

/* Called once for each bad task or file of a set; the others are kept. */
typedef struct ttt_problem_sink {
    void (*report)(void *context, const ttt_error *problem); /* NULL: the first problem fails the whole read */
    void *context;
} ttt_problem_sink;

/* Adds all tasks found at `path` (file, folder or archive; what it is, is detected) to *set. `solutions` is a Kaggle
 * solutions file or NULL; it fills the outputs of the tasks just read (a task it does not name stays unknown). A task
 * whose id is already in the set is a problem. Fails when nothing could be read at all: no such file, not JSON, not a
 * single good task. */
ttt_status ttt_task_set_read(ttt_task_set *set, const char *path, const char *solutions, ttt_problem_sink problems,
                             ttt_error *err);

/* Fills the test outputs of the tasks of *set from a Kaggle solutions file. Solutions for tasks that are not in the
 * set are ignored; a wrong number of grids is a problem of that task, whose outputs stay as they were. */
ttt_status ttt_solutions_read(ttt_task_set *set, const char *path, ttt_problem_sink problems, ttt_error *err);

/* Streams the example pairs of RE-ARC-like files: `path` is one <id>.json, a folder of them (or one with a `tasks`
 * folder in it), or an archive. One file at a time is in memory; `pairs` is valid during the call only. A status
 * other than TTT_OK from `each` ends the reading and is returned. Files come in the order of their names (folder) or
 * of the archive; `metadata.json` is left out. */
typedef ttt_status ttt_pairs_visitor(void *context, const char *id, const ttt_pair *pairs, size_t count,
                                     ttt_error *err);
ttt_status ttt_pairs_read(const char *path, ttt_pairs_visitor *each, void *context, ttt_problem_sink problems,
                          ttt_error *err);

/* The pieces, for others that meet grids and tasks in JSON (run store, golden vectors). The caller adds what it knows
 * of the place with ttt_fail_within. */
ttt_status ttt_grid_from_json(const json_t *rows, ttt_grid *grid, ttt_error *err);
json_t *ttt_grid_to_json(const ttt_grid *grid); /* new reference; NULL when memory is out */
/* `role` and `number` name the pair in errors: "train", 2 gives "train pair 2 input: row 3 has ...". */
ttt_status ttt_pair_from_json(const json_t *object, const char *role, size_t number, ttt_pair *pair, ttt_error *err);
ttt_status ttt_task_from_json(const json_t *object, const char *id, ttt_task *task, ttt_error *err);

#endif
