/* What the operations on pieces share. Components are found in one pass over the cells with a forest of provisional
 * labels: a cell joins the trees of its neighbours that come earlier in reading order, and the root of a tree is
 * always its earliest label, so that components come out in reading order without sorting. */
#include "induce/ops_pieces.h"

#include <string.h>

static int16_t root_of(int16_t *parents, int16_t label) {
    while (parents[label] != label) {
        parents[label] = parents[parents[label]];
        label = parents[label];
    }
    return label;
}

static int16_t join(int16_t *parents, int16_t a, int16_t b) {
    if (a == b) return a;
    a = root_of(parents, a);
    b = root_of(parents, b);
    if (a == b) return a;
    if (a > b) {
        parents[a] = b;
        return b;
    }
    parents[b] = a;
    return a;
}

/* Provisional labels; returns how many there are. */
static int16_t label_cells(const ttt_piece *grid, const ttt_contact *contact, int16_t *labels, int16_t *parents) {
    const int width = grid->width;
    int16_t labels_made = 0;
    for (int r = 0, at = 0; r < grid->height; r++) {
        for (int c = 0; c < width; c++, at++) {
            const uint8_t class = contact->classes[grid->cells[at]];
            if (class == 0) continue;
            int16_t label = 0;
            const uint8_t *cell = grid->cells + at;
            if (c > 0 && contact->classes[cell[-1]] == class) label = labels[at - 1];
            if (r > 0) {
                if (contact->classes[cell[-width]] == class) {
                    label = label == 0 ? labels[at - width] : join(parents, label, labels[at - width]);
                } else if (contact->corners) {
                    if (c > 0 && contact->classes[cell[-width - 1]] == class) {
                        label = label == 0 ? labels[at - width - 1] : join(parents, label, labels[at - width - 1]);
                    }
                    if (c + 1 < width && contact->classes[cell[-width + 1]] == class) {
                        label = label == 0 ? labels[at - width + 1] : join(parents, label, labels[at - width + 1]);
                    }
                }
            }
            if (label == 0) {
                label = ++labels_made;
                parents[label] = label;
            }
            labels[at] = label;
        }
    }
    return labels_made;
}

bool ttt_components_find(ttt_scratch *scratch, const ttt_piece *grid, const ttt_contact *contact,
                         ttt_components *components) {
    const int area = ttt_piece_area(grid);
    int16_t *labels = ttt_scratch_allocate(scratch, (size_t)area * sizeof *labels);
    int16_t *parents = ttt_scratch_allocate(scratch, (size_t)(area + 1) * sizeof *parents);
    if (labels == NULL || parents == NULL) return false;
    const int16_t made = label_cells(grid, contact, labels, parents);
    /* Roots come before the labels below them: numbering in order, parents[] becomes the final number. */
    int count = 0;
    for (int16_t label = 1; label <= made; label++) {
        parents[label] = (int16_t)(parents[label] == label ? ++count : parents[parents[label]]);
    }
    *components = (ttt_components){
        .count = count, .labels = labels, .of = ttt_scratch_allocate(scratch, (size_t)count * sizeof(ttt_component))};
    if (components->of == NULL) return false;
    for (int r = 0, at = 0; r < grid->height; r++) {
        for (int c = 0; c < grid->width; c++, at++) {
            if (labels[at] == 0) continue;
            labels[at] = parents[labels[at]];
            ttt_component *of = &components->of[labels[at] - 1];
            if (of->size++ == 0) {
                *of = (ttt_component){.top = (uint8_t)r, .left = (uint8_t)c, .first = (int16_t)at, .size = 1};
            }
            of->bottom = (uint8_t)r;
            if (c < of->left) of->left = (uint8_t)c;
            if (c > of->right) of->right = (uint8_t)c;
            of->edge |= r == 0 || c == 0 || r == grid->height - 1 || c == grid->width - 1;
        }
    }
    return true;
}

bool ttt_components_cut(ttt_scratch *scratch, const ttt_piece *grid, const ttt_components *components, int k,
                        ttt_piece *piece) {
    const ttt_component *of = &components->of[k];
    if (!ttt_piece_new(scratch, grid->row + of->top, grid->column + of->left, of->bottom - of->top + 1,
                       of->right - of->left + 1, piece)) {
        return false;
    }
    for (int r = 0; r < piece->height; r++) {
        for (int c = 0; c < piece->width; c++) {
            const int at = (of->top + r) * grid->width + of->left + c;
            if (components->labels[at] == k + 1) piece->cells[r * piece->width + c] = grid->cells[at];
        }
    }
    return true;
}

int ttt_piece_size(const ttt_piece *piece) {
    int size = 0;
    for (int i = 0; i < ttt_piece_area(piece); i++) size += piece->cells[i] != 0;
    return size;
}

uint8_t ttt_piece_colour(const ttt_piece *piece) {
    int counts[TTT_COLOURS] = {0};
    for (int i = 0; i < ttt_piece_area(piece); i++) counts[piece->cells[i]]++;
    counts[0] = 0;
    uint8_t most = 0;
    for (uint8_t colour = 1; colour < TTT_COLOURS; colour++) {
        if (counts[colour] > counts[most]) most = colour;
    }
    return most;
}

bool ttt_piece_same_cells(const ttt_piece *a, const ttt_piece *b) {
    return a->height == b->height && a->width == b->width && memcmp(a->cells, b->cells, (size_t)ttt_piece_area(a)) == 0;
}

bool ttt_piece_touches(const ttt_piece *a, const ttt_piece *b) {
    const int down = a->row - b->row, right = a->column - b->column;
    if (down > b->height || right > b->width || down + a->height < 0 || right + a->width < 0) return false;
    for (int r = 0; r < a->height; r++) {
        for (int c = 0; c < a->width; c++) {
            if (ttt_piece_at(a, r, c) == 0) continue;
            for (int dr = -1; dr <= 1; dr++) {
                for (int dc = -1; dc <= 1; dc++) {
                    if (ttt_piece_look(b, r + down + dr, c + right + dc) != 0) return true;
                }
            }
        }
    }
    return false;
}

static int clamp(int value, int low, int high) {
    return value < low ? low : value > high ? high : value;
}

void ttt_piece_draw(ttt_piece *canvas, const ttt_piece *piece) {
    const int down = piece->row - canvas->row, right = piece->column - canvas->column;
    const int top = clamp(-down, 0, piece->height), bottom = clamp(canvas->height - down, 0, piece->height);
    const int start = clamp(-right, 0, piece->width), end = clamp(canvas->width - right, 0, piece->width);
    for (int r = top; r < bottom; r++) {
        for (int c = start; c < end; c++) {
            const uint8_t cell = ttt_piece_at(piece, r, c);
            if (cell != 0) canvas->cells[(r + down) * canvas->width + c + right] = cell;
        }
    }
}

void ttt_piece_paint(ttt_piece *piece, uint8_t colour) {
    for (int i = 0; i < ttt_piece_area(piece); i++) {
        if (piece->cells[i] != 0) piece->cells[i] = colour;
    }
}

bool ttt_value_copy_piece(ttt_scratch *scratch, const ttt_piece *piece, ttt_value *value) {
    if (!ttt_value_new_like(scratch, piece, value)) return false;
    memcpy(value->pieces[0].cells, piece->cells, (size_t)ttt_piece_area(piece));
    return true;
}

bool ttt_value_new_like(ttt_scratch *scratch, const ttt_piece *piece, ttt_value *value) {
    return ttt_value_new_grid(scratch, piece->row, piece->column, piece->height, piece->width, value);
}

ttt_box ttt_list_box(const ttt_value *list) {
    ttt_box box = {INT8_MAX, INT8_MAX, INT8_MIN, INT8_MIN};
    for (int i = 0; i < list->count; i++) {
        const ttt_piece *piece = &list->pieces[i];
        const int bottom = piece->row + piece->height - 1, right = piece->column + piece->width - 1;
        if (piece->row < box.top) box.top = piece->row;
        if (piece->column < box.left) box.left = piece->column;
        if (bottom > box.bottom) box.bottom = bottom;
        if (right > box.right) box.right = right;
    }
    return box;
}
