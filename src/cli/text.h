/* Text from outside and to JSON: what the commands on language models share. */
#ifndef TTT_CLI_TEXT_H
#define TTT_CLI_TEXT_H

#include "base/json.h"
#include "model/tokenizer.h"

/* All of standard input, appended. */
ttt_status ttt_read_standard_input(ttt_bytes *text, ttt_error *err);
/* A JSON string; every byte that is no part of valid UTF-8 becomes U+FFFD. New reference, NULL when memory is out. */
json_t *ttt_text_to_json(const char *text, size_t bytes);

#endif
