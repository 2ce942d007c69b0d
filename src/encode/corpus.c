/* Reading data sets into pair stores. RE-ARC's 383,000 pairs are streamed, one file in memory at a time. */
#include "encode/corpus.h"

#include "base/file.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Lists of ids ------------------------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static ttt_status add_id(ttt_id_list *list, const char *text, size_t length, ttt_error *err) {
    char *id = ttt_allocate(length + 1, 1);
    if (!id) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for a list of ids");
    memcpy(id, text, length);
    const ttt_status status = TTT_PUSH(list, id, err);
    if (status != TTT_OK) ttt_free(id);
    return status;
}

ttt_status ttt_id_list_read(ttt_id_list *list, const char *path, ttt_error *err) {
    static const char blanks[] = " \t\r";
    enum { LIMIT = 1 << 24 };
    char *text;
    size_t bytes;
    TTT_TRY(ttt_file_read(path, LIMIT, &text, &bytes, err));
    ttt_status status = TTT_OK;
    size_t number = 1;
    for (const char *line = text; *line && status == TTT_OK; number++) {
        const char *next = line + strcspn(line, "\n");
        line += strspn(line, blanks);
        const size_t length = strcspn(line, " \t\r\n#");
        const char *rest = line + length + strspn(line + length, blanks);
        if (*rest != '\n' && *rest != '#' && *rest != '\0')
            status = ttt_fail(err, TTT_ERROR_FORMAT, "%s: line %zu has more than one id", path, number);
        else if (length > 0)
            status = add_id(list, line, length, err);
        line = *next ? next + 1 : next;
    }
    ttt_free(text);
    if (list->count > 0) qsort(list->items, list->count, sizeof *list->items, by_name);
    if (status != TTT_OK) ttt_id_list_release(list);
    return status;
}

bool ttt_id_list_has(const ttt_id_list *list, const char *id) {
    return list->count > 0 && bsearch(&id, list->items, list->count, sizeof *list->items, by_name) != NULL;
}

void ttt_id_list_release(ttt_id_list *list) {
    for (size_t i = 0; i < list->count; i++) ttt_free(list->items[i]);
    ttt_free(list->items);
    *list = (ttt_id_list){0};
}

/* --- Data sets --------------------------------------------------------------------------------------------------- */

void ttt_corpus_release(ttt_corpus *corpus) {
    for (size_t i = 0; i < corpus->part_count; i++) ttt_pair_store_release(&corpus->parts[i].store);
    ttt_task_set_release(&corpus->held_out);
    *corpus = (ttt_corpus){0};
}

typedef struct pairs_adding {
    ttt_corpus_part *part;
    const ttt_id_list *left_out;
} pairs_adding;

static ttt_status add_examples(void *context, const char *id, const ttt_pair *pairs, size_t count, ttt_error *err) {
    pairs_adding *adding = context;
    if (ttt_id_list_has(adding->left_out, id)) {
        adding->part->left_out++;
        return TTT_OK;
    }
    return ttt_pair_store_add(&adding->part->store, id, pairs, count, err);
}

/* All pairs of a task whose output is known. */
static ttt_status add_task(ttt_corpus_part *part, const ttt_task *task, ttt_error *err) {
    ttt_pair *pairs = ttt_allocate(task->demonstration_count + task->test_count, sizeof *pairs);
    if (!pairs) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the pairs of task %s", task->id);
    size_t count = task->demonstration_count;
    memcpy(pairs, task->demonstrations, count * sizeof *pairs);
    for (size_t i = 0; i < task->test_count; i++) {
        if (!task->tests[i].known) continue;
        pairs[count].input = task->tests[i].input;
        pairs[count++].output = task->tests[i].output;
    }
    const ttt_status status = ttt_pair_store_add(&part->store, task->id, pairs, count, err);
    ttt_free(pairs);
    return status;
}

/* "x/training_challenges.json" -> "x/training_solutions.json" where that exists; NULL otherwise. */
static ttt_status find_solutions(const char *path, char **solutions, ttt_error *err) {
    static const char from[] = "challenges", to[] = "solutions";
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *at = strstr(name, from);
    *solutions = NULL;
    if (!at) return TTT_OK;
    char *made = ttt_allocate(strlen(path) + 1, 1);
    if (!made) return ttt_fail(err, TTT_ERROR_MEMORY, "out of memory for the path of the solutions of '%s'", path);
    sprintf(made, "%.*s%s%s", (int)(at - path), path, to, at + sizeof from - 1);
    if (ttt_file_exists(made))
        *solutions = made;
    else
        ttt_free(made);
    return TTT_OK;
}

static ttt_status add_tasks(ttt_corpus *corpus, ttt_corpus_part *part, const char *path, const ttt_id_list *left_out,
                            ttt_problem_sink problems, ttt_error *err) {
    ttt_task_set set = {0};
    char *solutions = NULL;
    ttt_status status;
    TTT_TRY_OUT(find_solutions(path, &solutions, err));
    TTT_TRY_OUT(ttt_task_set_read(&set, path, solutions, problems, err));
    for (size_t i = 0; i < set.count; i++) {
        if (!ttt_id_list_has(left_out, set.items[i].id)) {
            TTT_TRY_OUT(add_task(part, &set.items[i], err));
            continue;
        }
        part->left_out++;
        /* A task in two data sets is one question. */
        if (!ttt_task_set_find(&corpus->held_out, set.items[i].id))
            TTT_TRY_OUT(ttt_task_set_add(&corpus->held_out, &set.items[i], err));
    }
out:
    ttt_free(solutions);
    ttt_task_set_release(&set);
    return status;
}

ttt_status ttt_corpus_add(ttt_corpus *corpus, const char *path, double weight, const ttt_id_list *left_out,
                          ttt_problem_sink problems, ttt_error *err) {
    if (corpus->part_count == TTT_EXAMPLE_SOURCES)
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "%s: more than %d data sets", path, TTT_EXAMPLE_SOURCES);
    ttt_corpus_part *part = &corpus->parts[corpus->part_count];
    *part = (ttt_corpus_part){0};
    pairs_adding adding = {part, left_out};
    /* What is no list of pairs fails at once, before anything was added: then it is tasks. */
    ttt_status status = ttt_pairs_read(path, add_examples, &adding, (ttt_problem_sink){0}, err);
    if (status == TTT_ERROR_FORMAT && part->store.groups.count + part->left_out == 0)
        status = add_tasks(corpus, part, path, left_out, problems, err);
    if (status != TTT_OK) {
        ttt_pair_store_release(&part->store);
        return status;
    }
    part->weight = weight > 0 ? weight : (double)part->store.groups.count;
    corpus->part_count++;
    return TTT_OK;
}

size_t ttt_corpus_sources(const ttt_corpus *corpus, ttt_example_source sources[TTT_EXAMPLE_SOURCES]) {
    size_t count = 0;
    for (size_t i = 0; i < corpus->part_count; i++) {
        const ttt_corpus_part *part = &corpus->parts[i];
        if (part->store.groups.count > 0)
            sources[count++] = (ttt_example_source){.store = &part->store, .weight = part->weight};
    }
    return count;
}

/* --- The evaluation's questions ---------------------------------------------------------------------------------- */

static const ttt_task *find_question(const ttt_corpus *corpus, int64_t number, const ttt_test **test) {
    for (size_t i = 0; i < corpus->held_out.count; i++) {
        const ttt_task *task = &corpus->held_out.items[i];
        for (size_t k = 0; k < task->test_count; k++) {
            *test = &task->tests[k];
            if (task->tests[k].known && number-- == 0) return task;
        }
    }
    return NULL;
}

ttt_status ttt_corpus_question(const ttt_corpus *corpus, int64_t number, const ttt_encoding *encoding,
                               int32_t max_tokens, ttt_sequence *sequence, bool *more, ttt_error *err) {
    static const ttt_encode_loss question_only = {.first_output = TTT_PAIR_SLOTS};
    const ttt_test *test;
    const ttt_task *task = find_question(corpus, number, &test);
    *more = task != NULL;
    if (!task) return TTT_OK;
    const ttt_pair question = {test->input, test->output};
    const int shown = ttt_example_fitting(max_tokens, task->demonstrations, task->demonstration_count, &question);
    if (shown < 0)
        return ttt_fail(err, TTT_ERROR_ARGUMENT, "task %s: its question alone has more than %d tokens", task->id,
                        (int)max_tokens);
    return ttt_encode_example(encoding, task->demonstrations, (size_t)shown, &question, NULL, &question_only, sequence,
                              err);
}
