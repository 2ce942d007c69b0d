/* A small transformer on the operations of a backend; see network.h. */
#include "tensor/network.h"

#include "base/memory.h"
#include "tensor/dtype.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void network_check(ttt_status status, const ttt_error *err) {
    if (status == TTT_OK) return;
    fprintf(stderr, "operation failed: %s: %s\n", ttt_status_name(status), err->message);
    abort();
}

static float *scratch(size_t count) {
    float *memory = ttt_allocate(count, sizeof(float));
    if (memory == NULL) abort();
    return memory;
}

/* mean + deviation·normal, rounded to bf16, then disturbed. */
static void fill(network *net, const char *name, float mean, float deviation, size_t count, float *to) {
    ttt_random random = ttt_random_stream(11, net->c->name, name);
    for (size_t i = 0; i < count; i++) {
        float value = mean + deviation * (float)ttt_random_normal(&random);
        to[i] = ttt_bf16_to_float(ttt_float_to_bf16(value));
        if (net->noise > 0) to[i] *= 1.0f + net->noise * (float)(2 * ttt_random_unit(&net->noise_stream) - 1);
    }
}

/* ---------------------------------------------------------------------------------------------- objects */

/* Where the scales of a block lie, and how far its numbers lie from zero for a scale of 1. */
static const struct {
    size_t d, d_minimum; /* 0: no minimum */
    float spread;
} BLOCKS[TTT_DTYPE_COUNT] = {
    [TTT_Q8_0] = {0, 0, 73}, [TTT_Q4_0] = {0, 0, 5}, [TTT_Q4_K] = {0, 2, 30}, [TTT_Q6_K] = {208, 0, 43}};

static void put_half(float value, uint8_t *to) {
    const uint16_t bits = ttt_float_to_f16(value);
    to[0] = (uint8_t)bits;
    to[1] = (uint8_t)(bits >> 8);
}

/* Small scales within a block, and a power of two over them: its numbers fit the 8 bits of a bf16 mantissa. */
static void make_exact(ttt_dtype dtype, float d, uint8_t *block) {
    put_half(d, block + BLOCKS[dtype].d);
    if (dtype == TTT_Q4_K) {
        /* Scales and minima of 6 bits become 0 to 7: those of the first four groups, then of the rest. */
        put_half(8 * d, block + BLOCKS[dtype].d_minimum);
        for (int i = 4; i < 12; i++) block[i] &= 7;
        for (int i = 12; i < 16; i++) block[i] &= 0x77;
    }
    for (int i = 192; dtype == TTT_Q6_K && i < 208; i++) block[i] = (uint8_t)((block[i] & 7) - 4);
}

/* Any bytes are a block; scales of `deviation` make numbers of about that size. */
static void fill_blocks(const network *net, const char *name, float deviation, size_t bytes, uint8_t *to) {
    const ttt_dtype dtype = net->c->dtype;
    const float d = exp2f(roundf(log2f(deviation / BLOCKS[dtype].spread)));
    ttt_random random = ttt_random_stream(12, net->c->name, name);
    for (size_t i = 0; i < bytes; i++) to[i] = (uint8_t)ttt_random_below(&random, 256);
    for (uint8_t *block = to; block < to + bytes; block += ttt_dtype_block_bytes(dtype)) make_exact(dtype, d, block);
}

static ttt_status new_from_blocks(network *net, const char *name, float deviation, network_weight *entry,
                                  ttt_error *err) {
    const size_t count = entry->rows * entry->columns;
    size_t bytes;
    if (!ttt_dtype_bytes(net->c->dtype, count, &bytes)) abort();
    uint8_t *blocks = ttt_allocate(bytes, 1);
    float *values = scratch(count);
    if (blocks == NULL) abort();
    fill_blocks(net, name, deviation, bytes, blocks);
    ttt_dtype_to_float(net->c->dtype, blocks, count, values);
    for (size_t i = 0; i < count; i++) {
        if (values[i] != ttt_bf16_to_float(ttt_float_to_bf16(values[i]))) abort();
        if (net->noise > 0) values[i] *= 1.0f + net->noise * (float)(2 * ttt_random_unit(&net->noise_stream) - 1);
    }
    const bool as_floats = net->c->unpacked || net->noise > 0;
    const ttt_status status =
        net->ops->weight_new(net->backend, entry->rows, entry->columns, as_floats ? TTT_F32 : net->c->dtype,
                             as_floats ? (const void *)values : blocks, false, &entry->weight, err);
    ttt_free(values);
    ttt_free(blocks);
    return status;
}

static ttt_weight *add_weight(network *net, const char *name, size_t rows, size_t columns, float mean, float deviation,
                              bool trainable) {
    ttt_error err;
    assert(net->weight_count < NETWORK_WEIGHTS);
    network_weight *entry = &net->weights[net->weight_count++];
    *entry = (network_weight){.rows = rows, .columns = columns, .trainable = trainable};
    snprintf(entry->name, sizeof entry->name, "%s", name);
    if (!trainable && rows > 1 && !ttt_dtype_is_plain(net->c->dtype)) {
        network_check(new_from_blocks(net, name, deviation, entry, &err), &err);
        return entry->weight;
    }
    float *values = scratch(rows * columns);
    fill(net, name, mean, deviation, rows * columns, values);
    network_check(net->ops->weight_new(net->backend, rows, columns, TTT_F32, values, trainable, &entry->weight, &err),
                  &err);
    ttt_free(values);
    return entry->weight;
}

/* The adapters of a linear map [out, in]: two of the case's rank, and an empty entry. */
static const ttt_adapter *add_adapters(network *net, const char *name, size_t out, size_t in) {
    if (net->c->adapters == ADAPTERS_NONE) return NULL;
    const size_t rank = (size_t)net->c->rank;
    ttt_adapter *table = net->adapters[net->linear_count++];
    for (int32_t i = 0; i < CASE_ADAPTERS - 1; i++) {
        char full[48];
        snprintf(full, sizeof full, "%s.%d.A", name, i);
        table[i].a = add_weight(net, full, rank, in, 0, 1.0f / sqrtf((float)in), true);
        snprintf(full, sizeof full, "%s.%d.B", name, i);
        table[i].b = add_weight(net, full, out, rank, 0, 1.0f / sqrtf((float)rank), true);
        table[i].scale = 0.5f + 0.25f * (float)i;
    }
    return table;
}

static ttt_linear add_linear(network *net, const char *name, int32_t out, int32_t in) {
    ttt_linear linear;
    linear.weight = add_weight(net, name, (size_t)out, (size_t)in, 0, 1.0f / sqrtf((float)in), net->c->full);
    linear.adapters = add_adapters(net, name, (size_t)out, (size_t)in);
    return linear;
}

static ttt_buffer *add_buffer(network *net, int32_t columns, ttt_dtype dtype) {
    ttt_error err;
    assert(net->buffer_count < NETWORK_BUFFERS);
    network_buffer *entry = &net->buffers[net->buffer_count++];
    entry->rows = (size_t)case_tokens(net->c) + NETWORK_SPARE_ROWS;
    entry->columns = (size_t)columns;
    network_check(net->ops->buffer_new(net->backend, entry->rows, entry->columns, dtype, &entry->buffer, &err), &err);
    float *values = scratch(entry->rows * entry->columns);
    for (size_t i = 0; i < entry->rows * entry->columns; i++) values[i] = NETWORK_SENTINEL;
    network_check(net->ops->buffer_write(entry->buffer, 0, entry->rows, values, &err), &err);
    ttt_free(values);
    return entry->buffer;
}

static void add_layer(network *net, int number) {
    const ttt_shape *s = &net->shape;
    const ttt_dtype dtype = net->ops->activation_dtype;
    const int32_t q = s->heads * s->head_dim, kv = s->kv_heads * s->head_dim;
    network_layer *layer = &net->layers[number];
    char name[32];
#define NAME(part) (snprintf(name, sizeof name, "layer%d." part, number), name)
    layer->qkv.norm = add_weight(net, NAME("norm1"), 1, (size_t)s->width, 1, 0.2f, net->c->full);
    layer->qkv.q = add_linear(net, NAME("q"), q, s->width);
    layer->qkv.k = add_linear(net, NAME("k"), kv, s->width);
    layer->qkv.v = add_linear(net, NAME("v"), kv, s->width);
    if (net->c->bias) {
        layer->qkv.q_bias = add_weight(net, NAME("q_bias"), 1, (size_t)q, 0, 0.5f, net->c->full);
        layer->qkv.k_bias = add_weight(net, NAME("k_bias"), 1, (size_t)kv, 0, 0.5f, net->c->full);
        layer->qkv.v_bias = add_weight(net, NAME("v_bias"), 1, (size_t)kv, 0, 0.5f, net->c->full);
    }
    if (net->c->qk_norm) {
        layer->qkv.q_norm = add_weight(net, NAME("q_norm"), 1, (size_t)s->head_dim, 1, 0.2f, net->c->full);
        layer->qkv.k_norm = add_weight(net, NAME("k_norm"), 1, (size_t)s->head_dim, 1, 0.2f, net->c->full);
    }
    layer->project = add_linear(net, NAME("o"), s->width, q);
    layer->mlp.norm = add_weight(net, NAME("norm2"), 1, (size_t)s->width, 1, 0.2f, net->c->full);
    layer->mlp.gate = add_linear(net, NAME("gate"), s->hidden, s->width);
    layer->mlp.up = add_linear(net, NAME("up"), s->hidden, s->width);
    layer->mlp.down = add_linear(net, NAME("down"), s->width, s->hidden);
#undef NAME
    layer->input = add_buffer(net, s->width, dtype);
    layer->q = add_buffer(net, q, dtype);
    layer->o = add_buffer(net, q, dtype);
    layer->lse = add_buffer(net, s->heads, TTT_F32);
    layer->middle = add_buffer(net, s->width, dtype);
    layer->gate = add_buffer(net, s->hidden, dtype);
    layer->up = add_buffer(net, s->hidden, dtype);
}

static void choose_counted_rows(network *net) {
    ttt_random random = ttt_random_stream(13, net->c->name, "targets");
    net->count = 0;
    for (int32_t t = net->c->count_every - 1; t < net->batch.batch.tokens; t += net->c->count_every) {
        net->rows[net->count] = t;
        net->targets[net->count] = (int32_t)ttt_random_below(&random, (uint32_t)net->c->vocabulary);
        net->scale[net->count] = 0.5f + (float)ttt_random_below(&random, 4);
        net->count++;
    }
}

network *network_new(ttt_backend *backend, const op_case *c, float noise, uint64_t noise_seed) {
    ttt_error err;
    network *net = ttt_allocate(1, sizeof *net);
    if (net == NULL) abort();
    net->c = c;
    net->backend = backend;
    net->ops = backend->ops;
    net->shape = case_shape(c, NETWORK_LAYERS);
    net->noise = noise;
    net->noise_stream = ttt_random_stream(noise_seed, c->name, "noise");
    const ttt_shape *s = &net->shape;
    const ttt_dtype dtype = net->ops->activation_dtype;

    net->embedding.weight = add_weight(net, "embedding", (size_t)s->vocabulary, (size_t)s->width, 0, 0.5f, c->full);
    /* As in PEFT: A [R, V], B [C, R]. */
    net->embedding.adapters = add_adapters(net, "embedding", (size_t)s->width, (size_t)s->vocabulary);
    for (int layer = 0; layer < NETWORK_LAYERS; layer++) add_layer(net, layer);
    net->output.norm = add_weight(net, "final", 1, (size_t)s->width, 1, 0.2f, c->full);
    if (c->tied) {
        net->output.head.weight = net->embedding.weight;
        net->output.head.adapters = add_adapters(net, "head", (size_t)s->vocabulary, (size_t)s->width);
    } else {
        net->output.head = add_linear(net, "head", s->vocabulary, s->width);
    }
    net->final = add_buffer(net, s->width, dtype);
    net->dx = add_buffer(net, s->width, dtype);
    net->d_o = add_buffer(net, s->heads * s->head_dim, dtype);
    net->dq = add_buffer(net, s->heads * s->head_dim, dtype);
    net->dk = add_buffer(net, s->kv_heads * s->head_dim, dtype);
    net->dv = add_buffer(net, s->kv_heads * s->head_dim, dtype);

    network_check(net->ops->kv_new(backend, NETWORK_LAYERS, CASE_PAGES, s->kv_heads, s->head_dim, &net->kv, &err),
                  &err);
    network_check(
        net->ops->workspace_new(backend, s, case_tokens(c), case_sequences(c), c->rank, true, &net->workspace, &err),
        &err);
    case_batch_whole(c, &net->batch);
    network_check(net->ops->batch_begin(net->workspace, &net->batch.batch, &err), &err);
    choose_counted_rows(net);
    return net;
}

void network_free(network *net) {
    if (net == NULL) return;
    net->ops->workspace_free(net->workspace);
    net->ops->kv_free(net->kv);
    for (size_t i = 0; i < net->buffer_count; i++) net->ops->buffer_free(net->buffers[i].buffer);
    for (size_t i = 0; i < net->weight_count; i++) net->ops->weight_free(net->weights[i].weight);
    ttt_free(net);
}

void network_begin(network *net, const case_piece *pieces, int32_t count) {
    ttt_error err;
    case_batch_of(net->c, pieces, count, &net->batch);
    network_check(net->ops->batch_begin(net->workspace, &net->batch.batch, &err), &err);
}

/* ---------------------------------------------------------------------------------------------- contents */

const network_buffer *network_buffer_of(const network *net, const ttt_buffer *buffer) {
    for (size_t i = 0; i < net->buffer_count; i++) {
        if (net->buffers[i].buffer == buffer) return &net->buffers[i];
    }
    abort();
}

void network_fill(network *net, ttt_buffer *buffer, const char *name, float deviation) {
    ttt_error err;
    const network_buffer *entry = network_buffer_of(net, buffer);
    const size_t used = (entry->rows - NETWORK_SPARE_ROWS) * entry->columns, all = entry->rows * entry->columns;
    float *values = scratch(all);
    fill(net, name, 0, deviation, used, values);
    for (size_t i = used; i < all; i++) values[i] = NETWORK_SENTINEL;
    network_check(net->ops->buffer_write(buffer, 0, entry->rows, values, &err), &err);
    ttt_free(values);
}

void network_disturb(network *net, ttt_buffer *buffer) {
    if (net->noise == 0) return;
    ttt_error err;
    const network_buffer *entry = network_buffer_of(net, buffer);
    const size_t rows = entry->rows - NETWORK_SPARE_ROWS;
    float *values = scratch(rows * entry->columns);
    network_check(net->ops->buffer_read(buffer, 0, rows, values, &err), &err);
    for (size_t i = 0; i < rows * entry->columns; i++) {
        values[i] *= 1.0f + net->noise * (float)(2 * ttt_random_unit(&net->noise_stream) - 1);
    }
    network_check(net->ops->buffer_write(buffer, 0, rows, values, &err), &err);
    ttt_free(values);
}

static void write_gradients(network *net, bool zero) {
    ttt_error err;
    for (size_t i = 0; i < net->weight_count; i++) {
        const network_weight *w = &net->weights[i];
        if (!w->trainable) continue;
        float *values = scratch(w->rows * w->columns);
        /* There are millions of these: a multiplicative hash in [-1, 1) in place of the generator. */
        const uint32_t start = (uint32_t)ttt_hash(TTT_HASH_START, w->name, strlen(w->name));
        for (size_t j = 0; !zero && j < w->rows * w->columns; j++) {
            values[j] = (float)(((uint32_t)j * 2654435761u + start) >> 8) * 0x1p-23f - 1;
        }
        network_check(net->ops->weight_write(w->weight, TTT_GRADIENT, values, &err), &err);
        ttt_free(values);
    }
}

void network_fill_gradients(network *net) {
    write_gradients(net, false);
}

void network_clear_gradients(network *net) {
    write_gradients(net, true);
}

/* ---------------------------------------------------------------------------------------------- the chain */

void network_forward(network *net, bool keep) {
    ttt_error err;
    const ttt_backend_ops *ops = net->ops;
    network_check(ops->embed(net->workspace, &net->embedding, net->layers[0].input, &err), &err);
    for (int l = 0; l < NETWORK_LAYERS; l++) {
        network_layer *at = &net->layers[l];
        ttt_buffer *next = l + 1 < NETWORK_LAYERS ? net->layers[l + 1].input : net->final;
        network_check(ops->qkv(net->workspace, &at->qkv, at->input, at->q, net->kv, l, &err), &err);
        network_check(ops->attention(net->workspace, at->q, net->kv, l, at->o, keep ? at->lse : NULL, &err), &err);
        network_check(ops->project(net->workspace, &at->project, at->o, at->input, at->middle, &err), &err);
        network_check(
            ops->mlp(net->workspace, &at->mlp, at->middle, keep ? at->gate : NULL, keep ? at->up : NULL, next, &err),
            &err);
    }
}

static void backward(network *net) {
    ttt_error err;
    const ttt_backend_ops *ops = net->ops;
    for (int l = NETWORK_LAYERS - 1; l >= 0; l--) {
        network_layer *at = &net->layers[l];
        network_check(ops->mlp_backward(net->workspace, &at->mlp, at->middle, at->gate, at->up, net->dx, &err), &err);
        network_check(ops->project_backward(net->workspace, &at->project, at->o, net->dx, net->d_o, &err), &err);
        network_check(ops->attention_backward(net->workspace, at->q, net->kv, l, at->o, at->lse, net->d_o, net->dq,
                                              net->dk, net->dv, &err),
                      &err);
        network_check(ops->qkv_backward(net->workspace, &at->qkv, at->input, net->dq, net->dk, net->dv, net->dx, &err),
                      &err);
    }
    network_check(ops->embed_backward(net->workspace, &net->embedding, net->dx, &err), &err);
}

double network_loss(network *net, bool with_backward) {
    ttt_error err;
    float loss[CASE_TOKENS];
    network_forward(net, with_backward);
    network_check(net->ops->loss(net->workspace, &net->output, net->final, net->count, net->rows, net->targets,
                                 net->scale, loss, with_backward ? net->dx : NULL, &err),
                  &err);
    double sum = 0;
    for (int32_t i = 0; i < net->count; i++) sum += (double)net->scale[i] * (double)loss[i];
    if (with_backward) backward(net);
    return sum;
}
