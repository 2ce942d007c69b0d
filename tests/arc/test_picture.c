/* Pictures: exact text, and PNG files read back pixel by pixel. */
#include "grids.h"

#include "arc/picture.h"
#include "base/file.h"
#include "base/memory.h"

#include <png.h>

static void plain_text__stands_side_by_side_without_blanks_at_line_ends(void **state) {
    (void)state;
    const ttt_grid input = grid_of("12/34/56"), output = grid_of("7");
    const ttt_panel panels[] = {
        {.grid = &input, .title = "in"}, {.grid = &output, .title = "output", .arrow = true}, {.grid = NULL}};
    char *text;
    ttt_error err;
    ASSERT_OK(ttt_picture_text(panels, 3, TTT_PICTURE_PLAIN, &text, &err));
    assert_string_equal(text, "in      output\n"
                              "1 2  -> 7       ?\n"
                              "3 4\n"
                              "5 6\n");
    ttt_free(text);
    ASSERT_OK(ttt_picture_text(panels, 1, TTT_PICTURE_PLAIN, &text, &err));
    assert_string_equal(text, "in\n1 2\n3 4\n5 6\n");
    ttt_free(text);
}

static void coloured_text__changes_colour_only_where_the_grid_does(void **state) {
    (void)state;
    const ttt_grid grid = grid_of("112");
    const ttt_panel panel = {.grid = &grid};
    char *text;
    ttt_error err;
    ASSERT_OK(ttt_picture_text(&panel, 1, TTT_PICTURE_COLOUR, &text, &err));
    assert_string_equal(text, "\033[48;2;0;116;217m    \033[48;2;255;65;54m  \033[0m\n");
    ttt_free(text);
}

static void plain_text__asks_for_what_is_not_known_below_its_title(void **state) {
    (void)state;
    const ttt_grid input = grid_of("34"), answer = grid_of("43");
    const ttt_panel panels[] = {{.grid = &input, .title = "test"},
                                {.grid = NULL, .title = "output", .arrow = true},
                                {.grid = &answer, .title = "answer"}};
    char *text;
    ttt_error err;
    ASSERT_OK(ttt_picture_text(panels, 3, TTT_PICTURE_PLAIN, &text, &err));
    assert_string_equal(text, "test    output  answer\n"
                              "3 4  -> ?       4 3\n");
    ttt_free(text);
}

/* Reads a PNG back as RGB; release with ttt_free. */
static uint8_t *read_png(const char *path, int *width, int *height) {
    png_image image = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_file(&image, path)) fail_msg("%s: %s", path, image.message);
    image.format = PNG_FORMAT_RGB;
    uint8_t *pixels = ttt_allocate(PNG_IMAGE_SIZE(image), 1);
    if (!png_image_finish_read(&image, NULL, pixels, 0, NULL)) fail_msg("%s: %s", path, image.message);
    *width = (int)image.width;
    *height = (int)image.height;
    return pixels;
}

static void png__has_every_cell_in_its_colour_and_place(void **state) {
    (void)state;
    const support_path folder = support_temporary_folder(), path = support_join(folder.text, "grid.png");
    const ttt_grid grid = grid_of("01234/56789");
    const ttt_panel panel = {.grid = &grid};
    const size_t start = 0;
    const int cell = 4;
    int width, height;
    ttt_error err;
    ASSERT_OK(ttt_picture_png(path.text, &panel, 1, &start, 1, cell, &err));
    uint8_t *pixels = read_png(path.text, &width, &height);
    assert_int_equal(width, 5 * cell + 6 + 2 * cell); /* cells, lines, margins */
    assert_int_equal(height, 2 * cell + 3 + 2 * cell);
    for (int r = 0; r < 2; r++)
        for (int c = 0; c < 5; c++)
            for (int corner = 0; corner < 4; corner++) {
                const int y = cell + 1 + r * (cell + 1) + (corner / 2) * (cell - 1);
                const int x = cell + 1 + c * (cell + 1) + (corner % 2) * (cell - 1);
                assert_memory_equal(pixels + 3 * (y * width + x), ttt_palette[ttt_grid_at(&grid, r, c)], 3);
            }
    ttt_free(pixels);
    support_remove_folder(folder.text);
}

static void png__of_several_rows_is_drawn_at_every_cell_size(void **state) {
    (void)state;
    const support_path folder = support_temporary_folder(), path = support_join(folder.text, "rows.png");
    const ttt_grid input = grid_of("12"), output = grid_of("21");
    const ttt_panel panels[] = {{.grid = &input}, {.grid = &output, .arrow = true}, {.grid = &input}, {.arrow = true}};
    const size_t starts[] = {0, 2};
    ttt_error err;
    int width, height, last = 0;
    for (int cell = 2; cell <= 64; cell += 31) {
        ASSERT_OK(ttt_picture_png(path.text, panels, 4, starts, 2, cell, &err));
        ttt_free(read_png(path.text, &width, &height));
        assert_true(width > last);
        last = width;
    }
    ASSERT_FAILS(ttt_picture_png(path.text, panels, 4, starts, 2, 1, &err), TTT_ERROR_ARGUMENT, "cells of 1 pixels");
    ASSERT_FAILS(ttt_picture_png(support_join(folder.text, "none/x.png").text, panels, 4, starts, 2, 8, &err),
                 TTT_ERROR_IO, "none/x.png");
    support_remove_folder(folder.text);
}

static void every_failing_allocation__is_reported_and_nothing_leaks(void **state) {
    (void)state;
    const support_path folder = support_temporary_folder(), path = support_join(folder.text, "rows.png");
    const ttt_grid grid = grid_of("34");
    const ttt_panel panels[] = {{.grid = &grid, .title = "test"}, {.title = "output", .arrow = true}};
    const size_t start = 0;
    ttt_status status;
    size_t n = 0;
    do {
        char *text = NULL;
        ttt_error err = {0};
        ttt_memory_fail_at(++n);
        status = ttt_picture_text(panels, 2, TTT_PICTURE_COLOUR, &text, &err);
        if (status == TTT_OK) status = ttt_picture_png(path.text, panels, 2, &start, 1, 8, &err);
        ttt_memory_fail_at(0);
        if (status != TTT_OK) assert_int_equal(status, TTT_ERROR_MEMORY);
        ttt_free(text);
    } while (status != TTT_OK);
    assert_true(n > 4);
    support_remove_folder(folder.text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text__stands_side_by_side_without_blanks_at_line_ends),
        cmocka_unit_test(coloured_text__changes_colour_only_where_the_grid_does),
        cmocka_unit_test(plain_text__asks_for_what_is_not_known_below_its_title),
        cmocka_unit_test(png__has_every_cell_in_its_colour_and_place),
        cmocka_unit_test(png__of_several_rows_is_drawn_at_every_cell_size),
        cmocka_unit_test(every_failing_allocation__is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
