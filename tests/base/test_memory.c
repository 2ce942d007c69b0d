/* Memory: alignment, zeroes, overflow, the injected failure, arenas, vectors. */
#include "support.h"

#include "base/memory.h"

static bool is_zero(const void *memory, size_t bytes) {
    const unsigned char *byte = memory;
    for (size_t i = 0; i < bytes; i++) {
        if (byte[i] != 0) return false;
    }
    return true;
}

static bool is_aligned(const void *memory) {
    return (uintptr_t)memory % 64 == 0;
}

static void size_multiply__refuses_overflow(void **state) {
    (void)state;
    size_t product = 7;
    assert_true(ttt_size_multiply(SIZE_MAX / 2, 2, &product));
    assert_true(product == SIZE_MAX - 1);
    product = 7;
    assert_false(ttt_size_multiply(SIZE_MAX / 2 + 1, 2, &product));
    assert_int_equal(product, 7);
    assert_true(ttt_size_multiply(0, SIZE_MAX, &product));
    assert_int_equal(product, 0);
}

static void allocate__is_zeroed_and_aligned(void **state) {
    (void)state;
    for (size_t count = 1; count < 2000; count += 37) {
        unsigned char *memory = ttt_allocate(count, 3);
        assert_non_null(memory);
        assert_true(is_aligned(memory));
        assert_true(is_zero(memory, count * 3));
        memset(memory, 0xff, count * 3); /* so that reuse by the heap would show */
        ttt_free(memory);
    }
}

static void allocate__of_nothing_is_a_valid_pointer(void **state) {
    (void)state;
    void *a = ttt_allocate(0, 8), *b = ttt_allocate(8, 0);
    assert_non_null(a);
    assert_non_null(b);
    ttt_free(a);
    ttt_free(b);
    ttt_free(NULL);
}

static void allocate__refuses_sizes_that_overflow(void **state) {
    (void)state;
    assert_null(ttt_allocate(SIZE_MAX / 2, 3));
    assert_null(ttt_allocate(SIZE_MAX, 1));
}

static void reallocate__keeps_old_and_zeroes_new(void **state) {
    (void)state;
    int *memory = ttt_reallocate(NULL, 0, 10, sizeof(int));
    for (int i = 0; i < 10; i++) memory[i] = i + 1;
    memory = ttt_reallocate(memory, 10, 100, sizeof(int));
    assert_non_null(memory);
    for (int i = 0; i < 10; i++) assert_int_equal(memory[i], i + 1);
    assert_true(is_zero(memory + 10, 90 * sizeof(int)));
    memory = ttt_reallocate(memory, 100, 5, sizeof(int));
    for (int i = 0; i < 5; i++) assert_int_equal(memory[i], i + 1);
    ttt_memory_fail_at(1);
    assert_null(ttt_reallocate(memory, 5, 50, sizeof(int)));
    assert_int_equal(memory[4], 5); /* still valid */
    ttt_free(memory);
}

static void fail_at__fails_that_allocation_only(void **state) {
    (void)state;
    for (size_t chosen = 1; chosen <= 4; chosen++) {
        ttt_memory_fail_at(chosen);
        for (size_t i = 1; i <= 6; i++) {
            void *memory = ttt_allocate(1, 1);
            assert_true((memory == NULL) == (i == chosen));
            ttt_free(memory);
        }
    }
    ttt_memory_fail_at(2);
    ttt_memory_fail_at(0);
    for (int i = 0; i < 4; i++) {
        void *memory = ttt_allocate(1, 1);
        assert_non_null(memory);
        ttt_free(memory);
    }
}

static void allocation_count__counts_what_allocates(void **state) {
    (void)state;
    ttt_error err = {0};
    size_t before = ttt_memory_allocation_count();
    ttt_free(ttt_allocate(3, 3));
    char *text = ttt_string_copy("grid");
    assert_int_equal(ttt_memory_allocation_count() - before, 2);
    assert_string_equal(text, "grid");
    ttt_free(text);

    ttt_arena *arena = NULL;
    ASSERT_OK(ttt_arena_new(&arena, 4096, &err));
    before = ttt_memory_allocation_count();
    assert_non_null(ttt_arena_allocate(arena, 10, 100));
    assert_int_equal(ttt_memory_allocation_count() - before, 0);
    ttt_arena_free(arena);
}

static void arena__hands_out_separate_zeroed_aligned_memory(void **state) {
    (void)state;
    ttt_error err = {0};
    ttt_arena *arena = NULL;
    ASSERT_OK(ttt_arena_new(&arena, 1000, &err));
    unsigned char *pieces[100];
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < 100; i++) {
            size_t bytes = i * 17 % 1500;
            pieces[i] = ttt_arena_allocate(arena, bytes, 1);
            assert_non_null(pieces[i]);
            assert_true(is_aligned(pieces[i]));
            assert_true(is_zero(pieces[i], bytes));
            memset(pieces[i], (int)i, bytes);
        }
        for (size_t i = 0; i < 100; i++) {
            for (size_t j = 0; j < i * 17 % 1500; j++) assert_int_equal(pieces[i][j], i);
        }
        ttt_arena_reset(arena);
    }
    ttt_arena_free(arena);
    ttt_arena_free(NULL);
}

static void arena_reset__keeps_the_memory_for_the_next_step(void **state) {
    (void)state;
    ttt_error err = {0};
    ttt_arena *arena = NULL;
    ASSERT_OK(ttt_arena_new(&arena, 256, &err));
    void *first = ttt_arena_allocate(arena, 64, 1);
    for (int i = 0; i < 20; i++) assert_non_null(ttt_arena_allocate(arena, 200, 1));
    size_t before = ttt_memory_allocation_count();
    for (int step = 0; step < 5; step++) {
        ttt_arena_reset(arena);
        assert_ptr_equal(ttt_arena_allocate(arena, 64, 1), first);
        for (int i = 0; i < 20; i++) assert_non_null(ttt_arena_allocate(arena, 200, 1));
    }
    assert_int_equal(ttt_memory_allocation_count(), before);
    ttt_arena_free(arena);
}

static void arena__refuses_overflow_and_reports_out_of_memory(void **state) {
    (void)state;
    ttt_error err = {0};
    ttt_arena *arena = NULL;
    for (size_t n = 1; n <= 2; n++) {
        ttt_memory_fail_at(n);
        ASSERT_FAILS(ttt_arena_new(&arena, 256, &err), TTT_ERROR_MEMORY, "256 bytes");
        assert_null(arena);
    }
    ASSERT_OK(ttt_arena_new(&arena, 256, &err));
    assert_null(ttt_arena_allocate(arena, SIZE_MAX / 2, 3));
    assert_null(ttt_arena_allocate(arena, SIZE_MAX - 100, 1));
    ttt_memory_fail_at(1);
    assert_null(ttt_arena_allocate(arena, 1024, 1));
    assert_non_null(ttt_arena_allocate(arena, 1024, 1)); /* and goes on afterwards */
    assert_string_equal(ttt_arena_string(arena, "task"), "task");
    ttt_arena_free(arena);
}

static void vector__grows_and_survives_a_failure(void **state) {
    (void)state;
    ttt_error err = {0};
    struct {
        int *items;
        size_t count, capacity;
    } v = {0};
    for (int i = 0; i < 1000; i++) ASSERT_OK(TTT_PUSH(&v, i, &err));
    assert_int_equal(v.count, 1000);
    ASSERT_OK(TTT_RESERVE(&v, 5000, &err));
    assert_true(v.capacity >= 5000);
    size_t capacity = v.capacity;
    for (int i = 1000; v.count < capacity; i++) ASSERT_OK(TTT_PUSH(&v, i, &err));
    ttt_memory_fail_at(1);
    ASSERT_FAILS(TTT_PUSH(&v, 7, &err), TTT_ERROR_MEMORY, "out of memory");
    assert_int_equal(v.count, capacity);
    ASSERT_FAILS(TTT_RESERVE(&v, SIZE_MAX / 2, &err), TTT_ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < v.count; i++) assert_int_equal(v.items[i], i);
    ttt_free(v.items);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_multiply__refuses_overflow),
        cmocka_unit_test(allocate__is_zeroed_and_aligned),
        cmocka_unit_test(allocate__of_nothing_is_a_valid_pointer),
        cmocka_unit_test(allocate__refuses_sizes_that_overflow),
        cmocka_unit_test(reallocate__keeps_old_and_zeroes_new),
        cmocka_unit_test(fail_at__fails_that_allocation_only),
        cmocka_unit_test(allocation_count__counts_what_allocates),
        cmocka_unit_test(arena__hands_out_separate_zeroed_aligned_memory),
        cmocka_unit_test(arena_reset__keeps_the_memory_for_the_next_step),
        cmocka_unit_test(arena__refuses_overflow_and_reports_out_of_memory),
        cmocka_unit_test(vector__grows_and_survives_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
