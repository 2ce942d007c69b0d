/* Layers: values that have the output's size in every demonstration, as flat cells that rules are learned from.
 *
 * The cells of all demonstrations lie one after the other, then those of the tests. What size a test's output has no
 * one says: layers that agree about it form a group, and a rule takes its layers from one group. */
#ifndef TTT_INDUCE_LAYERS_H
#define TTT_INDUCE_LAYERS_H

#include "arc/task.h"
#include "induce/pool.h"

/* What is to be explained, in the frame of the search. */
typedef struct ttt_target {
    const ttt_grid *outputs; /* [pair_count] */
    size_t pair_count, test_count;
    const uint8_t *cells;   /* [cell_count]: the outputs, flat */
    const uint8_t *pair_of; /* [cell_count]: which demonstration a cell belongs to */
    size_t cell_count;
} ttt_target;

typedef struct ttt_layer {
    uint32_t entry;
    uint16_t cost;
    uint32_t wrong;       /* demonstration cells that differ from the output */
    uint16_t right_pairs; /* demonstrations without such a cell */
    const uint8_t *cells; /* [group's cell_count], owned by the group */
} ttt_layer;

typedef struct ttt_layer_group {
    const ttt_target *target;
    size_t number; /* of ttt_layers_group */
    struct {
        uint8_t height, width;
    } * test_sizes;    /* [test_count] */
    size_t test_cells; /* in all tests */
    struct {
        ttt_layer *items;
        size_t count, capacity;
    } layers;
    ttt_bucket by_cost[TTT_COST_MAX + 1]; /* indices of layers */
} ttt_layer_group;

typedef struct ttt_layers ttt_layers;
ttt_status ttt_layers_new(const ttt_target *target, ttt_layers **layers, ttt_error *err);
void ttt_layers_free(ttt_layers *layers);
/* Have the values [pair_count + test_count] the sizes of the outputs? */
bool ttt_layers_fit(const ttt_target *target, const ttt_value *values);
/* Takes an entry of that cost as a layer if its values fit and no layer of its group has the same cells; *group is then
 * where it went, as its last layer, else NULL. */
ttt_status ttt_layers_add(ttt_layers *layers, uint32_t entry, int cost, const ttt_value *values,
                          ttt_layer_group **group, ttt_error *err);
/* How far the layer is from a good base of rules and stacks, in quarters of a bit: few wrong cells, low cost. */
double ttt_layer_distance(const ttt_layer_group *group, const ttt_layer *layer);
size_t ttt_layers_group_count(const ttt_layers *layers);
ttt_layer_group *ttt_layers_group(const ttt_layers *layers, size_t number);
size_t ttt_layers_bytes(const ttt_layers *layers);

#endif
