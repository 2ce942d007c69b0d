/* Loops over the rows of a block, in vectors of the including file's instruction set. The includer defines `left`, the
 * type of an element of a left operand (float or ttt_bf16), and left_store(left *, vf). */

static inline vf load_part(const ttt_bf16 *p, int count) {
    if (count >= VLEN) return vf_load_bf16(p);
    ttt_bf16 part[VLEN] = {0};
    for (int i = 0; i < count; i++) part[i] = p[i];
    return vf_load_bf16(part);
}

static inline vf load_part_f32(const float *p, int count, float filler) {
    if (count >= VLEN) return vf_load(p);
    float part[VLEN];
    for (int i = 0; i < VLEN; i++) part[i] = i < count ? p[i] : filler;
    return vf_load(part);
}

static inline void store_part(ttt_bf16 *p, vf x, int count) {
    if (count >= VLEN) {
        vf_store_bf16(p, x);
        return;
    }
    ttt_bf16 part[VLEN];
    vf_store_bf16(part, x);
    for (int i = 0; i < count; i++) p[i] = part[i];
}

static inline void store_part_f32(float *p, vf x, int count) {
    if (count >= VLEN) {
        vf_store(p, x);
        return;
    }
    float part[VLEN];
    vf_store(part, x);
    for (int i = 0; i < count; i++) p[i] = part[i];
}

static void pad_left(left *a, int columns) {
    for (int c = (columns + VLEN - 1) / VLEN * VLEN; c < (columns + 31) / 32 * 32; c += VLEN) left_store(a + c, vf_zero());
}

static void load_rows(const ttt_bf16 *x, size_t ldx, int rows, int columns, void *to, size_t lda) {
    left *a = to;
    for (int r = 0; r < rows; r++, x += ldx, a += lda) {
        for (int c = 0; c < columns; c += VLEN) left_store(a + c, load_part(x + c, columns - c));
        pad_left(a, columns);
    }
}

static void load_rows_f32(const float *x, size_t ldx, int rows, int columns, float scale, void *to, size_t lda) {
    left *a = to;
    for (int r = 0; r < rows; r++, x += ldx, a += lda) {
        for (int c = 0; c < columns; c += VLEN) {
            left_store(a + c, vf_set(scale) * load_part_f32(x + c, columns - c, 0.0f));
        }
        pad_left(a, columns);
    }
}

static void store_rows(const float *x, size_t ldx, int rows, int columns, float scale, ttt_bf16 *y, size_t ldy) {
    for (int r = 0; r < rows; r++, x += ldx, y += ldy) {
        for (int c = 0; c < columns; c += VLEN) {
            store_part(y + c, vf_set(scale) * load_part_f32(x + c, columns - c, 0.0f), columns - c);
        }
    }
}

static void store_sum_rows(const float *x, size_t ldx, const ttt_bf16 *residual, ttt_bf16 *y, size_t ldy, int rows,
                           int columns) {
    for (int r = 0; r < rows; r++, x += ldx, y += ldy, residual += ldy) {
        for (int c = 0; c < columns; c += VLEN) {
            vf sum = load_part_f32(x + c, columns - c, 0.0f) + load_part(residual + c, columns - c);
            store_part(y + c, sum, columns - c);
        }
    }
}

static void normalize_rows(const ttt_bf16 *x, int rows, int columns, const float *gain, float epsilon, void *to,
                           size_t lda, ttt_bf16 *n, float *inverse_rms) {
    left *a = to;
    for (int r = 0; r < rows; r++, x += columns, a += lda) {
        vf squares = vf_zero();
        for (int c = 0; c < columns; c += VLEN) {
            vf v = load_part(x + c, columns - c);
            squares = vf_fma(v, v, squares);
        }
        const float inverse = 1.0f / sqrtf(vf_sum(squares) / (float)columns + epsilon);
        for (int c = 0; c < columns; c += VLEN) {
            vf v = load_part(x + c, columns - c) * vf_set(inverse) * vf_load(gain + c);
            left_store(a + c, v);
            if (n != NULL) store_part(n + (size_t)r * (size_t)columns + c, v, columns - c);
        }
        pad_left(a, columns);
        inverse_rms[r] = inverse;
    }
}

/* With r = inverse_rms, y = x·r·g: dx = r·(g·dn) - x·r³·mean(g·dn·x). */
static void normalize_rows_backward(const float *dn, size_t ldd, const ttt_bf16 *x, int rows, int columns,
                                    const float *gain, const float *inverse_rms, ttt_bf16 *dx, float *gain_sum) {
    for (int r = 0; r < rows; r++, dn += ldd, x += columns, dx += columns) {
        const float inverse = inverse_rms[r];
        vf dot = vf_zero();
        for (int c = 0; c < columns; c += VLEN) {
            vf weighted = load_part_f32(dn + c, columns - c, 0.0f) * load_part(x + c, columns - c);
            dot = vf_fma(weighted, vf_load(gain + c), dot);
            if (gain_sum != NULL) {
                vf sum = load_part_f32(gain_sum + c, columns - c, 0.0f);
                store_part_f32(gain_sum + c, vf_fma(weighted, vf_set(inverse), sum), columns - c);
            }
        }
        const vf pull = vf_set(-inverse * inverse * inverse * vf_sum(dot) / (float)columns);
        for (int c = 0; c < columns; c += VLEN) {
            vf d = load_part_f32(dn + c, columns - c, 0.0f) * vf_load(gain + c) * vf_set(inverse);
            d = vf_fma(load_part(x + c, columns - c), pull, d);
            store_part(dx + c, load_part(dx + c, columns - c) + d, columns - c);
        }
    }
}

static void add_bias_rows(float *x, size_t ldx, int rows, int columns, const float *bias) {
    for (int r = 0; r < rows; r++, x += ldx) {
        for (int c = 0; c < columns; c += VLEN) vf_store(x + c, vf_load(x + c) + vf_load(bias + c));
    }
}

static inline float head_inverse_rms(const float *x, int dim, float epsilon) {
    vf squares = vf_zero();
    for (int c = 0; c < dim; c += VLEN) {
        vf v = load_part_f32(x + c, dim - c, 0.0f);
        squares = vf_fma(v, v, squares);
    }
    return 1.0f / sqrtf(vf_sum(squares) / (float)dim + epsilon);
}

static void normalize_heads(float *x, size_t ldx, int rows, int heads, int dim, const float *gain, float epsilon) {
    for (int r = 0; r < rows; r++, x += ldx) {
        float *head = x;
        for (int h = 0; h < heads; h++, head += dim) {
            const vf inverse = vf_set(head_inverse_rms(head, dim, epsilon));
            for (int c = 0; c < dim; c += VLEN) {
                vf v = load_part_f32(head + c, dim - c, 0.0f) * inverse * vf_load(gain + c);
                store_part_f32(head + c, v, dim - c);
            }
        }
    }
}

/* With i = inverse_rms and u = g·d: dx = i·u - x·i³·mean(u·x). */
static void normalize_heads_backward(const float *x, size_t ldx, int rows, int heads, int dim, const float *gain,
                                     float epsilon, ttt_bf16 *d, size_t ldd, float *gain_sum) {
    for (int r = 0; r < rows; r++, x += ldx, d += ldd) {
        const float *head = x;
        ttt_bf16 *d_head = d;
        for (int h = 0; h < heads; h++, head += dim, d_head += dim) {
            const float inverse = head_inverse_rms(head, dim, epsilon);
            vf dot = vf_zero();
            for (int c = 0; c < dim; c += VLEN) {
                vf weighted = load_part(d_head + c, dim - c) * load_part_f32(head + c, dim - c, 0.0f);
                dot = vf_fma(weighted, vf_load(gain + c), dot);
                if (gain_sum == NULL) continue;
                vf sum = load_part_f32(gain_sum + c, dim - c, 0.0f);
                store_part_f32(gain_sum + c, vf_fma(weighted, vf_set(inverse), sum), dim - c);
            }
            const vf pull = vf_set(-inverse * inverse * inverse * vf_sum(dot) / (float)dim);
            for (int c = 0; c < dim; c += VLEN) {
                vf u = load_part(d_head + c, dim - c) * vf_load(gain + c) * vf_set(inverse);
                store_part(d_head + c, vf_fma(load_part_f32(head + c, dim - c, 0.0f), pull, u), dim - c);
            }
        }
    }
}

static void rotate_rows(const float *x, size_t ldx, int rows, int heads, int dim, const float *cosine,
                        const float *sine, ttt_bf16 *y, size_t ldy) {
    const int half = dim / 2;
    for (int r = 0; r < rows; r++, x += ldx, y += ldy, cosine += half, sine += half) {
        for (int h = 0; h < heads; h++) {
            const float *from = x + (size_t)h * (size_t)dim;
            ttt_bf16 *to = y + (size_t)h * (size_t)dim;
            for (int i = 0; i < half; i += VLEN) {
                const int n = half - i;
                vf c = load_part_f32(cosine + i, n, 0.0f), s = load_part_f32(sine + i, n, 0.0f);
                vf first = load_part_f32(from + i, n, 0.0f), second = load_part_f32(from + half + i, n, 0.0f);
                store_part(to + i, first * c - second * s, n);
                store_part(to + half + i, second * c + first * s, n);
            }
        }
    }
}

static void rotate_rows_back(ttt_bf16 *x, size_t ldx, int rows, int heads, int dim, const float *cosine,
                             const float *sine) {
    const int half = dim / 2;
    for (int r = 0; r < rows; r++, x += ldx, cosine += half, sine += half) {
        for (int h = 0; h < heads; h++) {
            ttt_bf16 *head = x + (size_t)h * (size_t)dim;
            for (int i = 0; i < half; i += VLEN) {
                const int n = half - i;
                vf c = load_part_f32(cosine + i, n, 0.0f), s = load_part_f32(sine + i, n, 0.0f);
                vf first = load_part(head + i, n), second = load_part(head + half + i, n);
                store_part(head + i, first * c + second * s, n);
                store_part(head + half + i, second * c - first * s, n);
            }
        }
    }
}

static inline vf sigmoid(vf x) {
    return vf_set(1.0f) / (vf_set(1.0f) + vf_exp(vf_zero() - x));
}

static void gate_rows(const float *gate, const float *up, size_t lds, int rows, int columns, void *to, size_t lda,
                      ttt_bf16 *gate_out, ttt_bf16 *up_out, size_t ldo) {
    left *a = to;
    for (int r = 0; r < rows; r++, gate += lds, up += lds, a += lda) {
        for (int c = 0; c < columns; c += VLEN) {
            vf g = load_part_f32(gate + c, columns - c, 0.0f), u = load_part_f32(up + c, columns - c, 0.0f);
            left_store(a + c, g * sigmoid(g) * u);
            if (gate_out == NULL) continue;
            store_part(gate_out + (size_t)r * ldo + c, g, columns - c);
            store_part(up_out + (size_t)r * ldo + c, u, columns - c);
        }
        pad_left(a, columns);
    }
}

static void gate_rows_backward(const float *dh, size_t lds, int rows, int columns, ttt_bf16 *gate, ttt_bf16 *up,
                               ttt_bf16 *hidden, size_t ldo, void *to_gate, void *to_up, size_t lda) {
    left *a_gate = to_gate, *a_up = to_up;
    for (int r = 0; r < rows; r++, dh += lds, gate += ldo, up += ldo, hidden += ldo, a_gate += lda, a_up += lda) {
        for (int c = 0; c < columns; c += VLEN) {
            const int n = columns - c;
            vf d = load_part_f32(dh + c, n, 0.0f), g = load_part(gate + c, n), u = load_part(up + c, n);
            vf s = sigmoid(g), silu = g * s;
            vf d_up = d * silu, d_gate = d * u * vf_fma(silu, vf_set(1.0f) - s, s);
            store_part(hidden + c, silu * u, n);
            store_part(gate + c, d_gate, n);
            store_part(up + c, d_up, n);
            left_store(a_gate + c, d_gate);
            left_store(a_up + c, d_up);
        }
        pad_left(a_gate, columns);
        pad_left(a_up, columns);
    }
}

static void log_sum_exp_add(const float *x, int count, float *maximum, float *sum) {
    vf largest = vf_set(-INFINITY);
    for (int c = 0; c < count; c += VLEN) largest = vf_max(largest, load_part_f32(x + c, count - c, -INFINITY));
    float high = vf_largest(largest);
    if (high == -INFINITY) return;
    vf total = vf_zero();
    for (int c = 0; c < count; c += VLEN) {
        total = total + vf_exp(load_part_f32(x + c, count - c, -INFINITY) - vf_set(high));
    }
    float fresh = vf_sum(total);
    if (*sum == 0.0f) {
        *maximum = high;
        *sum = fresh;
    } else if (high <= *maximum) {
        *sum += fresh * expf(high - *maximum);
    } else {
        *sum = *sum * expf(*maximum - high) + fresh;
        *maximum = high;
    }
}

static void d_logits_row(const float *x, int count, int padded, float lse, int target, float scale, void *to,
                         ttt_bf16 *d) {
    left *a = to;
    for (int c = 0; c < padded; c += VLEN) {
        float part[VLEN];
        vf_store(part, vf_exp(load_part_f32(x + c, count - c, -INFINITY) - vf_set(lse)));
        for (int i = 0; i < VLEN; i++) {
            if (c + i == target) part[i] -= 1.0f;
            if (c + i >= count) part[i] = 0.0f;
        }
        vf value = vf_load(part) * vf_set(scale);
        left_store(a + c, value);
        if (c < count) store_part(d + c, value, count - c);
    }
}

/* The sum of squares of up to some hundreds of numbers. */
static double square_sum(const float *x, size_t count) {
    vf sum = vf_zero();
    for (size_t i = 0; i < count; i += VLEN) {
        vf v = load_part_f32(x + i, count - i < (size_t)VLEN ? (int)(count - i) : VLEN, 0.0f);
        sum = vf_fma(v, v, sum);
    }
    return (double)vf_sum(sum);
}

/* 2 · VLEN numbers of a row as bf16 pairs; those from `count` on are zeros. */
static inline vf load_as_pairs(const float *x, int count) {
    ttt_bf16 pairs[2 * VLEN];
    vf_store_bf16(pairs, load_part_f32(x, count, 0.0f));
    vf_store_bf16(pairs + VLEN, count > VLEN ? load_part_f32(x + VLEN, count - VLEN, 0.0f) : vf_zero());
    vf value;
    memcpy(&value, pairs, sizeof value);
    return value;
}

/* VLEN rows (panel columns) by VLEN pairs at a time: a transpose. */
static void pack_transposed(const float *value, size_t rows, size_t columns, size_t panel, ttt_bf16 *to) {
    for (size_t n = 0; n < TTT_CPU_PAD; n += VLEN) {
        const float *from = value + (panel * TTT_CPU_PAD + n) * columns;
        for (size_t k = 0; k < columns; k += 2 * VLEN) {
            vf pairs[VLEN];
            for (size_t i = 0; i < VLEN; i++) {
                const bool inside = panel * TTT_CPU_PAD + n + i < rows;
                pairs[i] = inside ? load_as_pairs(from + i * columns + k, (int)(columns - k)) : vf_zero();
            }
            vf_transpose(pairs);
            for (size_t i = 0; i < VLEN; i++) memcpy(to + ((k / 2 + i) * TTT_CPU_PAD + n) * 2, &pairs[i], sizeof(vf));
        }
    }
}

/* Loshchilov and Hutter, 2019. The gradient is zeroed. */
static void adamw_rows(float *value, float *gradient, float *m, float *v, size_t count, const ttt_adamw_factors *f) {
    for (size_t i = 0; i < count; i += VLEN) {
        const int n = count - i < (size_t)VLEN ? (int)(count - i) : VLEN;
        vf g = load_part_f32(gradient + i, n, 0.0f) * vf_set(f->gradient_scale);
        vf first = load_part_f32(m + i, n, 0.0f), second = load_part_f32(v + i, n, 0.0f);
        first = vf_fma(vf_set(1.0f - f->beta1), g - first, first);
        second = vf_fma(vf_set(1.0f - f->beta2), g * g - second, second);
        vf old = load_part_f32(value + i, n, 0.0f) * vf_set(f->decay);
        vf step = first / vf_fma(vf_sqrt(second), vf_set(f->root_correction), vf_set(f->epsilon));
        store_part_f32(value + i, vf_fma(vf_set(-f->step_size), step, old), n);
        store_part_f32(m + i, first, n);
        store_part_f32(v + i, second, n);
        store_part_f32(gradient + i, vf_zero(), n);
    }
}
