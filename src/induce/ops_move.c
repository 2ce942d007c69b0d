/* Operations: shifting, gravity, sliding until contact. */
#include "induce/ops_pieces.h"

#include <string.h>

static bool is_side(int direction) {
    return direction % 2 == 0;
}

/* ------------------------------------------------------------------------------------------- all of a grid */

/* Everything moves by (down, right); what leaves the grid is lost, or comes in again on the other side. */
static bool move_content(ttt_scratch *scratch, const ttt_piece *from, int down, int right, bool around,
                         ttt_value *result) {
    if (!ttt_value_new_like(scratch, from, result)) return false;
    for (int r = 0; r < from->height; r++) {
        for (int c = 0; c < from->width; c++) {
            int to_row = r + down, to_column = c + right;
            if (around) {
                to_row = (to_row + from->height) % from->height;
                to_column = (to_column + from->width) % from->width;
            } else if (to_row < 0 || to_row >= from->height || to_column < 0 || to_column >= from->width) {
                continue;
            }
            result->pieces[0].cells[to_row * from->width + to_column] = ttt_piece_at(from, r, c);
        }
    }
    return true;
}

bool ttt_op_shift(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const int direction = arguments[1]->number;
    return move_content(scratch, &arguments[0]->pieces[0], ttt_direction_rows(direction),
                        ttt_direction_columns(direction), false, result);
}

bool ttt_op_roll(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const int direction = arguments[1]->number;
    return move_content(scratch, &arguments[0]->pieces[0], ttt_direction_rows(direction),
                        ttt_direction_columns(direction), true, result);
}

bool ttt_op_slide(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = &arguments[0]->pieces[0];
    const int dr = ttt_direction_rows(arguments[1]->number), dc = ttt_direction_columns(arguments[1]->number);
    int top = from->height, bottom = -1, left = from->width, right = -1;
    for (int r = 0; r < from->height; r++) {
        for (int c = 0; c < from->width; c++) {
            if (ttt_piece_at(from, r, c) == 0) continue;
            if (r < top) top = r;
            if (c < left) left = c;
            if (c > right) right = c;
            bottom = r;
        }
    }
    if (bottom < 0) return false;
    return move_content(scratch, from,
                        dr < 0   ? -top
                        : dr > 0 ? from->height - 1 - bottom
                                 : 0,
                        dc < 0   ? -left
                        : dc > 0 ? from->width - 1 - right
                                 : 0,
                        false, result);
}

/* -------------------------------------------------------------------------------------------------- gravity */

bool ttt_op_fall(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = &arguments[0]->pieces[0];
    const int direction = arguments[1]->number;
    if (!is_side(direction) || !ttt_value_new_like(scratch, from, result)) return false;
    const bool vertical = ttt_direction_rows(direction) != 0;
    const bool to_end = ttt_direction_rows(direction) + ttt_direction_columns(direction) > 0;
    const int lines = vertical ? from->width : from->height, length = vertical ? from->height : from->width;
    const int step = vertical ? from->width : 1, across = vertical ? 1 : from->width;
    for (int line = 0; line < lines; line++) {
        const uint8_t *cells = from->cells + line * across;
        uint8_t *out = result->pieces[0].cells + line * across;
        for (int i = 0, place = 0; i < length; i++) {
            const uint8_t cell = cells[(to_end ? length - 1 - i : i) * step];
            if (cell == 0) continue;
            out[(to_end ? length - 1 - place : place) * step] = cell;
            place++;
        }
    }
    return true;
}

/* Can the component with these cells take one step of (dr, dc)? */
static bool can_step(const ttt_piece *grid, const int16_t *labels, const int16_t *cells, int count, int dr, int dc) {
    for (int i = 0; i < count; i++) {
        const int r = cells[i] / grid->width + dr, c = cells[i] % grid->width + dc;
        if (r < 0 || c < 0 || r >= grid->height || c >= grid->width) return false;
        const int16_t label = labels[r * grid->width + c];
        if (label != 0 && label != labels[cells[i]]) return false;
    }
    return true;
}

/* Objects move as they are, step by step, until nothing can: labels say who lies where, cells[starts[k]...] is object
 * k. */
typedef struct falling {
    ttt_components objects;
    int16_t *cells, *starts;
} falling;

static bool falling_init(ttt_scratch *scratch, const ttt_piece *grid, const ttt_contact *contact, falling *f) {
    if (!ttt_components_find(scratch, grid, contact, &f->objects) || f->objects.count == 0) return false;
    f->cells = ttt_scratch_allocate(scratch, (size_t)ttt_piece_area(grid) * sizeof *f->cells);
    f->starts = ttt_scratch_allocate(scratch, (size_t)(f->objects.count + 1) * sizeof *f->starts);
    int16_t *filled = ttt_scratch_allocate(scratch, (size_t)f->objects.count * sizeof *filled);
    if (f->cells == NULL || f->starts == NULL || filled == NULL) return false;
    for (int k = 0; k < f->objects.count; k++) f->starts[k + 1] = (int16_t)(f->starts[k] + f->objects.of[k].size);
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        const int k = f->objects.labels[at] - 1;
        if (k >= 0) f->cells[f->starts[k] + filled[k]++] = (int16_t)at;
    }
    return true;
}

/* Object k moves by `by` cells of the grid. */
static void step(falling *f, uint8_t *colours, int k, int by) {
    int16_t *cells = f->cells + f->starts[k];
    const int count = f->starts[k + 1] - f->starts[k];
    uint8_t moved[TTT_GRID_CELLS];
    for (int i = 0; i < count; i++) {
        moved[i] = colours[cells[i]];
        colours[cells[i]] = 0;
        f->objects.labels[cells[i]] = 0;
    }
    for (int i = 0; i < count; i++) {
        cells[i] = (int16_t)(cells[i] + by);
        colours[cells[i]] = moved[i];
        f->objects.labels[cells[i]] = (int16_t)(k + 1);
    }
}

static bool fall_rigid(ttt_scratch *scratch, const ttt_value *const *arguments, const ttt_contact *contact,
                       ttt_value *result) {
    const ttt_piece *from = &arguments[0]->pieces[0];
    const int direction = arguments[1]->number;
    falling f;
    if (!falling_init(scratch, from, contact, &f) || !ttt_value_copy_piece(scratch, from, result)) return false;
    const int dr = ttt_direction_rows(direction), dc = ttt_direction_columns(direction);
    for (bool moved = true; moved;) {
        moved = false;
        for (int i = 0; i < f.objects.count; i++) {
            const int k = dr > 0 || (dr == 0 && dc > 0) ? f.objects.count - 1 - i : i;
            while (can_step(from, f.objects.labels, f.cells + f.starts[k], f.starts[k + 1] - f.starts[k], dr, dc)) {
                step(&f, result->pieces[0].cells, k, dr * from->width + dc);
                moved = true;
            }
        }
    }
    return true;
}

bool ttt_op_fall_objects(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ONE_COLOUR, .corners = true};
    return fall_rigid(scratch, arguments, &contact, result);
}

bool ttt_op_fall_groups(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ANY_COLOUR, .corners = true};
    return fall_rigid(scratch, arguments, &contact, result);
}

/* ------------------------------------------------------------------------------------------------ attraction */

/* How many steps from a cell, in a direction, to the first cell that `target` marks; 0: there is none. */
static int steps_to(const ttt_piece *grid, const bool *target, int at, int direction) {
    const int dr = ttt_direction_rows(direction), dc = ttt_direction_columns(direction);
    int r = at / grid->width + dr, c = at % grid->width + dc;
    for (int steps = 1; r >= 0 && c >= 0 && r < grid->height && c < grid->width; steps++, r += dr, c += dc) {
        if (target[r * grid->width + c]) return steps;
    }
    return 0;
}

/* Object k moves in the direction in which a target is nearest, until it touches it or something is in its way:
 * along a side, or, when it sees none there, slanting. It may `leap` over others to a free place. */
static bool pull(const ttt_piece *grid, falling *f, int k, const bool *target, bool leap, uint8_t *colours) {
    int least = INT8_MAX, best = -1;
    for (int i = 0; i < TTT_DIRECTION_COUNT && (i < 4 || best < 0 || best % 2 != 0); i++) {
        const int direction = i < 4 ? 2 * i : 2 * i - 7; /* the sides first */
        for (int j = f->starts[k]; j < f->starts[k + 1]; j++) {
            const int steps = steps_to(grid, target, f->cells[j], direction);
            if (steps == 0 || steps >= least) continue;
            least = steps;
            best = direction;
        }
    }
    if (best < 0) return false;
    const int dr = ttt_direction_rows(best), dc = ttt_direction_columns(best), size = f->starts[k + 1] - f->starts[k];
    int steps = 0;
    if (leap && can_step(grid, f->objects.labels, f->cells + f->starts[k], size, dr * (least - 1), dc * (least - 1))) {
        steps = least - 1;
        step(f, colours, k, steps * (dr * grid->width + dc));
    }
    while (steps < least - 1 && can_step(grid, f->objects.labels, f->cells + f->starts[k], size, dr, dc)) {
        step(f, colours, k, dr * grid->width + dc);
        steps++;
    }
    return steps > 0;
}

bool ttt_op_attract(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ONE_COLOUR, .corners = true};
    const ttt_piece *grid = &arguments[0]->pieces[0];
    const uint8_t colour = (uint8_t)arguments[1]->number;
    falling f;
    bool *target = ttt_scratch_allocate(scratch, (size_t)ttt_piece_area(grid) * sizeof *target);
    if (colour == 0 || target == NULL || !falling_init(scratch, grid, &contact, &f) ||
        !ttt_value_copy_piece(scratch, grid, result)) {
        return false;
    }
    for (int at = 0; at < ttt_piece_area(grid); at++) target[at] = grid->cells[at] == colour;
    for (bool moved = true; moved;) { /* what was in the way may have moved on */
        moved = false;
        for (int k = 0; k < f.objects.count; k++) {
            if (grid->cells[f.objects.of[k].first] == colour) continue;
            moved |= pull(grid, &f, k, target, false, result->pieces[0].cells);
        }
    }
    return true;
}

/* Smaller objects move to the largest of their colour, past others. */
bool ttt_op_gather(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ONE_COLOUR, .corners = true};
    const ttt_piece *grid = &arguments[0]->pieces[0];
    falling f;
    bool *target = ttt_scratch_allocate(scratch, (size_t)ttt_piece_area(grid) * sizeof *target);
    if (target == NULL || !falling_init(scratch, grid, &contact, &f) || !ttt_value_copy_piece(scratch, grid, result)) {
        return false;
    }
    int largest[TTT_COLOURS];
    memset(largest, -1, sizeof largest);
    for (int k = 0; k < f.objects.count; k++) {
        int *of = &largest[grid->cells[f.objects.of[k].first]];
        if (*of < 0 || f.objects.of[k].size > f.objects.of[*of].size) *of = k;
    }
    for (int colour = 1; colour < TTT_COLOURS; colour++) {
        const int to = largest[colour];
        if (to < 0) continue;
        memset(target, 0, (size_t)ttt_piece_area(grid) * sizeof *target);
        for (int i = f.starts[to]; i < f.starts[to + 1]; i++) target[f.cells[i]] = true;
        for (int k = 0; k < f.objects.count; k++) {
            if (k == to || grid->cells[f.objects.of[k].first] != colour) continue;
            pull(grid, &f, k, target, true, result->pieces[0].cells);
        }
    }
    return true;
}

/* ------------------------------------------------------------------------------------------- pieces, as a whole */

static bool move_piece(ttt_scratch *scratch, const ttt_piece *from, int down, int right, ttt_value *result) {
    if (!ttt_value_new_grid(scratch, from->row + down, from->column + right, from->height, from->width, result)) {
        return false;
    }
    memcpy(result->pieces[0].cells, from->cells, (size_t)ttt_piece_area(from));
    return true;
}

bool ttt_op_nudge(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const int direction = arguments[1]->number;
    return move_piece(scratch, &arguments[0]->pieces[0], ttt_direction_rows(direction),
                      ttt_direction_columns(direction), result);
}

bool ttt_op_hop(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = &arguments[0]->pieces[0];
    const int direction = arguments[1]->number;
    return move_piece(scratch, from, ttt_direction_rows(direction) * from->height,
                      ttt_direction_columns(direction) * from->width, result);
}

/* The fewest steps along a side that bring a cell of the piece next to one of the target; 0: they never meet so, or
 * touch already. */
static int gap_towards(const ttt_piece *piece, const ttt_piece *target, int direction) {
    const int dr = ttt_direction_rows(direction), dc = ttt_direction_columns(direction);
    int least = 0;
    for (int at = 0; at < ttt_piece_area(piece); at++) {
        if (piece->cells[at] == 0) continue;
        int r = piece->row - target->row + at / piece->width, c = piece->column - target->column + at % piece->width;
        for (int steps = 0; steps < 2 * TTT_PIECE_SIDE; steps++) {
            r += dr;
            c += dc;
            if (ttt_piece_look(target, r, c) == 0) continue;
            if (steps == 0) return 0;
            if (least == 0 || steps < least) least = steps;
            break;
        }
    }
    return least;
}

bool ttt_op_towards(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *piece = &arguments[0]->pieces[0], *target = &arguments[1]->pieces[0];
    int least = 0, best = 0;
    for (int direction = 0; direction < TTT_DIRECTION_COUNT; direction += 2) {
        const int steps = gap_towards(piece, target, direction);
        if (steps == 0 || (least > 0 && steps >= least)) continue;
        least = steps;
        best = direction;
    }
    return least > 0 &&
           move_piece(scratch, piece, least * ttt_direction_rows(best), least * ttt_direction_columns(best), result);
}

/* ------------------------------------------------------------------------------------------ every object by itself */

/* Where a cell of an object goes. */
typedef struct cell_place {
    int r, c;
} cell_place;
typedef cell_place move_cell(const ttt_component *object, int direction, int r, int c);

static bool move_objects(ttt_scratch *scratch, const ttt_piece *grid, bool corners, move_cell *move, int direction,
                         ttt_value *result) {
    const ttt_contact contact = {TTT_CLASSES_ONE_COLOUR, .corners = corners};
    ttt_components objects;
    if (!ttt_components_find(scratch, grid, &contact, &objects) || !ttt_value_new_like(scratch, grid, result)) {
        return false;
    }
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        if (objects.labels[at] == 0) continue;
        const ttt_component *of = &objects.of[objects.labels[at] - 1];
        const cell_place to = move(of, direction, at / grid->width, at % grid->width);
        if (to.r < 0 || to.c < 0 || to.r >= grid->height || to.c >= grid->width) continue;
        result->pieces[0].cells[to.r * grid->width + to.c] = grid->cells[at];
    }
    return true;
}

static cell_place hop_cell(const ttt_component *object, int direction, int r, int c) {
    return (cell_place){r + ttt_direction_rows(direction) * (object->bottom - object->top + 1),
                        c + ttt_direction_columns(direction) * (object->right - object->left + 1)};
}

bool ttt_op_hop_objects(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return move_objects(scratch, &arguments[0]->pieces[0], true, hop_cell, arguments[1]->number, result);
}

/* A quarter turn clockwise; a middle between cells comes to lie half a cell up or to the left. */
static cell_place turn_cell(const ttt_component *object, int direction, int r, int c) {
    (void)direction;
    const int height = object->bottom - object->top + 1, width = object->right - object->left + 1;
    const int row = object->top + (height - width + TTT_PIECE_OFFSET) / 2 - TTT_PIECE_OFFSET / 2;
    const int column = object->left + (width - height + TTT_PIECE_OFFSET) / 2 - TTT_PIECE_OFFSET / 2;
    return (cell_place){row + c - object->left, column + object->bottom - r};
}

bool ttt_op_turn_objects(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return move_objects(scratch, &arguments[0]->pieces[0], false, turn_cell, TTT_NORTH, result);
}
