/* The eight symmetries of the square and colour maps.
 *
 * A symmetry is t + 4m: transpose first when m = 1, then t quarter turns counter-clockwise. Transposing turns a
 * rotation round: M R^t = R^-t M, from which the rules of composition below follow. */
#include "arc/transform.h"

#include <string.h>

enum { TRANSPOSED = 4 };

void ttt_symmetry_apply(ttt_symmetry symmetry, const ttt_grid *grid, ttt_grid *out) {
    if (!(symmetry & TRANSPOSED)) {
        ttt_grid_rotate(grid, symmetry & 3, out);
        return;
    }
    ttt_grid transposed;
    ttt_grid_transpose(grid, &transposed);
    ttt_grid_rotate(&transposed, symmetry & 3, out);
}

ttt_symmetry ttt_symmetry_inverse(ttt_symmetry symmetry) {
    if (symmetry & TRANSPOSED) return symmetry; /* every mirror image undoes itself */
    return (ttt_symmetry)((4 - symmetry) & 3);
}

ttt_symmetry ttt_symmetry_compose(ttt_symmetry first, ttt_symmetry second) {
    const int turns = second & TRANSPOSED ? (second & 3) - (first & 3) : (second & 3) + (first & 3);
    return (ttt_symmetry)((turns & 3) | ((first ^ second) & TRANSPOSED));
}

const ttt_transform *ttt_symmetry_transform(ttt_symmetry symmetry) {
    static const ttt_transform transforms[TTT_SYMMETRIES] = {
        {0},
        {.count = 1, .steps = {{TTT_STEP_ROTATE, 90, 0}}},
        {.count = 1, .steps = {{TTT_STEP_ROTATE, 180, 0}}},
        {.count = 1, .steps = {{TTT_STEP_ROTATE, 270, 0}}},
        {.count = 1, .steps = {{TTT_STEP_TRANSPOSE, 0, 0}}},
        {.count = 1, .steps = {{TTT_STEP_FLIP, 0, 0}}},
        {.count = 2, .steps = {{TTT_STEP_TRANSPOSE, 0, 0}, {TTT_STEP_ROTATE, 180, 0}}},
        {.count = 1, .steps = {{TTT_STEP_FLIP, 1, 0}}},
    };
    return &transforms[symmetry];
}

ttt_colours ttt_colours_identity(void) {
    return (ttt_colours){{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}};
}

bool ttt_colours_are_identity(const ttt_colours *colours) {
    const ttt_colours identity = ttt_colours_identity();
    return memcmp(colours, &identity, sizeof identity) == 0;
}

void ttt_colours_apply(const ttt_colours *colours, const ttt_grid *grid, ttt_grid *out) {
    const int area = ttt_grid_area(grid);
    out->height = grid->height;
    out->width = grid->width;
    for (int i = 0; i < area; i++) out->cells[i] = colours->map[grid->cells[i]];
}

void ttt_colours_apply_pair(const ttt_colours *colours, const ttt_pair *pair, ttt_pair *out) {
    ttt_colours_apply(colours, &pair->input, &out->input);
    ttt_colours_apply(colours, &pair->output, &out->output);
}

bool ttt_colours_inverse(const ttt_colours *colours, uint16_t used, ttt_colours *inverse) {
    unsigned taken = 0;
    *inverse = ttt_colours_identity();
    for (int c = 0; c < TTT_COLOURS; c++) {
        const uint8_t to = colours->map[c];
        if (!(used >> c & 1)) continue;
        if (taken >> to & 1) return false;
        taken |= 1u << to;
        inverse->map[to] = (uint8_t)c;
    }
    return true;
}

ttt_colours ttt_colours_random(ttt_random *random, double zero_moves) {
    const int first = ttt_random_unit(random) < zero_moves ? 0 : 1;
    ttt_colours colours = ttt_colours_identity();
    int order[TTT_COLOURS];
    ttt_random_permutation(random, order, (size_t)(TTT_COLOURS - first));
    for (int c = first; c < TTT_COLOURS; c++) colours.map[c] = (uint8_t)(order[c - first] + first);
    return colours;
}

ttt_colours ttt_colours_reference(ttt_random *random, uint16_t used) {
    ttt_colours colours = ttt_colours_identity();
    int order[TTT_COLOURS], unused[TTT_COLOURS], pool[TTT_COLOURS];
    int unused_count = 0, pool_count = 0;
    ttt_random_permutation(random, order, TTT_COLOURS);
    for (int i = 0; i < TTT_COLOURS; i++) {
        if (order[i] == 0) continue;
        if (used >> order[i] & 1)
            pool[pool_count++] = order[i];
        else
            unused[unused_count++] = order[i];
    }
    bool swapped[TTT_COLOURS] = {false};
    const int colours_of_task = pool_count;
    for (int i = 0; i < colours_of_task; i++) {
        const int v = pool[i];
        if (swapped[v]) continue;
        if (unused_count > 0) {
            colours.map[v] = (uint8_t)unused[--unused_count];
            continue;
        }
        /* The partner may be v itself, which then stays, or one that had already gone to an unused colour. */
        int open[TTT_COLOURS], open_count = 0;
        for (int k = 0; k < colours_of_task; k++)
            if (!swapped[pool[k]]) open[open_count++] = pool[k];
        const int partner = open[ttt_random_below(random, (uint32_t)open_count)];
        colours.map[v] = (uint8_t)partner;
        colours.map[partner] = (uint8_t)v;
        swapped[v] = swapped[partner] = true;
    }
    return colours;
}

bool ttt_colours_reference_legal(const ttt_colours *colours, uint16_t used) {
    int of_task = 0, unused = 0, stay = 0, in_pairs = 0;
    unsigned taken = 0;
    if (colours->map[0] != 0) return false;
    for (int c = 1; c < TTT_COLOURS; c++) {
        const int to = colours->map[c];
        if (to == 0 || to >= TTT_COLOURS) return false;
        if (!(used >> c & 1)) {
            unused++;
            if (to != c) return false;
            continue;
        }
        of_task++;
        if (taken >> to & 1) return false;
        taken |= 1u << to;
        if (to == c)
            stay++;
        else if (used >> to & 1) {
            if (colours->map[to] != c) return false;
            in_pairs++;
        }
    }
    /* Only the colours left when the unused ones have run out may stay or start a pair. */
    const int left = of_task > unused ? of_task - unused : 0;
    return stay + in_pairs / 2 <= left;
}
