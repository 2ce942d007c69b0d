/* `ttt bench`: the engine's speeds beside what the machine could do at best, measured in one run. */
#include "base/json.h"
#include "base/memory.h"
#include "cli/bench_figures.h"
#include "cli/command.h"
#include "cli/models.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "model/facts.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct bench_options {
    const char *model, *device, *figures;
    int64_t threads, tokens, answers, rank;
    double seconds;
    bool json;
} bench_options;

#define AT(member) offsetof(bench_options, member)
static const ttt_option bench_table[] = {
    {.name = "model",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(model),
     .argument = "PATH",
     .help = "a folder or a .gguf file (default: the bundled model)"},
    TTT_OPTION_ROW_DEVICE(AT(device), "cpu; TTT_ISA in the environment chooses its instruction set"),
    {.name = "threads",
     .kind = TTT_OPTION_INTEGER,
     .offset = AT(threads),
     .argument = "N",
     .fallback = "0",
     .minimum = 0,
     .maximum = 1024,
     .help = "0: once with one, once with one per core"},
    {.name = "tokens",
     .kind = TTT_OPTION_INTEGER,
     .offset = AT(tokens),
     .argument = "N",
     .fallback = "1024",
     .minimum = 16,
     .maximum = 1048576,
     .help = "of a training example, and of a prompt"},
    {.name = "answers",
     .kind = TTT_OPTION_INTEGER,
     .offset = AT(answers),
     .argument = "N",
     .fallback = "16",
     .minimum = 1,
     .maximum = 4096,
     .help = "written side by side"},
    {.name = "rank",
     .kind = TTT_OPTION_INTEGER,
     .offset = AT(rank),
     .argument = "N",
     .fallback = "16",
     .minimum = 1,
     .maximum = 1024,
     .help = "of adapters"},
    {.name = "seconds",
     .kind = TTT_OPTION_NUMBER,
     .offset = AT(seconds),
     .argument = "S",
     .fallback = "1",
     .minimum = 0.001,
     .maximum = 3600,
     .help = "to measure each line for, about; medians of at least three"},
    {.name = "figures",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(figures),
     .argument = "A,B",
     .help = "only these of train_adapter, train_full, read, write_one, write_many"},
    TTT_OPTION_ROW_JSON(AT(json), "one JSON object"),
};

static const ttt_usage bench_usage = {
    .command = "bench",
    .summary =
        "Measures how fast a model trains, reads prompts and writes answers here, and in the same run what the\n"
        "machine could do at best. Shares are of products that take both operands from the level-2 cache, and of\n"
        "reading memory. Nothing else should run meanwhile. docs/performance.md says what is counted.",
    .arguments = "",
    .options = bench_table,
    .option_count = sizeof bench_table / sizeof *bench_table,
    .examples = "  ttt bench\n"
                "  ttt bench --model Llama-3.2-1B --tokens 512 --threads 8 --json\n"
                "  TTT_ISA=avx2 ttt bench\n",
};

/* What was measured with one number of threads. */
typedef struct column {
    int threads;
    char backend[32];
    double ceilings[TTT_CEILING_COUNT];
    ttt_figure figures[TTT_FIGURE_COUNT];
} column;

typedef struct bench_run {
    bench_options options;
    char *path;
    uint32_t wanted; /* bits of ttt_figure_kind */
    ttt_model_facts facts;
    char processor[128];
    column columns[2];
    int count;
} bench_run;

static const char *const ceiling_names[TTT_CEILING_COUNT] = {"registers", "level1", "level2", "memory"};
static const char *const figure_names[TTT_FIGURE_COUNT] = {"train_adapter", "train_full", "read", "write_one",
                                                           "write_many"};

enum { WRITING = 1u << TTT_FIGURE_WRITE_ONE | 1u << TTT_FIGURE_WRITE_MANY }; /* bits of figures */

static bool writes(int figure) {
    return (WRITING >> figure & 1) != 0;
}

/* A figure as a share of its limit: of memory for one answer, else of products from the level-2 cache; 0: unknown. */
static double share_of(const column *c, int figure) {
    const ttt_figure *f = &c->figures[figure];
    const bool memory = figure == TTT_FIGURE_WRITE_ONE;
    const double limit = c->ceilings[memory ? TTT_CEILING_MEMORY : TTT_CEILING_L2];
    return limit > 0 ? (memory ? f->bytes_per_second : f->operations_per_second) / limit : 0;
}

/* --- Measuring --------------------------------------------------------------------------------------------------- */

/* "model name" of the first processor; "" where there is no such line. */
static void read_processor(char *name, size_t bytes) {
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "r");
    name[0] = '\0';
    while (file != NULL && name[0] == '\0' && fgets(line, sizeof line, file) != NULL) {
        const char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || value == NULL) continue;
        snprintf(name, bytes, "%s", value + 1 + strspn(value + 1, " \t"));
        name[strcspn(name, "\n")] = '\0';
    }
    if (file != NULL) fclose(file);
}

/* Bytes of all matrices that a token passes through: the table of an untied embedding gives but one row. */
static double weight_bytes(const ttt_model_facts *facts) {
    double bytes = 0, numbers = (double)ttt_model_config_parameters(&facts->config);
    for (int i = 0; i < TTT_DTYPE_COUNT; i++) bytes += (double)facts->bytes[i];
    const double table = facts->config.tied ? 0 : (double)facts->config.vocabulary * facts->config.width;
    return bytes * (1 - table / numbers);
}

static ttt_status measure(const bench_run *run, const ttt_progress *progress, column *c, ttt_error *err) {
    const bench_options *options = &run->options;
    const ttt_bench_work work = {.tokens = (int32_t)options->tokens,
                                 .rank = (int32_t)options->rank,
                                 .answers = (int32_t)options->answers,
                                 .wanted = run->wanted,
                                 .weight_bytes = weight_bytes(&run->facts),
                                 .seconds = options->seconds};
    ttt_status status;
    ttt_loaded_model loaded;
    TTT_TRY(ttt_loaded_model_open(&loaded, run->path, options->device, c->threads, err));
    snprintf(c->backend, sizeof c->backend, "%s", loaded.backend->ops->name);
    for (int i = 0; i < TTT_CEILING_COUNT; i++) {
        ttt_progress_step(progress, "ceilings", i, TTT_CEILING_COUNT);
        if (i == TTT_CEILING_MEMORY && (run->wanted & WRITING) == 0) continue; /* it takes much of it */
        TTT_TRY_OUT(
            loaded.backend->ops->ceiling(loaded.backend, (ttt_ceiling)i, options->seconds, &c->ceilings[i], err));
    }
    status = ttt_bench_measure(loaded.model, &work, ttt_terminal_stop_flag(), progress, c->figures, err);
out:
    ttt_loaded_model_release(&loaded);
    return status;
}

static ttt_status run_all(bench_run *run, ttt_error *err) {
    const bench_options *options = &run->options;
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    ttt_terminal terminal;
    ttt_terminal_init(&terminal);
    const ttt_progress progress = ttt_terminal_progress(&terminal);
    TTT_TRY(ttt_model_facts_read(run->path, &run->facts, err));
    if (options->tokens + TTT_BENCH_ANSWER + 1 > run->facts.config.context) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "--tokens %lld and an answer of %d do not fit the model's context, %d",
                        (long long)options->tokens, TTT_BENCH_ANSWER + 1, run->facts.config.context);
    }
    read_processor(run->processor, sizeof run->processor);
    run->columns[run->count++].threads = options->threads > 0 ? (int)options->threads : 1;
    if (options->threads == 0 && cores > 1) run->columns[run->count++].threads = (int)cores;
    for (int i = 0; i < run->count; i++) {
        const ttt_status status = measure(run, &progress, &run->columns[i], err);
        ttt_terminal_clear(&terminal);
        TTT_TRY(status);
    }
    return TTT_OK;
}

/* --- Output ------------------------------------------------------------------------------------------------------ */

static json_t *column_to_json(const column *c) {
    json_t *ceilings = json_object(), *figures = json_object();
    for (int i = 0; i < TTT_CEILING_COUNT; i++) {
        json_object_set_new(ceilings, ceiling_names[i], json_real(c->ceilings[i]));
    }
    for (int i = 0; i < TTT_FIGURE_COUNT; i++) {
        const ttt_figure *f = &c->figures[i];
        if (!f->measured) continue;
        json_t *figure = json_pack("{s:f, s:f, s:f}", "tokens_per_second", f->tokens_per_second,
                                   "operations_per_second", f->operations_per_second, "share", share_of(c, i));
        if (writes(i)) json_object_set_new(figure, "bytes_per_second", json_real(f->bytes_per_second));
        json_object_set_new(figures, figure_names[i], figure);
    }
    return json_pack("{s:i, s:s, s:o, s:o}", "threads", c->threads, "backend", c->backend, "ceilings", ceilings,
                     "figures", figures);
}

static ttt_status print_json(const bench_run *run, ttt_error *err) {
    json_t *columns = json_array();
    for (int i = 0; i < run->count; i++) json_array_append_new(columns, column_to_json(&run->columns[i]));
    return ttt_print_json_line(json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o}", "version", TTT_VERSION,
                                         "processor", run->processor, "model", run->path, "parameters",
                                         (json_int_t)ttt_model_config_parameters(&run->facts.config), "tokens",
                                         (json_int_t)run->options.tokens, "answers", (json_int_t)run->options.answers,
                                         "rank", (json_int_t)run->options.rank, "measured", columns),
                               err);
}

static void print_gain(const bench_run *run, double first, double second) {
    if (run->count == 2 && first > 0) printf("%9.2fx", second / first);
    printf("\n");
}

static void print_ceilings(const bench_run *run) {
    static const char *const labels[TTT_CEILING_COUNT] = {"  in registers", "  from the level-1 cache",
                                                          "  from the level-2 cache", "reading memory, GB/s"};
    printf("products at best, GFLOP/s\n");
    for (int i = 0; i < TTT_CEILING_COUNT; i++) {
        if (i == TTT_CEILING_MEMORY && (run->wanted & WRITING) == 0) continue;
        printf("%-38s", labels[i]);
        for (int k = 0; k < run->count; k++) printf("%24.1f", run->columns[k].ceilings[i] * 1e-9);
        print_gain(run, run->columns[0].ceilings[i], run->columns[1].ceilings[i]);
    }
}

static void print_figures(const bench_run *run) {
    char many[64];
    snprintf(many, sizeof many, "writing %lld answers", (long long)run->options.answers);
    const char *const labels[TTT_FIGURE_COUNT] = {"training an adapter", "training all weights", "reading a prompt",
                                                  "writing one answer", many};
    printf("tokens/s, GFLOP/s (one answer: GB/s), share\n");
    for (int i = 0; i < TTT_FIGURE_COUNT; i++) {
        if ((run->wanted >> i & 1) == 0) continue;
        printf("  %-36s", labels[i]);
        if (!run->columns[0].figures[i].measured) {
            printf("not measured: a model of this size is trained by adapters\n");
            continue;
        }
        for (int k = 0; k < run->count; k++) {
            const ttt_figure *f = &run->columns[k].figures[i];
            const double rate = i == TTT_FIGURE_WRITE_ONE ? f->bytes_per_second : f->operations_per_second;
            printf("%9.0f %8.1f %4.0f%%", f->tokens_per_second, rate * 1e-9, 100 * share_of(&run->columns[k], i));
        }
        print_gain(run, run->columns[0].figures[i].tokens_per_second, run->columns[1].figures[i].tokens_per_second);
    }
}

static void print_table(const bench_run *run) {
    printf("%s, %s, sequences of %lld tokens\n", run->processor, run->columns[0].backend,
           (long long)run->options.tokens);
    printf("%s: %.2f million parameters, %.1f MB\n\n", run->path,
           (double)ttt_model_config_parameters(&run->facts.config) * 1e-6, weight_bytes(&run->facts) * 1e-6);
    printf("%-38s", "");
    for (int k = 0; k < run->count; k++) {
        char head[32];
        snprintf(head, sizeof head, "%d thread%s", run->columns[k].threads, run->columns[k].threads == 1 ? "" : "s");
        printf("%24s", head);
    }
    printf("\n");
    print_ceilings(run);
    print_figures(run);
}

/* --- Command ----------------------------------------------------------------------------------------------------- */

/* The figures that a list names; NULL: all. */
static ttt_status wanted_figures(const char *list, uint32_t *wanted, ttt_error *err) {
    *wanted = list == NULL ? (1u << TTT_FIGURE_COUNT) - 1 : 0;
    for (const char *at = list; at != NULL && *at != '\0';) {
        const size_t length = strcspn(at, ",");
        int figure = 0;
        while (figure < TTT_FIGURE_COUNT &&
               (strlen(figure_names[figure]) != length || strncmp(at, figure_names[figure], length) != 0)) {
            figure++;
        }
        if (figure == TTT_FIGURE_COUNT) {
            return ttt_fail(err, TTT_ERROR_ARGUMENT,
                            "--figures has '%.*s', expected train_adapter, train_full, read, write_one or write_many",
                            (int)length, at);
        }
        *wanted |= 1u << figure;
        at += length + (at[length] == ',');
    }
    return TTT_OK;
}

static ttt_status bench(bench_run *run, ttt_error *err) {
    TTT_TRY(wanted_figures(run->options.figures, &run->wanted, err));
    run->path = run->options.model == NULL ? ttt_bundled_model() : ttt_string_copy(run->options.model);
    if (run->path == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the path of a model");
    TTT_TRY(run_all(run, err));
    if (run->options.json) return print_json(run, err);
    print_table(run);
    return TTT_OK;
}

int ttt_command_bench(int argc, char **argv) {
    bench_run run = {0};
    ttt_parsed parsed;
    ttt_error err = {0};
    int exit_status = TTT_EXIT_OK;
    if (ttt_options_parse(&bench_usage, argc, argv, &run.options, &parsed, &err) != TTT_OK) {
        exit_status = ttt_command_misused("bench", &err);
    } else if (parsed.help) {
        ttt_options_help(&bench_usage, stdout);
    } else if (bench(&run, &err) != TTT_OK) {
        exit_status = ttt_command_failed("bench", &err);
    }
    ttt_model_facts_release(&run.facts);
    ttt_free(run.path);
    ttt_parsed_release(&parsed);
    return exit_status;
}
