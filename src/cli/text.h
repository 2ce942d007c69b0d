/* Text from outside and into JSON: what the commands on language models share. */
#ifndef TTT_CLI_TEXT_H
#define TTT_CLI_TEXT_H

#include "base/json.h"
#include "model/tokenizer.h"

/* All of standard input, appended, and a NUL behind it that does not count. */
ttt_status ttt_text_read_input(ttt_bytes *text, ttt_error *err);
/* A JSON string, new reference; bytes that are no UTF-8 become U+FFFD. */
ttt_status ttt_text_to_json(const ttt_bytes *text, json_t **string, ttt_error *err);
/* Prints an object as one line, and releases it; NULL is out of memory. */
ttt_status ttt_print_json_line(json_t *object, ttt_error *err);

#endif
