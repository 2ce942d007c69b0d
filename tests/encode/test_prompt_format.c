/* The pieces that formats write, and what is read back of them. */
#include "support.h"

#include "base/memory.h"
#include "encode/prompt_parse.h"

enum { TEXT_BYTES = 1 << 16 };

typedef struct written {
    const ttt_prompt_format *format;
    char text[TEXT_BYTES], counted[TEXT_BYTES]; /* all of it; what carries loss */
    char messages[3][TEXT_BYTES];
    size_t pieces, ends;
    int last_role;
    bool last_ended; /* the piece before this one ended its message */
} written;

static void write_piece(void *context, ttt_piece piece) {
    written *w = context;
    const char *text = ttt_prompt_text(w->format, piece.part);
    assert_true(*text != '\0');
    strcat(w->text, text);
    strcat(w->messages[piece.role], text);
    if (piece.counted) strcat(w->counted, text);
    if (w->pieces > 0) assert_int_equal(w->last_ended, w->last_role != piece.role);
    w->pieces++;
    w->ends += piece.ends;
    w->last_role = piece.role;
    w->last_ended = piece.ends;
}

static void start(written *w, const char *format) {
    *w = (written){.format = ttt_prompt_format_find(format)};
    assert_non_null(w->format);
}

static ttt_grid grid_of(int height, int width, const char *digits) {
    ttt_grid grid = ttt_grid_filled(height, width, 0);
    for (int i = 0; i < height * width; i++) grid.cells[i] = (uint8_t)(digits[i] - '0');
    return grid;
}

static void make_pairs(ttt_pair pairs[3]) {
    pairs[0] = (ttt_pair){grid_of(1, 2, "12"), grid_of(2, 1, "12")};
    pairs[1] = (ttt_pair){grid_of(1, 2, "34"), grid_of(2, 1, "34")};
    pairs[2] = (ttt_pair){grid_of(1, 3, "056"), grid_of(3, 1, "056")};
}

static void compact__has_a_mark_a_cell_and_a_row_end_each(void **state) {
    static written w;
    const ttt_encode_loss second = {.first_output = 1}, all = {.first_output = 0, .inputs = true};
    ttt_pair pairs[3];
    (void)state;
    make_pairs(pairs);
    start(&w, "compact");
    ttt_example_pieces(w.format, pairs, 2, &pairs[2], &second, write_piece, &w);
    assert_string_equal(w.text, "I12O1\n2#I34O3\n4#I056O0\n5\n6#");
    assert_string_equal(w.counted, "3\n4#0\n5\n6#");
    assert_int_equal(w.pieces, strlen(w.text));
    start(&w, "compact");
    ttt_example_pieces(w.format, pairs, 2, &pairs[2], &all, write_piece, &w);
    assert_string_equal(w.counted, "I121\n2#I343\n4#I0560\n5\n6#");
}

static void list__counts_outputs_with_their_end_marks(void **state) {
    static written w;
    const ttt_encode_loss second = {.first_output = 1};
    ttt_pair pairs[3];
    (void)state;
    make_pairs(pairs);
    start(&w, "list");
    ttt_example_pieces(w.format, pairs, 2, &pairs[2], &second, write_piece, &w);
    assert_string_equal(w.counted, " [[3]\n [4]]#\n[[0]\n [5]\n [6]]#");
    assert_string_equal(w.messages[TTT_ROLE_USER], "[[0 5 6]] -> ");
    assert_int_equal(w.ends, 3);
    start(&w, "barc");
    ttt_example_pieces(w.format, pairs, 2, &pairs[2], &second, write_piece, &w);
    assert_string_equal(w.counted, "Green\nYellow\n\n\nBlack\nGray\nPink\n```");
}

static void barc__numbers_every_demonstration(void **state) {
    static written w;
    ttt_pair pairs[TTT_PAIR_SLOTS];
    char number[32];
    (void)state;
    for (int i = 0; i < TTT_PAIR_SLOTS; i++) pairs[i] = (ttt_pair){grid_of(1, 1, "0"), grid_of(1, 1, "1")};
    start(&w, "barc");
    ttt_prompt_pieces(w.format, pairs, TTT_PAIR_SLOTS, &pairs[0].input, write_piece, &w);
    for (int i = 1; i <= TTT_PAIR_SLOTS; i++) {
        snprintf(number, sizeof number, "Example %d:\nInput:\nBlack", i);
        assert_non_null(strstr(w.text, number));
    }
}

/* A prompt and an answer are an example; the prompt's last message is whole, unless the assistant has begun to speak.
 */
static void prompt_and_answer__make_the_example(void **state) {
    static written whole, prompt, answer;
    const ttt_encode_loss second = {.first_output = 1};
    ttt_pair pairs[3];
    (void)state;
    make_pairs(pairs);
    for (const ttt_prompt_format *format = ttt_prompt_formats; format->name != NULL; format++) {
        for (size_t count = 0; count <= 2; count++) {
            start(&whole, format->name);
            start(&prompt, format->name);
            start(&answer, format->name);
            ttt_example_pieces(format, pairs, count, &pairs[2], &second, write_piece, &whole);
            ttt_prompt_pieces(format, pairs, count, &pairs[2].input, write_piece, &prompt);
            assert_int_equal(prompt.last_ended, prompt.last_role != TTT_ROLE_ASSISTANT);
            assert_string_equal(prompt.counted, "");
            ttt_answer_pieces(format, &pairs[2].output, write_piece, &answer);
            assert_true(answer.last_ended);
            assert_string_equal(answer.text, answer.counted);
            assert_int_equal(whole.pieces, prompt.pieces + answer.pieces);
            strcat(prompt.text, answer.text);
            assert_string_equal(whole.text, prompt.text);
        }
    }
}

/* What a format writes it also reads, when all of the assistant's message is given to it. */
static void answers__are_read_as_they_were_written(void **state) {
    static written w;
    ttt_random random = ttt_random_stream(7, "", "answers");
    (void)state;
    for (const ttt_prompt_format *format = ttt_prompt_formats; format->name != NULL; format++) {
        for (int i = 0; i < 40; i++) {
            const int height = i == 0 ? 30 : 1 + (int)ttt_random_below(&random, 30),
                      width = i == 1 ? 30 : 1 + (int)ttt_random_below(&random, 30);
            ttt_grid grid = ttt_grid_filled(height, width, 0), back;
            ttt_text_grid read;
            ttt_error err;
            bool found;
            for (int c = 0; c < height * width; c++) grid.cells[c] = (uint8_t)ttt_random_below(&random, 10);
            start(&w, format->name);
            strcpy(w.text, ttt_prompt_text(format, TTT_PART_REPLY));
            ttt_answer_pieces(format, &grid, write_piece, &w);
            ASSERT_OK(ttt_prompt_parse(format, w.text, strlen(w.text), &read, &found, &err));
            assert_true(found);
            assert_true(ttt_text_grid_legal(&read, &back));
            assert_true(ttt_grid_equal(&grid, &back));
            ttt_text_grid_release(&read);
        }
    }
}

static void reading__what_is_no_legal_grid(void **state) {
    static const struct {
        const char *format, *text;
        bool found, legal;
    } cases[] = {
        {"compact", "12\n34#", true, true},
        {"compact", "12\n345", false, false},
        {"compact", "1a", false, false},
        {"compact", "", true, false},
        {"list", "[[1 2]\n [3]]", false, false},
        {"list", "[[1 2]\n [3 4 5 6]]", true, false}, /* spread evenly, but written ragged */
        {"list", "[[1 2]\n [3 10]]", true, false},
        {"list", "[[1 2]\n [3 -1]]", true, false},
        {"list", "[[1 +]]", false, false},
        {"list", "[[1 2]\n [3 4]]#", true, true},
        {"barc", "Red Blue", false, false},
        {"barc", "```\nRed Blue\nBlue Red\n```", true, true},
        {"barc", "```\nRed\nBlue Red\n```", false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ttt_text_grid read;
        ttt_grid grid;
        ttt_error err;
        bool found;
        ASSERT_OK(ttt_prompt_parse(ttt_prompt_format_find(cases[i].format), cases[i].text, strlen(cases[i].text), &read,
                                   &found, &err));
        if (found != cases[i].found || (found && ttt_text_grid_legal(&read, &grid) != cases[i].legal))
            fail_msg("%s: %s", cases[i].format, cases[i].text);
        ttt_text_grid_release(&read);
    }
}

static void reading__any_bytes_and_no_memory(void **state) {
    ttt_random random = ttt_random_stream(8, "", "noise");
    static const char alphabet[] = "0123456789 \n\t[]#`-+RedBlue";
    (void)state;
    for (int i = 0; i < 3000; i++) {
        char text[64];
        const size_t bytes = ttt_random_below(&random, sizeof text);
        for (size_t b = 0; b < bytes; b++) text[b] = alphabet[ttt_random_below(&random, sizeof alphabet)]; /* NUL too */
        for (const ttt_prompt_format *format = ttt_prompt_formats; format->name != NULL; format++) {
            ttt_text_grid read;
            ttt_grid grid;
            ttt_error err;
            bool found;
            ASSERT_OK(ttt_prompt_parse(format, text, bytes, &read, &found, &err));
            if (found && ttt_text_grid_legal(&read, &grid)) assert_in_range(grid.height * grid.width, 1, bytes);
            ttt_text_grid_release(&read);
        }
    }
    for (size_t n = 1; n <= 2; n++) {
        ttt_text_grid read;
        ttt_error err;
        bool found;
        ttt_memory_fail_at(n);
        ASSERT_FAILS(ttt_prompt_parse(ttt_prompt_formats, "[[1]]", 5, &read, &found, &err), TTT_ERROR_MEMORY,
                     "no memory");
        assert_null(read.cells);
    }
    ttt_memory_fail_at(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compact__has_a_mark_a_cell_and_a_row_end_each),
        cmocka_unit_test(list__counts_outputs_with_their_end_marks),
        cmocka_unit_test(barc__numbers_every_demonstration),
        cmocka_unit_test(prompt_and_answer__make_the_example),
        cmocka_unit_test(answers__are_read_as_they_were_written),
        cmocka_unit_test(reading__what_is_no_legal_grid),
        cmocka_unit_test(reading__any_bytes_and_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
