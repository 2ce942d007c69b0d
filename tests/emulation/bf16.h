/* The bf16 products of AMX and AVX-512 in plain C, for processors that have AVX-512 but not these: included before
 * every kernel that uses them (cmake -DTTT_EMULATE_BF16=ON), so that their logic is tested anywhere. Sums run in the
 * order of the instructions; the instructions' flushing of denormals is not imitated. Never part of what ships. */
#ifndef TTT_TESTS_EMULATION_BF16_H
#define TTT_TESTS_EMULATION_BF16_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

/* sum[i] + a[2i + 1]·b[2i + 1] + a[2i]·b[2i] */
static inline __m512 emulated_dpbf16(__m512 sum, __m512i a, __m512i b) {
    const __m512i high = _mm512_set1_epi32((int)0xffff0000u);
    sum = _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_and_si512(a, high)),
                          _mm512_castsi512_ps(_mm512_and_si512(b, high)), sum);
    return _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_slli_epi32(a, 16)), _mm512_castsi512_ps(_mm512_slli_epi32(b, 16)),
                           sum);
}
#undef _mm512_dpbf16_ps
#define _mm512_dpbf16_ps(sum, a, b) emulated_dpbf16(sum, (__m512i)(a), (__m512i)(b))

/* To nearest, ties to even; finite input. */
static inline __m256i emulated_round(__m512 x) {
    const __m512i bits = _mm512_castps_si512(x),
                  odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
}
#undef _mm512_cvtneps_pbh
#undef _mm512_cvtne2ps_pbh
#define _mm512_cvtneps_pbh(x) ((__m256bh)emulated_round(x))
#define _mm512_cvtne2ps_pbh(high, low)                                                                                 \
    ((__m512bh)_mm512_inserti64x4(_mm512_castsi256_si512(emulated_round(low)), emulated_round(high), 1))

/* Tiles of 16 rows of 64 bytes, as all our kernels configure them. */
static _Thread_local __m512i emulated_tiles[8][16];

static inline void emulated_load(int tile, const void *from, long stride) {
    for (int r = 0; r < 16; r++) emulated_tiles[tile][r] = _mm512_loadu_si512((const char *)from + r * stride);
}
static inline void emulated_store(int tile, void *to, long stride) {
    for (int r = 0; r < 16; r++) _mm512_storeu_si512((char *)to + r * stride, emulated_tiles[tile][r]);
}
static inline void emulated_zero(int tile) {
    memset(emulated_tiles[tile], 0, sizeof emulated_tiles[tile]);
}
static inline void emulated_multiply(int c, int a, int b) {
    for (int m = 0; m < 16; m++) {
        int32_t pairs[16];
        _mm512_storeu_si512(pairs, emulated_tiles[a][m]);
        __m512 sum = (__m512)emulated_tiles[c][m];
        for (int k = 0; k < 16; k++) {
            const __m512i pair = _mm512_set1_epi32(pairs[k]), column = emulated_tiles[b][k];
            const __m512i high = _mm512_set1_epi32((int)0xffff0000u);
            sum = _mm512_fmadd_ps((__m512)_mm512_slli_epi32(pair, 16), (__m512)_mm512_slli_epi32(column, 16), sum);
            sum = _mm512_fmadd_ps((__m512)_mm512_and_si512(pair, high), (__m512)_mm512_and_si512(column, high), sum);
        }
        emulated_tiles[c][m] = (__m512i)sum;
    }
}

#undef _tile_loadconfig
#undef _tile_release
#undef _tile_loadd
#undef _tile_stream_loadd
#undef _tile_stored
#undef _tile_zero
#undef _tile_dpbf16ps
#define _tile_loadconfig(config) ((void)(config))
#define _tile_release() ((void)0)
#define _tile_loadd(tile, from, stride) emulated_load(tile, from, stride)
#define _tile_stream_loadd(tile, from, stride) emulated_load(tile, from, stride)
#define _tile_stored(tile, to, stride) emulated_store(tile, to, stride)
#define _tile_zero(tile) emulated_zero(tile)
#define _tile_dpbf16ps(c, a, b) emulated_multiply(c, a, b)

#endif
