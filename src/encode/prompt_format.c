/* The table of formats, and the walk over a puzzle that all of them share. Texts are cut into parts where the
 * tokenizers of Llama 3 and Qwen cut them anyway (a blank goes with the word behind it, line ends with the marks before
 * them), so that the ids are those that the published models were trained on. */
#include "encode/prompt_format.h"

#include <assert.h>
#include <string.h>

/* --- The table --------------------------------------------------------------------------------------------------- */

static const char *const digits[TTT_COLOURS] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
static const char *const spaced_digits[TTT_COLOURS] = {" 0", " 1", " 2", " 3", " 4", " 5", " 6", " 7", " 8", " 9"};
static const char *const words[TTT_COLOURS] = {"Black", "Blue", "Red",    "Green",  "Yellow",
                                               "Gray",  "Pink", "Orange", "Purple", "Brown"};
static const char *const spaced_words[TTT_COLOURS] = {" Black", " Blue", " Red",    " Green",  " Yellow",
                                                      " Gray",  " Pink", " Orange", " Purple", " Brown"};
static const char *const numbers[TTT_PAIR_SLOTS] = {"1", "2",  "3",  "4",  "5",  "6",  "7",  "8",
                                                    "9", "10", "11", "12", "13", "14", "15", "16"};

#define PART(name) [TTT_PART_##name - TTT_PART_ROW_END]
#define PYTHON_ARRAYS                                                                                                  \
    "Figure out the underlying transformation in the following examples and apply it to the test case. Here are some " \
    "examples from this transformation, your answer must follow the format.\nThe input-output grids are provided as "  \
    "python arrays:\n"

const ttt_prompt_format ttt_prompt_formats[] = {
    /* Akyurek et al., arXiv 2411.07279: its format for models that it fine-tuned. */
    {.name = "list",
     .cells = digits,
     .next_cells = spaced_digits,
     .style = TTT_ANSWER_NUMBERS,
     .demonstrations = TTT_ROLE_SYSTEM,
     .texts = {PART(SYSTEM) = PYTHON_ARRAYS, PART(INPUT_BEGIN) = "[[", PART(ROW_END) = "]\n [", PART(INPUT_END) = "]]",
               PART(BETWEEN) = " ->", PART(OUTPUT_BEGIN) = " [[", PART(OUTPUT_END) = "]]#\n",
               PART(QUESTION_END) = " -> ", PART(ANSWER_BEGIN) = "[[", PART(ANSWER_END) = "]]#"}},
    /* The same paper's other one, without an end mark. */
    {.name = "default",
     .cells = digits,
     .next_cells = spaced_digits,
     .style = TTT_ANSWER_NUMBERS,
     .demonstrations = TTT_ROLE_SYSTEM,
     .texts = {PART(SYSTEM) = PYTHON_ARRAYS, PART(INPUT_BEGIN) = "[[", PART(ROW_END) = "]\n [", PART(INPUT_END) = "]]",
               PART(BETWEEN) = " ->", PART(OUTPUT_BEGIN) = " [[", PART(OUTPUT_END) = "]]\n",
               PART(QUESTION_END) = " -> ", PART(ANSWER_BEGIN) = "[[", PART(ANSWER_END) = "]]"}},
    /* Li et al., "Combining Induction and Transduction for Abstract Reasoning", arXiv 2411.02272. */
    {.name = "barc",
     .cells = words,
     .next_cells = spaced_words,
     .style = TTT_ANSWER_WORDS,
     .demonstrations = TTT_ROLE_USER,
     .texts = {PART(TEMPLATE) = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n",
               PART(SYSTEM) = "You are a world-class puzzle solver with exceptional pattern recognition skills. Your "
                              "task is to analyze puzzles, spot patterns, and provide direct solutions.",
               PART(INTRODUCTION) =
                   "Given input-output grid pairs as reference examples, carefully observe the patterns to predict the "
                   "output grid for new test input. Each pair follows the same transformation rule. Grids are 2D "
                   "arrays represented as strings, with cells (colors) separated by spaces and rows by newlines.\n"
                   "Here are the input and output grids for the reference examples:\n",
               PART(ALONE) = "\n\n", PART(BEFORE_NUMBER) = "Example ", PART(AFTER_NUMBER) = ":\nInput:\n",
               PART(ROW_END) = "\n", PART(BETWEEN) = "\n\nOutput:\n", PART(OUTPUT_END) = "\n",
               PART(LAST_OUTPUT_END) = "\n\n\n",
               PART(QUESTION) = "Here is the input grid for the test example:\nInput:\n",
               PART(QUESTION_END) = "\n\n\nDirectly provide the output grids corresponding to the given test input "
                                    "grids, based on the patterns observed in the reference examples.",
               PART(REPLY) = "The output grid for the test input grid is:\n\n```\n", PART(ANSWER_END) = "\n```"}},
    /* Ours, after the winners of 2024 (arXiv 2505.07859): a token for each cell, row end and mark, no words at all; a
     * puzzle has as many tokens as in grid tokens. */
    {.name = "compact",
     .cells = digits,
     .next_cells = digits,
     .style = TTT_ANSWER_DIGITS,
     .demonstrations = TTT_ROLE_USER,
     .texts = {PART(INPUT_BEGIN) = "I", PART(ROW_END) = "\n", PART(BETWEEN) = "O", PART(OUTPUT_END) = "#",
               PART(QUESTION_END) = "O", PART(ANSWER_END) = "#"}},
    {.name = NULL},
};

const ttt_prompt_format *ttt_prompt_format_find(const char *name) {
    const ttt_prompt_format *format = ttt_prompt_formats;
    while (format->name != NULL && strcmp(format->name, name) != 0) format++;
    return format->name == NULL ? NULL : format;
}

const char *ttt_prompt_text(const ttt_prompt_format *format, int part) {
    assert(part >= 0 && part < TTT_PART_COUNT);
    if (part < TTT_PART_NEXT_CELL) return format->cells[part];
    if (part < TTT_PART_NUMBER) return format->next_cells[part - TTT_PART_NEXT_CELL];
    if (part < TTT_PART_ROW_END) return numbers[part - TTT_PART_NUMBER];
    const char *text = format->texts[part - TTT_PART_ROW_END];
    if (text == NULL && part == TTT_PART_LAST_OUTPUT_END) text = format->texts[TTT_PART_OUTPUT_END - TTT_PART_ROW_END];
    return text == NULL ? "" : text;
}

/* --- The walk ---------------------------------------------------------------------------------------------------- */

/* One piece is held back, for only the next one tells whether it is the last of its message. */
typedef struct walker {
    const ttt_prompt_format *format;
    ttt_piece_visitor *visit;
    void *context;
    ttt_piece held;
    bool holds;
} walker;

static void put(walker *w, int part, ttt_role role, bool counted) {
    if (*ttt_prompt_text(w->format, part) == '\0') return;
    if (w->holds) {
        w->held.ends = w->held.role != role;
        w->visit(w->context, w->held);
    }
    w->held = (ttt_piece){.part = (uint8_t)part, .role = (uint8_t)role, .counted = counted};
    w->holds = true;
}

/* `ends`: nothing more comes in the last message. */
static void finish(walker *w, bool ends) {
    if (!w->holds) return;
    w->held.ends = ends;
    w->visit(w->context, w->held);
}

static void put_grid(walker *w, const ttt_grid *grid, int begin, int end, ttt_role role, bool counted) {
    put(w, begin, role, counted);
    for (int r = 0; r < grid->height; r++) {
        if (r > 0) put(w, TTT_PART_ROW_END, role, counted);
        for (int c = 0; c < grid->width; c++)
            put(w, (c == 0 ? TTT_PART_CELL : TTT_PART_NEXT_CELL) + ttt_grid_at(grid, r, c), role, counted);
    }
    put(w, end, role, counted);
}

static void put_demonstration(walker *w, const ttt_pair *pair, size_t number, bool last, bool input, bool output) {
    const ttt_role role = w->format->demonstrations;
    if (*ttt_prompt_text(w->format, TTT_PART_BEFORE_NUMBER) != '\0') {
        put(w, TTT_PART_BEFORE_NUMBER, role, false);
        put(w, TTT_PART_NUMBER + (int)number, role, false);
        put(w, TTT_PART_AFTER_NUMBER, role, false);
    }
    put_grid(w, &pair->input, TTT_PART_INPUT_BEGIN, TTT_PART_INPUT_END, role, input);
    put(w, TTT_PART_BETWEEN, role, false);
    put_grid(w, &pair->output, TTT_PART_OUTPUT_BEGIN, last ? TTT_PART_LAST_OUTPUT_END : TTT_PART_OUTPUT_END, role,
             output);
}

static void put_prompt(walker *w, const ttt_pair *demonstrations, size_t count, const ttt_grid *input,
                       const ttt_encode_loss *loss) {
    assert(count <= TTT_PAIR_SLOTS);
    put(w, TTT_PART_TEMPLATE, TTT_ROLE_SYSTEM, false);
    put(w, TTT_PART_SYSTEM, TTT_ROLE_SYSTEM, false);
    put(w, TTT_PART_INTRODUCTION, w->format->demonstrations, false);
    if (count == 0) put(w, TTT_PART_ALONE, w->format->demonstrations, false);
    for (size_t i = 0; i < count; i++)
        put_demonstration(w, &demonstrations[i], i, i + 1 == count, loss->inputs, (int64_t)i >= loss->first_output);
    put(w, TTT_PART_QUESTION, TTT_ROLE_USER, false);
    put_grid(w, input, TTT_PART_INPUT_BEGIN, TTT_PART_INPUT_END, TTT_ROLE_USER, loss->inputs);
    put(w, TTT_PART_QUESTION_END, TTT_ROLE_USER, false);
    put(w, TTT_PART_REPLY, TTT_ROLE_ASSISTANT, false);
}

static void put_answer(walker *w, const ttt_grid *answer) {
    put_grid(w, answer, TTT_PART_ANSWER_BEGIN, TTT_PART_ANSWER_END, TTT_ROLE_ASSISTANT, true);
}

void ttt_prompt_pieces(const ttt_prompt_format *format, const ttt_pair *demonstrations, size_t count,
                       const ttt_grid *input, ttt_piece_visitor *visit, void *context) {
    static const ttt_encode_loss none = {.first_output = TTT_PAIR_SLOTS};
    walker w = {.format = format, .visit = visit, .context = context};
    put_prompt(&w, demonstrations, count, input, &none);
    finish(&w, w.held.role != TTT_ROLE_ASSISTANT);
}

void ttt_answer_pieces(const ttt_prompt_format *format, const ttt_grid *answer, ttt_piece_visitor *visit,
                       void *context) {
    walker w = {.format = format, .visit = visit, .context = context};
    put_answer(&w, answer);
    finish(&w, true);
}

void ttt_example_pieces(const ttt_prompt_format *format, const ttt_pair *demonstrations, size_t count,
                        const ttt_pair *question, const ttt_encode_loss *loss, ttt_piece_visitor *visit,
                        void *context) {
    walker w = {.format = format, .visit = visit, .context = context};
    put_prompt(&w, demonstrations, count, &question->input, loss);
    put_answer(&w, &question->output);
    finish(&w, true);
}
