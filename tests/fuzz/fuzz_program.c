/* Fuzzing of the reader of induced programs (scripts/fuzz). What is accepted must be valid, must print to a text that
 * is read as the same program, and must run to a legal grid or to none. */
#include "base/memory.h"
#include "induce/program.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void require(bool condition) {
    if (!condition) abort();
}

/* Objects, symmetry and several colours, so that many operations have something to work on. */
static const ttt_grid input = {.height = 5, .width = 6, .cells = {0, 1, 1, 0, 0, 2, 0, 1, 0, 0, 2, 2, 0, 0, 0,
                                                                  0, 0, 0, 3, 3, 3, 0, 4, 0, 3, 0, 3, 0, 0, 0}};

static void run(const ttt_program *program, ttt_grid *output, bool *defined) {
    ttt_error err;
    require(ttt_program_run(program, &input, output, defined, &err) == TTT_OK);
    if (!*defined) return;
    require(output->height >= 1 && output->height <= TTT_GRID_MAX && output->width >= 1 &&
            output->width <= TTT_GRID_MAX);
    for (int i = 0; i < ttt_grid_area(output); i++) require(output->cells[i] < TTT_COLOURS);
}

static void check(const ttt_program *program) {
    ttt_program again;
    ttt_grid first, second;
    bool defined, defined_again;
    char *text, *text_again;
    ttt_error err;
    require(ttt_program_valid(program));
    require(ttt_program_print(program, &text, &err) == TTT_OK);
    require(ttt_program_parse(text, "printed", &again, &err) == TTT_OK);
    require(ttt_program_print(&again, &text_again, &err) == TTT_OK);
    require(strcmp(text, text_again) == 0);
    run(program, &first, &defined);
    run(&again, &second, &defined_again);
    require(defined == defined_again && (!defined || ttt_grid_equal(&first, &second)));
    ttt_program_release(&again);
    ttt_free(text);
    ttt_free(text_again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    ttt_program program;
    ttt_error err;
    char *text = ttt_allocate(bytes + 1, 1);
    require(text != NULL);
    if (bytes > 0) memcpy(text, data, bytes);
    if (ttt_program_parse(text, "fuzz", &program, &err) == TTT_OK) {
        check(&program);
        ttt_program_release(&program);
    }
    ttt_free(text);
    return 0;
}
