/* A proposer: a language model writes programs for a task, the cage runs them, those that fit the demonstrations vote.
 *
 * The model is asked over the OpenAI chat interface, or decoded here. Samples are asked for and run as they come, until
 * enough programs agree, or the samples or the time are used up. Settings: proposer.*. */
#ifndef TTT_SOLVE_PROPOSER_H
#define TTT_SOLVE_PROPOSER_H

#include "solve/proposal.h"
#include "solve/solve_settings.h"

typedef struct ttt_proposer_options {
    /* "http://HOST/v1" or "https://...": a server, its key from the environment (OPENAI_API_KEY). Anything else: a
     * model folder with a tokenizer, or a GGUF file. */
    const char *source;
    const ttt_solve_settings *settings; /* borrowed as long as the proposer lives */
    const char *device;                 /* of a local model; NULL: cpu */
    int threads;                        /* of a local model; 0: one per core */
    uint64_t seed;
} ttt_proposer_options;

typedef struct ttt_proposer ttt_proposer;
/* Loads a local model; of a server only the address is looked at. */
ttt_status ttt_proposer_new(const ttt_proposer_options *options, ttt_proposer **proposer, ttt_error *err);
void ttt_proposer_free(ttt_proposer *proposer); /* NULL is fine */

/* Fills *proposal (a zero one; release it in any case) within `seconds` (0: no limit).
 * What the source does wrong is an error only when no answer came at all, be it that the time was too short; otherwise
 * the proposal has what came and names the problem. TTT_ERROR_CANCELLED: the stop flag was raised. After any error the
 * proposal is whole as far as it got. */
ttt_status ttt_proposer_run(ttt_proposer *proposer, const ttt_task *task, ttt_cage *cage, double seconds,
                            const ttt_stop_flag *stop, ttt_proposal *proposal, ttt_error *err);

#endif
