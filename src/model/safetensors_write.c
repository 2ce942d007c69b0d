/* Writing safetensors, in a stream, for a model need not fit in memory twice; by one atomic replacement: a reader, or a
 * crash, sees the old file or the new one. */
#include "model/safetensors.h"

#include "base/memory.h"
#include "tensor/dtype.h"

#include <assert.h>
#include <string.h>

struct ttt_safetensors_writer {
    json_t *header;
    size_t data_bytes;
    ttt_file_writer *file; /* once begun */
    size_t appended;       /* of data_bytes */
};

static ttt_status fail_memory(ttt_error *err) {
    return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a weight file to be written");
}

ttt_status ttt_safetensors_writer_new(ttt_safetensors_writer **writer, ttt_error *err) {
    *writer = ttt_allocate(1, sizeof **writer);
    if (*writer == NULL) return fail_memory(err);
    (*writer)->header = json_object();
    if ((*writer)->header != NULL) return TTT_OK;
    ttt_safetensors_writer_free(*writer);
    *writer = NULL;
    return fail_memory(err);
}

void ttt_safetensors_writer_free(ttt_safetensors_writer *writer) {
    if (writer == NULL) return;
    json_decref(writer->header);
    ttt_file_writer_free(writer->file);
    ttt_free(writer);
}

ttt_status ttt_safetensors_writer_declare(ttt_safetensors_writer *writer, const char *name, ttt_dtype dtype,
                                          size_t rows, size_t columns, bool vector, ttt_error *err) {
    assert(ttt_dtype_is_plain(dtype));
    assert(writer->file == NULL && (!vector || rows == 1) && json_object_get(writer->header, name) == NULL);
    size_t elements, bytes;
    if (!ttt_size_multiply(rows, columns, &elements) || !ttt_size_multiply(elements, ttt_dtype_size(dtype), &bytes) ||
        bytes > INT64_MAX - writer->data_bytes) {
        return fail_memory(err);
    }
    const json_int_t begin = (json_int_t)writer->data_bytes, end = begin + (json_int_t)bytes;
    json_t *shape =
        vector ? json_pack("[I]", (json_int_t)columns) : json_pack("[I, I]", (json_int_t)rows, (json_int_t)columns);
    json_t *entry =
        json_pack("{s:s, s:o, s:[I, I]}", "dtype", ttt_dtype_name(dtype), "shape", shape, "data_offsets", begin, end);
    if (json_object_set_new(writer->header, name, entry) != 0) return fail_memory(err);
    writer->data_bytes += bytes;
    return TTT_OK;
}

/* The length of the header and the header. */
static ttt_status make_header(const ttt_safetensors_writer *writer, uint8_t **header, size_t *bytes, ttt_error *err) {
    const size_t text = json_dumpb(writer->header, NULL, 0, JSON_COMPACT);
    if (text == 0) return fail_memory(err);
    const size_t padded = (text + 7) / 8 * 8; /* so that the data is aligned; the format pads with blanks */
    uint8_t *to = ttt_allocate(8 + padded, 1);
    if (to == NULL) return fail_memory(err);
    for (int i = 0; i < 8; i++) to[i] = (uint8_t)(padded >> 8 * i);
    memset(to + 8, ' ', padded);
    *header = to;
    *bytes = 8 + padded;
    return json_dumpb(writer->header, (char *)to + 8, text, JSON_COMPACT) == text ? TTT_OK : fail_memory(err);
}

ttt_status ttt_safetensors_writer_begin(ttt_safetensors_writer *writer, const char *path, const json_t *metadata,
                                        ttt_error *err) {
    assert(writer->file == NULL);
    if (metadata != NULL && json_object_set(writer->header, "__metadata__", (json_t *)metadata) != 0) {
        return fail_memory(err);
    }
    uint8_t *header = NULL;
    size_t bytes = 0;
    ttt_status status = make_header(writer, &header, &bytes, err);
    if (status == TTT_OK) status = ttt_file_writer_open(path, &writer->file, err);
    if (status == TTT_OK) status = ttt_file_writer_append(writer->file, header, bytes, err);
    ttt_free(header);
    return status;
}

ttt_status ttt_safetensors_writer_append(ttt_safetensors_writer *writer, const void *data, size_t bytes,
                                         ttt_error *err) {
    assert(writer->file != NULL && bytes <= writer->data_bytes - writer->appended);
    writer->appended += bytes;
    return ttt_file_writer_append(writer->file, data, bytes, err);
}

ttt_status ttt_safetensors_writer_append_numbers(ttt_safetensors_writer *writer, ttt_dtype dtype, const float *from,
                                                 size_t count, ttt_error *err) {
    enum { PIECE = 4096 };
    uint8_t bytes[PIECE * sizeof(float)];
    for (size_t at = 0; at < count; at += PIECE) {
        const size_t some = count - at < PIECE ? count - at : PIECE;
        ttt_dtype_from_float(dtype, from + at, some, bytes);
        TTT_TRY(ttt_safetensors_writer_append(writer, bytes, some * ttt_dtype_size(dtype), err));
    }
    return TTT_OK;
}

ttt_status ttt_safetensors_writer_finish(ttt_safetensors_writer *writer, ttt_error *err) {
    assert(writer->file != NULL && writer->appended == writer->data_bytes);
    return ttt_file_writer_commit(writer->file, err);
}
