/* The cage: every program of tests/induce/programs ends as its first line says ("# outcome: part of the message", for
 * those that ran "# ran: the grid" for the input 120/003, "# stopped:" for any outcome but that), and never to the harm
 * of the next. */
#include "support.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "induce/cage.h"
#include "induce/cage_inside.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static const char rotate[] = "import numpy as np\ndef transform(grid):\n    return np.rot90(grid)\n";
static const char sleeper[] = "import time\ntime.sleep(3600)\n";

static ttt_error err;

static ttt_cage *new_cage(double seconds, int workers) {
    ttt_cage *cage;
    ASSERT_OK(ttt_cage_new(&(ttt_cage_options){.seconds = seconds, .workers = workers}, &cage, &err));
    return cage;
}

static ttt_grid small_grid(void) {
    return (ttt_grid){.height = 2, .width = 3, .cells = {1, 2, 0, 0, 0, 3}};
}

static const char *grid_text(const ttt_grid *grid, char *text) {
    char *at = text;
    for (int r = 0; r < grid->height; r++) {
        if (r > 0) *at++ = '/';
        for (int c = 0; c < grid->width; c++) *at++ = (char)('0' + ttt_grid_at(grid, r, c));
    }
    *at = '\0';
    return text;
}

static void check_rotated(const ttt_cage_result *result, const char *after) {
    char text[TTT_GRID_CELLS + TTT_GRID_MAX + 1];
    if (result->outcome != TTT_CAGE_RAN || strcmp(grid_text(result->outputs, text), "03/20/10") != 0) {
        fail_msg("an ordinary program after %s: %s %s", after, ttt_cage_outcome_name(result->outcome), result->message);
    }
}

/* ------------------------------------------------------------------------------------------------ the programs */
typedef struct program_file {
    char name[64];
    char *source;
    char outcome[32], text[200]; /* what its first line asks for */
} program_file;

typedef struct collection {
    program_file *files;
    size_t count;
} collection;

static program_file read_program(const char *folder, const char *name) {
    program_file file = {0};
    size_t bytes;
    snprintf(file.name, sizeof file.name, "%s", name);
    ASSERT_OK(ttt_file_read(support_join(folder, name).text, 1 << 20, &file.source, &bytes, &err));
    if (sscanf(file.source, "# %31[a-z ]:%*1[ ]%199[^\n]", file.outcome, file.text) < 1) {
        fail_msg("%s: its first line is not '# outcome: text'", name);
    }
    return file;
}

static collection read_collection(void) {
    const support_path folder = support_source("tests/induce/programs");
    ttt_folder_list list;
    ASSERT_OK(ttt_folder_list_read(&list, folder.text, ".py", &err));
    collection c = {calloc(list.count, sizeof *c.files), list.count};
    for (size_t i = 0; i < c.count; i++) c.files[i] = read_program(folder.text, list.names[i]);
    ttt_folder_list_free(&list);
    return c;
}

static void free_collection(collection *c) {
    for (size_t i = 0; i < c->count; i++) ttt_free(c->files[i].source);
    free(c->files);
}

/* Whether the result is what the first line of the source asks for; says how not. */
static bool is_as_expected(const program_file *file, const ttt_cage_result *result) {
    char grid[TTT_GRID_CELLS + TTT_GRID_MAX + 1];
    const bool ran = result->outcome == TTT_CAGE_RAN;
    const char *outcome = ttt_cage_outcome_name(result->outcome);
    const char *said = ran ? grid_text(result->outputs, grid) : result->message;
    if (!ran && strcmp(file->outcome, "stopped") == 0) return true;
    if (strcmp(outcome, file->outcome) == 0 && ran == (result->outputs != NULL) &&
        (ran ? strcmp(said, file->text) == 0 : strstr(said, file->text) != NULL)) {
        return true;
    }
    print_error("%s: %s: '%s', expected %s: '%s'\n", file->name, outcome, said, file->outcome, file->text);
    return false;
}

/* Runs those that are to run out of time (or all the others), each followed by an ordinary program; returns how many
 * ended otherwise than they should. */
static int run_part(const collection *c, bool out_of_time, double seconds, int workers) {
    const char **programs = calloc(2 * c->count, sizeof *programs);
    const program_file **files = calloc(c->count, sizeof *files);
    ttt_cage_result *results = calloc(2 * c->count, sizeof *results);
    size_t count = 0;
    for (size_t i = 0; i < c->count; i++) {
        if ((strcmp(c->files[i].outcome, "time") == 0) != out_of_time) continue;
        programs[2 * count] = c->files[i].source;
        programs[2 * count + 1] = rotate;
        files[count++] = &c->files[i];
    }
    ttt_cage *cage;
    const ttt_cage_options options = {.seconds = seconds, .memory_bytes = (size_t)128 << 20, .workers = workers};
    ASSERT_OK(ttt_cage_new(&options, &cage, &err));
    const ttt_grid input = small_grid();
    ASSERT_OK(ttt_cage_run(cage, programs, 2 * count, &input, 1, 0, NULL, results, &err));
    ttt_cage_free(cage);
    int wrong = 0;
    for (size_t i = 0; i < count; i++) {
        wrong += !is_as_expected(files[i], &results[2 * i]);
        check_rotated(&results[2 * i + 1], files[i]->name);
    }
    for (size_t i = 0; i < 2 * count; i++) ttt_cage_result_release(&results[i]);
    free(programs);
    free(files);
    free(results);
    return wrong;
}

static void run_collection(bool out_of_time, double seconds, int workers) {
    collection c = read_collection();
    size_t hostile = 0;
    for (size_t i = 0; i < c.count; i++) hostile += strncmp(c.files[i].name, "hostile_", 8) == 0;
    assert_true(hostile >= 30);
    assert_int_equal(run_part(&c, out_of_time, seconds, workers), 0);
    assert_int_not_equal(access("/tmp/escaped", F_OK), 0); /* what some of them try to leave behind */
    free_collection(&c);
}

static void programs__end_as_they_should_one_after_another(void **state) {
    (void)state;
    run_collection(false, 120, 1); /* seconds: on a busy machine too, only those that never end may run out of them */
}

static void programs__end_as_they_should_side_by_side(void **state) {
    (void)state;
    run_collection(false, 120, 4);
}

static void programs__without_end_are_ended(void **state) {
    (void)state;
    run_collection(true, 2, 3);
}

static void outputs__come_for_every_input_in_order(void **state) {
    (void)state;
    ttt_cage *cage = new_cage(0, 2);
    ttt_grid inputs[5];
    for (int i = 0; i < 5; i++) inputs[i] = ttt_grid_filled(30, i + 26, (uint8_t)i);
    const char *const programs[] = {"def transform(grid):\n    return grid + 1\n",
                                    "def transform(grid):\n    return grid if grid[0, 0] < 4 else grid / 0.3\n",
                                    rotate};
    ttt_cage_result results[3];
    ASSERT_OK(ttt_cage_run(cage, programs, 3, inputs, 5, 0, NULL, results, &err));
    assert_int_equal(results[0].outcome, TTT_CAGE_RAN);
    for (int i = 0; i < 5; i++) {
        const ttt_grid more = ttt_grid_filled(30, i + 26, (uint8_t)(i + 1)),
                       turned = ttt_grid_filled(i + 26, 30, (uint8_t)i);
        assert_true(ttt_grid_equal(&results[0].outputs[i], &more));
        assert_true(ttt_grid_equal(&results[2].outputs[i], &turned));
    }
    assert_int_equal(results[1].outcome, TTT_CAGE_NO_GRID); /* one wrong answer spoils all */
    assert_null(results[1].outputs);
    for (int i = 0; i < 3; i++) ttt_cage_result_release(&results[i]);
    ttt_cage_free(cage);
}

static void nothing__to_run_is_fine(void **state) {
    (void)state;
    ttt_cage *cage = new_cage(0, 0);
    const char *const programs[] = {rotate};
    ttt_cage_result result;
    ASSERT_OK(ttt_cage_run(cage, NULL, 0, NULL, 0, 0, NULL, NULL, &err));
    ASSERT_OK(ttt_cage_run(cage, programs, 1, NULL, 0, 0, NULL, &result, &err));
    assert_int_equal(result.outcome, TTT_CAGE_RAN);
    ttt_cage_result_release(&result);
    ttt_cage_free(cage);
    ttt_cage_free(NULL);
}

static void same_program__gives_same_answer(void **state) {
    (void)state;
    const char *const program = "import random, numpy as np\n"
                                "def transform(grid):\n"
                                "    words = list({'apple', 'pear', 'plum', 'fig', 'kiwi', 'lime', 'date'})\n"
                                "    return [[random.randrange(10) for _ in range(20)],\n"
                                "            list(np.random.randint(0, 10, 20)), [len(w) for w in words] + [0] * 13,\n"
                                "            [random.Random().randrange(10) for _ in range(20)],\n"
                                "            list(np.random.default_rng().integers(0, 10, 20))]\n";
    const ttt_grid input = small_grid();
    ttt_cage_result results[2];
    for (int i = 0; i < 2; i++) {
        ttt_cage *cage = new_cage(0, 1);
        ASSERT_OK(ttt_cage_run(cage, &program, 1, &input, 1, 0, NULL, &results[i], &err));
        assert_int_equal(results[i].outcome, TTT_CAGE_RAN);
        ttt_cage_free(cage);
    }
    assert_true(ttt_grid_equal(results[0].outputs, results[1].outputs));
    for (int i = 0; i < 2; i++) ttt_cage_result_release(&results[i]);
}

static void prelude__is_the_module_common(void **state) {
    (void)state;
    const ttt_cage_options options = {.prelude = "import numpy as np\nANSWER = 7\ndef blank(h, w):\n"
                                                 "    return np.full((h, w), ANSWER)\n"};
    const char *const programs[] = {
        "import common\ncommon.ANSWER = 3\ndef main(grid):\n    return common.blank(1, 2)\n",
        "from common import *\ndef main(grid):\n    return blank(2, 1)\n",
        "from common import *\ndef main(grid):\n    return crop(grid)\n"};
    const ttt_grid input = small_grid();
    ttt_cage *cage;
    ttt_cage_result results[3];
    ASSERT_OK(ttt_cage_new(&options, &cage, &err));
    ASSERT_OK(ttt_cage_run(cage, programs, 3, &input, 1, 0, NULL, results, &err));
    char text[TTT_GRID_CELLS + TTT_GRID_MAX + 1];
    assert_string_equal(grid_text(results[0].outputs, text), "33");
    assert_string_equal(grid_text(results[1].outputs, text), "7/7");
    assert_int_equal(results[2].outcome, TTT_CAGE_RAISED);
    for (int i = 0; i < 3; i++) ttt_cage_result_release(&results[i]);
    ttt_cage_free(cage);
}

/* ------------------------------------------------------------------------------------------------ starting */
static void start__says_what_is_missing(void **state) {
    (void)state;
    ttt_cage *cage;
    ASSERT_FAILS(ttt_cage_new(&(ttt_cage_options){.python = "/nowhere/python3"}, &cage, &err), TTT_ERROR_UNSUPPORTED,
                 "programs need python3 with numpy: /nowhere/python3: No such file");
    assert_null(cage);
    ASSERT_FAILS(ttt_cage_new(&(ttt_cage_options){.python = "/bin/true"}, &cage, &err), TTT_ERROR_UNSUPPORTED,
                 "/bin/true never became ready");
    ASSERT_FAILS(ttt_cage_new(&(ttt_cage_options){.prelude = "import nosuch\n"}, &cage, &err), TTT_ERROR_UNSUPPORTED,
                 "/usr/bin/python3: ImportError: the prelude: line 1: ModuleNotFoundError: No module named 'nosuch'");
    ASSERT_FAILS(ttt_cage_new(&(ttt_cage_options){.seconds = -1}, &cage, &err), TTT_ERROR_ARGUMENT, "-1 seconds");
}

static void memory__running_out_is_an_error_everywhere(void **state) {
    (void)state;
    ttt_cage *cage = NULL;
    ttt_status status = TTT_ERROR_MEMORY;
    for (size_t n = 1; status != TTT_OK; n++) {
        ttt_memory_fail_at(n);
        status = ttt_cage_new(&(ttt_cage_options){.python = "/usr/bin/python3"}, &cage, &err);
        ttt_memory_fail_at(0);
        if (status != TTT_OK) assert_int_equal(status, TTT_ERROR_MEMORY);
        assert_int_equal(cage != NULL, status == TTT_OK);
    }
    const ttt_grid input = small_grid();
    const char *const programs[] = {rotate, rotate, rotate};
    ttt_cage_result results[3];
    status = TTT_ERROR_MEMORY;
    for (size_t n = 1; status != TTT_OK; n++) {
        ttt_memory_fail_at(n);
        status = ttt_cage_run(cage, programs, 3, &input, 1, 0, NULL, results, &err);
        ttt_memory_fail_at(0);
        if (status != TTT_OK) assert_int_equal(status, TTT_ERROR_MEMORY);
        for (int i = 0; i < 3; i++) {
            if (status == TTT_OK) check_rotated(&results[i], "runs without memory");
            assert_int_equal(results[i].outputs != NULL, status == TTT_OK);
            ttt_cage_result_release(&results[i]);
        }
    }
    ttt_cage_free(cage);
}

/* ------------------------------------------------------------------------------------------------ ending */
static void run__ends_when_its_time_is_up(void **state) {
    (void)state;
    ttt_cage *cage = new_cage(600, 2);
    const char *const programs[] = {rotate, sleeper, sleeper, rotate, sleeper};
    const ttt_grid input = small_grid();
    ttt_cage_result results[5];
    ASSERT_OK(ttt_cage_run(cage, programs, 5, &input, 1, 0.5, NULL, results, &err));
    check_rotated(&results[0], "nothing");
    for (int i = 1; i < 5; i++) assert_int_equal(results[i].outcome, TTT_CAGE_TIME);
    assert_string_equal(results[1].message, "still running when all had to end");
    assert_string_equal(results[4].message, "not run: all had to end");
    for (int i = 0; i < 5; i++) ttt_cage_result_release(&results[i]);

    const ttt_stop_flag raised = 1;
    ASSERT_OK(ttt_cage_run(cage, programs, 5, &input, 1, 0, &raised, results, &err));
    for (int i = 0; i < 5; i++) assert_int_equal(results[i].outcome, TTT_CAGE_TIME);
    ASSERT_OK(ttt_cage_run(cage, programs, 1, &input, 1, 0, NULL, results, &err));
    check_rotated(&results[0], "a run that was ended early");
    ttt_cage_result_release(&results[0]);
    ttt_cage_free(cage);
}

/* The beginning of struct ttt_cage, which is the server's: a test must reach what a program cannot. */
static pid_t server_of(const ttt_cage *cage) {
    return ((const ttt_cage_server *)(const void *)cage)->pid;
}

/* A process group is gone, or is about to be: nothing that is left of it may stay. */
static void wait_until_gone(pid_t group) {
    while (kill(-group, 0) == 0 || errno != ESRCH) usleep(1000); /* the runner's time limit ends a failure */
}

static void free__leaves_nothing_running(void **state) {
    (void)state;
    ttt_cage *cage = new_cage(0, 2);
    const pid_t server = server_of(cage);
    assert_int_equal(kill(-server, 0), 0);
    ttt_cage_free(cage);
    assert_int_equal(kill(-server, 0), -1);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left to be reaped */
}

static void server__starts_again_when_it_was_killed(void **state) {
    (void)state;
    ttt_cage *cage = new_cage(0, 2);
    const char *const programs[] = {rotate, rotate, rotate};
    const ttt_grid input = small_grid();
    for (int i = 0; i < 3; i++) {
        const pid_t before = server_of(cage);
        ttt_cage_result results[3];
        kill(before, SIGKILL);
        ASSERT_OK(ttt_cage_run(cage, programs, 3, &input, 1, 0, NULL, results, &err));
        assert_int_not_equal(server_of(cage), before);
        for (int p = 0; p < 3; p++) {
            check_rotated(&results[p], "the server's death");
            ttt_cage_result_release(&results[p]);
        }
    }
    ttt_cage_free(cage);
}

static void server__killed_amid_programs_is_survived_once(void **state) {
    (void)state;
    ttt_cage *cage = new_cage(3, 2);
    const char *const programs[] = {sleeper, "def transform(grid):\n    return grid\n", rotate};
    const ttt_grid input = small_grid();
    const pid_t server = server_of(cage), killer = fork();
    if (killer == 0) {
        usleep(500000);
        kill(server, SIGKILL);
        _exit(0);
    }
    ttt_cage_result results[3];
    ASSERT_OK(ttt_cage_run(cage, programs, 3, &input, 1, 0, NULL, results, &err));
    assert_int_equal(results[0].outcome, TTT_CAGE_TIME);
    assert_int_equal(results[1].outcome, TTT_CAGE_RAN);
    check_rotated(&results[2], "the server's death");
    waitpid(killer, NULL, 0);
    wait_until_gone(server);
    for (int i = 0; i < 3; i++) ttt_cage_result_release(&results[i]);
    ttt_cage_free(cage);
}

/* Kills the server of a cage again and again, until stopped. */
typedef struct assassin {
    const ttt_cage *cage;
    atomic_bool stop;
} assassin;

static void *kill_servers(void *context) {
    assassin *a = context;
    while (!a->stop) {
        usleep(200000);
        const pid_t server = server_of(a->cage);
        if (server > 0 && !a->stop) kill(server, SIGKILL);
    }
    return NULL;
}

static void server__killed_again_and_again_is_an_error(void **state) {
    (void)state;
    ttt_cage *cage = new_cage(600, 2);
    const char *const programs[] = {rotate, sleeper, sleeper};
    const ttt_grid input = small_grid();
    ttt_cage_result results[3];
    assassin a = {.cage = cage};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, kill_servers, &a), 0);
    ttt_status status = ttt_cage_run(cage, programs, 3, &input, 1, 0, NULL, results, &err);
    a.stop = true;
    pthread_join(thread, NULL);
    assert_int_not_equal(status, TTT_OK); /* died twice, or before it was ready again */
    assert_non_null(strstr(err.message, "python"));
    for (int i = 0; i < 3; i++) assert_null(results[i].outputs);
    ASSERT_OK(ttt_cage_run(cage, programs, 1, &input, 1, 0, NULL, results, &err)); /* the next run begins anew */
    check_rotated(&results[0], "many deaths");
    ttt_cage_result_release(&results[0]);
    ttt_cage_free(cage);
}

static void parents_death__takes_everything_along(void **state) {
    (void)state;
    int told[2];
    assert_int_equal(pipe(told), 0);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0); /* so that orphans come to us and not to init */
    const pid_t parent = fork();
    if (parent == 0) {
        ttt_cage *cage = new_cage(600, 2);
        const pid_t server = server_of(cage);
        const char *const programs[] = {sleeper, sleeper};
        const ttt_grid input = small_grid();
        ttt_cage_result results[2];
        if (write(told[1], &server, sizeof server) != sizeof server) _exit(1);
        (void)ttt_cage_run(cage, programs, 2, &input, 1, 0, NULL, results, &err);
        _exit(1);
    }
    pid_t server;
    assert_int_equal(read(told[0], &server, sizeof server), sizeof server);
    usleep(300000); /* until its programs sleep, most likely; before that is right as well */
    kill(parent, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {
    }
    wait_until_gone(server);
    prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
    close(told[0]);
    close(told[1]);
}

/* ------------------------------------------------------------------------------------------------ replies */
static void reply__is_not_believed_before_it_is_checked(void **state) {
    (void)state;
    ttt_random random = ttt_random_stream(1, "", "cage");
    uint8_t honest[] = {TTT_CAGE_RAN, 1, 2, 5, 6, 2, 1, 7, 9}, bytes[sizeof honest + 1];
    int legal = 0;
    for (int i = 0; i < 20000; i++) {
        memcpy(bytes, honest, sizeof honest);
        size_t count = sizeof honest;
        const uint32_t changes = ttt_random_below(&random, 3);
        for (uint32_t c = 0; c < changes; c++) {
            bytes[ttt_random_below(&random, sizeof honest)] = (uint8_t)ttt_random_below(&random, i % 2 == 0 ? 12 : 256);
        }
        if (changes > 0 && i % 5 == 0) count = ttt_random_below(&random, sizeof honest + 2);
        uint8_t *exact = malloc(count == 0 ? 1 : count); /* the sanitizer sees what is read beyond */
        memcpy(exact, bytes, count < sizeof honest ? count : sizeof honest);
        if (count > sizeof honest) exact[sizeof honest] = 1;
        ttt_cage_result result = {0};
        ASSERT_OK(ttt_cage_judge(exact, count, 0, 2, &result, &err));
        assert_true(result.outcome <= TTT_CAGE_FORBIDDEN);
        assert_int_equal(result.outcome == TTT_CAGE_RAN, result.outputs != NULL);
        if (changes == 0) assert_int_equal(result.outcome, TTT_CAGE_RAN);
        for (int g = 0; result.outputs != NULL && g < 2; g++) {
            const ttt_grid *grid = &result.outputs[g];
            assert_true(grid->height >= 1 && grid->height <= 30 && grid->width >= 1 && grid->width <= 30);
            for (int cell = 0; cell < ttt_grid_area(grid); cell++) assert_true(grid->cells[cell] < TTT_COLOURS);
        }
        legal += result.outcome == TTT_CAGE_RAN;
        ttt_cage_result_release(&result);
        free(exact);
    }
    assert_true(legal > 1000 && legal < 19000);
}

static void outcome_names__are_all_there(void **state) {
    (void)state;
    assert_string_equal(ttt_cage_outcome_name(TTT_CAGE_RAN), "ran");
    assert_string_equal(ttt_cage_outcome_name(TTT_CAGE_FORBIDDEN), "forbidden");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs__end_as_they_should_one_after_another),
        cmocka_unit_test(programs__end_as_they_should_side_by_side),
        cmocka_unit_test(programs__without_end_are_ended),
        cmocka_unit_test(outputs__come_for_every_input_in_order),
        cmocka_unit_test(nothing__to_run_is_fine),
        cmocka_unit_test(same_program__gives_same_answer),
        cmocka_unit_test(prelude__is_the_module_common),
        cmocka_unit_test(start__says_what_is_missing),
        cmocka_unit_test(memory__running_out_is_an_error_everywhere),
        cmocka_unit_test(run__ends_when_its_time_is_up),
        cmocka_unit_test(free__leaves_nothing_running),
        cmocka_unit_test(server__starts_again_when_it_was_killed),
        cmocka_unit_test(server__killed_amid_programs_is_survived_once),
        cmocka_unit_test(server__killed_again_and_again_is_an_error),
        cmocka_unit_test(parents_death__takes_everything_along),
        cmocka_unit_test(reply__is_not_believed_before_it_is_checked),
        cmocka_unit_test(outcome_names__are_all_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
