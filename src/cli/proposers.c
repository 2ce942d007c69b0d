#include "cli/proposers.h"

#include "base/file.h"
#include "base/memory.h"

ttt_status ttt_opened_proposer_open(ttt_opened_proposer *opened, const ttt_proposer_options *options,
                                    const char *prelude, ttt_error *err) {
    enum { LARGEST_PRELUDE = 16 << 20 };
    ttt_status status = TTT_OK;
    size_t bytes;
    *opened = (ttt_opened_proposer){0};
    if (prelude != NULL) TTT_TRY_OUT(ttt_file_read(prelude, LARGEST_PRELUDE, &opened->prelude, &bytes, err));
    /* The server of the cage is forked before the threads of a model exist. */
    const ttt_cage_options cage = {.prelude = opened->prelude, .workers = options->threads};
    TTT_TRY_OUT(ttt_cage_new(&cage, &opened->cage, err));
    if (options->source != NULL) status = ttt_proposer_new(options, &opened->proposer, err);
out:
    if (status != TTT_OK) ttt_opened_proposer_release(opened);
    return status;
}

void ttt_opened_proposer_release(ttt_opened_proposer *opened) {
    ttt_proposer_free(opened->proposer);
    ttt_cage_free(opened->cage);
    ttt_free(opened->prelude);
    *opened = (ttt_opened_proposer){0};
}
