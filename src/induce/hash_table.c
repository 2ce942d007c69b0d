/* The hash table: the next slot is tried where one is taken. */
#include "induce/hash_table.h"

enum { FIRST_SLOTS = 1 << 10 };

void ttt_hash_table_release(ttt_hash_table *table) {
    ttt_free(table->slots);
    *table = (ttt_hash_table){0};
}

/* The slot that holds the hash, or the empty one where it belongs; the table has slots. */
static struct ttt_hash_slot *slot_of(const ttt_hash_table *table, uint64_t hash) {
    size_t at = hash & (table->slot_count - 1);
    while (table->slots[at].number != TTT_HASH_TABLE_NONE && table->slots[at].hash != hash) {
        at = (at + 1) & (table->slot_count - 1);
    }
    return &table->slots[at];
}

uint32_t ttt_hash_table_find(const ttt_hash_table *table, uint64_t hash) {
    return table->slots == NULL ? TTT_HASH_TABLE_NONE : slot_of(table, hash)->number;
}

static ttt_status grow(ttt_hash_table *table, ttt_error *err) {
    ttt_hash_table larger = {.slot_count = table->slots == NULL ? FIRST_SLOTS : 2 * table->slot_count,
                             .taken = table->taken};
    larger.slots = ttt_allocate(larger.slot_count, sizeof *larger.slots);
    if (larger.slots == NULL) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for a table of %zu hashes", larger.slot_count);
    }
    for (size_t i = 0; i < larger.slot_count; i++) larger.slots[i].number = TTT_HASH_TABLE_NONE;
    for (size_t i = 0; i < table->slot_count; i++) {
        const struct ttt_hash_slot *slot = &table->slots[i];
        if (slot->number != TTT_HASH_TABLE_NONE) *slot_of(&larger, slot->hash) = *slot;
    }
    ttt_free(table->slots);
    *table = larger;
    return TTT_OK;
}

ttt_status ttt_hash_table_add(ttt_hash_table *table, uint64_t hash, uint32_t number, ttt_error *err) {
    if (4 * (table->taken + 1) > 3 * table->slot_count) TTT_TRY(grow(table, err));
    *slot_of(table, hash) = (struct ttt_hash_slot){.hash = hash, .number = number};
    table->taken++;
    return TTT_OK;
}
