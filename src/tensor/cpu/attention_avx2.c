/* Attention on AVX2: float32 products, 8 lanes. */
#include "tensor/cpu/attention_lanes.h"

/* A block of 4 × 2 vectors hides the latency of the multiply-add and fits the 16 registers. */
enum { PRODUCT_ROWS = 4, PRODUCT_VECTORS = 2 };

#include "tensor/cpu/attention_vector.inl"

#include "tensor/cpu/attention_body.inl"

#include "tensor/cpu/attention_narrow.inl"

const attention_kernels ttt_attention_avx2 = {
    .transposes_keys = true,
    .forward_bytes = forward_bytes,
    .backward_bytes = backward_bytes,
    .thread_begin = thread_nothing,
    .thread_end = thread_nothing,
    .forward = forward_any,
    .backward = backward,
};
