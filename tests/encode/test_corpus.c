/* Data sets: what is left out stays out, and becomes the evaluation's questions. */
#include "support.h"

#include "base/memory.h"
#include "encode/corpus.h"

#include <sys/stat.h>

static const char tasks[] =
    "{\"aa\": {\"train\": [{\"input\": [[1]], \"output\": [[2]]}], \"test\": [{\"input\": [[3]]}]},"
    " \"bb\": {\"train\": [{\"input\": [[4]], \"output\": [[5]]}], \"test\": [{\"input\": [[6]]},"
    " {\"input\": [[7, 7]]}]}}";
static const char answers[] = "{\"aa\": [[[4]]], \"bb\": [[[7]], [[8, 8]]]}";
static const char examples[] = "[{\"input\": [[1]], \"output\": [[2]]}, {\"input\": [[1, 1]], \"output\": [[2]]}]";

/* A Kaggle pair of files and a RE-ARC folder with files for aa and bb. */
static support_path make_data(void) {
    const support_path folder = support_temporary_folder();
    support_write(support_join(folder.text, "my_challenges.json").text, tasks);
    support_write(support_join(folder.text, "my_solutions.json").text, answers);
    const support_path re_arc = support_join(folder.text, "re_arc");
    assert_int_equal(mkdir(re_arc.text, 0700), 0);
    support_write(support_join(re_arc.text, "aa.json").text, examples);
    support_write(support_join(re_arc.text, "bb.json").text, examples);
    support_write(support_join(folder.text, "ids.txt").text, "# comment\n\n  bb  # why\n");
    return folder;
}

static void held_out_ids__are_in_no_store_but_in_the_questions(void **state) {
    const support_path folder = make_data();
    ttt_id_list ids = {0};
    ttt_corpus corpus = {0};
    ttt_sequence sequence = {0};
    ttt_error err = {0};
    const ttt_encoding encoding = ttt_encoding_default();
    bool more;
    (void)state;
    ASSERT_OK(ttt_id_list_read(&ids, support_join(folder.text, "ids.txt").text, &err));
    assert_int_equal(ids.count, 1);
    assert_true(ttt_id_list_has(&ids, "bb") && !ttt_id_list_has(&ids, "aa"));
    ASSERT_OK(ttt_corpus_add(&corpus, support_join(folder.text, "my_challenges.json").text, 0, &ids,
                             (ttt_problem_sink){0}, &err));
    ASSERT_OK(
        ttt_corpus_add(&corpus, support_join(folder.text, "re_arc").text, 2.5, &ids, (ttt_problem_sink){0}, &err));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(corpus.parts[i].store.groups.count, 1);
        assert_string_equal(corpus.parts[i].store.groups.items[0].id, "aa");
        assert_int_equal(corpus.parts[i].store.groups.items[0].count, 2); /* the test's answer is a pair too */
        assert_int_equal(corpus.parts[i].left_out, 1);
    }
    assert_true(corpus.parts[0].weight == 1 && corpus.parts[1].weight == 2.5);
    for (int64_t q = 0; q < 3; q++) {
        ASSERT_OK(ttt_corpus_question(&corpus, q, &encoding, 100, &sequence, &more, &err));
        assert_int_equal(more, q < 2);
        if (!more) break;
        assert_int_equal(sequence.length, q == 0 ? 13 : 15);
        assert_int_equal(ttt_sequence_counted(&sequence), q == 0 ? 2 : 3); /* the question's output alone */
    }
    ASSERT_FAILS(ttt_corpus_question(&corpus, 1, &encoding, 8, &sequence, &more, &err), TTT_ERROR_ARGUMENT, "task bb");
    ttt_sequence_release(&sequence);
    ttt_corpus_release(&corpus);
    ttt_id_list_release(&ids);
    support_remove_folder(folder.text);
}

static void bad_data__is_refused_and_named(void **state) {
    const support_path folder = make_data(), bad = support_join(folder.text, "bad.json");
    ttt_id_list ids = {0};
    ttt_corpus corpus = {0};
    ttt_error err = {0};
    (void)state;
    support_write(bad.text, "{\"x\": 1}");
    ASSERT_FAILS(ttt_corpus_add(&corpus, bad.text, 0, &ids, (ttt_problem_sink){0}, &err), TTT_ERROR_FORMAT, "bad.json");
    ASSERT_FAILS(ttt_corpus_add(&corpus, support_join(folder.text, "none").text, 0, &ids, (ttt_problem_sink){0}, &err),
                 TTT_ERROR_IO, "none");
    assert_int_equal(corpus.part_count, 0);
    support_write(bad.text, "aa\nbb cc\n");
    ASSERT_FAILS(ttt_id_list_read(&ids, bad.text, &err), TTT_ERROR_FORMAT, "line 2");
    assert_int_equal(ids.count, 0);
    ttt_corpus_release(&corpus);
    support_remove_folder(folder.text);
}

static ttt_status read_all(const char *folder, ttt_corpus *corpus, ttt_id_list *ids, ttt_sequence *sequence,
                           ttt_error *err) {
    const ttt_encoding encoding = ttt_encoding_default();
    bool more;
    TTT_TRY(ttt_id_list_read(ids, support_join(folder, "ids.txt").text, err));
    TTT_TRY(
        ttt_corpus_add(corpus, support_join(folder, "my_challenges.json").text, 0, ids, (ttt_problem_sink){0}, err));
    TTT_TRY(ttt_corpus_add(corpus, support_join(folder, "re_arc").text, 0, ids, (ttt_problem_sink){0}, err));
    return ttt_corpus_question(corpus, 0, &encoding, 100, sequence, &more, err);
}

static void every_failing_allocation__is_an_error_and_leaks_nothing(void **state) {
    const support_path folder = make_data();
    bool failed = true;
    (void)state;
    for (size_t n = 1; failed; n++) {
        ttt_id_list ids = {0};
        ttt_corpus corpus = {0};
        ttt_sequence sequence = {0};
        ttt_error err = {0};
        ttt_memory_fail_at(n);
        const ttt_status status = read_all(folder.text, &corpus, &ids, &sequence, &err);
        ttt_memory_fail_at(0);
        failed = status != TTT_OK;
        assert_true(!failed || (status == TTT_ERROR_MEMORY && err.message[0]));
        assert_true(failed || n > 10);
        ttt_sequence_release(&sequence);
        ttt_corpus_release(&corpus);
        ttt_id_list_release(&ids);
    }
    support_remove_folder(folder.text);
}

/* The committed list against the real sets: forty training tasks, each of them found. */
static void committed_list__names_tasks_of_the_training_set(void **state) {
    const support_path data = support_data("data/arc-agi-1/training_challenges.json");
    ttt_id_list ids = {0};
    ttt_corpus corpus = {0};
    ttt_error err = {0};
    (void)state;
    ASSERT_OK(ttt_id_list_read(&ids, support_source("models/arc-grid/held_out.txt").text, &err));
    ASSERT_OK(ttt_corpus_add(&corpus, data.text, 0, &ids, (ttt_problem_sink){0}, &err));
    assert_int_equal(ids.count, 40);
    assert_int_equal(corpus.held_out.count, 40);
    assert_int_equal(corpus.parts[0].store.groups.count, 360);
    for (size_t i = 0; i < corpus.held_out.count; i++)
        for (size_t t = 0; t < corpus.held_out.items[i].test_count; t++)
            assert_true(corpus.held_out.items[i].tests[t].known); /* the solutions beside were found */
    ttt_corpus_release(&corpus);
    ttt_id_list_release(&ids);
}

/* --- Twins: the same pair up to one of the eight symmetries and a renaming of the colours ------------------------ */

static uint64_t hash_renamed(const ttt_pair *pair, ttt_symmetry symmetry) {
    uint64_t hash = TTT_HASH_START;
    uint8_t names[TTT_COLOURS], next = 1;
    memset(names, 0, sizeof names);
    for (int side = 0; side < 2; side++) {
        ttt_grid turned;
        ttt_symmetry_apply(symmetry, side ? &pair->output : &pair->input, &turned);
        for (int c = 0; c < ttt_grid_area(&turned); c++) {
            uint8_t *name = &names[turned.cells[c]];
            if (*name == 0) *name = next++;
            turned.cells[c] = (uint8_t)(*name - 1);
        }
        hash = ttt_grid_hash(hash, &turned);
    }
    return hash;
}

static uint64_t hash_canonical(const ttt_pair *pair) {
    uint64_t least = UINT64_MAX;
    for (ttt_symmetry s = 0; s < TTT_SYMMETRIES; s++) {
        const uint64_t hash = hash_renamed(pair, s);
        if (hash < least) least = hash;
    }
    return least;
}

static int by_value(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void canonical_hash__finds_twins(void **state) {
    ttt_pair pair = {ttt_grid_filled(2, 3, 0), ttt_grid_filled(1, 2, 4)}, twin, other;
    const ttt_colours colours = {{3, 0, 1, 2, 9, 5, 6, 7, 8, 4}};
    (void)state;
    pair.input.cells[1] = 7;
    ttt_symmetry_apply(6, &pair.input, &twin.input);
    ttt_symmetry_apply(6, &pair.output, &twin.output);
    ttt_colours_apply_pair(&colours, &twin, &twin);
    assert_true(hash_canonical(&pair) == hash_canonical(&twin));
    other = pair;
    other.output.cells[0] = 7;
    assert_true(hash_canonical(&pair) != hash_canonical(&other));
}

/* No pair of a held-out task may be trained on under another id. */
static void held_out_tasks__have_no_twins_in_training(void **state) {
    static const char *const sets[] = {"data/arc-agi-1/training_challenges.json",
                                       "data/arc-agi-2/training_new_challenges.json",
                                       "data/concept-arc/challenges.json"};
    enum { MOST = 2000 };
    static uint64_t held_out[MOST];
    ttt_id_list ids = {0};
    ttt_corpus corpus = {0};
    ttt_error err = {0};
    size_t count = 0, compared = 0;
    support_path paths[3];
    (void)state;
    for (int i = 0; i < 3; i++) paths[i] = support_data(sets[i]); /* first: may skip */
    ASSERT_OK(ttt_id_list_read(&ids, support_source("models/arc-grid/held_out.txt").text, &err));
    for (int i = 0; i < 3; i++) ASSERT_OK(ttt_corpus_add(&corpus, paths[i].text, 0, &ids, (ttt_problem_sink){0}, &err));
    for (size_t i = 0; i < corpus.held_out.count; i++) {
        const ttt_task *task = &corpus.held_out.items[i];
        assert_true(count + task->demonstration_count + task->test_count <= MOST);
        for (size_t d = 0; d < task->demonstration_count; d++)
            held_out[count++] = hash_canonical(&task->demonstrations[d]);
        for (size_t t = 0; t < task->test_count; t++)
            held_out[count++] = hash_canonical(&(ttt_pair){task->tests[t].input, task->tests[t].output});
    }
    qsort(held_out, count, sizeof *held_out, by_value);
    for (size_t p = 0; p < corpus.part_count; p++)
        for (size_t i = 0; i < corpus.parts[p].store.starts.count; i++, compared++) {
            ttt_pair pair;
            ttt_pair_store_get(&corpus.parts[p].store, i, &pair);
            const uint64_t hash = hash_canonical(&pair);
            assert_null(bsearch(&hash, held_out, count, sizeof *held_out, by_value));
        }
    assert_true(count > 100 && compared > 3000);
    ttt_corpus_release(&corpus);
    ttt_id_list_release(&ids);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(held_out_ids__are_in_no_store_but_in_the_questions),
        cmocka_unit_test(bad_data__is_refused_and_named),
        cmocka_unit_test(every_failing_allocation__is_an_error_and_leaks_nothing),
        cmocka_unit_test(committed_list__names_tasks_of_the_training_set),
        cmocka_unit_test(canonical_hash__finds_twins),
        cmocka_unit_test(held_out_tasks__have_no_twins_in_training),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
