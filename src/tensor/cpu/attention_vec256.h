/* Float vectors of AVX2 under the names that attention_body.h uses. */
#ifndef TTT_TENSOR_CPU_ATTENTION_VEC256_H
#define TTT_TENSOR_CPU_ATTENTION_VEC256_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

enum { LANES = 8 };
typedef __m256 vec;
typedef __m256 lanes; /* one truth value per lane: all bits or none */

static inline vec vec_load(const float *from) {
    return _mm256_loadu_ps(from);
}
static inline vec vec_load_bf16(const uint16_t *from) {
    const __m128i narrow = _mm_loadu_si128((const __m128i *)(const void *)from);
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(narrow), 16));
}
static inline void vec_store(float *to, vec a) {
    _mm256_storeu_ps(to, a);
}
static inline vec vec_set(float a) {
    return _mm256_set1_ps(a);
}
static inline vec vec_add(vec a, vec b) {
    return _mm256_add_ps(a, b);
}
static inline vec vec_sub(vec a, vec b) {
    return _mm256_sub_ps(a, b);
}
static inline vec vec_mul(vec a, vec b) {
    return _mm256_mul_ps(a, b);
}
static inline vec vec_max(vec a, vec b) {
    return _mm256_max_ps(a, b);
}
/* a · b + c and a · b - c, rounded once. */
static inline vec vec_fma(vec a, vec b, vec c) {
    return _mm256_fmadd_ps(a, b, c);
}
static inline vec vec_fms(vec a, vec b, vec c) {
    return _mm256_fmsub_ps(a, b, c);
}
static inline lanes lanes_all(void) {
    return _mm256_castsi256_ps(_mm256_set1_epi32(-1));
}
static inline bool lanes_any(lanes a) {
    return _mm256_movemask_ps(a) != 0;
}
static inline lanes lanes_greater(vec a, vec b) {
    return _mm256_cmp_ps(a, b, _CMP_GT_OQ);
}
/* low <= key < high, lane by lane. */
static inline lanes lanes_in_range(const int32_t *low, const int32_t *high, int32_t key) {
    const __m256i k = _mm256_set1_epi32(key);
    const __m256i before = _mm256_cmpgt_epi32(_mm256_loadu_si256((const __m256i *)(const void *)low), k);
    const __m256i below = _mm256_cmpgt_epi32(_mm256_loadu_si256((const __m256i *)(const void *)high), k);
    return _mm256_castsi256_ps(_mm256_andnot_si256(before, below));
}
/* Truth where a >= b and `which`. */
static inline lanes lanes_and_at_least(lanes which, vec a, vec b) {
    return _mm256_and_ps(which, _mm256_cmp_ps(a, b, _CMP_GE_OQ));
}
/* a where true, b elsewhere. */
static inline vec vec_select(lanes which, vec a, vec b) {
    return _mm256_blendv_ps(b, a, which);
}
/* mantissa · 2^exponent, where `exponent` holds an integer as the low bits of a float (see vec_exp2); 0 where false. */
static inline vec vec_scale_exponent(lanes which, vec mantissa, vec exponent) {
    const __m256i shift = _mm256_slli_epi32(_mm256_castps_si256(exponent), 23);
    return _mm256_and_ps(which, _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(mantissa), shift)));
}

#endif
