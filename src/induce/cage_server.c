/* The server process: started, spoken to, stopped. See cage_inside.h for the conversation.
 *
 * Between fork and exec the child of a program with threads may only do what is safe in a signal handler. The server
 * gets a session of its own (a terminal's Ctrl-C must not reach it), no new privileges, no descriptor but its end of
 * the channel, and an environment of our making: nothing of ours is in it that a program could find in memory. It does
 * not ask for the parent's death signal, which would come when the *thread* that started it ends; the closed channel
 * tells it instead. */
#include "base/memory.h"
#include "induce/cage_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONTROL = 3, START_SECONDS = 60, ANSWER_SECONDS = 10, TEXT = 400 };

static const char worker_source[] = {
#include "induce/cage_worker.inc"
};

/* ------------------------------------------------------------------------------------------------ the channel */
/* Sends one message with up to two descriptors. */
static bool send_message(int control, const void *data, size_t bytes, const int *descriptors, size_t count) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(2 * sizeof(int))];
    } extra = {0};
    struct iovec part = {.iov_base = (void *)(uintptr_t)data, .iov_len = bytes};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        message.msg_control = extra.space;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        *header = (struct cmsghdr){
            .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(count * sizeof(int))};
        memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
    }
    ssize_t sent;
    do sent = sendmsg(control, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)bytes;
}

/* Receives one message; its length, 0 when the other end is gone or silent for too long. *descriptor is -1 or one that
 * came along. */
static size_t receive_message(int control, void *data, size_t capacity, int *descriptor) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } extra = {0};
    struct iovec part = {.iov_base = data, .iov_len = capacity};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = extra.space, .msg_controllen = sizeof extra.space};
    ssize_t received;
    /* A server that ended with something left to read leaves a reset, once; what it had said before comes after. */
    do received = recvmsg(control, &message, MSG_CMSG_CLOEXEC);
    while (received < 0 && (errno == EINTR || errno == ECONNRESET));
    *descriptor = -1;
    if (received <= 0) return 0;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int))) {
        memcpy(descriptor, CMSG_DATA(header), sizeof(int));
    }
    return (size_t)received;
}

static void set_patience(int control, int seconds) {
    const struct timeval patience = {.tv_sec = seconds};
    setsockopt(control, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

/* A file that exists in memory only, holding `bytes`. */
static ttt_status memory_file(const ttt_cage_bytes *bytes, int *file, ttt_error *err) {
    *file = memfd_create("cage", MFD_CLOEXEC);
    if (*file < 0) return ttt_fail(err, TTT_ERROR_IO, "the cage: no file in memory: %s", strerror(errno));
    for (size_t done = 0; done < bytes->count;) {
        ssize_t written = write(*file, bytes->items + done, bytes->count - done);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) {
            ttt_fail(err, TTT_ERROR_IO, "the cage: a file in memory cannot be written: %s", strerror(errno));
            close(*file);
            return TTT_ERROR_IO;
        }
        done += (size_t)written;
    }
    return TTT_OK;
}

/* ------------------------------------------------------------------------------------------------ its life */
typedef struct server_launch {
    const char *python;
    const char *arguments[6];
    const char *environment[12];
    char home[TEXT], path[4096];
} server_launch;

static void prepare_launch(server_launch *launch, const char *python) {
    const char *home = getenv("HOME"), *path = getenv("PATH");
    snprintf(launch->home, sizeof launch->home, "HOME=%s", home == NULL ? "/" : home);
    snprintf(launch->path, sizeof launch->path, "PATH=%s", path == NULL ? "/usr/bin:/bin" : path);
    launch->python = python;
    const char *const arguments[] = {python, "-s", "-c", worker_source, NULL};
    memcpy(launch->arguments, arguments, sizeof arguments);
    /* One thread (a fork keeps only one), and nothing that makes two runs differ. HOME and PATH are for wrappers that
     * stand in for python3. */
    const char *const environment[] = {launch->home,
                                       launch->path,
                                       "LANG=C.UTF-8",
                                       "PYTHONHASHSEED=0",
                                       "PYTHONSAFEPATH=1",
                                       "PYTHONDONTWRITEBYTECODE=1",
                                       "OPENBLAS_NUM_THREADS=1",
                                       "OMP_NUM_THREADS=1",
                                       "MKL_NUM_THREADS=1",
                                       NULL};
    memcpy(launch->environment, environment, sizeof environment);
}

/* In the forked child, which becomes the server or says why it cannot. */
_Noreturn static void become_server(const server_launch *launch, int control) {
    /* The channel goes to its number by way of one that is out of the way of 0, 1, 2 and 3. */
    int aside = fcntl(control, F_DUPFD, CONTROL + 1), null = open("/dev/null", O_RDWR);
    if (null >= 0 && null <= CONTROL) null = fcntl(null, F_DUPFD, CONTROL + 1);
    for (int standard = 0; standard < 3; standard++) dup2(null, standard);
    dup2(aside, CONTROL);
    if (close_range(CONTROL + 1, ~0u, 0) == 0 && setsid() >= 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) {
        execvpe(launch->python, (char **)(uintptr_t)launch->arguments, (char **)(uintptr_t)launch->environment);
    }
    const char *why = strerrordesc_np(errno);
    char text[TEXT] = "\1";
    strncat(text, why == NULL ? "unknown error" : why, sizeof text - 2);
    send_message(CONTROL, text, strlen(text), NULL, 0);
    _exit(127);
}

static ttt_status greet(const ttt_cage_server *server, const char *python, const ttt_cage_bytes *settings,
                        ttt_error *err) {
    int file, none;
    TTT_TRY(memory_file(settings, &file, err));
    /* One that has ended already cannot be sent to, but what it said before is still there to be read. */
    send_message(server->control, "S", 1, &file, 1);
    close(file);
    char text[TEXT];
    set_patience(server->control, START_SECONDS);
    size_t bytes = receive_message(server->control, text, sizeof text - 1, &none);
    if (none >= 0) close(none);
    if (bytes == 0) return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s never became ready", python);
    text[bytes] = '\0';
    if (text[0] != 0) return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: %s", python, text + 1);
    set_patience(server->control, ANSWER_SECONDS);
    return TTT_OK;
}

static ttt_status start_with(ttt_cage_server *server, const char *python, const ttt_cage_bytes *settings,
                             ttt_error *err) {
    server_launch *launch = ttt_allocate(1, sizeof *launch);
    if (launch == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory to start %s", python);
    prepare_launch(launch, python);
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        ttt_free(launch);
        return ttt_fail(err, TTT_ERROR_IO, "no channel to %s: %s", python, strerror(errno));
    }
    pid_t pid = fork();
    const int failure = errno;
    if (pid == 0) become_server(launch, ends[1]);
    close(ends[1]);
    ttt_free(launch);
    if (pid < 0) {
        close(ends[0]);
        return ttt_fail(err, TTT_ERROR_IO, "no process for %s: %s", python, strerror(failure));
    }
    *server = (ttt_cage_server){.pid = pid, .control = ends[0]};
    ttt_status status = greet(server, python, settings, err);
    if (status != TTT_OK) ttt_cage_server_stop(server);
    return status;
}

ttt_status ttt_cage_server_start(ttt_cage_server *server, const char *python, const ttt_cage_bytes *settings,
                                 ttt_error *err) {
    static const char debian[] = "/usr/bin/python3", any[] = "python3";
    *server = (ttt_cage_server){0};
    ttt_error first = {0}, second = {0};
    ttt_status status = start_with(server, python == NULL ? debian : python, settings, &first);
    if (status == TTT_ERROR_UNSUPPORTED && python == NULL) {
        status = start_with(server, any, settings, &second);
    }
    if (status == TTT_OK) return TTT_OK;
    return ttt_fail(err, status, "programs need python3 with numpy: %s%s%s", first.message,
                    second.message[0] != '\0' ? "; in PATH, " : "", second.message);
}

void ttt_cage_server_stop(ttt_cage_server *server) {
    if (server->pid <= 0) return;
    close(server->control);
    kill(-server->pid, SIGKILL); /* its group: itself and every worker */
    kill(server->pid, SIGKILL);  /* itself, should it not have come to having a group */
    while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    *server = (ttt_cage_server){0};
}

/* ------------------------------------------------------------------------------------------------ its workers */
static ttt_status lose(bool *lost, ttt_error *err) {
    *lost = true;
    return ttt_fail(err, TTT_ERROR_IO, "the python server of the cage no longer answers");
}

/* One question, with up to two descriptors, and its answer of a known length; false when there is none. */
static bool ask(const ttt_cage_server *server, const void *question, size_t bytes, const int *descriptors, size_t count,
                void *answer, size_t answer_bytes, int *descriptor) {
    *descriptor = -1;
    return server->pid > 0 && send_message(server->control, question, bytes, descriptors, count) &&
           receive_message(server->control, answer, answer_bytes, descriptor) == answer_bytes;
}

/* Hands request and pipe over and receives the worker's number and handle. */
static ttt_status ask_to_run(const ttt_cage_server *server, const int descriptors[2], ttt_cage_worker *worker,
                             bool *lost, ttt_error *err) {
    struct {
        int32_t failure;
        uint32_t pid;
    } answer;
    if (!ask(server, "R", 1, descriptors, 2, &answer, sizeof answer, &worker->handle) ||
        (answer.failure == 0 && worker->handle < 0)) {
        return lose(lost, err);
    }
    if (answer.failure != 0) {
        return ttt_fail(err, TTT_ERROR_IO, "the cage cannot start a worker: %s", strerror(answer.failure));
    }
    worker->pid = (pid_t)answer.pid;
    return TTT_OK;
}

ttt_status ttt_cage_worker_start(const ttt_cage_server *server, const ttt_cage_bytes *request, ttt_cage_worker *worker,
                                 bool *lost, ttt_error *err) {
    *worker = (ttt_cage_worker){.handle = -1, .reply_pipe = -1};
    *lost = false;
    int file, ends[2];
    TTT_TRY(memory_file(request, &file, err));
    if (pipe2(ends, O_CLOEXEC) != 0) {
        ttt_fail(err, TTT_ERROR_IO, "no pipe for a worker of the cage: %s", strerror(errno));
        close(file);
        return TTT_ERROR_IO;
    }
    worker->reply_pipe = ends[0];
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    const int descriptors[2] = {file, ends[1]};
    ttt_status status = ask_to_run(server, descriptors, worker, lost, err);
    close(file);
    close(ends[1]);
    if (status != TTT_OK) ttt_cage_worker_close(worker);
    return status;
}

void ttt_cage_worker_kill(const ttt_cage_worker *worker) {
    syscall(SYS_pidfd_send_signal, worker->handle, SIGKILL, NULL, 0);
}

ttt_status ttt_cage_worker_end(const ttt_cage_server *server, ttt_cage_worker *worker, int *wait_status, bool *lost,
                               ttt_error *err) {
    char question[1 + sizeof(uint32_t)] = "W";
    const uint32_t pid = (uint32_t)worker->pid;
    memcpy(question + 1, &pid, sizeof pid);
    ttt_cage_worker_close(worker);
    int32_t answer;
    int none;
    *lost = false;
    if (!ask(server, question, sizeof question, NULL, 0, &answer, sizeof answer, &none)) return lose(lost, err);
    *wait_status = answer;
    return TTT_OK;
}

void ttt_cage_worker_close(ttt_cage_worker *worker) {
    if (worker->handle >= 0) close(worker->handle);
    if (worker->reply_pipe >= 0) close(worker->reply_pipe);
    *worker = (ttt_cage_worker){.handle = -1, .reply_pipe = -1};
}
