/* The search. One lane for each frame that shows the task's inputs in a way of their own; lanes know nothing of one
 * another and run side by side, in rounds: each lane takes turns up to its share of the work, then their answers are
 * put together. Work is counted, not timed, so that what is found depends neither on threads nor on the clock, until
 * this stops the search.
 *
 * Threads go to lanes first and work inside lanes only when there are more of them: a lane's parallel stretches are so
 * short that threads which wait for one another between them would take most of a busy machine's time. */
#include "induce/search.h"

#include "induce/lane.h"

#include <limits.h>
#include <omp.h>

enum {
    LANES_MAX = 4,
    ROUND = 1024, /* work of all lanes in a round, in applications */
    ANSWERS_SHOWN = 16,
    ENOUGH_BITS = 10,   /* a search whose level is so far above the best program can hardly change its answer, */
    ENOUGH_CERTAIN = 4, /* and so far where the answer is certain */
    CERTAIN_BITS = 12,  /* programs within so many bits of the best are asked whether they agree */
    CERTAIN_MOST = 36,  /* bits: among dearer programs so many are tried that some fit by chance */
};
static const size_t default_memory = (size_t)1 << 30;

typedef struct runner {
    ttt_lane *lane;
    double weight;     /* its share of the work */
    double work;       /* done so far, in applications */
    ttt_status status; /* of its last turns */
    ttt_error err;
} runner;

struct ttt_search {
    size_t pair_count;
    ttt_search_options options;
    runner runners[LANES_MAX];
    size_t lane_count;
    ttt_answers answers; /* of all lanes, as of the last round */
    double seconds;      /* of earlier runs */
    double round;        /* work of all lanes together that the last round went up to */
    ttt_lane_limits limits;

    /* What ttt_search_answers shows. */
    ttt_program programs[ANSWERS_SHOWN];
    size_t order[ANSWERS_SHOWN], shown;
};

/* ---------------------------------------------------------------------------------------------------- lanes */

static int outer_threads(const ttt_search *search) {
    return search->options.threads < (int)search->lane_count ? search->options.threads : (int)search->lane_count;
}

static int inner_threads(const ttt_search *search) {
    return search->options.threads / outer_threads(search);
}

/* Shares of the work, where all frames differ. */
static const struct {
    ttt_frame frame;
    double weight;
} frames[LANES_MAX] = {{TTT_FRAME_PLAIN, 0.4},
                       {TTT_FRAME_BACKGROUND, 0.3},
                       {TTT_FRAME_COLOURS, 0.2},
                       {TTT_FRAME_TRANSPOSED | TTT_FRAME_BACKGROUND, 0.1}};

/* Takes the lane as a runner, or frees it where another shows the same. */
static void add_runner(ttt_search *search, ttt_lane *lane, double weight) {
    for (size_t i = 0; i < search->lane_count; i++) {
        if (!ttt_lane_equal(lane, search->runners[i].lane)) continue;
        ttt_lane_free(lane);
        return;
    }
    search->runners[search->lane_count++] = (runner){.lane = lane, .weight = weight};
}

static ttt_status make_lanes(ttt_search *search, const ttt_task *task, ttt_error *err) {
    double weights = 0;
    for (int f = 0; f < LANES_MAX; f++) {
        ttt_lane *lane;
        TTT_TRY(ttt_lane_new(task, frames[f].frame, search->lane_count, &lane, err));
        add_runner(search, lane, frames[f].weight);
    }
    for (size_t i = 0; i < search->lane_count; i++) weights += search->runners[i].weight;
    for (size_t i = 0; i < search->lane_count; i++) {
        runner *r = &search->runners[i];
        r->weight /= weights;
        const size_t memory = (size_t)((double)search->options.memory_bytes * r->weight);
        TTT_TRY(ttt_lane_open(r->lane, memory, inner_threads(search), err));
    }
    return TTT_OK;
}

/* ------------------------------------------------------------------------------------------------- rounds */

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

/* A lane is through when whatever it may still find is far more complicated than what is there. */
static bool lane_is_through(const ttt_search *search, const ttt_lane *lane) {
    const ttt_answer *best = best_answer(search);
    const int enough = (ttt_search_certain(search) ? ENOUGH_CERTAIN : ENOUGH_BITS) * TTT_COST_BIT;
    return ttt_lane_ended(lane) || (best != NULL && ttt_lane_level(lane) > best->cost + enough);
}

static void take_turns(const ttt_search *search, runner *r) {
    while (r->status == TTT_OK && r->work < r->weight * search->round && !ttt_lane_ended(r->lane) &&
           !ttt_lane_time_is_up(&search->limits)) {
        r->status = ttt_lane_turn(r->lane, &search->limits, &r->work, &r->err);
    }
}

static ttt_status join_answers(ttt_search *search, ttt_error *err) {
    ttt_answers_clear(&search->answers);
    for (size_t i = 0; i < search->lane_count; i++) {
        TTT_TRY(ttt_answers_join(&search->answers, ttt_lane_answers(search->runners[i].lane), err));
    }
    return TTT_OK;
}

/* A round of all lanes that are not through; *any: is there one? */
static ttt_status run_round(ttt_search *search, bool *any, ttt_error *err) {
    runner *running[LANES_MAX];
    int count = 0;
    for (size_t i = 0; i < search->lane_count; i++) {
        if (!lane_is_through(search, search->runners[i].lane)) running[count++] = &search->runners[i];
    }
    *any = count > 0;
    search->round += ROUND;
    search->limits.cost = cost_limit(search);
#pragma omp parallel for num_threads(outer_threads(search)) schedule(dynamic, 1)
    for (int i = 0; i < count; i++) take_turns(search, running[i]);
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
        search->order[i] = order[i];
        ttt_program_release(&search->programs[i]);
        TTT_TRY_OUT(ttt_lane_program(search->runners[a->lane].lane, a, &search->programs[i], err));
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
    search->answers.test_count = task->test_count;
    TTT_TRY_OUT(make_lanes(search, task, err));
    *out = search;
    return TTT_OK;

out:
    ttt_search_free(search);
    return status;
}

void ttt_search_free(ttt_search *search) {
    if (search == NULL) return;
    for (size_t i = 0; i < LANES_MAX; i++) ttt_lane_free(search->runners[i].lane);
    for (size_t i = 0; i < ANSWERS_SHOWN; i++) ttt_program_release(&search->programs[i]);
    ttt_answers_release(&search->answers);
    ttt_free(search);
}

ttt_status ttt_search_run(ttt_search *search, double seconds, bool *ended, ttt_error *err) {
    const double started = ttt_clock_seconds();
    ttt_status status = TTT_OK;
    bool any = true;
    search->limits = (ttt_lane_limits){.stop = search->options.stop,
                                       .deadline = seconds > 0 ? started + seconds : 0,
                                       .beginning = started - search->seconds};
    while (status == TTT_OK && any && !ttt_lane_time_is_up(&search->limits)) {
        status = run_round(search, &any, err);
        ttt_progress_step(&search->options.progress, "search", (int64_t)((ttt_clock_seconds() - started) * 1000),
                          (int64_t)(seconds * 1000));
    }
    *ended = !any || ttt_stop_requested(search->options.stop);
    search->seconds = ttt_clock_seconds() - search->limits.beginning;
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
        const ttt_lane *lane = search->runners[i].lane;
        facts.values += ttt_pool_count(ttt_lane_pool(lane));
        facts.applications += ttt_lane_applications(lane);
        facts.bytes += ttt_lane_bytes(lane);
        facts.memory_full |= ttt_pool_full(ttt_lane_pool(lane));
    }
    return facts;
}
