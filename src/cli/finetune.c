/* `ttt finetune`: base training of a grid model, from scratch or onward.
 *
 * The folder --out holds the model as of the last evaluation (config.json, model.safetensors), metrics.jsonl and the
 * folder checkpoints. The same command goes on from the newest checkpoint; what is lost by kill -9 is what came after
 * it. What defines the run must then be as it was: checkpoints hold it, under ttt.finetune in their metadata.
 * `--model` into another folder goes on from weights alone: fresh optimizer state, a warm-up, a new schedule. */
#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/settings.h"
#include "cli/command.h"
#include "cli/finetune_log.h"
#include "cli/options.h"
#include "encode/corpus.h"
#include "train/checkpoint.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* --- Options ----------------------------------------------------------------------------------------------------- */

typedef struct finetune_options {
    const char *config, *model, *out, *holdout, *device;
    double time, checkpoint_every, evaluate_every;
    int64_t steps, step_tokens, batch_tokens, max_tokens, threads, seed;
    double learning_rate;
    bool recompute, json;
    ttt_option_list set;
} finetune_options;

#define AT(member) offsetof(finetune_options, member)
static const ttt_option finetune_table[] = {
    {.name = "config",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(config),
     .argument = "FILE",
     .help = "start from random weights of this config.json"},
    {.name = "model",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(model),
     .argument = "FOLDER",
     .help = "start from the weights of this model"},
    {.name = "out",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(out),
     .argument = "FOLDER",
     .help = "where model, checkpoints and metrics go; with checkpoints in it, the training goes on from there"},
    {.name = "holdout",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(holdout),
     .argument = "FILE",
     .help = "ids left out of training and evaluated on, one a line"},
    {.name = "time",
     .kind = TTT_OPTION_DURATION,
     .offset = AT(time),
     .argument = "TIME",
     .minimum = 1,
     .maximum = 1e9,
     .help = "train so long; the learning rate follows the time"},
    {.name = "steps",
     .kind = TTT_OPTION_INTEGER,
     .offset = AT(steps),
     .argument = "N",
     .minimum = 1,
     .maximum = 1e12,
     .help = "train so many optimizer steps"},
    {.name = "step-tokens",
     .kind = TTT_OPTION_INTEGER,
     .offset = AT(step_tokens),
     .argument = "N",
     .fallback = "16384",
     .minimum = 1,
     .maximum = 1e9,
     .help = "tokens of an optimizer step"},
    {.name = "batch-tokens",
     .kind = TTT_OPTION_INTEGER,
     .offset = AT(batch_tokens),
     .argument = "N",
     .fallback = "8192",
     .minimum = 1,
     .maximum = 1e7,
     .help = "most tokens of one pass, which memory depends on; a step may take several"},
    {.name = "max-tokens",
     .kind = TTT_OPTION_INTEGER,
     .offset = AT(max_tokens),
     .argument = "N",
     .fallback = "4096",
     .minimum = 1,
     .maximum = 1e7,
     .help = "longest example"},
    {.name = "learning-rate",
     .kind = TTT_OPTION_NUMBER,
     .offset = AT(learning_rate),
     .argument = "RATE",
     .fallback = "2e-3",
     .minimum = 0,
     .maximum = 1,
     .help = "the highest"},
    {.name = "checkpoint-every",
     .kind = TTT_OPTION_DURATION,
     .offset = AT(checkpoint_every),
     .argument = "TIME",
     .fallback = "5m",
     .minimum = 0,
     .maximum = 1e9,
     .help = "what kill -9 may cost"},
    {.name = "evaluate-every",
     .kind = TTT_OPTION_DURATION,
     .offset = AT(evaluate_every),
     .argument = "TIME",
     .fallback = "10m",
     .minimum = 0,
     .maximum = 1e9,
     .help = "between evaluations on what is held out, each of which saves the model too"},
    {.name = "seed",
     .kind = TTT_OPTION_INTEGER,
     .offset = AT(seed),
     .argument = "N",
     .fallback = "1",
     .minimum = 0,
     .maximum = 9e15,
     .help = "of the random weights and the examples"},
    {.name = "set",
     .kind = TTT_OPTION_LIST,
     .offset = AT(set),
     .argument = "NAME=VALUE",
     .help = "a setting; 'ttt finetune --help settings' lists them"},
    {.name = "device",
     .kind = TTT_OPTION_CHOICE,
     .offset = AT(device),
     .argument = "NAME",
     .fallback = "cpu",
     .choices = "cpu|ref",
     .help = "cpu, or ref (slow, for tests)"},
    TTT_OPTION_ROW_THREADS(AT(threads)),
    {.name = "recompute",
     .kind = TTT_OPTION_FLAG,
     .offset = AT(recompute),
     .help = "less memory for a third more work"},
    TTT_OPTION_ROW_JSON(AT(json), "the result as JSON on standard output"),
};

static const ttt_usage finetune_usage = {
    .command = "finetune",
    .summary = "Trains a model on tasks, from scratch (--config) or onward (--model).\n"
               "DATA: task files or folders, Kaggle files (with their solutions beside), RE-ARC folders or archives;\n"
               "DATA=WEIGHT sets its share of the examples (default: its number of rules).",
    .arguments = "DATA...",
    .minimum = 1,
    .maximum = TTT_EXAMPLE_SOURCES,
    .options = finetune_table,
    .option_count = sizeof finetune_table / sizeof *finetune_table,
    .examples = "  ttt finetune --config models/arc-grid/config.json --holdout models/arc-grid/held_out.txt \\\n"
                "      --time 1h --out /tmp/grid re_arc.tar.zst=3 training_challenges.json=1\n"
                "  ttt finetune --model /tmp/grid --time 30m --out /tmp/grid-2 tasks/\n",
    .topics = "settings",
};

typedef struct finetune_settings {
#define SETTING(...) TTT_SETTING_MEMBER(__VA_ARGS__)
#include "cli/finetune.def"
#undef SETTING
} finetune_settings;

static const ttt_setting finetune_items[] = {
#define SETTING(...) TTT_SETTING_ITEM(finetune_settings, __VA_ARGS__)
#include "cli/finetune.def"
#undef SETTING
};
static const ttt_settings_table finetune_settings_table = {.items = finetune_items,
                                                           .count = sizeof finetune_items / sizeof *finetune_items};

/* --- A run ------------------------------------------------------------------------------------------------------- */

typedef struct finetune {
    finetune_options options;
    finetune_settings settings;
    ttt_id_list held_out;
    ttt_corpus corpus;
    ttt_encoding encoding;
    ttt_example_stream stream;
    ttt_backend *backend;
    ttt_model *model;
    ttt_session *session;
    ttt_trainer *trainer;
    ttt_train_state state;
    json_t *facts, *notes; /* what defines the run, and the same as a checkpoint's notes */
    ttt_finetune_log log;
    char *checkpoints;                     /* folder */
    double checkpoint_due, evaluation_due; /* ttt_clock_seconds */
    ttt_held_out_result result;
} finetune;

static void finetune_release(finetune *run) {
    ttt_finetune_log_close(&run->log);
    ttt_trainer_free(run->trainer);
    ttt_session_free(run->session);
    ttt_model_free(run->model);
    ttt_backend_free(run->backend);
    ttt_corpus_release(&run->corpus);
    ttt_id_list_release(&run->held_out);
    ttt_option_list_release(&run->options.set);
    json_decref(run->facts);
    json_decref(run->notes);
    ttt_free(run->checkpoints);
}

static ttt_status check_options(const finetune_options *options, ttt_error *err) {
    if (!options->out) return ttt_fail(err, TTT_ERROR_ARGUMENT, "--out FOLDER is missing: where the model goes");
    if (options->config && options->model)
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "--config starts from scratch, --model goes on: only one of them");
    if (!options->config && !options->model)
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "--config FILE (from scratch) or --model FOLDER (onward) is missing");
    if (options->time == 0 && options->steps == 0)
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "--time or --steps is missing: how long to train");
    if (options->max_tokens > options->batch_tokens)
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "--max-tokens %lld is more than --batch-tokens %lld holds",
                        (long long)options->max_tokens, (long long)options->batch_tokens);
    return TTT_OK;
}

/* --- Data -------------------------------------------------------------------------------------------------------- */

static void report_problem(void *context, const ttt_error *problem) {
    ttt_finetune_log_say(context, "%s", problem->message);
}

/* "path" or "path=weight". */
static ttt_status add_data(finetune *run, const char *argument, ttt_error *err) {
    const ttt_problem_sink problems = {report_problem, &run->log};
    const char *equals = strrchr(argument, '=');
    double weight = 0;
    char *end = NULL;
    if (equals) weight = strtod(equals + 1, &end);
    const bool weighted = equals && end != equals + 1 && *end == '\0';
    if (weighted && !(weight > 0 && isfinite(weight)))
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "%s: a weight above 0 is expected", argument);
    char *path = ttt_string_copy(argument);
    if (!path) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a path");
    if (weighted) path[equals - argument] = '\0';
    const ttt_status status = ttt_corpus_add(&run->corpus, path, weighted ? weight : 0, &run->held_out, problems, err);
    if (status == TTT_OK) {
        const ttt_corpus_part *part = &run->corpus.parts[run->corpus.part_count - 1];
        ttt_finetune_log_say(&run->log, "%s: %zu rules, %zu pairs, %zu rules held out", path, part->store.groups.count,
                             part->store.starts.count, part->left_out);
    }
    ttt_free(path);
    return status;
}

static ttt_status open_data(finetune *run, const ttt_option_list *arguments, ttt_error *err) {
    if (run->options.holdout) TTT_TRY(ttt_id_list_read(&run->held_out, run->options.holdout, err));
    for (size_t i = 0; i < arguments->count; i++) TTT_TRY(add_data(run, arguments->items[i], err));
    const finetune_settings *settings = &run->settings;
    const ttt_stream_options options = {
        .seed = (uint64_t)run->options.seed,
        .encoding = run->encoding,
        .loss = {.first_output = (int32_t)settings->loss_first_output, .inputs = settings->loss_inputs},
        .max_tokens = (int32_t)run->options.max_tokens,
        .max_demonstrations = (int32_t)settings->stream_max_demonstrations,
        .no_demonstrations = settings->stream_no_demonstrations,
        .symmetry = settings->stream_symmetry,
        .colours = settings->stream_colours,
        .zero_moves = settings->stream_zero_moves,
        .method = settings->stream_method,
        .output_only = settings->stream_output_only,
        .input_only = settings->stream_input_only,
    };
    ttt_example_source sources[TTT_EXAMPLE_SOURCES];
    const size_t count = ttt_corpus_sources(&run->corpus, sources);
    return ttt_example_stream_init(&run->stream, &options, sources, count, err);
}

/* --- Model ------------------------------------------------------------------------------------------------------- */

static ttt_status open_model(finetune *run, ttt_error *err) {
    enum { SEQUENCES = 128 }; /* of one pass: far more than examples of usual length */
    const finetune_options *options = &run->options;
    TTT_TRY(ttt_backend_new(options->device, (int)options->threads, &run->backend, err));
    if (options->model) {
        TTT_TRY(ttt_model_load(options->model, run->backend, &run->model, err));
    } else {
        ttt_model_config config = {0};
        TTT_TRY(ttt_model_config_read(options->config, &config, err));
        const ttt_status status =
            ttt_model_new_random(&config, (uint64_t)options->seed, run->backend, &run->model, err);
        ttt_model_config_release(&config);
        TTT_TRY(status);
    }
    const ttt_model_config *config = ttt_model_get_config(run->model);
    const char *where = options->model ? options->model : options->config;
    TTT_TRY(ttt_encoding_read(config, where, &run->encoding, err));
    if (options->max_tokens > config->context)
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "--max-tokens %lld is more than the model's context of %d",
                        (long long)options->max_tokens, (int)config->context);
    const ttt_session_options session = {
        .adaptation = TTT_ADAPT_FULL,
        .max_tokens = (int32_t)options->batch_tokens,
        .max_sequences = SEQUENCES,
        .recompute = options->recompute,
        .training = true,
        .muon = (float)run->settings.optimizer_muon,
    };
    ttt_finetune_log_say(&run->log, "%.2fM parameters on %s, %.0f MB of working memory",
                         (double)ttt_model_config_parameters(config) / 1e6, run->backend->ops->name,
                         (double)ttt_session_options_bytes(config, &session) / 1e6);
    TTT_TRY(ttt_session_new(run->model, &session, (uint64_t)options->seed, &run->session, err));
    return ttt_trainer_new(run->session, session.max_tokens, session.max_sequences, &run->trainer, err);
}

/* --- What defines a run ------------------------------------------------------------------------------------------ */

#define FACTS_KEY "ttt.finetune"

static ttt_status hash_file(const char *path, char text[32], ttt_error *err) {
    ttt_file_map map;
    TTT_TRY(ttt_file_map_open(&map, path, err));
    snprintf(text, 32, "%016llx", (unsigned long long)ttt_hash(TTT_HASH_START, map.data, map.bytes));
    ttt_file_map_close(&map);
    return TTT_OK;
}

/* All that the trained weights depend on. How long, how often and where is free to change: time, steps, intervals,
 * device, threads, what one pass holds. */
static ttt_status collect_facts(finetune *run, const ttt_option_list *arguments, ttt_error *err) {
    const finetune_options *options = &run->options;
    char holdout[32] = "none", name[32];
    if (options->holdout) TTT_TRY(hash_file(options->holdout, holdout, err));
    run->facts =
        json_pack("{s:s, s:I, s:I, s:f, s:I, s:I, s:o, s:o}", "holdout", holdout, "max-tokens",
                  (json_int_t)options->max_tokens, "step-tokens", (json_int_t)options->step_tokens, "learning-rate",
                  options->learning_rate, "seed", (json_int_t)options->seed, "data sets", (json_int_t)arguments->count,
                  "settings", ttt_settings_to_json(&finetune_settings_table, &run->settings), "config",
                  ttt_model_config_to_json(ttt_model_get_config(run->model)));
    int failed = run->facts == NULL;
    for (size_t i = 0; i < arguments->count && !failed; i++) {
        snprintf(name, sizeof name, "data set %zu", i + 1);
        failed = json_object_set_new(run->facts, name, json_string(arguments->items[i]));
    }
    char *text = failed ? NULL : json_dumps(run->facts, JSON_COMPACT);
    if (text) run->notes = json_pack("{s:s}", FACTS_KEY, text);
    free(text); /* jansson's, not ours */
    return run->notes ? TTT_OK : ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the settings of a run");
}

/* A checkpoint from before there were such notes is taken as it is. */
static ttt_status check_facts(const finetune *run, const json_t *notes, ttt_error *err) {
    const char *text = json_string_value(json_object_get(notes, FACTS_KEY));
    json_t *before;
    if (!text) return TTT_OK;
    TTT_TRY(ttt_json_parse(run->checkpoints, text, strlen(text), &before, err));
    const ttt_status status = ttt_json_check_same(run->checkpoints, FACTS_KEY, before, run->facts, err);
    json_decref(before);
    return status;
}

/* Goes on where an earlier run of the same command stopped, if there was one. */
static ttt_status resume(finetune *run, ttt_error *err) {
    ttt_error problem;
    json_t *notes = NULL;
    bool found;
    TTT_TRY(ttt_checkpoint_load(run->checkpoints, run->session, &run->state, &notes, &found, &problem, err));
    if (problem.message[0]) ttt_finetune_log_say(&run->log, "passed over a checkpoint: %s", problem.message);
    if (!found) return TTT_OK;
    const ttt_status status = check_facts(run, notes, err);
    json_decref(notes);
    TTT_TRY(status);
    char text[TTT_DURATION_TEXT];
    ttt_duration_format(run->state.seconds, text);
    ttt_finetune_log_say(&run->log, "going on after %lld steps, %.1fM tokens, %s", (long long)run->state.steps,
                         (double)run->state.tokens / 1e6, text);
    return TTT_OK;
}

/* --- While it trains --------------------------------------------------------------------------------------------- */

static ttt_status next_example(void *context, int64_t number, ttt_sequence *sequence, bool *more, ttt_error *err) {
    finetune *run = context;
    *more = true;
    return ttt_example_stream_get(&run->stream, (uint64_t)number, sequence, err);
}

static ttt_status next_question(void *context, int64_t number, ttt_sequence *sequence, bool *more, ttt_error *err) {
    finetune *run = context;
    const int64_t context_tokens = ttt_model_get_config(run->model)->context, batch = run->options.batch_tokens;
    const int32_t limit = (int32_t)(batch < context_tokens ? batch : context_tokens);
    return ttt_corpus_question(&run->corpus, number, &run->encoding, limit, sequence, more, err);
}

static void judge(void *context, int64_t number, const float *losses, int32_t count) {
    static const float half = 0.69314718f; /* -log(1/2) */
    finetune *run = context;
    int32_t sure = 0;
    (void)number;
    for (int32_t i = 0; i < count; i++) sure += losses[i] < half;
    run->result.questions++;
    run->result.tokens += count;
    run->result.sure += sure;
    run->result.exact += sure == count;
}

static ttt_status evaluate_and_save(finetune *run, ttt_error *err) {
    run->result = (ttt_held_out_result){0};
    if (run->corpus.held_out.count > 0) {
        TTT_TRY(ttt_train_evaluate(run->trainer, next_question, judge, run, &run->result.loss, err));
        ttt_finetune_log_held_out(&run->log, &run->state, &run->result);
    }
    return ttt_session_save_model(run->session, run->options.out, TTT_BF16, err);
}

static ttt_status save_checkpoint(finetune *run, ttt_error *err) {
    return ttt_checkpoint_save(run->checkpoints, run->session, &run->state, run->notes, err);
}

static ttt_status after_step(void *context, const ttt_train_report *report, bool *go_on, ttt_error *err) {
    finetune *run = context;
    const finetune_options *options = &run->options;
    (void)go_on;
    if (!isfinite(report->loss) || !isfinite(report->gradient_norm))
        return ttt_fail(err, TTT_ERROR_ARGUMENT,
                        "step %lld: loss %g, gradient norm %g: the training has come apart; try a lower "
                        "--learning-rate, from the last checkpoint",
                        (long long)report->state->steps, report->loss, report->gradient_norm);
    ttt_finetune_log_step(&run->log, report);
    const double now = ttt_clock_seconds();
    if (now >= run->evaluation_due) {
        TTT_TRY(evaluate_and_save(run, err));
        run->evaluation_due = ttt_clock_seconds() + options->evaluate_every;
    }
    if (now >= run->checkpoint_due) {
        TTT_TRY(save_checkpoint(run, err));
        run->checkpoint_due = ttt_clock_seconds() + options->checkpoint_every;
    }
    return TTT_OK;
}

static ttt_train_options train_options(finetune *run) {
    const finetune_options *options = &run->options;
    const finetune_settings *settings = &run->settings;
    ttt_train_options train = ttt_train_defaults();
    train.step_tokens = (int32_t)options->step_tokens;
    train.max_steps = options->steps;
    train.max_seconds = options->time;
    train.schedule_by_time = options->time > 0;
    const double total = options->time > 0 ? options->time : (double)options->steps;
    train.schedule = (ttt_schedule){
        .warmup = total * settings->schedule_warmup, .total = total, .start = 0.01, .end = settings->schedule_end};
    train.adamw.learning_rate = (float)options->learning_rate;
    train.adamw.beta1 = (float)settings->optimizer_beta1;
    train.adamw.beta2 = (float)settings->optimizer_beta2;
    train.adamw.weight_decay = (float)settings->optimizer_weight_decay;
    train.clip = settings->optimizer_clip;
    train.stop = ttt_terminal_stop_flag();
    train.next = next_example;
    train.after_step = after_step;
    train.context = run;
    return train;
}

static void print_result(const finetune *run) {
    const ttt_train_state *state = &run->state;
    const ttt_held_out_result *result = &run->result;
    if (!run->options.json) {
        char text[TTT_DURATION_TEXT];
        ttt_duration_format(state->seconds, text);
        printf("%s: %lld steps, %.2fM tokens, %s\n", run->options.out, (long long)state->steps,
               (double)state->tokens / 1e6, text);
        return;
    }
    json_t *line =
        json_pack("{s:s, s:I, s:I, s:I, s:f, s:f, s:{s:f, s:I, s:I}}", "model", run->options.out, "steps",
                  (json_int_t)state->steps, "examples", (json_int_t)state->examples, "tokens",
                  (json_int_t)state->tokens, "seconds", state->seconds, "operations", state->operations, "held_out",
                  "loss", result->loss, "questions", (json_int_t)result->questions, "exact", (json_int_t)result->exact);
    json_dumpf(line, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(line);
}

static ttt_status finetune_run(finetune *run, const ttt_option_list *arguments, ttt_error *err) {
    const finetune_options *options = &run->options;
    TTT_TRY(ttt_folder_make(options->out, err));
    TTT_TRY(ttt_finetune_log_open(&run->log, options->out, options->time, options->steps, err));
    run->checkpoints = ttt_path_join(options->out, "checkpoints");
    if (!run->checkpoints) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a path");
    TTT_TRY(open_model(run, err));
    TTT_TRY(open_data(run, arguments, err));
    TTT_TRY(collect_facts(run, arguments, err));
    TTT_TRY(resume(run, err));
    const ttt_train_options train = train_options(run);
    run->checkpoint_due = ttt_clock_seconds() + options->checkpoint_every;
    run->evaluation_due = ttt_clock_seconds() + options->evaluate_every;
    TTT_TRY(ttt_train_run(run->trainer, &train, &run->state, err));
    TTT_TRY(save_checkpoint(run, err));
    TTT_TRY(evaluate_and_save(run, err));
    if (ttt_stop_requested(train.stop))
        return ttt_fail(err, TTT_ERROR_CANCELLED, "stopped after %lld steps; the same command goes on from there",
                        (long long)run->state.steps);
    print_result(run);
    return TTT_OK;
}

static int print_help(const char *topic) {
    char *text;
    ttt_error err = {0};
    ttt_options_help(&finetune_usage, stdout);
    if (!topic) return TTT_EXIT_OK;
    if (ttt_settings_describe(&finetune_settings_table, &text, &err) != TTT_OK)
        return ttt_command_failed("finetune", &err);
    printf("\nsettings:\n%s", text);
    ttt_free(text);
    return TTT_EXIT_OK;
}

static ttt_status read_settings(finetune *run, ttt_error *err) {
    TTT_TRY(ttt_settings_defaults(&finetune_settings_table, &run->settings, err));
    for (size_t i = 0; i < run->options.set.count; i++)
        TTT_TRY(ttt_settings_assign(&finetune_settings_table, &run->settings, run->options.set.items[i], err));
    return check_options(&run->options, err);
}

int ttt_command_finetune(int argc, char **argv) {
    ttt_error err = {0};
    finetune run = {0};
    ttt_parsed parsed;
    int result = TTT_EXIT_OK;
    if (ttt_options_parse(&finetune_usage, argc, argv, &run.options, &parsed, &err) != TTT_OK) {
        result = ttt_command_misused("finetune", &err);
    } else if (parsed.help) {
        result = print_help(parsed.topic);
    } else if (read_settings(&run, &err) != TTT_OK) {
        result = ttt_command_misused("finetune", &err);
    } else if (finetune_run(&run, &parsed.arguments, &err) != TTT_OK) {
        ttt_finetune_log_close(&run.log);
        result = ttt_command_failed("finetune", &err);
    }
    finetune_release(&run);
    ttt_parsed_release(&parsed);
    return result;
}
