/* Float vectors of AVX-512 under the names that attention_body.h uses. */
#ifndef TTT_TENSOR_CPU_ATTENTION_VEC512_H
#define TTT_TENSOR_CPU_ATTENTION_VEC512_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

enum { LANES = 16 };
typedef __m512 vec;
typedef __mmask16 lanes; /* one truth value per lane */

static inline vec vec_load(const float *from) {
    return _mm512_loadu_ps(from);
}
static inline vec vec_load_bf16(const uint16_t *from) {
    const __m256i narrow = _mm256_loadu_si256((const __m256i *)(const void *)from);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(narrow), 16));
}
static inline void vec_store(float *to, vec a) {
    _mm512_storeu_ps(to, a);
}
static inline vec vec_set(float a) {
    return _mm512_set1_ps(a);
}
static inline vec vec_add(vec a, vec b) {
    return _mm512_add_ps(a, b);
}
static inline vec vec_sub(vec a, vec b) {
    return _mm512_sub_ps(a, b);
}
static inline vec vec_mul(vec a, vec b) {
    return _mm512_mul_ps(a, b);
}
static inline vec vec_max(vec a, vec b) {
    return _mm512_max_ps(a, b);
}
/* a · b + c and a · b - c, rounded once. */
static inline vec vec_fma(vec a, vec b, vec c) {
    return _mm512_fmadd_ps(a, b, c);
}
static inline vec vec_fms(vec a, vec b, vec c) {
    return _mm512_fmsub_ps(a, b, c);
}
static inline lanes lanes_all(void) {
    return 0xFFFF;
}
static inline bool lanes_any(lanes a) {
    return a != 0;
}
static inline lanes lanes_greater(vec a, vec b) {
    return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ);
}
/* low <= key < high, lane by lane. */
static inline lanes lanes_in_range(const int32_t *low, const int32_t *high, int32_t key) {
    const __m512i k = _mm512_set1_epi32(key);
    return _mm512_mask_cmpgt_epi32_mask(_mm512_cmple_epi32_mask(_mm512_load_si512(low), k), _mm512_load_si512(high), k);
}
/* a where true, b elsewhere. */
static inline vec vec_select(lanes which, vec a, vec b) {
    return _mm512_mask_mov_ps(b, which, a);
}
/* mantissa · 2^exponent, where `exponent` holds an integer as the low bits of a float (see vec_exp2); 0 where false. */
static inline vec vec_scale_exponent(lanes which, vec mantissa, vec exponent) {
    __m512i shift = _mm512_slli_epi32(_mm512_castps_si512(exponent), 23);
    return _mm512_castsi512_ps(_mm512_maskz_add_epi32(which, _mm512_castps_si512(mantissa), shift));
}
/* Truth where a >= b and `which`. */
static inline lanes lanes_and_at_least(lanes which, vec a, vec b) {
    return _mm512_mask_cmp_ps_mask(which, a, b, _CMP_GE_OQ);
}

/* Transposes 16 vectors of 16 32-bit numbers in place. */
static inline void transpose_16x16(__m512i r[16]) {
    __m512i t[16];
    for (int i = 0; i < 16; i += 2) { /* pairs of rows, then of pairs: 4 × 4 blocks within 128-bit lanes */
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    /* r[4b + c], lane l: column 4l + c of rows 4b .. 4b+3. */
    for (int c = 0; c < 4; c++) {
        __m512i lo01 = _mm512_shuffle_i32x4(r[c], r[4 + c], 0x44), hi01 = _mm512_shuffle_i32x4(r[c], r[4 + c], 0xEE);
        __m512i lo23 = _mm512_shuffle_i32x4(r[8 + c], r[12 + c], 0x44);
        __m512i hi23 = _mm512_shuffle_i32x4(r[8 + c], r[12 + c], 0xEE);
        t[c] = _mm512_shuffle_i32x4(lo01, lo23, 0x88);
        t[4 + c] = _mm512_shuffle_i32x4(lo01, lo23, 0xDD);
        t[8 + c] = _mm512_shuffle_i32x4(hi01, hi23, 0x88);
        t[12 + c] = _mm512_shuffle_i32x4(hi01, hi23, 0xDD);
    }
    for (int i = 0; i < 16; i++) r[i] = t[i];
}

/* 32 bf16 (the first `count` of them, zeros after) as they lie in memory. */
static inline __m512i bf16_load(const uint16_t *from, int count) {
    return _mm512_maskz_loadu_epi16(count >= 32 ? 0xFFFFFFFFu : (1u << count) - 1u, from);
}

#endif
