/* Files: whole reads, memory maps, atomic replacement, folder listings. Every error names the path and why. */
#ifndef TTT_BASE_FILE_H
#define TTT_BASE_FILE_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a regular file whole. *data is one byte longer than *bytes and ends in NUL; free with ttt_free.
 * A folder in place of a file, or a file over `limit` bytes, is an error. */
ttt_status ttt_file_read(const char *path, size_t limit, char **data, size_t *bytes, ttt_error *err);

/* Replaces `path` by `data` so that a reader (or a crash) sees the old content or the new, never a part: written
 * to a temporary file beside it, flushed to disk, renamed. On failure the old file is untouched. Its permissions are
 * kept, a symbolic link is followed. What is no regular file (/dev/stdout, a pipe) is written to in place. */
ttt_status ttt_file_write_atomically(const char *path, const void *data, size_t bytes, ttt_error *err);

/* The same in pieces, for what is too large to be held in memory: open, append, commit. Until commit has succeeded the
 * old file is there; free without it leaves no trace. After a failed append only free makes sense. */
typedef struct ttt_file_writer ttt_file_writer;
ttt_status ttt_file_writer_open(const char *path, ttt_file_writer **writer, ttt_error *err);
ttt_status ttt_file_writer_append(ttt_file_writer *writer, const void *data, size_t bytes, ttt_error *err);
ttt_status ttt_file_writer_commit(ttt_file_writer *writer, ttt_error *err);
void ttt_file_writer_free(ttt_file_writer *writer); /* NULL is fine */

/* A read-only memory map of a whole file. */
typedef struct ttt_file_map {
    const uint8_t *data;
    size_t bytes;
} ttt_file_map;
ttt_status ttt_file_map_open(ttt_file_map *map, const char *path, ttt_error *err);
void ttt_file_map_close(ttt_file_map *map);
/* Gives the memory of the whole pages among these bytes of a map back: they are read again when they are touched. */
void ttt_file_map_forget(const uint8_t *data, size_t bytes);

bool ttt_file_exists(const char *path);
bool ttt_file_is_folder(const char *path);
ttt_status ttt_folder_make(const char *path, ttt_error *err); /* with its parents; existing is fine */

/* Names (not paths) of a folder's entries that end in `suffix` ("" for all), sorted by byte value, hidden ones left
 * out. Free with ttt_folder_list_free. */
typedef struct ttt_folder_list {
    char **names;
    size_t count;
} ttt_folder_list;
ttt_status ttt_folder_list_read(ttt_folder_list *list, const char *path, const char *suffix, ttt_error *err);
void ttt_folder_list_free(ttt_folder_list *list);

/* "folder/name" in fresh memory (ttt_free), NULL when memory is out. */
char *ttt_path_join(const char *folder, const char *name);

#endif
