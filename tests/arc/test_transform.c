/* Transforms, symmetries, colour maps. */
#include "grids.h"

#include "arc/transform.h"

static ttt_transform named(const char *name) {
    ttt_transform transform;
    if (!ttt_transform_from_name(name, &transform)) fail_msg("no transform \"%s\"", name);
    return transform;
}

static void assert_makes(const char *name, const char *from, const char *to) {
    const ttt_transform transform = named(name);
    ttt_grid grid = grid_of(from);
    assert_true(ttt_transform_apply(&transform, &grid, &grid)); /* in place is allowed */
    ASSERT_GRID(&grid, to);
}

static void apply__does_what_the_name_says(void **state) {
    (void)state;
    assert_makes("Rotate(90)", "12/34", "24/13");
    assert_makes("Flip(0)", "12/34", "34/12");
    assert_makes("Transpose()", "12/34", "13/24");
    assert_makes("Reflect(0, reverse=False)", "12/34", "12/34/34/12");
    assert_makes("Reflect(0, reverse=True)", "12/34", "34/12/12/34");
    assert_makes("Reflect(1, reverse=False)", "12", "1221");
    assert_makes("Reflect(1, reverse=True)", "12", "2112");
    assert_makes("Repeat(0, 3)", "12", "12/12/12");
    assert_makes("Repeat(1, 2)", "12", "1212");
    assert_makes("Repeat(2, 2)", "12", "1212/1212");
    assert_makes("IncreaseHeight(2)", "12/34", "12/12/34/34");
    assert_makes("IncreaseWidth(2)", "12", "1122");
    assert_makes("IncreaseResolution(2)", "12", "1122/1122");
    assert_makes("Chain([Flip(1), IncreaseResolution(2)])", "12", "2211/2211");
    assert_makes("Concat((IdentityAugmenter(), Rotate(180)), axis=0)", "12", "12/21");
    assert_makes("Concat((IdentityAugmenter(), Rotate(180)), axis=1)", "1/2", "12/21");
    assert_makes("IdentityAugmenter()", "12", "12");
}

static void apply__refuses_a_side_over_thirty(void **state) {
    (void)state;
    const ttt_grid grid = ttt_grid_filled(16, 2, 1);
    ttt_grid out;
    const char *too_large[] = {"Reflect(0, reverse=False)", "Repeat(0, 2)", "IncreaseHeight(2)",
                               "Chain([Rotate(90), IncreaseResolution(2)])"};
    for (size_t i = 0; i < sizeof too_large / sizeof *too_large; i++) {
        const ttt_transform transform = named(too_large[i]);
        assert_false(ttt_transform_apply(&transform, &grid, &out));
    }
    const ttt_transform wide = named("IncreaseWidth(2)");
    assert_true(ttt_transform_apply(&wide, &grid, &out));
}

static void names__go_both_ways_for_the_whole_method(void **state) {
    (void)state;
    for (int m = 0; m < TTT_METHOD_TRANSFORMS; m++) {
        char name[TTT_TRANSFORM_NAME];
        ttt_transform_name(ttt_method_transform(m), name);
        const ttt_transform back = named(name);
        assert_true(ttt_transform_equal(&back, ttt_method_transform(m)));
        for (int k = 0; k < m; k++) assert_false(ttt_transform_equal(&back, ttt_method_transform(k)));
    }
    const char *wrong[] = {
        "",        "Rotate(45)",     "Rotate(90", "Rotate(90) ",
        "Flip(2)", "Chain([Flip(0)", "Chain([])", "Chain([Flip(0), Flip(0), Flip(0), Flip(0), Flip(0)])",
        "flip(0)"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ttt_transform out;
        assert_false(ttt_transform_from_name(wrong[i], &out));
    }
}

static void inverse__undoes_and_exists_only_for_symmetries(void **state) {
    (void)state;
    const ttt_grid grid = grid_of("120/345");
    int inverses = 0;
    for (int m = 0; m < TTT_METHOD_TRANSFORMS; m++) {
        ttt_transform inverse;
        ttt_grid there, back;
        if (!ttt_transform_inverse(ttt_method_transform(m), &inverse)) continue;
        inverses++;
        assert_false(ttt_transform_enlarges(ttt_method_transform(m)));
        assert_true(ttt_transform_apply(ttt_method_transform(m), &grid, &there));
        assert_true(ttt_transform_apply(&inverse, &there, &back));
        assert_true(ttt_grid_equal(&grid, &back));
    }
    assert_int_equal(inverses, 6);
    const ttt_transform chain = named("Chain([Rotate(90), Flip(0), Transpose()])");
    ttt_transform undo;
    ttt_grid there, back;
    assert_true(ttt_transform_inverse(&chain, &undo));
    assert_true(ttt_transform_apply(&chain, &grid, &there) && ttt_transform_apply(&undo, &there, &back));
    assert_true(ttt_grid_equal(&grid, &back));
}

static void symmetries__form_a_group_and_match_their_transforms(void **state) {
    (void)state;
    const ttt_grid grid = grid_of("120/345");
    ttt_grid images[TTT_SYMMETRIES];
    for (ttt_symmetry s = 0; s < TTT_SYMMETRIES; s++) {
        ttt_grid back, named_image;
        ttt_symmetry_apply(s, &grid, &images[s]);
        ttt_symmetry_apply(ttt_symmetry_inverse(s), &images[s], &back);
        assert_true(ttt_grid_equal(&back, &grid));
        assert_true(ttt_transform_apply(ttt_symmetry_transform(s), &grid, &named_image));
        assert_true(ttt_grid_equal(&named_image, &images[s]));
        for (ttt_symmetry k = 0; k < s; k++) assert_false(ttt_grid_equal(&images[s], &images[k]));
    }
    for (ttt_symmetry a = 0; a < TTT_SYMMETRIES; a++)
        for (ttt_symmetry b = 0; b < TTT_SYMMETRIES; b++) {
            ttt_grid both;
            ttt_symmetry_apply(b, &images[a], &both);
            assert_true(ttt_grid_equal(&both, &images[ttt_symmetry_compose(a, b)]));
        }
}

static void colours_random__permutes_and_moves_zero_only_as_often_as_asked(void **state) {
    (void)state;
    ttt_random random = ttt_random_stream(1, "", "test");
    int zero_moved = 0;
    for (int i = 0; i < 2000; i++) {
        ttt_colours colours = ttt_colours_random(&random, i < 1000 ? 0 : 0.5), inverse;
        assert_true(ttt_colours_inverse(&colours, 0x3ff, &inverse)); /* one-to-one on all ten */
        for (int c = 0; c < TTT_COLOURS; c++) assert_int_equal(inverse.map[colours.map[c]], c);
        if (i < 1000) assert_int_equal(colours.map[0], 0);
        zero_moved += colours.map[0] != 0;
    }
    /* 1000 draws at 0.5 * 0.9: 450, standard deviation 16. */
    assert_in_range(zero_moved, 370, 530);
}

static void colours_reference__uses_unused_colours_first(void **state) {
    (void)state;
    ttt_random random = ttt_random_stream(2, "", "test");
    const uint16_t few = 0x0b, many = 0x3fe; /* {0, 1, 3} and {1..9} */
    for (int i = 0; i < 1000; i++) {
        const ttt_colours a = ttt_colours_reference(&random, few), b = ttt_colours_reference(&random, many);
        assert_true(ttt_colours_reference_legal(&a, few));
        assert_true(ttt_colours_reference_legal(&b, many));
        assert_int_equal(a.map[0], 0);
        assert_false(few >> a.map[1] & 1);
        assert_false(few >> a.map[3] & 1);
        for (int c = 0; c < TTT_COLOURS; c++) assert_int_equal(b.map[b.map[c]], c); /* swapped in pairs */
    }
    const ttt_colours identity = ttt_colours_identity();
    assert_false(ttt_colours_reference_legal(&identity, few));
    ttt_colours zero_moves = identity;
    zero_moves.map[0] = 1;
    zero_moves.map[1] = 0;
    assert_false(ttt_colours_reference_legal(&zero_moves, many));
}

static void colours_inverse__refuses_a_map_that_merges_used_colours(void **state) {
    (void)state;
    ttt_colours merging = ttt_colours_identity(), inverse;
    merging.map[4] = 5;
    assert_false(ttt_colours_inverse(&merging, 0x3ff, &inverse));
    assert_true(ttt_colours_inverse(&merging, 0x3ff & ~(1u << 5), &inverse));
    assert_int_equal(inverse.map[5], 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(apply__does_what_the_name_says),
        cmocka_unit_test(apply__refuses_a_side_over_thirty),
        cmocka_unit_test(names__go_both_ways_for_the_whole_method),
        cmocka_unit_test(inverse__undoes_and_exists_only_for_symmetries),
        cmocka_unit_test(symmetries__form_a_group_and_match_their_transforms),
        cmocka_unit_test(colours_random__permutes_and_moves_zero_only_as_often_as_asked),
        cmocka_unit_test(colours_reference__uses_unused_colours_first),
        cmocka_unit_test(colours_inverse__refuses_a_map_that_merges_used_colours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
