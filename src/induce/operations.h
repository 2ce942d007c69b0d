/* The operations of the program language: one table, operations.def, from which names, types, help, parsing, search
 * and tests come. To add one, write its row there and its function in the ops_<family>.c it belongs to. */
#ifndef TTT_INDUCE_OPERATIONS_H
#define TTT_INDUCE_OPERATIONS_H

#include "induce/value.h"

/* What an operation is about: for reading and for reports of what each family contributes. */
#define TTT_FAMILIES(X)                                                                                                \
    X(SYMMETRY, "symmetry", "rotations, reflections, mirrored copies")                                                 \
    X(SIZE, "size", "scaling, tiling, cropping, borders")                                                              \
    X(SPLIT, "split", "parts of a grid: halves, panels between separators, rows, windows")                             \
    X(PATTERN, "pattern", "completing symmetries and periods, repairing and continuing patterns")                      \
    X(MASK, "mask", "cells that have something in common, and the logic of such sets")                                 \
    X(COLOUR, "colour", "choosing colours, recolouring")                                                               \
    X(OBJECT, "object", "connected pieces of several kinds, and what is made of one")                                  \
    X(SELECT, "select", "picking and ordering pieces by their properties")                                             \
    X(LIST, "list", "putting pieces together again")                                                                   \
    X(MOVE, "move", "shifting, gravity, sliding until contact")                                                        \
    X(LINE, "line", "rays, connections, diagonals")                                                                    \
    X(FILL, "fill", "flooding, enclosed areas, outlines, growth")                                                      \
    X(DRAW, "draw", "laying one grid on another, stamping, products of grids")                                         \
    X(COUNT, "count", "numbers, and grids made of numbers")

typedef enum ttt_family {
#define FAMILY(NAME, word, meaning) TTT_FAMILY_##NAME,
    TTT_FAMILIES(FAMILY)
#undef FAMILY
        TTT_FAMILY_END
} ttt_family;
const char *ttt_family_name(ttt_family family);

enum { TTT_ARGUMENTS_MAX = 3 };

/* A pure function: the same arguments, the same result; nothing is kept. Arguments have the types of the table. The
 * result is made in `scratch` (arguments' memory may be shared by it, never written). False where the operation has
 * no meaning for these arguments, or the result would break the rules of ttt_value: never a guess, since an undefined
 * value ends a program early and cheaply. An operation that changes nothing returns its argument: the next example of
 * the task may have something to change. */
typedef bool ttt_operation_function(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result);

typedef struct ttt_operation {
    const char *name;
    const char *meaning; /* one line, for --help and documentation */
    ttt_operation_function *apply;
    uint8_t family, result, arity;
    uint8_t arguments[TTT_ARGUMENTS_MAX];
} ttt_operation;

/* Numbered in the order of the table. */
typedef enum ttt_operation_id {
#define OPERATION(FAMILY, name, ...) TTT_OP_##name,
#include "induce/operations.def"
#undef OPERATION
    TTT_OPERATION_COUNT
} ttt_operation_id;

extern const ttt_operation ttt_operations[TTT_OPERATION_COUNT];

int ttt_operation_find(const char *name); /* -1 when there is none */

/* An operation from a grid to a grid works on every piece of a list too ("each"): its first argument is then a LIST,
 * its result the list of results, pieces for which it is undefined left out (all: undefined). */
static inline bool ttt_operation_maps(const ttt_operation *operation) {
    return operation->result == TTT_VALUE_GRID && operation->arguments[0] == TTT_VALUE_GRID;
}
bool ttt_operation_apply(const ttt_operation *operation, bool each, ttt_scratch *scratch,
                         const ttt_value *const *arguments, ttt_value *result);

/* 0 before the middle of a side, 1 in it, 2 beyond. */
static inline int ttt_side_of_middle(int at, int count) {
    return 2 * at + 1 < count ? 0 : 2 * at + 1 == count ? 1 : 2;
}
/* 1 to 9: upper, middle, lower row of height x width, each left, middle, right. */
static inline uint8_t ttt_sector(int r, int height, int c, int width) {
    return (uint8_t)(1 + 3 * ttt_side_of_middle(r, height) + ttt_side_of_middle(c, width));
}

/* The functions of the table. */
#define OPERATION(FAMILY, name, ...) ttt_operation_function ttt_op_##name;
#include "induce/operations.def"
#undef OPERATION

/* Properties of a piece, the constants of type PROPERTY: what pieces are picked, ordered and painted by. */
typedef enum ttt_property {
#define PROPERTY(NAME, word, meaning) TTT_PROPERTY_##NAME,
#include "induce/properties.def"
#undef PROPERTY
    TTT_PROPERTY_COUNT
} ttt_property;
const char *ttt_property_name(ttt_property property);
/* Of the piece number `index` of a list; a yes-or-no property is 1 or 0. (ops_property.c) */
int ttt_property_of(ttt_property property, const ttt_value *list, int index);

#endif
