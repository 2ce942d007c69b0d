#include "cli/pictures.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void ttt_gallery_release(ttt_gallery *gallery) {
    ttt_free(gallery->panels.items);
    ttt_free(gallery->rows.items);
    *gallery = (ttt_gallery){0};
}

static ttt_status add(ttt_gallery *gallery, const ttt_grid *grid, const char *title, bool arrow, ttt_error *err) {
    return TTT_PUSH(&gallery->panels, ((ttt_panel){.grid = grid, .title = title, .arrow = arrow}), err);
}

static ttt_status begin_row(ttt_gallery *gallery, ttt_error *err) {
    return TTT_PUSH(&gallery->rows, gallery->panels.count, err);
}

ttt_status ttt_gallery_add_row(ttt_gallery *gallery, const ttt_panel *panels, size_t count, ttt_error *err) {
    TTT_TRY(begin_row(gallery, err));
    for (size_t i = 0; i < count; i++) TTT_TRY(TTT_PUSH(&gallery->panels, panels[i], err));
    return TTT_OK;
}

ttt_status ttt_gallery_add_demonstrations(ttt_gallery *gallery, const ttt_task *task, ttt_error *err) {
    for (size_t i = 0; i < task->demonstration_count; i++) {
        TTT_TRY(begin_row(gallery, err));
        TTT_TRY(add(gallery, &task->demonstrations[i].input, "input", false, err));
        TTT_TRY(add(gallery, &task->demonstrations[i].output, "output", true, err));
    }
    return TTT_OK;
}

ttt_status ttt_gallery_add_tests(ttt_gallery *gallery, const ttt_task *task, const ttt_submission_entry *entry,
                                 ttt_error *err) {
    static const char *const right[] = {"attempt 1 (right)", "attempt 2 (right)", "attempt 3 (right)"};
    static const char *const wrong[] = {"attempt 1 (wrong)", "attempt 2 (wrong)", "attempt 3 (wrong)"};
    static const char *const unknown[] = {"attempt 1", "attempt 2", "attempt 3"};
    for (size_t i = 0; i < task->test_count; i++) {
        const ttt_test *test = &task->tests[i];
        const ttt_attempts *attempts = entry != NULL && i < entry->count ? &entry->outputs[i] : NULL;
        TTT_TRY(begin_row(gallery, err));
        TTT_TRY(add(gallery, &test->input, "test input", false, err));
        if (test->known || attempts == NULL) {
            TTT_TRY(add(gallery, test->known ? &test->output : NULL, "solution", true, err));
        }
        for (size_t a = 0; attempts != NULL && a < attempts->count; a++) {
            bool same = test->known && ttt_grid_equal(&attempts->grids[a], &test->output);
            const char *const *titles = !test->known ? unknown : same ? right : wrong;
            TTT_TRY(add(gallery, &attempts->grids[a], titles[a], a == 0, err));
        }
    }
    return TTT_OK;
}

ttt_status ttt_gallery_print(const ttt_gallery *gallery, ttt_picture_style style, ttt_error *err) {
    for (size_t row = 0; row < gallery->rows.count; row++) {
        size_t first = gallery->rows.items[row];
        size_t end = row + 1 < gallery->rows.count ? gallery->rows.items[row + 1] : gallery->panels.count;
        char *text = NULL;
        TTT_TRY(ttt_picture_text(gallery->panels.items + first, end - first, style, &text, err));
        printf("%s\n", text);
        ttt_free(text);
    }
    return TTT_OK;
}

ttt_picture_style ttt_picture_style_choose(const char *choice) {
    if (strcmp(choice, "colour") == 0) return TTT_PICTURE_COLOUR;
    if (strcmp(choice, "plain") == 0) return TTT_PICTURE_PLAIN;
    return isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL ? TTT_PICTURE_COLOUR : TTT_PICTURE_PLAIN;
}
