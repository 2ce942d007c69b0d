/* Checkpoints on disk: the session's own state file with the loop's state and the caller's notes in its metadata. It is
 * written beside its name and renamed when it is whole, so that a listing never shows a part of one. */
#include "train/checkpoint.h"

#include "base/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "checkpoint-"
#define SUFFIX ".safetensors"
#define STATE_KEY "ttt.train.state" /* callers' notes may have any other name */

enum { KEPT = 2, NAME_LENGTH = 64, STATE_LENGTH = 256 };

/* --- The state as text: hexadecimal floats, which come back bit for bit ------------------------------------------ */

static void state_to_text(const ttt_train_state *state, char *text) {
    snprintf(text, STATE_LENGTH, "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %a %a", state->steps, state->examples,
             state->tokens, state->counted, state->operations, state->seconds);
}

static bool state_from_text(const char *text, ttt_train_state *state) {
    int end = 0;
    const int fields =
        sscanf(text, "%" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %la %la%n", &state->steps, &state->examples,
               &state->tokens, &state->counted, &state->operations, &state->seconds, &end);
    return fields == 6 && text[end] == '\0' && state->steps >= 0 && state->examples >= 0;
}

/* --- The folder -------------------------------------------------------------------------------------------------- */

/* The steps in a checkpoint's file name, -1 for any other file. */
static int64_t steps_of(const char *name) {
    int64_t steps = -1;
    int end = 0;
    if (sscanf(name, PREFIX "%" SCNd64 SUFFIX "%n", &steps, &end) != 1 || end == 0 || name[end] != '\0') return -1;
    return steps;
}

static int newest_first(const void *a, const void *b) {
    const int64_t x = steps_of(*(char *const *)a), y = steps_of(*(char *const *)b);
    return x < y ? 1 : x > y ? -1 : 0;
}

/* The folder's files, checkpoints first, newest first; *count is the number of checkpoints. */
static ttt_status list(const char *folder, ttt_folder_list *files, size_t *count, ttt_error *err) {
    *files = (ttt_folder_list){0};
    *count = 0;
    if (!ttt_file_is_folder(folder)) return TTT_OK;
    TTT_TRY(ttt_folder_list_read(files, folder, SUFFIX, err));
    if (files->count > 0) qsort(files->names, files->count, sizeof *files->names, newest_first);
    while (*count < files->count && steps_of(files->names[*count]) >= 0) ++*count;
    return TTT_OK;
}

static ttt_status remove_old(const char *folder, ttt_error *err) {
    ttt_folder_list files;
    size_t count;
    ttt_status status = list(folder, &files, &count, err);
    for (size_t i = KEPT; status == TTT_OK && i < count; i++) {
        char *path = ttt_path_join(folder, files.names[i]);
        if (!path)
            status = ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the path of a checkpoint");
        else if (unlink(path) != 0 && errno != ENOENT)
            status = ttt_fail(err, TTT_ERROR_IO, "%s: cannot remove this old checkpoint: %s", path, strerror(errno));
        ttt_free(path);
    }
    ttt_folder_list_free(&files);
    return status;
}

/* --- Save and load ----------------------------------------------------------------------------------------------- */

ttt_status ttt_checkpoint_save(const char *folder, const ttt_session *session, const ttt_train_state *state,
                               const json_t *notes, ttt_error *err) {
    char name[NAME_LENGTH], text[STATE_LENGTH];
    char *path = NULL;
    json_t *metadata = NULL;
    ttt_status status;
    state_to_text(state, text);
    TTT_TRY(ttt_folder_make(folder, err));
    snprintf(name, sizeof name, PREFIX "%" PRId64 SUFFIX, state->steps);
    path = ttt_path_join(folder, name);
    metadata = notes ? json_copy((json_t *)notes) : json_object();
    if (!path || !metadata || json_object_set_new(metadata, STATE_KEY, json_string(text)) != 0) {
        status = ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a checkpoint's metadata");
        goto out;
    }
    TTT_TRY_OUT(ttt_session_save_state(session, path, metadata, err)); /* whole or not at all */
    status = remove_old(folder, err);
out:
    json_decref(metadata);
    ttt_free(path);
    return status;
}

static ttt_status load_one(const char *path, ttt_session *session, ttt_train_state *state, json_t **notes,
                           ttt_error *err) {
    json_t *metadata = NULL;
    TTT_TRY(ttt_session_load_state(session, path, &metadata, err));
    const char *text = json_string_value(json_object_get(metadata, STATE_KEY));
    ttt_status status = TTT_OK;
    if (!text || !state_from_text(text, state))
        status = ttt_fail(err, TTT_ERROR_FORMAT, "%s: no readable training state in the metadata", path);
    if (status != TTT_OK || !notes) {
        json_decref(metadata);
        return status;
    }
    json_object_del(metadata, STATE_KEY);
    *notes = metadata;
    return TTT_OK;
}

ttt_status ttt_checkpoint_load(const char *folder, ttt_session *session, ttt_train_state *state, json_t **notes,
                               bool *found, ttt_error *problem, ttt_error *err) {
    ttt_folder_list files;
    size_t count;
    *found = false;
    if (problem) *problem = (ttt_error){0};
    ttt_status status = list(folder, &files, &count, err);
    for (size_t i = 0; status == TTT_OK && i < count && !*found; i++) {
        char *path = ttt_path_join(folder, files.names[i]);
        if (!path) {
            status = ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the path of a checkpoint");
            break;
        }
        status = load_one(path, session, state, notes, err);
        ttt_free(path);
        *found = status == TTT_OK;
        /* Not the last hope: go on with the one before. */
        if (!*found && i + 1 < count && status != TTT_ERROR_MEMORY) {
            if (problem && problem->status == TTT_OK) *problem = *err;
            status = TTT_OK;
        }
    }
    ttt_folder_list_free(&files);
    return status;
}
