/* Operations: recognising a pattern in a grid and drawing what is missing of it. */
#include "induce/ops_pieces.h"

#include <string.h>

bool ttt_op_find(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *pattern = &arguments[0]->pieces[0], *grid = &arguments[1]->pieces[0];
    if (ttt_piece_area(pattern) < 2 || pattern->height > grid->height || pattern->width > grid->width ||
        ttt_piece_same_cells(pattern, grid) || !ttt_value_new_list(scratch, result)) {
        return false;
    }
    for (int r = 0; r + pattern->height <= grid->height; r++) {
        for (int c = 0; c + pattern->width <= grid->width; c++) {
            bool same = true;
            for (int row = 0; row < pattern->height && same; row++) {
                same = memcmp(pattern->cells + row * pattern->width, grid->cells + (r + row) * grid->width + c,
                              pattern->width) == 0;
            }
            if (!same) continue;
            ttt_piece piece;
            if (!ttt_piece_new(scratch, grid->row + r, grid->column + c, pattern->height, pattern->width, &piece)) {
                return false;
            }
            memcpy(piece.cells, pattern->cells, (size_t)ttt_piece_area(pattern));
            if (!ttt_list_push(result, piece)) return false;
        }
    }
    return result->count > 0;
}

/* ------------------------------------------------------------------------------- one template, by its rare colours */

/* A cell of a template, turned and mirrored. */
typedef struct template_cell {
    int down, right;
    uint8_t colour;
} template_cell;

/* Bit 1 of `symmetry` mirrors rows, bit 2 columns, bit 4 transposes. */
static template_cell turned_cell(int r, int c, uint8_t colour, int symmetry) {
    if (symmetry & 1) r = -r;
    if (symmetry & 2) c = -c;
    return (template_cell){symmetry & 4 ? c : r, symmetry & 4 ? r : c, colour};
}

/* Where all anchors (cells of the first `anchors`) are in the grid, and the other cells are 0 or as in the template,
 * draws the template into `out`. */
static void complete_turned(const ttt_piece *grid, const template_cell *cells, int anchors, int count, uint8_t *out) {
    for (int r = 0; r < grid->height; r++) {
        for (int c = 0; c < grid->width; c++) {
            bool fits = true;
            int missing = 0;
            for (int i = 0; i < count && fits; i++) {
                const uint8_t cell = ttt_piece_look(grid, r + cells[i].down, c + cells[i].right);
                fits = cell == cells[i].colour || (i >= anchors && cell == 0);
                missing += cell == 0;
            }
            if (!fits || missing < count - anchors) continue;
            for (int i = anchors; i < count; i++) {
                const int row = r + cells[i].down, column = c + cells[i].right;
                if (row < 0 || column < 0 || row >= grid->height || column >= grid->width) continue;
                out[row * grid->width + column] = cells[i].colour;
            }
        }
    }
}

bool ttt_op_complete(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *template = &arguments[0]->pieces[0], *grid = &arguments[1]->pieces[0];
    const uint8_t main = ttt_piece_colour(template);
    template_cell *cells = ttt_scratch_allocate(scratch, (size_t)ttt_piece_area(template) * sizeof *cells);
    if (cells == NULL || !ttt_value_copy_piece(scratch, grid, result)) return false;
    for (int symmetry = 0; symmetry < 8; symmetry++) {
        int count = 0, anchors = 0;
        for (int anchor = 1; anchor >= 0; anchor--) {
            for (int at = 0; at < ttt_piece_area(template); at++) {
                const uint8_t colour = template->cells[at];
                if (colour == 0 || (colour != main) != anchor) continue;
                cells[count++] = turned_cell(at / template->width, at % template->width, colour, symmetry);
            }
            if (anchor) anchors = count;
        }
        if (anchors == 0 || anchors == count || (anchors == 1 && symmetry > 0)) break;
        const int down = cells[0].down, right = cells[0].right;
        for (int i = 0; i < count; i++) {
            cells[i].down -= down;
            cells[i].right -= right;
        }
        complete_turned(grid, cells, anchors, count, result->pieces[0].cells);
    }
    return true;
}

/* The template is the box of the largest object that has other colours in its box. */
bool ttt_op_complete_own(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    static const ttt_contact contact = {TTT_CLASSES_ONE_COLOUR, .corners = true};
    const ttt_piece *grid = &arguments[0]->pieces[0];
    ttt_components objects;
    if (!ttt_components_find(scratch, grid, &contact, &objects)) return false;
    const ttt_component *largest = NULL;
    for (int k = 0; k < objects.count; k++) {
        const ttt_component *of = &objects.of[k];
        if (largest != NULL && of->size <= largest->size) continue;
        bool others = false;
        for (int r = of->top; r <= of->bottom; r++) {
            for (int c = of->left; c <= of->right; c++) {
                const uint8_t cell = ttt_piece_at(grid, r, c);
                others |= cell != 0 && cell != grid->cells[of->first];
            }
        }
        if (others) largest = of;
    }
    ttt_piece template;
    if (largest == NULL || !ttt_piece_new(scratch, 0, 0, largest->bottom - largest->top + 1,
                                          largest->right - largest->left + 1, &template)) {
        return false;
    }
    for (int r = 0; r < template.height; r++) {
        memcpy(template.cells + r * template.width, grid->cells + (largest->top + r) * grid->width + largest->left,
               template.width);
    }
    const ttt_value value = {.type = TTT_VALUE_GRID, .count = 1, .pieces = &template};
    return ttt_op_complete(scratch, (const ttt_value *const[]){&value, arguments[0]}, result);
}

/* ------------------------------------------------------------- all groups of a grid, by whatever is there of them */

/* A group may be part of another, larger one: a placement lays the larger one, turned and mirrored, over whole groups
 * of the grid whose cells it has, and over 0. The placements that cover most come first, and a group is completed
 * once. A single cell says nothing of turning: only its like in the larger group, if it is the one of its colour. */
enum { PLACEMENTS_MAX = 256, COMPLETED_CELLS = 100 };

typedef struct placement {
    int16_t row, column; /* of the template's first cell */
    uint8_t template, symmetry, covered;
} placement;

typedef struct completion {
    const ttt_piece *grid;
    ttt_components groups;
    int16_t *cells, *starts; /* cells[starts[k]...]: group k */
    placement *placements;
    int count;
} completion;

static bool completion_init(ttt_scratch *scratch, const ttt_piece *grid, completion *c) {
    static const ttt_contact contact = {TTT_CLASSES_ANY_COLOUR, .corners = true};
    *c = (completion){.grid = grid};
    if (!ttt_components_find(scratch, grid, &contact, &c->groups)) return false;
    int filled = 0;
    for (int k = 0; k < c->groups.count; k++) filled += c->groups.of[k].size;
    if (c->groups.count < 2 || filled > COMPLETED_CELLS) return false;
    c->cells = ttt_scratch_allocate(scratch, (size_t)filled * sizeof *c->cells);
    c->starts = ttt_scratch_allocate(scratch, (size_t)(c->groups.count + 1) * sizeof *c->starts);
    c->placements = ttt_scratch_allocate(scratch, PLACEMENTS_MAX * sizeof *c->placements);
    if (c->cells == NULL || c->starts == NULL || c->placements == NULL) return false;
    for (int k = 0, end = 0; k < c->groups.count; k++) {
        for (int at = c->groups.of[k].first; end < c->starts[k] + c->groups.of[k].size; at++) {
            if (c->groups.labels[at] == k + 1) c->cells[end++] = (int16_t)at;
        }
        c->starts[k + 1] = (int16_t)end;
    }
    return true;
}

/* Cell i of template k from its first cell. */
static template_cell cell_of(const completion *c, int k, int i, int symmetry) {
    const int width = c->grid->width, first = c->cells[c->starts[k]], at = c->cells[c->starts[k] + i];
    return turned_cell(at / width - first / width, at % width - first % width, c->grid->cells[at], symmetry);
}

/* How many cells the placement covers; 0 when it does not fit, or covers a group in part. */
static int covered_by(const completion *c, const placement *p) {
    int covered = 0, groups = 0;
    uint8_t seen[COMPLETED_CELLS], sizes = 0;
    for (int i = 0; i < c->groups.of[p->template].size; i++) {
        const template_cell cell = cell_of(c, p->template, i, p->symmetry);
        const int r = p->row + cell.down, column = p->column + cell.right;
        const uint8_t there = ttt_piece_look(c->grid, r, column);
        if (there == 0) continue;
        const int label = c->groups.labels[r * c->grid->width + column];
        if (there != cell.colour || label == p->template + 1) return 0;
        covered++;
        bool known = false;
        for (int j = 0; j < groups && !known; j++) known = seen[j] == label;
        if (known) continue;
        seen[groups++] = (uint8_t)label;
        sizes = (uint8_t)(sizes + c->groups.of[label - 1].size);
    }
    return covered == sizes && covered < c->groups.of[p->template].size ? covered : 0;
}

/* Is the cell the only one of its colour in the group? */
static bool only_one(const completion *c, int k, uint8_t colour) {
    int count = 0;
    for (int i = c->starts[k]; i < c->starts[k + 1]; i++) count += c->grid->cells[c->cells[i]] == colour;
    return count == 1;
}

/* All placements of template k over the first cells of smaller groups. */
static void place_template(completion *c, int k) {
    const int width = c->grid->width, size = c->groups.of[k].size;
    for (int other = 0; other < c->groups.count; other++) {
        const int at = c->groups.of[other].first;
        if (c->groups.of[other].size >= size) continue;
        for (int symmetry = 0; symmetry < 8; symmetry++) {
            for (int i = 0; i < size && c->count < PLACEMENTS_MAX; i++) {
                const template_cell cell = cell_of(c, k, i, symmetry);
                if (cell.colour != c->grid->cells[at]) continue;
                placement p = {.row = (int16_t)(at / width - cell.down),
                               .column = (int16_t)(at % width - cell.right),
                               .template = (uint8_t)k,
                               .symmetry = (uint8_t)symmetry};
                p.covered = (uint8_t)covered_by(c, &p);
                if (p.covered == 0 || (p.covered == 1 && (symmetry > 0 || !only_one(c, k, cell.colour)))) continue;
                c->placements[c->count++] = p;
            }
        }
    }
}

/* Draws the placement, unless something was drawn over the groups it covers. */
static void draw_placement(const completion *c, const placement *p, bool *used, uint8_t *out) {
    const int width = c->grid->width, size = c->groups.of[p->template].size;
    for (int draw = 0; draw < 2; draw++) {
        for (int i = 0; i < size; i++) {
            const template_cell cell = cell_of(c, p->template, i, p->symmetry);
            const int r = p->row + cell.down, column = p->column + cell.right;
            if (r < 0 || column < 0 || r >= c->grid->height || column >= width) continue;
            const int at = r * width + column, label = c->groups.labels[at];
            if (!draw && label != 0 && used[label - 1]) return;
            if (!draw) continue;
            if (label != 0) used[label - 1] = true;
            out[at] = cell.colour;
        }
    }
}

bool ttt_op_complete_groups(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    completion c;
    if (!completion_init(scratch, grid, &c)) return false;
    bool *used = ttt_scratch_allocate(scratch, (size_t)c.groups.count * sizeof *used);
    if (used == NULL || !ttt_value_copy_piece(scratch, grid, result)) return false;
    int largest = 0;
    for (int k = 0; k < c.groups.count; k++) {
        place_template(&c, k);
        if (c.groups.of[k].size > largest) largest = c.groups.of[k].size;
    }
    for (int covered = largest; covered > 0; covered--) {
        for (int i = 0; i < c.count; i++) {
            if (c.placements[i].covered == covered) draw_placement(&c, &c.placements[i], used, result->pieces[0].cells);
        }
    }
    return true;
}
