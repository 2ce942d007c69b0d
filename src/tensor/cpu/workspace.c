/* Scratch memory, planned once, and the tables of a batch. */
#include "base/memory.h"
#include "tensor/cpu/attention.h"
#include "tensor/cpu/kernels.h"
#include "tensor/cpu/operations.h"
#include "tensor/rope.h"

#include <assert.h>

static size_t largest(size_t a, size_t b) {
    return a > b ? a : b;
}

/* Hands out memory, and counts what it has handed out; `failed` once there is none. */
typedef struct planner {
    ttt_arena *arena;
    size_t bytes;
    bool failed;
} planner;

static void *take(planner *p, size_t count, size_t size) {
    size_t bytes;
    void *memory = ttt_size_multiply(count, size, &bytes) ? ttt_arena_allocate(p->arena, count, size) : NULL;
    if (memory == NULL) p->failed = true;
    p->bytes += memory == NULL ? 0 : bytes;
    return memory;
}

static void take_block_scratch(planner *p, const ttt_workspace *w, ttt_block_scratch *s) {
    const size_t width = (size_t)w->shape.width, hidden = (size_t)w->shape.hidden, rank = (size_t)w->max_rank;
    const size_t heads = (size_t)w->shape.heads * (size_t)w->shape.head_dim;
    const size_t sums = ttt_cpu_lda(largest(largest(width, heads), TTT_CPU_VOCABULARY));
    const size_t lefts = largest(sums, ttt_cpu_lda(hidden));
    for (int i = 0; i < 3; i++) {
        s->left[i] = take(p, TTT_CPU_BLOCK * lefts, sizeof(float));
        s->low[i] = take(p, TTT_CPU_BLOCK * ttt_cpu_lda(rank), sizeof(float));
    }
    for (int i = 0; i < 2; i++) s->sum[i] = take(p, TTT_CPU_BLOCK * sums, sizeof(float));
    s->low_sum = take(p, TTT_CPU_BLOCK * ttt_cpu_lda(rank), sizeof(float));
    s->unpacked = take(p, TTT_CPU_DEPTH * TTT_CPU_PAD, sizeof(float));
    s->panel = take(p, TTT_CPU_DEPTH * TTT_CPU_PAD, sizeof(float));
    s->inverse_rms = take(p, TTT_CPU_BLOCK, sizeof(float));
    s->row_value = take(p, 2 * TTT_CPU_BLOCK, sizeof(float));
    s->rows_in = take(p, TTT_CPU_BLOCK * width, sizeof(ttt_bf16));
    s->rows_out = take(p, TTT_CPU_BLOCK * width, sizeof(ttt_bf16));
}

static void take_training_scratch(planner *p, const ttt_workspace *w, ttt_training_scratch *s) {
    const ttt_cpu_kernels *kernels = ttt_cpu(w->backend)->kernels;
    const size_t tokens = (size_t)w->max_tokens, width = (size_t)w->shape.width, hidden = (size_t)w->shape.hidden;
    const size_t heads = (size_t)w->shape.heads * (size_t)w->shape.head_dim, rank = (size_t)w->max_rank;
    const size_t widest = largest(largest(largest(width, heads), largest(hidden, TTT_CPU_VOCABULARY)), rank);
    s->normed = take(p, tokens * width, sizeof(ttt_bf16));
    s->upstream = take(p, tokens * width, sizeof(ttt_bf16));
    s->hidden = take(p, tokens * hidden, sizeof(ttt_bf16));
    for (int i = 0; i < 3; i++) {
        s->low[i] = take(p, tokens * rank, sizeof(ttt_bf16));
        s->d_low[i] = take(p, tokens * rank, sizeof(ttt_bf16));
    }
    const size_t vocabulary = (size_t)w->shape.vocabulary;
    const size_t tile = vocabulary < TTT_CPU_VOCABULARY ? vocabulary : TTT_CPU_VOCABULARY;
    s->d_logits = take(p, tokens * tile, sizeof(ttt_bf16));
    s->lse = take(p, tokens, sizeof(float));
    s->d_normed = take(p, tokens * ttt_cpu_lda(width), sizeof(float));
    s->d_low_sum = take(p, tokens * ttt_cpu_lda(rank), sizeof(float));
    for (int i = 0; i < 3; i++) {
        s->gain_sums[i] = take(p, tokens * (i == 0 ? width : (size_t)w->shape.head_dim), sizeof(float));
    }
    const size_t side = largest(width, rank);
    s->gram = take(p, side * side, sizeof(float));
    s->rounded = take(p, side * side, sizeof(ttt_bf16));
    s->gradient_left = take(p, kernels->gradient_left_bytes(widest), 1);
    s->gradient_right = take(p, kernels->gradient_right_bytes(widest), 1);
}

ttt_status ttt_cpu_workspace_new(ttt_backend *backend, const ttt_shape *shape, int32_t max_tokens,
                                 int32_t max_sequences, int32_t max_rank, bool training, ttt_workspace **workspace,
                                 ttt_error *err) {
    *workspace = NULL;
    TTT_TRY(backend->ops->supports(backend, shape, err));
    const ttt_cpu_backend *cpu = ttt_cpu(backend);
    const size_t tokens = (size_t)max_tokens;
    planner p = {0};
    ttt_status status = TTT_OK;
    ttt_workspace *w = ttt_allocate(1, sizeof *w);
    if (w == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the workspace of %d tokens", max_tokens);
    *w = (ttt_workspace){.backend = backend,
                         .shape = *shape,
                         .max_tokens = max_tokens,
                         .max_sequences = max_sequences,
                         .max_rank = max_rank > 0 ? max_rank : 1,
                         .training = training};
    TTT_TRY_OUT(ttt_cpu_attention_new(cpu->attention, cpu->threads, shape, max_tokens, max_sequences, training,
                                      &w->attention, err));
    TTT_TRY_OUT(ttt_arena_new(&w->arena, (size_t)1 << 20, err));
    p.arena = w->arena;
    w->cosine = take(&p, tokens * (size_t)shape->head_dim / 2, sizeof(float));
    w->sine = take(&p, tokens * (size_t)shape->head_dim / 2, sizeof(float));
    w->blocks = take(&p, tokens, sizeof *w->blocks);
    w->chosen_blocks = take(&p, tokens, sizeof *w->chosen_blocks);
    w->k = take(&p, tokens * (size_t)shape->kv_heads * (size_t)shape->head_dim, sizeof *w->k);
    w->v = take(&p, tokens * (size_t)shape->kv_heads * (size_t)shape->head_dim, sizeof *w->v);
    w->scratch = take(&p, (size_t)cpu->threads, sizeof *w->scratch);
    for (int i = 0; i < cpu->threads && w->scratch != NULL; i++) take_block_scratch(&p, w, &w->scratch[i]);
    if (training) take_training_scratch(&p, w, &w->backward);
    if (p.failed) {
        status = ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the workspace of %d tokens", max_tokens);
        goto out;
    }
    w->bytes = sizeof *w + p.bytes + ttt_cpu_attention_bytes(w->attention);
    *workspace = w;
out:
    if (status != TTT_OK) ttt_cpu_workspace_free(w);
    return status;
}

void ttt_cpu_workspace_free(ttt_workspace *workspace) {
    if (workspace == NULL) return;
    ttt_cpu_attention_free(workspace->attention);
    ttt_arena_free(workspace->arena);
    ttt_free(workspace);
}

size_t ttt_cpu_workspace_bytes(const ttt_workspace *workspace) {
    return workspace->bytes;
}

/* Large blocks read the weights less often, but a small batch should feed two threads at least; where a model is wide,
 * a single block does, because its products are divided by panels (linear.c). It may depend on the batch and the shape
 * only, because sums over rows run block by block. */
static int32_t block_rows(const ttt_shape *shape, int32_t count, int32_t tile) {
    enum { WIDE = 1024 };
    int32_t rows = shape->width >= WIDE && count <= TTT_CPU_BLOCK ? count : (count + 1) / 2;
    rows = (rows + tile - 1) / tile * tile;
    return rows < TTT_CPU_BLOCK ? rows : TTT_CPU_BLOCK / tile * tile;
}

static int32_t segment_of(const ttt_batch *batch, int32_t row) {
    int32_t low = 0, high = batch->segments - 1;
    while (low < high) {
        const int32_t middle = low + (high - low) / 2;
        if (row < batch->segment_end[middle]) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

int32_t ttt_cpu_blocks_make(const ttt_workspace *workspace, int32_t count, const int32_t *rows, ttt_row_block *blocks) {
    const ttt_batch *batch = &workspace->batch;
    const int32_t most = block_rows(&workspace->shape, count, ttt_cpu(workspace->backend)->kernels->tile_rows);
    int32_t made = 0;
    for (int32_t i = 0; i < count; i++) {
        const int32_t row = rows == NULL ? i : rows[i];
        const int32_t adapter = batch->segments == 0 ? -1 : batch->segment_adapter[segment_of(batch, row)];
        ttt_row_block *last = made == 0 ? NULL : &blocks[made - 1];
        if (last != NULL && last->adapter == adapter && last->rows < most) {
            last->rows++;
        } else {
            blocks[made++] = (ttt_row_block){.first = i, .rows = 1, .adapter = adapter};
        }
    }
    return made;
}

ttt_status ttt_cpu_batch_begin(ttt_workspace *workspace, const ttt_batch *batch, ttt_error *err) {
    (void)err;
    assert(batch->tokens >= 1 && batch->tokens <= workspace->max_tokens);
    assert(batch->sequences >= 1 && batch->sequences <= workspace->max_sequences);
    assert(batch->segments == 0 || batch->segment_end[batch->segments - 1] == batch->tokens);
    workspace->batch = *batch;
    ttt_rope_angles(&workspace->shape, batch->tokens, batch->positions, workspace->cosine, workspace->sine);
    workspace->block_count = ttt_cpu_blocks_make(workspace, batch->tokens, NULL, workspace->blocks);
    ttt_cpu_attention_begin(workspace->attention, &workspace->batch);
    return TTT_OK;
}
