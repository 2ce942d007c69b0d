/* Time: a monotonic clock in seconds, and a stop flag that Ctrl-C may raise. */
#ifndef TTT_BASE_CLOCK_H
#define TTT_BASE_CLOCK_H

#include <signal.h>
#include <stdbool.h>

double ttt_clock_seconds(void); /* monotonic; only differences mean anything */

/* What is left of a limit in seconds, where 0 means none: of one, however little is left, a nanosecond stays. */
static inline double ttt_limit_left(bool limited, double left) {
    return !limited ? 0 : left > 1e-9 ? left : 1e-9;
}

/* A flag that a signal handler raises and long work polls; work that sees it raised ends with TTT_ERROR_CANCELLED.
 * NULL means "cannot be stopped". */
typedef volatile sig_atomic_t ttt_stop_flag;
static inline bool ttt_stop_requested(const ttt_stop_flag *flag) {
    return flag != 0 && *flag != 0;
}

#endif
