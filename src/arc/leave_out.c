/* Derived tasks as recipes: how they are listed, compared and made. */
#include "arc/leave_out.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Recipes whose grids are compared need room for them: two tasks, side by side. */
typedef struct derived_task {
    ttt_pair demonstrations[TTT_DEMONSTRATIONS_MAX];
    ttt_pair question;
} derived_task;

void ttt_pair_shifts_draw(const ttt_pair *pairs, size_t count, ttt_random *random, ttt_pair_shift *shifts) {
    uint32_t draws[4];
    for (int i = 0; i < 4; i++) draws[i] = ttt_random_below(random, 12); /* 12: a multiple of every range 1..4 */
    for (size_t p = 0; p < count; p++) {
        const int sides[4] = {pairs[p].input.height, pairs[p].input.width, pairs[p].output.height,
                              pairs[p].output.width};
        uint8_t amounts[4];
        for (int i = 0; i < 4; i++) amounts[i] = (uint8_t)(draws[i] % (uint32_t)(sides[i] < 4 ? sides[i] : 4));
        shifts[p] = (ttt_pair_shift){{amounts[0], amounts[1]}, {amounts[2], amounts[3]}};
    }
}

/* --- Making the grids -------------------------------------------------------------------------------------------- */

static bool derive_pair(const ttt_source *source, const ttt_derivation *derivation, size_t index, ttt_pair *out) {
    const ttt_pair *pair = &source->pairs[index];
    ttt_pair transformed;
    if (source->shifts && ttt_transform_has_shift(&derivation->transform)) {
        const ttt_pair_shift *shift = &source->shifts[index];
        ttt_grid_shift(&pair->input, shift->input[0], shift->input[1], &transformed.input);
        ttt_grid_shift(&pair->output, shift->output[0], shift->output[1], &transformed.output);
    } else if (!ttt_transform_apply_pair(&derivation->transform, pair, &transformed))
        return false;
    ttt_colours_apply_pair(&derivation->colours, &transformed, out);
    return true;
}

bool ttt_derive(const ttt_source *source, const ttt_derivation *derivation, ttt_pair *demonstrations,
                ttt_pair *question) {
    for (int i = 0; i < derivation->count; i++)
        if (!derive_pair(source, derivation, derivation->order[i], &demonstrations[i])) return false;
    return derive_pair(source, derivation, derivation->held_out, question);
}

/* --- The steps --------------------------------------------------------------------------------------------------- */

/* All pairs but `held_out` and `removed` (which may be the same), ascending. */
static ttt_derivation initial_task(size_t count, size_t held_out, size_t removed) {
    ttt_derivation derivation = {
        .left_out = held_out == removed ? 1 : 2,
        .held_out = (uint8_t)held_out,
        .method = -1,
        .colours = ttt_colours_identity(),
    };
    for (size_t i = 0; i < count; i++)
        if (i != held_out && i != removed) derivation.order[derivation.count++] = (uint8_t)i;
    return derivation;
}

ttt_status ttt_derive_initial(const ttt_source *source, int left_out, bool empty_contexts, ttt_derivation_list *list,
                              ttt_error *err) {
    assert(source->count >= 1 && source->count <= TTT_DEMONSTRATIONS_MAX && (left_out == 1 || left_out == 2));
    for (size_t i = 0; i < source->count; i++)
        for (size_t j = 0; j < source->count; j++) {
            if ((i == j) != (left_out == 1)) continue;
            const ttt_derivation derivation = initial_task(source->count, i, j);
            if (derivation.count > 0 || empty_contexts) TTT_TRY(TTT_PUSH(list, derivation, err));
        }
    return TTT_OK;
}

/* Our shift: drawn anew for each task, the same for all its grids, so that what the rule says of places stays true.
 * False where a pair's input and output differ in shape (a shift of both would then mean nothing) or where every grid
 * is too small to move. */
static bool draw_shift(const ttt_source *source, ttt_random *random, ttt_transform *transform) {
    int height = 4, width = 4;
    for (size_t i = 0; i < source->count; i++) {
        const ttt_grid *input = &source->pairs[i].input, *output = &source->pairs[i].output;
        if (input->height != output->height || input->width != output->width) return false;
        if (input->height < height) height = input->height;
        if (input->width < width) width = input->width;
    }
    if (height * width == 1) return false;
    const int amount = 1 + (int)ttt_random_below(random, (uint32_t)(height * width - 1)); /* 0 would move nothing */
    for (int s = 0; s < transform->count; s++)
        if (transform->steps[s].kind == TTT_STEP_SHIFT) {
            transform->steps[s].a = (int16_t)(amount / width);
            transform->steps[s].b = (int16_t)(amount % width);
        }
    return true;
}

ttt_status ttt_derive_transformed(const ttt_source *source, size_t count, int method, ttt_random *random,
                                  ttt_derivation_list *list, ttt_error *err) {
    assert(count <= list->count);
    const ttt_transform *transform = ttt_method_transform(method);
    const bool draws = ttt_transform_has_shift(transform) && !source->shifts;
    derived_task *grids = ttt_allocate(1, sizeof *grids);
    if (!grids) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory while deriving training tasks");
    ttt_status status = TTT_OK;
    for (size_t i = 0; i < count && status == TTT_OK; i++) {
        ttt_derivation derivation = list->items[i];
        derivation.method = (int8_t)method;
        derivation.transform = *transform;
        if (draws && !draw_shift(source, random, &derivation.transform)) continue;
        if (ttt_derive(source, &derivation, grids->demonstrations, &grids->question))
            status = TTT_PUSH(list, derivation, err);
    }
    ttt_free(grids);
    return status;
}

static uint64_t task_hash(const derived_task *task, size_t count) {
    uint64_t hash = ttt_pair_hash(TTT_HASH_START, &task->question);
    for (size_t i = 0; i < count; i++) hash = ttt_pair_hash(hash, &task->demonstrations[i]);
    return hash;
}

static bool tasks_equal(const derived_task *a, const derived_task *b, size_t count) {
    if (!ttt_pair_equal(&a->question, &b->question)) return false;
    for (size_t i = 0; i < count; i++)
        if (!ttt_pair_equal(&a->demonstrations[i], &b->demonstrations[i])) return false;
    return true;
}

/* Whether items[i], whose grids are in `grids`, equals one of items[0..i) that have its hash; `other` is scratch. */
static bool seen_before(const ttt_source *source, const ttt_derivation *items, const uint64_t *hashes, size_t i,
                        const derived_task *grids, derived_task *other) {
    for (size_t k = 0; k < i; k++) {
        if (hashes[k] != hashes[i] || items[k].count != items[i].count) continue;
        const bool made = ttt_derive(source, &items[k], other->demonstrations, &other->question);
        if (made && tasks_equal(grids, other, items[i].count)) return true;
    }
    return false;
}

/* Hashes are compared pair by pair: a few thousand recipes make a few million comparisons of words, less work than
 * making their grids once. */
ttt_status ttt_derive_unique(const ttt_source *source, ttt_derivation_list *list, ttt_error *err) {
    derived_task *grids = ttt_allocate(2, sizeof *grids);
    uint64_t *hashes = ttt_allocate(list->count, sizeof *hashes);
    ttt_status status = TTT_OK;
    size_t kept = 0;
    if (!grids || !hashes) {
        status = ttt_fail(err, TTT_ERROR_MEMORY, "out of memory while comparing %zu training tasks", list->count);
        goto out;
    }
    for (size_t i = 0; i < list->count; i++) {
        list->items[kept] = list->items[i];
        if (!ttt_derive(source, &list->items[kept], grids[0].demonstrations, &grids[0].question)) continue;
        hashes[kept] = task_hash(&grids[0], list->items[kept].count);
        if (!seen_before(source, list->items, hashes, kept, &grids[0], &grids[1])) kept++;
    }
    list->count = kept;
out:
    ttt_free(grids);
    ttt_free(hashes);
    return status;
}

/* The colours of all grids of a derived task. */
static uint16_t derived_colours(const ttt_source *source, const ttt_derivation *derivation) {
    unsigned used = 0;
    for (int i = 0; i <= derivation->count; i++) {
        const ttt_pair *pair = &source->pairs[i < derivation->count ? derivation->order[i] : derivation->held_out];
        used |= ttt_grid_colours(&pair->input) | ttt_grid_colours(&pair->output);
    }
    return (uint16_t)used;
}

ttt_status ttt_derive_copies(const ttt_source *source, size_t count, double zero_moves, ttt_random *random,
                             ttt_derivation_list *list, ttt_error *err) {
    assert(count <= list->count);
    for (size_t i = 0; i < count; i++) {
        ttt_derivation copy = list->items[i];
        int order[TTT_DEMONSTRATIONS_MAX];
        copy.copy = true;
        copy.colours = zero_moves < 0 ? ttt_colours_reference(random, derived_colours(source, &copy))
                                      : ttt_colours_random(random, zero_moves);
        ttt_random_permutation(random, order, copy.count);
        for (int k = 0; k < copy.count; k++) copy.order[k] = list->items[i].order[order[k]];
        TTT_TRY(TTT_PUSH(list, copy, err));
    }
    return TTT_OK;
}

/* --- Selection --------------------------------------------------------------------------------------------------- */

/* The front `wanted` of a shuffle of 0..count-1 into chosen. */
static ttt_status choose_some(size_t count, size_t wanted, ttt_random *random, size_t *chosen, ttt_error *err) {
    int *order = ttt_allocate(count, sizeof *order);
    if (!order) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory while choosing from %zu training tasks", count);
    ttt_random_permutation(random, order, count);
    for (size_t i = 0; i < wanted; i++) chosen[i] = (size_t)order[i];
    ttt_free(order);
    return TTT_OK;
}

ttt_status ttt_derive_select(size_t one_count, size_t two_count, size_t cap, bool uncapped_two, ttt_random *random,
                             size_t **chosen, size_t *chosen_count, ttt_error *err) {
    const bool all = cap == 0 || (uncapped_two && one_count == 0);
    const size_t ones = all || one_count < cap ? one_count : cap;
    const size_t twos = all || two_count < cap - ones ? two_count : cap - ones;
    ttt_status status = TTT_OK;
    *chosen_count = ones + twos;
    *chosen = ttt_allocate(ones + twos, sizeof **chosen);
    if (!*chosen)
        return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory while choosing %zu training tasks", ones + twos);
    for (size_t i = 0; i < ones; i++) (*chosen)[i] = i;
    for (size_t i = 0; i < twos; i++) (*chosen)[ones + i] = one_count + i;
    if (ones < one_count) status = choose_some(one_count, ones, random, *chosen, err);
    if (status == TTT_OK) return TTT_OK;
    ttt_free(*chosen);
    *chosen = NULL;
    return status;
}

/* --- All of it --------------------------------------------------------------------------------------------------- */

ttt_derive_options ttt_derive_defaults(void) {
    return (ttt_derive_options){
        .transforms = true, .copies = 1, .zero_moves = 0.1, .leave_two_out = true, .cap = 250, .reference = false};
}

/* Drops the recipes that are too long. */
static ttt_status keep_fitting(const ttt_source *source, const ttt_derive_options *options, ttt_derivation_list *list,
                               ttt_error *err) {
    if (!options->fits) return TTT_OK;
    derived_task *grids = ttt_allocate(1, sizeof *grids);
    if (!grids) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory while measuring training tasks");
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        list->items[kept] = list->items[i];
        if (ttt_derive(source, &list->items[kept], grids->demonstrations, &grids->question) &&
            options->fits(options->context, grids->demonstrations, list->items[kept].count, &grids->question))
            kept++;
    }
    list->count = kept;
    ttt_free(grids);
    return TTT_OK;
}

/* Ours: of very many demonstrations (no ARC task has them) not every two are left out in turn, or the work of deriving
 * would grow with the square of their number, only to be thrown away by the cap. */
static ttt_status thin_out(ttt_derivation_list *list, size_t cap, ttt_random *random, ttt_error *err) {
    if (cap == 0 || list->count <= cap) return TTT_OK;
    size_t *chosen = ttt_allocate(cap, sizeof *chosen);
    ttt_derivation *items = ttt_allocate(cap, sizeof *items);
    ttt_status status =
        chosen && items ? TTT_OK : ttt_fail(err, TTT_ERROR_MEMORY, "out of memory while deriving tasks");
    if (status == TTT_OK) status = choose_some(list->count, cap, random, chosen, err);
    if (status == TTT_OK) {
        for (size_t i = 0; i < cap; i++) items[i] = list->items[chosen[i]];
        memcpy(list->items, items, cap * sizeof *items);
        list->count = cap;
    }
    ttt_free(chosen);
    ttt_free(items);
    return status;
}

/* Steps 1 to 3 and the length filter for leave-one-out or leave-two-out. */
static ttt_status derive_family(const ttt_source *source, const ttt_derive_options *options, int left_out,
                                bool empty_contexts, ttt_random *random, ttt_derivation_list *list, ttt_error *err) {
    TTT_TRY(ttt_derive_initial(source, left_out, empty_contexts, list, err));
    if (!options->reference) TTT_TRY(thin_out(list, options->cap, random, err));
    const size_t initial = list->count;
    for (int m = 0; options->transforms && m < TTT_METHOD_TRANSFORMS; m++)
        TTT_TRY(ttt_derive_transformed(source, initial, m, random, list, err));
    TTT_TRY(ttt_derive_unique(source, list, err));
    const size_t unique = list->count;
    for (int c = 0; c < options->copies; c++)
        TTT_TRY(ttt_derive_copies(source, unique, options->reference ? -1 : options->zero_moves, random, list, err));
    if (options->copies > 0) TTT_TRY(ttt_derive_unique(source, list, err));
    return keep_fitting(source, options, list, err);
}

static ttt_status merge(const ttt_derivation_list *ones, const ttt_derivation_list *twos, size_t cap, bool uncapped_two,
                        ttt_random *random, ttt_derivation_list *list, ttt_error *err) {
    size_t *chosen, count;
    TTT_TRY(ttt_derive_select(ones->count, twos->count, cap, uncapped_two, random, &chosen, &count, err));
    ttt_status status = TTT_OK;
    for (size_t i = 0; i < count && status == TTT_OK; i++) {
        const bool one = chosen[i] < ones->count;
        status = TTT_PUSH(list, one ? ones->items[chosen[i]] : twos->items[chosen[i] - ones->count], err);
    }
    ttt_free(chosen);
    return status;
}

ttt_status ttt_derive_all(const ttt_source *source, const ttt_derive_options *options, ttt_random *random,
                          ttt_derivation_list *list, ttt_error *err) {
    const bool reference = options->reference, lonely = source->count == 1;
    ttt_derivation_list ones = {0}, twos = {0};
    ttt_status status;
    TTT_TRY_OUT(derive_family(source, options, 1, lonely, random, &ones, err));
    const bool room = options->cap == 0 || ones.count < options->cap;
    if (options->leave_two_out && room) {
        TTT_TRY_OUT(derive_family(source, options, 2, reference, random, &twos, err));
        /* Two long demonstrations: a question without any is better than nothing. */
        if (ones.count + twos.count == 0) TTT_TRY_OUT(derive_family(source, options, 2, true, random, &twos, err));
    }
    status = merge(&ones, &twos, options->cap, reference, random, list, err);
out:
    ttt_free(ones.items);
    ttt_free(twos.items);
    return status;
}

/* --- Order of training ------------------------------------------------------------------------------------------- */

typedef struct plan_key {
    int enlarging, left_out, class, round;
    uint32_t shuffled, index;
} plan_key;

static int compare_int(int a, int b) {
    return (a > b) - (a < b);
}

static int compare_keys(const void *left, const void *right) {
    const plan_key *a = left, *b = right;
    if (a->enlarging != b->enlarging) return compare_int(a->enlarging, b->enlarging);
    if (a->left_out != b->left_out) return compare_int(a->left_out, b->left_out);
    if (a->class != b->class) return compare_int(a->class, b->class);
    if (a->round != b->round) return compare_int(a->round, b->round);
    if (a->shuffled != b->shuffled) return a->shuffled < b->shuffled ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* 0 untransformed, 1 symmetries and copies, 2 shifts. */
static int plan_class(const ttt_derivation *derivation) {
    if (ttt_transform_has_shift(&derivation->transform)) return 2;
    return derivation->method < 0 && !derivation->copy ? 0 : 1;
}

/* Numbers, within each class, the askings of each pair: its first, its second, ... in shuffled order. */
static void number_rounds(plan_key *keys, const ttt_derivation *items, size_t count) {
    int asked[TTT_DEMONSTRATIONS_MAX] = {0};
    for (size_t i = 0; i < count; i++) {
        const bool same = i > 0 && keys[i].enlarging == keys[i - 1].enlarging &&
                          keys[i].left_out == keys[i - 1].left_out && keys[i].class == keys[i - 1].class;
        if (!same) memset(asked, 0, sizeof asked);
        keys[i].round = asked[items[keys[i].index].held_out]++;
    }
}

ttt_status ttt_derivations_plan(ttt_derivation_list *list, ttt_random *random, ttt_error *err) {
    plan_key *keys = ttt_allocate(list->count, sizeof *keys);
    ttt_derivation *planned = ttt_allocate(list->count, sizeof *planned);
    ttt_status status = TTT_OK;
    if (!keys || !planned) {
        status = ttt_fail(err, TTT_ERROR_MEMORY, "out of memory while ordering %zu training tasks", list->count);
        goto out;
    }
    for (size_t i = 0; i < list->count; i++)
        keys[i] = (plan_key){.enlarging = ttt_transform_enlarges(&list->items[i].transform),
                             .left_out = list->items[i].left_out,
                             .class = plan_class(&list->items[i]),
                             .shuffled = ttt_random_u32(random),
                             .index = (uint32_t)i};
    qsort(keys, list->count, sizeof *keys, compare_keys);
    number_rounds(keys, list->items, list->count);
    qsort(keys, list->count, sizeof *keys, compare_keys);
    for (size_t i = 0; i < list->count; i++) planned[i] = list->items[keys[i].index];
    if (list->count > 0) memcpy(list->items, planned, list->count * sizeof *planned);
out:
    ttt_free(keys);
    ttt_free(planned);
    return status;
}
