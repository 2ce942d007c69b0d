/* The grammar as a walk over the grid: where the next cell goes says what may come. */
#include "encode/grammar.h"

enum { COLOURS = (1u << TTT_COLOURS) - 1, ROW_END = 1u << TTT_TOKEN_ROW_END, GRID_END = 1u << TTT_TOKEN_GRID_END };

void ttt_grid_grammar_init(ttt_grid_grammar *grammar, const ttt_encoding *encoding, size_t count,
                           const ttt_slots *slots) {
    *grammar = (ttt_grid_grammar){.encoding = *encoding, .slot = slots ? slots->of[count] : (int32_t)count};
}

static uint32_t allowed_at(const ttt_grid_grammar *at) {
    const int32_t widest = at->width ? at->width : TTT_GRID_MAX;
    uint32_t allowed = 0;
    if (at->column < widest) allowed |= COLOURS;
    if (at->width ? at->column == at->width : at->column > 0) {
        allowed |= GRID_END;
        if (at->row + 1 < TTT_GRID_MAX) allowed |= ROW_END;
    }
    return allowed;
}

static void grammar_begin(void *state, uint32_t *allowed) {
    ttt_grid_grammar *at = state;
    at->row = at->column = at->width = 0;
    allowed[0] = allowed_at(at);
}

static bool grammar_advance(void *state, int32_t id, int32_t *position, uint32_t *allowed) {
    ttt_grid_grammar *at = state;
    if (id == TTT_TOKEN_GRID_END) return false;
    if (id == TTT_TOKEN_ROW_END) {
        at->width = at->column;
        at->column = 0;
        at->row++;
        ttt_encode_position(&at->encoding, at->row, -1, at->slot, 1, position);
    } else {
        ttt_encode_position(&at->encoding, at->row, at->column, at->slot, 1, position);
        at->column++;
    }
    allowed[0] = allowed_at(at);
    return true;
}

ttt_decode_grammar ttt_grid_grammar_callbacks(ttt_grid_grammar *grammar) {
    return (ttt_decode_grammar){
        .state = grammar, .state_bytes = sizeof *grammar, .begin = grammar_begin, .advance = grammar_advance};
}

bool ttt_grid_from_tokens(const int32_t *ids, int32_t count, ttt_grid *grid) {
    const ttt_encoding encoding = ttt_encoding_default();
    ttt_grid_grammar at;
    int32_t position[TTT_MAX_AXES], cells = 0;
    uint32_t allowed;
    ttt_grid_grammar_init(&at, &encoding, 0, NULL);
    grammar_begin(&at, &allowed);
    for (int32_t i = 0; i < count; i++) {
        if (ids[i] < 0 || ids[i] >= TTT_GRID_VOCABULARY || !(allowed >> ids[i] & 1)) return false;
        if (ids[i] < TTT_COLOURS) grid->cells[cells++] = (uint8_t)ids[i];
        if (grammar_advance(&at, ids[i], position, &allowed)) continue;
        grid->height = (uint8_t)(at.row + 1);
        grid->width = (uint8_t)at.column;
        return i + 1 == count;
    }
    return false;
}

int32_t ttt_grid_to_tokens(const ttt_grid *grid, int32_t *ids) {
    int32_t count = 0;
    for (int r = 0; r < grid->height; r++) {
        for (int c = 0; c < grid->width; c++) ids[count++] = ttt_grid_at(grid, r, c);
        ids[count++] = r + 1 < grid->height ? TTT_TOKEN_ROW_END : TTT_TOKEN_GRID_END;
    }
    return count;
}
