/* `ttt` as a child process: the program of this build. */
#ifndef TTT_TESTS_CLI_PROGRAM_H
#define TTT_TESTS_CLI_PROGRAM_H

#include "base/json.h"

/* Runs `ttt` with the words given (up to NULL); it must end well, and print one JSON value unless `result` is NULL. */
void program_run(const char *const *words, json_t **result);

#endif
