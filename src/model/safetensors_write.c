/* Writing safetensors. The whole file is laid out in memory first, so that it is written by one atomic replacement: a
 * reader, or a crash, sees the old file or the new one. */
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
    uint8_t *image;                  /* the file, once laid out */
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
    ttt_free(writer);
}

ttt_status ttt_safetensors_writer_declare(ttt_safetensors_writer *writer, const char *name, ttt_dtype dtype,
                                          size_t rows, size_t columns, bool vector, ttt_error *err) {
    assert(dtype == TTT_F32 || dtype == TTT_BF16);
    assert(writer->image == NULL && (!vector || rows == 1) && json_object_get(writer->header, name) == NULL);
    declared tensor = {.dtype = dtype, .offset = writer->data_bytes};
    size_t bytes;
    if (!ttt_size_multiply(rows, columns, &tensor.elements) ||
        !ttt_size_multiply(tensor.elements, ttt_dtype_size(dtype), &bytes) || bytes > INT64_MAX - writer->data_bytes) {
        return fail_memory(err);
    }
    const json_int_t begin = (json_int_t)tensor.offset, end = begin + (json_int_t)bytes;
    json_t *shape =
        vector ? json_pack("[I]", (json_int_t)columns) : json_pack("[I, I]", (json_int_t)rows, (json_int_t)columns);
    json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtype == TTT_F32 ? "F32" : "BF16", "shape", shape,
                              "data_offsets", begin, end);
    if (json_object_set_new(writer->header, name, entry) != 0) return fail_memory(err);
    writer->data_bytes += bytes;
    return TTT_PUSH(&writer->tensors, tensor, err);
}

ttt_status ttt_safetensors_writer_layout(ttt_safetensors_writer *writer, const json_t *metadata, ttt_error *err) {
    assert(writer->image == NULL);
    if (metadata != NULL && json_object_set(writer->header, "__metadata__", (json_t *)metadata) != 0) {
        return fail_memory(err);
    }
    const size_t text = json_dumpb(writer->header, NULL, 0, JSON_COMPACT);
    if (text == 0) return fail_memory(err);
    const size_t padded = (text + 7) / 8 * 8; /* so that the data is aligned; the format pads with blanks */
    writer->header_bytes = 8 + padded;
    if (writer->data_bytes <= SIZE_MAX - writer->header_bytes) {
        writer->image = ttt_allocate(writer->header_bytes + writer->data_bytes, 1);
    }
    if (writer->image == NULL) return fail_memory(err);
    for (int i = 0; i < 8; i++) writer->image[i] = (uint8_t)(padded >> 8 * i);
    memset(writer->image + 8, ' ', padded);
    return json_dumpb(writer->header, (char *)writer->image + 8, text, JSON_COMPACT) == text ? TTT_OK
                                                                                             : fail_memory(err);
}

void ttt_safetensors_writer_fill(ttt_safetensors_writer *writer, size_t index, const float *from) {
    assert(writer->image != NULL && index < writer->tensors.count);
    const declared *tensor = &writer->tensors.items[index];
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
