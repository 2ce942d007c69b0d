/* Inside the run store: its struct, and SQL statements with values. */
#ifndef TTT_SOLVE_STORE_INSIDE_H
#define TTT_SOLVE_STORE_INSIDE_H

#include "solve/store.h"

#include <sqlite3.h>

struct ttt_store {
    sqlite3 *database;
    char *path;
    int lock; /* descriptor of the lock file, -1: none */
};

/* The sentence for what SQLite reports now: "run.sqlite: cannot read: disk I/O error". */
ttt_status ttt_store_failed(const ttt_store *store, const char *doing, ttt_error *err);

/* Runs a statement without rows. Its values follow, by `types`: t text (NULL: null), i int64_t, d double. */
ttt_status ttt_store_change(ttt_store *store, ttt_error *err, const char *sql, const char *types, ...);
/* Ends what "BEGIN IMMEDIATE" began, as what was done since ended: keeps all of it, or nothing. Returns that status, or
 * why it could not be kept. */
ttt_status ttt_store_end(ttt_store *store, ttt_status status, ttt_error *err);
/* Prepares a statement whose rows come from ttt_store_next; the caller finalizes it (also after a failure). */
ttt_status ttt_store_query(ttt_store *store, sqlite3_stmt **statement, ttt_error *err, const char *sql,
                           const char *types, ...);
/* *row is false after the last one. */
ttt_status ttt_store_next(ttt_store *store, sqlite3_stmt *statement, bool *row, ttt_error *err);
static inline const char *ttt_store_text(sqlite3_stmt *statement, int column) {
    return (const char *)sqlite3_column_text(statement, column);
}

#endif
