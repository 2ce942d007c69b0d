/* The grammar as a walk over the grid, as for grid tokens, but each step of it may take several tokens. */
#include "encode/text_grammar.h"

#include <assert.h>

enum { COLOURS = (1u << TTT_COLOURS) - 1 };
static const uint32_t first_moves = (uint32_t)COLOURS << TTT_MOVE_FIRST,
                      next_moves = (uint32_t)COLOURS << TTT_MOVE_NEXT, row_moves = (uint32_t)COLOURS << TTT_MOVE_ROW,
                      end_move = 1u << TTT_MOVE_END;

static const int32_t *tokens_of(const ttt_text_moves *moves, int move, size_t *count) {
    const size_t begin = move == 0 ? 0 : moves->end[move - 1];
    *count = moves->end[move] - begin;
    return moves->ids.items + begin;
}

/* One begins with the other. */
static bool confusable(const ttt_text_moves *moves, int a, int b) {
    size_t count, other;
    const int32_t *left = tokens_of(moves, a, &count), *right = tokens_of(moves, b, &other);
    if (other < count) count = other;
    for (size_t i = 0; i < count; i++)
        if (left[i] != right[i]) return false;
    return true;
}

bool ttt_text_moves_distinct(const ttt_text_moves *moves, int *a, int *b) {
    for (*a = 0; *a < TTT_MOVE_COUNT; ++*a)
        for (*b = *a + 1; *b < TTT_MOVE_COUNT; ++*b) {
            const bool together = (*a < TTT_MOVE_NEXT) == (*b < TTT_MOVE_NEXT);
            if (together && confusable(moves, *a, *b)) return false;
        }
    return true;
}

static uint32_t legal_moves(const ttt_text_grammar *at) {
    uint32_t legal = 0;
    if (at->row == 0 && at->column == 0) return first_moves;
    if (at->column < (at->width ? at->width : TTT_GRID_MAX)) legal |= next_moves;
    if (at->width == 0 || at->column == at->width) {
        legal |= end_move;
        if (at->row + 1 < TTT_GRID_MAX) legal |= row_moves;
    }
    return legal;
}

/* Token `id` comes next. *move is the move that it completes, -1 while one is under way; false: it may not come. */
static bool step(ttt_text_grammar *at, int32_t id, int *move) {
    uint32_t agreeing = 0;
    *move = -1;
    for (int m = 0; m < TTT_MOVE_COUNT; m++) {
        size_t count;
        const int32_t *ids = tokens_of(at->moves, m, &count);
        if (!(at->live >> m & 1) || ids[at->matched] != id) continue;
        agreeing |= 1u << m;
        if (count == at->matched + 1) *move = m;
    }
    if (agreeing == 0) return false;
    at->tokens++;
    at->matched++;
    at->live = agreeing;
    if (*move < 0) return true;
    if (*move >= TTT_MOVE_ROW && *move < TTT_MOVE_END) {
        at->width = at->column;
        at->column = 0;
        at->row++;
    }
    if (*move < TTT_MOVE_END) at->column++;
    at->matched = 0;
    at->live = legal_moves(at);
    return true;
}

static void allow(const ttt_text_grammar *at, uint32_t *allowed) {
    for (int m = 0; m < TTT_MOVE_COUNT; m++) {
        size_t count;
        const int32_t *ids = tokens_of(at->moves, m, &count);
        if (at->live >> m & 1) allowed[ids[at->matched] / 32] |= 1u << (ids[at->matched] % 32);
    }
}

static void restart(ttt_text_grammar *at) {
    ttt_text_grammar_init(at, at->moves, at->start);
}

static void grammar_begin(void *state, uint32_t *allowed) {
    restart(state);
    allow(state, allowed);
}

static bool grammar_advance(void *state, int32_t id, int32_t *position, uint32_t *allowed) {
    ttt_text_grammar *at = state;
    int move;
    const bool legal = step(at, id, &move);
    assert(legal);
    if (!legal || move == TTT_MOVE_END) return false;
    *position = at->start + at->tokens - 1;
    allow(at, allowed);
    return true;
}

void ttt_text_grammar_init(ttt_text_grammar *grammar, const ttt_text_moves *moves, int32_t start) {
    *grammar = (ttt_text_grammar){.moves = moves, .start = start, .live = first_moves};
}

ttt_decode_grammar ttt_text_grammar_callbacks(ttt_text_grammar *grammar) {
    return (ttt_decode_grammar){
        .state = grammar, .state_bytes = sizeof *grammar, .begin = grammar_begin, .advance = grammar_advance};
}

bool ttt_grid_from_moves(const ttt_text_moves *moves, const int32_t *ids, int32_t count, ttt_grid *grid) {
    ttt_text_grammar at;
    int32_t cells = 0;
    int move = -1;
    ttt_text_grammar_init(&at, moves, 0);
    for (int32_t i = 0; i < count; i++) {
        if (move == TTT_MOVE_END || !step(&at, ids[i], &move)) return false;
        if (move >= 0 && move < TTT_MOVE_END) grid->cells[cells++] = (uint8_t)(move % TTT_COLOURS);
    }
    if (move != TTT_MOVE_END) return false;
    grid->height = (uint8_t)(at.row + 1);
    grid->width = (uint8_t)at.column;
    return true;
}
