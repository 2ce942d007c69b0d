/* Learning rates: a linear warm-up, then half a cosine. */
#ifndef TTT_TRAIN_SCHEDULE_H
#define TTT_TRAIN_SCHEDULE_H

#include <stdint.h>

/* Lengths in whatever the caller counts: optimizer steps, or seconds of a time budget. */
typedef struct ttt_schedule {
    double warmup; /* the multiplier goes from `start` at 0 straight to 1 at `warmup`, */
    double total;  /* then along half a cosine to `end` at `total` (and stays there) */
    double start, end;
} ttt_schedule;

/* The reference's: from zero, so that its first step changes nothing; one multiplier per step 0, 1, ... */
ttt_schedule ttt_schedule_reference(int64_t warmup_steps, int64_t total_steps);
/* Ours: step 0 takes 1/(warmup + 1), no step is wasted, and the cosine ends after the last step, not on it. */
ttt_schedule ttt_schedule_ours(int64_t warmup_steps, int64_t total_steps);

/* The factor on the learning rate when `done` steps or seconds lie behind. */
double ttt_schedule_multiplier(const ttt_schedule *schedule, double done);

#endif
