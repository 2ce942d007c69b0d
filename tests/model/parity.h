/* Models with golden numbers from another program, in folders as scripts/parity makes them: config.json,
 * model.safetensors, golden.json (sequences, settings, losses) and golden.safetensors (adapters, gradients). Include
 * support.h first. */
#ifndef TTT_TESTS_MODEL_PARITY_H
#define TTT_TESTS_MODEL_PARITY_H

#include "base/json.h"
#include "model/safetensors.h"
#include "model/session_inside.h"

enum { PARITY_ROOM = 128 }; /* tokens of both sequences at most */

typedef struct parity {
    ttt_backend *backend;
    ttt_model *model;
    json_t *golden;
    ttt_safetensors *tensors;
    ttt_packing *packing; /* of both sequences; the losses' mean is what is trained */
    ttt_sequence sequences[2];
} parity;

/* How far off numbers may be, in parts of 1 + their size (gradients: of the tensor's largest). */
typedef struct parity_bounds {
    double loss, gradient; /* of one target and of one number before the first step; gradient 0: not compared */
    double step, norm;     /* mean loss and norm of all gradients in each of ten steps; norm 0: not compared */
} parity_bounds;

/* A folder under tests/model/golden. Takes over the backend. */
parity parity_new(const char *name, ttt_backend *backend);
void parity_free(parity *p);

double parity_number(const json_t *object, const char *key);
int32_t parity_integer_at(const json_t *array, size_t i);
void parity_assert_near(double found, double expected, double tolerance, const char *what);

/* Trains both sequences, all weights and then the adapters alone, ten steps each: losses, gradients (a folder may leave
 * out those of the matrices), losses and gradients' norms of every step. */
void parity_check_training(const parity *p, parity_bounds bounds);
/* Log-probabilities [V] after row `row` of the result of a forward pass. */
void parity_row(const ttt_session *session, const ttt_buffer *final, int32_t row, float *log_probabilities);

#endif
