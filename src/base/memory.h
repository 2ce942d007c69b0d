/* Memory: checked allocation, arenas by lifetime, and a growable vector.
 *
 * Sizes that come from outside go through ttt_size_multiply. The allocator can be told to make its Nth request
 * fail, so that tests walk every out-of-memory path. */
#ifndef TTT_BASE_MEMORY_H
#define TTT_BASE_MEMORY_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* a * b into *product; false (and nothing written) when it does not fit a size_t. */
bool ttt_size_multiply(size_t a, size_t b, size_t *product);

/* Zeroed memory for `count` objects of `size` bytes, aligned to 64 bytes; NULL when it cannot be had. A request
 * for nothing returns a valid pointer. Free with ttt_free. */
void *ttt_allocate(size_t count, size_t size);
/* Grows or shrinks what ttt_allocate gave (`old` may be NULL); old content kept, new bytes are zero. On failure
 * returns NULL and `old` stays valid. `old_count` is the number of objects that `old` holds. */
void *ttt_reallocate(void *old, size_t old_count, size_t count, size_t size);
void ttt_free(void *memory); /* NULL is fine */
char *ttt_string_copy(const char *text);

/* Tests only: the allocation with this number (1 is the next one) fails, once. 0 switches it off. */
void ttt_memory_fail_at(size_t number);
/* Allocations made since the program started: tests use the difference to show that a hot loop makes none. */
size_t ttt_memory_allocation_count(void);

/* An arena hands out memory that is all released at once: one per lifetime (run, task, step). Not thread safe. */
typedef struct ttt_arena ttt_arena;
ttt_status ttt_arena_new(ttt_arena **arena, size_t block_bytes, ttt_error *err);
void ttt_arena_free(ttt_arena *arena);
void ttt_arena_reset(ttt_arena *arena); /* everything handed out becomes invalid; the memory is kept for reuse */
/* Zeroed, 64-byte aligned; NULL when memory is out. Valid until reset or free. */
void *ttt_arena_allocate(ttt_arena *arena, size_t count, size_t size);
char *ttt_arena_string(ttt_arena *arena, const char *text);

/* A growable vector: declare `struct { T *items; size_t count, capacity; } v = {0};`, then
 * TTT_PUSH(&v, value, err) appends (it evaluates to a ttt_status). Release with ttt_free(v.items). */
ttt_status ttt_vector_grow(void **items, size_t *capacity, size_t needed, size_t size, ttt_error *err);
#define TTT_RESERVE(v, needed, err)                                                                                    \
    ((needed) <= (v)->capacity                                                                                         \
         ? TTT_OK                                                                                                      \
         : ttt_vector_grow((void **)&(v)->items, &(v)->capacity, (needed), sizeof *(v)->items, (err)))
#define TTT_PUSH(v, value, err)                                                                                        \
    (TTT_RESERVE((v), (v)->count + 1, (err)) == TTT_OK ? ((v)->items[(v)->count++] = (value), TTT_OK)                  \
                                                       : TTT_ERROR_MEMORY)

#endif
