/* The backend that a run of the tests is about: TTT_ISA names it (ref, avx2, avx512, amx), the widest otherwise. */
#ifndef TTT_TESTS_TENSOR_CHOOSE_H
#define TTT_TESTS_TENSOR_CHOOSE_H

#include "tensor/backend.h"

#include <stdio.h>

/* NULL, with the reason on stderr, where this machine has not got it: the test is to be skipped. */
static inline ttt_backend *choose_backend(int threads) {
    ttt_error err;
    ttt_backend *backend = NULL;
    if (ttt_backend_new("cpu", threads, &backend, &err) != TTT_OK) {
        fprintf(stderr, "skipped: %s\n", err.message);
        return NULL;
    }
    return backend;
}

#endif
