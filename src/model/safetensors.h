/* safetensors files: a header of JSON that names tensors (dtype, shape, where their bytes lie), then the bytes.
 *
 *     8 bytes  header length N, little endian
 *     N bytes  {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ..., "__metadata__": {...}}
 *     rest     the tensors, row-major, little endian; offsets count from here, and leave no gaps
 *
 * Everything is checked on opening; a broken file is one sentence that names file, tensor and cause. Private to
 * src/model. */
#ifndef TTT_MODEL_SAFETENSORS_H
#define TTT_MODEL_SAFETENSORS_H

#include "base/file.h"
#include "base/json.h"
#include "tensor/backend.h"

enum { TTT_SAFETENSORS_RANK = 8 };

typedef struct ttt_safetensor {
    const char *name; /* borrowed from the file's header */
    const char *path; /* of the file it lies in */
    ttt_dtype dtype;  /* TTT_DTYPE_COUNT: a type of the format that is none of ours (integers, ...) */
    int32_t rank;
    size_t shape[TTT_SAFETENSORS_RANK];
    const uint8_t *data; /* in the memory map; any alignment */
    size_t bytes;
} ttt_safetensor;

/* Tensors of one file, or of all shards of an index. */
typedef struct ttt_safetensors ttt_safetensors;

/* One file. */
ttt_status ttt_safetensors_open(const char *path, ttt_safetensors **tensors, ttt_error *err);
/* The weights of a model folder: model.safetensors, or the shards that model.safetensors.index.json names. */
ttt_status ttt_safetensors_open_folder(const char *folder, ttt_safetensors **tensors, ttt_error *err);
void ttt_safetensors_close(ttt_safetensors *tensors); /* NULL is fine */

size_t ttt_safetensors_count(const ttt_safetensors *tensors);
const ttt_safetensor *ttt_safetensors_at(const ttt_safetensors *tensors, size_t index); /* sorted by name */
/* NULL when there is none of that name. */
const ttt_safetensor *ttt_safetensors_find(const ttt_safetensors *tensors, const char *name);
/* The one of that name as a matrix: it must be of a float type and of shape [rows, columns], or [columns] when rows is
 * 1. Errors name `where` it was sought if it is missing. */
ttt_status ttt_safetensors_matrix(const ttt_safetensors *tensors, const char *where, const char *name, size_t rows,
                                  size_t columns, const ttt_safetensor **tensor, ttt_error *err);
/* Its numbers as float32, [product of the shape]. */
void ttt_safetensor_read(const ttt_safetensor *tensor, float *to);
/* "__metadata__" of the (first) file: an object of strings, or NULL. Borrowed. */
const json_t *ttt_safetensors_metadata(const ttt_safetensors *tensors);

/* ---- writing: declare all tensors, begin, append them in order, finish; the file is replaced atomically ---- */

typedef struct ttt_safetensors_writer ttt_safetensors_writer;
ttt_status ttt_safetensors_writer_new(ttt_safetensors_writer **writer, ttt_error *err);
void ttt_safetensors_writer_free(ttt_safetensors_writer *writer);
/* The file will hold `name` as [rows, columns], or as [columns] when `vector` (rows 1). dtype: a plain one. Declared in
 * the order of the file. */
ttt_status ttt_safetensors_writer_declare(ttt_safetensors_writer *writer, const char *name, ttt_dtype dtype,
                                          size_t rows, size_t columns, bool vector, ttt_error *err);
/* After the last declaration. `metadata`: strings to strings, or NULL. */
ttt_status ttt_safetensors_writer_begin(ttt_safetensors_writer *writer, const char *path, const json_t *metadata,
                                        ttt_error *err);
/* The next bytes, as stored; or the next `count` numbers, which become `dtype`, the type of their tensor. */
ttt_status ttt_safetensors_writer_append(ttt_safetensors_writer *writer, const void *data, size_t bytes,
                                         ttt_error *err);
ttt_status ttt_safetensors_writer_append_numbers(ttt_safetensors_writer *writer, ttt_dtype dtype, const float *from,
                                                 size_t count, ttt_error *err);
ttt_status ttt_safetensors_writer_finish(ttt_safetensors_writer *writer, ttt_error *err);

#endif
