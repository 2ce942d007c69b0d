/* Reading GGUF: one pass over header, metadata and list of tensors, in which every length is checked against the file
 * before it is used; then entries and tensors are sorted by name. Values stay in the memory map; arrays of strings get
 * an index, because their elements have different lengths and vocabularies have 128k of them. */
#include "model/gguf.h"

#include "base/memory.h"
#include "model/gguf_format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_LIMIT = 65535, /* bytes of a key, the format's own limit */
    NAME_LIMIT = 127,  /* bytes of a tensor's name; the format promises 64 */
    ENTRY_BYTES = 13,  /* the least that an entry or a tensor takes in a file */
    TENSOR_BYTES = 32,
    ALIGNMENT_LIMIT = 1 << 20,
    BLOCK_BYTES = 1 << 16 /* of the arena that holds names */
};

struct ttt_gguf_array {
    ttt_gguf_value type; /* of the elements */
    size_t count;
    const uint8_t *data;
    const uint8_t **strings; /* where each begins, at its length; NULL of other types */
};

typedef struct entry {
    const char *key;
    ttt_gguf_value type;
    const uint8_t *value; /* of a string: at its length; of an array: NULL */
    ttt_gguf_array array;
} entry;

struct ttt_gguf {
    char *path;
    ttt_file_map map;
    ttt_arena *names;
    entry *entries; /* sorted by key once open */
    size_t entry_count;
    ttt_gguf_tensor *tensors; /* sorted by name once open */
    size_t tensor_count;
};

static const struct {
    const char *name;
    size_t bytes; /* of one value; 0: it says its own length */
} VALUES[TTT_GGUF_VALUE_COUNT] = {
    [TTT_GGUF_U8] = {"an integer", 1},  [TTT_GGUF_I8] = {"an integer", 1},      [TTT_GGUF_U16] = {"an integer", 2},
    [TTT_GGUF_I16] = {"an integer", 2}, [TTT_GGUF_U32] = {"an integer", 4},     [TTT_GGUF_I32] = {"an integer", 4},
    [TTT_GGUF_F32] = {"a number", 4},   [TTT_GGUF_BOOL] = {"a truth value", 1}, [TTT_GGUF_STRING] = {"a string", 0},
    [TTT_GGUF_ARRAY] = {"an array", 0}, [TTT_GGUF_U64] = {"an integer", 8},     [TTT_GGUF_I64] = {"an integer", 8},
    [TTT_GGUF_F64] = {"a number", 8},
};

static uint64_t load(const uint8_t *from, size_t bytes) {
    uint64_t value = 0;
    for (size_t i = bytes; i-- > 0;) value = value << 8 | from[i];
    return value;
}

/* ---------------------------------------------------------------------------------------------- the file as a stream
 */

typedef struct cursor {
    const char *path;
    const uint8_t *at;
    size_t left;
} cursor;

/* Moves over `bytes`; `what` is being read. */
static ttt_status take(cursor *file, uint64_t bytes, const char *what, const uint8_t **from, ttt_error *err) {
    *from = file->at;
    if (bytes > file->left) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: the file ends within %s, which needs %llu bytes more than %zu",
                        file->path, what, (unsigned long long)(bytes - file->left), file->left);
    }
    file->at += bytes;
    file->left -= (size_t)bytes;
    return TTT_OK;
}

static ttt_status take_number(cursor *file, size_t bytes, const char *what, uint64_t *value, ttt_error *err) {
    const uint8_t *from;
    *value = 0;
    TTT_TRY(take(file, bytes, what, &from, err));
    *value = load(from, bytes);
    return TTT_OK;
}

/* A key or a tensor's name: the format wants ASCII, and errors print it. */
static ttt_status take_name(cursor *file, ttt_arena *names, size_t limit, const char *what, const char **name,
                            ttt_error *err) {
    uint64_t length;
    const uint8_t *from;
    TTT_TRY(take_number(file, 8, what, &length, err));
    if (length == 0 || length > limit) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: %s has a name of %llu bytes, expected 1 to %zu", file->path, what,
                        (unsigned long long)length, limit);
    }
    TTT_TRY(take(file, length, what, &from, err));
    for (size_t i = 0; i < length; i++) {
        if (from[i] < 0x20 || from[i] > 0x7E) {
            return ttt_fail(err, TTT_ERROR_FORMAT, "%s: byte %zu of the name of %s is %d, which is not ASCII text",
                            file->path, i, what, from[i]);
        }
    }
    char *copy = ttt_arena_allocate(names, (size_t)length + 1, 1);
    if (copy == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "%s: out of memory for the name of %s", file->path, what);
    *name = memcpy(copy, from, (size_t)length);
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- metadata */

static ttt_status take_type(cursor *file, const char *what, ttt_gguf_value *type, ttt_error *err) {
    uint64_t number;
    TTT_TRY(take_number(file, 4, what, &number, err));
    if (number >= TTT_GGUF_VALUE_COUNT) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: %s has a value of type %llu, expected 0 to %d", file->path, what,
                        (unsigned long long)number, TTT_GGUF_VALUE_COUNT - 1);
    }
    *type = (ttt_gguf_value)number;
    return TTT_OK;
}

static ttt_status take_string(cursor *file, const char *what, ttt_error *err) {
    uint64_t length;
    const uint8_t *from;
    TTT_TRY(take_number(file, 8, what, &length, err));
    return take(file, length, what, &from, err);
}

static ttt_status take_strings(cursor *file, const char *what, ttt_gguf_array *array, ttt_error *err) {
    array->strings = ttt_allocate(array->count, sizeof *array->strings);
    if (array->strings == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "%s: out of memory for %s", file->path, what);
    for (size_t i = 0; i < array->count; i++) {
        array->strings[i] = file->at;
        TTT_TRY(take_string(file, what, err));
    }
    return TTT_OK;
}

static ttt_status take_array(cursor *file, const char *what, ttt_gguf_array *array, ttt_error *err) {
    uint64_t count;
    TTT_TRY(take_type(file, what, &array->type, err));
    TTT_TRY(take_number(file, 8, what, &count, err));
    if (array->type == TTT_GGUF_ARRAY) {
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: %s is an array of arrays, which is not supported", file->path,
                        what);
    }
    const bool strings = array->type == TTT_GGUF_STRING;
    const size_t least = strings ? 8 : VALUES[array->type].bytes;
    if (count > file->left / least) {
        return ttt_fail(err, TTT_ERROR_FORMAT,
                        "%s: %s is said to have %llu elements, but the file has only %zu bytes "
                        "more",
                        file->path, what, (unsigned long long)count, file->left);
    }
    array->count = (size_t)count;
    array->data = file->at;
    return strings ? take_strings(file, what, array, err) : take(file, count * least, what, &array->data, err);
}

static ttt_status take_entry(cursor *file, ttt_arena *names, size_t index, entry *e, ttt_error *err) {
    char what[160];
    snprintf(what, sizeof what, "metadata entry %zu", index);
    TTT_TRY(take_name(file, names, KEY_LIMIT, what, &e->key, err));
    snprintf(what, sizeof what, "entry \"%.100s\"", e->key);
    TTT_TRY(take_type(file, what, &e->type, err));
    if (e->type == TTT_GGUF_ARRAY) return take_array(file, what, &e->array, err);
    e->value = file->at;
    if (e->type == TTT_GGUF_STRING) return take_string(file, what, err);
    TTT_TRY(take(file, VALUES[e->type].bytes, what, &e->value, err));
    if (e->type == TTT_GGUF_BOOL && *e->value > 1) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: %s is a truth value of %d, expected 0 or 1", file->path, what,
                        *e->value);
    }
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- tensors */

/* Sizes and type; the bytes they ask for. */
static ttt_status take_shape(cursor *file, const char *what, ttt_gguf_tensor *tensor, ttt_error *err) {
    uint64_t rank, sizes[TTT_GGUF_RANK] = {0}, number;
    TTT_TRY(take_number(file, 4, what, &rank, err));
    if (rank < 1 || rank > TTT_GGUF_RANK) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: %s has %llu dimensions, expected 1 to %d", file->path, what,
                        (unsigned long long)rank, TTT_GGUF_RANK);
    }
    tensor->rank = (int32_t)rank;
    tensor->rows = 1;
    for (size_t i = 0; i < rank; i++) {
        TTT_TRY(take_number(file, 8, what, &sizes[i], err));
        if (sizes[i] == 0 || sizes[i] > INT64_MAX ||
            (i > 0 && !ttt_size_multiply(tensor->rows, (size_t)sizes[i], &tensor->rows))) {
            return ttt_fail(err, TTT_ERROR_FORMAT,
                            "%s: size %zu of %s is %llu, expected at least 1 and a product that "
                            "fits 64 bits",
                            file->path, i, what, (unsigned long long)sizes[i]);
        }
    }
    tensor->columns = (size_t)sizes[0];
    TTT_TRY(take_number(file, 4, what, &number, err));
    const ttt_gguf_type *type = ttt_gguf_type_of((uint32_t)number);
    if (type == NULL) {
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: %s has type %llu, which is none that is known", file->path,
                        what, (unsigned long long)number);
    }
    if (tensor->columns % type->block != 0) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: %s has rows of %zu numbers, expected a multiple of %zu for %s",
                        file->path, what, tensor->columns, type->block, type->name);
    }
    if (!ttt_size_multiply(tensor->columns / type->block, type->bytes, &tensor->bytes) ||
        !ttt_size_multiply(tensor->bytes, tensor->rows, &tensor->bytes)) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: %s has %zu rows of %zu numbers, more bytes than fit 64 bits",
                        file->path, what, tensor->rows, tensor->columns);
    }
    tensor->type = type->number;
    tensor->dtype = type->dtype;
    return TTT_OK;
}

/* Everything but the place of the data: that begins after the last tensor's entry. *offset counts from there. */
static ttt_status take_tensor(cursor *file, ttt_arena *names, size_t index, ttt_gguf_tensor *tensor, uint64_t *offset,
                              ttt_error *err) {
    char what[160];
    snprintf(what, sizeof what, "tensor %zu", index);
    TTT_TRY(take_name(file, names, NAME_LIMIT, what, &tensor->name, err));
    snprintf(what, sizeof what, "tensor \"%s\"", tensor->name);
    TTT_TRY(take_shape(file, what, tensor, err));
    return take_number(file, 8, what, offset, err);
}

static ttt_status place_tensor(const cursor *data, ttt_gguf_tensor *tensor, uint64_t offset, size_t alignment,
                               ttt_error *err) {
    if (offset % alignment != 0) {
        return ttt_fail(err, TTT_ERROR_FORMAT,
                        "%s: tensor \"%s\" begins at byte %llu of the data, expected a multiple "
                        "of %zu",
                        data->path, tensor->name, (unsigned long long)offset, alignment);
    }
    if (offset > data->left || tensor->bytes > data->left - offset) {
        return ttt_fail(err, TTT_ERROR_FORMAT,
                        "%s: tensor \"%s\" has %zu bytes from byte %llu on, but the file has %zu "
                        "bytes of data",
                        data->path, tensor->name, tensor->bytes, (unsigned long long)offset, data->left);
    }
    tensor->data = data->at + offset;
    return TTT_OK;
}

static int compare_places(const void *a, const void *b) {
    const ttt_gguf_tensor *left = a, *right = b;
    return (left->data > right->data) - (left->data < right->data);
}

static int compare_names(const void *a, const void *b) {
    return strcmp(((const ttt_gguf_tensor *)a)->name, ((const ttt_gguf_tensor *)b)->name);
}

/* No two tensors may share bytes or a name. Leaves them sorted by name. */
static ttt_status sort_tensors(ttt_gguf *gguf, ttt_error *err) {
    ttt_gguf_tensor *tensors = gguf->tensors;
    qsort(tensors, gguf->tensor_count, sizeof *tensors, compare_places);
    for (size_t i = 1; i < gguf->tensor_count; i++) {
        if (tensors[i].data < tensors[i - 1].data + tensors[i - 1].bytes) {
            return ttt_fail(err, TTT_ERROR_FORMAT, "%s: tensor \"%s\" overlaps tensor \"%s\"", gguf->path,
                            tensors[i].name, tensors[i - 1].name);
        }
    }
    qsort(tensors, gguf->tensor_count, sizeof *tensors, compare_names);
    for (size_t i = 1; i < gguf->tensor_count; i++) {
        if (compare_names(&tensors[i - 1], &tensors[i]) == 0) {
            return ttt_fail(err, TTT_ERROR_FORMAT, "%s: tensor \"%s\" is there twice", gguf->path, tensors[i].name);
        }
    }
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- the whole file */

static int compare_keys(const void *a, const void *b) {
    return strcmp(((const entry *)a)->key, ((const entry *)b)->key);
}

static ttt_status read_header(cursor *file, uint64_t *tensors, uint64_t *entries, ttt_error *err) {
    const uint8_t *magic;
    uint64_t version;
    *tensors = *entries = 0;
    TTT_TRY(take(file, 4, "the header", &magic, err));
    if (memcmp(magic, "GGUF", 4) != 0) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: it does not begin with \"GGUF\"", file->path);
    }
    TTT_TRY(take_number(file, 4, "the header", &version, err));
    if (version != 0 && version % 65536 == 0) {
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: it is in big-endian byte order, which is not supported",
                        file->path);
    }
    if (version < 2 || version > 3) {
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: it is of version %llu, supported are 2 and 3", file->path,
                        (unsigned long long)version);
    }
    TTT_TRY(take_number(file, 8, "the header", tensors, err));
    TTT_TRY(take_number(file, 8, "the header", entries, err));
    if (*tensors > file->left / TENSOR_BYTES || *entries > file->left / ENTRY_BYTES) {
        return ttt_fail(err, TTT_ERROR_FORMAT,
                        "%s: it is said to have %llu tensors and %llu metadata entries, but has only %zu bytes more",
                        file->path, (unsigned long long)*tensors, (unsigned long long)*entries, file->left);
    }
    return TTT_OK;
}

static ttt_status read_metadata(ttt_gguf *gguf, cursor *file, size_t count, ttt_error *err) {
    gguf->entries = ttt_allocate(count, sizeof *gguf->entries);
    if (gguf->entries == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "%s: out of memory for its metadata", gguf->path);
    gguf->entry_count = count; /* all zero so far: fit to be released */
    for (size_t i = 0; i < count; i++) TTT_TRY(take_entry(file, gguf->names, i, &gguf->entries[i], err));
    qsort(gguf->entries, count, sizeof *gguf->entries, compare_keys);
    for (size_t i = 1; i < count; i++) {
        if (compare_keys(&gguf->entries[i - 1], &gguf->entries[i]) == 0) {
            return ttt_fail(err, TTT_ERROR_FORMAT, "%s: entry \"%.100s\" is there twice", gguf->path,
                            gguf->entries[i].key);
        }
    }
    return TTT_OK;
}

static ttt_status read_alignment(const ttt_gguf *gguf, size_t *alignment, ttt_error *err) {
    int64_t value = TTT_GGUF_ALIGNMENT;
    *alignment = TTT_GGUF_ALIGNMENT;
    TTT_TRY(ttt_gguf_optional_int(gguf, "general.alignment", 8, ALIGNMENT_LIMIT, &value, err));
    if ((value & (value - 1)) != 0) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: \"general.alignment\" is %lld, expected a power of two", gguf->path,
                        (long long)value);
    }
    *alignment = (size_t)value;
    return TTT_OK;
}

static ttt_status read_tensors(ttt_gguf *gguf, cursor *file, size_t count, ttt_error *err) {
    size_t alignment;
    TTT_TRY(read_alignment(gguf, &alignment, err));
    ttt_status status = TTT_OK;
    uint64_t *offsets = ttt_allocate(count, sizeof *offsets);
    gguf->tensors = ttt_allocate(count, sizeof *gguf->tensors);
    if (offsets == NULL || gguf->tensors == NULL) {
        status = ttt_fail(err, TTT_ERROR_MEMORY, "%s: out of memory for its list of tensors", gguf->path);
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        TTT_TRY_OUT(take_tensor(file, gguf->names, i, &gguf->tensors[i], &offsets[i], err));
    }
    gguf->tensor_count = count;
    if (count > 0) { /* a vocabulary alone needs no padding */
        const uint8_t *padding;
        const size_t past = (size_t)(file->at - gguf->map.data) % alignment;
        TTT_TRY_OUT(take(file, past == 0 ? 0 : alignment - past, "the padding before the data", &padding, err));
    }
    for (size_t i = 0; i < count; i++) {
        TTT_TRY_OUT(place_tensor(file, &gguf->tensors[i], offsets[i], alignment, err));
    }
    status = sort_tensors(gguf, err);
out:
    ttt_free(offsets);
    return status;
}

ttt_status ttt_gguf_open(const char *path, ttt_gguf **gguf, ttt_error *err) {
    ttt_gguf *fresh = *gguf = ttt_allocate(1, sizeof *fresh);
    ttt_status status;
    if (fresh == NULL || (fresh->path = ttt_string_copy(path)) == NULL) {
        status = ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for '%s'", path);
        goto out;
    }
    uint64_t tensors, entries;
    TTT_TRY_OUT(ttt_arena_new(&fresh->names, BLOCK_BYTES, err));
    TTT_TRY_OUT(ttt_file_map_open(&fresh->map, path, err));
    cursor file = {.path = fresh->path, .at = fresh->map.data, .left = fresh->map.bytes};
    TTT_TRY_OUT(read_header(&file, &tensors, &entries, err));
    TTT_TRY_OUT(read_metadata(fresh, &file, (size_t)entries, err));
    status = read_tensors(fresh, &file, (size_t)tensors, err);
out:
    if (status != TTT_OK) {
        ttt_gguf_close(fresh);
        *gguf = NULL;
    }
    return status;
}

void ttt_gguf_close(ttt_gguf *gguf) {
    if (gguf == NULL) return;
    for (size_t i = 0; i < gguf->entry_count; i++) ttt_free((void *)gguf->entries[i].array.strings);
    ttt_free(gguf->entries);
    ttt_free(gguf->tensors);
    ttt_arena_free(gguf->names);
    ttt_file_map_close(&gguf->map);
    ttt_free(gguf->path);
    ttt_free(gguf);
}

/* ---------------------------------------------------------------------------------------------- use: tensors */

const char *ttt_gguf_path(const ttt_gguf *gguf) {
    return gguf->path;
}

size_t ttt_gguf_tensor_count(const ttt_gguf *gguf) {
    return gguf->tensor_count;
}

const ttt_gguf_tensor *ttt_gguf_tensor_at(const ttt_gguf *gguf, size_t index) {
    return &gguf->tensors[index];
}

const ttt_gguf_tensor *ttt_gguf_tensor_find(const ttt_gguf *gguf, const char *name) {
    const ttt_gguf_tensor wanted = {.name = name};
    return bsearch(&wanted, gguf->tensors, gguf->tensor_count, sizeof wanted, compare_names);
}

/* ---------------------------------------------------------------------------------------------- use: metadata */

static const entry *find_entry(const ttt_gguf *gguf, const char *key) {
    const entry wanted = {.key = key};
    return bsearch(&wanted, gguf->entries, gguf->entry_count, sizeof wanted, compare_keys);
}

bool ttt_gguf_has(const ttt_gguf *gguf, const char *key) {
    return find_entry(gguf, key) != NULL;
}

static ttt_status need_entry(const ttt_gguf *gguf, const char *key, const entry **found, ttt_error *err) {
    *found = find_entry(gguf, key);
    return *found != NULL ? TTT_OK : ttt_fail(err, TTT_ERROR_FORMAT, "%s: \"%s\" is missing", gguf->path, key);
}

static ttt_status fail_type(const ttt_gguf *gguf, const entry *found, const char *wanted, ttt_error *err) {
    return ttt_fail(err, TTT_ERROR_FORMAT, "%s: \"%s\" is %s, expected %s", gguf->path, found->key,
                    VALUES[found->type].name, wanted);
}

/* The value of an integer type; false of other types, and of what does not fit. */
static bool integer_at(ttt_gguf_value type, const uint8_t *from, int64_t *value) {
    const uint64_t bits = load(from, VALUES[type].bytes);
    switch (type) {
    case TTT_GGUF_U8:
    case TTT_GGUF_U16:
    case TTT_GGUF_U32: *value = (int64_t)bits; return true;
    case TTT_GGUF_I8: *value = (int8_t)bits; return true;
    case TTT_GGUF_I16: *value = (int16_t)bits; return true;
    case TTT_GGUF_I32: *value = (int32_t)bits; return true;
    case TTT_GGUF_I64: *value = (int64_t)bits; return true;
    case TTT_GGUF_U64: *value = (int64_t)bits; return bits <= INT64_MAX;
    default: return false;
    }
}

static bool number_at(ttt_gguf_value type, const uint8_t *from, double *value) {
    int64_t integer;
    if (type == TTT_GGUF_F32) {
        const uint32_t bits = (uint32_t)load(from, 4);
        float single;
        memcpy(&single, &bits, sizeof single);
        *value = single;
        return true;
    }
    if (type == TTT_GGUF_F64 || type == TTT_GGUF_U64) {
        const uint64_t bits = load(from, 8);
        if (type == TTT_GGUF_F64) {
            memcpy(value, &bits, sizeof *value);
        } else {
            *value = (double)bits;
        }
        return true;
    }
    if (!integer_at(type, from, &integer)) return false;
    *value = (double)integer;
    return true;
}

static bool is_number(ttt_gguf_value type) {
    return type != TTT_GGUF_BOOL && type != TTT_GGUF_STRING && type != TTT_GGUF_ARRAY;
}

ttt_status ttt_gguf_get_int(const ttt_gguf *gguf, const char *key, int64_t minimum, int64_t maximum, int64_t *value,
                            ttt_error *err) {
    const entry *found;
    TTT_TRY(need_entry(gguf, key, &found, err));
    if (!is_number(found->type) || found->type == TTT_GGUF_F32 || found->type == TTT_GGUF_F64) {
        return fail_type(gguf, found, "an integer", err);
    }
    int64_t integer = 0;
    if (integer_at(found->type, found->value, &integer) && integer >= minimum && integer <= maximum) {
        *value = integer;
        return TTT_OK;
    }
    double number = 0;
    (void)number_at(found->type, found->value, &number);
    return ttt_fail(err, TTT_ERROR_FORMAT, "%s: \"%s\" is %.0f, expected %lld to %lld", gguf->path, key, number,
                    (long long)minimum, (long long)maximum);
}

ttt_status ttt_gguf_optional_int(const ttt_gguf *gguf, const char *key, int64_t minimum, int64_t maximum,
                                 int64_t *value, ttt_error *err) {
    return ttt_gguf_has(gguf, key) ? ttt_gguf_get_int(gguf, key, minimum, maximum, value, err) : TTT_OK;
}

ttt_status ttt_gguf_get_number(const ttt_gguf *gguf, const char *key, double *value, ttt_error *err) {
    const entry *found;
    TTT_TRY(need_entry(gguf, key, &found, err));
    if (!is_number(found->type)) return fail_type(gguf, found, "a number", err);
    (void)number_at(found->type, found->value, value);
    return TTT_OK;
}

ttt_status ttt_gguf_optional_number(const ttt_gguf *gguf, const char *key, double *value, ttt_error *err) {
    return ttt_gguf_has(gguf, key) ? ttt_gguf_get_number(gguf, key, value, err) : TTT_OK;
}

ttt_status ttt_gguf_optional_bool(const ttt_gguf *gguf, const char *key, bool *value, ttt_error *err) {
    const entry *found = find_entry(gguf, key);
    if (found == NULL) return TTT_OK;
    if (found->type != TTT_GGUF_BOOL) return fail_type(gguf, found, "a truth value", err);
    *value = *found->value != 0;
    return TTT_OK;
}

ttt_status ttt_gguf_get_string(const ttt_gguf *gguf, const char *key, const char **text, size_t *bytes,
                               ttt_error *err) {
    const entry *found;
    TTT_TRY(need_entry(gguf, key, &found, err));
    if (found->type != TTT_GGUF_STRING) return fail_type(gguf, found, "a string", err);
    *text = (const char *)found->value + 8;
    *bytes = (size_t)load(found->value, 8);
    return TTT_OK;
}

static ttt_status get_array(const ttt_gguf *gguf, const char *key, bool strings, const ttt_gguf_array **array,
                            size_t *count, ttt_error *err) {
    const char *wanted = strings ? "an array of strings" : "an array of numbers";
    const entry *found;
    TTT_TRY(need_entry(gguf, key, &found, err));
    if (found->type != TTT_GGUF_ARRAY) return fail_type(gguf, found, wanted, err);
    const ttt_gguf_value type = found->array.type;
    if (strings ? type != TTT_GGUF_STRING : !is_number(type)) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: \"%s\" is an array with %s as its elements, expected %s",
                        gguf->path, key, VALUES[type].name, wanted);
    }
    *array = &found->array;
    *count = found->array.count;
    return TTT_OK;
}

ttt_status ttt_gguf_get_strings(const ttt_gguf *gguf, const char *key, const ttt_gguf_array **array, size_t *count,
                                ttt_error *err) {
    return get_array(gguf, key, true, array, count, err);
}

ttt_status ttt_gguf_get_numbers(const ttt_gguf *gguf, const char *key, const ttt_gguf_array **array, size_t *count,
                                ttt_error *err) {
    return get_array(gguf, key, false, array, count, err);
}

const char *ttt_gguf_array_string(const ttt_gguf_array *array, size_t index, size_t *bytes) {
    *bytes = (size_t)load(array->strings[index], 8);
    return (const char *)array->strings[index] + 8;
}

double ttt_gguf_array_number(const ttt_gguf_array *array, size_t index) {
    double value = 0;
    (void)number_at(array->type, array->data + index * VALUES[array->type].bytes, &value);
    return value;
}
