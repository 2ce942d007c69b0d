/* How a task went, in a word, a picture and JSON, and the score of all: what `solve` and `induce` say alike. */
#ifndef TTT_CLI_OUTCOME_H
#define TTT_CLI_OUTCOME_H

#include "arc/score.h"
#include "cli/pictures.h"

enum { TTT_OUTCOME_TEXT = 48 };
/* "right", "wrong", "1 of 2 right", "answered" (solutions not known), "failed". `text` holds TTT_OUTCOME_TEXT bytes. */
void ttt_outcome_words(const ttt_task *task, const ttt_submission_entry *entry, bool failed, char *text);
/* All known outputs right, with two attempts; false also where none is known. */
bool ttt_outcome_solved(const ttt_task *task, const ttt_submission_entry *entry);
/* true, false, or null where solutions are not known; new reference. */
json_t *ttt_outcome_json(const ttt_task *task, const ttt_submission_entry *entry);
/* Test inputs with their answers, to stdout; what prevents it is told on stderr. */
void ttt_outcome_draw(const char *command, const ttt_task *task, const ttt_submission_entry *entry,
                      ttt_picture_style style);
/* "solved 3 of 20 tasks (15.0 %), 4 of 22 outputs", where any are known. */
void ttt_outcome_print_score(const ttt_score *score);
/* An object of the same numbers, of a set of `tasks` of which `done` were tried; NULL when memory is out. */
json_t *ttt_outcome_score_json(const ttt_score *score, size_t tasks, size_t done);

#endif
