/* Philox 4x32-10: the key names the stream, the counter the block within it; ten rounds of multiply and xor make
 * four words of each. Streams differ by key alone, so the upper half of the 128-bit counter stays zero. */
#include "base/random.h"

#include <assert.h>
#include <math.h>
#include <string.h>

void ttt_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t words[4]) {
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0;
        uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u; /* the published key schedule: golden ratio and sqrt(3) - 1 */
        k1 += 0xBB67AE85u;
    }
    words[0] = c0;
    words[1] = c1;
    words[2] = c2;
    words[3] = c3;
}

uint64_t ttt_hash(uint64_t hash, const void *data, size_t bytes) {
    const unsigned char *byte = data;
    for (size_t i = 0; i < bytes; i++) hash = (hash ^ byte[i]) * 0x100000001b3u;
    return hash;
}

/* In a fixed byte order, so that keys are the same on every machine. */
static uint64_t hash_u64(uint64_t hash, uint64_t value) {
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)(value >> (8 * i));
    return ttt_hash(hash, bytes, sizeof bytes);
}

static ttt_random stream_with_key(uint64_t key) {
    return (ttt_random){.key = key, .used = 4};
}

ttt_random ttt_random_stream(uint64_t seed, const char *task, const char *purpose) {
    uint64_t key = hash_u64(TTT_HASH_START, seed);
    /* With their final NULs, so that ("ab", "c") and ("a", "bc") differ. */
    key = ttt_hash(key, task, strlen(task) + 1);
    key = ttt_hash(key, purpose, strlen(purpose) + 1);
    return stream_with_key(key);
}

ttt_random ttt_random_fork(const ttt_random *parent, uint64_t index) {
    return stream_with_key(hash_u64(hash_u64(TTT_HASH_START, parent->key), index));
}

uint32_t ttt_random_u32(ttt_random *random) {
    if (random->used >= 4) {
        const uint32_t counter[4] = {(uint32_t)random->counter, (uint32_t)(random->counter >> 32), 0, 0};
        const uint32_t key[2] = {(uint32_t)random->key, (uint32_t)(random->key >> 32)};
        ttt_philox(counter, key, random->block);
        random->counter++;
        random->used = 0;
    }
    return random->block[random->used++];
}

uint64_t ttt_random_u64(ttt_random *random) {
    uint64_t low = ttt_random_u32(random);
    return low | (uint64_t)ttt_random_u32(random) << 32;
}

/* Lemire, "Fast random integer generation in an interval", 2019: the high word of a product, and the few low words
 * that would favour some results are drawn again. */
uint32_t ttt_random_below(ttt_random *random, uint32_t bound) {
    assert(bound >= 1);
    uint32_t reject_below = (0u - bound) % bound;
    uint64_t product;
    do {
        product = (uint64_t)ttt_random_u32(random) * bound;
    } while ((uint32_t)product < reject_below);
    return (uint32_t)(product >> 32);
}

double ttt_random_unit(ttt_random *random) {
    return (double)(ttt_random_u64(random) >> 11) * 0x1p-53;
}

/* Box and Muller, the cosine half only: a kept second value would be state that ttt_random does not have. */
double ttt_random_normal(ttt_random *random) {
    double radius = sqrt(-2.0 * log(1.0 - ttt_random_unit(random))); /* 1 - unit is never 0 */
    return radius * cos(2.0 * 3.14159265358979323846 * ttt_random_unit(random));
}

void ttt_random_permutation(ttt_random *random, int *order, size_t count) {
    for (size_t i = 0; i < count; i++) { /* Fisher and Yates, from the inside out */
        size_t j = ttt_random_below(random, (uint32_t)(i + 1));
        order[i] = order[j];
        order[j] = (int)i;
    }
}
