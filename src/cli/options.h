/* Options of a command, declared once in a table from which parsing, errors and --help come. */
#ifndef TTT_CLI_OPTIONS_H
#define TTT_CLI_OPTIONS_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum ttt_option_kind {
    TTT_OPTION_FLAG,     /* bool, without an argument */
    TTT_OPTION_TEXT,     /* const char *, borrowed from argv */
    TTT_OPTION_CHOICE,   /* const char *: one of `choices` */
    TTT_OPTION_INTEGER,  /* int64_t in [minimum, maximum] */
    TTT_OPTION_NUMBER,   /* double in [minimum, maximum] */
    TTT_OPTION_DURATION, /* double, seconds: "500ms", "60s", "5m", "9h", "1h30m" */
    TTT_OPTION_LIST      /* ttt_option_list: may be given again and again */
} ttt_option_kind;

typedef struct ttt_option_list {
    const char **items; /* borrowed strings; the array is released with ttt_option_list_release */
    size_t count, capacity;
} ttt_option_list;
void ttt_option_list_release(ttt_option_list *list);

typedef struct ttt_option {
    const char *name; /* without the dashes */
    ttt_option_kind kind;
    size_t offset;        /* of the value in the command's struct */
    const char *argument; /* in the help: "TIME"; NULL for flags */
    const char *help;
    const char *fallback;    /* the default as a user would write it, or NULL: the value stays as it was */
    double minimum, maximum; /* of numbers and durations */
    const char *choices;     /* of a choice: "ttt|none" */
} ttt_option;

/* Rows that several commands have alike; `place` is the offset of the value. */
#define TTT_OPTION_ROW_IDS(place)                                                                                      \
    { .name = "ids", .kind = TTT_OPTION_TEXT, .offset = (place), .argument = "A,B", .help = "only these tasks" }
#define TTT_OPTION_ROW_DEVICE(place, text)                                                                             \
    {                                                                                                                  \
        .name = "device", .kind = TTT_OPTION_TEXT, .offset = (place), .argument = "DEVICE", .fallback = "cpu",         \
        .help = (text)                                                                                                 \
    }
#define TTT_OPTION_ROW_THREADS(place)                                                                                  \
    {                                                                                                                  \
        .name = "threads", .kind = TTT_OPTION_INTEGER, .offset = (place), .argument = "N", .fallback = "0",            \
        .minimum = 0, .maximum = 1024, .help = "0: one per core"                                                       \
    }
#define TTT_OPTION_ROW_SEED(place, text)                                                                               \
    {                                                                                                                  \
        .name = "seed", .kind = TTT_OPTION_INTEGER, .offset = (place), .argument = "N", .fallback = "0", .minimum = 0, \
        .maximum = 9e15, .help = (text)                                                                                \
    }
#define TTT_OPTION_ROW_CONFIG(place)                                                                                   \
    {                                                                                                                  \
        .name = "config", .kind = TTT_OPTION_TEXT, .offset = (place), .argument = "FILE",                              \
        .help = "settings as JSON, before those of --set"                                                              \
    }
#define TTT_OPTION_ROW_SOLUTIONS(place, text)                                                                          \
    { .name = "solutions", .kind = TTT_OPTION_TEXT, .offset = (place), .argument = "FILE", .help = (text) }
#define TTT_OPTION_ROW_JSON(place, text)                                                                               \
    { .name = "json", .kind = TTT_OPTION_FLAG, .offset = (place), .help = (text) }

typedef struct ttt_usage {
    const char *command;     /* "solve" */
    const char *summary;     /* one sentence */
    const char *arguments;   /* "TASKS..." */
    size_t minimum, maximum; /* number of arguments that are no options */
    const ttt_option *options;
    size_t option_count;
    const char *examples; /* lines of the help, ready to print */
    const char *topics;   /* further words that may follow --help, "settings", or NULL */
} ttt_usage;

typedef struct ttt_parsed {
    ttt_option_list arguments; /* what is no option */
    bool help;                 /* --help was given: nothing else was checked */
    const char *topic;         /* the word after --help, if it is one of the topics, else NULL */
} ttt_parsed;
void ttt_parsed_release(ttt_parsed *parsed);

/* Fills the struct at `values` (zero-initialised by the caller) with defaults and what argv says. Options and arguments
 * may be mixed; "--" ends options; "--name=value" and "--name value" are the same. An unknown option, a missing or bad
 * value, too few or many arguments: TTT_ERROR_ARGUMENT with a sentence. */
ttt_status ttt_options_parse(const ttt_usage *usage, int argc, char **argv, void *values, ttt_parsed *parsed,
                             ttt_error *err);
/* The help, to `out`. */
void ttt_options_help(const ttt_usage *usage, FILE *out);

/* Whole text a duration? Into seconds, >= 0. */
bool ttt_duration_parse(const char *text, double *seconds);
/* The other way, short: "0.4 s", "12 s", "3 min 20 s", "2 h 05 min". `text` holds TTT_DURATION_TEXT bytes. */
enum { TTT_DURATION_TEXT = 32 };
void ttt_duration_format(double seconds, char *text);

#endif
