/* Numbers by 64-bit hash; what has the same hash is the same. {0} is an empty table. */
#ifndef TTT_INDUCE_HASH_TABLE_H
#define TTT_INDUCE_HASH_TABLE_H

#include "base/memory.h"

#define TTT_HASH_TABLE_NONE UINT32_MAX

typedef struct ttt_hash_table {
    /* Open addressing, a power of two of them, at most three quarters taken; number TTT_HASH_TABLE_NONE is empty. */
    struct ttt_hash_slot {
        uint64_t hash;
        uint32_t number;
    } * slots;
    size_t slot_count, taken;
} ttt_hash_table;

void ttt_hash_table_release(ttt_hash_table *table); /* leaves {0} */
/* TTT_HASH_TABLE_NONE where the table lacks it. Safe beside other readers. */
uint32_t ttt_hash_table_find(const ttt_hash_table *table, uint64_t hash);
/* A hash that the table lacks. */
ttt_status ttt_hash_table_add(ttt_hash_table *table, uint64_t hash, uint32_t number, ttt_error *err);

#endif
