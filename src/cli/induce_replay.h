/* Programs from files, run on tasks: those of our language (--program) and Python ones (--python). */
#ifndef TTT_CLI_INDUCE_REPLAY_H
#define TTT_CLI_INDUCE_REPLAY_H

#include "cli/options.h"
#include "solve/induced.h"

/* Runs a program on a task: *found has its answer, where it has one for every test input. */
ttt_status ttt_replay_program(const ttt_program *program, const ttt_task *task, ttt_induced *found, ttt_error *err);

/* Python programs of files. */
typedef struct ttt_python_files {
    const ttt_option_list *paths; /* borrowed */
    char **texts;                 /* [paths->count] */
    ttt_cage_result *results;     /* [paths->count], of the task that was last run */
    size_t *fitted;               /* [paths->count], demonstrations of it that each explains */
} ttt_python_files;
/* Zero-initialised before; release it in any case. */
ttt_status ttt_python_files_read(ttt_python_files *files, const ttt_option_list *paths, ttt_error *err);
void ttt_python_files_release(ttt_python_files *files);

/* Runs all of them within `seconds`; *found has the answers of those that fit every demonstration. */
ttt_status ttt_replay_python(ttt_python_files *files, ttt_cage *cage, const ttt_task *task, double seconds,
                             const ttt_stop_flag *stop, ttt_induced *found, ttt_error *err);
/* What became of each, a line a file, to stdout. */
void ttt_replay_python_print(const ttt_python_files *files, const ttt_task *task);

#endif
