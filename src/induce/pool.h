/* The pool: every value the search has found, on all examples at once, each once.
 *
 * An entry is one expression with its value on each example. Values that are equal on every example are one entry: the
 * expression of least cost, since cheaper ones are tried first. What entries are on one example (their states) is
 * stored once too, however many entries share it. Equality is that of 64-bit hashes: a million values collide with a
 * probability of 3e-8. */
#ifndef TTT_INDUCE_POOL_H
#define TTT_INDUCE_POOL_H

#include "induce/operations.h"

/* Costs are bits, counted in quarters. */
enum { TTT_COST_BIT = 4, TTT_COST_MAX = 80 * TTT_COST_BIT };

typedef struct ttt_entry {
    uint64_t hash;                         /* over all examples */
    uint32_t arguments[TTT_ARGUMENTS_MAX]; /* entries; of an operation */
    uint32_t states;                       /* where its example_count states begin */
    int16_t operation;                     /* -1: no operation but the input or a constant */
    int16_t constant;                      /* of a constant */
    uint16_t cost;
    uint8_t type;
    uint8_t scope;
} ttt_entry;

typedef struct ttt_pool ttt_pool;
/* memory_bytes: what the pool may take before it is full. */
ttt_status ttt_pool_new(size_t example_count, size_t memory_bytes, ttt_pool **pool, ttt_error *err);
void ttt_pool_free(ttt_pool *pool);

size_t ttt_pool_count(const ttt_pool *pool);
size_t ttt_pool_bytes(const ttt_pool *pool);
bool ttt_pool_full(const ttt_pool *pool);
const ttt_entry *ttt_pool_entry(const ttt_pool *pool, uint32_t entry);
const ttt_value *ttt_pool_value(const ttt_pool *pool, uint32_t entry, size_t example);
bool ttt_pool_has(const ttt_pool *pool, uint64_t hash); /* safe beside other readers */
/* The hash of an entry from those of its values (ttt_value_hash from TTT_HASH_START), example by example. */
uint64_t ttt_pool_hash(const uint64_t *value_hashes, size_t example_count);

/* Adds `entry` (its hash, states aside) with its values [example_count], copied, and their hashes. *added is its
 * number, or TTT_POOL_NONE where the pool has an equal one or is full. */
#define TTT_POOL_NONE UINT32_MAX
ttt_status ttt_pool_add(ttt_pool *pool, const ttt_entry *entry, const ttt_value *values, const uint64_t *value_hashes,
                        uint32_t *added, ttt_error *err);

/* Entries of a type and a cost, in the order in which they came. */
typedef struct ttt_bucket {
    uint32_t *items;
    size_t count, capacity;
} ttt_bucket;
const ttt_bucket *ttt_pool_bucket(const ttt_pool *pool, ttt_value_type type, int cost);

#endif
