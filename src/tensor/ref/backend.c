/* The oracle's objects and its table of operations. */
#include "base/memory.h"
#include "tensor/dtype.h"
#include "tensor/ref/ref.h"
#include "tensor/rope.h"
#include "tensor/shape.h"

#include <assert.h>
#include <string.h>

static const ttt_backend_ops REF_OPS;

ttt_status ttt_backend_ref_new(ttt_backend **backend, ttt_error *err) {
    *backend = ttt_allocate(1, sizeof **backend);
    if (*backend == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the ref backend");
    (*backend)->ops = &REF_OPS;
    return TTT_OK;
}

static void backend_free(ttt_backend *backend) {
    ttt_free(backend);
}

static ttt_status supports(const ttt_backend *backend, const ttt_shape *shape, ttt_error *err) {
    (void)backend;
    return ttt_shape_check(shape, err);
}

/* ---------------------------------------------------------------------------------------------- buffers */

static void buffer_free(ttt_buffer *buffer) {
    if (buffer == NULL) return;
    ttt_free(buffer->data);
    ttt_free(buffer);
}

static ttt_status buffer_new(ttt_backend *backend, size_t rows, size_t columns, ttt_dtype dtype, ttt_buffer **buffer,
                             ttt_error *err) {
    assert(dtype == TTT_F32);
    (void)dtype;
    size_t size;
    ttt_buffer *fresh = ttt_allocate(1, sizeof *fresh);
    *buffer = fresh;
    if (fresh != NULL && ttt_size_multiply(rows, columns, &size)) {
        *fresh = (ttt_buffer){.backend = backend, .rows = rows, .columns = columns};
        fresh->data = ttt_allocate(size, sizeof *fresh->data);
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
    memcpy(to, buffer->data + first_row * buffer->columns, rows * buffer->columns * sizeof *to);
    return TTT_OK;
}

static ttt_status buffer_write(ttt_buffer *buffer, size_t first_row, size_t rows, const float *from, ttt_error *err) {
    (void)err;
    assert(first_row + rows <= buffer->rows);
    memcpy(buffer->data + first_row * buffer->columns, from, rows * buffer->columns * sizeof *from);
    return TTT_OK;
}

static size_t buffer_bytes(const ttt_buffer *buffer) {
    return sizeof *buffer + buffer->rows * buffer->columns * sizeof *buffer->data;
}

/* ---------------------------------------------------------------------------------------------- weights */

static void weight_free(ttt_weight *weight) {
    if (weight == NULL) return;
    for (int part = 0; part < TTT_WEIGHT_PART_COUNT; part++) ttt_free(weight->part[part]);
    ttt_free(weight);
}

static ttt_status weight_new(ttt_backend *backend, size_t rows, size_t columns, ttt_dtype dtype, const void *data,
                             bool trainable, ttt_weight **weight, ttt_error *err) {
    size_t size;
    bool complete = false;
    ttt_weight *fresh = ttt_allocate(1, sizeof *fresh);
    *weight = fresh;
    if (fresh != NULL && ttt_size_multiply(rows, columns, &size)) {
        *fresh = (ttt_weight){.backend = backend, .rows = rows, .columns = columns, .trainable = trainable};
        complete = true;
        for (int part = 0; complete && part < (trainable ? TTT_WEIGHT_PART_COUNT : 1); part++) {
            fresh->part[part] = ttt_allocate(size, sizeof(float));
            complete = fresh->part[part] != NULL;
        }
    }
    if (!complete) {
        weight_free(fresh);
        *weight = NULL;
        return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a weight of %zu x %zu numbers", rows, columns);
    }
    ttt_dtype_to_float(dtype, data, size, fresh->part[TTT_VALUE]);
    return TTT_OK;
}

static ttt_status weight_read(const ttt_weight *weight, ttt_weight_part part, float *to, ttt_error *err) {
    (void)err;
    assert(weight->part[part] != NULL);
    memcpy(to, weight->part[part], weight->rows * weight->columns * sizeof *to);
    return TTT_OK;
}

static ttt_status weight_write(ttt_weight *weight, ttt_weight_part part, const float *from, ttt_error *err) {
    (void)err;
    assert(weight->part[part] != NULL);
    memcpy(weight->part[part], from, weight->rows * weight->columns * sizeof *from);
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- keys and values */

static size_t kv_page_size(const ttt_kv *kv) {
    return (size_t)TTT_PAGE * (size_t)kv->kv_heads * (size_t)kv->head_dim;
}

static void kv_free(ttt_kv *kv) {
    if (kv == NULL) return;
    ttt_free(kv->keys);
    ttt_free(kv->values);
    ttt_free(kv);
}

static ttt_status kv_new(ttt_backend *backend, int32_t layers, int32_t pages, int32_t kv_heads, int32_t head_dim,
                         ttt_kv **kv, ttt_error *err) {
    size_t size;
    ttt_kv *fresh = ttt_allocate(1, sizeof *fresh);
    *kv = fresh;
    if (fresh != NULL) {
        *fresh =
            (ttt_kv){.backend = backend, .layers = layers, .pages = pages, .kv_heads = kv_heads, .head_dim = head_dim};
        if (ttt_size_multiply((size_t)layers * (size_t)pages, kv_page_size(fresh), &size)) {
            fresh->keys = ttt_allocate(size, sizeof *fresh->keys);
            fresh->values = ttt_allocate(size, sizeof *fresh->values);
        }
    }
    if (fresh == NULL || fresh->keys == NULL || fresh->values == NULL) {
        kv_free(fresh);
        *kv = NULL;
        return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for %d layers of %d pages of keys and values", layers,
                        pages);
    }
    return TTT_OK;
}

static ttt_status kv_copy_page(ttt_kv *kv, int32_t from, int32_t to, ttt_error *err) {
    (void)err;
    assert(from >= 0 && from < kv->pages && to >= 0 && to < kv->pages);
    const size_t page = kv_page_size(kv);
    for (int32_t layer = 0; layer < kv->layers; layer++) {
        size_t first = (size_t)layer * (size_t)kv->pages;
        memmove(kv->keys + (first + (size_t)to) * page, kv->keys + (first + (size_t)from) * page,
                page * sizeof *kv->keys);
        memmove(kv->values + (first + (size_t)to) * page, kv->values + (first + (size_t)from) * page,
                page * sizeof *kv->values);
    }
    return TTT_OK;
}

/* ---------------------------------------------------------------------------------------------- workspaces */

static void workspace_free(ttt_workspace *workspace) {
    if (workspace == NULL) return;
    ttt_free(workspace->memory);
    ttt_free(workspace);
}

static size_t largest(size_t a, size_t b) {
    return a > b ? a : b;
}

/* Lays the scratch arrays out one after the other; returns their size in floats. */
static size_t workspace_plan(ttt_workspace *workspace) {
    const ttt_shape *shape = &workspace->shape;
    const size_t tokens = (size_t)workspace->max_tokens, rank = (size_t)workspace->max_rank;
    const size_t query_width = (size_t)shape->heads * (size_t)shape->head_dim;
    const size_t kv_width = (size_t)shape->kv_heads * (size_t)shape->head_dim;
    const size_t pairs = (size_t)shape->head_dim / 2;
    const size_t side = largest((size_t)shape->width, rank);
    const size_t longer = largest(side, largest(query_width, (size_t)shape->hidden));
    const struct {
        float **array;
        size_t size;
        bool training;
    } arrays[] = {
        {&workspace->cosine, tokens * pairs, false},
        {&workspace->sine, tokens * pairs, false},
        {&workspace->normed, tokens * (size_t)shape->width, false},
        {&workspace->keys_values, tokens * kv_width, false},
        {&workspace->hidden, tokens * (size_t)shape->hidden, false},
        {&workspace->gate, tokens * (size_t)shape->hidden, false},
        {&workspace->up, tokens * (size_t)shape->hidden, false},
        {&workspace->low, rank, false},
        {&workspace->logits, (size_t)shape->vocabulary, false},
        {&workspace->d_normed, tokens * (size_t)shape->width, true},
        {&workspace->projected, tokens * query_width, true},
        {&workspace->d_projected, tokens * query_width, true},
        {&workspace->d_hidden, tokens * (size_t)shape->hidden, true},
        {&workspace->d_low, rank, true},
        {&workspace->gram, side * side, true},
        {&workspace->polynomial, side * side, true},
        {&workspace->iterate, side * longer, true},
    };
    size_t used = 0;
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        if (arrays[i].training && !workspace->training) continue;
        if (workspace->memory != NULL) *arrays[i].array = workspace->memory + used;
        used += arrays[i].size;
    }
    return used;
}

static ttt_status workspace_new(ttt_backend *backend, const ttt_shape *shape, int32_t max_tokens, int32_t max_sequences,
                                int32_t max_rank, bool training, ttt_workspace **workspace, ttt_error *err) {
    *workspace = NULL;
    TTT_TRY(supports(backend, shape, err));
    ttt_workspace *fresh = ttt_allocate(1, sizeof *fresh);
    if (fresh != NULL) {
        *fresh = (ttt_workspace){.backend = backend,
                                 .shape = *shape,
                                 .max_tokens = max_tokens,
                                 .max_sequences = max_sequences,
                                 .max_rank = max_rank,
                                 .training = training};
        size_t size = workspace_plan(fresh);
        fresh->bytes = sizeof *fresh + size * sizeof *fresh->memory;
        fresh->memory = ttt_allocate(size, sizeof *fresh->memory);
    }
    if (fresh == NULL || fresh->memory == NULL) {
        workspace_free(fresh);
        return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the workspace of %d tokens", max_tokens);
    }
    workspace_plan(fresh);
    *workspace = fresh;
    return TTT_OK;
}

static size_t workspace_bytes(const ttt_workspace *workspace) {
    return workspace->bytes;
}

static ttt_status batch_begin(ttt_workspace *workspace, const ttt_batch *batch, ttt_error *err) {
    (void)err;
    assert(batch->tokens >= 1 && batch->tokens <= workspace->max_tokens);
    assert(batch->sequences >= 1 && batch->sequences <= workspace->max_sequences);
    assert(batch->segments == 0 || batch->segment_end[batch->segments - 1] == batch->tokens);
    workspace->batch = *batch;
    ttt_rope_angles(&workspace->shape, batch->tokens, batch->positions, workspace->cosine, workspace->sine);
    return TTT_OK;
}

/* The oracle is not meant to be fast. */
static ttt_status ceiling(ttt_backend *backend, ttt_ceiling what, double seconds, double *per_second, ttt_error *err) {
    (void)backend, (void)what, (void)seconds, (void)err;
    *per_second = 0;
    return TTT_OK;
}

static const ttt_backend_ops REF_OPS = {
    .name = "ref",
    .activation_dtype = TTT_F32,
    .block_dtype = TTT_F32,
    .free = backend_free,
    .supports = supports,
    .buffer_new = buffer_new,
    .buffer_free = buffer_free,
    .buffer_read = buffer_read,
    .buffer_write = buffer_write,
    .buffer_bytes = buffer_bytes,
    .weight_new = weight_new,
    .weight_free = weight_free,
    .weight_read = weight_read,
    .weight_write = weight_write,
    .kv_new = kv_new,
    .kv_free = kv_free,
    .kv_copy_page = kv_copy_page,
    .workspace_new = workspace_new,
    .workspace_free = workspace_free,
    .workspace_bytes = workspace_bytes,
    .batch_begin = batch_begin,
    .embed = ttt_ref_embed,
    .embed_backward = ttt_ref_embed_backward,
    .qkv = ttt_ref_qkv,
    .qkv_backward = ttt_ref_qkv_backward,
    .attention = ttt_ref_attention,
    .attention_backward = ttt_ref_attention_backward,
    .project = ttt_ref_project,
    .project_backward = ttt_ref_project_backward,
    .mlp = ttt_ref_mlp,
    .mlp_backward = ttt_ref_mlp_backward,
    .loss = ttt_ref_loss,
    .next_log_probabilities = ttt_ref_next_log_probabilities,
    .gradient_square_sum = ttt_ref_gradient_square_sum,
    .adamw = ttt_ref_adamw,
    .muon = ttt_ref_muon,
    .ceiling = ceiling,
};
