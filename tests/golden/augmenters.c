/* augmenters.json: what each transform, colour map and order makes of a task. */
#include "golden.h"

#include "base/memory.h"

#include <string.h>

/* A task and the recipe that one result asks for: the test pair is the question, held out of pairs[0..train). */
typedef struct augmented_case {
    ttt_source source;
    size_t train;
    ttt_derivation derivation;
    ttt_pair_shift shifts[TTT_DEMONSTRATIONS_MAX];
} augmented_case;

static uint16_t all_colours(const ttt_source *source) {
    unsigned used = 0;
    for (size_t i = 0; i < source->count; i++)
        used |= ttt_grid_colours(&source->pairs[i].input) | ttt_grid_colours(&source->pairs[i].output);
    return (uint16_t)used;
}

static bool read_shift(golden *g, const json_t *object, const char *side, const ttt_grid *grid, uint8_t shift[2]) {
    uint8_t numbers[TTT_DEMONSTRATIONS_MAX];
    if (golden_numbers(g, golden_list(g, object, side), 4, numbers) != 2)
        return golden_fail(g, "a shift of not 2 numbers");
    memcpy(shift, numbers, 2);
    return GOLDEN_CHECK(g, shift[0] < grid->height && shift[1] < grid->width, "a shift beyond its grid");
}

static bool read_pair_shift(golden *g, const json_t *object, const ttt_pair *pair, ttt_pair_shift *shift) {
    return golden_has_members(g, object, "input output") &&
           read_shift(g, object, "input", &pair->input, shift->input) &&
           read_shift(g, object, "output", &pair->output, shift->output);
}

static bool read_shifts(golden *g, const json_t *shifts, augmented_case *c) {
    const json_t *train = golden_list(g, shifts, "train");
    if (!train || !GOLDEN_CHECK(g, json_array_size(train) == c->train, "%zu shifts", json_array_size(train)))
        return false;
    for (size_t i = 0; i < c->source.count; i++) {
        const json_t *one = i < c->train ? json_array_get(train, i) : json_object_get(shifts, "test");
        if (!read_pair_shift(g, one, &c->source.pairs[i], &c->shifts[i])) return false;
    }
    c->source.shifts = c->shifts;
    return true;
}

/* The colour map must be one that our copy of the reference's rule could draw, and our inverse must be its inverse. */
static bool read_colours(golden *g, const json_t *result, augmented_case *c) {
    ttt_colours inverse, ours;
    const uint16_t used = all_colours(&c->source);
    if (!golden_colours(g, json_object_get(result, "color_map"), &c->derivation.colours) ||
        !golden_colours(g, json_object_get(result, "inverse_color_map"), &inverse))
        return false;
    return GOLDEN_CHECK(g, ttt_colours_reference_legal(&c->derivation.colours, used),
                        "our rule cannot draw this map") &&
           GOLDEN_CHECK(g, ttt_colours_inverse(&c->derivation.colours, used, &ours), "the map has no inverse") &&
           GOLDEN_CHECK(g, memcmp(&ours, &inverse, sizeof ours) == 0, "another inverse colour map");
}

static bool read_recipe(golden *g, const json_t *result, const char *aug, augmented_case *c) {
    if (strcmp(aug, "PermuteColors()") == 0)
        return golden_has_members(g, result, "aug kept seed color_map inverse_color_map train test") &&
               read_colours(g, result, c);
    if (strcmp(aug, "PermuteExamples()") == 0) {
        if (!golden_has_members(g, result, "aug kept seed order train test")) return false;
        const int count = golden_numbers(g, golden_list(g, result, "order"), (int)c->train, c->derivation.order);
        return GOLDEN_CHECK(g, count == (int)c->train, "an order of %d pairs", count);
    }
    if (strcmp(aug, "RandomTranslateXY()") == 0 &&
        !(golden_has_members(g, result, "aug kept inverse seed shifts train test") &&
          read_shifts(g, golden_object(g, result, "shifts"), c)))
        return false;
    if (strcmp(aug, "RandomTranslateXY()") != 0 &&
        !golden_has_members(g, result,
                            json_is_true(json_object_get(result, "kept")) ? "aug inverse kept train test"
                                                                          : "aug inverse kept shapes"))
        return false;
    return golden_transform(g, json_object_get(result, "aug"), &c->derivation.transform);
}

/* The inverse has the reference's name, and does undo the transform on every grid. */
static void check_inverse(golden *g, const json_t *result, const augmented_case *c) {
    const json_t *name = json_object_get(result, "inverse");
    ttt_transform inverse, named;
    if (!name || json_object_get(result, "color_map")) return; /* colours: checked by their map */
    const bool has = ttt_transform_inverse(&c->derivation.transform, &inverse);
    if (json_is_null(name)) {
        GOLDEN_CHECK(g, !has, "an inverse where the reference has none");
        return;
    }
    if (!golden_transform(g, name, &named) || !GOLDEN_CHECK(g, has, "no inverse")) return;
    GOLDEN_CHECK(g, ttt_transform_equal(&inverse, &named), "another inverse");
    for (size_t i = 0; i < c->source.count; i++) {
        ttt_pair there, back;
        const bool applied = ttt_transform_apply_pair(&c->derivation.transform, &c->source.pairs[i], &there) &&
                             ttt_transform_apply_pair(&inverse, &there, &back);
        GOLDEN_CHECK(g, applied && ttt_pair_equal(&back, &c->source.pairs[i]), "not undone on pair %zu", i);
    }
}

/* One grid of a task that is dropped: it fits exactly when the reference's is at most 30 by 30, and then has its
 * shape. */
static bool check_shape(golden *g, const json_t *shape, const ttt_transform *transform, const ttt_grid *grid,
                        bool *over) {
    const json_int_t height = json_integer_value(json_array_get(shape, 0));
    const json_int_t width = json_integer_value(json_array_get(shape, 1));
    ttt_grid out;
    const bool fits = ttt_transform_apply(transform, grid, &out);
    *over = *over || !fits;
    if (!GOLDEN_CHECK(g, json_array_size(shape) == 2 && height > 0 && width > 0, "a shape is not two numbers"))
        return false;
    return GOLDEN_CHECK(g, fits == (height <= TTT_GRID_MAX && width <= TTT_GRID_MAX), "fits differently") &&
           GOLDEN_CHECK(g, !fits || (out.height == height && out.width == width), "another shape");
}

static void check_dropped(golden *g, const json_t *shapes, const augmented_case *c) {
    const json_t *train = golden_list(g, shapes, "train");
    bool over = false;
    if (!train || !GOLDEN_CHECK(g, json_array_size(train) == c->train, "%zu shapes", json_array_size(train))) return;
    for (size_t i = 0; i < c->source.count; i++) {
        const json_t *pair = i < c->train ? json_array_get(train, i) : json_object_get(shapes, "test");
        if (!GOLDEN_CHECK(g, json_array_size(pair) == 2, "the shapes of a pair are not two") ||
            !check_shape(g, json_array_get(pair, 0), &c->derivation.transform, &c->source.pairs[i].input, &over) ||
            !check_shape(g, json_array_get(pair, 1), &c->derivation.transform, &c->source.pairs[i].output, &over))
            return;
    }
    GOLDEN_CHECK(g, over, "dropped, but all grids fit");
}

static void check_result(golden *g, const json_t *result, augmented_case *c) {
    static ttt_pair derived[TTT_DEMONSTRATIONS_MAX]; /* too large for a stack */
    ttt_pair question, expected;
    const char *aug = golden_string(g, result, "aug");
    const json_t *kept = json_object_get(result, "kept");
    if (!aug || !GOLDEN_CHECK(g, json_is_boolean(kept), "no \"kept\"") || !read_recipe(g, result, aug, c)) return;
    check_inverse(g, result, c);
    const bool made = ttt_derive(&c->source, &c->derivation, derived, &question);
    if (!GOLDEN_CHECK(g, made == json_is_true(kept), "ours %s", made ? "fits" : "is too large")) return;
    if (!made) {
        check_dropped(g, golden_object(g, result, "shapes"), c);
        return;
    }
    const json_t *train = golden_list(g, result, "train");
    if (!train || !GOLDEN_CHECK(g, json_array_size(train) == c->train, "%zu pairs", json_array_size(train))) return;
    for (size_t i = 0; i < c->train; i++)
        if (golden_pair(g, json_array_get(train, i), &expected))
            GOLDEN_CHECK(g, ttt_pair_equal(&derived[i], &expected), "train pair %zu differs", i);
    if (golden_pair(g, json_object_get(result, "test"), &expected))
        GOLDEN_CHECK(g, ttt_pair_equal(&question, &expected), "the test pair differs");
}

static void check_task(golden *g, const json_t *task) {
    const char *id = json_string_value(json_object_get(task, "task"));
    size_t train = 0, index;
    const json_t *result;
    golden_begin(g, "task %s", id ? id : "without a name");
    const json_t *results = golden_list(g, task, "results");
    ttt_pair *pairs = golden_has_members(g, task, "task train test results") && results
                          ? golden_pairs(g, json_object_get(task, "train"), &train)
                          : NULL;
    ttt_pair *all = ttt_allocate(train + 1, sizeof *all);
    const bool good =
        pairs && all && train < TTT_DEMONSTRATIONS_MAX && golden_pair(g, json_object_get(task, "test"), &all[train]);
    if (good) {
        memcpy(all, pairs, train * sizeof *pairs);
        json_array_foreach(results, index, result) {
            augmented_case c = {.source = {all, train + 1, NULL}, .train = train};
            const char *aug = json_string_value(json_object_get(result, "aug"));
            golden_begin(g, "task %s, %s (result %zu)", id ? id : "?", aug ? aug : "?", index);
            c.derivation = (ttt_derivation){.left_out = 1,
                                            .held_out = (uint8_t)train,
                                            .count = (uint8_t)train,
                                            .method = -1,
                                            .colours = ttt_colours_identity()};
            for (size_t i = 0; i < train; i++) c.derivation.order[i] = (uint8_t)i;
            check_result(g, result, &c);
            golden_end(g);
        }
    } else {
        golden_fail(g, "the task cannot be read");
        golden_end(g);
    }
    ttt_free(pairs);
    ttt_free(all);
}

void golden_augmenters(golden *g, const json_t *root) {
    size_t index;
    const json_t *task;
    json_array_foreach(root, index, task) check_task(g, task);
}
