/* Rules: checking whether selectors explain the output, and writing down the rule where they do.
 *
 * The check walks over the demonstrations' cells, those first where the base is wrong: there a wrong set of selectors
 * fails soonest (some twenty cells in the mean). For every combination of selector colours it keeps one byte: the
 * colour that the output had so far (or "several"), and whether it was the base's all the time. */
#include "induce/rules.h"

#include "base/random.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
    BASES = 4,
    SELECTORS_MAX = 3,
    COMBINATIONS = 1000,
    HITS_MAX = 4096,                     /* of one call of combine: more would say the same */
    SEVERAL = 15,                        /* colours */
    LIKE_BASE = 0x80,                    /* the output was the base's colour */
    CASE_COST = 3 * TTT_COST_BIT,        /* of a case with its colour */
    CONDITION_COST = 2 * TTT_COST_BIT,   /* of a condition */
    BASE_WRONG_COST = 40 * TTT_COST_BIT, /* of a base that is wrong everywhere, against layers' costs */
    LONE_COST = 4 * TTT_COST_BIT         /* of a case that only one demonstration shows */
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
    uint8_t table[COMBINATIONS];
    uint64_t shown[COMBINATIONS]; /* bit p: demonstration p (mod 64) has a cell of this combination */
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
    ttt_free(rules->reporter.test_cells);
    ttt_free(rules);
}

/* ----------------------------------------------------------------------------------------------- the check */

static inline bool note_cell(uint8_t *state, uint8_t output, uint8_t base_colour) {
    uint8_t s = *state;
    if (s == 0) {
        *state = (uint8_t)((output + 1) | (output == base_colour ? LIKE_BASE : 0));
        return true;
    }
    if ((s & 15) != output + 1) s |= SEVERAL;
    if (output != base_colour) s &= (uint8_t)~LIKE_BASE;
    *state = s;
    return s != SEVERAL;
}

/* Fills table[10^count] and says whether every combination has an explanation. */
static bool explains(const ttt_target *target, const uint8_t *const *selectors, int count, const uint8_t *base_cells,
                     const uint32_t *order, uint8_t *table) {
    static const size_t sizes[] = {1, 10, 100, 1000};
    memset(table, 0, sizes[count]);
    for (size_t i = 0; i < target->cell_count; i++) {
        const uint32_t cell = order[i];
        size_t combination = selectors[0][cell];
        for (int s = 1; s < count; s++) combination = combination * 10 + selectors[s][cell];
        if (!note_cell(&table[combination], target->cells[cell], base_cells[cell])) return false;
    }
    return true;
}

/* ------------------------------------------------------------------------------------------ writing it down */

/* A rule being written: the table is a tree with one level per selector; a subtree of one mind becomes one case. */
typedef struct draft {
    const uint8_t *table;
    const uint64_t *shown;
    size_t pair_count;
    int count, place[SELECTORS_MAX + 1]; /* selector of each level of the tree; the leaves have none */
    ttt_finding *finding;
    bool overflow, uses_base;
} draft;

typedef struct subtree {
    uint8_t all; /* the states of its combinations, joined as note_cell would */
    bool any, like_base;
    uint64_t shown;
} subtree;

static const size_t powers[] = {1, 10, 100, 1000};

/* Joins what is known below `fixed` (colours of the first `depth` levels, by selector). */
static subtree survey(const draft *d, const uint8_t *fixed, int depth, size_t combination) {
    if (depth == d->count) {
        const uint8_t s = d->table[combination];
        return (subtree){
            .all = s & 15, .any = s != 0, .like_base = (s & LIKE_BASE) != 0, .shown = d->shown[combination]};
    }
    subtree joined = {.like_base = true};
    const size_t step = powers[d->count - 1 - d->place[depth]];
    for (size_t colour = 0; colour < TTT_COLOURS; colour++) {
        const subtree part = survey(d, fixed, depth + 1, combination + colour * step);
        if (!part.any) continue;
        joined.all = joined.any && joined.all != part.all ? SEVERAL : part.all;
        joined.any = true;
        joined.like_base &= part.like_base;
        joined.shown |= part.shown;
    }
    return joined;
}

static void add_case(draft *d, const uint8_t *fixed, int depth, const subtree *tree) {
    if (d->finding->case_count >= TTT_CASES_MAX - 1) {
        d->overflow = true;
        return;
    }
    ttt_case *c = &d->finding->cases[d->finding->case_count++];
    *c = (ttt_case){.condition_count = (uint8_t)depth, .copied = -1, .colour = (uint8_t)(tree->all - 1)};
    for (int i = 0; i < depth; i++) {
        c->conditions[i] = (ttt_condition){.layer = (uint8_t)d->place[i], .colour = fixed[i]};
    }
    const bool lone = d->pair_count > 1 && (tree->shown & (tree->shown - 1)) == 0;
    d->finding->cost += CASE_COST + depth * CONDITION_COST + (lone ? LONE_COST : 0);
}

static void write_cases(draft *d, uint8_t *fixed, int depth, size_t combination) {
    const subtree tree = survey(d, fixed, depth, combination);
    if (!tree.any || d->overflow) return;
    if (tree.like_base) {
        d->uses_base = true;
    } else if (tree.all != SEVERAL) {
        add_case(d, fixed, depth, &tree);
    } else {
        const size_t step = powers[d->count - 1 - d->place[depth]];
        for (size_t colour = 0; colour < TTT_COLOURS; colour++) {
            fixed[depth] = (uint8_t)colour;
            write_cases(d, fixed, depth + 1, combination + colour * step);
        }
    }
}

static void add_else(ttt_finding *finding, int layer) {
    finding->cases[finding->case_count++] = (ttt_case){.copied = (int8_t)layer};
}

/* Layers that no case mentions go; the others close up. */
static void drop_unused_layers(ttt_finding *finding) {
    int8_t renamed[TTT_LAYERS_MAX];
    bool used[TTT_LAYERS_MAX] = {false};
    for (int i = 0; i < finding->case_count; i++) {
        const ttt_case *c = &finding->cases[i];
        for (int j = 0; j < c->condition_count; j++) used[c->conditions[j].layer] = true;
        if (c->copied >= 0) used[c->copied] = true;
    }
    uint8_t count = 0;
    for (int i = 0; i < finding->layer_count; i++) {
        renamed[i] = used[i] ? (int8_t)count : -1;
        if (used[i]) finding->layers[count++] = finding->layers[i];
    }
    finding->layer_count = count;
    for (int i = 0; i < finding->case_count; i++) {
        ttt_case *c = &finding->cases[i];
        for (int j = 0; j < c->condition_count; j++) {
            c->conditions[j].layer = (uint8_t)renamed[c->conditions[j].layer];
        }
        if (c->copied >= 0) c->copied = renamed[c->copied];
    }
}

static void write_in_order(ttt_rules *rules, const ttt_layer_group *group, const uint32_t *selectors, int count,
                           const int *place, uint32_t base_layer, ttt_finding *finding, bool *overflow) {
    draft d = {.table = rules->table,
               .shown = rules->shown,
               .pair_count = group->target->pair_count,
               .count = count,
               .finding = finding};
    uint8_t fixed[SELECTORS_MAX + 1];
    *finding = (ttt_finding){.layer_count = (uint8_t)(count + 1)};
    memcpy(d.place, place, (size_t)count * sizeof *place);
    int base_place = count;
    for (int i = 0; i < count; i++) {
        finding->layers[i] = selectors[i];
        finding->cost += group->layers.items[selectors[i]].cost;
        if (selectors[i] == base_layer) base_place = i;
    }
    finding->layers[count] = base_layer;
    write_cases(&d, fixed, 0, 0);
    *overflow = d.overflow;
    if (d.uses_base) {
        if (base_place == count) finding->cost += group->layers.items[base_layer].cost;
        add_else(finding, base_place);
    }
    drop_unused_layers(finding);
}

/* Which demonstrations show each combination. */
static void survey_shown(ttt_rules *rules, const ttt_target *target, const uint8_t *const *selectors, int count) {
    memset(rules->shown, 0, powers[count] * sizeof *rules->shown);
    for (size_t cell = 0; cell < target->cell_count; cell++) {
        size_t combination = selectors[0][cell];
        for (int s = 1; s < count; s++) combination = combination * 10 + selectors[s][cell];
        rules->shown[combination] |= (uint64_t)1 << (target->pair_of[cell] & 63);
    }
}

/* Writes the rule of the checked selectors in the order of selectors that makes it simplest. */
static bool write_rule(ttt_rules *rules, const ttt_layer_group *group, const uint32_t *selectors, int count,
                       const base *on, ttt_finding *finding) {
    static const int orders[6][SELECTORS_MAX] = {{0, 1, 2}, {1, 0, 2}, {2, 0, 1}, {0, 2, 1}, {1, 2, 0}, {2, 1, 0}};
    static const int order_count[] = {0, 1, 2, 6};
    const uint8_t *cells[SELECTORS_MAX];
    for (int i = 0; i < count; i++) cells[i] = group->layers.items[selectors[i]].cells;
    if (!explains(group->target, cells, count, group->layers.items[on->layer].cells, on->order, rules->table)) {
        return false;
    }
    survey_shown(rules, group->target, cells, count);
    finding->cost = INT_MAX;
    for (int i = 0; i < order_count[count]; i++) {
        ttt_finding other;
        bool overflow;
        write_in_order(rules, group, selectors, count, orders[i], on->layer, &other, &overflow);
        if (!overflow && other.cost < finding->cost) *finding = other;
    }
    return finding->cost < INT_MAX;
}

ttt_status ttt_reporter_report(ttt_reporter *reporter, const ttt_layer_group *group, const ttt_finding *finding,
                               ttt_error *err) {
    const ttt_piece *pieces[TTT_LAYERS_MAX];
    ttt_piece flat[TTT_LAYERS_MAX];
    if (reporter->capacity < group->test_cells) {
        ttt_free(reporter->test_cells);
        reporter->capacity = 0;
        reporter->test_cells = ttt_allocate(group->test_cells, 1);
        if (reporter->test_cells == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the answer of a rule");
        reporter->capacity = group->test_cells;
    }
    for (int i = 0; i < finding->layer_count; i++) {
        const ttt_layer *layer = &group->layers.items[finding->layers[i]];
        flat[i] = (ttt_piece){.cells = (uint8_t *)layer->cells + group->target->cell_count};
        pieces[i] = &flat[i];
    }
    if (finding->case_count == 0) {
        memcpy(reporter->test_cells, flat[0].cells, group->test_cells);
    } else if (!ttt_cases_paint(finding->cases, finding->case_count, pieces, reporter->test_cells,
                                (int)group->test_cells)) {
        return TTT_OK;
    }
    return reporter->found(reporter->context, group, finding, reporter->test_cells, err);
}

/* ------------------------------------------------------------------------------------------- single layers */

static ttt_status state_of(ttt_rules *rules, const ttt_layer_group *group, group_state **state, ttt_error *err) {
    size_t number = 0;
    while (ttt_layers_group(rules->layers, number) != group) number++;
    while (rules->groups.count <= number) TTT_TRY(TTT_PUSH(&rules->groups, (group_state){0}, err));
    *state = &rules->groups.items[number];
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
    const double score = (double)layer->wrong / (double)group->target->cell_count * BASE_WRONG_COST + layer->cost;
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
        if (!write_rule(rules, group, &newest, 1, &state->bases[b], &finding)) continue;
        state->alone[newest] |= (uint8_t)(1 << b);
        TTT_TRY(ttt_reporter_report(&rules->reporter, group, &finding, err));
    }
    return TTT_OK;
}

/* --------------------------------------------------------------------------------------- sets of selectors */

/* A set of selectors that explains the output with a base. */
typedef struct hit {
    uint32_t selectors[SELECTORS_MAX];
    int base;
} hit;

static int hit_order(const void *a, const void *b) {
    const hit *x = a, *y = b;
    for (int i = 0; i < SELECTORS_MAX; i++) {
        if (x->selectors[i] != y->selectors[i]) return x->selectors[i] < y->selectors[i] ? -1 : 1;
    }
    return x->base - y->base;
}

typedef struct hits {
    hit items[HITS_MAX];
    size_t count, checks;
} hits;

/* Tries selectors[0..count-1] with every base; what is a rule without the last of them is none of its own. */
static void check_set(const group_state *state, const ttt_layer_group *group, const uint32_t *selectors, int count,
                      uint8_t *table, hits *found, size_t *checks) {
    const uint8_t *cells[SELECTORS_MAX];
    uint8_t alone = 0;
    for (int i = 0; i < count; i++) {
        cells[i] = group->layers.items[selectors[i]].cells;
        alone |= state->alone[selectors[i]];
    }
    for (int b = 0; b < state->base_count; b++) {
        const base *on = &state->bases[b];
        if ((alone >> b & 1) != 0) continue;
        ++*checks;
        if (!explains(group->target, cells, count, group->layers.items[on->layer].cells, on->order, table)) continue;
        size_t place;
#pragma omp atomic capture
        place = found->count++;
        if (place >= HITS_MAX) continue;
        found->items[place] = (hit){.base = b};
        memcpy(found->items[place].selectors, selectors, (size_t)count * sizeof *selectors);
    }
}

/* All sets whose first member is in the bucket of costs[0], and so on; members in rising order where costs are equal.
 */
static void check_buckets(const ttt_rules *rules, const group_state *state, const ttt_layer_group *group,
                          const int *costs, int count, hits *found) {
    const ttt_bucket *first = &group->by_cost[costs[0]], *second = &group->by_cost[costs[1]];
    const ttt_bucket *third = count == 3 ? &group->by_cost[costs[2]] : NULL;
    size_t checks = 0;
#pragma omp parallel for num_threads(rules->threads) schedule(dynamic, 1) reduction(+ : checks)
    for (size_t i = 0; i < first->count; i++) {
        uint8_t table[COMBINATIONS];
        uint32_t set[SELECTORS_MAX] = {first->items[i]};
        for (size_t j = costs[1] == costs[0] ? i + 1 : 0; j < second->count; j++) {
            set[1] = second->items[j];
            if (third == NULL) {
                check_set(state, group, set, 2, table, found, &checks);
                continue;
            }
            for (size_t k = costs[2] == costs[1] ? j + 1 : 0; k < third->count; k++) {
                set[2] = third->items[k];
                check_set(state, group, set, 3, table, found, &checks);
            }
        }
    }
    found->checks += checks;
}

static ttt_status report_hits(ttt_rules *rules, const group_state *state, const ttt_layer_group *group, int count,
                              hits *found, ttt_error *err) {
    if (found->count > HITS_MAX) found->count = HITS_MAX;
    qsort(found->items, found->count, sizeof *found->items, hit_order);
    for (size_t i = 0; i < found->count; i++) {
        const hit *h = &found->items[i];
        ttt_finding finding;
        if (!write_rule(rules, group, h->selectors, count, &state->bases[h->base], &finding)) continue;
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
    int costs[SELECTORS_MAX];
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

ttt_status ttt_rules_combine(ttt_rules *rules, int selectors, int cost, int from, int to, size_t *checks,
                             ttt_error *err) {
    const range r = {selectors, cost, from, to < TTT_COST_MAX ? to : TTT_COST_MAX};
    hits *found = ttt_allocate(1, sizeof *found);
    ttt_status status = TTT_OK;
    if (found == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the rules of a search");
    for (size_t g = 0; g < ttt_layers_group_count(rules->layers); g++) {
        const ttt_layer_group *group = ttt_layers_group(rules->layers, g);
        group_state *state;
        TTT_TRY_OUT(state_of(rules, group, &state, err));
        combine_in_group(rules, state, group, &r, found);
        TTT_TRY_OUT(report_hits(rules, state, group, selectors, found, err));
    }

out:
    *checks = found->checks;
    ttt_free(found);
    return status;
}
