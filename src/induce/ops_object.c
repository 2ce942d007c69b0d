/* Operations: connected pieces of a grid. */
#include "induce/operations.h"

/* The rectangle around the component's cells, found by flooding from `start`; `label` marks them in `labels`. */
typedef struct component {
    int top, left, bottom, right;
} component;

static component flood(const ttt_piece *grid, int start, uint8_t label, uint8_t *labels, int16_t *stack) {
    component box = {TTT_PIECE_SIDE, TTT_PIECE_SIDE, -1, -1};
    int depth = 0;
    stack[depth++] = (int16_t)start;
    labels[start] = label;
    while (depth > 0) {
        const int at = stack[--depth], r = at / grid->width, c = at % grid->width;
        if (r < box.top) box.top = r;
        if (r > box.bottom) box.bottom = r;
        if (c < box.left) box.left = c;
        if (c > box.right) box.right = c;
        for (int d = 0; d < TTT_DIRECTION_COUNT; d++) {
            const int nr = r + ttt_direction_rows(d), nc = c + ttt_direction_columns(d);
            if (ttt_piece_look(grid, nr, nc) != grid->cells[start]) continue;
            const int next = nr * grid->width + nc;
            if (labels[next] != 0) continue;
            labels[next] = label;
            stack[depth++] = (int16_t)next;
        }
    }
    return box;
}

bool ttt_op_objects(ttt_scratch *scratch, const ttt_value *const *arguments, ttt_value *result) {
    const ttt_piece *grid = &arguments[0]->pieces[0];
    const int area = ttt_piece_area(grid);
    uint8_t *labels = ttt_scratch_allocate(scratch, (size_t)area);
    int16_t *stack = ttt_scratch_allocate(scratch, (size_t)area * sizeof *stack);
    if (labels == NULL || stack == NULL || !ttt_value_new_list(scratch, result)) return false;
    for (int start = 0; start < area; start++) {
        if (grid->cells[start] == 0 || labels[start] != 0) continue;
        if (result->count == TTT_LIST_MAX) return false;
        const uint8_t label = (uint8_t)(result->count + 1);
        const component box = flood(grid, start, label, labels, stack);
        ttt_piece piece;
        if (!ttt_piece_new(scratch, grid->row + box.top, grid->column + box.left, box.bottom - box.top + 1,
                           box.right - box.left + 1, &piece)) {
            return false;
        }
        for (int r = 0; r < piece.height; r++) {
            for (int c = 0; c < piece.width; c++) {
                const int at = (box.top + r) * grid->width + box.left + c;
                if (labels[at] == label) piece.cells[r * piece.width + c] = grid->cells[at];
            }
        }
        ttt_list_push(result, piece);
    }
    return result->count > 0;
}
