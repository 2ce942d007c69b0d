/* Stacks. Pieces are bit sets over the demonstrations' cells: choosing one is a matter of a few words. */
#include "induce/stacks.h"

#include "base/random.h"
#include "induce/hash_table.h"

#include <limits.h>
#include <math.h>
#include <string.h>

enum {
    PIECES_MAX = 1 << 15, /* of a group */
    BASES = 8,            /* bases that are tried */
    STACK_MAX = 5,        /* pieces on a base */
    FIRSTS = 6,           /* pieces that a stack may begin with: the greedy choice, the next best, ... */
    PIECE_COST = 5 * TTT_COST_BIT
};

typedef struct piece {
    uint64_t *cells; /* [words]: where it speaks */
    uint32_t layer;
    uint16_t cost;
    int8_t copied; /* 1: the layer's own colours where it is not 0; 0: `colour` where the layer is `where` */
    uint8_t where, colour;
} piece;

typedef struct group_stacks {
    struct {
        piece *items;
        size_t count, capacity;
    } pieces;
    ttt_hash_table seen; /* hashes of pieces by their cells: the colours that are right there are given */
    size_t tried;        /* pieces there were when the bases were last tried */
} group_stacks;

struct ttt_stacks {
    const ttt_layers *layers;
    ttt_reporter reporter;
    ttt_arena *arena;
    struct {
        group_stacks *items;
        size_t count, capacity;
    } groups;
};

static size_t words_of(const ttt_target *target) {
    return (target->cell_count + 63) / 64;
}

ttt_status ttt_stacks_new(const ttt_layers *layers, ttt_finding_function *found, void *context, ttt_stacks **stacks,
                          ttt_error *err) {
    *stacks = ttt_allocate(1, sizeof **stacks);
    if (*stacks == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the stacks of a search");
    (*stacks)->layers = layers;
    (*stacks)->reporter = (ttt_reporter){.found = found, .context = context};
    const ttt_status status = ttt_arena_new(&(*stacks)->arena, 1 << 20, err);
    if (status == TTT_OK) return TTT_OK;
    ttt_stacks_free(*stacks);
    *stacks = NULL;
    return status;
}

void ttt_stacks_free(ttt_stacks *stacks) {
    if (stacks == NULL) return;
    for (size_t g = 0; g < stacks->groups.count; g++) {
        ttt_free(stacks->groups.items[g].pieces.items);
        ttt_hash_table_release(&stacks->groups.items[g].seen);
    }
    ttt_free(stacks->groups.items);
    ttt_reporter_release(&stacks->reporter);
    ttt_arena_free(stacks->arena);
    ttt_free(stacks);
}

static ttt_status state_of(ttt_stacks *stacks, const ttt_layer_group *group, group_stacks **state, ttt_error *err) {
    while (stacks->groups.count <= group->number) TTT_TRY(TTT_PUSH(&stacks->groups, (group_stacks){0}, err));
    *state = &stacks->groups.items[group->number];
    return TTT_OK;
}

static ttt_status add_piece(ttt_stacks *stacks, group_stacks *state, piece p, const uint64_t *cells, size_t words,
                            ttt_error *err) {
    const uint64_t hash = ttt_hash(TTT_HASH_START, cells, words * sizeof *cells);
    if (state->pieces.count == PIECES_MAX || ttt_hash_table_find(&state->seen, hash) != TTT_HASH_TABLE_NONE) {
        return TTT_OK;
    }
    TTT_TRY(ttt_hash_table_add(&state->seen, hash, 0, err));
    p.cells = ttt_arena_allocate(stacks->arena, words, sizeof *cells);
    if (p.cells == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the stacks of a search");
    memcpy(p.cells, cells, words * sizeof *cells);
    return TTT_PUSH(&state->pieces, p, err);
}

ttt_status ttt_stacks_add_layer(ttt_stacks *stacks, const ttt_layer_group *group, ttt_error *err) {
    enum { SEVERAL = 255 };
    const ttt_target *target = group->target;
    const uint32_t newest = (uint32_t)group->layers.count - 1;
    const ttt_layer *layer = &group->layers.items[newest];
    const size_t words = words_of(target);
    uint64_t cells[TTT_COLOURS + 1][(TTT_DEMONSTRATIONS_MAX * TTT_GRID_CELLS + 63) / 64];
    uint8_t becomes[TTT_COLOURS];
    bool occurs[TTT_COLOURS] = {false}, copies = layer->wrong > 0;
    group_stacks *state;
    TTT_TRY(state_of(stacks, group, &state, err));
    for (int colour = 0; colour <= TTT_COLOURS; colour++) memset(cells[colour], 0, words * sizeof **cells);
    for (size_t i = 0; i < target->cell_count; i++) {
        const uint8_t colour = layer->cells[i], output = target->cells[i];
        const uint64_t bit = (uint64_t)1 << (i % 64);
        cells[colour][i / 64] |= bit;
        if (colour != 0) cells[TTT_COLOURS][i / 64] |= bit;
        if (colour != 0 && colour != output) copies = false;
        becomes[colour] = !occurs[colour] || becomes[colour] == output ? output : SEVERAL;
        occurs[colour] = true;
    }
    if (copies) {
        const piece p = {.layer = newest, .cost = layer->cost, .copied = 1};
        TTT_TRY(add_piece(stacks, state, p, cells[TTT_COLOURS], words, err));
    }
    for (uint8_t colour = 0; colour < TTT_COLOURS; colour++) {
        if (!occurs[colour] || becomes[colour] == SEVERAL) continue;
        const piece p = {.layer = newest, .cost = layer->cost, .where = colour, .colour = becomes[colour]};
        TTT_TRY(add_piece(stacks, state, p, cells[colour], words, err));
    }
    return TTT_OK;
}

/* ------------------------------------------------------------------------------------------------ covering */

static size_t overlap(const uint64_t *a, const uint64_t *b, size_t words) {
    size_t count = 0;
    for (size_t i = 0; i < words; i++) count += (size_t)__builtin_popcountll(a[i] & b[i]);
    return count;
}

/* The piece that puts most cells right for its cost; `skip` of the best are passed over. -1: none helps. */
static int best_piece(const group_stacks *state, const uint64_t *wrong, size_t words, int skip) {
    double best[FIRSTS];
    int index[FIRSTS], count = 0;
    for (size_t i = 0; i < state->pieces.count; i++) {
        const piece *p = &state->pieces.items[i];
        const size_t covers = overlap(p->cells, wrong, words);
        if (covers == 0) continue;
        const double score = log2(1 + (double)covers) / (p->cost + PIECE_COST);
        if (count == skip + 1 && score <= best[count - 1]) continue;
        int at = count < skip + 1 ? count++ : count - 1;
        for (; at > 0 && score > best[at - 1]; at--) {
            best[at] = best[at - 1];
            index[at] = index[at - 1];
        }
        best[at] = score;
        index[at] = (int)i;
    }
    return count == skip + 1 ? index[skip] : -1;
}

static bool shown_once(const ttt_target *target, const uint64_t *cells) {
    int pair = -1;
    for (size_t i = 0; i < target->cell_count; i++) {
        if ((cells[i / 64] >> (i % 64) & 1) == 0 || pair == target->pair_of[i]) continue;
        if (pair >= 0) return false;
        pair = target->pair_of[i];
    }
    return true;
}

static int place_layer(ttt_finding *finding, const ttt_layer_group *group, uint32_t layer) {
    for (int i = 0; i < finding->layer_count; i++) {
        if (finding->layers[i] == layer) return i;
    }
    finding->layers[finding->layer_count] = layer;
    finding->cost += group->layers.items[layer].cost;
    return finding->layer_count++;
}

static void write_piece(ttt_finding *finding, const ttt_layer_group *group, const piece *p) {
    const uint8_t layer = (uint8_t)place_layer(finding, group, p->layer);
    finding->cases[finding->case_count++] =
        (ttt_case){.conditions = {{.layer = layer, .colour = p->where, .negated = p->copied == 1}},
                   .condition_count = 1,
                   .copied = p->copied == 1 ? (int8_t)layer : -1,
                   .colour = p->colour};
    finding->cost += PIECE_COST;
    if (group->target->pair_count > 1 && shown_once(group->target, p->cells)) finding->cost += TTT_LONE_COST;
}

/* Covers what is wrong, beginning with the first-th best piece. */
static bool cover(const group_stacks *state, const ttt_layer_group *group, uint64_t *wrong, size_t words, int first,
                  ttt_finding *finding) {
    for (int depth = 0; depth < STACK_MAX; depth++) {
        const int chosen = best_piece(state, wrong, words, depth == 0 ? first : 0);
        if (chosen < 0) return false;
        const piece *p = &state->pieces.items[chosen];
        write_piece(finding, group, p);
        uint64_t left = 0;
        for (size_t i = 0; i < words; i++) left |= wrong[i] &= ~p->cells[i];
        if (left == 0) return true;
    }
    return false;
}

/* On a base that is a layer, or (NULL) nothing but 0. */
static ttt_status try_base(ttt_stacks *stacks, group_stacks *state, const ttt_layer_group *group, const uint32_t *on,
                           ttt_error *err) {
    const ttt_target *target = group->target;
    const size_t words = words_of(target);
    uint64_t wrong[(TTT_DEMONSTRATIONS_MAX * TTT_GRID_CELLS + 63) / 64];
    for (int first = 0; first < FIRSTS; first++) {
        ttt_finding finding = {0};
        memset(wrong, 0, words * sizeof *wrong);
        for (size_t i = 0; i < target->cell_count; i++) {
            const uint8_t colour = on != NULL ? group->layers.items[*on].cells[i] : 0;
            wrong[i / 64] |= (uint64_t)(colour != target->cells[i]) << (i % 64);
        }
        if (!cover(state, group, wrong, words, first, &finding)) continue;
        const int8_t layer = on != NULL ? (int8_t)place_layer(&finding, group, *on) : -1;
        finding.cases[finding.case_count++] = (ttt_case){.copied = layer};
        TTT_TRY(ttt_reporter_report(&stacks->reporter, group, &finding, err));
    }
    return TTT_OK;
}

/* The layers that are wrong in few cells for little cost, best first. */
static int choose_bases(const ttt_layer_group *group, uint32_t bases[BASES]) {
    double scores[BASES];
    int count = 0;
    for (size_t i = 0; i < group->layers.count; i++) {
        const ttt_layer *layer = &group->layers.items[i];
        if (layer->wrong == 0) continue;
        const double score = ttt_layer_distance(group, layer);
        if (count == BASES && score >= scores[count - 1]) continue;
        int at = count < BASES ? count++ : count - 1;
        for (; at > 0 && score < scores[at - 1]; at--) {
            scores[at] = scores[at - 1];
            bases[at] = bases[at - 1];
        }
        scores[at] = score;
        bases[at] = (uint32_t)i;
    }
    return count;
}

ttt_status ttt_stacks_try(ttt_stacks *stacks, ttt_error *err) {
    for (size_t g = 0; g < ttt_layers_group_count(stacks->layers); g++) {
        const ttt_layer_group *group = ttt_layers_group(stacks->layers, g);
        group_stacks *state;
        uint32_t bases[BASES];
        TTT_TRY(state_of(stacks, group, &state, err));
        if (state->pieces.count == state->tried) continue;
        state->tried = state->pieces.count;
        TTT_TRY(try_base(stacks, state, group, NULL, err));
        const int count = choose_bases(group, bases);
        for (int i = 0; i < count; i++) TTT_TRY(try_base(stacks, state, group, &bases[i], err));
    }
    return TTT_OK;
}
