/* Files: reads, maps, atomic replacement with every failure that can be provoked, folders. */
#include "support.h"

#include "base/file.h"
#include "base/memory.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static support_path folder;

static int make_folder(void **state) {
    (void)state;
    folder = support_temporary_folder();
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    support_remove_folder(folder.text);
    return 0;
}

static void assert_content(const char *path, const char *wanted) {
    ttt_error err = {0};
    char *data;
    size_t bytes;
    ASSERT_OK(ttt_file_read(path, 1000000, &data, &bytes, &err));
    assert_int_equal(bytes, strlen(wanted));
    assert_string_equal(data, wanted);
    ttt_free(data);
}

/* Nothing but `count` visible files may be there: temporary ones are found too. */
static void assert_file_count(size_t count) {
    ttt_error err = {0};
    ttt_folder_list list;
    ASSERT_OK(ttt_folder_list_read(&list, folder.text, "", &err));
    assert_int_equal(list.count, count);
    ttt_folder_list_free(&list);
}

static void read__gives_content_and_a_final_nul(void **state) {
    (void)state;
    ttt_error err = {0};
    support_path path = support_join(folder.text, "a");
    ASSERT_OK(ttt_file_write_atomically(path.text, "a\0b", 3, &err));
    char *data;
    size_t bytes;
    ASSERT_OK(ttt_file_read(path.text, 3, &data, &bytes, &err));
    assert_int_equal(bytes, 3);
    assert_memory_equal(data, "a\0b", 4);
    ttt_free(data);
}

static void read__refuses_what_is_no_file_or_too_large(void **state) {
    (void)state;
    ttt_error err = {0};
    char *data;
    size_t bytes;
    support_path path = support_join(folder.text, "a"), missing = support_join(folder.text, "missing");
    support_write(path.text, "four");
    ASSERT_FAILS(ttt_file_read(missing.text, 100, &data, &bytes, &err), TTT_ERROR_IO, "missing': No such file");
    ASSERT_FAILS(ttt_file_read(folder.text, 100, &data, &bytes, &err), TTT_ERROR_IO, "it is a folder");
    ASSERT_FAILS(ttt_file_read("/dev/zero", 100, &data, &bytes, &err), TTT_ERROR_IO, "not a regular file");
    ASSERT_FAILS(ttt_file_read(path.text, 3, &data, &bytes, &err), TTT_ERROR_FORMAT, "4 bytes, at most 3");
    assert_null(data);
    assert_int_equal(mkfifo(missing.text, 0600), 0); /* must not wait for a writer */
    ASSERT_FAILS(ttt_file_read(missing.text, 100, &data, &bytes, &err), TTT_ERROR_IO, "not a regular file");
}

static void write__replaces_and_leaves_nothing_behind(void **state) {
    (void)state;
    ttt_error err = {0};
    support_path path = support_join(folder.text, "a");
    ASSERT_OK(ttt_file_write_atomically(path.text, "old", 3, &err));
    assert_int_equal(chmod(path.text, 0640), 0);
    ASSERT_OK(ttt_file_write_atomically(path.text, "new!", 4, &err));
    assert_content(path.text, "new!");
    struct stat info;
    assert_int_equal(stat(path.text, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
    ASSERT_OK(ttt_file_write_atomically(path.text, "", 0, &err));
    assert_content(path.text, "");
    assert_file_count(1);
}

static void write__never_shows_a_reader_a_part(void **state) {
    (void)state;
    ttt_error err = {0};
    support_path path = support_join(folder.text, "a");
    support_write(path.text, "old");
    FILE *reader = fopen(path.text, "r"); /* whoever has the old file open keeps it whole */
    ASSERT_OK(ttt_file_write_atomically(path.text, "new", 3, &err));
    char text[4] = {0};
    assert_int_equal(fread(text, 1, 3, reader), 3);
    fclose(reader);
    assert_string_equal(text, "old");
}

static void write__follows_a_symbolic_link(void **state) {
    (void)state;
    ttt_error err = {0};
    support_path path = support_join(folder.text, "a"), link = support_join(folder.text, "link");
    support_write(path.text, "old");
    assert_int_equal(symlink("a", link.text), 0);
    ASSERT_OK(ttt_file_write_atomically(link.text, "new", 3, &err));
    assert_content(path.text, "new");
    struct stat info;
    assert_int_equal(lstat(link.text, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
}

/* A file renamed over a device or a pipe would take its place for good. */
static void write__goes_into_a_pipe_and_leaves_it_one(void **state) {
    (void)state;
    ttt_error err = {0};
    support_path path = support_join(folder.text, "pipe");
    assert_int_equal(mkfifo(path.text, 0600), 0);
    int reader = open(path.text, O_RDONLY | O_NONBLOCK);
    assert_true(reader >= 0);
    ASSERT_OK(ttt_file_write_atomically(path.text, "text", 4, &err));
    char text[8] = {0};
    assert_int_equal(read(reader, text, sizeof text), 4);
    close(reader);
    assert_string_equal(text, "text");
    struct stat info;
    assert_int_equal(lstat(path.text, &info), 0);
    assert_true(S_ISFIFO(info.st_mode));
    assert_file_count(1);
}

static void write__names_path_and_reason_when_it_cannot(void **state) {
    (void)state;
    ttt_error err = {0};
    support_path path = support_join(folder.text, "none/a");
    ASSERT_FAILS(ttt_file_write_atomically(path.text, "x", 1, &err), TTT_ERROR_IO, "none/a': No such file");
    ASSERT_FAILS(ttt_file_write_atomically(folder.text, "x", 1, &err), TTT_ERROR_IO, "it is a folder");
    ASSERT_FAILS(ttt_file_write_atomically("/dev/full", "x", 1, &err), TTT_ERROR_IO,
                 "cannot write '/dev/full': No space left on device");
    assert_file_count(0);
}

/* A full disk in the middle of the temporary file, played by a limit on the size of files. */
static void write__keeps_the_old_file_when_the_disk_fills(void **state) {
    (void)state;
    ttt_error err = {0};
    support_path path = support_join(folder.text, "a");
    support_write(path.text, "old");
    static const char large[100000];
    struct rlimit old_limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
    const struct rlimit limit = {.rlim_cur = 4096, .rlim_max = old_limit.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ttt_status status = ttt_file_write_atomically(path.text, large, sizeof large, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
    signal(SIGXFSZ, SIG_DFL);
    ASSERT_FAILS(status, TTT_ERROR_IO, "File too large");
    assert_non_null(strstr(err.message, path.text));
    assert_content(path.text, "old");
    assert_file_count(1);
}

static void map__shows_the_file_and_refuses_others(void **state) {
    (void)state;
    ttt_error err = {0};
    support_path path = support_join(folder.text, "a");
    ttt_file_map map;
    ASSERT_FAILS(ttt_file_map_open(&map, path.text, &err), TTT_ERROR_IO, "No such file");
    ttt_file_map_close(&map); /* after a failure: harmless */
    ASSERT_FAILS(ttt_file_map_open(&map, folder.text, &err), TTT_ERROR_IO, "it is a folder");
    support_write(path.text, "weights");
    ASSERT_OK(ttt_file_map_open(&map, path.text, &err));
    assert_int_equal(map.bytes, 7);
    assert_memory_equal(map.data, "weights", 7);
    ttt_file_map_close(&map);
    assert_null(map.data);
    support_write(path.text, "");
    ASSERT_OK(ttt_file_map_open(&map, path.text, &err));
    assert_int_equal(map.bytes, 0);
    assert_non_null(map.data);
    ttt_file_map_close(&map);
}

/* Memory of this process that shows files, in bytes. */
static size_t file_bytes_in_memory(void) {
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    size_t size, resident, shown;
    assert_int_equal(fscanf(file, "%zu %zu %zu", &size, &resident, &shown), 3);
    fclose(file);
    return shown * (size_t)sysconf(_SC_PAGESIZE);
}

/* From the middle of one page to the middle of another: those two stay. */
static void map_forget__gives_memory_back_and_keeps_the_content(void **state) {
    (void)state;
    ttt_error err = {0};
    enum { BYTES = 16 << 20, ODD = 1000 };
    support_path path = support_join(folder.text, "a");
    uint8_t *wanted = ttt_allocate(BYTES, 1);
    for (size_t i = 0; i < BYTES; i++) wanted[i] = (uint8_t)(i * 31 >> 5);
    ASSERT_OK(ttt_file_write_atomically(path.text, wanted, BYTES, &err));
    ttt_file_map map;
    ASSERT_OK(ttt_file_map_open(&map, path.text, &err));
    assert_memory_equal(map.data, wanted, BYTES);
    const size_t before = file_bytes_in_memory();
    ttt_file_map_forget(map.data + ODD, BYTES - 2 * ODD);
    const size_t after = file_bytes_in_memory();
    assert_true(before > after + BYTES * 9 / 10);
    assert_memory_equal(map.data, wanted, BYTES);
    ttt_file_map_forget(map.data + ODD, 10); /* no whole page */
    ttt_file_map_forget(map.data, 0);
    assert_memory_equal(map.data, wanted, BYTES);
    ttt_file_map_close(&map);
    ttt_free(wanted);
}

static void folder_make__makes_parents_and_accepts_existing(void **state) {
    (void)state;
    ttt_error err = {0};
    support_path path = support_join(folder.text, "x//y/z/");
    ASSERT_OK(ttt_folder_make(path.text, &err));
    ASSERT_OK(ttt_folder_make(path.text, &err));
    assert_true(ttt_file_is_folder(path.text));
    ASSERT_OK(ttt_folder_make("/", &err));
    support_path file = support_join(folder.text, "file"), below = support_join(folder.text, "file/below");
    support_write(file.text, "");
    assert_true(ttt_file_exists(file.text));
    assert_false(ttt_file_is_folder(file.text));
    assert_false(ttt_file_exists(below.text));
    ASSERT_FAILS(ttt_folder_make(file.text, &err), TTT_ERROR_IO, "File exists");
    ASSERT_FAILS(ttt_folder_make(below.text, &err), TTT_ERROR_IO, "cannot make folder");
    ASSERT_FAILS(ttt_folder_make("", &err), TTT_ERROR_IO, "cannot make folder ''");
}

static void folder_list__is_sorted_filtered_and_without_hidden(void **state) {
    (void)state;
    ttt_error err = {0};
    static const char *const names[] = {"b.json", "a.json", "B.json", "c.txt", ".hidden.json", "json", "a.json.tmp"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        support_write(support_join(folder.text, names[i]).text, "");
    }
    ttt_folder_list list;
    ASSERT_OK(ttt_folder_list_read(&list, folder.text, ".json", &err));
    assert_int_equal(list.count, 3);
    assert_string_equal(list.names[0], "B.json");
    assert_string_equal(list.names[1], "a.json");
    assert_string_equal(list.names[2], "b.json");
    ttt_folder_list_free(&list);
    support_path missing = support_join(folder.text, "missing");
    ASSERT_FAILS(ttt_folder_list_read(&list, missing.text, "", &err), TTT_ERROR_IO, "cannot list folder");
    assert_int_equal(list.count, 0);
}

static void path_join__puts_one_slash(void **state) {
    (void)state;
    static const char *const cases[][3] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"/", "b", "/b"}, {"", "b", "b"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *path = ttt_path_join(cases[i][0], cases[i][1]);
        assert_string_equal(path, cases[i][2]);
        ttt_free(path);
    }
}

/* Everything above that allocates, with each allocation failing in turn. */
static void every_allocation__may_fail(void **state) {
    (void)state;
    ttt_error err = {0};
    support_path path = support_join(folder.text, "a"), deep = support_join(folder.text, "d/e");
    bool done = false;
    size_t failures = 0;
    for (size_t n = 1; !done; n++) {
        char *data = NULL;
        size_t bytes;
        ttt_folder_list list = {0};
        ttt_status status = TTT_OK;
        ttt_memory_fail_at(n);
        size_t before = ttt_memory_allocation_count();
        TTT_TRY_OUT(ttt_file_write_atomically(path.text, "text", 4, &err));
        TTT_TRY_OUT(ttt_file_read(path.text, 100, &data, &bytes, &err));
        TTT_TRY_OUT(ttt_folder_make(deep.text, &err));
        TTT_TRY_OUT(ttt_folder_list_read(&list, folder.text, "", &err));
    out:
        ttt_free(data);
        ttt_folder_list_free(&list);
        done = ttt_memory_allocation_count() - before < n;
        assert_int_equal(status, done ? TTT_OK : TTT_ERROR_MEMORY);
        failures += !done;
        ttt_memory_fail_at(0);
    }
    assert_true(failures >= 6);
    assert_file_count(2);
    ttt_memory_fail_at(1);
    assert_null(ttt_path_join("a", "b"));
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(read__gives_content_and_a_final_nul),
        WITH_FOLDER(read__refuses_what_is_no_file_or_too_large),
        WITH_FOLDER(write__replaces_and_leaves_nothing_behind),
        WITH_FOLDER(write__never_shows_a_reader_a_part),
        WITH_FOLDER(write__follows_a_symbolic_link),
        WITH_FOLDER(write__goes_into_a_pipe_and_leaves_it_one),
        WITH_FOLDER(write__names_path_and_reason_when_it_cannot),
        WITH_FOLDER(write__keeps_the_old_file_when_the_disk_fills),
        WITH_FOLDER(map__shows_the_file_and_refuses_others),
        WITH_FOLDER(map_forget__gives_memory_back_and_keeps_the_content),
        WITH_FOLDER(folder_make__makes_parents_and_accepts_existing),
        WITH_FOLDER(folder_list__is_sorted_filtered_and_without_hidden),
        cmocka_unit_test(path_join__puts_one_slash),
        WITH_FOLDER(every_allocation__may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
