/* The engine's speeds with one model: what `ttt bench` measures and prints. */
#ifndef TTT_CLI_BENCH_FIGURES_H
#define TTT_CLI_BENCH_FIGURES_H

#include "base/clock.h"
#include "base/progress.h"
#include "model/session.h"

typedef enum ttt_figure_kind {
    TTT_FIGURE_TRAIN_ADAPTER, /* a training step: forward, backward, optimizer; adapters on a frozen model */
    TTT_FIGURE_TRAIN_FULL,    /* the same of all weights */
    TTT_FIGURE_READ,          /* a prompt into the key/value cache */
    TTT_FIGURE_WRITE_ONE,     /* one answer behind a prompt, token by token */
    TTT_FIGURE_WRITE_MANY,    /* many side by side */
    TTT_FIGURE_COUNT
} ttt_figure_kind;

typedef struct ttt_figure {
    bool measured;
    double tokens_per_second; /* medians of several */
    double operations_per_second;
    double bytes_per_second; /* of weights, keys and values; of the last two kinds only */
} ttt_figure;

typedef struct ttt_bench_work {
    int32_t tokens;      /* of a sequence or prompt */
    int32_t rank;        /* of adapters, which sit on all linear maps of the layers */
    int32_t answers;     /* side by side */
    uint32_t wanted;     /* bits of ttt_figure_kind; all weights of a large model are not trained in any case */
    double weight_bytes; /* that a token of an answer reads */
    double seconds;      /* to measure each figure for, about */
} ttt_bench_work;

/* Prompt and answers must fit the model's context. `progress` hears of every figure. */
ttt_status ttt_bench_measure(ttt_model *model, const ttt_bench_work *work, const ttt_stop_flag *stop,
                             const ttt_progress *progress, ttt_figure figures[TTT_FIGURE_COUNT], ttt_error *err);

/* Tokens that an answer is measured with. */
enum { TTT_BENCH_ANSWER = 32 };

#endif
