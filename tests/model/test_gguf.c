/* GGUF files: what is written is read, in both versions; what breaks a rule of the format is refused with one sentence
 * that names file, place and cause; and nothing that a file may hold does harm. */
#include "support.h"

#include "base/file.h"
#include "base/memory.h"
#include "model/gguf.h"
#include "model/gguf_config.h"
#include "model/gguf_write.h"

#include <math.h>

/* ---------------------------------------------------------------------------------------------- files in the making */

typedef struct image {
    unsigned char bytes[2048];
    size_t count;
} image;

static void put(image *file, const void *from, size_t count) {
    assert_true(file->count + count <= sizeof file->bytes);
    memcpy(file->bytes + file->count, from, count);
    file->count += count;
}

static void number(image *file, uint64_t value, size_t bytes) {
    unsigned char little[8];
    for (size_t i = 0; i < bytes; i++) little[i] = (unsigned char)(value >> 8 * i);
    put(file, little, bytes);
}

static void text(image *file, const char *string) {
    number(file, strlen(string), 8);
    put(file, string, strlen(string));
}

static void header(image *file, uint32_t version, uint64_t tensors, uint64_t entries) {
    file->count = 0;
    put(file, "GGUF", 4);
    number(file, version, 4);
    number(file, tensors, 8);
    number(file, entries, 8);
}

static void key(image *file, const char *name, uint32_t type) {
    text(file, name);
    number(file, type, 4);
}

static void array(image *file, const char *name, uint32_t type, uint64_t count) {
    key(file, name, TTT_GGUF_ARRAY);
    number(file, type, 4);
    number(file, count, 8);
}

static void tensor(image *file, const char *name, uint64_t columns, uint64_t rows, uint32_t type, uint64_t offset) {
    text(file, name);
    number(file, rows == 0 ? 1 : 2, 4);
    number(file, columns, 8);
    if (rows != 0) number(file, rows, 8);
    number(file, type, 4);
    number(file, offset, 8);
}

/* Up to the next multiple of 32, then `count` bytes 0, 1, 2, ... */
static void data(image *file, size_t count) {
    while (file->count % 32 != 0) number(file, 0, 1);
    for (size_t i = 0; i < count; i++) number(file, i, 1);
}

static ttt_status open_image(const image *file, const char *path, ttt_gguf **gguf, ttt_error *err) {
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(file->bytes, 1, file->count, stream), file->count);
    assert_int_equal(fclose(stream), 0);
    return ttt_gguf_open(path, gguf, err);
}

/* One of each: metadata of all types, a vector of F32, a matrix of Q8_0, one of a type that is not read. */
static void good_file(image *file, uint32_t version) {
    header(file, version, 3, 16);
    key(file, "a.u8", TTT_GGUF_U8), number(file, 200, 1);
    key(file, "a.i8", TTT_GGUF_I8), number(file, (uint8_t)-3, 1);
    key(file, "a.u16", TTT_GGUF_U16), number(file, 60000, 2);
    key(file, "a.i16", TTT_GGUF_I16), number(file, (uint16_t)-300, 2);
    key(file, "a.u32", TTT_GGUF_U32), number(file, 4000000000, 4);
    key(file, "a.i32", TTT_GGUF_I32), number(file, (uint32_t)-70000, 4);
    key(file, "a.u64", TTT_GGUF_U64), number(file, UINT64_MAX, 8);
    key(file, "a.i64", TTT_GGUF_I64), number(file, (uint64_t)-5000000000, 8);
    key(file, "a.f32", TTT_GGUF_F32), number(file, 0x3FC00000, 4);         /* 1.5 */
    key(file, "a.f64", TTT_GGUF_F64), number(file, 0xC000000000000000, 8); /* -2 */
    key(file, "a.bool", TTT_GGUF_BOOL), number(file, 1, 1);
    key(file, "a.string", TTT_GGUF_STRING), number(file, 3, 8), put(file, "x\0\xFF", 3);
    array(file, "a.strings", TTT_GGUF_STRING, 3), text(file, "one"), text(file, ""), text(file, "three");
    array(file, "a.numbers", TTT_GGUF_I16, 2), number(file, 7, 2), number(file, (uint16_t)-7, 2);
    array(file, "a.nothing", TTT_GGUF_F32, 0);
    array(file, "a.bools", TTT_GGUF_BOOL, 1), number(file, 1, 1);
    tensor(file, "vector", 3, 0, 0, 0);
    tensor(file, "matrix", 32, 2, 8, 32);
    tensor(file, "foreign", 256, 1, 13, 128); /* Q5_K */
    data(file, 128 + 176);
}

/* ---------------------------------------------------------------------------------------------- reading */

static void check_integers(const ttt_gguf *gguf) {
    static const struct {
        const char *key;
        int64_t value;
    } expected[] = {{"a.u8", 200},         {"a.i8", -3},      {"a.u16", 60000},      {"a.i16", -300},
                    {"a.u32", 4000000000}, {"a.i32", -70000}, {"a.i64", -5000000000}};
    ttt_error err;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        int64_t value = 0;
        double wide = 0;
        ASSERT_OK(ttt_gguf_get_int(gguf, expected[i].key, INT64_MIN, INT64_MAX, &value, &err));
        ASSERT_OK(ttt_gguf_get_number(gguf, expected[i].key, &wide, &err));
        assert_true(value == expected[i].value && wide == (double)expected[i].value);
    }
    int64_t value = 17;
    ASSERT_FAILS(ttt_gguf_get_int(gguf, "a.u64", INT64_MIN, INT64_MAX, &value, &err), TTT_ERROR_FORMAT,
                 "\"a.u64\" is 18446744073709551616, expected");
    ASSERT_FAILS(ttt_gguf_get_int(gguf, "a.u8", 0, 199, &value, &err), TTT_ERROR_FORMAT, "is 200, expected 0 to 199");
    ASSERT_FAILS(ttt_gguf_get_int(gguf, "a.f32", 0, 9, &value, &err), TTT_ERROR_FORMAT,
                 "a number, expected an integer");
    ASSERT_FAILS(ttt_gguf_get_int(gguf, "a.no", 0, 9, &value, &err), TTT_ERROR_FORMAT, "\"a.no\" is missing");
    ASSERT_OK(ttt_gguf_optional_int(gguf, "a.no", 0, 9, &value, &err));
    assert_int_equal(value, 17);
}

static void check_others(const ttt_gguf *gguf) {
    ttt_error err;
    double value = 0;
    bool truth = false;
    const char *string;
    size_t bytes;
    ASSERT_OK(ttt_gguf_get_number(gguf, "a.f32", &value, &err));
    assert_true(value == 1.5);
    ASSERT_OK(ttt_gguf_optional_number(gguf, "a.f64", &value, &err));
    ASSERT_OK(ttt_gguf_optional_number(gguf, "a.no", &value, &err));
    assert_true(value == -2);
    ASSERT_OK(ttt_gguf_optional_bool(gguf, "a.bool", &truth, &err));
    assert_true(truth);
    ASSERT_OK(ttt_gguf_get_string(gguf, "a.string", &string, &bytes, &err));
    assert_int_equal(bytes, 3);
    assert_memory_equal(string, "x\0\xFF", 3);
    ASSERT_FAILS(ttt_gguf_optional_bool(gguf, "a.u8", &truth, &err), TTT_ERROR_FORMAT, "expected a truth value");
    ASSERT_FAILS(ttt_gguf_get_string(gguf, "a.u8", &string, &bytes, &err), TTT_ERROR_FORMAT, "expected a string");
    ASSERT_FAILS(ttt_gguf_get_number(gguf, "a.bool", &value, &err), TTT_ERROR_FORMAT, "expected a number");
}

static void check_arrays(const ttt_gguf *gguf) {
    ttt_error err;
    const ttt_gguf_array *found;
    size_t count, bytes;
    ASSERT_OK(ttt_gguf_get_strings(gguf, "a.strings", &found, &count, &err));
    assert_int_equal(count, 3);
    assert_memory_equal(ttt_gguf_array_string(found, 0, &bytes), "one", 3);
    (void)ttt_gguf_array_string(found, 1, &bytes);
    assert_int_equal(bytes, 0);
    assert_memory_equal(ttt_gguf_array_string(found, 2, &bytes), "three", 5);
    assert_int_equal(bytes, 5);
    ASSERT_OK(ttt_gguf_get_numbers(gguf, "a.numbers", &found, &count, &err));
    assert_true(count == 2 && ttt_gguf_array_number(found, 0) == 7 && ttt_gguf_array_number(found, 1) == -7);
    ASSERT_OK(ttt_gguf_get_numbers(gguf, "a.nothing", &found, &count, &err));
    assert_int_equal(count, 0);
    ASSERT_FAILS(ttt_gguf_get_strings(gguf, "a.numbers", &found, &count, &err), TTT_ERROR_FORMAT,
                 "an integer as its elements, expected an array of strings");
    ASSERT_FAILS(ttt_gguf_get_numbers(gguf, "a.bools", &found, &count, &err), TTT_ERROR_FORMAT, "an array of numbers");
    ASSERT_FAILS(ttt_gguf_get_numbers(gguf, "a.u8", &found, &count, &err), TTT_ERROR_FORMAT, "an integer, expected");
}

static void check_tensors(const ttt_gguf *gguf) {
    assert_int_equal(ttt_gguf_tensor_count(gguf), 3);
    const ttt_gguf_tensor *vector = ttt_gguf_tensor_find(gguf, "vector"),
                          *matrix = ttt_gguf_tensor_find(gguf, "matrix");
    assert_ptr_equal(matrix, ttt_gguf_tensor_at(gguf, 1));
    assert_true(vector->dtype == TTT_F32 && vector->rank == 1 && vector->rows == 1 && vector->columns == 3);
    assert_true(vector->bytes == 12 && vector->data[0] == 0 && vector->data[11] == 11);
    assert_true(matrix->dtype == TTT_Q8_0 && matrix->rank == 2 && matrix->rows == 2 && matrix->columns == 32);
    assert_true(matrix->bytes == 68 && matrix->data[0] == 32);
    assert_int_equal(ttt_gguf_tensor_at(gguf, 0)->dtype, TTT_DTYPE_COUNT);
    assert_int_equal(ttt_gguf_tensor_at(gguf, 0)->type, 13);
    assert_null(ttt_gguf_tensor_find(gguf, "vecto"));
}

static void values_and_tensors__are_read_as_they_were_written(void **state) {
    (void)state;
    support_path folder = support_temporary_folder(), path = support_join(folder.text, "a.gguf");
    for (uint32_t version = 2; version <= 3; version++) {
        ttt_error err;
        ttt_gguf *gguf;
        image file;
        good_file(&file, version);
        ASSERT_OK(open_image(&file, path.text, &gguf, &err));
        assert_string_equal(ttt_gguf_path(gguf), path.text);
        check_integers(gguf);
        check_others(gguf);
        check_arrays(gguf);
        check_tensors(gguf);
        ttt_gguf_close(gguf);
    }
    support_remove_folder(folder.text);
}

/* ---------------------------------------------------------------------------------------------- hostile files */

/* A file with one number of the first metadata entry or of the first of two tensors set otherwise. */
typedef struct fault {
    uint32_t version;
    uint64_t tensors, entries;
    const char *key;
    uint32_t type; /* of the entry's value: an integer, or an array of `element` and `count` */
    uint32_t element;
    uint64_t count;
    const char *name;
    uint64_t columns, rows;
    uint32_t tensor_type;
    uint64_t offset;
    size_t data;
    const char *part; /* of the sentence */
} fault;

#define GOOD                                                                                                           \
    .version = 3, .tensors = 2, .entries = 1, .key = "general.alignment", .type = TTT_GGUF_U32, .count = 32,           \
    .name = "a", .columns = 4, .rows = 2, .offset = 32, .data = 64
#define ARRAY(kind, number) .key = "x", .type = TTT_GGUF_ARRAY, .element = (kind), .count = (number)

/* Designated initialisers that come later count: that is how each fault says what is wrong with a good file. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static const fault FAULTS[] = {
    {GOOD, .part = NULL},
    {GOOD, .version = 1, .part = "it is of version 1, supported are 2 and 3"},
    {GOOD, .version = 4, .part = "it is of version 4"},
    {GOOD, .version = 0x03000000, .part = "big-endian"},
    {GOOD, .tensors = 1000, .part = "1000 tensors and 1 metadata entries, but has only"},
    {GOOD, .entries = UINT64_MAX, .part = "18446744073709551615 metadata entries"},
    {GOOD, .entries = 2, .part = "tensor 0 has a name of"}, /* the first tensor is taken for an entry */
    {GOOD, .key = "", .part = "metadata entry 0 has a name of 0 bytes"},
    {GOOD, .key = "caf\xE9", .part = "byte 3 of the name of metadata entry 0 is 233"},
    {GOOD, .key = "a\nb", .part = "byte 1 of the name of metadata entry 0 is 10"},
    {GOOD, .type = 13, .part = "\"general.alignment\" has a value of type 13"},
    {GOOD, .count = 48, .part = "\"general.alignment\" is 48, expected a power of two"},
    {GOOD, .count = 0, .part = "\"general.alignment\" is 0, expected 8 to"},
    {GOOD, .type = TTT_GGUF_STRING, .count = 1LL << 40, .part = "the file ends within entry \"general.alignment\""},
    {GOOD, .type = TTT_GGUF_F32, .part = "\"general.alignment\" is a number, expected an integer"},
    {GOOD, ARRAY(TTT_GGUF_U8, UINT64_MAX), .part = "\"x\" is said to have 18446744073709551615 elements"},
    {GOOD, ARRAY(TTT_GGUF_F64, UINT64_MAX / 8 + 2), .part = "\"x\" is said to have"},
    {GOOD, ARRAY(TTT_GGUF_STRING, 1 << 20), .part = "\"x\" is said to have 1048576 elements"},
    {GOOD, ARRAY(TTT_GGUF_ARRAY, 0), .part = "\"x\" is an array of arrays"},
    {GOOD, ARRAY(77, 0), .part = "\"x\" has a value of type 77"},
    {GOOD, .name = "b", .part = "tensor \"b\" is there twice"},
    {GOOD, .name = "a\x7F", .part = "byte 1 of the name of tensor 0 is 127"},
    {GOOD, .columns = 0, .part = "size 0 of tensor \"a\" is 0"},
    {GOOD, .columns = UINT64_MAX, .part = "size 0 of tensor \"a\" is 18446744073709551615"},
    {GOOD, .columns = INT64_MAX, .rows = INT64_MAX, .part = "more bytes than fit"},
    {GOOD, .rows = INT64_MAX, .part = "more bytes than fit"},
    {GOOD, .tensor_type = 4, .part = "tensor \"a\" has type 4, which is none that is known"},
    {GOOD, .tensor_type = 2, .part = "rows of 4 numbers, expected a multiple of 32 for Q4_0"},
    {GOOD, .offset = 33, .part = "begins at byte 33 of the data, expected a multiple of 32"},
    {GOOD, .offset = 64, .part = "has 32 bytes from byte 64 on, but the file has 64"},
    {GOOD, .offset = UINT64_MAX - 31, .part = "from byte 18446744073709551584 on"},
    {GOOD, .offset = 0, .part = "overlaps tensor"},
    {GOOD, .data = 63, .part = "but the file has 63 bytes of data"},
    {GOOD, .rows = 3, .part = "has 48 bytes from byte 32 on, but the file has 64"},
};
#pragma GCC diagnostic pop

static void faulty_file(image *file, const fault *f) {
    header(file, f->version, f->tensors, f->entries);
    key(file, f->key, f->type);
    if (f->type == TTT_GGUF_ARRAY) number(file, f->element, 4);
    number(file, f->count, f->type == TTT_GGUF_ARRAY || f->type == TTT_GGUF_STRING ? 8 : 4);
    tensor(file, f->name, f->columns, f->rows, f->tensor_type, f->offset);
    tensor(file, "b", 8, 0, 0, 0);
    data(file, f->data);
}

static void broken_file__is_refused_with_its_cause(void **state) {
    (void)state;
    support_path folder = support_temporary_folder(), path = support_join(folder.text, "broken.gguf");
    for (size_t i = 0; i < sizeof FAULTS / sizeof *FAULTS; i++) {
        ttt_error err = {0};
        ttt_gguf *gguf;
        image file;
        faulty_file(&file, &FAULTS[i]);
        const ttt_status status = open_image(&file, path.text, &gguf, &err);
        ttt_gguf_close(gguf);
        if (FAULTS[i].part == NULL) {
            assert_int_equal(status, TTT_OK);
            continue;
        }
        if ((status != TTT_ERROR_FORMAT && status != TTT_ERROR_UNSUPPORTED) || gguf != NULL ||
            strstr(err.message, FAULTS[i].part) == NULL || strstr(err.message, "broken.gguf: ") == NULL) {
            fail_msg("fault %zu: \"%s\" is not what was expected, \"%s\"", i, err.message, FAULTS[i].part);
        }
    }
    support_remove_folder(folder.text);
}

/* Everything a reader offers, of whatever was accepted: the sanitizers look on. */
static void use_all(const ttt_gguf *gguf) {
    static const char *const keys[] = {"a.u8", "a.i64", "a.f32", "a.bool", "a.string", "a.strings", "a.numbers"};
    unsigned sum = 0;
    for (size_t i = 0; i < ttt_gguf_tensor_count(gguf); i++) {
        const ttt_gguf_tensor *t = ttt_gguf_tensor_at(gguf, i);
        sum += t->data[0] + t->data[t->bytes - 1] + (unsigned)strlen(t->name);
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const ttt_gguf_array *found;
        const char *string;
        size_t count, bytes;
        int64_t integer;
        double real;
        bool truth;
        (void)ttt_gguf_get_int(gguf, keys[i], 0, 9, &integer, NULL);
        (void)ttt_gguf_get_number(gguf, keys[i], &real, NULL);
        (void)ttt_gguf_optional_bool(gguf, keys[i], &truth, NULL);
        if (ttt_gguf_get_string(gguf, keys[i], &string, &bytes, NULL) == TTT_OK && bytes > 0)
            sum += string[bytes - 1] != 0;
        if (ttt_gguf_get_strings(gguf, keys[i], &found, &count, NULL) == TTT_OK) {
            for (size_t j = 0; j < count; j++) {
                string = ttt_gguf_array_string(found, j, &bytes);
                if (bytes > 0) sum += string[bytes - 1] != 0;
            }
        }
        if (ttt_gguf_get_numbers(gguf, keys[i], &found, &count, NULL) == TTT_OK) {
            for (size_t j = 0; j < count; j++) sum += ttt_gguf_array_number(found, j) > 0;
        }
    }
    assert_true(sum < UINT32_MAX);
}

static void good_file__cut_or_changed_anywhere_does_no_harm(void **state) {
    (void)state;
    support_path folder = support_temporary_folder(), path = support_join(folder.text, "a.gguf");
    image whole;
    good_file(&whole, 3);
    for (size_t i = 0; i < 2 * whole.count; i++) {
        ttt_error err;
        ttt_gguf *gguf;
        image file = whole;
        if (i < whole.count) {
            file.count = i;
        } else {
            file.bytes[i - whole.count] ^= 0x11;
        }
        const ttt_status status = open_image(&file, path.text, &gguf, &err);
        assert_true((status == TTT_OK) == (gguf != NULL));
        if (i < whole.count) assert_int_equal(status, TTT_ERROR_FORMAT);
        if (gguf != NULL) use_all(gguf);
        ttt_gguf_close(gguf);
    }
    support_remove_folder(folder.text);
}

static void every_allocation__may_fail(void **state) {
    (void)state;
    support_path folder = support_temporary_folder(), path = support_join(folder.text, "a.gguf");
    image file;
    good_file(&file, 3);
    ttt_status status = TTT_ERROR_MEMORY;
    for (size_t i = 1; status != TTT_OK; i++) {
        ttt_error err;
        ttt_gguf *gguf;
        ttt_memory_fail_at(i);
        status = open_image(&file, path.text, &gguf, &err);
        ttt_memory_fail_at(0);
        if (status != TTT_OK) assert_int_equal(status, TTT_ERROR_MEMORY);
        ttt_gguf_close(gguf);
    }
    support_remove_folder(folder.text);
}

/* ---------------------------------------------------------------------------------------------- writing */

static void written_file__is_read_back_and_replaces_the_old_one_when_whole(void **state) {
    (void)state;
    support_path folder = support_temporary_folder(), path = support_join(folder.text, "a.gguf");
    ttt_error err;
    ttt_gguf_writer *writer;
    ttt_gguf *gguf;
    support_write(path.text, "old");
    const float vector[3] = {1, 2, 3};
    unsigned char blocks[2 * 34];
    for (size_t i = 0; i < sizeof blocks; i++) blocks[i] = (unsigned char)i;
    for (int finish = 0; finish < 2; finish++) {
        ASSERT_OK(ttt_gguf_writer_new(&writer, &err));
        ASSERT_OK(ttt_gguf_writer_u32(writer, "n", 4000000000, &err));
        ASSERT_OK(ttt_gguf_writer_array(writer, "tokens", TTT_GGUF_STRING, 2, &err));
        ASSERT_OK(ttt_gguf_writer_add_string(writer, "a\0b", 3, &err));
        ASSERT_OK(ttt_gguf_writer_add_string(writer, "", 0, &err));
        ASSERT_OK(ttt_gguf_writer_bool(writer, "yes", true, &err));
        ASSERT_OK(ttt_gguf_writer_f32(writer, "x", 0.1f, &err));
        ASSERT_OK(ttt_gguf_writer_declare(writer, "vector", TTT_F32, 1, 3, true, &err));
        ASSERT_OK(ttt_gguf_writer_declare(writer, "blocks", TTT_Q8_0, 2, 32, false, &err));
        ASSERT_OK(ttt_gguf_writer_begin(writer, path.text, &err));
        ASSERT_OK(ttt_gguf_writer_append(writer, vector, sizeof vector, &err));
        ASSERT_OK(ttt_gguf_writer_append(writer, blocks, 34, &err));
        ASSERT_OK(ttt_gguf_writer_append(writer, blocks + 34, 34, &err));
        if (finish) ASSERT_OK(ttt_gguf_writer_finish(writer, &err));
        ttt_gguf_writer_free(writer);
        if (!finish) ASSERT_FAILS(ttt_gguf_open(path.text, &gguf, &err), TTT_ERROR_FORMAT, "the file ends within");
    }
    ASSERT_OK(ttt_gguf_open(path.text, &gguf, &err));
    double x;
    ASSERT_OK(ttt_gguf_get_number(gguf, "x", &x, &err));
    assert_true(x == (double)0.1f);
    assert_memory_equal(ttt_gguf_tensor_find(gguf, "vector")->data, vector, sizeof vector);
    assert_memory_equal(ttt_gguf_tensor_find(gguf, "blocks")->data, blocks, sizeof blocks);
    ttt_gguf_close(gguf);
    ttt_folder_list list;
    ASSERT_OK(ttt_folder_list_read(&list, folder.text, "", &err));
    assert_int_equal(list.count, 1);
    ttt_folder_list_free(&list);
    support_remove_folder(folder.text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_tensors__are_read_as_they_were_written),
        cmocka_unit_test(broken_file__is_refused_with_its_cause),
        cmocka_unit_test(good_file__cut_or_changed_anywhere_does_no_harm),
        cmocka_unit_test(every_allocation__may_fail),
        cmocka_unit_test(written_file__is_read_back_and_replaces_the_old_one_when_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
