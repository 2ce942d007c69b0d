/* Folders and GGUF files as sources of weights; see weight_source.h. */
#include "model/weight_source.h"

#include "base/memory.h"
#include "model/gguf_config.h"
#include "model/gguf_format.h"
#include "model/safetensors.h"
#include "tensor/dtype.h"

#include <stdlib.h>
#include <string.h>

struct ttt_weight_source {
    char *path;
    ttt_model_config config;
    ttt_safetensors *folder; /* one of the two */
    ttt_gguf *gguf;
};

/* ---------------------------------------------------------------------------------------------- foreign tensors */

/* A folder may hold a copy of a tied output, and constants of rotary positions (old converters wrote them), as a GGUF
 * file does; any other tensor that the config does not imply means that the model is not what its config says. */
static bool may_be_ignored(const ttt_weight_source *source, const char *name) {
    if (source->gguf != NULL) return strcmp(name, TTT_GGUF_ROPE_FACTORS) == 0;
    const char *const end = "rotary_emb.inv_freq";
    const size_t length = strlen(name), tail = strlen(end);
    return strcmp(name, "lm_head.weight") == 0 || (length >= tail && strcmp(name + length - tail, end) == 0);
}

enum { NAME_BYTES = TTT_GGUF_NAME };

static void stored_name(const ttt_weight_source *source, const ttt_tensor *tensor, char name[NAME_BYTES]) {
    _Static_assert(sizeof tensor->file_name <= NAME_BYTES, "room for both kinds of names");
    if (source->gguf != NULL) {
        ttt_tensor_gguf_name(tensor, name);
    } else {
        memcpy(name, tensor->file_name, sizeof tensor->file_name);
    }
}

static int compare_names(const void *a, const void *b) {
    return strncmp(a, b, NAME_BYTES);
}

static size_t found_count(const ttt_weight_source *source) {
    return source->gguf != NULL ? ttt_gguf_tensor_count(source->gguf) : ttt_safetensors_count(source->folder);
}

static void found_at(const ttt_weight_source *source, size_t i, const char **path, const char **name) {
    if (source->gguf != NULL) {
        *path = source->path;
        *name = ttt_gguf_tensor_at(source->gguf, i)->name;
    } else {
        *path = ttt_safetensors_at(source->folder, i)->path;
        *name = ttt_safetensors_at(source->folder, i)->name;
    }
}

static ttt_status refuse_unknown(const ttt_weight_source *source, ttt_error *err) {
    const size_t count = ttt_tensor_count(&source->config);
    char(*known)[NAME_BYTES] = ttt_allocate(count, NAME_BYTES);
    if (known == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a list of tensors");
    for (size_t i = 0; i < count; i++) {
        const ttt_tensor tensor = ttt_tensor_get(&source->config, i);
        stored_name(source, &tensor, known[i]);
    }
    qsort(known, count, NAME_BYTES, compare_names);
    ttt_status status = TTT_OK;
    for (size_t i = 0; i < found_count(source) && status == TTT_OK; i++) {
        const char *path, *name;
        found_at(source, i, &path, &name);
        if (strlen(name) < NAME_BYTES && bsearch(name, known, count, NAME_BYTES, compare_names) != NULL) continue;
        if (may_be_ignored(source, name)) continue;
        status = ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: tensor \"%.100s\" is none of a model with this %s", path,
                          name, source->gguf != NULL ? "metadata" : "config.json");
    }
    ttt_free(known);
    return status;
}

/* ---------------------------------------------------------------------------------------------- opening */

static ttt_status open_folder(ttt_weight_source *source, ttt_error *err) {
    char *description = ttt_path_join(source->path, "config.json");
    if (description == NULL) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the model in '%s'", source->path);
    }
    const ttt_status status = ttt_model_config_read(description, &source->config, err);
    ttt_free(description);
    return status == TTT_OK ? ttt_safetensors_open_folder(source->path, &source->folder, err) : status;
}

static ttt_status open_file(ttt_weight_source *source, ttt_error *err) {
    TTT_TRY(ttt_gguf_open(source->path, &source->gguf, err));
    return ttt_gguf_config_read(source->gguf, &source->config, err);
}

/* Every tensor there, and no other. */
static ttt_status check(const ttt_weight_source *source, ttt_error *err) {
    for (size_t i = 0; i < ttt_tensor_count(&source->config); i++) {
        const ttt_tensor tensor = ttt_tensor_get(&source->config, i);
        ttt_stored stored;
        TTT_TRY(ttt_weight_source_get(source, &tensor, &stored, err));
    }
    return refuse_unknown(source, err);
}

ttt_status ttt_weight_source_open(const char *path, ttt_weight_source **source, ttt_error *err) {
    ttt_weight_source *fresh = *source = NULL;
    const bool folder = ttt_file_is_folder(path);
    if (!folder && !ttt_file_exists(path)) {
        return ttt_fail(err, TTT_ERROR_IO, "cannot load a model from '%s': no such folder or file", path);
    }
    fresh = ttt_allocate(1, sizeof *fresh);
    if (fresh != NULL) fresh->path = ttt_string_copy(path);
    ttt_status status;
    if (fresh == NULL || fresh->path == NULL) {
        status = ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the model in '%s'", path);
        goto out;
    }
    TTT_TRY_OUT(folder ? open_folder(fresh, err) : open_file(fresh, err));
    status = check(fresh, err);
out:
    if (status == TTT_OK) {
        *source = fresh;
    } else {
        ttt_weight_source_close(fresh);
    }
    return status;
}

void ttt_weight_source_close(ttt_weight_source *source) {
    if (source == NULL) return;
    ttt_safetensors_close(source->folder);
    ttt_gguf_close(source->gguf);
    ttt_model_config_release(&source->config);
    ttt_free(source->path);
    ttt_free(source);
}

const ttt_model_config *ttt_weight_source_config(const ttt_weight_source *source) {
    return &source->config;
}

const ttt_gguf *ttt_weight_source_gguf(const ttt_weight_source *source) {
    return source->gguf;
}

/* ---------------------------------------------------------------------------------------------- tensors */

static ttt_status get_from_folder(const ttt_weight_source *source, const ttt_tensor *tensor, ttt_stored *stored,
                                  ttt_error *err) {
    const ttt_safetensor *found;
    TTT_TRY(ttt_safetensors_matrix(source->folder, source->path, tensor->file_name, tensor->rows, tensor->columns,
                                   &found, err));
    stored->path = found->path;
    stored->dtype = found->dtype;
    stored->data = found->data;
    return TTT_OK;
}

static ttt_status get_from_gguf(const ttt_weight_source *source, const ttt_tensor *tensor, ttt_stored *stored,
                                ttt_error *err) {
    char name[TTT_GGUF_NAME];
    ttt_tensor_gguf_name(tensor, name);
    const ttt_gguf_tensor *found = ttt_gguf_tensor_find(source->gguf, name);
    if (found == NULL) return ttt_fail(err, TTT_ERROR_FORMAT, "%s: tensor \"%s\" is missing", source->path, name);
    if (found->dtype == TTT_DTYPE_COUNT) {
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                        "%s: tensor \"%s\" is of type %s, supported are F32, F16, BF16, Q8_0, Q4_0, Q4_K and Q6_K",
                        source->path, name, ttt_gguf_type_of(found->type)->name);
    }
    if (found->rows != tensor->rows || found->columns != tensor->columns || found->rank > 2) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: tensor \"%s\" has %zu rows of %zu, expected %zu of %zu",
                        source->path, name, found->rows, found->columns, tensor->rows, tensor->columns);
    }
    const bool rotated = tensor->kind == TTT_LINEAR_Q || tensor->kind == TTT_LINEAR_K;
    stored->interleaved = rotated && ttt_gguf_interleaves(&source->config) ? (size_t)source->config.head_dim : 0;
    stored->path = source->path;
    stored->dtype = found->dtype;
    stored->data = found->data;
    return TTT_OK;
}

ttt_status ttt_weight_source_get(const ttt_weight_source *source, const ttt_tensor *tensor, ttt_stored *stored,
                                 ttt_error *err) {
    *stored = (ttt_stored){.rows = tensor->rows, .columns = tensor->columns};
    TTT_TRY(source->gguf != NULL ? get_from_gguf(source, tensor, stored, err)
                                 : get_from_folder(source, tensor, stored, err));
    (void)ttt_dtype_bytes(stored->dtype, stored->columns,
                          &stored->row_bytes); /* whole blocks: the readers checked it */
    return TTT_OK;
}

size_t ttt_interleaved_row(size_t head_rows, size_t row) {
    const size_t at = row % head_rows, half = head_rows / 2;
    return row - at + 2 * (at % half) + at / half;
}

size_t ttt_halved_row(size_t head_rows, size_t row) {
    const size_t at = row % head_rows, half = head_rows / 2;
    return row - at + at / 2 + at % 2 * half;
}

const uint8_t *ttt_stored_row(const ttt_stored *stored, size_t row) {
    const size_t there = stored->interleaved == 0 ? row : ttt_interleaved_row(stored->interleaved, row);
    return stored->data + there * stored->row_bytes;
}
