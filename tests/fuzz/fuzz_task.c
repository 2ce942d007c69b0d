/* Fuzzing of what reads tasks and example pairs (scripts/fuzz). The first byte chooses the reader. Whatever is accepted
 * must keep the rules; the quick scanner of pairs must never accept what the parser refuses, nor read it in another
 * way.
 */
#include "arc/pairs_scan.h"
#include "arc/task_read.h"
#include "base/memory.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void require(bool condition) {
    if (!condition) abort();
}

static void require_legal(const ttt_grid *grid) {
    require(grid->height >= 1 && grid->height <= TTT_GRID_MAX && grid->width >= 1 && grid->width <= TTT_GRID_MAX);
    for (int i = 0; i < ttt_grid_area(grid); i++) require(grid->cells[i] < TTT_COLOURS);
}

static void fuzz_task(const char *text, size_t bytes) {
    json_t *root;
    ttt_error err;
    ttt_task task;
    if (ttt_json_parse("fuzz", text, bytes, &root, &err) != TTT_OK) return;
    if (ttt_task_from_json(root, "fuzz", &task, &err) == TTT_OK) {
        require(task.demonstration_count >= 1 && task.test_count >= 1);
        for (size_t i = 0; i < task.demonstration_count; i++) {
            require_legal(&task.demonstrations[i].input);
            require_legal(&task.demonstrations[i].output);
        }
        for (size_t i = 0; i < task.test_count; i++) {
            require_legal(&task.tests[i].input);
            if (task.tests[i].known) require_legal(&task.tests[i].output);
        }
        ttt_task_release(&task);
    }
    json_decref(root);
}

static void fuzz_pairs(const char *text, size_t bytes) {
    ttt_pair_list pairs = {0};
    bool understood;
    ttt_error err;
    require(ttt_pairs_scan(text, bytes, &pairs, &understood, &err) == TTT_OK);
    if (understood) {
        json_t *root;
        require(ttt_json_parse("fuzz", text, bytes, &root, &err) == TTT_OK);
        require(json_array_size(root) == pairs.count && pairs.count > 0);
        for (size_t i = 0; i < pairs.count; i++) {
            ttt_pair pair;
            require(ttt_pair_from_json(json_array_get(root, i), "example", i, &pair, &err) == TTT_OK);
            require(ttt_pair_equal(&pair, &pairs.items[i]));
        }
        json_decref(root);
    }
    ttt_free(pairs.items);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes == 0) return 0;
    const char *text = (const char *)data + 1;
    if (data[0] & 1)
        fuzz_task(text, bytes - 1);
    else
        fuzz_pairs(text, bytes - 1);
    return 0;
}
