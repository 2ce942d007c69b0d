/* Conversion between model folders and GGUF files; see convert.h. Each tensor goes row by row from the memory map of
 * the one through float32 (or as it is, where its type stays) into the stream of the other. */
#include "model/convert.h"

#include "base/memory.h"
#include "model/gguf_config.h"
#include "model/gguf_tokenizer.h"
#include "model/safetensors.h"
#include "model/weight_source.h"
#include "tensor/dtype.h"

#include <math.h>
#include <string.h>

/* The file that is written: one of the two. */
typedef struct target {
    const char *path;
    ttt_gguf_writer *gguf;
    ttt_safetensors_writer *folder;
    size_t head_dim; /* rows of a head of q and k, whose halves the file interleaves; 0: our order */
} target;

static ttt_status append(target *to, const void *data, size_t bytes, ttt_error *err) {
    return to->gguf != NULL ? ttt_gguf_writer_append(to->gguf, data, bytes, err)
                            : ttt_safetensors_writer_append(to->folder, data, bytes, err);
}

static ttt_status declare(target *to, const ttt_tensor *tensor, ttt_dtype dtype, ttt_error *err) {
    const bool vector = tensor->kind == TTT_LINEAR_COUNT;
    if (to->folder != NULL) {
        return ttt_safetensors_writer_declare(to->folder, tensor->file_name, dtype, tensor->rows, tensor->columns,
                                              vector, err);
    }
    char name[TTT_GGUF_NAME];
    ttt_tensor_gguf_name(tensor, name);
    return ttt_gguf_writer_declare(to->gguf, name, dtype, tensor->rows, tensor->columns, vector, err);
}

/* The type that a tensor gets. */
static ttt_dtype dtype_of(const target *to, const ttt_convert_options *options, const ttt_tensor *tensor,
                          const ttt_stored *stored) {
    if (tensor->kind == TTT_LINEAR_COUNT) return TTT_F32;
    const ttt_dtype wanted = options->dtype == TTT_DTYPE_COUNT ? stored->dtype : options->dtype;
    const bool fits = to->gguf != NULL ? tensor->columns % ttt_dtype_block(wanted) == 0 : ttt_dtype_is_plain(wanted);
    return fits ? wanted : TTT_F16;
}

/* The type of most matrices: that of one in a layer. */
static ttt_status dtype_of_most(const target *to, const ttt_weight_source *source, const ttt_convert_options *options,
                                ttt_dtype *dtype, ttt_error *err) {
    const ttt_tensor q = ttt_tensor_get(ttt_weight_source_config(source), 2); /* after the embedding and a norm */
    ttt_stored stored;
    TTT_TRY(ttt_weight_source_get(source, &q, &stored, err));
    *dtype = dtype_of(to, options, &q, &stored);
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- rows */

/* One row on its way: [columns] in float32, and its bytes in the new type. */
typedef struct row_buffer {
    float *numbers;
    uint8_t *bytes;
} row_buffer;

/* Numbers that the new type cannot hold are refused: infinity in F16 or nonsense in a block would break the model. */
static ttt_status check_numbers(const ttt_stored *stored, const ttt_tensor *tensor, ttt_dtype dtype,
                                const float *numbers, ttt_error *err) {
    for (size_t i = 0; i < stored->columns; i++) {
        if (isfinite(numbers[i]) && (dtype != TTT_F16 || fabsf(numbers[i]) < 65520)) continue;
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: tensor \"%s\" holds %g, which %s cannot hold", stored->path,
                        tensor->file_name, (double)numbers[i], ttt_dtype_name(dtype));
    }
    return TTT_OK;
}

static ttt_status convert_rows(target *to, const ttt_tensor *tensor, const ttt_stored *stored, ttt_dtype dtype,
                               const row_buffer *buffer, ttt_error *err) {
    const bool rotated = tensor->kind == TTT_LINEAR_Q || tensor->kind == TTT_LINEAR_K;
    size_t bytes;
    (void)ttt_dtype_bytes(dtype, stored->columns, &bytes); /* whole blocks, and declared before */
    for (size_t i = 0; i < stored->rows; i++) {
        const size_t row = rotated && to->head_dim != 0 ? ttt_halved_row(to->head_dim, i) : i;
        const uint8_t *from = ttt_stored_row(stored, row);
        if (dtype != stored->dtype) {
            ttt_dtype_to_float(stored->dtype, from, stored->columns, buffer->numbers);
            TTT_TRY(check_numbers(stored, tensor, dtype, buffer->numbers, err));
            ttt_dtype_from_float(dtype, buffer->numbers, stored->columns, buffer->bytes);
            from = buffer->bytes;
        }
        TTT_TRY(append(to, from, bytes, err));
    }
    return TTT_OK;
}

static size_t longest_row(const ttt_model_config *config) {
    size_t longest = 0;
    for (size_t i = 0; i < ttt_tensor_count(config); i++) {
        const size_t columns = ttt_tensor_get(config, i).columns;
        if (columns > longest) longest = columns;
    }
    return longest;
}

static ttt_status convert_tensors(target *to, const ttt_weight_source *source, const ttt_convert_options *options,
                                  ttt_error *err) {
    const ttt_model_config *config = ttt_weight_source_config(source);
    const size_t count = ttt_tensor_count(config), columns = longest_row(config);
    row_buffer buffer = {.numbers = ttt_allocate(columns, sizeof *buffer.numbers),
                         .bytes = ttt_allocate(columns, sizeof(float))}; /* the widest type */
    ttt_status status = TTT_OK;
    if (buffer.numbers == NULL || buffer.bytes == NULL) {
        status = ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a row of '%s'", to->path);
    }
    for (size_t i = 0; i < count && status == TTT_OK; i++) {
        const ttt_tensor tensor = ttt_tensor_get(config, i);
        ttt_stored stored;
        ttt_progress_step(&options->progress, "convert", (int64_t)i, (int64_t)count);
        status = ttt_weight_source_get(source, &tensor, &stored, err);
        if (status == TTT_OK) {
            status = convert_rows(to, &tensor, &stored, dtype_of(to, options, &tensor, &stored), &buffer, err);
        }
        if (status == TTT_OK && ttt_stop_requested(options->stop)) {
            status = ttt_fail(err, TTT_ERROR_CANCELLED, "stopped; '%s' was not written", to->path);
        }
    }
    ttt_free(buffer.numbers);
    ttt_free(buffer.bytes);
    return status;
}

static ttt_status declare_tensors(target *to, const ttt_weight_source *source, const ttt_convert_options *options,
                                  ttt_error *err) {
    const ttt_model_config *config = ttt_weight_source_config(source);
    for (size_t i = 0; i < ttt_tensor_count(config); i++) {
        const ttt_tensor tensor = ttt_tensor_get(config, i);
        ttt_stored stored;
        TTT_TRY(ttt_weight_source_get(source, &tensor, &stored, err));
        TTT_TRY(declare(to, &tensor, dtype_of(to, options, &tensor, &stored), err));
    }
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- to a file */

/* "general.file_type" by type of most tensors, as llama.cpp numbers them. */
static ttt_status write_general(const char *from, ttt_dtype dtype, ttt_gguf_writer *writer, ttt_error *err) {
    static const uint32_t file_types[TTT_DTYPE_COUNT] = {
        [TTT_F32] = 0, [TTT_F16] = 1, [TTT_BF16] = 32, [TTT_Q8_0] = 7, [TTT_Q4_0] = 2};
    size_t end = strlen(from);
    while (end > 1 && from[end - 1] == '/') end--;
    size_t begin = end;
    while (begin > 0 && from[begin - 1] != '/') begin--;
    TTT_TRY(ttt_gguf_writer_string(writer, "general.name", from + begin, end - begin, err));
    TTT_TRY(ttt_gguf_writer_u32(writer, "general.file_type", file_types[dtype], err));
    if (ttt_dtype_is_plain(dtype)) return TTT_OK;
    return ttt_gguf_writer_u32(writer, "general.quantization_version", 2, err);
}

/* The factors of scaled positions are one more tensor, the last. */
static ttt_status finish_file(target *to, const ttt_model_config *config, ttt_error *err) {
    if (config->scaling.factor != 0) {
        float factors[TTT_MAX_HEAD_DIM / 2];
        ttt_gguf_rope_factors(config, factors);
        TTT_TRY(append(to, factors, (size_t)config->head_dim / 2 * sizeof *factors, err));
    }
    return ttt_gguf_writer_finish(to->gguf, err);
}

static ttt_status to_file(const char *from, const ttt_weight_source *source, target *to,
                          const ttt_convert_options *options, ttt_error *err) {
    const ttt_model_config *config = ttt_weight_source_config(source);
    ttt_dtype most;
    TTT_TRY(ttt_gguf_writer_new(&to->gguf, err));
    TTT_TRY(dtype_of_most(to, source, options, &most, err));
    to->head_dim = ttt_gguf_interleaves(config) ? (size_t)config->head_dim : 0;
    TTT_TRY(ttt_gguf_config_write(config, from, to->gguf, err));
    TTT_TRY(write_general(from, most, to->gguf, err));
    TTT_TRY(ttt_gguf_tokenizer_write(from, (size_t)config->vocabulary, to->gguf, err));
    TTT_TRY(declare_tensors(to, source, options, err));
    if (config->scaling.factor != 0) {
        TTT_TRY(ttt_gguf_writer_declare(to->gguf, TTT_GGUF_ROPE_FACTORS, TTT_F32, 1, (size_t)config->head_dim / 2, true,
                                        err));
    }
    TTT_TRY(ttt_gguf_writer_begin(to->gguf, to->path, err));
    TTT_TRY(convert_tensors(to, source, options, err));
    return finish_file(to, config, err);
}

/* ---------------------------------------------------------------------------------------------- to a folder */

/* The three files beside the weights. */
typedef struct descriptions {
    json_t *config, *tokenizer, *settings;
} descriptions;

static ttt_status write_json(const char *folder, const char *name, const json_t *root, ttt_error *err) {
    if (root == NULL) return TTT_OK;
    char *path = ttt_path_join(folder, name);
    if (path == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the model in '%s'", folder);
    const ttt_status status = ttt_json_write(path, root, JSON_INDENT(2), err);
    ttt_free(path);
    return status;
}

static ttt_status write_weights(const ttt_weight_source *source, target *to, const ttt_convert_options *options,
                                ttt_error *err) {
    char *path = ttt_path_join(to->path, "model.safetensors");
    json_t *metadata = json_pack("{s:s}", "format", "pt"); /* Hugging Face's loaders ask for it */
    ttt_status status;
    if (path == NULL || metadata == NULL) {
        status = ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the model in '%s'", to->path);
        goto out;
    }
    TTT_TRY_OUT(ttt_safetensors_writer_new(&to->folder, err));
    TTT_TRY_OUT(declare_tensors(to, source, options, err));
    TTT_TRY_OUT(ttt_safetensors_writer_begin(to->folder, path, metadata, err));
    TTT_TRY_OUT(convert_tensors(to, source, options, err));
    status = ttt_safetensors_writer_finish(to->folder, err);
out:
    json_decref(metadata);
    ttt_free(path);
    return status;
}

static ttt_status to_folder(const ttt_weight_source *source, target *to, const ttt_convert_options *options,
                            ttt_error *err) {
    descriptions all = {.config = ttt_model_config_to_json(ttt_weight_source_config(source))};
    ttt_dtype most;
    ttt_status status;
    TTT_TRY_OUT(dtype_of_most(to, source, options, &most, err));
    const char *type = most == TTT_F32 ? "float32" : most == TTT_F16 ? "float16" : "bfloat16";
    if (json_object_set_new(all.config, "torch_dtype", json_string(type)) != 0) { /* or there is no config */
        status = ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the model in '%s'", to->path);
        goto out;
    }
    TTT_TRY_OUT(
        ttt_gguf_tokenizer_to_json(ttt_weight_source_gguf(source), all.config, &all.tokenizer, &all.settings, err));
    TTT_TRY_OUT(ttt_folder_make(to->path, err));
    TTT_TRY_OUT(write_weights(source, to, options, err));
    TTT_TRY_OUT(write_json(to->path, "tokenizer.json", all.tokenizer, err));
    TTT_TRY_OUT(write_json(to->path, "tokenizer_config.json", all.settings, err));
    status = write_json(to->path, "config.json", all.config, err);
out:
    json_decref(all.config);
    json_decref(all.tokenizer);
    json_decref(all.settings);
    return status;
}

/* ---------------------------------------------------------------------------------------------- both */

static bool names_file(const char *path) {
    const size_t length = strlen(path);
    return length > 5 && strcmp(path + length - 5, ".gguf") == 0;
}

ttt_status ttt_model_convert(const char *from, const char *to, const ttt_convert_options *options, ttt_error *err) {
    const bool file = names_file(to);
    if (!file && options->dtype != TTT_DTYPE_COUNT && !ttt_dtype_is_plain(options->dtype)) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "a folder holds no weights of type %s; a GGUF file, x.gguf, does",
                        ttt_dtype_name(options->dtype));
    }
    ttt_weight_source *source;
    target sink = {.path = to};
    TTT_TRY(ttt_weight_source_open(from, &source, err));
    ttt_status status;
    if (file != (ttt_weight_source_gguf(source) == NULL)) {
        status =
            ttt_fail(err, TTT_ERROR_ARGUMENT, "'%s' and '%s' are both %s: conversion is from one kind to the other",
                     from, to, file ? "GGUF files" : "folders");
    } else {
        status = file ? to_file(from, source, &sink, options, err) : to_folder(source, &sink, options, err);
    }
    ttt_gguf_writer_free(sink.gguf);
    ttt_safetensors_writer_free(sink.folder);
    ttt_weight_source_close(source);
    return status;
}
