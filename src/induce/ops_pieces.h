/* What the operations on pieces share: connected components, size and colour, drawing. Inside src/induce only. */
#ifndef TTT_INDUCE_OPS_PIECES_H
#define TTT_INDUCE_OPS_PIECES_H

#include "induce/operations.h"

/* Which cells may connect: neighbours whose colours have the same class; class 0 belongs to no component. */
typedef struct ttt_contact {
    uint8_t classes[TTT_COLOURS];
    bool corners; /* the eight neighbours connect; otherwise the four at the sides */
} ttt_contact;
#define TTT_CLASSES_ONE_COLOUR                                                                                         \
    { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 }
#define TTT_CLASSES_ANY_COLOUR                                                                                         \
    { 0, 1, 1, 1, 1, 1, 1, 1, 1, 1 }
#define TTT_CLASSES_ZERO                                                                                               \
    { 1 }

typedef struct ttt_component {
    uint8_t top, left, bottom, right; /* of its box, inclusive */
    int16_t first, size;              /* its first cell in reading order; its cells */
    bool edge;                        /* touches the edge of the grid */
} ttt_component;

/* Component k = 0.. in reading order of first cells; labels[cell] is k + 1, or 0. In scratch memory. */
typedef struct ttt_components {
    int count;
    int16_t *labels;
    ttt_component *of;
} ttt_components;

/* False only when the scratch is full; a grid may have no component. */
bool ttt_components_find(ttt_scratch *scratch, const ttt_piece *grid, const ttt_contact *contact,
                         ttt_components *components);
/* Component k of the grid as a piece: cells of others in its box are 0. */
bool ttt_components_cut(ttt_scratch *scratch, const ttt_piece *grid, const ttt_components *components, int k,
                        ttt_piece *piece);

int ttt_piece_size(const ttt_piece *piece);       /* cells that are not 0 */
uint8_t ttt_piece_colour(const ttt_piece *piece); /* of most cells that are not 0, ties to the smaller; 0: none */
bool ttt_piece_same_cells(const ttt_piece *a, const ttt_piece *b); /* sides too; wherever they lie */
/* The same shape, turned and mirrored in any way, whatever the colours? (ops_property.c) */
bool ttt_piece_same_form(const ttt_piece *a, const ttt_piece *b);
/* Does a cell of one lie on or next to a cell of the other? */
bool ttt_piece_touches(const ttt_piece *a, const ttt_piece *b);
/* Draws what is not 0 onto the canvas, each at its own position; what lies outside is lost. */
void ttt_piece_draw(ttt_piece *canvas, const ttt_piece *piece);
/* Every cell that is not 0 gets the colour. */
void ttt_piece_paint(ttt_piece *piece, uint8_t colour);
/* The piece, cell for cell, as a GRID. */
bool ttt_value_copy_piece(ttt_scratch *scratch, const ttt_piece *piece, ttt_value *value);
/* A blank GRID that lies where the piece lies, with its sides. */
bool ttt_value_new_like(ttt_scratch *scratch, const ttt_piece *piece, ttt_value *value);
/* The smallest rectangle around all pieces of a list. */
typedef struct ttt_box {
    int top, left, bottom, right;
} ttt_box;
ttt_box ttt_list_box(const ttt_value *list);

#endif
