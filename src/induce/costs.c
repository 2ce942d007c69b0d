/* Costs of operations and constants, from the table costs.def; what it does not name has the cost of something rare. */
#include "induce/costs.h"

#include "induce/pool.h"

enum { RARE = 9 * TTT_COST_BIT, COLOUR_COST = 3 * TTT_COST_BIT, NUMBER_MOST = 5 };

static const uint8_t operation_costs[TTT_OPERATION_COUNT] = {
#define COST_OF_OPERATION(name, cost) [TTT_OP_##name] = cost,
#define COST_OF_PROPERTY(NAME, cost)
#define COST_OF_INPUT(cost)
#define COST_OF_SCOPE(NAME, cost)
#include "induce/costs.def"
#undef COST_OF_OPERATION
#undef COST_OF_PROPERTY
#undef COST_OF_INPUT
#undef COST_OF_SCOPE
};

static const uint8_t property_costs[TTT_PROPERTY_COUNT] = {
#define COST_OF_OPERATION(name, cost)
#define COST_OF_PROPERTY(NAME, cost) [TTT_PROPERTY_##NAME] = cost,
#define COST_OF_INPUT(cost)
#define COST_OF_SCOPE(NAME, cost)
#include "induce/costs.def"
#undef COST_OF_OPERATION
#undef COST_OF_PROPERTY
#undef COST_OF_INPUT
#undef COST_OF_SCOPE
};

static const uint8_t scope_costs[TTT_SCOPE_END] = {
#define COST_OF_OPERATION(name, cost)
#define COST_OF_PROPERTY(NAME, cost)
#define COST_OF_INPUT(cost)
#define COST_OF_SCOPE(NAME, cost) [TTT_SCOPE_##NAME] = cost,
#include "induce/costs.def"
#undef COST_OF_OPERATION
#undef COST_OF_PROPERTY
#undef COST_OF_INPUT
#undef COST_OF_SCOPE
};

enum {
#define COST_OF_OPERATION(name, cost)
#define COST_OF_PROPERTY(NAME, cost)
#define COST_OF_INPUT(cost) INPUT_COST = cost,
#define COST_OF_SCOPE(NAME, cost)
#include "induce/costs.def"
#undef COST_OF_OPERATION
#undef COST_OF_PROPERTY
#undef COST_OF_INPUT
#undef COST_OF_SCOPE
};

int ttt_cost_of_operation(int operation, ttt_scope scope) {
    const int cost = operation_costs[operation] != 0 ? operation_costs[operation] : RARE;
    return cost + scope_costs[scope];
}

int ttt_cost_of_input(void) {
    return INPUT_COST;
}

int ttt_cost_of_constant(ttt_value_type type, int number) {
    switch (type) {
    case TTT_VALUE_COLOUR: return COLOUR_COST;
    case TTT_VALUE_NUMBER: return number >= 1 && number <= NUMBER_MOST ? (1 + number) * TTT_COST_BIT : -1;
    case TTT_VALUE_DIRECTION: return (number % 2 == 0 ? 2 : 4) * TTT_COST_BIT;
    case TTT_VALUE_PROPERTY: return property_costs[number] != 0 ? property_costs[number] : RARE;
    default: return -1;
    }
}
