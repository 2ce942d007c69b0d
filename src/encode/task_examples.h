/* The training data of one task as sequences: the derived tasks of arc/leave_out.h in an order that may stop at any
 * time (every pair asked once before any is asked again, enlarging transforms last), each as its codec writes it. */
#ifndef TTT_ENCODE_TASK_EXAMPLES_H
#define TTT_ENCODE_TASK_EXAMPLES_H

#include "arc/leave_out.h"
#include "encode/codec.h"

typedef struct ttt_task_examples_options {
    const ttt_codec *codec; /* borrowed */
    ttt_encode_loss loss;
    int32_t max_tokens;        /* longest example */
    bool shorten;              /* a longer one loses demonstrations, last first, till it fits; else it is dropped */
    ttt_derive_options derive; /* its `fits` and `context` are set here */
    bool plain_slots;          /* 0, 1, 2, ... in place of random slots */
} ttt_task_examples_options;
ttt_task_examples_options ttt_task_examples_defaults(const ttt_codec *codec);

/* Zero-initialise; release with ttt_task_examples_release. The task's demonstrations are borrowed; not to be copied or
 * moved once filled, for `source` points inside. */
typedef struct ttt_task_examples {
    ttt_task_examples_options options;
    ttt_source source;
    ttt_pair_shift shifts[TTT_PAIR_SLOTS]; /* of the reference, where options.derive.reference is set */
    ttt_derivation_list list;              /* in training order */
    ttt_random random;
} ttt_task_examples;

/* `random` keys every draw (give a stream of (seed, task)). A task with more than TTT_EXAMPLE_DEMONSTRATIONS + 1 pairs
 * is cut to the first so many. An empty list (nothing fits) is no error. */
ttt_status ttt_task_examples_init(ttt_task_examples *examples, const ttt_pair *demonstrations, size_t count,
                                  const ttt_task_examples_options *options, const ttt_random *random, ttt_error *err);
void ttt_task_examples_release(ttt_task_examples *examples);
/* Example number `number`; list.count and up go round again, with other slots. The list must not be empty. */
ttt_status ttt_task_examples_get(const ttt_task_examples *examples, size_t number, ttt_sequence *sequence,
                                 ttt_error *err);
/* Its length in tokens, without building it. */
int32_t ttt_task_examples_tokens(const ttt_task_examples *examples, size_t number);

#endif
