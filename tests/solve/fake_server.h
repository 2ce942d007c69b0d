/* A chat server on 127.0.0.1 for tests, well-behaved or not: a process that forks for every connection. */
#ifndef TTT_TESTS_SOLVE_FAKE_SERVER_H
#define TTT_TESTS_SOLVE_FAKE_SERVER_H

#include <stdatomic.h>
#include <sys/types.h>

typedef enum fake_mode {
    FAKE_GOOD,
    FAKE_SLOW,         /* answers after a minute */
    FAKE_DRIPS,        /* a byte now and then, without end */
    FAKE_DIES,         /* closes in the middle of its answer */
    FAKE_GARBAGE,      /* status 200, bytes of no meaning */
    FAKE_OTHER_JSON,   /* status 200, JSON of another shape */
    FAKE_JSON_BOMB,    /* brackets, half a megabyte deep */
    FAKE_ERRORS_FIRST, /* status 500 twice, then good */
    FAKE_ERRORS,       /* status 500 for ever */
    FAKE_FLOODS,       /* a body without end */
    FAKE_HEADERS,      /* headers without end */
    FAKE_CLOSES,       /* at once */
    FAKE_BUSY_FIRST,   /* status 429 and a second to wait, then good */
    FAKE_BUSY,         /* status 429 and an hour to wait */
    FAKE_REDIRECTS,    /* to `elsewhere` */
    FAKE_REFUSES,      /* status 401; its words hold the key that it was sent, and a control character */
    FAKE_FALLS_SILENT, /* two good answers, then it closes */
} fake_mode;

typedef struct fake_seen {
    atomic_int requests, in_flight, most_in_flight;
    char last[65536]; /* request with its headers */
} fake_seen;

typedef struct fake_server {
    fake_mode mode;
    const char *const *texts; /* its answers in turn, ended by NULL */
    const char *elsewhere;    /* an address */
    char url[64];             /* ".../v1" */
    pid_t process;
    fake_seen *seen; /* shared with the process */
} fake_server;

/* mode, texts and elsewhere are set. */
void fake_server_start(fake_server *server);
void fake_server_stop(fake_server *server);

#endif
