/* The steps from a text to the pieces that are merged, each one alone. A step reads pieces and writes pieces; two lists
 * take turns. Behaviours of a split are those of the tokenizers package. */
#include "model/tokenizer_inside.h"

#include <string.h>

/* ---------------------------------------------------------------------------------------------- pieces */

void ttt_pieces_clear(ttt_pieces *pieces) {
    pieces->text.count = pieces->ends.count = 0;
}

void ttt_pieces_release(ttt_pieces *pieces) {
    ttt_free(pieces->text.items);
    ttt_free(pieces->ends.items);
}

/* Makes the text that was appended since the last piece one more; nothing appended, no piece. */
static ttt_status close_piece(ttt_pieces *pieces, ttt_error *err) {
    const size_t count = pieces->ends.count, begin = count == 0 ? 0 : pieces->ends.items[count - 1];
    return pieces->text.count == begin ? TTT_OK : TTT_PUSH(&pieces->ends, pieces->text.count, err);
}

ttt_status ttt_pieces_append(ttt_pieces *pieces, const char *text, size_t bytes, ttt_error *err) {
    TTT_TRY(ttt_bytes_append(&pieces->text, text, bytes, err));
    return close_piece(pieces, err);
}

/* ---------------------------------------------------------------------------------------------- steps */

void ttt_steps_release(ttt_steps *steps) {
    for (size_t i = 0; i < steps->count; i++) {
        ttt_free(steps->items[i].from);
        ttt_free(steps->items[i].to);
        ttt_pattern_free(steps->items[i].pattern);
    }
    ttt_free(steps->items);
}

static ttt_status add_step(ttt_steps *steps, ttt_step step, ttt_error *err) {
    return TTT_PUSH(steps, step, err);
}

/* Copies `text` for a step that is already in the list. */
static ttt_status copy(const char *text, char **to, ttt_error *err) {
    *to = ttt_string_copy(text);
    return *to != NULL ? TTT_OK : ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a step of a tokenizer");
}

ttt_status ttt_steps_add_compose(ttt_steps *steps, ttt_error *err) {
    return add_step(steps, (ttt_step){.kind = TTT_STEP_COMPOSE}, err);
}

ttt_status ttt_steps_add_prepend(ttt_steps *steps, const char *prefix, ttt_prefix when, bool unless_there,
                                 ttt_error *err) {
    TTT_TRY(add_step(steps, (ttt_step){.kind = TTT_STEP_PREPEND, .prefix = when, .unless_there = unless_there}, err));
    return copy(prefix, &steps->items[steps->count - 1].to, err);
}

ttt_status ttt_steps_add_replace(ttt_steps *steps, const char *from, const char *to, ttt_error *err) {
    TTT_TRY(add_step(steps, (ttt_step){.kind = TTT_STEP_REPLACE}, err));
    TTT_TRY(copy(from, &steps->items[steps->count - 1].from, err));
    return copy(to, &steps->items[steps->count - 1].to, err);
}

ttt_status ttt_steps_add_split(ttt_steps *steps, const char *pattern, bool literal, ttt_split_behaviour behaviour,
                               bool invert, ttt_error *err) {
    TTT_TRY(add_step(steps, (ttt_step){.kind = TTT_STEP_SPLIT, .behaviour = behaviour, .invert = invert}, err));
    ttt_step *step = &steps->items[steps->count - 1];
    if (literal) return copy(pattern, &step->from, err);
    return ttt_pattern_compile(pattern, &step->pattern, err);
}

/* ---------------------------------------------------------------------------------------------- one piece */

static bool begins_with(const char *text, size_t bytes, const char *prefix) {
    const size_t length = strlen(prefix);
    return length <= bytes && memcmp(text, prefix, length) == 0;
}

static ttt_status replace(const ttt_step *step, const char *text, size_t bytes, ttt_pieces *to, ttt_error *err) {
    const size_t length = strlen(step->from);
    size_t at = 0;
    for (const char *found; (found = memmem(text + at, bytes - at, step->from, length)) != NULL;) {
        TTT_TRY(ttt_bytes_append(&to->text, text + at, (size_t)(found - text) - at, err));
        TTT_TRY(ttt_bytes_append(&to->text, step->to, strlen(step->to), err));
        at = (size_t)(found - text) + length;
    }
    TTT_TRY(ttt_bytes_append(&to->text, text + at, bytes - at, err));
    return close_piece(to, err);
}

/* A split in progress: segments of the piece come in order, matches and what lies between. */
typedef struct cutting {
    const ttt_step *step;
    ttt_pieces *to;
    size_t first;     /* number of pieces before this one's */
    bool after_match; /* was the segment before a match? */
    ttt_error *err;
} cutting;

static ttt_status cut(cutting *c, const char *text, size_t bytes, bool matches) {
    if (bytes == 0) return TTT_OK;
    const ttt_split_behaviour behaviour = c->step->behaviour;
    const bool before = c->after_match;
    matches = matches != c->step->invert;
    c->after_match = matches;
    if (behaviour == TTT_SPLIT_REMOVED && matches) return TTT_OK;
    const bool joins = (behaviour == TTT_SPLIT_CONTIGUOUS && matches == before) ||
                       (behaviour == TTT_SPLIT_MERGED_WITH_PREVIOUS && matches && !before) ||
                       (behaviour == TTT_SPLIT_MERGED_WITH_NEXT && !matches && before);
    if (joins && c->to->ends.count > c->first) c->to->ends.count--;
    return ttt_pieces_append(c->to, text, bytes, c->err);
}

/* Matches of a regular expression lie within stretches of valid UTF-8; other bytes belong to what lies between. */
static ttt_status next_match(const ttt_step *step, ttt_splitter *splitter, const char *text, size_t bytes, size_t from,
                             size_t *valid_begin, size_t *valid_end, bool *found, size_t *begin, size_t *end,
                             ttt_error *err) {
    if (step->pattern == NULL) {
        const char *place = memmem(text + from, bytes - from, step->from, strlen(step->from));
        *found = place != NULL;
        *begin = *found ? (size_t)(place - text) : 0;
        *end = *begin + strlen(step->from);
        return TTT_OK;
    }
    for (;;) {
        if (from >= *valid_end) {
            *valid_begin = from + ttt_utf8_run(text + from, bytes - from, false);
            *valid_end = *valid_begin + ttt_utf8_run(text + *valid_begin, bytes - *valid_begin, true);
            from = *valid_begin;
        }
        const size_t base = *valid_begin;
        TTT_TRY(ttt_pattern_next(step->pattern, splitter->matcher, text + base, *valid_end - base, from - base, found,
                                 begin, end, err));
        *begin += base;
        *end += base;
        if (*found || *valid_end == bytes) return TTT_OK;
        from = *valid_end;
    }
}

static ttt_status split(const ttt_step *step, ttt_splitter *splitter, const char *text, size_t bytes, ttt_pieces *to,
                        ttt_error *err) {
    cutting c = {.step = step, .to = to, .first = to->ends.count, .err = err};
    size_t at = 0, valid_begin = 0, valid_end = 0;
    if (splitter->matcher == NULL) TTT_TRY(ttt_matcher_new(&splitter->matcher, err));
    while (at < bytes) {
        bool found;
        size_t begin = 0, end = 0;
        TTT_TRY(next_match(step, splitter, text, bytes, at, &valid_begin, &valid_end, &found, &begin, &end, err));
        if (!found) break;
        TTT_TRY(cut(&c, text + at, begin - at, false));
        TTT_TRY(cut(&c, text + begin, end - begin, true));
        at = end;
    }
    return cut(&c, text + at, bytes - at, false);
}

static ttt_status run_step(const ttt_step *step, ttt_splitter *splitter, const ttt_pieces *from, ttt_place place,
                           ttt_pieces *to, ttt_error *err) {
    for (size_t i = 0; i < from->ends.count; i++) {
        const size_t begin = i == 0 ? 0 : from->ends.items[i - 1], bytes = from->ends.items[i] - begin;
        const char *text = from->text.items + begin;
        switch (step->kind) {
        case TTT_STEP_COMPOSE:
            TTT_TRY(ttt_unicode_compose(text, bytes, &to->text, err));
            TTT_TRY(close_piece(to, err));
            break;
        case TTT_STEP_PREPEND:
            if ((step->prefix == TTT_PREFIX_FIRST ? i == 0 && place == TTT_PLACE_START
                                                  : i > 0 || place != TTT_PLACE_CONTINUED) &&
                !(step->unless_there && begins_with(text, bytes, step->to))) {
                TTT_TRY(ttt_bytes_append(&to->text, step->to, strlen(step->to), err));
            }
            TTT_TRY(ttt_pieces_append(to, text, bytes, err));
            break;
        case TTT_STEP_REPLACE: TTT_TRY(replace(step, text, bytes, to, err)); break;
        case TTT_STEP_SPLIT: TTT_TRY(split(step, splitter, text, bytes, to, err)); break;
        }
    }
    return TTT_OK;
}

void ttt_splitter_release(ttt_splitter *splitter) {
    ttt_pieces_release(&splitter->pieces[0]);
    ttt_pieces_release(&splitter->pieces[1]);
    ttt_matcher_free(splitter->matcher);
}

ttt_status ttt_steps_run(const ttt_steps *steps, ttt_splitter *splitter, const char *text, size_t bytes,
                         ttt_place place, const ttt_pieces **pieces, ttt_error *err) {
    enum { GROWTH = 64 }; /* replacements that grow on each other could ask for any amount of memory */
    ttt_pieces *from = &splitter->pieces[0], *to = &splitter->pieces[1];
    ttt_pieces_clear(from);
    TTT_TRY(ttt_pieces_append(from, text, bytes, err));
    for (size_t i = 0; i < steps->count; i++) {
        ttt_pieces_clear(to);
        TTT_TRY(run_step(&steps->items[i], splitter, from, place, to, err));
        if (to->text.count / GROWTH > bytes + 64) {
            return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "the tokenizer's steps make %zu bytes of a text of %zu",
                            to->text.count, bytes);
        }
        ttt_pieces *swap = from;
        from = to;
        to = swap;
    }
    *pieces = from;
    return TTT_OK;
}
