/* What parts of a program cost, in quarters of a bit: the less often a part is used by programs that solve training
 * tasks, the more. Costs give the order of the search and the preference among programs that fit. */
#ifndef TTT_INDUCE_COSTS_H
#define TTT_INDUCE_COSTS_H

#include "induce/operations.h"

int ttt_cost_of_operation(int operation, ttt_scope scope);
int ttt_cost_of_input(void);
/* -1: this constant is not part of the search. */
int ttt_cost_of_constant(ttt_value_type type, int number);

#endif
