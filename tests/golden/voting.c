/* voting.json: most common grids, majorities, two-stage votes. */
#include "golden.h"

#include "arc/vote.h"
#include "base/memory.h"

/* Compares with the vectors' grid; null is ambiguous in the reference and not compared. */
static void check_grid(golden *g, const char *what, const json_t *value, const ttt_grid *ours) {
    ttt_grid expected;
    if (!GOLDEN_CHECK(g, value, "no %s", what) || json_is_null(value)) return;
    if (golden_grid(g, value, true, &expected)) GOLDEN_CHECK(g, ttt_grid_equal(ours, &expected), "another %s", what);
}

static ttt_grid *read_grids(golden *g, const json_t *list, size_t *count) {
    *count = json_array_size(list);
    ttt_grid *grids = ttt_allocate(*count, sizeof *grids);
    for (size_t i = 0; grids && i < *count; i++)
        if (!golden_grid(g, json_array_get(list, i), true, &grids[i])) {
            ttt_free(grids);
            return NULL;
        }
    return grids;
}

static void check_list(golden *g, const json_t *object) {
    static const char *const names[3] = {"first", "second", "third"};
    const json_t *outputs = golden_list(g, object, "outputs"), *top3 = json_object_get(object, "top3");
    ttt_grid top[3], majority;
    ttt_error err;
    size_t count;
    if (!golden_has_members(g, object, "outputs top3 row col | has_empty") || !outputs ||
        !GOLDEN_CHECK(g, json_is_null(top3) || json_array_size(top3) == 3, "top3 is not three grids"))
        return;
    ttt_grid *grids = read_grids(g, outputs, &count);
    if (!grids) return;
    if (count == 0) { /* nothing to vote on: the reference must say so too */
        for (size_t i = 0; i < 3; i++)
            GOLDEN_CHECK(g, json_is_null(json_array_get(top3, i)), "a %s of no grids", names[i]);
        GOLDEN_CHECK(g, json_is_null(json_object_get(object, "row")), "a row majority of no grids");
        GOLDEN_CHECK(g, json_is_null(json_object_get(object, "col")), "a column majority of no grids");
    } else if (GOLDEN_CHECK(g, ttt_vote_top3(grids, NULL, count, top, &err) == TTT_OK, "%s", err.message)) {
        for (size_t i = 0; i < 3 && !json_is_null(top3); i++) check_grid(g, names[i], json_array_get(top3, i), &top[i]);
        ttt_vote_row_majority(grids, count, &majority);
        check_grid(g, "row majority", json_object_get(object, "row"), &majority);
        ttt_vote_column_majority(grids, count, &majority);
        check_grid(g, "column majority", json_object_get(object, "col"), &majority);
    }
    ttt_free(grids);
}

/* The group that an answer mapped back by this transform (null: none) votes in. */
static bool read_group(golden *g, const json_t *inverter, ttt_vote_group *group) {
    ttt_transform transform;
    if (!golden_transform(g, inverter, &transform)) return false;
    for (ttt_symmetry s = 0; s < TTT_SYMMETRIES; s++)
        if (ttt_transform_equal(&transform, ttt_symmetry_transform(ttt_symmetry_inverse(s)))) {
            *group = ttt_vote_group_of(s);
            return true;
        }
    return golden_fail(g, "the inverter %s is no symmetry", json_string_value(inverter));
}

static void check_vote(golden *g, const json_t *object) {
    const json_t *outputs = golden_list(g, object, "outputs"), *attempts = golden_list(g, object, "attempts"), *item;
    ttt_grid ours[2];
    ttt_error err;
    bool found, good = true;
    size_t i;
    if (!outputs || !attempts || !GOLDEN_CHECK(g, json_array_size(attempts) == 2, "not two attempts")) return;
    ttt_vote_answer *answers = ttt_allocate(json_array_size(outputs), sizeof *answers);
    json_array_foreach(outputs, i, item) {
        good = good && answers && golden_has_members(g, item, "inverter output") &&
               read_group(g, json_object_get(item, "inverter"), &answers[i].group) &&
               golden_grid(g, json_object_get(item, "output"), true, &answers[i].grid);
    }
    if (good &&
        GOLDEN_CHECK(g, ttt_vote_two_stage(answers, json_array_size(outputs), ours, &found, &err) == TTT_OK, "%s",
                     err.message) &&
        GOLDEN_CHECK(g, found, "no attempts")) {
        check_grid(g, "first attempt", json_array_get(attempts, 0), &ours[0]);
        check_grid(g, "second attempt", json_array_get(attempts, 1), &ours[1]);
    }
    ttt_free(answers);
}

void golden_voting(golden *g, const json_t *root) {
    size_t index;
    const json_t *object;
    golden_begin(g, "the file");
    g->skip_reason = "skipped (they copy a loss of votes that is left out on purpose)";
    const json_t *lists = golden_list(g, root, "lists"), *votes = golden_list(g, root, "votes");
    if (!golden_has_members(g, root, "lists votes") || !lists || !votes) {
        golden_end(g);
        return;
    }
    json_array_foreach(lists, index, object) {
        golden_begin(g, "list %zu", index);
        check_list(g, object);
        golden_end(g);
    }
    json_array_foreach(votes, index, object) {
        golden_begin(g, "vote %zu", index);
        golden_has_members(g, object, "outputs attempts | reference_only");
        if (json_object_get(object, "reference_only")) { /* a tie that the reference loses by accident; ours does not */
            g->skipped++;
            continue;
        }
        check_vote(g, object);
        golden_end(g);
    }
}
