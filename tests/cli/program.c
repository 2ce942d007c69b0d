#include "cli/program.h"

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 32 };

void program_run(const char *const *words, json_t **result) {
    const char *build = getenv("TTT_TEST_BUILD");
    const support_path program = support_join(build == NULL ? "build" : build, "ttt");
    const support_path folder = support_temporary_folder(), out = support_join(folder.text, "out");
    const char *arguments[WORDS + 2] = {program.text};
    for (int i = 0; words[i] != NULL; i++) {
        assert_true(i < WORDS);
        arguments[i + 1] = words[i];
    }
    const pid_t child = fork();
    if (child == 0) {
        if (!freopen(out.text, "w", stdout)) _exit(99);
        execv(program.text, (char *const *)arguments);
        _exit(98);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail_msg("ttt %s ended with status %d", words[0], status);
    ttt_error err;
    if (result != NULL) ASSERT_OK(ttt_json_read(out.text, result, &err));
    support_remove_folder(folder.text);
}
