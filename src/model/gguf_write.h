/* Writing GGUF, version 3: metadata and the list of tensors are collected, then the tensors' bytes stream to a
 * temporary file, which replaces the old one when all are there. Private to src/model. */
#ifndef TTT_MODEL_GGUF_WRITE_H
#define TTT_MODEL_GGUF_WRITE_H

#include "model/gguf_format.h"

typedef struct ttt_gguf_writer ttt_gguf_writer;
ttt_status ttt_gguf_writer_new(ttt_gguf_writer **writer, ttt_error *err);
void ttt_gguf_writer_free(ttt_gguf_writer *writer); /* NULL is fine; what is not finished leaves no trace */

/* Metadata, in the order of the file; a key once. */
ttt_status ttt_gguf_writer_string(ttt_gguf_writer *writer, const char *key, const char *text, size_t bytes,
                                  ttt_error *err);
ttt_status ttt_gguf_writer_u32(ttt_gguf_writer *writer, const char *key, uint32_t value, ttt_error *err);
ttt_status ttt_gguf_writer_f32(ttt_gguf_writer *writer, const char *key, float value, ttt_error *err);
ttt_status ttt_gguf_writer_bool(ttt_gguf_writer *writer, const char *key, bool value, ttt_error *err);
/* The head of an array; exactly `count` elements of the type must follow. */
ttt_status ttt_gguf_writer_array(ttt_gguf_writer *writer, const char *key, ttt_gguf_value type, size_t count,
                                 ttt_error *err);
ttt_status ttt_gguf_writer_add_string(ttt_gguf_writer *writer, const char *text, size_t bytes, ttt_error *err);
ttt_status ttt_gguf_writer_add_f32(ttt_gguf_writer *writer, float value, ttt_error *err);
ttt_status ttt_gguf_writer_add_i32(ttt_gguf_writer *writer, int32_t value, ttt_error *err);

/* The file will hold `name` as [rows, columns], or as [columns] when `vector` (rows 1); rows of whole blocks. */
ttt_status ttt_gguf_writer_declare(ttt_gguf_writer *writer, const char *name, ttt_dtype dtype, size_t rows,
                                   size_t columns, bool vector, ttt_error *err);
/* After the last declaration: opens the file and writes all but the data. */
ttt_status ttt_gguf_writer_begin(ttt_gguf_writer *writer, const char *path, ttt_error *err);
/* The bytes of the tensors in the order of declaration, in pieces that do not cross from one to the next. */
ttt_status ttt_gguf_writer_append(ttt_gguf_writer *writer, const void *data, size_t bytes, ttt_error *err);
/* When all bytes are there. */
ttt_status ttt_gguf_writer_finish(ttt_gguf_writer *writer, ttt_error *err);

#endif
