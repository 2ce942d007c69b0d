/* Programs: their text, what is refused in it, and running. */
#include "programs.h"

#include "base/memory.h"

/* ---------------------------------------------------------------------------------------------- running */

static void run__gives_the_value_of_the_output(void **state) {
    (void)state;
    assert_runs("output = input", "12/34", "12/34");
    assert_runs("output = flip_rows(input)", "12/34", "34/12");
    assert_runs("# a comment\n\na = objects(input)\n  # another\nb = most(a, size)\noutput = recolour(b, red)\n",
                "100/004/044", "02/22");
    assert_runs("a = input\noutput = recolour(a, #7)", "10/04", "70/07");
}

static void run__is_undefined_where_a_needed_value_is(void **state) {
    (void)state;
    assert_runs("output = most(objects(input), size)", "000", NULL);
    assert_runs("output = most(objects(input), size)", "101", NULL); /* two of one size */
    assert_runs("a = objects(input)\noutput = input", "000", "000"); /* nobody asks for a */
}

static void rule__takes_the_first_case_that_applies(void **state) {
    (void)state;
    const char *rule = "a = flip_rows(input)\n"
                       "output = cells {\n"
                       "    a is 1 and input is not 0: red;\n"
                       "    a is not 0: a;\n"
                       "    input is blue: #9;\n"
                       "    else: 5\n"
                       "}\n";
    assert_runs(rule, "1100/1010", "2915/2195");
    assert_runs("a = flip_rows(input)\n" /* of docs/program-language.md */
                "output = cells {\n    input is not 0: input;\n    a is not 0: grey;\n    else: black\n}\n",
                "120/010/000", "120/010/550");
    assert_runs("output = cells { input is 0: 3; input is 1: input }", "01", "31");
    assert_runs("output = cells { input is 0: 3; input is 1: input }", "02", NULL); /* no case for 2 */
    assert_runs("output = cells { most(objects(input), size) is 3: 1; else: input }", "3", "1");
    assert_runs("output = cells { most(objects(input), size) is 3: 1; else: input }", "30", NULL); /* sizes differ */
}

static void run__keeps_to_its_scope(void **state) {
    (void)state;
    assert_runs("output = objectwise flip_rows(input)", "1001/1102/0022", "1101/1022/0002");
    assert_runs("output = groupwise flip_columns(input)", "120/100/003", "210/010/003");
    assert_runs("output = panelwise flip_columns(input)", "10501/01510", "01510/10501");
    assert_runs("output = together(each flip_columns(groups(input)))", "10/12", "01/21");
}

static void run__enters_the_frame_and_leaves_it(void **state) {
    (void)state;
    assert_runs("frame = transposed\noutput = flip_rows(input)", "12/34", "21/43");
    assert_runs("frame = background\noutput = recolour(input, red)", "5505", "5525");
    assert_runs("frame = background\noutput = recolour(input, #5)", "5535", "5505"); /* 0 is the frame's 5 */
    assert_runs("frame = colours\noutput = recolour(input, #2)", "3317", "3377");    /* the third most frequent */
    assert_runs("frame = transposed colours\noutput = cells { input is #1: #0; else: input }", "88/48/44", "88/88/88");
}

static void paint__says_which_cells_have_no_case(void **state) {
    (void)state;
    uint8_t a[] = {0, 1, 2, 1}, b[] = {7, 7, 8, 8}, cells[4];
    const ttt_piece layer_a = {.height = 2, .width = 2, .cells = a}, layer_b = {.height = 2, .width = 2, .cells = b};
    const ttt_piece *layers[] = {&layer_a, &layer_b};
    const ttt_case cases[] = {
        {.conditions = {{.layer = 0, .colour = 1}, {.layer = 1, .colour = 8}}, .condition_count = 2, .copied = 0},
        {.conditions = {{.layer = 1, .colour = 7}}, .condition_count = 1, .copied = -1, .colour = 4},
        {.copied = 1},
    };
    const uint8_t expected[] = {4, 4, 8, 1};
    assert_true(ttt_cases_paint(cases, 3, layers, cells, 4));
    assert_memory_equal(cells, expected, 4);
    assert_false(ttt_cases_paint(cases, 2, layers, cells, 4));
    assert_true(ttt_cases_paint(cases, 2, layers, cells, 2));
}

static void run__has_all_scratch_memory_for_each_application(void **state) {
    (void)state;
    char text[8192] = "", line[64];
    strcat(text, "a0 = objects(input)\n");
    for (int i = 1; i < 200; i++) {
        snprintf(line, sizeof line, "a%d = each recolour(a%d, #%d)\n", i, i - 1, 1 + i % 9);
        strcat(text, line);
    }
    strcat(text, "output = most(a199, size)\n");
    ttt_grid input = ttt_grid_filled(30, 30, 1), output;
    ttt_program program;
    ttt_error err = {0};
    bool defined;
    ASSERT_OK(ttt_program_parse(text, "test", &program, &err));
    ASSERT_OK(ttt_program_run(&program, &input, &output, &defined, &err));
    assert_true(defined);
    assert_int_equal(output.cells[0], 2);
    ttt_program_release(&program);
}

static void programs__survive_every_lack_of_memory(void **state) {
    (void)state;
    const char *text = "a = flip_rows(input)\noutput = cells { a is 1: red; else: input }\n";
    const ttt_grid input = grid_of("12/34");
    size_t at = 1;
    for (ttt_status status = TTT_ERROR_MEMORY; status == TTT_ERROR_MEMORY; at++) {
        ttt_program program, copy = {0};
        ttt_error err = {0};
        ttt_grid output;
        bool defined;
        char *printed = NULL;
        ttt_memory_fail_at(at);
        status = ttt_program_parse(text, "test", &program, &err);
        if (status == TTT_OK) status = ttt_program_copy(&copy, &program, &err);
        if (status == TTT_OK) status = ttt_program_print(&copy, &printed, &err);
        if (status == TTT_OK) status = ttt_program_run(&copy, &input, &output, &defined, &err);
        ttt_memory_fail_at(0);
        if (status != TTT_OK) assert_int_equal(status, TTT_ERROR_MEMORY);
        ttt_free(printed);
        ttt_program_release(&copy);
        ttt_program_release(&program);
    }
    assert_true(at > 10);
}

/* ---------------------------------------------------------------------------------------------- text */

static void print__is_what_a_person_would_write(void **state) {
    (void)state;
    const char *same[] = {
        "output = input\n",
        "output = recolour(most(each flip_rows(objects(input)), height), pink)\n",
        "frame = transposed background\na = objects(input)\noutput = most(each recolour(a, red), size)\n",
        "a = recolour(input, grey)\n"
        "output = cells {\n"
        "    a is grey and input is not 0: input;\n"
        "    input is 0: black;\n"
        "    else: a\n"
        "}\n",
        "frame = colours\noutput = cells {\n    input is #1: #2;\n    else: input\n}\n",
    };
    assert_prints(same[0], same[0]);
    assert_prints(same[1], same[1]);
    assert_prints("frame = transposed background\na = objects(input)\noutput = most(each recolour(a, red), size)\n",
                  "frame = transposed background\noutput = most(each recolour(objects(input), red), size)\n");
    assert_prints(same[3], same[3]);
    assert_prints(same[4], same[4]);
    assert_prints("x = flip_rows(input)\ny = flip_rows(x)\nz = objects(y)\nv = objects(x)\n"
                  "output = cells { most(v, size) is #3 and y is 1: x; x is 3: y }",
                  "a = flip_rows(input)\nb = flip_rows(a)\nc = most(objects(a), size)\n"
                  "output = cells {\n    c is green and b is blue: a;\n    a is green: b\n}\n");
}

static void print__breaks_long_expressions(void **state) {
    (void)state;
    char text[2048] = "output = ";
    for (int i = 0; i < 30; i++) strcat(text, "flip_rows(");
    strcat(text, "input");
    for (int i = 0; i < 30; i++) strcat(text, ")");
    char *printed = printed_of(text);
    for (const char *line = printed; *line != '\0'; line += strcspn(line, "\n") + 1) {
        assert_true(strcspn(line, "\n") < 100);
    }
    assert_non_null(strstr(printed, "a = flip_rows("));
    assert_prints(printed, printed);
    ttt_free(printed);
}

static void print__refuses_what_is_no_program(void **state) {
    (void)state;
    ttt_program program = {0};
    ttt_error err = {0};
    char *text;
    ASSERT_FAILS(ttt_program_print(&program, &text, &err), TTT_ERROR_ARGUMENT, "breaks the rules");
    assert_null(text);
}

typedef struct bad_text {
    const char *text, *error;
} bad_text;

static void parse__says_what_it_found_and_expected(void **state) {
    (void)state;
    const bad_text bad[] = {
        {"", "p:1: found the end of the text, expected 'output = ...'"},
        {"a = input\n", "p:2: found the end of the text, expected 'output = ...'"},
        {"\n\noutput = most(input, size)\n", "p:3: 'most' takes (list, property), found (grid, property)"},
        {"output = most(objects(input), red)", "p:1: 'most' takes (list, property), found (list, colour)"},
        {"output = most(objects(input))", "p:1: 'most' takes (list, property), found (list)"},
        {"output = recolour(input, 3)", "'recolour' takes (grid, colour), found (grid, number)"},
        {"output = recolour(input, red, 1)", "'recolour' takes (grid, colour), found (grid, colour, number)"},
        {"output = recolour(input, red, 1, 2)", "found over 3 arguments of 'recolour', expected 2"},
        {"output = recolour()", "found ')', expected an expression"},
        {"output = recolour(input red)", "found 'red', expected ',' or ')'"},
        {"output = flip_row(input)", "found 'flip_row', expected the name of an operation; did you mean 'flip_rows'?"},
        {"output = inptu", "p:1: found 'inptu', expected 'input', a constant, or a name that is defined above; did "
                           "you mean 'input'?"},
        {"output = a\na = input\n", "found 'a', expected 'input'"},
        {"output = red", "found a colour as output or layer of it, expected a grid or a mask"},
        {"output = objects(input)\n", "p:1: found a list as output"},
        {"output = each input", "found 'input', expected the name of an operation"},
        {"output = each most(objects(input), size)", "found 'each most', expected an operation from a grid to a grid"},
        {"output = most(each flip_rows(input), size)", "'each flip_rows' takes (list), found (grid)"},
        {"a = input\na = input\noutput = a", "p:2: found a second definition of 'a'"},
        {"red = input\noutput = red", "p:1: found 'red', a word of the language, as a name"},
        {"most = input\noutput = most", "found 'most', a word of the language, as a name"},
        {"north_west = input\noutput = input", "a word of the language, as a name"},
        {"size = input\noutput = input", "a word of the language, as a name"},
        {"is = input\noutput = input", "a word of the language, as a name"},
        {"output = input\nframe = colours", "p:2: found 'frame', expected nothing behind the output"},
        {"a = input\nframe = colours\noutput = a", "p:2: found 'frame', a word of the language, as a name"},
        {"frame = sideways\noutput = input", "found 'sideways', expected 'transposed', 'colours' or 'background'"},
        {"frame = colours colours\noutput = input", "found 'colours', expected each word of a frame once"},
        {"frame =\noutput = input", "p:2: found 'output', expected 'transposed'"},
        {"a = input output = a", "p:1: found 'output', expected a new line"},
        {"output input", "found 'input', expected '='"},
        {"output = recolour(input, #10)", "found '#10', expected a colour from #0 to #9"},
        {"output = recolour(input, #99999999999999999999)", "expected a colour from #0 to #9"},
        {"output = recolour(input, 99999999999999999999)", "expected a number from -900 to 900"},
        {"output = recolour(input, -901)", "found '-901', expected a number from -900 to 900"},
        {"output = \x01", "found byte 0x01, expected an expression"},
        {"output = \xff", "found byte 0xff, expected an expression"},
        {"output = abcdefghijklmnopqrstuvwxyzabcdef", "found 'abcdefghijklmnopqrstuvwxyzabcde', expected a word of at "
                                                      "most 31 letters"},
        {"output = cells", "found the end of the text, expected '{'"},
        {"output = cells {}", "found '}', expected an expression"},
        {"output = cells { else: red }", "found a rule without a layer"},
        {"output = cells { input is 1: red;\n}", "p:2: found '}', expected an expression"},
        {"output = cells { else: input; input is 1: red }", "found ';', expected '}' behind 'else'"},
        {"output = cells { input is 1: red\ninput is 2: red }", "p:2: found 'input', expected ';' or '}'"},
        {"output = cells { input: red }", "found ':', expected 'is'"},
        {"output = cells { input is input: red }", "found 'input', expected a colour"},
        {"output = cells { input is 10: red }", "found '10', expected a colour"},
        {"output = cells { input is 1: 10 }", "found a number as output or layer of it"},
        {"output = cells { objects(input) is 1: red }", "found a list as output or layer of it"},
        {"output = cells { input is 1 and input is 2 and input is 3 and input is 4: red }",
         "found over 3 conditions of one case"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ttt_program program;
        ttt_error err = {0};
        ASSERT_FAILS(ttt_program_parse(bad[i].text, "p", &program, &err), TTT_ERROR_FORMAT, bad[i].error);
        assert_null(program.nodes);
    }
}

/* `count` times `part` (with a number in it) between two texts. */
static char *long_text(const char *before, const char *part, int count, const char *after) {
    const size_t bytes = strlen(before) + (strlen(part) + 20) * (size_t)count + strlen(after) + 1;
    char *text = ttt_allocate(bytes, 1), *at = text;
    at += sprintf(at, "%s", before);
    for (int i = 0; i < count; i++) {
        for (const char *c = part; *c != '\0'; c++) at += sprintf(at, *c == '%' ? "%d" : "%c", *c == '%' ? i : *c);
    }
    sprintf(at, "%s", after);
    return text;
}

static void assert_refused(char *text, const char *error) {
    ttt_program program;
    ttt_error err = {0};
    ASSERT_FAILS(ttt_program_parse(text, "p", &program, &err), TTT_ERROR_FORMAT, error);
    ttt_free(text);
}

static void parse__keeps_to_its_limits(void **state) {
    (void)state;
    assert_refused(long_text("output = ", "flip_rows(", 100000, "input"), "found over 64 nested operations");
    assert_refused(long_text("output = ", "each ", 100000, "input"), "found 'each'");
    assert_refused(long_text("a0 = flip_rows(input)\n", "b% = recolour(input, red)\n", 513, "output = input"),
                   "found over 512 names");
    assert_refused(long_text("output = cells { ", "input is 1: 2; ", 65, "else: 1 }"), "found over 64 cases");
    assert_refused(long_text("", "", 0,
                             "output = cells { flip_rows(input) is 1: 2;"
                             "most(objects(flip_rows(input)), size) is 1: 2; else: }"),
                   "found '}', expected an expression");
}

static void parse__counts_nodes_and_layers(void **state) {
    (void)state;
    char text[1 << 15] = "x0 = input\n", line[64];
    for (int i = 1; i < 520; i++) {
        snprintf(line, sizeof line, "x%d = flip_rows(x%d)\n", i, i - 1);
        if (i < 500) strcat(text, line);
    }
    const size_t length = strlen(text);
    for (int i = 0; i < 20; i++) {
        snprintf(line, sizeof line, "y%d = recolour(x%d, red)\n", i, i);
        if (i < 10) strcat(text, line);
    }
    strcat(text, "output = recolour(x499, blue)\n"); /* input, 499 flips, red, 10 of it, blue, 1 of it: 513 */
    assert_refused(ttt_string_copy(text), "p:511: a program of over 512 operations and constants");
    text[length] = '\0';
    strcat(text, "output = cells { ");
    for (int i = 0; i < 13; i++) {
        snprintf(line, sizeof line, "x%d is 1: 2; ", i);
        strcat(text, line);
    }
    strcat(text, "else: 1 }");
    assert_refused(ttt_string_copy(text), "found over 12 layers");
}

/* ---------------------------------------------------------------------------------------------- validity */

static void valid__notices_each_broken_rule(void **state) {
    (void)state;
    ttt_program good, bad;
    ttt_error err = {0};
    ASSERT_OK(ttt_program_parse("a = most(objects(input), size)\noutput = cells { a is 1: input; else: 2 }", "p", &good,
                                &err));
    assert_true(ttt_program_valid(&good));
#define ASSERT_INVALID(change)                                                                                         \
    do {                                                                                                               \
        ASSERT_OK(ttt_program_copy(&bad, &good, &err));                                                                \
        assert_true(ttt_program_valid(&bad));                                                                          \
        change;                                                                                                        \
        assert_false(ttt_program_valid(&bad));                                                                         \
        ttt_program_release(&bad);                                                                                     \
    } while (0)
    /* nodes: input, objects, size, most */
    ASSERT_INVALID(bad.nodes[0].type = TTT_VALUE_LIST);
    ASSERT_INVALID(bad.nodes[0].kind = 7);
    ASSERT_INVALID(bad.nodes[1].arguments[0] = 1);
    ASSERT_INVALID(bad.nodes[1].arguments[0] = 3);
    ASSERT_INVALID(bad.nodes[1].arguments[0] = 2);
    ASSERT_INVALID(bad.nodes[1].operation = UINT8_MAX);
    ASSERT_INVALID(bad.nodes[1].scope = TTT_SCOPE_EACH);
    ASSERT_INVALID(bad.nodes[1].type = TTT_VALUE_GRID);
    ASSERT_INVALID(bad.nodes[2].constant = TTT_PROPERTY_COUNT);
    ASSERT_INVALID(bad.nodes[2].constant = -1);
    ASSERT_INVALID(bad.nodes[2].type = TTT_VALUE_GRID);
    ASSERT_INVALID(bad.frame = TTT_FRAME_END);
    ASSERT_INVALID(bad.layer_count = 0);
    ASSERT_INVALID(bad.layer_count = TTT_LAYERS_MAX + 1);
    ASSERT_INVALID(bad.layers[0] = 1);
    ASSERT_INVALID(bad.layers[0] = 4);
    ASSERT_INVALID(bad.case_count = 0);                          /* two layers */
    ASSERT_INVALID(bad.case_count = 1; bad.cases[0].copied = 0); /* a layer that no case names */
    ASSERT_INVALID(bad.cases[0].copied = 2);
    ASSERT_INVALID(bad.cases[0].copied = -2);
    ASSERT_INVALID(bad.cases[1].colour = TTT_COLOURS);
    ASSERT_INVALID(bad.cases[0].condition_count = TTT_CONDITIONS_MAX + 1);
    ASSERT_INVALID(bad.cases[0].condition_count = 0); /* behind which there is another */
    ASSERT_INVALID(bad.cases[0].conditions[0].layer = 2);
    ASSERT_INVALID(bad.cases[0].conditions[0].colour = TTT_COLOURS);
#undef ASSERT_INVALID
    ttt_program_release(&good);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run__gives_the_value_of_the_output),
        cmocka_unit_test(run__is_undefined_where_a_needed_value_is),
        cmocka_unit_test(rule__takes_the_first_case_that_applies),
        cmocka_unit_test(run__keeps_to_its_scope),
        cmocka_unit_test(run__enters_the_frame_and_leaves_it),
        cmocka_unit_test(paint__says_which_cells_have_no_case),
        cmocka_unit_test(run__has_all_scratch_memory_for_each_application),
        cmocka_unit_test(programs__survive_every_lack_of_memory),
        cmocka_unit_test(print__is_what_a_person_would_write),
        cmocka_unit_test(print__breaks_long_expressions),
        cmocka_unit_test(print__refuses_what_is_no_program),
        cmocka_unit_test(parse__says_what_it_found_and_expected),
        cmocka_unit_test(parse__keeps_to_its_limits),
        cmocka_unit_test(parse__counts_nodes_and_layers),
        cmocka_unit_test(valid__notices_each_broken_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
