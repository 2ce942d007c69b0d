/* Finding and reading JSON files: single, in folders, in archives (libarchive). */
#include "arc/json_files.h"

#include "base/file.h"
#include "base/memory.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* No file of a set is larger than this. */
enum { FILE_LIMIT = 1 << 28 };

ttt_status ttt_problem_report(ttt_problem_sink problems, ttt_status status, ttt_error *err) {
    const bool data = status == TTT_ERROR_FORMAT || status == TTT_ERROR_IO || status == TTT_ERROR_UNSUPPORTED;
    if (!data || !problems.report) return status;
    problems.report(problems.context, err);
    if (err) *err = (ttt_error){0};
    return TTT_OK;
}

static bool ends_with(const char *text, const char *suffix) {
    const size_t length = strlen(text), tail = strlen(suffix);
    return length >= tail && strcasecmp(text + length - tail, suffix) == 0;
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Whether a file of this name is one of a set's: *.json, not hidden, not RE-ARC's table of counts. */
static bool is_set_file(const char *path) {
    const char *name = base_name(path);
    return ends_with(name, ".json") && name[0] != '.' && strcmp(name, "metadata.json") != 0;
}

static bool is_archive(const char *path) {
    const char *suffixes[] = {".tar", ".tar.zst", ".tar.gz", ".tar.xz", ".tar.bz2", ".tzst", ".tgz", ".zip"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (ends_with(path, suffixes[i])) return true;
    return false;
}

static ttt_status visit_text(ttt_json_visitor *visit, void *context, const char *name, const char *text, size_t bytes,
                             ttt_error *err) {
    if (bytes == 0) return ttt_fail(err, TTT_ERROR_FORMAT, "%s: the file is empty, JSON was expected", name);
    char *id = ttt_string_copy(base_name(name));
    if (!id) return ttt_fail(err, TTT_ERROR_MEMORY, "%s: out of memory", name);
    if (ends_with(id, ".json")) id[strlen(id) - strlen(".json")] = '\0';
    const ttt_status status = visit(context, name, id, text, bytes, err);
    ttt_free(id);
    return status;
}

static ttt_status read_file(const char *path, ttt_json_visitor *visit, void *context, ttt_error *err) {
    char *text;
    size_t bytes;
    TTT_TRY(ttt_file_read(path, FILE_LIMIT, &text, &bytes, err));
    const ttt_status status = visit_text(visit, context, path, text, bytes, err);
    ttt_free(text);
    return status;
}

/* --- Folders ----------------------------------------------------------------------------------------------------- */

/* Counts the set's files in *count; one that is bad is a problem. */
static ttt_status read_folder_files(const char *path, ttt_json_visitor *visit, void *context, ttt_problem_sink problems,
                                    size_t *count, ttt_error *err) {
    ttt_folder_list list;
    TTT_TRY(ttt_folder_list_read(&list, path, ".json", err));
    ttt_status status = TTT_OK;
    for (size_t i = 0; i < list.count && status == TTT_OK; i++) {
        if (!is_set_file(list.names[i])) continue;
        char *file = ttt_path_join(path, list.names[i]);
        status =
            file ? read_file(file, visit, context, err) : ttt_fail(err, TTT_ERROR_MEMORY, "%s: out of memory", path);
        status = ttt_problem_report(problems, status, err);
        ttt_free(file);
        ++*count;
    }
    ttt_folder_list_free(&list);
    return status;
}

static ttt_status read_folder(const char *path, ttt_json_visitor *visit, void *context, ttt_problem_sink problems,
                              ttt_error *err) {
    size_t count = 0;
    TTT_TRY(read_folder_files(path, visit, context, problems, &count, err));
    if (count > 0) return TTT_OK;
    char *tasks = ttt_path_join(path, "tasks"); /* RE-ARC's layout: metadata.json beside a folder of tasks */
    if (!tasks) return ttt_fail(err, TTT_ERROR_MEMORY, "%s: out of memory", path);
    ttt_status status = TTT_OK;
    if (ttt_file_is_folder(tasks)) status = read_folder_files(tasks, visit, context, problems, &count, err);
    ttt_free(tasks);
    if (status != TTT_OK || count > 0) return status;
    return ttt_fail(err, TTT_ERROR_FORMAT, "%s: the folder has no .json file", path);
}

/* --- Archives ---------------------------------------------------------------------------------------------------- */

/* The entry's content in fresh memory. Sizes in an archive's headers are claims, so the buffer grows with what comes.
 */
static ttt_status read_entry(struct archive *archive, const char *name, char **text, size_t *bytes, ttt_error *err) {
    struct {
        char *items;
        size_t count, capacity;
    } content = {0};
    ttt_status status = TTT_OK;
    for (;;) {
        TTT_TRY_OUT(TTT_RESERVE(&content, content.count + (1 << 16), err));
        const la_ssize_t got =
            archive_read_data(archive, content.items + content.count, content.capacity - content.count);
        if (got == 0) break;
        if (got < 0) {
            status = ttt_fail(err, TTT_ERROR_FORMAT, "%s: %s", name, archive_error_string(archive));
            goto out;
        }
        content.count += (size_t)got;
        if (content.count > FILE_LIMIT) {
            status = ttt_fail(err, TTT_ERROR_FORMAT, "%s: over %d bytes", name, FILE_LIMIT);
            goto out;
        }
    }
    *text = content.items;
    *bytes = content.count;
    return TTT_OK;
out:
    ttt_free(content.items);
    return status;
}

static ttt_status visit_entry(struct archive *archive, const char *name, ttt_json_visitor *visit, void *context,
                              ttt_error *err) {
    char *text = NULL;
    size_t bytes = 0;
    TTT_TRY(read_entry(archive, name, &text, &bytes, err));
    const ttt_status status = visit_text(visit, context, name, text, bytes, err);
    ttt_free(text);
    return status;
}

static ttt_status read_entries(struct archive *archive, const char *path, ttt_json_visitor *visit, void *context,
                               ttt_problem_sink problems, ttt_error *err) {
    size_t count = 0;
    struct archive_entry *entry;
    int result;
    while ((result = archive_read_next_header(archive, &entry)) == ARCHIVE_OK || result == ARCHIVE_WARN) {
        const char *inner = archive_entry_pathname(entry);
        if (!inner || archive_entry_filetype(entry) != AE_IFREG || !is_set_file(inner)) continue;
        char name[1024];
        snprintf(name, sizeof name, "%s: %s", path, inner);
        TTT_TRY(ttt_problem_report(problems, visit_entry(archive, name, visit, context, err), err));
        count++;
    }
    if (result != ARCHIVE_EOF) return ttt_fail(err, TTT_ERROR_FORMAT, "%s: %s", path, archive_error_string(archive));
    if (count == 0) return ttt_fail(err, TTT_ERROR_FORMAT, "%s: the archive has no .json file", path);
    return TTT_OK;
}

/* libarchive has -1 for what is wrong inside an archive and EILSEQ for what is none; other numbers are the system's. */
static bool is_system_error(struct archive *archive) {
    return archive_errno(archive) > 0 && archive_errno(archive) != EILSEQ;
}

static ttt_status read_archive(const char *path, ttt_json_visitor *visit, void *context, ttt_problem_sink problems,
                               ttt_error *err) {
    struct archive *archive = archive_read_new();
    if (!archive) return ttt_fail(err, TTT_ERROR_MEMORY, "%s: out of memory", path);
    ttt_status status;
    /* Those that libarchive reads itself: for others it would start programs, whatever the file's name says. */
    archive_read_support_filter_gzip(archive);
    archive_read_support_filter_bzip2(archive);
    archive_read_support_filter_xz(archive);
    archive_read_support_filter_zstd(archive);
    archive_read_support_format_tar(archive);
    archive_read_support_format_zip(archive);
    if (archive_read_open_filename(archive, path, 1 << 18) != ARCHIVE_OK)
        status = ttt_fail(err, is_system_error(archive) ? TTT_ERROR_IO : TTT_ERROR_FORMAT,
                          "%s: cannot open the archive: %s", path, archive_error_string(archive));
    else
        status = read_entries(archive, path, visit, context, problems, err);
    archive_read_free(archive);
    return status;
}

ttt_status ttt_json_files_read(const char *path, ttt_json_visitor *visit, void *context, ttt_problem_sink problems,
                               ttt_error *err) {
    if (ttt_file_is_folder(path)) return read_folder(path, visit, context, problems, err);
    if (is_archive(path)) return read_archive(path, visit, context, problems, err);
    return read_file(path, visit, context, err);
}
