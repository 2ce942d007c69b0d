/* Tiles of 32 × 32 numbers on their way into a panel: out of block formats (blocks.h), and from W to Wᵀ. Blocks become
 * the float32 numbers of dtype.h, by the same operations in the same order, rounded where left operands are bf16. */

enum { TILE_ROW = 2 * TTT_CPU_PAD }; /* numbers of a row of pairs */

/* Numbers (2 · row, n...) and (2 · row + 1, n...) of an unpacked tile. */
static inline void store_unpacked(void *tile, int row, int n, vf even, vf odd) {
    if (sizeof(left) == sizeof(ttt_bf16)) {
        vf_store_pairs((ttt_bf16 *)tile + row * TILE_ROW + 2 * n, even, odd);
    } else {
        float *to = (float *)tile + row * TILE_ROW + n;
        vf_store(to, even);
        vf_store(to + TTT_CPU_PAD, odd);
    }
}

static void unpack_q8_0(const uint8_t *head, const uint8_t *tile, void *to) {
    for (int n = 0; n < TTT_CPU_PAD; n += VLEN) {
        const vf d = vf_load_f16(head + 2 * n);
        for (int row = 0; row < TTT_CPU_PAD / 2; row++) {
            const vi even = vi_load_i8(tile + row * TILE_ROW + n);
            const vi odd = vi_load_i8(tile + row * TILE_ROW + TTT_CPU_PAD + n);
            store_unpacked(to, row, n, d * vi_to_float(even), d * vi_to_float(odd));
        }
    }
}

static void unpack_q4_0(const uint8_t *head, const uint8_t *tile, void *to) {
    for (int n = 0; n < TTT_CPU_PAD; n += VLEN) {
        const vf d = vf_load_f16(head + 2 * n);
        for (int row = 0; row < TTT_CPU_PAD / 2; row++) {
            const vi byte = vi_load_u8(tile + row * TTT_CPU_PAD + n);
            store_unpacked(to, row, n, d * vi_to_float((byte & 15) - 8), d * vi_to_float((byte >> 4) - 8));
        }
    }
}

static void unpack_q4_k(const uint8_t *head, const uint8_t *tile, void *to) {
    const uint8_t *numbers = tile + 2 * TTT_CPU_PAD;
    for (int n = 0; n < TTT_CPU_PAD; n += VLEN) {
        const vf d = vf_load_f16(head + 2 * n), d_minimum = vf_load_f16(head + 2 * (TTT_CPU_PAD + n));
        const vf step = d * vi_to_float(vi_load_u8(tile + n));
        const vf shift = d_minimum * vi_to_float(vi_load_u8(tile + TTT_CPU_PAD + n));
        for (int row = 0; row < TTT_CPU_PAD / 2; row++) {
            const vi byte = vi_load_u8(numbers + row * TTT_CPU_PAD + n);
            store_unpacked(to, row, n, step * vi_to_float(byte & 15) - shift, step * vi_to_float(byte >> 4) - shift);
        }
    }
}

static void unpack_q6_k(const uint8_t *head, const uint8_t *tile, void *to) {
    const uint8_t *low = tile + 2 * TTT_CPU_PAD, *high = low + TTT_CPU_PAD * TTT_CPU_PAD / 2;
    for (int n = 0; n < TTT_CPU_PAD; n += VLEN) {
        const vf d = vf_load_f16(head + 2 * n);
        const vf steps[] = {d * vi_to_float(vi_load_i8(tile + n)), d * vi_to_float(vi_load_i8(tile + TTT_CPU_PAD + n))};
        for (int row = 0; row < TTT_CPU_PAD / 2; row++) {
            const vi byte = vi_load_u8(low + row * TTT_CPU_PAD + n);
            const vi bits = vi_load_u8(high + row / 2 * TTT_CPU_PAD + n) >> 4 * (row % 2);
            const vi even = (byte & 15) | (bits & 3) << 4, odd = byte >> 4 | (bits & 12) << 2;
            const vf step = steps[row / 8];
            store_unpacked(to, row, n, step * vi_to_float(even - 32), step * vi_to_float(odd - 32));
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

static void transpose_unpacked(const void *from, void *to) {
    if (sizeof(left) == sizeof(ttt_bf16)) {
        transpose_tile(from, to);
        return;
    }
    for (int i = 0; i < TTT_CPU_PAD; i += VLEN) {
        for (int j = 0; j < TTT_CPU_PAD; j += VLEN) {
            vf r[VLEN];
            for (int l = 0; l < VLEN; l++) r[l] = vf_load((const float *)from + (i + l) * TTT_CPU_PAD + j);
            vf_transpose(r);
            for (int l = 0; l < VLEN; l++) vf_store((float *)to + (j + l) * TTT_CPU_PAD + i, r[l]);
        }
    }
}
