/* Operations: rotations, reflections, mirrored copies. An image of a grid under a symmetry of the square is read from
 * its cells by walking: from a corner, so many cells on for the next row, so many for the next column. */
#include "induce/ops_grid.h"

#include <stdlib.h>

typedef enum square_symmetry {
    SAME,
    FLIP_ROWS,
    FLIP_COLUMNS,
    TURN_HALF,
    TRANSPOSE,
    ANTI_TRANSPOSE,
    TURN_RIGHT,
    TURN_LEFT
} square_symmetry;

typedef struct image_walk {
    int start, down, right;
} image_walk;

static image_walk walk_of(square_symmetry symmetry, const ttt_piece *from) {
    const int w = from->width, last = ttt_piece_area(from) - 1;
    switch (symmetry) {
    case SAME: return (image_walk){0, w, 1};
    case FLIP_ROWS: return (image_walk){last - (w - 1), -w, 1};
    case FLIP_COLUMNS: return (image_walk){w - 1, w, -1};
    case TURN_HALF: return (image_walk){last, -w, -1};
    case TRANSPOSE: return (image_walk){0, 1, w};
    case ANTI_TRANSPOSE: return (image_walk){last, -1, -w};
    case TURN_RIGHT: return (image_walk){last - (w - 1), 1, -w};
    case TURN_LEFT: return (image_walk){w - 1, -1, w};
    }
    return (image_walk){0, w, 1};
}

static bool is_turned(square_symmetry symmetry) {
    return symmetry >= TRANSPOSE;
}

/* Writes the image into `to` with its corner at (row, column); only over 0 when `under`. */
static void copy_image(const ttt_piece *from, square_symmetry symmetry, bool under, ttt_piece *to, int row,
                       int column) {
    const image_walk walk = walk_of(symmetry, from);
    const int height = is_turned(symmetry) ? from->width : from->height;
    const int width = is_turned(symmetry) ? from->height : from->width;
    for (int r = 0; r < height; r++) {
        uint8_t *cells = to->cells + (row + r) * to->width + column;
        for (int c = 0; c < width; c++) {
            if (!under || cells[c] == 0) cells[c] = from->cells[walk.start + r * walk.down + c * walk.right];
        }
    }
}

static bool image(ttt_scratch *scratch, const ttt_piece *from, square_symmetry symmetry, ttt_value *result) {
    const int height = is_turned(symmetry) ? from->width : from->height;
    const int width = is_turned(symmetry) ? from->height : from->width;
    /* The middle stays where it is, or comes to lie half a cell up or to the left. */
    const int down = (from->height - height + TTT_PIECE_OFFSET) / 2 - TTT_PIECE_OFFSET / 2;
    const int right = (from->width - width + TTT_PIECE_OFFSET) / 2 - TTT_PIECE_OFFSET / 2;
    if (!ttt_value_new_grid(scratch, from->row + down, from->column + right, height, width, result)) return false;
    copy_image(from, symmetry, false, &result->pieces[0], 0, 0);
    return true;
}

bool ttt_op_flip_rows(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return image(scratch, piece_of(arguments, 0), FLIP_ROWS, result);
}

bool ttt_op_flip_columns(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return image(scratch, piece_of(arguments, 0), FLIP_COLUMNS, result);
}

bool ttt_op_transpose(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return image(scratch, piece_of(arguments, 0), TRANSPOSE, result);
}

bool ttt_op_anti_transpose(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return image(scratch, piece_of(arguments, 0), ANTI_TRANSPOSE, result);
}

bool ttt_op_turn_right(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return image(scratch, piece_of(arguments, 0), TURN_RIGHT, result);
}

bool ttt_op_turn_left(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return image(scratch, piece_of(arguments, 0), TURN_LEFT, result);
}

bool ttt_op_turn_half(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    return image(scratch, piece_of(arguments, 0), TURN_HALF, result);
}

/* Towards a side the image is beyond that side; towards a corner there are three, around that corner. */
bool ttt_op_mirror(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const square_symmetry images[2][2] = {{SAME, FLIP_COLUMNS}, {FLIP_ROWS, TURN_HALF}};
    const ttt_piece *from = piece_of(arguments, 0);
    const int h = from->height, w = from->width, direction = arguments[1]->number;
    const int down = ttt_direction_rows(direction), right = ttt_direction_columns(direction);
    const int above = down < 0 ? h : 0, before = right < 0 ? w : 0;
    if (!ttt_value_new_grid(scratch, from->row - above, from->column - before, h * (1 + abs(down)),
                            w * (1 + abs(right)), result)) {
        return false;
    }
    for (int i = 0; i <= abs(down); i++) {
        for (int j = 0; j <= abs(right); j++) {
            copy_image(from, images[i][j], false, &result->pieces[0], above + i * down * h, before + j * right * w);
        }
    }
    return true;
}

bool ttt_op_pinwheel(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *from = piece_of(arguments, 0);
    const int side = from->height;
    if (from->width != side || !ttt_value_new_grid(scratch, from->row, from->column, 2 * side, 2 * side, result)) {
        return false;
    }
    copy_image(from, SAME, false, &result->pieces[0], 0, 0);
    copy_image(from, TURN_RIGHT, false, &result->pieces[0], 0, side);
    copy_image(from, TURN_HALF, false, &result->pieces[0], side, side);
    copy_image(from, TURN_LEFT, false, &result->pieces[0], side, 0);
    return true;
}

/* The grid, with images of it seen through its 0. */
static bool overlay(ttt_scratch *scratch, const ttt_piece *from, const square_symmetry *images, size_t count,
                    ttt_value *result) {
    if (!grid_like(scratch, from, result)) return false;
    copy_image(from, SAME, false, &result->pieces[0], 0, 0);
    for (size_t i = 0; i < count; i++) copy_image(from, images[i], true, &result->pieces[0], 0, 0);
    return true;
}

bool ttt_op_overlay_mirrored(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const square_symmetry images[] = {FLIP_COLUMNS, FLIP_ROWS, TURN_HALF};
    return overlay(scratch, piece_of(arguments, 0), images, 3, result);
}

bool ttt_op_overlay_turned(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const square_symmetry images[] = {TURN_RIGHT, TURN_HALF, TURN_LEFT};
    const ttt_piece *from = piece_of(arguments, 0);
    return from->height == from->width && overlay(scratch, from, images, 3, result);
}
