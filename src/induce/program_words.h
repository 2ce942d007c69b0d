/* Words that reading and writing programs share; inside of induce only. */
#ifndef TTT_INDUCE_PROGRAM_WORDS_H
#define TTT_INDUCE_PROGRAM_WORDS_H

#include "induce/program.h"

/* The word of a constant; NULL where the type has no such constant (numbers have no words). */
const char *ttt_constant_word(int type, int constant);
/* Is it a word of the language, so that nothing may be named so? */
bool ttt_program_word(const char *word);

#endif
