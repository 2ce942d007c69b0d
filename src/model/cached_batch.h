/* Batches whose keys and values stay in a cache: pieces of prompts, tokens of answers. Private to src/model. */
#ifndef TTT_MODEL_CACHED_BATCH_H
#define TTT_MODEL_CACHED_BATCH_H

#include "model/decode.h"
#include "model/kv_cache.h"
#include "model/session_inside.h"

/* Room for as many tokens and sequences as the session has; filled and run again and again without allocating. */
typedef struct ttt_cached_batch {
    ttt_session *session; /* borrowed, as is the cache */
    ttt_kv_cache *cache;
    int32_t vocabulary, axes, window;
    ttt_batch batch; /* its pointers are those below */
    int32_t *ids, *positions, *sequence, *index, *kv_low, *kv_high;
    int32_t *page_first, *pages;
    int32_t segment_end, segment_adapter;
} ttt_cached_batch;

ttt_status ttt_cached_batch_init(ttt_cached_batch *batch, ttt_session *session, ttt_kv_cache *cache, ttt_error *err);
void ttt_cached_batch_release(ttt_cached_batch *batch);
void ttt_cached_batch_clear(ttt_cached_batch *batch);
int32_t ttt_cached_batch_room(const ttt_cached_batch *batch); /* tokens; 0 also when there is no room for a sequence */

/* Appends the rows [first, end) of `tokens` to the cached sequence `handle` (its length grows) and to the batch. What
 * `tokens` calls key 0 is key `base` of the cached sequence; its length must be base + first. A sequence appears once
 * in a batch. TTT_ERROR_MEMORY and no change when the cache is full. */
ttt_status ttt_cached_batch_add(ttt_cached_batch *batch, ttt_kv_sequence handle, const ttt_sequence *tokens,
                                int32_t first, int32_t end, int32_t base, ttt_error *err);
/* Runs the forward pass; the result is borrowed until the next. */
ttt_status ttt_cached_batch_run(ttt_cached_batch *batch, ttt_buffer **final, ttt_error *err);

/* The largest end of a piece [first, end) of at most `room` tokens in which no row looks beyond the end: a row's keys
 * must all be written in its batch or before. `first` itself when there is none. */
int32_t ttt_piece_end(const ttt_sequence *tokens, int32_t first, int32_t room);
/* The deadline is over or the stop flag is up. */
bool ttt_decode_out_of_time(const ttt_decode_options *options);
/* Ids and axes must be the model's. `what` names the sequence in the error. */
ttt_status ttt_check_tokens(const ttt_session *session, const ttt_sequence *tokens, const char *what, ttt_error *err);

#endif
