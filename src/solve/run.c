#include "solve/run.h"

#include "base/file.h"
#include "solve/problem_arc.h"

#include <math.h>
#include <string.h>

typedef struct run {
    const ttt_run_options *options;
    const ttt_task_set *tasks;
    ttt_submission *submission;
    const ttt_codec *codec;
    ttt_solver *solver;
    ttt_store *store; /* or NULL */
    size_t done, *failures;
    size_t ahead; /* tasks not yet solved, neither in this start nor in one before */
} run;

/* --- Facts ------------------------------------------------------------------------------------------------------- */

/* A file's name, its size and content; of a large one a sample, the first 64 kB of every 16 MB, for what two trainings
 * of one model change lies anywhere. What cannot be read counts as empty: loading the model has already said so. */
static uint64_t hash_file(uint64_t hash, const char *path, const char *name) {
    const size_t large = (size_t)64 << 20, sample = (size_t)64 << 10;
    ttt_file_map map = {0};
    if (ttt_file_map_open(&map, path, NULL) != TTT_OK) return hash;
    const size_t stride = map.bytes > large ? (size_t)16 << 20 : sample;
    hash = ttt_hash(hash, name, strlen(name) + 1);
    hash = ttt_hash(hash, &map.bytes, sizeof map.bytes);
    for (size_t at = 0; at < map.bytes; at += stride) {
        const size_t left = map.bytes - at;
        hash = ttt_hash(hash, map.data + at, left < sample ? left : sample);
    }
    ttt_file_map_close(&map);
    return hash;
}

static uint64_t hash_inside(uint64_t hash, const char *folder, const char *name) {
    char *path = ttt_path_join(folder, name);
    if (path != NULL) hash = hash_file(hash, path, name);
    ttt_free(path);
    return hash;
}

/* Tells models apart: samples of a GGUF file; or of a folder's configuration, its tokenizer and every file of weights.
 */
static uint64_t fingerprint(const char *path) {
    ttt_folder_list files = {0};
    if (!ttt_file_is_folder(path)) return hash_file(TTT_HASH_START, path, "gguf");
    uint64_t hash = hash_inside(TTT_HASH_START, path, "config.json");
    hash = hash_inside(hash, path, "tokenizer.json");
    if (ttt_folder_list_read(&files, path, ".safetensors", NULL) != TTT_OK) return hash;
    for (size_t i = 0; i < files.count; i++) hash = hash_inside(hash, path, files.names[i]);
    ttt_folder_list_free(&files);
    return hash;
}

static json_t *facts_of(const run *self, ttt_model *model) {
    const ttt_run_options *options = self->options;
    char print[32] = "";
    int64_t parameters = 0;
    if (model != NULL) {
        snprintf(print, sizeof print, "%016llx", (unsigned long long)fingerprint(options->model_path));
        parameters = ttt_model_config_parameters(ttt_model_get_config(model));
    }
    return json_pack("{s:s, s:s, s:s?, s:s, s:s?, s:s?, s:f, s:I, s:I, s:o}", "version", TTT_VERSION, "method",
                     ttt_method_name(options->method), "model", options->model_path, "model_fingerprint", print,
                     "backend", model == NULL ? NULL : ttt_model_get_backend(model)->ops->name, "proposer",
                     options->proposer, "budget", options->budget, "seed", (json_int_t)options->seed, "parameters",
                     (json_int_t)parameters, "settings", ttt_settings_to_json(&ttt_solve_table, options->settings));
}

static ttt_status open_store(run *self, ttt_model *model, ttt_error *err) {
    static const char *const must_agree[] = {"method", "model_fingerprint", "proposer", "budget",
                                             "seed",   "settings",          NULL};
    TTT_TRY(ttt_store_open(self->options->store, &self->store, err));
    json_t *facts = facts_of(self, model);
    if (facts == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the facts of a run");
    ttt_status status = ttt_store_begin(self->store, facts, must_agree, err);
    json_decref(facts);
    return status;
}

/* --- Tasks ------------------------------------------------------------------------------------------------------- */

static ttt_status write_submission(const run *self, ttt_error *err) {
    return self->options->out == NULL ? TTT_OK : ttt_submission_write(self->submission, self->options->out, err);
}

/* The task is done: submission, caller. */
static ttt_status conclude(run *self, const ttt_task *task, const ttt_task_record *record, bool resumed,
                           ttt_error *err) {
    TTT_TRY(ttt_run_submit(self->submission, record, err));
    self->done++;
    if (record->status != TTT_OK) ++*self->failures;
    ttt_run_report report = {.task = task,
                             .record = record,
                             .entry = ttt_submission_find(self->submission, task->id),
                             .done = self->done,
                             .total = self->tasks->count,
                             .resumed = resumed};
    if (self->options->solved != NULL) self->options->solved(self->options->context, &report);
    return TTT_OK;
}

/* The same demonstrations and test inputs; outputs of tests do not count, they may have become known since. */
static bool same_task(const json_t *a, const json_t *b) {
    const json_t *tests = json_object_get(a, "test"), *others = json_object_get(b, "test");
    bool same = json_equal(json_object_get(a, "train"), json_object_get(b, "train")) &&
                json_array_size(tests) == json_array_size(others);
    for (size_t i = 0; same && i < json_array_size(tests); i++) {
        same = json_equal(json_object_get(json_array_get(tests, i), "input"),
                          json_object_get(json_array_get(others, i), "input"));
    }
    return same;
}

/* What the store holds of a task that was solved, in *record (to be released); a task that failed counts as not there,
 * perhaps it will not fail again. That another task has this id is an error. */
static ttt_status load_solved(const run *self, const ttt_task *task, ttt_task_record *record, bool *found,
                              ttt_error *err) {
    json_t *stored = NULL, *now = NULL;
    ttt_status status;
    *found = false;
    *record = (ttt_task_record){0};
    if (self->store == NULL) return TTT_OK;
    TTT_TRY_OUT(ttt_store_load(self->store, task->id, record, &stored, found, err));
    if (!*found) goto out;
    now = ttt_task_to_json(task);
    if (now == NULL) {
        status = ttt_fail(err, TTT_ERROR_MEMORY, "no memory to compare task '%s'", task->id);
    } else if (!same_task(now, stored) || record->test_count != task->test_count) {
        status = ttt_fail(err, TTT_ERROR_ARGUMENT, "%s: holds another task '%s'", self->options->store, task->id);
    }
    *found = status == TTT_OK && record->status == TTT_OK;
out:
    json_decref(now);
    json_decref(stored);
    if (!*found) ttt_task_record_release(record);
    return status;
}

/* Before the submission is first written: it must not lose for a while the answers that an earlier start gave. What
 * remains is ahead. */
static ttt_status submit_solved(run *self, ttt_error *err) {
    self->ahead = self->tasks->count;
    for (size_t i = 0; i < self->tasks->count; i++) {
        ttt_task_record record;
        bool found;
        TTT_TRY(load_solved(self, &self->tasks->items[i], &record, &found, err));
        if (!found) continue;
        self->ahead--;
        ttt_status status = ttt_run_submit(self->submission, &record, err);
        ttt_task_record_release(&record);
        TTT_TRY(status);
    }
    return TTT_OK;
}

static ttt_status resume(run *self, const ttt_task *task, bool *resumed, ttt_error *err) {
    ttt_task_record record;
    TTT_TRY(load_solved(self, task, &record, resumed, err));
    if (!*resumed) return TTT_OK;
    ttt_status status = conclude(self, task, &record, true, err);
    ttt_task_record_release(&record);
    return status;
}

/* Of its budget and its share of the deadline, the smaller; 0: no limit. */
static double seconds_for_next(const run *self) {
    double budget = self->options->budget;
    if (self->options->deadline <= 0) return budget;
    double left = ttt_limit_left(true, self->options->deadline - ttt_clock_seconds());
    double share = left / (double)self->ahead;
    return budget > 0 ? fmin(budget, share) : share;
}

/* Solves and keeps one task. A task that fails is kept with fallback answers; only a stop, or no place to keep it, ends
 * the run. */
static ttt_status solve_next(run *self, const ttt_task *task, ttt_error *err) {
    ttt_problem *problem = NULL;
    ttt_task_record record = {0};
    json_t *object = NULL;
    ttt_status status;
    TTT_TRY_OUT(ttt_problem_arc_new(task, self->codec, self->options->settings,
                                    ttt_method_trains(self->options->method), self->options->inducer, &problem, err));
    status = ttt_solver_solve(self->solver, problem, seconds_for_next(self), &record, err);
    self->ahead--;
    if (status == TTT_ERROR_CANCELLED || record.problem == NULL) TTT_TRY_OUT(status);
    status = TTT_OK;
    if (self->store != NULL) {
        object = problem->ops->to_json(problem);
        TTT_TRY_OUT(ttt_store_save(self->store, problem->ops->kind, object, &record, err));
    }
    TTT_TRY_OUT(conclude(self, task, &record, false, err));
    TTT_TRY_OUT(write_submission(self, err));
out:
    json_decref(object);
    ttt_task_record_release(&record);
    ttt_problem_free(problem);
    return status;
}

static ttt_status solve_all(run *self, ttt_error *err) {
    for (size_t i = 0; i < self->tasks->count; i++) {
        const ttt_task *task = &self->tasks->items[i];
        bool resumed;
        if (ttt_stop_requested(self->options->stop)) return ttt_fail(err, TTT_ERROR_CANCELLED, "stopped");
        TTT_TRY(resume(self, task, &resumed, err));
        if (!resumed) TTT_TRY(solve_next(self, task, err));
        ttt_progress_step(&self->options->progress, "tasks", (int64_t)self->done, (int64_t)self->tasks->count);
    }
    return write_submission(self, err);
}

/* A tokenizer that knows more tokens than its model. */
static ttt_status check_codec(const ttt_codec *codec, const ttt_model_config *config, const char *path,
                              ttt_error *err) {
    if (codec->axes == config->axes && codec->ids <= config->vocabulary) return TTT_OK;
    return ttt_fail(
        err, TTT_ERROR_FORMAT,
        "%s: puzzles are written with %d axes and ids below %d, the model has %d axes and a vocabulary of %d", path,
        (int)codec->axes, (int)codec->ids, (int)config->axes, (int)config->vocabulary);
}

ttt_status ttt_run_arc(ttt_model *model, const ttt_codec *codec, const ttt_task_set *tasks,
                       const ttt_run_options *options, ttt_submission *submission, size_t *failures, ttt_error *err) {
    ttt_status status;
    run self = {.options = options, .codec = codec, .tasks = tasks, .submission = submission, .failures = failures};
    ttt_solver_options solver = {.settings = options->settings,
                                 .method = options->method,
                                 .timed = options->budget > 0 || options->deadline > 0,
                                 .seed = options->seed,
                                 .adapters = options->adapters,
                                 .model_name = options->model_path,
                                 .stop = options->stop,
                                 .progress = options->progress};
    *failures = 0;
    TTT_TRY_OUT(ttt_submission_init(submission, tasks, err));
    if (options->store != NULL) TTT_TRY_OUT(open_store(&self, model, err));
    TTT_TRY_OUT(submit_solved(&self, err));
    TTT_TRY_OUT(write_submission(&self, err));
    if (model != NULL) TTT_TRY_OUT(check_codec(codec, ttt_model_get_config(model), options->model_path, err));
    TTT_TRY_OUT(ttt_solver_new(model, &solver, &self.solver, err));
    status = solve_all(&self, err);
out:
    ttt_solver_free(self.solver);
    ttt_store_close(self.store);
    return status;
}
