/* Example pairs: streamed from RE-ARC-like files, kept small in a store. */
#include "grids.h"

#include "arc/pair_store.h"
#include "base/memory.h"
#include "base/random.h"

#include <sys/stat.h>

static const ttt_problem_sink strict = {0};

static void store__gives_back_every_pair(void **state) {
    (void)state;
    ttt_random random = ttt_random_stream(1, "", "test");
    ttt_pair_store store = {0};
    enum { PAIRS = 60 };
    static ttt_pair pairs[PAIRS];
    ttt_error err;
    for (int i = 0; i < PAIRS; i++)
        for (int side = 0; side < 2; side++) {
            ttt_grid *grid = side ? &pairs[i].output : &pairs[i].input;
            const int least = i == 0 ? 30 : 1; /* the largest pair there can be comes first */
            *grid = ttt_grid_filled(least + (int)ttt_random_below(&random, (uint32_t)(31 - least)),
                                    least + (int)ttt_random_below(&random, (uint32_t)(31 - least)), 0);
            for (int c = 0; c < ttt_grid_area(grid); c++) grid->cells[c] = (uint8_t)ttt_random_below(&random, 10);
        }
    ASSERT_OK(ttt_pair_store_add(&store, "first", pairs, 20, &err));
    ASSERT_OK(ttt_pair_store_add(&store, "second", pairs + 20, 40, &err));
    assert_int_equal(store.groups.count, 2);
    assert_int_equal(ttt_pair_store_find(&store, "second")->first, 20);
    assert_int_equal(ttt_pair_store_find(&store, "second")->count, 40);
    assert_null(ttt_pair_store_find(&store, "third"));
    for (size_t i = 0; i < PAIRS; i++) {
        ttt_pair back;
        ttt_pair_store_get(&store, i, &back);
        assert_true(ttt_pair_equal(&back, &pairs[i]));
    }
    ttt_pair_store_release(&store);
}

static void store__a_failed_addition_changes_nothing(void **state) {
    (void)state;
    static ttt_pair pairs[40];
    ttt_pair_store store = {0};
    ttt_error err;
    for (int i = 0; i < 40; i++) pairs[i] = (ttt_pair){ttt_grid_filled(30, 30, 3), ttt_grid_filled(1, 1, 4)};
    ASSERT_OK(ttt_pair_store_add(&store, "first", pairs, 1, &err));
    ttt_status status;
    size_t n = 0;
    do {
        ttt_memory_fail_at(++n);
        status = ttt_pair_store_add(&store, "second", pairs, 40, &err);
        ttt_memory_fail_at(0);
        if (status == TTT_OK) break;
        assert_int_equal(store.groups.count, 1);
        assert_int_equal(store.starts.count, 1);
        ASSERT_OK(ttt_pair_store_add(&store, "small", pairs, 1, &err)); /* still usable */
        store.groups.count--;
        ttt_free(store.groups.items[1].id);
        store.starts.count--;
    } while (status != TTT_OK);
    assert_true(n > 2);
    ttt_pair_store_release(&store);
}

static ttt_status keep(void *context, const char *id, const ttt_pair *pairs, size_t count, ttt_error *err) {
    return ttt_pair_store_add(context, id, pairs, count, err);
}

/* The quick scanner and the parser must understand the same files in the same way. */
static void pairs__extra_members_and_blanks_change_nothing(void **state) {
    (void)state;
    static const char *const texts[] = {
        "[{\"input\": [[1, 2], [3, 4]], \"output\": [[5]]}, {\"input\": [[0]], \"output\": [[9]]}]",
        "[{\"input\":[[1,2],[3,4]],\"output\":[[5]]},{\"input\":[[0]],\"output\":[[9]]}]\n",
        (" [ { \"input\" : [ [ 1 , 2 ] ,\n[ 3 , 4 ] ] , \"output\" : [ [ 5 ] ] } ,\t"
         "{ \"input\":[[0]],\"output\":[[9]]} ] "),
        "[{\"output\": [[5]], \"input\": [[1, 2], [3, 4]]}, {\"input\": [[0]], \"output\": [[9]]}]",
        "[{\"input\": [[1, 2], [3, 4]], \"output\": [[5]], \"seed\": 10}, {\"input\": [[0]], \"output\": [[9]]}]",
    };
    const support_path folder = support_temporary_folder(), path = support_join(folder.text, "abc.json");
    ttt_error err;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ttt_pair_store store = {0};
        ttt_pair pair;
        support_write(path.text, texts[i]);
        ASSERT_OK(ttt_pairs_read(path.text, keep, &store, strict, &err));
        assert_int_equal(store.groups.count, 1);
        assert_string_equal(store.groups.items[0].id, "abc");
        assert_int_equal(store.groups.items[0].count, 2);
        ttt_pair_store_get(&store, 0, &pair);
        ASSERT_GRID(&pair.input, "12/34");
        ASSERT_GRID(&pair.output, "5");
        ttt_pair_store_get(&store, 1, &pair);
        ASSERT_GRID(&pair.output, "9");
        ttt_pair_store_release(&store);
    }
    support_remove_folder(folder.text);
}

static ttt_status refuse_second(void *context, const char *id, const ttt_pair *pairs, size_t count, ttt_error *err) {
    (void)id, (void)pairs, (void)count;
    return ++*(int *)context == 2 ? ttt_fail(err, TTT_ERROR_FORMAT, "the visitor has had enough") : TTT_OK;
}

static void ignore(void *context, const ttt_error *problem) {
    (void)problem;
    ++*(int *)context;
}

static void pairs__the_visitor_ends_the_reading_and_its_failure_is_no_problem(void **state) {
    (void)state;
    const support_path folder = support_temporary_folder(), tasks = support_join(folder.text, "tasks");
    ttt_error err;
    int visits = 0, problems = 0;
    ASSERT_OK(ttt_pairs_read(support_source("tests/bad/arc/pairs").text, refuse_second, &visits,
                             (ttt_problem_sink){ignore, &problems}, &err));
    assert_int_equal(visits, 0);
    assert_int_equal(problems, 10); /* every file there is bad */
    /* RE-ARC's layout: a folder `tasks` beside metadata.json. */
    support_write(support_join(folder.text, "metadata.json").text, "{}");
    assert_int_equal(mkdir(tasks.text, 0700), 0);
    for (int i = 0; i < 3; i++) {
        char name[] = "0.json";
        name[0] = (char)('0' + i);
        support_write(support_join(tasks.text, name).text, "[{\"input\": [[1]], \"output\": [[2]]}]");
    }
    problems = 0;
    ASSERT_FAILS(ttt_pairs_read(folder.text, refuse_second, &visits, (ttt_problem_sink){ignore, &problems}, &err),
                 TTT_ERROR_FORMAT, "the visitor has had enough");
    assert_int_equal(visits, 2);
    assert_int_equal(problems, 0);
    support_remove_folder(folder.text);
}

static void re_arc__the_archive_is_read_whole(void **state) {
    (void)state;
    const support_path path = support_data("data/re-arc/re_arc.tar.zst");
    ttt_pair_store store = {0};
    ttt_error err;
    ASSERT_OK(ttt_pairs_read(path.text, keep, &store, strict, &err));
    assert_int_equal(store.groups.count, 400);
    assert_int_equal(store.starts.count, 382827);
    ttt_pair_store_release(&store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(store__gives_back_every_pair),
        cmocka_unit_test(store__a_failed_addition_changes_nothing),
        cmocka_unit_test(pairs__extra_members_and_blanks_change_nothing),
        cmocka_unit_test(pairs__the_visitor_ends_the_reading_and_its_failure_is_no_problem),
        cmocka_unit_test(re_arc__the_archive_is_read_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
