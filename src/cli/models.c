#include "cli/models.h"

#include "base/file.h"
#include "base/memory.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *ttt_bundled_model(void) {
    static const char *const places[] = {"/../models/arc-grid", "/../share/ttt/models/arc-grid"};
    char path[PATH_MAX + 64], plain[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);
    if (length <= 0) return ttt_string_copy("models/arc-grid");
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    for (int i = 1; i >= 0; i--) {
        strcpy(slash, places[i]);
        if (ttt_file_is_folder(path)) break;
    }
    return ttt_string_copy(realpath(path, plain) != NULL ? plain : path); /* without ".." in messages */
}

/* All but the model itself. */
static ttt_status begin(ttt_loaded_model *loaded, const char *path, const char *device, int threads, ttt_error *err) {
    *loaded = (ttt_loaded_model){.path = path == NULL ? ttt_bundled_model() : ttt_string_copy(path)};
    if (loaded->path == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the path of a model");
    return ttt_backend_new(device, threads, &loaded->backend, err);
}

ttt_status ttt_loaded_model_open(ttt_loaded_model *loaded, const char *path, const char *device, int threads,
                                 ttt_error *err) {
    ttt_status status;
    TTT_TRY_OUT(begin(loaded, path, device, threads, err));
    TTT_TRY_OUT(ttt_model_load(loaded->path, loaded->backend, &loaded->model, err));
out:
    if (status != TTT_OK) ttt_loaded_model_release(loaded);
    return status;
}

ttt_status ttt_puzzle_model_open(ttt_loaded_model *loaded, const char *path, const char *device, int threads,
                                 const char *format, bool reduced, ttt_error *err) {
    ttt_status status;
    TTT_TRY_OUT(begin(loaded, path, device, threads, err));
    TTT_TRY_OUT(ttt_codec_open(loaded->path, format, reduced, &loaded->codec, err));
    const ttt_codec *codec = loaded->codec;
    status = codec->vocabulary == NULL ? ttt_model_load(loaded->path, loaded->backend, &loaded->model, err)
                                       : ttt_model_load_reduced(loaded->path, codec->vocabulary, (size_t)codec->ids,
                                                                loaded->backend, &loaded->model, err);
out:
    if (status != TTT_OK) ttt_loaded_model_release(loaded);
    return status;
}

void ttt_loaded_model_release(ttt_loaded_model *loaded) {
    ttt_codec_free(loaded->codec);
    ttt_model_free(loaded->model);
    ttt_backend_free(loaded->backend);
    ttt_free(loaded->path);
    *loaded = (ttt_loaded_model){0};
}
