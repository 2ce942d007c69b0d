/* Costs of operations and constants. */
#include "induce/costs.h"

#include "induce/pool.h"

enum {
    OPERATION_COST = 6 * TTT_COST_BIT,
    EACH_COST = 1 * TTT_COST_BIT,
    INPUT_COST = 1 * TTT_COST_BIT,
    NUMBER_MOST = 5
};

int ttt_cost_of_operation(int operation, bool each) {
    (void)operation;
    return OPERATION_COST + (each ? EACH_COST : 0);
}

int ttt_cost_of_input(void) {
    return INPUT_COST;
}

int ttt_cost_of_constant(ttt_value_type type, int number) {
    switch (type) {
    case TTT_VALUE_COLOUR: return 3 * TTT_COST_BIT;
    case TTT_VALUE_NUMBER: return number >= 1 && number <= NUMBER_MOST ? (1 + number) * TTT_COST_BIT : -1;
    case TTT_VALUE_DIRECTION: return (number % 2 == 0 ? 2 : 4) * TTT_COST_BIT;
    case TTT_VALUE_PROPERTY: return 3 * TTT_COST_BIT;
    default: return -1;
    }
}
