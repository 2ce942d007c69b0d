/* Inside the cage: the server process, its filter, and the messages. Only cage*.c and their tests include this.
 *
 *     master (this process)                      server (python, trusted)            worker (the program's)
 *       | --- settings, once (a memory file) ------> |
 *       | <-- ready, or what is missing ------------ |
 *       | --- run: request file, reply pipe -------> | --- fork ----------------------> |
 *       | <-- its number, a descriptor of it ------- |                                  | confines itself
 *       | <================================ reply pipe, read until its end ============ | runs the program
 *       |   (kills it through the descriptor when its time is up)                       x
 *       | --- what became of it? ------------------> |
 *       | <-- wait status -------------------------- |
 *
 * The control channel is a SOCK_SEQPACKET socket that no worker has; each worker has a fresh pipe and nothing else, so
 * that what a program writes can pass for the result of no other. When the master dies the channel closes and the
 * server ends; when the server dies, by whatever cause, the kernel kills its workers. */
#ifndef TTT_INDUCE_CAGE_INSIDE_H
#define TTT_INDUCE_CAGE_INSIDE_H

#include "induce/cage.h"

#include <sys/types.h>

typedef struct ttt_cage_bytes {
    char *items;
    size_t count, capacity;
} ttt_cage_bytes;
ttt_status ttt_cage_append(ttt_cage_bytes *bytes, const void *data, size_t count, ttt_error *err);

/* The system calls that a worker may make, as BPF instructions of 8 bytes, appended. */
ttt_status ttt_cage_filter(ttt_cage_bytes *bytes, ttt_error *err);

/* ------------------------------------------------------------------------------------------------ the server */
typedef struct ttt_cage_server {
    pid_t pid;   /* 0: none; also its process group, in which all its workers are */
    int control; /* our end of the channel */
} ttt_cage_server;

/* A running program. */
typedef struct ttt_cage_worker {
    pid_t pid;      /* for the server to know it by; signals go through `handle` */
    int handle;     /* a pidfd: readable once the worker is dead */
    int reply_pipe; /* read end, non-blocking; -1 once its end was read */
} ttt_cage_worker;

/* `python` NULL: Debian's, else the first in PATH. `settings`: memory, seconds, filter, prelude, as in cage_worker.py.
 */
ttt_status ttt_cage_server_start(ttt_cage_server *server, const char *python, const ttt_cage_bytes *settings,
                                 ttt_error *err);
/* Kills what is left of it and its workers; leaves {0}. */
void ttt_cage_server_stop(ttt_cage_server *server);

/* Both set *lost (and fail) when the server does not answer: it is dead or as good as. */
ttt_status ttt_cage_worker_start(const ttt_cage_server *server, const ttt_cage_bytes *request, ttt_cage_worker *worker,
                                 bool *lost, ttt_error *err);
/* The worker must be dead. Frees its descriptors in any case. */
ttt_status ttt_cage_worker_end(const ttt_cage_server *server, ttt_cage_worker *worker, int *wait_status, bool *lost,
                               ttt_error *err);
void ttt_cage_worker_kill(const ttt_cage_worker *worker);
void ttt_cage_worker_close(ttt_cage_worker *worker); /* its descriptors only, for when the server is lost */

/* ------------------------------------------------------------------------------------------------ messages */
enum { TTT_CAGE_MESSAGE = 160 }; /* bytes of ttt_cage_result.message */

/* program bytes, input count (uint32_t); the program; of every input height, width, cells. Appended. */
ttt_status ttt_cage_request(ttt_cage_bytes *bytes, const char *program, const ttt_grid *inputs, size_t input_count,
                            ttt_error *err);
/* The most that an honest worker answers. */
size_t ttt_cage_reply_limit(size_t input_count);
/* A dead worker's reply and wait status, judged: nothing in `reply` is believed before it is checked. The reply is an
 * outcome and then a text, or, for TTT_CAGE_RAN, of every output height, width, cells. `result` must be {0}. */
ttt_status ttt_cage_judge(const uint8_t *reply, size_t bytes, int wait_status, size_t input_count,
                          ttt_cage_result *result, ttt_error *err);
/* Sets outcome and message; what is not printable ASCII becomes '?': a program must not steer the user's terminal. */
void ttt_cage_result_set(ttt_cage_result *result, ttt_cage_outcome outcome, const char *text, size_t bytes);

#endif
