/* Programs in memory: building, checking, running. */
#include "induce/program.h"

#include <assert.h>
#include <string.h>

_Static_assert(TTT_LAYERS_MAX <= INT8_MAX, "a case holds its layer in a signed byte");

void ttt_program_release(ttt_program *program) {
    ttt_free(program->nodes);
    ttt_free(program->cases);
    *program = (ttt_program){0};
}

ttt_status ttt_program_copy(ttt_program *copy, const ttt_program *program, ttt_error *err) {
    *copy = *program;
    copy->nodes = ttt_allocate(program->node_count, sizeof *copy->nodes);
    copy->cases = ttt_allocate(program->case_count, sizeof *copy->cases);
    if (copy->nodes == NULL || copy->cases == NULL) {
        ttt_program_release(copy);
        return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a program of %zu nodes", program->node_count);
    }
    if (program->node_count > 0) memcpy(copy->nodes, program->nodes, program->node_count * sizeof *copy->nodes);
    if (program->case_count > 0) memcpy(copy->cases, program->cases, program->case_count * sizeof *copy->cases);
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- building */

/* Arguments of a node; 0 unless it is an application. */
static int arity_of(const ttt_node *node) {
    return node->kind == TTT_NODE_APPLY ? ttt_operations[node->operation].arity : 0;
}

static bool node_equal(const ttt_node *a, const ttt_node *b) {
    if (a->kind != b->kind || a->type != b->type) return false;
    if (a->kind == TTT_NODE_CONSTANT) return a->constant == b->constant;
    if (a->kind == TTT_NODE_INPUT) return true;
    return a->operation == b->operation && a->scope == b->scope &&
           memcmp(a->arguments, b->arguments, (size_t)arity_of(a) * sizeof *a->arguments) == 0;
}

ttt_status ttt_program_add(ttt_program *program, const ttt_node *node, uint16_t *index, ttt_error *err) {
    for (size_t i = 0; i < program->node_count; i++) {
        if (!node_equal(node, &program->nodes[i])) continue;
        *index = (uint16_t)i;
        return TTT_OK;
    }
    if (program->node_count >= TTT_NODES_MAX) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "a program of over %d operations and constants", TTT_NODES_MAX);
    }
    const size_t count = program->node_count;
    ttt_node *nodes = ttt_reallocate(program->nodes, count, count + 1, sizeof *nodes);
    if (nodes == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a program of %zu nodes", count + 1);
    nodes[count] = *node;
    program->nodes = nodes;
    program->node_count = count + 1;
    *index = (uint16_t)count;
    return TTT_OK;
}

ttt_status ttt_program_add_input(ttt_program *program, uint16_t *index, ttt_error *err) {
    return ttt_program_add(program, &(ttt_node){.kind = TTT_NODE_INPUT, .type = TTT_VALUE_GRID}, index, err);
}

ttt_status ttt_program_add_constant(ttt_program *program, ttt_value_type type, int constant, uint16_t *index,
                                    ttt_error *err) {
    const ttt_node node = {.kind = TTT_NODE_CONSTANT, .type = (uint8_t)type, .constant = (int16_t)constant};
    return ttt_program_add(program, &node, index, err);
}

ttt_status ttt_program_add_application(ttt_program *program, int operation, ttt_scope scope, const uint16_t *arguments,
                                       uint16_t *index, ttt_error *err) {
    ttt_node node = {.kind = TTT_NODE_APPLY,
                     .type = (uint8_t)ttt_operation_result(&ttt_operations[operation], scope),
                     .scope = (uint8_t)scope,
                     .operation = (uint16_t)operation};
    memcpy(node.arguments, arguments, ttt_operations[operation].arity * sizeof *arguments);
    return ttt_program_add(program, &node, index, err);
}

/* ---------------------------------------------------------------------------------------------- validity */

static bool constant_valid(const ttt_node *node) {
    switch (node->type) {
    case TTT_VALUE_COLOUR: return node->constant >= 0 && node->constant < TTT_COLOURS;
    case TTT_VALUE_DIRECTION: return node->constant >= 0 && node->constant < TTT_DIRECTION_COUNT;
    case TTT_VALUE_PROPERTY: return node->constant >= 0 && node->constant < TTT_PROPERTY_COUNT;
    case TTT_VALUE_NUMBER: return node->constant >= -TTT_NUMBER_MAX && node->constant <= TTT_NUMBER_MAX;
    default: return false;
    }
}

static bool application_valid(const ttt_program *program, size_t index) {
    const ttt_node *node = &program->nodes[index];
    if (node->operation >= TTT_OPERATION_COUNT) return false;
    const ttt_operation *operation = &ttt_operations[node->operation];
    if (node->scope >= TTT_SCOPE_END || !ttt_operation_has_scope(operation, node->scope)) return false;
    if (node->type != ttt_operation_result(operation, node->scope)) return false;
    for (int i = 0; i < operation->arity; i++) {
        const ttt_value_type wanted = ttt_operation_argument(operation, node->scope, i);
        if (node->arguments[i] >= index || program->nodes[node->arguments[i]].type != wanted) return false;
    }
    return true;
}

static bool node_valid(const ttt_program *program, size_t index) {
    const ttt_node *node = &program->nodes[index];
    switch (node->kind) {
    case TTT_NODE_INPUT: return node->type == TTT_VALUE_GRID;
    case TTT_NODE_CONSTANT: return constant_valid(node);
    case TTT_NODE_APPLY: return application_valid(program, index);
    default: return false;
    }
}

/* Checks one case and marks its layers. */
static bool case_valid(const ttt_program *program, size_t index, bool *named) {
    const ttt_case *one = &program->cases[index];
    if (one->condition_count > TTT_CONDITIONS_MAX) return false;
    if (one->condition_count == 0 && index + 1 < program->case_count) return false;
    for (int i = 0; i < one->condition_count; i++) {
        const ttt_condition *condition = &one->conditions[i];
        if (condition->layer >= program->layer_count || condition->colour >= TTT_COLOURS) return false;
        named[condition->layer] = true;
    }
    if (one->copied >= program->layer_count || one->copied < -1) return false;
    if (one->copied >= 0) named[one->copied] = true;
    return one->copied >= 0 || one->colour < TTT_COLOURS;
}

static bool rule_valid(const ttt_program *program) {
    if (program->layer_count < 1 || program->layer_count > TTT_LAYERS_MAX) return false;
    for (int i = 0; i < program->layer_count; i++) {
        if (program->layers[i] >= program->node_count) return false;
        const uint8_t type = program->nodes[program->layers[i]].type;
        if (type != TTT_VALUE_GRID && type != TTT_VALUE_MASK) return false;
    }
    if (program->case_count == 0) return program->layer_count == 1;
    bool named[TTT_LAYERS_MAX] = {false};
    for (size_t i = 0; i < program->case_count; i++) {
        if (!case_valid(program, i, named)) return false;
    }
    for (int i = 0; i < program->layer_count; i++) {
        if (!named[i]) return false;
    }
    return true;
}

bool ttt_program_valid(const ttt_program *program) {
    if (program->frame >= TTT_FRAME_END || program->node_count > TTT_NODES_MAX || program->case_count > TTT_CASES_MAX) {
        return false;
    }
    for (size_t i = 0; i < program->node_count; i++) {
        if (!node_valid(program, i)) return false;
    }
    return rule_valid(program);
}

void ttt_program_needed(const ttt_program *program, bool *needed) {
    memset(needed, 0, program->node_count * sizeof *needed);
    for (int i = 0; i < program->layer_count; i++) needed[program->layers[i]] = true;
    for (size_t i = program->node_count; i-- > 0;) {
        const ttt_node *node = &program->nodes[i];
        for (int k = 0; needed[i] && k < arity_of(node); k++) needed[node->arguments[k]] = true;
    }
}

/* ---------------------------------------------------------------------------------------------- running */

/* Values of one run: results are made in the scratch memory, which holds one application, and kept in the arena. */
typedef struct run {
    const ttt_program *program;
    ttt_scratch scratch;
    ttt_arena *arena;
    ttt_value values[TTT_NODES_MAX];
} run;

/* The value of a node in scratch memory; false: undefined. */
static bool compute(run *r, const ttt_node *node, const ttt_grid *input, ttt_value *value) {
    if (node->kind == TTT_NODE_INPUT) return ttt_value_from_grid(&r->scratch, input, value);
    if (node->kind == TTT_NODE_CONSTANT) {
        *value = (ttt_value){.type = node->type, .number = node->constant};
        return true;
    }
    const ttt_value *arguments[TTT_ARGUMENTS_MAX] = {NULL};
    for (int i = 0; i < arity_of(node); i++) arguments[i] = &r->values[node->arguments[i]];
    if (!ttt_operation_apply(&ttt_operations[node->operation], node->scope, &r->scratch, arguments, value))
        return false;
    assert(value->type == node->type && ttt_value_valid(value));
    return true;
}

static ttt_status run_nodes(run *r, const ttt_grid *input, bool *defined, ttt_error *err) {
    bool needed[TTT_NODES_MAX];
    ttt_program_needed(r->program, needed);
    for (size_t i = 0; i < r->program->node_count; i++) {
        if (!needed[i]) continue;
        ttt_value value;
        ttt_scratch_reset(&r->scratch);
        *defined = compute(r, &r->program->nodes[i], input, &value);
        if (!*defined) return TTT_OK;
        if (!ttt_value_copy(r->arena, &value, &r->values[i])) {
            return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the values of a program");
        }
    }
    return TTT_OK;
}

static bool condition_holds(const ttt_condition *condition, const ttt_piece *const *layers, int cell) {
    return (layers[condition->layer]->cells[cell] == condition->colour) != condition->negated;
}

static bool case_applies(const ttt_case *one, const ttt_piece *const *layers, int cell) {
    for (int i = 0; i < one->condition_count; i++) {
        if (!condition_holds(&one->conditions[i], layers, cell)) return false;
    }
    return true;
}

bool ttt_cases_paint(const ttt_case *cases, size_t case_count, const ttt_piece *const *layers, uint8_t *cells,
                     int area) {
    for (int cell = 0; cell < area; cell++) {
        size_t i = 0;
        while (i < case_count && !case_applies(&cases[i], layers, cell)) i++;
        if (i == case_count) return false;
        cells[cell] = cases[i].copied < 0 ? cases[i].colour : layers[cases[i].copied]->cells[cell];
    }
    return true;
}

/* The rule on the values of the layers; false: undefined. */
static bool apply_rule(const run *r, ttt_grid *output) {
    const ttt_program *program = r->program;
    const ttt_piece *layers[TTT_LAYERS_MAX];
    for (int i = 0; i < program->layer_count; i++) {
        layers[i] = &r->values[program->layers[i]].pieces[0];
        if (layers[i]->height != layers[0]->height || layers[i]->width != layers[0]->width) return false;
    }
    if (program->case_count == 0) return ttt_value_to_grid(&r->values[program->layers[0]], output);
    output->height = layers[0]->height;
    output->width = layers[0]->width;
    return ttt_cases_paint(program->cases, program->case_count, layers, output->cells, ttt_piece_area(layers[0]));
}

ttt_status ttt_program_run(const ttt_program *program, const ttt_grid *input, ttt_grid *output, bool *defined,
                           ttt_error *err) {
    ttt_frame_map map;
    ttt_grid framed, painted;
    run r = {.program = program};
    *defined = false;
    ttt_frame_of_input(program->frame, input, &map);
    ttt_frame_enter(&map, input, &framed);
    ttt_status status = ttt_scratch_init(&r.scratch, err);
    if (status == TTT_OK) status = ttt_arena_new(&r.arena, 1 << 16, err);
    if (status == TTT_OK) status = run_nodes(&r, &framed, defined, err);
    if (status == TTT_OK && *defined) *defined = apply_rule(&r, &painted);
    if (status == TTT_OK && *defined) ttt_frame_leave(&map, &painted, output);
    ttt_arena_free(r.arena);
    ttt_scratch_release(&r.scratch);
    return status;
}
