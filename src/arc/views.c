/* Views as recipes: ours as an endless stream, the reference's as a list. */
#include "arc/views.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>

/* --- Building and inverting -------------------------------------------------------------------------------------- */

void ttt_view_apply(const ttt_view *view, const ttt_grid *grid, ttt_grid *out) {
    ttt_grid turned;
    ttt_symmetry_apply(view->symmetry, grid, &turned);
    ttt_colours_apply(&view->colours, &turned, out);
}

void ttt_view_build(const ttt_task *task, size_t test, const ttt_view *view, ttt_pair *demonstrations,
                    ttt_grid *input) {
    assert(test < task->test_count);
    for (int i = 0; i < view->count; i++) {
        const ttt_pair *pair = &task->demonstrations[view->order[i]];
        ttt_view_apply(view, &pair->input, &demonstrations[i].input);
        ttt_view_apply(view, &pair->output, &demonstrations[i].output);
    }
    ttt_view_apply(view, &task->tests[test].input, input);
}

void ttt_view_invert(const ttt_view *view, const ttt_grid *answer, ttt_grid *out) {
    ttt_colours back;
    ttt_grid recoloured;
    const bool permutation = ttt_colours_inverse(&view->colours, (1u << TTT_COLOURS) - 1, &back);
    assert(permutation);
    (void)permutation;
    ttt_colours_apply(&back, answer, &recoloured);
    ttt_symmetry_apply(ttt_symmetry_inverse(view->symmetry), &recoloured, out);
}

bool ttt_view_is_identity(const ttt_view *view) {
    return view->symmetry == 0 && ttt_colours_are_identity(&view->colours);
}

bool ttt_views_equal(const ttt_view *a, const ttt_view *b) {
    return a->count == b->count && memcmp(a->order, b->order, a->count) == 0 && a->symmetry == b->symmetry &&
           memcmp(&a->colours, &b->colours, sizeof a->colours) == 0;
}

/* --- Ours -------------------------------------------------------------------------------------------------------- */

void ttt_view_stream_init(ttt_view_stream *stream, size_t demonstrations, size_t limit, const ttt_random *random) {
    assert(demonstrations <= TTT_DEMONSTRATIONS_MAX);
    *stream = (ttt_view_stream){
        .random = *random,
        .demonstrations = demonstrations,
        .shown = demonstrations < limit ? demonstrations : limit,
        .zero_moves = 0.1,
        .colours = true,
        .orders = true,
    };
}

/* View number `number` of the stream; a higher `attempt` is another draw for the same number. Each draw has a stream of
 * its own, so that no view depends on how many draws the others took. */
static ttt_view stream_view(const ttt_view_stream *stream, size_t number, uint64_t attempt) {
    ttt_view view = {.count = (uint8_t)stream->shown,
                     .symmetry = (ttt_symmetry)(number % TTT_SYMMETRIES),
                     .colours = ttt_colours_identity()};
    for (int i = 0; i < view.count; i++) view.order[i] = (uint8_t)i;
    if (number < TTT_SYMMETRIES) return view;
    const ttt_random of_number = ttt_random_fork(&stream->random, number);
    ttt_random random = ttt_random_fork(&of_number, attempt);
    if (stream->colours) view.colours = ttt_colours_random(&random, stream->zero_moves);
    if (stream->orders) {
        int order[TTT_DEMONSTRATIONS_MAX];
        ttt_random_permutation(&random, order, stream->demonstrations);
        for (int i = 0; i < view.count; i++) view.order[i] = (uint8_t)order[i];
    }
    return view;
}

static uint64_t view_hash(const ttt_view *view) {
    uint64_t hash = ttt_hash(TTT_HASH_START, &view->count, sizeof view->count);
    hash = ttt_hash(hash, view->order, view->count);
    hash = ttt_hash(hash, &view->symmetry, sizeof view->symmetry);
    return ttt_hash(hash, &view->colours, sizeof view->colours);
}

/* Hashes stand for views here: a false hit, one in 2^64, would cost one view. */
static bool remembered(const ttt_view_stream *stream, uint64_t hash) {
    const size_t count = stream->taken < TTT_VIEWS_REMEMBERED ? stream->taken : TTT_VIEWS_REMEMBERED;
    for (size_t i = 0; i < count; i++)
        if (stream->seen[i] == hash) return true;
    return false;
}

bool ttt_view_stream_next(ttt_view_stream *stream, ttt_view *view) {
    enum { ATTEMPTS = 32 }; /* for each of the eight symmetries, before the supply is called exhausted */
    for (int symmetries = 0; symmetries < TTT_SYMMETRIES; symmetries++, stream->next++)
        for (uint64_t attempt = 0; attempt < ATTEMPTS; attempt++) {
            *view = stream_view(stream, stream->next, attempt);
            const uint64_t hash = view_hash(view);
            if (remembered(stream, hash)) continue;
            stream->seen[stream->taken++ % TTT_VIEWS_REMEMBERED] = hash;
            stream->next++;
            return true;
        }
    return false;
}

/* --- The reference's set ----------------------------------------------------------------------------------------- */

/* Transpose, flip 0, flip 1, rotation 90, rotation 180. */
const ttt_symmetry ttt_reference_symmetries[TTT_REFERENCE_SYMMETRIES] = {4, 5, 7, 1, 2};

/* A view's grids, for comparison: the reference drops queries whose text is equal. */
typedef struct built_view {
    ttt_pair demonstrations[TTT_DEMONSTRATIONS_MAX];
    ttt_grid input;
} built_view;

static void build(const ttt_task *task, size_t test, const ttt_view *view, built_view *built) {
    ttt_view_build(task, test, view, built->demonstrations, &built->input);
}

/* Whether the view asks what views[0..count) already ask; `scratch` holds two built views. */
static bool asked_before(const ttt_task *task, size_t test, const ttt_view *views, size_t count, const ttt_view *view,
                         built_view *scratch) {
    build(task, test, view, &scratch[0]);
    for (size_t i = 0; i < count; i++) {
        bool same = views[i].count == view->count;
        if (same) build(task, test, &views[i], &scratch[1]);
        same = same && ttt_grid_equal(&scratch[0].input, &scratch[1].input);
        for (int k = 0; same && k < view->count; k++)
            same = ttt_pair_equal(&scratch[0].demonstrations[k], &scratch[1].demonstrations[k]);
        if (same) return true;
    }
    return false;
}

/* Appends the views that ask something not asked yet in (*list)[first..). */
static ttt_status push_distinct(const ttt_task *task, size_t test, const ttt_view *views, size_t count, size_t first,
                                ttt_view_list *list, ttt_error *err) {
    built_view *scratch = ttt_allocate(2, sizeof *scratch);
    ttt_status status = TTT_OK;
    if (!scratch) return ttt_fail(err, TTT_ERROR_MEMORY, "task %s: out of memory while building views", task->id);
    for (size_t i = 0; i < count && status == TTT_OK; i++)
        if (!asked_before(task, test, list->items + first, list->count - first, &views[i], scratch))
            status = TTT_PUSH(list, views[i], err);
    ttt_free(scratch);
    return status;
}

ttt_status ttt_views_from_draws(const ttt_task *task, size_t test, const ttt_view *contexts, size_t context_count,
                                const ttt_view *bases, bool *skipped, ttt_view_list *list, ttt_error *err) {
    const size_t first = list->count; /* views that were in the list before are not compared with */
    built_view *scratch = ttt_allocate(2, sizeof *scratch);
    ttt_status status = TTT_OK;
    if (!scratch) return ttt_fail(err, TTT_ERROR_MEMORY, "task %s: out of memory while building views", task->id);
    TTT_TRY_OUT(push_distinct(task, test, contexts, context_count, first, list, err));
    const size_t untransformed = list->count - first;
    for (int t = 0; t < TTT_REFERENCE_SYMMETRIES; t++) {
        ttt_view view = bases[t];
        view.symmetry = ttt_reference_symmetries[t];
        skipped[t] = asked_before(task, test, list->items + first, untransformed, &view, scratch);
        TTT_TRY_OUT(push_distinct(task, test, &view, 1, first, list, err));
    }
out:
    ttt_free(scratch);
    return status;
}

/* All demonstrations but `without` (demonstration_count: none is left out), ascending. */
static ttt_view context_view(const ttt_task *task, size_t without) {
    ttt_view view = {.colours = ttt_colours_identity()};
    for (size_t i = 0; i < task->demonstration_count; i++)
        if (i != without) view.order[view.count++] = (uint8_t)i;
    return view;
}

static ttt_view shuffled_view(const ttt_view *context, ttt_random *random) {
    ttt_view view = *context;
    int order[TTT_DEMONSTRATIONS_MAX];
    ttt_random_permutation(random, order, context->count);
    for (int i = 0; i < context->count; i++) view.order[i] = context->order[order[i]];
    return view;
}

ttt_status ttt_views_reference(const ttt_task *task, size_t test, int left_out, int orders, ttt_random *random,
                               ttt_view_list *list, ttt_error *err) {
    assert(left_out == 0 || left_out == 1);
    ttt_view_list contexts = {0}, distinct = {0};
    ttt_view bases[TTT_REFERENCE_SYMMETRIES];
    bool skipped[TTT_REFERENCE_SYMMETRIES];
    ttt_status status = TTT_OK;
    const size_t n = task->demonstration_count;
    for (size_t without = left_out == 0 ? n : 0; without < n + (left_out == 0); without++) {
        const ttt_view context = context_view(task, without);
        TTT_TRY_OUT(TTT_PUSH(&contexts, context, err));
        for (int i = 0; i < orders; i++) TTT_TRY_OUT(TTT_PUSH(&contexts, shuffled_view(&context, random), err));
    }
    TTT_TRY_OUT(push_distinct(task, test, contexts.items, contexts.count, 0, &distinct, err));
    for (int t = 0; t < TTT_REFERENCE_SYMMETRIES; t++)
        bases[t] = distinct.items[ttt_random_below(random, (uint32_t)distinct.count)];
    status = ttt_views_from_draws(task, test, distinct.items, distinct.count, bases, skipped, list, err);
out:
    ttt_free(contexts.items);
    ttt_free(distinct.items);
    return status;
}
