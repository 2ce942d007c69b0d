/* Every gradient of the oracle against finite differences. Each block is made a scalar f = Σ w·output with fixed
 * weights w; its backward from dOutput = w must give f's gradient in every input and every parameter.
 *
 * The difference is the five-point one, error O(h⁴), along random directions (every element in one number) and along
 * single elements. What remains is float32 noise: f is a sum of n outputs of size about 1, each off by a few 2^-24,
 * which random signs add up to √n·2^-21 or so, and the difference divides it by h. 2e-3 of the gradient's size covers
 * the fourth-order term. Which h balances the two depends on the block (1 for a linear one, 2^-7 where a softmax or a
 * norm bends sharply): a few are tried, each with its own bound, and one has to agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "tensor/network.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A block under test: f, and its backward, which leaves the gradient of its input in `gradient`. */
typedef struct block {
    const char *name;
    double (*value)(network *net);
    void (*backward)(network *net);
    /* The inputs that the test may move, and where backward leaves their gradients; NULL when there are none. */
    ttt_buffer *input, *gradient;
} block;

static ttt_error err;

/* Σ w·buffer with w the stream "w": what network_fill(net, ..., "w", 1) writes. */
static double weighed(network *net, ttt_buffer *buffer) {
    const network_buffer *entry = network_buffer_of(net, buffer);
    const size_t rows = entry->rows - NETWORK_SPARE_ROWS, size = rows * entry->columns;
    float *values = ttt_allocate(2 * size, sizeof(float)), *w = values + size;
    network_check(net->ops->buffer_read(buffer, 0, rows, values, &err), &err);
    network_fill(net, buffer, "w", 1);
    network_check(net->ops->buffer_read(buffer, 0, rows, w, &err), &err);
    double sum = 0;
    for (size_t i = 0; i < size; i++) sum += (double)values[i] * (double)w[i];
    ttt_free(values);
    return sum;
}

static void zero(network *net, ttt_buffer *buffer) {
    network_fill(net, buffer, "zero", 0);
}

/* ---- the blocks ---- */

static double embed_value(network *net) {
    network_check(net->ops->embed(net->workspace, &net->embedding, net->final, &err), &err);
    return weighed(net, net->final);
}

static void embed_backward(network *net) {
    network_fill(net, net->dx, "w", 1);
    network_check(net->ops->embed_backward(net->workspace, &net->embedding, net->dx, &err), &err);
}

/* Queries, keys, values and attention together: the store's contents cannot be read or written alone. */
static double attention_value(network *net) {
    network_layer *at = &net->layers[0];
    network_check(net->ops->qkv(net->workspace, &at->qkv, at->input, at->q, net->kv, 0, &err), &err);
    network_check(net->ops->attention(net->workspace, at->q, net->kv, 0, at->o, at->lse, &err), &err);
    return weighed(net, at->o);
}

static void attention_backward(network *net) {
    network_layer *at = &net->layers[0];
    network_check(net->ops->qkv(net->workspace, &at->qkv, at->input, at->q, net->kv, 0, &err), &err);
    network_check(net->ops->attention(net->workspace, at->q, net->kv, 0, at->o, at->lse, &err), &err);
    network_fill(net, net->d_o, "w", 1);
    network_check(net->ops->attention_backward(net->workspace, at->q, net->kv, 0, at->o, at->lse, net->d_o, net->dq,
                                               net->dk, net->dv, &err),
                  &err);
    zero(net, net->dx);
    network_check(net->ops->qkv_backward(net->workspace, &at->qkv, at->input, net->dq, net->dk, net->dv, net->dx, &err),
                  &err);
}

static double project_value(network *net) {
    network_layer *at = &net->layers[0];
    network_check(net->ops->project(net->workspace, &at->project, at->o, at->input, net->final, &err), &err);
    return weighed(net, net->final);
}

static void project_backward(network *net) {
    network_layer *at = &net->layers[0];
    network_fill(net, net->dx, "w", 1);
    network_check(net->ops->project_backward(net->workspace, &at->project, at->o, net->dx, net->d_o, &err), &err);
}

static double mlp_value(network *net) {
    network_layer *at = &net->layers[0];
    network_check(net->ops->mlp(net->workspace, &at->mlp, at->middle, at->gate, at->up, net->final, &err), &err);
    return weighed(net, net->final);
}

static void mlp_backward(network *net) {
    network_layer *at = &net->layers[0];
    network_check(net->ops->mlp(net->workspace, &at->mlp, at->middle, at->gate, at->up, net->final, &err), &err);
    network_fill(net, net->dx, "w", 1);
    network_check(net->ops->mlp_backward(net->workspace, &at->mlp, at->middle, at->gate, at->up, net->dx, &err), &err);
}

static double loss_of(network *net, ttt_buffer *dx) {
    float loss[CASE_TOKENS];
    network_check(net->ops->loss(net->workspace, &net->output, net->final, net->count, net->rows, net->targets,
                                 net->scale, loss, dx, &err),
                  &err);
    double sum = 0;
    for (int32_t i = 0; i < net->count; i++) sum += (double)net->scale[i] * (double)loss[i];
    return sum;
}

static double loss_value(network *net) {
    return loss_of(net, NULL);
}

static void loss_backward(network *net) {
    loss_of(net, net->dx);
}

static double chain_value(network *net) {
    return network_loss(net, false);
}

static void chain_backward(network *net) {
    network_loss(net, true);
}

/* ---- the differences ---- */

/* Something that can be moved: a weight's value or the rows of a buffer. */
typedef struct place {
    const char *name;
    ttt_weight *weight;
    ttt_buffer *buffer;
    size_t rows, size;
} place;

static void put(network *net, const place *p, const float *values) {
    ttt_status status = p->weight != NULL ? net->ops->weight_write(p->weight, TTT_VALUE, values, &err)
                                          : net->ops->buffer_write(p->buffer, 0, p->rows, values, &err);
    network_check(status, &err);
}

/* f at values + step·direction. */
static double value_at(network *net, const block *b, const place *p, const float *values, const float *direction,
                       double step, float *moved) {
    for (size_t i = 0; i < p->size; i++) moved[i] = (float)((double)values[i] + step * (double)direction[i]);
    put(net, p, moved);
    return b->value(net);
}

static double five_point(network *net, const block *b, const place *p, const float *values, const float *direction,
                         double h, float *moved) {
    double near = value_at(net, b, p, values, direction, h, moved) - value_at(net, b, p, values, direction, -h, moved);
    double far =
        value_at(net, b, p, values, direction, 2 * h, moved) - value_at(net, b, p, values, direction, -2 * h, moved);
    return (8 * near - far) / (12 * h);
}

static void check_direction(network *net, const block *b, const place *p, const float *values, const float *gradient,
                            const float *direction, double noise) {
    static const double steps[] = {1.0 / 64, 1.0 / 8, 1.0 / 128};
    float *moved = ttt_allocate(p->size, sizeof *moved);
    double expected = 0, size = 0, difference = 0;
    for (size_t i = 0; i < p->size; i++) {
        expected += (double)gradient[i] * (double)direction[i];
        size += (double)(gradient[i] * gradient[i]) * (double)(direction[i] * direction[i]);
    }
    bool agrees = false;
    for (size_t i = 0; !agrees && i < sizeof steps / sizeof *steps; i++) {
        difference = five_point(net, b, p, values, direction, steps[i], moved);
        agrees = fabs(difference - expected) <= noise / steps[i] + 2e-3 * sqrt(size);
    }
    if (!agrees) {
        fail_msg("%s %s, %s: difference %.7g, backward says %.7g (noise %.2g, size %.2g)", net->c->name, b->name,
                 p->name, difference, expected, noise, sqrt(size));
    }
    ttt_free(moved);
}

static void check_place(network *net, const block *b, const place *p, const float *gradient, double noise) {
    float *values = ttt_allocate(2 * p->size, sizeof *values), *direction = values + p->size;
    ttt_status status = p->weight != NULL ? net->ops->weight_read(p->weight, TTT_VALUE, values, &err)
                                          : net->ops->buffer_read(p->buffer, 0, p->rows, values, &err);
    network_check(status, &err);
    ttt_random random = ttt_random_stream(19, net->c->name, p->name);
    for (int i = 0; i < 2; i++) {
        /* A direction of length 1, or the fourth derivative along it would grow with the number of elements. */
        for (size_t j = 0; j < p->size; j++) {
            direction[j] = (float)ttt_random_normal(&random) / sqrtf((float)p->size);
        }
        check_direction(net, b, p, values, gradient, direction, noise);
    }
    for (int i = 0; i < 3; i++) {
        memset(direction, 0, p->size * sizeof *direction);
        direction[ttt_random_below(&random, (uint32_t)p->size)] = 1;
        check_direction(net, b, p, values, gradient, direction, noise);
    }
    put(net, p, values);
    ttt_free(values);
}

static void check_block(network *net, const block *b, size_t outputs) {
    const double noise = sqrt((double)outputs) * 0x1p-21;
    network_clear_gradients(net);
    b->backward(net);
    if (b->input != NULL) {
        const network_buffer *entry = network_buffer_of(net, b->input);
        place p = {.name = "input", .buffer = b->input, .rows = entry->rows - NETWORK_SPARE_ROWS};
        p.size = p.rows * entry->columns;
        float *gradient = ttt_allocate(p.size, sizeof *gradient);
        network_check(net->ops->buffer_read(b->gradient, 0, p.rows, gradient, &err), &err);
        check_place(net, b, &p, gradient, noise);
        ttt_free(gradient);
    }
    for (size_t i = 0; i < net->weight_count; i++) {
        network_weight *w = &net->weights[i];
        if (!w->trainable) continue;
        place p = {.name = w->name, .weight = w->weight, .size = w->rows * w->columns};
        float *gradient = ttt_allocate(p.size, sizeof *gradient);
        network_check(net->ops->weight_read(w->weight, TTT_GRADIENT, gradient, &err), &err);
        double size = 0;
        for (size_t j = 0; j < p.size; j++) size += fabs((double)gradient[j]);
        /* A weight that the block does not use has no gradient, and moving it would show nothing. */
        if (size > 0) check_place(net, b, &p, gradient, noise);
        ttt_free(gradient);
    }
}

/* ---- the tests ---- */

static const op_case *current;

static void blocks__have_the_gradients_of_finite_differences(void **state) {
    (void)state;
    ttt_backend *backend;
    network_check(ttt_backend_ref_new(&backend, &err), &err);
    network *net = network_new(backend, current, 0, 0);
    network_layer *at = &net->layers[0];
    const block blocks[] = {
        {"embed", embed_value, embed_backward, NULL, NULL},
        {"attention", attention_value, attention_backward, at->input, net->dx},
        {"project", project_value, project_backward, at->o, net->d_o},
        {"mlp", mlp_value, mlp_backward, at->middle, net->dx},
        {"loss", loss_value, loss_backward, net->final, net->dx},
        {"chain", chain_value, chain_backward, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        network_fill(net, at->input, "x", 1);
        network_fill(net, at->o, "o", 1);
        network_fill(net, at->middle, "middle", 1);
        network_fill(net, net->final, "final", 1);
        check_block(net, &blocks[i], (size_t)case_tokens(current) * (size_t)(current->heads * current->head_dim));
    }
    network_free(net);
    ttt_backend_free(backend);
}

static int choose(void **state) {
    current = *state;
    return 0;
}

int main(void) {
    struct CMUnitTest tests[64];
    size_t count = 0;
    for (size_t i = 0; i < op_case_count; i++) {
        /* The wide ones add shapes, not paths: the oracle would take minutes over them here. */
        if (op_cases[i].width > 100 || op_cases[i].hidden > 1000) continue;
        tests[count++] = (struct CMUnitTest){.name = op_cases[i].name,
                                             .test_func = blocks__have_the_gradients_of_finite_differences,
                                             .setup_func = choose,
                                             .initial_state = (void *)&op_cases[i]};
    }
    return _cmocka_run_group_tests("finite_differences", tests, count, NULL, NULL);
}
