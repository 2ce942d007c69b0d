/* The shape of a model from the metadata of a GGUF file: every family, what is missing or contradicts itself, and what
 * this transformer does not do. */
#include "support.h"

#include "base/memory.h"
#include "model/gguf_config.h"

#include <math.h>

/* The metadata of a small model of a family; `key` is left out, or has `value` instead. */
typedef struct small {
    const char *family;
    const char *key; /* NULL: nothing is changed */
    int64_t value;   /* -1: left out */
    bool output;     /* a matrix of its own */
    size_t vocabulary;
} small;

static const struct {
    const char *key;
    uint32_t value;
} VALUES[] = {
    {"block_count", 2},          {"embedding_length", 32},       {"feed_forward_length", 40},
    {"attention.head_count", 4}, {"attention.head_count_kv", 2}, {"context_length", 256},
};
enum { COUNT = sizeof VALUES / sizeof *VALUES, FACTORS = 32 };

/* `factors` of 32 frequencies, or NULL. */
static ttt_gguf *make(const small *s, const float *factors, const char *path) {
    ttt_error err;
    ttt_gguf_writer *w;
    ttt_gguf *gguf;
    char key[64];
    bool changed = s->key == NULL;
    ASSERT_OK(ttt_gguf_writer_new(&w, &err));
    ASSERT_OK(ttt_gguf_writer_string(w, "general.architecture", s->family, strlen(s->family), &err));
    for (size_t i = 0; i < COUNT; i++) {
        const bool this_one = s->key != NULL && strcmp(s->key, VALUES[i].key) == 0;
        changed = changed || this_one;
        if (this_one && s->value < 0) continue;
        snprintf(key, sizeof key, "%s.%s", s->family, VALUES[i].key);
        ASSERT_OK(ttt_gguf_writer_u32(w, key, this_one ? (uint32_t)s->value : VALUES[i].value, &err));
    }
    if (!changed) {
        snprintf(key, sizeof key, "%s.%s", s->family, s->key);
        ASSERT_OK(ttt_gguf_writer_u32(w, key, (uint32_t)s->value, &err));
    }
    snprintf(key, sizeof key, "%s.attention.layer_norm_rms_epsilon", s->family);
    ASSERT_OK(ttt_gguf_writer_f32(w, key, 1e-5f, &err));
    snprintf(key, sizeof key, "%s.rope.freq_base", s->family);
    ASSERT_OK(ttt_gguf_writer_f32(w, key, 500000, &err));
    if (s->vocabulary > 0) {
        ASSERT_OK(ttt_gguf_writer_declare(w, "token_embd.weight", TTT_F16, s->vocabulary, 1, false, &err));
    }
    if (s->output) ASSERT_OK(ttt_gguf_writer_declare(w, "output.weight", TTT_F16, 1, 1, false, &err));
    if (factors != NULL) {
        ASSERT_OK(ttt_gguf_writer_declare(w, TTT_GGUF_ROPE_FACTORS, TTT_F32, 1, FACTORS, true, &err));
    }
    ASSERT_OK(ttt_gguf_writer_begin(w, path, &err));
    const uint16_t zeros[64] = {0};
    if (s->vocabulary > 0) ASSERT_OK(ttt_gguf_writer_append(w, zeros, 2 * s->vocabulary, &err));
    if (s->output) ASSERT_OK(ttt_gguf_writer_append(w, zeros, 2, &err));
    if (factors != NULL) ASSERT_OK(ttt_gguf_writer_append(w, factors, FACTORS * sizeof(float), &err));
    ASSERT_OK(ttt_gguf_writer_finish(w, &err));
    ttt_gguf_writer_free(w);
    ASSERT_OK(ttt_gguf_open(path, &gguf, &err));
    return gguf;
}

static void families__have_their_options(void **state) {
    (void)state;
    static const struct {
        small made;
        ttt_architecture architecture;
        int32_t head_dim, kv_heads, window;
        bool qkv_bias, qk_norm, interleaved;
    } cases[] = {
        {{"llama", NULL, 0, true, 19}, TTT_ARCHITECTURE_LLAMA, 8, 2, 0, false, false, true},
        {{"llama", "attention.head_count_kv", -1, false, 19}, TTT_ARCHITECTURE_LLAMA, 8, 4, 0, false, false, true},
        {{"llama", "attention.sliding_window", 64, true, 19}, TTT_ARCHITECTURE_MISTRAL, 8, 2, 64, false, false, true},
        {{"qwen2", NULL, 0, true, 19}, TTT_ARCHITECTURE_QWEN2, 8, 2, 0, true, false, false},
        {{"qwen3", "attention.key_length", 16, false, 19}, TTT_ARCHITECTURE_QWEN3, 16, 2, 0, false, true, false},
    };
    support_path folder = support_temporary_folder(), path = support_join(folder.text, "a.gguf");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ttt_error err;
        ttt_model_config config;
        ttt_gguf *gguf = make(&cases[i].made, NULL, path.text);
        ASSERT_OK(ttt_gguf_config_read(gguf, &config, &err));
        assert_int_equal(config.architecture, cases[i].architecture);
        assert_true(config.layers == 2 && config.width == 32 && config.hidden == 40 && config.heads == 4);
        assert_true(config.context == 256 && config.vocabulary == 19 && config.norm_epsilon == 1e-5);
        assert_int_equal(config.head_dim, cases[i].head_dim);
        assert_int_equal(config.kv_heads, cases[i].kv_heads);
        assert_int_equal(config.window, cases[i].window);
        assert_true(config.axes == 1 && config.rope[0].pairs == config.head_dim / 2 && config.rope[0].theta == 500000);
        assert_int_equal(config.tied, !cases[i].made.output);
        assert_int_equal(config.qkv_bias, cases[i].qkv_bias);
        assert_int_equal(config.qk_norm, cases[i].qk_norm);
        assert_int_equal(ttt_gguf_interleaves(&config), cases[i].interleaved);
        assert_true(config.scaling.factor == 0);
        ttt_model_config_release(&config);
        ttt_gguf_close(gguf);
    }
    support_remove_folder(folder.text);
}

static void metadata_that_does_not_do__is_refused(void **state) {
    (void)state;
    static const struct {
        small made;
        ttt_status status;
        const char *part;
    } cases[] = {
        {{"gemma3", NULL, 0, true, 19}, TTT_ERROR_UNSUPPORTED, "is \"gemma3\", supported are llama, qwen2 and qwen3"},
        {{"llama", "block_count", -1, true, 19}, TTT_ERROR_FORMAT, "\"llama.block_count\" is missing"},
        {{"llama", "block_count", 0, true, 19}, TTT_ERROR_FORMAT, "\"llama.block_count\" is 0, expected 1 to"},
        {{"llama", "block_count", 100000, true, 19}, TTT_ERROR_FORMAT, "is 100000, expected 1 to 1024"},
        {{"llama", "attention.head_count", 4000000000, true, 19}, TTT_ERROR_FORMAT, "is 4000000000, expected 1 to"},
        {{"llama", "attention.head_count", 3, true, 19}, TTT_ERROR_FORMAT, "not a multiple of"},
        {{"llama", "attention.key_length", 7, true, 19}, TTT_ERROR_FORMAT, "\"head_dim\" is 7"},
        {{"llama", "rope.dimension_count", 514, true, 19}, TTT_ERROR_FORMAT, "\"head_dim\" is 514"},
        {{"llama", "expert_count", 8, true, 19}, TTT_ERROR_UNSUPPORTED, "\"llama.expert_count\" is 8"},
        {{"llama", "rope.scaling.factor", 4, true, 19}, TTT_ERROR_UNSUPPORTED, "\"llama.rope.scaling.factor\" is 4"},
        {{"llama", NULL, 0, false, 0}, TTT_ERROR_FORMAT, "\"tokenizer.ggml.tokens\" is missing"},
    };
    support_path folder = support_temporary_folder(), path = support_join(folder.text, "a.gguf");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ttt_error err;
        ttt_model_config config;
        ttt_gguf *gguf = make(&cases[i].made, NULL, path.text);
        ASSERT_FAILS(ttt_gguf_config_read(gguf, &config, &err), cases[i].status, cases[i].part);
        assert_non_null(strstr(err.message, "a.gguf: "));
        ttt_gguf_close(gguf);
    }
    support_remove_folder(folder.text);
}

/* What Llama 3.1 divides frequencies of a head of 64 by: by wavelength, over a context of 8192 tokens. */
static void llama3_factors(double factor, float factors[FACTORS]) {
    for (int i = 0; i < FACTORS; i++) {
        const double wavelength = 2 * M_PI * pow(500000, i / (double)FACTORS);
        const double smooth = (8192 / wavelength - 1) / (4 - 1);
        factors[i] = (float)(wavelength < 8192 / 4.0 ? 1
                             : wavelength > 8192     ? factor
                                                     : 1 / ((1 - smooth) / factor + smooth));
    }
}

static void scaled_positions__are_found_from_their_factors(void **state) {
    (void)state;
    support_path folder = support_temporary_folder(), path = support_join(folder.text, "a.gguf");
    float factors[FACTORS];
    static const small made = {"llama", "attention.key_length", 64, true, 19};
    for (int times = 1; times <= 32; times *= 2) {
        ttt_error err;
        ttt_model_config config;
        llama3_factors(times, factors);
        ttt_gguf *gguf = make(&made, factors, path.text);
        ASSERT_OK(ttt_gguf_config_read(gguf, &config, &err));
        if (times == 1) {
            assert_true(config.scaling.factor == 0);
        } else {
            assert_true(config.scaling.factor == times && config.scaling.original_context == 8192);
            assert_true(config.scaling.low_frequency_factor == 1 && config.scaling.high_frequency_factor == 4);
        }
        ttt_gguf_close(gguf);
        if (times == 1) continue;
        factors[3] *= 1.001f;
        gguf = make(&made, factors, path.text);
        ASSERT_FAILS(ttt_gguf_config_read(gguf, &config, &err), TTT_ERROR_UNSUPPORTED,
                     "are not those of the one scaling");
        ttt_gguf_close(gguf);
    }
    support_remove_folder(folder.text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families__have_their_options),
        cmocka_unit_test(scaled_positions__are_found_from_their_factors),
        cmocka_unit_test(metadata_that_does_not_do__is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
