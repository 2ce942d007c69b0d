/* Submissions and scores. */
#include "grids.h"

#include "arc/score.h"
#include "base/file.h"
#include "base/memory.h"

/* Tasks "a" (one test), "b" (two tests) and "c" (output not known). */
static ttt_task_set three_tasks(void) {
    ttt_task_set set = {0};
    ttt_error err;
    const char *ids[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) {
        ttt_task task;
        ASSERT_OK(ttt_task_init(&task, ids[i], 1, i == 1 ? 2 : 1, &err));
        for (size_t t = 0; t < task.test_count; t++) {
            task.tests[t].output = ttt_grid_filled(1, 2, (uint8_t)(t + 1));
            task.tests[t].known = i < 2;
        }
        ASSERT_OK(ttt_task_set_add(&set, &task, &err));
    }
    return set;
}

static void set_answer(ttt_submission *submission, const char *id, size_t test, const char *first, const char *second) {
    const ttt_grid a = grid_of(first), b = grid_of(second);
    ttt_error err;
    ASSERT_OK(ttt_submission_set(submission, id, test, &a, &b, &err));
}

static void score__needs_every_output_and_counts_one_and_two_attempts(void **state) {
    (void)state;
    ttt_task_set set = three_tasks();
    ttt_submission submission;
    ttt_score score;
    ttt_error err;
    ASSERT_OK(ttt_submission_init(&submission, &set, &err));
    ASSERT_OK(ttt_score_submission(&set, &submission, &score, &err));
    assert_int_equal(score.tasks, 2); /* c has no known output */
    assert_int_equal(score.outputs, 3);
    assert_int_equal(score.outputs_submitted, 3);
    assert_int_equal(score.outputs_solved[1], 0);
    set_answer(&submission, "a", 0, "5", "11");
    set_answer(&submission, "b", 0, "11", "1");
    ASSERT_OK(ttt_score_submission(&set, &submission, &score, &err));
    assert_int_equal(score.tasks_solved[0], 0);
    assert_int_equal(score.tasks_solved[1], 1);
    assert_int_equal(score.outputs_solved[0], 1);
    assert_int_equal(score.outputs_solved[1], 2);
    assert_true(score.partial[1] == 1.5);
    set_answer(&submission, "b", 1, "22", "0");
    ASSERT_OK(ttt_score_submission(&set, &submission, &score, &err));
    assert_int_equal(score.tasks_solved[0], 1);
    assert_int_equal(score.tasks_solved[1], 2);
    ttt_submission_release(&submission);
    ttt_task_set_release(&set);
}

static void score__missing_answers_are_wrong_and_foreign_ones_an_error(void **state) {
    (void)state;
    ttt_task_set set = three_tasks();
    ttt_submission submission = {0};
    ttt_score score;
    ttt_error err;
    ASSERT_OK(ttt_score_submission(&set, &submission, &score, &err));
    assert_int_equal(score.tasks, 2);
    assert_int_equal(score.tasks_submitted, 0);
    set_answer(&submission, "b", 0, "11", "0");
    ASSERT_OK(ttt_score_submission(&set, &submission, &score, &err));
    assert_int_equal(score.tasks_submitted, 1);
    assert_int_equal(score.outputs_submitted, 1);
    assert_int_equal(score.tasks_solved[1], 0);
    set_answer(&submission, "b", 2, "11", "0");
    ASSERT_FAILS(ttt_score_submission(&set, &submission, &score, &err), TTT_ERROR_FORMAT,
                 "task b: 3 outputs are submitted, but it has 2 test inputs");
    ttt_submission_release(&submission);
    set_answer(&submission, "z", 0, "1", "1");
    ASSERT_FAILS(ttt_score_submission(&set, &submission, &score, &err), TTT_ERROR_FORMAT, "task z is submitted");
    ttt_submission_release(&submission);
    ttt_task_set_release(&set);
}

static void compare__counts_outputs_that_only_one_has_right(void **state) {
    (void)state;
    ttt_task_set set = three_tasks();
    ttt_submission first, second;
    size_t first_only, second_only;
    ttt_error err;
    ASSERT_OK(ttt_submission_init(&first, &set, &err));
    ASSERT_OK(ttt_submission_init(&second, &set, &err));
    set_answer(&first, "a", 0, "11", "0");
    set_answer(&second, "a", 0, "0", "11");
    set_answer(&first, "b", 1, "0", "22");
    ASSERT_OK(ttt_score_compare(&set, &first, &second, &first_only, &second_only, &err));
    assert_int_equal(first_only, 1);
    assert_int_equal(second_only, 0);
    ttt_submission_release(&first);
    ttt_submission_release(&second);
    ttt_task_set_release(&set);
}

static void hamming__counts_missing_cells_but_not_extra_ones(void **state) {
    (void)state;
    const ttt_grid truth = grid_of("12/34"), smaller = grid_of("1"), larger = grid_of("125/345/555");
    assert_true(ttt_grid_hamming(&truth, &truth) == 0);
    assert_true(ttt_grid_hamming(&truth, &smaller) == 0.75);
    assert_true(ttt_grid_hamming(&truth, &larger) == 0);
}

static void submission__written_and_read_is_the_same_and_sorted(void **state) {
    (void)state;
    const support_path folder = support_temporary_folder(), path = support_join(folder.text, "submission.json");
    ttt_submission submission = {0}, back;
    ttt_error err;
    char *text;
    size_t bytes;
    set_answer(&submission, "b", 1, "12/34", "5"); /* the first test is filled with [[0]] */
    set_answer(&submission, "a", 0, "7", "8");
    ASSERT_OK(ttt_submission_write(&submission, path.text, &err));
    ASSERT_OK(ttt_file_read(path.text, 1 << 20, &text, &bytes, &err));
    assert_string_equal(text, "{\"a\":[{\"attempt_1\":[[7]],\"attempt_2\":[[8]]}],\"b\":[{\"attempt_1\":[[0]],"
                              "\"attempt_2\":[[0]]},{\"attempt_1\":[[1,2],[3,4]],\"attempt_2\":[[5]]}]}\n");
    ttt_free(text);
    ASSERT_OK(ttt_submission_read(&back, path.text, &err));
    assert_int_equal(back.count, 2);
    assert_int_equal(ttt_submission_find(&back, "b")->count, 2);
    ASSERT_GRID(&ttt_submission_find(&back, "b")->outputs[1].grids[0], "12/34");
    ttt_submission_release(&back);
    ttt_submission_release(&submission);
    support_remove_folder(folder.text);
}

static void submission__cannot_be_written_where_there_is_no_folder(void **state) {
    (void)state;
    const support_path folder = support_temporary_folder(), path = support_join(folder.text, "none/submission.json");
    ttt_submission submission = {0};
    ttt_error err;
    ASSERT_FAILS(ttt_submission_write(&submission, path.text, &err), TTT_ERROR_IO, "none/submission.json");
    support_remove_folder(folder.text);
}

static void bad_submissions__are_refused_with_place_and_cause(void **state) {
    (void)state;
    static const struct {
        const char *file, *part;
    } refusals[] = {
        {"attempt_empty.json", "task t: test 0: attempt_1: the grid has 0 rows"},
        {"attempt_null.json", "task t: test 0: attempt_1: null in place of a grid"},
        {"attempt_ragged.json", "task t: test 0: attempt_2: row 1 has 1 cells, row 0 has 2"},
        {"attempts_list.json", "task t: test 0: an array, expected an object"},
        {"empty.json", "the file is empty"},
        {"entry_empty.json", "task t: 0 test outputs"},
        {"entry_object.json", "task t: an object, expected a list"},
        {"list.json", "an array in place of an object"},
        {"no_attempt_2.json", "task t: test 1: there is no attempt_2"},
        {"unknown_member.json", "task t: test 0: 3 members"},
    };
    const support_path folder = support_source("tests/bad/arc/submission");
    const size_t count = sizeof refusals / sizeof *refusals;
    ttt_folder_list files;
    ttt_error err;
    ASSERT_OK(ttt_folder_list_read(&files, folder.text, "", &err));
    assert_int_equal(files.count, count);
    for (size_t i = 0; i < count; i++) { /* the table is sorted, as the list is */
        ttt_submission submission;
        assert_string_equal(files.names[i], refusals[i].file);
        ASSERT_FAILS(ttt_submission_read(&submission, support_join(folder.text, files.names[i]).text, &err),
                     TTT_ERROR_FORMAT, refusals[i].part);
        assert_null(submission.items);
    }
    ttt_folder_list_free(&files);
}

static void every_failing_allocation__is_reported_and_nothing_leaks(void **state) {
    (void)state;
    ttt_task_set set = three_tasks();
    ttt_status status;
    size_t n = 0;
    do {
        ttt_submission submission;
        ttt_error err = {0};
        ttt_memory_fail_at(++n);
        status = ttt_submission_init(&submission, &set, &err);
        ttt_memory_fail_at(0);
        if (status != TTT_OK) assert_int_equal(status, TTT_ERROR_MEMORY);
        ttt_submission_release(&submission);
    } while (status != TTT_OK);
    assert_true(n > 6);
    ttt_task_set_release(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(score__needs_every_output_and_counts_one_and_two_attempts),
        cmocka_unit_test(score__missing_answers_are_wrong_and_foreign_ones_an_error),
        cmocka_unit_test(compare__counts_outputs_that_only_one_has_right),
        cmocka_unit_test(hamming__counts_missing_cells_but_not_extra_ones),
        cmocka_unit_test(submission__written_and_read_is_the_same_and_sorted),
        cmocka_unit_test(submission__cannot_be_written_where_there_is_no_folder),
        cmocka_unit_test(bad_submissions__are_refused_with_place_and_cause),
        cmocka_unit_test(every_failing_allocation__is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
