/* Operations: completing symmetries and periods, repairing and continuing patterns.
 *
 * A symmetry or a period is a claim that certain cells are equal. Cells of one colour, the hole, may be anything; the
 * claim holds when the other cells never contradict it, and then says what belongs into the hole. */
#include "induce/ops_grid.h"

/* ------------------------------------------------------------------------------------------- symmetry */

/* Cells are equal to their images: mirrored at a horizontal or vertical axis or at a diagonal, or a quarter turn on. */
typedef enum motion_kind { UP_DOWN, LEFT_RIGHT, DIAGONAL, ANTI_DIAGONAL, QUARTER_TURN, MOTION_KINDS } motion_kind;

/* The sum is that of a cell's row (for LEFT_RIGHT column) and its image's, of different axes where both are exchanged;
 * the difference is what an image's row has more than the cell's column. */
typedef struct cell_motion {
    motion_kind kind;
    int sum, difference;
} cell_motion;

/* The image of cell (r, c); may lie outside. */
static void move(cell_motion motion, int r, int c, int *image_r, int *image_c) {
    switch (motion.kind) {
    case UP_DOWN: *image_r = motion.sum - r, *image_c = c; break;
    case LEFT_RIGHT: *image_r = r, *image_c = motion.sum - c; break;
    case DIAGONAL: *image_r = c + motion.difference, *image_c = r - motion.difference; break;
    case ANTI_DIAGONAL: *image_r = motion.sum - c, *image_c = motion.sum - r; break;
    default: *image_r = c + motion.difference, *image_c = motion.sum - r; break;
    }
}

/* The cell's colour; the hole's for cells outside. */
static uint8_t look(const ttt_piece *piece, int r, int c, uint8_t hole) {
    return r < 0 || c < 0 || r >= piece->height || c >= piece->width ? hole : ttt_piece_at(piece, r, c);
}

/* The cells that are not holes, those of the most frequent colour last (others contradict sooner), and their box. */
typedef struct known_cells {
    struct place {
        uint8_t r, c, colour;
    } * at;
    int count;
    ttt_box box;
} known_cells;

static uint8_t most_frequent(const ttt_piece *piece, uint8_t hole) {
    int counts[TTT_COLOURS], best = hole == 0 ? 1 : 0;
    count_colours(piece, counts);
    for (int colour = 0; colour < TTT_COLOURS; colour++) {
        if (colour != hole && counts[colour] > counts[best]) best = colour;
    }
    return (uint8_t)best;
}

/* Appends the cells that are, or are not, of the colour. */
static void append_known(const ttt_piece *piece, uint8_t hole, uint8_t colour, bool wanted, known_cells *known) {
    for (int r = 0; r < piece->height; r++) {
        for (int c = 0; c < piece->width; c++) {
            const uint8_t cell = ttt_piece_at(piece, r, c);
            if (cell == hole || (cell == colour) != wanted) continue;
            known->at[known->count++] = (struct place){(uint8_t)r, (uint8_t)c, cell};
        }
    }
}

static bool find_known(ttt_scratch *scratch, const ttt_piece *piece, uint8_t hole, known_cells *known) {
    const uint8_t frequent = most_frequent(piece, hole);
    int top = piece->height, bottom = -1, left = piece->width, right = -1;
    *known = (known_cells){.at = ttt_scratch_allocate(scratch, (size_t)ttt_piece_area(piece) * sizeof *known->at)};
    if (known->at == NULL) return false;
    append_known(piece, hole, frequent, false, known);
    append_known(piece, hole, frequent, true, known);
    for (int i = 0; i < known->count; i++) {
        const struct place place = known->at[i];
        if (place.r < top) top = place.r;
        if (place.r > bottom) bottom = place.r;
        if (place.c < left) left = place.c;
        if (place.c > right) right = place.c;
    }
    known->box = (ttt_box){top, left, bottom - top + 1, right - left + 1};
    return known->count > 0;
}

/* How many cells have an equal image, not counting those that do not move; -1 when any contradicts, or when fewer than
 * `least` would. */
static int agreement(const ttt_piece *piece, const known_cells *known, uint8_t hole, cell_motion motion, int least) {
    int without = 0;
    for (int i = 0; i < known->count; i++) {
        const struct place place = known->at[i];
        int image_r, image_c;
        move(motion, place.r, place.c, &image_r, &image_c);
        const uint8_t image = look(piece, image_r, image_c, hole);
        if (image == hole || (image_r == place.r && image_c == place.c)) {
            if (++without > known->count - least) return -1;
        } else if (image != place.colour) {
            return -1;
        }
    }
    return known->count - without;
}

/* Where to look for axes of a kind: wherever half of the box of known cells can lie on either side; for the centre of
 * a turn a few cells around the middle of the box. */
static void axes_of_kind(motion_kind kind, ttt_box box, cell_motion *first, cell_motion *last) {
    enum { AROUND = 3 };
    const int rows = 2 * box.top + box.height - 1, columns = 2 * box.left + box.width - 1;
    const int sum = (rows + columns) / 2, difference = (rows - columns) / 2;
    const int half = (box.height < box.width ? box.height : box.width) / 2;
    *first = *last = (cell_motion){.kind = kind};
    switch (kind) {
    case UP_DOWN: first->sum = rows - box.height / 2, last->sum = rows + box.height / 2; break;
    case LEFT_RIGHT: first->sum = columns - box.width / 2, last->sum = columns + box.width / 2; break;
    case DIAGONAL: first->difference = difference - half, last->difference = difference + half; break;
    case ANTI_DIAGONAL: first->sum = sum - half, last->sum = sum + half; break;
    default:
        first->sum = sum - AROUND, last->sum = sum + AROUND;
        first->difference = difference - AROUND, last->difference = difference + AROUND;
    }
}

/* The motion of the kind with the most equal cells; false unless at least half of the known cells have an equal
 * image. */
static bool find_motion(const ttt_piece *piece, const known_cells *known, uint8_t hole, motion_kind kind,
                        cell_motion *found) {
    int best = (known->count - 1) / 2;
    bool any = false;
    cell_motion first, last;
    axes_of_kind(kind, known->box, &first, &last);
    for (int sum = first.sum; sum <= last.sum; sum++) {
        for (int difference = first.difference; difference <= last.difference; difference++) {
            const cell_motion tried = {kind, sum, difference};
            const int equal = agreement(piece, known, hole, tried, best + 1);
            if (equal <= best) continue;
            best = equal;
            *found = tried;
            any = true;
        }
    }
    return any;
}

/* Fills holes from their images until nothing changes; an image may itself have been filled. */
static void fill_from_images(ttt_piece *piece, uint8_t hole, const cell_motion *motions, int count) {
    bool again = true;
    while (again) {
        again = false;
        for (int i = 0; i < ttt_piece_area(piece); i++) {
            for (int k = 0; k < count && piece->cells[i] == hole; k++) {
                int r, c;
                move(motions[k], i / piece->width, i % piece->width, &r, &c);
                piece->cells[i] = look(piece, r, c, hole);
                if (piece->cells[i] != hole) again = true;
            }
        }
    }
}

bool ttt_op_complete_symmetry(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    const uint8_t hole = (uint8_t)arguments[1]->number;
    known_cells known;
    cell_motion motions[MOTION_KINDS];
    int count = 0;
    if (memchr(from->cells, hole, (size_t)ttt_piece_area(from)) == NULL) return grid_copy(scratch, from, result);
    if (!find_known(scratch, from, hole, &known)) return false;
    for (int kind = 0; kind < MOTION_KINDS; kind++) {
        count += find_motion(from, &known, hole, (motion_kind)kind, &motions[count]);
    }
    if (count == 0 || !grid_copy(scratch, from, result)) return false;
    fill_from_images(&result->pieces[0], hole, motions, count);
    return true;
}

/* ------------------------------------------------------------------------------------------- periods */

enum { UNKNOWN = TTT_COLOURS };

/* A tile of down x across cells, repeated; every next row of tiles lies `shift` cells further left. */
typedef struct grid_tiling {
    int down, across, shift;
    uint8_t tile[TTT_GRID_CELLS];
} grid_tiling;

/* The place in the tile of a row's first cell, and where the tile's line of that row begins. */
static int row_phase(const grid_tiling *tiling, int r) {
    return r / tiling->down * tiling->shift % tiling->across;
}
static int row_line(const grid_tiling *tiling, int r) {
    return r % tiling->down * tiling->across;
}

/* Fills the tile: the colour that all its cells' copies have, UNKNOWN where all are holes; false where two differ. */
static bool read_tile(const ttt_piece *piece, int hole, grid_tiling *tiling) {
    memset(tiling->tile, UNKNOWN, (size_t)(tiling->down * tiling->across));
    for (int r = 0; r < piece->height; r++) {
        const uint8_t *cells = piece->cells + r * piece->width;
        uint8_t *line = tiling->tile + row_line(tiling, r);
        for (int c = 0, at = row_phase(tiling, r); c < piece->width; c++, at = at + 1 == tiling->across ? 0 : at + 1) {
            if (cells[c] == hole) continue;
            if (line[at] == UNKNOWN) line[at] = cells[c];
            if (line[at] != cells[c]) return false;
        }
    }
    return true;
}

static bool tile_fits(const ttt_piece *piece, int hole, grid_tiling *tiling) {
    return read_tile(piece, hole, tiling) &&
           memchr(tiling->tile, UNKNOWN, (size_t)(tiling->down * tiling->across)) == NULL;
}

/* Are cells equal to those so far below and to the right, where neither is a hole? */
static bool period_holds(const ttt_piece *piece, int hole, int down, int right) {
    for (int r = 0; r + down < piece->height; r++) {
        const uint8_t *cells = piece->cells + r * piece->width, *moved = cells + down * piece->width + right;
        for (int c = 0; c + right < piece->width; c++) {
            if (cells[c] != moved[c] && cells[c] != hole && moved[c] != hole) return false;
        }
    }
    return true;
}

/* The smallest tile, by area, whose repetition agrees with the grid, has no unknown cell and occurs at least twice
 * (counted in known cells). Tiles of one row may be shifted (stripes): `shifts`. hole: a colour, or UNKNOWN for none.
 */
static bool find_tiling(const ttt_piece *piece, int hole, bool shifts, grid_tiling *best) {
    enum { SHIFTED_MAX = 10 };
    bool rows_hold[TTT_PIECE_SIDE + 1], columns_hold[TTT_PIECE_SIDE + 1];
    int known = 0;
    for (int i = 0; i < ttt_piece_area(piece); i++) known += piece->cells[i] != hole;
    for (int h = 1; h <= piece->height; h++) rows_hold[h] = period_holds(piece, hole, h, 0);
    for (int w = 1; w <= piece->width; w++) columns_hold[w] = period_holds(piece, hole, 0, w);
    int smallest = known / 2 + 1;
    grid_tiling tried;
    best->down = best->across = best->shift = 0;
    for (int h = 1; h <= piece->height; h++) {
        for (int w = 1; w <= piece->width && h * w < smallest; w++) {
            const int shift_count = shifts && h == 1 && w <= SHIFTED_MAX ? w : 1;
            for (int shift = 0; columns_hold[w] && shift < shift_count; shift++) {
                tried.down = h, tried.across = w, tried.shift = shift;
                if ((shift == 0 && !rows_hold[h]) || !tile_fits(piece, hole, &tried)) continue;
                *best = tried;
                smallest = h * w;
                break;
            }
        }
    }
    return best->down > 0;
}

bool ttt_op_complete_period(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    const uint8_t hole = (uint8_t)arguments[1]->number;
    grid_tiling tiling;
    if (memchr(from->cells, hole, (size_t)ttt_piece_area(from)) == NULL) return grid_copy(scratch, from, result);
    if (!grid_like(scratch, from, result) || !find_tiling(from, hole, true, &tiling)) return false;
    for (int i = 0; i < ttt_piece_area(from); i++) {
        const int r = i / from->width, c = (row_phase(&tiling, r) + i % from->width) % tiling.across;
        result->pieces[0].cells[i] = tiling.tile[row_line(&tiling, r) + c];
    }
    return true;
}

bool ttt_op_period_tile(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    grid_tiling tiling;
    return find_tiling(from, UNKNOWN, false, &tiling) &&
           ttt_piece_cut_grid(scratch, from, (ttt_box){0, 0, tiling.down, tiling.across}, result);
}

/* Does the content agree with itself moved by (down, right)? Cells must overlap. */
static bool agrees_when_moved(const ttt_piece *piece, ttt_box box, int down, int right) {
    bool overlap = false;
    for (int r = box.top; r < box.top + box.height; r++) {
        const int moved_r = r + down;
        if (moved_r < box.top || moved_r >= box.top + box.height) continue;
        for (int c = box.left; c < box.left + box.width; c++) {
            const int moved_c = c + right;
            if (moved_c < box.left || moved_c >= box.left + box.width) continue;
            if (ttt_piece_at(piece, r, c) != ttt_piece_at(piece, moved_r, moved_c)) return false;
            overlap = true;
        }
    }
    return overlap;
}

/* The content goes on in the direction with its smallest period, or, having none, as a whole. */
bool ttt_op_extend_pattern(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    const int down = ttt_direction_rows(arguments[1]->number), right = ttt_direction_columns(arguments[1]->number);
    ttt_box box;
    int step = 1;
    if (!ttt_piece_content(from, &box) || !grid_copy(scratch, from, result)) return false;
    ttt_piece *to = &result->pieces[0];
    const int longest = down == 0 ? box.width : right == 0 || box.height < box.width ? box.height : box.width;
    while (step < longest && !agrees_when_moved(from, box, down * step, right * step)) step++;
    /* In the order in which copies arise, so that the second is made of the first. */
    for (int i = 0; i < from->height; i++) {
        const int r = down < 0 ? from->height - 1 - i : i, source_r = r - down * step;
        for (int j = 0; j < from->width; j++) {
            const int c = right < 0 ? from->width - 1 - j : j, source_c = c - right * step;
            uint8_t *cell = &to->cells[r * to->width + c];
            if (*cell == 0) *cell = ttt_piece_look(to, source_r, source_c);
        }
    }
    return true;
}

/* ------------------------------------------------------------------------------------------- noise */

/* How often each colour is among the eight neighbours. */
static void count_around(const ttt_piece *piece, int r, int c, int counts[TTT_COLOURS]) {
    memset(counts, 0, TTT_COLOURS * sizeof *counts);
    for (int d = 0; d < TTT_DIRECTION_COUNT; d++) {
        const int next_r = r + ttt_direction_rows(d), next_c = c + ttt_direction_columns(d);
        if (next_r < 0 || next_c < 0 || next_r >= piece->height || next_c >= piece->width) continue;
        counts[ttt_piece_at(piece, next_r, next_c)]++;
    }
}

static uint8_t most_around(const int counts[TTT_COLOURS]) {
    int best = 0;
    for (int colour = 1; colour < TTT_COLOURS; colour++) {
        if (counts[colour] > counts[best]) best = colour;
    }
    return (uint8_t)best;
}

/* Replaces cells that have no neighbour of their colour (`cleared`: by 0, else by the most frequent neighbour). */
static bool remove_isolated(ttt_scratch *scratch, const ttt_piece *from, bool cleared, ttt_value *result) {
    if (!grid_copy(scratch, from, result)) return false;
    for (int i = 0; i < ttt_piece_area(from); i++) {
        int counts[TTT_COLOURS];
        if (from->cells[i] == 0 && cleared) continue;
        count_around(from, i / from->width, i % from->width, counts);
        if (counts[from->cells[i]] == 0) result->pieces[0].cells[i] = cleared ? 0 : most_around(counts);
    }
    return true;
}

bool ttt_op_clear_isolated(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return remove_isolated(scratch, piece_of(arguments, 0), true, result);
}

bool ttt_op_blend_isolated(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return remove_isolated(scratch, piece_of(arguments, 0), false, result);
}

/* Every cell becomes the most frequent colour of itself and its neighbours, its own where that is one of them. */
bool ttt_op_smooth(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    if (!grid_like(scratch, from, result)) return false;
    for (int i = 0; i < ttt_piece_area(from); i++) {
        int counts[TTT_COLOURS];
        count_around(from, i / from->width, i % from->width, counts);
        counts[from->cells[i]]++;
        const uint8_t most = most_around(counts);
        result->pieces[0].cells[i] = counts[from->cells[i]] == counts[most] ? from->cells[i] : most;
    }
    return true;
}

bool ttt_op_symmetric_patch(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    ttt_value whole, hole;
    if (!ttt_op_complete_symmetry(scratch, arguments, &whole) || !ttt_op_is_colour(scratch, arguments, &hole)) {
        return false;
    }
    return ttt_op_crop_to(scratch, (const ttt_value *[]){&whole, &hole}, result);
}
