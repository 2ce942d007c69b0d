/* `ttt tokenize`: text to the ids of a model's tokenizer, and back. */
#include "base/json.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/text.h"
#include "model/unicode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct tokenize_options {
    const char *model;
    bool decode, json, specials, lines;
} tokenize_options;

#define AT(member) offsetof(tokenize_options, member)
static const ttt_option tokenize_table[] = {
    {.name = "model",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(model),
     .argument = "PATH",
     .help = "a folder with tokenizer.json, or a .gguf file"},
    {.name = "decode", .kind = TTT_OPTION_FLAG, .offset = AT(decode), .help = "the other way: ids to text"},
    {.name = "specials",
     .kind = TTT_OPTION_FLAG,
     .offset = AT(specials),
     .help = "text spelt like a special token becomes it; with --decode: special tokens are spelt out"},
    TTT_OPTION_ROW_JSON(AT(json), "one JSON object: {\"ids\", \"pieces\"} or {\"text\"}; U+FFFD for what is no UTF-8"),
    {.name = "lines",
     .kind = TTT_OPTION_FLAG,
     .offset = AT(lines),
     .help = "many at once: each line of standard input is a JSON string (or an array of ids), each line of the "
             "output a JSON object"},
};

static const ttt_usage tokenize_usage = {
    .command = "tokenize",
    .summary = "The ids of a text, as a model gets them, each beside its piece of the text; and the text of ids.\n"
               "Without TEXT, or with '-', it is read from standard input, the newline at its end included.",
    .arguments = "[TEXT | IDS...]",
    .minimum = 0,
    .maximum = SIZE_MAX,
    .options = tokenize_table,
    .option_count = sizeof tokenize_table / sizeof *tokenize_table,
    .examples = "  ttt tokenize --model Llama-3.2-1B 'Hello world'\n"
                "  ttt tokenize --model Llama-3.2-1B --json - <prompt.txt\n"
                "  ttt tokenize --model Llama-3.2-1B --decode 9906 1917\n"
                "  ttt tokenize --model Llama-3.2-1B --lines <texts.jsonl >ids.jsonl\n",
};

/* What one text or list of ids becomes, and back; memory is kept from one to the next. */
typedef struct tokenizing {
    const tokenize_options *options;
    const ttt_tokenizer *tokenizer;
    ttt_ids ids;
    ttt_bytes text;
    ttt_error *err;
} tokenizing;

/* ---------------------------------------------------------------------------------------------- input */

static ttt_status parse_id(const char *text, ttt_ids *ids, ttt_error *err) {
    char *end;
    errno = 0;
    const long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 0 || value > INT32_MAX) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "'%.60s' is no id", text);
    }
    return TTT_PUSH(ids, (int32_t)value, err);
}

/* Ids with blanks, newlines or commas between them; `text` is taken apart. */
static ttt_status parse_ids(char *text, ttt_ids *ids, ttt_error *err) {
    char *rest;
    for (char *word = strtok_r(text, " \t\r\n,", &rest); word != NULL; word = strtok_r(NULL, " \t\r\n,", &rest)) {
        TTT_TRY(parse_id(word, ids, err));
    }
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- output */

static ttt_status print_ids_json(tokenizing *t) {
    json_t *ids = json_array(), *pieces = json_array();
    ttt_status status = TTT_OK;
    for (size_t i = 0; i < t->ids.count; i++) {
        json_t *piece;
        t->text.count = 0;
        TTT_TRY_OUT(ttt_tokenizer_piece(t->tokenizer, t->ids.items[i], &t->text, t->err));
        TTT_TRY_OUT(ttt_text_to_json(&t->text, &piece, t->err));
        json_array_append_new(pieces, piece);
        json_array_append_new(ids, json_integer(t->ids.items[i]));
    }
    return ttt_print_json_line(json_pack("{s:o, s:o}", "ids", ids, "pieces", pieces), t->err);
out:
    json_decref(ids);
    json_decref(pieces);
    return status;
}

/* A piece in quotes; what does not print, or is no UTF-8, as \n or \x.. */
static void print_piece(const char *text, size_t bytes) {
    putchar('"');
    for (size_t at = 0, length; at < bytes; at += length) {
        const unsigned char byte = (unsigned char)text[at];
        length = ttt_utf8_decode(text + at, bytes - at, NULL);
        const char *name = byte == '\n' ? "\\n" : byte == '\t' ? "\\t" : byte == '\r' ? "\\r" : NULL;
        if (name != NULL) {
            fputs(name, stdout);
        } else if (length == 0 || byte < 0x20 || byte == 0x7F) {
            printf("\\x%02X", byte);
            length = 1;
        } else {
            if (byte == '"' || byte == '\\') putchar('\\');
            fwrite(text + at, 1, length, stdout);
        }
    }
    puts("\"");
}

static ttt_status print_ids(tokenizing *t) {
    if (t->options->json || t->options->lines) return print_ids_json(t);
    for (size_t i = 0; i < t->ids.count; i++) {
        t->text.count = 0;
        TTT_TRY(ttt_tokenizer_piece(t->tokenizer, t->ids.items[i], &t->text, t->err));
        printf("%8d  ", t->ids.items[i]);
        print_piece(t->text.items, t->text.count);
    }
    return TTT_OK;
}

static ttt_status encode_and_print(tokenizing *t, const char *text, size_t bytes) {
    const unsigned flags = TTT_TOKENIZE_START | (t->options->specials ? TTT_TOKENIZE_SPECIALS : 0);
    t->ids.count = 0;
    TTT_TRY(ttt_tokenizer_encode(t->tokenizer, text, bytes, flags, &t->ids, t->err));
    return print_ids(t);
}

static ttt_status decode_and_print(tokenizing *t) {
    t->text.count = 0;
    TTT_TRY(ttt_tokenizer_decode(t->tokenizer, t->ids.items, t->ids.count, t->options->specials, &t->text, t->err));
    if (t->options->json || t->options->lines) {
        json_t *text;
        TTT_TRY(ttt_text_to_json(&t->text, &text, t->err));
        return ttt_print_json_line(json_pack("{s:o}", "text", text), t->err);
    }
    if (t->text.count > 0) fwrite(t->text.items, 1, t->text.count, stdout);
    putchar('\n');
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- command */

static ttt_status run_line(tokenizing *t, const json_t *value) {
    if (!t->options->decode) {
        if (!json_is_string(value)) return ttt_fail(t->err, TTT_ERROR_FORMAT, "it is no JSON string");
        return encode_and_print(t, json_string_value(value), json_string_length(value));
    }
    if (!json_is_array(value)) return ttt_fail(t->err, TTT_ERROR_FORMAT, "it is no JSON array of ids");
    t->ids.count = 0;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *id = json_array_get(value, i);
        const bool fits = json_is_integer(id) && json_integer_value(id) >= 0 && json_integer_value(id) <= INT32_MAX;
        if (!fits) return ttt_fail(t->err, TTT_ERROR_FORMAT, "entry %zu is no id", i);
        TTT_TRY(TTT_PUSH(&t->ids, (int32_t)json_integer_value(id), t->err));
    }
    return decode_and_print(t);
}

static ttt_status run_lines(tokenizing *t) {
    char *line = NULL;
    size_t capacity = 0;
    ttt_status status = TTT_OK;
    for (size_t number = 1; status == TTT_OK; number++) {
        const ssize_t length = getline(&line, &capacity, stdin);
        if (length < 0) break;
        json_error_t reason;
        json_t *value = json_loadb(line, (size_t)length, JSON_DECODE_ANY | JSON_ALLOW_NUL, &reason);
        status =
            value == NULL ? ttt_fail(t->err, TTT_ERROR_FORMAT, "it is no JSON: %s", reason.text) : run_line(t, value);
        json_decref(value);
        if (status != TTT_OK) ttt_fail_within(t->err, status, "standard input: line %zu", number);
    }
    free(line); /* the C library's */
    return status;
}

static ttt_status run_arguments(tokenizing *t, const ttt_option_list *arguments) {
    const bool from_input = arguments->count == 0 || (arguments->count == 1 && strcmp(arguments->items[0], "-") == 0);
    ttt_bytes input = {0};
    ttt_status status = TTT_OK;
    if (from_input) TTT_TRY_OUT(ttt_text_read_input(&input, t->err));
    if (!t->options->decode) {
        const char *text = from_input ? input.items : arguments->items[0];
        status = encode_and_print(t, text, from_input ? input.count : strlen(text));
        goto out;
    }
    if (from_input) TTT_TRY_OUT(parse_ids(input.items, &t->ids, t->err));
    for (size_t i = 0; !from_input && i < arguments->count; i++) {
        TTT_TRY_OUT(parse_id(arguments->items[i], &t->ids, t->err));
    }
    status = decode_and_print(t);
out:
    ttt_free(input.items);
    return status;
}

static ttt_status run(const tokenize_options *options, const ttt_option_list *arguments, ttt_error *err) {
    ttt_tokenizer *tokenizer;
    TTT_TRY(ttt_tokenizer_load(options->model, &tokenizer, err));
    tokenizing t = {.options = options, .tokenizer = tokenizer, .err = err};
    const ttt_status status = options->lines ? run_lines(&t) : run_arguments(&t, arguments);
    ttt_free(t.ids.items);
    ttt_free(t.text.items);
    ttt_tokenizer_free(tokenizer);
    return status;
}

static ttt_status check(const tokenize_options *options, const ttt_option_list *arguments, ttt_error *err) {
    if (options->model == NULL) return ttt_fail(err, TTT_ERROR_ARGUMENT, "--model is missing: whose tokenizer?");
    if (options->lines && arguments->count > 0) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "--lines reads standard input, and '%.60s' was given as well",
                        arguments->items[0]);
    }
    if (!options->decode && arguments->count > 1) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "%zu texts were given, expected one (in quotes?)", arguments->count);
    }
    return TTT_OK;
}

int ttt_command_tokenize(int argc, char **argv) {
    tokenize_options options = {0};
    ttt_parsed parsed;
    ttt_error err = {0};
    int exit_status = TTT_EXIT_OK;
    ttt_status status = ttt_options_parse(&tokenize_usage, argc, argv, &options, &parsed, &err);
    if (status == TTT_OK && parsed.help) {
        ttt_options_help(&tokenize_usage, stdout);
        goto out;
    }
    if (status == TTT_OK) status = check(&options, &parsed.arguments, &err);
    if (status != TTT_OK) {
        exit_status = ttt_command_misused("tokenize", &err);
    } else if (run(&options, &parsed.arguments, &err) != TTT_OK) {
        exit_status = ttt_command_failed("tokenize", &err);
    }
out:
    ttt_parsed_release(&parsed);
    return exit_status;
}
