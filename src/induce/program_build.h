/* From what the search found to a program that stands alone. */
#ifndef TTT_INDUCE_PROGRAM_BUILD_H
#define TTT_INDUCE_PROGRAM_BUILD_H

#include "induce/finding.h"
#include "induce/pool.h"

/* The finding's layers are entries of the pool here. *program is made anew (release it). A program of more nodes than
 * TTT_NODES_MAX is an error. */
ttt_status ttt_program_build(const ttt_pool *pool, ttt_frame frame, const ttt_finding *finding, ttt_program *program,
                             ttt_error *err);

#endif
