/* Writing files. Atomic replacement: the data goes to "<path>.tmp.<pid>" in the same folder (a rename works within one
 * file system only), is flushed with fsync, renamed over the target, and the folder is flushed so that the rename
 * itself survives a crash. Whatever fails before the rename removes the temporary file and leaves the target alone. */
#include "base/file.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct ttt_file_writer {
    char *path;      /* as the caller named it, for errors */
    char *target;    /* where the file will be; NULL: written in place */
    char *temporary; /* there until commit; NULL: written in place */
    int fd;
};

static ttt_status fail_write(ttt_error *err, const char *path, int reason) {
    if (reason == ENOMEM) return ttt_fail(err, TTT_ERROR_MEMORY, "cannot write '%s': out of memory", path);
    return ttt_fail(err, TTT_ERROR_IO, "cannot write '%s': %s", path, strerror(reason));
}

/* Opens the temporary file beside `target`; `mode` is that of the file to be replaced, -1 for a new one. 0, or an
 * errno.
 */
static int open_temporary(ttt_file_writer *writer, const char *target, int mode) {
    const size_t length = strlen(target) + 32;
    writer->target = ttt_string_copy(target);
    char *temporary = ttt_allocate(length, 1);
    if (writer->target == NULL || temporary == NULL) {
        ttt_free(temporary);
        return ENOMEM;
    }
    snprintf(temporary, length, "%s.tmp.%ld", target, (long)getpid());
    writer->fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (writer->fd < 0) {
        const int reason = errno;
        ttt_free(temporary);
        return reason;
    }
    writer->temporary = temporary;
    return mode >= 0 && fchmod(writer->fd, (mode_t)mode) != 0 ? errno : 0;
}

static int open_target(ttt_file_writer *writer, const char *path) {
    struct stat info;
    if (stat(path, &info) != 0) return open_temporary(writer, path, -1);
    if (S_ISREG(info.st_mode)) {
        char *real = realpath(path, NULL);
        const int reason = real == NULL ? errno : open_temporary(writer, real, (int)(info.st_mode & 07777));
        free(real); /* the C library's, not ours */
        return reason;
    }
    writer->fd = open(path, O_WRONLY | O_CLOEXEC); /* a pipe, a device: in place */
    return writer->fd < 0 ? errno : 0;
}

ttt_status ttt_file_writer_open(const char *path, ttt_file_writer **writer, ttt_error *err) {
    *writer = NULL;
    if (ttt_file_is_folder(path)) {
        return ttt_fail(err, TTT_ERROR_IO, "cannot write '%s': it is a folder, a file was expected", path);
    }
    ttt_file_writer *fresh = ttt_allocate(1, sizeof *fresh);
    if (fresh == NULL) return fail_write(err, path, ENOMEM);
    fresh->fd = -1;
    fresh->path = ttt_string_copy(path);
    const int reason = fresh->path == NULL ? ENOMEM : open_target(fresh, path);
    if (reason != 0) {
        ttt_file_writer_free(fresh);
        return fail_write(err, path, reason);
    }
    *writer = fresh;
    return TTT_OK;
}

ttt_status ttt_file_writer_append(ttt_file_writer *writer, const void *data, size_t bytes, ttt_error *err) {
    const char *from = data;
    while (bytes > 0) {
        const ssize_t put = write(writer->fd, from, bytes);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return fail_write(err, writer->path, errno);
        from += put;
        bytes -= (size_t)put;
    }
    return TTT_OK;
}

/* Flushes the folder that holds `path`, so that a rename in it is on disk; cuts `path` on the way. 0, or an errno. */
static int flush_folder_of(char *path) {
    char *slash = strrchr(path, '/');
    const char *folder = ".";
    if (slash == path) {
        folder = "/";
    } else if (slash != NULL) {
        *slash = '\0';
        folder = path;
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int reason = fd < 0 ? errno : 0;
    /* Some file systems cannot flush a folder and say EINVAL: there the rename is as safe as it gets. */
    if (fd >= 0 && fsync(fd) != 0 && errno != EINVAL) reason = errno;
    if (fd >= 0) close(fd);
    return reason;
}

ttt_status ttt_file_writer_commit(ttt_file_writer *writer, ttt_error *err) {
    int reason = 0;
    /* Pipes and devices cannot be flushed and say EINVAL or EROFS. */
    if (fsync(writer->fd) != 0 && errno != EINVAL && errno != EROFS) reason = errno;
    if (close(writer->fd) != 0 && reason == 0) reason = errno;
    writer->fd = -1;
    if (reason == 0 && writer->temporary != NULL) {
        if (rename(writer->temporary, writer->target) != 0) return fail_write(err, writer->path, errno);
        ttt_free(writer->temporary);
        writer->temporary = NULL;
        reason = flush_folder_of(writer->target);
    }
    return reason == 0 ? TTT_OK : fail_write(err, writer->path, reason);
}

void ttt_file_writer_free(ttt_file_writer *writer) {
    if (writer == NULL) return;
    if (writer->fd >= 0) close(writer->fd);
    if (writer->temporary != NULL) unlink(writer->temporary);
    ttt_free(writer->temporary);
    ttt_free(writer->target);
    ttt_free(writer->path);
    ttt_free(writer);
}

ttt_status ttt_file_write_atomically(const char *path, const void *data, size_t bytes, ttt_error *err) {
    ttt_file_writer *writer;
    TTT_TRY(ttt_file_writer_open(path, &writer, err));
    ttt_status status = ttt_file_writer_append(writer, data, bytes, err);
    if (status == TTT_OK) status = ttt_file_writer_commit(writer, err);
    ttt_file_writer_free(writer);
    return status;
}
