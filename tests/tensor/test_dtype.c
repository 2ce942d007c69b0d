/* Number formats: blocks against the numbers of the Python package `gguf` (scripts/parity/make_dtype_golden.py), halves
 * against IEEE 754's rules, and the way there and back. */
#include "support.h"

#include "base/random.h"
#include "tensor/dtype.h"

#include <math.h>

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void blocks__are_what_gguf_makes_of_them(void **state) {
    (void)state;
    static const struct {
        ttt_dtype dtype;
        const char *name;
        size_t numbers, bytes, d, d_minimum; /* where the halves lie; 0: no such half */
        uint64_t sum;
        float first, seventeenth, last;
    } formats[] = {
        {TTT_Q8_0, "Q8_0", 32, 34, 0, 0, 1014527885312u, -0.848602295f, -1.32824707f, -1.35284424f},
        {TTT_Q4_0, "Q4_0", 32, 18, 0, 0, 1179884879872u, 0.036895752f, -0.0983886719f, -0.0983886719f},
        {TTT_Q4_K, "Q4_K", 256, 144, 0, 2, 62134164652672u, -0.795135498f, -1.91430664f, -1.04864502f},
        {TTT_Q6_K, "Q6_K", 256, 210, 208, 0, 72524400065616u, 1.98007202f, 1.2298584f, 3.54199219f},
    };
    for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
        uint8_t blocks[3 * 256];
        float values[2 * TTT_DTYPE_BLOCK_MAX];
        size_t bytes;
        assert_string_equal(ttt_dtype_name(formats[f].dtype), formats[f].name);
        assert_int_equal(ttt_dtype_block(formats[f].dtype), formats[f].numbers);
        assert_int_equal(ttt_dtype_block_bytes(formats[f].dtype), formats[f].bytes);
        assert_true(ttt_dtype_bytes(formats[f].dtype, 3 * formats[f].numbers, &bytes));
        assert_int_equal(bytes, 3 * formats[f].bytes);
        assert_false(ttt_dtype_bytes(formats[f].dtype, formats[f].numbers + 16, &bytes));
        /* Two blocks that begin at an odd address. */
        uint8_t *from = blocks + 1;
        for (size_t i = 0; i < formats[f].bytes; i++) from[i] = (uint8_t)(73 * i + 41);
        const uint16_t d = ttt_float_to_f16(0.0123f), d_minimum = ttt_float_to_f16(0.0456f);
        memcpy(from + formats[f].d, &d, sizeof d);
        if (formats[f].d_minimum != 0) memcpy(from + formats[f].d_minimum, &d_minimum, sizeof d_minimum);
        memcpy(from + formats[f].bytes, from, formats[f].bytes);
        ttt_dtype_to_float(formats[f].dtype, from, 2 * formats[f].numbers, values);
        assert_float_equal(values[0], formats[f].first, 0);
        assert_float_equal(values[17], formats[f].seventeenth, 0);
        assert_float_equal(values[formats[f].numbers - 1], formats[f].last, 0);
        for (size_t block = 0; block < 2; block++) {
            uint64_t sum = 0;
            for (size_t i = 0; i < formats[f].numbers; i++) {
                sum += (i + 1) * (uint64_t)bits_of(values[block * formats[f].numbers + i]);
            }
            assert_int_equal(sum, formats[f].sum);
        }
    }
}

static void halves__come_back_from_float(void **state) {
    (void)state;
    for (uint32_t bits = 0; bits < 0x10000; bits++) {
        const float value = ttt_f16_to_float((uint16_t)bits);
        const uint16_t back = ttt_float_to_f16(value);
        if ((bits & 0x7FFF) > 0x7C00) {
            assert_true(isnan(value) && (back & 0x7FFF) > 0x7C00);
        } else {
            assert_int_equal(back, bits);
        }
        /* By definition: (1 + mantissa / 1024) 2^(exponent - 15), and mantissa / 1024 · 2^-14 below. */
        const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
        if (exponent == 31) continue;
        const double size = exponent == 0 ? ldexp(mantissa, -24) : ldexp(1024 + mantissa, exponent - 25);
        assert_float_equal(value, (float)((bits & 0x8000) != 0 ? -size : size), 0);
    }
    /* Ties to even, in the middle of two normal and of two subnormal numbers; the largest and beyond. */
    assert_int_equal(ttt_float_to_f16(1 + 0x1p-11f), 0x3C00);
    assert_int_equal(ttt_float_to_f16(1 + 3 * 0x1p-11f), 0x3C02);
    assert_int_equal(ttt_float_to_f16(nextafterf(1 + 0x1p-11f, 2)), 0x3C01);
    assert_int_equal(ttt_float_to_f16(0x1p-25f), 0x0000);
    assert_int_equal(ttt_float_to_f16(3 * 0x1p-25f), 0x0002);
    assert_int_equal(ttt_float_to_f16(65519.0f), 0x7BFF);
    assert_int_equal(ttt_float_to_f16(-65520.0f), 0xFC00);
}

static void writing__errs_by_half_a_step_at_most(void **state) {
    (void)state;
    ttt_random random = ttt_random_stream(3, "", "numbers");
    static const ttt_dtype dtypes[] = {TTT_F32, TTT_BF16, TTT_F16, TTT_Q8_0, TTT_Q4_0};
    for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++) {
        assert_true(ttt_dtype_can_write(dtypes[d]));
        for (int round = 0; round < 200; round++) {
            float values[32], back[32], largest = 0;
            uint8_t bytes[32 * sizeof(float)];
            for (int i = 0; i < 32; i++) {
                values[i] = round == 0 ? 0 : (float)ttt_random_normal(&random);
                largest = fmaxf(largest, fabsf(values[i]));
            }
            ttt_dtype_from_float(dtypes[d], values, 32, bytes);
            ttt_dtype_to_float(dtypes[d], bytes, 32, back);
            for (int i = 0; i < 32; i++) {
                /* Half a step, and what rounding the step itself to a half moves the largest number. Q4_0 has a step
                 * more on one side than on the other: there, the number opposite to the largest may be a whole step
                 * off. */
                const float step = dtypes[d] == TTT_Q8_0 ? largest / 127 : largest / 8;
                const float allowed = dtypes[d] == TTT_F32    ? 0
                                      : dtypes[d] == TTT_BF16 ? 0x1p-8f * fabsf(values[i])
                                      : dtypes[d] == TTT_F16  ? 0x1p-11f * fabsf(values[i]) + 0x1p-25f
                                      : dtypes[d] == TTT_Q8_0 ? step * 0.5f + largest * 0x1p-11f
                                                              : step + largest * 0x1p-11f;
                if (fabsf(values[i] - back[i]) <= allowed) continue;
                fail_msg("%s: %.9g comes back as %.9g", ttt_dtype_name(dtypes[d]), values[i], back[i]);
            }
        }
    }
    assert_false(ttt_dtype_can_write(TTT_Q4_K));
    assert_false(ttt_dtype_can_write(TTT_Q6_K));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks__are_what_gguf_makes_of_them),
        cmocka_unit_test(halves__come_back_from_float),
        cmocka_unit_test(writing__errs_by_half_a_step_at_most),
    };
    return cmocka_run_group_tests_name("dtype", tests, NULL, NULL);
}
