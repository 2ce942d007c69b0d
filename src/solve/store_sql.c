#include "solve/store_inside.h"

#include <stdarg.h>

ttt_status ttt_store_failed(const ttt_store *store, const char *doing, ttt_error *err) {
    return ttt_fail(err, TTT_ERROR_IO, "%s: cannot %s: %s", store->path, doing, sqlite3_errmsg(store->database));
}

static ttt_status bind_all(ttt_store *store, sqlite3_stmt *statement, const char *types, va_list values,
                           ttt_error *err) {
    for (int i = 0; types[i] != '\0'; i++) {
        int code = SQLITE_MISUSE;
        if (types[i] == 't')
            code = sqlite3_bind_text(statement, i + 1, va_arg(values, const char *), -1, SQLITE_STATIC);
        if (types[i] == 'i') code = sqlite3_bind_int64(statement, i + 1, va_arg(values, int64_t));
        if (types[i] == 'd') code = sqlite3_bind_double(statement, i + 1, va_arg(values, double));
        if (code != SQLITE_OK) return ttt_store_failed(store, "bind a value", err);
    }
    return TTT_OK;
}

ttt_status ttt_store_change(ttt_store *store, ttt_error *err, const char *sql, const char *types, ...) {
    sqlite3_stmt *statement = NULL;
    va_list values;
    if (sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) != SQLITE_OK)
        return ttt_store_failed(store, "write", err);
    va_start(values, types);
    ttt_status status = bind_all(store, statement, types, values, err);
    va_end(values);
    if (status == TTT_OK && sqlite3_step(statement) != SQLITE_DONE) status = ttt_store_failed(store, "write", err);
    sqlite3_finalize(statement);
    return status;
}

ttt_status ttt_store_end(ttt_store *store, ttt_status status, ttt_error *err) {
    if (status == TTT_OK) status = ttt_store_change(store, err, "COMMIT", "");
    if (status != TTT_OK) sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

ttt_status ttt_store_query(ttt_store *store, sqlite3_stmt **statement, ttt_error *err, const char *sql,
                           const char *types, ...) {
    va_list values;
    *statement = NULL;
    if (sqlite3_prepare_v2(store->database, sql, -1, statement, NULL) != SQLITE_OK)
        return ttt_store_failed(store, "read", err);
    va_start(values, types);
    ttt_status status = bind_all(store, *statement, types, values, err);
    va_end(values);
    return status;
}

ttt_status ttt_store_next(ttt_store *store, sqlite3_stmt *statement, bool *row, ttt_error *err) {
    int code = sqlite3_step(statement);
    *row = code == SQLITE_ROW;
    return code == SQLITE_ROW || code == SQLITE_DONE ? TTT_OK : ttt_store_failed(store, "read", err);
}
