/* inference_queries.json: which views of a test input the reference builds. */
#include "golden.h"

#include "arc/views.h"
#include "base/memory.h"

#include <string.h>

/* One setting of the reference on one task: its draws, and the views that ours makes of them. */
typedef struct query_set {
    const ttt_task *task;
    const json_t *object;
    int left_out, orders;
    ttt_view_list contexts, views;
    ttt_view bases[TTT_REFERENCE_SYMMETRIES];
} query_set;

static bool read_view(golden *g, const query_set *q, const json_t *order, ttt_view *view) {
    *view = (ttt_view){.colours = ttt_colours_identity()};
    const int count = golden_numbers(g, order, (int)q->task->demonstration_count, view->order);
    if (count < 0) return false;
    view->count = (uint8_t)count;
    return true;
}

static bool push_view(golden *g, ttt_view_list *list, const ttt_view *view) {
    ttt_error err;
    return GOLDEN_CHECK(g, TTT_PUSH(list, *view, &err) == TTT_OK, "%s", err.message);
}

static bool same_members(const ttt_view *a, const ttt_view *b) {
    bool in_a[TTT_DEMONSTRATIONS_MAX] = {false};
    for (int i = 0; i < a->count; i++) in_a[a->order[i]] = true;
    for (int i = 0; i < b->count; i++)
        if (!in_a[b->order[i]]) return false;
    return a->count == b->count;
}

/* The contexts must be those that we enumerate: each choice, ascending, then its drawn orders. */
static bool read_contexts(golden *g, query_set *q, const json_t *draws) {
    const json_t *leave_n = golden_list(g, draws, "leave_n"), *item, *perm;
    const size_t n = q->task->demonstration_count;
    size_t i, k;
    if (!leave_n ||
        !GOLDEN_CHECK(g, json_array_size(leave_n) == (q->left_out ? n : 1), "%zu contexts", json_array_size(leave_n)))
        return false;
    json_array_foreach(leave_n, i, item) {
        ttt_view expected = {.colours = ttt_colours_identity()}, context, shuffled;
        const json_t *perms = golden_list(g, item, "perms");
        for (size_t d = 0; d < n; d++)
            if (!q->left_out || d != i) expected.order[expected.count++] = (uint8_t)d;
        if (!golden_has_members(g, item, "context perms") || !perms ||
            !read_view(g, q, json_object_get(item, "context"), &context) ||
            !GOLDEN_CHECK(g, ttt_views_equal(&context, &expected), "context %zu differs", i) ||
            !GOLDEN_CHECK(g, json_array_size(perms) == (size_t)q->orders, "%zu orders", json_array_size(perms)) ||
            !push_view(g, &q->contexts, &context))
            return false;
        json_array_foreach(perms, k, perm) {
            if (!read_view(g, q, perm, &shuffled) ||
                !GOLDEN_CHECK(g, same_members(&context, &shuffled), "order %zu of context %zu is none", k, i) ||
                !push_view(g, &q->contexts, &shuffled))
                return false;
        }
    }
    return true;
}

static bool same_name(const json_t *value, const ttt_transform *transform) {
    char name[TTT_TRANSFORM_NAME];
    ttt_transform_name(transform, name);
    return transform->count == 0 ? json_is_null(value)
                                 : json_is_string(value) && strcmp(json_string_value(value), name) == 0;
}

/* The transforms of the reference in its order, each on a member of the contexts; makes the views. */
static bool make_views(golden *g, query_set *q, const json_t *draws) {
    const json_t *augment = golden_list(g, draws, "augment");
    bool skipped[TTT_REFERENCE_SYMMETRIES];
    ttt_error err;
    if (!augment || !GOLDEN_CHECK(g, json_array_size(augment) == TTT_REFERENCE_SYMMETRIES, "%zu transforms",
                                  json_array_size(augment)))
        return false;
    for (int t = 0; t < TTT_REFERENCE_SYMMETRIES; t++) {
        const json_t *item = json_array_get(augment, (size_t)t);
        if (!golden_has_members(g, item, "transform base skipped inverter") ||
            !GOLDEN_CHECK(
                g, same_name(json_object_get(item, "transform"), ttt_symmetry_transform(ttt_reference_symmetries[t])),
                "transform %d is another one", t) ||
            !read_view(g, q, json_object_get(item, "base"), &q->bases[t]))
            return false;
        bool member = false;
        for (size_t i = 0; i < q->contexts.count; i++)
            member = member || ttt_views_equal(&q->contexts.items[i], &q->bases[t]);
        if (!GOLDEN_CHECK(g, member, "the base of transform %d is no context", t)) return false;
    }
    if (!GOLDEN_CHECK(g,
                      ttt_views_from_draws(q->task, 0, q->contexts.items, q->contexts.count, q->bases, skipped,
                                           &q->views, &err) == TTT_OK,
                      "%s", err.message))
        return false;
    for (int t = 0; t < TTT_REFERENCE_SYMMETRIES; t++) {
        const json_t *item = json_array_get(augment, (size_t)t), *inverter = json_object_get(item, "inverter");
        const ttt_symmetry inverse = ttt_symmetry_inverse(ttt_reference_symmetries[t]);
        if (!GOLDEN_CHECK(g, json_is_true(json_object_get(item, "skipped")) == skipped[t], "transform %d is %s", t,
                          skipped[t] ? "skipped" : "not skipped") ||
            !GOLDEN_CHECK(g, skipped[t] ? json_is_null(inverter) : same_name(inverter, ttt_symmetry_transform(inverse)),
                          "transform %d has another inverter", t))
            return false;
    }
    return true;
}

/* The queries as a set: as many as our views, all distinct, each among our views. */
static void check_queries(golden *g, query_set *q) {
    const json_t *queries = golden_list(g, q->object, "queries"), *query;
    size_t index;
    if (!queries ||
        !GOLDEN_CHECK(g, json_array_size(queries) == q->views.count, "%zu views, expected %zu", q->views.count,
                      json_array_size(queries)) ||
        !GOLDEN_CHECK(g, golden_count(g, q->object, "count") == (int64_t)q->views.count, "another count"))
        return;
    bool *used = ttt_allocate(q->views.count, sizeof *used);
    json_array_foreach(queries, index, query) {
        ttt_view asked;
        bool found = false;
        if (!used || !golden_has_members(g, query, "order transform inverter") ||
            !read_view(g, q, json_object_get(query, "order"), &asked))
            break;
        for (size_t i = 0; i < q->views.count && !found; i++) {
            const ttt_view *view = &q->views.items[i];
            asked.symmetry = view->symmetry;
            found = !used[i] && ttt_views_equal(view, &asked) &&
                    same_name(json_object_get(query, "transform"), ttt_symmetry_transform(view->symmetry)) &&
                    same_name(json_object_get(query, "inverter"),
                              ttt_symmetry_transform(ttt_symmetry_inverse(view->symmetry)));
            used[i] = used[i] || found;
        }
        if (!GOLDEN_CHECK(g, found, "query %zu is not among our views", index)) break;
    }
    ttt_free(used);
}

/* What ttt_views_reference draws by itself begins with the same untransformed views (all of them without orders). */
static void check_own_draws(golden *g, const query_set *q) {
    ttt_view_list list = {0};
    ttt_error err;
    ttt_random random = ttt_random_stream(0, q->task->id, "golden");
    if (!GOLDEN_CHECK(g, ttt_views_reference(q->task, 0, q->left_out, q->orders, &random, &list, &err) == TTT_OK, "%s",
                      err.message))
        return;
    for (size_t i = 0; i < q->views.count && q->orders == 0 && q->views.items[i].symmetry == 0; i++)
        GOLDEN_CHECK(g, i < list.count && ttt_views_equal(&list.items[i], &q->views.items[i]),
                     "our own view %zu differs", i);
    GOLDEN_CHECK(g, list.count > 0 && list.count <= q->contexts.count + TTT_REFERENCE_SYMMETRIES,
                 "%zu views of our own", list.count);
    ttt_free(list.items);
}

static void check_set(golden *g, const ttt_task *task, const json_t *object, int left_out, int orders) {
    query_set q = {.task = task, .object = object, .left_out = left_out, .orders = orders};
    const json_t *draws = object ? golden_object(g, object, "draws") : NULL;
    if (draws && golden_has_members(g, object, "n permute_n draws queries count") &&
        golden_has_members(g, draws, "leave_n augment") &&
        GOLDEN_CHECK(g, golden_count(g, object, "n") == left_out, "another n") &&
        GOLDEN_CHECK(g, golden_count(g, object, "permute_n") == orders, "another permute_n") &&
        read_contexts(g, &q, draws) && make_views(g, &q, draws)) {
        check_queries(g, &q);
        check_own_draws(g, &q);
    }
    ttt_free(q.contexts.items);
    ttt_free(q.views.items);
}

static bool read_task(golden *g, const json_t *object, ttt_task *task) {
    ttt_error err;
    size_t count;
    ttt_grid input;
    const char *id = golden_string(g, object, "task");
    if (!id ||
        !golden_has_members(
            g, object, "task test_index n_train train test_input include_n include_n_permute0 count_include_0_1") ||
        !golden_grid(g, json_object_get(object, "test_input"), false, &input))
        return false;
    ttt_pair *pairs = golden_pairs(g, json_object_get(object, "train"), &count);
    if (!pairs) return false;
    const bool good = GOLDEN_CHECK(g, golden_count(g, object, "n_train") == (int64_t)count, "another n_train") &&
                      GOLDEN_CHECK(g, ttt_task_init(task, id, count, 1, &err) == TTT_OK, "%s", err.message);
    if (good) {
        memcpy(task->demonstrations, pairs, count * sizeof *pairs);
        task->tests[0].input = input;
    }
    ttt_free(pairs);
    return good;
}

static void check_task(golden *g, const json_t *object) {
    static const struct {
        const char *member, *key;
        int left_out, orders;
    } sets[] = {{"include_n", "0", 0, 2},
                {"include_n", "1", 1, 2},
                {"include_n_permute0", "0", 0, 0},
                {"include_n_permute0", "1", 1, 0}};
    const char *id = json_string_value(json_object_get(object, "task"));
    ttt_task task = {0};
    golden_begin(g, "task %s", id ? id : "without a name");
    const bool good = read_task(g, object, &task);
    if (good) { /* both kinds of views are asked, one after the other, without dropping duplicates between them */
        const json_t *both = golden_object(g, object, "include_n");
        GOLDEN_CHECK(g,
                     golden_count(g, object, "count_include_0_1") ==
                         golden_count(g, json_object_get(both, "0"), "count") +
                             golden_count(g, json_object_get(both, "1"), "count"),
                     "another sum of counts");
    }
    golden_end(g);
    for (size_t i = 0; good && i < sizeof sets / sizeof *sets; i++) {
        golden_begin(g, "task %s, test %lld, %s %s", id,
                     (long long)json_integer_value(json_object_get(object, "test_index")), sets[i].member, sets[i].key);
        const json_t *set = golden_object(g, object, sets[i].member);
        check_set(g, &task, set ? golden_object(g, set, sets[i].key) : NULL, sets[i].left_out, sets[i].orders);
        golden_end(g);
    }
    ttt_task_release(&task);
}

void golden_inference_queries(golden *g, const json_t *root) {
    size_t index;
    const json_t *object;
    json_array_foreach(root, index, object) check_task(g, object);
}
