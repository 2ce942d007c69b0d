/* Files. Errors name the path in quotes and give the operating system's reason. Writing is in file_write.c. */
#include "base/file.h"

#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static ttt_status fail_io(ttt_error *err, const char *verb, const char *path, int reason) {
    return ttt_fail(err, TTT_ERROR_IO, "cannot %s '%s': %s", verb, path, strerror(reason));
}

static ttt_status fail_memory(ttt_error *err, const char *verb, const char *path) {
    return ttt_fail(err, TTT_ERROR_MEMORY, "cannot %s '%s': out of memory", verb, path);
}

/* Opens for reading and makes sure of a regular file; *bytes is its size. O_NONBLOCK so that a named pipe is
 * refused instead of waited for. */
static ttt_status open_regular(const char *path, int *fd, size_t *bytes, ttt_error *err) {
    *bytes = 0;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0) return fail_io(err, "open", path, errno);
    struct stat info;
    ttt_status status = TTT_OK;
    if (fstat(*fd, &info) != 0) {
        status = fail_io(err, "examine", path, errno);
    } else if (S_ISDIR(info.st_mode)) {
        status = ttt_fail(err, TTT_ERROR_IO, "cannot read '%s': it is a folder, a file was expected", path);
    } else if (!S_ISREG(info.st_mode)) {
        status = ttt_fail(err, TTT_ERROR_IO, "cannot read '%s': it is not a regular file", path);
    }
    if (status != TTT_OK) {
        close(*fd);
        *fd = -1;
        return status;
    }
    *bytes = (size_t)info.st_size;
    return TTT_OK;
}

ttt_status ttt_file_read(const char *path, size_t limit, char **data, size_t *bytes, ttt_error *err) {
    *data = NULL;
    *bytes = 0;
    int fd;
    size_t size;
    TTT_TRY(open_regular(path, &fd, &size, err));
    ttt_status status = TTT_OK;
    char *buffer = NULL;
    if (size > limit) {
        status = ttt_fail(err, TTT_ERROR_FORMAT, "cannot read '%s': it has %zu bytes, at most %zu are allowed", path,
                          size, limit);
        goto out;
    }
    buffer = size == SIZE_MAX ? NULL : ttt_allocate(size + 1, 1);
    if (buffer == NULL) {
        status = fail_memory(err, "read", path);
        goto out;
    }
    size_t filled = 0;
    while (filled < size) {
        ssize_t got = read(fd, buffer + filled, size - filled);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            status = fail_io(err, "read", path, errno);
            goto out;
        }
        if (got == 0) {
            status = ttt_fail(err, TTT_ERROR_IO, "cannot read '%s': it shrank from %zu to %zu bytes while being read",
                              path, size, filled);
            goto out;
        }
        filled += (size_t)got;
    }
    *data = buffer;
    *bytes = size;
    buffer = NULL;
out:
    ttt_free(buffer);
    close(fd);
    return status;
}

/* ---------------------------------------------------------------------------------------------- maps */

ttt_status ttt_file_map_open(ttt_file_map *map, const char *path, ttt_error *err) {
    *map = (ttt_file_map){0};
    int fd;
    size_t bytes;
    TTT_TRY(open_regular(path, &fd, &bytes, err));
    ttt_status status = TTT_OK;
    if (bytes == 0) { /* mmap refuses nothing; an empty map needs a valid pointer all the same */
        map->data = (const uint8_t *)"";
    } else {
        void *data = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED) {
            status = fail_io(err, "map", path, errno);
        } else {
            *map = (ttt_file_map){.data = data, .bytes = bytes};
        }
    }
    close(fd);
    return status;
}

void ttt_file_map_close(ttt_file_map *map) {
    if (map->bytes > 0) munmap((void *)map->data, map->bytes);
    *map = (ttt_file_map){0};
}

void ttt_file_map_forget(const uint8_t *data, size_t bytes) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), before = (page - (uintptr_t)data % page) % page;
    if (bytes < before + page) return;
    /* Advice: where it is refused, the pages merely stay. */
    (void)madvise((void *)(data + before), (bytes - before) / page * page, MADV_DONTNEED);
}

/* ---------------------------------------------------------------------------------------------- folders */

bool ttt_file_exists(const char *path) {
    return access(path, F_OK) == 0;
}

bool ttt_file_is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

ttt_status ttt_folder_make(const char *path, ttt_error *err) {
    char *partial = ttt_string_copy(path);
    if (partial == NULL) return fail_memory(err, "make folder", path);
    int reason = 0;
    /* Every prefix that ends before a slash, then the whole. */
    for (char *end = partial + 1; reason == 0 && *partial != '\0'; end++) {
        if (*end != '/' && *end != '\0') continue;
        char kept = *end;
        *end = '\0';
        if (mkdir(partial, 0777) != 0 && !(errno == EEXIST && ttt_file_is_folder(partial))) reason = errno;
        *end = kept;
        if (kept == '\0') break;
    }
    if (*partial == '\0') reason = ENOENT;
    ttt_free(partial);
    return reason == 0 ? TTT_OK : fail_io(err, "make folder", path, reason);
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool ends_in(const char *name, const char *suffix) {
    size_t length = strlen(name), tail = strlen(suffix);
    return length >= tail && strcmp(name + length - tail, suffix) == 0;
}

ttt_status ttt_folder_list_read(ttt_folder_list *list, const char *path, const char *suffix, ttt_error *err) {
    *list = (ttt_folder_list){0};
    DIR *folder = opendir(path);
    if (folder == NULL) return fail_io(err, "list folder", path, errno);
    ttt_status status = TTT_OK;
    struct {
        char **items;
        size_t count, capacity;
    } names = {0};
    for (;;) {
        errno = 0; /* the only way to tell readdir's end from its failure */
        const struct dirent *entry = readdir(folder);
        if (entry == NULL) {
            if (errno != 0) status = fail_io(err, "list folder", path, errno);
            break;
        }
        if (entry->d_name[0] == '.' || !ends_in(entry->d_name, suffix)) continue;
        char *name = ttt_string_copy(entry->d_name);
        if (name == NULL || TTT_PUSH(&names, name, NULL) != TTT_OK) {
            ttt_free(name);
            status = fail_memory(err, "list folder", path);
            break;
        }
    }
    closedir(folder);
    *list = (ttt_folder_list){.names = names.items, .count = names.count};
    if (status != TTT_OK) {
        ttt_folder_list_free(list);
    } else if (names.count > 0) {
        qsort(names.items, names.count, sizeof *names.items, compare_names);
    }
    return status;
}

void ttt_folder_list_free(ttt_folder_list *list) {
    for (size_t i = 0; i < list->count; i++) ttt_free(list->names[i]);
    ttt_free(list->names);
    *list = (ttt_folder_list){0};
}

char *ttt_path_join(const char *folder, const char *name) {
    size_t length = strlen(folder);
    const char *separator = length > 0 && folder[length - 1] != '/' ? "/" : "";
    size_t bytes = length + strlen(separator) + strlen(name) + 1;
    char *path = ttt_allocate(bytes, 1);
    if (path != NULL) snprintf(path, bytes, "%s%s%s", folder, separator, name);
    return path;
}
