/* Sampling: what may be drawn, how often, and that a seed decides. */
#include "support.h"

#include "base/memory.h"
#include "model/sample.h"

#include <math.h>

enum { V = 7, DRAWS = 20000 };
static const double PROBABILITIES[V] = {0.02, 0.3, 0.05, 0.3, 0.0, 0.25, 0.08};

static void log_probabilities(float *to) {
    for (int v = 0; v < V; v++) to[v] = PROBABILITIES[v] > 0 ? (float)log(PROBABILITIES[v]) : -INFINITY;
}

static void count_draws(ttt_sampling sampling, uint64_t seed, int *counts) {
    ttt_error err;
    ttt_sampler sampler;
    float row[V];
    log_probabilities(row);
    memset(counts, 0, V * sizeof *counts);
    ASSERT_OK(ttt_sampler_init(&sampler, &sampling, seed, V, &err));
    const size_t allocations = ttt_memory_allocation_count();
    for (int i = 0; i < DRAWS; i++) counts[ttt_sampler_choose(&sampler, row)]++;
    assert_int_equal(ttt_memory_allocation_count(), allocations);
    ttt_sampler_release(&sampler);
}

/* Every count within five standard deviations of a binomial. */
static void assert_shares(const int *counts, const double *shares) {
    for (int v = 0; v < V; v++) {
        const double deviation = sqrt(DRAWS * shares[v] * (1 - shares[v]));
        if (fabs(counts[v] - DRAWS * shares[v]) > 5 * deviation) {
            fail_msg("token %d was drawn %d times, expected %.0f", v, counts[v], DRAWS * shares[v]);
        }
    }
}

static void temperature_zero__takes_the_most_probable_of_equals_the_lowest_id(void **state) {
    (void)state;
    int counts[V];
    count_draws((ttt_sampling){.top_p = 1}, 1, counts);
    assert_int_equal(counts[1], DRAWS);
}

static void temperature_one__draws_as_often_as_the_model_says(void **state) {
    (void)state;
    int counts[V];
    count_draws((ttt_sampling){.temperature = 1, .top_p = 1}, 1, counts);
    assert_shares(counts, PROBABILITIES);
    assert_int_equal(counts[4], 0);
}

static void temperature__raises_probabilities_to_its_inverse(void **state) {
    (void)state;
    int counts[V];
    double shares[V], sum = 0;
    for (int v = 0; v < V; v++) sum += shares[v] = PROBABILITIES[v] * PROBABILITIES[v];
    for (int v = 0; v < V; v++) shares[v] /= sum;
    count_draws((ttt_sampling){.temperature = 0.5, .top_p = 1}, 2, counts);
    assert_shares(counts, shares);
}

static void top_k__keeps_the_k_most_probable(void **state) {
    (void)state;
    int counts[V];
    count_draws((ttt_sampling){.temperature = 1, .top_k = 2, .top_p = 1}, 3, counts);
    assert_shares(counts, (double[V]){0, 0.5, 0, 0.5, 0, 0, 0});
    count_draws((ttt_sampling){.temperature = 1, .top_k = 1, .top_p = 1}, 3, counts);
    assert_int_equal(counts[1], DRAWS);
    count_draws((ttt_sampling){.temperature = 1, .top_k = V + 1, .top_p = 1}, 3, counts);
    assert_shares(counts, PROBABILITIES);
}

static void top_p__keeps_the_fewest_that_reach_it(void **state) {
    (void)state;
    int counts[V];
    count_draws((ttt_sampling){.temperature = 1, .top_p = 0.84}, 4, counts);
    assert_shares(counts, (double[V]){0, 0.3 / 0.85, 0, 0.3 / 0.85, 0, 0.25 / 0.85, 0});
    count_draws((ttt_sampling){.temperature = 1, .top_p = 1e-9}, 4, counts);
    assert_int_equal(counts[1], DRAWS);
}

/* Of the three most probable (0.85 in all) two reach 0.7 · 0.85 = 0.595. */
static void top_p__counts_within_top_k(void **state) {
    (void)state;
    int counts[V];
    count_draws((ttt_sampling){.temperature = 1, .top_k = 3, .top_p = 0.7}, 5, counts);
    assert_shares(counts, (double[V]){0, 0.5, 0, 0.5, 0, 0, 0});
}

static void seed__decides_every_draw(void **state) {
    (void)state;
    ttt_error err;
    const ttt_sampling sampling = {.temperature = 1, .top_p = 1};
    ttt_sampler a, b, c;
    float row[V];
    int differences = 0;
    log_probabilities(row);
    ASSERT_OK(ttt_sampler_init(&a, &sampling, 6, V, &err));
    ASSERT_OK(ttt_sampler_init(&b, &sampling, 6, V, &err));
    ASSERT_OK(ttt_sampler_init(&c, &sampling, 7, V, &err));
    for (int i = 0; i < 100; i++) {
        const int32_t id = ttt_sampler_choose(&a, row);
        assert_int_equal(ttt_sampler_choose(&b, row), id);
        differences += ttt_sampler_choose(&c, row) != id;
    }
    assert_true(differences > 0);
    ttt_sampler_release(&a);
    ttt_sampler_release(&b);
    ttt_sampler_release(&c);
}

static void impossible_settings__are_refused(void **state) {
    (void)state;
    ttt_error err;
    ttt_sampler sampler;
    const ttt_sampling bad[] = {{.temperature = -1, .top_p = 1},
                                {.temperature = NAN, .top_p = 1},
                                {.temperature = INFINITY, .top_p = 1},
                                {.top_k = -1, .top_p = 1},
                                {.top_p = 0},
                                {.top_p = 1.5},
                                {.top_p = NAN}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ASSERT_FAILS(ttt_sampler_init(&sampler, &bad[i], 0, V, &err), TTT_ERROR_ARGUMENT, "expected a temperature");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(temperature_zero__takes_the_most_probable_of_equals_the_lowest_id),
        cmocka_unit_test(temperature_one__draws_as_often_as_the_model_says),
        cmocka_unit_test(temperature__raises_probabilities_to_its_inverse),
        cmocka_unit_test(top_k__keeps_the_k_most_probable),
        cmocka_unit_test(top_p__keeps_the_fewest_that_reach_it),
        cmocka_unit_test(top_p__counts_within_top_k),
        cmocka_unit_test(seed__decides_every_draw),
        cmocka_unit_test(impossible_settings__are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
