/* The search. One lane for each frame that shows the task's inputs in a way of their own; lanes take turns, by weight.
 * A lane's turn: enumerate a batch, take new layers, then give combinations of layers their share of the work; work is
 * counted, not timed, so that what is found does not depend on the clock until it stops the search. */
#include "induce/search.h"

#include "induce/answers.h"
#include "induce/costs.h"
#include "induce/enumerate.h"
#include "induce/stacks.h"

#include <math.h>
#include <omp.h>
#include <string.h>

enum {
    CHECKS_AN_APPLICATION = 100, /* sets of selectors that are checked for every application that is tried */
    ANSWERS_SHOWN = 16,
    ENOUGH_BITS = 10,  /* a search whose level is so far above the best program can hardly change its answer */
    CERTAIN_BITS = 12, /* programs within so many bits of the best are asked whether they agree */
};
static const size_t default_memory = (size_t)1 << 30;

/* How far sets of some number of selectors have been combined. */
typedef struct combining {
    int cost;      /* sets of smaller costs are done */
    size_t checks; /* so far */
} combining;

typedef struct lane {
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
    size_t taken;   /* entries of the pool that have been looked at */
    size_t stacked; /* layers there were when stacks were last tried */
    size_t layer_count;
    combining pairs, triples;
    struct ttt_search *search;
    size_t number;
} lane;

enum { LANES_MAX = 4 };

struct ttt_search {
    size_t pair_count, test_count;
    ttt_search_options options;
    ttt_arena *arena; /* grids and cells of the lanes */
    lane lanes[LANES_MAX];
    size_t lane_count;
    ttt_answers answers;
    ttt_grid *outputs; /* [test_count], scratch */
    double seconds, started;

    /* What ttt_search_answers shows: programs, made when they are asked for. */
    ttt_program programs[ANSWERS_SHOWN];
};
