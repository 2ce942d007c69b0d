/* The prompt formats of the field: a puzzle as text for a language model.
 *
 * A prompt is a list of pieces, not one string: every cell, row end and grid end is a piece of its own, so that each
 * becomes tokens by itself. A tokenizer that merges digits then still gives one token a cell, and which tokens carry
 * loss is known exactly. Joined, the pieces of a message are the text that the format's authors used. */
#ifndef TTT_ENCODE_PROMPT_FORMAT_H
#define TTT_ENCODE_PROMPT_FORMAT_H

#include "arc/task.h"
#include "encode/grid_tokens.h"
#include "model/tokenizer.h"

/* What a piece says. A format has one text for each; "" where it has none. */
typedef enum ttt_part {
    TTT_PART_CELL,                     /* + colour: the first cell of a row */
    TTT_PART_NEXT_CELL = TTT_COLOURS,  /* + colour: one behind it, with what separates cells in front */
    TTT_PART_NUMBER = 2 * TTT_COLOURS, /* + 0, 1, ...: the number of a demonstration, from 1 on */
    TTT_PART_ROW_END = 2 * TTT_COLOURS + TTT_PAIR_SLOTS, /* between rows */
    TTT_PART_TEMPLATE,     /* begins the system message where no chat template of a tokenizer library does so */
    TTT_PART_SYSTEM,       /* the system message */
    TTT_PART_INTRODUCTION, /* before the demonstrations */
    TTT_PART_ALONE,        /* in place of demonstrations where there are none */
    TTT_PART_BEFORE_NUMBER,
    TTT_PART_AFTER_NUMBER,
    TTT_PART_INPUT_BEGIN, /* of a demonstration or the question, like the next */
    TTT_PART_INPUT_END,
    TTT_PART_BETWEEN, /* the input and the output of a demonstration */
    TTT_PART_OUTPUT_BEGIN,
    TTT_PART_OUTPUT_END,
    TTT_PART_LAST_OUTPUT_END, /* of the last demonstration; NULL: like the others */
    TTT_PART_QUESTION,        /* before the question's input */
    TTT_PART_QUESTION_END,    /* after it */
    TTT_PART_REPLY,           /* the assistant's words before the answer */
    TTT_PART_ANSWER_BEGIN,
    TTT_PART_ANSWER_END,
    TTT_PART_COUNT
} ttt_part;

/* How a freely written answer is read, see encode/prompt_parse.h. */
typedef enum ttt_answer_style { TTT_ANSWER_NUMBERS, TTT_ANSWER_WORDS, TTT_ANSWER_DIGITS } ttt_answer_style;

typedef struct ttt_prompt_format {
    const char *name;                             /* of the setting prompt.format */
    const char *const *cells, *const *next_cells; /* [TTT_COLOURS] */
    ttt_answer_style style;
    ttt_role demonstrations;                              /* whose message holds them */
    const char *texts[TTT_PART_COUNT - TTT_PART_ROW_END]; /* the other parts, from TTT_PART_ROW_END on */
} ttt_prompt_format;

/* All formats, the end marked by a NULL name. */
extern const ttt_prompt_format ttt_prompt_formats[];
/* NULL: there is none of this name. */
const ttt_prompt_format *ttt_prompt_format_find(const char *name);
/* Never NULL. */
const char *ttt_prompt_text(const ttt_prompt_format *format, int part);

typedef struct ttt_piece {
    uint8_t part; /* ttt_part, its colour or number added */
    uint8_t role; /* ttt_role: whose message it belongs to */
    bool counted; /* carries loss: of an output grid, or its end mark */
    bool ends;    /* the last of its message: where messages are marked, blanks at their end are cut off */
} ttt_piece;

/* Called with every piece in order; pieces with an empty text are passed over. */
typedef void ttt_piece_visitor(void *context, ttt_piece piece);

/* A prompt without its answer; the answer alone; a whole example. At most TTT_PAIR_SLOTS demonstrations. */
void ttt_prompt_pieces(const ttt_prompt_format *format, const ttt_pair *demonstrations, size_t count,
                       const ttt_grid *input, ttt_piece_visitor *visit, void *context);
void ttt_answer_pieces(const ttt_prompt_format *format, const ttt_grid *answer, ttt_piece_visitor *visit,
                       void *context);
void ttt_example_pieces(const ttt_prompt_format *format, const ttt_pair *demonstrations, size_t count,
                        const ttt_pair *question, const ttt_encode_loss *loss, ttt_piece_visitor *visit, void *context);

#endif
