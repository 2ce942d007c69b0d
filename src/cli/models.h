/* Models as commands get them: a folder, a device. */
#ifndef TTT_CLI_MODELS_H
#define TTT_CLI_MODELS_H

#include "encode/codec.h"
#include "model/model.h"

/* Where the bundled model lies: models/arc-grid beside the folder of this program, wherever it was started from. Fresh
 * memory (ttt_free); NULL when memory is out. */
char *ttt_bundled_model(void);

typedef struct ttt_loaded_model {
    char *path;
    ttt_backend *backend;
    ttt_model *model;
    ttt_codec *codec; /* of ttt_puzzle_model_open */
} ttt_loaded_model;
/* `path` NULL: the bundled model. threads 0: one per core. On failure *loaded is as released. */
ttt_status ttt_loaded_model_open(ttt_loaded_model *loaded, const char *path, const char *device, int threads,
                                 ttt_error *err);
/* The same with its codec (ttt_codec_open), and no more of its vocabulary than that uses. */
ttt_status ttt_puzzle_model_open(ttt_loaded_model *loaded, const char *path, const char *device, int threads,
                                 const char *format, bool reduced, ttt_error *err);
void ttt_loaded_model_release(ttt_loaded_model *loaded);

#endif
