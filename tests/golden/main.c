/* golden DIR: checks the vectors in DIR and prints, per file, how many cases passed, failed and were skipped. Exit
 * status 0 when all passed, 1 when some failed (or could not be read), 2 for wrong usage, 77 when there are no vectors
 * at DIR (which ctest counts as skipped). */
#include "golden.h"

#include "base/file.h"
#include "base/memory.h"

#include <stdio.h>

typedef struct golden_entry {
    const char *file;
    void (*check)(golden *g, const json_t *root);
} golden_entry;

static const golden_entry entries[] = {
    {"augmenters.json", golden_augmenters},
    {"leave_n.json", golden_leave_n},
    {"selection.json", golden_selection},
    {"voting.json", golden_voting},
    {"inference_queries.json", golden_inference_queries},
    {"eval.json", golden_eval},
    {"lr_schedule.json", golden_lr_schedule},
    {"formats.json", golden_formats},
    {"decode.json", golden_decode},
};
enum { ENTRIES = sizeof entries / sizeof *entries };

/* 0 passed, 1 failed. */
static int check_file(const golden_entry *entry, const char *path) {
    golden g = {.file = entry->file};
    ttt_error err;
    json_t *root;
    if (ttt_json_read(path, &root, &err) != TTT_OK) {
        printf("%-24s FAILED to read: %s\n", entry->file, err.message);
        return 1;
    }
    entry->check(&g, root);
    json_decref(root);
    /* A file without a single case proves nothing. */
    const bool failed = g.failed > 0 || g.passed == 0;
    printf("%-24s %5zu passed %5zu failed", entry->file, g.passed, g.failed);
    if (g.skipped > 0) printf(" %5zu %s", g.skipped, g.skip_reason);
    printf("%s\n", failed ? "  FAILED" : "");
    return failed;
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: golden DIR   (a folder with augmenters.json, leave_n.json, ...)\n");
        return 2;
    }
    int failed = 0, found = 0;
    for (int i = 0; i < ENTRIES; i++) {
        char *path = ttt_path_join(arguments[1], entries[i].file);
        if (!path) return 1;
        if (ttt_file_exists(path)) {
            found++;
            failed |= check_file(&entries[i], path);
        } else
            printf("%-24s absent\n", entries[i].file);
        ttt_free(path);
    }
    if (found == 0) {
        printf("skip: there are no golden vectors in %s\n", arguments[1]);
        return 77;
    }
    return failed;
}
