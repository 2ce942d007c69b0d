/* Grids as pictures: coloured blocks for a terminal, PNG files. In ARC's usual palette. */
#ifndef TTT_ARC_PICTURE_H
#define TTT_ARC_PICTURE_H

#include "arc/grid.h"
#include "base/status.h"

extern const uint8_t ttt_palette[TTT_COLOURS][3]; /* red, green, blue */

typedef enum ttt_picture_style {
    TTT_PICTURE_COLOUR, /* two blanks a cell on a 24-bit background colour */
    TTT_PICTURE_PLAIN   /* digits, two characters a cell, no escape sequences */
} ttt_picture_style;

/* One grid in a row of them. */
typedef struct ttt_panel {
    const ttt_grid *grid; /* NULL: not known, drawn as a question mark */
    const char *title;    /* above the grid; NULL: none */
    bool arrow;           /* an arrow from the grid before to this one */
} ttt_panel;

/* The panels side by side, as text of several lines; *text is fresh memory (ttt_free). */
ttt_status ttt_picture_text(const ttt_panel *panels, size_t count, ttt_picture_style style, char **text,
                            ttt_error *err);
/* PNG of rows of panels (titles are not drawn): panels[0..count), a new row starting at each index in
 * row_starts[0..rows) (row_starts[0] = 0). `cell` is the side of a cell in pixels, 2..64. Written atomically. */
ttt_status ttt_picture_png(const char *path, const ttt_panel *panels, size_t count, const size_t *row_starts,
                           size_t rows, int cell, ttt_error *err);

#endif
