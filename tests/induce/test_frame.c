/* Frames: other ways to look at a grid. */
#include "arc/grids.h"

#include "base/random.h"
#include "induce/frame.h"

static void assert_enters(ttt_frame frame, const char *input, const char *entered) {
    const ttt_grid grid = grid_of(input);
    ttt_frame_map map;
    ttt_grid out, back;
    ttt_frame_of_input(frame, &grid, &map);
    ttt_frame_enter(&map, &grid, &out);
    ASSERT_GRID(&out, entered);
    ttt_frame_leave(&map, &out, &back);
    ASSERT_GRID(&back, input);
}

static void frames__show_a_grid_in_their_way(void **state) {
    (void)state;
    assert_enters(TTT_FRAME_PLAIN, "123/456", "123/456");
    assert_enters(TTT_FRAME_TRANSPOSED, "123/456", "14/25/36");
    assert_enters(TTT_FRAME_COLOURS, "7770/2211", "0003/1122");
    assert_enters(TTT_FRAME_BACKGROUND, "7770/2211", "0007/2211");
    assert_enters(TTT_FRAME_BACKGROUND, "0001", "0001");
    assert_enters(TTT_FRAME_COLOURS, "4321", "0123"); /* a tie: as they come */
    assert_enters(TTT_FRAME_BACKGROUND, "43/12", "03/12");
    assert_enters(TTT_FRAME_TRANSPOSED | TTT_FRAME_COLOURS, "12/34", "02/13");
    assert_enters(TTT_FRAME_COLOURS | TTT_FRAME_BACKGROUND, "553", "001");
}

static void colours__that_the_input_lacks_follow_in_their_own_order(void **state) {
    (void)state;
    const ttt_grid grid = grid_of("993");
    const uint8_t from[TTT_COLOURS] = {9, 3, 0, 1, 2, 4, 5, 6, 7, 8};
    ttt_frame_map map;
    ttt_frame_of_input(TTT_FRAME_COLOURS, &grid, &map);
    assert_memory_equal(map.from, from, sizeof from);
}

static void leaving__undoes_entering_for_every_grid(void **state) {
    (void)state;
    ttt_random random = ttt_random_stream(1, "", "frames");
    for (int i = 0; i < 400; i++) {
        ttt_grid grids[2]; /* the input, and another that enters its frame */
        for (int k = 0; k < 2; k++) {
            grids[k] =
                ttt_grid_filled(1 + (int)ttt_random_below(&random, 30), 1 + (int)ttt_random_below(&random, 30), 0);
            for (int c = 0; c < ttt_grid_area(&grids[k]); c++) {
                grids[k].cells[c] = (uint8_t)ttt_random_below(&random, TTT_COLOURS);
            }
        }
        ttt_frame_map map;
        ttt_grid out, back;
        ttt_frame_of_input((ttt_frame)(i % TTT_FRAME_END), &grids[0], &map);
        ttt_frame_enter(&map, &grids[1], &out);
        ttt_frame_leave(&map, &out, &back);
        assert_true(ttt_grid_equal(&back, &grids[1]));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames__show_a_grid_in_their_way),
        cmocka_unit_test(colours__that_the_input_lacks_follow_in_their_own_order),
        cmocka_unit_test(leaving__undoes_entering_for_every_grid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
