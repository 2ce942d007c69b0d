#include "cli/terminal.h"

#include "cli/options.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The one mutable global of the program: a signal handler can reach nothing else. */
static ttt_stop_flag stop_flag;

static void raise_stop(int signal_number) {
    stop_flag = 1;
    signal(signal_number, SIG_DFL);
}

const ttt_stop_flag *ttt_terminal_stop_flag(void) {
    struct sigaction action = {.sa_handler = raise_stop};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return &stop_flag;
}

void ttt_terminal_init(ttt_terminal *terminal) {
    const char *kind = getenv("TERM");
    struct winsize size;
    *terminal = (ttt_terminal){.columns = 80};
    terminal->bar = isatty(STDERR_FILENO) && kind != NULL && strcmp(kind, "dumb") != 0;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20) terminal->columns = size.ws_col;
}

void ttt_terminal_clear(ttt_terminal *terminal) {
    if (!terminal->drawn) return;
    fprintf(stderr, "\r%*s\r", terminal->columns - 1, "");
    fflush(stderr);
    terminal->drawn = false;
}

static void draw(ttt_terminal *terminal, const ttt_progress_event *event, double now) {
    char line[512], left[TTT_DURATION_TEXT] = "", bar[25];
    int length;
    if (event->total > 0) {
        double share = (double)event->done / (double)event->total;
        int full = (int)(share * (double)(sizeof bar - 1));
        for (int i = 0; i < (int)sizeof bar - 1; i++) bar[i] = i < full ? '#' : '.';
        bar[sizeof bar - 1] = '\0';
        int64_t done = event->done - terminal->first;
        if (done > 0) {
            ttt_duration_format((now - terminal->start) * (double)(event->total - event->done) / (double)done, left);
        }
        length = snprintf(line, sizeof line, "%s [%s] %lld/%lld%s%s%s", event->stage, bar, (long long)event->done,
                          (long long)event->total, *left == '\0' ? "" : ", ", left, *left == '\0' ? "" : " left");
    } else {
        length = snprintf(line, sizeof line, "%s %lld", event->stage, (long long)event->done);
    }
    if (length >= terminal->columns) length = terminal->columns - 1;
    fprintf(stderr, "\r%.*s%*s", length, line, terminal->columns - 1 - length, "");
    fflush(stderr);
    terminal->drawn = true;
    terminal->last = now;
}

static void report(void *context, const ttt_progress_event *event) {
    ttt_terminal *terminal = context;
    if (!terminal->bar) return;
    double now = ttt_clock_seconds();
    bool fresh = strcmp(terminal->stage, event->stage) != 0 || event->done < terminal->first;
    if (fresh) {
        snprintf(terminal->stage, sizeof terminal->stage, "%s", event->stage);
        terminal->start = now;
        terminal->first = event->done;
    }
    if (fresh || now - terminal->last >= 0.1 || event->done == event->total) draw(terminal, event, now);
}

ttt_progress ttt_terminal_progress(ttt_terminal *terminal) {
    return (ttt_progress){.report = report, .context = terminal};
}
