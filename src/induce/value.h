/* Values of the program language: what an expression is on one example.
 *
 * The central type is the piece: a grid that knows where it lies. Colour 0 is "nothing here": the background, and what
 * shows through when pieces are laid on one another (a frame may rename colours so that a task's background is 0; see
 * frame.h). Lists hold pieces: objects, parts, steps. */
#ifndef TTT_INDUCE_VALUE_H
#define TTT_INDUCE_VALUE_H

#include "arc/grid.h"
#include "base/memory.h"

/* name, and its word in programs, help and tables. A mask is a grid of 0 and 1 whose 1 is no colour. */
#define TTT_VALUE_TYPES(X)                                                                                             \
    X(GRID, "grid")                                                                                                    \
    X(LIST, "list")                                                                                                    \
    X(MASK, "mask")                                                                                                    \
    X(COLOUR, "colour")                                                                                                \
    X(NUMBER, "number")                                                                                                \
    X(DIRECTION, "direction")                                                                                          \
    X(PROPERTY, "property")

typedef enum ttt_value_type {
#define TYPE(NAME, word) TTT_VALUE_##NAME,
    TTT_VALUE_TYPES(TYPE)
#undef TYPE
        TTT_VALUE_TYPE_COUNT
} ttt_value_type;

/* The eight neighbours, clockwise from north; the even ones are the four sides. */
typedef enum ttt_direction {
    TTT_NORTH,
    TTT_NORTH_EAST,
    TTT_EAST,
    TTT_SOUTH_EAST,
    TTT_SOUTH,
    TTT_SOUTH_WEST,
    TTT_WEST,
    TTT_NORTH_WEST,
    TTT_DIRECTION_COUNT
} ttt_direction;
static inline int ttt_direction_rows(int direction) {
    static const int8_t rows[TTT_DIRECTION_COUNT] = {-1, -1, 0, 1, 1, 1, 0, -1};
    return rows[direction];
}
static inline int ttt_direction_columns(int direction) {
    static const int8_t columns[TTT_DIRECTION_COUNT] = {0, 1, 1, 1, 0, -1, -1, -1};
    return columns[direction];
}

enum {
    TTT_PIECE_SIDE = TTT_GRID_MAX, /* longest side of a piece */
    TTT_PIECE_OFFSET = 60,         /* row and column of a piece lie in -60..60 */
    TTT_LIST_MAX = 100,            /* most pieces of a list */
    TTT_NUMBER_MAX = 900           /* numbers lie in -900..900 */
};

/* cells[r * width + c] is what lies at (row + r, column + c) of the input's frame; 1..30 by 1..30. */
typedef struct ttt_piece {
    int8_t row, column;
    uint8_t height, width;
    uint8_t *cells;
} ttt_piece;

/* GRID and MASK have one piece, LIST 1..TTT_LIST_MAX (an empty list is no value), the other types a number: a colour
 * 0..9, a direction, a property, or any NUMBER. Memory belongs to whoever made the value. */
typedef struct ttt_value {
    uint8_t type;
    uint8_t count; /* pieces; 0 where the value is a number */
    int16_t number;
    ttt_piece *pieces;
} ttt_value;

static inline int ttt_piece_area(const ttt_piece *piece) {
    return piece->height * piece->width;
}
static inline uint8_t ttt_piece_at(const ttt_piece *piece, int r, int c) {
    return piece->cells[r * piece->width + c];
}
/* The same in the piece's own coordinates; 0 outside. */
static inline uint8_t ttt_piece_look(const ttt_piece *piece, int r, int c) {
    return r < 0 || c < 0 || r >= piece->height || c >= piece->width ? 0 : ttt_piece_at(piece, r, c);
}
static inline bool ttt_value_type_has_pieces(ttt_value_type type) {
    return type <= TTT_VALUE_MASK;
}

bool ttt_value_equal(const ttt_value *a, const ttt_value *b);
/* Chains like ttt_hash; equal values have equal hashes. */
uint64_t ttt_value_hash(uint64_t hash, const ttt_value *value);
/* Is every rule above kept? What operations return is checked with this in tests. */
bool ttt_value_valid(const ttt_value *value);
const char *ttt_value_type_name(ttt_value_type type);

/* A copy, pieces and cells in one stretch of the arena; false when memory is out. */
bool ttt_value_copy(ttt_arena *arena, const ttt_value *value, ttt_value *copy);
/* Bytes of that stretch. */
size_t ttt_value_bytes(const ttt_value *value);

/* Working memory of one application of an operation: cheap to fill, emptied at once. Not thread safe: one a thread. */
typedef struct ttt_scratch {
    uint8_t *memory;
    size_t bytes, used;
} ttt_scratch;
ttt_status ttt_scratch_init(ttt_scratch *scratch, ttt_error *err);
void ttt_scratch_release(ttt_scratch *scratch);
static inline void ttt_scratch_reset(ttt_scratch *scratch) {
    scratch->used = 0;
}
/* Zeroed; NULL when the scratch is full (the operation is then undefined: it returns false). */
void *ttt_scratch_allocate(ttt_scratch *scratch, size_t bytes);

/* Makers of results in scratch memory. All return false (leave the operation with it) when the rules above would be
 * broken or the scratch is full. Cells start as 0. */
bool ttt_piece_new(ttt_scratch *scratch, int row, int column, int height, int width, ttt_piece *piece);
bool ttt_piece_copy(ttt_scratch *scratch, const ttt_piece *from, ttt_piece *piece);
/* *value becomes a GRID, or MASK, of height x width zeros at (row, column): value->pieces[0]. */
bool ttt_value_new_grid(ttt_scratch *scratch, int row, int column, int height, int width, ttt_value *value);
bool ttt_value_new_mask(ttt_scratch *scratch, int row, int column, int height, int width, ttt_value *value);
/* A LIST with room for TTT_LIST_MAX pieces, none in it yet; ttt_list_push takes the piece as it is. */
bool ttt_value_new_list(ttt_scratch *scratch, ttt_value *value);
bool ttt_list_push(ttt_value *list, ttt_piece piece);
bool ttt_value_new_number(ttt_value_type type, int number, ttt_value *value);
/* The grid of a file as a GRID at (0, 0), and back (false when it is no GRID or MASK). */
bool ttt_value_from_grid(ttt_scratch *scratch, const ttt_grid *grid, ttt_value *value);
bool ttt_value_to_grid(const ttt_value *value, ttt_grid *grid);

#endif
