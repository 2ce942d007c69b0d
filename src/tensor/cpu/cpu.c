/* The backend itself: which instruction set, how many threads, buffers, the table of operations. */
#include "tensor/cpu/cpu.h"

#include "base/memory.h"
#include "tensor/cpu/attention.h"
#include "tensor/cpu/attention_kernel.h"
#include "tensor/cpu/kernels.h"
#include "tensor/cpu/kv.h"
#include "tensor/cpu/operations.h"
#include "tensor/cpu/weight.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

#include <assert.h>
#include <cpuid.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- instruction sets ---- */

/* clang 14 knows no name for these. */
static bool has_f16c(void) {
    unsigned a, b, c = 0, d;
    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c >> 29 & 1u) != 0;
}

static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
}

static bool has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

#ifdef TTT_EMULATE_BF16
static bool has_avx512bf16(void) {
    return has_avx512();
}
static bool has_amx(void) {
    return has_avx512();
}
#else
static bool has_avx512bf16(void) {
    unsigned a = 0, b, c, d;
    return has_avx512() && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 5 & 1u) != 0;
}

/* The kernel saves the large tile registers only for processes that have asked for them. */
static bool has_amx(void) {
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };
    unsigned a, b, c, d = 0;
    if (!has_avx512bf16() || __get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
    const bool tiles = (d >> 24 & 1u) != 0, products = (d >> 22 & 1u) != 0;
    return tiles && products && syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}
#endif

static const struct {
    const char *isa, *name; /* as TTT_ISA gives it, and as the backend calls itself */
    bool (*is_here)(void);
    const ttt_cpu_kernels *kernels;
    const attention_kernels *attention;
} SETS[TTT_ISA_COUNT] = {
    [TTT_ISA_AVX2] = {"avx2", "cpu-avx2", has_avx2, &ttt_cpu_kernels_avx2, &ttt_attention_avx2},
    [TTT_ISA_AVX512] = {"avx512", "cpu-avx512", has_avx512, &ttt_cpu_kernels_avx512, &ttt_attention_avx512},
    [TTT_ISA_AVX512BF16] = {"avx512bf16", "cpu-avx512bf16", has_avx512bf16, &ttt_cpu_kernels_avx512bf16,
                            &ttt_attention_avx512},
    [TTT_ISA_AMX] = {"amx", "cpu-amx", has_amx, &ttt_cpu_kernels_amx, &ttt_attention_amx},
};

/* The set that `wanted` names; without it, the widest one that this processor has. */
static ttt_status choose(const char *wanted, ttt_isa *isa, ttt_error *err) {
    if (wanted != NULL && wanted[0] == 0) wanted = NULL;
    for (int i = TTT_ISA_COUNT - 1; i >= 0; i--) {
        if (wanted == NULL ? SETS[i].is_here() : strcmp(wanted, SETS[i].isa) == 0) {
            *isa = (ttt_isa)i;
            if (wanted == NULL || SETS[i].is_here()) return TTT_OK;
            return ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                            "TTT_ISA is \"%s\", but this processor has no such instructions", wanted);
        }
    }
    if (wanted == NULL) return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "this processor has no AVX2");
    return ttt_fail(err, TTT_ERROR_ARGUMENT, "TTT_ISA is \"%s\", expected avx2, avx512, avx512bf16, amx or ref",
                    wanted);
}

/* ---- buffers ---- */

static void buffer_free(ttt_buffer *buffer) {
    if (buffer == NULL) return;
    ttt_free(buffer->data);
    ttt_free(buffer);
}

static ttt_status buffer_new(ttt_backend *backend, size_t rows, size_t columns, ttt_dtype dtype, ttt_buffer **buffer,
                             ttt_error *err) {
    assert(dtype == TTT_F32 || dtype == TTT_BF16);
    size_t size;
    ttt_buffer *fresh = ttt_allocate(1, sizeof *fresh);
    *buffer = fresh;
    if (fresh != NULL && ttt_size_multiply(rows, columns, &size)) {
        *fresh = (ttt_buffer){.backend = backend, .rows = rows, .columns = columns, .stride = columns, .dtype = dtype};
        fresh->data = ttt_allocate(size, ttt_dtype_size(dtype));
    }
    if (fresh == NULL || fresh->data == NULL) {
        buffer_free(fresh);
        *buffer = NULL;
        return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a buffer of %zu x %zu numbers", rows, columns);
    }
    return TTT_OK;
}

static ttt_status buffer_read(const ttt_buffer *buffer, size_t first_row, size_t rows, float *to, ttt_error *err) {
    (void)err;
    assert(first_row + rows <= buffer->rows);
    const char *from = (const char *)buffer->data + first_row * buffer->columns * ttt_dtype_size(buffer->dtype);
    ttt_dtype_to_float(buffer->dtype, from, rows * buffer->columns, to);
    return TTT_OK;
}

static ttt_status buffer_write(ttt_buffer *buffer, size_t first_row, size_t rows, const float *from, ttt_error *err) {
    (void)err;
    assert(first_row + rows <= buffer->rows);
    const size_t size = rows * buffer->columns;
    if (buffer->dtype == TTT_F32) {
        memcpy(ttt_f32_row(buffer, first_row), from, size * sizeof *from);
    } else {
        ttt_bf16 *to = ttt_bf16_row(buffer, first_row);
        for (size_t i = 0; i < size; i++) to[i] = ttt_float_to_bf16(from[i]);
    }
    return TTT_OK;
}

static size_t buffer_bytes(const ttt_buffer *buffer) {
    return sizeof *buffer + buffer->rows * buffer->columns * ttt_dtype_size(buffer->dtype);
}

/* ---- the backend ---- */

static void backend_free(ttt_backend *backend) {
    ttt_free(backend);
}

static ttt_status supports(const ttt_backend *backend, const ttt_shape *shape, ttt_error *err) {
    (void)backend;
    return ttt_shape_check(shape, err);
}

static const ttt_backend_ops OPERATIONS = {
    .activation_dtype = TTT_BF16,
    .free = backend_free,
    .supports = supports,
    .buffer_new = buffer_new,
    .buffer_free = buffer_free,
    .buffer_read = buffer_read,
    .buffer_write = buffer_write,
    .buffer_bytes = buffer_bytes,
    .weight_new = ttt_cpu_weight_new,
    .weight_free = ttt_cpu_weight_free,
    .weight_read = ttt_cpu_weight_read,
    .weight_write = ttt_cpu_weight_write,
    .kv_new = ttt_cpu_kv_new,
    .kv_free = ttt_cpu_kv_free,
    .kv_copy_page = ttt_cpu_kv_copy_page,
    .workspace_new = ttt_cpu_workspace_new,
    .workspace_free = ttt_cpu_workspace_free,
    .workspace_bytes = ttt_cpu_workspace_bytes,
    .batch_begin = ttt_cpu_batch_begin,
    .embed = ttt_cpu_embed,
    .embed_backward = ttt_cpu_embed_backward,
    .qkv = ttt_cpu_qkv,
    .qkv_backward = ttt_cpu_qkv_backward,
    .attention = ttt_cpu_attention_forward,
    .attention_backward = ttt_cpu_attention_backward,
    .project = ttt_cpu_project,
    .project_backward = ttt_cpu_project_backward,
    .mlp = ttt_cpu_mlp,
    .mlp_backward = ttt_cpu_mlp_backward,
    .loss = ttt_cpu_loss,
    .next_log_probabilities = ttt_cpu_next_log_probabilities,
    .gradient_square_sum = ttt_cpu_gradient_square_sum,
    .adamw = ttt_cpu_adamw,
    .muon = ttt_cpu_muon,
    .ceiling = ttt_cpu_ceiling,
};

ttt_status ttt_backend_cpu_new(int threads, ttt_backend **backend, ttt_error *err) {
    ttt_isa isa = TTT_ISA_AVX2;
    *backend = NULL;
    TTT_TRY(choose(getenv("TTT_ISA"), &isa, err));
    ttt_cpu_backend *fresh = ttt_allocate(1, sizeof *fresh);
    if (fresh == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the cpu backend");
    *fresh = (ttt_cpu_backend){.ops = OPERATIONS,
                               .isa = isa,
                               .threads = threads > 0 ? threads : omp_get_num_procs(),
                               .kernels = SETS[isa].kernels,
                               .attention = SETS[isa].attention};
    if (fresh->threads > TTT_CPU_MAX_THREADS) fresh->threads = TTT_CPU_MAX_THREADS;
    fresh->ops.name = SETS[isa].name;
    fresh->ops.block_dtype = SETS[isa].kernels->left_size == sizeof(float) ? TTT_F32 : TTT_BF16;
    fresh->base.ops = &fresh->ops;
    *backend = &fresh->base;
    return TTT_OK;
}
