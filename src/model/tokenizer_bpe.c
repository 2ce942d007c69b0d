/* The vocabulary and byte-pair encoding of one piece.
 *
 * A piece begins as a list of symbols (bytes, or characters) and pairs of neighbours are merged, the pair of lowest
 * rank first, until no pair has a merge. Pairs wait in a heap by (rank, place); merging keeps the list linked, so that
 * a piece of n symbols takes O(n log n):
 *
 *     symbols   l <-> o <-> w <-> e <-> r        heap   (l,o) 7   (e,r) 2   (o,w) 9 ...
 *     take (e,r):   l <-> o <-> w <-> er         push (w,er); what is left of e's old pair (w,e) is stale
 *
 * A candidate is stale when the pair at its place no longer makes its token.
 *
 * SentencePiece's vocabularies have scores in place of merges: of two pairs the one whose token has the higher score
 * goes first. That is the same thing with every way to split a token into two others as a merge, ranked by the order
 * of scores. Special tokens are neither found by text nor made by merges, even if the file has a merge for one. */
#include "base/random.h"
#include "model/tokenizer_inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct ttt_symbol {
    int32_t id; /* -1: merged into its neighbour */
    size_t previous, next;
} ttt_symbol;

typedef struct ttt_candidate {
    uint32_t rank;
    int32_t id; /* of the merged token */
    size_t place;
} ttt_candidate;

#define NOWHERE SIZE_MAX

/* ---------------------------------------------------------------------------------------------- tokens */

ttt_status ttt_vocabulary_init(ttt_vocabulary *vocabulary, int32_t size, ttt_error *err) {
    vocabulary->tokens = ttt_allocate((size_t)size, sizeof *vocabulary->tokens);
    vocabulary->size = size;
    vocabulary->unknown = -1;
    for (int b = 0; b < 256; b++) vocabulary->byte_ids[b] = -1;
    if (vocabulary->tokens != NULL) return TTT_OK;
    return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a vocabulary of %d tokens", size);
}

void ttt_vocabulary_release(ttt_vocabulary *vocabulary) {
    ttt_free(vocabulary->text.items);
    ttt_free(vocabulary->tokens);
    ttt_free(vocabulary->merges.items);
    ttt_free(vocabulary->text_slots);
    ttt_free(vocabulary->merge_slots);
}

const char *ttt_vocabulary_text(const ttt_vocabulary *vocabulary, int32_t id, size_t *bytes) {
    const ttt_token *token = &vocabulary->tokens[id];
    *bytes = token->bytes;
    return vocabulary->text.items + token->start;
}

/* A text for an error sentence, cut. */
static int shown(size_t bytes) {
    return bytes > 40 ? 40 : (int)bytes;
}

ttt_status ttt_vocabulary_add(ttt_vocabulary *vocabulary, int32_t id, const char *text, size_t bytes,
                              ttt_token_kind kind, ttt_error *err) {
    ttt_token *token = &vocabulary->tokens[id];
    if (token->kind != TTT_TOKEN_ABSENT) {
        size_t before;
        const char *old = ttt_vocabulary_text(vocabulary, id, &before);
        return ttt_fail(err, TTT_ERROR_FORMAT, "id %d is given to two tokens, \"%.*s\" and \"%.*s\"", id, shown(before),
                        old, shown(bytes), text);
    }
    *token = (ttt_token){.start = vocabulary->text.count, .bytes = bytes, .kind = kind};
    return ttt_bytes_append(&vocabulary->text, text, bytes, err);
}

static uint64_t hash_bytes(const char *text, size_t bytes) {
    const uint64_t hash = ttt_hash(TTT_HASH_START, text, bytes);
    return hash ^ hash >> 32; /* its low bits are the weak ones */
}

static uint64_t hash_pair(int32_t left, int32_t right) {
    uint64_t hash = ((uint64_t)(uint32_t)left << 32 | (uint32_t)right) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
}

/* At least twice as many slots as entries. */
static ttt_status make_slots(size_t entries, uint32_t **slots, size_t *mask, ttt_error *err) {
    size_t count = 16;
    while (count < 2 * entries) count *= 2;
    *slots = ttt_allocate(count, sizeof **slots);
    *mask = count - 1;
    return *slots != NULL ? TTT_OK : ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a table of %zu slots", count);
}

/* The slot that holds this text, or the empty one where it would go. */
static size_t text_slot(const ttt_vocabulary *vocabulary, const char *text, size_t bytes) {
    size_t slot = hash_bytes(text, bytes) & vocabulary->text_mask;
    for (; vocabulary->text_slots[slot] != 0; slot = (slot + 1) & vocabulary->text_mask) {
        size_t length;
        const char *found = ttt_vocabulary_text(vocabulary, (int32_t)vocabulary->text_slots[slot] - 1, &length);
        if (length == bytes && memcmp(found, text, bytes) == 0) break;
    }
    return slot;
}

ttt_status ttt_vocabulary_index(ttt_vocabulary *vocabulary, ttt_error *err) {
    TTT_TRY(make_slots((size_t)vocabulary->size, &vocabulary->text_slots, &vocabulary->text_mask, err));
    for (int32_t id = 0; id < vocabulary->size; id++) {
        const ttt_token *token = &vocabulary->tokens[id];
        size_t bytes;
        const char *text = ttt_vocabulary_text(vocabulary, id, &bytes);
        if (token->kind == TTT_TOKEN_BYTE) vocabulary->byte_ids[(unsigned char)text[0]] = id;
        if (token->kind != TTT_TOKEN_NORMAL || bytes == 0) continue;
        uint32_t *slot = &vocabulary->text_slots[text_slot(vocabulary, text, bytes)];
        if (*slot != 0) {
            return ttt_fail(err, TTT_ERROR_FORMAT, "tokens %d and %d have the same text, \"%.*s\"", (int)*slot - 1, id,
                            shown(bytes), text);
        }
        *slot = (uint32_t)id + 1;
        if (vocabulary->byte_level && bytes == 1) vocabulary->byte_ids[(unsigned char)text[0]] = id;
    }
    return TTT_OK;
}

int32_t ttt_vocabulary_find(const ttt_vocabulary *vocabulary, const char *text, size_t bytes) {
    return (int32_t)vocabulary->text_slots[text_slot(vocabulary, text, bytes)] - 1;
}

bool ttt_byte_level_decode(const char *text, size_t bytes, ttt_bytes *to, ttt_status *status, ttt_error *err) {
    *status = TTT_RESERVE(to, to->count + bytes, err);
    if (*status != TTT_OK) return false;
    const size_t before = to->count;
    for (size_t at = 0, length; at < bytes; at += length) {
        uint32_t code = 0;
        length = ttt_utf8_decode(text + at, bytes - at, &code);
        /* From U+0100 on: 00-20, then 7F-A0, then AD. */
        const bool itself = (code >= 0x21 && code <= 0x7E) || (code >= 0xA1 && code <= 0xFF && code != 0xAD);
        const bool other = code >= 0x100 && code <= 0x143;
        if (length == 0 || !(itself || other)) {
            to->count = before;
            return false;
        }
        const uint32_t number = code - 0x100;
        const uint32_t byte = itself ? code : number <= 0x20 ? number : number <= 0x42 ? number - 0x21 + 0x7F : 0xAD;
        to->items[to->count++] = (char)byte;
    }
    return true;
}

int ttt_byte_token(const char *text, size_t bytes) {
    static const char DIGITS[] = "0123456789ABCDEF";
    if (bytes != 6 || memcmp(text, "<0x", 3) != 0 || text[5] != '>') return -1;
    const char *high = memchr(DIGITS, text[3], 16), *low = memchr(DIGITS, text[4], 16);
    return high == NULL || low == NULL ? -1 : (int)((high - DIGITS) * 16 + (low - DIGITS));
}

/* ---------------------------------------------------------------------------------------------- merges */

static size_t merge_slot(const ttt_vocabulary *vocabulary, int32_t left, int32_t right) {
    size_t slot = hash_pair(left, right) & vocabulary->merge_mask;
    for (; vocabulary->merge_slots[slot] != 0; slot = (slot + 1) & vocabulary->merge_mask) {
        const ttt_merge *merge = &vocabulary->merges.items[vocabulary->merge_slots[slot] - 1];
        if (merge->left == left && merge->right == right) break;
    }
    return slot;
}

ttt_status ttt_vocabulary_add_merge(ttt_vocabulary *vocabulary, ttt_merge merge, ttt_error *err) {
    return TTT_PUSH(&vocabulary->merges, merge, err);
}

typedef struct scored {
    double score;
    int32_t id;
} scored;

static int compare_scored(const void *a, const void *b) {
    const scored *left = a, *right = b;
    if (left->score != right->score) return left->score > right->score ? -1 : 1;
    return (left->id > right->id) - (left->id < right->id);
}

/* Every split of one token into two known ones. */
static ttt_status add_splits(ttt_vocabulary *vocabulary, int32_t id, uint32_t rank, ttt_error *err) {
    size_t bytes;
    const char *text = ttt_vocabulary_text(vocabulary, id, &bytes);
    for (size_t at = 1; at < bytes; at++) {
        const int32_t left = ttt_vocabulary_find(vocabulary, text, at);
        const int32_t right = left < 0 ? -1 : ttt_vocabulary_find(vocabulary, text + at, bytes - at);
        if (right < 0) continue;
        const ttt_merge merge = {.left = left, .right = right, .id = id, .rank = rank};
        TTT_TRY(ttt_vocabulary_add_merge(vocabulary, merge, err));
    }
    return TTT_OK;
}

ttt_status ttt_check_scored_token(size_t id, size_t bytes, double score, ttt_error *err) {
    if (!isnan(score) && bytes <= TTT_TOKEN_LONGEST) return TTT_OK;
    return ttt_fail(err, TTT_ERROR_FORMAT,
                    "token %zu has %zu bytes and the score %g, expected at most %d bytes and a number", id, bytes,
                    score, (int)TTT_TOKEN_LONGEST);
}

ttt_status ttt_vocabulary_merge_by_scores(ttt_vocabulary *vocabulary, const double *scores, ttt_error *err) {
    const size_t size = (size_t)vocabulary->size;
    scored *order = ttt_allocate(size, sizeof *order);
    if (order == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the scores of %zu tokens", size);
    ttt_status status = TTT_OK;
    size_t count = 0;
    for (size_t id = 0; id < size; id++) {
        if (vocabulary->tokens[id].kind != TTT_TOKEN_NORMAL) continue;
        TTT_TRY_OUT(ttt_check_scored_token(id, vocabulary->tokens[id].bytes, scores[id], err));
        order[count++] = (scored){scores[id], (int32_t)id};
    }
    if (count > 0) qsort(order, count, sizeof *order, compare_scored);
    uint32_t rank = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && order[i].score != order[i - 1].score) rank++;
        TTT_TRY_OUT(add_splits(vocabulary, order[i].id, rank, err));
    }
out:
    ttt_free(order);
    return status;
}

ttt_status ttt_vocabulary_finish(ttt_vocabulary *vocabulary, ttt_error *err) {
    const size_t count = vocabulary->merges.count;
    if (count >= UINT32_MAX) return ttt_fail(err, TTT_ERROR_FORMAT, "there are %zu merges", count);
    TTT_TRY(make_slots(count, &vocabulary->merge_slots, &vocabulary->merge_mask, err));
    for (size_t i = 0; i < count; i++) {
        const ttt_merge *merge = &vocabulary->merges.items[i];
        vocabulary->merge_slots[merge_slot(vocabulary, merge->left, merge->right)] = (uint32_t)i + 1;
    }
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- encoding */

void ttt_merger_release(ttt_merger *merger) {
    ttt_free(merger->symbols.items);
    ttt_free(merger->heap.items);
}

static ttt_status push_symbol(ttt_merger *merger, int32_t id, ttt_error *err) {
    const size_t count = merger->symbols.count;
    return TTT_PUSH(&merger->symbols, ((ttt_symbol){.id = id, .previous = count - 1, .next = count + 1}), err);
}

static bool covers(const ttt_vocabulary *vocabulary, const char *text, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        if (vocabulary->byte_ids[(unsigned char)text[i]] < 0) return false;
    }
    return true;
}

/* A character that is no token: its bytes, or the token for what is unknown. */
static ttt_status push_uncovered(const ttt_vocabulary *vocabulary, ttt_merger *merger, const char *text, size_t bytes,
                                 bool *after_unknown, ttt_error *err) {
    if (covers(vocabulary, text, bytes)) {
        *after_unknown = false;
        for (size_t i = 0; i < bytes; i++) {
            TTT_TRY(push_symbol(merger, vocabulary->byte_ids[(unsigned char)text[i]], err));
        }
        return TTT_OK;
    }
    if (vocabulary->unknown < 0) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT,
                        "the text has \"%.*s\" (byte 0x%02X first), which the tokenizer has no token for", (int)bytes,
                        text, (unsigned char)text[0]);
    }
    const bool fused = *after_unknown && vocabulary->fuse_unknown;
    *after_unknown = true;
    return fused ? TTT_OK : push_symbol(merger, vocabulary->unknown, err);
}

static ttt_status make_symbols(const ttt_vocabulary *vocabulary, ttt_merger *merger, const char *text, size_t bytes,
                               ttt_error *err) {
    merger->symbols.count = 0;
    bool after_unknown = false;
    for (size_t at = 0, length; at < bytes; at += length) {
        length = vocabulary->byte_level ? 1 : ttt_utf8_decode(text + at, bytes - at, NULL);
        const int32_t id = length == 0 ? -1 : ttt_vocabulary_find(vocabulary, text + at, length);
        if (length == 0) length = 1; /* a byte of invalid UTF-8 */
        if (id >= 0) {
            after_unknown = false;
            TTT_TRY(push_symbol(merger, id, err));
        } else {
            TTT_TRY(push_uncovered(vocabulary, merger, text + at, length, &after_unknown, err));
        }
    }
    if (merger->symbols.count > 0) merger->symbols.items[merger->symbols.count - 1].next = NOWHERE;
    return TTT_OK;
}

static bool goes_before(const ttt_candidate *a, const ttt_candidate *b) {
    return a->rank != b->rank ? a->rank < b->rank : a->place < b->place;
}

static const ttt_merge *merge_at(const ttt_vocabulary *vocabulary, const ttt_merger *merger, size_t place) {
    const ttt_symbol *symbol = &merger->symbols.items[place];
    if (symbol->id < 0 || symbol->next == NOWHERE) return NULL;
    const size_t slot = merge_slot(vocabulary, symbol->id, merger->symbols.items[symbol->next].id);
    const uint32_t index = vocabulary->merge_slots[slot];
    return index == 0 ? NULL : &vocabulary->merges.items[index - 1];
}

/* Puts the pair that begins at `place` into the heap, if there is a merge for it. */
static ttt_status heap_push(const ttt_vocabulary *vocabulary, ttt_merger *merger, size_t place, ttt_error *err) {
    const ttt_merge *merge = merge_at(vocabulary, merger, place);
    if (merge == NULL) return TTT_OK;
    const ttt_candidate candidate = {.rank = merge->rank, .id = merge->id, .place = place};
    TTT_TRY(TTT_PUSH(&merger->heap, candidate, err));
    ttt_candidate *heap = merger->heap.items;
    size_t at = merger->heap.count - 1;
    for (size_t parent; at > 0 && goes_before(&candidate, &heap[parent = (at - 1) / 2]); at = parent) {
        heap[at] = heap[parent];
    }
    heap[at] = candidate;
    return TTT_OK;
}

static ttt_candidate heap_pop(ttt_merger *merger) {
    ttt_candidate *heap = merger->heap.items;
    const ttt_candidate top = heap[0], last = heap[--merger->heap.count];
    const size_t count = merger->heap.count;
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && goes_before(&heap[child + 1], &heap[child])) child++;
        if (!goes_before(&heap[child], &last)) break;
        heap[at] = heap[child];
    }
    heap[at] = last;
    return top;
}

static ttt_status merge_symbols(const ttt_vocabulary *vocabulary, ttt_merger *merger, ttt_error *err) {
    merger->heap.count = 0;
    for (size_t i = 0; i + 1 < merger->symbols.count; i++) TTT_TRY(heap_push(vocabulary, merger, i, err));
    while (merger->heap.count > 0) {
        const ttt_candidate best = heap_pop(merger);
        const ttt_merge *merge = merge_at(vocabulary, merger, best.place);
        if (merge == NULL || merge->id != best.id) continue; /* stale */
        ttt_symbol *symbol = &merger->symbols.items[best.place], *right = &merger->symbols.items[symbol->next];
        symbol->id = merge->id;
        symbol->next = right->next;
        right->id = -1;
        if (symbol->next != NOWHERE) merger->symbols.items[symbol->next].previous = best.place;
        if (symbol->previous != NOWHERE) TTT_TRY(heap_push(vocabulary, merger, symbol->previous, err));
        TTT_TRY(heap_push(vocabulary, merger, best.place, err));
    }
    return TTT_OK;
}

ttt_status ttt_vocabulary_encode(const ttt_vocabulary *vocabulary, ttt_merger *merger, const char *text, size_t bytes,
                                 ttt_ids *ids, ttt_error *err) {
    if (vocabulary->ignore_merges) {
        const int32_t whole = ttt_vocabulary_find(vocabulary, text, bytes);
        if (whole >= 0) return TTT_PUSH(ids, whole, err);
    }
    TTT_TRY(make_symbols(vocabulary, merger, text, bytes, err));
    TTT_TRY(merge_symbols(vocabulary, merger, err));
    for (size_t i = 0; i < merger->symbols.count; i++) {
        if (merger->symbols.items[i].id >= 0) TTT_TRY(TTT_PUSH(ids, merger->symbols.items[i].id, err));
    }
    return TTT_OK;
}
