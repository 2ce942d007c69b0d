/* `ttt bench` as a user runs it: that every number is there, not what it is. */
#include "support.h"

#include "cli/program.h"

static void assert_positive(const json_t *object, const char *name) {
    const double value = json_number_value(json_object_get(object, name));
    if (!(value > 0)) fail_msg("\"%s\" is %g", name, value);
}

static void assert_ceilings(const json_t *ceilings) {
    static const char *const names[] = {"registers", "level1", "level2", "memory"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) assert_positive(ceilings, names[i]);
}

static void assert_figures(const json_t *figures) {
    static const char *const names[] = {"train_adapter", "train_full", "read", "write_one", "write_many"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const json_t *figure = json_object_get(figures, names[i]);
        assert_positive(figure, "tokens_per_second");
        assert_positive(figure, "operations_per_second");
        assert_positive(figure, "share");
        if (i >= 3) assert_positive(figure, "bytes_per_second");
    }
}

static void bench__measures_the_bundled_model(void **state) {
    (void)state;
    const char *const words[] = {"bench",     "--tokens", "40",        "--answers", "3",      "--rank", "2",
                                 "--seconds", "0.001",    "--threads", "2",         "--json", NULL};
    json_t *result;
    program_run(words, &result);
    const json_t *measured = json_object_get(result, "measured"), *column = json_array_get(measured, 0);
    assert_int_equal(json_array_size(measured), 1);
    assert_int_equal(json_integer_value(json_object_get(column, "threads")), 2);
    assert_int_equal(json_integer_value(json_object_get(result, "tokens")), 40);
    assert_positive(result, "parameters");
    assert_ceilings(json_object_get(column, "ceilings"));
    assert_figures(json_object_get(column, "figures"));
    json_decref(result);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bench__measures_the_bundled_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
