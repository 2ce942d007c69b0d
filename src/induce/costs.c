/* Costs of operations and constants, from the table costs.def; what it does not name has the cost of something rare. */
#include "induce/costs.h"

#include "induce/pool.h"

enum { RARE = 9 * TTT_COST_BIT, COLOUR_COST = 3 * TTT_COST_BIT, NUMBER_MOST = 5 };

/* 0: not named. */
static const struct {
    uint8_t input, operations[TTT_OPERATION_COUNT], scopes[TTT_SCOPE_END], properties[TTT_PROPERTY_COUNT];
} costs = {
#define COST_OF_INPUT(cost) .input = cost,
#define COST_OF_OPERATION(name, cost) .operations[TTT_OP_##name] = cost,
#define COST_OF_SCOPE(NAME, cost) .scopes[TTT_SCOPE_##NAME] = cost,
#define COST_OF_PROPERTY(NAME, cost) .properties[TTT_PROPERTY_##NAME] = cost,
#include "induce/costs.def"
#undef COST_OF_INPUT
#undef COST_OF_OPERATION
#undef COST_OF_SCOPE
#undef COST_OF_PROPERTY
};

static int or_rare(int cost) {
    return cost != 0 ? cost : RARE;
}

int ttt_cost_of_operation(int operation, ttt_scope scope) {
    return or_rare(costs.operations[operation]) + costs.scopes[scope];
}

int ttt_cost_of_input(void) {
    return costs.input;
}

int ttt_cost_of_constant(ttt_value_type type, int number) {
    switch (type) {
    case TTT_VALUE_COLOUR: return COLOUR_COST;
    case TTT_VALUE_NUMBER: return number >= 1 && number <= NUMBER_MOST ? (1 + number) * TTT_COST_BIT : -1;
    case TTT_VALUE_DIRECTION: return (number % 2 == 0 ? 2 : 4) * TTT_COST_BIT;
    case TTT_VALUE_PROPERTY: return or_rare(costs.properties[number]);
    default: return -1;
    }
}
