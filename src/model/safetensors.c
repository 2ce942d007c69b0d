/* Reading safetensors: every number of the header is checked against the file before anything uses it. */
#include "model/safetensors.h"

#include "base/memory.h"
#include "tensor/dtype.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_LIMIT = 100 << 20 }; /* the format's own limit on the header */

static const struct format_type {
    const char *name;
    size_t size;
    ttt_dtype dtype;
} TYPES[] = {{"F32", 4, TTT_F32},
             {"F16", 2, TTT_F16},
             {"BF16", 2, TTT_BF16},
             {"F64", 8, TTT_DTYPE_COUNT},
             {"I64", 8, TTT_DTYPE_COUNT},
             {"I32", 4, TTT_DTYPE_COUNT},
             {"I16", 2, TTT_DTYPE_COUNT},
             {"I8", 1, TTT_DTYPE_COUNT},
             {"U64", 8, TTT_DTYPE_COUNT},
             {"U32", 4, TTT_DTYPE_COUNT},
             {"U16", 2, TTT_DTYPE_COUNT},
             {"U8", 1, TTT_DTYPE_COUNT},
             {"BOOL", 1, TTT_DTYPE_COUNT},
             {"F8_E4M3", 1, TTT_DTYPE_COUNT},
             {"F8_E5M2", 1, TTT_DTYPE_COUNT}};

typedef struct shard {
    char *path;
    ttt_file_map map;
    json_t *header; /* owns the names */
} shard;

struct ttt_safetensors {
    struct {
        shard *items;
        size_t count, capacity;
    } shards;
    struct {
        ttt_safetensor *items;
        size_t count, capacity;
    } tensors; /* sorted by name once open */
};

/* ---------------------------------------------------------------------------------------------- one tensor */

/* Where a tensor's bytes are said to lie, counted from the end of the header. */
static ttt_status read_offsets(const char *path, const char *name, const json_t *entry, size_t data_bytes,
                               size_t *begin, size_t *end, ttt_error *err) {
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const json_t *first = json_array_get(offsets, 0), *last = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(last)) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: tensor \"%.100s\": \"data_offsets\" is not a pair of whole numbers",
                        path, name);
    }
    const json_int_t from = json_integer_value(first), to = json_integer_value(last);
    if (from < 0 || to < from || (uint64_t)to > data_bytes) {
        return ttt_fail(err, TTT_ERROR_FORMAT,
                        "%s: tensor \"%.100s\" lies at bytes %lld to %lld, but the file has %zu bytes of data", path,
                        name, (long long)from, (long long)to, data_bytes);
    }
    *begin = (size_t)from;
    *end = (size_t)to;
    return TTT_OK;
}

/* The shape, and in *elements its product. */
static ttt_status read_shape(const char *path, const json_t *entry, ttt_safetensor *tensor, size_t *elements,
                             ttt_error *err) {
    const json_t *shape = json_object_get(entry, "shape");
    const size_t rank = json_array_size(shape);
    if (!json_is_array(shape) || rank > TTT_SAFETENSORS_RANK) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: tensor \"%.100s\": \"shape\" is not a list of up to %d numbers",
                        path, tensor->name, (int)TTT_SAFETENSORS_RANK);
    }
    tensor->rank = (int32_t)rank;
    *elements = 1;
    for (size_t i = 0; i < rank; i++) {
        const json_t *size = json_array_get(shape, i);
        if (!json_is_integer(size) || json_integer_value(size) < 0) {
            return ttt_fail(err, TTT_ERROR_FORMAT, "%s: tensor \"%.100s\": a size in \"shape\" is not a whole number",
                            path, tensor->name);
        }
        tensor->shape[i] = (size_t)json_integer_value(size);
        if (!ttt_size_multiply(*elements, tensor->shape[i], elements)) {
            return ttt_fail(err, TTT_ERROR_FORMAT, "%s: tensor \"%.100s\": the product of its shape is too large", path,
                            tensor->name);
        }
    }
    return TTT_OK;
}

static ttt_status read_tensor(const shard *file, const char *name, const json_t *entry, const uint8_t *data,
                              size_t data_bytes, ttt_safetensor *tensor, ttt_error *err) {
    const char *path = file->path;
    if (!json_is_object(entry)) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: tensor \"%.100s\" is %s, expected an object", path, name,
                        ttt_json_type_name(entry));
    }
    *tensor = (ttt_safetensor){.name = name, .path = path};
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    const struct format_type *type = NULL;
    for (size_t i = 0; dtype != NULL && i < sizeof TYPES / sizeof *TYPES; i++) {
        if (strcmp(dtype, TYPES[i].name) == 0) type = &TYPES[i];
    }
    if (type == NULL) {
        return ttt_fail(err, TTT_ERROR_FORMAT,
                        "%s: tensor \"%.100s\" has dtype \"%.20s\", which is not one of the format", path, name,
                        dtype == NULL ? "" : dtype);
    }
    size_t begin = 0, end = 0, elements, bytes;
    TTT_TRY(read_offsets(path, name, entry, data_bytes, &begin, &end, err));
    TTT_TRY(read_shape(path, entry, tensor, &elements, err));
    if (!ttt_size_multiply(elements, type->size, &bytes) || bytes != end - begin) {
        return ttt_fail(err, TTT_ERROR_FORMAT,
                        "%s: tensor \"%.100s\" has %zu bytes of data, but its shape asks for %zu numbers of %zu bytes",
                        path, name, end - begin, elements, type->size);
    }
    tensor->dtype = type->dtype;
    tensor->data = data + begin;
    tensor->bytes = bytes;
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- one file */

static int compare_places(const void *a, const void *b) {
    const ttt_safetensor *left = a, *right = b;
    if (left->data != right->data) return left->data < right->data ? -1 : 1;
    return (left->bytes > right->bytes) - (left->bytes < right->bytes);
}

static int compare_names(const void *a, const void *b) {
    return strcmp(((const ttt_safetensor *)a)->name, ((const ttt_safetensor *)b)->name);
}

/* The tensors must cover the data without overlap and without a gap. Sorts them by place. */
static ttt_status check_places(const char *path, ttt_safetensor *tensors, size_t count, const uint8_t *data,
                               size_t data_bytes, ttt_error *err) {
    qsort(tensors, count, sizeof *tensors, compare_places);
    size_t end = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t begin = (size_t)(tensors[i].data - data);
        if (begin != end) {
            return ttt_fail(err, TTT_ERROR_FORMAT,
                            "%s: tensor \"%.100s\" begins at byte %zu, %s byte %zu, where the one "
                            "before it ends",
                            path, tensors[i].name, begin, begin < end ? "before" : "after", end);
        }
        end += tensors[i].bytes;
    }
    if (end != data_bytes) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: its tensors end at byte %zu of %zu bytes of data", path, end,
                        data_bytes);
    }
    return TTT_OK;
}

static ttt_status check_metadata(const char *path, const json_t *metadata, ttt_error *err) {
    if (!json_is_object(metadata)) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: \"__metadata__\" is %s, expected an object", path,
                        ttt_json_type_name(metadata));
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)metadata, key, value) {
        if (!json_is_string(value)) {
            return ttt_fail(err, TTT_ERROR_FORMAT, "%s: \"%.100s\" in \"__metadata__\" is %s, expected a string", path,
                            key, ttt_json_type_name(value));
        }
    }
    return TTT_OK;
}

/* Maps a file and checks its header; its tensors are appended to those of `tensors`. */
static ttt_status read_shard(ttt_safetensors *tensors, shard *file, ttt_error *err) {
    const char *path = file->path;
    TTT_TRY(ttt_file_map_open(&file->map, path, err));
    const size_t bytes = file->map.bytes;
    if (bytes < 8) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: it has %zu bytes, a safetensors file has at least 8", path, bytes);
    }
    uint64_t length = 0;
    for (int i = 7; i >= 0; i--) length = length << 8 | file->map.data[i];
    if (length > bytes - 8 || length > HEADER_LIMIT) {
        return ttt_fail(err, TTT_ERROR_FORMAT,
                        "%s: its header is said to have %llu bytes, but at most %zu are possible", path,
                        (unsigned long long)length, bytes - 8 < HEADER_LIMIT ? bytes - 8 : (size_t)HEADER_LIMIT);
    }
    TTT_TRY(ttt_json_parse(path, (const char *)file->map.data + 8, (size_t)length, &file->header, err));
    if (!json_is_object(file->header)) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: its header is %s, expected an object", path,
                        ttt_json_type_name(file->header));
    }
    const uint8_t *data = file->map.data + 8 + length;
    const size_t data_bytes = bytes - 8 - (size_t)length, first = tensors->tensors.count;
    const char *name;
    json_t *entry;
    json_object_foreach(file->header, name, entry) {
        if (strcmp(name, "__metadata__") == 0) {
            TTT_TRY(check_metadata(path, entry, err));
            continue;
        }
        ttt_safetensor tensor;
        TTT_TRY(read_tensor(file, name, entry, data, data_bytes, &tensor, err));
        TTT_TRY(TTT_PUSH(&tensors->tensors, tensor, err));
    }
    if (tensors->tensors.count == first) {
        if (data_bytes == 0) return TTT_OK;
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: it has %zu bytes of data but no tensors", path, data_bytes);
    }
    return check_places(path, tensors->tensors.items + first, tensors->tensors.count - first, data, data_bytes, err);
}

/* Takes `path`, which may be NULL when memory ran out. */
static ttt_status add_shard(ttt_safetensors *tensors, char *path, ttt_error *err) {
    if (path == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the name of a weight file");
    shard file = {.path = path};
    ttt_status status = TTT_PUSH(&tensors->shards, file, err);
    if (status != TTT_OK) {
        ttt_free(path);
        return status;
    }
    return read_shard(tensors, &tensors->shards.items[tensors->shards.count - 1], err);
}

/* Sorts by name; the same name in two shards is an error. */
static ttt_status finish(ttt_safetensors *tensors, ttt_error *err) {
    ttt_safetensor *items = tensors->tensors.items;
    const size_t count = tensors->tensors.count;
    if (count > 0) qsort(items, count, sizeof *items, compare_names);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(items[i - 1].name, items[i].name) == 0) {
            return ttt_fail(err, TTT_ERROR_FORMAT, "%s: tensor \"%.100s\" is also in '%s'", items[i].path,
                            items[i].name, items[i - 1].path);
        }
    }
    return TTT_OK;
}

static ttt_status tensors_new(ttt_safetensors **tensors, ttt_error *err) {
    *tensors = ttt_allocate(1, sizeof **tensors);
    return *tensors == NULL ? ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a list of tensors") : TTT_OK;
}

ttt_status ttt_safetensors_open(const char *path, ttt_safetensors **tensors, ttt_error *err) {
    TTT_TRY(tensors_new(tensors, err));
    ttt_status status = add_shard(*tensors, ttt_string_copy(path), err);
    if (status == TTT_OK) status = finish(*tensors, err);
    if (status != TTT_OK) {
        ttt_safetensors_close(*tensors);
        *tensors = NULL;
    }
    return status;
}

void ttt_safetensors_close(ttt_safetensors *tensors) {
    if (tensors == NULL) return;
    for (size_t i = 0; i < tensors->shards.count; i++) {
        shard *file = &tensors->shards.items[i];
        json_decref(file->header);
        ttt_file_map_close(&file->map);
        ttt_free(file->path);
    }
    ttt_free(tensors->shards.items);
    ttt_free(tensors->tensors.items);
    ttt_free(tensors);
}

/* ---------------------------------------------------------------------------------------------- shards */

static const shard *find_shard(const ttt_safetensors *tensors, const char *folder, const char *name) {
    const size_t prefix = strlen(folder) + 1; /* paths are "folder/name" */
    for (size_t i = 0; i < tensors->shards.count; i++) {
        if (strcmp(tensors->shards.items[i].path + prefix, name) == 0) return &tensors->shards.items[i];
    }
    return NULL;
}

/* Opens every file that the index's "weight_map" names. */
static ttt_status open_shards(ttt_safetensors *tensors, const char *folder, const char *index_path, json_t *map,
                              ttt_error *err) {
    const char *name;
    json_t *value;
    json_object_foreach(map, name, value) {
        const char *file = json_string_value(value);
        if (file == NULL || file[0] == '\0' || strchr(file, '/') != NULL) {
            return ttt_fail(err, TTT_ERROR_FORMAT, "%s: the file of tensor \"%.100s\" is not a name in the same folder",
                            index_path, name);
        }
        if (find_shard(tensors, folder, file) != NULL) continue;
        ttt_status status = add_shard(tensors, ttt_path_join(folder, file), err);
        if (status != TTT_OK) return ttt_fail_within(err, status, "%s: shard '%.100s'", index_path, file);
    }
    return TTT_OK;
}

/* Every tensor of the map must be where the map says. */
static ttt_status check_map(const ttt_safetensors *tensors, const char *folder, const char *index_path, json_t *map,
                            ttt_error *err) {
    const char *name;
    json_t *value;
    json_object_foreach(map, name, value) {
        const ttt_safetensor *tensor = ttt_safetensors_find(tensors, name);
        const char *file = json_string_value(value);
        if (tensor == NULL || tensor->path != find_shard(tensors, folder, file)->path) {
            return ttt_fail(err, TTT_ERROR_FORMAT, "%s: tensor \"%.100s\" is not in '%.100s'", index_path, name, file);
        }
    }
    return TTT_OK;
}

static ttt_status open_index(ttt_safetensors *tensors, const char *folder, const char *index_path, ttt_error *err) {
    json_t *root = NULL, *map;
    ttt_status status;
    TTT_TRY_OUT(ttt_json_read(index_path, &root, err));
    TTT_TRY_OUT(ttt_json_get_object(root, index_path, "weight_map", &map, err));
    TTT_TRY_OUT(open_shards(tensors, folder, index_path, map, err));
    TTT_TRY_OUT(finish(tensors, err));
    status = check_map(tensors, folder, index_path, map, err);
out:
    json_decref(root);
    return status;
}

ttt_status ttt_safetensors_open_folder(const char *folder, ttt_safetensors **tensors, ttt_error *err) {
    *tensors = NULL;
    char *whole = ttt_path_join(folder, "model.safetensors");
    char *index_path = ttt_path_join(folder, "model.safetensors.index.json");
    ttt_status status;
    if (whole == NULL || index_path == NULL) {
        status = ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the weights of '%s'", folder);
        goto out;
    }
    if (ttt_file_exists(whole) || !ttt_file_exists(index_path)) {
        status = ttt_safetensors_open(whole, tensors, err);
        goto out;
    }
    TTT_TRY_OUT(tensors_new(tensors, err));
    status = open_index(*tensors, folder, index_path, err);
    if (status != TTT_OK) {
        ttt_safetensors_close(*tensors);
        *tensors = NULL;
    }
out:
    ttt_free(whole);
    ttt_free(index_path);
    return status;
}

/* ---------------------------------------------------------------------------------------------- use */

size_t ttt_safetensors_count(const ttt_safetensors *tensors) {
    return tensors->tensors.count;
}

const ttt_safetensor *ttt_safetensors_at(const ttt_safetensors *tensors, size_t index) {
    return &tensors->tensors.items[index];
}

const ttt_safetensor *ttt_safetensors_find(const ttt_safetensors *tensors, const char *name) {
    if (tensors->tensors.count == 0) return NULL;
    const ttt_safetensor wanted = {.name = name};
    return bsearch(&wanted, tensors->tensors.items, tensors->tensors.count, sizeof wanted, compare_names);
}

ttt_status ttt_safetensors_matrix(const ttt_safetensors *tensors, const char *where, const char *name, size_t rows,
                                  size_t columns, const ttt_safetensor **tensor, ttt_error *err) {
    const ttt_safetensor *found = *tensor = ttt_safetensors_find(tensors, name);
    if (found == NULL) return ttt_fail(err, TTT_ERROR_FORMAT, "%s: tensor \"%s\" is missing", where, name);
    if (found->dtype == TTT_DTYPE_COUNT) {
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: tensor \"%s\" is not of type F32, F16 or BF16", found->path,
                        name);
    }
    const bool vector = rows == 1 && found->rank == 1 && found->shape[0] == columns;
    const bool matrix = found->rank == 2 && found->shape[0] == rows && found->shape[1] == columns;
    if (vector || matrix) return TTT_OK;
    if (found->rank == 2) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: tensor \"%s\" has shape [%zu, %zu], expected [%zu, %zu]",
                        found->path, name, found->shape[0], found->shape[1], rows, columns);
    }
    return ttt_fail(err, TTT_ERROR_FORMAT, "%s: tensor \"%s\" has %d dimensions and %zu bytes, expected [%zu, %zu]",
                    found->path, name, found->rank, found->bytes, rows, columns);
}

void ttt_safetensor_read(const ttt_safetensor *tensor, float *to) {
    enum { CHUNK = 1024 };
    uint64_t aligned[CHUNK]; /* the map's bytes may lie anywhere */
    const size_t size = ttt_dtype_size(tensor->dtype), count = tensor->bytes / size, step = sizeof aligned / size;
    for (size_t i = 0; i < count; i += step) {
        const size_t some = count - i < step ? count - i : step;
        memcpy(aligned, tensor->data + i * size, some * size);
        ttt_dtype_to_float(tensor->dtype, aligned, some, to + i);
    }
}

const json_t *ttt_safetensors_metadata(const ttt_safetensors *tensors) {
    return tensors->shards.count == 0 ? NULL : json_object_get(tensors->shards.items[0].header, "__metadata__");
}
