/* What tests of every folder share: temporary folders, shared data, checks that print the error's sentence.
 * Include it first: it brings cmocka and the headers that cmocka asks for. */
#ifndef TTT_TESTS_SUPPORT_H
#define TTT_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/status.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Fails the test with the error's sentence unless the call succeeds; needs a local `ttt_error err`. */
#define ASSERT_OK(call)                                                                                                \
    do {                                                                                                               \
        if ((call) != TTT_OK) fail_msg("%s: %s", #call, err.message);                                                  \
    } while (0)

/* The call must fail with `wanted`, and its sentence must contain `part`. */
#define ASSERT_FAILS(call, wanted, part)                                                                               \
    do {                                                                                                               \
        ttt_status support_status_ = (call);                                                                           \
        if (support_status_ != (wanted)) {                                                                             \
            fail_msg("%s: status %s instead of %s (%s)", #call, ttt_status_name(support_status_),                      \
                     ttt_status_name(wanted), err.message);                                                            \
        }                                                                                                              \
        if (strstr(err.message, (part)) == NULL) fail_msg("%s: no \"%s\" in \"%s\"", #call, (part), err.message);      \
    } while (0)

/* Skips the test with a reason, which is printed: a skip without one cannot be told from an oversight. */
#define SKIP(...)                                                                                                      \
    do {                                                                                                               \
        print_message("skipped: " __VA_ARGS__);                                                                        \
        print_message("\n");                                                                                           \
        skip();                                                                                                        \
    } while (0)

typedef struct support_path {
    char text[4096];
} support_path;

/* folder/name */
static inline support_path support_join(const char *folder, const char *name) {
    support_path path;
    int length = snprintf(path.text, sizeof path.text, "%s/%s", folder, name);
    if (length < 0 || (size_t)length >= sizeof path.text) fail_msg("path too long: %s", path.text);
    return path;
}

/* A file or folder of the shared data ("data/arc-agi-1"); the test is skipped where it is absent. */
static inline support_path support_data(const char *name) {
    const char *folder = getenv("TTT_TEST_DATA");
    support_path path = support_join(folder == NULL ? "../shared" : folder, name);
    if (access(path.text, R_OK) != 0) SKIP("no shared data at %s", path.text);
    return path;
}

/* A file or folder of this repository ("tests/bad/grid.json"). */
static inline support_path support_source(const char *name) {
    const char *folder = getenv("TTT_TEST_SOURCE");
    return support_join(folder == NULL ? "." : folder, name);
}

static inline support_path support_temporary_folder(void) {
    const char *parent = getenv("TMPDIR");
    support_path path = support_join(parent == NULL ? "/tmp" : parent, "ttt-test-XXXXXX");
    if (mkdtemp(path.text) == NULL) fail_msg("cannot make a temporary folder '%s'", path.text);
    return path;
}

static inline int support_remove_entry(const char *path, const struct stat *info, int type, struct FTW *place) {
    (void)info, (void)type, (void)place;
    return remove(path);
}

static inline void support_remove_folder(const char *path) {
    nftw(path, support_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void support_write(const char *path, const char *text) {
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(text, 1, strlen(text), file) != strlen(text) || fclose(file) != 0) {
        fail_msg("cannot write '%s'", path);
    }
}

#endif
