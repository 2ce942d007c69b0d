/* Adapter folders that do not fit are refused with one sentence that names file and cause, and change nothing. */
#include "support.h"

#include "model/adapters.h"

#include "base/file.h"
#include "base/memory.h"
#include "model/adapter.h"
#include "model/safetensors.h"
#include "model/session_inside.h"

/* The golden case "outer" (tied; q_proj, lm_head, embed_tokens) with one member of its configuration changed. */
static const struct bad_member {
    const char *key, *value, *part;
    ttt_status status;
} BAD_MEMBERS[] = {
    {"peft_type", "\"IA3\"", "\"peft_type\" is \"IA3\"", TTT_ERROR_UNSUPPORTED},
    {"peft_type", "3", "'peft_type' must be a string", TTT_ERROR_FORMAT},
    {"task_type", "\"SEQ_CLS\"", "\"task_type\" is \"SEQ_CLS\"", TTT_ERROR_UNSUPPORTED},
    {"bias", "\"lora_only\"", "\"bias\" is \"lora_only\"", TTT_ERROR_UNSUPPORTED},
    {"init_lora_weights", "\"pissa\"", "\"init_lora_weights\" is \"pissa\"", TTT_ERROR_UNSUPPORTED},
    {"use_dora", "true", "\"use_dora\" is true", TTT_ERROR_UNSUPPORTED},
    {"fan_in_fan_out", "true", "\"fan_in_fan_out\" is true", TTT_ERROR_UNSUPPORTED},
    {"modules_to_save", "[\"lm_head\"]", "\"modules_to_save\" is an array", TTT_ERROR_UNSUPPORTED},
    {"rank_pattern", "{\"q_proj\": 2}", "\"rank_pattern\" is an object", TTT_ERROR_UNSUPPORTED},
    {"alpha_pattern", "{\"q_proj\": 2}", "\"alpha_pattern\" is an object", TTT_ERROR_UNSUPPORTED},
    {"layers_to_transform", "0", "\"layers_to_transform\" is an integer", TTT_ERROR_UNSUPPORTED},
    {"of_the_future", "\"on\"", "\"of_the_future\" is a string", TTT_ERROR_UNSUPPORTED},
    {"r", "0", "'r' must be between 1", TTT_ERROR_FORMAT},
    {"r", "70000", "'r' must be between 1", TTT_ERROR_FORMAT},
    {"r", "5", "has shape [4, 24], expected [5, 24]", TTT_ERROR_FORMAT},
    {"lora_alpha", "\"16\"", "'lora_alpha' must be a number", TTT_ERROR_FORMAT},
    {"lora_alpha", "1e300", "\"lora_alpha\" is 1e+300", TTT_ERROR_FORMAT},
    {"use_rslora", "1", "'use_rslora' must be", TTT_ERROR_FORMAT},
    {"target_modules", "null", "'target_modules'", TTT_ERROR_FORMAT},
    {"target_modules", "[]", "names no module", TTT_ERROR_FORMAT},
    {"target_modules", "[\"q_proj\", 3]", "entry 1 of \"target_modules\" is an integer", TTT_ERROR_FORMAT},
    {"target_modules", "\".*q_proj\"", "is the pattern \".*q_proj\"", TTT_ERROR_UNSUPPORTED},
    {"target_modules", "[\"q_proj\", \"c_attn\"]", "names \"c_attn\"", TTT_ERROR_UNSUPPORTED},
    {"target_modules", "[\"proj\"]", "names \"proj\"", TTT_ERROR_UNSUPPORTED},
    {"target_modules", "[\"layers.0.self_attn.q_proj\"]", "leaves out \"model.layers.1.self_attn.q_proj\"",
     TTT_ERROR_UNSUPPORTED},
    {"target_modules", "[\"q_proj\", \"k_proj\", \"lm_head\", \"embed_tokens\"]",
     "\"base_model.model.model.layers.0.self_attn.k_proj.lora_A.weight\" is missing", TTT_ERROR_FORMAT},
    {"target_modules", "[\"q_proj\", \"lm_head\"]", "\"base_model.model.model.embed_tokens.", TTT_ERROR_UNSUPPORTED},
};

/* The golden session of "outer", before anything is loaded, and a folder with a copy of that adapter. */
typedef struct refusal {
    support_path folder;
    ttt_backend *backend;
    ttt_model *model;
    ttt_session *session, *untouched;
} refusal;

static void copy_adapter(const char *folder) {
    static const char *const names[] = {"adapter_config.json", "adapter_model.safetensors"};
    support_path from = adapters_golden("outer");
    for (int i = 0; i < 2; i++) {
        ttt_error err;
        ttt_file_map map;
        support_path source = support_join(from.text, names[i]), target = support_join(folder, names[i]);
        ASSERT_OK(ttt_file_map_open(&map, source.text, &err));
        ASSERT_OK(ttt_file_write_atomically(target.text, map.data, map.bytes, &err));
        ttt_file_map_close(&map);
    }
}

static refusal refusal_new(void) {
    refusal s = {.folder = support_temporary_folder(), .backend = fixture_ref()};
    support_path base = adapters_golden("tied");
    s.model = adapters_model(base.text, s.backend);
    copy_adapter(s.folder.text);
    s.session = adapters_session(s.model, s.folder.text);
    s.untouched = adapters_session(s.model, s.folder.text);
    return s;
}

static void refusal_free(refusal *s) {
    ttt_session_free(s->session);
    ttt_session_free(s->untouched);
    ttt_model_free(s->model);
    ttt_backend_free(s->backend);
    support_remove_folder(s->folder.text);
}

/* Refused by session and merge, for the same reason, and nothing is changed or written. */
static void assert_refused(const refusal *s, ttt_status status, const char *file, const char *part) {
    ttt_error err;
    support_path base = adapters_golden("tied"), merged = support_join(s->folder.text, "merged");
    ASSERT_FAILS(ttt_session_load_adapter(s->session, s->folder.text, &err), status, part);
    ASSERT_FAILS(ttt_session_load_adapter(s->session, s->folder.text, &err), status, file);
    assert_null(strchr(err.message, '\n'));
    adapters_assert_same(s->session, s->untouched);
    ASSERT_FAILS(ttt_adapter_merge(base.text, s->folder.text, merged.text, TTT_BF16, &err), status, part);
    assert_false(ttt_file_exists(merged.text));
}

static void configuration__of_another_kind_is_refused_by_name(void **state) {
    (void)state;
    refusal s = refusal_new();
    support_path path = support_join(s.folder.text, "adapter_config.json");
    for (size_t i = 0; i < sizeof BAD_MEMBERS / sizeof *BAD_MEMBERS; i++) {
        ttt_error err;
        const struct bad_member *bad = &BAD_MEMBERS[i];
        copy_adapter(s.folder.text);
        json_t *root = adapters_json(path.text);
        json_object_set_new(root, bad->key, json_loads(bad->value, JSON_DECODE_ANY, NULL));
        ASSERT_OK(ttt_json_write(path.text, root, 0, &err));
        json_decref(root);
        assert_refused(&s, bad->status, s.folder.text, bad->part);
    }
    refusal_free(&s);
}

typedef enum change { DROP, RENAME, TRANSPOSE, OTHER_NUMBER } change;

/* Writes the adapter's tensors anew with one of them changed. */
static void rewrite_tensors(const char *folder, const char *name, change what) {
    ttt_error err;
    ttt_safetensors *tensors;
    ttt_safetensors_writer *writer;
    support_path from = adapters_golden("outer/adapter_model.safetensors"),
                 to = support_join(folder, "adapter_model.safetensors");
    ASSERT_OK(ttt_safetensors_open(from.text, &tensors, &err));
    ASSERT_OK(ttt_safetensors_writer_new(&writer, &err));
    bool found = false;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < ttt_safetensors_count(tensors); i++) {
            const ttt_safetensor *tensor = ttt_safetensors_at(tensors, i);
            const bool it = strcmp(tensor->name, name) == 0, turned = it && what == TRANSPOSE;
            found = found || it;
            if (it && what == DROP) continue;
            if (pass == 0) {
                ASSERT_OK(ttt_safetensors_writer_declare(writer, it && what == RENAME ? "other" : tensor->name, TTT_F32,
                                                         tensor->shape[turned], tensor->shape[!turned], false, &err));
                continue;
            }
            float *values = ttt_allocate(tensor->bytes, 1);
            ttt_safetensor_read(tensor, values);
            if (it && what == OTHER_NUMBER) values[1] += 1;
            ASSERT_OK(
                ttt_safetensors_writer_append_numbers(writer, TTT_F32, values, tensor->bytes / sizeof *values, &err));
            ttt_free(values);
        }
        if (pass == 0) ASSERT_OK(ttt_safetensors_writer_begin(writer, to.text, NULL, &err));
    }
    assert_true(found);
    ASSERT_OK(ttt_safetensors_writer_finish(writer, &err));
    ttt_safetensors_writer_free(writer);
    ttt_safetensors_close(tensors);
}

#define PREFIX "base_model.model."
static const struct bad_tensor {
    const char *name;
    change what;
    ttt_status status;
    const char *part;
} BAD_TENSORS[] = {
    {PREFIX "model.embed_tokens.lora_embedding_B", DROP, TTT_ERROR_FORMAT, "lora_embedding_B\" is missing"},
    {PREFIX "model.embed_tokens.base_layer.weight", RENAME, TTT_ERROR_UNSUPPORTED, "tensor \"other\" is none of"},
    {PREFIX "model.layers.1.self_attn.q_proj.lora_B.weight", TRANSPOSE, TTT_ERROR_FORMAT,
     "q_proj.lora_B.weight\" has shape [4, 16], expected [16, 4]"},
    {PREFIX "lm_head.base_layer.weight", TRANSPOSE, TTT_ERROR_FORMAT, "has shape [16, 24], expected [24, 16]"},
    {PREFIX "lm_head.base_layer.weight", OTHER_NUMBER, TTT_ERROR_UNSUPPORTED, "an adapter that replaces weights"},
    {PREFIX "model.embed_tokens.base_layer.weight", OTHER_NUMBER, TTT_ERROR_UNSUPPORTED, "number 1 of tensor"},
};

static void tensors__that_do_not_fit_are_refused_by_name(void **state) {
    (void)state;
    refusal s = refusal_new();
    for (size_t i = 0; i < sizeof BAD_TENSORS / sizeof *BAD_TENSORS; i++) {
        const struct bad_tensor *bad = &BAD_TENSORS[i];
        rewrite_tensors(s.folder.text, bad->name, bad->what);
        assert_refused(&s, bad->status, "adapter_model.safetensors", bad->part);
    }
    /* Whole numbers of the same size. */
    ttt_error err;
    char *data;
    size_t bytes;
    support_path path = support_join(s.folder.text, "adapter_model.safetensors");
    copy_adapter(s.folder.text);
    ASSERT_OK(ttt_file_read(path.text, 1 << 20, &data, &bytes, &err));
    for (char *at = data; at + 5 < data + bytes && (at = memmem(at, bytes - (size_t)(at - data), "\"F32\"", 5));) {
        at[1] = 'I';
    }
    ASSERT_OK(ttt_file_write_atomically(path.text, data, bytes, &err));
    assert_refused(&s, TTT_ERROR_UNSUPPORTED, "adapter_model.safetensors", "is not of type F32, F16 or BF16");
    ASSERT_OK(ttt_file_write_atomically(path.text, data, bytes - 1, &err));
    assert_refused(&s, TTT_ERROR_FORMAT, "adapter_model.safetensors", "bytes of data");
    ttt_free(data);
    assert_int_equal(unlink(path.text), 0);
    assert_refused(&s, TTT_ERROR_IO, "adapter_model.safetensors", "cannot open");
    support_path config = support_join(s.folder.text, "adapter_config.json");
    assert_int_equal(unlink(config.text), 0);
    assert_refused(&s, TTT_ERROR_IO, "adapter_config.json", "cannot open");
    ASSERT_FAILS(ttt_session_load_adapter(s.session, "/nowhere", &err), TTT_ERROR_IO, "not a folder");
    refusal_free(&s);
}

static void sessions__of_another_shape_are_refused(void **state) {
    (void)state;
    refusal s = refusal_new();
    ttt_error err;
    ttt_session_options options = s.session->options;
    for (int which = 0; which < 4; which++) {
        options = s.session->options;
        if (which == 0) options.rank = 5;
        if (which == 1) options.alpha = 5;
        if (which == 2) options.targets = (1u << TTT_LINEAR_COUNT) - 1;
        if (which == 3) options.adaptation = TTT_ADAPT_FULL;
        ttt_session *other = fixture_session(s.model, &options);
        ASSERT_FAILS(ttt_session_load_adapter(other, s.folder.text, &err), TTT_ERROR_ARGUMENT, s.folder.text);
        if (which == 3) {
            ASSERT_FAILS(ttt_session_save_adapter(other, s.folder.text, NULL, &err), TTT_ERROR_ARGUMENT, "no adapter");
        }
        ttt_session_free(other);
    }
    refusal_free(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configuration__of_another_kind_is_refused_by_name),
        cmocka_unit_test(tensors__that_do_not_fit_are_refused_by_name),
        cmocka_unit_test(sessions__of_another_shape_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
