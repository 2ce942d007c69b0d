/* Properties of pieces. */
#include "induce/ops_pieces.h"

#include <stdlib.h>

const char *ttt_property_name(ttt_property property) {
    static const char *const names[] = {
#define PROPERTY(NAME, word, meaning) word,
#include "induce/properties.def"
#undef PROPERTY
    };
    return names[property];
}

static int colours_of(const ttt_piece *piece) {
    unsigned seen = 0;
    for (int i = 0; i < ttt_piece_area(piece); i++) seen |= 1u << piece->cells[i];
    int count = 0;
    for (int colour = 1; colour < TTT_COLOURS; colour++) count += seen >> colour & 1;
    return count;
}

/* Cells of the piece that have not the colour that most cells of all pieces have. */
static int minority_of(const ttt_value *list, const ttt_piece *piece) {
    int counts[TTT_COLOURS] = {0}, most = 1;
    for (int i = 0; i < list->count; i++) {
        for (int at = 0; at < ttt_piece_area(&list->pieces[i]); at++) counts[list->pieces[i].cells[at]]++;
    }
    for (int colour = 2; colour < TTT_COLOURS; colour++) {
        if (counts[colour] > counts[most]) most = colour;
    }
    int count = 0;
    for (int at = 0; at < ttt_piece_area(piece); at++) count += piece->cells[at] != 0 && piece->cells[at] != most;
    return count;
}

/* In half cells, so that it is whole: rows and columns between the middles of the piece and of the list's box. */
static int centre_of(const ttt_value *list, const ttt_piece *piece) {
    const ttt_box box = ttt_list_box(list);
    return abs(2 * piece->row + piece->height - 1 - box.top - box.bottom) +
           abs(2 * piece->column + piece->width - 1 - box.left - box.right);
}

/* Components are counted in memory of their own: properties have no scratch. A piece has at most 900 cells. */
enum { COUNT_BYTES = TTT_GRID_CELLS * 4 + 16 + TTT_GRID_CELLS * (int)sizeof(ttt_component) + 64 };

static int components_of(const ttt_piece *piece, const ttt_contact *contact, bool enclosed) {
    _Alignas(16) uint8_t memory[COUNT_BYTES];
    ttt_scratch scratch = {.memory = memory, .bytes = sizeof memory};
    ttt_components components;
    if (!ttt_components_find(&scratch, piece, contact, &components)) return 0;
    if (!enclosed) return components.count;
    int count = 0;
    for (int k = 0; k < components.count; k++) count += !components.of[k].edge;
    return count;
}

/* The cell of the piece turned and mirrored: bit 1 of `symmetry` mirrors rows, bit 2 columns, bit 4 transposes. */
static uint8_t cell_seen(const ttt_piece *piece, int symmetry, int r, int c) {
    const int row = symmetry & 4 ? c : r, column = symmetry & 4 ? r : c;
    return ttt_piece_at(piece, symmetry & 1 ? piece->height - 1 - row : row,
                        symmetry & 2 ? piece->width - 1 - column : column);
}

static bool same_seen(const ttt_piece *a, const ttt_piece *b, int symmetry, bool colours) {
    const bool turned = symmetry & 4;
    if (a->height != (turned ? b->width : b->height) || a->width != (turned ? b->height : b->width)) return false;
    for (int r = 0; r < a->height; r++) {
        for (int c = 0; c < a->width; c++) {
            const uint8_t x = ttt_piece_at(a, r, c), y = cell_seen(b, symmetry, r, c);
            if (colours ? x != y : (x != 0) != (y != 0)) return false;
        }
    }
    return true;
}

static bool symmetric(const ttt_piece *piece) {
    return same_seen(piece, piece, 1, true) || same_seen(piece, piece, 2, true) || same_seen(piece, piece, 4, true) ||
           same_seen(piece, piece, 7, true);
}

bool ttt_piece_same_form(const ttt_piece *a, const ttt_piece *b) {
    for (int symmetry = 0; symmetry < 8; symmetry++) {
        if (same_seen(a, b, symmetry, false)) return true;
    }
    return false;
}

static bool alike(ttt_property property, const ttt_piece *a, const ttt_piece *b) {
    switch (property) {
    case TTT_PROPERTY_COPIES: return ttt_piece_same_cells(a, b);
    case TTT_PROPERTY_SHAPES: return same_seen(a, b, 0, false);
    case TTT_PROPERTY_FORMS: return ttt_piece_same_form(a, b);
    case TTT_PROPERTY_FELLOWS: return ttt_piece_colour(a) == ttt_piece_colour(b);
    case TTT_PROPERTY_EQUALS: return ttt_piece_size(a) == ttt_piece_size(b);
    default: return ttt_piece_touches(a, b);
    }
}

static int others_of(ttt_property property, const ttt_value *list, int index) {
    int count = 0;
    for (int i = 0; i < list->count; i++) {
        count += i != index && alike(property, &list->pieces[index], &list->pieces[i]);
    }
    return count;
}

int ttt_property_of(ttt_property property, const ttt_value *list, int index) {
    static const ttt_contact zeros = {TTT_CLASSES_ZERO, .corners = false};
    static const ttt_contact parts = {TTT_CLASSES_ONE_COLOUR, .corners = true};
    const ttt_piece *piece = &list->pieces[index];
    const int area = ttt_piece_area(piece);
    switch (property) {
    case TTT_PROPERTY_SIZE: return ttt_piece_size(piece);
    case TTT_PROPERTY_PARITY: return ttt_piece_size(piece) % 2;
    case TTT_PROPERTY_HEIGHT: return piece->height;
    case TTT_PROPERTY_WIDTH: return piece->width;
    case TTT_PROPERTY_SIDE: return piece->height > piece->width ? piece->height : piece->width;
    case TTT_PROPERTY_AREA: return area;
    case TTT_PROPERTY_GAPS: return area - ttt_piece_size(piece);
    case TTT_PROPERTY_COLOURS: return colours_of(piece);
    case TTT_PROPERTY_COLOUR: return ttt_piece_colour(piece);
    case TTT_PROPERTY_MINORITY: return minority_of(list, piece);
    case TTT_PROPERTY_TOP: return piece->row;
    case TTT_PROPERTY_LEFT: return piece->column;
    case TTT_PROPERTY_BOTTOM: return piece->row + piece->height - 1;
    case TTT_PROPERTY_RIGHT: return piece->column + piece->width - 1;
    case TTT_PROPERTY_CENTRE: return centre_of(list, piece);
    case TTT_PROPERTY_INDEX: return index + 1;
    case TTT_PROPERTY_HOLES: return components_of(piece, &zeros, true);
    case TTT_PROPERTY_PARTS: return components_of(piece, &parts, false);
    case TTT_PROPERTY_SYMMETRIC: return symmetric(piece);
    case TTT_PROPERTY_UPRIGHT: return same_seen(piece, piece, 2, true);
    case TTT_PROPERTY_SQUARE: return piece->height == piece->width;
    case TTT_PROPERTY_TALL: return piece->height > piece->width;
    case TTT_PROPERTY_FULL: return ttt_piece_size(piece) == area;
    case TTT_PROPERTY_LINE: return area > 1 && (piece->height == 1 || piece->width == 1);
    case TTT_PROPERTY_COPIES:
    case TTT_PROPERTY_SHAPES:
    case TTT_PROPERTY_FORMS:
    case TTT_PROPERTY_FELLOWS:
    case TTT_PROPERTY_EQUALS:
    case TTT_PROPERTY_NEIGHBOURS: return others_of(property, list, index);
    case TTT_PROPERTY_COUNT: break;
    }
    return 0;
}
