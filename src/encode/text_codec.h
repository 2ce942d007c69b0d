/* Text as a codec: a prompt format, written through a model's tokenizer and, where the model knows roles, as a
 * conversation. */
#ifndef TTT_ENCODE_TEXT_CODEC_H
#define TTT_ENCODE_TEXT_CODEC_H

#include "encode/codec.h"
#include "encode/prompt_format.h"

/* The format for "auto": the paper's list for a model that chats, for it was made for such models and says in words
 * what is wanted; for a base model, to which words about a task are only more text, the compact one, with the fewest
 * tokens. */
const ttt_prompt_format *ttt_prompt_format_auto(const ttt_tokenizer *tokenizer);

/* Each piece becomes tokens by itself. A model that chats gets messages, and ends its answer with its own end of turn;
 * for a base model the texts stand one behind the other, and the end mark of the format is the end. The loss counts
 * output grids, their end marks, and the answer's end of turn.
 * `reduced`: ids are numbers in base.vocabulary. Nothing is borrowed. A tokenizer that cannot tell the format's moves
 * apart (encode/text_grammar.h) is an error. */
ttt_status ttt_text_codec_new(const ttt_tokenizer *tokenizer, const ttt_prompt_format *format, bool reduced,
                              ttt_codec **codec, ttt_error *err);

#endif
