/* Every operation run alone; see operations.h. */
#include "tensor/operations.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const operation_names[OP_COUNT] = {
    [OP_EMBED] = "embed",
    [OP_EMBED_BACKWARD] = "embed_backward",
    [OP_QKV] = "qkv",
    [OP_QKV_BACKWARD] = "qkv_backward",
    [OP_ATTENTION] = "attention",
    [OP_ATTENTION_BACKWARD] = "attention_backward",
    [OP_PROJECT] = "project",
    [OP_PROJECT_BACKWARD] = "project_backward",
    [OP_MLP] = "mlp",
    [OP_MLP_BACKWARD] = "mlp_backward",
    [OP_LOSS] = "loss",
    [OP_LOSS_BACKWARD] = "loss_backward",
    [OP_NEXT] = "next_log_probabilities",
    [OP_NEXT_ALLOWED] = "next_log_probabilities_allowed",
    [OP_MUON] = "muon",
    [OP_ADAMW] = "adamw",
};

static ttt_error err;

/* ---------------------------------------------------------------------------------------------- records */

static record *add_record(records *out, const char *name, size_t rows, size_t columns, size_t spare) {
    if (out->count == sizeof out->items / sizeof *out->items) abort();
    record *r = &out->items[out->count++];
    *r = (record){.rows = rows, .columns = columns, .spare = spare};
    snprintf(r->name, sizeof r->name, "%s", name);
    r->values = ttt_allocate(rows * columns, sizeof *r->values);
    if (r->values == NULL) abort();
    for (size_t i = 0; i < rows * columns; i++) r->values[i] = NETWORK_SENTINEL;
    return r;
}

void records_release(records *out) {
    for (size_t i = 0; i < out->count; i++) ttt_free(out->items[i].values);
    out->count = 0;
}

static void record_buffer(network *net, records *out, const char *name, const ttt_buffer *buffer) {
    const network_buffer *entry = network_buffer_of(net, buffer);
    record *r = add_record(out, name, entry->rows, entry->columns, NETWORK_SPARE_ROWS);
    network_check(net->ops->buffer_read(buffer, 0, entry->rows, r->values, &err), &err);
}

static void record_weights(network *net, records *out, ttt_weight_part part, const char *prefix) {
    for (size_t i = 0; i < net->weight_count; i++) {
        const network_weight *w = &net->weights[i];
        if (!w->trainable) continue;
        char name[64];
        snprintf(name, sizeof name, "%s%s", prefix, w->name);
        record *r = add_record(out, name, w->rows, w->columns, 0);
        network_check(net->ops->weight_read(w->weight, part, r->values, &err), &err);
    }
}

/* ---------------------------------------------------------------------------------------------- operations */

/* Queries, keys and values of layer 0, then queries of our own, then attention: what attention's backward needs. The
 * output is disturbed, for a backend that rounds it to bf16 hands a disturbed one to backward. */
static void attend(network *net) {
    network_layer *at = &net->layers[0];
    network_fill(net, at->input, "x", 1);
    network_check(net->ops->qkv(net->workspace, &at->qkv, at->input, at->q, net->kv, 0, &err), &err);
    network_fill(net, at->q, "q", 1);
    network_check(net->ops->attention(net->workspace, at->q, net->kv, 0, at->o, at->lse, &err), &err);
    network_disturb(net, at->o);
}

static void run_attention(network *net, records *out, bool backward) {
    network_layer *at = &net->layers[0];
    attend(net);
    if (!backward) {
        record_buffer(net, out, "o", at->o);
        record_buffer(net, out, "lse", at->lse);
        return;
    }
    network_fill(net, net->d_o, "d_o", 1);
    network_check(net->ops->attention_backward(net->workspace, at->q, net->kv, 0, at->o, at->lse, net->d_o, net->dq,
                                               net->dk, net->dv, &err),
                  &err);
    record_buffer(net, out, "dq", net->dq);
    record_buffer(net, out, "dk", net->dk);
    record_buffer(net, out, "dv", net->dv);
}

static void run_qkv_backward(network *net, records *out) {
    network_layer *at = &net->layers[0];
    network_fill(net, at->input, "x", 1);
    network_fill(net, net->dq, "dq", 1);
    network_fill(net, net->dk, "dk", 1);
    network_fill(net, net->dv, "dv", 1);
    network_fill(net, net->dx, "dx", 1);
    network_check(net->ops->qkv_backward(net->workspace, &at->qkv, at->input, net->dq, net->dk, net->dv, net->dx, &err),
                  &err);
    record_buffer(net, out, "dx", net->dx);
}

static void run_mlp(network *net, records *out, bool backward) {
    network_layer *at = &net->layers[0];
    network_fill(net, at->middle, "middle", 1);
    network_check(net->ops->mlp(net->workspace, &at->mlp, at->middle, at->gate, at->up, net->final, &err), &err);
    if (!backward) {
        record_buffer(net, out, "gate", at->gate);
        record_buffer(net, out, "up", at->up);
        record_buffer(net, out, "y", net->final);
        /* In place, and nothing kept: as at inference. */
        network_check(net->ops->mlp(net->workspace, &at->mlp, at->middle, NULL, NULL, at->middle, &err), &err);
        record_buffer(net, out, "y in place", at->middle);
        return;
    }
    network_disturb(net, at->gate);
    network_disturb(net, at->up);
    network_fill(net, net->dx, "dx", 1);
    network_check(net->ops->mlp_backward(net->workspace, &at->mlp, at->middle, at->gate, at->up, net->dx, &err), &err);
    record_buffer(net, out, "dx", net->dx);
}

static void run_project(network *net, records *out, bool backward) {
    network_layer *at = &net->layers[0];
    network_fill(net, at->o, "o", 1);
    if (backward) {
        network_fill(net, net->dx, "dx", 1);
        network_check(net->ops->project_backward(net->workspace, &at->project, at->o, net->dx, net->d_o, &err), &err);
        record_buffer(net, out, "d_o", net->d_o);
        return;
    }
    network_fill(net, at->input, "x", 1);
    network_check(net->ops->project(net->workspace, &at->project, at->o, at->input, at->middle, &err), &err);
    record_buffer(net, out, "y", at->middle);
    network_check(net->ops->project(net->workspace, &at->project, at->o, at->input, at->input, &err), &err);
    record_buffer(net, out, "y in place", at->input);
}

static void run_loss(network *net, records *out, bool backward) {
    network_fill(net, net->final, "final", 1);
    record *r = add_record(out, "loss", (size_t)net->count + NETWORK_SPARE_ROWS, 1, NETWORK_SPARE_ROWS);
    network_check(net->ops->loss(net->workspace, &net->output, net->final, net->count, net->rows, net->targets,
                                 net->scale, r->values, backward ? net->dx : NULL, &err),
                  &err);
    if (backward) record_buffer(net, out, "dx", net->dx);
}

static void run_next(network *net, records *out, bool masked) {
    const size_t vocabulary = (size_t)net->shape.vocabulary, words = (vocabulary + 31) / 32;
    network_fill(net, net->final, "final", 1);
    uint32_t *allowed = ttt_allocate((size_t)net->count * words, sizeof *allowed);
    if (allowed == NULL) abort();
    ttt_random random = ttt_random_stream(23, net->c->name, "allowed");
    for (size_t i = 0; i < (size_t)net->count; i++) {
        /* The first row allows one token, the others about half of them, and one at least. */
        for (size_t w = 0; i > 0 && w < words; w++) allowed[i * words + w] = ttt_random_u32(&random);
        const uint32_t sure = ttt_random_below(&random, (uint32_t)vocabulary);
        allowed[i * words + sure / 32] |= 1u << (sure % 32);
    }
    record *r =
        add_record(out, "log probabilities", (size_t)net->count + NETWORK_SPARE_ROWS, vocabulary, NETWORK_SPARE_ROWS);
    network_check(net->ops->next_log_probabilities(net->workspace, &net->output, net->final, net->count, net->rows,
                                                   masked ? allowed : NULL, r->values, &err),
                  &err);
    ttt_free(allowed);
}

/* Matrices of the first layer that the oracle is done with in good time. */
static bool is_for_muon(const network_weight *w) {
    enum { MOST = 1 << 16 };
    return w->trainable && w->rows > 1 && w->rows * w->columns <= MOST && strncmp(w->name, "layer0", 6) == 0;
}

static void disturb_gradient(network *net, const network_weight *w) {
    const size_t size = w->rows * w->columns;
    float *values = ttt_allocate(size, sizeof *values);
    if (values == NULL) abort();
    network_check(net->ops->weight_read(w->weight, TTT_GRADIENT, values, &err), &err);
    for (size_t i = 0; i < size; i++) {
        values[i] *= 1 + net->noise * (float)(2 * ttt_random_unit(&net->noise_stream) - 1);
    }
    network_check(net->ops->weight_write(w->weight, TTT_GRADIENT, values, &err), &err);
    ttt_free(values);
}

/* Two steps, so that the moment counts, of a weight of zeros: what is recorded is the steps themselves. The weight is
 * put back, so that all networks go on with the same. */
static void run_muon(network *net, records *out) {
    const float rate = (float)OPERATION_MUON_STEP / 0.2f; /* an orthogonal matrix times 0.2·sqrt(max(rows, columns)) */
    const ttt_muon options = {.learning_rate = rate, .momentum = 0.9f, .weight_decay = 0.5f, .gradient_scale = 0.3f};
    for (size_t i = 0; i < net->weight_count; i++) {
        const network_weight *w = &net->weights[i];
        if (!is_for_muon(w)) continue;
        const size_t size = w->rows * w->columns;
        float *before = ttt_allocate(2 * size, sizeof *before), *zeros = before + size;
        if (before == NULL) abort();
        network_check(net->ops->weight_read(w->weight, TTT_VALUE, before, &err), &err);
        network_check(net->ops->weight_write(w->weight, TTT_VALUE, zeros, &err), &err);
        network_check(net->ops->weight_write(w->weight, TTT_MOMENT1, zeros, &err), &err);
        for (int step = 0; step < 2; step++) {
            network_fill_gradients(net);
            disturb_gradient(net, w);
            network_check(net->ops->muon(net->workspace, w->weight, &options, &err), &err);
        }
        for (ttt_weight_part part = TTT_VALUE; part < TTT_WEIGHT_PART_COUNT; part++) {
            static const char *const PARTS[] = {"value", "gradient", "moment1", "moment2"};
            char name[64];
            snprintf(name, sizeof name, "%s %s", PARTS[part], w->name);
            record *r = add_record(out, name, w->rows, w->columns, 0);
            network_check(net->ops->weight_read(w->weight, part, r->values, &err), &err);
        }
        network_check(net->ops->weight_write(w->weight, TTT_MOMENT1, zeros, &err), &err);
        network_check(net->ops->weight_write(w->weight, TTT_VALUE, before, &err), &err);
        ttt_free(before);
    }
}

/* Two steps, so that the moments count, then a product to see that the prepared form was renewed. */
static void run_adamw(network *net, records *out) {
    ttt_weight *weights[NETWORK_WEIGHTS];
    size_t count = 0;
    for (size_t i = 0; i < net->weight_count; i++) {
        if (net->weights[i].trainable) weights[count++] = net->weights[i].weight;
    }
    for (int step = 1; step <= 2; step++) {
        double sum = 0;
        network_fill_gradients(net);
        network_check(net->ops->gradient_square_sum(net->backend, weights, count, &sum, &err), &err);
        record *r = add_record(out, "square sum", 1, 1, 0);
        r->values[0] = (float)sum;
        const ttt_adamw options = {.learning_rate = 0.02f,
                                   .beta1 = 0.9f,
                                   .beta2 = 0.99f,
                                   .epsilon = 1e-8f,
                                   .weight_decay = 0.1f,
                                   .gradient_scale = 0.3f,
                                   .step = step};
        network_check(net->ops->adamw(net->backend, weights, count, &options, &err), &err);
    }
    record_weights(net, out, TTT_VALUE, "value ");
    record_weights(net, out, TTT_MOMENT1, "moment1 ");
    record_weights(net, out, TTT_MOMENT2, "moment2 ");
}

void operation_run(network *net, operation op, records *out) {
    network_layer *at = &net->layers[0];
    out->count = 0;
    network_fill_gradients(net);
    switch (op) {
    case OP_EMBED:
        network_check(net->ops->embed(net->workspace, &net->embedding, net->final, &err), &err);
        record_buffer(net, out, "x", net->final);
        break;
    case OP_EMBED_BACKWARD:
        network_fill(net, net->dx, "dx", 1);
        network_check(net->ops->embed_backward(net->workspace, &net->embedding, net->dx, &err), &err);
        break;
    case OP_QKV:
        network_fill(net, at->input, "x", 1);
        network_check(net->ops->qkv(net->workspace, &at->qkv, at->input, at->q, net->kv, 0, &err), &err);
        record_buffer(net, out, "q", at->q);
        break;
    case OP_QKV_BACKWARD: run_qkv_backward(net, out); break;
    case OP_ATTENTION: run_attention(net, out, false); break;
    case OP_ATTENTION_BACKWARD: run_attention(net, out, true); break;
    case OP_PROJECT: run_project(net, out, false); break;
    case OP_PROJECT_BACKWARD: run_project(net, out, true); break;
    case OP_MLP: run_mlp(net, out, false); break;
    case OP_MLP_BACKWARD: run_mlp(net, out, true); break;
    case OP_LOSS: run_loss(net, out, false); break;
    case OP_LOSS_BACKWARD: run_loss(net, out, true); break;
    case OP_NEXT: run_next(net, out, false); break;
    case OP_NEXT_ALLOWED: run_next(net, out, true); break;
    case OP_MUON: run_muon(net, out); break;
    case OP_ADAMW: run_adamw(net, out); break;
    case OP_COUNT: break;
    }
    record_weights(net, out, TTT_GRADIENT, "d ");
}
