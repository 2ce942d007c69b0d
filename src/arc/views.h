/* Views: the same question asked in several guises (another symmetry, colours, order or choice of demonstrations),
 * whose answers are mapped back and compared. */
#ifndef TTT_ARC_VIEWS_H
#define TTT_ARC_VIEWS_H

#include "arc/transform.h"

typedef struct ttt_view {
    uint8_t count;                         /* demonstrations shown, 0.. */
    uint8_t order[TTT_DEMONSTRATIONS_MAX]; /* [count] their indices in the task, in the order shown */
    ttt_symmetry symmetry;                 /* done first, on every grid */
    ttt_colours colours;                   /* then these: a permutation of 0..9 */
} ttt_view;

/* Release with ttt_free(list.items). */
typedef struct ttt_view_list {
    ttt_view *items;
    size_t count, capacity;
} ttt_view_list;

/* The demonstrations as shown, [view->count] pairs, and the test input as asked. */
void ttt_view_build(const ttt_task *task, size_t test, const ttt_view *view, ttt_pair *demonstrations, ttt_grid *input);
/* A grid of the task (a candidate answer, say) as this view shows it. */
void ttt_view_apply(const ttt_view *view, const ttt_grid *grid, ttt_grid *out);
/* An answer given under the view, mapped back. */
void ttt_view_invert(const ttt_view *view, const ttt_grid *answer, ttt_grid *out);
/* True when nothing but the order of demonstrations differs from the task as given. */
bool ttt_view_is_identity(const ttt_view *view);
bool ttt_views_equal(const ttt_view *a, const ttt_view *b); /* as recipes */

/* --- Ours -------------------------------------------------------------------------------------------------------- */

/* An endless supply of views, best first: the task as given; the other seven symmetries; then rounds over all eight
 * with random colour permutations (1..9, with probability zero_moves 0..9) and random orders. A plain value, keyed by
 * `random` and independent of anything else: the first n views do not depend on how many are taken.
 * `colours`, `orders` and zero_moves may be set between init and the first view (defaults: true, true, 0.1). No view is
 * equal to an earlier one as far as the last TTT_VIEWS_REMEMBERED go. */
enum { TTT_VIEWS_REMEMBERED = 1024 };
typedef struct ttt_view_stream {
    ttt_random random;
    size_t demonstrations; /* of the task */
    size_t shown;          /* of them in each view: min(demonstrations, limit) */
    double zero_moves;
    bool colours, orders; /* permute them? */
    size_t taken;         /* views given out */
    size_t next;          /* number of the next view */
    uint64_t seen[TTT_VIEWS_REMEMBERED];
} ttt_view_stream;

/* `limit`: most demonstrations in a view (a random choice of them, in random order, when there are more; the first
 * `limit` in the first eight views). */
void ttt_view_stream_init(ttt_view_stream *stream, size_t demonstrations, size_t limit, const ttt_random *random);
/* The next view; false when there are no more distinct ones (few demonstrations, colours and orders switched off). */
bool ttt_view_stream_next(ttt_view_stream *stream, ttt_view *view);

/* --- The reference's set ----------------------------------------------------------------------------------------- */

/* The reference's queries for one test input: for each choice of all demonstrations but `left_out` (0 or 1), that
 * context in order and in `orders` random orders; duplicates dropped; then one random member of these under each of
 * transpose, flip 0, flip 1, rotation 90, rotation 180, dropped when its grids equal those of an untransformed view
 * or of an earlier transformed one. Colours stay. Appends to *list. */
ttt_status ttt_views_reference(const ttt_task *task, size_t test, int left_out, int orders, ttt_random *random,
                               ttt_view_list *list, ttt_error *err);

/* The same with the draws given in place of drawn: `contexts` are the untransformed views in order, repeats included;
 * bases[t] is the member that transform t (the five above, in that order) acts on; skipped[t] is set when it equals
 * an untransformed view. For the golden vectors; ttt_views_reference is built on it. */
enum { TTT_REFERENCE_SYMMETRIES = 5 };
extern const ttt_symmetry ttt_reference_symmetries[TTT_REFERENCE_SYMMETRIES];
ttt_status ttt_views_from_draws(const ttt_task *task, size_t test, const ttt_view *contexts, size_t context_count,
                                const ttt_view *bases, bool *skipped, ttt_view_list *list, ttt_error *err);

#endif
