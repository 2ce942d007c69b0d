/* The engine: model, session, trainer and key/value store that tasks share one after the other, and how fast they are.
 */
#ifndef TTT_SOLVE_ENGINE_H
#define TTT_SOLVE_ENGINE_H

#include "base/progress.h"
#include "model/decode.h"
#include "solve/plan.h"
#include "train/loop.h"

typedef struct ttt_engine {
    ttt_model *model;                      /* borrowed */
    const ttt_solve_settings *settings;    /* borrowed */
    bool training;                         /* the session can train */
    int32_t step_examples;                 /* of an optimizer step */
    int32_t example_tokens, prompt_tokens; /* longest example; longest prompt with its answer */
    ttt_session *session;
    ttt_trainer *trainer;
    ttt_kv_cache *cache; /* NULL until ttt_engine_cache */
    int32_t cache_pages, cache_sequences;
    ttt_speed speed; /* what was measured so far */
    const ttt_stop_flag *stop;
    ttt_progress progress;
} ttt_engine;

/* A small model of grid tokens, or a language model? Some settings are chosen by this. */
static inline bool ttt_is_grid_model(const ttt_model *model) {
    return ttt_model_get_config(model)->encoding != NULL;
}

/* Takes all memory but the key/value store's. Zero-initialised or released engines may be released again. */
ttt_status ttt_engine_init(ttt_engine *engine, ttt_model *model, const ttt_solve_settings *settings, bool training,
                           ttt_error *err);
void ttt_engine_release(ttt_engine *engine);

/* Makes engine->cache hold at least so many pages and sequences, as far as views.cache_mb allows; fewer pages than
 * `least` are an error. */
ttt_status ttt_engine_cache(ttt_engine *engine, int32_t pages, int32_t least, int32_t sequences, ttt_error *err);

/* Measures the speeds with made-up tokens: a fraction of a second on a fast machine. Changes the session's state. */
ttt_status ttt_engine_measure(ttt_engine *engine, ttt_error *err);

/* Counted operations of an example or a prompt of so many tokens, before it is made: causal, half of its tokens with
 * loss, one row of output for a prompt. */
double ttt_engine_example_operations(const ttt_engine *engine, int32_t tokens);
double ttt_engine_prompt_operations(const ttt_engine *engine, int32_t tokens);

#endif
