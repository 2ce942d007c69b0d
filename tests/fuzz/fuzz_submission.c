/* Fuzzing of the submission reader (scripts/fuzz). What is accepted must be the same after it was written and read
 * again. */
#include "arc/submission.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void require(bool condition) {
    if (!condition) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    json_t *root;
    ttt_error err;
    ttt_submission submission, again;
    if (ttt_json_parse("fuzz", (const char *)data, bytes, &root, &err) != TTT_OK) return 0;
    if (ttt_submission_from_json(&submission, root, &err) == TTT_OK) {
        json_t *written = ttt_submission_to_json(&submission);
        require(written && json_equal(root, written));
        require(ttt_submission_from_json(&again, written, &err) == TTT_OK && again.count == submission.count);
        ttt_submission_release(&again);
        ttt_submission_release(&submission);
        json_decref(written);
    }
    json_decref(root);
    return 0;
}
