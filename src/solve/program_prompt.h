/* A task as a question to a language model that is to write a program for it, and the program in what it answers. */
#ifndef TTT_SOLVE_PROGRAM_PROMPT_H
#define TTT_SOLVE_PROGRAM_PROMPT_H

#include "arc/task.h"
#include "solve/solve_settings.h"

/* The two messages of the question, owned; zero-initialise, release with ttt_program_prompt_release. */
typedef struct ttt_program_prompt {
    char *system, *user;
} ttt_program_prompt;
/* TTT_PROGRAM_BARC is what BARC's Llama models for induction ("Potpourri") were trained on, to the letter: colours as
 * words. A server puts the date before the system message that these models expect there; `decoded` says that no server
 * does. TTT_PROGRAM_GENERAL is ours, with digits. */
ttt_status ttt_program_prompt_make(ttt_program_format format, bool decoded, const ttt_task *task,
                                   ttt_program_prompt *prompt, ttt_error *err);
void ttt_program_prompt_release(ttt_program_prompt *prompt); /* leaves {0} */

enum { TTT_PROGRAM_BYTES = 65536 }; /* longer programs are none */
/* The last fenced block of an answer that defines `transform` or `main`; without any fence, the whole answer if it
 * does. *program is fresh memory (ttt_free), NULL when there is none. The answer may be anything at all. */
ttt_status ttt_program_extract(const char *answer, size_t bytes, char **program, ttt_error *err);

#endif
