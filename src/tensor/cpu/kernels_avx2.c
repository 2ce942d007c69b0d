/* The kernels of AVX2: products in float32. */
#include "tensor/cpu/kernels.h"
#include "tensor/cpu/vector.h"

#include <assert.h>
#include <math.h>
#include <string.h>

typedef float left;

static inline void left_store(left *p, vf x) {
    vf_store(p, x);
}
static void begin(void) {}
static void end(void) {}

#define TILE_ROWS 6
#define KERNELS ttt_cpu_kernels_avx2
#include "tensor/cpu/rows.inl"

#include "tensor/cpu/product_f32.inl"

#include "tensor/cpu/unpack.inl"

#include "tensor/cpu/kernels_table.inl"
