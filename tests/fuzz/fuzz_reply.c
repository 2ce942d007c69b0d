/* Fuzzing of what a chat server answers, and of the program in it (scripts/fuzz). The first byte chooses the reader: a
 * completion, a list of models, or an answer's text as it is. A program that was found stands in the answer, and is
 * found again in a block of its own. */
#include "base/memory.h"
#include "solve/chat_server.h"
#include "solve/program_prompt.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void require(bool condition) {
    if (!condition) abort();
}

static void check_program(const char *answer, size_t bytes) {
    static char block[TTT_PROGRAM_BYTES + 32];
    char *program, *again;
    ttt_error err;
    require(ttt_program_extract(answer, bytes, &program, &err) == TTT_OK);
    if (program == NULL) return;
    const size_t length = strlen(program);
    require(length <= TTT_PROGRAM_BYTES && memmem(answer, bytes, program, length) != NULL);
    strcat(strcat(strcpy(block, "Well:\n```python\n"), program), "\n```\n");
    require(ttt_program_extract(block, strlen(block), &again, &err) == TTT_OK);
    if (length < TTT_PROGRAM_BYTES) require(again != NULL && strncmp(again, program, length) == 0);
    ttt_free(again);
    ttt_free(program);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    const char *body = (const char *)data + 1;
    char *text;
    size_t length;
    ttt_error err;
    if (bytes == 0) return 0;
    if (data[0] % 3 == 2) {
        check_program(body, bytes - 1);
        return 0;
    }
    const ttt_status status = data[0] % 3 == 0 ? ttt_chat_read_completion(body, bytes - 1, &text, &length, &err)
                                               : ttt_chat_read_models(body, bytes - 1, &text, &length, &err);
    if (status != TTT_OK) {
        require(err.message[0] != '\0');
        return 0;
    }
    require(strlen(text) == length);
    check_program(text, length);
    ttt_free(text);
    return 0;
}
