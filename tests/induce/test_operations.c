/* The operations of the language, by the examples in tests/induce/operations*.txt. */
#include "support.h"

#include "base/file.h"
#include "induce/program.h"

/* One file of examples, read line by line. */
typedef struct example_file {
    const char *name;
    char *at;
    int line;
} example_file;

typedef struct example {
    char expression[512];
    int line; /* of the expression */
    ttt_grid input, output;
} example;

/* The next line without its end, which is overwritten; NULL at the end of the file. */
static char *next_line(example_file *file) {
    if (*file->at == '\0') return NULL;
    char *line = file->at, *end = strchr(line, '\n');
    file->line++;
    file->at = end == NULL ? line + strlen(line) : end + 1;
    if (end != NULL) *end = '\0';
    return line;
}

/* Rows up to an empty line, "->", or the end. */
static void read_rows(example_file *file, bool input, ttt_grid *grid) {
    char *line;
    *grid = (ttt_grid){0};
    while ((line = next_line(file)) != NULL && *line != '\0' && strcmp(line, "->") != 0) {
        const size_t width = strlen(line);
        if (grid->height == 0) grid->width = (uint8_t)(width <= TTT_GRID_MAX ? width : 0);
        if (width != grid->width || grid->height == TTT_GRID_MAX || strspn(line, ".0123456789") != width) {
            fail_msg("%s:%d: found '%s', expected a row of %d cells, '.' or 0 to 9", file->name, file->line, line,
                     grid->width);
        }
        for (size_t c = 0; c < width; c++) {
            ttt_grid_set(grid, grid->height, (int)c, (uint8_t)(line[c] == '.' ? 0 : line[c] - '0'));
        }
        grid->height++;
    }
    if (grid->height == 0 || input != (line != NULL && strcmp(line, "->") == 0)) {
        fail_msg("%s:%d: expected rows of a grid, then %s", file->name, file->line, input ? "'->'" : "an empty line");
    }
}

static bool next_example(example_file *file, example *one) {
    char *line;
    do {
        line = next_line(file);
    } while (line != NULL && (*line == '\0' || *line == '#'));
    if (line == NULL) return false;
    snprintf(one->expression, sizeof one->expression, "%s", line);
    one->line = file->line;
    read_rows(file, true, &one->input);
    read_rows(file, false, &one->output);
    return true;
}

static void print_grid(const char *title, const ttt_grid *grid) {
    print_message("%s\n", title);
    for (int r = 0; r < grid->height; r++) {
        for (int c = 0; c < grid->width; c++) {
            const int cell = ttt_grid_at(grid, r, c);
            print_message("%c", cell == 0 ? '.' : '0' + cell);
        }
        print_message("\n");
    }
}

/* Runs one example, marks its operations as seen, and says what is wrong. */
static bool example_holds(const char *file, const example *one, bool *seen) {
    ttt_program program;
    ttt_grid output;
    ttt_error err = {0};
    bool defined, needed[TTT_NODES_MAX];
    char text[600], place[200];
    snprintf(text, sizeof text, "output = %s\n", one->expression);
    snprintf(place, sizeof place, "%s:%d", file, one->line);
    if (ttt_program_parse(text, place, &program, &err) != TTT_OK) {
        print_message("%s\n", err.message);
        return false;
    }
    ttt_program_needed(&program, needed);
    for (size_t i = 0; i < program.node_count; i++) {
        if (needed[i] && program.nodes[i].kind == TTT_NODE_APPLY) seen[program.nodes[i].operation] = true;
    }
    ASSERT_OK(ttt_program_run(&program, &one->input, &output, &defined, &err));
    ttt_program_release(&program);
    if (defined && ttt_grid_equal(&output, &one->output)) return true;
    print_message("%s: %s\n", place, one->expression);
    print_grid("of", &one->input);
    if (defined) print_grid("is", &output);
    print_grid(defined ? "instead of" : "is undefined instead of", &one->output);
    return false;
}

static int examples_wrong(const char *name, bool *seen) {
    support_path path = support_join(support_source("tests/induce").text, name);
    ttt_error err = {0};
    char *text;
    size_t bytes;
    ASSERT_OK(ttt_file_read(path.text, 1 << 20, &text, &bytes, &err));
    example_file file = {.name = name, .at = text};
    example one;
    int wrong = 0;
    while (next_example(&file, &one)) wrong += !example_holds(name, &one, seen);
    ttt_free(text);
    return wrong;
}

/* What all files say together; read once, before the tests. */
typedef struct outcome {
    int wrong;
    bool seen[TTT_OPERATION_COUNT];
} outcome;

static int run_examples(void **state) {
    static outcome all;
    ttt_folder_list list;
    ttt_error err = {0};
    *state = &all;
    ASSERT_OK(ttt_folder_list_read(&list, support_source("tests/induce").text, ".txt", &err));
    for (size_t i = 0; i < list.count; i++) {
        if (strncmp(list.names[i], "operations", strlen("operations")) == 0) {
            all.wrong += examples_wrong(list.names[i], all.seen);
        }
    }
    ttt_folder_list_free(&list);
    return 0;
}

static void operations__do_what_their_examples_show(void **state) {
    const outcome *all = *state;
    assert_int_equal(all->wrong, 0);
}

static void operations__have_an_example_each(void **state) {
    const outcome *all = *state;
    int missing = 0;
    for (int i = 0; i < TTT_OPERATION_COUNT; i++) {
        if (all->seen[i]) continue;
        print_message("no example of '%s' in tests/induce/operations*.txt\n", ttt_operations[i].name);
        missing++;
    }
    assert_int_equal(missing, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations__do_what_their_examples_show),
        cmocka_unit_test(operations__have_an_example_each),
    };
    return cmocka_run_group_tests(tests, run_examples, NULL);
}
