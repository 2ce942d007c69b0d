/* Status codes and errors. Every function that can fail returns ttt_status and fills the ttt_error that comes
 * last in its arguments with one sentence: what failed, where (file, task, tensor), what was found, what was
 * expected. Only src/cli prints. */
#ifndef TTT_BASE_STATUS_H
#define TTT_BASE_STATUS_H

#include <stdbool.h>

typedef enum ttt_status {
    TTT_OK = 0,
    TTT_ERROR_MEMORY,      /* an allocation failed */
    TTT_ERROR_IO,          /* the operating system refused a read, a write, an open */
    TTT_ERROR_FORMAT,      /* data from outside breaks a rule of its format */
    TTT_ERROR_ARGUMENT,    /* the caller (or the user, through an option) asked for something impossible */
    TTT_ERROR_UNSUPPORTED, /* well-formed, but not something this build can do */
    TTT_ERROR_CANCELLED,   /* the user asked to stop (Ctrl-C) */
    TTT_STATUS_COUNT
} ttt_status;

enum { TTT_ERROR_LENGTH = 512 };

/* A character that a terminal obeys instead of showing it: none of what comes from outside may reach one. */
static inline bool ttt_is_control(char c) {
    return (unsigned char)c < ' ' || c == 0x7f;
}

/* One sentence without a trailing newline; empty while nothing has failed. */
typedef struct ttt_error {
    ttt_status status;
    char message[TTT_ERROR_LENGTH];
} ttt_error;

/* Writes the sentence (printf style, cut at TTT_ERROR_LENGTH) and returns `status`. `err` may be NULL. */
ttt_status ttt_fail(ttt_error *err, ttt_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the sentence already in `err`, so that a caller can add the place it knows (a file, a
 * task id). Returns err->status. `err` may be NULL, in which case `status` is returned. */
ttt_status ttt_fail_within(ttt_error *err, ttt_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The short name of a status: "ok", "memory", "io", ... */
const char *ttt_status_name(ttt_status status);

/* Forwards a failure at once: for functions with nothing to clean up. */
#define TTT_TRY(call)                                                                                                  \
    do {                                                                                                               \
        ttt_status ttt_try_status_ = (call);                                                                           \
        if (ttt_try_status_ != TTT_OK) return ttt_try_status_;                                                         \
    } while (0)

/* Forwards a failure through the function's one `out:` label; needs a local `ttt_status status`. */
#define TTT_TRY_OUT(call)                                                                                              \
    do {                                                                                                               \
        status = (call);                                                                                               \
        if (status != TTT_OK) goto out;                                                                                \
    } while (0)

#endif
