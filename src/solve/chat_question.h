/* A question to a chat model: what the sources of answers (a server, a model decoded here) are asked. */
#ifndef TTT_SOLVE_CHAT_QUESTION_H
#define TTT_SOLVE_CHAT_QUESTION_H

#include "base/clock.h"
#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct ttt_chat_question {
    const char *system, *user; /* the two messages */
    double temperature;
    int32_t max_tokens; /* of an answer */
    size_t samples;     /* answers wanted, at least 1 */
    size_t in_flight;   /* of them asked for at once, at least 1 */
    double deadline;    /* ttt_clock_seconds, 0: none */
    const ttt_stop_flag *stop;
    /* Gets answers as they come, at least one at a time, in no order; texts and lengths are borrowed, and the texts end
     * in NUL. Returns whether more are wanted. */
    bool (*answered)(void *context, const char *const *texts, const size_t *lengths, size_t count);
    void *context;
} ttt_chat_question;

#endif
