#include "cli/finetune_log.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/options.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

static const double line_seconds = 30, drawing_seconds = 0.2, metrics_seconds = 5;

ttt_status ttt_finetune_log_open(ttt_finetune_log *log, const char *folder, double budget_seconds, int64_t budget_steps,
                                 ttt_error *err) {
    *log = (ttt_finetune_log){.budget_seconds = budget_seconds, .budget_steps = budget_steps};
    ttt_terminal_init(&log->terminal);
    char *path = ttt_path_join(folder, "metrics.jsonl");
    if (!path) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the path of the metrics");
    log->metrics = fopen(path, "a");
    ttt_status status = TTT_OK;
    if (!log->metrics) status = ttt_fail(err, TTT_ERROR_IO, "%s: cannot be written: %s", path, strerror(errno));
    ttt_free(path);
    return status;
}

void ttt_finetune_log_close(ttt_finetune_log *log) {
    if (log->metrics) fclose(log->metrics);
    ttt_terminal_clear(&log->terminal);
    log->metrics = NULL;
}

void ttt_finetune_log_say(ttt_finetune_log *log, const char *format, ...) {
    va_list arguments;
    ttt_terminal_clear(&log->terminal);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

/* One JSON line; the metrics are a convenience, so a full disk does not end the training. */
static void write_metrics(ttt_finetune_log *log, json_t *line) {
    char *text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(9));
    if (text && log->metrics) {
        fprintf(log->metrics, "%s\n", text);
        fflush(log->metrics);
    }
    free(text);
    json_decref(line);
}

static void follow(ttt_finetune_log *log, const ttt_train_report *report) {
    const double share = log->rate_seconds == 0 ? 1 : 1 / fmin((double)report->state->steps, 30);
    log->loss += share * (report->loss - log->loss);
    log->rate_tokens += share * ((double)report->tokens - log->rate_tokens);
    log->rate_operations += share * (report->operations - log->rate_operations);
    log->rate_seconds += share * (report->seconds - log->rate_seconds);
}

static double seconds_left(const ttt_finetune_log *log, const ttt_train_state *state) {
    double left = INFINITY;
    if (log->budget_seconds > 0) left = fmax(0, log->budget_seconds - state->seconds);
    if (log->budget_steps > 0 && state->steps > 0)
        left = fmin(left, (double)(log->budget_steps - state->steps) * state->seconds / (double)state->steps);
    return left;
}

static void draw(ttt_finetune_log *log, const ttt_train_report *report, double now) {
    char text[256], left[TTT_DURATION_TEXT];
    ttt_duration_format(seconds_left(log, report->state), left);
    int length =
        snprintf(text, sizeof text,
                 "step %" PRId64 "  loss %.4f  rate %.2e  %.1fk tokens/s  %.2f TFLOP/s  %.1fM tokens  %s left",
                 report->state->steps, log->loss, report->learning_rate, log->rate_tokens / log->rate_seconds / 1e3,
                 log->rate_operations / log->rate_seconds / 1e12, (double)report->state->tokens / 1e6, left);
    log->last_line = now;
    if (!log->terminal.bar) {
        fprintf(stderr, "%s\n", text);
        return;
    }
    if (length >= log->terminal.columns) length = log->terminal.columns - 1;
    fprintf(stderr, "\r%.*s%*s", length, text, log->terminal.columns - 1 - length, "");
    fflush(stderr);
    log->terminal.drawn = true;
}

void ttt_finetune_log_step(ttt_finetune_log *log, const ttt_train_report *report) {
    const double now = ttt_clock_seconds();
    const ttt_train_state *state = report->state;
    follow(log, report);
    if (now - log->last_line >= (log->terminal.bar ? drawing_seconds : line_seconds)) draw(log, report, now);
    if (now - log->last_metrics < metrics_seconds) return;
    log->last_metrics = now;
    write_metrics(log, json_pack("{s:I, s:f, s:I, s:I, s:f, s:f, s:f, s:f, s:f}", "step", (json_int_t)state->steps,
                                 "seconds", state->seconds, "examples", (json_int_t)state->examples, "tokens",
                                 (json_int_t)state->tokens, "loss", log->loss, "learning_rate", report->learning_rate,
                                 "gradient_norm", report->gradient_norm, "tokens_per_second",
                                 log->rate_tokens / log->rate_seconds, "teraflops",
                                 log->rate_operations / log->rate_seconds / 1e12));
}

void ttt_finetune_log_held_out(ttt_finetune_log *log, const ttt_train_state *state, const ttt_held_out_result *result) {
    ttt_finetune_log_say(log,
                         "held out after %" PRId64
                         " steps, %.1fM tokens: loss %.4f, sure tokens %.2f %%, exact %" PRId64 " of %" PRId64,
                         state->steps, (double)state->tokens / 1e6, result->loss,
                         100.0 * (double)result->sure / (double)(result->tokens > 0 ? result->tokens : 1),
                         result->exact, result->questions);
    write_metrics(log,
                  json_pack("{s:I, s:f, s:I, s:{s:f, s:I, s:I, s:I, s:I}}", "step", (json_int_t)state->steps, "seconds",
                            state->seconds, "tokens", (json_int_t)state->tokens, "held_out", "loss", result->loss,
                            "questions", (json_int_t)result->questions, "exact", (json_int_t)result->exact, "tokens",
                            (json_int_t)result->tokens, "sure", (json_int_t)result->sure));
}
