/* Attention's division of work, the same for every instruction set.
 *
 * Forward: an item is a strip of columns of one (sequence, kv head); items are independent. A sequence's last strips
 * come first: under a causal mask they are the longest.
 *
 * Backward: an item is a whole (sequence, kv head), longest first, because its dk and dv are sums over all its rows;
 * on one thread they need neither locks nor a second pass that would compute the scores again, and their order is
 * fixed. So a batch of one sequence keeps G threads busy, which is why the query heads of a group must share their
 * thread. */
#include "tensor/cpu/attention.h"

#include "base/memory.h"
#include "tensor/cpu/attention_kernel.h"
#include "tensor/cpu/cpu.h"
#include "tensor/cpu/kv.h"

#include <assert.h>
#include <math.h>
#include <omp.h>
#include <pmmintrin.h>

struct ttt_cpu_attention {
    const attention_kernels *kernels;
    int threads;
    int32_t heads, kv_heads, head_dim;
    const ttt_batch *batch;
    attention_item *strips, *units; /* work of forward and of backward */
    size_t strip_capacity, strip_count, unit_capacity, unit_count;
    size_t scratch_bytes; /* of one thread */
    char *scratch;        /* [threads] */
};

ttt_status ttt_cpu_attention_new(const attention_kernels *kernels, int threads, const ttt_shape *shape,
                                 int32_t max_tokens, int32_t max_sequences, bool training,
                                 ttt_cpu_attention **attention, ttt_error *err) {
    assert(threads > 0 && max_tokens > 0 && max_sequences > 0);
    const int32_t padded = (int32_t)ttt_cpu_pad((size_t)shape->head_dim);
    const size_t sequences = (size_t)(max_sequences < max_tokens ? max_sequences : max_tokens);
    const size_t columns = (size_t)max_tokens * (size_t)shape->heads;
    ttt_cpu_attention *made = ttt_allocate(1, sizeof *made);
    *attention = NULL;
    if (made == NULL) goto no_memory;
    *made = (ttt_cpu_attention){.kernels = kernels,
                                .threads = threads,
                                .heads = shape->heads,
                                .kv_heads = shape->kv_heads,
                                .head_dim = shape->head_dim,
                                .strip_capacity = columns / ATTENTION_STRIP + sequences * (size_t)shape->kv_heads,
                                .unit_capacity = training ? sequences * (size_t)shape->kv_heads : 0,
                                .scratch_bytes = kernels->forward_bytes(padded)};
    if (training) {
        const size_t backward = kernels->backward_bytes(padded, (max_tokens + TTT_PAGE - 1) / TTT_PAGE);
        if (backward > made->scratch_bytes) made->scratch_bytes = backward;
    }
    made->scratch_bytes = (made->scratch_bytes + 63) / 64 * 64;
    made->strips = ttt_allocate(made->strip_capacity, sizeof *made->strips);
    made->units = ttt_allocate(made->unit_capacity, sizeof *made->units);
    made->scratch = ttt_allocate((size_t)threads, made->scratch_bytes);
    if (made->strips == NULL || made->units == NULL || made->scratch == NULL) goto no_memory;
    *attention = made;
    return TTT_OK;

no_memory:
    ttt_cpu_attention_free(made);
    return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the attention of %d tokens", max_tokens);
}

void ttt_cpu_attention_free(ttt_cpu_attention *attention) {
    if (attention == NULL) return;
    ttt_free(attention->strips);
    ttt_free(attention->units);
    ttt_free(attention->scratch);
    ttt_free(attention);
}

size_t ttt_cpu_attention_bytes(const ttt_cpu_attention *attention) {
    return sizeof *attention + (attention->strip_capacity + attention->unit_capacity) * sizeof(attention_item) +
           (size_t)attention->threads * attention->scratch_bytes;
}

/* Keeps the units ordered by length, longest first, ties in the order of the batch. */
static void unit_insert(ttt_cpu_attention *attention, attention_item unit) {
    assert(attention->unit_count < attention->unit_capacity);
    size_t at = attention->unit_count++;
    for (; at > 0 && attention->units[at - 1].columns < unit.columns; at--) {
        attention->units[at] = attention->units[at - 1];
    }
    attention->units[at] = unit;
}

void ttt_cpu_attention_begin(ttt_cpu_attention *attention, const ttt_batch *batch) {
    const int32_t group = attention->heads / attention->kv_heads;
    attention->batch = batch;
    attention->strip_count = 0;
    attention->unit_count = 0;
    for (int32_t first = 0, end; first < batch->tokens; first = end) {
        for (end = first + 1; end < batch->tokens && batch->sequence[end] == batch->sequence[first];) end++;
        for (int32_t g = 0; g < attention->kv_heads; g++) {
            attention_item item = {
                .sequence = batch->sequence[first], .kv_head = g, .first_row = first, .columns = (end - first) * group};
            if (attention->unit_capacity > 0) unit_insert(attention, item);
            const int32_t columns = item.columns;
            for (int32_t c = (columns - 1) / ATTENTION_STRIP * ATTENTION_STRIP; c >= 0; c -= ATTENTION_STRIP) {
                assert(attention->strip_count < attention->strip_capacity);
                item.first_column = c;
                item.columns = columns - c < ATTENTION_STRIP ? columns - c : ATTENTION_STRIP;
                attention->strips[attention->strip_count++] = item;
            }
        }
    }
}

void ttt_attention_strip_set(attention_strip *strip, const attention_call *call, const attention_item *item,
                             int32_t first_column, int32_t columns) {
    const ttt_batch *batch = call->batch;
    int32_t row = item->first_row + first_column / call->group, member = first_column % call->group;
    strip->columns = columns;
    strip->low = strip->inner_low = batch->kv_low[row];
    strip->high = strip->inner_high = batch->kv_high[row];
    for (int32_t c = 0; c < ATTENTION_STRIP; c++) {
        if (c >= columns) {
            strip->column_low[c] = strip->column_high[c] = strip->inner_high = 0;
            strip->offset[c] = strip->offset[0];
            strip->number[c] = strip->number[0];
            continue;
        }
        const int32_t low = batch->kv_low[row], high = batch->kv_high[row];
        assert(0 <= low && low < high);
        strip->column_low[c] = low;
        strip->column_high[c] = high;
        if (low < strip->low) strip->low = low;
        if (high > strip->high) strip->high = high;
        if (low > strip->inner_low) strip->inner_low = low;
        if (high < strip->inner_high) strip->inner_high = high;
        const size_t head = (size_t)(item->kv_head * call->group + member);
        strip->number[c] = (size_t)row * call->lse_stride + head;
        strip->offset[c] = (size_t)row * call->stride + head * (size_t)call->dim;
        if (++member == call->group) {
            member = 0;
            row++;
        }
    }
}

static attention_call call_of(const ttt_workspace *workspace, const ttt_kv *kv, int32_t layer, const ttt_buffer *q,
                              const ttt_buffer *lse) {
    const ttt_cpu_attention *attention = workspace->attention;
    assert(kv->kv_heads == attention->kv_heads && kv->head_dim == attention->head_dim);
    assert(layer >= 0 && layer < kv->layers);
    return (attention_call){.batch = attention->batch,
                            .kv_heads = attention->kv_heads,
                            .group = attention->heads / attention->kv_heads,
                            .dim = attention->head_dim,
                            .padded_dim = kv->padded_dim,
                            .scale = 1.0f / sqrtf((float)attention->head_dim),
                            .keys = kv->keys + (size_t)layer * kv->layer_size,
                            .values = kv->values + (size_t)layer * kv->layer_size,
                            .q = q->data,
                            .stride = q->stride,
                            .lse = lse == NULL ? NULL : lse->data,
                            .lse_stride = lse == NULL ? 0 : lse->stride};
}

/* Every item through one of the kernels' two functions, each thread with its own scratch.
 *
 * Denormal numbers count as zero meanwhile: small weights times small gradients give many, each costs the processor
 * over a hundred cycles, and with them backward took up to three times as long. */
static void run(const ttt_cpu_attention *attention, const attention_call *call, const attention_item *items,
                size_t count, void (*kernel)(const attention_call *, const attention_item *, void *)) {
#pragma omp parallel num_threads(attention->threads) if (count > 1)
    {
        const unsigned mode = _mm_getcsr();
        _mm_setcsr(mode | _MM_FLUSH_ZERO_ON | _MM_DENORMALS_ZERO_ON);
        attention->kernels->thread_begin();
        void *scratch = attention->scratch + (size_t)omp_get_thread_num() * attention->scratch_bytes;
#pragma omp for schedule(dynamic, 1)
        for (size_t i = 0; i < count; i++) kernel(call, items + i, scratch);
        attention->kernels->thread_end();
        _mm_setcsr(mode);
    }
}

ttt_status ttt_cpu_attention_forward(ttt_workspace *workspace, const ttt_buffer *q, const ttt_kv *kv, int32_t layer,
                                     ttt_buffer *o, ttt_buffer *lse, ttt_error *err) {
    (void)err;
    const ttt_cpu_attention *attention = workspace->attention;
    attention_call call = call_of(workspace, kv, layer, q, lse);
    assert(o->stride == call.stride);
    call.out = o->data;
    run(attention, &call, attention->strips, attention->strip_count, attention->kernels->forward);
    return TTT_OK;
}

ttt_status ttt_cpu_attention_backward(ttt_workspace *workspace, const ttt_buffer *q, const ttt_kv *kv, int32_t layer,
                                      const ttt_buffer *o, const ttt_buffer *lse, const ttt_buffer *d_o, ttt_buffer *dq,
                                      ttt_buffer *dk, ttt_buffer *dv, ttt_error *err) {
    (void)err;
    const ttt_cpu_attention *attention = workspace->attention;
    assert(attention->unit_capacity > 0); /* the workspace was made for training */
    attention_call call = call_of(workspace, kv, layer, q, lse);
    assert(o->stride == call.stride && d_o->stride == call.stride && dq->stride == call.stride);
    assert(dk->stride == dv->stride);
    call.o = o->data;
    call.d_o = d_o->data;
    call.dq = dq->data;
    call.dk = dk->data;
    call.dv = dv->data;
    call.kv_stride = dk->stride;
    run(attention, &call, attention->units, attention->unit_count, attention->kernels->backward);
    return TTT_OK;
}
