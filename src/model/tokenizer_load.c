/* Which files make a tokenizer: a folder's tokenizer.json with what stands beside it, or a GGUF file. */
#include "base/file.h"
#include "model/tokenizer_inside.h"

#include <string.h>

enum { TEMPLATE_LIMIT = 1 << 20 };

/* Files of a folder; released together. */
typedef struct folder_files {
    char *path, *config_path, *template_path;
    json_t *root, *config;
    char *chat_template;
} folder_files;

static ttt_status read_files(folder_files *files, const char *folder, ttt_error *err) {
    files->path = ttt_path_join(folder, "tokenizer.json");
    files->config_path = ttt_path_join(folder, "tokenizer_config.json");
    files->template_path = ttt_path_join(folder, "chat_template.jinja");
    if (files->path == NULL || files->config_path == NULL || files->template_path == NULL) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the tokenizer of '%s'", folder);
    }
    if (!ttt_file_exists(files->path)) {
        return ttt_fail(err, TTT_ERROR_IO, "'%s' has no tokenizer: there is no tokenizer.json in it", folder);
    }
    TTT_TRY(ttt_json_read(files->path, &files->root, err));
    if (ttt_file_exists(files->config_path)) TTT_TRY(ttt_json_read(files->config_path, &files->config, err));
    size_t bytes;
    if (!ttt_file_exists(files->template_path)) return TTT_OK;
    return ttt_file_read(files->template_path, TEMPLATE_LIMIT, &files->chat_template, &bytes, err);
}

static ttt_status load_folder(const char *folder, ttt_tokenizer **tokenizer, ttt_error *err) {
    folder_files files = {0};
    ttt_status status = read_files(&files, folder, err);
    if (status == TTT_OK) {
        status = ttt_tokenizer_from_json(files.root, files.config, files.chat_template, tokenizer, err);
        if (status != TTT_OK) ttt_fail_within(err, status, "%s", files.path);
    }
    json_decref(files.root);
    json_decref(files.config);
    ttt_free(files.chat_template);
    ttt_free(files.path);
    ttt_free(files.config_path);
    ttt_free(files.template_path);
    return status;
}

static ttt_status load_gguf(const char *path, ttt_tokenizer **tokenizer, ttt_error *err) {
    ttt_gguf *gguf;
    TTT_TRY(ttt_gguf_open(path, &gguf, err));
    const ttt_status status = ttt_tokenizer_from_gguf(gguf, tokenizer, err);
    ttt_gguf_close(gguf);
    return status;
}

ttt_status ttt_tokenizer_load(const char *path, ttt_tokenizer **tokenizer, ttt_error *err) {
    *tokenizer = NULL;
    return ttt_file_exists(path) && !ttt_file_is_folder(path) ? load_gguf(path, tokenizer, err)
                                                              : load_folder(path, tokenizer, err);
}
