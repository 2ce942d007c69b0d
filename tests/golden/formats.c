/* formats.json: what each format writes, and which of it carries loss; decode.json: what it reads back. */
#include "golden.h"

#include "base/memory.h"
#include "encode/prompt_parse.h"

#include <string.h>

/* --- Writing ----------------------------------------------------------------------------------------------------- */

enum { TEXT_BYTES = 1 << 17, SPANS = TTT_PAIR_SLOTS + 1 };

/* The conversation as it is written: messages as the format has them, and the whole as Llama 3 spells it. */
typedef struct written {
    const ttt_prompt_format *format;
    bool with_template;
    char messages[3][TEXT_BYTES]; /* by role, blanks at their ends kept */
    char text[TEXT_BYTES];
    size_t spans[SPANS][2], span_count; /* of `text`: what carries loss, touching ones joined */
    int role;                           /* of the message under way, -1: none */
} written;

static void append(char *text, const char *more, size_t bytes) {
    const size_t length = strlen(text);
    if (length + bytes >= TEXT_BYTES) return; /* the comparison will fail */
    memcpy(text + length, more, bytes);
    text[length + bytes] = '\0';
}

static void append_string(char *text, const char *more) {
    append(text, more, strlen(more));
}

static void count_from(written *w, size_t begin) {
    const size_t end = strlen(w->text);
    if (w->span_count > 0 && w->spans[w->span_count - 1][1] == begin) {
        w->spans[w->span_count - 1][1] = end;
    } else if (w->span_count < SPANS) {
        w->spans[w->span_count][0] = begin;
        w->spans[w->span_count++][1] = end;
    }
}

static void write_piece(void *context, ttt_piece piece) {
    static const char *const names[] = {"system", "user", "assistant"};
    written *w = context;
    const char *text = ttt_prompt_text(w->format, piece.part);
    size_t bytes = strlen(text);
    if (piece.part == TTT_PART_TEMPLATE && !w->with_template) return;
    append(w->messages[piece.role], text, bytes);
    if (w->role != piece.role) {
        if (w->role >= 0) append_string(w->text, "<|eot_id|>");
        append_string(w->text, "<|start_header_id|>");
        append_string(w->text, names[piece.role]);
        append_string(w->text, "<|end_header_id|>\n\n");
        w->role = piece.role;
    }
    while (piece.ends && bytes > 0 && strchr(" \n", text[bytes - 1]) != NULL) bytes--;
    const size_t begin = strlen(w->text);
    append(w->text, text, bytes);
    if (piece.counted) count_from(w, begin);
}

static void write_all(written *w, const ttt_prompt_format *format, bool with_template, const ttt_pair *pairs,
                      size_t count, const ttt_pair *question) {
    static const ttt_encode_loss loss = {.first_output = 1};
    *w = (written){.format = format, .with_template = with_template, .role = -1};
    append_string(w->text, "<|begin_of_text|>");
    ttt_example_pieces(format, pairs, count, question, &loss, write_piece, w);
    const size_t begin = strlen(w->text);
    append_string(w->text, "<|eot_id|>"); /* ends the answer */
    count_from(w, begin);
    append_string(w->text, "<|end_of_text|>");
}

static void check_message(golden *g, const json_t *message, const char *role, const char *ours) {
    const char *name = golden_string(g, message, "role"), *content = golden_string(g, message, "content");
    if (!name || !content || !golden_has_members(g, message, "role content")) return;
    GOLDEN_CHECK(g, strcmp(name, role) == 0, "the role is %s, expected %s", name, role);
    GOLDEN_CHECK(g, strcmp(content, ours) == 0, "another %s message: ours is\n%s\nexpected\n%s", role, ours, content);
}

/* A span of the reference less what it counts by accident is ours. For demonstrations: the word before the output and
 * the one behind it (in BARC's format); for the question: the assistant's header and its words before the grid. */
static void check_span(golden *g, const written *w, size_t i, const json_t *span) {
    const size_t begin = (size_t)json_integer_value(json_array_get(span, 0)),
                 end = (size_t)json_integer_value(json_array_get(span, 1));
    const bool last = i + 1 == w->span_count, words = w->format->style == TTT_ANSWER_WORDS;
    const char *reply = strlen(w->text) > begin ? strstr(w->text + begin, "<|end_header_id|>\n\n") : NULL;
    size_t before = !last && words ? 2 /* ":\n" */ : 0, after = 0;
    if (last && !GOLDEN_CHECK(g, reply != NULL, "the last span has no header")) return;
    if (last)
        before = (size_t)(reply - w->text) + strlen("<|end_header_id|>\n\n") - begin +
                 strlen(ttt_prompt_text(w->format, TTT_PART_REPLY));
    if (!last && words && i + 2 < w->span_count) after = strlen("Example");
    GOLDEN_CHECK(g, w->spans[i][0] == begin + before && w->spans[i][1] + after == end,
                 "span %zu is [%zu, %zu), the reference's [%zu, %zu)", i, w->spans[i][0], w->spans[i][1], begin, end);
}

static void check_spans(golden *g, const written *w, const json_t *spans) {
    size_t i;
    const json_t *span;
    if (!GOLDEN_CHECK(g, json_array_size(spans) == w->span_count, "%zu spans, the reference has %zu", w->span_count,
                      json_array_size(spans)))
        return;
    json_array_foreach(spans, i, span) check_span(g, w, i, span);
}

static void check_format(golden *g, const char *name, const json_t *object, const ttt_pair *pairs, size_t count,
                         const ttt_pair *question) {
    static written w; /* too large for a stack */
    const char *of_ours = strcmp(name, "new") == 0 ? "list" : strncmp(name, "barc", 4) == 0 ? "barc" : name;
    const ttt_prompt_format *format = ttt_prompt_format_find(of_ours);
    const json_t *messages = golden_list(g, object, "input"), *train_text = json_object_get(object, "train_text");
    if (!GOLDEN_CHECK(g, format != NULL, "no such format") || !messages ||
        !golden_has_members(g, object,
                            "input target | train_text loss_spans loss_spans_default_constants loss_error") ||
        !GOLDEN_CHECK(g, json_array_size(messages) == 2, "not two messages"))
        return;
    write_all(&w, format, strcmp(name, "barc_infer") != 0, pairs, count, question);
    check_message(g, json_array_get(messages, 0), "system", w.messages[TTT_ROLE_SYSTEM]);
    check_message(g, json_array_get(messages, 1), "user", w.messages[TTT_ROLE_USER]);
    check_message(g, json_object_get(object, "target"), "assistant", w.messages[TTT_ROLE_ASSISTANT]);
    if (train_text)
        GOLDEN_CHECK(g, strcmp(w.text, json_string_value(train_text)) == 0, "another train_text: ours is\n%s", w.text);
    if (json_object_get(object, "loss_spans")) check_spans(g, &w, json_object_get(object, "loss_spans"));
    /* The reference's alone: where it fails to find its end mark, and what it counts with the wrong marks. */
    if (json_object_get(object, "loss_error") || json_object_get(object, "loss_spans_default_constants")) g->skipped++;
}

/* The pairs that an instance shows, and the one it asks; returns how many are shown. */
static size_t choose_pairs(golden *g, const char *instance, const ttt_pair *all, size_t count, const ttt_pair *test,
                           const ttt_pair **shown, const ttt_pair **asked) {
    *shown = all;
    *asked = test;
    if (strcmp(instance, "all_train") == 0) return count;
    *asked = all;
    *shown = all + 1;
    if (strcmp(instance, "leave_out_0") == 0) return count - 1;
    GOLDEN_CHECK(g, strcmp(instance, "no_demos_test_0") == 0, "unknown instance %s", instance);
    return 0;
}

static void check_instance(golden *g, const char *task, const json_t *object, const ttt_pair *all, size_t count,
                           const ttt_pair *test) {
    const char *instance = json_string_value(json_object_get(object, "instance")), *name;
    json_t *format;
    json_object_foreach(json_object_get(object, "formats"), name, format) {
        const ttt_pair *shown, *asked;
        golden_begin(g, "task %s, %s, format %s", task, instance ? instance : "?", name);
        if (GOLDEN_CHECK(g, instance != NULL, "no \"instance\"")) {
            const size_t pairs = choose_pairs(g, instance, all, count, test, &shown, &asked);
            check_format(g, name, format, shown, pairs, asked);
        }
        golden_end(g);
    }
}

void golden_formats(golden *g, const json_t *root) {
    size_t index, i;
    const json_t *task, *instance;
    g->skip_reason = "loss spans are the reference's alone: its end mark is missing, or its marks are wrong";
    json_array_foreach(root, index, task) {
        const char *id = json_string_value(json_object_get(task, "task"));
        ttt_pair test;
        size_t count = 0;
        golden_begin(g, "task %zu", index);
        ttt_pair *pairs = golden_pairs(g, json_object_get(task, "train"), &count);
        if (pairs && id && count > 0 && golden_has_members(g, task, "task train test instances") &&
            golden_pair(g, json_object_get(task, "test"), &test)) {
            json_array_foreach(json_object_get(task, "instances"), i, instance)
                check_instance(g, id, instance, pairs, count, &test);
        } else {
            golden_fail(g, "the task cannot be read");
            golden_end(g);
        }
        ttt_free(pairs);
    }
}

/* --- Reading ----------------------------------------------------------------------------------------------------- */

/* Symmetries of grids of any size: those of ttt_transform are for legal ones. */
static void mirror(ttt_text_grid *grid, int axis) {
    for (size_t r = 0; r < grid->height; r++)
        for (size_t c = 0; c < grid->width; c++) {
            const size_t other_row = axis == 0 ? grid->height - 1 - r : r, column = axis == 1 ? grid->width - 1 - c : c;
            int8_t *a = &grid->cells[r * grid->width + c], *b = &grid->cells[other_row * grid->width + column],
                   kept = *a;
            if (a < b) *a = *b, *b = kept;
        }
}

static bool transpose(ttt_text_grid *grid) {
    int8_t *cells = ttt_allocate(grid->height * grid->width + 1, 1);
    for (size_t r = 0; cells && r < grid->height; r++)
        for (size_t c = 0; c < grid->width; c++) cells[c * grid->height + r] = grid->cells[r * grid->width + c];
    if (!cells) return false;
    ttt_free(grid->cells);
    *grid = (ttt_text_grid){.height = grid->width, .width = grid->height, .cells = cells};
    return true;
}

static bool turn(golden *g, const json_t *inverter, ttt_text_grid *grid) {
    ttt_transform transform;
    if (!golden_transform(g, inverter, &transform)) return false;
    for (int s = 0; s < transform.count; s++) {
        const ttt_step step = transform.steps[s];
        const bool turned = step.kind == TTT_STEP_TRANSPOSE || (step.kind == TTT_STEP_ROTATE && step.a != 180);
        if (turned && !transpose(grid)) return golden_fail(g, "no memory");
        if (step.kind == TTT_STEP_FLIP) mirror(grid, step.a);
        if (step.kind == TTT_STEP_ROTATE && step.a != 270) mirror(grid, 0);
        if (step.kind == TTT_STEP_ROTATE && step.a != 90) mirror(grid, 1);
    }
    return true;
}

static bool same_cells(const json_t *rows, const ttt_text_grid *grid) {
    if (json_array_size(rows) != grid->height) return false;
    for (size_t r = 0; r < grid->height; r++) {
        const json_t *row = json_array_get(rows, r);
        if (json_array_size(row) != grid->width) return false;
        for (size_t c = 0; c < grid->width; c++)
            if (json_integer_value(json_array_get(row, c)) != grid->cells[r * grid->width + c]) return false;
    }
    return true;
}

/* Whether the cells are a grid of ours, however they were written. */
static bool is_grid(const ttt_text_grid *text) {
    bool good = text->height >= 1 && text->height <= TTT_GRID_MAX && text->width >= 1 && text->width <= TTT_GRID_MAX;
    for (size_t i = 0; i < text->height * text->width; i++)
        good = good && text->cells[i] >= 0 && text->cells[i] < TTT_COLOURS;
    return good;
}

/* What we refuse of what the reference reads, and only that: rows of unequal length, or no grid at all. */
static void check_strictness(golden *g, const ttt_text_grid *text) {
    ttt_grid grid;
    const bool legal = ttt_text_grid_legal(text, &grid);
    if (!GOLDEN_CHECK(g, legal == (text->even && is_grid(text)), legal ? "no legal grid" : "a legal grid is refused"))
        return;
    if (!legal) g->skipped++;
    for (size_t i = 0; legal && i < text->height * text->width; i++)
        GOLDEN_CHECK(g, grid.cells[i] == text->cells[i], "the legal grid has other cells");
}

static const ttt_prompt_format *format_of(golden *g, const json_t *object) {
    const char *name = golden_string(g, object, "format");
    if (!name) return NULL;
    const ttt_prompt_format *format = ttt_prompt_format_find(strcmp(name, "new") == 0          ? "list"
                                                             : strcmp(name, "barc_infer") == 0 ? "barc"
                                                                                               : name);
    if (!format) golden_fail(g, "unknown format %s", name);
    return format;
}

/* Reads and turns back; false: no grid, or the case failed. */
static bool read_answer(golden *g, const json_t *object, const json_t *raw, ttt_text_grid *grid) {
    const ttt_prompt_format *format = format_of(g, object);
    ttt_error err;
    bool found;
    if (!format || !GOLDEN_CHECK(g, json_is_string(raw), "no text")) return false;
    if (!GOLDEN_CHECK(
            g, ttt_prompt_parse(format, json_string_value(raw), json_string_length(raw), grid, &found, &err) == TTT_OK,
            "%s", err.message) ||
        !found)
        return false;
    check_strictness(g, grid);
    return turn(g, json_object_get(object, "inverter"), grid);
}

static void check_case(golden *g, const json_t *object) {
    const json_t *expected = json_object_get(object, "grid");
    ttt_text_grid grid = {0};
    if (!golden_has_members(g, object, "format task kind inverter user raw grid error")) return;
    const bool found = read_answer(g, object, json_object_get(object, "raw"), &grid);
    if (GOLDEN_CHECK(g, found == !json_is_null(expected), found ? "no failure" : "no grid") && found)
        GOLDEN_CHECK(g, same_cells(expected, &grid), "another grid");
    ttt_text_grid_release(&grid);
}

/* Several answers to one query: those that can be read, in order. */
static void check_multi(golden *g, const json_t *object) {
    const json_t *raws = golden_list(g, object, "raws"), *grids = golden_list(g, object, "grids"), *raw;
    size_t index, found = 0;
    if (!raws || !grids || !golden_has_members(g, object, "format user inverter raws grids")) return;
    json_array_foreach(raws, index, raw) {
        ttt_text_grid grid = {0};
        if (read_answer(g, object, raw, &grid))
            GOLDEN_CHECK(g, same_cells(json_array_get(grids, found++), &grid), "grid %zu differs", found);
        ttt_text_grid_release(&grid);
    }
    GOLDEN_CHECK(g, found == json_array_size(grids), "%zu grids", found);
}

void golden_decode(golden *g, const json_t *root) {
    size_t index;
    const json_t *object;
    g->skip_reason = "answers that the reference reads are refused by our rules: ragged, empty or with other numbers";
    golden_begin(g, "the file");
    if (!golden_has_members(g, root, "cases multi")) golden_end(g);
    json_array_foreach(json_object_get(root, "cases"), index, object) {
        const char *kind = json_string_value(json_object_get(object, "kind"));
        golden_begin(g, "case %zu, %s", index, kind ? kind : "?");
        check_case(g, object);
        golden_end(g);
    }
    json_array_foreach(json_object_get(root, "multi"), index, object) {
        golden_begin(g, "several, %zu", index);
        check_multi(g, object);
        golden_end(g);
    }
}
