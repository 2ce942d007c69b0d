/* The grammar: whatever it allows is a legal grid, and every legal grid is allowed. */
#include "support.h"

#include "encode/grammar.h"

static bool is_allowed(uint32_t allowed, int32_t id) {
    return allowed >> id & 1;
}

static int32_t draw(ttt_random *random, uint32_t allowed, uint32_t end_chance) {
    const uint32_t ends = allowed & (1u << TTT_TOKEN_ROW_END | 1u << TTT_TOKEN_GRID_END);
    /* Ends are drawn now and then only, else hardly a grid would be larger than a few cells. */
    if (ends && ends != allowed && ttt_random_below(random, 100) >= end_chance) allowed &= ~ends;
    if (end_chance == 0 && is_allowed(allowed, TTT_TOKEN_ROW_END)) allowed &= ~(1u << TTT_TOKEN_GRID_END);
    for (;;) {
        const int32_t id = (int32_t)ttt_random_below(random, 32);
        if (is_allowed(allowed, id)) return id;
    }
}

/* A walk of random allowed tokens; returns their number. */
static int32_t walk(ttt_random *random, uint32_t end_chance, int32_t *ids) {
    const ttt_encoding encoding = ttt_encoding_default();
    ttt_grid_grammar state;
    ttt_grid_grammar_init(&state, &encoding, 0, NULL);
    const ttt_decode_grammar grammar = ttt_grid_grammar_callbacks(&state);
    uint32_t allowed = 0;
    int32_t position[TTT_MAX_AXES], count = 0;
    grammar.begin(grammar.state, &allowed);
    for (;;) {
        assert_true(allowed != 0 && allowed >> TTT_GRID_VOCABULARY == 0);
        assert_in_range(count, 0, TTT_ANSWER_TOKENS - 1);
        ids[count] = draw(random, allowed, end_chance);
        allowed = 0;
        if (!grammar.advance(grammar.state, ids[count++], position, &allowed)) return count;
    }
}

static void random_legal_choices__always_spell_a_legal_grid(void **state) {
    ttt_random random = ttt_random_stream(7, "", "grammar");
    int32_t ids[TTT_ANSWER_TOKENS], again[TTT_ANSWER_TOKENS];
    int full = 0;
    (void)state;
    for (int round = 0; round < 5000; round++) {
        const int32_t count = walk(&random, (uint32_t)(round % 5) * 10, ids);
        ttt_grid grid;
        assert_true(ttt_grid_from_tokens(ids, count, &grid));
        assert_in_range(grid.height, 1, TTT_GRID_MAX);
        assert_in_range(grid.width, 1, TTT_GRID_MAX);
        assert_int_equal(ttt_grid_to_tokens(&grid, again), count);
        assert_memory_equal(ids, again, (size_t)count * sizeof *ids);
        full += ttt_grid_area(&grid) == TTT_GRID_CELLS;
    }
    assert_true(full > 0); /* both limits are reached, so they are tested */
}

static void grammar__gives_the_positions_of_the_example(void **state) {
    const ttt_encoding encodings[] = {{3, true}, {4, true}};
    const ttt_slots slots = {{2, 11}};
    const ttt_pair pair = {ttt_grid_filled(3, 2, 1), ttt_grid_filled(2, 3, 4)};
    ttt_sequence answer = {0};
    ttt_error err = {0};
    int32_t first;
    (void)state;
    for (int e = 0; e < 2; e++) {
        ttt_sequence_release(&answer);
        answer = (ttt_sequence){0};
        ASSERT_OK(ttt_encode_answer(&encodings[e], &pair.output, 1, &slots, &answer, &first, &err));
        ttt_grid_grammar at;
        ttt_grid_grammar_init(&at, &encodings[e], 1, &slots);
        const ttt_decode_grammar grammar = ttt_grid_grammar_callbacks(&at);
        uint32_t allowed = 0;
        grammar.begin(grammar.state, &allowed);
        assert_true(is_allowed(allowed, first));
        for (int32_t t = 0; t < answer.length; t++) {
            int32_t position[TTT_MAX_AXES];
            assert_true(is_allowed(allowed, answer.ids[t]));
            allowed = 0;
            const bool more = grammar.advance(grammar.state, answer.ids[t], position, &allowed);
            assert_int_equal(more, t + 1 < answer.length);
            if (!more) break;
            assert_memory_equal(position, answer.positions + t * answer.axes, (size_t)answer.axes * sizeof *position);
        }
    }
    ttt_sequence_release(&answer);
}

static bool parses(const int32_t *ids, size_t count) {
    ttt_grid grid;
    return ttt_grid_from_tokens(ids, (int32_t)count, &grid);
}

static void illegal_tokens__are_no_grid(void **state) {
    enum { R = TTT_TOKEN_ROW_END, E = TTT_TOKEN_GRID_END };
    (void)state;
    assert_true(parses((int32_t[]){1, 2, R, 3, 4, E}, 6));
    assert_false(parses((int32_t[]){E}, 1));                     /* empty */
    assert_false(parses((int32_t[]){R, 1, E}, 3));               /* an empty row */
    assert_false(parses((int32_t[]){1, 2, R, 3, E}, 5));         /* ragged: short */
    assert_false(parses((int32_t[]){1, R, 3, 4, E}, 5));         /* ragged: long */
    assert_false(parses((int32_t[]){1, 2, R, E}, 4));            /* a row end before the grid end */
    assert_false(parses((int32_t[]){1, 2, R, 3, 4}, 5));         /* no end */
    assert_false(parses((int32_t[]){1, E, 1}, 3));               /* more after the end */
    assert_false(parses((int32_t[]){1, TTT_TOKEN_SPARE, E}, 3)); /* no such cell */
    assert_false(parses((int32_t[]){1, -1, E}, 3));
    assert_false(parses((int32_t[]){1, 99, E}, 3));
    assert_false(parses(NULL, 0));
    int32_t wide[TTT_GRID_MAX + 2] = {0}, tall[2 * TTT_GRID_MAX + 2] = {0};
    wide[TTT_GRID_MAX + 1] = E;
    assert_false(parses(wide, TTT_GRID_MAX + 2));
    wide[TTT_GRID_MAX] = E;
    assert_true(parses(wide, TTT_GRID_MAX + 1));
    for (int i = 0; i <= TTT_GRID_MAX; i++) tall[2 * i + 1] = i < TTT_GRID_MAX ? R : E;
    assert_false(parses(tall, 2 * TTT_GRID_MAX + 2));
    tall[2 * TTT_GRID_MAX - 1] = E;
    assert_true(parses(tall, 2 * TTT_GRID_MAX));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_legal_choices__always_spell_a_legal_grid),
        cmocka_unit_test(grammar__gives_the_positions_of_the_example),
        cmocka_unit_test(illegal_tokens__are_no_grid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
