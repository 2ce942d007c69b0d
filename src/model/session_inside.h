/* What a session is made of: shared by the files that implement it and by decoding. Private to src/model. */
#ifndef TTT_MODEL_SESSION_INSIDE_H
#define TTT_MODEL_SESSION_INSIDE_H

#include "model/session.h"
#include "model/tensors.h"
#include "model/transformer.h"

/* A trainable weight and what its initial value is made of. */
typedef struct ttt_parameter {
    char name[48];
    ttt_weight *weight; /* owned by the session */
    size_t rows, columns;
    enum { TTT_PARAMETER_OWN, TTT_PARAMETER_A, TTT_PARAMETER_B } role;
    ttt_weight *frozen; /* TTT_PARAMETER_OWN: the model's, borrowed */
    bool in_layer;      /* a matrix inside a layer, which Muon may move */
} ttt_parameter;

struct ttt_session {
    ttt_model *model; /* borrowed */
    const ttt_backend_ops *ops;
    ttt_session_options options;
    ttt_network network;   /* the model's weights, with adapters or replaced by the session's own */
    ttt_adapter *adapters; /* [layers · 7 + 2] at most, one per adapted linear map */
    size_t adapter_count;
    ttt_parameter *parameters;
    ttt_weight **weights; /* the same weights, as the backend's operations take them */
    size_t parameter_count;
    ttt_activations *activations;
    int64_t steps;
};

/* The largest number of elements of any parameter: what a host copy needs. */
size_t ttt_session_largest_parameter(const ttt_session *session);

#endif
