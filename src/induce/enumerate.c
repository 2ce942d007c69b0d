/* The enumerator. A batch of applications is evaluated by all threads, each with its own scratch memory; results that
 * the pool does not have yet are kept aside in the thread's buffer, and added to the pool afterwards in the order of
 * the applications: so the pool is the same whatever the threads do. */
#include "induce/enumerate.h"

#include "base/random.h"
#include "induce/costs.h"

#include <omp.h>
#include <string.h>

enum { BATCH = 512, BUFFER_BYTES = 1 << 20, SCRATCH_BYTES_AN_EXAMPLE = 1 << 18 };

typedef struct application {
    int16_t operation;
    uint8_t scope;
    uint32_t arguments[TTT_ARGUMENTS_MAX];
} application;

/* A result that the pool lacked when its application was evaluated. */
typedef struct outcome {
    uint64_t hash;
    ttt_value *values;      /* [example_count], NULL: none */
    uint64_t *value_hashes; /* [example_count] */
} outcome;

typedef struct worker {
    ttt_scratch scratch;
    ttt_arena *buffer;
} worker;

struct ttt_enumerator {
    ttt_pool *pool;
    size_t example_count;
    int threads;
    worker *workers;
    uint16_t colours;
    ttt_enumerator_listener listener;
    ttt_value *inputs, *leaf; /* [example_count], in `kept` */
    uint64_t *leaf_hashes;
    ttt_arena *kept;

    /* Where the enumeration stands: operation in one of its scopes, split of the level's cost among the arguments, and
     * the entry of each argument's bucket. */
    int level, operation;
    ttt_scope scope;
    bool split_open;
    int costs[TTT_ARGUMENTS_MAX];
    size_t indices[TTT_ARGUMENTS_MAX];

    application batch[BATCH];
    outcome outcomes[BATCH];
    size_t applications;
};

/* --------------------------------------------------------------------------------- the order of applications */

static ttt_value_type argument_type(const ttt_enumerator *e, int argument) {
    return ttt_operation_argument(&ttt_operations[e->operation], e->scope, argument);
}

static const ttt_bucket *argument_bucket(const ttt_enumerator *e, int argument) {
    return ttt_pool_bucket(e->pool, argument_type(e, argument), e->costs[argument]);
}

/* Costs of the first arguments count up like an odometer; the last argument takes the rest. */
static bool set_last_cost(ttt_enumerator *e) {
    const int arity = ttt_operations[e->operation].arity;
    int rest = e->level - ttt_cost_of_operation(e->operation, e->scope);
    for (int i = 0; i + 1 < arity; i++) rest -= e->costs[i];
    e->costs[arity - 1] = rest;
    return rest >= 1;
}

static bool next_split(ttt_enumerator *e) {
    const int arity = ttt_operations[e->operation].arity;
    if (!e->split_open) {
        for (int i = 0; i < arity; i++) e->costs[i] = 1;
        e->split_open = true;
        return set_last_cost(e);
    }
    for (int i = arity - 2; i >= 0; i--) {
        e->costs[i]++;
        if (set_last_cost(e)) return true;
        e->costs[i] = 1;
    }
    return false;
}

static bool split_has_entries(const ttt_enumerator *e) {
    for (int i = 0; i < ttt_operations[e->operation].arity; i++) {
        if (argument_bucket(e, i)->count == 0) return false;
    }
    return true;
}

/* On to the operation's next scope, or the next operation; false behind the last. */
static bool next_operation(ttt_enumerator *e) {
    e->split_open = false;
    do {
        e->scope++;
    } while (e->scope < TTT_SCOPE_END && !ttt_operation_has_scope(&ttt_operations[e->operation], e->scope));
    if (e->scope < TTT_SCOPE_END) return true;
    e->scope = TTT_SCOPE_WHOLE;
    return ++e->operation < TTT_OPERATION_COUNT;
}

/* To the next split that has entries for every argument; false at the end of the level. */
static bool next_place(ttt_enumerator *e) {
    do {
        while (next_split(e)) {
            if (!split_has_entries(e)) continue;
            memset(e->indices, 0, sizeof e->indices);
            return true;
        }
    } while (next_operation(e));
    return false;
}

/* Moves the indices on within the split; false when the split is through. */
static bool next_entries(ttt_enumerator *e) {
    for (int i = ttt_operations[e->operation].arity - 1; i >= 0; i--) {
        if (++e->indices[i] < argument_bucket(e, i)->count) return true;
        e->indices[i] = 0;
    }
    return false;
}

/* As many applications as a batch takes, or what is left of the level: none at its end. */
static size_t fill_batch(ttt_enumerator *e) {
    size_t count = 0;
    while (count < BATCH && e->operation < TTT_OPERATION_COUNT) {
        if (!e->split_open && !next_place(e)) break;
        application *a = &e->batch[count++];
        *a = (application){.operation = (int16_t)e->operation, .scope = (uint8_t)e->scope};
        for (int i = 0; i < ttt_operations[e->operation].arity; i++) {
            a->arguments[i] = argument_bucket(e, i)->items[e->indices[i]];
        }
        if (!next_entries(e) && !next_place(e)) break;
    }
    return count;
}

/* --------------------------------------------------------------------------------------------- evaluation */

static bool apply_on_example(const ttt_enumerator *e, const application *a, size_t example, ttt_scratch *scratch,
                             ttt_value *result) {
    const ttt_value *arguments[TTT_ARGUMENTS_MAX] = {0};
    for (int i = 0; i < ttt_operations[a->operation].arity; i++) {
        arguments[i] = ttt_pool_value(e->pool, a->arguments[i], example);
    }
    return ttt_operation_apply(&ttt_operations[a->operation], a->scope, scratch, arguments, result);
}

/* False only when memory is out; an application that has no value, or an old one, leaves out->values NULL. */
static bool evaluate(const ttt_enumerator *e, const application *a, worker *w, outcome *out) {
    const size_t n = e->example_count;
    *out = (outcome){0};
    ttt_scratch_reset(&w->scratch);
    ttt_value *values = ttt_scratch_allocate(&w->scratch, n * sizeof *values);
    uint64_t *hashes = ttt_scratch_allocate(&w->scratch, n * sizeof *hashes);
    if (values == NULL || hashes == NULL) return true;
    for (size_t i = 0; i < n; i++) {
        if (!apply_on_example(e, a, i, &w->scratch, &values[i])) return true;
        hashes[i] = ttt_value_hash(TTT_HASH_START, &values[i]);
    }
    out->hash = ttt_pool_hash(hashes, n);
    if (ttt_pool_has(e->pool, out->hash)) return true;
    ttt_value *kept = ttt_arena_allocate(w->buffer, n, sizeof *kept);
    out->value_hashes = ttt_arena_allocate(w->buffer, n, sizeof *hashes);
    if (kept == NULL || out->value_hashes == NULL) return false;
    memcpy(out->value_hashes, hashes, n * sizeof *hashes);
    for (size_t i = 0; i < n; i++) {
        if (!ttt_value_copy(w->buffer, &values[i], &kept[i])) return false;
    }
    out->values = kept;
    return true;
}

static ttt_status evaluate_batch(ttt_enumerator *e, size_t count, ttt_error *err) {
    bool failed = false;
#pragma omp parallel num_threads(e->threads)
    {
        worker *w = &e->workers[omp_get_thread_num()];
        ttt_arena_reset(w->buffer);
#pragma omp for schedule(dynamic, 8)
        for (size_t i = 0; i < count; i++) {
            if (!evaluate(e, &e->batch[i], w, &e->outcomes[i])) {
#pragma omp atomic write
                failed = true;
            }
        }
    }
    return failed ? ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the values of a program search") : TTT_OK;
}

static ttt_status add_entry(ttt_enumerator *e, const ttt_entry *entry, const ttt_value *values, const uint64_t *hashes,
                            ttt_error *err) {
    uint32_t added;
    if (ttt_pool_full(e->pool) && !e->listener.wants(e->listener.context, values)) return TTT_OK;
    TTT_TRY(ttt_pool_add(e->pool, entry, values, hashes, &added, err));
    return added == TTT_POOL_NONE ? TTT_OK : e->listener.entry(e->listener.context, added, entry->cost, values, err);
}

static ttt_status add_outcomes(ttt_enumerator *e, size_t count, ttt_error *err) {
    for (size_t i = 0; i < count; i++) {
        const outcome *o = &e->outcomes[i];
        const application *a = &e->batch[i];
        if (o->values == NULL) continue;
        ttt_entry entry = {.hash = o->hash,
                           .operation = a->operation,
                           .cost = (uint16_t)e->level,
                           .type = o->values[0].type,
                           .scope = a->scope};
        memcpy(entry.arguments, a->arguments, sizeof entry.arguments);
        TTT_TRY(add_entry(e, &entry, o->values, o->value_hashes, err));
    }
    return TTT_OK;
}

/* ------------------------------------------------------------------------------------------------- leaves */

static ttt_status add_leaf(ttt_enumerator *e, const ttt_value *values, int cost, ttt_error *err) {
    for (size_t i = 0; i < e->example_count; i++) {
        e->leaf_hashes[i] = ttt_value_hash(TTT_HASH_START, &values[i]);
    }
    const ttt_entry entry = {.hash = ttt_pool_hash(e->leaf_hashes, e->example_count),
                             .operation = -1,
                             .constant = values[0].number,
                             .cost = (uint16_t)cost,
                             .type = values[0].type};
    return add_entry(e, &entry, values, e->leaf_hashes, err);
}

static ttt_status add_constants(ttt_enumerator *e, ttt_value_type type, int from, int to, ttt_error *err) {
    for (int number = from; number <= to; number++) {
        if (ttt_cost_of_constant(type, number) != e->level) continue;
        if (type == TTT_VALUE_COLOUR && (e->colours >> number & 1) == 0) continue;
        for (size_t i = 0; i < e->example_count; i++) {
            e->leaf[i] = (ttt_value){.type = (uint8_t)type, .number = (int16_t)number};
        }
        TTT_TRY(add_leaf(e, e->leaf, e->level, err));
    }
    return TTT_OK;
}

static ttt_status begin_level(ttt_enumerator *e, int level, ttt_error *err) {
    e->level = level;
    e->operation = 0;
    e->scope = TTT_SCOPE_WHOLE;
    e->split_open = false;
    if (ttt_cost_of_input() == level) TTT_TRY(add_leaf(e, e->inputs, level, err));
    TTT_TRY(add_constants(e, TTT_VALUE_COLOUR, 0, TTT_COLOURS - 1, err));
    TTT_TRY(add_constants(e, TTT_VALUE_NUMBER, 0, TTT_GRID_MAX, err));
    TTT_TRY(add_constants(e, TTT_VALUE_DIRECTION, 0, TTT_DIRECTION_COUNT - 1, err));
    return add_constants(e, TTT_VALUE_PROPERTY, 0, TTT_PROPERTY_COUNT - 1, err);
}

/* ---------------------------------------------------------------------------------------------- interface */

static ttt_status make_workers(ttt_enumerator *e, ttt_error *err) {
    e->workers = ttt_allocate((size_t)e->threads, sizeof *e->workers);
    if (e->workers == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for %d threads", e->threads);
    for (int i = 0; i < e->threads; i++) {
        worker *w = &e->workers[i];
        w->scratch.bytes = (e->example_count + 1) * SCRATCH_BYTES_AN_EXAMPLE;
        w->scratch.memory = ttt_allocate(w->scratch.bytes, 1);
        if (w->scratch.memory == NULL) {
            return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for %zu examples of a search", e->example_count);
        }
        TTT_TRY(ttt_arena_new(&w->buffer, BUFFER_BYTES, err));
    }
    return TTT_OK;
}

static ttt_status take_inputs(ttt_enumerator *e, const ttt_grid *const *inputs, ttt_error *err) {
    TTT_TRY(ttt_arena_new(&e->kept, BUFFER_BYTES, err));
    e->inputs = ttt_arena_allocate(e->kept, e->example_count, sizeof *e->inputs);
    e->leaf = ttt_arena_allocate(e->kept, e->example_count, sizeof *e->leaf);
    e->leaf_hashes = ttt_arena_allocate(e->kept, e->example_count, sizeof *e->leaf_hashes);
    bool kept = e->inputs != NULL && e->leaf != NULL && e->leaf_hashes != NULL;
    for (size_t i = 0; kept && i < e->example_count; i++) {
        ttt_value value;
        ttt_scratch_reset(&e->workers[0].scratch);
        kept = ttt_value_from_grid(&e->workers[0].scratch, inputs[i], &value) &&
               ttt_value_copy(e->kept, &value, &e->inputs[i]);
    }
    return kept ? TTT_OK : ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the inputs of a search");
}

ttt_status ttt_enumerator_new(const ttt_grid *const *inputs, size_t example_count, uint16_t colours,
                              size_t memory_bytes, int threads, const ttt_enumerator_listener *listener,
                              ttt_enumerator **enumerator, ttt_error *err) {
    ttt_status status = TTT_OK;
    ttt_enumerator *e = ttt_allocate(1, sizeof *e);
    if (e == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for a search");
    e->example_count = example_count;
    e->threads = threads;
    e->colours = colours;
    e->listener = *listener;
    TTT_TRY_OUT(ttt_pool_new(example_count, memory_bytes, &e->pool, err));
    TTT_TRY_OUT(make_workers(e, err));
    TTT_TRY_OUT(take_inputs(e, inputs, err));
    TTT_TRY_OUT(begin_level(e, 1, err));
    *enumerator = e;
    return TTT_OK;

out:
    ttt_enumerator_free(e);
    return status;
}

void ttt_enumerator_free(ttt_enumerator *e) {
    if (e == NULL) return;
    for (int i = 0; e->workers != NULL && i < e->threads; i++) {
        ttt_scratch_release(&e->workers[i].scratch);
        ttt_arena_free(e->workers[i].buffer);
    }
    ttt_free(e->workers);
    ttt_arena_free(e->kept);
    ttt_pool_free(e->pool);
    ttt_free(e);
}

ttt_status ttt_enumerator_step(ttt_enumerator *e, bool *more, ttt_error *err) {
    *more = true;
    size_t count;
    while ((count = fill_batch(e)) == 0) {
        *more = e->level < TTT_COST_MAX;
        if (!*more) return TTT_OK;
        TTT_TRY(begin_level(e, e->level + 1, err));
    }
    e->applications += count;
    TTT_TRY(evaluate_batch(e, count, err));
    return add_outcomes(e, count, err);
}

const ttt_pool *ttt_enumerator_pool(const ttt_enumerator *e) {
    return e->pool;
}

int ttt_enumerator_level(const ttt_enumerator *e) {
    return e->level;
}

size_t ttt_enumerator_applications(const ttt_enumerator *e) {
    return e->applications;
}
