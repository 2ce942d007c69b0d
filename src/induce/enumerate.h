/* The enumerator: every expression in the order of its cost, evaluated on all examples of a task, kept in a pool.
 *
 * Level by level: at level C all applications whose operation and arguments cost C together are tried, each exactly
 * once, since arguments of lower levels are complete by then. */
#ifndef TTT_INDUCE_ENUMERATE_H
#define TTT_INDUCE_ENUMERATE_H

#include "induce/pool.h"

typedef struct ttt_enumerator ttt_enumerator;

/* Whoever wants to know of new entries. */
typedef struct ttt_enumerator_listener {
    /* Are values [example_count] of use in themselves, not only as arguments? In a full pool others are dropped. */
    bool (*wants)(void *context, const ttt_value *values);
    /* Called once for each new entry, in the order of their numbers, with its cost and its values, valid during the
     * call. */
    ttt_status (*entry)(void *context, uint32_t entry, int cost, const ttt_value *values, ttt_error *err);
    void *context;
} ttt_enumerator_listener;

/* `inputs` [example_count]; constants of type COLOUR are those with their bit set in `colours`. */
ttt_status ttt_enumerator_new(const ttt_grid *const *inputs, size_t example_count, uint16_t colours,
                              size_t memory_bytes, int threads, const ttt_enumerator_listener *listener,
                              ttt_enumerator **enumerator, ttt_error *err);
void ttt_enumerator_free(ttt_enumerator *enumerator);

/* Tries the next batch of applications (some thousands), all of one level. False when there is nothing left to try.
 * Results do not depend on the number of threads. */
ttt_status ttt_enumerator_step(ttt_enumerator *enumerator, bool *more, ttt_error *err);

const ttt_pool *ttt_enumerator_pool(const ttt_enumerator *enumerator);
int ttt_enumerator_level(const ttt_enumerator *enumerator); /* what the next batch costs */
size_t ttt_enumerator_applications(const ttt_enumerator *enumerator);

#endif
