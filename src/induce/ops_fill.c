/* Operations: flooding, enclosed areas, outlines, growth. */
#include "induce/ops_pieces.h"

/* ------------------------------------------------------------------------------------------- enclosed areas */

bool ttt_op_enclosed_tightly(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ZERO, .corners = true};
    const ttt_piece *grid = &arguments[0]->pieces[0];
    ttt_components zeros;
    if (!ttt_components_find(scratch, grid, &contact, &zeros) ||
        !ttt_value_new_mask(scratch, grid->row, grid->column, grid->height, grid->width, result)) {
        return false;
    }
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        if (zeros.labels[at] == 0 || zeros.of[zeros.labels[at] - 1].edge) continue;
        result->pieces[0].cells[at] = 1;
    }
    return true;
}

bool ttt_op_fill_holes(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ZERO, .corners = false};
    const ttt_piece *grid = &arguments[0]->pieces[0];
    ttt_components zeros;
    if (!ttt_components_find(scratch, grid, &contact, &zeros)) return false;
    /* beside[k][colour]: the cells of that colour above, below, left and right of the cells of area k */
    uint8_t(*beside)[TTT_COLOURS] = ttt_scratch_allocate(scratch, (size_t)zeros.count * sizeof *beside);
    if (beside == NULL || !ttt_value_copy_piece(scratch, grid, result)) return false;
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        const int k = zeros.labels[at] - 1;
        if (k < 0 || zeros.of[k].edge) continue;
        const int around[4] = {at - grid->width, at - 1, at + 1, at + grid->width};
        for (int i = 0; i < 4; i++) {
            uint8_t *count = &beside[k][grid->cells[around[i]]];
            if (*count < UINT8_MAX) ++*count;
        }
    }
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        const int k = zeros.labels[at] - 1;
        if (k < 0 || zeros.of[k].edge) continue;
        uint8_t most = 1;
        for (uint8_t colour = 2; colour < TTT_COLOURS; colour++) {
            if (beside[k][colour] > beside[k][most]) most = colour;
        }
        result->pieces[0].cells[at] = most;
    }
    return true;
}

/* Areas between walls of one colour: each takes the colour of what lies in it, if that is one colour. */
bool ttt_op_fill_rooms(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    const uint8_t wall = (uint8_t)arguments[1]->number;
    if (wall == 0) return false;
    ttt_contact contact = {{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, .corners = false};
    contact.classes[wall] = 0;
    ttt_components rooms;
    if (!ttt_components_find(scratch, grid, &contact, &rooms) || rooms.count < 2) return false;
    uint16_t *seen = ttt_scratch_allocate(scratch, (size_t)rooms.count * sizeof *seen);
    if (seen == NULL || !ttt_value_copy_piece(scratch, grid, result)) return false;
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        if (rooms.labels[at] != 0) seen[rooms.labels[at] - 1] |= (uint16_t)(1u << grid->cells[at]);
    }
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        if (rooms.labels[at] == 0 || grid->cells[at] != 0) continue;
        const unsigned colours = seen[rooms.labels[at] - 1] & ~1u;
        if (colours == 0 || (colours & (colours - 1)) != 0) continue;
        uint8_t colour = 0;
        while (colours >> colour != 1) colour++;
        result->pieces[0].cells[at] = colour;
    }
    return true;
}

/* The colour spreads over 0 by sides, as far as 0 lies together. */
bool ttt_op_flood(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    const uint8_t colour = (uint8_t)arguments[1]->number;
    const int width = grid->width;
    int16_t *queue = ttt_scratch_allocate(scratch, (size_t)ttt_piece_area(grid) * sizeof *queue);
    if (colour == 0 || queue == NULL || !ttt_value_copy_piece(scratch, grid, result)) return false;
    uint8_t *cells = result->pieces[0].cells;
    int end = 0;
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        if (cells[at] == colour) queue[end++] = (int16_t)at;
    }
    for (int i = 0; i < end; i++) {
        const int r = queue[i] / width, c = queue[i] % width;
        for (int d = 0; d < TTT_DIRECTION_COUNT; d += 2) {
            const int next_r = r + ttt_direction_rows(d), next_c = c + ttt_direction_columns(d);
            if (next_r < 0 || next_c < 0 || next_r >= grid->height || next_c >= width) continue;
            const int next = next_r * width + next_c;
            if (cells[next] != 0) continue;
            cells[next] = colour;
            queue[end++] = (int16_t)next;
        }
    }
    return true;
}

/* ---------------------------------------------------------------------------------------------------- growth */

/* Every 0 takes the colour of the first neighbour that is not 0, among the directions whose bit is set. */
static bool grow(ttt_scratch *scratch, const ttt_piece *grid, unsigned directions, ttt_value *result) {
    if (!ttt_value_copy_piece(scratch, grid, result)) return false;
    for (int r = 0, at = 0; r < grid->height; r++) {
        for (int c = 0; c < grid->width; c++, at++) {
            if (grid->cells[at] != 0) continue;
            uint8_t colour = 0;
            for (int d = 0; d < TTT_DIRECTION_COUNT && colour == 0; d++) {
                if (!(directions >> d & 1)) continue;
                colour = ttt_piece_look(grid, r + ttt_direction_rows(d), c + ttt_direction_columns(d));
            }
            result->pieces[0].cells[at] = colour;
        }
    }
    return true;
}

bool ttt_op_grow(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return grow(scratch, &arguments[0]->pieces[0], 0xff, result);
}

bool ttt_op_grow_sides(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return grow(scratch, &arguments[0]->pieces[0], 0x55, result);
}

bool ttt_op_grow_corners(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return grow(scratch, &arguments[0]->pieces[0], 0xaa, result);
}

/* The box of every object in its colour, under what is there. */
bool ttt_op_boxes(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ONE_COLOUR, .corners = true};
    const ttt_piece *grid = &arguments[0]->pieces[0];
    ttt_components objects;
    if (!ttt_components_find(scratch, grid, &contact, &objects) || !ttt_value_copy_piece(scratch, grid, result)) {
        return false;
    }
    for (int k = 0; k < objects.count; k++) {
        const ttt_component *of = &objects.of[k];
        for (int r = of->top; r <= of->bottom; r++) {
            for (int c = of->left; c <= of->right; c++) {
                const int at = r * grid->width + c;
                if (grid->cells[at] != 0) continue;
                result->pieces[0].cells[at] = grid->cells[of->first];
            }
        }
    }
    return true;
}

/* The box of all cells of a colour, over 0; where boxes overlap, the smaller one is on top. */
bool ttt_op_colour_boxes(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    ttt_box boxes[TTT_COLOURS];
    int areas[TTT_COLOURS] = {0};
    for (int at = 0; at < ttt_piece_area(grid); at++) {
        const int colour = grid->cells[at], r = at / grid->width, c = at % grid->width;
        ttt_box *box = &boxes[colour];
        if (areas[colour] == 0) *box = (ttt_box){r, c, r, c};
        if (c < box->left) box->left = c;
        if (c > box->right) box->right = c;
        box->bottom = r;
        areas[colour] = (box->bottom - box->top + 1) * (box->right - box->left + 1);
    }
    if (!ttt_value_copy_piece(scratch, grid, result)) return false;
    int painted[TTT_GRID_CELLS] = {0};
    for (int colour = 1; colour < TTT_COLOURS; colour++) {
        if (areas[colour] == 0) continue;
        for (int r = boxes[colour].top; r <= boxes[colour].bottom; r++) {
            for (int c = boxes[colour].left; c <= boxes[colour].right; c++) {
                const int at = r * grid->width + c;
                if (grid->cells[at] != 0 || (painted[at] != 0 && painted[at] <= areas[colour])) continue;
                painted[at] = areas[colour];
                result->pieces[0].cells[at] = (uint8_t)colour;
            }
        }
    }
    return true;
}

/* Every 0 takes the colour of the nearest cell that is not 0, walking over 0 by sides; where two colours are equally
 * near it stays 0. Breadth first, a ring at a time. */
bool ttt_op_spread(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    const int area = ttt_piece_area(grid), width = grid->width;
    int16_t *queue = ttt_scratch_allocate(scratch, (size_t)area * sizeof *queue);
    uint8_t *ring = ttt_scratch_allocate(scratch, (size_t)area * sizeof *ring);
    if (queue == NULL || ring == NULL || !ttt_value_copy_piece(scratch, grid, result)) return false;
    uint8_t *cells = result->pieces[0].cells;
    enum { TIE = TTT_COLOURS };
    int end = 0;
    for (int at = 0; at < area; at++) {
        if (cells[at] == 0) continue;
        ring[at] = 1;
        queue[end++] = (int16_t)at;
    }
    const int seeds = end;
    for (int i = 0; i < end; i++) {
        const int at = queue[i], r = at / width, c = at % width;
        for (int d = 0; d < TTT_DIRECTION_COUNT; d += 2) {
            const int nr = r + ttt_direction_rows(d), nc = c + ttt_direction_columns(d);
            if (nr < 0 || nc < 0 || nr >= grid->height || nc >= width) continue;
            const int next = nr * width + nc;
            if (ring[next] == 0) {
                ring[next] = (uint8_t)(ring[at] + 1);
                cells[next] = cells[at];
                queue[end++] = (int16_t)next;
            } else if (ring[next] == ring[at] + 1 && cells[next] != cells[at]) {
                cells[next] = TIE;
            }
        }
    }
    for (int at = 0; at < area; at++) {
        if (cells[at] == TIE) cells[at] = 0;
    }
    return seeds > 0;
}
