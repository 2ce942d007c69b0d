/* Random numbers: the published vectors of Philox, keys, forks, and the shape of every distribution. The bounds of
 * the statistical checks are five standard deviations of fixed streams: they either hold for ever or never. */
#include "support.h"

#include "base/random.h"

#include <math.h>
#include <stdbool.h>

/* From the known-answer file of the authors' library Random123 (kat_vectors, philox4x32, 10 rounds). */
static void philox__matches_the_published_vectors(void **state) {
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], words[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t words[4];
        ttt_philox(cases[i].counter, cases[i].key, words);
        for (int j = 0; j < 4; j++) assert_int_equal(words[j], cases[i].words[j]);
    }
}

static void stream__draws_the_blocks_of_its_key_in_order(void **state) {
    (void)state;
    ttt_random random = ttt_random_stream(1, "task", "views");
    const uint32_t key[2] = {(uint32_t)random.key, (uint32_t)(random.key >> 32)};
    for (uint32_t block = 0; block < 5; block++) {
        const uint32_t counter[4] = {block, 0, 0, 0};
        uint32_t words[4];
        ttt_philox(counter, key, words);
        for (int j = 0; j < 4; j++) assert_int_equal(ttt_random_u32(&random), words[j]);
    }
}

static void stream__depends_on_seed_task_and_purpose(void **state) {
    (void)state;
    const ttt_random streams[] = {
        ttt_random_stream(1, "ab", "c"), ttt_random_stream(2, "ab", "c"), ttt_random_stream(1, "a", "bc"),
        ttt_random_stream(1, "", "abc"), ttt_random_stream(1, "abc", ""), ttt_random_stream(1ull << 40, "ab", "c"),
    };
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        for (size_t j = 0; j < i; j++) assert_true(streams[i].key != streams[j].key);
    }
    ttt_random again = ttt_random_stream(1, "ab", "c");
    assert_memory_equal(&again, &streams[0], sizeof again);
}

static void stream__copy_resumes_bit_for_bit(void **state) {
    (void)state;
    ttt_random random = ttt_random_stream(7, "t", "p");
    for (int i = 0; i < 6; i++) ttt_random_u32(&random);
    ttt_random saved = random;
    uint64_t first = ttt_random_u64(&random);
    double second = ttt_random_normal(&random);
    assert_true(ttt_random_u64(&saved) == first);
    assert_true(ttt_random_normal(&saved) == second);
}

static void fork__gives_unlike_streams_and_leaves_the_parent(void **state) {
    (void)state;
    ttt_random parent = ttt_random_stream(7, "t", "p");
    ttt_random before = parent;
    ttt_random a = ttt_random_fork(&parent, 0), b = ttt_random_fork(&parent, 1), again = ttt_random_fork(&parent, 0);
    assert_memory_equal(&parent, &before, sizeof parent);
    assert_true(a.key != b.key && a.key != parent.key && b.key != parent.key);
    assert_true(a.key == again.key);
    ttt_random_u32(&parent); /* what the parent has drawn does not matter */
    assert_true(ttt_random_fork(&parent, 1).key == b.key);
}

static void below__is_uniform_and_within_bound(void **state) {
    (void)state;
    ttt_random random = ttt_random_stream(3, "", "below");
    enum { DRAWS = 60000, BOUND = 6 };
    int seen[BOUND] = {0};
    for (int i = 0; i < DRAWS; i++) {
        uint32_t drawn = ttt_random_below(&random, BOUND);
        assert_true(drawn < BOUND);
        seen[drawn]++;
    }
    const double expected = (double)DRAWS / BOUND, deviation = sqrt(DRAWS * (1.0 / BOUND) * (1 - 1.0 / BOUND));
    for (int i = 0; i < BOUND; i++) assert_true(fabs(seen[i] - expected) < 5 * deviation);
    for (int i = 0; i < 100; i++) assert_int_equal(ttt_random_below(&random, 1), 0);
}

/* With this bound a plain modulo (or product without rejection) gives a third of all results half of the mass. */
static void below__is_unbiased_for_large_bounds(void **state) {
    (void)state;
    ttt_random random = ttt_random_stream(4, "", "below");
    const uint32_t bound = 3u << 30;
    enum { DRAWS = 30000 };
    int third[3] = {0};
    for (int i = 0; i < DRAWS; i++) third[ttt_random_below(&random, bound) >> 30]++;
    for (int i = 0; i < 3; i++) assert_true(abs(third[i] - DRAWS / 3) < 5 * sqrt(DRAWS * 2.0 / 9));
    int residue[3] = {0};
    for (int i = 0; i < DRAWS; i++) residue[ttt_random_below(&random, bound) % 3]++;
    for (int i = 0; i < 3; i++) assert_true(abs(residue[i] - DRAWS / 3) < 5 * sqrt(DRAWS * 2.0 / 9));
}

static void unit_and_normal__have_their_moments(void **state) {
    (void)state;
    ttt_random random = ttt_random_stream(5, "", "moments");
    enum { DRAWS = 100000 };
    double sum = 0, squares = 0, normal_sum = 0, normal_squares = 0, tail = 0;
    for (int i = 0; i < DRAWS; i++) {
        double u = ttt_random_unit(&random), z = ttt_random_normal(&random);
        assert_true(u >= 0 && u < 1 && isfinite(z));
        sum += u;
        squares += u * u;
        normal_sum += z;
        normal_squares += z * z;
        tail += fabs(z) > 1.959963985;
    }
    const double root = sqrt((double)DRAWS);
    assert_true(fabs(sum / DRAWS - 0.5) < 5 * 0.2887 / root);
    assert_true(fabs(squares / DRAWS - 1.0 / 3) < 5 * 0.2981 / root);
    assert_true(fabs(normal_sum / DRAWS) < 5 / root);
    assert_true(fabs(normal_squares / DRAWS - 1) < 5 * 1.4142 / root);
    assert_true(fabs(tail / DRAWS - 0.05) < 5 * 0.2179 / root);
}

static void permutation__is_one_and_every_order_is_as_likely(void **state) {
    (void)state;
    ttt_random random = ttt_random_stream(6, "", "orders");
    enum { DRAWS = 24000 };
    int seen[3][3][3] = {0}, order[50];
    for (int i = 0; i < DRAWS; i++) {
        ttt_random_permutation(&random, order, 3);
        seen[order[0]][order[1]][order[2]]++;
    }
    int orders = 0;
    for (int a = 0; a < 3; a++) {
        for (int b = 0; b < 3; b++) {
            for (int c = 0; c < 3; c++) {
                if (seen[a][b][c] == 0) continue;
                orders++;
                assert_true(a != b && b != c && a != c);
                assert_true(abs(seen[a][b][c] - DRAWS / 6) < 5 * sqrt(DRAWS * 5.0 / 36));
            }
        }
    }
    assert_int_equal(orders, 6);
    ttt_random_permutation(&random, order, 50);
    bool found[50] = {false};
    for (int i = 0; i < 50; i++) found[order[i]] = true;
    for (int i = 0; i < 50; i++) assert_true(found[i]);
    ttt_random_permutation(&random, order, 0);
}

/* From the FNV reference (Noll): the empty string, "a", "foobar". */
static void hash__matches_published_values_and_chains(void **state) {
    (void)state;
    assert_true(ttt_hash(TTT_HASH_START, "", 0) == 0xcbf29ce484222325u);
    assert_true(ttt_hash(TTT_HASH_START, "a", 1) == 0xaf63dc4c8601ec8cu);
    assert_true(ttt_hash(TTT_HASH_START, "foobar", 6) == 0x85944171f73967e8u);
    assert_true(ttt_hash(ttt_hash(TTT_HASH_START, "foo", 3), "bar", 3) == 0x85944171f73967e8u);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox__matches_the_published_vectors),
        cmocka_unit_test(stream__draws_the_blocks_of_its_key_in_order),
        cmocka_unit_test(stream__depends_on_seed_task_and_purpose),
        cmocka_unit_test(stream__copy_resumes_bit_for_bit),
        cmocka_unit_test(fork__gives_unlike_streams_and_leaves_the_parent),
        cmocka_unit_test(below__is_uniform_and_within_bound),
        cmocka_unit_test(below__is_unbiased_for_large_bounds),
        cmocka_unit_test(unit_and_normal__have_their_moments),
        cmocka_unit_test(permutation__is_one_and_every_order_is_as_likely),
        cmocka_unit_test(hash__matches_published_values_and_chains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
