/* Progress: what long work tells its caller. Libraries never print; they call back, and src/cli draws a bar on a
 * terminal, writes JSON lines, or does nothing. */
#ifndef TTT_BASE_PROGRESS_H
#define TTT_BASE_PROGRESS_H

#include <stdint.h>

/* Strings are borrowed and valid during the call only. */
typedef struct ttt_progress_event {
    const char *stage;   /* what is being done, one word or two: "train", "decode", "task" */
    int64_t done, total; /* in units of the stage (steps, views, tasks); total 0 means unknown */
} ttt_progress_event;

/* Called from the thread that does the work, often (once a step or a view): it must return quickly, and it must not
 * call back into the work that reports. */
typedef void ttt_progress_function(void *context, const ttt_progress_event *event);

/* Who to tell. All zero (or a NULL pointer to one) means nobody. Copied freely; `context` is the receiver's. */
typedef struct ttt_progress {
    ttt_progress_function *report;
    void *context;
} ttt_progress;

void ttt_progress_step(const ttt_progress *progress, const char *stage, int64_t done, int64_t total);

#endif
