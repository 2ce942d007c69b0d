/* Fuzzing of what reads GGUF files (scripts/fuzz). The reader maps files, so the bytes go through one in memory.
 * Whatever is accepted must lie in the file, keep the rules and be found again; configuration and tokenizer are read
 * from it, too. */
#include "model/gguf.h"
#include "model/gguf_config.h"
#include "model/gguf_tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void require(bool condition) {
    if (!condition) abort();
}

static void check_tensors(const ttt_gguf *gguf) {
    for (size_t i = 0; i < ttt_gguf_tensor_count(gguf); i++) {
        const ttt_gguf_tensor *t = ttt_gguf_tensor_at(gguf, i);
        require(ttt_gguf_tensor_find(gguf, t->name) == t);
        require(t->rank >= 1 && t->rank <= 4 && t->rows >= 1 && t->columns >= 1 && t->bytes >= 1);
        volatile uint8_t sum = (uint8_t)(t->data[0] + t->data[t->bytes - 1]); /* the sanitizer looks on */
        (void)sum;
    }
}

static void check_config(const ttt_gguf *gguf) {
    ttt_error err;
    ttt_model_config config;
    if (ttt_gguf_config_read(gguf, &config, &err) != TTT_OK) return;
    require(config.heads % config.kv_heads == 0 && config.head_dim / 2 == config.rope[0].pairs);
    ttt_model_config_release(&config);
}

static void check_tokenizer(const ttt_gguf *gguf) {
    ttt_error err;
    json_t *config = json_object(), *tokenizer, *settings;
    if (ttt_gguf_tokenizer_to_json(gguf, config, &tokenizer, &settings, &err) == TTT_OK && tokenizer != NULL) {
        require(json_is_object(json_object_get(json_object_get(tokenizer, "model"), "vocab")));
    }
    json_decref(config);
    json_decref(tokenizer);
    json_decref(settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    char path[64];
    ttt_gguf *gguf;
    ttt_error err = {0};
    const int file = memfd_create("gguf", 0);
    require(file >= 0 && write(file, data, bytes) == (ssize_t)bytes);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (ttt_gguf_open(path, &gguf, &err) == TTT_OK) {
        check_tensors(gguf);
        check_config(gguf);
        check_tokenizer(gguf);
    } else {
        require(gguf == NULL && err.message[0] != '\0' && strchr(err.message, '\n') == NULL);
    }
    ttt_gguf_close(gguf);
    close(file);
    return 0;
}
