#include "cli/options.h"

#include "base/memory.h"
#include "base/names.h"
#include "base/settings.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void ttt_option_list_release(ttt_option_list *list) {
    ttt_free(list->items);
    *list = (ttt_option_list){0};
}

void ttt_parsed_release(ttt_parsed *parsed) {
    ttt_option_list_release(&parsed->arguments);
}

/* --- Durations --------------------------------------------------------------------------------------------------- */

static const struct duration_unit {
    const char *name;
    double seconds;
} duration_units[] = {{"ms", 1e-3}, {"s", 1}, {"min", 60}, {"m", 60}, {"h", 3600}, {"d", 86400}};

bool ttt_duration_parse(const char *text, double *seconds) {
    double sum = 0;
    if (*text == '\0') return false;
    while (*text != '\0') {
        size_t digits = strspn(text, "0123456789.");
        char *end;
        double number = strtod(text, &end);
        if (digits == 0 || end != text + digits) return false;
        text = end;
        size_t unit_length = strcspn(text, "0123456789."), unit = 0,
               count = sizeof duration_units / sizeof *duration_units;
        while (unit < count && (strlen(duration_units[unit].name) != unit_length ||
                                strncmp(duration_units[unit].name, text, unit_length) != 0)) {
            unit++;
        }
        if (unit == count) return false;
        sum += number * duration_units[unit].seconds;
        text += unit_length;
    }
    if (!isfinite(sum)) return false;
    *seconds = sum;
    return true;
}

void ttt_duration_format(double seconds, char *text) {
    if (seconds < 9.95) {
        snprintf(text, TTT_DURATION_TEXT, "%.1f s", seconds);
    } else if (seconds < 59.5) {
        snprintf(text, TTT_DURATION_TEXT, "%.0f s", seconds);
    } else if (seconds < 3599.5) {
        long whole = lround(seconds);
        snprintf(text, TTT_DURATION_TEXT, "%ld min %02ld s", whole / 60, whole % 60);
    } else {
        long minutes = lround(seconds / 60);
        snprintf(text, TTT_DURATION_TEXT, "%ld h %02ld min", minutes / 60, minutes % 60);
    }
}

/* --- Parsing ----------------------------------------------------------------------------------------------------- */

static ttt_status store_number(const ttt_option *option, const char *text, void *value, ttt_error *err) {
    char *end;
    double number;
    errno = 0;
    if (option->kind == TTT_OPTION_DURATION) {
        if (!ttt_duration_parse(text, &number)) {
            return ttt_fail(err, TTT_ERROR_ARGUMENT, "--%s: '%s' is not a duration like 500ms, 60s, 5m or 9h",
                            option->name, text);
        }
    } else if (option->kind == TTT_OPTION_INTEGER) {
        long long integer = strtoll(text, &end, 10);
        if (end == text || *end != '\0' || errno != 0) {
            return ttt_fail(err, TTT_ERROR_ARGUMENT, "--%s: '%s' is not a whole number", option->name, text);
        }
        number = (double)integer;
        *(int64_t *)value = integer;
    } else {
        number = strtod(text, &end);
        if (end == text || *end != '\0' || !isfinite(number)) {
            return ttt_fail(err, TTT_ERROR_ARGUMENT, "--%s: '%s' is not a number", option->name, text);
        }
    }
    if (number < option->minimum || number > option->maximum) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "--%s: %s is not within %.15g and %.15g%s", option->name, text,
                        option->minimum, option->maximum, option->kind == TTT_OPTION_DURATION ? " seconds" : "");
    }
    if (option->kind != TTT_OPTION_INTEGER) *(double *)value = number;
    return TTT_OK;
}

static ttt_status store(const ttt_option *option, const char *text, void *values, ttt_error *err) {
    void *value = (char *)values + option->offset;
    switch (option->kind) {
    case TTT_OPTION_FLAG: *(bool *)value = true; return TTT_OK;
    case TTT_OPTION_CHOICE:
        if (ttt_choice_index(option->choices, text) < 0) {
            return ttt_fail(err, TTT_ERROR_ARGUMENT, "--%s: '%s' is none of %s", option->name, text, option->choices);
        }
        *(const char **)value = text;
        return TTT_OK;
    case TTT_OPTION_TEXT: *(const char **)value = text; return TTT_OK;
    case TTT_OPTION_LIST: return TTT_PUSH((ttt_option_list *)value, text, err);
    case TTT_OPTION_INTEGER:
    case TTT_OPTION_NUMBER:
    case TTT_OPTION_DURATION: break;
    }
    return store_number(option, text, value, err);
}

static ttt_status find_option(const ttt_usage *usage, const char *name, size_t length, const ttt_option **found,
                              ttt_error *err) {
    char typed[64], hint[TTT_NEAREST_TEXT];
    snprintf(typed, sizeof typed, "%.*s", (int)(length < sizeof typed ? length : sizeof typed - 1), name);
    ttt_nearest nearest = {.name = typed};
    for (size_t i = 0; i < usage->option_count; i++) {
        if (strlen(usage->options[i].name) == length && strncmp(usage->options[i].name, name, length) == 0) {
            *found = &usage->options[i];
            return TTT_OK;
        }
        ttt_nearest_try(&nearest, usage->options[i].name);
    }
    return ttt_fail(err, TTT_ERROR_ARGUMENT, "unknown option '--%s'%s", typed, ttt_nearest_hint(&nearest, "--", hint));
}

/* The option at argv[*at]; moves *at to the last word it took. */
static ttt_status parse_option(const ttt_usage *usage, int argc, char **argv, int *at, void *values, ttt_error *err) {
    const char *name = argv[*at] + 2, *equals = strchr(name, '='), *value = NULL;
    const ttt_option *option = NULL;
    TTT_TRY(find_option(usage, name, equals == NULL ? strlen(name) : (size_t)(equals - name), &option, err));
    if (option->kind == TTT_OPTION_FLAG) {
        if (equals != NULL) return ttt_fail(err, TTT_ERROR_ARGUMENT, "--%s takes no value", option->name);
    } else if (equals != NULL) {
        value = equals + 1;
    } else if (*at + 1 < argc) {
        value = argv[++*at];
    } else {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "--%s needs a value: --%s %s", option->name, option->name,
                        option->argument);
    }
    return store(option, value, values, err);
}

static ttt_status check_count(const ttt_usage *usage, size_t count, ttt_error *err) {
    if (count < usage->minimum) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "%s expected: ttt %s %s", count == 0 ? "an argument is" : "more are",
                        usage->command, usage->arguments);
    }
    if (count > usage->maximum) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "%zu arguments are too many: ttt %s %s", count, usage->command,
                        usage->arguments);
    }
    return TTT_OK;
}

static bool asks_for_help(const ttt_usage *usage, int argc, char **argv, ttt_parsed *parsed) {
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") != 0 && strcmp(argv[i], "-h") != 0) continue;
        parsed->help = true;
        if (i + 1 < argc && usage->topics != NULL && ttt_choice_index(usage->topics, argv[i + 1]) >= 0)
            parsed->topic = argv[i + 1];
    }
    return parsed->help;
}

ttt_status ttt_options_parse(const ttt_usage *usage, int argc, char **argv, void *values, ttt_parsed *parsed,
                             ttt_error *err) {
    *parsed = (ttt_parsed){0};
    if (asks_for_help(usage, argc, argv, parsed)) return TTT_OK;
    for (size_t i = 0; i < usage->option_count; i++) {
        if (usage->options[i].fallback != NULL)
            TTT_TRY(store(&usage->options[i], usage->options[i].fallback, values, err));
    }
    bool only_arguments = false;
    for (int i = 1; i < argc; i++) {
        if (!only_arguments && strcmp(argv[i], "--") == 0) {
            only_arguments = true;
        } else if (!only_arguments && strncmp(argv[i], "--", 2) == 0) {
            TTT_TRY(parse_option(usage, argc, argv, &i, values, err));
        } else if (!only_arguments && argv[i][0] == '-' && argv[i][1] != '\0') {
            return ttt_fail(err, TTT_ERROR_ARGUMENT, "unknown option '%s'", argv[i]);
        } else {
            TTT_TRY(TTT_PUSH(&parsed->arguments, argv[i], err));
        }
    }
    return check_count(usage, parsed->arguments.count, err);
}

/* --- Help -------------------------------------------------------------------------------------------------------- */

enum { HELP_COLUMN = 26, HELP_WIDTH = 100 };

/* `text` from the current column `at` on, broken between words, further lines indented. */
static void print_wrapped(FILE *out, const char *text, int at) {
    while (*text != '\0') {
        int length = (int)strcspn(text, " ");
        if (at + length > HELP_WIDTH && at > HELP_COLUMN) {
            fprintf(out, "\n%*s", HELP_COLUMN, "");
            at = HELP_COLUMN;
        }
        fprintf(out, "%.*s", length, text);
        at += length;
        text += length;
        if (*text == ' ') {
            text++;
            if (at < HELP_WIDTH && at + 1 + (int)strcspn(text, " ") <= HELP_WIDTH) fputc(' ', out);
            at++;
        }
    }
    fputc('\n', out);
}

static void print_option(FILE *out, const ttt_option *option) {
    char left[128], text[640];
    int length = snprintf(left, sizeof left, "  --%s%s%s", option->name, option->argument == NULL ? "" : " ",
                          option->argument == NULL ? "" : option->argument);
    if (option->fallback != NULL) {
        snprintf(text, sizeof text, "%s (default: %s)", option->help, option->fallback);
    } else {
        snprintf(text, sizeof text, "%s", option->help);
    }
    if (length < HELP_COLUMN - 1) {
        fprintf(out, "%-*s", HELP_COLUMN, left);
    } else {
        fprintf(out, "%s\n%*s", left, HELP_COLUMN, "");
    }
    print_wrapped(out, text, HELP_COLUMN);
}

void ttt_options_help(const ttt_usage *usage, FILE *out) {
    static const ttt_option help = {.name = "help", .kind = TTT_OPTION_FLAG, .help = "this text"};
    const char *gap = usage->arguments[0] == '\0' ? "" : " ";
    fprintf(out, "usage: ttt %s [options]%s%s\n%s\n\noptions:\n", usage->command, gap, usage->arguments,
            usage->summary);
    for (size_t i = 0; i < usage->option_count; i++) print_option(out, &usage->options[i]);
    print_option(out, &help);
    if (usage->examples != NULL) fprintf(out, "\nexamples:\n%s", usage->examples);
}
