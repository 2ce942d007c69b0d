/* Writing safetensors, by one atomic replacement either way: a reader, or a crash, sees the old file or the new one.
 * What is small is laid out in memory and may be filled in any order; a model streams. */
#include "model/safetensors.h"

#include "base/memory.h"
#include "tensor/dtype.h"

#include <assert.h>
#include <string.h>

typedef struct declared {
    ttt_dtype dtype;
    size_t elements, offset; /* bytes from the end of the header */
} declared;

struct ttt_safetensors_writer {
    json_t *header;
    struct {
        declared *items;
        size_t count, capacity;
    } tensors;
    size_t data_bytes, header_bytes; /* header_bytes: with the length before it */
    uint8_t *image;                  /* the file, once laid out; or */
    ttt_file_writer *file;           /* once begun */
    size_t appended;                 /* of data_bytes */
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
    ttt_free(writer->tensors.items);
    ttt_free(writer->image);
    ttt_file_writer_free(writer->file);
    ttt_free(writer);
}

ttt_status ttt_safetensors_writer_declare(ttt_safetensors_writer *writer, const char *name, ttt_dtype dtype,
                                          size_t rows, size_t columns, bool vector, ttt_error *err) {
    assert(ttt_dtype_is_plain(dtype));
    assert(writer->image == NULL && writer->file == NULL && (!vector || rows == 1) &&
           json_object_get(writer->header, name) == NULL);
    declared tensor = {.dtype = dtype, .offset = writer->data_bytes};
    size_t bytes;
    if (!ttt_size_multiply(rows, columns, &tensor.elements) ||
        !ttt_size_multiply(tensor.elements, ttt_dtype_size(dtype), &bytes) || bytes > INT64_MAX - writer->data_bytes) {
        return fail_memory(err);
    }
    const json_int_t begin = (json_int_t)tensor.offset, end = begin + (json_int_t)bytes;
    json_t *shape =
        vector ? json_pack("[I]", (json_int_t)columns) : json_pack("[I, I]", (json_int_t)rows, (json_int_t)columns);
    json_t *entry =
        json_pack("{s:s, s:o, s:[I, I]}", "dtype", ttt_dtype_name(dtype), "shape", shape, "data_offsets", begin, end);
    if (json_object_set_new(writer->header, name, entry) != 0) return fail_memory(err);
    writer->data_bytes += bytes;
    return TTT_PUSH(&writer->tensors, tensor, err);
}

/* The length of the header and the header, with room for `after` bytes behind them. */
static ttt_status make_header(ttt_safetensors_writer *writer, const json_t *metadata, size_t after, uint8_t **header,
                              ttt_error *err) {
    *header = NULL;
    if (metadata != NULL && json_object_set(writer->header, "__metadata__", (json_t *)metadata) != 0) {
        return fail_memory(err);
    }
    const size_t text = json_dumpb(writer->header, NULL, 0, JSON_COMPACT);
    if (text == 0) return fail_memory(err);
    const size_t padded = (text + 7) / 8 * 8; /* so that the data is aligned; the format pads with blanks */
    writer->header_bytes = 8 + padded;
    uint8_t *to = after <= SIZE_MAX - writer->header_bytes ? ttt_allocate(writer->header_bytes + after, 1) : NULL;
    if (to == NULL) return fail_memory(err);
    for (int i = 0; i < 8; i++) to[i] = (uint8_t)(padded >> 8 * i);
    memset(to + 8, ' ', padded);
    *header = to;
    return json_dumpb(writer->header, (char *)to + 8, text, JSON_COMPACT) == text ? TTT_OK : fail_memory(err);
}

/* ---------------------------------------------------------------------------------------------- in memory */

ttt_status ttt_safetensors_writer_layout(ttt_safetensors_writer *writer, const json_t *metadata, ttt_error *err) {
    assert(writer->image == NULL && writer->file == NULL);
    return make_header(writer, metadata, writer->data_bytes, &writer->image, err);
}

void ttt_safetensors_writer_fill(ttt_safetensors_writer *writer, size_t index, const float *from) {
    assert(writer->image != NULL && index < writer->tensors.count);
    const declared *tensor = &writer->tensors.items[index];
    assert(tensor->dtype == TTT_F32 || tensor->dtype == TTT_BF16);
    uint8_t *to = writer->image + writer->header_bytes + tensor->offset;
    if (tensor->dtype == TTT_F32) {
        memcpy(to, from, tensor->elements * sizeof *from);
        return;
    }
    for (size_t i = 0; i < tensor->elements; i++) {
        const uint16_t bits = ttt_float_to_bf16(from[i]);
        memcpy(to + i * sizeof bits, &bits, sizeof bits);
    }
}

ttt_status ttt_safetensors_writer_write(const ttt_safetensors_writer *writer, const char *path, ttt_error *err) {
    assert(writer->image != NULL);
    return ttt_file_write_atomically(path, writer->image, writer->header_bytes + writer->data_bytes, err);
}

/* ---------------------------------------------------------------------------------------------- in a stream */

ttt_status ttt_safetensors_writer_begin(ttt_safetensors_writer *writer, const char *path, const json_t *metadata,
                                        ttt_error *err) {
    assert(writer->image == NULL && writer->file == NULL);
    uint8_t *header;
    ttt_status status = make_header(writer, metadata, 0, &header, err);
    if (status == TTT_OK) status = ttt_file_writer_open(path, &writer->file, err);
    if (status == TTT_OK) status = ttt_file_writer_append(writer->file, header, writer->header_bytes, err);
    ttt_free(header);
    return status;
}

ttt_status ttt_safetensors_writer_append(ttt_safetensors_writer *writer, const void *data, size_t bytes,
                                         ttt_error *err) {
    assert(writer->file != NULL && bytes <= writer->data_bytes - writer->appended);
    writer->appended += bytes;
    return ttt_file_writer_append(writer->file, data, bytes, err);
}

ttt_status ttt_safetensors_writer_finish(ttt_safetensors_writer *writer, ttt_error *err) {
    assert(writer->file != NULL && writer->appended == writer->data_bytes);
    return ttt_file_writer_commit(writer->file, err);
}
