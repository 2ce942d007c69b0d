/* Text through a tokenizer: what is written, what of it is counted, and that answers can only be legal grids. */
#include "support.h"

#include "base/memory.h"
#include "encode/text_codec.h"
#include "tokenizers.h"

enum { TEXT_BYTES = 1 << 16 };

typedef struct fixture {
    ttt_tokenizer *tokenizers[TOKENIZER_KINDS];
} fixture;

/* A codec of one format and tokenizer at a time, for every pair of them. */
#define EACH_CODEC(f, format, kind)                                                                                    \
    for (const ttt_prompt_format *format = ttt_prompt_formats; format->name != NULL; format++)                         \
        for (int kind = 0; kind < TOKENIZER_KINDS; kind++)

static ttt_codec *make(const fixture *f, int kind, const ttt_prompt_format *format, bool reduced) {
    ttt_codec *codec;
    ttt_error err;
    ASSERT_OK(ttt_text_codec_new(f->tokenizers[kind], format, reduced, &codec, &err));
    return codec;
}

static ttt_grid draw(ttt_random *random, int height, int width) {
    ttt_grid grid = ttt_grid_filled(height, width, 0);
    for (int c = 0; c < height * width; c++) grid.cells[c] = (uint8_t)ttt_random_below(random, TTT_COLOURS);
    return grid;
}

static ttt_grid draw_any(ttt_random *random, int most) {
    const int height = 1 + (int)ttt_random_below(random, (uint32_t)most);
    return draw(random, height, 1 + (int)ttt_random_below(random, (uint32_t)most));
}

static void draw_pairs(ttt_random *random, ttt_pair *pairs, size_t count) {
    for (size_t i = 0; i < count; i++) pairs[i] = (ttt_pair){draw_any(random, 4), draw_any(random, 4)};
}

/* The text of ids; *text is NUL-terminated. */
static void decode(const fixture *f, int kind, const int32_t *ids, size_t count, char *text) {
    ttt_bytes bytes = {0};
    ttt_error err;
    for (size_t i = 0; i < count; i++) ASSERT_OK(ttt_tokenizer_piece(f->tokenizers[kind], ids[i], &bytes, &err));
    assert_true(bytes.count < TEXT_BYTES);
    if (bytes.count > 0) memcpy(text, bytes.items, bytes.count);
    text[bytes.count] = '\0';
    ttt_free(bytes.items);
}

/* --- Writing ----------------------------------------------------------------------------------------------------- */

static void cells__are_a_token_each_though_the_tokenizer_joins_digits(void **state) {
    const fixture *f = *state;
    ttt_random random = ttt_random_stream(1, "", "cells");
    const ttt_pair pair = {draw(&random, 3, 5), draw(&random, 4, 2)};
    ttt_ids joined = {0};
    ttt_error err;
    ASSERT_OK(ttt_tokenizer_encode(f->tokenizers[TOKENIZER_BASE], "1234", 4, TTT_TOKENIZE_INSIDE, &joined, &err));
    assert_int_equal(joined.count, 2);
    ttt_free(joined.items);
    ttt_codec *codec = make(f, TOKENIZER_BASE, ttt_prompt_format_find("compact"), false);
    /* I cells row-ends O, I cells row-ends O: cells + rows + 1 each, and the answer's own end mark. */
    assert_int_equal(codec->ops->example_tokens(codec, &pair, 1, &pair), 2 * (15 + 3 + 1 + 8 + 4));
    assert_int_equal(codec->ops->grid_tokens(codec, &pair.output), 8 + 4);
    ttt_codec_free(codec);
}

static void append_text(void *context, ttt_piece piece) {
    char *const *texts = context;
    strcat(texts[0], ttt_prompt_text(ttt_prompt_format_find(texts[1]), piece.part));
}

/* Without roles and prefix blanks the tokens spell the pieces, one after the other and nothing else. */
static void base__spells_the_text(void **state) {
    const fixture *f = *state;
    static char expected[TEXT_BYTES], text[TEXT_BYTES];
    const ttt_encode_loss loss = {.first_output = 1};
    ttt_random random = ttt_random_stream(2, "", "text");
    ttt_sequence sequence = {0};
    ttt_error err;
    EACH_CODEC(f, format, kind) {
        if (kind != TOKENIZER_BASE) continue;
        ttt_codec *codec = make(f, kind, format, false);
        for (size_t count = 0; count <= 3; count++) {
            ttt_pair pairs[4];
            char *texts[2] = {expected, (char *)format->name};
            draw_pairs(&random, pairs, 4);
            ASSERT_OK(codec->ops->example(codec, pairs, count, &pairs[3], NULL, &loss, &sequence, &err));
            *expected = '\0';
            ttt_example_pieces(format, pairs, count, &pairs[3], &loss, append_text, texts);
            decode(f, kind, sequence.ids, (size_t)sequence.length, text);
            assert_string_equal(text, expected);
            for (int32_t t = 0; t < sequence.length; t++) assert_int_equal(sequence.positions[t], t);
        }
        ttt_codec_free(codec);
    }
    ttt_sequence_release(&sequence);
}

static void chats__are_messages_with_blanks_at_their_ends_cut_off(void **state) {
    static const char *const expected[TOKENIZER_KINDS] = {
        [TOKENIZER_LLAMA3] = "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n%s[[1 2]] -> [[3]]#"
                             "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n[[4]] -><|eot_id|>"
                             "<|start_header_id|>assistant<|end_header_id|>\n\n[[5]]#<|eot_id|>",
        [TOKENIZER_CHATML] = "<|im_start|>system\n%s[[1 2]] -> [[3]]#<|im_end|>\n<|im_start|>user\n[[4]] -><|im_end|>\n"
                             "<|im_start|>assistant\n[[5]]#<|im_end|>",
        /* The blanks before a text that such tokenizers put, and no system message. */
        [TOKENIZER_MISTRAL] = "<s>[INST] %s[[1 2]] -> [[3]]#\n\n[[4]] ->[/INST] [[5]]#</s>",
    };
    const fixture *f = *state;
    static char text[TEXT_BYTES], wanted[TEXT_BYTES];
    const ttt_prompt_format *list = ttt_prompt_format_find("list");
    const ttt_encode_loss loss = {.first_output = 1};
    ttt_pair shown = {ttt_grid_filled(1, 2, 1), ttt_grid_filled(1, 1, 3)},
             asked = {ttt_grid_filled(1, 1, 4), ttt_grid_filled(1, 1, 5)};
    ttt_sequence sequence = {0};
    ttt_error err;
    shown.input.cells[1] = 2;
    for (int kind = TOKENIZER_LLAMA3; kind < TOKENIZER_KINDS; kind++) {
        ttt_codec *codec = make(f, kind, list, false);
        ASSERT_OK(codec->ops->example(codec, &shown, 1, &asked, NULL, &loss, &sequence, &err));
        decode(f, kind, sequence.ids, (size_t)sequence.length, text);
        snprintf(wanted, sizeof wanted, expected[kind], ttt_prompt_text(list, TTT_PART_SYSTEM));
        assert_string_equal(text, wanted);
        assert_true(ttt_tokenizer_stops(f->tokenizers[kind], sequence.ids[sequence.length - 1]));
        ttt_codec_free(codec);
    }
    ttt_sequence_release(&sequence);
}

/* What is counted spells the outputs with their end marks, from the wanted one on, and the end of the turn. */
static void loss__is_on_outputs_and_their_ends(void **state) {
    const fixture *f = *state;
    static char text[TEXT_BYTES];
    ttt_pair pairs[3] = {{ttt_grid_filled(1, 1, 0), ttt_grid_filled(1, 1, 1)},
                         {ttt_grid_filled(1, 1, 2), ttt_grid_filled(1, 2, 4)},
                         {ttt_grid_filled(1, 1, 5), ttt_grid_filled(2, 1, 6)}};
    static const struct {
        int kind;
        const char *format;
        ttt_encode_loss loss;
        const char *counted;
    } cases[] = {
        {TOKENIZER_BASE, "compact", {1, false}, "44#6\n6#"},
        {TOKENIZER_BASE, "compact", {0, false}, "1#44#6\n6#"},
        {TOKENIZER_BASE, "compact", {2, false}, "6\n6#"},
        {TOKENIZER_BASE, "compact", {1, true}, "0I244#I56\n6#"}, /* nothing comes before the first token */
        {TOKENIZER_BASE, "default", {1, false}, " [[4 4]]\n[[6]\n [6]]"},
        {TOKENIZER_LLAMA3, "list", {1, false}, " [[4 4]]#[[6]\n [6]]#<|eot_id|>"},
        {TOKENIZER_LLAMA3, "list", {0, false}, " [[1]]#\n [[4 4]]#[[6]\n [6]]#<|eot_id|>"},
        {TOKENIZER_CHATML, "barc", {1, false}, "Yellow Yellow\n\n\nPink\nPink\n```<|im_end|>"},
        {TOKENIZER_MISTRAL, "list", {1, false}, " [[4 4]]# [[6]\n [6]]#</s>"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ttt_sequence sequence = {0};
        ttt_ids counted = {0};
        ttt_error err;
        ttt_codec *codec = make(f, cases[i].kind, ttt_prompt_format_find(cases[i].format), false);
        ASSERT_OK(codec->ops->example(codec, pairs, 2, &pairs[2], NULL, &cases[i].loss, &sequence, &err));
        for (int32_t t = 0; t < sequence.length; t++) {
            if (sequence.targets[t] < 0) continue;
            assert_int_equal(sequence.targets[t], sequence.ids[t + 1]);
            ASSERT_OK(TTT_PUSH(&counted, sequence.targets[t], &err));
        }
        decode(f, cases[i].kind, counted.items, counted.count, text);
        assert_string_equal(text, cases[i].counted);
        ttt_free(counted.items);
        ttt_sequence_release(&sequence);
        ttt_codec_free(codec);
    }
}

static void lengths__are_what_is_written(void **state) {
    const fixture *f = *state;
    const ttt_encode_loss loss = {.first_output = 1};
    ttt_random random = ttt_random_stream(3, "", "lengths");
    ttt_sequence sequence = {0};
    ttt_error err;
    EACH_CODEC(f, format, kind) {
        ttt_codec *codec = make(f, kind, format, false);
        const ttt_codec_ops *ops = codec->ops;
        ttt_pair pairs[TTT_PAIR_SLOTS];
        draw_pairs(&random, pairs, TTT_PAIR_SLOTS);
        const ttt_pair *question = &pairs[TTT_EXAMPLE_DEMONSTRATIONS];
        int32_t most = ops->prompt_tokens(codec, NULL, 0, &question->input),
                answer = ops->grid_tokens(codec, &question->output);
        for (size_t count = 0; count <= TTT_EXAMPLE_DEMONSTRATIONS; count++) {
            const int32_t prompt = ops->prompt_tokens(codec, pairs, count, &question->input),
                          example = ops->example_tokens(codec, pairs, count, question);
            ASSERT_OK(ops->prompt(codec, pairs, count, &question->input, NULL, &sequence, &err));
            assert_int_equal(sequence.length, prompt);
            assert_int_equal(ttt_sequence_counted(&sequence), 0);
            ASSERT_OK(ops->example(codec, pairs, count, question, NULL, &loss, &sequence, &err));
            assert_int_equal(sequence.length, example);
            assert_int_equal(example, prompt + answer);
            assert_true(prompt <= most);
            assert_int_equal(ttt_codec_fitting(codec, most + answer, pairs, count, question), count);
            most += ops->pair_tokens(codec, &pairs[count]);
        }
        assert_int_equal(ttt_codec_fitting(codec, answer, pairs, 3, question), -1);
        ASSERT_FAILS(ops->prompt(codec, pairs, TTT_PAIR_SLOTS, &question->input, NULL, &sequence, &err),
                     TTT_ERROR_ARGUMENT, "16 demonstrations");
        ttt_codec_free(codec);
    }
    ttt_sequence_release(&sequence);
}

/* --- Answers ----------------------------------------------------------------------------------------------------- */

static bool is_allowed(const uint32_t *allowed, int32_t id) {
    return allowed[id / 32] >> (id % 32) & 1;
}

/* Goes through an answer as decoding would. */
static void check_reachable(const ttt_codec *codec, ttt_reply *reply, const ttt_sequence *answer, int32_t start,
                            uint32_t *allowed, size_t words) {
    const ttt_decode_grammar grammar = codec->ops->grammar(codec, reply);
    memset(allowed, 0, words * sizeof *allowed);
    grammar.begin(grammar.state, allowed);
    for (int32_t t = 0; t < answer->length; t++) {
        int32_t position = -1;
        assert_true(is_allowed(allowed, answer->ids[t]));
        memset(allowed, 0, words * sizeof *allowed);
        const bool more = grammar.advance(grammar.state, answer->ids[t], &position, allowed);
        assert_int_equal(more, t + 1 < answer->length);
        assert_int_equal(answer->positions[t], start + t);
        if (more) assert_int_equal(position, start + t);
    }
}

static void every_grid__can_be_said_and_is_read_back(void **state) {
    static const int shapes[][2] = {{1, 1}, {1, 30}, {30, 1}, {30, 30}, {2, 3}, {7, 4}};
    const fixture *f = *state;
    ttt_random random = ttt_random_stream(4, "", "grids");
    ttt_sequence answer = {0}, prompt = {0}, example = {0};
    const ttt_encode_loss loss = {.first_output = 1};
    ttt_error err;
    EACH_CODEC(f, format, kind) {
        ttt_codec *codec = make(f, kind, format, kind % 2 == 1);
        const size_t words = ((size_t)codec->ids + 31) / 32;
        uint32_t *allowed = ttt_allocate(words, sizeof *allowed);
        assert_non_null(allowed);
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            ttt_pair pair = {draw(&random, 2, 2), draw(&random, shapes[i][0], shapes[i][1])};
            ttt_grid back;
            ttt_reply reply;
            int32_t first;
            codec->ops->reply(codec, &pair, 1, &pair.input, NULL, &reply);
            ASSERT_OK(codec->ops->prompt(codec, &pair, 1, &pair.input, NULL, &prompt, &err));
            ASSERT_OK(codec->ops->answer(codec, &reply, &pair.output, &answer, &first, &err));
            assert_int_equal(first, answer.ids[0]);
            assert_in_range(answer.length, 1, codec->answer_tokens);
            check_reachable(codec, &reply, &answer, prompt.length, allowed, words);
            assert_true(codec->ops->parse(codec, answer.ids, answer.length, &back));
            assert_true(ttt_grid_equal(&pair.output, &back));
            assert_false(codec->ops->parse(codec, answer.ids, answer.length - 1, &back));
            /* Prompt and answer are what training shows. */
            ASSERT_OK(codec->ops->example(codec, &pair, 1, &pair, NULL, &loss, &example, &err));
            assert_int_equal(example.length, prompt.length + answer.length);
            assert_memory_equal(example.ids, prompt.ids, (size_t)prompt.length * sizeof *prompt.ids);
            assert_memory_equal(example.ids + prompt.length, answer.ids, (size_t)answer.length * sizeof *answer.ids);
            for (int32_t t = 0; t + 1 < answer.length; t++) assert_int_equal(answer.targets[t], answer.ids[t + 1]);
            assert_int_equal(answer.targets[answer.length - 1], -1);
        }
        ttt_free(allowed);
        ttt_codec_free(codec);
    }
    ttt_sequence_release(&answer);
    ttt_sequence_release(&prompt);
    ttt_sequence_release(&example);
}

/* Any choice among the allowed tokens, to the end. Returns the number of tokens. */
static int32_t babble(const ttt_codec *codec, ttt_reply *reply, ttt_random *random, int32_t *ids) {
    const ttt_decode_grammar grammar = codec->ops->grammar(codec, reply);
    uint32_t allowed[64] = {0};
    int32_t count = 0, position;
    bool more = true;
    assert_true(codec->ids <= 64 * 32);
    grammar.begin(grammar.state, allowed);
    while (more) {
        int32_t choice = -1, seen = 0;
        for (int32_t id = 0; id < codec->ids; id++)
            if (is_allowed(allowed, id) && ttt_random_below(random, (uint32_t)++seen) == 0) choice = id;
        assert_true(choice >= 0);
        assert_true(count < codec->answer_tokens);
        memset(allowed, 0, sizeof allowed);
        ids[count++] = choice;
        more = grammar.advance(grammar.state, choice, &position, allowed);
    }
    return count;
}

static void grammar__gives_only_legal_grids(void **state) {
    const fixture *f = *state;
    ttt_random random = ttt_random_stream(5, "", "babble");
    EACH_CODEC(f, format, kind) {
        ttt_codec *codec = make(f, kind, format, kind % 2 == 0);
        int32_t *ids = ttt_allocate((size_t)codec->answer_tokens, sizeof *ids);
        assert_non_null(ids);
        for (int i = 0; i < 200; i++) {
            const ttt_grid input = draw(&random, 1, 1);
            ttt_sequence again = {0};
            ttt_grid grid;
            ttt_reply reply;
            ttt_error err;
            int32_t first;
            codec->ops->reply(codec, NULL, 0, &input, NULL, &reply);
            const int32_t count = babble(codec, &reply, &random, ids);
            assert_true(codec->ops->parse(codec, ids, count, &grid));
            assert_in_range(grid.height, 1, TTT_GRID_MAX);
            assert_in_range(grid.width, 1, TTT_GRID_MAX);
            for (int c = 0; c < ttt_grid_area(&grid); c++) assert_in_range(grid.cells[c], 0, TTT_COLOURS - 1);
            /* There is one way to write it. */
            ASSERT_OK(codec->ops->answer(codec, &reply, &grid, &again, &first, &err));
            assert_int_equal(again.length, count);
            assert_memory_equal(again.ids, ids, (size_t)count * sizeof *ids);
            ttt_sequence_release(&again);
        }
        ttt_free(ids);
        ttt_codec_free(codec);
    }
}

static void moves__that_begin_alike_are_refused(void **state) {
    ttt_text_moves moves = {0};
    int a, b;
    ttt_error err;
    (void)state;
    for (int move = 0; move < TTT_MOVE_COUNT; move++) {
        ASSERT_OK(TTT_PUSH(&moves.ids, move < TTT_MOVE_NEXT ? move : move + 1, &err)); /* one token each ... */
        if (move == TTT_MOVE_END) ASSERT_OK(TTT_PUSH(&moves.ids, 99, &err));
        moves.end[move] = moves.ids.count;
    }
    assert_true(ttt_text_moves_distinct(&moves, &a, &b));
    moves.ids.items[TTT_MOVE_END] = moves.ids.items[TTT_MOVE_ROW]; /* ... and then the end begins with a row's end */
    assert_false(ttt_text_moves_distinct(&moves, &a, &b));
    assert_int_equal(a, TTT_MOVE_ROW);
    assert_int_equal(b, TTT_MOVE_END);
    moves.ids.items[TTT_MOVE_END] = moves.ids.items[0]; /* first cells never stand beside an end */
    assert_true(ttt_text_moves_distinct(&moves, &a, &b));
    ttt_free(moves.ids.items);
}

/* --- The reduced vocabulary -------------------------------------------------------------------------------------- */

static void reduced__stands_for_the_same_tokens(void **state) {
    const fixture *f = *state;
    const ttt_encode_loss loss = {.first_output = 1};
    ttt_random random = ttt_random_stream(6, "", "reduced");
    ttt_sequence whole = {0}, small = {0};
    ttt_error err;
    EACH_CODEC(f, format, kind) {
        ttt_codec *all = make(f, kind, format, false), *few = make(f, kind, format, true);
        ttt_pair pairs[12];
        assert_null(all->vocabulary);
        assert_true(few->ids < all->ids);
        for (int32_t i = 1; i < few->ids; i++) assert_true(few->vocabulary[i - 1] < few->vocabulary[i]);
        assert_int_equal(few->vocabulary[few->ids - 1], all->ids - 1);
        draw_pairs(&random, pairs, 12);
        ASSERT_OK(all->ops->example(all, pairs, 11, &pairs[11], NULL, &loss, &whole, &err));
        ASSERT_OK(few->ops->example(few, pairs, 11, &pairs[11], NULL, &loss, &small, &err));
        assert_int_equal(whole.length, small.length);
        for (int32_t t = 0; t < whole.length; t++) {
            assert_int_equal(few->vocabulary[small.ids[t]], whole.ids[t]);
            assert_int_equal(small.targets[t] < 0 ? -1 : few->vocabulary[small.targets[t]], whole.targets[t]);
        }
        ttt_codec_free(all);
        ttt_codec_free(few);
    }
    ttt_sequence_release(&whole);
    ttt_sequence_release(&small);
    /* A token for each cell, row end and mark. */
    ttt_codec *compact = make(f, TOKENIZER_BASE, ttt_prompt_format_find("compact"), true);
    assert_in_range(compact->ids, 14, 32);
    ttt_codec_free(compact);
}

static void auto_format__is_the_list_for_chats(void **state) {
    const fixture *f = *state;
    assert_string_equal(ttt_prompt_format_auto(f->tokenizers[TOKENIZER_BASE])->name, "compact");
    assert_string_equal(ttt_prompt_format_auto(f->tokenizers[TOKENIZER_LLAMA3])->name, "list");
}

static void no_memory__is_an_error_and_leaks_nothing(void **state) {
    const fixture *f = *state;
    for (size_t n = 1;; n++) {
        ttt_codec *codec;
        ttt_error err;
        ttt_memory_fail_at(n);
        const ttt_status status =
            ttt_text_codec_new(f->tokenizers[TOKENIZER_LLAMA3], ttt_prompt_formats, true, &codec, &err);
        ttt_memory_fail_at(0);
        if (status == TTT_OK) {
            assert_true(n > 5);
            ttt_codec_free(codec);
            return;
        }
        assert_int_equal(status, TTT_ERROR_MEMORY);
        assert_null(codec);
    }
}

static int set_up(void **state) {
    static fixture f;
    for (int kind = 0; kind < TOKENIZER_KINDS; kind++) f.tokenizers[kind] = tokenizer_make((tokenizer_kind)kind);
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    for (int kind = 0; kind < TOKENIZER_KINDS; kind++) ttt_tokenizer_free(f->tokenizers[kind]);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells__are_a_token_each_though_the_tokenizer_joins_digits),
        cmocka_unit_test(base__spells_the_text),
        cmocka_unit_test(chats__are_messages_with_blanks_at_their_ends_cut_off),
        cmocka_unit_test(loss__is_on_outputs_and_their_ends),
        cmocka_unit_test(lengths__are_what_is_written),
        cmocka_unit_test(every_grid__can_be_said_and_is_read_back),
        cmocka_unit_test(grammar__gives_only_legal_grids),
        cmocka_unit_test(moves__that_begin_alike_are_refused),
        cmocka_unit_test(reduced__stands_for_the_same_tokens),
        cmocka_unit_test(auto_format__is_the_list_for_chats),
        cmocka_unit_test(no_memory__is_an_error_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
