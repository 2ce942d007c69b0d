/* How much memory a session will take, without making it. */
#include "model/session_inside.h"

/* Bytes of trainable parameters: value, gradient and two moments in float32; the value twice more in bf16 as products
 * want it, where a rank is rounded up to 32. */
static double trainable(const ttt_model_config *config, const ttt_session_options *options) {
    if (options->adaptation == TTT_ADAPT_NONE) return 0;
    if (options->adaptation == TTT_ADAPT_FULL) return (4 * 4 + 2 * 2) * (double)ttt_model_config_parameters(config);
    const double of_rank = 4.0 * 4 * options->rank + 2.0 * 2 * ((options->rank + 31) / 32 * 32);
    double sum = 0;
    for (ttt_linear_kind kind = 0; kind < TTT_LINEAR_COUNT; kind++) {
        if ((options->targets >> kind & 1u) == 0) continue;
        size_t out, in;
        ttt_linear_kind_shape(config, kind, &out, &in);
        sum += (double)(out + in) * of_rank * (ttt_linear_kind_in_layer(kind) ? config->layers : 1);
    }
    return sum;
}

/* Bytes of activations and of the backend's scratch per token, all in bf16 unless said otherwise. */
static double per_token(const ttt_model_config *config, const ttt_session_options *options) {
    const double width = config->width, queries = (double)config->heads * config->head_dim,
                 keys = (double)config->kv_heads * config->head_dim, hidden = config->hidden;
    const double angles = 4.0 * config->head_dim, tables = 4.0 * (8 + config->axes), fresh_keys = 2 * 2 * keys;
    const double layer_inference = 2 * 2 * queries + 2 * 2 * keys;
    if (!options->training) return 2 * width + layer_inference + angles + tables + fresh_keys;
    const double layer = layer_inference + 4.0 * config->heads + 2 * width + 2 * 2 * hidden;
    const double kept_layers = options->recompute ? 1 : config->layers;
    const double gradients = 2 * width + 2 * 2 * queries + 2 * 2 * keys;
    const double low_rank = options->adaptation == TTT_ADAPT_LORA ? 6 * 2.0 * options->rank : 0;
    const double scratch = 2 * 2 * width + 4 * width + 2 * hidden + 2 * 512 + low_rank;
    return 2 * width * (config->layers + 1) + kept_layers * layer + gradients + scratch + angles + tables + fresh_keys;
}

size_t ttt_session_options_bytes(const ttt_model_config *config, const ttt_session_options *options) {
    return (size_t)(trainable(config, options) + per_token(config, options) * options->max_tokens);
}
