/* The pool of values: two hash tables with open addressing (entries by all their values, states by one value), arrays
 * that grow, and states' memory in blocks that never move. */
#include "induce/pool.h"

#include "base/random.h"
#include "induce/hash_table.h"

#include <string.h>

enum { BLOCK_BYTES = 1 << 20 };

struct ttt_pool {
    size_t example_count, memory_bytes, bytes;
    struct {
        ttt_entry *items;
        size_t count, capacity;
    } entries;
    struct {
        uint32_t *items; /* example_count an entry: numbers of states */
        size_t count, capacity;
    } entry_states;
    struct {
        ttt_value *items;
        size_t count, capacity;
    } states;
    ttt_hash_table by_entry, by_state;
    ttt_arena *arena; /* what states' pieces lie in */
    ttt_bucket buckets[TTT_VALUE_TYPE_COUNT][TTT_COST_MAX + 1];
};

ttt_status ttt_pool_new(size_t example_count, size_t memory_bytes, ttt_pool **pool, ttt_error *err) {
    ttt_status status = TTT_OK;
    *pool = ttt_allocate(1, sizeof **pool);
    if (*pool == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for a pool of values");
    (*pool)->example_count = example_count;
    (*pool)->memory_bytes = memory_bytes;
    TTT_TRY_OUT(ttt_arena_new(&(*pool)->arena, BLOCK_BYTES, err));
    return TTT_OK;

out:
    ttt_pool_free(*pool);
    *pool = NULL;
    return status;
}

void ttt_pool_free(ttt_pool *pool) {
    if (pool == NULL) return;
    for (int type = 0; type < TTT_VALUE_TYPE_COUNT; type++) {
        for (int cost = 0; cost <= TTT_COST_MAX; cost++) ttt_free(pool->buckets[type][cost].items);
    }
    ttt_free(pool->entries.items);
    ttt_free(pool->entry_states.items);
    ttt_free(pool->states.items);
    ttt_hash_table_release(&pool->by_entry);
    ttt_hash_table_release(&pool->by_state);
    ttt_arena_free(pool->arena);
    ttt_free(pool);
}

size_t ttt_pool_count(const ttt_pool *pool) {
    return pool->entries.count;
}

size_t ttt_pool_bytes(const ttt_pool *pool) {
    return pool->bytes;
}

bool ttt_pool_full(const ttt_pool *pool) {
    return pool->bytes >= pool->memory_bytes;
}

const ttt_entry *ttt_pool_entry(const ttt_pool *pool, uint32_t entry) {
    return &pool->entries.items[entry];
}

const ttt_value *ttt_pool_value(const ttt_pool *pool, uint32_t entry, size_t example) {
    return &pool->states.items[pool->entry_states.items[pool->entries.items[entry].states + example]];
}

bool ttt_pool_has(const ttt_pool *pool, uint64_t hash) {
    return ttt_hash_table_find(&pool->by_entry, hash) != TTT_HASH_TABLE_NONE;
}

uint64_t ttt_pool_hash(const uint64_t *value_hashes, size_t example_count) {
    return ttt_hash(TTT_HASH_START, value_hashes, example_count * sizeof *value_hashes);
}

const ttt_bucket *ttt_pool_bucket(const ttt_pool *pool, ttt_value_type type, int cost) {
    return &pool->buckets[type][cost];
}

static ttt_status store_state(ttt_pool *pool, const ttt_value *value, uint64_t hash, uint32_t *state, ttt_error *err) {
    *state = ttt_hash_table_find(&pool->by_state, hash);
    if (*state != TTT_HASH_TABLE_NONE) return TTT_OK;
    ttt_value stored;
    const size_t bytes = ttt_value_bytes(value);
    if (!ttt_value_copy(pool->arena, value, &stored)) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for a value of %zu bytes", bytes);
    }
    *state = (uint32_t)pool->states.count;
    TTT_TRY(TTT_PUSH(&pool->states, stored, err));
    TTT_TRY(ttt_hash_table_add(&pool->by_state, hash, *state, err));
    pool->bytes += (bytes + 63) / 64 * 64 + sizeof stored + 2 * sizeof *pool->by_state.slots;
    return TTT_OK;
}

ttt_status ttt_pool_add(ttt_pool *pool, const ttt_entry *entry, const ttt_value *values, const uint64_t *value_hashes,
                        uint32_t *added, ttt_error *err) {
    *added = TTT_POOL_NONE;
    if (ttt_pool_has(pool, entry->hash)) return TTT_OK;
    ttt_entry stored = *entry;
    const bool bare = ttt_pool_full(pool);
    stored.states = (uint32_t)pool->entry_states.count;
    for (size_t i = 0; !bare && i < pool->example_count; i++) {
        uint32_t state = TTT_POOL_NONE;
        TTT_TRY(store_state(pool, &values[i], value_hashes[i], &state, err));
        TTT_TRY(TTT_PUSH(&pool->entry_states, state, err));
        pool->bytes += sizeof state;
    }
    const uint32_t number = (uint32_t)pool->entries.count;
    TTT_TRY(TTT_PUSH(&pool->entries, stored, err));
    TTT_TRY(ttt_hash_table_add(&pool->by_entry, entry->hash, number, err));
    if (!bare) TTT_TRY(TTT_PUSH(&pool->buckets[entry->type][entry->cost], number, err));
    pool->bytes += sizeof stored + 2 * sizeof *pool->by_entry.slots + sizeof number;
    *added = number;
    return TTT_OK;
}
