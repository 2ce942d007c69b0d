/* Programs and grids written as text, for the tests of this folder: "12/34" is two rows of two cells. */
#ifndef TTT_TESTS_INDUCE_PROGRAMS_H
#define TTT_TESTS_INDUCE_PROGRAMS_H

#include "arc/grids.h"

#include "induce/program.h"

/* The output of the program, NULL: it must have none. */
static inline void assert_runs(const char *text, const char *input, const char *output) {
    const ttt_grid grid = grid_of(input);
    ttt_program program;
    ttt_grid found;
    ttt_error err = {0};
    bool defined;
    ASSERT_OK(ttt_program_parse(text, "test", &program, &err));
    ASSERT_OK(ttt_program_run(&program, &grid, &found, &defined, &err));
    ttt_program_release(&program);
    if (defined != (output != NULL)) fail_msg("%s\nof %s: %s", text, input, defined ? "defined" : "undefined");
    if (defined) ASSERT_GRID(&found, output);
}

/* How the program that the text describes is printed; the caller's. */
static inline char *printed_of(const char *text) {
    ttt_program program;
    ttt_error err = {0};
    char *printed;
    ASSERT_OK(ttt_program_parse(text, "test", &program, &err));
    ASSERT_OK(ttt_program_print(&program, &printed, &err));
    ttt_program_release(&program);
    return printed;
}

static inline void assert_prints(const char *text, const char *expected) {
    char *printed = printed_of(text);
    assert_string_equal(printed, expected);
    ttt_free(printed);
}

#endif
