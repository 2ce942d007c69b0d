/* The search. One lane for each frame that shows the task's inputs in a way of their own; lanes know nothing of one
 * another and run side by side. A lane's turn: enumerate a batch, take new layers, then give combinations of layers
 * their share of the work. In a round each lane takes turns up to its share; then their answers are put together. Work
 * is counted, not timed, so that what is found depends neither on threads nor on the clock, until this stops the
 * search.
 *
 * Threads go to lanes first and work inside lanes only when there are more of them: a lane's parallel stretches are so
 * short that threads which wait for one another between them would take most of a busy machine's time. */
#include "induce/search.h"

#include "induce/answers.h"
#include "induce/costs.h"
#include "induce/enumerate.h"
#include "induce/program_build.h"
#include "induce/rules.h"
#include "induce/stacks.h"

#include <limits.h>
#include <omp.h>
#include <string.h>

enum {
    ROUND = 1024,                /* work of all lanes in a round, in applications */
    CELLS_AN_APPLICATION = 1000, /* that sets of selectors are checked on, for every application that is tried */
    ANSWERS_SHOWN = 16,
    FRAME_COST = 2 * TTT_COST_BIT, /* of any frame but the plain one */
    ENOUGH_BITS = 10,  /* a search whose level is so far above the best program can hardly change its answer */
    CERTAIN_BITS = 12, /* programs within so many bits of the best are asked whether they agree */
    CERTAIN_MOST = 36, /* bits: among dearer programs so many are tried that some fit by chance */
};
static const size_t default_memory = (size_t)1 << 30;

/* How far sets of some number of selectors have been combined. */
typedef struct combining {
    int cost, level; /* sets of smaller sums, from layers of lower levels, are done */
    size_t work;     /* cells looked at so far */
} combining;

typedef struct lane {
    const struct ttt_search *search;
    size_t number;
    ttt_frame frame;
    double weight; /* its share of the work, relative */
    double work;   /* done so far, in applications */
    bool ended;
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
    ttt_grid *test_outputs; /* [test_count], scratch */
    ttt_status status;      /* of its last turns */
    ttt_error err;
} lane;

enum { LANES_MAX = 4 };

struct ttt_search {
    size_t pair_count, test_count;
    ttt_search_options options;
    ttt_arena *arena; /* grids and cells of the lanes */
    lane lanes[LANES_MAX];
    size_t lane_count;
    ttt_answers answers; /* of all lanes, as of the last round */
    double seconds, started, deadline;
    double round; /* work of all lanes together that the last round went up to */

    /* What ttt_search_answers shows. */
    ttt_program programs[ANSWERS_SHOWN];
    size_t order[ANSWERS_SHOWN], shown;
};

/* ------------------------------------------------------------------------------------------------- findings */

static void grids_of_cells(lane *l, const ttt_layer_group *group, const uint8_t *cells) {
    const ttt_search *search = l->search;
    for (size_t i = 0; i < search->test_count; i++) {
        ttt_grid grid = {.height = group->test_sizes[i].height, .width = group->test_sizes[i].width};
        const size_t area = (size_t)ttt_grid_area(&grid);
        memcpy(grid.cells, cells, area);
        cells += area;
        ttt_frame_leave(&l->maps[search->pair_count + i], &grid, &l->test_outputs[i]);
    }
}

static double seconds_so_far(const ttt_search *search) {
    return search->seconds + ttt_clock_seconds() - search->started;
}

static ttt_status keep_finding(lane *l, const ttt_layer_group *group, const ttt_finding *finding, size_t fitted,
                               const uint8_t *test_cells, ttt_error *err) {
    ttt_finding kept = *finding;
    for (int i = 0; i < kept.layer_count; i++) kept.layers[i] = group->layers.items[finding->layers[i]].entry;
    kept.cost += l->frame == TTT_FRAME_PLAIN ? 0 : FRAME_COST;
    grids_of_cells(l, group, test_cells);
    return ttt_answers_add(&l->answers, l->test_outputs, l->number, &kept, fitted, seconds_so_far(l->search), err);
}

static ttt_status found(void *context, const ttt_layer_group *group, const ttt_finding *finding,
                        const uint8_t *test_cells, ttt_error *err) {
    lane *l = context;
    return keep_finding(l, group, finding, l->search->pair_count, test_cells, err);
}

/* A layer that is right in some demonstrations is better than nothing as an attempt. */
static ttt_status keep_partial(lane *l, const ttt_layer_group *group, ttt_error *err) {
    const uint32_t newest = (uint32_t)group->layers.count - 1;
    const ttt_layer *layer = &group->layers.items[newest];
    if (layer->right_pairs == 0 || layer->wrong == 0) return TTT_OK;
    const ttt_finding finding = {.layers = {newest}, .layer_count = 1, .cost = layer->cost};
    return keep_finding(l, group, &finding, layer->right_pairs, layer->cells + group->target->cell_count, err);
}

/* ---------------------------------------------------------------------------------------------------- lanes */

static uint16_t colours_of(const lane *l, size_t example_count) {
    uint16_t colours = 0;
    for (size_t i = 0; i < example_count; i++) colours |= ttt_grid_colours(&l->inputs[i]);
    for (size_t i = 0; i < l->search->pair_count; i++) colours |= ttt_grid_colours(&l->outputs[i]);
    return colours;
}

static ttt_status make_target(lane *l, ttt_error *err) {
    size_t count = 0, at = 0;
    for (size_t i = 0; i < l->search->pair_count; i++) count += (size_t)ttt_grid_area(&l->outputs[i]);
    l->cells = ttt_arena_allocate(l->search->arena, count, 1);
    l->pair_of = ttt_arena_allocate(l->search->arena, count, 1);
    if (l->cells == NULL || l->pair_of == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for a search");
    for (size_t i = 0; i < l->search->pair_count; i++) {
        const size_t area = (size_t)ttt_grid_area(&l->outputs[i]);
        memcpy(l->cells + at, l->outputs[i].cells, area);
        memset(l->pair_of + at, (int)i, area);
        at += area;
    }
    l->target = (ttt_target){.outputs = l->outputs,
                             .pair_count = l->search->pair_count,
                             .test_count = l->search->test_count,
                             .cells = l->cells,
                             .pair_of = l->pair_of,
                             .cell_count = count};
    return TTT_OK;
}

/* The task's grids as the frame shows them. */
static ttt_status enter_frame(lane *l, const ttt_task *task, ttt_error *err) {
    const size_t examples = task->demonstration_count + task->test_count;
    l->maps = ttt_arena_allocate(l->search->arena, examples, sizeof *l->maps);
    l->inputs = ttt_arena_allocate(l->search->arena, examples, sizeof *l->inputs);
    l->outputs = ttt_arena_allocate(l->search->arena, task->demonstration_count, sizeof *l->outputs);
    l->test_outputs = ttt_arena_allocate(l->search->arena, task->test_count, sizeof *l->test_outputs);
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

/* Does another lane see the same grids? Then this one is not needed. */
static bool shows_the_same(const lane *a, const lane *b) {
    const size_t examples = a->search->pair_count + a->search->test_count;
    for (size_t i = 0; i < examples; i++) {
        if (!ttt_grid_equal(&a->inputs[i], &b->inputs[i])) return false;
    }
    for (size_t i = 0; i < a->search->pair_count; i++) {
        if (!ttt_grid_equal(&a->outputs[i], &b->outputs[i])) return false;
    }
    return true;
}

static bool wants(void *context, const ttt_value *values) {
    const lane *l = context;
    return ttt_layers_bytes(l->layers) < l->layer_bytes && ttt_layers_fit(&l->target, values);
}

static ttt_status take_entry(void *context, uint32_t entry, int cost, const ttt_value *values, ttt_error *err) {
    lane *l = context;
    ttt_layer_group *group;
    if (ttt_layers_bytes(l->layers) >= l->layer_bytes) return TTT_OK;
    TTT_TRY(ttt_layers_add(l->layers, entry, cost, values, &group, err));
    if (group == NULL) return TTT_OK;
    l->layer_count++;
    TTT_TRY(keep_partial(l, group, err));
    TTT_TRY(ttt_rules_add_layer(l->rules, group, err));
    return ttt_stacks_add_layer(l->stacks, group, err);
}

static int outer_threads(const ttt_search *search) {
    return search->options.threads < (int)search->lane_count ? search->options.threads : (int)search->lane_count;
}

static int inner_threads(const ttt_search *search) {
    return search->options.threads / outer_threads(search);
}

static void close_lane(lane *l) {
    ttt_stacks_free(l->stacks);
    ttt_rules_free(l->rules);
    ttt_layers_free(l->layers);
    ttt_enumerator_free(l->enumerator);
}

static ttt_status open_lane(lane *l, ttt_error *err) {
    const size_t examples = l->search->pair_count + l->search->test_count;
    const int threads = inner_threads(l->search);
    const ttt_grid **inputs = ttt_arena_allocate(l->search->arena, examples, sizeof *inputs);
    if (inputs == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for a search");
    for (size_t i = 0; i < examples; i++) inputs[i] = &l->inputs[i];
    /* A quarter of the memory is for layers; they are what the search goes on with when the rest is full. */
    const size_t memory = (size_t)((double)l->search->options.memory_bytes * l->weight);
    l->layer_bytes = memory / 4;
    const ttt_enumerator_listener listener = {.wants = wants, .entry = take_entry, .context = l};
    TTT_TRY(make_target(l, err));
    TTT_TRY(ttt_layers_new(&l->target, &l->layers, err));
    TTT_TRY(ttt_rules_new(l->layers, threads, found, l, &l->rules, err));
    TTT_TRY(ttt_stacks_new(l->layers, found, l, &l->stacks, err));
    return ttt_enumerator_new(inputs, examples, colours_of(l, examples), memory - l->layer_bytes, threads, &listener,
                              &l->enumerator, err);
}

/* Shares of the work, where all frames differ. */
static const struct {
    ttt_frame frame;
    double weight;
} frames[LANES_MAX] = {{TTT_FRAME_PLAIN, 0.4},
                       {TTT_FRAME_BACKGROUND, 0.3},
                       {TTT_FRAME_COLOURS, 0.2},
                       {TTT_FRAME_TRANSPOSED | TTT_FRAME_BACKGROUND, 0.1}};

static ttt_status make_lanes(ttt_search *search, const ttt_task *task, ttt_error *err) {
    double weights = 0;
    for (int f = 0; f < LANES_MAX; f++) {
        lane *l = &search->lanes[search->lane_count];
        *l = (lane){.frame = frames[f].frame,
                    .weight = frames[f].weight,
                    .search = search,
                    .answers = {.test_count = search->test_count}};
        TTT_TRY(enter_frame(l, task, err));
        bool is_new = true;
        for (size_t i = 0; i < search->lane_count; i++) is_new &= !shows_the_same(l, &search->lanes[i]);
        if (!is_new) continue;
        l->number = search->lane_count++;
        weights += l->weight;
    }
    for (size_t i = 0; i < search->lane_count; i++) {
        search->lanes[i].weight /= weights;
        TTT_TRY(open_lane(&search->lanes[i], err));
    }
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- a lane's turn */

static bool time_is_up(const ttt_search *search) {
    return ttt_stop_requested(search->options.stop) ||
           (search->deadline > 0 && ttt_clock_seconds() >= search->deadline);
}

/* The best answer that fits every demonstration, NULL without one. */
static const ttt_answer *best_answer(const ttt_search *search) {
    const ttt_answer *best = NULL;
    for (size_t i = 0; i < search->answers.count; i++) {
        const ttt_answer *a = &search->answers.items[i];
        if (a->fitted == search->pair_count && (best == NULL || a->weight > best->weight)) best = a;
    }
    return best;
}

/* What costs more says nothing that counts beside the best answer that there is. */
static int cost_limit(const ttt_search *search) {
    const ttt_answer *best = best_answer(search);
    return best != NULL ? best->cost + CERTAIN_BITS * TTT_COST_BIT : INT_MAX;
}

/* Sets of so many selectors have their share of the work, by the sum of their costs, from layers of complete levels.
 * When a level has become complete, its layers first catch up: sets with the sums that are done. */
static ttt_status combine(lane *l, int selectors, combining *done, double share, ttt_error *err) {
    const int level = ttt_enumerator_level(l->enumerator), limit = cost_limit(l->search);
    const double allowed = share * (double)ttt_enumerator_applications(l->enumerator);
    size_t work;
    for (; done->level < level; done->level++) {
        for (int cost = done->level; cost < done->cost && cost <= limit; cost++) {
            if (time_is_up(l->search)) return TTT_OK;
            TTT_TRY(ttt_rules_combine(l->rules, selectors, cost, done->level, done->level, &work, err));
            done->work += work;
        }
    }
    while ((double)done->work < allowed && done->cost < selectors * level && done->cost <= limit &&
           !time_is_up(l->search)) {
        TTT_TRY(ttt_rules_combine(l->rules, selectors, done->cost++, 1, level - 1, &work, err));
        done->work += work;
    }
    return TTT_OK;
}

static ttt_status take_turn(lane *l, ttt_error *err) {
    bool more;
    const size_t before = ttt_enumerator_applications(l->enumerator);
    TTT_TRY(ttt_enumerator_step(l->enumerator, &more, err));
    l->work += (double)(ttt_enumerator_applications(l->enumerator) - before);
    TTT_TRY(combine(l, 2, &l->pairs, CELLS_AN_APPLICATION, err));
    TTT_TRY(combine(l, 3, &l->triples, CELLS_AN_APPLICATION, err));
    if (4 * l->layer_count > 5 * l->stacked) {
        TTT_TRY(ttt_stacks_try(l->stacks, err));
        l->stacked = l->layer_count;
    }
    l->ended =
        !more || (ttt_pool_full(ttt_enumerator_pool(l->enumerator)) && ttt_layers_bytes(l->layers) >= l->layer_bytes);
    return TTT_OK;
}

/* A lane is through when whatever it may still find is far more complicated than what is there. */
static bool lane_is_through(const lane *l) {
    const ttt_answer *best = best_answer(l->search);
    if (l->ended) return true;
    if (best == NULL) return false;
    return ttt_enumerator_level(l->enumerator) > best->cost + ENOUGH_BITS * TTT_COST_BIT;
}

static void take_turns(lane *l) {
    while (l->status == TTT_OK && l->work < l->weight * l->search->round && !l->ended && !time_is_up(l->search)) {
        l->status = take_turn(l, &l->err);
    }
}

static ttt_status join_answers(ttt_search *search, ttt_error *err) {
    ttt_answers_clear(&search->answers);
    for (size_t i = 0; i < search->lane_count; i++) {
        TTT_TRY(ttt_answers_join(&search->answers, &search->lanes[i].answers, err));
    }
    return TTT_OK;
}

/* A round of all lanes that are not through; *any: is there one? */
static ttt_status run_round(ttt_search *search, bool *any, ttt_error *err) {
    lane *running[LANES_MAX];
    int count = 0;
    for (size_t i = 0; i < search->lane_count; i++) {
        if (!lane_is_through(&search->lanes[i])) running[count++] = &search->lanes[i];
    }
    *any = count > 0;
    search->round += ROUND;
#pragma omp parallel for num_threads(outer_threads(search)) schedule(dynamic, 1)
    for (int i = 0; i < count; i++) take_turns(running[i]);
    for (int i = 0; i < count; i++) {
        if (running[i]->status == TTT_OK) continue;
        if (err != NULL) *err = running[i]->err;
        return running[i]->status;
    }
    return join_answers(search, err);
}

static ttt_status make_programs(ttt_search *search, ttt_error *err) {
    size_t *order = ttt_allocate(search->answers.count, sizeof *order);
    ttt_status status = TTT_OK;
    if (order == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the answers of a search");
    ttt_answers_order(&search->answers, order);
    search->shown = search->answers.count < ANSWERS_SHOWN ? search->answers.count : ANSWERS_SHOWN;
    for (size_t i = 0; i < search->shown; i++) {
        const ttt_answer *a = &search->answers.items[order[i]];
        const lane *l = &search->lanes[a->lane];
        search->order[i] = order[i];
        ttt_program_release(&search->programs[i]);
        TTT_TRY_OUT(
            ttt_program_build(ttt_enumerator_pool(l->enumerator), l->frame, &a->finding, &search->programs[i], err));
    }

out:
    ttt_free(order);
    return status;
}

/* ------------------------------------------------------------------------------------------------- interface */

ttt_status ttt_search_new(const ttt_task *task, const ttt_search_options *options, ttt_search **out, ttt_error *err) {
    ttt_status status = TTT_OK;
    ttt_search *search = ttt_allocate(1, sizeof *search);
    *out = NULL;
    if (search == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for a search");
    search->options = *options;
    if (search->options.threads <= 0) search->options.threads = omp_get_num_procs();
    if (search->options.memory_bytes == 0) search->options.memory_bytes = default_memory;
    search->pair_count = task->demonstration_count;
    search->test_count = task->test_count;
    search->answers.test_count = task->test_count;
    TTT_TRY_OUT(ttt_arena_new(&search->arena, 1 << 16, err));
    TTT_TRY_OUT(make_lanes(search, task, err));
    *out = search;
    return TTT_OK;

out:
    ttt_search_free(search);
    return status;
}

void ttt_search_free(ttt_search *search) {
    if (search == NULL) return;
    for (size_t i = 0; i < LANES_MAX; i++) {
        ttt_answers_release(&search->lanes[i].answers);
        close_lane(&search->lanes[i]);
    }
    for (size_t i = 0; i < ANSWERS_SHOWN; i++) ttt_program_release(&search->programs[i]);
    ttt_answers_release(&search->answers);
    ttt_arena_free(search->arena);
    ttt_free(search);
}

ttt_status ttt_search_run(ttt_search *search, double seconds, bool *ended, ttt_error *err) {
    ttt_status status = TTT_OK;
    bool any = true;
    search->started = ttt_clock_seconds();
    search->deadline = seconds > 0 ? search->started + seconds : 0;
    while (status == TTT_OK && any && !time_is_up(search)) {
        status = run_round(search, &any, err);
        ttt_progress_step(&search->options.progress, "search", (int64_t)(seconds_so_far(search) * 1000),
                          (int64_t)(seconds * 1000));
    }
    *ended = !any || ttt_stop_requested(search->options.stop);
    search->seconds = seconds_so_far(search);
    return status == TTT_OK ? make_programs(search, err) : status;
}

size_t ttt_search_answers(const ttt_search *search, ttt_search_answer *answers, size_t most) {
    const size_t count = most < search->shown ? most : search->shown;
    for (size_t i = 0; i < count; i++) {
        const ttt_answer *a = &search->answers.items[search->order[i]];
        answers[i] = (ttt_search_answer){.outputs = a->outputs,
                                         .program = &search->programs[i],
                                         .cost = (double)a->cost / TTT_COST_BIT,
                                         .programs = a->programs,
                                         .fitted = a->fitted,
                                         .seconds = a->seconds};
    }
    return count;
}

bool ttt_search_certain(const ttt_search *search) {
    const ttt_answer *best = best_answer(search);
    if (best == NULL || best->cost > CERTAIN_MOST * TTT_COST_BIT) return false;
    for (size_t i = 0; i < search->answers.count; i++) {
        const ttt_answer *a = &search->answers.items[i];
        if (a != best && a->fitted == search->pair_count && a->cost < best->cost + CERTAIN_BITS * TTT_COST_BIT) {
            return false;
        }
    }
    return true;
}

ttt_search_facts ttt_search_describe(const ttt_search *search) {
    ttt_search_facts facts = {.seconds = search->seconds};
    for (size_t i = 0; i < search->lane_count; i++) {
        const lane *l = &search->lanes[i];
        const ttt_pool *pool = ttt_enumerator_pool(l->enumerator);
        facts.values += ttt_pool_count(pool);
        facts.applications += ttt_enumerator_applications(l->enumerator);
        facts.bytes += ttt_pool_bytes(pool) + ttt_layers_bytes(l->layers);
        facts.memory_full |= ttt_pool_full(pool);
    }
    return facts;
}
