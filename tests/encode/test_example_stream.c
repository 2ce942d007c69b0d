/* Training examples: pure functions of their number, within their limits, legal, and reversible where nothing but
 * symmetry and colours was asked for. */
#include "support.h"

#include "base/memory.h"
#include "encode/example_stream.h"

/* Rules whose pairs tell where they come from: pair i of rule r is (r + 1) x (i + 1) cells, the output one colour on.
 */
static void fill_store(ttt_pair_store *store, int rules, int pairs, int scale) {
    ttt_random random = ttt_random_stream(3, "", "store");
    ttt_error err = {0};
    ttt_pair *items = ttt_allocate((size_t)pairs, sizeof *items);
    for (int r = 0; r < rules; r++) {
        char id[16];
        snprintf(id, sizeof id, "rule%d", r);
        for (int i = 0; i < pairs; i++) {
            items[i].input = ttt_grid_filled((r % 9 + 1) * scale, (i % 10 + 1) * scale, 0);
            for (int c = 0; c < ttt_grid_area(&items[i].input); c++)
                items[i].input.cells[c] = (uint8_t)ttt_random_below(&random, 10);
            items[i].output = items[i].input;
            for (int c = 0; c < ttt_grid_area(&items[i].input); c++)
                items[i].output.cells[c] = (uint8_t)((items[i].input.cells[c] + 1) % 10);
        }
        ASSERT_OK(ttt_pair_store_add(store, id, items, (size_t)pairs, &err));
    }
    ttt_free(items);
}

static ttt_example_stream stream_of(const ttt_stream_options *options, const ttt_pair_store *store) {
    const ttt_example_source source = {store, 1};
    ttt_example_stream stream;
    ttt_error err = {0};
    ASSERT_OK(ttt_example_stream_init(&stream, options, &source, 1, &err));
    return stream;
}

static void example__is_a_function_of_seed_and_number(void **state) {
    ttt_pair_store store = {0};
    ttt_stream_options options = ttt_stream_defaults();
    ttt_sequence a = {0}, b = {0};
    ttt_error err = {0};
    int differ = 0;
    (void)state;
    fill_store(&store, 12, 10, 1);
    const ttt_example_stream first = stream_of(&options, &store), again = stream_of(&options, &store);
    options.seed = 2;
    const ttt_example_stream other = stream_of(&options, &store);
    for (uint64_t i = 0; i < 100; i++) {
        ASSERT_OK(ttt_example_stream_get(&first, 99 - i, &a, &err)); /* backwards: no memory of what went before */
        ASSERT_OK(ttt_example_stream_get(&again, 99 - i, &b, &err));
        assert_int_equal(a.length, b.length);
        assert_memory_equal(a.ids, b.ids, (size_t)a.length * 4);
        assert_memory_equal(a.positions, b.positions, (size_t)(a.length * a.axes) * 4);
        assert_memory_equal(a.targets, b.targets, (size_t)a.length * 4);
        ASSERT_OK(ttt_example_stream_get(&other, 99 - i, &b, &err));
        differ += a.length != b.length || memcmp(a.ids, b.ids, (size_t)a.length * 4) != 0;
    }
    assert_true(differ > 95);
    ttt_sequence_release(&a);
    ttt_sequence_release(&b);
    ttt_pair_store_release(&store);
}

static bool is_legal(const ttt_grid *grid) {
    if (grid->height < 1 || grid->height > TTT_GRID_MAX || grid->width < 1 || grid->width > TTT_GRID_MAX) return false;
    for (int i = 0; i < ttt_grid_area(grid); i++)
        if (grid->cells[i] >= TTT_COLOURS) return false;
    return true;
}

/* Large grids, every augmentation on, a limit that two plain pairs barely fit. */
static void examples__are_legal_and_within_the_limit(void **state) {
    ttt_pair_store store = {0};
    ttt_stream_options options = ttt_stream_defaults();
    ttt_sequence sequence = {0};
    ttt_error err = {0};
    size_t most = 0;
    (void)state;
    fill_store(&store, 9, 10, 3);
    options.method = options.output_only = options.input_only = options.symmetry = options.colours = 0.7;
    options.max_tokens = 2000;
    const ttt_example_stream stream = stream_of(&options, &store);
    for (uint64_t i = 0; i < 2000; i++) {
        ttt_example example;
        assert_true(ttt_example_stream_make(&stream, i, &example));
        most = example.count > most ? example.count : most;
        for (size_t p = 0; p <= example.count; p++)
            assert_true(is_legal(&example.pairs[p].input) && is_legal(&example.pairs[p].output));
        ASSERT_OK(ttt_example_stream_get(&stream, i, &sequence, &err));
        assert_in_range(sequence.length, 1, 2000);
        assert_true(ttt_sequence_counted(&sequence) > 0);
    }
    assert_int_equal(most, options.max_demonstrations);
    ttt_sequence_release(&sequence);
    ttt_pair_store_release(&store);
}

/* Whether `pair` is pair `index` of the store under some symmetry and the colour map that their cells imply. */
static bool comes_from(const ttt_pair_store *store, size_t index, const ttt_pair *pair, ttt_symmetry symmetry) {
    ttt_pair plain, turned;
    ttt_pair_store_get(store, index, &plain);
    ttt_symmetry_apply(symmetry, &plain.input, &turned.input);
    ttt_symmetry_apply(symmetry, &plain.output, &turned.output);
    if (turned.input.height != pair->input.height || turned.input.width != pair->input.width) return false;
    int map[TTT_COLOURS];
    for (int c = 0; c < TTT_COLOURS; c++) map[c] = -1;
    for (int side = 0; side < 2; side++) {
        const ttt_grid *from = side ? &turned.output : &turned.input, *to = side ? &pair->output : &pair->input;
        for (int c = 0; c < ttt_grid_area(from); c++) {
            int *image = &map[from->cells[c]];
            if (*image >= 0 && *image != to->cells[c]) return false;
            *image = to->cells[c];
        }
    }
    return true;
}

/* Undoing one symmetry and one renaming of colours must give pairs of the rule, all of them different ones. */
static void symmetry_and_colours__can_be_undone(void **state) {
    ttt_pair_store store = {0};
    ttt_stream_options options = ttt_stream_defaults();
    bool used[TTT_SYMMETRIES] = {false};
    (void)state;
    fill_store(&store, 5, 10, 1);
    options.method = options.output_only = options.input_only = 0;
    const ttt_example_stream stream = stream_of(&options, &store);
    for (uint64_t i = 0; i < 300; i++) {
        ttt_example example;
        assert_true(ttt_example_stream_make(&stream, i, &example));
        const ttt_pair_group *group = ttt_pair_store_find(&store, example.rule);
        bool undone = false;
        for (ttt_symmetry s = 0; s < TTT_SYMMETRIES && !undone; s++) {
            size_t found = 0, taken = 0;
            for (size_t p = 0; p <= example.count; p++)
                for (size_t k = 0; k < group->count; k++)
                    if (!(taken >> k & 1) && comes_from(&store, group->first + k, &example.pairs[p], s)) {
                        taken |= (size_t)1 << k;
                        found++;
                        break;
                    }
            undone = found == example.count + 1;
            used[s] = used[s] || undone;
        }
        assert_true(undone);
    }
    for (int s = 0; s < TTT_SYMMETRIES; s++) assert_true(used[s]);
    ttt_pair_store_release(&store);
}

/* The rule is "every colour one on". With changes of outputs only, inputs stay and outputs follow another rule, the
 * same one for all pairs of the example. */
static void output_only_changes__leave_inputs_alone(void **state) {
    ttt_pair_store store = {0};
    ttt_stream_options options = ttt_stream_defaults();
    int changed = 0;
    (void)state;
    fill_store(&store, 5, 10, 1);
    options.method = options.input_only = options.symmetry = options.colours = 0;
    options.output_only = 1;
    const ttt_example_stream stream = stream_of(&options, &store);
    for (uint64_t i = 0; i < 200; i++) {
        ttt_example example;
        assert_true(ttt_example_stream_make(&stream, i, &example));
        for (size_t p = 0; p <= example.count; p++) {
            ttt_pair plain;
            bool known = false;
            for (size_t k = 0; k < store.starts.count && !known; k++) {
                ttt_pair_store_get(&store, k, &plain);
                known = ttt_grid_equal(&plain.input, &example.pairs[p].input);
            }
            assert_true(known);
            changed += !ttt_grid_equal(&plain.output, &example.pairs[p].output);
        }
    }
    assert_true(changed > 300);
    ttt_pair_store_release(&store);
}

static void weights__share_out_the_examples(void **state) {
    ttt_pair_store few = {0}, many = {0};
    const ttt_stream_options options = ttt_stream_defaults();
    ttt_example_stream stream;
    ttt_error err = {0};
    int from_first = 0;
    (void)state;
    fill_store(&few, 2, 5, 1);
    fill_store(&many, 9, 5, 1);
    const ttt_example_source sources[] = {{&few, 3}, {&many, 1}};
    ASSERT_OK(ttt_example_stream_init(&stream, &options, sources, 2, &err));
    for (uint64_t i = 0; i < 2000; i++) {
        ttt_example example;
        assert_true(ttt_example_stream_make(&stream, i, &example));
        from_first += example.source == 0;
    }
    assert_in_range(from_first, 1400, 1600); /* 1500 expected, standard deviation 19 */
    ttt_pair_store_release(&few);
    ttt_pair_store_release(&many);
}

static void single_pair_rules__become_questions_without_demonstrations(void **state) {
    ttt_pair_store store = {0};
    const ttt_stream_options options = ttt_stream_defaults();
    (void)state;
    fill_store(&store, 9, 1, 3);
    const ttt_example_stream stream = stream_of(&options, &store);
    for (uint64_t i = 0; i < 200; i++) {
        ttt_example example;
        assert_true(ttt_example_stream_make(&stream, i, &example));
        assert_int_equal(example.count, 0);
    }
    ttt_pair_store_release(&store);
}

static void impossible_streams__are_refused(void **state) {
    ttt_pair_store empty = {0}, store = {0};
    ttt_stream_options options = ttt_stream_defaults();
    ttt_example_stream stream;
    ttt_error err = {0};
    (void)state;
    fill_store(&store, 1, 2, 1);
    const ttt_example_source nothing = {&empty, 1}, weightless = {&store, 0}, good = {&store, 1};
    ASSERT_FAILS(ttt_example_stream_init(&stream, &options, NULL, 0, &err), TTT_ERROR_ARGUMENT, "0 sources");
    ASSERT_FAILS(ttt_example_stream_init(&stream, &options, &nothing, 1, &err), TTT_ERROR_ARGUMENT, "empty");
    ASSERT_FAILS(ttt_example_stream_init(&stream, &options, &weightless, 1, &err), TTT_ERROR_ARGUMENT, "weight");
    options.max_demonstrations = 16;
    ASSERT_FAILS(ttt_example_stream_init(&stream, &options, &good, 1, &err), TTT_ERROR_ARGUMENT, "0 to 15");
    ttt_pair_store_release(&store);
}

/* Rules of small pairs are found among rules of large ones; where there are none, that is an error, not a hang. */
static void short_limits__take_the_rules_that_fit(void **state) {
    ttt_pair_store store = {0};
    ttt_stream_options options = ttt_stream_defaults();
    ttt_sequence sequence = {0};
    ttt_error err = {0};
    (void)state;
    fill_store(&store, 9, 10, 3); /* 3 x 3 cells and more */
    options.max_tokens = 60;
    const ttt_example_stream stream = stream_of(&options, &store);
    for (uint64_t i = 0; i < 200; i++) {
        ASSERT_OK(ttt_example_stream_get(&stream, i, &sequence, &err));
        assert_in_range(sequence.length, 1, 60);
    }
    options.max_tokens = 20;
    const ttt_example_stream hopeless = stream_of(&options, &store);
    ASSERT_FAILS(ttt_example_stream_get(&hopeless, 0, &sequence, &err), TTT_ERROR_ARGUMENT, "20 tokens");
    ttt_sequence_release(&sequence);
    ttt_pair_store_release(&store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example__is_a_function_of_seed_and_number),
        cmocka_unit_test(examples__are_legal_and_within_the_limit),
        cmocka_unit_test(symmetry_and_colours__can_be_undone),
        cmocka_unit_test(output_only_changes__leave_inputs_alone),
        cmocka_unit_test(weights__share_out_the_examples),
        cmocka_unit_test(short_limits__take_the_rules_that_fit),
        cmocka_unit_test(single_pair_rules__become_questions_without_demonstrations),
        cmocka_unit_test(impossible_streams__are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
