/* A small transformer of a case's shape on one backend: the objects that every mode of test works with. Numbers come
 * from streams keyed by the case and the object's name, so that two networks of one case are equal on any backend;
 * they are rounded to bf16, which every backend holds exactly. */
#ifndef TTT_TESTS_TENSOR_NETWORK_H
#define TTT_TESTS_TENSOR_NETWORK_H

#include "base/random.h"
#include "tensor/cases.h"

enum { NETWORK_LAYERS = 2, NETWORK_WEIGHTS = 128, NETWORK_SPARE_ROWS = 3, NETWORK_BUFFERS = 64 };
#define NETWORK_SENTINEL 77.0f /* fills the spare rows behind a batch */

typedef struct network_weight {
    char name[48];
    size_t rows, columns;
    bool trainable;
    ttt_weight *weight;
} network_weight;

typedef struct network_buffer {
    size_t rows, columns;
    ttt_buffer *buffer;
} network_buffer;

/* What one layer keeps for its backward. `middle` is the residual stream between attention and MLP. */
typedef struct network_layer {
    ttt_qkv_block qkv;
    ttt_linear project;
    ttt_mlp_block mlp;
    ttt_buffer *input, *q, *o, *lse, *middle, *gate, *up;
} network_layer;

typedef struct network {
    const op_case *c;
    const ttt_backend_ops *ops;
    ttt_backend *backend; /* borrowed */
    ttt_shape shape;
    /* Relative noise put on everything written: the oracle with noise of a bf16 rounding shows how far a backend that
     * rounds to bf16 may be off. */
    float noise;
    ttt_random noise_stream;

    network_weight weights[NETWORK_WEIGHTS];
    size_t weight_count;
    ttt_adapter adapters[9 * NETWORK_LAYERS + 2][CASE_ADAPTERS];
    size_t linear_count;
    network_buffer buffers[NETWORK_BUFFERS];
    size_t buffer_count;

    ttt_linear embedding;
    network_layer layers[NETWORK_LAYERS];
    ttt_output_block output;
    ttt_buffer *final; /* [T, C] the residual stream after the last layer */
    ttt_buffer *dx, *d_o, *dq, *dk, *dv;
    ttt_kv *kv;
    ttt_workspace *workspace;
    case_batch batch; /* the one announced last */
    int32_t count, rows[CASE_TOKENS], targets[CASE_TOKENS];
    float scale[CASE_TOKENS];
} network;

/* A network on the heap with the whole case announced as its batch. The process ends with a message if anything fails:
 * nothing may fail in these tests. */
network *network_new(ttt_backend *backend, const op_case *c, float noise, uint64_t noise_seed);
void network_free(network *net);
/* Ends the process with the error's sentence unless status is TTT_OK. */
void network_check(ttt_status status, const ttt_error *err);

/* Announces part of the case (see case_batch_of). */
void network_begin(network *net, const case_piece *pieces, int32_t count);

/* Fills rows [0, T) with bf16-rounded normal numbers of the stream `name`, noise on top, and the spare rows with the
 * sentinel. */
void network_fill(network *net, ttt_buffer *buffer, const char *name, float deviation);
/* Puts the noise on what a forward operation left in a buffer. */
void network_disturb(network *net, ttt_buffer *buffer);
/* Rows and columns of a buffer, spare rows included. */
const network_buffer *network_buffer_of(const network *net, const ttt_buffer *buffer);
/* Puts random numbers in every gradient, so that "+=" is told from "=". */
void network_fill_gradients(network *net);
void network_clear_gradients(network *net);

/* The whole chain from ids to the residual stream in net->final. `keep`: gate and up are kept for backward. */
void network_forward(network *net, bool keep);
/* The sum of scale·loss of the counted rows; with `backward` the gradients too. */
double network_loss(network *net, bool backward);

#endif
