#include "cli/induce_replay.h"

#include "base/file.h"

#include <stdio.h>

/* --- Our language ------------------------------------------------------------------------------------------------ */

static ttt_status count_fitted(const ttt_program *program, const ttt_task *task, size_t *fitted, ttt_error *err) {
    *fitted = 0;
    for (size_t i = 0; i < task->demonstration_count; i++) {
        ttt_grid output;
        bool defined;
        TTT_TRY(ttt_program_run(program, &task->demonstrations[i].input, &output, &defined, err));
        *fitted += defined && ttt_grid_equal(&output, &task->demonstrations[i].output);
    }
    return TTT_OK;
}

ttt_status ttt_replay_program(const ttt_program *program, const ttt_task *task, ttt_induced *found, ttt_error *err) {
    ttt_induced_answer answer = {.programs = 1};
    ttt_status status;
    TTT_TRY_OUT(count_fitted(program, task, &answer.fitted, err));
    TTT_TRY_OUT(ttt_program_print(program, &answer.program, err));
    answer.outputs = ttt_allocate(task->test_count, sizeof *answer.outputs);
    if (answer.outputs == NULL) TTT_TRY_OUT(ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the answers of a program"));
    for (size_t i = 0; i < task->test_count; i++) {
        bool defined;
        TTT_TRY_OUT(ttt_program_run(program, &task->tests[i].input, &answer.outputs[i], &defined, err));
        if (defined) continue;
        snprintf(found->problem, sizeof found->problem, "the program has no output for test input %zu", i);
        goto out;
    }
    found->fitting = answer.fitted == task->demonstration_count;
    status = ttt_induced_push(found, &answer, err);
out:
    ttt_free(answer.outputs);
    ttt_free(answer.program);
    return status;
}

/* --- Python ------------------------------------------------------------------------------------------------------ */

ttt_status ttt_python_files_read(ttt_python_files *files, const ttt_option_list *paths, ttt_error *err) {
    enum { LARGEST = 1 << 20 };
    *files = (ttt_python_files){.paths = paths,
                                .texts = ttt_allocate(paths->count, sizeof *files->texts),
                                .results = ttt_allocate(paths->count, sizeof *files->results),
                                .fitted = ttt_allocate(paths->count, sizeof *files->fitted)};
    if (files->texts == NULL || files->results == NULL || files->fitted == NULL) {
        return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for %zu programs", paths->count);
    }
    for (size_t i = 0; i < paths->count; i++) {
        size_t bytes;
        TTT_TRY(ttt_file_read(paths->items[i], LARGEST, &files->texts[i], &bytes, err));
    }
    return TTT_OK;
}

static void release_results(ttt_python_files *files) {
    for (size_t i = 0; i < files->paths->count; i++) ttt_cage_result_release(&files->results[i]);
}

void ttt_python_files_release(ttt_python_files *files) {
    if (files->results != NULL) release_results(files);
    for (size_t i = 0; files->texts != NULL && i < files->paths->count; i++) ttt_free(files->texts[i]);
    ttt_free(files->texts);
    ttt_free(files->results);
    ttt_free(files->fitted);
    *files = (ttt_python_files){0};
}

static size_t fitted_by(const ttt_cage_result *result, const ttt_task *task) {
    size_t fitted = 0;
    for (size_t i = 0; result->outputs != NULL && i < task->demonstration_count; i++) {
        fitted += ttt_grid_equal(&result->outputs[i], &task->demonstrations[i].output);
    }
    return fitted;
}

ttt_status ttt_replay_python(ttt_python_files *files, ttt_cage *cage, const ttt_task *task, double seconds,
                             const ttt_stop_flag *stop, ttt_induced *found, ttt_error *err) {
    const char *const *texts = (const char *const *)files->texts;
    const size_t count = files->paths->count;
    ttt_proposal proposal = {0};
    ttt_grid *inputs = NULL;
    size_t input_count;
    ttt_status status;
    release_results(files);
    TTT_TRY_OUT(ttt_proposal_inputs(task, &inputs, &input_count, err));
    TTT_TRY_OUT(ttt_cage_run(cage, texts, count, inputs, input_count, seconds, stop, files->results, err));
    for (size_t i = 0; i < count; i++) files->fitted[i] = fitted_by(&files->results[i], task);
    TTT_TRY_OUT(ttt_proposal_add(&proposal, task, texts, files->results, count, err));
    status = ttt_induced_join(found, task, &proposal, err);
out:
    ttt_free(inputs);
    ttt_proposal_release(&proposal);
    return status;
}

void ttt_replay_python_print(const ttt_python_files *files, const ttt_task *task) {
    for (size_t i = 0; i < files->paths->count; i++) {
        const ttt_cage_result *result = &files->results[i];
        printf("    %s: ", files->paths->items[i]);
        if (result->outcome == TTT_CAGE_RAN) {
            printf("fits %zu of %zu demonstrations\n", files->fitted[i], task->demonstration_count);
        } else {
            printf("%s: %s\n", ttt_cage_outcome_name(result->outcome), result->message);
        }
    }
}
