/* Products of row blocks. */
#include "tensor/cpu/linear.h"

#include "tensor/cpu/blocks.h"
#include "tensor/cpu/weight.h"

#include <assert.h>
#include <omp.h>

/* Numbers of a weight from which on dividing a product pays: some ten microseconds of it, as starting threads takes. */
enum { DIVIDED = 1 << 18 };

/* Of a panel for so few rows that unpacking it is most of the work, so much is unpacked at a time: it stays in the
 * level-1 cache. */
enum { FEW = 6, FEW_DEPTH = 64 };

/* The blocks of an operation and what it does with each. */
typedef struct block_list {
    ttt_workspace *workspace;
    const ttt_row_block *blocks;
    int32_t count;
    void (*body)(const ttt_block *block, const void *context);
    const void *context;
} block_list;

static void run_block(const block_list *list, int32_t i) {
    ttt_workspace *w = list->workspace;
    const ttt_block block = {.workspace = w,
                             .kernels = ttt_cpu(w->backend)->kernels,
                             .scratch = &w->scratch[omp_get_thread_num()],
                             .alone = list->count == 1,
                             .index = i,
                             .first = list->blocks[i].first,
                             .rows = list->blocks[i].rows,
                             .adapter = list->blocks[i].adapter};
    list->body(&block, list->context);
}

/* A block alone runs outside any parallel region: within one, even of a single thread, the threads that its products
 * are divided among would be made anew for each product. */
void ttt_cpu_for_blocks(ttt_workspace *workspace, const ttt_row_block *blocks, int32_t count,
                        void (*body)(const ttt_block *block, const void *context), const void *context) {
    const ttt_cpu_backend *cpu = ttt_cpu(workspace->backend);
    const block_list list = {workspace, blocks, count, body, context};
    if (count == 1) {
        cpu->kernels->begin();
        run_block(&list, 0);
        cpu->kernels->end();
        return;
    }
#pragma omp parallel num_threads(cpu->threads)
    {
        cpu->kernels->begin();
#pragma omp for schedule(dynamic, 1)
        for (int32_t i = 0; i < count; i++) run_block(&list, i);
        cpu->kernels->end();
    }
}

const ttt_adapter *ttt_cpu_adapter(const ttt_linear *linear, int32_t adapter) {
    if (adapter < 0 || linear->adapters == NULL) return NULL;
    const ttt_adapter *found = &linear->adapters[adapter];
    return found->a == NULL ? NULL : found;
}

/* Part of a right operand: panels of Wᵀ or (backward) of W, and of those the rows [first, first + depth). */
typedef struct right {
    const ttt_weight *weight;
    bool backward;
    size_t first, depth;
} right;

/* Whether so few rows are multiplied by blocks as they are. */
static bool takes_blocks(const ttt_cpu_kernels *kernels, const right *r, int rows) {
    const ttt_blocks *blocks = &r->weight->blocks;
    return blocks->data != NULL && blocks->dtype == TTT_Q8_0 && !r->backward && rows <= kernels->q8_0_rows;
}

static void multiply_blocks(const ttt_cpu_kernels *kernels, const right *r, ttt_product p, size_t first, size_t end) {
    p.depth = r->depth;
    p.panels = 1;
    for (size_t panel = first; panel < end; panel++, p.c += TTT_CPU_PAD) {
        const uint8_t *head;
        ttt_cpu_blocks_tile(&r->weight->blocks, panel, r->first / TTT_CPU_PAD, &head);
        p.b = head;
        kernels->product_q8_0(&p);
    }
}

/* A weight that is not kept in this form is unpacked piece by piece; sums go on in the same order, so the bits are
 * those of one product. */
static void multiply_unpacked(const ttt_cpu_kernels *kernels, ttt_block_scratch *scratch, const right *r, ttt_product p,
                              size_t first, size_t end) {
    const char *a = p.a;
    const bool add = p.add;
    const size_t step = p.rows > FEW ? TTT_CPU_DEPTH : FEW_DEPTH;
    p.b = scratch->unpacked;
    p.unpacked = r->weight->blocks.data != NULL;
    p.panels = 1;
    for (size_t panel = first; panel < end; panel++, p.c += TTT_CPU_PAD) {
        for (size_t k = 0; k < r->depth; k += step) {
            p.depth = r->depth - k < step ? r->depth - k : step;
            p.a = a + k * kernels->left_size;
            p.add = add || k > 0;
            ttt_cpu_weight_unpack(r->weight, r->backward, panel, r->first + k, p.depth, scratch->unpacked);
            kernels->product(&p);
        }
    }
}

/* p->c = or += p->a · panels [first, end) of the operand. */
static void multiply_panels(const ttt_cpu_kernels *kernels, ttt_block_scratch *scratch, const right *r, ttt_product p,
                            size_t first, size_t end) {
    const ttt_packed *packed = ttt_cpu_weight_packed(r->weight, r->backward);
    p.scratch = scratch->panel;
    if (takes_blocks(kernels, r, p.rows)) {
        multiply_blocks(kernels, r, p, first, end);
    } else if (packed == NULL) {
        multiply_unpacked(kernels, scratch, r, p, first, end);
    } else {
        p.depth = r->depth;
        p.b = ttt_packed_panel(packed, first) + r->first * TTT_CPU_PAD;
        p.panel_stride = packed->depth * TTT_CPU_PAD;
        p.panels = (int)(end - first);
        kernels->product(&p);
    }
}

/* A block that has the threads to itself divides the panels of a large product among them. */
static void multiply(const ttt_block *block, const right *r, const ttt_product *p, size_t first_panel, size_t panels) {
    const ttt_cpu_kernels *kernels = block->kernels;
    ttt_workspace *w = block->workspace;
    if (!block->alone || r->depth * panels * TTT_CPU_PAD < DIVIDED) {
        multiply_panels(kernels, block->scratch, r, *p, first_panel, first_panel + panels);
        return;
    }
#pragma omp parallel num_threads(ttt_cpu(w->backend)->threads)
    {
        const size_t thread = (size_t)omp_get_thread_num(), threads = (size_t)omp_get_num_threads();
        const size_t first = panels * thread / threads, end = panels * (thread + 1) / threads;
        ttt_product own = *p;
        own.c += first * TTT_CPU_PAD;
        if (thread > 0) kernels->begin(); /* the first one is the block's, which has begun */
        multiply_panels(kernels, &w->scratch[thread], r, own, first_panel + first, first_panel + end);
        if (thread > 0) kernels->end();
    }
}

static size_t depth_of(const ttt_weight *w, bool backward) {
    return ttt_cpu_pad(backward ? w->rows : w->columns);
}

void ttt_cpu_multiply(const ttt_block *block, const ttt_weight *w, bool backward, const void *a, size_t lda,
                      size_t first_panel, size_t panels, float *c, size_t ldc, bool add) {
    const right r = {.weight = w, .backward = backward, .depth = depth_of(w, backward)};
    const ttt_product p = {.a = a, .lda = lda, .rows = block->rows, .c = c, .ldc = ldc, .add = add};
    assert((first_panel + panels) * TTT_CPU_PAD <= depth_of(w, !backward));
    multiply(block, &r, &p, first_panel, panels);
}

void ttt_cpu_multiply_rows(const ttt_block *block, const ttt_weight *w, const void *a, size_t lda, size_t first,
                           size_t depth, float *c, size_t ldc, bool add) {
    const right r = {.weight = w, .backward = true, .first = first, .depth = depth};
    const ttt_product p = {.a = a, .lda = lda, .rows = block->rows, .c = c, .ldc = ldc, .add = add};
    assert(first + depth <= depth_of(w, true));
    multiply(block, &r, &p, 0, ttt_cpu_panels(w->columns));
}

void ttt_cpu_low(const ttt_block *block, const ttt_linear *linear, bool backward, int slot, const void *a, size_t lda,
                 ttt_bf16 *out) {
    const ttt_adapter *adapter = ttt_cpu_adapter(linear, block->adapter);
    if (adapter == NULL) return;
    const size_t rank = adapter->a->rows, ldc = ttt_cpu_lda(rank);
    assert(rank <= (size_t)block->workspace->max_rank);
    float *sum = block->scratch->low_sum;
    ttt_cpu_multiply(block, backward ? adapter->b : adapter->a, backward, a, lda, 0, ttt_cpu_panels(rank), sum, ldc,
                     false);
    block->kernels->load_f32(sum, ldc, block->rows, (int)rank, adapter->scale, block->scratch->low[slot], ldc);
    if (out == NULL) return;
    const size_t ld = (size_t)block->workspace->max_rank;
    block->kernels->store(sum, ldc, block->rows, (int)rank, adapter->scale, out + (size_t)block->first * ld, ld);
}

void ttt_cpu_linear(const ttt_block *block, const ttt_linear *linear, bool backward, int slot, const void *a,
                    size_t lda, size_t first_panel, size_t panels, float *c, size_t ldc, bool add) {
    ttt_cpu_multiply(block, linear->weight, backward, a, lda, first_panel, panels, c, ldc, add);
    const ttt_adapter *adapter = ttt_cpu_adapter(linear, block->adapter);
    if (adapter == NULL) return;
    ttt_cpu_multiply(block, backward ? adapter->a : adapter->b, backward, block->scratch->low[slot],
                     ttt_cpu_lda(adapter->a->rows), first_panel, panels, c, ldc, true);
}
