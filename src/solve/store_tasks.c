/* Tasks in the run store: one row for the plan, one each for steps, views, candidates, scores and attempts. */
#include "solve/store_inside.h"

#include <stdlib.h>
#include <string.h>

/* --- Saving ------------------------------------------------------------------------------------------------------ */

static ttt_status save_task(ttt_store *store, const char *kind, const char *task, const ttt_task_record *record,
                            ttt_error *err) {
    const ttt_plan *plan = &record->plan;
    const ttt_timings *timings = &record->timings;
    return ttt_store_change(
        store, err,
        "INSERT INTO task VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "tttittidiiiddddddiddddddi", record->id, kind, task, (int64_t)record->test_count,
        ttt_status_name(record->status), record->problem, (int64_t)plan->rung, plan->budget,
        (int64_t)plan->demonstrations, plan->steps, (int64_t)plan->views, plan->train_seconds, plan->view_seconds,
        plan->score_seconds, plan->speed.training, plan->speed.reading, plan->speed.writing, (int64_t)record->examples,
        timings->prepare, timings->train, timings->decode, timings->score, timings->total, timings->induce,
        (int64_t)record->induction.certain);
}

static ttt_status save_programs(ttt_store *store, const ttt_task_record *record, ttt_error *err) {
    for (size_t i = 0; i < record->induction.count; i++) {
        const ttt_induced_record *program = &record->induction.items[i];
        TTT_TRY(ttt_store_change(store, err, "INSERT INTO program VALUES (?, ?, ?, ?, ?, ?, ?, ?)", "tittiidd",
                                 record->id, (int64_t)i, program->language, program->program, (int64_t)program->fits,
                                 program->programs, program->cost, program->seconds));
        for (size_t test = 0; test < record->test_count; test++) {
            TTT_TRY(ttt_store_change(store, err, "INSERT INTO program_answer VALUES (?, ?, ?, ?)", "tiit", record->id,
                                     (int64_t)i, (int64_t)test, program->answers[test]));
        }
    }
    return TTT_OK;
}

static ttt_status save_steps(ttt_store *store, const ttt_task_record *record, ttt_error *err) {
    for (size_t i = 0; i < record->steps.count; i++) {
        const ttt_step_record *step = &record->steps.items[i];
        TTT_TRY(ttt_store_change(store, err, "INSERT INTO step VALUES (?, ?, ?, ?, ?, ?, ?, ?)", "tidddiid", record->id,
                                 (int64_t)i, step->loss, step->learning_rate, step->gradient_norm, step->tokens,
                                 step->examples, step->seconds));
    }
    return TTT_OK;
}

static ttt_status save_test(ttt_store *store, const char *id, int64_t number, const ttt_test_record *test,
                            ttt_error *err) {
    for (size_t i = 0; i < test->views.count; i++) {
        const ttt_view_record *view = &test->views.items[i];
        TTT_TRY(ttt_store_change(store, err, "INSERT INTO view VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                                 "tiitiiiiiidt", id, number, (int64_t)i, view->name, (int64_t)view->group,
                                 (int64_t)view->identity, (int64_t)view->demonstrations, (int64_t)view->prompt_tokens,
                                 (int64_t)view->answer_tokens, (int64_t)view->end, view->log_probability,
                                 view->answer));
    }
    for (size_t i = 0; i < test->candidates.count; i++) {
        const ttt_candidate_record *candidate = &test->candidates.items[i];
        TTT_TRY(ttt_store_change(store, err, "INSERT INTO candidate VALUES (?, ?, ?, ?, ?, ?, ?, ?)", "tiitiiid", id,
                                 number, (int64_t)i, candidate->answer, candidate->votes, candidate->identity_votes,
                                 candidate->first_seen, candidate->score));
    }
    for (size_t i = 0; i < test->scores.count; i++) {
        const ttt_score_record *score = &test->scores.items[i];
        TTT_TRY(ttt_store_change(store, err, "INSERT INTO score VALUES (?, ?, ?, ?, ?)", "tiiid", id, number,
                                 score->candidate, score->view, score->log_probability));
    }
    for (int i = 0; i < 2; i++) {
        TTT_TRY(ttt_store_change(store, err, "INSERT INTO attempt VALUES (?, ?, ?, ?, ?, ?)", "tiitit", id, number,
                                 (int64_t)i + 1, test->attempts[i], (int64_t)test->systems[i], test->voted[i]));
    }
    return TTT_OK;
}

static ttt_status remove_task(ttt_store *store, const char *id, ttt_error *err) {
    static const char *const statements[] = {"DELETE FROM task WHERE id = ?",
                                             "DELETE FROM program WHERE task = ?",
                                             "DELETE FROM program_answer WHERE task = ?",
                                             "DELETE FROM step WHERE task = ?",
                                             "DELETE FROM view WHERE task = ?",
                                             "DELETE FROM candidate WHERE task = ?",
                                             "DELETE FROM score WHERE task = ?",
                                             "DELETE FROM attempt WHERE task = ?"};
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        TTT_TRY(ttt_store_change(store, err, statements[i], "t", id));
    }
    return TTT_OK;
}

static ttt_status replace_task(ttt_store *store, const char *kind, const char *task, const ttt_task_record *record,
                               ttt_error *err) {
    TTT_TRY(remove_task(store, record->id, err));
    TTT_TRY(save_task(store, kind, task, record, err));
    TTT_TRY(save_programs(store, record, err));
    TTT_TRY(save_steps(store, record, err));
    for (size_t i = 0; i < record->test_count; i++) {
        TTT_TRY(save_test(store, record->id, (int64_t)i, &record->tests[i], err));
    }
    return TTT_OK;
}

ttt_status ttt_store_save(ttt_store *store, const char *kind, const json_t *task, const ttt_task_record *record,
                          ttt_error *err) {
    char *text = json_dumps(task, JSON_COMPACT);
    if (text == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory to save task '%s'", record->id);
    ttt_status status = ttt_store_change(store, err, "BEGIN IMMEDIATE", "");
    if (status == TTT_OK) status = ttt_store_end(store, replace_task(store, kind, text, record, err), err);
    free(text);
    return status == TTT_OK ? TTT_OK : ttt_fail_within(err, status, "saving task '%s'", record->id);
}

/* --- Loading ----------------------------------------------------------------------------------------------------- */

static ttt_status status_of(const char *name) {
    int status = TTT_OK;
    while (status < TTT_STATUS_COUNT && strcmp(ttt_status_name((ttt_status)status), name) != 0) status++;
    return status == TTT_STATUS_COUNT ? TTT_ERROR_FORMAT : (ttt_status)status;
}

/* A text of a row into the record; NULL stays NULL. */
static ttt_status take_text(ttt_task_record *record, sqlite3_stmt *row, int column, const char **text, ttt_error *err) {
    *text = NULL;
    const char *found = ttt_store_text(row, column);
    return found == NULL ? TTT_OK : ttt_task_record_string(record, found, text, err);
}

static ttt_status take_task(sqlite3_stmt *row, const char *id, ttt_task_record *record, ttt_error *err) {
    ttt_plan *plan = &record->plan;
    ttt_timings *timings = &record->timings;
    int64_t tests = sqlite3_column_int64(row, 3);
    if (tests < 0 || tests > INT32_MAX) return ttt_fail(err, TTT_ERROR_FORMAT, "%lld tests", (long long)tests);
    TTT_TRY(ttt_task_record_init(record, id, (size_t)tests, err));
    record->status = status_of(sqlite3_column_type(row, 4) == SQLITE_NULL ? "" : ttt_store_text(row, 4));
    TTT_TRY(take_text(record, row, 5, &record->problem, err));
    const int rung = sqlite3_column_int(row, 6);
    if (rung < 0 || rung >= TTT_RUNG_COUNT) return ttt_fail(err, TTT_ERROR_FORMAT, "its rung is %d", rung);
    plan->rung = (ttt_rung)rung;
    plan->budget = sqlite3_column_double(row, 7);
    plan->demonstrations = (size_t)sqlite3_column_int64(row, 8);
    plan->steps = sqlite3_column_int64(row, 9);
    plan->views = (size_t)sqlite3_column_int64(row, 10);
    plan->train_seconds = sqlite3_column_double(row, 11);
    plan->view_seconds = sqlite3_column_double(row, 12);
    plan->score_seconds = sqlite3_column_double(row, 13);
    plan->speed.training = sqlite3_column_double(row, 14);
    plan->speed.reading = sqlite3_column_double(row, 15);
    plan->speed.writing = sqlite3_column_double(row, 16);
    record->examples = (size_t)sqlite3_column_int64(row, 17);
    timings->prepare = sqlite3_column_double(row, 18);
    timings->train = sqlite3_column_double(row, 19);
    timings->decode = sqlite3_column_double(row, 20);
    timings->score = sqlite3_column_double(row, 21);
    timings->total = sqlite3_column_double(row, 22);
    timings->induce = sqlite3_column_double(row, 23);
    record->induction.certain = sqlite3_column_int(row, 24) != 0;
    return TTT_OK;
}

/* The test of a row whose first column is its number. */
static ttt_status test_of(ttt_task_record *record, sqlite3_stmt *row, ttt_test_record **test, ttt_error *err) {
    int64_t number = sqlite3_column_int64(row, 0);
    if (number < 0 || (size_t)number >= record->test_count) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "test %lld of %zu", (long long)number, record->test_count);
    }
    *test = &record->tests[number];
    return TTT_OK;
}

/* A program without its answers, which follow. */
static ttt_status take_program(ttt_task_record *record, sqlite3_stmt *row, ttt_error *err) {
    ttt_induced_record program = {.answers =
                                      ttt_arena_allocate(record->arena, record->test_count, sizeof *program.answers),
                                  .fits = sqlite3_column_int(row, 2) != 0,
                                  .programs = sqlite3_column_int64(row, 3),
                                  .cost = sqlite3_column_double(row, 4),
                                  .seconds = sqlite3_column_double(row, 5)};
    if (program.answers == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the answers of a program");
    TTT_TRY(take_text(record, row, 0, &program.language, err));
    TTT_TRY(take_text(record, row, 1, &program.program, err));
    return TTT_PUSH(&record->induction, program, err);
}

static ttt_status take_program_answer(ttt_task_record *record, sqlite3_stmt *row, ttt_error *err) {
    ttt_test_record *test = NULL;
    TTT_TRY(test_of(record, row, &test, err));
    int64_t number = sqlite3_column_int64(row, 1);
    if (number < 0 || (size_t)number >= record->induction.count) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "program %lld of %zu", (long long)number, record->induction.count);
    }
    return take_text(record, row, 2, &record->induction.items[number].answers[test - record->tests], err);
}

/* Every program must have an answer to every test input. */
static ttt_status check_programs(const ttt_task_record *record, ttt_error *err) {
    for (size_t i = 0; i < record->induction.count; i++) {
        const ttt_induced_record *program = &record->induction.items[i];
        bool whole = program->language != NULL && program->program != NULL;
        for (size_t test = 0; whole && test < record->test_count; test++) whole = program->answers[test] != NULL;
        if (!whole) return ttt_fail(err, TTT_ERROR_FORMAT, "program %zu is not complete", i);
    }
    return TTT_OK;
}

static ttt_status take_step(ttt_task_record *record, sqlite3_stmt *row, ttt_error *err) {
    ttt_step_record step = {.loss = sqlite3_column_double(row, 0),
                            .learning_rate = sqlite3_column_double(row, 1),
                            .gradient_norm = sqlite3_column_double(row, 2),
                            .tokens = sqlite3_column_int64(row, 3),
                            .examples = sqlite3_column_int64(row, 4),
                            .seconds = sqlite3_column_double(row, 5)};
    return TTT_PUSH(&record->steps, step, err);
}

static ttt_status take_view(ttt_task_record *record, sqlite3_stmt *row, ttt_error *err) {
    ttt_test_record *test = NULL;
    TTT_TRY(test_of(record, row, &test, err));
    ttt_view_record view = {.group = sqlite3_column_int(row, 2),
                            .identity = sqlite3_column_int(row, 3) != 0,
                            .demonstrations = sqlite3_column_int(row, 4),
                            .prompt_tokens = sqlite3_column_int(row, 5),
                            .answer_tokens = sqlite3_column_int(row, 6),
                            .end = (ttt_decode_end)sqlite3_column_int(row, 7),
                            .log_probability = sqlite3_column_double(row, 8)};
    TTT_TRY(take_text(record, row, 1, &view.name, err));
    TTT_TRY(take_text(record, row, 9, &view.answer, err));
    return TTT_PUSH(&test->views, view, err);
}

static ttt_status take_candidate(ttt_task_record *record, sqlite3_stmt *row, ttt_error *err) {
    ttt_test_record *test = NULL;
    TTT_TRY(test_of(record, row, &test, err));
    ttt_candidate_record candidate = {.votes = sqlite3_column_int64(row, 2),
                                      .identity_votes = sqlite3_column_int64(row, 3),
                                      .first_seen = sqlite3_column_int64(row, 4),
                                      .score = sqlite3_column_double(row, 5)};
    TTT_TRY(take_text(record, row, 1, &candidate.answer, err));
    if (candidate.answer == NULL) return ttt_fail(err, TTT_ERROR_FORMAT, "a candidate without an answer");
    return TTT_PUSH(&test->candidates, candidate, err);
}

static ttt_status take_score(ttt_task_record *record, sqlite3_stmt *row, ttt_error *err) {
    ttt_test_record *test = NULL;
    TTT_TRY(test_of(record, row, &test, err));
    ttt_score_record score = {sqlite3_column_int64(row, 1), sqlite3_column_int64(row, 2),
                              sqlite3_column_double(row, 3)};
    return TTT_PUSH(&test->scores, score, err);
}

static ttt_status take_attempt(ttt_task_record *record, sqlite3_stmt *row, ttt_error *err) {
    ttt_test_record *test = NULL;
    TTT_TRY(test_of(record, row, &test, err));
    int64_t number = sqlite3_column_int64(row, 1);
    if (number < 1 || number > 2) return ttt_fail(err, TTT_ERROR_FORMAT, "attempt %lld", (long long)number);
    test->systems[number - 1] = (ttt_system)(sqlite3_column_int(row, 3) & TTT_SYSTEM_BOTH);
    TTT_TRY(take_text(record, row, 4, &test->voted[number - 1], err));
    return take_text(record, row, 2, &test->attempts[number - 1], err);
}

static ttt_status take_all(ttt_store *store, ttt_task_record *record, const char *sql,
                           ttt_status (*take)(ttt_task_record *, sqlite3_stmt *, ttt_error *), ttt_error *err) {
    sqlite3_stmt *rows = NULL;
    bool row;
    ttt_status status;
    TTT_TRY_OUT(ttt_store_query(store, &rows, err, sql, "t", record->id));
    for (;;) {
        TTT_TRY_OUT(ttt_store_next(store, rows, &row, err));
        if (!row) break;
        TTT_TRY_OUT(take(record, rows, err));
    }
out:
    sqlite3_finalize(rows);
    return status;
}

static ttt_status take_details(ttt_store *store, ttt_task_record *record, ttt_error *err) {
    TTT_TRY(take_all(store, record,
                     "SELECT language, text, fits, programs, cost, seconds FROM program WHERE task = ?"
                     " ORDER BY program",
                     take_program, err));
    TTT_TRY(take_all(store, record,
                     "SELECT test, program, answer FROM program_answer WHERE task = ? ORDER BY program, test",
                     take_program_answer, err));
    TTT_TRY(check_programs(record, err));
    TTT_TRY(take_all(store, record,
                     "SELECT loss, learning_rate, gradient_norm, tokens, examples, seconds FROM step WHERE task = ?"
                     " ORDER BY step",
                     take_step, err));
    TTT_TRY(take_all(store, record,
                     "SELECT test, name, vote_group, identity, demonstrations, prompt_tokens, answer_tokens, ended,"
                     " log_probability, answer FROM view WHERE task = ? ORDER BY test, view",
                     take_view, err));
    TTT_TRY(take_all(store, record,
                     "SELECT test, answer, votes, identity_votes, first_seen, score FROM candidate WHERE task = ?"
                     " ORDER BY test, candidate",
                     take_candidate, err));
    TTT_TRY(take_all(store, record,
                     "SELECT test, candidate, view, log_probability FROM score WHERE task = ?"
                     " ORDER BY test, view, candidate",
                     take_score, err));
    return take_all(store, record,
                    "SELECT test, attempt, answer, system, voted FROM attempt WHERE task = ? ORDER BY test, attempt",
                    take_attempt, err);
}

ttt_status ttt_store_load(ttt_store *store, const char *id, ttt_task_record *record, json_t **task, bool *found,
                          ttt_error *err) {
    sqlite3_stmt *rows = NULL;
    json_t *object = NULL;
    ttt_status status;
    *found = false;
    *record = (ttt_task_record){0};
    TTT_TRY_OUT(ttt_store_query(store, &rows, err, "SELECT * FROM task WHERE id = ?", "t", id));
    TTT_TRY_OUT(ttt_store_next(store, rows, found, err));
    if (!*found) goto out;
    TTT_TRY_OUT(take_task(rows, id, record, err));
    if (task != NULL)
        TTT_TRY_OUT(ttt_json_parse("task", ttt_store_text(rows, 2), strlen(ttt_store_text(rows, 2)), &object, err));
    TTT_TRY_OUT(take_details(store, record, err));
    if (task != NULL) *task = object;
    object = NULL;
out:
    sqlite3_finalize(rows);
    json_decref(object);
    if (status == TTT_OK) return TTT_OK;
    *found = false;
    ttt_task_record_release(record);
    return ttt_fail_within(err, status, "%s: task '%s'", store->path, id);
}

ttt_status ttt_store_ids(ttt_store *store, char ***ids, size_t *count, ttt_error *err) {
    struct {
        char **items;
        size_t count, capacity;
    } list = {0};
    sqlite3_stmt *rows = NULL;
    bool row;
    ttt_status status;
    TTT_TRY_OUT(ttt_store_query(store, &rows, err, "SELECT id FROM task WHERE id IS NOT NULL ORDER BY rowid", ""));
    for (;;) {
        TTT_TRY_OUT(ttt_store_next(store, rows, &row, err));
        if (!row) break;
        TTT_TRY_OUT(TTT_PUSH(&list, NULL, err));
        list.items[list.count - 1] = ttt_string_copy(ttt_store_text(rows, 0));
        if (list.items[list.count - 1] == NULL) TTT_TRY_OUT(ttt_fail(err, TTT_ERROR_MEMORY, "no memory for task ids"));
    }
out:
    sqlite3_finalize(rows);
    for (size_t i = 0; status != TTT_OK && i < list.count; i++) ttt_free(list.items[i]);
    if (status != TTT_OK) {
        ttt_free(list.items);
        return status;
    }
    *ids = list.items;
    *count = list.count;
    return TTT_OK;
}
