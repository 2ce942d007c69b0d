/* config.json: the shape of a model. The keys are those of Hugging Face's Llama, Mistral, Qwen 2 (and 2.5) and Qwen 3,
 * in the layout of transformers 4 or 5 (written in that of 4, which both read), plus two of ours:
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

/* The families of models that one transformer covers; what differs between them are the options below. */
typedef enum ttt_architecture {
    TTT_ARCHITECTURE_LLAMA,
    TTT_ARCHITECTURE_MISTRAL,
    TTT_ARCHITECTURE_QWEN2,
    TTT_ARCHITECTURE_QWEN3,
    TTT_ARCHITECTURE_COUNT
} ttt_architecture;

/* "rope_scaling" of kind "llama3" (Llama 3.1 and 3.2): low frequencies are divided by `factor`, high ones stay, those
 * between are blended by wavelength. factor 0: no scaling. */
typedef struct ttt_rope_scaling {
    double factor, low_frequency_factor, high_frequency_factor;
    int32_t original_context;
} ttt_rope_scaling;

typedef struct ttt_model_config {
    ttt_architecture architecture;
    int32_t layers, width, heads, kv_heads, head_dim, hidden, vocabulary;
    int32_t context; /* longest sequence in tokens ("max_position_embeddings") */
    double norm_epsilon;
    bool tied; /* the output projection is the embedding ("tie_word_embeddings") */
    int32_t axes;
    ttt_rope_axis rope[TTT_MAX_AXES];
    ttt_rope_scaling scaling; /* of the one axis of a language model */
    bool qkv_bias;            /* q, k and v have a bias (Qwen 2.5) */
    bool qk_norm;             /* RMSNorm of every head of q and k before rotation (Qwen 3) */
    int32_t window;           /* sliding window: a token sees itself and window - 1 keys before; 0: all */
    json_t *encoding;         /* owned reference, or NULL */
} ttt_model_config;

/* The name of a family, as "model_type" in config.json gives it: "llama", "mistral", "qwen2", "qwen3". */
const char *ttt_architecture_name(ttt_architecture architecture);
/* Sets the family of that name and the options that it implies (qkv_bias, qk_norm). Any other name is
 * TTT_ERROR_UNSUPPORTED with a sentence that lists those there are; `where` names the file, `key` what holds the name.
 */
ttt_status ttt_model_config_set_architecture(ttt_model_config *config, const char *where, const char *key,
                                             const char *name, ttt_error *err);

/* Reads and checks; every error names the file and the key. Release with ttt_model_config_release. */
ttt_status ttt_model_config_read(const char *path, ttt_model_config *config, ttt_error *err);
/* The same of what such a file holds; `where` stands for the path. The encoding is shared with it. */
ttt_status ttt_model_config_from_json(const json_t *root, const char *where, ttt_model_config *config, ttt_error *err);
ttt_status ttt_model_config_write(const char *path, const ttt_model_config *config, ttt_error *err);
/* What is written: a new reference (the encoding shared), NULL when memory is out. */
json_t *ttt_model_config_to_json(const ttt_model_config *config);
/* Checks ranges, divisibility, and that the options are those of the family (what is written could not say anything
 * else), of a config made in memory. `where` names it in errors. */
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
/* The same with the model frozen and adapters of a rank on all seven linear maps of its layers. */
double ttt_model_config_adapter_operations(const ttt_model_config *config, double length, double keys, double outputs,
                                           double rank);

#endif
