/* Memory: see memory.h for the contract.
 *
 * Every heap block is 64-byte aligned (a cache line, and what AVX-512 loads want) and starts zeroed. The count of
 * allocations and the injected failure are the libraries' only mutable globals: they are instruments of the tests,
 * atomic, and no result depends on them.
 *
 * An arena is a list of blocks, filled in order:
 *
 *     first -> [ header | used ........ | free ] -> [ header | free ] -> NULL
 *                                          ^ current
 *
 * A request that does not fit the current block goes to the next one that is large enough, or to a new one. A reset
 * rewinds to the first block and keeps them all, so that a step which repeats itself allocates nothing. */
#include "base/memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

static atomic_size_t allocation_count;
static atomic_size_t fail_countdown; /* 0: off; 1: the next allocation fails */

bool ttt_size_multiply(size_t a, size_t b, size_t *product) {
    size_t result;
    if (__builtin_mul_overflow(a, b, &result)) return false;
    *product = result;
    return true;
}

void ttt_memory_fail_at(size_t number) {
    atomic_store(&fail_countdown, number);
}

size_t ttt_memory_allocation_count(void) {
    return atomic_load(&allocation_count);
}

/* Counts this allocation; true if it is the one that a test has chosen to fail. */
static bool must_fail(void) {
    atomic_fetch_add(&allocation_count, 1);
    size_t left = atomic_load(&fail_countdown);
    while (left > 0 && !atomic_compare_exchange_weak(&fail_countdown, &left, left - 1)) {
    }
    return left == 1;
}

/* Rounded up to whole alignment units, as aligned_alloc asks, and at least one; false if that overflows. */
static bool round_up(size_t bytes, size_t *rounded) {
    if (bytes > SIZE_MAX - ALIGNMENT) return false;
    *rounded = bytes == 0 ? ALIGNMENT : (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return true;
}

void *ttt_allocate(size_t count, size_t size) {
    size_t bytes, rounded;
    if (must_fail() || !ttt_size_multiply(count, size, &bytes) || !round_up(bytes, &rounded)) return NULL;
    void *memory = aligned_alloc(ALIGNMENT, rounded);
    if (memory != NULL) memset(memory, 0, rounded);
    return memory;
}

void *ttt_reallocate(void *old, size_t old_count, size_t count, size_t size) {
    void *memory = ttt_allocate(count, size);
    if (memory == NULL || old == NULL) return memory;
    /* Neither product overflows: both blocks exist. */
    size_t kept = (old_count < count ? old_count : count) * size;
    memcpy(memory, old, kept);
    ttt_free(old);
    return memory;
}

void ttt_free(void *memory) {
    free(memory);
}

char *ttt_string_copy(const char *text) {
    size_t length = strlen(text);
    char *copy = ttt_allocate(length + 1, 1);
    if (copy != NULL) memcpy(copy, text, length + 1);
    return copy;
}

/* ---------------------------------------------------------------------------------------------- arena */

typedef struct arena_block {
    struct arena_block *next;
    size_t bytes; /* of data */
    size_t used;
    _Alignas(ALIGNMENT) unsigned char data[];
} arena_block;

struct ttt_arena {
    arena_block *first, *current;
    size_t block_bytes; /* the least size of a block */
};

static arena_block *block_new(size_t bytes) {
    if (bytes > SIZE_MAX - sizeof(arena_block)) return NULL;
    arena_block *block = ttt_allocate(1, sizeof(arena_block) + bytes);
    if (block != NULL) block->bytes = bytes;
    return block;
}

ttt_status ttt_arena_new(ttt_arena **arena, size_t block_bytes, ttt_error *err) {
    *arena = NULL;
    ttt_arena *fresh = ttt_allocate(1, sizeof *fresh);
    size_t rounded;
    if (fresh != NULL && round_up(block_bytes, &rounded)) {
        fresh->block_bytes = rounded;
        fresh->first = fresh->current = block_new(rounded);
    }
    if (fresh == NULL || fresh->first == NULL) {
        ttt_free(fresh);
        return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for an arena with blocks of %zu bytes", block_bytes);
    }
    *arena = fresh;
    return TTT_OK;
}

void ttt_arena_free(ttt_arena *arena) {
    if (arena == NULL) return;
    for (arena_block *block = arena->first, *next; block != NULL; block = next) {
        next = block->next;
        ttt_free(block);
    }
    ttt_free(arena);
}

void ttt_arena_reset(ttt_arena *arena) {
    for (arena_block *block = arena->first; block != NULL; block = block->next) {
#ifndef NDEBUG
        memset(block->data, 0xA5, block->used); /* what still reads released memory should see nonsense */
#endif
        block->used = 0;
    }
    arena->current = arena->first;
}

void *ttt_arena_allocate(ttt_arena *arena, size_t count, size_t size) {
    size_t bytes, rounded;
    if (!ttt_size_multiply(count, size, &bytes) || !round_up(bytes, &rounded)) return NULL;
    arena_block *block = arena->current;
    while (block->bytes - block->used < rounded && block->next != NULL) block = block->next;
    if (block->bytes - block->used < rounded) {
        block->next = block_new(rounded > arena->block_bytes ? rounded : arena->block_bytes);
        if (block->next == NULL) return NULL;
        block = block->next;
    }
    void *memory = block->data + block->used;
    block->used += rounded;
    arena->current = block;
    return memset(memory, 0, rounded);
}

char *ttt_arena_string(ttt_arena *arena, const char *text) {
    size_t length = strlen(text);
    char *copy = ttt_arena_allocate(arena, length + 1, 1);
    if (copy != NULL) memcpy(copy, text, length + 1);
    return copy;
}

/* ---------------------------------------------------------------------------------------------- vector */

ttt_status ttt_vector_grow(void **items, size_t *capacity, size_t needed, size_t size, ttt_error *err) {
    if (needed <= *capacity) return TTT_OK;
    size_t grown = *capacity < 8 ? 8 : *capacity + *capacity / 2;
    if (grown < needed) grown = needed;
    void *memory = ttt_reallocate(*items, *capacity, grown, size);
    if (memory == NULL) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a list of %zu items of %zu bytes", grown, size);
    }
    *items = memory;
    *capacity = grown;
    return TTT_OK;
}
