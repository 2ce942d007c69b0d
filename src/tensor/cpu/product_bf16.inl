/* What the instruction sets with a product of bf16 share: left operands are bf16, and so are both operands of a sum over
 * rows, where pairs of rows take the place of pairs of columns. The right one has the form of a packed weight. */

typedef ttt_bf16 left;

/* Unpacking and then multiplying is as good. */
#define multiply_q8_0 NULL
enum { Q8_0_ROWS = 0 };

static inline void left_store(left *p, vf x) {
    vf_store_bf16(p, x);
}

/* 16 columns of rows t and t + 1 as pairs. Rows from `rows` on and columns from `columns` on are zeros. */
static inline __m512i row_pairs(const ttt_bf16 *x, size_t ldx, int t, int rows, int column, int columns) {
    const int count = columns - column;
    const __mmask16 mask = count >= 16 ? 0xffff : count <= 0 ? 0 : (__mmask16)((1u << count) - 1u);
    const ttt_bf16 *at = x + (size_t)t * ldx + column;
    const __m256i first = _mm256_maskz_loadu_epi16(t < rows ? mask : 0, at);
    const __m256i second = _mm256_maskz_loadu_epi16(t + 1 < rows ? mask : 0, at + ldx);
    return _mm512_or_si512(_mm512_cvtepu16_epi32(first), _mm512_slli_epi32(_mm512_cvtepu16_epi32(second), 16));
}

static size_t gradient_right_bytes(size_t columns) {
    return ttt_cpu_pad(columns) * TTT_CPU_GRADIENT_ROWS * sizeof(ttt_bf16);
}

static void gradient_pack_right(const ttt_bf16 *x, size_t ldx, int rows, int padded, int columns, int first, int count,
                                void *packed) {
    for (int panel = first; panel < first + count; panel++) {
        ttt_bf16 *to = (ttt_bf16 *)packed + (size_t)panel * (size_t)padded * TTT_CPU_PAD;
        for (int t = 0; t < padded; t += 2, to += 2 * TTT_CPU_PAD) {
            const int column = panel * TTT_CPU_PAD;
            _mm512_storeu_si512(to, row_pairs(x, ldx, t, rows, column, columns));
            _mm512_storeu_si512(to + TTT_CPU_PAD, row_pairs(x, ldx, t, rows, column + 16, columns));
        }
    }
}
