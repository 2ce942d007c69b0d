/* `ttt complete`: text from a language model, token by token. It is how one checks that a model was read right. */
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/models.h"
#include "cli/options.h"
#include "cli/text.h"
#include "model/adapter.h"
#include "model/decode.h"
#include "model/sample.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct complete_options {
    const char *model, *adapter, *prompt, *device;
    int64_t max_tokens, top_k, threads, seed;
    double temperature, top_p;
    bool chat, json;
} complete_options;

#define AT(member) offsetof(complete_options, member)
static const ttt_option complete_table[] = {
    {.name = "model",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(model),
     .argument = "PATH",
     .help = "a model folder with tokenizer.json, or a GGUF file"},
    {.name = "adapter",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(adapter),
     .argument = "FOLDER",
     .help = "a PEFT adapter on top of the model"},
    {.name = "prompt",
     .kind = TTT_OPTION_TEXT,
     .offset = AT(prompt),
     .argument = "TEXT",
     .help = "what is to be continued (default: standard input)"},
    {.name = "max-tokens",
     .kind = TTT_OPTION_INTEGER,
     .offset = AT(max_tokens),
     .argument = "N",
     .fallback = "128",
     .minimum = 0,
     .maximum = 16777216,
     .help = "most new tokens; the end of the model's context also ends"},
    {.name = "chat",
     .kind = TTT_OPTION_FLAG,
     .offset = AT(chat),
     .help = "the prompt is a user's message to a chat model, which answers"},
    {.name = "temperature",
     .kind = TTT_OPTION_NUMBER,
     .offset = AT(temperature),
     .argument = "T",
     .fallback = "0",
     .minimum = 0,
     .maximum = 100,
     .help = "0: always the most probable token"},
    {.name = "top-k",
     .kind = TTT_OPTION_INTEGER,
     .offset = AT(top_k),
     .argument = "K",
     .fallback = "0",
     .minimum = 0,
     .maximum = 16777216,
     .help = "draw from the K most probable tokens; 0: all"},
    {.name = "top-p",
     .kind = TTT_OPTION_NUMBER,
     .offset = AT(top_p),
     .argument = "P",
     .fallback = "1",
     .minimum = 1e-9,
     .maximum = 1,
     .help = "draw from the fewest tokens whose share reaches P"},
    TTT_OPTION_ROW_SEED(AT(seed), "of every draw"),
    TTT_OPTION_ROW_DEVICE(AT(device), "cpu, or ref, the slow plain one"),
    TTT_OPTION_ROW_THREADS(AT(threads)),
    TTT_OPTION_ROW_JSON(
        AT(json), "one JSON object: ids and text of prompt and continuation, log-probabilities of the new tokens, the "
                  "prompt's mean loss, seconds"),
};

static const ttt_usage complete_usage = {
    .command = "complete",
    .summary = "Continues a text with a language model, and streams what it says.",
    .arguments = "",
    .minimum = 0,
    .maximum = 0,
    .options = complete_table,
    .option_count = sizeof complete_table / sizeof *complete_table,
    .examples =
        "  ttt complete --model llama --prompt 'Once upon a time' --max-tokens 50\n"
        "  ttt complete --model qwen.gguf --chat --prompt 'Why is the sky blue?' --temperature 0.7 --top-p 0.9\n"
        "  ttt complete --model llama --prompt 'Once' --json\n",
};

enum { PIECE_TOKENS = 512 }; /* of a prompt, read at once */

/* A text under way: all tokens so far, and what there is to say about the new ones. */
typedef struct completion {
    const complete_options *options;
    const ttt_tokenizer *tokenizer;
    ttt_sampler sampler;
    ttt_ids ids; /* prompt and new; room for all is reserved */
    size_t prompt_count;
    float *log_probabilities; /* of the new ones */
    size_t new_count;
    double loss; /* mean of the prompt; NAN: it has nothing to predict */
    /* Seconds that loading took, repacking of weights included; then when the prompt was begun, when it had been read
     * (the first token was known), and when the text ended. */
    double load_seconds, begun, read, ended;
    ttt_bytes piece;
    ttt_decode_end end;
    ttt_status status; /* of writing a piece */
    ttt_error *err;
} completion;

/* --- The grammar of plain text: every token may come -------------------------------------------------------------- */

/* Matrices may have more rows than there are tokens, for the sake of round sizes: those ids are none. */
static void allow_all(const completion *c, uint32_t *allowed) {
    const int32_t size = ttt_tokenizer_size(c->tokenizer), vocabulary = c->sampler.vocabulary;
    for (int32_t id = 0; id < size && id < vocabulary; id++) allowed[id / 32] |= 1u << id % 32;
}

static void text_begin(void *state, uint32_t *allowed) {
    allow_all(state, allowed);
}

static int32_t text_choose(void *state, const float *log_probabilities, int32_t vocabulary) {
    completion *c = state;
    (void)vocabulary;
    const int32_t id = ttt_sampler_choose(&c->sampler, log_probabilities);
    if (c->new_count == 0) c->read = ttt_clock_seconds();
    c->log_probabilities[c->new_count] = log_probabilities[id];
    return id;
}

static void stream(completion *c, int32_t id) {
    c->piece.count = 0;
    c->status = ttt_tokenizer_piece(c->tokenizer, id, &c->piece, c->err);
    if (c->status != TTT_OK) return;
    fwrite(c->piece.items, 1, c->piece.count, stdout);
    fflush(stdout);
}

static bool text_advance(void *state, int32_t id, int32_t *position, uint32_t *allowed) {
    completion *c = state;
    c->ids.items[c->ids.count++] = id;
    c->new_count++;
    position[0] = (int32_t)c->ids.count - 1;
    if (ttt_tokenizer_stops(c->tokenizer, id)) return false;
    if (!c->options->json) stream(c, id);
    allow_all(c, allowed);
    return c->status == TTT_OK;
}

/* --- The way of a prompt ------------------------------------------------------------------------------------------ */

static ttt_status encode_prompt(completion *c, const char *text, size_t bytes, ttt_error *err) {
    const ttt_tokenizer *tokenizer = c->tokenizer;
    if (!c->options->chat) {
        TTT_TRY(ttt_tokenizer_encode(tokenizer, text, bytes, TTT_TOKENIZE_START, &c->ids, err));
    } else if (ttt_tokenizer_chat(tokenizer) == TTT_CHAT_NONE) {
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "--chat: this is no chat model, or of a kind that is not known");
    } else {
        TTT_TRY(ttt_tokenizer_chat_question(tokenizer, NULL, text, bytes, &c->ids, err));
    }
    if (c->ids.count > 0) return TTT_OK;
    return ttt_fail(err, TTT_ERROR_ARGUMENT, "the prompt is empty, and the model has no token that begins a text");
}

static ttt_status to_sequence(const completion *c, size_t first, size_t end, ttt_sequence *sequence, ttt_error *err) {
    TTT_TRY(ttt_sequence_reserve(sequence, (int32_t)(end - first), 1, err));
    for (size_t i = first; i < end; i++) {
        const int32_t position = (int32_t)i;
        ttt_sequence_append(sequence, c->ids.items[i], &position);
        if (i + 1 < end) sequence->targets[i - first] = c->ids.items[i + 1];
    }
    return TTT_OK;
}

/* The prompt's own loss: everything after its first token is scored as an answer to that. */
static ttt_status measure_loss(completion *c, ttt_session *session, ttt_kv_cache *cache, ttt_error *err) {
    ttt_status status;
    ttt_sequence first = {0}, rest = {0};
    const ttt_decode_options options = {.max_batch = 1};
    double log_probability;
    size_t done = 0;
    c->loss = NAN;
    if (c->prompt_count < 2) return TTT_OK;
    TTT_TRY_OUT(to_sequence(c, 0, 1, &first, err));
    TTT_TRY_OUT(to_sequence(c, 1, c->prompt_count, &rest, err));
    TTT_TRY_OUT(
        ttt_decode_score(session, cache, &first, &rest, &c->ids.items[1], 1, &options, &log_probability, &done, err));
    c->loss = -log_probability / (double)(c->prompt_count - 1);
out:
    ttt_sequence_release(&first);
    ttt_sequence_release(&rest);
    return status;
}

static ttt_status generate(completion *c, ttt_session *session, ttt_kv_cache *cache, ttt_error *err) {
    ttt_status status;
    ttt_sequence prompt = {0};
    ttt_decode_answer answer = {0};
    const ttt_decode_options options = {.max_batch = 1};
    c->end = TTT_DECODE_TOO_LONG;
    if (c->options->max_tokens == 0) return TTT_OK;
    TTT_TRY_OUT(to_sequence(c, 0, c->prompt_count, &prompt, err));
    const ttt_decode_request request = {
        .prompt = &prompt,
        .grammar = {.state = c, .begin = text_begin, .advance = text_advance, .choose = text_choose},
        .max_tokens = (int32_t)c->options->max_tokens};
    c->begun = c->read = ttt_clock_seconds();
    TTT_TRY_OUT(ttt_decode(session, cache, &request, 1, &options, &answer, err));
    c->ended = ttt_clock_seconds();
    c->end = answer.end;
    status = c->status;
out:
    ttt_decode_answer_release(&answer);
    ttt_sequence_release(&prompt);
    return status;
}

/* --- The result --------------------------------------------------------------------------------------------------- */

static ttt_status ids_to_text(const completion *c, json_t **text, ttt_error *err) {
    ttt_bytes bytes = {0};
    *text = NULL;
    ttt_status status = ttt_tokenizer_decode(c->tokenizer, c->ids.items, c->ids.count, false, &bytes, err);
    if (status == TTT_OK) status = ttt_text_to_json(&bytes, text, err);
    ttt_free(bytes.items);
    return status;
}

static ttt_status print_json(const completion *c, ttt_error *err) {
    json_t *text;
    TTT_TRY(ids_to_text(c, &text, err));
    json_t *ids = json_array(), *log_probabilities = json_array();
    for (size_t i = 0; i < c->ids.count; i++) json_array_append_new(ids, json_integer(c->ids.items[i]));
    for (size_t i = 0; i < c->new_count; i++) {
        json_array_append_new(log_probabilities, json_real((double)c->log_probabilities[i]));
    }
    return ttt_print_json_line(json_pack("{s:o, s:i, s:o, s:o, s:o?, s:s, s:f, s:f, s:f}", "ids", ids, "prompt_tokens",
                                         (int)c->prompt_count, "text", text, "log_probabilities", log_probabilities,
                                         "loss", isnan(c->loss) ? NULL : json_real(c->loss), "end",
                                         c->end == TTT_DECODE_COMPLETE ? "stop" : "length", "load_seconds",
                                         c->load_seconds, "prompt_seconds", c->read - c->begun, "decode_seconds",
                                         c->ended - c->read),
                               err);
}

/* The first token comes with the prompt. */
static void print_speeds(const completion *c) {
    const size_t decoded = c->new_count > 0 ? c->new_count - 1 : 0;
    fprintf(stderr, "loaded in %.1f s; prompt of %zu tokens read in %.2f s; %zu tokens more in %.2f s, %.1f a second\n",
            c->load_seconds, c->prompt_count, c->read - c->begun, decoded, c->ended - c->read,
            decoded == 0 ? 0 : (double)decoded / (c->ended - c->read));
}

/* --- All together ------------------------------------------------------------------------------------------------- */

static ttt_status run(completion *c, ttt_model *model, const char *text, size_t bytes, ttt_error *err) {
    ttt_status status;
    ttt_session *session = NULL;
    ttt_kv_cache *cache = NULL;
    const complete_options *o = c->options;
    const ttt_model_config *config = ttt_model_get_config(model);
    const ttt_sampling sampling = {.temperature = o->temperature, .top_k = (int32_t)o->top_k, .top_p = o->top_p};
    ttt_session_options session_options = {.max_tokens = PIECE_TOKENS, .max_sequences = 1};
    TTT_TRY_OUT(encode_prompt(c, text, bytes, err));
    c->prompt_count = c->ids.count;
    if (c->prompt_count >= (size_t)config->context) {
        status = ttt_fail(err, TTT_ERROR_ARGUMENT, "the prompt has %zu tokens, the model's context is %d",
                          c->prompt_count, config->context);
        goto out;
    }
    const int64_t room = config->context - (int64_t)c->prompt_count;
    const size_t most = (size_t)(o->max_tokens < room ? o->max_tokens : room);
    TTT_TRY_OUT(TTT_RESERVE(&c->ids, c->prompt_count + most, err));
    c->log_probabilities = ttt_allocate(most, sizeof *c->log_probabilities);
    if (c->log_probabilities == NULL) {
        status = ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for %zu tokens", most);
        goto out;
    }
    TTT_TRY_OUT(ttt_sampler_init(&c->sampler, &sampling, (uint64_t)o->seed, config->vocabulary, err));
    if (o->adapter != NULL) TTT_TRY_OUT(ttt_adapter_options_read(o->adapter, config, &session_options, err));
    TTT_TRY_OUT(ttt_session_new(model, &session_options, 0, &session, err));
    if (o->adapter != NULL) TTT_TRY_OUT(ttt_session_load_adapter(session, o->adapter, err));
    /* One page more for the fork that scores the prompt. */
    TTT_TRY_OUT(ttt_kv_cache_new(model, ttt_kv_pages((int32_t)(c->prompt_count + most)) + 1, 2, &cache, err));
    if (o->json) TTT_TRY_OUT(measure_loss(c, session, cache, err));
    TTT_TRY_OUT(generate(c, session, cache, err));
    if (o->json) {
        status = print_json(c, err);
    } else {
        printf("\n");
        if (isatty(STDERR_FILENO)) print_speeds(c);
    }
out:
    ttt_kv_cache_free(cache);
    ttt_session_free(session);
    return status;
}

static ttt_status complete(const complete_options *options, ttt_error *err) {
    ttt_status status;
    ttt_loaded_model loaded = {0};
    ttt_tokenizer *tokenizer = NULL;
    ttt_bytes input = {0};
    completion c = {.options = options, .err = err};
    if (options->prompt == NULL) TTT_TRY_OUT(ttt_text_read_input(&input, err));
    TTT_TRY_OUT(ttt_tokenizer_load(options->model, &tokenizer, err));
    const double start = ttt_clock_seconds();
    TTT_TRY_OUT(ttt_loaded_model_open(&loaded, options->model, options->device, (int)options->threads, err));
    c.load_seconds = ttt_clock_seconds() - start;
    c.tokenizer = tokenizer;
    const char *text = options->prompt == NULL ? input.items : options->prompt;
    status = run(&c, loaded.model, text, options->prompt == NULL ? input.count : strlen(text), err);
out:
    ttt_sampler_release(&c.sampler);
    ttt_free(c.log_probabilities);
    ttt_free(c.piece.items);
    ttt_free(c.ids.items);
    ttt_free(input.items);
    ttt_loaded_model_release(&loaded);
    ttt_tokenizer_free(tokenizer);
    return status;
}

int ttt_command_complete(int argc, char **argv) {
    complete_options options = {0};
    ttt_parsed parsed;
    ttt_error err = {0};
    int exit_status = TTT_EXIT_OK;
    ttt_status status = ttt_options_parse(&complete_usage, argc, argv, &options, &parsed, &err);
    if (status == TTT_OK && parsed.help) {
        ttt_options_help(&complete_usage, stdout);
        goto out;
    }
    if (status == TTT_OK && options.model == NULL) {
        status = ttt_fail(&err, TTT_ERROR_ARGUMENT, "--model is missing: the bundled model speaks grids, not text");
    }
    if (status != TTT_OK) {
        exit_status = ttt_command_misused("complete", &err);
    } else if (complete(&options, &err) != TTT_OK) {
        exit_status = ttt_command_failed("complete", &err);
    }
out:
    ttt_parsed_release(&parsed);
    return exit_status;
}
