/* Properties that every program has, on random ones: of sampling itself, of text, and of running. */
#include "programs.h"

enum { PROGRAMS = 2000, INPUTS = 2 };

static ttt_grid random_grid(ttt_random *random) {
    ttt_grid grid = ttt_grid_filled(1 + (int)ttt_random_below(random, TTT_GRID_MAX),
                                    1 + (int)ttt_random_below(random, TTT_GRID_MAX), 0);
    const uint32_t colours = 1 + ttt_random_below(random, TTT_COLOURS - 1), empty = ttt_random_below(random, 8);
    for (int i = 0; i < ttt_grid_area(&grid); i++) {
        if (ttt_random_below(random, 8) < empty) continue;
        grid.cells[i] = (uint8_t)ttt_random_below(random, colours + 1);
    }
    return grid;
}

/* A rule on some grids and masks of the program in place of its output: sampling makes none. */
static void add_rule(ttt_random *random, ttt_program *program) {
    program->layer_count = 0;
    for (size_t i = 0; i < program->node_count && program->layer_count < 3; i++) {
        const uint8_t type = program->nodes[i].type;
        if (type != TTT_VALUE_GRID && type != TTT_VALUE_MASK) continue;
        program->layers[program->layer_count++] = (uint16_t)i;
    }
    program->case_count = program->layer_count + 1;
    program->cases = ttt_allocate(program->case_count, sizeof *program->cases);
    for (uint8_t i = 0; i < program->layer_count; i++) {
        program->cases[i] = (ttt_case){.conditions = {{.layer = i, .colour = 0, .negated = i % 2},
                                                      {.layer = 0, .colour = (uint8_t)ttt_random_below(random, 10)}},
                                       .condition_count = (uint8_t)(1 + ttt_random_below(random, 2)),
                                       .copied = (int8_t)ttt_random_below(random, program->layer_count)};
    }
    program->cases[program->layer_count] =
        (ttt_case){.copied = -1, .colour = (uint8_t)ttt_random_below(random, TTT_COLOURS)};
}

/* Program number `index`: every third with a rule, in every frame. */
static ttt_program program_at(size_t index) {
    const ttt_random parent = ttt_random_stream(7, "", "programs");
    ttt_random random = ttt_random_fork(&parent, index);
    ttt_program program;
    ttt_error err = {0};
    ASSERT_OK(ttt_program_sample(&random, (int)(index % 9), NULL, &program, &err));
    program.frame = (ttt_frame)ttt_random_below(&random, TTT_FRAME_END);
    if (index % 3 == 0) add_rule(&random, &program);
    return program;
}

static int applications_of(const ttt_program *program) {
    int count = 0;
    for (size_t i = 0; i < program->node_count; i++) count += program->nodes[i].kind == TTT_NODE_APPLY;
    return count;
}

static void sample__is_valid_and_of_the_size_asked_for(void **state) {
    (void)state;
    bool seen[TTT_OPERATION_COUNT] = {false};
    for (size_t i = 0; i < PROGRAMS; i++) {
        ttt_program program = program_at(i);
        assert_true(ttt_program_valid(&program));
        assert_in_range(applications_of(&program), 0, i % 9);
        if (i % 9 > 0) assert_in_range(applications_of(&program), 1, i % 9);
        for (size_t k = 0; k < program.node_count; k++) {
            if (program.nodes[k].kind == TTT_NODE_APPLY) seen[program.nodes[k].operation] = true;
        }
        ttt_program_release(&program);
    }
    for (int i = 0; i < TTT_OPERATION_COUNT; i++) {
        if (!seen[i]) fail_msg("'%s' is in none of %d programs", ttt_operations[i].name, PROGRAMS);
    }
}

static void sample__keeps_to_its_weights(void **state) {
    (void)state;
    double weights[TTT_OPERATION_COUNT] = {0};
    ttt_random random = ttt_random_stream(7, "", "weights");
    ttt_program program;
    ttt_error err = {0};
    ASSERT_OK(ttt_program_sample(&random, 5, weights, &program, &err)); /* nothing is allowed */
    assert_int_equal(applications_of(&program), 0);
    ttt_program_release(&program);
    weights[TTT_OP_most] = 1; /* whose list nothing can make */
    ASSERT_OK(ttt_program_sample(&random, 5, weights, &program, &err));
    assert_int_equal(applications_of(&program), 0);
    ttt_program_release(&program);
    weights[TTT_OP_objects] = weights[TTT_OP_flip_rows] = 1;
    for (int i = 0; i < 200; i++) {
        ASSERT_OK(ttt_program_sample(&random, 5, weights, &program, &err));
        for (size_t k = 0; k < program.node_count; k++) {
            if (program.nodes[k].kind == TTT_NODE_APPLY) assert_true(weights[program.nodes[k].operation] > 0);
        }
        ttt_program_release(&program);
    }
    ASSERT_FAILS(ttt_program_sample(&random, -1, NULL, &program, &err), TTT_ERROR_ARGUMENT, "-1 operations");
    ASSERT_FAILS(ttt_program_sample(&random, 1000, NULL, &program, &err), TTT_ERROR_ARGUMENT, "1000 operations");
}

/* The same output, or none from both. */
static void assert_alike(const ttt_program *a, const ttt_program *b, const ttt_grid *input, const char *text) {
    ttt_grid of_a, of_b;
    ttt_error err = {0};
    bool defined_a, defined_b;
    ASSERT_OK(ttt_program_run(a, input, &of_a, &defined_a, &err));
    ASSERT_OK(ttt_program_run(b, input, &of_b, &defined_b, &err));
    if (defined_a != defined_b || (defined_a && !ttt_grid_equal(&of_a, &of_b))) {
        fail_msg("two results of one program:\n%s", text);
    }
    if (!defined_a) return;
    assert_in_range(of_a.height, 1, TTT_GRID_MAX);
    assert_in_range(of_a.width, 1, TTT_GRID_MAX);
    for (int i = 0; i < ttt_grid_area(&of_a); i++) assert_in_range(of_a.cells[i], 0, TTT_COLOURS - 1);
}

static void text__gives_the_same_program_again(void **state) {
    (void)state;
    ttt_random random = ttt_random_stream(7, "", "inputs");
    for (size_t i = 0; i < PROGRAMS; i++) {
        ttt_program program = program_at(i), again;
        ttt_error err = {0};
        char *text;
        ASSERT_OK(ttt_program_print(&program, &text, &err));
        ASSERT_OK(ttt_program_parse(text, text, &again, &err));
        for (int k = 0; k < INPUTS; k++) {
            const ttt_grid input = random_grid(&random);
            assert_alike(&program, &again, &input, text);
        }
        char *second;
        ASSERT_OK(ttt_program_print(&again, &second, &err));
        assert_string_equal(second, text);
        ttt_free(second);
        ttt_free(text);
        ttt_program_release(&again);
        ttt_program_release(&program);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sample__is_valid_and_of_the_size_asked_for),
        cmocka_unit_test(sample__keeps_to_its_weights),
        cmocka_unit_test(text__gives_the_same_program_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
