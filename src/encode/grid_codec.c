/* Grid tokens as a codec: encode/grid_tokens.h and encode/grammar.h behind the interface. */
#include "base/memory.h"
#include "encode/codec.h"

typedef struct grid_codec {
    ttt_codec base; /* first */
    ttt_encoding encoding;
} grid_codec;

static const ttt_encoding *encoding_of(const ttt_codec *codec) {
    return &((const grid_codec *)codec)->encoding;
}

static void grid_free(ttt_codec *codec) {
    ttt_free(codec);
}

static int32_t grid_grid_tokens(const ttt_codec *codec, const ttt_grid *grid) {
    (void)codec;
    return ttt_grid_tokens(grid);
}

static int32_t grid_prompt_tokens(const ttt_codec *codec, const ttt_pair *demonstrations, size_t count,
                                  const ttt_grid *input) {
    (void)codec;
    return ttt_prompt_tokens(demonstrations, count, input);
}

static int32_t grid_example_tokens(const ttt_codec *codec, const ttt_pair *demonstrations, size_t count,
                                   const ttt_pair *question) {
    (void)codec;
    return ttt_example_tokens(demonstrations, count, question);
}

static int32_t grid_pair_tokens(const ttt_codec *codec, const ttt_pair *pair) {
    (void)codec;
    return ttt_pair_tokens(pair);
}

static ttt_status grid_example(const ttt_codec *codec, const ttt_pair *demonstrations, size_t count,
                               const ttt_pair *question, const ttt_slots *slots, const ttt_encode_loss *loss,
                               ttt_sequence *sequence, ttt_error *err) {
    return ttt_encode_example(encoding_of(codec), demonstrations, count, question, slots, loss, sequence, err);
}

static ttt_status grid_prompt(const ttt_codec *codec, const ttt_pair *demonstrations, size_t count,
                              const ttt_grid *input, const ttt_slots *slots, ttt_sequence *sequence, ttt_error *err) {
    return ttt_encode_prompt(encoding_of(codec), demonstrations, count, input, slots, sequence, err);
}

static void grid_reply(const ttt_codec *codec, const ttt_pair *demonstrations, size_t count, const ttt_grid *input,
                       const ttt_slots *slots, ttt_reply *reply) {
    (void)demonstrations, (void)input;
    ttt_grid_grammar_init(&reply->grid, encoding_of(codec), count, slots);
}

static ttt_decode_grammar grid_grammar(const ttt_codec *codec, ttt_reply *reply) {
    (void)codec;
    return ttt_grid_grammar_callbacks(&reply->grid);
}

static ttt_status grid_answer(const ttt_codec *codec, const ttt_reply *reply, const ttt_grid *answer,
                              ttt_sequence *sequence, int32_t *first_target, ttt_error *err) {
    const ttt_slots slots = {{(uint8_t)reply->grid.slot}};
    return ttt_encode_answer(encoding_of(codec), answer, 0, &slots, sequence, first_target, err);
}

static bool grid_parse(const ttt_codec *codec, const int32_t *ids, int32_t count, ttt_grid *grid) {
    (void)codec;
    return ttt_grid_from_tokens(ids, count, grid);
}

static const ttt_codec_ops grid_ops = {
    .free = grid_free,
    .grid_tokens = grid_grid_tokens,
    .prompt_tokens = grid_prompt_tokens,
    .example_tokens = grid_example_tokens,
    .pair_tokens = grid_pair_tokens,
    .example = grid_example,
    .prompt = grid_prompt,
    .reply = grid_reply,
    .grammar = grid_grammar,
    .answer = grid_answer,
    .parse = grid_parse,
};

ttt_status ttt_grid_codec_new(const ttt_encoding *encoding, ttt_codec **codec, ttt_error *err) {
    grid_codec *made = ttt_allocate(1, sizeof *made);
    *codec = NULL;
    if (made == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the codec of grid tokens");
    *made = (grid_codec){.base = {.ops = &grid_ops,
                                  .axes = encoding->axes,
                                  .ids = TTT_GRID_VOCABULARY,
                                  .answer_tokens = TTT_ANSWER_TOKENS},
                         .encoding = *encoding};
    *codec = &made->base;
    return TTT_OK;
}
