/* Programs from text.
 *
 * The reader is a recursive descent with one token to look at, over text that nobody has checked:
 *
 *     program    = [ "frame" "=" frame { frame } ] { name "=" expression } "output" "=" ( expression | rule )
 *     expression = "input" | name | constant | [ scope ] operation "(" expression { "," expression } ")"
 *     rule       = "cells" "{" case { ";" case } "}"
 *     case       = ( "else" | condition { "and" condition } ) ":" ( colour | expression )
 *     condition  = expression "is" [ "not" ] colour
 *
 * Line ends are blanks but for two things: a statement begins a line, and a comment is a whole line. Every value is
 * made a node as it is read, so that limits on nodes, names and depth bound all work. */
#include "induce/program_words.h"

#include "base/names.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WORD_BYTES = 32, DEPTH_MAX = 64, ANY_TYPE = TTT_VALUE_TYPE_COUNT };

/* The constant of a type with this word; -1: none. */
static int find_constant(int type, const char *word) {
    const char *known;
    for (int i = 0; (known = ttt_constant_word(type, i)) != NULL; i++) {
        if (strcmp(known, word) == 0) return i;
    }
    return -1;
}

bool ttt_program_word(const char *word) {
    static const char *const others[] = {"frame", "input", "output", "cells", "is", "not", "and", "else"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strcmp(others[i], word) == 0) return true;
    }
    for (int type = 0; type < TTT_VALUE_TYPE_COUNT; type++) {
        if (find_constant(type, word) >= 0) return true;
    }
    for (int scope = 0; scope < TTT_SCOPE_END; scope++) {
        if (strcmp(ttt_scope_word(scope), word) == 0) return true;
    }
    return ttt_operation_find(word) >= 0;
}

/* ---------------------------------------------------------------------------------------------- tokens */

typedef enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_NUMBER, TOKEN_COLOUR, TOKEN_SIGN } token_kind;

typedef struct token {
    token_kind kind;
    int line;
    bool begins_line;
    int number;            /* of NUMBER and COLOUR; of SIGN the character */
    char text[WORD_BYTES]; /* as it was written, cut */
} token;

typedef struct parser {
    const char *place, *at;
    int line, depth;
    int taken; /* the line of the token before the next */
    token next;
    ttt_program *program;
    struct {
        char word[WORD_BYTES];
        uint16_t node;
    } names[TTT_NODES_MAX];
    size_t name_count;
    ttt_error *err;
} parser;

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* An error about what has been taken. */
__attribute__((format(printf, 2, 3))) static ttt_status refuse(parser *p, const char *format, ...) {
    char sentence[TTT_ERROR_LENGTH];
    va_list list;
    va_start(list, format);
    vsnprintf(sentence, sizeof sentence, format, list);
    va_end(list);
    return ttt_fail(p->err, TTT_ERROR_FORMAT, "%s:%d: %s", p->place, p->taken, sentence);
}

/* "found X, expected ...", X being the next token. */
static ttt_status refuse_next(parser *p, const char *expected) {
    const token *t = &p->next;
    p->taken = t->line;
    if (t->kind == TOKEN_END) return refuse(p, "found the end of the text, expected %s", expected);
    if (t->kind == TOKEN_SIGN && (t->number < ' ' || t->number > '~')) {
        return refuse(p, "found byte 0x%02x, expected %s", (unsigned)t->number, expected);
    }
    return refuse(p, "found '%s', expected %s", t->text, expected);
}

/* Goes over blanks and comments; true if a line began on the way. */
static bool skip_blanks(parser *p) {
    bool begins_line = p->next.line == 0;
    for (;; p->at++) {
        if (*p->at == '\n') {
            begins_line = true;
            p->line++;
        } else if (*p->at == '#' && begins_line) {
            while (p->at[1] != '\n' && p->at[1] != '\0') p->at++;
        } else if (*p->at != ' ' && *p->at != '\t' && *p->at != '\r') {
            return begins_line;
        }
    }
}

/* Digits from `at` on, far beyond every limit at most. */
static int read_number(parser *p) {
    int number = 0;
    for (; is_digit(*p->at); p->at++) {
        if (number < 100000) number = number * 10 + (*p->at - '0');
    }
    return number;
}

/* Keeps the token's text; refuses what is beyond a limit. */
static ttt_status check_token(parser *p, const char *start, size_t length) {
    token *t = &p->next;
    snprintf(t->text, sizeof t->text, "%.*s", length < sizeof t->text ? (int)length : (int)sizeof t->text, start);
    if (t->kind == TOKEN_WORD && length >= sizeof t->text) return refuse_next(p, "a word of at most 31 letters");
    if (t->kind == TOKEN_COLOUR && t->number >= TTT_COLOURS) return refuse_next(p, "a colour from #0 to #9");
    if (t->kind == TOKEN_NUMBER && (t->number > TTT_NUMBER_MAX || t->number < -TTT_NUMBER_MAX)) {
        return refuse_next(p, "a number from -900 to 900");
    }
    return TTT_OK;
}

static ttt_status advance(parser *p) {
    token *t = &p->next;
    p->taken = t->line;
    t->begins_line = skip_blanks(p);
    t->line = p->line;
    const char *start = p->at;
    if (*start == '\0') {
        t->kind = TOKEN_END;
    } else if (is_letter(*start)) {
        t->kind = TOKEN_WORD;
        while (is_letter(*p->at) || is_digit(*p->at)) p->at++;
    } else if (is_digit(*start) || (*start == '-' && is_digit(start[1]))) {
        t->kind = TOKEN_NUMBER;
        if (*start == '-') p->at++;
        t->number = *start == '-' ? -read_number(p) : read_number(p);
    } else if (*start == '#' && is_digit(start[1])) {
        t->kind = TOKEN_COLOUR;
        p->at++;
        t->number = read_number(p);
    } else {
        t->kind = TOKEN_SIGN;
        t->number = (uint8_t)*p->at++;
    }
    return check_token(p, start, (size_t)(p->at - start));
}

static bool next_is_word(const parser *p, const char *word) {
    return p->next.kind == TOKEN_WORD && strcmp(p->next.text, word) == 0;
}

static bool next_is_sign(const parser *p, char sign) {
    return p->next.kind == TOKEN_SIGN && p->next.number == sign;
}

static ttt_status expect_sign(parser *p, char sign) {
    const char expected[] = {'\'', sign, '\'', '\0'};
    if (!next_is_sign(p, sign)) return refuse_next(p, expected);
    return advance(p);
}

/* ---------------------------------------------------------------------------------------------- expressions */

/* Adds the program's line to what ttt_program_add had to say. */
static ttt_status placed(parser *p, ttt_status status) {
    if (status == TTT_ERROR_FORMAT) return ttt_fail_within(p->err, status, "%s:%d", p->place, p->taken);
    return status;
}

static int find_name(const parser *p, const char *word) {
    for (size_t i = 0; i < p->name_count; i++) {
        if (strcmp(p->names[i].word, word) == 0) return (int)i;
    }
    return -1;
}

static ttt_status refuse_operation(parser *p, const char *word) {
    ttt_nearest nearest = {.name = word};
    char hint[TTT_NEAREST_TEXT];
    for (int i = 0; i < TTT_OPERATION_COUNT; i++) ttt_nearest_try(&nearest, ttt_operations[i].name);
    return refuse(p, "found '%s', expected the name of an operation%s", word, ttt_nearest_hint(&nearest, "", hint));
}

static ttt_status refuse_word(parser *p, const char *word) {
    ttt_nearest nearest = {.name = word};
    char hint[TTT_NEAREST_TEXT];
    const char *known;
    ttt_nearest_try(&nearest, "input");
    for (size_t i = 0; i < p->name_count; i++) ttt_nearest_try(&nearest, p->names[i].word);
    for (int type = 0; type < TTT_VALUE_TYPE_COUNT; type++) {
        for (int i = 0; (known = ttt_constant_word(type, i)) != NULL; i++) ttt_nearest_try(&nearest, known);
    }
    return refuse(p, "found '%s', expected 'input', a constant, or a name that is defined above%s", word,
                  ttt_nearest_hint(&nearest, "", hint));
}

/* "(grid, colour)" */
static void types_text(const uint8_t *types, int count, char *text, size_t bytes) {
    size_t used = (size_t)snprintf(text, bytes, "(");
    for (int i = 0; i < count && used < bytes; i++) {
        used += (size_t)snprintf(text + used, bytes - used, "%s%s", i > 0 ? ", " : "",
                                 ttt_value_type_name((ttt_value_type)types[i]));
    }
    if (used < bytes) snprintf(text + used, bytes - used, ")");
}

static ttt_status parse_expression(parser *p, int wanted, uint16_t *node);

/* From "(" on. */
static ttt_status parse_application(parser *p, const char *word, ttt_scope scope, uint16_t *node) {
    const int id = ttt_operation_find(word);
    if (id < 0) return refuse_operation(p, word);
    const ttt_operation *operation = &ttt_operations[id];
    uint8_t expected[TTT_ARGUMENTS_MAX], found[TTT_ARGUMENTS_MAX] = {0};
    uint16_t arguments[TTT_ARGUMENTS_MAX] = {0};
    int count = 0;
    if (!ttt_operation_has_scope(operation, scope)) {
        return refuse(p, "found '%s %s', expected an operation from a grid%s to a grid", ttt_scope_word(scope), word,
                      scope == TTT_SCOPE_EACH ? "" : " alone");
    }
    for (int i = 0; i < operation->arity; i++) expected[i] = (uint8_t)ttt_operation_argument(operation, scope, i);
    TTT_TRY(expect_sign(p, '('));
    do {
        if (count > 0) TTT_TRY(advance(p));
        if (count == TTT_ARGUMENTS_MAX) {
            return refuse(p, "found over %d arguments of '%s', expected %d", TTT_ARGUMENTS_MAX, word, operation->arity);
        }
        TTT_TRY(parse_expression(p, count < operation->arity ? expected[count] : ANY_TYPE, &arguments[count]));
        found[count] = p->program->nodes[arguments[count]].type;
        count++;
    } while (next_is_sign(p, ','));
    if (!next_is_sign(p, ')')) return refuse_next(p, "',' or ')'");
    if (count != operation->arity || memcmp(found, expected, (size_t)count) != 0) {
        char takes[64], given[64];
        types_text(expected, operation->arity, takes, sizeof takes);
        types_text(found, count, given, sizeof given);
        return refuse(p, "'%s%s%s' takes %s, found %s", ttt_scope_word(scope), scope != TTT_SCOPE_WHOLE ? " " : "",
                      word, takes, given);
    }
    TTT_TRY(placed(p, ttt_program_add_application(p->program, id, scope, arguments, node, p->err)));
    return advance(p);
}

/* A word that is not applied: input, a name, or a constant, of the wanted type if words of several types are alike. */
static ttt_status parse_word(parser *p, const char *word, int wanted, uint16_t *node) {
    if (strcmp(word, "input") == 0) return placed(p, ttt_program_add_input(p->program, node, p->err));
    const int name = find_name(p, word);
    if (name >= 0) {
        *node = p->names[name].node;
        return TTT_OK;
    }
    int type = wanted, constant = find_constant(wanted, word);
    for (int other = 0; constant < 0 && other < TTT_VALUE_TYPE_COUNT; other++) {
        type = other;
        constant = find_constant(other, word);
    }
    if (constant < 0) return refuse_word(p, word);
    return placed(p, ttt_program_add_constant(p->program, (ttt_value_type)type, constant, node, p->err));
}

static ttt_status parse_number(parser *p, uint16_t *node) {
    const ttt_value_type type = p->next.kind == TOKEN_COLOUR ? TTT_VALUE_COLOUR : TTT_VALUE_NUMBER;
    TTT_TRY(placed(p, ttt_program_add_constant(p->program, type, p->next.number, node, p->err)));
    return advance(p);
}

/* `wanted` only decides between constants of one word; whoever calls checks the type. */
static ttt_status parse_expression(parser *p, int wanted, uint16_t *node) {
    if (p->next.kind == TOKEN_NUMBER || p->next.kind == TOKEN_COLOUR) return parse_number(p, node);
    ttt_scope scope = TTT_SCOPE_WHOLE + 1;
    while (scope < TTT_SCOPE_END && !next_is_word(p, ttt_scope_word(scope))) scope++;
    if (scope == TTT_SCOPE_END) scope = TTT_SCOPE_WHOLE;
    if (scope != TTT_SCOPE_WHOLE) TTT_TRY(advance(p));
    if (p->next.kind != TOKEN_WORD)
        return refuse_next(p, scope != TTT_SCOPE_WHOLE ? "the name of an operation" : "an expression");
    char word[WORD_BYTES];
    memcpy(word, p->next.text, sizeof word);
    if (p->depth == DEPTH_MAX) return refuse(p, "found over %d nested operations, expected fewer", DEPTH_MAX);
    TTT_TRY(advance(p));
    if (!next_is_sign(p, '(')) {
        return scope != TTT_SCOPE_WHOLE ? refuse_operation(p, word) : parse_word(p, word, wanted, node);
    }
    p->depth++;
    TTT_TRY(parse_application(p, word, scope, node));
    p->depth--;
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- the rule */

/* The number of the layer that a node is, a new one if need be. */
static ttt_status add_layer(parser *p, uint16_t node, int *layer) {
    ttt_program *program = p->program;
    const uint8_t type = program->nodes[node].type;
    if (type != TTT_VALUE_GRID && type != TTT_VALUE_MASK) {
        return refuse(p, "found a %s as output or layer of it, expected a grid or a mask",
                      ttt_value_type_name((ttt_value_type)type));
    }
    for (*layer = 0; *layer < program->layer_count; ++*layer) {
        if (program->layers[*layer] == node) return TTT_OK;
    }
    if (program->layer_count == TTT_LAYERS_MAX)
        return refuse(p, "found over %d layers, expected fewer", TTT_LAYERS_MAX);
    program->layers[program->layer_count++] = node;
    return TTT_OK;
}

static ttt_status parse_layer(parser *p, int *layer) {
    uint16_t node;
    TTT_TRY(parse_expression(p, ANY_TYPE, &node));
    return add_layer(p, node, layer);
}

/* A colour as it is written in a rule: a word, #n, or a digit. */
static bool next_is_cell(const parser *p, uint8_t *colour) {
    const token *t = &p->next;
    const int found = t->kind == TOKEN_WORD ? find_constant(TTT_VALUE_COLOUR, t->text) : t->number;
    *colour = (uint8_t)found;
    return t->kind != TOKEN_END && t->kind != TOKEN_SIGN && found >= 0 && found < TTT_COLOURS;
}

static ttt_status parse_condition(parser *p, ttt_condition *condition) {
    int layer;
    TTT_TRY(parse_layer(p, &layer));
    condition->layer = (uint8_t)layer;
    if (!next_is_word(p, "is")) return refuse_next(p, "'is'");
    TTT_TRY(advance(p));
    condition->negated = next_is_word(p, "not");
    if (condition->negated) TTT_TRY(advance(p));
    if (!next_is_cell(p, &condition->colour)) return refuse_next(p, "a colour");
    return advance(p);
}

static ttt_status parse_conditions(parser *p, ttt_case *one) {
    if (next_is_word(p, "else")) return advance(p);
    for (;;) {
        if (one->condition_count == TTT_CONDITIONS_MAX) {
            return refuse(p, "found over %d conditions of one case, expected fewer", TTT_CONDITIONS_MAX);
        }
        TTT_TRY(parse_condition(p, &one->conditions[one->condition_count++]));
        if (!next_is_word(p, "and")) return TTT_OK;
        TTT_TRY(advance(p));
    }
}

static ttt_status parse_case(parser *p, ttt_case *one) {
    *one = (ttt_case){.copied = -1};
    TTT_TRY(parse_conditions(p, one));
    TTT_TRY(expect_sign(p, ':'));
    if (next_is_cell(p, &one->colour)) return advance(p);
    int layer;
    TTT_TRY(parse_layer(p, &layer));
    one->copied = (int8_t)layer;
    one->colour = 0;
    return TTT_OK;
}

/* From "{" on. */
static ttt_status parse_cells(parser *p) {
    ttt_program *program = p->program;
    bool last;
    TTT_TRY(expect_sign(p, '{'));
    program->cases = ttt_allocate(TTT_CASES_MAX, sizeof *program->cases);
    if (program->cases == NULL) return ttt_fail(p->err, TTT_ERROR_MEMORY, "%s: out of memory for a rule", p->place);
    do {
        if (program->case_count > 0) TTT_TRY(advance(p));
        if (program->case_count == TTT_CASES_MAX) {
            return refuse(p, "found over %d cases, expected fewer", TTT_CASES_MAX);
        }
        ttt_case *one = &program->cases[program->case_count++];
        TTT_TRY(parse_case(p, one));
        last = one->condition_count == 0;
    } while (!last && next_is_sign(p, ';'));
    if (!next_is_sign(p, '}')) return refuse_next(p, last ? "'}' behind 'else'" : "';' or '}'");
    if (program->layer_count == 0) return refuse(p, "found a rule without a layer, expected one to give the size");
    return advance(p);
}

/* ---------------------------------------------------------------------------------------------- statements */

/* "frame =" has been seen. */
static ttt_status parse_frame(parser *p) {
    do {
        unsigned bit = 1;
        while (bit < TTT_FRAME_END && !next_is_word(p, ttt_frame_name((ttt_frame)bit))) bit <<= 1;
        if (bit == TTT_FRAME_END) return refuse_next(p, "'transposed', 'colours' or 'background'");
        if (p->program->frame & bit) return refuse_next(p, "each word of a frame once");
        p->program->frame |= bit;
        TTT_TRY(advance(p));
    } while (p->next.kind == TOKEN_WORD && !p->next.begins_line);
    return TTT_OK;
}

static ttt_status parse_output(parser *p) {
    if (next_is_word(p, "cells")) {
        TTT_TRY(advance(p));
        TTT_TRY(parse_cells(p));
    } else {
        int layer;
        TTT_TRY(parse_layer(p, &layer));
    }
    return p->next.kind == TOKEN_END ? TTT_OK : refuse_next(p, "nothing behind the output");
}

static ttt_status check_new_name(parser *p, const char *word) {
    if (ttt_program_word(word)) {
        return refuse(p, "found '%s', a word of the language, as a name, expected another", word);
    }
    if (find_name(p, word) >= 0) return refuse(p, "found a second definition of '%s', expected one", word);
    if (p->name_count == TTT_NODES_MAX) return refuse(p, "found over %d names, expected fewer", TTT_NODES_MAX);
    return TTT_OK;
}

static ttt_status parse_definition(parser *p) {
    char word[WORD_BYTES];
    memcpy(word, p->next.text, sizeof word);
    TTT_TRY(advance(p));
    TTT_TRY(check_new_name(p, word));
    TTT_TRY(expect_sign(p, '='));
    uint16_t node;
    TTT_TRY(parse_expression(p, ANY_TYPE, &node));
    memcpy(p->names[p->name_count].word, word, sizeof word);
    p->names[p->name_count++].node = node;
    return TTT_OK;
}

static ttt_status parse_program(parser *p) {
    TTT_TRY(advance(p));
    if (next_is_word(p, "frame")) {
        TTT_TRY(advance(p));
        TTT_TRY(expect_sign(p, '='));
        TTT_TRY(parse_frame(p));
    }
    for (;;) {
        if (p->next.kind != TOKEN_WORD) return refuse_next(p, "'output = ...' or the definition of a name");
        if (!p->next.begins_line) return refuse_next(p, "a new line");
        if (next_is_word(p, "output")) break;
        TTT_TRY(parse_definition(p));
    }
    TTT_TRY(advance(p));
    TTT_TRY(expect_sign(p, '='));
    return parse_output(p);
}

ttt_status ttt_program_parse(const char *text, const char *place, ttt_program *program, ttt_error *err) {
    *program = (ttt_program){0};
    parser *p = ttt_allocate(1, sizeof *p);
    if (p == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "%s: out of memory for reading a program", place);
    *p = (parser){.place = place, .at = text, .line = 1, .program = program, .err = err};
    const ttt_status status = parse_program(p);
    ttt_free(p);
    if (status != TTT_OK) ttt_program_release(program);
    assert(status != TTT_OK || ttt_program_valid(program));
    return status;
}
