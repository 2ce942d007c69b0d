/* All answers stand in one line and the first two different ones are the attempts: the first of the trusted system, the
 * first of the other, then the rest of both in turn; what is not sound stands behind all that is. That is the rule: if
 * the two firsts agree, the one attempt is both and the next best moves up. */
#include "solve/ensemble.h"

#include <string.h>

static bool has(const ttt_opinion *opinion, const char *answer) {
    for (size_t i = 0; i < opinion->count; i++) {
        if (strcmp(opinion->answers[i], answer) == 0) return true;
    }
    return false;
}

/* Adds an answer to the attempts if there is room and it is not there. */
static void attempt(const char *answer, const char *attempts[2]) {
    for (int i = 0; i < 2; i++) {
        if (attempts[i] == NULL) attempts[i] = answer;
        if (strcmp(attempts[i], answer) == 0) return;
    }
}

/* One of each in turn, from the answers number `from` up to `trusted_to` and `other_to`. */
static void take_turns(const ttt_opinion *trusted, size_t trusted_from, size_t trusted_to, const ttt_opinion *other,
                       size_t other_from, size_t other_to, const char *attempts[2]) {
    for (size_t i = 0; trusted_from + i < trusted_to || other_from + i < other_to; i++) {
        if (trusted_from + i < trusted_to) attempt(trusted->answers[trusted_from + i], attempts);
        if (other_from + i < other_to) attempt(other->answers[other_from + i], attempts);
    }
}

void ttt_ensemble_choose(const ttt_opinion *induction, bool certain, const ttt_opinion *transduction,
                         const char *attempts[2], ttt_system systems[2]) {
    bool trust_programs = certain && induction->sound > 0;
    const ttt_opinion *trusted = trust_programs ? induction : transduction;
    const ttt_opinion *other = trust_programs ? transduction : induction;
    attempts[0] = attempts[1] = NULL;
    take_turns(trusted, 0, trusted->sound, other, 0, other->sound, attempts);
    take_turns(trusted, trusted->sound, trusted->count, other, other->sound, other->count, attempts);
    for (int i = 0; i < 2; i++) {
        systems[i] = TTT_SYSTEM_NONE;
        if (attempts[i] == NULL) continue;
        if (has(induction, attempts[i])) systems[i] |= TTT_SYSTEM_INDUCTION;
        if (has(transduction, attempts[i])) systems[i] |= TTT_SYSTEM_TRANSDUCTION;
    }
}

ttt_status ttt_ensemble_attempts(ttt_task_record *record, size_t number, ttt_error *err) {
    ttt_test_record *test = &record->tests[number];
    const ttt_induction *programs = &record->induction;
    const char **answers = ttt_allocate(programs->count, sizeof *answers);
    if (answers == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the answers of programs");
    ttt_opinion induction = {.answers = answers, .count = programs->count};
    for (size_t i = 0; i < programs->count; i++) {
        answers[i] = programs->items[i].answers[number];
        if (programs->items[i].fits) induction.sound = i + 1;
    }
    const size_t votes = test->voted[0] == NULL ? 0 : test->voted[1] == NULL ? 1 : 2;
    const ttt_opinion transduction = {.answers = test->voted, .count = votes, .sound = votes};
    ttt_ensemble_choose(&induction, programs->certain, &transduction, test->attempts, test->systems);
    ttt_free(answers);
    return TTT_OK;
}
