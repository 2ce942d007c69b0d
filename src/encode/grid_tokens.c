/* Grids as tokens. Everything is written by one routine, append_grid; examples, prompts and answers differ only in what
 * they append and in which tokens carry loss. */
#include "encode/grid_tokens.h"

#include <assert.h>
#include <string.h>

enum { ROLE_INPUT = 0, ROLE_OUTPUT = 1 };

/* --- The encoding's settings ------------------------------------------------------------------------------------- */

static const char *const axes_joined[] = {"row", "column", "grid"};
static const char *const axes_apart[] = {"row", "column", "pair", "role"};

ttt_encoding ttt_encoding_default(void) {
    return (ttt_encoding){.axes = 3, .inputs_whole = true};
}

static bool names_equal(const json_t *array, const char *const *names, size_t count) {
    if (json_array_size(array) != count) return false;
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(array, i));
        if (!name || strcmp(name, names[i]) != 0) return false;
    }
    return true;
}

ttt_status ttt_encoding_read(const ttt_model_config *config, const char *where, ttt_encoding *encoding,
                             ttt_error *err) {
    const char *vocabulary, *mask;
    json_t *axes;
    if (!config->encoding)
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: config.json has no \"encoding\", so this is no grid model",
                        where);
    TTT_TRY(ttt_json_get_string(config->encoding, where, "vocabulary", &vocabulary, err));
    TTT_TRY(ttt_json_get_array(config->encoding, where, "axes", &axes, err));
    TTT_TRY(ttt_json_get_string(config->encoding, where, "mask", &mask, err));
    if (strcmp(vocabulary, "grid-1") != 0)
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: encoding vocabulary \"%s\", expected \"grid-1\"", where,
                        vocabulary);
    if (config->vocabulary < TTT_GRID_VOCABULARY)
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: a vocabulary of %d tokens, but grid tokens need %d", where,
                        (int)config->vocabulary, TTT_GRID_VOCABULARY);
    if (names_equal(axes, axes_joined, 3))
        encoding->axes = 3;
    else if (names_equal(axes, axes_apart, 4))
        encoding->axes = 4;
    else
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                        "%s: encoding axes are neither [row, column, grid] nor [row, column, pair, role]", where);
    if (config->axes != encoding->axes)
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: the encoding has %d axes, the rotary positions have %d", where,
                        (int)encoding->axes, (int)config->axes);
    encoding->inputs_whole = strcmp(mask, "input") == 0;
    if (!encoding->inputs_whole && strcmp(mask, "causal") != 0)
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: encoding mask \"%s\", expected \"input\" or \"causal\"", where,
                        mask);
    return TTT_OK;
}

json_t *ttt_encoding_to_json(const ttt_encoding *encoding) {
    const char *mask = encoding->inputs_whole ? "input" : "causal";
    if (encoding->axes == 4)
        return json_pack("{s:s, s:[s,s,s,s], s:s}", "vocabulary", "grid-1", "axes", axes_apart[0], axes_apart[1],
                         axes_apart[2], axes_apart[3], "mask", mask);
    return json_pack("{s:s, s:[s,s,s], s:s}", "vocabulary", "grid-1", "axes", axes_joined[0], axes_joined[1],
                     axes_joined[2], "mask", mask);
}

/* --- Slots and lengths ------------------------------------------------------------------------------------------- */

ttt_slots ttt_slots_plain(void) {
    ttt_slots slots;
    for (int i = 0; i < TTT_PAIR_SLOTS; i++) slots.of[i] = (uint8_t)i;
    return slots;
}

ttt_slots ttt_slots_random(ttt_random *random, size_t count) {
    int order[TTT_PAIR_SLOTS];
    bool chosen[TTT_PAIR_SLOTS] = {false};
    ttt_slots slots = {{0}};
    assert(count <= TTT_PAIR_SLOTS);
    ttt_random_permutation(random, order, TTT_PAIR_SLOTS);
    for (size_t i = 0; i < count; i++) chosen[order[i]] = true;
    for (size_t slot = 0, i = 0; slot < TTT_PAIR_SLOTS; slot++)
        if (chosen[slot]) slots.of[i++] = (uint8_t)slot;
    return slots;
}

int32_t ttt_grid_tokens(const ttt_grid *grid) {
    return 1 + grid->height * (grid->width + 1);
}

int32_t ttt_pair_tokens(const ttt_pair *pair) {
    return ttt_grid_tokens(&pair->input) + ttt_grid_tokens(&pair->output);
}

int32_t ttt_prompt_tokens(const ttt_pair *demonstrations, size_t count, const ttt_grid *input) {
    int32_t tokens = 1 + ttt_grid_tokens(input) + 1;
    for (size_t i = 0; i < count; i++) tokens += ttt_pair_tokens(&demonstrations[i]);
    return tokens;
}

int32_t ttt_example_tokens(const ttt_pair *demonstrations, size_t count, const ttt_pair *question) {
    return ttt_prompt_tokens(demonstrations, count, &question->input) + ttt_grid_tokens(&question->output) - 1;
}

int ttt_example_fitting(int32_t limit, const ttt_pair *demonstrations, size_t count, const ttt_pair *question) {
    int32_t tokens = ttt_example_tokens(NULL, 0, question);
    if (tokens > limit) return -1;
    int shown = 0;
    while ((size_t)shown < count && shown < TTT_EXAMPLE_DEMONSTRATIONS) {
        tokens += ttt_pair_tokens(&demonstrations[shown]);
        if (tokens > limit) break;
        shown++;
    }
    return shown;
}

/* --- Sequences --------------------------------------------------------------------------------------------------- */

void ttt_encode_position(const ttt_encoding *encoding, int32_t row, int32_t column, int32_t slot, int32_t role,
                         int32_t *position) {
    position[0] = row;
    position[1] = column;
    if (encoding->axes == 4) {
        position[2] = slot;
        position[3] = role;
    } else {
        position[2] = 2 * slot + role;
    }
}

static void append(const ttt_encoding *encoding, ttt_sequence *sequence, int32_t id, int32_t row, int32_t column,
                   int32_t slot, int32_t role) {
    int32_t position[TTT_MAX_AXES];
    ttt_encode_position(encoding, row, column, slot, role, position);
    ttt_sequence_append(sequence, id, position);
}

static void append_rows(const ttt_encoding *encoding, ttt_sequence *sequence, const ttt_grid *grid, int32_t slot,
                        int32_t role) {
    for (int32_t r = 0; r < grid->height; r++) {
        const bool last = r + 1 == grid->height;
        for (int32_t c = 0; c < grid->width; c++) append(encoding, sequence, ttt_grid_at(grid, r, c), r, c, slot, role);
        append(encoding, sequence, last ? TTT_TOKEN_GRID_END : TTT_TOKEN_ROW_END, r + 1, -1, slot, role);
    }
}

/* Every token from `first` on but the sequence's last is to predict its successor. */
static void count_from(ttt_sequence *sequence, int32_t first) {
    for (int32_t t = first; t + 1 < sequence->length; t++) sequence->targets[t] = sequence->ids[t + 1];
}

static void append_input(const ttt_encoding *encoding, ttt_sequence *sequence, const ttt_grid *grid, int32_t slot,
                         bool counted) {
    const int32_t first = sequence->length;
    append(encoding, sequence, TTT_TOKEN_BEGIN_INPUT, 0, -1, slot, ROLE_INPUT);
    append_rows(encoding, sequence, grid, slot, ROLE_INPUT);
    if (counted) count_from(sequence, first);
    if (encoding->inputs_whole)
        for (int32_t t = first; t < sequence->length; t++) sequence->kv_high[t] = sequence->length;
}

static void append_output(const ttt_encoding *encoding, ttt_sequence *sequence, const ttt_grid *grid, int32_t slot,
                          bool counted) {
    const int32_t first = sequence->length;
    append(encoding, sequence, TTT_TOKEN_BEGIN_OUTPUT, 0, -1, slot, ROLE_OUTPUT);
    append_rows(encoding, sequence, grid, slot, ROLE_OUTPUT);
    if (counted) count_from(sequence, first);
}

static ttt_status check_count(size_t count, ttt_error *err) {
    return count <= TTT_EXAMPLE_DEMONSTRATIONS
               ? TTT_OK
               : ttt_fail(err, TTT_ERROR_ARGUMENT, "%zu demonstrations in one example, at most %d fit", count,
                          TTT_EXAMPLE_DEMONSTRATIONS);
}

static ttt_status begin(const ttt_encoding *encoding, int32_t tokens, ttt_sequence *sequence, ttt_error *err) {
    sequence->length = 0;
    return ttt_sequence_reserve(sequence, tokens, encoding->axes, err);
}

ttt_status ttt_encode_example(const ttt_encoding *encoding, const ttt_pair *demonstrations, size_t count,
                              const ttt_pair *question, const ttt_slots *slots, const ttt_encode_loss *loss,
                              ttt_sequence *sequence, ttt_error *err) {
    const ttt_slots plain = ttt_slots_plain();
    if (!slots) slots = &plain;
    if (loss->inputs && encoding->inputs_whole)
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "loss on inputs needs the causal mask: here inputs see themselves");
    TTT_TRY(check_count(count, err));
    TTT_TRY(begin(encoding, ttt_example_tokens(demonstrations, count, question), sequence, err));
    append(encoding, sequence, TTT_TOKEN_TASK_START, 0, -1, 0, ROLE_INPUT);
    for (size_t i = 0; i <= count; i++) {
        const ttt_pair *pair = i < count ? &demonstrations[i] : question;
        const bool counted = i == count || (int64_t)i >= loss->first_output;
        append_input(encoding, sequence, &pair->input, slots->of[i], loss->inputs);
        append_output(encoding, sequence, &pair->output, slots->of[i], counted);
    }
    return TTT_OK;
}

ttt_status ttt_encode_prompt(const ttt_encoding *encoding, const ttt_pair *demonstrations, size_t count,
                             const ttt_grid *input, const ttt_slots *slots, ttt_sequence *sequence, ttt_error *err) {
    const ttt_slots plain = ttt_slots_plain();
    if (!slots) slots = &plain;
    TTT_TRY(check_count(count, err));
    TTT_TRY(begin(encoding, ttt_prompt_tokens(demonstrations, count, input), sequence, err));
    append(encoding, sequence, TTT_TOKEN_TASK_START, 0, -1, 0, ROLE_INPUT);
    for (size_t i = 0; i < count; i++) {
        append_input(encoding, sequence, &demonstrations[i].input, slots->of[i], false);
        append_output(encoding, sequence, &demonstrations[i].output, slots->of[i], false);
    }
    append_input(encoding, sequence, input, slots->of[count], false);
    append(encoding, sequence, TTT_TOKEN_BEGIN_OUTPUT, 0, -1, slots->of[count], ROLE_OUTPUT);
    return TTT_OK;
}

ttt_status ttt_encode_answer(const ttt_encoding *encoding, const ttt_grid *answer, size_t count, const ttt_slots *slots,
                             ttt_sequence *sequence, int32_t *first_target, ttt_error *err) {
    const ttt_slots plain = ttt_slots_plain();
    if (!slots) slots = &plain;
    TTT_TRY(check_count(count, err));
    TTT_TRY(begin(encoding, ttt_grid_tokens(answer) - 1, sequence, err));
    append_rows(encoding, sequence, answer, slots->of[count], ROLE_OUTPUT);
    count_from(sequence, 0);
    *first_target = sequence->ids[0];
    return TTT_OK;
}
