/* Votes. Counting is done in a pool of distinct grids; majorities by comparing lines (rows, or columns for the column
 * majority) with each other, which needs no memory and is quick enough for the hundreds of answers there are. */
#include "arc/vote.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

/* --- The pool ---------------------------------------------------------------------------------------------------- */

typedef struct candidate {
    ttt_grid grid;
    uint32_t votes;          /* answers that are this grid */
    uint32_t identity_votes; /* of these, from views that change nothing but the order of demonstrations */
    uint32_t first_seen;     /* number of the first of them */
} candidate;

typedef struct pool {
    candidate *items;
    size_t count, capacity;
    uint32_t answers; /* answers added, which is the sum of the votes */
} pool;

static candidate *find(const pool *in, const ttt_grid *grid) {
    for (size_t i = 0; i < in->count; i++)
        if (ttt_grid_equal(&in->items[i].grid, grid)) return &in->items[i];
    return NULL;
}

static ttt_status add(pool *in, const ttt_grid *answer, bool identity, ttt_error *err) {
    candidate *known = find(in, answer);
    if (!known) {
        const candidate fresh = {.grid = *answer, .first_seen = in->answers};
        TTT_TRY(TTT_PUSH(in, fresh, err));
        known = &in->items[in->count - 1];
    }
    known->votes++;
    known->identity_votes += identity;
    in->answers++;
    return TTT_OK;
}

static int compare_votes(const void *left, const void *right) {
    const candidate *a = left, *b = right;
    if (a->votes != b->votes) return a->votes > b->votes ? -1 : 1;
    if (a->identity_votes != b->identity_votes) return a->identity_votes > b->identity_votes ? -1 : 1;
    return a->first_seen < b->first_seen ? -1 : a->first_seen > b->first_seen;
}

/* Best first: most votes, then most identity votes, then first seen. */
static void sort_by_votes(pool *in) {
    if (in->count > 1) qsort(in->items, in->count, sizeof *in->items, compare_votes);
}

/* --- Majorities -------------------------------------------------------------------------------------------------- */

/* A grid's lines along an axis: its rows (0) or its columns (1). */
static int line_count(const ttt_grid *grid, int axis) {
    return axis == 0 ? grid->height : grid->width;
}
static int line_length(const ttt_grid *grid, int axis) {
    return axis == 0 ? grid->width : grid->height;
}
static uint8_t line_cell(const ttt_grid *grid, int axis, int line, int i) {
    return axis == 0 ? ttt_grid_at(grid, line, i) : ttt_grid_at(grid, i, line);
}

static bool has_line(const ttt_grid *grid, int axis, int line, int length) {
    return line < line_count(grid, axis) && line_length(grid, axis) == length;
}

static bool lines_equal(const ttt_grid *a, const ttt_grid *b, int axis, int line, int length) {
    for (int i = 0; i < length; i++)
        if (line_cell(a, axis, line, i) != line_cell(b, axis, line, i)) return false;
    return true;
}

/* The first grid of the most common shape. */
static const ttt_grid *common_shape(const ttt_grid *grids, size_t count) {
    const ttt_grid *best = &grids[0];
    size_t best_votes = 0;
    for (size_t i = 0; i < count; i++) {
        size_t votes = 0;
        for (size_t k = 0; k < count; k++)
            votes += grids[k].height == grids[i].height && grids[k].width == grids[i].width;
        if (votes > best_votes) {
            best = &grids[i];
            best_votes = votes;
        }
    }
    return best;
}

/* The first grid that has the most common line at this place, among all that have one of this length there. */
static const ttt_grid *common_line(const ttt_grid *grids, size_t count, int axis, int line, int length) {
    const ttt_grid *best = NULL;
    size_t best_votes = 0;
    for (size_t i = 0; i < count; i++) {
        size_t votes = 0;
        if (!has_line(&grids[i], axis, line, length)) continue;
        for (size_t k = 0; k < count; k++)
            votes += has_line(&grids[k], axis, line, length) && lines_equal(&grids[i], &grids[k], axis, line, length);
        if (votes > best_votes) {
            best = &grids[i];
            best_votes = votes;
        }
    }
    return best;
}

static void line_majority(const ttt_grid *grids, size_t count, int axis, ttt_grid *out) {
    assert(count > 0);
    const ttt_grid *shape = common_shape(grids, count);
    const int lines = line_count(shape, axis), length = line_length(shape, axis);
    ttt_grid result = ttt_grid_filled(shape->height, shape->width, 0);
    for (int line = 0; line < lines; line++) {
        const ttt_grid *from = common_line(grids, count, axis, line, length); /* `shape` has one, so never NULL */
        for (int i = 0; i < length; i++)
            ttt_grid_set(&result, axis == 0 ? line : i, axis == 0 ? i : line, line_cell(from, axis, line, i));
    }
    *out = result;
}

void ttt_vote_row_majority(const ttt_grid *grids, size_t count, ttt_grid *out) {
    line_majority(grids, count, 0, out);
}

void ttt_vote_column_majority(const ttt_grid *grids, size_t count, ttt_grid *out) {
    line_majority(grids, count, 1, out);
}

/* --- Top three --------------------------------------------------------------------------------------------------- */

/* The first three of a sorted pool, missing ones filled from the grids that were counted in it. */
static void top_of_pool(const pool *in, const ttt_grid *grids, size_t count, ttt_grid top[3]) {
    for (size_t i = 0; i < 3 && i < in->count; i++) top[i] = in->items[i].grid;
    if (in->count >= 3) return;
    ttt_grid rows, columns;
    ttt_vote_row_majority(grids, count, &rows);
    ttt_vote_column_majority(grids, count, &columns);
    if (in->count < 2) top[1] = ttt_grid_equal(&rows, &top[0]) ? columns : rows;
    const bool seen = ttt_grid_equal(&rows, &top[0]) || ttt_grid_equal(&rows, &top[1]);
    top[2] = seen ? columns : rows;
}

ttt_status ttt_vote_top3(const ttt_grid *grids, const bool *identity, size_t count, ttt_grid top[3], ttt_error *err) {
    pool counted = {0};
    ttt_status status = TTT_OK;
    for (size_t i = 0; i < count && status == TTT_OK; i++)
        status = add(&counted, &grids[i], identity && identity[i], err);
    if (status == TTT_OK) {
        sort_by_votes(&counted);
        top_of_pool(&counted, grids, count, top);
    }
    ttt_free(counted.items);
    return status;
}

/* --- Two stages -------------------------------------------------------------------------------------------------- */

ttt_vote_group ttt_vote_group_of(ttt_symmetry symmetry) {
    switch (ttt_symmetry_inverse(symmetry)) {
    case 0: return TTT_GROUP_IDENTITY;
    case 2: return TTT_GROUP_ROTATE_180;
    case 3: return TTT_GROUP_ROTATE_270;
    case 4: return TTT_GROUP_TRANSPOSE;
    case 5: return TTT_GROUP_FLIP_0;
    case 7: return TTT_GROUP_FLIP_1;
    default: return TTT_GROUP_OTHER;
    }
}

enum { FINALISTS_MAX = 3 * TTT_GROUP_COUNT }; /* three each of "all" and of every group but "other" */

typedef struct finalists {
    ttt_grid grids[FINALISTS_MAX];
    size_t count;
} finalists;

/* The top three of the answers of one group, or of all (TTT_GROUP_COUNT), join the finalists. */
static ttt_status add_finalists(const ttt_vote_answer *answers, size_t count, ttt_vote_group group, ttt_grid *grids,
                                bool *identity, finalists *out, ttt_error *err) {
    size_t members = 0;
    for (size_t i = 0; i < count; i++) {
        if (group != TTT_GROUP_COUNT && answers[i].group != group) continue;
        grids[members] = answers[i].grid;
        identity[members++] = answers[i].group == TTT_GROUP_IDENTITY;
    }
    if (members == 0) return TTT_OK;
    TTT_TRY(ttt_vote_top3(grids, identity, members, &out->grids[out->count], err));
    out->count += 3;
    return TTT_OK;
}

/* The final: candidates counted, ties broken by how often identity answers gave them. */
static ttt_status final_vote(const ttt_vote_answer *answers, size_t count, const finalists *final, ttt_grid attempts[2],
                             ttt_error *err) {
    pool counted = {0};
    ttt_status status = TTT_OK;
    for (size_t i = 0; i < final->count && status == TTT_OK; i++) status = add(&counted, &final->grids[i], false, err);
    if (status == TTT_OK) {
        for (size_t i = 0; i < count; i++) {
            candidate *known = answers[i].group == TTT_GROUP_IDENTITY ? find(&counted, &answers[i].grid) : NULL;
            if (known) known->identity_votes++;
        }
        ttt_grid top[3];
        sort_by_votes(&counted);
        top_of_pool(&counted, final->grids, final->count, top);
        attempts[0] = top[0];
        attempts[1] = top[1];
    }
    ttt_free(counted.items);
    return status;
}

ttt_status ttt_vote_two_stage(const ttt_vote_answer *answers, size_t count, ttt_grid attempts[2], bool *found,
                              ttt_error *err) {
    *found = count > 0;
    if (count == 0) return TTT_OK;
    ttt_grid *grids = ttt_allocate(count, sizeof *grids);
    bool *identity = ttt_allocate(count, sizeof *identity);
    finalists *final = ttt_allocate(1, sizeof *final);
    ttt_status status = TTT_OK;
    if (!grids || !identity || !final) {
        status = ttt_fail(err, TTT_ERROR_MEMORY, "out of memory while voting on %zu answers", count);
        goto out;
    }
    TTT_TRY_OUT(add_finalists(answers, count, TTT_GROUP_COUNT, grids, identity, final, err));
    for (int group = 0; group < TTT_GROUP_OTHER; group++)
        TTT_TRY_OUT(add_finalists(answers, count, (ttt_vote_group)group, grids, identity, final, err));
    status = final_vote(answers, count, final, attempts, err);
out:
    ttt_free(grids);
    ttt_free(identity);
    ttt_free(final);
    return status;
}
