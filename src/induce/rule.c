/* Rules. The check walks over the demonstrations' cells, those first where the base is wrong: there a wrong set of
 * selectors fails soonest. For every combination of selector colours it keeps one byte: the colour that the output had
 * so far (or "several"), and whether it was the base's all the time.
 *
 * Written down, the combinations that occur are a tree with one level for each selector; a subtree of one mind becomes
 * one case. */
#include "induce/rule.h"

#include <limits.h>
#include <string.h>

enum {
    SEVERAL = 15,                     /* colours */
    LIKE_BASE = 0x80,                 /* the output was the base's colour */
    OCCURRING_MAX = 128,              /* combinations of a rule that is worth writing down */
    CELL_COST = 3 * TTT_COST_BIT,     /* of a cell of the output as it is, without any rule */
    CASE_COST = 3 * TTT_COST_BIT,     /* of a case with its colour */
    CONDITION_COST = 2 * TTT_COST_BIT /* of a condition */
};

static const size_t sizes[TTT_SELECTORS_MAX + 1] = {1, 10, 100, 1000}; /* of the table, by number of selectors */

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

/* The selectors' colours at a cell, as one number. */
static inline size_t combination_at(const uint8_t *const *selectors, int count, size_t cell) {
    size_t combination = selectors[0][cell];
    for (int s = 1; s < count; s++) combination = combination * TTT_COLOURS + selectors[s][cell];
    return combination;
}

static void selector_cells(const ttt_rule_parts *parts, const uint8_t **cells) {
    for (int i = 0; i < parts->selector_count; i++) {
        cells[i] = parts->group->layers.items[parts->selectors[i]].cells;
    }
}

/* Compiled for each count, which the compiler sees as a constant. */
static inline bool holds(const ttt_rule_parts *parts, const int count, uint8_t *table, size_t *looked_at) {
    const ttt_target *target = parts->group->target;
    const uint8_t *base_cells = parts->group->layers.items[parts->base].cells;
    const uint8_t *cells[TTT_SELECTORS_MAX] = {0};
    selector_cells(parts, cells);
    memset(table, 0, sizes[count]);
    size_t i = 0;
    bool so_far = true;
    for (; so_far && i < target->cell_count; i++) {
        const uint32_t cell = parts->order[i];
        so_far = note_cell(&table[combination_at(cells, count, cell)], target->cells[cell], base_cells[cell]);
    }
    *looked_at += i;
    return so_far;
}

bool ttt_rule_holds(const ttt_rule_parts *parts, uint8_t *table, size_t *looked_at) {
    switch (parts->selector_count) {
    case 1: return holds(parts, 1, table, looked_at);
    case 2: return holds(parts, 2, table, looked_at);
    default: return holds(parts, 3, table, looked_at);
    }
}

/* ------------------------------------------------------------------------------------------ writing it down */

typedef struct combination {
    uint8_t colours[TTT_SELECTORS_MAX];
    uint8_t state;
    uint64_t shown; /* bit p: demonstration p (mod 64) has a cell of it */
} combination;

/* The combinations that occur; false when there are too many. */
static bool collect(const ttt_rule_parts *parts, const uint8_t *table, combination *occurring, size_t *count) {
    const ttt_target *target = parts->group->target;
    const uint8_t *cells[TTT_SELECTORS_MAX] = {0};
    uint8_t place[TTT_COMBINATIONS];
    selector_cells(parts, cells);
    memset(place, UINT8_MAX, sizes[parts->selector_count]);
    *count = 0;
    for (size_t cell = 0; cell < target->cell_count; cell++) {
        const size_t number = combination_at(cells, parts->selector_count, cell);
        if (place[number] == UINT8_MAX) {
            if (*count == OCCURRING_MAX) return false;
            place[number] = (uint8_t)*count;
            combination *c = &occurring[(*count)++];
            *c = (combination){.state = table[number]};
            for (int s = 0; s < parts->selector_count; s++) c->colours[s] = cells[s][cell];
        }
        occurring[place[number]].shown |= (uint64_t)1 << (target->pair_of[cell] & 63);
    }
    return true;
}

/* A rule being written. */
typedef struct draft {
    const ttt_rule_parts *parts;
    const int *place; /* selector of each level of the tree */
    ttt_finding *finding;
    int case_cost;
    bool overflow, uses_base;
} draft;

/* A case for the colours of the first `depth` levels: one colour, or with `copied` what that selector has. */
static void add_case(draft *d, const combination *example, int depth, int copied, uint64_t shown) {
    if (d->finding->case_count >= TTT_CASES_MAX - 1) {
        d->overflow = true;
        return;
    }
    ttt_case *c = &d->finding->cases[d->finding->case_count++];
    *c = (ttt_case){.condition_count = (uint8_t)depth,
                    .copied = (int8_t)copied,
                    .colour = copied < 0 ? (uint8_t)((example->state & SEVERAL) - 1) : 0};
    for (int i = 0; i < depth; i++) {
        c->conditions[i] = (ttt_condition){.layer = (uint8_t)d->place[i], .colour = example->colours[d->place[i]]};
    }
    const bool lone = d->parts->group->target->pair_count > 1 && (shown & (shown - 1)) == 0;
    d->case_cost += CASE_COST + depth * CONDITION_COST + (lone ? TTT_LONE_COST : 0);
}

/* The selector of a level from `depth` on whose colour the output is in all these combinations; -1: there is none. */
static int copied_selector(const draft *d, const combination *items, size_t count, int depth) {
    for (int level = depth; level < d->parts->selector_count; level++) {
        const int selector = d->place[level];
        size_t i = 0;
        while (i < count && (items[i].state & SEVERAL) == items[i].colours[selector] + 1) i++;
        if (i == count) return selector;
    }
    return -1;
}

/* The subtree of these combinations, which agree in the selectors of the first `depth` levels. */
static void write_cases(draft *d, const combination *items, size_t count, int depth) {
    bool like_base = true, one_colour = true;
    uint64_t shown = 0;
    for (size_t i = 0; i < count; i++) {
        like_base &= (items[i].state & LIKE_BASE) != 0;
        one_colour &= (items[i].state & SEVERAL) == (items[0].state & SEVERAL);
        shown |= items[i].shown;
    }
    const int copied = like_base || one_colour ? -1 : copied_selector(d, items, count, depth);
    if (like_base) {
        d->uses_base = true;
    } else if (one_colour || copied >= 0) {
        add_case(d, &items[0], depth, copied, shown);
    } else {
        combination part[OCCURRING_MAX];
        for (uint8_t colour = 0; colour < TTT_COLOURS && !d->overflow; colour++) {
            size_t part_count = 0;
            for (size_t i = 0; i < count; i++) {
                if (items[i].colours[d->place[depth]] == colour) part[part_count++] = items[i];
            }
            if (part_count > 0) write_cases(d, part, part_count, depth + 1);
        }
    }
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

/* The rule with its selectors in the order of `place`; false when it is no simpler than the outputs. */
static bool write_in_order(const ttt_rule_parts *parts, const int *place, const combination *occurring, size_t count,
                           ttt_finding *finding) {
    const ttt_layer *layers = parts->group->layers.items;
    draft d = {.parts = parts, .place = place, .finding = finding};
    int base_place = parts->selector_count;
    *finding = (ttt_finding){.layer_count = (uint8_t)(parts->selector_count + 1)};
    for (int i = 0; i < parts->selector_count; i++) {
        finding->layers[i] = parts->selectors[i];
        finding->cost += layers[parts->selectors[i]].cost;
        if (parts->selectors[i] == parts->base) base_place = i;
    }
    finding->layers[parts->selector_count] = parts->base;
    write_cases(&d, occurring, count, 0);
    if (d.overflow || d.case_cost > CELL_COST * (int)parts->group->target->cell_count) return false;
    finding->cost += d.case_cost;
    if (d.uses_base) {
        if (base_place == parts->selector_count) finding->cost += layers[parts->base].cost;
        finding->cases[finding->case_count++] = (ttt_case){.copied = (int8_t)base_place};
    }
    return true;
}

bool ttt_rule_write(const ttt_rule_parts *parts, ttt_finding *finding) {
    static const int orders[6][TTT_SELECTORS_MAX] = {{0, 1, 2}, {1, 0, 2}, {2, 0, 1}, {0, 2, 1}, {1, 2, 0}, {2, 1, 0}};
    static const int order_count[] = {0, 1, 2, 6};
    uint8_t table[TTT_COMBINATIONS];
    combination occurring[OCCURRING_MAX];
    size_t count, looked_at = 0;
    if (!ttt_rule_holds(parts, table, &looked_at) || !collect(parts, table, occurring, &count)) return false;
    finding->cost = INT_MAX;
    for (int i = 0; i < order_count[parts->selector_count]; i++) {
        ttt_finding other;
        if (write_in_order(parts, orders[i], occurring, count, &other) && other.cost < finding->cost) *finding = other;
    }
    if (finding->cost == INT_MAX) return false;
    drop_unused_layers(finding);
    return finding->layer_count > 0;
}
