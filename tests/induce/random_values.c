#include "random_values.h"

#include <stdlib.h>
#include <string.h>

static int below(ttt_random *random, int bound) {
    return (int)ttt_random_below(random, (uint32_t)bound);
}

static uint8_t colour_of(ttt_random *random) {
    return (uint8_t)below(random, TTT_COLOURS);
}

static void draw_noise(ttt_random *random, ttt_piece *piece, int percent, int colours) {
    for (int i = 0; i < ttt_piece_area(piece); i++) {
        if (below(random, 100) < percent) piece->cells[i] = (uint8_t)(1 + below(random, colours));
    }
}

static void draw_objects(ttt_random *random, ttt_piece *piece) {
    for (int n = 1 + below(random, 6); n > 0; n--) {
        const int top = below(random, piece->height), left = below(random, piece->width);
        const int height = 1 + below(random, 5), width = 1 + below(random, 5);
        const uint8_t colour = colour_of(random);
        const bool hollow = below(random, 2) == 0;
        for (int r = top; r < top + height && r < piece->height; r++) {
            for (int c = left; c < left + width && c < piece->width; c++) {
                const bool edge = r == top || c == left || r == top + height - 1 || c == left + width - 1;
                if (edge || !hollow) piece->cells[r * piece->width + c] = colour;
            }
        }
    }
}

static void draw_lines(ttt_random *random, ttt_piece *piece) {
    const uint8_t colour = colour_of(random);
    const int down = 2 + below(random, 5), across = 2 + below(random, 5);
    for (int i = 0; i < ttt_piece_area(piece); i++) {
        const int r = i / piece->width, c = i % piece->width;
        if (r % down == down - 1 || c % across == across - 1) piece->cells[i] = colour;
    }
}

static void make_symmetric(ttt_piece *piece) {
    for (int i = 0; i < ttt_piece_area(piece); i++) {
        const int r = i / piece->width, c = i % piece->width;
        const int mirrored_r = r < piece->height / 2 ? r : piece->height - 1 - r;
        const int mirrored_c = c < piece->width / 2 ? c : piece->width - 1 - c;
        piece->cells[i] = ttt_piece_at(piece, mirrored_r, mirrored_c);
    }
}

static void make_periodic(ttt_random *random, ttt_piece *piece) {
    const int down = 1 + below(random, piece->height), across = 1 + below(random, piece->width);
    for (int i = 0; i < ttt_piece_area(piece); i++) {
        piece->cells[i] = ttt_piece_at(piece, i / piece->width % down, i % piece->width % across);
    }
}

static void punch_hole(ttt_random *random, ttt_piece *piece) {
    const int top = below(random, piece->height), left = below(random, piece->width);
    const uint8_t colour = below(random, 2) == 0 ? 0 : colour_of(random);
    for (int r = top; r < piece->height && r < top + 3; r++) {
        for (int c = left; c < piece->width && c < left + 3; c++) piece->cells[r * piece->width + c] = colour;
    }
}

/* The piece's sides and place are set, its cells are written. */
static void draw_cells(ttt_random *random, ttt_piece *piece) {
    memset(piece->cells, below(random, 4) == 0 ? colour_of(random) : 0, (size_t)ttt_piece_area(piece));
    switch (below(random, 8)) {
    case 0: draw_noise(random, piece, 10, 9); break;
    case 1: draw_noise(random, piece, 90, 2); break;
    case 2: draw_noise(random, piece, 40, 1); break;
    case 3: draw_objects(random, piece); break;
    case 4:
        draw_noise(random, piece, 30, 4);
        draw_lines(random, piece);
        break;
    case 5:
        draw_noise(random, piece, 60, 5);
        make_symmetric(piece);
        break;
    case 6:
        draw_noise(random, piece, 80, 6);
        make_periodic(random, piece);
        break;
    case 7: break; /* one colour */
    }
    if (below(random, 4) == 0) punch_hole(random, piece);
}

static uint8_t side_of(ttt_random *random) {
    switch (below(random, 7)) {
    case 0: return 1;
    case 3: return (uint8_t)(1 + below(random, 3));
    case 1: return TTT_PIECE_SIDE;
    case 2: return (uint8_t)(1 + below(random, TTT_PIECE_SIDE));
    default: return (uint8_t)(2 + below(random, 9));
    }
}

static int8_t offset_of(ttt_random *random) {
    switch (below(random, 8)) {
    case 0: return TTT_PIECE_OFFSET;
    case 1: return -TTT_PIECE_OFFSET;
    case 2: return (int8_t)(below(random, 2 * TTT_PIECE_OFFSET + 1) - TTT_PIECE_OFFSET);
    default: return (int8_t)below(random, 3);
    }
}

static void draw_piece(ttt_random *random, value_slot *slot, int index, bool square) {
    ttt_piece *piece = &slot->pieces[index];
    *piece = (ttt_piece){.row = offset_of(random),
                         .column = offset_of(random),
                         .height = side_of(random),
                         .width = side_of(random),
                         .cells = slot->cells + index * TTT_GRID_CELLS};
    if (square) piece->width = piece->height;
    draw_cells(random, piece);
}

static void draw_list(ttt_random *random, value_slot *slot) {
    slot->value.count = (uint8_t)(below(random, 8) == 0 ? TTT_LIST_MAX : 1 + below(random, 6));
    const bool same_size = below(random, 2) == 0;
    for (int i = 0; i < slot->value.count; i++) {
        draw_piece(random, slot, i, false);
        if (!same_size || i == 0) continue;
        slot->pieces[i].height = slot->pieces[0].height;
        slot->pieces[i].width = slot->pieces[0].width;
        draw_cells(random, &slot->pieces[i]);
    }
}

static int draw_number(ttt_random *random) {
    switch (below(random, 6)) {
    case 0: return below(random, 2 * TTT_NUMBER_MAX + 1) - TTT_NUMBER_MAX;
    case 1: return below(random, 2 * TTT_PIECE_SIDE) - TTT_PIECE_SIDE;
    default: return below(random, 7);
    }
}

void value_random(ttt_random *random, ttt_value_type type, value_slot *slot) {
    slot->value = (ttt_value){.type = (uint8_t)type};
    switch (type) {
    case TTT_VALUE_GRID:
    case TTT_VALUE_MASK:
        slot->value.count = 1;
        slot->value.pieces = slot->pieces;
        draw_piece(random, slot, 0, below(random, 3) == 0);
        for (int i = 0; type == TTT_VALUE_MASK && i < ttt_piece_area(&slot->pieces[0]); i++) slot->cells[i] &= 1;
        break;
    case TTT_VALUE_LIST:
        slot->value.pieces = slot->pieces;
        draw_list(random, slot);
        break;
    case TTT_VALUE_COLOUR: slot->value.number = (int16_t)below(random, TTT_COLOURS); break;
    case TTT_VALUE_NUMBER: slot->value.number = (int16_t)draw_number(random); break;
    case TTT_VALUE_DIRECTION: slot->value.number = (int16_t)below(random, TTT_DIRECTION_COUNT); break;
    case TTT_VALUE_PROPERTY: slot->value.number = (int16_t)below(random, TTT_PROPERTY_COUNT); break;
    case TTT_VALUE_TYPE_COUNT: break;
    }
}

void value_keep(const ttt_value *value, value_slot *slot) {
    slot->value = *value;
    if (!ttt_value_type_has_pieces(value->type)) return;
    slot->value.pieces = slot->pieces;
    for (int i = 0; i < value->count; i++) {
        slot->pieces[i] = value->pieces[i];
        slot->pieces[i].cells = slot->cells + i * TTT_GRID_CELLS;
        memcpy(slot->pieces[i].cells, value->pieces[i].cells, (size_t)ttt_piece_area(&value->pieces[i]));
    }
}

static void *memory_of(size_t bytes) {
    void *memory = malloc(bytes);
    if (memory == NULL) abort();
    return memory;
}

ttt_value value_fit(const ttt_value *value) {
    ttt_value fitted = *value;
    if (!ttt_value_type_has_pieces(value->type)) return fitted;
    fitted.pieces = memory_of(value->count * sizeof *fitted.pieces);
    for (int i = 0; i < value->count; i++) {
        const size_t area = (size_t)ttt_piece_area(&value->pieces[i]);
        fitted.pieces[i] = value->pieces[i];
        fitted.pieces[i].cells = memcpy(memory_of(area), value->pieces[i].cells, area);
    }
    return fitted;
}

void value_fit_free(ttt_value *fitted) {
    if (!ttt_value_type_has_pieces(fitted->type)) return;
    for (int i = 0; i < fitted->count; i++) free(fitted->pieces[i].cells);
    free(fitted->pieces);
}
