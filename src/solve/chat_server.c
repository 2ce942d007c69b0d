/* Requests live in slots, as many as may be in flight. A slot is free, has a request on the way, or waits until its
 * request may be sent again; one loop serves them all and looks at the clock and the stop flag between short waits. */
#include "solve/chat_server.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/random.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    BODY_BYTES = 1 << 20,   /* of an answer; what it says is a few thousand tokens */
    HEADER_BYTES = 1 << 16, /* of all its headers */
    WAIT_MILLISECONDS = 50, /* between two looks at the stop flag */
};
static const double FIRST_DELAY = 0.5, LONGEST_DELAY = 30; /* seconds before a retry, without jitter */

struct ttt_chat_server {
    const ttt_solve_settings *settings;
    char *name, *chat_url, *models_url; /* the name is the address without what may be secret */
    char *model;                        /* NULL: not asked yet */
    char *key;                          /* NULL: there is none */
    struct curl_slist *headers;
    CURLM *multi; /* keeps connections open from one question to the next */
    ttt_random jitter;
};

/* --- The address -------------------------------------------------------------------------------------------------- */

bool ttt_is_chat_server(const char *source) {
    return strncasecmp(source, "http://", 7) == 0 || strncasecmp(source, "https://", 8) == 0;
}

static void cut_end(char *path, const char *end) {
    const size_t bytes = strlen(path), end_bytes = strlen(end);
    if (bytes >= end_bytes && strcmp(path + bytes - end_bytes, end) == 0) path[bytes - end_bytes] = '\0';
}

/* The address with `end` behind its path, in fresh memory; NULL when memory is out. */
static char *with_path(CURLU *address, const char *base, const char *end) {
    char path[4096], *whole = NULL, *copy = NULL;
    snprintf(path, sizeof path, "%s%s", base, end);
    if (curl_url_set(address, CURLUPART_PATH, path, 0) == CURLUE_OK &&
        curl_url_get(address, CURLUPART_URL, &whole, 0) == CURLUE_OK) {
        copy = ttt_string_copy(whole);
    }
    curl_free(whole);
    return copy;
}

static ttt_status set_addresses(ttt_chat_server *server, CURLU *address, const char *url, ttt_error *err) {
    char *path = NULL;
    if (!ttt_is_chat_server(url) || curl_url_set(address, CURLUPART_URL, url, 0) != CURLUE_OK ||
        curl_url_get(address, CURLUPART_PATH, &path, 0) != CURLUE_OK || strlen(path) > 2048) {
        curl_free(path);
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "the server's address is no http:// or https:// address");
    }
    cut_end(path, "/");
    cut_end(path, "/chat/completions");
    curl_url_set(address, CURLUPART_FRAGMENT, NULL, 0);
    server->chat_url = with_path(address, path, "/chat/completions");
    server->models_url = with_path(address, path, "/models");
    curl_url_set(address, CURLUPART_USER, NULL, 0);
    curl_url_set(address, CURLUPART_PASSWORD, NULL, 0);
    curl_url_set(address, CURLUPART_QUERY, NULL, 0);
    server->name = with_path(address, path, "");
    curl_free(path);
    if (server->chat_url != NULL && server->models_url != NULL && server->name != NULL) return TTT_OK;
    return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a server's address");
}

/* --- Beginning and end -------------------------------------------------------------------------------------------- */

static ttt_status no_memory(ttt_error *err) {
    return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for requests to a server");
}

static ttt_status add_header(ttt_chat_server *server, const char *line, ttt_error *err) {
    struct curl_slist *longer = curl_slist_append(server->headers, line);
    if (longer == NULL) return no_memory(err);
    server->headers = longer;
    return TTT_OK;
}

/* A line end in a key would smuggle in headers. */
static ttt_status add_key(ttt_chat_server *server, ttt_error *err) {
    static const char prefix[] = "Authorization: Bearer ";
    const char *key = getenv("OPENAI_API_KEY");
    if (key == NULL || *key == '\0') return TTT_OK;
    for (const char *c = key; *c != '\0'; c++) {
        if (!isgraph((unsigned char)*c)) {
            return ttt_fail(err, TTT_ERROR_ARGUMENT, "OPENAI_API_KEY has a character that no key has, at position %zu",
                            (size_t)(c - key));
        }
    }
    const size_t bytes = sizeof prefix + strlen(key);
    char *line = ttt_allocate(bytes, 1);
    server->key = ttt_string_copy(key);
    ttt_status status = line == NULL || server->key == NULL ? no_memory(err) : TTT_OK;
    if (status == TTT_OK) {
        snprintf(line, bytes, "%s%s", prefix, key);
        status = add_header(server, line, err);
    }
    ttt_free(line);
    return status;
}

ttt_status ttt_chat_server_new(const char *url, const ttt_solve_settings *settings, uint64_t seed,
                               ttt_chat_server **server, ttt_error *err) {
    ttt_status status;
    *server = NULL;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return no_memory(err);
    CURLU *address = curl_url();
    ttt_chat_server *s = ttt_allocate(1, sizeof *s);
    status = address == NULL || s == NULL ? no_memory(err) : TTT_OK;
    if (s == NULL) curl_global_cleanup();
    if (status != TTT_OK) goto out;
    s->settings = settings;
    s->jitter = ttt_random_stream(seed, "", "proposer");
    TTT_TRY_OUT(set_addresses(s, address, url, err));
    TTT_TRY_OUT(add_header(s, "Content-Type: application/json", err));
    TTT_TRY_OUT(add_header(s, "Expect:", err)); /* no asking whether a long question may be sent */
    TTT_TRY_OUT(add_key(s, err));
    s->multi = curl_multi_init();
    if (s->multi == NULL) status = no_memory(err);
    if (settings->proposer_model[0] != '\0') {
        s->model = ttt_string_copy(settings->proposer_model);
        if (s->model == NULL) status = no_memory(err);
    }
out:
    curl_url_cleanup(address);
    if (status == TTT_OK)
        *server = s;
    else
        ttt_chat_server_free(s);
    return status;
}

void ttt_chat_server_free(ttt_chat_server *server) {
    if (server == NULL) return;
    curl_multi_cleanup(server->multi);
    curl_slist_free_all(server->headers);
    ttt_free(server->name);
    ttt_free(server->chat_url);
    ttt_free(server->models_url);
    ttt_free(server->model);
    ttt_free(server->key);
    ttt_free(server);
    curl_global_cleanup();
}

/* --- One request -------------------------------------------------------------------------------------------------- */

typedef struct slot {
    enum { FREE, SENT, WAITING } state;
    CURL *easy;
    struct {
        char *items;
        size_t count, capacity;
    } body;
    size_t header_bytes;
    char reason[CURL_ERROR_SIZE]; /* why sending failed, in curl's words */
    int64_t retries;              /* of this request so far */
    double begun, again;          /* when it was first sent; when a waiting one is sent again */
} slot;

/* Everything about one question on its way. */
typedef struct exchange {
    ttt_chat_server *server;
    const ttt_chat_question *question;
    const char *url, *post; /* NULL: nothing is posted, only asked for */
    ttt_status (*read)(const char *body, size_t bytes, char **text, size_t *length, ttt_error *err);
    slot *slots;
    size_t slot_count, busy;
    size_t left;       /* samples that were not begun */
    char **texts;      /* [slot_count] that came since the callback was last called */
    size_t *lengths;   /* theirs */
    size_t text_count; /* of these */
    double answered;   /* when the last one came; < 0: none */
    bool over;         /* no more requests make sense */
    ttt_error failure; /* the last thing that went wrong */
} exchange;

static size_t receive_body(char *data, size_t size, size_t count, void *context) {
    slot *s = context;
    const size_t bytes = size * count;
    if (bytes > BODY_BYTES - s->body.count || TTT_RESERVE(&s->body, s->body.count + bytes, NULL) != TTT_OK) return 0;
    memcpy(s->body.items + s->body.count, data, bytes);
    s->body.count += bytes;
    return bytes;
}

static size_t receive_header(char *data, size_t size, size_t count, void *context) {
    slot *s = context;
    (void)data;
    s->header_bytes += size * count;
    return s->header_bytes > HEADER_BYTES ? 0 : size * count;
}

static long milliseconds(double seconds) {
    return seconds < 0.001 ? 1 : (long)(seconds * 1000);
}

static void send_request(exchange *e, slot *s, double now) {
    const ttt_solve_settings *settings = e->server->settings;
    double longest = settings->proposer_answer_seconds;
    const double left = e->question->deadline - now;
    if (e->question->deadline > 0 && left < longest) longest = left;
    s->body.count = s->header_bytes = 0;
    s->reason[0] = '\0';
    curl_easy_reset(s->easy);
    curl_easy_setopt(s->easy, CURLOPT_URL, e->url);
    curl_easy_setopt(s->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(s->easy, CURLOPT_USERAGENT, "ttt/" TTT_VERSION);
    curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, e->server->headers);
    if (e->post != NULL) curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, e->post);
    curl_easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, receive_body);
    curl_easy_setopt(s->easy, CURLOPT_WRITEDATA, s);
    curl_easy_setopt(s->easy, CURLOPT_HEADERFUNCTION, receive_header);
    curl_easy_setopt(s->easy, CURLOPT_HEADERDATA, s);
    curl_easy_setopt(s->easy, CURLOPT_ERRORBUFFER, s->reason);
    curl_easy_setopt(s->easy, CURLOPT_PRIVATE, s);
    curl_easy_setopt(s->easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(settings->proposer_connect_seconds));
    curl_easy_setopt(s->easy, CURLOPT_TIMEOUT_MS, milliseconds(longest));
    curl_easy_setopt(s->easy, CURLOPT_QUICK_EXIT, 1L); /* no waiting for a name that does not resolve */
    s->state = SENT;
    curl_multi_add_handle(e->server->multi, s->easy);
}

static const char *body_of(const slot *s) {
    return s->body.items == NULL ? "" : s->body.items;
}

/* What the server says about its refusal, for people: `error.message` of the body; "" when there is none, or the key
 * stands in it. */
static void explain(const exchange *e, const slot *s, char *text, size_t bytes) {
    json_t *root = NULL;
    text[0] = '\0';
    if (ttt_json_parse("", body_of(s), s->body.count, &root, NULL) != TTT_OK) return;
    const char *message = json_string_value(json_object_get(json_object_get(root, "error"), "message"));
    if (message != NULL && (e->server->key == NULL || strstr(message, e->server->key) == NULL)) {
        snprintf(text, bytes, ": %s", message);
    }
    json_decref(root);
}

typedef enum verdict { ANSWERED, FAILED_FOR_NOW, REFUSED } verdict;

/* What came of a request; if nothing good, e->failure says what. An answer joins e->texts. */
static verdict judge(exchange *e, slot *s, CURLcode code) {
    const char *name = e->server->name;
    long http = 0;
    char why[200];
    ttt_error read = {0};
    if (code == CURLE_WRITE_ERROR) {
        ttt_fail(&e->failure, TTT_ERROR_IO, "the server %s sent more than an answer can have", name);
        return FAILED_FOR_NOW;
    }
    if (code != CURLE_OK) {
        ttt_fail(&e->failure, TTT_ERROR_IO, "the server %s: %s", name,
                 s->reason[0] != '\0' ? s->reason : curl_easy_strerror(code));
        return FAILED_FOR_NOW;
    }
    curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &http);
    if (http >= 200 && http < 300) {
        if (e->read(body_of(s), s->body.count, &e->texts[e->text_count], &e->lengths[e->text_count], &read) == TTT_OK) {
            e->text_count++;
            return ANSWERED;
        }
        ttt_fail(&e->failure, TTT_ERROR_IO, "the server %s: %s", name, read.message);
        return FAILED_FOR_NOW;
    }
    explain(e, s, why, sizeof why);
    if (http >= 300 && http < 400) snprintf(why, sizeof why, ", a redirection; give it the address that it names");
    ttt_fail(&e->failure, TTT_ERROR_IO, "the server %s answered with status %ld%s", name, http, why);
    return http == 408 || http == 429 || http >= 500 ? FAILED_FOR_NOW : REFUSED;
}

/* Twice as long each time, half to one and a half of it (so that many do not come back at once); or as long as the
 * server says, if that is longer. */
static double retry_delay(const exchange *e, const slot *s) {
    curl_off_t named = 0;
    double delay = FIRST_DELAY;
    for (int64_t i = 0; i < s->retries && delay < LONGEST_DELAY; i++) delay *= 2;
    delay *= 0.5 + ttt_random_unit(&e->server->jitter);
    curl_easy_getinfo(s->easy, CURLINFO_RETRY_AFTER, &named);
    return (double)named > delay ? (double)named : delay;
}

static void finish(exchange *e, slot *s, CURLcode code) {
    const double now = ttt_clock_seconds();
    const verdict what = judge(e, s, code);
    curl_multi_remove_handle(e->server->multi, s->easy);
    /* Words of a server may hold what a terminal obeys. */
    for (char *c = e->failure.message; *c != '\0'; c++) {
        if (!isprint((unsigned char)*c)) *c = '?';
    }
    if (what == FAILED_FOR_NOW && s->retries < e->server->settings->proposer_retries) {
        const double delay = retry_delay(e, s);
        s->again = now + delay;
        if (delay <= e->server->settings->proposer_answer_seconds &&
            (e->question->deadline <= 0 || s->again < e->question->deadline)) {
            s->retries++;
            s->state = WAITING;
            return;
        }
    }
    s->state = FREE;
    e->busy--;
    if (what == ANSWERED)
        e->answered = now;
    else if (what == REFUSED || e->answered < s->begun)
        e->over = true;
}

/* --- All of them -------------------------------------------------------------------------------------------------- */

static ttt_status exchange_start(exchange *e, ttt_error *err) {
    const ttt_chat_question *q = e->question;
    e->left = q->samples;
    e->answered = -1;
    e->slot_count = q->in_flight < q->samples ? q->in_flight : q->samples;
    e->slots = ttt_allocate(e->slot_count, sizeof *e->slots);
    e->texts = ttt_allocate(e->slot_count, sizeof *e->texts);
    e->lengths = ttt_allocate(e->slot_count, sizeof *e->lengths);
    if (e->slots == NULL || e->texts == NULL || e->lengths == NULL) {
        e->slot_count = 0;
        return no_memory(err);
    }
    for (size_t i = 0; i < e->slot_count; i++) {
        e->slots[i].easy = curl_easy_init();
        if (e->slots[i].easy == NULL) return no_memory(err);
    }
    return TTT_OK;
}

static void exchange_release(exchange *e) {
    for (size_t i = 0; i < e->slot_count; i++) {
        slot *s = &e->slots[i];
        if (s->state == SENT) curl_multi_remove_handle(e->server->multi, s->easy);
        curl_easy_cleanup(s->easy);
        ttt_free(s->body.items);
    }
    for (size_t i = 0; i < e->text_count; i++) ttt_free(e->texts[i]);
    ttt_free(e->slots);
    ttt_free(e->texts);
    ttt_free(e->lengths);
}

static void send_due(exchange *e, double now) {
    for (size_t i = 0; i < e->slot_count; i++) {
        slot *s = &e->slots[i];
        if (s->state == FREE && e->left > 0) {
            e->left--;
            e->busy++;
            s->retries = 0;
            s->begun = now;
            send_request(e, s, now);
        } else if (s->state == WAITING && now >= s->again) {
            send_request(e, s, now);
        }
    }
}

static void collect(exchange *e) {
    int queued;
    for (const CURLMsg *message; (message = curl_multi_info_read(e->server->multi, &queued)) != NULL;) {
        slot *s;
        const CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE) continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&s);
        finish(e, s, code);
    }
    if (e->text_count == 0) return;
    if (!e->question->answered(e->question->context, (const char *const *)e->texts, e->lengths, e->text_count)) {
        e->over = true;
        e->failure = (ttt_error){0};
    }
    while (e->text_count > 0) ttt_free(e->texts[--e->text_count]);
}

static ttt_status exchange_run(exchange *e, ttt_error *err) {
    const ttt_chat_question *q = e->question;
    for (;;) {
        const double now = ttt_clock_seconds(), time_left = q->deadline > 0 ? q->deadline - now : WAIT_MILLISECONDS;
        int running;
        if (ttt_stop_requested(q->stop)) return ttt_fail(err, TTT_ERROR_CANCELLED, "stopped while a server was asked");
        if (e->over || time_left <= 0 || (e->left == 0 && e->busy == 0)) break;
        send_due(e, now);
        if (curl_multi_perform(e->server->multi, &running) != CURLM_OK) return no_memory(err);
        collect(e);
        const double wait = time_left * 1000 < WAIT_MILLISECONDS ? time_left * 1000 : WAIT_MILLISECONDS;
        if (!e->over) curl_multi_poll(e->server->multi, NULL, 0, (int)wait, NULL);
    }
    if (e->over && e->failure.message[0] != '\0') return ttt_fail(err, TTT_ERROR_IO, "%s", e->failure.message);
    if (e->answered >= 0) return TTT_OK;
    if (e->failure.message[0] != '\0') return ttt_fail(err, TTT_ERROR_IO, "%s", e->failure.message);
    return ttt_fail(err, TTT_ERROR_IO, "the server %s gave no answer in time", e->server->name);
}

static ttt_status exchange_all(exchange *e, ttt_error *err) {
    ttt_status status = exchange_start(e, err);
    if (status == TTT_OK) status = exchange_run(e, err);
    exchange_release(e);
    return status;
}

/* --- Asking ------------------------------------------------------------------------------------------------------- */

static bool keep_model(void *context, const char *const *texts, const size_t *lengths, size_t count) {
    ttt_chat_server *server = context;
    (void)lengths, (void)count;
    server->model = ttt_string_copy(texts[0]);
    return false;
}

static ttt_status find_model(ttt_chat_server *server, const ttt_chat_question *question, ttt_error *err) {
    if (server->model != NULL) return TTT_OK;
    const ttt_chat_question one = {.samples = 1,
                                   .in_flight = 1,
                                   .deadline = question->deadline,
                                   .stop = question->stop,
                                   .answered = keep_model,
                                   .context = server};
    exchange e = {.server = server, .question = &one, .url = server->models_url, .read = ttt_chat_read_models};
    const ttt_status status = exchange_all(&e, err);
    if (status == TTT_ERROR_IO) return ttt_fail_within(err, status, "which models are there (or set proposer.model)");
    TTT_TRY(status);
    return server->model == NULL ? no_memory(err) : TTT_OK;
}

/* The question as JSON, in jansson's memory (free). */
static char *write_post(const ttt_chat_server *server, const ttt_chat_question *q) {
    json_t *root = json_pack("{s:s, s:[{s:s, s:s}, {s:s, s:s}], s:f, s:I}", "model", server->model, "messages", "role",
                             "system", "content", q->system, "role", "user", "content", q->user, "temperature",
                             q->temperature, "max_tokens", (json_int_t)q->max_tokens);
    char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(6));
    json_decref(root);
    return text;
}

ttt_status ttt_chat_server_ask(ttt_chat_server *server, const ttt_chat_question *question, ttt_error *err) {
    TTT_TRY(find_model(server, question, err));
    char *post = write_post(server, question);
    if (post == NULL) return ttt_fail(err, TTT_ERROR_ARGUMENT, "the question, or the model's name, is no UTF-8 text");
    exchange e = {.server = server,
                  .question = question,
                  .url = server->chat_url,
                  .post = post,
                  .read = ttt_chat_read_completion};
    const ttt_status status = exchange_all(&e, err);
    free(post);
    return status;
}
