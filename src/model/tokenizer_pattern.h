/* Split patterns: the regular expressions of tokenizers, matched by PCRE2. Private to src/model. */
#ifndef TTT_MODEL_TOKENIZER_PATTERN_H
#define TTT_MODEL_TOKENIZER_PATTERN_H

#include "base/memory.h"

typedef struct ttt_pattern ttt_pattern;
typedef struct ttt_matcher ttt_matcher; /* working memory of matching, one a thread */

/* The tokenizers package matches with Oniguruma in Ruby's syntax. What means the same to PCRE2 is taken as it is, white
 * space is translated (PCRE2's \s has one character more, U+180E), and what would mean something else is refused:
 * anchors, \w, \b, \h, scripts and other properties than general categories, sets inside sets, flags but (?i:...),
 * possessive ranges. */
ttt_status ttt_pattern_compile(const char *text, ttt_pattern **pattern, ttt_error *err);
void ttt_pattern_free(ttt_pattern *pattern); /* NULL is fine */

ttt_status ttt_matcher_new(ttt_matcher **matcher, ttt_error *err);
void ttt_matcher_free(ttt_matcher *matcher); /* NULL is fine */
/* The first match at or after `from` in `text`, which is valid UTF-8, that is not empty: *found, *begin and *end. Fails
 * when memory is out, or when the pattern takes more steps than any sensible one (TTT_ERROR_UNSUPPORTED). */
ttt_status ttt_pattern_next(const ttt_pattern *pattern, ttt_matcher *matcher, const char *text, size_t bytes,
                            size_t from, bool *found, size_t *begin, size_t *end, ttt_error *err);

#endif
