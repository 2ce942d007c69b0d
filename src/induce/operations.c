/* The table of operations, and applying one to a value or to each piece of a list. */
#include "induce/operations.h"

#include <assert.h>
#include <string.h>

const char *ttt_family_name(ttt_family family) {
    static const char *const names[] = {
#define FAMILY(NAME, word, meaning) word,
        TTT_FAMILIES(FAMILY)
#undef FAMILY
    };
    return names[family];
}

/* TYPES(GRID, COLOUR) -> TTT_VALUE_GRID, TTT_VALUE_COLOUR, and how many there are. */
#define TYPES1(a) TTT_VALUE_##a
#define TYPES2(a, b) TTT_VALUE_##a, TTT_VALUE_##b
#define TYPES3(a, b, c) TTT_VALUE_##a, TTT_VALUE_##b, TTT_VALUE_##c
#define PICK(a, b, c, name, ...) name
#define COUNT_TYPES(...) PICK(__VA_ARGS__, 3, 2, 1, 0)
#define TYPES(...) PICK(__VA_ARGS__, TYPES3, TYPES2, TYPES1, 0)(__VA_ARGS__)

const ttt_operation ttt_operations[TTT_OPERATION_COUNT] = {
#define OPERATION(FAMILY, op, RESULT, what, ...)                                                                       \
    [TTT_OP_##op] = {.name = #op,                                                                                      \
                     .meaning = what,                                                                                  \
                     .apply = ttt_op_##op,                                                                             \
                     .family = TTT_FAMILY_##FAMILY,                                                                    \
                     .result = TTT_VALUE_##RESULT,                                                                     \
                     .arity = COUNT_TYPES(__VA_ARGS__),                                                                \
                     .arguments = {TYPES(__VA_ARGS__)}},
#include "induce/operations.def"
#undef OPERATION
};

int ttt_operation_find(const char *name) {
    for (int i = 0; i < TTT_OPERATION_COUNT; i++) {
        if (strcmp(ttt_operations[i].name, name) == 0) return i;
    }
    return -1;
}

/* A piece as the GRID that the operation expects; it borrows the piece. */
static ttt_value piece_as_grid(ttt_piece *piece) {
    return (ttt_value){.type = TTT_VALUE_GRID, .count = 1, .pieces = piece};
}

static bool apply_to_each(const ttt_operation *operation, ttt_scratch *scratch, const ttt_value *const *arguments,
                          ttt_value *result) {
    const ttt_value *list = arguments[0];
    if (!ttt_value_new_list(scratch, result)) return false;
    for (int i = 0; i < list->count; i++) {
        const ttt_value piece = piece_as_grid(&list->pieces[i]);
        const ttt_value *inner[TTT_ARGUMENTS_MAX] = {&piece, arguments[1], arguments[2]};
        ttt_value changed;
        const size_t used = scratch->used;
        if (operation->apply(scratch, inner, &changed)) {
            ttt_list_push(result, changed.pieces[0]);
        } else {
            scratch->used = used;
        }
    }
    return result->count > 0;
}

bool ttt_operation_apply(const ttt_operation *operation, bool each, ttt_scratch *scratch,
                         const ttt_value *const *arguments, ttt_value *result) {
    assert(!each || ttt_operation_maps(operation));
    if (each) return apply_to_each(operation, scratch, arguments, result);
    return operation->apply(scratch, arguments, result);
}
