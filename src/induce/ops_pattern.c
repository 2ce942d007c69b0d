/* Operations: completing symmetries and periods, repairing and continuing patterns.
 *
 * A symmetry or a period is a claim that certain cells are equal. Cells of one colour, the hole, may be anything; the
 * claim holds when the other cells never contradict it, and then says what belongs into the hole. */
#include "induce/ops_grid.h"

/* ------------------------------------------------------------------------------------------- symmetry */

/* Cells are equal to their images, mirrored at a horizontal or vertical axis, or at a diagonal. */
typedef enum reflection_kind { UP_DOWN, LEFT_RIGHT, DIAGONAL, ANTI_DIAGONAL, REFLECTION_KINDS } reflection_kind;

typedef struct reflection {
    reflection_kind kind;
    int sum; /* of the row of a cell and its image's (LEFT_RIGHT: columns; ANTI_DIAGONAL: its image's column); for
              * DIAGONAL what the image's row has more than the column */
} reflection;

/* The image of cell (r, c); may lie outside. */
static void reflect(reflection mirror, int r, int c, int *image_r, int *image_c) {
    switch (mirror.kind) {
    case UP_DOWN: *image_r = mirror.sum - r, *image_c = c; break;
    case LEFT_RIGHT: *image_r = r, *image_c = mirror.sum - c; break;
    case DIAGONAL: *image_r = c + mirror.sum, *image_c = r - mirror.sum; break;
    default: *image_r = mirror.sum - c, *image_c = mirror.sum - r; break;
    }
}

/* The cell's colour; the hole's for cells outside. */
static uint8_t look(const ttt_piece *piece, int r, int c, uint8_t hole) {
    return r < 0 || c < 0 || r >= piece->height || c >= piece->width ? hole : ttt_piece_at(piece, r, c);
}

/* How many cells have an equal image, not counting those on the axis; -1 when any contradicts, or when fewer than
 * `least` would. */
static int agreement(const ttt_piece *piece, const int16_t *known, int count, uint8_t hole, reflection mirror,
                     int least) {
    int without = 0;
    for (int i = 0; i < count; i++) {
        const int r = known[i] / piece->width, c = known[i] % piece->width;
        int image_r, image_c;
        reflect(mirror, r, c, &image_r, &image_c);
        const uint8_t image = look(piece, image_r, image_c, hole);
        if (image == hole || (image_r == r && image_c == c)) {
            if (++without > count - least) return -1;
        } else if (image != piece->cells[known[i]]) {
            return -1;
        }
    }
    return count - without;
}

/* The axis of the kind with the most equal cells; false unless at least half of the known cells have an equal image. */
static bool find_axis(const ttt_piece *piece, const int16_t *known, int count, uint8_t hole, reflection *mirror) {
    int best = (count - 1) / 2;
    bool found = false;
    const int least = mirror->kind == DIAGONAL ? -piece->width + 1 : 0;
    const int most = mirror->kind == UP_DOWN      ? 2 * piece->height - 2
                     : mirror->kind == LEFT_RIGHT ? 2 * piece->width - 2
                     : mirror->kind == DIAGONAL   ? piece->height - 1
                                                  : piece->height + piece->width - 2;
    for (int sum = least; sum <= most; sum++) {
        const int equal = agreement(piece, known, count, hole, (reflection){mirror->kind, sum}, best + 1);
        if (equal <= best) continue;
        best = equal;
        mirror->sum = sum;
        found = true;
    }
    return found;
}

/* Fills holes from their images until nothing changes; an image may itself have been filled. */
static bool fill_from_images(ttt_piece *piece, uint8_t hole, const reflection *mirrors, int count) {
    bool any = false, again = true;
    while (again) {
        again = false;
        for (int i = 0; i < ttt_piece_area(piece); i++) {
            for (int k = 0; k < count && piece->cells[i] == hole; k++) {
                int r, c;
                reflect(mirrors[k], i / piece->width, i % piece->width, &r, &c);
                piece->cells[i] = look(piece, r, c, hole);
                if (piece->cells[i] != hole) any = again = true;
            }
        }
    }
    return any;
}

bool ttt_op_complete_symmetry(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    const uint8_t hole = (uint8_t)arguments[1]->number;
    const int area = ttt_piece_area(from);
    int16_t *known = ttt_scratch_allocate(scratch, (size_t)area * sizeof *known);
    reflection mirrors[REFLECTION_KINDS];
    int known_count = 0, count = 0;
    if (memchr(from->cells, hole, (size_t)area) == NULL || known == NULL || !grid_like(scratch, from, result))
        return false;
    for (int i = 0; i < area; i++) {
        if (from->cells[i] != hole) known[known_count++] = (int16_t)i;
    }
    if (known_count == 0) return false;
    for (int kind = 0; kind < REFLECTION_KINDS; kind++) {
        mirrors[count].kind = (reflection_kind)kind;
        count += find_axis(from, known, known_count, hole, &mirrors[count]);
    }
    memcpy(result->pieces[0].cells, from->cells, (size_t)area);
    return fill_from_images(&result->pieces[0], hole, mirrors, count);
}

/* ------------------------------------------------------------------------------------------- periods */

enum { UNKNOWN = TTT_COLOURS };

/* tile[r mod down][c mod across] = the colour of all such cells, UNKNOWN where all are holes; false where two differ.
 */
static bool read_tile(const ttt_piece *piece, int hole, int down, int across, uint8_t *tile) {
    memset(tile, UNKNOWN, (size_t)(down * across));
    for (int r = 0; r < piece->height; r++) {
        const uint8_t *cells = piece->cells + r * piece->width;
        uint8_t *line = tile + r % down * across;
        for (int c = 0, at = 0; c < piece->width; c++, at = at + 1 == across ? 0 : at + 1) {
            if (cells[c] == hole) continue;
            if (line[at] == UNKNOWN) line[at] = cells[c];
            if (line[at] != cells[c]) return false;
        }
    }
    return true;
}

/* The smallest tile, by area, whose repetition agrees with the grid, has no unknown cell and occurs at least twice
 * (counted in known cells). hole: a colour, or UNKNOWN for none. */
static bool find_tile(const ttt_piece *piece, int hole, uint8_t *tile, int *down, int *across) {
    const int area = ttt_piece_area(piece);
    int known = 0;
    for (int i = 0; i < area; i++) known += piece->cells[i] != hole;
    for (int size = 1; size * 2 <= known; size++) {
        for (int h = 1; h <= piece->height && h <= size; h++) {
            if (size % h != 0 || size / h > piece->width) continue;
            if (!read_tile(piece, hole, h, size / h, tile) || memchr(tile, UNKNOWN, (size_t)size) != NULL) continue;
            *down = h;
            *across = size / h;
            return true;
        }
    }
    return false;
}

bool ttt_op_complete_period(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    const uint8_t hole = (uint8_t)arguments[1]->number;
    uint8_t tile[TTT_GRID_CELLS];
    int down, across;
    if (memchr(from->cells, hole, (size_t)ttt_piece_area(from)) == NULL || !grid_like(scratch, from, result) ||
        !find_tile(from, hole, tile, &down, &across)) {
        return false;
    }
    for (int i = 0; i < ttt_piece_area(from); i++) {
        result->pieces[0].cells[i] = tile[i / from->width % down * across + i % from->width % across];
    }
    return true;
}

bool ttt_op_period_tile(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    uint8_t tile[TTT_GRID_CELLS];
    int down, across;
    return find_tile(from, UNKNOWN, tile, &down, &across) &&
           ttt_piece_cut_grid(scratch, from, (ttt_box){0, 0, down, across}, result);
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
    return differs(from, to);
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
    return differs(from, &result->pieces[0]);
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
    return differs(from, &result->pieces[0]);
}
