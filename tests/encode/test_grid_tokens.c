/* Tokens, coordinates, masks and losses of grids, to the last number. */
#include "support.h"

#include "encode/grid_tokens.h"

enum { ROW = TTT_TOKEN_ROW_END, IN = TTT_TOKEN_BEGIN_INPUT, OUT = TTT_TOKEN_BEGIN_OUTPUT, END = TTT_TOKEN_GRID_END };

static const ttt_encode_loss method_loss = {.first_output = 1};

static ttt_grid grid_of(int height, int width, const uint8_t *cells) {
    ttt_grid grid = ttt_grid_filled(height, width, 0);
    memcpy(grid.cells, cells, (size_t)(height * width));
    return grid;
}

/* A pair of a 2 x 2 and a 1 x 3 grid, and one of single cells. */
static void make_pairs(ttt_pair pairs[2]) {
    pairs[0].input = grid_of(2, 2, (const uint8_t[]){1, 2, 3, 4});
    pairs[0].output = grid_of(1, 3, (const uint8_t[]){5, 6, 7});
    pairs[1].input = grid_of(1, 1, (const uint8_t[]){8});
    pairs[1].output = grid_of(1, 1, (const uint8_t[]){9});
}

static void assert_row(const ttt_sequence *s, int32_t t, int32_t id, const int32_t *position, int32_t kv_high,
                       int32_t target) {
    if (s->ids[t] != id || s->kv_high[t] != kv_high || s->targets[t] != target)
        fail_msg("token %d: id %d keys %d target %d, expected %d %d %d", t, s->ids[t], s->kv_high[t], s->targets[t], id,
                 kv_high, target);
    for (int32_t a = 0; a < s->axes; a++)
        if (s->positions[t * s->axes + a] != position[a])
            fail_msg("token %d axis %d: %d, expected %d", t, a, s->positions[t * s->axes + a], position[a]);
}

static void example__has_the_documented_tokens_coordinates_keys_and_targets(void **state) {
    static const struct {
        int32_t id, position[3], kv_high, target;
    } expected[] = {
        {TTT_TOKEN_TASK_START, {0, -1, 0}, 1, -1},
        {IN, {0, -1, 6}, 8, -1}, /* slot 3, input: 2*3 + 0; sees its whole grid */
        {1, {0, 0, 6}, 8, -1},
        {2, {0, 1, 6}, 8, -1},
        {ROW, {1, -1, 6}, 8, -1},
        {3, {1, 0, 6}, 8, -1},
        {4, {1, 1, 6}, 8, -1},
        {END, {2, -1, 6}, 8, -1},
        {OUT, {0, -1, 7}, 9, -1}, /* the first demonstration's output does not count */
        {5, {0, 0, 7}, 10, -1},
        {6, {0, 1, 7}, 11, -1},
        {7, {0, 2, 7}, 12, -1},
        {END, {1, -1, 7}, 13, -1},
        {IN, {0, -1, 10}, 16, -1},
        {8, {0, 0, 10}, 16, -1},
        {END, {1, -1, 10}, 16, -1},
        {OUT, {0, -1, 11}, 17, 9},
        {9, {0, 0, 11}, 18, END},
        {END, {1, -1, 11}, 19, -1},
    };
    const ttt_encoding encoding = ttt_encoding_default();
    const ttt_slots slots = {{3, 5}};
    ttt_pair pairs[2];
    ttt_sequence sequence = {0};
    ttt_error err = {0};
    (void)state;
    make_pairs(pairs);
    ASSERT_OK(ttt_encode_example(&encoding, pairs, 1, &pairs[1], &slots, &method_loss, &sequence, &err));
    assert_int_equal(sequence.length, sizeof expected / sizeof *expected);
    assert_int_equal(sequence.length, ttt_example_tokens(pairs, 1, &pairs[1]));
    for (int32_t t = 0; t < sequence.length; t++)
        assert_row(&sequence, t, expected[t].id, expected[t].position, expected[t].kv_high, expected[t].target);
    ttt_sequence_release(&sequence);
}

static void role_axis__splits_slot_and_role(void **state) {
    const ttt_encoding encoding = {.axes = 4, .inputs_whole = true};
    int32_t position[4];
    (void)state;
    ttt_encode_position(&encoding, 2, -1, 9, 1, position);
    assert_memory_equal(position, ((int32_t[]){2, -1, 9, 1}), sizeof position);
}

static void causal_mask__hides_what_comes_after(void **state) {
    const ttt_encoding encoding = {.axes = 3, .inputs_whole = false};
    ttt_pair pairs[2];
    ttt_sequence sequence = {0};
    ttt_error err = {0};
    (void)state;
    make_pairs(pairs);
    ASSERT_OK(ttt_encode_example(&encoding, pairs, 1, &pairs[1], NULL, &method_loss, &sequence, &err));
    for (int32_t t = 0; t < sequence.length; t++) assert_int_equal(sequence.kv_high[t], t + 1);
    ttt_sequence_release(&sequence);
}

/* The token whose loss is counted must never see what it is to predict. */
static void no_counted_token__sees_its_target(void **state) {
    const ttt_encode_loss losses[] = {{.first_output = 0}, {.first_output = 1}, {.first_output = 0, .inputs = true}};
    ttt_pair pairs[2];
    ttt_sequence sequence = {0};
    ttt_error err = {0};
    (void)state;
    make_pairs(pairs);
    for (int i = 0; i < 3; i++) {
        const ttt_encoding encoding = {.axes = 3, .inputs_whole = !losses[i].inputs};
        ASSERT_OK(ttt_encode_example(&encoding, pairs, 2, &pairs[0], NULL, &losses[i], &sequence, &err));
        for (int32_t t = 0; t < sequence.length; t++) {
            if (sequence.targets[t] < 0) continue;
            assert_int_equal(sequence.kv_high[t], t + 1);
            assert_int_equal(sequence.targets[t], sequence.ids[t + 1]);
        }
    }
    ttt_sequence_release(&sequence);
}

static int32_t counted_with(ttt_encode_loss loss, bool whole, size_t demonstrations) {
    const ttt_encoding encoding = {.axes = 3, .inputs_whole = whole};
    ttt_pair pairs[2];
    ttt_sequence sequence = {0};
    ttt_error err = {0};
    make_pairs(pairs);
    ASSERT_OK(ttt_encode_example(&encoding, pairs, demonstrations, &pairs[0], NULL, &loss, &sequence, &err));
    const int32_t counted = ttt_sequence_counted(&sequence);
    ttt_sequence_release(&sequence);
    return counted;
}

/* Outputs: the first demonstration 4 tokens (three cells, end), the second 2, the question 4. Inputs: 6 (four cells,
 * a row end, the end), 2, 6. */
static void loss__counts_the_outputs_asked_for(void **state) {
    (void)state;
    assert_int_equal(counted_with((ttt_encode_loss){.first_output = 0}, true, 2), 4 + 2 + 4);
    assert_int_equal(counted_with((ttt_encode_loss){.first_output = 1}, true, 2), 2 + 4);
    assert_int_equal(counted_with((ttt_encode_loss){.first_output = 2}, true, 2), 4);
    assert_int_equal(counted_with((ttt_encode_loss){.first_output = 1}, true, 0), 4);
    assert_int_equal(counted_with((ttt_encode_loss){.first_output = 1, .inputs = true}, false, 2), 2 + 4 + 6 + 2 + 6);
}

static void loss_on_inputs__is_refused_where_inputs_see_themselves(void **state) {
    const ttt_encoding encoding = ttt_encoding_default();
    const ttt_encode_loss loss = {.inputs = true};
    ttt_pair pairs[2];
    ttt_sequence sequence = {0};
    ttt_error err = {0};
    (void)state;
    make_pairs(pairs);
    ASSERT_FAILS(ttt_encode_example(&encoding, pairs, 1, &pairs[1], NULL, &loss, &sequence, &err), TTT_ERROR_ARGUMENT,
                 "causal");
    ASSERT_FAILS(ttt_encode_prompt(&encoding, pairs, 16, &pairs[1].input, NULL, &sequence, &err), TTT_ERROR_ARGUMENT,
                 "16 demonstrations");
    ttt_sequence_release(&sequence);
}

/* What a model is asked at test time is what it was trained on. */
static void prompt_and_answer__together_are_the_example(void **state) {
    const ttt_encoding encodings[] = {{3, true}, {3, false}, {4, true}};
    const ttt_slots slots = {{1, 2, 7}};
    ttt_pair pairs[2];
    ttt_sequence example = {0}, prompt = {0}, answer = {0};
    ttt_error err = {0};
    int32_t first;
    (void)state;
    make_pairs(pairs);
    for (int e = 0; e < 3; e++) {
        const int32_t axes = encodings[e].axes;
        example.length = prompt.length = answer.length = 0;
        ASSERT_OK(ttt_encode_example(&encodings[e], pairs, 2, &pairs[0], &slots, &method_loss, &example, &err));
        ASSERT_OK(ttt_encode_prompt(&encodings[e], pairs, 2, &pairs[0].input, &slots, &prompt, &err));
        ASSERT_OK(ttt_encode_answer(&encodings[e], &pairs[0].output, 2, &slots, &answer, &first, &err));
        assert_int_equal(prompt.length, ttt_prompt_tokens(pairs, 2, &pairs[0].input));
        assert_int_equal(prompt.length + answer.length, example.length);
        const size_t n = (size_t)prompt.length, m = (size_t)answer.length, a = (size_t)axes;
        assert_memory_equal(prompt.ids, example.ids, n * 4);
        assert_memory_equal(prompt.kv_high, example.kv_high, n * 4);
        assert_memory_equal(prompt.positions, example.positions, n * a * 4);
        assert_memory_equal(answer.ids, example.ids + n, m * 4);
        assert_memory_equal(answer.positions, example.positions + n * a, m * a * 4);
        assert_memory_equal(answer.targets, example.targets + n, m * 4);
        assert_int_equal(first, example.targets[n - 1]);
        assert_int_equal(ttt_sequence_counted(&prompt), 0);
    }
    ttt_sequence_release(&example);
    ttt_sequence_release(&prompt);
    ttt_sequence_release(&answer);
}

static void fitting__shows_as_many_as_the_limit_allows(void **state) {
    ttt_pair pairs[20];
    (void)state;
    for (int i = 0; i < 20; i++)
        pairs[i] = (ttt_pair){ttt_grid_filled(1, 1, 1), ttt_grid_filled(1, 1, 2)}; /* 6 tokens */
    assert_int_equal(ttt_example_fitting(6, pairs, 20, &pairs[0]), -1);
    assert_int_equal(ttt_example_fitting(7, pairs, 20, &pairs[0]), 0);
    assert_int_equal(ttt_example_fitting(18, pairs, 20, &pairs[0]), 1);
    assert_int_equal(ttt_example_fitting(19, pairs, 20, &pairs[0]), 2);
    assert_int_equal(ttt_example_fitting(9999, pairs, 20, &pairs[0]), TTT_EXAMPLE_DEMONSTRATIONS);
    assert_int_equal(ttt_example_fitting(9999, pairs, 3, &pairs[0]), 3);
}

static void random_slots__increase_and_reach_every_slot(void **state) {
    ttt_random random = ttt_random_stream(1, "", "test");
    int seen[TTT_PAIR_SLOTS] = {0};
    (void)state;
    for (int round = 0; round < 400; round++) {
        const size_t count = 1 + (size_t)round % TTT_PAIR_SLOTS;
        const ttt_slots slots = ttt_slots_random(&random, count);
        for (size_t i = 0; i < count; i++) {
            assert_true(slots.of[i] < TTT_PAIR_SLOTS && (i == 0 || slots.of[i] > slots.of[i - 1]));
            seen[slots.of[i]]++;
        }
    }
    for (int i = 0; i < TTT_PAIR_SLOTS; i++) assert_true(seen[i] > 0);
}

static ttt_status read_encoding(const char *text, int32_t axes, int32_t vocabulary, ttt_encoding *encoding,
                                ttt_error *err) {
    ttt_model_config config = {.axes = axes, .vocabulary = vocabulary};
    if (text) TTT_TRY(ttt_json_parse("test", text, strlen(text), &config.encoding, err));
    const ttt_status status = ttt_encoding_read(&config, "model x", encoding, err);
    json_decref(config.encoding);
    return status;
}

static void encoding_settings__are_read_and_checked(void **state) {
    static const char good[] =
        "{\"vocabulary\": \"grid-1\", \"axes\": [\"row\", \"column\", \"pair\", \"role\"], \"mask\": \"causal\"}";
    ttt_encoding encoding;
    ttt_error err = {0};
    (void)state;
    ASSERT_OK(read_encoding(good, 4, 16, &encoding, &err));
    assert_int_equal(encoding.axes, 4);
    assert_false(encoding.inputs_whole);
    ASSERT_FAILS(read_encoding(good, 3, 16, &encoding, &err), TTT_ERROR_FORMAT, "4 axes");
    ASSERT_FAILS(read_encoding(good, 4, 15, &encoding, &err), TTT_ERROR_FORMAT, "vocabulary of 15");
    ASSERT_FAILS(read_encoding(NULL, 3, 16, &encoding, &err), TTT_ERROR_UNSUPPORTED, "no grid model");
    ASSERT_FAILS(
        read_encoding("{\"vocabulary\": \"grid-2\", \"axes\": [], \"mask\": \"input\"}", 3, 16, &encoding, &err),
        TTT_ERROR_UNSUPPORTED, "grid-2");
    ASSERT_FAILS(
        read_encoding("{\"vocabulary\": \"grid-1\", \"axes\": [\"row\"], \"mask\": \"input\"}", 3, 16, &encoding, &err),
        TTT_ERROR_UNSUPPORTED, "axes");
    for (int axes = 3; axes <= 4; axes++) {
        const ttt_encoding from = {axes, axes == 3};
        ttt_model_config config = {.axes = axes, .vocabulary = 16, .encoding = ttt_encoding_to_json(&from)};
        ASSERT_OK(ttt_encoding_read(&config, "model x", &encoding, &err));
        assert_int_equal(encoding.axes, from.axes);
        assert_int_equal(encoding.inputs_whole, from.inputs_whole);
        json_decref(config.encoding);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example__has_the_documented_tokens_coordinates_keys_and_targets),
        cmocka_unit_test(role_axis__splits_slot_and_role),
        cmocka_unit_test(causal_mask__hides_what_comes_after),
        cmocka_unit_test(no_counted_token__sees_its_target),
        cmocka_unit_test(loss__counts_the_outputs_asked_for),
        cmocka_unit_test(loss_on_inputs__is_refused_where_inputs_see_themselves),
        cmocka_unit_test(prompt_and_answer__together_are_the_example),
        cmocka_unit_test(fitting__shows_as_many_as_the_limit_allows),
        cmocka_unit_test(random_slots__increase_and_reach_every_slot),
        cmocka_unit_test(encoding_settings__are_read_and_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
