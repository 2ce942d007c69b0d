/* A tiny model and sequences for it: what the tests of this folder share. Include support.h first. */
#ifndef TTT_TESTS_MODEL_FIXTURE_H
#define TTT_TESTS_MODEL_FIXTURE_H

#include "base/random.h"
#include "model/decode.h"
#include "model/session.h"

enum { FIXTURE_AXES = 3, FIXTURE_VOCABULARY = 19 };

/* Two layers, four query and two key/value heads, three axes. */
ttt_model_config fixture_config(bool tied);
/* The backend that TTT_ISA names; the test is skipped where this machine has not got it. */
ttt_backend *fixture_backend(void); /* with two threads */
ttt_backend *fixture_backend_with_threads(int threads);
ttt_backend *fixture_ref(void);
/* A random model, made livelier than a fresh one: matrices ten times as large, so that attention is not flat. */
ttt_model *fixture_model(ttt_backend *backend, const ttt_model_config *config);

/* A sequence of random ids and small positions with a look-ahead block [block_first, block_end) and targets on about
 * two rows of three. Release with ttt_sequence_release. */
ttt_sequence fixture_sequence(uint64_t seed, int32_t length, int32_t block_first, int32_t block_end);
/* Sequences of `count` lengths, packed with the weight 1 on every loss. */
ttt_packing *fixture_packing(const ttt_sequence *sequences, size_t count, int32_t max_tokens);

ttt_session_options fixture_full(int32_t max_tokens);
ttt_session_options fixture_lora(int32_t max_tokens, uint32_t targets);
ttt_session_options fixture_inference(int32_t max_tokens);
ttt_session *fixture_session(ttt_model *model, const ttt_session_options *options);

/* All numbers of a part of all parameters, one after the other; ttt_free. */
float *fixture_parameters(const ttt_session *session, ttt_weight_part part, size_t *count);

#endif
