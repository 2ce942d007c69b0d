/* Operations: parts of a grid: halves, panels between separators, rows, windows. */
#include "induce/ops_grid.h"

/* A middle line belongs to neither half. */
bool ttt_op_half(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    const int down = ttt_direction_rows(arguments[1]->number), right = ttt_direction_columns(arguments[1]->number);
    const int height = down == 0 ? from->height : from->height / 2;
    const int width = right == 0 ? from->width : from->width / 2;
    const ttt_box box = {down > 0 ? from->height - height : 0, right > 0 ? from->width - width : 0, height, width};
    return ttt_piece_cut_grid(scratch, from, box, result);
}

/* Boxes of one size, as many as fit down and across. */
static bool cut_even(ttt_scratch *scratch, const ttt_piece *from, int height, int width, ttt_value *result) {
    if (height < 1 || width < 1 || from->height % height != 0 || from->width % width != 0 ||
        !ttt_value_new_list(scratch, result)) {
        return false;
    }
    for (int top = 0; top < from->height; top += height) {
        for (int left = 0; left < from->width; left += width) {
            ttt_piece part;
            if (!ttt_piece_cut(scratch, from, (ttt_box){top, left, height, width}, &part) ||
                !ttt_list_push(result, part)) {
                return false;
            }
        }
    }
    return true;
}

bool ttt_op_parts(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    const int parts = arguments[1]->number, longer = from->height > from->width ? from->height : from->width;
    if (parts < 2 || longer % parts != 0) return false;
    return from->height > from->width ? cut_even(scratch, from, from->height / parts, from->width, result)
                                      : cut_even(scratch, from, from->height, from->width / parts, result);
}

bool ttt_op_tiles(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const int side = arguments[1]->number;
    return side > 1 && cut_even(scratch, piece_of(arguments, 0), side, side, result);
}

bool ttt_op_squares(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    const int side = from->height < from->width ? from->height : from->width;
    return side > 1 && cut_even(scratch, from, side, side, result);
}

bool ttt_op_rows(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    return cut_even(scratch, from, 1, from->width, result);
}

bool ttt_op_columns(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    return cut_even(scratch, from, from->height, 1, result);
}

static ttt_box panel_box(const ttt_layout *layout, int down, int across) {
    return (ttt_box){layout->row_start[down], layout->column_start[across],
                     layout->row_end[down] - layout->row_start[down],
                     layout->column_end[across] - layout->column_start[across]};
}

bool ttt_op_panels(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    ttt_layout layout;
    if (!ttt_panels_find(from, &layout) || !ttt_value_new_list(scratch, result)) return false;
    for (int i = 0; i < layout.down; i++) {
        for (int j = 0; j < layout.across; j++) {
            ttt_piece panel;
            if (!ttt_piece_cut(scratch, from, panel_box(&layout, i, j), &panel) || !ttt_list_push(result, panel)) {
                return false;
            }
        }
    }
    return true;
}

/* The colour of most of the panel's cells that are not 0 (the smaller of equally frequent ones), 0 where all are. */
static uint8_t panel_colour(const ttt_piece *from, ttt_box box) {
    int counts[TTT_COLOURS] = {0}, best = 0;
    for (int r = box.top; r < box.top + box.height; r++) {
        for (int c = box.left; c < box.left + box.width; c++) counts[ttt_piece_at(from, r, c)]++;
    }
    counts[0] = 0;
    for (int colour = 1; colour < TTT_COLOURS; colour++) {
        if (counts[colour] > counts[best]) best = colour;
    }
    return (uint8_t)best;
}

bool ttt_op_panel_colours(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    ttt_layout layout;
    if (!ttt_panels_find(from, &layout) ||
        !ttt_value_new_grid(scratch, from->row, from->column, layout.down, layout.across, result)) {
        return false;
    }
    for (int i = 0; i < layout.down; i++) {
        for (int j = 0; j < layout.across; j++) {
            result->pieces[0].cells[i * layout.across + j] = panel_colour(from, panel_box(&layout, i, j));
        }
    }
    return true;
}

/* Panels are filled; the lines between them stay. */
bool ttt_op_fill_panels(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0), *colours = piece_of(arguments, 1);
    ttt_layout layout;
    if (!ttt_panels_find(from, &layout) || layout.down != colours->height || layout.across != colours->width ||
        !grid_like(scratch, from, result)) {
        return false;
    }
    ttt_piece *to = &result->pieces[0];
    memset(to->cells, layout.colour, (size_t)ttt_piece_area(to));
    for (int i = 0; i < layout.down; i++) {
        for (int r = layout.row_start[i]; r < layout.row_end[i]; r++) {
            for (int j = 0; j < layout.across; j++) {
                memset(to->cells + r * to->width + layout.column_start[j], ttt_piece_at(colours, i, j),
                       (size_t)(layout.column_end[j] - layout.column_start[j]));
            }
        }
    }
    return true;
}

/* Panels of one size, each with what the first of the others has where it has 0. */
bool ttt_op_share_panels(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    ttt_layout layout;
    uint8_t all[TTT_GRID_CELLS] = {0};
    if (!ttt_panels_find(from, &layout) || !grid_copy(scratch, from, result)) return false;
    const ttt_box first = panel_box(&layout, 0, 0);
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < layout.down; i++) {
            for (int j = 0; j < layout.across; j++) {
                const ttt_box box = panel_box(&layout, i, j);
                if (box.height != first.height || box.width != first.width) return false;
                for (int at = 0; at < box.height * box.width; at++) {
                    const int cell = (box.top + at / box.width) * from->width + box.left + at % box.width;
                    if (pass == 0 && all[at] == 0) all[at] = from->cells[cell];
                    if (pass == 1 && from->cells[cell] == 0) result->pieces[0].cells[cell] = all[at];
                }
            }
        }
    }
    return true;
}

bool ttt_op_panel_sectors(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    ttt_layout layout;
    if (!ttt_panels_find(from, &layout) || !grid_like(scratch, from, result)) return false;
    for (int i = 0; i < layout.down; i++) {
        for (int j = 0; j < layout.across; j++) {
            const ttt_box box = panel_box(&layout, i, j);
            const int sector = ttt_sector(i, layout.down, j, layout.across);
            for (int r = box.top; r < box.top + box.height; r++) {
                memset(result->pieces[0].cells + r * from->width + box.left, sector, (size_t)box.width);
            }
        }
    }
    return true;
}

/* Bands of rows (or, transposed, columns) that are not all 0. */
static int bands(const bool *used, int count, uint8_t *start, uint8_t *end) {
    int total = 0;
    for (int i = 0; i < count; i++) {
        if (!used[i]) continue;
        start[total] = (uint8_t)i;
        while (i < count && used[i]) i++;
        end[total++] = (uint8_t)i;
    }
    return total;
}

/* Cut at rows of 0, and each band at its columns of 0: parts that are not one object stay together. */
bool ttt_op_islands(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    bool used[TTT_PIECE_SIDE];
    uint8_t top[TTT_PIECE_SIDE], bottom[TTT_PIECE_SIDE], left[TTT_PIECE_SIDE], right[TTT_PIECE_SIDE];
    if (!ttt_value_new_list(scratch, result)) return false;
    for (int r = 0; r < from->height; r++) {
        used[r] = false;
        for (int c = 0; c < from->width; c++) used[r] |= ttt_piece_at(from, r, c) != 0;
    }
    const int down = bands(used, from->height, top, bottom);
    for (int i = 0; i < down; i++) {
        for (int c = 0; c < from->width; c++) {
            used[c] = false;
            for (int r = top[i]; r < bottom[i]; r++) used[c] |= ttt_piece_at(from, r, c) != 0;
        }
        const int across = bands(used, from->width, left, right);
        for (int j = 0; j < across; j++) {
            const ttt_box box = {top[i], left[j], bottom[i] - top[i], right[j] - left[j]};
            ttt_piece part;
            if (!ttt_piece_cut(scratch, from, box, &part) || !ttt_list_push(result, part)) return false;
        }
    }
    return result->count > 0;
}

/* Every panel in one colour, colours[i * across + j]; the lines between them become 0. */
static bool paint_panels(ttt_scratch *scratch, const ttt_piece *from, const ttt_layout *layout, const uint8_t *colours,
                         ttt_value *result) {
    if (!grid_like(scratch, from, result)) return false;
    for (int i = 0; i < layout->down; i++) {
        for (int r = layout->row_start[i]; r < layout->row_end[i]; r++) {
            for (int j = 0; j < layout->across; j++) {
                memset(result->pieces[0].cells + r * from->width + layout->column_start[j],
                       colours[i * layout->across + j], (size_t)(layout->column_end[j] - layout->column_start[j]));
            }
        }
    }
    return true;
}

/* Panels with equally many cells share a rank: 1 and how many different numbers are larger. */
bool ttt_op_panel_ranks(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    ttt_layout layout;
    if (!ttt_panels_find(from, &layout)) return false;
    uint8_t ranks[TTT_GRID_CELLS + 1] = {0}, colours[TTT_GRID_CELLS];
    int16_t counts[TTT_GRID_CELLS];
    const int panels = layout.down * layout.across;
    for (int k = 0; k < panels; k++) {
        const ttt_box box = panel_box(&layout, k / layout.across, k % layout.across);
        counts[k] = 0;
        for (int r = box.top; r < box.top + box.height; r++) {
            for (int c = box.left; c < box.left + box.width; c++) counts[k] += ttt_piece_at(from, r, c) != 0;
        }
        ranks[counts[k]] = 1;
    }
    for (int count = TTT_GRID_CELLS, rank = 0; count >= 0; count--) {
        if (ranks[count] != 0) ranks[count] = (uint8_t)(rank < 9 ? ++rank : rank);
    }
    for (int k = 0; k < panels; k++) colours[k] = ranks[counts[k]];
    return paint_panels(scratch, from, &layout, colours, result);
}

bool ttt_op_connect_panels(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    ttt_value colours, connected;
    if (!ttt_op_panel_colours(scratch, arguments, &colours) ||
        !ttt_op_connect_all(scratch, (const ttt_value *[]){&colours}, &connected)) {
        return false;
    }
    return ttt_op_fill_panels(scratch, (const ttt_value *[]){arguments[0], &connected}, result);
}

bool ttt_op_corner(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    const int down = ttt_direction_rows(arguments[1]->number), right = ttt_direction_columns(arguments[1]->number);
    const int side = arguments[2]->number;
    if (side < 1 || (down != 0 && side > from->height) || (right != 0 && side > from->width)) return false;
    const int height = down == 0 ? from->height : side, width = right == 0 ? from->width : side;
    const ttt_box box = {down > 0 ? from->height - height : 0, right > 0 ? from->width - width : 0, height, width};
    return ttt_piece_cut_grid(scratch, from, box, result);
}
