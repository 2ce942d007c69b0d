/* What a person in front of a terminal sees: a progress bar on stderr (none in a pipe), and Ctrl-C. */
#ifndef TTT_CLI_TERMINAL_H
#define TTT_CLI_TERMINAL_H

#include "base/clock.h"
#include "base/progress.h"

typedef struct ttt_terminal {
    bool bar;     /* stderr is a terminal that understands carriage returns */
    bool drawn;   /* a bar stands on the current line */
    int columns;  /* of the terminal */
    double last;  /* time of the last drawing: not more than ten a second */
    double start; /* of the stage, for the time left */
    char stage[32];
    int64_t first; /* done when the stage began */
} ttt_terminal;

void ttt_terminal_init(ttt_terminal *terminal);
/* Draws the bar. The terminal must outlive it. */
ttt_progress ttt_terminal_progress(ttt_terminal *terminal);
/* Wipes the bar, so that something else can be printed; it comes back with the next event. */
void ttt_terminal_clear(ttt_terminal *terminal);

/* Raised by Ctrl-C (SIGINT) or SIGTERM from the first call on; a second signal kills at once. */
const ttt_stop_flag *ttt_terminal_stop_flag(void);

#endif
