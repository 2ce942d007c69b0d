/* Hostile and broken weight files and configurations: every file of tests/bad/model must be refused with one sentence
 * that names it and the cause. scripts/make-bad-models makes them. */
#include "support.h"

#include "base/file.h"
#include "model/config.h"
#include "model/safetensors.h"

static const struct bad_file {
    const char *name, *part; /* of the sentence */
} BAD[] = {
    {"config-array.json", "it holds an array"},
    {"config-axes-five.json", "has 5 axes"},
    {"config-axes-none.json", "has 0 axes"},
    {"config-axes-number.json", "axis 0 of \"rope_axes\" is an integer"},
    {"config-axes-other-sum.json", "add up to 1, expected half of \"head_dim\", 2"},
    {"config-bias.json", "\"attention_bias\" is true"},
    {"config-cut.json", "not valid JSON"},
    {"config-empty.json", "is empty"},
    {"config-encoding-text.json", "'encoding' must be an object"},
    {"config-epsilon-zero.json", "\"rms_norm_eps\" is 0"},
    {"config-heads-not-multiple.json", "3, not a multiple of \"num_key_value_heads\", 2"},
    {"config-huge-vocabulary.json", "'vocab_size' must be between"},
    {"config-no-class.json", "\"architectures\" begins with \"\""},
    {"config-no-layers.json", "'num_hidden_layers'"},
    {"config-odd-head.json", "\"head_dim\" is 3"},
    {"config-other-activation.json", "\"hidden_act\" is \"gelu\""},
    {"config-other-class-alone.json", "\"GPT2LMHeadModel\", expected \"LlamaForCausalLM\""},
    {"config-other-class.json", "\"Qwen2ForSequenceClassification\", expected \"Qwen2ForCausalLM\""},
    {"config-other-model.json", "\"model_type\" is \"gpt2\", supported are llama, mistral, qwen2, qwen3"},
    {"config-partly-rotated.json", "\"partial_rotary_factor\" is 0.5"},
    {"config-scaled-by-layer.json", "rope_parameters: \"full_attention\" is an object"},
    {"config-scaled-factor-negative.json", "has factor -8,"},
    {"config-scaled-factor-zero.json", "rope_parameters: \"factor\" is 0"},
    {"config-scaled-high-not-above-low.json", "low_freq_factor 1, high_freq_factor 1 "},
    {"config-scaled-on-axes.json", "\"rope_scaling\" does not go with \"rope_axes\""},
    {"config-scaled-positions.json", "rope_scaling: \"type\" is \"linear\", supported are default and llama3"},
    {"config-scaled-text.json", "'rope_scaling' must be an object"},
    {"config-scaled-without-factor.json", "rope_scaling: 'factor'"},
    {"config-text-heads.json", "'num_attention_heads' must be an integer"},
    {"config-theta-negative.json", "theta -1"},
    {"config-width-not-multiple.json", "\"hidden_size\" is 9, not a multiple"},
    {"config-window-by-layer.json", "\"layer_types\" differ between layers 0 and 1"},
    {"config-window-of-llama.json", "\"sliding_window\" is an integer"},
    {"config-window-of-other-kind.json", "has \"chunked_attention\""},
    {"config-window-of-some-layers.json", "\"max_window_layers\" is 2 of 3 layers"},
    {"config-window-of-two-layers.json", "not a list of 3 names"},
    {"config-window-zero.json", "'sliding_window' must be between 1"},
    {"config-zero-width.json", "'hidden_size' must be between 1"},
    {"data-left-over.safetensors", "end at byte 24 of 25"},
    {"data-without-tensors.safetensors", "4 bytes of data but no tensors"},
    {"dtype-missing.safetensors", "has dtype \"\""},
    {"dtype-unknown.safetensors", "has dtype \"Q4_0\""},
    {"empty.safetensors", "it has 0 bytes"},
    {"entry-number.safetensors", "\"a\" is an integer"},
    {"header-array.safetensors", "its header is an array"},
    {"header-cut.safetensors", "not valid JSON"},
    {"header-huge.safetensors", "said to have 18446744073709551615 bytes"},
    {"header-nul.safetensors", "not valid JSON"},
    {"header-past-end.safetensors", "said to have 4096 bytes"},
    {"metadata-array.safetensors", "\"__metadata__\" is an array"},
    {"metadata-number.safetensors", "\"step\" in \"__metadata__\" is an integer"},
    {"name-twice.safetensors", "duplicate"},
    {"no-length.safetensors", "it has 3 bytes"},
    {"offsets-backward.safetensors", "bytes 24 to 0"},
    {"offsets-gap.safetensors", "\"b\" begins at byte 28, after byte 24"},
    {"offsets-negative.safetensors", "bytes -8 to 16"},
    {"offsets-overlap.safetensors", "\"b\" begins at byte 20, before byte 24"},
    {"offsets-past-end.safetensors", "bytes 0 to 24, but the file has 20"},
    {"offsets-real.safetensors", "not a pair of whole numbers"},
    {"offsets-three.safetensors", "not a pair of whole numbers"},
    {"shape-long.safetensors", "not a list of up to 8"},
    {"shape-negative.safetensors", "not a whole number"},
    {"shape-other-product.safetensors", "its shape asks for 8 numbers of 4"},
    {"shape-overflow.safetensors", "product of its shape is too large"},
    {"shape-text.safetensors", "not a list of up to 8"},
};
enum { BAD_COUNT = sizeof BAD / sizeof *BAD };

static bool is_config(const char *name) {
    return strncmp(name, "config-", 7) == 0;
}

static void every_file__is_refused_with_its_cause(void **state) {
    (void)state;
    for (size_t i = 0; i < BAD_COUNT; i++) {
        support_path folder = support_source("tests/bad/model"), path = support_join(folder.text, BAD[i].name);
        ttt_error err;
        ttt_status status;
        if (is_config(BAD[i].name)) {
            ttt_model_config config;
            status = ttt_model_config_read(path.text, &config, &err);
        } else {
            ttt_safetensors *tensors;
            status = ttt_safetensors_open(path.text, &tensors, &err);
            assert_null(tensors);
        }
        if (status != TTT_ERROR_FORMAT && status != TTT_ERROR_UNSUPPORTED) {
            fail_msg("%s: status %s", BAD[i].name, ttt_status_name(status));
        }
        if (strstr(err.message, BAD[i].part) == NULL || strstr(err.message, BAD[i].name) == NULL ||
            strchr(err.message, '\n') != NULL) {
            fail_msg("%s: \"%s\" is not what was expected, \"%s\"", BAD[i].name, err.message, BAD[i].part);
        }
    }
}

static void every_file_of_the_folder__is_in_the_list(void **state) {
    (void)state;
    ttt_error err;
    ttt_folder_list list;
    support_path folder = support_source("tests/bad/model");
    ASSERT_OK(ttt_folder_list_read(&list, folder.text, "", &err));
    assert_int_equal(list.count, BAD_COUNT);
    for (size_t i = 0; i < list.count; i++) assert_string_equal(list.names[i], BAD[i].name);
    ttt_folder_list_free(&list);
}

/* A whole, good file, cut at every length and with every byte changed: refused or read, never worse. */
static void good_file__cut_or_changed_anywhere_does_no_harm(void **state) {
    (void)state;
    static const char header[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
                                 "\"b\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[24,32]}}";
    enum { HEADER = sizeof header - 1, WHOLE = 8 + HEADER + 32 };
    unsigned char whole[WHOLE] = {HEADER};
    memcpy(whole + 8, header, HEADER);
    support_path folder = support_temporary_folder(), path = support_join(folder.text, "a.safetensors");
    ttt_error err;
    ttt_safetensors *tensors;
    for (size_t i = 0; i <= (size_t)WHOLE + 8 + HEADER; i++) {
        const size_t length = i <= WHOLE ? i : WHOLE;
        unsigned char bytes[WHOLE];
        memcpy(bytes, whole, WHOLE);
        if (i > WHOLE) bytes[i - WHOLE - 1] ^= 0x11;
        FILE *file = fopen(path.text, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, length, file), length);
        assert_int_equal(fclose(file), 0);
        const ttt_status status = ttt_safetensors_open(path.text, &tensors, &err);
        assert_true((status == TTT_OK) == (tensors != NULL));
        if (i < WHOLE) assert_int_equal(status, TTT_ERROR_FORMAT);
        if (i == WHOLE) assert_int_equal(status, TTT_OK);
        ttt_safetensors_close(tensors);
    }
    support_remove_folder(folder.text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file__is_refused_with_its_cause),
        cmocka_unit_test(every_file_of_the_folder__is_in_the_list),
        cmocka_unit_test(good_file__cut_or_changed_anywhere_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
