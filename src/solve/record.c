#include "solve/record.h"

const char *ttt_system_name(ttt_system system) {
    static const char *const names[] = {"nobody", "programs", "model", "both"};
    return names[system];
}

ttt_status ttt_task_record_init(ttt_task_record *record, const char *id, size_t tests, ttt_error *err) {
    ttt_status status;
    *record = (ttt_task_record){0};
    TTT_TRY_OUT(ttt_arena_new(&record->arena, (size_t)1 << 16, err));
    TTT_TRY_OUT(ttt_task_record_string(record, id, &record->id, err));
    record->tests = ttt_allocate(tests, sizeof *record->tests);
    if (record->tests == NULL) {
        status = ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the record of task '%s'", id);
        goto out;
    }
    record->test_count = tests;
out:
    if (status != TTT_OK) ttt_task_record_release(record);
    return status;
}

void ttt_task_record_release(ttt_task_record *record) {
    for (size_t i = 0; i < record->test_count; i++) {
        ttt_free(record->tests[i].views.items);
        ttt_free(record->tests[i].candidates.items);
        ttt_free(record->tests[i].scores.items);
    }
    ttt_free(record->tests);
    ttt_free(record->steps.items);
    ttt_free(record->induction.items);
    ttt_arena_free(record->arena);
    *record = (ttt_task_record){0};
}

ttt_status ttt_task_record_string(ttt_task_record *record, const char *text, const char **copy, ttt_error *err) {
    *copy = ttt_arena_string(record->arena, text);
    return *copy == NULL ? ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the record of a task") : TTT_OK;
}
