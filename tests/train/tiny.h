/* A tiny model on the oracle and a toy language, shared by the tests of src/train: eight tokens, positions on one axis;
 * an example repeats a random word after a mark (7), which can only be right by looking back. */
#ifndef TTT_TESTS_TRAIN_TINY_H
#define TTT_TESTS_TRAIN_TINY_H

#include "support.h"

#include "train/loop.h"

enum { TINY_TOKENS = 64, TINY_WORD = 4, TINY_MARK = 7 };

typedef struct tiny_model {
    ttt_backend *backend;
    ttt_model *model;
    ttt_session *session;
    ttt_trainer *trainer;
    int64_t last; /* examples there are, -1: endless */
} tiny_model;

/* Full training of a random model, always the same one. */
void tiny_init(tiny_model *tiny);
void tiny_release(tiny_model *tiny);
/* A ttt_train_options.next over a tiny: example `number` is a function of its number. */
ttt_status tiny_next(void *context, int64_t number, ttt_sequence *sequence, bool *more, ttt_error *err);
/* Options to train it with, by steps. */
ttt_train_options tiny_options(tiny_model *tiny, int64_t steps);
/* Whether the trainable weights of two sessions are the same bits. */
bool tiny_equal(const tiny_model *a, const tiny_model *b);

#endif
