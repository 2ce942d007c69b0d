/* A heap brings the most probable tokens one by one, for a handful is all that top_k and top_p leave of a vocabulary
 * of a hundred thousand; sorting it all would cost more than the model's output layer on a small model. */
#include "model/sample.h"

#include "base/memory.h"

#include <math.h>

ttt_status ttt_sampler_init(ttt_sampler *sampler, const ttt_sampling *sampling, uint64_t seed, int32_t vocabulary,
                            ttt_error *err) {
    *sampler = (ttt_sampler){0};
    if (!(sampling->temperature >= 0) || !isfinite(sampling->temperature) || sampling->top_k < 0 ||
        !(sampling->top_p > 0 && sampling->top_p <= 1)) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT,
                        "sampling with temperature %g, top-k %d, top-p %g: expected a temperature of at least 0, a "
                        "top-k of at least 0, a top-p above 0 and at most 1",
                        sampling->temperature, sampling->top_k, sampling->top_p);
    }
    sampler->order = ttt_allocate((size_t)vocabulary, sizeof *sampler->order);
    if (sampler->order == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for sampling");
    sampler->sampling = *sampling;
    sampler->random = ttt_random_stream(seed, "", "sample");
    sampler->vocabulary = vocabulary;
    return TTT_OK;
}

void ttt_sampler_release(ttt_sampler *sampler) {
    ttt_free(sampler->order);
    *sampler = (ttt_sampler){0};
}

static bool before(const float *log_probabilities, int32_t a, int32_t b) {
    return log_probabilities[a] != log_probabilities[b] ? log_probabilities[a] > log_probabilities[b] : a < b;
}

static void sift_down(int32_t *heap, int32_t count, int32_t at, const float *log_probabilities) {
    if (count == 0) return;
    const int32_t moved = heap[at];
    for (int32_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && before(log_probabilities, heap[child + 1], heap[child])) child++;
        if (!before(log_probabilities, heap[child], moved)) break;
        heap[at] = heap[child];
    }
    heap[at] = moved;
}

int32_t ttt_most_probable(const float *log_probabilities, int32_t vocabulary) {
    int32_t best = 0;
    for (int32_t v = 1; v < vocabulary; v++) {
        if (before(log_probabilities, v, best)) best = v;
    }
    return best;
}

/* Relative to the most probable token, so that nothing overflows. */
static double weight(const ttt_sampler *sampler, const float *log_probabilities, int32_t id, float best) {
    return exp(((double)log_probabilities[id] - (double)best) / sampler->sampling.temperature);
}

/* Moves the `count` most probable tokens from the heap to the end of the array, the most probable last, or fewer once
 * their weight reaches `enough`. Returns how many; *sum is their weight. */
static int32_t take(ttt_sampler *sampler, const float *log_probabilities, float best, int32_t count, double enough,
                    double *sum) {
    int32_t taken = 0, left = sampler->vocabulary, *heap = sampler->order;
    *sum = 0;
    for (; taken < count && (taken == 0 || *sum < enough); taken++) {
        const int32_t top = heap[0];
        heap[0] = heap[--left];
        sift_down(heap, left, 0, log_probabilities);
        heap[left] = top;
        *sum += weight(sampler, log_probabilities, top, best);
    }
    return taken;
}

/* Which tokens may be drawn: the last ones of the array. Returns how many; *sum is their weight. */
static int32_t keep(ttt_sampler *sampler, const float *log_probabilities, float best, double *sum) {
    const ttt_sampling *sampling = &sampler->sampling;
    const int32_t vocabulary = sampler->vocabulary;
    int32_t *order = sampler->order, kept = vocabulary;
    *sum = 0;
    for (int32_t v = 0; v < vocabulary; v++) {
        order[v] = v;
        *sum += weight(sampler, log_probabilities, v, best);
    }
    const bool cut = sampling->top_k > 0 && sampling->top_k < vocabulary;
    if (!cut && sampling->top_p == 1) return kept;
    for (int32_t at = vocabulary / 2 - 1; at >= 0; at--) sift_down(order, vocabulary, at, log_probabilities);
    if (!cut) return take(sampler, log_probabilities, best, vocabulary, sampling->top_p * *sum, sum);
    kept = take(sampler, log_probabilities, best, sampling->top_k, INFINITY, sum);
    const double enough = sampling->top_p * *sum;
    int32_t nucleus = 0;
    for (*sum = 0; nucleus < kept && (nucleus == 0 || *sum < enough); nucleus++) {
        *sum += weight(sampler, log_probabilities, order[vocabulary - 1 - nucleus], best);
    }
    return nucleus;
}

int32_t ttt_sampler_choose(ttt_sampler *sampler, const float *log_probabilities) {
    const int32_t vocabulary = sampler->vocabulary;
    int32_t chosen = ttt_most_probable(log_probabilities, vocabulary);
    if (sampler->sampling.temperature == 0) return chosen;
    const float best = log_probabilities[chosen];
    double sum;
    const int32_t kept = keep(sampler, log_probabilities, best, &sum);
    double left = sum * ttt_random_unit(&sampler->random);
    for (int32_t i = vocabulary - 1; i >= vocabulary - kept && left >= 0; i--) {
        const double share = weight(sampler, log_probabilities, sampler->order[i], best);
        if (share > 0) chosen = sampler->order[i]; /* rounding may leave a rest after the last one */
        left -= share;
    }
    return chosen;
}
