/* Speed of the cage: ordinary programs a minute, on three demonstrations of 10 x 10 cells.
 *
 *     cage [--programs N] [--workers W]      W: side by side, one a core if not given */
#include "induce/cage.h"
#include "base/clock.h"
#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUTS = 3, SIDE = 10 };

static const char *const kinds[] = {
    /* one numpy expression */
    "import numpy as np\n"
    "def transform(input_grid):\n"
    "    return np.rot90(input_grid)\n",
    /* loops over cells */
    "import numpy as np\n"
    "def transform(input_grid):\n"
    "    output = np.zeros(input_grid.shape, int)\n"
    "    for r in range(input_grid.shape[0]):\n"
    "        for c in range(input_grid.shape[1]):\n"
    "            if input_grid[r, c] % 2 == 0:\n"
    "                output[r, c] = input_grid[r, c]\n"
    "    return output\n",
    /* objects */
    "from common import *\n"
    "def transform(input_grid):\n"
    "    objects = find_connected_components(input_grid, connectivity=8, monochromatic=False)\n"
    "    return crop(max(objects, key=lambda o: (o > 0).sum()))\n",
};
enum { KINDS = sizeof kinds / sizeof *kinds };

int main(int argc, char **argv) {
    size_t count = 2000;
    ttt_cage_options options = {0};
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--programs") == 0) count = strtoul(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--workers") == 0) options.workers = atoi(argv[i + 1]);
    }
    ttt_error err = {0};
    ttt_random random = ttt_random_stream(0, "", "bench");
    ttt_grid inputs[INPUTS];
    for (int i = 0; i < INPUTS; i++) {
        inputs[i] = ttt_grid_filled(SIDE, SIDE, 0);
        for (int cell = 0; cell < SIDE * SIDE; cell++) {
            if (ttt_random_below(&random, 3) == 0) inputs[i].cells[cell] = (uint8_t)ttt_random_below(&random, 10);
        }
    }
    const char **programs = calloc(count, sizeof *programs);
    ttt_cage_result *results = calloc(count, sizeof *results);
    if (programs == NULL || results == NULL) return 1;
    for (size_t i = 0; i < count; i++) programs[i] = kinds[i % KINDS];

    ttt_cage *cage;
    const double begun = ttt_clock_seconds();
    if (ttt_cage_new(&options, &cage, &err) != TTT_OK) {
        fprintf(stderr, "cage: %s\n", err.message);
        return 1;
    }
    const double ready = ttt_clock_seconds();
    if (ttt_cage_run(cage, programs, count, inputs, INPUTS, 0, NULL, results, &err) != TTT_OK) {
        fprintf(stderr, "cage: %s\n", err.message);
        return 1;
    }
    const double seconds = ttt_clock_seconds() - ready;
    size_t ran = 0;
    for (size_t i = 0; i < count; i++) {
        ran += results[i].outcome == TTT_CAGE_RAN;
        if (i < KINDS) printf("program %zu: %s %s\n", i, ttt_cage_outcome_name(results[i].outcome), results[i].message);
        ttt_cage_result_release(&results[i]);
    }
    printf("start %.3f s; %zu of %zu programs ran in %.2f s: %.0f a minute, %.2f ms each\n", ready - begun, ran, count,
           seconds, 60 * (double)count / seconds, 1000 * seconds / (double)count);
    ttt_cage_free(cage);
    free(programs);
    free(results);
    return ran == count ? 0 : 1;
}
