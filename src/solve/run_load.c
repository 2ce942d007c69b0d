/* From a run store back to tasks and submissions, with the votes as they were or re-done. */
#include "solve/choose.h"
#include "solve/ensemble.h"
#include "solve/problem_arc.h"
#include "solve/run.h"

ttt_status ttt_run_submit(ttt_submission *submission, const ttt_task_record *record, ttt_error *err) {
    for (size_t i = 0; i < record->test_count; i++) {
        ttt_grid grids[2];
        for (int k = 0; k < 2; k++) {
            const char *attempt = record->tests[i].attempts[k];
            TTT_TRY(ttt_grid_from_text(attempt == NULL ? "[[0]]" : attempt, &grids[k], err));
        }
        TTT_TRY(ttt_submission_set(submission, record->id, i, &grids[0], &grids[1], err));
    }
    return TTT_OK;
}

static ttt_status load_task(ttt_store *store, const char *id, int method, ttt_task_set *tasks,
                            ttt_submission *submission, ttt_error *err) {
    ttt_status status;
    ttt_task_record record = {0};
    ttt_task task = {0};
    json_t *object = NULL;
    bool found;
    TTT_TRY_OUT(ttt_store_load(store, id, &record, &object, &found, err));
    TTT_TRY_OUT(ttt_task_from_json(object, id, &task, err));
    for (size_t i = 0; method >= 0 && i < record.test_count; i++) {
        TTT_TRY_OUT(ttt_choose_voted((ttt_vote_method)method, &record.tests[i], ttt_arc_vote, record.arena, err));
        TTT_TRY_OUT(ttt_ensemble_attempts(&record, i, err));
    }
    TTT_TRY_OUT(ttt_run_submit(submission, &record, err));
    TTT_TRY_OUT(ttt_task_set_add(tasks, &task, err));
out:
    ttt_task_release(&task);
    ttt_task_record_release(&record);
    json_decref(object);
    return status == TTT_OK ? TTT_OK : ttt_fail_within(err, status, "task '%s'", id);
}

ttt_status ttt_run_load(const char *folder, int method, ttt_task_set *tasks, ttt_submission *submission,
                        ttt_error *err) {
    ttt_store *store = NULL;
    char **ids = NULL;
    size_t count = 0;
    ttt_status status;
    TTT_TRY_OUT(ttt_store_open_to_read(folder, &store, err));
    TTT_TRY_OUT(ttt_store_ids(store, &ids, &count, err));
    for (size_t i = 0; i < count; i++) TTT_TRY_OUT(load_task(store, ids[i], method, tasks, submission, err));
out:
    for (size_t i = 0; i < count; i++) ttt_free(ids[i]);
    ttt_free(ids);
    ttt_store_close(store);
    return status == TTT_OK ? TTT_OK : ttt_fail_within(err, status, "%s", folder);
}
