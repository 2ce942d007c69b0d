/* The training data of one task as sequences. */
#include "support.h"

#include "encode/task_examples.h"

static void make_pairs(ttt_pair *pairs, size_t count, int side) {
    ttt_random random = ttt_random_stream(5, "", "pairs");
    for (size_t i = 0; i < count; i++) {
        pairs[i].input = ttt_grid_filled(side, side + 1, 0);
        for (int c = 0; c < ttt_grid_area(&pairs[i].input); c++)
            pairs[i].input.cells[c] = (uint8_t)ttt_random_below(&random, 10);
        ttt_grid_flip(&pairs[i].input, 0, &pairs[i].output);
    }
}

static void init(ttt_task_examples *examples, const ttt_pair *pairs, size_t count,
                 const ttt_task_examples_options *options) {
    const ttt_random random = ttt_random_stream(1, "task", "examples");
    ttt_error err = {0};
    ASSERT_OK(ttt_task_examples_init(examples, pairs, count, options, &random, &err));
}

static void every_pair__is_asked_before_any_is_asked_again(void **state) {
    const ttt_task_examples_options options = ttt_task_examples_defaults(*state);
    ttt_pair pairs[4];
    ttt_task_examples examples;
    bool asked[4] = {false};
    make_pairs(pairs, 4, 4);
    init(&examples, pairs, 4, &options);
    assert_in_range(examples.list.count, 40, 250);
    for (int i = 0; i < 4; i++) {
        assert_false(asked[examples.list.items[i].held_out]);
        asked[examples.list.items[i].held_out] = true;
    }
    ttt_task_examples_release(&examples);
}

static void enlarging_transforms__come_last(void **state) {
    const ttt_task_examples_options options = ttt_task_examples_defaults(*state);
    ttt_pair pairs[3];
    ttt_task_examples examples;
    bool enlarging = false;
    make_pairs(pairs, 3, 4);
    init(&examples, pairs, 3, &options);
    for (size_t i = 0; i < examples.list.count; i++) {
        const bool enlarges = ttt_transform_enlarges(&examples.list.items[i].transform);
        /* Leave-two-out tasks start anew. */
        if (i > 0 && examples.list.items[i].left_out != examples.list.items[i - 1].left_out) enlarging = false;
        assert_true(enlarges || !enlarging);
        enlarging = enlarges;
    }
    ttt_task_examples_release(&examples);
}

static void sequences__have_the_promised_length_and_only_random_slots_change(void **state) {
    ttt_task_examples_options options = ttt_task_examples_defaults(*state);
    ttt_pair pairs[3];
    ttt_task_examples examples;
    ttt_sequence a = {0}, b = {0};
    ttt_error err = {0};
    int moved = 0;
    make_pairs(pairs, 3, 5);
    init(&examples, pairs, 3, &options);
    const size_t count = examples.list.count;
    for (size_t i = 0; i < count; i++) {
        ASSERT_OK(ttt_task_examples_get(&examples, i, &a, &err));
        ASSERT_OK(ttt_task_examples_get(&examples, i + count, &b, &err));
        assert_int_equal(a.length, ttt_task_examples_tokens(&examples, i));
        assert_int_equal(a.length, b.length);
        assert_memory_equal(a.ids, b.ids, (size_t)a.length * 4);
        moved += memcmp(a.positions, b.positions, (size_t)(a.length * a.axes) * 4) != 0;
    }
    assert_true(moved > (int)count / 2);
    ttt_task_examples_release(&examples);
    options.plain_slots = true;
    init(&examples, pairs, 3, &options);
    ASSERT_OK(ttt_task_examples_get(&examples, 0, &a, &err));
    assert_int_equal(a.positions[(size_t)(a.length - 1) * 3 + 2], 2 * examples.list.items[0].count + 1);
    ttt_task_examples_release(&examples);
    ttt_sequence_release(&a);
    ttt_sequence_release(&b);
}

/* 12 x 13 pairs have 2·(1 + 12·14) = 338 tokens: two fit 700, three do not. */
static void long_examples__lose_demonstrations_or_are_dropped(void **state) {
    ttt_task_examples_options options = ttt_task_examples_defaults(*state);
    ttt_pair pairs[4];
    ttt_task_examples examples;
    ttt_sequence sequence = {0};
    ttt_error err = {0};
    make_pairs(pairs, 4, 12);
    options.max_tokens = 700;
    init(&examples, pairs, 4, &options);
    assert_true(examples.list.count > 4);
    for (size_t i = 0; i < examples.list.count; i++) {
        ASSERT_OK(ttt_task_examples_get(&examples, i, &sequence, &err));
        assert_in_range(sequence.length, 1, 700);
    }
    ttt_task_examples_release(&examples);
    options.shorten = false;
    options.derive.leave_two_out = false;
    init(&examples, pairs, 4, &options);
    assert_int_equal(examples.list.count, 0);
    ttt_task_examples_release(&examples);
    ttt_sequence_release(&sequence);
}

static void one_demonstration__still_gives_examples(void **state) {
    const ttt_task_examples_options options = ttt_task_examples_defaults(*state);
    ttt_pair pair;
    ttt_task_examples examples;
    ttt_sequence sequence = {0};
    ttt_error err = {0};
    make_pairs(&pair, 1, 4);
    init(&examples, &pair, 1, &options);
    assert_true(examples.list.count > 0);
    ASSERT_OK(ttt_task_examples_get(&examples, 0, &sequence, &err));
    assert_true(ttt_sequence_counted(&sequence) > 0);
    ttt_task_examples_release(&examples);
    ttt_sequence_release(&sequence);
}

static void too_many_pairs__are_cut_to_the_slots(void **state) {
    ttt_task_examples_options options = ttt_task_examples_defaults(*state);
    ttt_pair pairs[20];
    ttt_task_examples examples;
    ttt_sequence sequence = {0};
    ttt_error err = {0};
    make_pairs(pairs, 20, 2);
    init(&examples, pairs, 20, &options);
    assert_int_equal(examples.source.count, TTT_PAIR_SLOTS);
    for (size_t i = 0; i < examples.list.count; i++) ASSERT_OK(ttt_task_examples_get(&examples, i, &sequence, &err));
    ttt_task_examples_release(&examples);
    ttt_sequence_release(&sequence);
}

/* Inputs and outputs of different shapes: our shift, the same for all grids of a task, leaves them alone; the
 * reference's moves each grid by amounts of its own, the same for every task. */
static void reference__shifts_every_pair_by_its_own_amounts(void **state) {
    ttt_task_examples_options options = ttt_task_examples_defaults(*state);
    ttt_pair pairs[3], shown[TTT_PAIR_SLOTS], question;
    ttt_task_examples examples;
    make_pairs(pairs, 3, 4);
    for (int i = 0; i < 3; i++) pairs[i].output = ttt_grid_filled(2, 3, (uint8_t)(i + 1));
    for (int reference = 0; reference < 2; reference++) {
        size_t shifted = 0;
        options.derive.reference = reference;
        options.derive.copies = 0;
        init(&examples, pairs, 3, &options);
        for (size_t i = 0; i < examples.list.count; i++) {
            const ttt_derivation *derivation = &examples.list.items[i];
            if (!ttt_transform_has_shift(&derivation->transform)) continue;
            const uint8_t *by = examples.shifts[derivation->held_out].input;
            ttt_grid moved;
            shifted++;
            assert_true(ttt_derive(&examples.source, derivation, shown, &question));
            ttt_grid_shift(&pairs[derivation->held_out].input, by[0], by[1], &moved);
            assert_true(ttt_grid_equal(&question.input, &moved));
        }
        assert_int_equal(shifted > 0, reference);
        ttt_task_examples_release(&examples);
    }
}

static int set_up(void **state) {
    const ttt_encoding encoding = ttt_encoding_default();
    ttt_codec *codec;
    ttt_error err;
    ASSERT_OK(ttt_grid_codec_new(&encoding, &codec, &err));
    *state = codec;
    return 0;
}

static int tear_down(void **state) {
    ttt_codec_free(*state);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair__is_asked_before_any_is_asked_again),
        cmocka_unit_test(enlarging_transforms__come_last),
        cmocka_unit_test(sequences__have_the_promised_length_and_only_random_slots_change),
        cmocka_unit_test(long_examples__lose_demonstrations_or_are_dropped),
        cmocka_unit_test(one_demonstration__still_gives_examples),
        cmocka_unit_test(too_many_pairs__are_cut_to_the_slots),
        cmocka_unit_test(reference__shifts_every_pair_by_its_own_amounts),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
