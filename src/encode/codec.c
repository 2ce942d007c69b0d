/* What all codecs share, and which of them a model wants. */
#include "encode/codec.h"

#include "base/file.h"
#include "base/memory.h"

int ttt_codec_fitting(const ttt_codec *codec, int32_t limit, const ttt_pair *demonstrations, size_t count,
                      const ttt_pair *question) {
    int32_t tokens = codec->ops->example_tokens(codec, NULL, 0, question);
    if (tokens > limit) return -1;
    int shown = 0;
    while ((size_t)shown < count && shown < TTT_EXAMPLE_DEMONSTRATIONS) {
        tokens += codec->ops->pair_tokens(codec, &demonstrations[shown]);
        if (tokens > limit) break;
        shown++;
    }
    return shown;
}

ttt_status ttt_codec_open(const char *path, ttt_codec **codec, ttt_error *err) {
    ttt_model_config config = {0};
    ttt_encoding encoding;
    ttt_status status;
    *codec = NULL;
    char *file = ttt_path_join(path, "config.json");
    if (file == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the path of a model");
    TTT_TRY_OUT(ttt_model_config_read(file, &config, err));
    TTT_TRY_OUT(ttt_encoding_read(&config, path, &encoding, err));
    status = ttt_grid_codec_new(&encoding, codec, err);
out:
    ttt_model_config_release(&config);
    ttt_free(file);
    return status;
}
