/* The training data of one task. A derived task stays a recipe until its example is asked for. */
#include "encode/task_examples.h"

#include "base/memory.h"

#include <assert.h>

ttt_task_examples_options ttt_task_examples_defaults(const ttt_codec *codec) {
    return (ttt_task_examples_options){
        .codec = codec,
        .loss = {.first_output = 1},
        .max_tokens = 8192,
        .shorten = true,
        .derive = ttt_derive_defaults(),
    };
}

static bool fits(void *context, const ttt_pair *demonstrations, size_t count, const ttt_pair *question) {
    const ttt_task_examples_options *options = context;
    const int shown = ttt_codec_fitting(options->codec, options->max_tokens, demonstrations, count, question);
    return options->shorten ? shown >= 0 : shown == (int)count;
}

ttt_status ttt_task_examples_init(ttt_task_examples *examples, const ttt_pair *demonstrations, size_t count,
                                  const ttt_task_examples_options *options, const ttt_random *random, ttt_error *err) {
    const size_t most = TTT_EXAMPLE_DEMONSTRATIONS + 1;
    *examples = (ttt_task_examples){
        .options = *options,
        .source = {.pairs = demonstrations, .count = count < most ? count : most},
        .random = ttt_random_fork(random, 1),
    };
    ttt_random draws = ttt_random_fork(random, 0);
    if (options->derive.reference) {
        ttt_random shifts = ttt_random_fork(random, 2);
        ttt_pair_shifts_draw(demonstrations, examples->source.count, &shifts, examples->shifts);
        examples->source.shifts = examples->shifts;
    }
    ttt_derive_options derive = options->derive;
    derive.fits = fits;
    derive.context = &examples->options;
    ttt_status status = ttt_derive_all(&examples->source, &derive, &draws, &examples->list, err);
    if (status == TTT_OK) status = ttt_derivations_plan(&examples->list, &draws, err);
    if (status != TTT_OK) ttt_task_examples_release(examples);
    return status;
}

void ttt_task_examples_release(ttt_task_examples *examples) {
    ttt_free(examples->list.items);
    *examples = (ttt_task_examples){0};
}

/* The grids of example `number`; returns how many demonstrations it shows. */
static size_t make(const ttt_task_examples *examples, size_t number, ttt_pair *demonstrations, ttt_pair *question) {
    assert(examples->list.count > 0);
    const ttt_derivation *derivation = &examples->list.items[number % examples->list.count];
    const bool legal = ttt_derive(&examples->source, derivation, demonstrations, question);
    assert(legal);
    (void)legal;
    const ttt_task_examples_options *options = &examples->options;
    const int shown =
        ttt_codec_fitting(options->codec, options->max_tokens, demonstrations, derivation->count, question);
    assert(shown >= 0);
    return (size_t)shown;
}

ttt_status ttt_task_examples_get(const ttt_task_examples *examples, size_t number, ttt_sequence *sequence,
                                 ttt_error *err) {
    ttt_pair demonstrations[TTT_PAIR_SLOTS], question;
    const size_t count = make(examples, number, demonstrations, &question);
    ttt_random random = ttt_random_fork(&examples->random, number);
    const ttt_slots slots = examples->options.plain_slots ? ttt_slots_plain() : ttt_slots_random(&random, count + 1);
    const ttt_codec *codec = examples->options.codec;
    return codec->ops->example(codec, demonstrations, count, &question, &slots, &examples->options.loss, sequence, err);
}

int32_t ttt_task_examples_tokens(const ttt_task_examples *examples, size_t number) {
    ttt_pair demonstrations[TTT_PAIR_SLOTS], question;
    const size_t count = make(examples, number, demonstrations, &question);
    const ttt_codec *codec = examples->options.codec;
    return codec->ops->example_tokens(codec, demonstrations, count, &question);
}
