/* Attention on AVX-512: float32 products, 16 lanes. */
#include "tensor/cpu/attention_lanes.h"

/* A block of 8 × 2 vectors hides the latency of the multiply-add and fits the 32 registers. */
enum { PRODUCT_ROWS = 8, PRODUCT_VECTORS = 2 };

#include "tensor/cpu/attention_vector.inl"

#include "tensor/cpu/attention_body.inl"

#include "tensor/cpu/attention_narrow.inl"

const attention_kernels ttt_attention_avx512 = {
    .transposes_keys = true,
    .forward_bytes = forward_bytes,
    .backward_bytes = backward_bytes,
    .thread_begin = thread_nothing,
    .thread_end = thread_nothing,
    .forward = forward_any,
    .backward = backward,
};
