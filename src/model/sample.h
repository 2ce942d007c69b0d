/* Sampling: which token comes next, given the log-probabilities of all. */
#ifndef TTT_MODEL_SAMPLE_H
#define TTT_MODEL_SAMPLE_H

#include "base/random.h"
#include "base/status.h"

#include <stdint.h>

/* The id of the largest of [vocabulary] numbers, of equals the lowest. */
int32_t ttt_most_probable(const float *log_probabilities, int32_t vocabulary);

/* In this order: probabilities are raised to 1/temperature; only the top_k most probable tokens stay; of these only the
 * fewest whose share reaches top_p (Holtzman et al., "The Curious Case of Neural Text Degeneration", 2020). */
typedef struct ttt_sampling {
    double temperature; /* 0: always the most probable token */
    int32_t top_k;      /* 0: all */
    double top_p;       /* 1: all */
} ttt_sampling;

/* Zero-initialise; release with ttt_sampler_release. Choosing allocates nothing. */
typedef struct ttt_sampler {
    ttt_sampling sampling;
    ttt_random random;
    int32_t vocabulary;
    int32_t *order; /* [vocabulary] scratch: a heap, and behind it what was taken from it */
} ttt_sampler;

/* One sequence of draws for each seed. A temperature below 0, or top_p outside (0, 1]: TTT_ERROR_ARGUMENT. */
ttt_status ttt_sampler_init(ttt_sampler *sampler, const ttt_sampling *sampling, uint64_t seed, int32_t vocabulary,
                            ttt_error *err);
void ttt_sampler_release(ttt_sampler *sampler);
/* log_probabilities [vocabulary], -INFINITY for tokens that must not come; at least one is finite. Of equally probable
 * tokens the one with the lower id counts as the more probable. */
int32_t ttt_sampler_choose(ttt_sampler *sampler, const float *log_probabilities);

#endif
