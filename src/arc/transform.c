/* Transforms as chains of steps: application, inverses, and their names in the reference. */
#include "arc/transform.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* The grid joined along `axis` with `image`, a mirror image or turned copy of it. */
static bool join_with_image(const ttt_grid *grid, const ttt_grid *image, int axis, bool image_first, ttt_grid *out) {
    return ttt_grid_join(image_first ? image : grid, image_first ? grid : image, axis, out);
}

static bool step_apply(const ttt_step *step, const ttt_grid *grid, ttt_grid *out) {
    ttt_grid image;
    switch ((ttt_step_kind)step->kind) {
    case TTT_STEP_ROTATE: ttt_grid_rotate(grid, step->a / 90, out); return true;
    case TTT_STEP_FLIP: ttt_grid_flip(grid, step->a, out); return true;
    case TTT_STEP_TRANSPOSE: ttt_grid_transpose(grid, out); return true;
    case TTT_STEP_SHIFT: ttt_grid_shift(grid, step->a, step->b, out); return true;
    case TTT_STEP_REFLECT:
        ttt_grid_flip(grid, step->a, &image);
        return join_with_image(grid, &image, step->a, step->b, out);
    case TTT_STEP_CONCAT: ttt_grid_rotate(grid, 2, &image); return join_with_image(grid, &image, step->a, false, out);
    case TTT_STEP_REPEAT: return ttt_grid_tile(grid, step->a == 1 ? 1 : step->b, step->a == 0 ? 1 : step->b, out);
    case TTT_STEP_HEIGHT: return ttt_grid_scale(grid, step->a, 1, out);
    case TTT_STEP_WIDTH: return ttt_grid_scale(grid, 1, step->a, out);
    case TTT_STEP_SCALE: return ttt_grid_scale(grid, step->a, step->a, out);
    }
    assert(!"a step of unknown kind");
    return false;
}

bool ttt_transform_apply(const ttt_transform *transform, const ttt_grid *grid, ttt_grid *out) {
    ttt_grid now = *grid;
    for (int i = 0; i < transform->count; i++) {
        ttt_grid next;
        if (!step_apply(&transform->steps[i], &now, &next)) return false;
        now = next;
    }
    *out = now;
    return true;
}

bool ttt_transform_apply_pair(const ttt_transform *transform, const ttt_pair *pair, ttt_pair *out) {
    return ttt_transform_apply(transform, &pair->input, &out->input) &&
           ttt_transform_apply(transform, &pair->output, &out->output);
}

bool ttt_transform_inverse(const ttt_transform *transform, ttt_transform *inverse) {
    ttt_transform result = {.count = transform->count};
    for (int i = 0; i < transform->count; i++) {
        ttt_step step = transform->steps[i];
        switch ((ttt_step_kind)step.kind) {
        case TTT_STEP_ROTATE: step.a = (int16_t)(360 - step.a); break;
        case TTT_STEP_FLIP:
        case TTT_STEP_TRANSPOSE: break;
        default: return false;
        }
        result.steps[transform->count - 1 - i] = step;
    }
    *inverse = result;
    return true;
}

bool ttt_transform_equal(const ttt_transform *a, const ttt_transform *b) {
    if (a->count != b->count) return false;
    for (int i = 0; i < a->count; i++)
        if (a->steps[i].kind != b->steps[i].kind || a->steps[i].a != b->steps[i].a || a->steps[i].b != b->steps[i].b)
            return false;
    return true;
}

bool ttt_transform_enlarges(const ttt_transform *transform) {
    for (int i = 0; i < transform->count; i++) switch ((ttt_step_kind)transform->steps[i].kind) {
        case TTT_STEP_ROTATE:
        case TTT_STEP_FLIP:
        case TTT_STEP_TRANSPOSE:
        case TTT_STEP_SHIFT: break;
        default: return true;
        }
    return false;
}

bool ttt_transform_has_shift(const ttt_transform *transform) {
    for (int i = 0; i < transform->count; i++)
        if (transform->steps[i].kind == TTT_STEP_SHIFT) return true;
    return false;
}

/* --- Names ------------------------------------------------------------------------------------------------------- */

static void step_name(const ttt_step *step, char *name, size_t size) {
    const char *truth[] = {"False", "True"};
    switch ((ttt_step_kind)step->kind) {
    case TTT_STEP_ROTATE: snprintf(name, size, "Rotate(%d)", step->a); break;
    case TTT_STEP_FLIP: snprintf(name, size, "Flip(%d)", step->a); break;
    case TTT_STEP_TRANSPOSE: snprintf(name, size, "Transpose()"); break;
    case TTT_STEP_REFLECT: snprintf(name, size, "Reflect(%d, reverse=%s)", step->a, truth[step->b != 0]); break;
    case TTT_STEP_REPEAT: snprintf(name, size, "Repeat(%d, %d)", step->a, step->b); break;
    case TTT_STEP_HEIGHT: snprintf(name, size, "IncreaseHeight(%d)", step->a); break;
    case TTT_STEP_WIDTH: snprintf(name, size, "IncreaseWidth(%d)", step->a); break;
    case TTT_STEP_SCALE: snprintf(name, size, "IncreaseResolution(%d)", step->a); break;
    case TTT_STEP_SHIFT: snprintf(name, size, "RandomTranslateXY()"); break;
    case TTT_STEP_CONCAT: snprintf(name, size, "Concat((IdentityAugmenter(), Rotate(180)), axis=%d)", step->a); break;
    }
}

void ttt_transform_name(const ttt_transform *transform, char *name) {
    size_t used = 0;
    if (transform->count == 0) used += (size_t)snprintf(name, TTT_TRANSFORM_NAME, "IdentityAugmenter()");
    if (transform->count > 1) used += (size_t)snprintf(name, TTT_TRANSFORM_NAME, "Chain([");
    for (int i = 0; i < transform->count && used < TTT_TRANSFORM_NAME; i++) {
        char part[64];
        step_name(&transform->steps[i], part, sizeof part);
        used += (size_t)snprintf(name + used, TTT_TRANSFORM_NAME - used, "%s%s", i ? ", " : "", part);
    }
    if (transform->count > 1 && used < TTT_TRANSFORM_NAME) snprintf(name + used, TTT_TRANSFORM_NAME - used, "])");
}

/* One step from the front of *text, which is moved behind it. The numbers are tried one by one because a name must be
 * exactly what step_name prints, nothing near it. */
static bool step_from_name(const char **text, ttt_step *step) {
    static const struct {
        ttt_step_kind kind;
        int16_t a_first, a_last, a_stride, b_first, b_last;
    } forms[] = {
        {TTT_STEP_ROTATE, 90, 270, 90, 0, 0},
        {TTT_STEP_FLIP, 0, 1, 1, 0, 0},
        {TTT_STEP_TRANSPOSE, 0, 0, 1, 0, 0},
        {TTT_STEP_REFLECT, 0, 1, 1, 0, 1},
        {TTT_STEP_REPEAT, 0, 2, 1, 1, TTT_GRID_MAX},
        {TTT_STEP_HEIGHT, 1, TTT_GRID_MAX, 1, 0, 0},
        {TTT_STEP_WIDTH, 1, TTT_GRID_MAX, 1, 0, 0},
        {TTT_STEP_SCALE, 1, TTT_GRID_MAX, 1, 0, 0},
        {TTT_STEP_SHIFT, 0, 0, 1, 0, 0},
        {TTT_STEP_CONCAT, 0, 1, 1, 0, 0},
    };
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++)
        for (int16_t a = forms[f].a_first; a <= forms[f].a_last; a = (int16_t)(a + forms[f].a_stride))
            for (int16_t b = forms[f].b_first; b <= forms[f].b_last; b++) {
                const ttt_step candidate = {(uint8_t)forms[f].kind, a, b};
                char name[64];
                step_name(&candidate, name, sizeof name);
                if (strncmp(*text, name, strlen(name)) != 0) continue;
                *text += strlen(name);
                *step = candidate;
                return true;
            }
    return false;
}

bool ttt_transform_from_name(const char *name, ttt_transform *transform) {
    ttt_transform result = {0};
    if (strcmp(name, "IdentityAugmenter()") == 0) {
        *transform = result;
        return true;
    }
    const char *chain = "Chain([";
    const bool chained = strncmp(name, chain, strlen(chain)) == 0;
    if (chained) name += strlen(chain);
    for (;;) {
        if (result.count == TTT_STEPS_MAX || !step_from_name(&name, &result.steps[result.count++])) return false;
        if (!chained || strncmp(name, ", ", 2) != 0) break;
        name += 2;
    }
    if (strcmp(name, chained ? "])" : "") != 0) return false;
    *transform = result;
    return true;
}

/* --- The 23 transforms of the method ----------------------------------------------------------------------------- */

#define ONE(...)                                                                                                       \
    {                                                                                                                  \
        .count = 1, .steps = { __VA_ARGS__ }                                                                           \
    }
#define THEN_DOUBLED(...)                                                                                              \
    {                                                                                                                  \
        .count = 2, .steps = { __VA_ARGS__, {TTT_STEP_SCALE, 2, 0} }                                                   \
    }

const ttt_transform *ttt_method_transform(int index) {
    static const ttt_transform transforms[TTT_METHOD_TRANSFORMS] = {
        ONE({TTT_STEP_ROTATE, 90, 0}),
        ONE({TTT_STEP_ROTATE, 270, 0}),
        ONE({TTT_STEP_ROTATE, 180, 0}),
        ONE({TTT_STEP_FLIP, 0, 0}),
        ONE({TTT_STEP_FLIP, 1, 0}),
        ONE({TTT_STEP_REFLECT, 0, 1}),
        ONE({TTT_STEP_REFLECT, 1, 1}),
        ONE({TTT_STEP_REFLECT, 0, 0}),
        ONE({TTT_STEP_REFLECT, 1, 0}),
        ONE({TTT_STEP_SHIFT, 0, 0}),
        ONE({TTT_STEP_TRANSPOSE, 0, 0}),
        ONE({TTT_STEP_SCALE, 2, 0}),
        ONE({TTT_STEP_HEIGHT, 2, 0}),
        ONE({TTT_STEP_WIDTH, 2, 0}),
        THEN_DOUBLED({TTT_STEP_ROTATE, 90, 0}),
        THEN_DOUBLED({TTT_STEP_ROTATE, 270, 0}),
        THEN_DOUBLED({TTT_STEP_ROTATE, 180, 0}),
        THEN_DOUBLED({TTT_STEP_FLIP, 0, 0}),
        THEN_DOUBLED({TTT_STEP_FLIP, 1, 0}),
        THEN_DOUBLED({TTT_STEP_TRANSPOSE, 0, 0}),
        ONE({TTT_STEP_REPEAT, 0, 2}),
        ONE({TTT_STEP_REPEAT, 1, 2}),
        ONE({TTT_STEP_REPEAT, 2, 2}),
    };
    assert(index >= 0 && index < TTT_METHOD_TRANSFORMS);
    return &transforms[index];
}
