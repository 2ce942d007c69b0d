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

/* What an operation from a grid to a grid is applied to: name, its word in programs ("objectwise turn_half(input)"),
 * and what it means. */
#define TTT_SCOPES(X)                                                                                                  \
    X(WHOLE, "", "the grid")                                                                                           \
    X(EACH, "each", "every piece of a list; pieces for which it is undefined are left out")                            \
    X(OBJECTS, "objectwise", "every object of one colour, each put back where it was (or where it then lies)")         \
    X(GROUPS, "groupwise", "every object of any colours, each put back where it was (or where it then lies)")          \
    X(PANELS, "panelwise", "every part between separating lines, each put back where it was")

typedef enum ttt_scope {
#define SCOPE(NAME, word, meaning) TTT_SCOPE_##NAME,
    TTT_SCOPES(SCOPE)
#undef SCOPE
        TTT_SCOPE_END
} ttt_scope;
const char *ttt_scope_word(ttt_scope scope);
const char *ttt_scope_meaning(ttt_scope scope);

/* Has the operation this scope? Parts of a grid (objects, groups, panels) are asked alone: an operation on them has no
 * further arguments that are grids, masks or lists. */
bool ttt_operation_has_scope(const ttt_operation *operation, ttt_scope scope);
/* Types in a scope that it has. */
static inline ttt_value_type ttt_operation_result(const ttt_operation *operation, ttt_scope scope) {
    return scope == TTT_SCOPE_EACH ? TTT_VALUE_LIST : operation->result;
}
static inline ttt_value_type ttt_operation_argument(const ttt_operation *operation, ttt_scope scope, int argument) {
    return scope == TTT_SCOPE_EACH && argument == 0 ? TTT_VALUE_LIST : operation->arguments[argument];
}
/* Of parts for which the operation is undefined, those of a grid stay as they are; if it is undefined for all, the
 * application is. */
bool ttt_operation_apply(const ttt_operation *operation, ttt_scope scope, ttt_scratch *scratch,
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
