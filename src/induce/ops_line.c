/* Operations: rays, connections, diagonals. */
#include "induce/ops_pieces.h"

/* Every cell of `cells` that is 0 takes the colour of the one before it in the direction, cells in an order in which
 * that one comes first: rays end at what is not 0, which sends a ray of its own, and at what is not 0 in the grid. */
static void send_rays(const ttt_piece *grid, int direction, uint8_t *cells) {
    const int dr = ttt_direction_rows(direction), dc = ttt_direction_columns(direction);
    const int height = grid->height, width = grid->width, back = -dr * width - dc;
    const int step = dc < 0 ? -1 : 1, start = dc < 0 ? width - 1 - (dc != 0) : dc != 0, columns = width - (dc != 0);
    for (int i = dr != 0; i < height; i++) {
        const int r = dr < 0 ? height - 1 - i : i;
        int at = r * width + start;
        for (int j = 0; j < columns; j++, at += step) {
            if (cells[at] == 0 && grid->cells[at] == 0) cells[at] = cells[at + back];
        }
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
        send_rays(grid, direction, sent.cells);
        for (int at = 0; at < ttt_piece_area(grid); at++) {
            if (out[at] == 0) out[at] = sent.cells[at];
        }
    }
    return true;
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
    send_rays(on, arguments[1]->number, out->cells);
    return true;
}

/* ----------------------------------------------------------------------------------------------- connections */

/* Fills the 0 between cells of one colour that see each other along the direction. */
static void connect_towards(const ttt_piece *grid, int direction, uint8_t *out) {
    const int dr = ttt_direction_rows(direction), dc = ttt_direction_columns(direction);
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
    }
}

bool ttt_op_connect(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    const int direction = arguments[1]->number;
    if (direction >= TTT_DIRECTION_COUNT / 2) return false; /* the opposite direction says the same */
    if (!ttt_value_copy_piece(scratch, grid, result)) return false;
    connect_towards(grid, direction, result->pieces[0].cells);
    return true;
}

bool ttt_op_connect_all(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    if (!ttt_value_copy_piece(scratch, grid, result)) return false;
    connect_towards(grid, TTT_SOUTH, result->pieces[0].cells);
    connect_towards(grid, TTT_EAST, result->pieces[0].cells);
    return true;
}

/* From a cell, over 0 to the first cell of the colour that is seen along each side. */
bool ttt_op_link(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    const uint8_t colour = (uint8_t)arguments[1]->number;
    if (colour == 0 || !ttt_value_copy_piece(scratch, grid, result)) return false;
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        if (grid->cells[at] == 0 || grid->cells[at] == colour) continue;
        for (int direction = 0; direction < TTT_DIRECTION_COUNT; direction += 2) {
            const int dr = ttt_direction_rows(direction), dc = ttt_direction_columns(direction);
            int r = at / grid->width + dr, c = at % grid->width + dc, steps = 0;
            while (r >= 0 && c >= 0 && r < grid->height && c < grid->width && ttt_piece_at(grid, r, c) == 0) {
                r += dr;
                c += dc;
                steps++;
            }
            if (steps == 0 || ttt_piece_look(grid, r, c) != colour) continue;
            for (int i = 1; i <= steps; i++) {
                result->pieces[0].cells[at + i * (dr * grid->width + dc)] = grid->cells[at];
            }
        }
    }
    return true;
}

/* What lies between two cells that see each other in a line: `steps` cells, the first at `first`. */
typedef void between(const ttt_piece *grid, int first, int step, int steps, uint8_t *out);

static void between_in_lines(const ttt_piece *grid, int lines, int line_step, int count, int step, between *draw,
                             uint8_t *out) {
    for (int line = 0; line < lines; line++) {
        for (int i = 0, last = -1; i < count; i++) {
            if (grid->cells[line * line_step + i * step] == 0) continue;
            if (last >= 0 && i - last > 1) draw(grid, line * line_step + (last + 1) * step, step, i - last - 1, out);
            last = i;
        }
    }
}

/* Each half as the cell that it touches, a cell in the middle stays 0. */
static void draw_halves(const ttt_piece *grid, int first, int step, int steps, uint8_t *out) {
    for (int i = 0; i < steps / 2; i++) {
        out[first + i * step] = grid->cells[first - step];
        out[first + (steps - 1 - i) * step] = grid->cells[first + steps * step];
    }
}

static void draw_middle(const ttt_piece *grid, int first, int step, int steps, uint8_t *out) {
    (void)grid;
    if (steps % 2 == 1) out[first + steps / 2 * step] = 1;
}

bool ttt_op_meet(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    const int direction = arguments[1]->number;
    if (direction != TTT_NORTH && direction != TTT_EAST) return false; /* the opposite direction says the same */
    if (!ttt_value_copy_piece(scratch, grid, result)) return false;
    uint8_t *out = result->pieces[0].cells;
    if (direction == TTT_EAST) between_in_lines(grid, grid->height, grid->width, grid->width, 1, draw_halves, out);
    if (direction == TTT_NORTH) between_in_lines(grid, grid->width, 1, grid->height, grid->width, draw_halves, out);
    return true;
}

bool ttt_op_middles(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    if (!ttt_value_new_mask(scratch, grid->row, grid->column, grid->height, grid->width, result)) return false;
    uint8_t *out = result->pieces[0].cells;
    between_in_lines(grid, grid->height, grid->width, grid->width, 1, draw_middle, out);
    between_in_lines(grid, grid->width, 1, grid->height, grid->width, draw_middle, out);
    return true;
}

/* Repeats what each line has from its first to its last cell that is not 0, if those are several, over its 0. */
static void tile_lines(const ttt_piece *grid, int lines, int line_step, int count, int step, uint8_t *out) {
    for (int line = 0; line < lines; line++) {
        const uint8_t *cells = grid->cells + line * line_step;
        int first = 0, last = count - 1;
        while (first < count && cells[first * step] == 0) first++;
        while (last > first && cells[last * step] == 0) last--;
        const int period = last - first + 1;
        if (period < 2) continue;
        for (int i = 0; i < count; i++) {
            uint8_t *to = &out[line * line_step + i * step];
            if (*to == 0) *to = cells[(first + (i - first + count * period) % period) * step];
        }
    }
}

bool ttt_op_tile_lines(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    if (!ttt_value_copy_piece(scratch, grid, result)) return false;
    tile_lines(grid, grid->height, grid->width, grid->width, 1, result->pieces[0].cells);
    tile_lines(grid, grid->width, 1, grid->height, grid->width, result->pieces[0].cells);
    return true;
}

/* Objects that are one row or column of several cells run through the whole grid, rows over columns. */
bool ttt_op_full_lines(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ONE_COLOUR, .corners = true};
    const ttt_piece *grid = &arguments[0]->pieces[0];
    ttt_components objects;
    if (!ttt_components_find(scratch, grid, &contact, &objects) || !ttt_value_copy_piece(scratch, grid, result)) {
        return false;
    }
    uint8_t *out = result->pieces[0].cells;
    for (int rows = 0; rows < 2; rows++) {
        for (int k = 0; k < objects.count; k++) {
            const ttt_component *of = &objects.of[k];
            if (of->size == 1 || (rows ? of->top != of->bottom : of->left != of->right)) continue;
            const int start = rows ? of->top * grid->width : of->left, step = rows ? 1 : grid->width;
            const int count = rows ? grid->width : grid->height;
            for (int i = 0; i < count; i++) out[start + i * step] = grid->cells[of->first];
        }
    }
    return true;
}

/* -------------------------------------------------------------------------------------- rays of their own kind */

/* Draws over 0 from the cell after (r, c) on, as far as it goes. */
static void draw_ray(const ttt_piece *grid, int r, int c, int direction, uint8_t colour, uint8_t *out) {
    const int dr = ttt_direction_rows(direction), dc = ttt_direction_columns(direction);
    for (r += dr, c += dc; r >= 0 && c >= 0 && r < grid->height && c < grid->width; r += dr, c += dc) {
        if (ttt_piece_at(grid, r, c) != 0) break;
        out[r * grid->width + c] = colour;
    }
}

/* From the cell after (r, c) on, turning back from what is in its way above, below or beside it, out of the grid. */
static void draw_ricochet(const ttt_piece *grid, int r, int c, int direction, uint8_t colour, uint8_t *out) {
    int dr = ttt_direction_rows(direction), dc = ttt_direction_columns(direction);
    for (int steps = 0; steps < 4 * TTT_PIECE_SIDE; steps++) {
        if (dr != 0 && dc != 0 && ttt_piece_look(grid, r + dr, c + dc) != 0) {
            const bool aside = ttt_piece_look(grid, r, c + dc) != 0, ahead = ttt_piece_look(grid, r + dr, c) != 0;
            if (aside) dc = -dc;
            if (ahead || !aside) dr = -dr;
        }
        r += dr;
        c += dc;
        if (r < 0 || c < 0 || r >= grid->height || c >= grid->width || ttt_piece_at(grid, r, c) != 0) break;
        out[r * grid->width + c] = colour;
    }
}

/* A cell with one neighbour of its colour is an end: a ray goes on from it away from that neighbour. */
static bool extend(ttt_scratch *scratch, const ttt_piece *grid, bool ricochet, ttt_value *result) {
    if (!ttt_value_copy_piece(scratch, grid, result)) return false;
    for (int r = 0, at = 0; r < grid->height; r++) {
        for (int c = 0; c < grid->width; c++, at++) {
            const uint8_t colour = grid->cells[at];
            if (colour == 0) continue;
            int neighbours = 0, towards = 0;
            for (int d = 0; d < TTT_DIRECTION_COUNT && neighbours < 2; d++) {
                if (ttt_piece_look(grid, r + ttt_direction_rows(d), c + ttt_direction_columns(d)) != colour) continue;
                neighbours++;
                towards = d;
            }
            if (neighbours != 1) continue;
            const int away = (towards + 4) % TTT_DIRECTION_COUNT;
            (ricochet ? draw_ricochet : draw_ray)(grid, r, c, away, colour, result->pieces[0].cells);
        }
    }
    return true;
}

bool ttt_op_extend(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return extend(scratch, &arguments[0]->pieces[0], false, result);
}

bool ttt_op_ricochet(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return extend(scratch, &arguments[0]->pieces[0], true, result);
}

/* A ray turns back to the other side where the grid ends or something lies beside it; it ends above and below. */
static void bounce_from(const ttt_piece *grid, int r, int c, int dr, int dc, uint8_t colour, uint8_t *out) {
    for (int turns = 0; turns < 2;) {
        const bool aside = c + dc < 0 || c + dc >= grid->width || ttt_piece_at(grid, r, c + dc) != 0;
        if (aside) {
            dc = -dc;
            turns++;
            continue;
        }
        r += dr;
        c += dc;
        if (r < 0 || r >= grid->height || ttt_piece_at(grid, r, c) != 0) break;
        out[r * grid->width + c] = colour;
        turns = 0;
    }
}

bool ttt_op_bounce(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    const int direction = arguments[1]->number;
    if (direction % 2 == 0 || !ttt_value_copy_piece(scratch, grid, result)) return false;
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        if (grid->cells[at] == 0) continue;
        bounce_from(grid, at / grid->width, at % grid->width, ttt_direction_rows(direction),
                    ttt_direction_columns(direction), grid->cells[at], result->pieces[0].cells);
    }
    return true;
}

/* Where a cell of a rarer colour of its group has a neighbour of a more common one on a side: a ray of the cell's
 * colour, away from that neighbour, or `through` it and all of the group that follows if nothing lies before the cell.
 */
static bool shoot(ttt_scratch *scratch, const ttt_piece *grid, bool through, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ANY_COLOUR, .corners = true};
    ttt_components groups;
    if (!ttt_components_find(scratch, grid, &contact, &groups)) return false;
    int16_t(*counts)[TTT_COLOURS] = ttt_scratch_allocate(scratch, (size_t)groups.count * sizeof *counts);
    if (counts == NULL || !ttt_value_copy_piece(scratch, grid, result)) return false;
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        if (groups.labels[at] != 0) counts[groups.labels[at] - 1][grid->cells[at]]++;
    }
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        if (groups.labels[at] == 0) continue;
        const int16_t *of = counts[groups.labels[at] - 1];
        const uint8_t colour = grid->cells[at];
        for (int direction = 0; direction < TTT_DIRECTION_COUNT; direction += 2) {
            const int dr = ttt_direction_rows(direction), dc = ttt_direction_columns(direction);
            int r = at / grid->width, c = at % grid->width;
            const uint8_t behind = ttt_piece_look(grid, r - dr, c - dc), before = ttt_piece_look(grid, r + dr, c + dc);
            const uint8_t other = through ? before : behind;
            if (other == 0 || of[other] <= of[colour] || (through && behind != 0)) continue;
            while (through && ttt_piece_look(grid, r + dr, c + dc) != 0) {
                r += dr;
                c += dc;
            }
            draw_ray(grid, r, c, direction, colour, result->pieces[0].cells);
        }
    }
    return true;
}

bool ttt_op_shoot(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return shoot(scratch, &arguments[0]->pieces[0], false, result);
}

bool ttt_op_pierce(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return shoot(scratch, &arguments[0]->pieces[0], true, result);
}

/* From a corner of an object's box, or from the middle of one of its sides (two cells, if the side is even). */
bool ttt_op_object_rays(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ONE_COLOUR, .corners = true};
    const ttt_piece *grid = &arguments[0]->pieces[0];
    const int direction = arguments[1]->number;
    const int dr = ttt_direction_rows(direction), dc = ttt_direction_columns(direction);
    ttt_components objects;
    if (!ttt_components_find(scratch, grid, &contact, &objects) || !ttt_value_copy_piece(scratch, grid, result)) {
        return false;
    }
    for (int k = 0; k < objects.count; k++) {
        const ttt_component *of = &objects.of[k];
        for (int half = 0; half < 2; half++) {
            const int r = dr < 0 ? of->top : dr > 0 ? of->bottom : (of->top + of->bottom + half) / 2;
            const int c = dc < 0 ? of->left : dc > 0 ? of->right : (of->left + of->right + half) / 2;
            draw_ray(grid, r, c, direction, grid->cells[of->first], result->pieces[0].cells);
        }
    }
    return true;
}

bool ttt_op_dashes(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    const int direction = arguments[1]->number;
    const int dr = ttt_direction_rows(direction), dc = ttt_direction_columns(direction);
    if (!ttt_value_copy_piece(scratch, grid, result)) return false;
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        if (grid->cells[at] == 0) continue;
        int r = at / grid->width + dr, c = at % grid->width + dc;
        for (bool gap = true; r >= 0 && c >= 0 && r < grid->height && c < grid->width; r += dr, c += dc, gap = !gap) {
            if (ttt_piece_at(grid, r, c) != 0) break;
            if (gap) continue;
            result->pieces[0].cells[r * grid->width + c] = grid->cells[at];
        }
    }
    return true;
}
