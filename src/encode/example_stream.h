/* Endless training examples from stores of pairs, augmented on the fly. Example number i is a pure function of
 * (options, sources, i): resuming is going on at a number, and several threads may make examples at once.
 *
 * An example: a source by weight, a rule (group of pairs) of it, some of its pairs in random order, the last of them
 * the question. On all grids alike: perhaps a transform of the method, one of the eight symmetries, new colours.
 * Before that, to have more rules than there are tasks: perhaps a transform or new colours on the outputs only, or on
 * the inputs only (which commute with neither in general: the rule becomes another one). Pairs that grow over 30, or
 * do not fit the rest of the token limit, are passed over. */
#ifndef TTT_ENCODE_EXAMPLE_STREAM_H
#define TTT_ENCODE_EXAMPLE_STREAM_H

#include "arc/pair_store.h"
#include "arc/transform.h"
#include "encode/grid_tokens.h"

typedef struct ttt_example_source {
    const ttt_pair_store *store; /* borrowed; groups are rules */
    double weight;               /* share of the examples, relative to the other sources; > 0 */
} ttt_example_source;

enum { TTT_EXAMPLE_SOURCES = 8 };

typedef struct ttt_stream_options {
    uint64_t seed;
    ttt_encoding encoding;
    ttt_encode_loss loss;
    int32_t max_tokens;         /* longest example */
    int32_t max_demonstrations; /* 0..TTT_EXAMPLE_DEMONSTRATIONS */
    double no_demonstrations;   /* probability of a question without demonstrations */
    /* Probabilities of the augmentations. */
    double symmetry;    /* one of the other seven */
    double colours;     /* a permutation of 1..9 ... */
    double zero_moves;  /* ... of 0..9 */
    double method;      /* a transform of the method (those that enlarge included), on inputs and outputs */
    double output_only; /* a transform or new colours of the outputs only */
    double input_only;  /* of the inputs only */
} ttt_stream_options;
ttt_stream_options ttt_stream_defaults(void);

/* A plain value; borrows the stores. */
typedef struct ttt_example_stream {
    ttt_stream_options options;
    ttt_example_source sources[TTT_EXAMPLE_SOURCES];
    size_t source_count;
    double weight_sum;
    ttt_random random;
} ttt_example_stream;

/* Errors: no source, an empty store, a weight or a limit out of range. */
ttt_status ttt_example_stream_init(ttt_example_stream *stream, const ttt_stream_options *options,
                                   const ttt_example_source *sources, size_t count, ttt_error *err);
/* What example `number` is made of. */
typedef struct ttt_example {
    size_t source;
    const char *rule; /* borrowed from the store */
    size_t count;     /* demonstrations; pairs[count] is the question */
    ttt_pair pairs[TTT_PAIR_SLOTS];
    ttt_slots slots;
} ttt_example;
/* False: of a thousand rules drawn, none had a pair within the token limit. */
bool ttt_example_stream_make(const ttt_example_stream *stream, uint64_t number, ttt_example *example);
/* The same as a sequence (cleared, grown where needed). */
ttt_status ttt_example_stream_get(const ttt_example_stream *stream, uint64_t number, ttt_sequence *sequence,
                                  ttt_error *err);

#endif
