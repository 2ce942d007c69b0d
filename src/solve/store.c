/* SQLite's rollback journal with full syncing: what was committed survives a kill and a power cut, what was not is
 * undone by the next open. */
#include "solve/store_inside.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char schema[] =
    "CREATE TABLE run (key TEXT PRIMARY KEY, value TEXT NOT NULL);"
    "CREATE TABLE task (id TEXT PRIMARY KEY, kind TEXT NOT NULL, task TEXT NOT NULL, tests INTEGER,"
    " status TEXT, problem TEXT, rung INTEGER, budget REAL, demonstrations INTEGER, steps INTEGER, views INTEGER,"
    " train_expected REAL, views_expected REAL, score_expected REAL, training_speed REAL, reading_speed REAL,"
    " writing_speed REAL, examples INTEGER, prepare_seconds REAL, train_seconds REAL, decode_seconds REAL,"
    " score_seconds REAL, total_seconds REAL, induce_seconds REAL, certain INTEGER);"
    "CREATE TABLE step (task TEXT, step INTEGER, loss REAL, learning_rate REAL, gradient_norm REAL,"
    " tokens INTEGER, examples INTEGER, seconds REAL, PRIMARY KEY (task, step)) WITHOUT ROWID;"
    "CREATE TABLE view (task TEXT, test INTEGER, view INTEGER, name TEXT, vote_group INTEGER,"
    " identity INTEGER, demonstrations INTEGER, prompt_tokens INTEGER, answer_tokens INTEGER, ended INTEGER,"
    " log_probability REAL, answer TEXT, PRIMARY KEY (task, test, view)) WITHOUT ROWID;"
    "CREATE TABLE candidate (task TEXT, test INTEGER, candidate INTEGER, answer TEXT, votes INTEGER,"
    " identity_votes INTEGER, first_seen INTEGER, score REAL, PRIMARY KEY (task, test, candidate)) WITHOUT ROWID;"
    "CREATE TABLE score (task TEXT, test INTEGER, candidate INTEGER, view INTEGER,"
    " log_probability REAL, PRIMARY KEY (task, test, candidate, view)) WITHOUT ROWID;"
    "CREATE TABLE program (task TEXT, program INTEGER, language TEXT, text TEXT, fits INTEGER,"
    " programs INTEGER, cost REAL, seconds REAL, PRIMARY KEY (task, program)) WITHOUT ROWID;"
    "CREATE TABLE program_answer (task TEXT, program INTEGER, test INTEGER, answer TEXT,"
    " PRIMARY KEY (task, program, test)) WITHOUT ROWID;"
    "CREATE TABLE attempt (task TEXT, test INTEGER, attempt INTEGER, answer TEXT, system INTEGER,"
    " voted TEXT, PRIMARY KEY (task, test, attempt)) WITHOUT ROWID;";

/* --- Opening ----------------------------------------------------------------------------------------------------- */

static ttt_status take_lock(ttt_store *store, const char *folder, ttt_error *err) {
    char *path = ttt_path_join(folder, "lock");
    if (path == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory to open a run store");
    store->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    ttt_status status = TTT_OK;
    if (store->lock < 0) {
        status = ttt_fail(err, TTT_ERROR_IO, "%s: cannot open: %s", path, strerror(errno));
    } else if (flock(store->lock, LOCK_EX | LOCK_NB) != 0) {
        status = ttt_fail(err, TTT_ERROR_IO, "%s: another process is solving into this run", folder);
    }
    ttt_free(path);
    return status;
}

static ttt_status open_database(ttt_store *store, const char *folder, int flags, ttt_error *err) {
    enum { WAIT_MILLISECONDS = 10000 }; /* for readers and the writer to let each other through */
    store->path = ttt_path_join(folder, "run.sqlite");
    if (store->path == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory to open a run store");
    if (sqlite3_open_v2(store->path, &store->database, flags, NULL) != SQLITE_OK)
        return ttt_store_failed(store, "open", err);
    sqlite3_busy_timeout(store->database, WAIT_MILLISECONDS);
    return TTT_OK;
}

static ttt_status read_number(ttt_store *store, const char *sql, int64_t *number, ttt_error *err) {
    sqlite3_stmt *rows = NULL;
    bool row = false;
    ttt_status status;
    TTT_TRY_OUT(ttt_store_query(store, &rows, err, sql, ""));
    TTT_TRY_OUT(ttt_store_next(store, rows, &row, err));
    *number = row ? sqlite3_column_int64(rows, 0) : 0;
out:
    sqlite3_finalize(rows);
    return status;
}

/* *fresh: there are no tables yet. */
static ttt_status check_version(ttt_store *store, bool *fresh, ttt_error *err) {
    int64_t version = 0, tables = 0;
    TTT_TRY(read_number(store, "SELECT count(*) FROM sqlite_master", &tables, err));
    TTT_TRY(read_number(store, "PRAGMA user_version", &version, err));
    *fresh = tables == 0;
    if (*fresh || version == TTT_STORE_VERSION) return TTT_OK;
    return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: a run store of version %lld, this program has version %d",
                    store->path, (long long)version, TTT_STORE_VERSION);
}

static ttt_status make_tables(ttt_store *store, ttt_error *err) {
    char sql[sizeof schema + 96];
    snprintf(sql, sizeof sql, "BEGIN IMMEDIATE;%s PRAGMA user_version = %d; COMMIT;", schema, TTT_STORE_VERSION);
    if (sqlite3_exec(store->database, sql, NULL, NULL, NULL) == SQLITE_OK) return TTT_OK;
    return ttt_store_failed(store, "make the tables", err);
}

static ttt_store *new_store(ttt_error *err) {
    ttt_store *store = ttt_allocate(1, sizeof *store);
    if (store == NULL) {
        ttt_fail(err, TTT_ERROR_MEMORY, "no memory to open a run store");
    } else {
        store->lock = -1;
    }
    return store;
}

ttt_status ttt_store_open(const char *folder, ttt_store **store, ttt_error *err) {
    ttt_status status;
    bool fresh;
    *store = NULL;
    ttt_store *made = new_store(err);
    if (made == NULL) return TTT_ERROR_MEMORY;
    TTT_TRY_OUT(ttt_folder_make(folder, err));
    TTT_TRY_OUT(take_lock(made, folder, err));
    TTT_TRY_OUT(open_database(made, folder, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err));
    TTT_TRY_OUT(check_version(made, &fresh, err));
    if (fresh) TTT_TRY_OUT(make_tables(made, err));
    *store = made;
    made = NULL;
out:
    ttt_store_close(made);
    return status;
}

ttt_status ttt_store_open_to_read(const char *folder, ttt_store **store, ttt_error *err) {
    ttt_status status;
    bool fresh;
    *store = NULL;
    ttt_store *made = new_store(err);
    if (made == NULL) return TTT_ERROR_MEMORY;
    /* Not read-only for SQLite: a journal that a killed writer left must be undone by whoever comes next. */
    TTT_TRY_OUT(open_database(made, folder, SQLITE_OPEN_READWRITE, err));
    TTT_TRY_OUT(check_version(made, &fresh, err));
    *store = made;
    made = NULL;
out:
    ttt_store_close(made);
    return status;
}

void ttt_store_close(ttt_store *store) {
    if (store == NULL) return;
    sqlite3_close(store->database);
    if (store->lock >= 0) close(store->lock);
    ttt_free(store->path);
    ttt_free(store);
}

/* --- Facts ------------------------------------------------------------------------------------------------------- */

static ttt_status set_fact(ttt_store *store, const char *key, const json_t *value, ttt_error *err) {
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    if (text == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the facts of a run");
    ttt_status status = ttt_store_change(store, err, "INSERT OR REPLACE INTO run VALUES (?, ?)", "tt", key, text);
    free(text);
    return status;
}

ttt_status ttt_store_facts(ttt_store *store, json_t **facts, ttt_error *err) {
    ttt_status status;
    sqlite3_stmt *rows = NULL;
    bool row;
    *facts = json_object();
    TTT_TRY_OUT(ttt_store_query(store, &rows, err, "SELECT key, value FROM run", ""));
    for (;;) {
        TTT_TRY_OUT(ttt_store_next(store, rows, &row, err));
        if (!row) break;
        json_t *value = json_loads(ttt_store_text(rows, 1), JSON_DECODE_ANY, NULL);
        if (value == NULL)
            TTT_TRY_OUT(
                ttt_fail(err, TTT_ERROR_FORMAT, "%s: fact '%s' is not JSON", store->path, ttt_store_text(rows, 0)));
        if (json_object_set_new(*facts, ttt_store_text(rows, 0), value) != 0) {
            TTT_TRY_OUT(ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the facts of a run"));
        }
    }
out:
    sqlite3_finalize(rows);
    if (status != TTT_OK) {
        json_decref(*facts);
        *facts = NULL;
    }
    return status;
}

static ttt_status set_facts(ttt_store *store, const json_t *facts, ttt_error *err) {
    json_t *value;
    const char *key;
    json_object_foreach((json_t *)facts, key, value) TTT_TRY(set_fact(store, key, value, err));
    return TTT_OK;
}

ttt_status ttt_store_begin(ttt_store *store, const json_t *facts, const char *const *must_agree, ttt_error *err) {
    ttt_status status = TTT_OK;
    json_t *old = NULL;
    TTT_TRY(ttt_store_facts(store, &old, err));
    for (; *must_agree != NULL && json_object_size(old) > 0; must_agree++) {
        const json_t *before = json_object_get(old, *must_agree), *now = json_object_get(facts, *must_agree);
        TTT_TRY_OUT(ttt_json_check_same(store->path, *must_agree, before, now, err));
    }
    /* All or none: a run of which only some facts are known could never be gone on with. */
    TTT_TRY_OUT(ttt_store_change(store, err, "BEGIN IMMEDIATE", ""));
    status = ttt_store_end(store, set_facts(store, facts, err), err);
out:
    json_decref(old);
    return status;
}
