/* Whole runs of a real language model, tiny as it is, on puzzles of a few cells: text in place of grid tokens. */
#include "support.h"

#include "model/model.h"
#include "solve/run.h"

#include <math.h>

enum { VIEWS = 2, DEMONSTRATIONS = 2 };

typedef struct fixture {
    ttt_backend *backend;
    ttt_codec *codec;
    ttt_model *model;
    ttt_task_set tasks;
    ttt_solve_settings settings;
    /* What was reported. */
    size_t solved, views, answers;
    double first_loss, last_loss; /* means over a quarter of the steps, of all tasks */
} fixture;

static void keep(void *context, const ttt_run_report *report) {
    fixture *f = context;
    const ttt_task_record *record = report->record;
    assert_int_equal(record->status, TTT_OK);
    assert_int_equal(record->plan.rung, TTT_RUNG_FULL);
    const size_t steps = record->steps.count;
    for (size_t i = 0; i < steps; i++) {
        assert_true(isfinite(record->steps.items[i].loss));
        if (i < steps / 4) f->first_loss += record->steps.items[i].loss;
        if (i >= steps - steps / 4) f->last_loss += record->steps.items[i].loss;
    }
    for (size_t i = 0; i < record->test_count; i++)
        for (size_t v = 0; v < record->tests[i].views.count; v++, f->views++)
            f->answers += record->tests[i].views.items[v].answer != NULL;
    f->solved++;
}

/* Two rules: columns swapped; a row becomes a column. */
static void add_tasks(ttt_task_set *set) {
    for (int rule = 0; rule < 2; rule++) {
        ttt_task task;
        ttt_error err;
        ASSERT_OK(ttt_task_init(&task, rule == 0 ? "swap" : "stand", DEMONSTRATIONS, 1, &err));
        for (int i = 0; i <= DEMONSTRATIONS; i++) {
            ttt_grid input = ttt_grid_filled(1, 2, (uint8_t)i), output;
            input.cells[1] = (uint8_t)(i + 4);
            if (rule == 0)
                ttt_grid_flip(&input, 1, &output);
            else
                ttt_grid_transpose(&input, &output);
            if (i < DEMONSTRATIONS)
                task.demonstrations[i] = (ttt_pair){input, output};
            else
                task.tests[0] = (ttt_test){.input = input};
        }
        ASSERT_OK(ttt_task_set_add(set, &task, &err));
        ttt_task_release(&task);
    }
}

/* The model is loaded as `ttt solve` does: with the codec's vocabulary. */
static void set_up(fixture *f, const char *format, bool reduced, const char *const *assignments) {
    const support_path path = support_data("models/stories260k");
    ttt_error err;
    memset(f, 0, sizeof *f);
    ASSERT_OK(ttt_settings_defaults(&ttt_solve_table, &f->settings, &err));
    for (; *assignments != NULL; assignments++)
        ASSERT_OK(ttt_settings_assign(&ttt_solve_table, &f->settings, *assignments, &err));
    ASSERT_OK(ttt_backend_new("cpu", 1, &f->backend, &err));
    ASSERT_OK(ttt_codec_open(path.text, format, reduced, &f->codec, &err));
    assert_int_equal(f->codec->vocabulary != NULL, reduced);
    if (reduced) {
        ASSERT_OK(ttt_model_load_reduced(path.text, f->codec->vocabulary, (size_t)f->codec->ids, f->backend, &f->model,
                                         &err));
        assert_int_equal(ttt_model_get_config(f->model)->vocabulary, f->codec->ids);
    } else {
        ASSERT_OK(ttt_model_load(path.text, f->backend, &f->model, &err));
    }
    add_tasks(&f->tasks);
}

static void tear_down(fixture *f) {
    ttt_task_set_release(&f->tasks);
    ttt_model_free(f->model);
    ttt_codec_free(f->codec);
    ttt_backend_free(f->backend);
}

/* The submission must hold two legal attempts for each test input; reading it back checks that. */
static void run(fixture *f, bool train) {
    ttt_submission submission = {0}, back = {0};
    ttt_error err;
    size_t failures;
    const support_path folder = support_temporary_folder(), out = support_join(folder.text, "submission.json");
    const ttt_run_options options = {.settings = &f->settings,
                                     .method = train ? TTT_METHOD_TTT : TTT_METHOD_NONE,
                                     .seed = 1,
                                     .model_path = "stories260k",
                                     .out = out.text,
                                     .solved = keep,
                                     .context = f};
    ASSERT_OK(ttt_run_arc(f->model, f->codec, &f->tasks, &options, &submission, &failures, &err));
    assert_int_equal(failures, 0);
    assert_int_equal(f->solved, f->tasks.count);
    assert_int_equal(f->views, f->tasks.count * VIEWS);
    ASSERT_OK(ttt_submission_read(&back, out.text, &err));
    for (size_t i = 0; i < f->tasks.count; i++) {
        const ttt_submission_entry *entry = ttt_submission_find(&back, f->tasks.items[i].id);
        assert_non_null(entry);
        assert_int_equal(entry->count, 1);
    }
    ttt_submission_release(&submission);
    ttt_submission_release(&back);
    support_remove_folder(folder.text);
}

#define COMMON "ttt.batch_tokens=512", "ttt.learning_rate=3e-3", "views.count=2", "views.max_tokens=512", "lora.rank=8"

static void training__brings_the_loss_down(void **state) {
    static const char *const settings[] = {COMMON, "ttt.steps=8", NULL};
    static const char *const formats[] = {"compact", "list"};
    (void)state;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        fixture f;
        set_up(&f, formats[i], i == 1, settings);
        run(&f, true);
        assert_true(f.last_loss < 0.7 * f.first_loss);
        tear_down(&f);
    }
}

/* A little longer, and the model has learned how a grid ends, too. */
static void training__leads_to_answers(void **state) {
    static const char *const settings[] = {COMMON, "ttt.steps=60", NULL};
    (void)state;
    fixture f;
    set_up(&f, "auto", true, settings);
    run(&f, true);
    assert_true(f.last_loss < 0.5 * f.first_loss);
    assert_true(f.answers >= f.views / 2);
    tear_down(&f);
}

/* The first tokens of an answer to a prompt of the first task, as ids of the whole vocabulary. */
enum { DECODED = 24 };
static void decode(const fixture *f, int32_t ids[DECODED]) {
    const ttt_task *task = &f->tasks.items[0];
    const ttt_session_options options = {.max_tokens = 512, .max_sequences = 2};
    const ttt_decode_options decoding = {.max_batch = 1};
    ttt_session *session;
    ttt_kv_cache *cache;
    ttt_sequence prompt = {0};
    ttt_reply reply;
    ttt_decode_answer answer;
    ttt_error err;
    const ttt_codec_ops *ops = f->codec->ops;
    ASSERT_OK(ttt_session_new(f->model, &options, 0, &session, &err));
    ASSERT_OK(ttt_kv_cache_new(f->model, ttt_kv_pages(512) + 1, 2, &cache, &err));
    ASSERT_OK(ops->prompt(f->codec, task->demonstrations, DEMONSTRATIONS, &task->tests[0].input, NULL, &prompt, &err));
    ops->reply(f->codec, task->demonstrations, DEMONSTRATIONS, &task->tests[0].input, NULL, &reply);
    const ttt_decode_request request = {
        .prompt = &prompt, .grammar = ops->grammar(f->codec, &reply), .max_tokens = DECODED};
    ASSERT_OK(ttt_decode(session, cache, &request, 1, &decoding, &answer, &err));
    for (int i = 0; i < DECODED; i++) {
        ids[i] = i >= answer.count ? -1 : f->codec->vocabulary ? f->codec->vocabulary[answer.ids[i]] : answer.ids[i];
    }
    ttt_decode_answer_release(&answer);
    ttt_sequence_release(&prompt);
    ttt_kv_cache_free(cache);
    ttt_session_free(session);
}

/* Of the tokens that a legal grid allows the largest logit is the same, whatever tokens there are beside them. */
static void reduced__gives_the_same_tokens(void **state) {
    static const char *const settings[] = {NULL}, *const formats[] = {"list", "default", "compact"};
    (void)state;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        fixture whole, reduced;
        int32_t all[DECODED], few[DECODED];
        set_up(&whole, formats[i], false, settings);
        set_up(&reduced, formats[i], true, settings);
        decode(&whole, all);
        decode(&reduced, few);
        assert_memory_equal(all, few, sizeof all);
        assert_true(all[2] >= 0);
        tear_down(&whole);
        tear_down(&reduced);
    }
}

static void a_model_with_too_few_tokens__is_refused(void **state) {
    static const char *const settings[] = {"views.count=2", NULL};
    (void)state;
    fixture f;
    ttt_submission submission = {0};
    ttt_error err;
    ttt_codec *whole;
    size_t failures;
    const support_path path = support_data("models/stories260k");
    set_up(&f, "compact", true, settings);
    ASSERT_OK(ttt_codec_open(path.text, "compact", false, &whole, &err));
    const ttt_run_options options = {.settings = &f.settings, .model_path = "small"};
    ASSERT_FAILS(ttt_run_arc(f.model, whole, &f.tasks, &options, &submission, &failures, &err), TTT_ERROR_FORMAT,
                 "small: puzzles are written with");
    ttt_submission_release(&submission);
    ttt_codec_free(whole);
    ASSERT_FAILS(ttt_codec_open(path.text, "prose", false, &whole, &err), TTT_ERROR_ARGUMENT,
                 "no prompt format 'prose'; there are auto, list, default, barc, compact");
    tear_down(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training__brings_the_loss_down),
        cmocka_unit_test(training__leads_to_answers),
        cmocka_unit_test(reduced__gives_the_same_tokens),
        cmocka_unit_test(a_model_with_too_few_tokens__is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
