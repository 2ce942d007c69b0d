/* Text to ids and back; what the parts are is in tokenizer_inside.h. */
#include "model/tokenizer_inside.h"

#include <string.h>

/* Special tokens with which models end an answer, in several families' spelling. */
static const char *const STOPS[] = {"<|eot_id|>", "<|end_of_text|>", "<|eom_id|>",
                                    "<|im_end|>", "<|endoftext|>",   "</s>"};
enum { STOP_COUNT = sizeof STOPS / sizeof *STOPS };
_Static_assert(STOP_COUNT <= sizeof((ttt_tokenizer *)0)->stops / sizeof *((ttt_tokenizer *)0)->stops,
               "every stop has its place");

/* ---------------------------------------------------------------------------------------------- life */

ttt_status ttt_tokenizer_new(ttt_tokenizer **tokenizer, ttt_error *err) {
    *tokenizer = ttt_allocate(1, sizeof **tokenizer);
    if (*tokenizer == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a tokenizer");
    (*tokenizer)->start = (*tokenizer)->end = -1;
    for (size_t i = 0; i < sizeof(*tokenizer)->stops / sizeof *(*tokenizer)->stops; i++) (*tokenizer)->stops[i] = -1;
    return TTT_OK;
}

void ttt_tokenizer_free(ttt_tokenizer *tokenizer) {
    if (tokenizer == NULL) return;
    ttt_vocabulary_release(&tokenizer->vocabulary);
    ttt_steps_release(&tokenizer->normalise);
    ttt_steps_release(&tokenizer->split);
    ttt_added_tokens_release(&tokenizer->raw);
    ttt_added_tokens_release(&tokenizer->normalized);
    ttt_free(tokenizer);
}

ttt_status ttt_tokenizer_add(ttt_tokenizer *tokenizer, ttt_added_token token, ttt_error *err) {
    if (!token.normalized) return ttt_added_tokens_add(&tokenizer->raw, token, err);
    ttt_splitter splitter = {0};
    const ttt_pieces *pieces;
    ttt_status status;
    TTT_TRY_OUT(
        ttt_steps_run(&tokenizer->normalise, &splitter, token.text, token.bytes, TTT_PLACE_START, &pieces, err));
    token.text = pieces->text.items;
    token.bytes = pieces->text.count;
    status = ttt_added_tokens_add(&tokenizer->normalized, token, err);
out:
    ttt_splitter_release(&splitter);
    return status;
}

ttt_status ttt_tokenizer_finish(ttt_tokenizer *tokenizer, ttt_error *err) {
    TTT_TRY(ttt_vocabulary_finish(&tokenizer->vocabulary, err));
    ttt_added_tokens_finish(&tokenizer->raw);
    ttt_added_tokens_finish(&tokenizer->normalized);
    for (size_t i = 0; i < STOP_COUNT; i++) tokenizer->stops[i] = ttt_tokenizer_special(tokenizer, STOPS[i]);
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- facts */

int32_t ttt_tokenizer_size(const ttt_tokenizer *tokenizer) {
    return tokenizer->vocabulary.size;
}

int32_t ttt_tokenizer_start(const ttt_tokenizer *tokenizer) {
    return tokenizer->start;
}

int32_t ttt_tokenizer_end(const ttt_tokenizer *tokenizer) {
    return tokenizer->end;
}

bool ttt_tokenizer_adds_start(const ttt_tokenizer *tokenizer) {
    return tokenizer->adds_start;
}

bool ttt_tokenizer_stops(const ttt_tokenizer *tokenizer, int32_t id) {
    if (id < 0) return false;
    for (size_t i = 0; i < STOP_COUNT; i++) {
        if (tokenizer->stops[i] == id) return true;
    }
    return tokenizer->end == id;
}

bool ttt_tokenizer_is_special(const ttt_tokenizer *tokenizer, int32_t id) {
    const ttt_vocabulary *vocabulary = &tokenizer->vocabulary;
    return id >= 0 && id < vocabulary->size && vocabulary->tokens[id].kind == TTT_TOKEN_SPECIAL;
}

int32_t ttt_tokenizer_special(const ttt_tokenizer *tokenizer, const char *text) {
    const ttt_added_tokens *const lists[] = {&tokenizer->raw, &tokenizer->normalized};
    for (size_t l = 0; l < 2; l++) {
        for (size_t i = 0; i < lists[l]->count; i++) {
            const ttt_added_token *token = &lists[l]->items[i];
            size_t bytes;
            const char *spelling = ttt_vocabulary_text(&tokenizer->vocabulary, token->id, &bytes);
            if (token->special && bytes == strlen(text) && memcmp(spelling, text, bytes) == 0) return token->id;
        }
    }
    return -1;
}

/* ---------------------------------------------------------------------------------------------- encoding */

typedef struct encoding {
    const ttt_tokenizer *tokenizer;
    bool specials;
    ttt_splitter normaliser, splitter;
    ttt_merger merger;
    ttt_ids *ids;
    ttt_error *err;
} encoding;

typedef ttt_status section_function(encoding *e, const char *text, size_t bytes, ttt_place place);

/* Cuts the added tokens of one list out of a text and hands what lies between to `section`. */
static ttt_status cut_out(encoding *e, const ttt_added_tokens *added, const char *text, size_t bytes, ttt_place place,
                          section_function *section) {
    size_t free = 0, at = 0, begin, end;
    for (const ttt_added_token *token;
         (token = ttt_added_tokens_next(added, e->specials, text, bytes, free, &at, &begin, &end)) != NULL;) {
        if (begin > free) TTT_TRY(section(e, text + free, begin - free, free == 0 ? place : TTT_PLACE_LATER));
        TTT_TRY(TTT_PUSH(e->ids, token->id, e->err));
        free = end;
    }
    if (free == bytes) return TTT_OK;
    return section(e, text + free, bytes - free, free == 0 ? place : TTT_PLACE_LATER);
}

static ttt_status encode_normalised(encoding *e, const char *text, size_t bytes, ttt_place place) {
    const ttt_pieces *pieces;
    TTT_TRY(ttt_steps_run(&e->tokenizer->split, &e->splitter, text, bytes, place, &pieces, e->err));
    for (size_t i = 0; i < pieces->ends.count; i++) {
        const size_t start = i == 0 ? 0 : pieces->ends.items[i - 1];
        TTT_TRY(ttt_vocabulary_encode(&e->tokenizer->vocabulary, &e->merger, pieces->text.items + start,
                                      pieces->ends.items[i] - start, e->ids, e->err));
    }
    return TTT_OK;
}

static ttt_status encode_section(encoding *e, const char *text, size_t bytes, ttt_place place) {
    const ttt_pieces *pieces;
    TTT_TRY(ttt_steps_run(&e->tokenizer->normalise, &e->normaliser, text, bytes, place, &pieces, e->err));
    return cut_out(e, &e->tokenizer->normalized, pieces->text.items, pieces->text.count, place, encode_normalised);
}

ttt_status ttt_tokenizer_encode(const ttt_tokenizer *tokenizer, const char *text, size_t bytes, unsigned flags,
                                ttt_ids *ids, ttt_error *err) {
    encoding e = {.tokenizer = tokenizer, .specials = (flags & TTT_TOKENIZE_SPECIALS) != 0, .ids = ids, .err = err};
    const size_t before = ids->count;
    ttt_status status = TTT_OK;
    if ((flags & TTT_TOKENIZE_START) && tokenizer->adds_start) TTT_TRY_OUT(TTT_PUSH(ids, tokenizer->start, err));
    status = cut_out(&e, &tokenizer->raw, text, bytes,
                     flags & TTT_TOKENIZE_INSIDE ? TTT_PLACE_CONTINUED : TTT_PLACE_START, encode_section);
out:
    ttt_splitter_release(&e.normaliser);
    ttt_splitter_release(&e.splitter);
    ttt_merger_release(&e.merger);
    if (status != TTT_OK) ids->count = before;
    return status;
}

/* ---------------------------------------------------------------------------------------------- decoding */

ttt_status ttt_tokenizer_piece(const ttt_tokenizer *tokenizer, int32_t id, ttt_bytes *text, ttt_error *err) {
    const ttt_vocabulary *vocabulary = &tokenizer->vocabulary;
    if (id < 0 || id >= vocabulary->size || vocabulary->tokens[id].kind == TTT_TOKEN_ABSENT) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "%d is no id of the tokenizer, whose ids are below %d", id,
                        vocabulary->size);
    }
    const size_t mark = strlen(TTT_BLANK_MARK);
    size_t bytes, at = 0;
    const char *piece = ttt_vocabulary_text(vocabulary, id, &bytes);
    for (const char *found;
         tokenizer->blank_mark && (found = memmem(piece + at, bytes - at, TTT_BLANK_MARK, mark)) != NULL;) {
        TTT_TRY(ttt_bytes_append(text, piece + at, (size_t)(found - piece) - at, err));
        TTT_TRY(ttt_bytes_append(text, " ", 1, err));
        at = (size_t)(found - piece) + mark;
    }
    return ttt_bytes_append(text, piece + at, bytes - at, err);
}

ttt_status ttt_tokenizer_decode(const ttt_tokenizer *tokenizer, const int32_t *ids, size_t count, bool specials,
                                ttt_bytes *text, ttt_error *err) {
    const size_t before = text->count;
    for (size_t i = 0; i < count; i++) {
        if (!specials && ttt_tokenizer_is_special(tokenizer, ids[i])) continue;
        ttt_status status = ttt_tokenizer_piece(tokenizer, ids[i], text, err);
        if (status == TTT_OK) continue;
        text->count = before;
        return status;
    }
    if (tokenizer->strip_blank && text->count > before && text->items[before] == ' ') {
        memmove(text->items + before, text->items + before + 1, text->count - before - 1);
        text->count--;
    }
    return TTT_OK;
}
