/* Frames: other ways to look at a task's grids, in which a program may be simpler. A program says which frame it is
 * written in; its input enters the frame, its output leaves it again. */
#ifndef TTT_INDUCE_FRAME_H
#define TTT_INDUCE_FRAME_H

#include "arc/grid.h"

/* Bits, joined with |. */
typedef enum ttt_frame {
    TTT_FRAME_PLAIN = 0,
    TTT_FRAME_TRANSPOSED = 1, /* rows are columns */
    /* Colours are renamed by how often the input has them: 0 is the most frequent, the background. Ties go to the
     * colour whose first cell in reading order (of the input, not transposed) comes first; colours that the input
     * lacks follow in their own order. */
    TTT_FRAME_COLOURS = 2,
    /* The most frequent colour (ties as above) and 0 change places: the background is 0, other colours keep their
     * names. Together with COLOURS it adds nothing. */
    TTT_FRAME_BACKGROUND = 4,
    TTT_FRAME_END = 8
} ttt_frame;

/* How one input enters the frame: to[c] is the new name of colour c. */
typedef struct ttt_frame_map {
    uint8_t frame;
    uint8_t to[TTT_COLOURS], from[TTT_COLOURS];
} ttt_frame_map;

const char *ttt_frame_name(ttt_frame bit); /* of one bit: its word in programs; otherwise "plain" */

void ttt_frame_of_input(ttt_frame frame, const ttt_grid *input, ttt_frame_map *map);
/* `out` must not be `grid`. Leaving undoes entering, whatever the grid. */
void ttt_frame_enter(const ttt_frame_map *map, const ttt_grid *grid, ttt_grid *out);
void ttt_frame_leave(const ttt_frame_map *map, const ttt_grid *grid, ttt_grid *out);

#endif
