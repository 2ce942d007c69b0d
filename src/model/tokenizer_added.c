/* Added tokens: whole words that are cut out of a text before it is split and merged. */
#include "model/tokenizer_inside.h"

#include <stdlib.h>
#include <string.h>

void ttt_added_tokens_release(ttt_added_tokens *added) {
    for (size_t i = 0; i < added->count; i++) ttt_free(added->items[i].text);
    ttt_free(added->items);
}

ttt_status ttt_added_tokens_add(ttt_added_tokens *added, ttt_added_token token, ttt_error *err) {
    if (token.bytes == 0) return TTT_OK;
    char *text = ttt_allocate(token.bytes, 1);
    if (text == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for an added token");
    memcpy(text, token.text, token.bytes);
    token.text = text;
    ttt_status status = TTT_PUSH(added, token, err);
    if (status != TTT_OK) ttt_free(text);
    return status;
}

static int compare(const void *a, const void *b) {
    const ttt_added_token *left = a, *right = b;
    const size_t common = left->bytes < right->bytes ? left->bytes : right->bytes;
    const int order = memcmp(left->text, right->text, common);
    if (order != 0) return order;
    return (left->bytes > right->bytes) - (left->bytes < right->bytes);
}

void ttt_added_tokens_finish(ttt_added_tokens *added) {
    if (added->count > 0) qsort(added->items, added->count, sizeof *added->items, compare);
    size_t at = 0;
    for (size_t b = 0; b < 257; b++) {
        while (at < added->count && (unsigned char)added->items[at].text[0] < b) at++;
        added->first[b] = at;
    }
}

/* The first of items[low, high), which agree in their first `depth` bytes, whose byte there is at least `byte`; one
 * that ends there comes before all. */
static size_t lower_bound(const ttt_added_tokens *added, size_t low, size_t high, size_t depth, unsigned byte) {
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const ttt_added_token *token = &added->items[middle];
        if (token->bytes <= depth || (unsigned char)token->text[depth] < byte)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The longest token that `text` begins with. */
static const ttt_added_token *longest_at(const ttt_added_tokens *added, const char *text, size_t bytes) {
    const unsigned first = (unsigned char)text[0];
    size_t low = added->first[first], high = added->first[first + 1];
    const ttt_added_token *longest = NULL;
    for (size_t depth = 1; low < high; depth++) {
        if (added->items[low].bytes == depth) longest = &added->items[low];
        if (depth == bytes) break;
        const unsigned byte = (unsigned char)text[depth];
        low = lower_bound(added, low, high, depth, byte);
        high = lower_bound(added, low, high, depth, byte + 1);
    }
    return longest;
}

static size_t spaces_after(const char *text, size_t bytes) {
    size_t at = 0;
    for (uint32_t code; at < bytes;) {
        const size_t length = ttt_utf8_decode(text + at, bytes - at, &code);
        if (length == 0 || !ttt_unicode_is_space(code)) break;
        at += length;
    }
    return at;
}

/* How many bytes of white space `text` ends with. */
static size_t spaces_before(const char *text, size_t bytes) {
    size_t at = bytes;
    while (at > 0) {
        size_t begin = at - 1;
        while (begin > 0 && at - begin < 4 && ((unsigned char)text[begin] & 0xC0) == 0x80) begin--;
        uint32_t code;
        if (ttt_utf8_decode(text + begin, at - begin, &code) != at - begin || !ttt_unicode_is_space(code)) break;
        at = begin;
    }
    return bytes - at;
}

const ttt_added_token *ttt_added_tokens_next(const ttt_added_tokens *added, bool specials, const char *text,
                                             size_t bytes, size_t free, size_t *at, size_t *begin, size_t *end) {
    if (added->count == 0) return NULL;
    while (*at < bytes) {
        const ttt_added_token *token = longest_at(added, text + *at, bytes - *at);
        if (token == NULL) {
            ++*at;
            continue;
        }
        *begin = *at;
        *end = *at += token->bytes;
        if (token->special && !specials) continue; /* plain text, and nothing else begins inside it */
        if (token->left) *begin -= spaces_before(text + free, *begin - free);
        if (token->right) *end = *at += spaces_after(text + *end, bytes - *end);
        return token;
    }
    return NULL;
}
