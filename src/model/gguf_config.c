/* Metadata of GGUF files to ttt_model_config and back; see gguf_config.h. As with config.json, what this transformer
 * does not do is refused by name. */
#include "model/gguf_config.h"

#include "tensor/dtype.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES = 96 };

/* The families by GGUF's names. Mistral's files call themselves llama; what would set them apart is the window. */
static const struct family {
    const char *name;
    ttt_architecture architecture;
    bool interleaved; /* the halves of a head of q and k */
} FAMILIES[] = {
    {"llama", TTT_ARCHITECTURE_LLAMA, .interleaved = true},
    {"llama", TTT_ARCHITECTURE_MISTRAL, .interleaved = true},
    {"qwen2", TTT_ARCHITECTURE_QWEN2, .interleaved = false},
    {"qwen3", TTT_ARCHITECTURE_QWEN3, .interleaved = false},
};
_Static_assert(sizeof FAMILIES / sizeof *FAMILIES == TTT_ARCHITECTURE_COUNT, "one entry per architecture");

static const struct family *family_of(const ttt_model_config *config) {
    size_t i = 0;
    while (FAMILIES[i].architecture != config->architecture) i++;
    return &FAMILIES[i];
}

bool ttt_gguf_interleaves(const ttt_model_config *config) {
    return family_of(config)->interleaved;
}

/* The whole numbers, under "<architecture>.". */
static const struct integer_key {
    const char *key;
    size_t member;
    bool required;
} INTEGERS[] = {
    {"block_count", offsetof(ttt_model_config, layers), true},
    {"embedding_length", offsetof(ttt_model_config, width), true},
    {"feed_forward_length", offsetof(ttt_model_config, hidden), true},
    {"context_length", offsetof(ttt_model_config, context), true},
    {"attention.head_count", offsetof(ttt_model_config, heads), true},
    {"attention.head_count_kv", offsetof(ttt_model_config, kv_heads), false},
    {"attention.key_length", offsetof(ttt_model_config, head_dim), false},
    {"attention.value_length", offsetof(ttt_model_config, head_dim), false},
    {"rope.dimension_count", offsetof(ttt_model_config, head_dim), false},
    {"attention.sliding_window", offsetof(ttt_model_config, window), false},
};
enum { INTEGER_COUNT = sizeof INTEGERS / sizeof *INTEGERS };

/* "<architecture>.<name>" */
static const char *key_of(const struct family *family, const char *name, char key[KEY_BYTES]) {
    snprintf(key, KEY_BYTES, "%s.%s", family->name, name);
    return key;
}

/* ---------------------------------------------------------------------------------------------- scaled positions */

/* The numbers that we write beside the factors: these say the same, but not uniquely. */
static const char FACTOR_KEY[] = "ttt.rope.factor", LOW_KEY[] = "ttt.rope.low_frequency_factor",
                  HIGH_KEY[] = "ttt.rope.high_frequency_factor", ORIGINAL_KEY[] = "ttt.rope.original_context";

void ttt_gguf_rope_factors(const ttt_model_config *config, float *factors) {
    ttt_model_config plain = *config;
    plain.scaling = (ttt_rope_scaling){0};
    const ttt_shape scaled = ttt_model_config_shape(config), unscaled = ttt_model_config_shape(&plain);
    for (int32_t i = 0; i < config->head_dim / 2; i++) factors[i] = unscaled.frequency[i] / scaled.frequency[i];
}

/* The scaling from its factors. Of a frequency w, the share k = turns·w - low is kept, cut off at 0 and 1, and the rest
 * divided by the largest factor, where turns·w counts turns within the original context, all in units of high - low.
 * Two frequencies between the ends give both unknowns of that line; which context it was is a matter of units, and
 * taken so that low is 1, as in all of Llama's. False: no line can be drawn. */
static bool scaling_from_factors(const ttt_model_config *config, const float *factors, ttt_rope_scaling *scaling) {
    const int32_t pairs = config->head_dim / 2;
    const ttt_shape shape = ttt_model_config_shape(config); /* without scaling so far */
    double largest = 1, w[2] = {0}, k[2] = {0};
    int32_t between = 0;
    for (int32_t i = 0; i < pairs; i++) largest = fmax(largest, factors[i]);
    if (largest < 1 + 1e-6) return true;
    for (int32_t i = 0; i < pairs; i++) {
        const double kept = (1 / (double)factors[i] - 1 / largest) / (1 - 1 / largest);
        if (kept < 1e-4 || kept > 1 - 1e-4) continue;
        const int end = between++ == 0 ? 0 : 1; /* the first, and the last so far */
        w[end] = shape.frequency[i];
        k[end] = kept;
    }
    if (between < 2) return false;
    const double turns = (k[0] - k[1]) / (w[0] - w[1]), low = turns * w[0] - k[0];
    const double span = 1 / low, original = round(turns * span * 2 * M_PI);
    if (!(span > 0 && isfinite(span) && original >= 1 && original <= INT32_MAX)) return false;
    *scaling = (ttt_rope_scaling){.factor = largest,
                                  .low_frequency_factor = 1,
                                  .high_frequency_factor = 1 + round(span * 1000) / 1000,
                                  .original_context = (int32_t)original};
    return true;
}

static ttt_status read_scaling(const ttt_gguf *gguf, ttt_model_config *config, ttt_error *err) {
    const ttt_gguf_tensor *found = ttt_gguf_tensor_find(gguf, TTT_GGUF_ROPE_FACTORS);
    if (found == NULL) return TTT_OK;
    const char *path = ttt_gguf_path(gguf);
    const size_t pairs = (size_t)config->head_dim / 2;
    if (found->dtype != TTT_F32 || found->rows != 1 || found->columns != pairs) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: tensor \"%s\" is not of type F32 and shape [%zu]", path,
                        found->name, pairs);
    }
    float factors[TTT_MAX_HEAD_DIM / 2], ours[TTT_MAX_HEAD_DIM / 2];
    memcpy(factors, found->data, pairs * sizeof *factors);
    bool fits = true;
    if (ttt_gguf_has(gguf, FACTOR_KEY)) {
        int64_t original;
        TTT_TRY(ttt_gguf_get_number(gguf, FACTOR_KEY, &config->scaling.factor, err));
        TTT_TRY(ttt_gguf_get_number(gguf, LOW_KEY, &config->scaling.low_frequency_factor, err));
        TTT_TRY(ttt_gguf_get_number(gguf, HIGH_KEY, &config->scaling.high_frequency_factor, err));
        TTT_TRY(ttt_gguf_get_int(gguf, ORIGINAL_KEY, 1, INT32_MAX, &original, err));
        config->scaling.original_context = (int32_t)original;
    } else {
        fits = scaling_from_factors(config, factors, &config->scaling);
    }
    ttt_gguf_rope_factors(config, ours);
    for (size_t i = 0; i < pairs; i++) fits = fits && fabsf(ours[i] - factors[i]) <= 1e-5f * factors[i];
    return fits ? TTT_OK
                : ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                           "%s: the factors of \"%s\" are not those of the one scaling that is supported, llama3", path,
                           found->name);
}

/* ---------------------------------------------------------------------------------------------- reading */

static ttt_status read_family(const ttt_gguf *gguf, ttt_model_config *config, ttt_error *err) {
    const char *name;
    size_t bytes;
    TTT_TRY(ttt_gguf_get_string(gguf, "general.architecture", &name, &bytes, err));
    for (size_t i = 0; i < sizeof FAMILIES / sizeof *FAMILIES; i++) {
        if (strlen(FAMILIES[i].name) != bytes || memcmp(name, FAMILIES[i].name, bytes) != 0) continue;
        return ttt_model_config_set_architecture(config, ttt_gguf_path(gguf), "general.architecture", FAMILIES[i].name,
                                                 err);
    }
    char shown[32] = "";
    for (size_t i = 0; i < bytes && i < sizeof shown - 1; i++) {
        shown[i] = (char)(name[i] > ' ' && name[i] <= '~' ? name[i] : '?');
    }
    return ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                    "%s: \"general.architecture\" is \"%s\", supported are llama, qwen2 and qwen3", ttt_gguf_path(gguf),
                    shown);
}

/* head_dim goes by several names, which must agree. */
static ttt_status read_integers(const ttt_gguf *gguf, const struct family *family, ttt_model_config *config,
                                ttt_error *err) {
    for (size_t i = 0; i < INTEGER_COUNT; i++) {
        int32_t *const member = (int32_t *)(void *)((char *)config + INTEGERS[i].member);
        char key[KEY_BYTES];
        key_of(family, INTEGERS[i].key, key);
        if (!INTEGERS[i].required && !ttt_gguf_has(gguf, key)) continue;
        int64_t value;
        TTT_TRY(ttt_gguf_get_int(gguf, key, INTEGERS[i].required ? 1 : 0, INT32_MAX, &value, err));
        if (*member != 0 && *member != value) {
            return ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                            "%s: \"%s\" is %lld, expected %d: keys, values and positions of other lengths are not "
                            "supported",
                            ttt_gguf_path(gguf), key, (long long)value, *member);
        }
        *member = (int32_t)value;
    }
    if (config->kv_heads == 0) config->kv_heads = config->heads;
    if (config->head_dim == 0) config->head_dim = config->width / config->heads;
    if (config->window > 0 && config->architecture == TTT_ARCHITECTURE_LLAMA) {
        config->architecture = TTT_ARCHITECTURE_MISTRAL;
    }
    return TTT_OK;
}

/* Scaling by metadata, experts: not what this transformer does. */
static ttt_status refuse_unsupported(const ttt_gguf *gguf, const struct family *family, ttt_error *err) {
    static const struct {
        const char *key;
        double allowed;
    } numbers[] = {{"expert_count", 0}, {"rope.scaling.factor", 1}, {"rope.scale_linear", 1}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char key[KEY_BYTES];
        double value = numbers[i].allowed;
        TTT_TRY(ttt_gguf_optional_number(gguf, key_of(family, numbers[i].key, key), &value, err));
        if (value == numbers[i].allowed) continue;
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "%s: \"%s\" is %g, which is not supported", ttt_gguf_path(gguf),
                        key, value);
    }
    return TTT_OK;
}

/* A single-precision number in few digits, so that 1e-5 is written as that again. */
static double decimal(double number) {
    char text[32];
    snprintf(text, sizeof text, "%.7g", number);
    return strtod(text, NULL);
}

static ttt_status read_vocabulary(const ttt_gguf *gguf, ttt_model_config *config, ttt_error *err) {
    const ttt_gguf_tensor *embedding = ttt_gguf_tensor_find(gguf, "token_embd.weight");
    const ttt_gguf_array *tokens;
    size_t count;
    if (embedding != NULL) {
        count = embedding->rows;
    } else {
        TTT_TRY(ttt_gguf_get_strings(gguf, "tokenizer.ggml.tokens", &tokens, &count, err));
    }
    if (count > INT32_MAX) {
        return ttt_fail(err, TTT_ERROR_FORMAT, "%s: its vocabulary has %zu tokens", ttt_gguf_path(gguf), count);
    }
    config->vocabulary = (int32_t)count;
    return TTT_OK;
}

ttt_status ttt_gguf_config_read(const ttt_gguf *gguf, ttt_model_config *config, ttt_error *err) {
    *config = (ttt_model_config){.axes = 1, .rope = {{.theta = 10000}}};
    TTT_TRY(read_family(gguf, config, err));
    const struct family *family = family_of(config);
    char key[KEY_BYTES];
    TTT_TRY(read_integers(gguf, family, config, err));
    TTT_TRY(refuse_unsupported(gguf, family, err));
    TTT_TRY(
        ttt_gguf_get_number(gguf, key_of(family, "attention.layer_norm_rms_epsilon", key), &config->norm_epsilon, err));
    TTT_TRY(ttt_gguf_optional_number(gguf, key_of(family, "rope.freq_base", key), &config->rope[0].theta, err));
    config->norm_epsilon = decimal(config->norm_epsilon);
    TTT_TRY(read_vocabulary(gguf, config, err));
    config->rope[0].pairs = config->head_dim / 2;
    config->tied = ttt_gguf_tensor_find(gguf, "output.weight") == NULL;
    TTT_TRY(ttt_model_config_check(config, ttt_gguf_path(gguf), err)); /* before its numbers are used */
    TTT_TRY(read_scaling(gguf, config, err));
    return ttt_model_config_check(config, ttt_gguf_path(gguf), err);
}

/* ---------------------------------------------------------------------------------------------- writing */

static ttt_status write_scaling(const ttt_rope_scaling *scaling, ttt_gguf_writer *writer, ttt_error *err) {
    if (scaling->factor == 0) return TTT_OK;
    TTT_TRY(ttt_gguf_writer_f32(writer, FACTOR_KEY, (float)scaling->factor, err));
    TTT_TRY(ttt_gguf_writer_f32(writer, LOW_KEY, (float)scaling->low_frequency_factor, err));
    TTT_TRY(ttt_gguf_writer_f32(writer, HIGH_KEY, (float)scaling->high_frequency_factor, err));
    return ttt_gguf_writer_u32(writer, ORIGINAL_KEY, (uint32_t)scaling->original_context, err);
}

ttt_status ttt_gguf_config_write(const ttt_model_config *config, const char *where, ttt_gguf_writer *writer,
                                 ttt_error *err) {
    if (config->axes != 1 || config->encoding != NULL) {
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED,
                        "%s: a GGUF file cannot hold \"%s\", which this model has: GGUF is for language models", where,
                        config->axes != 1 ? "rope_axes" : "encoding");
    }
    const struct family *family = family_of(config);
    char key[KEY_BYTES];
    TTT_TRY(ttt_gguf_writer_string(writer, "general.architecture", family->name, strlen(family->name), err));
    TTT_TRY(ttt_gguf_writer_u32(writer, key_of(family, "vocab_size", key), (uint32_t)config->vocabulary, err));
    for (size_t i = 0; i < INTEGER_COUNT; i++) {
        const int32_t value = *(const int32_t *)(const void *)((const char *)config + INTEGERS[i].member);
        if (value == 0) continue; /* no window */
        TTT_TRY(ttt_gguf_writer_u32(writer, key_of(family, INTEGERS[i].key, key), (uint32_t)value, err));
    }
    TTT_TRY(ttt_gguf_writer_f32(writer, key_of(family, "attention.layer_norm_rms_epsilon", key),
                                (float)config->norm_epsilon, err));
    TTT_TRY(ttt_gguf_writer_f32(writer, key_of(family, "rope.freq_base", key), (float)config->rope[0].theta, err));
    return write_scaling(&config->scaling, writer, err);
}
