/* Pictures of grids for a terminal. */
#include "arc/picture.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The colours of the ARC site: black, blue, red, green, yellow, grey, magenta, orange, light blue, maroon. */
const uint8_t ttt_palette[TTT_COLOURS][3] = {
    {0x00, 0x00, 0x00}, {0x00, 0x74, 0xd9}, {0xff, 0x41, 0x36}, {0x2e, 0xcc, 0x40}, {0xff, 0xdc, 0x00},
    {0xaa, 0xaa, 0xaa}, {0xf0, 0x12, 0xbe}, {0xff, 0x85, 0x1b}, {0x7f, 0xdb, 0xff}, {0x87, 0x0c, 0x25}};

typedef struct text_buffer {
    char *items;
    size_t count, capacity; /* count without the NUL, which is always there once something was written */
} text_buffer;

__attribute__((format(printf, 3, 4))) static ttt_status put(text_buffer *text, ttt_error *err, const char *format,
                                                            ...) {
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    const ttt_status status = TTT_RESERVE(text, text->count + (size_t)length + 1, err);
    if (status == TTT_OK) {
        vsnprintf(text->items + text->count, (size_t)length + 1, format, again);
        text->count += (size_t)length;
    }
    va_end(again);
    return status;
}

/* Columns of a terminal that a string takes: its code points, as UTF-8 tails add none. */
static int text_width(const char *text) {
    int width = 0;
    for (; *text; text++) width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static int panel_width(const ttt_panel *panel) {
    const int grid = panel->grid ? 2 * panel->grid->width : 1, title = panel->title ? text_width(panel->title) : 0;
    return grid > title ? grid : title;
}

static int panel_height(const ttt_panel *panel) {
    return panel->grid ? panel->grid->height : 1;
}

/* One grid's row, without the blanks that fill it up to the panel's width. A change of colour is written only where
 * the colour changes: pictures of whole tasks are long enough as they are. */
static ttt_status put_grid_row(text_buffer *text, const ttt_grid *grid, int row, ttt_picture_style style,
                               ttt_error *err) {
    for (int c = 0; c < grid->width; c++) {
        const uint8_t colour = ttt_grid_at(grid, row, c), *rgb = ttt_palette[colour];
        if (style == TTT_PICTURE_PLAIN)
            TTT_TRY(put(text, err, "%d ", colour));
        else if (c == 0 || ttt_grid_at(grid, row, c - 1) != colour)
            TTT_TRY(put(text, err, "\033[48;2;%d;%d;%dm  ", rgb[0], rgb[1], rgb[2]));
        else
            TTT_TRY(put(text, err, "  "));
    }
    return style == TTT_PICTURE_PLAIN ? TTT_OK : put(text, err, "\033[0m");
}

/* What a line holds of one panel. Line -1 is the titles' line. */
static ttt_status put_panel_line(text_buffer *text, const ttt_panel *panel, int line, ttt_picture_style style,
                                 ttt_error *err) {
    int used = 0;
    if (line < 0) {
        if (panel->title) {
            TTT_TRY(put(text, err, "%s", panel->title));
            used = text_width(panel->title);
        }
    } else if (panel->grid && line < panel->grid->height) {
        TTT_TRY(put_grid_row(text, panel->grid, line, style, err));
        used = 2 * panel->grid->width;
    } else if (!panel->grid && line == 0) {
        TTT_TRY(put(text, err, "?"));
        used = 1;
    }
    return put(text, err, "%*s", panel_width(panel) - used, "");
}

/* The gap before a panel; its arrow stands on the first line of cells. */
static ttt_status put_gap(text_buffer *text, const ttt_panel *panel, bool first, int line, ttt_error *err) {
    if (first) return TTT_OK;
    return put(text, err, "%s", panel->arrow && line == 0 ? " -> " : panel->arrow ? "    " : "  ");
}

static ttt_status put_panels(text_buffer *text, const ttt_panel *panels, size_t count, ttt_picture_style style,
                             ttt_error *err) {
    int height = 0;
    bool titles = false;
    for (size_t i = 0; i < count; i++) {
        if (panel_height(&panels[i]) > height) height = panel_height(&panels[i]);
        titles = titles || panels[i].title;
    }
    for (int line = titles ? -1 : 0; line < height; line++) {
        for (size_t i = 0; i < count; i++) {
            TTT_TRY(put_gap(text, &panels[i], i == 0, line, err));
            TTT_TRY(put_panel_line(text, &panels[i], line, style, err));
        }
        while (text->count > 0 && text->items[text->count - 1] == ' ') text->count--; /* no blanks at line ends */
        TTT_TRY(put(text, err, "\n"));
    }
    return TTT_OK;
}

ttt_status ttt_picture_text(const ttt_panel *panels, size_t count, ttt_picture_style style, char **text,
                            ttt_error *err) {
    text_buffer buffer = {0};
    ttt_status status = put(&buffer, err, "%s", "");
    if (status == TTT_OK) status = put_panels(&buffer, panels, count, style, err);
    *text = status == TTT_OK ? buffer.items : NULL;
    if (status != TTT_OK) ttt_free(buffer.items);
    return status;
}
