/* Pairs as packed bytes: per grid height, width, then cells two to a byte, the first in the low half. */
#include "arc/pair_store.h"

#include "base/memory.h"

#include <string.h>

enum { PAIR_BYTES_MAX = 2 * (2 + (TTT_GRID_CELLS + 1) / 2) };

static size_t pack_grid(const ttt_grid *grid, uint8_t *out) {
    const int area = ttt_grid_area(grid), bytes = (area + 1) / 2;
    out[0] = grid->height;
    out[1] = grid->width;
    for (int i = 0; i < bytes; i++) {
        const int high = 2 * i + 1 < area ? grid->cells[2 * i + 1] : 0;
        out[2 + i] = (uint8_t)(grid->cells[2 * i] | high << 4);
    }
    return 2 + (size_t)bytes;
}

static size_t unpack_grid(const uint8_t *bytes, ttt_grid *grid) {
    grid->height = bytes[0];
    grid->width = bytes[1];
    const int area = ttt_grid_area(grid);
    for (int i = 0; i < area; i++) grid->cells[i] = i % 2 ? bytes[2 + i / 2] >> 4 : bytes[2 + i / 2] & 15;
    return 2 + (size_t)((area + 1) / 2);
}

static ttt_status reserve_bytes(ttt_pair_store *store, size_t more, ttt_error *err) {
    if (store->byte_count + more <= store->byte_capacity) return TTT_OK;
    return ttt_vector_grow((void **)&store->bytes, &store->byte_capacity, store->byte_count + more, 1, err);
}

static ttt_status add_pair(ttt_pair_store *store, const ttt_pair *pair, ttt_error *err) {
    TTT_TRY(reserve_bytes(store, PAIR_BYTES_MAX, err));
    TTT_TRY(TTT_PUSH(&store->starts, store->byte_count, err));
    store->byte_count += pack_grid(&pair->input, store->bytes + store->byte_count);
    store->byte_count += pack_grid(&pair->output, store->bytes + store->byte_count);
    return TTT_OK;
}

ttt_status ttt_pair_store_add(ttt_pair_store *store, const char *id, const ttt_pair *pairs, size_t count,
                              ttt_error *err) {
    const size_t first = store->starts.count, first_byte = store->byte_count;
    ttt_pair_group group = {ttt_string_copy(id), first, count};
    ttt_status status = group.id ? TTT_OK : ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the examples of %s", id);
    for (size_t i = 0; i < count && status == TTT_OK; i++) status = add_pair(store, &pairs[i], err);
    if (status == TTT_OK) status = TTT_PUSH(&store->groups, group, err);
    if (status == TTT_OK) return TTT_OK;
    ttt_free(group.id);
    store->starts.count = first;
    store->byte_count = first_byte;
    return status;
}

void ttt_pair_store_get(const ttt_pair_store *store, size_t index, ttt_pair *pair) {
    const uint8_t *bytes = store->bytes + store->starts.items[index];
    bytes += unpack_grid(bytes, &pair->input);
    unpack_grid(bytes, &pair->output);
}

const ttt_pair_group *ttt_pair_store_find(const ttt_pair_store *store, const char *id) {
    for (size_t i = 0; i < store->groups.count; i++)
        if (strcmp(store->groups.items[i].id, id) == 0) return &store->groups.items[i];
    return NULL;
}

void ttt_pair_store_release(ttt_pair_store *store) {
    for (size_t i = 0; i < store->groups.count; i++) ttt_free(store->groups.items[i].id);
    ttt_free(store->groups.items);
    ttt_free(store->starts.items);
    ttt_free(store->bytes);
    *store = (ttt_pair_store){0};
}
