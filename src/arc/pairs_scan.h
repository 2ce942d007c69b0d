/* Inside src/arc: the quick way to read a file of example pairs that has nothing wrong with it. */
#ifndef TTT_ARC_PAIRS_SCAN_H
#define TTT_ARC_PAIRS_SCAN_H

#include "arc/task.h"

typedef struct ttt_pair_list {
    ttt_pair *items;
    size_t count, capacity;
} ttt_pair_list;

/* Replaces the content of *pairs by the pairs of `text`. *understood is false, and *pairs unspecified, for anything but
 * a non-empty list of legal {"input": grid, "output": grid}: read it with a real parser then, which says what is wrong
 * (or finds that all is well, as with other members in the objects). Fails only when memory is out. */
ttt_status ttt_pairs_scan(const char *text, size_t bytes, ttt_pair_list *pairs, bool *understood, ttt_error *err);

#endif
