/* Operations: cells that have something in common, and the logic of such sets. */
#include "induce/ops_grid.h"

bool ttt_op_is_colour(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    if (!mask_like(scratch, from, result)) return false;
    for (int i = 0; i < ttt_piece_area(from); i++) {
        result->pieces[0].cells[i] = from->cells[i] == arguments[1]->number;
    }
    return true;
}

bool ttt_op_filled(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    if (!mask_like(scratch, from, result)) return false;
    for (int i = 0; i < ttt_piece_area(from); i++) result->pieces[0].cells[i] = from->cells[i] != 0;
    return true;
}

bool ttt_op_equal_cells(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *a = piece_of(arguments, 0), *b = piece_of(arguments, 1);
    if (!same_size(a, b) || !mask_like(scratch, a, result)) return false;
    for (int i = 0; i < ttt_piece_area(a); i++) result->pieces[0].cells[i] = a->cells[i] == b->cells[i];
    return true;
}

/* ------------------------------------------------------------------------------------------- logic */

bool ttt_op_not(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    if (!mask_like(scratch, from, result)) return false;
    for (int i = 0; i < ttt_piece_area(from); i++) result->pieces[0].cells[i] = !from->cells[i];
    return true;
}

bool ttt_op_and(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *a = piece_of(arguments, 0), *b = piece_of(arguments, 1);
    if (!same_size(a, b) || !mask_like(scratch, a, result)) return false;
    for (int i = 0; i < ttt_piece_area(a); i++) result->pieces[0].cells[i] = a->cells[i] & b->cells[i];
    return true;
}

bool ttt_op_or(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *a = piece_of(arguments, 0), *b = piece_of(arguments, 1);
    if (!same_size(a, b) || !mask_like(scratch, a, result)) return false;
    for (int i = 0; i < ttt_piece_area(a); i++) result->pieces[0].cells[i] = a->cells[i] | b->cells[i];
    return true;
}

bool ttt_op_paint(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *mask = piece_of(arguments, 0);
    const uint8_t colour = (uint8_t)arguments[1]->number;
    if (colour == 0 || !grid_like(scratch, mask, result)) return false;
    for (int i = 0; i < ttt_piece_area(mask); i++) result->pieces[0].cells[i] = mask->cells[i] ? colour : 0;
    return true;
}

bool ttt_op_keep(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0), *mask = piece_of(arguments, 1);
    if (!same_size(from, mask) || !grid_like(scratch, from, result)) return false;
    for (int i = 0; i < ttt_piece_area(from); i++) result->pieces[0].cells[i] = mask->cells[i] ? from->cells[i] : 0;
    return true;
}

/* ------------------------------------------------------------------------------------------- places */

/* A mask is set where `test` of the cell's place holds. */
typedef bool place_test(int r, int c, int height, int width);
static bool places(ttt_scratch *scratch, const ttt_piece *from, place_test *test, ttt_value *result) {
    if (!mask_like(scratch, from, result)) return false;
    uint8_t *to = result->pieces[0].cells;
    for (int r = 0; r < from->height; r++) {
        for (int c = 0; c < from->width; c++) *to++ = test(r, c, from->height, from->width);
    }
    return true;
}

static bool at_border(int r, int c, int height, int width) {
    return r == 0 || c == 0 || r == height - 1 || c == width - 1;
}

bool ttt_op_border(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return places(scratch, piece_of(arguments, 0), at_border, result);
}

static bool on_diagonal(int r, int c, int height, int width) {
    (void)height, (void)width;
    return r == c;
}

bool ttt_op_diagonal(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return places(scratch, piece_of(arguments, 0), on_diagonal, result);
}

static bool on_anti_diagonal(int r, int c, int height, int width) {
    (void)height;
    return r + c == width - 1;
}

bool ttt_op_anti_diagonal(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return places(scratch, piece_of(arguments, 0), on_anti_diagonal, result);
}

/* Each cell's r * down + c * right modulo n, counted from the last line where a factor is negative: stripes. */
static bool stripes(ttt_scratch *scratch, const ttt_value *const *arguments, int down, int right, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    const int n = arguments[1]->number;
    if (n < 2 || n > 9 || !grid_like(scratch, from, result)) return false;
    uint8_t *to = result->pieces[0].cells;
    for (int r = 0; r < from->height; r++) {
        for (int c = 0; c < from->width; c++) *to++ = (uint8_t)((r * down + c * right + n * TTT_PIECE_SIDE) % n);
    }
    return true;
}

bool ttt_op_row_stripes(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return stripes(scratch, arguments, 1, 0, result);
}

bool ttt_op_column_stripes(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return stripes(scratch, arguments, 0, 1, result);
}

bool ttt_op_diagonal_stripes(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return stripes(scratch, arguments, 1, -1, result);
}

bool ttt_op_anti_diagonal_stripes(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return stripes(scratch, arguments, 1, 1, result);
}

bool ttt_op_rings(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    if (!grid_like(scratch, from, result)) return false;
    uint8_t *to = result->pieces[0].cells;
    for (int r = 0; r < from->height; r++) {
        const int vertical = r < from->height - 1 - r ? r : from->height - 1 - r;
        for (int c = 0; c < from->width; c++) {
            const int horizontal = c < from->width - 1 - c ? c : from->width - 1 - c;
            const int ring = vertical < horizontal ? vertical : horizontal;
            *to++ = (uint8_t)(ring < 9 ? ring + 1 : 9);
        }
    }
    return true;
}

bool ttt_op_sectors(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    if (!grid_like(scratch, from, result)) return false;
    uint8_t *to = result->pieces[0].cells;
    for (int r = 0; r < from->height; r++) {
        for (int c = 0; c < from->width; c++) *to++ = ttt_sector(r, from->height, c, from->width);
    }
    return true;
}

/* ------------------------------------------------------------------------------------------- lines and boxes */

bool ttt_op_separators(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    ttt_layout layout;
    if (!ttt_panels_find(from, &layout) || !mask_like(scratch, from, result)) return false;
    ttt_piece *to = &result->pieces[0];
    memset(to->cells, 1, (size_t)ttt_piece_area(to));
    for (int i = 0; i < layout.down; i++) {
        for (int r = layout.row_start[i]; r < layout.row_end[i]; r++) {
            for (int j = 0; j < layout.across; j++) {
                memset(to->cells + r * to->width + layout.column_start[j], 0,
                       (size_t)(layout.column_end[j] - layout.column_start[j]));
            }
        }
    }
    return true;
}

bool ttt_op_whole_rows(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    if (!mask_like(scratch, from, result)) return false;
    for (int r = 0; r < from->height; r++) {
        const uint8_t *cells = from->cells + r * from->width;
        memset(result->pieces[0].cells + r * from->width, memchr(cells, 1, from->width) != NULL, from->width);
    }
    return true;
}

bool ttt_op_whole_columns(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    if (!mask_like(scratch, from, result)) return false;
    uint8_t *to = result->pieces[0].cells;
    for (int i = 0; i < ttt_piece_area(from); i++) to[i % from->width] |= from->cells[i];
    for (int r = 1; r < from->height; r++) memcpy(to + r * from->width, to, from->width);
    return true;
}

bool ttt_op_uniform_rows(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    if (from->width < 2 || !mask_like(scratch, from, result)) return false;
    for (int r = 0; r < from->height; r++) {
        const uint8_t *cells = from->cells + r * from->width;
        memset(result->pieces[0].cells + r * from->width, memcmp(cells, cells + 1, from->width - 1u) == 0, from->width);
    }
    return true;
}

bool ttt_op_uniform_columns(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    if (from->height < 2 || !mask_like(scratch, from, result)) return false;
    ttt_piece *to = &result->pieces[0];
    memset(to->cells, 1, from->width);
    for (int i = from->width; i < ttt_piece_area(from); i++) {
        to->cells[i % from->width] &= from->cells[i] == from->cells[i - from->width];
    }
    for (int r = 1; r < from->height; r++) memcpy(to->cells + r * from->width, to->cells, from->width);
    return true;
}

bool ttt_op_bounding_box(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    ttt_box box;
    if (!ttt_piece_content(from, &box) || !mask_like(scratch, from, result)) return false;
    for (int r = box.top; r < box.top + box.height; r++) {
        memset(result->pieces[0].cells + r * from->width + box.left, 1, (size_t)box.width);
    }
    return true;
}

bool ttt_op_first_seen(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    const int down = ttt_direction_rows(arguments[1]->number), right = ttt_direction_columns(arguments[1]->number);
    uint8_t *clear = ttt_scratch_allocate(scratch, (size_t)ttt_piece_area(from));
    if (clear == NULL || !mask_like(scratch, from, result)) return false;
    /* clear[i]: nothing but 0 lies between the cell and the side. Cells nearer to that side come first. */
    for (int i = 0; i < from->height; i++) {
        const int r = down > 0 ? from->height - 1 - i : i;
        for (int j = 0; j < from->width; j++) {
            const int c = right > 0 ? from->width - 1 - j : j, at = r * from->width + c;
            const int next_r = r + down, next_c = c + right;
            const bool inside = next_r >= 0 && next_c >= 0 && next_r < from->height && next_c < from->width;
            const int next = next_r * from->width + next_c;
            clear[at] = !inside || (clear[next] && from->cells[next] == 0);
            result->pieces[0].cells[at] = clear[at] && from->cells[at] != 0;
        }
    }
    return true;
}

/* ------------------------------------------------------------------------------------------- rectangles */

/* best = the largest area of a rectangle of set cells whose lower right corner is (r, c); heights of columns above,
 * this row counted, are in `heights`; both sides have `least_side` or more. */
static int largest_at(const uint8_t *heights, int c, int least_side) {
    int best = 0, lowest = TTT_PIECE_SIDE;
    for (int left = c; left >= 0 && heights[left] > 0; left--) {
        if (heights[left] < lowest) lowest = heights[left];
        if (lowest < least_side || c - left + 1 < least_side) continue;
        if (lowest * (c - left + 1) > best) best = lowest * (c - left + 1);
    }
    return best;
}

/* Sets the rectangles of that area with their lower right corner at (r, c). */
static void set_rectangles(const uint8_t *heights, int r, int c, int area, int least_side, ttt_piece *to) {
    int lowest = TTT_PIECE_SIDE;
    for (int left = c; left >= 0 && heights[left] > 0; left--) {
        const int width = c - left + 1;
        if (heights[left] < lowest) lowest = heights[left];
        if (lowest * width != area || lowest < least_side || width < least_side) continue;
        for (int i = 0; i < lowest; i++) memset(to->cells + (r - i) * to->width + left, 1, (size_t)width);
    }
}

/* Lines count only where no rectangle of two or more rows and columns is. */
bool ttt_op_largest_rectangle(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    int most = 2, least_side = 2;
    if (!mask_like(scratch, from, result)) return false;
    for (int pass = 0; pass < 3; pass++) { /* 0 and 1: how large; 2: where */
        if (pass == 1 && most == 2) least_side = 1;
        uint8_t heights[TTT_PIECE_SIDE] = {0};
        for (int r = 0; r < from->height; r++) {
            for (int c = 0; c < from->width; c++) {
                heights[c] = ttt_piece_at(from, r, c) ? (uint8_t)(heights[c] + 1) : 0;
                const int area = largest_at(heights, c, least_side);
                if (pass < 2 && area > most) most = area;
                if (pass == 2 && area == most) {
                    set_rectangles(heights, r, c, area, least_side, &result->pieces[0]);
                }
            }
        }
    }
    return true;
}

bool ttt_op_squares_in(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    const int side = arguments[1]->number;
    uint8_t heights[TTT_PIECE_SIDE] = {0};
    if (side < 2 || side > TTT_PIECE_SIDE || !mask_like(scratch, from, result)) return false;
    for (int r = 0; r < from->height; r++) {
        int run = 0; /* columns to the left, this one counted, that are high enough */
        for (int c = 0; c < from->width; c++) {
            heights[c] = ttt_piece_at(from, r, c) ? (uint8_t)(heights[c] + 1) : 0;
            run = heights[c] >= side ? run + 1 : 0;
            if (run < side) continue;
            for (int i = 0; i < side; i++) {
                memset(result->pieces[0].cells + (r - i) * from->width + c - side + 1, 1, (size_t)side);
            }
        }
    }
    return true;
}

bool ttt_op_middle(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    if (from->width < 3 || !mask_like(scratch, from, result)) return false;
    for (int i = 0; i < ttt_piece_area(from); i++) {
        const int c = i % from->width;
        result->pieces[0].cells[i] = c == (from->width - 1) / 2 || c == from->width / 2;
    }
    return true;
}

/* Bit `direction` of seen[cell]: the cell is 0 and something lies in that direction. */
static void mark_seen(const ttt_piece *from, int direction, uint8_t *seen) {
    const int dr = ttt_direction_rows(direction), dc = ttt_direction_columns(direction);
    const int area = ttt_piece_area(from), back = dr * from->width + dc;
    for (int i = 0; i < area; i++) {
        const int at = back > 0 ? area - 1 - i : i, r = at / from->width + dr, c = at % from->width + dc;
        if (from->cells[at] != 0 || r < 0 || c < 0 || r >= from->height || c >= from->width) continue;
        if (from->cells[at + back] != 0 || (seen[at + back] >> direction & 1)) seen[at] |= (uint8_t)(1u << direction);
    }
}

bool ttt_op_crossings(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    uint8_t *seen = ttt_scratch_allocate(scratch, (size_t)ttt_piece_area(from));
    if (seen == NULL || !mask_like(scratch, from, result)) return false;
    for (int d = 0; d < TTT_DIRECTION_COUNT; d += 2) mark_seen(from, d, seen);
    const unsigned upright = 1u << TTT_NORTH | 1u << TTT_SOUTH, level = 1u << TTT_EAST | 1u << TTT_WEST;
    bool any = false;
    for (int i = 0; i < ttt_piece_area(from); i++) {
        result->pieces[0].cells[i] = (seen[i] & upright) != 0 && (seen[i] & level) != 0;
        any |= result->pieces[0].cells[i] != 0;
    }
    return any;
}
/* Marks runs of at least *longest cells in each of `lines` lines; a longer one makes it forget the others. */
static void mark_runs(const ttt_piece *from, int lines, int line_step, int count, int step, int *longest,
                      ttt_piece *to) {
    for (int line = 0; line < lines; line++) {
        for (int i = 0, run = 0; i <= count; i++) {
            if (i < count && from->cells[line * line_step + i * step] != 0) {
                run++;
                continue;
            }
            if (run > *longest) memset(to->cells, 0, (size_t)ttt_piece_area(to));
            if (run > *longest) *longest = run;
            for (int back = 1; run == *longest && back <= run; back++) {
                to->cells[line * line_step + (i - back) * step] = 1;
            }
            run = 0;
        }
    }
}

bool ttt_op_longest_runs(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    int longest = 2;
    if (!mask_like(scratch, from, result)) return false;
    mark_runs(from, from->height, from->width, from->width, 1, &longest, &result->pieces[0]);
    mark_runs(from, from->width, 1, from->height, from->width, &longest, &result->pieces[0]);
    return true;
}
