/* Ceilings: how fast products are when nothing but the operands' way to the registers is in their way. The tiles are
 * those of sums over rows, whose operands already have the form that the instruction set likes best. */
#include "tensor/cpu/kernels.h"
#include "tensor/cpu/operations.h"

#include "base/clock.h"
#include "base/memory.h"

#include <omp.h>
#include <unistd.h>

enum {
    LEVEL1_DEPTH = 128, /* a tile and a panel of that depth fit any level-1 cache */
    LEVEL2_BYTES = 256 << 10,
    MEMORY_BYTES = 256 << 20, /* of all threads together; no cache holds it, or little of it */
    CHUNK = 1 << 16           /* numbers of eight bytes between two looks at the clock */
};

/* What one thread works on. */
typedef struct operands {
    const ttt_cpu_kernels *kernels;
    size_t tiles;       /* as many panels */
    int depth;          /* of them */
    void *left, *right; /* also for TTT_CEILING_MEMORY, `words` of right */
    size_t words;
    volatile uint64_t read;       /* so that nobody leaves the reading out */
    float sums[32 * TTT_CPU_PAD]; /* [tile_rows, 32] */
} operands;

/* Half of a core's level-2 cache: the other half is for what else passes through. */
static size_t level2_bytes(void) {
    const long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
    return bytes > 0 ? (size_t)bytes / 2 : LEVEL2_BYTES / 2;
}

static void operands_release(operands *o) {
    ttt_free(o->left);
    ttt_free(o->right);
}

/* Bytes of small numbers, whether they are read as bf16 or as float32. */
static void *small_numbers(size_t bytes) {
    uint16_t *made = ttt_allocate(bytes / 2 + 1, sizeof *made);
    for (size_t i = 0; made != NULL && i < bytes / 2; i++) made[i] = 0x3C00;
    return made;
}

static ttt_status operands_init(operands *o, const ttt_cpu_backend *cpu, ttt_ceiling what, ttt_error *err) {
    const ttt_cpu_kernels *kernels = cpu->kernels;
    *o = (operands){.kernels = kernels, .tiles = 1, .depth = LEVEL1_DEPTH};
    if (what == TTT_CEILING_REGISTERS) return TTT_OK;
    if (what == TTT_CEILING_MEMORY) {
        o->words = (size_t)MEMORY_BYTES / sizeof(uint64_t) / (size_t)cpu->threads / CHUNK * CHUNK + CHUNK;
        o->right = small_numbers(o->words * sizeof(uint64_t));
    } else {
        const size_t pair =
            kernels->gradient_left_bytes((size_t)kernels->tile_rows) + kernels->gradient_right_bytes(TTT_CPU_PAD);
        if (what == TTT_CEILING_L2) {
            o->depth = TTT_CPU_GRADIENT_ROWS;
            o->tiles = level2_bytes() / pair > 1 ? level2_bytes() / pair : 2;
        }
        o->left = small_numbers(kernels->gradient_left_bytes(o->tiles * (size_t)kernels->tile_rows));
        o->right = small_numbers(kernels->gradient_right_bytes(o->tiles * TTT_CPU_PAD));
        if (o->left == NULL) o->right = NULL;
    }
    if (o->right == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for measuring ceilings");
    return TTT_OK;
}

/* Every tile by the panel of its number: nothing is used twice before everything else has been used once. */
static double multiply(operands *o) {
    const int rows = o->kernels->tile_rows;
    for (size_t i = 0; i < o->tiles; i++) {
        o->kernels->gradient_tile(o->left, o->right, o->depth, (int)i, rows, (int)i, o->sums, TTT_CPU_PAD);
    }
    return 2.0 * rows * TTT_CPU_PAD * o->depth * (double)o->tiles;
}

/* Reads a chunk; returns its bytes. */
static double read_chunk(operands *o, size_t chunk) {
    const uint64_t *words = (const uint64_t *)o->right + chunk % (o->words / CHUNK) * CHUNK;
    uint64_t sum = 0;
    for (size_t i = 0; i < CHUNK; i++) sum += words[i];
    o->read = sum;
    return CHUNK * sizeof *words;
}

/* One thread's work a second. */
static double measure(operands *o, ttt_ceiling what, double seconds) {
    enum { PASSES = 64, ROUNDS = 4096 };
    const double start = ttt_clock_seconds();
    double done = 0, took = 0;
    for (size_t chunk = 0; took < seconds || done == 0; took = ttt_clock_seconds() - start) {
        if (what == TTT_CEILING_MEMORY) {
            done += read_chunk(o, chunk++);
        } else if (what == TTT_CEILING_REGISTERS) {
            done += o->kernels->multiply_registers(ROUNDS);
        } else {
            for (int pass = 0; pass < PASSES; pass++) done += multiply(o);
        }
    }
    return done / took;
}

ttt_status ttt_cpu_ceiling(ttt_backend *backend, ttt_ceiling what, double seconds, double *per_second, ttt_error *err) {
    const ttt_cpu_backend *cpu = ttt_cpu(backend);
    ttt_status status = TTT_OK;
    double sum = 0;
    *per_second = 0;
    operands *all = ttt_allocate((size_t)cpu->threads, sizeof *all);
    if (all == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for measuring ceilings");
    for (int i = 0; i < cpu->threads && status == TTT_OK; i++) status = operands_init(&all[i], cpu, what, err);
    if (status == TTT_OK) {
#pragma omp parallel num_threads(cpu->threads) reduction(+ : sum)
        {
            operands *own = &all[omp_get_thread_num()];
            cpu->kernels->begin();
            measure(own, what, seconds / 10); /* clock and caches warm up */
#pragma omp barrier
            sum += measure(own, what, seconds);
            cpu->kernels->end();
        }
    }
    *per_second = sum;
    for (int i = 0; i < cpu->threads; i++) operands_release(&all[i]);
    ttt_free(all);
    return status;
}
