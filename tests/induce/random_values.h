/* Random values of every type, for tests of operations; they own their memory. */
#ifndef TTT_TESTS_INDUCE_RANDOM_VALUES_H
#define TTT_TESTS_INDUCE_RANDOM_VALUES_H

#include "base/random.h"
#include "induce/operations.h"

/* A value and the room for the largest there is. */
typedef struct value_slot {
    ttt_value value;
    ttt_piece pieces[TTT_LIST_MAX];
    uint8_t cells[TTT_LIST_MAX * TTT_GRID_CELLS];
} value_slot;

/* `slot` becomes a copy that shares nothing with `value`. */
void value_keep(const ttt_value *value, value_slot *slot);
/* Any value of the type: grids of many styles and sizes at many places, masks and lists of such, extreme numbers. */
void value_random(ttt_random *random, ttt_value_type type, value_slot *slot);

/* The same value with every piece's cells in memory of exactly their size, so that the sanitizer sees a look beyond. */
ttt_value value_fit(const ttt_value *value);
void value_fit_free(ttt_value *fitted);

#endif
