/* Chat: the texts around a message, in each family's words. They are our own constants, so special tokens in them are
 * meant. */
#include "model/tokenizer_inside.h"

#include <stdio.h>
#include <string.h>

static const char *const ROLES[] = {
    [TTT_ROLE_SYSTEM] = "system", [TTT_ROLE_USER] = "user", [TTT_ROLE_ASSISTANT] = "assistant"};

static bool has(const ttt_tokenizer *tokenizer, const char *special) {
    return ttt_tokenizer_special(tokenizer, special) >= 0;
}

void ttt_tokenizer_read_template(ttt_tokenizer *tokenizer, const char *text, size_t bytes) {
    static const char MARK[] = "[INST]", LLAMA2[] = "<<SYS>>";
    if (bytes == 0 || memmem(text, bytes, MARK, sizeof MARK - 1) == NULL) return;
    tokenizer->instructs = memmem(text, bytes, LLAMA2, sizeof LLAMA2 - 1) == NULL;
}

ttt_chat_kind ttt_tokenizer_chat(const ttt_tokenizer *tokenizer) {
    if (has(tokenizer, "<|start_header_id|>") && has(tokenizer, "<|end_header_id|>") && has(tokenizer, "<|eot_id|>")) {
        return TTT_CHAT_LLAMA3;
    }
    if (has(tokenizer, "<|im_start|>") && has(tokenizer, "<|im_end|>")) return TTT_CHAT_CHATML;
    const bool marks = has(tokenizer, "[INST]") && has(tokenizer, "[/INST]");
    return (marks || tokenizer->instructs) && tokenizer->end >= 0 ? TTT_CHAT_MISTRAL : TTT_CHAT_NONE;
}

static ttt_status append(const ttt_tokenizer *tokenizer, const char *text, unsigned flags, ttt_ids *ids,
                         ttt_error *err) {
    return ttt_tokenizer_encode(tokenizer, text, strlen(text), flags | TTT_TOKENIZE_SPECIALS, ids, err);
}

static ttt_status no_roles(ttt_error *err) {
    return ttt_fail(err, TTT_ERROR_ARGUMENT, "the model's tokenizer has no chat format that is known here");
}

ttt_status ttt_tokenizer_chat_open(const ttt_tokenizer *tokenizer, ttt_role role, ttt_role before, ttt_ids *ids,
                                   unsigned *flags, ttt_error *err) {
    char text[96];
    *flags = TTT_TOKENIZE_INSIDE;
    switch (ttt_tokenizer_chat(tokenizer)) {
    case TTT_CHAT_LLAMA3:
        snprintf(text, sizeof text, "<|start_header_id|>%s<|end_header_id|>\n\n", ROLES[role]);
        return append(tokenizer, text, 0, ids, err);
    case TTT_CHAT_CHATML:
        snprintf(text, sizeof text, "<|im_start|>%s\n", ROLES[role]);
        return append(tokenizer, text, 0, ids, err);
    case TTT_CHAT_MISTRAL: {
        const bool system_marks = has(tokenizer, "[SYSTEM_PROMPT]");
        if (role == TTT_ROLE_USER && before == TTT_ROLE_SYSTEM && !system_marks) return TTT_OK; /* one instruction */
        *flags = 0;
        if (role == TTT_ROLE_ASSISTANT) return TTT_OK;
        const bool own = role == TTT_ROLE_SYSTEM && system_marks;
        return append(tokenizer, own ? "[SYSTEM_PROMPT]" : "[INST]", 0, ids, err);
    }
    case TTT_CHAT_NONE: break;
    }
    return no_roles(err);
}

ttt_status ttt_tokenizer_chat_close(const ttt_tokenizer *tokenizer, ttt_role role, ttt_ids *ids, ttt_error *err) {
    switch (ttt_tokenizer_chat(tokenizer)) {
    case TTT_CHAT_LLAMA3: return append(tokenizer, "<|eot_id|>", 0, ids, err);
    case TTT_CHAT_CHATML: return append(tokenizer, "<|im_end|>\n", 0, ids, err);
    case TTT_CHAT_MISTRAL:
        if (role == TTT_ROLE_ASSISTANT) return TTT_PUSH(ids, tokenizer->end, err);
        if (role == TTT_ROLE_SYSTEM) {
            const bool system_marks = has(tokenizer, "[SYSTEM_PROMPT]");
            return append(tokenizer, system_marks ? "[/SYSTEM_PROMPT]" : "\n\n", TTT_TOKENIZE_INSIDE, ids, err);
        }
        /* Where the mark is no token it is written as a word of its own. */
        return append(tokenizer, has(tokenizer, "[/INST]") ? "[/INST]" : " [/INST]", TTT_TOKENIZE_INSIDE, ids, err);
    case TTT_CHAT_NONE: break;
    }
    return no_roles(err);
}

static ttt_status append_message(const ttt_tokenizer *tokenizer, ttt_role role, ttt_role before, const char *text,
                                 size_t bytes, ttt_ids *ids, ttt_error *err) {
    unsigned flags;
    TTT_TRY(ttt_tokenizer_chat_open(tokenizer, role, before, ids, &flags, err));
    TTT_TRY(ttt_tokenizer_encode(tokenizer, text, bytes, flags, ids, err));
    return ttt_tokenizer_chat_close(tokenizer, role, ids, err);
}

ttt_status ttt_tokenizer_chat_question(const ttt_tokenizer *tokenizer, const char *system, const char *user,
                                       size_t user_bytes, ttt_ids *ids, ttt_error *err) {
    ttt_role before = TTT_ROLE_NONE;
    unsigned flags;
    TTT_TRY(ttt_tokenizer_encode(tokenizer, "", 0, TTT_TOKENIZE_START, ids, err));
    if (system != NULL) {
        TTT_TRY(append_message(tokenizer, TTT_ROLE_SYSTEM, before, system, strlen(system), ids, err));
        before = TTT_ROLE_SYSTEM;
    }
    TTT_TRY(append_message(tokenizer, TTT_ROLE_USER, before, user, user_bytes, ids, err));
    return ttt_tokenizer_chat_open(tokenizer, TTT_ROLE_ASSISTANT, TTT_ROLE_USER, ids, &flags, err);
}
