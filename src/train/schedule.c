/* Warm-up and cosine, as in the usual cosine_schedule_with_warmup, whose values the reference's golden vectors hold. */
#include "train/schedule.h"

#include <math.h>

ttt_schedule ttt_schedule_reference(int64_t warmup_steps, int64_t total_steps) {
    return (ttt_schedule){.warmup = (double)warmup_steps, .total = (double)total_steps, .start = 0, .end = 0};
}

ttt_schedule ttt_schedule_ours(int64_t warmup_steps, int64_t total_steps) {
    return (ttt_schedule){
        .warmup = (double)warmup_steps, .total = (double)total_steps, .start = 1.0 / (double)(warmup_steps + 1)};
}

double ttt_schedule_multiplier(const ttt_schedule *schedule, double done) {
    if (done < schedule->warmup) return schedule->start + (1 - schedule->start) * (done / schedule->warmup);
    if (done >= schedule->total) return schedule->end;
    const double way = (done - schedule->warmup) / (schedule->total - schedule->warmup);
    return schedule->end + (1 - schedule->end) * 0.5 * (1 + cos(M_PI * way));
}
