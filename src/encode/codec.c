/* What all codecs share, and which of them a model wants. */
#include "encode/codec.h"

#include "base/file.h"
#include "base/memory.h"
#include "encode/text_codec.h"

#include <stdio.h>
#include <string.h>

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

/* *codec stays NULL when the model is none of grid tokens. */
static ttt_status open_grid(const char *folder, ttt_codec **codec, ttt_error *err) {
    ttt_model_config config = {0};
    ttt_encoding encoding;
    ttt_status status;
    char *file = ttt_path_join(folder, "config.json");
    if (file == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the path of a model");
    TTT_TRY_OUT(ttt_model_config_read(file, &config, err));
    if (config.encoding == NULL) goto out;
    TTT_TRY_OUT(ttt_encoding_read(&config, folder, &encoding, err));
    status = ttt_grid_codec_new(&encoding, codec, err);
out:
    ttt_model_config_release(&config);
    ttt_free(file);
    return status;
}

static ttt_status find_format(const ttt_tokenizer *tokenizer, const char *name, const ttt_prompt_format **format,
                              ttt_error *err) {
    char names[256] = "auto";
    *format = strcmp(name, "auto") == 0 ? ttt_prompt_format_auto(tokenizer) : ttt_prompt_format_find(name);
    if (*format != NULL) return TTT_OK;
    for (const ttt_prompt_format *at = ttt_prompt_formats; at->name != NULL; at++) {
        const size_t length = strlen(names);
        snprintf(names + length, sizeof names - length, ", %s", at->name);
    }
    return ttt_fail(err, TTT_ERROR_ARGUMENT, "there is no prompt format '%s'; there are %s", name, names);
}

static ttt_status open_text(const char *path, const char *name, bool reduced, ttt_codec **codec, ttt_error *err) {
    ttt_tokenizer *tokenizer;
    const ttt_prompt_format *format;
    TTT_TRY(ttt_tokenizer_load(path, &tokenizer, err));
    ttt_status status = find_format(tokenizer, name, &format, err);
    if (status == TTT_OK) {
        status = ttt_text_codec_new(tokenizer, format, reduced, codec, err);
        if (status != TTT_OK) ttt_fail_within(err, status, "%s", path);
    }
    ttt_tokenizer_free(tokenizer);
    return status;
}

ttt_status ttt_codec_open(const char *path, const char *format, bool reduced, ttt_codec **codec, ttt_error *err) {
    *codec = NULL;
    if (!ttt_file_exists(path))
        return ttt_fail(err, TTT_ERROR_IO, "cannot load a model from '%s': no such folder or file", path);
    if (ttt_file_is_folder(path)) TTT_TRY(open_grid(path, codec, err));
    return *codec != NULL ? TTT_OK : open_text(path, format, reduced, codec, err);
}
