/* Writing GGUF; see gguf_write.h. Only the head of the file (metadata, list of tensors) is held in memory. */
#include "model/gguf_write.h"

#include "base/file.h"
#include "base/memory.h"
#include "tensor/dtype.h"

#include <assert.h>
#include <string.h>

typedef struct bytes {
    uint8_t *items;
    size_t count, capacity;
} bytes;

struct ttt_gguf_writer {
    bytes metadata, list;
    uint64_t entries;
    struct {
        size_t *items;
        size_t count, capacity;
    } sizes;         /* of the tensors, in bytes */
    uint64_t offset; /* of the next tensor to be declared, from the begin of the data */
    ttt_file_writer *file;
    size_t current, written; /* the tensor whose bytes come, and how many of them came */
};

ttt_status ttt_gguf_writer_new(ttt_gguf_writer **writer, ttt_error *err) {
    *writer = ttt_allocate(1, sizeof **writer);
    return *writer != NULL ? TTT_OK : ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a GGUF file to be written");
}

void ttt_gguf_writer_free(ttt_gguf_writer *writer) {
    if (writer == NULL) return;
    ttt_file_writer_free(writer->file);
    ttt_free(writer->metadata.items);
    ttt_free(writer->list.items);
    ttt_free(writer->sizes.items);
    ttt_free(writer);
}

/* ---------------------------------------------------------------------------------------------- numbers, strings */

static ttt_status put(bytes *to, const void *from, size_t count, ttt_error *err) {
    TTT_TRY(TTT_RESERVE(to, to->count + count, err));
    memcpy(to->items + to->count, from, count);
    to->count += count;
    return TTT_OK;
}

static ttt_status put_number(bytes *to, uint64_t value, size_t size, ttt_error *err) {
    uint8_t little[8];
    for (size_t i = 0; i < size; i++) little[i] = (uint8_t)(value >> 8 * i);
    return put(to, little, size, err);
}

static ttt_status put_string(bytes *to, const char *text, size_t length, ttt_error *err) {
    TTT_TRY(put_number(to, length, 8, err));
    return put(to, text, length, err);
}

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* ---------------------------------------------------------------------------------------------- metadata */

static ttt_status put_key(ttt_gguf_writer *writer, const char *key, ttt_gguf_value type, ttt_error *err) {
    assert(writer->file == NULL);
    writer->entries++;
    TTT_TRY(put_string(&writer->metadata, key, strlen(key), err));
    return put_number(&writer->metadata, type, 4, err);
}

ttt_status ttt_gguf_writer_string(ttt_gguf_writer *writer, const char *key, const char *text, size_t length,
                                  ttt_error *err) {
    TTT_TRY(put_key(writer, key, TTT_GGUF_STRING, err));
    return put_string(&writer->metadata, text, length, err);
}

ttt_status ttt_gguf_writer_u32(ttt_gguf_writer *writer, const char *key, uint32_t value, ttt_error *err) {
    TTT_TRY(put_key(writer, key, TTT_GGUF_U32, err));
    return put_number(&writer->metadata, value, 4, err);
}

ttt_status ttt_gguf_writer_f32(ttt_gguf_writer *writer, const char *key, float value, ttt_error *err) {
    TTT_TRY(put_key(writer, key, TTT_GGUF_F32, err));
    return put_number(&writer->metadata, bits_of(value), 4, err);
}

ttt_status ttt_gguf_writer_bool(ttt_gguf_writer *writer, const char *key, bool value, ttt_error *err) {
    TTT_TRY(put_key(writer, key, TTT_GGUF_BOOL, err));
    return put_number(&writer->metadata, value, 1, err);
}

ttt_status ttt_gguf_writer_array(ttt_gguf_writer *writer, const char *key, ttt_gguf_value type, size_t count,
                                 ttt_error *err) {
    TTT_TRY(put_key(writer, key, TTT_GGUF_ARRAY, err));
    TTT_TRY(put_number(&writer->metadata, type, 4, err));
    return put_number(&writer->metadata, count, 8, err);
}

ttt_status ttt_gguf_writer_add_string(ttt_gguf_writer *writer, const char *text, size_t length, ttt_error *err) {
    return put_string(&writer->metadata, text, length, err);
}

ttt_status ttt_gguf_writer_add_f32(ttt_gguf_writer *writer, float value, ttt_error *err) {
    return put_number(&writer->metadata, bits_of(value), 4, err);
}

ttt_status ttt_gguf_writer_add_i32(ttt_gguf_writer *writer, int32_t value, ttt_error *err) {
    return put_number(&writer->metadata, (uint32_t)value, 4, err);
}

/* ---------------------------------------------------------------------------------------------- tensors */

/* What is missing to the next tensor's begin after so many bytes. */
static size_t padding(uint64_t after) {
    return (size_t)((TTT_GGUF_ALIGNMENT - after % TTT_GGUF_ALIGNMENT) % TTT_GGUF_ALIGNMENT);
}

ttt_status ttt_gguf_writer_declare(ttt_gguf_writer *writer, const char *name, ttt_dtype dtype, size_t rows,
                                   size_t columns, bool vector, ttt_error *err) {
    assert(writer->file == NULL && (!vector || rows == 1) && columns % ttt_dtype_block(dtype) == 0);
    size_t numbers, size;
    if (!ttt_size_multiply(rows, columns, &numbers) || !ttt_dtype_bytes(dtype, numbers, &size) ||
        size > INT64_MAX - TTT_GGUF_ALIGNMENT - writer->offset) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "tensor \"%s\" is too large for a GGUF file", name);
    }
    TTT_TRY(put_string(&writer->list, name, strlen(name), err));
    TTT_TRY(put_number(&writer->list, vector ? 1 : 2, 4, err));
    TTT_TRY(put_number(&writer->list, columns, 8, err));
    if (!vector) TTT_TRY(put_number(&writer->list, rows, 8, err));
    TTT_TRY(put_number(&writer->list, ttt_gguf_type_of_dtype(dtype)->number, 4, err));
    TTT_TRY(put_number(&writer->list, writer->offset, 8, err));
    writer->offset += size + padding(size);
    return TTT_PUSH(&writer->sizes, size, err);
}

static ttt_status append_padding(ttt_gguf_writer *writer, uint64_t after, ttt_error *err) {
    static const uint8_t zeros[TTT_GGUF_ALIGNMENT];
    return ttt_file_writer_append(writer->file, zeros, padding(after), err);
}

ttt_status ttt_gguf_writer_begin(ttt_gguf_writer *writer, const char *path, ttt_error *err) {
    bytes head = {0};
    ttt_status status;
    TTT_TRY_OUT(put(&head, "GGUF", 4, err));
    TTT_TRY_OUT(put_number(&head, 3, 4, err));
    TTT_TRY_OUT(put_number(&head, writer->sizes.count, 8, err));
    TTT_TRY_OUT(put_number(&head, writer->entries, 8, err));
    TTT_TRY_OUT(ttt_file_writer_open(path, &writer->file, err));
    TTT_TRY_OUT(ttt_file_writer_append(writer->file, head.items, head.count, err));
    TTT_TRY_OUT(ttt_file_writer_append(writer->file, writer->metadata.items, writer->metadata.count, err));
    TTT_TRY_OUT(ttt_file_writer_append(writer->file, writer->list.items, writer->list.count, err));
    status = append_padding(writer, head.count + writer->metadata.count + writer->list.count, err);
out:
    ttt_free(head.items);
    return status;
}

ttt_status ttt_gguf_writer_append(ttt_gguf_writer *writer, const void *data, size_t count, ttt_error *err) {
    assert(writer->current < writer->sizes.count);
    const size_t size = writer->sizes.items[writer->current];
    assert(count <= size - writer->written);
    TTT_TRY(ttt_file_writer_append(writer->file, data, count, err));
    writer->written += count;
    if (writer->written < size) return TTT_OK;
    writer->current++;
    writer->written = 0;
    return append_padding(writer, size, err);
}

ttt_status ttt_gguf_writer_finish(ttt_gguf_writer *writer, ttt_error *err) {
    assert(writer->current == writer->sizes.count);
    return ttt_file_writer_commit(writer->file, err);
}
