/* The tensor types of GGUF. Those without a dtype of ours are here so that a file that holds some can be checked, and
 * its other tensors read. */
#include "model/gguf_format.h"

static const ttt_gguf_type TYPES[] = {
    {0, TTT_F32, "F32", 1, 4},
    {1, TTT_F16, "F16", 1, 2},
    {2, TTT_Q4_0, "Q4_0", 32, 18},
    {3, TTT_DTYPE_COUNT, "Q4_1", 32, 20},
    {6, TTT_DTYPE_COUNT, "Q5_0", 32, 22},
    {7, TTT_DTYPE_COUNT, "Q5_1", 32, 24},
    {8, TTT_Q8_0, "Q8_0", 32, 34},
    {9, TTT_DTYPE_COUNT, "Q8_1", 32, 36},
    {10, TTT_DTYPE_COUNT, "Q2_K", 256, 84},
    {11, TTT_DTYPE_COUNT, "Q3_K", 256, 110},
    {12, TTT_Q4_K, "Q4_K", 256, 144},
    {13, TTT_DTYPE_COUNT, "Q5_K", 256, 176},
    {14, TTT_Q6_K, "Q6_K", 256, 210},
    {15, TTT_DTYPE_COUNT, "Q8_K", 256, 292},
    {16, TTT_DTYPE_COUNT, "IQ2_XXS", 256, 66},
    {17, TTT_DTYPE_COUNT, "IQ2_XS", 256, 74},
    {18, TTT_DTYPE_COUNT, "IQ3_XXS", 256, 98},
    {19, TTT_DTYPE_COUNT, "IQ1_S", 256, 50},
    {20, TTT_DTYPE_COUNT, "IQ4_NL", 32, 18},
    {21, TTT_DTYPE_COUNT, "IQ3_S", 256, 110},
    {22, TTT_DTYPE_COUNT, "IQ2_S", 256, 82},
    {23, TTT_DTYPE_COUNT, "IQ4_XS", 256, 136},
    {24, TTT_DTYPE_COUNT, "I8", 1, 1},
    {25, TTT_DTYPE_COUNT, "I16", 1, 2},
    {26, TTT_DTYPE_COUNT, "I32", 1, 4},
    {27, TTT_DTYPE_COUNT, "I64", 1, 8},
    {28, TTT_DTYPE_COUNT, "F64", 1, 8},
    {29, TTT_DTYPE_COUNT, "IQ1_M", 256, 56},
    {30, TTT_BF16, "BF16", 1, 2},
    {34, TTT_DTYPE_COUNT, "TQ1_0", 256, 54},
    {35, TTT_DTYPE_COUNT, "TQ2_0", 256, 66},
    {39, TTT_DTYPE_COUNT, "MXFP4", 32, 17},
    {40, TTT_DTYPE_COUNT, "NVFP4", 64, 36},
    {41, TTT_DTYPE_COUNT, "Q1_0", 128, 18},
};
enum { TYPE_COUNT = sizeof TYPES / sizeof *TYPES };

const ttt_gguf_type *ttt_gguf_type_of(uint32_t number) {
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (TYPES[i].number == number) return &TYPES[i];
    }
    return NULL;
}

const ttt_gguf_type *ttt_gguf_type_of_dtype(ttt_dtype dtype) {
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (TYPES[i].dtype == dtype) return &TYPES[i];
    }
    return NULL;
}
