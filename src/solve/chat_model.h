/* A chat model decoded here: the same questions as a server's, answered with our own decoding. */
#ifndef TTT_SOLVE_CHAT_MODEL_H
#define TTT_SOLVE_CHAT_MODEL_H

#include "solve/chat_question.h"
#include "solve/solve_settings.h"

typedef struct ttt_chat_model ttt_chat_model;

/* Loads a model folder with its tokenizer, or a GGUF file; a model without a chat format is TTT_ERROR_ARGUMENT.
 * `device` NULL: cpu; threads 0: one per core. Settings are borrowed. */
ttt_status ttt_chat_model_new(const char *path, const char *device, int threads, const ttt_solve_settings *settings,
                              uint64_t seed, ttt_chat_model **model, ttt_error *err);
void ttt_chat_model_free(ttt_chat_model *model); /* NULL is fine */

/* Asks for all samples, until the callback has enough or the time is up. The answer of sample i depends on (seed, i)
 * and the question alone. An answer that the time cuts off is none; one that max_tokens cuts off is. A question that
 * does not fit the model's context is TTT_ERROR_ARGUMENT; TTT_ERROR_CANCELLED: the stop flag; no answer in time:
 * TTT_ERROR_IO. */
ttt_status ttt_chat_model_ask(ttt_chat_model *model, const ttt_chat_question *question, ttt_error *err);

#endif
