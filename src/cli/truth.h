/* Known outputs to score against: a Kaggle solutions file, or tasks that hold their test outputs. */
#ifndef TTT_CLI_TRUTH_H
#define TTT_CLI_TRUTH_H

#include "arc/task_read.h"

/* Reads either into *set (zero-initialised). Tasks of a solutions file have no demonstrations, and test inputs of one
 * cell. Problems of single tasks are errors here: a score over part of a file would mislead. */
ttt_status ttt_truth_read(const char *path, ttt_task_set *set, ttt_error *err);

/* Levels: a CSV file "id,level" with that header. */
typedef struct ttt_levels {
    struct ttt_level {
        char *id;
        char *level;
    } * items;
    size_t count, capacity;
} ttt_levels;
ttt_status ttt_levels_read(const char *path, ttt_levels *levels, ttt_error *err);
void ttt_levels_release(ttt_levels *levels);

#endif
