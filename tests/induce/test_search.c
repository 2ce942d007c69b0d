/* The search: small tasks with known rules, its programs on their own, any number of threads, little memory. */
#include "support.h"

#include "arc/grids.h"

#include "arc/task_read.h"
#include "base/memory.h"
#include "induce/search.h"

/* Demonstrations as input, output, input, output, ..., then the test input, then NULL. */
static ttt_task task_of(const char *const *pictures) {
    ttt_error err = {0};
    ttt_task task;
    size_t count = 0;
    while (pictures[count] != NULL) count++;
    ASSERT_OK(ttt_task_init(&task, "task", count / 2, 1, &err));
    for (size_t i = 0; i < count / 2; i++) {
        task.demonstrations[i].input = grid_of(pictures[2 * i]);
        task.demonstrations[i].output = grid_of(pictures[2 * i + 1]);
    }
    task.tests[0].input = grid_of(pictures[count - 1]);
    return task;
}

static const char *const flipped[] = {"123/400/050", "050/400/123", "10/23/44", "44/23/10", "700/080/119", NULL};
static const char *const recoloured[] = {"102/220/013", "304/440/035", "212/033/131",
                                         "434/055/353", "123/321/100", NULL};
/* Cells enclosed by 3 become 4. */
static const char *const enclosed[] = {"33300/30300/33300/00000", "33300/34300/33300/00000", "03333/03003/03333/00000",
                                       "03333/03443/03333/00000", "00000/03330/03030/03330", NULL};
/* Two panels beside a line of 5: 8 where exactly one of them has a cell. */
static const char *const either[] = {"1051000/0150110/1151010", "808/880/080", "0005111/1115001/1005100", "111/880/000",
                                     "1105100/0015001/1015110", NULL};

static void assert_best_answer(const char *const *pictures, const char *expected) {
    ttt_error err = {0};
    ttt_task task = task_of(pictures);
    const ttt_search_options options = {.threads = 2};
    ttt_search *search;
    ttt_search_answer answer;
    bool ended;
    ASSERT_OK(ttt_search_new(&task, &options, &search, &err));
    ASSERT_OK(ttt_search_run(search, 30, &ended, &err));
    assert_int_equal(ttt_search_answers(search, &answer, 1), 1);
    assert_int_equal(answer.fitted, task.demonstration_count);
    ASSERT_GRID(&answer.outputs[0], expected);
    ttt_search_free(search);
    ttt_task_release(&task);
}

static void search__finds_simple_rules(void **state) {
    (void)state;
    assert_best_answer(flipped, "119/080/700");
    assert_best_answer(recoloured, "345/543/300");
    assert_best_answer(enclosed, "00000/03330/03430/03330");
}

/* What an answer says is what its program says, on its own: on demonstrations that it claims to fit, and on tests. */
static void assert_programs_hold(const ttt_task *task, double seconds, size_t *programs) {
    ttt_error err = {0};
    const ttt_search_options options = {.threads = 2};
    ttt_search *search;
    ttt_search_answer answers[16];
    bool ended, defined;
    ttt_grid output;
    ASSERT_OK(ttt_search_new(task, &options, &search, &err));
    ASSERT_OK(ttt_search_run(search, seconds, &ended, &err));
    const size_t count = ttt_search_answers(search, answers, 16);
    for (size_t i = 0; i < count; i++) {
        size_t fitted = 0;
        for (size_t k = 0; k < task->demonstration_count; k++) {
            ASSERT_OK(ttt_program_run(answers[i].program, &task->demonstrations[k].input, &output, &defined, &err));
            fitted += defined && ttt_grid_equal(&output, &task->demonstrations[k].output);
        }
        if (fitted != answers[i].fitted) fail_msg("%s: fits %zu, not %zu", task->id, fitted, answers[i].fitted);
        for (size_t k = 0; k < task->test_count; k++) {
            ASSERT_OK(ttt_program_run(answers[i].program, &task->tests[k].input, &output, &defined, &err));
            if (!defined || !ttt_grid_equal(&output, &answers[i].outputs[k])) fail_msg("%s: test %zu", task->id, k);
        }
    }
    *programs += count;
    ttt_search_free(search);
}

static void search__programs_say_what_answers_say(void **state) {
    (void)state;
    const char *const *const tasks[] = {flipped, recoloured, enclosed, either};
    size_t programs = 0;
    for (size_t i = 0; i < 4; i++) {
        ttt_task task = task_of(tasks[i]);
        assert_programs_hold(&task, 0.5, &programs);
        ttt_task_release(&task);
    }
    assert_true(programs >= 8);
}

static void search__programs_hold_on_recorded_tasks(void **state) {
    (void)state;
    enum { EVERY = 20 };
    ttt_error err = {0};
    ttt_task_set set = {0};
    const support_path path = support_data("data/arc-agi-1/training_challenges.json");
    ASSERT_OK(ttt_task_set_read(&set, path.text, NULL, (ttt_problem_sink){0}, &err));
    size_t programs = 0;
    for (size_t i = 0; i < set.count; i += EVERY) assert_programs_hold(&set.items[i], 0.2, &programs);
    assert_true(programs > 0);
    ttt_task_set_release(&set);
}

/* The same work gives the same answers, whoever does it: both searches end when their memory is full. */
static void search__does_not_depend_on_threads(void **state) {
    (void)state;
    ttt_error err = {0};
    ttt_task task = task_of(flipped);
    ttt_search *searches[2];
    ttt_search_answer answers[2][8];
    size_t counts[2];
    bool ended;
    for (int i = 0; i < 2; i++) {
        const ttt_search_options options = {.threads = i + 1, .memory_bytes = 256 << 10};
        ASSERT_OK(ttt_search_new(&task, &options, &searches[i], &err));
        ASSERT_OK(ttt_search_run(searches[i], 0, &ended, &err));
        assert_true(ended);
        counts[i] = ttt_search_answers(searches[i], answers[i], 8);
    }
    assert_int_equal(counts[0], counts[1]);
    for (size_t i = 0; i < counts[0]; i++) {
        assert_true(ttt_grid_equal(&answers[0][i].outputs[0], &answers[1][i].outputs[0]));
        assert_int_equal(answers[0][i].programs, answers[1][i].programs);
        assert_true(answers[0][i].cost == answers[1][i].cost);
    }
    for (int i = 0; i < 2; i++) ttt_search_free(searches[i]);
    ttt_task_release(&task);
}

/* No rule to find, and little memory: what it takes stays near the limit, and it goes on to the end of its time. */
static void search__keeps_to_its_memory(void **state) {
    (void)state;
    enum { LIMIT = 1 << 20 };
    static const char *const unruly[] = {"123/456/789", "938/214/655", "321/654/987",
                                         "171/717/333", "222/919/404", NULL};
    ttt_error err = {0};
    ttt_task task = task_of(unruly);
    const ttt_search_options options = {.threads = 1, .memory_bytes = LIMIT};
    ttt_search *search;
    bool ended;
    ASSERT_OK(ttt_search_new(&task, &options, &search, &err));
    ASSERT_OK(ttt_search_run(search, 5, &ended, &err));
    const ttt_search_facts facts = ttt_search_describe(search);
    assert_true(facts.memory_full);
    assert_in_range(facts.bytes, LIMIT / 2, 2 * LIMIT);
    ttt_search_free(search);
    ttt_task_release(&task);
}

static void search__survives_every_failed_allocation(void **state) {
    (void)state;
    ttt_error err = {0};
    ttt_task task = task_of(enclosed);
    const ttt_search_options options = {.threads = 1, .memory_bytes = 1 << 20};
    ttt_status status = TTT_ERROR_MEMORY;
    for (size_t n = 1; status == TTT_ERROR_MEMORY && n < 1000000; n += 1 + n / 16) {
        ttt_search *search = NULL;
        bool ended;
        ttt_memory_fail_at(n);
        status = ttt_search_new(&task, &options, &search, &err);
        if (status == TTT_OK) status = ttt_search_run(search, 0.05, &ended, &err);
        ttt_memory_fail_at(0);
        ttt_search_free(search);
    }
    assert_int_equal(status, TTT_OK);
    ttt_task_release(&task);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(search__finds_simple_rules),
        cmocka_unit_test(search__programs_say_what_answers_say),
        cmocka_unit_test(search__programs_hold_on_recorded_tasks),
        cmocka_unit_test(search__does_not_depend_on_threads),
        cmocka_unit_test(search__keeps_to_its_memory),
        cmocka_unit_test(search__survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
