/* Progress: the two ways to tell, and nothing happens when nobody listens. */
#include "base/progress.h"

#include <stdarg.h>
#include <stdio.h>

void ttt_progress_step(const ttt_progress *progress, const char *stage, int64_t done, int64_t total) {
    if (progress == NULL || progress->report == NULL) return;
    const ttt_progress_event event = {.stage = stage, .done = done, .total = total};
    progress->report(progress->context, &event);
}

void ttt_progress_say(const ttt_progress *progress, const char *stage, const char *format, ...) {
    if (progress == NULL || progress->report == NULL) return;
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    const ttt_progress_event event = {.stage = stage, .message = message};
    progress->report(progress->context, &event);
}
