/* The tokens of every text that a format can write are made once; what is left to do for a puzzle is to put them one
 * behind the other, or only to count them. */
#include "encode/text_codec.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { ROLES = TTT_ROLE_NONE }; /* those that have messages */

/* The pieces of ids that sequences are made of. A part has four: as it stands inside a text, or as a text or a message
 * begins (where some tokenizers put a blank); with the blanks at its end, or without them, as a message ends. */
enum {
    SPAN_PART, /* + BEGINS + ENDS + ttt_part */
    BEGINS = TTT_PART_COUNT,
    ENDS = 2 * TTT_PART_COUNT,
    SPAN_OPEN = 4 * TTT_PART_COUNT,                       /* + role before (or none) * ROLES + role: before a message */
    SPAN_CLOSE = SPAN_OPEN + (TTT_ROLE_NONE + 1) * ROLES, /* + role: after one */
    SPAN_START = SPAN_CLOSE + ROLES,                      /* begins every sequence */
    SPAN_STOP,                                            /* ends an answer */
    SPAN_COUNT
};

typedef struct text_codec {
    ttt_codec base; /* first */
    const ttt_prompt_format *format;
    bool chat;
    bool blank[TTT_ROLE_NONE + 1][ROLES]; /* after that role, a message of this one begins as a text does */
    ttt_ids ids;                          /* of all spans, span s up to end[s] */
    size_t end[SPAN_COUNT];
    ttt_text_moves moves;
    int32_t pair_extra; /* what a demonstration may take more than as the only one */
    ttt_ids vocabulary;
} text_codec;

static const text_codec *text_of(const ttt_codec *codec) {
    return (const text_codec *)codec;
}

static const int32_t *span_ids(const text_codec *self, int span, int32_t *count) {
    const size_t begin = span == 0 ? 0 : self->end[span - 1];
    *count = (int32_t)(self->end[span] - begin);
    return self->ids.items + begin;
}

static int32_t span_tokens(const text_codec *self, int span) {
    int32_t count;
    span_ids(self, span, &count);
    return count;
}

/* --- Writing ----------------------------------------------------------------------------------------------------- */

typedef struct writer {
    const text_codec *codec;
    ttt_sequence *sequence; /* NULL: tokens are only counted */
    int32_t length;         /* tokens written */
    int32_t start;          /* position of the first of them */
    int role;               /* of the message under way, TTT_ROLE_NONE before the first */
    bool begins;            /* the next piece begins a text or a message */
} writer;

static void write_span(writer *w, int span, bool counted) {
    int32_t count;
    const int32_t *ids = span_ids(w->codec, span, &count);
    for (int32_t i = 0; i < count; i++, w->length++) {
        const int32_t position = w->start + w->length;
        if (w->sequence == NULL) continue;
        ttt_sequence_append(w->sequence, ids[i], &position);
        if (counted && w->length > 0) w->sequence->targets[w->length - 1] = ids[i];
    }
}

static void enter_message(writer *w, int role) {
    const text_codec *self = w->codec;
    if (!self->chat || role == w->role) return;
    if (w->role != TTT_ROLE_NONE) write_span(w, SPAN_CLOSE + w->role, false);
    write_span(w, SPAN_OPEN + w->role * ROLES + role, false);
    w->begins = self->blank[w->role][role];
    w->role = role;
}

static void write_piece(void *context, ttt_piece piece) {
    writer *w = context;
    enter_message(w, piece.role);
    const int variant = (w->begins ? BEGINS : 0) + (w->codec->chat && piece.ends ? ENDS : 0);
    write_span(w, SPAN_PART + variant + piece.part, piece.counted);
    w->begins = false;
}

static writer begin_text(const text_codec *self, ttt_sequence *sequence) {
    writer w = {.codec = self, .sequence = sequence, .role = TTT_ROLE_NONE, .begins = true};
    write_span(&w, SPAN_START, false);
    return w;
}

/* Does the answer begin a message as a text begins? */
static bool answer_begins(const text_codec *self) {
    return self->chat && self->blank[TTT_ROLE_USER][TTT_ROLE_ASSISTANT] &&
           *ttt_prompt_text(self->format, TTT_PART_REPLY) == '\0';
}

static int32_t write_prompt(const text_codec *self, const ttt_pair *demonstrations, size_t count, const ttt_grid *input,
                            ttt_sequence *sequence) {
    writer w = begin_text(self, sequence);
    ttt_prompt_pieces(self->format, demonstrations, count, input, write_piece, &w);
    enter_message(&w, TTT_ROLE_ASSISTANT);
    return w.length;
}

static int32_t write_example(const text_codec *self, const ttt_pair *demonstrations, size_t count,
                             const ttt_pair *question, const ttt_encode_loss *loss, ttt_sequence *sequence) {
    writer w = begin_text(self, sequence);
    ttt_example_pieces(self->format, demonstrations, count, question, loss, write_piece, &w);
    write_span(&w, SPAN_STOP, true);
    return w.length;
}

static int32_t write_answer(const text_codec *self, const ttt_grid *answer, int32_t start, ttt_sequence *sequence) {
    writer w = {
        .codec = self, .sequence = sequence, .start = start, .role = TTT_ROLE_ASSISTANT, .begins = answer_begins(self)};
    ttt_answer_pieces(self->format, answer, write_piece, &w);
    write_span(&w, SPAN_STOP, true);
    return w.length;
}

/* --- The interface ----------------------------------------------------------------------------------------------- */

static int32_t text_grid_tokens(const ttt_codec *codec, const ttt_grid *grid) {
    return write_answer(text_of(codec), grid, 0, NULL);
}

static int32_t text_prompt_tokens(const ttt_codec *codec, const ttt_pair *demonstrations, size_t count,
                                  const ttt_grid *input) {
    return write_prompt(text_of(codec), demonstrations, count, input, NULL);
}

static int32_t text_example_tokens(const ttt_codec *codec, const ttt_pair *demonstrations, size_t count,
                                   const ttt_pair *question) {
    static const ttt_encode_loss any = {.first_output = 0};
    return write_example(text_of(codec), demonstrations, count, question, &any, NULL);
}

static int32_t text_pair_tokens(const ttt_codec *codec, const ttt_pair *pair) {
    const text_codec *self = text_of(codec);
    return write_prompt(self, pair, 1, &pair->input, NULL) - write_prompt(self, NULL, 0, &pair->input, NULL) +
           self->pair_extra;
}

static ttt_status begin(ttt_sequence *sequence, size_t demonstrations, int32_t tokens, ttt_error *err) {
    if (demonstrations > TTT_EXAMPLE_DEMONSTRATIONS)
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "%zu demonstrations in one example, at most %d fit", demonstrations,
                        TTT_EXAMPLE_DEMONSTRATIONS);
    sequence->length = 0;
    return ttt_sequence_reserve(sequence, tokens, 1, err);
}

static ttt_status text_example(const ttt_codec *codec, const ttt_pair *demonstrations, size_t count,
                               const ttt_pair *question, const ttt_slots *slots, const ttt_encode_loss *loss,
                               ttt_sequence *sequence, ttt_error *err) {
    const text_codec *self = text_of(codec);
    (void)slots;
    TTT_TRY(begin(sequence, count, write_example(self, demonstrations, count, question, loss, NULL), err));
    write_example(self, demonstrations, count, question, loss, sequence);
    return TTT_OK;
}

static ttt_status text_prompt(const ttt_codec *codec, const ttt_pair *demonstrations, size_t count,
                              const ttt_grid *input, const ttt_slots *slots, ttt_sequence *sequence, ttt_error *err) {
    const text_codec *self = text_of(codec);
    (void)slots;
    TTT_TRY(begin(sequence, count, write_prompt(self, demonstrations, count, input, NULL), err));
    write_prompt(self, demonstrations, count, input, sequence);
    return TTT_OK;
}

static void text_reply(const ttt_codec *codec, const ttt_pair *demonstrations, size_t count, const ttt_grid *input,
                       const ttt_slots *slots, ttt_reply *reply) {
    const text_codec *self = text_of(codec);
    (void)slots;
    ttt_text_grammar_init(&reply->text, &self->moves, write_prompt(self, demonstrations, count, input, NULL));
}

static ttt_decode_grammar text_grammar(const ttt_codec *codec, ttt_reply *reply) {
    (void)codec;
    return ttt_text_grammar_callbacks(&reply->text);
}

static ttt_status text_answer(const ttt_codec *codec, const ttt_reply *reply, const ttt_grid *answer,
                              ttt_sequence *sequence, int32_t *first_target, ttt_error *err) {
    const text_codec *self = text_of(codec);
    TTT_TRY(begin(sequence, 0, write_answer(self, answer, 0, NULL), err));
    write_answer(self, answer, reply->text.start, sequence);
    *first_target = sequence->ids[0];
    return TTT_OK;
}

static bool text_parse(const ttt_codec *codec, const int32_t *ids, int32_t count, ttt_grid *grid) {
    return ttt_grid_from_moves(&text_of(codec)->moves, ids, count, grid);
}

static void text_free(ttt_codec *codec) {
    text_codec *self = (text_codec *)codec;
    ttt_free(self->ids.items);
    ttt_free(self->moves.ids.items);
    ttt_free(self->vocabulary.items);
    ttt_free(self);
}

static const ttt_codec_ops text_ops = {
    .free = text_free,
    .grid_tokens = text_grid_tokens,
    .prompt_tokens = text_prompt_tokens,
    .example_tokens = text_example_tokens,
    .pair_tokens = text_pair_tokens,
    .example = text_example,
    .prompt = text_prompt,
    .reply = text_reply,
    .grammar = text_grammar,
    .answer = text_answer,
    .parse = text_parse,
};

/* --- Making one -------------------------------------------------------------------------------------------------- */

static size_t without_end_blanks(const char *text) {
    size_t bytes = strlen(text);
    while (bytes > 0 && (text[bytes - 1] == ' ' || text[bytes - 1] == '\n')) bytes--;
    return bytes;
}

static ttt_status make_texts(text_codec *self, const ttt_tokenizer *tokenizer, ttt_error *err) {
    for (int span = SPAN_PART; span < SPAN_OPEN; span++) {
        const char *text = ttt_prompt_text(self->format, span % TTT_PART_COUNT);
        const size_t bytes = span < ENDS ? strlen(text) : without_end_blanks(text);
        const unsigned flags = span % ENDS < BEGINS ? TTT_TOKENIZE_INSIDE : 0;
        if (bytes > 0) TTT_TRY(ttt_tokenizer_encode(tokenizer, text, bytes, flags, &self->ids, err));
        self->end[span] = self->ids.count;
    }
    return TTT_OK;
}

static ttt_status make_messages(text_codec *self, const ttt_tokenizer *tokenizer, ttt_error *err) {
    for (int before = 0; before <= TTT_ROLE_NONE; before++)
        for (int role = 0; role < ROLES; role++) {
            unsigned flags = 0;
            if (self->chat)
                TTT_TRY(ttt_tokenizer_chat_open(tokenizer, (ttt_role)role, (ttt_role)before, &self->ids, &flags, err));
            self->blank[before][role] = !(flags & TTT_TOKENIZE_INSIDE);
            self->end[SPAN_OPEN + before * ROLES + role] = self->ids.count;
        }
    for (int role = 0; role < ROLES; role++) {
        if (self->chat) TTT_TRY(ttt_tokenizer_chat_close(tokenizer, (ttt_role)role, &self->ids, err));
        self->end[SPAN_CLOSE + role] = self->ids.count;
    }
    return TTT_OK;
}

/* The start token, if the model wants one; and the token that ends an answer, of a model that chats. */
static ttt_status make_ends(text_codec *self, const ttt_tokenizer *tokenizer, ttt_error *err) {
    const int32_t start = ttt_tokenizer_adds_start(tokenizer) ? ttt_tokenizer_start(tokenizer) : -1;
    if (start >= 0) TTT_TRY(TTT_PUSH(&self->ids, start, err));
    self->end[SPAN_START] = self->ids.count;
    int32_t count;
    const int32_t *close = span_ids(self, SPAN_CLOSE + TTT_ROLE_ASSISTANT, &count);
    const int32_t stop = count > 0 ? close[0] : -1;
    if (stop >= 0) TTT_TRY(TTT_PUSH(&self->ids, stop, err));
    self->end[SPAN_STOP] = self->ids.count;
    return TTT_OK;
}

static ttt_status add_to_move(text_codec *self, int span, ttt_error *err) {
    int32_t count;
    const int32_t *ids = span_ids(self, span, &count);
    for (int32_t i = 0; i < count; i++) TTT_TRY(TTT_PUSH(&self->moves.ids, ids[i], err));
    return TTT_OK;
}

/* The first cell of an answer, with what comes before it. */
static ttt_status add_first_move(text_codec *self, int colour, ttt_error *err) {
    const int begins = answer_begins(self) ? BEGINS : 0;
    if (span_tokens(self, TTT_PART_ANSWER_BEGIN) == 0) return add_to_move(self, begins + TTT_PART_CELL + colour, err);
    TTT_TRY(add_to_move(self, begins + TTT_PART_ANSWER_BEGIN, err));
    return add_to_move(self, TTT_PART_CELL + colour, err);
}

static ttt_status add_row_move(text_codec *self, int colour, ttt_error *err) {
    TTT_TRY(add_to_move(self, TTT_PART_ROW_END, err));
    return add_to_move(self, TTT_PART_CELL + colour, err);
}

static ttt_status add_end_move(text_codec *self, ttt_error *err) {
    TTT_TRY(add_to_move(self, TTT_PART_ANSWER_END, err));
    return add_to_move(self, SPAN_STOP, err);
}

static ttt_status make_moves(text_codec *self, ttt_error *err) {
    for (int move = 0; move < TTT_MOVE_COUNT; move++) {
        const int colour = move % TTT_COLOURS;
        TTT_TRY(move < TTT_MOVE_NEXT  ? add_first_move(self, colour, err)
                : move < TTT_MOVE_ROW ? add_to_move(self, TTT_PART_NEXT_CELL + colour, err)
                : move < TTT_MOVE_END ? add_row_move(self, colour, err)
                                      : add_end_move(self, err));
        self->moves.end[move] = self->moves.ids.count;
    }
    int a, b;
    if (ttt_text_moves_distinct(&self->moves, &a, &b)) return TTT_OK;
    const int parts[2] = {a == TTT_MOVE_END ? (int)TTT_PART_ANSWER_END : TTT_PART_CELL + a % TTT_COLOURS,
                          b == TTT_MOVE_END ? (int)TTT_PART_ANSWER_END : TTT_PART_CELL + b % TTT_COLOURS};
    return ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                    "prompt format '%s': this tokenizer writes '%s' and '%s' with tokens that begin alike, so that an "
                    "answer could not be read",
                    self->format->name, ttt_prompt_text(self->format, parts[0]),
                    ttt_prompt_text(self->format, parts[1]));
}

/* Of the moves for the ten colours. */
static int32_t longest_move(const ttt_text_moves *moves, int first) {
    size_t longest = 0;
    for (int move = first; move < first + TTT_COLOURS; move++) {
        const size_t tokens = moves->end[move] - (move == 0 ? 0 : moves->end[move - 1]);
        if (tokens > longest) longest = tokens;
    }
    return (int32_t)longest;
}

static int32_t longest_number(const text_codec *self) {
    int32_t longest = 0;
    for (int i = 0; i < TTT_PAIR_SLOTS; i++) {
        const int32_t tokens = span_tokens(self, TTT_PART_NUMBER + i);
        if (tokens > longest) longest = tokens;
    }
    return longest;
}

static int32_t largest(const ttt_ids *ids) {
    int32_t most = -1;
    for (size_t i = 0; i < ids->count; i++)
        if (ids->items[i] > most) most = ids->items[i];
    return most;
}

static void measure(text_codec *self) {
    const ttt_text_moves *moves = &self->moves;
    self->base.answer_tokens = longest_move(moves, TTT_MOVE_FIRST) +
                               (TTT_GRID_MAX - 1) * longest_move(moves, TTT_MOVE_ROW) +
                               TTT_GRID_MAX * (TTT_GRID_MAX - 1) * longest_move(moves, TTT_MOVE_NEXT) +
                               (int32_t)(moves->end[TTT_MOVE_END] - moves->end[TTT_MOVE_END - 1]);
    const int32_t last = span_tokens(self, ENDS + TTT_PART_LAST_OUTPUT_END);
    const int32_t other = span_tokens(self, TTT_PART_OUTPUT_END);
    self->pair_extra = longest_number(self) - span_tokens(self, TTT_PART_NUMBER) + span_tokens(self, TTT_PART_ALONE) +
                       (other > last ? other - last : 0);
    self->base.ids = 1 + largest(&self->ids);
}

/* --- The reduced vocabulary -------------------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b) {
    const int32_t left = *(const int32_t *)a, right = *(const int32_t *)b;
    return (left > right) - (left < right);
}

/* Every id becomes its index in the sorted list of all. */
static void renumber(const ttt_ids *vocabulary, ttt_ids *ids) {
    for (size_t i = 0; i < ids->count; i++) {
        const int32_t *at =
            bsearch(&ids->items[i], vocabulary->items, vocabulary->count, sizeof *vocabulary->items, by_id);
        assert(at != NULL);
        ids->items[i] = (int32_t)(at - vocabulary->items);
    }
}

static ttt_status reduce(text_codec *self, ttt_error *err) {
    ttt_ids *list = &self->vocabulary;
    for (size_t i = 0; i < self->ids.count; i++) TTT_TRY(TTT_PUSH(list, self->ids.items[i], err));
    qsort(list->items, list->count, sizeof *list->items, by_id);
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (kept == 0 || list->items[kept - 1] != list->items[i]) list->items[kept++] = list->items[i];
    list->count = kept;
    renumber(list, &self->ids);
    renumber(list, &self->moves.ids);
    self->base.vocabulary = list->items;
    self->base.ids = (int32_t)kept;
    return TTT_OK;
}

const ttt_prompt_format *ttt_prompt_format_auto(const ttt_tokenizer *tokenizer) {
    return ttt_prompt_format_find(ttt_tokenizer_chat(tokenizer) == TTT_CHAT_NONE ? "compact" : "list");
}

ttt_status ttt_text_codec_new(const ttt_tokenizer *tokenizer, const ttt_prompt_format *format, bool reduced,
                              ttt_codec **codec, ttt_error *err) {
    ttt_status status;
    text_codec *made = ttt_allocate(1, sizeof *made);
    *codec = NULL;
    if (made == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the codec of a prompt format");
    made->base = (ttt_codec){.ops = &text_ops, .axes = 1};
    made->format = format;
    made->chat = ttt_tokenizer_chat(tokenizer) != TTT_CHAT_NONE;
    TTT_TRY_OUT(make_texts(made, tokenizer, err));
    TTT_TRY_OUT(make_messages(made, tokenizer, err));
    TTT_TRY_OUT(make_ends(made, tokenizer, err));
    TTT_TRY_OUT(make_moves(made, err));
    measure(made);
    if (reduced) TTT_TRY_OUT(reduce(made, err));
    *codec = &made->base;
    made = NULL;
out:
    if (made != NULL) text_free(&made->base);
    return status;
}
