/* The training data of one task, from its demonstrations alone (Akyürek et al., arXiv 2411.07279, section 3):
 * leave-one-out and leave-two-out tasks, each under the transforms of the method, each copied with new colours and a
 * new order, duplicates dropped, a selection of at most 250.
 *
 * A derived task is kept as a recipe (which pairs, which transform, which colours), some hundred bytes; its grids are
 * made on demand by ttt_derive. */
#ifndef TTT_ARC_LEAVE_OUT_H
#define TTT_ARC_LEAVE_OUT_H

#include "arc/transform.h"

/* Amounts of the reference's cyclic shift, which moves the input and the output of a pair differently. */
typedef struct ttt_pair_shift {
    uint8_t input[2], output[2]; /* rows, columns */
} ttt_pair_shift;

/* Draws the reference's shifts, one per pair: 0..min(4, side) - 1, from the same random numbers for every pair. */
void ttt_pair_shifts_draw(const ttt_pair *pairs, size_t count, ttt_random *random, ttt_pair_shift *shifts);

/* What is derived from: borrowed. */
typedef struct ttt_source {
    const ttt_pair *pairs; /* [count] */
    size_t count;          /* 1..TTT_DEMONSTRATIONS_MAX */
    /* NULL (ours): a shift's amounts are in the recipe and the same for every grid. Else [count] (reference): they are
     * these for every derived task. */
    const ttt_pair_shift *shifts;
} ttt_source;

typedef struct ttt_derivation {
    uint8_t left_out;                      /* 1 or 2: leave-one-out or leave-two-out */
    uint8_t held_out;                      /* the pair that is asked */
    uint8_t count;                         /* demonstrations shown */
    uint8_t order[TTT_DEMONSTRATIONS_MAX]; /* [count] their indices in the source, in the order shown */
    int8_t method;                         /* index of the transform among the 23, -1 untransformed */
    bool copy;                             /* has new colours and a new order */
    ttt_transform transform;
    ttt_colours colours; /* done after the transform */
} ttt_derivation;

/* In order; release with ttt_free(list.items). {0} is empty. */
typedef struct ttt_derivation_list {
    ttt_derivation *items;
    size_t count, capacity;
} ttt_derivation_list;

/* Makes the grids: `demonstrations` holds derivation->count pairs, `question` the held-out pair. False when a grid
 * would exceed 30 (such tasks are never in a list that the functions below return). */
bool ttt_derive(const ttt_source *source, const ttt_derivation *derivation, ttt_pair *demonstrations,
                ttt_pair *question);

/* --- The steps, in order; each appends to *list ------------------------------------------------------------------ */

/* left_out 1: N tasks; 2: N(N-1), each other pair removed in turn. `empty_contexts` false leaves out questions without
 * demonstrations (which leave-two-out of two pairs gives). */
ttt_status ttt_derive_initial(const ttt_source *source, int left_out, bool empty_contexts, ttt_derivation_list *list,
                              ttt_error *err);
/* Each of the first `count` items under method transform `method`, those over 30 left out. A shift's amounts come from
 * source->shifts, or, where that is NULL, are drawn anew for each task (and the task is left out where some pair's
 * input and output differ in shape, or all grids are single cells). `random` is used for shifts only. */
ttt_status ttt_derive_transformed(const ttt_source *source, size_t count, int method, ttt_random *random,
                                  ttt_derivation_list *list, ttt_error *err);
/* Drops those equal to an earlier one: same demonstrations in order, same held-out pair, after all is applied. */
ttt_status ttt_derive_unique(const ttt_source *source, ttt_derivation_list *list, ttt_error *err);
/* For each of the first `count` items, one copy with new colours (zero_moves as in ttt_colours_random; < 0: the
 * reference's rule) and a new order of its demonstrations. */
ttt_status ttt_derive_copies(const ttt_source *source, size_t count, double zero_moves, ttt_random *random,
                             ttt_derivation_list *list, ttt_error *err);
/* The two lists become one of at most `cap`: leave-one-out first, in order, filled up with leave-two-out from the
 * front; more than `cap` leave-one-out tasks: a random `cap` of them. `uncapped_two` copies an accident of the
 * reference: no cap when there is no leave-one-out task. chosen[i] < one_count is an index into the first list, else
 * one_count + an index into the second. *chosen is fresh memory (ttt_free). */
ttt_status ttt_derive_select(size_t one_count, size_t two_count, size_t cap, bool uncapped_two, ttt_random *random,
                             size_t **chosen, size_t *chosen_count, ttt_error *err);

/* --- All of it --------------------------------------------------------------------------------------------------- */

typedef struct ttt_derive_options {
    bool transforms;    /* the 23; else the untransformed tasks only */
    int copies;         /* per task with new colours and order; the method has 1 */
    double zero_moves;  /* probability that a colour permutation moves colour 0 too */
    bool leave_two_out; /* fill up with leave-two-out tasks */
    size_t cap;         /* 250; 0: no cap */
    bool reference;     /* the reference's colour rule and selection in place of ours */
    /* Whether a task is short enough; NULL: all are. Called with grids made. */
    bool (*fits)(void *context, const ttt_pair *demonstrations, size_t count, const ttt_pair *question);
    void *context;
} ttt_derive_options;
ttt_derive_options ttt_derive_defaults(void);

/* The derived tasks of a task, ready to train on: leave-one-out, then leave-two-out where these do not reach the cap.
 * Questions without demonstrations are used where nothing else is left (with one demonstration nothing else is).
 * For the reference's shifts give source->shifts (ttt_pair_shifts_draw). Empty only when nothing fits. */
ttt_status ttt_derive_all(const ttt_source *source, const ttt_derive_options *options, ttt_random *random,
                          ttt_derivation_list *list, ttt_error *err);

/* An order for training that may stop at any time: leave-one-out before leave-two-out, within each the untransformed
 * first, then symmetries and copies, then shifts; after all these the enlarging transforms. Within each of these
 * classes every pair is asked once before any is asked again, else the order is random. */
ttt_status ttt_derivations_plan(ttt_derivation_list *list, ttt_random *random, ttt_error *err);

#endif
