/* Every operation of a backend, run alone on a network with fixed inputs, with all that it writes copied out. */
#ifndef TTT_TESTS_TENSOR_OPERATIONS_H
#define TTT_TESTS_TENSOR_OPERATIONS_H

#include "tensor/network.h"

typedef enum operation {
    OP_EMBED,
    OP_EMBED_BACKWARD,
    OP_QKV,
    OP_QKV_BACKWARD,
    OP_ATTENTION,
    OP_ATTENTION_BACKWARD,
    OP_PROJECT,
    OP_PROJECT_BACKWARD,
    OP_MLP,
    OP_MLP_BACKWARD,
    OP_LOSS,
    OP_LOSS_BACKWARD,
    OP_NEXT,
    OP_NEXT_ALLOWED,
    OP_MUON,
    OP_ADAMW,
    OP_COUNT
} operation;

#define OPERATION_MUON_STEP 0.1 /* size of a number of one of the two steps of OP_MUON */

extern const char *const operation_names[OP_COUNT];

/* One array that an operation wrote. The last `spare` rows lie behind the batch: they hold the sentinel. */
typedef struct record {
    char name[64];
    size_t rows, columns, spare;
    float *values;
} record;

typedef struct records {
    record items[NETWORK_WEIGHTS * 5];
    size_t count;
} records;

/* Prepares the inputs, runs the operation, records its outputs: buffers whole, gradients of all trainable weights (so
 * that those it must not touch are seen untouched), host arrays with spare rows. */
void operation_run(network *net, operation op, records *out);
void records_release(records *out);

#endif
