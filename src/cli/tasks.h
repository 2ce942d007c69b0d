/* Task sets as commands get them: several paths, solutions, a choice of ids; bad tasks told on stderr, the others kept.
 */
#ifndef TTT_CLI_TASKS_H
#define TTT_CLI_TASKS_H

#include "arc/task_read.h"
#include "cli/options.h"

typedef struct ttt_task_source {
    const char *command;   /* for messages */
    const char *solutions; /* Kaggle solutions file, or NULL */
    const char *ids;       /* "a,b": only these, in the order of the set; NULL: all */
} ttt_task_source;

/* Reads all paths into *set (zero-initialised; the caller releases it also after a failure). *problems counts the bad
 * tasks and files, each of which was told in one line on stderr. An id that is not in the set is an error. */
ttt_status ttt_tasks_read(const ttt_task_source *source, const ttt_option_list *paths, ttt_task_set *set,
                          size_t *problems, ttt_error *err);

#endif
