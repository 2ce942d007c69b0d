/* A sequence: one example, or one prompt, as the model sees it; and the packing of sequences into a batch. */
#ifndef TTT_MODEL_SEQUENCE_H
#define TTT_MODEL_SEQUENCE_H

#include "base/memory.h"
#include "tensor/backend.h"

/* Token t has ids[t], positions[t·axes ...], attends to the keys [0, kv_high[t]) of its own sequence
 * (t < kv_high[t] <= length; a model with a sliding window leaves out those before ttt_window_low), and carries loss
 * for targets[t], the id that should follow, or -1: not counted. Owns its arrays; zero-initialise, release with
 * ttt_sequence_release. */
typedef struct ttt_sequence {
    int32_t length, capacity, axes; /* lengths in tokens */
    int32_t *ids, *positions, *kv_high, *targets;
} ttt_sequence;

/* Makes room for `capacity` tokens in all and sets axes (must not change while length > 0). */
ttt_status ttt_sequence_reserve(ttt_sequence *sequence, int32_t capacity, int32_t axes, ttt_error *err);
/* Appends a causal token (kv_high = its index + 1, target -1); room must have been reserved. */
void ttt_sequence_append(ttt_sequence *sequence, int32_t id, const int32_t *position);
void ttt_sequence_release(ttt_sequence *sequence);
/* The first key that token `index` sees in a model whose sliding window is `window` keys, its own the last; 0: none. */
static inline int32_t ttt_window_low(int32_t window, int32_t index) {
    return window > 0 && index >= window ? index - window + 1 : 0;
}
/* Sum over tokens of the keys they attend to, and number of counted targets: for counting operations. */
double ttt_sequence_keys(const ttt_sequence *sequence, int32_t window);
int32_t ttt_sequence_counted(const ttt_sequence *sequence);

/* A packed batch under construction: the arrays of a ttt_batch and of the loss, for up to max_tokens tokens and
 * max_sequences sequences (sized once; adding never allocates), for a model with `axes` and `window` as in its config.
 */
typedef struct ttt_packing ttt_packing;
ttt_status ttt_packing_new(int32_t max_tokens, int32_t max_sequences, int32_t axes, int32_t window,
                           ttt_packing **packing, ttt_error *err);
void ttt_packing_free(ttt_packing *packing); /* NULL is fine */
void ttt_packing_clear(ttt_packing *packing);
bool ttt_packing_fits(const ttt_packing *packing, const ttt_sequence *sequence);
/* Appends a whole sequence on fresh pages, its rows using adapter `adapter` (-1: none); must fit. Every counted target
 * enters the loss with weight `scale`. */
void ttt_packing_add(ttt_packing *packing, const ttt_sequence *sequence, int32_t adapter, float scale);
/* Most pages that a packing of these sizes can take; it numbers them from 0. */
int32_t ttt_packing_pages(int32_t max_tokens, int32_t max_sequences);
/* What was packed, valid until the next clear. Of the counted targets, in order: their rows, ids and weights (which the
 * caller may still change). */
const ttt_batch *ttt_packing_batch(const ttt_packing *packing);
int32_t ttt_packing_counted(const ttt_packing *packing, const int32_t **rows, const int32_t **targets, float **scales);

#endif
