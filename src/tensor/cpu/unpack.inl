/* Tiles of 32 × 32 numbers on their way into a panel: out of block formats (blocks.h), and from W to Wᵀ. Blocks become
 * the float32 numbers of dtype.h, by the same operations in the same order, rounded to bf16. */

enum { TILE_ROW = 2 * TTT_CPU_PAD }; /* numbers of a row of pairs */

static void unpack_q8_0(const uint8_t *head, const uint8_t *tile, ttt_bf16 *to) {
    for (int n = 0; n < TTT_CPU_PAD; n += VLEN) {
        const vf d = vf_load_f16(head + 2 * n);
        for (int row = 0; row < TTT_CPU_PAD / 2; row++) {
            vi even, odd;
            vi_load_pairs_i8(tile + row * TILE_ROW + 2 * n, &even, &odd);
            vf_store_pairs(to + row * TILE_ROW + 2 * n, d * vi_to_float(even), d * vi_to_float(odd));
        }
    }
}

static void unpack_q4_0(const uint8_t *head, const uint8_t *tile, ttt_bf16 *to) {
    for (int n = 0; n < TTT_CPU_PAD; n += VLEN) {
        const vf d = vf_load_f16(head + 2 * n);
        for (int row = 0; row < TTT_CPU_PAD / 2; row++) {
            const vi byte = vi_load_u8(tile + row * TTT_CPU_PAD + n);
            vf_store_pairs(to + row * TILE_ROW + 2 * n, d * vi_to_float((byte & 15) - 8),
                           d * vi_to_float((byte >> 4) - 8));
        }
    }
}

static void unpack_q4_k(const uint8_t *head, const uint8_t *tile, ttt_bf16 *to) {
    const uint8_t *numbers = tile + 2 * TTT_CPU_PAD;
    for (int n = 0; n < TTT_CPU_PAD; n += VLEN) {
        const vf d = vf_load_f16(head + 2 * n), d_minimum = vf_load_f16(head + 2 * (TTT_CPU_PAD + n));
        const vf step = d * vi_to_float(vi_load_u8(tile + n));
        const vf shift = d_minimum * vi_to_float(vi_load_u8(tile + TTT_CPU_PAD + n));
        for (int row = 0; row < TTT_CPU_PAD / 2; row++) {
            const vi byte = vi_load_u8(numbers + row * TTT_CPU_PAD + n);
            vf_store_pairs(to + row * TILE_ROW + 2 * n, step * vi_to_float(byte & 15) - shift,
                           step * vi_to_float(byte >> 4) - shift);
        }
    }
}

static void unpack_q6_k(const uint8_t *head, const uint8_t *tile, ttt_bf16 *to) {
    const uint8_t *low = tile + 2 * TTT_CPU_PAD, *high = low + TTT_CPU_PAD * TTT_CPU_PAD / 2;
    for (int n = 0; n < TTT_CPU_PAD; n += VLEN) {
        const vf d = vf_load_f16(head + 2 * n);
        const vf steps[] = {d * vi_to_float(vi_load_i8(tile + n)), d * vi_to_float(vi_load_i8(tile + TTT_CPU_PAD + n))};
        for (int row = 0; row < TTT_CPU_PAD / 2; row++) {
            const vi byte = vi_load_u8(low + row * TTT_CPU_PAD + n);
            const vi bits = vi_load_u8(high + row / 2 * TTT_CPU_PAD + n) >> 4 * (row % 2);
            const vi even = (byte & 15) | (bits & 3) << 4, odd = byte >> 4 | (bits & 12) << 2;
            const vf step = steps[row / 8];
            vf_store_pairs(to + row * TILE_ROW + 2 * n, step * vi_to_float(even - 32), step * vi_to_float(odd - 32));
        }
    }
}

/* In units of 2 × 2 numbers, 64 bits, a tile is a 16 × 16 matrix: each unit is transposed, and the matrix, four units
 * by four at a time. */
static void transpose_tile(const ttt_bf16 *from, ttt_bf16 *to) {
    for (int i = 0; i < 16; i += 4) {
        for (int j = 0; j < 16; j += 4) {
            __m256i r[4], t[4];
            for (int l = 0; l < 4; l++) {
                r[l] = _mm256_loadu_si256((const __m256i *)(from + (i + l) * TILE_ROW + 4 * j));
                r[l] = _mm256_shufflehi_epi16(_mm256_shufflelo_epi16(r[l], 0xD8), 0xD8); /* b and c of a b c d */
            }
            t[0] = _mm256_unpacklo_epi64(r[0], r[1]);
            t[1] = _mm256_unpackhi_epi64(r[0], r[1]);
            t[2] = _mm256_unpacklo_epi64(r[2], r[3]);
            t[3] = _mm256_unpackhi_epi64(r[2], r[3]);
            r[0] = _mm256_permute2x128_si256(t[0], t[2], 0x20);
            r[1] = _mm256_permute2x128_si256(t[1], t[3], 0x20);
            r[2] = _mm256_permute2x128_si256(t[0], t[2], 0x31);
            r[3] = _mm256_permute2x128_si256(t[1], t[3], 0x31);
            for (int l = 0; l < 4; l++) _mm256_storeu_si256((__m256i *)(to + (j + l) * TILE_ROW + 4 * i), r[l]);
        }
    }
}
