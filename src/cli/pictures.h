/* A task as rows of panels: its pairs, then every test input with its output and what was answered. */
#ifndef TTT_CLI_PICTURES_H
#define TTT_CLI_PICTURES_H

#include "arc/picture.h"
#include "arc/submission.h"

/* Rows of panels, that point into the tasks and submissions they came from; release with ttt_gallery_release. */
typedef struct ttt_gallery {
    struct {
        ttt_panel *items;
        size_t count, capacity;
    } panels;
    struct {
        size_t *items;
        size_t count, capacity;
    } rows; /* where each row of panels begins */
} ttt_gallery;
void ttt_gallery_release(ttt_gallery *gallery);

/* The demonstrations of a task, a row each. */
ttt_status ttt_gallery_add_demonstrations(ttt_gallery *gallery, const ttt_task *task, ttt_error *err);
/* A row per test input: input, output (a question mark when not known; left out when not known and answered), attempts.
 * `entry` may be NULL or short: no attempts. */
ttt_status ttt_gallery_add_tests(ttt_gallery *gallery, const ttt_task *task, const ttt_submission_entry *entry,
                                 ttt_error *err);
/* A row of panels of the caller's own. */
ttt_status ttt_gallery_add_row(ttt_gallery *gallery, const ttt_panel *panels, size_t count, ttt_error *err);
/* All rows to stdout. */
ttt_status ttt_gallery_print(const ttt_gallery *gallery, ttt_picture_style style, ttt_error *err);

/* The option --style, a row of cli/options.h for a string at `place`, and what a value of it chooses: "auto" is colour
 * on a terminal, unless NO_COLOR is set. */
#define TTT_OPTION_ROW_STYLE(place)                                                                                    \
    {                                                                                                                  \
        .name = "style", .kind = TTT_OPTION_CHOICE, .offset = (place), .argument = "STYLE", .fallback = "auto",        \
        .choices = "auto|colour|plain",                                                                                \
        .help = "of the pictures: colour, plain (digits), or auto: colour on a terminal"                               \
    }
ttt_picture_style ttt_picture_style_choose(const char *choice);

#endif
