/* Errors: the sentence is built in place, cut at the buffer's end, never allocated, so that a failing allocation can
 * be reported too. Control characters in it (out of a path or a broken file) become '?': it stays one line, and no
 * terminal obeys it. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void keep_to_one_line(char *text) {
    for (; *text != '\0'; text++) {
        if (ttt_is_control(*text)) *text = '?';
    }
}

ttt_status ttt_fail(ttt_error *err, ttt_status status, const char *format, ...) {
    if (err == NULL) return status;
    err->status = status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(err->message, sizeof err->message, format, arguments);
    va_end(arguments);
    keep_to_one_line(err->message);
    return status;
}

ttt_status ttt_fail_within(ttt_error *err, ttt_status status, const char *format, ...) {
    if (err == NULL) return status;
    char inner[TTT_ERROR_LENGTH];
    memcpy(inner, err->message, sizeof inner);
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(err->message, sizeof err->message, format, arguments);
    va_end(arguments);
    size_t used = length < 0 ? 0 : (size_t)length;
    if (used < sizeof err->message) snprintf(err->message + used, sizeof err->message - used, ": %s", inner);
    keep_to_one_line(err->message);
    return err->status;
}

const char *ttt_status_name(ttt_status status) {
    static const char *const names[] = {
        [TTT_OK] = "ok",
        [TTT_ERROR_MEMORY] = "memory",
        [TTT_ERROR_IO] = "io",
        [TTT_ERROR_FORMAT] = "format",
        [TTT_ERROR_ARGUMENT] = "argument",
        [TTT_ERROR_UNSUPPORTED] = "unsupported",
        [TTT_ERROR_CANCELLED] = "cancelled",
    };
    _Static_assert(sizeof names / sizeof names[0] == TTT_STATUS_COUNT, "every status has a name");
    return (unsigned)status < TTT_STATUS_COUNT ? names[status] : "unknown";
}
