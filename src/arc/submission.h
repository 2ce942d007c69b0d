/* Kaggle's submission.json: {id: [{"attempt_1": grid, "attempt_2": grid}, ...one per test input...], ...}. */
#ifndef TTT_ARC_SUBMISSION_H
#define TTT_ARC_SUBMISSION_H

#include "arc/task.h"
#include "base/json.h"

/* The rules allow two attempts. A third in a file is read, and counted apart when scoring, because the reference
 * counts it; what is written has two unless a third was set. */
enum { TTT_ATTEMPTS_MAX = 3 };
typedef struct ttt_attempts {
    uint8_t count; /* 2 or 3 */
    ttt_grid grids[TTT_ATTEMPTS_MAX];
} ttt_attempts;

typedef struct ttt_submission_entry {
    char *id;
    ttt_attempts *outputs; /* [count], one per test input, in order */
    size_t count;
} ttt_submission_entry;

/* Entries in the order added (or read); {0} is empty. */
typedef struct ttt_submission {
    ttt_submission_entry *items;
    size_t count, capacity;
} ttt_submission;
void ttt_submission_release(ttt_submission *submission); /* leaves {0} */

/* Every task of the set with the fallback [[0]] as both attempts: valid from the first second. */
ttt_status ttt_submission_init(ttt_submission *submission, const ttt_task_set *tasks, ttt_error *err);
/* NULL when there is no such task. */
ttt_submission_entry *ttt_submission_find(const ttt_submission *submission, const char *id);
/* Sets the attempts for one test input; the entry is made, and outputs before it are filled with [[0]], where missing.
 * `second` may be NULL: [[0]]. */
ttt_status ttt_submission_set(ttt_submission *submission, const char *id, size_t test, const ttt_grid *first,
                              const ttt_grid *second, ttt_error *err);

/* Checked: an object of lists of objects with both attempts, every grid legal; a message names file, task, test input,
 * attempt. Whether it fits a task set is the scorer's business. */
ttt_status ttt_submission_read(ttt_submission *submission, const char *path, ttt_error *err);
/* The same from and to a JSON value; errors name the task but no file. NULL when memory is out. */
ttt_status ttt_submission_from_json(ttt_submission *submission, const json_t *root, ttt_error *err);
json_t *ttt_submission_to_json(const ttt_submission *submission);
/* Atomic: a reader sees the old file or the new one, never a part. Ids sorted, so that equal content is equal bytes. */
ttt_status ttt_submission_write(const ttt_submission *submission, const char *path, ttt_error *err);

#endif
