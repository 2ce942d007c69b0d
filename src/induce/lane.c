/* A lane: values, layers, rules and stacks of one frame. */
#include "induce/lane.h"

#include "induce/enumerate.h"
#include "induce/layers.h"
#include "induce/program_build.h"
#include "induce/rules.h"
#include "induce/stacks.h"

#include <string.h>

enum {
    CELLS_AN_APPLICATION = 1000,   /* that sets of selectors are checked on, for every application that is tried */
    FRAME_COST = 2 * TTT_COST_BIT, /* of any frame but the plain one */
};

/* How far sets of some number of selectors have been combined. */
typedef struct combining {
    int cost, level; /* sets of smaller sums, from layers of lower levels, are done */
    int caught_up;   /* and with layers of this level those of smaller sums than this */
    size_t work;     /* cells looked at so far */
} combining;

struct ttt_lane {
    ttt_frame frame;
    size_t number, pair_count, test_count;
    ttt_arena *arena;    /* grids and cells */
    ttt_frame_map *maps; /* [examples] */
    ttt_grid *inputs;    /* [examples], in the frame */
    ttt_grid *outputs;   /* [pairs] */
    uint8_t *cells, *pair_of;
    ttt_target target;
    ttt_enumerator *enumerator;
    ttt_layers *layers;
    ttt_rules *rules;
    ttt_stacks *stacks;
    size_t stacked;                  /* layers there were when stacks were last tried */
    size_t layer_count, layer_bytes; /* layers there are, and what they may take */
    combining pairs, triples;
    ttt_answers answers;
    ttt_grid *test_outputs;        /* [test_count], scratch */
    const ttt_lane_limits *limits; /* of the turn */
    bool ended;
};

/* ------------------------------------------------------------------------------------------------- findings */

static void grids_of_cells(ttt_lane *l, const ttt_layer_group *group, const uint8_t *cells) {
    for (size_t i = 0; i < l->test_count; i++) {
        ttt_grid grid = {.height = group->test_sizes[i].height, .width = group->test_sizes[i].width};
        const size_t area = (size_t)ttt_grid_area(&grid);
        memcpy(grid.cells, cells, area);
        cells += area;
        ttt_frame_leave(&l->maps[l->pair_count + i], &grid, &l->test_outputs[i]);
    }
}

static ttt_status keep_finding(ttt_lane *l, const ttt_layer_group *group, const ttt_finding *finding, size_t fitted,
                               const uint8_t *test_cells, ttt_error *err) {
    ttt_finding kept = *finding;
    for (int i = 0; i < kept.layer_count; i++) kept.layers[i] = group->layers.items[finding->layers[i]].entry;
    kept.cost += l->frame == TTT_FRAME_PLAIN ? 0 : FRAME_COST;
    grids_of_cells(l, group, test_cells);
    return ttt_answers_add(&l->answers, l->test_outputs, l->number, &kept, fitted,
                           ttt_clock_seconds() - l->limits->beginning, err);
}

static ttt_status found(void *context, const ttt_layer_group *group, const ttt_finding *finding,
                        const uint8_t *test_cells, ttt_error *err) {
    ttt_lane *l = context;
    return keep_finding(l, group, finding, l->pair_count, test_cells, err);
}

/* A layer that is right in some demonstrations is better than nothing as an attempt. */
static ttt_status keep_partial(ttt_lane *l, const ttt_layer_group *group, ttt_error *err) {
    const uint32_t newest = (uint32_t)group->layers.count - 1;
    const ttt_layer *layer = &group->layers.items[newest];
    if (layer->right_pairs == 0 || layer->wrong == 0) return TTT_OK;
    const ttt_finding finding = {.layers = {newest}, .layer_count = 1, .cost = layer->cost};
    return keep_finding(l, group, &finding, layer->right_pairs, layer->cells + group->target->cell_count, err);
}

/* --------------------------------------------------------------------------------------------- opening a lane */

static uint16_t colours_of(const ttt_lane *l, size_t example_count) {
    uint16_t colours = 0;
    for (size_t i = 0; i < example_count; i++) colours |= ttt_grid_colours(&l->inputs[i]);
    for (size_t i = 0; i < l->pair_count; i++) colours |= ttt_grid_colours(&l->outputs[i]);
    return colours;
}

static ttt_status make_target(ttt_lane *l, ttt_error *err) {
    size_t count = 0, at = 0;
    for (size_t i = 0; i < l->pair_count; i++) count += (size_t)ttt_grid_area(&l->outputs[i]);
    l->cells = ttt_arena_allocate(l->arena, count, 1);
    l->pair_of = ttt_arena_allocate(l->arena, count, 1);
    if (l->cells == NULL || l->pair_of == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for a search");
    for (size_t i = 0; i < l->pair_count; i++) {
        const size_t area = (size_t)ttt_grid_area(&l->outputs[i]);
        memcpy(l->cells + at, l->outputs[i].cells, area);
        memset(l->pair_of + at, (int)i, area);
        at += area;
    }
    l->target = (ttt_target){.outputs = l->outputs,
                             .pair_count = l->pair_count,
                             .test_count = l->test_count,
                             .cells = l->cells,
                             .pair_of = l->pair_of,
                             .cell_count = count};
    return TTT_OK;
}

/* The task's grids as the frame shows them. */
static ttt_status enter_frame(ttt_lane *l, const ttt_task *task, ttt_error *err) {
    const size_t examples = task->demonstration_count + task->test_count;
    l->maps = ttt_arena_allocate(l->arena, examples, sizeof *l->maps);
    l->inputs = ttt_arena_allocate(l->arena, examples, sizeof *l->inputs);
    l->outputs = ttt_arena_allocate(l->arena, task->demonstration_count, sizeof *l->outputs);
    l->test_outputs = ttt_arena_allocate(l->arena, task->test_count, sizeof *l->test_outputs);
    if (l->maps == NULL || l->inputs == NULL || l->outputs == NULL || l->test_outputs == NULL) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for a search");
    }
    for (size_t i = 0; i < examples; i++) {
        const bool pair = i < task->demonstration_count;
        const ttt_grid *input =
            pair ? &task->demonstrations[i].input : &task->tests[i - task->demonstration_count].input;
        ttt_frame_of_input(l->frame, input, &l->maps[i]);
        ttt_frame_enter(&l->maps[i], input, &l->inputs[i]);
        if (pair) ttt_frame_enter(&l->maps[i], &task->demonstrations[i].output, &l->outputs[i]);
    }
    return TTT_OK;
}

bool ttt_lane_equal(const ttt_lane *a, const ttt_lane *b) {
    for (size_t i = 0; i < a->pair_count + a->test_count; i++) {
        if (!ttt_grid_equal(&a->inputs[i], &b->inputs[i])) return false;
    }
    for (size_t i = 0; i < a->pair_count; i++) {
        if (!ttt_grid_equal(&a->outputs[i], &b->outputs[i])) return false;
    }
    return true;
}

static bool wants(void *context, const ttt_value *values) {
    const ttt_lane *l = context;
    return ttt_layers_bytes(l->layers) < l->layer_bytes && ttt_layers_fit(&l->target, values);
}

static ttt_status take_entry(void *context, uint32_t entry, int cost, const ttt_value *values, ttt_error *err) {
    ttt_lane *l = context;
    ttt_layer_group *group;
    if (ttt_layers_bytes(l->layers) >= l->layer_bytes) return TTT_OK;
    TTT_TRY(ttt_layers_add(l->layers, entry, cost, values, &group, err));
    if (group == NULL) return TTT_OK;
    l->layer_count++;
    TTT_TRY(keep_partial(l, group, err));
    TTT_TRY(ttt_rules_add_layer(l->rules, group, err));
    return ttt_stacks_add_layer(l->stacks, group, err);
}

ttt_status ttt_lane_new(const ttt_task *task, ttt_frame frame, size_t number, ttt_lane **lane, ttt_error *err) {
    ttt_status status = TTT_OK;
    ttt_lane *l = ttt_allocate(1, sizeof *l);
    *lane = NULL;
    if (l == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for a search");
    *l = (ttt_lane){.frame = frame,
                    .number = number,
                    .pair_count = task->demonstration_count,
                    .test_count = task->test_count,
                    .answers = {.test_count = task->test_count}};
    TTT_TRY_OUT(ttt_arena_new(&l->arena, 1 << 16, err));
    TTT_TRY_OUT(enter_frame(l, task, err));
    *lane = l;
    return TTT_OK;

out:
    ttt_lane_free(l);
    return status;
}

void ttt_lane_free(ttt_lane *l) {
    if (l == NULL) return;
    ttt_answers_release(&l->answers);
    ttt_stacks_free(l->stacks);
    ttt_rules_free(l->rules);
    ttt_layers_free(l->layers);
    ttt_enumerator_free(l->enumerator);
    ttt_arena_free(l->arena);
    ttt_free(l);
}

ttt_status ttt_lane_open(ttt_lane *l, size_t memory_bytes, int threads, ttt_error *err) {
    const size_t examples = l->pair_count + l->test_count;
    const ttt_grid **inputs = ttt_arena_allocate(l->arena, examples, sizeof *inputs);
    if (inputs == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for a search");
    for (size_t i = 0; i < examples; i++) inputs[i] = &l->inputs[i];
    /* A quarter of the memory is for layers; they are what the search goes on with when the rest is full. */
    l->layer_bytes = memory_bytes / 4;
    const ttt_enumerator_listener listener = {.wants = wants, .entry = take_entry, .context = l};
    TTT_TRY(make_target(l, err));
    TTT_TRY(ttt_layers_new(&l->target, &l->layers, err));
    TTT_TRY(ttt_rules_new(l->layers, threads, found, l, &l->rules, err));
    TTT_TRY(ttt_stacks_new(l->layers, found, l, &l->stacks, err));
    return ttt_enumerator_new(inputs, examples, colours_of(l, examples), memory_bytes - l->layer_bytes, threads,
                              &listener, &l->enumerator, err);
}

/* ------------------------------------------------------------------------------------------------- its turn */

bool ttt_lane_time_is_up(const ttt_lane_limits *limits) {
    return ttt_stop_requested(limits->stop) || (limits->deadline > 0 && ttt_clock_seconds() >= limits->deadline);
}

/* Sets of so many selectors have their share of the work, by the sum of their costs, from layers of complete levels.
 * When a level has become complete, its layers first catch up: sets with the sums that are done. */
static ttt_status combine(ttt_lane *l, int selectors, combining *done, ttt_error *err) {
    const int level = ttt_enumerator_level(l->enumerator), limit = l->limits->cost;
    const double allowed = CELLS_AN_APPLICATION * (double)ttt_enumerator_applications(l->enumerator);
    size_t work;
    for (; done->level < level; done->level++) {
        if (done->caught_up < done->level) done->caught_up = done->level; /* a set costs more than its dearest layer */
        for (; done->caught_up < done->cost && done->caught_up <= limit; done->caught_up++) {
            if (ttt_lane_time_is_up(l->limits)) return TTT_OK;
            TTT_TRY(ttt_rules_combine(l->rules, selectors, done->caught_up, done->level, done->level, &work, err));
            done->work += work;
        }
        done->caught_up = 0;
    }
    while ((double)done->work < allowed && done->cost < selectors * level && done->cost <= limit &&
           !ttt_lane_time_is_up(l->limits)) {
        TTT_TRY(ttt_rules_combine(l->rules, selectors, done->cost++, 1, level - 1, &work, err));
        done->work += work;
    }
    return TTT_OK;
}

ttt_status ttt_lane_turn(ttt_lane *l, const ttt_lane_limits *limits, double *applications, ttt_error *err) {
    bool more;
    const size_t before = ttt_enumerator_applications(l->enumerator);
    l->limits = limits;
    TTT_TRY(ttt_enumerator_step(l->enumerator, &more, err));
    *applications += (double)(ttt_enumerator_applications(l->enumerator) - before);
    TTT_TRY(combine(l, 2, &l->pairs, err));
    TTT_TRY(combine(l, 3, &l->triples, err));
    if (4 * l->layer_count > 5 * l->stacked) {
        TTT_TRY(ttt_stacks_try(l->stacks, err));
        l->stacked = l->layer_count;
    }
    l->ended =
        !more || (ttt_pool_full(ttt_enumerator_pool(l->enumerator)) && ttt_layers_bytes(l->layers) >= l->layer_bytes);
    return TTT_OK;
}

bool ttt_lane_ended(const ttt_lane *l) {
    return l->ended;
}

int ttt_lane_level(const ttt_lane *l) {
    return ttt_enumerator_level(l->enumerator);
}

const ttt_answers *ttt_lane_answers(const ttt_lane *l) {
    return &l->answers;
}

ttt_status ttt_lane_program(const ttt_lane *l, const ttt_answer *answer, ttt_program *program, ttt_error *err) {
    return ttt_program_build(ttt_enumerator_pool(l->enumerator), l->frame, &answer->finding, program, err);
}

const ttt_pool *ttt_lane_pool(const ttt_lane *l) {
    return ttt_enumerator_pool(l->enumerator);
}

size_t ttt_lane_bytes(const ttt_lane *l) {
    return ttt_pool_bytes(ttt_enumerator_pool(l->enumerator)) + ttt_layers_bytes(l->layers);
}

size_t ttt_lane_applications(const ttt_lane *l) {
    return ttt_enumerator_applications(l->enumerator);
}
