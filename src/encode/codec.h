/* A codec: how puzzles become the tokens of one model, and its tokens grids again. Two of them: grid tokens (for models
 * whose config.json says so), and text, a prompt format written through the model's tokenizer. Frozen once made, shared
 * by any number of threads. */
#ifndef TTT_ENCODE_CODEC_H
#define TTT_ENCODE_CODEC_H

#include "encode/grammar.h"
#include "encode/text_grammar.h"

typedef struct ttt_codec ttt_codec;

/* An answer behind its prompt: where it goes on, and the state of its grammar. A plain value that borrows the codec. */
typedef union ttt_reply {
    ttt_grid_grammar grid;
    ttt_text_grammar text;
} ttt_reply;

typedef struct ttt_codec_ops {
    void (*free)(ttt_codec *);

    /* --- Lengths in tokens: of a grid as an answer, its marks included; of a prompt; of a whole example. */
    int32_t (*grid_tokens)(const ttt_codec *, const ttt_grid *);
    int32_t (*prompt_tokens)(const ttt_codec *, const ttt_pair *demonstrations, size_t count, const ttt_grid *input);
    int32_t (*example_tokens)(const ttt_codec *, const ttt_pair *demonstrations, size_t count,
                              const ttt_pair *question);
    /* What one demonstration more adds at most. */
    int32_t (*pair_tokens)(const ttt_codec *, const ttt_pair *);

    /* --- Sequences (cleared, grown where needed). `slots` NULL: plain; for codecs without slots they mean nothing.
     * More than TTT_EXAMPLE_DEMONSTRATIONS demonstrations, or a loss that the codec cannot give, is an error. */
    ttt_status (*example)(const ttt_codec *, const ttt_pair *demonstrations, size_t count, const ttt_pair *question,
                          const ttt_slots *slots, const ttt_encode_loss *, ttt_sequence *, ttt_error *);
    /* Its last row predicts the answer's first token. */
    ttt_status (*prompt)(const ttt_codec *, const ttt_pair *demonstrations, size_t count, const ttt_grid *input,
                         const ttt_slots *slots, ttt_sequence *, ttt_error *);

    /* --- Answers to that prompt. */
    void (*reply)(const ttt_codec *, const ttt_pair *demonstrations, size_t count, const ttt_grid *input,
                  const ttt_slots *slots, ttt_reply *);
    /* The state is *reply, which is borrowed. */
    ttt_decode_grammar (*grammar)(const ttt_codec *, ttt_reply *);
    /* A grid as an answer, for ttt_decode_score: its tokens with positions, each but the last with the next one as
     * target; the first one is *first_target, the prompt's to predict. */
    ttt_status (*answer)(const ttt_codec *, const ttt_reply *, const ttt_grid *, ttt_sequence *, int32_t *first_target,
                         ttt_error *);
    /* The grid that complete ids spell; false when they are no legal answer. */
    bool (*parse)(const ttt_codec *, const int32_t *ids, int32_t count, ttt_grid *);
} ttt_codec_ops;

/* Implementations begin with this. */
struct ttt_codec {
    const ttt_codec_ops *ops;
    int32_t axes,
        ids; /* of positions; ids are below this: the model must have as many axes, and at least as many ids */
    int32_t answer_tokens; /* of the longest answer */
    /* Not NULL: a reduced vocabulary. Id i stands for the model's id vocabulary[i], of `ids` ids in increasing order;
     * the model must be loaded with these alone (ttt_model_load_reduced). */
    const int32_t *vocabulary;
};

static inline void ttt_codec_free(ttt_codec *codec) {
    if (codec != NULL) codec->ops->free(codec);
}

/* How many of the demonstrations, first ones first, an example of at most `limit` tokens can show (and at most
 * TTT_EXAMPLE_DEMONSTRATIONS); -1: not even the question alone fits. */
int ttt_codec_fitting(const ttt_codec *codec, int32_t limit, const ttt_pair *demonstrations, size_t count,
                      const ttt_pair *question);

/* The codec of grid tokens. */
ttt_status ttt_grid_codec_new(const ttt_encoding *encoding, ttt_codec **codec, ttt_error *err);

/* The codec of a model, from its folder or GGUF file: grid tokens where config.json has an "encoding"; else text,
 * through the model's tokenizer, in the format of this name ("auto": ttt_prompt_format_auto) and perhaps with a reduced
 * vocabulary. */
ttt_status ttt_codec_open(const char *path, const char *format, bool reduced, ttt_codec **codec, ttt_error *err);

#endif
