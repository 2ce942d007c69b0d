/* Random numbers from a counter-based generator (Philox 4x32-10; Salmon et al., "Parallel random numbers: as easy
 * as 1, 2, 3", 2011): the stream is a pure function of its key, so that every draw can be keyed by
 * (seed, task, purpose) and no result depends on the order in which threads or tasks run. */
#ifndef TTT_BASE_RANDOM_H
#define TTT_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Plain data: copy it to fork a stream, write it to a checkpoint to resume it bit for bit. */
typedef struct ttt_random {
    uint64_t key;
    uint64_t counter;  /* blocks drawn so far */
    uint32_t block[4]; /* the current block */
    uint32_t used;     /* words of it already handed out, 4 = none left */
    uint32_t zero;     /* in place of padding, so that equal streams are equal bytes */
} ttt_random;

/* The generator itself: four random words for every counter under every key. Everything below is made of it. */
void ttt_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t words[4]);

/* A stream for a purpose ("views", "augment", ...) within a task (its id, or ""). */
ttt_random ttt_random_stream(uint64_t seed, const char *task, const char *purpose);
/* A sub-stream by number: item `index` of whatever `parent` was keyed for. Does not advance `parent`. */
ttt_random ttt_random_fork(const ttt_random *parent, uint64_t index);

uint32_t ttt_random_u32(ttt_random *random);
uint64_t ttt_random_u64(ttt_random *random);
uint32_t ttt_random_below(ttt_random *random, uint32_t bound); /* unbiased, 0 <= result < bound; bound >= 1 */
double ttt_random_unit(ttt_random *random);                    /* [0, 1) */
double ttt_random_normal(ttt_random *random);                  /* mean 0, variance 1 */
void ttt_random_permutation(ttt_random *random, int *order, size_t count); /* fills 0..count-1, shuffled */

/* FNV-1a, 64 bit, for keys and hash tables; `hash` chains calls (start with TTT_HASH_START). */
#define TTT_HASH_START 0xcbf29ce484222325u
uint64_t ttt_hash(uint64_t hash, const void *data, size_t bytes);

#endif
