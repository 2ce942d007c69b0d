/* Collecting layers. */
#include "induce/layers.h"

#include "base/random.h"
#include "induce/hash_table.h"

#include <string.h>

enum { GROUPS_MAX = 64, BLOCK_BYTES = 1 << 20 };

struct ttt_layers {
    const ttt_target *target;
    ttt_arena *arena;
    size_t bytes;
    ttt_layer_group *groups[GROUPS_MAX];
    size_t group_count;
    ttt_hash_table seen; /* hashes of the layers' cells, with their group */
};

ttt_status ttt_layers_new(const ttt_target *target, ttt_layers **layers, ttt_error *err) {
    *layers = ttt_allocate(1, sizeof **layers);
    if (*layers == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the layers of a search");
    (*layers)->target = target;
    const ttt_status status = ttt_arena_new(&(*layers)->arena, BLOCK_BYTES, err);
    if (status == TTT_OK) return TTT_OK;
    ttt_layers_free(*layers);
    *layers = NULL;
    return status;
}

void ttt_layers_free(ttt_layers *layers) {
    if (layers == NULL) return;
    for (size_t g = 0; g < layers->group_count; g++) {
        ttt_layer_group *group = layers->groups[g];
        for (int cost = 0; cost <= TTT_COST_MAX; cost++) ttt_free(group->by_cost[cost].items);
        ttt_free(group->layers.items);
        ttt_free(group->test_sizes);
        ttt_free(group);
    }
    ttt_arena_free(layers->arena);
    ttt_hash_table_release(&layers->seen);
    ttt_free(layers);
}

bool ttt_layers_fit(const ttt_target *target, const ttt_value *values) {
    if (values[0].type != TTT_VALUE_GRID && values[0].type != TTT_VALUE_MASK) return false;
    for (size_t i = 0; i < target->pair_count; i++) {
        const ttt_piece *piece = &values[i].pieces[0];
        if (piece->height != target->outputs[i].height || piece->width != target->outputs[i].width) return false;
    }
    return true;
}

static const ttt_piece *test_piece(const ttt_target *target, const ttt_value *values, size_t test) {
    return &values[target->pair_count + test].pieces[0];
}

static bool sizes_agree(const ttt_layer_group *group, const ttt_value *values) {
    for (size_t i = 0; i < group->target->test_count; i++) {
        const ttt_piece *piece = test_piece(group->target, values, i);
        if (piece->height != group->test_sizes[i].height || piece->width != group->test_sizes[i].width) return false;
    }
    return true;
}

/* The group of the entry's test sizes, made where it is new; NULL when there are too many already. */
static ttt_status find_group(ttt_layers *layers, const ttt_value *values, size_t *number, ttt_error *err) {
    const ttt_target *target = layers->target;
    for (*number = 0; *number < layers->group_count; ++*number) {
        if (sizes_agree(layers->groups[*number], values)) return TTT_OK;
    }
    if (layers->group_count == GROUPS_MAX) return TTT_OK;
    ttt_layer_group *group = ttt_allocate(1, sizeof *group);
    if (group != NULL) {
        group->target = target;
        group->number = layers->group_count;
        group->test_sizes = ttt_allocate(target->test_count, sizeof *group->test_sizes);
        if (group->test_sizes == NULL) {
            ttt_free(group);
            group = NULL;
        }
    }
    if (group == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the layers of a search");
    for (size_t i = 0; i < target->test_count; i++) {
        const ttt_piece *piece = test_piece(target, values, i);
        group->test_sizes[i].height = piece->height;
        group->test_sizes[i].width = piece->width;
        group->test_cells += (size_t)ttt_piece_area(piece);
    }
    layers->groups[layers->group_count++] = group;
    return TTT_OK;
}

static uint64_t hash_entry_cells(const ttt_target *target, const ttt_value *values, size_t group) {
    uint64_t hash = ttt_hash(TTT_HASH_START, &group, sizeof group);
    for (size_t i = 0; i < target->pair_count + target->test_count; i++) {
        const ttt_piece *piece = &values[i].pieces[0];
        hash = ttt_hash(hash, piece->cells, (size_t)ttt_piece_area(piece));
    }
    return hash;
}

static void count_wrong(const ttt_target *target, ttt_layer *layer) {
    size_t at = 0;
    for (size_t i = 0; i < target->pair_count; i++) {
        const size_t area = (size_t)ttt_grid_area(&target->outputs[i]);
        uint32_t wrong = 0;
        for (size_t end = at + area; at < end; at++) wrong += layer->cells[at] != target->cells[at];
        layer->wrong += wrong;
        layer->right_pairs += wrong == 0;
    }
}

ttt_status ttt_layers_add(ttt_layers *layers, uint32_t entry, int cost, const ttt_value *values,
                          ttt_layer_group **group, ttt_error *err) {
    const ttt_target *target = layers->target;
    size_t number;
    *group = NULL;
    if (!ttt_layers_fit(target, values)) return TTT_OK;
    TTT_TRY(find_group(layers, values, &number, err));
    if (number == layers->group_count) return TTT_OK;
    const uint64_t hash = hash_entry_cells(target, values, number);
    if (ttt_hash_table_find(&layers->seen, hash) != TTT_HASH_TABLE_NONE) return TTT_OK;
    TTT_TRY(ttt_hash_table_add(&layers->seen, hash, 0, err));

    ttt_layer_group *to = layers->groups[number];
    const size_t count = target->cell_count + to->test_cells;
    uint8_t *cells = ttt_arena_allocate(layers->arena, count, 1);
    if (cells == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for a layer of %zu cells", count);
    layers->bytes += count + sizeof(ttt_layer);
    ttt_layer layer = {.entry = entry, .cost = (uint16_t)cost, .cells = cells};
    for (size_t i = 0; i < target->pair_count + target->test_count; i++) {
        const ttt_piece *piece = &values[i].pieces[0];
        memcpy(cells, piece->cells, (size_t)ttt_piece_area(piece));
        cells += ttt_piece_area(piece);
    }
    count_wrong(target, &layer);
    TTT_TRY(TTT_PUSH(&to->by_cost[layer.cost], (uint32_t)to->layers.count, err));
    TTT_TRY(TTT_PUSH(&to->layers, layer, err));
    *group = to;
    return TTT_OK;
}

double ttt_layer_distance(const ttt_layer_group *group, const ttt_layer *layer) {
    enum { WRONG_COST = 40 * TTT_COST_BIT }; /* of a layer that is wrong everywhere */
    return (double)layer->wrong / (double)group->target->cell_count * WRONG_COST + layer->cost;
}

size_t ttt_layers_group_count(const ttt_layers *layers) {
    return layers->group_count;
}

ttt_layer_group *ttt_layers_group(const ttt_layers *layers, size_t number) {
    return layers->groups[number];
}

size_t ttt_layers_bytes(const ttt_layers *layers) {
    return layers->bytes;
}
