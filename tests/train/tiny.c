#include "tiny.h"

#include "base/memory.h"
#include "base/random.h"

void tiny_init(tiny_model *tiny) {
    const ttt_model_config config = {
        .layers = 2,
        .width = 32,
        .heads = 2,
        .kv_heads = 1,
        .head_dim = 16,
        .hidden = 64,
        .vocabulary = 8,
        .context = 64,
        .norm_epsilon = 1e-5,
        .axes = 1,
        .rope = {{.pairs = 8, .theta = 100}},
    };
    const ttt_session_options session = {
        .adaptation = TTT_ADAPT_FULL, .max_tokens = TINY_TOKENS, .max_sequences = 16, .training = true};
    ttt_error err = {0};
    *tiny = (tiny_model){.last = -1};
    ASSERT_OK(ttt_backend_ref_new(&tiny->backend, &err));
    ASSERT_OK(ttt_model_new_random(&config, 1, tiny->backend, &tiny->model, &err));
    ASSERT_OK(ttt_session_new(tiny->model, &session, 1, &tiny->session, &err));
    ASSERT_OK(ttt_trainer_new(tiny->session, TINY_TOKENS, 16, &tiny->trainer, &err));
}

void tiny_release(tiny_model *tiny) {
    ttt_trainer_free(tiny->trainer);
    ttt_session_free(tiny->session);
    ttt_model_free(tiny->model);
    ttt_backend_free(tiny->backend);
}

ttt_status tiny_next(void *context, int64_t number, ttt_sequence *sequence, bool *more, ttt_error *err) {
    const tiny_model *tiny = context;
    ttt_random stream = ttt_random_stream(9, "", "words"), random = ttt_random_fork(&stream, (uint64_t)number);
    int32_t word[TINY_WORD];
    *more = tiny->last < 0 || number < tiny->last;
    if (!*more) return TTT_OK;
    sequence->length = 0;
    TTT_TRY(ttt_sequence_reserve(sequence, 2 * TINY_WORD + 1, 1, err));
    for (int32_t i = 0; i < 2 * TINY_WORD + 1; i++) {
        if (i < TINY_WORD) word[i] = (int32_t)ttt_random_below(&random, TINY_MARK);
        const int32_t id = i < TINY_WORD ? word[i] : i == TINY_WORD ? TINY_MARK : word[i - TINY_WORD - 1];
        ttt_sequence_append(sequence, id, &i);
        if (i >= TINY_WORD && i < 2 * TINY_WORD) sequence->targets[i] = word[i - TINY_WORD];
    }
    return TTT_OK;
}

ttt_train_options tiny_options(tiny_model *tiny, int64_t steps) {
    ttt_train_options options = ttt_train_defaults();
    options.step_examples = 8;
    options.max_steps = steps;
    options.schedule = ttt_schedule_ours(5, steps);
    options.adamw.learning_rate = 1e-2f;
    options.next = tiny_next;
    options.context = tiny;
    return options;
}

bool tiny_equal(const tiny_model *a, const tiny_model *b) {
    static const ttt_weight_part parts[] = {TTT_VALUE, TTT_MOMENT1, TTT_MOMENT2};
    const size_t count = ttt_session_parameter_count(a->session);
    const ttt_backend_ops *ops = a->backend->ops;
    bool equal = count == ttt_session_parameter_count(b->session);
    for (size_t i = 0; i < count && equal; i++) {
        ttt_weight *wa, *wb;
        size_t rows, columns;
        ttt_error err;
        ttt_session_parameter(a->session, i, &wa, &rows, &columns);
        ttt_session_parameter(b->session, i, &wb, &rows, &columns);
        const size_t size = rows * columns;
        float *va = ttt_allocate(size, sizeof *va), *vb = ttt_allocate(size, sizeof *vb);
        for (int p = 0; p < 3; p++) {
            ASSERT_OK(ops->weight_read(wa, parts[p], va, &err));
            ASSERT_OK(ops->weight_read(wb, parts[p], vb, &err));
            equal = equal && memcmp(va, vb, size * sizeof *va) == 0;
        }
        ttt_free(va);
        ttt_free(vb);
    }
    return equal;
}
