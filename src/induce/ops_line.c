/* Operations: rays, connections, diagonals. */
#include "induce/ops_pieces.h"

/* Cells in an order in which the neighbour against the direction comes first: a ray then is one look back a cell. */
typedef struct sweep {
    int height, width, dr, dc;
    bool backwards;
} sweep;

static sweep sweep_towards(const ttt_piece *grid, int direction) {
    const int dr = ttt_direction_rows(direction), dc = ttt_direction_columns(direction);
    return (sweep){grid->height, grid->width, dr, dc, dr < 0 || (dr == 0 && dc < 0)};
}

/* Every cell of `cells` that is 0 takes the colour of the one before it in the direction: rays end at what is not 0,
 * which sends a ray of its own. `open`: cells that rays may cross (NULL: all that are 0). */
static void send_rays(const ttt_piece *grid, int direction, const uint8_t *blocked, uint8_t *cells) {
    const sweep s = sweep_towards(grid, direction);
    const int area = s.height * s.width;
    for (int i = 0; i < area; i++) {
        const int at = s.backwards ? area - 1 - i : i, r = at / s.width - s.dr, c = at % s.width - s.dc;
        if (cells[at] != 0 || blocked[at] != 0 || r < 0 || c < 0 || r >= s.height || c >= s.width) continue;
        cells[at] = cells[r * s.width + c];
    }
}

/* Rays of the grid in each direction whose bit is set, all from the grid as it is; the first direction wins. */
static bool rays(ttt_scratch *scratch, const ttt_piece *grid, unsigned directions, ttt_value *result) {
    if (!ttt_value_copy_piece(scratch, grid, result)) return false;
    uint8_t *out = result->pieces[0].cells;
    for (int direction = 0; direction < TTT_DIRECTION_COUNT; direction++) {
        if (!(directions >> direction & 1)) continue;
        ttt_piece sent;
        if (!ttt_piece_copy(scratch, grid, &sent)) return false;
        send_rays(grid, direction, grid->cells, sent.cells);
        for (int at = 0; at < ttt_piece_area(grid); at++) {
            if (out[at] == 0) out[at] = sent.cells[at];
        }
    }
    return !ttt_piece_same_cells(grid, &result->pieces[0]);
}

bool ttt_op_rays(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return rays(scratch, &arguments[0]->pieces[0], 1u << arguments[1]->number, result);
}

bool ttt_op_lines(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const int direction = arguments[1]->number;
    if (direction >= TTT_DIRECTION_COUNT / 2) return false; /* the opposite direction says the same */
    return rays(scratch, &arguments[0]->pieces[0], 1u << direction | 1u << (direction + 4), result);
}

bool ttt_op_crosses(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return rays(scratch, &arguments[0]->pieces[0], 0x55, result);
}

bool ttt_op_diagonals(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return rays(scratch, &arguments[0]->pieces[0], 0xaa, result);
}

bool ttt_op_stars(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return rays(scratch, &arguments[0]->pieces[0], 0xff, result);
}

/* Rays of what is drawn on a grid: they cross what is 0 there, and only they are in the result. */
bool ttt_op_rays_on(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *on = &arguments[2]->pieces[0];
    if (!ttt_value_new_like(scratch, on, result)) return false;
    ttt_piece *out = &result->pieces[0];
    ttt_piece_draw(out, &arguments[0]->pieces[0]);
    ttt_piece before;
    if (!ttt_piece_copy(scratch, out, &before)) return false;
    send_rays(on, arguments[1]->number, on->cells, out->cells);
    return !ttt_piece_same_cells(&before, out);
}

/* ----------------------------------------------------------------------------------------------- connections */

/* Fills the 0 between cells of one colour that see each other along the direction. */
static bool connect_towards(const ttt_piece *grid, int direction, uint8_t *out) {
    const int dr = ttt_direction_rows(direction), dc = ttt_direction_columns(direction);
    bool changed = false;
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        const uint8_t colour = grid->cells[at];
        if (colour == 0) continue;
        const int row = at / grid->width, column = at % grid->width;
        int r = row + dr, c = column + dc, steps = 0;
        while (r >= 0 && c >= 0 && r < grid->height && c < grid->width && ttt_piece_at(grid, r, c) == 0) {
            r += dr;
            c += dc;
            steps++;
        }
        if (steps == 0 || ttt_piece_look(grid, r, c) != colour) continue;
        for (int i = 1; i <= steps; i++) out[(row + i * dr) * grid->width + column + i * dc] = colour;
        changed = true;
    }
    return changed;
}

bool ttt_op_connect(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    const int direction = arguments[1]->number;
    if (direction >= TTT_DIRECTION_COUNT / 2) return false; /* the opposite direction says the same */
    return ttt_value_copy_piece(scratch, grid, result) && connect_towards(grid, direction, result->pieces[0].cells);
}

bool ttt_op_connect_all(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    if (!ttt_value_copy_piece(scratch, grid, result)) return false;
    const bool down = connect_towards(grid, TTT_SOUTH, result->pieces[0].cells);
    return connect_towards(grid, TTT_EAST, result->pieces[0].cells) || down;
}
