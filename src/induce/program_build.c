/* Programs from pool entries: the entries that the layers are made of, in the order in which they were found, which is
 * an order in which they can be computed. */
#include "induce/program_build.h"

#include <stdlib.h>
#include <string.h>

typedef struct needed {
    uint32_t items[TTT_NODES_MAX];
    size_t count;
} needed;

static size_t place_of(const needed *entries, uint32_t entry) {
    size_t at = 0;
    while (at < entries->count && entries->items[at] != entry) at++;
    return at;
}

static int arity_of(const ttt_entry *entry) {
    return entry->operation < 0 ? 0 : ttt_operations[entry->operation].arity;
}

/* False when there are too many. */
static bool need(const ttt_pool *pool, uint32_t entry, needed *entries) {
    if (place_of(entries, entry) < entries->count) return true;
    if (entries->count == TTT_NODES_MAX) return false;
    entries->items[entries->count++] = entry;
    const ttt_entry *e = ttt_pool_entry(pool, entry);
    for (int i = 0; i < arity_of(e); i++) {
        if (!need(pool, e->arguments[i], entries)) return false;
    }
    return true;
}

static int entry_order(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static ttt_node node_of(const ttt_entry *entry, const needed *entries) {
    ttt_node node = {.type = entry->type};
    if (entry->operation < 0) {
        node.kind = ttt_value_type_has_pieces(entry->type) ? TTT_NODE_INPUT : TTT_NODE_CONSTANT;
        node.constant = entry->constant;
        return node;
    }
    node.kind = TTT_NODE_APPLY;
    node.scope = entry->scope;
    node.operation = (uint16_t)entry->operation;
    for (int i = 0; i < arity_of(entry); i++) node.arguments[i] = (uint16_t)place_of(entries, entry->arguments[i]);
    return node;
}

ttt_status ttt_program_build(const ttt_pool *pool, ttt_frame frame, const ttt_finding *finding, ttt_program *program,
                             ttt_error *err) {
    needed entries = {.count = 0};
    *program = (ttt_program){.frame = frame, .layer_count = finding->layer_count};
    for (int i = 0; i < finding->layer_count; i++) {
        if (!need(pool, finding->layers[i], &entries)) {
            return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "a program needs more than %d nodes", TTT_NODES_MAX);
        }
    }
    qsort(entries.items, entries.count, sizeof *entries.items, entry_order);
    program->nodes = ttt_allocate(entries.count, sizeof *program->nodes);
    program->cases = ttt_allocate(finding->case_count, sizeof *program->cases);
    if (program->nodes == NULL || program->cases == NULL) {
        ttt_program_release(program);
        return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for a program");
    }
    program->node_count = entries.count;
    for (size_t i = 0; i < entries.count; i++) {
        program->nodes[i] = node_of(ttt_pool_entry(pool, entries.items[i]), &entries);
    }
    for (int i = 0; i < finding->layer_count; i++) {
        program->layers[i] = (uint16_t)place_of(&entries, finding->layers[i]);
    }
    program->case_count = finding->case_count;
    memcpy(program->cases, finding->cases, finding->case_count * sizeof *program->cases);
    return TTT_OK;
}
