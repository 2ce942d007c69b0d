/* Frames: a renaming of colours that the input alone decides, and a transposition. */
#include "induce/frame.h"

#include <string.h>

/* The colours of the grid by falling frequency (ties: whose first cell comes first), then those that it lacks. */
static void order_by_frequency(const ttt_grid *grid, uint8_t order[TTT_COLOURS]) {
    int count[TTT_COLOURS] = {0}, first[TTT_COLOURS] = {0};
    for (int i = ttt_grid_area(grid) - 1; i >= 0; i--) {
        count[grid->cells[i]]++;
        first[grid->cells[i]] = i;
    }
    for (int c = 0; c < TTT_COLOURS; c++) {
        int at = c;
        for (; at > 0; at--) {
            const int other = order[at - 1];
            if (count[c] < count[other] || (count[c] == count[other] && first[c] >= first[other])) break;
            order[at] = (uint8_t)other;
        }
        order[at] = (uint8_t)c;
    }
}

void ttt_frame_of_input(ttt_frame frame, const ttt_grid *input, ttt_frame_map *map) {
    uint8_t order[TTT_COLOURS];
    order_by_frequency(input, order);
    map->frame = (uint8_t)frame;
    for (int c = 0; c < TTT_COLOURS; c++) map->from[c] = (uint8_t)c;
    if (frame & TTT_FRAME_COLOURS) {
        memcpy(map->from, order, sizeof order);
    } else if (frame & TTT_FRAME_BACKGROUND) {
        map->from[0] = order[0];
        map->from[order[0]] = 0;
    }
    for (int c = 0; c < TTT_COLOURS; c++) map->to[map->from[c]] = (uint8_t)c;
}

static void change(const ttt_frame_map *map, const uint8_t names[TTT_COLOURS], const ttt_grid *grid, ttt_grid *out) {
    if (map->frame & TTT_FRAME_TRANSPOSED) {
        ttt_grid_transpose(grid, out);
    } else {
        *out = *grid;
    }
    for (int i = 0; i < ttt_grid_area(out); i++) out->cells[i] = names[out->cells[i]];
}

void ttt_frame_enter(const ttt_frame_map *map, const ttt_grid *grid, ttt_grid *out) {
    change(map, map->to, grid, out);
}

void ttt_frame_leave(const ttt_frame_map *map, const ttt_grid *grid, ttt_grid *out) {
    change(map, map->from, grid, out);
}

const char *ttt_frame_name(ttt_frame bit) {
    switch (bit) {
    case TTT_FRAME_TRANSPOSED: return "transposed";
    case TTT_FRAME_COLOURS: return "colours";
    case TTT_FRAME_BACKGROUND: return "background";
    case TTT_FRAME_PLAIN:
    case TTT_FRAME_END: break;
    }
    return "plain";
}
