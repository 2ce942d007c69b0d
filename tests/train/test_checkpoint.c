/* Checkpoints: going on from one is as if nothing had happened, to the bit. */
#include "tiny.h"

#include "base/file.h"
#include "train/checkpoint.h"

static void train_to(tiny_model *tiny, ttt_train_state *at, int64_t steps) {
    ttt_train_options options = tiny_options(tiny, 12);
    ttt_error err = {0};
    options.max_steps = steps; /* interrupted, on the schedule of twelve */
    ASSERT_OK(ttt_train_run(tiny->trainer, &options, at, &err));
    assert_int_equal(at->steps, steps);
}

static void resumed_training__equals_uninterrupted_to_the_bit(void **state) {
    const support_path folder = support_temporary_folder();
    const support_path checkpoints = support_join(folder.text, "a/checkpoints");
    tiny_model whole, first, second;
    ttt_train_state at_whole = {0}, at_first = {0}, at_second = {0};
    ttt_error err = {0}, problem;
    json_t *notes = json_pack("{s:s}", "data", "toy");
    bool found;
    (void)state;
    tiny_init(&whole);
    tiny_init(&first);
    tiny_init(&second);
    train_to(&whole, &at_whole, 12);
    train_to(&first, &at_first, 5);
    ASSERT_OK(ttt_checkpoint_save(checkpoints.text, first.session, &at_first, notes, &err));
    json_decref(notes);
    ASSERT_OK(ttt_checkpoint_load(checkpoints.text, second.session, &at_second, &notes, &found, &problem, &err));
    assert_true(found);
    assert_string_equal(problem.message, "");
    assert_string_equal(json_string_value(json_object_get(notes, "data")), "toy");
    assert_int_equal(json_object_size(notes), 1);
    json_decref(notes);
    assert_memory_equal(&at_first, &at_second, sizeof at_first);
    assert_true(tiny_equal(&first, &second));
    assert_int_equal(ttt_session_steps(second.session), 5);
    assert_false(tiny_equal(&second, &whole));
    train_to(&second, &at_second, 12);
    assert_true(tiny_equal(&second, &whole));
    assert_int_equal(at_second.examples, at_whole.examples);
    assert_true(at_second.operations == at_whole.operations);
    tiny_release(&whole);
    tiny_release(&first);
    tiny_release(&second);
    support_remove_folder(folder.text);
}

static void last_two__are_kept_and_nothing_else_is_touched(void **state) {
    const support_path folder = support_temporary_folder();
    tiny_model tiny;
    ttt_train_state at = {0};
    ttt_error err = {0};
    ttt_folder_list files;
    (void)state;
    tiny_init(&tiny);
    support_write(support_join(folder.text, "mine.safetensors").text, "x");
    support_write(support_join(folder.text, "checkpoint-7.safetensors.old").text, "x");
    for (int64_t steps = 8; steps <= 11; steps++) { /* 8, 9, 10, 11: by number, not by name */
        train_to(&tiny, &at, steps);
        ASSERT_OK(ttt_checkpoint_save(folder.text, tiny.session, &at, NULL, &err));
    }
    ASSERT_OK(ttt_folder_list_read(&files, folder.text, "", &err));
    assert_int_equal(files.count, 4);
    assert_string_equal(files.names[0], "checkpoint-10.safetensors");
    assert_string_equal(files.names[1], "checkpoint-11.safetensors");
    assert_string_equal(files.names[2], "checkpoint-7.safetensors.old");
    assert_string_equal(files.names[3], "mine.safetensors");
    ttt_folder_list_free(&files);
    tiny_release(&tiny);
    support_remove_folder(folder.text);
}

static void no_checkpoint__is_no_error(void **state) {
    const support_path folder = support_temporary_folder();
    tiny_model tiny;
    ttt_train_state at = {.steps = 3};
    ttt_error err = {0};
    bool found = true;
    (void)state;
    tiny_init(&tiny);
    ASSERT_OK(ttt_checkpoint_load(folder.text, tiny.session, &at, NULL, &found, NULL, &err));
    assert_false(found);
    ASSERT_OK(ttt_checkpoint_load(support_join(folder.text, "none").text, tiny.session, &at, NULL, &found, NULL, &err));
    assert_false(found);
    assert_int_equal(at.steps, 3);
    tiny_release(&tiny);
    support_remove_folder(folder.text);
}

static void broken_newest__is_passed_over_and_reported(void **state) {
    const support_path folder = support_temporary_folder();
    tiny_model tiny;
    ttt_train_state at = {0};
    ttt_error err = {0}, problem;
    bool found;
    (void)state;
    tiny_init(&tiny);
    train_to(&tiny, &at, 2);
    ASSERT_OK(ttt_checkpoint_save(folder.text, tiny.session, &at, NULL, &err));
    support_write(support_join(folder.text, "checkpoint-9.safetensors").text, "not a checkpoint");
    ASSERT_OK(ttt_checkpoint_load(folder.text, tiny.session, &at, NULL, &found, &problem, &err));
    assert_true(found);
    assert_int_equal(at.steps, 2);
    assert_non_null(strstr(problem.message, "checkpoint-9"));
    unlink(support_join(folder.text, "checkpoint-2.safetensors").text);
    assert_true(ttt_checkpoint_load(folder.text, tiny.session, &at, NULL, &found, &problem, &err) != TTT_OK);
    assert_false(found);
    tiny_release(&tiny);
    support_remove_folder(folder.text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resumed_training__equals_uninterrupted_to_the_bit),
        cmocka_unit_test(last_two__are_kept_and_nothing_else_is_touched),
        cmocka_unit_test(no_checkpoint__is_no_error),
        cmocka_unit_test(broken_newest__is_passed_over_and_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
