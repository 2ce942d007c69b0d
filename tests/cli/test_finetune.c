/* `ttt finetune` as a user runs it: on the oracle, with a tiny model and toy tasks. */
#include "support.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

static const char config_text[] =
    "{\"model_type\": \"llama\", \"vocab_size\": 16, \"hidden_size\": 16, \"intermediate_size\": 32,"
    " \"num_hidden_layers\": 1, \"num_attention_heads\": 2, \"num_key_value_heads\": 1, \"head_dim\": 8,"
    " \"max_position_embeddings\": 2048, \"rms_norm_eps\": 1e-5, \"tie_word_embeddings\": false,"
    " \"rope_axes\": [{\"pairs\": 1, \"theta\": 100.0}, {\"pairs\": 1, \"theta\": 100.0}, {\"pairs\": 2, \"theta\": "
    "100.0}],"
    " \"encoding\": {\"vocabulary\": \"grid-1\", \"axes\": [\"row\", \"column\", \"grid\"], \"mask\": \"input\"}}";
static const char task_a[] =
    "{\"train\": [{\"input\": [[1, 2]], \"output\": [[2, 1]]}, {\"input\": [[3, 4]], \"output\":"
    " [[4, 3]]}], \"test\": [{\"input\": [[5, 6]], \"output\": [[6, 5]]}]}";
static const char task_b[] =
    "{\"train\": [{\"input\": [[1], [2]], \"output\": [[2], [1]]}, {\"input\": [[3]], \"output\":"
    " [[3]]}], \"test\": [{\"input\": [[5], [6]], \"output\": [[6], [5]]}]}";

typedef struct place {
    support_path folder, config, tasks, ids;
} place;

static place make_place(void) {
    place at = {.folder = support_temporary_folder()};
    ttt_error err = {0};
    at.config = support_join(at.folder.text, "config.json");
    at.tasks = support_join(at.folder.text, "tasks");
    at.ids = support_join(at.folder.text, "ids.txt");
    support_write(at.config.text, config_text);
    ASSERT_OK(ttt_folder_make(at.tasks.text, &err));
    support_write(support_join(at.tasks.text, "a.json").text, task_a);
    support_write(support_join(at.tasks.text, "b.json").text, task_b);
    support_write(at.ids.text, "b\n");
    return at;
}

/* Starts `ttt finetune --device ref` with the words given (up to NULL); stdout and stderr go to files. */
static pid_t start(const place *at, const char *const *words) {
    const char *build = getenv("TTT_TEST_BUILD");
    const support_path program = support_join(build == NULL ? "build" : build, "ttt");
    const support_path out = support_join(at->folder.text, "stdout"), errors = support_join(at->folder.text, "stderr");
    const char *arguments[40] = {program.text,   "finetune", "--device",       "ref",
                                 "--max-tokens", "1900",     "--batch-tokens", "1900"};
    int count = 8;
    while (*words) arguments[count++] = *words++;
    if (access(program.text, X_OK) != 0) fail_msg("no program at %s", program.text);
    const pid_t child = fork();
    if (child != 0) return child;
    if (!freopen(out.text, "w", stdout) || !freopen(errors.text, "w", stderr)) _exit(99);
    execv(program.text, (char *const *)(void *)arguments);
    _exit(98);
}

static int finish(pid_t child) {
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* What the program wrote; free with ttt_free. */
static char *read_text(const char *folder, const char *name) {
    char *text;
    size_t bytes;
    ttt_error err = {0};
    ASSERT_OK(ttt_file_read(support_join(folder, name).text, 1 << 24, &text, &bytes, &err));
    return text;
}

static void assert_ends(const place *at, const char *const *words, int expected, const char *sentence) {
    const int status = finish(start(at, words));
    char *text = read_text(at->folder.text, "stderr");
    if (status != expected || !strstr(text, sentence))
        fail_msg("status %d (expected %d), no \"%s\" in: %s", status, expected, sentence, text);
    ttt_free(text);
}

static void wrong_usage__is_status_2_with_a_sentence(void **state) {
    const place at = make_place();
    const char *c = at.config.text, *t = at.tasks.text, *o = at.folder.text;
    (void)state;
    assert_ends(&at, (const char *[]){"--config", c, "--steps", "1", t, NULL}, 2, "--out");
    assert_ends(&at, (const char *[]){"--out", o, "--steps", "1", t, NULL}, 2, "--config FILE");
    assert_ends(&at, (const char *[]){"--out", o, "--config", c, "--model", o, "--steps", "1", t, NULL}, 2, "only one");
    assert_ends(&at, (const char *[]){"--out", o, "--config", c, t, NULL}, 2, "--time or --steps");
    assert_ends(&at, (const char *[]){"--out", o, "--config", c, "--steps", "1", NULL}, 2, "DATA");
    assert_ends(&at, (const char *[]){"--out", o, "--config", c, "--steps", "1", "--set", "stream.color=1", t, NULL}, 2,
                "stream.colours");
    support_remove_folder(at.folder.text);
}

static void bad_files__are_status_1_with_a_sentence(void **state) {
    const place at = make_place();
    const support_path bad = support_join(at.folder.text, "bad.json"), out = support_join(at.folder.text, "out");
    const char *c = at.config.text, *t = at.tasks.text, *o = out.text;
    (void)state;
    support_write(bad.text, "{\"vocab_size\": 16");
    assert_ends(&at, (const char *[]){"--out", o, "--config", bad.text, "--steps", "1", t, NULL}, 1, "bad.json");
    assert_ends(&at, (const char *[]){"--out", o, "--config", c, "--steps", "1", bad.text, NULL}, 1, "bad.json");
    assert_ends(&at, (const char *[]){"--out", o, "--config", c, "--holdout", "/none", "--steps", "1", t, NULL}, 1,
                "/none");
    assert_ends(&at, (const char *[]){"--out", bad.text, "--config", c, "--steps", "1", t, NULL}, 1, "bad.json");
    support_remove_folder(at.folder.text);
}

static json_t *result_of(const place *at) {
    char *text = read_text(at->folder.text, "stdout");
    json_t *result = json_loads(text, 0, NULL);
    if (!result) fail_msg("no JSON in: %s", text);
    ttt_free(text);
    return result;
}

static void training__leaves_model_metrics_checkpoints_and_goes_on_from_weights(void **state) {
    const place at = make_place();
    const support_path out = support_join(at.folder.text, "out"), onward = support_join(at.folder.text, "onward");
    (void)state;
    assert_ends(&at,
                (const char *[]){"--out", out.text, "--config", at.config.text, "--holdout", at.ids.text, "--steps",
                                 "3", "--step-tokens", "50", "--json", at.tasks.text, NULL},
                0, "1 rules, 3 pairs, 1 rules held out");
    json_t *result = result_of(&at);
    assert_int_equal(json_integer_value(json_object_get(result, "steps")), 3);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(result, "held_out"), "questions")), 1);
    assert_true(json_number_value(json_object_get(json_object_get(result, "held_out"), "loss")) > 0);
    json_decref(result);
    assert_true(ttt_file_exists(support_join(out.text, "model.safetensors").text));
    assert_true(ttt_file_exists(support_join(out.text, "checkpoints/checkpoint-3.safetensors").text));
    char *metrics = read_text(out.text, "metrics.jsonl");
    int lines = 0;
    for (char *line = strtok(metrics, "\n"); line; line = strtok(NULL, "\n"), lines++) {
        json_t *parsed = json_loads(line, 0, NULL);
        assert_non_null(parsed);
        json_decref(parsed);
    }
    assert_true(lines >= 2);
    ttt_free(metrics);
    assert_ends(&at,
                (const char *[]){"--out", onward.text, "--model", out.text, "--steps", "2", "--step-tokens", "50",
                                 "--json", at.tasks.text, NULL},
                0, "2 rules");
    result = result_of(&at);
    assert_int_equal(json_integer_value(json_object_get(result, "steps")), 2);
    json_decref(result);
    support_remove_folder(at.folder.text);
}

/* As a version wrote it that knew no such notes: the key is renamed, which for a reader is the same as none. */
static void forget_settings(const char *path) {
    static const char key[] = "\"ttt.finetune\"", other[] = "\"ttt.somewhat\"";
    char *data, *at;
    size_t bytes;
    ttt_error err = {0};
    ASSERT_OK(ttt_file_read(path, 1 << 24, &data, &bytes, &err));
    at = memmem(data, bytes, key, strlen(key));
    assert_non_null(at);
    memcpy(at, other, strlen(other));
    ASSERT_OK(ttt_file_write_atomically(path, data, bytes, &err));
    ttt_free(data);
}

static void another_configuration__does_not_go_on_and_the_sentence_names_it(void **state) {
    const place at = make_place();
    const support_path out = support_join(at.folder.text, "out"), turned = support_join(at.folder.text, "turned.json");
    const char *o = out.text, *c = at.config.text, *t = at.tasks.text;
    (void)state;
    assert_ends(&at, (const char *[]){"--out", o, "--config", c, "--steps", "2", "--step-tokens", "50", t, NULL}, 0,
                "2 rules");
    char *text = ttt_string_copy(config_text), *theta = strstr(text, "100.0");
    memcpy(theta, "200.0", 5);
    support_write(turned.text, text);
    ttt_free(text);
    const support_path weighted = support_join(at.folder.text, "tasks=2");
    const struct {
        const char *words[12], *sentence;
    } cases[] = {
        {{"--config", c, "--step-tokens", "60", t}, "step-tokens 50, now it is 60"},
        {{"--config", c, "--step-tokens", "50", "--learning-rate", "1e-3", t}, "learning-rate 0.002"},
        {{"--config", c, "--step-tokens", "50", "--seed", "2", t}, "seed 1, now it is 2"},
        {{"--config", c, "--step-tokens", "50", "--set", "stream.colours=0.5", t}, "stream.colours 0.9"},
        {{"--config", c, "--step-tokens", "50", "--holdout", at.ids.text, t}, "holdout \"none\""},
        {{"--config", c, "--step-tokens", "50", weighted.text}, "data set 1"},
        {{"--config", c, "--step-tokens", "50", t, t}, "data sets 1, now it is 2"},
        {{"--config", turned.text, "--step-tokens", "50", t}, "rope_axes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *words[20] = {"--out", o, "--steps", "3"};
        for (int k = 0; cases[i].words[k]; k++) words[4 + k] = cases[i].words[k];
        assert_ends(&at, words, 1, cases[i].sentence);
    }
    assert_false(ttt_file_exists(support_join(o, "checkpoints/checkpoint-3.safetensors").text));
    assert_ends(&at,
                (const char *[]){"--out", o, "--config", c, "--step-tokens", "50", "--steps", "3", "--threads", "1",
                                 "--evaluate-every", "1m", "--checkpoint-every", "1m", t, NULL},
                0, "going on after 2 steps");
    forget_settings(support_join(o, "checkpoints/checkpoint-3.safetensors").text);
    assert_ends(&at, (const char *[]){"--out", o, "--config", c, "--step-tokens", "60", "--steps", "4", t, NULL}, 0,
                "going on after 3 steps");
    support_remove_folder(at.folder.text);
}

/* Waits until a checkpoint of a run under way exists. */
static void wait_for_checkpoint(const char *out) {
    const struct timespec nap = {.tv_nsec = 2000000};
    const support_path folder = support_join(out, "checkpoints");
    for (int i = 0; i < 30000; i++) {
        ttt_folder_list files;
        ttt_error err = {0};
        size_t count = 0;
        if (ttt_file_is_folder(folder.text) &&
            ttt_folder_list_read(&files, folder.text, "0.safetensors", &err) == TTT_OK) {
            count = files.count;
            ttt_folder_list_free(&files);
        }
        if (count > 0) return;
        nanosleep(&nap, NULL);
    }
    fail_msg("no checkpoint after a minute");
}

static void assert_same_file(const char *a, const char *b, const char *name) {
    ttt_file_map x, y;
    ttt_error err = {0};
    ASSERT_OK(ttt_file_map_open(&x, support_join(a, name).text, &err));
    ASSERT_OK(ttt_file_map_open(&y, support_join(b, name).text, &err));
    assert_int_equal(x.bytes, y.bytes);
    assert_memory_equal(x.data, y.data, x.bytes);
    ttt_file_map_close(&x);
    ttt_file_map_close(&y);
}

/* Killed at once, stopped by Ctrl-C, run to its end: the model of a run that nothing happened to. */
static void killed_and_stopped_runs__go_on_to_the_same_model(void **state) {
    const place at = make_place();
    const support_path whole = support_join(at.folder.text, "whole"), broken = support_join(at.folder.text, "broken");
    const char *words[] = {"--out", whole.text,      "--config", at.config.text, "--steps", "200", "--checkpoint-every",
                           "0s",    "--step-tokens", "60",       at.tasks.text,  NULL};
    (void)state;
    assert_ends(&at, words, 0, "2 rules");
    words[1] = broken.text;
    pid_t child = start(&at, words);
    wait_for_checkpoint(broken.text); /* of ten or more steps */
    kill(child, SIGKILL);
    assert_int_equal(finish(child), 1000 + SIGKILL);
    child = start(&at, words);
    const struct timespec nap = {.tv_nsec = 200000000};
    nanosleep(&nap, NULL);
    kill(child, SIGINT);
    const int status = finish(child);
    /* 1: stopped in time; 0: it was faster; killed: Ctrl-C came before the program listened. */
    assert_true(status == 1 || status == 0 || status == 1000 + SIGINT);
    assert_ends(&at, words, 0, "going on after");
    assert_same_file(whole.text, broken.text, "model.safetensors");
    support_remove_folder(at.folder.text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_usage__is_status_2_with_a_sentence),
        cmocka_unit_test(bad_files__are_status_1_with_a_sentence),
        cmocka_unit_test(training__leaves_model_metrics_checkpoints_and_goes_on_from_weights),
        cmocka_unit_test(another_configuration__does_not_go_on_and_the_sentence_names_it),
        cmocka_unit_test(killed_and_stopped_runs__go_on_to_the_same_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
