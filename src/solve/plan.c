/* Steps come first: they get their share of the time (time.train), as many as fit, at most the task's epochs. What
 * training leaves goes to views, with a share for re-scoring. If that makes too few of either, the plan goes down a
 * ladder: half the demonstrations, half of those, ..., one; then the same without training; then a single view; then
 * nothing. Fixed numbers (ttt.steps, views.count) are taken as they are, as far as the time goes. */
#include "solve/plan.h"

#include <math.h>

const char *ttt_rung_name(ttt_rung rung) {
    static const char *const names[TTT_RUNG_COUNT] = {"full", "fewer demonstrations", "no training", "one view",
                                                      "fallback"};
    return names[rung];
}

/* Amount over speed, where speed 0 is "not measured". */
static double seconds_of(double amount, double speed) {
    return speed > 0 ? amount / speed : 0;
}

double ttt_plan_view_seconds(const ttt_work *work, const ttt_speed *speed, double views) {
    double all = views * (double)work->tests;
    return all *
           (seconds_of(work->prompt_operations, speed->reading) + seconds_of(work->answer_tokens, speed->writing));
}

void ttt_speed_learn(double *speed, double amount, double seconds) {
    if (amount <= 0 || seconds <= 0) return;
    double measured = amount / seconds;
    *speed = *speed > 0 ? 0.5 * *speed + 0.5 * measured : measured;
}

/* How many of `wanted` fit into `seconds` at `each` seconds apiece. */
static int64_t fitting(double seconds, double each, int64_t wanted) {
    if (each <= 0 || seconds / each >= (double)wanted) return wanted;
    return seconds <= 0 ? 0 : (int64_t)(seconds / each);
}

/* The plan on one rung; false when it leaves too little of something. */
static bool fits_rung(const ttt_solve_settings *settings, const ttt_work *work, double seconds, bool training,
                      size_t least_views, ttt_plan *plan) {
    bool timed = seconds > 0;
    double each_step = seconds_of(work->step_operations, plan->speed.training);
    double each_view = ttt_plan_view_seconds(work, &plan->speed, 1);
    plan->demonstrations = work->demonstrations;
    plan->steps = !training ? 0 : settings->ttt_steps > 0 && work->steps > 0 ? settings->ttt_steps : work->steps;
    plan->most_steps = plan->steps;
    if (timed) plan->steps = fitting(settings->time_train * seconds, each_step, plan->steps);
    if (training && plan->steps < settings->ttt_min_steps && plan->steps < work->steps &&
        (settings->ttt_steps == 0 || plan->steps < settings->ttt_steps)) {
        return false;
    }
    plan->train_seconds = (double)plan->steps * each_step;

    bool rescored = settings->vote_method == TTT_VOTE_RESCORE;
    double rest = timed ? seconds - plan->train_seconds : 0;
    int64_t wanted = settings->views_count > 0 ? settings->views_count : settings->views_max;
    int64_t views = timed ? fitting(rest * (rescored ? 1 - settings->time_score : 1), each_view, wanted) : wanted;
    plan->views = (size_t)views;
    plan->view_seconds = (double)views * each_view;
    plan->score_seconds = timed && rescored ? rest - plan->view_seconds : 0;
    if (plan->score_seconds > settings->time_score * rest) plan->score_seconds = settings->time_score * rest;
    return work->tests > 0 && (plan->views >= least_views || views == wanted);
}

ttt_status ttt_plan_make(const ttt_solve_settings *settings, const ttt_speed *speed, double seconds, bool training,
                         size_t demonstrations, ttt_work_function *work, void *context, ttt_plan *plan,
                         ttt_error *err) {
    enum { LEAST_VIEWS = 2 };
    ttt_work full = {0}, less = {0};
    *plan = (ttt_plan){.budget = seconds > 0 ? seconds : 0, .speed = *speed};
    TTT_TRY(work(context, demonstrations, &full, err));
    bool trainable = training && full.steps > 0;
    if (fits_rung(settings, &full, seconds, trainable, LEAST_VIEWS, plan)) {
        plan->rung = training && !trainable ? TTT_RUNG_NO_TRAINING : TTT_RUNG_FULL;
        return TTT_OK;
    }
    for (size_t count = demonstrations / 2; trainable && count > 0; count /= 2) {
        TTT_TRY(work(context, count, &less, err));
        plan->rung = TTT_RUNG_FEWER_DEMONSTRATIONS;
        if (less.steps > 0 && fits_rung(settings, &less, seconds, true, LEAST_VIEWS, plan)) return TTT_OK;
    }
    plan->rung = TTT_RUNG_NO_TRAINING;
    if (training && fits_rung(settings, &full, seconds, false, LEAST_VIEWS, plan)) return TTT_OK;
    plan->rung = TTT_RUNG_ONE_VIEW;
    for (size_t count = demonstrations; count > 0; count /= 2) {
        TTT_TRY(work(context, count, &less, err));
        if (fits_rung(settings, &less, seconds, false, 1, plan) && plan->views >= 1) {
            plan->views = 1;
            plan->view_seconds = ttt_plan_view_seconds(&less, speed, 1);
            plan->score_seconds = 0;
            return TTT_OK;
        }
    }
    *plan = (ttt_plan){.rung = TTT_RUNG_FALLBACK, .budget = plan->budget, .speed = *speed};
    return TTT_OK;
}
