/* GGUF files, versions 2 and 3: a header of typed metadata and a list of tensors, then the tensors' bytes.
 *
 *     magic "GGUF", version, number of tensors, number of metadata entries
 *     metadata      key, type, value; arrays hold values of one type
 *     tensors       name, sizes (fastest first), type, offset in the data
 *     padding       to "general.alignment" (32 where it is absent)
 *     data          tensors at multiples of the alignment
 *
 * Everything is checked on opening against the file's size; a broken file is one sentence that names file, entry and
 * cause. Private to src/model. */
#ifndef TTT_MODEL_GGUF_H
#define TTT_MODEL_GGUF_H

#include "base/file.h"
#include "tensor/backend.h"

typedef struct ttt_gguf ttt_gguf;

/* A tensor as a matrix; `columns` is GGUF's first size. */
typedef struct ttt_gguf_tensor {
    const char *name; /* NUL-terminated, owned by the file's object */
    ttt_dtype dtype;  /* TTT_DTYPE_COUNT: a type that this program does not read; `type` is its number in the file */
    uint32_t type;
    int32_t rank;
    size_t rows, columns; /* of rank 1: rows == 1; of a rank over 2: rows is the product of all sizes but the first */
    const uint8_t *data;  /* in the memory map */
    size_t bytes;
} ttt_gguf_tensor;

ttt_status ttt_gguf_open(const char *path, ttt_gguf **gguf, ttt_error *err);
void ttt_gguf_close(ttt_gguf *gguf); /* NULL is fine */
const char *ttt_gguf_path(const ttt_gguf *gguf);

size_t ttt_gguf_tensor_count(const ttt_gguf *gguf);
const ttt_gguf_tensor *ttt_gguf_tensor_at(const ttt_gguf *gguf, size_t index);       /* sorted by name */
const ttt_gguf_tensor *ttt_gguf_tensor_find(const ttt_gguf *gguf, const char *name); /* NULL: none */

/* Metadata by key. `get` wants the entry there and of a fitting type (any integer type for an integer in range, any
 * float type for a number); `optional` leaves *value as it was where it is absent. Errors name file and key. */
bool ttt_gguf_has(const ttt_gguf *gguf, const char *key);
ttt_status ttt_gguf_get_int(const ttt_gguf *gguf, const char *key, int64_t minimum, int64_t maximum, int64_t *value,
                            ttt_error *err);
ttt_status ttt_gguf_optional_int(const ttt_gguf *gguf, const char *key, int64_t minimum, int64_t maximum,
                                 int64_t *value, ttt_error *err);
ttt_status ttt_gguf_get_number(const ttt_gguf *gguf, const char *key, double *value, ttt_error *err);
ttt_status ttt_gguf_optional_number(const ttt_gguf *gguf, const char *key, double *value, ttt_error *err);
ttt_status ttt_gguf_optional_bool(const ttt_gguf *gguf, const char *key, bool *value, ttt_error *err);
/* A string: its bytes lie in the memory map, without a NUL; they may hold any byte. */
ttt_status ttt_gguf_get_string(const ttt_gguf *gguf, const char *key, const char **text, size_t *bytes, ttt_error *err);
/* Arrays, `count` as found. Element access never fails for index < count. */
typedef struct ttt_gguf_array ttt_gguf_array;
ttt_status ttt_gguf_get_strings(const ttt_gguf *gguf, const char *key, const ttt_gguf_array **array, size_t *count,
                                ttt_error *err);
ttt_status ttt_gguf_get_numbers(const ttt_gguf *gguf, const char *key, const ttt_gguf_array **array, size_t *count,
                                ttt_error *err); /* integers or floats */
const char *ttt_gguf_array_string(const ttt_gguf_array *array, size_t index, size_t *bytes);
double ttt_gguf_array_number(const ttt_gguf_array *array, size_t index);

#endif
