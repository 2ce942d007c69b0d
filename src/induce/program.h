/* Programs: what the search finds, a user reads, a file keeps.
 *
 * A program is a list of nodes, each a value computed from earlier ones, and a rule that makes the output of them. As
 * text (the same program, line by line):
 *
 *     frame = transposed colours            (optional; see frame.h)
 *     a = objects(input)
 *     b = each recolour(a, red)             (on every piece of a list; other scopes: TTT_SCOPES)
 *     output = draw(b, input)
 *
 * or, with a rule for cells, the first case that applies:
 *
 *     output = cells {
 *         m is 1 and input is not 0: red;
 *         a is not 0: a;                    (the cell of layer a)
 *         else: input
 *     }
 *
 * Colours are written as words (black blue red green yellow grey pink orange teal maroon) or #0 to #9, directions as
 * north, north_east, ..., properties by their word, numbers in decimal; in a rule for cells colours may also be plain
 * digits, as above. "#" at the beginning of a line is a comment. Each statement begins a line. A name is defined once,
 * before its use, and is no word of the language. */
#ifndef TTT_INDUCE_PROGRAM_H
#define TTT_INDUCE_PROGRAM_H

#include "base/random.h"
#include "induce/frame.h"
#include "induce/operations.h"

enum { TTT_NODES_MAX = 512, TTT_LAYERS_MAX = 12, TTT_CASES_MAX = 64, TTT_CONDITIONS_MAX = 3 };

typedef enum ttt_node_kind { TTT_NODE_INPUT, TTT_NODE_CONSTANT, TTT_NODE_APPLY } ttt_node_kind;

typedef struct ttt_node {
    uint8_t kind, type;                    /* ttt_value_type of what it computes */
    uint8_t scope;                         /* of APPLY: ttt_scope */
    uint16_t operation;                    /* of APPLY */
    int16_t constant;                      /* of CONSTANT */
    uint16_t arguments[TTT_ARGUMENTS_MAX]; /* of APPLY: earlier nodes */
} ttt_node;

/* Holds where the layer's cell is (or, negated, is not) the colour. */
typedef struct ttt_condition {
    uint8_t layer, colour;
    bool negated;
} ttt_condition;

/* Where all conditions hold (none: everywhere, "else", the last case) the output's cell is that of layer `copied`, or
 * with -1 the colour. */
typedef struct ttt_case {
    ttt_condition conditions[TTT_CONDITIONS_MAX];
    uint8_t condition_count;
    int8_t copied;
    uint8_t colour;
} ttt_case;

/* {0} is an empty program; release with ttt_program_release. */
typedef struct ttt_program {
    ttt_frame frame;
    ttt_node *nodes; /* [node_count] */
    size_t node_count;
    /* The rule: without cases the output is the grid (or mask) of layers[0], the only one; with cases all layers have
     * the output's size (grids or masks), each is named by a case, and a cell to which no case applies leaves the
     * output undefined. */
    uint16_t layers[TTT_LAYERS_MAX]; /* nodes */
    uint8_t layer_count;
    ttt_case *cases; /* [case_count] */
    size_t case_count;
} ttt_program;

void ttt_program_release(ttt_program *program); /* leaves {0} */
ttt_status ttt_program_copy(ttt_program *copy, const ttt_program *program, ttt_error *err);

/* Appends a node, or finds one that computes the same; *index is its place. The caller sees to its types. Fails when
 * there are TTT_NODES_MAX. */
ttt_status ttt_program_add(ttt_program *program, const ttt_node *node, uint16_t *index, ttt_error *err);
/* The same for input, constant and application; the type of an application follows from the table. */
ttt_status ttt_program_add_input(ttt_program *program, uint16_t *index, ttt_error *err);
ttt_status ttt_program_add_constant(ttt_program *program, ttt_value_type type, int constant, uint16_t *index,
                                    ttt_error *err);
ttt_status ttt_program_add_application(ttt_program *program, int operation, ttt_scope scope, const uint16_t *arguments,
                                       uint16_t *index, ttt_error *err);

/* Text from outside: every name, type, count is checked; `place` (a file) begins the error, which names line, what was
 * found and what was expected. */
ttt_status ttt_program_parse(const char *text, const char *place, ttt_program *program, ttt_error *err);
/* Well-formed as the comments above say? Types of arguments, order of nodes, layers. What parsing returns is. */
bool ttt_program_valid(const ttt_program *program);
/* As text, one line a node (nodes used once by a short expression are written inside it); *text is the caller's, to
 * ttt_free. Parsing it gives a program with the same results. */
ttt_status ttt_program_print(const ttt_program *program, char **text, ttt_error *err);

/* Which nodes the output depends on: needed[node_count]. The others are neither run nor printed. */
void ttt_program_needed(const ttt_program *program, bool *needed);

/* The output for `input`; *defined is false (and *output unspecified) where the program has none. */
ttt_status ttt_program_run(const ttt_program *program, const ttt_grid *input, ttt_grid *output, bool *defined,
                           ttt_error *err);
/* The rule alone, on layers of one size in the frame: false where a cell is left undefined. */
bool ttt_cases_paint(const ttt_case *cases, size_t case_count, const ttt_piece *const *layers, uint8_t *cells,
                     int area);

/* A random well-typed program whose output is a grid, of at most `operations` applications, each drawn with the odds
 * of `weights` ([TTT_OPERATION_COUNT], relative; NULL: all alike): for synthetic tasks and for property tests. */
ttt_status ttt_program_sample(ttt_random *random, int operations, const double *weights, ttt_program *program,
                              ttt_error *err);

#endif
