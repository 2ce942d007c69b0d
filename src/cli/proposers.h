/* Who writes Python programs, and the cage they run in, as commands get them. */
#ifndef TTT_CLI_PROPOSERS_H
#define TTT_CLI_PROPOSERS_H

#include "solve/proposer.h"

typedef struct ttt_opened_proposer {
    char *prelude;
    ttt_cage *cage;
    ttt_proposer *proposer; /* NULL: the cage alone */
} ttt_opened_proposer;

/* The cage, with the helper module of the file `prelude` (NULL: none), and the proposer, unless options->source is
 * NULL. On failure *opened is as released. */
ttt_status ttt_opened_proposer_open(ttt_opened_proposer *opened, const ttt_proposer_options *options,
                                    const char *prelude, ttt_error *err);
void ttt_opened_proposer_release(ttt_opened_proposer *opened);

#endif
