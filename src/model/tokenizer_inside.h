/* What a tokenizer is made of. The way of a text:
 *
 *     text ── added tokens cut out ── normalise ── added tokens again ── split into pieces ── merge each piece ── ids
 *             tokenizer_added                                            tokenizer_split      tokenizer_bpe
 *
 * tokenizer_json and tokenizer_gguf fill the parts from files; after loading they do not change. Private to
 * src/model. */
#ifndef TTT_MODEL_TOKENIZER_INSIDE_H
#define TTT_MODEL_TOKENIZER_INSIDE_H

#include "base/json.h"
#include "model/tokenizer_pattern.h"
#include "model/unicode.h"

/* ---------------------------------------------------------------------------------------------- vocabulary */

typedef enum ttt_token_kind {
    TTT_TOKEN_ABSENT,  /* a hole in the ids */
    TTT_TOKEN_NORMAL,  /* found by its text and made by merges */
    TTT_TOKEN_BYTE,    /* stands for one byte that no other token covers */
    TTT_TOKEN_UNUSED,  /* has an id and a text, but never comes of a text */
    TTT_TOKEN_ADDED,   /* cut out of texts before anything else; not made by merges */
    TTT_TOKEN_SPECIAL, /* the same, where special tokens are allowed */
} ttt_token_kind;

typedef struct ttt_token {
    size_t start, bytes; /* its text, in the vocabulary's */
    ttt_token_kind kind;
} ttt_token;

typedef struct ttt_merge {
    int32_t left, right, id;
    uint32_t rank; /* the lowest goes first, of equals the leftmost */
} ttt_merge;

/* Tokens by id, normal ones by text, merges by pair. Texts are bytes: those of byte-level tokens are decoded from their
 * alphabet when they are read. Zero-initialise. */
typedef struct ttt_vocabulary {
    ttt_bytes text;
    ttt_token *tokens;
    int32_t size;
    struct {
        ttt_merge *items;
        size_t count, capacity;
    } merges;
    uint32_t *text_slots, *merge_slots; /* open addressing: index + 1, 0 for an empty slot */
    size_t text_mask, merge_mask;       /* number of slots - 1; a power of two - 1 */
    int32_t byte_ids[256];              /* -1: none */
    int32_t unknown;                    /* for characters that nothing covers; -1: none */
    bool fuse_unknown;                  /* one for a run of them */
    bool byte_level;                    /* pieces begin as bytes, not as characters */
    bool ignore_merges;                 /* a piece that is a token is that token, whatever merges make of it */
} ttt_vocabulary;

enum { TTT_TOKENIZER_MAX_SIZE = 1 << 21 }; /* an id from a file allocates what lies below it */

ttt_status ttt_vocabulary_init(ttt_vocabulary *vocabulary, int32_t size, ttt_error *err);
void ttt_vocabulary_release(ttt_vocabulary *vocabulary);
/* Gives an id its text; an id that has one already is an error. */
ttt_status ttt_vocabulary_add(ttt_vocabulary *vocabulary, int32_t id, const char *text, size_t bytes,
                              ttt_token_kind kind, ttt_error *err);
/* Makes normal tokens known by text: after the last add, before the first merge. The same text twice is an error. */
ttt_status ttt_vocabulary_index(ttt_vocabulary *vocabulary, ttt_error *err);
int32_t ttt_vocabulary_find(const ttt_vocabulary *vocabulary, const char *text, size_t bytes); /* -1: none */
const char *ttt_vocabulary_text(const ttt_vocabulary *vocabulary, int32_t id, size_t *bytes);
ttt_status ttt_vocabulary_add_merge(ttt_vocabulary *vocabulary, ttt_merge merge, ttt_error *err);
/* Of what is merged by scores: all splits of a token are looked up, which is quadratic in its length. */
enum { TTT_TOKEN_LONGEST = 1024 };
ttt_status ttt_check_scored_token(size_t id, size_t bytes, double score, ttt_error *err);
/* All ways to put a normal token together from two others: the token of highest score first. `scores`: one a token. */
ttt_status ttt_vocabulary_merge_by_scores(ttt_vocabulary *vocabulary, const double *scores, ttt_error *err);
/* After the last merge. Of merges with the same pair the last counts. */
ttt_status ttt_vocabulary_finish(ttt_vocabulary *vocabulary, ttt_error *err);

/* Byte-level vocabularies spell bytes as printable characters: most of Latin 1 as themselves, the other 68 from U+0100
 * on, in order. false: there is a character that spells no byte. */
bool ttt_byte_level_decode(const char *text, size_t bytes, ttt_bytes *to, ttt_status *status, ttt_error *err);

/* "<0x0A>", as byte tokens are spelt in character vocabularies: the byte, or -1. */
int ttt_byte_token(const char *text, size_t bytes);

/* Working memory of merging; zero-initialise. */
typedef struct ttt_merger {
    struct {
        struct ttt_symbol *items;
        size_t count, capacity;
    } symbols;
    struct {
        struct ttt_candidate *items;
        size_t count, capacity;
    } heap;
} ttt_merger;
void ttt_merger_release(ttt_merger *merger);
/* Appends the ids of one piece. O(n log n). */
ttt_status ttt_vocabulary_encode(const ttt_vocabulary *vocabulary, ttt_merger *merger, const char *text, size_t bytes,
                                 ttt_ids *ids, ttt_error *err);

/* ---------------------------------------------------------------------------------------------- steps */

/* A text in consecutive pieces; piece i ends before ends.items[i]. Empty pieces do not exist. */
typedef struct ttt_pieces {
    ttt_bytes text;
    struct {
        size_t *items;
        size_t count, capacity;
    } ends;
} ttt_pieces;
void ttt_pieces_clear(ttt_pieces *pieces);
void ttt_pieces_release(ttt_pieces *pieces);
ttt_status ttt_pieces_append(ttt_pieces *pieces, const char *text, size_t bytes, ttt_error *err);

typedef enum ttt_split_behaviour {
    TTT_SPLIT_ISOLATED, /* each match is a piece */
    TTT_SPLIT_REMOVED,
    TTT_SPLIT_MERGED_WITH_PREVIOUS,
    TTT_SPLIT_MERGED_WITH_NEXT,
    TTT_SPLIT_CONTIGUOUS, /* neighbouring matches are one piece */
} ttt_split_behaviour;

typedef enum ttt_prefix { TTT_PREFIX_NEVER, TTT_PREFIX_FIRST, TTT_PREFIX_ALWAYS } ttt_prefix;

typedef enum ttt_step_kind {
    TTT_STEP_COMPOSE, /* NFC */
    TTT_STEP_PREPEND, /* put `to` before every piece; with `unless_there` not before one that begins with it */
    TTT_STEP_REPLACE, /* every `from` becomes `to` */
    TTT_STEP_SPLIT    /* at matches of `pattern` */
} ttt_step_kind;

/* One step of normalising or splitting: pieces in, pieces out. */
typedef struct ttt_step {
    ttt_step_kind kind;
    char *from, *to; /* owned */
    ttt_prefix prefix;
    bool unless_there;
    ttt_pattern *pattern; /* owned; NULL: split at `from` */
    ttt_split_behaviour behaviour;
    bool invert; /* what matches and what does not change places */
} ttt_step;

typedef struct ttt_steps {
    ttt_step *items;
    size_t count, capacity;
} ttt_steps;
void ttt_steps_release(ttt_steps *steps);
ttt_status ttt_steps_add_compose(ttt_steps *steps, ttt_error *err);
ttt_status ttt_steps_add_prepend(ttt_steps *steps, const char *prefix, ttt_prefix when, bool unless_there,
                                 ttt_error *err);
ttt_status ttt_steps_add_replace(ttt_steps *steps, const char *from, const char *to, ttt_error *err);
/* `pattern` in the syntax of the tokenizers package (a regular expression, or with `literal` the text itself). What
 * would mean something else to PCRE2 is translated or refused. */
ttt_status ttt_steps_add_split(ttt_steps *steps, const char *pattern, bool literal, ttt_split_behaviour behaviour,
                               bool invert, ttt_error *err);

/* Where the first piece stands. */
typedef enum ttt_place {
    TTT_PLACE_START,    /* at the start of a text */
    TTT_PLACE_LATER,    /* after an added token */
    TTT_PLACE_CONTINUED /* a text goes on: no prefix */
} ttt_place;

/* Working memory of splitting; zero-initialise. */
typedef struct ttt_splitter {
    ttt_pieces pieces[2];
    ttt_matcher *matcher;
} ttt_splitter;
void ttt_splitter_release(ttt_splitter *splitter);
/* Runs all steps over one piece of text. *pieces is the splitter's, valid until its next use. */
ttt_status ttt_steps_run(const ttt_steps *steps, ttt_splitter *splitter, const char *text, size_t bytes,
                         ttt_place place, const ttt_pieces **pieces, ttt_error *err);

/* ---------------------------------------------------------------------------------------------- added tokens */

typedef struct ttt_added_token {
    int32_t id;
    bool special;
    bool left, right; /* takes white space before it, after it */
    bool normalized;  /* looked for after normalising, spelt as normalising makes it */
    char *text;       /* owned */
    size_t bytes;
} ttt_added_token;

/* A list of them, sorted by text when finished: found by narrowing down a range, the longest wins. */
typedef struct ttt_added_tokens {
    ttt_added_token *items;
    size_t count, capacity;
    size_t first[257]; /* those whose text begins with byte b: first[b] to first[b + 1] */
} ttt_added_tokens;
void ttt_added_tokens_release(ttt_added_tokens *added);
/* Copies the text; `token` otherwise as given. An empty text is left out. */
ttt_status ttt_added_tokens_add(ttt_added_tokens *added, ttt_added_token token, ttt_error *err);
void ttt_added_tokens_finish(ttt_added_tokens *added);

/* The next added token in `text` from *at on (which moves on past it): *begin and *end are what it takes of the text,
 * `free` is where the text begins that no token has taken yet. NULL: no more. */
const ttt_added_token *ttt_added_tokens_next(const ttt_added_tokens *added, bool specials, const char *text,
                                             size_t bytes, size_t free, size_t *at, size_t *begin, size_t *end);

/* ---------------------------------------------------------------------------------------------- tokenizer */

struct ttt_tokenizer {
    ttt_vocabulary vocabulary;
    ttt_steps normalise, split;
    ttt_added_tokens raw, normalized; /* looked for before and after normalising */
    bool blank_mark;                  /* U+2581 is written as a blank */
    bool strip_blank;                 /* one blank at the start of a text is left out: it was the prefix */
    bool adds_start;
    int32_t start, end;
    int32_t stops[8]; /* special tokens that end an answer; -1: none */
    bool instructs;   /* its chat template has [INST], without Llama 2's marks around a system prompt */
};

/* The two tokens of a merge in tokenizer.json, "a b" or ["a", "b"]: borrowed, not empty, bytes[i] of side[i]; false
 * when it is neither. */
bool ttt_merge_sides(const json_t *merge, const char *side[2], size_t bytes[2]);

/* From the contents of tokenizer.json, tokenizer_config.json and chat_template.jinja; the last two may be NULL. */
ttt_status ttt_tokenizer_from_json(const json_t *root, const json_t *config, const char *chat_template,
                                   ttt_tokenizer **tokenizer, ttt_error *err);
ttt_status ttt_tokenizer_new(ttt_tokenizer **tokenizer, ttt_error *err);
/* For readers: an added token with its text, after the steps of normalising are known. */
ttt_status ttt_tokenizer_add(ttt_tokenizer *tokenizer, ttt_added_token token, ttt_error *err);
/* Sorts and checks what a reader has filled in, and finds the tokens that end answers. */
ttt_status ttt_tokenizer_finish(ttt_tokenizer *tokenizer, ttt_error *err);
/* Takes what matters of a chat template: whether it speaks of [INST] in Mistral's way. */
void ttt_tokenizer_read_template(ttt_tokenizer *tokenizer, const char *text, size_t bytes);

#define TTT_BLANK_MARK "\xE2\x96\x81" /* U+2581, which stands for a blank in SentencePiece's pieces */

#endif
