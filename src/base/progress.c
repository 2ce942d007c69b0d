/* Progress: nothing happens when nobody listens. */
#include "base/progress.h"

#include <stddef.h>

void ttt_progress_step(const ttt_progress *progress, const char *stage, int64_t done, int64_t total) {
    if (progress == NULL || progress->report == NULL) return;
    const ttt_progress_event event = {.stage = stage, .done = done, .total = total};
    progress->report(progress->context, &event);
}
