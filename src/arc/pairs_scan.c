/* A scanner for the one shape that RE-ARC's 457 MB have: [{"input": [[1, 2], ...], "output": [[...]]}, ...]. A JSON
 * parser makes an object of every cell, which takes half a minute for them; this takes a second or two. It never
 * reports an error: at the first thing it does not expect it gives up. */
#include "arc/pairs_scan.h"

#include "base/memory.h"

#include <string.h>

typedef struct scanner {
    const char *at, *end;
} scanner;

static void skip_blanks(scanner *s) {
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r')) s->at++;
}

/* Takes `wanted` and the blanks behind it. */
static bool take(scanner *s, char wanted) {
    if (s->at == s->end || *s->at != wanted) return false;
    s->at++;
    skip_blanks(s);
    return true;
}

static bool take_key(scanner *s, const char *key) {
    const size_t length = strlen(key);
    if ((size_t)(s->end - s->at) < length || memcmp(s->at, key, length) != 0) return false;
    s->at += length;
    skip_blanks(s);
    return take(s, ':');
}

/* One row appended to the grid's cells, which must have room for TTT_GRID_MAX more. */
static bool take_row(scanner *s, uint8_t *cells, int *width) {
    *width = 0;
    if (!take(s, '[')) return false;
    do {
        if (*width == TTT_GRID_MAX || s->at == s->end || *s->at < '0' || *s->at > '9') return false;
        cells[(*width)++] = (uint8_t)(*s->at++ - '0');
        skip_blanks(s);
    } while (take(s, ',')); /* a second digit, a point or an exponent is no comma and no bracket */
    return take(s, ']');
}

static bool take_grid(scanner *s, ttt_grid *grid) {
    int height = 0, width = 0;
    if (!take(s, '[')) return false;
    do {
        int cells;
        if (height == TTT_GRID_MAX || !take_row(s, grid->cells + height * width, &cells)) return false;
        if (height++ > 0 && cells != width) return false;
        width = cells;
    } while (take(s, ','));
    grid->height = (uint8_t)height;
    grid->width = (uint8_t)width;
    return take(s, ']');
}

static bool take_pair(scanner *s, ttt_pair *pair) {
    return take(s, '{') && take_key(s, "\"input\"") && take_grid(s, &pair->input) && take(s, ',') &&
           take_key(s, "\"output\"") && take_grid(s, &pair->output) && take(s, '}');
}

ttt_status ttt_pairs_scan(const char *text, size_t bytes, ttt_pair_list *pairs, bool *understood, ttt_error *err) {
    scanner s = {text, text + bytes};
    *understood = false;
    pairs->count = 0;
    skip_blanks(&s);
    if (!take(&s, '[')) return TTT_OK;
    do {
        TTT_TRY(TTT_RESERVE(pairs, pairs->count + 1, err));
        if (!take_pair(&s, &pairs->items[pairs->count])) return TTT_OK;
        pairs->count++;
    } while (take(&s, ','));
    *understood = take(&s, ']') && s.at == s.end;
    return TTT_OK;
}
