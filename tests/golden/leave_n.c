/* leave_n.json: leave-one-out and leave-two-out, what transforms keep, duplicates, copies; and selection.json. */
#include "golden.h"

#include "base/memory.h"

#include <string.h>

/* One of the two families of a task. */
typedef struct family {
    const ttt_source *source;
    const json_t *object;
    ttt_derivation_list initial, unique;
} family;

/* {context, test} as a recipe has them. */
static bool same_choice(golden *g, const json_t *object, const ttt_source *source, const ttt_derivation *derivation) {
    uint8_t context[TTT_DEMONSTRATIONS_MAX];
    const int count = golden_numbers(g, golden_list(g, object, "context"), (int)source->count, context);
    return count == derivation->count && memcmp(context, derivation->order, (size_t)count) == 0 &&
           golden_count(g, object, "test") == derivation->held_out;
}

static bool check_initial(golden *g, family *f, int left_out) {
    ttt_error err;
    const json_t *initial = golden_list(g, f->object, "initial"), *item;
    size_t i;
    if (!initial ||
        !GOLDEN_CHECK(g, ttt_derive_initial(f->source, left_out, true, &f->initial, &err) == TTT_OK, "%s", err.message))
        return false;
    if (!GOLDEN_CHECK(g, f->initial.count == json_array_size(initial), "%zu initial tasks, expected %zu",
                      f->initial.count, json_array_size(initial)))
        return false;
    json_array_foreach(initial, i, item) {
        if (!golden_has_members(g, item, "context test") ||
            !GOLDEN_CHECK(g, same_choice(g, item, f->source, &f->initial.items[i]), "initial task %zu differs", i))
            return false;
    }
    return true;
}

/* The tasks that one transform keeps, appended to f->unique, against the booleans of the vectors. */
static bool check_transform(golden *g, family *f, int method, const json_t *kept) {
    char name[TTT_TRANSFORM_NAME];
    ttt_error err;
    ttt_derivation_list list = {0};
    ttt_random none = ttt_random_stream(0, "", "golden"); /* not drawn from: the shifts are given */
    bool good = true;
    size_t made = f->initial.count;
    ttt_transform_name(ttt_method_transform(method), name);
    const json_t *flags = golden_list(g, kept, name);
    if (!flags ||
        !GOLDEN_CHECK(g, json_array_size(flags) == f->initial.count, "%s: %zu flags", name, json_array_size(flags)))
        return false;
    for (size_t i = 0; i < f->initial.count && good; i++)
        good = GOLDEN_CHECK(g, TTT_PUSH(&list, f->initial.items[i], &err) == TTT_OK, "%s", err.message);
    good = good &&
           GOLDEN_CHECK(g, ttt_derive_transformed(f->source, f->initial.count, method, &none, &list, &err) == TTT_OK,
                        "%s", err.message);
    for (size_t i = 0; i < f->initial.count && good; i++) {
        const ttt_derivation *task = made < list.count ? &list.items[made] : NULL, *origin = &f->initial.items[i];
        const bool ours = task && task->held_out == origin->held_out && task->count == origin->count &&
                          memcmp(task->order, origin->order, task->count) == 0;
        good = GOLDEN_CHECK(g, ours == json_is_true(json_array_get(flags, i)), "%s: initial task %zu is %s", name, i,
                            ours ? "kept" : "dropped");
        if (!ours) continue;
        made++;
        good = good && GOLDEN_CHECK(g, TTT_PUSH(&f->unique, *task, &err) == TTT_OK, "%s", err.message);
    }
    good = good && GOLDEN_CHECK(g, made == list.count, "%s: %zu tasks too many", name, list.count - made);
    ttt_free(list.items);
    return good;
}

/* The task of f->unique that an item of the vectors names, moved to place `i`; the vectors sort theirs by another key
 * than first occurrence, and draws refer to their order. */
static bool match_unique(golden *g, family *f, const json_t *item, size_t i) {
    const char *aug = golden_string(g, item, "aug");
    if (!aug || !golden_has_members(g, item, "aug context test")) return false;
    for (size_t k = i; k < f->unique.count; k++) {
        const ttt_derivation task = f->unique.items[k];
        char name[TTT_TRANSFORM_NAME] = "initial";
        if (task.method >= 0) ttt_transform_name(&task.transform, name);
        if (strcmp(aug, name) != 0 || !same_choice(g, item, f->source, &task)) continue;
        f->unique.items[k] = f->unique.items[i];
        f->unique.items[i] = task;
        return true;
    }
    return golden_fail(g, "unique task %zu, %s, is not among ours", i, aug);
}

static bool check_unique(golden *g, family *f) {
    const json_t *unique = golden_list(g, f->object, "unique"), *item;
    size_t i;
    ttt_error err;
    for (i = 0; i < f->initial.count; i++)
        if (!GOLDEN_CHECK(g, TTT_PUSH(&f->unique, f->initial.items[i], &err) == TTT_OK, "%s", err.message))
            return false;
    if (!GOLDEN_CHECK(g, ttt_derive_unique(f->source, &f->unique, &err) == TTT_OK, "%s", err.message)) return false;
    if (!unique || !GOLDEN_CHECK(g, f->unique.count == json_array_size(unique), "%zu unique tasks, expected %zu",
                                 f->unique.count, json_array_size(unique)))
        return false;
    json_array_foreach(unique, i, item) {
        if (!match_unique(g, f, item, i)) return false;
    }
    return true;
}

static bool check_counts(golden *g, const family *f) {
    const int64_t plain = golden_count(g, f->object, "count_permute0"),
                  most = golden_count(g, f->object, "count_permute1_max");
    const json_t *observed = golden_list(g, f->object, "count_permute1_observed"), *value;
    size_t i;
    if (!GOLDEN_CHECK(g, plain == (int64_t)f->unique.count, "count_permute0 is %lld", (long long)plain) ||
        !GOLDEN_CHECK(g, most == 2 * plain, "count_permute1_max is %lld", (long long)most) || !observed)
        return false;
    json_array_foreach(observed, i, value) {
        const json_int_t count = json_integer_value(value);
        if (!GOLDEN_CHECK(g, json_is_integer(value) && count >= plain && count <= most, "an impossible observed count"))
            return false;
    }
    return true;
}

/* One copy with the colours and the order that the reference drew. */
static bool read_copy(golden *g, const family *f, const json_t *draw, size_t i, ttt_derivation *copy) {
    uint8_t order[TTT_DEMONSTRATIONS_MAX];
    const ttt_derivation *origin = &f->unique.items[i];
    if (!GOLDEN_CHECK(g, json_array_size(draw) == 3 && json_integer_value(json_array_get(draw, 0)) == (json_int_t)i,
                      "draw %zu is not of task %zu", i, i))
        return false;
    *copy = *origin;
    copy->copy = true;
    const int count = golden_numbers(g, json_array_get(draw, 2), origin->count, order);
    if (!golden_colours(g, json_array_get(draw, 1), &copy->colours) ||
        !GOLDEN_CHECK(g, count == origin->count, "draw %zu orders %d pairs", i, count))
        return false;
    unsigned used = 0;
    uint64_t ordered = 0; /* bit per pair: an order has each once */
    for (int k = 0; k < count; k++) ordered |= 1ull << order[k];
    if (!GOLDEN_CHECK(g, ordered == (count == 0 ? 0 : UINT64_MAX >> (64 - count)), "draw %zu has no order", i))
        return false;
    for (int k = 0; k <= count; k++) {
        const ttt_pair *pair = &f->source->pairs[k < count ? origin->order[k] : origin->held_out];
        used |= ttt_grid_colours(&pair->input) | ttt_grid_colours(&pair->output);
        if (k < count) copy->order[k] = origin->order[order[k]];
    }
    return GOLDEN_CHECK(g, ttt_colours_reference_legal(&copy->colours, (uint16_t)used),
                        "draw %zu: our rule cannot draw this colour map", i);
}

static void check_copies(golden *g, family *f) {
    const json_t *run = json_object_get(f->object, "permute1_run"), *draw;
    const size_t unique = f->unique.count;
    ttt_error err;
    size_t i;
    if (!run) return; /* absent where there are many */
    const json_t *draws = golden_has_members(g, run, "draws final") ? golden_list(g, run, "draws") : NULL;
    if (!draws || !GOLDEN_CHECK(g, json_array_size(draws) == unique, "%zu draws", json_array_size(draws))) return;
    json_array_foreach(draws, i, draw) {
        ttt_derivation copy;
        if (!read_copy(g, f, draw, i, &copy) ||
            !GOLDEN_CHECK(g, TTT_PUSH(&f->unique, copy, &err) == TTT_OK, "%s", err.message))
            return;
    }
    if (!GOLDEN_CHECK(g, ttt_derive_unique(f->source, &f->unique, &err) == TTT_OK, "%s", err.message)) return;
    const int64_t final = golden_count(g, run, "final");
    GOLDEN_CHECK(g, final == (int64_t)f->unique.count, "%zu tasks with copies, expected %lld", f->unique.count,
                 (long long) final);
}

static void check_family(golden *g, family *f, int left_out) {
    const json_t *kept = golden_object(g, f->object, "kept");
    if (!kept ||
        !golden_has_members(g, f->object,
                            "initial kept unique count_permute0 count_permute1_observed "
                            "count_permute1_max | permute1_run") ||
        !GOLDEN_CHECK(g, json_object_size(kept) == TTT_METHOD_TRANSFORMS, "%zu transforms", json_object_size(kept)) ||
        !check_initial(g, f, left_out))
        return;
    for (int m = 0; m < TTT_METHOD_TRANSFORMS; m++)
        if (!check_transform(g, f, m, kept)) return;
    if (check_unique(g, f) && check_counts(g, f)) check_copies(g, f);
}

static bool read_shifts(golden *g, const json_t *list, size_t count, ttt_pair_shift *shifts) {
    if (!list || !GOLDEN_CHECK(g, json_array_size(list) == count, "%zu shifts", json_array_size(list))) return false;
    for (size_t i = 0; i < count; i++) {
        const json_t *one = json_array_get(list, i);
        uint8_t numbers[2][TTT_DEMONSTRATIONS_MAX];
        if (golden_numbers(g, golden_list(g, one, "input"), 4, numbers[0]) != 2 ||
            golden_numbers(g, golden_list(g, one, "output"), 4, numbers[1]) != 2)
            return golden_fail(g, "shift %zu is not two numbers each", i);
        memcpy(shifts[i].input, numbers[0], 2);
        memcpy(shifts[i].output, numbers[1], 2);
    }
    return true;
}

static void check_task(golden *g, const json_t *task) {
    const char *id = json_string_value(json_object_get(task, "task"));
    ttt_pair_shift shifts[TTT_DEMONSTRATIONS_MAX];
    size_t count = 0;
    for (int n = 1; n <= 2; n++) {
        const char *key = n == 1 ? "leave1" : "leave2";
        golden_begin(g, "task %s, %s", id ? id : "without a name", key);
        ttt_pair *pairs = golden_has_members(g, task, "task n_train train translate_shifts leave1 leave2")
                              ? golden_pairs(g, json_object_get(task, "train"), &count)
                              : NULL;
        const ttt_source source = {pairs, count, shifts};
        family f = {.source = &source, .object = golden_object(g, task, key)};
        if (pairs && f.object &&
            GOLDEN_CHECK(g, count > 0 && golden_count(g, task, "n_train") == (int64_t)count, "n_train is not %zu",
                         count) &&
            read_shifts(g, golden_list(g, task, "translate_shifts"), count, shifts))
            check_family(g, &f, n);
        golden_end(g);
        ttt_free(f.initial.items);
        ttt_free(f.unique.items);
        ttt_free(pairs);
    }
}

void golden_leave_n(golden *g, const json_t *root) {
    size_t index;
    const json_t *task;
    json_array_foreach(root, index, task) check_task(g, task);
}

/* --- selection.json ---------------------------------------------------------------------------------------------- */

/* Leave-one-out items must be distinct, and ascending where nothing is shuffled; leave-two-out items a prefix. */
static void check_chosen(golden *g, const size_t *chosen, size_t ones, size_t count, size_t one_count, bool in_order) {
    bool *seen = ttt_allocate(one_count, sizeof *seen);
    bool ascending = true;
    for (size_t i = 0; seen && i < ones; i++) {
        if (!GOLDEN_CHECK(g, chosen[i] < one_count && !seen[chosen[i]], "item %zu is chosen twice", chosen[i])) break;
        seen[chosen[i]] = true;
        ascending = ascending && chosen[i] == i;
    }
    GOLDEN_CHECK(g, ascending == in_order, "leave-one-out items are %s order", ascending ? "in" : "out of");
    for (size_t i = ones; i < count; i++)
        GOLDEN_CHECK(g, chosen[i] == one_count + i - ones, "leave-two-out items are no prefix");
    ttt_free(seen);
}

static void check_selection(golden *g, const json_t *object) {
    size_t *chosen, count, ones = 0;
    ttt_error err;
    ttt_random random = ttt_random_stream(0, "", "golden");
    if (!golden_has_members(g, object, "leave1 leave2 final from_leave1 from_leave2 leave1_in_order leave2_is_prefix"))
        return;
    const int64_t one_count = golden_count(g, object, "leave1"), two_count = golden_count(g, object, "leave2");
    if (one_count < 0 || two_count < 0) return;
    GOLDEN_CHECK(g, json_is_true(json_object_get(object, "leave2_is_prefix")), "leave2_is_prefix is not true");
    if (!GOLDEN_CHECK(g,
                      ttt_derive_select((size_t)one_count, (size_t)two_count, 250, true, &random, &chosen, &count,
                                        &err) == TTT_OK,
                      "%s", err.message))
        return;
    for (size_t i = 0; i < count; i++) ones += chosen[i] < (size_t)one_count;
    GOLDEN_CHECK(g, golden_count(g, object, "final") == (int64_t)count, "%zu chosen", count);
    GOLDEN_CHECK(g, golden_count(g, object, "from_leave1") == (int64_t)ones, "%zu leave-one-out tasks chosen", ones);
    GOLDEN_CHECK(g, golden_count(g, object, "from_leave2") == (int64_t)(count - ones), "%zu leave-two-out tasks chosen",
                 count - ones);
    check_chosen(g, chosen, ones, count, (size_t)one_count, json_is_true(json_object_get(object, "leave1_in_order")));
    ttt_free(chosen);
}

void golden_selection(golden *g, const json_t *root) {
    size_t index;
    const json_t *object;
    json_array_foreach(root, index, object) {
        golden_begin(g, "case %zu", index);
        check_selection(g, object);
        golden_end(g);
    }
}
