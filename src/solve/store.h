/* The run store: a folder with an SQLite file, run.sqlite, that keeps everything about the tasks solved so far, so that
 * the same command goes on where it was stopped and votes can be re-done. Each task is one transaction. Tables:
 *   run(key, value)                      facts about the run: version, method, model, settings, ... as JSON texts
 *   task(id, ...)                        plan, timings, problem, the task itself as JSON
 *   step(task, step, ...)                losses of test-time training
 *   view(task, test, view, ...)          every view asked, with its answer and log-probability
 *   candidate(task, test, candidate, ...) distinct answers, votes, summed score
 *   score(task, test, candidate, view, log_probability)
 *   program(task, program, ...)          answers of programs, with the text of one that gives each
 *   program_answer(task, program, test, answer)
 *   attempt(task, test, attempt, answer, system, voted) what was submitted, whose it is, and what the vote alone said
 * The file's user_version is TTT_STORE_VERSION. */
#ifndef TTT_SOLVE_STORE_H
#define TTT_SOLVE_STORE_H

#include "solve/problem.h"
#include "solve/record.h"

enum { TTT_STORE_VERSION = 2 };

typedef struct ttt_store ttt_store;

/* Makes the folder and the file where missing. Only one process may write to a folder at a time; a second is refused.
 * So is, here and for reading, a file of another version. */
ttt_status ttt_store_open(const char *folder, ttt_store **store, ttt_error *err);
/* For reading only; a folder without a store is an error. */
ttt_status ttt_store_open_to_read(const char *folder, ttt_store **store, ttt_error *err);
void ttt_store_close(ttt_store *store);

/* Compares `facts` (an object) with those of an earlier start and keeps them. A difference in a key of `must_agree` (a
 * NULL-terminated list) is an error that names it, and for an object the member; other keys are replaced. */
ttt_status ttt_store_begin(ttt_store *store, const json_t *facts, const char *const *must_agree, ttt_error *err);
/* The facts; new reference. */
ttt_status ttt_store_facts(ttt_store *store, json_t **facts, ttt_error *err);

/* Adds or replaces a task, whole or not at all. `task` is the task itself (ttt_problem_ops.to_json), borrowed. */
ttt_status ttt_store_save(ttt_store *store, const char *kind, const json_t *task, const ttt_task_record *record,
                          ttt_error *err);
/* *found is false, and nothing filled, when the task is not there. Else *record (to be released) and, where `task` is
 * not NULL, the task itself (json_decref). */
ttt_status ttt_store_load(ttt_store *store, const char *id, ttt_task_record *record, json_t **task, bool *found,
                          ttt_error *err);
/* Ids in the order saved: fresh memory, each and the array with ttt_free. */
ttt_status ttt_store_ids(ttt_store *store, char ***ids, size_t *count, ttt_error *err);

#endif
