#include "fake_server.h"

#include "support.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* Everything that the other side lets us write. */
static void put(int connection, const void *data, size_t bytes) {
    const char *at = data;
    while (bytes > 0) {
        const ssize_t written = send(connection, at, bytes, MSG_NOSIGNAL);
        if (written <= 0) _exit(0);
        at += written;
        bytes -= (size_t)written;
    }
}

static void put_text(int connection, const char *text) {
    put(connection, text, strlen(text));
}

static void put_answer(int connection, const char *status, const char *more_headers, const char *body, size_t length) {
    char head[512];
    snprintf(head, sizeof head, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\nConnection: close\r\n\r\n", status,
             more_headers, length);
    put_text(connection, head);
    put_text(connection, body);
}

static void put_completion(int connection, const char *text) {
    json_t *root = json_pack("{s:[{s:{s:s, s:s}}]}", "choices", "message", "role", "assistant", "content", text);
    char *body = json_dumps(root, 0);
    put_answer(connection, "200 OK", "Content-Type: application/json\r\n", body, strlen(body));
}

static void flood(int connection, const char *text, useconds_t pause) {
    for (;;) {
        put_text(connection, text);
        if (pause > 0) usleep(pause);
    }
}

/* Reads a request whole; false when the other side has gone. */
static bool get_request(int connection, char *text, size_t size) {
    size_t count = 0, wanted = size - 1;
    while (count < wanted) {
        const ssize_t got = recv(connection, text + count, size - 1 - count, 0);
        if (got <= 0) return false;
        count += (size_t)got;
        text[count] = '\0';
        const char *end = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "\r\nContent-Length:");
        if (end != NULL) wanted = (size_t)(end + 4 - text) + (length == NULL ? 0 : strtoul(length + 17, NULL, 10));
    }
    return true;
}

static void refuse(int connection, const char *request) {
    char key[128] = "", body[512];
    const char *header = strstr(request, "Bearer ");
    if (header != NULL) sscanf(header, "Bearer %100s", key);
    snprintf(body, sizeof body, "{\"error\": {\"message\": \"no \\u001b[31m such key %s\"}}", key);
    put_answer(connection, "401 Unauthorized", "", body, strlen(body));
}

static void serve(const fake_server *server, int connection) {
    static char request[sizeof server->seen->last], brackets[1 << 19];
    char header[128];
    size_t texts = 0;
    if (server->mode == FAKE_CLOSES || !get_request(connection, request, sizeof request)) return;
    if (strncmp(request, "GET ", 4) == 0) {
        const char *list = "{\"data\": [{\"id\": \"tiny\"}, {\"id\": \"other\"}]}";
        put_answer(connection, "200 OK", "", list, strlen(list));
        return;
    }
    const int number = atomic_fetch_add(&server->seen->requests, 1);
    const int now = atomic_fetch_add(&server->seen->in_flight, 1) + 1;
    if (now > server->seen->most_in_flight) server->seen->most_in_flight = now;
    memcpy(server->seen->last, request, sizeof request);
    usleep(20000); /* so that several are there at once */
    atomic_fetch_sub(&server->seen->in_flight, 1);
    while (server->texts != NULL && server->texts[texts] != NULL) texts++;
    const char *text = texts == 0 ? "hello" : server->texts[(size_t)number % texts];
    switch (server->mode) {
    case FAKE_SLOW: sleep(60); break;
    case FAKE_DRIPS:
        put_text(connection, "HTTP/1.1 200 OK\r\n\r\n");
        flood(connection, " ", 50000);
        break;
    case FAKE_DIES: put_answer(connection, "200 OK", "", "{\"choices\": [{\"mess", 500); return;
    case FAKE_GARBAGE: put_answer(connection, "200 OK", "", "\xff\xfe\x1b[2J<html>", 12); return;
    case FAKE_OTHER_JSON: put_answer(connection, "200 OK", "", "{\"choices\": 7}", 14); return;
    case FAKE_JSON_BOMB:
        memset(brackets, '[', sizeof brackets - 1);
        put_answer(connection, "200 OK", "", brackets, sizeof brackets - 1);
        return;
    case FAKE_FLOODS:
        put_text(connection, "HTTP/1.1 200 OK\r\n\r\n");
        flood(connection, "All work and no play makes Jack a dull boy. ", 0);
        break;
    case FAKE_HEADERS:
        put_text(connection, "HTTP/1.1 200 OK\r\n");
        flood(connection, "X-More: and more and more and more\r\n", 0);
        break;
    case FAKE_ERRORS_FIRST:
        if (number >= 2) break;
        /* fall through */
    case FAKE_ERRORS: put_answer(connection, "500 Oh", "", "", 0); return;
    case FAKE_BUSY_FIRST:
        if (number >= 1) break;
        put_answer(connection, "429 Slow down", "Retry-After: 1\r\n", "", 0);
        return;
    case FAKE_BUSY: put_answer(connection, "429 Slow down", "Retry-After: 3600\r\n", "", 0); return;
    case FAKE_REDIRECTS:
        snprintf(header, sizeof header, "Location: %s/chat/completions\r\n", server->elsewhere);
        put_answer(connection, "307 Elsewhere", header, "", 0);
        return;
    case FAKE_REFUSES: refuse(connection, request); return;
    case FAKE_FALLS_SILENT:
        if (number >= 2) return;
        break;
    case FAKE_GOOD:
    case FAKE_CLOSES: break;
    }
    put_completion(connection, text);
}

static void run(const fake_server *server, int listener) {
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        const int connection = accept(listener, NULL, NULL);
        if (connection < 0) continue;
        if (fork() == 0) {
            close(listener);
            serve(server, connection);
            shutdown(connection, SHUT_RDWR);
            _exit(0);
        }
        close(connection);
    }
}

void fake_server_start(fake_server *server) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 256), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &bytes), 0);
    snprintf(server->url, sizeof server->url, "http://127.0.0.1:%d/v1", ntohs(address.sin_port));
    server->seen = mmap(NULL, sizeof *server->seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(server->seen != MAP_FAILED);
    server->process = fork();
    if (server->process == 0) {
        setpgid(0, 0); /* it ends with all that it forked */
        run(server, listener);
    }
    setpgid(server->process, server->process);
    close(listener);
}

void fake_server_stop(fake_server *server) {
    kill(-server->process, SIGKILL);
    waitpid(server->process, NULL, 0);
    munmap(server->seen, sizeof *server->seen);
}
