#include "cli/text.h"

#include "model/unicode.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ttt_status ttt_text_read_input(ttt_bytes *text, ttt_error *err) {
    enum { BLOCK = 1 << 16 };
    size_t some;
    errno = 0;
    do {
        TTT_TRY(TTT_RESERVE(text, text->count + BLOCK, err));
        some = fread(text->items + text->count, 1, BLOCK, stdin);
        text->count += some;
    } while (some > 0);
    if (ferror(stdin)) return ttt_fail(err, TTT_ERROR_IO, "cannot read standard input: %s", strerror(errno));
    text->items[text->count] = '\0'; /* a block's room is left */
    return TTT_OK;
}

ttt_status ttt_text_to_json(const ttt_bytes *text, json_t **string, ttt_error *err) {
    ttt_bytes repaired = {0};
    *string = NULL;
    ttt_status status = ttt_utf8_repair(text->items, text->count, &repaired, err);
    if (status == TTT_OK) {
        *string = json_stringn(repaired.count == 0 ? "" : repaired.items, repaired.count);
        if (*string == NULL) status = ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a text");
    }
    ttt_free(repaired.items);
    return status;
}

ttt_status ttt_print_json_line(json_t *object, ttt_error *err) {
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (text == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the output");
    printf("%s\n", text);
    free(text);
    return TTT_OK;
}
