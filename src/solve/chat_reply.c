/* What a chat server answers, as JSON from somebody else. */
#include "base/json.h"
#include "base/memory.h"
#include "solve/chat_server.h"

#include <string.h>

static ttt_status copy(const char *string, char **text, size_t *length, ttt_error *err) {
    *length = strlen(string); /* NUL is refused in parsing */
    *text = ttt_string_copy(string);
    return *text == NULL ? ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for %zu bytes of text", *length) : TTT_OK;
}

static ttt_status missing(const char *wanted, ttt_error *err) {
    return ttt_fail(err, TTT_ERROR_FORMAT, "the answer has no %s", wanted);
}

/* A model that thinks first may have spent all its tokens on that: then there is no content, or null. */
ttt_status ttt_chat_read_completion(const char *body, size_t bytes, char **text, size_t *length, ttt_error *err) {
    json_t *root;
    TTT_TRY(ttt_json_parse("the answer", body, bytes, &root, err));
    const json_t *choice = json_array_get(json_object_get(root, "choices"), 0);
    const json_t *message = json_object_get(choice, "message"), *content = json_object_get(message, "content");
    ttt_status status;
    if (json_is_object(message)) {
        status = copy(json_is_string(content) ? json_string_value(content) : "", text, length, err);
    } else {
        status = missing("choices[0].message", err);
    }
    json_decref(root);
    return status;
}

ttt_status ttt_chat_read_models(const char *body, size_t bytes, char **text, size_t *length, ttt_error *err) {
    json_t *root;
    TTT_TRY(ttt_json_parse("the list of models", body, bytes, &root, err));
    const json_t *id = json_object_get(json_array_get(json_object_get(root, "data"), 0), "id");
    const ttt_status status =
        json_is_string(id) ? copy(json_string_value(id), text, length, err) : missing("data[0].id", err);
    json_decref(root);
    return status;
}
