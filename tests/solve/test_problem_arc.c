/* An ARC task as the solver sees it: examples, views there and back, limits. */
#include "support.h"

#include "arc/vote.h"
#include "solve/problem_arc.h"

typedef struct fixture {
    ttt_task task;
    ttt_solve_settings settings;
    ttt_codec *codec;
    ttt_problem *problem;
    ttt_arena *arena;
    ttt_random random;
} fixture;

static ttt_grid drawn(ttt_random *random, int height, int width) {
    ttt_grid grid = ttt_grid_filled(height, width, 0);
    for (int i = 0; i < height * width; i++) grid.cells[i] = (uint8_t)ttt_random_below(random, TTT_COLOURS);
    return grid;
}

/* Demonstration i has sides i + 2; the one test input is 3 x 4. */
static void set_up(fixture *f, size_t demonstrations, bool trained, const char *assignment) {
    ttt_error err;
    ttt_random random = ttt_random_stream(1, "test", "grids");
    memset(f, 0, sizeof *f);
    f->random = ttt_random_stream(2, "test", "views");
    const ttt_encoding encoding = ttt_encoding_default();
    ASSERT_OK(ttt_grid_codec_new(&encoding, &f->codec, &err));
    ASSERT_OK(ttt_arena_new(&f->arena, 1 << 16, &err));
    ASSERT_OK(ttt_settings_defaults(&ttt_solve_table, &f->settings, &err));
    if (assignment != NULL) ASSERT_OK(ttt_settings_assign(&ttt_solve_table, &f->settings, assignment, &err));
    ASSERT_OK(ttt_task_init(&f->task, "task", demonstrations, 1, &err));
    for (size_t i = 0; i < demonstrations; i++) {
        f->task.demonstrations[i].input = drawn(&random, (int)i + 2, (int)i + 2);
        f->task.demonstrations[i].output = drawn(&random, (int)i + 2, (int)i + 2);
    }
    f->task.tests[0].input = drawn(&random, 3, 4);
    ASSERT_OK(ttt_problem_arc_new(&f->task, f->codec, &f->settings, trained, NULL, &f->problem, &err));
}

static void tear_down(fixture *f) {
    ttt_problem_free(f->problem);
    ttt_codec_free(f->codec);
    ttt_task_release(&f->task);
    ttt_arena_free(f->arena);
}

static size_t make_views(fixture *f, int32_t tokens, size_t demonstrations, size_t wanted) {
    ttt_error err;
    ttt_problem_limits limits = {.max_tokens = tokens, .demonstrations = demonstrations};
    size_t count;
    ASSERT_OK(f->problem->ops->views(f->problem, 0, &limits, &f->random, wanted, &count, &err));
    return count;
}

static size_t make_examples(fixture *f, int32_t tokens, size_t demonstrations) {
    ttt_error err;
    ttt_problem_limits limits = {.max_tokens = tokens, .demonstrations = demonstrations};
    size_t count;
    ASSERT_OK(f->problem->ops->examples(f->problem, &limits, &f->random, &count, &err));
    return count;
}

static void views__an_answer_comes_back_as_it_went(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    set_up(&f, 3, true, NULL);
    ttt_random random = ttt_random_stream(3, "test", "answer");
    ttt_grid answer = drawn(&random, 2, 5);
    const char *text = ttt_grid_to_text(&answer, f.arena), *back;
    ttt_sequence sequence = {0}, prompt = {0};
    assert_int_equal(make_views(&f, 8192, 3, 40), 40);
    for (size_t view = 0; view < 40; view++) {
        int32_t ids[64], first;
        ttt_view_facts facts;
        ASSERT_OK(f.problem->ops->encode(f.problem, 0, view, text, &sequence, &first, &err));
        assert_int_equal(first, sequence.ids[0]);
        memcpy(ids, sequence.ids, (size_t)sequence.length * sizeof *ids);
        ASSERT_OK(f.problem->ops->parse(f.problem, 0, view, ids, sequence.length, f.arena, &back, &err));
        assert_non_null(back);
        assert_string_equal(back, text);
        f.problem->ops->view_facts(f.problem, 0, view, &facts);
        ASSERT_OK(f.problem->ops->prompt(f.problem, 0, view, &prompt, &err));
        assert_int_equal(facts.prompt_tokens, prompt.length);
        assert_int_equal(facts.demonstrations, 3);
        if (view == 0) assert_true(facts.identity);
    }
    ttt_sequence_release(&sequence);
    ttt_sequence_release(&prompt);
    tear_down(&f);
}

static void views__the_first_do_not_depend_on_how_many(void **state) {
    (void)state;
    fixture f, g;
    ttt_error err;
    ttt_sequence left = {0}, right = {0};
    set_up(&f, 3, true, NULL);
    set_up(&g, 3, true, NULL);
    make_views(&f, 8192, 3, 5);
    make_views(&f, 8192, 3, 20);
    make_views(&g, 8192, 3, 30);
    for (size_t view = 0; view < 20; view++) {
        ASSERT_OK(f.problem->ops->prompt(f.problem, 0, view, &left, &err));
        ASSERT_OK(g.problem->ops->prompt(g.problem, 0, view, &right, &err));
        assert_int_equal(left.length, right.length);
        assert_memory_equal(left.ids, right.ids, (size_t)left.length * sizeof *left.ids);
        assert_memory_equal(left.positions, right.positions, (size_t)(left.length * left.axes) * sizeof(int32_t));
    }
    ttt_sequence_release(&left);
    ttt_sequence_release(&right);
    tear_down(&f);
    tear_down(&g);
}

static void limits__the_largest_demonstrations_go_first(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    ttt_view_facts facts;
    ttt_sequence prompt = {0};
    set_up(&f, 4, true, NULL);
    int32_t all = ttt_prompt_tokens(f.task.demonstrations, 4, &f.task.tests[0].input) + 40;
    assert_int_equal(make_views(&f, all, 4, 1), 1);
    f.problem->ops->view_facts(f.problem, 0, 0, &facts);
    assert_int_equal(facts.demonstrations, 4);
    for (size_t shown = 3; shown > 0; shown--) { /* by number */
        f.problem->ops->forget_views(f.problem);
        make_views(&f, all, shown, 1);
        f.problem->ops->view_facts(f.problem, 0, 0, &facts);
        assert_int_equal(facts.demonstrations, shown);
        assert_int_equal(facts.prompt_tokens, ttt_prompt_tokens(f.task.demonstrations, shown, &f.task.tests[0].input));
    }
    f.problem->ops->forget_views(f.problem); /* by length */
    make_views(&f, all - ttt_pair_tokens(&f.task.demonstrations[3]), 4, 1);
    f.problem->ops->view_facts(f.problem, 0, 0, &facts);
    assert_in_range(facts.demonstrations, 2, 3);
    ASSERT_OK(f.problem->ops->prompt(f.problem, 0, 0, &prompt, &err));
    assert_true(prompt.length < all);
    ttt_sequence_release(&prompt);
    tear_down(&f);
}

/* Turned, 3 rows of 10 cells become 10 rows of 3, each with its end: only views that keep the shape fit. */
static void limits__views_that_are_longer_than_the_task_are_passed_over(void **state) {
    (void)state;
    enum { WANTED = 30, TOKENS = 512 };
    for (int paper = 0; paper < 2; paper++) {
        fixture f;
        ttt_random random = ttt_random_stream(4, "test", "wide");
        set_up(&f, 6, true, paper ? "views.set=paper" : NULL);
        for (size_t i = 0; i < 6; i++) {
            f.task.demonstrations[i].input = drawn(&random, 3, 10);
            f.task.demonstrations[i].output = drawn(&random, 3, 10);
        }
        f.task.tests[0].input = drawn(&random, 3, 10);
        const size_t count = make_views(&f, TOKENS, 6, WANTED);
        assert_true(paper ? count > 0 : count == WANTED);
        for (size_t view = 0; view < count; view++) {
            ttt_view_facts facts;
            f.problem->ops->view_facts(f.problem, 0, view, &facts);
            assert_in_range(facts.prompt_tokens + ttt_grid_tokens(&f.task.tests[0].input), 1, TOKENS);
        }
        tear_down(&f);
    }
}

static void limits__a_question_that_does_not_fit_has_no_views(void **state) {
    (void)state;
    fixture f;
    set_up(&f, 2, true, NULL);
    int32_t alone = ttt_prompt_tokens(NULL, 0, &f.task.tests[0].input);
    assert_int_equal(make_views(&f, alone, 2, 8), 0);
    f.problem->ops->forget_views(f.problem);
    assert_int_equal(make_views(&f, 2 * alone + 2, 2, 8), 8); /* without demonstrations */
    tear_down(&f);
}

static void examples__fit_their_limits(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    ttt_sequence sequence = {0};
    set_up(&f, 4, true, NULL);
    for (int32_t limit = 60; limit <= 960; limit *= 2) {
        size_t count = make_examples(&f, limit, 4);
        for (size_t i = 0; i < count; i++) {
            ASSERT_OK(f.problem->ops->example(f.problem, i, &sequence, &err));
            assert_in_range(sequence.length, 1, limit);
            assert_int_equal(sequence.length, f.problem->ops->example_tokens(f.problem, i));
            assert_true(ttt_sequence_counted(&sequence) > 0);
        }
    }
    assert_int_equal(make_examples(&f, 8192, 4), 250);
    ttt_sequence_release(&sequence);
    tear_down(&f);
}

/* Pairs of 14, 26, 42 and 62 tokens: with all or all but one of them no example fits 64. */
static void examples__too_long_ones_are_shortened_or_by_the_reference_dropped(void **state) {
    (void)state;
    fixture f;
    set_up(&f, 4, true, NULL);
    assert_true(make_examples(&f, 64, 4) > 0);
    tear_down(&f);
    set_up(&f, 4, true, "ttt.reference_rules=true");
    assert_int_equal(make_examples(&f, 64, 4), 0);
    assert_true(make_examples(&f, 8192, 4) > 0);
    tear_down(&f);
}

static void examples__fewer_demonstrations_are_shorter(void **state) {
    (void)state;
    fixture f;
    int32_t longest[3] = {0};
    set_up(&f, 4, true, "ttt.transforms=false");
    for (size_t shown = 1; shown <= 2; shown++) {
        size_t count = make_examples(&f, 8192, shown);
        assert_true(count > 0);
        for (size_t i = 0; i < count; i++) {
            int32_t tokens = f.problem->ops->example_tokens(f.problem, i);
            if (tokens > longest[shown]) longest[shown] = tokens;
        }
        /* The question and `shown` others, the shortest of the task. */
        assert_int_equal(longest[shown],
                         ttt_example_tokens(f.task.demonstrations, shown, &f.task.demonstrations[shown]));
    }
    tear_down(&f);
}

static void one_demonstration__is_asked_without_any(void **state) {
    (void)state;
    fixture f;
    set_up(&f, 1, true, NULL);
    size_t count = make_examples(&f, 8192, 1);
    assert_true(count >= 8);
    int32_t shortest = f.problem->ops->example_tokens(f.problem, 0);
    for (size_t i = 1; i < count; i++) {
        int32_t tokens = f.problem->ops->example_tokens(f.problem, i);
        if (tokens < shortest) shortest = tokens;
    }
    assert_int_equal(shortest, ttt_example_tokens(NULL, 0, &f.task.demonstrations[0]));
    ttt_view_facts facts;
    assert_int_equal(make_views(&f, 8192, 1, 4), 4);
    f.problem->ops->view_facts(f.problem, 0, 3, &facts);
    assert_int_equal(facts.demonstrations, 1); /* the views show it */
    tear_down(&f);
}

static void reference__its_own_views_and_groups(void **state) {
    (void)state;
    for (int trained = 0; trained < 2; trained++) {
        fixture f;
        ttt_view_facts facts;
        bool seen[TTT_GROUP_COUNT] = {false};
        set_up(&f, 3, trained != 0, "views.set=paper");
        size_t count = make_views(&f, 8192, 3, 1000);
        assert_in_range(count, 6, 20);
        for (size_t i = 0; i < count; i++) {
            f.problem->ops->view_facts(f.problem, 0, i, &facts);
            assert_int_equal(facts.demonstrations, trained ? 2 : 3);
            seen[facts.group] = true;
        }
        for (int group = TTT_GROUP_IDENTITY; group <= TTT_GROUP_ROTATE_270; group++) assert_true(seen[group]);
        assert_int_equal(make_views(&f, 8192, 3, 4), 4);
        tear_down(&f);
    }
}

static void json__the_task_reads_back(void **state) {
    (void)state;
    fixture f;
    ttt_error err;
    ttt_task back = {0};
    set_up(&f, 3, true, NULL);
    f.task.tests[0].known = true;
    f.task.tests[0].output = ttt_grid_filled(2, 2, 4);
    json_t *object = f.problem->ops->to_json(f.problem);
    ASSERT_OK(ttt_task_from_json(object, "task", &back, &err));
    assert_int_equal(back.demonstration_count, 3);
    for (int i = 0; i < 3; i++) assert_true(ttt_pair_equal(&back.demonstrations[i], &f.task.demonstrations[i]));
    assert_true(back.tests[0].known && ttt_grid_equal(&back.tests[0].output, &f.task.tests[0].output));
    json_decref(object);
    ttt_task_release(&back);
    tear_down(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views__an_answer_comes_back_as_it_went),
        cmocka_unit_test(views__the_first_do_not_depend_on_how_many),
        cmocka_unit_test(limits__the_largest_demonstrations_go_first),
        cmocka_unit_test(limits__views_that_are_longer_than_the_task_are_passed_over),
        cmocka_unit_test(limits__a_question_that_does_not_fit_has_no_views),
        cmocka_unit_test(examples__fit_their_limits),
        cmocka_unit_test(examples__too_long_ones_are_shortened_or_by_the_reference_dropped),
        cmocka_unit_test(examples__fewer_demonstrations_are_shorter),
        cmocka_unit_test(one_demonstration__is_asked_without_any),
        cmocka_unit_test(reference__its_own_views_and_groups),
        cmocka_unit_test(json__the_task_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
