/* Pictures of grids as PNG: an image of palette indices is painted, then written by libpng's simplified interface
 * (which reports errors by return value) to memory, and from there atomically to the file. */
#include "arc/picture.h"

#include "base/file.h"
#include "base/memory.h"

#include <png.h>
#include <string.h>

enum { BACKGROUND = TTT_COLOURS, LINES, INK, INDICES };
static const uint8_t extra_colours[INDICES - TTT_COLOURS][3] = {
    {0xff, 0xff, 0xff}, {0x55, 0x55, 0x55}, {0x33, 0x33, 0x33}};

/* A grid that is not known takes the room of this many cells a side. */
enum { UNKNOWN_CELLS = 3 };

typedef struct canvas {
    int width, height, cell;
    uint8_t *pixels; /* [height][width] indices */
} canvas;

/* Everything is measured in pixels; a grid of n cells has n + 1 lines, one pixel wide, around its cells. */
static int side_pixels(int cells, int cell) {
    return cells * cell + cells + 1;
}
static int panel_width(const ttt_panel *panel, int cell) {
    return side_pixels(panel->grid ? panel->grid->width : UNKNOWN_CELLS, cell);
}
static int panel_height(const ttt_panel *panel, int cell) {
    return side_pixels(panel->grid ? panel->grid->height : UNKNOWN_CELLS, cell);
}
static int gap_width(const ttt_panel *panel, int cell) {
    return panel->arrow ? 3 * cell : cell;
}

static void fill(canvas *c, int x, int y, int width, int height, uint8_t index) {
    for (int row = y; row < y + height; row++)
        memset(c->pixels + (size_t)row * (size_t)c->width + x, index, (size_t)width);
}

static void paint_grid(canvas *c, int x, int y, const ttt_grid *grid) {
    fill(c, x, y, side_pixels(grid->width, c->cell), side_pixels(grid->height, c->cell), LINES);
    for (int row = 0; row < grid->height; row++)
        for (int column = 0; column < grid->width; column++)
            fill(c, x + 1 + column * (c->cell + 1), y + 1 + row * (c->cell + 1), c->cell, c->cell,
                 ttt_grid_at(grid, row, column));
}

/* A frame with a question mark, 5 by 7 dots, in it. */
static void paint_unknown(canvas *c, int x, int y) {
    static const char mark[7][6] = {".###.", "#...#", "....#", "...#.", "..#..", ".....", "..#.."};
    const int side = side_pixels(UNKNOWN_CELLS, c->cell), dot = side / 9 > 0 ? side / 9 : 1;
    const int left = x + (side - 5 * dot) / 2, top = y + (side - 7 * dot) / 2;
    if (side < 9) return;
    fill(c, x, y, side, side, LINES);
    fill(c, x + 1, y + 1, side - 2, side - 2, BACKGROUND);
    for (int row = 0; row < 7; row++)
        for (int column = 0; column < 5; column++)
            if (mark[row][column] == '#') fill(c, left + column * dot, top + row * dot, dot, dot, INK);
}

/* An arrow to the right in a gap of three cells, around the height `y`. */
static void paint_arrow(canvas *c, int x, int y) {
    const int length = 2 * c->cell, head = c->cell / 2, shaft = c->cell / 8 > 0 ? c->cell / 8 : 1;
    const int left = x + c->cell / 2;
    fill(c, left, y - shaft / 2, length - head, shaft, INK);
    for (int i = 0; i < head; i++) {
        const int half = (head - i) / 2;
        fill(c, left + length - head + i, y - half, 1, 2 * half + 1, INK);
    }
}

/* Paints a row of panels with its top at `y`; their middles are level. With `c` NULL only measures. Returns the row's
 * width and sets *height. */
static int paint_row(canvas *c, const ttt_panel *panels, size_t count, int y, int cell, int *height) {
    int x = cell;
    *height = 0;
    for (size_t i = 0; i < count; i++) {
        const int panel = panel_height(&panels[i], cell);
        if (panel > *height) *height = panel;
    }
    for (size_t i = 0; i < count; i++) {
        const int top = y + (*height - panel_height(&panels[i], cell)) / 2;
        if (i > 0) {
            if (c && panels[i].arrow) paint_arrow(c, x, y + *height / 2);
            x += gap_width(&panels[i], cell);
        }
        if (c && panels[i].grid) paint_grid(c, x, top, panels[i].grid);
        if (c && !panels[i].grid) paint_unknown(c, x, top);
        x += panel_width(&panels[i], cell);
    }
    return x + cell;
}

/* Paints (or, with `c` NULL, measures) all rows; sets the size of the picture. */
static void paint_all(canvas *c, const ttt_panel *panels, size_t count, const size_t *row_starts, size_t rows, int cell,
                      int *width, int *height) {
    *width = 0;
    *height = cell;
    for (size_t r = 0; r < rows; r++) {
        const size_t end = r + 1 < rows ? row_starts[r + 1] : count;
        int row_height;
        const int row_width = paint_row(c, panels + row_starts[r], end - row_starts[r], *height, cell, &row_height);
        *height += row_height + cell;
        if (row_width > *width) *width = row_width;
    }
}

static ttt_status write_png(const char *path, const canvas *c, ttt_error *err) {
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)c->width,
                       .height = (png_uint_32)c->height,
                       .format = PNG_FORMAT_RGB_COLORMAP,
                       .colormap_entries = INDICES};
    uint8_t colours[INDICES][3];
    memcpy(colours, ttt_palette, sizeof ttt_palette);
    memcpy(colours + TTT_COLOURS, extra_colours, sizeof extra_colours);
    png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(image);
    void *png = ttt_allocate(bytes, 1);
    if (!png)
        return ttt_fail(err, TTT_ERROR_MEMORY, "%s: out of memory for a picture of %d x %d", path, c->width, c->height);
    ttt_status status;
    if (png_image_write_to_memory(&image, png, &bytes, 0, c->pixels, c->width, colours))
        status = ttt_file_write_atomically(path, png, bytes, err);
    else
        status = ttt_fail(err, TTT_ERROR_IO, "%s: %s", path, image.message);
    png_image_free(&image);
    ttt_free(png);
    return status;
}

ttt_status ttt_picture_png(const char *path, const ttt_panel *panels, size_t count, const size_t *row_starts,
                           size_t rows, int cell, ttt_error *err) {
    canvas c = {.cell = cell};
    size_t pixels;
    if (cell < 2 || cell > 64)
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "%s: cells of %d pixels, expected 2 to 64", path, cell);
    if (rows == 0 || count == 0) return ttt_fail(err, TTT_ERROR_ARGUMENT, "%s: there is nothing to draw", path);
    paint_all(NULL, panels, count, row_starts, rows, cell, &c.width, &c.height);
    if (!ttt_size_multiply((size_t)c.width, (size_t)c.height, &pixels) || !(c.pixels = ttt_allocate(pixels, 1)))
        return ttt_fail(err, TTT_ERROR_MEMORY, "%s: out of memory for a picture of %d x %d", path, c.width, c.height);
    memset(c.pixels, BACKGROUND, pixels);
    int width, height; /* the same again; not into c, whose width is the stride while painting */
    paint_all(&c, panels, count, row_starts, rows, cell, &width, &height);
    const ttt_status status = write_png(path, &c, err);
    ttt_free(c.pixels);
    return status;
}
