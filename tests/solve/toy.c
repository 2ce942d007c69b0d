#include "solve/toy.h"

#include "arc/task_read.h"
#include "encode/grid_tokens.h"

#include <string.h>

enum { MARK = 6, TURNED = 7, PROMPT = 4, ANSWER = 2 };

static void append(ttt_sequence *sequence, int32_t id) {
    ttt_sequence_append(sequence, id, &sequence->length);
}

static ttt_status make_prompt(size_t number, bool turned, ttt_sequence *sequence, ttt_error *err) {
    sequence->length = 0;
    TTT_TRY(ttt_sequence_reserve(sequence, PROMPT + ANSWER, 1, err));
    append(sequence, turned ? TURNED : MARK);
    append(sequence, (int32_t)(number / 2 % 4));
    append(sequence, (int32_t)(number / 8 % 4));
    append(sequence, 3);
    return TTT_OK;
}

static void toy_free(ttt_problem *problem) {
    (void)problem;
}

static ttt_status toy_induce(ttt_problem *problem, double seconds, const ttt_stop_flag *stop,
                             const ttt_progress *progress, ttt_arena *arena, ttt_induction *induction, const char **why,
                             ttt_error *err) {
    toy *self = (toy *)problem;
    ttt_induced_record program = {.program = "a program", .language = "toy", .fits = true, .programs = 1};
    (void)stop, (void)progress;
    *why = NULL;
    if (self->programs_asked++ == 0) self->programs_seconds = seconds;
    self->programs_more = seconds;
    induction->count = 0;
    if (self->programs_fail != TTT_OK) return ttt_fail(err, self->programs_fail, "no programs today");
    if (self->programs_say == NULL) return TTT_OK;
    program.answers = ttt_arena_allocate(arena, problem->tests, sizeof *program.answers);
    if (program.answers == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for programs");
    for (size_t i = 0; i < problem->tests; i++) program.answers[i] = self->programs_say;
    induction->certain = self->certain;
    return TTT_PUSH(induction, program, err);
}

static ttt_status toy_examples(ttt_problem *problem, const ttt_problem_limits *limits, const ttt_random *random,
                               size_t *count, ttt_error *err) {
    (void)limits, (void)random, (void)err;
    *count = ((toy *)problem)->examples;
    return TTT_OK;
}

static int32_t toy_example_tokens(const ttt_problem *problem, size_t number) {
    (void)problem, (void)number;
    return PROMPT + ANSWER;
}

static ttt_status toy_example(const ttt_problem *problem, size_t number, ttt_sequence *sequence, ttt_error *err) {
    bool turned = number % 2 == 1;
    if (((const toy *)problem)->broken) return ttt_fail(err, TTT_ERROR_FORMAT, "example %zu is broken", number);
    TTT_TRY(make_prompt(number, turned, sequence, err));
    sequence->targets[PROMPT - 1] = turned ? 5 : 4;
    append(sequence, turned ? 5 : 4);
    sequence->targets[PROMPT] = turned ? 4 : 5;
    append(sequence, turned ? 4 : 5);
    return TTT_OK;
}

static ttt_status toy_views(ttt_problem *problem, size_t test, const ttt_problem_limits *limits,
                            const ttt_random *random, size_t wanted, size_t *count, ttt_error *err) {
    toy *self = (toy *)problem;
    (void)limits, (void)random, (void)err;
    *count = wanted < self->views ? wanted : self->views;
    self->made[test] = *count;
    return TTT_OK;
}

static void toy_forget_views(ttt_problem *problem) {
    memset(((toy *)problem)->made, 0, sizeof((toy *)problem)->made);
}

static void toy_view_facts(const ttt_problem *problem, size_t test, size_t view, ttt_view_facts *facts) {
    (void)problem, (void)test;
    *facts = (ttt_view_facts){.identity = view % 2 == 0, .demonstrations = 1, .prompt_tokens = PROMPT};
    snprintf(facts->name, sizeof facts->name, "view %zu", view);
}

static ttt_status toy_prompt(const ttt_problem *problem, size_t test, size_t view, ttt_sequence *sequence,
                             ttt_error *err) {
    (void)problem;
    return make_prompt(view + test, view % 2 == 1, sequence, err);
}

static void toy_begin(void *state, uint32_t *allowed) {
    *(int32_t *)state = 0;
    allowed[0] = 3u << 4;
}

static bool toy_advance(void *state, int32_t id, int32_t *position, uint32_t *allowed) {
    int32_t *count = state;
    (void)id;
    position[0] = PROMPT + *count;
    allowed[0] = 3u << 4;
    return ++*count < ANSWER;
}

static ttt_decode_grammar toy_grammar(ttt_problem *problem, size_t test, size_t view) {
    int32_t *counter = &((toy *)problem)->counters[test][view];
    return (ttt_decode_grammar){
        .state = counter, .state_bytes = sizeof *counter, .begin = toy_begin, .advance = toy_advance};
}

static int32_t toy_answer_limit(const ttt_problem *problem, size_t test) {
    (void)problem, (void)test;
    return ANSWER;
}

static double toy_answer_guess(const ttt_problem *problem, size_t test) {
    (void)problem, (void)test;
    return ANSWER;
}

static ttt_status toy_parse(const ttt_problem *problem, size_t test, size_t view, const int32_t *ids, int32_t count,
                            ttt_arena *arena, const char **text, ttt_error *err) {
    (void)problem, (void)test;
    bool turned = view % 2 == 1;
    char back[3] = {(char)('0' + ids[turned]), (char)('0' + ids[!turned]), '\0'};
    *text = count == ANSWER ? ttt_arena_string(arena, back) : NULL;
    return *text == NULL ? ttt_fail(err, TTT_ERROR_MEMORY, "no memory for an answer") : TTT_OK;
}

static ttt_status toy_encode(const ttt_problem *problem, size_t test, size_t view, const char *text,
                             ttt_sequence *sequence, int32_t *first_target, ttt_error *err) {
    (void)problem, (void)test;
    bool turned = view % 2 == 1;
    sequence->length = 0;
    TTT_TRY(ttt_sequence_reserve(sequence, ANSWER, 1, err));
    for (int32_t i = 0; i < ANSWER; i++) {
        int32_t position = PROMPT + i;
        ttt_sequence_append(sequence, text[turned ? 1 - i : i] - '0', &position);
    }
    *first_target = sequence->ids[0];
    sequence->targets[0] = sequence->ids[1];
    return TTT_OK;
}

static const char *toy_fallback(const ttt_problem *problem, size_t test) {
    (void)problem, (void)test;
    return "none";
}

static json_t *toy_to_json(const ttt_problem *problem) {
    return json_pack("{s:s}", "toy", problem->id);
}

static const ttt_problem_ops toy_ops = {
    .kind = "toy",
    .free = toy_free,
    .induce = toy_induce,
    .examples = toy_examples,
    .example_tokens = toy_example_tokens,
    .example = toy_example,
    .views = toy_views,
    .forget_views = toy_forget_views,
    .view_facts = toy_view_facts,
    .prompt = toy_prompt,
    .grammar = toy_grammar,
    .answer_limit = toy_answer_limit,
    .answer_guess = toy_answer_guess,
    .parse = toy_parse,
    .encode = toy_encode,
    .fallback = toy_fallback,
    .to_json = toy_to_json,
};

toy toy_make(const char *id, size_t tests) {
    return (toy){.base = {.ops = &toy_ops, .id = id, .tests = tests, .demonstrations = 2},
                 .examples = 32,
                 .views = 64,
                 .programs_seconds = -1};
}

ttt_status toy_model(ttt_backend *backend, int32_t vocabulary, int32_t axes, ttt_model **model, ttt_error *err) {
    ttt_encoding encoding = ttt_encoding_default();
    ttt_model_config config = {.layers = 1,
                               .width = 32,
                               .heads = 2,
                               .kv_heads = 1,
                               .head_dim = 16,
                               .hidden = 32,
                               .vocabulary = vocabulary,
                               .context = 1024,
                               .norm_epsilon = 1e-5,
                               .axes = axes};
    for (int32_t i = 0; i < axes; i++)
        config.rope[i] = (ttt_rope_axis){.pairs = axes == 1 ? 8 : i < 2 ? 3 : 2, .theta = 100};
    if (axes == encoding.axes) config.encoding = ttt_encoding_to_json(&encoding);
    ttt_status status = ttt_model_new_random(&config, 1, backend, model, err);
    ttt_model_config_release(&config);
    return status;
}
