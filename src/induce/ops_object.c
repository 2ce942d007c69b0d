/* Operations: connected pieces of a grid, and what is made of one. */
#include "induce/ops_pieces.h"

#include <string.h>

/* --------------------------------------------------------------------------------------------- segmentations */

static bool cut_all(ttt_scratch *scratch, const ttt_piece *grid, const ttt_contact *contact, ttt_value *result) {
    ttt_components components;
    if (!ttt_components_find(scratch, grid, contact, &components)) return false;
    if (components.count == 0 || components.count > TTT_LIST_MAX || !ttt_value_new_list(scratch, result)) return false;
    for (int k = 0; k < components.count; k++) {
        ttt_piece piece;
        if (!ttt_components_cut(scratch, grid, &components, k, &piece)) return false;
        ttt_list_push(result, piece);
    }
    return true;
}

bool ttt_op_objects(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ONE_COLOUR, .corners = true};
    return cut_all(scratch, &arguments[0]->pieces[0], &contact, result);
}

bool ttt_op_side_objects(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ONE_COLOUR, .corners = false};
    return cut_all(scratch, &arguments[0]->pieces[0], &contact, result);
}

bool ttt_op_groups(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ANY_COLOUR, .corners = true};
    return cut_all(scratch, &arguments[0]->pieces[0], &contact, result);
}

bool ttt_op_side_groups(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ANY_COLOUR, .corners = false};
    return cut_all(scratch, &arguments[0]->pieces[0], &contact, result);
}

/* The areas of 0 as pieces: all, or those that do not touch the edge. Each is painted with the colour above its first
 * cell, or, at the upper edge, with 1. */
static bool cut_zeros(ttt_scratch *scratch, const ttt_piece *grid, bool enclosed, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ZERO, .corners = false};
    ttt_components zeros;
    if (!ttt_components_find(scratch, grid, &contact, &zeros) || !ttt_value_new_list(scratch, result)) return false;
    for (int k = 0; k < zeros.count; k++) {
        const ttt_component *of = &zeros.of[k];
        if (enclosed && of->edge) continue;
        ttt_piece piece;
        if (!ttt_piece_new(scratch, grid->row + of->top, grid->column + of->left, of->bottom - of->top + 1,
                           of->right - of->left + 1, &piece)) {
            return false;
        }
        const uint8_t colour = of->top > 0 ? grid->cells[of->first - grid->width] : 1;
        for (int r = 0; r < piece.height; r++) {
            for (int c = 0; c < piece.width; c++) {
                const int at = (of->top + r) * grid->width + of->left + c;
                if (zeros.labels[at] == k + 1) piece.cells[r * piece.width + c] = colour;
            }
        }
        if (!ttt_list_push(result, piece)) return false;
    }
    return result->count > 0;
}

bool ttt_op_spaces(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return cut_zeros(scratch, &arguments[0]->pieces[0], false, result);
}

bool ttt_op_holes(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return cut_zeros(scratch, &arguments[0]->pieces[0], true, result);
}

bool ttt_op_colours(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    ttt_component boxes[TTT_COLOURS] = {0};
    uint8_t order[TTT_COLOURS];
    int count = 0;
    for (int r = 0, at = 0; r < grid->height; r++) {
        for (int c = 0; c < grid->width; c++, at++) {
            ttt_component *box = &boxes[grid->cells[at]];
            if (box->size++ == 0) {
                if (grid->cells[at] != 0) order[count++] = grid->cells[at];
                box->top = (uint8_t)r;
                box->left = box->right = (uint8_t)c;
            }
            box->bottom = (uint8_t)r;
            if (c < box->left) box->left = (uint8_t)c;
            if (c > box->right) box->right = (uint8_t)c;
        }
    }
    if (count == 0 || !ttt_value_new_list(scratch, result)) return false;
    for (int k = 0; k < count; k++) {
        const ttt_component *box = &boxes[order[k]];
        ttt_piece piece;
        if (!ttt_piece_new(scratch, grid->row + box->top, grid->column + box->left, box->bottom - box->top + 1,
                           box->right - box->left + 1, &piece)) {
            return false;
        }
        for (int r = 0; r < piece.height; r++) {
            for (int c = 0; c < piece.width; c++) {
                const uint8_t cell = ttt_piece_at(grid, box->top + r, box->left + c);
                if (cell == order[k]) piece.cells[r * piece.width + c] = cell;
            }
        }
        ttt_list_push(result, piece);
    }
    return true;
}

bool ttt_op_cells(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    if (!ttt_value_new_list(scratch, result)) return false;
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        if (grid->cells[at] == 0) continue;
        ttt_piece piece;
        if (!ttt_piece_new(scratch, grid->row + at / grid->width, grid->column + at % grid->width, 1, 1, &piece)) {
            return false;
        }
        piece.cells[0] = grid->cells[at];
        if (!ttt_list_push(result, piece)) return false;
    }
    return result->count > 0;
}

/* ---------------------------------------------------------------------------------------------------- frames */

/* Is the component the outline of its box, at least 3 x 3, with whatever inside? */
static bool is_frame(const ttt_piece *grid, const ttt_components *components, int k) {
    const ttt_component *of = &components->of[k];
    if (of->bottom - of->top < 2 || of->right - of->left < 2) return false;
    for (int c = of->left; c <= of->right; c++) {
        if (components->labels[of->top * grid->width + c] != k + 1) return false;
        if (components->labels[of->bottom * grid->width + c] != k + 1) return false;
    }
    for (int r = of->top; r <= of->bottom; r++) {
        if (components->labels[r * grid->width + of->left] != k + 1) return false;
        if (components->labels[r * grid->width + of->right] != k + 1) return false;
    }
    return true;
}

/* Rows top..bottom and columns left..right of the grid, all inside it. */
static bool cut_rectangle(ttt_scratch *scratch, const ttt_piece *grid, int top, int left, int bottom, int right,
                          ttt_piece *piece) {
    if (!ttt_piece_new(scratch, grid->row + top, grid->column + left, bottom - top + 1, right - left + 1, piece)) {
        return false;
    }
    for (int r = 0; r < piece->height; r++) {
        memcpy(piece->cells + r * piece->width, grid->cells + (top + r) * grid->width + left, piece->width);
    }
    return true;
}

/* Everything in the box of each frame, without the outermost `border` rows and columns. */
static bool cut_frames(ttt_scratch *scratch, const ttt_piece *grid, int border, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ONE_COLOUR, .corners = false};
    ttt_components components;
    if (!ttt_components_find(scratch, grid, &contact, &components) || !ttt_value_new_list(scratch, result))
        return false;
    for (int k = 0; k < components.count; k++) {
        if (!is_frame(grid, &components, k)) continue;
        const ttt_component *of = &components.of[k];
        ttt_piece piece;
        if (!cut_rectangle(scratch, grid, of->top + border, of->left + border, of->bottom - border, of->right - border,
                           &piece) ||
            !ttt_list_push(result, piece)) {
            return false;
        }
    }
    return result->count > 0;
}

/* Rectangles whose corners are the four cells of a colour that has no other, with what is in them. */
bool ttt_op_cornered(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    int corners[TTT_COLOURS][4], counts[TTT_COLOURS] = {0};
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        const uint8_t colour = grid->cells[at];
        if (counts[colour] < 4) corners[colour][counts[colour]] = at;
        counts[colour]++;
    }
    if (!ttt_value_new_list(scratch, result)) return false;
    for (int colour = 1; colour < TTT_COLOURS; colour++) {
        const int *corner = corners[colour];
        if (counts[colour] != 4) continue;
        const int top = corner[0] / grid->width, left = corner[0] % grid->width;
        const int bottom = corner[3] / grid->width, right = corner[3] % grid->width;
        if (corner[1] != top * grid->width + right || corner[2] != bottom * grid->width + left || bottom - top < 2 ||
            right - left < 2) {
            continue;
        }
        ttt_piece piece;
        if (!cut_rectangle(scratch, grid, top, left, bottom, right, &piece)) return false;
        ttt_list_push(result, piece);
    }
    return result->count > 0;
}

bool ttt_op_frames(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return cut_frames(scratch, &arguments[0]->pieces[0], 0, result);
}

bool ttt_op_insides(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return cut_frames(scratch, &arguments[0]->pieces[0], 1, result);
}

/* ------------------------------------------------------------------------------------ cutting from another grid */

/* What `from` has in the box of `box`; false when none of it lies inside. */
static bool cut_box(ttt_scratch *scratch, const ttt_piece *from, const ttt_piece *box, ttt_piece *piece) {
    const int down = box->row - from->row, right = box->column - from->column;
    if (down >= from->height || right >= from->width || down + box->height <= 0 || right + box->width <= 0) {
        return false;
    }
    if (!ttt_piece_new(scratch, box->row, box->column, box->height, box->width, piece)) return false;
    for (int r = 0; r < piece->height; r++) {
        for (int c = 0; c < piece->width; c++) {
            piece->cells[r * piece->width + c] = ttt_piece_look(from, down + r, right + c);
        }
    }
    return true;
}

bool ttt_op_cut(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    ttt_piece piece;
    if (!cut_box(scratch, &arguments[1]->pieces[0], &arguments[0]->pieces[0], &piece)) return false;
    return ttt_value_copy_piece(scratch, &piece, result);
}

/* ------------------------------------------------------------------------------------------------- one piece */

bool ttt_op_solid(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = &arguments[0]->pieces[0];
    const uint8_t colour = ttt_piece_colour(from);
    if (colour == 0 || !ttt_value_copy_piece(scratch, from, result)) return false;
    for (int i = 0; i < ttt_piece_area(from); i++) {
        if (from->cells[i] == 0) result->pieces[0].cells[i] = colour;
    }
    return true;
}

/* The colour of most cells of `from` in rows top..bottom and columns left..right (of `from`), but for 0 and `own`; or
 * 0. */
static uint8_t main_colour_in(const ttt_piece *from, int top, int left, int bottom, int right, uint8_t own) {
    int counts[TTT_COLOURS] = {0};
    for (int r = top < 0 ? 0 : top; r <= bottom && r < from->height; r++) {
        for (int c = left < 0 ? 0 : left; c <= right && c < from->width; c++) counts[ttt_piece_at(from, r, c)]++;
    }
    counts[own] = counts[0] = 0;
    uint8_t most = 0;
    for (uint8_t colour = 1; colour < TTT_COLOURS; colour++) {
        if (counts[colour] > counts[most]) most = colour;
    }
    return most;
}

/* The main colour, but for 0 and the piece's own, around and in its box, or else in its columns, or else in its rows.
 */
static uint8_t colour_around(const ttt_piece *from, int top, int left, int bottom, int right, uint8_t own) {
    uint8_t colour = main_colour_in(from, top - 1, left - 1, bottom + 1, right + 1, own);
    if (colour == 0) colour = main_colour_in(from, 0, left, from->height - 1, right, own);
    if (colour == 0) colour = main_colour_in(from, top, 0, bottom, from->width - 1, own);
    return colour;
}

bool ttt_op_dye(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *piece = &arguments[0]->pieces[0], *from = &arguments[1]->pieces[0];
    const int top = piece->row - from->row, left = piece->column - from->column;
    const uint8_t colour =
        colour_around(from, top, left, top + piece->height - 1, left + piece->width - 1, ttt_piece_colour(piece));
    if (colour == 0 || !ttt_value_copy_piece(scratch, piece, result)) return false;
    ttt_piece_paint(&result->pieces[0], colour);
    return true;
}

/* -------------------------------------------------------------------------------------- every object of a grid */

/* All cells of a group in the colour that is rarest, or most common, in it. */
static bool paint_groups(ttt_scratch *scratch, const ttt_piece *grid, bool rarest, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ANY_COLOUR, .corners = true};
    ttt_components groups;
    if (!ttt_components_find(scratch, grid, &contact, &groups)) return false;
    int16_t(*counts)[TTT_COLOURS] = ttt_scratch_allocate(scratch, (size_t)groups.count * sizeof *counts);
    if (counts == NULL || !ttt_value_new_like(scratch, grid, result)) return false;
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        if (groups.labels[at] != 0) counts[groups.labels[at] - 1][grid->cells[at]]++;
    }
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        if (groups.labels[at] == 0) continue;
        const int16_t *of = counts[groups.labels[at] - 1];
        uint8_t best = grid->cells[at];
        for (uint8_t colour = 1; colour < TTT_COLOURS; colour++) {
            if (of[colour] == 0 || (rarest ? of[colour] > of[best] : of[colour] < of[best])) continue;
            if (of[colour] != of[best] || colour < best) best = colour;
        }
        result->pieces[0].cells[at] = best;
    }
    return true;
}

bool ttt_op_paint_rarest(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return paint_groups(scratch, &arguments[0]->pieces[0], true, result);
}

bool ttt_op_paint_commonest(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return paint_groups(scratch, &arguments[0]->pieces[0], false, result);
}

/* What `dye` makes of every object; 0 where there is no other colour. */
bool ttt_op_paint_around(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ONE_COLOUR, .corners = true};
    const ttt_piece *grid = &arguments[0]->pieces[0];
    ttt_components objects;
    if (!ttt_components_find(scratch, grid, &contact, &objects) || objects.count < 2) return false;
    uint8_t *colours = ttt_scratch_allocate(scratch, (size_t)objects.count);
    if (colours == NULL || !ttt_value_new_like(scratch, grid, result)) return false;
    bool any = false;
    for (int k = 0; k < objects.count; k++) {
        const ttt_component *of = &objects.of[k];
        colours[k] = colour_around(grid, of->top, of->left, of->bottom, of->right, grid->cells[of->first]);
        any |= colours[k] != 0;
    }
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        if (objects.labels[at] != 0) result->pieces[0].cells[at] = colours[objects.labels[at] - 1];
    }
    return any;
}

/* The middle cell of the box of every object, or the two or four that share the middle, in the object's colour. */
bool ttt_op_centres(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ONE_COLOUR, .corners = true};
    const ttt_piece *grid = &arguments[0]->pieces[0];
    ttt_components objects;
    if (!ttt_components_find(scratch, grid, &contact, &objects) || !ttt_value_new_like(scratch, grid, result)) {
        return false;
    }
    bool any = false;
    for (int k = 0; k < objects.count; k++) {
        const ttt_component *of = &objects.of[k];
        if (of->size == 1) continue;
        for (int r = (of->top + of->bottom) / 2; r <= (of->top + of->bottom + 1) / 2; r++) {
            for (int c = (of->left + of->right) / 2; c <= (of->left + of->right + 1) / 2; c++) {
                result->pieces[0].cells[r * grid->width + c] = grid->cells[of->first];
            }
        }
        any = true;
    }
    return any;
}

/* Looking along the four sides over 0; where two see the same cell, the nearer one paints it. */
bool ttt_op_imprint(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ONE_COLOUR, .corners = true};
    const ttt_piece *grid = &arguments[0]->pieces[0];
    ttt_components objects;
    if (!ttt_components_find(scratch, grid, &contact, &objects) || !ttt_value_copy_piece(scratch, grid, result)) {
        return false;
    }
    uint8_t *steps_to = ttt_scratch_allocate(scratch, (size_t)ttt_piece_area(grid));
    if (steps_to == NULL) return false;
    for (int k = 0; k < objects.count; k++) {
        if (objects.of[k].size != 1) continue;
        for (int d = 0; d < TTT_DIRECTION_COUNT; d += 2) {
            const int dr = ttt_direction_rows(d), dc = ttt_direction_columns(d);
            int r = objects.of[k].top + dr, c = objects.of[k].left + dc, steps = 1;
            while (r >= 0 && c >= 0 && r < grid->height && c < grid->width && ttt_piece_at(grid, r, c) == 0) {
                r += dr;
                c += dc;
                steps++;
            }
            if (ttt_piece_look(grid, r, c) == 0) continue;
            const int at = r * grid->width + c;
            if (objects.of[objects.labels[at] - 1].size == 1 || (steps_to[at] != 0 && steps_to[at] <= steps)) continue;
            steps_to[at] = (uint8_t)steps;
            result->pieces[0].cells[at] = grid->cells[objects.of[k].first];
        }
    }
    return true;
}

/* The one largest connected area of one colour. */
bool ttt_op_largest(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ONE_COLOUR, .corners = true};
    const ttt_piece *grid = &arguments[0]->pieces[0];
    ttt_components objects;
    if (!ttt_components_find(scratch, grid, &contact, &objects) || objects.count == 0) return false;
    int largest = 0;
    bool alone = true;
    for (int k = 1; k < objects.count; k++) {
        if (objects.of[k].size < objects.of[largest].size) continue;
        alone = objects.of[k].size > objects.of[largest].size;
        if (alone) largest = k;
    }
    ttt_piece piece;
    return alone && ttt_components_cut(scratch, grid, &objects, largest, &piece) &&
           ttt_value_copy_piece(scratch, &piece, result);
}
