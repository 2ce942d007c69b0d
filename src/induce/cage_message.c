/* What goes to a worker, and the judgement of what comes back. */
#include "base/memory.h"
#include "induce/cage_inside.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

_Static_assert(sizeof((ttt_cage_result *)0)->message == TTT_CAGE_MESSAGE, "the length of a message");

ttt_status ttt_cage_append(ttt_cage_bytes *bytes, const void *data, size_t count, ttt_error *err) {
    if (count > SIZE_MAX - bytes->count) return ttt_fail(err, TTT_ERROR_MEMORY, "a message to the cage is too long");
    TTT_TRY(TTT_RESERVE(bytes, bytes->count + count, err));
    if (count > 0) memcpy(bytes->items + bytes->count, data, count);
    bytes->count += count;
    return TTT_OK;
}

ttt_status ttt_cage_request(ttt_cage_bytes *bytes, const char *program, const ttt_grid *inputs, size_t input_count,
                            ttt_error *err) {
    const size_t length = strlen(program);
    if (length > UINT32_MAX || input_count > UINT32_MAX) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "a program of %zu bytes with %zu inputs is too large for the cage",
                        length, input_count);
    }
    const uint32_t head[2] = {(uint32_t)length, (uint32_t)input_count};
    TTT_TRY(ttt_cage_append(bytes, head, sizeof head, err));
    TTT_TRY(ttt_cage_append(bytes, program, length, err));
    for (size_t i = 0; i < input_count; i++) {
        const uint8_t sides[2] = {inputs[i].height, inputs[i].width};
        TTT_TRY(ttt_cage_append(bytes, sides, sizeof sides, err));
        TTT_TRY(ttt_cage_append(bytes, inputs[i].cells, (size_t)ttt_grid_area(&inputs[i]), err));
    }
    return TTT_OK;
}

size_t ttt_cage_reply_limit(size_t input_count) {
    const size_t grids = input_count * (2 + TTT_GRID_CELLS);
    return 1 + (grids > TTT_CAGE_MESSAGE ? grids : TTT_CAGE_MESSAGE);
}

void ttt_cage_result_set(ttt_cage_result *result, ttt_cage_outcome outcome, const char *text, size_t bytes) {
    if (bytes > sizeof result->message - 1) bytes = sizeof result->message - 1;
    for (size_t i = 0; i < bytes; i++) result->message[i] = text[i] < ' ' || text[i] > '~' ? '?' : text[i];
    result->message[bytes] = '\0';
    result->outcome = outcome;
}

static void set_text(ttt_cage_result *result, ttt_cage_outcome outcome, const char *text) {
    ttt_cage_result_set(result, outcome, text, strlen(text));
}

/* Reads `count` grids that fill `bytes` exactly; false when they are not that. */
static bool read_grids(const uint8_t *data, size_t bytes, size_t count, ttt_grid *grids) {
    for (size_t i = 0; i < count; i++) {
        if (bytes < 2) return false;
        const size_t height = data[0], width = data[1], area = height * width;
        if (height < 1 || height > TTT_GRID_MAX || width < 1 || width > TTT_GRID_MAX || bytes - 2 < area) return false;
        grids[i] = (ttt_grid){.height = (uint8_t)height, .width = (uint8_t)width};
        for (size_t cell = 0; cell < area; cell++) {
            if (data[2 + cell] >= TTT_COLOURS) return false;
            grids[i].cells[cell] = data[2 + cell];
        }
        data += 2 + area;
        bytes -= 2 + area;
    }
    return bytes == 0;
}

static void judge_death(int signal_number, ttt_cage_result *result) {
    if (signal_number == SIGXCPU) {
        set_text(result, TTT_CAGE_TIME, "used up its processor time");
    } else if (signal_number == SIGSYS) {
        set_text(result, TTT_CAGE_FORBIDDEN, "made a system call that the cage kills for");
    } else if (signal_number == SIGKILL) { /* not by us: the kernel's way when the machine's memory is out */
        set_text(result, TTT_CAGE_MEMORY, "killed by the system");
    } else {
        const char *name = sigdescr_np(signal_number);
        snprintf(result->message, sizeof result->message, "died of signal %d (%s)", signal_number,
                 name == NULL ? "unknown" : name);
        result->outcome = TTT_CAGE_FORBIDDEN;
    }
}

ttt_status ttt_cage_judge(const uint8_t *reply, size_t bytes, int wait_status, size_t input_count,
                          ttt_cage_result *result, ttt_error *err) {
    if (WIFSIGNALED(wait_status)) {
        judge_death(WTERMSIG(wait_status), result);
    } else if (WEXITSTATUS(wait_status) == TTT_CAGE_MEMORY) { /* there was none left to say it */
        set_text(result, TTT_CAGE_MEMORY, "out of memory");
    } else if (WEXITSTATUS(wait_status) != 0 || bytes == 0) {
        set_text(result, TTT_CAGE_FORBIDDEN, "ended its process without a result");
    } else if (reply[0] == TTT_CAGE_RAN) {
        ttt_grid *grids = ttt_allocate(input_count, sizeof *grids);
        if (grids == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for %zu grids", input_count);
        if (read_grids(reply + 1, bytes - 1, input_count, grids)) {
            result->outputs = grids;
            set_text(result, TTT_CAGE_RAN, "");
        } else {
            ttt_free(grids);
            set_text(result, TTT_CAGE_FORBIDDEN, "wrote something else where its result belongs");
        }
    } else if (reply[0] <= TTT_CAGE_FORBIDDEN && bytes <= TTT_CAGE_MESSAGE) {
        ttt_cage_result_set(result, (ttt_cage_outcome)reply[0], (const char *)reply + 1, bytes - 1);
    } else {
        set_text(result, TTT_CAGE_FORBIDDEN, "wrote something else where its result belongs");
    }
    return TTT_OK;
}

void ttt_cage_result_release(ttt_cage_result *result) {
    ttt_free(result->outputs);
    *result = (ttt_cage_result){0};
}

const char *ttt_cage_outcome_name(ttt_cage_outcome outcome) {
    static const char *const names[] = {"ran", "raised", "no grid", "time", "memory", "output", "forbidden"};
    return names[outcome];
}
