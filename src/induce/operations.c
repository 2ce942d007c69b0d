/* The table of operations, and applying one in its scope. */
#include "induce/operations.h"

#include "induce/ops_pieces.h"

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

static const struct {
    const char *word, *meaning;
} scopes[] = {
#define SCOPE(NAME, word, meaning) {word, meaning},
    TTT_SCOPES(SCOPE)
#undef SCOPE
};

const char *ttt_scope_word(ttt_scope scope) {
    return scopes[scope].word;
}

const char *ttt_scope_meaning(ttt_scope scope) {
    return scopes[scope].meaning;
}

bool ttt_operation_has_scope(const ttt_operation *operation, ttt_scope scope) {
    if (scope == TTT_SCOPE_WHOLE) return true;
    if (operation->result != TTT_VALUE_GRID || operation->arguments[0] != TTT_VALUE_GRID) return false;
    for (int i = 1; scope != TTT_SCOPE_EACH && i < operation->arity; i++) {
        if (ttt_value_type_has_pieces(operation->arguments[i])) return false;
    }
    return true;
}

/* The operation on one piece, as a grid of its own. */
static bool apply_to_piece(const ttt_operation *operation, ttt_scratch *scratch, ttt_piece *piece,
                           const ttt_value *const *arguments, ttt_piece *changed) {
    const ttt_value grid = {.type = TTT_VALUE_GRID, .count = 1, .pieces = piece};
    const ttt_value *inner[TTT_ARGUMENTS_MAX] = {&grid, arguments[1], arguments[2]};
    ttt_value result;
    const size_t used = scratch->used;
    if (operation->apply(scratch, inner, &result)) {
        *changed = result.pieces[0];
        return true;
    }
    scratch->used = used;
    return false;
}

static bool apply_to_each(const ttt_operation *operation, ttt_scratch *scratch, const ttt_value *const *arguments,
                          ttt_value *result) {
    const ttt_value *list = arguments[0];
    if (!ttt_value_new_list(scratch, result)) return false;
    for (int i = 0; i < list->count; i++) {
        ttt_piece changed;
        if (apply_to_piece(operation, scratch, &list->pieces[i], arguments, &changed)) ttt_list_push(result, changed);
    }
    return result->count > 0;
}

static bool apply_to_objects(const ttt_operation *operation, bool any_colours, ttt_scratch *scratch,
                             const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contacts[] = {{TTT_CLASSES_ONE_COLOUR, .corners = true},
                                           {TTT_CLASSES_ANY_COLOUR, .corners = true}};
    const ttt_piece *grid = &arguments[0]->pieces[0];
    ttt_components parts;
    bool any = false;
    if (!ttt_components_find(scratch, grid, &contacts[any_colours], &parts) || parts.count > TTT_LIST_MAX ||
        !ttt_value_new_like(scratch, grid, result)) {
        return false;
    }
    for (int k = 0; k < parts.count; k++) {
        ttt_piece part, changed;
        if (!ttt_components_cut(scratch, grid, &parts, k, &part)) return false;
        const bool defined = apply_to_piece(operation, scratch, &part, arguments, &changed);
        ttt_piece_draw(&result->pieces[0], defined ? &changed : &part);
        any |= defined;
    }
    return any;
}

static bool apply_to_panels(const ttt_operation *operation, ttt_scratch *scratch, const ttt_value *const *arguments,
                            ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    ttt_value panels;
    bool any = false;
    if (!ttt_op_panels(scratch, arguments, &panels) || !ttt_value_copy_piece(scratch, grid, result)) return false;
    for (int k = 0; k < panels.count; k++) {
        ttt_piece *panel = &panels.pieces[k], changed;
        if (!apply_to_piece(operation, scratch, panel, arguments, &changed)) continue;
        if (changed.height != panel->height || changed.width != panel->width) return false;
        for (int r = 0; r < panel->height; r++) {
            memcpy(result->pieces[0].cells + (panel->row - grid->row + r) * grid->width + panel->column - grid->column,
                   changed.cells + r * changed.width, changed.width);
        }
        any = true;
    }
    return any;
}

bool ttt_operation_apply(const ttt_operation *operation, ttt_scope scope, ttt_scratch *scratch,
                         const ttt_value *const *arguments, ttt_value *result) {
    assert(ttt_operation_has_scope(operation, scope));
    switch (scope) {
    case TTT_SCOPE_EACH: return apply_to_each(operation, scratch, arguments, result);
    case TTT_SCOPE_OBJECTS: return apply_to_objects(operation, false, scratch, arguments, result);
    case TTT_SCOPE_GROUPS: return apply_to_objects(operation, true, scratch, arguments, result);
    case TTT_SCOPE_PANELS: return apply_to_panels(operation, scratch, arguments, result);
    default: return operation->apply(scratch, arguments, result);
    }
}
