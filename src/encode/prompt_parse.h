/* Text that a model wrote freely back to a grid, as the published systems read it; and, on top of that, whether it is a
 * grid that we accept. (Answers decoded under a grammar need neither: ttt_codec's parse.) */
#ifndef TTT_ENCODE_PROMPT_PARSE_H
#define TTT_ENCODE_PROMPT_PARSE_H

#include "encode/prompt_format.h"

/* What a text was read as: of any size, numbers wrapped to eight bits. Release with ttt_text_grid_release. */
typedef struct ttt_text_grid {
    size_t height, width;
    int8_t *cells; /* [height * width] owned */
    bool even;     /* every line of the text holds one row */
} ttt_text_grid;
void ttt_text_grid_release(ttt_text_grid *grid);

/* Common to all formats: every '#' is dropped, every two blanks become one (in one pass), of a text with "```" only
 * what stands between the first and the second counts, white space around it does not. Then
 *   TTT_ANSWER_NUMBERS: brackets are dropped; white-space separated whole numbers are spread over as many rows of equal
 *     length as there are lines. What does not divide so, or is no number, is no grid; no number at all is a row of
 *     width 0.
 *   TTT_ANSWER_WORDS: the format's colour words, a row a line, all of one length; without "```" there is no grid, and
 *     an empty block is a row of width 0.
 *   TTT_ANSWER_DIGITS (ours): digits, a row a line, all of one length.
 * *found = false: the text is none. The only error is memory. */
ttt_status ttt_prompt_parse(const ttt_prompt_format *format, const char *text, size_t bytes, ttt_text_grid *grid,
                            bool *found, ttt_error *err);

/* Ours: an answer counts when it has 1 to 30 rows of 1 to 30 cells, the colours 0..9, and was written as rows of equal
 * length. */
bool ttt_text_grid_legal(const ttt_text_grid *text, ttt_grid *grid);

#endif
