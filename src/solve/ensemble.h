/* The ensemble: of what programs answer (induction) and what the trained model answers (transduction), two attempts. Li
 * et al., "Combining Induction and Transduction for Abstract Reasoning", arXiv 2411.02272, as Akyurek et al. use it
 * (arXiv 2411.07279, section 5): where the two agree, that; where they differ, induction only if it is certain,
 * otherwise transduction; the second attempt is the best answer left. Works on texts alone. */
#ifndef TTT_SOLVE_ENSEMBLE_H
#define TTT_SOLVE_ENSEMBLE_H

#include "solve/record.h"

/* What one system says about one test input, best first. Behind the `sound` ones (of induction: those whose programs
 * fit every demonstration) come answers that are only better than nothing. Texts may repeat; none is NULL. */
typedef struct ttt_opinion {
    const char *const *answers;
    size_t count, sound;
} ttt_opinion;

/* `certain`: all programs that fit every demonstration give one single answer for every test input; without a sound
 * answer of induction it counts for nothing. Attempts are texts of the opinions, never the same twice, NULL where there
 * are no more; systems says who has each among its answers. */
void ttt_ensemble_choose(const ttt_opinion *induction, bool certain, const ttt_opinion *transduction,
                         const char *attempts[2], ttt_system systems[2]);

/* The attempts of a test input, from the votes and programs of its record. */
ttt_status ttt_ensemble_attempts(ttt_task_record *record, size_t test, ttt_error *err);

#endif
