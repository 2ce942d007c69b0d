/* Reading tasks: files, folders, archives, and everything that must be refused. */
#include "grids.h"

#include "arc/task_read.h"
#include "base/file.h"
#include "base/memory.h"

#include <archive.h>
#include <archive_entry.h>

#define TASK "{\"train\": [{\"input\": [[1, 2]], \"output\": [[2, 1]]}], \"test\": [{\"input\": [[3, 4]]}]}"
#define SOLVED                                                                                                         \
    "{\"train\": [{\"input\": [[1]], \"output\": [[2]]}], \"test\": [{\"input\": [[3]], \"output\": [[4]]}, "          \
    "{\"input\": [[5]], \"output\": null}]}"
#define RAGGED "{\"train\": [{\"input\": [[1, 2], [3]], \"output\": [[2]]}], \"test\": [{\"input\": [[3]]}]}"

/* Problems that were reported, one a line. */
typedef struct problems {
    size_t count;
    char text[2048];
} problems;

static void note(void *context, const ttt_error *problem) {
    problems *all = context;
    const size_t used = strlen(all->text);
    all->count++;
    snprintf(all->text + used, sizeof all->text - used, "%s\n", problem->message);
}

static ttt_problem_sink sink_of(problems *all) {
    return (ttt_problem_sink){note, all};
}
static const ttt_problem_sink strict = {0};

static void one_task_file__keeps_pairs_tests_and_what_is_known(void **state) {
    (void)state;
    const support_path folder = support_temporary_folder(), path = support_join(folder.text, "one-task.json");
    ttt_task_set set = {0};
    ttt_error err;
    support_write(path.text, SOLVED);
    ASSERT_OK(ttt_task_set_read(&set, path.text, NULL, strict, &err));
    assert_int_equal(set.count, 1);
    assert_string_equal(set.items[0].id, "one-task");
    ASSERT_GRID(&set.items[0].demonstrations[0].output, "2");
    assert_int_equal(set.items[0].test_count, 2);
    assert_true(set.items[0].tests[0].known);
    ASSERT_GRID(&set.items[0].tests[0].output, "4");
    assert_false(set.items[0].tests[1].known);
    ASSERT_GRID(&set.items[0].tests[1].input, "5");
    ttt_task_set_release(&set);
    support_remove_folder(folder.text);
}

static void challenge_file__reports_the_bad_task_and_keeps_the_others(void **state) {
    (void)state;
    const support_path folder = support_temporary_folder(), path = support_join(folder.text, "tasks.json");
    problems seen = {0};
    ttt_task_set set = {0};
    ttt_error err;
    support_write(path.text, "{\"a\": " TASK ", \"b\": " RAGGED ", \"c\": 7, \"d\": " TASK ", \"\\u001b[2J\": " TASK "}");
    ASSERT_OK(ttt_task_set_read(&set, path.text, NULL, sink_of(&seen), &err));
    assert_int_equal(set.count, 2);
    assert_string_equal(set.items[1].id, "d");
    assert_int_equal(seen.count, 3);
    assert_non_null(strstr(seen.text, "task ?[2J: its id has a control character (byte 27)"));
    assert_non_null(strstr(seen.text, "tasks.json: task b: train pair 0 input: row 1 has 1 cells, row 0 has 2\n"));
    assert_non_null(strstr(seen.text, "tasks.json: task c: "));
    ttt_task_set_release(&set);
    ASSERT_FAILS(ttt_task_set_read(&set, path.text, NULL, strict, &err), TTT_ERROR_FORMAT, "task b");
    ttt_task_set_release(&set);
    support_remove_folder(folder.text);
}

static void solutions__fill_the_outputs_and_a_wrong_one_is_a_problem(void **state) {
    (void)state;
    const support_path folder = support_temporary_folder(), tasks = support_join(folder.text, "t.json"),
                       solutions = support_join(folder.text, "s.json");
    problems seen = {0};
    ttt_task_set set = {0};
    ttt_error err;
    support_write(tasks.text, "{\"a\": " TASK ", \"b\": " TASK ", \"c\": " TASK "}");
    support_write(solutions.text, "{\"a\": [[[8]]], \"b\": [[[1]], [[2]]], \"z\": [[[1]]]}");
    ASSERT_OK(ttt_task_set_read(&set, tasks.text, solutions.text, sink_of(&seen), &err));
    assert_int_equal(set.count, 3);
    ASSERT_GRID(&set.items[0].tests[0].output, "8");
    assert_true(set.items[0].tests[0].known);
    assert_false(set.items[1].tests[0].known);
    assert_false(set.items[2].tests[0].known);
    assert_int_equal(seen.count, 1);
    assert_non_null(strstr(seen.text, "s.json: solution of task b: 2 grids, but the task has 1 test inputs"));
    ttt_task_set_release(&set);
    support_remove_folder(folder.text);
}

static void folder__reads_json_files_by_name_and_survives_bad_ones(void **state) {
    (void)state;
    const support_path folder = support_temporary_folder();
    problems seen = {0};
    ttt_task_set set = {0};
    ttt_error err;
    support_write(support_join(folder.text, "b.json").text, TASK);
    support_write(support_join(folder.text, "a.json").text, TASK);
    support_write(support_join(folder.text, "c.json").text, "{");
    support_write(support_join(folder.text, "d.json").text, "{\"a\": " TASK "}"); /* the id of another file's task */
    support_write(support_join(folder.text, "e.json").text, "");
    support_write(support_join(folder.text, "notes.txt").text, "no task");
    support_write(support_join(folder.text, "metadata.json").text, "{}");
    ASSERT_OK(ttt_task_set_read(&set, folder.text, NULL, sink_of(&seen), &err));
    assert_int_equal(set.count, 2);
    assert_string_equal(set.items[0].id, "a");
    assert_int_equal(seen.count, 3);
    assert_non_null(strstr(seen.text, "c.json: line 1"));
    assert_non_null(strstr(seen.text, "d.json: task a: a task with this id was read before"));
    assert_non_null(strstr(seen.text, "e.json: the file is empty"));
    ttt_task_set_release(&set);
    support_remove_folder(folder.text);
}

static void nothing_to_read__is_an_error_that_says_so(void **state) {
    (void)state;
    const support_path folder = support_temporary_folder(), bad = support_join(folder.text, "bad.json");
    problems seen = {0};
    ttt_task_set set = {0};
    ttt_error err;
    ASSERT_FAILS(ttt_task_set_read(&set, folder.text, NULL, strict, &err), TTT_ERROR_FORMAT, "no .json file");
    ASSERT_FAILS(ttt_task_set_read(&set, bad.text, NULL, strict, &err), TTT_ERROR_IO, "bad.json");
    support_write(bad.text, RAGGED);
    ASSERT_FAILS(ttt_task_set_read(&set, folder.text, NULL, sink_of(&seen), &err), TTT_ERROR_FORMAT,
                 "not a single good task");
    support_write(bad.text, TASK);
    ASSERT_FAILS(ttt_task_set_read(&set, bad.text, folder.text, strict, &err), TTT_ERROR_IO, folder.text);
    ttt_task_set_release(&set);
    support_remove_folder(folder.text);
}

/* Writes an archive of two tasks (or example files), one bad file and some that are to be passed over. */
static void write_archive(const char *path, const char *content) {
    const char *names[] = {"set/tasks/a.json",  "set/tasks/b.json", "set/tasks/bad.json",
                           "set/metadata.json", "set/README.md",    "set/tasks/._a.json"};
    struct archive *archive = archive_write_new();
    assert_int_equal(archive_write_add_filter_zstd(archive), ARCHIVE_OK);
    assert_int_equal(archive_write_set_format_pax_restricted(archive), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(archive, path), ARCHIVE_OK);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *text = i < 2 ? content : i == 2 ? "[[" : "no task";
        struct archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname(entry, names[i]);
        archive_entry_set_size(entry, (la_int64_t)strlen(text));
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
        assert_int_equal(archive_write_data(archive, text, strlen(text)), strlen(text));
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
}

static void archive__is_read_like_a_folder(void **state) {
    (void)state;
    const support_path folder = support_temporary_folder(), path = support_join(folder.text, "set.tar.zst");
    problems seen = {0};
    ttt_task_set set = {0};
    ttt_error err;
    write_archive(path.text, TASK);
    ASSERT_OK(ttt_task_set_read(&set, path.text, NULL, sink_of(&seen), &err));
    assert_int_equal(set.count, 2);
    assert_string_equal(set.items[0].id, "a");
    assert_int_equal(seen.count, 1);
    assert_non_null(strstr(seen.text, "set.tar.zst: set/tasks/bad.json: "));
    ttt_task_set_release(&set);
    support_remove_folder(folder.text);
}

static void archive__truncated_or_none_is_an_error(void **state) {
    (void)state;
    const support_path folder = support_temporary_folder(), path = support_join(folder.text, "set.tar.zst");
    problems seen = {0};
    ttt_task_set set = {0};
    ttt_error err;
    char *bytes;
    size_t count;
    ASSERT_FAILS(ttt_task_set_read(&set, path.text, NULL, sink_of(&seen), &err), TTT_ERROR_IO, "set.tar.zst");
    support_write(path.text, "this is no archive");
    ASSERT_FAILS(ttt_task_set_read(&set, path.text, NULL, sink_of(&seen), &err), TTT_ERROR_FORMAT, "set.tar.zst");
    write_archive(path.text, TASK);
    ASSERT_OK(ttt_file_read(path.text, 1 << 20, &bytes, &count, &err));
    assert_int_equal(truncate(path.text, (off_t)(count / 2)), 0);
    ttt_free(bytes);
    ASSERT_FAILS(ttt_task_set_read(&set, path.text, NULL, sink_of(&seen), &err), TTT_ERROR_FORMAT, "set.tar.zst");
    ttt_task_set_release(&set);
    support_remove_folder(folder.text);
}

/* --- Files that must be refused ---------------------------------------------------------------------------------- */

typedef struct refusal {
    const char *file, *part; /* a part of the sentence */
} refusal;

/* Every file of tests/bad/arc/<kind> is in the table and refused with the sentence that it names. */
static void check_refusals(const char *kind, const refusal *refusals, size_t count,
                           ttt_status (*read)(const char *path, ttt_error *err)) {
    char relative[64];
    snprintf(relative, sizeof relative, "tests/bad/arc/%s", kind);
    const support_path folder = support_source(relative);
    ttt_folder_list files;
    ttt_error err;
    ASSERT_OK(ttt_folder_list_read(&files, folder.text, "", &err));
    assert_int_equal(files.count, count);
    for (size_t i = 0; i < files.count; i++) {
        const refusal *entry = NULL;
        for (size_t k = 0; k < count; k++)
            if (strcmp(refusals[k].file, files.names[i]) == 0) entry = &refusals[k];
        if (!entry) fail_msg("%s/%s is not in the table", relative, files.names[i]);
        ASSERT_FAILS(read(support_join(folder.text, files.names[i]).text, &err), TTT_ERROR_FORMAT, entry->part);
        if (!strstr(err.message, files.names[i])) fail_msg("no file name in \"%s\"", err.message);
        if (strchr(err.message, '\n')) fail_msg("more than a line: \"%s\"", err.message);
    }
    ttt_folder_list_free(&files);
}

static ttt_status read_tasks(const char *path, ttt_error *err) {
    ttt_task_set set = {0};
    const ttt_status status = ttt_task_set_read(&set, path, NULL, strict, err);
    ttt_task_set_release(&set);
    return status;
}

static void bad_tasks__are_refused_with_place_and_cause(void **state) {
    (void)state;
    static const refusal refusals[] = {
        {"colour_10.json", "task colour_10: train pair 2 input: row 1, column 1 is 10, expected a colour 0..9"},
        {"colour_huge.json", "line 1"},
        {"colour_negative.json", "train pair 2 input: row 0, column 0 is -1"},
        {"colour_null.json", "row 0, column 0 is null"},
        {"colour_real.json", "train pair 0 input: row 0, column 0 is a real number"},
        {"colour_string.json", "row 0, column 0 is a string"},
        {"columns_31.json", "row 0 has 31 cells, expected 1 to 30"},
        {"deep.json", "line 1"},
        {"duplicate_ids.json", "duplicate"},
        {"duplicate_members.json", "duplicate"},
        {"empty.json", "the file is empty"},
        {"grid_empty.json", "train pair 2 input: the grid has 0 rows, expected 1 to 30"},
        {"grid_string.json", "train pair 2 input: a string in place of a grid"},
        {"list.json", "a list in place of a task"},
        {"no_input.json", "train pair 0 has no input"},
        {"no_output.json", "train pair 1 has no output"},
        {"no_task.json", "holds no task"},
        {"no_test.json", "there is no \"test\""},
        {"no_train.json", "there is no \"train\""},
        {"not_utf8.json", "line 1"},
        {"nul_byte.json", "line 1"},
        {"number.json", "line 1"},
        {"pair_list.json", "train pair 1 is an array, expected an object"},
        {"ragged.json", "task ragged: train pair 2 input: row 3 has 3 cells, row 0 has 2"},
        {"row_empty.json", "row 0 has 0 cells"},
        {"row_number.json", "row 1 is an integer, expected a list"},
        {"rows_31.json", "train pair 2 input: the grid has 31 rows, expected 1 to 30"},
        {"solutions.json", "this is a solutions file"},
        {"test_empty.json", "\"test\" is empty"},
        {"test_no_input.json", "test pair 0 has no input"},
        {"test_output_ragged.json", "test pair 0 output: row 1 has 1 cells, row 0 has 2"},
        {"too_many_demonstrations.json", "\"train\" has 65 pairs, expected at most 64"},
        {"trailing_text.json", "line 1"},
        {"train_empty.json", "\"train\" is empty"},
        {"train_object.json", "\"train\" is an object"},
        {"truncated.json", "line 1"},
    };
    check_refusals("task", refusals, sizeof refusals / sizeof *refusals, read_tasks);
}

static ttt_status count_pairs(void *context, const char *id, const ttt_pair *pairs, size_t count, ttt_error *err) {
    (void)id, (void)pairs, (void)err;
    *(size_t *)context += count;
    return TTT_OK;
}

static ttt_status read_pairs(const char *path, ttt_error *err) {
    size_t count = 0;
    const ttt_status status = ttt_pairs_read(path, count_pairs, &count, strict, err);
    assert_int_equal(count, 0);
    return status;
}

static void bad_pairs__are_refused_with_place_and_cause(void **state) {
    (void)state;
    static const refusal refusals[] = {
        {"colour_10.json", "example pair 0 input: row 0, column 0 is 10"},
        {"columns_31.json", "example pair 0 input: row 0 has 31 cells"},
        {"empty_list.json", "the list of pairs is empty"},
        {"no_output.json", "example pair 1 has no output"},
        {"object.json", "an object in place of a list of pairs"},
        {"ragged.json", "example pair 1 output: row 1 has 1 cells, row 0 has 2"},
        {"rows_31.json", "example pair 0 output: the grid has 31 rows"},
        {"trailing_comma.json", "line 1"},
        {"trailing_text.json", "line 1"},
        {"truncated.json", "line 1"},
    };
    check_refusals("pairs", refusals, sizeof refusals / sizeof *refusals, read_pairs);
}

static ttt_status read_solutions(const char *path, ttt_error *err) {
    ttt_task_set set = {0};
    ttt_task task;
    assert_int_equal(ttt_task_init(&task, "t", 1, 2, err), TTT_OK);
    assert_int_equal(ttt_task_set_add(&set, &task, err), TTT_OK);
    const ttt_status status = ttt_solutions_read(&set, path, strict, err);
    assert_false(set.items[0].tests[0].known); /* a bad solution changes nothing */
    ttt_task_set_release(&set);
    return status;
}

static void bad_solutions__are_refused_with_place_and_cause(void **state) {
    (void)state;
    static const refusal refusals[] = {
        {"colour_10.json", "solution of task t: test 1: row 0, column 0 is 10"},
        {"list.json", "an array in place of an object of solutions"},
        {"object.json", "solution of task t: an object, expected a list of grids"},
        {"too_few.json", "1 grids, but the task has 2 test inputs"},
        {"too_many.json", "3 grids, but the task has 2 test inputs"},
    };
    check_refusals("solutions", refusals, sizeof refusals / sizeof *refusals, read_solutions);
}

/* --- Real data --------------------------------------------------------------------------------------------------- */

static void shared_sets__are_read_whole_and_without_a_problem(void **state) {
    (void)state;
    static const struct {
        const char *tasks, *solutions;
        size_t count, pairs, tests;
    } sets[] = {
        {"data/arc-agi-1/training_challenges.json", "data/arc-agi-1/training_solutions.json", 400, 1302, 416},
        {"data/arc-agi-1/evaluation80_challenges.json", "data/arc-agi-1/evaluation80_solutions.json", 80, 282, 83},
        {"data/arc-agi-2/training_new_challenges.json", "data/arc-agi-2/training_new_solutions.json", 233, 682, 274},
        {"data/concept-arc/challenges.json", "data/concept-arc/solutions.json", 176, 473, 528},
    };
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        const support_path tasks = support_data(sets[i].tasks), solutions = support_data(sets[i].solutions);
        ttt_task_set set = {0};
        ttt_error err;
        size_t pairs = 0, tests = 0;
        ASSERT_OK(ttt_task_set_read(&set, tasks.text, solutions.text, strict, &err));
        for (size_t t = 0; t < set.count; t++) {
            pairs += set.items[t].demonstration_count;
            tests += set.items[t].test_count;
            for (size_t k = 0; k < set.items[t].test_count; k++) assert_true(set.items[t].tests[k].known);
        }
        assert_int_equal(set.count, sets[i].count);
        assert_int_equal(pairs, sets[i].pairs);
        assert_int_equal(tests, sets[i].tests);
        ttt_task_set_release(&set);
    }
}

static void own_puzzles__are_good_tasks_with_answers(void **state) {
    (void)state;
    ttt_task_set set = {0};
    ttt_error err;
    ASSERT_OK(ttt_task_set_read(&set, support_source("examples/arc").text, NULL, strict, &err));
    assert_true(set.count >= 14);
    for (size_t t = 0; t < set.count; t++) {
        assert_true(set.items[t].demonstration_count >= 3);
        for (size_t k = 0; k < set.items[t].test_count; k++) assert_true(set.items[t].tests[k].known);
    }
    ttt_task_set_release(&set);
}

static void every_failing_allocation__is_reported_and_nothing_leaks(void **state) {
    (void)state;
    const support_path folder = support_temporary_folder(), path = support_join(folder.text, "t.json");
    problems seen = {0};
    ttt_status status;
    size_t n = 0;
    support_write(path.text, "{\"a\": " TASK ", \"b\": " RAGGED "}");
    do {
        ttt_task_set set = {0};
        ttt_error err = {0};
        ttt_memory_fail_at(++n);
        status = ttt_task_set_read(&set, folder.text, NULL, sink_of(&seen), &err);
        ttt_memory_fail_at(0);
        if (status != TTT_OK) assert_int_equal(status, TTT_ERROR_MEMORY);
        ttt_task_set_release(&set);
    } while (status != TTT_OK);
    assert_true(n > 5);
    support_remove_folder(folder.text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_task_file__keeps_pairs_tests_and_what_is_known),
        cmocka_unit_test(challenge_file__reports_the_bad_task_and_keeps_the_others),
        cmocka_unit_test(solutions__fill_the_outputs_and_a_wrong_one_is_a_problem),
        cmocka_unit_test(folder__reads_json_files_by_name_and_survives_bad_ones),
        cmocka_unit_test(nothing_to_read__is_an_error_that_says_so),
        cmocka_unit_test(archive__is_read_like_a_folder),
        cmocka_unit_test(archive__truncated_or_none_is_an_error),
        cmocka_unit_test(bad_tasks__are_refused_with_place_and_cause),
        cmocka_unit_test(bad_pairs__are_refused_with_place_and_cause),
        cmocka_unit_test(bad_solutions__are_refused_with_place_and_cause),
        cmocka_unit_test(shared_sets__are_read_whole_and_without_a_problem),
        cmocka_unit_test(own_puzzles__are_good_tasks_with_answers),
        cmocka_unit_test(every_failing_allocation__is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
