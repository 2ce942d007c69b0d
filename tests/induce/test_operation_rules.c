/* Rules that every operation of the table keeps, whatever it is applied to: random values of every type, and values
 * that other operations made of them. */
#include "support.h"

#include "random_values.h"

enum { ROUNDS = 1000, POOL = 12 };

/* Values that operations made, a few of every type with pieces, taken as arguments now and then. */
typedef struct value_pool {
    value_slot *slots; /* [TTT_VALUE_MASK + 1][POOL] */
} value_pool;

typedef struct operation_trial {
    const ttt_operation *operation;
    ttt_scope scope;
    value_slot *slots; /* [TTT_ARGUMENTS_MAX] */
    const ttt_value *arguments[TTT_ARGUMENTS_MAX];
    ttt_value *result;
} operation_trial;

static bool apply(const operation_trial *trial, ttt_scratch *scratch, ttt_value *result) {
    return ttt_operation_apply(trial->operation, trial->scope, scratch, trial->arguments, result);
}

static void draw_arguments(ttt_random *random, const value_pool *pool, operation_trial *trial) {
    for (int i = 0; i < trial->operation->arity; i++) {
        const ttt_value_type type = ttt_operation_argument(trial->operation, trial->scope, i);
        value_slot *slot = &trial->slots[i];
        trial->arguments[i] = &slot->value;
        if (i > 0 && ttt_value_type_has_pieces(type) && ttt_random_below(random, 2) == 0 &&
            ttt_value_type_has_pieces(trial->slots[0].value.type)) {
            /* Operations of two grids often ask for the same size: the first again, with other cells. */
            value_keep(&trial->slots[0].value, slot);
            slot->value.type = (uint8_t)type;
            if (type != TTT_VALUE_LIST) slot->value.count = 1;
            for (int k = 0; k < ttt_piece_area(&slot->pieces[0]); k++) {
                slot->cells[k] = (uint8_t)ttt_random_below(random, type == TTT_VALUE_MASK ? 2 : TTT_COLOURS);
            }
        } else if (ttt_value_type_has_pieces(type) && ttt_random_below(random, 2) == 0) {
            value_keep(&pool->slots[(uint32_t)type * POOL + ttt_random_below(random, POOL)].value, slot);
        } else {
            value_random(random, type, slot);
        }
        assert_true(ttt_value_valid(&slot->value));
    }
}

static uint64_t hash_arguments(const operation_trial *trial) {
    uint64_t hash = TTT_HASH_START;
    for (int i = 0; i < trial->operation->arity; i++) hash = ttt_value_hash(hash, trial->arguments[i]);
    return hash;
}

/* In memory of exactly so many bytes, or fewer, filled with what is not 0; nothing may step over its end. */
static void check_in_memory(const operation_trial *trial, size_t bytes, bool enough, const ttt_value *expected) {
    ttt_scratch scratch = {.memory = ttt_allocate(bytes, 1), .bytes = bytes};
    ttt_value result;
    assert_non_null(scratch.memory);
    memset(scratch.memory, 0xa5, bytes);
    const bool defined = apply(trial, &scratch, &result);
    if (enough && !defined) fail_msg("%s: defined once, then undefined", trial->operation->name);
    /* With less memory pieces may be left out, or as they were. */
    if (defined && (enough || trial->scope == TTT_SCOPE_WHOLE)) {
        if (!ttt_value_equal(&result, expected) ||
            ttt_value_hash(TTT_HASH_START, &result) != ttt_value_hash(TTT_HASH_START, expected)) {
            fail_msg("%s: another result for the same arguments", trial->operation->name);
        }
    }
    ttt_free(scratch.memory);
}

/* With arguments that end where their memory ends. */
static void check_again(const operation_trial *trial, ttt_scratch *scratch, bool defined, const ttt_value *expected) {
    const size_t bytes = scratch->used;
    operation_trial fitted = *trial;
    ttt_value arguments[TTT_ARGUMENTS_MAX], result;
    for (int i = 0; i < trial->operation->arity; i++) {
        arguments[i] = value_fit(trial->arguments[i]);
        fitted.arguments[i] = &arguments[i];
    }
    if (defined) {
        check_in_memory(&fitted, bytes, true, expected);
        check_in_memory(&fitted, bytes / 2, false, expected);
    } else {
        ttt_scratch_reset(scratch);
        if (apply(&fitted, scratch, &result)) fail_msg("%s: undefined once, then defined", trial->operation->name);
    }
    for (int i = 0; i < trial->operation->arity; i++) value_fit_free(&arguments[i]);
}

/* Returns whether the operation is defined for its arguments; the result stays in `scratch`. */
static bool check_trial(const operation_trial *trial, ttt_scratch *scratch) {
    const char *name = trial->operation->name;
    const uint64_t before = hash_arguments(trial);
    ttt_value *result = trial->result;
    ttt_scratch_reset(scratch);
    const bool defined = apply(trial, scratch, result);
    if (hash_arguments(trial) != before) fail_msg("%s: writes its arguments", name);
    assert_true(scratch->used <= scratch->bytes);
    if (defined) {
        if (!ttt_value_valid(result)) fail_msg("%s: a result that breaks the rules of values", name);
        if (result->type != ttt_operation_result(trial->operation, trial->scope)) fail_msg("%s: wrong type", name);
    }
    check_again(trial, scratch, defined, result);
    return defined;
}

static void operations__keep_the_rules_of_values(void **state) {
    (void)state;
    ttt_error err;
    ttt_scratch scratch;
    ttt_random random = ttt_random_stream(1, "", "operation rules");
    const value_pool pool = {ttt_allocate((TTT_VALUE_MASK + 1) * POOL, sizeof(value_slot))};
    ttt_value result;
    operation_trial trial = {.slots = ttt_allocate(TTT_ARGUMENTS_MAX, sizeof(value_slot)), .result = &result};
    int defined[TTT_OPERATION_COUNT] = {0};
    ASSERT_OK(ttt_scratch_init(&scratch, &err));
    assert_non_null(pool.slots);
    assert_non_null(trial.slots);
    for (int i = 0; i < (TTT_VALUE_MASK + 1) * POOL; i++) value_random(&random, i / POOL, &pool.slots[i]);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < TTT_OPERATION_COUNT; i++) {
            trial.operation = &ttt_operations[i];
            trial.scope = (ttt_scope)ttt_random_below(&random, 2 * TTT_SCOPE_END);
            if (trial.scope >= TTT_SCOPE_END || !ttt_operation_has_scope(trial.operation, trial.scope)) {
                trial.scope = TTT_SCOPE_WHOLE;
            }
            draw_arguments(&random, &pool, &trial);
            if (!check_trial(&trial, &scratch)) continue;
            defined[i]++;
            if (!ttt_value_type_has_pieces(result.type)) continue;
            value_keep(&result, &pool.slots[(uint32_t)result.type * POOL + ttt_random_below(&random, POOL)]);
        }
    }
    for (int i = 0; i < TTT_OPERATION_COUNT; i++) {
        if (defined[i] == 0) fail_msg("%s: undefined for whatever was tried", ttt_operations[i].name);
    }
    ttt_scratch_release(&scratch);
    ttt_free(trial.slots);
    ttt_free(pool.slots);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(operations__keep_the_rules_of_values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
