/* Views of a test input are made on a copy of the task that holds only the demonstrations that fit; a view, its
 * prompt's length, its slots and the reply it gets lie at the same index of four arrays. */
#include "solve/problem_arc.h"

#include "arc/views.h"
#include "arc/vote.h"
#include "encode/task_examples.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct arc_test {
    ttt_task shown; /* the demonstrations that fit, and this test input alone */
    ttt_view_stream stream;
    ttt_random random;
    bool ready, exhausted;
    int32_t prompt_limit; /* tokens of the longest prompt beside which an answer has room */
    ttt_view_list views;
    struct {
        int32_t *items;
        size_t count, capacity;
    } lengths; /* of prompts, in tokens */
    struct {
        ttt_slots *items;
        size_t count, capacity;
    } slots;
    struct {
        ttt_reply *items;
        size_t count, capacity;
    } replies;
} arc_test;

typedef struct arc_problem {
    ttt_problem base; /* first */
    const ttt_task *task;
    const ttt_solve_settings *settings;
    const ttt_codec *codec;
    const ttt_inducer *inducer;
    ttt_inducing inducing;
    bool trained;
    ttt_pair *pairs; /* those that training uses */
    ttt_task_examples examples;
    arc_test *tests; /* [base.tests] */
} arc_problem;

static arc_problem *arc(ttt_problem *problem) {
    return (arc_problem *)problem;
}
static const arc_problem *arc_const(const ttt_problem *problem) {
    return (const arc_problem *)problem;
}

/* --- Texts ------------------------------------------------------------------------------------------------------- */

const char *ttt_grid_to_text(const ttt_grid *grid, ttt_arena *arena) {
    char text[2 * TTT_GRID_CELLS + 4 * TTT_GRID_MAX + 8], *at = text;
    *at++ = '[';
    for (int row = 0; row < grid->height; row++) {
        if (row > 0) *at++ = ',';
        *at++ = '[';
        for (int column = 0; column < grid->width; column++) {
            if (column > 0) *at++ = ',';
            *at++ = (char)('0' + ttt_grid_at(grid, row, column));
        }
        *at++ = ']';
    }
    *at++ = ']';
    *at = '\0';
    return ttt_arena_string(arena, text);
}

ttt_status ttt_grid_from_text(const char *text, ttt_grid *grid, ttt_error *err) {
    json_t *rows;
    TTT_TRY(ttt_json_parse("answer", text, strlen(text), &rows, err));
    ttt_status status = ttt_grid_from_json(rows, grid, err);
    json_decref(rows);
    return status;
}

static int add_pair(json_t *list, const ttt_grid *input, const ttt_grid *output) {
    json_t *pair = json_object();
    int failed = json_object_set_new(pair, "input", ttt_grid_to_json(input));
    if (output != NULL) failed |= json_object_set_new(pair, "output", ttt_grid_to_json(output));
    return json_array_append_new(list, pair) | failed;
}

json_t *ttt_task_to_json(const ttt_task *task) {
    json_t *object = json_object(), *train = json_array(), *test = json_array();
    int failed = json_object_set_new(object, "train", train);
    failed |= json_object_set_new(object, "test", test);
    for (size_t i = 0; i < task->demonstration_count && !failed; i++) {
        failed = add_pair(train, &task->demonstrations[i].input, &task->demonstrations[i].output);
    }
    for (size_t i = 0; i < task->test_count && !failed; i++) {
        failed = add_pair(test, &task->tests[i].input, task->tests[i].known ? &task->tests[i].output : NULL);
    }
    if (!failed) return object;
    json_decref(object);
    return NULL;
}

/* --- Programs ---------------------------------------------------------------------------------------------------- */

static ttt_status take_induced(const ttt_problem *problem, const ttt_induced_answer *from, bool fits, ttt_arena *arena,
                               ttt_induction *induction, ttt_error *err) {
    ttt_induced_record record = {.answers = ttt_arena_allocate(arena, problem->tests, sizeof *record.answers),
                                 .program = ttt_arena_string(arena, from->program),
                                 .language = from->python ? "python" : "ttt",
                                 .fits = fits,
                                 .programs = (int64_t)from->programs,
                                 .cost = from->cost,
                                 .seconds = from->seconds};
    bool whole = record.answers != NULL && record.program != NULL;
    for (size_t i = 0; whole && i < problem->tests; i++) {
        record.answers[i] = ttt_grid_to_text(&from->outputs[i], arena);
        whole = record.answers[i] != NULL;
    }
    if (!whole) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for the answers of programs");
    return TTT_PUSH(induction, record, err);
}

static ttt_status arc_induce(ttt_problem *problem, double seconds, const ttt_stop_flag *stop,
                             const ttt_progress *progress, ttt_arena *arena, ttt_induction *induction, const char **why,
                             ttt_error *err) {
    arc_problem *self = arc(problem);
    ttt_induced induced = {0};
    ttt_status status = TTT_OK;
    *why = NULL;
    if (self->inducer == NULL) return TTT_OK;
    TTT_TRY_OUT(ttt_induce_task(self->inducer, self->task, &self->inducing, seconds, stop, progress, &induced, err));
    induction->count = 0;
    induction->certain = false;
    for (size_t i = 0; i < induced.count; i++) {
        TTT_TRY_OUT(take_induced(problem, &induced.items[i], i < induced.fitting, arena, induction, err));
    }
    induction->certain = induced.certain;
    if (induced.problem[0] != '\0') *why = ttt_arena_string(arena, induced.problem);
out:
    ttt_induced_release(&induced);
    return status;
}

/* --- Training ---------------------------------------------------------------------------------------------------- */

static int32_t pair_tokens(const arc_problem *self, size_t demonstration) {
    return self->codec->ops->pair_tokens(self->codec, &self->task->demonstrations[demonstration]);
}

/* The indices of the demonstrations, the shortest first (equal ones in order). */
static void by_length(const arc_problem *self, size_t *order) {
    for (size_t i = 0; i < self->task->demonstration_count; i++) {
        int32_t tokens = pair_tokens(self, i);
        size_t at = i;
        while (at > 0 && pair_tokens(self, order[at - 1]) > tokens) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = i;
    }
}

/* The `count` shortest demonstrations, in the order of the task. */
static void keep_shortest(const arc_problem *self, size_t count, ttt_pair *kept) {
    const ttt_task *task = self->task;
    size_t order[TTT_DEMONSTRATIONS_MAX], at = 0;
    bool keep[TTT_DEMONSTRATIONS_MAX] = {false};
    by_length(self, order);
    for (size_t i = 0; i < count; i++) keep[order[i]] = true;
    for (size_t i = 0; i < task->demonstration_count; i++) {
        if (keep[i]) kept[at++] = task->demonstrations[i];
    }
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* One pair more than is shown: the one that is asked. */
static ttt_status arc_examples(ttt_problem *problem, const ttt_problem_limits *limits, const ttt_random *random,
                               size_t *count, ttt_error *err) {
    arc_problem *self = arc(problem);
    const ttt_solve_settings *settings = self->settings;
    ttt_task_examples_options options = ttt_task_examples_defaults(self->codec);
    options.loss.first_output = (int32_t)settings->ttt_first_output;
    options.max_tokens = limits->max_tokens;
    options.shorten = !settings->ttt_reference_rules;
    options.derive.transforms = settings->ttt_transforms;
    options.derive.copies = (int)settings->ttt_copies;
    options.derive.zero_moves = settings->ttt_zero_moves;
    options.derive.leave_two_out = settings->ttt_leave_two_out;
    options.derive.cap = (size_t)settings->ttt_examples;
    options.derive.reference = settings->ttt_reference_rules;
    size_t used = least(self->task->demonstration_count, limits->demonstrations + 1);
    keep_shortest(self, used, self->pairs);
    ttt_task_examples_release(&self->examples);
    TTT_TRY(ttt_task_examples_init(&self->examples, self->pairs, used, &options, random, err));
    *count = self->examples.list.count;
    return TTT_OK;
}

static int32_t arc_example_tokens(const ttt_problem *problem, size_t number) {
    return ttt_task_examples_tokens(&arc_const(problem)->examples, number);
}

static ttt_status arc_example(const ttt_problem *problem, size_t number, ttt_sequence *sequence, ttt_error *err) {
    return ttt_task_examples_get(&arc_const(problem)->examples, number, sequence, err);
}

/* --- Views ------------------------------------------------------------------------------------------------------- */

/* Tokens of an answer: as many as the longest output among the demonstrations, or as the test input itself. */
static int32_t room_for_answer(const arc_problem *self, size_t test) {
    const ttt_codec *codec = self->codec;
    const ttt_task *task = self->task;
    int32_t room = codec->ops->grid_tokens(codec, &task->tests[test].input);
    for (size_t i = 0; i < task->demonstration_count; i++) {
        int32_t tokens = codec->ops->grid_tokens(codec, &task->demonstrations[i].output);
        if (tokens > room) room = tokens;
    }
    return room;
}

static void test_release(arc_test *test) {
    ttt_task_release(&test->shown);
    ttt_free(test->views.items);
    ttt_free(test->lengths.items);
    ttt_free(test->slots.items);
    ttt_free(test->replies.items);
    *test = (arc_test){0};
}

/* The copy of the task with what fits; no room even for the question alone: it is exhausted from the start. */
static ttt_status test_prepare(const arc_problem *self, size_t number, const ttt_problem_limits *limits,
                               const ttt_random *random, arc_test *test, ttt_error *err) {
    const ttt_task *task = self->task;
    const ttt_codec *codec = self->codec;
    size_t order[TTT_DEMONSTRATIONS_MAX];
    size_t most = least(least(task->demonstration_count, limits->demonstrations), TTT_EXAMPLE_DEMONSTRATIONS);
    test_release(test);
    by_length(self, order);
    const int32_t room = room_for_answer(self, number);
    int32_t tokens = codec->ops->prompt_tokens(codec, NULL, 0, &task->tests[number].input) + room;
    size_t kept = 0;
    while (kept < most && tokens + pair_tokens(self, order[kept]) <= limits->max_tokens) {
        tokens += pair_tokens(self, order[kept++]);
    }
    TTT_TRY(ttt_task_init(&test->shown, task->id, kept, 1, err));
    keep_shortest(self, kept, test->shown.demonstrations);
    test->shown.tests[0] = task->tests[number];
    test->random = *random;
    test->exhausted = tokens > limits->max_tokens;
    test->prompt_limit = limits->max_tokens - room;
    test->ready = true;
    ttt_random stream = ttt_random_fork(random, 0);
    ttt_view_stream_init(&test->stream, kept, kept, &stream);
    test->stream.colours = self->settings->views_colours;
    test->stream.orders = self->settings->views_orders;
    test->stream.zero_moves = self->settings->views_zero_moves;
    return TTT_OK;
}

static int32_t view_tokens(const arc_problem *self, const arc_test *test, const ttt_view *view) {
    ttt_pair demonstrations[TTT_DEMONSTRATIONS_MAX];
    ttt_grid input;
    ttt_view_build(&test->shown, 0, view, demonstrations, &input);
    return self->codec->ops->prompt_tokens(self->codec, demonstrations, view->count, &input);
}

/* All of the reference's views at once. */
static ttt_status reference_views(const arc_problem *self, arc_test *test, ttt_error *err) {
    enum { ORDERS = 2 };
    ttt_random random = ttt_random_fork(&test->random, 0);
    int left_out = self->trained && test->shown.demonstration_count > 1 ? 1 : 0;
    test->exhausted = true;
    TTT_TRY(ttt_views_reference(&test->shown, 0, left_out, ORDERS, &random, &test->views, err));
    for (size_t i = 0; i < test->views.count; i++) {
        const ttt_view view = test->views.items[i];
        const int32_t tokens = view_tokens(self, test, &view);
        if (tokens > test->prompt_limit) continue;
        test->views.items[test->lengths.count] = view;
        TTT_TRY(TTT_PUSH(&test->lengths, tokens, err));
    }
    test->views.count = test->lengths.count;
    return TTT_OK;
}

/* A view may be longer than the task as it is, of which as much is shown as fits: turned, a grid can have more rows and
 * each ends in a token of its own; and other colours can have longer names. Such views are passed over. */
static ttt_status more_views(const arc_problem *self, arc_test *test, size_t wanted, ttt_error *err) {
    enum { MISSES = 100 }; /* so many too long ones in a row: there are hardly any others */
    if (!test->exhausted && self->settings->views_set == TTT_VIEWS_PAPER) TTT_TRY(reference_views(self, test, err));
    for (int misses = 0; !test->exhausted && test->views.count < wanted;) {
        ttt_view view;
        test->exhausted = misses == MISSES || !ttt_view_stream_next(&test->stream, &view);
        if (test->exhausted) break;
        const int32_t tokens = view_tokens(self, test, &view);
        misses = tokens > test->prompt_limit ? misses + 1 : 0;
        if (misses > 0) continue;
        TTT_TRY(TTT_PUSH(&test->views, view, err));
        TTT_TRY(TTT_PUSH(&test->lengths, tokens, err));
    }
    return TTT_OK;
}

static const ttt_view *view_at(const arc_problem *self, size_t test, size_t view) {
    assert(test < self->base.tests && view < self->tests[test].views.count);
    return &self->tests[test].views.items[view];
}

/* A view's grids: demonstrations and the question. */
static void build_view(const arc_problem *self, size_t test, size_t view, ttt_pair *demonstrations, ttt_grid *input) {
    ttt_view_build(&self->tests[test].shown, 0, view_at(self, test, view), demonstrations, input);
}

static ttt_status arc_views(ttt_problem *problem, size_t number, const ttt_problem_limits *limits,
                            const ttt_random *random, size_t wanted, size_t *count, ttt_error *err) {
    arc_problem *self = arc(problem);
    arc_test *test = &self->tests[number];
    ttt_pair demonstrations[TTT_DEMONSTRATIONS_MAX];
    ttt_grid input;
    assert(number < problem->tests);
    if (!test->ready) TTT_TRY(test_prepare(self, number, limits, random, test, err));
    TTT_TRY(more_views(self, test, wanted, err));
    ttt_random slots = ttt_random_fork(&test->random, 1);
    while (test->replies.count < test->views.count) {
        size_t at = test->replies.count, shown = test->views.items[at].count;
        ttt_random draw = ttt_random_fork(&slots, at);
        ttt_slots drawn = ttt_slots_random(&draw, shown + 1);
        ttt_reply reply;
        build_view(self, number, at, demonstrations, &input);
        self->codec->ops->reply(self->codec, demonstrations, shown, &input, &drawn, &reply);
        TTT_TRY(TTT_PUSH(&test->slots, drawn, err));
        TTT_TRY(TTT_PUSH(&test->replies, reply, err));
    }
    *count = least(test->views.count, wanted);
    return TTT_OK;
}

static void view_name(const ttt_view *view, char *name, size_t bytes) {
    char symmetry[TTT_TRANSFORM_NAME];
    ttt_transform_name(ttt_symmetry_transform(view->symmetry), symmetry);
    size_t length = (size_t)snprintf(name, bytes, "%s", symmetry);
    for (int i = 0; i < view->count && length < bytes; i++) {
        length += (size_t)snprintf(name + length, bytes - length, "%s%d", i == 0 ? " order " : ",", view->order[i]);
    }
    if (ttt_colours_are_identity(&view->colours) || length >= bytes) return;
    length += (size_t)snprintf(name + length, bytes - length, " colours ");
    for (int i = 0; i < TTT_COLOURS && length < bytes; i++) {
        length += (size_t)snprintf(name + length, bytes - length, "%d", view->colours.map[i]);
    }
}

static void arc_view_facts(const ttt_problem *problem, size_t test, size_t number, ttt_view_facts *facts) {
    const arc_problem *self = arc_const(problem);
    const ttt_view *view = view_at(self, test, number);
    *facts = (ttt_view_facts){.group = (int32_t)ttt_vote_group_of(view->symmetry),
                              .identity = ttt_view_is_identity(view),
                              .demonstrations = view->count,
                              .prompt_tokens = self->tests[test].lengths.items[number]};
    view_name(view, facts->name, sizeof facts->name);
}

static ttt_status arc_prompt(const ttt_problem *problem, size_t test, size_t number, ttt_sequence *sequence,
                             ttt_error *err) {
    const arc_problem *self = arc_const(problem);
    ttt_pair demonstrations[TTT_DEMONSTRATIONS_MAX];
    ttt_grid input;
    build_view(self, test, number, demonstrations, &input);
    return self->codec->ops->prompt(self->codec, demonstrations, view_at(self, test, number)->count, &input,
                                    &self->tests[test].slots.items[number], sequence, err);
}

static ttt_decode_grammar arc_grammar(ttt_problem *problem, size_t test, size_t view) {
    arc_problem *self = arc(problem);
    return self->codec->ops->grammar(self->codec, &self->tests[test].replies.items[view]);
}

/* Twice what the task has shown, so that a model that babbles does not use up everybody's time. */
static int32_t arc_answer_limit(const ttt_problem *problem, size_t test) {
    const arc_problem *self = arc_const(problem);
    int32_t limit = 2 * room_for_answer(self, test) + 32;
    return limit < self->codec->answer_tokens ? limit : self->codec->answer_tokens;
}

static double arc_answer_guess(const ttt_problem *problem, size_t test) {
    const ttt_codec *codec = arc_const(problem)->codec;
    const ttt_task *task = arc_const(problem)->task;
    (void)test;
    double sum = 0;
    for (size_t i = 0; i < task->demonstration_count; i++)
        sum += codec->ops->grid_tokens(codec, &task->demonstrations[i].output);
    return sum / (double)task->demonstration_count;
}

static ttt_status arc_parse(const ttt_problem *problem, size_t test, size_t view, const int32_t *ids, int32_t count,
                            ttt_arena *arena, const char **text, ttt_error *err) {
    const arc_problem *self = arc_const(problem);
    ttt_grid answer, back;
    *text = NULL;
    if (!self->codec->ops->parse(self->codec, ids, count, &answer)) return TTT_OK;
    ttt_view_invert(view_at(self, test, view), &answer, &back);
    *text = ttt_grid_to_text(&back, arena);
    return *text == NULL ? ttt_fail(err, TTT_ERROR_MEMORY, "no memory for an answer") : TTT_OK;
}

static ttt_status arc_encode(const ttt_problem *problem, size_t test, size_t number, const char *text,
                             ttt_sequence *sequence, int32_t *first_target, ttt_error *err) {
    const arc_problem *self = arc_const(problem);
    ttt_grid own, seen;
    TTT_TRY(ttt_grid_from_text(text, &own, err));
    ttt_view_apply(view_at(self, test, number), &own, &seen);
    return self->codec->ops->answer(self->codec, &self->tests[test].replies.items[number], &seen, sequence,
                                    first_target, err);
}

/* --- The end ----------------------------------------------------------------------------------------------------- */

static const char *arc_fallback(const ttt_problem *problem, size_t test) {
    (void)problem, (void)test;
    return "[[0]]";
}

ttt_status ttt_arc_vote(const char *const *answers, const int32_t *groups, size_t count, ttt_arena *arena,
                        const char *attempts[2], ttt_error *err) {
    ttt_status status = TTT_OK;
    ttt_grid chosen[2];
    bool found = false;
    ttt_vote_answer *votes = ttt_allocate(count, sizeof *votes);
    if (votes == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for %zu votes", count);
    for (size_t i = 0; i < count; i++) {
        TTT_TRY_OUT(ttt_grid_from_text(answers[i], &votes[i].grid, err));
        votes[i].group = (ttt_vote_group)groups[i];
    }
    TTT_TRY_OUT(ttt_vote_two_stage(votes, count, chosen, &found, err));
    assert(found);
    for (int i = 0; i < 2; i++) {
        attempts[i] = ttt_grid_to_text(&chosen[i], arena);
        if (attempts[i] == NULL) TTT_TRY_OUT(ttt_fail(err, TTT_ERROR_MEMORY, "no memory for an attempt"));
    }
out:
    ttt_free(votes);
    return status;
}

static json_t *arc_to_json(const ttt_problem *problem) {
    return ttt_task_to_json(arc_const(problem)->task);
}

static void arc_free(ttt_problem *problem) {
    arc_problem *self = arc(problem);
    for (size_t i = 0; self->tests != NULL && i < problem->tests; i++) test_release(&self->tests[i]);
    ttt_free(self->tests);
    ttt_task_examples_release(&self->examples);
    ttt_inducing_release(&self->inducing);
    ttt_free(self->pairs);
    ttt_free(self);
}

/* New limits make new views. */
static void arc_forget_views(ttt_problem *problem) {
    for (size_t i = 0; i < problem->tests; i++) test_release(&arc(problem)->tests[i]);
}

static const ttt_problem_ops arc_ops = {
    .kind = "arc",
    .free = arc_free,
    .induce = arc_induce,
    .examples = arc_examples,
    .example_tokens = arc_example_tokens,
    .example = arc_example,
    .views = arc_views,
    .forget_views = arc_forget_views,
    .view_facts = arc_view_facts,
    .prompt = arc_prompt,
    .grammar = arc_grammar,
    .answer_limit = arc_answer_limit,
    .answer_guess = arc_answer_guess,
    .parse = arc_parse,
    .encode = arc_encode,
    .fallback = arc_fallback,
    .vote = ttt_arc_vote,
    .to_json = arc_to_json,
};

ttt_status ttt_problem_arc_new(const ttt_task *task, const ttt_codec *codec, const ttt_solve_settings *settings,
                               bool trained, const ttt_inducer *inducer, ttt_problem **problem, ttt_error *err) {
    arc_problem *self = ttt_allocate(1, sizeof *self);
    *problem = NULL;
    if (self == NULL) return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for task '%s'", task->id);
    self->base = (ttt_problem){
        .ops = &arc_ops, .id = task->id, .tests = task->test_count, .demonstrations = task->demonstration_count};
    self->task = task;
    self->codec = codec;
    self->inducer = inducer;
    self->settings = settings;
    self->trained = trained;
    self->pairs = ttt_allocate(task->demonstration_count, sizeof *self->pairs);
    self->tests = ttt_allocate(task->test_count, sizeof *self->tests);
    if (self->pairs == NULL || self->tests == NULL) {
        arc_free(&self->base);
        return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for task '%s'", task->id);
    }
    *problem = &self->base;
    return TTT_OK;
}
