/* Memory: every allocation made to fail in turn must give an error and leak nothing (the sanitizers watch); a session
 * takes about what it was said to take. */
#include "support.h"

#include "model/fixture.h"

#include "base/memory.h"
#include "model/session_inside.h"

enum { ROOM = 64 };

/* A short answer of any tokens. */
static void begin(void *state, uint32_t *allowed) {
    *(int32_t *)state = 0;
    allowed[0] = 0x7F;
}

static bool advance(void *state, int32_t id, int32_t *position, uint32_t *allowed) {
    (void)id;
    allowed[0] = 0x7F;
    for (int a = 0; a < FIXTURE_AXES; a++) position[a] = 1;
    return ++*(int32_t *)state < 3;
}

typedef struct scenario {
    ttt_backend *backend;
    ttt_sequence sequence; /* made before anything fails */
    support_path folder, state;
} scenario;

static ttt_status train_and_save(const scenario *s, ttt_session *session, const ttt_packing *packing, ttt_error *err) {
    float loss[ROOM];
    double norm;
    const ttt_adamw adamw = {.learning_rate = 0.01f, .beta1 = 0.9f, .beta2 = 0.99f, .epsilon = 1e-8f};
    TTT_TRY(ttt_session_train(session, packing, loss, err));
    TTT_TRY(ttt_session_step(session, adamw, 1, &norm, err));
    TTT_TRY(ttt_session_save_state(session, s->state.text, NULL, err));
    TTT_TRY(ttt_session_load_state(session, s->state.text, NULL, err));
    TTT_TRY(ttt_session_save_model(session, s->folder.text, TTT_BF16, err));
    return ttt_session_reset(session, 1, err);
}

static ttt_status decode_and_score(const scenario *s, ttt_session *session, ttt_error *err) {
    ttt_kv_cache *cache;
    TTT_TRY(ttt_kv_cache_new(ttt_session_get_model(session), 8, 4, &cache, err));
    int32_t count;
    const ttt_decode_request request = {
        .prompt = &s->sequence, .grammar = {.state = &count, .begin = begin, .advance = advance}, .max_tokens = 5};
    const ttt_decode_options options = {.max_batch = 2};
    ttt_decode_answer answer = {0};
    const int32_t first_target = 2;
    double log_probability;
    size_t done;
    ttt_status status = ttt_decode(session, cache, &request, 1, &options, &answer, err);
    ttt_decode_answer_release(&answer);
    if (status == TTT_OK) {
        status = ttt_decode_score(session, cache, &s->sequence, &s->sequence, &first_target, 1, &options,
                                  &log_probability, &done, err);
    }
    assert_int_equal(ttt_kv_cache_free_pages(cache), 8); /* whatever happened */
    ttt_kv_cache_free(cache);
    return status;
}

static ttt_status session_life(const scenario *s, ttt_model *model, const ttt_session_options *options,
                               ttt_error *err) {
    ttt_session *session = NULL;
    ttt_packing *packing = NULL;
    ttt_status status;
    TTT_TRY_OUT(ttt_session_new(model, options, 1, &session, err));
    TTT_TRY_OUT(ttt_packing_new(ROOM, 2, FIXTURE_AXES, 0, &packing, err));
    ttt_packing_add(packing, &s->sequence, 0, 1);
    TTT_TRY_OUT(decode_and_score(s, session, err)); /* first: files are slow, and every failure after them waits */
    status = train_and_save(s, session, packing, err);
out:
    ttt_packing_free(packing);
    ttt_session_free(session);
    return status;
}

/* Everything that src/model does, once. */
static ttt_status whole_life(const scenario *s, const ttt_session_options *options, ttt_error *err) {
    ttt_model *fresh = NULL, *loaded = NULL;
    const ttt_model_config config = fixture_config(true);
    ttt_status status;
    TTT_TRY_OUT(ttt_model_new_random(&config, 1, s->backend, &fresh, err));
    TTT_TRY_OUT(session_life(s, fresh, options, err));
    status = ttt_model_load(s->folder.text, s->backend, &loaded, err);
out:
    ttt_model_free(fresh);
    ttt_model_free(loaded);
    return status;
}

static void every_allocation__may_fail(void **state) {
    (void)state;
    scenario s = {
        .backend = fixture_backend(), .sequence = fixture_sequence(1, 30, 2, 9), .folder = support_temporary_folder()};
    s.state = support_join(s.folder.text, "state.safetensors");
    for (int which = 0; which < 2; which++) {
        const ttt_session_options options = which == 0 ? fixture_full(ROOM) : fixture_lora(ROOM, 0x181);
        ttt_error err;
        ttt_status status;
        size_t failures = 0;
        do {
            err.message[0] = '\0';
            ttt_memory_fail_at(failures + 1);
            status = whole_life(&s, &options, &err);
            ttt_memory_fail_at(0);
            if (status == TTT_OK) break;
            if (status != TTT_ERROR_MEMORY || err.message[0] == '\0') {
                fail_msg("allocation %zu: status %s, \"%s\"", failures + 1, ttt_status_name(status), err.message);
            }
            failures++;
        } while (failures < 100000);
        assert_in_range(failures, 100, 99999);
    }
    support_remove_folder(s.folder.text);
    ttt_sequence_release(&s.sequence);
    ttt_backend_free(s.backend);
}

/* ---------------------------------------------------------------------------------------------- prediction */

static double buffer_bytes(const ttt_backend_ops *ops, const ttt_buffer *buffer) {
    return buffer == NULL ? 0 : (double)ops->buffer_bytes(buffer);
}

/* What the backend says of the session's buffers and workspace, and what the numbers of its parameters and its keys and
 * values take. */
static double taken(const ttt_session *session) {
    const ttt_activations *a = session->activations;
    const ttt_model_config *config = ttt_model_get_config(session->model);
    double sum = (double)a->ops->workspace_bytes(a->workspace);
    const int32_t layers = a->training && !a->recompute ? a->layers : 1;
    for (int32_t l = 0; l <= (a->training ? a->layers : 0); l++) sum += buffer_bytes(a->ops, a->x[l]);
    for (int32_t l = 0; l < layers; l++) {
        ttt_buffer *const all[] = {a->layer[l].q,      a->layer[l].o,    a->layer[l].lse,
                                   a->layer[l].middle, a->layer[l].gate, a->layer[l].up};
        for (size_t i = 0; i < 6; i++) sum += buffer_bytes(a->ops, all[i]);
    }
    ttt_buffer *const gradients[] = {a->dx, a->d_o, a->dq, a->dk, a->dv};
    for (size_t i = 0; i < 5; i++) sum += buffer_bytes(a->ops, gradients[i]);
    sum += 2.0 * 2 * layers * a->max_tokens * config->kv_heads * config->head_dim;
    for (size_t p = 0; p < session->parameter_count; p++) {
        sum += 20.0 * (double)session->parameters[p].rows * (double)session->parameters[p].columns;
    }
    return sum;
}

static void options_bytes__are_about_what_a_session_takes(void **state) {
    (void)state;
    ttt_error err;
    ttt_backend *backend = fixture_backend();
    if (backend->ops->activation_dtype != TTT_BF16) {
        ttt_backend_free(backend);
        SKIP("the oracle's activations are float32");
    }
    /* The shape of a small bundled model: at toy sizes padding would rule. */
    ttt_model_config config = fixture_config(true);
    config.layers = 6, config.width = 192, config.heads = 6, config.head_dim = 32, config.hidden = 512;
    config.rope[0].pairs = 8, config.rope[1].pairs = 4, config.rope[2].pairs = 4;
    ttt_model *model;
    ASSERT_OK(ttt_model_new_random(&config, 1, backend, &model, &err));
    for (int which = 0; which < 4; which++) {
        ttt_session_options options = which < 2 ? fixture_full(4096) : fixture_lora(4096, 0x7F);
        options.rank = which < 2 ? 0 : 16;
        options.recompute = which % 2 == 1;
        ttt_session *session = fixture_session(model, &options);
        const double said = (double)ttt_session_options_bytes(&config, &options), ratio = said / taken(session);
        print_message("said %.1f MB, ratio %.2f\n", said / 1e6, ratio);
        assert_true(ratio > 0.75 && ratio < 1.33);
        ttt_session_free(session);
    }
    ttt_model_free(model);
    ttt_backend_free(backend);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation__may_fail),
        cmocka_unit_test(options_bytes__are_about_what_a_session_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
