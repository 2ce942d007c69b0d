#include "solve/proposer.h"

#include "base/memory.h"
#include "solve/chat_model.h"
#include "solve/chat_server.h"
#include "solve/program_prompt.h"

#include <stdio.h>
#include <string.h>

struct ttt_proposer {
    const ttt_solve_settings *settings;
    ttt_chat_server *server; /* one of the two is NULL */
    ttt_chat_model *model;
};

ttt_status ttt_proposer_new(const ttt_proposer_options *options, ttt_proposer **proposer, ttt_error *err) {
    *proposer = NULL;
    ttt_proposer *p = ttt_allocate(1, sizeof *p);
    if (p == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a proposer");
    p->settings = options->settings;
    const ttt_status status =
        ttt_is_chat_server(options->source)
            ? ttt_chat_server_new(options->source, options->settings, options->seed, &p->server, err)
            : ttt_chat_model_new(options->source, options->device, options->threads, options->settings, options->seed,
                                 &p->model, err);
    if (status == TTT_OK)
        *proposer = p;
    else
        ttt_proposer_free(p);
    return status;
}

void ttt_proposer_free(ttt_proposer *proposer) {
    if (proposer == NULL) return;
    ttt_chat_server_free(proposer->server);
    ttt_chat_model_free(proposer->model);
    ttt_free(proposer);
}

/* --- One task ----------------------------------------------------------------------------------------------------- */

typedef struct round {
    const ttt_proposer *proposer;
    const ttt_task *task;
    ttt_cage *cage;
    ttt_grid *inputs;
    size_t input_count;
    double deadline; /* 0: none */
    const ttt_stop_flag *stop;
    ttt_proposal *proposal;
    ttt_status status; /* of what was done with answers */
    ttt_error *err;
} round;

static ttt_status run_programs(round *r, const char *const *programs, size_t count) {
    const double seconds = r->deadline > 0 ? r->deadline - ttt_clock_seconds() : 0;
    if (count == 0 || (r->deadline > 0 && seconds <= 0)) return TTT_OK;
    ttt_cage_result *results = ttt_allocate(count, sizeof *results);
    if (results == NULL) return ttt_fail(r->err, TTT_ERROR_MEMORY, "out of memory for %zu programs", count);
    ttt_status status =
        ttt_cage_run(r->cage, programs, count, r->inputs, r->input_count, seconds, r->stop, results, r->err);
    if (status == TTT_OK) status = ttt_proposal_add(r->proposal, r->task, programs, results, count, r->err);
    for (size_t i = 0; i < count; i++) ttt_cage_result_release(&results[i]);
    ttt_free(results);
    return status;
}

static ttt_status read_answers(round *r, const char *const *texts, const size_t *lengths, size_t count,
                               char **programs) {
    size_t written = 0;
    for (size_t i = 0; i < count; i++) {
        r->proposal->answered++;
        TTT_TRY(ttt_program_extract(texts[i], lengths[i], &programs[written], r->err));
        if (programs[written] != NULL) written++;
    }
    r->proposal->written += written;
    return run_programs(r, (const char *const *)programs, written);
}

static bool answered(void *context, const char *const *texts, const size_t *lengths, size_t count) {
    round *r = context;
    char **programs = ttt_allocate(count, sizeof *programs);
    if (programs == NULL) {
        r->status = ttt_fail(r->err, TTT_ERROR_MEMORY, "out of memory for %zu answers", count);
        return false;
    }
    r->status = read_answers(r, texts, lengths, count, programs);
    for (size_t i = 0; i < count; i++) ttt_free(programs[i]);
    ttt_free(programs);
    const ttt_proposal *proposal = r->proposal;
    const size_t most = proposal->count == 0 ? 0 : proposal->items[0].votes;
    return r->status == TTT_OK && most < (size_t)r->proposer->settings->proposer_agree;
}

static ttt_status ask(round *r, const ttt_program_prompt *prompt, ttt_error *err) {
    const ttt_proposer *p = r->proposer;
    const ttt_chat_question question = {.system = prompt->system,
                                        .user = prompt->user,
                                        .temperature = p->settings->proposer_temperature,
                                        .max_tokens = (int32_t)p->settings->proposer_max_tokens,
                                        .samples = (size_t)p->settings->proposer_samples,
                                        .in_flight = (size_t)p->settings->proposer_in_flight,
                                        .deadline = r->deadline,
                                        .stop = r->stop,
                                        .answered = answered,
                                        .context = r};
    r->proposal->asked = question.samples;
    return p->server != NULL ? ttt_chat_server_ask(p->server, &question, err)
                             : ttt_chat_model_ask(p->model, &question, err);
}

ttt_status ttt_proposer_run(ttt_proposer *proposer, const ttt_task *task, ttt_cage *cage, double seconds,
                            const ttt_stop_flag *stop, ttt_proposal *proposal, ttt_error *err) {
    ttt_status status;
    ttt_error own = {0}, source = {0};
    ttt_program_prompt prompt = {0};
    round r = {.proposer = proposer,
               .task = task,
               .cage = cage,
               .deadline = seconds > 0 ? ttt_clock_seconds() + seconds : 0,
               .stop = stop,
               .proposal = proposal,
               .err = &own};
    TTT_TRY_OUT(ttt_program_prompt_make((ttt_program_format)proposer->settings->proposer_format,
                                        proposer->model != NULL, task, &prompt, err));
    TTT_TRY_OUT(ttt_proposal_inputs(task, &r.inputs, &r.input_count, err));
    status = ask(&r, &prompt, &source);
    if (r.status != TTT_OK) {
        status = ttt_fail(err, r.status, "%s", own.message);
    } else if (status == TTT_ERROR_IO && proposal->answered > 0) {
        snprintf(proposal->problem, sizeof proposal->problem, "%s", source.message);
        status = TTT_OK;
    } else if (status != TTT_OK) {
        ttt_fail(err, status, "%s", source.message);
    }
out:
    ttt_free(r.inputs);
    ttt_program_prompt_release(&prompt);
    return status;
}
