/* Tasks as questions, and programs in answers. */
#include "support.h"

#include "base/memory.h"
#include "solve/program_prompt.h"

/* One demonstration of 1 x 2 cells, and two tests. */
static ttt_task make_task(void) {
    ttt_task task;
    ttt_error err;
    ASSERT_OK(ttt_task_init(&task, "small", 2, 2, &err));
    task.demonstrations[0].input = ttt_grid_filled(1, 2, 0);
    task.demonstrations[0].input.cells[1] = 5;
    task.demonstrations[0].output = ttt_grid_filled(2, 1, 8);
    task.demonstrations[1].input = ttt_grid_filled(1, 1, 9);
    task.demonstrations[1].output = ttt_grid_filled(1, 1, 1);
    task.tests[0].input = ttt_grid_filled(2, 2, 2);
    task.tests[1].input = ttt_grid_filled(1, 1, 3);
    return task;
}

static void barc__is_what_its_models_were_trained_on(void **state) {
    (void)state;
    ttt_task task = make_task();
    ttt_program_prompt prompt;
    ttt_error err;
    ASSERT_OK(ttt_program_prompt_make(TTT_PROGRAM_BARC, false, &task, &prompt, &err));
    assert_string_equal(prompt.system, "You are a world-class puzzle solver with exceptional pattern recognition "
                                       "skills and expertise in Python programming. Your task is to analyze puzzles "
                                       "and provide Python solutions.");
    assert_string_equal(
        prompt.user,
        "Given input-output grid pairs as reference examples, carefully observe the patterns to predict the output "
        "grid for new test input. Each pair follows the same transformation rule. Grids are 2D arrays represented as "
        "strings, with cells (colors) separated by spaces and rows by newlines.\n"
        "Here are the input and output grids for the reference examples:\n"
        "Example 1\nInput:\nBlack Gray\n\nOutput:\nPurple\nPurple\n\n\n"
        "Example 2\nInput:\nBrown\n\nOutput:\nBlue\n\n\n"
        "Here is the input grid for the test example:\nInput:\nRed Red\nRed Red\n\nGreen\n\n"
        "Write a Python function `transform` that can convert any given input grid to its corresponding output grid "
        "based on the pattern observed in the reference examples.");
    ttt_program_prompt_release(&prompt);
    ASSERT_OK(ttt_program_prompt_make(TTT_PROGRAM_BARC, true, &task, &prompt, &err));
    static const char date[] = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\nYou are";
    assert_memory_equal(prompt.system, date, sizeof date - 1);
    ttt_program_prompt_release(&prompt);
    ttt_task_release(&task);
}

static void general__shows_every_grid(void **state) {
    (void)state;
    ttt_task task = make_task();
    ttt_program_prompt prompt;
    ttt_error err;
    ASSERT_OK(ttt_program_prompt_make(TTT_PROGRAM_GENERAL, false, &task, &prompt, &err));
    assert_non_null(strstr(prompt.user, "Example 1, input:\n0 5\nExample 1, output:\n8\n8\n\nExample 2, input:\n9\n"));
    assert_non_null(strstr(prompt.user, "New input 1, its output unknown:\n2 2\n2 2\n\nNew input 2, "));
    assert_non_null(strstr(prompt.user, "`transform(grid)`"));
    ttt_program_prompt_release(&prompt);
    ttt_task_release(&task);
}

static void prompt__reports_every_failed_allocation(void **state) {
    (void)state;
    ttt_task task = make_task();
    ttt_program_prompt prompt;
    ttt_error err;
    size_t failures = 0;
    for (size_t number = 1;; number++) {
        ttt_memory_fail_at(number);
        const ttt_status status = ttt_program_prompt_make(TTT_PROGRAM_BARC, true, &task, &prompt, &err);
        ttt_memory_fail_at(0);
        if (status == TTT_OK) break;
        assert_int_equal(status, TTT_ERROR_MEMORY);
        assert_null(prompt.system);
        assert_null(prompt.user);
        failures++;
    }
    assert_true(failures >= 2);
    ttt_program_prompt_release(&prompt);
    ttt_task_release(&task);
}

/* --- Answers ------------------------------------------------------------------------------------------------------ */

static void check(const char *answer, const char *expected) {
    char *program;
    ttt_error err;
    ASSERT_OK(ttt_program_extract(answer, strlen(answer), &program, &err));
    if (expected == NULL) {
        assert_null(program);
    } else if (program == NULL) {
        fail_msg("no program in: %s", answer);
    } else {
        assert_string_equal(program, expected);
    }
    ttt_free(program);
}

static void program__is_the_last_block_that_defines_one(void **state) {
    (void)state;
    check("The rule: x.\n```python\ndef transform(g):\n    return g\n```\nDone.", "def transform(g):\n    return g\n");
    check("```python\ndef transform(g):\n    return 1\n```\nBetter:\n```python\nimport numpy as np\n\ndef main(g):\n"
          "    return 2\n```\n",
          "import numpy as np\n\ndef main(g):\n    return 2\n");
    check("```python\ndef transform(g):\n    return g\n```\nIt prints:\n```\n[[1]]\n```\n",
          "def transform(g):\n    return g\n");
    check("```py\r\ndef transform(g):\r\n    return g\r\n```\r\n", "def transform(g):\r\n    return g\r\n");
    check("  ```\ndef main(g):\n    return g\n  ```", "def main(g):\n    return g\n");
}

static void program__may_be_the_whole_answer(void **state) {
    (void)state;
    check("import numpy as np\ndef transform(g):\n    return g", "import numpy as np\ndef transform(g):\n    return g");
    check("def main(g):\n    return g\n", "def main(g):\n    return g\n");
}

static void program__of_an_answer_cut_off_is_what_there_is(void **state) {
    (void)state;
    check("So:\n```python\ndef transform(g):\n    return g", "def transform(g):\n    return g");
    check("```python\ndef transform(g):\n    return g\n```\nOr:\n```python\ndef trans",
          "def transform(g):\n    return g\n");
}

static void program__is_none_where_none_is(void **state) {
    (void)state;
    check("", NULL);
    check("I cannot define transform(g) today.", NULL);
    check("```", NULL);
    check("```python\n```", NULL);
    check("```python\nprint('def transform(g)')\n```", NULL);
    check("Call def transform(g): it helps", NULL);
    check("x\ndef transform(g):\n  a\n```\nno program\n```\n", NULL);
}

static void program__of_any_bytes_is_read_safely(void **state) {
    (void)state;
    static const char nul[] = "```python\ndef transform(g):\n    return '\0'\n```\n";
    static const char broken[] = "def transform(g):\n    return '\xff\xc3'";
    char *program, *text = malloc(3 * TTT_PROGRAM_BYTES);
    ttt_error err;
    ASSERT_OK(ttt_program_extract(nul, sizeof nul - 1, &program, &err));
    assert_null(program);
    ASSERT_OK(ttt_program_extract(broken, sizeof broken - 1, &program, &err));
    assert_string_equal(program, broken);
    ttt_free(program);
    memset(text, ' ', 3 * TTT_PROGRAM_BYTES);
    memcpy(text, "def transform(g):\n", 18);
    ASSERT_OK(ttt_program_extract(text, TTT_PROGRAM_BYTES, &program, &err));
    assert_int_equal(strlen(program), TTT_PROGRAM_BYTES);
    ttt_free(program);
    ASSERT_OK(ttt_program_extract(text, TTT_PROGRAM_BYTES + 1, &program, &err));
    assert_null(program);
    memset(text, '`', 3 * TTT_PROGRAM_BYTES);
    ASSERT_OK(ttt_program_extract(text, 3 * TTT_PROGRAM_BYTES, &program, &err));
    assert_null(program);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(barc__is_what_its_models_were_trained_on),
        cmocka_unit_test(general__shows_every_grid),
        cmocka_unit_test(prompt__reports_every_failed_allocation),
        cmocka_unit_test(program__is_the_last_block_that_defines_one),
        cmocka_unit_test(program__may_be_the_whole_answer),
        cmocka_unit_test(program__of_an_answer_cut_off_is_what_there_is),
        cmocka_unit_test(program__is_none_where_none_is),
        cmocka_unit_test(program__of_any_bytes_is_read_safely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
