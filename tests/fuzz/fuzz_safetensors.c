/* Fuzzing of what reads safetensors (scripts/fuzz). The reader maps files, so the bytes go through one in memory.
 * Whatever is accepted must lie in the file, without overlap, and be found again. */
#include "base/memory.h"
#include "model/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void require(bool condition) {
    if (!condition) abort();
}

/* All of its numbers, where they are floats: the sanitizer looks on. */
static void read_all(const ttt_safetensor *tensor) {
    size_t count = 1;
    for (int32_t i = 0; i < tensor->rank; i++) require(ttt_size_multiply(count, tensor->shape[i], &count));
    if (tensor->dtype == TTT_DTYPE_COUNT) return;
    float *numbers = ttt_allocate(count, sizeof *numbers);
    require(numbers != NULL);
    ttt_safetensor_read(tensor, numbers);
    ttt_free(numbers);
}

static void check_tensors(const ttt_safetensors *tensors, size_t bytes) {
    size_t sum = 0;
    for (size_t i = 0; i < ttt_safetensors_count(tensors); i++) {
        const ttt_safetensor *tensor = ttt_safetensors_at(tensors, i);
        require(ttt_safetensors_find(tensors, tensor->name) == tensor);
        require(tensor->rank >= 0 && tensor->rank <= TTT_SAFETENSORS_RANK);
        sum += tensor->bytes;
        read_all(tensor);
    }
    require(sum <= bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    char path[64];
    ttt_safetensors *tensors;
    ttt_error err = {0};
    const int file = memfd_create("safetensors", 0);
    require(file >= 0 && write(file, data, bytes) == (ssize_t)bytes);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (ttt_safetensors_open(path, &tensors, &err) == TTT_OK) {
        check_tensors(tensors, bytes);
    } else {
        require(tensors == NULL && err.message[0] != '\0' && strchr(err.message, '\n') == NULL);
    }
    ttt_safetensors_close(tensors);
    close(file);
    return 0;
}
