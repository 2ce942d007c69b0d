/* Random programs, from the output down: an operation with a result of the wanted type is drawn, then its arguments,
 * among which the applications that are left are dealt out.
 *
 * What can be made of how many applications is known beforehand (a list, say, takes one at least), so that a drawn
 * operation can always be completed. Parts that were made already are taken up again now and then, since many programs
 * use a value twice. */
#include "induce/program.h"

#include <assert.h>

enum { UNREACHABLE = TTT_NODES_MAX, TAKE_INPUT_IN = 4, COMPUTE_CONSTANT_IN = 8, TAKE_EARLIER_IN = 4 };

typedef struct sampler {
    ttt_random *random;
    const double *weights;
    ttt_program *program;
    ttt_error *err;
    int least[TTT_VALUE_TYPE_COUNT]; /* applications that a value of the type takes */
} sampler;

/* An operation of the table in one of its scopes. */
typedef struct choice {
    int operation;
    ttt_scope scope;
} choice;

/* By number: all operations in one scope after the other. */
static choice choice_of(int index) {
    return (choice){index % TTT_OPERATION_COUNT, (ttt_scope)(index / TTT_OPERATION_COUNT)};
}

static uint8_t result_of(choice one) {
    return (uint8_t)ttt_operation_result(&ttt_operations[one.operation], one.scope);
}

static uint8_t argument_of(choice one, int index) {
    return (uint8_t)ttt_operation_argument(&ttt_operations[one.operation], one.scope, index);
}

static bool may_choose(const sampler *s, choice one) {
    return (s->weights == NULL || s->weights[one.operation] > 0) &&
           ttt_operation_has_scope(&ttt_operations[one.operation], one.scope);
}

/* Applications that an operation and its arguments take at least. */
static int least_of(const sampler *s, choice one) {
    int least = 1;
    for (int i = 0; i < ttt_operations[one.operation].arity; i++) least += s->least[argument_of(one, i)];
    return least < UNREACHABLE ? least : UNREACHABLE;
}

/* Until nothing gets smaller. */
static void find_least(sampler *s) {
    for (int type = 0; type < TTT_VALUE_TYPE_COUNT; type++) s->least[type] = 0;
    s->least[TTT_VALUE_LIST] = s->least[TTT_VALUE_MASK] = UNREACHABLE;
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < TTT_OPERATION_COUNT; i++) {
            const choice one = {i, TTT_SCOPE_WHOLE};
            const int least = least_of(s, one);
            if (!may_choose(s, one) || least >= s->least[result_of(one)]) continue;
            s->least[result_of(one)] = least;
            changed = true;
        }
    }
}

/* The weight of choice number `index` for a value of the type, of at most so
 * many applications; 0: not possible. */
static double weight_of(const sampler *s, int index, int type, int applications) {
    const choice one = choice_of(index);
    if (!may_choose(s, one) || result_of(one) != type || least_of(s, one) > applications) return 0;
    return s->weights == NULL ? 1 : s->weights[one.operation];
}

static bool choose(const sampler *s, int type, int applications, choice *chosen) {
    double total = 0, sum = 0;
    int last = -1;
    for (int i = 0; i < TTT_SCOPE_END * TTT_OPERATION_COUNT; i++) total += weight_of(s, i, type, applications);
    const double drawn = ttt_random_unit(s->random) * total;
    for (int i = 0; i < TTT_SCOPE_END * TTT_OPERATION_COUNT && (last < 0 || sum <= drawn); i++) {
        const double weight = weight_of(s, i, type, applications);
        sum += weight;
        if (weight > 0) last = i;
    }
    if (last < 0) return false;
    *chosen = choice_of(last);
    return true;
}

static bool one_in(sampler *s, uint32_t n) {
    return ttt_random_below(s->random, n) == 0;
}

/* An earlier application of the type; false: there is none. */
static bool take_earlier(sampler *s, int type, uint16_t *node) {
    uint32_t count = 0;
    for (size_t i = 0; i < s->program->node_count; i++) {
        const ttt_node *earlier = &s->program->nodes[i];
        if (earlier->kind != TTT_NODE_APPLY || earlier->type != type) continue;
        if (one_in(s, ++count)) *node = (uint16_t)i; /* each is the one in the end with equal odds */
    }
    return count > 0;
}

static int draw_constant(sampler *s, int type) {
    switch (type) {
    case TTT_VALUE_COLOUR: return (int)ttt_random_below(s->random, TTT_COLOURS);
    case TTT_VALUE_DIRECTION: return (int)ttt_random_below(s->random, TTT_DIRECTION_COUNT);
    case TTT_VALUE_PROPERTY: return (int)ttt_random_below(s->random, TTT_PROPERTY_COUNT);
    default: return 1 + (int)ttt_random_below(s->random, 5); /* numbers that programs contain: 1 to 5 */
    }
}

static ttt_status add_leaf(sampler *s, int type, uint16_t *node) {
    if (type == TTT_VALUE_GRID) return ttt_program_add_input(s->program, node, s->err);
    return ttt_program_add_constant(s->program, (ttt_value_type)type, draw_constant(s, type), node, s->err);
}

static ttt_status sample_value(sampler *s, int type, int applications, uint16_t *node);

/* Deals what is left over what the arguments take at least. */
static void deal(sampler *s, choice one, int applications, int *shares) {
    const int arity = ttt_operations[one.operation].arity;
    for (int i = 0; i < arity; i++) shares[i] = s->least[argument_of(one, i)];
    for (int left = applications - least_of(s, one); left > 0; left--) {
        shares[ttt_random_below(s->random, (uint32_t)arity)]++;
    }
}

static ttt_status sample_application(sampler *s, choice one, int applications, uint16_t *node) {
    uint16_t arguments[TTT_ARGUMENTS_MAX] = {0};
    int shares[TTT_ARGUMENTS_MAX];
    deal(s, one, applications, shares);
    for (int i = 0; i < ttt_operations[one.operation].arity; i++) {
        TTT_TRY(sample_value(s, argument_of(one, i), shares[i], &arguments[i]));
    }
    return ttt_program_add_application(s->program, one.operation, one.scope, arguments, node, s->err);
}

/* A value of at most so many applications, which suffice. */
static ttt_status sample_value(sampler *s, int type, int applications, uint16_t *node) {
    choice one;
    assert(applications >= s->least[type]);
    if (one_in(s, TAKE_EARLIER_IN) && take_earlier(s, type, node)) return TTT_OK;
    const bool leaf =
        s->least[type] == 0 && (type == TTT_VALUE_GRID ? one_in(s, TAKE_INPUT_IN) : !one_in(s, COMPUTE_CONSTANT_IN));
    if (leaf || !choose(s, type, applications, &one)) return add_leaf(s, type, node);
    return sample_application(s, one, applications, node);
}

static ttt_status sample_program(sampler *s, int operations) {
    choice one;
    s->program->layer_count = 1;
    if (!choose(s, TTT_VALUE_GRID, operations, &one)) return add_leaf(s, TTT_VALUE_GRID, s->program->layers);
    return sample_application(s, one, operations, s->program->layers);
}

ttt_status ttt_program_sample(ttt_random *random, int operations, const double *weights, ttt_program *program,
                              ttt_error *err) {
    *program = (ttt_program){0};
    const int most = (TTT_NODES_MAX - 1) / (1 + TTT_ARGUMENTS_MAX); /* each may bring constants of its own */
    if (operations < 0 || operations > most) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "a random program of %d operations, expected 0 to %d", operations,
                        most);
    }
    sampler s = {.random = random, .weights = weights, .program = program, .err = err};
    find_least(&s);
    const ttt_status status = sample_program(&s, operations);
    if (status != TTT_OK) ttt_program_release(program);
    assert(status != TTT_OK || ttt_program_valid(program));
    return status;
}
