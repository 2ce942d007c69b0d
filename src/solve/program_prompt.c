#include "solve/program_prompt.h"

#include "base/memory.h"
#include "encode/prompt_format.h"

#include <stdio.h>
#include <string.h>

/* --- Writing ------------------------------------------------------------------------------------------------------ */

/* A text under way; once memory has failed, `status` says so and nothing more is written. */
typedef struct text {
    char *items;
    size_t count, capacity; /* the NUL behind it does not count */
    ttt_status status;
    ttt_error *err;
} text;

static void add(text *t, const char *more) {
    const size_t bytes = strlen(more);
    if (t->status == TTT_OK) t->status = TTT_RESERVE(t, t->count + bytes + 1, t->err);
    if (t->status != TTT_OK) return;
    memcpy(t->items + t->count, more, bytes + 1);
    t->count += bytes;
}

/* Each row on a line of its own, cells separated by blanks. */
static void add_grid(text *t, const ttt_grid *grid, const char *const *cells) {
    for (int row = 0; row < grid->height; row++) {
        for (int column = 0; column < grid->width; column++) {
            if (column > 0) add(t, " ");
            add(t, cells[ttt_grid_at(grid, row, column)]);
        }
        add(t, "\n");
    }
}

static void add_heading(text *t, const char *format, size_t number) {
    char line[64];
    snprintf(line, sizeof line, format, number);
    add(t, line);
}

/* --- BARC's format ------------------------------------------------------------------------------------------------ */

/* These models answer well only to the very words that they were trained with; a grid ends in an empty line. */
static const char barc_system[] =
    "You are a world-class puzzle solver with exceptional pattern recognition skills and expertise in Python "
    "programming. Your task is to analyze puzzles and provide Python solutions.";

static void write_barc(text *system, text *t, bool decoded, const ttt_task *task) {
    const ttt_prompt_format *format = ttt_prompt_format_find("barc"); /* of its models that answer with grids */
    if (decoded) add(system, ttt_prompt_text(format, TTT_PART_TEMPLATE));
    add(system, barc_system);
    add(t, ttt_prompt_text(format, TTT_PART_INTRODUCTION));
    for (size_t i = 0; i < task->demonstration_count; i++) {
        add_heading(t, "Example %zu\nInput:\n", i + 1);
        add_grid(t, &task->demonstrations[i].input, format->cells);
        add(t, "\nOutput:\n");
        add_grid(t, &task->demonstrations[i].output, format->cells);
        add(t, "\n\n");
    }
    add(t, ttt_prompt_text(format, TTT_PART_QUESTION));
    for (size_t i = 0; i < task->test_count; i++) {
        if (i > 0) add(t, "\n");
        add_grid(t, &task->tests[i].input, format->cells);
    }
    add(t, "\nWrite a Python function `transform` that can convert any given input grid to its corresponding output "
           "grid based on the pattern observed in the reference examples.");
}

/* --- Ours --------------------------------------------------------------------------------------------------------- */

static const char general_system[] =
    "You solve visual puzzles by writing Python programs. You look for the simplest rule that explains every example "
    "exactly, and you write correct, self-contained code.";

static void write_general(text *system, text *t, const ttt_task *task) {
    static const char *const digits[TTT_COLOURS] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    add(system, general_system);
    add(t,
        "One rule turns every input grid below into its output grid. Find the rule and write it as a program.\n\n"
        "Grids have 1 to 30 rows and columns of cells. A cell is a digit that stands for a colour: 0 black (often the "
        "background), 1 blue, 2 red, 3 green, 4 yellow, 5 grey, 6 pink, 7 orange, 8 light blue, 9 brown.\n\n");
    for (size_t i = 0; i < task->demonstration_count; i++) {
        add_heading(t, "Example %zu, input:\n", i + 1);
        add_grid(t, &task->demonstrations[i].input, digits);
        add_heading(t, "Example %zu, output:\n", i + 1);
        add_grid(t, &task->demonstrations[i].output, digits);
        add(t, "\n");
    }
    for (size_t i = 0; i < task->test_count; i++) {
        add_heading(t, "New input %zu, its output unknown:\n", i + 1);
        add_grid(t, &task->tests[i].input, digits);
        add(t, "\n");
    }
    add(t, "Write a Python function `transform(grid)`. Its argument is a two-dimensional numpy array of integers, "
           "indexed grid[row, column]; it returns the output grid as such an array and leaves its argument alone. "
           "It must be right for every example and work on the new inputs too, so compute everything from the grid. "
           "Only numpy and Python's standard library are there; no files, no network, no printing.\n\n"
           "Say in a few sentences what the rule is. Then give the whole program in one block:\n"
           "```python\nimport numpy as np\n\ndef transform(grid):\n    ...\n```");
}

ttt_status ttt_program_prompt_make(ttt_program_format format, bool decoded, const ttt_task *task,
                                   ttt_program_prompt *prompt, ttt_error *err) {
    text system = {.err = err}, user = {.err = err};
    if (format == TTT_PROGRAM_BARC)
        write_barc(&system, &user, decoded, task);
    else
        write_general(&system, &user, task);
    *prompt = (ttt_program_prompt){system.items, user.items};
    const ttt_status status = system.status != TTT_OK ? system.status : user.status;
    if (status != TTT_OK) ttt_program_prompt_release(prompt);
    return status;
}

void ttt_program_prompt_release(ttt_program_prompt *prompt) {
    ttt_free(prompt->system);
    ttt_free(prompt->user);
    *prompt = (ttt_program_prompt){0};
}

/* --- Reading ------------------------------------------------------------------------------------------------------ */

typedef struct span {
    const char *begin, *end;
} span;

/* The next line from *at on, without its end; false at the end of the text. */
static bool next_line(const char **at, const char *end, span *line) {
    if (*at == end) return false;
    const char *newline = memchr(*at, '\n', (size_t)(end - *at));
    *line = (span){*at, newline == NULL ? end : newline};
    *at = newline == NULL ? end : newline + 1;
    return true;
}

static bool begins(span line, const char *word) {
    const size_t bytes = strlen(word);
    return (size_t)(line.end - line.begin) >= bytes && memcmp(line.begin, word, bytes) == 0;
}

/* Three backquotes, behind blanks at most. */
static bool is_fence(span line) {
    while (line.begin < line.end && (*line.begin == ' ' || *line.begin == '\t')) line.begin++;
    return begins(line, "```");
}

static bool defines(span program) {
    span line;
    for (const char *at = program.begin; next_line(&at, program.end, &line);) {
        if (begins(line, "def transform(") || begins(line, "def main(")) return true;
    }
    return false;
}

/* An answer that was cut off leaves its last fence open; what stands behind it may still be whole. */
static span find_program(span answer) {
    span found = {0}, line, block = {0};
    bool fences = false;
    for (const char *at = answer.begin; next_line(&at, answer.end, &line);) {
        if (!is_fence(line)) continue;
        fences = true;
        if (block.begin == NULL) {
            block.begin = at;
            continue;
        }
        block.end = line.begin;
        if (defines(block)) found = block;
        block.begin = NULL;
    }
    if (block.begin != NULL || !fences) {
        block = (span){fences ? block.begin : answer.begin, answer.end};
        if (defines(block)) found = block;
    }
    return found;
}

ttt_status ttt_program_extract(const char *answer, size_t bytes, char **program, ttt_error *err) {
    *program = NULL;
    const span found = find_program((span){answer, answer + bytes});
    if (found.begin == NULL) return TTT_OK;
    const size_t length = (size_t)(found.end - found.begin);
    if (length > TTT_PROGRAM_BYTES || memchr(found.begin, '\0', length) != NULL) return TTT_OK;
    *program = ttt_allocate(length + 1, 1);
    if (*program == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a program of %zu bytes", length);
    memcpy(*program, found.begin, length);
    return TTT_OK;
}
