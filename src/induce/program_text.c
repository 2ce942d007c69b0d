/* Programs to text.
 *
 * A node gets a line and a name where its value is used more than once, where it is a layer of a rule, or where the
 * expression that it would stand in becomes too long for a line; the others are written where they are used. Names are
 * a to z, then a1 to z1, and so on. */
#include "induce/program_words.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    NAME_BYTES = 8,
    NAME_LENGTH = 3,       /* of the longest name that is likely: z19 is number 520 */
    EXPRESSION_LENGTH = 88 /* at most, so that "output = ..." stays below 100 columns */
};

const char *ttt_constant_word(int type, int constant) {
    static const char *const colours[TTT_COLOURS] = {"black", "blue", "red",    "green", "yellow",
                                                     "grey",  "pink", "orange", "teal",  "maroon"};
    static const char *const directions[TTT_DIRECTION_COUNT] = {"north", "north_east", "east", "south_east",
                                                                "south", "south_west", "west", "north_west"};
    switch (type) {
    case TTT_VALUE_COLOUR: return constant < TTT_COLOURS ? colours[constant] : NULL;
    case TTT_VALUE_DIRECTION: return constant < TTT_DIRECTION_COUNT ? directions[constant] : NULL;
    case TTT_VALUE_PROPERTY: return constant < TTT_PROPERTY_COUNT ? ttt_property_name((ttt_property)constant) : NULL;
    default: return NULL;
    }
}

typedef struct writer {
    const ttt_program *program;
    bool needed[TTT_NODES_MAX], named[TTT_NODES_MAX];
    int uses[TTT_NODES_MAX];
    char names[TTT_NODES_MAX][NAME_BYTES];
    struct {
        char *items;
        size_t count, capacity;
    } text;
    ttt_error *err;
} writer;

__attribute__((format(printf, 2, 3))) static ttt_status write_text(writer *w, const char *format, ...) {
    char piece[128]; /* a word and what stands around it */
    va_list list;
    va_start(list, format);
    const int length = vsnprintf(piece, sizeof piece, format, list);
    va_end(list);
    assert(length >= 0 && (size_t)length < sizeof piece);
    TTT_TRY(TTT_RESERVE(&w->text, w->text.count + (size_t)length + 1, w->err));
    memcpy(w->text.items + w->text.count, piece, (size_t)length + 1);
    w->text.count += (size_t)length;
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- what gets a name */

static const ttt_operation *operation_of(const ttt_node *node) {
    return &ttt_operations[node->operation];
}

static void count_uses(writer *w) {
    const ttt_program *program = w->program;
    ttt_program_needed(program, w->needed);
    for (size_t i = 0; i < program->node_count; i++) {
        const ttt_node *node = &program->nodes[i];
        if (!w->needed[i] || node->kind != TTT_NODE_APPLY) continue;
        for (int k = 0; k < operation_of(node)->arity; k++) w->uses[node->arguments[k]]++;
    }
    for (int i = 0; i < program->layer_count; i++) w->uses[program->layers[i]] += program->case_count > 0 ? 2 : 1;
}

/* Columns of a node that is no application. */
static int leaf_length(const ttt_node *node) {
    if (node->kind == TTT_NODE_INPUT) return (int)strlen("input");
    if (node->type == TTT_VALUE_NUMBER) return (int)strlen("-900");
    return (int)strlen(ttt_constant_word(node->type, node->constant));
}

/* Columns of an application, whose arguments' columns are known; the longest argument is named while it is too long. */
static int application_length(writer *w, const ttt_node *node, int *lengths) {
    const ttt_operation *operation = operation_of(node);
    for (;;) {
        int length = (int)strlen(operation->name) + (int)strlen(ttt_scope_word(node->scope)) + (int)strlen(" ()");
        int longest = 0;
        for (int k = 0; k < operation->arity; k++) {
            length += lengths[node->arguments[k]] + (k > 0 ? (int)strlen(", ") : 0);
            if (lengths[node->arguments[k]] > lengths[node->arguments[longest]]) longest = k;
        }
        const uint16_t argument = node->arguments[longest];
        if (length <= EXPRESSION_LENGTH || w->program->nodes[argument].kind != TTT_NODE_APPLY || w->named[argument]) {
            return length;
        }
        w->named[argument] = true;
        lengths[argument] = NAME_LENGTH;
    }
}

static void choose_named(writer *w) {
    int lengths[TTT_NODES_MAX];
    for (size_t i = 0; i < w->program->node_count; i++) {
        const ttt_node *node = &w->program->nodes[i];
        if (!w->needed[i]) continue;
        if (node->kind != TTT_NODE_APPLY) {
            lengths[i] = leaf_length(node);
            continue;
        }
        lengths[i] = application_length(w, node, lengths);
        w->named[i] = w->uses[i] > 1;
        if (w->named[i]) lengths[i] = NAME_LENGTH;
    }
}

static void give_names(writer *w) {
    int next = 0;
    for (size_t i = 0; i < w->program->node_count; i++) {
        if (!w->named[i]) continue;
        do {
            const int letter = 'a' + next % 26, round = next / 26;
            if (round > 0) {
                snprintf(w->names[i], NAME_BYTES, "%c%d", letter, round);
            } else {
                snprintf(w->names[i], NAME_BYTES, "%c", letter);
            }
            next++;
        } while (ttt_program_word(w->names[i]));
    }
}

/* ---------------------------------------------------------------------------------------------- writing */

/* Where colours are renamed by frequency, a number says more than a word that is not the colour's. */
static ttt_status write_colour(writer *w, int colour) {
    if (w->program->frame & TTT_FRAME_COLOURS) return write_text(w, "#%d", colour);
    return write_text(w, "%s", ttt_constant_word(TTT_VALUE_COLOUR, colour));
}

static ttt_status write_node(writer *w, uint16_t index);

static ttt_status write_application(writer *w, const ttt_node *node) {
    const ttt_operation *operation = operation_of(node);
    TTT_TRY(write_text(w, "%s%s%s(", ttt_scope_word(node->scope), node->scope != TTT_SCOPE_WHOLE ? " " : "",
                       operation->name));
    for (int k = 0; k < operation->arity; k++) {
        if (k > 0) TTT_TRY(write_text(w, ", "));
        TTT_TRY(write_node(w, node->arguments[k]));
    }
    return write_text(w, ")");
}

/* A node where it is used. */
static ttt_status write_node(writer *w, uint16_t index) {
    const ttt_node *node = &w->program->nodes[index];
    if (w->named[index]) return write_text(w, "%s", w->names[index]);
    if (node->kind == TTT_NODE_APPLY) return write_application(w, node);
    if (node->kind == TTT_NODE_INPUT) return write_text(w, "input");
    if (node->type == TTT_VALUE_NUMBER) return write_text(w, "%d", node->constant);
    if (node->type == TTT_VALUE_COLOUR) return write_colour(w, node->constant);
    return write_text(w, "%s", ttt_constant_word(node->type, node->constant));
}

static ttt_status write_condition(writer *w, const ttt_condition *condition) {
    const uint16_t layer = w->program->layers[condition->layer];
    TTT_TRY(write_node(w, layer));
    TTT_TRY(write_text(w, condition->negated ? " is not " : " is "));
    if (condition->colour == 0 || w->program->nodes[layer].type == TTT_VALUE_MASK) {
        return write_text(w, "%d", condition->colour);
    }
    return write_colour(w, condition->colour);
}

static ttt_status write_case(writer *w, const ttt_case *one) {
    if (one->condition_count == 0) TTT_TRY(write_text(w, "else"));
    for (int i = 0; i < one->condition_count; i++) {
        if (i > 0) TTT_TRY(write_text(w, " and "));
        TTT_TRY(write_condition(w, &one->conditions[i]));
    }
    TTT_TRY(write_text(w, ": "));
    return one->copied < 0 ? write_colour(w, one->colour) : write_node(w, w->program->layers[one->copied]);
}

static ttt_status write_rule(writer *w) {
    const ttt_program *program = w->program;
    if (program->case_count == 0) return write_node(w, program->layers[0]);
    TTT_TRY(write_text(w, "cells {\n"));
    for (size_t i = 0; i < program->case_count; i++) {
        TTT_TRY(write_text(w, "    "));
        TTT_TRY(write_case(w, &program->cases[i]));
        TTT_TRY(write_text(w, i + 1 < program->case_count ? ";\n" : "\n"));
    }
    return write_text(w, "}");
}

static ttt_status write_frame(writer *w) {
    if (w->program->frame == TTT_FRAME_PLAIN) return TTT_OK;
    TTT_TRY(write_text(w, "frame ="));
    for (unsigned bit = 1; bit < TTT_FRAME_END; bit <<= 1) {
        if (w->program->frame & bit) TTT_TRY(write_text(w, " %s", ttt_frame_name((ttt_frame)bit)));
    }
    return write_text(w, "\n");
}

static ttt_status write_program(writer *w) {
    TTT_TRY(write_frame(w));
    for (size_t i = 0; i < w->program->node_count; i++) {
        if (!w->named[i]) continue;
        TTT_TRY(write_text(w, "%s = ", w->names[i]));
        TTT_TRY(write_application(w, &w->program->nodes[i]));
        TTT_TRY(write_text(w, "\n"));
    }
    TTT_TRY(write_text(w, "output = "));
    TTT_TRY(write_rule(w));
    return write_text(w, "\n");
}

ttt_status ttt_program_print(const ttt_program *program, char **text, ttt_error *err) {
    *text = NULL;
    if (!ttt_program_valid(program)) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "a program to print that breaks the rules of programs");
    }
    writer *w = ttt_allocate(1, sizeof *w);
    if (w == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for printing a program");
    w->program = program;
    w->err = err;
    count_uses(w);
    choose_named(w);
    give_names(w);
    const ttt_status status = write_program(w);
    if (status == TTT_OK) {
        *text = w->text.items;
    } else {
        ttt_free(w->text.items);
    }
    ttt_free(w);
    return status;
}
