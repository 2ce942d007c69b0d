/* config.json: the shape of a model. The keys are those of Hugging Face's Llama, plus two of ours:
 *   "rope_axes": [{"pairs": 12, "theta": 100.0}, ...]   rotary positions over several axes, in place of "rope_theta";
 *                the pairs of all axes add up to head_dim / 2
 *   "encoding": {...}   how src/encode turns puzzles into tokens; kept as it is, not read here */
#ifndef TTT_MODEL_CONFIG_H
#define TTT_MODEL_CONFIG_H

#include "base/json.h"
#include "tensor/backend.h"

typedef struct ttt_rope_axis {
    int32_t pairs;
    double theta; /* pair j of the axis turns by theta^(-j/pairs) radians a step */
} ttt_rope_axis;

typedef struct ttt_model_config {
    int32_t layers, width, heads, kv_heads, head_dim, hidden, vocabulary;
    int32_t context; /* longest sequence in tokens ("max_position_embeddings") */
    double norm_epsilon;
    bool tied; /* the output projection is the embedding ("tie_word_embeddings") */
    int32_t axes;
    ttt_rope_axis rope[TTT_MAX_AXES];
    json_t *encoding; /* owned reference, or NULL */
} ttt_model_config;

/* Reads and checks; every error names the file and the key. Release with ttt_model_config_release. */
ttt_status ttt_model_config_read(const char *path, ttt_model_config *config, ttt_error *err);
ttt_status ttt_model_config_write(const char *path, const ttt_model_config *config, ttt_error *err);
/* What is written: a new reference (the encoding shared), NULL when memory is out. */
json_t *ttt_model_config_to_json(const ttt_model_config *config);
/* Checks ranges and divisibility of a config made in memory. `where` names it in errors. */
ttt_status ttt_model_config_check(const ttt_model_config *config, const char *where, ttt_error *err);
void ttt_model_config_release(ttt_model_config *config);
ttt_status ttt_model_config_copy(ttt_model_config *to, const ttt_model_config *from, ttt_error *err);

ttt_shape ttt_model_config_shape(const ttt_model_config *config);
int64_t ttt_model_config_parameters(const ttt_model_config *config);

/* Counted floating-point operations (multiply and add are two) of one sequence of `length` tokens whose rows attend to
 * `keys` keys in all (sum of kv_high - kv_low): forward, or forward and backward with every weight trained. The loss's
 * output projection is counted for `outputs` rows. Recomputation is not counted. */
double ttt_model_config_forward_operations(const ttt_model_config *config, double length, double keys, double outputs);
double ttt_model_config_training_operations(const ttt_model_config *config, double length, double keys, double outputs);

#endif
