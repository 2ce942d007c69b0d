/* Products of row blocks. */
#include "tensor/cpu/linear.h"

#include "tensor/cpu/weight.h"

#include <assert.h>
#include <omp.h>

void ttt_cpu_for_blocks(ttt_workspace *workspace, const ttt_row_block *blocks, int32_t count,
                        void (*body)(const ttt_block *block, const void *context), const void *context) {
    const ttt_cpu_backend *cpu = ttt_cpu(workspace->backend);
#pragma omp parallel num_threads(cpu->threads) if (count > 1)
    {
        cpu->kernels->begin();
#pragma omp for schedule(dynamic, 1)
        for (int32_t i = 0; i < count; i++) {
            const ttt_block block = {.workspace = workspace,
                                     .kernels = cpu->kernels,
                                     .scratch = &workspace->scratch[omp_get_thread_num()],
                                     .index = i,
                                     .first = blocks[i].first,
                                     .rows = blocks[i].rows,
                                     .adapter = blocks[i].adapter};
            body(&block, context);
        }
        cpu->kernels->end();
    }
}

const ttt_adapter *ttt_cpu_adapter(const ttt_linear *linear, int32_t adapter) {
    if (adapter < 0 || linear->adapters == NULL) return NULL;
    const ttt_adapter *found = &linear->adapters[adapter];
    return found->a == NULL ? NULL : found;
}

static void multiply(const ttt_block *block, const ttt_weight *w, bool backward, const void *a, size_t lda,
                     size_t first, size_t depth, size_t first_panel, size_t panels, float *c, size_t ldc, bool add) {
    const ttt_packed *packed = backward ? &w->backward : &w->forward;
    assert((first_panel + panels) * TTT_CPU_PAD <= packed->width && first + depth <= packed->depth);
    ttt_product p = {.a = a,
                     .lda = lda,
                     .rows = block->rows,
                     .depth = depth,
                     .panel_stride = packed->depth * TTT_CPU_PAD,
                     .panels = (int)panels,
                     .c = c,
                     .ldc = ldc,
                     .add = add,
                     .scratch = block->scratch->panel};
    if (packed->data != NULL) {
        p.b = ttt_packed_panel(packed, first_panel) + first * TTT_CPU_PAD;
        block->kernels->product(&p);
        return;
    }
    p.b = block->scratch->unpacked;
    p.panels = 1;
    for (size_t panel = first_panel; panel < first_panel + panels; panel++, p.c += TTT_CPU_PAD) {
        ttt_cpu_weight_panel(w, block->kernels, backward, panel, first, depth, block->scratch->slices,
                             block->scratch->unpacked);
        block->kernels->product(&p);
    }
}

void ttt_cpu_multiply(const ttt_block *block, const ttt_weight *w, bool backward, const void *a, size_t lda,
                      size_t first_panel, size_t panels, float *c, size_t ldc, bool add) {
    multiply(block, w, backward, a, lda, 0, ttt_cpu_pad(backward ? w->rows : w->columns), first_panel, panels, c, ldc,
             add);
}

void ttt_cpu_multiply_rows(const ttt_block *block, const ttt_weight *w, const void *a, size_t lda, size_t first,
                           size_t depth, float *c, size_t ldc, bool add) {
    multiply(block, w, true, a, lda, first, depth, 0, ttt_cpu_panels(w->columns), c, ldc, add);
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
