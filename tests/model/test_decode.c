/* The cache, decoding and scoring, against the plain forward pass. */
#include "support.h"

#include "model/fixture.h"

#include "base/memory.h"
#include "model/cached_batch.h"

#include <math.h>

enum { WORDS = (FIXTURE_VOCABULARY + 31) / 32, ANSWER_MAX = 24 };

static bool ends(int32_t id) {
    return id % 6 == 1;
}

/* ---------------------------------------------------------------------------------------------- a toy grammar */

/* Answers of even and odd ids by turns; from the fourth token on those that end it are legal, too. */
typedef struct toy {
    int32_t count, first_position;
} toy;

static void toy_allow(const toy *g, uint32_t *allowed) {
    for (int32_t id = 0; id < FIXTURE_VOCABULARY; id++) {
        if (id % 2 == g->count % 2 && (!ends(id) || g->count >= 3)) allowed[id / 32] |= 1u << id % 32;
    }
}

static void toy_begin(void *state, uint32_t *allowed) {
    toy *g = state;
    g->count = 0;
    for (int i = 0; i < WORDS; i++) assert_int_equal(allowed[i], 0);
    toy_allow(g, allowed);
}

static void toy_position(const toy *g, int32_t index, int32_t *position) {
    position[0] = g->first_position + index / 3;
    position[1] = index % 3;
    position[2] = 1;
}

static bool toy_advance(void *state, int32_t id, int32_t *position, uint32_t *allowed) {
    toy *g = state;
    for (int i = 0; i < WORDS; i++) assert_int_equal(allowed[i], 0);
    toy_position(g, g->count++, position);
    toy_allow(g, allowed);
    return !ends(id);
}

/* ---------------------------------------------------------------------------------------------- setup */

enum { PROMPTS = 9, ROOM = 96 };

typedef struct setup {
    ttt_backend *backend;
    ttt_model *model;
    ttt_session *session;
    ttt_kv_cache *cache;
    ttt_sequence prompts[PROMPTS];
    toy grammars[PROMPTS];
    ttt_decode_request requests[PROMPTS];
} setup;

/* Prompts of 1 to 250 tokens (several pieces of ROOM), with look-ahead blocks here and there. Filled in place: the
 * requests point into it. */
static void setup_start(setup *s, bool lora, int32_t pages, int32_t sequences) {
    ttt_error err;
    s->backend = fixture_backend();
    const ttt_model_config config = fixture_config(true);
    s->model = fixture_model(s->backend, &config);
    ttt_session_options options = lora ? fixture_lora(ROOM, (1u << TTT_LINEAR_COUNT) - 1) : fixture_inference(ROOM);
    s->session = fixture_session(s->model, &options);
    const int32_t lengths[PROMPTS] = {5, 64, 1, 250, 63, 96, 97, 130, 20};
    for (int32_t i = 0; i < PROMPTS; i++) {
        const int32_t n = lengths[i];
        s->prompts[i] = fixture_sequence(100 + (uint64_t)i, n, n / 3, n / 3 + (n < 90 ? n / 3 : 30));
        s->grammars[i] = (toy){.first_position = i};
        s->requests[i] =
            (ttt_decode_request){.prompt = &s->prompts[i],
                                 .grammar = {.state = &s->grammars[i], .begin = toy_begin, .advance = toy_advance},
                                 .max_tokens = ANSWER_MAX - i};
    }
    ASSERT_OK(ttt_kv_cache_new(s->model, pages, sequences, &s->cache, &err));
}

static void setup_free(setup *s) {
    ttt_kv_cache_free(s->cache);
    ttt_session_free(s->session);
    for (int i = 0; i < PROMPTS; i++) ttt_sequence_release(&s->prompts[i]);
    ttt_model_free(s->model);
    ttt_backend_free(s->backend);
}

/* Some training, so that an adapter does something. */
static void train(setup *s) {
    ttt_error err;
    float loss[ROOM];
    double norm;
    const ttt_adamw adamw = {.learning_rate = 0.03f, .beta1 = 0.9f, .beta2 = 0.99f, .epsilon = 1e-8f};
    ttt_packing *packing = fixture_packing(&s->prompts[4], 1, ROOM);
    for (int i = 0; i < 3; i++) {
        ASSERT_OK(ttt_session_train(s->session, packing, loss, &err));
        ASSERT_OK(ttt_session_step(s->session, adamw, 1, &norm, &err));
    }
    ttt_packing_free(packing);
}

static ttt_session *large_session(const setup *s, bool lora) {
    ttt_session_options options = lora ? fixture_lora(512, (1u << TTT_LINEAR_COUNT) - 1) : fixture_inference(512);
    ttt_session *session = fixture_session(s->model, &options);
    if (!lora) return session;
    ttt_error err;
    support_path folder = support_temporary_folder(), path = support_join(folder.text, "state.safetensors");
    ASSERT_OK(ttt_session_save_state(s->session, path.text, NULL, &err));
    ASSERT_OK(ttt_session_load_state(session, path.text, NULL, &err));
    support_remove_folder(folder.text);
    return session;
}

/* The greedy answer by whole forward passes over prompt and answer so far, without a cache. */
static ttt_decode_answer naive(const setup *s, ttt_session *session, int32_t request) {
    ttt_error err;
    const ttt_decode_request *r = &s->requests[request];
    ttt_decode_answer answer = {.ids = ttt_allocate((size_t)r->max_tokens, sizeof(int32_t))};
    ttt_sequence whole = {0};
    ASSERT_OK(ttt_sequence_reserve(&whole, r->prompt->length + r->max_tokens, FIXTURE_AXES, &err));
    for (int32_t t = 0; t < r->prompt->length; t++) {
        ttt_sequence_append(&whole, r->prompt->ids[t], r->prompt->positions + t * FIXTURE_AXES);
        whole.kv_high[t] = r->prompt->kv_high[t];
    }
    ttt_packing *packing;
    ASSERT_OK(ttt_packing_new(512, 1, FIXTURE_AXES, 0, &packing, &err));
    toy grammar = s->grammars[request];
    uint32_t allowed[WORDS] = {0};
    toy_begin(&grammar, allowed);
    for (;;) {
        ttt_packing_clear(packing);
        ttt_packing_add(packing, &whole, 0, 1);
        ttt_buffer *final;
        float p[FIXTURE_VOCABULARY];
        const int32_t row = whole.length - 1;
        ASSERT_OK(ttt_forward(&session->network, session->activations, ttt_packing_batch(packing), NULL, &final, &err));
        ASSERT_OK(session->ops->next_log_probabilities(session->activations->workspace, &session->network.output, final,
                                                       1, &row, allowed, p, &err));
        int32_t best = 0;
        for (int32_t v = 1; v < FIXTURE_VOCABULARY; v++) best = p[v] > p[best] ? v : best;
        answer.ids[answer.count++] = best;
        answer.log_probability += (double)p[best];
        int32_t position[FIXTURE_AXES];
        memset(allowed, 0, sizeof allowed);
        answer.end = TTT_DECODE_COMPLETE;
        if (!toy_advance(&grammar, best, position, allowed)) break;
        answer.end = TTT_DECODE_TOO_LONG;
        if (answer.count == r->max_tokens) break;
        ttt_sequence_append(&whole, best, position);
    }
    ttt_packing_free(packing);
    ttt_sequence_release(&whole);
    return answer;
}

static void assert_same_answer(const ttt_decode_answer *a, const ttt_decode_answer *b) {
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->end, b->end);
    assert_memory_equal(a->ids, b->ids, (size_t)a->count * sizeof *a->ids);
    assert_true(a->log_probability == b->log_probability); /* rows do not depend on their batch: not even by a bit */
}

/* ---------------------------------------------------------------------------------------------- decoding */

static void greedy__equals_repeated_whole_passes_whatever_the_batch(void **state) {
    (void)state;
    for (int lora = 0; lora < 2; lora++) {
        setup s;
        setup_start(&s, lora != 0, 40, 8);
        if (lora != 0) train(&s);
        ttt_session *large = large_session(&s, lora != 0);
        ttt_decode_answer expected[PROMPTS], found[PROMPTS];
        ttt_error err;
        int complete = 0;
        for (int32_t i = 0; i < PROMPTS; i++) {
            expected[i] = naive(&s, large, i);
            complete += expected[i].end == TTT_DECODE_COMPLETE;
        }
        assert_in_range(complete, 1, PROMPTS - 1); /* some end by the grammar, some by their length */
        const int32_t batches[] = {1, 3, 8};
        for (size_t b = 0; b < 3; b++) {
            const ttt_decode_options options = {.max_batch = batches[b]};
            ASSERT_OK(ttt_decode(s.session, s.cache, s.requests, PROMPTS, &options, found, &err));
            assert_int_equal(ttt_kv_cache_free_pages(s.cache), 40);
            for (int i = 0; i < PROMPTS; i++) {
                assert_same_answer(&found[i], &expected[i]);
                ttt_decode_answer_release(&found[i]);
            }
        }
        for (int i = 0; i < PROMPTS; i++) ttt_decode_answer_release(&expected[i]);
        ttt_session_free(large);
        setup_free(&s);
    }
}

/* Guesses: the tokens of `answers` from number `count` on, but every `wrong`th of them another one (0: none); and how
 * often one was asked for. */
typedef struct oracle {
    const ttt_decode_answer *answers;
    int32_t wrong, asked;
} oracle;

static int32_t oracle_guess(void *context, size_t request, const ttt_decode_answer *answer, int32_t *ids,
                            int32_t room) {
    oracle *o = context;
    const ttt_decode_answer *truth = &o->answers[request];
    int32_t count = 0;
    assert_in_range(room, 1, ROOM);
    assert_memory_equal(answer->ids, truth->ids, (size_t)answer->count * sizeof *answer->ids);
    o->asked++;
    for (int32_t i = answer->count; i < truth->count && count < room; i++) {
        /* By two: the grammar may go along with it. By one: it never does. */
        const bool wrong = o->wrong > 0 && i % o->wrong == 0;
        ids[count++] = wrong ? (truth->ids[i] + 2 - i % 4 / 3) % FIXTURE_VOCABULARY : truth->ids[i];
    }
    /* More than the answer needs, and nothing that is an id at all. */
    for (; count < room && o->wrong == 1; count++) ids[count] = FIXTURE_VOCABULARY + 7 * count - 20;
    return count;
}

static void guesses__change_no_answer_and_save_steps(void **state) {
    (void)state;
    setup s;
    setup_start(&s, false, 40, 8);
    for (int i = 0; i < PROMPTS; i++) s.requests[i].grammar.state_bytes = sizeof s.grammars[i];
    ttt_decode_answer expected[PROMPTS], found[PROMPTS];
    ttt_error err;
    int32_t tokens = 0;
    const ttt_decode_options plain = {.max_batch = 8};
    ASSERT_OK(ttt_decode(s.session, s.cache, s.requests, PROMPTS, &plain, expected, &err));
    for (int i = 0; i < PROMPTS; i++) tokens += expected[i].count;
    for (int32_t wrong = 0; wrong < 6; wrong++) {
        const int32_t batches[] = {1, 3, 8};
        for (size_t b = 0; b < 3; b++) {
            oracle o = {.answers = expected, .wrong = wrong};
            const ttt_decode_options options = {.max_batch = batches[b], .guess = oracle_guess, .context = &o};
            ASSERT_OK(ttt_decode(s.session, s.cache, s.requests, PROMPTS, &options, found, &err));
            assert_int_equal(ttt_kv_cache_free_pages(s.cache), 40);
            for (int i = 0; i < PROMPTS; i++) {
                assert_same_answer(&found[i], &expected[i]);
                ttt_decode_answer_release(&found[i]);
            }
            /* The first token comes with the prompt; all that is right comes in steps of 1 + 8, 1 + 16 tokens. */
            if (wrong == 0) assert_in_range(o.asked, 1, 2 * PROMPTS);
            if (wrong == 5) assert_in_range(o.asked, tokens / 6, tokens / 2);
        }
    }
    for (int i = 0; i < PROMPTS; i++) ttt_decode_answer_release(&expected[i]);
    setup_free(&s);
}

static void greedy__gets_through_with_a_cache_that_holds_only_the_longest(void **state) {
    (void)state;
    setup s;
    setup_start(&s, false, 5, 2); /* 250 + 21 tokens: five pages */
    ttt_decode_answer found[PROMPTS];
    ttt_error err;
    const ttt_decode_options options = {.max_batch = 8};
    ASSERT_OK(ttt_decode(s.session, s.cache, s.requests, PROMPTS, &options, found, &err));
    for (int i = 0; i < PROMPTS; i++) {
        assert_true(found[i].count > 0 && found[i].end != TTT_DECODE_OUT_OF_TIME);
        ttt_decode_answer_release(&found[i]);
    }
    ttt_kv_cache_free(s.cache);
    ASSERT_OK(ttt_kv_cache_new(s.model, 4, 2, &s.cache, &err));
    ASSERT_FAILS(ttt_decode(s.session, s.cache, s.requests, PROMPTS, &options, found, &err), TTT_ERROR_ARGUMENT,
                 "request 3 can need 5 pages");
    assert_int_equal(ttt_kv_cache_free_pages(s.cache), 4);
    setup_free(&s);
}

typedef struct watch {
    size_t finished, allocations, first_count;
    int seen[PROMPTS];
} watch;

static void watch_finished(void *context, size_t request, const ttt_decode_answer *answer) {
    watch *w = context;
    (void)answer;
    w->seen[request]++;
    if (w->finished++ == 0) w->first_count = ttt_memory_allocation_count();
    w->allocations = ttt_memory_allocation_count();
}

static void greedy__allocates_nothing_while_it_decodes_and_reports_each_answer_once(void **state) {
    (void)state;
    setup s;
    setup_start(&s, false, 40, 8);
    ttt_decode_answer found[PROMPTS];
    ttt_error err;
    watch w = {0};
    const ttt_decode_options options = {.max_batch = 2, .finished = watch_finished, .context = &w};
    ASSERT_OK(ttt_decode(s.session, s.cache, s.requests, PROMPTS, &options, found, &err));
    assert_int_equal(w.finished, PROMPTS);
    assert_int_equal(w.allocations, w.first_count);
    for (int i = 0; i < PROMPTS; i++) {
        assert_int_equal(w.seen[i], 1);
        ttt_decode_answer_release(&found[i]);
    }
    setup_free(&s);
}

/* Requests with one prompt in groups of three, two, one, two and one; the prompt of one token is not worth a group. */
static void group_requests(setup *s) {
    static const int prompts[PROMPTS] = {3, 3, 3, 7, 7, 5, 2, 2, 3};
    for (int i = 0; i < PROMPTS; i++) s->requests[i].prompt = &s->prompts[prompts[i]];
}

static void groups__answer_as_their_requests_alone(void **state) {
    (void)state;
    static const int32_t caches[][2] = {{40, 8}, {14, 4}, {7, 3}, {6, 2}, {5, 2}, {40, 1}}; /* pages, sequences */
    setup s;
    setup_start(&s, false, 40, 8);
    group_requests(&s);
    ttt_decode_answer expected[PROMPTS], found[PROMPTS];
    ttt_error err;
    const ttt_decode_options options = {.max_batch = 8};
    for (int i = 0; i < PROMPTS; i++) {
        ASSERT_OK(ttt_decode(s.session, s.cache, &s.requests[i], 1, &options, &expected[i], &err));
    }
    for (size_t c = 0; c < sizeof caches / sizeof *caches; c++) {
        ttt_kv_cache_free(s.cache);
        ASSERT_OK(ttt_kv_cache_new(s.model, caches[c][0], caches[c][1], &s.cache, &err));
        ASSERT_OK(ttt_decode(s.session, s.cache, s.requests, PROMPTS, &options, found, &err));
        assert_int_equal(ttt_kv_cache_free_pages(s.cache), caches[c][0]);
        for (int i = 0; i < PROMPTS; i++) {
            assert_same_answer(&found[i], &expected[i]);
            ttt_decode_answer_release(&found[i]);
        }
    }
    for (int i = 0; i < PROMPTS; i++) ttt_decode_answer_release(&expected[i]);
    setup_free(&s);
}

/* How many answers were under way at once, at most. */
typedef struct crowd {
    ttt_decode_options options;
    int begun, finished, most;
    bool enough; /* the first answer is */
} crowd;

static crowd *watched; /* grammars have a state of their own */

static void crowd_begin(void *state, uint32_t *allowed) {
    const int now = ++watched->begun - watched->finished;
    if (now > watched->most) watched->most = now;
    toy_begin(state, allowed);
}

static void crowd_finished(void *context, size_t request, const ttt_decode_answer *answer) {
    crowd *c = context;
    (void)request, (void)answer;
    c->finished++;
    if (c->enough) c->options.deadline = ttt_clock_seconds();
}

/* 250 tokens of prompt are four pages, of which three are full, and an answer ends in a fifth: each request by itself
 * takes five, one of a group two. */
static void groups__take_the_pages_of_their_prompt_once(void **state) {
    (void)state;
    setup s;
    setup_start(&s, false, 10, 8);
    group_requests(&s);
    ttt_decode_answer found[3];
    ttt_error err;
    crowd c = {.options = {.max_batch = 8, .finished = crowd_finished, .context = &c}};
    watched = &c;
    for (int i = 0; i < 3; i++) s.requests[i].grammar.begin = crowd_begin;
    ASSERT_OK(ttt_decode(s.session, s.cache, s.requests, 3, &c.options, found, &err));
    assert_int_equal(c.most, 3);
    for (int i = 0; i < 3; i++) ttt_decode_answer_release(&found[i]);
    setup_free(&s);
}

/* The first answer would find room beside four pages of shared prompt, the second not; each fits alone. */
static void groups__leave_room_for_the_longest_answer(void **state) {
    (void)state;
    setup s;
    setup_start(&s, false, 5, 8);
    group_requests(&s);
    s.requests[0].max_tokens = 3;
    s.requests[1].max_tokens = 50; /* ends in a fifth page */
    ttt_decode_answer found[2];
    ttt_error err;
    const ttt_decode_options options = {.max_batch = 8};
    ASSERT_OK(ttt_decode(s.session, s.cache, s.requests, 2, &options, found, &err));
    for (int i = 0; i < 2; i++) ttt_decode_answer_release(&found[i]);
    setup_free(&s);
}

static void finished__may_end_the_decoding(void **state) {
    (void)state;
    setup s;
    setup_start(&s, false, 40, 8);
    ttt_decode_answer found[PROMPTS];
    ttt_error err;
    int late = 0;
    crowd c = {.options = {.max_batch = 2, .finished = crowd_finished, .context = &c}, .enough = true};
    ASSERT_OK(ttt_decode(s.session, s.cache, s.requests, PROMPTS, &c.options, found, &err));
    assert_int_equal(c.finished, PROMPTS);
    for (int i = 0; i < PROMPTS; i++) {
        late += found[i].end == TTT_DECODE_OUT_OF_TIME;
        ttt_decode_answer_release(&found[i]);
    }
    assert_in_range(late, PROMPTS - 2, PROMPTS - 1);
    setup_free(&s);
}

static void greedy__stops_in_time(void **state) {
    (void)state;
    setup s;
    setup_start(&s, false, 40, 8);
    ttt_decode_answer found[PROMPTS];
    ttt_error err;
    ttt_stop_flag stop = 1;
    watch w = {0};
    const ttt_decode_options late = {.max_batch = 8, .deadline = ttt_clock_seconds() - 1},
                             stopped = {.max_batch = 8, .stop = &stop, .finished = watch_finished, .context = &w};
    ASSERT_OK(ttt_decode(s.session, s.cache, s.requests, PROMPTS, &late, found, &err));
    for (int i = 0; i < PROMPTS; i++) {
        assert_int_equal(found[i].end, TTT_DECODE_OUT_OF_TIME);
        ttt_decode_answer_release(&found[i]);
    }
    ASSERT_OK(ttt_decode(s.session, s.cache, s.requests, PROMPTS, &stopped, found, &err));
    assert_int_equal(w.finished, PROMPTS);
    for (int i = 0; i < PROMPTS; i++) ttt_decode_answer_release(&found[i]);
    setup_free(&s);
}

static void greedy__refuses_what_it_cannot_read(void **state) {
    (void)state;
    setup s;
    setup_start(&s, false, 40, 8);
    ttt_decode_answer found[PROMPTS];
    ttt_error err;
    const ttt_decode_options options = {.max_batch = 8};
    s.prompts[3].kv_high[10] = 10 + ROOM + 1; /* look-ahead over more than a batch */
    ASSERT_FAILS(ttt_decode(s.session, s.cache, s.requests, PROMPTS, &options, found, &err), TTT_ERROR_ARGUMENT,
                 "request 3: tokens from 10 on see ahead");
    assert_int_equal(ttt_kv_cache_free_pages(s.cache), 40);
    assert_null(found[0].ids);
    s.prompts[1].ids[2] = -1;
    ASSERT_FAILS(ttt_decode(s.session, s.cache, s.requests, PROMPTS, &options, found, &err), TTT_ERROR_ARGUMENT,
                 "request 1: token 2 of the prompt has id -1");
    s.prompts[0].length = 0;
    ASSERT_FAILS(ttt_decode(s.session, s.cache, s.requests, PROMPTS, &options, found, &err), TTT_ERROR_ARGUMENT,
                 "request 0 has 0 tokens of prompt");
    setup_free(&s);
}

static void greedy__says_so_where_the_context_ends(void **state) {
    (void)state;
    setup s;
    setup_start(&s, false, 40, 8);
    ttt_error err;
    ttt_decode_answer found[2];
    ttt_sequence prompts[2] = {fixture_sequence(1, 512, 0, 0), fixture_sequence(2, 509, 0, 0)};
    ttt_decode_request requests[2] = {s.requests[0], s.requests[1]};
    for (int i = 0; i < 2; i++) requests[i].prompt = &prompts[i];
    const ttt_decode_options options = {.max_batch = 8};
    ASSERT_OK(ttt_decode(s.session, s.cache, requests, 2, &options, found, &err));
    assert_int_equal(found[0].end, TTT_DECODE_TOO_LONG);
    assert_int_equal(found[0].count, 0);
    assert_int_equal(found[1].end, TTT_DECODE_TOO_LONG); /* three tokens are no answer of the grammar */
    assert_int_equal(found[1].count, 3);
    for (int i = 0; i < 2; i++) {
        ttt_decode_answer_release(&found[i]);
        ttt_sequence_release(&prompts[i]);
    }
    setup_free(&s);
}

/* ---------------------------------------------------------------------------------------------- scoring */

/* Answers to a prompt, as one sequence each that continues it: of these lengths. */
enum { CANDIDATES = 6 };
static const int32_t CANDIDATE_LENGTH[CANDIDATES] = {3, 0, 40, 64, 150, 1};

/* The same by one whole pass over prompt and candidate. */
static double naive_score(ttt_session *session, const ttt_sequence *prompt, const ttt_sequence *candidate,
                          int32_t first_target) {
    ttt_error err;
    ttt_sequence whole = {0};
    const int32_t base = prompt->length;
    ASSERT_OK(ttt_sequence_reserve(&whole, base + candidate->length, FIXTURE_AXES, &err));
    for (int32_t t = 0; t < base + candidate->length; t++) {
        const ttt_sequence *from = t < base ? prompt : candidate;
        const int32_t at = t < base ? t : t - base;
        ttt_sequence_append(&whole, from->ids[at], from->positions + at * FIXTURE_AXES);
        whole.kv_high[t] = from->kv_high[at] + (t < base ? 0 : base);
        whole.targets[t] = t < base ? -1 : candidate->targets[at];
    }
    whole.targets[base - 1] = first_target;
    ttt_packing *packing = fixture_packing(&whole, 1, 512);
    float loss[512];
    ASSERT_OK(ttt_session_loss(session, packing, loss, &err));
    double sum = 0;
    for (int32_t i = 0; i < ttt_sequence_counted(&whole); i++) sum -= (double)loss[i];
    ttt_packing_free(packing);
    ttt_sequence_release(&whole);
    return sum;
}

static void score__equals_whole_passes_in_batches_in_pieces_and_in_a_tight_cache(void **state) {
    (void)state;
    const int32_t pages[] = {60, 8}; /* prompt: three pages; candidate 4: a copied page and three more */
    for (size_t p = 0; p < 2; p++) {
        setup s;
        setup_start(&s, false, pages[p], 8);
        ttt_session *large = large_session(&s, false);
        ttt_error err;
        ttt_sequence candidates[CANDIDATES];
        const int32_t first_target[CANDIDATES] = {1, 2, 3, 4, 5, 6};
        for (int32_t c = 0; c < CANDIDATES; c++) {
            candidates[c] = fixture_sequence(50 + (uint64_t)c, CANDIDATE_LENGTH[c], 0, 2);
            if (CANDIDATE_LENGTH[c] == 1) candidates[c].kv_high[0] = 1;
        }
        const ttt_decode_options options = {.max_batch = 8};
        double found[CANDIDATES];
        size_t done;
        ASSERT_OK(ttt_decode_score(s.session, s.cache, &s.prompts[7], candidates, first_target, CANDIDATES, &options,
                                   found, &done, &err));
        assert_int_equal(done, CANDIDATES);
        assert_int_equal(ttt_kv_cache_free_pages(s.cache), pages[p]);
        for (int32_t c = 0; c < CANDIDATES; c++) {
            const double expected = naive_score(large, &s.prompts[7], &candidates[c], first_target[c]);
            /* The sum is over the same float32 numbers but for the first, which comes by another operation. */
            assert_true(fabs(found[c] - expected) <= 1e-5 * (1 + fabs(expected)));
            ttt_sequence_release(&candidates[c]);
        }
        ttt_session_free(large);
        setup_free(&s);
    }
}

static void score__stops_in_time_and_refuses_foreign_targets(void **state) {
    (void)state;
    setup s;
    setup_start(&s, false, 40, 8);
    ttt_error err;
    double found[2];
    size_t done = 9;
    int32_t first_target[2] = {1, FIXTURE_VOCABULARY};
    const ttt_decode_options late = {.max_batch = 8, .deadline = ttt_clock_seconds() - 1};
    ASSERT_OK(
        ttt_decode_score(s.session, s.cache, &s.prompts[0], &s.prompts[1], first_target, 1, &late, found, &done, &err));
    assert_int_equal(done, 0);
    ASSERT_FAILS(
        ttt_decode_score(s.session, s.cache, &s.prompts[0], &s.prompts[1], first_target, 2, &late, found, &done, &err),
        TTT_ERROR_ARGUMENT, "candidate 1 has a target");
    assert_int_equal(ttt_kv_cache_free_pages(s.cache), 40);
    setup_free(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greedy__equals_repeated_whole_passes_whatever_the_batch),
        cmocka_unit_test(greedy__gets_through_with_a_cache_that_holds_only_the_longest),
        cmocka_unit_test(guesses__change_no_answer_and_save_steps),
        cmocka_unit_test(greedy__allocates_nothing_while_it_decodes_and_reports_each_answer_once),
        cmocka_unit_test(groups__answer_as_their_requests_alone),
        cmocka_unit_test(groups__take_the_pages_of_their_prompt_once),
        cmocka_unit_test(groups__leave_room_for_the_longest_answer),
        cmocka_unit_test(finished__may_end_the_decoding),
        cmocka_unit_test(greedy__stops_in_time),
        cmocka_unit_test(greedy__refuses_what_it_cannot_read),
        cmocka_unit_test(greedy__says_so_where_the_context_ends),
        cmocka_unit_test(score__equals_whole_passes_in_batches_in_pieces_and_in_a_tight_cache),
        cmocka_unit_test(score__stops_in_time_and_refuses_foreign_targets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
