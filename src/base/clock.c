/* CLOCK_MONOTONIC: unaffected by a clock that is set while a run is under way. */
#include "base/clock.h"

#include <time.h>

double ttt_clock_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
