/* What `ttt finetune` says while it trains: a line on a terminal, plain lines in a pipe, JSON lines in a file. */
#ifndef TTT_CLI_FINETUNE_LOG_H
#define TTT_CLI_FINETUNE_LOG_H

#include "cli/terminal.h"
#include "train/loop.h"

#include <stdio.h>

/* Of the held-out questions. A token is sure when it has more than half of the probability, so that greedy decoding
 * takes it; an answer is exact when all its tokens are sure, which makes greedy decoding right (and costs one pass in
 * place of a decoding). */
typedef struct ttt_held_out_result {
    double loss; /* mean over the tokens of the answers, nats */
    int64_t questions, exact, tokens, sure;
} ttt_held_out_result;

typedef struct ttt_finetune_log {
    ttt_terminal terminal;
    FILE *metrics;
    double budget_seconds;                             /* 0: none */
    int64_t budget_steps;                              /* 0: none */
    double loss;                                       /* running mean, over about the last thirty steps */
    double rate_tokens, rate_operations, rate_seconds; /* the same for the speed */
    double last_line, last_metrics;                    /* ttt_clock_seconds */
} ttt_finetune_log;

/* Appends to <folder>/metrics.jsonl. */
ttt_status ttt_finetune_log_open(ttt_finetune_log *log, const char *folder, double budget_seconds, int64_t budget_steps,
                                 ttt_error *err);
void ttt_finetune_log_close(ttt_finetune_log *log);
void ttt_finetune_log_step(ttt_finetune_log *log, const ttt_train_report *report);
void ttt_finetune_log_held_out(ttt_finetune_log *log, const ttt_train_state *state, const ttt_held_out_result *result);
/* A sentence for people. */
void ttt_finetune_log_say(ttt_finetune_log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
