/* Trying sets of layers as selectors: each group keeps its best bases, and which layers are rules alone. */
#include "induce/rules.h"

#include "base/random.h"

#include <stdlib.h>
#include <string.h>

enum {
    BASES = 4,
    HITS_OF_A_LAYER = 32 /* rules with the same cheapest selector in a range: more would say the same */
};

typedef struct base {
    uint32_t layer;
    uint32_t *order; /* [cell_count]: cells where it is wrong first */
    double score;
} base;

/* What the rules know about a group. */
typedef struct group_state {
    base bases[BASES];
    int base_count;
    uint8_t *alone; /* [layers]: bit b is set when the layer is a rule alone with base b */
    size_t alone_capacity;
} group_state;

struct ttt_rules {
    const ttt_layers *layers;
    int threads;
    ttt_reporter reporter;
    struct {
        group_state *items;
        size_t count, capacity;
    } groups;
};

ttt_status ttt_rules_new(const ttt_layers *layers, int threads, ttt_finding_function *found, void *context,
                         ttt_rules **rules, ttt_error *err) {
    *rules = ttt_allocate(1, sizeof **rules);
    if (*rules == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the rules of a search");
    (*rules)->layers = layers;
    (*rules)->threads = threads;
    (*rules)->reporter = (ttt_reporter){.found = found, .context = context};
    return TTT_OK;
}

void ttt_rules_free(ttt_rules *rules) {
    if (rules == NULL) return;
    for (size_t g = 0; g < rules->groups.count; g++) {
        for (int b = 0; b < rules->groups.items[g].base_count; b++) ttt_free(rules->groups.items[g].bases[b].order);
        ttt_free(rules->groups.items[g].alone);
    }
    ttt_free(rules->groups.items);
    ttt_reporter_release(&rules->reporter);
    ttt_free(rules);
}

/* ------------------------------------------------------------------------------------------- single layers */

static ttt_status state_of(ttt_rules *rules, const ttt_layer_group *group, group_state **state, ttt_error *err) {
    while (rules->groups.count <= group->number) TTT_TRY(TTT_PUSH(&rules->groups, (group_state){0}, err));
    *state = &rules->groups.items[group->number];
    const size_t count = group->layers.count;
    if ((*state)->alone_capacity >= count) return TTT_OK;
    uint8_t *alone = ttt_reallocate((*state)->alone, (*state)->alone_capacity, 2 * count, 1);
    if (alone == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the rules of a search");
    (*state)->alone = alone;
    (*state)->alone_capacity = 2 * count;
    return TTT_OK;
}

static void shuffle(uint32_t *items, size_t count, ttt_random *random) {
    for (size_t i = count; i > 1; i--) {
        const size_t j = ttt_random_below(random, (uint32_t)i);
        const uint32_t moved = items[i - 1];
        items[i - 1] = items[j];
        items[j] = moved;
    }
}

/* Cells where the layer is wrong, then the others, each part in a fixed disorder: neighbours tell the same story. */
static void order_cells(const ttt_target *target, const uint8_t *cells, uint32_t *order) {
    ttt_random random = ttt_random_stream(0, "", "order of cells");
    size_t wrong = 0, right = target->cell_count;
    for (size_t i = 0; i < target->cell_count; i++) {
        if (cells[i] != target->cells[i]) {
            order[wrong++] = (uint32_t)i;
        } else {
            order[--right] = (uint32_t)i;
        }
    }
    shuffle(order, wrong, &random);
    shuffle(order + wrong, target->cell_count - wrong, &random);
}

/* Makes the newest layer a base if it is among the best: few wrong cells, low cost. A base that it replaces stays a
 * layer like any other. */
static ttt_status consider_base(group_state *state, const ttt_layer_group *group, ttt_error *err) {
    const uint32_t newest = (uint32_t)group->layers.count - 1;
    const ttt_layer *layer = &group->layers.items[newest];
    const double score = ttt_layer_distance(group, layer);
    int place = state->base_count;
    if (place == BASES) {
        place = 0;
        for (int b = 1; b < BASES; b++) {
            if (state->bases[b].score > state->bases[place].score) place = b;
        }
        if (state->bases[place].score <= score) return TTT_OK;
        for (size_t i = 0; i < group->layers.count; i++) state->alone[i] &= (uint8_t) ~(1 << place);
    } else {
        state->bases[place].order = ttt_allocate(group->target->cell_count, sizeof *state->bases[place].order);
        if (state->bases[place].order == NULL) {
            return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the rules of a search");
        }
        state->base_count++;
    }
    state->bases[place].layer = newest;
    state->bases[place].score = score;
    order_cells(group->target, layer->cells, state->bases[place].order);
    return TTT_OK;
}

static ttt_rule_parts parts_of(const group_state *state, const ttt_layer_group *group, const uint32_t *selectors,
                               int count, int b) {
    ttt_rule_parts parts = {
        .group = group, .selector_count = count, .base = state->bases[b].layer, .order = state->bases[b].order};
    memcpy(parts.selectors, selectors, (size_t)count * sizeof *selectors);
    return parts;
}

ttt_status ttt_rules_add_layer(ttt_rules *rules, const ttt_layer_group *group, ttt_error *err) {
    group_state *state;
    const uint32_t newest = (uint32_t)group->layers.count - 1;
    const ttt_layer *layer = &group->layers.items[newest];
    ttt_finding finding;
    TTT_TRY(state_of(rules, group, &state, err));
    TTT_TRY(consider_base(state, group, err));
    if (layer->wrong == 0) {
        finding = (ttt_finding){.layers = {newest}, .layer_count = 1, .cost = layer->cost};
        state->alone[newest] = 0xff;
        return ttt_reporter_report(&rules->reporter, group, &finding, err);
    }
    for (int b = 0; b < state->base_count; b++) {
        const ttt_rule_parts parts = parts_of(state, group, &newest, 1, b);
        if (!ttt_rule_write(&parts, &finding)) continue;
        state->alone[newest] |= (uint8_t)(1 << b);
        TTT_TRY(ttt_reporter_report(&rules->reporter, group, &finding, err));
    }
    return TTT_OK;
}

/* --------------------------------------------------------------------------------------- sets of selectors */

/* A set of selectors that explains the output with a base. */
typedef struct hit {
    uint32_t selectors[TTT_SELECTORS_MAX];
    int base;
} hit;

static int hit_order(const void *a, const void *b) {
    const hit *x = a, *y = b;
    for (int i = 0; i < TTT_SELECTORS_MAX; i++) {
        if (x->selectors[i] != y->selectors[i]) return x->selectors[i] < y->selectors[i] ? -1 : 1;
    }
    return x->base - y->base;
}

typedef struct hits {
    hit *items;
    size_t count, capacity, work;
    bool failed; /* memory was out */
} hits;

/* What one thread does: sets with one first member. */
typedef struct task {
    const group_state *state;
    const ttt_layer_group *group;
    hits *found;
    uint8_t table[TTT_COMBINATIONS];
    size_t work, hit_count;
} task;

static void add_hit(task *t, const ttt_rule_parts *parts, int b) {
    hit h = {.base = b};
    memcpy(h.selectors, parts->selectors, sizeof h.selectors);
    t->hit_count++;
#pragma omp critical(hits)
    t->found->failed |= TTT_PUSH(t->found, h, NULL) != TTT_OK;
}

/* Tries a set with every base; what is a rule without some of them is none of its own. */
static void check_set(task *t, const uint32_t *selectors, int count) {
    uint8_t alone = 0;
    for (int i = 0; i < count; i++) alone |= t->state->alone[selectors[i]];
    for (int b = 0; b < t->state->base_count && t->hit_count < HITS_OF_A_LAYER; b++) {
        if ((alone >> b & 1) != 0) continue;
        const ttt_rule_parts parts = parts_of(t->state, t->group, selectors, count, b);
        if (ttt_rule_holds(&parts, t->table, &t->work)) add_hit(t, &parts, b);
    }
}

/* All sets whose first member is in the bucket of costs[0], and so on; members in rising order where costs are equal.
 */
static void check_buckets(const ttt_rules *rules, const group_state *state, const ttt_layer_group *group,
                          const int *costs, int count, hits *found) {
    const ttt_bucket *first = &group->by_cost[costs[0]], *second = &group->by_cost[costs[1]];
    const ttt_bucket *third = count == 3 ? &group->by_cost[costs[2]] : NULL;
    size_t work = 0;
#pragma omp parallel for num_threads(rules->threads) schedule(dynamic, 1) reduction(+ : work)
    for (size_t i = 0; i < first->count; i++) {
        task t = {.state = state, .group = group, .found = found};
        uint32_t set[TTT_SELECTORS_MAX] = {first->items[i]};
        for (size_t j = costs[1] == costs[0] ? i + 1 : 0; j < second->count && t.hit_count < HITS_OF_A_LAYER; j++) {
            set[1] = second->items[j];
            if (third == NULL) {
                check_set(&t, set, 2);
                continue;
            }
            for (size_t k = costs[2] == costs[1] ? j + 1 : 0; k < third->count; k++) {
                set[2] = third->items[k];
                check_set(&t, set, 3);
            }
        }
        work += t.work;
    }
    found->work += work;
}

static ttt_status report_hits(ttt_rules *rules, const group_state *state, const ttt_layer_group *group, int count,
                              hits *found, ttt_error *err) {
    if (found->failed) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the rules of a search");
    if (found->count > 0) qsort(found->items, found->count, sizeof *found->items, hit_order);
    for (size_t i = 0; i < found->count; i++) {
        const hit *h = &found->items[i];
        const ttt_rule_parts parts = parts_of(state, group, h->selectors, count, h->base);
        ttt_finding finding;
        if (!ttt_rule_write(&parts, &finding)) continue;
        TTT_TRY(ttt_reporter_report(&rules->reporter, group, &finding, err));
    }
    found->count = 0;
    return TTT_OK;
}

/* What a call of combine is to try. */
typedef struct range {
    int selectors, cost, from, to;
} range;

/* Splits of the cost: members in rising order of cost, the last within the range. */
static void combine_in_group(const ttt_rules *rules, const group_state *state, const ttt_layer_group *group,
                             const range *r, hits *found) {
    int costs[TTT_SELECTORS_MAX];
    const int last = r->selectors - 1;
    for (costs[0] = 1; costs[0] * r->selectors <= r->cost && costs[0] <= TTT_COST_MAX; costs[0]++) {
        if (group->by_cost[costs[0]].count == 0) continue;
        const int most = r->selectors == 2 ? costs[0] : (r->cost - costs[0]) / 2;
        for (int middle = costs[0]; middle <= most; middle++) {
            costs[1] = middle;
            costs[last] = r->cost - costs[0] - (r->selectors == 3 ? middle : 0);
            if (costs[last] < r->from || costs[last] > r->to) continue;
            check_buckets(rules, state, group, costs, r->selectors, found);
        }
    }
}

ttt_status ttt_rules_combine(ttt_rules *rules, int selectors, int cost, int from, int to, size_t *work,
                             ttt_error *err) {
    const range r = {selectors, cost, from, to < TTT_COST_MAX ? to : TTT_COST_MAX};
    hits found = {0};
    ttt_status status = TTT_OK;
    for (size_t g = 0; g < ttt_layers_group_count(rules->layers); g++) {
        const ttt_layer_group *group = ttt_layers_group(rules->layers, g);
        group_state *state;
        TTT_TRY_OUT(state_of(rules, group, &state, err));
        combine_in_group(rules, state, group, &r, &found);
        TTT_TRY_OUT(report_hits(rules, state, group, selectors, &found, err));
    }

out:
    *work = found.work;
    ttt_free(found.items);
    return status;
}
