/* Augmentation on the fly. Nothing is remembered from one example to the next: number i forks the stream's generator,
 * and all draws of the example come from that fork in a fixed order.
 *
 * Tried in the design and left out: swapping inputs and outputs (seldom a function), shifts of outputs (they wrap
 * around and teach nothing). */
#include "encode/example_stream.h"

#include <assert.h>
#include <string.h>

ttt_stream_options ttt_stream_defaults(void) {
    return (ttt_stream_options){
        .encoding = ttt_encoding_default(),
        .loss = {.first_output = 1},
        .max_tokens = 4096,
        .max_demonstrations = 6,
        .no_demonstrations = 0.02,
        .symmetry = 0.875,
        .colours = 0.9,
        .zero_moves = 0.1,
        .method = 0.05,
        .output_only = 0.2,
        .input_only = 0.1,
    };
}

ttt_status ttt_example_stream_init(ttt_example_stream *stream, const ttt_stream_options *options,
                                   const ttt_example_source *sources, size_t count, ttt_error *err) {
    if (count < 1 || count > TTT_EXAMPLE_SOURCES)
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "%zu sources of examples, expected 1 to %d", count,
                        TTT_EXAMPLE_SOURCES);
    if (options->max_demonstrations < 0 || options->max_demonstrations > TTT_EXAMPLE_DEMONSTRATIONS)
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "at most %d demonstrations asked for, expected 0 to %d",
                        (int)options->max_demonstrations, TTT_EXAMPLE_DEMONSTRATIONS);
    *stream = (ttt_example_stream){.options = *options, .source_count = count};
    for (size_t i = 0; i < count; i++) {
        if (!(sources[i].weight > 0) || sources[i].store->groups.count == 0)
            return ttt_fail(err, TTT_ERROR_ARGUMENT, "source %zu of examples is empty or has no positive weight", i);
        stream->sources[i] = sources[i];
        stream->weight_sum += sources[i].weight;
    }
    stream->random = ttt_random_stream(options->seed, "", "examples");
    return TTT_OK;
}

/* --- Augmentation ------------------------------------------------------------------------------------------------ */

/* What happens to one side (inputs or outputs) of every pair. */
typedef struct side_change {
    ttt_transform transform; /* of the method: may enlarge */
    ttt_symmetry symmetry;
    ttt_colours colours;
} side_change;

typedef struct augmentation {
    side_change input, output;
} augmentation;

static bool chance(ttt_random *random, double probability) {
    return ttt_random_unit(random) < probability;
}

static ttt_transform draw_method(ttt_random *random) {
    for (;;) {
        const ttt_transform *transform = ttt_method_transform((int)ttt_random_below(random, TTT_METHOD_TRANSFORMS));
        if (!ttt_transform_has_shift(transform)) return *transform;
    }
}

/* A change of one side makes another rule: a transform, new colours, or (one time in four) both. */
static void draw_side(ttt_random *random, double probability, side_change *side) {
    if (!chance(random, probability)) return;
    const uint32_t kind = ttt_random_below(random, 4);
    if (kind != 0) side->transform = draw_method(random);
    if (kind <= 1) side->colours = ttt_colours_random(random, 0.5);
}

/* What both sides undergo comes after what one of them does. */
static void draw_common(ttt_random *random, const ttt_stream_options *options, augmentation *a) {
    const ttt_transform method = chance(random, options->method) ? draw_method(random) : (ttt_transform){0};
    const ttt_symmetry symmetry =
        chance(random, options->symmetry) ? (ttt_symmetry)(1 + ttt_random_below(random, TTT_SYMMETRIES - 1)) : 0;
    const ttt_colours colours =
        chance(random, options->colours) ? ttt_colours_random(random, options->zero_moves) : ttt_colours_identity();
    side_change *const sides[2] = {&a->input, &a->output};
    for (int i = 0; i < 2; i++) {
        side_change *side = sides[i];
        for (int s = 0; s < method.count && side->transform.count < TTT_STEPS_MAX; s++)
            side->transform.steps[side->transform.count++] = method.steps[s];
        side->symmetry = symmetry;
        for (int c = 0; c < TTT_COLOURS; c++) side->colours.map[c] = colours.map[side->colours.map[c]];
    }
}

static augmentation draw_augmentation(ttt_random *random, const ttt_stream_options *options) {
    augmentation a = {.input.colours = ttt_colours_identity(), .output.colours = ttt_colours_identity()};
    draw_side(random, options->output_only, &a.output);
    draw_side(random, options->input_only, &a.input);
    draw_common(random, options, &a);
    return a;
}

static bool change_side(const side_change *side, ttt_grid *grid) {
    ttt_grid turned;
    if (!ttt_transform_apply(&side->transform, grid, grid)) return false;
    ttt_symmetry_apply(side->symmetry, grid, &turned);
    ttt_colours_apply(&side->colours, &turned, grid);
    return true;
}

/* --- One example ------------------------------------------------------------------------------------------------- */

static const ttt_pair_group *draw_rule(const ttt_example_stream *stream, ttt_random *random, size_t *source) {
    double left = ttt_random_unit(random) * stream->weight_sum;
    size_t s = 0;
    while (s + 1 < stream->source_count && left >= stream->sources[s].weight) left -= stream->sources[s++].weight;
    *source = s;
    const ttt_pair_store *store = stream->sources[s].store;
    return &store->groups.items[ttt_random_below(random, (uint32_t)store->groups.count)];
}

static size_t draw_wanted(const ttt_stream_options *options, ttt_random *random) {
    if (options->max_demonstrations == 0 || chance(random, options->no_demonstrations)) return 1;
    return 2 + ttt_random_below(random, (uint32_t)options->max_demonstrations);
}

/* Distinct members of 0..count-1 in random order, one a call: the start of a shuffle that is never written out. Groups
 * have up to a thousand pairs and an example wants a handful. */
enum { DRAWS = 3 * TTT_PAIR_SLOTS };
typedef struct shuffle {
    size_t count, drawn;
    uint32_t taken[DRAWS];
} shuffle;

static bool draw_distinct(shuffle *drawer, ttt_random *random, uint32_t *index) {
    if (drawer->drawn == drawer->count || drawer->drawn == DRAWS) return false;
    for (bool fresh = false; !fresh;) {
        *index = ttt_random_below(random, (uint32_t)drawer->count);
        fresh = true;
        for (size_t i = 0; i < drawer->drawn; i++) fresh = fresh && drawer->taken[i] != *index;
    }
    drawer->taken[drawer->drawn++] = *index;
    return true;
}

/* Takes pairs of the rule until there are `wanted`, passing over what grows too large or does not fit; so short limits
 * prefer small pairs. The first taken is the question. Returns how many there are. */
static size_t take_pairs(const ttt_example_stream *stream, const ttt_pair_store *store, const ttt_pair_group *group,
                         const augmentation *a, size_t wanted, ttt_random *random, ttt_pair *pairs) {
    shuffle drawer = {.count = group->count};
    int32_t left = stream->options.max_tokens - 1;
    size_t count = 0;
    uint32_t index;
    const size_t draws = 3 * wanted;
    while (count < wanted && drawer.drawn < draws && draw_distinct(&drawer, random, &index)) {
        ttt_pair *pair = &pairs[count];
        ttt_pair_store_get(store, group->first + index, pair);
        if (!change_side(&a->input, &pair->input) || !change_side(&a->output, &pair->output)) continue;
        if (ttt_pair_tokens(pair) > left) continue;
        left -= ttt_pair_tokens(pair);
        count++;
    }
    return count;
}

/* One draw of a rule and its pairs, the first taken (the question) in front; returns how many pairs, 0 if none fits. */
static size_t draw_example(const ttt_example_stream *stream, ttt_random *random, ttt_example *example) {
    const ttt_pair_group *group = draw_rule(stream, random, &example->source);
    const ttt_pair_store *store = stream->sources[example->source].store;
    const size_t wanted = draw_wanted(&stream->options, random);
    ttt_stream_options gentle = stream->options;
    gentle.method = gentle.output_only = gentle.input_only = 0;
    augmentation a = draw_augmentation(random, &stream->options);
    size_t count = take_pairs(stream, store, group, &a, wanted, random, example->pairs);
    if (count == 0 || (count < 2 && wanted > 1 && group->count > 1)) {
        /* Hardly a pair bears this augmentation; what does not enlarge is always legal. */
        a = draw_augmentation(random, &gentle);
        count = take_pairs(stream, store, group, &a, wanted, random, example->pairs);
    }
    example->rule = group->id;
    return count;
}

bool ttt_example_stream_make(const ttt_example_stream *stream, uint64_t number, ttt_example *example) {
    enum { RULES = 1000 }; /* so many large ones in a row: the limit is too short for this data */
    ttt_random random = ttt_random_fork(&stream->random, number);
    size_t count = 0;
    for (int i = 0; i < RULES && count == 0; i++) count = draw_example(stream, &random, example);
    if (count == 0) return false;
    example->count = count - 1;
    example->slots = ttt_slots_random(&random, count);
    /* The first taken had the whole limit to itself, so that large grids are asked about as often as they occur. */
    const ttt_pair question = example->pairs[0];
    memmove(&example->pairs[0], &example->pairs[1], example->count * sizeof *example->pairs);
    example->pairs[example->count] = question;
    return true;
}

ttt_status ttt_example_stream_get(const ttt_example_stream *stream, uint64_t number, ttt_sequence *sequence,
                                  ttt_error *err) {
    ttt_example example;
    if (!ttt_example_stream_make(stream, number, &example))
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "examples of at most %d tokens: no pair is that short",
                        (int)stream->options.max_tokens);
    return ttt_encode_example(&stream->options.encoding, example.pairs, example.count, &example.pairs[example.count],
                              &example.slots, &stream->options.loss, sequence, err);
}
