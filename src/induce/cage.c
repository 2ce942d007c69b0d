/* The cage: a queue of programs and as many workers as run side by side.
 *
 * One loop waits for all workers at once: for what they write, for their end, for the nearest deadline. A worker is
 * finished when it is dead and its pipe has been read to the end; only then is what it wrote looked at. Deadlines are
 * kept here, not by the worker, which is not to be trusted with them.
 *
 * When the server itself is lost (the system may kill it for memory), its workers are dead with it. It is started
 * again, and what they ran goes back to the head of the queue; a second loss within a run is an error. */
#include "induce/cage.h"
#include "base/memory.h"
#include "induce/cage_inside.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MOST_WORKERS = 256, POLL_MILLISECONDS = 50 };
static const double DEFAULT_SECONDS = 2;
static const size_t DEFAULT_MEMORY = (size_t)512 << 20;

static const char default_prelude[] = {
#include "induce/cage_common.inc"
};

struct ttt_cage {
    ttt_cage_server server;
    char *python; /* NULL: looked for */
    ttt_cage_bytes settings;
    double seconds;
    int workers;
};

typedef struct cage_slot {
    ttt_cage_worker worker;
    bool busy;
    size_t program;
    double started;
    ttt_cage_outcome killed_as; /* TTT_CAGE_RAN: not killed */
    uint8_t *reply;             /* [reply_limit + 1], part of run.replies */
    size_t reply_bytes;
} cage_slot;

typedef struct cage_run {
    ttt_cage *cage;
    const char *const *programs;
    const ttt_grid *inputs;
    size_t count, input_count;
    ttt_cage_result *results;
    size_t *queue; /* programs to run; those from queue_at on are left */
    size_t queue_at;
    cage_slot *slots; /* [slot_count] */
    int slot_count;
    struct pollfd *polled; /* two of each slot: its reply pipe, its handle */
    uint8_t *replies;
    size_t reply_limit;
    ttt_cage_bytes request;
    bool over;         /* stopped, or the run's time is up */
    bool server_again; /* the server was lost once already */
} cage_run;

/* ------------------------------------------------------------------------------------------------ one program */
static void kill_as(cage_slot *slot, ttt_cage_outcome outcome) {
    if (slot->killed_as != TTT_CAGE_RAN) return;
    slot->killed_as = outcome;
    ttt_cage_worker_kill(&slot->worker);
}

/* The server is gone: a new one, and what was running once more. Fails with the sentence already in `err` the second
 * time. */
static ttt_status recover(cage_run *run, ttt_error *err) {
    ttt_cage *cage = run->cage;
    if (run->server_again) return ttt_fail_within(err, TTT_ERROR_IO, "for the second time in one run");
    run->server_again = true;
    for (int i = 0; i < run->slot_count; i++) {
        cage_slot *slot = &run->slots[i];
        if (!slot->busy) continue;
        ttt_cage_worker_close(&slot->worker);
        run->queue[--run->queue_at] = slot->program;
        slot->busy = false;
    }
    ttt_cage_server_stop(&cage->server);
    return ttt_cage_server_start(&cage->server, cage->python, &cage->settings, err);
}

static ttt_status start_program(cage_run *run, cage_slot *slot, ttt_error *err) {
    run->request.count = 0;
    const size_t program = run->queue[run->queue_at];
    TTT_TRY(ttt_cage_request(&run->request, run->programs[program], run->inputs, run->input_count, err));
    bool lost;
    ttt_status status = ttt_cage_worker_start(&run->cage->server, &run->request, &slot->worker, &lost, err);
    if (lost) return recover(run, err);
    if (status != TTT_OK) return status;
    run->queue_at++;
    slot->busy = true;
    slot->program = program;
    slot->started = ttt_clock_seconds();
    slot->killed_as = TTT_CAGE_RAN;
    slot->reply_bytes = 0;
    return TTT_OK;
}

/* Takes what is in the pipe; a worker that says more than it has to say is killed. */
static void read_reply(cage_run *run, cage_slot *slot) {
    while (slot->worker.reply_pipe >= 0) {
        const size_t room = run->reply_limit + 1 - slot->reply_bytes;
        ssize_t count = read(slot->worker.reply_pipe, slot->reply + slot->reply_bytes, room);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) return;
        if (count > 0) slot->reply_bytes += (size_t)count;
        if (count > 0 && slot->reply_bytes <= run->reply_limit) continue;
        if (count > 0) kill_as(slot, TTT_CAGE_OUTPUT);
        close(slot->worker.reply_pipe);
        slot->worker.reply_pipe = -1;
    }
}

static void judge_killed(const cage_slot *slot, bool over, ttt_cage_result *result) {
    const char *text = slot->killed_as == TTT_CAGE_OUTPUT ? "wrote more than a result"
                       : over                             ? "still running when all had to end"
                                                          : "out of time";
    ttt_cage_result_set(result, slot->killed_as, text, strlen(text));
}

/* The worker is dead. */
static ttt_status finish_program(cage_run *run, cage_slot *slot, ttt_error *err) {
    ttt_cage_result *result = &run->results[slot->program];
    read_reply(run, slot);
    int wait_status = 0;
    bool lost;
    ttt_status status = ttt_cage_worker_end(&run->cage->server, &slot->worker, &wait_status, &lost, err);
    if (lost) return recover(run, err);
    if (status != TTT_OK) return status;
    slot->busy = false;
    result->seconds = ttt_clock_seconds() - slot->started;
    if (slot->killed_as != TTT_CAGE_RAN) {
        judge_killed(slot, run->over, result);
        return TTT_OK;
    }
    return ttt_cage_judge(slot->reply, slot->reply_bytes, wait_status, run->input_count, result, err);
}

/* ------------------------------------------------------------------------------------------------ all programs */
/* Waits until something happens, or long enough to look at clock and stop flag again. */
static ttt_status wait_for_workers(cage_run *run, ttt_error *err) {
    const double now = ttt_clock_seconds();
    double patience = POLL_MILLISECONDS;
    for (int i = 0; i < run->slot_count; i++) {
        const cage_slot *slot = &run->slots[i];
        run->polled[2 * i] = (struct pollfd){.fd = slot->busy ? slot->worker.reply_pipe : -1, .events = POLLIN};
        run->polled[2 * i + 1] = (struct pollfd){.fd = slot->busy ? slot->worker.handle : -1, .events = POLLIN};
        if (!slot->busy || slot->killed_as != TTT_CAGE_RAN) continue;
        const double left = (slot->started + run->cage->seconds - now) * 1000;
        if (left < patience) patience = left < 0 ? 0 : left;
    }
    if (poll(run->polled, 2 * (nfds_t)run->slot_count, (int)ceil(patience)) < 0 && errno != EINTR) {
        return ttt_fail(err, TTT_ERROR_IO, "waiting for the cage's workers: %s", strerror(errno));
    }
    return TTT_OK;
}

static ttt_status attend_workers(cage_run *run, ttt_error *err) {
    for (int i = 0; i < run->slot_count; i++) {
        cage_slot *slot = &run->slots[i];
        /* Recovering from a lost server in this very loop may have changed what the slots hold. */
        if (!slot->busy) continue;
        if (run->polled[2 * i].revents != 0 && run->polled[2 * i].fd == slot->worker.reply_pipe) read_reply(run, slot);
        if (run->polled[2 * i + 1].revents != 0 && run->polled[2 * i + 1].fd == slot->worker.handle) {
            TTT_TRY(finish_program(run, slot, err));
        } else if (ttt_clock_seconds() - slot->started >= run->cage->seconds) {
            kill_as(slot, TTT_CAGE_TIME);
        }
    }
    return TTT_OK;
}

static bool is_busy(const cage_run *run) {
    for (int i = 0; i < run->slot_count; i++) {
        if (run->slots[i].busy) return true;
    }
    return false;
}

static ttt_status run_all(cage_run *run, double deadline, const ttt_stop_flag *stop, ttt_error *err) {
    while (run->queue_at < run->count || is_busy(run)) {
        if (!run->over && (ttt_stop_requested(stop) || ttt_clock_seconds() >= deadline)) {
            run->over = true;
            for (int i = 0; i < run->slot_count; i++) {
                if (run->slots[i].busy) kill_as(&run->slots[i], TTT_CAGE_TIME);
            }
        }
        if (run->over && !is_busy(run)) break;
        for (int i = 0; i < run->slot_count && run->queue_at < run->count && !run->over; i++) {
            if (!run->slots[i].busy) TTT_TRY(start_program(run, &run->slots[i], err));
        }
        TTT_TRY(wait_for_workers(run, err));
        TTT_TRY(attend_workers(run, err));
    }
    static const char never[] = "not run: all had to end";
    for (; run->queue_at < run->count; run->queue_at++) {
        ttt_cage_result_set(&run->results[run->queue[run->queue_at]], TTT_CAGE_TIME, never, sizeof never - 1);
    }
    return TTT_OK;
}

/* After an error: no worker stays, no result. */
static void abandon(cage_run *run) {
    for (int i = 0; i < run->slot_count; i++) {
        cage_slot *slot = &run->slots[i];
        if (!slot->busy) continue;
        int wait_status;
        bool lost;
        ttt_cage_worker_kill(&slot->worker);
        ttt_cage_worker_end(&run->cage->server, &slot->worker, &wait_status, &lost, NULL);
    }
    for (size_t i = 0; i < run->count; i++) ttt_cage_result_release(&run->results[i]);
}

static ttt_status allocate(cage_run *run, ttt_error *err) {
    const size_t slots = (size_t)run->slot_count;
    size_t reply_bytes;
    if (!ttt_size_multiply(slots, run->reply_limit + 1, &reply_bytes)) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "the cage: %zu inputs are too many", run->input_count);
    }
    run->queue = ttt_allocate(run->count, sizeof *run->queue);
    run->slots = ttt_allocate(slots, sizeof *run->slots);
    run->polled = ttt_allocate(2 * slots, sizeof *run->polled);
    run->replies = ttt_allocate(reply_bytes, 1);
    if (run->queue == NULL || run->slots == NULL || run->polled == NULL || run->replies == NULL) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "no memory to run %zu programs in the cage", run->count);
    }
    for (size_t i = 0; i < run->count; i++) run->queue[i] = i;
    for (size_t i = 0; i < slots; i++) run->slots[i].reply = run->replies + i * (run->reply_limit + 1);
    return TTT_OK;
}

ttt_status ttt_cage_run(ttt_cage *cage, const char *const *programs, size_t count, const ttt_grid *inputs,
                        size_t input_count, double seconds, const ttt_stop_flag *stop, ttt_cage_result *results,
                        ttt_error *err) {
    cage_run run = {.cage = cage,
                    .programs = programs,
                    .inputs = inputs,
                    .count = count,
                    .input_count = input_count,
                    .results = results,
                    .slot_count = count < (size_t)cage->workers ? (int)count : cage->workers,
                    .reply_limit = ttt_cage_reply_limit(input_count)};
    const double deadline = seconds > 0 ? ttt_clock_seconds() + seconds : INFINITY;
    for (size_t i = 0; i < count; i++) results[i] = (ttt_cage_result){0};
    ttt_status status = allocate(&run, err);
    if (status == TTT_OK) {
        status = run_all(&run, deadline, stop, err);
        if (status != TTT_OK) abandon(&run);
    }
    ttt_free(run.queue);
    ttt_free(run.slots);
    ttt_free(run.polled);
    ttt_free(run.replies);
    ttt_free(run.request.items);
    return status;
}

/* ------------------------------------------------------------------------------------------------ the cage */
/* The settings as cage_worker.py reads them. */
static ttt_status make_settings(ttt_cage *cage, const ttt_cage_options *options, ttt_error *err) {
    const char *prelude = options->prelude == NULL ? default_prelude : options->prelude;
    ttt_cage_bytes filter = {0};
    ttt_status status;
    TTT_TRY_OUT(ttt_cage_filter(&filter, err));
    const uint64_t memory = options->memory_bytes == 0 ? DEFAULT_MEMORY : options->memory_bytes;
    const size_t prelude_bytes = strlen(prelude);
    if (prelude_bytes > UINT32_MAX) {
        status = ttt_fail(err, TTT_ERROR_ARGUMENT, "a prelude of %zu bytes is too long", prelude_bytes);
        goto out;
    }
    const uint32_t lengths[2] = {(uint32_t)filter.count, (uint32_t)prelude_bytes};
    TTT_TRY_OUT(ttt_cage_append(&cage->settings, &memory, sizeof memory, err));
    TTT_TRY_OUT(ttt_cage_append(&cage->settings, &cage->seconds, sizeof cage->seconds, err));
    TTT_TRY_OUT(ttt_cage_append(&cage->settings, lengths, sizeof lengths, err));
    TTT_TRY_OUT(ttt_cage_append(&cage->settings, filter.items, filter.count, err));
    TTT_TRY_OUT(ttt_cage_append(&cage->settings, prelude, prelude_bytes, err));
out:
    ttt_free(filter.items);
    return status;
}

/* One harmless program shows that this kernel lets a worker confine itself, before anybody relies on it. */
static ttt_status try_out(ttt_cage *cage, ttt_error *err) {
    static const char *const program = "def transform(grid):\n    return grid\n";
    const ttt_grid grid = ttt_grid_filled(1, 1, 0);
    ttt_cage_result result;
    TTT_TRY(ttt_cage_run(cage, &program, 1, &grid, 1, 0, NULL, &result, err));
    ttt_status status = TTT_OK;
    if (result.outcome != TTT_CAGE_RAN) {
        status = ttt_fail(err, TTT_ERROR_UNSUPPORTED, "programs cannot be run safely here: a trial: %s: %s",
                          ttt_cage_outcome_name(result.outcome), result.message);
    }
    ttt_cage_result_release(&result);
    return status;
}

static int worker_count(int wanted) {
    const long cores = wanted > 0 ? wanted : sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > MOST_WORKERS ? MOST_WORKERS : (int)cores;
}

ttt_status ttt_cage_new(const ttt_cage_options *options, ttt_cage **cage, ttt_error *err) {
    *cage = NULL;
    if (!(options->seconds >= 0) || options->workers < 0) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "the cage: %g seconds for %d workers make no sense", options->seconds,
                        options->workers);
    }
    ttt_cage *made = ttt_allocate(1, sizeof *made);
    if (made == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the cage");
    made->seconds = options->seconds > 0 ? options->seconds : DEFAULT_SECONDS;
    made->workers = worker_count(options->workers);
    ttt_status status = TTT_OK;
    if (options->python != NULL && (made->python = ttt_string_copy(options->python)) == NULL) {
        status = ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the cage");
        goto out;
    }
    TTT_TRY_OUT(make_settings(made, options, err));
    TTT_TRY_OUT(ttt_cage_server_start(&made->server, made->python, &made->settings, err));
    TTT_TRY_OUT(try_out(made, err));
    *cage = made;
    made = NULL;
out:
    ttt_cage_free(made);
    return status;
}

void ttt_cage_free(ttt_cage *cage) {
    if (cage == NULL) return;
    ttt_cage_server_stop(&cage->server);
    ttt_free(cage->settings.items);
    ttt_free(cage->python);
    ttt_free(cage);
}
