/* Many example pairs kept small: RE-ARC's 383,000 pairs take 690 MB as plain grids and 108 MB here. Cells are packed
 * two to a byte. */
#ifndef TTT_ARC_PAIR_STORE_H
#define TTT_ARC_PAIR_STORE_H

#include "arc/task_read.h"

typedef struct ttt_pair_group {
    char *id;
    size_t first, count; /* pairs [first, first + count) of the store */
} ttt_pair_group;

/* {0} is empty. Reading (ttt_pair_store_get) is safe from several threads once filled. */
typedef struct ttt_pair_store {
    uint8_t *bytes; /* per pair: input, output; per grid: height, width, packed cells */
    size_t byte_count, byte_capacity;
    struct {
        size_t *items; /* where pair i begins in bytes */
        size_t count, capacity;
    } starts;
    struct {
        ttt_pair_group *items; /* in the order added */
        size_t count, capacity;
    } groups;
} ttt_pair_store;

/* Appends a group (the pairs of one task, say). On failure the store is as it was. */
ttt_status ttt_pair_store_add(ttt_pair_store *store, const char *id, const ttt_pair *pairs, size_t count,
                              ttt_error *err);
void ttt_pair_store_get(const ttt_pair_store *store, size_t index, ttt_pair *pair);
const ttt_pair_group *ttt_pair_store_find(const ttt_pair_store *store, const char *id); /* NULL when absent */
void ttt_pair_store_release(ttt_pair_store *store);                                     /* leaves {0} */

#endif
