/* Speed of every operation on shapes of real work, and of a whole training step made of them.
 *
 *     ops [--threads N] [--seconds S] [CASE]        TTT_ISA=avx2|avx512|amx|ref forces an instruction set
 *
 * Operations counted as in docs: two per multiply-add of a product, the keys that each row really sees in attention,
 * nothing for norms, rotations, softmax or recomputation. "share" is the part of a training step's time. */
#include "base/clock.h"
#include "tensor/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum timed {
    TIMED_EMBED,
    TIMED_QKV,
    TIMED_ATTENTION,
    TIMED_PROJECT,
    TIMED_MLP,
    TIMED_LOSS,
    TIMED_MLP_BACKWARD,
    TIMED_PROJECT_BACKWARD,
    TIMED_ATTENTION_BACKWARD,
    TIMED_QKV_BACKWARD,
    TIMED_EMBED_BACKWARD,
    TIMED_SQUARE_SUM,
    TIMED_ADAMW,
    TIMED_COUNT
} timed;

static const struct {
    const char *name;
    bool per_layer;
} timed_table[TIMED_COUNT] = {
    [TIMED_EMBED] = {"embed", false},
    [TIMED_QKV] = {"qkv", true},
    [TIMED_ATTENTION] = {"attention", true},
    [TIMED_PROJECT] = {"project", true},
    [TIMED_MLP] = {"mlp", true},
    [TIMED_LOSS] = {"loss + backward", false},
    [TIMED_MLP_BACKWARD] = {"mlp_backward", true},
    [TIMED_PROJECT_BACKWARD] = {"project_backward", true},
    [TIMED_ATTENTION_BACKWARD] = {"attention_backward", true},
    [TIMED_QKV_BACKWARD] = {"qkv_backward", true},
    [TIMED_EMBED_BACKWARD] = {"embed_backward", false},
    [TIMED_SQUARE_SUM] = {"gradient_square_sum", false},
    [TIMED_ADAMW] = {"adamw", false},
};

static ttt_error err;

typedef struct trainables {
    ttt_weight *weights[NETWORK_WEIGHTS];
    size_t count;
} trainables;

static trainables trainables_of(const network *net) {
    trainables all = {.count = 0};
    for (size_t i = 0; i < net->weight_count; i++) {
        if (net->weights[i].trainable) all.weights[all.count++] = net->weights[i].weight;
    }
    return all;
}

/* ---------------------------------------------------------------------------------------------- counting */

/* Multiply-adds of one row through a linear map and its adapter. */
static double linear_size(const network *net, double in, double out) {
    double rank = net->c->adapters == ADAPTERS_NONE ? 0 : net->c->rank;
    return in * out + rank * (in + out);
}

/* The same for backward: towards the input, and for what is trainable. */
static double linear_backward_size(const network *net, double in, double out) {
    double rank = net->c->adapters == ADAPTERS_NONE ? 0 : net->c->rank;
    return (net->c->full ? 2 : 1) * in * out + 2 * rank * (in + out);
}

static double operations_of(const network *net, timed what) {
    const ttt_shape *s = &net->shape;
    const ttt_batch *batch = &net->batch.batch;
    const double rows = batch->tokens, width = s->width, hidden = s->hidden;
    const double q = s->heads * s->head_dim, kv = s->kv_heads * s->head_dim;
    double keys = 0;
    for (int32_t t = 0; t < batch->tokens; t++) keys += batch->kv_high[t] - batch->kv_low[t];
    switch (what) {
    case TIMED_QKV: return 2 * rows * (linear_size(net, width, q) + 2 * linear_size(net, width, kv));
    case TIMED_ATTENTION: return 4 * keys * q;
    case TIMED_PROJECT: return 2 * rows * linear_size(net, q, width);
    case TIMED_MLP: return 2 * rows * (2 * linear_size(net, width, hidden) + linear_size(net, hidden, width));
    case TIMED_LOSS:
        return 2 * net->count *
               (linear_size(net, width, s->vocabulary) + linear_backward_size(net, width, s->vocabulary));
    case TIMED_MLP_BACKWARD:
        return 2 * rows * (2 * linear_backward_size(net, width, hidden) + linear_backward_size(net, hidden, width));
    case TIMED_PROJECT_BACKWARD: return 2 * rows * linear_backward_size(net, q, width);
    case TIMED_ATTENTION_BACKWARD: return 8 * keys * q; /* dv, dp, dq, dk; the scores again are recomputation */
    case TIMED_QKV_BACKWARD:
        return 2 * rows * (linear_backward_size(net, width, q) + 2 * linear_backward_size(net, width, kv));
    default: return 0; /* moves memory */
    }
}

/* ---------------------------------------------------------------------------------------------- running */

static ttt_status run(network *net, timed what, trainables *all) {
    const ttt_backend_ops *ops = net->ops;
    network_layer *at = &net->layers[0];
    float loss[CASE_TOKENS];
    double sum;
    const ttt_adamw options = {
        .learning_rate = 1e-6f, .beta1 = 0.9f, .beta2 = 0.99f, .epsilon = 1e-8f, .gradient_scale = 1, .step = 10};
    switch (what) {
    case TIMED_EMBED: return ops->embed(net->workspace, &net->embedding, at->input, &err);
    case TIMED_QKV: return ops->qkv(net->workspace, &at->qkv, at->input, at->q, net->kv, 0, &err);
    case TIMED_ATTENTION: return ops->attention(net->workspace, at->q, net->kv, 0, at->o, at->lse, &err);
    case TIMED_PROJECT: return ops->project(net->workspace, &at->project, at->o, at->input, at->middle, &err);
    case TIMED_MLP: return ops->mlp(net->workspace, &at->mlp, at->middle, at->gate, at->up, net->final, &err);
    case TIMED_LOSS:
        return ops->loss(net->workspace, &net->output, net->final, net->count, net->rows, net->targets, net->scale,
                         loss, net->dx, &err);
    case TIMED_MLP_BACKWARD:
        return ops->mlp_backward(net->workspace, &at->mlp, at->middle, at->gate, at->up, net->dx, &err);
    case TIMED_PROJECT_BACKWARD:
        return ops->project_backward(net->workspace, &at->project, at->o, net->dx, net->d_o, &err);
    case TIMED_ATTENTION_BACKWARD:
        return ops->attention_backward(net->workspace, at->q, net->kv, 0, at->o, at->lse, net->d_o, net->dq, net->dk,
                                       net->dv, &err);
    case TIMED_QKV_BACKWARD:
        return ops->qkv_backward(net->workspace, &at->qkv, at->input, net->dq, net->dk, net->dv, net->dx, &err);
    case TIMED_EMBED_BACKWARD: return ops->embed_backward(net->workspace, &net->embedding, net->dx, &err);
    case TIMED_SQUARE_SUM: return ops->gradient_square_sum(net->backend, all->weights, all->count, &sum, &err);
    case TIMED_ADAMW: return ops->adamw(net->backend, all->weights, all->count, &options, &err);
    case TIMED_COUNT: break;
    }
    return TTT_OK;
}

/* Backward runs over what forward left and adds to gradients: each round begins anew, so that nothing overflows. */
static void time_rounds(network *net, double seconds, double *per_call) {
    trainables all = trainables_of(net);
    double total[TIMED_COUNT] = {0}, all_of_it = 0;
    int rounds = 0;
    for (; rounds < 2 || all_of_it < seconds; rounds++) {
        for (timed what = 0; what < TIMED_COUNT; what++) {
            const double start = ttt_clock_seconds();
            network_check(run(net, what, &all), &err);
            const double took = ttt_clock_seconds() - start;
            if (rounds == 0) continue; /* warming up */
            total[what] += took;
            all_of_it += took;
        }
    }
    for (timed what = 0; what < TIMED_COUNT; what++) per_call[what] = total[what] / (rounds - 1);
}

static void report(const network *net, const double *per_call) {
    double time = 0, operations = 0;
    for (timed what = 0; what < TIMED_COUNT; what++) {
        const int times = timed_table[what].per_layer ? net->shape.layers : 1;
        time += times * per_call[what];
        operations += times * operations_of(net, what);
    }
    printf("%s on %s: %d tokens, %d layers of width %d\n", net->c->name, net->ops->name, net->batch.batch.tokens,
           net->shape.layers, net->shape.width);
    printf("  %-22s %10s %10s %8s\n", "operation", "ms", "GFLOP/s", "share");
    for (timed what = 0; what < TIMED_COUNT; what++) {
        const int times = timed_table[what].per_layer ? net->shape.layers : 1;
        printf("  %-22s %10.3f %10.1f %7.1f%%\n", timed_table[what].name, per_call[what] * 1e3,
               operations_of(net, what) / per_call[what] * 1e-9, 100 * times * per_call[what] / time);
    }
    printf("  %-22s %10.3f %10.1f\n\n", "training step", time * 1e3, operations / time * 1e-9);
}

int main(int argc, char **argv) {
    int threads = 0;
    double seconds = 2;
    const char *only = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc) {
            threads = atoi(argv[++i]);
        } else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) {
            seconds = atof(argv[++i]);
        } else if (argv[i][0] != '-' && only == NULL) {
            only = argv[i];
        } else {
            fprintf(stderr, "usage: ops [--threads N] [--seconds S] [CASE]\n");
            return 2;
        }
    }
    ttt_backend *backend;
    if (ttt_backend_new("cpu", threads, &backend, &err) != TTT_OK) {
        fprintf(stderr, "ops: %s\n", err.message);
        return 1;
    }
    bool found = false;
    for (size_t i = 0; i < speed_case_count; i++) {
        if (only != NULL && strcmp(only, speed_cases[i].name) != 0) continue;
        double per_call[TIMED_COUNT];
        network *net = network_new(backend, &speed_cases[i], 0, 0);
        time_rounds(net, seconds, per_call);
        report(net, per_call);
        network_free(net);
        found = true;
    }
    ttt_backend_free(backend);
    if (!found) fprintf(stderr, "ops: there is no case \"%s\"\n", only);
    return found ? 0 : 1;
}
