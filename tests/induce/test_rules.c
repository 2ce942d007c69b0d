/* Explaining outputs by layers: what a rule is, how it is written down, when it is none; stacks. */
#include "support.h"

#include "arc/grids.h"

#include "induce/rules.h"
#include "induce/stacks.h"

enum { PAIRS = 2 };

/* Two demonstrations and one test; the layers come as pictures of all three. */
typedef struct bench {
    ttt_grid outputs[PAIRS];
    uint8_t cells[2 * TTT_GRID_CELLS], pair_of[2 * TTT_GRID_CELLS];
    ttt_target target;
    ttt_layers *layers;
    ttt_layer_group *group;
    ttt_finding found;
    char answer[64];
    size_t findings;
} bench;

static void bench_init(bench *b, const char *first, const char *second) {
    ttt_error err = {0};
    *b = (bench){.outputs = {grid_of(first), grid_of(second)}};
    size_t count = 0;
    for (size_t i = 0; i < PAIRS; i++) {
        for (int k = 0; k < ttt_grid_area(&b->outputs[i]); k++) {
            b->cells[count] = b->outputs[i].cells[k];
            b->pair_of[count++] = (uint8_t)i;
        }
    }
    b->target = (ttt_target){b->outputs, PAIRS, 1, b->cells, b->pair_of, count};
    ASSERT_OK(ttt_layers_new(&b->target, &b->layers, &err));
}

/* True where it is taken as a layer. */
static bool bench_add(bench *b, const char *first, const char *second, const char *test) {
    ttt_error err = {0};
    ttt_scratch scratch;
    ttt_value values[PAIRS + 1];
    const ttt_grid grids[] = {grid_of(first), grid_of(second), grid_of(test)};
    ttt_layer_group *group;
    ASSERT_OK(ttt_scratch_init(&scratch, &err));
    for (size_t i = 0; i <= PAIRS; i++) assert_true(ttt_value_from_grid(&scratch, &grids[i], &values[i]));
    ASSERT_OK(ttt_layers_add(b->layers, 0, 4, values, &group, &err));
    ttt_scratch_release(&scratch);
    if (group != NULL) b->group = group;
    return group != NULL;
}

static void bench_release(bench *b) {
    ttt_layers_free(b->layers);
}

/* Keeps the cheapest. */
static ttt_status found(void *context, const ttt_layer_group *group, const ttt_finding *finding,
                        const uint8_t *test_cells, ttt_error *err) {
    bench *b = context;
    (void)err;
    if (b->findings++ > 0 && finding->cost >= b->found.cost) return TTT_OK;
    b->found = *finding;
    for (size_t i = 0; i < group->test_cells; i++) b->answer[i] = (char)('0' + test_cells[i]);
    b->answer[group->test_cells] = '\0';
    return TTT_OK;
}

static void layers__have_the_size_of_the_outputs_and_are_different(void **state) {
    (void)state;
    bench b;
    bench_init(&b, "12/34", "567");
    assert_true(bench_add(&b, "00/00", "000", "00"));
    assert_false(bench_add(&b, "00/00", "000", "00")); /* again */
    assert_false(bench_add(&b, "00/00", "00", "00"));  /* another size */
    assert_true(bench_add(&b, "00/00", "000", "000")); /* another size in the test: a group of its own */
    assert_int_equal(ttt_layers_group_count(b.layers), 2);
    assert_true(bench_add(&b, "12/34", "777", "00"));
    assert_int_equal(b.group->layers.items[1].wrong, 2);
    assert_int_equal(b.group->layers.items[1].right_pairs, 1);
    bench_release(&b);
}

static ttt_rule_parts parts_of(const bench *b, int selectors, uint32_t base, uint32_t *order) {
    ttt_rule_parts parts = {.group = b->group, .selector_count = selectors, .base = base, .order = order};
    for (int i = 0; i < selectors; i++) parts.selectors[i] = (uint32_t)i;
    for (uint32_t i = 0; i < b->target.cell_count; i++) order[i] = i;
    return parts;
}

/* 4 where the first layer is 1, the base elsewhere, whatever colours this has in the test. */
static void rule__copies_its_base_where_it_can(void **state) {
    (void)state;
    bench b;
    uint32_t order[16];
    uint8_t table[TTT_COMBINATIONS];
    size_t looked_at = 0;
    ttt_finding finding;
    bench_init(&b, "45/64", "477");
    bench_add(&b, "10/01", "100", "010");
    bench_add(&b, "35/63", "377", "898");
    const ttt_rule_parts parts = parts_of(&b, 1, 1, order);
    assert_true(ttt_rule_holds(&parts, table, &looked_at));
    assert_int_equal(looked_at, 7);
    assert_true(ttt_rule_write(&parts, &finding));
    assert_int_equal(finding.layer_count, 2);
    assert_int_equal(finding.case_count, 2);
    assert_int_equal(finding.cases[0].condition_count, 1);
    assert_int_equal(finding.cases[0].conditions[0].colour, 1);
    assert_int_equal(finding.cases[0].colour, 4);
    assert_int_equal(finding.cases[0].copied, -1);
    assert_int_equal(finding.cases[1].condition_count, 0);
    assert_int_equal(finding.cases[1].copied, 1);
    bench_release(&b);
}

static void rule__fails_where_the_output_is_neither_of_one_colour_nor_the_base(void **state) {
    (void)state;
    bench b;
    uint32_t order[16];
    uint8_t table[TTT_COMBINATIONS];
    size_t looked_at = 0;
    bench_init(&b, "45/67", "477");
    bench_add(&b, "10/01", "100", "010");
    bench_add(&b, "35/63", "377", "898");
    const ttt_rule_parts parts = parts_of(&b, 1, 1, order);
    assert_false(ttt_rule_holds(&parts, table, &looked_at));
    assert_int_equal(looked_at, 4); /* the first cell that contradicts */
    bench_release(&b);
}

static void rules__find_two_selectors(void **state) {
    (void)state;
    bench b;
    ttt_error err = {0};
    ttt_rules *rules;
    size_t work;
    bench_init(&b, "0110/0110", "0110/1001"); /* where exactly one is 1 */
    assert_true(bench_add(&b, "0011/0101", "0101/1100", "0101/0011"));
    ASSERT_OK(ttt_rules_new(b.layers, 2, found, &b, &rules, &err));
    ASSERT_OK(ttt_rules_add_layer(rules, b.group, &err));
    assert_true(bench_add(&b, "0101/0011", "0011/0101", "0011/0101"));
    ASSERT_OK(ttt_rules_add_layer(rules, b.group, &err));
    assert_int_equal(b.findings, 0);
    ASSERT_OK(ttt_rules_combine(rules, 2, 8, 1, 4, &work, &err));
    assert_true(b.findings > 0);
    assert_string_equal(b.answer, "01100110");
    b.findings = 0;
    ASSERT_OK(ttt_rules_combine(rules, 2, 8, 5, 9, &work, &err)); /* neither costs so much */
    assert_int_equal(b.findings, 0);
    ttt_rules_free(rules);
    bench_release(&b);
}

static void stacks__lay_pieces_on_a_base(void **state) {
    (void)state;
    bench b;
    ttt_error err = {0};
    ttt_stacks *stacks;
    bench_init(&b, "0120/0003", "1001/2030");
    static const char *const layers[][3] = {{"0100/0000", "1001/0000", "1000/0000"},
                                            {"0020/0000", "0000/2000", "0000/0002"},
                                            {"0000/0003", "0000/0030", "0300/0000"}};
    ASSERT_OK(ttt_stacks_new(b.layers, found, &b, &stacks, &err));
    for (size_t i = 0; i < 3; i++) {
        assert_true(bench_add(&b, layers[i][0], layers[i][1], layers[i][2]));
        ASSERT_OK(ttt_stacks_add_layer(stacks, b.group, &err));
    }
    ASSERT_OK(ttt_stacks_try(stacks, &err));
    assert_true(b.findings > 0);
    assert_string_equal(b.answer, "13000002");
    ttt_stacks_free(stacks);
    bench_release(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers__have_the_size_of_the_outputs_and_are_different),
        cmocka_unit_test(rule__copies_its_base_where_it_can),
        cmocka_unit_test(rule__fails_where_the_output_is_neither_of_one_colour_nor_the_base),
        cmocka_unit_test(rules__find_two_selectors),
        cmocka_unit_test(stacks__lay_pieces_on_a_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
