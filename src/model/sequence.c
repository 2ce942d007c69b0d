/* Sequences: four arrays that grow together. */
#include "model/sequence.h"

#include <assert.h>
#include <string.h>

/* Grows one array to `capacity` entries of `width` numbers. */
static bool grow(int32_t **array, int32_t old_capacity, int32_t capacity, int32_t width) {
    int32_t *grown =
        ttt_reallocate(*array, (size_t)old_capacity * (size_t)width, (size_t)capacity * (size_t)width, sizeof **array);
    if (grown == NULL) return false;
    *array = grown;
    return true;
}

ttt_status ttt_sequence_reserve(ttt_sequence *sequence, int32_t capacity, int32_t axes, ttt_error *err) {
    assert(capacity >= 0 && axes >= 1 && axes <= TTT_MAX_AXES);
    assert(sequence->length == 0 || sequence->axes == axes);
    if (sequence->axes != axes) { /* empty: rows of positions of another width are of no use */
        ttt_sequence_release(sequence);
        sequence->axes = axes;
    }
    if (capacity <= sequence->capacity) return TTT_OK;
    int32_t grown = sequence->capacity + sequence->capacity / 2;
    if (grown < capacity) grown = capacity;
    const int32_t old = sequence->capacity;
    if (!grow(&sequence->ids, old, grown, 1) || !grow(&sequence->positions, old, grown, axes) ||
        !grow(&sequence->kv_high, old, grown, 1) || !grow(&sequence->targets, old, grown, 1)) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a sequence of %d tokens", grown);
    }
    sequence->capacity = grown;
    return TTT_OK;
}

void ttt_sequence_append(ttt_sequence *sequence, int32_t id, const int32_t *position) {
    assert(sequence->length < sequence->capacity);
    const int32_t t = sequence->length++;
    sequence->ids[t] = id;
    memcpy(sequence->positions + (size_t)t * (size_t)sequence->axes, position,
           (size_t)sequence->axes * sizeof *position);
    sequence->kv_high[t] = t + 1;
    sequence->targets[t] = -1;
}

void ttt_sequence_release(ttt_sequence *sequence) {
    ttt_free(sequence->ids);
    ttt_free(sequence->positions);
    ttt_free(sequence->kv_high);
    ttt_free(sequence->targets);
    *sequence = (ttt_sequence){0};
}

double ttt_sequence_keys(const ttt_sequence *sequence, int32_t window) {
    double keys = 0;
    for (int32_t t = 0; t < sequence->length; t++) keys += sequence->kv_high[t] - ttt_window_low(window, t);
    return keys;
}

int32_t ttt_sequence_counted(const ttt_sequence *sequence) {
    int32_t counted = 0;
    for (int32_t t = 0; t < sequence->length; t++) counted += sequence->targets[t] >= 0;
    return counted;
}
