/* What attention needs of vectors beyond vector.h: truth values per lane, powers of two. */
#ifndef TTT_TENSOR_CPU_ATTENTION_LANES_H
#define TTT_TENSOR_CPU_ATTENTION_LANES_H

#include "tensor/cpu/vector.h"

#include <stdbool.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* A lane's truth value is a bit, or all bits of the lane. In what follows
 *   lanes_in_range       low <= key < high, lane by lane; low and high are 64-byte aligned
 *   lanes_and_at_least   `which` and a >= b
 *   vf_select            a where true, b elsewhere
 *   vf_scale_exponent    mantissa · 2^n, where the low bits of the float `exponent` hold n; 0 where false */
#ifdef __AVX512F__
typedef __mmask16 lanes;
static inline lanes lanes_all(void) {
    return 0xFFFF;
}
static inline bool lanes_any(lanes a) {
    return a != 0;
}
static inline lanes lanes_greater(vf a, vf b) {
    return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ);
}
static inline lanes lanes_and_at_least(lanes which, vf a, vf b) {
    return _mm512_mask_cmp_ps_mask(which, a, b, _CMP_GE_OQ);
}
static inline lanes lanes_in_range(const int32_t *low, const int32_t *high, int32_t key) {
    const __m512i k = _mm512_set1_epi32(key);
    return _mm512_mask_cmpgt_epi32_mask(_mm512_cmple_epi32_mask(_mm512_load_si512(low), k), _mm512_load_si512(high), k);
}
static inline vf vf_select(lanes which, vf a, vf b) {
    return _mm512_mask_mov_ps(b, which, a);
}
static inline vf vf_scale_exponent(lanes which, vf mantissa, vf exponent) {
    const __m512i shift = _mm512_slli_epi32(_mm512_castps_si512(exponent), 23);
    return _mm512_castsi512_ps(_mm512_maskz_add_epi32(which, _mm512_castps_si512(mantissa), shift));
}
/* a · b - c, rounded once. */
static inline vf vf_fms(vf a, vf b, vf c) {
    return _mm512_fmsub_ps(a, b, c);
}

#else
typedef __m256 lanes;
static inline lanes lanes_all(void) {
    return _mm256_castsi256_ps(_mm256_set1_epi32(-1));
}
static inline bool lanes_any(lanes a) {
    return _mm256_movemask_ps(a) != 0;
}
static inline lanes lanes_greater(vf a, vf b) {
    return _mm256_cmp_ps(a, b, _CMP_GT_OQ);
}
static inline lanes lanes_and_at_least(lanes which, vf a, vf b) {
    return _mm256_and_ps(which, _mm256_cmp_ps(a, b, _CMP_GE_OQ));
}
static inline lanes lanes_in_range(const int32_t *low, const int32_t *high, int32_t key) {
    const __m256i k = _mm256_set1_epi32(key);
    const __m256i before = _mm256_cmpgt_epi32(_mm256_load_si256((const __m256i *)(const void *)low), k);
    const __m256i below = _mm256_cmpgt_epi32(_mm256_load_si256((const __m256i *)(const void *)high), k);
    return _mm256_castsi256_ps(_mm256_andnot_si256(before, below));
}
static inline vf vf_select(lanes which, vf a, vf b) {
    return _mm256_blendv_ps(b, a, which);
}
static inline vf vf_scale_exponent(lanes which, vf mantissa, vf exponent) {
    const __m256i shift = _mm256_slli_epi32(_mm256_castps_si256(exponent), 23);
    return _mm256_and_ps(which, _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(mantissa), shift)));
}
static inline vf vf_fms(vf a, vf b, vf c) {
    return _mm256_fmsub_ps(a, b, c);
}
#endif

/* 2^x where `which`, and 0 elsewhere. Also 0 for x < -100, before the exponent runs out. Relative error below
 * 2e-7 (9.2e-8 of the polynomial, minimax on [-1/2, 1/2] with 2^0 = 1 exact, the rest rounding); x <= 100. */
static inline vf vf_exp2(lanes which, vf x) {
    const vf shift = vf_set(12582912.0f); /* 1.5 · 2^23: adding it leaves round(x) in the low bits */
    const vf shifted = x + shift, f = x - (shifted - shift);
    vf y = vf_fma(f, vf_set(1.326472382e-03f), vf_set(9.671512991e-03f));
    y = vf_fma(y, f, vf_set(5.550733581e-02f));
    y = vf_fma(y, f, vf_set(2.402224243e-01f));
    y = vf_fma(y, f, vf_set(6.931470037e-01f));
    y = vf_fma(y, f, vf_set(1.0f));
    return vf_scale_exponent(lanes_and_at_least(which, x, vf_set(-100.0f)), y, shifted);
}

#endif
