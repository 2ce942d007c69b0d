/* Reading freely written answers: the styles differ in how a line gives its next cell. */
#include "encode/prompt_parse.h"

#include "base/memory.h"

#include <string.h>

void ttt_text_grid_release(ttt_text_grid *grid) {
    ttt_free(grid->cells);
    *grid = (ttt_text_grid){0};
}

/* --- The text ---------------------------------------------------------------------------------------------------- */

typedef struct span {
    const char *at, *end;
} span;

static bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static span strip(span text) {
    while (text.at < text.end && is_blank(*text.at)) text.at++;
    while (text.at < text.end && is_blank(text.end[-1])) text.end--;
    return text;
}

/* Without '#', then with one blank for two. `to` has room for all of it; returns its length. */
static size_t clean(const char *text, size_t bytes, char *to) {
    size_t kept = 0, length = 0;
    for (size_t i = 0; i < bytes; i++)
        if (text[i] != '#') to[kept++] = text[i];
    for (size_t i = 0; i < kept; i++) {
        to[length++] = to[i];
        if (to[i] == ' ' && i + 1 < kept && to[i + 1] == ' ') i++;
    }
    return length;
}

/* Narrows the text to what a first fence encloses; false: there is none. */
static bool inside_fence(span *text) {
    static const char fence[] = "```";
    const size_t length = sizeof fence - 1;
    const char *open = memmem(text->at, (size_t)(text->end - text->at), fence, length);
    if (open == NULL) return false;
    text->at = open + length;
    const char *close = memmem(text->at, (size_t)(text->end - text->at), fence, length);
    if (close != NULL) text->end = close;
    return true;
}

/* The next line of *rest, without its end. False after the last. */
static bool next_line(span *rest, span *line) {
    if (rest->at == NULL) return false;
    const char *end = memchr(rest->at, '\n', (size_t)(rest->end - rest->at));
    *line = (span){rest->at, end == NULL ? rest->end : end};
    rest->at = end == NULL ? NULL : end + 1;
    return true;
}

static bool next_word(span *rest, span *word) {
    while (rest->at < rest->end && is_blank(*rest->at)) rest->at++;
    word->at = rest->at;
    while (rest->at < rest->end && !is_blank(*rest->at)) rest->at++;
    word->end = rest->at;
    return word->at < word->end;
}

/* --- Cells ------------------------------------------------------------------------------------------------------- */

/* How a line gives its next cell; false: it has no more, or (then *bad) no cell stands there. */
typedef bool next_cell(const ttt_prompt_format *format, span *line, int8_t *cell, bool *bad);

/* A whole number of up to 63 bits, its low eight bits taken. */
static bool next_number(const ttt_prompt_format *format, span *line, int8_t *cell, bool *bad) {
    span word;
    uint64_t value = 0;
    (void)format;
    if (!next_word(line, &word)) return false;
    const bool negative = *word.at == '-';
    if (negative || *word.at == '+') word.at++;
    *bad = word.at == word.end;
    for (; word.at < word.end && !*bad; word.at++) {
        *bad = *word.at < '0' || *word.at > '9' || value > (uint64_t)INT64_MAX / 10 - 1;
        value = 10 * value + (uint64_t)(*word.at - '0');
    }
    const unsigned low = (unsigned)(negative ? 0 - value : value) & 0xff;
    *cell = (int8_t)(low < 128 ? (int)low : (int)low - 256);
    return !*bad;
}

static bool next_colour(const ttt_prompt_format *format, span *line, int8_t *cell, bool *bad) {
    span word;
    if (!next_word(line, &word)) return false;
    const size_t length = (size_t)(word.end - word.at);
    for (int colour = 0; colour < TTT_COLOURS; colour++) {
        const char *name = format->cells[colour];
        *cell = (int8_t)colour;
        if (strlen(name) == length && memcmp(name, word.at, length) == 0) return true;
    }
    *bad = true;
    return false;
}

static bool next_digit(const ttt_prompt_format *format, span *line, int8_t *cell, bool *bad) {
    (void)format;
    while (line->at < line->end && is_blank(*line->at)) line->at++;
    if (line->at == line->end) return false;
    *bad = *line->at < '0' || *line->at > '9';
    *cell = (int8_t)(*line->at++ - '0');
    return !*bad;
}

/* --- Grids ------------------------------------------------------------------------------------------------------- */

/* All cells of the text in order, and its lines as rows; grid->cells has room for a cell per byte. False: no grid. */
static bool read_cells(const ttt_prompt_format *format, span text, next_cell *next, ttt_text_grid *grid) {
    size_t cells = 0;
    span line;
    bool bad = false;
    grid->even = true;
    while (next_line(&text, &line)) {
        const size_t before = cells;
        while (next(format, &line, &grid->cells[cells], &bad)) cells++;
        if (bad) return false;
        if (grid->height++ == 0) grid->width = cells;
        grid->even = grid->even && cells - before == grid->width;
    }
    if (cells % grid->height != 0) return false;
    grid->width = cells / grid->height;
    return true;
}

static bool read_grid(const ttt_prompt_format *format, char *buffer, size_t bytes, ttt_text_grid *grid) {
    span text = {buffer, buffer + bytes};
    const bool fenced = inside_fence(&text);
    text = strip(text);
    if (format->style == TTT_ANSWER_WORDS) return fenced && read_cells(format, text, next_colour, grid) && grid->even;
    if (format->style == TTT_ANSWER_DIGITS) return read_cells(format, text, next_digit, grid) && grid->even;
    char *to = buffer; /* brackets are dropped; what remains of white space at the ends holds no line end */
    for (const char *at = text.at; at < text.end; at++)
        if (*at != '[' && *at != ']') *to++ = *at;
    return read_cells(format, (span){buffer, to}, next_number, grid);
}

ttt_status ttt_prompt_parse(const ttt_prompt_format *format, const char *text, size_t bytes, ttt_text_grid *grid,
                            bool *found, ttt_error *err) {
    *grid = (ttt_text_grid){0};
    *found = false;
    char *buffer = ttt_allocate(bytes + 1, 1);
    grid->cells = ttt_allocate(bytes + 1, 1);
    if (buffer == NULL || grid->cells == NULL) {
        ttt_free(buffer);
        ttt_text_grid_release(grid);
        return ttt_fail(err, TTT_ERROR_MEMORY, "no memory to read an answer of %zu bytes", bytes);
    }
    *found = read_grid(format, buffer, clean(text, bytes, buffer), grid);
    ttt_free(buffer);
    if (!*found) ttt_text_grid_release(grid);
    return TTT_OK;
}

bool ttt_text_grid_legal(const ttt_text_grid *text, ttt_grid *grid) {
    if (!text->even || text->height < 1 || text->height > TTT_GRID_MAX || text->width < 1 || text->width > TTT_GRID_MAX)
        return false;
    *grid = (ttt_grid){.height = (uint8_t)text->height, .width = (uint8_t)text->width};
    for (size_t i = 0; i < text->height * text->width; i++) {
        if (text->cells[i] < 0 || text->cells[i] >= TTT_COLOURS) return false;
        grid->cells[i] = (uint8_t)text->cells[i];
    }
    return true;
}
