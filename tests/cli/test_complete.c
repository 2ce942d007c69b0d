/* `ttt complete` as a user runs it, against the golden numbers of a real checkpoint: from both layouts of a folder, and
 * from the GGUF file that `ttt model convert` makes of it. */
#include "support.h"

#include "base/file.h"
#include "cli/program.h"

#include <math.h>

static json_t *complete(const char *model, const char *prompt, json_int_t tokens) {
    char count[24];
    snprintf(count, sizeof count, "%lld", (long long)tokens);
    const char *const words[] = {"complete", "--model",  model, "--prompt", prompt, "--max-tokens",
                                 count,      "--device", "ref", "--json",   NULL};
    json_t *result;
    program_run(words, &result);
    return result;
}

static void assert_ids(const json_t *found, const json_t *prompt, const json_t *new) {
    const size_t first = json_array_size(prompt), count = json_array_size(new);
    assert_int_equal(json_array_size(found), first + count);
    for (size_t i = 0; i < first + count; i++) {
        const json_t *expected = i < first ? json_array_get(prompt, i) : json_array_get(new, i - first);
        assert_int_equal(json_integer_value(json_array_get(found, i)), json_integer_value(expected));
    }
}

static void check_prompt(const char *model, const json_t *golden) {
    const json_t *new = json_object_get(golden, "greedy_ids");
    json_t *found =
        complete(model, json_string_value(json_object_get(golden, "text")), (json_int_t)json_array_size(new));
    assert_ids(json_object_get(found, "ids"), json_object_get(golden, "ids"), new);
    assert_string_equal(json_string_value(json_object_get(found, "text")),
                        json_string_value(json_object_get(golden, "greedy_text")));
    assert_int_equal(json_array_size(json_object_get(found, "log_probabilities")), json_array_size(new));
    json_decref(found);
}

/* Float32 of the oracle: the tolerance that the golden file's README gives for logits. */
static void check_loss(const char *model, const json_t *golden) {
    json_t *found = complete(model, json_string_value(json_object_get(golden, "text")), 0);
    assert_ids(json_object_get(found, "ids"), json_object_get(golden, "ids"), NULL);
    const double loss = json_real_value(json_object_get(found, "loss"));
    const double expected = json_real_value(json_object_get(golden, "mean"));
    if (!(fabs(loss - expected) < 1e-3)) fail_msg("loss %.6f, expected %.6f", loss, expected);
    json_decref(found);
}

static json_t *read_golden(const char *folder) {
    ttt_error err;
    json_t *golden;
    ASSERT_OK(ttt_json_read(support_join(folder, "golden.json").text, &golden, &err));
    return golden;
}

static void check_model(const char *model, const json_t *golden) {
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(golden, "prompts"), i, entry) check_prompt(model, entry);
    json_array_foreach(json_object_get(golden, "losses"), i, entry) check_loss(model, entry);
    check_prompt(model, json_object_get(golden, "end_of_story"));
}

static void folders__give_the_golden_tokens_and_losses(void **state) {
    (void)state;
    static const char *const names[] = {"models/stories260k", "models/stories260k-bf16"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const support_path folder = support_data(names[i]);
        json_t *golden = read_golden(folder.text);
        check_model(folder.text, golden);
        json_decref(golden);
    }
}

/* Halves are exact for bf16 weights of this size but for subnormals; the smallest margin of these runs outweighs them.
 */
static void gguf_of_the_same_model__gives_them_too(void **state) {
    (void)state;
    const support_path folder = support_data("models/stories260k"), place = support_temporary_folder();
    const support_path file = support_join(place.text, "model.gguf"), back = support_join(place.text, "back");
    const char *const to_gguf[] = {"model", "convert", folder.text, file.text, "--type", "f16", NULL};
    const char *const to_folder[] = {"model", "convert", file.text, back.text, "--type", "f16", NULL};
    json_t *golden = read_golden(folder.text);
    program_run(to_gguf, NULL);
    program_run(to_folder, NULL);
    check_model(file.text, golden);
    check_model(back.text, golden);
    json_decref(golden);
    support_remove_folder(place.text);
}

static bool same_text(const json_t *a, const json_t *b) {
    return json_equal(json_object_get(a, "ids"), json_object_get(b, "ids")) &&
           json_equal(json_object_get(a, "log_probabilities"), json_object_get(b, "log_probabilities"));
}

/* A temperature draws by the seed; top-k 1 draws the most probable token at any temperature. */
static void sampling__follows_its_options(void **state) {
    (void)state;
    const support_path folder = support_data("models/stories260k");
    json_t *results[4];
    const char *const options[4][4] = {{"--temperature", "0", "--seed", "1"},
                                       {"--temperature", "5", "--seed", "1"},
                                       {"--temperature", "5", "--seed", "1"},
                                       {"--temperature", "5", "--seed", "2"}};
    for (int i = 0; i < 4; i++) {
        const char *const words[] = {"complete",    "--model",     folder.text,   "--prompt",     "Once",
                                     "--json",      "--device",    "ref",         "--max-tokens", "20",
                                     options[i][0], options[i][1], options[i][2], options[i][3],  NULL};
        program_run(words, &results[i]);
    }
    assert_true(same_text(results[1], results[2]));
    assert_false(same_text(results[1], results[3]));
    assert_false(same_text(results[0], results[1]));
    const char *const words[] = {
        "complete",     "--model", folder.text, "--prompt", "Once",          "--json", "--device", "ref",
        "--max-tokens", "20",      "--top-k",   "1",        "--temperature", "5",      NULL};
    json_t *greedy;
    program_run(words, &greedy);
    assert_true(same_text(greedy, results[0]));
    json_decref(greedy);
    for (int i = 0; i < 4; i++) json_decref(results[i]);
}

/* An adapter that was trained on a task, beside its base and folded into it. */
static void adapter__gives_what_the_merged_model_gives(void **state) {
    (void)state;
    const support_path folder = support_data("models/stories260k"), place = support_temporary_folder();
    const support_path task = support_join(place.text, "swap.json"), adapters = support_join(place.text, "adapters");
    const support_path adapter = support_join(adapters.text, "swap"), merged = support_join(place.text, "merged");
    const support_path out = support_join(place.text, "submission.json");
    support_write(task.text, "{\"train\": [{\"input\": [[1, 2]], \"output\": [[2, 1]]}, {\"input\": [[3, 4]], "
                             "\"output\": [[4, 3]]}], \"test\": [{\"input\": [[5, 6]]}]}");
    const char *const solve[] = {"solve",
                                 task.text,
                                 "--model",
                                 folder.text,
                                 "--device",
                                 "ref",
                                 "--set",
                                 "ttt.steps=3",
                                 "--set",
                                 "ttt.learning_rate=0.01",
                                 "--set",
                                 "views.count=1",
                                 "--save-adapters",
                                 adapters.text,
                                 "--out",
                                 out.text,
                                 NULL};
    const char *const merge[] = {"model", "merge",     "--model", folder.text, "--adapter", adapter.text,
                                 "--out", merged.text, "--type",  "f32",       NULL};
    const char *const with[] = {"complete",  "--model",      folder.text, "--adapter", adapter.text, "--prompt",
                                "Once upon", "--max-tokens", "20",        "--json",    "--device",   "ref",
                                NULL};
    json_t *together;
    program_run(solve, NULL);
    program_run(merge, NULL);
    program_run(with, &together);
    json_t *folded = complete(merged.text, "Once upon", 20), *bare = complete(folder.text, "Once upon", 20);
    assert_true(json_equal(json_object_get(together, "ids"), json_object_get(folded, "ids")));
    const double loss = json_real_value(json_object_get(together, "loss"));
    const double expected = json_real_value(json_object_get(folded, "loss"));
    /* Both in float32, the products summed in another order. */
    if (!(fabs(loss - expected) < 1e-4)) fail_msg("loss %.7f, folded in %.7f", loss, expected);
    if (fabs(loss - json_real_value(json_object_get(bare, "loss"))) < 1e-2) fail_msg("the adapter changes nothing");
    json_decref(together);
    json_decref(folded);
    json_decref(bare);
    support_remove_folder(place.text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders__give_the_golden_tokens_and_losses),
        cmocka_unit_test(gguf_of_the_same_model__gives_them_too),
        cmocka_unit_test(sampling__follows_its_options),
        cmocka_unit_test(adapter__gives_what_the_merged_model_gives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
