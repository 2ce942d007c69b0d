/* A language model of a real size with random weights: seconds and memory of a LoRA step, and of decoding.
 *
 *     large [--shape 1b|3b|8b] [--dtype BF16|Q8_0|Q4_0|Q4_K|Q6_K] [--layers N] [--tokens N] [--room N] [--rank N]
 *           [--answers N] [--decode N] [--threads N]
 *
 * The model is loaded from a folder whose file of weights is a hole (it takes no disk); what the backend is asked to
 * prepare in place of those zeros are random numbers of the wanted format. "peak" is the most memory that the process
 * has held since the line before (VmHWM). The session has --room for batches of so many tokens, which is what memory
 * depends on; it is trained on --tokens (and by default has room for no more). --answers are decoded side by side,
 * --decode tokens each. */
#include "base/clock.h"
#include "base/file.h"
#include "model/decode.h"
#include "model/tensors.h"
#include "tensor/dtype.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ttt_error err;

static void check(ttt_status status) {
    if (status == TTT_OK) return;
    fprintf(stderr, "large: %s\n", err.message);
    exit(1);
}

typedef struct options {
    const char *shape;
    ttt_dtype dtype;
    int layers, tokens, room, rank, answers, decode, threads;
} options;

/* Llama 3.2 (1B, 3B) and Llama 3 (8B). */
static ttt_model_config config_of(const options *o) {
    static const struct {
        const char *name;
        int32_t layers, width, heads, head_dim, hidden;
        bool tied;
    } shapes[] = {{"1b", 16, 2048, 32, 64, 8192, true},
                  {"3b", 28, 3072, 24, 128, 8192, true},
                  {"8b", 32, 4096, 32, 128, 14336, false}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (strcmp(o->shape, shapes[i].name) != 0) continue;
        return (ttt_model_config){.layers = o->layers > 0 ? o->layers : shapes[i].layers,
                                  .width = shapes[i].width,
                                  .heads = shapes[i].heads,
                                  .kv_heads = 8,
                                  .head_dim = shapes[i].head_dim,
                                  .hidden = shapes[i].hidden,
                                  .vocabulary = 128256,
                                  .context = 8192,
                                  .norm_epsilon = 1e-5,
                                  .tied = shapes[i].tied,
                                  .axes = 1,
                                  .rope = {{.pairs = shapes[i].head_dim / 2, .theta = 500000}}};
    }
    fprintf(stderr, "large: there is no shape \"%s\"\n", o->shape);
    exit(2);
}

/* ---------------------------------------------------------------------------------------------- memory */

static double memory_gb(const char *key) {
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    double kilobytes = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0) kilobytes = atof(line + strlen(key) + 1);
    }
    if (file != NULL) fclose(file);
    return kilobytes * 1024 * 1e-9;
}

static void report(const char *what, double seconds, double tokens) {
    printf("%-30s %8.2f s  now %5.2f GB  peak %5.2f GB", what, seconds, memory_gb("VmRSS:"), memory_gb("VmHWM:"));
    if (tokens > 0) printf("  %8.2f tokens/s", tokens / seconds);
    printf("\n");
    fflush(stdout);
    FILE *file = fopen("/proc/self/clear_refs", "w"); /* 5: the peak starts anew */
    if (file != NULL && (fputs("5", file) < 0 || fclose(file) != 0))
        fprintf(stderr, "large: peaks are of all so far\n");
}

/* ---------------------------------------------------------------------------------------------- the model */

static ttt_dtype wanted;
static ttt_status (*prepare)(ttt_backend *, size_t, size_t, ttt_dtype, const void *, bool, ttt_weight **, ttt_error *);

static uint32_t next_word(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 32);
}

/* Random numbers of a deviation of about 0.02 in place of a frozen matrix of zeros. */
static ttt_status weight_new(ttt_backend *backend, size_t rows, size_t columns, ttt_dtype dtype, const void *data,
                             bool trainable, ttt_weight **weight, ttt_error *error) {
    static const struct {
        float d;
        size_t at;
    } blocks[TTT_DTYPE_COUNT] = {[TTT_Q8_0] = {0.02f / 74, 0},
                                 [TTT_Q4_0] = {0.02f / 4.6f, 0},
                                 [TTT_Q4_K] = {0.02f / 257, 0},
                                 [TTT_Q6_K] = {0.02f / 1370, 208}};
    if (trainable || rows == 1) {
        float *ones = ttt_allocate(columns, sizeof *ones);
        if (ones == NULL) return ttt_fail(error, TTT_ERROR_MEMORY, "out of memory for a gain");
        for (size_t i = 0; i < columns; i++) ones[i] = 1;
        const ttt_status status =
            prepare(backend, rows, columns, TTT_F32, trainable ? data : ones, trainable, weight, error);
        ttt_free(ones);
        return status;
    }
    (void)dtype;
    size_t bytes;
    if (!ttt_dtype_bytes(wanted, rows * columns, &bytes)) abort();
    uint8_t *made = ttt_allocate(bytes, 1);
    if (made == NULL) return ttt_fail(error, TTT_ERROR_MEMORY, "out of memory for %zu random bytes", bytes);
    uint64_t state = rows * 31 + columns;
    for (size_t i = 0; i < bytes; i += 4) {
        uint32_t word = next_word(&state);
        if (wanted == TTT_BF16) { /* sign and mantissa at random, exponents -7 and -6 */
            word = (word & 0x80FF80FFu) + 0x3C003C00u;
        }
        memcpy(made + i, &word, bytes - i < 4 ? bytes - i : 4);
    }
    for (size_t i = 0; wanted != TTT_BF16 && i < bytes; i += ttt_dtype_block_bytes(wanted)) {
        const uint16_t halves[] = {ttt_float_to_f16(blocks[wanted].d), ttt_float_to_f16(7.5f * blocks[wanted].d)};
        memcpy(made + i + blocks[wanted].at, halves, wanted == TTT_Q4_K ? 4 : 2);
    }
    const ttt_status status = prepare(backend, rows, columns, wanted, made, false, weight, error);
    ttt_free(made);
    return status;
}

/* config.json, and model.safetensors whose data is a hole. */
static void write_folder(const char *folder, const ttt_model_config *config) {
    char *path = ttt_path_join(folder, "config.json");
    check(ttt_model_config_write(path, config, &err));
    ttt_free(path);
    path = ttt_path_join(folder, "model.safetensors");
    FILE *file = fopen(path, "wb");
    if (file == NULL) exit(1);
    uint64_t length = 0, data = 0;
    fwrite(&length, sizeof length, 1, file);
    for (size_t i = 0; i < ttt_tensor_count(config); i++) {
        const ttt_tensor tensor = ttt_tensor_get(config, i);
        char shape[64];
        if (tensor.rows == 1) {
            snprintf(shape, sizeof shape, "%zu", tensor.columns);
        } else {
            snprintf(shape, sizeof shape, "%zu,%zu", tensor.rows, tensor.columns);
        }
        const uint64_t end = data + 2 * tensor.rows * tensor.columns;
        fprintf(file, "%c\"%s\":{\"dtype\":\"BF16\",\"shape\":[%s],\"data_offsets\":[%llu,%llu]}", i == 0 ? '{' : ',',
                tensor.file_name, shape, (unsigned long long)data, (unsigned long long)end);
        data = end;
    }
    fputs("}", file);
    while (ftell(file) % 64 != 0) fputc(' ', file);
    length = (uint64_t)ftell(file) - sizeof length;
    rewind(file);
    fwrite(&length, sizeof length, 1, file);
    if (fclose(file) != 0 || truncate(path, (off_t)(sizeof length + length + data)) != 0) exit(1);
    ttt_free(path);
}

static ttt_model *make_model(const options *o, const ttt_model_config *config, ttt_backend *backend) {
    char folder[] = "/tmp/ttt-large-XXXXXX";
    if (mkdtemp(folder) == NULL) exit(1);
    write_folder(folder, config);
    static ttt_backend_ops ops;
    ops = *backend->ops;
    prepare = ops.weight_new;
    ops.weight_new = weight_new;
    wanted = o->dtype;
    backend->ops = &ops;
    ttt_model *model;
    const ttt_status status = ttt_model_load(folder, backend, &model, &err);
    static const char *const names[] = {"config.json", "model.safetensors"};
    for (size_t i = 0; i < 2; i++) {
        char *path = ttt_path_join(folder, names[i]);
        unlink(path);
        ttt_free(path);
    }
    rmdir(folder);
    check(status);
    return model;
}

/* ---------------------------------------------------------------------------------------------- work */

static void fill_sequence(ttt_sequence *sequence, int32_t tokens, int32_t vocabulary) {
    check(ttt_sequence_reserve(sequence, tokens, 1, &err));
    uint64_t state = 1;
    for (int32_t t = 0; t < tokens; t++) {
        ttt_sequence_append(sequence, (int32_t)(next_word(&state) % (uint32_t)vocabulary), &t);
        if (t > 0) sequence->targets[t - 1] = sequence->ids[t];
    }
}

static void train(const options *o, const ttt_model_config *config, ttt_session *session) {
    ttt_packing *packing;
    ttt_sequence sequence = {0};
    float *loss = ttt_allocate((size_t)o->tokens, sizeof *loss);
    const ttt_adamw adamw = {.learning_rate = 1e-3f, .beta1 = 0.9f, .beta2 = 0.99f, .epsilon = 1e-8f};
    double norm, mean[2] = {0};
    fill_sequence(&sequence, o->tokens, config->vocabulary);
    check(ttt_packing_new(o->tokens, 1, 1, 0, &packing, &err));
    ttt_packing_add(packing, &sequence, 0, 1.0f / (float)o->tokens);
    for (int step = 0; step < 2; step++) {
        const double start = ttt_clock_seconds();
        check(ttt_session_train(session, packing, loss, &err));
        check(ttt_session_step(session, adamw, 1, &norm, &err));
        for (int t = 0; t + 1 < o->tokens; t++) mean[step] += (double)loss[t] / (o->tokens - 1);
        report("step of training", ttt_clock_seconds() - start, o->tokens);
    }
    printf("loss %.4f, after a step %.4f\n", mean[0], mean[1]);
    ttt_sequence_release(&sequence);
    ttt_packing_free(packing);
    ttt_free(loss);
}

static int32_t vocabulary_of_all;

static void allow_all(void *state, uint32_t *allowed) {
    (void)state;
    for (int32_t token = 0; token < vocabulary_of_all; token++) allowed[token / 32] |= 1u << (token % 32);
}

static bool go_on(void *state, int32_t id, int32_t *position, uint32_t *allowed) {
    (void)id;
    allow_all(state, allowed);
    *position = (*(int32_t *)state)++;
    return true;
}

static void decode(const options *o, const ttt_model_config *config, ttt_session *session) {
    enum { PROMPT = 16, MOST = 64 };
    if (o->decode < 1 || o->answers < 1 || o->answers > MOST) return;
    ttt_kv_cache *cache;
    ttt_sequence prompt = {0};
    ttt_decode_request requests[MOST];
    ttt_decode_answer answers[MOST] = {0};
    int32_t positions[MOST];
    vocabulary_of_all = config->vocabulary;
    fill_sequence(&prompt, PROMPT, config->vocabulary);
    for (int i = 0; i < o->answers; i++) {
        positions[i] = PROMPT;
        requests[i] =
            (ttt_decode_request){&prompt, {.state = &positions[i], .begin = allow_all, .advance = go_on}, o->decode};
    }
    check(ttt_kv_cache_new(ttt_session_get_model(session), o->answers * (ttt_kv_pages(PROMPT + o->decode) + 1),
                           o->answers, &cache, &err));
    const double start = ttt_clock_seconds();
    check(ttt_decode(session, cache, requests, (size_t)o->answers, &(ttt_decode_options){.max_batch = o->answers},
                     answers, &err));
    report("decoding", ttt_clock_seconds() - start, o->answers * o->decode);
    for (int i = 0; i < o->answers; i++) ttt_decode_answer_release(&answers[i]);
    ttt_sequence_release(&prompt);
    ttt_kv_cache_free(cache);
}

static options read_options(int argc, char **argv) {
    options o = {.shape = "1b", .dtype = TTT_BF16, .tokens = 512, .rank = 16, .answers = 1, .decode = 8};
    const struct {
        const char *name;
        int *value;
    } numbers[] = {{"--layers", &o.layers},   {"--room", &o.room},     {"--tokens", &o.tokens},  {"--rank", &o.rank},
                   {"--answers", &o.answers}, {"--decode", &o.decode}, {"--threads", &o.threads}};
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--shape") == 0) o.shape = argv[i + 1];
        for (ttt_dtype d = 0; strcmp(argv[i], "--dtype") == 0 && d < TTT_DTYPE_COUNT; d++) {
            if (strcmp(argv[i + 1], ttt_dtype_name(d)) == 0 && (d == TTT_BF16 || !ttt_dtype_is_plain(d))) o.dtype = d;
        }
        for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) {
            if (strcmp(argv[i], numbers[n].name) == 0) *numbers[n].value = atoi(argv[i + 1]);
        }
    }
    if (o.room < o.tokens) o.room = o.tokens;
    return o;
}

int main(int argc, char **argv) {
    const options o = read_options(argc, argv);
    mallopt(M_MMAP_THRESHOLD, 1 << 20); /* the random numbers leave no holes between the weights */
    const ttt_model_config config = config_of(&o);
    ttt_backend *backend;
    ttt_session *session;
    check(ttt_backend_new("cpu", o.threads, &backend, &err));
    printf("%s, %d layers, %s, %.2f billion numbers, on %s; a LoRA of rank %d, room for %d tokens\n", o.shape,
           config.layers, ttt_dtype_name(o.dtype), (double)ttt_model_config_parameters(&config) * 1e-9,
           backend->ops->name, o.rank, o.room);
    double start = ttt_clock_seconds();
    ttt_model *model = make_model(&o, &config, backend);
    report("model", ttt_clock_seconds() - start, 0);
    const ttt_session_options session_options = {.adaptation = TTT_ADAPT_LORA,
                                                 .rank = o.rank,
                                                 .alpha = (float)o.rank,
                                                 .targets = (1u << TTT_LINEAR_OUTPUT) - 1,
                                                 .max_tokens = o.room,
                                                 .max_sequences = o.answers,
                                                 .recompute = true,
                                                 .training = true};
    start = ttt_clock_seconds();
    check(ttt_session_new(model, &session_options, 1, &session, &err));
    report("session", ttt_clock_seconds() - start, 0);
    printf("session said to take %.2f GB\n", (double)ttt_session_options_bytes(&config, &session_options) * 1e-9);
    decode(&o, &config, session);
    train(&o, &config, session);
    ttt_session_free(session);
    ttt_model_free(model);
    ttt_backend_free(backend);
    return 0;
}
